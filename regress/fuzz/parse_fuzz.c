/*
 * A hostile risad.conf: it is refused with a complaint, or what the parser
 * makes of it prints as text that means the same.  The same again gives the
 * same again, or a reload would depend on what came before it.  A first line
 * of "-D name=value" is from the command line.
 */
#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "log.h"
#include "utf8.h"

#define TRUE_OR_DIE(c)	do { if (!(c)) abort(); } while (0)
#define PRINTED_MAX	(64 * 1024)

static char	 dir[] = "/tmp/parse_fuzz.XXXXXX";
static char	 in[64], out[64], again[64];
static int	 complaints;

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The parser's only need of log.c. */
const char *
log_safe(const char *s)
{
	return (s);
}

static void
complain(const char *line)
{
	complaints++;
	TRUE_OR_DIE(line[0] != '\0' && strlen(line) <= MAX_LINE);
}

static void
leave(void)
{
	(void)unlink(in);
	(void)unlink(out);
	(void)unlink(again);
	(void)rmdir(dir);
}

static void
enter(void)
{
	(void)umask(077);
	if (mkdtemp(dir) == NULL)
		err(1, "%s", dir);
	(void)snprintf(in, sizeof(in), "%s/in", dir);
	(void)snprintf(out, sizeof(out), "%s/out", dir);
	(void)snprintf(again, sizeof(again), "%s/again", dir);
	atexit(leave);
}

static void
store(const char *name, const void *data, size_t len)
{
	int	 fd;

	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd == -1 || write(fd, data, len) != (ssize_t)len)
		err(1, "%s", name);
	close(fd);
}

static size_t
load(const char *name, char *buf)
{
	ssize_t	 n;
	int	 fd;

	if ((fd = open(name, O_RDONLY)) == -1 ||
	    (n = read(fd, buf, PRINTED_MAX)) == -1)
		err(1, "%s", name);
	close(fd);
	return ((size_t)n);
}

static void
print_to(const char *name, const struct conf *co)
{
	int	 fd, save;

	fflush(stdout);
	if ((save = dup(STDOUT_FILENO)) == -1 ||
	    (fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600)) == -1 ||
	    dup2(fd, STDOUT_FILENO) == -1)
		err(1, "%s", name);
	close(fd);
	print_config(co);
	fflush(stdout);
	(void)dup2(save, STDOUT_FILENO);
	close(save);
}

static void
check(const struct conf *co)
{
	static char	 first[PRINTED_MAX], second[PRINTED_MAX];
	struct conf	*copy;
	size_t		 len;

	TRUE_OR_DIE(co->co_domain != NULL && co->co_cert != NULL &&
	    co->co_key != NULL && co->co_port != 0);
	TRUE_OR_DIE(co->co_nsession >= 1 && co->co_nsession <= MAX_SESSIONS &&
	    co->co_nhash >= 1 && co->co_nhash <= MAX_HASHES);
	TRUE_OR_DIE(co->co_idle >= 1 && co->co_idle <= co->co_absolute);
	TRUE_OR_DIE(co->co_max_addr_conns <= co->co_max_conns);
	TRUE_OR_DIE(utf8_valid(co->co_country, strlen(co->co_country)));
	print_to(out, co);
	TRUE_OR_DIE((copy = parse_config(out, NULL, 0, complain)) != NULL);
	print_to(again, copy);
	conf_free(copy);
	len = load(out, first);
	TRUE_OR_DIE(len > 0 && load(again, second) == len &&
	    memcmp(first, second, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf	*co;
	const uint8_t	*nl;
	char		*macro = NULL;
	int		 first, n = 0;

	if (in[0] == '\0')
		enter();
	if (size > 3 && memcmp(data, "-D ", 3) == 0 &&
	    (nl = memchr(data, '\n', size)) != NULL) {
		macro = strndup((const char *)data + 3,
		    (size_t)(nl - data) - 3);
		if (macro == NULL)
			abort();
		n = 1;
		size -= (size_t)(nl - data);
		data = nl;
	}
	store(in, data, size);
	complaints = 0;
	co = parse_config(in, &macro, n, complain);
	TRUE_OR_DIE((co == NULL) == (complaints > 0));
	conf_free(co);
	first = complaints;
	co = parse_config(in, &macro, n, complain);
	TRUE_OR_DIE(complaints == 2 * first);
	if (co != NULL)
		check(co);
	conf_free(co);
	free(macro);
	return (0);
}
