// SPDX-License-Identifier: BSD-2-Clause

package cxlmalloc

/*
#include <stdlib.h>
#include <cxlmalloc.h>

static cxlm_pool *pool_create(struct cxlm_pool_attr attr, const unsigned long *nodes)
{
	attr.size = sizeof(attr);
	attr.nodes = nodes;
	return cxlm_pool_create(&attr);
}
*/
import "C"

import (
	"runtime"
	"sync"
	"unsafe"
)

// PoolPolicy says how a pool's pages lie on its nodes.
type PoolPolicy int

const (
	Bind       PoolPolicy = C.CXLM_POOL_BIND       // on the nodes or not at all
	Preferred  PoolPolicy = C.CXLM_POOL_PREFERRED  // on others when they are full
	Interleave PoolPolicy = C.CXLM_POOL_INTERLEAVE // page by page on all of them in turn
)

// PoolConfig is what a pool is to be like.
type PoolConfig struct {
	Tier   Tier   // whose nodes it has, if there are no Nodes
	Nodes  []Node // its nodes
	Policy PoolPolicy
	Limit  uint64 // bytes; 0 or NoLimit: only its tier's limit holds
	Name   string // for reports, up to 31 bytes
}

// Pool has nodes, a limit and a policy of its own. Its blocks are in pages of
// their own. The finalizer destroys one that is unreachable, as its slices are.
type Pool struct {
	mutex sync.RWMutex
	pool  *C.cxlm_pool // nil after Destroy
}

// enter holds the pool until leave; false: it is destroyed. No pool needs none.
func (p *Pool) enter() bool {
	if p == nil {
		return true
	}
	p.mutex.RLock()
	if p.pool == nil {
		p.mutex.RUnlock()
		return false
	}
	return true
}

func (p *Pool) leave() {
	if p != nil {
		p.mutex.RUnlock()
	}
}

// NewPool makes a pool.
func NewPool(config PoolConfig) (*Pool, error) {
	attr := C.struct_cxlm_pool_attr{
		tier:   C.int(config.Tier),
		policy: C.int(config.Policy),
		limit:  C.uint64_t(config.Limit),
	}
	const width = 8 * unsafe.Sizeof(C.ulong(0))
	var bits [maxNode / width]C.ulong
	var nodes *C.ulong
	if len(config.Nodes) != 0 {
		for _, n := range config.Nodes {
			if n < 0 || n >= maxNode {
				return nil, invalid("cxlm_pool_create")
			}
			bits[uintptr(n)/width] |= 1 << (uintptr(n) % width)
		}
		nodes = &bits[0]
		attr.tier = C.CXLM_TIER_POLICY
		attr.maxnode = maxNode
	}
	if config.Name != "" {
		name := C.CString(config.Name)
		defer C.free(unsafe.Pointer(name))
		attr.name = name
	}
	p, err := C.pool_create(attr, nodes)
	if p == nil {
		return nil, failure("cxlm_pool_create", err)
	}
	pool := &Pool{pool: p}
	runtime.SetFinalizer(pool, (*Pool).finalize)
	return pool, nil
}

func (p *Pool) finalize() {
	_ = p.Destroy()
}

// Destroy ends the pool and all its blocks: nothing that Data of a slice of it
// returned may be used any more. The slices are as after Free. A second time it is
// harmless.
func (p *Pool) Destroy() error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.pool == nil {
		return nil
	}
	if r, err := C.cxlm_pool_destroy(p.pool); r != 0 {
		return failure("cxlm_pool_destroy", err)
	}
	p.pool = nil
	runtime.SetFinalizer(p, nil)
	return nil
}

// PoolStat is what a pool holds: bytes.
type PoolStat struct {
	Used  uint64 // committed now
	Limit uint64 // or NoLimit
	Peak  uint64 // the highest Used so far
	InUse uint64 // in pages that hold blocks
	Tier  Tier   // whose nodes; Policy: of several
	Name  string
}

// Stat returns what the pool holds.
func (p *Pool) Stat() (PoolStat, error) {
	var s C.struct_cxlm_pool_stat
	s.size = C.size_t(unsafe.Sizeof(s))
	if !p.enter() {
		return PoolStat{}, invalid("cxlm_pool_stat")
	}
	defer p.leave()
	if r, err := C.cxlm_pool_stat(p.pool, &s); r != 0 {
		return PoolStat{}, failure("cxlm_pool_stat", err)
	}
	return PoolStat{
		Used:  uint64(s.used),
		Limit: uint64(s.limit),
		Peak:  uint64(s.peak),
		InUse: uint64(s.in_use),
		Tier:  Tier(s.tier),
		Name:  C.GoString(&s.name[0]),
	}, nil
}

// SetLimit gives it another limit; one below what is used stops it from growing.
func (p *Pool) SetLimit(bytes uint64) error {
	if !p.enter() {
		return invalid("cxlm_pool_set_limit")
	}
	defer p.leave()
	if r, err := C.cxlm_pool_set_limit(p.pool, C.uint64_t(bytes)); r != 0 {
		return failure("cxlm_pool_set_limit", err)
	}
	return nil
}
