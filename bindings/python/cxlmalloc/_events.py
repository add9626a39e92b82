# SPDX-License-Identifier: BSD-2-Clause
"""Events: a file descriptor that is readable when something changed."""

from __future__ import annotations

from enum import IntFlag
from typing import Any, AsyncIterator

from ._lib import fail, lib


class Event(IntFlag):
    NODES = 1  # a node or memory of one came or went
    POLICY = 2  # other settings
    LIMIT = 4  # a tier's limit is another one
    FULL = 8  # a tier was found full


class Events:
    """For select, poll, epoll; ``async for event in cxlmalloc.Events():``."""

    def __init__(self) -> None:
        self._fd = -1
        fd = lib.events_open()
        if fd < 0:
            fail("events")
        self._fd = fd

    def fileno(self) -> int:
        if self._fd < 0:
            raise ValueError("the events were closed")
        return self._fd

    def read(self) -> Event:
        """What happened since the last time, ``Event(0)`` for nothing; never waits."""
        bits = lib.events_read(self.fileno())
        if bits < 0:
            fail("events")
        return Event(bits)

    def close(self) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            if lib.events_close(fd):
                fail("events")

    def __enter__(self) -> Events:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        if lib is not None:
            self.close()

    async def wait(self) -> Event:
        """The next that happen, in an asyncio event loop."""
        import asyncio

        loop = asyncio.get_running_loop()
        while True:
            event = self.read()
            if event:
                return event
            readable = loop.create_future()
            loop.add_reader(self.fileno(), _done, readable)
            try:
                await readable
            finally:
                loop.remove_reader(self.fileno())

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            yield await self.wait()


def _done(future: Any) -> None:
    if not future.done():
        future.set_result(None)
