/*
 * Map documents come from tenants and are hostile until every number has been
 * looked at; after that, walk.c trusts the ranges.
 */
#include <sys/types.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "map.h"

#define MAP_PATHLEN	64
#define MAP_CELL	(1 << MAP_CELLSHIFT)

struct map_ctx {
	struct floor_map	*mc_map;
	char			*mc_err;
	size_t			 mc_errlen;
};

static const char *const map_root_keys[] = {
	"version", "size", "floor", "walls", "rooms", "furniture", "spawn", NULL
};
static const char *const map_room_keys[] = {
	"id", "kind", "name", "shape", "capacity", "surface", "lock", "doors",
	NULL
};
static const char *const map_thing_keys[] = {
	"kind", "x", "y", "w", "h", "turn", NULL
};
static const char *const map_name_keys[] = {
	"ja", "en", NULL
};
static const char *const map_surfaces[] = {
	"wood", "carpet-blue", "carpet-green", "carpet-rose", "tatami", "tile",
	"stone", "grass", NULL
};
static const char *const map_room_kinds[] = {
	"meeting", "quiet", "stage", "desk", "lobby", "cafe", NULL
};
static const char *const map_thing_kinds[] = {
	"desk", "chair", "table", "round", "sofa", "armchair", "plant", "rug",
	"counter", "shelf", "board", "screen", "stage", "lamp", "coffee",
	"door-mat", "cushion", "low-table", NULL
};

static int	 map_bad(struct map_ctx *, const char *, const char *, ...)
		    __attribute__((__format__(printf, 3, 4)));
static int	 map_shallow(const char *, size_t);
static int	 map_listed(const char *, const char *const *);
static int	 map_keys(struct map_ctx *, json_t *, const char *,
		    const char *const *);
static int	 map_array(struct map_ctx *, json_t *, const char *, size_t,
		    size_t);
static int	 map_int(struct map_ctx *, json_t *, const char *, int, int,
		    int32_t *);
static int	 map_field(struct map_ctx *, json_t *, const char *,
		    const char *, int, int, int32_t *);
static int	 map_word(struct map_ctx *, json_t *, const char *,
		    const char *, const char *const *);
static int	 map_text(struct map_ctx *, json_t *, const char *);
static int	 map_name(struct map_ctx *, json_t *, const char *);
static int	 map_numbers(struct map_ctx *, json_t *, const char *,
		    int32_t *, size_t);
static int	 map_point(struct map_ctx *, json_t *, const char *,
		    struct map_point *);
static int	 map_segment(struct map_ctx *, json_t *, const char *,
		    struct map_segment *);
static int	 map_version(struct map_ctx *, json_t *);
static int	 map_size(struct map_ctx *, json_t *);
static int	 map_walls(struct map_ctx *, json_t *);
static int	 map_rooms(struct map_ctx *, json_t *);
static int	 map_one_room(struct map_ctx *, json_t *, const char *,
		    struct map_room *);
static int	 map_room_id(struct map_ctx *, const char *,
		    struct map_room *);
static int	 map_shape(struct map_ctx *, json_t *, const char *,
		    struct map_room *);
static int	 map_doors(struct map_ctx *, json_t *, const char *,
		    struct map_room *);
static void	 map_box(struct map_room *);
static int	 map_simple(const struct map_room *);
static int	 map_edges_ok(const struct map_point *,
		    const struct map_point *, const struct map_point *);
static int	 map_furniture(struct map_ctx *, json_t *);
static int	 map_thing(struct map_ctx *, json_t *, const char *);
static int	 map_spawn(struct map_ctx *, json_t *);
static int	 map_spawn_ok(struct map_ctx *, const char *,
		    const struct map_point *);
static int	 map_document(struct map_ctx *, json_t *);
static int	 map_grid(struct floor_map *);
static int64_t	 map_cross(int64_t, int64_t, int64_t, int64_t, int64_t,
		    int64_t);
static int	 map_on_segment(const struct map_segment *, int64_t, int64_t);
static int	 map_near_segment(const struct map_segment *, int64_t, int64_t,
		    int64_t);
static int	 map_touch(const struct map_segment *,
		    const struct map_segment *);
static int	 map_holds(const struct map_room *, int, int);
static int32_t	 map_along(const struct map_scan *, int64_t);
static int	 map_scan_row(struct map_scan *);

