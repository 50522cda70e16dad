/*
 * One worker's office: pages come and go, storage answers, and the other
 * worker is told, or reads nothing for a while.
 */
#include <sys/param.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "log.h"
#include "person.h"
#include "tick.h"
#include "unit.h"
#include "util.h"

#define TENANT	5
#define ONE	1
#define TWO	2
#define OTHER	1		/* the other worker, */
#define THIRD	2		/* and one more */
#define PAGES	8
#define SENT	16384
#define HEARD	(2 * 1024 * 1024)

#define MAP	"{\"version\":1,\"size\":[2000,1200],\"floor\":\"wood\"," \
    "\"walls\":[],\"rooms\":[],\"furniture\":[],\"spawn\":[[820,450]]}"

/* A page, and the text of all that it was sent. */
static struct page {
	struct conn	 pa_conn;
	struct login	 pa_login;
	char		 pa_heard[HEARD];
	size_t		 pa_len;
}			 pages[PAGES];

/* What the other worker was told: the type, and whom it is about. */
static struct sent {
	uint32_t	 se_type, se_user, se_inst;
}			 sent[SENT];
static unsigned int	 nsent;
static int		 is_full;
static struct peer	 other = { .pe_proc = PROC_SESSION,
			    .pe_inst = OTHER, .pe_up = 1 };
static struct peer	 third = { .pe_proc = PROC_SESSION,
			    .pe_inst = THIRD, .pe_up = 1 };
static struct tenant	 tenant = { .tn_id = TENANT };

/* The question to storage that was asked last. */
static int		(*ask_fn)(struct conn *, uint32_t, const void *,
			    void *);
static void		*ask_arg;
static enum imsg_type	 ask_type;

/* What is needed of other files. */

unsigned int		 proc_inst, proc_nsession = 2;
struct session_stats	 session_stats;

struct peer *
proc_peer(enum proc_type proc, unsigned int inst)
{
	if (proc != PROC_SESSION || inst >= proc_nsession)
		return (NULL);
	return (inst == OTHER ? &other : inst == THIRD ? &third : NULL);
}

uint32_t
proc_queued(struct peer *pe)
{
	return (is_full != 0);
}

static uint32_t
about(uint32_t type, const void *m)
{
	switch (type) {
	case IMSG_BUS_JOIN:
		return (((const struct m_bus_join *)m)->user);
	case IMSG_BUS_LEFT:
		return (((const struct m_bus_left *)m)->user);
	case IMSG_BUS_AGAIN:
		return (((const struct m_bus_again *)m)->user);
	case IMSG_BUS_ALL:
		return (((const struct m_bus_all *)m)->begins);
	default:
		return (0);
	}
}

int
proc_send(struct peer *pe, enum imsg_type type, uint32_t id, int fd,
    const void *m)
{
	if (pe == NULL) {
		errno = ENOTCONN;
		return (-1);
	}
	if (is_full) {
		errno = ENOBUFS;
		return (-1);
	}
	if (nsent < SENT)
		sent[nsent++] = (struct sent){ type, about(type, m),
		    pe->pe_inst };
	return (0);
}

int
ask_send(struct conn *cn, enum proc_type to, enum imsg_type type,
    const void *m, int (*fn)(struct conn *, uint32_t, const void *, void *),
    void *arg)
{
	ask_fn = fn;
	ask_arg = arg;
	ask_type = type;
	return (0);
}

void
access_floor(const struct login *lg, enum access_kind kind, uint32_t floor)
{
}

void
access_talk(const struct login *lg, enum access_kind kind, uint32_t floor,
    uint32_t user)
{
}

struct chunk *
chunk_new(size_t len)
{
	struct chunk	*ck = calloc(1, sizeof(*ck) + len);

	ck->ck_len = len;
	ck->ck_refs = 1;
	return (ck);
}

struct chunk *
chunk_from(const void *data, size_t len)
{
	struct chunk	*ck = chunk_new(len);

	memcpy(ck->ck_data, data, len);
	return (ck);
}

void
chunk_free(struct chunk *ck)
{
	if (ck != NULL && --ck->ck_refs == 0)
		free(ck);
}

void
conn_close(struct conn *cn)
{
	cn->cn_dead = 1;
}

void
conn_drain(struct conn *cn)
{
	cn->cn_state = CONN_DRAIN;
}

int
conn_slow(const struct conn *cn)
{
	return (cn->cn_outlen > CONN_HIGH);
}

