/*
 * The door: guests who wait until somebody lets them in.  Who waits is told by
 * storage; of the office they see nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "person.h"
#include "util.h"

struct knock {
	TAILQ_ENTRY(knock)	 kn_entry;
	uint32_t		 kn_user;
	uint64_t		 kn_number;	/* in the order of coming */
	uint64_t		 kn_until;	/* ms */
	char			*kn_name;
	struct chunk		*kn_frame;
	size_t			 kn_nfloors;
	uint32_t		 kn_floors[MAX_FLOORS];
};

static uint64_t		 last_number;

static struct knock *
knock_find(struct office *of, uint32_t user)
{
	struct knock	*kn;

	TAILQ_FOREACH(kn, &of->of_knocks, kn_entry)
		if (kn->kn_user == user)
			return (kn);
	return (NULL);
}

static void
knock_free(struct office *of, struct knock *kn)
{
	TAILQ_REMOVE(&of->of_knocks, kn, kn_entry);
	free(kn->kn_name);
	chunk_free(kn->kn_frame);
	free(kn);
}

static int
knock_for(const struct knock *kn, uint32_t floor)
{
	size_t	 i;

	for (i = 0; i < kn->kn_nfloors; i++)
		if (kn->kn_floors[i] == floor)
			return (1);
	return (0);
}

/* May the person answer?  Who lets guests in and is on such a floor. */
static int
may_answer(const struct person *pn, const struct knock *kn)
{
	const struct login	*lg = pn->pn_conn->cn_login;

	if (!pn->pn_hello || !login_may(lg, RIGHT_GUEST))
		return (0);
	return (lg->lg_role == ROLE_ADMIN || (pn->pn_avatar != NULL &&
	    knock_for(kn, pn->pn_avatar->av_floor->fl_id)));
}

/* He may have seen it, though he has gone elsewhere since. */
static int
may_know(const struct person *pn, const struct knock *kn)
{
	size_t	 i;

	if (pn->pn_conn->cn_login->lg_role == ROLE_ADMIN)
		return (1);
	for (i = 0; i < kn->kn_nfloors; i++)
		if (person_sees(pn, kn->kn_floors[i]))
			return (1);
	return (0);
}

static struct chunk *
knock_frame(const struct knock *kn)
{
	json_t	*floors = json_array();
	size_t	 i;

	for (i = 0; i < kn->kn_nfloors; i++)
		(void)json_array_append_new(floors,
		    json_integer((json_int_t)kn->kn_floors[i]));
	return (frame_json(json_pack("{ss sI ss so sI}", "t", "knock", "id",
	    (json_int_t)kn->kn_user, "name", kn->kn_name, "floors", floors,
	    "until", (json_int_t)kn->kn_until)));
}

/* NULL without memory: nobody hears of it then. */
static struct knock *
knock_new(struct office *of, const struct m_knock *m)
{
	const uint8_t	*p = m->floors.mb_data;
	struct knock	*kn;
	size_t		 i;

	if ((kn = calloc(1, sizeof(*kn))) == NULL)
		return (NULL);
	kn->kn_user = m->user;
	kn->kn_until = m->until;
	for (i = 0; i + 4 <= m->floors.mb_len; i += 4)
		kn->kn_floors[kn->kn_nfloors++] = (uint32_t)p[i] << 24 |
		    (uint32_t)p[i + 1] << 16 | (uint32_t)p[i + 2] << 8 |
		    p[i + 3];
	if (text_set(&kn->kn_name, m->name) == -1 ||
	    (kn->kn_frame = knock_frame(kn)) == NULL) {
		free(kn->kn_name);
		free(kn);
		return (NULL);
	}
	kn->kn_number = ++last_number;
	TAILQ_INSERT_TAIL(&of->of_knocks, kn, kn_entry);
	return (kn);
}

static void
knock_tell(struct person *pn, const struct knock *kn)
{
	pn->pn_knocked = 1;
	person_queue(pn, kn->kn_frame);
}

