/* By SCM_RIGHTS of unix(7); see passing.h. */
#include "passing.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

void passing_begin(struct passing *message)
{
	message->length = 0;
	message->descriptor = -1;
}

bool passing_add(struct passing *message, const char *word)
{
	size_t length = strlen(word) + 1;

	if (length > sizeof(message->bytes) - message->length)
		return false;
	memcpy(message->bytes + message->length, word, length);
	message->length += length;
	return true;
}

bool passing_send(int connection, struct passing *message)
{
	union control control;
	struct iovec vector = { .iov_base = message->bytes, .iov_len = message->length };
	struct msghdr head = { .msg_iov = &vector, .msg_iovlen = 1 };
	ssize_t sent;

	memset(&control, 0, sizeof(control));
	if (message->descriptor >= 0) {
		head.msg_control = &control;
		head.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &message->descriptor, sizeof(int));
	}
	do
		sent = sendmsg(connection, &head, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)message->length;
}

bool passing_receive(int connection, struct passing *message)
{
	union control control;
	struct iovec vector = { .iov_base = message->bytes, .iov_len = sizeof(message->bytes) };
	struct msghdr head = {
		.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	const struct cmsghdr *passed;
	ssize_t length;

	passing_begin(message);
	do
		length = recvmsg(connection, &head, MSG_CMSG_CLOEXEC);
	while (length < 0 && errno == EINTR);
	if (length < 0)
		return false;
	if (length == 0) {
		errno = ECONNRESET;
		return false;
	}
	passed = CMSG_FIRSTHDR(&head);
	if (passed != NULL && passed->cmsg_level == SOL_SOCKET && passed->cmsg_type == SCM_RIGHTS &&
	    passed->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&message->descriptor, CMSG_DATA(passed), sizeof(int));
	message->length = (size_t)length;
	if ((head.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 && message->bytes[length - 1] == '\0')
		return true;
	if (message->descriptor >= 0)
		(void)close(message->descriptor);
	errno = EPROTO;
	return false;
}

size_t passing_words(struct passing *message, char **words)
{
	size_t count = 0;

	for (size_t at = 0; at < message->length && count < PASSING_WORDS_MAX; at += strlen(message->bytes + at) + 1)
		words[count++] = message->bytes + at;
	return count;
}
