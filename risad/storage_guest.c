/*
 * Guests: the URLs that let them in, and their visits.  A guest is a user of
 * role guest for as long as he is here, so that all that is asked under a
 * grant goes one way; what he may see follows from his URL alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "storage.h"
#include "util.h"

#define DOOR_MS		(5 * 60 * SECOND)	/* until somebody answers */
#define SWEEP_MS	(60 * SECOND)
#define SWEEP_ROWS	500		/* messages in one turn */
#define LIFE_MIN	(1 * SECOND)		/* of a URL */
#define LIFE_MAX	(366ULL * 24 * 3600 * SECOND)

/* Somebody at a door.  The visit's row has the rest. */
struct knock {
	TAILQ_ENTRY(knock)	 kn_entry;
	uint32_t		 kn_tenant, kn_user;
	uint64_t		 kn_until;	/* ms */
};
static TAILQ_HEAD(, knock)	 knocks = TAILQ_HEAD_INITIALIZER(knocks);

/*
 * Rows of URLs.
 */

/* What of a URL is sealed, bound to the hash of its token. */
static void *
terms_seal(struct db *db, const struct guest *gu, size_t *len)
{
	const struct seal_at	 at = { "guests", "terms", gu->gu_id,
				    gu->gu_version, gu->gu_sha, TOKEN_LEN };
	struct ibuf		*buf;

	if ((buf = ibuf_dynamic(64, SEAL_MAX)) == NULL)
		return (NULL);
	if (ibuf_add_n32(buf, gu->gu_by) == -1 ||
	    ibuf_add_n64(buf, gu->gu_created) == -1 ||
	    ibuf_add_n64(buf, gu->gu_expires) == -1 ||
	    ibuf_add_n32(buf, gu->gu_uses) == -1 ||
	    ibuf_add_n32(buf, gu->gu_used) == -1 ||
	    ibuf_add_n8(buf, gu->gu_approval) == -1 ||
	    ibuf_add_n8(buf, gu->gu_secret) == -1 ||
	    put_list(buf, &gu->gu_floors) == -1 ||
	    ibuf_add(buf, gu->gu_note, strlen(gu->gu_note) + 1) == -1) {
		ibuf_free(buf);
		return (NULL);
	}
	return (seal_buf(db, &at, buf, len));
}

static int
terms_open(struct db *db, sqlite3_stmt *st, int col, struct guest *gu)
{
	const struct seal_at	 at = { "guests", "terms", gu->gu_id,
				    gu->gu_version, gu->gu_sha, TOKEN_LEN };
	struct ibuf		 buf;
	void			*text;
	size_t			 len;
	int			 ret = -1;

	if ((text = db_open(db, &at, st, col, &len)) == NULL)
		return (-1);
	ibuf_from_buffer(&buf, text, len);
	if (ibuf_get_n32(&buf, &gu->gu_by) == 0 &&
	    ibuf_get_n64(&buf, &gu->gu_created) == 0 &&
	    ibuf_get_n64(&buf, &gu->gu_expires) == 0 &&
	    ibuf_get_n32(&buf, &gu->gu_uses) == 0 &&
	    ibuf_get_n32(&buf, &gu->gu_used) == 0 &&
	    ibuf_get_n8(&buf, &gu->gu_approval) == 0 &&
	    ibuf_get_n8(&buf, &gu->gu_secret) == 0 &&
	    get_list(&buf, &gu->gu_floors) == 0 &&
	    get_cstr(&buf, gu->gu_note, sizeof(gu->gu_note)) == 0)
		ret = 0;
	freezero(text, len + 1);
	return (ret);
}

static int
guest_read(struct db *db, sqlite3_stmt *st, struct guest *gu)
{
	const void	*sha;
	size_t		 len;

	memset(gu, 0, sizeof(*gu));
	gu->gu_id = (uint32_t)db_col_num(st, 0);
	gu->gu_version = db_col_num(st, 1);
	sha = db_col_bin(st, 2, &len);
	if (len != TOKEN_LEN)
		return (-1);
	memcpy(gu->gu_sha, sha, TOKEN_LEN);
	return (terms_open(db, st, 3, gu));
}

/* What does not open is left out: then it lets nobody in. */
int
guests_load(struct db *db, struct rights *rt)
{
	sqlite3_stmt	*st;
	struct guest	*gu;
	int		 n;

	if ((rt->rt_guests = calloc(MAX_GUESTS, sizeof(*gu))) == NULL)
		return (-1);
	st = db_query(db, S_GUESTS, NOARGS);
	while ((n = db_step(db, st)) == 1 && rt->rt_nguests < MAX_GUESTS) {
		gu = &rt->rt_guests[rt->rt_nguests];
		if (guest_read(db, st, gu) == 0)
			rt->rt_nguests++;
		else
			free(gu->gu_floors.il_ids);
	}
	db_done(st);
	return (n == -1 ? -1 : 0);
}

void
guests_clear(struct rights *rt)
{
	size_t	 i;

	for (i = 0; i < rt->rt_nguests; i++)
		free(rt->rt_guests[i].gu_floors.il_ids);
	free(rt->rt_guests);
}

static struct guest *
rights_guest(struct rights *rt, uint32_t id)
{
	size_t	 i;

	for (i = 0; i < rt->rt_nguests; i++)
		if (rt->rt_guests[i].gu_id == id)
			return (&rt->rt_guests[i]);
	return (NULL);
}

/* Who made it may have gone, or may not let anybody in any more. */
static int
host_may(struct db *db, struct rights *rt, const struct guest *gu)
{
	const struct brief	*br;

	return (gu->gu_by == 0 || (person_brief(db, gu->gu_by, &br) == 1 &&
	    br->br_state == USER_ACTIVE &&
	    rights_can(rt, br->br_role) & RIGHT_GUEST));
}

/*
 * Does the URL let onto the floor?  Not where who made it may not enter any
 * more himself; administrators make them for all floors.
 */
