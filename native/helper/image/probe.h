/*
 * Finds out what is in an image, by libblkid, in a child that has no rights, opens nothing, and ends soon. Lines:
 *
 *   0 - 0 0 SIZE TYPE                        the image as a whole: its bytes, and the file system if it is one
 *   NUMBER KIND FLAGS OFFSET SIZE TYPE NAME  a partition: its place in bytes, and what is on it. KIND is the UUID of its type in a GPT,
 *                                            and mbr:HH with an MBR; FLAGS are those of the table, in hexadecimal
 *
 * TYPE is libblkid's name of a file system, or "-". In NAME all but printable ASCII became "_".
 */
#ifndef DYNUSER_HELPER_IMAGE_PROBE_H
#define DYNUSER_HELPER_IMAGE_PROBE_H

#include <stdbool.h>

#include "passing.h"

/* Room for the reason of a failure. */
#define IMAGE_ERROR_MAX 256U

/* Partitions that are looked at. Images of systems have a handful; a table has room for 128 by default. */
#define PARTITIONS_MAX 128

/* Adds the lines to a message, as a word each. False: error says why. */
bool probe_image(int file, struct passing *message, char error[IMAGE_ERROR_MAX]);

#endif
