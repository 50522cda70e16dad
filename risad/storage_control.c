/*
 * Commands of operators, as auth passes them on.  What changes something is
 * in the audit trail before it is done, and again with its outcome.
 */
#include <sys/stat.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "log.h"
#include "msg.h"
#include "role.h"
#include "storage.h"
#include "util.h"

#define WHO_MAX		16384		/* bytes of a list of people */
#define TARGET		800	/* bytes of what a command is about */

/* A command under way. */
struct command {
	struct request	*co_rq;
	const void	*co_m;
	char		 co_why[MAX_LINE + 1];	/* of a refusal */
};

static int	 refuse(struct command *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));

static int
refuse(struct command *co, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(co->co_why, sizeof(co->co_why), fmt, ap);
	va_end(ap);
	return (-1);
}

/* The tenant of a command, and its file for as long as the command runs. */
static int
co_tenant(struct command *co, const char *name)
{
	struct request	*rq = co->co_rq;

	if ((rq->rq_tn = tenant_by_name(name)) == NULL)
		return (refuse(co, "no such tenant: %s", name));
	if ((rq->rq_db = tenant_enter(rq->rq_tn)) == NULL)
		return (refuse(co, "tenant %s: its data %s", name,
		    db_why_text(rq->rq_tn->tn_why)));
	/* An operator sees and changes what is on the disk. */
	(void)db_commit(rq->rq_db);
	return (0);
}

/* A sentence for what stopped a request that administrators can make too. */
static int
co_result(struct command *co, enum result r, const char *what)
{
	const char	*field = co->co_rq->rq_field;

	if (field == NULL)
		field = "";
	switch (r) {
	case R_OK:
		return (0);
	case R_INVALID:
		if (strcmp(field, "can") == 0)
			return (refuse(co, "%s: this right of it stays as it "
			    "is", what));
		return (refuse(co, "%s: not a valid %s", what, field));
	case R_HELD:
		return (refuse(co, "%s: a legal hold forbids it; hold show "
		    "says whose", what));
	case R_BUSY:
		return (refuse(co, "%s: too many erasures are going on, try "
		    "again later", what));
	case R_DOMAIN:
		return (refuse(co, "%s: the rules of the tenant invite nobody "
		    "of this domain", what));
	case R_CONFLICT:
		break;
	default:
		return (refuse(co, "%s: cannot be done now, see the log",
		    what));
	}
	if (strcmp(field, "email") == 0 || strcmp(field, "name") == 0)
		return (refuse(co, "%s: exists already", what));
	if (strcmp(field, "factor") == 0)
		return (refuse(co, "%s: has no second factor", what));
	if (co->co_rq->rq_arg > 0)
		return (refuse(co, "%s: %llu people have it", what,
		    (unsigned long long)co->co_rq->rq_arg));
	if (strcmp(field, "users") == 0 || strcmp(field, "floors") == 0 ||
	    strcmp(field, "roles") == 0 || strcmp(field, "guests") == 0)
		return (refuse(co, "%s: the tenant has as many %s as it may",
		    what, field));
	return (refuse(co, "%s: the state of the user, or being the last "
	    "administrator, forbids it", what));
}

/* End what the command wrote: it is on the disk, or it is refused. */
static int
co_commit(struct command *co, enum result r, const char *what)
{
	struct db	*db = co->co_rq->rq_db;

	if (r != R_OK) {
		(void)db_end(db, 0);
		rq_unanswer(co->co_rq, NULL);
		(void)db_commit(db);
		return (co_result(co, r, what));
	}
	if (db_end(db, 1) == -1)
		db->db_broken = 1;
	if (db_commit(db) == -1)
		return (refuse(co, "%s: cannot be written", what));
	return (0);
}

static int
co_begin(struct command *co)
{
	if (db_begin(co->co_rq->rq_db) == -1)
		return (refuse(co, "the tenant's data cannot be written"));
	return (0);
}

static int
co_person(struct command *co, const char *email, struct person *p)
{
	char	 mail[MAX_MAIL + 1];
	int	 n = 0;

	if (mail_normal(mail, sizeof(mail), email) == 0)
		n = person_find(co->co_rq->rq_db, mail, p);
	if (n == -1)
		return (refuse(co, "%s: the record does not open", email));
	if (n == 0)
		return (refuse(co, "no such user: %s", email));
	return (0);
}

/* By word or by name; none is member. */
static int
co_role(struct command *co, const char *name)
{
	struct rights	*rt;
	int		 n;

	if ((rt = rights_get(co->co_rq->rq_db)) == NULL)
		return (refuse(co, "the roles cannot be read"));
	if (name[0] == '\0')
		return (ROLE_MEMBER);
	if ((n = rights_role_named(rt, name)) == -1)
		return (refuse(co, "no such role: %s", name));
	return (n);
}

/*
 * Tenants.
 */

static int
tenant_add(struct command *co)
{
	const struct m_c_tenant_add	*m = co->co_m;
	struct db			*sys = db_system();
	struct tenant			*tn;
	char				 mail[MAX_MAIL + 1] = "";
	const char			*title;
	uint64_t			 id;

	title = m->title[0] != '\0' ? m->title : m->name;
	if (!label_valid(m->name))
		return (refuse(co, "%s: a tenant's name has 1 to %d of a-z, "
		    "0-9 and -", m->name, MAX_LABEL));
	if (tenant_by_name(m->name) != NULL)
		return (refuse(co, "%s: exists already", m->name));
	if (!name_valid(title, MAX_TITLE_CHARS))
		return (refuse(co, "the title is not valid"));
	if (m->contact[0] != '\0' &&
	    mail_normal(mail, sizeof(mail), m->contact) == -1)
		return (refuse(co, "%s: not a mail address", m->contact));
	if (sys == NULL || db_next_id(sys, "tenants", &id) == -1 ||
	    id > UINT32_MAX)
		return (refuse(co, "system.db cannot be read"));
	/* Key and file first: a tenant that is listed is whole. */
	if (db_create((uint32_t)id) != DB_OK)
		return (refuse(co, "%s: key or file cannot be made, see the "
		    "log", m->name));
	if ((tn = tenant_new((uint32_t)id, m->name)) == NULL)
		return (refuse(co, "no memory"));
	tn->tn_created = now_ms();
	tn->tn_version = 1;
	(void)strlcpy(tn->tn_title, title, sizeof(tn->tn_title));
	(void)strlcpy(tn->tn_contact, mail, sizeof(tn->tn_contact));
	if (audit_add(sys, "by operator %u: add tenant %u, title [%s], "
	    "contact [%s]", co->co_rq->rq_op, tn->tn_id, tn->tn_title,
	    tn->tn_contact) == -1 || tenant_insert(sys, tn) == -1) {
		RB_REMOVE(tenant_tree, &tenant_all, tn);
		free(tn);
		return (refuse(co, "system.db cannot be written"));
	}
	rq_tell_tenant(co->co_rq, tn);
	return (0);
}

static const char *
tenant_word(uint8_t state)
{
	return (state == TENANT_ACTIVE ? "active" : "suspended");
}