/* Nothing is read before forget(). */
void
conn_queue(struct conn *cn, struct chunk *ck)
{
	struct page	*pa = (struct page *)cn;
	size_t		 i;

	if (cn->cn_dead || ck == NULL)
		return;
	if (cn->cn_outlen > CONN_LIMIT) {
		conn_close(cn);
		return;
	}
	cn->cn_outlen += ck->ck_len;
	for (i = 0; i < ck->ck_len && pa->pa_len < HEARD - 1; i++)
		pa->pa_heard[pa->pa_len++] = (char)(ck->ck_data[i] == '\0' ?
		    '.' : ck->ck_data[i]);
	pa->pa_heard[pa->pa_len] = '\0';
}

void
login_floor(uint32_t t, uint32_t user, uint32_t floor)
{
}

int
login_may(const struct login *lg, uint8_t right)
{
	return (1);
}

void
login_use(struct conn *cn, struct login *lg)
{
}

int
ref_valid(const char *s)
{
	return (1);
}

int
signal_told(struct peer *pe, struct floor *fl, const struct m_bus_signal *m)
{
	return (0);
}

struct tenant *
site_tenant(uint32_t id)
{
	return (id == TENANT ? &tenant : NULL);
}

/*
 * The world.
 */

/* What waits for its time leaves. */
static void
settle(void)
{
	struct office	*of = office_find(TENANT);
	struct floor	*fl;

	office_news(of);
	RB_FOREACH(fl, floor_tree, &of->of_floors)
		tick_words_leave(fl);
}

static void
forget(void)
{
	struct page	*pa;

	settle();
	for (pa = pages; pa < pages + PAGES; pa++) {
		pa->pa_conn.cn_outlen = pa->pa_len = 0;
		pa->pa_heard[0] = '\0';
	}
}

static int
heard(struct page *pa, const char *what)
{
	return (strstr(pa->pa_heard, what) != NULL);
}

static int
heard_gone(struct page *pa, uint32_t user)
{
	char	 what[48];

	(void)snprintf(what, sizeof(what), "\"gone\",\"user\":%u}", user);
	return (heard(pa, what));
}

/* The floors that storage says one may enter. */
static void
floors(unsigned int n)
{
	struct m_floor_row	 m = { .version = 1, .can = RIGHT_TALK,
				    .way = WAY_TENANT, .name = "floor" };
	struct m_result		 end = { .code = R_OK };

	CHECK(ask_type == IMSG_FLOORS);
	for (m.floor = 1; m.floor <= n; m.floor++)
		(void)ask_fn(NULL, IMSG_FLOOR_ROW, &m, ask_arg);
	(void)ask_fn(NULL, IMSG_RESULT, &end, ask_arg);
}

static struct page *
page(unsigned int i, unsigned int nfloors)
{
	struct page	*pa = &pages[i];
	struct m_result	 end = { .code = R_OK };

	memset(pa, 0, sizeof(*pa));
	pa->pa_login.lg_tenant = TENANT;
	pa->pa_login.lg_grant = 100 + i;
	pa->pa_login.lg_user = 10 + i;
	pa->pa_login.lg_name = pa->pa_login.lg_note =
	    pa->pa_login.lg_email = "";
	pa->pa_login.lg_role = ROLE_MEMBER;
	pa->pa_conn.cn_login = &pa->pa_login;
	pa->pa_conn.cn_state = CONN_WS;
	office_open(&pa->pa_conn);
	floors(nfloors);
	CHECK(ask_type == IMSG_UNREAD);
	(void)ask_fn(NULL, IMSG_RESULT, &end, ask_arg);
	return (pa);
}

static void
enter(struct page *pa, uint32_t floor)
{
	struct m_floor_doc	 m = { .floor = floor, .version = 1,
				    .can = RIGHT_TALK, .way = WAY_TENANT,
				    .name = "floor",
				    .map = { MAP, sizeof(MAP) - 1 } };
	struct job		*jo = job_new(pa->pa_conn.cn_person, NULL);

	(void)person_entered(NULL, IMSG_FLOOR_DOC, &m, jo);
}

static uint32_t
place(const struct page *pa)
{
	const struct avatar	*av = pa->pa_conn.cn_person->pn_avatar;

	return (av == NULL ? 0 : av->av_floor->fl_id);
}

static void
leave(struct page *pa)
{
	office_closed(&pa->pa_conn);
}

