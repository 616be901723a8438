/*
 * Opens files that a unit names with root's rights, in directories that may be the service's own: a symlink that the service made is
 * never followed, since it would lead those rights to whatever file the service likes.
 */
#ifndef RUN_OPEN_FILE_H
#define RUN_OPEN_FILE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Opens an absolute path in the launcher's root; the flags and the mode are those of open(2), the mode whatever the umask is. If a
 * socket is there, connects to it; from: the abstract name of the connection's own end, null for none. The descriptor is closed by
 * execve(2). -1 with errno; *link is the name of a symlink that is not followed, since its owner is not root (ELOOP), else null.
 */
int open_file(const char *path, int flags, mode_t mode, const char *from, const char **link);

/* The same for a property: a symlink that is not followed ends the launcher with a message. */
int open_file_of(const char *property, const char *path, int flags, mode_t mode, const char *from);

/* Connects to a stream socket, within 90 seconds. from as above. -1 with errno. */
int open_socket(const char *path, const char *from);

/* From now on a read(2) from the connection fails with EAGAIN after 90 seconds. False with errno. */
bool socket_bound_reading(int connection);

#endif