static int
url_may_enter(struct db *db, struct rights *rt, const struct guest *gu,
    const struct floor *fl)
{
	const struct brief	*br;

	return (idlist_has(&gu->gu_floors, fl->fl_id) && (gu->gu_by == 0 ||
	    rights_may_enter(rt, fl, gu->gu_by) ||
	    (person_brief(db, gu->gu_by, &br) == 1 &&
	    br->br_role == ROLE_ADMIN)));
}

static int
url_leads(struct db *db, struct rights *rt, const struct guest *gu)
{
	size_t	 i;

	for (i = 0; i < rt->rt_nfloors; i++)
		if (url_may_enter(db, rt, gu, &rt->rt_floors[i]))
			return (1);
	return (0);
}

/* By the hash of its token, if it still lets somebody in: 1, 0, -1. */
static int
guest_find(struct db *db, const uint8_t sha[TOKEN_LEN], struct guest **gu)
{
	struct rights	*rt;
	uint64_t	 id;

	if ((rt = rights_get(db)) == NULL || db_number(db, S_GUEST_FIND,
	    ARGS(BIN(sha, TOKEN_LEN)), &id) == -1)
		return (-1);
	*gu = rights_guest(rt, (uint32_t)id);
	return (*gu != NULL && now_ms() < (*gu)->gu_expires &&
	    (*gu)->gu_used < (*gu)->gu_uses && host_may(db, rt, *gu) &&
	    url_leads(db, rt, *gu));
}

/* Count one use.  The copy in memory goes when the transaction fails. */
static int
guest_used(struct db *db, struct guest *gu)
{
	void	*rec;
	size_t	 len;
	int	 n;

	gu->gu_version++;
	gu->gu_used++;
	if ((rec = terms_seal(db, gu, &len)) == NULL)
		return (-1);
	n = db_exec(db, S_GUEST_USED, ARGS(NUM(gu->gu_id),
	    NUM(gu->gu_version), BIN(rec, len)));
	free(rec);
	return (n == 1 ? 0 : -1);
}

static int
guest_add(struct db *db, struct guest *gu, const struct m_blob *sealed)
{
	struct seal_at	 at = { "guests", "secret", 0, 0, gu->gu_sha,
			    TOKEN_LEN };
	void		*terms, *secret = NULL;
	uint64_t	 id;
	size_t		 len, slen = 0;
	int		 n = -1;

	if (db_next_id(db, "guests", &id) == -1 || id > UINT32_MAX)
		return (-1);
	at.sa_row = gu->gu_id = (uint32_t)id;
	gu->gu_version = 1;
	gu->gu_secret = sealed->mb_len > 0;
	if (gu->gu_secret && (secret = db_seal(db, &at, sealed->mb_data,
	    sealed->mb_len, &slen)) == NULL)
		return (-1);
	if ((terms = terms_seal(db, gu, &len)) != NULL)
		n = db_exec(db, S_GUEST_ADD, ARGS(NUM(id), BIN(gu->gu_sha,
		    TOKEN_LEN), BIN(terms, len), BIN(secret, slen)));
	free(terms);
	free(secret);
	rights_free(db);
	return (n == 1 ? 0 : -1);
}

/*
 * Rows of visits.
 */

#define VISIT_BIND	(8 * 5)

static void
visit_bind(uint8_t bind[VISIT_BIND], const struct visit *vi)
{
	const uint64_t	 n[] = { vi->vi_user, vi->vi_guest, vi->vi_state,
			    vi->vi_began, vi->vi_ended };
	size_t		 i;
	int		 j;

	for (i = 0; i < sizeof(n) / sizeof(n[0]); i++)
		for (j = 0; j < 8; j++)
			*bind++ = (uint8_t)(n[i] >> (56 - 8 * j));
}

static void *
visit_seal(struct db *db, const struct visit *vi, size_t *len)
{
	uint8_t			 bind[VISIT_BIND];
	const struct seal_at	 at = { "visits", "detail", vi->vi_id,
				    vi->vi_version, bind, sizeof(bind) };
	struct ibuf		*buf;

	visit_bind(bind, vi);
	if ((buf = ibuf_dynamic(64, SEAL_MAX)) == NULL)
		return (NULL);
	if (ibuf_add_n64(buf, vi->vi_since) == -1 ||
	    ibuf_add(buf, vi->vi_name, strlen(vi->vi_name) + 1) == -1 ||
	    ibuf_add(buf, vi->vi_addr, strlen(vi->vi_addr) + 1) == -1) {
		ibuf_free(buf);
		return (NULL);
	}
	return (seal_buf(db, &at, buf, len));
}

int
visit_read(struct db *db, sqlite3_stmt *st, struct visit *vi)
{
	uint8_t		 bind[VISIT_BIND];
	struct seal_at	 at = { "visits", "detail", 0, 0, bind,
			    sizeof(bind) };
	struct ibuf	 buf;
	void		*text;
	size_t		 len;
	int		 ret = -1;

	memset(vi, 0, sizeof(*vi));
	at.sa_row = vi->vi_id = (uint32_t)db_col_num(st, 0);
	vi->vi_user = (uint32_t)db_col_num(st, 1);
	vi->vi_guest = (uint32_t)db_col_num(st, 2);
	vi->vi_state = (uint8_t)db_col_num(st, 3);
	vi->vi_began = db_col_num(st, 4);
	vi->vi_ended = db_col_num(st, 5);
	at.sa_version = vi->vi_version = db_col_num(st, 6);
	visit_bind(bind, vi);
	if ((text = db_open(db, &at, st, 7, &len)) == NULL)
		return (-1);
	ibuf_from_buffer(&buf, text, len);
	if (ibuf_get_n64(&buf, &vi->vi_since) == 0 &&
	    get_cstr(&buf, vi->vi_name, sizeof(vi->vi_name)) == 0 &&
	    get_cstr(&buf, vi->vi_addr, sizeof(vi->vi_addr)) == 0 &&
	    vi->vi_state < VISIT_STATE_MAX)
		ret = 0;
	freezero(text, len + 1);
	return (ret);
}

