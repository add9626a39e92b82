/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

import static io.cxlmalloc.Run.equal;

import java.nio.ByteBuffer;

/** With libcxlmalloc.so in LD_PRELOAD. */
final class Preloaded {
    private Preloaded() {}

    @Test("Java's own direct buffers follow a scope")
    static void direct() {
        equal(Tier.DDR, Cxl.tierOf(ByteBuffer.allocateDirect(100_000)));
        try (CxlScope scope = Cxl.scope(Tier.CXL)) {
            equal(Tier.CXL, Cxl.tierOf(ByteBuffer.allocateDirect(100_000)));
        }
        equal(Tier.DDR, Cxl.tierOf(ByteBuffer.allocateDirect(100_000)));
    }

    @Test("both are one heap")
    static void heap() {
        long before = Cxl.info(Tier.DDR).inUse;
        ByteBuffer direct = ByteBuffer.allocateDirect(128 << 20);
        long more = Cxl.info(Tier.DDR).inUse - before;
        // The JVM's compiler threads free some of theirs meanwhile.
        Run.check(more >= 64 << 20, more + " bytes more in use");
        equal(Tier.DDR, Cxl.tierOf(direct));
    }
}
