/*
 * An answer says that something is done.  If that takes away what somebody may
 * do, it is done when all session processes act by it, and not when they have
 * been told: until then the answer is kept.  Those to questions are not, for
 * a session process asks where its pages may be before it says that it acts.
 */
#include <string.h>

#include "hold.h"
#include "log.h"
#include "storage.h"
#include "util.h"

#define FENCE_MS	(5 * SECOND)	/* who hangs is waited for so long */

/* What was told last and asked about. */
static struct fence {
	int		 fe_told;	/* something since the question */
	uint32_t	 fe_asked, fe_passed;
}			 fences[MAX_SESSIONS];
static uint32_t		 fence_number;
static struct heldlist	 fenced = TAILQ_HEAD_INITIALIZER(fenced);
static struct event	 fence_ev;

static void
arm(unsigned int ms)
{
	struct timeval	 tv;

	tv.tv_sec = ms / SECOND;
	tv.tv_usec = (suseconds_t)(ms % SECOND) * 1000;
	(void)evtimer_add(&fence_ev, &tv);
}

void
fence_told(enum proc_type proc, unsigned int inst, enum imsg_type type)
{
	if (proc == PROC_SESSION && (type == IMSG_GRANT_END ||
	    type == IMSG_GRANT_MUST || type == IMSG_RIGHTS ||
	    type == IMSG_ROLE || type == IMSG_TENANT))
		fences[inst].fe_told = 1;
}

int
fence_up(void)
{
	struct m_fence	 m = { fence_number + 1 };
	struct fence	*fe;
	struct peer	*pe;
	unsigned int	 i;
	int		 waits = 0;

	for (i = 0; i < proc_nsession; i++) {
		fe = &fences[i];
		if (fe->fe_told && (pe = proc_peer(PROC_SESSION, i)) != NULL &&
		    proc_send(pe, IMSG_FENCE, 0, -1, &m) == 0)
			fe->fe_asked = fence_number = m.number;
		fe->fe_told = 0;
		waits |= fe->fe_asked != fe->fe_passed;
	}
	return (waits);
}

int
fence_keeps(struct held *he)
{
	if (!he->he_did || !fence_up())
		return (0);
	he->he_fence = fence_number;
	he->he_since = mono_ms();
	if (TAILQ_EMPTY(&fenced))
		arm(FENCE_MS);
	TAILQ_INSERT_TAIL(&fenced, he, he_entry);
	return (1);
}

static int
fence_open(const struct held *he)
{
	const struct fence	*fe;

	for (fe = fences; fe < fences + proc_nsession; fe++)
		if (fe->fe_asked != fe->fe_passed &&
		    fe->fe_passed < he->he_fence)
			return (0);
	return (1);
}

static void
fence_leave(void)
{
	struct held	*he;
	struct peer	*pe;

	while ((he = TAILQ_FIRST(&fenced)) != NULL && fence_open(he)) {
		TAILQ_REMOVE(&fenced, he, he_entry);
		if ((pe = held_peer(he)) != NULL)
			(void)proc_send(pe, he->he_type, he->he_id, -1,
			    he->he_msg);
		hold_free(he);
	}
	if (TAILQ_EMPTY(&fenced))
		(void)evtimer_del(&fence_ev);
}

int
fence_passed(const struct peer *pe, const struct m_fence *m)
{
	struct fence	*fe = &fences[pe->pe_inst];

	if (m->number > fe->fe_asked)
		return (-1);
	if (m->number > fe->fe_passed)	/* else it came too late */
		fe->fe_passed = m->number;
	fence_leave();
	return (0);
}

/* A process that hangs takes nothing from clients either. */
static void
fence_late(int fd, short ev, void *arg)
{
	struct held	*he = TAILQ_FIRST(&fenced);
	struct fence	*fe;
	unsigned int	 i;
	uint64_t	 now = mono_ms();

	(void)fd;
	(void)ev;
	(void)arg;
	if (he != NULL && now - he->he_since < FENCE_MS) {
		arm((unsigned int)(he->he_since + FENCE_MS - now));
		return;
	}
	for (i = 0; i < proc_nsession; i++) {
		fe = &fences[i];
		if (fe->fe_asked != fe->fe_passed)
			log_warnx("session %u does not say that it has let "
			    "go of what was taken away", i);
		fe->fe_passed = fe->fe_asked;
	}
	fence_leave();
}

void
fence_forget(unsigned int inst)
{
	memset(&fences[inst], 0, sizeof(fences[0]));
	fence_leave();
}

void
fence_start(void)
{
	evtimer_set(&fence_ev, fence_late, NULL);
}
