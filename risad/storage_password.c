/*
 * Passwords of people: those before, that may not come again, when the present
 * one was set, and whether its owner has been told.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "storage.h"
#include "util.h"

static int
history(const struct request *rq)
{
	return ((int)rq->rq_tn->tn_policy.po_value[POLICY_HISTORY]);
}

static void
old_at(struct seal_at *at, uint64_t row, const uint32_t *user)
{
	memset(at, 0, sizeof(*at));
	at->sa_table = "old_passwords";
	at->sa_column = "secret";
	at->sa_row = row;
	at->sa_bind = user;
	at->sa_bindlen = sizeof(*user);
}

/* What is replaced now is kept as far as the rules will ask for it. */
static int
old_keep(struct request *rq, const struct person *p)
{
	struct db	*db = rq->rq_db;
	struct seal_at	 at;
	uint64_t	 id;
	void		*rec;
	size_t		 len;
	int		 n = -1;

	if (p->p_secretlen > 0 && history(rq) > 0) {
		if (db_next_id(db, "old_passwords", &id) == -1)
			return (-1);
		old_at(&at, id, &p->p_id);
		if ((rec = db_seal(db, &at, p->p_secret, p->p_secretlen,
		    &len)) != NULL)
			n = db_exec(db, S_OLD_ADD, ARGS(NUM(id), NUM(p->p_id),
			    BIN(rec, len)));
		free(rec);
		if (n != 1)
			return (-1);
	}
	n = db_exec(db, S_OLD_TRIM, ARGS(NUM(p->p_id),
	    NUM((uint64_t)history(rq))));
	return (n == -1 ? -1 : 0);
}

int
password_set(struct request *rq, struct person *p, const void *secret,
    size_t len)
{
	if (old_keep(rq, p) == -1 ||
	    person_set_secret(rq->rq_db, p, secret, len) == -1)
		return (-1);
	return (len == 0 || db_exec(rq->rq_db, S_PASSWORD_PUT,
	    ARGS(NUM(p->p_id), NUM(now_ms()))) == 1 ? 0 : -1);
}

static size_t
old_put(uint8_t *dst, size_t at, const void *secret, size_t len)
{
	uint16_t	 n = htobe16((uint16_t)len);

	if (len == 0 || len > MAX_SEALED || at + 2 + len > MAX_OLD)
		return (at);
	memcpy(dst + at, &n, sizeof(n));
	memcpy(dst + at + sizeof(n), secret, len);
	return (at + sizeof(n) + len);
}

size_t
password_old(struct request *rq, const struct person *p, uint8_t dst[MAX_OLD])
{
	struct db	*db = rq->rq_db;
	struct seal_at	 at;
	sqlite3_stmt	*st;
	void		*secret;
	size_t		 len, n = 0;

	if (history(rq) == 0)
		return (0);
	n = old_put(dst, n, p->p_secret, p->p_secretlen);
	/* The present one is the last of them. */
	st = db_query(db, S_OLD_LIST, ARGS(NUM(p->p_id),
	    NUM((uint64_t)history(rq) - (p->p_secretlen > 0))));
	while (db_step(db, st) == 1) {
		old_at(&at, db_col_num(st, 0), &p->p_id);
		if ((secret = db_open(db, &at, st, 1, &len)) == NULL)
			continue;
		n = old_put(dst, n, secret, len);
		freezero(secret, len);
	}
	db_done(st);
	return (n);
}

int
password_due(struct request *rq, uint32_t user)
{
	uint64_t	 days = rq->rq_tn->tn_policy.po_value[POLICY_DAYS];
	uint64_t	 now = now_ms(), changed;

	/* Whoever cannot be looked up keeps his password. */
	if (days == 0 || db_number(rq->rq_db, S_PASSWORD_CHANGED,
	    ARGS(NUM(user)), &changed) == -1)
		return (0);
	return (now > changed && now - changed > days * DAY);
}

int
password_tell(struct request *rq, uint32_t user, int fresh)
{
	return (db_exec(rq->rq_db, fresh ? S_PASSWORD_KNOWN : S_PASSWORD_TELL,
	    ARGS(NUM(user))) == -1 ? -1 : 0);
}

uint64_t
password_told(struct request *rq, const struct token *tk)
{
	uint64_t	 changed;

	if (db_number(rq->rq_db, S_PASSWORD_TOLD, ARGS(NUM(tk->tk_user),
	    NUM(tk->tk_id)), &changed) == -1)
		return (0);
	return (changed);
}