void
knock_began(const struct m_knock *m)
{
	struct office	*of = office_get(m->tenant);
	struct knock	*kn, *next;
	struct person	*pn;

	if (of == NULL || knock_find(of, m->user) != NULL)
		return;
	/* Storage was away when it should have said that they are over. */
	TAILQ_FOREACH_SAFE(kn, &of->of_knocks, kn_entry, next)
		if (now_ms() > kn->kn_until)
			knock_free(of, kn);
	/* No more than MAX_VISITS: storage lets no others come. */
	if ((kn = knock_new(of, m)) == NULL)
		return;
	TAILQ_FOREACH(pn, &of->of_persons, pn_entry)
		if (!pn->pn_showing && may_answer(pn, kn))
			knock_tell(pn, kn);
}

void
knock_ended(const struct m_knock_end *m)
{
	static const char	*const why[KNOCK_END_MAX] = {
		[KNOCK_IN] = "admitted", [KNOCK_REFUSED] = "refused",
		[KNOCK_LATE] = "late", [KNOCK_GONE] = "gone"
	};
	struct office		*of = office_get(m->tenant);
	struct person		*pn;
	struct knock		*kn;
	struct chunk		*ck;

	if (of == NULL || (kn = knock_find(of, m->user)) == NULL)
		return;
	ck = frame_json(json_pack("{ss sI ss ss ss}", "t", "answered", "id",
	    (json_int_t)m->user, "name", kn->kn_name, "why", why[m->why],
	    "by", m->by));
	TAILQ_FOREACH(pn, &of->of_persons, pn_entry)
		if (pn->pn_hello && pn->pn_knocked && may_know(pn, kn))
			person_queue(pn, ck);
	chunk_free(ck);
	knock_free(of, kn);
}

/* Of a crowd at the door so many as he reads; then he is shown the next. */
void
knock_more(struct person *pn)
{
	struct knock	*kn;
	uint64_t	 now = now_ms();

	if (!pn->pn_showing)
		return;
	TAILQ_FOREACH(kn, &pn->pn_office->of_knocks, kn_entry) {
		if (kn->kn_number <= pn->pn_shown)
			continue;
		if (conn_slow(pn->pn_conn))
			return;
		pn->pn_shown = kn->kn_number;
		if (now <= kn->kn_until && may_answer(pn, kn))
			knock_tell(pn, kn);
	}
	pn->pn_showing = 0;
}

void
knock_show(struct person *pn)
{
	pn->pn_showing = 1;
	pn->pn_shown = 0;
	knock_more(pn);
}

void
knock_wait(struct person *pn)
{
	person_send(pn, json_pack("{ss}", "t", "waiting"));
}

static int
admit_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct job	*jo = arg;

	(void)cn;
	/* That it is done is told by what storage says to all. */
	if (jo->jo_person != NULL && type == IMSG_RESULT &&
	    ((const struct m_result *)m)->code != R_OK)
		person_refusal(jo->jo_person, m, NULL, "no-guest");
	job_free(jo);
	return (1);
}

const char *
say_admit(struct person *pn, json_t *o)
{
	uint64_t		 id;
	int			 in;
	const char		*bad;
	struct m_guest_admit	 m = { .grant = person_grant(pn) };
	struct knock		*kn;
	struct job		*jo;
	const struct json_field	 jf[] = {
		{ "t", JK_ANY, 1, &(json_t *){ NULL }, NULL },
		{ "id", JK_UINT, 1, &id, NULL },
		{ "in", JK_BOOL, 1, &in, NULL },
	};

	if ((bad = json_fields(o, jf, 3)) != NULL)
		return (bad);
	if (id == 0 || id > UINT32_MAX)
		return ("id");
	kn = knock_find(pn->pn_office, (uint32_t)id);
	if (kn == NULL || !may_answer(pn, kn)) {
		person_error(pn, "no-guest", NULL, NULL);
		return (NULL);
	}
	if ((jo = job_new(pn, NULL)) == NULL)
		return (NULL);
	m.user = (uint32_t)id;
	m.in = in != 0;
	job_ask(jo, IMSG_GUEST_ADMIT, &m, admit_answer);
	return (NULL);
}
