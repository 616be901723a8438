/* Loop devices over parts of an image (loop(4)), which are gone with their last user. Every failure ends the launcher. */
#ifndef RUN_LOOP_H
#define RUN_LOOP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* Parts of one image that are mounted. */
#define IMAGE_LOOPS_MAX 16U

struct loop {
	uint64_t offset, size;
	/* the device exists as long as this is open */
	int device;
	/* what mounts name it by */
	char path[32];
	bool writable;
};

/*
 * Attaches a device to so many bytes of an image at an offset, writable if loop->writable says so and the descriptor of the image is. The
 * image is locked (flock(2)) for as long as the device lasts: shared with others that read, or for this launch alone.
 */
void loop_attach(const char *image, int file, bool alone, struct loop *loop);

#endif
