/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

/**
 * What the library or the kernel refused, with its errno.
 *
 * <p>Three have exceptions of Java's own: ENOMEM is an {@link OutOfMemoryError}, EINVAL an {@link
 * IllegalArgumentException}, ENOTSUP an {@link UnsupportedOperationException}.
 */
public final class CxlException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int errno;

    CxlException(String message, int errno) {
        super(message);
        this.errno = errno;
    }

    /** As errno(3) of this system has it. */
    public int errno() {
        return errno;
    }
}
