// SPDX-License-Identifier: BSD-2-Clause

// slices DDR CXL - the Go package's slices, and where their pages are. A node of each
// tier.
package main

import (
	"fmt"
	"os"
	"strconv"

	"cxlmalloc"
)

const size = 16 << 20

var nr, bad int

func check(right bool, what string) {
	nr++
	result := "ok"
	if !right {
		result = "not ok"
		bad++
	}
	fmt.Println(result, nr, "-", what)
}

func node(text string) cxlmalloc.Node {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return cxlmalloc.Node(n)
}

// All of it, and what it shares a page with.
func on(b *cxlmalloc.Buffer, node cxlmalloc.Node) bool {
	bytes, err := b.Residency()
	fmt.Println("#", bytes, err)
	return err == nil && len(bytes) == 1 && bytes[node] >= size
}

func filled(place cxlmalloc.Place, options ...cxlmalloc.Option) *cxlmalloc.Buffer {
	b, err := cxlmalloc.AllocBytes(place, size, options...)
	if err != nil {
		panic(err)
	}
	for i := range b.Data() {
		b.Data()[i] = byte(i * 7)
	}
	return b
}

func intact(b *cxlmalloc.Buffer) bool {
	for i, v := range b.Data() {
		if v != byte(i*7) {
			return false
		}
	}
	return true
}

func main() {
	ddr, cxl := node(os.Args[1]), node(os.Args[2])
	info, err := cxlmalloc.Info(cxlmalloc.CXL)
	check(err == nil && len(info.Nodes) == 1 && info.Nodes[0] == cxl, "cxl's node")
	// Whole pages: no other is moved with it.
	b := filled(cxlmalloc.CXL, cxlmalloc.Strict, cxlmalloc.Align(4096))
	check(on(b, cxl), "a slice of CXL is on its node")
	there, err := b.Migrate(cxlmalloc.DDR, cxlmalloc.Strict)
	check(err == nil && there >= size && on(b, ddr), "moved to DDR")
	check(intact(b), "with its contents")
	there, err = b.Migrate(cxlmalloc.CXL, cxlmalloc.Strict)
	check(err == nil && there >= size && on(b, cxl), "and back")
	check(intact(b), "with its contents, again")
	b.Free()
	b = filled(cxlmalloc.CXL)
	check(b.Move(cxlmalloc.DDR, cxlmalloc.Strict) == nil && on(b, ddr), "moved to another address")
	check(intact(b), "with its contents")
	b.Free()
	b = filled(cxl, cxlmalloc.Strict)
	check(on(b, cxl), "a slice of a node")
	b.Free()
	pool, err := cxlmalloc.NewPool(cxlmalloc.PoolConfig{Nodes: []cxlmalloc.Node{cxl}})
	if err != nil {
		panic(err)
	}
	b = filled(pool)
	check(on(b, cxl), "a slice of a pool")
	if err := pool.Destroy(); err != nil {
		panic(err)
	}
	err = cxlmalloc.WithTier(cxlmalloc.CXL, func() {
		b := filled(cxlmalloc.Policy)
		defer b.Free()
		check(on(b, cxl), "a slice in a scope")
	})
	check(err == nil, "the scope")
	fmt.Printf("1..%d\n", nr)
	if bad != 0 {
		os.Exit(1)
	}
}
