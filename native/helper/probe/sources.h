/*
 * Owns which NSS sources this process asks: those of /etc/nsswitch.conf, but never dynuser itself, and never nscd.
 */
#ifndef DYNUSER_HELPER_PROBE_SOURCES_H
#define DYNUSER_HELPER_PROBE_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define NSSWITCH_CONF "/etc/nsswitch.conf"

/* Far more than any nsswitch.conf(5) in the wild; a longer file is an error, not cut. */
#define SOURCES_FILE_MAX 65536
#define SOURCES_LINE_MAX 1024

/*
 * Takes the services of one database out of the text of an nsswitch.conf(5), without the word dynuser, and one other unless that is
 * NULL, each with the [STATUS=ACTION] that follows it. A database that is not named there, or has no other source, gets "files", glibc's
 * own default. Returns false if they are longer than SOURCES_LINE_MAX.
 */
bool sources_extract(const char *text, const char *database, const char *without, char services[SOURCES_LINE_MAX]);

/*
 * Configures glibc for passwd and group from the file. To be called once, before the first lookup.
 * *taken becomes the status of the file at that time, all zero if there is none.
 * Returns 0, or an errno value: the file is there but cannot be read or understood.
 */
int sources_configure(const char *path, struct stat *taken);

/* Whether nss-systemd(8) is among the configured sources of users or of groups. */
bool sources_have_systemd(void);

/*
 * Whether lookups from here on leave out nss-systemd, if it is among the sources; by default they do not. If it is the only
 * one, "files" is asked instead: what that knows, everybody knows. Ends the process if glibc does not accept it.
 */
void sources_leave_out_systemd(bool leave_out);

/* Whether the file is another one now, or has been written to. */
bool sources_changed(const char *path, const struct stat *taken);

#endif
