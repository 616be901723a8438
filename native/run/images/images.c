/* One helper for all images of a launch that are looked into, one at a time; see images.h. */
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
#include <sys/statfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/fail.h"
#include "file_system.h"
#include "loop.h"
#include "namespace/mounts.h"
#include "namespace/resolve.h"
#include "passing.h"

#define PROGRAM "dynuser-helper"
/* Below the directory of an installed launcher, and next to one that is not installed. */
#define INSTALLED "../lib/dynuser/" PROGRAM
/* Parts of all images that were looked at. */
#define VIEWS_MAX 64U
/* Five numbers, two of them with nine more digits. */
#define STAMP_BYTES 128U
/* Two changes within the resolution of a file system's times look like one; 2 s is that of the coarsest. */
#define STAMP_AGE_SECONDS 2

struct opened {
	const char *path;
	int file;
	/* as it was when it was opened */
	struct stat status;
	bool writable;
	/* empty: what is in it may change without a sign of that */
	char stamp[STAMP_BYTES];
	struct loop loops[IMAGE_LOOPS_MAX];
	size_t loop_count;
	/* a part of it may be written to */
	bool written;
};

struct view {
	const struct opened *image;
	uint64_t offset;
	/* -1: it was given away */
	int mount;
};

static struct {
	/* of the helper; 0: it was not started */
	pid_t helper;
	int connection;
	/* who opened the images */
	pid_t owner;
	struct opened *images[PASSING_IMAGES_MAX];
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
		     "there is no %s, which looks into images, at %s; install it with the daemon, or unpack the image and use RootDirectory=",
		     PROGRAM, path);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		fail_errno(errno, "cannot make a connection for %s", path);
	session.helper = fork();
	if (session.helper < 0)
		fail_errno(errno, "cannot fork for %s", path);
	if (session.helper == 0)
		become_helper(path, ends[1]);
	(void)close(ends[1]);
	session.connection = ends[0];
}

/* Sends the message and receives the answer; its words are from the second on. Returns their count. */
static size_t ask(const char *path, char **words)
{
	size_t count;

	if (!passing_send(session.connection, &message) || !passing_receive(session.connection, &message))
		fail_errno(errno, "lost %s, which was to look into the image %s", PROGRAM, path);
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

/* *status becomes that of the image. -1: there is nothing at the path. */
static int open_image(const char *path, bool writable, struct stat *status)
{
	const int flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int file;

	/* Before it is opened: that has effects on a device, and a FIFO waits. */
	if (stat(path, status) != 0) {
		if (is_absence(errno))
			return -1;
		fail_errno(errno, "cannot open the image %s", path);
	}
	if (!S_ISREG(status->st_mode) && !S_ISBLK(status->st_mode))
		fail(STATUS_LAUNCHER, "%s is not an image: it is neither a file nor a disk; %s", path,
		     S_ISDIR(status->st_mode) ? "use RootDirectory= or BindPaths= for a directory" : "name an image");
	file = writable ? open_writable(path, flags) : open(path, O_RDONLY | flags);
	if (file < 0 || fstat(file, status) != 0)
		fail_errno(errno, "cannot open the image %s", path);
	if (!S_ISREG(status->st_mode) && !S_ISBLK(status->st_mode))
		fail(STATUS_LAUNCHER, "%s was an image, and is now something else", path);
	return file;
}

/* Whether this kernel itself keeps the times of files there, and not another one. */
static bool keeps_times(int file)
{
	/* tmpfs, ext4, xfs, btrfs, f2fs and overlayfs; f2fs and overlayfs by linux/magic.h of a later kernel. */
	static const unsigned long types[] = { 0x01021994, 0xEF53, 0x58465342, 0x9123683E, 0xF2F52010, 0x794C7630 };
	struct statfs system;

	if (fstatfs(file, &system) != 0)
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if ((unsigned long)system.f_type == types[i])
			return true;
	}
	return false;
}

/* What is written to a file changes its times (inode(7)), unless that is done at once after the last change. */
static void stamp(struct opened *opened)
{
	const struct stat *status = &opened->status;
	struct timespec now;

	if (opened->writable || !S_ISREG(status->st_mode) || !keeps_times(opened->file) ||
	    clock_gettime(CLOCK_REALTIME, &now) != 0 || status->st_ctim.tv_sec > now.tv_sec - STAMP_AGE_SECONDS)
		return;
	(void)snprintf(opened->stamp, sizeof(opened->stamp),
		       "%" PRIx64 ":%" PRIx64 ":%" PRIx64 ":%" PRIx64 ".%" PRIx64 ":%" PRIx64 ".%" PRIx64,
		       (uint64_t)status->st_dev, (uint64_t)status->st_ino, (uint64_t)status->st_size,
		       (uint64_t)status->st_mtim.tv_sec, (uint64_t)status->st_mtim.tv_nsec,
		       (uint64_t)status->st_ctim.tv_sec, (uint64_t)status->st_ctim.tv_nsec);
}

