/* See service.h. */
#include "service.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file_system.h"
#include "loop.h"
#include "passing.h"
#include "probe.h"

struct image {
	int file;
	struct loop loops[IMAGE_LOOPS_MAX];
	size_t loop_count;
	/* a part of it may be written to */
	bool written;
};

static struct image images[PASSING_IMAGES_MAX];
static size_t image_count;

void image_error(char error[IMAGE_ERROR_MAX], const char *what)
{
	(void)snprintf(error, IMAGE_ERROR_MAX, "%s: %s", what, strerror(errno));
}

static bool answer_error(const char *error)
{
	struct passing message;

	passing_begin(&message);
	return passing_add(&message, "error") && passing_add(&message, error) &&
	       passing_send(PASSING_CONNECTION, &message);
}

static bool add_line(void *context, const char *line)
{
	return passing_add(context, line);
}

static bool take_image(int file)
{
	struct passing message;
	char error[IMAGE_ERROR_MAX] = "there are too many images";

	passing_begin(&message);
	if (image_count == PASSING_IMAGES_MAX || !passing_add(&message, "ok") ||
	    !probe_image(file, add_line, &message, error)) {
		(void)close(file);
		return answer_error(error);
	}
	images[image_count++].file = file;
	return passing_send(PASSING_CONNECTION, &message);
}

static bool read_number(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && text[0] != '-';
}

/* The loop device of a part of an image, which is made on first use. */
static const struct loop *loop_of(struct image *image, uint64_t offset, uint64_t size, bool writable,
				  char error[IMAGE_ERROR_MAX])
{
	for (size_t i = 0; i < image->loop_count; i++) {
		if (image->loops[i].offset == offset && image->loops[i].size == size)
			return &image->loops[i];
	}
	if (image->loop_count == IMAGE_LOOPS_MAX) {
		(void)snprintf(error, IMAGE_ERROR_MAX, "it has too many parts");
		return NULL;
	}
	struct loop *made = &image->loops[image->loop_count];

	made->writable = writable;
	image->written = image->written || writable;
	if (!loop_attach(image->file, offset, size, image->written, made, error))
		return NULL;
	image->loop_count++;
	return made;
}

static bool mount_part(char *const *words, size_t count)
{
	struct passing message;
	char error[IMAGE_ERROR_MAX];
	uint64_t number, offset, size;

	passing_begin(&message);
	if (count < 6 || !read_number(words[1], &number) || number >= image_count || !read_number(words[2], &offset) ||
	    !read_number(words[3], &size))
		return false;
	const struct loop *loop = loop_of(&images[number], offset, size, strcmp(words[4], "rw") == 0, error);

	if (loop != NULL)
		message.descriptor = file_system_mount(loop, words[5], words + 6, count - 6, error);
	if (message.descriptor < 0)
		return answer_error(error);
	bool sent = passing_add(&message, "ok") && passing_send(PASSING_CONNECTION, &message);

	(void)close(message.descriptor);
	return sent;
}

static bool serve(struct passing *message)
{
	char *words[PASSING_WORDS_MAX];
	size_t count = passing_words(message, words);

	if (count == 1 && strcmp(words[0], "image") == 0 && message->descriptor >= 0)
		return take_image(message->descriptor);
	return message->descriptor < 0 && strcmp(words[0], "mount") == 0 && mount_part(words, count);
}

int image_main(void)
{
	static struct passing message;

	/* While the launcher waits for the daemon. What is missing is told when it is asked for. */
	(void)probe_load();
	while (passing_receive(PASSING_CONNECTION, &message)) {
		if (!serve(&message))
			return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
