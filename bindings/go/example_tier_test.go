// SPDX-License-Identifier: BSD-2-Clause

//go:build !race

package cxlmalloc_test

import (
	"fmt"

	"cxlmalloc"
)

func ExampleWithTier() {
	err := cxlmalloc.WithTier(cxlmalloc.CXL, func() {
		b, err := cxlmalloc.AllocBytes(cxlmalloc.Policy, 4096)
		if err != nil {
			panic(err)
		}
		defer b.Free()
		fmt.Println(b.Tier())
	})
	fmt.Println(err)
	// Output:
	// cxl true
	// <nil>
}

func ExampleSlice_Migrate() {
	s, err := cxlmalloc.Alloc[uint64](cxlmalloc.CXL, 1<<20)
	if err != nil {
		panic(err)
	}
	defer s.Free()
	for i := range s.Data() {
		s.Data()[i] = uint64(i)
	}
	there, err := s.Migrate(cxlmalloc.DDR)
	fmt.Println(there >= 8<<20-8192, err, s.Data()[1<<20-1])
	// Output: true <nil> 1048575
}

func ExampleNewPool() {
	pool, err := cxlmalloc.NewPool(cxlmalloc.PoolConfig{
		Tier:  cxlmalloc.CXL,
		Limit: 64 << 20,
		Name:  "cache",
	})
	if err != nil {
		panic(err)
	}
	defer pool.Destroy()
	_, err = cxlmalloc.AllocBytes(pool, 100<<20)
	fmt.Println(err)
	// Output: cxlmalloc: cxlm_pool_calloc: cannot allocate memory
}

func ExampleGet() {
	if err := cxlmalloc.Set("conf", "policy=interleave,interleave=3:1"); err != nil {
		panic(err)
	}
	fmt.Println(cxlmalloc.Get("policy"))
	if err := cxlmalloc.Set("conf", "policy=priority"); err != nil {
		panic(err)
	}
	fmt.Println(cxlmalloc.Get("policy"))
	// Output:
	// interleave <nil>
	// priority <nil>
}
