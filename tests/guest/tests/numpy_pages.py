# SPDX-License-Identifier: BSD-2-Clause
"""numpy_pages DDR CXL: arrays of each tier, their pages as move_pages(2) has them.

The kernel is asked here, not through the library. Prints TAP.
"""

import asyncio
import ctypes
import hashlib
import mmap
import platform
import sys
import threading
from collections import Counter

import cxlmalloc
import cxlmalloc.numpy as cn
import numpy as np

DDR, CXL = int(sys.argv[1]), int(sys.argv[2])
PAGE = mmap.PAGESIZE
MOVE_PAGES = {"x86_64": 279, "aarch64": 239}[platform.machine()]
libc = ctypes.CDLL(None, use_errno=True)
checks = failures = 0


def check(what, wanted, got):
    global checks, failures
    checks += 1
    failures += wanted != got
    if wanted == got:
        print(f"ok {checks} - {what}")
    else:
        print(f"not ok {checks} - {what}: {got}, not {wanted}")


def pages(address, size):
    """Pages that a range touches, by node; negative: no page, by errno."""
    first = address // PAGE * PAGE
    count = (address + size - first + PAGE - 1) // PAGE
    addresses = (ctypes.c_void_p * count)(*range(first, first + count * PAGE, PAGE))
    status = (ctypes.c_int * count)()
    number = ctypes.c_long(MOVE_PAGES)
    if libc.syscall(number, 0, ctypes.c_ulong(count), addresses, None, status, 0):
        raise OSError(ctypes.get_errno(), "move_pages")
    return dict(Counter(status))


def of(array):
    return pages(array.ctypes.data, array.nbytes)


def all_of(array, node):
    """What pages() has to say when all are there."""
    first = array.ctypes.data // PAGE
    last = (array.ctypes.data + array.nbytes - 1) // PAGE
    return {node: last - first + 1}


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).view(np.uint8)).hexdigest()


def made_in_a_scope():
    with cxlmalloc.tier("cxl"):
        ones = np.ones(2 << 20)
        zeros = np.zeros((1000, 1000))
        product = np.arange(90000.0).reshape(300, 300) @ np.ones((300, 300))
        joined = np.concatenate([product, product + 1])
        random = np.random.default_rng(7).random(1 << 19)
        small = np.arange(100)
    zeros += 1
    near = np.ones(2 << 20)
    for name, array in (
        ("ones", ones),
        ("zeros, touched after the scope", zeros),
        ("a product", product),
        ("joined", joined),
        ("random", random),
        ("800 bytes", small),
    ):
        check(f"{name}: all pages on CXL's node", all_of(array, CXL), of(array))
    check("after the scope: on DDR's node", all_of(near, DDR), of(near))
    with cxlmalloc.tier("ddr"):
        near = np.ones(2 << 20)
    check("a scope of ddr: on DDR's node", all_of(near, DDR), of(near))
    return random, ones


def moved(array, other):
    before, address = digest(array), array.ctypes.data
    got = cxlmalloc.migrate(array, "ddr", strict=True)
    check("migrate: says all bytes are there", array.nbytes, got)
    check("migrate: all pages on DDR's node", all_of(array, DDR), of(array))
    check("migrate: contents", before, digest(array))
    check("migrate: the address stays", address, array.ctypes.data)
    check("migrate: others stay", all_of(other, CXL), of(other))
    wanted = {node: nr * PAGE for node, nr in of(array).items()}
    check("migrate: residency", wanted, cxlmalloc.residency(array))
    check("migrate: node_of", DDR, cxlmalloc.node_of(array))
    cxlmalloc.migrate(array, CXL)
    check("migrate back by node", all_of(array, CXL), of(array))
    check("migrate back: contents", before, digest(array))
    again = cn.array(array, tier="ddr")
    check("a copy on ddr", all_of(again, DDR), of(again))
    check("a copy: contents", before, digest(again))


