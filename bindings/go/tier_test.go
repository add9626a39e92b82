// SPDX-License-Identifier: BSD-2-Clause

package cxlmalloc

import (
	"errors"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"
)

func TestTier(t *testing.T) {
	tiered(t)
	for _, wanted := range []Tier{DDR, CXL} {
		for _, n := range []int{1, 4096, 10 << 20} {
			s := alloc[byte](t, wanted, n, Strict)
			if tier, ok := s.Tier(); !ok || tier != wanted {
				t.Fatal("on", tier)
			}
			if tier, ok := TierOf(unsafe.Pointer(&s.Data()[n-1])); !ok || tier != wanted {
				t.Fatal("its end on", tier)
			}
			s.Free()
		}
	}
	var mine int
	if tier, ok := TierOf(unsafe.Pointer(&mine)); ok {
		t.Fatal("Go's memory on", tier)
	}
	if DDR.String()+CXL.String()+Policy.String()+Tier(9).String() != "ddrcxlpolicyTier(9)" {
		t.Fatal("names")
	}
}

func TestPages(t *testing.T) {
	tiered(t)
	// Larger than what earlier tests have freed: such pages may be there.
	const n = 200 << 20 / 8
	s := alloc[uint64](t, CXL, n)
	defer s.Free()
	_, err := s.Node(n / 2)
	fails(t, syscall.ENOENT, err)
	if err := s.Populate(); err != nil {
		t.Fatal(err)
	}
	node := must[Node](t)(s.Node(n / 2))
	bytes := must[map[Node]uint64](t)(s.Residency())
	var all uint64
	for _, b := range bytes {
		all += b
	}
	if all < uint64(s.Size()) || bytes[node] == 0 {
		t.Fatal(bytes, "and", node)
	}
	for i := range s.Data() {
		s.Data()[i] = uint64(i) * 3
	}
	for _, tier := range []Tier{DDR, CXL} {
		there := must[int64](t)(s.Migrate(tier, Strict))
		if there < n*8-8192 || there > n*8+8192 {
			t.Fatal(there, "of", n*8)
		}
		on := must[Node](t)(s.Node(0))
		var found bool
		for _, n := range must[TierInfo](t)(Info(tier)).Nodes {
			found = found || n == on
		}
		if !found {
			t.Fatal(tier, "has no node", on)
		}
	}
	for _, advice := range []Advice{Hot, Cold, WillNeed} {
		if err := s.Advise(advice); err != nil {
			t.Fatal(err)
		}
	}
	for i := range s.Data() {
		if s.Data()[i] != uint64(i)*3 {
			t.Fatal("lost at", i)
		}
	}
	_, err = s.Migrate(Policy)
	fails(t, syscall.EINVAL, err)
	fails(t, syscall.EINVAL, s.Advise(Advice(9)))
}

func TestMove(t *testing.T) {
	tiered(t)
	for _, n := range []int{1, 100, 1_000_000} {
		s := alloc[uint32](t, CXL, n)
		for i := range s.Data() {
			s.Data()[i] = uint32(i) + 1
		}
		for _, wanted := range []Tier{CXL, DDR, CXL} {
			if err := s.Move(wanted, Strict); err != nil {
				t.Fatal(err)
			}
			if tier, _ := s.Tier(); tier != wanted || s.Len() != n {
				t.Fatal("on", tier)
			}
			for i, v := range s.Data() {
				if v != uint32(i)+1 {
					t.Fatal("lost at", i)
				}
			}
		}
		s.Free()
	}
}

func TestNode(t *testing.T) {
	tiered(t)
	node := Nodes()[0]
	s := alloc[byte](t, node, 1<<20, Strict)
	defer s.Free()
	if err := s.Populate(); err != nil {
		t.Fatal(err)
	}
	if got := must[Node](t)(s.Node(1000)); got != node {
		t.Fatal("on", got)
	}
	info := must[NodeInfo](t)(node.Info())
	if info.Node != node || info.Total < info.Free || info.Free == 0 {
		t.Fatal(info)
	}
	for _, n := range []Node{-1, 1000, 5000} {
		_, err := Alloc[byte](n, 1)
		fails(t, syscall.EINVAL, err)
	}
	_, err := Node(1000).Info()
	fails(t, syscall.ENODEV, err)
}

