/* The reader of plans: what a plan has is what the C form has, and nothing may be missing, unknown or of another kind. */
#include "protocol/plan_reader.h"

#include <string.h>

#include "check.h"

static const char *const fields[] = {
	"\"uid\":61184",
	"\"gid\":61185",
	"\"groups\":[7,61185]",
	"\"mountNamespace\":true",
	"\"mountOps\":[]",
	"\"privateControlGroups\":true",
	"\"noNewPrivileges\":true",
	"\"filterIsForTerminal\":true",
	"\"memoryDenyWriteExecute\":false",
	"\"boundingSet\":\"000001ffffffffff\"",
	"\"ambientSet\":\"0000000000000400\"",
	"\"umask\":18",
	"\"workingDirectoryOptional\":false",
	"\"inheritEnvironment\":true",
	"\"environment\":[\"A=caf\\u00e9\"]",
	"\"unsetEnvironment\":[]",
	"\"privateNetwork\":true",
	"\"privateIPC\":true",
	"\"privateHostName\":true",
	"\"ignoreSigpipe\":true",
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
	struct json_source source = { .text = copy };
	struct json_reader reader;
	bool sound;

	CHECK(copy != NULL, "no memory");
	memcpy(copy, text, length);
	reader = json_read(copy, length);
	memset(plan, 0, sizeof(*plan));
	sound = read_plan(&reader, &source, plan) && json_at_end(&reader);
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

static void test_resources(void)
{
	static const char more[] =
		"\"limits\":[{\"resource\":\"nofile\",\"soft\":\"3\",\"hard\":\"18446744073709551615\"}],"
		"\"priority\":40,\"oomScoreAdjust\":\"-5\",\"cpuPolicy\":\"rr\",\"cpuPriority\":2,\"cpuAffinity\":[0,8191],"
		"\"ioClass\":\"idle\",\"numaPolicy\":\"bind\",\"numaNodes\":[1023],\"timerSlack\":\"7\","
		"\"coredumpFilter\":\"000000000000007f\",\"personality\":\"x86\",\"memoryMerge\":\"off\"";
	static const char *const refused[][2] = {
		{ "\"limits\":[{\"resource\":\"nofile\",\"soft\":\"4\",\"hard\":\"3\"}]", "limits" },
		{ "\"limits\":[{\"resource\":\"files\",\"soft\":\"3\",\"hard\":\"3\"}]", "limits.resource" },
		{ "\"cpuAffinity\":[]", "cpuAffinity" },
		{ "\"cpuAffinity\":[8192]", "cpuAffinity" },
		{ "\"numaNodes\":[1024]", "numaNodes" },
		{ "\"ioClass\":\"none\"", "ioClass" },
	};
	char text[TEXT_MAX], where[128];
	struct plan plan;

	compose(text, MEMBERS, more);
	CHECK(read_text(text, &plan, where, sizeof(where)), "%s: %s", text, where);
	CHECK(plan.limits_count == 1 && plan.limits[0].resource == LIMIT_NOFILE && plan.limits[0].soft == 3 &&
		      plan.limits[0].hard == UINT64_MAX,
	      "limits");
	CHECK(plan.has_priority && plan.priority == 40 && strcmp(plan.oom_score_adjust, "-5") == 0, "priorities");
	CHECK(plan.cpu_policy == CPU_RR && plan.has_cpu_priority && plan.cpu_priority == 2 && !plan.cpu_reset_on_fork,
	      "scheduling");
	CHECK(plan.cpu_affinity_count == 2 && plan.cpu_affinity[1] == 8191, "processors");
	CHECK(plan.io_class == IO_IDLE && !plan.has_io_level, "input and output");
	CHECK(plan.numa_policy == NUMA_BIND && plan.numa_nodes_count == 1 && plan.numa_nodes[0] == 1023, "nodes");
	CHECK(plan.has_timer_slack && plan.timer_slack == 7 && plan.has_coredump_filter && plan.coredump_filter == 0x7f,
	      "numbers");
	CHECK(plan.personality == PERSONALITY_X86 && plan.memory_merge == MERGE_OFF, "words");
	compose(text, MEMBERS, "");
	CHECK(read_text(text, &plan, where, sizeof(where)), "%s: %s", text, where);
	CHECK(plan.limits_count == 0 && !plan.has_priority && plan.oom_score_adjust == NULL &&
		      plan.cpu_policy == CPU_NONE && plan.cpu_affinity_count == 0 && plan.io_class == IO_ABSENT &&
		      plan.numa_policy == NUMA_NONE && !plan.has_timer_slack && plan.personality == PERSONALITY_NONE &&
		      plan.memory_merge == MERGE_NONE,
	      "nothing is given");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		compose(text, MEMBERS, refused[i][0]);
		expect(text, false, refused[i][1]);
	}
}

