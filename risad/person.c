#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "call.h"
#include "log.h"
#include "person.h"
#include "talk.h"
#include "tick.h"
#include "util.h"

#define CLOSE_ELSEWHERE	4002
#define TEXT_MAX	(32 * 1024 * 1024)
#define SAVE_MS		5000	/* between two saves of places */
#define REST_MS		250	/* until that of who stands is saved */
#define AGAIN_MS	250	/* until storage is asked again for floors */
#define PRESENCE_LEN	192		/* of one person, more or less */

/* Whose place is to be kept with the next ones. */
static struct avatar_list unsaved = TAILQ_HEAD_INITIALIZER(unsaved);
static struct event	 save_timer;
static int		 save_soon;
static struct event	 again_timer;

struct chunk *
frame_text(const void *text, size_t len)
{
	uint8_t		 head[WS_SENDHEAD];
	struct chunk	*ck;
	size_t		 n;

	n = ws_frame_head(head, WS_OP_TEXT, len);
	if ((ck = chunk_new(n + len)) == NULL)
		return (NULL);
	memcpy(ck->ck_data, head, n);
	memcpy(ck->ck_data + n, text, len);
	return (ck);
}

/* Takes the object.  NULL without memory: then nobody hears of it. */
struct chunk *
frame_json(json_t *o)
{
	struct chunk	*ck = NULL;
	char		*text;

	if (o == NULL || (text = json_dumps(o, JSON_COMPACT)) == NULL) {
		log_warnx("frame: out of memory");
		json_decref(o);
		return (NULL);
	}
	ck = frame_text(text, strlen(text));
	free(text);
	json_decref(o);
	return (ck);
}

void
text_open(struct text *tx, size_t guess)
{
	tx->tx_buf = ibuf_dynamic(guess, TEXT_MAX);
	tx->tx_bad = tx->tx_buf == NULL;
}

void
text_add(struct text *tx, const char *s)
{
	if (!tx->tx_bad && ibuf_add(tx->tx_buf, s, strlen(s)) == -1)
		tx->tx_bad = 1;
}

void
text_rest(struct text *tx, json_t *o)
{
	char	*text = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);

	if (text == NULL)
		tx->tx_bad = 1;
	else
		text_add(tx, text + 1);
	free(text);
	json_decref(o);
}

/* What is made of it; the text is gone. */
static struct chunk *
text_end(struct text *tx, struct chunk *(*make)(const void *, size_t))
{
	struct chunk	*ck = NULL;

	if (tx->tx_bad)
		log_warnx("frame: out of memory");
	else
		ck = make(ibuf_data(tx->tx_buf), ibuf_size(tx->tx_buf));
	ibuf_free(tx->tx_buf);
	tx->tx_buf = NULL;
	return (ck);
}

struct chunk *
text_frame(struct text *tx)
{
	return (text_end(tx, frame_text));
}

struct chunk *
text_frames(struct text *tx)
{
	return (text_end(tx, chunk_from));
}

void
person_queue(struct person *pn, struct chunk *ck)
{
	/* RFC 6455, 5.5.1: after a close frame, none. */
	if (ck == NULL || pn->pn_conn->cn_state != CONN_WS)
		return;
	session_stats.ss_frames_out++;
	conn_queue(pn->pn_conn, ck);
}

void
person_send(struct person *pn, json_t *o)
{
	struct chunk	*ck = frame_json(o);

	person_queue(pn, ck);
	chunk_free(ck);
}

static int
floor_among(const uint32_t *floors, unsigned int n, uint32_t floor)
{
	unsigned int	 i;

	for (i = 0; i < n; i++)
		if (floors[i] == floor)
			return (1);
	return (0);
}

int
person_sees(const struct person *pn, uint32_t floor)
{
	return (floor_among(pn->pn_floors, pn->pn_nfloors, floor));
}

