#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "log.h"
#include "person.h"
#include "talk.h"
#include "util.h"

#define SLACK		300	/* cm that another worker may know better */

uint8_t
talk_room_kind(const struct avatar *av)
{
	const struct map_room	*rm;

	if (av->av_room == 0 || av->av_floor->fl_map == NULL ||
	    (rm = map_room(av->av_floor->fl_map, av->av_room)) == NULL)
		return (ROOM_MEETING);
	return (rm->rm_kind);
}

/* In a quiet room nobody talks, whatever the page does. */
int
talk_takes_part(const struct avatar *av)
{
	return ((av->av_media & MEDIA_HEAR) &&
	    talk_room_kind(av) != ROOM_QUIET);
}

static int
only_listens(const struct avatar *av)
{
	return ((av->av_media & MEDIA_LISTEN) ||
	    (talk_room_kind(av) == ROOM_STAGE && !(av->av_media & MEDIA_WORD)));
}

void
talk_ear(const struct avatar *av, uint64_t now, struct ear *ea)
{
	memset(ea, 0, sizeof(*ea));
	ea->ea_id = av->av_id;
	ea->ea_bubble = av->av_bubble;
	ea->ea_room = av->av_room;
	ea->ea_listens = (uint8_t)only_listens(av);
	ea->ea_sends = (av->av_media & MEDIA_SENDS) != 0;
	ea->ea_since = av->av_since;
	ea->ea_late = now - av->av_since < EARSHOT_SOON;
	avatar_at(av, now, &ea->ea_x, &ea->ea_y);
}

/*
 * What holds of a pair: as the leader says, if it can be so.
 */
static int
is_near(const struct avatar *a, const struct avatar *b, int bubbles)
{
	uint64_t	 now = mono_ms();
	struct ear	 ea, eb;

	if (a->av_floor != b->av_floor || !talk_takes_part(a) ||
	    !talk_takes_part(b))
		return (0);
	talk_ear(a, now, &ea);
	talk_ear(b, now, &eb);
	if (!bubbles)
		ea.ea_bubble = eb.ea_bubble = 0;
	return (earshot_near(a->av_floor->fl_map, &ea, &eb, SLACK));
}

int
talk_can_be(const struct avatar *a, const struct avatar *b)
{
	return (is_near(a, b, 1));
}

int
talk_near(const struct avatar *a, const struct avatar *b)
{
	return (is_near(a, b, 0));
}

int
talk_peers(const struct avatar *a, const struct avatar *b)
{
	const struct pair	*p;

	if (a == b || !talk_can_be(a, b))
		return (0);
	p = pairs_find(&a->av_floor->fl_pairs, a->av_id, b->av_id);
	return (p != NULL && p->pr_state == PAIR_JOINED);
}

/*
 * Telling pages.
 */

static json_t *
json_with(const struct avatar *me, const struct avatar *av)
{
	const char	*way = only_listens(me) ? "hear" :
			    only_listens(av) ? "heard" : "both";

	return (json_pack("{si ss sb sb sb}", "id", av->av_id, "way", way,
	    "mic", (av->av_media & MEDIA_MIC) != 0, "cam",
	    (av->av_media & MEDIA_CAM) != 0, "screen",
	    (av->av_media & MEDIA_SCREEN) != 0));
}

static json_t *
json_soon(const struct pair *p, const struct avatar *av)
{
	uint64_t	 now = mono_ms(), at = p->pr_since + EARSHOT_SOON;

	return (json_pack("{si si}", "id", av->av_id, "ms",
	    at > now ? (int)(at - now) : 0));
}

/* Who has these bits, of those in the room. */
static json_t *
json_ids_with(const struct avatar *me, uint8_t bits)
{
	const struct avatar	*av;
	json_t			*list = json_array();

	TAILQ_FOREACH(av, &me->av_floor->fl_avatars, av_floor_entry)
		if (av->av_room == me->av_room && (av->av_media & bits))
			(void)json_array_append_new(list,
			    json_integer(av->av_id));
	return (list);
}

static json_t *
json_bubble(const struct avatar *me)
{
	const struct avatar	*av;
	json_t			*list = json_array();

	TAILQ_FOREACH(av, &me->av_floor->fl_avatars, av_floor_entry)
		if (me->av_bubble != 0 && av->av_bubble == me->av_bubble &&
		    av != me)
			(void)json_array_append_new(list,
			    json_integer(av->av_id));
	return (list);
}

