/*
 * Roles: what those that every tenant has may do there, and the tenant's own.
 * A row that does not open is a role that may nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "role.h"
#include "storage.h"
#include "util.h"

#define ROWS	(MAX_ROLES + ROLE_MAX)

/*
 * Rows.
 */

static int
role_open(struct db *db, sqlite3_stmt *st, struct roledef *rl)
{
	struct seal_at	 at = { "roles", "rights", rl->rl_id, rl->rl_version,
			    NULL, 0 };
	uint8_t		*can;
	size_t		 len;
	int		 ret = -1;

	if ((can = db_open(db, &at, st, 3, &len)) == NULL)
		return (-1);
	if (len == 1 && (*can & ~role_settable(rl->rl_id)) == 0) {
		rl->rl_can = *can;
		ret = 0;
	}
	free(can);
	at.sa_column = "name";
	at.sa_version = 0;
	if (ret == 0)
		rl->rl_name = db_open(db, &at, st, 2, &len);
	return (rl->rl_name == NULL ? -1 : 0);
}

static int
role_read(struct db *db, sqlite3_stmt *st, struct roledef *rl)
{
	rl->rl_id = (uint8_t)db_col_num(st, 0);
	rl->rl_version = db_col_num(st, 1);
	if (role_open(db, st, rl) == 0)
		return (0);
	log_warnx("tenant %u: role %u does not open, it may nothing",
	    db->db_id, rl->rl_id);
	rl->rl_can = 0;
	free(rl->rl_name);
	return ((rl->rl_name = strdup("?")) == NULL ? -1 : 0);
}

/* Of administrators none: they may all, whatever is written. */
static int
role_has_row(uint64_t id)
{
	return (id <= UINT8_MAX && role_valid((uint8_t)id) &&
	    id != ROLE_ADMIN);
}

int
roles_load(struct db *db, struct rights *rt)
{
	sqlite3_stmt	*st;
	int		 n;

	if ((rt->rt_roles = calloc(ROWS, sizeof(*rt->rt_roles))) == NULL)
		return (-1);
	st = db_query(db, S_ROLES, NOARGS);
	while ((n = db_step(db, st)) == 1 && rt->rt_nroles < ROWS) {
		if (!role_has_row(db_col_num(st, 0)))
			continue;
		n = role_read(db, st, &rt->rt_roles[rt->rt_nroles]);
		if (n == -1)
			break;
		rt->rt_nroles++;
	}
	db_done(st);
	return (n == -1 ? -1 : 0);
}

void
roles_clear(struct rights *rt)
{
	size_t	 i;

	for (i = 0; i < rt->rt_nroles; i++)
		free(rt->rt_roles[i].rl_name);
	free(rt->rt_roles);
}

/* Written anew in any case; the pointers of before are stale then. */
static int
role_put(struct db *db, uint8_t id, uint64_t version, const char *name,
    uint8_t can)
{
	const struct seal_at	 at = { "roles", "rights", id, version, NULL,
				    0 };
	uint8_t			 key[SEAL_INDEX];
	void			*nrec, *rrec;
	size_t			 nlen, rlen;
	int			 n = -1;

	nrec = name_seal(db, "roles", id, name, key, &nlen);
	rrec = db_seal(db, &at, &can, sizeof(can), &rlen);
	if (nrec != NULL && rrec != NULL)
		n = db_exec(db, S_ROLE_PUT, ARGS(NUM(id), NUM(version),
		    BIN(key, sizeof(key)), BIN(nrec, nlen), BIN(rrec, rlen)));
	free(nrec);
	free(rrec);
	rights_free(db);
	return (n == 1 ? 0 : -1);
}

static struct roledef *
role_row(struct rights *rt, uint8_t id)
{
	size_t	 i;

	for (i = 0; i < rt->rt_nroles; i++)
		if (rt->rt_roles[i].rl_id == id)
			return (&rt->rt_roles[i]);
	return (NULL);
}

/*
 * What they may.
 */

struct roledef *
rights_role(struct rights *rt, uint8_t id)
{
	return (id < ROLE_CUSTOM ? NULL : role_row(rt, id));
}

int
rights_role_there(struct rights *rt, uint8_t role)
{
	return (role_word(role) != NULL || rights_role(rt, role) != NULL);
}

uint8_t
rights_can(struct rights *rt, uint8_t role)
{
	struct roledef	*rl = role_row(rt, role);

	return (rl == NULL ? role_default(role) : rl->rl_can);
}

