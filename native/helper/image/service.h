/*
 * Owns the disk images of one launch, for the launcher, which starts this program as its child and passes it one end of a SOCK_SEQPACKET
 * socket, for messages of passing.h; the first word says what it is:
 *
 *   image                                       with the open image: says what is in it. Images are counted from 0
 *   mount NUMBER OFFSET SIZE MODE TYPE OPTION...  mounts the file system of so many bytes at an offset of that image; MODE is
 *                                                 "rw" if it may be written to, if the image can be
 *
 * The answers are
 *
 *   ok LINE...        image: a line for the whole and each partition, see probe.h; mount: with the mount, attached nowhere
 *   error TEXT        why it cannot be done, as the end of a sentence
 *
 * Whatever is made here is a descriptor of this process until it is the launcher's: a loop device lives as long as a mount of it, or this
 * process (LO_FLAGS_AUTOCLEAR). So nothing is left, whoever is killed.
 */
#ifndef DYNUSER_HELPER_IMAGE_SERVICE_H
#define DYNUSER_HELPER_IMAGE_SERVICE_H

/* Room for the reason of a failure. */
#define IMAGE_ERROR_MAX 256U

/* Serves until the other end is closed; returns the exit status. */
int image_main(void);

/* Writes why a step failed, with the meaning of errno. */
void image_error(char error[IMAGE_ERROR_MAX], const char *what);

#endif
