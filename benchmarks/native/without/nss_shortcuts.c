/* Linked into a dynuser-helper that leaves it to nss-systemd to ask process 1, and always asks nss-systemd. */
#include "probe/pid1.h"
#include "probe/sources.h"

__typeof__(pid1_question_begin) __wrap_pid1_question_begin;
__typeof__(pid1_lookup_enable) __wrap_pid1_lookup_enable;
__typeof__(sources_leave_out_systemd) __wrap_sources_leave_out_systemd;

bool __wrap_pid1_question_begin(struct pid1_question *question, const char *name)
{
	(void)question;
	(void)name;
	return false;
}

void __wrap_pid1_lookup_enable(bool enable)
{
	(void)enable;
}

void __wrap_sources_leave_out_systemd(bool leave_out)
{
	(void)leave_out;
}
