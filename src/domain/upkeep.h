/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be done now and then, whoever asks for it: a table of tasks, each
 * bounded, each safe to repeat, each run by one process of all hosts at a time.
 */
#ifndef DOMAIN_UPKEEP_H
#define DOMAIN_UPKEEP_H

#include "domain/ctx.h"

/*
 * Run the tasks that are due. FAULT_CONFLICT when others are at all of them. A
 * task that fails is logged and does not keep the others from running; the
 * first fault is given back.
 */
enum fault upkeep_run(struct ctx *ctx);

#endif
