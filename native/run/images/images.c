/* One helper for all images of a launch, one question at a time; see images.h. */
#include "images.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/fail.h"
#include "namespace/mounts.h"
#include "namespace/resolve.h"
#include "passing.h"

#define PROGRAM "dynuser-helper"
/* Below the directory of an installed launcher, and next to one that is not installed. */
#define INSTALLED "../lib/dynuser/" PROGRAM
#define NUMBER_BYTES 24U
/* Parts of all images that were looked at. */
#define VIEWS_MAX 64U

struct view {
	size_t image;
	uint64_t offset;
	/* -1: it was given away */
	int mount;
};

static struct {
	/* of the helper; 0: it was not started */
	pid_t helper;
	/* who started it */
	pid_t owner;
	int connection;
	const char *paths[PASSING_IMAGES_MAX];
	size_t count;
	struct view views[VIEWS_MAX];
	size_t view_count;
} session = { .connection = -1 };

static struct passing message;

/* --- The helper --------------------------------------------------------------------------------------------------- */

static bool find_program(char *path, const char *name)
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);

	while (length > 0 && path[length - 1] != '/')
		length--;
	if (length <= 0)
		fail(STATUS_LAUNCHER, "cannot find the directory of this program in /proc, for images; mount /proc");
	(void)strcpy(path + length, name);
	return access(path, X_OK) == 0;
}

static _Noreturn void become_helper(const char *path, int connection)
{
	static char program[] = PROGRAM, role[] = "images";
	char *const arguments[] = { program, role, NULL };
	char *const environment[] = { NULL };

	/* dup2(2) of a descriptor to itself would leave it to be closed. */
	if (connection == PASSING_CONNECTION ? fcntl(connection, F_SETFD, 0) == 0 :
					       dup2(connection, PASSING_CONNECTION) == PASSING_CONNECTION)
		(void)execve(path, arguments, environment);
	_exit(STATUS_NOT_EXECUTABLE);
}

static void start_helper(void)
{
	char path[PATH_MAX + sizeof(INSTALLED)];
	int ends[2];

	if (session.helper != 0)
		return;
	if (!find_program(path, PROGRAM) && !find_program(path, INSTALLED))
		fail(STATUS_LAUNCHER,
		     "there is no %s, which mounts images, at %s; install it with the daemon, or unpack the image and use RootDirectory=",
		     PROGRAM, path);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		fail_errno(errno, "cannot make a connection for %s", path);
	session.owner = getpid();
	session.helper = fork();
	if (session.helper < 0)
		fail_errno(errno, "cannot fork for %s", path);
	if (session.helper == 0)
		become_helper(path, ends[1]);
	(void)close(ends[1]);
	session.connection = ends[0];
}

void images_expect(const struct strings *properties)
{
	static const char *const names[] = { "RootImage=/", "MountImages=/", "ExtensionImages=/" };

	for (size_t i = 0; i < properties->count; i++) {
		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
			if (strncmp(properties->items[i], names[j], strlen(names[j])) == 0)
				start_helper();
		}
	}
}

/* Sends the message and receives the answer; its words are from the second on. Returns their count. */
static size_t ask(const char *path, char **words)
{
	size_t count;

	if (!passing_send(session.connection, &message) || !passing_receive(session.connection, &message))
		fail_errno(errno, "lost %s, which was to mount the image %s", PROGRAM, path);
	count = passing_words(&message, words);
	if (count > 1 && strcmp(words[0], "error") == 0)
		fail(STATUS_LAUNCHER, "cannot use the image %s: %s", path, words[1]);
	if (count == 0 || strcmp(words[0], "ok") != 0)
		fail(STATUS_LAUNCHER, "cannot understand %s; install all programs of one version", PROGRAM);
	return count;
}

/* --- Images --------------------------------------------------------------------------------------------------------- */

static int open_writable(const char *path, int flags)
{
	int file = open(path, O_RDWR | flags);

	if (file >= 0 || (errno != EROFS && errno != EACCES && errno != EPERM && errno != ETXTBSY))
		return file;
	return open(path, O_RDONLY | flags);
}