/* Somebody of another worker. */
static void
join_by(struct peer *pe, uint32_t user, uint32_t floor, const char *note)
{
	struct m_bus_join	 m = { .tenant = TENANT, .floor = floor,
				    .user = user, .x = 800, .y = 400,
				    .tx = 800, .ty = 400, .name = "x",
				    .note = note };

	m.id = (uint16_t)(pe->pe_inst << 12 | user);
	m.time = (uint32_t)mono_ms();
	CHECK_INT(bus_imsg(pe, IMSG_BUS_JOIN, &m), 0);
}

static void
join(uint32_t user, uint32_t floor, const char *note)
{
	join_by(&other, user, floor, note);
}

static void
grant_by(struct peer *pe, uint32_t user, int on)
{
	struct m_bus_grant	 m = { (uint16_t)pe->pe_inst, TENANT, user,
				    on != 0, ROLE_MEMBER };

	CHECK_INT(bus_storage(IMSG_BUS_GRANT, &m), 0);
}

static void
grant(uint32_t user, int on)
{
	grant_by(&other, user, on);
}

static unsigned int
told(uint32_t type, uint32_t user)
{
	unsigned int	 i, n = 0;

	for (i = 0; i < nsent; i++)
		n += sent[i].se_type == type && sent[i].se_user == user;
	return (n);
}

/* The avatar of the user, or NULL. */
static struct avatar *
known(uint32_t user)
{
	struct office	*of = office_find(TENANT);

	return (of == NULL ? NULL : avatar_find(of, user));
}

/*
 * Who asks for a floor that has no number left stays where he is: once he had
 * left, nobody was told that he is nowhere.
 */
static void
test_full(void)
{
	struct page	*a = page(0, 2), *b = page(1, 2), *crowd = page(2, 2);
	struct avatar	*av = NULL;
	struct floor	*fl;
	uint32_t	 user;

	enter(a, ONE);
	enter(b, ONE);
	enter(crowd, TWO);
	fl = crowd->pa_conn.cn_person->pn_avatar->av_floor;
	for (user = 10000; fl->fl_local < FLOOR_SLOTS; user++) {
		crowd->pa_login.lg_user = user;
		av = avatar_enter(fl, crowd->pa_conn.cn_person,
		    &crowd->pa_login, 1, 500, 500);
		if (av == NULL)
			break;
	}
	CHECK_INT(fl->fl_local, FLOOR_SLOTS);
	forget();
	nsent = 0;
	enter(a, TWO);
	CHECK(heard(a, "\"full\""));
	CHECK(!heard(a, "\"map\""));
	CHECK_INT(place(a), ONE);
	CHECK_INT(told(IMSG_BUS_LEFT, a->pa_login.lg_user), 0);
	settle();
	CHECK(!heard(b, "\"left\"") && !heard(b, "\"join\""));
	/* With one number left he comes, and may come again. */
	avatar_free(av);
	enter(a, TWO);
	CHECK_INT(place(a), TWO);
	forget();
	enter(a, TWO);
	CHECK(!heard(a, "\"full\"") && heard(a, "\"map\""));
	CHECK_INT(place(a), TWO);
	while ((av = TAILQ_LAST(&fl->fl_ours, avatar_list)) !=
	    crowd->pa_conn.cn_person->pn_avatar) {
		if (av->av_user == a->pa_login.lg_user)
			leave(a);
		else
			avatar_free(av);
	}
	leave(b);
	leave(crowd);
}

/* Many who may be seen from now on are no reason to close who sees them. */
static void
test_many(void)
{
	struct page	*a = page(0, 1), *b = page(1, 2);
	char		 note[MAX_NOTE];
	uint32_t	 user;

	memset(note, 'n', sizeof(note) - 1);
	note[sizeof(note) - 1] = '\0';
	enter(b, TWO);
	for (user = 100; user < 4000; user++) {
		grant(user, 1);
		join(user, TWO, note);
	}
	forget();
	person_floors(a->pa_conn.cn_person);
	floors(2);
	CHECK(!a->pa_conn.cn_dead);
	CHECK(heard(a, "\"user\":3000,"));
	forget();
	for (user = 100; user < 4000; user++)
		grant(user, 0);
	CHECK(known(3000) == NULL);
	leave(a);
	leave(b);
}

