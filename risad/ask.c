#include <stdlib.h>

#include "log.h"
#include "session.h"
#include "util.h"

#define ASK_MS	10000
#define LONG_MS	60000		/* for thousands of lines */
#define LATE_MS	5000		/* more, until ask_age() has seen it */
#define ASK_MAX	20000		/* waiting, of the whole process */

struct ask {
	RB_ENTRY(ask)	 as_entry;
	TAILQ_ENTRY(ask)	 as_conn_entry;
	TAILQ_ENTRY(ask)	 as_age_entry;
	uint32_t		 as_id;
	enum proc_type		 as_to;
	enum imsg_type		 as_type;
	uint64_t		 as_until;	/* monotonic ms */
	struct conn		*as_conn;
	int			(*as_fn)(struct conn *, uint32_t, const void *,
				    void *);
	void			*as_arg;
};

RB_HEAD(ask_tree, ask);
static struct ask_tree	 asks = RB_INITIALIZER(&asks);
static TAILQ_HEAD(, ask)	 by_age = TAILQ_HEAD_INITIALIZER(by_age);
static struct event		 age_timer;
static unsigned int		 nasks;
static uint32_t			 last_id;

/*
 * What may come before RESULT, and from whom.  The functions know the rows of
 * their own question: any other is kept from them, for they would read it as
 * something that it is not.
 *
 * Grants and links come from storage though auth was asked: auth decides, and
 * storage has what auth shall not see.  For talk it is the other way round.
 */
#define A	PROC_AUTH
#define D	PROC_STORAGE
static const struct answer {
	enum imsg_type	 an_asked;
	enum proc_type	 an_from;
	enum imsg_type	 an_rows[2];
} answers[] = {
	{ IMSG_LOGIN, A, { IMSG_LOGIN_OK } },
	{ IMSG_LINK_USE, A, { IMSG_LOGIN_OK } },
	{ IMSG_PASSKEY_LOGIN, A, { IMSG_LOGIN_OK } },
	{ IMSG_GUEST_USE, A, { IMSG_LOGIN_OK } },
	{ IMSG_TOKEN, D, { IMSG_GRANT } },
	{ IMSG_LINK_GET, D, { IMSG_LINK } },
	{ IMSG_GUEST_GET, D, { IMSG_GUEST } },
	{ IMSG_FACTOR, A, { IMSG_FACTOR_SEED, IMSG_FACTOR_SHOW } },
	{ IMSG_PASSWORD_CHECK, A, { IMSG_PASSWORD_CHECKED } },
	{ IMSG_PASSKEY_ASK, A, { IMSG_CHALLENGE } },
	{ IMSG_SIGNINS, D, { IMSG_SIGNIN } },
	{ IMSG_FACTOR_GET, D, { IMSG_FACTOR_ROW } },
	{ IMSG_ME_SET, D, { IMSG_USER } },
	{ IMSG_FLOORS, D, { IMSG_FLOOR_ROW } },
	{ IMSG_FLOOR_GET, D, { IMSG_FLOOR_DOC } },
	{ IMSG_TALK_GET, A, { IMSG_TALK } },
	{ IMSG_SAY, D, { IMSG_SAID } },
	{ IMSG_HISTORY, D, { IMSG_MESSAGE } },
	{ IMSG_UNREAD, D, { IMSG_UNREAD_ROW } },
	{ IMSG_PEOPLE, D, { IMSG_PERSON } },
	{ IMSG_PASSKEYS, D, { IMSG_PASSKEY } },
	{ IMSG_GUESTS, D, { IMSG_GUEST_ROW, IMSG_VISIT_ROW } },
	{ IMSG_GUEST_ADD, D, { IMSG_GUEST_ROW, IMSG_A_LINK } },
	{ IMSG_A_USERS, D, { IMSG_A_USER } },
	{ IMSG_A_USER_ADD, D, { IMSG_A_USER, IMSG_A_LINK } },
	{ IMSG_A_USER_SET, D, { IMSG_A_USER } },
	{ IMSG_A_USER_LINK, D, { IMSG_A_LINK } },
	{ IMSG_A_SIGNINS, D, { IMSG_SIGNIN } },
	{ IMSG_A_GROUPS, D, { IMSG_A_GROUP } },
	{ IMSG_A_GROUP_ADD, D, { IMSG_A_GROUP } },
	{ IMSG_A_GROUP_SET, D, { IMSG_A_GROUP } },
	{ IMSG_A_TEMPLATES, D, { IMSG_A_TEMPLATE } },
	{ IMSG_A_FLOORS, D, { IMSG_A_FLOOR } },
	{ IMSG_A_FLOOR_ADD, D, { IMSG_A_FLOOR } },
	{ IMSG_A_FLOOR_SET, D, { IMSG_A_FLOOR } },
	{ IMSG_A_ROLES, D, { IMSG_A_ROLE } },
	{ IMSG_A_ROLE_ADD, D, { IMSG_A_ROLE } },
	{ IMSG_A_ROLE_SET, D, { IMSG_A_ROLE } },
	{ IMSG_A_IMPORT_END, D, { IMSG_A_IMPORT_ROW, IMSG_A_IMPORT_DONE } },
	{ IMSG_A_ALERTS, D, { IMSG_A_ALERT } },
	{ IMSG_A_AUDIT, D, { IMSG_A_AUDIT_ROW } },
	{ IMSG_A_POINTS, D, { IMSG_A_POINT } },
	{ IMSG_A_LOG, D, { IMSG_A_LOG_ROW } },
	{ IMSG_A_EXPORTS, D, { IMSG_A_EXPORT } },
};
#undef A
#undef D

