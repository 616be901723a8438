/*
 * The parts of dynuser-helper by themselves, for the sanitizers above all: the protocol, the reading of nsswitch.conf, the
 * walk of a tree, and the two ways to read credentials, which must agree. Takes no arguments; needs root.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "credentials.h"
#include "posix_ipc.h"
#include "protocol.h"
#include "sources.h"
#include "verbs.h"

#define OWNER 64200U
#define NOBODYS 64201U
#define THIRDS 64202U
#define OUTSIDES 64203U
#define DEEP 3000
/* Far fewer than levels. */
#define DESCRIPTORS 64

static void test_ids(void)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "01", "00", "1x", "4294967295", "4294967296",
					   "99999999999", "18446744073709551616", "1.5", "0x10" };
	uint32_t id = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!parse_id(bad[i], &id) && id == 7, "%s", bad[i]);
	CHECK(parse_id("0", &id) && id == 0, "%u", id);
	CHECK(parse_id("4294967294", &id) && id == 4294967294U, "%u", id);
}

static void test_text(void)
{
	static const char *const bad[] = { "%", "%4", "%4x", "%zz", "%0a", "%00", "a b", "\x80", "a%0" };
	char text[TEXT_MAX * 3 + 8];
	struct answer answer;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(text, sizeof(text), "%s", bad[i]);
		CHECK(!decode_text(text), "%s", bad[i]);
	}
	(void)snprintf(text, sizeof(text), "a%%2Fb%%FF%%25");
	CHECK(decode_text(text) && strcmp(text, "a/b\xff%") == 0, "%s", text);

	/* The longest text there is, each byte of it escaped, fits; a longer one is cut. */
	memset(text, '\n', TEXT_MAX + 1);
	text[TEXT_MAX + 1] = '\0';
	answer_begin(&answer, "user");
	answer_text(&answer, text);
	CHECK(answer.length == strlen("user ") + TEXT_MAX * 3, "%zu", answer.length);
	memcpy(text, answer.line + strlen("user "), TEXT_MAX * 3);
	text[TEXT_MAX * 3] = '\0';
	CHECK(decode_text(text) && strlen(text) == TEXT_MAX, "%zu", strlen(text));
	memset(text, 'x', TEXT_MAX + 1);
	text[TEXT_MAX + 1] = '\0';
	CHECK(!decode_text(text), "a text that is too long");
	/* No number of fields writes beyond the line. */
	for (int i = 0; i < 1000; i++)
		answer_text(&answer, "0123456789");
	CHECK(answer.length < ANSWER_MAX, "%zu", answer.length);
}

/* Reads one question from a pipe that has these bytes and then ends. */
static bool read_bytes(const char *bytes, size_t count, char line[QUESTION_MAX])
{
	int ends[2];

	CHECK(pipe(ends) == 0, "pipe");
	CHECK(write(ends[1], bytes, count) == (ssize_t)count, "write");
	close(ends[1]);
	bool good = question_read(ends[0], line);

	close(ends[0]);
	return good;
}

static void test_questions(void)
{
	char line[QUESTION_MAX];
	char longest[QUESTION_MAX + 1];

	CHECK(read_bytes("uid 1\n", 6, line) && strcmp(line, "uid 1") == 0, "%s", line);
	CHECK(read_bytes("\n", 1, line) && line[0] == '\0', "%s", line);
	CHECK(!read_bytes("", 0, line), "end of input");
	CHECK(!read_bytes("uid 1", 5, line), "half a question");
	CHECK(!read_bytes("uid 1\nuid 2\n", 12, line), "two questions");
	CHECK(!read_bytes("uid\0001\n", 6, line), "a NUL");
	memset(longest, 'x', sizeof(longest));
	longest[QUESTION_MAX - 1] = '\n';
	CHECK(read_bytes(longest, QUESTION_MAX, line) && strlen(line) == QUESTION_MAX - 1, "the longest");
	longest[QUESTION_MAX - 1] = 'x';
	CHECK(!read_bytes(longest, sizeof(longest), line), "too long");
}

static void test_verbs(void)
{
	static const char *const bad[] = { "", "uid", "name", "uid ", "uid x", "uid -1", "name ", "name a b", "name %",
					   "UID 1", "nome root", "uid 1 2", " uid 1" };
	struct context context = { 0 };
	struct answer answer;
	char line[QUESTION_MAX];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(line, sizeof(line), "%s", bad[i]);
		answer_question(line, &context, &answer);
		CHECK(answer.length == strlen("invalid") && memcmp(answer.line, "invalid", answer.length) == 0, "%s",
		      bad[i]);
	}
}

