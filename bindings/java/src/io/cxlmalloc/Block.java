/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

import java.util.concurrent.atomic.AtomicLong;

/**
 * A block of libcxlmem's.
 *
 * <p>The collector sees a small object, whatever the block's size, and may leave thousands of dead ones
 * lying. So it is asked to run when the bytes of blocks have doubled since it last freed some (from
 * {@link #LEAST} on), and when there is no room.
 */
final class Block extends Counted {
    static final long LEAST = 256L << 20;

    /** Given up when the collector frees nothing for so long. */
    private static final long PATIENCE_MS = 100;

    private static final boolean COLLECT =
            !"false".equals(System.getProperty("io.cxlmalloc.collect"));

    private static final AtomicLong held = new AtomicLong();
    /** What was held when the collector last freed a block, or was last asked. */
    private static volatile long base;

    private static final Object collected = new Object();
    /** Blocks the collector has freed; under the monitor of collected. */
    private static long nrCollected;

    final long address;
    final long size;
    /** null: of no pool. */
    private final PoolHandle pool;

    interface Source {
        long get();
    }

    /** The block's one user is the caller. A pool has been retained by then, which is handed over. */
    Block(long size, PoolHandle pool, Source source) {
        try {
            if (size < 0) {
                throw new IllegalArgumentException("a size of " + size);
            }
            address = room(size, source);
        } catch (Throwable e) {
            if (pool != null) {
                pool.release(false);
            }
            throw e;
        }
        this.size = size;
        this.pool = pool;
        held.addAndGet(size);
    }

    static long held() {
        return held.get();
    }

    @Override
    void end(boolean byCollector) {
        Native.free(address);
        long now = held.addAndGet(-size);
        if (pool != null) {
            pool.release(byCollector);
        }
        if (byCollector) {
            // Blocks that a program frees itself do not count: one that takes and
            // frees a large block in turn is no reason to collect each time.
            base = Math.min(base, now);
            synchronized (collected) {
                nrCollected++;
                collected.notifyAll();
            }
        }
    }

    private static long room(long size, Source source) {
        long now = held.get() + size;
        if (COLLECT && now > LEAST && now / 2 > base) {
            base = now;
            collect(now / 2);
        }
        try {
            return source.get();
        } catch (OutOfMemoryError e) {
            if (!COLLECT || held.get() == 0) {
                throw e;
            }
            return retry(source, e);
        }
    }

    /**
     * The collector finds them at once, its thread frees them one after another: who allocates waits for
     * it, else it would be ahead for ever.
     */
    private static void collect(long enough) {
        long seen = nrCollected();
        System.gc();
        while (held.get() > enough && waitCollected(seen)) {
            seen = nrCollected();
        }
    }

    private static long nrCollected() {
        synchronized (collected) {
            return nrCollected;
        }
    }

    /** Until the collector has freed more than so many blocks; false: it does not. */
    private static boolean waitCollected(long seen) {
        synchronized (collected) {
            try {
                if (nrCollected == seen) {
                    collected.wait(PATIENCE_MS);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
            return nrCollected != seen;
        }
    }

    private static long retry(Source source, OutOfMemoryError error) {
        long seen = nrCollected();
        System.gc();
        while (waitCollected(seen)) {
            seen = nrCollected();
            try {
                return source.get();
            } catch (OutOfMemoryError again) {
                // The next that is freed may make room.
            }
        }
        throw error;
    }
}
