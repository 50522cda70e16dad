#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "call.h"
#include "log.h"
#include "person.h"
#include "talk.h"
#include "tick.h"
#include "util.h"

#define CLOSE_ENDED	4001
#define NEWS_MAX	256		/* that wait at one time */
#define NEWS_PER_MS	10		/* people told in a millisecond */

/* All of one floor's news that come one after the other, as one chunk. */
static struct chunk *
news_take(struct office *of, uint32_t floor)
{
	struct news	*ne;
	struct chunk	*ck;
	size_t		 len = 0;

	STAILQ_FOREACH(ne, &of->of_news, ne_entry) {
		if (ne->ne_floor != floor)
			break;
		len += ne->ne_chunk->ck_len;
	}
	ck = chunk_new(len);
	len = 0;
	while ((ne = STAILQ_FIRST(&of->of_news)) != NULL &&
	    ne->ne_floor == floor) {
		STAILQ_REMOVE_HEAD(&of->of_news, ne_entry);
		of->of_nnews--;
		if (ck != NULL)
			memcpy(ck->ck_data + len, ne->ne_chunk->ck_data,
			    ne->ne_chunk->ck_len);
		len += ne->ne_chunk->ck_len;
		chunk_free(ne->ne_chunk);
		free(ne);
	}
	return (ck);
}

void
office_news(struct office *of)
{
	struct news	*ne;
	struct person	*pn;
	struct chunk	*ck;
	uint32_t	 floor;

	while ((ne = STAILQ_FIRST(&of->of_news)) != NULL) {
		floor = ne->ne_floor;
		ck = news_take(of, floor);
		TAILQ_FOREACH(pn, &of->of_persons, pn_entry)
			if (pn->pn_hello && person_sees(pn, floor))
				person_queue(pn, ck);
		chunk_free(ck);
	}
	of->of_told = mono_ms();
}

static void
news_event(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	office_news(arg);
}

/*
 * After silence news leave when this turn is over; then they gather, longer
 * where more people must be told, so that telling stays a small part of time.
 */
static void
news_wake(struct office *of)
{
	struct timeval	 tv = { 0, 0 };
	uint64_t	 now = mono_ms(), next;

	next = of->of_told + TICK_MS + of->of_npersons / NEWS_PER_MS;
	if (!evtimer_initialized(&of->of_timer))
		evtimer_set(&of->of_timer, news_event, of);
	if (evtimer_pending(&of->of_timer, NULL))
		return;
	if (next > now) {
		tv.tv_sec = (time_t)((next - now) / 1000);
		tv.tv_usec = (suseconds_t)((next - now) % 1000) * 1000;
	}
	evtimer_add(&of->of_timer, &tv);
}

/*
 * To all who may see the floor; takes the chunk.  What is said of somebody
 * replaces what has not left yet, or comes after it: pages keep the last word.
 */
static void
tell_seeing(struct office *of, uint32_t floor, uint32_t user, int gone,
    struct chunk *ck)
{
	struct news	*ne;

	if (ck == NULL)
		return;
	STAILQ_FOREACH(ne, &of->of_news, ne_entry) {
		if (ne->ne_user != user)
			continue;
		if (ne->ne_floor == floor && !gone) {
			chunk_free(ne->ne_chunk);
			ne->ne_chunk = ck;
			return;
		}
		break;
	}
	if (ne != NULL || of->of_nnews == NEWS_MAX)
		office_news(of);
	if ((ne = malloc(sizeof(*ne))) == NULL) {
		chunk_free(ck);
		return;
	}
	ne->ne_chunk = ck;
	ne->ne_floor = floor;
	ne->ne_user = user;
	STAILQ_INSERT_TAIL(&of->of_news, ne, ne_entry);
	of->of_nnews++;
	news_wake(of);
}

/* To all of ours on the floor, but for one; takes the chunk. */
static void
tell_floor(struct floor *fl, const struct avatar *but, struct chunk *ck)
{
	tick_words(fl, 0, but == NULL ? 0 : but->av_id, ck);
	chunk_free(ck);
}

