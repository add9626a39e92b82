# SPDX-License-Identifier: BSD-2-Clause
"""Scopes: nesting, errors, threads, tasks."""

import asyncio
import contextvars
import errno
import subprocess
import sys
import threading

import cxlmalloc
import pytest
from cxlmalloc import Buffer, tier
from cxlmalloc._lib import lib


def test_heap_and_buffers_follow(heap_tier):
    assert heap_tier() == "ddr"
    with tier("cxl"):
        assert heap_tier() == "cxl"
        assert Buffer(10).tier == "cxl"
        with tier("ddr"):
            assert heap_tier() == "ddr"
            assert Buffer(10).tier == "ddr"
        assert heap_tier() == "cxl"
        with tier("policy"):
            assert heap_tier() == "ddr"
            assert Buffer(10).tier == "ddr"
    assert heap_tier() == "ddr"


def test_ends_with_an_exception(heap_tier):
    with pytest.raises(KeyError):
        with tier("cxl"):
            raise KeyError
    assert heap_tier() == "ddr"


def test_one_object_may_be_entered_again(heap_tier):
    scope = tier("cxl")
    with scope, scope:
        with tier("ddr"), scope:
            assert heap_tier() == "cxl"
        assert heap_tier() == "cxl"
    assert heap_tier() == "ddr"


def test_decorates_functions(heap_tier):
    @tier("cxl")
    def function(x, y=1):
        """text"""
        return x + y, heap_tier()

    assert function(2, y=3) == (5, "cxl")
    assert function.__doc__ == "text"
    assert heap_tier() == "ddr"


def test_depth_is_an_error_and_all_as_before(heap_tier):
    scopes = []
    with pytest.raises(OSError) as error:
        for _ in range(100):
            scope = tier("cxl")
            scope.__enter__()
            scopes.append(scope)
    assert error.value.errno == errno.ENOSPC and len(scopes) == 32
    assert heap_tier() == "cxl"
    for scope in reversed(scopes):
        scope.__exit__()
    assert heap_tier() == "ddr"


def test_ends_in_another_order(heap_tier):
    first, second, third = tier("cxl"), tier("policy"), tier("ddr")
    for scope in (first, second, third):
        scope.__enter__()
    first.__exit__()
    assert heap_tier() == "ddr" and Buffer(1).tier == "ddr"
    second.__exit__()
    with tier("cxl"):
        assert heap_tier() == "cxl"
    third.__exit__()
    assert heap_tier() == "ddr"
    for scope in (first, second, third):
        scope.__enter__()
    second.__exit__()
    third.__exit__()
    assert heap_tier() == "cxl" and Buffer(1).tier == "cxl"
    first.__exit__()
    assert heap_tier() == "ddr"
    with pytest.raises(RuntimeError):
        first.__exit__()


def test_ends_in_another_order_below_the_heaps_default(heap_tier):
    """What is left of the heap's stack is put back in its order."""
    first, second = tier("ddr"), tier("cxl")
    first.__enter__()
    second.__enter__()
    first.__exit__()
    assert heap_tier() == "cxl"
    second.__exit__()
    assert heap_tier() == "ddr"


def test_generators_that_interleave(heap_tier):
    def generator(name):
        with tier(name):
            while True:
                yield heap_tier()

    one, two = generator("cxl"), generator("ddr")
    next(one), next(two)
    one.close()
    assert heap_tier() == "ddr"
    two.close()
    assert heap_tier() == "ddr"
    with tier("cxl"):
        assert heap_tier() == "cxl"


def test_a_generator_closed_by_another_thread(heap_tier):
    def generator():
        with tier("cxl"):
            yield

    context = contextvars.copy_context()
    one = generator()
    context.run(next, one)
    thread = threading.Thread(target=context.run, args=(one.close,))
    thread.start()
    thread.join()
    with tier("ddr"):
        assert heap_tier() == "ddr"
    assert heap_tier() == "ddr"


def test_threads_have_their_own(heap_tier):
    seen, barrier = {}, threading.Barrier(2)

    def work(name):
        with tier(name):
            for _ in range(50):
                barrier.wait()
                seen.setdefault(name, set()).add((heap_tier(), Buffer(1).tier))

    threads = [threading.Thread(target=work, args=(name,)) for name in ("ddr", "cxl")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"ddr": {("ddr", "ddr")}, "cxl": {("cxl", "cxl")}}
    assert heap_tier() == "ddr"


