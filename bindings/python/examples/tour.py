# SPDX-License-Identifier: BSD-2-Clause
# A tour of cxlmalloc in cells: an editor that knows "# %%" runs them one by one,
# python runs them all.

# %% Where memory can be
import asyncio

import cxlmalloc
import cxlmalloc.numpy as cn
import numpy as np

print(cxlmalloc.version(), "from", cxlmalloc.library())
for name, info in cxlmalloc.tiers().items():
    free = info.free >> 20
    print(f"{name}: nodes {info.nodes}, {free} MiB free, binding {info.binding}")

# %% Any numpy function in a scope allocates on its tier
with cxlmalloc.tier("cxl"):
    table = np.arange(1_000_000, dtype=np.float64).reshape(1000, 1000)
    products = table @ table.T
print("products:", cxlmalloc.tier_of(products), cxlmalloc.residency(products))
assert cxlmalloc.tier_of(products) == "cxl"

# %% One array at a time
hot = cn.zeros(1000, tier="ddr")
cold = cn.array(hot, tier="cxl")
assert (cxlmalloc.tier_of(hot), cxlmalloc.tier_of(cold)) == ("ddr", "cxl")

# %% To where it is needed now: the array stays the same, its pages move
total = products.sum()
moved = cxlmalloc.migrate(products, "ddr")
print(f"{moved} of {products.nbytes} bytes are on DDR's nodes now")
assert products.sum() == total

# %% Bytes: a buffer for files, sockets, numpy
buffer = cxlmalloc.Buffer(1 << 20, "cxl")
with open("/proc/self/maps", "rb") as file, buffer.view() as view:
    read = file.readinto(view)
print("read", read, "bytes into", buffer)
buffer.resize(read)

# %% A pool with a limit of its own
pool = cxlmalloc.Pool("cxl", limit=32 << 20, name="tour")
with pool.scope():
    rows = [np.full(10_000, i) for i in range(20)]
print(pool)
try:
    cn.zeros(64 << 20, pool=pool)
except MemoryError as error:
    print("as it should be:", error)


# %% Tasks: each has its own tier
async def task(name):
    with cxlmalloc.tier(name):
        for _ in range(3):
            assert cxlmalloc.tier_of(np.ones(1000)) == name
            await asyncio.sleep(0)


async def tasks():
    await asyncio.gather(task("ddr"), task("cxl"))


asyncio.run(tasks())

# %% What the process uses, and the settings in force
for name, stat in cxlmalloc.stats().items():
    print(f"{name}: {stat.used} bytes, at most {stat.peak} so far")
print("order:", cxlmalloc.policy["order"])
cxlmalloc.policy["cxl.limit"] = "1g"
assert cxlmalloc.stats()["cxl"].limit == 1 << 30
cxlmalloc.policy["cxl.limit"] = "none"

# %%
print("the end")
