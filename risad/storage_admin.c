/*
 * Requests of a tenant's administrators.  The role has been checked, on the
 * grant, before any of these runs.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "storage.h"
#include "util.h"

/* 1 if somebody else is an active administrator, 0, or -1. */
static int
other_admin(struct db *db, uint32_t user)
{
	uint64_t	 id;

	if (db_number(db, S_USER_ADMINS, ARGS(NUM(user)), &id) == -1)
		return (-1);
	return (id != 0);
}

/* May this active administrator cease to be one? */
static enum result
admin_leaves(struct request *rq, const struct person *p, const char *field)
{
	if (p->p_role != ROLE_ADMIN || p->p_state != USER_ACTIVE)
		return (R_OK);
	switch (other_admin(rq->rq_db, p->p_id)) {
	case 1:
		return (R_OK);
	case 0:
		rq->rq_field = field;
		return (R_CONFLICT);
	default:
		return (R_UNAVAILABLE);
	}
}

/* All sign-ins of a user end; what he has open closes. */
static int
user_end(struct request *rq, uint32_t user, enum grant_end why)
{
	if (db_exec(rq->rq_db, S_TOKENS_DEL, ARGS(NUM(user))) == -1)
		return (-1);
	grants_end(rq->rq_tn->tn_id, user, 0, 0, why);
	return (0);
}

void
tell_rights(struct request *rq)
{
	struct m_rights	 m = { rq->rq_tn->tn_id };

	rq_tell_sessions(rq, IMSG_RIGHTS, &m);
}

/* An administrator of the tenant, or an operator. */
const char *
asker(const struct request *rq)
{
	return (rq->rq_gr == NULL ? "operator" : "user");
}

uint32_t
asker_id(const struct request *rq)
{
	return (rq->rq_gr == NULL ? rq->rq_op : rq->rq_gr->gr_user);
}

int
audit_act(struct request *rq, const char *what, uint32_t id)
{
	return (audit_add(rq->rq_db, "by %s %u: %s %u", asker(rq),
	    asker_id(rq), what, id));
}

uint32_t
any_look(void)
{
	uint32_t	 look = 0;
	int		 i;

	for (i = 0; i < 6; i++)
		look = look << 4 | arc4random_uniform(6);
	return (look);
}

/*
 * Users.
 */

/* Can it be given to somebody?  Who is a guest has come as one. */
static enum result
role_there(struct request *rq, uint8_t role)
{
	struct rights	*rt;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	rq->rq_field = "role";
	return (role == ROLE_MEMBER || role == ROLE_ADMIN ||
	    rights_role(rt, role) != NULL ? R_OK : R_INVALID);
}

static int
added_note(struct request *rq, const struct person *p)
{
	char		 names[MAX_MAIL + MAX_NAME + 16];
	struct rights	*rt;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (-1);
	(void)snprintf(names, sizeof(names), "as [%s], [%s]", p->p_mail,
	    p->p_name);
	return (audit_add_names(rq->rq_db, p->p_id, names, "by %s %u: add "
	    "user %u, role %u, %s", asker(rq), asker_id(rq), p->p_id,
	    p->p_role, rights_role_name(rt, p->p_role)));
}

enum result
user_create(struct request *rq, const char *mail, const char *name,
    uint8_t role, struct person *p)
{
	struct person	 other;
	uint64_t	 count;
	enum result	 r;
	int		 n;

	memset(p, 0, sizeof(*p));
	if ((r = role_there(rq, role)) != R_OK)
		return (r);
	rq->rq_field = "email";
	if (mail_normal(p->p_mail, sizeof(p->p_mail), mail) == -1)
		return (R_INVALID);
	if ((n = person_find(rq->rq_db, p->p_mail, &other)) != 0)
		return (n == 1 ? R_CONFLICT : R_UNAVAILABLE);
	if (!policy_mail(&rq->rq_tn->tn_policy, p->p_mail))
		return (R_DOMAIN);
	rq->rq_field = "name";
	if (name[0] == '\0') {
		/* Until he chooses one: what stands before the @. */
		n = (int)strcspn(p->p_mail, "@");
		memcpy(p->p_name, p->p_mail, (size_t)n);
	} else if (!name_valid(name, MAX_NAME_CHARS))
		return (R_INVALID);
	else
		(void)strlcpy(p->p_name, name, sizeof(p->p_name));
	if (db_number(rq->rq_db, S_USER_COUNT, NOARGS, &count) == -1)
		return (R_UNAVAILABLE);
	rq->rq_field = "users";
	if (count >= MAX_USERS)
		return (R_CONFLICT);
	p->p_role = role;
	p->p_state = USER_INVITED;
	p->p_look = any_look();
	if (person_add(rq->rq_db, p) == -1 || added_note(rq, p) == -1)
		return (R_UNAVAILABLE);
	return (R_OK);
}

