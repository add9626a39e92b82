/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

import java.util.BitSet;

/**
 * What there was of a tier when it was asked for. Bytes; "system" is everybody's, "process" this one's.
 * Latency and bandwidth are the kernel's word; 0: it does not know them.
 */
public final class TierInfo {
    static final int NR_VALUES = 12;

    public final Tier tier;

    /** "ddr", "cxl". */
    public final String name;

    /** "strict", "preferred", "emulated", "denied", "offline", "none": cxlctl-stat(1). */
    public final String binding;

    private final BitSet nodes;

    /** System: of its nodes. */
    public final long total;

    /** System: of these, free. */
    public final long free;

    /** Process: committed. */
    public final long used;

    /** Process: in blocks. */
    public final long inUse;

    /** Process: or {@link Cxl#NO_LIMIT}. */
    public final long limit;

    /** Process: what it may still take. */
    public final long available;

    /** Process: bytes of its heap's pages there. */
    public final long resident;

    /** Process: bytes of its pages elsewhere. */
    public final long misplaced;

    /** Nanoseconds, of the nearest node. */
    public final long readLatency;

    public final long writeLatency;

    /** MB/s, the sum of its nodes. */
    public final long readBandwidth;

    public final long writeBandwidth;

    TierInfo(Tier tier) {
        String[] names = new String[2];
        long[] bits = new long[16];
        long[] values = new long[NR_VALUES];
        Native.tierInfo(tier.code, names, bits, values);
        this.tier = tier;
        name = names[0];
        binding = names[1];
        nodes = BitSet.valueOf(bits);
        total = values[0];
        free = values[1];
        used = values[2];
        inUse = values[3];
        limit = values[4];
        available = values[5];
        resident = values[6];
        misplaced = values[7];
        readLatency = values[8];
        writeLatency = values[9];
        readBandwidth = values[10];
        writeBandwidth = values[11];
    }

    /** A bit for each node it uses now. */
    public BitSet nodes() {
        return (BitSet) nodes.clone();
    }

    @Override
    public String toString() {
        return name + " (" + binding + "), nodes " + nodes + ", used " + used + " of "
                + (limit == Cxl.NO_LIMIT ? "no limit" : limit + " bytes");
    }
}