static int
tenant_state(struct command *co)
{
	const struct m_c_tenant_state	*m = co->co_m;
	struct tenant			*tn;
	struct db			*sys = db_system();
	uint8_t				 old;

	if ((tn = tenant_by_name(m->name)) == NULL)
		return (refuse(co, "no such tenant: %s", m->name));
	old = tn->tn_state;
	tn->tn_state = m->state;
	if (sys == NULL || audit_add(sys, "by operator %u: set state of "
	    "tenant %u from %s to %s", co->co_rq->rq_op, tn->tn_id,
	    tenant_word(old), tenant_word(m->state)) == -1 ||
	    tenant_update(sys, tn) == -1) {
		tn->tn_state = old;
		return (refuse(co, "system.db cannot be written"));
	}
	if (tn->tn_state == TENANT_SUSPENDED)
		grants_end(tn->tn_id, 0, 0, 0, END_SUSPENDED);
	rq_tell_tenant(co->co_rq, tn);
	return (0);
}

static int
end_note(struct request *rq, const struct tenant *tn, uint64_t at)
{
	struct db	*sys = db_system();
	char		 from[TIME_TEXT], to[TIME_TEXT];

	if (time_text(from, ending_of(tn)) == -1)
		(void)strlcpy(from, "never", sizeof(from));
	if (time_text(to, at) == -1)
		(void)strlcpy(to, "never", sizeof(to));
	return (sys == NULL ? -1 : audit_add(sys, "by operator %u: set end of "
	    "tenant %u from %s to %s", rq->rq_op, tn->tn_id, from, to));
}

static int
tenant_end(struct command *co)
{
	const struct m_c_tenant_end	*m = co->co_m;
	struct tenant			*tn;

	if ((tn = tenant_by_name(m->name)) == NULL)
		return (refuse(co, "no such tenant: %s", m->name));
	if (m->at != 0 && m->at <= now_ms())
		return (refuse(co, "the end is to be in the future"));
	if (end_note(co->co_rq, tn, m->at) == -1 ||
	    ending_set(tn, m->at) == -1)
		return (refuse(co, "system.db cannot be written"));
	return (0);
}

static int
tenant_gone(struct command *co)
{
	const struct m_c_name	*m = co->co_m;
	struct tenant		*tn;
	const char		*why;

	if ((tn = tenant_by_name(m->name)) == NULL)
		return (refuse(co, "no such tenant: %s", m->name));
	if (hold_tenant(tn))
		return (refuse(co, "a legal hold forbids it; hold show says "
		    "whose"));
	if ((why = tenant_erase(co->co_rq, tn, co->co_rq->rq_op)) != NULL)
		return (refuse(co, "%s", why));
	return (1);
}

static int
tenant_erased(struct command *co)
{
	return (erasure_list(co->co_rq) == 0 ? 0 :
	    refuse(co, "system.db cannot be read"));
}

static int
tenant_cert(struct command *co)
{
	const struct m_c_cert	*m = co->co_m;
	const char		*why;

	if ((why = erasure_show(co->co_rq, m->tenant)) != NULL)
		return (refuse(co, "%s", why));
	return (1);
}

static void
tenant_send(struct peer *pe, uint32_t id, struct tenant *tn)
{
	struct m_c_tenant_row	 m = { 0 };
	struct stat		 sb;
	struct db		*db;
	char			 path[64];
	uint64_t		 n;

	m.id = tn->tn_id;
	m.state = tn->tn_state;
	m.created = tn->tn_created;
	m.name = tn->tn_name;
	m.title = tn->tn_title;
	m.contact = tn->tn_contact;
	m.sessions = grant_live(tn->tn_id, 0, 0);
	(void)snprintf(path, sizeof(path), "tenants/%u/main.db", tn->tn_id);
	if (stat(path, &sb) == 0)
		m.bytes = (uint64_t)sb.st_size;
	if ((db = tenant_enter(tn)) != NULL) {
		if (db_number(db, S_USER_COUNT, NOARGS, &n) == 0)
			m.users = (uint32_t)n;
		if (db_number(db, S_FLOOR_COUNT, NOARGS, &n) == 0)
			m.floors = (uint32_t)n;
		tenant_leave(tn, db);
	}
	(void)proc_send(pe, IMSG_C_TENANT_ROW, id, -1, &m);
}

/* One tenant in a turn: each has a file to open. */
static int
stream_list(struct stream *sm, struct peer *pe)
{
	struct tenant	 key = { .tn_id = (uint32_t)sm->st_after + 1 };
	struct tenant	*tn;

	if ((tn = RB_NFIND(tenant_tree, &tenant_all, &key)) == NULL) {
		(void)proc_result(pe, sm->st_id, R_OK, 0, "");
		return (0);
	}
	sm->st_after = tn->tn_id;
	tenant_send(pe, sm->st_id, tn);
	return (1);
}

static int
stream_begin(struct command *co, int (*step)(struct stream *, struct peer *))
{
	if (rq_stream(co->co_rq, step, NULL, NULL) == -1)
		return (refuse(co, "no memory"));
	return (1);
}

static int
tenant_list(struct command *co)
{
	return (stream_begin(co, stream_list));
}

static int
tenant_show(struct command *co)
{
	const struct m_c_name	*m = co->co_m;
	struct tenant		*tn;

	if ((tn = tenant_by_name(m->name)) == NULL)
		return (refuse(co, "no such tenant: %s", m->name));
	tenant_send(co->co_rq->rq_peer, co->co_rq->rq_id, tn);
	return (0);
}

/*
 * Users.
 */

