/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one process holds for all its requests: settings, connections, keys,
 * the host's shared mapping, the arena. Opened after fork.
 */
#ifndef API_SERVICE_H
#define API_SERVICE_H

#include "base/config.h"
#include "base/fault.h"
#include "crypto/seal.h"

#include <stdint.h>

struct service;

/*
 * Open everything that needs no server: MariaDB and Redis connect on first
 * use, and the key ring is read then. master is copied. The config must
 * outlive the service.
 */
enum fault service_open(const struct config *config,
                        const unsigned char master[SEAL_KEY_BYTES],
                        struct service **out);
void service_close(struct service *service);

/*
 * One round of maintenance: mail that is due, revocations that Redis lacks,
 * retention. One process of all hosts at a time does it (FAULT_CONFLICT: it is
 * another; nothing was done). next_in_ms gets when to come again at the latest.
 */
enum fault service_maintain(struct service *service, int64_t *next_in_ms);

/*
 * Read the key ring from MariaDB and check that the master key opens it: for
 * start-up, so that a wrong master key refuses to start. FAULT_UNAVAILABLE when
 * MariaDB cannot be reached (which is no reason not to start), FAULT_VALIDATION
 * for a wrong master key.
 */
enum fault service_check_keys(struct service *service);

#endif
