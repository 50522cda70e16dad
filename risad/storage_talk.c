/*
 * Requests of everybody who is signed in: oneself, floors, messages.
 */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "storage.h"
#include "utf8.h"
#include "util.h"

#define REF_KEY		16

/* Whoever asks; a grant whose user is gone is worth nothing. */
static enum result
myself(struct request *rq, struct person *p)
{
	int	 n;

	if ((n = person_get(rq->rq_db, rq->rq_gr->gr_user, p)) == -1)
		return (R_UNAVAILABLE);
	return (n == 1 ? R_OK : R_SESSION);
}

static const char *
me_change(struct person *p, const struct m_me_set *m)
{
	if (m->mask & SET_NAME) {
		if (!name_valid(m->name, MAX_NAME_CHARS))
			return ("name");
		(void)strlcpy(p->p_name, m->name, sizeof(p->p_name));
	}
	if (m->mask & SET_NOTE) {
		if (!note_valid(m->note, MAX_NOTE_CHARS))
			return ("note");
		(void)strlcpy(p->p_note, m->note, sizeof(p->p_note));
	}
	if (m->mask & SET_LOOK)
		p->p_look = m->look;
	if (m->mask & SET_LANG)
		p->p_lang = m->lang;
	if (m->mask & SET_STATUS)
		p->p_status = m->status;
	return (NULL);
}

enum result
me_set(struct request *rq, const void *arg)
{
	const struct m_me_set	*m = arg;
	struct person		 p;
	struct m_user		 mu;
	enum result		 r;

	if ((r = myself(rq, &p)) != R_OK)
		return (r);
	/* A guest's name is the one that he was let in with. */
	if (p.p_role == ROLE_GUEST && m->mask & SET_NAME)
		return (R_FORBIDDEN);
	if ((rq->rq_field = me_change(&p, m)) != NULL)
		return (R_INVALID);
	if (person_set_profile(rq->rq_db, &p) == -1)
		return (R_UNAVAILABLE);
	person_user(rq->rq_tn, &p, 1, &mu);
	rq_answer(rq, IMSG_USER, &mu);
	mu.email = "";
	rq_tell_sessions(rq, IMSG_PROFILE, &mu);
	return (R_OK);
}

/*
 * Floors.
 */

