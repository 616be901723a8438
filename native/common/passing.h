/*
 * Messages between the launcher and the helper that owns its images (helper/image/service.h): lists of texts that end in NUL, with at most
 * one descriptor. Both programs are of the same version.
 */
#ifndef DYNUSER_PASSING_H
#define DYNUSER_PASSING_H

#include <stdbool.h>
#include <stddef.h>

/* The helper's end of the connection. */
#define PASSING_CONNECTION 3
/* The images of one launch. */
#define PASSING_IMAGES_MAX 64U
#define PASSING_BYTES_MAX 32768U
#define PASSING_WORDS_MAX 256U

struct passing {
	char bytes[PASSING_BYTES_MAX];
	size_t length;
	/* -1: none */
	int descriptor;
};

/* Makes it a message without words. */
void passing_begin(struct passing *message);

/* Adds a word. False: there is no room for it. */
bool passing_add(struct passing *message, const char *word);

/* Sends a message, with its descriptor. False with errno. */
bool passing_send(int connection, const struct passing *message);

/* Receives one. False with errno: ECONNRESET if the other end is closed, EPROTO if it is not such a message. */
bool passing_receive(int connection, struct passing *message);

/* The words of a message, at most PASSING_WORDS_MAX; the others are left out. */
size_t passing_words(struct passing *message, char **words);

#endif
