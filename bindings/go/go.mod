// SPDX-License-Identifier: BSD-2-Clause
module cxlmalloc

go 1.18
