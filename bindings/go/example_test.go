// SPDX-License-Identifier: BSD-2-Clause

package cxlmalloc_test

import (
	"errors"
	"fmt"
	"syscall"

	"cxlmalloc"
)

func ExampleAlloc() {
	prices, err := cxlmalloc.Alloc[float64](cxlmalloc.CXL, 1_000_000)
	if err != nil {
		panic(err)
	}
	defer prices.Free()
	data := prices.Data()
	data[42] = 3.14
	fmt.Println(len(data), data[41], data[42])
	// Output: 1000000 0 3.14
}

func ExampleAlloc_pointers() {
	_, err := cxlmalloc.Alloc[struct{ Name string }](cxlmalloc.CXL, 10)
	fmt.Println(err)
	fmt.Println(errors.Is(err, syscall.EINVAL))
	// Output:
	// cxlmalloc: struct { Name string } has Go pointers: element.Name is a string
	// true
}

func ExampleSlice_Resize() {
	s, err := cxlmalloc.Alloc[int32](cxlmalloc.CXL, 2)
	if err != nil {
		panic(err)
	}
	defer s.Free()
	s.Data()[1] = 7
	if err := s.Resize(4); err != nil {
		panic(err)
	}
	fmt.Println(s.Data())
	// Output: [0 7 0 0]
}

func ExampleError() {
	_, err := cxlmalloc.Alloc[byte](cxlmalloc.DDR, 1<<62)
	fmt.Println(errors.Is(err, syscall.ENOMEM))
	fmt.Println(err)
	// Output:
	// true
	// cxlmalloc: cxlm_calloc: cannot allocate memory
}
