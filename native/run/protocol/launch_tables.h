/* Generated from io.dynuser.Allocator.varlink by "npm run generate": change that, not this file. */
/* clang-format off */
#ifndef RUN_LAUNCH_TABLES_H
#define RUN_LAUNCH_TABLES_H

/* The words of each enumeration, each ended by a NUL, and its enumerators in the same order. */
#define lifetime_words "connection\0" "process\0" "unit\0" "timed\0" "running\0" "explicit\0"
#define LIFETIME_ENUM(prefix) prefix##CONNECTION, prefix##PROCESS, prefix##UNIT, prefix##TIMED, prefix##RUNNING, prefix##EXPLICIT
#define handover_words "none\0" "map\0" "chown\0"
#define HANDOVER_ENUM(prefix) prefix##NONE, prefix##MAP, prefix##CHOWN
#define directory_kind_words "runtime\0" "state\0" "cache\0" "logs\0"
#define DIRECTORY_KIND_ENUM(prefix) prefix##RUNTIME, prefix##STATE, prefix##CACHE, prefix##LOGS
#define file_system_type_words "proc\0" "sysfs\0" "mqueue\0" "cgroup2\0" "tmpfs\0"
#define FILE_SYSTEM_TYPE_ENUM(prefix) prefix##PROC, prefix##SYSFS, prefix##MQUEUE, prefix##CGROUP2, prefix##TMPFS
#define mount_flag_words "readOnly\0" "noSuid\0" "noDevices\0" "noExec\0" "noAtime\0" "strictAtime\0" "noDiratime\0"
#define MOUNT_FLAG_ENUM(prefix) prefix##READ_ONLY, prefix##NO_SUID, prefix##NO_DEVICES, prefix##NO_EXEC, prefix##NO_ATIME, prefix##STRICT_ATIME, prefix##NO_DIRATIME
#define access_right_words "read\0" "write\0"
#define ACCESS_RIGHT_ENUM(prefix) prefix##READ, prefix##WRITE
#define launch_phase_words "startPost\0" "reload\0" "stop\0" "stopPost\0"
#define LAUNCH_PHASE_ENUM(prefix) prefix##START_POST, prefix##RELOAD, prefix##STOP, prefix##STOP_POST
#define launch_question_kind_words "file\0" "directory\0" "glob\0" "path\0" "devices\0" "program\0" "real\0" "image\0"
#define LAUNCH_QUESTION_KIND_ENUM(prefix) prefix##FILE, prefix##DIRECTORY, prefix##GLOB, prefix##PATH, prefix##DEVICES, prefix##PROGRAM, prefix##REAL, prefix##IMAGE
#define resource_limit_resource_words "cpu\0" "fsize\0" "data\0" "stack\0" "core\0" "rss\0" "nofile\0" "as\0" "nproc\0" "memlock\0" "locks\0" "sigpending\0" "msgqueue\0" "nice\0" "rtprio\0" "rttime\0"
#define RESOURCE_LIMIT_RESOURCE_ENUM(prefix) prefix##CPU, prefix##FSIZE, prefix##DATA, prefix##STACK, prefix##CORE, prefix##RSS, prefix##NOFILE, prefix##AS, prefix##NPROC, prefix##MEMLOCK, prefix##LOCKS, prefix##SIGPENDING, prefix##MSGQUEUE, prefix##NICE, prefix##RTPRIO, prefix##RTTIME
#define launch_plan_propagation_words "shared\0" "slave\0" "private\0"
#define LAUNCH_PLAN_PROPAGATION_ENUM(prefix) prefix##SHARED, prefix##SLAVE, prefix##PRIVATE
#define launch_plan_private_users_words "self\0" "identity\0" "full\0"
#define LAUNCH_PLAN_PRIVATE_USERS_ENUM(prefix) prefix##SELF, prefix##IDENTITY, prefix##FULL
#define launch_plan_keyring_words "inherit\0" "shared\0"
#define LAUNCH_PLAN_KEYRING_ENUM(prefix) prefix##INHERIT, prefix##SHARED
#define launch_plan_cpu_policy_words "other\0" "batch\0" "idle\0" "fifo\0" "rr\0"
#define LAUNCH_PLAN_CPU_POLICY_ENUM(prefix) prefix##OTHER, prefix##BATCH, prefix##IDLE, prefix##FIFO, prefix##RR
#define launch_plan_io_class_words "realtime\0" "bestEffort\0" "idle\0"
#define LAUNCH_PLAN_IO_CLASS_ENUM(prefix) prefix##REALTIME, prefix##BEST_EFFORT, prefix##IDLE
#define launch_plan_numa_policy_words "default\0" "preferred\0" "bind\0" "interleave\0" "local\0"
#define LAUNCH_PLAN_NUMA_POLICY_ENUM(prefix) prefix##DEFAULT, prefix##PREFERRED, prefix##BIND, prefix##INTERLEAVE, prefix##LOCAL
#define launch_plan_personality_words "x86\0" "x86_64\0" "arm\0" "arm64\0"
#define LAUNCH_PLAN_PERSONALITY_ENUM(prefix) prefix##X86, prefix##X86_64, prefix##ARM, prefix##ARM64
#define launch_plan_memory_merge_words "off\0" "on\0"
#define LAUNCH_PLAN_MEMORY_MERGE_ENUM(prefix) prefix##OFF, prefix##ON
#define launch_command_as_words "user\0" "root\0" "outside\0"
#define LAUNCH_COMMAND_AS_ENUM(prefix) prefix##USER, prefix##ROOT, prefix##OUTSIDE
#define stream_kind_words "null\0" "file\0" "data\0" "terminal\0" "socket\0" "named\0" "journal\0" "copy\0"
#define STREAM_KIND_ENUM(prefix) prefix##NULL, prefix##FILE, prefix##DATA, prefix##TERMINAL, prefix##SOCKET, prefix##NAMED, prefix##JOURNAL, prefix##COPY
#define stream_access_words "read\0" "write\0" "both\0"
#define STREAM_ACCESS_ENUM(prefix) prefix##READ, prefix##WRITE, prefix##BOTH
#define stream_control_words "wait\0" "force\0" "fail\0"
#define STREAM_CONTROL_ENUM(prefix) prefix##WAIT, prefix##FORCE, prefix##FAIL
#define credential_kind_words "load\0" "stored\0" "import\0" "set\0"
#define CREDENTIAL_KIND_ENUM(prefix) prefix##LOAD, prefix##STORED, prefix##IMPORT, prefix##SET
#define open_file_access_words "read\0" "both\0"
#define OPEN_FILE_ACCESS_ENUM(prefix) prefix##READ, prefix##BOTH
#define mount_op_kind_words "mkdir\0" "clone\0" "mount\0" "tmpfs\0" "remount\0" "attach\0" "symlink\0" "mask\0" "credentials\0" "append\0"
#define MOUNT_OP_KIND_ENUM(prefix) prefix##MKDIR, prefix##CLONE, prefix##MOUNT, prefix##TMPFS, prefix##REMOUNT, prefix##ATTACH, prefix##SYMLINK, prefix##MASK, prefix##CREDENTIALS, prefix##APPEND
#define mount_op_create_words "directory\0" "file\0"
#define MOUNT_OP_CREATE_ENUM(prefix) prefix##DIRECTORY, prefix##FILE