/* From what to what, in numbers too: a name may be another's later. */
static int
role_note(struct request *rq, const struct person *p, uint8_t role)
{
	struct rights	*rt;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (-1);
	return (audit_add(rq->rq_db, "by %s %u: set role of user %u from "
	    "%u, %s, to %u, %s", asker(rq), asker_id(rq), p->p_id, p->p_role,
	    rights_role_name(rt, p->p_role), role,
	    rights_role_name(rt, role)));
}

enum result
user_set_role(struct request *rq, struct person *p, uint8_t role)
{
	enum result	 r;

	if (role == p->p_role)
		return (R_OK);
	if ((r = role_there(rq, role)) != R_OK)
		return (r);
	if (p->p_role == ROLE_GUEST)
		return (R_CONFLICT);
	if (role != ROLE_ADMIN && (r = admin_leaves(rq, p, "role")) != R_OK)
		return (r);
	if (role_note(rq, p, role) == -1)
		return (R_UNAVAILABLE);
	/* His URLs for guests may lead to fewer floors now. */
	if (p->p_role == ROLE_ADMIN)
		tell_rights(rq);
	p->p_role = role;
	if (person_set_rights(rq->rq_db, p) == -1 ||
	    user_end(rq, p->p_id, END_ENDED) == -1)
		return (R_UNAVAILABLE);
	return (R_OK);
}

/* The line for a state that is about to be another one. */
static int
state_note(struct request *rq, const struct person *p, uint8_t state)
{
	return (audit_add(rq->rq_db, "by %s %u: %s user %u, from %s to %s",
	    asker(rq), asker_id(rq), state == USER_LOCKED ? "lock" : "unlock",
	    p->p_id, state_word(p->p_state), state_word(state)));
}

/* What failures have locked is free again, too. */
static int
unlock(struct request *rq, const struct person *p)
{
	int	 n;

	if ((n = lock_clear(rq, p)) <= 0)
		return (n);
	return (audit_act(rq, "unlock after failures user", p->p_id));
}

enum result
user_set_state(struct request *rq, struct person *p, uint8_t state)
{
	enum result	 r;

	rq->rq_field = "state";
	if (state != USER_ACTIVE && state != USER_LOCKED)
		return (R_INVALID);
	if (state == USER_ACTIVE && unlock(rq, p) == -1)
		return (R_UNAVAILABLE);
	if (state == p->p_state)
		return (R_OK);
	if (state == USER_ACTIVE && p->p_state == USER_INVITED)
		return (R_CONFLICT);	/* only his link makes him active */
	if (state == USER_LOCKED &&
	    (r = admin_leaves(rq, p, "state")) != R_OK)
		return (r);
	/* Unlocked without a password: he needs an invitation again. */
	if (state == USER_ACTIVE && p->p_secretlen == 0)
		state = USER_INVITED;
	if (state_note(rq, p, state) == -1)
		return (R_UNAVAILABLE);
	p->p_state = state;
	if (person_set_rights(rq->rq_db, p) == -1 ||
	    db_exec(rq->rq_db, S_LINK_DEL, ARGS(NUM(p->p_id))) == -1 ||
	    user_end(rq, p->p_id, state == USER_LOCKED ? END_SUSPENDED :
	    END_ENDED) == -1)
		return (R_UNAVAILABLE);
	return (R_OK);
}

/* The row and all that leads to it; his messages are another matter. */
static enum result
user_gone(struct request *rq, const struct person *p)
{
	enum result	 r;

	if ((r = admin_leaves(rq, p, "state")) != R_OK ||
	    (r = hold_user(rq, p->p_id)) != R_OK)
		return (r);
	if (user_end(rq, p->p_id, END_ENDED) == -1 ||
	    lock_clear(rq, p) == -1 ||
	    person_forget(rq->rq_db, p->p_id) == -1)
		return (R_UNAVAILABLE);
	tell_rights(rq);
	return (R_OK);
}

enum result
user_remove(struct request *rq, const struct person *p)
{
	struct erasing	 es = { .es_what = ERASE_DIRECT, .es_a = p->p_id };
	uint64_t	 n;
	enum result	 r;

	if ((r = user_gone(rq, p)) != R_OK)
		return (r);
	if (audit_add(rq->rq_db, "by %s %u: delete user %u, role %u, %s",
	    asker(rq), asker_id(rq), p->p_id, p->p_role,
	    state_word(p->p_state)) == -1)
		return (R_UNAVAILABLE);
	/* Without any there is nothing to do. */
	if (db_number(rq->rq_db, S_DM_ANY, ARGS(NUM(p->p_id)), &n) == -1)
		return (R_UNAVAILABLE);
	return (n == 0 ? R_OK : erase_begin(rq, &es));
}

