/* See usage.h. */
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>

#include "dynuser.h"
#include "fail.h"

static const char help[] =
	"Usage: dynuser-run [OPTIONS] [--] COMMAND [ARGUMENT...]\n"
	"       dynuser-run [OPTIONS] --unit-file=PATH [--instance=NAME]\n"
	"\n"
	"Becomes COMMAND as a dynamic user: a UID of its own for as long as it runs, in a world where nothing but its\n"
	"own directories can be written to. Same process, no parent.\n"
	"\n"
	"  -p, --property=NAME=VALUE    set a property, as in [Service] of a unit file\n"
	"  -u, --unit=NAME              run under this unit name; the user's name comes from it\n"
	"      --uid=USER               run as this user (User=)\n"
	"      --gid=GROUP              run with this group (Group=)\n"
	"      --service-type=TYPE      the type of the service (Type=)\n"
	"  -E, --setenv=NAME[=VALUE]    set a variable, or pass on one of the environment\n"
	"      --clear-environment      begin with an empty environment\n"
	"      --working-directory=DIR  run in this directory\n"
	"  -d, --same-dir               run in the present directory\n"
	"      --unit-file=PATH         run what [Service] of this file says\n"
	"      --instance=NAME          the instance, where the file is a template\n"
	"      --ignore-unknown         warn of properties that are not known, instead of failing\n"
	"      --isolation=full|best-effort\n"
	"                               where mounts cannot be made: refuse (the default), or go without\n"
	"      --untrusted              run a program that may be hostile: without network, environment, and sight of others\n"
	"      --explain                print what would be done, and do nothing\n"
	"  -h, --help                   print this\n"
	"      --version                print the version\n"
	"\n"
	"Options of systemd-run that change nothing here are accepted: --wait, --pipe (-P), --pty (-t), --quiet (-q),\n"
	"--collect (-G), --no-block, --slice=, --description= and others.\n"
	"\n"
	"Exit status: the command's own; 125 the launcher failed, 126 the command cannot be executed, 127 it was not\n"
	"found; 128 and the signal's number, in a shell, where a signal ended it.\n";

static _Noreturn void print(const char *text)
{
	if (fputs(text, stdout) == EOF || fflush(stdout) == EOF)
		fail(STATUS_LAUNCHER, "cannot write to the standard output");
	exit(EXIT_SUCCESS);
}

void usage_help(void)
{
	print(help);
}

void usage_version(void)
{
	print("dynuser-run " DYNUSER_VERSION "\n");
}