/* -1: there is nothing at the path. */
static int open_image(const char *path, bool writable)
{
	const int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	struct stat status;
	int file;

	/* Before it is opened: that has effects on a device, and a FIFO waits. */
	if (stat(path, &status) != 0) {
		if (is_absence(errno))
			return -1;
		fail_errno(errno, "cannot open the image %s", path);
	}
	if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
		fail(STATUS_LAUNCHER, "%s is no image: it is neither a file nor a disk; %s", path,
		     S_ISDIR(status.st_mode) ? "use RootDirectory= or BindPaths= for a directory" : "name an image");
	file = writable ? open_writable(path, flags) : open(path, O_RDONLY | flags);
	if (file < 0 || fstat(file, &status) != 0)
		fail_errno(errno, "cannot open the image %s", path);
	if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
		fail(STATUS_LAUNCHER, "%s became something else than an image", path);
	return file;
}

bool image_look(const char *path, bool writable, image_line *add, void *context)
{
	char *words[PASSING_WORDS_MAX];
	int file = open_image(path, writable);
	size_t count;

	if (file < 0)
		return false;
	if (session.count == PASSING_IMAGES_MAX)
		fail(STATUS_LAUNCHER, "the service has more than %u images, up to %s", PASSING_IMAGES_MAX, path);
	start_helper();
	passing_begin(&message);
	message.descriptor = file;
	(void)passing_add(&message, "image");
	count = ask(path, words);
	(void)close(file);
	session.paths[session.count] = strdup(path);
	if (session.paths[session.count++] == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	for (size_t i = 1; i < count; i++)
		add(context, words[i]);
	return true;
}

static size_t number_of(const struct image *image)
{
	for (size_t i = 0; i < session.count; i++) {
		if (strcmp(session.paths[i], image->path) == 0)
			return i;
	}
	fail(STATUS_LAUNCHER, "the plan mounts the image %s, which was not looked at", image->path);
}

static void add_decimal(uint64_t number)
{
	char text[NUMBER_BYTES];

	(void)snprintf(text, sizeof(text), "%" PRIu64, number);
	(void)passing_add(&message, text);
}

static int mount_anew(const struct image *image, const struct image_part *part)
{
	char *words[PASSING_WORDS_MAX];
	struct stat status;

	passing_begin(&message);
	(void)passing_add(&message, "mount");
	add_decimal(number_of(image));
	add_decimal(part->offset);
	add_decimal(part->size);
	(void)passing_add(&message, (part->clear & 1U << MOUNT_READ_ONLY) != 0 ? "rw" : "ro");
	bool fits = passing_add(&message, part->type);

	for (size_t i = 0; i < part->options.count; i++)
		fits = fits && passing_add(&message, part->options.items[i]);
	if (!fits)
		fail(STATUS_LAUNCHER, "the options for the image %s are too long", image->path);
	(void)ask(image->path, words);
	if (message.descriptor < 0)
		fail(STATUS_LAUNCHER, "%s mounted nothing of the image %s", PROGRAM, image->path);
	if (fstat(message.descriptor, &status) != 0 || !S_ISDIR(status.st_mode))
		fail(STATUS_LAUNCHER, "cannot use the image %s: its root is no directory", image->path);
	return message.descriptor;
}

static struct view *find_view(const struct image *image, const struct image_part *part)
{
	size_t number = number_of(image);

	for (size_t i = 0; i < session.view_count; i++) {
		if (session.views[i].image == number && session.views[i].offset == part->offset)
			return &session.views[i];
	}
	return NULL;
}

int image_view(const struct image *image, const struct image_part *part)
{
	struct view *view = find_view(image, part);

	if (view != NULL)
		return view->mount;
	if (session.view_count == VIEWS_MAX)
		fail(STATUS_LAUNCHER, "more than %u parts of images would have to be looked at", VIEWS_MAX);
	view = &session.views[session.view_count++];
	*view = (struct view){ number_of(image), part->offset, mount_anew(image, part) };
	return view->mount;
}

int image_mount(const struct image *image, const struct image_part *part)
{
	struct view *view = getpid() == session.owner ? find_view(image, part) : NULL;
	int mount = view == NULL ? -1 : view->mount;

	if (mount >= 0)
		view->mount = -1;
	else
		mount = mount_anew(image, part);
	if ((part->set != 0 || part->clear != 0) && mount_flags(mount, part->set, part->clear, true) != 0)
		fail_errno(errno, "cannot change the mount flags of the image %s", image->path);
	return mount;
}

void images_end(void)
{
	if (session.helper == 0)
		return;
	for (size_t i = 0; i < session.view_count; i++)
		close_quietly(session.views[i].mount);
	session.view_count = 0;
	/* It ends with its connection; the service must not get a child that it knows nothing of. */
	(void)close(session.connection);
	while (waitpid(session.helper, NULL, 0) < 0 && errno == EINTR)
		continue;
	session.helper = 0;
}
