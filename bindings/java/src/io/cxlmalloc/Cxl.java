/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Memory on DDR or on CXL: where it is, how much there is, and the policy.
 *
 * <p>What the operator has set holds: limits, order, nodes (cxlmalloc.conf(5)). Any thread may call any
 * method. Refused: see {@link CxlException}.
 */
public final class Cxl {
    /** No limit was set. */
    public static final long NO_LIMIT = -1;

    private Cxl() {}

    /** Of the library and of the jemalloc in it. */
    public static String version() {
        return Native.version();
    }

    /**
     * Memory on a tier; on the policy's next when that has no room, as for malloc.
     *
     * @throws OutOfMemoryError no tier has room
     */
    public static CxlBuffer allocate(Tier tier, long size) {
        return allocate(tier, size, 0, false);
    }

    /**
     * Memory on a tier.
     *
     * @param strict there or not at all
     * @throws OutOfMemoryError no room
     * @throws UnsupportedOperationException strict, and the process does not use that tier
     */
    public static CxlBuffer allocate(Tier tier, long size, boolean strict) {
        return allocate(tier, size, 0, strict);
    }

    /**
     * Memory on a tier whose address is a multiple of a power of two. It is touched by this: all of its
     * pages are there.
     *
     * @param align 0: as malloc aligns
     */
    public static CxlBuffer allocate(Tier tier, long size, long align, boolean strict) {
        int code = tier.code;
        int flags = strict ? Native.STRICT : 0;
        return buffer(new Block(size, null, () -> Native.allocate(code, size, align, flags)));
    }

    /**
     * Memory on one NUMA node.
     *
     * @param strict there or not at all; else on others when it is full
     */
    public static CxlBuffer allocateOnNode(int node, long size, boolean strict) {
        int flags = strict ? Native.STRICT : 0;
        return buffer(new Block(size, null, () -> Native.nodeAllocate(node, size, flags)));
    }

    static CxlBuffer buffer(Block block) {
        try {
            return new CxlBuffer(block);
        } catch (Throwable e) {
            block.release(false);
            throw e;
        }
    }

    /** Bytes of all {@link CxlBuffer}s that are not freed yet. */
    public static long held() {
        return Block.held();
    }

    /** The tier a direct buffer, any, was allocated from; null: of none. */
    public static Tier tierOf(ByteBuffer buffer) {
        return Tier.of(Native.tierOf(addressOf(buffer)));
    }

    /** The node that has the page of the first byte of a direct buffer, any; -1: it has none. */
    public static int nodeOf(ByteBuffer buffer) {
        try {
            return Native.nodeOf(addressOf(buffer));
        } finally {
            java.lang.ref.Reference.reachabilityFence(buffer);
        }
    }

    private static long addressOf(ByteBuffer buffer) {
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException("a buffer of the Java heap");
        }
        return Native.address(buffer);
    }

    /**
     * From here on what this thread allocates outside the Java heap tries that tier first: buffers of
     * {@link Tier#POLICY} and, under libcxlmalloc.so, every malloc, ByteBuffer.allocateDirect among them.
     */
    public static CxlScope scope(Tier tier) {
        return new CxlScope(tier);
    }

    /**
     * The tier that the operator's hint= says for data of this name, else the one given. Ask once, not for
     * each buffer.
     */
    public static Tier hint(String name, Tier tier) {
        Tier named = Tier.of(Native.hint(name, tier.code));
        return named == null ? Tier.POLICY : named;
    }

    /** What there is of a tier now. */
    public static TierInfo info(Tier tier) {
        return new TierInfo(tier);
    }

    /** The NUMA nodes that have memory. */
    public static List<NodeInfo> nodes() {
        List<NodeInfo> nodes = new ArrayList<>();
        for (int i = 0; i < Native.nodes(); i++) {
            long[] values = new long[NodeInfo.NR_VALUES];
            if (Native.nodeInfo(i, values)) {
                nodes.add(new NodeInfo(i, values));
            }
        }
        return Collections.unmodifiableList(nodes);
    }

    /**
     * A value by its name ("tier.cxl.used", "option.interleave"), see cxlm_ctl; a number in decimal.
     *
     * @throws CxlException ENOENT: no such name
     */
    public static String get(String name) {
        return Native.ctlString(name);
    }

    /** A number by its name; {@link #NO_LIMIT} where there is none. */
    public static long getLong(String name) {
        return Native.ctlLong(name);
    }

    /**
     * Another value.
     *
     * @throws CxlException EPERM: it cannot be written while the program runs
     * @throws IllegalArgumentException a value that is wrong; nothing is changed
     */
    public static void set(String name, String value) {
        Native.ctlSetString(name, value);
    }

    public static void set(String name, long value) {
        Native.ctlSetLong(name, value);
    }

    /** Another policy: settings as in CXLMALLOC_CONF, all or none of them; as {@code cxlctl policy set}. */
    public static void policy(String settings) {
        Native.ctlSetString("conf", settings);
    }

    /** The names there are. */
    public static List<String> names() {
        List<String> names = new ArrayList<>();
        boolean[] flags = new boolean[2];
        String name;
        while ((name = Native.ctlName(names.size(), flags)) != null) {
            names.add(name);
        }
        return Collections.unmodifiableList(names);
    }
}