static int
map_bad(struct map_ctx *mc, const char *at, const char *fmt, ...)
{
	char	 why[96];
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (mc->mc_errlen > 0)
		(void)snprintf(mc->mc_err, mc->mc_errlen, "%s%s%s", at,
		    *at == '\0' ? "" : ": ", why);
	return (-1);
}

/* jansson recurses up to 2048 deep: count before it does. */
static int
map_shallow(const char *s, size_t len)
{
	size_t	 i;
	int	 depth = 0, quoted = 0;

	for (i = 0; i < len; i++) {
		if (quoted) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				quoted = 0;
		} else if (s[i] == '"')
			quoted = 1;
		else if (s[i] == '[' || s[i] == '{') {
			if (++depth > MAP_MAXDEPTH)
				return (0);
		} else if (s[i] == ']' || s[i] == '}')
			depth--;
	}
	return (1);
}

/* The word's place in the list, or -1. */
static int
map_listed(const char *word, const char *const *list)
{
	int	 i;

	for (i = 0; list[i] != NULL; i++)
		if (strcmp(word, list[i]) == 0)
			return (i);
	return (-1);
}

/* An object with all of these keys and no other; all are required. */
static int
map_keys(struct map_ctx *mc, json_t *obj, const char *at,
    const char *const *keys)
{
	const char	*key;
	json_t		*value;

	if (!json_is_object(obj))
		return (map_bad(mc, at, "not an object"));
	json_object_foreach(obj, key, value) {
		if (map_listed(key, keys) == -1)
			return (map_bad(mc, at, "unknown key"));
	}
	for (; *keys != NULL; keys++)
		if (json_object_get(obj, *keys) == NULL)
			return (map_bad(mc, at, "no key %s", *keys));
	return (0);
}

static int
map_array(struct map_ctx *mc, json_t *v, const char *at, size_t min,
    size_t max)
{
	if (!json_is_array(v))
		return (map_bad(mc, at, "not an array"));
	if (json_array_size(v) < min)
		return (map_bad(mc, at, "fewer than %zu", min));
	if (json_array_size(v) > max)
		return (map_bad(mc, at, "more than %zu", max));
	return (0);
}

static int
map_int(struct map_ctx *mc, json_t *v, const char *at, int min, int max,
    int32_t *n)
{
	json_int_t	 i;

	if (!json_is_integer(v))
		return (map_bad(mc, at, "not a whole number"));
	i = json_integer_value(v);
	if (i < min || i > max)
		return (map_bad(mc, at, "not from %d to %d", min, max));
	*n = (int32_t)i;
	return (0);
}

static int
map_field(struct map_ctx *mc, json_t *obj, const char *at, const char *key,
    int min, int max, int32_t *n)
{
	char	 path[2 * MAP_PATHLEN];

	(void)snprintf(path, sizeof(path), "%s.%s", at, key);
	return (map_int(mc, json_object_get(obj, key), path, min, max, n));
}

/* The word's place in the list, or -1 when it is none of it. */
static int
map_word(struct map_ctx *mc, json_t *obj, const char *at, const char *key,
    const char *const *list)
{
	char		 path[2 * MAP_PATHLEN];
	const char	*s;
	int		 i;

	(void)snprintf(path, sizeof(path), "%s%s%s", at,
	    *at == '\0' ? "" : ".", key);
	if ((s = json_string_value(json_object_get(obj, key))) == NULL)
		return (map_bad(mc, path, "not a string"));
	if ((i = map_listed(s, list)) == -1)
		return (map_bad(mc, path, "unknown word"));
	return (i);
}

/* jansson has checked the UTF-8 and lets no NUL in; U+0080..9F is C2 80..9F. */
static int
map_text(struct map_ctx *mc, json_t *v, const char *at)
{
	const unsigned char	*s;
	size_t			 n;

	if ((s = (const unsigned char *)json_string_value(v)) == NULL)
		return (map_bad(mc, at, "not a string"));
	for (n = 0; *s != '\0'; s++) {
		if (*s < 0x20 || *s == 0x7f || (*s == 0xc2 && s[1] < 0xa0))
			return (map_bad(mc, at, "control character"));
		if ((*s & 0xc0) != 0x80)
			n++;
	}
	if (n < 1 || n > MAP_MAXNAME)
		return (map_bad(mc, at, "not 1 to %d characters",
		    MAP_MAXNAME));
	return (0);
}

