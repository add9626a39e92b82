# SPDX-License-Identifier: BSD-2-Clause
"""One TAP line for each test into the file CXLM_TAP, for tests/api/python.tap."""

import ctypes
import errno
import os

import cxlmalloc
import pytest
from cxlmalloc._lib import POLICY, lib

PRELOADED = cxlmalloc.preloaded()


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


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    outcome = yield
    _skip_what_is_not_there(outcome)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    outcome = yield
    _skip_what_is_not_there(outcome)


def _skip_what_is_not_there(outcome):
    error = outcome.excinfo and outcome.excinfo[1]
    if isinstance(error, OSError) and error.errno == errno.ENOSYS:
        _skip(outcome, str(error))


def _skip(outcome, reason):
    try:
        pytest.skip(reason)
    except pytest.skip.Exception as skipped:
        outcome._excinfo = (type(skipped), skipped, skipped.__traceback__)
