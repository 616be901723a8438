/*
 * How dynuser-helper searches: the walk of a tree, however deep and whatever moves in it, and how credentials are read. Takes no
 * arguments; needs root.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "credentials.h"
#include "posix_ipc.h"
#include "protocol.h"

#define OWNER 64200U
#define NOBODYS 64201U
#define THIRDS 64202U
#define OUTSIDES 64203U
#define DEEP 3000
/* Far fewer than levels. */
#define DESCRIPTORS 64

static void make_file(const char *path)
{
	int descriptor = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	CHECK(descriptor >= 0, "%s", path);
	close(descriptor);
}

/* Looks below "tree" for what the answer must have in it; NULL is for nothing found. */
static void expect_in_tree(uint32_t number, const char *expected)
{
	struct answer answer = { .length = 0 };
	bool found = find_in_tree("tree", "posix-shm", 0, number, &answer);

	CHECK(found == (expected != NULL), "%u: %.*s", number, (int)answer.length, answer.line);
	CHECK(expected == NULL || memmem(answer.line, answer.length, expected, strlen(expected)) != NULL, "%.*s",
	      (int)answer.length, answer.line);
}

static int open_descriptors(void)
{
	int count = 0;

	for (int descriptor = 0; descriptor < 256; descriptor++)
		count += fcntl(descriptor, F_GETFD) >= 0;
	return count;
}

static void test_tree(void)
{
	int before = open_descriptors();

	expect_in_tree(OWNER, NULL);
	CHECK(mkdir("tree", 0755) == 0 && mkdir("tree/a", 0755) == 0 && mkdir("tree/a/b", 0755) == 0, "mkdir");
	CHECK(mkdir("beside", 0755) == 0 && symlink("../beside", "tree/link") == 0, "symlink");
	make_file("beside/file");
	CHECK(chown("beside/file", OWNER, 0) == 0, "chown");
	expect_in_tree(OWNER, NULL);
	CHECK(mkdir("tree/mounted", 0755) == 0 && mount("tmpfs", "tree/mounted", "tmpfs", 0, NULL) == 0, "mount");
	make_file("tree/mounted/file");
	CHECK(chown("tree/mounted/file", OWNER, 0) == 0, "chown");
	expect_in_tree(OWNER, NULL);
	make_file("tree/a/b/file");
	CHECK(chown("tree/a/b/file", 0, OWNER) == 0, "chown");
	expect_in_tree(OWNER, "/tree/a/b/file");
	CHECK(unlink("tree/a/b/file") == 0 && lchown("tree/link", OWNER, 0) == 0, "unlink");
	expect_in_tree(OWNER, "/tree/link");
	CHECK(unlink("tree/link") == 0 && chown("tree/a", OWNER, 0) == 0, "unlink");
	expect_in_tree(OWNER, "/tree/a");
	CHECK(chown("tree/a", 0, 0) == 0, "chown");
	expect_in_tree(OWNER, NULL);
	/* Nothing is left open. */
	CHECK(open_descriptors() == before, "%d descriptors, %d before", open_descriptors(), before);
}

static void descend(int top, int levels)
{
	CHECK(fchdir(top) == 0 && chdir("tree/a/b") == 0, "chdir");
	for (int i = 0; i < levels; i++)
		CHECK(chdir("d") == 0, "chdir");
}

static void test_deep_tree(void)
{
	static const char *const names[] = { "before", "after" };
	int top = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int before = open_descriptors();
	struct rlimit usual, few;

	CHECK(getrlimit(RLIMIT_NOFILE, &usual) == 0, "getrlimit");
	few = (struct rlimit){ .rlim_cur = DESCRIPTORS, .rlim_max = usual.rlim_max };
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0, "setrlimit");
	descend(top, 0);
	/* On its way back the walk continues in the middle of a directory: one of the two files is behind "d" there. */
	for (int i = 0; i < DEEP; i++) {
		make_file("before");
		CHECK(mkdir("d", 0700) == 0, "mkdir");
		make_file("after");
		CHECK(chdir("d") == 0, "chdir");
	}
	make_file("deepest");
	CHECK(fchdir(top) == 0, "fchdir");
	expect_in_tree(OWNER, NULL);
	descend(top, DEEP);
	CHECK(chown("deepest", OWNER, OWNER) == 0 && fchdir(top) == 0, "chown");
	/* Its path is longer than the kernel tells; its name is not. */
	expect_in_tree(OWNER, "posix-shm deepest");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		descend(top, DEEP / 2);
		CHECK(chown(names[i], NOBODYS, 0) == 0 && fchdir(top) == 0, "chown");
		/* This path is told as far as a text of the protocol goes. */
		expect_in_tree(NOBODYS, "posix-shm /mnt/tree/a/b/d/d/d");
		descend(top, DEEP / 2);
		CHECK(chown(names[i], 0, 0) == 0 && fchdir(top) == 0, "chown");
	}
	CHECK(open_descriptors() == before, "%d descriptors, %d before", open_descriptors(), before);
	CHECK(setrlimit(RLIMIT_NOFILE, &usual) == 0, "setrlimit");
	close(top);
}

