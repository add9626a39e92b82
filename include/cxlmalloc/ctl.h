/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ctl - everything by name, as mallctl(3) has it for jemalloc
 *
 * Names are those that cxlctl shows: of its JSON (docs/JSON.md) with dots, and
 * of options.
 *
 *	tier.ddr.used, tier.cxl.limit ...	u64; what cxlctl stat shows
 *	tier.cxl.resident.N			u64; bytes on node N
 *	option.interleave ...			string; every option of cxlmalloc.conf(5)
 *	conf					string; write: settings as in
 *						CXLMALLOC_CONF, all or none of them
 *	policy, on_full, state, order, version	string
 *
 * docs/JSON.md has the list, with what each costs; cxlm_ctl_name goes through it.
 * Up to 32 KiB of stack are used.
 */
#ifndef CXLMALLOC_CTL_H
#define CXLMALLOC_CTL_H

#include "../cxlmalloc.h"

#ifdef __cplusplus
extern "C" {
#endif

enum cxlm_ctl_type {
	CXLM_CTL_U64,		/* uint64_t; no limit: CXLM_NO_LIMIT */
	CXLM_CTL_STRING		/* bytes with their NUL */
};

/*
 * cxlm_ctl - read or write one value, or both: the old one is read first
 *
 * name     see above
 * old      where the value goes, or NULL: old_len alone says what is needed
 * old_len  in: bytes at old; out: bytes of the value, its NUL included
 * value    the new value, or NULL; a string needs no NUL
 * len      its bytes
 * returns  0, or -1 with errno, and nothing is changed:
 *          ENOENT  no such name
 *          ENODATA it is not known here: null in JSON
 *          EINVAL  a value of another size or out of range; a setting that is
 *                  wrong
 *          ERANGE  old is too small; *old_len says what is needed
 *          EPERM   it cannot be written
 *          EBUSY   another change is being made; try again
 * Options that cannot change while the program runs are refused with EPERM. A
 * change made here is one made by cxlctl: the same checks, at once in force.
 */
int cxlm_ctl(const char *name, void *old, size_t *old_len, const void *value,
	     size_t len);

struct cxlm_ctl_info {
	size_t size;		/* in: sizeof(struct cxlm_ctl_info) */
	char name[64];
	int type;		/* enum cxlm_ctl_type */
	int writable;
};

/*
 * cxlm_ctl_name - the names there are
 *
 * index    from 0 on
 * returns  0, or -1 with errno:
 *          ENOENT  index is behind the last
 *          EINVAL  info is NULL or info->size too small
 */
int cxlm_ctl_name(unsigned index, struct cxlm_ctl_info *info);

#ifdef __cplusplus
}
#endif

#endif
