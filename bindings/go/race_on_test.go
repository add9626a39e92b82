// SPDX-License-Identifier: BSD-2-Clause

//go:build race

package cxlmalloc

const racing = true
