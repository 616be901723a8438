/* Linked into a dynuser-run that gets no image ready while it waits for the daemon. */
#include "images/images.h"

__typeof__(image_get_ready) __wrap_image_get_ready;

void __wrap_image_get_ready(const struct image *image, const char *program)
{
	(void)image;
	(void)program;
}
