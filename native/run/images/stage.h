/*
 * The stage: a directory in the mount namespace of a service, where its images are mounted, and from where its mounts are made. What is
 * on it is not trusted: no path leads out of an image.
 */
#ifndef RUN_STAGE_H
#define RUN_STAGE_H

#include <stdbool.h>

#include "protocol/plan.h"

/* Makes the directory on the host, if the plan has images or writable overlays. */
void stage_prepare(const struct plan *plan);

/* Mounts the images and overlays, in the mount namespace of the service. */
void stage_set(const struct plan *plan);

/* Takes the stage away, with what is still on it. */
void stage_clear(const struct plan *plan);

/* Whether a path of the host is on the stage, in an image. *root becomes that image, to be closed, and *rest what follows, "/" at least. */
bool stage_has(const char *path, int *root, const char **rest);

/* Whether it would be, once the stage is set. */
bool stage_is_for(const char *path);

#endif
