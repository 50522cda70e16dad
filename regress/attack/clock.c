/*
 * The clock as clock.py sets it: linked before libc's functions, so that the
 * program and its libraries ask here.  Each process maps the file of two
 * numbers when it starts, before it goes to jail: seconds that the time of the
 * day is ahead, and seconds that the monotonic clock is behind.
 */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t	*shift;

static void __attribute__((constructor))
shift_map(void)
{
	void	*p;
	int	 fd = open(CLOCK_FILE, O_RDONLY | O_CLOEXEC);

	if (fd == -1 || (p = mmap(NULL, 16, PROT_READ, MAP_SHARED, fd, 0)) ==
	    MAP_FAILED)
		abort();
	shift = p;
	close(fd);
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	if (syscall(SYS_clock_gettime, id, ts) == -1)
		return (-1);
	if (shift == NULL)
		return (0);
	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
		ts->tv_sec += shift[0];
	else if (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE)
		ts->tv_sec -= shift[1];
	return (0);
}

int
gettimeofday(struct timeval *tv, void *tz)
{
	struct timespec	 ts;

	(void)tz;
	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		return (-1);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return (0);
}

time_t
time(time_t *tp)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		return (-1);
	if (tp != NULL)
		*tp = ts.tv_sec;
	return (ts.tv_sec);
}
