/*
 * The table of requests under way in auth: bounded, each with an end in time,
 * found by an id that is not used again soon.
 */

#include <sys/types.h>
#include <sys/queue.h>

#include <event.h>
#include <stdlib.h>
#include <string.h>

#include "auth_request.h"
#include "control.h"
#include "log.h"
#include "util.h"

#define SLOT_BITS	12		/* of an id; REQUEST_MAX */

TAILQ_HEAD(request_list, request);

struct auth_counts		 auth_counts;

static struct request		*slots[REQUEST_MAX];
static uint32_t			 generations[REQUEST_MAX];
static unsigned int		 next_slot;
static struct request_list	 pending = TAILQ_HEAD_INITIALIZER(pending);
static unsigned int		 asked[MAX_SESSIONS];	/* pending, of each */
static struct event		 pending_timer;

static void	 request_leave(struct request *);
static int	 request_stays(struct request *);
static void	 request_late(struct request *);
static void	 request_arm(void);
static void	 request_expire(int, short, void *);

void
request_start(void)
{
	evtimer_set(&pending_timer, request_expire, NULL);
}

struct request *
request_new(enum imsg_type type, uint32_t tenant)
{
	struct request	*rq;
	unsigned int	 i = next_slot;

	if (auth_counts.ac_pending >= REQUEST_MAX ||
	    (rq = calloc(1, sizeof(*rq))) == NULL)
		return (NULL);
	while (slots[i] != NULL)
		i = (i + 1) % REQUEST_MAX;
	next_slot = (i + 1) % REQUEST_MAX;
	slots[i] = rq;
	/* Generation and slot: never 0, never one of control.c's. */
	generations[i] = (generations[i] + 1) & (~CONTROL_ID >> SLOT_BITS);
	if (generations[i] == 0)
		generations[i] = 1;
	rq->rq_id = generations[i] << SLOT_BITS | i;
	rq->rq_type = type;
	rq->rq_tenant = tenant;
	rq->rq_until = mono_ms() + REQUEST_MS;
	TAILQ_INSERT_TAIL(&pending, rq, rq_entry);
	auth_counts.ac_pending++;
	request_arm();
	return (rq);
}

struct request *
request_open(struct peer *pe, uint32_t id, enum imsg_type type,
    uint32_t tenant, const char *addr)
{
	struct request	*rq;
	unsigned int	 share;

	/* A session process that has lost its mind fills its own share. */
	share = REQUEST_MAX / (proc_nsession == 0 ? 1 : proc_nsession);
	auth_counts.ac_requests++;
	/*
	 * Before anything else, so that it tells nothing of accounts and links.
	 * A session process that was broken into can lie about the addresses
	 * of those whom it serves; of others' it has no tokens.
	 */
	if (!auth_welcomes(tenant, addr)) {
		auth_counts.ac_refused++;
		(void)proc_result(pe, id, R_ADDRESS, 0, NULL);
		return (NULL);
	}
	if (asked[pe->pe_inst] >= share ||
	    (rq = request_new(type, tenant)) == NULL) {
		auth_counts.ac_busy++;
		(void)proc_result(pe, id, R_BUSY, 1, NULL);
		return (NULL);
	}
	rq->rq_inst = pe->pe_inst;
	rq->rq_req = id;
	asked[rq->rq_inst]++;
	(void)strlcpy(rq->rq_addr, addr, sizeof(rq->rq_addr));
	return (rq);
}

struct request *
request_find(uint32_t id)
{
	struct request	*rq = slots[id % REQUEST_MAX];

	return (rq != NULL && rq->rq_id == id ? rq : NULL);
}

/* Its asker has gone, or has been told; storage has not answered yet. */
static void
request_leave(struct request *rq)
{
	if (!rq->rq_gone)
		asked[rq->rq_inst]--;
	rq->rq_gone = 1;
	rq->rq_wait = W_LOCK;
	explicit_bzero(rq->rq_password, sizeof(rq->rq_password));
	rq->rq_until = mono_ms() + REQUEST_MS;
	TAILQ_REMOVE(&pending, rq, rq_entry);
	TAILQ_INSERT_TAIL(&pending, rq, rq_entry);
}

/*
 * What hash has got and never answered may have been a guess.  When that has
 * locked something, what storage says of it has to be heard, whoever has gone.
 */
static int
request_stays(struct request *rq)
{
	int	 hashed = rq->rq_hashed;

	rq->rq_hashed = 0;
	if (!hashed || !throttle_wrong(rq) || throttle_keep(rq) == -1)
		return (0);
	request_leave(rq);
	return (1);
}