static void test_streams(void)
{
	static const char more[] =
		"\"streams\":[{\"number\":0,\"kind\":\"data\",\"data\":\"QQ==\"},"
		"{\"number\":1,\"kind\":\"file\",\"path\":\"/a\",\"access\":\"write\",\"append\":true},"
		"{\"number\":2,\"kind\":\"journal\",\"priority\":30,\"levelPrefix\":true}],"
		"\"terminal\":{\"path\":\"/dev/tty1\",\"hangup\":true,\"reset\":false,\"clear\":false,\"rows\":9}";
	static const char *const refused[] = {
		"{\"number\":3,\"kind\":\"null\"}",
		"{\"number\":1,\"kind\":\"file\",\"access\":\"write\"}",
		"{\"number\":1,\"kind\":\"file\",\"path\":\"a\",\"access\":\"write\"}",
		"{\"number\":1,\"kind\":\"file\",\"path\":\"/a\"}",
		"{\"number\":0,\"kind\":\"data\"}",
		"{\"number\":0,\"kind\":\"named\"}",
		"{\"number\":1,\"kind\":\"journal\"}",
		"{\"number\":1,\"kind\":\"copy\",\"from\":1}",
		"{\"number\":1,\"kind\":\"null\",\"path\":\"/a\"}",
	};
	char text[TEXT_MAX], item[256], where[128];
	struct plan plan;

	compose(text, MEMBERS, more);
	CHECK(read_text(text, &plan, where, sizeof(where)), "%s: %s", text, where);
	CHECK(plan.streams_count == 3 && plan.streams[0].kind == STREAM_DATA &&
		      strcmp(plan.streams[0].data, "QQ==") == 0,
	      "data");
	CHECK(plan.streams[1].access == ACCESS_WRITE && plan.streams[1].append && !plan.streams[1].truncate, "a file");
	CHECK(plan.streams[2].priority == 30 && plan.streams[2].level_prefix && !plan.streams[2].to_kernel, "journal");
	CHECK(plan.has_terminal && plan.terminal.hangup && plan.terminal.has_rows && !plan.terminal.has_columns,
	      "terminal");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		(void)snprintf(item, sizeof(item), "\"streams\":[%s]", refused[i]);
		compose(text, MEMBERS, item);
		CHECK(!read_text(text, &plan, where, sizeof(where)), "%s", text);
	}
}

static void test_credentials(void)
{
	static const char more[] =
		"\"credentials\":[{\"kind\":\"load\",\"name\":\"a\",\"path\":\"/b\",\"optional\":true},"
		"{\"kind\":\"stored\",\"name\":\"c\",\"stores\":[\"/d\"],\"as\":\"e\"},"
		"{\"kind\":\"import\",\"name\":\"\",\"prefix\":true,\"stores\":[\"/d\"]},"
		"{\"kind\":\"set\",\"name\":\"f\",\"data\":\"QQ==\",\"encrypted\":true}]";
	static const char *const refused[] = {
		"{\"kind\":\"load\",\"name\":\"a\"}",
		"{\"kind\":\"load\",\"name\":\"a\",\"path\":\"b\"}",
		"{\"kind\":\"load\",\"name\":\"../a\",\"path\":\"/b\"}",
		"{\"kind\":\"load\",\"name\":\"..\",\"path\":\"/b\"}",
		"{\"kind\":\"load\",\"name\":\"\",\"path\":\"/b\"}",
		"{\"kind\":\"load\",\"name\":\"a\",\"path\":\"/b\",\"prefix\":true}",
		"{\"kind\":\"stored\",\"name\":\"a\"}",
		"{\"kind\":\"stored\",\"name\":\"a\",\"stores\":[\"/d\"],\"as\":\"../e\"}",
		"{\"kind\":\"import\",\"name\":\"\",\"stores\":[\"/d\"]}",
		"{\"kind\":\"set\",\"name\":\"a\"}",
	};
	char text[TEXT_MAX], item[256], where[128];
	struct plan plan;

	compose(text, MEMBERS, more);
	CHECK(read_text(text, &plan, where, sizeof(where)), "%s: %s", text, where);
	CHECK(plan.credentials_count == 4 && plan.credentials[0].optional && plan.credentials[2].prefix &&
		      plan.credentials[3].encrypted && strcmp(plan.credentials[1].as, "e") == 0,
	      "credentials");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		(void)snprintf(item, sizeof(item), "\"credentials\":[%s]", refused[i]);
		compose(text, MEMBERS, item);
		CHECK(!read_text(text, &plan, where, sizeof(where)), "%s", text);
	}
}

