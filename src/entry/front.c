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
	unsigned class = 0, i = 0;
	size_t size = 8, step = 8;

	for (; class < CM_FRONT_NR; class ++) {
		while (i < CM_ARRAY_SIZE(cm_front.class) && i * 8 <= size)
			cm_front.class[i++] = (uint8_t) class;
		cm_front.counted[class] = size < CM_FRONT_COUNTED ?
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
