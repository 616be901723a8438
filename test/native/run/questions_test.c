/* Answers to questions: files, drop-ins, patterns, and what is none of them and must not be waited for. No arguments. */
#include "protocol/questions.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void write_file(const char *path, const char *bytes, size_t length)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(file >= 0 && write(file, bytes, length) == (ssize_t)length && close(file) == 0, "%s: %s", path, strerror(errno));
}

static void expect(enum question_kind kind, const char *path, const char *expected)
{
	struct answers answers = { .text = json_write_begin(1024 * 1024) };
	struct question question = { .kind = kind, .path = path };

	answer_question(&answers, &question);
	json_write_bytes(&answers.text, "", 1);
	CHECK(strcmp(answers.text.text, expected) == 0, "%s", answers.text.text);
	json_write_end(&answers.text);
}

/* The exit status of a child that answers these, one after the other. */
static int status_of(enum question_kind kind, const char *path, unsigned int times)
{
	pid_t child = fork();
	int status = -1;

	CHECK(child >= 0, "%s", strerror(errno));
	if (child == 0) {
		struct answers answers = { .text = json_write_begin(64U * 1024 * 1024) };
		struct question question = { .kind = kind, .path = path };

		(void)alarm(20);
		(void)close(STDERR_FILENO);
		while (times-- > 0)
			answer_question(&answers, &question);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child, "%s", strerror(errno));
	CHECK(WIFEXITED(status), "%s: ended by signal %d", path, WTERMSIG(status));
	return WEXITSTATUS(status);
}

static void test_files(void)
{
	write_file("text", "a\n\"b\"", 5);
	expect(QUESTION_FILE, "text", "{\"kind\":\"file\",\"path\":\"text\",\"found\":true,\"text\":\"a\\u000a\\\"b\\\"\"}");
	write_file("empty", "", 0);
	expect(QUESTION_FILE, "empty", "{\"kind\":\"file\",\"path\":\"empty\",\"found\":true,\"text\":\"\"}");
	expect(QUESTION_FILE, "none", "{\"kind\":\"file\",\"path\":\"none\",\"found\":false}");
	expect(QUESTION_FILE, "text/none", "{\"kind\":\"file\",\"path\":\"text/none\",\"found\":false}");
	expect(QUESTION_FILE, ".", "{\"kind\":\"file\",\"path\":\".\",\"found\":false}");
	CHECK(symlink("text", "link") == 0, "%s", strerror(errno));
	expect(QUESTION_FILE, "link", "{\"kind\":\"file\",\"path\":\"link\",\"found\":true,\"text\":\"a\\u000a\\\"b\\\"\"}");
	write_file("latin", "caf\351", 4);
	CHECK(status_of(QUESTION_FILE, "latin", 1) == 125, "latin");
}

/* A FIFO has no writer, and /dev/zero no end. */
static void test_what_is_no_file(void)
{
	CHECK(mkfifo("fifo", 0600) == 0, "%s", strerror(errno));
	CHECK(status_of(QUESTION_FILE, "fifo", 1) == 0, "fifo");
	CHECK(status_of(QUESTION_FILE, "/dev/zero", 1) == 0, "/dev/zero");
	expect(QUESTION_FILE, "fifo", "{\"kind\":\"file\",\"path\":\"fifo\",\"found\":false}");
	expect(QUESTION_FILE, "/dev/zero", "{\"kind\":\"file\",\"path\":\"/dev/zero\",\"found\":false}");
}

static void test_bounds(void)
{
	static char bytes[FILE_BYTES_MAX + 1];

	memset(bytes, 'x', sizeof(bytes));
	write_file("large", bytes, FILE_BYTES_MAX);
	write_file("larger", bytes, sizeof(bytes));
	CHECK(status_of(QUESTION_FILE, "large", 4) == 0, "four files of a MiB");
	CHECK(status_of(QUESTION_FILE, "large", 5) == 125, "five files of a MiB");
	CHECK(status_of(QUESTION_FILE, "larger", 1) == 125, "more than a MiB");
}

static void test_names(void)
{
	CHECK(mkdir("unit.d", 0755) == 0 && mkdir("empty.d", 0755) == 0, "%s", strerror(errno));
	write_file("unit.d/b.conf", "", 0);
	write_file("unit.d/a.conf", "", 0);
	write_file("unit.d/.conf", "", 0);
	write_file("unit.d/a.conf~", "", 0);
	expect(QUESTION_DIRECTORY, "unit.d",
	       "{\"kind\":\"directory\",\"path\":\"unit.d\",\"found\":true,\"names\":[\"a.conf\",\"b.conf\"]}");
	expect(QUESTION_DIRECTORY, "empty.d", "{\"kind\":\"directory\",\"path\":\"empty.d\",\"found\":true,\"names\":[]}");
	expect(QUESTION_DIRECTORY, "text", "{\"kind\":\"directory\",\"path\":\"text\",\"found\":false}");
	expect(QUESTION_GLOB, "unit.d/*.conf",
	       "{\"kind\":\"glob\",\"path\":\"unit.d/*.conf\",\"found\":true,\"names\":[\"unit.d/a.conf\",\"unit.d/b.conf\"]}");
	expect(QUESTION_GLOB, "unit.d/*.none", "{\"kind\":\"glob\",\"path\":\"unit.d/*.none\",\"found\":false}");
	for (unsigned int i = 0; i < NAMES_MAX - 2; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "unit.d/%u.conf", i);
		write_file(name, "", 0);
	}
	CHECK(status_of(QUESTION_DIRECTORY, "unit.d", 1) == 0 && status_of(QUESTION_GLOB, "unit.d/*.conf", 1) == 0, "as many as may be");
	write_file("unit.d/more.conf", "", 0);
	CHECK(status_of(QUESTION_DIRECTORY, "unit.d", 1) == 125 && status_of(QUESTION_GLOB, "unit.d/*.conf", 1) == 125, "one too many");
}

int main(void)
{
	char directory[] = "/tmp/dynuser-questions-XXXXXX";
	char command[64];

	CHECK(mkdtemp(directory) != NULL && chdir(directory) == 0, "%s", strerror(errno));
	test_files();
	test_what_is_no_file();
	test_bounds();
	test_names();
	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command) == 0 ? 0 : 1;
}
