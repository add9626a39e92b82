# SPDX-License-Identifier: BSD-2-Clause
"""One TAP line for each test into the file CXLM_TAP, for tests/api/python.tap."""

import ctypes
import os
import sys

import cxlmalloc
import pytest
from cxlmalloc._block import native
from cxlmalloc._lib import POLICY, lib

PRELOADED = cxlmalloc.preloaded()
EXTENSION = native is not None
HAVE = {
    "preload": PRELOADED,
    "libcxlmem": not PRELOADED,
    "extension": EXTENSION,
    "no extension": not EXTENSION,
    # PEP 688: before it a class in Python is no buffer, view() is.
    "exports": EXTENSION or sys.version_info >= (3, 12),
    "numpy following": EXTENSION or PRELOADED,
}


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(what...): runs only where they are")


def pytest_collection_modifyitems(config, items):
    """Each suite has the tests that say something of it; nothing is skipped."""

    def fits(item):
        return all(
            HAVE[what] for mark in item.iter_markers("needs") for what in mark.args
        )

    config.hook.pytest_deselected(items=[item for item in items if not fits(item)])
    items[:] = [item for item in items if fits(item)]


def pytest_runtest_logreport(report):
    if report.when != "call" and report.passed:
        return
    path = os.environ.get("CXLM_TAP")
    if not path:
        return
    name = report.nodeid.rpartition("/")[2].replace("#", "")
    with open(path, "a") as tap:
        if report.skipped:
            reason = report.longrepr[2] if report.longrepr else ""
            tap.write(f"ok - {name} # SKIP {reason}\n")
        else:
            tap.write(("ok" if report.passed else "not ok") + f" - {name}\n")


@pytest.fixture
def heap_tier():
    """The tier of what malloc, or without a preload cxlm_malloc, gives now."""
    if PRELOADED:
        libc = ctypes.CDLL(None)
        libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
        libc.free.argtypes = [ctypes.c_void_p]
        make, free = libc.malloc, libc.free
    else:

        def make(size):
            return lib.malloc(POLICY, size, 0)

        free = lib.free

    def ask():
        block = make(100)
        tier = cxlmalloc.tier_of(block)
        free(block)
        return tier

    return ask
