#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "log.h"
#include "office.h"
#include "tick.h"
#include "utf8.h"
#include "util.h"

#define LEG_FRAME	7
#define LEG_RATE	20		/* a second, and as many at once: */
#define LEG_BURST	(FLOOR_QUEUE + 8)
#define SAY_RATE	10
#define SAY_BURST	20
#define TEXT_RATE	40
#define TEXT_BURST	80
#define HISTORY_MAX	100
#define CLOSE_ENDED	4001
#define CLOSE_ELSEWHERE	4002

/* Tokens in thousandths, refilled by the clock. */
struct bucket {
	uint64_t	 bu_level, bu_at;
};

struct seen {
	uint32_t	 se_floor;
	char		 se_name[MAX_NAME + 1];
};

/* Somebody with the page open. */
struct person {
	TAILQ_ENTRY(person)	 pn_entry;
	struct conn		*pn_conn;
	struct office		*pn_office;
	struct avatar		*pn_avatar;
	struct seen		*pn_floors;	/* that one may enter */
	unsigned int		 pn_nfloors;
	struct seen		*pn_next;	/* as they are being told */
	unsigned int		 pn_nnext;
	int			 pn_asking;	/* for floors */
	int			 pn_again;	/* they changed meanwhile */
	int			 pn_hello;	/* said */
	int			 pn_resync;	/* ticks were left out */
	struct bucket		 pn_legs, pn_says, pn_texts;
	json_t			*pn_unread;
	TAILQ_HEAD(, job)	 pn_jobs;
};

/* A question to storage whose answer is for a person, if still there. */
struct job {
	TAILQ_ENTRY(job)	 jo_entry;
	struct person		*jo_person;	/* NULL: has left */
	uint32_t		 jo_tenant, jo_user;
	uint32_t		 jo_id;		/* floor, or room */
	uint8_t			 jo_kind;
	uint32_t		 jo_a, jo_b;
	char			 jo_ref[MAX_REF + 1];
	char			 jo_channel[40];
	char			 jo_name[MAX_NAME + 1];
	json_t			*jo_list;
	char			*jo_text;
};

static void	 person_floors(struct person *);

/*
 * Sending.
 */

static struct chunk *
frame_text(const char *text, size_t len)
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
static struct chunk *
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

static void
person_queue(struct person *pn, struct chunk *ck)
{
	if (ck == NULL)
		return;
	session_stats.ss_frames_out++;
	conn_queue(pn->pn_conn, ck);
}

static void
person_send(struct person *pn, json_t *o)
{
	struct chunk	*ck = frame_json(o);

	person_queue(pn, ck);
	chunk_free(ck);
}

static int
may_enter(const struct person *pn, uint32_t floor)
{
	unsigned int	 i;

	for (i = 0; i < pn->pn_nfloors; i++)
		if (pn->pn_floors[i].se_floor == floor)
			return (1);
	return (0);
}

/* To all who may see the floor. */
static void
tell_seeing(struct office *of, uint32_t floor, json_t *o)
{
	struct chunk	*ck = frame_json(o);
	struct person	*pn;

	TAILQ_FOREACH(pn, &of->of_persons, pn_entry)
		if (pn->pn_hello && may_enter(pn, floor))
			person_queue(pn, ck);
	chunk_free(ck);
}

/* To all of this process who are on the floor, but for one. */
static void
tell_floor(struct floor *fl, const struct avatar *but, json_t *o)
{
	struct chunk	*ck = frame_json(o);
	struct avatar	*av;

	TAILQ_FOREACH(av, &fl->fl_avatars, av_floor_entry)
		if (av->av_person != NULL && av != but)
			person_queue(av->av_person, ck);
	chunk_free(ck);
}

