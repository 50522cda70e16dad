/*
 * What pages say about their talk, see talk.h; as say.c does.
 */
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "log.h"
#include "person.h"
#include "talk.h"
#include "util.h"
#include "way.h"

#define SIGNAL_RATE	10		/* a second, and at once */
#define SIGNAL_COST	(16 * 1024)	/* bytes; a longer one is several */
#define MEDIA_RATE	5		/* a second: all around are told */
#define MEDIA_BURST	15
#define CANDIDATES	32		/* of one signal */
#define OFFER_NAME	64		/* bytes: two numbers */

/* An error about somebody. */
static void
refuse(struct person *pn, const char *code, uint64_t to)
{
	person_send(pn, json_pack("{ss ss ss sI}", "t", "error", "code", code,
	    "detail", "", "to", (json_int_t)to));
}

static int
too_many(struct person *pn)
{
	if (bucket_take(&pn->pn_media, MEDIA_RATE, MEDIA_BURST) == 0)
		return (0);
	person_error(pn, "too-many", NULL, NULL);
	return (1);
}

/* As talk_why_not() has it, for the first that is asked for and not allowed. */
static int
may_send(struct person *pn, uint8_t asked)
{
	static const char	*const names[] = { "mic", "cam", "screen" };
	const char		*why;
	int			 i;

	for (i = 0; i < 3; i++)
		if ((asked & (MEDIA_MIC << i)) && (why = talk_why_not(
		    pn->pn_avatar, (uint8_t)(MEDIA_MIC << i))) != NULL) {
			person_error(pn, why, NULL, names[i]);
			return (0);
		}
	return (1);
}

const char *
say_media(struct person *pn, json_t *o)
{
	int			 hear, mic, cam, screen, listen;
	uint8_t			 media;
	const char		*bad;
	const struct json_field	 jf[] = {
		{ "t", JK_ANY, 1, &(json_t *){ NULL }, NULL },
		{ "hear", JK_BOOL, 1, &hear, NULL },
		{ "mic", JK_BOOL, 1, &mic, NULL },
		{ "cam", JK_BOOL, 1, &cam, NULL },
		{ "screen", JK_BOOL, 1, &screen, NULL },
		{ "listen", JK_BOOL, 1, &listen, NULL },
	};

	if ((bad = json_fields(o, jf, 6)) != NULL)
		return (bad);
	if (!hear && (mic || cam || screen || listen))
		return ("hear");
	if (listen && (mic || cam || screen))
		return ("listen");
	if (pn->pn_avatar == NULL) {
		person_error(pn, "not-here", NULL, NULL);
		return (NULL);
	}
	if (too_many(pn))
		return (NULL);
	media = (uint8_t)((hear ? MEDIA_HEAR : 0) | (mic ? MEDIA_MIC : 0) |
	    (cam ? MEDIA_CAM : 0) | (screen ? MEDIA_SCREEN : 0) |
	    (listen ? MEDIA_LISTEN : 0));
	if (hear)
		media |= pn->pn_avatar->av_media & (MEDIA_HAND | MEDIA_WORD);
	if (listen && !floor_rule(pn->pn_avatar->av_floor,
	    POLICY_TALK_LISTEN))
		person_error(pn, "no-right", NULL, "listen");
	else if (may_send(pn, media))
		talk_media(pn->pn_avatar, media);
	return (NULL);
}

/* RTCSessionDescriptionInit, and which offer it is the answer to. */
static int
description_valid(json_t *o)
{
	const char		*type, *sdp, *of = NULL, *bad;
	const struct json_field	 jf[] = {
		{ "type", JK_STRING, 1, &type, NULL },
		{ "sdp", JK_STRING, 1, &sdp, NULL },
		{ "of", JK_STRING, 0, &of, NULL },
	};

	if (!json_is_object(o) || (bad = json_fields(o, jf, 3)) != NULL ||
	    (of != NULL && strlen(of) > OFFER_NAME))
		return (0);
	return (strcmp(type, "offer") == 0 || strcmp(type, "answer") == 0 ||
	    strcmp(type, "rollback") == 0);
}

