/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * emucxl_read and the others that copy or fill: memory of blocks or any other.
 */
#include <errno.h>
#include <string.h>

#include "emucxl.h"
#include "emucxl/block.h"

/* May bytes 0 to end - 1 from p on be used? What is in no block is not ours. */
static bool fits(const void *p, size_t end)
{
	struct ec_block block;

	return !ec_block_find(p, &block) ||
	       end <= block.size - (size_t)((const char *)p - block.base);
}

static bool refuse(void)
{
	errno = EINVAL;
	return false;
}

static bool copy_range(char *to, const char *from, int start, size_t end)
{
	if (!to || !from || end == 0 || start < 0 || !fits(to, end) ||
	    !fits(from, end))
		return refuse();
	if ((size_t)start < end)
		memmove(to + start, from + start, end - (size_t)start);
	return true;
}

EC_EXPORT bool emucxl_read(void *ptr, int start_index, void *buffer,
			   size_t size)
{
	return copy_range(buffer, ptr, start_index, size);
}

EC_EXPORT bool emucxl_write(void *ptr, int start_index, void *buffer,
			    size_t size)
{
	return copy_range(ptr, buffer, start_index, size);
}

EC_EXPORT void *emucxl_memset(void *ptr, int start_index, int value,
			      size_t size)
{
	if (!ptr || size == 0 || start_index < 0 || !fits(ptr, size)) {
		refuse();
		return NULL;
	}
	if ((size_t)start_index < size)
		memset((char *)ptr + start_index, value,
		       size - (size_t)start_index);
	return ptr;
}

EC_EXPORT void *emucxl_memmove(void *dest, const void *src, size_t size)
{
	return copy_range(dest, src, 0, size) ? dest : NULL;
}

EC_EXPORT void *emucxl_memcpy(void *dest, const void *src, size_t size)
{
	return emucxl_memmove(dest, src, size);
}