int
visit_of(struct db *db, uint32_t user, struct visit *vi)
{
	sqlite3_stmt	*st;
	int		 n;

	st = db_query(db, S_VISIT_OF, ARGS(NUM(user)));
	if ((n = db_step(db, st)) == 1 && visit_read(db, st, vi) == -1)
		n = -1;
	db_done(st);
	return (n);
}

int
visit_was(struct db *db, uint32_t user)
{
	uint64_t	 there;

	if (db_number(db, S_VISIT_THERE, ARGS(NUM(user)), &there) == -1)
		return (-1);
	return (there != 0);
}

static int
visit_add(struct db *db, struct visit *vi)
{
	void		*rec;
	uint64_t	 id;
	size_t		 len;
	int		 n;

	if (db_next_id(db, "visits", &id) == -1 || id > UINT32_MAX)
		return (-1);
	vi->vi_id = (uint32_t)id;
	vi->vi_version = 1;
	if ((rec = visit_seal(db, vi, &len)) == NULL)
		return (-1);
	n = db_exec(db, S_VISIT_ADD, ARGS(NUM(id), NUM(vi->vi_user),
	    NUM(vi->vi_guest), NUM(vi->vi_state), NUM(vi->vi_began),
	    BIN(rec, len)));
	free(rec);
	return (n == 1 ? 0 : -1);
}

static int
visit_set(struct db *db, struct visit *vi)
{
	void	*rec;
	size_t	 len;
	int	 n;

	vi->vi_version++;
	if ((rec = visit_seal(db, vi, &len)) == NULL)
		return (-1);
	n = db_exec(db, S_VISIT_SET, ARGS(NUM(vi->vi_id), NUM(vi->vi_state),
	    NUM(vi->vi_ended), NUM(vi->vi_version), BIN(rec, len)));
	free(rec);
	return (n == 1 ? 0 : -1);
}

/* Let in: from here on he may read. */
static int
visit_enter(struct db *db, struct visit *vi)
{
	if (db_number(db, S_SEQUENCE, ARGS(TXT("messages")),
	    &vi->vi_since) == -1)
		return (-1);
	vi->vi_state = VISIT_IN;
	return (visit_set(db, vi));
}

/* The users of those visits of a URL that are not over; free them. */
static int
visitors(struct db *db, uint32_t guest, uint32_t **users)
{
	sqlite3_stmt	*st;
	int		 n, count = 0;

	if ((*users = calloc(MAX_VISITS, sizeof(**users))) == NULL)
		return (-1);
	st = db_query(db, S_VISITS_OF, ARGS(NUM(guest)));
	while ((n = db_step(db, st)) == 1 && count < MAX_VISITS)
		(*users)[count++] = (uint32_t)db_col_num(st, 0);
	db_done(st);
	if (n != -1)
		return (count);
	free(*users);
	return (-1);
}

int
guest_counts(struct db *db, uint32_t id, uint32_t *inside, uint32_t *waiting)
{
	struct visit	 vi;
	uint32_t	*users;
	int		 i, n;

	*inside = *waiting = 0;
	if ((n = visitors(db, id, &users)) == -1)
		return (-1);
	for (i = 0; i < n; i++) {
		if (visit_of(db, users[i], &vi) != 1)
			continue;
		*inside += vi.vi_state == VISIT_IN;
		*waiting += vi.vi_state == VISIT_DOOR;
	}
	free(users);
	return (0);
}

/*
 * Knocking.
 */

static struct knock *
knock_find(uint32_t tenant, uint32_t user)
{
	struct knock	*kn;

	TAILQ_FOREACH(kn, &knocks, kn_entry)
		if (kn->kn_tenant == tenant && kn->kn_user == user)
			return (kn);
	return (NULL);
}

static void
knock_free(struct knock *kn)
{
	TAILQ_REMOVE(&knocks, kn, kn_entry);
	free(kn);
}

/* To one session, or to all when pe is NULL. */
static void
knock_tell(struct request *rq, struct peer *pe, const struct visit *vi)
{
	struct rights	*rt = rights_get(rq->rq_db);
	struct guest	*gu;
	struct m_knock	 m = { 0 };
	void		*ids;

	if (rt == NULL || (gu = rights_guest(rt, vi->vi_guest)) == NULL ||
	    (ids = idlist_wire(&gu->gu_floors)) == NULL)
		return;
	m.tenant = rq->rq_tn->tn_id;
	m.user = vi->vi_user;
	m.until = vi->vi_began + DOOR_MS;
	m.name = vi->vi_name;
	m.floors.mb_data = ids;
	m.floors.mb_len = gu->gu_floors.il_n * sizeof(uint32_t);
	if (pe == NULL)
		rq_tell_sessions(rq, IMSG_KNOCK, &m);
	else
		(void)proc_send(pe, IMSG_KNOCK, 0, -1, &m);
	free(ids);
}

void
guest_knocks(struct request *rq, const struct visit *vi)
{
	struct knock	*kn;

	if (knock_find(rq->rq_tn->tn_id, vi->vi_user) == NULL) {
		if ((kn = calloc(1, sizeof(*kn))) == NULL)
			return;		/* the sweep ends the visit */
		kn->kn_tenant = rq->rq_tn->tn_id;
		kn->kn_user = vi->vi_user;
		kn->kn_until = vi->vi_began + DOOR_MS;
		TAILQ_INSERT_TAIL(&knocks, kn, kn_entry);
	}
	knock_tell(rq, NULL, vi);
}

void
guest_introduce(struct peer *pe)
{
	struct request	 rq = { .rq_peer = pe };
	struct knock	*kn;
	struct visit	 vi;

	TAILQ_FOREACH(kn, &knocks, kn_entry) {
		if ((rq.rq_tn = tenant_by_id(kn->kn_tenant)) == NULL ||
		    (rq.rq_db = tenant_enter(rq.rq_tn)) == NULL)
			continue;
		if (visit_of(rq.rq_db, kn->kn_user, &vi) == 1 &&
		    vi.vi_state == VISIT_DOOR)
			knock_tell(&rq, pe, &vi);
		tenant_leave(rq.rq_tn, rq.rq_db);
	}
}

