/* Lines of /etc/group, good and bad, as glibc reads them, and a file that cannot be read. No arguments. */
#include "accounts/group_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static char found[256];

static void note(void *context, gid_t id)
{
	(void)context;
	(void)sprintf(found + strlen(found), "%u ", id);
}

static FILE *file_of(const char *text, size_t length)
{
	FILE *file = tmpfile();

	CHECK(file != NULL && fwrite(text, 1, length, file) == length && fflush(file) == 0, "no file");
	rewind(file);
	return file;
}

static void expect(const char *text, const char *expected)
{
	FILE *file = file_of(text, strlen(text));

	found[0] = '\0';
	CHECK(group_file_read(file, "web", note, NULL), "%s", text);
	CHECK(strcmp(found, expected) == 0, "'%s' gives '%s'", text, found);
	(void)fclose(file);
}

static void expect_long_line(void)
{
	enum { MEMBERS = 20000 };
	static char text[MEMBERS * 8];
	char *at = stpcpy(text, "big:x:7:");

	for (int i = 0; i < MEMBERS; i++)
		at += sprintf(at, "u%d,", i);
	(void)stpcpy(at, "web");
	expect(text, "7 ");
}

/* A directory can be opened, and not be read. */
static void expect_failure(void)
{
	FILE *file = fopen("/", "re");

	CHECK(file != NULL && !group_file_read(file, "web", note, NULL) && errno == EISDIR, "%d", errno);
	(void)fclose(file);
}

int main(void)
{
	expect("", "");
	expect("a:x:1:\nb:x:2:web\nc:x:3:other,web,more\nd:x:4:webs,we\n", "2 3 ");
	expect("b::2:web", "2 ");
	expect("  b:x:2: web , other \r\n\n\t\n#b:x:3:web\n", "2 ");
	expect("+:x:5:web\n-b:x:6:web\n+@net:x:7:web\n", "");
	expect("b:x\nb:x:2\nb\n:::\n::::web\nb:x::web\nb:x:-1:web\nb:x:2x:web\nb:x: 2:web\n", "");
	expect("b:x:4294967294:web\nc:x:4294967295:web\nd:x:99999999999999999999:web\n", "4294967294 ");
	expect("web:x:1:\nx:web:2:\n", "");
	expect_long_line();
	expect_failure();
	return 0;
}
