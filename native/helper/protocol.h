/*
 * Owns the conversation between the daemon and dynuser-helper: lines over standard input and output, one line at a time. It
 * knows nothing of what is asked.
 *
 *   line     = QUESTION *("; " QUESTION) LF    QUESTIONS_MAX questions, and QUESTION_MAX bytes, LF included, at most
 *   reply    = ANSWER *("; " ANSWER) LF        in the order of the questions, ANSWER_MAX bytes, LF included, at most
 *   QUESTION = WORD SP ARGUMENT
 *   ANSWER   = WORD *(SP FIELD)
 *
 * The first answer that finds something, or fails, is the last one: the questions after it are not asked. So one line can ask
 * what is to be done only if nothing was found before.
 *
 *   name NAME      account USER GROUP          USER is UID:GID or "-", GROUP is GID or "-"; found unless both are "-"
 *   owner NUMBER   free                        no account and no IPC object has the number, or else the first that does:
 *                  user NAME | group NAME      NSS knows a user or a group of it
 *                  ipc KIND ID                 KIND is sysv-shm, sysv-sem, sysv-msg, posix-shm or posix-mq
 *                  given                       as free, but strangers gave it System V objects (sysv_ipc.h)
 *   process NUMBER free | process PID COMMAND AS
 *                                              runs with it, AS its user, group or supplementary group; PID is 0 if it came
 *                                              and went too fast to be named
 *   running NUMBER *("," NUMBER)               NUMBERS_MAX (processes.h) at most, as below
 *                  running *(SP NUMBER)        those that a process runs with
 *   groups NAME NUMBER NUMBER
 *                  groups *(SP NUMBER)         the GIDs of initgroups(3) for a user and its group, from the second number on,
 *                                              ascending, each once, GROUPS_ANSWERED at most
 *   login NAME     login [HOME SHELL]          nothing if NSS has no such user
 *   inspect BASE *(SP PATH)                    of each path below the directory BASE, of each component in order
 *                  inspect *(SP PLACE)         up to the first that is not a directory, PLACE being
 *                  directory UID GID MODE DEVICE INODE HINT | link TEXT | other | nothing
 *                                              MODE has the twelve bits of chmod(2), HINT is the UID of the xattr
 *                                              trusted.dynuser.uid, "-", or "unsupported"
 *   find-processes NUMBER | terminate-processes NUMBER | kill-processes NUMBER | remove-ipc NUMBER
 *                  free                        none is left, or else the first that is:
 *                  process PID COMMAND AS | ipc KIND ID
 *                                              as above; NUMBER is one that a dynamic user can have, but of find-processes any
 *   remove-given NUMBER                        removes what "given" tells of; NUMBER as above
 *                  removed COUNT *(SP KIND SP ID SP UID)
 *                                              how many, and of the first ones their creators too
 *   clear-keyrings NUMBER | remove-account-ipc UID,GID
 *                  free                        in any case: what is left is nobody's any more
 *   any            error CALL ERRNO            the system refused to say
 *                  again                       nothing was asked: /etc/nsswitch.conf has changed, and this process ends
 *                  invalid                     no such question, or no such argument
 *
 * NAME, ID, COMMAND, BASE, PATH, TEXT, HOME, SHELL: percent-encoded, every byte but A-Z a-z 0-9 . _ / - as %XX; cut to TEXT_MAX bytes
 * before that; may be empty. Numbers are decimal, without sign or leading zeros.
 */
#ifndef DYNUSER_HELPER_PROTOCOL_H
#define DYNUSER_HELPER_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Places have the most: paths, and the texts of links. */
#define QUESTION_MAX 8192
#define ANSWER_MAX 8192
/* NAME_MAX of a file, and far more than what a user name may have. */
#define TEXT_MAX 255
#define QUESTIONS_MAX 4
/* The GIDs of one answer; the daemon asks for more from the last one on (src/host/helper/protocol.ts). */
#define GROUPS_ANSWERED 512U
#define QUESTION_SEPARATOR "; "

/* The answers of one line; the present one begins at start. */
struct answer {
	char line[ANSWER_MAX];
	size_t start;
	size_t length;
};

/* Forgets all answers of the line. */
void answer_clear(struct answer *answer);
/* Ends the present answer, and has another one follow it. */
void answer_next(struct answer *answer);
/* Starts the present answer anew with its first word. */
void answer_begin(struct answer *answer, const char *word);
/* Appends a field that is a fixed word of this program. */
void answer_word(struct answer *answer, const char *word);
/* Appends a decimal field. */
void answer_number(struct answer *answer, uint64_t number);
/* Appends a field that came from outside, percent-encoded. */
void answer_text(struct answer *answer, const char *text);
/* Makes the answer "error CALL ERRNO", or "invalid". Both are true: the answer is written, and ends its line. */
bool answer_invalid(struct answer *answer);
bool answer_error(struct answer *answer, const char *call, int error);
/* Puts another answer in place of the present one. */
void answer_copy(struct answer *answer, const struct answer *other);

/*
 * Reads one line of questions into line, NUL-terminated and without its LF.
 * Returns false at the end of input, and if the peer breaks the protocol: a line that is too long, has a NUL, or is
 * followed by another one before it was answered.
 */
bool question_read(int descriptor, char line[QUESTION_MAX]);
/* Writes the answer and its LF. Returns false if nobody reads. */
bool answer_write(int descriptor, struct answer *answer);

/* Parses a UID or GID, 0 to 2^32-2, decimal without sign or leading zeros. */
bool parse_id(const char *text, uint32_t *id);
/* Decodes percent-encoded text in place. Returns false on a bad escape, an encoded NUL, or more than TEXT_MAX bytes. */
bool decode_text(char *text);

#endif
