/*
 * What auth has found out about guessing: accounts that failures have locked,
 * and attacks on many accounts.  Who failed how often only auth knows; a lock
 * is kept here, so that no end of a process frees what is locked.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "storage.h"
#include "util.h"

#define LOCKS_KEPT	4096		/* of a tenant, for names of nobody */
#define ALERTS_KEPT	50

/* What a lock's proof binds: until, whose mail, which key. */
#define LOCK_BIND	(8 + 2 * SEAL_INDEX)
#define LOCK_TEXT	(1 + TOKEN_LEN)	/* known, key */
#define ALERT_BIND	16		/* begun, last */
#define ALERT_TEXT	(1 + 8 + 4)	/* over, tries, accounts; addresses */

struct alert {
	uint64_t	 al_id, al_begun, al_last, al_tries;
	uint32_t	 al_accounts;
	uint8_t		 al_over;
	char		 al_addrs[MAX_LINE + 1];
};

static int
mail_index(struct db *db, const char *mail, uint8_t out[SEAL_INDEX])
{
	return (seal_index(db->db_seal, "mail", mail, strlen(mail), out));
}

static void
lock_bind(uint8_t bind[LOCK_BIND], uint64_t until, const void *mail,
    const void *key)
{
	until = htobe64(until);
	memcpy(bind, &until, sizeof(until));
	memcpy(bind + 8, mail, SEAL_INDEX);
	memcpy(bind + 8 + SEAL_INDEX, key, SEAL_INDEX);
}

/* Its row goes, if there is one: 1, 0, or -1. */
static int
lock_drop(struct db *db, const struct m_lock *m, uint8_t text[LOCK_TEXT],
    uint8_t key[SEAL_INDEX])
{
	text[0] = m->known;
	memcpy(text + 1, m->key, sizeof(m->key));
	if (seal_index(db->db_seal, "lock", text, LOCK_TEXT, key) == -1)
		return (-1);
	return (db_exec(db, S_LOCK_DEL, ARGS(BIN(key, SEAL_INDEX))));
}

static int
lock_put(struct db *db, const struct m_lock *m, const char *mail)
{
	uint8_t		 mkey[SEAL_INDEX], key[SEAL_INDEX], bind[LOCK_BIND];
	uint8_t		 text[LOCK_TEXT];
	struct seal_at	 at = { "locks", "proof", 0, 0, bind, sizeof(bind) };
	void		*rec;
	size_t		 len;
	int		 n;

	if (mail_index(db, mail, mkey) == -1 ||
	    lock_drop(db, m, text, key) == -1 ||
	    db_next_id(db, "locks", &at.sa_row) == -1)
		return (-1);
	lock_bind(bind, m->until, mkey, key);
	if ((rec = db_seal(db, &at, text, sizeof(text), &len)) == NULL)
		return (-1);
	n = db_exec(db, S_LOCK_ADD, ARGS(NUM(at.sa_row),
	    BIN(key, sizeof(key)), BIN(mkey, sizeof(mkey)), NUM(m->until),
	    BIN(rec, len)));
	free(rec);
	return (n == 1 ? 0 : -1);
}

/* The key of a row that S_LOCKS or S_LOCKS_OF has found; 0, or -1. */
static int
lock_read(struct db *db, sqlite3_stmt *st, struct m_lock_row *m)
{
	uint8_t		 bind[LOCK_BIND];
	struct seal_at	 at = { "locks", "proof", 0, 0, bind, sizeof(bind) };
	const void	*key, *mkey;
	uint8_t		*text;
	size_t		 klen, mlen, len;

	at.sa_row = db_col_num(st, 0);
	key = db_col_bin(st, 1, &klen);
	mkey = db_col_bin(st, 2, &mlen);
	m->until = db_col_num(st, 3);
	if (klen != SEAL_INDEX || mlen != SEAL_INDEX)
		return (-1);
	lock_bind(bind, m->until, mkey, key);
	if ((text = db_open(db, &at, st, 4, &len)) == NULL)
		return (-1);
	if (len == LOCK_TEXT) {
		m->known = text[0] != 0;
		memcpy(m->key, text + 1, sizeof(m->key));
	}
	free(text);
	return (len == LOCK_TEXT ? 0 : -1);
}

/* What has no account at all is the URL of guests, which has a password. */
static int
lock_note(struct db *db, const struct m_lock *m, uint32_t user)
{
	if (m->user == 0 && m->email[0] == '\0')
		return (audit_add(db, "a guest URL: locked by failures"));
	return (audit_add(db, "user %u: locked by failures%s", user,
	    m->known ? " on a known device" : ""));
}

