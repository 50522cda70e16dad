/*
 * Map documents: a good one is read, each limit refuses at its edge and says
 * where, points are in the room they should be.  Links risad/map.c, jansson.
 * Arguments are map files that must be accepted.
 */
#include <stdarg.h>
#include <stdint.h>

#include "map.h"
#include "unit.h"

#define DOC_HEAD	"{\"version\":1,\"size\":[1000,800],"		\
			"\"floor\":\"wood\","
#define DOC_WALLS	"\"walls\":[[0,0,1000,0],[0,800,1000,800],"	\
			"[500,0,500,300]],"
#define ROOM_HEAD	"{\"id\":7,\"kind\":\"meeting\",\"name\":\"A\","
#define ROOM_TAIL	"\"capacity\":4,\"surface\":\"tile\","		\
			"\"lock\":true,\"doors\":[[600,400,700,400]]}"
#define ROOM_SHAPE	"\"shape\":[[500,100],[900,100],[900,400],"	\
			"[500,400]],"
#define DOC_ROOMS	"\"rooms\":[" ROOM_HEAD ROOM_SHAPE ROOM_TAIL "],"
#define THING	"{\"kind\":\"desk\",\"x\":10,\"y\":20,\"w\":140,"	\
			"\"h\":70,\"turn\":90}"
#define DOC_THINGS	"\"furniture\":[" THING "],"
#define DOC_SPAWN	"\"spawn\":[[100,100],[200,700]]}"

static char	 doc[4 * MAP_MAXLEN], why[160];

/* Is this document taken?  The reason is left in why. */
static int
takes(const char *text, size_t len)
{
	struct floor_map	*m;

	strlcpy(why, "no error", sizeof(why));
	m = map_parse(text, len, why, sizeof(why));
	map_free(m);
	return (m != NULL);
}

/* The reason for which head..tail is refused, "" when it is taken. */
static const char *
refused(const char *head, ...)
{
	const char	*part;
	va_list		 ap;

	strlcpy(doc, head, sizeof(doc));
	va_start(ap, head);
	while ((part = va_arg(ap, const char *)) != NULL)
		strlcat(doc, part, sizeof(doc));
	va_end(ap);
	return (takes(doc, strlen(doc)) ? "" : why);
}

/* n times the same text, with commas between. */
static const char *
times(const char *text, unsigned int n)
{
	static char	 buf[3 * MAP_MAXLEN];
	size_t		 len = strlen(text), off = 0;

	buf[0] = '\0';
	while (n-- > 0 && off + len + 2 < sizeof(buf)) {
		memcpy(buf + off, text, len);
		off += len;
		if (n > 0)
			buf[off++] = ',';
		buf[off] = '\0';
	}
	return (buf);
}

#define WITH_WALLS(w)	refused(DOC_HEAD "\"walls\":[", w, "]," DOC_ROOMS \
			    DOC_THINGS DOC_SPAWN, (char *)NULL)
#define WITH_ROOMS(r)	refused(DOC_HEAD DOC_WALLS "\"rooms\":[", r, "],"   \
			    DOC_THINGS DOC_SPAWN, (char *)NULL)
#define WITH_SHAPE(s)	refused(DOC_HEAD DOC_WALLS "\"rooms\":[" ROOM_HEAD  \
			    "\"shape\":[", s, "]," ROOM_TAIL "]," DOC_THINGS \
			    DOC_SPAWN, (char *)NULL)
#define WITH_NAME(n)	refused(DOC_HEAD DOC_WALLS "\"rooms\":[{\"id\":7,"   \
			    "\"kind\":\"meeting\",\"name\":", n, ","	     \
			    ROOM_SHAPE ROOM_TAIL "]," DOC_THINGS DOC_SPAWN,  \
			    (char *)NULL)
#define WITH_DOORS(d)	refused(DOC_HEAD DOC_WALLS "\"rooms\":[" ROOM_HEAD  \
			    ROOM_SHAPE "\"capacity\":4,\"surface\":"	     \
			    "\"tile\",\"lock\":true,\"doors\":[", d, "]}],"   \
			    DOC_THINGS DOC_SPAWN, (char *)NULL)
#define WITH_THINGS(t)	refused(DOC_HEAD DOC_WALLS DOC_ROOMS		     \
			    "\"furniture\":[", t, "]," DOC_SPAWN, (char *)NULL)
