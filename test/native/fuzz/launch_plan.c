/* Replies of a daemon to the launcher: whatever the bytes are, what the reader takes for a plan holds together. */
#include "target.h"

#include <string.h>

#include "check.h"
#include "protocol/launch_reply.h"

#define TEXT_MAX (1024U * 1024)

static void check_strings(const struct strings *list, size_t size)
{
	CHECK(list->count <= size, "%zu strings out of %zu bytes", list->count, size);
	CHECK(list->count == 0 || list->items[list->count] == NULL, "a list without an end");
	for (size_t i = 0; i < list->count; i++)
		CHECK(list->items[i] != NULL && strlen(list->items[i]) < size, "a string without an end");
}

static void check_step(const struct mount_op *op, size_t size)
{
	CHECK(op->path[0] == '/' && strlen(op->path) < size, "%s", op->path);
	CHECK(op->slot < SLOTS_MAX && op->kind <= OP_MASK && op->create <= CREATE_FILE, "%s", op->path);
	CHECK((op->kind == OP_SYMLINK) == (op->target != NULL), "%s", op->path);
	check_strings(&op->options, size);
}

static void check_plan(const struct plan *plan, size_t size)
{
	CHECK(plan->mount_ops_count <= MOUNT_OPS_MAX && plan->commands_count <= COMMANDS_MAX, "%zu steps",
	      plan->mount_ops_count);
	CHECK(plan->groups_count <= size, "%zu groups out of %zu bytes", plan->groups_count, size);
	check_strings(&plan->environment, size);
	check_strings(&plan->unset_environment, size);
	for (size_t i = 0; i < plan->mount_ops_count; i++)
		check_step(&plan->mount_ops[i], size);
	for (size_t i = 0; i < plan->commands_count; i++) {
		CHECK(plan->commands[i].path[0] != '\0' && plan->commands[i].arguments.count > 0,
		      "a command without a name");
		CHECK(plan->commands[i].as <= AS_OUTSIDE, "a command as %d", (int)plan->commands[i].as);
		check_strings(&plan->commands[i].arguments, size);
	}
}

/*
 * The reader leaves what it took to the end of the program: here it would be a leak. By the tables of the fields, as the structures are made:
 * a new list of the interface needs a line in FORGET_ITEM if its items have lists too.
 */
#define FORGET(text, field, type) \
	{ \
		__typeof__(&of->field) member = &of->field; \
\
		(void)member; \
		FORGET_##type \
	}
#define FORGET_NUMBER
#define FORGET_TEXT
#define FORGET_TEXTS free(member->items);
#define FORGET_BOOLEAN
#define FORGET_DECIMAL
#define FORGET_MASK
#define FORGET_WORD(enumeration)
#define FORGET_FLAGS(enumeration)
#define FORGET_OBJECT(structure) FORGET_ITEM(member);
#define FORGET_LIST(list, structure) \
	for (size_t i = 0; of->list != NULL && i < of->list##_count; i++) \
		FORGET_ITEM(&of->list[i]); \
	free(of->list);
#define FORGET_ITEM(item) \
	_Generic((item), \
		struct image_part *: forget_image_part, \
		struct image *: forget_image, \
		struct overlay *: forget_overlay, \
		struct mount_op *: forget_mount_op, \
		struct launch_command *: forget_command, \
		struct credential *: forget_credential, \
		default: forget_nothing)(item)

static void forget_image_part(struct image_part *of);
static void forget_image(struct image *of);
static void forget_overlay(struct overlay *of);
static void forget_mount_op(struct mount_op *of);
static void forget_command(struct launch_command *of);
static void forget_credential(struct credential *of);

static void forget_nothing(const void *item)
{
	(void)item;
}

static void forget_image_part(struct image_part *of)
{
	IMAGE_PART_FIELDS(FORGET, FORGET, FORGET)
}

static void forget_image(struct image *of)
{
	IMAGE_FIELDS(FORGET, FORGET, FORGET)
}

static void forget_overlay(struct overlay *of)
{
	OVERLAY_FIELDS(FORGET, FORGET, FORGET)
}

static void forget_mount_op(struct mount_op *of)
{
	MOUNT_OP_FIELDS(FORGET, FORGET, FORGET)
}

static void forget_command(struct launch_command *of)
{
	LAUNCH_COMMAND_FIELDS(FORGET, FORGET, FORGET)
}

static void forget_credential(struct credential *of)
{
	CREDENTIAL_FIELDS(FORGET, FORGET, FORGET)
}

static void forget_plan(struct plan *of)
{
	LAUNCH_PLAN_FIELDS(FORGET, FORGET, FORGET)
}

static void forget(struct reply *reply)
{
	forget_plan(&reply->plan);
	free(reply->warnings.items);
	free(reply->explanation.items);
	free(reply->questions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct reply reply;
	char where[96] = "unset";

	if (size == 0 || size > TEXT_MAX)
		return 0;
	char *copy = malloc(size);

	CHECK(copy != NULL, "no memory");
	memcpy(copy, data, size);
	memset(&reply, 0, sizeof(reply));
	bool sound = reply_read(copy, size, &reply, where, sizeof(where));

	CHECK(memchr(where, '\0', sizeof(where)) != NULL, "a place without an end");
	if (sound && reply.error == NULL && reply.has_plan)
		check_plan(&reply.plan, size);
	if (sound)
		CHECK(reply.question_count <= QUESTIONS_MAX, "%zu questions", reply.question_count);
	for (size_t i = 0; sound && i < reply.question_count; i++)
		CHECK(reply.questions[i].path != NULL && strlen(reply.questions[i].path) < size,
		      "a question without a path");
	check_strings(&reply.warnings, size);
	check_strings(&reply.explanation, size);
	forget(&reply);
	free(copy);
	return 0;
}
