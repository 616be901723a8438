/* Looks users and groups up as any program does, and prints what the C library says. Built with several C libraries. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *absent(void)
{
	return errno == 0 ? "none" : strerror(errno);
}

static void print_user(const char *question, const char *key, const struct passwd *user)
{
	if (user == NULL)
		printf("%s %s: %s\n", question, key, absent());
	else
		printf("%s %s: %s:%s:%u:%u:%s:%s:%s\n", question, key, user->pw_name, user->pw_passwd,
		       (unsigned)user->pw_uid, (unsigned)user->pw_gid, user->pw_gecos, user->pw_dir, user->pw_shell);
}

static void print_group(const char *question, const char *key, const struct group *group)
{
	if (group == NULL)
		printf("%s %s: %s\n", question, key, absent());
	else
		printf("%s %s: %s:%s:%u:%s\n", question, key, group->gr_name, group->gr_passwd, (unsigned)group->gr_gid,
		       group->gr_mem[0] == NULL ? "" : group->gr_mem[0]);
}

/* Arguments: names and numbers, each asked for in every way that fits. */
int main(int argc, char **argv)
{
	for (int n = 1; n < argc; n++) {
		char *key = argv[n];
		char *end = NULL;
		unsigned long id = strtoul(key, &end, 10);
		errno = 0;
		if (*end == '\0') {
			print_user("getpwuid", key, getpwuid((uid_t)id));
			errno = 0;
			print_group("getgrgid", key, getgrgid((gid_t)id));
			continue;
		}
		const struct passwd *user = getpwnam(key);
		print_user("getpwnam", key, user);
		errno = 0;
		print_group("getgrnam", key, getgrnam(key));
		gid_t groups[16];
		int count = 16;
		errno = 0;
		if (getgrouplist(key, 7, groups, &count) < 0) {
			printf("getgrouplist %s: %s\n", key, absent());
			continue;
		}
		printf("getgrouplist %s:", key);
		for (int g = 0; g < count; g++)
			printf(" %u", (unsigned)groups[g]);
		printf("\n");
	}
	return 0;
}
