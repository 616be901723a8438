/* The tables of a step's members; see mount_op_reader.h. */
#include "mount_op_reader.h"

#include <string.h>

#define AT(structure, field) .offset = offsetof(struct structure, field)
#define SEEN(field) .seen = offsetof(struct step, field) + 1
#define MODE_MAX 07777U

/* In the order of their enumerations. */
static const char *const verb_words[] = { "make", "pin", "mount", "cover", "attributes", "place", "link", "hide", NULL };
static const char *const flag_words[] = { "readOnly", "noSuid", "noDevices", "noExec", NULL };
static const char *const type_words[] = { "", "proc", "sysfs", "mqueue", NULL };
static const char *const create_words[] = { "", "directory", "file", NULL };

struct flags {
	const struct reading *reading;
	unsigned int *set;
};

static bool read_flag(struct json_reader *reader, void *context)
{
	const struct flags *flags = context;
	char *text;
	int flag = members_text(reader, flags->reading, &text) ? members_word(flag_words, text) : -1;

	if (flag >= 0)
		*flags->set |= 1U << flag;
	return flag >= 0;
}

static bool read_flags(struct json_reader *reader, struct reading *reading, const struct member *member, void *place)
{
	struct flags flags = { .reading = reading, .set = place };

	(void)member;
	return json_array(reader, read_flag, &flags);
}

static const struct member map_rows[] = {
	{ "diskUid", MEMBER_NUMBER, AT(id_map, disk_uid) },
	{ "diskGid", MEMBER_NUMBER, AT(id_map, disk_gid) },
	{ "uid", MEMBER_NUMBER, AT(id_map, uid) },
	{ "gid", MEMBER_NUMBER, AT(id_map, gid) },
};

static bool read_map(struct json_reader *reader, struct reading *reading, const struct member *member, void *place)
{
	static const struct members members = { map_rows, sizeof(map_rows) / sizeof(map_rows[0]), false };

	(void)member;
	return members_read(reader, reading, &members, place);
}

static const struct member step_rows[] = {
	{ "do", MEMBER_WORD, AT(step, verb), .words = verb_words },
	{ "path", MEMBER_TEXT, AT(step, path) },
	{ "slot", MEMBER_NUMBER, true, AT(step, slot), SEEN(has_slot) },
	{ "optional", MEMBER_BOOLEAN, true, AT(step, optional) },
	{ "straight", MEMBER_BOOLEAN, true, AT(step, straight) },
	{ "device", MEMBER_DECIMAL, true, AT(step, device), SEEN(has_device) },
	{ "inode", MEMBER_DECIMAL, true, AT(step, inode), SEEN(has_inode) },
	{ "takeAway", MEMBER_BOOLEAN, true, AT(step, take_away) },
	{ "single", MEMBER_BOOLEAN, true, AT(step, single) },
	{ "idMap", MEMBER_CUSTOM, true, AT(step, map), SEEN(has_map), .read = read_map },
	{ "set", MEMBER_CUSTOM, true, AT(step, set), .read = read_flags },
	{ "clear", MEMBER_CUSTOM, true, AT(step, clear), .read = read_flags },
	{ "mode", MEMBER_NUMBER, true, AT(step, mode), SEEN(has_mode) },
	{ "part", MEMBER_TEXT, true, AT(step, part) },
	{ "options", MEMBER_TEXTS, true, AT(step, options), SEEN(has_options) },
	{ "type", MEMBER_WORD, true, AT(step, type), .words = type_words },
	{ "create", MEMBER_WORD, true, AT(step, create), .words = create_words },
	{ "target", MEMBER_TEXT, true, AT(step, target) },
};

/* A single component. What else is in that directory is named by the launcher. */
static bool is_part(const struct step *step)
{
	return step->verb == STEP_COVER && step->has_mode && step->part[0] != '\0' && step->part[0] != '.' &&
	       strchr(step->part, '/') == NULL;
}

/* Whether the step has what its verb cannot do without, and nothing that the verb would leave out. */
static bool is_whole(const struct step *step)
{
	bool is_pin = step->verb == STEP_PIN, is_mount = step->verb == STEP_MOUNT;
	bool has_flags = step->set != 0 || step->clear != 0;

	if (step->path[0] != '/' || (step->has_mode && step->mode > MODE_MAX) || (step->set & step->clear) != 0)
		return false;
	if (step->has_slot != (is_pin || is_mount || step->verb == STEP_PLACE) || (step->has_slot && step->slot >= SLOTS_MAX))
		return false;
	if (!is_pin && (step->straight || step->take_away || step->has_map || step->has_device || step->has_inode))
		return false;
	if (step->has_device != step->has_inode || (step->has_device && !step->straight))
		return false;
	if (step->single && !is_pin && step->verb != STEP_ATTRIBUTES)
		return false;
	if (has_flags && !is_pin && !is_mount && step->verb != STEP_COVER && step->verb != STEP_ATTRIBUTES)
		return false;
	if ((step->has_mode && step->verb != STEP_MAKE && step->verb != STEP_COVER) ||
	    (step->has_options && !is_mount && step->verb != STEP_COVER) ||
	    (step->create != CREATE_NOTHING && step->verb != STEP_PLACE && step->verb != STEP_COVER) ||
	    (step->create == CREATE_FILE && step->verb == STEP_COVER))
		return false;
	if (step->part != NULL && !is_part(step))
		return false;
	/* What is new has no flags to take away. */
	if ((step->type != TYPE_NONE) != is_mount || (is_mount && step->clear != 0))
		return false;
	return (step->target != NULL) == (step->verb == STEP_LINK);
}

bool step_read(struct json_reader *reader, struct reading *reading, struct step *step)
{
	static const struct members members = { step_rows, sizeof(step_rows) / sizeof(step_rows[0]), false };

	return members_read(reader, reading, &members, step) && is_whole(step);
}
