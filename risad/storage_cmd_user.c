/*
 * Commands about people: accounts, sign-ins, erasure, holds.
 */
#include <string.h>

#include "storage_cmd.h"
#include "util.h"

/*
 * Users.
 */

static int
user_add(struct command *co)
{
	const struct m_c_user	*m = co->co_m;
	struct person		 p;
	struct m_a_link		 link;
	enum result		 r;
	int			 role;

	if (co_tenant(co, m->tenant) == -1 ||
	    (role = co_role(co, m->role)) == -1 || co_begin(co) == -1)
		return (-1);
	if ((r = user_create(co->co_rq, m->email, m->name, (uint8_t)role,
	    &p)) == R_OK)
		r = user_link(co->co_rq, &p, &link);
	if (co_commit(co, r, m->email) == -1)
		return (-1);
	co_link(co, &link, 0);
	explicit_bzero(&link, sizeof(link));
	return (0);
}

/* What is done to one user who exists, in a transaction. */
static int
user_change(struct command *co, enum result (*fn)(struct command *,
    struct person *))
{
	const struct m_c_user	*m = co->co_m;
	struct person		 p;
	int			 ret;

	if (co_tenant(co, m->tenant) == -1 ||
	    co_person(co, m->email, &p) == -1 || co_begin(co) == -1)
		return (-1);
	ret = co_commit(co, fn(co, &p), m->email);
	explicit_bzero(&p, sizeof(p));
	return (ret);
}

static enum result
state_fn(struct command *co, struct person *p)
{
	const struct m_c_user	*m = co->co_m;

	return (user_set_state(co->co_rq, p, m->arg));
}

static int
user_state(struct command *co)
{
	return (user_change(co, state_fn));
}

static enum result
role_fn(struct command *co, struct person *p)
{
	const struct m_c_user	*m = co->co_m;
	int			 n;

	if ((n = co_role(co, m->role)) == -1) {
		co->co_rq->rq_field = "role";
		return (R_INVALID);
	}
	return (user_set_role(co->co_rq, p, (uint8_t)n));
}

static int
user_role(struct command *co)
{
	return (user_change(co, role_fn));
}

static enum result
del_fn(struct command *co, struct person *p)
{
	return (user_remove(co->co_rq, p));
}

static int
user_del(struct command *co)
{
	return (user_change(co, del_fn));
}

static enum result
factor_fn(struct command *co, struct person *p)
{
	return (factor_clear(co->co_rq, p));
}

static int
user_factor(struct command *co)
{
	return (user_change(co, factor_fn));
}

static enum result
end_fn(struct command *co, struct person *p)
{
	return (signins_end(co->co_rq, p->p_id));
}

static int
session_end(struct command *co)
{
	return (user_change(co, end_fn));
}

static int
user_relink(struct command *co)
{
	const struct m_c_user	*m = co->co_m;
	struct person		 p;
	struct m_a_link		 link;

	if (co_tenant(co, m->tenant) == -1 ||
	    co_person(co, m->email, &p) == -1)
		return (-1);
	/* Nobody loses a password by a word that does not say so. */
	if (m->arg == LINK_INVITE && p.p_state != USER_INVITED)
		return (co_refuse(co, "%s has a password already: user reset "
		    "gives a new link", m->email));
	if (co_begin(co) == -1)
		return (-1);
	if (co_commit(co, user_link(co->co_rq, &p, &link), m->email) == -1)
		return (-1);
	co_link(co, &link, 0);
	explicit_bzero(&link, sizeof(link));
	explicit_bzero(&p, sizeof(p));
	return (0);
}

static int
import_start(struct command *co)
{
	const struct m_c_import	*m = co->co_m;

	if (co_tenant(co, m->tenant) == -1)
		return (-1);
	switch (import_begin(co->co_rq, m->op, m->nr)) {
	case R_OK:
		return (0);
	case R_BUSY:
		return (co_refuse(co, "%s: another import is going on",
		    m->tenant));
	default:
		return (co_refuse(co, "no memory"));
	}
}

