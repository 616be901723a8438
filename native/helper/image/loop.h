/* Owns loop devices over parts of an image (loop(4)), which are gone with their last user. */
#ifndef DYNUSER_HELPER_IMAGE_LOOP_H
#define DYNUSER_HELPER_IMAGE_LOOP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "service.h"

/* Parts of one image that are mounted. */
#define IMAGE_LOOPS_MAX 16U

struct loop {
	uint64_t offset, size;
	/* while it is open the device is there */
	int device;
	/* what mounts name it by */
	char path[32];
	bool writable;
};

/*
 * Attaches a device to so many bytes of a file at an offset, writable if loop->writable says so and the descriptor of the file is. The file
 * is locked (flock(2)) for as long as the device lasts: shared with others that read, or for this process alone. False: error says why.
 */
bool loop_attach(int file, uint64_t offset, uint64_t size, bool alone, struct loop *loop, char error[IMAGE_ERROR_MAX]);

#endif
