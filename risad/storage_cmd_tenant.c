/*
 * Commands about tenants, their rules, and the ledger of operators.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage_cmd.h"
#include "util.h"

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
		return (co_refuse(co, "%s: a tenant's name has 1 to %d of a-z, "
		    "0-9 and -", m->name, MAX_LABEL));
	if (tenant_by_name(m->name) != NULL)
		return (co_refuse(co, "%s: exists already", m->name));
	if (!name_valid(title, MAX_TITLE_CHARS))
		return (co_refuse(co, "the title is not valid"));
	if (m->contact[0] != '\0' &&
	    mail_normal(mail, sizeof(mail), m->contact) == -1)
		return (co_refuse(co, "%s: not a mail address", m->contact));
	if (sys == NULL || db_next_id(sys, "tenants", &id) == -1 ||
	    id > UINT32_MAX)
		return (co_refuse(co, "system.db cannot be read"));
	/* Key and file first: a tenant that is listed is whole. */
	if (db_create((uint32_t)id) != DB_OK)
		return (co_refuse(co, "%s: key or file cannot be made, see the "
		    "log", m->name));
	if ((tn = tenant_new((uint32_t)id, m->name)) == NULL)
		return (co_refuse(co, "no memory"));
	tn->tn_created = now_ms();
	tn->tn_version = 1;
	(void)strlcpy(tn->tn_title, title, sizeof(tn->tn_title));
	(void)strlcpy(tn->tn_contact, mail, sizeof(tn->tn_contact));
	if (audit_add(sys, "by operator %u: add tenant %u, title [%s], "
	    "contact [%s]", co->co_rq->rq_op, tn->tn_id, tn->tn_title,
	    tn->tn_contact) == -1 || tenant_insert(sys, tn) == -1) {
		RB_REMOVE(tenant_tree, &tenant_all, tn);
		free(tn);
		return (co_refuse(co, "system.db cannot be written"));
	}
	rq_tell_tenant(co->co_rq, tn);
	return (0);
}

const char *
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
		return (co_refuse(co, "no such tenant: %s", m->name));
	old = tn->tn_state;
	tn->tn_state = m->state;
	if (sys == NULL || audit_add(sys, "by operator %u: set state of "
	    "tenant %u from %s to %s", co->co_rq->rq_op, tn->tn_id,
	    tenant_word(old), tenant_word(m->state)) == -1 ||
	    tenant_update(sys, tn) == -1) {
		tn->tn_state = old;
		return (co_refuse(co, "system.db cannot be written"));
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
		return (co_refuse(co, "no such tenant: %s", m->name));
	if (m->at != 0 && m->at <= now_ms())
		return (co_refuse(co, "the end is to be in the future"));
	if (end_note(co->co_rq, tn, m->at) == -1 ||
	    ending_set(tn, m->at) == -1)
		return (co_refuse(co, "system.db cannot be written"));
	return (0);
}

static int
tenant_gone(struct command *co)
{
	const struct m_c_name	*m = co->co_m;
	struct tenant		*tn;
	const char		*why;
	int			 held;

	if ((tn = tenant_by_name(m->name)) == NULL)
		return (co_refuse(co, "no such tenant: %s", m->name));
	if ((held = hold_tenant(tn)) == 1)
		return (co_refuse(co, "a legal hold forbids it; hold show says "
		    "whose"));
	/* Of nothing there is no hold: an older system.db lists it again. */
	if (held == -1 && !db_gone(tn->tn_id))
		return (co_refuse(co, "its data cannot be read, so nobody "
		    "knows whether a legal hold forbids it"));
	if ((why = tenant_erase(co->co_rq, tn, co->co_rq->rq_op,
	    &co->co_how)) != NULL)
		return (co_refuse(co, "%s", why));
	return (1);
}

static int
tenant_erased(struct command *co)
{
	return (erasure_list(co->co_rq) == 0 ? 0 :
	    co_refuse(co, "system.db cannot be read"));
}

static int
tenant_cert(struct command *co)
{
	const struct m_c_cert	*m = co->co_m;
	const char		*why;

	if ((why = erasure_show(co->co_rq, m->tenant)) != NULL)
		return (co_refuse(co, "%s", why));
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
	m.ends = ending_of(tn);
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
tenant_list(struct command *co)
{
	return (co_stream(co, stream_list));
}

static int
tenant_show(struct command *co)
{
	const struct m_c_name	*m = co->co_m;
	struct tenant		*tn;

	if ((tn = tenant_by_name(m->name)) == NULL)
		return (co_refuse(co, "no such tenant: %s", m->name));
	tenant_send(co->co_rq->rq_peer, co->co_rq->rq_id, tn);
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

	if (pr->pr_words != NULL)
		row.text = pr->pr_words[row.value];
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
		return (co_refuse(co, "no such tenant: %s", m->name));
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
		return (co_refuse(co, "no such rule"));
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
		return (wrong[0] == '\0' ? co_refuse(co, "%s: more than %u "
		    "bytes", name, POLICY_TEXT) : co_refuse(co, "%s: %s may "
		    "not stand here", name, wrong));
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
		return (co_refuse(co, "%s: %u is not from %u to %u",
		    pr->pr_name, m->value, pr->pr_min, pr->pr_max));
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

const struct verb	 tenant_verbs[] = {
	{ IMSG_C_TENANT_ADD, "tenant add", tenant_add },
	{ IMSG_C_TENANT_LIST, NULL, tenant_list },
	{ IMSG_C_TENANT_SHOW, NULL, tenant_show },
	{ IMSG_C_TENANT_STATE, "tenant state", tenant_state },
	{ IMSG_C_TENANT_END, "tenant end", tenant_end },
	{ IMSG_C_TENANT_ERASE, "tenant erase", tenant_gone },
	{ IMSG_C_TENANT_ERASED, NULL, tenant_erased },
	{ IMSG_C_TENANT_CERT, NULL, tenant_cert },
	{ IMSG_C_POLICY_SHOW, NULL, policy_show },
	{ IMSG_C_POLICY_SET, "policy set", policy_change },
	{ IMSG_C_OPERATOR_ADD, "operator add", op_add },
	{ IMSG_C_OPERATOR_LIST, NULL, op_list },
	{ IMSG_C_OPERATOR_DEL, "operator remove", op_del },
	{ 0, NULL, NULL }
};
