/*
 * Commands of operators, as auth passes them on.  What changes something is
 * in the audit trail before it is done, and again with its outcome.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "msg.h"
#include "role.h"
#include "storage_cmd.h"
#include "util.h"

#define TARGET		800	/* bytes of what a command is about */

int
co_refuse(struct command *co, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(co->co_why, sizeof(co->co_why), fmt, ap);
	va_end(ap);
	return (-1);
}

/* The tenant of a command, and its file for as long as the command runs. */
int
co_tenant(struct command *co, const char *name)
{
	struct request	*rq = co->co_rq;

	if ((rq->rq_tn = tenant_by_name(name)) == NULL)
		return (co_refuse(co, "no such tenant: %s", name));
	if ((rq->rq_db = tenant_enter(rq->rq_tn)) == NULL)
		return (co_refuse(co, "tenant %s: its data %s", name,
		    db_why_text(rq->rq_tn->tn_why)));
	/* An operator sees and changes what is on the disk. */
	(void)db_commit(rq->rq_db);
	return (0);
}

/* A sentence for what stopped a request that administrators can make too. */
int
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
			return (co_refuse(co, "%s: this right of it stays as "
			    "it is", what));
		return (co_refuse(co, "%s: not a valid %s", what, field));
	case R_HELD:
		return (co_refuse(co, "%s: a legal hold forbids it; hold show "
		    "says whose", what));
	case R_BUSY:
		return (co_refuse(co, "%s: too many erasures are going on, try "
		    "again later", what));
	case R_DOMAIN:
		return (co_refuse(co, "%s: the rules of the tenant invite "
		    "nobody of this domain", what));
	case R_CONFLICT:
		break;
	default:
		return (co_refuse(co, "%s: cannot be done now, see the log",
		    what));
	}
	if (strcmp(field, "email") == 0 || strcmp(field, "name") == 0)
		return (co_refuse(co, "%s: exists already", what));
	if (strcmp(field, "factor") == 0)
		return (co_refuse(co, "%s: has no second factor", what));
	if (co->co_rq->rq_arg > 0)
		return (co_refuse(co, "%s: %llu people have it", what,
		    (unsigned long long)co->co_rq->rq_arg));
	if (strcmp(field, "users") == 0 || strcmp(field, "floors") == 0 ||
	    strcmp(field, "roles") == 0 || strcmp(field, "guests") == 0)
		return (co_refuse(co, "%s: the tenant has as many %s as it may",
		    what, field));
	return (co_refuse(co, "%s: the state of the user, or being the last "
	    "administrator, forbids it", what));
}

/* End what the command wrote: it is on the disk, or it is refused. */
int
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
		return (co_refuse(co, "%s: cannot be written", what));
	return (0);
}

int
co_begin(struct command *co)
{
	if (db_begin(co->co_rq->rq_db) == -1)
		return (co_refuse(co, "the tenant's data cannot be written"));
	return (0);
}

int
co_person(struct command *co, const char *email, struct person *p)
{
	char	 mail[MAX_MAIL + 1];
	int	 n = 0;

	if (mail_normal(mail, sizeof(mail), email) == 0)
		n = person_find(co->co_rq->rq_db, mail, p);
	if (n == -1)
		return (co_refuse(co, "%s: the record does not open", email));
	if (n == 0)
		return (co_refuse(co, "no such user: %s", email));
	return (0);
}

/* By word or by name; none is member. */
int
co_role(struct command *co, const char *name)
{
	struct rights	*rt;
	int		 n;

	if ((rt = rights_get(co->co_rq->rq_db)) == NULL)
		return (co_refuse(co, "the roles cannot be read"));
	if (name[0] == '\0')
		return (ROLE_MEMBER);
	if ((n = rights_role_named(rt, name)) == -1)
		return (co_refuse(co, "no such role: %s", name));
	return (n);
}

int
co_stream(struct command *co, int (*step)(struct stream *, struct peer *))
{
	if (rq_stream(co->co_rq, step, NULL, NULL) == -1)
		return (co_refuse(co, "no memory"));
	return (1);
}

void
co_link(struct command *co, const struct m_a_link *link, uint8_t guest)
{
	struct m_c_link_token	 m;

	m.tenant = co->co_rq->rq_tn->tn_name;
	m.guest = guest;
	memcpy(m.token, link->token, sizeof(m.token));
	m.expires = link->expires;
	rq_answer(co->co_rq, IMSG_C_LINK_TOKEN, &m);
	explicit_bzero(&m, sizeof(m));
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
		return (co_refuse(co, "no such tenant: %s", m->name));
	alert_list(co->co_rq, tn == NULL ? DB_SYSTEM : tn->tn_id);
	return (0);
}

