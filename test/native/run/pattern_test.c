/* Patterns, held against glob(3), and their bound. No arguments. */
#include "protocol/pattern.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "string_list.h"

#define BOUND 1000U

static const char *const directories[] = { "a", "a/b", "a/b/c", "ab", ".hidden", "a*", "shut" };
static const char *const files[] = { "a/1.env",	      "a/b/2.env", "a/b/.3.env", "ab/4.env",
				     ".hidden/5.env", "a*/6.env",  "a/[x",	 "a/b/c/7" };

static const char *const patterns[] = {
	"*",	      ".*",	     "a/*.env",	  "*/*.env",   ".h*/*",	  "a/b/*",    "a/b/.*",	 "a?/*.env",
	"a\\*/*.env", "a/[0-9].env", "a/[!0-9]*", "a/[x",      "a/\\[x",  "a//*.env", "*/",	 "*//",
	"a/*/",	      "a/*.env/",    "a/*/c/7",	  "*/../a*/*", "./a/*",	  "a/none",   "none*",	 "a/1.env",
	"dangling*",  "dangling/*",  "dang*/",	  "link/*",    "link*/*", "a\\",      "a/b\\/*", "[",
	"[a",	      "a[b",	     "*/[",	  "",	       "/",	  "/none*/x", "/tm[p]",	 "a/1.env/*",
};

static int by_bytes(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

static void keep(void *context, const char *path)
{
	CHECK(strings_add(context, strdup(path)), "out of memory");
}

static void expect_as_glob(const char *pattern)
{
	struct strings found = { 0 };
	size_t entries = 0;
	glob_t matches = { 0 };
	int result = glob(pattern, 0, NULL, &matches);

	CHECK(result == 0 || result == GLOB_NOMATCH, "%s: %d", pattern, result);
	pattern_search(pattern, &entries, BOUND, keep, &found);
	if (found.count > 0)
		qsort(found.items, found.count, sizeof(*found.items), by_bytes);
	CHECK(found.count == matches.gl_pathc, "%s has %zu and not %zu", pattern, found.count,
	      (size_t)matches.gl_pathc);
	for (size_t i = 0; i < found.count; i++) {
		CHECK(strcmp(found.items[i], matches.gl_pathv[i]) == 0, "%s: '%s', not '%s'", pattern, found.items[i],
		      matches.gl_pathv[i]);
		free(found.items[i]);
	}
	free(found.items);
	globfree(&matches);
}

static void test_long_patterns(void)
{
	static char pattern[3 * 4096];
	struct strings found = { 0 };
	size_t entries = 0;

	for (size_t length = 4080; length < 4110; length++) {
		memset(pattern, 'x', length);
		pattern[0] = '*';
		pattern[length] = '\0';
		pattern_search(pattern, &entries, BOUND, keep, &found);
	}
	CHECK(found.count == 0, "%zu", found.count);
	/* As many slashes as a path may have, and one more. */
	for (size_t length = 4090; length < 4100; length++) {
		memset(pattern, '/', length);
		pattern[length] = '\0';
		pattern_search(pattern, &entries, BOUND, keep, &found);
		CHECK(found.count == (length < 4096 ? length - 4089 : 6), "%zu: %zu", length, found.count);
	}
}

/* As deep as a path can be, with a small stack: what a directory costs is not a path of its own. */
static void test_depth(void)
{
	enum { DEPTH = 500 };
	const struct rlimit small = { .rlim_cur = 256 * 1024, .rlim_max = RLIM_INFINITY };
	char pattern[2 * DEPTH + 1];
	struct strings found = { 0 };
	size_t entries = 0;
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < DEPTH; i++) {
		CHECK(mkdir("d", 0755) == 0 && chdir("d") == 0, "%zu: %s", i, strerror(errno));
	}
	CHECK(here >= 0 && fchdir(here) == 0 && close(here) == 0, "%s", strerror(errno));
	for (size_t i = 0; i < DEPTH; i++)
		memcpy(pattern + 2 * i, "*/", 2);
	pattern[2 * DEPTH - 1] = '\0';
	CHECK(setrlimit(RLIMIT_STACK, &small) == 0, "%s", strerror(errno));
	pattern_search(pattern, &entries, BOUND * DEPTH, keep, &found);
	CHECK(found.count == 1 && strlen(found.items[0]) == 2 * DEPTH - 1, "%zu", found.count);
}

/* The number that were compared; -1: the search ended the process, as the launcher's ends it. */
static int compared(const char *pattern, size_t before, size_t bound)
{
	pid_t child = fork();
	int status = -1;

	CHECK(child >= 0, "%s", strerror(errno));
	if (child == 0) {
		struct strings found = { 0 };

		(void)close(STDERR_FILENO);
		pattern_search(pattern, &before, bound, keep, &found);
		_exit((int)before);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status), "%s: %d", pattern, status);
	return WEXITSTATUS(status) == 125 ? -1 : WEXITSTATUS(status);
}

static void test_bound(void)
{
	int all = compared("a/b/*", 0, BOUND);

	/* ".", "..", "c", "2.env", ".3.env" */
	CHECK(all == 5, "%d", all);
	CHECK(compared("a/b/*", 7, BOUND) == 12, "those before count");
	CHECK(compared("a/b/*", 0, 5) == 5 && compared("a/b/*", 0, 4) == -1 && compared("a/b/*", 1, 5) == -1,
	      "the bound");
	CHECK(compared("a/b/2.env", 0, 0) == 0, "a path is not a pattern");
}

int main(void)
{
	char directory[] = "/tmp/dynuser-pattern-XXXXXX";
	char command[64];

	CHECK(mkdtemp(directory) != NULL && chdir(directory) == 0, "%s", strerror(errno));
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		CHECK(mkdir(directories[i], 0755) == 0, "%s: %s", directories[i], strerror(errno));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int file = open(files[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

		CHECK(file >= 0 && close(file) == 0, "%s: %s", files[i], strerror(errno));
	}
	CHECK(symlink("none", "dangling") == 0 && symlink("a", "link") == 0, "%s", strerror(errno));
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		expect_as_glob(patterns[i]);
	test_long_patterns();
	test_bound();
	test_depth();
	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command) == 0 ? 0 : 1;
}