static void
tell(struct avatar *me)
{
	const struct pair	*p;
	struct avatar		*av;
	json_t			*with = json_array(), *soon = json_array(), *o;
	size_t			 i;

	me->av_told = 1;
	for (i = 0; i < me->av_floor->fl_pairs.ps_n; i++) {
		p = &me->av_floor->fl_pairs.ps_list[i];
		if ((p->pr_a != me->av_id && p->pr_b != me->av_id) ||
		    (av = avatar_numbered(me->av_floor, p->pr_a == me->av_id ?
		    p->pr_b : p->pr_a)) == NULL || !talk_can_be(me, av))
			continue;
		if (p->pr_state == PAIR_JOINED)
			(void)json_array_append_new(with, json_with(me, av));
		else if (p->pr_state == PAIR_SOON)
			(void)json_array_append_new(soon, json_soon(p, av));
	}
	o = json_pack("{ss s{sb sb sb sb sb} so so sb so ss}", "t", "talk",
	    "me", "hear", (me->av_media & MEDIA_HEAR) != 0, "mic",
	    (me->av_media & MEDIA_MIC) != 0, "cam",
	    (me->av_media & MEDIA_CAM) != 0, "screen",
	    (me->av_media & MEDIA_SCREEN) != 0, "listen",
	    (me->av_media & MEDIA_LISTEN) != 0, "with", with, "soon", soon,
	    "full", me->av_full, "bubble", json_bubble(me), "place",
	    me->av_room == 0 ? "open" : "room");
	if (talk_room_kind(me) == ROOM_STAGE)
		(void)json_object_set_new(o, "stage", json_pack("{so so}",
		    "speakers", json_ids_with(me, MEDIA_WORD), "hands",
		    json_ids_with(me, MEDIA_HAND)));
	person_send(me->av_person, o);
}

/* Each who is to be told, once; what this changes is told as well. */
void
talk_tell(struct floor *fl)
{
	struct avatar	*av;

	TAILQ_FOREACH(av, &fl->fl_ours, av_ours_entry)
		if (!av->av_told && (av->av_media & MEDIA_HEAR))
			talk_check(av);
	TAILQ_FOREACH(av, &fl->fl_ours, av_ours_entry)
		if (!av->av_told)
			tell(av);
}

void
talk_changed(struct floor *fl, uint16_t id)
{
	struct avatar	*av;

	TAILQ_FOREACH(av, &fl->fl_ours, av_ours_entry)
		if (av->av_id == id)
			av->av_told = 0;
}

/* All of ours who have to do with this one. */
void
talk_changed_around(struct avatar *av)
{
	const struct pairs	*ps = &av->av_floor->fl_pairs;
	struct avatar		*other;
	size_t			 i;

	if (av->av_person != NULL)
		av->av_told = 0;
	for (i = 0; i < ps->ps_n; i++) {
		if (ps->ps_list[i].pr_a == av->av_id)
			talk_changed(av->av_floor, ps->ps_list[i].pr_b);
		else if (ps->ps_list[i].pr_b == av->av_id)
			talk_changed(av->av_floor, ps->ps_list[i].pr_a);
	}
	if (talk_room_kind(av) != ROOM_STAGE)
		return;
	TAILQ_FOREACH(other, &av->av_floor->fl_ours, av_ours_entry)
		if (other->av_room == av->av_room &&
		    (other->av_media & MEDIA_HEAR))
			other->av_told = 0;
}

/*
 * The log: who with whom and when, from when one of the two has sent until
 * they part.  Each worker writes for those of its own.
 */
static void
log_side(const struct avatar *av, enum access_kind kind, uint32_t user)
{
	if (av != NULL && av->av_person != NULL)
		access_talk(av->av_person->pn_conn->cn_login, kind,
		    av->av_floor->fl_id, user);
}

void
talk_log(struct floor *fl, struct pair *p, int ended)
{
	const struct avatar	*a, *b;

	if (ended ? !p->pr_logged : p->pr_logged || p->pr_state != PAIR_JOINED)
		return;
	if ((a = avatar_numbered(fl, p->pr_a)) == NULL ||
	    (b = avatar_numbered(fl, p->pr_b)) == NULL ||
	    (!ended && !((a->av_media | b->av_media) & MEDIA_SENDS)))
		return;
	p->pr_logged = !ended;
	log_side(a, ended ? ACCESS_TALKED : ACCESS_TALK, b->av_user);
	log_side(b, ended ? ACCESS_TALKED : ACCESS_TALK, a->av_user);
}

/*
 * What one may send.
 */

