#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util.h"
#include "zone.h"

#define ZONES		"/usr/share/zoneinfo/"
#define WORD_MAX	64
#define HOUR		3600
#define DAY		(24 * HOUR)

static int	 chosen;		/* else it is UTC */

/* What the C library would take for UTC without a word is refused. */
static int
word_valid(const char *s)
{
	return (s[0] != '\0' && strlen(s) <= WORD_MAX && s[0] != '/' &&
	    strncmp(s, "right/", 6) != 0 && strstr(s, "//") == NULL &&
	    s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789_+-/")] == '\0');
}

/* A file of a zone, as RFC 9636 has it. */
static int
file_valid(const char *name)
{
	char		 path[sizeof(ZONES) + WORD_MAX], magic[4];
	struct stat	 sb;
	int		 fd, ok;

	(void)snprintf(path, sizeof(path), "%s%s", ZONES, name);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1)
		return (0);
	ok = fstat(fd, &sb) == 0 && S_ISREG(sb.st_mode) &&
	    read(fd, magic, sizeof(magic)) == sizeof(magic) &&
	    memcmp(magic, "TZif", sizeof(magic)) == 0;
	close(fd);
	return (ok);
}

int
zone_set(const char *name)
{
	if (!word_valid(name) || !file_valid(name) || unsetenv("TZDIR") ==
	    -1 || setenv("TZ", name, 1) == -1)
		return (-1);
	tzset();
	chosen = 1;
	return (0);
}

static struct tm *
local(time_t t, struct tm *tm)
{
	return (chosen ? localtime_r(&t, tm) : gmtime_r(&t, tm));
}

int
zone_text(char dst[ZONE_TEXT], uint64_t ms)
{
	struct tm	 tm;
	char		 whole[ZONE_TEXT];
	long		 off;

	dst[0] = '\0';
	if (ms == 0 || ms / 1000 > INT64_MAX ||
	    local((time_t)(ms / 1000), &tm) == NULL ||
	    tm.tm_year > 9999 - 1900 ||
	    strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return (-1);
	if (!chosen) {
		(void)snprintf(dst, ZONE_TEXT, "%.19sZ", whole);
		return (0);
	}
	off = tm.tm_gmtoff / 60;
	(void)snprintf(dst, ZONE_TEXT, "%.19s%c%02u:%02u", whole,
	    off < 0 ? '-' : '+', (unsigned int)(labs(off) / 60 % 24),
	    (unsigned int)(labs(off) % 60));
	return (0);
}

static int
same(const struct tm *a, const struct tm *b)
{
	return (a->tm_year == b->tm_year && a->tm_mon == b->tm_mon &&
	    a->tm_mday == b->tm_mday && a->tm_hour == b->tm_hour &&
	    a->tm_min == b->tm_min && a->tm_sec == b->tm_sec);
}

/* The offset of the zone around that time, some way before or after. */
static long
offset(time_t t)
{
	struct tm	 tm;

	return (local(t, &tm) == NULL ? 0 : tm.tm_gmtoff);
}

/* What a clock on the wall has shown at: the offset before and the one after
 * a change are the two that it can have been. */
static enum zone_why
wall(const struct tm *want, time_t *t)
{
	struct tm	 got, copy = *want;
	time_t		 clock = timegm(&copy), first, second;
	int		 is_first, is_second;

	first = clock - offset(clock - DAY);
	second = clock - offset(clock + DAY);
	is_first = local(first, &got) != NULL && same(&got, want);
	is_second = local(second, &got) != NULL && same(&got, want);
	*t = is_first ? first : second;
	if (is_first && is_second && first != second)
		return (ZONE_TWICE);
	return (is_first || is_second ? ZONE_OK : ZONE_NEVER);
}

/* When a day begins, also where its midnight never was or was twice. */
static time_t
day_begin(struct tm *day)
{
	time_t	 t, clock;

	day->tm_hour = day->tm_min = day->tm_sec = 0;
	clock = timegm(day);		/* makes a day of the 32nd, too */
	if (wall(day, &t) == ZONE_NEVER)
		t = clock - offset(clock - DAY);
	return (t);
}

uint64_t
zone_day_end(uint64_t ms, unsigned int days)
{
	struct tm	 tm;

	if (local((time_t)(ms / 1000), &tm) == NULL)
		return (0);
	tm.tm_mday += (int)days + 1;
	return ((uint64_t)day_begin(&tm) * 1000 - 1);
}

/* Z, or +hh:mm; 0 and the seconds that the wall is ahead, or -1. */
static int
offset_read(const char *s, long *off)
{
	unsigned int	 h, m;
	char		 end;

	*off = 0;
	if (strcmp(s, "Z") == 0)
		return (0);
	if ((s[0] != '+' && s[0] != '-') || strlen(s) != 6 || s[3] != ':' ||
	    strspn(s + 1, "0123456789:") != 5 ||
	    sscanf(s + 1, "%2u:%2u%c", &h, &m, &end) != 2 || h > 23 || m > 59)
		return (-1);
	*off = (long)(h * HOUR + m * 60) * (s[0] == '-' ? -1 : 1);
	return (0);
}

enum zone_why
zone_read(const char *s, int last, uint64_t *ms)
{
	struct tm	 tm, again;
	char		 text[ZONE_TEXT];
	const char	*end;
	enum zone_why	 why = ZONE_OK;
	int		 day = strlen(s) == sizeof("2027-03-31") - 1;
	time_t		 t;
	long		 off;

	memset(&tm, 0, sizeof(tm));
	end = strptime(s, day ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%S", &tm);
	if (end == NULL || tm.tm_year < 70)
		return (ZONE_NONE);
	/* In its only spelling, and no day that is none. */
	again = tm;
	t = timegm(&again);
	if (strftime(text, sizeof(text), day ? "%Y-%m-%d" :
	    "%Y-%m-%dT%H:%M:%S", &again) == 0 ||
	    strncmp(text, s, (size_t)(end - s)) != 0 ||
	    strlen(text) != (size_t)(end - s))
		return (ZONE_NONE);
	if (day)
		t = day_begin(&again);
	else if (*end == '\0')
		why = wall(&tm, &t);
	else if (offset_read(end, &off) == 0)
		t -= off;
	else
		return (ZONE_NONE);
	if (t <= 0)
		return (ZONE_NONE);
	*ms = (uint64_t)t * 1000;
	if (day && last)
		*ms = zone_day_end(*ms, 0);
	return (why);
}
