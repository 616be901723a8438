/* See loop.h. */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "cli/fail.h"
#include "deadline.h"
#include "descriptor.h"
#include "namespace/mounts.h"
#include "protocol/plan.h"

/* Somebody else may come between LOOP_CTL_GET_FREE and LOOP_CONFIGURE. */
#define TRIES 256U
/* A mount of an image that has just ended may hold its lock for a moment. */
#define LOCK_WAIT_MS 2000U
#define LOCK_POLL_NS 5000000L
#define SECTOR 512U
/* Of misc devices (linux/miscdevice.h). */
#define CONTROL_MINOR 237U
#define CONTROL "/dev/loop-control"

/*
 * Opens a device at its path in /dev. If nothing is there, as in a container, or before udev has seen it, by a node of our own. -1 with
 * errno.
 */
static int open_device(const char *path, mode_t type, dev_t number, int flags)
{
	/* A file system in memory, attached nowhere. */
	static int nodes = -1;
	struct stat status;
	int device = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (device >= 0 && fstat(device, &status) == 0 && (status.st_mode & S_IFMT) == type && status.st_rdev == number)
		return device;
	if (device < 0 && errno != ENOENT)
		return -1;
	close_quietly(device);
	if (nodes < 0)
		nodes = mount_new("tmpfs", NULL, "mode=0700", 1U << MOUNT_NO_SUID | 1U << MOUNT_NO_EXEC);
	if (nodes < 0 || (mknodat(nodes, path + strlen("/dev/"), type | 0600, number) != 0 && errno != EEXIST))
		return -1;
	return openat(nodes, path + strlen("/dev/"), flags | O_CLOEXEC | O_NONBLOCK);
}

/* The lock belongs to the open file, which the device keeps. */
static void lock(const char *image, int file, bool writable)
{
	const struct timespec pause = { .tv_nsec = LOCK_POLL_NS };
	struct deadline deadline = deadline_after(LOCK_WAIT_MS);

	while (flock(file, (writable ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			fail_errno(errno, "cannot use the image %s: it cannot be locked", image);
		if (deadline_is_past(&deadline))
			fail(STATUS_LAUNCHER,
			     "cannot use the image %s: %s; wait until that has ended, or use it read-only", image,
			     writable ? "it is in use, and cannot be written to by two" :
					"another service writes to it");
		(void)nanosleep(&pause, NULL);
	}
}

/* 1: attached; 0: somebody else was faster; -1 with errno. */
static int try_attach(int control, const struct loop_config *config, struct loop *loop)
{
	int number = ioctl(control, LOOP_CTL_GET_FREE);

	if (number < 0)
		return -1;
	(void)snprintf(loop->path, sizeof(loop->path), "/dev/loop%d", number);
	loop->device = open_device(loop->path, S_IFBLK, makedev(LOOP_MAJOR, (unsigned int)number),
				   loop->writable ? O_RDWR : O_RDONLY);
	if (loop->device < 0)
		return -1;
	if (ioctl(loop->device, LOOP_CONFIGURE, config) == 0)
		return 1;
	close_quietly(loop->device);
	return errno == EBUSY ? 0 : -1;
}

/* A node of our own has no path but that of its descriptor. */
static void name(struct loop *loop)
{
	struct stat own, named;

	if (fstat(loop->device, &own) != 0 || stat(loop->path, &named) != 0 || !S_ISBLK(named.st_mode) ||
	    named.st_rdev != own.st_rdev)
		(void)snprintf(loop->path, sizeof(loop->path), "/proc/self/fd/%d", loop->device);
}

void loop_attach(const char *image, int file, bool alone, struct loop *loop)
{
	int mode = fcntl(file, F_GETFL);
	int control = open_device(CONTROL, S_IFCHR, makedev(MISC_MAJOR, CONTROL_MINOR), O_RDWR);
	int attached = control < 0 ? -1 : 0;
	bool can_write = mode >= 0 && (mode & O_ACCMODE) == O_RDWR;

	loop->writable = loop->writable && can_write;
	if (control >= 0)
		lock(image, file, alone && can_write);
	const struct loop_config config = {
		.fd = (unsigned int)file,
		.block_size = SECTOR,
		.info = { .lo_offset = loop->offset,
			  .lo_sizelimit = loop->size,
			  .lo_flags = LO_FLAGS_AUTOCLEAR | (loop->writable ? 0U : (unsigned int)LO_FLAGS_READ_ONLY) },
	};

	for (unsigned int i = 0; attached == 0 && i < TRIES; i++)
		attached = try_attach(control, &config, loop);
	if (attached <= 0)
		fail_errno(attached == 0 ? EBUSY : errno, "cannot use the image %s: no loop device is available",
			   image);
	name(loop);
	(void)close(control);
}
