/* SPDX-License-Identifier: BSD-2-Clause */
#include "entry/front.h"

#ifdef CM_FRONT

struct cm_front cm_front;

/*
 * jemalloc's classes: 8, the multiples of 16 to 128, from there on four to each
 * doubling.
 */
void cm_front_init(void)
{
	unsigned sc = 0, i = 0;
	size_t size = 8, step = 8;

	for (; sc < CM_FRONT_NR; sc++) {
		while (i < CM_ARRAY_SIZE(cm_front.sc) && i * 8 <= size)
			cm_front.sc[i++] = (uint8_t)sc;
		cm_front.bytes[sc] = (uint32_t)size;
		cm_front.counted[sc] = size < CM_FRONT_COUNTED ?
					       size :
					       CM_FRONT_COUNTED;
		if (size == 16)
			step = 16;
		else if (size >= 128 && !(size & (size - 1)))
			step = size / 4;
		size += step;
	}
	atomic_store(&cm_fast.nr_classes, CM_FRONT_NR);
}

intptr_t cm_front_of(cm_malloc_fn *route)
{
	if (route == cm_ddr_malloc)
		return CM_FRONT_TSD(cm_ddr);
	if (route == cm_cxl_malloc)
		return CM_FRONT_TSD(cm_cxl);
	return 0;
}

#endif
