/* The users of the tests; see users.h. */
#include "users.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

#define PATH_BYTES 256
#define OPEN_DIRECTORIES 8

const struct identity users[USERS] = {
	{ 61184, "a" },
	{ 64642, "dynamic-user-test" },
	{ 65519, "abcdefghijabcdefghijabcdefghija" },
	{ 64352, "_du10649011993341eb" },
};

const struct identity nobody_there = { 61999, "nobody-there" };

struct runtime runtime_make(void)
{
	const char *parent = getenv("TMPDIR");
	struct runtime runtime;

	(void)snprintf(runtime.path, sizeof(runtime.path), "%s/nss-XXXXXX", parent == NULL ? "/tmp" : parent);
	CHECK(mkdtemp(runtime.path) != NULL, "%m");
	/* Tests that drop their rights look into it, too. */
	CHECK(chmod(runtime.path, 0755) == 0, "%m");
	CHECK(setenv(DYNUSER_ENV_RUNTIME_DIRECTORY, runtime.path, 1) == 0, "%m");
	return runtime;
}

void runtime_link(const struct runtime *runtime, const char *directory, const char *name, const char *text)
{
	char path[PATH_BYTES];

	(void)snprintf(path, sizeof(path), "%s/%s", runtime->path, directory);
	CHECK(mkdir(path, 0755) == 0 || errno == EEXIST, "%s: %m", path);
	(void)snprintf(path, sizeof(path), "%s/%s/%s", runtime->path, directory, name);
	CHECK(unlink(path) == 0 || errno == ENOENT, "%s: %m", path);
	CHECK(symlink(text, path) == 0, "%s: %m", path);
}

void runtime_publish(const struct runtime *runtime)
{
	for (size_t i = 0; i < USERS; i++) {
		char number[16];

		(void)snprintf(number, sizeof(number), "%u", users[i].uid);
		runtime_link(runtime, DYNUSER_BY_UID, number, users[i].name);
		runtime_link(runtime, DYNUSER_BY_NAME, users[i].name, number);
	}
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	return remove(path);
}

void runtime_remove(const struct runtime *runtime)
{
	CHECK(nftw(runtime->path, remove_one, OPEN_DIRECTORIES, FTW_DEPTH | FTW_PHYS) == 0, "%s: %m", runtime->path);
}