void
request_free(struct request *rq)
{
	job_drop(rq);
	if (request_stays(rq))
		return;
	if (rq->rq_wait == W_LOCK)
		throttle_unkept(rq);
	else
		throttle_open(rq);
	if (rq->rq_type != IMSG_NONE && rq->rq_client == 0 && !rq->rq_gone)
		asked[rq->rq_inst]--;
	TAILQ_REMOVE(&pending, rq, rq_entry);
	auth_counts.ac_pending--;
	slots[rq->rq_id % REQUEST_MAX] = NULL;
	free(rq->rq_words);
	freezero(rq->rq_old, rq->rq_oldlen);
	passkey_free(rq->rq_passkey);
	freezero(rq, sizeof(*rq));
}

void
request_end(struct request *rq, enum result code, uint64_t arg,
    const char *field)
{
	if (rq->rq_type == IMSG_NONE) {
		request_free(rq);
		dummy_failed();
		return;
	}
	if (rq->rq_client != 0) {
		control_sealed(rq->rq_client, NULL);
		request_free(rq);
		return;
	}
	if (rq->rq_gone) {
		request_free(rq);
		return;
	}
	switch (code) {
	case R_OK:
		break;
	case R_BUSY:
		auth_counts.ac_busy++;
		break;
	case R_TOOMANY:
	case R_LOCKED:
		auth_counts.ac_throttled++;
		break;
	case R_UNAVAILABLE:
		auth_counts.ac_unavailable++;
		break;
	default:
		auth_counts.ac_refused++;
		break;
	}
	(void)proc_result(proc_peer(PROC_SESSION, rq->rq_inst), rq->rq_req,
	    code, arg, field);
	request_free(rq);
}

void
request_refuse(struct request *rq)
{
	switch (rq->rq_type) {
	case IMSG_LOGIN:
	case IMSG_PASSKEY_LOGIN:
		log_debug("sign-in refused: tenant %u from %s", rq->rq_tenant,
		    log_safe(rq->rq_addr));
		request_end(rq, R_SIGNIN, 0, NULL);
		break;
	case IMSG_LINK_GET:
	case IMSG_LINK_USE:
	case IMSG_GUEST_GET:
	case IMSG_GUEST_USE:
		request_end(rq, R_LINK, 0, NULL);
		break;
	default:
		request_end(rq, R_SESSION, 0, NULL);
		break;
	}
}

void
request_ask(struct request *rq, enum wait wait, enum imsg_type type,
    const void *m)
{
	if (proc_send(proc_peer(PROC_STORAGE, 0), type, rq->rq_id, -1, m) ==
	    -1) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return;
	}
	rq->rq_wait = wait;
}

int
request_at_hash(const struct request *rq)
{
	switch (rq->rq_wait) {
	case W_CHECK:
	case W_MAKE:
	case W_SCORE:
	case W_OTP:
	case W_TOTP:
	case W_CODES:
	case W_REGISTER:
	case W_ASSERT:
		return (1);
	default:
		return (0);
	}
}

void
request_down(struct peer *pe)
{
	struct request	*rq, *next;

	for (rq = TAILQ_FIRST(&pending); rq != NULL; rq = next) {
		next = TAILQ_NEXT(rq, rq_entry);
		if (rq->rq_type == IMSG_NONE || rq->rq_client != 0)
			continue;
		if (pe->pe_proc == PROC_SESSION) {
			if (rq->rq_inst != pe->pe_inst || rq->rq_gone)
				continue;
			/* The lock is storage's by now, or will be. */
			if (rq->rq_wait == W_LOCK)
				request_leave(rq);
			else
				request_free(rq);
		} else if (pe->pe_proc == PROC_STORAGE && !request_at_hash(rq))
			request_end(rq, R_UNAVAILABLE, 0, NULL);
	}
}

/* All wait equally long, so the first of the list is the next to end. */
static void
request_arm(void)
{
	struct request	*rq = TAILQ_FIRST(&pending);
	struct timeval	 tv = { 0, 0 };
	uint64_t	 now = mono_ms();

	if (rq == NULL || evtimer_pending(&pending_timer, NULL))
		return;
	if (rq->rq_until > now) {
		tv.tv_sec = (time_t)((rq->rq_until - now) / 1000);
		tv.tv_usec = (suseconds_t)((rq->rq_until - now) % 1000 * 1000);
	}
	evtimer_add(&pending_timer, &tv);
}

/* Slow as storage is, it will write that lock: it holds until we know. */
static void
request_late(struct request *rq)
{
	if (!rq->rq_gone) {
		auth_counts.ac_unavailable++;
		(void)proc_result(proc_peer(PROC_SESSION, rq->rq_inst),
		    rq->rq_req, R_UNAVAILABLE, 0, NULL);
	}
	request_leave(rq);
}

static void
request_expire(int fd, short what, void *arg)
{
	struct request	*rq;
	uint64_t	 now = mono_ms();

	(void)fd;
	(void)what;
	(void)arg;
	while ((rq = TAILQ_FIRST(&pending)) != NULL && rq->rq_until <= now)
		if (rq->rq_wait == W_LOCK)
			request_late(rq);
		else
			request_end(rq, R_UNAVAILABLE, 0, NULL);
	request_arm();
}