func TestScope(t *testing.T) {
	tiered(t)
	if policyTier(t) != DDR {
		t.Fatal("not on ddr")
	}
	scope := func(tier Tier, f func()) {
		t.Helper()
		if err := WithTier(tier, f); err != nil {
			t.Fatal(err)
		}
	}
	scope(CXL, func() {
		if policyTier(t) != CXL {
			t.Error("not on cxl")
		}
		scope(DDR, func() {
			if policyTier(t) != DDR {
				t.Error("not on ddr inside")
			}
		})
		if policyTier(t) != CXL {
			t.Error("not on cxl again")
		}
		var other sync.WaitGroup
		other.Add(1)
		go func() {
			defer other.Done()
			if policyTier(t) != DDR {
				t.Error("another goroutine is not on ddr")
			}
		}()
		other.Wait()
	})
	if policyTier(t) != DDR {
		t.Fatal("not on ddr again")
	}
	func() {
		defer func() { _ = recover() }()
		scope(CXL, func() { panic("out of it") })
	}()
	if policyTier(t) != DDR {
		t.Fatal("not on ddr after a panic")
	}
}

func TestScopesDeep(t *testing.T) {
	tiered(t)
	var deep func(n int) int
	deep = func(n int) (most int) {
		if err := WithTier(CXL, func() { most = deep(n + 1) }); err != nil {
			fails(t, syscall.ENOSPC, err)
			return n
		}
		return most
	}
	if most := deep(0); most != 32 {
		t.Fatal(most, "deep")
	}
	if policyTier(t) != DDR {
		t.Fatal("not on ddr again")
	}
	fails(t, syscall.EINVAL, WithTier(Tier(5), func() { t.Error("called") }))
}

func TestHint(t *testing.T) {
	tiered(t)
	if Hint("index", CXL) != CXL || Hint("index", Policy) != Policy {
		t.Fatal("another tier")
	}
}

func TestPool(t *testing.T) {
	tiered(t)
	p := must[*Pool](t)(NewPool(PoolConfig{Tier: CXL, Limit: 16 << 20, Name: "test"}))
	stat := must[PoolStat](t)
	if s := stat(p.Stat()); s.Limit != 16<<20 || s.Name != "test" || s.Tier != CXL {
		t.Fatal(s)
	}
	a := alloc[byte](t, p, 8<<20)
	b := alloc[byte](t, p, 100, Align(4096))
	if address(b)%4096 != 0 || a.Data()[8<<20-1] != 0 {
		t.Fatal("not aligned or not zero")
	}
	if s := stat(p.Stat()); s.Used < 8<<20 {
		t.Fatal(s)
	}
	_, err := Alloc[byte](p, 16<<20)
	fails(t, syscall.ENOMEM, err)
	if err := p.SetLimit(NoLimit); err != nil {
		t.Fatal(err)
	}
	if err := a.Resize(20 << 20); err != nil {
		t.Fatal(err)
	}
	if s := stat(p.Stat()); s.Peak < 20<<20 || s.Limit != NoLimit {
		t.Fatal(s)
	}
	fails(t, syscall.EINVAL, a.Move(DDR))
	b.Free()
	if err := p.Destroy(); err != nil {
		t.Fatal(err)
	}
	if err := p.Destroy(); err != nil {
		t.Fatal(err)
	}
	if a.Data() != nil {
		t.Fatal("data of a pool that is no more")
	}
	fails(t, syscall.EINVAL, a.Resize(1))
	a.Free()
	_, err = Alloc[byte](p, 1)
	fails(t, syscall.EINVAL, err)
	_, err = p.Stat()
	fails(t, syscall.EINVAL, err)
	fails(t, syscall.EINVAL, p.SetLimit(0))
	var none *Pool
	_, err = Alloc[byte](none, 1)
	fails(t, syscall.EINVAL, err)
}

func TestPoolNodes(t *testing.T) {
	tiered(t)
	p := must[*Pool](t)(NewPool(PoolConfig{Nodes: Nodes()[:1], Policy: Preferred}))
	alloc[int](t, p, 1000).Free()
	if err := p.Destroy(); err != nil {
		t.Fatal(err)
	}
	for _, n := range []Node{-1, 1023, 1024} {
		_, err := NewPool(PoolConfig{Nodes: []Node{n}})
		fails(t, syscall.EINVAL, err)
	}
	_, err := NewPool(PoolConfig{Name: strings.Repeat("a", 32)})
	fails(t, syscall.EINVAL, err)
}

