/* The tables of the plan's own members, and of its commands; see plan_reader.h. */
#include "plan_reader.h"

#include <stdlib.h>

#include "mount_op_reader.h"

#define AT(structure, field) .offset = offsetof(struct structure, field)

struct list {
	struct reading *reading;
	struct plan *plan;
	size_t room;
};

/* Room for one more of a list; null where there are too many, or there is no memory. All of it is zeros. */
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

static bool read_step(struct json_reader *reader, void *context)
{
	struct list *list = context;
	void *items = list->plan->steps;
	struct step *step = one_more(&items, list->plan->step_count, &list->room, sizeof(*step), STEPS_MAX);

	list->plan->steps = items;
	if (step == NULL)
		return false;
	*step = (struct step){ 0 };
	list->plan->step_count++;
	return step_read(reader, list->reading, step);
}

static bool read_steps(struct json_reader *reader, struct reading *reading, const struct member *member, void *place)
{
	struct list list = { .reading = reading, .plan = place };

	(void)member;
	return json_array(reader, read_step, &list);
}

static const char *const as_words[] = { "user", "root", "outside", NULL };

static const struct member command_rows[] = {
	{ "path", MEMBER_TEXT, AT(command, path) },
	{ "arguments", MEMBER_TEXTS, AT(command, arguments) },
	{ "as", MEMBER_WORD, AT(command, as), .words = as_words },
	{ "ignoreFailure", MEMBER_BOOLEAN, AT(command, ignore_failure) },
};

static bool read_command(struct json_reader *reader, void *context)
{
	static const struct members members = { command_rows, sizeof(command_rows) / sizeof(command_rows[0]), false };
	struct list *list = context;
	void *items = list->plan->commands;
	struct command *command = one_more(&items, list->plan->command_count, &list->room, sizeof(*command), COMMANDS_MAX);

	list->plan->commands = items;
	if (command == NULL)
		return false;
	*command = (struct command){ 0 };
	list->plan->command_count++;
	return members_read(reader, list->reading, &members, command) && command->arguments.count > 0 &&
	       command->path[0] != '\0';
}

static bool read_commands(struct json_reader *reader, struct reading *reading, const struct member *member, void *place)
{
	struct list list = { .reading = reading, .plan = place };

	(void)member;
	/* No commands at all would mean that of the command line, which nobody said. */
	return json_array(reader, read_command, &list) && list.plan->command_count > 0;
}

static const struct member plan_rows[] = {
	{ "uid", MEMBER_NUMBER, AT(plan, uid) },
	{ "gid", MEMBER_NUMBER, AT(plan, gid) },
	{ "userName", MEMBER_TEXT, AT(plan, user_name) },
	{ "dynamic", MEMBER_BOOLEAN, AT(plan, dynamic) },
	{ "groups", MEMBER_TEXTS, AT(plan, groups) },
	{ "root", MEMBER_TEXT, true, AT(plan, root) },
	{ "mountNamespace", MEMBER_BOOLEAN, AT(plan, mount_namespace) },
	{ "steps", MEMBER_CUSTOM, .offset = 0, .read = read_steps },
	{ "privateUsers", MEMBER_BOOLEAN, AT(plan, private_users) },
	{ "privateNetwork", MEMBER_BOOLEAN, AT(plan, private_network) },
	{ "privateIPC", MEMBER_BOOLEAN, AT(plan, private_ipc) },
	{ "noNewPrivileges", MEMBER_BOOLEAN, AT(plan, no_new_privileges) },
	{ "restrictSuidSgid", MEMBER_BOOLEAN, AT(plan, restrict_suid_sgid) },
	{ "boundingSet", MEMBER_MASK, AT(plan, bounding_set) },
	{ "ambientSet", MEMBER_MASK, AT(plan, ambient_set) },
	{ "umask", MEMBER_NUMBER, AT(plan, umask) },
	{ "workingDirectory", MEMBER_TEXT, true, AT(plan, working_directory) },
	{ "workingDirectoryOptional", MEMBER_BOOLEAN, AT(plan, working_directory_optional) },
	{ "inheritEnvironment", MEMBER_BOOLEAN, AT(plan, inherit_environment) },
	{ "passEnvironment", MEMBER_TEXTS, AT(plan, pass_environment) },
	{ "environment", MEMBER_TEXTS, AT(plan, environment) },
	{ "unsetEnvironment", MEMBER_TEXTS, AT(plan, unset_environment) },
	{ "accountEnvironment", MEMBER_BOOLEAN, AT(plan, account_environment) },
	{ "commands", MEMBER_CUSTOM, true, .offset = 0, .read = read_commands },
};

bool plan_read(struct json_reader *reader, struct reading *reading, struct plan *plan)
{
	static const struct members members = { plan_rows, sizeof(plan_rows) / sizeof(plan_rows[0]), false };

	return members_read(reader, reading, &members, plan);
}

bool plan_member(struct json_reader *reader, struct reading *reading, const struct member *member, void *place)
{
	(void)member;
	return plan_read(reader, reading, place);
}