static int
import_more(struct command *co)
{
	const struct m_c_import_line	*m = co->co_m;
	struct m_a_import_line		 ln = { 0, m->nr, m->line, m->mask,
					    m->why, m->place, m->email,
					    m->name, m->role, m->groups,
					    m->state };

	if (co_tenant(co, m->tenant) == -1)
		return (-1);
	import_line(co->co_rq, m->op, &ln);
	return (0);
}

static int
import_finish(struct command *co)
{
	const struct m_c_import_end	*m = co->co_m;
	size_t				 faults;
	enum result			 r;

	if (co_tenant(co, m->tenant) == -1 || co_begin(co) == -1)
		return (-1);
	r = import_end(co->co_rq, m->op, m->nr, m->count, m->dry, NULL,
	    &faults);
	if (r == R_BUSY)
		r = R_UNAVAILABLE;
	if (co_commit(co, r, m->tenant) == -1)
		return (-1);
	if (faults > 0)
		return (co_refuse(co, "lines at fault: %zu%s", faults, m->dry ?
		    "" : "; nothing was changed"));
	return (0);
}

static void
user_row(struct db *db, struct rights *rt, const struct person *p,
    struct m_c_user_row *m)
{
	m->user = p->p_id;
	m->role = rights_role_name(rt, p->p_role);
	m->state = p->p_state;
	m->last = p->p_last;
	m->created = p->p_created;
	m->invite = link_expiry(db, p->p_id);
	m->factors = p->p_factors;
	m->locked = lock_until(db, p->p_mail);
	m->email = p->p_mail;
}

static int
user_show(struct command *co)
{
	const struct m_c_user	*m = co->co_m;
	struct person		 p;
	struct m_c_user_row	 row;
	struct rights		*rt;

	if (co_tenant(co, m->tenant) == -1 ||
	    co_person(co, m->email, &p) == -1)
		return (-1);
	if ((rt = rights_get(co->co_rq->rq_db)) == NULL)
		return (co_refuse(co, "the roles cannot be read"));
	user_row(co->co_rq->rq_db, rt, &p, &row);
	rq_answer(co->co_rq, IMSG_C_USER_ROW, &row);
	explicit_bzero(&p, sizeof(p));
	return (0);
}

/* Some rows of a tenant's table; send takes one row of the statement. */
static int
stream_rows(struct stream *sm, struct peer *pe, enum stmt s,
    void (*send)(struct stream *, struct peer *, struct db *,
    sqlite3_stmt *))
{
	struct tenant	*tn = tenant_by_id(sm->st_tenant);
	struct db	*db;
	sqlite3_stmt	*st;
	int		 n, rows = 0;

	if (tn == NULL || (db = tenant_enter(tn)) == NULL) {
		(void)proc_result(pe, sm->st_id, R_REFUSED, 0,
		    "the tenant's data cannot be read");
		return (0);
	}
	(void)db_commit(db);
	st = db_query(db, s, ARGS(NUM(sm->st_after), NUM(STREAM_ROWS)));
	while ((n = db_step(db, st)) == 1) {
		rows++;
		sm->st_after = db_col_num(st, 0);
		send(sm, pe, db, st);
	}
	db_done(st);
	tenant_leave(tn, db);
	if (n == 0 && rows == STREAM_ROWS)
		return (1);
	(void)proc_result(pe, sm->st_id, n == -1 ? R_REFUSED : R_OK, 0,
	    n == -1 ? "the tenant's data cannot be read" : "");
	return (0);
}

static void
send_user_row(struct stream *sm, struct peer *pe, struct db *db,
    sqlite3_stmt *st)
{
	struct person		 p;
	struct m_c_user_row	 row;
	struct rights		*rt = rights_get(db);

	if (rt == NULL || person_read(db, st, &p) == -1)
		return;
	user_row(db, rt, &p, &row);
	(void)proc_send(pe, IMSG_C_USER_ROW, sm->st_id, -1, &row);
	explicit_bzero(&p, sizeof(p));
}

static int
stream_users(struct stream *sm, struct peer *pe)
{
	return (stream_rows(sm, pe, S_USERS, send_user_row));
}

static int
user_list(struct command *co)
{
	const struct m_c_name	*m = co->co_m;

	if (co_tenant(co, m->name) == -1)
		return (-1);
	return (co_stream(co, stream_users));
}

