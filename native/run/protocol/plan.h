/*
 * The plan that the daemon answers with; io.dynuser.Allocator.varlink says what each field means. All texts point into the message
 * that it was read from.
 */
#ifndef RUN_PLAN_H
#define RUN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "launch_tables.h"
#include "string_list.h"

/* More than the largest unit needs. Each filled slot is an open descriptor. */
#define MOUNT_OPS_MAX 65536U
#define SLOTS_MAX 16384U
#define COMMANDS_MAX 1024U
/* NGROUPS_MAX of Linux since 2.6.4 (setgroups(2)). */
#define GROUPS_MAX 65536U

enum mount_op_kind { MOUNT_OP_KIND_ENUM(OP_) };
enum file_system_type { TYPE_NONE, FILE_SYSTEM_TYPE_ENUM(TYPE_) };
enum mount_op_create { CREATE_NOTHING, MOUNT_OP_CREATE_ENUM(CREATE_) };

/* A set of them is the bits 1 << MOUNT_... */
enum mount_flag { MOUNT_FLAG_ENUM(MOUNT_) };

struct id_map {
	uint32_t disk_uid, disk_gid, uid, gid;
};

struct mount_op {
	const char *path;
	const char *target;
	const char *scratch;
	struct strings options;
	uint64_t device, inode;
	struct id_map map;
	uint32_t slot, mode;
	unsigned int set, clear;
	enum mount_op_kind kind;
	enum mount_op_create create;
	enum file_system_type type;
	bool optional, no_symlinks, detach, non_recursive;
	/* whether the field is present */
	bool has_slot, has_mode, has_map, has_device, has_inode, has_options;
};

enum command_as { LAUNCH_COMMAND_AS_ENUM(AS_) };

struct command {
	const char *path;
	struct strings arguments;
	enum command_as as;
	bool ignore_failure;
};

struct plan {
	uint32_t uid, gid, umask;
	const char *root;
	const char *working_directory;
	/* ascending, each once */
	uint32_t *groups;
	size_t group_count;
	struct strings environment;
	struct strings unset_environment;
	struct strings pass_environment;
	struct mount_op *mount_ops;
	size_t mount_op_count;
	/* count 0: the command of the command line */
	struct command *commands;
	size_t command_count;
	uint64_t bounding_set, ambient_set;
	bool mount_namespace, private_users, private_network, private_ipc, no_new_privileges, restrict_suid_sgid, working_directory_optional,
		inherit_environment;
};

#endif
