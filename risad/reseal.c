#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "reseal.h"
#include "stmt.h"

#define STEP_LOOKS	400		/* rows looked at in one step */
#define STEP_ROWS	128		/* sealed anew in one step */
#define STEP_BYTES	(512 * 1024)	/* likewise */
#define BOUND		3		/* first of a walk's bound columns */

/* The values of meta that are sealed. */
static const char *const metas[] = { "check", "chain", "index",
	"retention", "clock", "outdated" };
#define METAS	(sizeof(metas) / sizeof(metas[0]))

/* What is left of a step. */
struct budget {
	unsigned int	 bu_looks, bu_rows;
	size_t		 bu_bytes;
};

/* The i-th column that such a file has; NULL: there are no more. */
static const struct sealed *
column(const struct db *db, size_t i)
{
	const struct sealed	*sl;
	size_t			 n;

	for (n = 0; (sl = stmt_sealed(n)) != NULL; n++)
		if ((sl->sl_kinds & db_kind(db)) != 0 && i-- == 0)
			return (sl);
	return (NULL);
}

size_t
reseal_parts(const struct db *db)
{
	size_t	 n = 0;

	while (column(db, n) != NULL)
		n++;
	return (METAS + n);
}

void
reseal_begin(struct reseal *rs)
{
	rs->rs_part = 0;
	rs->rs_after = UINT64_MAX;	/* -1: row 0 is a row */
}

/* One value of what a record is bound to; its length, or -1. */
static ssize_t
bind_one(uint8_t *p, size_t room, char how, sqlite3_stmt *st, int col)
{
	uint64_t	 n = htobe64(db_col_num(st, col));
	uint32_t	 h = (uint32_t)db_col_num(st, col);
	size_t		 len, size;
	const void	*data = &n;

	if (how == 'n')
		len = size = sizeof(n);
	else if (how == 'h') {
		data = &h;
		len = size = sizeof(h);
	} else {
		data = db_col_bin(st, col, &len);
		size = how == 't' ? MAX_LABEL : len;
	}
	if (len > size || size > room)
		return (-1);
	memset(p, 0, size);
	if (len > 0)
		memcpy(p, data, len);
	return ((ssize_t)size);
}

static int
bind_all(uint8_t bind[SEAL_BIND], const char *how, sqlite3_stmt *st,
    struct seal_at *at)
{
	ssize_t	 n;
	int	 i;

	at->sa_bindlen = 0;
	for (i = 0; how[i] != '\0'; i++) {
		n = bind_one(bind + at->sa_bindlen, SEAL_BIND -
		    at->sa_bindlen, how[i], st, BOUND + i);
		if (n == -1)
			return (-1);
		at->sa_bindlen += (size_t)n;
	}
	at->sa_bind = bind;
	return (0);
}

/*
 * The record of a row by the new key: malloc'ed, or NULL and *bad tells
 * whether it opens by neither key; it is left as it is, and was lost before.
 */
static void *
again(struct db *db, const struct seal_at *at, sqlite3_stmt *st, int col,
    size_t *len, int *bad)
{
	void	*text, *rec;
	size_t	 n;

	*bad = 0;
	if ((text = db_open(db, at, st, col, &n)) == NULL) {
		*bad = 1;
		return (NULL);
	}
	rec = db_seal(db, at, text, n, len);
	freezero(text, n + 1);
	return (rec);
}

/* 1 if a record is there that the new key has not made. */
static int
is_old(struct db *db, sqlite3_stmt *st, int col)
{
	const void	*rec;
	size_t		 len;

	rec = db_col_bin(st, col, &len);
	return (len > 0 &&
	    seal_of(rec, len) != seal_generation(db->db_seal));
}

/* What was sealed anew goes to its place; 1, or -1. */
static int
put(struct reseal *rs, struct db *db, struct budget *bu, enum stmt s,
    struct arg row, const void *rec, size_t len)
{
	bu->bu_rows--;
	bu->bu_bytes -= len < bu->bu_bytes ? len : bu->bu_bytes;
	rs->rs_done++;
	return (db_exec(db, s, (const struct arg[]){ row, BIN(rec, len),
	    { .a_kind = A_END } }) == -1 ? -1 : 1);
}

/* 1, or -1. */
static int
meta_one(struct reseal *rs, struct db *db, struct budget *bu, const char *name)
{
	const struct seal_at	 at = { "meta", name, 0, 0, NULL, 0 };
	const struct arg	 row = TXT(name);
	sqlite3_stmt		*st;
	void			*rec = NULL;
	size_t			 len;
	int			 n, bad = 0;

	st = db_query(db, S_META_GET, ARGS(TXT(name)));
	if ((n = db_step(db, st)) == 1 && is_old(db, st, 0) &&
	    (rec = again(db, &at, st, 0, &len, &bad)) == NULL)
		n = bad ? 1 : -1;
	db_done(st);
	rs->rs_bad += (uint64_t)bad;
	if (rec != NULL)
		n = put(rs, db, bu, S_META_SET, row, rec, len);
	free(rec);
	return (n == -1 ? -1 : 1);
}

/* The next row of a column: 1, 0 there is none, -1. */
static int
row_one(struct reseal *rs, struct db *db, struct budget *bu,
    const struct sealed *sl)
{
	uint8_t		 bind[SEAL_BIND];
	struct seal_at	 at = { sl->sl_table, sl->sl_column, 0, 0, NULL, 0 };
	sqlite3_stmt	*st;
	struct arg	 row = NUM(rs->rs_after);
	void		*rec = NULL;
	size_t		 len;
	int		 n, bad = 0;

	st = db_query(db, sl->sl_walk, ARGS(NUM(rs->rs_after)));
	if ((n = db_step(db, st)) == 1) {
		row.a_num = rs->rs_after = at.sa_row = db_col_num(st, 0);
		at.sa_version = db_col_num(st, 1);
		if (is_old(db, st, 2)) {
			if (bind_all(bind, sl->sl_bound, st, &at) == -1)
				bad = 1;
			else if ((rec = again(db, &at, st, 2, &len,
			    &bad)) == NULL && !bad)
				n = -1;
		}
	}
	db_done(st);
	rs->rs_bad += (uint64_t)bad;
	if (rec != NULL)
		n = put(rs, db, bu, sl->sl_put, row, rec, len);
	free(rec);
	return (n);
}

/* One value: 1 there may be more, 0 the file is through, -1. */
static int
step_one(struct reseal *rs, struct db *db, struct budget *bu)
{
	const struct sealed	*sl;
	int			 n;

	if (rs->rs_part < METAS)
		return (meta_one(rs, db, bu, metas[rs->rs_part++]));
	if ((sl = column(db, rs->rs_part - METAS)) == NULL)
		return (0);
	if ((n = row_one(rs, db, bu, sl)) == 0) {
		rs->rs_part++;
		rs->rs_after = UINT64_MAX;
		n = 1;
	}
	return (n);
}

int
reseal_step(struct reseal *rs, struct db *db)
{
	struct budget	 bu = { STEP_LOOKS, STEP_ROWS, STEP_BYTES };
	int		 n = 1;

	if (db_begin(db) == -1)
		return (-1);
	while (n == 1 && bu.bu_looks > 0 && bu.bu_rows > 0 && bu.bu_bytes > 0) {
		bu.bu_looks--;
		n = step_one(rs, db, &bu);
	}
	return (db_end(db, n != -1) == -1 ? -1 : n);
}
