// SPDX-License-Identifier: BSD-2-Clause

// Package cxlmalloc is memory on DDR or on CXL, as slices.
//
// Memory of this package is not Go's: the garbage collector neither looks into
// it nor moves it. So elements may have no Go pointers in them (Alloc says so
// when they have), and a slice of it must not be used after its Slice is freed,
// or collected: the finalizer, which is there for what a program forgets, does
// not know of slices of Data. A deferred Free keeps the Slice until the function
// ends.
//
// What the operator has set holds: limits, order, nodes (cxlmalloc.conf(5)).
// Any goroutine may call any function. A Slice is as a Go slice is: who writes
// what another goroutine reads, frees or resizes it has to synchronize with it.
//
// Errors are *Error and wrap a syscall.Errno:
//
//	errors.Is(err, syscall.ENOMEM)
package cxlmalloc

/*
#cgo pkg-config: cxlmem
#include <cxlmalloc.h>
*/
import "C"

import (
	"fmt"
	"syscall"
)

// Tier is a kind of memory.
type Tier int

const (
	DDR Tier = C.CXLM_TIER_DDR
	CXL Tier = C.CXLM_TIER_CXL
	// Policy stands for the tier that malloc would take: the operator's choice,
	// or that of WithTier.
	Policy Tier = C.CXLM_TIER_POLICY
)

func (t Tier) String() string {
	switch t {
	case DDR:
		return "ddr"
	case CXL:
		return "cxl"
	case Policy:
		return "policy"
	}
	return fmt.Sprintf("Tier(%d)", int(t))
}

// NoLimit stands for a limit that was not set.
const NoLimit uint64 = C.CXLM_NO_LIMIT

// Error is what the library or the kernel refused.
type Error struct {
	Op    string // the C function, or what was asked of it
	Errno syscall.Errno
}

func (e *Error) Error() string {
	return "cxlmalloc: " + e.Op + ": " + e.Errno.Error()
}

// Unwrap returns the errno.
func (e *Error) Unwrap() error {
	return e.Errno
}

// failure makes an Error of what cgo has as a call's error. Cgo looks at errno
// whether the call failed or not, so only a call that did may come here.
func failure(op string, err error) error {
	errno, ok := err.(syscall.Errno)
	if !ok {
		errno = syscall.EINVAL
	}
	return &Error{op, errno}
}

func invalid(op string) error {
	return &Error{op, syscall.EINVAL}
}

// Version returns the version of the library and of the jemalloc in it.
func Version() string {
	return C.GoString(C.cxlm_version())
}
