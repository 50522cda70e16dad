#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "role.h"
#include "storage.h"
#include "util.h"

#define HASHLEN	16		/* of look-up keys that need no more */

static uint64_t
be64(uint64_t n)
{
	return (htobe64(n));
}

void *
seal_buf(struct db *db, const struct seal_at *at, struct ibuf *buf,
    size_t *len)
{
	void	*rec;

	rec = db_seal(db, at, ibuf_data(buf), ibuf_size(buf), len);
	ibuf_free(buf);
	return (rec);
}

/* Open a column whose text is one string, at most size - 1 bytes. */
static int
open_str(struct db *db, const struct seal_at *at, sqlite3_stmt *st, int col,
    char *dst, size_t size)
{
	size_t	 len;
	char	*s;
	int	 ret = -1;

	if ((s = db_open(db, at, st, col, &len)) == NULL)
		return (-1);
	if (strlen(s) == len && strlcpy(dst, s, size) < size)
		ret = 0;
	freezero(s, len + 1);
	return (ret);
}

int
get_cstr(struct ibuf *buf, char *dst, size_t size)
{
	const char	*s = ibuf_data(buf);
	size_t		 n, len = ibuf_size(buf);

	if ((n = strnlen(s, len)) == len || n >= size)
		return (-1);
	memcpy(dst, s, n + 1);
	return (ibuf_skip(buf, n + 1));
}

/*
 * Users.
 */

static void *
profile_seal(struct db *db, const struct person *p, size_t *len)
{
	const struct seal_at	 at = { "users", "profile", p->p_id, 0,
				    NULL, 0 };
	struct ibuf		*buf;

	if ((buf = ibuf_dynamic(64, SEAL_MAX)) == NULL)
		return (NULL);
	if (ibuf_add_n32(buf, p->p_look) == -1 ||
	    ibuf_add_n8(buf, p->p_lang) == -1 ||
	    ibuf_add_n8(buf, p->p_status) == -1 ||
	    ibuf_add(buf, p->p_name, strlen(p->p_name) + 1) == -1 ||
	    ibuf_add(buf, p->p_note, strlen(p->p_note) + 1) == -1) {
		ibuf_free(buf);
		return (NULL);
	}
	return (seal_buf(db, &at, buf, len));
}

static int
profile_open(struct db *db, sqlite3_stmt *st, int col, struct person *p)
{
	const struct seal_at	 at = { "users", "profile", p->p_id, 0,
				    NULL, 0 };
	struct ibuf		 buf;
	void			*text;
	size_t			 len;
	int			 ret = -1;

	if ((text = db_open(db, &at, st, col, &len)) == NULL)
		return (-1);
	ibuf_from_buffer(&buf, text, len);
	if (ibuf_get_n32(&buf, &p->p_look) == 0 &&
	    ibuf_get_n8(&buf, &p->p_lang) == 0 &&
	    ibuf_get_n8(&buf, &p->p_status) == 0 &&
	    get_cstr(&buf, p->p_name, sizeof(p->p_name)) == 0 &&
	    get_cstr(&buf, p->p_note, sizeof(p->p_note)) == 0 &&
	    p->p_lang < LANG_MAX && p->p_status < STATUS_MAX)
		ret = 0;
	freezero(text, len + 1);
	return (ret);
}

/* Role and state stand in the clear for queries; this is what holds. */
static void *
rights_seal(struct db *db, const struct person *p, size_t *len)
{
	const struct seal_at	 at = { "users", "rights", p->p_id,
				    p->p_version, NULL, 0 };
	struct ibuf		*buf;

	if ((buf = ibuf_dynamic(16, SEAL_MAX)) == NULL)
		return (NULL);
	if (ibuf_add_n8(buf, p->p_role) == -1 ||
	    ibuf_add_n8(buf, p->p_state) == -1 ||
	    ibuf_add_n64(buf, p->p_secver) == -1 ||
	    ibuf_add_n8(buf, p->p_factors) == -1) {
		ibuf_free(buf);
		return (NULL);
	}
	return (seal_buf(db, &at, buf, len));
}

static int
rights_open(struct db *db, sqlite3_stmt *st, int col, struct person *p)
{
	const struct seal_at	 at = { "users", "rights", p->p_id,
				    p->p_version, NULL, 0 };
	struct ibuf		 buf;
	void			*text;
	uint64_t		 secver;
	size_t			 len;
	uint8_t			 role, state;
	int			 ret = -1;

	if ((text = db_open(db, &at, st, col, &len)) == NULL)
		return (-1);
	ibuf_from_buffer(&buf, text, len);
	if (ibuf_get_n8(&buf, &role) == 0 && ibuf_get_n8(&buf, &state) == 0 &&
	    ibuf_get_n64(&buf, &secver) == 0 && role == p->p_role &&
	    state == p->p_state && secver == p->p_secver &&
	    /* Written before there were second factors: none. */
	    (ibuf_size(&buf) == 0 || ibuf_get_n8(&buf, &p->p_factors) == 0))
		ret = 0;
	else
		log_warnx("tenant %u: rights of user %u were changed from "
		    "outside", db->db_id, p->p_id);
	free(text);
	return (ret);
}

static int
secret_open(struct db *db, sqlite3_stmt *st, int col, struct person *p)
{
	const struct seal_at	 at = { "users", "secret", p->p_id,
				    p->p_secver, NULL, 0 };
	void			*text;
	size_t			 len;

	p->p_secretlen = 0;
	(void)db_col_bin(st, col, &len);
	if (len == 0)
		return (0);
	if ((text = db_open(db, &at, st, col, &len)) == NULL)
		return (-1);
	if (len > sizeof(p->p_secret)) {
		freezero(text, len + 1);
		return (-1);
	}
	memcpy(p->p_secret, text, len);
	p->p_secretlen = len;
	freezero(text, len + 1);
	return (0);
}

