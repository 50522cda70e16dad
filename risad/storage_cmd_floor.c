/*
 * Commands about floors, roles and URLs for guests.
 */
#include <stdlib.h>
#include <string.h>

#include "role.h"
#include "storage_cmd.h"
#include "util.h"

#define WHO_MAX		16384		/* bytes of a list of people */

/*
 * Floors.
 */

/* By number or by name. */
struct floor *
co_floor(struct command *co, const char *name)
{
	struct rights	*rt;
	struct floor	*fl = NULL;
	const char	*errstr;
	uint32_t	 id;
	size_t		 i;

	if ((rt = rights_get(co->co_rq->rq_db)) == NULL) {
		co_refuse(co, "the floors cannot be read");
		return (NULL);
	}
	for (i = 0; i < rt->rt_nfloors && fl == NULL; i++)
		if (strcmp(rt->rt_floors[i].fl_name, name) == 0)
			fl = &rt->rt_floors[i];
	id = (uint32_t)strtonum(name, 1, UINT32_MAX, &errstr);
	if (fl == NULL && errstr == NULL)
		fl = rights_floor(rt, id);
	if (fl == NULL)
		co_refuse(co, "no such floor: %s", name);
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
	co_refuse(co, "no such group: %s", name);
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
		return (co_refuse(co, "a user or a group, not both"));
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
		return (co_refuse(co, "networks: %s may not stand here", bad));
	}
	rights.tenant = co->co_rq->rq_tn->tn_id;
	rq_tell_sessions(co->co_rq, IMSG_RIGHTS, &rights);
	return (co_commit(co, r, m->floor));
}

/* What the command does not name stays as it is. */
static int
floor_speak(struct command *co)
{
	const struct m_c_floor_talk	*m = co->co_m;
	struct m_rights			 rights;
	struct floor			*fl;
	enum result			 r;

	if (co_tenant(co, m->tenant) == -1 || co_begin(co) == -1)
		return (-1);
	if ((fl = co_floor(co, m->floor)) == NULL) {
		(void)db_end(co->co_rq->rq_db, 0);
		return (-1);
	}
	r = floor_talk(co->co_rq, fl, (uint8_t)((fl->fl_can & ~m->mask) |
	    (m->can & m->mask)), m->way == WAY_MAX ? fl->fl_way : m->way);
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
		return (co_refuse(co, "no memory"));
	row.floor = fl->fl_id;
	row.open = fl->fl_open;
	row.can = fl->fl_can;
	row.way = fl->fl_way;
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
		return (co_refuse(co, "the floors cannot be read"));
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
		return (co_refuse(co, "no memory"));
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
		return (co_refuse(co, "%s: every tenant has this role",
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
		return (co_refuse(co, "the roles cannot be read"));
	for (id = 0; id <= UINT8_MAX; id++) {
		if (!rights_role_there(rt, (uint8_t)id))
			continue;
		row.role = id;
		row.can = rights_can(rt, (uint8_t)id);
		row.name = rights_role_name(rt, (uint8_t)id);
		if (role_users(db, (uint8_t)id, &row.users) == -1)
			return (co_refuse(co, "the users cannot be read"));
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
	co_link(co, &link, 1);
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
	return (r == R_NOTFOUND ? co_refuse(co, "no such guest URL: %u",
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
		return (co_refuse(co, "the guest URLs cannot be read"));
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

const struct verb	 floor_verbs[] = {
	{ IMSG_C_FLOOR_ADD, "floor add", floor_new },
	{ IMSG_C_FLOOR_LIST, NULL, floor_list },
	{ IMSG_C_FLOOR_SHOW, NULL, floor_show },
	{ IMSG_C_FLOOR_ALLOW, "floor access", floor_allow },
	{ IMSG_C_FLOOR_DEL, "floor delete", floor_del },
	{ IMSG_C_FLOOR_NETWORKS, "floor networks", floor_from },
	{ IMSG_C_FLOOR_TALK, "floor talk", floor_speak },
	{ IMSG_C_GUEST_ADD, "guest add", guest_new },
	{ IMSG_C_GUEST_LIST, NULL, guest_list },
	{ IMSG_C_GUEST_DEL, "guest revoke", guest_del },
	{ IMSG_C_ROLE_LIST, NULL, role_list },
	{ IMSG_C_ROLE_ADD, "role add", role_new },
	{ IMSG_C_ROLE_ALLOW, "role allow", role_set },
	{ IMSG_C_ROLE_DENY, "role deny", role_set },
	{ IMSG_C_ROLE_NAME, "role rename", role_name },
	{ IMSG_C_ROLE_DEL, "role delete", role_del },
	{ 0, NULL, NULL }
};
