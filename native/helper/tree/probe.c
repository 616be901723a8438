/*
 * Whether the file system of a tree can show it under other owners: makes an id-mapped mount that is attached nowhere,
 * the way of mount_setattr(2), and lets it go.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mount.h>
#include <unistd.h>

#include "commands.h"
#include "user_namespace.h"

static struct refusal map(int top, int namespace)
{
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
		.userns_fd = (__u64)namespace,
	};
	int mount = open_tree(top, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (mount < 0)
		return (struct refusal){ "open_tree", errno };
	struct refusal refusal = { NULL, 0 };

	if (mount_setattr(mount, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) != 0)
		refusal = (struct refusal){ "mount_setattr", errno };
	(void)close(mount);
	return refusal;
}

bool tree_probe(int top, struct tree_report *report)
{
	struct answer line = { .start = 0 };
	int namespace = -1;
	struct refusal refusal = namespace_open(&namespace);

	if (refusal.call == NULL)
		refusal = map(top, namespace);
	if (namespace >= 0)
		(void)close(namespace);
	if (refusal.call == NULL) {
		answer_begin(&line, "yes");
	} else {
		answer_begin(&line, "no");
		answer_word(&line, refusal.call);
		answer_number(&line, (uint64_t)refusal.error);
	}
	return answer_write(report->output, &line);
}
