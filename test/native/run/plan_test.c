/* The reader of plans: what a plan has is what the C form has, and nothing may be missing, unknown or of another kind. */
#include "protocol/plan_reader.h"

#include <string.h>

#include "check.h"

static const char *const fields[] = {
	"\"uid\":61184", "\"gid\":61185", "\"groups\":[7,61185]",
	"\"mountNamespace\":true", "\"mountOps\":[]", "\"privateUsers\":false", "\"noNewPrivileges\":true",
	"\"restrictSuidSgid\":true", "\"boundingSet\":\"000001ffffffffff\"", "\"ambientSet\":\"0000000000000400\"",
	"\"umask\":18", "\"workingDirectoryOptional\":false", "\"inheritEnvironment\":true", "\"environment\":[\"A=caf\\u00e9\"]",
	"\"unsetEnvironment\":[]", "\"privateNetwork\":true", "\"privateIPC\":true",
	"\"passEnvironment\":[\"PATH\",\"LC_*\"]",
};

#define MEMBERS (sizeof(fields) / sizeof(fields[0]))
#define TEXT_MAX 8192U

/* A plan of these members without the one of that number, and with more in front. */
static void compose(char *text, size_t without, const char *more)
{
	size_t length = (size_t)sprintf(text, "{%s", more);

	for (size_t i = 0; i < MEMBERS; i++) {
		if (i != without)
			length += (size_t)sprintf(text + length, "%s%s", length > 1 ? "," : "", fields[i]);
	}
	(void)sprintf(text + length, "}");
}

/* Reads a copy that ends where the text ends, so that the sanitizer sees a byte too many. */
static bool read_text(const char *text, struct plan *plan, char *where, size_t size)
{
	size_t length = strlen(text);
	char *copy = malloc(length);
	struct json_source source = { .text = copy, .start = copy };
	struct json_reader reader;
	bool sound;

	CHECK(copy != NULL, "no memory");
	memcpy(copy, text, length);
	reader = json_read(copy, length);
	memset(plan, 0, sizeof(*plan));
	sound = plan_read(&reader, &source, plan) && json_at_end(&reader);
	(void)snprintf(where, size, "%s", source.where);
	return sound;
}

static void expect(const char *text, bool sound, const char *where)
{
	char found[128];
	struct plan plan;

	CHECK(read_text(text, &plan, found, sizeof(found)) == sound, "%s", text);
	CHECK(sound || strcmp(found, where) == 0, "%s: %s", text, found);
}

static void test_values(void)
{
	static const char more[] = "\"commands\":[{\"path\":\"/bin/a\",\"arguments\":[\"-a\"],\"as\":\"root\",\"ignoreFailure\":true},"
				   "{\"path\":\"b\",\"arguments\":[\"b\",\"c\"],\"as\":\"user\",\"ignoreFailure\":false}],"
				   "\"root\":\"/srv\",\"workingDirectory\":null";
	char text[TEXT_MAX], where[128];
	struct plan plan;

	compose(text, MEMBERS, more);
	CHECK(read_text(text, &plan, where, sizeof(where)), "%s: %s", text, where);
	CHECK(plan.uid == 61184 && plan.gid == 61185 && plan.umask == 18, "numbers");
	CHECK(plan.group_count == 2 && plan.groups[0] == 7 && plan.groups[1] == 61185, "groups");
	CHECK(plan.bounding_set == 0x1ffffffffffU && plan.ambient_set == 0x400U, "sets");
	CHECK(plan.mount_namespace && !plan.private_users && plan.no_new_privileges &&
		      plan.restrict_suid_sgid && plan.inherit_environment,
	      "booleans");
	CHECK(strcmp(plan.root, "/srv") == 0 && plan.working_directory == NULL, "paths");
	CHECK(plan.private_network && plan.private_ipc && plan.pass_environment.count == 2, "namespaces");
	CHECK(plan.environment.count == 1 && strcmp(plan.environment.items[0], "A=caf\303\251") == 0 && plan.unset_environment.count == 0, "environment");
	CHECK(plan.command_count == 2 && plan.commands[0].as == AS_ROOT && plan.commands[0].ignore_failure, "commands");
	CHECK(strcmp(plan.commands[0].arguments.items[0], "-a") == 0 && plan.commands[1].as == AS_USER, "commands");
}

