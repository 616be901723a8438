/*
 * The snapshot of the users of a fleet as the NSS module reads it: whatever the bytes are, whoever is found is the one who was asked for, and
 * can be a dynamic user; two questions have one answer; a list has no more users than the snapshot says, and no file is left open.
 */
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bounds.h"
#include "check.h"
#include "fleet.h"

#define LISTED_MAX 64U
/* Few lines at a time, so that a list of some users is read in several parts. */
#define PART_BYTES (3U * DYNUSER_FLEET_SNAPSHOT_LINE)

static char directory[] = "/tmp/dynuser-fuzz-snapshot-XXXXXX";
static int snapshot = -1;

struct listed {
	size_t count;
	struct identity users[LISTED_MAX];
};

static void clean_up(void)
{
	char path[sizeof(directory) + sizeof("/" DYNUSER_FLEET_SNAPSHOT)];

	(void)snprintf(path, sizeof(path), "%s/" DYNUSER_FLEET_SNAPSHOT, directory);
	(void)unlink(path);
	(void)rmdir(directory);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[sizeof(directory) + sizeof("/" DYNUSER_FLEET_SNAPSHOT)];

	(void)argc;
	(void)argv;
	CHECK(mkdtemp(directory) != NULL, "%s", directory);
	(void)snprintf(path, sizeof(path), "%s/" DYNUSER_FLEET_SNAPSHOT, directory);
	snapshot = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(snapshot >= 0, "%s", path);
	CHECK(atexit(clean_up) == 0, "atexit");
	return 0;
}

static void check_user(const struct identity *who)
{
	CHECK(uid_is_possible(who->uid), "%u", who->uid);
	CHECK(memchr(who->name, '\0', sizeof(who->name)) != NULL && name_is_possible(who->name),
	      "a name that cannot be");
}

static void visit(const struct identity *who, void *context)
{
	struct listed *listed = context;

	check_user(who);
	if (listed->count < LISTED_MAX)
		listed->users[listed->count] = *who;
	listed->count++;
}

static void try_question(const struct query *query)
{
	struct identity who = { 0 }, again = { 0 };
	int answer = fleet_find(directory, query, &who);

	CHECK(answer == 0 || answer == ENOENT, "%d", answer);
	CHECK(fleet_find(directory, query, &again) == answer, "two answers to one question");
	if (answer != 0)
		return;
	check_user(&who);
	CHECK(who.uid == again.uid && strcmp(who.name, again.name) == 0, "two answers to one question");
	CHECK(query->name == NULL ? who.uid == query->uid : strcmp(who.name, query->name) == 0, "%s (%u)", who.name,
	      who.uid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct listed listed, again;
	char buffer[PART_BYTES];
	int lowest = dup(snapshot), after;

	(void)close(lowest);
	CHECK(ftruncate(snapshot, 0) == 0 && pwrite(snapshot, data, size, 0) == (ssize_t)size, "cannot write");
	listed.count = again.count = 0;
	fleet_list(directory, buffer, sizeof(buffer), visit, &listed);
	fleet_list(directory, buffer, DYNUSER_FLEET_SNAPSHOT_LINE, visit, &again);
	CHECK(listed.count == again.count, "%zu and %zu users", listed.count, again.count);
	CHECK((1 + 2 * listed.count) * DYNUSER_FLEET_SNAPSHOT_LINE <= size || listed.count == 0, "%zu users",
	      listed.count);
	for (size_t i = 0; i < listed.count && i < LISTED_MAX; i++) {
		try_question(&(struct query){ .kind = RECORD_USER, .name = listed.users[i].name });
		try_question(&(struct query){ .kind = RECORD_USER, .uid = listed.users[i].uid });
	}
	try_question(&(struct query){ .kind = RECORD_GROUP, .name = "web" });
	try_question(&(struct query){ .kind = RECORD_GROUP, .uid = 65536 });
	after = dup(snapshot);
	(void)close(after);
	CHECK(after == lowest, "a file is left open");
	return 0;
}
