/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

/** What there was of a NUMA node when it was asked for; units as in {@link TierInfo}. */
public final class NodeInfo {
    static final int NR_VALUES = 8;

    public final int node;

    /** null: in none. */
    public final Tier tier;

    /** System. */
    public final long total;

    /** System. */
    public final long free;

    /** Process: bytes of its heap's pages there. */
    public final long resident;

    public final long readLatency;
    public final long writeLatency;
    public final long readBandwidth;
    public final long writeBandwidth;

    NodeInfo(int node, long[] values) {
        this.node = node;
        tier = Tier.of((int) values[0]);
        total = values[1];
        free = values[2];
        resident = values[3];
        readLatency = values[4];
        writeLatency = values[5];
        readBandwidth = values[6];
        writeBandwidth = values[7];
    }

    @Override
    public String toString() {
        return "node " + node + " (" + tier + "), " + free + " of " + total + " bytes free";
    }
}
