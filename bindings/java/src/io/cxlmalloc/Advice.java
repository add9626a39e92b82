/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

/** What is known of the use of memory, see {@link CxlBuffer#advise}. The order is that of place.h. */
public enum Advice {
    /** Used often from now on: to DDR, as far as it has room. */
    HOT,
    /** Seldom: to CXL; the first to go under memory pressure. */
    COLD,
    /** Soon: back from swap, in the background. */
    WILLNEED
}
