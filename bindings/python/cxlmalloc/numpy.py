# SPDX-License-Identifier: BSD-2-Clause
"""numpy's makers of arrays, on a tier: ``empty``, ``zeros``, ``array`` and others.

Each takes numpy's arguments, and ``tier``, ``strict`` and ``pool`` as Buffer
does. Where the C extension was not built the data is that of a Buffer.
"""

from __future__ import annotations

import ctypes
import errno
from typing import TYPE_CHECKING, Any, Callable, Optional

import numpy as np

from . import _handler, _place, _scope
from ._buffer import Buffer
from ._lib import STRICT, TierName, fail, lib

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from ._pool import Pool

advise = _place.advise
migrate = _place.migrate
node_of = _place.node_of_memory
populate = _place.populate
residency = _place.residency
tier_of = _place.tier_of


def _made(
    maker: Callable[[], NDArray[Any]],
    tier: Optional[TierName],
    strict: bool,
    pool: Optional[Pool],
    blank: bool = False,
) -> NDArray[Any]:
    """blank: zeros, or whatever is there."""
    if tier is not None and pool is not None:
        raise ValueError("tier and pool: only one of them")
    scope: _scope.Scope
    if pool is not None:
        scope = pool.scope()
    elif tier is not None:
        scope = _scope.tier(tier, strict=strict)
    else:
        outer = _scope.current()
        if outer and outer.pool is not None:
            scope = outer
        else:
            scope = _scope.tier(outer.number if outer else "cxl", strict=strict)
    if not _handler.usable():
        return _in_buffer(maker(), scope, blank)
    # The data alone: what numpy needs besides is malloc's as ever.
    scope._enter(False)
    try:
        return maker()
    except MemoryError:
        _explain(scope)
        raise
    finally:
        scope.__exit__()


def _explain(scope: _scope.Scope) -> None:
    """numpy has one error for all; a process without that tier is another one."""
    if scope.pool is None and scope.flags & STRICT:
        block = lib.malloc(scope.number, 1, STRICT)
        if block:
            lib.free(block)
        elif ctypes.get_errno() != errno.ENOMEM:
            fail("array")


def _in_buffer(
    made: NDArray[Any], scope: _scope.Scope, blank: bool
) -> NDArray[Any]:
    if made.dtype.hasobject:
        raise TypeError("arrays of objects need the C extension")
    strict = bool(scope.flags & STRICT)
    if scope.pool is not None:
        memory = Buffer(max(made.nbytes, 1), pool=scope.pool)
    else:
        memory = Buffer(max(made.nbytes, 1), scope.number, strict)
    order: Any = "F" if made.flags.fnc else "C"
    result: NDArray[Any] = np.ndarray(made.shape, made.dtype, memory.view(), order=order)
    if not blank:
        result[...] = made
    return result


def empty(
    shape: Any,
    dtype: DTypeLike = float,
    order: Any = "C",
    *,
    tier: Optional[TierName] = None,
    strict: bool = False,
    pool: Optional[Pool] = None,
) -> NDArray[Any]:
    return _made(lambda: np.empty(shape, dtype, order), tier, strict, pool, True)


def zeros(
    shape: Any,
    dtype: DTypeLike = float,
    order: Any = "C",
    *,
    tier: Optional[TierName] = None,
    strict: bool = False,
    pool: Optional[Pool] = None,
) -> NDArray[Any]:
    """As numpy's: pages come when they are touched."""
    return _made(lambda: np.zeros(shape, dtype, order), tier, strict, pool, True)


def ones(
    shape: Any,
    dtype: DTypeLike = float,
    order: Any = "C",
    *,
    tier: Optional[TierName] = None,
    strict: bool = False,
    pool: Optional[Pool] = None,
) -> NDArray[Any]:
    return _made(lambda: np.ones(shape, dtype, order), tier, strict, pool)


def full(
    shape: Any,
    fill_value: Any,
    dtype: DTypeLike = None,
    order: Any = "C",
    *,
    tier: Optional[TierName] = None,
    strict: bool = False,
    pool: Optional[Pool] = None,
) -> NDArray[Any]:
    return _made(
        lambda: np.full(shape, fill_value, dtype, order), tier, strict, pool
    )


def array(
    data: ArrayLike,
    dtype: DTypeLike = None,
    order: Any = "K",
    *,
    tier: Optional[TierName] = None,
    strict: bool = False,
    pool: Optional[Pool] = None,
) -> NDArray[Any]:
    """A copy, always: also of an array that is on another tier."""
    return _made(
        lambda: np.array(data, dtype, copy=True, order=order), tier, strict, pool
    )


def empty_like(
    prototype: ArrayLike,
    dtype: DTypeLike = None,
    order: Any = "K",
    *,
    tier: Optional[TierName] = None,
    strict: bool = False,
    pool: Optional[Pool] = None,
) -> NDArray[Any]:
    return _made(
        lambda: np.empty_like(prototype, dtype, order, False),
        tier,
        strict,
        pool,
        True,
    )


def zeros_like(
    prototype: ArrayLike,
    dtype: DTypeLike = None,
    order: Any = "K",
    *,
    tier: Optional[TierName] = None,
    strict: bool = False,
    pool: Optional[Pool] = None,
) -> NDArray[Any]:
    return _made(
        lambda: np.zeros_like(prototype, dtype, order, False),
        tier,
        strict,
        pool,
        True,
    )


def arange(
    *args: Any,
    tier: Optional[TierName] = None,
    strict: bool = False,
    pool: Optional[Pool] = None,
    **kwargs: Any,
) -> NDArray[Any]:
    return _made(lambda: np.arange(*args, **kwargs), tier, strict, pool)


def handler_name() -> str:
    """The handler of arrays made now: "cxlmalloc cxl" in a scope."""
    return _handler.handler_name()


def why_not() -> str:
    """Why numpy's own functions cannot follow a scope here; empty if they can."""
    return _handler.why_not()


__all__ = [
    name
    for name in (
        "advise arange array empty empty_like full handler_name migrate node_of "
        "ones populate residency tier_of why_not zeros zeros_like"
    ).split()
]
