/*
 * Owns the user namespace that id-mapped mounts are tried with. The sandbox of dynuserd.service makes no namespaces: there the
 * one at NAMESPACE_PATH is used, a mount of nsfs that the unit has made before (ExecStartPre=) and takes away after.
 */
#ifndef DYNUSER_HELPER_USER_NAMESPACE_H
#define DYNUSER_HELPER_USER_NAMESPACE_H

#include "dynuser.h"

#define NAMESPACE_PATH DYNUSER_RUNTIME_DIRECTORY "/user-namespace"

/*
 * Opens the kept user namespace, or, if there is none, makes one; *opened is to be closed. Returns NULL, or the call that was refused,
 * with errno and *opened -1.
 */
const char *namespace_open(int *opened);

/*
 * `dynuser-helper namespace keep` makes the mount, which may be there already; `dynuser-helper namespace drop` takes it away, which
 * may be gone. Returns the exit status: 0, 1 with a sentence on standard error, 2 for another word.
 */
int namespace_main(const char *action);

#endif
