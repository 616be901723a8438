/* keyctl(2), which the C library has no function for; see keyring.h. */
#include "keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/fail.h"

void keyring_leave(void)
{
	/* Without a name it is always a new one. */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0)
		return;
	/*
	 * A kernel without keys, and a container's filter or security module that keeps everybody from them. What forbids this call
	 * holds for the service too, which comes to no keys then.
	 */
	if (errno == ENOSYS || errno == EPERM || errno == EACCES)
		return;
	if (errno == EDQUOT)
		fail(STATUS_LAUNCHER,
		     "user %u, who starts this, has as many keys as it may (/proc/key-users), and the service shall not have the keyring of its starter",
		     (unsigned int)getuid());
	fail_errno(errno, "cannot leave the session keyring of whoever started this");
}
