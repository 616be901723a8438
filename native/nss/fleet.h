/*
 * Owns the snapshot of the users of other hosts of a fleet, <runtime>/fleet.snapshot: a line with their number, a line for each by name,
 * and again by UID, all of one length. The daemon replaces it by rename(2), so an open one does not change. Nothing in it is believed
 * unchecked: nobody is found in a snapshot that is cut short, or has anything else in it.
 */
#ifndef DYNUSER_NSS_FLEET_H
#define DYNUSER_NSS_FLEET_H

#include "userdb.h"

/* Sets *who and returns 0, or ENOENT: no such user, or no snapshot. */
int fleet_find(const char *runtime, const struct query *query, struct identity *who);

/* Takes one user. */
typedef void fleet_visitor(const struct identity *who, void *context);

/* Calls visit for every user, at most LIST_RECORDS_MAX times; buffer: size bytes, at least one line. */
void fleet_list(const char *runtime, char *buffer, size_t size, fleet_visitor *visit, void *context);

#endif