static int
map_name(struct map_ctx *mc, json_t *v, const char *at)
{
	char			 path[2 * MAP_PATHLEN];
	const char *const	*key;

	(void)snprintf(path, sizeof(path), "%s.name", at);
	if (json_is_string(v))
		return (map_text(mc, v, path));
	if (map_keys(mc, v, path, map_name_keys) == -1)
		return (-1);
	for (key = map_name_keys; *key != NULL; key++) {
		(void)snprintf(path, sizeof(path), "%s.name.%s", at, *key);
		if (map_text(mc, json_object_get(v, *key), path) == -1)
			return (-1);
	}
	return (0);
}

/* n whole numbers, x and y in turn, all of them on the floor. */
static int
map_numbers(struct map_ctx *mc, json_t *v, const char *at, int32_t *to,
    size_t n)
{
	json_t		*num;
	json_int_t	 c, max;
	size_t		 i;

	if (!json_is_array(v) || json_array_size(v) != n)
		return (map_bad(mc, at, "not %zu numbers", n));
	for (i = 0; i < n; i++) {
		num = json_array_get(v, i);
		if (!json_is_integer(num))
			return (map_bad(mc, at, "not a whole number"));
		c = json_integer_value(num);
		max = i % 2 == 0 ? mc->mc_map->fm_width :
		    mc->mc_map->fm_height;
		if (c < 0 || c > max)
			return (map_bad(mc, at, "outside the floor"));
		to[i] = (int32_t)c;
	}
	return (0);
}

static int
map_point(struct map_ctx *mc, json_t *v, const char *at, struct map_point *pt)
{
	int32_t	 n[2];

	if (map_numbers(mc, v, at, n, 2) == -1)
		return (-1);
	pt->pt_x = n[0];
	pt->pt_y = n[1];
	return (0);
}

static int
map_segment(struct map_ctx *mc, json_t *v, const char *at,
    struct map_segment *sg)
{
	int32_t	 n[4];

	if (map_numbers(mc, v, at, n, 4) == -1)
		return (-1);
	if (n[0] == n[2] && n[1] == n[3])
		return (map_bad(mc, at, "no length"));
	sg->sg_x1 = n[0];
	sg->sg_y1 = n[1];
	sg->sg_x2 = n[2];
	sg->sg_y2 = n[3];
	return (0);
}

static int
map_version(struct map_ctx *mc, json_t *v)
{
	int32_t	 version;

	return (map_int(mc, v, "version", 1, 1, &version));
}

static int
map_size(struct map_ctx *mc, json_t *v)
{
	struct floor_map	*m = mc->mc_map;

	if (map_array(mc, v, "size", 2, 2) == -1 ||
	    map_int(mc, json_array_get(v, 0), "size[0]", MAP_MINSIZE,
	    MAP_MAXSIZE, &m->fm_width) == -1 ||
	    map_int(mc, json_array_get(v, 1), "size[1]", MAP_MINSIZE,
	    MAP_MAXSIZE, &m->fm_height) == -1)
		return (-1);
	return (0);
}

static int
map_walls(struct map_ctx *mc, json_t *v)
{
	struct floor_map	*m = mc->mc_map;
	char			 at[MAP_PATHLEN];
	uint32_t		 i, n;

	if (map_array(mc, v, "walls", 0, MAP_MAXWALLS) == -1)
		return (-1);
	n = (uint32_t)json_array_size(v);
	if ((m->fm_walls = calloc(n + 1, sizeof(*m->fm_walls))) == NULL)
		return (map_bad(mc, "", "out of memory"));
	for (i = 0; i < n; i++) {
		(void)snprintf(at, sizeof(at), "walls[%u]", i);
		if (map_segment(mc, json_array_get(v, i), at,
		    &m->fm_walls[i]) == -1)
			return (-1);
	}
	m->fm_nwalls = n;
	return (0);
}

