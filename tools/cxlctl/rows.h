/* SPDX-License-Identifier: BSD-2-Clause */
/* rows - a row per process under the library; ps and top */
#ifndef CXLCTL_ROWS_H
#define CXLCTL_ROWS_H

#include "live.h"

struct row {
	long pid;
	uid_t uid;
	char name[64];
	enum cm_state state;
	char policy[24];
	uint64_t used[CM_NR_TIERS];
	uint64_t mapped[CM_NR_TIERS];
	uint64_t limit[CM_NR_TIERS];	/* CM_NO_LIMIT: none */
};

struct rows {
	struct row *at;
	size_t nr, room;
	uint64_t used[CM_NR_TIERS];	/* of all */
	uint64_t mapped[CM_NR_TIERS];
	struct live_scan scan;
};

enum row_key {
	ROW_PID,
	ROW_NAME,
	ROW_DDR,
	ROW_CXL,
	ROW_TOTAL,
	NR_ROW_KEYS
};

extern const char *const row_key_name[NR_ROW_KEYS];

/*
 * The processes whose name fits, NULL: all, over what rows held. 0 or -errno.
 */
int rows_collect(struct rows *rows, const char *name);
void rows_free(struct rows *rows);

/* PID and name rise, bytes fall; the other way round if reverse. */
void rows_sort(struct rows *rows, enum row_key key, bool reverse);

/* Of the heap and of maps of the program's own: on a tier, on all. */
uint64_t row_held(const struct row *row, unsigned tier);
uint64_t row_total(const struct row *row);
uint64_t rows_held(const struct rows *rows, unsigned tier);

/* root, or 1000 where nobody has a name for it */
const char *row_user(uid_t uid);

void rows_print(const struct rows *rows);
void rows_print_json(const struct rows *rows);

#endif
