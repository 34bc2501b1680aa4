/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON from outside. Whatever is accepted is well formed throughout, and what
 * json_write makes of it reads as the same tree. The first byte chooses the
 * size of the arena, so that it runs out in the middle, too.
 */
#include "fuzz.h"

#include "base/encode.h"
#include "base/json_read.h"
#include "base/json_write.h"

#define WRITTEN_LIMIT ((size_t)1024 * 1024)

static const struct json_limits limits = {16, 256, 4096, 65536};

static bool is_same(const struct json_node *a, const struct json_node *b)
{
	if (a->type != b->type || a->count != b->count ||
	    a->boolean != b->boolean || a->integer != b->integer ||
	    !span_equal(a->name, b->name) || !span_equal(a->text, b->text))
		return false;
	a = a->child;
	b = b->child;
	for (; a && b; a = a->next, b = b->next)
		if (!is_same(a, b))
			return false;
	return !a && !b;
}

/* The writer takes names as C strings. */
static bool has_writable_names(const struct json_node *node)
{
	if (span_has_byte(node->name, '\0'))
		return false;
	for (node = node->child; node; node = node->next)
		if (!has_writable_names(node))
			return false;
	return true;
}

static void write_tree(struct json_writer *writer, const struct json_node *node)
{
	const struct json_node *child;

	switch (node->type) {
	case JSON_NULL:
		json_null(writer, node->name.at);
		break;
	case JSON_BOOL:
		json_bool(writer, node->name.at, node->boolean);
		break;
	case JSON_INTEGER:
	case JSON_NUMBER:
		json_raw(writer, node->name.at, node->text);
		break;
	case JSON_STRING:
		json_string(writer, node->name.at, node->text);
		break;
	case JSON_ARRAY:
		json_array_begin(writer, node->name.at);
		for (child = node->child; child; child = child->next)
			write_tree(writer, child);
		json_array_end(writer);
		break;
	case JSON_OBJECT:
		json_object_begin(writer, node->name.at);
		for (child = node->child; child; child = child->next)
			write_tree(writer, child);
		json_object_end(writer);
		break;
	}
}

static void require_well_formed(const struct json_node *node)
{
	size_t count = 0;

	fuzz_require(utf8_is_valid(node->text) && utf8_is_valid(node->name));
	for (const struct json_node *at = node->child; at; at = at->next) {
		if (node->type == JSON_OBJECT && has_writable_names(at))
			fuzz_require(json_member(node, at->name.at) == at);
		require_well_formed(at);
		count++;
	}
	fuzz_require(count == node->count && count <= limits.members);
}

static void require_round_trip(const struct json_node *root)
{
	char *memory = malloc(WRITTEN_LIMIT);
	struct text text = text_over(memory, WRITTEN_LIMIT);
	struct json_writer writer = json_writer_over(&text);
	const struct json_node *again;
	struct arena arena;

	fuzz_require(memory && !arena_init(&arena, 16 * WRITTEN_LIMIT));
	write_tree(&writer, root);
	fuzz_require(!text_check(&text));
	fuzz_require(!json_parse(&arena, text_span(&text), &limits, &again));
	fuzz_require(is_same(root, again));
	arena_release(&arena);
	free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const struct json_node *root;
	struct arena arena;
	struct span source;

	if (!length)
		return 0;
	source = (struct span){(const char *)bytes + 1, length - 1};
	fuzz_require(!arena_init(&arena, ((size_t)bytes[0] + 1) * 4096));
	if (!json_parse(&arena, source, &limits, &root)) {
		require_well_formed(root);
		if (has_writable_names(root))
			require_round_trip(root);
	}
	arena_release(&arena);
	return 0;
}
