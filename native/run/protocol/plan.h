/*
 * Owns the C form of what the daemon answers: the plan, as io.dynuser.Allocator.varlink has it. All texts point into the
 * message that it was read from.
 */
#ifndef RUN_PLAN_H
#define RUN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "string_list.h"

/* More than the largest unit needs. Each slot is an open descriptor. */
#define STEPS_MAX 65536U
#define SLOTS_MAX 16384U
#define COMMANDS_MAX 1024U

enum step_verb { STEP_MAKE, STEP_PIN, STEP_MOUNT, STEP_COVER, STEP_ATTRIBUTES, STEP_PLACE, STEP_LINK, STEP_HIDE };
enum step_type { TYPE_NONE, TYPE_PROC, TYPE_SYSFS, TYPE_MQUEUE };
enum step_create { CREATE_NOTHING, CREATE_DIRECTORY, CREATE_FILE };

/* A set of them is the bits 1 << MOUNT_... */
enum mount_flag { MOUNT_READ_ONLY, MOUNT_NO_SUID, MOUNT_NO_DEVICES, MOUNT_NO_EXEC };

struct id_map {
	uint32_t disk_uid, disk_gid, uid, gid;
};

struct step {
	const char *path;
	const char *target;
	const char *part;
	struct strings options;
	uint64_t device, inode;
	struct id_map map;
	uint32_t slot, mode;
	unsigned int set, clear;
	enum step_verb verb;
	enum step_create create;
	enum step_type type;
	bool optional, straight, take_away, single;
	/* whether there was one */
	bool has_slot, has_mode, has_map, has_device, has_inode, has_options;
};

enum command_as { AS_USER, AS_ROOT, AS_OUTSIDE };

struct command {
	const char *path;
	struct strings arguments;
	enum command_as as;
	bool ignore_failure;
};

struct plan {
	uint32_t uid, gid, umask;
	const char *user_name;
	const char *root;
	const char *working_directory;
	struct strings groups;
	struct strings environment;
	struct strings unset_environment;
	struct strings pass_environment;
	struct step *steps;
	size_t step_count;
	/* count 0: the command of the command line */
	struct command *commands;
	size_t command_count;
	uint64_t bounding_set, ambient_set;
	bool dynamic, mount_namespace, private_users, private_network, private_ipc, no_new_privileges, restrict_suid_sgid, working_directory_optional,
		inherit_environment, account_environment;
};

#endif
