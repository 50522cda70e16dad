#include <err.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drop.h"

#define DROP_MAX	2

static char		 paths[DROP_MAX][PATH_MAX];
static volatile sig_atomic_t npaths;

/* At the exit, and in a handler. */
static void
drop(void)
{
	int	 i;

	for (i = 0; i < npaths; i++)
		(void)unlink(paths[i]);
}

static void
broken_off(int sig)
{
	drop();
	_exit(128 + sig);
}

/* What nohup has made deaf stays so. */
static void
drop_watch(void)
{
	static const int	 sigs[] = { SIGHUP, SIGINT, SIGTERM };
	size_t			 i;

	if (atexit(drop) != 0)
		err(1, NULL);
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		if (signal(sigs[i], SIG_IGN) != SIG_IGN)
			signal(sigs[i], broken_off);
}

void
drop_file(const char *path)
{
	static int	 watched;
	int		 n = npaths;

	if (!watched)
		drop_watch();
	watched = 1;
	if (n == DROP_MAX || strlcpy(paths[n], path, PATH_MAX) >= PATH_MAX)
		errx(1, "%s: name too long", path);
	npaths = n + 1;			/* a handler sees whole names alone */
}

void
drop_none(void)
{
	npaths = 0;
}