def test_a_new_thread_begins_without(heap_tier):
    seen = []
    with tier("cxl"):
        thread = threading.Thread(target=lambda: seen.append(heap_tier()))
        thread.start()
        thread.join()
    assert seen == ["ddr"]


def test_tasks_have_their_own(heap_tier):
    """Buffers in a plain scope; malloc's blocks, too, with run."""

    async def in_scope(name):
        with tier(name):
            for _ in range(20):
                assert Buffer(1).tier == name
                assert heap_tier() == "ddr"
                await asyncio.sleep(0)

    async def steps(name):
        for _ in range(20):
            assert Buffer(1).tier == name and heap_tier() == name
            await asyncio.sleep(0)
        return name

    async def none():
        for _ in range(20):
            assert heap_tier() == "ddr"
            await asyncio.sleep(0)

    async def main():
        return await asyncio.gather(
            in_scope("ddr"),
            in_scope("cxl"),
            tier("cxl").run(steps("cxl")),
            none(),
            tier("ddr").run(steps("ddr")),
            tier("ddr").run(tier("cxl").run(steps("cxl"))),
        )

    assert asyncio.run(main()) == [None, None, "cxl", None, "ddr", "cxl"]
    assert heap_tier() == "ddr"


def test_run_passes_results_exceptions_and_cancellation(heap_tier):
    @tier("cxl")
    async def decorated():
        try:
            await asyncio.wait_for(asyncio.sleep(100), 0.01)
        except asyncio.TimeoutError:
            assert heap_tier() == "cxl"
            raise KeyError(heap_tier()) from None

    async def main():
        with pytest.raises(KeyError, match="cxl"):
            await decorated()
        ended = []

        async def forever():
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(heap_tier())

        task = asyncio.ensure_future(tier("cxl").run(forever()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == ["cxl"] and heap_tier() == "ddr"

    asyncio.run(main())


def test_not_a_tier():
    with pytest.raises(ValueError):
        tier("hbm")
    with pytest.raises(ValueError):
        tier(2)


def test_malloc_may_be_left_alone(heap_tier):
    with tier("cxl", malloc=False):
        assert heap_tier() == "ddr" and Buffer(1).tier == "cxl"


@pytest.mark.needs("preload")
def test_cpythons_own_objects():
    with tier("cxl"):
        far = [f"{i:0300}" for i in range(500)]
        far.append(bytes(100000))
    near = [f"{i:0300}" for i in range(500)]
    assert {cxlmalloc.tier_of(id(x)) for x in far} == {"cxl"}
    assert {cxlmalloc.tier_of(id(x)) for x in near} == {"ddr"}
    assert cxlmalloc.tier_of(far[-1]) == "cxl"


@pytest.mark.needs("preload")
def test_a_process_that_has_no_tiers():
    script = (
        "import cxlmalloc\n"
        "try:\n"
        "    with cxlmalloc.tier('cxl'): pass\n"
        "except OSError as e: print(e.errno)\n"
        "print(cxlmalloc.Buffer(10, 'cxl').tier)\n"
        "try: cxlmalloc.Buffer(10, 'cxl', strict=True)\n"
        "except OSError as e: print(e.errno)\n"
        "try: import cxlmalloc.numpy as cn\n"
        "except ImportError: print(95)\n"
        "else:\n"
        "    try: cn.zeros(3, tier='cxl', strict=True)\n"
        "    except OSError as e: print(e.errno)\n"
    )
    for conf in ({"CXLMALLOC_CONF": "order=ddr"}, {"CXLMALLOC_DISABLE": "1"}):
        env = {**__import__("os").environ, **conf}
        got = subprocess.run([sys.executable, "-c", script], env=env, text=True,
                             capture_output=True)  # fmt: skip
        tier_name = "ddr" if "CXLMALLOC_CONF" in conf else "None"
        number = str(errno.ENOTSUP)
        assert got.stdout.split() == [number, tier_name, number, number], got


def test_library_stack_is_empty():
    assert lib.pop() == -1
