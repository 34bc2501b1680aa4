/* SPDX-License-Identifier: Apache-2.0 */
/* What operators and monitors ask. */
#include "api/answer.h"
#include "api/handlers.h"
#include "base/log.h"
#include "base/metrics.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define METRICS_BYTES 65536
#define PATH_BYTES    512

enum fault operations_health(struct exchange *exchange)
{
	enum fault fault = reply_json(&exchange->reply, REPLY_OK, 64);
	if (fault)
		return fault;
	json_object_begin(&exchange->reply.json, NULL);
	json_string(&exchange->reply.json, "status", SPAN("ok"));
	json_object_end(&exchange->reply.json);
	return FAULT_NONE;
}

/* Without Redis we are slower, without MariaDB we are not there. */
enum fault operations_ready(struct exchange *exchange)
{
	struct json_writer *json = &exchange->reply.json;
	enum fault kv = kv_ping(exchange->ctx.kv);
	enum fault fault = db_ping(exchange->ctx.db);
	if (!fault)
		fault = reply_json(&exchange->reply, REPLY_OK, 128);
	if (fault)
		return fault;
	json_object_begin(json, NULL);
	json_string(json, "status", kv ? SPAN("degraded") : SPAN("ready"));
	json_string(json, "mariadb", SPAN("ok"));
	json_string(json, "redis", kv ? SPAN("unavailable") : SPAN("ok"));
	json_object_end(json);
	return FAULT_NONE;
}

enum fault operations_metrics(struct exchange *exchange)
{
	struct text text = arena_text(exchange->ctx.arena, METRICS_BYTES);
	metrics_append(&text);
	enum fault fault = text_check(&text);
	if (!fault)
		reply_body(&exchange->reply, REPLY_OK,
		           "text/plain; version=0.0.4; charset=utf-8",
		           text_span(&text));
	return fault;
}

/* The document is mapped once per process; a new release is a new process. */
static enum fault map_document(const struct config *config, struct span *out)
{
	char path[PATH_BYTES];
	struct stat about;
	snprintf(path, sizeof(path), "%s/openapi.json", config->server.htdocs);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0) {
		log_note(LOG_ERROR, "openapi_not_found", path);
		return FAULT_NOT_FOUND;
	}
	void *memory = MAP_FAILED;
	if (fstat(file, &about) == 0 && about.st_size > 0)
		memory = mmap(NULL, (size_t)about.st_size, PROT_READ,
		              MAP_PRIVATE, file, 0);
	close(file);
	if (memory == MAP_FAILED)
		return FAULT_NOT_FOUND;
	*out = (struct span){memory, (size_t)about.st_size};
	return FAULT_NONE;
}

enum fault operations_openapi(struct exchange *exchange)
{
	static struct span document;
	enum fault fault = FAULT_NONE;
	if (!document.at)
		fault = map_document(exchange->ctx.config, &document);
	if (!fault)
		reply_body(&exchange->reply, REPLY_OK,
		           "application/json; charset=utf-8", document);
	return fault;
}

enum fault operations_options(struct exchange *exchange)
{
	enum fault fault = answer_no_content(exchange);
	return fault ? fault
	             : reply_header(&exchange->reply, "Allow", exchange->allow);
}
