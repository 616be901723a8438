/* Generated from io.dynuser.Allocator.varlink by "npm run generate": change that, not this file. */
#ifndef RUN_LAUNCH_TABLES_H
#define RUN_LAUNCH_TABLES_H

/* The words of each enumeration, and its enumerators in the same order. */
#define LIFETIME_WORDS "connection", "process", "unit", "explicit"
#define LIFETIME_ENUM(prefix) prefix##CONNECTION, prefix##PROCESS, prefix##UNIT, prefix##EXPLICIT
#define HANDOVER_WORDS "none", "map", "chown"
#define HANDOVER_ENUM(prefix) prefix##NONE, prefix##MAP, prefix##CHOWN
#define DIRECTORY_KIND_WORDS "runtime", "state", "cache", "logs"
#define DIRECTORY_KIND_ENUM(prefix) prefix##RUNTIME, prefix##STATE, prefix##CACHE, prefix##LOGS
#define FILE_SYSTEM_TYPE_WORDS "proc", "sysfs", "mqueue"
#define FILE_SYSTEM_TYPE_ENUM(prefix) prefix##PROC, prefix##SYSFS, prefix##MQUEUE
#define MOUNT_FLAG_WORDS "readOnly", "noSuid", "noDevices", "noExec"
#define MOUNT_FLAG_ENUM(prefix) prefix##READ_ONLY, prefix##NO_SUID, prefix##NO_DEVICES, prefix##NO_EXEC
#define LAUNCH_QUESTION_KIND_WORDS "file", "directory", "glob"
#define LAUNCH_QUESTION_KIND_ENUM(prefix) prefix##FILE, prefix##DIRECTORY, prefix##GLOB
#define LAUNCH_COMMAND_AS_WORDS "user", "root", "outside"
#define LAUNCH_COMMAND_AS_ENUM(prefix) prefix##USER, prefix##ROOT, prefix##OUTSIDE
#define MOUNT_OP_KIND_WORDS "mkdir", "clone", "mount", "tmpfs", "remount", "attach", "symlink", "mask"
#define MOUNT_OP_KIND_ENUM(prefix) prefix##MKDIR, prefix##CLONE, prefix##MOUNT, prefix##TMPFS, prefix##REMOUNT, prefix##ATTACH, prefix##SYMLINK, prefix##MASK
#define MOUNT_OP_CREATE_WORDS "directory", "file"
#define MOUNT_OP_CREATE_ENUM(prefix) prefix##DIRECTORY, prefix##FILE

/*
 * The fields of each type: REQUIRED ones, OPTIONAL ones whose absence is a null pointer, false, the first word or no
 * flag, and MARKED ones, optional too, with a has_ field that says whether there was one.
 */
#define LAUNCH_QUESTION_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("kind", kind, WORD(launch_question_kind)) \
	REQUIRED("path", path, TEXT)

#define LAUNCH_PLAN_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("uid", uid, NUMBER) \
	REQUIRED("gid", gid, NUMBER) \
	REQUIRED("groups", groups, LIST(groups)) \
	OPTIONAL("root", root, TEXT) \
	REQUIRED("mountNamespace", mount_namespace, BOOLEAN) \
	REQUIRED("mountOps", mount_ops, LIST(mount_ops)) \
	REQUIRED("privateUsers", private_users, BOOLEAN) \
	REQUIRED("privateNetwork", private_network, BOOLEAN) \
	REQUIRED("privateIPC", private_ipc, BOOLEAN) \
	REQUIRED("noNewPrivileges", no_new_privileges, BOOLEAN) \
	REQUIRED("restrictSuidSgid", restrict_suid_sgid, BOOLEAN) \
	REQUIRED("boundingSet", bounding_set, MASK) \
	REQUIRED("ambientSet", ambient_set, MASK) \
	REQUIRED("umask", umask, NUMBER) \
	OPTIONAL("workingDirectory", working_directory, TEXT) \
	REQUIRED("workingDirectoryOptional", working_directory_optional, BOOLEAN) \
	REQUIRED("inheritEnvironment", inherit_environment, BOOLEAN) \
	REQUIRED("passEnvironment", pass_environment, TEXTS) \
	REQUIRED("environment", environment, TEXTS) \
	REQUIRED("unsetEnvironment", unset_environment, TEXTS) \
	OPTIONAL("commands", commands, LIST(commands))

#define LAUNCH_COMMAND_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("path", path, TEXT) \
	REQUIRED("arguments", arguments, TEXTS) \
	REQUIRED("as", as, WORD(launch_command_as)) \
	REQUIRED("ignoreFailure", ignore_failure, BOOLEAN)

#define MOUNT_OP_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("kind", kind, WORD(mount_op_kind)) \
	REQUIRED("path", path, TEXT) \
	MARKED("slot", slot, NUMBER) \
	OPTIONAL("optional", optional, BOOLEAN) \
	OPTIONAL("noSymlinks", no_symlinks, BOOLEAN) \
	MARKED("device", device, DECIMAL) \
	MARKED("inode", inode, DECIMAL) \
	OPTIONAL("detach", detach, BOOLEAN) \
	OPTIONAL("nonRecursive", non_recursive, BOOLEAN) \
	MARKED("idMap", map, OBJECT(id_map)) \
	OPTIONAL("set", set, FLAGS(mount_flag)) \
	OPTIONAL("clear", clear, FLAGS(mount_flag)) \
	MARKED("mode", mode, NUMBER) \
	MARKED("options", options, TEXTS) \
	OPTIONAL("scratch", scratch, TEXT) \
	OPTIONAL("type", type, WORD(file_system_type)) \
	OPTIONAL("create", create, WORD(mount_op_create)) \
	OPTIONAL("target", target, TEXT)

#define ID_MAP_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("diskUid", disk_uid, NUMBER) \
	REQUIRED("diskGid", disk_gid, NUMBER) \
	REQUIRED("uid", uid, NUMBER) \
	REQUIRED("gid", gid, NUMBER)

#endif