static int
map_rooms(struct map_ctx *mc, json_t *v)
{
	struct floor_map	*m = mc->mc_map;
	char			 at[MAP_PATHLEN];
	uint32_t		 i, n;

	if (map_array(mc, v, "rooms", 0, MAP_MAXROOMS) == -1)
		return (-1);
	n = (uint32_t)json_array_size(v);
	if ((m->fm_rooms = calloc(n + 1, sizeof(*m->fm_rooms))) == NULL)
		return (map_bad(mc, "", "out of memory"));
	for (i = 0; i < n; i++) {
		(void)snprintf(at, sizeof(at), "rooms[%u]", i);
		if (map_one_room(mc, json_array_get(v, i), at,
		    &m->fm_rooms[i]) == -1)
			return (-1);
		m->fm_nrooms = i + 1;
		if (map_room_id(mc, at, &m->fm_rooms[i]) == -1)
			return (-1);
	}
	return (0);
}

static int
map_one_room(struct map_ctx *mc, json_t *v, const char *at,
    struct map_room *rm)
{
	int32_t	 capacity, id;
	json_t	*lock;
	int	 kind;

	if (map_keys(mc, v, at, map_room_keys) == -1 ||
	    map_field(mc, v, at, "id", 1, UINT8_MAX, &id) == -1 ||
	    map_field(mc, v, at, "capacity", 1, MAP_MAXCAPACITY,
	    &capacity) == -1 ||
	    (kind = map_word(mc, v, at, "kind", map_room_kinds)) == -1 ||
	    map_word(mc, v, at, "surface", map_surfaces) == -1 ||
	    map_name(mc, json_object_get(v, "name"), at) == -1)
		return (-1);
	lock = json_object_get(v, "lock");
	if (!json_is_boolean(lock))
		return (map_bad(mc, at, "lock is not true or false"));
	rm->rm_id = (uint8_t)id;
	rm->rm_kind = (uint8_t)kind;
	rm->rm_capacity = (uint16_t)capacity;
	rm->rm_lock = json_is_true(lock) != 0;
	if (map_shape(mc, json_object_get(v, "shape"), at, rm) == -1 ||
	    map_doors(mc, json_object_get(v, "doors"), at, rm) == -1)
		return (-1);
	return (0);
}

static int
map_room_id(struct map_ctx *mc, const char *at, struct map_room *rm)
{
	struct floor_map	*m = mc->mc_map;

	if (m->fm_index[rm->rm_id] != 0)
		return (map_bad(mc, at, "id %u is used twice", rm->rm_id));
	m->fm_index[rm->rm_id] = (uint8_t)m->fm_nrooms;
	return (0);
}

static int
map_shape(struct map_ctx *mc, json_t *v, const char *base,
    struct map_room *rm)
{
	char	 at[2 * MAP_PATHLEN];
	uint8_t	 i, n;

	(void)snprintf(at, sizeof(at), "%s.shape", base);
	if (map_array(mc, v, at, MAP_MINPOINTS, MAP_MAXPOINTS) == -1)
		return (-1);
	n = (uint8_t)json_array_size(v);
	for (i = 0; i < n; i++) {
		(void)snprintf(at, sizeof(at), "%s.shape[%u]", base, i);
		if (map_point(mc, json_array_get(v, i), at,
		    &rm->rm_points[i]) == -1)
			return (-1);
	}
	rm->rm_npoints = n;
	map_box(rm);
	if (!map_simple(rm)) {
		(void)snprintf(at, sizeof(at), "%s.shape", base);
		return (map_bad(mc, at, "not a simple polygon"));
	}
	return (0);
}

static int
map_doors(struct map_ctx *mc, json_t *v, const char *base,
    struct map_room *rm)
{
	char	 at[2 * MAP_PATHLEN];
	uint8_t	 i, n;

	(void)snprintf(at, sizeof(at), "%s.doors", base);
	if (map_array(mc, v, at, 0, MAP_MAXDOORS) == -1)
		return (-1);
	n = (uint8_t)json_array_size(v);
	for (i = 0; i < n; i++) {
		(void)snprintf(at, sizeof(at), "%s.doors[%u]", base, i);
		if (map_segment(mc, json_array_get(v, i), at,
		    &rm->rm_doors[i]) == -1)
			return (-1);
	}
	rm->rm_ndoors = n;
	return (0);
}

static void
map_box(struct map_room *rm)
{
	const struct map_point	*pt = rm->rm_points;
	uint8_t			 i;

	rm->rm_left = rm->rm_right = pt[0].pt_x;
	rm->rm_top = rm->rm_bottom = pt[0].pt_y;
	for (i = 1; i < rm->rm_npoints; i++) {
		if (pt[i].pt_x < rm->rm_left)
			rm->rm_left = pt[i].pt_x;
		if (pt[i].pt_x > rm->rm_right)
			rm->rm_right = pt[i].pt_x;
		if (pt[i].pt_y < rm->rm_top)
			rm->rm_top = pt[i].pt_y;
		if (pt[i].pt_y > rm->rm_bottom)
			rm->rm_bottom = pt[i].pt_y;
	}
}