#define WITH_SPAWN(s)	refused(DOC_HEAD DOC_WALLS DOC_ROOMS DOC_THINGS	     \
			    "\"spawn\":[", s, "]}", (char *)NULL)

static void
test_good(void)
{
	static const char	 text[] = DOC_HEAD DOC_WALLS DOC_ROOMS
				    DOC_THINGS DOC_SPAWN;
	const struct map_room	*rm;
	struct floor_map	*m;

	m = map_parse(text, strlen(text), why, sizeof(why));
	CHECK(m != NULL);
	if (m == NULL)
		return;
	CHECK_INT(m->fm_width, 1000);
	CHECK_INT(m->fm_height, 800);
	CHECK_INT(m->fm_nwalls, 3);
	CHECK_INT(m->fm_walls[2].sg_y2, 300);
	CHECK_INT(m->fm_nspawn, 2);
	CHECK_INT(m->fm_spawn[1].pt_y, 700);
	CHECK(map_room(m, 8) == NULL);
	CHECK(map_room(m, 0) == NULL);
	CHECK(map_room(m, 256 + 7) == NULL);
	rm = map_room(m, 7);
	CHECK(rm != NULL && rm->rm_capacity == 4 && rm->rm_lock == 1 &&
	    rm->rm_npoints == 4 && rm->rm_ndoors == 1 &&
	    rm->rm_doors[0].sg_x2 == 700 && rm->rm_left == 500 &&
	    rm->rm_right == 900 && rm->rm_top == 100 && rm->rm_bottom == 400);
	map_free(m);
}

static void
test_document(void)
{
	CHECK_STR(refused("", (char *)NULL), "line 1: not JSON");
	CHECK_STR(refused("[]", (char *)NULL), "not an object");
	CHECK_STR(refused("{\"version\":1,\n\"version\":1}", (char *)NULL),
	    "line 2: a key twice");
	CHECK_STR(refused("{\"version\":1}", (char *)NULL), "no key size");
	CHECK_STR(refused(DOC_HEAD "\"more\":1," DOC_WALLS DOC_ROOMS DOC_THINGS
	    DOC_SPAWN, (char *)NULL), "unknown key");
	CHECK_STR(refused(DOC_HEAD DOC_WALLS DOC_ROOMS DOC_THINGS DOC_SPAWN,
	    " x", (char *)NULL), "line 1: not JSON");
	CHECK_STR(refused("{\"version\":2,\"size\":[500,500],\"floor\":"
	    "\"wood\"," DOC_WALLS DOC_ROOMS DOC_THINGS DOC_SPAWN,
	    (char *)NULL), "version: not from 1 to 1");
	CHECK_STR(refused("{\"version\":1,\"size\":[500,500],\"floor\":"
	    "\"lava\"," DOC_WALLS DOC_ROOMS DOC_THINGS DOC_SPAWN,
	    (char *)NULL), "floor: unknown word");
	CHECK_STR(refused("{\"version\":1,\"size\":[499,500],\"floor\":"
	    "\"wood\"," DOC_WALLS DOC_ROOMS DOC_THINGS DOC_SPAWN,
	    (char *)NULL), "size[0]: not from 500 to 20000");
	CHECK_STR(refused("{\"version\":1,\"size\":[500,20001],\"floor\":"
	    "\"wood\"," DOC_WALLS DOC_ROOMS DOC_THINGS DOC_SPAWN,
	    (char *)NULL), "size[1]: not from 500 to 20000");
	CHECK_STR(refused("{\"version\":1,\"size\":[500],\"floor\":"
	    "\"wood\"," DOC_WALLS DOC_ROOMS DOC_THINGS DOC_SPAWN,
	    (char *)NULL), "size: fewer than 2");
}

