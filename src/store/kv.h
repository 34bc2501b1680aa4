/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One Redis connection: scripts and pipelines in one round trip each, with
 * short timeouts. Redis holds nothing that MariaDB could not rebuild; every
 * fault here is FAULT_UNAVAILABLE and the caller has another way. hiredis
 * lives here only.
 *
 * A Redis that does not answer in redis.timeout, hangs up, or answers with any
 * error (READONLY, OOM, LOADING, MASTERDOWN ...) is away, for all processes of
 * the host at once: their calls fail without asking. Every half second one of
 * them tries, for 50 ms in all; its success is everybody's.
 */
#ifndef STORE_KV_H
#define STORE_KV_H

#include "base/arena.h"
#include "base/config.h"
#include "base/fault.h"
#include "base/shared.h"
#include "base/text.h"

#include <stddef.h>
#include <stdint.h>

#define KV_WORDS_LIMIT 256 /* of one command; a script's own three included */

struct kv;

enum kv_script {
	KV_SCRIPT_NONE = 0,
	KV_SCRIPT_ADMIT,  /* lua/admit.lua */
	KV_SCRIPT_REFUND, /* lua/refund.lua: give one attempt back */
	KV_SCRIPT_MARK, /* lua/mark.lua: raise a generation, with a life time */
	KV_SCRIPT_COUNT
};

/*
 * An unconnected handle; config and shared must outlive it. From here on the
 * process ignores SIGPIPE, which hiredis would die of when a server is gone.
 */
enum fault kv_new(const struct config *config, struct shared *shared,
                  struct kv **out);
void kv_free(struct kv *kv);

/*
 * The server's run id, asked once per connection ("INFO server"): another id
 * means another data set. Connects when it must, and anew when the server has
 * hung up or has failed anybody on this host since: only here, so that a script
 * never meets another data set than the one that its caller asked about. The
 * span is the handle's own.
 */
enum fault kv_run_id(struct kv *kv, struct span *out);

/*
 * Run a script (EVALSHA; SCRIPT LOAD once when the server does not know it).
 * Gives the integers of the flat array that every script of ours returns, at
 * most limit of them. After a fault the connection is closed.
 */
enum fault kv_run(struct kv *kv, enum kv_script script, const struct span *keys,
                  size_t key_count, const struct span *arguments,
                  size_t argument_count, int64_t *out, size_t limit,
                  size_t *out_count);

/* One command of a pipeline. */
struct kv_command {
	const struct span *words;
	size_t count;
};

/* Send all, read all; FAULT_UNAVAILABLE when any reply is an error. */
enum fault kv_pipeline(struct kv *kv, const struct kv_command *commands,
                       size_t count);

/* FAULT_NONE when the server answers within the timeout and takes a write. */
enum fault kv_ping(struct kv *kv);

#endif
