# SPDX-License-Identifier: BSD-2-Clause
"""Memory on DDR or CXL for programs that know their data.

``with cxlmalloc.tier("cxl"):`` puts numpy's arrays, and under libcxlmalloc.so
everything else, on CXL memory. README.md has the rest.
"""

from ._buffer import Buffer
from ._ctl import get as ctl
from ._ctl import names as ctl_names
from ._ctl import policy
from ._ctl import put as ctl_set
from ._events import Event, Events
from ._info import NodeInfo, TierInfo, TierStat, nodes, preloaded, stats, tiers, version
from ._lib import lib as _library
from ._place import advise, migrate, populate, residency, tier_of
from ._place import node_of_memory as node_of
from ._pool import Pool, PoolStat
from ._scope import Scope, tier

__version__ = "0.1.0"


def hint(name: str, tier: str = "policy") -> str:
    """The tier the operator's ``hint=NAME:TIER`` gives to data of that name."""
    from ._lib import NAMES, tier_number

    return NAMES.get(_library.hint(name.encode(), tier_number(tier)), "policy")


def library() -> str:
    """Where the C functions are: a path, or "the process" (preloaded or linked)."""
    return _library.path


__all__ = [
    "Buffer",
    "Event",
    "Events",
    "NodeInfo",
    "Pool",
    "PoolStat",
    "Scope",
    "TierInfo",
    "TierStat",
    "advise",
    "ctl",
    "ctl_names",
    "ctl_set",
    "hint",
    "library",
    "migrate",
    "node_of",
    "nodes",
    "policy",
    "populate",
    "preloaded",
    "residency",
    "stats",
    "tier",
    "tier_of",
    "tiers",
    "version",
]
