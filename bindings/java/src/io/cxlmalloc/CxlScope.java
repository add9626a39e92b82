/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

/** A tier for what one thread allocates meanwhile, see {@link Cxl#scope}. */
public final class CxlScope implements AutoCloseable {
    private static final ThreadLocal<CxlScope> INNERMOST = new ThreadLocal<>();

    private final Thread thread = Thread.currentThread();
    private final CxlScope outer = INNERMOST.get();
    private boolean closed;

    CxlScope(Tier tier) {
        // The scope is of the thread of the system, which a virtual one leaves whenever it waits.
        if (thread.getClass().getName().startsWith("java.lang.Virtual")) {
            throw new UnsupportedOperationException("a scope in a virtual thread");
        }
        Native.push(tier.code);
        INNERMOST.set(this);
    }

    /**
     * Its end; more than once is harmless.
     *
     * @throws IllegalStateException on another thread, or one that began later is still open
     */
    @Override
    public void close() {
        if (Thread.currentThread() != thread) {
            throw new IllegalStateException("a scope of " + thread);
        }
        if (closed) {
            return;
        }
        if (INNERMOST.get() != this) {
            throw new IllegalStateException("a scope inside is open");
        }
        Native.pop();
        closed = true;
        if (outer == null) {
            INNERMOST.remove();
        } else {
            INNERMOST.set(outer);
        }
    }
}
