# SPDX-License-Identifier: BSD-2-Clause
"""SMDK's py_smalloc on cxlmalloc.

SMDK copies the bytes of a Python object's header and casts them back: without a
reference to what it refers to. Here an object is kept twice: pickled, in a
Buffer of the memory type, and as a copy that was made from it in a scope of that
type, so that under libcxlmalloc.so (with PYTHONMALLOC=malloc) it lies there, too.
``data`` is that copy, and changes to it stay; ``resize`` and ``set`` with another
type move it along. Objects that pickle refuses are refused.
"""

from __future__ import annotations

import pickle
import sys
from typing import Any, List, Optional, Sequence

import cxlmalloc
from cxlmalloc import Buffer, Pool

SMDK_MEM_NORMAL = 0
SMDK_MEM_EXMEM = 1

_NAMES = {SMDK_MEM_NORMAL: "ddr", SMDK_MEM_EXMEM: "cxl"}
_UNITS = {"B": 1, "K": 2**10, "M": 2**20, "G": 2**30}

_interleaved: Optional[Pool] = None


def _name(mem_type: int) -> str:
    if mem_type not in _NAMES:
        raise ValueError(f"{mem_type!r} is not SMDK_MEM_NORMAL or SMDK_MEM_EXMEM")
    return _NAMES[mem_type]


def _node_list(nodes: str) -> List[int]:
    """ "0,2-3" as numbers."""
    result: List[int] = []
    for part in nodes.split(","):
        first, _, last = part.partition("-")
        result.extend(range(int(first), int(last or first) + 1))
    return result


class _Object:
    """What both kinds of objects do."""

    def __init__(self, mem_type: int, data: Any, size: Optional[int]) -> None:
        _name(mem_type)
        if data is None and size is None:
            raise ValueError("at least one of data and size")
        if size is not None and size < 0:
            raise ValueError(f"a size of {size}")
        self.mem_type = mem_type
        self.size = size or 0
        self.buf: Optional[Buffer] = None
        if data is None:
            self.buf = self._buffer(self.size)
        else:
            self.size = max(self.size, sys.getsizeof(data))
            self._put(data)

    def _buffer(self, size: int) -> Buffer:
        raise NotImplementedError

    def _put(self, data: Any) -> None:
        """Keep it, in a larger buffer if there has to be one."""
        pickled = pickle.dumps(data, pickle.HIGHEST_PROTOCOL)
        size = max(self.size, len(pickled))
        buf = self.buf
        if buf is None or size > len(buf):
            buf = self._buffer(size)
        buf[: len(pickled)] = pickled
        self.buf, self.size = buf, size
        with cxlmalloc.tier(_name(self.mem_type)), buf.view() as view:
            self.data = pickle.loads(view[: len(pickled)])

    def get(self) -> Any:
        return self.data

    def _again(self, size: int) -> None:
        """Another buffer, and what is kept in it."""
        if size < 0:
            raise ValueError(f"a size of {size}")
        self.size = size
        self.buf = self._buffer(size)
        if hasattr(self, "data"):
            self._put(self.data)

    def free(self) -> None:
        """May be called again."""
        self.buf = None
        self.__dict__.pop("data", None)


class mem_obj(_Object):
    """A Python object, or room for one, in memory of a type."""

    def __init__(
        self, mem_type: int, data: Any = None, size: Optional[int] = None
    ) -> None:
        super().__init__(mem_type, data, size)

    def _buffer(self, size: int) -> Buffer:
        if _interleaved is not None:
            return Buffer(size, pool=_interleaved)
        return Buffer(size, _name(self.mem_type))

    def set(self, data: Any, mem_type: Optional[int] = None) -> None:
        if data is None:
            return
        if mem_type is not None and mem_type != self.mem_type:
            _name(mem_type)
            self.mem_type, self.buf = mem_type, None
        self.size = max(self.size, sys.getsizeof(data))
        self._put(data)

    def resize(self, mem_type: int, size: int) -> None:
        _name(mem_type)
        self.mem_type = mem_type
        self._again(size)


class mem_obj_node(_Object):
    """The same on nodes: "0", "0,2-3"."""

    def __init__(
        self,
        mem_type: int,
        node: str,
        data: Any = None,
        size: Optional[int] = None,
    ) -> None:
        self.node = node
        super().__init__(mem_type, data, size)

    def _buffer(self, size: int) -> Buffer:
        return Buffer(size, node=_node_list(self.node))

    def set(self, data: Any) -> None:
        if data is not None:
            self.size = max(self.size, sys.getsizeof(data))
            self._put(data)

    def resize(self, size: int) -> None:
        self._again(size)


def _table(rows: Sequence[Sequence[Any]], unit: str) -> None:
    if unit.upper() not in _UNITS:
        raise ValueError(f"{unit!r} is not one of {', '.join(_UNITS)}")
    divisor = _UNITS[unit.upper()]
    for name, *numbers in rows:
        cells = (
            f"{'none' if n is None else format(n / divisor, '.1f'):>14}"
            if not isinstance(n, str)
            else f"{n:>14}"
            for n in numbers
        )
        print(f"{name:<8}" + "".join(cells))


def s_stats_print(unit: str) -> None:
    """What the process has of each type, in "B", "K", "M" or "G"."""
    rows: List[Any] = [("", "total", "used", "available", f"[{unit}]")]
    for name, tier in cxlmalloc.tiers().items():
        rows.append((name, tier.total, tier.in_use, tier.available))
    _table(rows, unit)


def s_stats_node_print(unit: str) -> None:
    """The same by node."""
    rows: List[Any] = [("", "total", "available", "resident", f"[{unit}]")]
    for node in cxlmalloc.nodes():
        rows.append((f"node {node.node}", node.total, node.free, node.resident))
    _table(rows, unit)


def get_memsize_total(smdk_memtype: int) -> int:
    return cxlmalloc.tiers()[_name(smdk_memtype)].total


def get_memsize_used(smdk_memtype: int) -> int:
    return cxlmalloc.tiers()[_name(smdk_memtype)].in_use


def get_memsize_available(smdk_memtype: int) -> int:
    return cxlmalloc.tiers()[_name(smdk_memtype)].available


def _node(mem_type: int, number: int) -> Optional[cxlmalloc.NodeInfo]:
    nodes = cxlmalloc.tiers()[_name(mem_type)].nodes
    for node in cxlmalloc.nodes():
        if node.node == number and number in nodes:
            return node
    return None


def get_memsize_node_total(smdk_memtype: int, node: int) -> int:
    """0: the type has no such node."""
    found = _node(smdk_memtype, node)
    return found.total if found else 0


def get_memsize_node_available(smdk_memtype: int, node: int) -> int:
    """0: the type has no such node."""
    found = _node(smdk_memtype, node)
    return found.free if found else 0


def enable_node_interleave(nodes: str) -> None:
    """From here on mem_obj's memory is shared out over those of the nodes there are."""
    global _interleaved
    there = {node.node for node in cxlmalloc.nodes()}
    wanted = [node for node in _node_list(nodes) if node in there]
    if wanted:
        _interleaved = Pool(nodes=wanted, policy="interleave", name="py_smdk")


def disable_node_interleave() -> None:
    global _interleaved
    _interleaved = None
