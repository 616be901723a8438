/* See plan_reader.h. */
#include "plan_reader.h"

#include <limits.h>
#include <string.h>

#include "passing.h"

#define MODE_MAX 07777U
/* poll(2) counts milliseconds in an int. */
#define SECONDS_MAX ((uint32_t)INT_MAX / 1000U)

static JSON_READER(read_main_process_fields, main_process, MAIN_PROCESS_FIELDS, false);

/* 0 and negative numbers mean groups of processes to kill(2). */
static bool read_main_process(struct json_reader *reader, struct json_source *source, void *place)
{
	const struct main_process *main = place;

	return read_main_process_fields(reader, source, place) && main->pid > 0 && main->pid <= INT_MAX &&
	       (!main->has_seconds || main->seconds <= SECONDS_MAX);
}

static JSON_READER(read_id_map, id_map, ID_MAP_FIELDS, false);

static JSON_READER(read_mount_op_fields, mount_op, MOUNT_OP_FIELDS, false);

/* A single component. The launcher's own names begin with a dot. */
static bool is_scratch_name(const struct mount_op *op)
{
	return op->kind == OP_TMPFS && op->has_mode && op->scratch[0] != '\0' && op->scratch[0] != '.' &&
	       strchr(op->scratch, '/') == NULL;
}

/* Whether the op has all that its kind needs, and nothing that its kind ignores. */
static bool is_whole(const struct mount_op *op)
{
	bool is_pin = op->kind == OP_CLONE, is_mount = op->kind == OP_MOUNT;
	bool has_flags = op->set != 0 || op->clear != 0;

	if (op->path[0] != '/' || (op->has_mode && op->mode > MODE_MAX) || (op->set & op->clear) != 0)
		return false;
	if (op->has_slot != (is_pin || is_mount || op->kind == OP_ATTACH) || (op->has_slot && op->slot >= SLOTS_MAX))
		return false;
	if (!is_pin && (op->no_symlinks || op->detach || op->has_map || op->has_device || op->has_inode))
		return false;
	if (op->has_device != op->has_inode || (op->has_device && !op->no_symlinks))
		return false;
	if (op->non_recursive && !is_pin && op->kind != OP_REMOUNT)
		return false;
	if (has_flags && !is_pin && !is_mount && op->kind != OP_TMPFS && op->kind != OP_REMOUNT &&
	    op->kind != OP_APPEND)
		return false;
	if ((op->has_mode && op->kind != OP_MKDIR && op->kind != OP_TMPFS) ||
	    (op->has_options && !is_mount && op->kind != OP_TMPFS) ||
	    (op->create != CREATE_NOTHING && op->kind != OP_ATTACH && op->kind != OP_TMPFS &&
	     op->kind != OP_CREDENTIALS && op->kind != OP_APPEND) ||
	    (op->create == CREATE_FILE && op->kind != OP_ATTACH && op->kind != OP_APPEND) ||
	    (op->create == CREATE_DIRECTORY && op->kind == OP_APPEND))
		return false;
	if (op->scratch != NULL && !is_scratch_name(op))
		return false;
	/* A new file system has no flags to clear. */
	if ((op->type != TYPE_NONE) != is_mount || (is_mount && op->clear != 0))
		return false;
	if ((op->exempt.count > 0 && !is_mount) ||
	    (op->unless_mounted && op->kind != OP_ATTACH && op->kind != OP_TMPFS && op->kind != OP_APPEND))
		return false;
	if ((op->text != NULL) != (op->kind == OP_APPEND))
		return false;
	return (op->target != NULL) == (op->kind == OP_SYMLINK);
}

static bool read_mount_op(struct json_reader *reader, struct json_source *source, void *place)
{
	return read_mount_op_fields(reader, source, place) && is_whole(place);
}

static JSON_READER(read_command_fields, launch_command, LAUNCH_COMMAND_FIELDS, false);

static bool read_command(struct json_reader *reader, struct json_source *source, void *place)
{
	const struct launch_command *command = place;

	return read_command_fields(reader, source, place) && command->arguments.count > 0 && command->path[0] != '\0';
}

static JSON_READER(read_resource_limit_fields, resource_limit, RESOURCE_LIMIT_FIELDS, false);

static bool read_limit(struct json_reader *reader, struct json_source *source, void *place)
{
	const struct resource_limit *limit = place;

	return read_resource_limit_fields(reader, source, place) && limit->soft <= limit->hard;
}

static JSON_READER(read_stream_fields, stream, STREAM_FIELDS, false);

