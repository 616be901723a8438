/*
 * Owns the bound on what a tree takes of its file system: a project quota (quotactl(2), ioctl_fsxsetattr(2)). Each tree is a project, with
 * a number from the upper half of all, as systemd takes them; those below are administrators', who list them in /etc/projid.
 */
#ifndef DYNUSER_HELPER_TREE_QUOTA_H
#define DYNUSER_HELPER_TREE_QUOTA_H

#include <stdbool.h>

#include "commands.h"
#include "report.h"

/*
 * job->text is BYTES,INODES, of which 0 is not a bound. Says "no" and the call that refused it if the file system has no such quotas, or
 * does not enforce a bound; "no project" if the tree is in a project of an administrator's, or of a directory above; else how many
 * inodes became part of the project.
 */
bool tree_limit(const struct tree_job *job, struct tree_report *report);

#endif