/* What is said of somebody in more than one place is put into words once. */
static const char *
avatar_text(struct avatar *av)
{
	json_t	*o;

	if (av->av_text != NULL)
		return (av->av_text);
	o = json_pack("{sI ss so ss ss}", "user", (json_int_t)av->av_user,
	    "name", av->av_name, "look", json_look(av->av_look), "status",
	    status_name(av->av_status), "note", av->av_note);
	if (av->av_guest)
		(void)json_object_set_new(o, "guest", json_true());
	if (o != NULL)
		av->av_text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return (av->av_text);
}

/* {before, what is said everywhere, after} */
static void
avatar_add(struct text *tx, struct avatar *av, const char *before,
    const char *after)
{
	const char	*text = avatar_text(av);
	size_t		 len;

	text_add(tx, before);
	if (tx->tx_bad || text == NULL || (len = strlen(text)) < 2 ||
	    ibuf_add(tx->tx_buf, text + 1, len - 2) == -1)
		tx->tx_bad = 1;
	text_add(tx, after);
}

static void
presence_add(struct text *tx, struct avatar *av, const char *before)
{
	char	 after[48];

	(void)snprintf(after, sizeof(after), ",\"floor\":%u,\"room\":%u}",
	    av->av_floor->fl_id, av->av_room);
	avatar_add(tx, av, before, after);
}

void
office_presence(struct text *tx, struct avatar *av)
{
	presence_add(tx, av, "{");
}

void
office_person(struct text *tx, struct avatar *av)
{
	char		 before[16], after[96];
	uint64_t	 now = mono_ms();
	int		 x, y, n;

	avatar_at(av, now, &x, &y);
	(void)snprintf(before, sizeof(before), "{\"id\":%u,", av->av_id);
	n = snprintf(after, sizeof(after), ",\"x\":%d,\"y\":%d,\"room\":%u", x,
	    y, av->av_room);
	if (leg_end_time(&av->av_leg) > now)
		n += snprintf(after + n, sizeof(after) - (size_t)n,
		    ",\"tx\":%d,\"ty\":%d", av->av_leg.x1, av->av_leg.y1);
	(void)snprintf(after + n, sizeof(after) - (size_t)n, "}");
	avatar_add(tx, av, before, after);
}

static struct chunk *
frame_update(struct avatar *av)
{
	struct text	 tx;

	text_open(&tx, 512);
	presence_add(&tx, av, "{\"t\":\"update\",");
	return (text_frame(&tx));
}

static struct chunk *
frame_gone(const struct avatar *av)
{
	return (frame_json(json_pack("{ss sI}", "t", "gone", "user",
	    (json_int_t)av->av_user)));
}

void
office_changed(struct avatar *av)
{
	free(av->av_text);
	av->av_text = NULL;
	tell_seeing(av->av_floor->fl_office, av->av_floor->fl_id, av->av_user,
	    0, frame_update(av));
}

void
office_show(struct text *tx, struct avatar *av, int sees)
{
	struct chunk	*ck = sees ? frame_update(av) : frame_gone(av);

	if (ck == NULL || tx->tx_bad ||
	    ibuf_add(tx->tx_buf, ck->ck_data, ck->ck_len) == -1)
		tx->tx_bad = 1;
	chunk_free(ck);
}

void
office_joined(struct avatar *av)
{
	struct text	 tx;

	office_changed(av);
	text_open(&tx, 512);
	text_add(&tx, "{\"t\":\"join\",\"person\":");
	office_person(&tx, av);
	text_add(&tx, "}");
	tell_floor(av->av_floor, av, text_frame(&tx));
}

/* Who may look at the floor it leaves, not at the other, loses sight of it. */
static void
tell_moved(struct avatar *av, uint32_t to)
{
	struct office	*of = av->av_floor->fl_office;
	struct chunk	*ck = NULL;
	struct person	*pn;

	TAILQ_FOREACH(pn, &of->of_persons, pn_entry) {
		if (!pn->pn_hello || person_sees(pn, to) ||
		    !person_sees(pn, av->av_floor->fl_id))
			continue;
		if (ck == NULL) {
			office_news(of);
			ck = frame_gone(av);
		}
		person_queue(pn, ck);
	}
	chunk_free(ck);
}

