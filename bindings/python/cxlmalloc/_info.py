# SPDX-License-Identifier: BSD-2-Clause
"""Tiers, nodes, and what this process uses of them."""

from __future__ import annotations

import ctypes
import errno
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from . import _lib
from ._lib import NAMES, NO_LIMIT, TIERS, fail, lib


class TierStat(NamedTuple):
    """Bytes this process has of a tier (``cxlm_tier_stat``)."""

    used: int
    limit: Optional[int]
    peak: int
    over: int
    over_peak: int
    mapped: int


class TierInfo(NamedTuple):
    """All that is known of a tier; latency in ns, bandwidth in MB/s, None: unknown."""

    name: str
    binding: str
    nodes: Tuple[int, ...]
    total: int
    free: int
    used: int
    in_use: int
    limit: Optional[int]
    available: int
    resident: int
    misplaced: int
    read_latency: Optional[int]
    write_latency: Optional[int]
    read_bandwidth: Optional[int]
    write_bandwidth: Optional[int]


class NodeInfo(NamedTuple):
    node: int
    tier: Optional[str]
    total: int
    free: int
    resident: int
    read_latency: Optional[int]
    write_latency: Optional[int]
    read_bandwidth: Optional[int]
    write_bandwidth: Optional[int]


def version() -> str:
    """Of the C library, and of the jemalloc built into it."""
    return str(lib.version().decode())


def _limit(value: int) -> Optional[int]:
    return None if value == NO_LIMIT else value


def stats() -> Dict[str, TierStat]:
    """What each tier holds now, by its name."""
    result = {}
    for name, number in TIERS.items():
        stat = _lib.sized(_lib.TierStat)
        if lib.tier_stat(number, ctypes.byref(stat)):
            fail(f"tier {name}")
        result[name] = TierStat(
            stat.used,
            _limit(stat.limit),
            stat.peak,
            stat.over,
            stat.over_peak,
            stat.mapped,
        )
    return result


def _bits(words: Any) -> Tuple[int, ...]:
    width = 8 * ctypes.sizeof(ctypes.c_ulong)
    return tuple(
        width * i + bit
        for i, word in enumerate(words)
        for bit in range(width)
        if word >> bit & 1
    )


def tiers() -> Dict[str, TierInfo]:
    """The tiers: nodes, size, use, speed."""
    result = {}
    for name, number in TIERS.items():
        info = _lib.sized(_lib.TierInfo)
        if lib.tier_info(number, ctypes.byref(info)):
            fail(f"tier {name}")
        result[name] = TierInfo(
            info.name.decode(),
            info.binding.decode(),
            _bits(info.nodes),
            info.total,
            info.free,
            info.used,
            info.in_use,
            _limit(info.limit),
            info.available,
            info.resident,
            info.misplaced,
            info.read_latency or None,
            info.write_latency or None,
            info.read_bandwidth or None,
            info.write_bandwidth or None,
        )
    return result


def nodes() -> List[NodeInfo]:
    """The nodes that have memory."""
    result = []
    nr = lib.nr_nodes()
    if nr < 0:
        fail("nodes")
    for node in range(nr):
        info = _lib.sized(_lib.NodeInfo)
        if lib.node_info(node, ctypes.byref(info)):
            if ctypes.get_errno() == errno.ENODEV:
                continue
            fail(f"node {node}")
        result.append(
            NodeInfo(
                info.node,
                NAMES.get(info.tier),
                info.total,
                info.free,
                info.resident,
                info.read_latency or None,
                info.write_latency or None,
                info.read_bandwidth or None,
                info.write_bandwidth or None,
            )
        )
    return result


def preloaded() -> bool:
    """Whether malloc is libcxlmalloc's in this process, and tiered."""
    malloc = ctypes.CDLL(None).malloc
    malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    free = ctypes.CDLL(None).free
    free.restype, free.argtypes = None, [ctypes.c_void_p]
    block = malloc(64)
    tier = lib.tier_of(block)
    free(block)
    return bool(tier >= 0)