enum result
user_erase(struct request *rq, const struct person *p, uint8_t what,
    uint64_t *id)
{
	struct erasing	 es = { .es_what = what, .es_a = p->p_id,
			    .es_to = INT64_MAX };
	enum result	 r;

	if ((r = user_gone(rq, p)) != R_OK ||
	    (r = erase_begin(rq, &es)) != R_OK)
		return (r);
	*id = es.es_id;
	return (db_exec(rq->rq_db, S_AUDIT_NAMES_DEL, ARGS(NUM(p->p_id))) ==
	    -1 || audit_add(rq->rq_db, "by %s %u: erase user %u, messages "
	    "%s: erasure %llu", asker(rq), asker_id(rq), p->p_id,
	    what == ERASE_PERSON ? "too" : "stay without a name",
	    (unsigned long long)es.es_id) == -1 ? R_UNAVAILABLE : R_OK);
}

enum result
user_link(struct request *rq, struct person *p, struct m_a_link *link)
{
	enum link_kind	 kind = LINK_INVITE;

	if (p->p_state == USER_LOCKED) {
		rq->rq_field = "state";
		return (R_CONFLICT);
	}
	if (p->p_state == USER_ACTIVE) {
		kind = LINK_RESET;
		if (password_set(rq, p, NULL, 0) == -1 ||
		    user_end(rq, p->p_id, END_ENDED) == -1)
			return (R_UNAVAILABLE);
	}
	link->expires = now_ms() + (uint64_t)storage_conf->sc_invite * 1000;
	if (link_row_make(rq->rq_db, p->p_id, kind, link->expires,
	    link->token) == -1 || audit_act(rq, kind == LINK_INVITE ?
	    "invite user" : "reset password of user", p->p_id) == -1)
		return (R_UNAVAILABLE);
	return (R_OK);
}

uint64_t
link_expiry(struct db *db, uint32_t user)
{
	uint64_t	 expires;

	if (db_number(db, S_LINK_OF, ARGS(NUM(user)), &expires) == -1)
		return (0);
	return (expires);
}

/* A row for the list; groups is room for the ids and lives in the caller. */
static void
a_user(struct db *db, const struct person *p, uint32_t groups[MAX_GROUPS],
    struct m_a_user *m)
{
	struct rights	*rt = rights_get(db);
	size_t		 i, n = 0;

	for (i = 0; rt != NULL && i < rt->rt_ngroups; i++)
		if (idlist_has(&rt->rt_groups[i].gp_members, p->p_id))
			groups[n++] = htobe32(rt->rt_groups[i].gp_id);
	m->user = p->p_id;
	m->role = p->p_role;
	m->state = p->p_state;
	m->last = p->p_last;
	m->created = p->p_created;
	m->invite = link_expiry(db, p->p_id);
	m->factors = p->p_factors;
	m->locked = lock_until(db, p->p_mail);
	m->email = p->p_mail;
	m->name = p->p_name;
	m->groups.mb_data = groups;
	m->groups.mb_len = n * sizeof(groups[0]);
}

static void
send_user(struct request *rq, const struct person *p)
{
	uint32_t	 groups[MAX_GROUPS];
	struct m_a_user	 m;

	a_user(rq->rq_db, p, groups, &m);
	rq_answer(rq, IMSG_A_USER, &m);
}

static int
stream_users(struct stream *sm, struct peer *pe)
{
	uint32_t	 groups[MAX_GROUPS];
	struct tenant	*tn = tenant_by_id(sm->st_tenant);
	struct db	*db;
	struct person	 p;
	struct m_a_user	 m;
	sqlite3_stmt	*st;
	int		 n, rows = 0;

	if (tn == NULL || (db = tenant_enter(tn)) == NULL) {
		(void)proc_result(pe, sm->st_id, R_UNAVAILABLE, 0, "");
		return (0);
	}
	(void)db_commit(db);
	st = db_query(db, S_USERS, ARGS(NUM(sm->st_after), NUM(STREAM_ROWS)));
	while ((n = db_step(db, st)) == 1) {
		rows++;
		sm->st_after = db_col_num(st, 0);
		if (person_read(db, st, &p) == -1)
			continue;
		a_user(db, &p, groups, &m);
		(void)proc_send(pe, IMSG_A_USER, sm->st_id, -1, &m);
	}
	db_done(st);
	explicit_bzero(&p, sizeof(p));
	tenant_leave(tn, db);
	if (n == 0 && rows == STREAM_ROWS)
		return (1);
	(void)proc_result(pe, sm->st_id, n == -1 ? R_UNAVAILABLE : R_OK, 0,
	    "");
	return (0);
}

enum result
adm_users(struct request *rq, const void *arg)
{
	(void)arg;
	return (rq_stream(rq, stream_users, NULL, NULL) == -1 ?
	    R_UNAVAILABLE : R_OK);
}