static void test_missing(void)
{
	char text[TEXT_MAX], name[64];

	for (size_t i = 0; i < MEMBERS; i++) {
		compose(text, i, "");
		(void)sscanf(fields[i], "\"%63[a-zA-Z]\"", name);
		expect(text, false, name);
	}
}

static void test_broken(void)
{
	static const struct {
		const char *more;
		const char *where;
	} cases[] = {
		{ "\"uid\":61184", "uid" },
		{ "\"shredder\":true", "shredder" },
		{ "\"root\":7", "root" },
		{ "\"commands\":[]", "commands" },
		{ "\"commands\":[{\"path\":\"\",\"arguments\":[\"a\"],\"as\":\"user\",\"ignoreFailure\":false}]", "commands" },
		{ "\"commands\":[{\"path\":\"a\",\"arguments\":[],\"as\":\"user\",\"ignoreFailure\":false}]", "commands" },
		{ "\"commands\":[{\"path\":\"a\",\"arguments\":[\"a\"],\"as\":\"god\",\"ignoreFailure\":false}]", "commands.as" },
		{ "\"commands\":[{\"path\":\"a\",\"arguments\":[\"a\"],\"as\":\"user\"}]", "commands.ignoreFailure" },
		{ "\"root\":\"a\\u0000b\"", "root" },
	};
	static const struct {
		size_t instead;
		const char *more;
		const char *where;
	} values[] = {
		{ 0, "\"uid\":-1", "uid" },
		{ 0, "\"uid\":4294967296", "uid" },
		{ 0, "\"uid\":null", "uid" },
		{ 0, "\"uid\":\"0\"", "uid" },
		{ 6, "\"noNewPrivileges\":null", "noNewPrivileges" },
		{ 6, "\"noNewPrivileges\":1", "noNewPrivileges" },
		{ 8, "\"boundingSet\":\"1ffffffffff\"", "boundingSet" },
		{ 8, "\"boundingSet\":\"000001FFFFFFFFFF\"", "boundingSet" },
		{ 8, "\"boundingSet\":\"00000x1ffffffffff\"", "boundingSet" },
		{ 2, "\"groups\":[\"7\"]", "groups" },
		{ 2, "\"groups\":[4294967296]", "groups" },
		{ 2, "\"groups\":[-1]", "groups" },
	};
	char text[TEXT_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		compose(text, MEMBERS, cases[i].more);
		expect(text, false, cases[i].where);
	}
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		compose(text, values[i].instead, values[i].more);
		expect(text, false, values[i].where);
	}
}

static bool step_is_sound(const char *op, struct plan *plan)
{
	char text[TEXT_MAX], more[1024], where[128];

	(void)snprintf(more, sizeof(more), "\"mountOps\":[%s]", op);
	compose(text, 4, more);
	return read_text(text, plan, where, sizeof(where));
}

