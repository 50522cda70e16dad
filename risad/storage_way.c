/*
 * What a floor lets those on it do when they talk, and which way sound and
 * pictures take: kept with its rights, and told who asks.
 */
#include <stdio.h>
#include <string.h>

#include "role.h"
#include "storage.h"
#include "way.h"

#define WAY_TEXT	64		/* "voice, video, screen, way tenant" */

static void
way_text(char dst[WAY_TEXT], uint8_t can, uint8_t way)
{
	int	 i;

	dst[0] = '\0';
	for (i = 0; i < RIGHTS; i++) {
		if ((can & RIGHT_TALK & 1 << i) == 0)
			continue;
		(void)strlcat(dst, right_names[i], WAY_TEXT);
		(void)strlcat(dst, ", ", WAY_TEXT);
	}
	(void)strlcat(dst, "way ", WAY_TEXT);
	(void)strlcat(dst, way_word(way), WAY_TEXT);
}

enum result
floor_talk(struct request *rq, const struct floor *fl, uint8_t can,
    uint8_t way)
{
	struct floor	 to = *fl;
	char		 from[WAY_TEXT], now[WAY_TEXT], what[48];

	if (can == fl->fl_can && way == fl->fl_way)
		return (R_OK);
	to.fl_can = can;
	to.fl_way = way;
	way_text(from, fl->fl_can, fl->fl_way);
	way_text(now, can, way);
	(void)snprintf(what, sizeof(what), "set talk of floor %u", fl->fl_id);
	if (note_text(rq, what, from, now) == -1 ||
	    floor_row_rights(rq->rq_db, &to) == -1)
		return (R_UNAVAILABLE);
	return (R_OK);
}

/* Auth has what the relay wants to see, and answers for us. */
enum result
me_talk(struct request *rq, const void *arg)
{
	const struct m_grant_id	*m = arg;
	const struct floor	*fl;
	struct m_talk_make	 make = { 0 };
	struct peer		*auth = proc_peer(PROC_AUTH, 0);
	enum result		 r;

	if ((r = my_floor(rq, m->id, &fl)) != R_OK)
		return (r);
	make.inst = (uint16_t)rq->rq_peer->pe_inst;
	make.req = rq->rq_id;
	make.floor = fl->fl_id;
	make.can = fl->fl_can & rights_can(rights_get(rq->rq_db),
	    rq->rq_gr->gr_role);
	make.way = fl->fl_way != WAY_TENANT ? fl->fl_way :
	    (uint8_t)rq->rq_tn->tn_policy.po_value[POLICY_TALK_WAY];
	if (auth == NULL || proc_send(auth, IMSG_TALK_MAKE, 0, -1, &make) ==
	    -1)
		return (R_UNAVAILABLE);
	return (R_OK);
}
