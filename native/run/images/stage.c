/* See stage.h. */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"
#include "dynuser.h"
#include "images.h"
#include "namespace/mounts.h"
#include "namespace/resolve.h"
#include "passing.h"

#define STAGE DYNUSER_IMAGES "/"
/* "upper" and a number. */
#define NAME_BYTES 32U
/* For what the writable overlays keep: a directory each, with these two. */
#define UPPER "upper"
#define WORK "work"
/* "/proc/self/fd/" and a number. */
#define LAYER_BYTES 32U
/* As many as images, and what they are laid over. */
#define LAYERS_MAX (PASSING_IMAGES_MAX + 1U)
#define STAGE_FLAGS (1U << MOUNT_NO_SUID | 1U << MOUNT_NO_DEVICES)

static bool has_writable(const struct plan *plan)
{
	for (size_t i = 0; i < plan->overlays_count; i++) {
		if (plan->overlays[i].writable)
			return true;
	}
	return false;
}

static bool is_needed(const struct plan *plan)
{
	return plan->images_count > 0 || has_writable(plan);
}

void stage_prepare(const struct plan *plan)
{
	int root, made;
	mode_t mask;

	if (!is_needed(plan))
		return;
	root = open_directory("/");
	mask = umask(0);
	made = resolve_directory(root, DYNUSER_IMAGES, 0700);
	if (made < 0)
		fail_errno(errno, "cannot create the directory %s", DYNUSER_IMAGES);
	(void)umask(mask);
	(void)close(made);
	(void)close(root);
	for (size_t i = 0; i < plan->images_count; i++)
		image_attach(&plan->images[i]);
}

bool stage_is_for(const char *path)
{
	return strncmp(path, STAGE, sizeof(STAGE) - 1) == 0;
}

bool stage_has(const char *path, int *root, const char **rest)
{
	char image[sizeof(STAGE) + NAME_BYTES];
	size_t length;

	if (!stage_is_for(path))
		return false;
	length = sizeof(STAGE) - 1 + strcspn(path + sizeof(STAGE) - 1, "/");
	if (length >= sizeof(image))
		fail(STATUS_LAUNCHER, "the plan has no image for %s", path);
	memcpy(image, path, length);
	image[length] = '\0';
	*root = open_directory(image);
	*rest = path[length] == '\0' ? "/" : path + length;
	return true;
}

/* A directory of the host, or of an image on the stage. */
static int open_place(const char *path)
{
	const char *rest = path;
	int root, place;

	if (!stage_has(path, &root, &rest))
		root = open_directory("/");
	place = resolve(root, rest, O_DIRECTORY);
	if (place < 0)
		fail_errno(errno, "cannot open %s", path);
	(void)close(root);
	return place;
}

static int make_directory(int parent, const char *name, mode_t mode)
{
	int made = mkdirat(parent, name, mode) != 0 ? -1 : openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (made < 0)
		fail_errno(errno, "cannot create a directory in %s", DYNUSER_IMAGES);
	return made;
}

/* The root of an image first, then its other parts, if there is a directory for them. */
static void mount_image(int stage, const struct image *image, size_t number)
{
	char name[NAME_BYTES];
	int place, root = -1;

	(void)snprintf(name, sizeof(name), "%zu", number);
	place = make_directory(stage, name, 0755);
	for (size_t i = 0; i < image->parts_count; i++) {
		const struct image_part *part = &image->parts[i];
		int mount = image_mount(image, part);
		int target = i == 0 ? place : resolve(root, part->directory, O_DIRECTORY);

		if (target < 0 && !is_absence(errno))
			fail_errno(errno, "cannot open %s of the image %s", part->directory, image->path);
		if (target >= 0 && mount_attach(mount, target) != 0)
			fail_errno(errno, "cannot mount %s of the image %s", part->directory, image->path);
		close_quietly(target);
		if (i == 0)
			root = mount;
		else
			(void)close(mount);
	}
	(void)close(root);
}

