# SPDX-License-Identifier: BSD-2-Clause
"""Scopes: a tier for all that is allocated meanwhile.

Three things follow a scope. Buffers and numpy's arrays ask a context variable
(numpy has one of its own for its handler), so they are right in tasks as well as
threads. The C heap only knows threads, and a task must not leave its tier to the
next one: inside a running event loop malloc is left alone, unless the coroutine
is run by ``scope.run``, which sets the tier for each of its steps.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Awaitable, Callable, Generator, List
from typing import Optional, Tuple, TypeVar

from . import _handler
from ._lib import POLICY, STRICT, TierName, fail, lib, tier_number

if TYPE_CHECKING:
    from ._pool import Pool

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class _Pushed:
    """One cxlm_push of one thread; it ends in that thread alone."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.thread = threading.get_ident()
        self.live = True


class _Thread(threading.local):
    def __init__(self) -> None:
        self.stack: List[_Pushed] = []


_thread = _Thread()


def _push(number: int) -> _Pushed:
    _drop_dead()
    if lib.push(number):
        fail("scope")
    pushed = _Pushed(number)
    _thread.stack.append(pushed)
    return pushed


def _pop(pushed: _Pushed) -> None:
    # A generator may be closed by another thread than the one it ran in: that
    # one finds it dead at its next scope.
    pushed.live = False
    if pushed.thread == threading.get_ident():
        _drop_dead()


def _drop_dead() -> None:
    """Scopes may end in another order than they began; the heap's are a stack."""
    stack = _thread.stack
    keep = 0
    while keep < len(stack) and stack[keep].live:
        keep += 1
    again = [pushed for pushed in stack[keep:] if pushed.live]
    for _ in stack[keep:]:
        lib.pop()
    del stack[keep:]
    for pushed in again:
        lib.push(pushed.number)
        stack.append(pushed)


def _in_event_loop() -> bool:
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None


class _Entry:
    def __init__(self, scope: Scope, pushed: Optional[_Pushed], old: Any) -> None:
        self.scope = scope
        self.pushed = pushed
        self.old = old  # numpy's handler before; None: numpy is not there


_entries: ContextVar[Tuple[_Entry, ...]] = ContextVar("cxlmalloc scopes", default=())


def current() -> Optional[Scope]:
    """The innermost scope of this context."""
    entries = _entries.get()
    return entries[-1].scope if entries else None


class Scope:
    """What ``cxlmalloc.tier`` and ``Pool.scope`` are.

    One object may be entered any number of times, by any threads. It decorates
    functions, coroutine functions too.
    """

    number: int = POLICY
    flags: int = 0
    pool: Optional[Pool] = None
    malloc: Optional[bool] = None

    def _handler(self) -> Any:
        return _handler.capsule(self.number, self.flags, self.pool)

    def _enter(self, malloc: bool) -> None:
        pushed = _push(self.number) if malloc else None
        try:
            old = None
            if _handler.usable():
                old = _handler.swap(self._handler)
            else:
                _handler.warn_once()
        except BaseException:
            if pushed:
                _pop(pushed)
            raise
        _entries.set((*_entries.get(), _Entry(self, pushed, old)))

    def __enter__(self) -> Scope:
        malloc = self.malloc
        self._enter(not _in_event_loop() if malloc is None else malloc)
        return self

    def __exit__(self, *_: Any) -> None:
        entries = list(_entries.get())
        index = len(entries) - 1
        while index >= 0 and entries[index].scope is not self:
            index -= 1
        if index < 0:
            raise RuntimeError("the scope was not entered in this context")
        entry = entries.pop(index)
        _entries.set(tuple(entries))
        if entry.pushed:
            _pop(entry.pushed)
        if entry.old is None:
            return
        if index == len(entries):
            _handler.restore(entry.old)
        elif entries[index].old is not None:
            # One that began later is still there, and will restore what was
            # before us.
            entries[index].old = entry.old

    def run(self, coroutine: Awaitable[T]) -> Awaitable[T]:
        """Await it with all it allocates in the scope, malloc's blocks too."""
        return self._run(coroutine)

    async def _run(self, coroutine: Awaitable[T]) -> T:
        self._enter(False)
        try:
            return await _Steps(self.number, coroutine)
        finally:
            self.__exit__()

    def __call__(self, function: F) -> F:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                return await self.run(function(*args, **kwargs))

        else:

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]


class _Steps(Awaitable[T]):
    """A coroutine, and the thread's tier during each of its steps."""

    def __init__(self, number: int, coroutine: Awaitable[T]) -> None:
        self._number = number
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, T]:
        steps: Any = self._coroutine.__await__()
        step: Callable[[Any, Any], Any] = _send
        argument: Any = None
        while True:
            pushed = _push(self._number)
            try:
                future = step(steps, argument)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            finally:
                _pop(pushed)
            try:
                step, argument = _send, (yield future)
            except GeneratorExit:
                steps.close()
                raise
            except BaseException as error:
                step, argument = _throw, error


def _send(steps: Any, value: Any) -> Any:
    return steps.send(value) if hasattr(steps, "send") else next(steps)


def _throw(steps: Any, error: Any) -> Any:
    if not hasattr(steps, "throw"):
        raise error
    return steps.throw(error)


class tier(Scope):
    """``with cxlmalloc.tier("cxl"):`` what is allocated meanwhile is on CXL.

    That is: numpy's arrays, Buffers, and, where libcxlmalloc.so is preloaded,
    all that malloc serves in this thread. ``strict``: arrays are there, or there
    is MemoryError. ``malloc``: False leaves malloc alone, True takes it along
    also in an event loop (then nothing may be awaited in the scope).
    """

    def __init__(
        self, name: TierName, *, strict: bool = False, malloc: Optional[bool] = None
    ) -> None:
        self.number = tier_number(name)
        self.flags = STRICT if strict else 0
        self.malloc = malloc

    def __repr__(self) -> str:
        names = {0: "ddr", 1: "cxl", POLICY: "policy"}
        return f"cxlmalloc.tier({names[self.number]!r})"
