/*
 * Commands that take a second operator, where risad.conf says so (E2).  Who
 * gives one gets a number; another operator, who may give it as well, confirms
 * that within an hour; then the first gives the same command once more, and it
 * runs once.  So a file goes to who has asked for it, and nothing happens
 * while nobody looks.
 *
 * What waits is in this memory alone: when the process ends it is forgotten,
 * and nothing runs that was not confirmed in its life.
 */
#include <stdlib.h>
#include <string.h>

#include "msg.h"
#include "storage.h"
#include "util.h"

#define LIFE		(3600 * SECOND)
#define PENDING_MAX	64
#define WHAT		800
#define ON_ITS_WAY	(10 * SECOND)	/* a command, at the most */

struct pending {
	TAILQ_ENTRY(pending) pd_entry;
	uint32_t	 pd_number, pd_op, pd_type, pd_second;
	int		 pd_confirmed;
	uint64_t	 pd_at;			/* ms */
	uint64_t	 pd_over;		/* mono ms */
	uint8_t		 pd_sum[TOKEN_LEN];	/* of the command */
	uint64_t	 pd_times[2];		/* that it was given with */
	char		 pd_what[WHAT];
};

static TAILQ_HEAD(pendinglist, pending) pendings =
    TAILQ_HEAD_INITIALIZER(pendings);
static unsigned int	 npending;
static uint32_t		 last_number;

static void
pending_free(struct pending *pd)
{
	TAILQ_REMOVE(&pendings, pd, pd_entry);
	npending--;
	free(pd);
}

static void
pending_expire(void)
{
	struct pending	*pd, *next;
	uint64_t	 now = mono_ms();

	TAILQ_FOREACH_SAFE(pd, &pendings, pd_entry, next)
		if (now >= pd->pd_over)
			pending_free(pd);
}

static uint32_t
policy_words(const struct m_c_policy *po)
{
	switch (po->key) {
	case POLICY_HOLD:
		return (po->value == 0 ? CONFIRM_DELETE | CONFIRM_PURGE :
		    CONFIRM_PURGE);
	case POLICY_CHAT_DAYS:
		return (CONFIRM_ERASE | CONFIRM_PURGE);
	case POLICY_AUDIT_DAYS:
	case POLICY_LOG_DAYS:
		return (CONFIRM_PURGE);
	default:
		return (0);
	}
}

/*
 * Which words of risad.conf are about the command, each of them enough; 0:
 * none.  What could be had by another command stands under the word of that.
 */
static uint32_t
words_of(uint32_t type, const void *m)
{
	const struct m_c_log		*lo = m;
	const struct m_c_tenant_end	*te = m;
	const struct m_c_erase		*er = m;

	switch (type) {
	case IMSG_C_USER_DEL:		/* with what was written to him */
	case IMSG_C_FLOOR_DEL:		/* and there */
	case IMSG_C_BACKUP_RESTORE:
	case IMSG_C_TENANT_ERASE:
		return (CONFIRM_DELETE | CONFIRM_ERASE);
	case IMSG_C_TENANT_END:
		return (te->at == 0 ? 0 : CONFIRM_DELETE | CONFIRM_ERASE);
	case IMSG_C_ERASE:
		return (CONFIRM_ERASE | (er->what == ERASE_PERSON ||
		    er->what == ERASE_NAMES ? CONFIRM_DELETE : CONFIRM_PURGE));
	case IMSG_C_HOLD_CLEAR:
		return (CONFIRM_DELETE | CONFIRM_PURGE);
	case IMSG_C_KEY_BACKUP:
	case IMSG_C_TENANT_EXPORT:
		return (CONFIRM_EXPORT);
	case IMSG_C_LOG_SHOW:
		return (lo->format == LOG_ROWS ? 0 : CONFIRM_EXPORT);
	case IMSG_C_OPERATOR_ADD:
	case IMSG_C_OPERATOR_DEL:
		return (CONFIRM_OPERATOR);
	case IMSG_C_KEEP:
	case IMSG_C_PURGE_RUN:
		return (CONFIRM_PURGE);
	case IMSG_C_POLICY_SET:
		return (policy_words(m));
	default:
		return (0);
	}
}

/*
 * The times of a command, some of which risactl reckons from now: given again
 * they differ.  Take them out, or put them in.
 */
static void
times_move(uint32_t type, void *m, uint64_t times[2], int in)
{
	struct m_c_log		*lo = m;
	struct m_c_tenant_end	*te = m;
	struct m_c_operator	*op = m;
	struct m_c_erase	*er = m;
	uint64_t		*where[2] = { NULL, NULL };
	int			 i;

	if (type == IMSG_C_LOG_SHOW) {
		where[0] = &lo->from;
		where[1] = &lo->to;
	} else if (type == IMSG_C_ERASE) {
		where[0] = &er->from;
		where[1] = &er->to;
	} else if (type == IMSG_C_TENANT_END)
		where[0] = &te->at;
	else if (type == IMSG_C_OPERATOR_ADD)
		where[0] = &op->until;
	for (i = 0; i < 2; i++) {
		if (where[i] == NULL)
			continue;
		if (!in)
			times[i] = *where[i];
		*where[i] = in ? times[i] : 0;
	}
}

/* What the command says, whoever gives it and whenever.  0, or -1. */
static int
command_sum(uint32_t type, void *m, uint8_t sum[TOKEN_LEN],
    uint64_t times[2])
{
	struct ibuf	*buf;
	uint32_t	 op = *(uint32_t *)m, t = type;
	int		 n = -1;

	*(uint32_t *)m = 0;
	times_move(type, m, times, 0);
	if ((buf = msg_encode(type, m)) != NULL &&
	    ibuf_add(buf, &t, sizeof(t)) == 0)
		n = sha256(sum, ibuf_data(buf), ibuf_size(buf));
	ibuf_free(buf);
	times_move(type, m, times, 1);
	*(uint32_t *)m = op;
	return (n);
}