int
person_read(struct db *db, sqlite3_stmt *st, struct person *p)
{
	struct seal_at	 at = { "users", "mail", 0, 0, NULL, 0 };

	memset(p, 0, sizeof(*p));
	p->p_id = (uint32_t)db_col_num(st, 0);
	p->p_role = (uint8_t)db_col_num(st, 1);
	p->p_state = (uint8_t)db_col_num(st, 2);
	p->p_created = db_col_num(st, 3);
	p->p_last = db_col_num(st, 4);
	p->p_version = db_col_num(st, 5);
	p->p_secver = db_col_num(st, 6);
	p->p_floor = (uint32_t)db_col_num(st, 11);
	at.sa_row = p->p_id;
	if (!role_valid(p->p_role) || p->p_state >= USER_STATE_MAX ||
	    open_str(db, &at, st, 7, p->p_mail, sizeof(p->p_mail)) == -1 ||
	    profile_open(db, st, 8, p) == -1 ||
	    rights_open(db, st, 9, p) == -1 || secret_open(db, st, 10, p) == -1)
		return (-1);
	return (0);
}

static int
person_one(struct db *db, sqlite3_stmt *st, struct person *p)
{
	int	 n;

	if ((n = db_step(db, st)) == 1 && person_read(db, st, p) == -1)
		n = -1;
	db_done(st);
	return (n);
}

int
person_get(struct db *db, uint32_t id, struct person *p)
{
	return (person_one(db, db_query(db, S_USER_GET, ARGS(NUM(id))), p));
}

static struct brief *
brief_at(struct rights *rt, uint32_t id)
{
	return (&rt->rt_briefs[id % BRIEFS]);
}

int
person_brief(struct db *db, uint32_t id, const struct brief **br)
{
	struct rights	*rt;
	struct brief	*mine;
	struct person	 p;
	int		 n;

	if ((rt = rights_get(db)) == NULL)
		return (-1);
	*br = mine = brief_at(rt, id);
	if (id != 0 && mine->br_id == id)
		return (1);
	if ((n = person_get(db, id, &p)) != 1)
		return (n);
	mine->br_id = id;
	mine->br_state = p.p_state;
	mine->br_role = p.p_role;
	(void)strlcpy(mine->br_name, p.p_name, sizeof(mine->br_name));
	return (1);
}

/* The user's row is being changed. */
static void
brief_forget(struct db *db, uint32_t id)
{
	if (db->db_rights != NULL)
		brief_at(db->db_rights, id)->br_id = 0;
}

int
person_find(struct db *db, const char *mail, struct person *p)
{
	uint8_t	 key[SEAL_INDEX];
	int	 n;

	if (seal_index(db->db_seal, "mail", mail, strlen(mail), key) == -1)
		return (-1);
	n = person_one(db, db_query(db, S_USER_FIND,
	    ARGS(BIN(key, sizeof(key)))), p);
	if (n == 1 && strcmp(p->p_mail, mail) != 0) {
		log_warnx("tenant %u: mail of user %u was changed from "
		    "outside", db->db_id, p->p_id);
		return (-1);
	}
	return (n);
}

int
person_add(struct db *db, struct person *p)
{
	struct seal_at	 at = { "users", "mail", 0, 0, NULL, 0 };
	uint8_t		 key[SEAL_INDEX];
	void		*mail, *profile, *rights;
	uint64_t	 id;
	size_t		 mlen, plen, rlen;
	int		 n = -1;

	if (db_next_id(db, "users", &id) == -1 || id > UINT32_MAX)
		return (-1);
	at.sa_row = p->p_id = (uint32_t)id;
	p->p_version = 1;
	p->p_secver = 0;
	p->p_created = now_ms();
	mail = db_seal(db, &at, p->p_mail, strlen(p->p_mail), &mlen);
	profile = profile_seal(db, p, &plen);
	rights = rights_seal(db, p, &rlen);
	if (mail != NULL && profile != NULL && rights != NULL &&
	    seal_index(db->db_seal, "mail", p->p_mail, strlen(p->p_mail),
	    key) == 0)
		n = db_exec(db, S_USER_ADD, ARGS(NUM(id), NUM(p->p_role),
		    NUM(p->p_state), NUM(p->p_created), BIN(key, sizeof(key)),
		    BIN(mail, mlen), BIN(profile, plen), BIN(rights, rlen)));
	free(mail);
	free(profile);
	free(rights);
	return (n == 1 ? 0 : -1);
}

int
person_set_profile(struct db *db, struct person *p)
{
	void	*rec;
	size_t	 len;
	int	 n;

	if ((rec = profile_seal(db, p, &len)) == NULL)
		return (-1);
	brief_forget(db, p->p_id);
	n = db_exec(db, S_USER_PROFILE, ARGS(NUM(p->p_id), BIN(rec, len)));
	free(rec);
	return (n == 1 ? 0 : -1);
}

int
person_set_rights(struct db *db, struct person *p)
{
	void	*rec;
	size_t	 len;
	int	 n;

	p->p_version++;
	if ((rec = rights_seal(db, p, &len)) == NULL)
		return (-1);
	brief_forget(db, p->p_id);
	n = db_exec(db, S_USER_RIGHTS, ARGS(NUM(p->p_id), NUM(p->p_role),
	    NUM(p->p_state), NUM(p->p_version), BIN(rec, len)));
	free(rec);
	return (n == 1 ? 0 : -1);
}