def freed_while_away():
    """The heap hands a block's pages to the next one."""
    for step in range(4):
        with cxlmalloc.tier("cxl"):
            array = np.full(1 << 20, 1.0)
        cxlmalloc.migrate(array, "ddr", strict=True)
        if step % 2:
            array.resize(3 << 20, refcheck=False)
            array[1 << 20 :] = 3
            check("moved, and resized", (1, 3), (array[5], array[-1]))
        del array
        with cxlmalloc.tier("cxl"):
            array = np.full(1 << 20, 2.0)
        check("after one that was moved", all_of(array, CXL), of(array))


def resized():
    with cxlmalloc.tier("cxl"):
        array = np.arange(1000)
    array.resize(3 << 20, refcheck=False)
    array[1000:] = 5
    check("resized outside: all pages on CXL's node", all_of(array, CXL), of(array))
    check("resized: contents", (499500, 5), (int(array[:1000].sum()), int(array[-1])))


def buffers():
    buffer = cxlmalloc.Buffer(8 << 20, "cxl")
    buffer.populate()
    # Linux 6.12 maps pages of zeroes to its zero page when it splits a huge page.
    buffer[:] = b"\x01" * buffer.size
    check("a buffer", [CXL], list(pages(buffer.address, buffer.size)))
    buffer[:5] = b"hello"
    view = buffer.view()
    check("a buffer migrates", 8 << 20, buffer.migrate("ddr", strict=True))
    check("a buffer: on DDR's node", [DDR], list(pages(buffer.address, buffer.size)))
    check("a buffer: its view", b"hello", bytes(view[:5]))
    view.release()
    buffer = cxlmalloc.Buffer(8 << 20, "ddr")
    buffer.populate()
    buffer[-1] = 7
    buffer.move("cxl", strict=True)
    check("a buffer moves", [CXL], list(pages(buffer.address, buffer.size)))
    check("a buffer: contents", 7, buffer[-1])
    buffer = cxlmalloc.Buffer(8 << 20, node=CXL, strict=True)
    buffer.populate()
    check("a buffer of a node", [CXL], list(pages(buffer.address, buffer.size)))


def pools():
    pool = cxlmalloc.Pool(nodes=[CXL], limit=64 << 20)
    with pool.scope():
        array = np.ones(1 << 20)
    check("a pool's array", all_of(array, CXL), of(array))
    pool = cxlmalloc.Pool(nodes=[DDR, CXL], policy="interleave")
    array = cn.ones(1 << 20, pool=pool)
    share = of(array)
    near = share.get(DDR, 0) / sum(share.values())
    check("an interleaved pool: half and half", True, 0.45 < near < 0.55)


async def task(name, node):
    with cxlmalloc.tier(name):
        for _ in range(3):
            array = np.ones(100000)
            check(f"a task's array on {name}", all_of(array, node), of(array))
            await asyncio.sleep(0)


async def tasks():
    await asyncio.gather(task("cxl", CXL), task("ddr", DDR))


def thread():
    got = []

    def work():
        with cxlmalloc.tier("cxl"):
            got.append(np.ones(100000))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for array in got:
        check("a thread's array", all_of(array, CXL), of(array))


def objects():
    """CPython's own, which PYTHONMALLOC=malloc sends to the preloaded malloc."""
    with cxlmalloc.tier("cxl"):
        far = [f"{i:01000}" for i in range(3000)]
    near = [f"{i:01000}" for i in range(3000)]
    for what, strings, node in (("cxl", far, CXL), ("policy", near, DDR)):
        nodes = Counter()
        for string in strings:
            nodes.update(pages(id(string), sys.getsizeof(string)))
        check(f"strings made with {what}", [node], list(nodes))


first, second = made_in_a_scope()
moved(first, second)
freed_while_away()
resized()
buffers()
pools()
asyncio.run(tasks())
thread()
if cxlmalloc.preloaded():
    objects()
tiers = cxlmalloc.tiers()
check("tiers: nodes", ((DDR,), (CXL,)), (tiers["ddr"].nodes, tiers["cxl"].nodes))
check("tiers: nothing misplaced", 0, tiers["cxl"].misplaced)
check("nodes: tiers", {DDR: "ddr", CXL: "cxl"}, {n.node: n.tier for n in cxlmalloc.nodes()})
print(f"1..{checks}")
sys.exit(failures > 0)
