/* Times in the zones of the world: read, written, and refused. */
#include <sys/types.h>

#include "../../risactl/zone.h"
#include "../../risad/util.h"
#include "unit.h"

static uint64_t
utc(const char *s)
{
	uint64_t	 ms = 0;

	CHECK_INT(time_read(s, &ms), 0);
	return (ms);
}

static void
shows(const char *zone, const char *at, const char *want)
{
	char	 got[ZONE_TEXT];

	CHECK_INT(zone_set(zone), 0);
	CHECK_INT(zone_text(got, utc(at)), 0);
	CHECK_STR(got, want);
}

static void
reads(const char *zone, const char *s, int last, const char *want)
{
	uint64_t	 ms = 0;

	CHECK_INT(zone_set(zone), 0);
	CHECK_INT(zone_read(s, last, &ms), ZONE_OK);
	CHECK_INT(ms, utc(want) + (last ? 999 : 0));
}

static void
refuses(const char *zone, const char *s, enum zone_why why)
{
	uint64_t	 ms;

	CHECK_INT(zone_set(zone), 0);
	CHECK_INT(zone_read(s, 0, &ms), why);
}

/* Before any zone is chosen. */
static void
test_default(void)
{
	char		 got[ZONE_TEXT];
	uint64_t	 ms;

	CHECK_INT(zone_text(got, utc("2026-11-30T09:00:00Z")), 0);
	CHECK_STR(got, "2026-11-30T09:00:00Z");
	CHECK_INT(zone_text(got, 0), -1);
	CHECK_STR(got, "");
	CHECK_INT(zone_read("2026-11-30", 1, &ms), ZONE_OK);
	CHECK_INT(ms, utc("2026-11-30T23:59:59Z") + 999);
	CHECK_INT(zone_day_end(ms, 1), utc("2026-12-01T23:59:59Z") + 999);
}

static void
test_names(void)
{
	static const char *const	 bad[] = {
		"", "Asia", "Asia/", "Asia/Tokio", "/etc/localtime",
		"../zoneinfo/UTC", "Asia/../UTC", "tzdata.zi", "zone.tab",
		"right/UTC", "JST-9", "UTC0", "<+09>-9", "Asia//Tokyo",
		"Asia/Tokyo ", "Asia/Tok\nyo"
	};
	char	 name[5000];
	size_t	 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_INT(zone_set(bad[i]), -1);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	CHECK_INT(zone_set(name), -1);
	/* A directory of zones of somebody's own is not looked at. */
	CHECK_INT(setenv("TZDIR", "/nonexistent", 1), 0);
	shows("Asia/Tokyo", "2026-11-30T09:00:00Z",
	    "2026-11-30T18:00:00+09:00");
}

static void
test_zones(void)
{
	shows("UTC", "2026-11-30T09:00:00Z", "2026-11-30T09:00:00+00:00");
	shows("Asia/Kolkata", "2026-11-30T09:00:00Z",
	    "2026-11-30T14:30:00+05:30");
	shows("Asia/Kathmandu", "2026-11-30T20:00:00Z",
	    "2026-12-01T01:45:00+05:45");
	shows("America/St_Johns", "2026-01-01T00:00:00Z",
	    "2025-12-31T20:30:00-03:30");
	shows("Europe/Berlin", "2026-07-01T12:00:00Z",
	    "2026-07-01T14:00:00+02:00");
	shows("Europe/Berlin", "2026-12-01T12:00:00Z",
	    "2026-12-01T13:00:00+01:00");
	shows("Australia/Lord_Howe", "2026-01-01T00:00:00Z",
	    "2026-01-01T11:00:00+11:00");
}

static void
test_read(void)
{
	reads("Asia/Tokyo", "2026-11-30", 0, "2026-11-29T15:00:00Z");
	reads("Asia/Tokyo", "2026-11-30", 1, "2026-11-30T14:59:59Z");
	reads("Asia/Tokyo", "2026-11-30T18:00:00", 0, "2026-11-30T09:00:00Z");
	/* What says its offset is meant with it. */
	reads("Asia/Tokyo", "2026-11-30T18:00:00Z", 0,
	    "2026-11-30T18:00:00Z");
	reads("Asia/Tokyo", "2026-11-30T18:00:00-03:30", 0,
	    "2026-11-30T21:30:00Z");
	reads("Asia/Kolkata", "2026-11-30T00:15:00", 0,
	    "2026-11-29T18:45:00Z");
	/* Days of 23 and of 25 hours. */
	reads("Europe/Berlin", "2026-03-29", 0, "2026-03-28T23:00:00Z");
	reads("Europe/Berlin", "2026-03-29", 1, "2026-03-29T21:59:59Z");
	reads("Europe/Berlin", "2026-10-25", 0, "2026-10-24T22:00:00Z");
	reads("Europe/Berlin", "2026-10-25", 1, "2026-10-25T22:59:59Z");
	/* A midnight that never was, and one that was twice. */
	reads("Asia/Beirut", "2024-03-31", 0, "2024-03-30T22:00:00Z");
	reads("America/Havana", "2024-11-03", 0, "2024-11-03T04:00:00Z");
}

static void
test_changes(void)
{
	refuses("Europe/Berlin", "2026-03-29T02:30:00", ZONE_NEVER);
	refuses("Europe/Berlin", "2026-10-25T02:30:00", ZONE_TWICE);
	refuses("America/New_York", "2026-11-01T01:30:00", ZONE_TWICE);
	refuses("Australia/Lord_Howe", "2026-04-05T01:45:00", ZONE_TWICE);
	refuses("Australia/Lord_Howe", "2026-10-04T02:15:00", ZONE_NEVER);
	reads("Europe/Berlin", "2026-10-25T02:30:00+01:00", 0,
	    "2026-10-25T01:30:00Z");
	reads("Europe/Berlin", "2026-03-29T03:00:00", 0,
	    "2026-03-29T01:00:00Z");
	reads("Australia/Lord_Howe", "2026-10-04T02:30:00", 0,
	    "2026-10-03T15:30:00Z");
}

static void
test_wrong(void)
{
	static const char *const	 bad[] = {
		"", "today", "2026-02-30", "2026-13-01", "2026-1-01",
		"2026-11-30T", "2026-11-30T24:00:00", "2026-11-30T18:00",
		"2026-11-30 18:00:00", "2026-11-30T18:00:00z",
		"2026-11-30T18:00:00+9:00", "2026-11-30T18:00:00+0900",
		"2026-11-30T18:00:00+24:00", "2026-11-30T18:00:00+09:60",
		"2026-11-30T18:00:00+09:00x", "2026-11-30T18:00:00ZZ",
		"1969-12-31", "2026-11-30T18:00:00+-9:00", "12026-11-30"
	};
	size_t	 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuses("Asia/Tokyo", bad[i], ZONE_NONE);
}

int
main(void)
{
	test_default();
	test_names();
	test_zones();
	test_read();
	test_changes();
	test_wrong();
	return (unit_end());
}
