/* One file system, made by the options of the steps that share it; see scratch.h. */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"
#include "mounts.h"

/* No part begins with a dot. */
#define TAKEN ".taken"
#define FLAGS (1U << MOUNT_NO_SUID | 1U << MOUNT_NO_DEVICES)

struct needs {
	/* whose options the file system has */
	const struct step *part;
	bool takes, hides;
};

static struct needs look_through(const struct plan *plan)
{
	struct needs needs = { 0 };

	for (size_t i = 0; i < plan->step_count; i++) {
		const struct step *step = &plan->steps[i];

		needs.takes = needs.takes || step->take_away;
		needs.hides = needs.hides || step->verb == STEP_HIDE;
		if (step->part != NULL && needs.part == NULL)
			needs.part = step;
	}
	return needs;
}

/* What has no parts has a handful of empty things. Nobody gets to anything in it but by the mount of a part. */
static int make_tmpfs(const struct step *part)
{
	char size[] = "size=4k", inodes[] = "nr_inodes=16", mode[] = "mode=0700";
	char *const alone[] = { size, inodes };
	struct strings options = { 0 };
	size_t count = part == NULL ? sizeof(alone) / sizeof(alone[0]) : part->options.count;
	bool fits = true;
	int mount;

	for (size_t i = 0; i < count; i++)
		fits = fits && strings_add(&options, part == NULL ? alone[i] : part->options.items[i]);
	if (!fits || !strings_add(&options, mode))
		fail(STATUS_LAUNCHER, "out of memory");
	mount = mount_new("tmpfs", &options, FLAGS);
	if (mount < 0)
		fail_errno(errno, "cannot make a tmpfs for %s", part == NULL ? "what the service shall not see" : part->path);
	free(options.items);
	return mount;
}

static bool same_options(const struct step *one, const struct step *other)
{
	bool same = one->options.count == other->options.count && one->set == other->set;

	for (size_t i = 0; same && i < one->options.count; i++)
		same = strcmp(one->options.items[i], other->options.items[i]) == 0;
	return same;
}

static void make_part(struct attic *attic, const struct step *step, const struct step *first)
{
	struct part *part = &attic->parts[attic->part_count];
	int directory;

	if (!same_options(step, first))
		fail(STATUS_LAUNCHER, "the plan has %s in one file system with %s, and other options for it", step->path, first->path);
	if (attic->part_count == PARTS_MAX)
		fail(STATUS_LAUNCHER, "the plan has more than %u parts of a file system", PARTS_MAX);
	if (mkdirat(attic->mount, step->part, step->mode) != 0)
		fail_errno(errno, "cannot make a directory for %s", step->path);
	directory = openat(attic->mount, step->part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	part->name = step->part;
	part->mount = directory < 0 ? -1 : mount_clone(directory, true);
	if (part->mount < 0 || mount_flags(part->mount, step->set, FLAGS & ~step->set, true) != 0)
		fail_errno(errno, "cannot make a mount for %s", step->path);
	(void)close(directory);
	attic->part_count++;
}

static int make_taken(int mount)
{
	int taken = mkdirat(mount, TAKEN, 0) != 0 ? -1 : openat(mount, TAKEN, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (taken < 0)
		fail_errno(errno, "cannot make a directory for what the service shall not see");
	return taken;
}

void attic_open(struct attic *attic, const struct plan *plan, int root, struct hidden *hidden)
{
	const struct needs needs = look_through(plan);

	if (attic->made)
		return;
	attic->made = true;
	attic->mount = make_tmpfs(needs.part);
	/* What is attached nowhere cannot be cloned before Linux 6.15. */
	if (mount_attach(attic->mount, root) != 0)
		fail_errno(errno, "cannot mount a tmpfs over /");
	for (size_t i = 0; i < plan->step_count; i++) {
		if (plan->steps[i].part != NULL)
			make_part(attic, &plan->steps[i], needs.part);
	}
	if (needs.hides && hide_prepare(hidden, attic->mount) != 0)
		fail_errno(errno, "cannot make what the service sees in place of what is hidden");
	if (needs.takes)
		attic->taken = make_taken(attic->mount);
}

bool attic_take(const struct attic *attic, int mount)
{
	return (attic->taken >= 0 && mount_attach(mount, attic->taken) == 0) || mount_detach(mount) == 0;
}

int attic_part(struct attic *attic, const struct step *step)
{
	for (size_t i = 0; i < attic->part_count; i++) {
		struct part *part = &attic->parts[i];
		int mount = part->mount;

		if (strcmp(part->name, step->part) != 0)
			continue;
		part->mount = -1;
		if (mount >= 0)
			return mount;
	}
	fail(STATUS_LAUNCHER, "the plan has no directory for %s", step->path);
}

void attic_close(struct attic *attic)
{
	if (attic->mount < 0)
		return;
	if (attic->taken >= 0)
		(void)close(attic->taken);
	attic->taken = -1;
	if (mount_detach(attic->mount) != 0)
		fail_errno(errno, "cannot take away what the service shall not see");
	(void)close(attic->mount);
	attic->mount = -1;
}
