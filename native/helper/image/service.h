/*
 * Says what is in the disk images of one launch, for the launcher, which starts this program as its child and passes it one end of a
 * SOCK_SEQPACKET socket, for messages of passing.h: each is "image", with the open image. The answers are
 *
 *   ok LINE...        a line for the whole and each partition, see probe.h
 *   error TEXT        why it cannot be said, as the end of a sentence
 */
#ifndef DYNUSER_HELPER_IMAGE_SERVICE_H
#define DYNUSER_HELPER_IMAGE_SERVICE_H

/* Serves until the other end is closed; returns the exit status. */
int image_main(void);

#endif
