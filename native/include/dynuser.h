/* Generated from src/core by "npm run generate": change that, not this file. */
/* clang-format off */
#ifndef DYNUSER_H
#define DYNUSER_H

/* The default range, systemd's own (docs/UIDS-GIDS.md), both inclusive. */
#define DYNUSER_UID_MIN 61184U
#define DYNUSER_UID_MAX 65519U

/*
 * The range is configurable within these bounds (both inclusive), so that the NSS module can answer "not ours" for
 * system, regular and homed users without a system call.
 */
#define DYNUSER_UID_POSSIBLE_MIN 60578U
#define DYNUSER_UID_POSSIBLE_MAX 2147483647U

/* nobody, and the 16-bit -1: never ours. */
#define DYNUSER_UID_NOBODY 65534U
#define DYNUSER_UID_INVALID16 65535U

/* The length of a user name in bytes, without the NUL. */
#define DYNUSER_NAME_MAX 31U

/* The version of this software. */
#define DYNUSER_VERSION "0.1.0"

/* The runtime directory, and what is in it. */
#define DYNUSER_RUNTIME_DIRECTORY "/run/dynuser"
#define DYNUSER_BY_UID "by-uid"
#define DYNUSER_BY_NAME "by-name"
#define DYNUSER_HOLDERS "holders"
#define DYNUSER_MEMBERS "members"
#define DYNUSER_MEMBERS_ASKED "*"
#define DYNUSER_GROUPS "groups"
#define DYNUSER_FLEET_SNAPSHOT "fleet.snapshot"
#define DYNUSER_FLEET_SNAPSHOT_MAGIC "dynuser-fleet 1"
#define DYNUSER_FLEET_SNAPSHOT_LINE 43U
#define DYNUSER_IMAGES "/run/dynuser/images"
#define DYNUSER_SOCKET "io.dynuser.DynamicUser"
#define DYNUSER_ALLOCATOR_SOCKET "io.dynuser.Allocator"
#define DYNUSER_SERVICE "io.dynuser.DynamicUser"

/* Environment variables. The last two are read by native code alone. */
#define DYNUSER_ENV_RUNTIME_DIRECTORY "DYNUSER_RUNTIME_DIRECTORY"
#define DYNUSER_ENV_BYPASS "DYNUSER_NSS_BYPASS"
#define DYNUSER_ENV_SOURCE "DYNUSER_NSS_SOURCE"

/* The records of a dynamic user. The locked password and shadow(5) are of native code alone. */
#define DYNUSER_PASSWORD "x"
#define DYNUSER_LOCKED_PASSWORD "!*"
#define DYNUSER_GECOS "Dynamic User"
#define DYNUSER_HOME "/"
#define DYNUSER_SHELL "/usr/sbin/nologin"

#define DYNUSER_SHADOW_EXPIRE 1

/* The number of no call, and the errno by which a service's filter answers it. */
#define DYNUSER_FILTER_PROBE 1073741822L
#define DYNUSER_FILTER_PROBE_ERRNO 71

/* What the daemon asks a launcher most often whether it is there. */
#define DYNUSER_USUAL_GLOBS "/run/systemd/journal/dev-log", "/proc/kcore"

#endif
