#include "puppet.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define SAME ((uid_t)-1)
#define THREADS_MAX 8

/* The same letter at each end of a pipe. */
static char receive(int descriptor)
{
	char letter = 0;

	return read(descriptor, &letter, 1) == 1 ? letter : 0;
}

static void send(int descriptor, char letter)
{
	CHECK(write(descriptor, &letter, 1) == 1, "write");
}

/* Of the calling thread alone: libc's own function would change all of the process. */
static void become(uid_t uid)
{
	CHECK(syscall(SYS_setresuid, SAME, uid, SAME) == 0, "setresuid");
}

struct part {
	int orders[2], done[2];
	pthread_t thread;
};

static void *play(void *argument)
{
	struct part *part = argument;

	send(part->done[1], '+');
	for (;;) {
		char order = receive(part->orders[0]);

		if (order == 'u')
			become(OURS);
		if (order == 'r')
			become(0);
		if (order == '-')
			return NULL;
		send(part->done[1], order);
	}
}

static void obey(char order, struct part *parts, size_t *count)
{
	struct part *last = &parts[*count > 0 ? *count - 1 : 0];

	if (order == '+') {
		last = &parts[(*count)++];
		CHECK(*count <= THREADS_MAX && pipe(last->orders) == 0 && pipe(last->done) == 0, "pipe");
		CHECK(pthread_create(&last->thread, NULL, play, last) == 0, "pthread_create");
		(void)receive(last->done[0]);
	} else if (order == 'U' || order == 'R') {
		become(order == 'U' ? OURS : 0);
	} else {
		send(last->orders[1], order);
		if (order != '-')
			(void)receive(last->done[0]);
		else
			CHECK(pthread_join(last->thread, NULL) == 0 && (*count)-- > 0, "pthread_join");
	}
}

struct puppet start_puppet(void)
{
	static struct part parts[THREADS_MAX];
	int orders[2], done[2];
	size_t count = 0;

	CHECK(pipe2(orders, O_CLOEXEC) == 0 && pipe2(done, O_CLOEXEC) == 0, "pipe2");
	pid_t process = fork();

	CHECK(process >= 0, "fork");
	if (process > 0) {
		close(orders[0]);
		close(done[1]);
		return (struct puppet){ process, orders[1], done[0] };
	}
	CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "prctl");
	for (;;) {
		char order = receive(orders[0]);

		obey(order, parts, &count);
		send(done[1], order);
	}
}

void tell(const struct puppet *puppet, const char *orders)
{
	for (; *orders != '\0'; orders++) {
		send(puppet->orders, *orders);
		CHECK(receive(puppet->done) == *orders, "%c", *orders);
	}
}

void end_puppet(const struct puppet *puppet)
{
	CHECK(kill(puppet->process, SIGKILL) == 0 && waitpid(puppet->process, NULL, 0) == puppet->process, "kill");
	close(puppet->orders);
	close(puppet->done);
}