static void
send_error(struct person *pn, const char *code, const char *ref,
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
	    { "no-user", "There is no such person." },
	    { "no-right", "Only from inside, and only where there is a lock." },
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
static void
send_refusal(struct person *pn, const struct m_result *m, const char *ref,
    const char *missing)
{
	if (m->code == R_NOTFOUND)
		send_error(pn, missing, ref, NULL);
	else if (m->code == R_INVALID)
		send_error(pn, "field", ref, m->field);
	else
		send_error(pn, "unavailable", ref, NULL);
}

static int
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

/*
 * What pages are told of people.
 */

static json_t *
json_presence(const struct avatar *av)
{
	return (json_pack("{sI ss so ss ss sI si}", "user",
	    (json_int_t)av->av_user, "name", av->av_name, "look",
	    json_look(av->av_look), "status", status_name(av->av_status),
	    "note", av->av_note, "floor", (json_int_t)av->av_floor->fl_id,
	    "room", av->av_room));
}

static json_t *
json_person(const struct avatar *av)
{
	json_t		*o;
	uint64_t	 now = mono_ms();
	int		 x, y;

	avatar_at(av, now, &x, &y);
	o = json_pack("{si sI ss so ss ss si si si}", "id", av->av_id, "user",
	    (json_int_t)av->av_user, "name", av->av_name, "look",
	    json_look(av->av_look), "status", status_name(av->av_status),
	    "note", av->av_note, "x", x, "y", y, "room", av->av_room);
	if (leg_end_time(&av->av_leg) > now) {
		(void)json_object_set_new(o, "tx",
		    json_integer(av->av_leg.x1));
		(void)json_object_set_new(o, "ty",
		    json_integer(av->av_leg.y1));
	}
	return (o);
}

void
office_changed(struct avatar *av)
{
	json_t	*o = json_presence(av);

	(void)json_object_set_new(o, "t", json_string("update"));
	tell_seeing(av->av_floor->fl_office, av->av_floor->fl_id, o);
}

void
office_joined(struct avatar *av)
{
	tell_floor(av->av_floor, av, json_pack("{ss so}", "t", "join",
	    "person", json_person(av)));
	office_changed(av);
}

void
office_left(struct avatar *av, int gone)
{
	tell_floor(av->av_floor, av, json_pack("{ss si}", "t", "left", "id",
	    av->av_id));
	if (gone)
		tell_seeing(av->av_floor->fl_office, av->av_floor->fl_id,
		    json_pack("{ss sI}", "t", "gone", "user",
		    (json_int_t)av->av_user));
}

void
office_placed(struct avatar *av, enum walk_result res)
{
	static const char	*const why[] = { "wall", "wall", "closed",
				    "full" };
	int			 x, y;

	if (av->av_person == NULL)
		return;
	avatar_at(av, mono_ms(), &x, &y);
	person_send(av->av_person, json_pack("{ss si si ss}", "t", "place",
	    "x", x, "y", y, "why", why[res]));
}

void
office_door(struct floor *fl, uint8_t room)
{
	tell_floor(fl, NULL, json_pack("{ss si sb sI}", "t", "door", "room",
	    room, "locked", fl->fl_locker[room] != 0, "by",
	    (json_int_t)fl->fl_locker[room]));
}

void
office_tick(struct floor *fl, struct chunk *ck)
{
	struct avatar	*av;

	TAILQ_FOREACH(av, &fl->fl_avatars, av_floor_entry) {
		if (av->av_person == NULL)
			continue;
		if (conn_slow(av->av_person->pn_conn))
			av->av_person->pn_resync = 1;
		else
			person_queue(av->av_person, ck);
	}
}

/* It reads again: where everybody is now, instead of all the ticks. */
void
office_drained(struct conn *cn)
{
	struct person	*pn = cn->cn_person;
	struct chunk	*ck;

	if (pn == NULL || !pn->pn_resync || pn->pn_avatar == NULL)
		return;
	pn->pn_resync = 0;
	ck = tick_snapshot(pn->pn_avatar->av_floor);
	person_queue(pn, ck);
	chunk_free(ck);
}

/*
 * Jobs.
 */

static struct job *
job_new(struct person *pn, const char *ref)
{
	struct job	*jo;

	if ((jo = calloc(1, sizeof(*jo))) == NULL) {
		send_error(pn, "unavailable", ref, NULL);
		return (NULL);
	}
	jo->jo_person = pn;
	jo->jo_tenant = pn->pn_conn->cn_login->lg_tenant;
	jo->jo_user = pn->pn_conn->cn_login->lg_user;
	if (ref != NULL)
		(void)strlcpy(jo->jo_ref, ref, sizeof(jo->jo_ref));
	TAILQ_INSERT_TAIL(&pn->pn_jobs, jo, jo_entry);
	return (jo);
}

static void
job_free(struct job *jo)
{
	if (jo->jo_person != NULL)
		TAILQ_REMOVE(&jo->jo_person->pn_jobs, jo, jo_entry);
	json_decref(jo->jo_list);
	if (jo->jo_text != NULL)
		freezero(jo->jo_text, strlen(jo->jo_text));
	free(jo);
}

/* Ask storage for a person; the job ends here when it can not be asked. */
static void
job_ask(struct job *jo, enum imsg_type type, const void *m,
    int (*fn)(struct conn *, uint32_t, const void *, void *))
{
	if (jo->jo_person->pn_conn->cn_login->lg_grant != 0 &&
	    ask_send(NULL, PROC_STORAGE, type, m, fn, jo) == 0)
		return;
	send_error(jo->jo_person, "unavailable", jo->jo_ref, NULL);
	job_free(jo);
}

static uint64_t
person_grant(const struct person *pn)
{
	return (pn->pn_conn->cn_login->lg_grant);
}

/*
 * Coming and going.
 */

/* Off the floor; gone: the page is closed, not only elsewhere. */
static void
person_leave(struct person *pn, int gone)
{
	struct avatar	*av = pn->pn_avatar;
	struct floor	*fl;
	uint64_t	 now = mono_ms();

	if (av == NULL)
		return;
	fl = av->av_floor;
	avatar_stop(av, now);
	av->av_saved = 0;
	office_save(av, now);
	pn->pn_avatar = NULL;
	office_left(av, gone);
	bus_left(av);
	avatar_free(av);
	floor_release(fl);
}

/* Not for every step: a place is worth a write now and then. */
void
office_save(struct avatar *av, uint64_t now)
{
	struct m_place_set	 m;
	int			 x, y;

	if (av->av_person == NULL || (av->av_saved != 0 &&
	    now - av->av_saved < 1000))
		return;
	av->av_saved = now;
	avatar_at(av, now, &x, &y);
	m.grant = person_grant(av->av_person);
	m.floor = av->av_floor->fl_id;
	m.x = (uint16_t)x;
	m.y = (uint16_t)y;
	if (m.grant != 0)
		(void)proc_send(proc_peer(PROC_STORAGE, 0), IMSG_PLACE_SET, 0,
		    -1, &m);
}

static void
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
	/* At once, so that nobody sees a ghost until the socket is gone. */
	if (cn->cn_person != NULL)
		person_leave(cn->cn_person, 1);
	conn_drain(cn);
}

