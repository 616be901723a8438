/* Answers to questions: files, drop-ins, patterns, and what is something else and must not be waited for. No arguments. */
#include "protocol/questions.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "protocol/elf_interpreter.h"

static void write_file(const char *path, const char *bytes, size_t length)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(file >= 0 && write(file, bytes, length) == (ssize_t)length && close(file) == 0, "%s: %s", path,
	      strerror(errno));
}

static void expect(enum launch_question_kind kind, const char *path, const char *expected)
{
	struct answers answers = { .text = json_write_begin(1024 * 1024) };
	struct question question = { .kind = kind, .path = path };

	answer_question(&answers, &question);
	json_write_bytes(&answers.text, "", 1);
	CHECK(strcmp(answers.text.text, expected) == 0, "%s", answers.text.text);
	json_write_end(&answers.text);
}

/* The exit status of a child that answers these, one after the other. */
static int status_of(enum launch_question_kind kind, const char *path, unsigned int times)
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
	expect(QUESTION_FILE, "text",
	       "{\"kind\":\"file\",\"path\":\"text\",\"found\":true,\"text\":\"a\\u000a\\\"b\\\"\"}");
	write_file("empty", "", 0);
	expect(QUESTION_FILE, "empty", "{\"kind\":\"file\",\"path\":\"empty\",\"found\":true,\"text\":\"\"}");
	expect(QUESTION_FILE, "none", "{\"kind\":\"file\",\"path\":\"none\",\"found\":false}");
	expect(QUESTION_FILE, "text/none", "{\"kind\":\"file\",\"path\":\"text/none\",\"found\":false}");
	expect(QUESTION_FILE, ".", "{\"kind\":\"file\",\"path\":\".\",\"found\":false}");
	CHECK(symlink("text", "link") == 0, "%s", strerror(errno));
	expect(QUESTION_FILE, "link",
	       "{\"kind\":\"file\",\"path\":\"link\",\"found\":true,\"text\":\"a\\u000a\\\"b\\\"\"}");
	write_file("latin", "caf\351", 4);
	CHECK(status_of(QUESTION_FILE, "latin", 1) == 125, "latin");
}

/* A FIFO has no writer, and /dev/zero no end. */
static void test_what_is_not_a_file(void)
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
	expect(QUESTION_DIRECTORY, "empty.d",
	       "{\"kind\":\"directory\",\"path\":\"empty.d\",\"found\":true,\"names\":[]}");
	expect(QUESTION_DIRECTORY, "text", "{\"kind\":\"directory\",\"path\":\"text\",\"found\":false}");
	expect(QUESTION_GLOB, "unit.d/*.conf",
	       "{\"kind\":\"glob\",\"path\":\"unit.d/*.conf\",\"found\":true,\"names\":[\"unit.d/a.conf\",\"unit.d/b.conf\"]}");
	expect(QUESTION_GLOB, "unit.d/*.none", "{\"kind\":\"glob\",\"path\":\"unit.d/*.none\",\"found\":false}");
	for (unsigned int i = 0; i < NAMES_MAX - 2; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "unit.d/%u.conf", i);
		write_file(name, "", 0);
	}
	CHECK(status_of(QUESTION_DIRECTORY, "unit.d", 1) == 0 && status_of(QUESTION_GLOB, "unit.d/*.conf", 1) == 0,
	      "as many as may be");
	write_file("unit.d/more.conf", "", 0);
	CHECK(status_of(QUESTION_DIRECTORY, "unit.d", 1) == 125 && status_of(QUESTION_GLOB, "unit.d/*.conf", 1) == 125,
	      "one too many");
}

static void test_paths(void)
{
	expect(QUESTION_PATH, "nothing", "{\"kind\":\"path\",\"path\":\"nothing\",\"found\":false}");
	expect(QUESTION_PATH, "text/nothing", "{\"kind\":\"path\",\"path\":\"text/nothing\",\"found\":false}");
	expect(QUESTION_PATH, "empty",
	       "{\"kind\":\"path\",\"path\":\"empty\",\"found\":true,\"names\":[\"exists\",\"file\"]}");
	CHECK(chmod("text", 0755) == 0 && symlink("nowhere", "dangling") == 0, "%s", strerror(errno));
	expect(QUESTION_PATH, "link",
	       "{\"kind\":\"path\",\"path\":\"link\",\"found\":true,"
	       "\"names\":[\"link\",\"exists\",\"file\",\"notEmpty\",\"executable\"]}");
	expect(QUESTION_PATH, "dangling",
	       "{\"kind\":\"path\",\"path\":\"dangling\",\"found\":true,\"names\":[\"link\"]}");
	expect(QUESTION_PATH, "fifo", "{\"kind\":\"path\",\"path\":\"fifo\",\"found\":true,\"names\":[\"exists\"]}");
	CHECK(mkdir("full", 0755) == 0, "%s", strerror(errno));
	write_file("full/.hidden", "", 0);
	write_file("full/backup~", "", 0);
	expect(QUESTION_PATH, "full",
	       "{\"kind\":\"path\",\"path\":\"full\",\"found\":true,\"names\":[\"exists\",\"directory\"]}");
	write_file("full/name", "", 0);
	expect(QUESTION_PATH, "full",
	       "{\"kind\":\"path\",\"path\":\"full\",\"found\":true,\"names\":[\"exists\",\"directory\",\"notEmpty\"]}");
	expect(QUESTION_PATH, "/proc",
	       "{\"kind\":\"path\",\"path\":\"/proc\",\"found\":true,"
	       "\"names\":[\"exists\",\"directory\",\"mountPoint\",\"notEmpty\"]}");
}

