/*
 * Questions of a daemon to the helper: each line gets answers of the protocol, no more than it has questions, whatever is in it; what ends
 * things of a UID is called for numbers of dynamic users alone; and text that is encoded decodes to itself. What would look at the host, or change it, is wrapped by
 * the linker (fuzz.mk) and answered here; beside that, the process gives its capabilities up before it begins.
 */
#include "target.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "reap/end_processes.h"
#include "identity.h"
#include "reap/ipc_removal.h"
#include "reap/keyrings.h"
#include "probe/owners.h"
#include "posix_ipc.h"
#include "processes.h"
#include "sysv_ipc.h"
#include "questions.h"

/* Each has the type of what it stands for: the linker would take any. */
__typeof__(find_running) __wrap_find_running;
__typeof__(terminate_processes) __wrap_terminate_processes;
__typeof__(kill_processes) __wrap_kill_processes;
__typeof__(remove_ipc) __wrap_remove_ipc;
__typeof__(remove_given_ipc) __wrap_remove_given_ipc;
__typeof__(remove_account_ipc) __wrap_remove_account_ipc;
__typeof__(clear_keyrings) __wrap_clear_keyrings;
__typeof__(find_numbers) __wrap_find_numbers;
__typeof__(find_process) __wrap_find_process;
__typeof__(find_sysv_ipc) __wrap_find_sysv_ipc;
__typeof__(find_posix_ipc) __wrap_find_posix_ipc;
__typeof__(find_owners) __wrap_find_owners;
__typeof__(find_owner) __wrap_find_owner;

/* The role that is asked. */
static enum role asked;

static void check_ours(uid_t uid)
{
	CHECK(asked == ROLE_REAPER || asked == ROLE_PROBE, "role %d", (int)asked);
	CHECK(uid_is_possible(uid), "something of UID %u is to be ended", uid);
}

static void check_ended(uid_t uid)
{
	CHECK(asked == ROLE_REAPER, "role %d ends something", (int)asked);
	check_ours(uid);
}

/* Only looks: of an account, too. */
bool __wrap_find_running(uid_t uid, struct known_threads *known, struct answer *answer)
{
	(void)known;
	(void)answer;
	CHECK(asked == ROLE_REAPER, "role %d looks for processes to be ended", (int)asked);
	CHECK(uid != (uid_t)-1, "processes of UID %u are looked for", uid);
	return false;
}

bool __wrap_terminate_processes(uid_t uid, struct known_threads *known, struct answer *answer)
{
	(void)known;
	(void)answer;
	check_ended(uid);
	return false;
}

bool __wrap_kill_processes(uid_t uid, struct known_threads *known, struct answer *answer)
{
	(void)known;
	(void)answer;
	check_ended(uid);
	return false;
}

bool __wrap_remove_ipc(uid_t uid, const struct uid_range *dynamic, struct answer *answer)
{
	(void)dynamic;
	(void)answer;
	check_ended(uid);
	return false;
}

bool __wrap_remove_given_ipc(uid_t uid, const struct uid_range *dynamic, struct answer *answer)
{
	(void)dynamic;
	check_ended(uid);
	answer_begin(answer, "free");
	return true;
}

/* Of an account: any number but none. */
void __wrap_remove_account_ipc(uid_t uid, gid_t gid)
{
	CHECK(asked == ROLE_REAPER, "role %d removes something", (int)asked);
	CHECK(uid != (uid_t)-1 && gid != (gid_t)-1, "objects of UID %u and GID %u are to be removed", uid, gid);
}

void __wrap_clear_keyrings(uid_t uid)
{
	check_ended(uid);
}

/* Every second number has a process. */
bool __wrap_find_numbers(struct numbers *numbers, struct known_threads *known, struct answer *answer)
{
	(void)known;
	(void)answer;
	CHECK(numbers->count >= 1 && numbers->count <= NUMBERS_MAX, "%zu numbers", numbers->count);
	for (size_t i = 0; i < numbers->count; i++) {
		check_ours(numbers->number[i]);
		numbers->running[i] = i % 2 == 1;
	}
	return true;
}

bool __wrap_find_process(uint32_t number, struct known_threads *known, struct answer *answer)
{
	(void)number;
	(void)known;
	(void)answer;
	return false;
}