void
office_closed(struct conn *cn)
{
	struct person	*pn = cn->cn_person;
	struct job	*jo;

	if (pn == NULL)
		return;
	person_leave(pn, 1);
	while ((jo = TAILQ_FIRST(&pn->pn_jobs)) != NULL) {
		TAILQ_REMOVE(&pn->pn_jobs, jo, jo_entry);
		jo->jo_person = NULL;	/* its answer may be for others too */
	}
	TAILQ_REMOVE(&pn->pn_office->of_persons, pn, pn_entry);
	session_stats.ss_persons--;
	json_decref(pn->pn_unread);
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
		    (json_int_t)pn->pn_floors[i].se_floor, "name",
		    pn->pn_floors[i].se_name));
	return (list);
}

static void
person_hello(struct person *pn)
{
	const struct login	*lg = pn->pn_conn->cn_login;
	struct tenant		*tn = site_tenant(lg->lg_tenant);
	struct avatar		*av;
	json_t			*people = json_array();

	RB_FOREACH(av, avatar_tree, &pn->pn_office->of_avatars)
		if (may_enter(pn, av->av_floor->fl_id))
			(void)json_array_append_new(people,
			    json_presence(av));
	pn->pn_hello = 1;
	person_send(pn, json_pack("{ss sI sI so s{ss ss} so so so sI}",
	    "t", "hello", "time", (json_int_t)(uint32_t)mono_ms(), "now",
	    (json_int_t)now_ms(), "user", json_user(lg), "tenant", "name",
	    tn == NULL ? "" : tn->tn_name, "title",
	    tn == NULL ? "" : tn->tn_title, "floors", json_floors(pn),
	    "people", people, "unread", pn->pn_unread, "last",
	    (json_int_t)lg->lg_last_floor));
	pn->pn_unread = NULL;
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

/* The floors have been told anew: is one still where one may be? */
static void
person_rights(struct person *pn)
{
	struct avatar	*av = pn->pn_avatar;

	person_send(pn, json_pack("{ss so}", "t", "floors", "floors",
	    json_floors(pn)));
	if (av != NULL && !may_enter(pn, av->av_floor->fl_id)) {
		person_send(pn, json_pack("{ss sI}", "t", "evict", "floor",
		    (json_int_t)av->av_floor->fl_id));
		person_leave(pn, 1);
	}
}

static int
floors_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct job			*jo = arg;
	struct person			*pn = jo->jo_person;
	const struct m_floor_row	*mf = m;
	struct seen			*se;

	(void)cn;
	if (pn == NULL) {
		if (type == IMSG_RESULT)
			job_free(jo);
		return (type == IMSG_RESULT);
	}
	if (type == IMSG_FLOOR_ROW) {
		if (pn->pn_next == NULL || pn->pn_nnext == MAX_FLOORS)
			return (0);
		se = &pn->pn_next[pn->pn_nnext++];
		se->se_floor = mf->floor;
		(void)strlcpy(se->se_name, mf->name, sizeof(se->se_name));
		return (0);
	}
	job_free(jo);
	pn->pn_asking = 0;
	if (((const struct m_result *)m)->code != R_OK) {
		/* Storage is away: when it is back the grant is renewed. */
		pn->pn_again = 1;
		return (1);
	}
	free(pn->pn_floors);
	pn->pn_floors = pn->pn_next;
	pn->pn_nfloors = pn->pn_nnext;
	pn->pn_next = NULL;
	if (pn->pn_hello)
		person_rights(pn);
	else
		person_unread(pn);
	if (pn->pn_again)
		person_floors(pn);
	return (1);
}

