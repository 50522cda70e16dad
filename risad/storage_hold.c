/*
 * Legal holds of single people, in the table holds; the whole tenant is held
 * by its rule POLICY_HOLD, whose reason stands at user 0 if it was given.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "storage.h"
#include "util.h"

static enum result
tenant_held(struct request *rq)
{
	rq->rq_field = "hold";
	return (rq->rq_tn->tn_policy.po_value[POLICY_HOLD] != 0 ? R_HELD :
	    R_OK);
}

/* R_HELD where the statement finds something. */
static enum result
found(struct request *rq, enum stmt s, const struct arg *args)
{
	uint64_t	 n;

	if (db_number(rq->rq_db, s, args, &n) == -1)
		return (R_UNAVAILABLE);
	return (n != 0 ? R_HELD : R_OK);
}

enum result
hold_user(struct request *rq, uint32_t user)
{
	enum result	 r;

	if ((r = tenant_held(rq)) != R_OK ||
	    (r = found(rq, S_HOLD_OF, ARGS(NUM(user)))) != R_OK)
		return (r);
	return (found(rq, S_HOLD_DIRECT, ARGS(NUM(user))));
}

enum result
hold_message(struct request *rq, uint64_t id)
{
	uint32_t	 who[3] = { 0, 0, 0 };
	sqlite3_stmt	*st;
	enum result	 r;
	size_t		 i;

	if ((r = tenant_held(rq)) != R_OK)
		return (r);
	st = db_query(rq->rq_db, S_TALK_WRITTEN, ARGS(NUM(id)));
	if (db_step(rq->rq_db, st) == 1) {
		who[0] = (uint32_t)db_col_num(st, 3);
		if (db_col_num(st, 0) == CHANNEL_USER) {
			who[1] = (uint32_t)db_col_num(st, 1);
			who[2] = (uint32_t)db_col_num(st, 2);
		}
	}
	db_done(st);
	for (i = 0; i < 3 && r == R_OK; i++)
		if (who[i] != 0)
			r = found(rq, S_HOLD_OF, ARGS(NUM(who[i])));
	return (r);
}

enum result
hold_range(struct request *rq, const struct erasing *es)
{
	const struct arg	*args = ARGS(NUM(es->es_what),
				    NUM(es->es_a), NUM(es->es_b),
				    NUM(es->es_from), NUM(es->es_to));
	enum result		 r;

	if ((r = tenant_held(rq)) != R_OK ||
	    (r = found(rq, S_HOLD_SENT, args)) != R_OK)
		return (r);
	return (found(rq, S_HOLD_GOT, args));
}

/* Is "user N" in it, and no longer number? */
static int
line_tells(const char *line, uint32_t user)
{
	char		 word[24];
	const char	*p = line;
	size_t		 len;

	len = (size_t)snprintf(word, sizeof(word), "user %u", user);
	while ((p = strstr(p, word)) != NULL) {
		p += len;
		if (*p < '0' || *p > '9')
			return (1);
	}
	return (0);
}

int
hold_line(struct db *db, const char *line)
{
	sqlite3_stmt	*st;
	int		 n, tells = 0;

	st = db_query(db, S_HOLDS, NOARGS);
	while ((n = db_step(db, st)) == 1 && !tells)
		tells = line_tells(line, (uint32_t)db_col_num(st, 0));
	db_done(st);
	return (n == -1 ? -1 : tells);
}

int
hold_any(struct db *db)
{
	uint64_t	 n;

	if (db_number(db, S_HOLD_ANY, NOARGS, &n) == -1)
		return (-1);
	return (n != 0);
}

int
hold_tenant(struct tenant *tn)
{
	struct db	*db;
	int		 n;

	if (tn->tn_policy.po_value[POLICY_HOLD] != 0)
		return (1);
	if ((db = tenant_enter(tn)) == NULL)
		return (-1);
	n = hold_any(db);
	tenant_leave(tn, db);
	return (n);
}

void
hold_over(struct tenant *tn)
{
	tn->tn_free = 0;
	tn->tn_sweep = 0;
}

int
hold_since(struct db *db, uint64_t *since)
{
	struct person	 p;
	sqlite3_stmt	*st;
	int		 n;

	*since = 0;
	st = db_query(db, S_HOLDS, NOARGS);
	while ((n = db_step(db, st)) == 1) {
		if (db_col_num(st, 0) == 0)
			continue;
		/* Of whom nothing is known everything is kept. */
		if (person_get(db, (uint32_t)db_col_num(st, 0), &p) != 1)
			p.p_created = 1;
		if (*since == 0 || p.p_created < *since)
			*since = p.p_created;
	}
	db_done(st);
	explicit_bzero(&p, sizeof(p));
	return (n);
}

