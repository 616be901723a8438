/*
 * The disk images of a launch. The launcher opens them with its own rights and in its own view of the host, and mounts them. A helper says
 * what is in them; it is started for the first image that has to be looked into (helper/image/service.h). Every failure ends the launcher.
 * All that is made here are descriptors of this process until the service has it, so nothing is left if it is killed.
 */
#ifndef RUN_IMAGES_H
#define RUN_IMAGES_H

#include <stdbool.h>

#include "protocol/plan.h"

/*
 * Opens an image, unless it is open. *stamp: what is in the image is the same for as long as this text is; null: nothing tells whether
 * it is. False: there is nothing at the path.
 */
bool image_open(const char *path, bool writable, const char **stamp);

/* Takes a line of helper/image/probe.h. */
typedef void image_line(void *context, const char *line);

/* Says what is in an image that was opened. */
void image_look(const char *path, image_line *add, void *context);

/* No image will be looked into any more: the helper ends meanwhile. */
void images_looked(void);

/* Makes the loop devices for an image. To be called before the first child: two devices must not write to one image. */
void image_attach(const struct image *image);

/*
 * Mounts a part of an image, attached nowhere. The process that opened the image gets a mount once that it may have been given before by
 * image_view(); its children each get their own.
 */
int image_mount(const struct image *image, const struct image_part *part);

/* The root of a part, to look at; it stays open. */
int image_view(const struct image *image, const struct image_part *part);

/* Mounts the root of an image, and has the kernel read its program, while the daemon is busy. program: of the command line, or null. */
void image_get_ready(const struct image *image, const char *program);

/* Nothing will be mounted any more, and the helper is gone afterwards. To be called by the process that opened the images. */
void images_end(void);

#endif
