/*
 * A hostile map: parse it, and walk about in what was accepted.  No place may
 * result that is outside, on a wall, or in a room that is locked.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "walk.h"

#define TRUE_OR_DIE(c)	do { if (!(c)) abort(); } while (0)
#define LEGS		200

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);
static int	 dice(uint64_t *, int);
static void	 roam(const struct floor_map *, int, int, uint64_t);

static int
dice(uint64_t *seed, int n)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return ((int)((*seed >> 33) % (unsigned int)n));
}

/* Every room with an odd number is locked, every third is full. */
static void
roam(const struct floor_map *m, int x, int y, uint64_t seed)
{
	struct walk_rules	 wr;
	struct leg		 l;
	double			 t;
	uint64_t		 entered;
	uint32_t		 r;
	unsigned int		 id;
	uint8_t			 room;
	int			 i, nx, ny;

	memset(&wr, 0, sizeof(wr));
	for (id = 1; id <= UINT8_MAX; id++) {
		walk_set(wr.wr_locked, id, id % 2 == 1);
		walk_set(wr.wr_full, id, id % 3 == 0);
	}
	for (i = 0; i < LEGS; i++) {
		wr.wr_own = map_room_at(m, x, y);
		nx = dice(&seed, i % 4 == 0 ? 65536 : m->fm_width + 1);
		ny = dice(&seed, i % 4 == 0 ? 65536 : m->fm_height + 1);
		(void)walk_check(m, &wr, x, y, nx, ny, &nx, &ny);
		TRUE_OR_DIE(map_can_stand(m, nx, ny));
		entered = map_rooms_at(m, nx, ny) & ~map_rooms_at(m, x, y);
		for (r = 0; r < m->fm_nrooms; r++)
			TRUE_OR_DIE((entered >> r & 1) == 0 ||
			    m->fm_rooms[r].rm_id % 2 == 0);
		room = map_room_at(m, nx, ny);
		TRUE_OR_DIE(room == wr.wr_own || room == 0 || room % 3 != 0);
		t = walk_room_change(m, x, y, nx, ny, &room);
		TRUE_OR_DIE(t == WALK_NOROOM || (t >= 0 && t <= 1));
		l.x0 = x;
		l.y0 = y;
		l.x1 = nx;
		l.y1 = ny;
		l.t0 = 1;
		walk_place(m, &l, 1 + (uint64_t)dice(&seed, 9000), &x, &y);
		TRUE_OR_DIE(map_can_stand(m, x, y));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct floor_map	*m;
	char			 err[32];	/* short: it must be cut */
	uint32_t		 i;

	memset(err, 'x', sizeof(err));
	m = map_parse((const char *)data, size, err, sizeof(err));
	if (m == NULL) {
		TRUE_OR_DIE(memchr(err, '\0', sizeof(err)) != NULL);
		for (i = 0; err[i] != '\0'; i++)
			TRUE_OR_DIE(err[i] >= ' ' && err[i] <= '~');
		return (0);
	}
	for (i = 0; i < m->fm_nspawn && i < 4; i++)
		roam(m, m->fm_spawn[i].pt_x, m->fm_spawn[i].pt_y, size + i);
	map_free(m);
	return (0);
}