void
person_error(struct person *pn, const char *code, const char *ref,
    const char *field)
{
	static const struct { const char *code, *detail; } details[] = {
	    { "json", "No JSON object that is accepted." },
	    { "type", "There is no such message." },
	    { "field", "A value is missing or wrong." },
	    { "empty", "There is nothing in it." },
	    { "too-long", "At most 4,000 characters." },
	    { "too-many", "Too fast. Wait a moment." },
	    { "not-here", "Enter a floor first." },
	    { "no-floor", "There is no such floor." },
	    { "no-room", "One must be in the room." },
	    { "no-message", "There is no such message." },
	    { "no-user", "There is no such person." },
	    { "door", "Somebody has to let you in first." },
	    { "no-call", "Nobody waits for that any more." },
	    { "dnd", "They do not want to be disturbed now." },
	    { "locked", "The room is locked." },
	    { "no-guest", "Nobody of this number waits at the door." },
	    { "forbidden", "Your role, or the other's, does not allow this." },
	    { "no-right", "That is not yours to do, or not from here." },
	    { "held", "A legal hold forbids it." },
	    { "full", "The floor is full." },
	    { "unavailable", "Not now. Try again in a moment." },
	};
	const char	*detail = "";
	json_t		*o;
	size_t		 i;

	for (i = 0; i < sizeof(details) / sizeof(details[0]); i++)
		if (strcmp(details[i].code, code) == 0)
			detail = details[i].detail;
	o = json_pack("{ss ss ss}", "t", "error", "code", code, "detail",
	    detail);
	if (ref != NULL && *ref != '\0')
		(void)json_object_set_new(o, "ref", json_string(ref));
	if (field != NULL)
		(void)json_object_set_new(o, "field", json_string(field));
	person_send(pn, o);
}

/* The words for a refusal by storage. */
void
person_refusal(struct person *pn, const struct m_result *m, const char *ref,
    const char *missing)
{
	if (m->code == R_NOTFOUND)
		person_error(pn, missing, ref, NULL);
	else if (m->code == R_HELD)
		person_error(pn, "held", ref, NULL);
	else if (m->code == R_INVALID)
		person_error(pn, "field", ref, m->field);
	else if (m->code == R_FORBIDDEN)
		person_error(pn, "forbidden", ref, m->field[0] == '\0' ?
		    NULL : m->field);
	else
		person_error(pn, "unavailable", ref, NULL);
}

int
bucket_take(struct bucket *bu, unsigned int rate, unsigned int burst)
{
	uint64_t	 now = mono_ms();

	if (bu->bu_at == 0)
		bu->bu_level = burst * 1000;
	else
		bu->bu_level += (now - bu->bu_at) * rate;
	bu->bu_at = now;
	if (bu->bu_level > burst * 1000)
		bu->bu_level = burst * 1000;
	if (bu->bu_level < 1000)
		return (-1);
	bu->bu_level -= 1000;
	return (0);
}

struct job *
job_new(struct person *pn, const char *ref)
{
	struct job	*jo;

	if ((jo = calloc(1, sizeof(*jo))) == NULL) {
		person_error(pn, "unavailable", ref, NULL);
		return (NULL);
	}
	jo->jo_person = pn;
	if (ref != NULL)
		(void)strlcpy(jo->jo_ref, ref, sizeof(jo->jo_ref));
	TAILQ_INSERT_TAIL(&pn->pn_jobs, jo, jo_entry);
	return (jo);
}

void
job_free(struct job *jo)
{
	if (jo->jo_person != NULL)
		TAILQ_REMOVE(&jo->jo_person->pn_jobs, jo, jo_entry);
	json_decref(jo->jo_list);
	free(jo);
}

int
job_ask(struct job *jo, enum imsg_type type, const void *m,
    int (*fn)(struct conn *, uint32_t, const void *, void *))
{
	if (jo->jo_person->pn_conn->cn_login->lg_grant != 0 &&
	    ask_send(NULL, PROC_STORAGE, type, m, fn, jo) == 0)
		return (0);
	person_error(jo->jo_person, "unavailable", jo->jo_ref, NULL);
	job_free(jo);
	return (-1);
}

int
person_may(const struct person *pn, uint8_t right)
{
	return (login_may(pn->pn_conn->cn_login, right));
}

uint64_t
person_grant(const struct person *pn)
{
	return (pn->pn_conn->cn_login->lg_grant);
}

static void
save_one(struct avatar *av, uint64_t now)
{
	struct m_place_set	 m;
	int			 x, y;

	office_unsave(av);
	avatar_at(av, now, &x, &y);
	m.grant = person_grant(av->av_person);
	m.floor = av->av_floor->fl_id;
	m.x = (uint16_t)x;
	m.y = (uint16_t)y;
	if (m.grant != 0)
		(void)proc_send(proc_peer(PROC_STORAGE, 0), IMSG_PLACE_SET, 0,
		    -1, &m);
}

