/*
 * Work for the hash processes.  Each has one job at a time; the others wait
 * here, where those whose asker has gone can be dropped, and where tenants
 * take turns.
 */

#include <sys/types.h>
#include <sys/queue.h>

#include <openssl/rand.h>

#include <event.h>
#include <string.h>

#include "auth_request.h"
#include "log.h"
#include "util.h"

#define MAX_JOBS	64		/* waiting, for each hash process */
#define DUMMY_RETRY	500		/* ms */

struct hasher {
	uint32_t		 hs_id;		/* of the job, 0: idle */
	enum imsg_type		 hs_answer;
	uint64_t		 hs_since;
};

static TAILQ_HEAD(, request)	 jobs = TAILQ_HEAD_INITIALIZER(jobs);
static unsigned int		 njobs;
static struct hasher		 hashers[MAX_HASHES];
static uint64_t			 turn, job_ms = 100;
static struct event		 dummy_timer;
static uint8_t			 dummy[MAX_SEALED];
static size_t			 dummy_len;
static int			 dummy_asked;

static int	 hash_up(void);
static struct request *job_pick(void);
static int	 job_send(struct request *, struct peer *, struct hasher *);
static void	 job_run(void);
static struct request *job_of(const struct hasher *);
static void	 dummy_made(struct request *, const struct m_blob *);
static void	 dummy_again(int, short, void *);

void
job_start(void)
{
	evtimer_set(&dummy_timer, dummy_again, NULL);
}

static int
hash_up(void)
{
	unsigned int	 i;

	for (i = 0; i < proc_nhash; i++)
		if (proc_peer(PROC_HASH, i) != NULL)
			return (1);
	return (0);
}

void
job_put(struct request *rq, enum wait wait)
{
	struct request	*other;
	unsigned int	 own = 0, max = MAX_JOBS * proc_nhash;

	if (!hash_up()) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return;
	}
	/* One tenant gets half of the room and no more. */
	TAILQ_FOREACH(other, &jobs, rq_job)
		own += other->rq_tenant == rq->rq_tenant;
	if (njobs >= max || own >= max / 2) {
		request_end(rq, R_BUSY,
		    1 + njobs * job_ms / (1000 * proc_nhash), NULL);
		return;
	}
	rq->rq_wait = wait;
	rq->rq_queued = 1;
	TAILQ_INSERT_TAIL(&jobs, rq, rq_job);
	njobs++;
	job_run();
}

void
job_drop(struct request *rq)
{
	if (!rq->rq_queued)
		return;
	TAILQ_REMOVE(&jobs, rq, rq_job);
	rq->rq_queued = 0;
	njobs--;
}

/* The oldest job of the tenant that was served longest ago. */
static struct request *
job_pick(void)
{
	struct request	*rq, *best = NULL;
	uint64_t	*at, since, best_since = UINT64_MAX;

	TAILQ_FOREACH(rq, &jobs, rq_job) {
		at = auth_turn(rq->rq_tenant);
		since = at == NULL ? 0 : *at;
		if (since < best_since) {
			best = rq;
			best_since = since;
		}
	}
	if (best != NULL && (at = auth_turn(best->rq_tenant)) != NULL)
		*at = ++turn;
	return (best);
}

static int
job_send(struct request *rq, struct peer *pe, struct hasher *hs)
{
	struct m_hash_check	 check = { { rq->rq_sealed, rq->rq_sealedlen },
				    rq->rq_password,
				    is_login(rq) && !rq->rq_deny };
	struct m_hash_make	 make = { .password = rq->rq_new,
				    .words = rq->rq_words,
				    .strength = rq->rq_strength,
				    .old = { rq->rq_old, rq->rq_oldlen } };
	struct m_hash_score	 score = { rq->rq_password, rq->rq_words };
	struct m_hash_otp	 otp = { rq->rq_tenant, rq->rq_user,
				    { rq->rq_totp, rq->rq_totplen },
				    rq->rq_otp };
	struct m_hash_user	 user = { rq->rq_tenant, rq->rq_user };
	int			 ret;

	switch (rq->rq_wait) {
	case W_CHECK:
		hs->hs_answer = IMSG_HASH_CHECKED;
		auth_counts.ac_checks++;
		rq->rq_hashed = 1;
		ret = proc_send(pe, IMSG_HASH_CHECK, rq->rq_id, -1, &check);
		break;
	case W_SCORE:
		hs->hs_answer = IMSG_HASH_SCORED;
		ret = proc_send(pe, IMSG_HASH_SCORE, rq->rq_id, -1, &score);
		break;
	case W_OTP:
		hs->hs_answer = IMSG_HASH_OTP_CHECKED;
		ret = proc_send(pe, IMSG_HASH_OTP, rq->rq_id, -1, &otp);
		break;
	case W_TOTP:
		hs->hs_answer = IMSG_HASH_TOTP_MADE;
		ret = proc_send(pe, IMSG_HASH_TOTP, rq->rq_id, -1, &user);
		break;
	case W_CODES:
		hs->hs_answer = IMSG_HASH_CODES_MADE;
		ret = proc_send(pe, IMSG_HASH_CODES, rq->rq_id, -1, &user);
		break;
	case W_REGISTER:
	case W_ASSERT:
		ret = passkey_send(rq, pe, &hs->hs_answer);
		break;
	default:
		if (rq->rq_new[0] == '\0')
			make.password = rq->rq_password;
		hs->hs_answer = IMSG_HASH_MADE;
		ret = proc_send(pe, IMSG_HASH_MAKE, rq->rq_id, -1, &make);
		break;
	}
	if (ret == 0) {
		hs->hs_id = rq->rq_id;
		hs->hs_since = mono_ms();
	}
	return (ret);
}

