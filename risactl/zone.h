/*
 * Times as the operator wants them: in UTC, or in the zone that was chosen.
 * The daemon knows only UTC.
 */
#ifndef ZONE_H
#define ZONE_H

#include <stdint.h>

#define ZONE_TEXT	26	/* RFC 3339 with an offset, and its NUL */

enum zone_why { ZONE_OK, ZONE_NONE, ZONE_NEVER, ZONE_TWICE };

/*
 * Take a zone by its name in the system's database, such as Asia/Tokyo, from
 * now on.  Reads the file of it: before a sandbox.  0, or -1: there is none.
 */
int		 zone_set(const char *name);

/* A time in ms in that zone; 0, or -1 when there is none (0). */
int		 zone_text(char dst[ZONE_TEXT], uint64_t ms);

/*
 * Read a time: RFC 3339 with Z or an offset, without them in the zone, or a
 * day, of which the first ms is meant or (last) the last one.  ZONE_NONE: it
 * is no time; where the clock was changed a time may never have been, or have
 * been twice.
 */
enum zone_why	 zone_read(const char *, int last, uint64_t *ms);

/* The last ms of the day in the zone that begins so many days after the one
 * of this time. */
uint64_t	 zone_day_end(uint64_t ms, unsigned int days);

#endif