/*
 * The fields of each type: REQUIRED ones, OPTIONAL ones whose absence is a null pointer, false, the first word or no
 * flag, and MARKED ones, optional too, with a has_ field that says whether there was one.
 */
#define LAUNCH_QUESTION_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("kind", kind, WORD(launch_question_kind)) \
	REQUIRED("path", path, TEXT) \
	OPTIONAL("root", root, TEXT) \
	OPTIONAL("writable", writable, BOOLEAN) \
	OPTIONAL("look", look, BOOLEAN) \
	MARKED("inside", inside, OBJECT(image))

#define RESOURCE_LIMIT_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("resource", resource, WORD(resource_limit_resource)) \
	REQUIRED("soft", soft, DECIMAL) \
	REQUIRED("hard", hard, DECIMAL)

#define LAUNCH_PLAN_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("uid", uid, NUMBER) \
	REQUIRED("gid", gid, NUMBER) \
	REQUIRED("groups", groups, LIST(groups, uint32_t)) \
	OPTIONAL("root", root, TEXT) \
	REQUIRED("mountNamespace", mount_namespace, BOOLEAN) \
	OPTIONAL("images", images, LIST(images, struct image)) \
	OPTIONAL("overlays", overlays, LIST(overlays, struct overlay)) \
	REQUIRED("mountOps", mount_ops, LIST(mount_ops, struct mount_op)) \
	OPTIONAL("accessRules", access_rules, LIST(access_rules, struct access_rule)) \
	MARKED("unreadable", unreadable, TEXTS) \
	MARKED("unwritable", unwritable, TEXTS) \
	OPTIONAL("propagation", propagation, WORD(launch_plan_propagation)) \
	OPTIONAL("privateUsers", private_users, WORD(launch_plan_private_users)) \
	REQUIRED("privateNetwork", private_network, BOOLEAN) \
	OPTIONAL("loopbackDown", loopback_down, BOOLEAN) \
	OPTIONAL("networkNamespace", network_namespace, TEXT) \
	REQUIRED("privateIPC", private_ipc, BOOLEAN) \
	OPTIONAL("ipcNamespace", ipc_namespace, TEXT) \
	REQUIRED("privateHostName", private_host_name, BOOLEAN) \
	OPTIONAL("hostName", host_name, TEXT) \
	REQUIRED("privateControlGroups", private_control_groups, BOOLEAN) \
	REQUIRED("noNewPrivileges", no_new_privileges, BOOLEAN) \
	OPTIONAL("keyring", keyring, WORD(launch_plan_keyring)) \
	MARKED("secureBits", secure_bits, NUMBER) \
	OPTIONAL("selinuxContext", selinux_context, TEXT) \
	OPTIONAL("apparmorProfile", apparmor_profile, TEXT) \
	OPTIONAL("smackLabel", smack_label, TEXT) \
	OPTIONAL("filter", filter, TEXT) \
	REQUIRED("filterIsForTerminal", filter_is_for_terminal, BOOLEAN) \
	REQUIRED("memoryDenyWriteExecute", memory_deny_write_execute, BOOLEAN) \
	REQUIRED("ignoreSigpipe", ignore_sigpipe, BOOLEAN) \
	OPTIONAL("limits", limits, LIST(limits, struct resource_limit)) \
	MARKED("priority", priority, NUMBER) \
	OPTIONAL("oomScoreAdjust", oom_score_adjust, TEXT) \
	OPTIONAL("cpuPolicy", cpu_policy, WORD(launch_plan_cpu_policy)) \
	MARKED("cpuPriority", cpu_priority, NUMBER) \
	OPTIONAL("cpuResetOnFork", cpu_reset_on_fork, BOOLEAN) \
	OPTIONAL("cpuAffinity", cpu_affinity, LIST(cpu_affinity, uint32_t)) \
	OPTIONAL("ioClass", io_class, WORD(launch_plan_io_class)) \
	MARKED("ioLevel", io_level, NUMBER) \
	OPTIONAL("numaPolicy", numa_policy, WORD(launch_plan_numa_policy)) \
	OPTIONAL("numaNodes", numa_nodes, LIST(numa_nodes, uint32_t)) \
	MARKED("timerSlack", timer_slack, DECIMAL) \
	MARKED("coredumpFilter", coredump_filter, MASK) \
	OPTIONAL("personality", personality, WORD(launch_plan_personality)) \
	OPTIONAL("memoryMerge", memory_merge, WORD(launch_plan_memory_merge)) \
	REQUIRED("boundingSet", bounding_set, MASK) \
	REQUIRED("ambientSet", ambient_set, MASK) \
	REQUIRED("umask", umask, NUMBER) \
	OPTIONAL("streams", streams, LIST(streams, struct stream)) \
	MARKED("terminal", terminal, OBJECT(terminal)) \
	OPTIONAL("credentials", credentials, LIST(credentials, struct credential)) \
	OPTIONAL("openFiles", open_files, LIST(open_files, struct open_file)) \
	OPTIONAL("unit", unit, TEXT) \
	OPTIONAL("workingDirectory", working_directory, TEXT) \
	REQUIRED("workingDirectoryOptional", working_directory_optional, BOOLEAN) \
	REQUIRED("inheritEnvironment", inherit_environment, BOOLEAN) \
	REQUIRED("passEnvironment", pass_environment, TEXTS) \
	REQUIRED("environment", environment, TEXTS) \
	REQUIRED("unsetEnvironment", unset_environment, TEXTS) \
	OPTIONAL("commands", commands, LIST(commands, struct launch_command)) \
	OPTIONAL("waitsForLast", waits_for_last, BOOLEAN) \
	OPTIONAL("phase", phase, WORD(launch_phase)) \
	MARKED("main", main, OBJECT(main_process))