static void
send_link(struct command *co, const struct m_a_link *link, uint8_t guest)
{
	struct m_c_link_token	 m;

	m.tenant = co->co_rq->rq_tn->tn_name;
	m.guest = guest;
	memcpy(m.token, link->token, sizeof(m.token));
	m.expires = link->expires;
	rq_answer(co->co_rq, IMSG_C_LINK_TOKEN, &m);
	explicit_bzero(&m, sizeof(m));
}

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
	send_link(co, &link, 0);
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
		return (refuse(co, "%s has a password already: user reset "
		    "gives a new link", m->email));
	if (co_begin(co) == -1)
		return (-1);
	if (co_commit(co, user_link(co->co_rq, &p, &link), m->email) == -1)
		return (-1);
	send_link(co, &link, 0);
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
		return (refuse(co, "%s: another import is going on",
		    m->tenant));
	default:
		return (refuse(co, "no memory"));
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
		return (refuse(co, "lines at fault: %zu%s", faults, m->dry ?
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
		return (refuse(co, "the roles cannot be read"));
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
	return (stream_begin(co, stream_users));
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
	return (stream_begin(co, stream_sessions));
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
	return (stream_begin(co, stream_alerts));
}

/*
 * Floors.
 */

/* By number or by name. */
static struct floor *
co_floor(struct command *co, const char *name)
{
	struct rights	*rt;
	struct floor	*fl = NULL;
	const char	*errstr;
	uint32_t	 id;
	size_t		 i;

	if ((rt = rights_get(co->co_rq->rq_db)) == NULL) {
		refuse(co, "the floors cannot be read");
		return (NULL);
	}
	for (i = 0; i < rt->rt_nfloors && fl == NULL; i++)
		if (strcmp(rt->rt_floors[i].fl_name, name) == 0)
			fl = &rt->rt_floors[i];
	id = (uint32_t)strtonum(name, 1, UINT32_MAX, &errstr);
	if (fl == NULL && errstr == NULL)
		fl = rights_floor(rt, id);
	if (fl == NULL)
		refuse(co, "no such floor: %s", name);
	return (fl);
}

static int
floor_new(struct command *co)
{
	const struct m_c_floor_add	*m = co->co_m;
	uint32_t			 id;

	if (co_tenant(co, m->tenant) == -1 || co_begin(co) == -1)
		return (-1);
	return (co_commit(co, floor_create(co->co_rq, m->name, m->template,
	    &m->map, &id), m->name));
}

static int
floor_del(struct command *co)
{
	const struct m_c_floor	*m = co->co_m;
	struct floor		*fl;

	if (co_tenant(co, m->tenant) == -1 || co_begin(co) == -1)
		return (-1);
	if ((fl = co_floor(co, m->floor)) == NULL) {
		(void)db_end(co->co_rq->rq_db, 0);
		return (-1);
	}
	return (co_commit(co, floor_remove(co->co_rq, fl), m->floor));
}

static struct group *
co_group(struct command *co, const char *name)
{
	struct rights	*rt;
	size_t		 i;

	rt = rights_get(co->co_rq->rq_db);
	for (i = 0; rt != NULL && i < rt->rt_ngroups; i++)
		if (strcmp(rt->rt_groups[i].gp_name, name) == 0)
			return (&rt->rt_groups[i]);
	refuse(co, "no such group: %s", name);
	return (NULL);
}

/* Who is meant: a user, a group, or with neither everybody. */
static enum result
floor_access(struct command *co, const struct floor *fl, uint32_t user,
    uint32_t group)
{
	const struct m_c_floor	*m = co->co_m;
	const struct idlist	*from;
	struct idlist		 to;
	int			 n;

	if (user == 0 && group == 0)
		n = floor_set(co->co_rq, fl, m->allow, &fl->fl_users,
		    &fl->fl_groups);
	else {
		from = user != 0 ? &fl->fl_users : &fl->fl_groups;
		if ((m->allow && from->il_n >= MAX_MEMBERS) ||
		    idlist_change(&to, from, user != 0 ? user : group,
		    m->allow) == -1)
			return (R_UNAVAILABLE);
		n = floor_set(co->co_rq, fl, fl->fl_open,
		    user != 0 ? &to : &fl->fl_users,
		    user != 0 ? &fl->fl_groups : &to);
		free(to.il_ids);
	}
	return (n == -1 ? R_UNAVAILABLE : R_OK);
}

static int
floor_allow(struct command *co)
{
	const struct m_c_floor	*m = co->co_m;
	struct m_rights		 rights;
	struct person		 p = { 0 };
	struct floor		*fl;
	struct group		*gp = NULL;
	enum result		 r;

	if (co_tenant(co, m->tenant) == -1)
		return (-1);
	if (m->user[0] != '\0' && m->group[0] != '\0')
		return (refuse(co, "a user or a group, not both"));
	if (m->user[0] != '\0' && co_person(co, m->user, &p) == -1)
		return (-1);
	if (m->group[0] != '\0' && (gp = co_group(co, m->group)) == NULL)
		return (-1);
	/* The transaction may look for floors anew: find ours in it. */
	if (co_begin(co) == -1)
		return (-1);
	if ((fl = co_floor(co, m->floor)) == NULL) {
		(void)db_end(co->co_rq->rq_db, 0);
		return (-1);
	}
	r = floor_access(co, fl, p.p_id, gp == NULL ? 0 : gp->gp_id);
	rights.tenant = co->co_rq->rq_tn->tn_id;
	rq_tell_sessions(co->co_rq, IMSG_RIGHTS, &rights);
	return (co_commit(co, r, m->floor));
}

static int
floor_from(struct command *co)
{
	const struct m_c_floor_networks	*m = co->co_m;
	struct m_rights			 rights;
	struct floor			*fl;
	char				 bad[NETWORK_TEXT];
	enum result			 r;

	if (co_tenant(co, m->tenant) == -1 || co_begin(co) == -1)
		return (-1);
	if ((fl = co_floor(co, m->floor)) == NULL) {
		(void)db_end(co->co_rq->rq_db, 0);
		return (-1);
	}
	if ((r = floor_networks(co->co_rq, fl, m->networks, bad)) ==
	    R_INVALID) {
		(void)db_end(co->co_rq->rq_db, 0);
		return (refuse(co, "networks: %s may not stand here", bad));
	}
	rights.tenant = co->co_rq->rq_tn->tn_id;
	rq_tell_sessions(co->co_rq, IMSG_RIGHTS, &rights);
	return (co_commit(co, r, m->floor));
}

/* A row of the answer is sent; its list of networks lives as long. */
static int
floor_row(struct command *co, const struct floor *fl, const char *who)
{
	static const struct networks	 anywhere;
	struct m_c_floor_row		 row;
	char				*networks;

	networks = networks_text(fl->fl_networks == NULL ? &anywhere :
	    fl->fl_networks);
	if (networks == NULL)
		return (refuse(co, "no memory"));
	row.floor = fl->fl_id;
	row.open = fl->fl_open;
	row.users = (uint32_t)fl->fl_users.il_n;
	row.groups = (uint32_t)fl->fl_groups.il_n;
	row.bytes = fl->fl_bytes > SEAL_OVER ? fl->fl_bytes - SEAL_OVER : 0;
	row.name = fl->fl_name;
	row.who = who;
	row.networks = networks;
	rq_answer(co->co_rq, IMSG_C_FLOOR_ROW, &row);
	free(networks);
	return (0);
}

static int
floor_list(struct command *co)
{
	const struct m_c_name	*m = co->co_m;
	struct rights		*rt;
	size_t			 i;

	if (co_tenant(co, m->name) == -1)
		return (-1);
	if ((rt = rights_get(co->co_rq->rq_db)) == NULL)
		return (refuse(co, "the floors cannot be read"));
	for (i = 0; i < rt->rt_nfloors; i++)
		if (floor_row(co, &rt->rt_floors[i], "") == -1)
			return (-1);
	return (0);
}

/* Mails and groups of a floor, with a word when there are too many. */
static void
floor_who(struct db *db, const struct floor *fl, char *who, size_t size)
{
	struct rights	*rt = db->db_rights;
	struct person	 p;
	struct group	*gp;
	size_t		 i, room = size - sizeof(", and more");

	who[0] = '\0';
	for (i = 0; i < fl->fl_groups.il_n; i++) {
		gp = rights_group(rt, fl->fl_groups.il_ids[i]);
		if (gp == NULL || strlen(who) + strlen(gp->gp_name) + 9 > room)
			continue;
		(void)strlcat(who, who[0] == '\0' ? "" : ", ", size);
		(void)strlcat(who, "group ", size);
		(void)strlcat(who, gp->gp_name, size);
	}
	for (i = 0; i < fl->fl_users.il_n; i++) {
		if (person_get(db, fl->fl_users.il_ids[i], &p) != 1)
			continue;
		if (strlen(who) + strlen(p.p_mail) + 3 > room) {
			(void)strlcat(who, ", and more", size);
			break;
		}
		(void)strlcat(who, who[0] == '\0' ? "" : ", ", size);
		(void)strlcat(who, p.p_mail, size);
	}
	explicit_bzero(&p, sizeof(p));
}

static int
floor_show(struct command *co)
{
	const struct m_c_floor	*m = co->co_m;
	struct floor		*fl;
	char			*who;
	int			 n;

	if (co_tenant(co, m->tenant) == -1 ||
	    (fl = co_floor(co, m->floor)) == NULL)
		return (-1);
	if ((who = malloc(WHO_MAX)) == NULL)
		return (refuse(co, "no memory"));
	floor_who(co->co_rq->rq_db, fl, who, WHO_MAX);
	n = floor_row(co, fl, who);
	free(who);
	return (n);
}

/*
 * Roles.
 */

static int
role_new(struct command *co)
{
	const struct m_c_role	*m = co->co_m;
	uint8_t			 id;

	if (co_tenant(co, m->tenant) == -1 || co_begin(co) == -1)
		return (-1);
	return (co_commit(co, role_create(co->co_rq, m->role,
	    role_default(ROLE_MEMBER), &id), m->role));
}

/* What is done to one role that exists, in a transaction. */
static int
role_change(struct command *co, int own,
    enum result (*fn)(struct command *, uint8_t))
{
	const struct m_c_role	*m = co->co_m;
	int			 n;

	if (co_tenant(co, m->tenant) == -1 ||
	    (n = co_role(co, m->role)) == -1)
		return (-1);
	if (own && n < ROLE_CUSTOM)
		return (refuse(co, "%s: every tenant has this role",
		    m->role));
	if (co_begin(co) == -1)
		return (-1);
	return (co_commit(co, fn(co, (uint8_t)n), m->role));
}

static enum result
role_set_fn(struct command *co, uint8_t role)
{
	const struct m_c_role	*m = co->co_m;
	struct rights		*rt;
	uint8_t			 can;

	if ((rt = rights_get(co->co_rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	can = rights_can(rt, role);
	can = (uint8_t)(co->co_rq->rq_type == IMSG_C_ROLE_ALLOW ?
	    can | m->right : can & ~m->right);
	return (role_allow(co->co_rq, role, can));
}

static int
role_set(struct command *co)
{
	return (role_change(co, 0, role_set_fn));
}

static enum result
role_name_fn(struct command *co, uint8_t role)
{
	const struct m_c_role	*m = co->co_m;

	return (role_rename(co->co_rq, role, m->name));
}

static int
role_name(struct command *co)
{
	return (role_change(co, 1, role_name_fn));
}

static enum result
role_del_fn(struct command *co, uint8_t role)
{
	return (role_remove(co->co_rq, role));
}

static int
role_del(struct command *co)
{
	return (role_change(co, 1, role_del_fn));
}

static int
role_list(struct command *co)
{
	const struct m_c_name	*m = co->co_m;
	struct db		*db;
	struct m_c_role_row	 row;
	struct rights		*rt;
	unsigned int		 id;

	if (co_tenant(co, m->name) == -1)
		return (-1);
	db = co->co_rq->rq_db;
	if ((rt = rights_get(db)) == NULL)
		return (refuse(co, "the roles cannot be read"));
	for (id = 0; id <= UINT8_MAX; id++) {
		if (!rights_role_there(rt, (uint8_t)id))
			continue;
		row.role = id;
		row.can = rights_can(rt, (uint8_t)id);
		row.name = rights_role_name(rt, (uint8_t)id);
		if (role_users(db, (uint8_t)id, &row.users) == -1)
			return (refuse(co, "the users cannot be read"));
		rq_answer(co->co_rq, IMSG_C_ROLE_ROW, &row);
	}
	return (0);
}

/*
 * Guests.
 */

static int
guest_new(struct command *co)
{
	const struct m_c_guest_add	*m = co->co_m;
	struct guest			 gu = { 0 };
	struct m_a_link			 link;
	struct floor			*fl;
	uint32_t			 id;
	enum result			 r;

	if (co_tenant(co, m->tenant) == -1 ||
	    (fl = co_floor(co, m->floor)) == NULL || co_begin(co) == -1)
		return (-1);
	id = fl->fl_id;
	gu.gu_floors.il_ids = &id;
	gu.gu_floors.il_n = 1;
	gu.gu_uses = m->uses;
	gu.gu_approval = m->approval;
	gu.gu_expires = link.expires = now_ms() +
	    (uint64_t)m->seconds * SECOND;
	r = guest_create(co->co_rq, &gu, &m->sealed, link.token);
	if (co_commit(co, r, "guest URL") == -1)
		return (-1);
	send_link(co, &link, 1);
	explicit_bzero(&link, sizeof(link));
	return (0);
}

static int
guest_del(struct command *co)
{
	const struct m_c_guest_del	*m = co->co_m;
	enum result			 r;

	if (co_tenant(co, m->tenant) == -1 || co_begin(co) == -1)
		return (-1);
	r = guest_revoke(co->co_rq, m->guest);
	if (co_commit(co, r == R_NOTFOUND ? R_OK : r, "guest URL") == -1)
		return (-1);
	return (r == R_NOTFOUND ? refuse(co, "no such guest URL: %u",
	    m->guest) : 0);
}

/* The names of its floors that are there, with a word for too many. */
static void
guest_floors(struct rights *rt, const struct guest *gu, char *dst,
    size_t size)
{
	const struct floor	*fl;
	size_t			 i, room = size - sizeof(", and more");

	dst[0] = '\0';
	for (i = 0; i < gu->gu_floors.il_n; i++) {
		if ((fl = rights_floor(rt, gu->gu_floors.il_ids[i])) == NULL)
			continue;
		if (strlen(dst) + strlen(fl->fl_name) + 3 > room) {
			(void)strlcat(dst, ", and more", size);
			break;
		}
		(void)strlcat(dst, dst[0] == '\0' ? "" : ", ", size);
		(void)strlcat(dst, fl->fl_name, size);
	}
}

static int
guest_list(struct command *co)
{
	const struct m_c_name	*m = co->co_m;
	const struct guest	*gu;
	struct m_c_guest_row	 row;
	struct rights		*rt;
	size_t			 i;
	char			*floors;

	if (co_tenant(co, m->name) == -1)
		return (-1);
	if ((rt = rights_get(co->co_rq->rq_db)) == NULL ||
	    (floors = malloc(WHO_MAX)) == NULL)
		return (refuse(co, "the guest URLs cannot be read"));
	for (i = 0; i < rt->rt_nguests; i++) {
		gu = &rt->rt_guests[i];
		guest_floors(rt, gu, floors, WHO_MAX);
		row.guest = gu->gu_id;
		row.created = gu->gu_created;
		row.expires = gu->gu_expires;
		row.uses = gu->gu_uses;
		row.used = gu->gu_used;
		row.password = gu->gu_secret;
		row.approval = gu->gu_approval;
		row.floors = floors;
		if (gu->gu_expires > now_ms() && guest_counts(
		    co->co_rq->rq_db, gu->gu_id, &row.inside,
		    &row.waiting) == 0)
			rq_answer(co->co_rq, IMSG_C_GUEST_ROW, &row);
	}
	free(floors);
	return (0);
}

/*
 * Rules.
 */

static void
policy_row(struct command *co, size_t key)
{
	const struct policy_rule	*pr = &policy_rules[key];
	struct m_c_policy_row		 row = { pr->pr_name, 0,
					    co->co_rq->rq_tn->tn_policy.
					    po_value[key], pr->pr_min,
					    pr->pr_max, NULL };

	rq_answer(co->co_rq, IMSG_C_POLICY_ROW, &row);
}

static void
policy_list_row(struct command *co, size_t list)
{
	struct m_c_policy_row	 row = { policy_lists[list].pw_name, 1, 0, 0,
				    POLICY_TEXT, co->co_rq->rq_tn->tn_policy.
				    po_list[list] };

	rq_answer(co->co_rq, IMSG_C_POLICY_ROW, &row);
}

static int
policy_show(struct command *co)
{
	const struct m_c_name	*m = co->co_m;
	size_t			 i;

	if ((co->co_rq->rq_tn = tenant_by_name(m->name)) == NULL)
		return (refuse(co, "no such tenant: %s", m->name));
	for (i = 0; i < POLICY_KEYS; i++)
		policy_row(co, i);
	for (i = 0; i < POLICY_LISTS; i++)
		policy_list_row(co, i);
	return (0);
}

static int
policy_preset_set(struct command *co, const struct m_c_policy *m, size_t preset)
{
	struct policy	 po;
	const char	*name;

	if (preset >= POLICY_PRESETS)
		return (refuse(co, "no such rule"));
	name = policy_presets[preset].pp_name;
	if (co_tenant(co, m->tenant) == -1 || co_begin(co) == -1)
		return (-1);
	po = co->co_rq->rq_tn->tn_policy;
	policy_preset(&po, &policy_presets[preset]);
	return (co_commit(co, policy_set(co->co_rq, &po), name));
}

static int
policy_list_set(struct command *co, const struct m_c_policy *m)
{
	size_t		 list = m->key - POLICY_KEYS;
	struct policy	 po;
	const char	*name;
	char		 wrong[POLICY_WORD + 1];

	if (list >= POLICY_LISTS)
		return (policy_preset_set(co, m, list - POLICY_LISTS));
	name = policy_lists[list].pw_name;
	if (co_tenant(co, m->tenant) == -1)
		return (-1);
	po = co->co_rq->rq_tn->tn_policy;
	if (policy_list(&po, (enum policy_list)list, m->text, wrong) == -1)
		return (wrong[0] == '\0' ? refuse(co, "%s: more than %u bytes",
		    name, POLICY_TEXT) : refuse(co, "%s: %s may not stand here",
		    name, wrong));
	if (co_begin(co) == -1)
		return (-1);
	return (co_commit(co, policy_set(co->co_rq, &po), name));
}

static int
policy_change(struct command *co)
{
	const struct m_c_policy		*m = co->co_m;
	const struct policy_rule	*pr;
	struct policy			 po;

	if (m->key >= POLICY_KEYS)
		return (policy_list_set(co, m));
	pr = &policy_rules[m->key];
	if (m->value < pr->pr_min || m->value > pr->pr_max)
		return (refuse(co, "%s: %u is not from %u to %u", pr->pr_name,
		    m->value, pr->pr_min, pr->pr_max));
	if (co_tenant(co, m->tenant) == -1 || co_begin(co) == -1)
		return (-1);
	po = co->co_rq->rq_tn->tn_policy;
	po.po_value[m->key] = m->value;
	return (co_commit(co, policy_set(co->co_rq, &po), pr->pr_name));
}

/*
 * The ledger.
 */

static int
op_add(struct command *co)
{
	return (operator_add(co->co_rq, co->co_m, co->co_why));
}

static int
op_del(struct command *co)
{
	return (operator_del(co->co_rq, co->co_m, co->co_why));
}

static int
op_list(struct command *co)
{
	return (operator_list(co->co_rq, co->co_why));
}

/*
 * Audit trails, and what their checkpoints are signed with.
 */

static int
trail_show(struct command *co)
{
	return (audit_show(co->co_rq, co->co_m, co->co_why));
}

static int
trail_verify(struct command *co)
{
	return (audit_verify(co->co_rq, co->co_m, co->co_why));
}

static int
trail_points(struct command *co)
{
	return (audit_points(co->co_rq, co->co_m, co->co_why));
}

static int
proof_show(struct command *co)
{
	static const uint8_t	 none[TOKEN_LEN];
	struct m_proof_key	 m;

	if (memcmp(storage_key, none, sizeof(none)) == 0)
		return (refuse(co, "keys has not told it yet, try again"));
	memcpy(m.key, storage_key, sizeof(m.key));
	rq_answer(co->co_rq, IMSG_C_PROOF_ROW, &m);
	return (0);
}

/*
 * Access logs.  Who looks at what people do is in their tenant's trail, too.
 */

static int
log_read(struct command *co)
{
	const struct m_c_log	*m = co->co_m;
	struct request		*rq = co->co_rq;
	const char		*why;
	enum result		 r = R_OK;

	if (m->tenant[0] != '\0' && co_tenant(co, m->tenant) == -1)
		return (-1);
	if (m->tenant[0] != '\0' && m->format == LOG_ROWS) {
		if (co_begin(co) == -1)
			return (-1);
		if (audit_add(rq->rq_db, "by operator %u: show access log",
		    rq->rq_op) == -1)
			r = R_UNAVAILABLE;
		if (co_commit(co, r, m->tenant) == -1)
			return (-1);
	}
	if ((why = log_begin(rq, m)) != NULL)
		return (refuse(co, "%s", why));
	return (1);
}

/*
 * Exports, and commands that wait for a second operator.
 */

static int
tenant_export(struct command *co)
{
	const struct m_c_export	*m = co->co_m;
	const char		*why;

	if (co_tenant(co, m->tenant) == -1)
		return (-1);
	if ((why = export_begin(co->co_rq, m->reason)) != NULL)
		return (refuse(co, "%s", why));
	return (1);
}

static int
export_list(struct command *co)
{
	const struct m_c_name	*m = co->co_m;
	const char		*why;

	if (m->name[0] != '\0' && co_tenant(co, m->name) == -1)
		return (-1);
	if ((why = exported_list(co->co_rq)) != NULL)
		return (refuse(co, "%s", why));
	return (1);
}

static int
confirm(struct command *co)
{
	return (confirm_give(co->co_rq, co->co_m, co->co_why));
}

static int
confirms(struct command *co)
{
	confirm_list(co->co_rq);
	return (0);
}

/*
 * What is kept.
 */

static int
store(struct command *co)
{
	const struct m_c_name	*m = co->co_m;
	const char		*why;

	if (m->name[0] != '\0' && co_tenant(co, m->name) == -1)
		return (-1);
	if ((why = store_begin(co->co_rq)) != NULL)
		return (refuse(co, "%s", why));
	return (1);
}

static int
purge(struct command *co, int now)
{
	const struct m_c_name	*m = co->co_m;
	const char		*why;

	if (m->name[0] != '\0' && co_tenant(co, m->name) == -1)
		return (-1);
	if ((why = retain_begin(co->co_rq, now)) != NULL)
		return (refuse(co, "%s", why));
	return (1);
}

static int
purge_show(struct command *co)
{
	return (purge(co, 0));
}

static int
purge_run(struct command *co)
{
	return (purge(co, 1));
}

static int
keep_own(struct command *co)
{
	const struct m_c_keep	*m = co->co_m;

	switch (retain_own(co->co_rq, m->kind, m->days)) {
	case R_OK:
		return (0);
	case R_INVALID:
		return (refuse(co, "%u is not from %u to %u", m->days,
		    policy_rules[m->kind == KEEP_AUDIT ? POLICY_AUDIT_DAYS :
		    POLICY_LOG_DAYS].pr_min,
		    policy_rules[POLICY_AUDIT_DAYS].pr_max));
	case R_NOTFOUND:
		return (refuse(co, "the installation has no chat"));
	default:
		return (refuse(co, "system.db cannot be written"));
	}
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
		return (refuse(co, "no memory; it goes on by itself"));
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
		return (refuse(co, "no such erasure"));
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
	return (r == R_NOTFOUND ? refuse(co, "%s: is not held",
	    m->email[0] == '\0' ? m->tenant : m->email) : 0);
}

static int
hold_list(struct command *co)
{
	const struct m_c_name	*m = co->co_m;

	if (co_tenant(co, m->name) == -1)
		return (-1);
	return (hold_show(co->co_rq) == 0 ? 0 :
	    refuse(co, "the holds cannot be read"));
}

/*
 * Keys.
 */

static int
key_rotate(struct command *co)
{
	const struct m_c_name	*m = co->co_m;
	const char		*why;

	if (m->name[0] != '\0' && co_tenant(co, m->name) == -1)
		return (-1);
	if ((why = rotate_begin(co->co_rq)) != NULL)
		return (refuse(co, "%s", why));
	return (0);
}

static int
key_show(struct command *co)
{
	return (rotate_show(co->co_rq) == 0 ? 1 : refuse(co, "no memory"));
}

static int
key_backup(struct command *co)
{
	const struct m_c_key_backup	*m = co->co_m;
	const char			*why;

	if ((why = key_backup_begin(co->co_rq, m->name)) != NULL)
		return (refuse(co, "%s", why));
	return (1);
}

/*
 * Backups.
 */

/* NULL: it is begun, and the trail will say how it ends. */
static int
begun(struct command *co, const char *why)
{
	return (why == NULL ? 2 : refuse(co, "%s", why));
}

static int
backup_make(struct command *co)
{
	return (begun(co, backup_now(co->co_rq)));
}

static int
backup_check(struct command *co)
{
	return (begun(co, backup_verify(co->co_rq, co->co_m)));
}

static int
backup_back(struct command *co)
{
	return (begun(co, backup_restore(co->co_rq, co->co_m)));
}

static int
backup_try(struct command *co)
{
	return (begun(co, backup_rehearse(co->co_rq)));
}

static int
backup_show(struct command *co)
{
	const char	*why = backup_list(co->co_rq);

	return (why == NULL ? 1 : refuse(co, "%s", why));
}

/*
 * State and figures.
 */

static int
alerts(struct command *co)
{
	const struct m_c_name	*m = co->co_m;
	struct tenant		*tn = NULL;

	if (m->name[0] != '\0' && (tn = tenant_by_name(m->name)) == NULL)
		return (refuse(co, "no such tenant: %s", m->name));
	alert_list(co->co_rq, tn == NULL ? DB_SYSTEM : tn->tn_id);
	return (0);
}

static int
alerts_clear(struct command *co)
{
	const struct m_c_alert_clear	*m = co->co_m;

	return (alert_clear(m->name) == -1 ? refuse(co, "%s: no such alert",
	    m->name) : 0);
}

static void
stat_send(struct peer *pe, uint32_t id, const char *name, uint64_t value)
{
	struct m_c_stat_row	 m = { name, value };

	(void)proc_send(pe, IMSG_C_STAT_ROW, id, -1, &m);
}

/* What tells how the data is: sent last, when every tenant was looked at. */
static void
stat_sums(struct peer *pe, uint32_t id)
{
	struct tenant	*tn;
	uint64_t	 n = 0, damaged = 0;

	RB_FOREACH(tn, tenant_tree, &tenant_all) {
		n++;
		damaged += tn->tn_why != DB_OK;
	}
	stat_send(pe, id, "storage.tenants", n);
	stat_send(pe, id, "storage.damaged", damaged);
	stat_send(pe, id, "storage.grants", grant_count());
}

/* One tenant in a turn: damage that nobody has met yet is found here. */
static int
stream_status(struct stream *sm, struct peer *pe)
{
	struct tenant	 key = { .tn_id = (uint32_t)sm->st_after + 1 };
	struct tenant	*tn;
	struct db	*db;
	char		 name[MAX_LABEL + 32];

	if ((tn = RB_NFIND(tenant_tree, &tenant_all, &key)) == NULL) {
		stat_sums(pe, sm->st_id);
		(void)proc_result(pe, sm->st_id, R_OK, 0, "");
		return (0);
	}
	sm->st_after = tn->tn_id;
	if ((db = tenant_enter(tn)) != NULL)
		tenant_leave(tn, db);
	if (tn->tn_why != DB_OK) {
		(void)snprintf(name, sizeof(name), "tenant.%s.damaged",
		    tn->tn_name);
		stat_send(pe, sm->st_id, name, 1);
	}
	return (1);
}

static int
status(struct command *co)
{
	return (stream_begin(co, stream_status));
}

static int
stats(struct command *co)
{
	struct peer	*pe = co->co_rq->rq_peer;
	uint32_t	 id = co->co_rq->rq_id;

	stat_sums(pe, id);
	stat_send(pe, id, "storage.commits", db_stats.ds_commits);
	stat_send(pe, id, "storage.commits_failed", db_stats.ds_failed);
	stat_send(pe, id, "storage.messages", storage_messages);
	stat_send(pe, id, "storage.open", db_stats.ds_open);
	stat_send(pe, id, "storage.opened", db_stats.ds_opened);
	stat_send(pe, id, "storage.unreadable", db_stats.ds_unreadable);
	stat_send(pe, id, "storage.unlogged", db_stats.ds_unlogged);
	return (0);
}

/*
 * Which command it is, and its trail.
 */

/* fn returns 0 done, 1 the answer goes on by itself, 2 also what is done, -1
 * refused. */
static const struct verb {
	uint32_t	 ve_type;
	const char	*ve_words;	/* NULL: changes nothing, no trail */
	int		(*ve_fn)(struct command *);
} verbs[] = {
	{ IMSG_C_TENANT_ADD, "tenant add", tenant_add },
	{ IMSG_C_TENANT_LIST, NULL, tenant_list },
	{ IMSG_C_TENANT_SHOW, NULL, tenant_show },
	{ IMSG_C_TENANT_STATE, "tenant state", tenant_state },
	{ IMSG_C_TENANT_END, "tenant end", tenant_end },
	{ IMSG_C_TENANT_ERASE, "tenant erase", tenant_gone },
	{ IMSG_C_TENANT_ERASED, NULL, tenant_erased },
	{ IMSG_C_TENANT_CERT, NULL, tenant_cert },
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
	{ IMSG_C_FLOOR_ADD, "floor add", floor_new },
	{ IMSG_C_FLOOR_LIST, NULL, floor_list },
	{ IMSG_C_FLOOR_SHOW, NULL, floor_show },
	{ IMSG_C_FLOOR_ALLOW, "floor access", floor_allow },
	{ IMSG_C_FLOOR_DEL, "floor delete", floor_del },
	{ IMSG_C_FLOOR_NETWORKS, "floor networks", floor_from },
	{ IMSG_C_GUEST_ADD, "guest add", guest_new },
	{ IMSG_C_GUEST_LIST, NULL, guest_list },
	{ IMSG_C_GUEST_DEL, "guest revoke", guest_del },
	{ IMSG_C_POLICY_SHOW, NULL, policy_show },
	{ IMSG_C_POLICY_SET, "policy set", policy_change },
	{ IMSG_C_ROLE_LIST, NULL, role_list },
	{ IMSG_C_ROLE_ADD, "role add", role_new },
	{ IMSG_C_ROLE_ALLOW, "role allow", role_set },
	{ IMSG_C_ROLE_DENY, "role deny", role_set },
	{ IMSG_C_ROLE_NAME, "role rename", role_name },
	{ IMSG_C_ROLE_DEL, "role delete", role_del },
	{ IMSG_C_SESSION_LIST, NULL, session_list },
	{ IMSG_C_SESSION_END, "session end", session_end },
	{ IMSG_C_OPERATOR_ADD, "operator add", op_add },
	{ IMSG_C_OPERATOR_LIST, NULL, op_list },
	{ IMSG_C_OPERATOR_DEL, "operator remove", op_del },
	{ IMSG_C_ATTACKS, NULL, attack_list },
	{ IMSG_C_ALERTS, NULL, alerts },
	{ IMSG_C_ALERT_CLEAR, "alert clear", alerts_clear },
	{ IMSG_C_TENANT_EXPORT, "tenant export", tenant_export },
	{ IMSG_C_EXPORTS, NULL, export_list },
	{ IMSG_C_CONFIRM, "confirm", confirm },
	{ IMSG_C_CONFIRMS, NULL, confirms },
	{ IMSG_C_STORAGE, NULL, store },
	{ IMSG_C_AUDIT_SHOW, NULL, trail_show },
	{ IMSG_C_AUDIT_VERIFY, NULL, trail_verify },
	{ IMSG_C_AUDIT_POINTS, NULL, trail_points },
	{ IMSG_C_LOG_SHOW, "log read", log_read },
	{ IMSG_C_PURGE_SHOW, NULL, purge_show },
	{ IMSG_C_PURGE_RUN, "purge run", purge_run },
	{ IMSG_C_KEY_ROTATE, "key rotate", key_rotate },
	{ IMSG_C_KEY_SHOW, NULL, key_show },
	{ IMSG_C_KEY_BACKUP, "key backup", key_backup },
	{ IMSG_C_BACKUP_NOW, "backup now", backup_make },
	{ IMSG_C_BACKUP_LIST, NULL, backup_show },
	{ IMSG_C_BACKUP_VERIFY, NULL, backup_check },
	{ IMSG_C_BACKUP_RESTORE, "backup restore", backup_back },
	{ IMSG_C_BACKUP_REHEARSE, "backup rehearse", backup_try },
	{ IMSG_C_KEEP, "retention set installation", keep_own },
	{ IMSG_C_ERASE, "erase", erase },
	{ IMSG_C_HOLD_SET, "hold set", hold_put },
	{ IMSG_C_HOLD_CLEAR, "hold clear", hold_end },
	{ IMSG_C_HOLD_SHOW, NULL, hold_list },
	{ IMSG_C_PROOF_KEY, NULL, proof_show },
	{ IMSG_C_STATUS, NULL, status },
	{ IMSG_C_STATS, NULL, stats },
};

/* The number of a user, who may be erased: his mail stays nowhere. */
static uint32_t
number_of(const char *tenant, const char *email)
{
	struct tenant	*tn = tenant_by_name(tenant);
	struct person	 p = { .p_id = 0 };
	char		 mail[MAX_MAIL + 1];
	struct db	*db;

	if (tn == NULL || (db = tenant_enter(tn)) == NULL)
		return (0);
	if (mail_normal(mail, sizeof(mail), email) == -1 ||
	    person_find(db, mail, &p) != 1)
		p.p_id = 0;
	tenant_leave(tn, db);
	explicit_bzero(&p.p_mail, sizeof(p.p_mail));
	return (p.p_id);
}

static void
erase_target(const struct m_c_erase *m, char *dst, size_t size)
{
	switch (m->what) {
	case ERASE_FLOOR:
		(void)snprintf(dst, size, "%s messages of floor %s",
		    m->tenant, m->floor);
		break;
	case ERASE_PAIR:
		(void)snprintf(dst, size, "%s messages of user %u and user "
		    "%u", m->tenant, number_of(m->tenant, m->email),
		    number_of(m->tenant, m->other));
		break;
	case ERASE_FLOORS:
	case ERASE_ALL:
		(void)snprintf(dst, size, "%s messages of all floors%s",
		    m->tenant, m->what == ERASE_ALL ? " and people" : "");
		break;
	default:
		(void)snprintf(dst, size, "%s user %u, messages %s",
		    m->tenant, number_of(m->tenant, m->email),
		    m->what == ERASE_PERSON ? "too" : "stay without a name");
		break;
	}
}

static void
hold_target(const struct m_c_hold *m, char *dst, size_t size)
{
	char	 who[24] = "";

	if (m->email[0] != '\0')
		(void)snprintf(who, sizeof(who), " user %u",
		    number_of(m->tenant, m->email));
	(void)snprintf(dst, size, "%s%s%s%s%s", m->tenant, who,
	    m->reason[0] == '\0' ? "" : ", reason [", m->reason,
	    m->reason[0] == '\0' ? "" : "]");
}

/* On what: the structs of one kind begin alike. */
static void
target(uint32_t type, const void *m, char *dst, size_t size)
{
	const struct m_c_tenant_state	*ts = m;
	const struct m_c_floor_add	*fa = m;
	const struct m_c_floor_networks	*fn = m;
	const struct m_c_floor		*f = m;
	const struct m_c_user		*u = m;
	const struct m_c_policy		*po = m;
	const struct m_c_role		*ro = m;
	const struct m_c_import_end	*ie = m;
	const struct m_c_guest_add	*ga = m;
	const struct m_c_guest_del	*gd = m;
	const struct m_c_log		*lo = m;
	const struct m_c_tenant_end	*te = m;
	const struct m_c_backup		*ba = m;
	const struct m_c_export		*ex = m;
	const struct m_c_keep		*ke = m;
	const struct m_c_hold		*ho = m;
	char				 at[TIME_TEXT];

	switch (type) {
	case IMSG_C_IMPORT_END:
		(void)snprintf(dst, size, "%s %u%s", ie->tenant, ie->count,
		    ie->dry ? " dry" : "");
		break;
	case IMSG_C_TENANT_END:
		if (te->at == 0 || time_text(at, te->at) == -1)
			(void)strlcpy(at, "never", sizeof(at));
		(void)snprintf(dst, size, "%s %s", te->name, at);
		break;
	case IMSG_C_KEY_ROTATE:
		(void)strlcpy(dst, ((const struct m_c_name *)m)->name[0] ==
		    '\0' ? "-" : ((const struct m_c_name *)m)->name, size);
		break;
	case IMSG_C_KEY_BACKUP:
		(void)strlcpy(dst, ((const struct m_c_key_backup *)m)->name,
		    size);
		break;
	case IMSG_C_BACKUP_NOW:
	case IMSG_C_BACKUP_REHEARSE:
		(void)strlcpy(dst, "all tenants", size);
		break;
	case IMSG_C_BACKUP_RESTORE:
		(void)snprintf(dst, size, "%s %s", ba->stamp, ba->tenant[0] ==
		    '\0' ? "all tenants" : ba->tenant);
		break;
	case IMSG_C_KEEP:
		(void)snprintf(dst, size, "%s %u", ke->kind == KEEP_AUDIT ?
		    "audit" : "log", ke->days);
		break;
	case IMSG_C_ERASE:
		erase_target(m, dst, size);
		break;
	case IMSG_C_HOLD_SET:
	case IMSG_C_HOLD_CLEAR:
		hold_target(ho, dst, size);
		break;
	case IMSG_C_TENANT_ERASE:
	case IMSG_C_PURGE_RUN:
		(void)strlcpy(dst, ((const struct m_c_name *)m)->name, size);
		break;
	case IMSG_C_LOG_SHOW:
		(void)snprintf(dst, size, "%s %s%s%s%s", lo->tenant[0] == '\0' ?
		    "-" : lo->tenant, lo->format == LOG_ROWS ? "show" :
		    "export", lo->reason[0] == '\0' ? "" : " reason [",
		    lo->reason, lo->reason[0] == '\0' ? "" : "]");
		break;
	case IMSG_C_TENANT_EXPORT:
		(void)snprintf(dst, size, "%s reason [%s]", ex->tenant,
		    ex->reason);
		break;
	case IMSG_C_CONFIRM:
		confirm_target(m, dst, size);
		break;
	case IMSG_C_ALERT_CLEAR:
		(void)strlcpy(dst, ((const struct m_c_alert_clear *)m)->name,
		    size);
		break;
	case IMSG_C_TENANT_ADD:
		(void)strlcpy(dst, ((const struct m_c_tenant_add *)m)->name,
		    size);
		break;
	case IMSG_C_TENANT_STATE:
		(void)snprintf(dst, size, "%s %s", ts->name,
		    tenant_word(ts->state));
		break;
	case IMSG_C_FLOOR_ADD:
		(void)snprintf(dst, size, "%s %s", fa->tenant, fa->name);
		break;
	case IMSG_C_FLOOR_NETWORKS:
		(void)snprintf(dst, size, "%s %s [%.300s]", fn->tenant,
		    fn->floor, fn->networks);
		break;
	case IMSG_C_FLOOR_ALLOW:
	case IMSG_C_FLOOR_DEL:
		(void)snprintf(dst, size, "%s %s %s %.80s%.80s", f->tenant,
		    f->floor, f->allow ? "allow" : "deny", f->user, f->group);
		break;
	case IMSG_C_GUEST_ADD:
		(void)snprintf(dst, size, "%s %s", ga->tenant, ga->floor);
		break;
	case IMSG_C_GUEST_DEL:
		(void)snprintf(dst, size, "%s %u", gd->tenant, gd->guest);
		break;
	case IMSG_C_POLICY_SET:
		if (po->key < POLICY_KEYS)
			(void)snprintf(dst, size, "%s %s %u", po->tenant,
			    policy_rules[po->key].pr_name, po->value);
		else
			(void)snprintf(dst, size, "%s %s %.300s", po->tenant,
			    po->key < POLICY_KEYS + POLICY_LISTS ?
			    policy_lists[po->key - POLICY_KEYS].pw_name :
			    "preset", po->text);
		break;
	case IMSG_C_ROLE_ADD:
	case IMSG_C_ROLE_ALLOW:
	case IMSG_C_ROLE_DENY:
	case IMSG_C_ROLE_NAME:
	case IMSG_C_ROLE_DEL:
		(void)snprintf(dst, size, "%s %s %s", ro->tenant, ro->role,
		    ro->right == 0 ? ro->name : right_name(ro->right));
		break;
	case IMSG_C_USER_ADD:
	case IMSG_C_USER_ROLE:
		(void)snprintf(dst, size, "%s %s %s", u->tenant, u->email,
		    u->role[0] == '\0' ? "member" : u->role);
		break;
	case IMSG_C_OPERATOR_ADD:
	case IMSG_C_OPERATOR_DEL:
		operator_target(type, m, dst, size);
		break;
	default:
		(void)snprintf(dst, size, "%s %s %u", u->tenant, u->email,
		    u->arg);
		break;
	}
}

/* How it went, and who else wanted it. */
static void
outcome(const struct command *co, const char *word, char *dst, size_t size)
{
	if (co->co_rq->rq_confirmed)
		(void)snprintf(dst, size, "%s, confirmed by uid %u", word,
		    co->co_rq->rq_second);
	else
		(void)strlcpy(dst, word, size);
}

/* As run(), of one who may, unless another operator has to confirm it. */
static int
run_confirmed(struct command *co, const struct verb *ve, char *what,
    size_t size, const char **word)
{
	char	 why[TARGET + 32];
	int	 n;

	(void)snprintf(why, sizeof(why), "%s %s", ve->ve_words, what);
	/* The decoded message is this request's own, and may be changed. */
	n = confirm_look(co->co_rq, (void *)co->co_m, why, co->co_why);
	if (n == 0)
		*word = "waits for another operator";
	if (n != 1)
		return (-1);
	target(ve->ve_type, co->co_m, what, size);
	n = ve->ve_fn(co);
	*word = n == -1 ? "refused" : n == 2 ? "begun" : "done";
	return (n);
}

static int
run(struct command *co, const struct verb *ve)
{
	struct db	*sys;
	const char	*word = "refused";
	char		 what[TARGET], how[80];
	uint32_t	 op = co->co_rq->rq_op;
	int		 n, may = operator_role(op) >= msg_role(ve->ve_type);

	/* Auth has looked as well; the ledger may have changed since then. */
	if (ve->ve_words == NULL)
		return (may ? ve->ve_fn(co) :
		    refuse(co, "you are not in the ledger of operators"));
	target(ve->ve_type, co->co_m, what, sizeof(what));
	if ((sys = db_system()) == NULL || audit_add(sys, "uid %u: %s %s", op,
	    ve->ve_words, what) == -1)
		return (refuse(co, "the audit trail cannot be written"));
	n = may ? run_confirmed(co, ve, what, sizeof(what), &word) :
	    refuse(co, "this is not for your role");
	outcome(co, word, how, sizeof(how));
	/* It is done or not whatever this says; then the log has it. */
	if ((sys = db_system()) == NULL || audit_add(sys, "uid %u: %s %s: %s",
	    op, ve->ve_words, what, how) == -1)
		log_warnx("uid %u: %s %s, but not in the audit trail", op,
		    ve->ve_words, how);
	return (n);
}

void
storage_control(struct request *rq, const void *m)
{
	struct command	 co = { .co_rq = rq, .co_m = m };
	size_t		 i;
	int		 n;

	rq->rq_op = *(const uint32_t *)m;
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (verbs[i].ve_type == rq->rq_type)
			break;
	if (i == sizeof(verbs) / sizeof(verbs[0]))
		n = refuse(&co, "storage does not know this command");
	else
		n = run(&co, &verbs[i]);
	/* Nothing waits for a later commit: what was begun is ended. */
	if (rq->rq_db != NULL) {
		(void)db_commit(rq->rq_db);
		tenant_leave(rq->rq_tn, rq->rq_db);
		rq->rq_db = NULL;
	}
	if (n == 0 || n == -1)
		rq_result(rq, n == 0 ? R_OK : R_REFUSED, 0, co.co_why);
}
