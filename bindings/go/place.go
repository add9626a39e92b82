// SPDX-License-Identifier: BSD-2-Clause

package cxlmalloc

/*
#include <stdlib.h>
#include <string.h>
#include <cxlmalloc.h>

// All zero; align 0: as malloc aligns.
static void *place_tier(int tier, size_t align, size_t size, int flags)
{
	void *p;

	if (!align)
		return cxlm_calloc(tier, 1, size, flags);
	p = cxlm_aligned_alloc(tier, align, size, flags);
	return p ? memset(p, 0, size) : p;
}

static void *place_pool(cxlm_pool *pool, size_t align, size_t size)
{
	void *p;

	if (!align)
		return cxlm_pool_calloc(pool, 1, size);
	p = cxlm_pool_aligned_alloc(pool, align, size);
	return p ? memset(p, 0, size) : p;
}

static void *place_node(int node, size_t align, size_t size, int flags)
{
	unsigned long nodes[16] = { 0 };
	const int width = 8 * sizeof(nodes[0]);
	cxlm_pool *pool;

	nodes[node / width] |= 1UL << (node % width);
	pool = cxlm_node_pool(nodes, 16UL * width, flags);
	return pool ? place_pool(pool, align, size) : NULL;
}
*/
import "C"

import "unsafe"

const maxNode = 1024

// Place is where memory is allocated: a Tier, a Node or a *Pool.
type Place interface {
	allocate(size uintptr, o *options) (unsafe.Pointer, error)
}

// Node is a NUMA node, as the kernel numbers it. Its tier's limit holds.
type Node int

type options struct {
	strict C.int
	align  uintptr
}

// Option changes how memory is allocated or moved.
type Option func(*options)

// Strict asks for memory of the tier or the node or none at all. Without it
// another is taken when that has no room. A pool has its own rule for that.
func Strict(o *options) {
	o.strict = C.CXLM_STRICT
}

// Align asks for an address that is a multiple of n, a power of two. All pages
// are touched then; without it they come at first touch.
func Align(n uintptr) Option {
	return func(o *options) {
		o.align = n
	}
}

func optionsOf(list []Option) *options {
	o := new(options)
	for _, option := range list {
		option(o)
	}
	return o
}

func (t Tier) allocate(size uintptr, o *options) (unsafe.Pointer, error) {
	p, err := C.place_tier(C.int(t), C.size_t(o.align), C.size_t(size), o.strict)
	if p == nil {
		return nil, failure("cxlm_calloc", err)
	}
	return p, nil
}

func (n Node) allocate(size uintptr, o *options) (unsafe.Pointer, error) {
	if n < 0 || n >= maxNode {
		return nil, invalid("cxlm_node_pool")
	}
	p, err := C.place_node(C.int(n), C.size_t(o.align), C.size_t(size), o.strict)
	if p == nil {
		return nil, failure("cxlm_node_pool", err)
	}
	return p, nil
}

func (p *Pool) allocate(size uintptr, o *options) (unsafe.Pointer, error) {
	if p == nil || !p.enter() {
		return nil, invalid("cxlm_pool_calloc")
	}
	defer p.leave()
	block, err := C.place_pool(p.pool, C.size_t(o.align), C.size_t(size))
	if block == nil {
		return nil, failure("cxlm_pool_calloc", err)
	}
	return block, nil
}

// TierOf returns the tier an address is of; false: of none, as what Go
// allocates. It may be any address.
func TierOf(p unsafe.Pointer) (Tier, bool) {
	t := C.cxlm_tier_of(p)
	return Tier(t), t >= 0
}

// NodeOf returns the node that has the page at an address; it fails with ENOENT
// when it was never touched.
func NodeOf(p unsafe.Pointer) (Node, error) {
	n, err := C.cxlm_node_of(p)
	if n < 0 {
		return -1, failure("cxlm_node_of", err)
	}
	return Node(n), nil
}

// A range's functions; Slice has them as methods.

func resident(p unsafe.Pointer, size uintptr) (map[Node]uint64, error) {
	bytes := make([]C.uint64_t, C.cxlm_nr_nodes())
	all, err := C.cxlm_resident(p, C.size_t(size), &bytes[0], C.unsigned(len(bytes)))
	if all < 0 {
		return nil, failure("cxlm_resident", err)
	}
	nodes := make(map[Node]uint64)
	for i, n := range bytes {
		if n != 0 {
			nodes[Node(i)] = uint64(n)
		}
	}
	return nodes, nil
}

func migrate(p unsafe.Pointer, size uintptr, tier Tier, list []Option) (int64, error) {
	o := optionsOf(list)
	there, err := C.cxlm_migrate(p, C.size_t(size), C.int(tier), o.strict)
	if there < 0 {
		return 0, failure("cxlm_migrate", err)
	}
	return int64(there), nil
}

func populate(p unsafe.Pointer, size uintptr) error {
	if r, err := C.cxlm_populate(p, C.size_t(size)); r != 0 {
		return failure("cxlm_populate", err)
	}
	return nil
}

// Advice is what is known of the use of memory.
type Advice int

const (
	Hot      Advice = C.CXLM_HOT      // often from now on: to DDR, as far as it has room
	Cold     Advice = C.CXLM_COLD     // seldom: to CXL; the first to go under pressure
	WillNeed Advice = C.CXLM_WILLNEED // soon: back from swap
)

func advise(p unsafe.Pointer, size uintptr, advice Advice) error {
	if r, err := C.cxlm_advise(p, C.size_t(size), C.int(advice)); r != 0 {
		return failure("cxlm_advise", err)
	}
	return nil
}
