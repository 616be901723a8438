/* The environment of a service: where it begins, what wins, and what is taken away. No arguments. */
#include "exec/environment.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static char *own[] = { (char *)(uintptr_t)"A=own", (char *)(uintptr_t)"AB=own", (char *)(uintptr_t)"LISTEN_FDS=1",
		       (char *)(uintptr_t)"HOME=/own", NULL };

static void expect(const struct plan *plan, unsigned int sockets, const char *expected)
{
	char found[512] = "";

	environ = own;
	for (char **variable = environment_make(plan, sockets); *variable != NULL; variable++)
		(void)strcat(strcat(found, *variable), " ");
	CHECK(strcmp(found, expected) == 0, "%s", found);
}

static struct strings list_of(char *const *items, size_t count)
{
	struct strings list = { 0 };

	for (size_t i = 0; i < count; i++)
		CHECK(strings_add(&list, items[i]), "no memory");
	return list;
}

int main(void)
{
	char pass[] = "A", start[] = "H*", all[] = "*";
	char a[] = "A=1", b[] = "B=2", again[] = "A=3", home[] = "HOME=/given", name[] = "AB", pair[] = "B=2",
	     other[] = "B=9", empty[] = "C=";
	struct plan plan = { 0 };

	expect(&plan, 0, "");
	expect(&plan, 1, "LISTEN_FDS=1 ");
	plan.pass_environment = list_of((char *[]){ pass, start }, 2);
	expect(&plan, 0, "A=own HOME=/own ");
	plan.pass_environment = list_of((char *[]){ all }, 1);
	expect(&plan, 0, "A=own AB=own LISTEN_FDS=1 HOME=/own ");
	plan.pass_environment = (struct strings){ 0 };
	plan.inherit_environment = true;
	expect(&plan, 0, "A=own AB=own LISTEN_FDS=1 HOME=/own ");
	plan.environment = list_of((char *[]){ a, b, again, empty, home }, 5);
	expect(&plan, 0, "A=3 AB=own LISTEN_FDS=1 HOME=/given B=2 C= ");
	plan.unset_environment = list_of((char *[]){ name, other }, 2);
	expect(&plan, 0, "A=3 LISTEN_FDS=1 HOME=/given B=2 C= ");
	plan.unset_environment = list_of((char *[]){ name, pair }, 2);
	expect(&plan, 0, "A=3 LISTEN_FDS=1 HOME=/given C= ");
	return 0;
}
