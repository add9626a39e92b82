# SPDX-License-Identifier: BSD-2-Clause
"""The C library: found once, its functions bound when first called."""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Any, Callable, Dict, List, NoReturn, Optional, Sequence, Tuple, Union

TIERS = {"ddr": 0, "cxl": 1}
NAMES = {number: name for name, number in TIERS.items()}
POLICY = -1
STRICT = 2
NO_LIMIT = 2**64 - 1

TierName = Union[str, int]


class TierStat(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t)] + [
        (name, ctypes.c_uint64)
        for name in ("used", "limit", "peak", "over", "over_peak", "mapped")
    ]


class TierInfo(ctypes.Structure):
    _fields_ = (
        [
            ("size", ctypes.c_size_t),
            ("name", ctypes.c_char * 16),
            ("binding", ctypes.c_char * 16),
            ("nodes", ctypes.c_ulong * 16),
        ]
        + [
            (name, ctypes.c_uint64)
            for name in ("total", "free", "used", "in_use", "limit")
            + ("available", "resident", "misplaced")
        ]
        + [
            (name, ctypes.c_uint32)
            for name in ("read_latency", "write_latency")
            + ("read_bandwidth", "write_bandwidth")
        ]
    )


class NodeInfo(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("node", ctypes.c_int),
        ("tier", ctypes.c_int),
        ("total", ctypes.c_uint64),
        ("free", ctypes.c_uint64),
        ("resident", ctypes.c_uint64),
        ("read_latency", ctypes.c_uint32),
        ("write_latency", ctypes.c_uint32),
        ("read_bandwidth", ctypes.c_uint32),
        ("write_bandwidth", ctypes.c_uint32),
    ]


class PoolAttr(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("tier", ctypes.c_int),
        ("policy", ctypes.c_int),
        ("nodes", ctypes.POINTER(ctypes.c_ulong)),
        ("maxnode", ctypes.c_ulong),
        ("limit", ctypes.c_uint64),
        ("name", ctypes.c_char_p),
    ]


class PoolStat(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("used", ctypes.c_uint64),
        ("limit", ctypes.c_uint64),
        ("peak", ctypes.c_uint64),
        ("in_use", ctypes.c_uint64),
        ("tier", ctypes.c_int),
        ("policy", ctypes.c_int),
        ("name", ctypes.c_char * 32),
    ]


class CtlInfo(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("name", ctypes.c_char * 64),
        ("type", ctypes.c_int),
        ("writable", ctypes.c_int),
    ]


_p, _int, _size = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t
_ulong, _u64, _str = ctypes.c_ulong, ctypes.c_uint64, ctypes.c_char_p
_nodes = ctypes.POINTER(ctypes.c_ulong)

# name: result, arguments, as in include/cxlmalloc.h
_PROTOTYPES: Dict[str, Tuple[Any, List[Any]]] = {
    "version": (_str, []),
    "tier_of": (_int, [_p]),
    "tier_stat": (_int, [_int, ctypes.POINTER(TierStat)]),
    "malloc": (_p, [_int, _size, _int]),
    "calloc": (_p, [_int, _size, _size, _int]),
    "realloc": (_p, [_p, _size]),
    "realloc_to": (_p, [_p, _int, _size, _int]),
    "free": (None, [_p]),
    "usable_size": (_size, [_p]),
    "pool_create": (_p, [ctypes.POINTER(PoolAttr)]),
    "pool_destroy": (_int, [_p]),
    "pool_malloc": (_p, [_p, _size]),
    "pool_calloc": (_p, [_p, _size, _size]),
    "pool_of": (_p, [_p]),
    "pool_stat": (_int, [_p, ctypes.POINTER(PoolStat)]),
    "pool_set_limit": (_int, [_p, _u64]),
    "node_pool": (_p, [_nodes, _ulong, _int]),
    "node_of": (_int, [_p]),
    "resident": (ctypes.c_int64, [_p, _size, ctypes.POINTER(_u64), ctypes.c_uint]),
    "migrate": (ctypes.c_int64, [_p, _size, _int, _int]),
    "migrate_node": (ctypes.c_int64, [_p, _size, _int, _int]),
    "move": (_p, [_p, _int, _int]),
    "populate": (_int, [_p, _size]),
    "advise": (_int, [_p, _size, _int]),
    "push": (_int, [_int]),
    "pop": (_int, []),
    "hint": (_int, [_str, _int]),
    "tier_info": (_int, [_int, ctypes.POINTER(TierInfo)]),
    "nr_nodes": (_int, []),
    "node_info": (_int, [_int, ctypes.POINTER(NodeInfo)]),
    "events_open": (_int, []),
    "events_read": (_int, [_int]),
    "events_close": (_int, [_int]),
    "ctl": (_int, [_str, _p, ctypes.POINTER(_size), _p, _size]),
    "ctl_name": (_int, [ctypes.c_uint, ctypes.POINTER(CtlInfo)]),
}


