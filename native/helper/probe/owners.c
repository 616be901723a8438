/*
 * The service manager is asked whenever its socket is there, whatever nsswitch.conf says: one name must not have two users
 * because no program looks up systemd's. If nss-systemd is among the sources, it is bypassed, so that the manager has one
 * question instead of three; it is asked only if the manager's answer is not clear.
 */
#include "owners.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dynuser.h"
#include "pid1.h"
#include "sources.h"

#define SERVICES "/run/systemd/userdb"
/* The foreign UIDs of systemd 258 (docs/UIDS-GIDS.md), 0x7FFE0000 and above, and their names. */
#define FOREIGN_FIRST 2147352576U
#define FOREIGN_NAME "foreign-"

/* Where systemd looks for records, of every version that there is. */
static const char *const records[] = {
	"/etc/userdb", "/run/userdb", "/run/host/userdb", "/usr/local/lib/userdb", "/usr/lib/userdb",
	"/lib/userdb", NULL,
};

/* Services that know no users of their own, or whose users the helper finds by other means. */
static const char *const known[] = {
	PID1_SERVICE, "io.systemd.DropIn", "io.systemd.Multiplexer", "io.systemd.NameServiceSwitch", DYNUSER_SERVICE,
	NULL,
};

/* Which of the last three it is depends on how systemd was built. */
static const char *const made_up[] = { "root", "nobody", "nogroup", "nfsnobody", NULL };

static bool is_among(const char *const *words, const char *word)
{
	while (*words != NULL && strcmp(word, *words) != 0)
		words++;
	return *words != NULL;
}

static bool is_known(const char *service)
{
	return is_among(known, service);
}

static bool is_dot_or_dots(const char *entry)
{
	return strcmp(entry, ".") == 0 || strcmp(entry, "..") == 0;
}

/* Whether a directory is missing, or has nothing but what is expected. */
static bool has_only(const char *path, bool (*expected)(const char *entry))
{
	DIR *stream = opendir(path);
	struct dirent *entry;
	bool only = true;

	if (stream == NULL)
		return errno == ENOENT;
	errno = 0;
	while (only && (entry = readdir(stream)) != NULL)
		only = is_dot_or_dots(entry->d_name) || (expected != NULL && expected(entry->d_name));
	/* A failure looks like the end, but for this. */
	only = only && errno == 0;
	closedir(stream);
	return only;
}

static bool has_manager_alone(void)
{
	for (const char *const *path = records; *path != NULL; path++) {
		if (!has_only(*path, NULL))
			return false;
	}
	return has_only(SERVICES, is_known);
}

/*
 * Whether a name, or a number, may be known to nss-systemd(8) beside the manager's users: there is a record in a file, or a socket
 * of others than the manager, dynuser and those who tell what others know (systemd's docs/USER_GROUP_API.md), or it is one that
 * nss-systemd makes up itself. True also if that cannot be told. Most hosts have neither, and it takes nss-systemd hundreds of system
 * calls to find that out, for each lookup anew.
 */
static bool may_have_name(const char *name)
{
	return is_among(made_up, name) || strncmp(name, FOREIGN_NAME, strlen(FOREIGN_NAME)) == 0 ||
	       !has_manager_alone();
}

static bool may_have_number(uint32_t number)
{
	return number == 0 || number == DYNUSER_UID_NOBODY || number >= FOREIGN_FIRST || !has_manager_alone();
}

static bool ask_sources(const char *name, struct owners *owners, struct answer *answer)
{
	enum lookup user = user_by_name(name, &owners->user, answer);
	enum lookup group = user == LOOKUP_FAILED ? LOOKUP_FAILED : group_by_name(name, &owners->group, answer);

	owners->has_user = user == LOOKUP_FOUND;
	owners->has_group = group == LOOKUP_FOUND;
	return group != LOOKUP_FAILED;
}

/* As after any other source, the manager's user is the answer if there was none. */
static void take_user(struct owners *owners, const char *name, uint32_t number)
{
	struct account account = { .number = number, .group = number };

	(void)snprintf(account.name, sizeof(account.name), "%s", name);
	if (!owners->has_user)
		owners->user = account;
	if (!owners->has_group)
		owners->group = account;
	owners->has_user = owners->has_group = true;
}

/* Whether lookups from here on go past the manager, and past nss-systemd. */
static void shorten_lookups(bool past_manager, bool past_systemd)
{
	pid1_lookup_enable(!past_manager);
	sources_leave_out_systemd(past_systemd);
}

/* Asks the sources, without the manager and without what nss-systemd would look up beside it. */
static bool ask_sources_alone(const char *name, struct owners *owners, struct answer *answer)
{
	shorten_lookups(true, !may_have_name(name));
	bool told = ask_sources(name, owners, answer);

	shorten_lookups(false, false);
	return told;
}

/*
 * Whether the sources have said all. Half of a name is completed by the manager's user only if every program of the host is
 * told the same, by nss-systemd: the manager has a "user" of each group too that a unit names.
 */
static bool is_complete(const struct owners *owners)
{
	return sources_have_systemd() ? owners->has_user && owners->has_group : owners->has_user || owners->has_group;
}

/* The manager drops its connections when it executes itself anew: so it is asked a second time. */
static enum pid1_answer ask_again(const char *name, uint32_t *number)
{
	struct pid1_question question;

	return pid1_question_begin(&question, name) ? pid1_question_end(&question, number) : PID1_HAS_NONE;
}

static bool ask_pid1_too(struct pid1_question *question, const char *name, struct owners *owners, struct answer *answer)
{
	uint32_t number = 0;
	bool told = ask_sources_alone(name, owners, answer);

	if (!told || is_complete(owners)) {
		pid1_question_drop(question);
		return told;
	}
	enum pid1_answer said = pid1_question_end(question, &number);

	if (said == PID1_UNCLEAR && sources_have_systemd())
		return ask_sources(name, owners, answer);
	if (said == PID1_UNCLEAR)
		said = ask_again(name, &number);
	if (said == PID1_UNCLEAR) {
		(void)answer_error(answer, PID1_SERVICE, EIO);
		return false;
	}
	if (said == PID1_HAS_USER)
		take_user(owners, name, number);
	return true;
}

bool find_owners(const char *name, struct owners *owners, struct answer *answer)
{
	struct pid1_question question;

	/* Sent first, so that process 1 answers while the sources are asked. */
	return pid1_question_begin(&question, name) ? ask_pid1_too(&question, name, owners, answer) :
						      ask_sources(name, owners, answer);
}

/*
 * The daemon asks for a number that it has locked, or seen unlocked a moment ago. If that lock is one that the service
 * manager takes too, none of its users has the number, and it need not be asked.
 */
enum lookup find_owner(uint32_t number, struct owner *owner, struct answer *answer)
{
	bool locks_tell = pid1_locks_tell();

	shorten_lookups(locks_tell, locks_tell && !may_have_number(number));
	enum lookup found = user_by_number(number, &owner->account, answer);

	owner->is_group = found == LOOKUP_NOT_FOUND;
	if (owner->is_group)
		found = group_by_number(number, &owner->account, answer);
	shorten_lookups(false, false);
	return found;
}
