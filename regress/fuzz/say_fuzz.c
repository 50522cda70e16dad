/*
 * What a page says, by the real handlers of say.c and say_talk.c: any bytes as
 * a text or a binary frame.  Around them are stand-ins that find everybody and
 * allow everything, so that each word is acted upon; what is asked of storage
 * must be a message that storage takes, what goes to a page must be JSON, and a
 * field that is named must be named in few letters.
 *
 * Input: the first byte says who speaks (guest, at the door, on a floor, on a
 * stage), and if the frame is binary; the rest is the frame, whose length says
 * what storage answers.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "person.h"
#include "proc.h"
#include "sent.h"
#include "talk.h"
#include "utf8.h"

#define CODE_MAX	32
#define FIELD_MAX	63
#define FLOOR		3
#define ROOM		5

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct session_stats	 session_stats;
enum proc_type		 proc_self = PROC_SESSION;

static struct login	 login;
static struct conn	 conn;
static struct person	 person, other;
static struct avatar	 me, you;
static struct floor	 fl;
static struct map_room	 stage;
static unsigned int	 njobs;
static enum result	 code;
static struct peer	 storage;
static struct chunk	*no_chunk;
static enum talk_way	 way;
static char		 said[2 * MAX_SIGNAL];
static int		 on_stage;

/* To storage, or to the process of another page. */
static void
tell(enum proc_type to, uint32_t type, const void *m)
{
	struct imsg	 imsg;
	union msg_any	 any;

	sent(PROC_SESSION, to, type, m, &imsg, &any);
	imsg_free(&imsg);
}

struct peer *
proc_peer(enum proc_type proc, unsigned int inst)
{
	return (&storage);
}

int
proc_send(struct peer *pe, enum imsg_type type, uint32_t id, int fd,
    const void *m)
{
	tell(PROC_STORAGE, type, m);
	return (0);
}

struct job *
job_new(struct person *pn, const char *ref)
{
	struct job	*jo;

	TRUE_OR_DIE(ref == NULL || strlen(ref) <= MAX_REF);
	TRUE_OR_DIE((jo = calloc(1, sizeof(*jo))) != NULL);
	jo->jo_person = pn;
	if (ref != NULL)
		(void)strlcpy(jo->jo_ref, ref, sizeof(jo->jo_ref));
	TAILQ_INSERT_TAIL(&pn->pn_jobs, jo, jo_entry);
	njobs++;
	return (jo);
}

void
job_free(struct job *jo)
{
	njobs--;
	TAILQ_REMOVE(&jo->jo_person->pn_jobs, jo, jo_entry);
	json_decref(jo->jo_list);
	free(jo);
}

int
job_ask(struct job *jo, enum imsg_type type, const void *m,
    int (*fn)(struct conn *, uint32_t, const void *, void *))
{
	struct m_result		 result = { .code = code, .field = "" };
	struct m_message	 message = { 1, 2, 3, 1, "Nao", "\"yes\"" };
	struct m_said		 said = { 1, 2, 0 };

	tell(PROC_STORAGE, type, m);
	if (type == IMSG_HISTORY)
		TRUE_OR_DIE(fn(&conn, IMSG_MESSAGE, &message, jo) == 0);
	if (type == IMSG_SAY && code == R_OK)
		TRUE_OR_DIE(fn(&conn, IMSG_SAID, &said, jo) == 1);
	else
		TRUE_OR_DIE(fn(&conn, IMSG_RESULT, &result, jo) == 1);
	return (0);
}

void
person_error(struct person *pn, const char *why, const char *ref,
    const char *field)
{
	TRUE_OR_DIE(strlen(why) <= CODE_MAX);
	TRUE_OR_DIE(ref == NULL || strlen(ref) <= MAX_REF);
	TRUE_OR_DIE(field == NULL || (*field != '\0' && strlen(field) <=
	    FIELD_MAX && utf8_valid(field, strlen(field))));
}

static void
check_json(const char *text, size_t members)
{
	json_error_t	 err;
	json_t		*o;

	TRUE_OR_DIE(text != NULL);
	o = json_loads(text, JSON_REJECT_DUPLICATES, &err);
	TRUE_OR_DIE(json_is_object(o));
	TRUE_OR_DIE(members == 0 || json_object_size(o) == members);
	json_decref(o);
}

void
person_send(struct person *pn, json_t *o)
{
	char	*text = json_dumps(o, JSON_COMPACT);

	check_json(text, 0);
	free(text);
	json_decref(o);
}

void
text_open(struct text *tx, size_t guess)
{
	said[0] = '\0';
}

void
text_add(struct text *tx, const char *s)
{
	TRUE_OR_DIE(strlcat(said, s, sizeof(said)) < sizeof(said));
}

