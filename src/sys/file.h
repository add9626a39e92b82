/* SPDX-License-Identifier: BSD-2-Clause */
/* file - small files and directories, read without malloc or stdio */
#ifndef CM_SYS_FILE_H
#define CM_SYS_FILE_H

#include <sys/types.h>

#include "base/types.h"

/*
 * Read a file's beginning into buf, at most size - 1 bytes, and end it with a
 * NUL. Returns the bytes read or -errno. errno is kept.
 */
ssize_t cm_file_read(const char *path, char *buf, size_t size);

/*
 * Call fn for each line of a file of any length, without its newline. Lines
 * that do not fit in buf come cut. Stops when fn returns non-zero and returns
 * that; else 0 or -errno. The buffer is the caller's: inside malloc the stack
 * may be small.
 */
int cm_file_lines(const char *path, char *buf, size_t size,
		  int (*fn)(char *line, void *arg), void *arg);

/* Call fn for each name in a directory but . and ..; as cm_file_lines. */
int cm_file_names(const char *path, int (*fn)(const char *name, void *arg),
		  void *arg);

#endif