/* RTCIceCandidateInit. */
static int
candidate_valid(json_t *o)
{
	json_t		*v;
	const char	*key;

	if (!json_is_object(o) ||
	    !json_is_string(json_object_get(o, "candidate")))
		return (0);
	json_object_foreach(o, key, v) {
		if (strcmp(key, "sdpMLineIndex") == 0) {
			if (!json_is_integer(v) && !json_is_null(v))
				return (0);
		} else if ((strcmp(key, "candidate") != 0 &&
		    strcmp(key, "sdpMid") != 0 &&
		    strcmp(key, "usernameFragment") != 0) ||
		    (!json_is_string(v) && !json_is_null(v)))
			return (0);
	}
	return (1);
}

static int
data_valid(json_t *data)
{
	json_t	*list, *v;
	size_t	 i;

	if (json_object_size(data) != 1)
		return (0);
	if ((v = json_object_get(data, "description")) != NULL)
		return (description_valid(v));
	list = json_object_get(data, "candidates");
	if (!json_is_array(list) || json_array_size(list) > CANDIDATES)
		return (0);
	json_array_foreach(list, i, v)
		if (!candidate_valid(v))
			return (0);
	return (1);
}

/* Where nobody shall learn an address: does the signal say none? */
static int
data_relays(json_t *data)
{
	json_t	*o = json_object_get(data, "description"), *v;
	size_t	 i;

	if (o != NULL)
		return (way_sdp_relays(json_string_value(json_object_get(o,
		    "sdp"))));
	json_array_foreach(json_object_get(data, "candidates"), i, v)
		if (!way_relays(json_string_value(json_object_get(v,
		    "candidate"))))
			return (0);
	return (1);
}

/* The frame that the other one gets. */
static void
deliver(struct avatar *to, uint16_t from, const char *data)
{
	struct text	 tx;
	char		 head[48];
	struct chunk	*ck;

	(void)snprintf(head, sizeof(head), "{\"t\":\"signal\",\"from\":%u,"
	    "\"data\":", from);
	text_open(&tx, strlen(data) + sizeof(head));
	text_add(&tx, head);
	text_add(&tx, data);
	text_add(&tx, "}");
	ck = text_frame(&tx);
	person_queue(to->av_person, ck);
	chunk_free(ck);
}

/* Beyond the one it has cost: none fills the lines of the others in a talk. */
static int
signal_paid(struct person *pn, size_t len)
{
	size_t	 n;

	for (n = 0; n < len / SIGNAL_COST; n++)
		if (bucket_take(&pn->pn_signals, SIGNAL_RATE,
		    SIGNAL_RATE) == -1)
			return (0);
	return (1);
}

static void
send_signal(struct person *pn, struct avatar *to, json_t *data)
{
	char	*text = json_dumps(data, JSON_COMPACT);

	if (text == NULL)
		refuse(pn, "unavailable", to->av_id);
	else if (strlen(text) > MAX_SIGNAL)
		refuse(pn, "too-long", to->av_id);
	else if (!signal_paid(pn, strlen(text)))
		refuse(pn, "too-many", to->av_id);
	else if (to->av_person != NULL)
		deliver(to, pn->pn_avatar->av_id, text);
	else
		bus_signal(pn->pn_avatar, to, text);
	free(text);
}

const char *
say_signal(struct person *pn, json_t *o)
{
	struct avatar		*to;
	uint64_t		 id;
	json_t			*data;
	const char		*bad;
	const struct json_field	 jf[] = {
		{ "t", JK_ANY, 1, &(json_t *){ NULL }, NULL },
		{ "to", JK_UINT, 1, &id, NULL },
		{ "data", JK_ANY, 1, &data, NULL },
	};

	if ((bad = json_fields(o, jf, 3)) != NULL)
		return (bad);
	if (!data_valid(data))
		return ("data");
	if (bucket_take(&pn->pn_signals, SIGNAL_RATE, SIGNAL_RATE) == -1)
		refuse(pn, "too-many", id);
	else if (pn->pn_avatar == NULL)
		person_error(pn, "not-here", NULL, NULL);
	else if ((to = avatar_numbered(pn->pn_avatar->av_floor, id)) == NULL ||
	    !talk_peers(pn->pn_avatar, to))
		refuse(pn, "no-peer", id);
	else if (floor_way(to->av_floor) != WAY_DIRECT && !data_relays(data))
		refuse(pn, "not-relay", id);
	else
		send_signal(pn, to, data);
	return (NULL);
}

