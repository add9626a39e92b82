# SPDX-License-Identifier: BSD-2-Clause
"""Pools: limits, lifetime, arrays."""

import gc
import weakref

import cxlmalloc
import pytest
from cxlmalloc import Buffer, Pool


def test_buffers_of_a_pool():
    pool = Pool("cxl", name="mine", limit=64 << 20)
    buffer = pool.buffer(1 << 20)
    assert bytes(buffer) == bytes(1 << 20)
    buffer[:] = b"\x01" * len(buffer)
    stat = pool.stat
    assert stat.used >= 1 << 20 and stat.limit == 64 << 20 and stat.name == "mine"
    assert stat.policy == "bind" and stat.peak >= stat.used >= stat.in_use
    assert "mine" in repr(pool)
    buffer.resize(2 << 20)
    assert buffer[(1 << 20) - 1] == 1 and buffer[-1] == 0
    assert pool.stat.used >= 2 << 20


def test_limit_is_memory_error():
    pool = Pool("cxl", limit=8 << 20)
    with pytest.raises(MemoryError):
        pool.buffer(32 << 20)
    pool.limit = 64 << 20
    assert pool.limit == 64 << 20
    assert len(pool.buffer(32 << 20)) == 32 << 20
    pool.limit = None
    assert pool.limit is None


def test_a_buffer_keeps_its_pool():
    pool = Pool("cxl")
    gone = weakref.ref(pool)
    buffer = pool.buffer(1 << 20)
    buffer[5] = 7
    del pool
    gc.collect()
    assert gone() is not None and buffer[5] == 7
    view = buffer.view()
    del buffer
    gc.collect()
    assert gone() is not None and view[5] == 7
    view.release()
    del view
    gc.collect()
    assert gone() is None


def test_pools_are_destroyed():
    """There may be 255 at once."""
    for _ in range(600):
        Pool("cxl").buffer(10)


def test_a_buffer_that_moves_out():
    pool = Pool("cxl")
    gone = weakref.ref(pool)
    buffer = pool.buffer(1000)
    buffer[1] = 1
    buffer.move("ddr")
    del pool
    gc.collect()
    assert gone() is None and buffer[1] == 1 and buffer.tier == "ddr"


def test_scope():
    pool = Pool("cxl")
    with pool.scope():
        buffer = Buffer(4 << 20)
        with cxlmalloc.tier("ddr"):
            assert Buffer(10).tier == "ddr"
    assert pool.stat.used >= 4 << 20
    assert len(buffer) == 4 << 20


def test_nodes():
    node = cxlmalloc.nodes()[0].node
    buffer = Pool(nodes=[node]).buffer(1 << 20)
    buffer.populate()
    assert list(buffer.nodes()) == [node]
    buffer = Buffer(1 << 20, node=node, strict=True)
    buffer.populate()
    assert list(buffer.nodes()) == [node] and buffer.nodes()[node] >= 1 << 20
    buffer = Buffer(1 << 20, node=[node])
    buffer[:] = b"\x01" * (1 << 20)
    assert buffer.node == node


def test_errors():
    with pytest.raises(ValueError):
        Pool()
    with pytest.raises(ValueError):
        Pool("cxl", nodes=[0])
    with pytest.raises(ValueError):
        Pool("cxl", policy="random")
    with pytest.raises(ValueError):
        Pool("cxl", name="n" * 40)
    with pytest.raises(ValueError):
        Pool(nodes=[])
    with pytest.raises(ValueError):
        Pool(nodes=[900])
    with pytest.raises(ValueError):
        Buffer(10, node=900)


@pytest.mark.needs("extension")
def test_arrays_keep_their_pool():
    np = pytest.importorskip("numpy")
    pool = Pool("cxl", limit=256 << 20)
    gone = weakref.ref(pool)
    with pool.scope():
        array = np.ones(1 << 20)
        small = np.arange(10)
    assert pool.stat.used >= 8 << 20
    del pool
    gc.collect()
    array.resize(2 << 20, refcheck=False)
    assert gone() is not None and array[:3].tolist() == [1, 1, 1]
    assert gone().stat.used >= 16 << 20
    part = array[5:10]
    del array
    gc.collect()
    assert part.tolist() == [1] * 5 and small.sum() == 45
    del part, small
    gc.collect()
    assert gone() is None


def test_arrays_by_name():
    np = pytest.importorskip("numpy")
    import cxlmalloc.numpy as cn

    pool = Pool("cxl", limit=32 << 20)
    array = cn.full(1 << 20, 3.0, pool=pool)
    assert pool.stat.used >= 8 << 20 and np.all(array == 3)
    with pytest.raises(MemoryError):
        cn.zeros(16 << 20, pool=pool)
    with pytest.raises(ValueError):
        cn.zeros(5, pool=pool, tier="cxl")
