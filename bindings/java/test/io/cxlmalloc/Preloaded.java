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
        ByteBuffer direct = ByteBuffer.allocateDirect(32 << 20);
        Run.check(Cxl.info(Tier.DDR).inUse >= before + (32 << 20), "not counted");
        equal(Tier.DDR, Cxl.tierOf(direct));
    }
}