/* Sizes and depths that have to be caught before jansson sees the text. */
static void
test_bounds(void)
{
	static const char	 good[] = DOC_HEAD DOC_WALLS DOC_ROOMS
				    DOC_THINGS DOC_SPAWN;
	char			 one[1] = { 'x' };

	memset(doc, ' ', sizeof(doc));
	memcpy(doc, good, strlen(good));
	CHECK(takes(doc, MAP_MAXLEN));
	CHECK(!takes(doc, MAP_MAXLEN + 1));
	CHECK_STR(why, "longer than 98304 bytes");
	memset(doc, '[', sizeof(doc));
	CHECK(!takes(doc, MAP_MAXDEPTH + 1));
	CHECK_STR(why, "nested too deep");
	CHECK(!takes(doc, MAP_MAXDEPTH));
	CHECK_STR(why, "line 1: not JSON");
	CHECK(!takes(doc, MAP_MAXLEN));
	/* Brackets in strings do not count, and an escape does not end one. */
	CHECK_STR(WITH_NAME("\"\\\"[[[[[[[[[[[[[[[[[[[[{{{{\""), "");
	CHECK(map_parse(good, strlen(good) - 1, NULL, 0) == NULL);
	CHECK(map_parse(good, strlen(good) - 1, one, 1) == NULL);
	CHECK_INT(one[0], '\0');
}

static void
test_walls(void)
{
	CHECK_STR(WITH_WALLS(""), "");
	CHECK_STR(WITH_WALLS("[0,0,1000,800]"), "");
	CHECK_STR(WITH_WALLS("[0,0,800,800]"), "spawn[0]: on walls[0]");
	CHECK_STR(WITH_WALLS("[0,0,1001,0]"), "walls[0]: outside the floor");
	CHECK_STR(WITH_WALLS("[0,0,1000,801]"), "walls[0]: outside the floor");
	CHECK_STR(WITH_WALLS("[0,0,9,0],[-1,0,9,0]"),
	    "walls[1]: outside the floor");
	CHECK_STR(WITH_WALLS("[0,0,9]"), "walls[0]: not 4 numbers");
	CHECK_STR(WITH_WALLS("[0,0,9,0,9]"), "walls[0]: not 4 numbers");
	CHECK_STR(WITH_WALLS("[0,0,9,0.5]"), "walls[0]: not a whole number");
	CHECK_STR(WITH_WALLS("[0,0,1e2,0]"), "walls[0]: not a whole number");
	CHECK_STR(WITH_WALLS("[9,8,9,8]"), "walls[0]: no length");
	CHECK_STR(WITH_WALLS("7"), "walls[0]: not 4 numbers");
	CHECK_STR(WITH_WALLS("[0,0,4294967296,0]"),
	    "walls[0]: outside the floor");
	CHECK_STR(WITH_WALLS(times("[0,0,9,0]", 1024)), "");
	CHECK_STR(WITH_WALLS(times("[0,0,9,0]", 1025)),
	    "walls: more than 1024");
}

static void
test_shapes(void)
{
	CHECK_STR(WITH_SHAPE("[500,100],[900,100]"),
	    "rooms[0].shape: fewer than 3");
	CHECK_STR(WITH_SHAPE(times("[1,1]", 17)),
	    "rooms[0].shape: more than 16");
	CHECK_STR(WITH_SHAPE("[500,100],[900,100],[900,801]"),
	    "rooms[0].shape[2]: outside the floor");
	CHECK_STR(WITH_SHAPE("[500,100],[900,100],[900,100]"),
	    "rooms[0].shape: not a simple polygon");
	CHECK_STR(WITH_SHAPE("[500,100],[900,100],[700,100]"),
	    "rooms[0].shape: not a simple polygon");
	/* A bow tie, a spike, a point that touches an edge, a repeated point */
	CHECK_STR(WITH_SHAPE("[500,100],[900,400],[900,100],[500,400]"),
	    "rooms[0].shape: not a simple polygon");
	CHECK_STR(WITH_SHAPE("[500,100],[900,100],[700,100],[700,400]"),
	    "rooms[0].shape: not a simple polygon");
	CHECK_STR(WITH_SHAPE("[500,100],[900,100],[900,400],[700,100],"
	    "[500,400]"), "rooms[0].shape: not a simple polygon");
	CHECK_STR(WITH_SHAPE("[500,100],[700,200],[900,100],[900,400],"
	    "[700,200],[500,400]"), "rooms[0].shape: not a simple polygon");
	/* Points in a row along an edge, an L, and the other direction. */
	CHECK_STR(WITH_SHAPE("[500,100],[700,100],[900,100],[900,400]"), "");
	CHECK_STR(WITH_SHAPE("[500,100],[900,100],[900,400],[700,400],"
	    "[700,200],[500,200]"), "");
	CHECK_STR(WITH_SHAPE("[500,400],[900,400],[900,100],[500,100]"), "");
}

