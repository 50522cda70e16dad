/*
 * What pages say.  Each function: the members, what is wrong with them, act.
 */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "person.h"
#include "talk.h"
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
#define HISTORIES	2		/* of a page, that storage is asked */

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
	job_ask(jo, IMSG_FLOOR_GET, &m, person_entered);
	return (NULL);
}

static const char *
say_leave(struct person *pn, json_t *o)
{
	(void)o;
	person_leave(pn, 0);
	return (NULL);
}

static int
set_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct job	*jo = arg;

	(void)cn;
	/* A change is told to all of the person's pages by IMSG_PROFILE. */
	if (jo->jo_person != NULL && type == IMSG_RESULT)
		person_refusal(jo->jo_person, m, NULL, "no-user");
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

/* The floor on which both are now: guests write to nobody elsewhere. */
static uint32_t
person_shared(const struct person *pn, uint32_t user)
{
	const struct login	*lg = pn->pn_conn->cn_login;

	return (floor_shared(lg->lg_tenant, lg->lg_user, user));
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
		m->b = person_shared(pn, m->a);
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

int
ref_valid(const char *s)
{
	size_t	 len = strlen(s);

	return (len > 0 && len <= MAX_REF && strspn(s, "abcdefghijklmnopqrst"
	    "uvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len);
}

/* It is durable, and storage tells it to whoever shall read it. */
static void
said(struct job *jo, const struct m_said *m)
{
	if (!m->again)
		session_stats.ss_says++;
	if (jo->jo_person != NULL)
		person_send(jo->jo_person, json_pack("{ss ss sI sI}", "t",
		    "ack", "ref", jo->jo_ref, "id", (json_int_t)m->id, "at",
		    (json_int_t)m->at));
}

static int
said_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
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
		person_refusal(jo->jo_person, m, jo->jo_ref,
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
		person_error(pn, "empty", ref, NULL);
		return (NULL);
	}
	if ((len = utf8_length(text, strlen(text))) == -1)
		return ("text");
	if (len > MAX_TEXT_CHARS) {
		person_error(pn, "too-long", ref, NULL);
		return (NULL);
	}
	if (bucket_take(&pn->pn_says, SAY_RATE, SAY_BURST) == -1) {
		person_error(pn, "too-many", ref, NULL);
		return (NULL);
	}
	if ((bad = say_channel(pn, to, &m)) != NULL) {
		if (*bad != '?')
			return (bad);
		person_error(pn, bad + 1, ref, NULL);
		return (NULL);
	}
	if (!person_may(pn, m.kind == CHANNEL_USER ? RIGHT_DM : RIGHT_CHAT)) {
		person_error(pn, "forbidden", ref, NULL);
		return (NULL);
	}
	if ((jo = job_new(pn, ref)) == NULL)
		return (NULL);
	jo->jo_kind = m.kind;
	m.ref = ref;
	m.text = text;
	job_ask(jo, IMSG_SAY, &m, said_answer);
	return (NULL);
}

static int	 history_answer(struct conn *, uint32_t, const void *, void *);

/* A room's is for those who are in it. */
static int
history_may(const struct person *pn, const struct m_history *m)
{
	const struct avatar	*av = pn->pn_avatar;

	return (m->kind != CHANNEL_ROOM || (av != NULL &&
	    av->av_room == m->b && av->av_floor->fl_id == m->a));
}

/*
 * An answer may be above a megabyte: of a page that asks for many at once most
 * wait here, in order, so that others need not wait for all of them.  Who has
 * left a room meanwhile does not hear what was said in it since.
 */
static void
history_next(struct person *pn)
{
	struct job		*jo, *next;
	struct m_history	*m;

	TAILQ_FOREACH_SAFE(jo, &pn->pn_jobs, jo_entry, next) {
		if (!jo->jo_waits)
			continue;
		if (pn->pn_histories >= HISTORIES)
			break;
		jo->jo_waits = 0;
		m = &jo->jo_history;
		if (!history_may(pn, m)) {
			person_error(pn, "no-room", jo->jo_ref, NULL);
			job_free(jo);
			continue;
		}
		m->grant = person_grant(pn);
		if (m->kind == CHANNEL_USER)
			m->b = person_shared(pn, m->a);
		pn->pn_histories++;
		if (job_ask(jo, IMSG_HISTORY, m, history_answer) == -1)
			pn->pn_histories--;
	}
}

static int
history_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct job		*jo = arg;
	struct person		*pn = jo->jo_person;
	const struct m_result	*mr = m;
	json_t			*o;

	(void)cn;
	if (type == IMSG_MESSAGE) {
		if (pn != NULL)
			(void)json_array_append_new(jo->jo_list,
			    json_message(jo->jo_channel, m));
		return (0);
	}
	if (jo->jo_person != NULL && mr->code != R_OK)
		person_refusal(jo->jo_person, m, jo->jo_ref,
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
	if (pn != NULL) {
		pn->pn_histories--;
		history_next(pn);
	}
	return (1);
}

static const char *
say_history(struct person *pn, json_t *o)
{
	const char		*channel, *ref = "", *bad;
	uint64_t		 before = 0, limit = 50;
	struct m_history	 m = { .grant = 0 };
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
	if ((jo = job_new(pn, ref)) == NULL)
		return (NULL);
	m.before = before;
	m.limit = (uint32_t)limit;
	jo->jo_kind = m.kind;
	jo->jo_list = json_array();
	(void)strlcpy(jo->jo_channel, channel, sizeof(jo->jo_channel));
	jo->jo_waits = 1;
	jo->jo_history = m;
	history_next(pn);
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

static int
erase_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct job		*jo = arg;
	const struct m_result	*mr = m;

	(void)cn;
	/* That it is gone is told to all who may have it, the asker too. */
	if (jo->jo_person != NULL && type == IMSG_RESULT && mr->code != R_OK)
		person_refusal(jo->jo_person, mr, jo->jo_ref, "no-message");
	job_free(jo);
	return (1);
}

static const char *
say_erase(struct person *pn, json_t *o)
{
	const char		*channel, *ref = "", *bad;
	struct m_read		 m = { .grant = person_grant(pn) };
	struct job		*jo;
	const struct json_field	 jf[] = {
		{ "t", JK_ANY, 1, &(json_t *){ NULL }, NULL },
		{ "channel", JK_STRING, 1, &channel, NULL },
		{ "id", JK_UINT, 1, &m.id, NULL },
		{ "ref", JK_STRING, 0, &ref, NULL },
	};

	if ((bad = json_fields(o, jf, 4)) != NULL)
		return (bad);
	if (channel_parse(channel, &m.kind, &m.a, &m.b) == -1)
		return ("channel");
	if (*ref != '\0' && !ref_valid(ref))
		return ("ref");
	if (bucket_take(&pn->pn_says, SAY_RATE, SAY_BURST) == -1) {
		person_error(pn, "too-many", ref, NULL);
		return (NULL);
	}
	if (m.kind == CHANNEL_USER)
		m.b = person_shared(pn, m.a);
	if ((jo = job_new(pn, ref)) == NULL)
		return (NULL);
	job_ask(jo, IMSG_ERASE, &m, erase_answer);
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
	{ "erase",	say_erase },
	{ "door",	say_door },
	{ "admit",	say_admit },
	{ "call",	say_call },
	{ "answer",	say_answer },
	{ "uncall",	say_uncall },
	{ "media",	say_media },
	{ "signal",	say_signal },
	{ "hand",	say_hand },
	{ "word",	say_word },
	{ "unbubble",	say_unbubble },
};

static int
is_among(const char *t, const char *const *list, size_t n)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i], t) == 0)
			return (1);
	return (0);
}

