/*
 * What dynuser-helper reads, for the sanitizers above all: the lines of its protocol, and nsswitch.conf. Takes no
 * arguments; needs root.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "protocol.h"
#include "probe/sources.h"
#include "questions.h"

static void test_ids(void)
{
	static const char *const bad[] = { "",		 "-1",	       "+1",	      " 1",
					   "1 ",	 "01",	       "00",	      "1x",
					   "4294967295", "4294967296", "99999999999", "18446744073709551616",
					   "1.5",	 "0x10" };
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
	struct answer answer = { .start = 0 };

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

static void expect_answer(const char *questions, enum role role, const char *expected)
{
	static const struct uid_interval interval = { 61184, 65519 };
	struct context context = { .dynamic = { &interval, 1 } };
	struct answer answer = { .start = 0 };
	char line[QUESTION_MAX];

	(void)snprintf(line, sizeof(line), "%s", questions);
	answer_line(line, role, &context, &answer);
	CHECK(answer.length == strlen(expected) && memcmp(answer.line, expected, answer.length) == 0, "%s: %.*s",
	      questions, (int)answer.length, answer.line);
}

static void test_lines(void)
{
	static const char *const bad[] = { "",
					   "owner",
					   "name",
					   "owner ",
					   "owner x",
					   "owner -1",
					   "name ",
					   "name a b",
					   "name %",
					   "OWNER 1",
					   "nome root",
					   "owner 1 2",
					   " owner 1",
					   "process x",
					   "remove-ipc 61184",
					   "; owner 61184",
					   "owner 61184;process 61184" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_answer(bad[i], ROLE_PROBE, "invalid");
	expect_answer("process 61184; running 61185; owner 61186", ROLE_PROBE, "free; running; free");
	/* What finds something, or fails, ends the line. */
	expect_answer("running 61184; name root; running 61185", ROLE_PROBE, "running; account 0:0 0");
	expect_answer("running 61184; owner x; running 61185", ROLE_PROBE, "running; invalid");
	expect_answer("running 61184; ", ROLE_PROBE, "running; invalid");
	/* More than that are not asked at all. */
	expect_answer("running 1; running 2", ROLE_REAPER, "invalid");
	expect_answer("running 61184; running 61185; running 61186; running 61187", ROLE_REAPER,
		      "running; running; running; running");
	expect_answer("running 61184; running 61185; running 61186; running 61187; running 61188", ROLE_REAPER,
		      "invalid");
	/* What is removed is removed only if nothing was found before. */
	expect_answer("running 61184; clear-keyrings 61184; remove-ipc 61184", ROLE_REAPER, "running; free; free");
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
		/* The colon is a source here, as for glibc, which has none of that name. */
		{ "  passwd :\tfiles dynuser systemd\n", ": files systemd " },
		{ "passwd files\tsystemd\n", "files systemd " },
		/* A "#" behind sources is one, and so is what follows it. */
		{ "passwd: files # sss dynuser\ngroup: x", "files # sss " },
		{ "passwd: files #sss\n", "files #sss " },
		{ "passwd: files#sss dynuser# db\n", "files#sss dynuser# db " },
		{ "passwd: # sss\n", "# sss " },
		{ "passwd: sss [NOTFOUND=return # ] db\n", "sss [NOTFOUND=return # ] db " },
		{ "passwd: files dynuser [NOTFOUND=return] sss\n", "files sss " },
		{ "passwd: dynuser [!UNAVAIL=return SUCCESS=merge] [NOTFOUND=return] files [NOTFOUND=return] sss",
		  "files [NOTFOUND=return] sss " },
		{ "passwd: files[NOTFOUND=return]sss\n", "files [NOTFOUND=return] sss " },
		{ "passwd: dynuser2 mydynuser\n", "dynuser2 mydynuser " },
		{ "#passwd: ldap\npasswd: files\npasswd: sss\n", "sss " },
		{ "passwd_compat: nis\npasswd: compat\n", "compat " },
		{ "passwd: files [NOTFOUND=ret\npasswd_compat: x", "files [NOTFOUND=ret " },
	};
	static const struct {
		const char *text, *passwd;
	} without[] = {
		{ "passwd: files systemd\n", "files " },
		{ "passwd: systemd\n", "files" },
		{ "passwd: files [SUCCESS=merge] systemd [NOTFOUND=return] dynuser sss", "files [SUCCESS=merge] sss " },
		{ "passwd: systemd-resolve mysystemd", "systemd-resolve mysystemd " },
	};
	char services[SOURCES_LINE_MAX];
	char text[2 * SOURCES_LINE_MAX] = "passwd: ";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK(sources_extract(cases[i].text, "passwd", NULL, services), "%s", cases[i].text);
		CHECK(strcmp(services, cases[i].passwd) == 0, "%s: %s", cases[i].text, services);
	}
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		CHECK(sources_extract(without[i].text, "passwd", "systemd", services), "%s", without[i].text);
		CHECK(strcmp(services, without[i].passwd) == 0, "%s: %s", without[i].text, services);
	}
	memset(text + 8, 'x', SOURCES_LINE_MAX);
	CHECK(!sources_extract(text, "passwd", NULL, services), "a line that is too long");
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
	struct stat taken;

	memset(big, '\n', sizeof(big));
	CHECK(sources_configure("conf", &taken) == 0 && !sources_changed("conf", &taken), "no file");
	write_file("conf", big, sizeof(big));
	CHECK(sources_changed("conf", &taken), "a file that came");
	CHECK(sources_configure("conf", &taken) == EFBIG && !sources_changed("conf", &taken), "too long");
	write_file("conf", big, sizeof(big) - 1);
	CHECK(sources_changed("conf", &taken), "a file that was written to");
	CHECK(sources_configure("conf", &taken) == 0, "the longest");
	write_file("conf", "passwd: files\0", 14);
	CHECK(sources_configure("conf", &taken) == EINVAL, "a NUL");
	write_file("conf", "passwd: files [NOTFOUND=what]\n", 30);
	CHECK(sources_configure("conf", &taken) == EINVAL, "what glibc refuses");
	CHECK(unlink("conf") == 0 && sources_changed("conf", &taken), "a file that went");
	CHECK(mkfifo("conf", 0600) == 0 && sources_configure("conf", &taken) == EINVAL, "a FIFO");
	CHECK(unlink("conf") == 0, "unlink");
}

int main(void)
{
	/* A tmpfs in a mount namespace of its own: nothing has to be cleaned up. */
	CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "unshare");
	CHECK(mount("tmpfs", "/mnt", "tmpfs", 0, NULL) == 0 && chdir("/mnt") == 0, "mount");
	test_ids();
	test_text();
	test_questions();
	test_lines();
	test_sources();
	test_sources_file();
	return 0;
}