static bool is_as_before(const struct opened *opened)
{
	struct stat now;
	const struct stat *before = &opened->status;

	return fstat(opened->file, &now) == 0 && now.st_size == before->st_size &&
	       now.st_mtim.tv_sec == before->st_mtim.tv_sec && now.st_mtim.tv_nsec == before->st_mtim.tv_nsec &&
	       now.st_ctim.tv_sec == before->st_ctim.tv_sec && now.st_ctim.tv_nsec == before->st_ctim.tv_nsec;
}

static struct opened *find_opened(const char *path)
{
	for (size_t i = 0; i < session.count; i++) {
		if (strcmp(session.images[i]->path, path) == 0)
			return session.images[i];
	}
	return NULL;
}

static struct opened *get_opened(const char *path)
{
	struct opened *opened = find_opened(path);

	if (opened == NULL)
		fail(STATUS_LAUNCHER, "the plan mounts the image %s, which was not looked at", path);
	return opened;
}

static struct opened *add_opened(const char *path)
{
	struct opened *opened = calloc(1, sizeof(*opened));

	if (session.count == PASSING_IMAGES_MAX)
		fail(STATUS_LAUNCHER, "the service has more than %u images, up to %s", PASSING_IMAGES_MAX, path);
	if (opened == NULL || (opened->path = strdup(path)) == NULL)
		fail(STATUS_LAUNCHER, "out of memory");
	session.owner = getpid();
	return session.images[session.count++] = opened;
}

bool image_open(const char *path, bool writable, const char **known_by)
{
	struct opened *opened = find_opened(path);
	struct stat status;
	int file;

	if (opened == NULL || (writable && !opened->writable)) {
		file = open_image(path, writable, &status);
		if (file < 0)
			return false;
		if (opened == NULL)
			opened = add_opened(path);
		else
			(void)close(opened->file);
		opened->file = file;
		opened->status = status;
		opened->writable = writable;
		opened->stamp[0] = '\0';
		stamp(opened);
	}
	*known_by = opened->stamp[0] == '\0' ? NULL : opened->stamp;
	return true;
}

void image_look(const char *path, image_line *add, void *context)
{
	char *words[PASSING_WORDS_MAX];
	size_t count;

	start_helper();
	passing_begin(&message);
	message.descriptor = get_opened(path)->file;
	(void)passing_add(&message, "image");
	count = ask(path, words);
	for (size_t i = 1; i < count; i++)
		add(context, words[i]);
}

void images_looked(void)
{
	close_quietly(session.connection);
	session.connection = -1;
}

/* The loop device of a part, which is made on first use. */
static const struct loop *loop_of(struct opened *opened, const struct image_part *part)
{
	for (size_t i = 0; i < opened->loop_count; i++) {
		if (opened->loops[i].offset == part->offset && opened->loops[i].size == part->size)
			return &opened->loops[i];
	}
	if (opened->loop_count == IMAGE_LOOPS_MAX)
		fail(STATUS_LAUNCHER, "cannot use the image %s: it has too many parts", opened->path);
	struct loop *made = &opened->loops[opened->loop_count];

	*made = (struct loop){ .offset = part->offset,
			       .size = part->size,
			       .writable = (part->clear & 1U << MOUNT_READ_ONLY) != 0 };
	opened->written = opened->written || made->writable;
	loop_attach(opened->path, opened->file, opened->written, made);
	opened->loop_count++;
	return made;
}

void image_attach(const struct image *image)
{
	for (size_t i = 0; i < image->parts_count; i++)
		(void)loop_of(get_opened(image->path), &image->parts[i]);
}

static int mount_anew(const struct image *image, const struct image_part *part)
{
	struct opened *opened = get_opened(image->path);
	int mount = file_system_mount(image->path, loop_of(opened, part), part->type, &part->options);
	struct stat status;

	if (fstat(mount, &status) != 0 || !S_ISDIR(status.st_mode))
		fail(STATUS_LAUNCHER, "cannot use the image %s: its root is not a directory", image->path);
	if (!opened->writable && S_ISREG(opened->status.st_mode) && !is_as_before(opened))
		fail(STATUS_LAUNCHER,
		     "cannot use the image %s: it is being changed; start the service when that is done", image->path);
	return mount;
}

static struct view *find_view(const struct image *image, const struct image_part *part)
{
	const struct opened *opened = get_opened(image->path);

	for (size_t i = 0; i < session.view_count; i++) {
		if (session.views[i].image == opened && session.views[i].offset == part->offset)
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
	*view = (struct view){ get_opened(image->path), part->offset, mount_anew(image, part) };
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
	for (size_t i = 0; i < session.view_count; i++)
		close_quietly(session.views[i].mount);
	session.view_count = 0;
	images_looked();
	/* It ends with its connection; the service must not get a child that it knows nothing of. */
	while (session.helper != 0 && waitpid(session.helper, NULL, 0) < 0 && errno == EINTR)
		continue;
	session.helper = 0;
}