static int
for_guests(const char *t)
{
	static const char	*const list[] = {
		"enter", "leave", "status", "say", "history", "read",
		"erase", "media", "signal", "hand", "word", "unbubble",
		"call", "answer", "uncall"
	};

	return (is_among(t, list, sizeof(list) / sizeof(list[0])));
}

/* Does it ask storage?  Then it counts as a request. */
static int
is_request(const char *t)
{
	static const char	*const list[] = {
		"enter", "status", "say", "history", "read", "erase", "door",
		"admit"
	};

	return (is_among(t, list, sizeof(list) / sizeof(list[0])));
}

/* What the page calls it by, or NULL. */
static const char *
ref_of(json_t *o)
{
	const char	*ref = json_string_value(json_object_get(o, "ref"));

	return (ref != NULL && ref_valid(ref) ? ref : NULL);
}

void
office_text(struct conn *cn, const uint8_t *data, size_t len)
{
	struct person	*pn = cn->cn_person;
	const char	*t, *bad;
	json_t		*o;
	size_t		 i;

	if (pn == NULL)
		return;
	if (bucket_take(&pn->pn_texts, TEXT_RATE, TEXT_BURST) == -1) {
		person_error(pn, "too-many", NULL, NULL);
		return;
	}
	if ((o = json_parse(data, len)) == NULL) {
		person_error(pn, "json", NULL, NULL);
		return;
	}
	t = json_string_value(json_object_get(o, "t"));
	for (i = 0; t != NULL && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].wo_t, t) == 0)
			break;
	if (t == NULL || i == sizeof(words) / sizeof(words[0]))
		person_error(pn, "type", NULL, NULL);
	else if (pn->pn_conn->cn_login->lg_door)
		person_error(pn, "door", NULL, NULL);
	else if (pn->pn_conn->cn_login->lg_role == ROLE_GUEST && !for_guests(t))
		person_error(pn, "forbidden", NULL, NULL);
	else if (is_request(t) && quota_asked(cn->cn_login) != 0)
		person_error(pn, "too-many", ref_of(o), NULL);
	else if ((bad = words[i].wo_fn(pn, o)) != NULL)
		person_error(pn, "field", ref_of(o), bad);
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
		person_error(pn, "type", NULL, NULL);
		return;
	}
	if (pn->pn_avatar == NULL) {
		person_error(pn, "not-here", NULL, NULL);
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