/* A try that was under way when it was locked was right. */
static enum result
lock_over(struct request *rq, const struct m_lock *m, uint32_t user)
{
	uint8_t	 text[LOCK_TEXT], key[SEAL_INDEX];
	int	 n;

	if ((n = lock_drop(rq->rq_db, m, text, key)) == -1 || (n == 1 &&
	    audit_add(rq->rq_db, "user %u: signed in, no longer locked by "
	    "failures", user) == -1))
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

/*
 * A name that nobody has is treated like one that somebody has, unless there
 * are too many of them: each took auth's limit of tries.
 */
enum result
data_lock(struct request *rq, const void *arg)
{
	const struct m_lock	*m = arg;
	struct db		*db = rq->rq_db;
	struct person		 p;
	uint64_t		 count;
	int			 n;

	if (db_exec(db, S_LOCKS_OVER, ARGS(NUM(now_ms()))) == -1 ||
	    db_number(db, S_LOCK_COUNT, NOARGS, &count) == -1)
		return (R_UNAVAILABLE);
	n = m->user != 0 ? person_get(db, m->user, &p) :
	    person_find(db, m->email, &p);
	if (n == -1)
		return (R_UNAVAILABLE);
	if (n == 0)
		p.p_id = 0;
	if (m->until == 0)
		return (lock_over(rq, m, p.p_id));
	if (n == 1 || (m->user == 0 && count < LOCKS_KEPT)) {
		if (lock_put(db, m, n == 1 ? p.p_mail : m->email) == -1 ||
		    lock_note(db, m, p.p_id) == -1)
			return (R_UNAVAILABLE);
	}
	explicit_bzero(&p, sizeof(p));
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

/* Auth is new and asks what is locked. */
enum result
data_locks(struct request *rq, const void *arg)
{
	struct m_lock_row	 m = { .tenant = rq->rq_tn->tn_id };
	sqlite3_stmt		*st;
	int			 n;

	(void)arg;
	st = db_query(rq->rq_db, S_LOCKS, ARGS(NUM(now_ms())));
	while ((n = db_step(rq->rq_db, st)) == 1)
		if (lock_read(rq->rq_db, st, &m) == 0)
			rq_answer(rq, IMSG_LOCK_ROW, &m);
	db_done(st);
	if (n == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

uint64_t
lock_until(struct db *db, const char *mail)
{
	uint8_t		 key[SEAL_INDEX];
	uint64_t	 until;

	if (mail_index(db, mail, key) == -1 ||
	    db_number(db, S_LOCK_UNTIL, ARGS(BIN(key, sizeof(key)),
	    NUM(now_ms())), &until) == -1)
		return (0);
	return (until);
}

/* One that auth alone knows of, since it could not be kept, ends as well. */
int
lock_clear(struct request *rq, const struct person *p)
{
	struct m_lock_row	 row;
	struct m_unlock		 m = { .tenant = rq->rq_tn->tn_id,
				    .email = "" };
	struct m_unlock		 all = { .tenant = rq->rq_tn->tn_id,
				    .user = p->p_id, .email = p->p_mail };
	struct db		*db = rq->rq_db;
	sqlite3_stmt		*st;
	uint8_t			 key[SEAL_INDEX];
	int			 n;

	if (mail_index(db, p->p_mail, key) == -1)
		return (-1);
	rq_tell(rq, PROC_AUTH, 0, 0, IMSG_UNLOCK, &all);
	st = db_query(db, S_LOCKS_OF, ARGS(BIN(key, sizeof(key))));
	while ((n = db_step(db, st)) == 1) {
		if (lock_read(db, st, &row) == -1)
			continue;
		m.known = row.known;
		memcpy(m.key, row.key, sizeof(m.key));
		rq_tell(rq, PROC_AUTH, 0, 0, IMSG_UNLOCK, &m);
	}
	db_done(st);
	if (n == -1)
		return (-1);
	return (db_exec(db, S_LOCKS_DEL, ARGS(BIN(key, sizeof(key)))));
}

/*
 * Attacks.
 */

static void
alert_bind(uint8_t bind[ALERT_BIND], uint64_t begun, uint64_t last)
{
	begun = htobe64(begun);
	last = htobe64(last);
	memcpy(bind, &begun, sizeof(begun));
	memcpy(bind + 8, &last, sizeof(last));
}

static void *
alert_seal(struct db *db, uint64_t id, const struct m_alert *m, size_t *len)
{
	uint8_t		 bind[ALERT_BIND], text[ALERT_TEXT + MAX_LINE];
	struct seal_at	 at = { "alerts", "body", id, 0, bind,
			    sizeof(bind) };
	uint64_t	 tries = htobe64(m->tries);
	uint32_t	 accounts = htobe32(m->accounts);
	size_t		 alen = strlen(m->addrs);

	alert_bind(bind, m->begun, m->last);
	text[0] = m->over;
	memcpy(text + 1, &tries, sizeof(tries));
	memcpy(text + 9, &accounts, sizeof(accounts));
	memcpy(text + ALERT_TEXT, m->addrs, alen);
	return (db_seal(db, &at, text, ALERT_TEXT + alen, len));
}

/* A row of S_ALERTS; 0, or -1. */
static int
alert_read(struct db *db, sqlite3_stmt *st, struct alert *al)
{
	uint8_t		 bind[ALERT_BIND];
	struct seal_at	 at = { "alerts", "body", 0, 0, bind, sizeof(bind) };
	uint8_t		*text;
	size_t		 len;
	int		 ret = -1;

	at.sa_row = al->al_id = db_col_num(st, 0);
	al->al_begun = db_col_num(st, 1);
	al->al_last = db_col_num(st, 2);
	alert_bind(bind, al->al_begun, al->al_last);
	if ((text = db_open(db, &at, st, 3, &len)) == NULL)
		return (-1);
	if (len >= ALERT_TEXT && len <= ALERT_TEXT + MAX_LINE) {
		al->al_over = text[0] != 0;
		memcpy(&al->al_tries, text + 1, sizeof(al->al_tries));
		memcpy(&al->al_accounts, text + 9, sizeof(al->al_accounts));
		al->al_tries = be64toh(al->al_tries);
		al->al_accounts = be32toh(al->al_accounts);
		memcpy(al->al_addrs, text + ALERT_TEXT, len - ALERT_TEXT);
		al->al_addrs[len - ALERT_TEXT] = '\0';
		ret = 0;
	}
	free(text);
	return (ret);
}

enum result
data_alert(struct request *rq, const void *arg)
{
	const struct m_alert	*m = arg;
	struct db		*db = rq->rq_db;
	uint64_t		 id, old;
	void			*rec;
	size_t			 len;
	int			 n;

	if (db_number(db, S_ALERT_FIND, ARGS(NUM(m->begun)), &old) == -1)
		return (R_UNAVAILABLE);
	id = old;
	if (old == 0 && db_next_id(db, "alerts", &id) == -1)
		return (R_UNAVAILABLE);
	if ((rec = alert_seal(db, id, m, &len)) == NULL)
		return (R_UNAVAILABLE);
	n = db_exec(db, S_ALERT_PUT, ARGS(NUM(id), NUM(m->begun),
	    NUM(m->last), BIN(rec, len)));
	free(rec);
	if (n != 1 || db_exec(db, S_ALERTS_OLD, ARGS(NUM(id),
	    NUM(ALERTS_KEPT))) == -1)
		return (R_UNAVAILABLE);
	if ((old == 0 || m->over) && audit_add(db, "attack on many accounts "
	    "%s: %u accounts, %llu tries, from %s", m->over ? "is over" :
	    "begins", m->accounts, (unsigned long long)m->tries,
	    m->addrs) == -1)
		return (R_UNAVAILABLE);
	if (old == 0)
		alert_raise(ALERT_ATTACK, rq->rq_tn->tn_id, "a list of "
		    "accounts is tried from %.300s; see show attacks",
		    m->addrs);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

int
alerts_each(struct db *db, void (*fn)(const struct m_a_alert *, void *),
    void *arg)
{
	struct alert		 al;
	struct m_a_alert	 m;
	sqlite3_stmt		*st;
	int			 n;

	st = db_query(db, S_ALERTS, NOARGS);
	while ((n = db_step(db, st)) == 1) {
		if (alert_read(db, st, &al) == -1)
			continue;
		m.begun = al.al_begun;
		m.last = al.al_last;
		m.tries = al.al_tries;
		m.over = al.al_over;
		m.accounts = al.al_accounts;
		m.addrs = al.al_addrs;
		fn(&m, arg);
	}
	db_done(st);
	return (n);
}

static void
send_alert(const struct m_a_alert *m, void *arg)
{
	rq_answer(arg, IMSG_A_ALERT, m);
}

enum result
adm_alerts(struct request *rq, const void *arg)
{
	(void)arg;
	if (alerts_each(rq->rq_db, send_alert, rq) == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}
