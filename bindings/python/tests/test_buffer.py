# SPDX-License-Identifier: BSD-2-Clause
"""Buffer: its memory, its lifetime."""

import gc
import io
import pickle
import weakref

import cxlmalloc
import pytest
from cxlmalloc import Buffer
from cxlmalloc._lib import lib

@pytest.fixture
def freed(monkeypatch):
    """Addresses that were given back by Python code."""
    seen = []
    free = lib.free

    def spy(address):
        seen.append(address)
        free(address)

    monkeypatch.setattr(lib, "free", spy)
    return seen


def used(tier):
    return cxlmalloc.stats()[tier].used


@pytest.mark.parametrize("tier", ["ddr", "cxl"])
@pytest.mark.parametrize("size", [0, 1, 100, 4096, 5 << 20])
def test_is_on_its_tier_and_zero(tier, size):
    buffer = Buffer(size, tier, strict=True)
    assert buffer.tier == tier
    assert len(buffer) == buffer.size == buffer.nbytes == size
    assert bytes(buffer) == bytes(size)


def test_is_zero_where_a_block_was_used_before():
    for _ in range(10):
        buffer = Buffer(3000, "cxl")
        assert buffer[:] == bytes(3000)
        buffer[:] = b"\xff" * 3000
        del buffer


def test_default_is_cxl():
    assert Buffer(10).tier == "cxl"


@pytest.mark.needs("exports")
def test_is_a_writable_buffer():
    buffer = Buffer(1000)
    with memoryview(buffer) as view:
        assert not view.readonly and view.format == "B" and len(view) == 1000
        view[10:14] = b"abcd"
    assert buffer[10:14] == b"abcd"
    assert io.BytesIO(b"xyz").readinto(buffer) == 3
    assert buffer[0] == ord("x")


def test_view_is_writable_in_any_case():
    buffer = Buffer(1000)
    with buffer.view() as view:
        assert not view.readonly and view.format == "B"
        view[0] = 7
    assert buffer[0] == 7


def test_exports_outlive_the_object():
    view = Buffer(64 << 20).view()
    gc.collect()
    view[-1] = 3
    assert view[-1] == 3 and view[0] == 0
    assert used("cxl") >= 64 << 20
    assert cxlmalloc.tier_of(view) == "cxl"
    view.release()


def test_memory_is_freed_with_the_last_export():
    gc.collect()
    before = used("cxl")
    for _ in range(100):
        view = Buffer(4 << 20).view()
        view.release()
        del view
    assert used("cxl") < before + (40 << 20)


def test_a_cycle_is_collected():
    buffer = Buffer(10)
    buffer.myself = buffer
    gone = weakref.ref(buffer)
    del buffer
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("tier", ["ddr", "cxl"])
def test_resize_keeps_contents_and_tier(tier):
    buffer = Buffer(100, tier)
    buffer[:] = bytes(range(100))
    for size in (50, 200, 3 << 20, 0, 10):
        kept = buffer[: min(size, len(buffer))]
        buffer.resize(size)
        assert len(buffer) == size and buffer.tier == tier
        assert buffer[: len(kept)] == kept
        assert not any(buffer[len(kept) :])


def test_move_changes_tier_and_keeps_contents():
    buffer = Buffer(1 << 20, "cxl")
    buffer[:] = bytes(range(256)) * 4096
    buffer.move("ddr")
    assert buffer.tier == "ddr"
    assert buffer[:] == bytes(range(256)) * 4096
    buffer.move("ddr")
    assert buffer.tier == "ddr"


@pytest.mark.parametrize("change", ["resize", "move", "release"])
def test_no_change_while_exported(change):
    buffer = Buffer(100, "cxl")
    act = {
        "resize": lambda: buffer.resize(10),
        "move": lambda: buffer.move("ddr"),
        "release": buffer.release,
    }[change]
    view = buffer.view()
    part = view[2:5]
    with pytest.raises(BufferError):
        act()
    view.release()
    with pytest.raises(BufferError):
        act()
    part[0] = 9
    assert buffer[2] == 9 and buffer.tier == "cxl"
    part.release()
    act()


@pytest.mark.needs("exports")
def test_no_export_while_it_is_moved():
    buffer = Buffer(100)
    old = buffer.address, buffer.size, None
    buffer._hold()
    with pytest.raises(BufferError):
        memoryview(buffer)
    with pytest.raises(BufferError):
        buffer.resize(5)
    buffer._attach(*old)
    memoryview(buffer).release()


def test_a_change_that_fails_changes_nothing():
    buffer = Buffer(100)
    buffer[0] = 5
    with pytest.raises(MemoryError):
        buffer.resize(1 << 60)
    assert len(buffer) == 100 and buffer[0] == 5
    buffer.resize(200)
    assert buffer[0] == 5


def test_release(freed):
    with Buffer(100) as buffer:
        address = buffer.address
    assert freed == [address]
    buffer.release()
    assert freed == [address]
    with pytest.raises(BufferError):
        buffer.view()
    with pytest.raises(ValueError):
        buffer.resize(3)
    assert "released" in repr(buffer)


def test_an_object_without_exports_frees_its_block():
    before = used("cxl")
    for _ in range(100):
        Buffer(4 << 20)
    assert used("cxl") < before + (40 << 20)


def test_errors():
    with pytest.raises(ValueError):
        Buffer(-1)
    with pytest.raises(ValueError):
        Buffer(1, "hbm")
    with pytest.raises(ValueError):
        Buffer(1, 5)
    with pytest.raises(ValueError):
        Buffer(1, "cxl", node=0)
    with pytest.raises(MemoryError):
        Buffer(1 << 60)
    with pytest.raises(MemoryError):
        Buffer(1 << 60, strict=True)
    with pytest.raises(ValueError):
        Buffer(8).move("hbm")


def test_pickle_keeps_contents_and_tier():
    for tier in ("ddr", "cxl"):
        buffer = Buffer(1000, tier)
        buffer[5:8] = b"abc"
        again = pickle.loads(pickle.dumps(buffer))
        assert again[:] == buffer[:] and again.tier == tier
        assert again.address != buffer.address


def test_items():
    buffer = Buffer(10)
    buffer[2] = 5
    buffer[4:6] = b"hi"
    assert buffer[2] == 5 and buffer[-6:-4] == b"hi" and len(buffer[::3]) == 4
    with pytest.raises(IndexError):
        buffer[10]
    assert "10 bytes on cxl" in repr(buffer)