static void
person_floors(struct person *pn)
{
	struct m_grant_only	 m = { person_grant(pn) };
	struct job		*jo;

	pn->pn_again = 1;
	if (pn->pn_asking || m.grant == 0)
		return;
	if ((jo = job_new(pn, NULL)) == NULL)
		return;
	free(pn->pn_next);
	pn->pn_nnext = 0;
	pn->pn_next = calloc(MAX_FLOORS, sizeof(*pn->pn_next));
	if (pn->pn_next == NULL || ask_send(NULL, PROC_STORAGE,
	    IMSG_FLOORS, &m, floors_answer, jo) == -1) {
		job_free(jo);
		return;			/* login.c will come back to it */
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
	TAILQ_INSERT_TAIL(&of->of_persons, pn, pn_entry);
	session_stats.ss_persons++;
	cn->cn_person = pn;
	person_floors(pn);
}

void
office_takeover(struct office *of, uint32_t user)
{
	struct avatar	*av = avatar_find(of, user);

	if (av != NULL && av->av_person != NULL)
		person_bye(av->av_person, "elsewhere", CLOSE_ELSEWHERE);
}

/* The answer to enter: the map, and where one was last. */
static void
person_enter(struct person *pn, const struct m_floor_doc *m)
{
	struct office	*of = pn->pn_office;
	struct avatar	*av;
	struct floor	*fl;

	if ((fl = floor_make(of, m->floor)) == NULL ||
	    floor_load(fl, m) == -1) {
		if (fl != NULL)
			floor_release(fl);
		send_error(pn, "no-floor", NULL, NULL);
		return;
	}
	person_leave(pn, 0);
	/* Again: leaving may have freed a floor that nobody else was on. */
	if ((fl = floor_make(of, m->floor)) == NULL || floor_load(fl, m) == -1)
		return;
	if ((av = avatar_find(of, pn->pn_conn->cn_login->lg_user)) != NULL) {
		if (av->av_person != NULL)
			office_takeover(of, av->av_user);
		else {
			bus_takeover(av);
			office_left(av, 0);
			avatar_free(av);
		}
		if ((fl = floor_make(of, m->floor)) == NULL ||
		    floor_load(fl, m) == -1)
			return;
	}
	av = avatar_enter(fl, pn, pn->pn_conn->cn_login, m->placed, m->x,
	    m->y);
	if (av == NULL) {
		floor_release(fl);
		send_error(pn, "full", NULL, NULL);
		return;
	}
	pn->pn_avatar = av;
	pn->pn_conn->cn_login->lg_last_floor = fl->fl_id;
	office_save(av, mono_ms());
}

/* {"map":DOC,...}: the document goes out as it is kept. */
static void
send_floor(struct person *pn)
{
	struct avatar	*me = pn->pn_avatar, *av;
	struct floor	*fl = me->av_floor;
	struct chunk	*ck;
	json_t		*people = json_array(), *doors = json_array(), *o;
	char		*text, *all;
	unsigned int	 room;
	size_t		 len;
	int		 n;

	TAILQ_FOREACH(av, &fl->fl_avatars, av_floor_entry)
		(void)json_array_append_new(people, json_person(av));
	for (room = 1; room < 256; room++)
		if (fl->fl_locker[room] != 0)
			(void)json_array_append_new(doors, json_pack(
			    "{si sb sI}", "room", (int)room, "locked", 1, "by",
			    (json_int_t)fl->fl_locker[room]));
	o = json_pack("{ss sI ss sI si so so}", "t", "floor", "id",
	    (json_int_t)fl->fl_id, "name", fl->fl_name, "time",
	    (json_int_t)(uint32_t)mono_ms(), "you", me->av_id, "people",
	    people, "doors", doors);
	text = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (text == NULL)
		return;
	len = strlen(text) + fl->fl_doc->ck_len + 16;
	if ((all = malloc(len)) != NULL) {
		n = snprintf(all, len, "{\"map\":%.*s,%s",
		    (int)fl->fl_doc->ck_len, (char *)fl->fl_doc->ck_data,
		    text + 1);
		ck = frame_text(all, (size_t)n);
		person_queue(pn, ck);
		chunk_free(ck);
	}
	free(all);
	free(text);
}

static int
enter_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct job	*jo = arg;
	struct person	*pn = jo->jo_person;

	(void)cn;
	job_free(jo);
	if (pn == NULL)
		return (1);
	if (type != IMSG_FLOOR_DOC) {
		send_refusal(pn, m, NULL, "no-floor");
		return (1);
	}
	person_enter(pn, m);
	if (pn->pn_avatar != NULL) {
		send_floor(pn);
		office_joined(pn->pn_avatar);
		bus_joined(pn->pn_avatar);
	}
	return (1);
}

/*
 * What pages say.  Each function: the members, what is wrong with them, act.
 */

