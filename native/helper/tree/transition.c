#include "transition.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ATTRIBUTE "trusted.dynuser.former-owners"
#define DIGITS_MAX 11U
#define TRANSITION_UID 0U
#define TRANSITION_GID 65534U
#define TRANSITION_MODE 0700U

bool tree_former_has(const struct tree_former_owners *former, uint32_t uid)
{
	for (size_t i = 0; i < former->count; i++) {
		if (former->uids[i] == uid)
			return true;
	}
	return false;
}

/* Beyond the bound none is added: inodes with several links of that owner are then left alone, never the reverse. */
static void add(struct tree_former_owners *former, uint32_t uid)
{
	if (!tree_former_has(former, uid) && former->count < TREE_FORMER_OWNERS_MAX)
		former->uids[former->count++] = uid;
}

static void read_record(int top, struct tree_former_owners *former)
{
	char text[TREE_FORMER_OWNERS_MAX * DIGITS_MAX + 1];
	ssize_t length = fgetxattr(top, ATTRIBUTE, text, sizeof(text) - 1);
	char *at = text;

	text[length < 0 ? 0 : length] = '\0';
	while (*at != '\0') {
		char *end;
		unsigned long uid = strtoul(at, &end, 10);

		if (end == at || uid > UINT32_MAX - 1)
			break;
		add(former, (uint32_t)uid);
		at = *end == ' ' ? end + 1 : end;
	}
}

static void write_record(int top, const struct tree_former_owners *former)
{
	char text[TREE_FORMER_OWNERS_MAX * DIGITS_MAX + 1];
	size_t length = 0;

	for (size_t i = 0; i < former->count; i++) {
		int size = snprintf(text + length, sizeof(text) - length, i == 0 ? "%u" : " %u", former->uids[i]);

		length += (size_t)size;
	}
	/* Where it cannot be written, tree_begin_transition() of the next run finds nobody, and that run leaves more alone. */
	(void)fsetxattr(top, ATTRIBUTE, text, length, 0);
}

const char *tree_begin_transition(int top, const struct tree_status *status, const struct tree_owner *owner,
		      struct tree_former_owners *former)
{
	struct tree_former_owners next;
	bool marked = status->uid == TRANSITION_UID && status->gid == TRANSITION_GID;

	/* The attribute of a top that is not marked is left from a run that ended right before it took it away. */
	*former = (struct tree_former_owners){ 0 };
	if (marked)
		read_record(top, former);
	else
		add(former, status->uid);
	next = *former;
	add(&next, owner->uid);
	write_record(top, &next);
	if (!marked && fchown(top, TRANSITION_UID, TRANSITION_GID) != 0)
		return "fchown";
	return tree_set_mode((struct tree_place){ top, "" }, TRANSITION_MODE);
}

const char *tree_end_transition(int top)
{
	if (fremovexattr(top, ATTRIBUTE) == 0 || errno == ENODATA || errno == EOPNOTSUPP || errno == EPERM)
		return NULL;
	return "fremovexattr";
}