void
person_leave(struct person *pn, uint32_t to)
{
	struct avatar	*av = pn->pn_avatar;
	struct floor	*fl;
	uint64_t	 now = mono_ms();

	if (av == NULL)
		return;
	fl = av->av_floor;
	call_left(pn, to == 0);
	avatar_stop(av, now);
	save_one(av, now);
	pn->pn_avatar = NULL;
	if (to == 0 || to == fl->fl_id)
		room_keep(av);
	office_left(av, to);
	bus_left(av, to);
	access_floor(pn->pn_conn->cn_login, ACCESS_LEAVE, fl->fl_id);
	avatar_free(av);
	floor_release(fl);
}

void
office_unsave(struct avatar *av)
{
	if (!av->av_unsaved)
		return;
	TAILQ_REMOVE(&unsaved, av, av_save_entry);
	av->av_unsaved = 0;
}

static void
save_all(int fd, short what, void *arg)
{
	struct avatar	*av;
	uint64_t	 now = mono_ms();

	(void)fd;
	(void)what;
	(void)arg;
	save_soon = 0;
	while ((av = TAILQ_FIRST(&unsaved)) != NULL)
		save_one(av, now);
}

/*
 * Not for every step: on the way a place is worth a save now and then, where
 * one stops it is worth one soon, and they go together, for each wakes storage.
 */
void
office_save(struct avatar *av)
{
	struct timeval	 tv = { SAVE_MS / 1000, 0 };

	if (av->av_person == NULL)
		return;
	if (!av->av_moving && !save_soon) {
		save_soon = 1;
		tv.tv_sec = 0;
		tv.tv_usec = REST_MS * 1000;
		(void)evtimer_add(&save_timer, &tv);
	} else if (TAILQ_EMPTY(&unsaved))
		(void)evtimer_add(&save_timer, &tv);
	if (av->av_unsaved)
		return;
	TAILQ_INSERT_TAIL(&unsaved, av, av_save_entry);
	av->av_unsaved = 1;
}

static void
floors_again(struct office *of, void *arg)
{
	struct person	*pn;

	(void)arg;
	TAILQ_FOREACH(pn, &of->of_persons, pn_entry)
		if (pn->pn_again)
			person_floors(pn);
}

static void
again_event(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	office_each(floors_again, NULL);
}

/* Without an answer nobody knows what was taken away: it is asked again. */
static void
floors_late(void)
{
	struct timeval	 tv = { 0, AGAIN_MS * 1000 };

	if (!evtimer_pending(&again_timer, NULL))
		(void)evtimer_add(&again_timer, &tv);
}

void
office_start(void)
{
	evtimer_set(&save_timer, save_all, NULL);
	evtimer_set(&again_timer, again_event, NULL);
	call_start();
	bus_start();
}

void
person_bye(struct person *pn, const char *reason, uint16_t code)
{
	person_send(pn, json_pack("{ss ss}", "t", "bye", "reason", reason));
	office_close(pn->pn_conn, code);
}

void
office_close(struct conn *cn, uint16_t code)
{
	uint8_t		 buf[WS_SENDHEAD + WS_MAXCONTROL];
	uint8_t		 payload[WS_MAXCONTROL];
	struct chunk	*ck;
	size_t		 n, len;

	if (cn->cn_state != CONN_WS)
		return;
	len = ws_close_payload(payload, code, NULL);
	n = ws_frame_head(buf, WS_OP_CLOSE, len);
	memcpy(buf + n, payload, len);
	if ((ck = chunk_from(buf, n + len)) != NULL) {
		conn_queue(cn, ck);
		chunk_free(ck);
	}
	conn_drain(cn);
	/* At once, so that nobody sees a ghost until the socket is gone. */
	office_closed(cn);
	login_use(cn, NULL);
}

void
office_closed(struct conn *cn)
{
	struct person	*pn = cn->cn_person;
	struct job	*jo;

	if (pn == NULL)
		return;
	person_leave(pn, 0);
	call_left(pn, 1);
	while ((jo = TAILQ_FIRST(&pn->pn_jobs)) != NULL) {
		TAILQ_REMOVE(&pn->pn_jobs, jo, jo_entry);
		jo->jo_person = NULL;	/* its answer may be for others too */
		if (jo->jo_waits)
			job_free(jo);
	}
	TAILQ_REMOVE(&pn->pn_office->of_persons, pn, pn_entry);
	pn->pn_office->of_npersons--;
	session_stats.ss_persons--;
	json_decref(pn->pn_unread);
	office_asked(pn);
	free(pn->pn_floors);
	free(pn->pn_next);
	free(pn);
	cn->cn_person = NULL;
}