/* Two directories for what is written, in a file system in memory of which nothing else is seen. */
static void make_upper(int stage, const char *name, const struct overlay *overlay)
{
	int place = make_directory(stage, name, 0700);
	int mount = mount_new("tmpfs", NULL, "mode=0700", 0);
	struct stat status;
	int top;

	if (mount < 0 || mount_attach(mount, place) != 0)
		fail_errno(errno, "cannot create a file system in memory for %s", overlay->path);
	top = open_place(overlay->layers.items[0]);
	if (fstat(top, &status) != 0)
		fail_errno(errno, "cannot stat %s", overlay->path);
	(void)close(make_directory(mount, UPPER, 0700));
	/* Its top is shown with its own owner and mode. */
	if (fchownat(mount, UPPER, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) != 0 ||
	    fchmodat(mount, UPPER, status.st_mode & 07777U, 0) != 0)
		fail_errno(errno, "cannot create a file system in memory for %s", overlay->path);
	(void)close(make_directory(mount, WORK, 0700));
	(void)close(top);
	(void)close(mount);
	(void)close(place);
}

static void add_option(struct strings *options, const char *name, const char *value, const char *rest)
{
	char *option;

	if (asprintf(&option, "%s%s%s", name, value, rest) < 0 || !strings_add(options, option))
		fail(STATUS_LAUNCHER, "out of memory");
}

static void mount_overlay(int stage, const struct overlay *overlay, size_t number)
{
	char lower[sizeof("lowerdir=") + LAYER_BYTES * LAYERS_MAX] = "lowerdir=", name[NAME_BYTES];
	struct strings options = { 0 };
	int layers[LAYERS_MAX], place, mount;
	size_t length = strlen(lower);

	if (overlay->layers.count > LAYERS_MAX)
		fail(STATUS_LAUNCHER, "%s would have too many layers", overlay->path);
	/* By descriptors: a path would be followed out of an image, and could have a colon. */
	for (size_t i = 0; i < overlay->layers.count; i++) {
		layers[i] = open_place(overlay->layers.items[i]);
		length += (size_t)snprintf(lower + length, sizeof(lower) - length, "%s/proc/self/fd/%d",
					   i == 0 ? "" : ":", layers[i]);
	}
	add_option(&options, lower, "", "");
	if (overlay->writable) {
		(void)snprintf(name, sizeof(name), "upper%zu", number);
		make_upper(stage, name, overlay);
		add_option(&options, "upperdir=" STAGE, name, "/" UPPER);
		add_option(&options, "workdir=" STAGE, name, "/" WORK);
	}
	mount = mount_new("overlay", &options, NULL, overlay->set);
	if (mount < 0)
		fail_errno(errno, "cannot show several directories at %s", overlay->path);
	place = open_place(overlay->path);
	if (mount_attach(mount, place) != 0)
		fail_errno(errno, "cannot mount over %s", overlay->path);
	for (size_t i = 0; i < overlay->layers.count; i++)
		(void)close(layers[i]);
	strings_free(&options);
	(void)close(place);
	(void)close(mount);
}

void stage_set(const struct plan *plan)
{
	int stage = -1, place;

	if (is_needed(plan)) {
		place = open_directory(DYNUSER_IMAGES);
		stage = mount_new("tmpfs", NULL, "mode=0755", STAGE_FLAGS);
		if (stage < 0 || mount_attach(stage, place) != 0)
			fail_errno(errno, "cannot mount a file system in memory at %s", DYNUSER_IMAGES);
		(void)close(place);
	}
	for (size_t i = 0; i < plan->images_count; i++)
		mount_image(stage, &plan->images[i], i);
	for (size_t i = 0; i < plan->overlays_count; i++)
		mount_overlay(stage, &plan->overlays[i], i);
	close_quietly(stage);
}

void stage_clear(const struct plan *plan)
{
	if (is_needed(plan) && umount2(DYNUSER_IMAGES, MNT_DETACH | UMOUNT_NOFOLLOW) != 0)
		fail_errno(errno, "cannot take %s away", DYNUSER_IMAGES);
}
