/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON from outside. yajl's streaming parser knows the grammar; everything it
 * is lax about is checked here: RFC 8259's white space, UTF-8, surrogates,
 * duplicate names, depth and size. yajl lives here only.
 */
#include "base/json_read.h"

#include "base/encode.h"

#include <assert.h>
#include <stdalign.h>
#include <string.h>
#include <yajl/yajl_parse.h>

const struct json_limits json_limits_request = {
    .depth = 16,
    .members = 256,
    .nodes = 4096,
    .string_bytes = 1024 * 1024,
};

/*
 * yajl does not survive an allocation that fails. What it can ask for is
 * bounded: the handle, the lexer and a state stack (under 2 KiB), and two
 * buffers that grow by doubling from 2 KiB, one for decoded strings and one
 * for a token that the end of the source cuts. Together they hold no byte of
 * the source twice, which makes six times the source. That much is set aside,
 * and nodes are refused before they touch it.
 */
#define YAJL_FIXED_BYTES  ((size_t)10 * 1024)
#define YAJL_BYTES_FACTOR 6

struct level {
	struct json_node *container;
	struct json_node *last; /* its newest child */
};

struct parser {
	struct arena *arena;
	const struct json_limits *limits;
	enum fault fault;
	size_t reserve_bytes; /* what yajl may still ask for */
	struct text strings;  /* all strings, each with a NUL */
	struct json_node *root;
	struct span name; /* of the member whose value comes next */
	size_t depth;
	size_t node_count;
	struct level levels[JSON_DEPTH_LIMIT];
};

/* yajl's allocations carry their size, which realloc needs for the copy. */
union allocation {
	size_t bytes;
	max_align_t align;
};

static void *allocate(void *context, size_t bytes)
{
	struct parser *parser = context;
	size_t used = parser->arena->used;
	union allocation *allocation;

	allocation = arena_alloc(parser->arena, sizeof(*allocation) + bytes);
	assert(allocation && "the reserve is too small");
	used = parser->arena->used - used;
	parser->reserve_bytes -=
	    used < parser->reserve_bytes ? used : parser->reserve_bytes;
	allocation->bytes = bytes;
	return allocation + 1;
}

static void *reallocate(void *context, void *at, size_t bytes)
{
	void *copy = allocate(context, bytes);
	size_t old_bytes;

	if (!at)
		return copy;
	old_bytes = ((union allocation *)at)[-1].bytes;
	memcpy(copy, at, old_bytes < bytes ? old_bytes : bytes);
	return copy;
}

static void deallocate(void *context, void *at)
{
	/* The arena is wiped as a whole. */
	(void)context;
	(void)at;
}

/* Stop the parse: what a yajl callback returns. */
static int refuse(struct parser *parser, enum fault fault)
{
	parser->fault = fault;
	return 0;
}

static struct json_node *take_node(struct parser *parser)
{
	const struct arena *arena = parser->arena;
	size_t bytes = sizeof(struct json_node) + alignof(max_align_t);

	if (arena->limit - arena->used < parser->reserve_bytes + bytes)
		return NULL;
	return arena_alloc(parser->arena, sizeof(struct json_node));
}

/* Hang a new node into the innermost open array or object. */
static void link_node(struct parser *parser, struct json_node *node)
{
	struct level *level;

	if (!parser->depth) {
		parser->root = node;
		return;
	}
	level = &parser->levels[parser->depth - 1];
	if (level->last)
		level->last->next = node;
	else
		level->container->child = node;
	level->last = node;
	level->container->count++;
}

/* A new node of this type in its place; NULL when the parse must stop. */
static struct json_node *add_node(struct parser *parser, enum json_type type)
{
	const struct json_limits *limits = parser->limits;
	struct json_node *node;

	if (parser->node_count >= limits->nodes ||
	    (parser->depth &&
	     parser->levels[parser->depth - 1].container->count >=
	         limits->members)) {
		(void)refuse(parser, FAULT_INVALID_JSON);
		return NULL;
	}
	node = take_node(parser);
	if (!node) {
		(void)refuse(parser, FAULT_EXHAUSTED);
		return NULL;
	}
	node->type = type;
	node->name = parser->name;
	parser->name = (struct span){0};
	parser->node_count++;
	link_node(parser, node);
	return node;
}

/* Copy a string; false when it is too long. */
static bool keep_string(struct parser *parser, const void *at, size_t length,
                        struct span *out)
{
	struct text *strings = &parser->strings;
	const char *copy = strings->at + strings->length;

	if (length > parser->limits->string_bytes) {
		(void)refuse(parser, FAULT_INVALID_JSON);
		return false;
	}
	text_append(strings, (struct span){at, length});
	text_append_byte(strings, '\0');
	/* Quotes or separators in the source pay for every NUL. */
	assert(!strings->overflowed);
	*out = (struct span){copy, length};
	return true;
}

static int on_null(void *context)
{
	return add_node(context, JSON_NULL) != NULL;
}

static int on_boolean(void *context, int value)
{
	struct json_node *node = add_node(context, JSON_BOOL);

	if (node)
		node->boolean = value;
	return node != NULL;
}

/* Whether a JSON number is an integer that fits. */
static bool read_integer(struct span digits, int64_t *out)
{
	bool is_negative = digits.at[0] == '-';
	uint64_t limit = (uint64_t)INT64_MAX + is_negative;
	uint64_t value;

	if (is_negative) {
		digits.at++;
		digits.length--;
	}
	if (span_number(digits, limit, &value))
		return false;
	*out = (int64_t)(is_negative ? -value : value);
	return true;
}