enum result
me_floors(struct request *rq, const void *arg)
{
	struct rights		*rt;
	const struct floor	*fl;
	struct m_floor_row	 row;
	size_t			 i;

	(void)arg;
	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	for (i = 0; i < rt->rt_nfloors; i++) {
		fl = &rt->rt_floors[i];
		if (!grant_may_enter(rq->rq_db, fl, rq->rq_gr))
			continue;
		row.floor = fl->fl_id;
		row.version = (uint32_t)fl->fl_edition;
		row.can = fl->fl_can;
		row.way = fl->fl_way;
		row.name = fl->fl_name;
		rq_answer(rq, IMSG_FLOOR_ROW, &row);
	}
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

enum result
my_floor(struct request *rq, uint32_t id, const struct floor **fl)
{
	struct rights	*rt;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	*fl = rights_floor(rt, id);
	if (*fl == NULL || !grant_may_enter(rq->rq_db, *fl, rq->rq_gr))
		return (R_NOTFOUND);
	return (R_OK);
}

enum result
me_floor(struct request *rq, const void *arg)
{
	const struct m_grant_id	*m = arg;
	const struct floor	*fl;
	struct seal_at		 at = { "floors", "map", m->id, 0, NULL, 0 };
	struct m_floor_doc	 doc = { 0 };
	sqlite3_stmt		*st;
	void			*map = NULL;
	enum result		 r;

	if ((r = my_floor(rq, m->id, &fl)) != R_OK)
		return (r);
	st = db_query(rq->rq_db, S_FLOOR_MAP, ARGS(NUM(m->id)));
	if (db_step(rq->rq_db, st) == 1) {
		at.sa_version = db_col_num(st, 0);
		map = db_open(rq->rq_db, &at, st, 1, &doc.map.mb_len);
	}
	db_done(st);
	if (map == NULL)
		return (R_UNAVAILABLE);
	doc.floor = fl->fl_id;
	doc.version = (uint32_t)at.sa_version;
	doc.name = fl->fl_name;
	doc.can = fl->fl_can;
	doc.way = fl->fl_way;
	doc.map.mb_data = map;
	place_get(rq, &doc);
	rq_answer(rq, IMSG_FLOOR_DOC, &doc);
	free(map);
	return (R_OK);
}

/* Doors are sessions' own; that the key was used is to be found later. */
enum result
adm_door_key(struct request *rq, const void *arg)
{
	static const char	*const did[DOOR_MAX] = {
		[DOOR_OPEN] = "open", [DOOR_CLOSED] = "close",
		[DOOR_LOCKED] = "lock"
	};
	const struct m_door_key	*m = arg;
	const struct floor	*fl;
	enum result		 r;

	if ((r = my_floor(rq, m->floor, &fl)) != R_OK)
		return (r);
	if (m->room == 0)
		return (R_INVALID);
	if (audit_add(rq->rq_db, "by user %u: %s room %u of floor %u from "
	    "outside", rq->rq_gr->gr_user, did[m->state], m->room,
	    m->floor) == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

/*
 * Messages.
 */

/* What is needed to write there; from both of those who write directly. */
static enum result
talk_right(struct request *rq, const struct m_say *m)
{
	const struct brief	*br;
	struct rights		*rt;
	enum result		 r;

	r = may(rq, m->kind == CHANNEL_USER ? RIGHT_DM : RIGHT_CHAT);
	if (r != R_OK || m->kind != CHANNEL_USER)
		return (r);
	if (person_brief(rq->rq_db, m->a, &br) != 1 ||
	    (rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	rq->rq_field = "to";
	return (rights_can(rt, br->br_role) & RIGHT_DM ? R_OK : R_FORBIDDEN);
}

/* A channel as it is stored: two people are a pair in one order. */
struct talk {
	uint8_t		 tl_kind;
	uint32_t	 tl_a, tl_b;
};

/* May one read (and, with writes, write) there?  Else it is not there. */
static enum result
talk_open(struct request *rq, uint8_t kind, uint32_t a, uint32_t b,
    int writes, struct talk *tl)
{
	const struct floor	*fl;
	const struct brief	*br;
	uint32_t		 me = rq->rq_gr->gr_user;
	enum result		 r;
	int			 n;

	tl->tl_kind = kind;
	tl->tl_a = a;
	tl->tl_b = kind == CHANNEL_ROOM ? b : 0;
	if (kind != CHANNEL_USER)
		return (my_floor(rq, a, &fl));
	if (a == me)
		return (R_NOTFOUND);
	if ((n = person_brief(rq->rq_db, a, &br)) == -1)
		return (R_UNAVAILABLE);
	if (n == 0 || br->br_state == USER_INVITED ||
	    (writes && br->br_state != USER_ACTIVE))
		return (R_NOTFOUND);
	if ((rq->rq_gr->gr_role == ROLE_GUEST ||
	    br->br_role == ROLE_GUEST) &&
	    (r = guest_talk(rq, a, br, b, writes)) != R_OK)
		return (r);
	tl->tl_a = a < me ? a : me;
	tl->tl_b = a < me ? me : a;
	return (R_OK);
}

static int
ref_valid(const char *s)
{
	size_t	 len = strlen(s);

	return (len > 0 && len <= MAX_REF && strspn(s, "abcdefghijklmnopqrstuv"
	    "wxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len);
}

/* What the page calls its message says something too: keep only a key. */
static int
ref_key(struct request *rq, const char *ref, uint8_t key[SEAL_INDEX])
{
	return (seal_index(rq->rq_db->db_seal, "ref", ref, strlen(ref), key));
}

#define MESSAGE_BIND	(8 * 5)

static void
message_bind(uint8_t bind[MESSAGE_BIND], const struct talk *tl, uint64_t at,
    uint32_t sender)
{
	const uint64_t	 n[] = { tl->tl_kind, tl->tl_a, tl->tl_b, at, sender };
	size_t		 i;
	int		 j;

	for (i = 0; i < sizeof(n) / sizeof(n[0]); i++)
		for (j = 0; j < 8; j++)
			*bind++ = (uint8_t)(n[i] >> (56 - 8 * j));
}

char *
message_open(struct db *db, sqlite3_stmt *st, const char **text)
{
	uint8_t		 bind[MESSAGE_BIND];
	struct seal_at	 at = { "messages", "text", 0, 0, bind,
			    sizeof(bind) };
	struct talk	 tl = { .tl_kind = (uint8_t)db_col_num(st, 2),
			    .tl_a = (uint32_t)db_col_num(st, 3),
			    .tl_b = (uint32_t)db_col_num(st, 4) };
	char		*both;
	size_t		 len;

	at.sa_row = db_col_num(st, 0);
	message_bind(bind, &tl, db_col_num(st, 1),
	    (uint32_t)db_col_num(st, 5));
	if ((both = db_open(db, &at, st, 6, &len)) == NULL)
		return (NULL);
	*text = memchr(both, '\0', len);
	if (*text != NULL && utf8_valid(both, strlen(both)) &&
	    utf8_valid(*text + 1, (size_t)(both + len - *text - 1))) {
		(*text)++;
		return (both);
	}
	freezero(both, len + 1);
	return (NULL);
}

/* Name and text of a message, sealed to its channel, time and sender. */
static void *
message_seal(struct db *db, const struct talk *tl, uint64_t id, uint64_t when,
    uint32_t sender, const char *name, const char *text, size_t *len)
{
	uint8_t			 bind[MESSAGE_BIND];
	const struct seal_at	 at = { "messages", "text", id, 0, bind,
				    sizeof(bind) };
	size_t			 nlen = strlen(name) + 1, tlen = strlen(text);
	char			*both;
	void			*rec;

	message_bind(bind, tl, when, sender);
	if ((both = malloc(nlen + tlen)) == NULL)
		return (NULL);
	memcpy(both, name, nlen);
	memcpy(both + nlen, text, tlen);
	rec = db_seal(db, &at, both, nlen + tlen, len);
	freezero(both, nlen + tlen);
	return (rec);
}

/* The same sender and ref again: the answer is the one of then. */
static int
said_before(struct request *rq, const uint8_t *key, struct m_said *said)
{
	sqlite3_stmt	*st;
	int		 n;

	st = db_query(rq->rq_db, S_SAID, ARGS(NUM(rq->rq_gr->gr_user),
	    BIN(key, REF_KEY)));
	if ((n = db_step(rq->rq_db, st)) == 1) {
		said->id = db_col_num(st, 0);
		said->at = db_col_num(st, 1);
		said->again = 1;
	}
	db_done(st);
	return (n);
}

/* 1 done, 0: what he calls it he has said before, or -1. */
static int
message_add(struct request *rq, const struct talk *tl, const uint8_t *key,
    const char *name, const char *text, struct m_said *said)
{
	struct db	*db = rq->rq_db;
	void		*rec;
	size_t		 len;
	int		 n;

	if (db->db_message == 0 && (db_next_id(db, "messages",
	    &db->db_message) == -1 || db->db_message-- == 0))
		return (-1);
	said->id = db->db_message + 1;
	said->at = now_ms();
	said->again = 0;
	if ((rec = message_seal(db, tl, said->id, said->at,
	    rq->rq_gr->gr_user, name, text, &len)) == NULL)
		return (-1);
	n = db_exec(db, S_SAY, ARGS(NUM(said->id), NUM(said->at),
	    NUM(tl->tl_kind), NUM(tl->tl_a), NUM(tl->tl_b),
	    NUM(rq->rq_gr->gr_user), BIN(key, REF_KEY), BIN(rec, len)));
	free(rec);
	if (n == 0)
		return (0);
	if (n == 1 && tl->tl_kind == CHANNEL_USER)
		n = db_exec(db, S_DM_PUT, ARGS(NUM(tl->tl_a), NUM(tl->tl_b),
		    NUM(said->id)));
	if (n != 1)
		return (-1);
	db->db_message++;
	storage_messages++;
	return (1);
}

/*
 * To all workers, when it is durable: none of them has to believe another one
 * who has said what.  To all, for after a restart of storage those that have
 * readers do not have their grants back yet.
 */
static void
tell_message(struct request *rq, const struct m_say *m, const char *name,
    const struct m_said *said)
{
	struct m_bus_msg	 msg = { 0 };

	msg.tenant = rq->rq_gr->gr_tenant;
	msg.kind = m->kind;
	msg.a = m->a;
	msg.b = m->b;
	msg.from = rq->rq_gr->gr_user;
	msg.id = said->id;
	msg.at = said->at;
	msg.guest = rq->rq_gr->gr_role == ROLE_GUEST;
	msg.name = name;
	msg.text = m->text;
	rq_tell_sessions(rq, IMSG_BUS_MSG, &msg);
}

enum result
me_say(struct request *rq, const void *arg)
{
	const struct m_say	*m = arg;
	const struct brief	*br;
	struct talk		 tl;
	struct m_said		 said;
	uint8_t			 key[SEAL_INDEX];
	ssize_t			 chars;
	enum result		 r;
	int			 n;

	chars = utf8_length(m->text, strlen(m->text));
	rq->rq_field = !ref_valid(m->ref) ? "ref" : "text";
	if (!ref_valid(m->ref) || chars < 1 || chars > MAX_TEXT_CHARS)
		return (R_INVALID);
	rq->rq_field = NULL;
	if ((r = talk_open(rq, m->kind, m->a, m->b, 1, &tl)) != R_OK ||
	    (r = talk_right(rq, m)) != R_OK)
		return (r);
	rq->rq_field = NULL;
	if ((n = person_brief(rq->rq_db, rq->rq_gr->gr_user, &br)) != 1)
		return (n == 0 ? R_SESSION : R_UNAVAILABLE);
	if (ref_key(rq, m->ref, key) == -1)
		return (R_UNAVAILABLE);
	n = message_add(rq, &tl, key, br->br_name, m->text, &said);
	if (n == -1 || (n == 0 && said_before(rq, key, &said) != 1))
		return (R_UNAVAILABLE);
	rq_answer(rq, IMSG_SAID, &said);
	if (!said.again)
		tell_message(rq, m, br->br_name, &said);
	return (R_OK);
}

/* A message that was read, until it is sent in the other order. */
struct line {
	struct m_message ln_m;
	char		*ln_text;	/* name, NUL, text */
	size_t		 ln_len;
};

static int
line_read(struct db *db, sqlite3_stmt *st, const struct talk *tl,
    struct line *ln)
{
	uint8_t		 bind[MESSAGE_BIND];
	struct seal_at	 at = { "messages", "text", 0, 0, bind,
			    sizeof(bind) };
	const char	*text;

	ln->ln_m.id = at.sa_row = db_col_num(st, 0);
	ln->ln_m.at = db_col_num(st, 1);
	ln->ln_m.from = (uint32_t)db_col_num(st, 2);
	message_bind(bind, tl, ln->ln_m.at, ln->ln_m.from);
	ln->ln_text = db_open(db, &at, st, 3, &ln->ln_len);
	if (ln->ln_text == NULL)
		return (-1);
	if ((text = memchr(ln->ln_text, '\0', ln->ln_len)) == NULL) {
		freezero(ln->ln_text, ln->ln_len + 1);
		return (-1);
	}
	ln->ln_m.name = ln->ln_text;
	ln->ln_m.text = text + 1;
	return (0);
}

int
message_whole(struct db *db, sqlite3_stmt *st)
{
	struct talk	 tl = { 0 };
	struct line	 ln;

	tl.tl_kind = (uint8_t)db_col_num(st, 4);
	tl.tl_a = (uint32_t)db_col_num(st, 5);
	tl.tl_b = (uint32_t)db_col_num(st, 6);
	if (db_col_num(st, 7) != 2 || line_read(db, st, &tl, &ln) == -1)
		return (0);
	freezero(ln.ln_text, ln.ln_len + 1);
	return (1);
}

void *
talk_unname(struct db *db, sqlite3_stmt *st, uint32_t sender, size_t *len)
{
	struct talk	 tl = { (uint8_t)db_col_num(st, 2),
			    (uint32_t)db_col_num(st, 3),
			    (uint32_t)db_col_num(st, 4) };
	uint64_t	 id = db_col_num(st, 0), at = db_col_num(st, 1);
	uint8_t		 bind[MESSAGE_BIND];
	struct seal_at	 sa = { "messages", "text", id, 0, bind,
			    sizeof(bind) };
	const char	*words;
	char		*text;
	void		*rec = NULL;
	size_t		 n;

	message_bind(bind, &tl, at, sender);
	if ((text = db_open(db, &sa, st, 5, &n)) == NULL)
		return (NULL);
	if ((words = memchr(text, '\0', n)) != NULL)
		rec = message_seal(db, &tl, id, at, sender, "", words + 1,
		    len);
	freezero(text, n + 1);
	return (rec);
}

/* Of a user who is gone: was he a guest, and has his name gone, too? */
static void
gone_read(struct db *db, uint32_t user, struct person *p, int *unnamed)
{
	uint64_t	 n = 0;

	p->p_id = 0;
	p->p_role = visit_was(db, user) == 1 ? ROLE_GUEST : ROLE_MEMBER;
	*unnamed = db_number(db, S_ERASURE_NAMES, ARGS(NUM(user)), &n) == -1 ||
	    n != 0;
}

/* Oldest first; people go by the name that they have now, if they are here. */
static void
lines_send(struct request *rq, struct line *ln, size_t n)
{
	struct person	 p = { 0 };
	uint32_t	 known = 0;
	int		 unnamed = 0;

	while (n-- > 0) {
		if (ln[n].ln_m.from != known) {
			known = ln[n].ln_m.from;
			unnamed = 0;
			if (person_get(rq->rq_db, known, &p) != 1)
				gone_read(rq->rq_db, known, &p, &unnamed);
		}
		if (p.p_id == known)
			ln[n].ln_m.name = p.p_name;
		else if (unnamed)
			ln[n].ln_m.name = "";
		ln[n].ln_m.guest = p.p_role == ROLE_GUEST;
		rq_answer(rq, IMSG_MESSAGE, &ln[n].ln_m);
		freezero(ln[n].ln_text, ln[n].ln_len + 1);
	}
	explicit_bzero(&p, sizeof(p));
}

enum result
me_history(struct request *rq, const void *arg)
{
	const struct m_history	*m = arg;
	struct line		 lines[HISTORY_MAX];
	struct talk		 tl;
	sqlite3_stmt		*st;
	uint64_t		 before = m->before, limit = m->limit;
	size_t			 n = 0, seen = 0;
	enum result		 r;
	int			 ret;

	if ((r = talk_open(rq, m->kind, m->a, m->b, 0, &tl)) != R_OK)
		return (r);
	if (limit == 0 || limit > HISTORY_MAX)
		limit = HISTORY_MAX;
	if (before == 0 || before > INT64_MAX)
		before = INT64_MAX;
	/* One more than asked for tells whether there are more. */
	st = db_query(rq->rq_db, S_HISTORY, ARGS(NUM(tl.tl_kind),
	    NUM(tl.tl_a), NUM(tl.tl_b), NUM(before), NUM(limit + 1),
	    NUM(rq->rq_gr->gr_since)));
	while ((ret = db_step(rq->rq_db, st)) == 1 && ++seen <= limit)
		if (line_read(rq->rq_db, st, &tl, &lines[n]) == 0)
			n++;
	db_done(st);
	lines_send(rq, lines, n);
	if (ret == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, seen > limit, NULL);
	return (R_OK);
}

enum result
me_read(struct request *rq, const void *arg)
{
	const struct m_read	*m = arg;
	struct talk		 tl;
	uint64_t		 last, id = m->id;
	enum result		 r;

	if ((r = talk_open(rq, m->kind, m->a, m->b, 0, &tl)) != R_OK)
		return (r);
	/* What is not written yet cannot be read. */
	if (db_number(rq->rq_db, S_LAST, ARGS(NUM(tl.tl_kind), NUM(tl.tl_a),
	    NUM(tl.tl_b)), &last) == -1)
		return (R_UNAVAILABLE);
	if (id > last)
		id = last;
	/* What is not counted, or has nothing in it, takes no row. */
	if (m->kind != CHANNEL_ROOM && id != 0 && db_exec(rq->rq_db,
	    S_READ_PUT, ARGS(NUM(rq->rq_gr->gr_user), NUM(tl.tl_kind),
	    NUM(tl.tl_a), NUM(tl.tl_b), NUM(id))) == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

enum result
me_erase(struct request *rq, const void *arg)
{
	const struct m_read	*m = arg;
	const struct grant	*gr = rq->rq_gr;
	struct m_bus_erased	 told = { gr->gr_tenant, m->kind, m->a, m->b,
				    gr->gr_user, m->id };
	struct talk		 tl;
	uint64_t		 sender;
	enum result		 r;

	if ((r = talk_open(rq, m->kind, m->a, m->b, 0, &tl)) != R_OK)
		return (r);
	if (db_number(rq->rq_db, S_TALK_OF, ARGS(NUM(m->id),
	    NUM(tl.tl_kind), NUM(tl.tl_a), NUM(tl.tl_b)), &sender) == -1)
		return (R_UNAVAILABLE);
	if (sender == 0)
		return (R_NOTFOUND);
	/* What two have written to each other is no administrator's. */
	if (sender != gr->gr_user && (gr->gr_role != ROLE_ADMIN ||
	    m->kind == CHANNEL_USER))
		return (R_FORBIDDEN);
	if ((r = hold_message(rq, m->id)) != R_OK)
		return (r);
	if (db_exec(rq->rq_db, S_TALK_DEL, ARGS(NUM(m->id))) != 1 ||
	    (sender != gr->gr_user && audit_add(rq->rq_db,
	    "by user %u: erase message %llu of user %llu", gr->gr_user,
	    (unsigned long long)m->id, (unsigned long long)sender) == -1))
		return (R_UNAVAILABLE);
	rq->rq_db->db_erased = 1;
	rq_result(rq, R_OK, 0, NULL);
	rq_tell_sessions(rq, IMSG_BUS_ERASED, &told);
	return (R_OK);
}

/* Count a channel; other is whom the page knows it by, for two people. */
static int
unread_send(struct request *rq, const struct talk *tl, uint32_t a)
{
	struct m_unread_row	 row = { .kind = tl->tl_kind, .a = a };
	uint64_t		 last, until, count;
	uint32_t		 me = rq->rq_gr->gr_user;

	if (db_number(rq->rq_db, S_LAST, ARGS(NUM(tl->tl_kind),
	    NUM(tl->tl_a), NUM(tl->tl_b)), &last) == -1 ||
	    db_number(rq->rq_db, S_READ_GET, ARGS(NUM(me),
	    NUM(tl->tl_kind), NUM(tl->tl_a), NUM(tl->tl_b)), &until) == -1)
		return (-1);
	if (last <= rq->rq_gr->gr_since)
		return (0);
	if (until < rq->rq_gr->gr_since)
		until = rq->rq_gr->gr_since;
	if (db_number(rq->rq_db, S_UNREAD, ARGS(NUM(tl->tl_kind),
	    NUM(tl->tl_a), NUM(tl->tl_b), NUM(until), NUM(me),
	    NUM(UNREAD_MAX)), &count) == -1)
		return (-1);
	row.count = (uint32_t)count;
	row.last = last;
	rq_answer(rq, IMSG_UNREAD_ROW, &row);
	return (0);
}

static int
unread_floors(struct request *rq)
{
	struct rights	*rt;
	struct talk	 tl = { .tl_kind = CHANNEL_FLOOR };
	size_t		 i;

	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (-1);
	for (i = 0; i < rt->rt_nfloors; i++) {
		if (!grant_may_enter(rq->rq_db, &rt->rt_floors[i], rq->rq_gr))
			continue;
		tl.tl_a = rt->rt_floors[i].fl_id;
		if (unread_send(rq, &tl, tl.tl_a) == -1)
			return (-1);
	}
	return (0);
}

enum result
me_unread(struct request *rq, const void *arg)
{
	struct talk	 tl = { .tl_kind = CHANNEL_USER };
	sqlite3_stmt	*st;
	uint32_t	 me = rq->rq_gr->gr_user;
	int		 n;

	(void)arg;
	if (unread_floors(rq) == -1)
		return (R_UNAVAILABLE);
	st = db_query(rq->rq_db, S_DMS, ARGS(NUM(me), NUM(DMS_MAX)));
	while ((n = db_step(rq->rq_db, st)) == 1) {
		tl.tl_a = (uint32_t)db_col_num(st, 0);
		tl.tl_b = (uint32_t)db_col_num(st, 1);
		if (unread_send(rq, &tl, tl.tl_a == me ? tl.tl_b :
		    tl.tl_a) == -1) {
			n = -1;
			break;
		}
	}
	db_done(st);
	if (n == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

/*
 * People.
 */

/* Guests are none of those that one can look for. */
static int
findable(const struct grant *gr, const struct person *p)
{
	return (p->p_id != gr->gr_user && p->p_state == USER_ACTIVE &&
	    p->p_role != ROLE_GUEST);
}

static int
stream_people(struct stream *sm, struct peer *pe)
{
	struct tenant	*tn = tenant_by_id(sm->st_tenant);
	struct grant	*gr = grant_find(sm->st_grant, sm->st_inst, 0);
	struct db	*db;
	struct person	 p;
	struct m_person	 m;
	sqlite3_stmt	*st;
	int		 n, rows = 0;

	if (tn == NULL || gr == NULL || (db = tenant_enter(tn)) == NULL) {
		(void)proc_result(pe, sm->st_id, R_UNAVAILABLE, 0, "");
		return (0);
	}
	(void)db_commit(db);		/* nothing that may yet be undone */
	st = db_query(db, S_USERS, ARGS(NUM(sm->st_after), NUM(STREAM_ROWS)));
	while ((n = db_step(db, st)) == 1) {
		rows++;
		sm->st_after = db_col_num(st, 0);
		if (person_read(db, st, &p) == -1 || !findable(gr, &p))
			continue;
		m = (struct m_person){ p.p_id, p.p_look, p.p_name };
		(void)proc_send(pe, IMSG_PERSON, sm->st_id, -1, &m);
	}
	db_done(st);
	tenant_leave(tn, db);
	if (n == 0 && rows == STREAM_ROWS)
		return (1);
	(void)proc_result(pe, sm->st_id, n == -1 ? R_UNAVAILABLE : R_OK, 0,
	    "");
	return (0);
}

/* Those who are asked for by number, and whom the stream would name too. */
static enum result
some_people(struct request *rq, const struct m_blob *users)
{
	const uint8_t	*ids = users->mb_data;
	struct person	 p;
	struct m_person	 m;
	uint32_t	 id;
	size_t		 i;
	int		 n;

	for (i = 0; i + sizeof(id) <= users->mb_len; i += sizeof(id)) {
		memcpy(&id, ids + i, sizeof(id));
		id = be32toh(id);
		if ((n = person_get(rq->rq_db, id, &p)) == -1)
			return (R_UNAVAILABLE);
		if (n == 0 || !findable(rq->rq_gr, &p))
			continue;
		m = (struct m_person){ p.p_id, p.p_look, p.p_name };
		rq_answer(rq, IMSG_PERSON, &m);
	}
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

enum result
me_people(struct request *rq, const void *arg)
{
	const struct m_people	*m = arg;

	if (m->users.mb_len > 0)
		return (some_people(rq, &m->users));
	return (rq_stream(rq, stream_people, NULL, NULL) == -1 ?
	    R_UNAVAILABLE : R_OK);
}