static int
ask_cmp(struct ask *a, struct ask *b)
{
	return (a->as_id < b->as_id ? -1 : a->as_id > b->as_id);
}

RB_GENERATE_STATIC(ask_tree, ask, as_entry, ask_cmp)

static void
ask_free(struct ask *as)
{
	RB_REMOVE(ask_tree, &asks, as);
	TAILQ_REMOVE(&by_age, as, as_age_entry);
	if (as->as_conn != NULL)
		TAILQ_REMOVE(&as->as_conn->cn_asks, as, as_conn_entry);
	nasks--;
	free(as);
}

/* Out of the tables first: the function may close the connection. */
static void
ask_fail(struct ask *as)
{
	struct m_result	 m = { .code = R_UNAVAILABLE };
	struct ask	 copy = *as;

	ask_free(as);
	(void)copy.as_fn(copy.as_conn, IMSG_RESULT, &m, copy.as_arg);
}

int
ask_send(struct conn *cn, enum proc_type to, enum imsg_type type,
    const void *m, int (*fn)(struct conn *, uint32_t, const void *, void *),
    void *arg)
{
	struct ask	*as;
	unsigned int	 ms = type == IMSG_A_IMPORT_END ? LONG_MS : ASK_MS;

	if (nasks >= ASK_MAX ||
	    (as = calloc(1, sizeof(*as))) == NULL)
		return (-1);
	do
		as->as_id = ++last_id;
	while (as->as_id == 0 ||
	    RB_FIND(ask_tree, &asks, as) != NULL);
	if (proc_send(proc_peer(to, 0), type, as->as_id, -1, m) == -1) {
		free(as);
		return (-1);
	}
	as->as_to = to;
	as->as_type = type;
	as->as_until = mono_ms() + ms;
	as->as_conn = cn;
	as->as_fn = fn;
	as->as_arg = arg;
	RB_INSERT(ask_tree, &asks, as);
	TAILQ_INSERT_TAIL(&by_age, as, as_age_entry);
	if (cn != NULL) {
		TAILQ_INSERT_TAIL(&cn->cn_asks, as, as_conn_entry);
		conn_timer(cn, ms + LATE_MS);	/* there will be an answer */
	}
	nasks++;
	return (0);
}

static int
ask_expects(const struct ask *as, enum proc_type from, uint32_t type)
{
	const struct answer	*an;
	size_t			 i;

	/* For talk storage looks, and has auth answer. */
	if (type == IMSG_RESULT)
		return (from == as->as_to || (from == PROC_AUTH &&
		    as->as_type == IMSG_TALK_GET));
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		an = &answers[i];
		if (an->an_asked == as->as_type &&
		    (an->an_rows[0] == type || an->an_rows[1] == type))
			return (an->an_from == from);
	}
	return (0);
}

int
ask_answer(struct peer *pe, uint32_t type, uint32_t id, const void *m)
{
	struct ask	 key = { .as_id = id }, *as, copy;

	if ((as = RB_FIND(ask_tree, &asks, &key)) == NULL) {
		/* Too late, or its asker has gone; a grant is not lost. */
		if (type == IMSG_GRANT && pe->pe_proc == PROC_STORAGE)
			login_give_back(((const struct m_grant *)m)->grant);
		return (0);
	}
	if (!ask_expects(as, pe->pe_proc, type)) {
		log_warnx("%s answers %s with %s", proc_title(pe->pe_proc),
		    msg_name(as->as_type), msg_name(type));
		return (-1);
	}
	if (type == IMSG_GRANT && login_has(((const struct m_grant *)m)->
	    grant)) {
		log_warnx("%s gives a grant twice", proc_title(pe->pe_proc));
		return (-1);
	}
	copy = *as;
	if (type == IMSG_RESULT)
		ask_free(as);
	if (copy.as_fn(copy.as_conn, type, m, copy.as_arg) &&
	    type != IMSG_RESULT &&
	    (as = RB_FIND(ask_tree, &asks, &key)) != NULL)
		ask_free(as);
	return (0);
}

void
ask_cancel(struct conn *cn)
{
	struct ask	*as;

	while ((as = TAILQ_FIRST(&cn->cn_asks)) != NULL)
		ask_free(as);
}

/*
 * Does the answer depend on the process?  TOKEN, LINK_GET and TALK_GET need
 * both.
 */
static int
ask_needs(const struct ask *as, enum proc_type proc)
{
	return (as->as_to == proc ||
	    (proc == PROC_STORAGE && as->as_to == PROC_AUTH) ||
	    (proc == PROC_AUTH && as->as_type == IMSG_TALK_GET));
}

void
ask_down(enum proc_type proc)
{
	struct ask	*as, *next;
	uint32_t	 newest = last_id;

	/* What a function asks anew meanwhile is not ours to end. */
	for (as = TAILQ_FIRST(&by_age); as != NULL; as = next) {
		next = TAILQ_NEXT(as, as_age_entry);
		if ((int32_t)(as->as_id - newest) > 0)
			break;
		if (ask_needs(as, proc)) {
			ask_fail(as);
			next = TAILQ_FIRST(&by_age);
		}
	}
}

static void
ask_age(int fd, short what, void *arg)
{
	struct timeval	 tv = { 1, 0 };
	struct ask	*as;
	uint64_t	 now = mono_ms();

	(void)fd;
	(void)what;
	(void)arg;
again:
	/* Whatever it tells may end others: from the oldest once more. */
	TAILQ_FOREACH(as, &by_age, as_age_entry)
		if (as->as_until <= now) {
			ask_fail(as);
			goto again;
		}
	evtimer_add(&age_timer, &tv);
}

void
ask_init(void)
{
	evtimer_set(&age_timer, ask_age, NULL);
	ask_age(-1, 0, NULL);
}