static bool read_stream(struct json_reader *reader, struct json_source *source, void *place)
{
	const struct stream *stream = place;
	enum stream_kind kind;

	if (!read_stream_fields(reader, source, place) || stream->number >= STREAMS_MAX)
		return false;
	kind = stream->kind;
	return (stream->path != NULL && stream->path[0] == '/') == (kind == STREAM_FILE || kind == STREAM_TERMINAL) &&
	       (stream->access != ACCESS_NONE) == (kind == STREAM_FILE) &&
	       (stream->data != NULL) == (kind == STREAM_DATA) && (stream->name != NULL) == (kind == STREAM_NAMED) &&
	       stream->has_priority == (kind == STREAM_JOURNAL) && stream->has_from == (kind == STREAM_COPY) &&
	       (!stream->has_from || stream->from < stream->number);
}

static JSON_READER(read_open_file_fields, open_file, OPEN_FILE_FIELDS, false);

static bool read_open_file(struct json_reader *reader, struct json_source *source, void *place)
{
	const struct open_file *file = place;

	/* A colon is between names (sd_listen_fds_with_names(3)). */
	return read_open_file_fields(reader, source, place) && file->path[0] == '/' && strchr(file->name, ':') == NULL;
}

static JSON_READER(read_credential_fields, credential, CREDENTIAL_FIELDS, false);

/* A name becomes that of a file. */
static bool is_file_name(const char *name)
{
	return name[0] != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static bool read_credential(struct json_reader *reader, struct json_source *source, void *place)
{
	const struct credential *credential = place;
	bool is_stored;

	if (!read_credential_fields(reader, source, place))
		return false;
	is_stored = credential->kind == CREDENTIAL_STORED || credential->kind == CREDENTIAL_IMPORT;
	return (is_file_name(credential->name) || (credential->prefix && strchr(credential->name, '/') == NULL)) &&
	       (credential->path != NULL && credential->path[0] == '/') == (credential->kind == CREDENTIAL_LOAD) &&
	       (credential->data != NULL) == (credential->kind == CREDENTIAL_SET) &&
	       (credential->stores.count > 0) == is_stored &&
	       (!credential->prefix || credential->kind == CREDENTIAL_IMPORT) &&
	       (credential->as == NULL || (is_stored && strchr(credential->as, '/') == NULL));
}

static JSON_READER(read_image_part_fields, image_part, IMAGE_PART_FIELDS, false);

static bool read_image_part(struct json_reader *reader, struct json_source *source, void *place)
{
	const struct image_part *part = place;

	return read_image_part_fields(reader, source, place) && part->directory[0] == '/';
}

static const struct json_list parts_list = { 1, IMAGE_PARTS_MAX, .read = read_image_part };

static JSON_READER(read_image_fields, image, IMAGE_FIELDS, false);

bool read_image(struct json_reader *reader, struct json_source *source, void *place)
{
	const struct image *image = place;

	return read_image_fields(reader, source, place) && image->path[0] == '/';
}

static JSON_READER(read_overlay_fields, overlay, OVERLAY_FIELDS, false);

static bool read_overlay(struct json_reader *reader, struct json_source *source, void *place)
{
	const struct overlay *overlay = place;

	return read_overlay_fields(reader, source, place) && overlay->path[0] == '/' && overlay->layers.count > 0;
}

static JSON_READER(read_terminal, terminal, TERMINAL_FIELDS, false);

static JSON_READER(read_access_rule_fields, access_rule, ACCESS_RULE_FIELDS, false);

static bool read_access_rule(struct json_reader *reader, struct json_source *source, void *place)
{
	const struct access_rule *rule = place;

	return read_access_rule_fields(reader, source, place) && rule->path[0] == '/' && rule->rights != 0 &&
	       rule->has_device == rule->has_inode;
}

/* Without rules everything is allowed: an empty list must not mean that. */
static const struct json_list access_rules_list = { 1, ACCESS_RULES_MAX, .read = read_access_rule };
static const struct json_list limits_list = { 0, RESOURCE_LIMITS, .read = read_limit };
static const struct json_list cpu_affinity_list = { 1, CPUS_MAX, .last = CPUS_MAX - 1 };
static const struct json_list numa_nodes_list = { 0, NUMA_NODES_MAX, .last = NUMA_NODES_MAX - 1 };
static const struct json_list groups_list = { 0, GROUPS_MAX, .last = UINT32_MAX };
static const struct json_list mount_ops_list = { 0, MOUNT_OPS_MAX, .read = read_mount_op };
static const struct json_list open_files_list = { 0, OPEN_FILES_MAX, .read = read_open_file };
static const struct json_list credentials_list = { 1, CREDENTIALS_MAX, .read = read_credential };
static const struct json_list images_list = { 1, PASSING_IMAGES_MAX, .read = read_image };
static const struct json_list overlays_list = { 1, OVERLAYS_MAX, .read = read_overlay };
static const struct json_list streams_list = { 0, STREAMS_MAX, .read = read_stream };
/* An empty list must not mean the command of the command line. */
static const struct json_list commands_list = { 1, COMMANDS_MAX, .read = read_command };

JSON_READER(read_plan, plan, LAUNCH_PLAN_FIELDS, false);