/*
 * No two edges touch but neighbours at their common point, no edge turns
 * back upon the last: this leaves no polygon without an area either.
 */
static int
map_simple(const struct map_room *rm)
{
	const struct map_point	*pt = rm->rm_points;
	struct map_segment	 e[MAP_MAXPOINTS];
	unsigned int		 i, j, n = rm->rm_npoints;

	for (i = 0; i < n; i++) {
		j = (i + 1) % n;
		if (!map_edges_ok(&pt[i], &pt[j], &pt[(j + 1) % n]))
			return (0);
		e[i].sg_x1 = pt[i].pt_x;
		e[i].sg_y1 = pt[i].pt_y;
		e[i].sg_x2 = pt[j].pt_x;
		e[i].sg_y2 = pt[j].pt_y;
	}
	for (i = 0; i < n; i++)
		for (j = i + 2; j < n; j++)
			if ((j + 1) % n != i && map_touch(&e[i], &e[j]))
				return (0);
	return (1);
}

/* Neighbours a-b and b-c: both have a length, and c is not back towards a. */
static int
map_edges_ok(const struct map_point *a, const struct map_point *b,
    const struct map_point *c)
{
	int64_t	 dx = b->pt_x - a->pt_x, dy = b->pt_y - a->pt_y;
	int64_t	 ex = c->pt_x - b->pt_x, ey = c->pt_y - b->pt_y;

	if ((dx == 0 && dy == 0) || (ex == 0 && ey == 0))
		return (0);
	return (dx * ey != dy * ex || dx * ex + dy * ey > 0);
}

static int
map_furniture(struct map_ctx *mc, json_t *v)
{
	char		 at[MAP_PATHLEN];
	uint32_t	 i, n;

	if (map_array(mc, v, "furniture", 0, MAP_MAXFURNITURE) == -1)
		return (-1);
	n = (uint32_t)json_array_size(v);
	for (i = 0; i < n; i++) {
		(void)snprintf(at, sizeof(at), "furniture[%u]", i);
		if (map_thing(mc, json_array_get(v, i), at) == -1)
			return (-1);
	}
	return (0);
}

/* The server only sees to it that the page can draw it. */
static int
map_thing(struct map_ctx *mc, json_t *v, const char *at)
{
	const struct floor_map	*m = mc->mc_map;
	int32_t			 h, turn, w, x, y;

	if (map_keys(mc, v, at, map_thing_keys) == -1 ||
	    map_word(mc, v, at, "kind", map_thing_kinds) == -1 ||
	    map_field(mc, v, at, "x", 0, m->fm_width, &x) == -1 ||
	    map_field(mc, v, at, "y", 0, m->fm_height, &y) == -1 ||
	    map_field(mc, v, at, "w", 1, m->fm_width, &w) == -1 ||
	    map_field(mc, v, at, "h", 1, m->fm_height, &h) == -1 ||
	    map_field(mc, v, at, "turn", 0, 270, &turn) == -1)
		return (-1);
	if (turn % 90 != 0)
		return (map_bad(mc, at, "turn is not 0, 90, 180 or 270"));
	if (x + w > m->fm_width || y + h > m->fm_height)
		return (map_bad(mc, at, "outside the floor"));
	return (0);
}

static int
map_spawn(struct map_ctx *mc, json_t *v)
{
	struct floor_map	*m = mc->mc_map;
	char			 at[MAP_PATHLEN];
	uint32_t		 i, n;

	if (map_array(mc, v, "spawn", 1, MAP_MAXSPAWN) == -1)
		return (-1);
	n = (uint32_t)json_array_size(v);
	if ((m->fm_spawn = calloc(n, sizeof(*m->fm_spawn))) == NULL)
		return (map_bad(mc, "", "out of memory"));
	for (i = 0; i < n; i++) {
		(void)snprintf(at, sizeof(at), "spawn[%u]", i);
		if (map_point(mc, json_array_get(v, i), at,
		    &m->fm_spawn[i]) == -1 ||
		    map_spawn_ok(mc, at, &m->fm_spawn[i]) == -1)
			return (-1);
	}
	m->fm_nspawn = n;
	return (0);
}

