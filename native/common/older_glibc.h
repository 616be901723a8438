/*
 * Included before everything else (-include), in native modules of Node too: what is built against a newer glibc runs with an older one,
 * as the tarball with Node inside is meant to. Since glibc 2.38 strtol(3), sscanf(3) and their like are other functions, which older
 * ones do not have, for whoever asks for all of glibc (_GNU_SOURCE), as every C++ program does. They differ in reading binary numbers
 * ("0b1").
 */
#ifndef DYNUSER_OLDER_GLIBC_H
#define DYNUSER_OLDER_GLIBC_H

/* Whoever asks for it later would be too late: features.h is read once. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <features.h>

#undef __GLIBC_USE_C2X_STRTOL
#define __GLIBC_USE_C2X_STRTOL 0
#undef __GLIBC_USE_C23_STRTOL
#define __GLIBC_USE_C23_STRTOL 0

#endif