static void test_values(void)
{
	static const char more[] =
		"\"commands\":[{\"path\":\"/bin/a\",\"arguments\":[\"-a\"],\"as\":\"root\",\"ignoreFailure\":true},"
		"{\"path\":\"b\",\"arguments\":[\"b\",\"c\"],\"as\":\"user\",\"ignoreFailure\":false}],"
		"\"phase\":\"stop\",\"main\":{\"pid\":7,\"inode\":\"12\",\"stopSignal\":15,\"seconds\":90,\"hangup\":true},"
		"\"root\":\"/srv\",\"workingDirectory\":null";
	char text[TEXT_MAX], where[128];
	struct plan plan;

	compose(text, MEMBERS, more);
	CHECK(read_text(text, &plan, where, sizeof(where)), "%s: %s", text, where);
	CHECK(plan.uid == 61184 && plan.gid == 61185 && plan.umask == 18, "numbers");
	CHECK(plan.groups_count == 2 && plan.groups[0] == 7 && plan.groups[1] == 61185, "groups");
	CHECK(plan.bounding_set == 0x1ffffffffffU && plan.ambient_set == 0x400U, "sets");
	CHECK(plan.mount_namespace && !plan.private_users && plan.no_new_privileges && plan.filter_is_for_terminal &&
		      plan.filter == NULL && plan.inherit_environment,
	      "booleans");
	CHECK(plan.phase == PHASE_STOP && plan.has_main && plan.main.pid == 7 && plan.main.has_inode &&
		      plan.main.inode == 12 && plan.main.stop_signal == 15 && plan.main.seconds == 90 &&
		      plan.main.hangup && !plan.main.has_final_signal && !plan.main.has_reload_signal,
	      "main process");
	CHECK(strcmp(plan.root, "/srv") == 0 && plan.working_directory == NULL, "paths");
	CHECK(plan.private_network && plan.private_ipc && plan.pass_environment.count == 2, "namespaces");
	CHECK(plan.environment.count == 1 && strcmp(plan.environment.items[0], "A=caf\303\251") == 0 &&
		      plan.unset_environment.count == 0,
	      "environment");
	CHECK(plan.commands_count == 2 && plan.commands[0].as == AS_ROOT && plan.commands[0].ignore_failure,
	      "commands");
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
		{ "\"commands\":[{\"path\":\"\",\"arguments\":[\"a\"],\"as\":\"user\",\"ignoreFailure\":false}]",
		  "commands" },
		{ "\"commands\":[{\"path\":\"a\",\"arguments\":[],\"as\":\"user\",\"ignoreFailure\":false}]",
		  "commands" },
		{ "\"commands\":[{\"path\":\"a\",\"arguments\":[\"a\"],\"as\":\"god\",\"ignoreFailure\":false}]",
		  "commands.as" },
		{ "\"commands\":[{\"path\":\"a\",\"arguments\":[\"a\"],\"as\":\"user\"}]", "commands.ignoreFailure" },
		{ "\"root\":\"a\\u0000b\"", "root" },
		{ "\"phase\":\"start\"", "phase" },
		{ "\"main\":{}", "main.pid" },
		{ "\"main\":{\"pid\":0}", "main" },
		{ "\"main\":{\"pid\":2147483648}", "main" },
		{ "\"main\":{\"pid\":7,\"seconds\":2147484}", "main" },
		{ "\"main\":{\"pid\":7,\"inode\":12}", "main.inode" },
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
		"{\"kind\":\"mkdir\",\"path\":\"/a\",\"mode\":448}",
		"{\"kind\":\"tmpfs\",\"path\":\"/a\",\"set\":[\"noExec\"],\"options\":[]}",
		"{\"kind\":\"remount\",\"path\":\"/\",\"set\":[\"readOnly\"],\"clear\":[\"noSuid\"],\"nonRecursive\":true}",
		"{\"kind\":\"attach\",\"path\":\"/a\",\"slot\":0,\"create\":\"file\"}",
		"{\"kind\":\"symlink\",\"path\":\"/a\",\"target\":\"b\"}",
		"{\"kind\":\"mask\",\"path\":\"/a\",\"optional\":true}",
		"{\"kind\":\"append\",\"path\":\"/a\",\"text\":\"b\",\"create\":\"file\",\"unlessMounted\":true,\"set\":[\"readOnly\"]}",
		"{\"kind\":\"tmpfs\",\"path\":\"/a\",\"create\":\"directory\"}",
		"{\"kind\":\"tmpfs\",\"path\":\"/a\",\"mode\":1023,\"scratch\":\"var-tmp\"}",
		"{\"kind\":\"mask\",\"path\":\"/a\",\"slot\":null,\"idMap\":null}",
	};
	static const char *const bad[] = {
		"{\"kind\":\"append\",\"path\":\"/a\"}",
		"{\"kind\":\"mask\",\"path\":\"/a\",\"text\":\"b\"}",
		"{\"kind\":\"append\",\"path\":\"/a\",\"text\":\"b\",\"create\":\"directory\"}",
		"{\"kind\":\"mkdir\"}",
		"{\"path\":\"/a\"}",
		"{\"do\":\"erase\",\"path\":\"/a\"}",
		"{\"kind\":\"mkdir\",\"path\":\"a\"}",
		"{\"kind\":\"mkdir\",\"path\":\"\"}",
		"{\"kind\":\"mkdir\",\"path\":\"/a\",\"mode\":4096}",
		"{\"kind\":\"mkdir\",\"path\":\"/a\",\"slot\":1}",
		"{\"kind\":\"clone\",\"path\":\"/a\"}",
		"{\"kind\":\"attach\",\"path\":\"/a\"}",
		"{\"kind\":\"attach\",\"path\":\"/a\",\"slot\":16384}",
		"{\"kind\":\"attach\",\"path\":\"/a\",\"slot\":0,\"create\":\"fifo\"}",
		"{\"kind\":\"symlink\",\"path\":\"/a\"}",
		"{\"kind\":\"mask\",\"path\":\"/a\",\"target\":\"b\"}",
		"{\"kind\":\"mask\",\"path\":\"/a\",\"set\":[\"readOnly\"]}",
		"{\"kind\":\"attach\",\"path\":\"/a\",\"slot\":0,\"set\":[\"readOnly\"]}",
		"{\"kind\":\"tmpfs\",\"path\":\"/a\",\"create\":\"file\"}",
		"{\"kind\":\"tmpfs\",\"path\":\"/a\",\"scratch\":\"tmp\"}",
		"{\"kind\":\"mask\",\"path\":\"/a\",\"scratch\":\"tmp\"}",
		"{\"kind\":\"tmpfs\",\"path\":\"/a\",\"mode\":448,\"scratch\":\"\"}",
		"{\"kind\":\"tmpfs\",\"path\":\"/a\",\"mode\":448,\"scratch\":\"a/b\"}",
		"{\"kind\":\"tmpfs\",\"path\":\"/a\",\"mode\":448,\"scratch\":\"..\"}",
		"{\"kind\":\"tmpfs\",\"path\":\"/a\",\"mode\":448,\"scratch\":\".taken\"}",
		"{\"kind\":\"remount\",\"path\":\"/a\",\"set\":[\"sync\"]}",
		"{\"kind\":\"mask\",\"path\":\"/a\",\"nonRecursive\":true}",
		"{\"kind\":\"remount\",\"path\":\"/a\",\"set\":[\"noExec\"],\"clear\":[\"noExec\"]}",
		"{\"kind\":\"clone\",\"path\":\"/a\",\"slot\":0,\"noSymlinks\":true,\"device\":\"1\"}",
		"{\"kind\":\"clone\",\"path\":\"/a\",\"slot\":0,\"device\":\"1\",\"inode\":\"1\"}",
		"{\"kind\":\"clone\",\"path\":\"/a\",\"slot\":0,\"noSymlinks\":true,\"device\":\"18446744073709551616\",\"inode\":\"1\"}",
		"{\"kind\":\"clone\",\"path\":\"/a\",\"slot\":0,\"idMap\":{\"diskUid\":1,\"diskGid\":1,\"uid\":1}}",
		"{\"kind\":\"mask\",\"path\":\"/a\",\"idMap\":{\"diskUid\":1,\"diskGid\":1,\"uid\":1,\"gid\":1}}",
		"{\"kind\":\"mkdir\",\"path\":\"/a\",\"options\":[]}",
		"{\"kind\":\"mask\",\"path\":\"/a\",\"detach\":true}",
		"{\"kind\":\"mask\",\"path\":\"/a\",\"sparkle\":true}",
		"7",
	};
	static const char pin[] =
		"{\"kind\":\"clone\",\"path\":\"/a\",\"slot\":3,\"noSymlinks\":true,\"device\":\"18446744073709551615\","
		"\"inode\":\"42\",\"detach\":true,\"nonRecursive\":true,\"set\":[\"noSuid\",\"noDevices\"],"
		"\"idMap\":{\"diskUid\":1,\"diskGid\":2,\"uid\":3,\"gid\":4}}";
	const struct mount_op *op;
	struct plan plan;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(step_is_sound(good[i], &plan), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!step_is_sound(bad[i], &plan), "%s", bad[i]);
	CHECK(step_is_sound(pin, &plan) && plan.mount_ops_count == 1, "%s", pin);
	op = plan.mount_ops;
	CHECK(op->kind == OP_CLONE && op->slot == 3 && op->device == UINT64_MAX && op->inode == 42, "pin");
	CHECK(op->no_symlinks && op->detach && op->non_recursive && op->has_map, "pin");
	CHECK(op->set == (1U << MOUNT_NO_SUID | 1U << MOUNT_NO_DEVICES) && op->clear == 0, "%u", op->set);
	CHECK(op->map.disk_uid == 1 && op->map.disk_gid == 2 && op->map.uid == 3 && op->map.gid == 4, "map");
}