static const char *
say_enter(struct person *pn, json_t *o)
{
	uint64_t		 floor;
	struct m_grant_id	 m = { .grant = person_grant(pn) };
	const struct json_field	 jf[] = {
		{ "t", JK_ANY, 1, &(json_t *){ NULL }, NULL },
		{ "floor", JK_UINT, 1, &floor, NULL },
	};
	const char		*bad;
	struct job		*jo;

	if ((bad = json_fields(o, jf, 2)) != NULL)
		return (bad);
	if (floor == 0 || floor > UINT32_MAX)
		return ("floor");
	if ((jo = job_new(pn, NULL)) == NULL)
		return (NULL);
	m.id = (uint32_t)floor;
	job_ask(jo, IMSG_FLOOR_GET, &m, enter_answer);
	return (NULL);
}

static const char *
say_leave(struct person *pn, json_t *o)
{
	(void)o;
	person_leave(pn, 1);
	return (NULL);
}

static int
set_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct job	*jo = arg;

	(void)cn;
	/* A change is told to all of the person's pages by IMSG_PROFILE. */
	if (jo->jo_person != NULL && type == IMSG_RESULT)
		send_refusal(jo->jo_person, m, NULL, "no-user");
	job_free(jo);
	return (1);
}

static const char *
say_status(struct person *pn, json_t *o)
{
	const char		*status, *note, *bad;
	int			 n;
	struct m_me_set		 m = { .grant = person_grant(pn),
				    .mask = SET_STATUS | SET_NOTE };
	struct job		*jo;
	const struct json_field	 jf[] = {
		{ "t", JK_ANY, 1, &(json_t *){ NULL }, NULL },
		{ "status", JK_STRING, 1, &status, NULL },
		{ "note", JK_STRING, 1, &note, NULL },
	};

	if ((bad = json_fields(o, jf, 3)) != NULL)
		return (bad);
	if ((n = status_number(status)) == -1)
		return ("status");
	if (!note_valid(note, MAX_NOTE_CHARS))
		return ("note");
	if ((jo = job_new(pn, NULL)) == NULL)
		return (NULL);
	m.status = (uint8_t)n;
	m.note = note;
	job_ask(jo, IMSG_ME_SET, &m, set_answer);
	return (NULL);
}

/* To whom: "floor", "room" or {"user":7}. */
static const char *
say_channel(struct person *pn, json_t *to, struct m_say *m)
{
	struct avatar	*av = pn->pn_avatar;
	const char	*word = json_string_value(to);
	json_t		*user;

	if (word == NULL) {
		user = json_object_get(to, "user");
		if (json_object_size(to) != 1 || !json_is_integer(user) ||
		    json_integer_value(user) <= 0 ||
		    json_integer_value(user) > UINT32_MAX)
			return ("to");
		m->kind = CHANNEL_USER;
		m->a = (uint32_t)json_integer_value(user);
		return (NULL);
	}
	if (strcmp(word, "floor") != 0 && strcmp(word, "room") != 0)
		return ("to");
	if (av == NULL)
		return ("?not-here");
	m->a = av->av_floor->fl_id;
	m->kind = CHANNEL_FLOOR;
	if (*word == 'r') {
		if (av->av_room == 0)
			return ("?no-room");
		m->kind = CHANNEL_ROOM;
		m->b = av->av_room;
	}
	return (NULL);
}

