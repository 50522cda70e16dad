/*
 * Private bubbles and stages; see talk.h.
 */
#include <stdlib.h>

#include "bus.h"
#include "person.h"
#include "talk.h"
#include "util.h"

#define BUBBLE_MS	2000	/* that a bubble may be empty at first */

/*
 * The stage.
 */

static void
word_set(struct avatar *av, int on)
{
	uint8_t	 media = av->av_media & (uint8_t)~(MEDIA_WORD | MEDIA_HAND);

	if (talk_room_kind(av) != ROOM_STAGE || !(media & MEDIA_HEAR))
		return;
	talk_media(av, on ? media | MEDIA_WORD : media);
	talk_check(av);
}

void
talk_word(struct avatar *from, struct avatar *to, int on)
{
	if (to->av_person != NULL)
		word_set(to, on);
	else
		bus_word(from, to, on);
}

/* Who gives the word has it. */
int
talk_word_told(struct peer *pe, struct floor *fl, const struct m_bus_word *m)
{
	const struct avatar	*from = avatar_numbered(fl, m->from);
	struct avatar		*to = avatar_numbered(fl, m->to);

	if (m->from >> 12 != pe->pe_inst)
		return (-1);
	if (from != NULL && to != NULL && to->av_person != NULL &&
	    (from->av_media & MEDIA_WORD) && from->av_room == to->av_room)
		word_set(to, m->on);
	return (0);
}

/*
 * Bubbles.
 */

static int
bubble_used(const struct floor *fl, uint16_t bubble)
{
	const struct avatar	*av;

	TAILQ_FOREACH(av, &fl->fl_avatars, av_floor_entry)
		if (av->av_bubble == bubble)
			return (1);
	return (0);
}

static void
bubble_set(struct avatar *av, uint16_t bubble)
{
	talk_changed_around(av);
	av->av_bubble = bubble;
	av->av_bubbled = mono_ms();
	bus_joined(av);
	office_bubbles(av->av_floor);
	talk_wake(av->av_floor);
}

uint16_t
talk_bubble(struct avatar *av)
{
	struct floor	*fl = av->av_floor;
	unsigned int	 tries;
	uint16_t	 bubble;

	if (av->av_bubble != 0 || !talk_takes_part(av))
		return (av->av_bubble);
	for (tries = 0; tries < FLOOR_SLOTS; tries++) {
		fl->fl_bubble = fl->fl_bubble >= FLOOR_SLOTS ? 1 :
		    (uint16_t)(fl->fl_bubble + 1);
		bubble = (uint16_t)(proc_inst << 12 | fl->fl_bubble);
		if (!bubble_used(fl, bubble)) {
			bubble_set(av, bubble);
			return (bubble);
		}
	}
	return (0);
}

int
talk_unite(struct avatar *av, uint16_t bubble)
{
	const struct avatar	*other;

	if (bubble == 0)
		return (-1);
	TAILQ_FOREACH(other, &av->av_floor->fl_avatars, av_floor_entry)
		if (other != av && other->av_bubble == bubble &&
		    talk_near(av, other))
			break;
	if (other == NULL)
		return (-1);
	bubble_set(av, bubble);
	return (0);
}

void
talk_unbubble(struct avatar *av)
{
	if (av->av_bubble != 0)
		bubble_set(av, 0);
}

json_t *
talk_bubbles(const struct floor *fl)
{
	const struct avatar	*av, *other;
	json_t			*all = json_array(), *one;

	TAILQ_FOREACH(av, &fl->fl_avatars, av_floor_entry) {
		if (av->av_bubble == 0)
			continue;
		TAILQ_FOREACH(other, &fl->fl_avatars, av_floor_entry)
			if (other->av_bubble == av->av_bubble)
				break;
		if (other != av)
			continue;	/* the first one has said it */
		one = json_array();
		for (; other != NULL; other = TAILQ_NEXT(other,
		    av_floor_entry))
			if (other->av_bubble == av->av_bubble)
				(void)json_array_append_new(one,
				    json_integer(other->av_id));
		(void)json_array_append_new(all, one);
	}
	return (all);
}

/*
 * A bubble of one is none, nor is one whose others are out of earshot; but
 * whom it was made for may be on the way, by another worker.
 */
void
talk_bubbles_end(struct floor *fl, uint64_t now)
{
	struct avatar	*av, *other;

	TAILQ_FOREACH(av, &fl->fl_ours, av_ours_entry) {
		if (av->av_bubble == 0 || now - av->av_bubbled < BUBBLE_MS)
			continue;
		TAILQ_FOREACH(other, &fl->fl_avatars, av_floor_entry)
			if (other != av && other->av_bubble == av->av_bubble &&
			    talk_can_be(av, other))
				break;
		if (other == NULL)
			talk_unbubble(av);
	}
}

uint64_t
talk_bubbles_due(const struct floor *fl, uint64_t now)
{
	const struct avatar	*av;

	TAILQ_FOREACH(av, &fl->fl_ours, av_ours_entry)
		if (av->av_bubble != 0 && now - av->av_bubbled < BUBBLE_MS)
			return (now + BUBBLE_MS);
	return (0);
}