static int on_number(void *context, const char *at, size_t length)
{
	struct json_node *node = add_node(context, JSON_NUMBER);

	if (!node || !keep_string(context, at, length, &node->text))
		return 0;
	if (read_integer(node->text, &node->integer))
		node->type = JSON_INTEGER;
	return 1;
}

static int on_string(void *context, const unsigned char *at, size_t length)
{
	struct json_node *node = add_node(context, JSON_STRING);

	return node && keep_string(context, at, length, &node->text);
}

static const struct json_node *find_member(const struct json_node *object,
                                           struct span name)
{
	const struct json_node *member;

	for (member = object->child; member; member = member->next)
		if (span_equal(member->name, name))
			return member;
	return NULL;
}

static int on_name(void *context, const unsigned char *at, size_t length)
{
	struct parser *parser = context;
	const struct level *level = &parser->levels[parser->depth - 1];

	if (!keep_string(parser, at, length, &parser->name))
		return 0;
	if (find_member(level->container, parser->name))
		return refuse(parser, FAULT_INVALID_JSON);
	return 1;
}

static int begin_container(struct parser *parser, enum json_type type)
{
	struct json_node *node;

	if (parser->depth >= parser->limits->depth)
		return refuse(parser, FAULT_INVALID_JSON);
	node = add_node(parser, type);
	if (!node)
		return 0;
	parser->levels[parser->depth++] = (struct level){.container = node};
	return 1;
}

static int on_object_begin(void *context)
{
	return begin_container(context, JSON_OBJECT);
}

static int on_array_begin(void *context)
{
	return begin_container(context, JSON_ARRAY);
}

static int on_container_end(void *context)
{
	struct parser *parser = context;

	parser->depth--;
	return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object_begin,
    .yajl_map_key = on_name,
    .yajl_end_map = on_container_end,
    .yajl_start_array = on_array_begin,
    .yajl_end_array = on_container_end,
};

/* The UTF-16 unit of "\uXXXX" at the front, or 0 when there is none. */
static unsigned escaped_unit(struct span at)
{
	unsigned char bytes[2];

	if (at.length < 6 || at.at[0] != '\\' || at.at[1] != 'u' ||
	    hex_decode((struct span){at.at + 2, 4}, bytes, sizeof(bytes)))
		return 0;
	return (unsigned)bytes[0] << 8 | bytes[1];
}

/*
 * Bytes of the escape at the front; 0 when it is half a surrogate pair, for
 * which yajl would put a '?'. Other broken escapes are left to yajl.
 */
static size_t escape_length(struct span at)
{
	unsigned unit = escaped_unit(at);
	unsigned low;

	if (unit < 0xd800 || unit > 0xdfff)
		return at.length < 2 ? at.length : 2;
	low = escaped_unit((struct span){at.at + 6, at.length - 6});
	if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return 0;
	return 12;
}

/* What yajl lets pass though RFC 8259 does not. */
static bool is_acceptable(struct span source)
{
	size_t length;

	if (!utf8_is_valid(source))
		return false;
	for (size_t i = 0; i < source.length; i += length) {
		char byte = source.at[i];
		length = 1;
		if (byte == '\\')
			length = escape_length(
			    (struct span){source.at + i, source.length - i});
		else if ((unsigned char)byte < ' ' && byte != '\t' &&
		         byte != '\n' && byte != '\r')
			return false;
		if (!length)
			return false;
	}
	return true;
}

/* Set memory aside and make room for strings; FAULT_EXHAUSTED without. */
static enum fault prepare(struct parser *parser, size_t source_bytes)
{
	struct arena *arena = parser->arena;

	if (source_bytes > (SIZE_MAX - YAJL_FIXED_BYTES) / YAJL_BYTES_FACTOR)
		return FAULT_EXHAUSTED;
	parser->reserve_bytes =
	    YAJL_FIXED_BYTES + YAJL_BYTES_FACTOR * source_bytes;
	parser->strings = arena_text(arena, source_bytes + 1);
	if (!parser->strings.at ||
	    arena->limit - arena->used < parser->reserve_bytes)
		return FAULT_EXHAUSTED;
	return FAULT_NONE;
}

static yajl_status run_yajl(struct parser *parser, struct span source)
{
	yajl_alloc_funcs functions = {allocate, reallocate, deallocate, parser};
	yajl_handle handle = yajl_alloc(&callbacks, &functions, parser);
	yajl_status status;

	status =
	    yajl_parse(handle, (const unsigned char *)source.at, source.length);
	if (status == yajl_status_ok)
		status = yajl_complete_parse(handle);
	yajl_free(handle);
	return status;
}

enum fault json_parse(struct arena *arena, struct span source,
                      const struct json_limits *limits,
                      const struct json_node **out)
{
	struct parser parser = {.arena = arena, .limits = limits};
	enum fault fault;

	assert(limits->depth <= JSON_DEPTH_LIMIT);
	source = span_trim(source);
	if (!source.length || !is_acceptable(source))
		return FAULT_INVALID_JSON;
	fault = prepare(&parser, source.length);
	if (fault)
		return fault;
	if (run_yajl(&parser, source) != yajl_status_ok)
		return parser.fault ? parser.fault : FAULT_INVALID_JSON;
	*out = parser.root;
	return FAULT_NONE;
}

const struct json_node *json_member(const struct json_node *object,
                                    const char *name)
{
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	return find_member(object, span_of(name));
}
