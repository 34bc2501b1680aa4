/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists page by key: a cursor names the last item that was given. It is bound
 * to its reader and its list by a MAC, so that nobody can make one up or carry
 * it elsewhere.
 */
#ifndef API_PAGE_H
#define API_PAGE_H

#include "api/exchange.h"

struct page {
	int64_t limit;      /* how many to give */
	struct uuid before; /* nil: from the start */
};

/*
 * Read ?limit= and ?cursor=. FAULT_VALIDATION with field errors for a limit
 * out of 1 … 200 or a cursor that is not of this list and reader.
 */
enum fault page_read(struct exchange *exchange, struct page *out);

/*
 * End a list: write "next_cursor", from the last item when there are more.
 */
enum fault page_end(struct exchange *exchange, const struct uuid *last,
                    bool has_more);

#define PAGE_KEY_BYTES 32 /* the longest key of an item */

/* A page of a list whose items have another key than an id. */
struct page_behind {
	int64_t limit;
	bool has_key; /* else from the start */
	void *key;    /* where to put it */
	size_t key_bytes;
};

/* As page_read; key and key_bytes are the caller's. */
enum fault page_read_behind(struct exchange *exchange,
                            struct page_behind *page);

/* As page_end, with the key of the last item. */
enum fault page_end_behind(struct exchange *exchange, const void *key,
                           size_t key_bytes, bool has_more);

#endif
