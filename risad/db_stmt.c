#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "log.h"

static sqlite3_stmt *
prepare(struct db *db, enum stmt s)
{
	int	 rc;

	if (db->db_stmts[s] != NULL)
		return (db->db_stmts[s]);
	rc = sqlite3_prepare_v3(db->db_conn, stmt_sql(s), -1,
	    SQLITE_PREPARE_PERSISTENT, &db->db_stmts[s], NULL);
	if (rc != SQLITE_OK) {
		db_error(db, rc, stmt_name(s));
		return (NULL);
	}
	return (db->db_stmts[s]);
}

static int
bind_one(sqlite3_stmt *st, int i, const struct arg *a)
{
	switch (a->a_kind) {
	case A_NUM:
		return (sqlite3_bind_int64(st, i, (sqlite3_int64)a->a_num));
	case A_BIN:
		if (a->a_data == NULL)
			return (sqlite3_bind_zeroblob(st, i, 0));
		return (sqlite3_bind_blob64(st, i, a->a_data, a->a_len,
		    SQLITE_STATIC));
	case A_TEXT:
		return (sqlite3_bind_text(st, i, a->a_data, -1,
		    SQLITE_STATIC));
	case A_NULL:
	case A_END:
		break;
	}
	return (sqlite3_bind_null(st, i));
}

sqlite3_stmt *
db_query(struct db *db, enum stmt s, const struct arg *args)
{
	sqlite3_stmt	*st;
	int		 i, rc;

	if (db->db_conn == NULL || (st = prepare(db, s)) == NULL)
		return (NULL);
	for (i = 0; args[i].a_kind != A_END; i++) {
		if ((rc = bind_one(st, i + 1, &args[i])) != SQLITE_OK) {
			db_error(db, rc, stmt_name(s));
			db_done(st);
			return (NULL);
		}
	}
	return (st);
}

int
db_step(struct db *db, sqlite3_stmt *st)
{
	int	 rc;

	if (st == NULL)
		return (-1);
	if ((rc = sqlite3_step(st)) == SQLITE_ROW)
		return (1);
	if (rc == SQLITE_DONE)
		return (0);
	db_error(db, sqlite3_extended_errcode(db->db_conn), "step");
	return (-1);
}

void
db_done(sqlite3_stmt *st)
{
	if (st == NULL)
		return;
	(void)sqlite3_reset(st);	/* repeats the error of the step */
	(void)sqlite3_clear_bindings(st);
}

int
db_exec(struct db *db, enum stmt s, const struct arg *args)
{
	sqlite3_stmt	*st;
	int		 ret;

	if ((st = db_query(db, s, args)) == NULL)
		return (-1);
	if ((ret = db_step(db, st)) == 0)
		ret = sqlite3_changes(db->db_conn);
	db_done(st);
	return (ret);
}

int
db_number(struct db *db, enum stmt s, const struct arg *args, uint64_t *value)
{
	sqlite3_stmt	*st;
	int		 ret;

	*value = 0;
	if ((st = db_query(db, s, args)) == NULL)
		return (-1);
	if ((ret = db_step(db, st)) == 1)
		*value = db_col_num(st, 0);
	db_done(st);
	return (ret == -1 ? -1 : 0);
}

uint64_t
db_col_num(sqlite3_stmt *st, int col)
{
	return ((uint64_t)sqlite3_column_int64(st, col));
}

const void *
db_col_bin(sqlite3_stmt *st, int col, size_t *len)
{
	const void	*p = sqlite3_column_blob(st, col);

	*len = p == NULL ? 0 : (size_t)sqlite3_column_bytes(st, col);
	return (p);
}

int
db_next_id(struct db *db, const char *table, uint64_t *id)
{
	if (db_number(db, S_SEQUENCE, ARGS(TXT(table)), id) == -1)
		return (-1);
	/* The wire has 32 bits, and a damaged file could say anything. */
	if (++*id == 0 || *id > INT64_MAX)
		return (-1);
	return (0);
}

void *
db_seal(struct db *db, const struct seal_at *at, const void *text, size_t len,
    size_t *outlen)
{
	uint8_t	*out;

	*outlen = len + SEAL_OVER;
	if ((out = malloc(*outlen)) == NULL)
		return (NULL);
	if (seal_make(db->db_seal, at, text, len, out) == -1) {
		free(out);
		return (NULL);
	}
	return (out);
}

void *
db_open(struct db *db, const struct seal_at *at, sqlite3_stmt *st, int column,
    size_t *len)
{
	char		 path[DB_PATH];
	const void	*rec;
	uint8_t		*out = NULL;
	ssize_t		 n = -1;
	size_t		 reclen;

	rec = db_col_bin(st, column, &reclen);
	if (reclen >= SEAL_OVER && reclen <= SEAL_MAX + SEAL_OVER &&
	    (out = malloc(reclen - SEAL_OVER + 1)) != NULL)
		n = seal_open(db->db_seal, at, rec, reclen, out);
	if (n == -1) {
		db_stats.ds_unreadable++;
		log_warnx("%s: %s.%s of row %llu does not open",
		    db_title(db, path, sizeof(path)), at->sa_table,
		    at->sa_column, (unsigned long long)at->sa_row);
		free(out);
		return (NULL);
	}
	out[n] = '\0';
	*len = (size_t)n;
	return (out);
}
