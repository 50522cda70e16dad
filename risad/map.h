/*
 * The map of a floor: what the page draws and the server enforces.  Lengths
 * are whole centimetres, x to the right, y down.  No I/O in here.
 */
#ifndef MAP_H
#define MAP_H

#include <stddef.h>
#include <stdint.h>

#define MAP_MAXLEN	(96 * 1024)	/* bytes of the document */
#define MAP_MAXDEPTH	16		/* nested [ and { */
#define MAP_MINSIZE	500
#define MAP_MAXSIZE	20000
#define MAP_WALLTHICK	14		/* as the page draws a wall */
#define MAP_MAXWALLS	1024
#define MAP_MAXROOMS	64		/* a set of rooms is one uint64_t */
#define MAP_MINPOINTS	3
#define MAP_MAXPOINTS	16
#define MAP_MAXDOORS	8
#define MAP_MAXCAPACITY	1000
#define MAP_MAXNAME	64		/* characters, not bytes */
#define MAP_MAXFURNITURE 2048
#define MAP_MAXSPAWN	64
/* What a room is for, as map_room_kinds of map.c has the words. */
enum map_kind { ROOM_MEETING, ROOM_QUIET, ROOM_STAGE, ROOM_DESK, ROOM_LOBBY,
		ROOM_CAFE };
#define MAP_CELLSHIFT	8		/* grid cells of 256 cm */

struct map_point {
	int32_t	 pt_x, pt_y;
};

struct map_segment {
	int32_t	 sg_x1, sg_y1, sg_x2, sg_y2;
};

struct map_room {
	uint8_t			 rm_id;		/* 1..255 */
	uint8_t			 rm_npoints, rm_ndoors;
	uint8_t			 rm_lock;	/* may be locked from inside */
	uint8_t			 rm_kind;	/* enum map_kind */
	uint16_t		 rm_capacity;
	int32_t			 rm_left, rm_top, rm_right, rm_bottom;
	struct map_point	 rm_points[MAP_MAXPOINTS];
	struct map_segment	 rm_doors[MAP_MAXDOORS];
};

struct floor_map {
	int32_t			 fm_width, fm_height;
	uint32_t		 fm_nwalls, fm_nrooms, fm_nspawn;
	struct map_segment	*fm_walls;
	struct map_room		*fm_rooms;	/* order of the document */
	struct map_point	*fm_spawn;
	uint8_t			 fm_index[256];	/* room id to index + 1 */
	/*
	 * The grid: cell c lists the walls that touch it in
	 * fm_cellwalls[fm_cell[c]] up to fm_cellwalls[fm_cell[c + 1]].
	 */
	int32_t			 fm_cols, fm_rows;
	uint32_t		*fm_cell;
	uint16_t		*fm_cellwalls;
};

/* Walks the grid cells along a straight way; fields belong to map.c. */
struct map_scan {
	const struct floor_map	*sc_map;
	int64_t			 sc_x0, sc_y0, sc_dx, sc_dy;
	int32_t			 sc_row, sc_lastrow, sc_col, sc_lastcol;
};

/*
 * Read and check a map document of len bytes (need not end in NUL).  Every
 * limit of risa-protocol(7) is enforced and unknown keys are refused.  NULL
 * when it is refused: err then says where and why, "rooms[2].doors[0]:
 * outside the floor", in printable ASCII.  The caller frees with map_free.
 */
struct floor_map *map_parse(const char *json, size_t len, char *err,
    size_t errlen);

/* Free a map; NULL is allowed. */
void	 map_free(struct floor_map *);

/*
 * The id of the first room that holds the point, 0 on the open floor.  A
 * point on the left or upper edge of a room is in it, one on the right or
 * lower edge is not, so that rooms side by side share no point.
 */
uint8_t	 map_room_at(const struct floor_map *, int x, int y);

/* The room of this id, owned by the map, or NULL. */
const struct map_room *map_room(const struct floor_map *, unsigned int id);

/* The set of all rooms that hold the point: bit i stands for fm_rooms[i]. */
uint64_t map_rooms_at(const struct floor_map *, int x, int y);

/* Is the point within the floor, its edge included? */
int	 map_on_floor(const struct floor_map *, int x, int y);

/*
 * May one stand there: on the floor and not on the line of a wall?  For
 * places that come from elsewhere, as the place of the last visit.
 */
int	 map_can_stand(const struct floor_map *, int x, int y);

/*
 * Begin at the cells that the straight way touches; it may end outside the
 * floor.  map_scan_next gives one cell number after the other, a few more
 * than needed and never one less, then -1.
 */
void	 map_scan_init(struct map_scan *, const struct floor_map *, int x0,
	    int y0, int x1, int y1);
int	 map_scan_next(struct map_scan *);

#endif
