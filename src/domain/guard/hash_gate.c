/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte i of the lock file is place i: first the places of those who hash, then
 * those of the queue. The locks are the truth; the futex word in shared memory
 * only wakes who waits, and a wake-up that is lost costs one short time-out.
 */
#include "domain/guard/hash_gate.h"

#include "base/clock.h"
#include "base/metrics.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOWHERE    (-1)
#define WAKE_UP_MS 20

struct hash_gate {
	struct shared *shared;
	int file;
	int hashing; /* places that hash at a time */
	int queue;   /* places that wait */
	int64_t wait_us;
	int place; /* ours, or NOWHERE */
};

static int64_t core_count(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	return cores > 0 ? cores : 1;
}

/*
 * Who waits holds a worker, so the queue may hold at most half of those that
 * do not hash: the rest stays free for everything else.
 */
static int64_t queue_length(const struct config *config, int64_t hashing)
{
	if (config->password.hash_queue > 0)
		return config->password.hash_queue;
	int64_t workers = config->server.workers;
	if (workers == 0)
		workers = 2 * core_count() + 2;
	int64_t half = (workers - hashing) / 2;
	return half > 1 ? half : 1;
}

enum fault hash_gate_open(const struct config *config, struct shared *shared,
                          struct hash_gate **out)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/hash-gate.lock",
	         config->server.runtime_dir);
	struct hash_gate *gate = calloc(1, sizeof(*gate));
	if (!gate)
		return FAULT_UNAVAILABLE;
	gate->file =
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (gate->file < 0) {
		free(gate);
		return FAULT_UNAVAILABLE;
	}
	int64_t hashing = config->password.hash_concurrency;
	if (hashing == 0)
		hashing = core_count();
	gate->shared = shared;
	gate->hashing = (int)hashing;
	gate->queue = (int)queue_length(config, hashing);
	gate->wait_us = config->password.hash_wait * 1000;
	gate->place = NOWHERE;
	*out = gate;
	return FAULT_NONE;
}

void hash_gate_close(struct hash_gate *gate)
{
	if (!gate)
		return;
	close(gate->file);
	free(gate);
}

static bool set_lock(const struct hash_gate *gate, int place, short type)
{
	struct flock lock = {
	    .l_type = type,
	    .l_whence = SEEK_SET,
	    .l_start = place,
	    .l_len = 1,
	};
	return fcntl(gate->file, F_OFD_SETLK, &lock) == 0;
}

/* The first free place of count places from first on, or NOWHERE. */
static int take_any(const struct hash_gate *gate, int first, int count)
{
	for (int place = first; place < first + count; place++)
		if (set_lock(gate, place, F_WRLCK))
			return place;
	return NOWHERE;
}

static void give_back(const struct hash_gate *gate, int place)
{
	set_lock(gate, place, F_UNLCK);
}

/* Sleep until somebody leaves, or for a moment. */
static void wait_for_change(struct hash_gate *gate, uint32_t seen)
{
	struct timespec moment = {.tv_nsec = WAKE_UP_MS * 1000000L};
	syscall(SYS_futex, &gate->shared->gate_generation, FUTEX_WAIT, seen,
	        &moment, NULL, 0);
}

static int wait_for_place(struct hash_gate *gate)
{
	int64_t until = clock_monotonic_us() + gate->wait_us;
	int place = NOWHERE;
	while (place == NOWHERE && clock_monotonic_us() < until) {
		uint32_t seen = atomic_load(&gate->shared->gate_generation);
		place = take_any(gate, 0, gate->hashing);
		if (place == NOWHERE)
			wait_for_change(gate, seen);
	}
	return place;
}

enum fault hash_gate_enter(struct hash_gate *gate)
{
	assert(gate->place == NOWHERE);
	gate->place = take_any(gate, 0, gate->hashing);
	if (gate->place != NOWHERE)
		return FAULT_NONE;
	int queued = take_any(gate, gate->hashing, gate->queue);
	if (queued != NOWHERE) {
		gate->place = wait_for_place(gate);
		give_back(gate, queued);
	}
	if (gate->place != NOWHERE)
		return FAULT_NONE;
	metrics_add(METRIC_HASH_QUEUE_REFUSALS, 1);
	return FAULT_BUSY;
}

void hash_gate_leave(struct hash_gate *gate)
{
	assert(gate->place != NOWHERE);
	give_back(gate, gate->place);
	gate->place = NOWHERE;
	atomic_fetch_add(&gate->shared->gate_generation, 1);
	syscall(SYS_futex, &gate->shared->gate_generation, FUTEX_WAKE, 1, NULL,
	        NULL, 0);
}
