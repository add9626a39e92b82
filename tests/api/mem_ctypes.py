#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
#
# mem_ctypes LIBRARY own|same - Python loads the library, as a binding would
import ctypes
import os
import sys
import threading

path, how = sys.argv[1:3]
failures = 0
nr = 0


def check(good, name):
    global failures, nr
    nr += 1
    failures += not good
    print("%sok %d - %s" % ("" if good else "not ", nr, name), flush=True)


def load():
    lib = ctypes.CDLL(path)
    lib.cxlm_malloc.restype = ctypes.c_void_p
    lib.cxlm_malloc.argtypes = [ctypes.c_int, ctypes.c_size_t, ctypes.c_int]
    lib.cxlm_free.restype = None
    lib.cxlm_free.argtypes = [ctypes.c_void_p]
    lib.cxlm_tier_of.argtypes = [ctypes.c_void_p]
    lib.cxlm_version.restype = ctypes.c_char_p
    return lib


def on_tiers(lib):
    for tier in 0, 1:
        blocks = [lib.cxlm_malloc(tier, 1 + i * 37, 0) for i in range(500)]
        if any(lib.cxlm_tier_of(p) != tier for p in blocks):
            return False
        for i, p in enumerate(blocks):
            ctypes.memset(p, i & 255, 1 + i * 37)
        for i, p in enumerate(blocks):
            if ctypes.string_at(p, 1 + i * 37) != bytes([i & 255]) * (1 + i * 37):
                return False
            lib.cxlm_free(p)
    return True


results = []


def in_thread():
    results.append(on_tiers(load()))


first = threading.Thread(target=in_thread)
first.start()
first.join()
check(results == [True], "loaded and used by a thread")
lib = load()
check(on_tiers(lib), "and by the main thread")
check(lib.cxlm_version().startswith(b"0."), "cxlm_version")

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
p = libc.malloc(1000)
check((lib.cxlm_tier_of(p) == -1) == (how == "own"), "malloc's block, " + how)
lib.cxlm_free(p)
if how == "same":
    libc.free(lib.cxlm_malloc(1, 1000, 0))

pid = os.fork()
if pid == 0:
    os._exit(0 if on_tiers(lib) else 1)
check(os.waitpid(pid, 0)[1] == 0, "a child goes on")
print("1..%d" % nr)
sys.exit(failures != 0)
