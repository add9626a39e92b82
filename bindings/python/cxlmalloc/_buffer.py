# SPDX-License-Identifier: BSD-2-Clause
"""Buffer: bytes on a tier."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Dict, Optional, Sequence, Tuple, Union

from . import _place, _scope
from ._block import Block
from ._lib import NAMES, STRICT, TierName, fail, lib, node_mask, tier_number

if TYPE_CHECKING:
    from ._pool import Pool


def _node_pool(node: Union[int, Sequence[int]], strict: bool) -> int:
    mask, bits = node_mask([node] if isinstance(node, int) else node)
    pool = lib.node_pool(mask, bits, STRICT if strict else 0)
    if not pool:
        fail(f"node {node}")
    return int(pool)


class Buffer(Block):
    """``size`` zero bytes of a tier, of a node or of a pool.

    ``tier`` is "ddr", "cxl" or "policy" (where malloc would put them); by
    default it is that of the scope around (:class:`cxlmalloc.tier`), and CXL
    where there is none. ``node`` is one or several of one tier. With ``strict``
    there or nowhere: MemoryError.

    It is a writable buffer: ``memoryview(b)``, ``numpy.frombuffer(b)``,
    ``file.readinto(b)``. The memory is freed when neither the object nor an
    export of it is left; while there is an export, ``resize``, ``move`` and
    ``release`` are refused with BufferError, as bytearray does it.
    """

    def __init__(
        self,
        size: int,
        tier: Optional[TierName] = None,
        strict: bool = False,
        *,
        node: Union[int, Sequence[int], None] = None,
        pool: Optional[Pool] = None,
    ) -> None:
        super().__init__()
        self._hold()
        if size < 0:
            raise ValueError(f"a size of {size}")
        if sum(choice is not None for choice in (tier, node, pool)) > 1:
            raise ValueError("tier, node and pool: only one of them")
        if tier is None and node is None and pool is None:
            scope = _scope.current()
            tier = scope.number if scope else "cxl"
            pool = scope.pool if scope else None
        if pool is not None:
            address = lib.pool_calloc(pool._address(), 1, size)
        elif node is not None:
            address = lib.pool_calloc(_node_pool(node, strict), 1, size)
        else:
            assert tier is not None
            flags = STRICT if strict else 0
            address = lib.calloc(tier_number(tier), 1, size, flags)
        if not address:
            fail(f"{size} bytes")
        self._attach(address, size, pool)

    @property
    def nbytes(self) -> int:
        return self.size

    @property
    def tier(self) -> Optional[str]:
        """The tier it was allocated from."""
        return NAMES.get(lib.tier_of(self.address))

    @property
    def node(self) -> Optional[int]:
        """The node of its first page; None while that was never touched."""
        return _place.node_of(self.address)

    def nodes(self) -> Dict[int, int]:
        """Bytes on each node, as the kernel says."""
        return _place.resident(self.address, self.size)

    def view(self) -> memoryview:
        """A writable memoryview of bytes."""
        if hasattr(self, "__buffer__"):
            return self.__buffer__(0)  # type: ignore[no-any-return]
        return memoryview(self)  # type: ignore[arg-type]

    def migrate(self, where: Union[TierName, int], strict: bool = False) -> int:
        """Move its pages to a tier ("ddr") or a node (0); exports stay valid.

        Returns the bytes that are there now. With ``strict`` MemoryError if
        not all of them are.
        """
        return _place.migrate_block(self.address, self.size, where, strict)

    def move(self, tier: TierName, strict: bool = False) -> None:
        """Move it to a tier for good, and to another address."""
        number = tier_number(tier)
        self._change(
            f"move to {tier}",
            self.size,
            lambda: lib.move(self.address, number, STRICT if strict else 0),
        )

    def resize(self, size: int) -> None:
        """Another size, on the same tier, node or pool; new bytes are zero."""
        if size < 0:
            raise ValueError(f"a size of {size}")
        old = self.size
        # A size of 0 would free it.
        self._change(
            f"{size} bytes", size, lambda: lib.realloc(self.address, max(size, 1))
        )
        if size > old:
            ctypes.memset(self.address + old, 0, size - old)

    def _change(self, what: str, size: int, change: Any) -> None:
        if not self.address:
            raise ValueError("the buffer was released")
        old = self.address, self.size, self._owner
        self._hold()
        try:
            address = change()
            if not address:
                fail(what)
        except BaseException:
            self._attach(*old)
            raise
        owner = old[2]
        if owner is not None and lib.pool_of(address) != owner._address():
            owner = None
        self._attach(address, size, owner)

    def populate(self) -> None:
        """Have all its pages now rather than at first touch."""
        if lib.populate(self.address, self.size):
            fail("populate")

    def release(self) -> None:
        """Free it now; every later use is an error."""
        if self.address:
            self._hold()
            address = self.address
            owner = self._owner
            self._attach(0, 0, None)
            lib.free(address)
            del owner

    def __enter__(self) -> Buffer:
        return self

    def __exit__(self, *_: Any) -> None:
        self.release()

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, key: Any) -> Any:
        with self.view() as view:
            return bytes(view[key]) if isinstance(key, slice) else view[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        with self.view() as view:
            view[key] = value

    def __bytes__(self) -> bytes:
        with self.view() as view:
            return bytes(view)

    def __reduce__(self) -> Tuple[Any, ...]:
        return _rebuild, (bytes(self), self.tier)

    def __repr__(self) -> str:
        if not self.address:
            return "<cxlmalloc.Buffer, released>"
        return f"<cxlmalloc.Buffer of {self.size} bytes on {self.tier or 'malloc'}>"


def _rebuild(contents: bytes, tier: Optional[str]) -> Buffer:
    made = Buffer(len(contents), tier or "policy")
    made[:] = contents
    return made
