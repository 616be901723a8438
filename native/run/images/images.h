/*
 * The disk images of a launch. The launcher opens them with its own rights and in its own view of the host; a helper, which it starts for
 * the first of them, makes loop devices and mounts (helper/image/service.h). Whatever cannot be done ends the launcher.
 */
#ifndef RUN_IMAGES_H
#define RUN_IMAGES_H

#include <stdbool.h>

#include "protocol/plan.h"
#include "string_list.h"

/* Starts the helper if these properties of a command line name images. It gets ready while the daemon is asked. */
void images_expect(const struct strings *properties);

/* Takes a line of helper/image/probe.h. */
typedef void image_line(void *context, const char *line);

/* Opens an image, and says what is in it. False: there is nothing at the path. */
bool image_look(const char *path, bool writable, image_line *add, void *context);

/*
 * Mounts a part of an image, attached nowhere. The process that opened the image gets a mount once that it may have been given before by
 * image_view(); its children each get their own.
 */
int image_mount(const struct image *image, const struct image_part *part);

/* The root of a part, to look at; it stays open. */
int image_view(const struct image *image, const struct image_part *part);

/* The helper has done what it had to, and is gone afterwards. To be called by the process that opened the images. */
void images_end(void);

#endif