int
person_set_secret(struct db *db, struct person *p, const void *secret,
    size_t len)
{
	struct seal_at	 at = { "users", "secret", p->p_id, 0, NULL, 0 };
	void		*sealed = NULL, *rights;
	size_t		 slen = 0, rlen;
	int		 n = -1;

	p->p_version++;
	at.sa_version = ++p->p_secver;
	if (len > 0 && (sealed = db_seal(db, &at, secret, len,
	    &slen)) == NULL)
		return (-1);
	brief_forget(db, p->p_id);
	if ((rights = rights_seal(db, p, &rlen)) != NULL)
		n = db_exec(db, S_USER_SECRET, ARGS(NUM(p->p_id),
		    NUM(p->p_role), NUM(p->p_state), NUM(p->p_version),
		    BIN(rights, rlen), NUM(p->p_secver), BIN(sealed, slen)));
	free(sealed);
	free(rights);
	return (n == 1 ? 0 : -1);
}

void
person_user(const struct tenant *tn, const struct person *p, int with_mail,
    struct m_user *mu)
{
	memset(mu, 0, sizeof(*mu));
	mu->tenant = tn->tn_id;
	mu->user = p->p_id;
	mu->role = p->p_role;
	mu->lang = p->p_lang;
	mu->status = p->p_status;
	mu->look = p->p_look;
	mu->name = p->p_name;
	mu->note = p->p_note;
	mu->email = with_mail && p->p_role != ROLE_GUEST ? p->p_mail : "";
}

static int	 forget_member(struct db *, uint32_t);

int
person_delete(struct db *db, uint32_t id)
{
	if (db_exec(db, S_USER_DEL_TALK, ARGS(NUM(id))) == -1 ||
	    db_exec(db, S_USER_DEL_DMS, ARGS(NUM(id))) == -1)
		return (-1);
	return (person_forget(db, id));
}

int
person_forget(struct db *db, uint32_t id)
{
	brief_forget(db, id);
	if (forget_member(db, id) == -1 ||
	    db_exec(db, S_USER_DEL_READS, ARGS(NUM(id))) == -1 ||
	    db_exec(db, S_USER_DEL, ARGS(NUM(id))) != 1)
		return (-1);
	return (0);
}

/*
 * Lists of ids.
 */

static int
id_cmp(const void *a, const void *b)
{
	uint32_t	 x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x < y ? -1 : x > y);
}

int
idlist_read(struct idlist *il, const struct m_blob *mb)
{
	uint32_t	 id;
	size_t		 i, n = 0;

	il->il_n = 0;
	if (mb->mb_len % sizeof(id) != 0 ||
	    (il->il_ids = calloc(mb->mb_len / sizeof(id) + 1,
	    sizeof(id))) == NULL)
		return (-1);
	for (i = 0; i < mb->mb_len; i += sizeof(id)) {
		memcpy(&id, (const char *)mb->mb_data + i, sizeof(id));
		il->il_ids[il->il_n++] = be32toh(id);
	}
	qsort(il->il_ids, il->il_n, sizeof(id), id_cmp);
	for (i = 0; i < il->il_n; i++)
		if (n == 0 || il->il_ids[n - 1] != il->il_ids[i])
			il->il_ids[n++] = il->il_ids[i];
	il->il_n = n;
	return (0);
}

void *
idlist_wire(const struct idlist *il)
{
	uint32_t	*wire;
	size_t		 i;

	if ((wire = calloc(il->il_n + 1, sizeof(*wire))) == NULL)
		return (NULL);
	for (i = 0; i < il->il_n; i++)
		wire[i] = htobe32(il->il_ids[i]);
	return (wire);
}

int
idlist_has(const struct idlist *il, uint32_t id)
{
	if (il->il_n == 0)
		return (0);
	return (bsearch(&id, il->il_ids, il->il_n, sizeof(id),
	    id_cmp) != NULL);
}

int
idlist_change(struct idlist *to, const struct idlist *il, uint32_t id,
    int with)
{
	size_t	 i;

	to->il_n = 0;
	if ((to->il_ids = calloc(il->il_n + 1, sizeof(id))) == NULL)
		return (-1);
	for (i = 0; i < il->il_n; i++)
		if (il->il_ids[i] != id)
			to->il_ids[to->il_n++] = il->il_ids[i];
	if (with) {
		to->il_ids[to->il_n++] = id;
		qsort(to->il_ids, to->il_n, sizeof(id), id_cmp);
	}
	return (0);
}

int
put_list(struct ibuf *buf, const struct idlist *il)
{
	size_t	 i;

	if (ibuf_add_n32(buf, il->il_n) == -1)
		return (-1);
	for (i = 0; i < il->il_n; i++)
		if (ibuf_add_n32(buf, il->il_ids[i]) == -1)
			return (-1);
	return (0);
}

int
get_list(struct ibuf *buf, struct idlist *il)
{
	struct m_blob	 mb;
	uint32_t	 n;

	if (ibuf_get_n32(buf, &n) == -1 || n > ibuf_size(buf) / sizeof(n))
		return (-1);
	mb.mb_data = ibuf_data(buf);
	mb.mb_len = n * sizeof(n);
	if (idlist_read(il, &mb) == -1)
		return (-1);
	return (ibuf_skip(buf, mb.mb_len));
}

/*
 * Floors and groups.
 */

static void
floor_clear(struct floor *fl)
{
	free(fl->fl_name);
	free(fl->fl_users.il_ids);
	free(fl->fl_groups.il_ids);
	free(fl->fl_networks);
}

static void
group_clear(struct group *gp)
{
	free(gp->gp_name);
	free(gp->gp_members.il_ids);
}

void
rights_free(struct db *db)
{
	struct rights	*rt = db->db_rights;
	size_t		 i;

	db->db_rights = NULL;
	if (rt == NULL)
		return;
	for (i = 0; i < rt->rt_nfloors; i++)
		floor_clear(&rt->rt_floors[i]);
	for (i = 0; i < rt->rt_ngroups; i++)
		group_clear(&rt->rt_groups[i]);
	free(rt->rt_floors);
	free(rt->rt_groups);
	roles_clear(rt);
	guests_clear(rt);
	free(rt);
}