static void test_sources(void)
{
	static const struct {
		const char *text, *passwd;
	} cases[] = {
		{ "", "files" },
		{ "group: ldap\n", "files" },
		{ "passwd: files systemd\n", "files systemd " },
		{ "passwd: dynuser\n", "files" },
		{ "passwd:\n", "files" },
		{ "passwd", "files" },
		{ "  passwd :\tfiles dynuser systemd # dynuser\n", "files systemd " },
		{ "passwd: files dynuser [NOTFOUND=return] sss\n", "files sss " },
		{ "passwd: dynuser [!UNAVAIL=return SUCCESS=merge] [NOTFOUND=return] files [NOTFOUND=return] sss",
		  "files [NOTFOUND=return] sss " },
		{ "passwd: files[NOTFOUND=return]sss\n", "files [NOTFOUND=return] sss " },
		{ "passwd: dynuser2 mydynuser\n", "dynuser2 mydynuser " },
		{ "#passwd: ldap\npasswd: files\npasswd: sss\n", "sss " },
		{ "passwd_compat: nis\npasswd: compat\n", "compat " },
		{ "passwd: files [NOTFOUND=ret\npasswd_compat: x", "files [NOTFOUND=ret " },
	};
	char services[SOURCES_LINE_MAX];
	char text[2 * SOURCES_LINE_MAX] = "passwd: ";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(sources_extract(cases[i].text, "passwd", services), "%s", cases[i].text);
		CHECK(strcmp(services, cases[i].passwd) == 0, "%s: %s", cases[i].text, services);
	}
	memset(text + 8, 'x', SOURCES_LINE_MAX);
	CHECK(!sources_extract(text, "passwd", services), "a line that is too long");
}

static void write_file(const char *path, const char *text, size_t count)
{
	int descriptor = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	CHECK(descriptor >= 0 && write(descriptor, text, count) == (ssize_t)count, "%s", path);
	close(descriptor);
}

static void test_sources_file(void)
{
	static char big[SOURCES_FILE_MAX + 1];
	struct sources_stamp stamp;

	memset(big, '\n', sizeof(big));
	CHECK(sources_configure("conf", &stamp) == 0 && !sources_changed("conf", &stamp), "no file");
	write_file("conf", big, sizeof(big));
	CHECK(sources_changed("conf", &stamp), "a file that came");
	CHECK(sources_configure("conf", &stamp) == EFBIG && !sources_changed("conf", &stamp), "too long");
	write_file("conf", big, sizeof(big) - 1);
	CHECK(sources_changed("conf", &stamp), "a file that was written to");
	CHECK(sources_configure("conf", &stamp) == 0, "the longest");
	write_file("conf", "passwd: files\0", 14);
	CHECK(sources_configure("conf", &stamp) == EINVAL, "a NUL");
	write_file("conf", "passwd: files [NOTFOUND=what]\n", 30);
	CHECK(sources_configure("conf", &stamp) == EINVAL, "what glibc refuses");
	CHECK(unlink("conf") == 0 && sources_changed("conf", &stamp), "a file that went");
	CHECK(mkfifo("conf", 0600) == 0 && sources_configure("conf", &stamp) == EINVAL, "a FIFO");
	CHECK(unlink("conf") == 0, "unlink");
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
	write_file("beside/file", "", 0);
	CHECK(chown("beside/file", OWNER, 0) == 0, "chown");
	expect_in_tree(OWNER, NULL);
	CHECK(mkdir("tree/mounted", 0755) == 0 && mount("tmpfs", "tree/mounted", "tmpfs", 0, NULL) == 0, "mount");
	write_file("tree/mounted/file", "", 0);
	CHECK(chown("tree/mounted/file", OWNER, 0) == 0, "chown");
	expect_in_tree(OWNER, NULL);
	write_file("tree/a/b/file", "", 0);
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
	/* On its way back the walk goes on in the middle of a directory: one of the two files is behind "d" there. */
	for (int i = 0; i < DEEP; i++) {
		write_file("before", "", 0);
		CHECK(mkdir("d", 0700) == 0, "mkdir");
		write_file("after", "", 0);
		CHECK(chdir("d") == 0, "chdir");
	}
	write_file("deepest", "", 0);
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
	write_file("tree/zz/file", "", 0);
	write_file("beside/other", "", 0);
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
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum credentials_source quick = CREDENTIALS_UNKNOWN, slow = CREDENTIALS_STATUS;
	struct credentials one, other;

	CHECK(proc >= 0 && setresgid(1, 2, 3) == 0 && setresuid(4, 5, 0) == 0, "credentials");
	CHECK(credentials_read(proc, getpid(), &quick, &one) == 0, "whichever is there");
	CHECK(credentials_read(proc, getpid(), &slow, &other) == 0, "/proc/<pid>/status");
	CHECK(memcmp(&one, &other, sizeof(one)) == 0, "both ways agree");
	CHECK(one.uids[0] == 4 && one.uids[1] == 5 && one.uids[2] == 0 && one.uids[3] == 5, "the order of the UIDs");
	CHECK(one.gids[0] == 1 && one.gids[1] == 2 && one.gids[2] == 3 && one.gids[3] == 2, "the order of the GIDs");
	CHECK(setresuid(0, 0, 0) == 0 && setresgid(0, 0, 0) == 0, "credentials");
	/* PID_MAX_LIMIT is never given out. */
	CHECK(credentials_read(proc, 4194304, &quick, &one) == ESRCH, "no such process");
	CHECK(credentials_read(proc, 4194304, &slow, &one) == ESRCH, "no such process");
	close(proc);
}

int main(void)
{
	/* A tmpfs in a mount namespace of its own: nothing has to be cleaned up. */
	CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "unshare");
	CHECK(mount("tmpfs", "/mnt", "tmpfs", 0, NULL) == 0 && chdir("/mnt") == 0, "mount");
	test_ids();
	test_text();
	test_questions();
	test_verbs();
	test_sources();
	test_sources_file();
	test_tree();
	test_deep_tree();
	test_moving_tree();
	test_credentials();
	return 0;
}
