/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

/** A pool of libcxlmem's; its users are its {@link CxlPool} and its blocks. */
final class PoolHandle extends Counted {
    final long pool;

    PoolHandle(long pool) {
        this.pool = pool;
    }

    @Override
    void end(boolean collected) {
        Native.poolDestroy(pool);
    }
}
