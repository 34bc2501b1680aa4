/* SPDX-License-Identifier: Apache-2.0 */
/* What process lists show: which of our processes does what. */
#ifndef SERVER_TITLE_H
#define SERVER_TITLE_H

/*
 * Copy the arguments, so that the memory of the originals can carry a title.
 * NULL without memory. The copy lives as long as the process; its first is the
 * program's plain name, with which messages begin.
 */
char **title_init(int argc, char **argv);

/* Be called "claviger-fcgi: ROLE" from now on, or as much as there is room. */
void title_set(const char *role);

#endif
