// SPDX-License-Identifier: BSD-2-Clause

package cxlmalloc

/*
#include <cxlmalloc.h>
*/
import "C"

import (
	"fmt"
	"math"
	"reflect"
	"runtime"
	"sync"
	"syscall"
	"unsafe"
)

// Slice owns elements on a tier, until Free or until it is unreachable.
type Slice[T any] struct {
	data  []T
	block unsafe.Pointer // nil after Free
	align uintptr
	pool  *Pool // it keeps its pool; nil: of none
}

// Buffer is bytes.
type Buffer = Slice[byte]

// PointerError says that elements have Go pointers in them, which the collector
// would not see. It wraps syscall.EINVAL.
type PointerError struct {
	Type  reflect.Type
	Where string // the part of it that is one
}

func (e *PointerError) Error() string {
	return fmt.Sprintf("cxlmalloc: %v has Go pointers: %s", e.Type, e.Where)
}

// Unwrap returns EINVAL.
func (e *PointerError) Unwrap() error {
	return syscall.EINVAL
}

// pointerIn names what of a type holds a pointer, "" if nothing does. A uintptr
// does not: the collector takes it for a number.
func pointerIn(t reflect.Type, at string) string {
	switch t.Kind() {
	case reflect.Array:
		if t.Len() == 0 {
			return ""
		}
		return pointerIn(t.Elem(), at+"[]")
	case reflect.Struct:
		for i := 0; i < t.NumField(); i++ {
			f := t.Field(i)
			if p := pointerIn(f.Type, at+"."+f.Name); p != "" {
				return p
			}
		}
		return ""
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Pointer,
		reflect.Slice, reflect.String, reflect.UnsafePointer:
		return fmt.Sprintf("%s is a %v", at, t.Kind())
	}
	return ""
}

var checked sync.Map // reflect.Type to error or nil

func checkType[T any]() error {
	t := reflect.TypeOf((*T)(nil)).Elem()
	if got, ok := checked.Load(t); ok {
		err, _ := got.(error)
		return err
	}
	var err error
	if where := pointerIn(t, "element"); where != "" {
		err = &PointerError{t, where}
	}
	checked.Store(t, err)
	return err
}

func sizeOf[T any](n int) (uintptr, error) {
	var element T
	size := unsafe.Sizeof(element)
	if n < 0 {
		return 0, invalid("a length below 0")
	}
	if size != 0 && uintptr(n) > math.MaxInt/size {
		return 0, &Error{"so many elements", syscall.ENOMEM}
	}
	return uintptr(n) * size, nil
}

// Alloc returns n elements in a place, all zero.
//
// It fails with ENOMEM when there is no room, with ENOTSUP when with Strict the
// process does not use the tier, with EINVAL for an alignment that is no power of
// two, a negative n, a node that is not there, or elements with Go pointers
// (PointerError).
func Alloc[T any](place Place, n int, list ...Option) (*Slice[T], error) {
	if err := checkType[T](); err != nil {
		return nil, err
	}
	size, err := sizeOf[T](n)
	if err != nil {
		return nil, err
	}
	o := optionsOf(list)
	block, err := place.allocate(size, o)
	if err != nil {
		return nil, err
	}
	s := &Slice[T]{data: unsafe.Slice((*T)(block), n), block: block, align: o.align}
	s.pool, _ = place.(*Pool)
	runtime.SetFinalizer(s, (*Slice[T]).Free)
	return s, nil
}

// AllocBytes is Alloc of bytes.
func AllocBytes(place Place, n int, list ...Option) (*Buffer, error) {
	return Alloc[byte](place, n, list...)
}

// Free gives the memory back; nothing that Data returned may be used any more.
// More than once is harmless.
func (s *Slice[T]) Free() {
	if s.block == nil {
		return
	}
	// A pool that was destroyed has taken its blocks with it.
	if s.pool.enter() {
		C.cxlm_free(s.block)
		s.pool.leave()
	}
	s.block, s.data, s.pool = nil, nil, nil
	runtime.SetFinalizer(s, nil)
}

