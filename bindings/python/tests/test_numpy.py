# SPDX-License-Identifier: BSD-2-Clause
"""numpy's arrays: any function in a scope, the makers, lifetime."""

import asyncio
import gc
import threading

import cxlmalloc
import pytest
from cxlmalloc import tier, tier_of
from cxlmalloc._block import native

np = pytest.importorskip("numpy")
cn = pytest.importorskip("cxlmalloc.numpy")

followed = pytest.mark.needs("extension")

MAKERS = {
    "empty": lambda: np.empty((100, 100)),
    "zeros": lambda: np.zeros((100, 100)),
    "large zeros": lambda: np.zeros(5 << 20),
    "array": lambda: np.array([1.5, 2, 3]),
    "one byte": lambda: np.zeros(1, np.uint8),
    "nothing": lambda: np.empty(0),
    "scalar": lambda: np.array(5),
    "sum": lambda: np.arange(1000) + np.arange(1000),
    "product": lambda: np.ones((50, 50)) @ np.ones((50, 50)),
    "copy": lambda: np.arange(10)[::2].copy(),
    "sorted": lambda: np.sort(np.arange(1000)[::-1]),
    "concatenated": lambda: np.concatenate([np.ones(10), np.zeros(10)]),
    "from text": lambda: np.array("1 2 3".split(), dtype="U20"),
    "objects": lambda: np.array([object(), {}, []], dtype=object),
    "records": lambda: np.zeros(20, dtype=[("a", "i4"), ("b", "f8")]),
    "dates": lambda: np.arange("2020-01", "2021-01", dtype="datetime64[D]"),
    "choice": lambda: np.random.default_rng(1).random(1000),
    "fft": lambda: np.fft.fft(np.arange(256.0)),
    "from iterator": lambda: np.fromiter((i for i in range(5000)), int),
}


