#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "db.h"

void
db_log_path(char *buf, size_t len, uint32_t tenant, uint32_t month)
{
	if (tenant == DB_SYSTEM)
		(void)snprintf(buf, len, "log-%06u.db", month);
	else
		(void)snprintf(buf, len, "tenants/%u/log-%06u.db", tenant,
		    month);
}

/* The month of a log's name, or 0. */
static uint32_t
log_month(const char *name)
{
	const char	*bad;
	char		 digits[7];
	uint32_t	 month;

	if (strlen(name) != strlen("log-202611.db") ||
	    strncmp(name, "log-", 4) != 0 || strcmp(name + 10, ".db") != 0)
		return (0);
	(void)strlcpy(digits, name + 4, sizeof(digits));
	month = (uint32_t)strtonum(digits, 197001, 999912, &bad);
	return (bad == NULL ? month : 0);
}

static void
log_remove(uint32_t tenant, uint32_t month)
{
	struct db	*db;
	char		 path[DB_PATH];

	if ((db = db_cached(tenant, month)) != NULL)
		db_close(db);
	db_log_path(path, sizeof(path), tenant, month);
	(void)db_remove(path);
}

int
db_log_each(uint32_t tenant, void (*fn)(uint32_t, uint32_t, void *), void *arg)
{
	struct dirent	*de;
	char		 path[DB_PATH];
	uint32_t	 month;
	DIR		*dir;

	db_dir(path, sizeof(path), tenant);
	if ((dir = opendir(path)) == NULL)
		return (-1);
	while ((de = readdir(dir)) != NULL)
		if ((month = log_month(de->d_name)) != 0)
			fn(tenant, month, arg);
	(void)closedir(dir);
	return (0);
}

struct next {
	uint32_t	 ne_after, ne_month;
};

static void
month_next(uint32_t tenant, uint32_t month, void *arg)
{
	struct next	*ne = arg;

	(void)tenant;
	if (month > ne->ne_after &&
	    (ne->ne_month == 0 || month < ne->ne_month))
		ne->ne_month = month;
}

uint32_t
db_log_next(uint32_t tenant, uint32_t after)
{
	struct next	 ne = { after, 0 };

	(void)db_log_each(tenant, month_next, &ne);
	return (ne.ne_month);
}

struct months {
	uint32_t	 mo_before, mo_n, mo_due, mo_oldest, mo_newest;
	uint32_t	 mo_set;	/* the first by a clock that was set */
	int		 mo_purge;
};

/* What was written before the clock was set is as old as what followed. */
static void
month_one(uint32_t tenant, uint32_t month, void *arg)
{
	struct months	*mo = arg;
	uint32_t	 as = month;

	if (month < db_month_of(RETAIN_SINCE))
		as = mo->mo_set;
	mo->mo_n++;
	if (mo->mo_oldest == 0 || month < mo->mo_oldest)
		mo->mo_oldest = month;
	if (month > mo->mo_newest)
		mo->mo_newest = month;
	if (as >= mo->mo_before)
		return;
	mo->mo_due++;
	if (mo->mo_purge)
		log_remove(tenant, month);
}

static int
months_each(uint32_t tenant, struct months *mo)
{
	mo->mo_set = db_log_next(tenant, db_month_of(RETAIN_SINCE - 1));
	if (mo->mo_set == 0)
		mo->mo_set = UINT32_MAX;
	return (db_log_each(tenant, month_one, mo));
}

int
db_log_months(uint32_t tenant, uint32_t before, uint32_t *n, uint32_t *due,
    uint32_t *oldest, uint32_t *newest)
{
	struct months	 mo = { .mo_before = before };

	if (months_each(tenant, &mo) == -1)
		return (-1);
	*n = mo.mo_n;
	*due = mo.mo_due;
	*oldest = mo.mo_oldest;
	*newest = mo.mo_newest;
	return (0);
}

int
db_log_purge(uint32_t tenant, uint32_t before)
{
	struct months	 mo = { .mo_before = before, .mo_purge = 1 };

	if (months_each(tenant, &mo) == -1)
		return (-1);
	return ((int)mo.mo_due);
}

int
db_log_aside(uint32_t tenant, uint32_t month)
{
	static const char *const	 ends[] = { "", "-wal", "-shm" };
	char				 path[DB_PATH], to[DB_PATH];
	char				 from[DB_PATH];
	size_t				 i, len;

	db_log_path(path, sizeof(path), tenant, month);
	len = strlen(path) - strlen(".db");
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(from, sizeof(from), "%s%s", path, ends[i]);
		(void)snprintf(to, sizeof(to), "%.*s.bad%s", (int)len, path,
		    ends[i]);
		if (rename(from, to) == -1 && (i == 0 || errno != ENOENT))
			return (-1);
	}
	return (0);
}

uint64_t
db_month_start(uint32_t month)
{
	struct tm	 tm;
	time_t		 t;

	if (month == 0)
		return (0);
	memset(&tm, 0, sizeof(tm));
	tm.tm_year = (int)(month / 100) - 1900;
	tm.tm_mon = (int)(month % 100) - 1;
	tm.tm_mday = 1;
	return ((t = timegm(&tm)) <= 0 ? 0 : (uint64_t)t * 1000);
}

uint32_t
db_month_of(uint64_t ms)
{
	struct tm	 tm;
	time_t		 t = (time_t)(ms / 1000);

	if (gmtime_r(&t, &tm) == NULL || tm.tm_year < 0 || tm.tm_year > 8099)
		return (197001);
	return ((uint32_t)(tm.tm_year + 1900) * 100 + (uint32_t)tm.tm_mon + 1);
}

uint32_t
db_month_next(uint32_t month)
{
	return (month % 100 == 12 ? month + 89 : month + 1);
}