static void
test_rooms(void)
{
	static const char	 room[] = ROOM_HEAD ROOM_SHAPE ROOM_TAIL;
	char			 two[2 * sizeof(room)];

	(void)snprintf(two, sizeof(two), "%s,%s", room, room);
	CHECK_STR(WITH_ROOMS(""), "");
	CHECK_STR(WITH_ROOMS(two), "rooms[1]: id 7 is used twice");
	CHECK_STR(WITH_ROOMS(times("1", 65)), "rooms: more than 64");
	CHECK_STR(WITH_ROOMS("1"), "rooms[0]: not an object");
	CHECK_STR(WITH_ROOMS("{}"), "rooms[0]: no key id");
	CHECK_STR(WITH_ROOMS("{\"id\":0,\"kind\":\"meeting\",\"name\":\"A\","
	    ROOM_SHAPE ROOM_TAIL), "rooms[0].id: not from 1 to 255");
	CHECK_STR(WITH_ROOMS("{\"id\":256,\"kind\":\"meeting\",\"name\":\"A\","
	    ROOM_SHAPE ROOM_TAIL), "rooms[0].id: not from 1 to 255");
	CHECK_STR(WITH_ROOMS("{\"id\":1,\"kind\":\"bar\",\"name\":\"A\","
	    ROOM_SHAPE ROOM_TAIL), "rooms[0].kind: unknown word");
	CHECK_STR(WITH_ROOMS("{\"id\":1,\"kind\":\"desk\",\"name\":\"A\","
	    ROOM_SHAPE "\"capacity\":1001,\"surface\":\"tile\",\"lock\":true,"
	    "\"doors\":[]}"), "rooms[0].capacity: not from 1 to 1000");
	CHECK_STR(WITH_ROOMS("{\"id\":1,\"kind\":\"desk\",\"name\":\"A\","
	    ROOM_SHAPE "\"capacity\":1,\"surface\":\"lava\",\"lock\":true,"
	    "\"doors\":[]}"), "rooms[0].surface: unknown word");
	CHECK_STR(WITH_ROOMS("{\"id\":1,\"kind\":\"desk\",\"name\":\"A\","
	    ROOM_SHAPE "\"capacity\":1,\"surface\":\"tile\",\"lock\":1,"
	    "\"doors\":[]}"), "rooms[0]: lock is not true or false");
	CHECK_STR(WITH_ROOMS("{\"id\":1,\"kind\":\"desk\",\"name\":\"A\","
	    "\"wide\":1," ROOM_SHAPE ROOM_TAIL), "rooms[0]: unknown key");
}

static void
test_doors(void)
{
	CHECK_STR(WITH_DOORS(""), "");
	CHECK_STR(WITH_DOORS("[500,400,600,400],[600,400,600,1401]"),
	    "rooms[0].doors[1]: outside the floor");
	CHECK_STR(WITH_DOORS("[500,400,500,400]"),
	    "rooms[0].doors[0]: no length");
	CHECK_STR(WITH_DOORS(times("[500,400,600,400]", 8)), "");
	CHECK_STR(WITH_DOORS(times("[500,400,600,400]", 9)),
	    "rooms[0].doors: more than 8");
}

static void
test_names(void)
{
	char	 kanji[3 * 65 + 3], ok[3 * 64 + 3];
	int	 i;

	kanji[0] = ok[0] = '"';
	for (i = 0; i < 65; i++)
		memcpy(kanji + 1 + 3 * i, "\xe4\xbc\x9a", 3);
	strlcpy(kanji + 1 + 3 * 65, "\"", 2);
	memcpy(ok + 1, kanji + 1, 3 * 64);
	strlcpy(ok + 1 + 3 * 64, "\"", 2);
	CHECK_STR(WITH_NAME(ok), "");
	CHECK_STR(WITH_NAME(kanji), "rooms[0].name: not 1 to 64 characters");
	CHECK_STR(WITH_NAME("\"\""), "rooms[0].name: not 1 to 64 characters");
	CHECK_STR(WITH_NAME("{\"ja\":\"\xe4\xbc\x9a\",\"en\":\"Room\"}"), "");
	CHECK_STR(WITH_NAME("{\"en\":\"Room\"}"), "rooms[0].name: no key ja");
	CHECK_STR(WITH_NAME("{\"ja\":\"a\",\"en\":\"b\",\"de\":\"c\"}"),
	    "rooms[0].name: unknown key");
	CHECK_STR(WITH_NAME("{\"ja\":\"a\",\"en\":\"\"}"),
	    "rooms[0].name.en: not 1 to 64 characters");
	CHECK_STR(WITH_NAME("1"), "rooms[0].name: not an object");
	CHECK_STR(WITH_NAME("\"a\\nb\""), "rooms[0].name: control character");
	CHECK_STR(WITH_NAME("\"a\\u009bb\""),
	    "rooms[0].name: control character");
	CHECK_STR(WITH_NAME("\"a\\u00a0b\""), "");
	CHECK_STR(WITH_NAME("\"a\\u0000b\""), "line 1: not JSON");
	CHECK_STR(WITH_NAME("\"\xc0\xaf\""), "line 1: not JSON");
}