def owner(array):
    """The array whose data it is."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


@followed
@pytest.mark.parametrize("name", ["ddr", "cxl"])
@pytest.mark.parametrize("what", MAKERS)
def test_any_function_in_a_scope(what, name):
    wanted = MAKERS[what]()
    with tier(name):
        array = MAKERS[what]()
    assert tier_of(owner(array)) == name
    if what not in ("empty", "objects"):
        np.testing.assert_array_equal(array, wanted)


@followed
def test_handler_is_numpys_own_again():
    assert cn.handler_name() == "default_allocator"
    with tier("cxl"):
        assert cn.handler_name() == "cxlmalloc cxl"
        with tier("ddr", strict=True):
            assert cn.handler_name() == "cxlmalloc ddr strict"
        assert cn.handler_name() == "cxlmalloc cxl"
    assert cn.handler_name() == "default_allocator"
    assert cn.why_not() == ""


@followed
def test_scopes_that_end_in_another_order():
    first, second = tier("cxl"), tier("ddr")
    first.__enter__()
    second.__enter__()
    first.__exit__()
    assert cn.handler_name() == "cxlmalloc ddr"
    second.__exit__()
    assert cn.handler_name() == "default_allocator"


@followed
def test_small_blocks_do_not_come_from_numpys_cache():
    """numpy keeps small blocks of its default handler for the next array."""
    for size in (1, 8, 64, 500, 1000):
        near = [np.empty(size, np.uint8) for _ in range(20)]
        del near
        with tier("cxl"):
            far = [np.empty(size, np.uint8) for _ in range(20)]
        assert {tier_of(array) for array in far} == {"cxl"}
        addresses = {array.ctypes.data for array in far}
        del far
        near = [np.empty(size, np.uint8) for _ in range(20)]
        assert not addresses & {array.ctypes.data for array in near}


@followed
def test_arrays_outlive_their_scope_and_are_freed_anywhere():
    before = cxlmalloc.stats()["cxl"].used
    for _ in range(20):
        with tier("cxl"):
            arrays = [np.ones(1 << 20)]
        thread = threading.Thread(target=lambda: arrays.clear())
        assert arrays[0].sum() == 1 << 20
        thread.start()
        thread.join()
        assert not arrays
    assert cxlmalloc.stats()["cxl"].used < before + (100 << 20)


@followed
def test_resized_outside_the_scope():
    with tier("cxl"):
        array = np.arange(100)
        strict = cn.array([1, 2], strict=True)
    for size in (10, 1000, 1 << 20, 1):
        array.resize(size, refcheck=False)
        strict.resize(size, refcheck=False)
        assert tier_of(array) == tier_of(strict) == "cxl"
    assert array[0] == 0 and strict[0] == 1
    with tier("cxl"):
        near = cn.arange(5, tier="ddr")
        near.resize(100000, refcheck=False)
        assert tier_of(near) == "ddr"
    array = np.arange(100)
    with tier("cxl"):
        array.resize(100000, refcheck=False)
    assert array[99] == 99 and not array[100:].any()


@followed
def test_zeros_are_lazy():
    with tier("cxl"):
        array = np.zeros(300 << 20, np.uint8)
    assert sum(cxlmalloc.residency(array).values()) < 16 << 20
    part = array[: 8 << 20]
    part[:] = 1
    assert sum(cxlmalloc.residency(part).values()) >= 8 << 20


@followed
def test_zeros_where_a_block_was_used_before():
    for _ in range(10):
        with tier("cxl"):
            array = np.zeros(3000, np.uint8)
        assert not array.any()
        array[:] = 255
        del array


@followed
def test_threads_begin_without_and_have_their_own():
    seen = []

    def work():
        seen.append(tier_of(np.ones(100)))
        with tier("ddr"):
            seen.append(tier_of(np.ones(100)))

    with tier("cxl"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        seen.append(tier_of(np.ones(100)))
    plain = tier_of(np.ones(100))
    assert seen == [plain, "ddr", "cxl"]


@followed
def test_tasks_have_their_own():
    async def work(name):
        with tier(name):
            for _ in range(30):
                assert tier_of(np.ones(100)) == name
                await asyncio.sleep(0)

    async def steps():
        for _ in range(30):
            assert tier_of(np.ones(100)) == "cxl"
            await asyncio.sleep(0)

    async def main():
        await asyncio.gather(work("ddr"), work("cxl"), tier("cxl").run(steps()))
        assert cn.handler_name() == "default_allocator"

    asyncio.run(main())


@pytest.mark.parametrize("name", ["ddr", "cxl"])
def test_makers(name):
    source = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    made = {
        "empty": cn.empty((3, 4), "i2", tier=name),
        "zeros": cn.zeros(5, tier=name),
        "ones": cn.ones((2, 2), int, tier=name),
        "full": cn.full(4, 7.5, tier=name),
        "array": cn.array(source, tier=name),
        "empty_like": cn.empty_like(source, tier=name, strict=True),
        "zeros_like": cn.zeros_like([1, 2], tier=name),
        "arange": cn.arange(3, 9, 2, tier=name),
        "none": cn.empty((0, 3), tier=name),
    }
    assert {tier_of(owner(array)) for array in made.values()} == {name}
    assert made["empty"].shape == (3, 4) and made["empty"].dtype == np.int16
    assert made["zeros"].tolist() == [0] * 5 and made["ones"].tolist() == [[1, 1]] * 2
    assert made["full"].tolist() == [7.5] * 4 and made["arange"].tolist() == [3, 5, 7]
    assert made["array"].flags.f_contiguous and (made["array"] == source).all()
    assert made["empty_like"].flags.f_contiguous and made["none"].size == 0
    assert made["zeros_like"].tolist() == [0, 0]
    made["zeros"][2] = 4
    assert made["zeros"][2] == 4


def test_makers_follow_the_scope_and_default_to_cxl():
    assert tier_of(cn.zeros(5)) == "cxl"
    with tier("ddr"):
        assert tier_of(cn.zeros(5)) == "ddr"
        assert tier_of(cn.zeros(5, tier="cxl")) == "cxl"
    assert (cn.handler_name() if native else "default_allocator") == "default_allocator"


def test_errors():
    with pytest.raises(MemoryError):
        cn.empty(1 << 58, np.uint8, tier="cxl")
    with pytest.raises(MemoryError):
        cn.empty(1 << 58, np.uint8, tier="cxl", strict=True)
    with pytest.raises(ValueError):
        cn.empty(3, tier="hbm")
    with pytest.raises(TypeError):
        cn.empty("shape")
    if native:
        assert cn.handler_name() == "default_allocator"


@pytest.fixture
def full():
    """CXL has 32 MiB left."""
    cxlmalloc.policy["cxl.limit"] = cxlmalloc.stats()["cxl"].used + (32 << 20)
    yield
    cxlmalloc.policy["cxl.limit"] = "none"


def test_strict_is_there_or_nowhere(full):
    assert tier_of(cn.zeros(2 << 30, np.uint8, tier="cxl")) == "ddr"
    with pytest.raises(MemoryError):
        cn.zeros(2 << 30, np.uint8, tier="cxl", strict=True)


@followed
def test_strict_scope(full):
    with tier("cxl", strict=True):
        with pytest.raises(MemoryError):
            np.empty(2 << 30, np.uint8)
        array = np.ones(1000, np.uint8)
        with pytest.raises(MemoryError):
            array.resize(2 << 30, refcheck=False)
    assert tier_of(array) == "cxl" and array.sum() == 1000
    with pytest.raises(MemoryError):
        array.resize(2 << 30, refcheck=False)
    with tier("cxl"):
        assert tier_of(np.empty(2 << 30, np.uint8)) == "ddr"


def test_arrays_over_a_buffer():
    buffer = cxlmalloc.Buffer(800)
    array = np.frombuffer(buffer.view(), dtype=float)
    array[:] = 2.5
    assert tier_of(array) == "cxl" and array.sum() == 250
    with pytest.raises(BufferError):
        buffer.resize(10)
    del array
    gc.collect()
    buffer.resize(10)


@pytest.mark.needs("exports")
def test_asarray_of_a_buffer_shares_it():
    buffer = cxlmalloc.Buffer(10)
    array = np.asarray(buffer)
    array[3] = 9
    assert buffer[3] == 9 and array.dtype == np.uint8


@pytest.mark.needs("no extension")
def test_without_the_extension_it_says_so():
    assert "CXLMALLOC_NO_EXTENSION" in cn.why_not()
    with pytest.raises(TypeError, match="extension"):
        cn.zeros(3, object)