// with calls f while the block is there, and cannot go with its pool.
func (s *Slice[T]) with(op string, f func() error) error {
	if s.block == nil || !s.pool.enter() {
		return invalid(op)
	}
	defer runtime.KeepAlive(s)
	defer s.pool.leave()
	return f()
}

// Data returns the elements; nil after Free or the end of its pool. It is to be used
// no longer than the Slice lives, nor after Resize or Move. Appending beyond its
// capacity makes a copy in Go's memory, as always.
func (s *Slice[T]) Data() []T {
	if !s.pool.enter() {
		return nil
	}
	defer s.pool.leave()
	return s.data
}

// Len returns the number of elements.
func (s *Slice[T]) Len() int {
	return len(s.data)
}

// Size returns the bytes of the elements.
func (s *Slice[T]) Size() uintptr {
	var element T
	return uintptr(len(s.data)) * unsafe.Sizeof(element)
}

// Resize makes it n elements, where it is: its tier, its nodes, its pool. New
// ones are zero; the address may be another one. If it fails all is as before.
// One that was allocated with Align cannot be resized: EINVAL.
func (s *Slice[T]) Resize(n int) error {
	if s.align != 0 {
		return invalid("a new size with an alignment")
	}
	size, err := sizeOf[T](n)
	if err != nil {
		return err
	}
	// A size of 0 would free it.
	if size == 0 {
		size = 1
	}
	return s.with("cxlm_realloc", func() error {
		block, err := C.cxlm_realloc(s.block, C.size_t(size))
		if block == nil {
			return failure("cxlm_realloc", err)
		}
		before := s.Size()
		s.block, s.data = block, unsafe.Slice((*T)(block), n)
		if after := s.Size(); after > before {
			more := unsafe.Slice((*byte)(block), after)[before:]
			for i := range more {
				more[i] = 0
			}
		}
		return nil
	})
}

// Move puts it on another tier, at another address. If it fails all is as before.
// EINVAL: it has an alignment or a pool, and would have neither then.
func (s *Slice[T]) Move(tier Tier, list ...Option) error {
	if s.align != 0 || s.pool != nil {
		return invalid("a move with an alignment or a pool")
	}
	return s.with("cxlm_move", func() error {
		block, err := C.cxlm_move(s.block, C.int(tier), optionsOf(list).strict)
		if block == nil {
			return failure("cxlm_move", err)
		}
		s.block, s.data = block, unsafe.Slice((*T)(block), len(s.data))
		return nil
	})
}

// Tier returns the tier it was allocated from; false: the process is not tiered,
// or it is freed.
func (s *Slice[T]) Tier() (Tier, bool) {
	t, ok := TierOf(s.block)
	runtime.KeepAlive(s)
	return t, ok
}

// Node returns the node that has the page of element i; ENOENT: it was never
// touched.
func (s *Slice[T]) Node(i int) (n Node, err error) {
	err = s.with("cxlm_node_of", func() (err error) {
		n, err = NodeOf(unsafe.Pointer(&s.data[i]))
		return err
	})
	return n, err
}

// Residency returns the bytes on each node, by pages: one that is shared with
// another block counts whole.
func (s *Slice[T]) Residency() (nodes map[Node]uint64, err error) {
	err = s.with("cxlm_resident", func() (err error) {
		nodes, err = resident(s.block, s.Size())
		return err
	})
	return nodes, err
}

// Migrate moves its pages to a tier's nodes; addresses and contents stay. It
// returns the bytes of its pages that are there then; pages that it has not for
// itself, or that were never touched, are not moved. With Strict it fails with
// ENOMEM when not all could be moved.
func (s *Slice[T]) Migrate(tier Tier, list ...Option) (there int64, err error) {
	err = s.with("cxlm_migrate", func() (err error) {
		there, err = migrate(s.block, s.Size(), tier, list)
		return err
	})
	return there, err
}

// Populate has all its pages now rather than at first touch.
func (s *Slice[T]) Populate() error {
	return s.with("cxlm_populate", func() error {
		return populate(s.block, s.Size())
	})
}

// Advise says what is known of its use; that pages could not be moved is no error.
func (s *Slice[T]) Advise(advice Advice) error {
	return s.with("cxlm_advise", func() error {
		return advise(s.block, s.Size(), advice)
	})
}
