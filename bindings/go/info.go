// SPDX-License-Identifier: BSD-2-Clause

package cxlmalloc

/*
#include <cxlmalloc.h>
*/
import "C"

import "unsafe"

// TierInfo is what there was of a tier when it was asked for. Bytes; "system" is
// everybody's, "process" this one's. Latency and bandwidth are the kernel's word;
// 0: it does not know them.
type TierInfo struct {
	Tier    Tier
	Name    string // "ddr", "cxl"
	Binding string // "strict", "preferred", "emulated", ...: cxlctl-stat(1)
	Nodes   []Node // that it uses now

	Total, Free uint64 // system: of those nodes

	Used      uint64 // process: committed
	InUse     uint64 // process: in blocks
	Limit     uint64 // process: or NoLimit
	Available uint64 // process: what it may still take
	Resident  uint64 // process: bytes of its heap's pages there
	Misplaced uint64 // process: bytes of its pages elsewhere

	ReadLatency, WriteLatency     uint32 // ns, of the nearest node
	ReadBandwidth, WriteBandwidth uint32 // MB/s, the sum of its nodes
}

// Info returns what there is of a tier now.
func Info(tier Tier) (TierInfo, error) {
	var i C.struct_cxlm_tier_info
	i.size = C.size_t(unsafe.Sizeof(i))
	if r, err := C.cxlm_tier_info(C.int(tier), &i); r != 0 {
		return TierInfo{}, failure("cxlm_tier_info", err)
	}
	info := TierInfo{
		Tier:           tier,
		Name:           C.GoString(&i.name[0]),
		Binding:        C.GoString(&i.binding[0]),
		Total:          uint64(i.total),
		Free:           uint64(i.free),
		Used:           uint64(i.used),
		InUse:          uint64(i.in_use),
		Limit:          uint64(i.limit),
		Available:      uint64(i.available),
		Resident:       uint64(i.resident),
		Misplaced:      uint64(i.misplaced),
		ReadLatency:    uint32(i.read_latency),
		WriteLatency:   uint32(i.write_latency),
		ReadBandwidth:  uint32(i.read_bandwidth),
		WriteBandwidth: uint32(i.write_bandwidth),
	}
	const width = 8 * unsafe.Sizeof(C.ulong(0))
	for n := uintptr(0); n < width*uintptr(len(i.nodes)); n++ {
		if i.nodes[n/width]>>(n%width)&1 != 0 {
			info.Nodes = append(info.Nodes, Node(n))
		}
	}
	return info, nil
}

// NodeInfo is what there was of a node when it was asked for; units as in TierInfo.
type NodeInfo struct {
	Node                          Node
	Tier                          Tier // Policy: in none
	Total, Free                   uint64
	Resident                      uint64
	ReadLatency, WriteLatency     uint32
	ReadBandwidth, WriteBandwidth uint32
}

// Info returns what there is of a node now; ENODEV: there is none, or it has no
// memory.
func (n Node) Info() (NodeInfo, error) {
	var i C.struct_cxlm_node_info
	i.size = C.size_t(unsafe.Sizeof(i))
	if r, err := C.cxlm_node_info(C.int(n), &i); r != 0 {
		return NodeInfo{}, failure("cxlm_node_info", err)
	}
	return NodeInfo{
		Node:           n,
		Tier:           Tier(i.tier),
		Total:          uint64(i.total),
		Free:           uint64(i.free),
		Resident:       uint64(i.resident),
		ReadLatency:    uint32(i.read_latency),
		WriteLatency:   uint32(i.write_latency),
		ReadBandwidth:  uint32(i.read_bandwidth),
		WriteBandwidth: uint32(i.write_bandwidth),
	}, nil
}

// Nodes returns the nodes that have memory.
func Nodes() []Node {
	var nodes []Node
	for n := Node(0); n < Node(C.cxlm_nr_nodes()); n++ {
		if _, err := n.Info(); err == nil {
			nodes = append(nodes, n)
		}
	}
	return nodes
}