static json_t *
json_floors(const struct person *pn)
{
	json_t		*list = json_array();
	unsigned int	 i;

	for (i = 0; i < pn->pn_nfloors; i++)
		(void)json_array_append_new(list, json_pack("{sI ss}", "id",
		    (json_int_t)pn->pn_floors[i], "name",
		    floor_name(pn->pn_office, pn->pn_floors[i])));
	return (list);
}

static void
person_hello(struct person *pn)
{
	const struct login	*lg = pn->pn_conn->cn_login;
	struct tenant		*tn = site_tenant(lg->lg_tenant);
	struct avatar		*av;
	struct chunk		*ck;
	struct text		 tx;
	const char		*comma = "";

	text_open(&tx, 1024 + pn->pn_office->of_npeople * PRESENCE_LEN);
	text_add(&tx, "{\"people\":[");
	RB_FOREACH(av, avatar_tree, &pn->pn_office->of_avatars) {
		if (!person_sees(pn, av->av_floor->fl_id))
			continue;
		text_add(&tx, comma);
		office_presence(&tx, av);
		comma = ",";
	}
	text_add(&tx, "],");
	text_rest(&tx, json_pack("{ss sI sI so so s{ss ss} so so sI}",
	    "t", "hello", "time", (json_int_t)(uint32_t)mono_ms(), "now",
	    (json_int_t)now_ms(), "user", json_user(lg), "can",
	    json_can(lg->lg_can), "tenant", "name",
	    tn == NULL ? "" : tn->tn_name, "title",
	    tn == NULL ? "" : tn->tn_title, "floors", json_floors(pn),
	    "unread", pn->pn_unread, "last",
	    (json_int_t)lg->lg_last_floor));
	pn->pn_unread = NULL;
	pn->pn_hello = 1;
	ck = text_frame(&tx);
	person_queue(pn, ck);
	chunk_free(ck);
}

static int
unread_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct job			*jo = arg;
	struct person			*pn = jo->jo_person;
	const struct m_unread_row	*mu = m;
	char				 name[40];

	(void)cn;
	if (type == IMSG_UNREAD_ROW) {
		channel_name(name, sizeof(name), mu->kind, mu->a, mu->b);
		(void)json_array_append_new(jo->jo_list, json_pack(
		    "{ss sI sI}", "channel", name, "count",
		    (json_int_t)mu->count, "last", (json_int_t)mu->last));
		return (0);
	}
	if (pn != NULL && !pn->pn_hello) {
		pn->pn_unread = jo->jo_list;
		jo->jo_list = NULL;
		person_hello(pn);
	}
	job_free(jo);
	return (1);
}

/* Counts of what was written meanwhile, then the greeting. */
static void
person_unread(struct person *pn)
{
	struct m_grant_only	 m = { person_grant(pn) };
	struct job		*jo;

	if ((jo = job_new(pn, NULL)) == NULL)
		return;
	jo->jo_list = json_array();
	job_ask(jo, IMSG_UNREAD, &m, unread_answer);
}

/*
 * The floors have been told anew: who is on those that one may see since now,
 * or may not any more, and is one still where one may be?
 */
static void
person_rights(struct person *pn, const uint32_t *was, unsigned int nwas)
{
	struct avatar	*av;
	struct chunk	*ck;
	struct text	 tx;
	uint32_t	 floor;
	int		 sees;

	person_send(pn, json_pack("{ss so}", "t", "floors", "floors",
	    json_floors(pn)));
	/* In one piece: of many, he would seem to read too slowly. */
	text_open(&tx, 1024);
	RB_FOREACH(av, avatar_tree, &pn->pn_office->of_avatars) {
		floor = av->av_floor->fl_id;
		sees = person_sees(pn, floor);
		if (sees != floor_among(was, nwas, floor))
			office_show(&tx, av, sees);
	}
	ck = text_frames(&tx);
	person_queue(pn, ck);
	chunk_free(ck);
	av = pn->pn_avatar;
	if (av != NULL && !person_sees(pn, av->av_floor->fl_id)) {
		person_send(pn, json_pack("{ss sI}", "t", "evict", "floor",
		    (json_int_t)av->av_floor->fl_id));
		person_leave(pn, 0);
	}
}

