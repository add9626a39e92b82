# SPDX-License-Identifier: BSD-2-Clause
"""numpy's data-allocation handler (NEP 49), which numpy keeps by context."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, Tuple

from ._block import native, reason
from ._info import preloaded
from ._lib import NAMES, STRICT

if TYPE_CHECKING:
    from ._pool import Pool

_capsules: Dict[Tuple[int, int], Any] = {}
_state: Optional[bool] = None
_warned = False


def why_not() -> str:
    """Why numpy's own arrays cannot follow a scope; empty if they can."""
    usable()
    if _state:
        return ""
    if native is None:
        return f"the C extension was not built ({reason})"
    return "numpy is older than 1.22" if "numpy" in sys.modules else "no numpy"


def _core() -> Any:
    import numpy

    # numpy 2 renamed it, and a lookup of the old name warns.
    core = getattr(numpy, "_core", None) or getattr(numpy, "core")
    return core


def usable() -> bool:
    """Asked again until numpy is imported: that is not this package's to do."""
    global _state
    if _state is not None:
        return _state
    if "numpy" not in sys.modules:
        return False
    core = _core()
    if not hasattr(core.multiarray, "get_handler_name"):
        _state = False
    elif native is None:
        _state = False
    else:
        native.numpy_api(core._multiarray_umath._ARRAY_API)
        _state = True
    return _state


def warn_once() -> None:
    """A scope that numpy does not follow. With the preload it does, by malloc."""
    global _warned
    if _state is False and not _warned and not preloaded():
        _warned = True
        warnings.warn(
            f"cxlmalloc: numpy's own functions do not follow this scope: {why_not()}",
            RuntimeWarning,
            stacklevel=4,
        )


def handler_name(*array: Any) -> str:
    """What numpy calls an array's handler, or that of new ones in this context."""
    get = getattr(_core().multiarray, "get_handler_name", None)
    return str(get(*array)) if get else ""


def capsule(number: int, flags: int, pool: Optional[Pool]) -> Any:
    if pool is not None:
        return native.handler("cxlmalloc pool", number, 0, pool._address(), pool)
    key = number, flags
    if key not in _capsules:
        name = "cxlmalloc " + NAMES.get(number, "policy")
        name += " strict" if flags & STRICT else ""
        _capsules[key] = native.handler(name, number, flags, 0, None)
    return _capsules[key]


def swap(make: Callable[[], Any]) -> Any:
    """The handler from here on; the one before it is returned."""
    return native.set_handler(make())


def restore(old: Any) -> None:
    native.set_handler(old)
