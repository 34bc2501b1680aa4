/* SPDX-License-Identifier: Apache-2.0 */
/* The page that holds the master key; see master_key.h. */
#include "server/master_key.h"

#include "crypto/keyring.h"

#include <sys/mman.h>

#define PAGE_BYTES 4096

enum fault master_key_read(const struct config *config, unsigned char **out,
                           char why[WHY_BYTES])
{
	unsigned char *page;
	enum fault fault;

	page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
	            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return why_not(FAULT_EXHAUSTED, why, "out of memory");
	/* A host that lets nobody lock memory is still served. */
	(void)mlock(page, PAGE_BYTES);
	(void)madvise(page, PAGE_BYTES, MADV_DONTDUMP);
	fault = keyring_read_master(config->keys.master_file,
	                            config->keys.master_command, page, why);
	if (fault)
		master_key_forget(page);
	else
		*out = page;
	return fault;
}

void master_key_forget(unsigned char *key)
{
	/* Not wiped: that would copy the page for this process first. The
	 * last one to unmap it gives it back, and the kernel clears it. */
	if (key)
		(void)munmap(key, PAGE_BYTES);
}