static int
ref_valid(const char *s)
{
	size_t	 len = strlen(s);

	return (len > 0 && len <= MAX_REF && strspn(s, "abcdefghijklmnopqrst"
	    "uvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len);
}

/* It is durable: tell the writer, and whoever shall read it. */
static void
said(struct job *jo, const struct m_said *m)
{
	struct m_bus_msg	 msg = { 0 };
	struct office		*of = office_get(jo->jo_tenant);

	if (jo->jo_person != NULL)
		person_send(jo->jo_person, json_pack("{ss ss sI sI}", "t",
		    "ack", "ref", jo->jo_ref, "id", (json_int_t)m->id, "at",
		    (json_int_t)m->at));
	if (m->again || of == NULL)
		return;			/* has been delivered then */
	session_stats.ss_says++;
	msg.tenant = jo->jo_tenant;
	msg.kind = jo->jo_kind;
	msg.a = jo->jo_a;
	msg.b = jo->jo_b;
	msg.from = jo->jo_user;
	msg.id = m->id;
	msg.at = m->at;
	msg.name = jo->jo_name;
	msg.text = jo->jo_text;
	office_deliver(of, &msg);
	bus_message(&msg);
}

static int
say_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct job	*jo = arg;

	(void)cn;
	if (type == IMSG_SAID) {
		said(jo, m);
		job_free(jo);
		return (1);
	}
	if (type != IMSG_RESULT)
		return (0);
	if (jo->jo_person != NULL)
		send_refusal(jo->jo_person, m, jo->jo_ref,
		    jo->jo_kind == CHANNEL_USER ? "no-user" : "no-floor");
	job_free(jo);
	return (1);
}

/* Only spaces, also those of Japanese, are no message. */
static int
is_blank(const char *s)
{
	while (*s != '\0') {
		if (*s == ' ' || *s == '\n' || *s == '\t' || *s == '\r')
			s++;
		else if (strncmp(s, "\xe3\x80\x80", 3) == 0)
			s += 3;
		else
			return (0);
	}
	return (1);
}

static const char *
say_say(struct person *pn, json_t *o)
{
	json_t			*to;
	const char		*text, *ref, *bad;
	struct m_say		 m = { .grant = person_grant(pn) };
	struct job		*jo;
	ssize_t			 len;
	const struct json_field	 jf[] = {
		{ "t", JK_ANY, 1, &(json_t *){ NULL }, NULL },
		{ "ref", JK_STRING, 1, &ref, NULL },
		{ "to", JK_ANY, 1, &to, NULL },
		{ "text", JK_STRING, 1, &text, NULL },
	};

	if ((bad = json_fields(o, jf, 4)) != NULL)
		return (bad);
	if (!ref_valid(ref))
		return ("ref");
	if (is_blank(text)) {
		send_error(pn, "empty", ref, NULL);
		return (NULL);
	}
	if ((len = utf8_length(text, strlen(text))) == -1)
		return ("text");
	if (len > MAX_TEXT_CHARS) {
		send_error(pn, "too-long", ref, NULL);
		return (NULL);
	}
	if (bucket_take(&pn->pn_says, SAY_RATE, SAY_BURST) == -1) {
		send_error(pn, "too-many", ref, NULL);
		return (NULL);
	}
	if ((bad = say_channel(pn, to, &m)) != NULL) {
		if (*bad != '?')
			return (bad);
		send_error(pn, bad + 1, ref, NULL);
		return (NULL);
	}
	if ((jo = job_new(pn, ref)) == NULL)
		return (NULL);
	jo->jo_kind = m.kind;
	jo->jo_a = m.a;
	jo->jo_b = m.b;
	(void)strlcpy(jo->jo_name, pn->pn_conn->cn_login->lg_name,
	    sizeof(jo->jo_name));
	if ((jo->jo_text = strdup(text)) == NULL) {
		send_error(pn, "unavailable", ref, NULL);
		job_free(jo);
		return (NULL);
	}
	m.ref = ref;
	m.text = text;
	job_ask(jo, IMSG_SAY, &m, say_answer);
	return (NULL);
}

json_t *
office_message(const char *channel, const struct m_message *m)
{
	return (json_pack("{sI ss sI ss ss sI}", "id", (json_int_t)m->id,
	    "channel", channel, "from", (json_int_t)m->from, "name", m->name,
	    "text", m->text, "at", (json_int_t)m->at));
}

static struct chunk *
frame_message(const struct m_bus_msg *m, uint32_t other)
{
	struct m_message	 mm = { m->id, m->at, m->from, m->name,
				    m->text };
	char			 channel[40];
	json_t			*o;

	channel_name(channel, sizeof(channel), m->kind,
	    m->kind == CHANNEL_USER ? other : m->a, m->b);
	o = office_message(channel, &mm);
	(void)json_object_set_new(o, "t", json_string("msg"));
	return (frame_json(o));
}

/* A direct message: each of the two sees the other's name on the channel. */
static void
deliver_direct(struct office *of, const struct m_bus_msg *m)
{
	struct chunk	*mine = frame_message(m, m->a);
	struct chunk	*his = frame_message(m, m->from);
	struct person	*pn;
	uint32_t	 user;

	TAILQ_FOREACH(pn, &of->of_persons, pn_entry) {
		user = pn->pn_conn->cn_login->lg_user;
		if (user == m->from)
			person_queue(pn, mine);
		else if (user == m->a)
			person_queue(pn, his);
	}
	chunk_free(mine);
	chunk_free(his);
}

void
office_deliver(struct office *of, const struct m_bus_msg *m)
{
	struct floor	*fl;
	struct avatar	*av;
	struct chunk	*ck;

	if (m->kind == CHANNEL_USER) {
		deliver_direct(of, m);
		return;
	}
	if ((fl = floor_find(of, m->a)) == NULL)
		return;
	ck = frame_message(m, 0);
	TAILQ_FOREACH(av, &fl->fl_avatars, av_floor_entry)
		if (av->av_person != NULL && (m->kind == CHANNEL_FLOOR ||
		    av->av_room == m->b))
			person_queue(av->av_person, ck);
	chunk_free(ck);
}

static int
history_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct job		*jo = arg;
	const struct m_result	*mr = m;
	json_t			*o;

	(void)cn;
	if (type == IMSG_MESSAGE) {
		(void)json_array_append_new(jo->jo_list,
		    office_message(jo->jo_channel, m));
		return (0);
	}
	if (jo->jo_person != NULL && mr->code != R_OK)
		send_refusal(jo->jo_person, m, jo->jo_ref,
		    jo->jo_kind == CHANNEL_USER ? "no-user" : "no-floor");
	else if (jo->jo_person != NULL) {
		o = json_pack("{ss ss sO sb}", "t", "history", "channel",
		    jo->jo_channel, "messages", jo->jo_list, "more",
		    mr->arg != 0);
		if (jo->jo_ref[0] != '\0')
			(void)json_object_set_new(o, "ref",
			    json_string(jo->jo_ref));
		person_send(jo->jo_person, o);
	}
	job_free(jo);
	return (1);
}

