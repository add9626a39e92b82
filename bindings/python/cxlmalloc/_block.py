# SPDX-License-Identifier: BSD-2-Clause
"""Block, from the extension or, where it was not built, in Python.

The one in Python exports a ctypes array. Before Python 3.12 (PEP 688) a class
cannot be a buffer itself: ``view()`` is, with either.
"""

from __future__ import annotations

import ctypes
import sys
import weakref
from typing import TYPE_CHECKING, Any

from ._lib import lib

native: Any = None
reason = ""

try:
    from . import _native
except ImportError as _error:
    try:
        # Written by setup.py.
        from . import _reason  # type: ignore[attr-defined]

        reason = _reason.reason
    except ImportError:
        reason = str(_error)
else:
    native = _native
    native.bind(
        lib.address("malloc"),
        lib.address("calloc"),
        lib.address("realloc"),
        lib.address("realloc_to"),
        lib.address("free"),
        lib.address("pool_malloc"),
        lib.address("pool_calloc"),
    )


def _free(address: int, owner: Any) -> None:
    lib.free(address)


class PlainBlock:
    """The memory is its exporter's: exports refer to that, and it ends with them."""

    def __init__(self) -> None:
        self._exporter: Any = None
        self._finalizer: Any = None
        self._owner: Any = None
        self._held = False
        self.address, self.size = 0, 0

    def _hold(self) -> None:
        exporter = self._exporter
        # Ours, this one, and getrefcount's argument.
        if self._held or exporter is not None and sys.getrefcount(exporter) > 3:
            raise BufferError(
                "existing exports: the buffer cannot be resized, moved or released"
            )
        self._held = True
        if self._finalizer:
            self._finalizer.detach()

    def _attach(self, address: int, size: int, owner: Any) -> None:
        self._exporter = self._finalizer = None
        self._held = False
        self.address, self.size, self._owner = address, size, owner
        if address:
            self._exporter = (ctypes.c_ubyte * size).from_address(address)
            self._finalizer = weakref.finalize(self._exporter, _free, address, owner)
            self._finalizer.atexit = False

    def __buffer__(self, flags: int) -> memoryview:
        if self._held:
            raise BufferError("the buffer is being resized or moved")
        if self._exporter is None:
            raise BufferError("the buffer was released")
        return memoryview(self._exporter).cast("B")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        import numpy

        array = numpy.frombuffer(self.__buffer__(0), numpy.uint8)
        return array if dtype is None else array.astype(dtype)


if TYPE_CHECKING:
    from ._native import Block as Block
elif native:
    Block = native.Block
else:
    Block = PlainBlock
