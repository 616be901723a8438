/* See plan_reader.h. */
#include "plan_reader.h"

#include <stdlib.h>

#include "mount_op_reader.h"

#define AT(structure, field) .offset = offsetof(struct structure, field)

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

static bool read_mount_ops(struct json_reader *reader, struct json_source *source, const struct json_field *field, void *place)
{
	struct list list = { .source = source, .plan = place };

	(void)field;
	return json_array(reader, read_mount_op, &list);
}

static const char *const as_words[] = { "user", "root", "outside", NULL };

static const struct json_field command_rows[] = {
	{ "path", FIELD_TEXT, AT(command, path) },
	{ "arguments", FIELD_TEXTS, AT(command, arguments) },
	{ "as", FIELD_WORD, AT(command, as), .words = as_words },
	{ "ignoreFailure", FIELD_BOOLEAN, AT(command, ignore_failure) },
};

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
	struct list list = { .source = source, .plan = place };

	(void)field;
	/* An empty list must not mean the command of the command line. */
	return json_array(reader, read_command, &list) && list.plan->command_count > 0;
}

static const struct json_field plan_rows[] = {
	{ "uid", FIELD_NUMBER, AT(plan, uid) },
	{ "gid", FIELD_NUMBER, AT(plan, gid) },
	{ "userName", FIELD_TEXT, AT(plan, user_name) },
	{ "dynamic", FIELD_BOOLEAN, AT(plan, dynamic) },
	{ "groups", FIELD_TEXTS, AT(plan, groups) },
	{ "root", FIELD_TEXT, true, AT(plan, root) },
	{ "mountNamespace", FIELD_BOOLEAN, AT(plan, mount_namespace) },
	{ "steps", FIELD_CUSTOM, .offset = 0, .read = read_mount_ops },
	{ "privateUsers", FIELD_BOOLEAN, AT(plan, private_users) },
	{ "privateNetwork", FIELD_BOOLEAN, AT(plan, private_network) },
	{ "privateIPC", FIELD_BOOLEAN, AT(plan, private_ipc) },
	{ "noNewPrivileges", FIELD_BOOLEAN, AT(plan, no_new_privileges) },
	{ "restrictSuidSgid", FIELD_BOOLEAN, AT(plan, restrict_suid_sgid) },
	{ "boundingSet", FIELD_MASK, AT(plan, bounding_set) },
	{ "ambientSet", FIELD_MASK, AT(plan, ambient_set) },
	{ "umask", FIELD_NUMBER, AT(plan, umask) },
	{ "workingDirectory", FIELD_TEXT, true, AT(plan, working_directory) },
	{ "workingDirectoryOptional", FIELD_BOOLEAN, AT(plan, working_directory_optional) },
	{ "inheritEnvironment", FIELD_BOOLEAN, AT(plan, inherit_environment) },
	{ "passEnvironment", FIELD_TEXTS, AT(plan, pass_environment) },
	{ "environment", FIELD_TEXTS, AT(plan, environment) },
	{ "unsetEnvironment", FIELD_TEXTS, AT(plan, unset_environment) },
	{ "accountEnvironment", FIELD_BOOLEAN, AT(plan, account_environment) },
	{ "commands", FIELD_CUSTOM, true, .offset = 0, .read = read_commands },
};

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
