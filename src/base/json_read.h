/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON from outside, read with limits into a tree of nodes in an arena, and
 * bound from there into a struct by a table of fields (RFC 8259). Duplicate
 * member names, bytes behind the value, invalid UTF-8, lone surrogates and
 * whatever passes a limit are refused. Not a general JSON library: the tree is
 * only read.
 */
#ifndef BASE_JSON_READ_H
#define BASE_JSON_READ_H

#include "base/arena.h"
#include "base/field_errors.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_INTEGER, /* fits an int64 and is written without . or e */
	JSON_NUMBER,  /* any other number; text holds its spelling */
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

struct json_node {
	enum json_type type;
	bool boolean;
	int64_t integer;
	struct span name; /* of the member; absent in arrays and at the root */
	struct span text; /* a string's bytes (may hold NUL) or a number's */
	size_t count;     /* members or elements */
	const struct json_node *child; /* first member or element */
	const struct json_node *next;  /* the following sibling */
};

#define JSON_DEPTH_LIMIT 64

struct json_limits {
	size_t depth;   /* nested arrays and objects, to JSON_DEPTH_LIMIT */
	size_t members; /* of one object, and elements of one array */
	size_t nodes;   /* in all */
	size_t string_bytes; /* of one string, name or number */
};

/* What a request body may be: depth 16, 256 members, 4,096 nodes, 1 MiB. */
extern const struct json_limits json_limits_request;

/*
 * Read one JSON value. FAULT_INVALID_JSON when it is none or passes a limit,
 * FAULT_EXHAUSTED when the arena is full: a parse wants room for six times the
 * source (most of it only set aside) and the nodes. Nodes and strings live in
 * the arena; each string is followed by a NUL.
 */
enum fault json_parse(struct arena *arena, struct span source,
                      const struct json_limits *limits,
                      const struct json_node **out);

/* The member of this name, or NULL (also when object is no object). */
const struct json_node *json_member(const struct json_node *object,
                                    const char *name);

enum json_field_kind {
	JSON_FIELD_NONE = 0,
	JSON_FIELD_STRING,  /* struct span: UTF-8 without control characters */
	JSON_FIELD_SECRET,  /* struct span: any bytes that JSON can spell */
	JSON_FIELD_BOOL,    /* bool */
	JSON_FIELD_INTEGER, /* int64_t within minimum … maximum */
	JSON_FIELD_UUID,    /* struct uuid, from text */
	JSON_FIELD_TREE, /* const struct json_node *: any value, checked later
	                  */
};

enum json_presence { JSON_OPTIONAL, JSON_REQUIRED };

/*
 * One member of an input. Lengths count bytes of UTF-8. offset is where the
 * value goes in the struct that json_bind fills in.
 */
struct json_field {
	const char *name;
	enum json_field_kind kind;
	enum json_presence presence;
	int64_t minimum; /* bytes of a string, value of an integer */
	int64_t maximum;
	size_t offset;
};

/*
 * Fill in a zeroed struct from an object. A table ends with the zero row.
 * null counts as absent; unknown members are ignored. Every wrong field is
 * added to errors (codes: required, wrong_type, too_short, too_long,
 * out_of_range, invalid) and the result is FAULT_VALIDATION;
 * FAULT_INVALID_REQUEST when root is not an object.
 */
enum fault json_bind(const struct json_node *root,
                     const struct json_field *fields, void *out,
                     struct field_errors *errors);

#endif
