// SPDX-License-Identifier: BSD-2-Clause

package cxlmalloc

import (
	"math"
	"math/rand"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"
)

type record struct {
	id    uint64
	at    [3]float32
	flag  bool
	inner struct{ a, b int16 }
	none  [0]*int
	ptr   uintptr
}

func TestZeroAndKept(t *testing.T) {
	for _, tier := range []Tier{DDR, CXL, Policy} {
		for _, n := range []int{1, 2, 100, 4096, 100_001, 1 << 20} {
			s := alloc[uint64](t, tier, n)
			if s.Len() != n || len(s.Data()) != n || cap(s.Data()) != n {
				t.Fatal("a length of", s.Len())
			}
			if s.Size() != uintptr(8*n) {
				t.Fatal("a size of", s.Size())
			}
			for i, v := range s.Data() {
				if v != 0 {
					t.Fatal("not zero at", i)
				}
				s.Data()[i] = uint64(i) * 7
			}
			for i, v := range s.Data() {
				if v != uint64(i)*7 {
					t.Fatal("lost at", i)
				}
			}
			s.Free()
		}
	}
}

func TestStructs(t *testing.T) {
	s := alloc[record](t, CXL, 1000)
	defer s.Free()
	for i := range s.Data() {
		s.Data()[i] = record{id: uint64(i), flag: true, ptr: math.MaxUint}
	}
	if r := s.Data()[999]; r.id != 999 || !r.flag || r.inner.b != 0 || r.ptr != math.MaxUint {
		t.Fatal(r)
	}
	if s.Size() != 1000*unsafe.Sizeof(record{}) {
		t.Fatal(s.Size())
	}
}

func refused[T any](t *testing.T, where string) {
	t.Helper()
	_, err := Alloc[T](CXL, 1)
	fails(t, syscall.EINVAL, err)
	p, ok := err.(*PointerError)
	if !ok || p.Where != where {
		t.Fatal(err)
	}
}

func TestGoPointersAreRefused(t *testing.T) {
	refused[*int](t, "element is a ptr")
	refused[string](t, "element is a string")
	refused[[]byte](t, "element is a slice")
	refused[map[int]int](t, "element is a map")
	refused[chan int](t, "element is a chan")
	refused[func()](t, "element is a func")
	refused[any](t, "element is a interface")
	refused[error](t, "element is a interface")
	refused[unsafe.Pointer](t, "element is a unsafe.Pointer")
	refused[[4]*int](t, "element[] is a ptr")
	refused[struct {
		n int
		s [2]struct{ name string }
	}](t, "element.s[].name is a string")
	alloc[[0]string](t, CXL, 10).Free()
	// The answer is remembered.
	refused[string](t, "element is a string")
}

func TestSizes(t *testing.T) {
	empty := alloc[int](t, CXL, 0)
	if len(empty.Data()) != 0 {
		t.Fatal("not empty")
	}
	if err := empty.Populate(); err != nil {
		t.Fatal(err)
	}
	if bytes, err := empty.Residency(); err != nil || len(bytes) != 0 {
		t.Fatal(bytes, err)
	}
	empty.Free()
	nothing := alloc[struct{}](t, CXL, 1000)
	if len(nothing.Data()) != 1000 || nothing.Size() != 0 {
		t.Fatal("not nothing")
	}
	nothing.Free()
	_, err := Alloc[int](CXL, -1)
	fails(t, syscall.EINVAL, err)
	_, err = Alloc[int64](CXL, math.MaxInt)
	fails(t, syscall.ENOMEM, err)
	_, err = Alloc[byte](CXL, math.MaxInt)
	fails(t, syscall.ENOMEM, err)
	_, err = Alloc[byte](Tier(7), 1)
	fails(t, syscall.EINVAL, err)
	big := alloc[byte](t, CXL, 3<<30)
	defer big.Free()
	big.Data()[3<<30-1] = 1
	if big.Data()[2<<30] != 0 {
		t.Fatal("not zero")
	}
}

func TestAlign(t *testing.T) {
	for align := uintptr(16); align <= 1<<21; align *= 8 {
		s := alloc[float64](t, CXL, 10, Align(align))
		if address(s)%align != 0 || s.Data()[9] != 0 {
			t.Fatal(align, address(s))
		}
		fails(t, syscall.EINVAL, s.Resize(20))
		fails(t, syscall.EINVAL, s.Move(DDR))
		s.Free()
	}
	_, err := Alloc[byte](CXL, 10, Align(48))
	fails(t, syscall.EINVAL, err)
}

func TestResize(t *testing.T) {
	s := alloc[uint32](t, CXL, 0)
	for _, n := range []int{1, 10, 1000, 10, 1_000_000, 3, 0, 5, 100_000} {
		before := append([]uint32(nil), s.Data()...)
		if err := s.Resize(n); err != nil {
			t.Fatal(err)
		}
		if s.Len() != n {
			t.Fatal("a length of", s.Len())
		}
		for i := range s.Data() {
			var wanted uint32
			if i < len(before) {
				wanted = before[i]
			}
			if s.Data()[i] != wanted {
				t.Fatal("another value at", i, "of", n)
			}
			s.Data()[i] = uint32(i) + 1
		}
		if tier, ok := s.Tier(); !untiered() && (!ok || tier != CXL) {
			t.Fatal("on", tier)
		}
	}
	fails(t, syscall.ENOMEM, s.Resize(math.MaxInt/4))
	fails(t, syscall.EINVAL, s.Resize(-1))
	if s.Len() != 100_000 || s.Data()[99_999] != 100_000 {
		t.Fatal("not as before")
	}
	s.Free()
}

