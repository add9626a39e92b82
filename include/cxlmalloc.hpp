// SPDX-License-Identifier: BSD-2-Clause
//
// cxlmalloc.hpp - cxlmalloc.h for C++17 and later; headers only
//
//	cxlmalloc/tier.hpp	tiers, and a scope for what a thread allocates
//	cxlmalloc/memory.hpp	allocators, memory resources, smart pointers
//	cxlmalloc/pool.hpp	pools of the program's own
//	cxlmalloc/place.hpp	where pages are, and moving them
//	cxlmalloc/info.hpp	tiers and nodes: size, use, latency; events; values by name
//
// Link with -lcxlmem (pkg-config cxlmem, or find_package(cxlmalloc)).
//
// Failures are exceptions: std::bad_alloc where memory is wanted, and
// std::system_error with the errno that cxlmalloc.h documents elsewhere. Where a
// failure is an everyday answer there is an overload that takes a
// std::error_code or std::nothrow. Compiled with -fno-exceptions, what would
// throw calls std::abort.
#ifndef CXLMALLOC_HPP
#define CXLMALLOC_HPP

#include "cxlmalloc/info.hpp"
#include "cxlmalloc/memory.hpp"
#include "cxlmalloc/place.hpp"
#include "cxlmalloc/pool.hpp"
#include "cxlmalloc/tier.hpp"

#endif