/*
 * The same time once more?  One that was given from now on has moved as far as
 * the clock meanwhile; what else differs was typed so, and is another command.
 */
static int
time_same(const struct pending *pd, uint64_t was, uint64_t is)
{
	uint64_t	 moved = now_ms() - pd->pd_at, off = is - was - moved;

	return (is == was || (is != 0 && was != 0 &&
	    off + ON_ITS_WAY <= 2 * ON_ITS_WAY));
}

static struct pending *
pending_find(const struct request *rq, const uint8_t sum[TOKEN_LEN],
    const uint64_t times[2])
{
	struct pending	*pd;

	TAILQ_FOREACH(pd, &pendings, pd_entry)
		if (pd->pd_op == rq->rq_op && pd->pd_type == rq->rq_type &&
		    memcmp(pd->pd_sum, sum, TOKEN_LEN) == 0 &&
		    time_same(pd, pd->pd_times[0], times[0]) &&
		    time_same(pd, pd->pd_times[1], times[1]))
			return (pd);
	return (NULL);
}

static struct pending *
pending_number(uint32_t number)
{
	struct pending	*pd;

	pending_expire();
	TAILQ_FOREACH(pd, &pendings, pd_entry)
		if (pd->pd_number == number)
			return (pd);
	return (NULL);
}

static struct pending *
pending_new(const struct request *rq, const uint8_t sum[TOKEN_LEN],
    const uint64_t times[2], const char *what)
{
	struct pending	*pd;

	if (npending >= PENDING_MAX || (pd = calloc(1, sizeof(*pd))) == NULL)
		return (NULL);
	pd->pd_number = ++last_number;
	pd->pd_op = rq->rq_op;
	pd->pd_type = rq->rq_type;
	pd->pd_at = now_ms();
	pd->pd_over = mono_ms() + LIFE;
	memcpy(pd->pd_sum, sum, TOKEN_LEN);
	memcpy(pd->pd_times, times, sizeof(pd->pd_times));
	(void)strlcpy(pd->pd_what, what, sizeof(pd->pd_what));
	TAILQ_INSERT_TAIL(&pendings, pd, pd_entry);
	npending++;
	return (pd);
}

int
confirm_look(struct request *rq, void *m, const char *what,
    char why[MAX_LINE + 1])
{
	struct pending	*pd;
	uint8_t		 sum[TOKEN_LEN];
	uint64_t	 times[2] = { 0, 0 };

	if ((words_of(rq->rq_type, m) & storage_conf->sc_confirm) == 0)
		return (1);
	pending_expire();
	if (command_sum(rq->rq_type, m, sum, times) == -1)
		return (refuse(why, "no memory"));
	if ((pd = pending_find(rq, sum, times)) == NULL &&
	    (pd = pending_new(rq, sum, times, what)) == NULL)
		return (refuse(why, "too many commands wait for a second "
		    "operator"));
	/* Who has confirmed it must still be one who may. */
	if (!pd->pd_confirmed || operator_role(pd->pd_second) <
	    msg_role(rq->rq_type)) {
		(void)refuse(why, "not done: another operator has to confirm "
		    "this within an hour, by confirm %u; then give the same "
		    "command again", pd->pd_number);
		return (0);
	}
	times_move(rq->rq_type, m, pd->pd_times, 1);
	rq->rq_confirmed = 1;
	rq->rq_second = pd->pd_second;
	pending_free(pd);
	return (1);
}

int
confirm_give(struct request *rq, const struct m_c_confirm *m,
    char why[MAX_LINE + 1])
{
	struct pending	*pd;

	if ((pd = pending_number(m->number)) == NULL)
		return (refuse(why, "nothing waits under the number %u",
		    m->number));
	if (m->refuse) {
		pending_free(pd);
		return (0);
	}
	if (pd->pd_op == rq->rq_op)
		return (refuse(why, "this was asked for by yourself: another "
		    "operator has to confirm it"));
	if (operator_role(rq->rq_op) < msg_role(pd->pd_type))
		return (refuse(why, "this is for the role %s at least",
		    op_role_word(msg_role(pd->pd_type))));
	if (pd->pd_confirmed)
		return (refuse(why, "operator %u has confirmed it already",
		    pd->pd_second));
	pd->pd_confirmed = 1;
	pd->pd_second = rq->rq_op;
	return (0);
}

void
confirm_list(struct request *rq)
{
	struct pending		*pd;
	struct m_c_confirm_row	 m;
	uint64_t		 now = mono_ms();

	pending_expire();
	TAILQ_FOREACH(pd, &pendings, pd_entry) {
		m.number = pd->pd_number;
		m.by = pd->pd_op;
		m.second = pd->pd_second;
		m.confirmed = pd->pd_confirmed != 0;
		m.at = pd->pd_at;
		m.until = now_ms() + (pd->pd_over - now);
		m.what = pd->pd_what;
		rq_answer(rq, IMSG_C_CONFIRM_ROW, &m);
	}
}

void
confirm_target(const struct m_c_confirm *m, char *dst, size_t size)
{
	struct pending	*pd = pending_number(m->number);

	if (pd == NULL)
		(void)snprintf(dst, size, "%u", m->number);
	else
		(void)snprintf(dst, size, "%u of uid %u: %s", m->number,
		    pd->pd_op, pd->pd_what);
}