#define ACCESS_RULE_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("path", path, TEXT) \
	REQUIRED("rights", rights, FLAGS(access_right)) \
	MARKED("device", device, DECIMAL) \
	MARKED("inode", inode, DECIMAL)

#define LAUNCH_COMMAND_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("path", path, TEXT) \
	REQUIRED("arguments", arguments, TEXTS) \
	REQUIRED("as", as, WORD(launch_command_as)) \
	REQUIRED("ignoreFailure", ignore_failure, BOOLEAN) \
	OPTIONAL("condition", condition, BOOLEAN)

#define STREAM_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("number", number, NUMBER) \
	REQUIRED("kind", kind, WORD(stream_kind)) \
	OPTIONAL("path", path, TEXT) \
	OPTIONAL("access", access, WORD(stream_access)) \
	OPTIONAL("append", append, BOOLEAN) \
	OPTIONAL("truncate", truncate, BOOLEAN) \
	OPTIONAL("data", data, TEXT) \
	OPTIONAL("control", control, WORD(stream_control)) \
	OPTIONAL("name", name, TEXT) \
	OPTIONAL("identifier", identifier, TEXT) \
	MARKED("priority", priority, NUMBER) \
	OPTIONAL("levelPrefix", level_prefix, BOOLEAN) \
	OPTIONAL("toKernel", to_kernel, BOOLEAN) \
	OPTIONAL("toConsole", to_console, BOOLEAN) \
	MARKED("from", from, NUMBER)