func TestFreeTwice(t *testing.T) {
	s := alloc[int](t, CXL, 10)
	s.Free()
	s.Free()
	if s.Data() != nil || s.Len() != 0 || s.Size() != 0 {
		t.Fatal("something is left")
	}
	if _, ok := s.Tier(); ok {
		t.Fatal("a tier")
	}
	fails(t, syscall.EINVAL, s.Resize(1))
	fails(t, syscall.EINVAL, s.Move(DDR))
	fails(t, syscall.EINVAL, s.Populate())
	fails(t, syscall.EINVAL, s.Advise(Hot))
	_, err := s.Migrate(DDR)
	fails(t, syscall.EINVAL, err)
	_, err = s.Residency()
	fails(t, syscall.EINVAL, err)
	_, err = s.Node(0)
	fails(t, syscall.EINVAL, err)
}

func TestMillion(t *testing.T) {
	alloc[byte](t, CXL, 4096).Free()
	before := inUse(t)
	n := 1_000_000
	if racing {
		n /= 10
	}
	for i := 0; i < n; i++ {
		s := alloc[byte](t, CXL, 64+i%8192)
		s.Data()[0] = 1
		s.Free()
	}
	// All of them together are 4 GB, or 400 MB.
	if more := int64(inUse(t) - before); more > 32<<20 {
		t.Fatal(more, "bytes more in use")
	}
}

func abandon(t *testing.T, n int) {
	for i := 0; i < n; i++ {
		s := alloc[byte](t, CXL, 1<<20)
		s.Data()[0] = 1
		runtime.KeepAlive(s)
	}
}

func TestUnreachable(t *testing.T) {
	only(t, !racing) // its blocks are malloc's then, which nobody counts
	before := inUse(t)
	kept := alloc[byte](t, CXL, 8<<20)
	abandon(t, 100)
	collected(t, func() bool { return inUse(t) < before+16<<20 })
	// Other threads' small blocks may have gone meanwhile.
	if more := inUse(t) - before; more < 7<<20 {
		t.Fatal("only", more, "bytes are in use")
	}
	kept.Free()
}

func TestCollectorStress(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	var all []*Slice[uint64]
	random := rand.New(rand.NewSource(1))
	var garbage [][]byte
	for i := 0; i < 10_000; i++ {
		garbage = append(garbage, make([]byte, 1000))
		if i%500 == 0 {
			garbage = nil
		}
		s := alloc[uint64](t, CXL, 1+random.Intn(1000))
		for k := range s.Data() {
			s.Data()[k] = uint64(len(s.Data()))
		}
		if len(all) < 500 {
			all = append(all, s)
			continue
		}
		// Half are freed, half are left to the finalizer.
		k := random.Intn(len(all))
		for _, v := range all[k].Data() {
			if v != uint64(all[k].Len()) {
				t.Fatal("overwritten:", v)
			}
		}
		if i%2 == 0 {
			all[k].Free()
		}
		all[k] = s
	}
}

func TestGoroutines(t *testing.T) {
	queue := make(chan *Slice[uint64], 64)
	var verified int64
	var workers, takers sync.WaitGroup
	for g := 0; g < 8; g++ {
		workers.Add(1)
		go func(g int) {
			defer workers.Done()
			random := rand.New(rand.NewSource(int64(g)))
			for i := 0; i < 3000; i++ {
				s, err := Alloc[uint64](Tier(random.Intn(2)), 1+random.Intn(2000))
				if err != nil {
					t.Error(err)
					return
				}
				s.Data()[0] = uint64(s.Len())
				s.Data()[s.Len()-1] = uint64(s.Len())
				queue <- s
			}
		}(g)
	}
	for g := 0; g < 4; g++ {
		takers.Add(1)
		go func() {
			defer takers.Done()
			for s := range queue {
				n := uint64(s.Len())
				if s.Data()[0] != n || s.Data()[n-1] != n {
					t.Error("overwritten")
				}
				s.Free()
				atomic.AddInt64(&verified, 1)
			}
		}()
	}
	workers.Wait()
	close(queue)
	takers.Wait()
	if verified != 8*3000 {
		t.Fatal(verified)
	}
}

func TestLimit(t *testing.T) {
	only(t, limited())
	var held []*Slice[byte]
	for round := 0; round < 3; round++ {
		var err error
		for len(held) < 100 && err == nil {
			var s *Slice[byte]
			if s, err = Alloc[byte](CXL, 1<<20, Strict); err == nil {
				held = append(held, s)
			}
		}
		fails(t, syscall.ENOMEM, err)
		if len(held) < 30 || len(held) > 64 {
			t.Fatal(len(held), "MiB")
		}
		if info := must[TierInfo](t)(Info(CXL)); info.Used > 64<<20 || info.Limit != 64<<20 {
			t.Fatal(info)
		}
		// Not refused, but elsewhere.
		s := alloc[byte](t, CXL, 8<<20)
		if tier, _ := s.Tier(); tier != DDR {
			t.Fatal("on", tier)
		}
		s.Free()
		for _, s := range held {
			s.Free()
		}
		held = held[:0]
	}
	runtime.KeepAlive(held)
}

func TestNotTiered(t *testing.T) {
	only(t, untiered())
	s := alloc[int](t, CXL, 1000)
	s.Data()[999] = 1
	if _, ok := s.Tier(); ok {
		t.Fatal("of a tier")
	}
	s.Free()
	_, err := Alloc[int](CXL, 1, Strict)
	fails(t, syscall.ENOTSUP, err)
	fails(t, syscall.ENOTSUP, WithTier(CXL, func() { t.Error("called") }))
	_, err = NewPool(PoolConfig{Tier: CXL})
	fails(t, syscall.ENOTSUP, err)
}
