/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rate limits in the host's shared memory, for when Redis is away: the generic
 * cell rate algorithm (ITU-T I.371), one number a subject, changed by
 * compare-and-set, so that a killed process leaves nothing locked.
 *
 * Both kinds of rate are kept so; a sliding window of N is a bucket of N that
 * N refill in the window: as many at once, and no more in the long run.
 *
 * A slot is given away only when it is full again, that is when there is
 * nothing in it to remember. Where all slots that a subject may have hold
 * others, the subject is refused until the first of them is free: a flood of
 * addresses can keep strangers out while it lasts, but cannot make the counter
 * of a victim be forgotten.
 */
#ifndef DOMAIN_GUARD_LIMIT_LOCAL_H
#define DOMAIN_GUARD_LIMIT_LOCAL_H

#include "base/config.h"
#include "base/shared.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Take one attempt of this subject. False when none is left; reset_in_ms then
 * says when there is one again, else when all are there again.
 */
bool limit_local_take(struct shared *shared, struct span subject,
                      const struct config_rate *rate, int64_t now_ms,
                      int64_t *remaining, int64_t *reset_in_ms);

/* Give one back. False when none was out. */
bool limit_local_give(struct shared *shared, struct span subject,
                      const struct config_rate *rate, int64_t now_ms);

#endif
