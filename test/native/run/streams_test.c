/* The parts of streams that decide: base64, which symlinks are followed, and names of passed descriptors. No arguments. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "exec/inherited.h"
#include "exec/open_file.h"
#include "protocol/base64.h"

#define OTHERS 12345U

static char directory[] = "/tmp/dynuser-streams-XXXXXX";
static char path[256];

static const char *below(const char *name)
{
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void test_base64(void)
{
	static const struct {
		const char *text, *bytes;
		size_t count;
	} cases[] = {
		{ "", "", 0 },
		{ "AA==", "\0", 1 },
		{ "AAH/", "\0\1\377", 3 },
		{ "AAH/+w==", "\0\1\377\373", 4 },
		{ "aGVsbG8=", "hello", 5 },
		{ "A", "", SIZE_MAX },
		{ "A===", "", SIZE_MAX },
		{ "A-==", "", SIZE_MAX },
		{ "AA=A", "", SIZE_MAX },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char *bytes = malloc(BASE64_BYTES(strlen(cases[i].text)));
		size_t count = base64_read(cases[i].text, bytes);

		CHECK(count == cases[i].count, "%s: %zu", cases[i].text, count);
		CHECK(count == SIZE_MAX || memcmp(bytes, cases[i].bytes, count) == 0, "%s", cases[i].text);
		free(bytes);
	}
}

static void link_to(const char *target, const char *name, unsigned int owner)
{
	CHECK(symlink(target, below(name)) == 0 && lchown(path, owner, owner) == 0, "%s", strerror(errno));
}

/* Opens a file, and says whether it is the one of that name. */
static void expect_file(const char *name, const char *same)
{
	const char *link;
	int file = open_file(below(name), O_RDWR, 0, NULL, &link);
	struct stat one, other;

	CHECK(file >= 0 && link == NULL && fstat(file, &one) == 0, "%s: %s", name, strerror(errno));
	CHECK(stat(below(same), &other) == 0 && one.st_ino == other.st_ino, "%s is not %s", name, same);
	(void)close(file);
}

static void expect_failure(const char *name, int error, const char *link)
{
	const char *found;
	int file = open_file(below(name), O_RDWR | O_CREAT, 0600, NULL, &found), why = errno;

	CHECK(file < 0 && why == error, "%s: %s", name, strerror(why));
	CHECK(link == NULL ? found == NULL : found != NULL && strcmp(found, link) == 0, "%s: %s", name,
	      found == NULL ? "no link" : found);
}

static void test_files(void)
{
	const char *link;
	struct stat status;
	int file;

	(void)umask(077);
	file = open_file(below("file"), O_WRONLY | O_CREAT, 0644, NULL, &link);
	CHECK(file >= 0 && fstat(file, &status) == 0 && (status.st_mode & 07777) == 0644, "%s", strerror(errno));
	CHECK((fcntl(file, F_GETFD) & FD_CLOEXEC) != 0 && umask(077) == 077, "closed by execve, and the umask is back");
	(void)close(file);
	CHECK(mkdir(below("sub"), 0755) == 0 && mkdir(below("sub/deep"), 0755) == 0, "%s", strerror(errno));
	link_to("file", "relative", 0);
	link_to("../file", "sub/up", 0);
	link_to("sub/deep/../up", "long", 0);
	link_to("/proc/self/fd/0", "magic", 0);
	link_to("loop", "loop", 0);
	link_to("file", "planted", OTHERS);
	link_to("sub", "way", OTHERS);
	link_to("planted", "twice", 0);
	link_to("missing", "dangling", OTHERS);
	expect_file("relative", "file");
	expect_file("sub/up", "file");
	expect_file("long", "file");
	expect_file("sub/deep/../../file", "file");
	expect_failure("loop", ELOOP, NULL);
	expect_failure("planted", ELOOP, "planted");
	expect_failure("way/up", ELOOP, "way");
	expect_failure("twice", ELOOP, "planted");
	expect_failure("dangling", ELOOP, "dangling");
	expect_failure("missing/file", ENOENT, NULL);
	expect_failure("file/below", ENOTDIR, NULL);
	expect_failure("sub", EISDIR, NULL);
	CHECK(access(below("missing"), F_OK) != 0, "nothing was made");
	file = open_file(below("magic"), O_RDONLY, 0, NULL, &link);
	CHECK(file >= 0 && fstat(file, &status) == 0 && S_ISCHR(status.st_mode), "a descriptor: %s", strerror(errno));
	(void)close(file);
}

static void test_sockets(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), datagrams = socket(AF_UNIX, SOCK_DGRAM, 0);
	const char *link;

	(void)strcpy(address.sun_path, below("socket"));
	CHECK(bind(listener, (const struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 1) == 0, "%s",
	      strerror(errno));
	CHECK(open_file(path, O_RDWR, 0, NULL, &link) >= 0, "%s", strerror(errno));
	(void)strcpy(address.sun_path, below("datagrams"));
	CHECK(bind(datagrams, (const struct sockaddr *)&address, sizeof(address)) == 0, "%s", strerror(errno));
	CHECK(open_file(path, O_RDWR, 0, NULL, &link) < 0 && errno == EPROTOTYPE, "%s", strerror(errno));
}

static void test_names(void)
{
	CHECK(setenv("LISTEN_FDNAMES", "a::long-name:more", 1) == 0, "setenv");
	CHECK(inherited_named(3, "a") == 3 && inherited_named(3, "") == 4 && inherited_named(3, "long-name") == 5,
	      "names");
	CHECK(inherited_named(3, "more") < 0 && inherited_named(3, "long") < 0, "no such name");
	CHECK(unsetenv("LISTEN_FDNAMES") == 0 && inherited_named(3, "a") < 0, "no names");
}

int main(void)
{
	CHECK(freopen("/dev/null", "r", stdin) != NULL && mkdtemp(directory) != NULL, "%s", strerror(errno));
	test_base64();
	/* Whose symlinks are followed takes a second user. */
	if (geteuid() == 0)
		test_files();
	test_sockets();
	test_names();
	(void)snprintf(path, sizeof(path), "rm -rf %s", directory);
	return system(path) == 0 ? 0 : 1;
}