/* What was written before there were lists of networks ends here. */
static int
get_networks(struct ibuf *buf, struct networks **ns)
{
	struct network	 nw;
	uint8_t		 n;

	*ns = NULL;
	if (ibuf_size(buf) == 0)
		return (0);
	if (ibuf_get_n8(buf, &n) == -1 || (n > 0 &&
	    (*ns = calloc(1, sizeof(**ns))) == NULL))
		return (-1);
	for (; n > 0; n--)
		if (ibuf_get(buf, nw.nw_addr, sizeof(nw.nw_addr)) == -1 ||
		    ibuf_get_n8(buf, &nw.nw_bits) == -1 ||
		    networks_add(*ns, &nw) == -1)
			return (-1);
	return (0);
}

static int
put_networks(struct ibuf *buf, const struct networks *ns)
{
	size_t	 i, n = ns == NULL ? 0 : ns->ns_count;

	if (ibuf_add_n8(buf, n) == -1)
		return (-1);
	for (i = 0; i < n; i++)
		if (ibuf_add(buf, ns->ns_network[i].nw_addr,
		    NETWORK_ADDR) == -1 ||
		    ibuf_add_n8(buf, ns->ns_network[i].nw_bits) == -1)
			return (-1);
	return (0);
}

/* Likewise: before floors had rules for talk, all was allowed on each. */
static int
get_talk(struct ibuf *buf, struct floor *fl)
{
	fl->fl_can = RIGHT_TALK;
	fl->fl_way = WAY_TENANT;
	if (ibuf_size(buf) == 0)
		return (0);
	return (ibuf_get_n8(buf, &fl->fl_can) == -1 ||
	    ibuf_get_n8(buf, &fl->fl_way) == -1 ||
	    (fl->fl_can & ~RIGHT_TALK) != 0 || fl->fl_way >= WAY_MAX ?
	    -1 : 0);
}

static int
floor_read(struct db *db, sqlite3_stmt *st, struct floor *fl)
{
	struct seal_at	 at = { "floors", "name", 0, 0, NULL, 0 };
	struct ibuf	 buf;
	void		*text;
	size_t		 len;
	int		 ret = -1;

	memset(fl, 0, sizeof(*fl));
	at.sa_row = fl->fl_id = (uint32_t)db_col_num(st, 0);
	fl->fl_version = db_col_num(st, 1);
	fl->fl_edition = db_col_num(st, 2);
	fl->fl_bytes = (uint32_t)db_col_num(st, 5);
	if ((fl->fl_name = db_open(db, &at, st, 3, &len)) == NULL)
		return (-1);
	at.sa_column = "rights";
	at.sa_version = fl->fl_version;
	if ((text = db_open(db, &at, st, 4, &len)) == NULL)
		return (-1);
	ibuf_from_buffer(&buf, text, len);
	if (ibuf_get_n8(&buf, &fl->fl_open) == 0 &&
	    get_list(&buf, &fl->fl_users) == 0 &&
	    get_list(&buf, &fl->fl_groups) == 0 &&
	    get_networks(&buf, &fl->fl_networks) == 0 &&
	    get_talk(&buf, fl) == 0)
		ret = 0;
	free(text);
	return (ret);
}

static int
group_read(struct db *db, sqlite3_stmt *st, struct group *gp)
{
	struct seal_at	 at = { "groups", "name", 0, 0, NULL, 0 };
	struct ibuf	 buf;
	void		*text;
	size_t		 len;
	int		 ret;

	memset(gp, 0, sizeof(*gp));
	at.sa_row = gp->gp_id = (uint32_t)db_col_num(st, 0);
	gp->gp_version = db_col_num(st, 1);
	if ((gp->gp_name = db_open(db, &at, st, 2, &len)) == NULL)
		return (-1);
	at.sa_column = "members";
	at.sa_version = gp->gp_version;
	if ((text = db_open(db, &at, st, 3, &len)) == NULL)
		return (-1);
	ibuf_from_buffer(&buf, text, len);
	ret = get_list(&buf, &gp->gp_members);
	free(text);
	return (ret);
}

/* What does not open is left out: then nobody may enter. */
static int
floors_load(struct db *db, struct rights *rt)
{
	sqlite3_stmt	*st;
	struct floor	*fl;
	int		 n;

	if ((rt->rt_floors = calloc(MAX_FLOORS, sizeof(*fl))) == NULL)
		return (-1);
	st = db_query(db, S_FLOORS, NOARGS);
	while ((n = db_step(db, st)) == 1 && rt->rt_nfloors < MAX_FLOORS) {
		fl = &rt->rt_floors[rt->rt_nfloors];
		if (floor_read(db, st, fl) == 0)
			rt->rt_nfloors++;
		else
			floor_clear(fl);
	}
	db_done(st);
	return (n == -1 ? -1 : 0);
}

static int
groups_load(struct db *db, struct rights *rt)
{
	sqlite3_stmt	*st;
	struct group	*gp;
	int		 n;

	if ((rt->rt_groups = calloc(MAX_GROUPS, sizeof(*gp))) == NULL)
		return (-1);
	st = db_query(db, S_GROUPS, NOARGS);
	while ((n = db_step(db, st)) == 1 && rt->rt_ngroups < MAX_GROUPS) {
		gp = &rt->rt_groups[rt->rt_ngroups];
		if (group_read(db, st, gp) == 0)
			rt->rt_ngroups++;
		else
			group_clear(gp);
	}
	db_done(st);
	return (n == -1 ? -1 : 0);
}

struct rights *
rights_get(struct db *db)
{
	struct rights	*rt;

	if (db->db_rights != NULL)
		return (db->db_rights);
	if ((rt = calloc(1, sizeof(*rt))) == NULL)
		return (NULL);
	db->db_rights = rt;
	if (floors_load(db, rt) == -1 || groups_load(db, rt) == -1 ||
	    roles_load(db, rt) == -1 || guests_load(db, rt) == -1)
		rights_free(db);
	return (db->db_rights);
}