#define D8 "d/d/d/d/d/d/d/d/"
/* Below the levels that the walk keeps open. */
#define MOVED_FROM "tree/a/b/" D8 D8 D8 D8 D8 "d"

static void *move_about(void *argument)
{
	atomic_bool *stop = argument;

	while (!atomic_load(stop)) {
		CHECK(rename(MOVED_FROM, "tree/moved") == 0, "rename");
		CHECK(rename("tree/moved", MOVED_FROM) == 0, "rename");
	}
	return NULL;
}

/*
 * Directories that are moved while they are walked end neither the walk nor what the other directories show; and the
 * way back up from one of them does not lead out of the tree.
 */
static void test_moving_tree(void)
{
	atomic_bool stop = false;
	pthread_t thread;

	CHECK(mkdir("tree/zz", 0755) == 0, "mkdir");
	make_file("tree/zz/file");
	make_file("beside/other");
	CHECK(chown("tree/zz/file", THIRDS, 0) == 0 && chown("beside/other", OUTSIDES, 0) == 0, "chown");
	CHECK(pthread_create(&thread, NULL, move_about, &stop) == 0, "pthread_create");
	for (int i = 0; i < 15; i++) {
		expect_in_tree(THIRDS, "/tree/zz/file");
		expect_in_tree(OUTSIDES, NULL);
	}
	atomic_store(&stop, true);
	CHECK(pthread_join(thread, NULL) == 0, "pthread_join");
}

static void test_credentials(void)
{
	static const gid_t few[] = { 64000, 0, 4294967294U };
	static gid_t many[GROUPS_MAX];
	static struct credentials read;
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK(proc >= 0 && setgroups(3, few) == 0 && setresgid(1, 2, 3) == 0 && setresuid(4, 5, 0) == 0, "credentials");
	CHECK(credentials_read(proc, getpid(), &read) == 0, "/proc/<pid>/status");
	CHECK(read.uids[0] == 4 && read.uids[1] == 5 && read.uids[2] == 0 && read.uids[3] == 5,
	      "the order of the UIDs");
	CHECK(read.gids[0] == 1 && read.gids[1] == 2 && read.gids[2] == 3 && read.gids[3] == 2,
	      "the order of the GIDs");
	CHECK(!read.is_kernel && read.group_count == 3, "%zu groups", read.group_count);
	CHECK(credentials_hold(&read, 5) == HOLDS_AS_USER && credentials_hold(&read, 3) == HOLDS_AS_GROUP &&
		      credentials_hold(&read, 64000) == HOLDS_AS_SUPPLEMENTARY &&
		      credentials_hold(&read, 4294967294U) == HOLDS_AS_SUPPLEMENTARY &&
		      credentials_hold(&read, 6) == HOLDS_NOT,
	      "as what");
	CHECK(setresuid(0, 0, 0) == 0 && setresgid(0, 0, 0) == 0, "credentials");
	/* As many as there can be, of the most digits; and none at all. */
	for (size_t i = 0; i < GROUPS_MAX; i++)
		many[i] = (gid_t)(4294967294U - i);
	CHECK(setgroups(GROUPS_MAX, many) == 0 && credentials_read(proc, getpid(), &read) == 0, "many groups");
	CHECK(read.group_count == GROUPS_MAX, "%zu groups", read.group_count);
	for (size_t i = 0; i < GROUPS_MAX; i += GROUPS_MAX - 1)
		CHECK(credentials_hold(&read, many[i]) == HOLDS_AS_SUPPLEMENTARY, "%u", many[i]);
	CHECK(setgroups(0, NULL) == 0 && credentials_read(proc, getpid(), &read) == 0, "no groups");
	CHECK(read.group_count == 0, "%zu groups", read.group_count);
	/* PID_MAX_LIMIT is never given out. */
	CHECK(credentials_read(proc, 4194304, &read) == ESRCH, "no such process");
	close(proc);
}

int main(void)
{
	/* A tmpfs in a mount namespace of its own: nothing has to be cleaned up. */
	CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "unshare");
	CHECK(mount("tmpfs", "/mnt", "tmpfs", 0, NULL) == 0 && chdir("/mnt") == 0, "mount");
	test_tree();
	test_deep_tree();
	test_moving_tree();
	test_credentials();
	return 0;
}
