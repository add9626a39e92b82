/* SPDX-License-Identifier: BSD-2-Clause */
package io.cxlmalloc;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

/** A test, and what it shows. */
@Retention(RetentionPolicy.RUNTIME)
@interface Test {
    String value();
}