bool __wrap_find_sysv_ipc(uint32_t number, const struct uid_range *dynamic, bool *given, struct answer *answer)
{
	(void)number;
	(void)dynamic;
	(void)given;
	(void)answer;
	return false;
}

bool __wrap_find_posix_ipc(uint32_t number, struct answer *answer)
{
	(void)number;
	(void)answer;
	return false;
}

/* Half of all names are unknown. */
bool __wrap_find_owners(const char *name, struct owners *owners, struct answer *answer)
{
	(void)answer;
	CHECK(name[0] != '\0' && strlen(name) <= TEXT_MAX, "%zu bytes of a name", strlen(name));
	memset(owners, 0, sizeof(*owners));
	owners->has_user = strlen(name) % 2 == 0;
	return true;
}

/* Every second number has a group, that has a name of every sort of byte. */
enum lookup __wrap_find_owner(uint32_t number, struct owner *owner, struct answer *answer)
{
	(void)answer;
	if (number % 2 == 0)
		return LOOKUP_NOT_FOUND;
	*owner = (struct owner){ .is_group = true, .account = { .number = number } };
	(void)snprintf(owner->account.name, sizeof(owner->account.name), "a %%\n\303\251/..");
	return LOOKUP_FOUND;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = 0 };
	struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };

	(void)argc;
	(void)argv;
	CHECK(syscall(SYS_capset, &header, none) == 0, "the capabilities stay");
	return 0;
}

/* Reads the input as the helper reads its standard input. */
static bool read_question(const uint8_t *data, size_t size, char line[QUESTION_MAX])
{
	static int file = -1;

	if (file < 0)
		file = memfd_create("question", MFD_CLOEXEC);
	CHECK(file >= 0 && ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size, "no file");
	CHECK(lseek(file, 0, SEEK_SET) == 0, "no file");
	return question_read(file, line);
}

static size_t count_separators(const char *text, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += text[i] == ';' ? 1 : 0;
	return count;
}

/* What is printable comes back as one line of words, each of the bytes that the protocol has. */
static void check_answer(const struct answer *answer, const char *line)
{
	static const char fields[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/%:-;";
	size_t others = count_separators(answer->line, answer->length);

	CHECK(others < QUESTIONS_MAX && others <= count_separators(line, strlen(line)), "%zu answers", others + 1);

	CHECK(answer->length > 0 && answer->length < ANSWER_MAX, "%zu bytes", answer->length);
	for (size_t i = 0; i < answer->length; i++) {
		char byte = answer->line[i];

		CHECK(byte == ' ' || (byte != '\0' && strchr(fields, byte) != NULL), "byte %u at %zu",
		      (unsigned char)byte, i);
	}
	CHECK(answer->start < answer->length && answer->line[0] != ' ' && answer->line[answer->length - 1] != ' ',
	      "an empty field");
}

/* Whatever decodes is encoded in one way, and decodes to the same again. */
static void try_text(const char *line)
{
	char text[QUESTION_MAX];
	struct answer answer = { .start = 0 };

	(void)snprintf(text, sizeof(text), "%s", line);
	if (!decode_text(text))
		return;
	CHECK(strlen(text) <= TEXT_MAX, "%zu bytes", strlen(text));
	answer_begin(&answer, "x");
	answer_text(&answer, text);
	CHECK(answer.length < ANSWER_MAX, "%zu bytes", answer.length);
	answer.line[answer.length] = '\0';
	char *encoded = answer.line + strlen("x ");

	CHECK(decode_text(encoded) && strcmp(encoded, text) == 0, "%s", text);
}

/* Every role answers: with what it is asked, or that it does not answer that question. */
static void try_roles(const char *line)
{
	static const enum role roles[] = { ROLE_PROBE, ROLE_REAPER, ROLE_INSPECT, ROLE_TREE_READ };

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		struct context context = { 0 };
		char question[QUESTION_MAX];
		struct answer answer = { .length = 0 };

		(void)snprintf(question, sizeof(question), "%s", line);
		asked = roles[i];
		answer_line(question, roles[i], &context, &answer);
		check_answer(&answer, line);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[QUESTION_MAX];

	if (size > QUESTION_MAX + 16U || !read_question(data, size, line))
		return 0;
	CHECK(strlen(line) == size - 1 && data[size - 1] == '\n', "%zu of %zu bytes", strlen(line), size);
	try_text(line);
	try_roles(line);
	return 0;
}
