/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rate limits in the host's shared memory, for when Redis is away: the generic
 * cell rate algorithm (ITU-T I.371), one number a subject, changed by
 * compare-and-set, so that a killed process leaves nothing locked.
 */
#ifndef DOMAIN_GUARD_LIMIT_LOCAL_H
#define DOMAIN_GUARD_LIMIT_LOCAL_H

#include "base/config.h"
#include "base/shared.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Take one of rate->count within rate->window_ms for this subject. False when
 * none is left; reset_in_ms then says when there is one again.
 */
bool limit_local_take(struct shared *shared, struct span subject,
                      const struct config_rate *rate, int64_t now_ms,
                      int64_t *remaining, int64_t *reset_in_ms);

#endif
