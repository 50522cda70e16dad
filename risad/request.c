#include <stdlib.h>

#include "log.h"
#include "session.h"
#include "util.h"

#define REQUEST_MS	10000
#define REQUEST_MAX	20000		/* waiting, of the whole process */

struct request {
	RB_ENTRY(request)	 rq_entry;
	TAILQ_ENTRY(request)	 rq_conn_entry;
	TAILQ_ENTRY(request)	 rq_age_entry;
	uint32_t		 rq_id;
	enum proc_type		 rq_to;
	enum imsg_type		 rq_type;
	uint64_t		 rq_until;	/* monotonic ms */
	struct conn		*rq_conn;
	int			(*rq_fn)(struct conn *, uint32_t, const void *,
				    void *);
	void			*rq_arg;
};

RB_HEAD(request_tree, request);
static struct request_tree	 requests = RB_INITIALIZER(&requests);
static TAILQ_HEAD(, request)	 by_age = TAILQ_HEAD_INITIALIZER(by_age);
static struct event		 age_timer;
static unsigned int		 nrequests;
static uint32_t			 last_id;

static int
request_cmp(struct request *a, struct request *b)
{
	return (a->rq_id < b->rq_id ? -1 : a->rq_id > b->rq_id);
}

RB_GENERATE_STATIC(request_tree, request, rq_entry, request_cmp)

static void
request_free(struct request *rq)
{
	RB_REMOVE(request_tree, &requests, rq);
	TAILQ_REMOVE(&by_age, rq, rq_age_entry);
	if (rq->rq_conn != NULL)
		TAILQ_REMOVE(&rq->rq_conn->cn_requests, rq, rq_conn_entry);
	nrequests--;
	free(rq);
}

/* Out of the tables first: the function may close the connection. */
static void
request_fail(struct request *rq)
{
	struct m_result	 m = { .code = R_UNAVAILABLE };
	struct request	 copy = *rq;

	request_free(rq);
	(void)copy.rq_fn(copy.rq_conn, IMSG_RESULT, &m, copy.rq_arg);
}

int
request_send(struct conn *cn, enum proc_type to, enum imsg_type type,
    const void *m, int (*fn)(struct conn *, uint32_t, const void *, void *),
    void *arg)
{
	struct request	*rq;

	if (nrequests >= REQUEST_MAX ||
	    (rq = calloc(1, sizeof(*rq))) == NULL)
		return (-1);
	do
		rq->rq_id = ++last_id;
	while (rq->rq_id == 0 ||
	    RB_FIND(request_tree, &requests, rq) != NULL);
	if (proc_send(proc_peer(to, 0), type, rq->rq_id, -1, m) == -1) {
		free(rq);
		return (-1);
	}
	rq->rq_to = to;
	rq->rq_type = type;
	rq->rq_until = mono_ms() + REQUEST_MS;
	rq->rq_conn = cn;
	rq->rq_fn = fn;
	rq->rq_arg = arg;
	RB_INSERT(request_tree, &requests, rq);
	TAILQ_INSERT_TAIL(&by_age, rq, rq_age_entry);
	if (cn != NULL)
		TAILQ_INSERT_TAIL(&cn->cn_requests, rq, rq_conn_entry);
	nrequests++;
	return (0);
}

/*
 * Grants and links come from storage though auth was asked: auth decides, and
 * storage has what auth shall not see.
 */
static int
request_expects(const struct request *rq, enum proc_type from, uint32_t type)
{
	if (rq->rq_type == IMSG_TOKEN && type == IMSG_GRANT)
		return (from == PROC_STORAGE);
	if (rq->rq_type == IMSG_LINK_GET && type == IMSG_LINK)
		return (from == PROC_STORAGE);
	return (from == rq->rq_to);
}

int
request_answer(struct peer *pe, uint32_t type, uint32_t id, const void *m)
{
	struct request	 key = { .rq_id = id }, *rq, copy;

	if ((rq = RB_FIND(request_tree, &requests, &key)) == NULL)
		return (0);		/* too late, or its asker has gone */
	if (!request_expects(rq, pe->pe_proc, type)) {
		log_warnx("%s answers %s with %s", proc_title(pe->pe_proc),
		    msg_name(rq->rq_type), msg_name(type));
		return (-1);
	}
	copy = *rq;
	if (type == IMSG_RESULT)
		request_free(rq);
	if (copy.rq_fn(copy.rq_conn, type, m, copy.rq_arg) &&
	    type != IMSG_RESULT &&
	    (rq = RB_FIND(request_tree, &requests, &key)) != NULL)
		request_free(rq);
	return (0);
}

void
request_cancel(struct conn *cn)
{
	struct request	*rq;

	while ((rq = TAILQ_FIRST(&cn->cn_requests)) != NULL)
		request_free(rq);
}

/* Does the answer depend on the process?  TOKEN and LINK_GET need both. */
static int
request_needs(const struct request *rq, enum proc_type proc)
{
	return (rq->rq_to == proc ||
	    (proc == PROC_STORAGE && rq->rq_to == PROC_AUTH));
}

void
request_down(enum proc_type proc)
{
	struct request	*rq, *next;
	uint32_t	 newest = last_id;

	/* What a function asks anew meanwhile is not ours to end. */
	for (rq = TAILQ_FIRST(&by_age); rq != NULL; rq = next) {
		next = TAILQ_NEXT(rq, rq_age_entry);
		if ((int32_t)(rq->rq_id - newest) > 0)
			break;
		if (request_needs(rq, proc)) {
			request_fail(rq);
			next = TAILQ_FIRST(&by_age);
		}
	}
}

static void
request_age(int fd, short what, void *arg)
{
	struct timeval	 tv = { 1, 0 };
	struct request	*rq;
	uint64_t	 now = mono_ms();

	(void)fd;
	(void)what;
	(void)arg;
	while ((rq = TAILQ_FIRST(&by_age)) != NULL && rq->rq_until <= now)
		request_fail(rq);
	evtimer_add(&age_timer, &tv);
}

void
request_init(void)
{
	evtimer_set(&age_timer, request_age, NULL);
	request_age(-1, 0, NULL);
}
