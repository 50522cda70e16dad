/*
 * The only output of the daemon: syslog, or stderr with -d.  Text from outside
 * goes through log_safe() first.
 */
#ifndef LOG_H
#define LOG_H

#include <stdarg.h>
#include <stddef.h>

/* debug: write to stderr, not to syslog.  Opens syslog now, before a jail. */
void	 log_init(int debug);
/* 1: debug lines too. */
void	 log_setverbose(int verbose);
int	 log_getverbose(void);
/* Name of the process, in front of each line; kept by reference. */
void	 log_title(const char *title);

void	 log_warn(const char *, ...) __attribute__((format(printf, 1, 2)));
void	 log_warnx(const char *, ...) __attribute__((format(printf, 1, 2)));
void	 log_info(const char *, ...) __attribute__((format(printf, 1, 2)));
void	 log_debug(const char *, ...) __attribute__((format(printf, 1, 2)));
void	 fatal(const char *, ...)
	    __attribute__((format(printf, 1, 2), noreturn));
void	 fatalx(const char *, ...)
	    __attribute__((format(printf, 1, 2), noreturn));

/*
 * malloc, or the end: for libraries that go on without the memory they asked
 * for.  jansson does: it drops the byte that did not fit, and then writes
 * beyond the end of what it has counted.
 */
void	*memory_or_die(size_t);

/*
 * Text from outside, made visible and cut at 255 bytes.  One of four static
 * buffers in turn: good for the arguments of one log line.
 */
const char *log_safe(const char *);

#endif