/* An empty list of rules would allow all, and one rule without rights nothing. */
static void test_access_rules(void)
{
	static const char *const refused[] = {
		"\"accessRules\":[]",
		"\"accessRules\":[{\"path\":\"/a\",\"rights\":[]}]",
		"\"accessRules\":[{\"path\":\"a\",\"rights\":[\"read\"]}]",
		"\"accessRules\":[{\"path\":\"/a\",\"rights\":[\"readOnly\"]}]",
		"\"accessRules\":[{\"path\":\"/a\",\"rights\":[\"read\"],\"inode\":\"1\"}]",
	};
	char text[TEXT_MAX], where[128];
	struct plan plan;

	compose(text, MEMBERS,
		"\"accessRules\":[{\"path\":\"/a\",\"rights\":[\"read\",\"write\"],\"device\":\"1\",\"inode\":\"2\"}]");
	CHECK(read_text(text, &plan, where, sizeof(where)), "%s: %s", text, where);
	CHECK(plan.access_rules_count == 1 && plan.access_rules[0].rights == (1U << MAY_READ | 1U << MAY_WRITE) &&
		      plan.access_rules[0].has_device && plan.access_rules[0].inode == 2,
	      "rules");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		compose(text, MEMBERS, refused[i]);
		CHECK(!read_text(text, &plan, where, sizeof(where)), "%s", text);
	}
}

int main(void)
{
	test_streams();
	test_credentials();
	test_values();
	test_resources();
	test_missing();
	test_broken();
	test_steps();
	test_access_rules();
	return 0;
}
