/*
 * The smallest harness that can convict: every CHECK is counted, a failed one
 * says where, and main ends with the counts and an exit code.
 */
#ifndef UNIT_H
#define UNIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned int	 unit_passed, unit_failed;

#define CHECK(cond) do {						\
	if (cond)							\
		unit_passed++;						\
	else {								\
		unit_failed++;						\
		fprintf(stderr, "%s:%d: %s: failed: %s\n", __FILE__,	\
		    __LINE__, __func__, #cond);				\
	}								\
} while (0)

#define CHECK_STR(got, want) do {					\
	const char *unit_g = (got), *unit_w = (want);			\
	if (unit_g != NULL && strcmp(unit_g, unit_w) == 0)		\
		unit_passed++;						\
	else {								\
		unit_failed++;						\
		fprintf(stderr, "%s:%d: %s: got \"%s\", want \"%s\"\n",	\
		    __FILE__, __LINE__, __func__,			\
		    unit_g == NULL ? "(null)" : unit_g, unit_w);	\
	}								\
} while (0)

#define CHECK_INT(got, want) do {					\
	long long unit_g = (got), unit_w = (want);			\
	if (unit_g == unit_w)						\
		unit_passed++;						\
	else {								\
		unit_failed++;						\
		fprintf(stderr, "%s:%d: %s: %s is %lld, want %lld\n",	\
		    __FILE__, __LINE__, __func__, #got, unit_g, unit_w);\
	}								\
} while (0)

/* Print the counts; the value is main's exit code. */
static inline int
unit_end(void)
{
	printf("%u passed, %u failed\n", unit_passed, unit_failed);
	return (unit_failed != 0 || unit_passed == 0);
}

#endif