/* Nobody may find himself in the thickness of a wall or behind a lock. */
static int
map_spawn_ok(struct map_ctx *mc, const char *at, const struct map_point *pt)
{
	const struct floor_map	*m = mc->mc_map;
	uint32_t		 i;

	for (i = 0; i < m->fm_nwalls; i++)
		if (map_near_segment(&m->fm_walls[i], pt->pt_x, pt->pt_y,
		    MAP_WALLTHICK / 2))
			return (map_bad(mc, at, "on walls[%u]", i));
	for (i = 0; i < m->fm_nrooms; i++)
		if (m->fm_rooms[i].rm_lock &&
		    map_holds(&m->fm_rooms[i], pt->pt_x, pt->pt_y))
			return (map_bad(mc, at,
			    "in rooms[%u], which can be locked", i));
	return (0);
}

static int
map_document(struct map_ctx *mc, json_t *root)
{
	if (map_keys(mc, root, "", map_root_keys) == -1 ||
	    map_version(mc, json_object_get(root, "version")) == -1 ||
	    map_size(mc, json_object_get(root, "size")) == -1 ||
	    map_word(mc, root, "", "floor", map_surfaces) == -1 ||
	    map_walls(mc, json_object_get(root, "walls")) == -1 ||
	    map_rooms(mc, json_object_get(root, "rooms")) == -1 ||
	    map_furniture(mc, json_object_get(root, "furniture")) == -1 ||
	    map_spawn(mc, json_object_get(root, "spawn")) == -1)
		return (-1);
	if (map_grid(mc->mc_map) == -1)
		return (map_bad(mc, "", "out of memory"));
	return (0);
}

struct floor_map *
map_parse(const char *json, size_t len, char *err, size_t errlen)
{
	struct map_ctx	 mc = { NULL, err, errlen };
	json_error_t	 je;
	json_t		*root;

	if (len > MAP_MAXLEN) {
		(void)map_bad(&mc, "", "longer than %d bytes", MAP_MAXLEN);
		return (NULL);
	}
	if (!map_shallow(json, len)) {
		(void)map_bad(&mc, "", "nested too deep");
		return (NULL);
	}
	root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &je);
	if (root == NULL) {
		/* jansson's own words quote the document: not for a log. */
		(void)map_bad(&mc, "", "line %d: %s", je.line,
		    json_error_code(&je) == json_error_duplicate_key ?
		    "a key twice" : "not JSON");
		return (NULL);
	}
	if ((mc.mc_map = calloc(1, sizeof(*mc.mc_map))) == NULL)
		(void)map_bad(&mc, "", "out of memory");
	else if (map_document(&mc, root) == -1) {
		map_free(mc.mc_map);
		mc.mc_map = NULL;
	}
	json_decref(root);
	return (mc.mc_map);
}

void
map_free(struct floor_map *m)
{
	if (m == NULL)
		return;
	free(m->fm_walls);
	free(m->fm_rooms);
	free(m->fm_spawn);
	free(m->fm_cell);
	free(m->fm_cellwalls);
	free(m);
}

/* Count the walls of each cell, make the counts ends, fill from the ends. */
static int
map_grid(struct floor_map *m)
{
	struct map_segment	*sg;
	struct map_scan		 sc;
	uint32_t		 cells, i;
	int			 c;

	m->fm_cols = (m->fm_width >> MAP_CELLSHIFT) + 1;
	m->fm_rows = (m->fm_height >> MAP_CELLSHIFT) + 1;
	cells = (uint32_t)(m->fm_cols * m->fm_rows);
	if ((m->fm_cell = calloc(cells + 1, sizeof(*m->fm_cell))) == NULL)
		return (-1);
	for (i = 0; i < m->fm_nwalls; i++) {
		sg = &m->fm_walls[i];
		map_scan_init(&sc, m, sg->sg_x1, sg->sg_y1, sg->sg_x2,
		    sg->sg_y2);
		while ((c = map_scan_next(&sc)) != -1)
			m->fm_cell[c]++;
	}
	for (i = 1; i <= cells; i++)
		m->fm_cell[i] += m->fm_cell[i - 1];
	if ((m->fm_cellwalls = calloc(m->fm_cell[cells] + 1,
	    sizeof(*m->fm_cellwalls))) == NULL)
		return (-1);
	for (i = m->fm_nwalls; i-- > 0; ) {
		sg = &m->fm_walls[i];
		map_scan_init(&sc, m, sg->sg_x1, sg->sg_y1, sg->sg_x2,
		    sg->sg_y2);
		while ((c = map_scan_next(&sc)) != -1)
			m->fm_cellwalls[--m->fm_cell[c]] = (uint16_t)i;
	}
	return (0);
}

