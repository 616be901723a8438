/* Paths below a root: nothing leads out of it, and what is missing is made with the modes that it is to have. No arguments. */
#include "namespace/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static int root;

static void expect_error(int descriptor, int error, const char *what)
{
	CHECK(descriptor < 0 && errno == error, "%s: %d, %s", what, descriptor, strerror(errno));
}

static bool same(int descriptor, const char *path)
{
	struct stat one, other;

	CHECK(fstat(descriptor, &one) == 0 && fstatat(root, path, &other, AT_SYMLINK_NOFOLLOW) == 0, "%s", path);
	return one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

static unsigned int mode_of(const char *path)
{
	struct stat status;

	CHECK(fstatat(root, path, &status, AT_SYMLINK_NOFOLLOW) == 0, "%s", path);
	return status.st_mode & 07777;
}

static void test_directories(void)
{
	int made = resolve_directory(root, "/a/b//c/", 01750);

	CHECK(made >= 0 && same(made, "a/b/c"), "%s", strerror(errno));
	CHECK(mode_of("a") == 0755 && mode_of("a/b") == 0755 && mode_of("a/b/c") == 01750, "%o", mode_of("a/b/c"));
	/* One that is there keeps its mode. */
	CHECK(resolve_directory(root, "/a/b/c", 0700) >= 0 && mode_of("a/b/c") == 01750, "%o", mode_of("a/b/c"));
	CHECK(resolve_directory(root, "/a/b/d", 0700) >= 0 && mode_of("a/b/d") == 0700, "%o", mode_of("a/b/d"));
	made = resolve_directory(root, "/e//", 0711);
	CHECK(made >= 0 && same(made, "e") && mode_of("e") == 0711, "%s", strerror(errno));
	made = resolve_directory(root, "/", 0700);
	CHECK(made >= 0 && same(made, "."), "root");
	made = resolve_directory(root, "///", 0700);
	CHECK(made >= 0 && same(made, "."), "root, with slashes");
	expect_error(resolve_directory(root, "/missing/../x", 0755), EINVAL, "..");
	expect_error(resolve_directory(root, "relative", 0755), EINVAL, "relative");
	CHECK(mknodat(root, "file", S_IFREG | 0600, 0) == 0, "%s", strerror(errno));
	expect_error(resolve_directory(root, "/file", 0755), ENOTDIR, "a file");
	expect_error(resolve_directory(root, "/file/below", 0755), ENOTDIR, "below a file");
}

static void test_symlinks(void)
{
	int made;

	CHECK(symlinkat("/a", root, "absolute") == 0 && symlinkat("../../../../a/b", root, "climbing") == 0 &&
		      symlinkat("/etc/passwd", root, "outside") == 0 && symlinkat("/nowhere", root, "dangling") == 0,
	      "%s", strerror(errno));
	made = resolve(root, "/absolute/b", 0);
	CHECK(made >= 0 && same(made, "a/b"), "an absolute link leads to the root's own");
	made = resolve(root, "/climbing", 0);
	CHECK(made >= 0 && same(made, "a/b"), "a link cannot climb out");
	expect_error(resolve(root, "/outside", 0), ENOENT, "outside");
	expect_error(resolve(root, "/../../../etc/passwd", 0), ENOENT, "..");
	expect_error(resolve_no_symlinks(root, "/absolute/b"), ELOOP, "a link on the way");
	expect_error(resolve_no_symlinks(root, "/absolute"), ELOOP, "a link at the end");
	CHECK(resolve_no_symlinks(root, "/a/b") >= 0, "straight");
	/* What a link leads to is made by nobody but who made the link. */
	CHECK(resolve_directory(root, "/dangling/x", 0755) < 0, "a dangling link");
	CHECK(faccessat(root, "nowhere", F_OK, 0) != 0, "nothing was made");
	made = resolve_directory(root, "/absolute/new", 0711);
	CHECK(made >= 0 && same(made, "a/new"), "below a link");
}

static void test_files_and_parents(void)
{
	const char *name = NULL;
	int made = resolve_file(root, "/f/g/h");

	CHECK(made >= 0 && same(made, "f/g/h") && mode_of("f/g/h") == 0644, "%s", strerror(errno));
	CHECK(resolve_file(root, "/f/g/h") >= 0, "once more");
	made = resolve_parent(root, "/p/q/r", &name);
	CHECK(made >= 0 && same(made, "p/q") && strcmp(name, "r") == 0, "%s", strerror(errno));
	made = resolve_parent(root, "/top", &name);
	CHECK(made >= 0 && same(made, ".") && strcmp(name, "top") == 0, "%s", strerror(errno));
	expect_error(resolve_parent(root, "/p/", &name), EINVAL, "no name");
}

static void test_long_paths(void)
{
	char path[PATH_MAX + 16];

	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	expect_error(resolve_directory(root, path, 0755), ENAMETOOLONG, "too long");
	/* As many directories as fit in a path. */
	for (size_t i = 0; i + 1 < PATH_MAX; i++)
		path[i] = i % 2 == 0 ? '/' : 'd';
	path[PATH_MAX - 1] = '\0';
	CHECK(resolve_directory(root, path, 0755) >= 0, "%s", strerror(errno));
	CHECK(resolve(root, path, O_DIRECTORY) >= 0, "%s", strerror(errno));
}

int main(void)
{
	char directory[] = "/tmp/dynuser-resolve-XXXXXX";
	char command[64];

	umask(0);
	CHECK(mkdtemp(directory) != NULL, "%s", strerror(errno));
	root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	test_directories();
	test_symlinks();
	test_files_and_parents();
	test_long_paths();
	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command) == 0 ? 0 : 1;
}
