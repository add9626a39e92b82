// SPDX-License-Identifier: BSD-2-Clause

package cxlmalloc

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// Tests by what the process is: CXLMALLOC_CONF holds for all of it. tests/api/go.tap
// runs one binary in each way.
func limited() bool { return strings.Contains(os.Getenv("CXLMALLOC_CONF"), "cxl.limit=64m") }

// With the race detector, which owns most addresses, the process is not tiered.
func untiered() bool { return os.Getenv("CXLMALLOC_DISABLE") == "1" || racing }

func only(t *testing.T, is bool) {
	t.Helper()
	if !is {
		t.SkipNow()
	}
}

// tiered tests are of one run: tiers without a limit.
func tiered(t *testing.T) {
	t.Helper()
	only(t, !untiered() && !limited())
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func fails(t *testing.T, errno syscall.Errno, err error) {
	t.Helper()
	if !errors.Is(err, errno) {
		t.Fatalf("wanted %q, got %v", errno.Error(), err)
	}
}

func alloc[T any](t testing.TB, place Place, n int, list ...Option) *Slice[T] {
	t.Helper()
	return must[*Slice[T]](t)(Alloc[T](place, n, list...))
}

func inUse(t *testing.T) uint64 {
	t.Helper()
	info := must[TierInfo](t)
	return info(Info(DDR)).InUse + info(Info(CXL)).InUse
}

func policyTier(t *testing.T) Tier {
	t.Helper()
	s := alloc[byte](t, Policy, 100)
	defer s.Free()
	tier, _ := s.Tier()
	return tier
}

// collected collects until it is so: finalizers run when they come to it.
func collected(t *testing.T, so func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); {
		if time.Now().After(end) {
			t.Fatal("not collected")
		}
		runtime.GC()
		runtime.Gosched()
	}
}

func address[T any](s *Slice[T]) uintptr {
	return uintptr(unsafe.Pointer(&s.Data()[0]))
}