func abandonPools(t *testing.T, n int) {
	for i := 0; i < n; i++ {
		p := must[*Pool](t)(NewPool(PoolConfig{Tier: CXL}))
		s := alloc[byte](t, p, 8192)
		s.Data()[0] = 1
		runtime.KeepAlive(s)
	}
}

// roomForPools tells whether so many more can be made; they are gone again.
func roomForPools(t *testing.T, n int) bool {
	for i := 0; i < n; i++ {
		p, err := NewPool(PoolConfig{Tier: DDR})
		if err != nil {
			fails(t, syscall.ENOSPC, err)
			return false
		}
		defer p.Destroy()
	}
	return true
}

func TestPoolsUnreachable(t *testing.T) {
	tiered(t)
	// There can be 255.
	abandonPools(t, 100)
	if roomForPools(t, 200) {
		t.Fatal("room for more than there can be")
	}
	collected(t, func() bool { return roomForPools(t, 200) })
	for i := 0; i < 600; i++ {
		p := must[*Pool](t)(NewPool(PoolConfig{Tier: DDR}))
		s := alloc[byte](t, p, 100)
		s.Data()[0] = 1
		runtime.KeepAlive(s)
		if err := p.Destroy(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestInfo(t *testing.T) {
	tiered(t)
	s := alloc[byte](t, CXL, 4<<20)
	defer s.Free()
	if err := s.Populate(); err != nil {
		t.Fatal(err)
	}
	i := must[TierInfo](t)(Info(CXL))
	if i.Tier != CXL || i.Name != "cxl" || i.Binding == "" || len(i.Nodes) == 0 ||
		i.Used < 4<<20 || i.InUse < 4<<20 || i.Total < i.Free || i.Free == 0 ||
		i.Available == 0 || i.Limit != NoLimit {
		t.Fatalf("%+v", i)
	}
	if i := must[TierInfo](t)(Info(DDR)); i.Name != "ddr" {
		t.Fatal(i)
	}
	_, err := Info(Policy)
	fails(t, syscall.EINVAL, err)
	if !strings.Contains(Version(), "jemalloc") {
		t.Fatal(Version())
	}
}

func TestValues(t *testing.T) {
	tiered(t)
	var used bool
	for _, v := range Values() {
		if v.Name == "tier.cxl.used" {
			used = v.Number && !v.Writable
		}
		// A process without a cgroup has no figures of one.
		if _, err := Get(v.Name); err != nil && !errors.Is(err, syscall.ENODATA) {
			t.Error(v.Name, err)
		}
	}
	if !used {
		t.Fatal(Values())
	}
	alloc[byte](t, CXL, 100).Free()
	if n := must[uint64](t)(GetUint("tier.cxl.used")); n == 0 {
		t.Fatal("nothing is used")
	}
	text := must[string](t)
	if n, err := strconv.Atoi(text(Get("tier.cxl.used"))); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	if got := text(Get("tier.cxl.limit")); got != "none" {
		t.Fatal(got)
	}
	if got := text(Get("policy")); got != "priority" {
		t.Fatal(got)
	}
	_, err := GetUint("policy")
	fails(t, syscall.EINVAL, err)
	_, err = GetUint("no.such")
	fails(t, syscall.ENOENT, err)
	_, err = Get("no.such")
	fails(t, syscall.ENOENT, err)
	fails(t, syscall.ENOENT, Set("no.such", "1"))
	fails(t, syscall.EPERM, Set("version", "1"))
	fails(t, syscall.EPERM, SetUint("tier.cxl.used", 1))
}

func TestPolicy(t *testing.T) {
	tiered(t)
	policy := func(wanted string) {
		t.Helper()
		if got := must[string](t)(Get("policy")); got != wanted {
			t.Fatal(got)
		}
	}
	if err := Set("conf", "policy=interleave,interleave=1:1"); err != nil {
		t.Fatal(err)
	}
	policy("interleave")
	fails(t, syscall.EINVAL, Set("conf", "cxl.limit=12q"))
	policy("interleave")
	if err := Set("conf", "policy=priority"); err != nil {
		t.Fatal(err)
	}
	policy("priority")
}
