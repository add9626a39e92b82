/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

/**
 * A pool: nodes, a limit and a policy of its own; its blocks lie in pages of their own.
 *
 * <p>After {@link #close} no more is allocated of it; its memory is the kernel's again when its last
 * buffer is freed. One that is unreachable, and whose buffers are, is closed by the collector.
 */
public final class CxlPool implements AutoCloseable {
    /** How its pages lie on the nodes. The order is that of pool.h. */
    public enum Policy {
        /** On the nodes or not at all. */
        BIND,
        /** On others when they are full. */
        PREFERRED,
        /** Page by page on all of them in turn. */
        INTERLEAVE
    }

    /** What a pool holds: bytes. */
    public static final class Stat {
        /** Committed now. */
        public final long used;

        /** Or {@link Cxl#NO_LIMIT}. */
        public final long limit;

        /** The highest used so far. */
        public final long peak;

        /** In pages that hold blocks. */
        public final long inUse;

        /** Whose nodes; null: of several. */
        public final Tier tier;

        private Stat(long[] values) {
            used = values[0];
            limit = values[1];
            peak = values[2];
            inUse = values[3];
            tier = Tier.of((int) values[4]);
        }
    }

    /** What a pool is to be like. */
    public static final class Builder {
        private final int tier;
        private final long[] nodes;
        private Policy policy = Policy.BIND;
        private long limit = Cxl.NO_LIMIT;
        private String name;

        private Builder(int tier, long[] nodes) {
            this.tier = tier;
            this.nodes = nodes;
        }

        public Builder policy(Policy policy) {
            this.policy = policy;
            return this;
        }

        /** Bytes it may commit; 0 or {@link Cxl#NO_LIMIT}: only its tier's limit holds. */
        public Builder limit(long bytes) {
            limit = bytes;
            return this;
        }

        /** For reports, up to 31 bytes. */
        public Builder name(String name) {
            this.name = name;
            return this;
        }

        public CxlPool create() {
            return new CxlPool(Native.poolCreate(tier, nodes, policy.ordinal(), limit, name));
        }
    }

    private final PoolHandle handle;
    private final Counted.User owner;
    private volatile boolean closed;

    private CxlPool(long pool) {
        handle = new PoolHandle(pool);
        owner = handle.user(this);
    }

    /** Of the nodes a tier has, also when they change. */
    public static Builder on(Tier tier) {
        return new Builder(tier.code, null);
    }

    /** Of these NUMA nodes. */
    public static Builder onNodes(int... nodes) {
        int last = 0;
        for (int node : nodes) {
            if (node < 0 || node >= 1024) {
                throw new IllegalArgumentException("node " + node);
            }
            last = Math.max(last, node);
        }
        long[] bits = new long[last / Long.SIZE + 1];
        for (int node : nodes) {
            bits[node / Long.SIZE] |= 1L << node % Long.SIZE;
        }
        return new Builder(Tier.POLICY.code, bits);
    }

    /**
     * Memory of the pool; zero.
     *
     * @throws OutOfMemoryError its limit, its tier's, or the nodes have no room
     */
    public CxlBuffer allocate(long size) {
        return allocate(size, 0);
    }

    /** @param align a power of two; 0: as malloc aligns */
    public CxlBuffer allocate(long size, long align) {
        enter();
        return Cxl.buffer(
                new Block(size, handle, () -> Native.poolAllocate(handle.pool, size, align)));
    }

    public Stat stat() {
        enter();
        try {
            return new Stat(Native.poolStat(handle.pool));
        } finally {
            handle.release(false);
        }
    }

    /** Another limit; one below what is used stops the pool from growing. */
    public void limit(long bytes) {
        enter();
        try {
            Native.poolSetLimit(handle.pool, bytes);
        } finally {
            handle.release(false);
        }
    }

    private void enter() {
        if (handle.tryRetain()) {
            if (!closed) {
                return;
            }
            handle.release(false);
        }
        throw new IllegalStateException("the pool is closed");
    }

    @Override
    public void close() {
        closed = true;
        owner.close();
    }
}