void
office_left(struct avatar *av, uint32_t to)
{
	tell_floor(av->av_floor, av, frame_json(json_pack("{ss si}", "t",
	    "left", "id", av->av_id)));
	call_lost(av->av_floor->fl_office, av->av_user, to == 0);
	if (to == 0)
		tell_seeing(av->av_floor->fl_office, av->av_floor->fl_id,
		    av->av_user, 1, frame_gone(av));
	else if (to != av->av_floor->fl_id)
		tell_moved(av, to);
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

json_t *
office_door_now(const struct floor *fl, uint8_t room)
{
	const struct door	*dr = &fl->fl_doors[room];

	return (json_pack("{ss si ss sI}", "t", "door", "room", room, "state",
	    room_state_name(dr->do_state), "by", (json_int_t)dr->do_by));
}

void
office_door(struct floor *fl, uint8_t room)
{
	tell_floor(fl, NULL, frame_json(office_door_now(fl, room)));
}

void
office_rules(struct floor *fl)
{
	/* Who comes from now on finds it as it is. */
	if (fl->fl_local == 0)
		return;
	tell_floor(fl, NULL, frame_json(json_pack("{ss sI}", "t", "rules",
	    "floor", (json_int_t)fl->fl_id)));
	talk_rules(fl);
}

void
office_bubbles(struct floor *fl)
{
	tell_floor(fl, NULL, frame_json(json_pack("{ss so}", "t", "bubbles",
	    "list", talk_bubbles(fl))));
}

void
office_tick(struct avatar *av, struct chunk *ck)
{
	if (conn_slow(av->av_person->pn_conn))
		av->av_person->pn_resync = 1;
	else
		person_queue(av->av_person, ck);
}

/* It reads again: where everybody is now, instead of all the ticks. */
void
office_drained(struct conn *cn)
{
	struct person	*pn = cn->cn_person;
	struct chunk	*ck;

	if (pn == NULL)
		return;
	knock_more(pn);
	if (!pn->pn_resync || pn->pn_avatar == NULL)
		return;
	pn->pn_resync = 0;
	ck = tick_snapshot(pn->pn_avatar->av_floor);
	person_queue(pn, ck);
	chunk_free(ck);
}

static struct chunk *
frame_message(const struct m_bus_msg *m, uint32_t other)
{
	struct m_message	 mm = { m->id, m->at, m->from, m->guest,
				    m->name, m->text };
	char			 channel[40];
	json_t			*o;

	channel_name(channel, sizeof(channel), m->kind,
	    m->kind == CHANNEL_USER ? other : m->a, m->b);
	o = json_message(channel, &mm);
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
office_words(struct floor *fl, uint8_t room, uint16_t but, struct chunk *ck)
{
	struct avatar	*av;

	TAILQ_FOREACH(av, &fl->fl_ours, av_ours_entry)
		if (av->av_id != but && (room == 0 || av->av_room == room))
			person_queue(av->av_person, ck);
}

static struct chunk *
frame_erased(const struct m_bus_erased *m, uint32_t other)
{
	char	 channel[40];

	channel_name(channel, sizeof(channel), m->kind,
	    m->kind == CHANNEL_USER ? other : m->a, m->b);
	return (frame_json(json_pack("{ss ss sI}", "t", "erased", "channel",
	    channel, "id", (json_int_t)m->id)));
}

/* Who was in the room may have it still: the whole floor is told. */
void
office_erased(const struct m_bus_erased *m)
{
	struct office	*of = office_get(m->tenant);
	struct chunk	*mine, *his;
	struct person	*pn;
	struct floor	*fl;
	uint32_t	 user;

	if (of == NULL)
		return;
	mine = frame_erased(m, m->a);
	his = frame_erased(m, m->from);
	if (m->kind != CHANNEL_USER) {
		if ((fl = floor_find(of, m->a)) != NULL) {
			tick_words_leave(fl);
			office_words(fl, 0, 0, mine);
		}
	} else TAILQ_FOREACH(pn, &of->of_persons, pn_entry) {
		user = pn->pn_conn->cn_login->lg_user;
		if (user == m->from)
			person_queue(pn, mine);
		else if (user == m->a)
			person_queue(pn, his);
	}
	chunk_free(mine);
	chunk_free(his);
}

/* Of a pair, with is the other one for whom it is made. */
static struct chunk *
frame_cleared(const struct m_bus_cleared *m, uint32_t with)
{
	json_t	*o = json_pack("{ss sI sI sI}", "t", "cleared", "from",
		    (json_int_t)m->from, "to", (json_int_t)m->to, "last",
		    (json_int_t)m->last);
	char	 channel[40];

	switch (m->what) {
	case ERASE_NAMES:
	case ERASE_PERSON:
	case ERASE_DIRECT:
		(void)json_object_set_new(o, "user", json_integer(m->a));
		(void)json_object_set_new(o, "messages", json_string(
		    m->what == ERASE_PERSON ? "erase" : m->what ==
		    ERASE_NAMES ? "unname" : "keep"));
		break;
	case ERASE_FLOOR:
		(void)json_object_set_new(o, "floor", json_integer(m->a));
		break;
	case ERASE_PAIR:
		channel_name(channel, sizeof(channel), CHANNEL_USER, with, 0);
		(void)json_object_set_new(o, "channel", json_string(channel));
		break;
	default:
		(void)json_object_set_new(o, "direct",
		    json_boolean(m->what == ERASE_ALL));
		break;
	}
	return (frame_json(o));
}

void
office_cleared(const struct m_bus_cleared *m)
{
	struct office	*of = office_get(m->tenant);
	struct chunk	*mine, *his;
	struct person	*pn;
	struct floor	*fl;
	uint32_t	 user;

	if (of == NULL)
		return;
	RB_FOREACH(fl, floor_tree, &of->of_floors)
		tick_words_leave(fl);
	mine = frame_cleared(m, m->b);
	his = frame_cleared(m, m->a);
	if (m->what == ERASE_FLOOR) {
		if ((fl = floor_find(of, m->a)) != NULL)
			office_words(fl, 0, 0, mine);
	} else TAILQ_FOREACH(pn, &of->of_persons, pn_entry) {
		user = pn->pn_conn->cn_login->lg_user;
		if (m->what != ERASE_PAIR || user == m->a)
			person_queue(pn, mine);
		else if (user == m->b)
			person_queue(pn, his);
	}
	chunk_free(mine);
	chunk_free(his);
}

void
office_deliver(struct office *of, const struct m_bus_msg *m)
{
	struct floor	*fl;
	struct chunk	*ck;

	if (m->kind == CHANNEL_USER) {
		deliver_direct(of, m);
		return;
	}
	if ((fl = floor_find(of, m->a)) == NULL || fl->fl_local == 0)
		return;
	ck = frame_message(m, 0);
	tick_words(fl, m->kind == CHANNEL_ROOM ? (uint8_t)m->b : 0, 0, ck);
	chunk_free(ck);
}

void
office_ended(uint32_t tenant, uint32_t user, struct login *lg,
    enum grant_end why)
{
	static const char	*const reasons[END_MAX] = {
		[END_SIGNOUT] = "signed-out", [END_ENDED] = "ended",
		[END_SUSPENDED] = "suspended", [END_EXPIRED] = "ended",
		[END_MUST] = "must", [END_ADDRESS] = "address",
		[END_REFUSED] = "refused", [END_LATE] = "unanswered",
		[END_REVOKED] = "revoked", [END_RENEW] = "ended"
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

/* What one may, where the page has been told before. */
static void
tell_can(struct person *pn)
{
	if (pn->pn_hello)
		person_send(pn, json_pack("{ss so}", "t", "rights", "can",
		    json_can(pn->pn_conn->cn_login->lg_can)));
}

/* Storage was away; it may have changed its mind about floors and rights. */
void
office_renewed(struct login *lg)
{
	struct office	*of = office_get(lg->lg_tenant);
	struct floor	*fl;
	struct person	*pn;

	if (of == NULL)
		return;
	/* What is behind "missed" is what was said since. */
	RB_FOREACH(fl, floor_tree, &of->of_floors)
		tick_words_leave(fl);
	/*
	 * Storage may have ended between keeping a message and telling it, and
	 * before it has written where they are.
	 */
	TAILQ_FOREACH(pn, &of->of_persons, pn_entry)
		if (pn->pn_conn->cn_login == lg && !lg->lg_door) {
			tell_can(pn);
			person_floors(pn);
			person_send(pn, json_pack("{ss}", "t", "missed"));
			if (pn->pn_avatar != NULL)
				office_save(pn->pn_avatar);
		}
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

/*
 * Questions of pages to storage where they may be, those under way when a
 * fence came in fe_asks[!fe_now]: they may have been answered before what the
 * fence is about.
 */
static struct {
	uint32_t	 fe_number, fe_next;	/* this one, and after it */
	unsigned int	 fe_asks[2];
	uint8_t		 fe_now;
} fence;

static void
fence_turn(void)
{
	struct m_fence	 m;

	while (fence.fe_asks[!fence.fe_now] == 0) {
		m.number = fence.fe_number;
		if (m.number != 0)
			(void)proc_send(proc_peer(PROC_STORAGE, 0),
			    IMSG_FENCED, 0, -1, &m);
		fence.fe_number = fence.fe_next;
		fence.fe_next = 0;
		if (fence.fe_number == 0)
			break;
		fence.fe_now = !fence.fe_now;
	}
}

void
office_fence(uint32_t number)
{
	if (number == 0)
		fence.fe_number = 0;
	fence.fe_next = number;
	if (fence.fe_number == 0)
		fence_turn();
}

void
office_asks(struct person *pn)
{
	if (pn->pn_counted)
		return;
	pn->pn_counted = 1;
	pn->pn_fence = fence.fe_now;
	fence.fe_asks[pn->pn_fence]++;
}

void
office_asked(struct person *pn)
{
	if (!pn->pn_counted)
		return;
	pn->pn_counted = 0;
	fence.fe_asks[pn->pn_fence]--;
	fence_turn();
}

void
office_rights(uint32_t tenant)
{
	struct office	*of = office_get(tenant);
	struct person	*pn;

	if (of == NULL)
		return;
	TAILQ_FOREACH(pn, &of->of_persons, pn_entry)
		if (!pn->pn_conn->cn_login->lg_door)
			person_floors(pn);
}

/* The rules of the tenant that a talk goes by: told on all its floors. */
void
office_policy(const struct tenant *tn, const struct policy *was)
{
	static const enum policy_key	 keys[] = {
		POLICY_TALK_WAY, POLICY_TALK_LISTEN, POLICY_TALK_HIDDEN
	};
	struct office	*of;
	struct floor	*fl;
	size_t		 i, changed = 0;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		changed += was->po_value[keys[i]] !=
		    tn->tn_policy.po_value[keys[i]];
	if (changed == 0 || (of = office_get(tn->tn_id)) == NULL)
		return;
	RB_FOREACH(fl, floor_tree, &of->of_floors)
		office_rules(fl);
}

void
office_role(const struct m_role *m)
{
	struct office	*of = office_get(m->tenant);
	struct person	*pn;

	if (of == NULL)
		return;
	TAILQ_FOREACH(pn, &of->of_persons, pn_entry)
		if (pn->pn_conn->cn_login->lg_role == m->role) {
			tell_can(pn);
			knock_show(pn);
			if (pn->pn_avatar != NULL)
				talk_check(pn->pn_avatar);
		}
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
	/*
	 * The worker of the avatar says it to the others: to them storage's
	 * word can come before the avatar, which then has the old name.
	 */
	if ((av = avatar_find(of, m->user)) == NULL || av->av_person == NULL)
		return;
	av->av_look = m->look;
	av->av_status = m->status;
	(void)text_set(&av->av_name, m->name);
	(void)text_set(&av->av_note, m->note);
	office_changed(av);
	bus_joined(av);
	talk_check(av);
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