static void
knock_end(struct request *rq, uint32_t user, enum knock_end why,
    const char *by)
{
	struct m_knock_end	 m = { rq->rq_tn->tn_id, user, (uint8_t)why,
				    by };
	struct knock		*kn;

	if ((kn = knock_find(m.tenant, user)) != NULL)
		knock_free(kn);
	rq_tell_sessions(rq, IMSG_KNOCK_END, &m);
}

/*
 * The end.
 */

/*
 * Nothing of him stays but the visit's row, for whoever asks who was here, and
 * direct messages that a hold keeps.
 */
static int
visit_end(struct request *rq, struct visit *vi, enum grant_end why,
    const char *by)
{
	struct db	*db = rq->rq_db;
	int		 held = rq->rq_tn->tn_policy.po_value[POLICY_HOLD] != 0;

	if (vi->vi_state == VISIT_DOOR)
		knock_end(rq, vi->vi_user, why == END_REFUSED ? KNOCK_REFUSED :
		    why == END_LATE ? KNOCK_LATE : KNOCK_GONE, by);
	vi->vi_state = VISIT_OVER;
	vi->vi_ended = now_ms();
	if (visit_set(db, vi) == -1 || (held ?
	    person_forget(db, vi->vi_user) : person_delete(db, vi->vi_user)) ==
	    -1 || audit_add(db, "visit %u by guest URL %u is over", vi->vi_id,
	    vi->vi_guest) == -1)
		return (-1);
	grants_end(rq->rq_tn->tn_id, vi->vi_user, 0, 0, why);
	return (0);
}