/* Who read nothing for a while is told all anew. */
static void
test_lost(void)
{
	struct page	*a = page(0, 2), *b = page(1, 2);
	struct m_bus_all m = { 1 };
	uint64_t	 end;

	enter(a, ONE);
	nsent = 0;
	is_full = 1;
	enter(b, ONE);
	leave(a);
	grant(50, 1);
	CHECK_INT(nsent, 0);
	is_full = 0;
	/* What comes in between is no use without what was lost. */
	b->pa_login.lg_status = STATUS_BUSY;
	bus_joined(b->pa_conn.cn_person->pn_avatar);
	CHECK_INT(nsent, 0);
	for (end = mono_ms() + 10000; nsent == 0 && mono_ms() < end;)
		event_loop(EVLOOP_ONCE);
	CHECK(nsent == 4 && sent[0].se_type == IMSG_BUS_ALL &&
	    sent[0].se_user == 1 && sent[2].se_type == IMSG_BUS_ALL &&
	    sent[2].se_user == 0);
	CHECK_INT(told(IMSG_BUS_JOIN, b->pa_login.lg_user), 1);
	CHECK_INT(told(IMSG_BUS_JOIN, 10), 0);
	CHECK_INT(told(IMSG_BUS_AGAIN, 50), 1);
	nsent = 0;
	bus_joined(b->pa_conn.cn_person->pn_avatar);
	CHECK_INT(told(IMSG_BUS_JOIN, b->pa_login.lg_user), 1);

	/* And the other way round: who is not named has gone meanwhile. */
	grant(51, 1);
	join(50, ONE, "");
	join(51, ONE, "");
	CHECK(known(50) != NULL && known(51) != NULL);
	forget();
	CHECK_INT(bus_imsg(&other, IMSG_BUS_ALL, &m), 0);
	join(50, ONE, "");
	CHECK(known(50) != NULL && known(51) != NULL);
	m.begins = 0;
	CHECK_INT(bus_imsg(&other, IMSG_BUS_ALL, &m), 0);
	CHECK(known(50) != NULL && known(51) == NULL);
	settle();
	CHECK(heard_gone(b, 51) && !heard_gone(b, 50));
	CHECK(known(b->pa_login.lg_user) != NULL);
	grant(50, 0);
	grant(51, 0);
	leave(b);
}

/*
 * Two pages of one user come in at once, and the one that has to go is heard of
 * last: the other one is not forgotten.
 */
static void
test_two(void)
{
	struct page		*a = page(0, 2);
	struct m_bus_left	 m = { TENANT, ONE, 60, THIRD << 12 | 60, 0 };

	proc_nsession = 3;
	enter(a, ONE);
	grant_by(&other, 60, 1);
	grant_by(&third, 60, 1);
	join_by(&other, 60, ONE, "");
	join_by(&other, 60, ONE, "stays");
	join_by(&third, 60, ONE, "");
	nsent = 0;
	CHECK_INT(bus_imsg(&third, IMSG_BUS_LEFT, &m), 0);
	CHECK(nsent == 1 && sent[0].se_type == IMSG_BUS_AGAIN &&
	    sent[0].se_user == 60 && sent[0].se_inst == OTHER);
	join_by(&other, 60, ONE, "stays");
	CHECK(known(60) != NULL && known(60)->av_worker == OTHER);
	/* For another floor: it will say so itself. */
	m.id = OTHER << 12 | 60;
	m.to = TWO;
	nsent = 0;
	CHECK_INT(bus_imsg(&other, IMSG_BUS_LEFT, &m), 0);
	CHECK(nsent == 0 && known(60) == NULL);
	grant_by(&other, 60, 0);
	grant_by(&third, 60, 0);
	leave(a);
	proc_nsession = 2;
}

/* What storage has told before it ended is said before what it may not have. */
static void
test_missed(void)
{
	struct page		*a = page(0, 1);
	struct m_bus_msg	 m = { .tenant = TENANT, .kind = CHANNEL_FLOOR,
				    .a = ONE, .from = 50, .id = 7,
				    .name = "x", .text = "the last" };
	const char		*word, *missed;

	enter(a, ONE);
	forget();
	office_deliver(office_find(TENANT), &m);
	office_renewed(&a->pa_login);
	floors(1);
	settle();
	word = strstr(a->pa_heard, "the last");
	missed = strstr(a->pa_heard, "\"missed\"");
	CHECK(word != NULL && missed != NULL && word < missed);
	leave(a);
}

int
main(void)
{
	(void)event_init();
	log_init(1);
	office_start();
	test_full();
	test_many();
	test_lost();
	test_two();
	test_missed();
	return (unit_end());
}
