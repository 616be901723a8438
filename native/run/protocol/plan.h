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
#define COMMANDS_MAX 2048U
/* As many processors and NUMA nodes as systemd takes: their numbers are less than that. */
#define CPUS_MAX 8192U
#define NUMA_NODES_MAX 1024U
/* NGROUPS_MAX of Linux since 2.6.4 (setgroups(2)). */
#define GROUPS_MAX 65536U

enum mount_op_kind { MOUNT_OP_KIND_ENUM(OP_) };
enum file_system_type { TYPE_NONE, FILE_SYSTEM_TYPE_ENUM(TYPE_) };
enum mount_op_create { CREATE_NOTHING, MOUNT_OP_CREATE_ENUM(CREATE_) };

enum mount_flag { MOUNT_FLAG_ENUM(MOUNT_) };

enum resource_limit_resource { RESOURCE_LIMIT_RESOURCE_ENUM(LIMIT_) };
/* How many resources setrlimit(2) bounds. */
#define RESOURCE_LIMITS (LIMIT_RTTIME + 1U)
enum launch_plan_cpu_policy { CPU_NONE, LAUNCH_PLAN_CPU_POLICY_ENUM(CPU_) };
enum launch_plan_io_class { IO_ABSENT, LAUNCH_PLAN_IO_CLASS_ENUM(IO_) };
enum launch_plan_numa_policy { NUMA_NONE, LAUNCH_PLAN_NUMA_POLICY_ENUM(NUMA_) };
enum launch_plan_personality { PERSONALITY_NONE, LAUNCH_PLAN_PERSONALITY_ENUM(PERSONALITY_) };
enum launch_plan_memory_merge { MERGE_NONE, LAUNCH_PLAN_MEMORY_MERGE_ENUM(MERGE_) };

enum launch_plan_keyring { KEYRING_NEW, LAUNCH_PLAN_KEYRING_ENUM(KEYRING_) };
enum open_file_access { OPEN_FILE_ACCESS_ENUM(OPEN_) };
/* Files that a service is passed open. */
#define OPEN_FILES_MAX 256U
enum credential_kind { CREDENTIAL_KIND_ENUM(CREDENTIAL_) };
/* As many as a list of a unit file has entries, three times. */
#define CREDENTIALS_MAX 3072U
enum stream_kind { STREAM_KIND_ENUM(STREAM_) };
enum stream_access { ACCESS_NONE, STREAM_ACCESS_ENUM(ACCESS_) };
enum stream_control { CONTROL_NONE, STREAM_CONTROL_ENUM(CONTROL_) };
/* Standard input, output and error. */
#define STREAMS_MAX 3U
/* The file systems of an image, and the overlays of a launch. */
#define IMAGE_PARTS_MAX 16U
#define OVERLAYS_MAX 16U
enum launch_phase { PHASE_NONE, LAUNCH_PHASE_ENUM(PHASE_) };
enum launch_plan_propagation { PROPAGATION_NONE, LAUNCH_PLAN_PROPAGATION_ENUM(PROPAGATION_) };
enum launch_plan_private_users { USERS_ALL, LAUNCH_PLAN_PRIVATE_USERS_ENUM(USERS_) };

/* As many as the names of directories that are asked about, and the paths of properties. */
#define ACCESS_RULES_MAX 8192U
enum access_right { ACCESS_RIGHT_ENUM(MAY_) };

enum launch_command_as { LAUNCH_COMMAND_AS_ENUM(AS_) };

/* The members of a structure, of the generated table of its fields: a new field of the interface needs no other line here. */
#define MEMBER(text, field, type) MEMBER_##type field;
#define MARKED_MEMBER(text, field, type) \
	bool has_##field; \
	MEMBER_##type field;
#define MEMBER_NUMBER uint32_t
#define MEMBER_TEXT const char *
#define MEMBER_TEXTS struct strings
#define MEMBER_BOOLEAN bool
#define MEMBER_DECIMAL uint64_t
#define MEMBER_MASK uint64_t
#define MEMBER_WORD(enumeration) enum enumeration
/* Of an enumeration, the bits 1 << its words. */
#define MEMBER_FLAGS(enumeration) unsigned int
#define MEMBER_OBJECT(structure) struct structure
/* In this order: see json_fields.h. */
#define MEMBER_LIST(field, item) \
	size_t field##_count; \
	item *

/* A structure is its table, and nothing else. */
#define STRUCTURE(name, TABLE) \
	struct name { \
		TABLE##_FIELDS(MEMBER, MEMBER, MARKED_MEMBER) \
	};
STRUCTURE(image_part, IMAGE_PART)
STRUCTURE(image, IMAGE)
STRUCTURE(overlay, OVERLAY)
STRUCTURE(resource_limit, RESOURCE_LIMIT)
STRUCTURE(id_map, ID_MAP)
STRUCTURE(mount_op, MOUNT_OP)
STRUCTURE(access_rule, ACCESS_RULE)
STRUCTURE(launch_command, LAUNCH_COMMAND)
STRUCTURE(stream, STREAM)
STRUCTURE(terminal, TERMINAL)
STRUCTURE(main_process, MAIN_PROCESS)
STRUCTURE(open_file, OPEN_FILE)
STRUCTURE(credential, CREDENTIAL)
/* The groups ascend, each once. No commands: that of the command line. */
STRUCTURE(plan, LAUNCH_PLAN)

#endif
