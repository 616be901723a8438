/* See answer.h. */
#include "answer.h"

#include <errno.h>

#include "lookup.h"

static enum nss_status status_of(int error, const struct destination *destination)
{
	if (error == 0)
		return NSS_STATUS_SUCCESS;
	if (error == ENOENT)
		return NSS_STATUS_NOTFOUND;
	*destination->error_number = error;
	return error == ERANGE ? NSS_STATUS_TRYAGAIN : NSS_STATUS_UNAVAIL;
}

static int pack(const struct identity *who, const struct destination *destination)
{
	return destination->pack(who, destination->record, destination->buffer, destination->size);
}

enum nss_status answer_uid(enum record_kind kind, uid_t uid, const struct destination *destination)
{
	struct identity who;
	int error = lookup_by_uid(kind, uid, &who);

	if (error == 0)
		error = pack(&who, destination);
	return status_of(error, destination);
}

enum nss_status answer_name(enum record_kind kind, const char *name, const struct destination *destination)
{
	struct identity who;
	int error = lookup_by_name(kind, name, &who);

	if (error == 0)
		error = pack(&who, destination);
	return status_of(error, destination);
}

enum nss_status answer_next(struct enumeration *enumeration, enum record_kind kind,
			    const struct destination *destination)
{
	int error = enumeration_next(enumeration, kind, destination->pack, destination->record, destination->buffer,
				     destination->size);

	return status_of(error, destination);
}

enum nss_status answer_reset(struct enumeration *enumeration)
{
	return enumeration_reset(enumeration) ? NSS_STATUS_SUCCESS : NSS_STATUS_TRYAGAIN;
}