struct floor *
rights_floor(struct rights *rt, uint32_t id)
{
	size_t	 i;

	for (i = 0; i < rt->rt_nfloors; i++)
		if (rt->rt_floors[i].fl_id == id)
			return (&rt->rt_floors[i]);
	return (NULL);
}

struct group *
rights_group(struct rights *rt, uint32_t id)
{
	size_t	 i;

	for (i = 0; i < rt->rt_ngroups; i++)
		if (rt->rt_groups[i].gp_id == id)
			return (&rt->rt_groups[i]);
	return (NULL);
}

int
rights_may_enter(struct rights *rt, const struct floor *fl, uint32_t user)
{
	struct group	*gp;
	size_t		 i;

	if (fl->fl_open || idlist_has(&fl->fl_users, user))
		return (1);
	for (i = 0; i < fl->fl_groups.il_n; i++) {
		gp = rights_group(rt, fl->fl_groups.il_ids[i]);
		if (gp != NULL && idlist_has(&gp->gp_members, user))
			return (1);
	}
	return (0);
}

/* As it stands there, under this version. */
static void *
floor_rights_seal(struct db *db, const struct floor *fl, uint64_t version,
    size_t *len)
{
	const struct seal_at	 at = { "floors", "rights", fl->fl_id, version,
				    NULL, 0 };
	struct ibuf		*buf;

	if ((buf = ibuf_dynamic(64, SEAL_MAX)) == NULL)
		return (NULL);
	if (ibuf_add_n8(buf, fl->fl_open) == -1 ||
	    put_list(buf, &fl->fl_users) == -1 ||
	    put_list(buf, &fl->fl_groups) == -1 ||
	    put_networks(buf, fl->fl_networks) == -1 ||
	    ibuf_add_n8(buf, fl->fl_can) == -1 ||
	    ibuf_add_n8(buf, fl->fl_way) == -1) {
		ibuf_free(buf);
		return (NULL);
	}
	return (seal_buf(db, &at, buf, len));
}

static void *
members_seal(struct db *db, uint32_t id, uint64_t version,
    const struct idlist *members, size_t *len)
{
	const struct seal_at	 at = { "groups", "members", id, version,
				    NULL, 0 };
	struct ibuf		*buf;

	if ((buf = ibuf_dynamic(64, SEAL_MAX)) == NULL)
		return (NULL);
	if (put_list(buf, members) == -1) {
		ibuf_free(buf);
		return (NULL);
	}
	return (seal_buf(db, &at, buf, len));
}

void *
name_seal(struct db *db, const char *table, uint32_t id, const char *name,
    uint8_t key[SEAL_INDEX], size_t *len)
{
	const struct seal_at	 at = { table, "name", id, 0, NULL, 0 };

	if (seal_index(db->db_seal, table, name, strlen(name), key) == -1)
		return (NULL);
	return (db_seal(db, &at, name, strlen(name), len));
}

int
floor_row_add(struct db *db, const char *name, const void *map, size_t len,
    uint32_t *fid)
{
	struct floor			 fl = { .fl_open = 1,
					    .fl_can = RIGHT_TALK };
	struct seal_at			 at = { "floors", "map", 0, 1,
					    NULL, 0 };
	uint8_t				 key[SEAL_INDEX];
	void				*nrec, *rrec, *mrec;
	uint64_t			 id;
	size_t				 nlen, rlen, mlen;
	int				 n = -1;

	if (db_next_id(db, "floors", &id) == -1 || id > UINT32_MAX)
		return (-1);
	at.sa_row = *fid = fl.fl_id = (uint32_t)id;
	nrec = name_seal(db, "floors", *fid, name, key, &nlen);
	rrec = floor_rights_seal(db, &fl, 1, &rlen);
	mrec = db_seal(db, &at, map, len, &mlen);
	if (nrec != NULL && rrec != NULL && mrec != NULL)
		n = db_exec(db, S_FLOOR_ADD, ARGS(NUM(id), NUM(now_ms()),
		    BIN(key, sizeof(key)), BIN(nrec, nlen), BIN(rrec, rlen),
		    BIN(mrec, mlen)));
	free(nrec);
	free(rrec);
	free(mrec);
	rights_free(db);
	return (n == 1 ? 0 : -1);
}

static int
set_name(struct db *db, enum stmt s, const char *table, uint32_t id,
    const char *name)
{
	uint8_t	 key[SEAL_INDEX];
	void	*rec;
	size_t	 len;
	int	 n;

	if ((rec = name_seal(db, table, id, name, key, &len)) == NULL)
		return (-1);
	n = db_exec(db, s, ARGS(NUM(id), BIN(key, sizeof(key)),
	    BIN(rec, len)));
	free(rec);
	rights_free(db);
	return (n == 1 ? 0 : -1);
}

int
floor_row_name(struct db *db, uint32_t id, const char *name)
{
	return (set_name(db, S_FLOOR_NAME, "floors", id, name));
}

int
floor_row_rights(struct db *db, const struct floor *fl)
{
	void	*rec;
	size_t	 len;
	int	 n;

	if ((rec = floor_rights_seal(db, fl, fl->fl_version + 1, &len)) ==
	    NULL)
		return (-1);
	n = db_exec(db, S_FLOOR_RIGHTS, ARGS(NUM(fl->fl_id),
	    NUM(fl->fl_version + 1), BIN(rec, len)));
	free(rec);
	rights_free(db);
	return (n == 1 ? 0 : -1);
}

int
floor_row_del(struct db *db, uint32_t id)
{
	if (db_exec(db, S_FLOOR_DEL_READS, ARGS(NUM(id))) == -1 ||
	    db_exec(db, S_FLOOR_DEL, ARGS(NUM(id))) != 1)
		return (-1);
	rights_free(db);
	return (0);
}

