/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

import java.nio.Buffer;
import java.nio.ByteBuffer;

/**
 * The functions of libcxlmem, as jni/cxlmalloc.c has them. Addresses are not checked here; nothing but
 * this class knows that it is JNI.
 */
final class Native {
    static {
        String file = System.getProperty("io.cxlmalloc.library");
        if (file != null) {
            System.load(file);
        } else {
            System.loadLibrary("cxlmalloc-jni");
        }
    }

    static final int STRICT = 2;

    private Native() {}

    static native String version();

    /** All zero; align 0: as malloc. */
    static native long allocate(int tier, long size, long align, int flags);

    static native long nodeAllocate(int node, long size, int flags);

    static native void free(long address);

    static native ByteBuffer view(long address, long size);

    /** Of the buffer's first byte, whatever its position. */
    static native long address(Buffer buffer);

    static native void read(long address, byte[] to, int offset, int length);

    static native void write(long address, byte[] from, int offset, int length);

    static native void fill(long address, long size, byte value);

    static native long getLong(long address);

    static native void putLong(long address, long value);

    static native byte getByte(long address);

    static native void putByte(long address, byte value);

    static native int tierOf(long address);

    /** -1: no page is there. */
    static native int nodeOf(long address);

    static native long[] resident(long address, long size);

    static native long migrate(long address, long size, int tier, int flags);

    static native void populate(long address, long size);

    static native void advise(long address, long size, int advice);

    static native long poolCreate(int tier, long[] nodes, int policy, long limit, String name);

    static native void poolDestroy(long pool);

    static native long poolAllocate(long pool, long size, long align);

    static native long[] poolStat(long pool);

    static native void poolSetLimit(long pool, long limit);

    static native void push(int tier);

    static native void pop();

    static native int hint(String name, int tier);

    static native void tierInfo(int tier, String[] names, long[] nodes, long[] values);

    static native int nodes();

    /** false: there is no such node. */
    static native boolean nodeInfo(int node, long[] values);

    static native long ctlLong(String name);

    static native String ctlString(String name);

    static native void ctlSetLong(String name, long value);

    static native void ctlSetString(String name, String value);

    /** null behind the last; {type, writable} in flags. */
    static native String ctlName(int index, boolean[] flags);
}