static void test_steps(void)
{
	static const char *const good[] = {
		"{\"kind\":\"mkdir\",\"path\":\"/a\",\"mode\":448}", "{\"kind\":\"tmpfs\",\"path\":\"/a\",\"set\":[\"noExec\"],\"options\":[]}",
		"{\"kind\":\"remount\",\"path\":\"/\",\"set\":[\"readOnly\"],\"clear\":[\"noSuid\"],\"nonRecursive\":true}",
		"{\"kind\":\"attach\",\"path\":\"/a\",\"slot\":0,\"create\":\"file\"}", "{\"kind\":\"symlink\",\"path\":\"/a\",\"target\":\"b\"}",
		"{\"kind\":\"mask\",\"path\":\"/a\",\"optional\":true}", "{\"kind\":\"tmpfs\",\"path\":\"/a\",\"create\":\"directory\"}",
		"{\"kind\":\"tmpfs\",\"path\":\"/a\",\"mode\":1023,\"scratch\":\"var-tmp\"}",
		"{\"kind\":\"mask\",\"path\":\"/a\",\"slot\":null,\"idMap\":null}",
	};
	static const char *const bad[] = {
		"{\"kind\":\"mkdir\"}", "{\"path\":\"/a\"}", "{\"do\":\"erase\",\"path\":\"/a\"}", "{\"kind\":\"mkdir\",\"path\":\"a\"}",
		"{\"kind\":\"mkdir\",\"path\":\"\"}", "{\"kind\":\"mkdir\",\"path\":\"/a\",\"mode\":4096}", "{\"kind\":\"mkdir\",\"path\":\"/a\",\"slot\":1}",
		"{\"kind\":\"clone\",\"path\":\"/a\"}", "{\"kind\":\"attach\",\"path\":\"/a\"}", "{\"kind\":\"attach\",\"path\":\"/a\",\"slot\":16384}",
		"{\"kind\":\"attach\",\"path\":\"/a\",\"slot\":0,\"create\":\"fifo\"}", "{\"kind\":\"symlink\",\"path\":\"/a\"}",
		"{\"kind\":\"mask\",\"path\":\"/a\",\"target\":\"b\"}", "{\"kind\":\"mask\",\"path\":\"/a\",\"set\":[\"readOnly\"]}",
		"{\"kind\":\"attach\",\"path\":\"/a\",\"slot\":0,\"set\":[\"readOnly\"]}", "{\"kind\":\"tmpfs\",\"path\":\"/a\",\"create\":\"file\"}",
		"{\"kind\":\"tmpfs\",\"path\":\"/a\",\"scratch\":\"tmp\"}", "{\"kind\":\"mask\",\"path\":\"/a\",\"scratch\":\"tmp\"}",
		"{\"kind\":\"tmpfs\",\"path\":\"/a\",\"mode\":448,\"scratch\":\"\"}", "{\"kind\":\"tmpfs\",\"path\":\"/a\",\"mode\":448,\"scratch\":\"a/b\"}",
		"{\"kind\":\"tmpfs\",\"path\":\"/a\",\"mode\":448,\"scratch\":\"..\"}", "{\"kind\":\"tmpfs\",\"path\":\"/a\",\"mode\":448,\"scratch\":\".taken\"}",
		"{\"kind\":\"remount\",\"path\":\"/a\",\"set\":[\"sync\"]}", "{\"kind\":\"mask\",\"path\":\"/a\",\"nonRecursive\":true}",
		"{\"kind\":\"remount\",\"path\":\"/a\",\"set\":[\"noExec\"],\"clear\":[\"noExec\"]}",
		"{\"kind\":\"clone\",\"path\":\"/a\",\"slot\":0,\"noSymlinks\":true,\"device\":\"1\"}",
		"{\"kind\":\"clone\",\"path\":\"/a\",\"slot\":0,\"device\":\"1\",\"inode\":\"1\"}",
		"{\"kind\":\"clone\",\"path\":\"/a\",\"slot\":0,\"noSymlinks\":true,\"device\":\"18446744073709551616\",\"inode\":\"1\"}",
		"{\"kind\":\"clone\",\"path\":\"/a\",\"slot\":0,\"idMap\":{\"diskUid\":1,\"diskGid\":1,\"uid\":1}}",
		"{\"kind\":\"mask\",\"path\":\"/a\",\"idMap\":{\"diskUid\":1,\"diskGid\":1,\"uid\":1,\"gid\":1}}",
		"{\"kind\":\"mkdir\",\"path\":\"/a\",\"options\":[]}", "{\"kind\":\"mask\",\"path\":\"/a\",\"detach\":true}",
		"{\"kind\":\"mask\",\"path\":\"/a\",\"sparkle\":true}", "7",
	};
	static const char pin[] = "{\"kind\":\"clone\",\"path\":\"/a\",\"slot\":3,\"noSymlinks\":true,\"device\":\"18446744073709551615\","
				  "\"inode\":\"42\",\"detach\":true,\"nonRecursive\":true,\"set\":[\"noSuid\",\"noDevices\"],"
				  "\"idMap\":{\"diskUid\":1,\"diskGid\":2,\"uid\":3,\"gid\":4}}";
	const struct mount_op *op;
	struct plan plan;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(step_is_sound(good[i], &plan), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!step_is_sound(bad[i], &plan), "%s", bad[i]);
	CHECK(step_is_sound(pin, &plan) && plan.mount_op_count == 1, "%s", pin);
	op = plan.mount_ops;
	CHECK(op->kind == OP_CLONE && op->slot == 3 && op->device == UINT64_MAX && op->inode == 42, "pin");
	CHECK(op->no_symlinks && op->detach && op->non_recursive && op->has_map, "pin");
	CHECK(op->set == (1U << MOUNT_NO_SUID | 1U << MOUNT_NO_DEVICES) && op->clear == 0, "%u", op->set);
	CHECK(op->map.disk_uid == 1 && op->map.disk_gid == 2 && op->map.uid == 3 && op->map.gid == 4, "map");
}

int main(void)
{
	test_values();
	test_missing();
	test_broken();
	test_steps();
	return 0;
}