const char *
rights_role_name(struct rights *rt, uint8_t role)
{
	struct roledef	*rl;

	if (role_word(role) != NULL)
		return (role_word(role));
	return ((rl = rights_role(rt, role)) == NULL ? "?" : rl->rl_name);
}

int
rights_role_named(struct rights *rt, const char *name)
{
	size_t	 i;
	int	 n = role_number(name);

	for (i = 0; i < rt->rt_nroles && n == -1; i++)
		if (rt->rt_roles[i].rl_id >= ROLE_CUSTOM &&
		    strcmp(rt->rt_roles[i].rl_name, name) == 0)
			n = rt->rt_roles[i].rl_id;
	return (n);
}

enum result
may(struct request *rq, uint8_t right)
{
	struct rights	*rt;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	return (rights_can(rt, rq->rq_gr->gr_role) & right ? R_OK :
	    R_FORBIDDEN);
}

int
role_users(struct db *db, uint8_t id, uint32_t *n)
{
	uint64_t	 count;

	if (db_number(db, S_USER_ROLE_COUNT, ARGS(NUM(id)), &count) == -1)
		return (-1);
	*n = (uint32_t)count;
	return (0);
}

/*
 * Changes.
 */

static enum result
role_name_free(struct request *rq, struct rights *rt, const char *name,
    uint8_t self)
{
	int	 other;

	rq->rq_field = "name";
	if (!name_valid(name, MAX_NAME_CHARS))
		return (R_INVALID);
	other = rights_role_named(rt, name);
	return (other == -1 || other == self ? R_OK : R_CONFLICT);
}

/*
 * A new number, or 0 when the tenant has as many as it may.  One that is given
 * out again was not used for as long as can be: the trail knows it by others.
 */
static uint8_t
role_unused(struct rights *rt)
{
	unsigned int	 id, next = ROLE_CUSTOM;
	size_t		 i, own = 0;

	for (i = 0; i < rt->rt_nroles; i++) {
		if ((id = rt->rt_roles[i].rl_id) < ROLE_CUSTOM)
			continue;
		own++;
		next = id + 1;		/* they ascend */
	}
	if (own >= MAX_ROLES)
		return (0);
	for (id = ROLE_CUSTOM; next > UINT8_MAX && id <= UINT8_MAX; id++)
		if (rights_role(rt, (uint8_t)id) == NULL)
			next = id;
	return ((uint8_t)next);
}

/*
 * The first version is the time: a number that is given out again is never the
 * role that an administrator had before him when it was another one.
 */
/* The trail says of each right how it was and how it is now. */
static int
rights_note(struct request *rq, uint8_t id, uint8_t was, uint8_t can)
{
	int	 i;

	for (i = 0; i < RIGHTS; i++)
		if ((was ^ can) & 1 << i && audit_add(rq->rq_db,
		    "by %s %u: set %s of role %u from %s to %s", asker(rq),
		    asker_id(rq), right_names[i], id,
		    was & 1 << i ? "on" : "off",
		    can & 1 << i ? "on" : "off") == -1)
			return (-1);
	return (0);
}

enum result
role_create(struct request *rq, const char *name, uint8_t can, uint8_t *id)
{
	struct rights	*rt;
	enum result	 r;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	if ((r = role_name_free(rq, rt, name, 0)) != R_OK)
		return (r);
	rq->rq_field = "roles";
	if ((*id = role_unused(rt)) == 0)
		return (R_CONFLICT);
	if (role_put(rq->rq_db, *id, now_ms(), name, can) == -1 ||
	    audit_add(rq->rq_db, "by %s %u: add role %u, %s", asker(rq),
	    asker_id(rq), *id, name) == -1 ||
	    rights_note(rq, *id, role_default(ROLE_MEMBER), can) == -1)
		return (R_UNAVAILABLE);
	return (R_OK);
}

enum result
role_rename(struct request *rq, uint8_t id, const char *name)
{
	struct rights	*rt;
	struct roledef	*rl;
	enum result	 r;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	if ((rl = rights_role(rt, id)) == NULL)
		return (R_NOTFOUND);
	if ((r = role_name_free(rq, rt, name, id)) != R_OK)
		return (r);
	if (strcmp(rl->rl_name, name) == 0)
		return (R_OK);
	if (audit_add(rq->rq_db, "by %s %u: rename role %u from %s to %s",
	    asker(rq), asker_id(rq), id, rl->rl_name, name) == -1 ||
	    role_put(rq->rq_db, id, rl->rl_version + 1, name,
	    rl->rl_can) == -1)
		return (R_UNAVAILABLE);
	return (R_OK);
}