static const char *
say_history(struct person *pn, json_t *o)
{
	const char		*channel, *ref = "", *bad;
	uint64_t		 before = 0, limit = 50;
	struct m_history	 m = { .grant = person_grant(pn) };
	struct avatar		*av = pn->pn_avatar;
	struct job		*jo;
	const struct json_field	 jf[] = {
		{ "t", JK_ANY, 1, &(json_t *){ NULL }, NULL },
		{ "channel", JK_STRING, 1, &channel, NULL },
		{ "before", JK_UINT, 0, &before, NULL },
		{ "limit", JK_UINT, 0, &limit, NULL },
		{ "ref", JK_STRING, 0, &ref, NULL },
	};

	if ((bad = json_fields(o, jf, 5)) != NULL)
		return (bad);
	if (channel_parse(channel, &m.kind, &m.a, &m.b) == -1)
		return ("channel");
	if (limit == 0 || limit > HISTORY_MAX)
		return ("limit");
	if (*ref != '\0' && !ref_valid(ref))
		return ("ref");
	if (m.kind == CHANNEL_ROOM && (av == NULL || av->av_room != m.b ||
	    av->av_floor->fl_id != m.a)) {
		send_error(pn, "no-room", ref, NULL);
		return (NULL);
	}
	if ((jo = job_new(pn, ref)) == NULL)
		return (NULL);
	m.before = before;
	m.limit = (uint32_t)limit;
	jo->jo_kind = m.kind;
	jo->jo_list = json_array();
	(void)strlcpy(jo->jo_channel, channel, sizeof(jo->jo_channel));
	job_ask(jo, IMSG_HISTORY, &m, history_answer);
	return (NULL);
}

static const char *
say_read(struct person *pn, json_t *o)
{
	const char		*channel, *bad;
	struct m_read		 m = { .grant = person_grant(pn) };
	const struct json_field	 jf[] = {
		{ "t", JK_ANY, 1, &(json_t *){ NULL }, NULL },
		{ "channel", JK_STRING, 1, &channel, NULL },
		{ "id", JK_UINT, 1, &m.id, NULL },
	};

	if ((bad = json_fields(o, jf, 3)) != NULL)
		return (bad);
	if (channel_parse(channel, &m.kind, &m.a, &m.b) == -1)
		return ("channel");
	if (m.grant != 0)
		(void)proc_send(proc_peer(PROC_STORAGE, 0), IMSG_READ, 0, -1,
		    &m);
	return (NULL);
}

static const char *
say_door(struct person *pn, json_t *o)
{
	struct avatar		*av = pn->pn_avatar;
	uint64_t		 room;
	int			 lock;
	const char		*bad;
	const struct json_field	 jf[] = {
		{ "t", JK_ANY, 1, &(json_t *){ NULL }, NULL },
		{ "room", JK_UINT, 1, &room, NULL },
		{ "lock", JK_BOOL, 1, &lock, NULL },
	};

	if ((bad = json_fields(o, jf, 3)) != NULL)
		return (bad);
	if (room == 0 || room > UINT8_MAX)
		return ("room");
	if (av == NULL)
		send_error(pn, "not-here", NULL, NULL);
	else if (floor_door(av->av_floor, av, (uint8_t)room, lock) == -1)
		send_error(pn, "no-right", NULL, NULL);
	return (NULL);
}

static const struct word {
	const char	*wo_t;
	const char	*(*wo_fn)(struct person *, json_t *);
} words[] = {
	{ "enter",	say_enter },
	{ "leave",	say_leave },
	{ "status",	say_status },
	{ "say",	say_say },
	{ "history",	say_history },
	{ "read",	say_read },
	{ "door",	say_door },
};

void
office_text(struct conn *cn, const uint8_t *data, size_t len)
{
	struct person	*pn = cn->cn_person;
	const char	*t, *bad, *ref;
	json_t		*o;
	size_t		 i;

	if (pn == NULL)
		return;
	if (bucket_take(&pn->pn_texts, TEXT_RATE, TEXT_BURST) == -1) {
		send_error(pn, "too-many", NULL, NULL);
		return;
	}
	if ((o = json_parse(data, len)) == NULL) {
		send_error(pn, "json", NULL, NULL);
		return;
	}
	t = json_string_value(json_object_get(o, "t"));
	for (i = 0; t != NULL && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].wo_t, t) == 0)
			break;
	if (t == NULL || i == sizeof(words) / sizeof(words[0]))
		send_error(pn, "type", NULL, NULL);
	else if ((bad = words[i].wo_fn(pn, o)) != NULL) {
		ref = json_string_value(json_object_get(o, "ref"));
		send_error(pn, "field", ref != NULL && ref_valid(ref) ? ref :
		    NULL, bad);
	}
	json_decref(o);
}