static void
test_things(void)
{
	CHECK_STR(WITH_THINGS(""), "");
	CHECK_STR(WITH_THINGS("{\"kind\":\"sofa\",\"x\":900,\"y\":700,"
	    "\"w\":100,\"h\":100,\"turn\":0}"), "");
	CHECK_STR(WITH_THINGS("{\"kind\":\"sofa\",\"x\":901,\"y\":700,"
	    "\"w\":100,\"h\":100,\"turn\":0}"),
	    "furniture[0]: outside the floor");
	CHECK_STR(WITH_THINGS("{\"kind\":\"sofa\",\"x\":900,\"y\":701,"
	    "\"w\":100,\"h\":100,\"turn\":0}"),
	    "furniture[0]: outside the floor");
	CHECK_STR(WITH_THINGS(THING ",{\"kind\":\"sofa\",\"x\":900,\"y\":70,"
	    "\"w\":0,\"h\":100,\"turn\":0}"),
	    "furniture[1].w: not from 1 to 1000");
	CHECK_STR(WITH_THINGS("{\"kind\":\"sofa\",\"x\":900,\"y\":700,"
	    "\"w\":100,\"h\":100,\"turn\":45}"),
	    "furniture[0]: turn is not 0, 90, 180 or 270");
	CHECK_STR(WITH_THINGS("{\"kind\":\"sofa\",\"x\":900,\"y\":700,"
	    "\"w\":100,\"h\":100,\"turn\":360}"),
	    "furniture[0].turn: not from 0 to 270");
	CHECK_STR(WITH_THINGS("{\"kind\":\"throne\",\"x\":900,\"y\":700,"
	    "\"w\":100,\"h\":100,\"turn\":0}"),
	    "furniture[0].kind: unknown word");
	CHECK_STR(WITH_THINGS(times("1", 2048)),
	    "furniture[0]: not an object");
	CHECK_STR(WITH_THINGS(times("1", 2049)), "furniture: more than 2048");
}

static void
test_spawn(void)
{
	CHECK_STR(WITH_SPAWN(""), "spawn: fewer than 1");
	CHECK_STR(WITH_SPAWN("[1001,5]"), "spawn[0]: outside the floor");
	CHECK_STR(WITH_SPAWN("[493,50]"), "spawn[0]: on walls[2]");
	CHECK_STR(WITH_SPAWN("[492,50]"), "");
	/* Beyond the end of the wall: 5 aside, 5 on is nearer than 7 + 1. */
	CHECK_STR(WITH_SPAWN("[496,305]"), "spawn[0]: on walls[2]");
	CHECK_STR(WITH_SPAWN("[494,306]"), "");
	CHECK_STR(WITH_SPAWN("[500,307]"), "spawn[0]: on walls[2]");
	CHECK_STR(WITH_SPAWN("[499,308]"), "");
	CHECK_STR(WITH_SPAWN("[9,9],[600,200]"),
	    "spawn[1]: in rooms[0], which can be locked");
	CHECK_STR(WITH_SPAWN(times("[9,9]", 64)), "");
	CHECK_STR(WITH_SPAWN(times("[9,9]", 65)), "spawn: more than 64");
}