static void test_devices(void)
{
	/* A character device of numbers 0:0 needs no right. */
	CHECK(mkdir("dev", 0755) == 0 && mkdir("dev/below", 0755) == 0, "%s", strerror(errno));
	CHECK(mknod("dev/whiteout", S_IFCHR | 0600, 0) == 0 && symlink("../whiteout", "dev/below/link") == 0 &&
		      symlink("a\tb", "dev/tab") == 0,
	      "%s", strerror(errno));
	write_file("dev/below/file", "x", 1);
	expect(QUESTION_DEVICES, "dev",
	       "{\"kind\":\"devices\",\"path\":\"dev\",\"found\":true,\"names\":[\"c 0:0 dev/whiteout\","
	       "\"l dev/below/link\\u0009../whiteout\"]}");
	expect(QUESTION_DEVICES, "nowhere", "{\"kind\":\"devices\",\"path\":\"nowhere\",\"found\":false}");
	expect(QUESTION_DEVICES, "text", "{\"kind\":\"devices\",\"path\":\"text\",\"found\":false}");
}

/* A program of ELF with one program header of that type, whose bytes are at the end. */
static void write_program(const char *path, uint32_t type, uint64_t headers_at, const char *bytes, size_t length)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segment;
		char bytes[512];
	} program = { .header = { .e_ident = ELFMAG, .e_phnum = 1, .e_phentsize = sizeof(Elf64_Phdr) } };

	program.header.e_ident[EI_CLASS] = ELFCLASS64;
	program.header.e_ident[EI_DATA] = __BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB;
	program.header.e_phoff = headers_at == 0 ? sizeof(program.header) : headers_at;
	program.segment.p_type = type;
	program.segment.p_offset = offsetof(typeof(program), bytes);
	program.segment.p_filesz = length;
	memcpy(program.bytes, bytes, length < sizeof(program.bytes) ? length : sizeof(program.bytes));
	write_file(path, (const char *)&program, sizeof(program));
}

/* text: the interpreter; null: it is not a program */
static void expect_program(const char *name, const char *text)
{
	struct answers answers = { .text = json_write_begin(1024 * 1024) };
	char root[PATH_MAX], expected[2 * PATH_MAX];
	const struct question question = { .kind = QUESTION_PROGRAM, .path = name, .root = getcwd(root, sizeof(root)) };

	answer_question(&answers, &question);
	json_write_bytes(&answers.text, "", 1);
	(void)snprintf(expected, sizeof(expected),
		       "{\"kind\":\"program\",\"path\":\"%s\",\"found\":%s,\"root\":\"%s\"%s%s%s}", name,
		       text == NULL ? "false" : "true", root, text == NULL ? "" : ",\"text\":\"",
		       text == NULL ? "" : text, text == NULL ? "" : "\"");
	CHECK(strcmp(answers.text.text, expected) == 0, "%s is not %s", answers.text.text, expected);
	json_write_end(&answers.text);
}

static void test_programs(void)
{
	static const char *const others[] = { "endless", "long", "cut",	 "far",	  "script",
					      "short",	 "fifo", "none", "/none", "/bin" };
	static const char long_name[ELF_INTERPRETER_BYTES + 1], linker[] = "/lib/ld.so";

	CHECK(mkdir("bin", 0755) == 0 && setenv("PATH", "relative::/none:/bin", 1) == 0, "%s", strerror(errno));
	write_program("bin/linked", PT_INTERP, 0, linker, sizeof(linker));
	write_program("bin/static", PT_LOAD, 0, linker, sizeof(linker));
	write_program("bin/endless", PT_INTERP, 0, linker, sizeof(linker) - 1);
	write_program("bin/long", PT_INTERP, 0, long_name, sizeof(long_name));
	write_program("bin/cut", PT_INTERP, 600, linker, sizeof(linker));
	write_program("bin/far", PT_INTERP, UINT64_MAX - 8, linker, sizeof(linker));
	write_file("bin/script", "#!/bin/sh\n", 10);
	write_file("bin/short", ELFMAG, SELFMAG);
	CHECK(mkfifo("bin/fifo", 0755) == 0 && symlink("/bin/static", "bin/link") == 0, "%s", strerror(errno));
	expect_program("linked", linker);
	expect_program("/bin/linked", linker);
	expect_program("static", "");
	/* A link leads to what is in the root, not on the host. */
	expect_program("/bin/link", "");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		expect_program(others[i], NULL);
}

int main(void)
{
	char directory[] = "/tmp/dynuser-questions-XXXXXX";
	char command[64];

	CHECK(mkdtemp(directory) != NULL && chdir(directory) == 0, "%s", strerror(errno));
	test_files();
	test_devices();
	test_what_is_not_a_file();
	test_bounds();
	test_names();
	test_paths();
	test_programs();
	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command) == 0 ? 0 : 1;
}