int
group_row_add(struct db *db, const char *name, const struct idlist *members,
    uint32_t *gid)
{
	uint8_t		 key[SEAL_INDEX];
	void		*nrec, *mrec;
	uint64_t	 id;
	size_t		 nlen, mlen;
	int		 n = -1;

	if (db_next_id(db, "groups", &id) == -1 || id > UINT32_MAX)
		return (-1);
	*gid = (uint32_t)id;
	nrec = name_seal(db, "groups", *gid, name, key, &nlen);
	mrec = members_seal(db, *gid, 1, members, &mlen);
	if (nrec != NULL && mrec != NULL)
		n = db_exec(db, S_GROUP_ADD, ARGS(NUM(id),
		    BIN(key, sizeof(key)), BIN(nrec, nlen), BIN(mrec, mlen)));
	free(nrec);
	free(mrec);
	rights_free(db);
	return (n == 1 ? 0 : -1);
}

int
group_row_name(struct db *db, uint32_t id, const char *name)
{
	return (set_name(db, S_GROUP_NAME, "groups", id, name));
}

int
group_row_members(struct db *db, const struct group *gp,
    const struct idlist *members)
{
	void	*rec;
	size_t	 len;
	int	 n;

	if ((rec = members_seal(db, gp->gp_id, gp->gp_version + 1, members,
	    &len)) == NULL)
		return (-1);
	n = db_exec(db, S_GROUP_MEMBERS, ARGS(NUM(gp->gp_id),
	    NUM(gp->gp_version + 1), BIN(rec, len)));
	free(rec);
	rights_free(db);
	return (n == 1 ? 0 : -1);
}

/* Take a user out of one list; 1 if there was one to change, 0, -1. */
static int
forget_once(struct db *db, struct rights *rt, uint32_t user)
{
	struct idlist	 il;
	struct floor	 fl;
	struct group	*gp;
	size_t		 i;
	int		 n;

	for (i = 0; i < rt->rt_nfloors; i++) {
		fl = rt->rt_floors[i];
		if (!idlist_has(&fl.fl_users, user))
			continue;
		if (idlist_change(&il, &fl.fl_users, user, 0) == -1)
			return (-1);
		fl.fl_users = il;
		n = floor_row_rights(db, &fl);
		free(il.il_ids);
		return (n == 0 ? 1 : -1);
	}
	for (i = 0; i < rt->rt_ngroups; i++) {
		gp = &rt->rt_groups[i];
		if (!idlist_has(&gp->gp_members, user))
			continue;
		if (idlist_change(&il, &gp->gp_members, user, 0) == -1)
			return (-1);
		n = group_row_members(db, gp, &il);
		free(il.il_ids);
		return (n == 0 ? 1 : -1);
	}
	return (0);
}

/* Take a group out of one floor's list; likewise. */
static int
forget_group_once(struct db *db, struct rights *rt, uint32_t id)
{
	struct idlist	 il;
	struct floor	 fl;
	size_t		 i;
	int		 n;

	for (i = 0; i < rt->rt_nfloors; i++) {
		fl = rt->rt_floors[i];
		if (!idlist_has(&fl.fl_groups, id))
			continue;
		if (idlist_change(&il, &fl.fl_groups, id, 0) == -1)
			return (-1);
		fl.fl_groups = il;
		n = floor_row_rights(db, &fl);
		free(il.il_ids);
		return (n == 0 ? 1 : -1);
	}
	return (0);
}

int
group_row_del(struct db *db, uint32_t id)
{
	struct rights	*rt;
	int		 n;

	do {
		if ((rt = rights_get(db)) == NULL)
			return (-1);
	} while ((n = forget_group_once(db, rt, id)) == 1);
	if (n == -1 || db_exec(db, S_GROUP_DEL, ARGS(NUM(id))) != 1)
		return (-1);
	rights_free(db);
	return (0);
}

static int
forget_member(struct db *db, uint32_t user)
{
	struct rights	*rt;
	int		 n;

	do {
		if ((rt = rights_get(db)) == NULL)
			return (-1);
	} while ((n = forget_once(db, rt, user)) == 1);
	return (n);
}

/*
 * Sign-ins and links.
 */

#define TOKEN_BIND	(8 + 8 + 8 + TOKEN_LEN)

static void
token_bind(uint8_t bind[TOKEN_BIND], const struct token *tk,
    const uint8_t sha[TOKEN_LEN])
{
	uint64_t	 n[3];

	n[0] = be64(tk->tk_user);
	n[1] = be64(tk->tk_created);
	n[2] = be64(tk->tk_expires);
	memcpy(bind, n, sizeof(n));
	memcpy(bind + sizeof(n), sha, TOKEN_LEN);
}

/* The rest of a token: its row, proven to be as it was written. */
static int
token_open(struct db *db, sqlite3_stmt *st, int col,
    const uint8_t sha[TOKEN_LEN], struct token *tk)
{
	uint8_t		 bind[TOKEN_BIND];
	struct seal_at	 at = { "tokens", "client", tk->tk_id, 0, bind,
			    sizeof(bind) };
	struct ibuf	 buf;
	void		*text;
	size_t		 len;
	int		 ret = -1;

	token_bind(bind, tk, sha);
	if ((text = db_open(db, &at, st, col, &len)) == NULL)
		return (-1);
	ibuf_from_buffer(&buf, text, len);
	if (get_cstr(&buf, tk->tk_addr, sizeof(tk->tk_addr)) == 0 &&
	    get_cstr(&buf, tk->tk_agent, sizeof(tk->tk_agent)) == 0)
		ret = 0;
	freezero(text, len + 1);
	return (ret);
}

