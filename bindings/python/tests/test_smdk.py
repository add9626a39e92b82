# SPDX-License-Identifier: BSD-2-Clause
"""The names of SMDK's package, and what its own tests ask of them."""

import gc
import pickle
import sys

import cxlmalloc
import pytest
from py_smdk import py_smalloc as smdk

EXMEM, NORMAL = smdk.SMDK_MEM_EXMEM, smdk.SMDK_MEM_NORMAL
VALUES = [
    1,
    3.45,
    "hello smdk",
    b"123456789",
    [1, 2, 3, 4],
    (1, 2, 3, 4),
    {"key1": "value1", "key2": "value2"},
    {0, 1, 2, 3},
    [1, "two", [3.0, {"four": (5, 6)}]],
    "x" * 100000,
]


def test_constants():
    assert (NORMAL, EXMEM) == (0, 1)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("mem_type", [NORMAL, EXMEM])
def test_round_trip(value, mem_type):
    kept = smdk.mem_obj(mem_type, value)
    assert kept.data == kept.get() == value and type(kept.data) is type(value)
    assert kept.size >= sys.getsizeof(value)
    assert kept.buf.tier == ("ddr", "cxl")[mem_type]
    assert pickle.loads(bytes(kept.buf)) == value
    again = smdk.mem_obj(mem_type, size=4096)
    again.set(value)
    assert again.data == value


def test_one_object_after_the_other():
    """Of all sizes, without resize; SMDK's would refer to freed memory."""
    kept = smdk.mem_obj(EXMEM, "start")
    for value in VALUES * 3:
        kept.set(value)
        gc.collect()
        assert kept.data == value
    kept.free()
    kept.free()


def test_what_it_was_made_of_may_go():
    source = [str(i) * 10 for i in range(1000)]
    kept = smdk.mem_obj(EXMEM, source)
    del source
    gc.collect()
    junk = [str(i) * 7 for i in range(3000)]
    assert kept.data == [str(i) * 10 for i in range(1000)] and junk


def test_it_is_a_copy():
    source = [1, [2]]
    kept = smdk.mem_obj(EXMEM, source)
    kept.data[1].append(3)
    assert source == [1, [2]] and kept.data == [1, [2, 3]]


def test_changes_stay_and_move_along():
    kept = smdk.mem_obj(EXMEM, [4, 3, 2])
    kept.data.append(1)
    kept.data.sort()
    kept.resize(NORMAL, 4096)
    assert kept.data == [1, 2, 3, 4] and kept.buf.tier == "ddr" and kept.size == 4096
    kept.set(kept.data + [5], EXMEM)
    assert kept.data == [1, 2, 3, 4, 5] and kept.buf.tier == "cxl"


@pytest.mark.needs("preload")
def test_the_copy_is_on_the_tier():
    kept = smdk.mem_obj(EXMEM, [f"{i:0300}" for i in range(100)])
    assert {cxlmalloc.tier_of(id(item)) for item in kept.data} == {"cxl"}


def test_resize_without_data():
    kept = smdk.mem_obj(EXMEM, size=100)
    kept.resize(EXMEM, 5000)
    assert kept.size == 5000 and not hasattr(kept, "data")


@pytest.mark.parametrize(
    "arguments",
    [
        lambda: smdk.mem_obj(3, size=10),
        lambda: smdk.mem_obj(EXMEM, size=-1),
        lambda: smdk.mem_obj(EXMEM),
        lambda: smdk.mem_obj_node(EXMEM, "999", size=10),
        lambda: smdk.mem_obj_node(EXMEM, "first", size=10),
        lambda: smdk.mem_obj_node(EXMEM, "0"),
        lambda: smdk.mem_obj(EXMEM, [1]).resize(EXMEM, -1),
        lambda: smdk.get_memsize_total(2),
        lambda: smdk.s_stats_print("X"),
    ],
)
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError):
        arguments()


def test_nodes():
    kept = smdk.mem_obj_node(EXMEM, "0", "SMDK")
    assert kept.data == "SMDK" and kept.buf.node == 0
    empty = smdk.mem_obj_node(EXMEM, "0", size=1024)
    for value in VALUES:
        empty.set(value)
        assert empty.data == value and empty.buf.node == 0
    kept.resize(100000)
    assert kept.data == "SMDK" and kept.size == 100000
    del kept, empty


def test_sizes():
    before = smdk.get_memsize_used(EXMEM)
    kept = [smdk.mem_obj(EXMEM, size=4096) for _ in range(5000)]
    many = smdk.get_memsize_used(EXMEM)
    # what was free in caches and slabs counted as used before
    assert many >= before + 4096 * 4400
    for item in kept:
        item.free()
    assert smdk.get_memsize_used(EXMEM) < many
    for mem_type in (NORMAL, EXMEM):
        assert smdk.get_memsize_total(mem_type) >= smdk.get_memsize_available(mem_type)
    assert smdk.get_memsize_node_total(NORMAL, 0) > 0
    assert smdk.get_memsize_node_available(NORMAL, 0) > 0
    assert smdk.get_memsize_node_total(NORMAL, 999) == 0


def test_prints(capsys):
    smdk.s_stats_print("G")
    smdk.s_stats_node_print("M")
    printed = capsys.readouterr().out
    assert "ddr" in printed and "cxl" in printed and "node 0" in printed


def test_interleave():
    for nodes in ("0", "999", "0,999", "0-1", "0,2-3"):
        smdk.enable_node_interleave(nodes)
        kept = smdk.mem_obj(EXMEM, [1, 2])
        assert kept.data == [1, 2]
    smdk.disable_node_interleave()
    assert kept.data == [1, 2]
    assert smdk.mem_obj(EXMEM, [1, 2]).buf.tier == "cxl"