static int
floors_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct job			*jo = arg;
	struct person			*pn = jo->jo_person;
	const struct m_floor_row	*mf = m;
	struct floor			*fl;
	uint32_t			*ids;
	unsigned int			 n;

	(void)cn;
	if (pn == NULL) {
		if (type == IMSG_RESULT)
			job_free(jo);
		return (type == IMSG_RESULT);
	}
	if (type == IMSG_FLOOR_ROW) {
		if (pn->pn_nnext == MAX_FLOORS || (ids = recallocarray(
		    pn->pn_next, pn->pn_nnext, pn->pn_nnext + 1,
		    sizeof(*ids))) == NULL)
			return (0);
		ids[pn->pn_nnext++] = mf->floor;
		pn->pn_next = ids;
		if ((fl = floor_find(pn->pn_office, mf->floor)) != NULL)
			floor_talk_told(fl, mf->can, mf->way);
		floor_named(pn->pn_office, mf->floor, mf->name);
		return (0);
	}
	job_free(jo);
	pn->pn_asking = 0;
	if (((const struct m_result *)m)->code != R_OK) {
		pn->pn_again = 1;
		floors_late();
		return (1);
	}
	/* Who has gone from what one may not see any more is told before. */
	office_news(pn->pn_office);
	ids = pn->pn_floors;
	n = pn->pn_nfloors;
	pn->pn_floors = pn->pn_next;
	pn->pn_nfloors = pn->pn_nnext;
	pn->pn_next = NULL;
	if (pn->pn_hello)
		person_rights(pn, ids, n);
	else
		person_unread(pn);
	free(ids);
	if (pn->pn_again)
		person_floors(pn);
	if (!pn->pn_asking && !pn->pn_again)
		office_asked(pn);
	return (1);
}

void
person_floors(struct person *pn)
{
	struct m_grant_only	 m = { person_grant(pn) };
	struct job		*jo;

	pn->pn_again = 1;
	office_asks(pn);
	/* Without a grant, login.c comes back to it. */
	if (pn->pn_asking || m.grant == 0)
		return;
	if ((jo = job_new(pn, NULL)) == NULL) {
		floors_late();
		return;
	}
	free(pn->pn_next);
	pn->pn_next = NULL;
	pn->pn_nnext = 0;
	if (ask_send(NULL, PROC_STORAGE, IMSG_FLOORS, &m, floors_answer,
	    jo) == -1) {
		job_free(jo);
		floors_late();
		return;
	}
	pn->pn_asking = 1;
	pn->pn_again = 0;
}

void
office_open(struct conn *cn)
{
	struct person	*pn;
	struct office	*of = office_get(cn->cn_login->lg_tenant);

	if (of == NULL || (pn = calloc(1, sizeof(*pn))) == NULL) {
		conn_close(cn);
		return;
	}
	pn->pn_conn = cn;
	pn->pn_office = of;
	TAILQ_INIT(&pn->pn_jobs);
	TAILQ_INIT(&pn->pn_calls);
	TAILQ_INIT(&pn->pn_rings);
	TAILQ_INSERT_TAIL(&of->of_persons, pn, pn_entry);
	of->of_npersons++;
	session_stats.ss_persons++;
	cn->cn_person = pn;
	if (cn->cn_login->lg_door)
		knock_wait(pn);
	else
		person_floors(pn);
}

void
office_pages(uint32_t tenant, uint32_t user, unsigned int *all,
    unsigned int *own)
{
	struct office	*of = office_get(tenant);
	struct person	*pn;

	*all = *own = 0;
	if (of == NULL)
		return;
	*all = of->of_npersons;
	TAILQ_FOREACH(pn, &of->of_persons, pn_entry)
		*own += pn->pn_conn->cn_login->lg_user == user;
}

void
office_takeover(struct office *of, uint32_t user)
{
	struct avatar	*av = avatar_find(of, user);

	if (av != NULL && av->av_person != NULL)
		person_bye(av->av_person, "elsewhere", CLOSE_ELSEWHERE);
}

/*
 * Has the floor no number left?  There are so many for those of this worker,
 * and whoever is one of them gives back his.
 */
static int
floor_is_full(const struct floor *fl, const struct avatar *av)
{
	return (fl->fl_local >= FLOOR_SLOTS && (av == NULL ||
	    av->av_floor != fl || av->av_person == NULL));
}

