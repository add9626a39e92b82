# SPDX-License-Identifier: BSD-2-Clause
"""Pools of the program's own: nodes, a limit, a policy."""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple, Optional, Sequence, Union

from . import _lib, _scope
from ._buffer import Buffer
from ._lib import NAMES, NO_LIMIT, POLICY, TierName, fail, lib, node_mask, tier_number

_POLICIES = ("bind", "preferred", "interleave")


class PoolStat(NamedTuple):
    used: int
    limit: Optional[int]
    peak: int
    in_use: int
    tier: Optional[str]
    policy: str
    name: str


class _PoolScope(_scope.Scope):
    """malloc cannot be sent to a pool: arrays and buffers alone."""

    malloc = False

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._capsule: Any = None

    def _handler(self) -> Any:
        if self._capsule is None:
            self._capsule = super()._handler()
        return self._capsule

    async def _run(self, coroutine: Any) -> Any:
        with self:
            return await coroutine


class Pool:
    """Memory of a tier's nodes, or of the nodes named, with a limit of its own.

    Its blocks are Buffers (:meth:`buffer`) and, in :meth:`scope`, numpy's
    arrays. Each refers to the pool, so it ends after the last of them.
    """

    def __init__(
        self,
        tier: Optional[TierName] = None,
        *,
        nodes: Optional[Sequence[int]] = None,
        limit: Optional[int] = None,
        policy: str = "bind",
        name: Optional[str] = None,
    ) -> None:
        self._pool = 0
        if policy not in _POLICIES:
            raise ValueError(f"{policy!r} is not one of {', '.join(_POLICIES)}")
        if (tier is None) == (nodes is None):
            raise ValueError("a pool has a tier or nodes, one of them")
        attr = _lib.sized(_lib.PoolAttr)
        attr.tier = POLICY if tier is None else tier_number(tier)
        attr.policy = _POLICIES.index(policy)
        attr.limit = limit or 0
        attr.name = name.encode() if name is not None else None
        if nodes is not None:
            mask, attr.maxnode = node_mask(nodes)
            attr.nodes = ctypes.cast(mask, ctypes.POINTER(ctypes.c_ulong))
        self._pool = lib.pool_create(ctypes.byref(attr)) or 0
        if not self._pool:
            fail("pool")

    def _address(self) -> int:
        return self._pool

    def buffer(self, size: int) -> Buffer:
        """Zero bytes of the pool; MemoryError when it is full."""
        return Buffer(size, pool=self)

    def scope(self) -> _scope.Scope:
        """``with pool.scope():`` numpy's arrays and Buffers are of the pool."""
        return _PoolScope(self)

    @property
    def stat(self) -> PoolStat:
        stat = _lib.sized(_lib.PoolStat)
        if lib.pool_stat(self._pool, ctypes.byref(stat)):
            fail("pool")
        return PoolStat(
            stat.used,
            None if stat.limit == NO_LIMIT else stat.limit,
            stat.peak,
            stat.in_use,
            NAMES.get(stat.tier),
            _POLICIES[stat.policy],
            stat.name.decode(errors="replace"),
        )

    @property
    def limit(self) -> Optional[int]:
        return self.stat.limit

    @limit.setter
    def limit(self, limit: Union[int, None]) -> None:
        if lib.pool_set_limit(self._pool, limit or 0):
            fail("limit")

    def __del__(self) -> None:
        # At the interpreter's end modules may be gone; so is the process soon.
        if self._pool and lib is not None:
            lib.pool_destroy(self._pool)

    def __repr__(self) -> str:
        stat = self.stat
        limit = "no limit" if stat.limit is None else f"{stat.limit} at most"
        return f"<cxlmalloc.Pool {stat.name!r}, {stat.used} bytes, {limit}>"