/* Rooms side by side share no point and leave none out; the first one wins. */
static void
test_room_at(void)
{
	static const char	 text[] = DOC_HEAD DOC_WALLS "\"rooms\":["
	    "{\"id\":1,\"kind\":\"desk\",\"name\":\"A\",\"shape\":[[100,100],"
	    "[200,100],[200,200],[100,200]]," ROOM_TAIL ","
	    "{\"id\":2,\"kind\":\"desk\",\"name\":\"A\",\"shape\":[[200,100],"
	    "[300,100],[300,200],[200,200]]," ROOM_TAIL ","
	    "{\"id\":3,\"kind\":\"desk\",\"name\":\"A\",\"shape\":[[150,150],"
	    "[250,150],[250,400],[150,400]]," ROOM_TAIL "],"
	    DOC_THINGS "\"spawn\":[[9,9]]}";
	struct floor_map	*m;

	m = map_parse(text, strlen(text), why, sizeof(why));
	CHECK_STR(m == NULL ? why : "", "");
	if (m == NULL)
		return;
	CHECK_INT(map_room_at(m, 150, 150), 1);
	CHECK_INT(map_room_at(m, 100, 100), 1);
	CHECK_INT(map_room_at(m, 99, 100), 0);
	CHECK_INT(map_room_at(m, 200, 100), 2);
	CHECK_INT(map_room_at(m, 199, 199), 1);
	CHECK_INT(map_room_at(m, 300, 150), 0);
	CHECK_INT(map_room_at(m, 200, 200), 3);
	CHECK_INT(map_room_at(m, 200, 400), 0);
	CHECK_INT(map_rooms_at(m, 160, 160), 5);
	CHECK_INT(map_rooms_at(m, 220, 160), 6);
	CHECK(map_on_floor(m, 1000, 800));
	CHECK(!map_on_floor(m, 1001, 800));
	CHECK(!map_on_floor(m, 5, -1));
	CHECK(map_can_stand(m, 501, 200));
	CHECK(!map_can_stand(m, 500, 200));
	CHECK(!map_can_stand(m, 500, 300));
	CHECK(map_can_stand(m, 500, 301));
	CHECK(!map_can_stand(m, 1000, 0));
	CHECK(!map_can_stand(m, 1001, 5));
	map_free(m);
}

/* Every wall is found in the cells of each of its own points. */
static void
test_grid(void)
{
	struct floor_map	*m;
	struct map_segment	*sg;
	char			 wall[64];
	unsigned int		 i, j;
	size_t			 off;
	int			 x, y;

	off = (size_t)snprintf(doc, sizeof(doc), "{\"version\":1,\"size\":"
	    "[20000,20000],\"floor\":\"wood\",\"walls\":[");
	for (i = 0; i < 400; i++) {
		(void)snprintf(wall, sizeof(wall), "%s[%u,%u,%u,%u]",
		    i == 0 ? "" : ",", i * 7919 % 19000, i * 104729 % 19000,
		    i * 7919 % 19000 + i % 1000,
		    i * 104729 % 19000 + 1 + i * 31 % 900);
		off += strlcpy(doc + off, wall, sizeof(doc) - off);
	}
	strlcpy(doc + off, "],\"rooms\":[],\"furniture\":[],\"spawn\":"
	    "[[19999,19]]}", sizeof(doc) - off);
	m = map_parse(doc, strlen(doc), why, sizeof(why));
	CHECK_STR(m == NULL ? why : "", "");
	if (m == NULL)
		return;
	for (i = 0; i < m->fm_nwalls; i++) {
		sg = &m->fm_walls[i];
		for (j = 0; j <= 1; j++) {
			x = j ? sg->sg_x2 : sg->sg_x1;
			y = j ? sg->sg_y2 : sg->sg_y1;
			CHECK(!map_can_stand(m, x, y));
		}
	}
	map_free(m);
}

static void
test_file(const char *path)
{
	static char	 buf[MAP_MAXLEN + 1];
	size_t		 len = 0;
	FILE		*f;

	if ((f = fopen(path, "r")) != NULL) {
		len = fread(buf, 1, sizeof(buf), f);
		fclose(f);
	}
	CHECK(len > 0);
	if (!takes(buf, len))
		fprintf(stderr, "%s: %s\n", path, why);
	CHECK_STR(why, "no error");
}

int
main(int argc, char *argv[])
{
	int	 i;

	test_good();
	test_document();
	test_bounds();
	test_walls();
	test_shapes();
	test_rooms();
	test_doors();
	test_names();
	test_things();
	test_spawn();
	test_room_at();
	test_grid();
	for (i = 1; i < argc; i++)
		test_file(argv[i]);
	return (unit_end());
}