/* Above 0 when c lies to the right of a-b as seen with y downwards. */
static int64_t
map_cross(int64_t ax, int64_t ay, int64_t bx, int64_t by, int64_t cx,
    int64_t cy)
{
	return ((bx - ax) * (cy - ay) - (by - ay) * (cx - ax));
}

static int
map_on_segment(const struct map_segment *sg, int64_t x, int64_t y)
{
	if ((x < sg->sg_x1 && x < sg->sg_x2) ||
	    (x > sg->sg_x1 && x > sg->sg_x2) ||
	    (y < sg->sg_y1 && y < sg->sg_y2) ||
	    (y > sg->sg_y1 && y > sg->sg_y2))
		return (0);
	return (map_cross(sg->sg_x1, sg->sg_y1, sg->sg_x2, sg->sg_y2, x,
	    y) == 0);
}

/* Is the point at most dist from the segment?  Squares, so exact. */
static int
map_near_segment(const struct map_segment *sg, int64_t x, int64_t y,
    int64_t dist)
{
	int64_t	 dx = sg->sg_x2 - sg->sg_x1, dy = sg->sg_y2 - sg->sg_y1;
	int64_t	 px = x - sg->sg_x1, py = y - sg->sg_y1;
	int64_t	 len2 = dx * dx + dy * dy, dot = px * dx + py * dy;
	int64_t	 off = dx * py - dy * px;

	if (dot > 0 && dot < len2)
		return (off * off <= dist * dist * len2);
	if (dot >= len2) {
		px -= dx;
		py -= dy;
	}
	return (px * px + py * py <= dist * dist);
}

/* Do two segments share a point, ends included? */
static int
map_touch(const struct map_segment *a, const struct map_segment *b)
{
	int64_t	 a1, a2, b1, b2;

	a1 = map_cross(b->sg_x1, b->sg_y1, b->sg_x2, b->sg_y2, a->sg_x1,
	    a->sg_y1);
	a2 = map_cross(b->sg_x1, b->sg_y1, b->sg_x2, b->sg_y2, a->sg_x2,
	    a->sg_y2);
	b1 = map_cross(a->sg_x1, a->sg_y1, a->sg_x2, a->sg_y2, b->sg_x1,
	    b->sg_y1);
	b2 = map_cross(a->sg_x1, a->sg_y1, a->sg_x2, a->sg_y2, b->sg_x2,
	    b->sg_y2);
	if (((a1 > 0 && a2 < 0) || (a1 < 0 && a2 > 0)) &&
	    ((b1 > 0 && b2 < 0) || (b1 < 0 && b2 > 0)))
		return (1);
	return (map_on_segment(b, a->sg_x1, a->sg_y1) ||
	    map_on_segment(b, a->sg_x2, a->sg_y2) ||
	    map_on_segment(a, b->sg_x1, b->sg_y1) ||
	    map_on_segment(a, b->sg_x2, b->sg_y2));
}

/*
 * Count the edges to the right of the point.  All comparisons treat it as if
 * it lay a trifle to the right and, less still, below: walk.c does the same.
 */
static int
map_holds(const struct map_room *rm, int x, int y)
{
	const struct map_point	*a, *b;
	int64_t			 side;
	unsigned int		 i, j;
	int			 in = 0;

	if (x < rm->rm_left || x > rm->rm_right || y < rm->rm_top ||
	    y > rm->rm_bottom)
		return (0);
	j = rm->rm_npoints - 1u;
	for (i = 0; i < rm->rm_npoints; j = i++) {
		a = &rm->rm_points[j];
		b = &rm->rm_points[i];
		if ((a->pt_y > y) == (b->pt_y > y))
			continue;
		side = map_cross(a->pt_x, a->pt_y, b->pt_x, b->pt_y, x, y);
		if (b->pt_y > a->pt_y ? side > 0 : side < 0)
			in = !in;
	}
	return (in);
}