static void
token_columns(sqlite3_stmt *st, struct token *tk)
{
	memset(tk, 0, sizeof(*tk));
	tk->tk_id = db_col_num(st, 0);
	tk->tk_user = (uint32_t)db_col_num(st, 1);
	tk->tk_created = db_col_num(st, 2);
	tk->tk_seen = db_col_num(st, 3);
	tk->tk_expires = db_col_num(st, 4);
}

int
token_row_read(struct db *db, sqlite3_stmt *st, struct token *tk)
{
	const void	*sha;
	size_t		 len;

	token_columns(st, tk);
	sha = db_col_bin(st, 5, &len);
	if (len != TOKEN_LEN)
		return (-1);
	return (token_open(db, st, 6, sha, tk));
}

int
token_row_find(struct db *db, const uint8_t sha[TOKEN_LEN], struct token *tk)
{
	sqlite3_stmt	*st;
	int		 n;

	st = db_query(db, S_TOKEN_FIND, ARGS(BIN(sha, TOKEN_LEN)));
	if ((n = db_step(db, st)) == 1) {
		token_columns(st, tk);
		if (token_open(db, st, 5, sha, tk) == -1) {
			alert_token(db->db_id, sha, -1);
			n = 0;		/* as good as none: sign in again */
		} else if (tk->tk_expires <= now_ms())
			n = 0;
		else
			alert_token(db->db_id, sha, 1);
	} else if (n == 0)
		alert_token(db->db_id, sha, 0);
	db_done(st);
	return (n);
}

/* What is sealed of a token with that number; NULL on failure. */
static void *
token_seal(struct db *db, uint64_t id, const struct token *tk,
    const uint8_t sha[TOKEN_LEN], size_t *len)
{
	uint8_t		 bind[TOKEN_BIND];
	struct seal_at	 at = { "tokens", "client", id, 0, bind,
			    sizeof(bind) };
	struct ibuf	*buf;

	token_bind(bind, tk, sha);
	if ((buf = ibuf_dynamic(64, SEAL_MAX)) == NULL)
		return (NULL);
	if (ibuf_add(buf, tk->tk_addr, strlen(tk->tk_addr) + 1) == -1 ||
	    ibuf_add(buf, tk->tk_agent, strlen(tk->tk_agent) + 1) == -1) {
		ibuf_free(buf);
		return (NULL);
	}
	return (seal_buf(db, &at, buf, len));
}

int
token_row_add(struct db *db, const struct token *tk,
    const uint8_t sha[TOKEN_LEN])
{
	void		*rec;
	uint64_t	 id;
	size_t		 len;
	int		 n;

	if (db_next_id(db, "tokens", &id) == -1 ||
	    (rec = token_seal(db, id, tk, sha, &len)) == NULL)
		return (-1);
	n = db_exec(db, S_TOKEN_ADD, ARGS(NUM(id), BIN(sha, TOKEN_LEN),
	    NUM(tk->tk_user), NUM(tk->tk_created), NUM(tk->tk_expires),
	    BIN(rec, len)));
	free(rec);
	return (n == 1 ? 0 : -1);
}

int
token_row_anew(struct db *db, struct token *tk, const uint8_t sha[TOKEN_LEN],
    uint64_t now)
{
	void	*rec;
	size_t	 len;
	int	 n;

	tk->tk_expires = now + (tk->tk_expires - tk->tk_created);
	tk->tk_created = tk->tk_seen = now;
	if ((rec = token_seal(db, tk->tk_id, tk, sha, &len)) == NULL ||
	    db_begin(db) == -1) {
		free(rec);
		return (-1);
	}
	n = db_exec(db, S_TOKEN_ANEW, ARGS(NUM(tk->tk_id), NUM(now),
	    NUM(tk->tk_expires), BIN(rec, len)));
	free(rec);
	return (db_end(db, n == 1) == 0 && n == 1 ? 0 : -1);
}

#define LINK_BIND	(8 + 8 + TOKEN_LEN)

static void
link_bind(uint8_t bind[LINK_BIND], uint64_t kind, uint64_t expires,
    const uint8_t sha[TOKEN_LEN])
{
	uint64_t	 n[2];

	n[0] = be64(kind);
	n[1] = be64(expires);
	memcpy(bind, n, sizeof(n));
	memcpy(bind + sizeof(n), sha, TOKEN_LEN);
}

int
link_row_make(struct db *db, uint32_t user, enum link_kind kind,
    uint64_t expires, uint8_t token[TOKEN_LEN])
{
	uint8_t			 sha[TOKEN_LEN], bind[LINK_BIND];
	const struct seal_at	 at = { "links", "proof", user, 0, bind,
				    sizeof(bind) };
	void			*rec;
	size_t			 len;
	int			 n;

	arc4random_buf(token, TOKEN_LEN);
	if (sha256(sha, token, TOKEN_LEN) == -1)
		return (-1);
	link_bind(bind, kind, expires, sha);
	if ((rec = db_seal(db, &at, "", 0, &len)) == NULL)
		return (-1);
	n = db_exec(db, S_LINK_PUT, ARGS(NUM(user), BIN(sha, sizeof(sha)),
	    NUM(kind), NUM(expires), BIN(rec, len)));
	free(rec);
	return (n == 1 ? 0 : -1);
}

int
link_row_find(struct db *db, const uint8_t sha[TOKEN_LEN], struct person *p,
    enum link_kind *kind)
{
	uint8_t		 bind[LINK_BIND];
	struct seal_at	 at = { "links", "proof", 0, 0, bind, sizeof(bind) };
	sqlite3_stmt	*st;
	void		*proof = NULL;
	uint64_t	 expires = 0, k = 0;
	size_t		 len;
	int		 n;