def fail(what: str, number: Optional[int] = None) -> NoReturn:
    """Raise what an errno is in Python."""
    number = ctypes.get_errno() if number is None else number
    if number == errno.ENOMEM:
        raise MemoryError(f"{what}: {os.strerror(number)}")
    if number == errno.EINVAL:
        raise ValueError(f"{what}: {os.strerror(number)}")
    raise OSError(number, os.strerror(number), what)


def _candidates() -> List[str]:
    here = os.path.dirname(os.path.abspath(__file__))
    named = os.environ.get("LIBCXLMEM")
    if named:
        return [named]
    return [os.path.join(here, "libcxlmem.so.0"), "libcxlmem.so.0"]


def _find() -> Tuple[ctypes.CDLL, str]:
    # A preloaded libcxlmalloc.so has them, and so has a program that links
    # libcxlmem: another copy of the heap would be of no use.
    process = ctypes.CDLL(None, use_errno=True)
    if hasattr(process, "cxlm_malloc"):
        return process, "the process"
    tried = []
    for path in _candidates():
        try:
            found = ctypes.CDLL(path, use_errno=True)
        except OSError as error:
            tried.append(str(error))
            continue
        if hasattr(found, "cxlm_malloc"):
            return found, path
        tried.append(f"{path}: has no cxlm_malloc")
    raise ImportError(
        "cxlmalloc: libcxlmem.so.0 was not found: install libcxlmalloc, or name it "
        "in LIBCXLMEM, or preload libcxlmalloc.so (" + "; ".join(tried) + ")"
    )


class _Library:
    """cxlm_NAME as an attribute NAME, with its prototype."""

    def __init__(self) -> None:
        self._dll, self.path = _find()

    def _function(self, name: str) -> Any:
        try:
            return getattr(self._dll, "cxlm_" + name)
        except AttributeError:
            raise OSError(
                errno.ENOSYS, f"cxlm_{name} is not in {self.path}: it is older"
            ) from None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in _PROTOTYPES:
            raise AttributeError(name)
        function = self._function(name)
        function.restype, function.argtypes = _PROTOTYPES[name]
        setattr(self, name, function)
        return function  # type: ignore[no-any-return]

    def address(self, name: str) -> int:
        """0: it is not there."""
        try:
            function = self._function(name)
        except OSError:
            return 0
        return ctypes.cast(function, ctypes.c_void_p).value or 0


lib = _Library()


def tier_number(tier: TierName) -> int:
    """A tier's number; "policy" is one, too."""
    if isinstance(tier, str):
        if tier == "policy":
            return POLICY
        if tier in TIERS:
            return TIERS[tier]
    elif isinstance(tier, int) and tier in (POLICY, *NAMES):
        return tier
    raise ValueError(f"{tier!r} is not a tier: 'ddr', 'cxl' or 'policy'")


def node_mask(nodes: Sequence[int]) -> Tuple[Any, int]:
    """As mbind(2) takes it: an array of longs, and the bits in it."""
    bits = 8 * ctypes.sizeof(ctypes.c_ulong)
    if not nodes or min(nodes) < 0:
        raise ValueError(f"{list(nodes)!r} are not nodes")
    mask = (ctypes.c_ulong * (max(nodes) // bits + 1))()
    for node in nodes:
        mask[node // bits] |= 1 << node % bits
    return mask, bits * len(mask)


def sized(structure: Any) -> Any:
    """A new one of that type that says its size, as the library wants it."""
    made = structure()
    made.size = ctypes.sizeof(structure)
    return made
