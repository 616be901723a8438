/* See descriptor.h. */
#include "descriptor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

void close_quietly(int descriptor)
{
	int error = errno;

	if (descriptor >= 0)
		(void)close(descriptor);
	errno = error;
}

ssize_t read_all(int descriptor, void *bytes, size_t room)
{
	size_t length = 0;

	while (length < room) {
		ssize_t more = read(descriptor, (char *)bytes + length, room - length);

		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			return -1;
		if (more == 0)
			break;
		length += (size_t)more;
	}
	return (ssize_t)length;
}

bool write_all(int descriptor, const void *bytes, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t more = write(descriptor, (const char *)bytes + done, length - done);

		if (more < 0 && errno != EINTR)
			return false;
		done += more < 0 ? 0 : (size_t)more;
	}
	return true;
}

bool descriptor_path(int descriptor, char path[PATH_MAX])
{
	char link[32];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
	length = readlink(link, path, PATH_MAX - 1);
	path[length < 0 ? 0 : length] = '\0';
	return length >= 0;
}

bool send_message(int connection, const void *bytes, size_t length, int descriptor)
{
	union control control;
	struct iovec vector = { .iov_base = (void *)(unsigned long)bytes, .iov_len = length };
	struct msghdr head = { .msg_iov = &vector, .msg_iovlen = 1 };
	ssize_t sent;

	memset(&control, 0, sizeof(control));
	if (descriptor >= 0) {
		head.msg_control = &control;
		head.msg_controllen = sizeof(control);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(int));
	}
	do
		sent = sendmsg(connection, &head, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)length;
}

ssize_t receive_message(int connection, void *bytes, size_t room, int flags, int *descriptor)
{
	union control control;
	struct iovec vector = { .iov_base = bytes, .iov_len = room };
	struct msghdr head = {
		.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	const struct cmsghdr *passed;
	ssize_t length;

	*descriptor = -1;
	do
		length = recvmsg(connection, &head, flags | MSG_CMSG_CLOEXEC);
	while (length < 0 && errno == EINTR);
	if (length <= 0)
		return length;
	/* More than one have no room, and the kernel closes them. */
	passed = CMSG_FIRSTHDR(&head);
	if (passed != NULL && passed->cmsg_level == SOL_SOCKET && passed->cmsg_type == SCM_RIGHTS &&
	    passed->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(descriptor, CMSG_DATA(passed), sizeof(int));
	if ((head.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		return length;
	close_quietly(*descriptor);
	*descriptor = -1;
	errno = EPROTO;
	return -1;
}
