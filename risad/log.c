#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <vis.h>

#include "log.h"

#define LOG_SAFE	255	/* bytes of outside text in one line */

static int		 log_debugging;
static int		 log_verbose;
static const char	*log_name = "risad";

static void	 log_out(int, const char *, va_list)
		    __attribute__((format(printf, 2, 0)));

void
log_init(int debug)
{
	log_debugging = debug;
	if (!debug)
		openlog("risad", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void
log_setverbose(int verbose)
{
	log_verbose = verbose;
}

int
log_getverbose(void)
{
	return (log_verbose);
}

void
log_title(const char *title)
{
	log_name = title;
}

static void
log_out(int level, const char *fmt, va_list ap)
{
	char	 line[1500];
	int	 save = errno;

	(void)vsnprintf(line, sizeof(line), fmt, ap);
	if (log_debugging)
		fprintf(stderr, "%s: %s\n", log_name, line);
	else
		syslog(level, "%s: %s", log_name, line);
	errno = save;
}

/* The format with the reason of errno behind it. */
static void
log_errno(int level, const char *fmt, va_list ap)
{
	char	 line[1200];
	int	 save = errno;

	(void)vsnprintf(line, sizeof(line), fmt, ap);
	if (log_debugging)
		fprintf(stderr, "%s: %s: %s\n", log_name, line,
		    strerror(save));
	else
		syslog(level, "%s: %s: %s", log_name, line, strerror(save));
	errno = save;
}

void
log_warn(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	log_errno(LOG_WARNING, fmt, ap);
	va_end(ap);
}

void
log_warnx(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	log_out(LOG_WARNING, fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	log_out(LOG_INFO, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *fmt, ...)
{
	va_list	 ap;

	if (!log_verbose)
		return;
	va_start(ap, fmt);
	log_out(LOG_DEBUG, fmt, ap);
	va_end(ap);
}

void
fatal(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	log_errno(LOG_CRIT, fmt, ap);
	va_end(ap);
	exit(1);
}

void
fatalx(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	log_out(LOG_CRIT, fmt, ap);
	va_end(ap);
	exit(1);
}

void *
memory_or_die(size_t n)
{
	void	*p;

	if ((p = malloc(n)) == NULL)
		fatal("memory");
	return (p);
}

const char *
log_safe(const char *text)
{
	static char	 ring[4][LOG_SAFE + 1];
	static unsigned	 next;
	char		*dst = ring[next++ % 4];

	(void)strnvis(dst, text, LOG_SAFE + 1, VIS_CSTYLE | VIS_NL | VIS_TAB);
	return (dst);
}