/* Not more cameras than fit: who came last has none. */
static int
camera_over(const struct avatar *me)
{
	const struct avatar	*av;
	unsigned int		 before = 0;

	TAILQ_FOREACH(av, &me->av_floor->fl_avatars, av_floor_entry)
		if (av != me && (av->av_media & MEDIA_CAM) &&
		    talk_peers(me, av) && (av->av_since < me->av_since ||
		    (av->av_since == me->av_since && av->av_id < me->av_id)))
			before++;
	return (before >= TALK_CAMERAS);
}

const char *
talk_why_not(const struct avatar *av, uint8_t bit)
{
	uint8_t	 right = bit == MEDIA_MIC ? RIGHT_VOICE : bit == MEDIA_CAM ?
		    RIGHT_VIDEO : RIGHT_SCREEN;

	if (!person_may(av->av_person, right) ||
	    (av->av_floor->fl_can & right) == 0)
		return ("no-right");
	if (talk_room_kind(av) == ROOM_QUIET)
		return ("quiet");
	if (only_listens(av))
		return ("listener");
	if (av->av_status == STATUS_AWAY || av->av_status == STATUS_DND)
		return ("status");
	return (bit == MEDIA_CAM && camera_over(av) ? "full" : NULL);
}

/*
 * What changes a talk.
 */

static void
ears_count(struct avatar *av, uint8_t was)
{
	if ((av->av_media & MEDIA_HEAR) && !(was & MEDIA_HEAR)) {
		av->av_since = mono_ms();
		av->av_floor->fl_ears++;
	} else if (!(av->av_media & MEDIA_HEAR) && (was & MEDIA_HEAR)) {
		av->av_full = 0;
		av->av_floor->fl_ears--;
	}
}

void
talk_media(struct avatar *av, uint8_t media)
{
	uint8_t	 was = av->av_media;

	av->av_media = media;
	ears_count(av, was);
	talk_changed_around(av);
	if (was != media)
		bus_joined(av);
	talk_answer(av->av_floor);
}

void
talk_told(struct avatar *av, const struct m_bus_join *m, uint64_t since)
{
	uint8_t		 was = av->av_media;
	uint16_t	 bubble = av->av_bubble;

	av->av_media = m->media;
	av->av_bubble = m->bubble;
	ears_count(av, was);
	av->av_since = since;
	talk_changed_around(av);
	talk_wake(av->av_floor);
	if (bubble != av->av_bubble)
		office_bubbles(av->av_floor);
}

/* The place in a room's talk is that of who has come; a stage is left. */
void
talk_room(struct avatar *av)
{
	if (!(av->av_media & MEDIA_HEAR))
		return;
	if (av->av_person != NULL) {
		av->av_since = mono_ms();
		av->av_media &= (uint8_t)~(MEDIA_WORD | MEDIA_HAND);
		talk_check(av);
		av->av_told = 0;
	}
	talk_wake(av->av_floor);
}

void
talk_check(struct avatar *av)
{
	uint8_t	 bit, media = av->av_media;

	if (av->av_person == NULL)
		return;
	/* Who listened where no more can talk leaves the talk. */
	if ((media & MEDIA_LISTEN) &&
	    !floor_rule(av->av_floor, POLICY_TALK_LISTEN))
		media = 0;
	for (bit = MEDIA_MIC; bit <= MEDIA_SCREEN; bit <<= 1)
		if ((media & bit) && talk_why_not(av, bit) != NULL)
			media &= (uint8_t)~bit;
	if (media != av->av_media)
		talk_media(av, media);
}

void
talk_rules(struct floor *fl)
{
	struct avatar	*av;

	TAILQ_FOREACH(av, &fl->fl_ours, av_ours_entry)
		talk_check(av);
}

void
talk_left(struct avatar *av)
{
	struct floor	*fl = av->av_floor;
	struct pairs	*ps = &fl->fl_pairs;
	size_t		 i = ps->ps_n;

	if (av->av_media & MEDIA_HEAR)
		talk_changed_around(av);
	while (i-- > 0) {
		if (ps->ps_list[i].pr_a != av->av_id &&
		    ps->ps_list[i].pr_b != av->av_id)
			continue;
		talk_log(fl, &ps->ps_list[i], 1);
		pairs_remove(ps, &ps->ps_list[i]);
	}
	av->av_told = 1;
	if (av->av_media & MEDIA_HEAR)
		fl->fl_ears--;
	/* Without anybody of ours we know of no pairs, and lead nobody. */
	if (av->av_person != NULL && fl->fl_local == 1) {
		pairs_free(ps);
		fl->fl_leads = 0;
	}
	talk_wake(fl);
}
