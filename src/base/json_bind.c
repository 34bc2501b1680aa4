/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a tree of JSON into a struct, by a table of fields. Every value from
 * outside is declared there before anybody uses it.
 */
#include "base/json_read.h"

#include "base/encode.h"
#include "base/uuid.h"

#include <string.h>

/* What is wrong with one field: a code and a sentence, or no code. */
struct complaint {
	const char *code;
	const char *detail;
};

static const struct complaint no_complaint;

/* Write a checked value where it belongs. */
typedef struct complaint field_take(const struct json_field *field,
                                    const struct json_node *node, void *at);

static struct complaint take_text(const struct json_field *field,
                                  const struct json_node *node, void *at)
{
	if ((int64_t)node->text.length < field->minimum)
		return (struct complaint){"too_short", "is too short"};
	if ((int64_t)node->text.length > field->maximum)
		return (struct complaint){"too_long", "is too long"};
	memcpy(at, &node->text, sizeof(node->text));
	return no_complaint;
}

static struct complaint take_string(const struct json_field *field,
                                    const struct json_node *node, void *at)
{
	if (utf8_has_control(node->text))
		return (struct complaint){"invalid",
		                          "must not hold control characters"};
	return take_text(field, node, at);
}

static struct complaint take_bool(const struct json_field *field,
                                  const struct json_node *node, void *at)
{
	(void)field;
	memcpy(at, &node->boolean, sizeof(node->boolean));
	return no_complaint;
}

static struct complaint take_integer(const struct json_field *field,
                                     const struct json_node *node, void *at)
{
	if (node->integer < field->minimum || node->integer > field->maximum)
		return (struct complaint){"out_of_range", "is out of range"};
	memcpy(at, &node->integer, sizeof(node->integer));
	return no_complaint;
}

static struct complaint take_uuid(const struct json_field *field,
                                  const struct json_node *node, void *at)
{
	struct uuid uuid;

	(void)field;
	if (uuid_parse(node->text, &uuid))
		return (struct complaint){"invalid", "must be a UUID"};
	memcpy(at, &uuid, sizeof(uuid));
	return no_complaint;
}

static struct complaint take_tree(const struct json_field *field,
                                  const struct json_node *node, void *at)
{
	const struct json_node **tree = at;

	(void)field;
	*tree = node;
	return no_complaint;
}

static const struct field_kind {
	enum json_type type; /* JSON_NULL: any */
	field_take *take;
	const char *wrong_type;
} field_kinds[] = {
    [JSON_FIELD_STRING] = {JSON_STRING, take_string, "must be a string"},
    [JSON_FIELD_SECRET] = {JSON_STRING, take_text, "must be a string"},
    [JSON_FIELD_BOOL] = {JSON_BOOL, take_bool, "must be true or false"},
    [JSON_FIELD_INTEGER] = {JSON_INTEGER, take_integer,
                            "must be a whole number"},
    [JSON_FIELD_UUID] = {JSON_STRING, take_uuid, "must be a UUID"},
    [JSON_FIELD_TREE] = {JSON_NULL, take_tree, ""},
};

static struct complaint bind_field(const struct json_node *root,
                                   const struct json_field *field, void *out)
{
	const struct field_kind *kind = &field_kinds[field->kind];
	const struct json_node *node = json_member(root, field->name);

	if (!node || node->type == JSON_NULL) {
		if (field->presence == JSON_REQUIRED)
			return (struct complaint){"required", "is required"};
		return no_complaint;
	}
	if (kind->type != JSON_NULL && node->type != kind->type)
		return (struct complaint){"wrong_type", kind->wrong_type};
	return kind->take(field, node, (char *)out + field->offset);
}

enum fault json_bind(const struct json_node *root,
                     const struct json_field *fields, void *out,
                     struct field_errors *errors)
{
	enum fault fault = FAULT_NONE;

	if (!root || root->type != JSON_OBJECT)
		return FAULT_INVALID_REQUEST;
	for (; fields->name; fields++) {
		struct complaint complaint = bind_field(root, fields, out);
		if (complaint.code)
			fault =
			    field_errors_add(errors, fields->name,
			                     complaint.code, complaint.detail);
	}
	return fault;
}
