/*
 * Doors: two workers that tell each other come to the same, and passes.
 */
#include <sys/param.h>

#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "call.h"
#include "person.h"
#include "unit.h"

#define ROOM	7
#define TOLD	64

/* Two workers, and what each has told the other and is not there yet. */
static struct office	 of;
static struct floor	 floors[2];
static struct avatar	 people[2];
static struct door	 told[2][TOLD];
static unsigned int	 ntold[2], frames, moved, again;

/* What room.c needs of other files. */

void
bus_door(struct floor *fl, uint8_t room)
{
	unsigned int	 i = fl == &floors[1];

	if (ntold[i] < TOLD)
		told[i][ntold[i]++] = fl->fl_doors[room];
}

void
bus_joined(struct avatar *av)
{
	again++;
}

void
call_door(struct floor *fl, uint8_t room)
{
	moved++;
}

void
office_door(struct floor *fl, uint8_t room)
{
	frames++;
}

json_t *
office_door_now(const struct floor *fl, uint8_t room)
{
	return (NULL);
}

void
person_send(struct person *pn, json_t *o)
{
}

void
person_error(struct person *pn, const char *code, const char *ref,
    const char *field)
{
}

uint64_t
person_grant(const struct person *pn)
{
	return (0);
}

int
bucket_take(struct bucket *bu, unsigned int rate, unsigned int burst)
{
	return (-1);
}

struct job *
job_new(struct person *pn, const char *ref)
{
	return (NULL);
}

void
job_free(struct job *jo)
{
}

int
job_ask(struct job *jo, enum imsg_type type, const void *m,
    int (*fn)(struct conn *, uint32_t, const void *, void *))
{
	return (0);
}

const char *
json_fields(json_t *o, const struct json_field *jf, size_t n)
{
	return ("t");
}

/* One message of the queue arrives at the other worker. */
static void
arrive(unsigned int from)
{
	if (ntold[from] == 0)
		return;
	room_told(&floors[!from], ROOM, &told[from][0]);
	ntold[from]--;
	memmove(&told[from][0], &told[from][1],
	    ntold[from] * sizeof(told[from][0]));
}

static void
begin(void)
{
	unsigned int	 i;

	memset(floors, 0, sizeof(floors));
	memset(people, 0, sizeof(people));
	ntold[0] = ntold[1] = frames = moved = again = 0;
	for (i = 0; i < 2; i++) {
		floors[i].fl_office = &of;
		floors[i].fl_rooms[ROOM] = 2;
		TAILQ_INIT(&floors[i].fl_ours);
		people[i].av_floor = &floors[i];
		people[i].av_user = 10 + i;
		people[i].av_id = (uint16_t)(i << 12 | 1);
		TAILQ_INSERT_TAIL(&floors[i].fl_ours, &people[i],
		    av_ours_entry);
	}
}

static void
test_words(void)
{
	uint8_t	 st;

	for (st = 0; st < DOOR_MAX; st++)
		CHECK_INT(room_state_number(room_state_name(st)), st);
	CHECK_INT(room_state_number("ajar"), -1);
	CHECK_INT(room_state_number(""), -1);
}

static int
agree(void)
{
	const struct door	*a = &floors[0].fl_doors[ROOM];
	const struct door	*b = &floors[1].fl_doors[ROOM];

	return (a->do_state == b->do_state && a->do_by == b->do_by &&
	    a->do_seq == b->do_seq && !isset(floors[0].fl_shut, ROOM) ==
	    !isset(floors[1].fl_shut, ROOM) &&
	    !isset(floors[0].fl_shut, ROOM) == (a->do_state == DOOR_OPEN));
}

