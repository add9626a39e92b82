/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

/** A kind of memory. */
public enum Tier {
    DDR(0),
    CXL(1),
    /** In a tier's place: as the operator's policy has it, and as the scope does. */
    POLICY(-1);

    final int code;

    Tier(int code) {
        this.code = code;
    }

    /** null for what the library calls -1: of no tier, or of several. */
    static Tier of(int code) {
        return code == 0 ? DDR : code == 1 ? CXL : null;
    }
}
