/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every fuzz target has. A target reads its bytes, checks what must hold
 * for all of them with fuzz_require, and gives everything back.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* The name and shape that libFuzzer wants; gives 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Not assert: it must hold with NDEBUG, too. */
static inline void fuzz_require(bool holds)
{
	if (!holds)
		abort();
}

#endif
