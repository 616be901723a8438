/* See mount_op_reader.h. */
#include "mount_op_reader.h"

#include <string.h>

#define MODE_MAX 07777U

/* In the order of their enumerations. */
static const char *const mount_op_kind_words[] = { MOUNT_OP_KIND_WORDS, NULL };
static const char *const mount_flag_words[] = { MOUNT_FLAG_WORDS, NULL };
static const char *const file_system_type_words[] = { "", FILE_SYSTEM_TYPE_WORDS, NULL };
static const char *const mount_op_create_words[] = { "", MOUNT_OP_CREATE_WORDS, NULL };

struct flags {
	const struct json_source *source;
	unsigned int *set;
};

static bool read_flag(struct json_reader *reader, void *context)
{
	const struct flags *flags = context;
	char *text;
	int flag = json_field_text(reader, flags->source, &text) ? json_field_word(mount_flag_words, text) : -1;

	if (flag >= 0)
		*flags->set |= 1U << flag;
	return flag >= 0;
}

static bool read_mount_flags(struct json_reader *reader, struct json_source *source, const struct json_field *member, void *place)
{
	struct flags flags = { .source = source, .set = place };

	(void)member;
	return json_array(reader, read_flag, &flags);
}

#define MAP_ROW(...) FIELD_ROW(id_map, __VA_ARGS__),
static const struct json_field map_rows[] = { ID_MAP_FIELDS(MAP_ROW, , ) };

static bool read_id_map(struct json_reader *reader, struct json_source *source, const struct json_field *member, void *place)
{
	static const struct json_fields members = { map_rows, sizeof(map_rows) / sizeof(map_rows[0]), false };

	(void)member;
	return json_fields_read(reader, source, &members, place);
}

#define OP_ROW(...) FIELD_ROW(mount_op, __VA_ARGS__),
#define OP_OPTIONAL_ROW(...) FIELD_OPTIONAL_ROW(mount_op, __VA_ARGS__),
#define OP_MARKED_ROW(...) FIELD_MARKED_ROW(mount_op, __VA_ARGS__),
static const struct json_field mount_op_rows[] = { MOUNT_OP_FIELDS(OP_ROW, OP_OPTIONAL_ROW, OP_MARKED_ROW) };

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
	if (has_flags && !is_pin && !is_mount && op->kind != OP_TMPFS && op->kind != OP_REMOUNT)
		return false;
	if ((op->has_mode && op->kind != OP_MKDIR && op->kind != OP_TMPFS) ||
	    (op->has_options && !is_mount && op->kind != OP_TMPFS) ||
	    (op->create != CREATE_NOTHING && op->kind != OP_ATTACH && op->kind != OP_TMPFS) ||
	    (op->create == CREATE_FILE && op->kind == OP_TMPFS))
		return false;
	if (op->scratch != NULL && !is_scratch_name(op))
		return false;
	/* A new file system has no flags to clear. */
	if ((op->type != TYPE_NONE) != is_mount || (is_mount && op->clear != 0))
		return false;
	return (op->target != NULL) == (op->kind == OP_SYMLINK);
}

bool mount_op_read(struct json_reader *reader, struct json_source *source, struct mount_op *op)
{
	static const struct json_fields members = { mount_op_rows, sizeof(mount_op_rows) / sizeof(mount_op_rows[0]), false };

	return json_fields_read(reader, source, &members, op) && is_whole(op);
}
