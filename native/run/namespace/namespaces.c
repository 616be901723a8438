/* unshare(2), and netdevice(7) for the loopback interface; see namespaces.h. */
#include "namespaces.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/fail.h"

static void enter(int flag, const char *what, const char *property)
{
	if (unshare(flag) == 0)
		return;
	if (errno == EPERM)
		fail(STATUS_LAUNCHER, "%s=: cannot create %s: CAP_SYS_ADMIN is missing or blocked; grant it, or turn the property off",
		     property, what);
	if (errno == EINVAL)
		fail(STATUS_LAUNCHER, "%s=: cannot create %s: this kernel has none; turn the property off", property, what);
	fail_errno(errno, "%s=: cannot create %s", property, what);
}

/* The kernel gives it its addresses when it goes up. Any socket will do for netdevice(7), also without IPv4. */
static void bring_loopback_up(void)
{
	struct ifreq interface = { .ifr_name = "lo" };
	int control = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (control < 0 || ioctl(control, SIOCGIFFLAGS, &interface) != 0)
		fail_errno(errno, "PrivateNetwork=: cannot find the loopback interface");
	interface.ifr_flags = (short)(interface.ifr_flags | IFF_UP);
	if (ioctl(control, SIOCSIFFLAGS, &interface) != 0)
		fail_errno(errno, "PrivateNetwork=: cannot bring the loopback interface up, which needs CAP_NET_ADMIN");
	(void)close(control);
}

void namespaces_enter(const struct plan *plan)
{
	if (plan->private_network) {
		enter(CLONE_NEWNET, "a network namespace", "PrivateNetwork");
		bring_loopback_up();
	}
	if (plan->private_ipc)
		enter(CLONE_NEWIPC, "an IPC namespace", "PrivateIPC");
}
