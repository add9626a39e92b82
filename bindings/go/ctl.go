// SPDX-License-Identifier: BSD-2-Clause

package cxlmalloc

/*
#include <stdlib.h>
#include <cxlmalloc.h>
*/
import "C"

import (
	"errors"
	"strconv"
	"syscall"
	"unsafe"
)

// Value describes one of the names.
type Value struct {
	Name     string
	Number   bool // a uint64, else a string
	Writable bool
}

// Values returns the names there are.
func Values() []Value {
	var values []Value
	for {
		var i C.struct_cxlm_ctl_info
		i.size = C.size_t(unsafe.Sizeof(i))
		if C.cxlm_ctl_name(C.unsigned(len(values)), &i) != 0 {
			return values
		}
		values = append(values, Value{
			Name:     C.GoString(&i.name[0]),
			Number:   i._type == C.CXLM_CTL_U64,
			Writable: i.writable != 0,
		})
	}
}

// One that is not listed counts as a string.
func isNumber(name string) bool {
	for _, v := range Values() {
		if v.Name == name {
			return v.Number
		}
	}
	return false
}

// read fills the space with a value and returns its length.
func read(name string, space unsafe.Pointer, size int) (int, error) {
	s := C.CString(name)
	defer C.free(unsafe.Pointer(s))
	n := C.size_t(size)
	if r, err := C.cxlm_ctl(s, space, &n, nil, 0); r != 0 {
		return int(n), failure(name, err)
	}
	return int(n), nil
}

func write(name string, value unsafe.Pointer, size int) error {
	s := C.CString(name)
	defer C.free(unsafe.Pointer(s))
	if r, err := C.cxlm_ctl(s, nil, nil, value, C.size_t(size)); r != 0 {
		return failure(name, err)
	}
	return nil
}

// GetUint returns a number by its name ("tier.cxl.used"), see cxlm_ctl; NoLimit
// where there is none. It fails with ENOENT when there is no such name, with EINVAL
// when it is a string's.
func GetUint(name string) (uint64, error) {
	var value C.uint64_t
	n, err := read(name, unsafe.Pointer(&value), 8)
	if errors.Is(err, syscall.ERANGE) || err == nil && (n != 8 || !isNumber(name)) {
		return 0, invalid(name)
	}
	return uint64(value), err
}

// Get returns a value by its name; a number in decimal, or "none" for no limit.
func Get(name string) (string, error) {
	if isNumber(name) {
		value, err := GetUint(name)
		if value == NoLimit {
			return "none", err
		}
		return strconv.FormatUint(value, 10), err
	}
	size := 256
	for {
		space := make([]byte, size)
		n, err := read(name, unsafe.Pointer(&space[0]), size)
		if err == nil {
			// Its NUL is one of them.
			return string(space[:n-1]), nil
		}
		// It may have grown since it said how long it is.
		if !errors.Is(err, syscall.ERANGE) || n <= size {
			return "", err
		}
		size = n
	}
}

// Set gives a value to a string's name: "conf" takes settings as CXLMALLOC_CONF
// does, all or none of them, and the policy is another one at once. It fails with
// EPERM when it cannot be written while the program runs, with EINVAL when it is
// wrong; nothing is changed then.
func Set(name, value string) error {
	s := C.CString(value)
	defer C.free(unsafe.Pointer(s))
	return write(name, unsafe.Pointer(s), len(value))
}

// SetUint gives a value to a number's name.
func SetUint(name string, value uint64) error {
	v := C.uint64_t(value)
	return write(name, unsafe.Pointer(&v), 8)
}
