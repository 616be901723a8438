/*
 * Owns the search for what belongs to certain numbers, and what is done with it: nothing is ever removed. The search walks trees that
 * others change meanwhile: what is gone is passed over.
 *
 * find says "UID PATH" on standard output, ended by NUL, for each inode that it finds, and how far it is on standard error. adopt reads
 * the same, with paths below the top and without a slash in front, on standard input.
 */
#ifndef DYNUSER_HELPER_TREE_OWNED_H
#define DYNUSER_HELPER_TREE_OWNED_H

#include <stdbool.h>

#include "commands.h"
#include "report.h"

/* job->text: the numbers, as FIRST-LAST, with commas in between. */
bool tree_find(const struct tree_job *job, struct tree_report *report);

/* Gives what is read to job->owner, unless it is no longer the former owner's: then it is told as left. */
bool tree_adopt(const struct tree_job *job, struct tree_report *report);

#endif
