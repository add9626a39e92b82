/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

import static io.cxlmalloc.Run.check;
import static io.cxlmalloc.Run.collected;
import static io.cxlmalloc.Run.equal;
import static io.cxlmalloc.Run.thrown;

import java.util.ArrayList;
import java.util.List;

/** Under CXLMALLOC_CONF=cxl.limit=64m. */
final class Limited {
    private Limited() {}

    @Test("strict: an OutOfMemoryError at the limit, and room again after close")
    static void strict() {
        List<CxlBuffer> held = new ArrayList<>();
        for (int round = 0; round < 3; round++) {
            OutOfMemoryError e = thrown(OutOfMemoryError.class, () -> {
                for (int i = 0; i < 100; i++) {
                    held.add(Cxl.allocate(Tier.CXL, 1 << 20, true));
                }
            });
            check(e.getMessage().contains("Cannot allocate memory"), e.getMessage());
            check(held.size() > 30 && held.size() <= 64, held.size() + " MiB");
            check(Cxl.info(Tier.CXL).used <= 64 << 20, "beyond the limit");
            for (CxlBuffer buffer : held) {
                equal(Tier.CXL, buffer.tier());
                buffer.close();
            }
            held.clear();
        }
    }

    @Test("preferred: DDR when CXL is full")
    static void preferred() {
        List<CxlBuffer> held = new ArrayList<>();
        int ddr = 0;
        for (int i = 0; i < 100; i++) {
            CxlBuffer buffer = Cxl.allocate(Tier.CXL, 1 << 20);
            held.add(buffer);
            ddr += buffer.tier() == Tier.DDR ? 1 : 0;
        }
        check(ddr >= 36 && ddr < 70, ddr + " on DDR");
        held.forEach(CxlBuffer::close);
    }

    @Test("what is unreachable makes room before anything is refused")
    static void unreachable() throws Exception {
        for (int i = 0; i < 1000; i++) {
            Cxl.allocate(Tier.CXL, 1 << 20, true).buffer().putLong(0, i);
        }
        collected(() -> Cxl.held() == 0);
    }
}