uint64_t
map_rooms_at(const struct floor_map *m, int x, int y)
{
	uint64_t	 set = 0;
	uint32_t	 i;

	for (i = 0; i < m->fm_nrooms; i++)
		if (map_holds(&m->fm_rooms[i], x, y))
			set |= (uint64_t)1 << i;
	return (set);
}

uint8_t
map_room_at(const struct floor_map *m, int x, int y)
{
	uint32_t	 i;

	for (i = 0; i < m->fm_nrooms; i++)
		if (map_holds(&m->fm_rooms[i], x, y))
			return (m->fm_rooms[i].rm_id);
	return (0);
}

const struct map_room *
map_room(const struct floor_map *m, unsigned int id)
{
	if (id > UINT8_MAX || m->fm_index[id] == 0)
		return (NULL);
	return (&m->fm_rooms[m->fm_index[id] - 1]);
}

int
map_on_floor(const struct floor_map *m, int x, int y)
{
	return (x >= 0 && y >= 0 && x <= m->fm_width && y <= m->fm_height);
}

int
map_can_stand(const struct floor_map *m, int x, int y)
{
	uint32_t	 i;
	int		 c;

	if (!map_on_floor(m, x, y))
		return (0);
	c = (y >> MAP_CELLSHIFT) * m->fm_cols + (x >> MAP_CELLSHIFT);
	for (i = m->fm_cell[c]; i < m->fm_cell[c + 1]; i++)
		if (map_on_segment(&m->fm_walls[m->fm_cellwalls[i]], x, y))
			return (0);
	return (1);
}

void
map_scan_init(struct map_scan *sc, const struct floor_map *m, int x0, int y0,
    int x1, int y1)
{
	int	 down = y0 <= y1;

	sc->sc_map = m;
	sc->sc_x0 = down ? x0 : x1;
	sc->sc_y0 = down ? y0 : y1;
	sc->sc_dx = (down ? x1 : x0) - sc->sc_x0;
	sc->sc_dy = (down ? y1 : y0) - sc->sc_y0;
	sc->sc_row = (int32_t)(sc->sc_y0 >> MAP_CELLSHIFT) - 1;
	sc->sc_lastrow = (int32_t)((sc->sc_y0 + sc->sc_dy) >> MAP_CELLSHIFT);
	if (sc->sc_row < -1)
		sc->sc_row = -1;
	if (sc->sc_lastrow >= m->fm_rows)
		sc->sc_lastrow = m->fm_rows - 1;
	sc->sc_col = 0;
	sc->sc_lastcol = -1;
}

/* x of the way where it is at y, rounded; a level way ends below its row. */
static int32_t
map_along(const struct map_scan *sc, int64_t y)
{
	if (y <= sc->sc_y0)
		return ((int32_t)sc->sc_x0);
	if (y >= sc->sc_y0 + sc->sc_dy)
		return ((int32_t)(sc->sc_x0 + sc->sc_dx));
	return ((int32_t)(sc->sc_x0 +
	    sc->sc_dx * (y - sc->sc_y0) / sc->sc_dy));
}

/* The columns of the next row; a centimetre more on both sides. */
static int
map_scan_row(struct map_scan *sc)
{
	int32_t	 from, to, tmp;

	if (++sc->sc_row > sc->sc_lastrow)
		return (0);
	from = map_along(sc, (int64_t)sc->sc_row << MAP_CELLSHIFT);
	to = map_along(sc, ((int64_t)sc->sc_row << MAP_CELLSHIFT) + MAP_CELL);
	if (from > to) {
		tmp = from;
		from = to;
		to = tmp;
	}
	sc->sc_col = (from - 1) >> MAP_CELLSHIFT;
	sc->sc_lastcol = (to + 1) >> MAP_CELLSHIFT;
	if (sc->sc_col < 0)
		sc->sc_col = 0;
	if (sc->sc_lastcol >= sc->sc_map->fm_cols)
		sc->sc_lastcol = sc->sc_map->fm_cols - 1;
	return (1);
}

int
map_scan_next(struct map_scan *sc)
{
	while (sc->sc_col > sc->sc_lastcol)
		if (!map_scan_row(sc))
			return (-1);
	return (sc->sc_row * sc->sc_map->fm_cols + sc->sc_col++);
}