int
signal_told(struct peer *pe, struct floor *fl, const struct m_bus_signal *m)
{
	struct avatar	*from = avatar_numbered(fl, m->from);
	struct avatar	*to = avatar_numbered(fl, m->to);

	if (m->from >> 12 != pe->pe_inst)
		return (-1);
	if (from != NULL && to != NULL && to->av_person != NULL &&
	    talk_peers(to, from))
		deliver(to, m->from, m->data);
	return (0);
}

static int
on_stage(const struct avatar *av)
{
	const struct map_room	*rm = map_room(av->av_floor->fl_map,
				    av->av_room);

	return (rm != NULL && rm->rm_kind == ROOM_STAGE &&
	    (av->av_media & MEDIA_HEAR));
}

static int
stage_empty(const struct avatar *me)
{
	const struct avatar	*av;

	TAILQ_FOREACH(av, &me->av_floor->fl_avatars, av_floor_entry)
		if (av->av_room == me->av_room && (av->av_media & MEDIA_WORD))
			return (0);
	return (1);
}

/* With nobody on the stage, and for an administrator, a hand is the word. */
const char *
say_hand(struct person *pn, json_t *o)
{
	struct avatar		*me = pn->pn_avatar;
	uint8_t			 media;
	int			 up;
	const char		*bad;
	const struct json_field	 jf[] = {
		{ "t", JK_ANY, 1, &(json_t *){ NULL }, NULL },
		{ "up", JK_BOOL, 1, &up, NULL },
	};

	if ((bad = json_fields(o, jf, 2)) != NULL)
		return (bad);
	if (me == NULL || !on_stage(me)) {
		person_error(pn, me == NULL ? "not-here" : "no-stage", NULL,
		    NULL);
		return (NULL);
	}
	if (too_many(pn))
		return (NULL);
	media = me->av_media;
	if (up && !(media & MEDIA_WORD) && (stage_empty(me) ||
	    pn->pn_conn->cn_login->lg_role == ROLE_ADMIN))
		talk_word(me, me, 1);
	else if (!(media & MEDIA_WORD))
		talk_media(me, up ? media | MEDIA_HAND :
		    media & (uint8_t)~MEDIA_HAND);
	return (NULL);
}

const char *
say_word(struct person *pn, json_t *o)
{
	struct avatar		*me = pn->pn_avatar, *to;
	uint64_t		 id;
	int			 on;
	const char		*bad;
	const struct json_field	 jf[] = {
		{ "t", JK_ANY, 1, &(json_t *){ NULL }, NULL },
		{ "to", JK_UINT, 1, &id, NULL },
		{ "on", JK_BOOL, 1, &on, NULL },
	};

	if ((bad = json_fields(o, jf, 3)) != NULL)
		return (bad);
	if (me == NULL || !on_stage(me))
		person_error(pn, me == NULL ? "not-here" : "no-stage", NULL,
		    NULL);
	else if ((to = avatar_numbered(me->av_floor, id)) == NULL ||
	    to->av_room != me->av_room || !(to->av_media & MEDIA_HEAR))
		refuse(pn, "no-peer", id);
	else if (!(me->av_media & MEDIA_WORD))
		refuse(pn, "listener", id);
	else if (!too_many(pn))
		talk_word(me, to, on);
	return (NULL);
}

const char *
say_unbubble(struct person *pn, json_t *o)
{
	const char		*bad;
	const struct json_field	 jf[] = {
		{ "t", JK_ANY, 1, &(json_t *){ NULL }, NULL },
	};

	if ((bad = json_fields(o, jf, 1)) != NULL)
		return (bad);
	if (pn->pn_avatar != NULL)
		talk_unbubble(pn->pn_avatar);
	return (NULL);
}