static void
send_session_row(struct stream *sm, struct peer *pe, struct db *db,
    sqlite3_stmt *st)
{
	struct token		 tk;
	struct person		 p;
	struct m_c_session_row	 m;
	const struct tenant	*tn = tenant_by_id(sm->st_tenant);

	if (token_row_read(db, st, &tk) == -1 || !token_alive(tn, &tk,
	    now_ms()) || person_get(db, tk.tk_user, &p) != 1)
		return;
	m.user = tk.tk_user;
	m.created = tk.tk_created;
	m.seen = tk.tk_seen;
	m.expires = token_end(tn, tk.tk_created, tk.tk_expires);
	m.live = grant_live(sm->st_tenant, tk.tk_user, tk.tk_id);
	m.email = p.p_mail;
	m.addr = tk.tk_addr;
	m.agent = tk.tk_agent;
	(void)proc_send(pe, IMSG_C_SESSION_ROW, sm->st_id, -1, &m);
	explicit_bzero(&p, sizeof(p));
}

static int
stream_sessions(struct stream *sm, struct peer *pe)
{
	return (stream_rows(sm, pe, S_TOKENS, send_session_row));
}

static int
session_list(struct command *co)
{
	const struct m_c_name	*m = co->co_m;

	if (co_tenant(co, m->name) == -1)
		return (-1);
	return (co_stream(co, stream_sessions));
}

/* Where the alerts of a tenant go. */
struct alert_way {
	struct peer	*aw_peer;
	uint32_t	 aw_id;
	const char	*aw_tenant;
};

static void
send_alert(const struct m_a_alert *al, void *arg)
{
	const struct alert_way	*aw = arg;
	struct m_c_attack_row	 m = { aw->aw_tenant, al->begun, al->last,
				    al->tries, al->over, al->accounts,
				    al->addrs };

	(void)proc_send(aw->aw_peer, IMSG_C_ATTACK_ROW, aw->aw_id, -1, &m);
}

static int
stream_alerts(struct stream *sm, struct peer *pe)
{
	struct tenant		 key = { .tn_id = (uint32_t)sm->st_after + 1 };
	struct alert_way	 aw = { pe, sm->st_id, NULL };
	struct tenant		*tn;
	struct db		*db;

	if ((tn = RB_NFIND(tenant_tree, &tenant_all, &key)) == NULL) {
		(void)proc_result(pe, sm->st_id, R_OK, 0, "");
		return (0);
	}
	sm->st_after = tn->tn_id;
	aw.aw_tenant = tn->tn_name;
	if ((db = tenant_enter(tn)) != NULL) {
		(void)db_commit(db);
		(void)alerts_each(db, send_alert, &aw);
		tenant_leave(tn, db);
	}
	return (1);
}

static int
attack_list(struct command *co)
{
	return (co_stream(co, stream_alerts));
}

/*
 * Erasure, and holds.
 */

/* The operator is answered when all rows have gone. */
static int
erase_go(struct command *co, enum result r, const char *what, uint64_t id)
{
	if (co_commit(co, r, what) == -1)
		return (-1);
	if (erase_wait(co->co_rq, id) == -1)
		return (co_refuse(co, "no memory; it goes on by itself"));
	return (1);
}

static int
erase_user(struct command *co, const struct m_c_erase *m)
{
	struct person	 p;
	uint64_t	 id = 0;
	enum result	 r;

	if (co_tenant(co, m->tenant) == -1 ||
	    co_person(co, m->email, &p) == -1 || co_begin(co) == -1)
		return (-1);
	r = user_erase(co->co_rq, &p, m->what, &id);
	explicit_bzero(&p, sizeof(p));
	return (erase_go(co, r, m->email, id));
}

