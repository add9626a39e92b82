# SPDX-License-Identifier: BSD-2-Clause
"""Everything by name, as cxlctl shows it, and the policy as a mapping."""

from __future__ import annotations

import ctypes
import errno
from typing import Any, Dict, Iterator, Mapping, NamedTuple, Optional, Union

from . import _lib
from ._lib import NO_LIMIT, fail, lib

_U64 = 0


class CtlName(NamedTuple):
    is_string: bool
    writable: bool


_names: Dict[str, CtlName] = {}


def names() -> Dict[str, CtlName]:
    """The names there are."""
    index = len(_names)
    while True:
        info = _lib.sized(_lib.CtlInfo)
        if lib.ctl_name(index, ctypes.byref(info)):
            if ctypes.get_errno() != errno.ENOENT:
                fail("ctl")
            break
        _names[info.name.decode()] = CtlName(info.type != _U64, bool(info.writable))
        index += 1
    return dict(_names)


def _is_string(name: str) -> bool:
    known = _names.get(name) or names().get(name)
    return known.is_string if known else not name.startswith("tier.")


def get(name: str) -> Union[int, str, None]:
    """A value by its name; None: there is no limit, or it is not known."""
    length = ctypes.c_size_t(256)
    while True:
        old = ctypes.create_string_buffer(length.value)
        if not lib.ctl(name.encode(), old, ctypes.byref(length), None, 0):
            break
        if ctypes.get_errno() == errno.ENODATA:
            return None
        if ctypes.get_errno() != errno.ERANGE:
            _failed(name)
    if _is_string(name):
        return old.raw[: length.value].rstrip(b"\0").decode(errors="replace")
    value = ctypes.c_uint64.from_buffer(old).value
    return None if value == NO_LIMIT else value


def put(name: str, value: Union[int, str, None]) -> None:
    """Change a value by its name."""
    new: Any
    if _is_string(name):
        new = str(value).encode()
        failed = lib.ctl(name.encode(), None, None, new, len(new))
    else:
        new = ctypes.c_uint64(NO_LIMIT if value is None else int(value))
        failed = lib.ctl(name.encode(), None, None, ctypes.byref(new), 8)
    if failed:
        _failed(f"{name}={value}")


def _failed(what: str) -> None:
    if ctypes.get_errno() == errno.ENOENT:
        raise KeyError(what)
    fail(what)


class Policy(Mapping[str, str]):
    """The settings in force, those of cxlmalloc.conf(5), as a mapping.

    ``policy["order"]``, ``policy["ddr.limit"] = "1g"``; ``policy.set`` changes
    several, all of them or none. A setting that is wrong is ValueError; one that
    cannot change while the program runs is OSError with EPERM.
    """

    def __getitem__(self, name: str) -> str:
        return str(get("option." + name))

    def __setitem__(self, name: str, value: Union[str, int]) -> None:
        put("option." + name, str(value))

    def set(
        self, settings: Optional[Mapping[str, Union[str, int]]] = None, **more: Any
    ) -> None:
        """``policy.set(order="cxl:ddr")``, ``policy.set({"ddr.limit": "1g"})``."""
        changes = {**(settings or {}), **more}
        put("conf", ",".join(f"{name}={value}" for name, value in changes.items()))

    def __iter__(self) -> Iterator[str]:
        prefix = "option."
        return (name[len(prefix) :] for name in names() if name.startswith(prefix))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<cxlmalloc.policy {dict(self)}>"


policy = Policy()
