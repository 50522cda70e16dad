/*
 * Where people were last.  That is worth a commit every half second, but none
 * that waits for the disk: a kill loses that half second, a power cut perhaps
 * all since the last commit that did wait.
 */
#include <stdlib.h>

#include "storage.h"

#define WRITE_EACH	500		/* ms */

struct spot {
	RB_ENTRY(spot)	 sp_entry;
	uint32_t	 sp_tenant, sp_user, sp_floor;
	uint16_t	 sp_x, sp_y;
};

static RB_HEAD(spot_tree, spot) spots = RB_INITIALIZER(&spots);
static struct event	 write_ev;
static int		 armed;

static int
spot_cmp(const struct spot *a, const struct spot *b)
{
	if (a->sp_tenant != b->sp_tenant)
		return (a->sp_tenant < b->sp_tenant ? -1 : 1);
	if (a->sp_user != b->sp_user)
		return (a->sp_user < b->sp_user ? -1 : 1);
	return (a->sp_floor < b->sp_floor ? -1 : a->sp_floor > b->sp_floor);
}

RB_GENERATE_STATIC(spot_tree, spot, sp_entry, spot_cmp)

static uint64_t
place_row(uint32_t user, uint32_t floor)
{
	return ((uint64_t)user << 32 | floor);
}

static int
spot_put(struct db *db, const struct spot *sp)
{
	const struct seal_at	 at = { "places", "spot",
				    place_row(sp->sp_user, sp->sp_floor), 0,
				    NULL, 0 };
	uint8_t			 spot[4];
	void			*rec;
	size_t			 len;
	int			 n;

	spot[0] = (uint8_t)(sp->sp_x >> 8);
	spot[1] = (uint8_t)sp->sp_x;
	spot[2] = (uint8_t)(sp->sp_y >> 8);
	spot[3] = (uint8_t)sp->sp_y;
	if ((rec = db_seal(db, &at, spot, sizeof(spot), &len)) == NULL)
		return (-1);
	n = db_exec(db, S_PLACE_PUT, ARGS(NUM(sp->sp_user),
	    NUM(sp->sp_floor), BIN(rec, len)));
	free(rec);
	return (n == -1 ? -1 : db_exec(db, S_USER_FLOOR, ARGS(NUM(sp->sp_user),
	    NUM(sp->sp_floor))));
}

/* Written, or of somebody or of a floor that is there no more. */
static void
spot_write(struct db *db, struct spot *sp)
{
	const struct brief	*br;
	struct rights		*rt = rights_get(db);

	if (rt != NULL && rights_floor(rt, sp->sp_floor) != NULL &&
	    person_brief(db, sp->sp_user, &br) == 1 && db_begin(db) == 0)
		(void)db_end(db, spot_put(db, sp) != -1);
	RB_REMOVE(spot_tree, &spots, sp);
	free(sp);
}

/* Those of a tenant are written: in a commit of their own, if they can be. */
static void
spots_done(struct tenant *tn, struct db *db)
{
	if (db == NULL)
		return;
	if (db->db_lazy) {
		(void)db_commit(db);
		db_lazy(db, 0);
	}
	tenant_leave(tn, db);
}

void
places_write(void)
{
	struct spot	*sp, *next;
	struct tenant	*tn = NULL;
	struct db	*db = NULL;

	RB_FOREACH_SAFE(sp, spot_tree, &spots, next) {
		if (tn == NULL || tn->tn_id != sp->sp_tenant) {
			spots_done(tn, db);
			tn = tenant_by_id(sp->sp_tenant);
			db = tn == NULL ? NULL : tenant_enter(tn);
			if (db != NULL && !db->db_intx)
				db_lazy(db, 1);
		}
		if (db != NULL && !db->db_broken)
			spot_write(db, sp);
		else if (tn == NULL) {
			RB_REMOVE(spot_tree, &spots, sp);
			free(sp);
		}
	}
	spots_done(tn, db);
}

static void
write_turn(int fd, short ev, void *arg)
{
	(void)fd;
	(void)ev;
	(void)arg;
	armed = 0;
	places_write();
}

void
place_start(void)
{
	evtimer_set(&write_ev, write_turn, NULL);
}

void
place_settle(struct tenant *tn, struct db *db, uint32_t user)
{
	struct spot	 key = { .sp_tenant = tn->tn_id, .sp_user = user };
	struct spot	*sp, *next;

	for (sp = RB_NFIND(spot_tree, &spots, &key); sp != NULL &&
	    sp->sp_tenant == tn->tn_id && sp->sp_user == user; sp = next) {
		next = RB_NEXT(spot_tree, &spots, sp);
		spot_write(db, sp);
	}
}

uint32_t
place_last(uint32_t tenant, uint32_t user, uint32_t written)
{
	struct spot	 key = { .sp_tenant = tenant, .sp_user = user };
	struct spot	*sp = RB_NFIND(spot_tree, &spots, &key);

	return (sp != NULL && sp->sp_tenant == tenant &&
	    sp->sp_user == user ? sp->sp_floor : written);
}

enum result
me_place(struct request *rq, const void *arg)
{
	const struct m_place_set	*m = arg;
	struct timeval			 tv = { 0, WRITE_EACH * 1000 };
	const struct floor		*fl;
	struct spot			*sp, key;
	enum result			 r;

	if ((r = my_floor(rq, m->floor, &fl)) != R_OK)
		return (r);
	key.sp_tenant = rq->rq_tn->tn_id;
	key.sp_user = rq->rq_gr->gr_user;
	key.sp_floor = m->floor;
	if ((sp = RB_FIND(spot_tree, &spots, &key)) == NULL) {
		/* The floor of before is no longer the last one. */
		place_settle(rq->rq_tn, rq->rq_db, key.sp_user);
		if ((sp = malloc(sizeof(*sp))) == NULL)
			return (R_UNAVAILABLE);
		*sp = key;
		RB_INSERT(spot_tree, &spots, sp);
	}
	sp->sp_x = m->x;
	sp->sp_y = m->y;
	if (!armed && evtimer_add(&write_ev, &tv) == 0)
		armed = 1;
	return (R_OK);			/* nobody waits for an answer */
}

void
place_get(struct request *rq, struct m_floor_doc *doc)
{
	const struct seal_at	 at = { "places", "spot",
				    place_row(rq->rq_gr->gr_user, doc->floor),
				    0, NULL, 0 };
	sqlite3_stmt		*st;
	struct ibuf		 buf;
	void			*text = NULL;
	size_t			 len;

	place_settle(rq->rq_tn, rq->rq_db, rq->rq_gr->gr_user);
	st = db_query(rq->rq_db, S_PLACE_GET, ARGS(NUM(rq->rq_gr->gr_user),
	    NUM(doc->floor)));
	if (db_step(rq->rq_db, st) == 1)
		text = db_open(rq->rq_db, &at, st, 0, &len);
	db_done(st);
	if (text == NULL)
		return;
	ibuf_from_buffer(&buf, text, len);
	if (ibuf_get_n16(&buf, &doc->x) == 0 &&
	    ibuf_get_n16(&buf, &doc->y) == 0)
		doc->placed = 1;
	free(text);
}
