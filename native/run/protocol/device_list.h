/* Lists the devices of a host, and the links to them, for properties that name devices by their kind. */
#ifndef RUN_DEVICE_LIST_H
#define RUN_DEVICE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Calls add with "c MAJOR:MINOR PATH" or "b MAJOR:MINOR PATH" for each device, and with "l PATH<tab>TARGET" for each symlink, at and below
 * a directory, except on other file systems that are mounted there. Only directories are opened. *entries counts what is looked at.
 * False: there is no such directory. Ends the launcher if there are too many entries.
 */
bool device_list(const char *path, size_t *entries, size_t entries_max, void (*add)(void *context, const char *name),
		 void *context);

#endif
