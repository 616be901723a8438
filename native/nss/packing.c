/* See packing.h. */
#include "packing.h"

#include <errno.h>
#include <grp.h>
#include <gshadow.h>
#include <pwd.h>
#include <shadow.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

/* shadow(5): a field that is empty in the file. */
#define UNSET (-1L)
#define UNSET_FLAG (~0UL)

/* Copies text with its NUL to *next, and advances it. */
static char *place(char **next, const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = memcpy(*next, text, bytes);

	*next += bytes;
	return copy;
}

/* The bytes up to the first address at or after buffer that is aligned for a pointer. */
static size_t padding(const char *buffer)
{
	return -(uintptr_t)buffer % alignof(char *);
}

/* Writes an empty array to *next, which must be aligned, and advances it. */
static char **place_empty_array(char **next)
{
	char *terminator = NULL;
	char *array = memcpy(*next, &terminator, sizeof(terminator));

	*next += sizeof(terminator);
	return (char **)(void *)array;
}

int pack_passwd(const struct identity *who, void *record, char *buffer, size_t size)
{
	static const size_t fixed = sizeof(DYNUSER_PASSWORD) + sizeof(DYNUSER_GECOS) + sizeof(DYNUSER_HOME) +
				    sizeof(DYNUSER_SHELL);
	struct passwd *passwd = record;
	char *next = buffer;

	if (size < strlen(who->name) + 1 + fixed)
		return ERANGE;
	passwd->pw_name = place(&next, who->name);
	passwd->pw_passwd = place(&next, DYNUSER_PASSWORD);
	passwd->pw_uid = who->uid;
	passwd->pw_gid = who->uid;
	passwd->pw_gecos = place(&next, DYNUSER_GECOS);
	passwd->pw_dir = place(&next, DYNUSER_HOME);
	passwd->pw_shell = place(&next, DYNUSER_SHELL);
	return 0;
}

int pack_group(const struct identity *who, void *record, char *buffer, size_t size)
{
	struct group *group = record;
	size_t pad = padding(buffer);
	char *next;

	if (size < pad + sizeof(char *) + strlen(who->name) + 1 + sizeof(DYNUSER_PASSWORD))
		return ERANGE;
	next = buffer + pad;
	group->gr_mem = place_empty_array(&next);
	group->gr_name = place(&next, who->name);
	group->gr_passwd = place(&next, DYNUSER_PASSWORD);
	group->gr_gid = who->uid;
	return 0;
}

int pack_shadow(const struct identity *who, void *record, char *buffer, size_t size)
{
	struct spwd *shadow = record;
	char *next = buffer;

	if (size < strlen(who->name) + 1 + sizeof(DYNUSER_LOCKED_PASSWORD))
		return ERANGE;
	*shadow = (struct spwd){
		.sp_namp = place(&next, who->name),
		.sp_lstchg = UNSET,
		.sp_min = UNSET,
		.sp_max = UNSET,
		.sp_warn = UNSET,
		.sp_inact = UNSET,
		.sp_expire = DYNUSER_SHADOW_EXPIRE,
		.sp_flag = UNSET_FLAG,
	};
	shadow->sp_pwdp = place(&next, DYNUSER_LOCKED_PASSWORD);
	return 0;
}

int pack_gshadow(const struct identity *who, void *record, char *buffer, size_t size)
{
	struct sgrp *gshadow = record;
	size_t pad = padding(buffer);
	char *next;

	if (size < pad + 2 * sizeof(char *) + strlen(who->name) + 1 + sizeof(DYNUSER_LOCKED_PASSWORD))
		return ERANGE;
	next = buffer + pad;
	gshadow->sg_adm = place_empty_array(&next);
	gshadow->sg_mem = place_empty_array(&next);
	gshadow->sg_namp = place(&next, who->name);
	gshadow->sg_passwd = place(&next, DYNUSER_LOCKED_PASSWORD);
	return 0;
}
