/* See passing.h. */
#include "passing.h"

#include <errno.h>
#include <string.h>

#include "descriptor.h"

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

bool passing_send(int connection, const struct passing *message)
{
	return send_message(connection, message->bytes, message->length, message->descriptor);
}

bool passing_receive(int connection, struct passing *message)
{
	ssize_t length = receive_message(connection, message->bytes, sizeof(message->bytes), 0, &message->descriptor);

	if (length < 0)
		return false;
	if (length == 0) {
		errno = ECONNRESET;
		return false;
	}
	message->length = (size_t)length;
	if (message->bytes[length - 1] == '\0')
		return true;
	close_quietly(message->descriptor);
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