enum result
adm_user_add(struct request *rq, const void *arg)
{
	const struct m_a_user_add	*m = arg;
	struct person			 p;
	struct m_a_link			 link;
	enum result			 r;

	if ((r = user_create(rq, m->email, m->name, m->role, &p)) != R_OK ||
	    (r = user_link(rq, &p, &link)) != R_OK)
		return (r);
	send_user(rq, &p);
	rq_answer(rq, IMSG_A_LINK, &link);
	explicit_bzero(&link, sizeof(link));
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

static enum result
user_of(struct request *rq, uint32_t id, struct person *p)
{
	int	 n;

	if ((n = person_get(rq->rq_db, id, p)) == -1)
		return (R_UNAVAILABLE);
	return (n == 1 && p->p_role != ROLE_GUEST ? R_OK : R_NOTFOUND);
}

enum result
user_set_name(struct request *rq, struct person *p, const char *name)
{
	struct m_user	 mu;

	if (!name_valid(name, MAX_NAME_CHARS)) {
		rq->rq_field = "name";
		return (R_INVALID);
	}
	if (note_user(rq, p->p_id, "rename", p->p_name, name) == -1)
		return (R_UNAVAILABLE);
	(void)strlcpy(p->p_name, name, sizeof(p->p_name));
	if (person_set_profile(rq->rq_db, p) == -1)
		return (R_UNAVAILABLE);
	person_user(rq->rq_tn, p, 0, &mu);
	rq_tell_sessions(rq, IMSG_PROFILE, &mu);
	return (R_OK);
}

enum result
adm_user_set(struct request *rq, const void *arg)
{
	const struct m_a_user_set	*m = arg;
	struct person			 p;
	enum result			 r;

	if ((r = user_of(rq, m->user, &p)) != R_OK)
		return (r);
	if (m->mask & SET_NAME &&
	    (r = user_set_name(rq, &p, m->name)) != R_OK)
		return (r);
	/* Somebody else was quicker. */
	rq->rq_field = "was";
	if (m->mask & SET_WAS && m->was != p.p_role)
		return (R_CONFLICT);
	if (m->mask & SET_ROLE && (r = user_set_role(rq, &p, m->role)) != R_OK)
		return (r);
	if (m->mask & SET_STATE &&
	    (r = user_set_state(rq, &p, m->state)) != R_OK)
		return (r);
	send_user(rq, &p);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

enum result
adm_user_del(struct request *rq, const void *arg)
{
	const struct m_grant_id	*m = arg;
	struct person		 p;
	enum result		 r;

	if ((r = user_of(rq, m->id, &p)) != R_OK ||
	    (r = user_remove(rq, &p)) != R_OK)
		return (r);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

enum result
adm_user_link(struct request *rq, const void *arg)
{
	const struct m_grant_id	*m = arg;
	struct person		 p;
	struct m_a_link		 link;
	enum result		 r;

	if ((r = user_of(rq, m->id, &p)) != R_OK ||
	    (r = user_link(rq, &p, &link)) != R_OK)
		return (r);
	rq_answer(rq, IMSG_A_LINK, &link);
	explicit_bzero(&link, sizeof(link));
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

/*
 * Lists of users and groups in requests.
 */

/* Sorted, and everybody in it exists; else R_INVALID with the field. */
static enum result
read_users(struct request *rq, const struct m_blob *mb, const char *field,
    struct idlist *il)
{
	uint64_t	 there = 1;
	size_t		 i;

	rq->rq_field = field;
	if (idlist_read(il, mb) == -1)
		return (R_INVALID);
	for (i = 0; i < il->il_n && there == 1; i++) {
		if (db_number(rq->rq_db, S_USER_THERE,
		    ARGS(NUM(il->il_ids[i])), &there) == -1) {
			free(il->il_ids);
			return (R_UNAVAILABLE);
		}
	}
	if (there == 1)
		return (R_OK);
	free(il->il_ids);
	return (R_INVALID);
}

static enum result
read_groups(struct request *rq, const struct m_blob *mb, struct rights *rt,
    struct idlist *il)
{
	size_t	 i;

	rq->rq_field = "groups";
	if (idlist_read(il, mb) == -1)
		return (R_INVALID);
	for (i = 0; i < il->il_n; i++) {
		if (rights_group(rt, il->il_ids[i]) == NULL) {
			free(il->il_ids);
			return (R_INVALID);
		}
	}
	return (R_OK);
}

/*
 * Groups.
 */

static enum result
group_name_free(struct request *rq, struct rights *rt, const char *name,
    uint32_t self)
{
	size_t	 i;

	rq->rq_field = "name";
	if (!name_valid(name, MAX_NAME_CHARS))
		return (R_INVALID);
	for (i = 0; i < rt->rt_ngroups; i++)
		if (rt->rt_groups[i].gp_id != self &&
		    strcmp(rt->rt_groups[i].gp_name, name) == 0)
			return (R_CONFLICT);
	return (R_OK);
}

static int
send_group(struct request *rq, const struct group *gp)
{
	struct m_a_group	 m = { 0 };
	void			*ids;

	if ((ids = idlist_wire(&gp->gp_members)) == NULL)
		return (-1);
	m.group = gp->gp_id;
	m.version = gp->gp_version;
	m.name = gp->gp_name;
	m.members.mb_data = ids;
	m.members.mb_len = gp->gp_members.il_n * sizeof(uint32_t);
	rq_answer(rq, IMSG_A_GROUP, &m);
	free(ids);
	return (0);
}

/* The group as it is now, and the end of the answer. */
static enum result
finish_group(struct request *rq, uint32_t id)
{
	struct rights	*rt;
	struct group	*gp;

	if ((rt = rights_get(rq->rq_db)) == NULL ||
	    (gp = rights_group(rt, id)) == NULL || send_group(rq, gp) == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	tell_rights(rq);
	return (R_OK);
}

enum result
adm_groups(struct request *rq, const void *arg)
{
	struct rights	*rt;
	size_t		 i;

	(void)arg;
	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	for (i = 0; i < rt->rt_ngroups; i++)
		if (send_group(rq, &rt->rt_groups[i]) == -1)
			return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

enum result
adm_group_add(struct request *rq, const void *arg)
{
	const struct m_a_group	*m = arg;
	struct rights		*rt;
	struct idlist		 il;
	uint32_t		 id;
	enum result		 r;
	int			 n;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	if ((r = group_name_free(rq, rt, m->name, 0)) != R_OK)
		return (r);
	rq->rq_field = "groups";
	if (rt->rt_ngroups >= MAX_GROUPS)
		return (R_CONFLICT);
	if ((r = read_users(rq, &m->members, "members", &il)) != R_OK)
		return (r);
	if ((n = group_row_add(rq->rq_db, m->name, &il, &id)) == 0 &&
	    (n = audit_add(rq->rq_db, "by %s %u: add group %u, [%s]",
	    asker(rq), asker_id(rq), id, m->name)) == 0)
		n = note_list(rq, "group", id, "user", NULL, &il);
	free(il.il_ids);
	if (n == -1)
		return (R_UNAVAILABLE);
	return (finish_group(rq, id));
}

static enum result
group_members(struct request *rq, const struct group *gp,
    const struct m_blob *members)
{
	struct idlist	 il;
	enum result	 r;
	int		 n;

	if ((r = read_users(rq, members, "members", &il)) != R_OK)
		return (r);
	if ((n = note_list(rq, "group", gp->gp_id, "user", &gp->gp_members,
	    &il)) == 0)
		n = group_row_members(rq->rq_db, gp, &il);
	free(il.il_ids);
	return (n == -1 ? R_UNAVAILABLE : R_OK);
}

/* A group or a floor gets another name, or keeps the one it has. */
static int
name_note(struct request *rq, const char *object, uint32_t id,
    const char *from, const char *to)
{
	char	 what[32];

	if (strcmp(from, to) == 0)
		return (0);
	(void)snprintf(what, sizeof(what), "rename %s %u", object, id);
	return (note_text(rq, what, from, to));
}

/* What is changed is what the asker saw, if he says what that was. */
static enum result
seen(struct request *rq, uint32_t mask, uint64_t version, uint64_t now)
{
	if ((mask & SET_WAS) == 0 || version == now)
		return (R_OK);
	rq->rq_field = "version";
	return (R_CONFLICT);
}

enum result
adm_group_set(struct request *rq, const void *arg)
{
	const struct m_a_group	*m = arg;
	struct rights		*rt;
	struct group		*gp;
	enum result		 r;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	if ((gp = rights_group(rt, m->group)) == NULL)
		return (R_NOTFOUND);
	if ((r = seen(rq, m->mask, m->version, gp->gp_version)) != R_OK)
		return (r);
	if (m->mask & SET_MEMBERS)
		r = group_members(rq, gp, &m->members);
	else if (group_row_members(rq->rq_db, gp, &gp->gp_members) == -1)
		r = R_UNAVAILABLE;	/* the next version, with its name */
	if (r != R_OK)
		return (r);
	if (m->mask & SET_NAME) {
		if ((rt = rights_get(rq->rq_db)) == NULL)
			return (R_UNAVAILABLE);
		if ((gp = rights_group(rt, m->group)) == NULL)
			return (R_UNAVAILABLE);
		if ((r = group_name_free(rq, rt, m->name, m->group)) != R_OK)
			return (r);
		if (name_note(rq, "group", m->group, gp->gp_name, m->name) ==
		    -1 || group_row_name(rq->rq_db, m->group, m->name) == -1)
			return (R_UNAVAILABLE);
	}
	return (finish_group(rq, m->group));
}

enum result
adm_group_del(struct request *rq, const void *arg)
{
	const struct m_grant_id	*m = arg;
	struct group		*gp;
	struct rights		*rt;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	if ((gp = rights_group(rt, m->id)) == NULL)
		return (R_NOTFOUND);
	if (note_list(rq, "group", m->id, "user", &gp->gp_members, NULL) ==
	    -1 || audit_add(rq->rq_db, "by %s %u: delete group %u, [%s]",
	    asker(rq), asker_id(rq), m->id, gp->gp_name) == -1 ||
	    group_row_del(rq->rq_db, m->id) == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	tell_rights(rq);
	return (R_OK);
}

/*
 * Floors.
 */

static const struct template *
template_find(const char *name)
{
	struct template	*tp;

	TAILQ_FOREACH(tp, &storage_conf->sc_templates, tp_entry)
		if (strcmp(tp->tp_name, name) == 0)
			return (tp);
	return (NULL);
}

enum result
adm_templates(struct request *rq, const void *arg)
{
	struct template		*tp;
	struct m_a_template	 m;

	(void)arg;
	TAILQ_FOREACH(tp, &storage_conf->sc_templates, tp_entry) {
		m.name = tp->tp_name;
		rq_answer(rq, IMSG_A_TEMPLATE, &m);
	}
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

static enum result
floor_name_free(struct request *rq, struct rights *rt, const char *name,
    uint32_t self)
{
	size_t	 i;

	rq->rq_field = "name";
	if (!name_valid(name, MAX_NAME_CHARS))
		return (R_INVALID);
	for (i = 0; i < rt->rt_nfloors; i++)
		if (rt->rt_floors[i].fl_id != self &&
		    strcmp(rt->rt_floors[i].fl_name, name) == 0)
			return (R_CONFLICT);
	return (R_OK);
}

enum result
floor_create(struct request *rq, const char *name, const char *template,
    const struct m_blob *map, uint32_t *id)
{
	const struct template	*tp;
	struct rights		*rt;
	struct m_blob		 mb = { NULL, 0 };
	enum result		 r;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	if ((r = floor_name_free(rq, rt, name, 0)) != R_OK)
		return (r);
	rq->rq_field = "template";
	if (map != NULL && map->mb_len > 0)
		mb = *map;
	else if ((tp = template_find(template)) != NULL) {
		mb.mb_data = tp->tp_map;
		mb.mb_len = tp->tp_len;
	}
	if (mb.mb_len == 0 || mb.mb_len > MAX_MAP)
		return (R_INVALID);
	rq->rq_field = "floors";
	if (rt->rt_nfloors >= MAX_FLOORS)
		return (R_CONFLICT);
	if (floor_row_add(rq->rq_db, name, mb.mb_data, mb.mb_len, id) == -1 ||
	    audit_add(rq->rq_db, "by %s %u: add floor %u, [%s]", asker(rq),
	    asker_id(rq), *id, name) == -1)
		return (R_UNAVAILABLE);
	tell_rights(rq);
	return (R_OK);
}

static int
send_floor(struct request *rq, const struct floor *fl)
{
	static const struct networks	 anywhere;
	struct m_a_floor		 m = { 0 };
	void				*users, *groups;
	char				*networks;

	users = idlist_wire(&fl->fl_users);
	groups = idlist_wire(&fl->fl_groups);
	networks = networks_text(fl->fl_networks == NULL ? &anywhere :
	    fl->fl_networks);
	if (users != NULL && groups != NULL && networks != NULL) {
		m.networks = networks;
		m.floor = fl->fl_id;
		m.version = fl->fl_version;
		m.open = fl->fl_open;
		m.can = fl->fl_can;
		m.way = fl->fl_way;
		m.name = fl->fl_name;
		m.users.mb_data = users;
		m.users.mb_len = fl->fl_users.il_n * sizeof(uint32_t);
		m.groups.mb_data = groups;
		m.groups.mb_len = fl->fl_groups.il_n * sizeof(uint32_t);
		rq_answer(rq, IMSG_A_FLOOR, &m);
	}
	free(users);
	free(groups);
	free(networks);
	return (users == NULL || groups == NULL || networks == NULL ? -1 : 0);
}

static enum result
finish_floor(struct request *rq, uint32_t id)
{
	struct rights	*rt;
	struct floor	*fl;

	if ((rt = rights_get(rq->rq_db)) == NULL ||
	    (fl = rights_floor(rt, id)) == NULL || send_floor(rq, fl) == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

enum result
adm_floors(struct request *rq, const void *arg)
{
	struct rights	*rt;
	size_t		 i;

	(void)arg;
	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	for (i = 0; i < rt->rt_nfloors; i++)
		if (send_floor(rq, &rt->rt_floors[i]) == -1)
			return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

enum result
adm_floor_add(struct request *rq, const void *arg)
{
	const struct m_a_floor	*m = arg;
	uint32_t		 id;
	enum result		 r;

	if ((r = floor_create(rq, m->name, m->template, NULL, &id)) != R_OK)
		return (r);
	return (finish_floor(rq, id));
}

int
floor_set(struct request *rq, const struct floor *fl, uint8_t open,
    const struct idlist *users, const struct idlist *groups)
{
	struct floor	 to = *fl;

	if (note_access(rq, fl, open, users, groups) == -1)
		return (-1);
	to.fl_open = open;
	to.fl_users = *users;
	to.fl_groups = *groups;
	return (floor_row_rights(rq->rq_db, &to));
}

/* What the mask does not name stays as it is. */
static enum result
floor_access(struct request *rq, struct rights *rt, const struct floor *fl,
    const struct m_a_floor *m)
{
	struct idlist	 users = { 0 }, groups = { 0 };
	enum result	 r = R_OK;

	if (m->mask & SET_USERS &&
	    (r = read_users(rq, &m->users, "users", &users)) != R_OK)
		return (r);
	if (m->mask & SET_GROUPS &&
	    (r = read_groups(rq, &m->groups, rt, &groups)) != R_OK) {
		free(users.il_ids);
		return (r);
	}
	if (floor_set(rq, fl, m->mask & SET_OPEN ? m->open : fl->fl_open,
	    m->mask & SET_USERS ? &users : &fl->fl_users,
	    m->mask & SET_GROUPS ? &groups : &fl->fl_groups) == -1)
		r = R_UNAVAILABLE;
	if (m->mask & SET_USERS)
		free(users.il_ids);
	if (m->mask & SET_GROUPS)
		free(groups.il_ids);
	return (r);
}

enum result
adm_floor_set(struct request *rq, const void *arg)
{
	const struct m_a_floor	*m = arg;
	struct rights		*rt;
	struct floor		*fl;
	char			 bad[NETWORK_TEXT];
	enum result		 r;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	if ((fl = rights_floor(rt, m->floor)) == NULL)
		return (R_NOTFOUND);
	if ((r = seen(rq, m->mask, m->version, fl->fl_version)) != R_OK)
		return (r);
	if (m->mask & SET_NETWORKS) {
		if ((r = floor_networks(rq, fl, m->networks, bad)) != R_OK)
			return (r);
		if ((rt = rights_get(rq->rq_db)) == NULL ||
		    (fl = rights_floor(rt, m->floor)) == NULL)
			return (R_UNAVAILABLE);
	}
	if (m->mask & SET_TALK) {
		if ((r = floor_talk(rq, fl, m->can, m->way)) != R_OK)
			return (r);
		if ((rt = rights_get(rq->rq_db)) == NULL ||
		    (fl = rights_floor(rt, m->floor)) == NULL)
			return (R_UNAVAILABLE);
	}
	/* The next version, with a new name too. */
	if (m->mask & (SET_OPEN | SET_USERS | SET_GROUPS | SET_NAME) &&
	    (r = floor_access(rq, rt, fl, m)) != R_OK)
		return (r);
	if (m->mask & SET_NAME) {
		if ((rt = rights_get(rq->rq_db)) == NULL)
			return (R_UNAVAILABLE);
		if ((fl = rights_floor(rt, m->floor)) == NULL)
			return (R_UNAVAILABLE);
		if ((r = floor_name_free(rq, rt, m->name, m->floor)) != R_OK)
			return (r);
		if (name_note(rq, "floor", m->floor, fl->fl_name, m->name) ==
		    -1 || floor_row_name(rq->rq_db, m->floor, m->name) == -1)
			return (R_UNAVAILABLE);
	}
	tell_rights(rq);
	return (finish_floor(rq, m->floor));
}

enum result
floor_remove(struct request *rq, const struct floor *fl)
{
	struct erasing	 es = { .es_what = ERASE_FLOOR, .es_a = fl->fl_id,
			    .es_to = INT64_MAX };
	char		 name[MAX_NAME + 1];
	enum result	 r;

	(void)strlcpy(name, fl->fl_name, sizeof(name));
	if ((r = erase_begin(rq, &es)) != R_OK)
		return (r);
	if (floor_row_del(rq->rq_db, es.es_a) == -1 ||
	    audit_add(rq->rq_db, "by %s %u: delete floor %u, [%s]", asker(rq),
	    asker_id(rq), es.es_a, name) == -1)
		return (R_UNAVAILABLE);
	tell_rights(rq);
	return (R_OK);
}

enum result
adm_floor_del(struct request *rq, const void *arg)
{
	const struct m_grant_id	*m = arg;
	const struct floor	*fl;
	struct rights		*rt;
	enum result		 r;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	if ((fl = rights_floor(rt, m->id)) == NULL)
		return (R_NOTFOUND);
	if ((r = floor_remove(rq, fl)) == R_OK)
		rq_result(rq, R_OK, 0, NULL);
	return (r);
}

/*
 * The tenant itself.
 */

enum result
adm_tenant_set(struct request *rq, const void *arg)
{
	const struct m_a_tenant	*m = arg;
	struct tenant		*tn = rq->rq_tn;
	struct db		*sys = db_system();
	char			 old[sizeof(tn->tn_title)], what[40];

	rq->rq_field = "title";
	if (!name_valid(m->title, MAX_TITLE_CHARS))
		return (R_INVALID);
	(void)snprintf(what, sizeof(what), "set title of tenant %u",
	    tn->tn_id);
	if (sys == NULL || note_text(rq, what, tn->tn_title, m->title) == -1)
		return (R_UNAVAILABLE);
	(void)strlcpy(old, tn->tn_title, sizeof(old));
	(void)strlcpy(tn->tn_title, m->title, sizeof(tn->tn_title));
	if (tenant_update(sys, tn) == -1) {
		(void)strlcpy(tn->tn_title, old, sizeof(tn->tn_title));
		return (R_UNAVAILABLE);
	}
	rq_tell_tenant(rq, tn);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

/* The trail says of each changed rule how it was and how it is now. */
static int
policy_note(struct request *rq, const struct policy *old,
    const struct policy *po)
{
	char	 from[POLICY_VALUE], to[POLICY_VALUE];
	size_t	 i;

	for (i = 0; i < POLICY_KEYS; i++)
		if (old->po_value[i] != po->po_value[i] &&
		    audit_add(rq->rq_db, "by %s %u: set %s from %s to %s",
		    asker(rq), asker_id(rq), policy_rules[i].pr_name,
		    policy_number((enum policy_key)i, old->po_value[i], from),
		    policy_number((enum policy_key)i, po->po_value[i], to)) ==
		    -1)
			return (-1);
	for (i = 0; i < POLICY_LISTS; i++)
		if (strcmp(old->po_list[i], po->po_list[i]) != 0 &&
		    audit_add(rq->rq_db, "by %s %u: set %s from [%s] to [%s]",
		    asker(rq), asker_id(rq), policy_lists[i].pw_name,
		    old->po_list[i], po->po_list[i]) == -1)
			return (-1);
	return (0);
}

enum result
policy_set(struct request *rq, const struct policy *po)
{
	struct tenant	*tn = rq->rq_tn;
	struct db	*sys = db_system();
	struct policy	 old = tn->tn_policy;

	if ((rq->rq_field = policy_check(po)) != NULL)
		return (R_INVALID);
	if (sys == NULL || policy_note(rq, &old, po) == -1)
		return (R_UNAVAILABLE);
	tn->tn_policy = *po;
	if (tenant_update(sys, tn) == -1) {
		tn->tn_policy = old;
		return (R_UNAVAILABLE);
	}
	if (old.po_value[POLICY_HOLD] != 0 && po->po_value[POLICY_HOLD] == 0)
		hold_over(tn);
	networks_apply(tn);
	rq_tell_tenant(rq, tn);
	must_again(rq, 0);
	return (R_OK);
}

enum result
adm_policy_set(struct request *rq, const void *arg)
{
	const struct m_a_policy	*m = arg;
	struct policy		 was, po;
	enum result		 r;
	size_t			 i;

	rq->rq_field = "policy";
	if (policy_read(&was, m->was.mb_data, m->was.mb_len) == -1 ||
	    policy_read(&po, m->policy.mb_data, m->policy.mb_len) == -1)
		return (R_INVALID);
	/* Somebody else was quicker: what he set is not what this one saw. */
	if (memcmp(&was, &rq->rq_tn->tn_policy, sizeof(was)) != 0)
		return (R_CONFLICT);
	for (i = 0; i < POLICY_KEYS; i++) {
		rq->rq_field = policy_rules[i].pr_name;
		if (policy_operators((enum policy_key)i) &&
		    po.po_value[i] != was.po_value[i])
			return (R_INVALID);
	}
	/* Nobody locks himself out; risactl may, and can always mend it. */
	if ((rq->rq_field = policy_excludes(&po, rq->rq_gr)) != NULL)
		return (R_EXCLUDES);
	if ((r = policy_set(rq, &po)) == R_OK)
		rq_result(rq, R_OK, 0, NULL);
	return (r);
}