enum result
guest_signout(struct request *rq)
{
	struct visit	 vi;
	struct grant	*mine;
	int		 n;

	if ((n = visit_of(rq->rq_db, rq->rq_gr->gr_user, &vi)) != 1)
		return (n == 0 ? R_SESSION : R_UNAVAILABLE);
	/* The one that asks knows, the others of this sign-in are told. */
	if ((mine = grant_find(rq->rq_gr->gr_id, rq->rq_gr->gr_inst,
	    0)) != NULL)
		grant_free(mine);
	if (visit_end(rq, &vi, END_SIGNOUT, "") == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

/* Is there a sign-in of his that could still be used? */
static int
visit_alive(struct request *rq, const struct visit *vi, uint64_t now)
{
	struct token	 tk;
	sqlite3_stmt	*st;
	int		 n, alive = 0;

	if (vi->vi_state != VISIT_IN && now > vi->vi_began + DOOR_MS)
		return (0);
	st = db_query(rq->rq_db, S_TOKENS_OF, ARGS(NUM(vi->vi_user)));
	while (!alive && (n = db_step(rq->rq_db, st)) == 1)
		alive = token_row_read(rq->rq_db, st, &tk) == 0 &&
		    token_alive(rq->rq_tn, &tk, now);
	db_done(st);
	return (alive || n == -1);
}

/* The visits that are not over, some at a time; how many, or -1. */
static int
visits_some(struct db *db, uint32_t after, struct visit *vi, int max)
{
	sqlite3_stmt	*st;
	int		 n, count = 0;

	st = db_query(db, S_VISITS, ARGS(NUM(after), NUM(max)));
	while ((n = db_step(db, st)) == 1 && count < max)
		if (visit_read(db, st, &vi[count]) == 0)
			count++;
	db_done(st);
	return (n == -1 ? -1 : count);
}

static int
sweep_visits(struct request *rq, uint64_t now)
{
	struct visit	 vi[STREAM_ROWS];
	uint32_t	 after = 0;
	int		 i, n;

	do {
		n = visits_some(rq->rq_db, after, vi, STREAM_ROWS);
		for (i = 0; i < n; i++) {
			after = vi[i].vi_id;
			if (!visit_alive(rq, &vi[i], now) &&
			    visit_end(rq, &vi[i], vi[i].vi_state ==
			    VISIT_DOOR ? END_LATE : END_EXPIRED, "") == -1)
				return (-1);
		}
	} while (n == STREAM_ROWS);
	explicit_bzero(vi, sizeof(vi));
	return (n == -1 ? -1 : 0);
}

/* Past, or used up and nobody is here by it: forget it. */
static int
sweep_urls(struct request *rq, uint64_t now)
{
	struct rights	*rt;
	struct guest	*gu;
	uint32_t	*users;
	size_t		 i;
	int		 n;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (-1);
	for (i = 0; i < rt->rt_nguests; i++) {
		gu = &rt->rt_guests[i];
		if (now < gu->gu_expires && gu->gu_used < gu->gu_uses)
			continue;
		if ((n = visitors(rq->rq_db, gu->gu_id, &users)) == -1)
			return (-1);
		free(users);
		if (n == 0 && db_exec(rq->rq_db, S_GUEST_DEL,
		    ARGS(NUM(gu->gu_id))) != 1)
			return (-1);
	}
	rights_free(rq->rq_db);
	return (0);
}

/*
 * What a hold kept of those who are gone, and no longer does: 1 there may be
 * more, 0, -1.
 */
static int
sweep_held(struct request *rq)
{
	struct tenant	*tn = rq->rq_tn;
	int		 n;

	if (tn->tn_free || tn->tn_policy.po_value[POLICY_HOLD] != 0)
		return (0);
	if (db_begin(rq->rq_db) == -1)
		return (-1);
	if ((n = db_exec(rq->rq_db, S_ERASE_GONE, ARGS(NUM(SWEEP_ROWS)))) > 0 &&
	    db_exec(rq->rq_db, S_PURGE_DMS, NOARGS) == -1)
		n = -1;
	/* It is done when it is on the disk. */
	if (db_end(rq->rq_db, n != -1) == -1 ||
	    (n > 0 && db_commit(rq->rq_db) == -1))
		return (-1);
	if (n > 0)
		rq->rq_db->db_erased = 1;
	tn->tn_free = n < SWEEP_ROWS;
	return (!tn->tn_free);
}

uint64_t
guest_sweep(struct tenant *tn, uint64_t now)
{
	struct request	 rq = { .rq_tn = tn };
	struct rights	*rt;
	uint64_t	 here, next = now + SWEEP_MS;
	int		 left;

	if ((rq.rq_db = tenant_enter(tn)) == NULL)
		return (next);
	left = sweep_held(&rq);
	if ((rt = rights_get(rq.rq_db)) != NULL &&
	    db_number(rq.rq_db, S_VISIT_COUNT, NOARGS, &here) == 0 &&
	    here == 0 && rt->rt_nguests == 0)
		next = UINT64_MAX;
	else if (db_begin(rq.rq_db) == 0)
		(void)db_end(rq.rq_db, sweep_visits(&rq, now) == 0 &&
		    sweep_urls(&rq, now) == 0);
	tenant_leave(tn, rq.rq_db);
	return (left == 1 ? now : left == -1 ? now + SWEEP_MS : next);
}

static struct knock *
knock_due(uint64_t now)
{
	struct knock	*kn;

	TAILQ_FOREACH(kn, &knocks, kn_entry)
		if (now > kn->kn_until)
			return (kn);
	return (NULL);
}

void
guest_late(uint64_t now)
{
	struct knock	*kn;
	struct tenant	*tn;

	while ((kn = knock_due(now)) != NULL) {
		tn = tenant_by_id(kn->kn_tenant);
		knock_free(kn);
		if (tn != NULL)
			tn->tn_sweep = guest_sweep(tn, now);
	}
}

void
guest_gone(const struct grant *gr)
{
	struct request	 rq = { .rq_tn = tenant_by_id(gr->gr_tenant) };
	struct visit	 vi;

	if (!gr->gr_door || rq.rq_tn == NULL ||
	    grant_live(gr->gr_tenant, gr->gr_user, 0) > 0 ||
	    (rq.rq_db = tenant_enter(rq.rq_tn)) == NULL)
		return;
	if (visit_of(rq.rq_db, gr->gr_user, &vi) == 1 &&
	    vi.vi_state != VISIT_IN && db_begin(rq.rq_db) == 0)
		(void)db_end(rq.rq_db, visit_end(&rq, &vi, END_ENDED,
		    "") == 0);
	tenant_leave(rq.rq_tn, rq.rq_db);
}

/*
 * What a guest may.
 */

int
guest_may_enter(struct db *db, const struct floor *fl, const struct grant *gr)
{
	struct rights	*rt = rights_get(db);
	struct guest	*gu;

	return (!gr->gr_door && rt != NULL &&
	    (gu = rights_guest(rt, gr->gr_guest)) != NULL &&
	    url_may_enter(db, rt, gu, fl));
}

/* The same for somebody who does not ask. */
static int
other_may_enter(struct request *rq, struct rights *rt, const struct floor *fl,
    uint32_t user, uint8_t role)
{
	struct visit	 vi;
	struct guest	*gu;

	if (role != ROLE_GUEST)
		return (rights_may_enter(rt, fl, user));
	return (visit_of(rq->rq_db, user, &vi) == 1 &&
	    vi.vi_state == VISIT_IN &&
	    (gu = rights_guest(rt, vi.vi_guest)) != NULL &&
	    url_may_enter(rq->rq_db, rt, gu, fl));
}

enum result
guest_talk(struct request *rq, uint32_t other, const struct brief *br,
    uint32_t floor, int writes)
{
	struct rights	*rt = rights_get(rq->rq_db);
	struct floor	*fl;
	uint64_t	 there;
	uint32_t	 me = rq->rq_gr->gr_user;
	uint8_t		 role = br->br_role;	/* another may take its place */

	if (rt == NULL)
		return (R_UNAVAILABLE);
	if ((fl = rights_floor(rt, floor)) != NULL &&
	    grant_may_enter(rq->rq_db, fl, rq->rq_gr) &&
	    other_may_enter(rq, rt, fl, other, role))
		return (R_OK);
	if (writes)
		return (R_NOTFOUND);
	if (db_number(rq->rq_db, S_DM_THERE, ARGS(NUM(me < other ? me :
	    other), NUM(me < other ? other : me)), &there) == -1)
		return (R_UNAVAILABLE);
	return (there ? R_OK : R_NOTFOUND);
}

/*
 * Coming in, asked by auth.
 */

enum result
data_guest_find(struct request *rq, const void *arg)
{
	const struct m_link_find	*m = arg;
	struct guest			*gu;
	struct m_guest			 row;
	int				 n;

	if (m->inst >= proc_nsession || m->inst >= MAX_SESSIONS)
		return (R_UNAVAILABLE);
	if ((n = guest_find(rq->rq_db, m->sha, &gu)) != 1)
		return (n == 0 ? R_LINK : R_UNAVAILABLE);
	row.password = gu->gu_secret;
	row.approval = gu->gu_approval;
	rq_tell(rq, PROC_SESSION, m->inst, m->req, IMSG_GUEST, &row);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

enum result
data_guest_cred(struct request *rq, const void *arg)
{
	const struct m_sha	*m = arg;
	struct guest		*gu;
	struct seal_at		 at = { "guests", "secret", 0, 0, NULL,
				    TOKEN_LEN };
	sqlite3_stmt		*st;
	struct m_guest_need	 need = { { NULL, 0 } };
	void			*secret = NULL;
	int			 n;

	if ((n = guest_find(rq->rq_db, m->sha, &gu)) != 1)
		return (n == 0 ? R_LINK : R_UNAVAILABLE);
	if (!gu->gu_secret) {
		rq_answer(rq, IMSG_GUEST_NEED, &need);
		return (R_OK);
	}
	at.sa_row = gu->gu_id;
	at.sa_bind = gu->gu_sha;
	st = db_query(rq->rq_db, S_GUEST_SECRET, ARGS(NUM(gu->gu_id)));
	if (db_step(rq->rq_db, st) == 1)
		secret = db_open(rq->rq_db, &at, st, 0, &need.sealed.mb_len);
	db_done(st);
	if (secret == NULL)
		return (R_UNAVAILABLE);
	need.sealed.mb_data = secret;
	rq_answer(rq, IMSG_GUEST_NEED, &need);
	freezero(secret, need.sealed.mb_len + 1);
	return (R_OK);
}

/* His user and his visit; he has no name yet, that is not auth's to know. */
static int
guest_begin(struct request *rq, const struct m_guest_new *m,
    const struct guest *gu, struct visit *vi)
{
	struct person	 p = { .p_role = ROLE_GUEST, .p_state = USER_ACTIVE };
	uint64_t	 id;

	/* Unique as the number is, and no mail address. */
	if (db_next_id(rq->rq_db, "users", &id) == -1)
		return (-1);
	(void)snprintf(p.p_mail, sizeof(p.p_mail), "guest-%llu",
	    (unsigned long long)id);
	p.p_look = any_look();
	if (person_add(rq->rq_db, &p) == -1)
		return (-1);
	vi->vi_user = p.p_id;
	vi->vi_guest = gu->gu_id;
	vi->vi_state = VISIT_NEW;
	vi->vi_began = now_ms();
	(void)strlcpy(vi->vi_addr, m->addr, sizeof(vi->vi_addr));
	return (visit_add(rq->rq_db, vi));
}

/* Looking and counting is one transaction: N uses let N in. */
enum result
data_guest_new(struct request *rq, const void *arg)
{
	const struct m_guest_new	*m = arg;
	struct guest			*gu;
	struct visit			 vi = { 0 };
	struct token			 tk = { 0 };
	uint64_t			 here;
	int				 n;

	if ((n = guest_find(rq->rq_db, m->url, &gu)) != 1)
		return (n == 0 ? R_LINK : R_UNAVAILABLE);
	if (db_number(rq->rq_db, S_VISIT_COUNT, NOARGS, &here) == -1)
		return (R_UNAVAILABLE);
	rq->rq_arg = SWEEP_MS / SECOND;
	if (here >= MAX_VISITS)
		return (R_BUSY);
	tk.tk_created = now_ms();
	tk.tk_expires = m->expires < gu->gu_expires ? m->expires :
	    gu->gu_expires;
	if (tk.tk_expires <= tk.tk_created || strlcpy(tk.tk_addr, m->addr,
	    sizeof(tk.tk_addr)) >= sizeof(tk.tk_addr) ||
	    strlcpy(tk.tk_agent, m->agent, sizeof(tk.tk_agent)) >=
	    sizeof(tk.tk_agent))
		return (R_INVALID);
	if (guest_used(rq->rq_db, gu) == -1 ||
	    guest_begin(rq, m, gu, &vi) == -1)
		return (R_UNAVAILABLE);
	tk.tk_user = vi.vi_user;
	if (token_row_add(rq->rq_db, &tk, m->sha) == -1 ||
	    audit_add(rq->rq_db, "guest URL %u used: visit %u as user %u",
	    gu->gu_id, vi.vi_id, vi.vi_user) == -1)
		return (R_UNAVAILABLE);
	rq->rq_tn->tn_sweep = 0;
	access_signin(rq->rq_tn->tn_id, ACCESS_SIGNIN, vi.vi_user, 1, m->addr);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

/*
 * A password that auth has had sealed, for the URL that the grant makes next:
 * the session process names it and never has it.
 */
enum result
data_guest_seal(struct request *rq, const void *arg)
{
	const struct m_guest_seal	*m = arg;
	struct rights			*rt;
	struct grant			*gr;

	gr = grant_find(m->grant, m->inst, now_ms());
	if (gr == NULL || gr->gr_tenant != rq->rq_tn->tn_id)
		return (R_SESSION);
	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	if ((rights_can(rt, gr->gr_role) & RIGHT_GUEST) == 0)
		return (R_FORBIDDEN);
	if (m->sealed.mb_len == 0)
		return (R_INVALID);
	freezero(gr->gr_sealed, gr->gr_sealedlen);
	gr->gr_secret = gr->gr_sealedlen = 0;
	if ((gr->gr_sealed = malloc(m->sealed.mb_len)) == NULL)
		return (R_UNAVAILABLE);
	memcpy(gr->gr_sealed, m->sealed.mb_data, m->sealed.mb_len);
	gr->gr_sealedlen = m->sealed.mb_len;
	do
		arc4random_buf(&gr->gr_secret, sizeof(gr->gr_secret));
	while (gr->gr_secret == 0);
	rq_result(rq, R_OK, gr->gr_secret, NULL);
	return (R_OK);
}

/*
 * Asked by guests and by those who let them in.
 */

/* Once, and it stays: nobody changes into somebody else in here. */
enum result
me_guest_name(struct request *rq, const void *arg)
{
	const struct m_guest_name	*m = arg;
	struct db			*db = rq->rq_db;
	struct rights			*rt = rights_get(db);
	struct person			 p;
	struct visit			 vi;
	struct guest			*gu;
	int				 n;

	if (rq->rq_gr->gr_role != ROLE_GUEST)
		return (R_FORBIDDEN);
	if (rt == NULL || (n = visit_of(db, rq->rq_gr->gr_user, &vi)) == -1 ||
	    person_get(db, rq->rq_gr->gr_user, &p) != 1)
		return (R_UNAVAILABLE);
	if (n == 0 || (gu = rights_guest(rt, vi.vi_guest)) == NULL)
		return (R_SESSION);
	rq->rq_field = "name";
	if (vi.vi_state != VISIT_NEW)
		return (R_CONFLICT);
	if (!name_valid(m->name, MAX_NAME_CHARS))
		return (R_INVALID);
	(void)strlcpy(p.p_name, m->name, sizeof(p.p_name));
	(void)strlcpy(vi.vi_name, m->name, sizeof(vi.vi_name));
	if (person_set_profile(db, &p) == -1)
		return (R_UNAVAILABLE);
	if (gu->gu_approval)
		vi.vi_state = VISIT_DOOR;
	if ((gu->gu_approval ? visit_set(db, &vi) :
	    visit_enter(db, &vi)) == -1)
		return (R_UNAVAILABLE);
	if (gu->gu_approval)
		guest_knocks(rq, &vi);
	rq_result(rq, R_OK, gu->gu_approval, NULL);
	grants_end(rq->rq_tn->tn_id, p.p_id, 0, 0, END_RENEW);
	return (R_OK);
}

/* Those with the right may answer who may be where he would come to. */
static int
may_answer(struct request *rq, const struct visit *vi)
{
	struct rights	*rt = rights_get(rq->rq_db);
	struct guest	*gu;
	size_t		 i;

	if (rt == NULL || (gu = rights_guest(rt, vi->vi_guest)) == NULL)
		return (0);
	if (rq->rq_gr->gr_role == ROLE_ADMIN)
		return (1);
	for (i = 0; i < rt->rt_nfloors; i++)
		if (idlist_has(&gu->gu_floors, rt->rt_floors[i].fl_id) &&
		    grant_may_enter(rq->rq_db, &rt->rt_floors[i], rq->rq_gr))
			return (1);
	return (0);
}

enum result
me_guest_admit(struct request *rq, const void *arg)
{
	const struct m_guest_admit	*m = arg;
	const struct brief		*br;
	struct visit			 vi;
	char				 by[MAX_NAME + 1];
	enum result			 r;
	int				 n;

	if ((r = may(rq, RIGHT_GUEST)) != R_OK)
		return (r);
	if ((n = visit_of(rq->rq_db, m->user, &vi)) == -1)
		return (R_UNAVAILABLE);
	if (n == 0 || vi.vi_state != VISIT_DOOR || !may_answer(rq, &vi))
		return (R_NOTFOUND);
	if (person_brief(rq->rq_db, rq->rq_gr->gr_user, &br) != 1)
		return (R_UNAVAILABLE);
	(void)strlcpy(by, br->br_name, sizeof(by));
	if (audit_act(rq, m->in ? "admit guest of visit" :
	    "refuse guest of visit", vi.vi_id) == -1)
		return (R_UNAVAILABLE);
	if (!m->in) {
		if (visit_end(rq, &vi, END_REFUSED, by) == -1)
			return (R_UNAVAILABLE);
	} else {
		if (visit_enter(rq->rq_db, &vi) == -1)
			return (R_UNAVAILABLE);
		knock_end(rq, vi.vi_user, KNOCK_IN, by);
		grants_end(rq->rq_tn->tn_id, vi.vi_user, 0, 0, END_RENEW);
	}
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

/*
 * URLs, asked by those who may invite guests: from where one administers all
 * are an administrator's; the others have those that they have made.
 */

static int
oversees(const struct request *rq)
{
	return (rq->rq_gr == NULL || (rq->rq_gr->gr_role == ROLE_ADMIN &&
	    policy_allows(&rq->rq_tn->tn_policy, POLICY_ADMIN_NETWORKS,
	    rq->rq_gr->gr_addr)));
}

static int
is_host(struct request *rq, const struct guest *gu)
{
	return (gu != NULL &&
	    (oversees(rq) || gu->gu_by == rq->rq_gr->gr_user));
}

static int
send_guest(struct request *rq, const struct guest *gu)
{
	const struct brief	*br;
	struct m_guest_row	 m = { 0 };
	void			*ids;

	if ((ids = idlist_wire(&gu->gu_floors)) == NULL)
		return (-1);
	m.guest = gu->gu_id;
	m.by = gu->gu_by;
	m.created = gu->gu_created;
	m.expires = gu->gu_expires;
	m.uses = gu->gu_uses;
	m.used = gu->gu_used;
	m.password = gu->gu_secret;
	m.approval = gu->gu_approval;
	m.note = gu->gu_note;
	m.name = gu->gu_by != 0 && person_brief(rq->rq_db, gu->gu_by,
	    &br) == 1 ? br->br_name : "";
	m.floors.mb_data = ids;
	m.floors.mb_len = gu->gu_floors.il_n * sizeof(uint32_t);
	rq_answer(rq, IMSG_GUEST_ROW, &m);
	free(ids);
	return (0);
}

static int
send_visits(struct request *rq, struct rights *rt)
{
	struct visit		 vi[STREAM_ROWS];
	struct m_visit_row	 m;
	uint32_t		 after = 0;
	int			 i, n;

	do {
		n = visits_some(rq->rq_db, after, vi, STREAM_ROWS);
		for (i = 0; i < n; i++) {
			after = m.visit = vi[i].vi_id;
			m.user = vi[i].vi_user;
			m.guest = vi[i].vi_guest;
			m.state = vi[i].vi_state;
			m.began = vi[i].vi_began;
			m.name = vi[i].vi_name;
			m.addr = vi[i].vi_addr;
			if (m.state != VISIT_NEW &&
			    is_host(rq, rights_guest(rt, m.guest)))
				rq_answer(rq, IMSG_VISIT_ROW, &m);
		}
	} while (n == STREAM_ROWS);
	explicit_bzero(vi, sizeof(vi));
	return (n == -1 ? -1 : 0);
}

enum result
me_guests(struct request *rq, const void *arg)
{
	struct rights	*rt;
	uint64_t	 now = now_ms();
	enum result	 r;
	size_t		 i;

	(void)arg;
	if ((r = may(rq, RIGHT_GUEST)) != R_OK)
		return (r);
	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	for (i = 0; i < rt->rt_nguests; i++)
		if (now < rt->rt_guests[i].gu_expires &&
		    is_host(rq, &rt->rt_guests[i]) &&
		    send_guest(rq, &rt->rt_guests[i]) == -1)
			return (R_UNAVAILABLE);
	if (send_visits(rq, rt) == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

/* NULL, or which of the terms is out of bounds. */
static const char *
terms_fault(struct request *rq, struct rights *rt, const struct guest *gu)
{
	const struct floor	*fl;
	uint64_t		 now = now_ms();
	size_t			 i;

	if (gu->gu_floors.il_n == 0 || gu->gu_floors.il_n > MAX_FLOORS)
		return ("floors");
	for (i = 0; i < gu->gu_floors.il_n; i++)
		if ((fl = rights_floor(rt, gu->gu_floors.il_ids[i])) == NULL ||
		    (!oversees(rq) && !grant_may_enter(rq->rq_db, fl,
		    rq->rq_gr)))
			return ("floors");
	if (gu->gu_expires < now + LIFE_MIN ||
	    gu->gu_expires > now + LIFE_MAX)
		return ("expires");
	if (gu->gu_uses < 1 || gu->gu_uses > MAX_USES)
		return ("uses");
	if (!note_valid(gu->gu_note, MAX_NOTE_CHARS))
		return ("note");
	return (NULL);
}

enum result
guest_create(struct request *rq, struct guest *gu, const struct m_blob *sealed,
    uint8_t token[TOKEN_LEN])
{
	struct rights	*rt;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	if ((rq->rq_field = terms_fault(rq, rt, gu)) != NULL)
		return (R_INVALID);
	rq->rq_field = "guests";
	if (rt->rt_nguests >= MAX_GUESTS)
		return (R_CONFLICT);
	gu->gu_created = now_ms();
	arc4random_buf(token, TOKEN_LEN);
	if (sha256(gu->gu_sha, token, TOKEN_LEN) == -1 ||
	    guest_add(rq->rq_db, gu, sealed) == -1 ||
	    note_guest(rq, "add", gu) == -1)
		return (R_UNAVAILABLE);
	rq->rq_tn->tn_sweep = 0;
	return (R_OK);
}

/* The password that waits under the grant; it is used once. */
static enum result
secret_take(struct request *rq, uint64_t secret, struct m_blob *mb)
{
	struct grant	*gr;

	gr = grant_find(rq->rq_gr->gr_id, rq->rq_gr->gr_inst, 0);
	rq->rq_field = "password";
	if (gr == NULL || gr->gr_secret != secret)
		return (R_CONFLICT);
	mb->mb_data = gr->gr_sealed;
	mb->mb_len = gr->gr_sealedlen;
	gr->gr_secret = 0;
	return (R_OK);
}

enum result
me_guest_add(struct request *rq, const void *arg)
{
	const struct m_guest_add	*m = arg;
	struct guest			 gu = { 0 };
	struct m_blob			 sealed = { NULL, 0 };
	struct m_a_link			 link;
	enum result			 r;

	if ((r = may(rq, RIGHT_GUEST)) != R_OK)
		return (r);
	rq->rq_field = "floors";
	if (idlist_read(&gu.gu_floors, &m->floors) == -1)
		return (R_INVALID);
	gu.gu_by = rq->rq_gr->gr_user;
	gu.gu_expires = link.expires = m->expires;
	gu.gu_uses = m->uses;
	gu.gu_approval = m->approval;
	(void)strlcpy(gu.gu_note, m->note, sizeof(gu.gu_note));
	if ((m->secret == 0 || (r = secret_take(rq, m->secret,
	    &sealed)) == R_OK) && (r = guest_create(rq, &gu, &sealed,
	    link.token)) == R_OK) {
		if (send_guest(rq, &gu) == -1)
			r = R_UNAVAILABLE;
		rq_answer(rq, IMSG_A_LINK, &link);
	}
	free(gu.gu_floors.il_ids);
	explicit_bzero(&link, sizeof(link));
	if (r == R_OK)
		rq_result(rq, R_OK, 0, NULL);
	return (r);
}

/* Whoever is here by it is out before the answer leaves. */
enum result
guest_revoke(struct request *rq, uint32_t id)
{
	struct rights	*rt;
	struct guest	*gu;
	struct visit	 vi;
	uint32_t	*users;
	int		 i, n, bad = 0;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	if ((gu = rights_guest(rt, id)) == NULL)
		return (R_NOTFOUND);
	if (note_guest(rq, "revoke", gu) == -1)
		return (R_UNAVAILABLE);
	if ((n = visitors(rq->rq_db, id, &users)) == -1)
		return (R_UNAVAILABLE);
	for (i = 0; i < n && !bad; i++)
		bad = visit_of(rq->rq_db, users[i], &vi) != 1 ||
		    visit_end(rq, &vi, END_REVOKED, "") == -1;
	free(users);
	if (bad || db_exec(rq->rq_db, S_GUEST_DEL, ARGS(NUM(id))) != 1)
		return (R_UNAVAILABLE);
	rights_free(rq->rq_db);
	return (R_OK);
}

enum result
me_guest_del(struct request *rq, const void *arg)
{
	const struct m_grant_id	*m = arg;
	struct rights		*rt;
	enum result		 r;

	if ((r = may(rq, RIGHT_GUEST)) != R_OK)
		return (r);
	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	if (!is_host(rq, rights_guest(rt, m->id)))
		return (R_NOTFOUND);
	if ((r = guest_revoke(rq, m->id)) == R_OK)
		rq_result(rq, R_OK, 0, NULL);
	return (r);
}

/* One guest, by his number as a user; the URL stays. */
enum result
me_visit_del(struct request *rq, const void *arg)
{
	const struct m_grant_id	*m = arg;
	struct rights		*rt;
	struct visit		 vi;
	enum result		 r;
	int			 n;

	if ((r = may(rq, RIGHT_GUEST)) != R_OK)
		return (r);
	if ((rt = rights_get(rq->rq_db)) == NULL ||
	    (n = visit_of(rq->rq_db, m->id, &vi)) == -1)
		return (R_UNAVAILABLE);
	if (n == 0 || !is_host(rq, rights_guest(rt, vi.vi_guest)))
		return (R_NOTFOUND);
	if (audit_act(rq, "end visit", vi.vi_id) == -1 ||
	    visit_end(rq, &vi, END_REVOKED, "") == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}
