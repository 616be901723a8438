/* What getent(1) prints, and what it does not. No arguments. */
#include "accounts/account_lines.h"

#include <stdint.h>
#include <string.h>

#include "check.h"

static char found[256];

static void note(void *context, gid_t id)
{
	(void)context;
	(void)snprintf(found + strlen(found), sizeof(found) - strlen(found), "%u ", id);
}

/* Of what is cut one byte earlier nothing may be read: in memory of its own, so that a sanitizer sees it. */
static char *copy(const char *text, size_t length)
{
	char *copied = malloc(length + 1);

	CHECK(copied != NULL, "out of memory");
	memcpy(copied, text, length);
	copied[length] = '\0';
	return copied;
}

static void expect_ids(const char *text, const char *expected)
{
	char *copied = copy(text, strlen(text));
	bool sound;

	found[0] = '\0';
	sound = account_initgroups(copied, strlen(text), "web", note, NULL);
	CHECK(sound == (expected != NULL), "'%s'", text);
	CHECK(expected == NULL || strcmp(found, expected) == 0, "'%s' gives '%s'", text, found);
	free(copied);
}

static void test_initgroups(void)
{
	expect_ids("web                   4 60 4294967294\n", "4 60 4294967294 ");
	expect_ids("web 0\n", "0 ");
	expect_ids("web                  \n", "");
	expect_ids("web\n", "");
	static const char *const nonsense[] = {
		"", "\n", "web", "web 4", "we", "webs 4\n", "wed 4\n", " web 4\n", "web 4\n\n", "web 4\nweb 5\n", "web 4,5\n", "web -4\n",
		"web +4\n", "web 4x\n", "web x\n", "web 4294967295\n", "web 4294967296\n", "web 99999999999999999999999\n", "web\t4\n",
		"web:4\n", "4\n",
	};
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
		expect_ids(nonsense[i], NULL);
	CHECK(!account_initgroups("web 4\0 5\n", 9, "web", note, NULL), "NUL");
}

/* What is made of all lines: "name=id ", and "!" where one is no record. */
static void expect_groups(const char *text, size_t length, const char *expected)
{
	char *copied = copy(text, length), *at = copied;
	struct account_group group;

	found[0] = '\0';
	while (at < copied + length) {
		if (!account_group(&at, copied + length, &group)) {
			(void)strcat(found, "!");
			break;
		}
		(void)snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s=%u ", group.name, group.id);
	}
	CHECK(strcmp(found, expected) == 0, "'%s' gives '%s'", text, found);
	at = copied + length;
	CHECK(!account_group(&at, copied + length, &group), "nothing is a record");
	free(copied);
}

static void test_groups(void)
{
	static const char *const nonsense[] = {
		"\n", "games", "games:*:60:", "games:*:60\n", "games:*:60:a:b\n", ":*:60:\n", "games:*::\n", "games:*:-1:\n", "games:*: 60:\n",
		"games:*:60 :\n", "games:*:4294967295:\n", "games:*:x:\n",
	};

	expect_groups("games:*:60:\n", 12, "games=60 ");
	expect_groups("a:x:1:b,c\nd::4294967294:\n", 25, "a=1 d=4294967294 ");
	expect_groups("a:x:1:\nb:x:2\n", 13, "a=1 !");
	expect_groups("a:x:1:b\0c\n", 10, "!");
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
		expect_groups(nonsense[i], strlen(nonsense[i]), "!");
}

static void expect_user(const char *text, const char *home, const char *shell)
{
	char *copied = copy(text, strlen(text));
	struct account_user user = { NULL, NULL };
	bool sound = account_user(copied, strlen(text), &user);

	CHECK(sound == (home != NULL), "'%s'", text);
	CHECK(!sound || (strcmp(user.home, home) == 0 && strcmp(user.shell, shell) == 0), "'%s' gives '%s', '%s'", text, user.home, user.shell);
	free(copied);
}

static void test_users(void)
{
	static const char *const nonsense[] = {
		"", "\n", "a:x:1:2::/", "a:x:1:2::/\n", "a:x:1:2::/:/bin/sh", "a:x:1:2::/:/bin/sh:\n", ":x:1:2::/:/bin/sh\n", "a:x::2::/:/bin/sh\n",
		"a:x:1:::/:/bin/sh\n", "a:x:1:4294967295::/:/bin/sh\n", "a:x:1x:2::/:/bin/sh\n", "a:x:1:2::/:/bin/sh\n\n",
		"a:x:1:2::/:/bin/sh\na:x:1:2::/:/bin/sh\n",
	};

	expect_user("games:x:5:60:games, more:/usr/games:/usr/sbin/nologin\n", "/usr/games", "/usr/sbin/nologin");
	expect_user("a:x:4294967294:0:::\n", "", "");
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
		expect_user(nonsense[i], NULL, NULL);
}

static void test_names(void)
{
	static const char *const good[] = { "a", "_web-1", "7up", "domain\\user", "user@realm", "M\303\274ller", "a.b$", "a+b", "Domain Users" };
	static const char *const bad[] = {
		"", "0", "60", "4294967295", "-a", "--", "-5", "+5", "+a", " a", " 5", "a\n", "a:b", "a,b", "\t5", "a\x7F", "\1",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK(account_name(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!account_name(bad[i]), "'%s'", bad[i]);
}

int main(void)
{
	test_initgroups();
	test_groups();
	test_users();
	test_names();
	return 0;
}
