/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Memory on a tier, outside the Java heap; zero at first.
 *
 * <p>It is reached by direct {@link ByteBuffer}s, its <em>views</em>, which cost what other direct
 * buffers do, or by the methods here, which are checked on each call and fit for little or for much at
 * once ({@link #read}, {@link #write}).
 *
 * <p><b>How long it lives.</b> Until {@link #close}, or until the garbage collector finds it unreachable
 * &mdash; and in both cases until every view, and every slice, duplicate or buffer of another type made
 * of one, is unreachable, too. A ByteBuffer cannot be told that it has ended: no Java code could make it
 * throw. So a view that is used after {@code close} works, its memory is intact, and it is freed when the
 * collector finds the last view gone; the methods of this class throw {@link IllegalStateException}.
 * A block that never had a view is freed by {@code close} itself. Where memory has to be back at a known
 * moment although there were views there is {@link #closeNow}, which trusts its caller.
 *
 * <p>What this cannot protect from: native code that keeps the address of a view
 * (GetDirectBufferAddress) but not the view, and {@code sun.misc.Unsafe}.
 *
 * <p>Any thread may use any method. Contents are as with other memory: who writes what another thread
 * reads has to synchronize with it.
 */
public final class CxlBuffer implements AutoCloseable {
    private final Block block;
    private final Counted.User owner;
    private volatile boolean closed;
    /** Of the whole; null before it is first asked for. */
    private ByteBuffer whole;
    /** Of the roots of views; under this object's monitor, as whole. */
    private final List<Counted.User> views = new ArrayList<>(1);
    private int pruneAt = 64;

    CxlBuffer(Block block) {
        this.block = block;
        owner = block.user(this);
    }

    /** Bytes. */
    public long size() {
        return block.size;
    }

    public boolean isClosed() {
        return closed;
    }

    /**
     * All of it as a direct buffer, big-endian as every new one ({@link
     * ByteBuffer#order(java.nio.ByteOrder) order(ByteOrder.nativeOrder())} is faster), its own position
     * and limit each time.
     *
     * @throws IllegalStateException after close, or when it is larger than a ByteBuffer can be: {@link
     *     #slice}
     */
    public ByteBuffer buffer() {
        if (block.size > Integer.MAX_VALUE) {
            throw new IllegalStateException(block.size + " bytes are too many for one ByteBuffer");
        }
        return whole().duplicate();
    }

    /** A part of it as a direct buffer. */
    public ByteBuffer slice(long offset, int length) {
        check(offset, length);
        if (block.size > Integer.MAX_VALUE) {
            return view(offset, length);
        }
        ByteBuffer all = whole().duplicate();
        all.position((int) offset).limit((int) offset + length);
        return all.slice();
    }

    private synchronized ByteBuffer whole() {
        if (whole == null || closed) {
            whole = view(0, block.size);
        }
        return whole;
    }

    /** The root of views: what is made of it refers to it, and so keeps the block. */
    private synchronized ByteBuffer view(long offset, long length) {
        enter();
        try {
            ByteBuffer view = Native.view(block.address + offset, length);
            if (views.size() == pruneAt) {
                views.removeIf(Counted.User::ended);
                pruneAt = Math.max(64, 2 * views.size());
            }
            views.add(block.user(view));
            return view;
        } catch (Throwable e) {
            leave();
            throw e;
        }
    }

    private void enter() {
        if (block.tryRetain()) {
            if (!closed) {
                return;
            }
            block.release(false);
        }
        throw new IllegalStateException("the buffer is closed");
    }

    private void leave() {
        block.release(false);
    }

    private void check(long offset, long length) {
        if (offset < 0 || length < 0 || offset > block.size - length) {
            throw new IndexOutOfBoundsException(
                    length + " bytes at " + offset + " of " + block.size);
        }
    }

    private static void check(byte[] array, int offset, int length) {
        if (offset < 0 || length < 0 || offset > array.length - length) {
            throw new IndexOutOfBoundsException(
                    length + " bytes at " + offset + " of an array of " + array.length);
        }
    }

    /** Copies bytes from here, from a position on, into the array. */
    public void read(long position, byte[] to, int offset, int length) {
        check(position, length);
        check(to, offset, length);
        enter();
        try {
            Native.read(block.address + position, to, offset, length);
        } finally {
            leave();
        }
    }

    /** Copies bytes of the array to here. */
    public void write(long position, byte[] from, int offset, int length) {
        check(position, length);
        check(from, offset, length);
        enter();
        try {
            Native.write(block.address + position, from, offset, length);
        } finally {
            leave();
        }
    }

    public void fill(long position, long length, byte value) {
        check(position, length);
        enter();
        try {
            Native.fill(block.address + position, length, value);
        } finally {
            leave();
        }
    }

    /** Eight bytes in the machine's order; the position need not be aligned. */
    public long getLong(long position) {
        check(position, Long.BYTES);
        enter();
        try {
            return Native.getLong(block.address + position);
        } finally {
            leave();
        }
    }

    public void putLong(long position, long value) {
        check(position, Long.BYTES);
        enter();
        try {
            Native.putLong(block.address + position, value);
        } finally {
            leave();
        }
    }

    public byte getByte(long position) {
        check(position, 1);
        enter();
        try {
            return Native.getByte(block.address + position);
        } finally {
            leave();
        }
    }

    public void putByte(long position, byte value) {
        check(position, 1);
        enter();
        try {
            Native.putByte(block.address + position, value);
        } finally {
            leave();
        }
    }

    /** The tier it was allocated from; null: the process is not tiered. */
    public Tier tier() {
        enter();
        try {
            return Tier.of(Native.tierOf(block.address));
        } finally {
            leave();
        }
    }

    /** The NUMA node that has the page of this byte; -1: it has none, as it was never touched. */
    public int node(long position) {
        check(position, 1);
        enter();
        try {
            return Native.nodeOf(block.address + position);
        } finally {
            leave();
        }
    }

    /**
     * Bytes on each node, by the kernel's word: [i] of node i.
     *
     * <p>By pages: one that is shared with another block counts whole.
     */
    public long[] residency() {
        enter();
        try {
            return Native.resident(block.address, block.size);
        } finally {
            leave();
        }
    }

    /** {@link #migrate(Tier, boolean)}, as far as it goes. */
    public long migrate(Tier tier) {
        return migrate(tier, false);
    }

    /**
     * Moves its pages to a tier's nodes. Addresses and contents stay; views may be in use meanwhile.
     *
     * @param strict all of it, or an exception
     * @return bytes of its pages that are there now; those that were never touched do not count, nor
     *     pages it has not for itself
     */
    public long migrate(Tier tier, boolean strict) {
        enter();
        try {
            return Native.migrate(
                    block.address, block.size, tier.code, strict ? Native.STRICT : 0);
        } finally {
            leave();
        }
    }

    /** Has all its pages now rather than at first touch. */
    public void populate() {
        enter();
        try {
            Native.populate(block.address, block.size);
        } finally {
            leave();
        }
    }

    /** Advice is taken as far as it can be. */
    public void advise(Advice advice) {
        enter();
        try {
            Native.advise(block.address, block.size, advice.ordinal());
        } finally {
            leave();
        }
    }

    /** The end; see above for the memory of views that are still there. More than once is harmless. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            whole = null;
        }
        owner.close();
    }

    /**
     * As {@link #close}, but the memory is given back now (when the last call that is under way on another
     * thread has ended), though there are views: <b>none may be used any more</b>. One that is used
     * nevertheless reads and overwrites other data, or ends the Java machine.
     */
    public void closeNow() {
        close();
        List<Counted.User> all;
        synchronized (this) {
            all = new ArrayList<>(views);
            views.clear();
        }
        all.forEach(Counted.User::close);
    }

    @Override
    public String toString() {
        return "CxlBuffer[" + block.size + (closed ? " bytes, closed]" : " bytes]");
    }
}