enum result
role_allow(struct request *rq, uint8_t id, uint8_t can)
{
	struct m_role	 m = { rq->rq_tn->tn_id, id, can };
	struct rights	*rt;
	struct roledef	*rl;
	uint8_t		 was;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	if ((rl = role_row(rt, id)) == NULL && role_word(id) == NULL)
		return (R_NOTFOUND);
	rq->rq_field = "can";
	if ((can & ~role_settable(id)) != 0 || id == ROLE_ADMIN)
		return (R_INVALID);
	if ((was = rights_can(rt, id)) == can)
		return (R_OK);
	if (rights_note(rq, id, was, can) == -1 || role_put(rq->rq_db, id,
	    rl == NULL ? now_ms() : rl->rl_version + 1,
	    rights_role_name(rt, id), can) == -1)
		return (R_UNAVAILABLE);
	rq_tell_sessions(rq, IMSG_ROLE, &m);
	return (R_OK);
}

enum result
role_remove(struct request *rq, uint8_t id)
{
	struct rights	*rt;
	uint32_t	 n;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	if (rights_role(rt, id) == NULL)
		return (R_NOTFOUND);
	if (role_users(rq->rq_db, id, &n) == -1)
		return (R_UNAVAILABLE);
	rq->rq_field = "users";
	rq->rq_arg = n;
	if (n > 0)
		return (R_CONFLICT);
	if (audit_add(rq->rq_db, "by %s %u: delete role %u, %s", asker(rq),
	    asker_id(rq), id, rights_role_name(rt, id)) == -1 ||
	    db_exec(rq->rq_db, S_ROLE_DEL, ARGS(NUM(id))) != 1)
		return (R_UNAVAILABLE);
	rights_free(rq->rq_db);
	return (R_OK);
}

/*
 * Requests.
 */

static int
send_role(struct request *rq, struct rights *rt, uint8_t id)
{
	const struct roledef	*rl = role_row(rt, id);
	struct m_a_role		 m = { 0 };

	m.role = id;
	m.can = rights_can(rt, id);
	m.version = rl == NULL ? 0 : rl->rl_version;
	m.name = rights_role_name(rt, id);
	if (role_users(rq->rq_db, id, &m.users) == -1)
		return (-1);
	rq_answer(rq, IMSG_A_ROLE, &m);
	return (0);
}

enum result
adm_roles(struct request *rq, const void *arg)
{
	struct rights	*rt;
	unsigned int	 id;

	(void)arg;
	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	for (id = 0; id <= UINT8_MAX; id++)
		if (rights_role_there(rt, (uint8_t)id) &&
		    send_role(rq, rt, (uint8_t)id) == -1)
			return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

static enum result
finish_role(struct request *rq, uint8_t id)
{
	struct rights	*rt;

	if ((rt = rights_get(rq->rq_db)) == NULL ||
	    send_role(rq, rt, id) == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

enum result
adm_role_add(struct request *rq, const void *arg)
{
	const struct m_a_role	*m = arg;
	uint8_t			 id;
	enum result		 r;

	if ((r = role_create(rq, m->name, m->can, &id)) != R_OK)
		return (r);
	return (finish_role(rq, id));
}

/* Is it still the role that the administrator saw? */
static enum result
role_seen(struct request *rq, const struct m_a_role *m)
{
	const struct roledef	*rl;
	struct rights		*rt;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	if ((rl = role_row(rt, m->role)) == NULL && role_word(m->role) == NULL)
		return (R_NOTFOUND);
	rq->rq_field = "version";
	return (m->version == (rl == NULL ? 0 : rl->rl_version) ? R_OK :
	    R_CONFLICT);
}

enum result
adm_role_set(struct request *rq, const void *arg)
{
	const struct m_a_role	*m = arg;
	enum result		 r;

	if ((r = role_seen(rq, m)) != R_OK ||
	    (m->mask & SET_NAME &&
	    (r = role_rename(rq, m->role, m->name)) != R_OK) ||
	    (m->mask & SET_CAN &&
	    (r = role_allow(rq, m->role, m->can)) != R_OK))
		return (r);
	return (finish_role(rq, m->role));
}

enum result
adm_role_del(struct request *rq, const void *arg)
{
	const struct m_a_role	*m = arg;
	enum result		 r;

	if ((r = role_seen(rq, m)) != R_OK ||
	    (r = role_remove(rq, m->role)) != R_OK)
		return (r);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}
