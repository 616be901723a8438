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

#include "memberships.h"

/* shadow(5): a field that is empty in the file. */
#define UNSET (-1L)
#define UNSET_FLAG (~0UL)

/* The least that members_of() takes: too little for any name. */
#define PROBE_BYTES 2U

/* Copies text with its NUL to *next, and advances it. */
static char *place(char **next, const char *text)
{
	char *copy = *next;

	*next = stpcpy(copy, text) + 1;
	return copy;
}

/* The bytes up to the first address at or after buffer that is aligned for a pointer. */
static size_t padding(const char *buffer)
{
	return -(uintptr_t)buffer % alignof(char *);
}

static size_t count_bytes(const char *text, size_t length, char byte)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += text[i] == byte;
	return count;
}

/*
 * The members of a group. Their text is read to behind the fixed bytes that the record has without any member. Once it is known how many
 * there are, the text is moved on by the pointers to them.
 */
struct members {
	size_t count;
	char *text;
};

static int read_members(const struct identity *who, const struct destination *destination, size_t fixed,
			struct members *members)
{
	char probe[PROBE_BYTES], *text = destination->buffer + fixed;
	size_t length = 0, room;
	bool has_room = destination->size >= fixed + sizeof(probe);
	int error;

	*members = (struct members){ 0 };
	if (destination->size < fixed)
		return ERANGE;
	/* Without room for a name, this tells only whether there is a member. */
	error = members_of(who, has_room ? text : probe, has_room ? destination->size - fixed : sizeof(probe), &length);
	if (error != 0 || length == 0)
		return error;
	members->count = 1 + count_bytes(text, length, ',');
	room = members->count * sizeof(char *);
	if (destination->size - fixed < room + length + 1)
		return ERANGE;
	members->text = memmove(text + room, text, length + 1);
	return 0;
}

/* Writes an array of pointers to the members' text to *next, which must be aligned, and advances it. */
static char **place_members(char **next, const struct members *members)
{
	char **array = (char **)(void *)*next, *text = members->text;

	for (size_t i = 0; i < members->count; i++) {
		array[i] = text;
		text += strcspn(text, ",");
		*text++ = '\0';
	}
	array[members->count] = NULL;
	*next += (members->count + 1) * sizeof(char *);
	return array;
}

int pack_passwd(const struct identity *who, const struct destination *destination)
{
	static const size_t fixed =
		sizeof(DYNUSER_PASSWORD) + sizeof(DYNUSER_GECOS) + sizeof(DYNUSER_HOME) + sizeof(DYNUSER_SHELL);
	struct passwd *passwd = destination->record;
	char *next = destination->buffer;

	if (destination->size < strlen(who->name) + 1 + fixed)
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

int pack_group(const struct identity *who, const struct destination *destination)
{
	struct group *group = destination->record;
	size_t pad = padding(destination->buffer);
	struct members members;
	char *next;
	int error = read_members(who, destination,
				 pad + sizeof(char *) + strlen(who->name) + 1 + sizeof(DYNUSER_PASSWORD), &members);

	if (error != 0)
		return error;
	next = destination->buffer + pad;
	group->gr_mem = place_members(&next, &members);
	group->gr_name = place(&next, who->name);
	group->gr_passwd = place(&next, DYNUSER_PASSWORD);
	group->gr_gid = who->uid;
	return 0;
}

int pack_shadow(const struct identity *who, const struct destination *destination)
{
	struct spwd *shadow = destination->record;
	char *next = destination->buffer;

	if (destination->size < strlen(who->name) + 1 + sizeof(DYNUSER_LOCKED_PASSWORD))
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

int pack_gshadow(const struct identity *who, const struct destination *destination)
{
	static const struct members none = { 0 };
	struct sgrp *gshadow = destination->record;
	size_t pad = padding(destination->buffer);
	struct members members;
	char *next;
	int error = read_members(who, destination,
				 pad + 2 * sizeof(char *) + strlen(who->name) + 1 + sizeof(DYNUSER_LOCKED_PASSWORD),
				 &members);

	if (error != 0)
		return error;
	next = destination->buffer + pad;
	gshadow->sg_adm = place_members(&next, &none);
	gshadow->sg_mem = place_members(&next, &members);
	gshadow->sg_namp = place(&next, who->name);
	gshadow->sg_passwd = place(&next, DYNUSER_LOCKED_PASSWORD);
	return 0;
}