/* Whatever the two do, and whenever they hear of it: both see the same. */
static void
test_agree(void)
{
	unsigned int	 round, i, step;

	for (round = 0; round < 2000; round++) {
		begin();
		if (round % 3 == 0) {
			/* Also where the numbers wrap. */
			floors[0].fl_doors[ROOM].do_seq = UINT32_MAX - 2;
			floors[1].fl_doors[ROOM].do_seq = UINT32_MAX - 2;
		}
		for (step = 0; step < 20; step++) {
			i = arc4random_uniform(2);
			if (arc4random_uniform(2) == 0)
				arrive(i);
			else
				room_door(&floors[i], ROOM,
				    (uint8_t)arc4random_uniform(DOOR_MAX),
				    &people[i]);
		}
		while (ntold[0] > 0 || ntold[1] > 0)
			arrive(ntold[0] == 0);
		if (!agree())
			break;
	}
	CHECK_INT(round, 2000);
}

static void
test_empty(void)
{
	const struct door	 late = { DOOR_LOCKED, 10, 5 };

	begin();
	room_door(&floors[0], ROOM, DOOR_LOCKED, &people[0]);
	CHECK_INT(frames, 1);
	CHECK_INT(moved, 1);
	CHECK(room_shut(&floors[0], NULL, ROOM));
	floors[0].fl_rooms[ROOM] = 0;
	room_empty(&floors[0], ROOM);
	CHECK_INT(frames, 2);
	CHECK(!room_shut(&floors[0], NULL, ROOM));
	CHECK_INT(floors[0].fl_doors[ROOM].do_seq, 0);
	room_empty(&floors[0], ROOM);		/* open already: no word */
	CHECK_INT(frames, 2);
	room_told(&floors[0], ROOM, &late);	/* of when it was not */
	CHECK_INT(floors[0].fl_doors[ROOM].do_state, DOOR_OPEN);
	floors[0].fl_rooms[ROOM] = 1;		/* somebody is, after all */
	room_told(&floors[0], ROOM, &late);
	CHECK_INT(floors[0].fl_doors[ROOM].do_state, DOOR_LOCKED);
	CHECK_INT(frames, 3);
	room_told(&floors[0], ROOM, &late);	/* twice */
	CHECK_INT(frames, 3);
}

/* Who is inside of a closed room says so when one of the other has left. */
static void
test_left(void)
{
	begin();
	people[0].av_room = ROOM;
	room_left(&floors[0], ROOM);		/* open: nobody is kept out */
	CHECK_INT(again, 0);
	room_door(&floors[0], ROOM, DOOR_CLOSED, &people[0]);
	room_left(&floors[0], 0);
	CHECK_INT(again, 0);
	room_left(&floors[0], ROOM);
	CHECK_INT(again, 1);
	people[0].av_room = 0;			/* nobody of ours */
	room_left(&floors[0], ROOM);
	CHECK_INT(again, 1);
}

static void
check_pass(int want)
{
	struct walk_rules	 wr;

	CHECK_INT(room_shut(&floors[0], &people[0], ROOM), !want);
	room_rules(&people[0], &wr);
	CHECK_INT(!isset(wr.wr_locked, ROOM), want);
	CHECK(room_shut(&floors[0], &people[1], ROOM));
	CHECK(room_shut(&floors[0], NULL, ROOM));
}

/* A pass is for one, for one room, for a time, and for the door as it is. */
static void
test_pass(void)
{
	begin();
	room_door(&floors[0], ROOM, DOOR_CLOSED, &people[0]);
	check_pass(0);
	room_pass(&people[0], ROOM);
	check_pass(1);
	people[0].av_pass_until -= 60001;
	check_pass(0);
	room_pass(&people[0], ROOM + 1);
	check_pass(0);
	room_pass(&people[0], ROOM);
	room_door(&floors[0], ROOM, DOOR_LOCKED, &people[0]);
	check_pass(0);
	room_door(&floors[0], ROOM, DOOR_CLOSED, &people[0]);
	check_pass(0);
	room_pass(&people[0], ROOM);
	check_pass(1);
	room_door(&floors[0], ROOM, DOOR_OPEN, &people[0]);
	room_door(&floors[0], ROOM, DOOR_CLOSED, &people[0]);
	check_pass(0);
}

int
main(void)
{
	test_words();
	test_agree();
	test_empty();
	test_left();
	test_pass();
	return (unit_end());
}
