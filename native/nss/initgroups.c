/*
 * The initgroups database: the supplementary groups of a user (getgrouplist(3)), of which a dynamic user has none from
 * us. Must never touch the caller's array.
 */
#include <sys/types.h>

#include "answer.h"

enum nss_status _nss_dynuser_initgroups_dyn(const char *user, gid_t group, long *start, long *size, gid_t **groups,
					    long limit, int *error_number);

/*
 * Why it is here although it says nothing: for a module without it, glibc walks the whole group database at each
 * login to look for members (grp/compat-initgroups.c), one list from the daemon each time. And why NOTFOUND: it lets
 * glibc go on to the next service, so that memberships which an administrator gave that name elsewhere hold.
 */
NSS_EXPORT enum nss_status _nss_dynuser_initgroups_dyn(const char *user, gid_t group, long *start, long *size,
						       gid_t **groups, long limit, int *error_number)
{
	(void)user;
	(void)group;
	(void)start;
	(void)size;
	(void)groups;
	(void)limit;
	(void)error_number;
	return NSS_STATUS_NOTFOUND;
}