static int
alerts_clear(struct command *co)
{
	const struct m_c_alert_clear	*m = co->co_m;

	return (alert_clear(m->name) == -1 ? co_refuse(co, "%s: no such alert",
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
	return (co_stream(co, stream_status));
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

static const struct verb	 daemon_verbs[] = {
	{ IMSG_C_ALERTS, NULL, alerts },
	{ IMSG_C_ALERT_CLEAR, "alert clear", alerts_clear },
	{ IMSG_C_STATUS, NULL, status },
	{ IMSG_C_STATS, NULL, stats },
	{ 0, NULL, NULL }
};

static const struct verb *const all_verbs[] = {
	tenant_verbs, user_verbs, floor_verbs, record_verbs, daemon_verbs
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

/* Of what time, as far as that is said. */
static void
add_times(uint64_t from, uint64_t to, char *dst, size_t size)
{
	char	 at[TIME_TEXT];

	if (from != 0 && time_text(at, from) == 0) {
		(void)strlcat(dst, " from ", size);
		(void)strlcat(dst, at, size);
	}
	if (to != 0 && to != UINT64_MAX && time_text(at, to) == 0) {
		(void)strlcat(dst, " to ", size);
		(void)strlcat(dst, at, size);
	}
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
	add_times(m->from, m->to, dst, size);
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

/* On what, of those about what is recorded and kept; 0: it is not one. */
static int
record_target(uint32_t type, const void *m, char *dst, size_t size)
{
	const struct m_c_name	*na = m;
	const struct m_c_log	*lo = m;
	const struct m_c_backup	*ba = m;
	const struct m_c_export	*ex = m;
	const struct m_c_keep	*ke = m;

	switch (type) {
	case IMSG_C_KEY_ROTATE:
		(void)strlcpy(dst, na->name[0] == '\0' ? "-" : na->name,
		    size);
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
		hold_target(m, dst, size);
		break;
	case IMSG_C_TENANT_ERASE:
	case IMSG_C_PURGE_RUN:
		(void)strlcpy(dst, na->name, size);
		break;
	case IMSG_C_LOG_SHOW:
		(void)snprintf(dst, size, "%s %s%s%s%s", lo->tenant[0] == '\0' ?
		    "-" : lo->tenant, lo->format == LOG_ROWS ? "show" :
		    "export", lo->reason[0] == '\0' ? "" : " reason [",
		    lo->reason, lo->reason[0] == '\0' ? "" : "]");
		add_times(lo->from, lo->to, dst, size);
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
	default:
		return (0);
	}
	return (1);
}

/* On what: the structs of one kind begin alike. */
static void
target(uint32_t type, const void *m, char *dst, size_t size)
{
	const struct m_c_tenant_state	*ts = m;
	const struct m_c_floor_add	*fa = m;
	const struct m_c_floor_networks	*fn = m;
	const struct m_c_floor_talk	*ft = m;
	const struct m_c_floor		*f = m;
	const struct m_c_user		*u = m;
	const struct m_c_policy		*po = m;
	const struct m_c_role		*ro = m;
	const struct m_c_import_end	*ie = m;
	const struct m_c_guest_add	*ga = m;
	const struct m_c_guest_del	*gd = m;
	const struct m_c_tenant_end	*te = m;
	char				 at[TIME_TEXT], value[POLICY_VALUE];

	if (record_target(type, m, dst, size))
		return;
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
	case IMSG_C_FLOOR_TALK:
		(void)snprintf(dst, size, "%s %s", ft->tenant, ft->floor);
		break;
	case IMSG_C_FLOOR_ALLOW:
	case IMSG_C_FLOOR_DEL:
		(void)snprintf(dst, size, "%s %s %s %s%s", f->tenant,
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
			(void)snprintf(dst, size, "%s %s %s", po->tenant,
			    policy_rules[po->key].pr_name,
			    policy_number(po->key, po->value, value));
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
	text_mend(what);
	n = ve->ve_fn(co);
	*word = co->co_how != NULL ? co->co_how : n == -1 ? "refused" :
	    n == 2 ? "begun" : "done";
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
		    co_refuse(co, "you are not in the ledger of operators"));
	target(ve->ve_type, co->co_m, what, sizeof(what));
	text_mend(what);
	if ((sys = db_system()) == NULL || audit_add(sys, "uid %u: %s %s", op,
	    ve->ve_words, what) == -1)
		return (co_refuse(co, "the audit trail cannot be written"));
	n = may ? run_confirmed(co, ve, what, sizeof(what), &word) :
	    co_refuse(co, "this is not for your role");
	outcome(co, word, how, sizeof(how));
	/* It is done or not whatever this says; then the log has it. */
	if ((sys = db_system()) == NULL || audit_add(sys, "uid %u: %s %s: %s",
	    op, ve->ve_words, what, how) == -1)
		log_warnx("uid %u: %s %s, but not in the audit trail", op,
		    ve->ve_words, how);
	return (n);
}

static const struct verb *
verb_of(uint32_t type)
{
	const struct verb	*ve;
	size_t			 i;

	for (i = 0; i < sizeof(all_verbs) / sizeof(all_verbs[0]); i++)
		for (ve = all_verbs[i]; ve->ve_fn != NULL; ve++)
			if (ve->ve_type == type)
				return (ve);
	return (NULL);
}

void
storage_control(struct request *rq, const void *m)
{
	struct command		 co = { .co_rq = rq, .co_m = m };
	const struct verb	*ve;
	int			 n;

	rq->rq_op = *(const uint32_t *)m;
	if ((ve = verb_of(rq->rq_type)) == NULL)
		n = co_refuse(&co, "storage does not know this command");
	else
		n = run(&co, ve);
	/* Nothing waits for a later commit: what was begun is ended. */
	if (rq->rq_db != NULL) {
		(void)db_commit(rq->rq_db);
		tenant_leave(rq->rq_tn, rq->rq_db);
		rq->rq_db = NULL;
	}
	if (n == 0 || n == -1)
		rq_result(rq, n == 0 ? R_OK : R_REFUSED, 0, co.co_why);
}
