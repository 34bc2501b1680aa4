/* SPDX-License-Identifier: Apache-2.0 */
/* Moments and durations: what is read is written as the same moment. */
#include "fuzz.h"

#include "base/clock.h"

#include <string.h>

/* Years 0000 … 9999, which is what can be written. */
#define WRITABLE_FROM INT64_C(-62167219200000)
#define WRITABLE_TO   INT64_C(253402300799999)

static void require_round_trip(int64_t at_ms)
{
	char text[CLOCK_RFC3339_BYTES];
	int64_t again;

	fuzz_require(
	    !clock_parse(span_of(clock_format_ms(at_ms, text)), &again));
	if (at_ms >= WRITABLE_FROM && at_ms <= WRITABLE_TO)
		fuzz_require(again == at_ms);
	fuzz_require(!clock_parse(span_of(clock_format(at_ms, text)), &again));
}

static void try_mail_date(int64_t at_ms)
{
	char memory[64];
	struct text text = text_over(memory, sizeof(memory));

	clock_append_mail_date(&text, at_ms);
	fuzz_require(text_span(&text).length == 31);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct span input = {(const char *)bytes, length};
	int64_t ms;

	if (!clock_parse(input, &ms))
		require_round_trip(ms);
	if (!clock_parse_duration(input, &ms))
		fuzz_require(ms >= 0);
	if (length >= sizeof(ms)) {
		memcpy(&ms, bytes, sizeof(ms));
		require_round_trip(ms);
		try_mail_date(ms);
	}
	return 0;
}