/* The answer to enter: the map, and where one was last.  0, or -1: not in. */
static int
person_enter(struct person *pn, const struct m_floor_doc *m)
{
	struct office	*of = pn->pn_office;
	struct avatar	*av;
	struct floor	*fl, *was;
	int		 placed = m->placed, x = m->x, y = m->y;
	uint16_t	 over = 0;

	/* Who is here already stays where he is: what is kept is older. */
	av = avatar_find(of, pn->pn_conn->cn_login->lg_user);
	if (av != NULL && av->av_floor->fl_id == m->floor) {
		avatar_at(av, mono_ms(), &x, &y);
		placed = 1;
	}
	if ((fl = floor_make(of, m->floor)) == NULL ||
	    floor_load(fl, m) == -1) {
		if (fl != NULL)
			floor_release(fl);
		person_error(pn, "no-floor", NULL, NULL);
		return (-1);
	}
	/* Before he leaves: nobody would be told that he is nowhere. */
	if (floor_is_full(fl, av)) {
		person_error(pn, "full", NULL, NULL);
		return (-1);
	}
	person_leave(pn, m->floor);
	/* Again: leaving may have freed a floor that nobody else was on. */
	if ((fl = floor_make(of, m->floor)) == NULL || floor_load(fl, m) == -1)
		return (-1);
	if ((av = avatar_find(of, pn->pn_conn->cn_login->lg_user)) != NULL) {
		if (av->av_person != NULL)
			office_takeover(of, av->av_user);
		else {
			over = av->av_id;
			was = av->av_floor;
			if (was == fl)
				room_keep(av);
			office_left(av, m->floor);
			avatar_free(av);
			floor_release(was);
		}
		if ((fl = floor_make(of, m->floor)) == NULL ||
		    floor_load(fl, m) == -1)
			return (-1);
	}
	av = avatar_enter(fl, pn, pn->pn_conn->cn_login, placed, x, y);
	if (av == NULL) {
		floor_release(fl);
		person_error(pn, "full", NULL, NULL);
		return (-1);
	}
	pn->pn_avatar = av;
	av->av_over = over;
	login_floor(of->of_tenant, av->av_user, fl->fl_id);
	access_floor(pn->pn_conn->cn_login, ACCESS_ENTER, fl->fl_id);
	save_one(av, mono_ms());
	return (0);
}

/* The map goes out as it is kept. */
static void
send_floor(struct person *pn)
{
	struct avatar	*me = pn->pn_avatar, *av;
	struct floor	*fl = me->av_floor;
	struct chunk	*ck;
	struct text	 tx;
	json_t		*doors = json_array();
	const char	*comma = "";
	unsigned int	 room;

	for (room = 1; room < 256; room++)
		if (fl->fl_doors[room].do_state != DOOR_OPEN)
			(void)json_array_append_new(doors, json_pack(
			    "{si ss sI}", "room", (int)room, "state",
			    room_state_name(fl->fl_doors[room].do_state), "by",
			    (json_int_t)fl->fl_doors[room].do_by));
	text_open(&tx, 1024 + fl->fl_doc->ck_len +
	    fl->fl_people * PRESENCE_LEN);
	text_add(&tx, "{\"map\":");
	if (!tx.tx_bad && ibuf_add(tx.tx_buf, fl->fl_doc->ck_data,
	    fl->fl_doc->ck_len) == -1)
		tx.tx_bad = 1;
	text_add(&tx, ",\"people\":[");
	TAILQ_FOREACH(av, &fl->fl_avatars, av_floor_entry) {
		text_add(&tx, comma);
		office_person(&tx, av);
		comma = ",";
	}
	text_add(&tx, "],");
	text_rest(&tx, json_pack("{ss sI ss sI si so so}", "t", "floor", "id",
	    (json_int_t)fl->fl_id, "name", fl->fl_name, "time",
	    (json_int_t)(uint32_t)mono_ms(), "you", me->av_id, "doors",
	    doors, "bubbles", talk_bubbles(fl)));
	ck = text_frame(&tx);
	person_queue(pn, ck);
	chunk_free(ck);
}

int
person_entered(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct job	*jo = arg;
	struct person	*pn = jo->jo_person;

	(void)cn;
	job_free(jo);
	if (pn == NULL)
		return (1);
	if (type != IMSG_FLOOR_DOC) {
		person_refusal(pn, m, NULL, "no-floor");
		return (1);
	}
	if (person_enter(pn, m) == 0) {
		send_floor(pn);
		knock_show(pn);
		office_joined(pn->pn_avatar);
		bus_joined(pn->pn_avatar);
	}
	return (1);
}