	st = db_query(db, S_LINK_FIND, ARGS(BIN(sha, TOKEN_LEN)));
	if ((n = db_step(db, st)) == 1) {
		at.sa_row = db_col_num(st, 0);
		k = db_col_num(st, 1);
		expires = db_col_num(st, 2);
		link_bind(bind, k, expires, sha);
		proof = db_open(db, &at, st, 3, &len);
	}
	db_done(st);
	if (n != 1)
		return (n);
	free(proof);
	if (proof == NULL || expires <= now_ms() || k >= LINK_MAX)
		return (0);
	*kind = (enum link_kind)k;
	if ((n = person_get(db, (uint32_t)at.sa_row, p)) != 1)
		return (n);
	return (p->p_state != USER_LOCKED);
}

/*
 * Tenants in system.db.
 */

#define TENANT_BIND	(8 + MAX_LABEL)

static void
tenant_bind(uint8_t bind[TENANT_BIND], const char *name, uint64_t state)
{
	memset(bind, 0, TENANT_BIND);
	state = be64(state);
	memcpy(bind, &state, sizeof(state));
	memcpy(bind + sizeof(state), name, strlen(name));
}

/* The rules are its text, and so no older than state and version. */
static void *
tenant_proof(struct db *db, const struct tenant *tn, size_t *len)
{
	uint8_t			 bind[TENANT_BIND];
	const struct seal_at	 at = { "tenants", "proof", tn->tn_id,
				    tn->tn_version, bind, sizeof(bind) };
	uint8_t			 rules[POLICY_BYTES];

	tenant_bind(bind, tn->tn_name, tn->tn_state);
	return (db_seal(db, &at, rules, policy_write(&tn->tn_policy, rules),
	    len));
}

static void *
tenant_title(struct db *db, const struct tenant *tn, size_t *len)
{
	const struct seal_at	 at = { "tenants", "title", tn->tn_id, 0,
				    NULL, 0 };

	return (db_seal(db, &at, tn->tn_title, strlen(tn->tn_title), len));
}

int
tenant_insert(struct db *db, const struct tenant *tn)
{
	const struct seal_at	 at = { "tenants", "contact", tn->tn_id, 0,
				    NULL, 0 };
	void			*title, *contact, *proof;
	size_t			 tlen, clen, plen;
	int			 n = -1;

	title = tenant_title(db, tn, &tlen);
	contact = db_seal(db, &at, tn->tn_contact, strlen(tn->tn_contact),
	    &clen);
	proof = tenant_proof(db, tn, &plen);
	if (title != NULL && contact != NULL && proof != NULL)
		n = db_exec(db, S_TENANT_ADD, ARGS(NUM(tn->tn_id),
		    TXT(tn->tn_name), NUM(tn->tn_state), NUM(tn->tn_created),
		    NUM(tn->tn_version), BIN(title, tlen), BIN(contact, clen),
		    BIN(proof, plen)));
	free(title);
	free(contact);
	free(proof);
	return (n == 1 ? 0 : -1);
}

int
tenant_update(struct db *db, struct tenant *tn)
{
	void	*title, *proof;
	size_t	 tlen, plen;
	int	 n = -1;

	tn->tn_version++;
	title = tenant_title(db, tn, &tlen);
	proof = tenant_proof(db, tn, &plen);
	if (title != NULL && proof != NULL)
		n = db_exec(db, S_TENANT_SET, ARGS(NUM(tn->tn_id),
		    NUM(tn->tn_state), NUM(tn->tn_version), BIN(title, tlen),
		    BIN(proof, plen)));
	free(title);
	free(proof);
	if (n != 1)
		tn->tn_version--;
	return (n == 1 ? 0 : -1);
}

/* One row; a tenant whose row does not open is shut, not forgotten. */
static int
tenant_row(struct db *db, sqlite3_stmt *st)
{
	uint8_t		 bind[TENANT_BIND];
	struct seal_at	 at = { "tenants", "title", 0, 0, NULL, 0 };
	struct tenant	*tn;
	const char	*name = (const char *)sqlite3_column_text(st, 1);
	void		*proof;
	size_t		 len;

	if (name == NULL || !label_valid(name) ||
	    (tn = tenant_new((uint32_t)db_col_num(st, 0), name)) == NULL)
		return (-1);
	tn->tn_state = (uint8_t)db_col_num(st, 2);
	tn->tn_created = db_col_num(st, 3);
	tn->tn_version = db_col_num(st, 4);
	tn->tn_trail = 1;		/* since a stop that was none */
	at.sa_row = tn->tn_id;
	if (open_str(db, &at, st, 5, tn->tn_title,
	    sizeof(tn->tn_title)) == -1)
		tn->tn_title[0] = '\0';
	at.sa_column = "contact";
	if (open_str(db, &at, st, 6, tn->tn_contact,
	    sizeof(tn->tn_contact)) == -1)
		tn->tn_contact[0] = '\0';
	at.sa_column = "proof";
	at.sa_version = tn->tn_version;
	tenant_bind(bind, name, tn->tn_state);
	at.sa_bind = bind;
	at.sa_bindlen = sizeof(bind);
	proof = db_open(db, &at, st, 7, &len);
	if (proof == NULL || tn->tn_state >= TENANT_STATE_MAX ||
	    policy_read(&tn->tn_policy, proof, len) == -1) {
		tn->tn_state = TENANT_SUSPENDED;
		tn->tn_why = DB_DAMAGED;
	}
	free(proof);
	return (0);
}

int
tenants_load(void)
{
	struct db	*db = db_system();
	sqlite3_stmt	*st;
	int		 n;

	if (db == NULL)
		return (-1);
	st = db_query(db, S_TENANTS, NOARGS);
	while ((n = db_step(db, st)) == 1) {
		/* What is left of it goes. */
		if (db_col_num(st, 8) != 0 &&
		    erasure_begun(db, (uint32_t)db_col_num(st, 0)))
			continue;
		if (tenant_row(db, st) == -1)
			log_warnx("system.db: a tenant's row is damaged");
	}
	db_done(st);
	return (n);
}
