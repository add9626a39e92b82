/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdatomic.h>

#include "base/state.h"
#include "pool/piece.h"
#include "sys/file.h"

#define DEFAULT_MAX_MAP_COUNT	65530

uint64_t cm_piece_budget(void)
{
	static _Atomic uint64_t known;
	uint64_t nr = atomic_load_explicit(&known, memory_order_relaxed);
	char text[32];

	if (nr)
		return nr;
	if (cm_file_read("/proc/sys/vm/max_map_count", text, sizeof(text)) > 0)
		for (const char *s = text; *s >= '0' && *s <= '9'; s++)
			nr = nr * 10 + (uint64_t)(*s - '0');
	nr = (nr >= 64 ? nr : DEFAULT_MAX_MAP_COUNT) / 4;
	atomic_store_explicit(&known, nr, memory_order_relaxed);
	return nr;
}

struct cm_chunks cm_piece_mixed(bool weighted)
{
	uint64_t most = cm_piece_budget();

	return cm_chunk_fit(cm_mixed_window().size,
			    weighted ? most / 2 : most / 5 * 4);
}

struct cm_chunks cm_piece_tier(enum cm_tier tier)
{
	return cm_chunk_fit(cm_window_of(tier).size,
			    cm_piece_budget() / 16 * 3);
}