#define TERMINAL_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("path", path, TEXT) \
	REQUIRED("hangup", hangup, BOOLEAN) \
	REQUIRED("reset", reset, BOOLEAN) \
	REQUIRED("clear", clear, BOOLEAN) \
	MARKED("rows", rows, NUMBER) \
	MARKED("columns", columns, NUMBER)

#define CREDENTIAL_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("kind", kind, WORD(credential_kind)) \
	REQUIRED("name", name, TEXT) \
	OPTIONAL("path", path, TEXT) \
	MARKED("stores", stores, TEXTS) \
	OPTIONAL("prefix", prefix, BOOLEAN) \
	OPTIONAL("as", as, TEXT) \
	OPTIONAL("data", data, TEXT) \
	OPTIONAL("encrypted", encrypted, BOOLEAN) \
	OPTIONAL("optional", optional, BOOLEAN)

#define OPEN_FILE_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("path", path, TEXT) \
	REQUIRED("name", name, TEXT) \
	REQUIRED("access", access, WORD(open_file_access)) \
	REQUIRED("append", append, BOOLEAN) \
	REQUIRED("truncate", truncate, BOOLEAN) \
	REQUIRED("optional", optional, BOOLEAN)

#define MOUNT_OP_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("kind", kind, WORD(mount_op_kind)) \
	REQUIRED("path", path, TEXT) \
	MARKED("slot", slot, NUMBER) \
	OPTIONAL("optional", optional, BOOLEAN) \
	OPTIONAL("noSymlinks", no_symlinks, BOOLEAN) \
	MARKED("device", device, DECIMAL) \
	MARKED("inode", inode, DECIMAL) \
	OPTIONAL("detach", detach, BOOLEAN) \
	MARKED("node", node, NUMBER) \
	OPTIONAL("nonRecursive", non_recursive, BOOLEAN) \
	MARKED("idMap", map, OBJECT(id_map)) \
	OPTIONAL("set", set, FLAGS(mount_flag)) \
	OPTIONAL("clear", clear, FLAGS(mount_flag)) \
	MARKED("mode", mode, NUMBER) \
	MARKED("options", options, TEXTS) \
	OPTIONAL("scratch", scratch, TEXT) \
	OPTIONAL("type", type, WORD(file_system_type)) \
	MARKED("exempt", exempt, TEXTS) \
	OPTIONAL("unlessMounted", unless_mounted, BOOLEAN) \
	OPTIONAL("create", create, WORD(mount_op_create)) \
	OPTIONAL("target", target, TEXT) \
	OPTIONAL("text", text, TEXT)

#define ID_MAP_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("diskUid", disk_uid, NUMBER) \
	REQUIRED("diskGid", disk_gid, NUMBER) \
	REQUIRED("uid", uid, NUMBER) \
	REQUIRED("gid", gid, NUMBER)

#define MAIN_PROCESS_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("pid", pid, NUMBER) \
	MARKED("inode", inode, DECIMAL) \
	MARKED("reloadSignal", reload_signal, NUMBER) \
	MARKED("stopSignal", stop_signal, NUMBER) \
	OPTIONAL("hangup", hangup, BOOLEAN) \
	MARKED("seconds", seconds, NUMBER) \
	MARKED("finalSignal", final_signal, NUMBER)

#define IMAGE_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("path", path, TEXT) \
	OPTIONAL("writable", writable, BOOLEAN) \
	REQUIRED("parts", parts, LIST(parts, struct image_part))

#define IMAGE_PART_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("offset", offset, DECIMAL) \
	REQUIRED("size", size, DECIMAL) \
	REQUIRED("type", type, TEXT) \
	REQUIRED("options", options, TEXTS) \
	REQUIRED("directory", directory, TEXT) \
	OPTIONAL("set", set, FLAGS(mount_flag)) \
	OPTIONAL("clear", clear, FLAGS(mount_flag))

#define OVERLAY_FIELDS(REQUIRED, OPTIONAL, MARKED) \
	REQUIRED("path", path, TEXT) \
	REQUIRED("layers", layers, TEXTS) \
	OPTIONAL("writable", writable, BOOLEAN) \
	OPTIONAL("set", set, FLAGS(mount_flag))

#endif
