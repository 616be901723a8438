/*
 * glibc asks nscd(8) before any source, and nscd may still know a user that has just ended. A database that
 * was configured with __nss_configure_lookup (nss.h, public since glibc 2.0) is never asked of nscd, and no longer
 * read from nsswitch.conf; so the file is read here.
 */
#include "sources.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <nss.h>
#endif

#include "descriptor.h"
#include "name_switch.h"

#define OWN_SERVICE "dynuser"
#define SYSTEMD_SERVICE "systemd"
#define DEFAULT_SERVICES "files"

static const char *const databases[] = { "passwd", "group" };
#define DATABASES (sizeof(databases) / sizeof(databases[0]))
/* The services of each, and the same without nss-systemd. */
static char configured[DATABASES][SOURCES_LINE_MAX];
static char others[DATABASES][SOURCES_LINE_MAX];
static bool has_systemd, is_left_out;

bool sources_extract(const char *text, const char *database, const char *without, char services[SOURCES_LINE_MAX])
{
	const char *line = switch_services(text, database);
	bool dropping = false;
	struct switch_word word;
	size_t length = 0;

	/* Without OWN_SERVICE, the other one, and the actions after them. */
	while (line != NULL && switch_next(&line, &word)) {
		if (!word.is_action)
			dropping = switch_is_service(&word, OWN_SERVICE) ||
				   (without != NULL && switch_is_service(&word, without));
		if (dropping)
			continue;
		if (word.length + 2 > SOURCES_LINE_MAX - length)
			return false;
		memcpy(services + length, word.text, word.length);
		length += word.length;
		services[length++] = ' ';
	}
	services[length] = '\0';
	if (length == 0)
		memcpy(services, DEFAULT_SERVICES, sizeof(DEFAULT_SERVICES));
	return true;
}

static int read_file(int descriptor, char text[SOURCES_FILE_MAX + 1])
{
	ssize_t length = read_all(descriptor, text, SOURCES_FILE_MAX + 1);

	if (length < 0)
		return errno;
	if (length > SOURCES_FILE_MAX)
		return EFBIG;
	text[length] = '\0';
	return strlen(text) == (size_t)length ? 0 : EINVAL;
}

/*
 * musl has no sources to choose from: it reads the files, and then asks nscd(8), whatever nsswitch.conf has. If that is our own
 * (NscdSocket=), it knows live users alone, of whom no question is about.
 */
static int tell_library(char services[DATABASES][SOURCES_LINE_MAX])
{
#ifdef __GLIBC__
	for (size_t i = 0; i < DATABASES; i++) {
		/* It sets no errno if the line is not a service list. */
		if (__nss_configure_lookup(databases[i], services[i]) != 0)
			return EINVAL;
	}
#else
	(void)services;
#endif
	return 0;
}

static int configure(const char *text)
{
	for (size_t i = 0; i < DATABASES; i++) {
		if (!sources_extract(text, databases[i], NULL, configured[i]) ||
		    !sources_extract(text, databases[i], SYSTEMD_SERVICE, others[i]))
			return E2BIG;
		has_systemd = has_systemd || strcmp(configured[i], others[i]) != 0;
	}
	return tell_library(configured);
}

bool sources_have_systemd(void)
{
	return has_systemd;
}

void sources_leave_out_systemd(bool leave_out)
{
	leave_out = leave_out && has_systemd;
	if (leave_out == is_left_out)
		return;
	/* glibc takes again what it has taken once. If it took half of it, a source would not be asked: no answer is better than that one. */
	if (tell_library(leave_out ? others : configured) != 0)
		_exit(EXIT_FAILURE);
	is_left_out = leave_out;
}

static struct stat status_now(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? status : (struct stat){ 0 };
}

int sources_configure(const char *path, struct stat *taken)
{
	char text[SOURCES_FILE_MAX + 1];
	struct stat status;
	int error;

	/* First: what is written from here on is seen as a change. */
	*taken = status_now(path);
	/* O_NONBLOCK: a FIFO in its place would hold this process up before its first question. */
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (descriptor < 0)
		return errno == ENOENT ? configure("") : errno;
	if (fstat(descriptor, &status) < 0)
		error = errno;
	else if (!S_ISREG(status.st_mode))
		error = EINVAL;
	else
		error = read_file(descriptor, text);
	close(descriptor);
	return error != 0 ? error : configure(text);
}

bool sources_changed(const char *path, const struct stat *taken)
{
	struct stat now = status_now(path);

	return now.st_ctim.tv_sec != taken->st_ctim.tv_sec || now.st_ctim.tv_nsec != taken->st_ctim.tv_nsec ||
	       now.st_dev != taken->st_dev || now.st_ino != taken->st_ino || now.st_size != taken->st_size;
}
