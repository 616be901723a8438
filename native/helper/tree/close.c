#include "close.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ATTRIBUTE "trusted.dynuser.mode"
#define MODE_DIGITS 4U
#define OTHERS_WRITE (S_IWGRP | S_IWOTH)

/* What a directory may keep when it changes hands. */
#define KEPT_BITS 01777U

static bool write_record(int descriptor, uint32_t mode)
{
	char text[MODE_DIGITS + 1];

	(void)snprintf(text, sizeof(text), "%04o", mode & KEPT_BITS);
	return fsetxattr(descriptor, ATTRIBUTE, text, MODE_DIGITS, 0) == 0;
}

const char *tree_close(int descriptor, struct tree_status *status, bool *closed)
{
	const struct tree_place place = { descriptor, "" };

	*closed = false;
	if (fchown(descriptor, 0, 0) != 0)
		return "fchown";
	/* Only now, when its old owner has no more say: what that has granted, and what the mode is in the end. */
	const char *failed = tree_drop_acls(place, status);

	if (failed == NULL && !tree_stat(descriptor, "", status))
		failed = "statx";
	if (failed != NULL)
		return failed;
	if ((status->mode & OTHERS_WRITE) != 0) {
		if (!write_record(descriptor, status->mode))
			return NULL;
		failed = tree_set_mode(place, status->mode & KEPT_BITS & ~(uint32_t)OTHERS_WRITE);
		if (failed == NULL && !tree_stat(descriptor, "", status))
			failed = "statx";
	}
	*closed = failed == NULL;
	return failed;
}

const char *tree_reopen(int descriptor, struct tree_status *status)
{
	char text[MODE_DIGITS + 1] = { 0 };

	if (fgetxattr(descriptor, ATTRIBUTE, text, MODE_DIGITS) != (ssize_t)MODE_DIGITS)
		return NULL;
	uint32_t mode = (uint32_t)strtoul(text, NULL, 8) & KEPT_BITS;
	const char *failed = tree_set_mode((struct tree_place){ descriptor, "" }, mode);

	/* Before its owner changes: a directory that has its owner never has a record. */
	if (failed == NULL && fremovexattr(descriptor, ATTRIBUTE) != 0)
		failed = "fremovexattr";
	status->mode = (uint16_t)((status->mode & S_IFMT) | mode);
	return failed;
}

bool tree_is_owners_alone(int descriptor, const struct tree_status *status)
{
	return (status->mode & S_IWOTH) == 0 && !tree_has_acls(descriptor);
}
