/*
 * The credentials of a service: secrets in files of a small file system, which is in its mount namespace alone and ends with that,
 * whatever is killed. Root and the user may read them, and nobody else can reach them.
 */
#ifndef RUN_CREDENTIALS_H
#define RUN_CREDENTIALS_H

#include "protocol/plan.h"

/*
 * Makes the file system, attached nowhere, from files in the launcher's root. To be called with all privileges, before / changes. Ends
 * the launcher with a message if a credential cannot be read, or all of them are too long.
 */
int credentials_make(const struct plan *plan);

#endif
