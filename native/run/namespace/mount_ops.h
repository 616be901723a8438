/*
 * Owns the steps of a plan: what each verb does in a world that is being made. Every failure ends the process with a
 * sentence that names the path.
 */
#ifndef RUN_STEPS_H
#define RUN_STEPS_H

#include <stdbool.h>

#include "mount_namespace.h"

/* No descriptor: the step is to be left out. */
#define STEP_ABSENT (-1)

/* Does one step. */
void step_do(struct world *world, const struct step *step);

/* A clone into a slot, a new file system into one, and what is in a slot to its place. */
void step_pin(struct world *world, const struct step *step);
void step_mount(struct world *world, const struct step *step);
void step_place(struct world *world, const struct step *step);

/* What a step is about, in the service's world, made where the step says so; STEP_ABSENT where it is to be left out. */
int step_target(const struct world *world, const struct step *step);

/* Attaches a mount at the path that target was opened by. */
void step_attach(struct world *world, int mount, int target, const char *path);

/* The attic, made where it was not: once it is attached, every step but make and pin begins with its end. */
struct attic *step_attic(struct world *world);

/* Sets and clears the flags that a step has. */
void step_flags(int mount, const struct step *step, bool single);

/* Whether an errno number says that nothing is at a path. */
bool step_is_absence(int error);

#endif
