/* The group database: getgrnam(3) and its kin. It states the entry points of glibc and nothing else. */
#include <grp.h>

#include "answer.h"

/* No header has them: glibc finds them by name with dlsym(3). */
enum nss_status _nss_dynuser_getgrnam_r(const char *name, struct group *result, char *buffer, size_t size,
					int *error_number);
enum nss_status _nss_dynuser_getgrgid_r(gid_t gid, struct group *result, char *buffer, size_t size, int *error_number);
enum nss_status _nss_dynuser_setgrent(int stay_open);
enum nss_status _nss_dynuser_getgrent_r(struct group *result, char *buffer, size_t size, int *error_number);
enum nss_status _nss_dynuser_endgrent(void);

static struct enumeration all_groups = { .database = "group" };

NSS_EXPORT enum nss_status _nss_dynuser_getgrnam_r(const char *name, struct group *result, char *buffer, size_t size,
						   int *error_number)
{
	const struct destination destination = { pack_group, result, buffer, size, error_number };

	return answer_name(RECORD_GROUP, name, &destination);
}

NSS_EXPORT enum nss_status _nss_dynuser_getgrgid_r(gid_t gid, struct group *result, char *buffer, size_t size,
						   int *error_number)
{
	const struct destination destination = { pack_group, result, buffer, size, error_number };

	return answer_uid(RECORD_GROUP, gid, &destination);
}

NSS_EXPORT enum nss_status _nss_dynuser_setgrent(int stay_open)
{
	(void)stay_open;
	return answer_reset(&all_groups);
}

NSS_EXPORT enum nss_status _nss_dynuser_getgrent_r(struct group *result, char *buffer, size_t size, int *error_number)
{
	const struct destination destination = { pack_group, result, buffer, size, error_number };

	return answer_next(&all_groups, RECORD_GROUP, &destination);
}

NSS_EXPORT enum nss_status _nss_dynuser_endgrent(void)
{
	return answer_reset(&all_groups);
}
