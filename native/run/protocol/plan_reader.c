/* See plan_reader.h. */
#include "plan_reader.h"

#include <stdlib.h>

#include "mount_op_reader.h"

struct list {
	struct json_source *source;
	struct plan *plan;
	size_t room;
};

/* Room for one more item; null if there are too many, or no memory. */
static void *one_more(void **items, size_t count, size_t *room, size_t size, size_t bound)
{
	if (count == *room) {
		size_t more = *room == 0 ? 16 : *room * 2;
		void *grown = count >= bound ? NULL : realloc(*items, more * size);

		if (grown == NULL)
			return NULL;
		*items = grown;
		*room = more;
	}
	return (char *)*items + count * size;
}

static bool read_mount_op(struct json_reader *reader, void *context)
{
	struct list *list = context;
	void *items = list->plan->mount_ops;
	struct mount_op *op = one_more(&items, list->plan->mount_op_count, &list->room, sizeof(*op), MOUNT_OPS_MAX);

	list->plan->mount_ops = items;
	if (op == NULL)
		return false;
	*op = (struct mount_op){ 0 };
	list->plan->mount_op_count++;
	return mount_op_read(reader, list->source, op);
}

/* The plan that has the list at place, and its count beside it. */
#define PLAN_OF(place, field) ((struct plan *)(void *)((char *)(place)-offsetof(struct plan, field)))

static bool read_mount_ops(struct json_reader *reader, struct json_source *source, const struct json_field *field, void *place)
{
	struct list list = { .source = source, .plan = PLAN_OF(place, mount_ops) };

	(void)field;
	return json_array(reader, read_mount_op, &list);
}

static bool read_group(struct json_reader *reader, void *context)
{
	struct list *list = context;
	void *items = list->plan->groups;
	uint32_t *group = one_more(&items, list->plan->group_count, &list->room, sizeof(*group), GROUPS_MAX);

	list->plan->groups = items;
	if (group == NULL)
		return false;
	list->plan->group_count++;
	return json_uint32(reader, group) == JSON_FIT;
}

static bool read_groups(struct json_reader *reader, struct json_source *source, const struct json_field *field, void *place)
{
	struct list list = { .source = source, .plan = PLAN_OF(place, groups) };

	(void)field;
	return json_array(reader, read_group, &list);
}

static const char *const launch_command_as_words[] = { LAUNCH_COMMAND_AS_WORDS, NULL };

#define COMMAND_ROW(...) FIELD_ROW(command, __VA_ARGS__),
static const struct json_field command_rows[] = { LAUNCH_COMMAND_FIELDS(COMMAND_ROW, , ) };

static bool read_command(struct json_reader *reader, void *context)
{
	static const struct json_fields fields = { command_rows, sizeof(command_rows) / sizeof(command_rows[0]), false };
	struct list *list = context;
	void *items = list->plan->commands;
	struct command *command = one_more(&items, list->plan->command_count, &list->room, sizeof(*command), COMMANDS_MAX);

	list->plan->commands = items;
	if (command == NULL)
		return false;
	*command = (struct command){ 0 };
	list->plan->command_count++;
	return json_fields_read(reader, list->source, &fields, command) && command->arguments.count > 0 &&
	       command->path[0] != '\0';
}

static bool read_commands(struct json_reader *reader, struct json_source *source, const struct json_field *field, void *place)
{
	struct list list = { .source = source, .plan = PLAN_OF(place, commands) };

	(void)field;
	/* An empty list must not mean the command of the command line. */
	return json_array(reader, read_command, &list) && list.plan->command_count > 0;
}

#define PLAN_ROW(...) FIELD_ROW(plan, __VA_ARGS__),
#define PLAN_OPTIONAL_ROW(...) FIELD_OPTIONAL_ROW(plan, __VA_ARGS__),
static const struct json_field plan_rows[] = { LAUNCH_PLAN_FIELDS(PLAN_ROW, PLAN_OPTIONAL_ROW, ) };

bool plan_read(struct json_reader *reader, struct json_source *source, struct plan *plan)
{
	static const struct json_fields fields = { plan_rows, sizeof(plan_rows) / sizeof(plan_rows[0]), false };

	return json_fields_read(reader, source, &fields, plan);
}

bool plan_field(struct json_reader *reader, struct json_source *source, const struct json_field *field, void *place)
{
	(void)field;
	return plan_read(reader, source, place);
}
