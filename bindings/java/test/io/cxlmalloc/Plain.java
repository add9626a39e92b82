/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

import static io.cxlmalloc.Run.check;
import static io.cxlmalloc.Run.equal;
import static io.cxlmalloc.Run.thrown;

/** Under CXLMALLOC_DISABLE=1: the process is not tiered. */
final class Plain {
    private Plain() {}

    @Test("memory all the same, of no tier")
    static void memory() {
        try (CxlBuffer buffer = Cxl.allocate(Tier.CXL, 1 << 20)) {
            buffer.putLong(8, 1);
            equal(1L, buffer.getLong(8));
            check(buffer.tier() == null, buffer.tier());
        }
    }

    @Test("strict memory, scopes and pools are not supported")
    static void unsupported() {
        Class<UnsupportedOperationException> not = UnsupportedOperationException.class;
        thrown(not, () -> Cxl.allocate(Tier.CXL, 1, true));
        thrown(not, () -> Cxl.scope(Tier.CXL));
        thrown(not, () -> CxlPool.on(Tier.CXL).create());
    }
}
