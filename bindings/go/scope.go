// SPDX-License-Identifier: BSD-2-Clause

package cxlmalloc

/*
#include <stdlib.h>
#include <cxlmalloc.h>
*/
import "C"

import (
	"runtime"
	"unsafe"
)

// WithTier calls f; what is allocated there outside of Go's heap tries that tier
// first: Alloc of Policy and, under libcxlmalloc.so, the malloc of C that f calls.
// Goroutines that f starts are not in the scope. It fails as cxlm_push does, and f
// is not called then.
func WithTier(tier Tier, f func()) error {
	// The scope is the thread's.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if r, err := C.cxlm_push(C.int(tier)); r != 0 {
		return failure("cxlm_push", err)
	}
	defer C.cxlm_pop()
	f()
	return nil
}

// Hint returns the tier that the operator's hint= says for data of this name, else
// the one given. Ask once, not for each allocation.
func Hint(name string, tier Tier) Tier {
	s := C.CString(name)
	defer C.free(unsafe.Pointer(s))
	return Tier(C.cxlm_hint(s, C.int(tier)))
}
