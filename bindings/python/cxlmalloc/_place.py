# SPDX-License-Identifier: BSD-2-Clause
"""Where memory is, as the kernel says, and putting it elsewhere."""

from __future__ import annotations

import ctypes
import errno
import mmap
from contextlib import contextmanager
from typing import Any, Dict, Iterator, Optional, Tuple, Union

from . import _handler
from ._lib import NAMES, STRICT, TIERS, TierName, fail, lib, tier_number

ADVICE = {"hot": 0, "cold": 1, "willneed": 2}
_STRIDED_READONLY = 0x18

# From this size on a block has its pages to itself.
_OWN_PAGES = 16384
_PAGE = mmap.PAGESIZE


class _Export(ctypes.Structure):
    """Py_buffer; its layout is part of the stable ABI."""

    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.py_object),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
        ("suboffsets", ctypes.POINTER(ctypes.c_ssize_t)),
        ("internal", ctypes.c_void_p),
    ]


def _bounds(
    start: int, itemsize: int, shape: Tuple[int, ...], strides: Tuple[int, ...]
) -> Tuple[int, int]:
    """First byte and length of what a strided array touches."""
    if 0 in shape:
        return start, 0
    low = high = start
    for count, stride in zip(shape, strides):
        if stride < 0:
            low += (count - 1) * stride
        else:
            high += (count - 1) * stride
    return low, high - low + itemsize


@contextmanager
def region(memory: Any) -> Iterator[Tuple[int, int]]:
    """Address and length of an array or a buffer, which stays while it is used."""
    # numpy's arrays of dates, say, are no buffers.
    array = getattr(memory, "__array_interface__", None)
    if array is not None and hasattr(memory, "strides"):
        yield _bounds(
            array["data"][0], memory.itemsize, tuple(memory.shape), memory.strides
        )
        return
    if hasattr(memory, "_exporter"):
        yield memory.address, memory.size
        return
    export = _Export()
    get = ctypes.pythonapi.PyObject_GetBuffer
    get.argtypes = [ctypes.py_object, ctypes.POINTER(_Export), ctypes.c_int]
    release = ctypes.pythonapi.PyBuffer_Release
    release.argtypes = [ctypes.POINTER(_Export)]
    release.restype = None
    get(memory, ctypes.byref(export), _STRIDED_READONLY)
    try:
        yield _bounds(
            export.buf or 0,
            export.itemsize,
            tuple(export.shape[i] for i in range(export.ndim)),
            tuple(export.strides[i] for i in range(export.ndim)),
        )
    finally:
        release(ctypes.byref(export))


def node_of(address: int) -> Optional[int]:
    node = int(lib.node_of(address))
    if node < 0:
        if ctypes.get_errno() == errno.ENOENT:
            return None
        fail("node")
    return node


def resident(address: int, size: int) -> Dict[int, int]:
    nr = lib.nr_nodes()
    if nr < 0:
        fail("nodes")
    counts = (ctypes.c_uint64 * nr)()
    if size and lib.resident(address, size, counts, nr) < 0:
        fail("residency")
    return {node: counts[node] for node in range(nr) if counts[node]}


def migrate_range(
    address: int,
    size: int,
    where: Union[TierName, int],
    strict: bool,
) -> int:
    if not size:
        return 0
    flags = STRICT if strict else 0
    if isinstance(where, int):
        moved = lib.migrate_node(address, size, where, flags)
    else:
        if where not in TIERS:
            raise ValueError(f"{where!r} is not a tier: 'ddr' or 'cxl'")
        moved = lib.migrate(address, size, tier_number(where), flags)
    if moved < 0:
        fail(f"migrate to {where}")
    return int(moved)


def migrate_block(
    address: int, size: int, where: Union[TierName, int], strict: bool
) -> int:
    """A whole block: also the pages at its ends, where no other has a part of them."""
    if size < _OWN_PAGES:
        return migrate_range(address, size, where, strict)
    first = address // _PAGE * _PAGE
    end = -(-(address + size) // _PAGE) * _PAGE
    return min(migrate_range(first, end - first, where, strict), size)


def _is_block(memory: Any) -> bool:
    """Whether an array's memory is its own, and freed by our handler."""
    if not getattr(getattr(memory, "flags", None), "owndata", False):
        return False
    return _handler.handler_name(memory).startswith("cxlmalloc")


def tier_of(memory: Any) -> Optional[str]:
    """The tier that an array's, a buffer's or an address's memory is of.

    None: another allocator's, or the process is not tiered. It tells which heap
    owns the address; :func:`residency` tells where the pages are.
    """
    if isinstance(memory, int):
        return NAMES.get(lib.tier_of(memory))
    with region(memory) as (address, _):
        return NAMES.get(lib.tier_of(address))


def node_of_memory(memory: Any) -> Optional[int]:
    """The node of its first page, or None while that was never touched."""
    if isinstance(memory, int):
        return node_of(memory)
    with region(memory) as (address, _):
        return node_of(address)


def residency(memory: Any) -> Dict[int, int]:
    """Bytes of an array or a buffer on each node, as the kernel says.

    The pages that it touches, whole; those that were never touched are on none.
    """
    with region(memory) as (address, size):
        return resident(address, size)


def migrate(memory: Any, where: Union[TierName, int], strict: bool = False) -> int:
    """Move the pages of an array or a buffer to a tier ("ddr") or a node (0).

    Addresses and contents stay. Only whole pages move: of a Buffer, or an array
    that a scope or cxlmalloc.numpy made, from 16 KiB on those are all. The bytes that are there
    now are returned. With ``strict``: all of them, or MemoryError.
    """
    if hasattr(memory, "_hold"):
        return int(memory.migrate(where, strict))
    with region(memory) as (address, size):
        if _is_block(memory):
            return migrate_block(address, size, where, strict)
        return migrate_range(address, size, where, strict)


def populate(memory: Any) -> None:
    """Have all pages of an array or a buffer now rather than at first touch."""
    with region(memory) as (address, size):
        if size and lib.populate(address, size):
            fail("populate")


def advise(memory: Any, advice: str) -> None:
    """How it will be used: "hot", "cold" or "willneed"."""
    if advice not in ADVICE:
        raise ValueError(f"{advice!r} is not one of {', '.join(ADVICE)}")
    with region(memory) as (address, size):
        if size and lib.advise(address, size, ADVICE[advice]):
            fail(f"advise {advice}")
