# SPDX-License-Identifier: BSD-2-Clause
"""Where memory is. Nodes that differ are asked in a guest: tests/guest/tests/numpy.sh."""

import array
import mmap

import cxlmalloc
import pytest
from cxlmalloc import Buffer, _place

PAGE = mmap.PAGESIZE


def whole(buffer):
    """Bytes of the pages it touches."""
    first = buffer.address // PAGE
    return ((buffer.address + buffer.size - 1) // PAGE - first + 1) * PAGE


def numa_pages(address, size):
    """Pages of that very map, by node, of the kernel's own list."""
    with open("/proc/self/maps") as maps:
        if not any(line.startswith(f"{address:x}-{address + size:x} ") for line in maps):
            return {}
    with open("/proc/self/numa_maps") as maps:
        for line in maps:
            if int(line.split()[0], 16) == address:
                return {
                    int(word[1 : word.index("=")]): int(word[word.index("=") + 1 :])
                    for word in line.split()
                    if word[0] == "N" and word[1].isdigit()
                }
    return {}


@pytest.fixture
def kernels_own():
    """16 pages that this library has not made, 5 of them touched."""
    memory = mmap.mmap(-1, 16 * PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    for page in range(3, 8):
        memory[page * PAGE] = 1
    yield memory
    memory.close()


def test_residency_counts_touched_pages(kernels_own):
    residency = cxlmalloc.residency(kernels_own)
    assert sum(residency.values()) == 5 * PAGE


def test_residency_is_what_the_kernel_lists(kernels_own):
    with _place.region(kernels_own) as (address, size):
        assert size == 16 * PAGE
        pages = numa_pages(address, size)
    if not pages:
        pytest.skip("the map was merged with its neighbour, or no numa_maps")
    residency = cxlmalloc.residency(kernels_own)
    assert {node: n * PAGE for node, n in pages.items()} == residency


def test_populate(kernels_own):
    cxlmalloc.populate(kernels_own)
    assert sum(cxlmalloc.residency(kernels_own).values()) == 16 * PAGE
    assert kernels_own[3 * PAGE] == 1
    buffer = Buffer(1 << 20)
    buffer.populate()
    assert sum(buffer.nodes().values()) == whole(buffer)


def test_node_of(kernels_own):
    with _place.region(kernels_own) as (address, _):
        assert cxlmalloc.node_of(address) is None
        assert cxlmalloc.node_of(address + 3 * PAGE) in cxlmalloc.residency(kernels_own)
    assert cxlmalloc.node_of(kernels_own) is None
    buffer = Buffer(5 << 20)
    buffer[0] = 1
    assert buffer.node in buffer.nodes()


@pytest.mark.parametrize("name", ["ddr", "cxl"])
def test_migrate_keeps_address_and_contents(name):
    buffer = Buffer(1 << 20)
    buffer[:] = bytes(range(256)) * 4096
    view = buffer.view()
    address = buffer.address
    assert buffer.migrate(name) == 1 << 20
    assert buffer.address == address and view[:] == bytes(range(256)) * 4096
    assert cxlmalloc.migrate(view, buffer.node) > (1 << 20) - 2 * PAGE
    assert cxlmalloc.migrate(buffer, buffer.node, strict=True) == 1 << 20


def test_migrate_errors():
    buffer = Buffer(5 << 20)
    with pytest.raises(ValueError):
        buffer.migrate("hbm")
    with pytest.raises(ValueError):
        buffer.migrate("policy")
    with pytest.raises(ValueError):
        buffer.migrate(5000)
    with pytest.raises(TypeError):
        cxlmalloc.migrate(object(), "ddr")


def test_advise():
    buffer = Buffer(5 << 20)
    buffer[:] = b"\x05" * len(buffer)
    for advice in ("hot", "cold", "willneed"):
        cxlmalloc.advise(buffer, advice)
        assert buffer[4 << 20] == 5
    with pytest.raises(ValueError):
        cxlmalloc.advise(buffer, "often")


def test_tier_of():
    assert cxlmalloc.tier_of(Buffer(10, "ddr")) == "ddr"
    assert cxlmalloc.tier_of(Buffer(10, "cxl").address) == "cxl"
    with mmap.mmap(-1, PAGE) as other:
        assert cxlmalloc.tier_of(other) is None
    assert cxlmalloc.tier_of(0) is None


def test_any_kind_of_buffer():
    """Read-only ones, items of other sizes, parts."""
    for memory, size in (
        (bytes(1000), 1000),
        (bytearray(10), 10),
        (array.array("d", [1, 2, 3]), 24),
        (memoryview(bytes(100))[10:20], 10),
        (memoryview(bytes(100))[::-10], 91),
        (b"", 0),
    ):
        with _place.region(memory) as (_, found):
            assert found == size, memory


def test_any_array():
    np = pytest.importorskip("numpy")
    base = np.zeros((100, 50))
    start = base.ctypes.data
    for made, first, size in (
        (base, 0, 40000),
        (base.T, 0, 40000),
        (base[::-1], 0, 40000),
        (base[10:12, 5:7], 10 * 400 + 40, 400 + 16),
        (base[::-2, ::3], 400, 98 * 400 + 48 * 8 + 8),
        (base[:0], 0, 0),
        (base[3, 4], None, 8),
    ):
        with _place.region(made) as (address, found):
            assert found == size
            assert first is None or address == start + first
    dates = np.array(["2020-01-01"], dtype="datetime64[D]")
    with _place.region(dates) as (address, found):
        assert (address, found) == (dates.ctypes.data, 8)
