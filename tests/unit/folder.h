/* SPDX-License-Identifier: Apache-2.0 */
/* A private folder for the files of one test program. */
#ifndef UNIT_FOLDER_H
#define UNIT_FOLDER_H

#include <stddef.h>
#include <sys/types.h>

/* Made under $TMPDIR or /tmp; the test fails when it cannot be. */
void folder_make(void);

/* Remove it and the plain files and empty folders in it. */
void folder_remove(void);

/* The path of a name in it: static, good until eight more were asked for. */
const char *folder_path(const char *name);

/* Make or replace a file of exactly this mode, whatever the umask. */
const char *folder_write(const char *name, mode_t mode, const char *contents);

/* A file's bytes and a NUL, to be freed. */
char *folder_read(const char *name, size_t *length);

#endif