/*
 * Commands.
 */

/* With the rule that holds the tenant, when it is the whole one. */
static enum result
hold_rule(struct request *rq, uint32_t user, uint32_t value)
{
	struct policy	 po = rq->rq_tn->tn_policy;

	if (user != 0 || po.po_value[POLICY_HOLD] == value)
		return (R_OK);
	po.po_value[POLICY_HOLD] = value;
	return (policy_set(rq, &po));
}

enum result
hold_set(struct request *rq, uint32_t user, const char *reason)
{
	struct seal_at	 at = { "holds", "reason", user, now_ms(), NULL, 0 };
	void		*rec;
	size_t		 len;
	int		 n;

	rq->rq_field = "reason";
	if (!note_valid(reason, MAX_REASON_CHARS) || reason[0] == '\0')
		return (R_INVALID);
	rq->rq_field = NULL;
	if ((rec = db_seal(rq->rq_db, &at, reason, strlen(reason),
	    &len)) == NULL)
		return (R_UNAVAILABLE);
	n = db_exec(rq->rq_db, S_HOLD_PUT, ARGS(NUM(user),
	    NUM(at.sa_version), NUM(rq->rq_op), BIN(rec, len)));
	free(rec);
	if (n != 1 || audit_add(rq->rq_db, "by operator %u: set hold of %s "
	    "%u, reason [%s]", rq->rq_op, user == 0 ? "tenant" : "user",
	    user == 0 ? rq->rq_tn->tn_id : user, reason) == -1)
		return (R_UNAVAILABLE);
	return (hold_rule(rq, user, 1));
}

enum result
hold_clear(struct request *rq, uint32_t user)
{
	int	 n;

	if ((n = db_exec(rq->rq_db, S_HOLD_DEL, ARGS(NUM(user)))) == -1)
		return (R_UNAVAILABLE);
	if (n == 0 && (user != 0 ||
	    rq->rq_tn->tn_policy.po_value[POLICY_HOLD] == 0))
		return (R_NOTFOUND);
	if (audit_add(rq->rq_db, "by operator %u: clear hold of %s %u",
	    rq->rq_op, user == 0 ? "tenant" : "user",
	    user == 0 ? rq->rq_tn->tn_id : user) == -1)
		return (R_UNAVAILABLE);
	hold_over(rq->rq_tn);
	return (hold_rule(rq, user, 0));
}

static void
hold_send(struct request *rq, sqlite3_stmt *st)
{
	struct seal_at		 at = { "holds", "reason", 0, 0, NULL, 0 };
	struct m_c_hold_row	 m = { .tenant = rq->rq_tn->tn_name };
	struct person		 p = { .p_id = 0 };
	size_t			 len;
	char			*reason;

	m.user = (uint32_t)(at.sa_row = db_col_num(st, 0));
	m.at = at.sa_version = db_col_num(st, 1);
	m.by = (uint32_t)db_col_num(st, 2);
	reason = db_open(rq->rq_db, &at, st, 3, &len);
	if (m.user != 0)
		(void)person_get(rq->rq_db, m.user, &p);
	m.email = p.p_mail;
	m.reason = reason == NULL ? "" : reason;
	rq_answer(rq, IMSG_C_HOLD_ROW, &m);
	free(reason);
	explicit_bzero(&p, sizeof(p));
}

int
hold_show(struct request *rq)
{
	struct m_c_hold_row	 m = { .tenant = rq->rq_tn->tn_name };
	sqlite3_stmt		*st;
	uint64_t		 whole;
	int			 n;

	/* The tenant's rule may have been set without a reason. */
	if (db_number(rq->rq_db, S_HOLD_OF, ARGS(NUM(0)), &whole) == -1)
		return (-1);
	if (whole == 0 && rq->rq_tn->tn_policy.po_value[POLICY_HOLD] != 0)
		rq_answer(rq, IMSG_C_HOLD_ROW, &m);
	st = db_query(rq->rq_db, S_HOLDS, NOARGS);
	while ((n = db_step(rq->rq_db, st)) == 1)
		if (db_col_num(st, 0) != 0 ||
		    rq->rq_tn->tn_policy.po_value[POLICY_HOLD] != 0)
			hold_send(rq, st);
	db_done(st);
	return (n);
}