static void
place_why(struct person *pn, const char *why)
{
	int	 x = 0, y = 0;

	if (pn->pn_avatar != NULL)
		avatar_at(pn->pn_avatar, mono_ms(), &x, &y);
	person_send(pn, json_pack("{ss si si ss}", "t", "place", "x", x, "y",
	    y, "why", why));
}

void
office_binary(struct conn *cn, const uint8_t *p, size_t len)
{
	struct person		*pn = cn->cn_person;
	enum walk_result	 res;

	if (pn == NULL)
		return;
	if (len != LEG_FRAME || p[0] != 0x01 || (p[6] & ~1U) != 0) {
		send_error(pn, "type", NULL, NULL);
		return;
	}
	if (pn->pn_avatar == NULL) {
		send_error(pn, "not-here", NULL, NULL);
		return;
	}
	if (bucket_take(&pn->pn_legs, LEG_RATE, LEG_BURST) == -1) {
		avatar_stop(pn->pn_avatar, mono_ms());
		place_why(pn, "fast");
		return;
	}
	res = avatar_walk(pn->pn_avatar, (uint16_t)(p[1] | p[2] << 8),
	    (uint16_t)(p[3] | p[4] << 8), p[5], p[6] & 1);
	if (res != WALK_FREE)
		office_placed(pn->pn_avatar, res);
}

/*
 * What storage says unasked.
 */

void
office_ended(uint32_t tenant, uint32_t user, struct login *lg,
    enum grant_end why)
{
	static const char	*const reasons[END_MAX] = {
		[END_SIGNOUT] = "signed-out", [END_ENDED] = "ended",
		[END_SUSPENDED] = "suspended", [END_EXPIRED] = "ended"
	};
	struct office		*of = office_get(tenant);
	struct person		*pn, *next;

	if (of == NULL)
		return;
	TAILQ_FOREACH_SAFE(pn, &of->of_persons, pn_entry, next)
		if (pn->pn_conn->cn_login == lg &&
		    pn->pn_conn->cn_login->lg_user == user)
			person_bye(pn, reasons[why], CLOSE_ENDED);
}

/* Storage was away; it may have changed its mind about floors. */
void
office_renewed(struct login *lg)
{
	struct office	*of = office_get(lg->lg_tenant);
	struct person	*pn;

	if (of == NULL)
		return;
	TAILQ_FOREACH(pn, &of->of_persons, pn_entry)
		if (pn->pn_conn->cn_login == lg)
			person_floors(pn);
}

void
office_title(const struct tenant *tn)
{
	struct office	*of = office_get(tn->tn_id);
	struct person	*pn;
	struct chunk	*ck;

	if (of == NULL || TAILQ_EMPTY(&of->of_persons))
		return;
	ck = frame_json(json_pack("{ss ss}", "t", "tenant", "title",
	    tn->tn_title));
	TAILQ_FOREACH(pn, &of->of_persons, pn_entry)
		if (pn->pn_hello)
			person_queue(pn, ck);
	chunk_free(ck);
}

void
office_rights(uint32_t tenant)
{
	struct office	*of = office_get(tenant);
	struct person	*pn;

	if (of == NULL)
		return;
	TAILQ_FOREACH(pn, &of->of_persons, pn_entry)
		person_floors(pn);
}

void
office_profile(const struct m_user *m)
{
	struct office	*of = office_get(m->tenant);
	struct avatar	*av;
	struct person	*pn;

	if (of == NULL)
		return;
	TAILQ_FOREACH(pn, &of->of_persons, pn_entry)
		if (pn->pn_hello && pn->pn_conn->cn_login->lg_user == m->user)
			person_send(pn, json_pack("{ss so}", "t", "me", "user",
			    json_user(pn->pn_conn->cn_login)));
	if ((av = avatar_find(of, m->user)) == NULL)
		return;
	av->av_look = m->look;
	av->av_status = m->status;
	(void)strlcpy(av->av_name, m->name, sizeof(av->av_name));
	(void)strlcpy(av->av_note, m->note, sizeof(av->av_note));
	office_changed(av);
}

static void
shut(struct office *of, void *arg)
{
	struct person	*pn, *next;

	(void)arg;
	TAILQ_FOREACH_SAFE(pn, &of->of_persons, pn_entry, next)
		person_bye(pn, "restart", WS_CODE_AWAY);
}

void
office_shutdown(void)
{
	office_each(shut, NULL);
}
