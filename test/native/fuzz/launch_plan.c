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
	CHECK(plan->mount_op_count <= MOUNT_OPS_MAX && plan->command_count <= COMMANDS_MAX, "%zu steps", plan->mount_op_count);
	CHECK(plan->group_count <= size, "%zu groups out of %zu bytes", plan->group_count, size);
	check_strings(&plan->environment, size);
	check_strings(&plan->unset_environment, size);
	for (size_t i = 0; i < plan->mount_op_count; i++)
		check_step(&plan->mount_ops[i], size);
	for (size_t i = 0; i < plan->command_count; i++) {
		CHECK(plan->commands[i].path[0] != '\0' && plan->commands[i].arguments.count > 0, "a command without a name");
		CHECK(plan->commands[i].as <= AS_OUTSIDE, "a command as %d", (int)plan->commands[i].as);
		check_strings(&plan->commands[i].arguments, size);
	}
}

/* The reader leaves what it took to the end of the program: here it would be a leak. */
static void forget(struct reply *reply)
{
	for (size_t i = 0; reply->plan.mount_ops != NULL && i < reply->plan.mount_op_count; i++)
		free(reply->plan.mount_ops[i].options.items);
	for (size_t i = 0; reply->plan.commands != NULL && i < reply->plan.command_count; i++)
		free(reply->plan.commands[i].arguments.items);
	free(reply->plan.groups);
	free(reply->plan.environment.items);
	free(reply->plan.unset_environment.items);
	free(reply->plan.mount_ops);
	free(reply->plan.commands);
	free(reply->warnings.items);
	free(reply->explanation.items);
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
		CHECK(reply.questions[i].path != NULL && strlen(reply.questions[i].path) < size, "a question without a path");
	check_strings(&reply.warnings, size);
	check_strings(&reply.explanation, size);
	forget(&reply);
	free(copy);
	return 0;
}
