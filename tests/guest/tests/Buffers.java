/* SPDX-License-Identifier: BSD-2-Clause */
import io.cxlmalloc.*;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;

/** Buffers DDR CXL - io.cxlmalloc's buffers, and where their pages are. A node of each tier. */
public class Buffers {
    private static final int SIZE = 16 << 20;
    private static int nr;
    private static int bad;

    private static void check(boolean right, String what) {
        nr++;
        bad += right ? 0 : 1;
        System.out.println((right ? "ok " : "not ok ") + nr + " - " + what);
    }

    /** All of it, and what it shares a page with. */
    private static boolean on(CxlBuffer buffer, int node) {
        long[] bytes = buffer.residency();
        System.out.println("# " + Arrays.toString(bytes));
        long elsewhere = Arrays.stream(bytes).sum() - bytes[node];
        return bytes[node] >= buffer.size() && elsewhere == 0;
    }

    private static CxlBuffer filled(CxlBuffer buffer) {
        ByteBuffer view = buffer.buffer();
        for (int i = 0; i < SIZE; i += 4096) {
            view.putLong(i, i * 7L);
        }
        return buffer;
    }

    private static boolean intact(CxlBuffer buffer) {
        for (int i = 0; i < SIZE; i += 4096) {
            if (Long.reverseBytes(buffer.getLong(i)) != i * 7L) {
                return false;
            }
        }
        return true;
    }

    public static void main(String[] args) {
        int ddr = Integer.parseInt(args[0]);
        int cxl = Integer.parseInt(args[1]);
        check(Cxl.info(Tier.CXL).nodes().equals(BitSet.valueOf(new long[] {1L << cxl})), "cxl's node");
        // Whole pages: no other is moved with it.
        try (CxlBuffer buffer = filled(Cxl.allocate(Tier.CXL, SIZE, 4096, true))) {
            check(on(buffer, cxl), "a buffer of CXL is on its node");
            check(buffer.migrate(Tier.DDR, true) >= SIZE && on(buffer, ddr), "moved to DDR");
            check(intact(buffer), "with its contents");
            check(buffer.migrate(Tier.CXL, true) >= SIZE && on(buffer, cxl), "and back");
            check(intact(buffer), "with its contents, again");
        }
        try (CxlBuffer buffer = filled(Cxl.allocateOnNode(cxl, SIZE, true))) {
            check(on(buffer, cxl), "a buffer of a node");
        }
        try (CxlPool pool = CxlPool.onNodes(cxl).create();
                CxlBuffer buffer = filled(pool.allocate(SIZE))) {
            check(on(buffer, cxl), "a buffer of a pool");
        }
        try (CxlScope scope = Cxl.scope(Tier.CXL);
                CxlBuffer buffer = filled(Cxl.allocate(Tier.POLICY, SIZE))) {
            check(on(buffer, cxl), "a buffer in a scope");
            if (!System.getenv().getOrDefault("LD_PRELOAD", "").isEmpty()) {
                ByteBuffer direct = ByteBuffer.allocateDirect(SIZE);
                boolean there = true;
                for (int i = 0; i < SIZE; i += 65536) {
                    direct.put(i, (byte) 1);
                    direct.position(i);
                    there &= Cxl.nodeOf(direct.slice()) == cxl;
                }
                check(there, "Java's own direct buffer in a scope");
            }
        }
        System.out.println("1.." + nr);
        System.exit(bad == 0 ? 0 : 1);
    }
}