static void
job_run(void)
{
	struct peer	*pe;
	struct request	*rq;
	unsigned int	 i;

	for (i = 0; i < proc_nhash && i < MAX_HASHES; i++) {
		if ((pe = proc_peer(PROC_HASH, i)) == NULL)
			continue;
		while (hashers[i].hs_id == 0 && (rq = job_pick()) != NULL) {
			job_drop(rq);
			if (job_send(rq, pe, &hashers[i]) == -1)
				request_end(rq, R_UNAVAILABLE, 0, NULL);
		}
	}
}

/* Whose job it is, or NULL: given up meanwhile. */
static struct request *
job_of(const struct hasher *hs)
{
	struct request	*rq = request_find(hs->hs_id);

	return (rq != NULL && request_at_hash(rq) ? rq : NULL);
}

int
job_answer(struct peer *pe, uint32_t type, uint32_t id, const void *m)
{
	const struct m_hash_made	*made = m;
	const struct m_hash_scored	*scored = m;
	struct hasher			*hs = &hashers[pe->pe_inst];
	struct request			*rq;

	if (hs->hs_id == 0 || hs->hs_id != id || hs->hs_answer != type)
		return (-1);
	/* Passkeys take next to no time: passwords are what is waited for. */
	if (type == IMSG_HASH_CHECKED || type == IMSG_HASH_MADE)
		job_ms = (7 * job_ms + (mono_ms() - hs->hs_since)) / 8;
	rq = job_of(hs);
	hs->hs_id = 0;
	if (rq == NULL)
		;
	else if (type == IMSG_HASH_CHECKED)
		auth_checked(rq, m);
	else if (type == IMSG_HASH_OTP_CHECKED)
		factor_checked(rq, m);
	else if (type == IMSG_HASH_TOTP_MADE)
		factor_made(rq, m);
	else if (type == IMSG_HASH_CODES_MADE)
		factor_codes(rq, m);
	else if (type == IMSG_HASH_SCORED)
		auth_scored(rq, scored->score);
	else if (type == IMSG_HASH_REGISTERED)
		passkey_registered(rq, m);
	else if (type == IMSG_HASH_ASSERTED)
		passkey_asserted(rq, m);
	else if (rq->rq_type == IMSG_NONE)
		dummy_made(rq, &made->sealed);
	else
		auth_made(rq, made->answer, &made->sealed);
	job_run();
	return (0);
}

void
job_up(void)
{
	if (dummy_len == 0)
		dummy_start();
	job_run();
}

void
job_down(struct peer *pe)
{
	struct hasher	*hs = &hashers[pe->pe_inst];
	struct request	*rq;

	/* Not tried again: it may be what has killed the process. */
	if (hs->hs_id != 0 && (rq = job_of(hs)) != NULL)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	hs->hs_id = 0;
	if (hash_up())
		return;
	while ((rq = TAILQ_FIRST(&jobs)) != NULL)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
}

void
job_counts(uint64_t *waiting, uint64_t *ms)
{
	*waiting = njobs;
	*ms = job_ms;
}

/*
 * The dummy: a record of a password that nobody knows.  It is checked where
 * there is no account, so that this takes as long as where there is one.
 */

void
dummy_start(void)
{
	struct request	*rq;
	uint8_t		 secret[TOKEN_LEN];

	if (dummy_asked)
		return;
	if (RAND_bytes(secret, sizeof(secret)) != 1 ||
	    (rq = request_new(IMSG_NONE, 0)) == NULL) {
		dummy_failed();
		return;
	}
	dummy_asked = 1;
	evtimer_del(&dummy_timer);
	b64url_encode(rq->rq_password, sizeof(rq->rq_password), secret,
	    sizeof(secret));
	explicit_bzero(secret, sizeof(secret));
	job_put(rq, W_MAKE);
}

void
dummy_failed(void)
{
	struct timeval	 tv = { 0, DUMMY_RETRY * 1000 };

	dummy_asked = 0;
	evtimer_add(&dummy_timer, &tv);
}

static void
dummy_again(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	dummy_start();
}

static void
dummy_made(struct request *rq, const struct m_blob *sealed)
{
	if (sealed->mb_len == 0) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return;
	}
	memcpy(dummy, sealed->mb_data, sealed->mb_len);
	dummy_len = sealed->mb_len;
	dummy_asked = 0;
	request_free(rq);
}

int
dummy_copy(struct request *rq)
{
	if (dummy_len == 0)
		return (-1);
	memcpy(rq->rq_sealed, dummy, dummy_len);
	rq->rq_sealedlen = dummy_len;
	return (0);
}