/* The two of a conversation, or the floor; 0, or -1. */
static int
erase_whose(struct command *co, const struct m_c_erase *m, uint32_t *a,
    uint32_t *b)
{
	struct floor	*fl;
	struct person	 p, q;

	if (m->what == ERASE_FLOOR) {
		if ((fl = co_floor(co, m->floor)) == NULL)
			return (-1);
		*a = fl->fl_id;
	} else if (m->what == ERASE_PAIR) {
		if (co_person(co, m->email, &p) == -1 ||
		    co_person(co, m->other, &q) == -1)
			return (-1);
		*a = p.p_id < q.p_id ? p.p_id : q.p_id;
		*b = p.p_id < q.p_id ? q.p_id : p.p_id;
	}
	return (0);
}

static int
erase(struct command *co)
{
	const struct m_c_erase	*m = co->co_m;
	uint32_t		 a = 0, b = 0;
	uint64_t		 id = 0;
	enum result		 r;

	if (m->what == ERASE_NAMES || m->what == ERASE_PERSON)
		return (erase_user(co, m));
	if (m->what == ERASE_DIRECT)
		return (co_refuse(co, "no such erasure"));
	if (co_tenant(co, m->tenant) == -1 ||
	    erase_whose(co, m, &a, &b) == -1 || co_begin(co) == -1)
		return (-1);
	r = erase_messages(co->co_rq, m->what, a, b, m->from, m->to, &id);
	return (erase_go(co, r, m->tenant, id));
}

/* Of whom; 0, or -1. */
static int
hold_whose(struct command *co, uint32_t *user)
{
	const struct m_c_hold	*m = co->co_m;
	struct person		 p = { .p_id = 0 };

	if (co_tenant(co, m->tenant) == -1 || (m->email[0] != '\0' &&
	    co_person(co, m->email, &p) == -1))
		return (-1);
	*user = p.p_id;
	explicit_bzero(&p, sizeof(p));
	return (co_begin(co));
}

static int
hold_put(struct command *co)
{
	const struct m_c_hold	*m = co->co_m;
	uint32_t		 user;

	if (hold_whose(co, &user) == -1)
		return (-1);
	return (co_commit(co, hold_set(co->co_rq, user, m->reason),
	    m->email[0] == '\0' ? m->tenant : m->email));
}

static int
hold_end(struct command *co)
{
	const struct m_c_hold	*m = co->co_m;
	uint32_t		 user;
	enum result		 r;

	if (hold_whose(co, &user) == -1)
		return (-1);
	r = hold_clear(co->co_rq, user);
	if (co_commit(co, r == R_NOTFOUND ? R_OK : r, m->tenant) == -1)
		return (-1);
	return (r == R_NOTFOUND ? co_refuse(co, "%s: is not held",
	    m->email[0] == '\0' ? m->tenant : m->email) : 0);
}

static int
hold_list(struct command *co)
{
	const struct m_c_name	*m = co->co_m;

	if (co_tenant(co, m->name) == -1)
		return (-1);
	return (hold_show(co->co_rq) == 0 ? 0 :
	    co_refuse(co, "the holds cannot be read"));
}

const struct verb	 user_verbs[] = {
	{ IMSG_C_USER_ADD, "user add", user_add },
	{ IMSG_C_USER_LIST, NULL, user_list },
	{ IMSG_C_USER_SHOW, NULL, user_show },
	{ IMSG_C_USER_STATE, "user state", user_state },
	{ IMSG_C_USER_LINK, "user link", user_relink },
	{ IMSG_C_USER_FACTOR, "user factor remove", user_factor },
	{ IMSG_C_USER_DEL, "user delete", user_del },
	{ IMSG_C_USER_ROLE, "user role", user_role },
	{ IMSG_C_IMPORT_BEGIN, NULL, import_start },
	{ IMSG_C_IMPORT_LINE, NULL, import_more },
	{ IMSG_C_IMPORT_END, "user import", import_finish },
	{ IMSG_C_SESSION_LIST, NULL, session_list },
	{ IMSG_C_SESSION_END, "session end", session_end },
	{ IMSG_C_ATTACKS, NULL, attack_list },
	{ IMSG_C_ERASE, "erase", erase },
	{ IMSG_C_HOLD_SET, "hold set", hold_put },
	{ IMSG_C_HOLD_CLEAR, "hold clear", hold_end },
	{ IMSG_C_HOLD_SHOW, NULL, hold_list },
	{ 0, NULL, NULL }
};
