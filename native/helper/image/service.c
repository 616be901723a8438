/* See service.h. */
#include "service.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "passing.h"
#include "probe.h"

static bool answer_error(const char *error)
{
	struct passing message;

	passing_begin(&message);
	return passing_add(&message, "error") && passing_add(&message, error) &&
	       passing_send(PASSING_CONNECTION, &message);
}

static bool look_at(int file)
{
	struct passing message;
	char error[IMAGE_ERROR_MAX];

	passing_begin(&message);
	bool found = passing_add(&message, "ok") && probe_image(file, &message, error);

	(void)close(file);
	return found ? passing_send(PASSING_CONNECTION, &message) : answer_error(error);
}

static bool serve(struct passing *message)
{
	char *words[PASSING_WORDS_MAX];
	size_t count = passing_words(message, words);

	return count == 1 && strcmp(words[0], "image") == 0 && message->descriptor >= 0 && look_at(message->descriptor);
}

int image_main(void)
{
	static struct passing message;

	while (passing_receive(PASSING_CONNECTION, &message)) {
		if (!serve(&message))
			return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