struct chunk *
text_frame(struct text *tx)
{
	check_json(said, 3);
	return (no_chunk);
}

void
bus_signal(const struct avatar *from, const struct avatar *to,
    const char *data)
{
	struct m_bus_signal	 m = { .data = data };

	check_json(data, 1);
	tell(PROC_SESSION, IMSG_BUS_SIGNAL, &m);
}

struct avatar *
avatar_numbered(const struct floor *floor, uint64_t id)
{
	return (id == 0 ? NULL : &you);
}

enum walk_result
avatar_walk(struct avatar *av, uint16_t x, uint16_t y, uint8_t heading,
    int last)
{
	return (WALK_FREE);
}

const struct map_room *
map_room(const struct floor_map *m, unsigned int id)
{
	return (on_stage ? &stage : NULL);
}

enum talk_way
floor_way(const struct floor *floor)
{
	return (way);
}

int
bucket_take(struct bucket *bu, unsigned int rate, unsigned int burst)
{
	return (0);
}

uint64_t
person_grant(const struct person *pn)
{
	return (7);
}

int
person_may(const struct person *pn, uint8_t right)
{
	return (1);
}

int
person_entered(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	job_free(arg);
	return (1);
}

uint32_t
quota_asked(const struct login *lg)
{
	return (0);
}

void	 person_leave(struct person *pn, uint32_t to) { }
void	 person_queue(struct person *pn, struct chunk *ck) { }
void	 person_refusal(struct person *pn, const struct m_result *m,
	    const char *ref, const char *missing) { }
void	 chunk_free(struct chunk *ck) { }
void	 avatar_at(const struct avatar *av, uint64_t now, int *x, int *y) { }
void	 avatar_stop(struct avatar *av, uint64_t now) { }
void	 office_placed(struct avatar *av, enum walk_result res) { }
void	 talk_media(struct avatar *av, uint8_t media) { }
void	 talk_unbubble(struct avatar *av) { }
void	 talk_word(struct avatar *from, struct avatar *to, int on) { }
int	 talk_peers(const struct avatar *a, const struct avatar *b)
	    { return (1); }
const char *talk_why_not(const struct avatar *av, uint8_t bit)
	    { return (NULL); }
uint32_t floor_rule(const struct floor *floor, enum policy_key key)
	    { return (1); }
uint32_t floor_shared(uint32_t tenant, uint32_t a, uint32_t b)
	    { return (1); }
const char *say_admit(struct person *pn, json_t *o) { return (NULL); }
const char *say_door(struct person *pn, json_t *o) { return (NULL); }
const char *say_call(struct person *pn, json_t *o) { return (NULL); }
const char *say_answer(struct person *pn, json_t *o) { return (NULL); }
const char *say_uncall(struct person *pn, json_t *o) { return (NULL); }

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t	*copy;

	if (size == 0)
		return (0);
	memset(&login, 0, sizeof(login));
	memset(&person, 0, sizeof(person));
	TAILQ_INIT(&person.pn_jobs);
	memset(&me, 0, sizeof(me));
	memset(&you, 0, sizeof(you));
	TAILQ_INIT(&fl.fl_avatars);
	TAILQ_INSERT_TAIL(&fl.fl_avatars, &me, av_floor_entry);
	TAILQ_INSERT_TAIL(&fl.fl_avatars, &you, av_floor_entry);
	fl.fl_id = FLOOR;
	code = (enum result)(size % R_MAX);
	login.lg_tenant = 1;
	login.lg_user = 7;
	login.lg_role = data[0] & 1 ? ROLE_GUEST : ROLE_ADMIN;
	login.lg_door = (data[0] & 6) == 6;
	conn.cn_login = &login;
	conn.cn_person = &person;
	person.pn_conn = &conn;
	me.av_floor = you.av_floor = &fl;
	you.av_person = data[0] & 8 ? &other : NULL;
	you.av_media = MEDIA_HEAR;
	me.av_media = MEDIA_HEAR | (data[0] & 16 ? MEDIA_WORD : 0);
	me.av_person = &person;
	on_stage = data[0] & 32;
	me.av_room = you.av_room = on_stage ? ROOM : 0;
	stage.rm_kind = ROOM_STAGE;
	way = data[0] & 64 ? WAY_RELAY : WAY_DIRECT;
	person.pn_avatar = data[0] & 2 ? NULL : &me;
	/* just as long as it is: a read beyond it shows */
	TRUE_OR_DIE((copy = malloc(size - 1)) != NULL);
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 128)
		office_binary(&conn, copy, size - 1);
	else
		office_text(&conn, copy, size - 1);
	free(copy);
	TRUE_OR_DIE(njobs == 0);
	return (0);
}
