/*
 * The log of a database file, its -wal: written to the file when we say so,
 * never by SQLite of its own accord, which does not tell that it has failed.
 *
 * Pages that could not be written count as written on Linux, and the blocks a
 * file has grown by may stay unwritten on its disk though they are written
 * again later: after the next boot they are zeros.  So a file grows before the
 * log is written to it, by zeros that are sure to be on the disk, or that are
 * cut off again; what then fails can be done again in place.
 */
#include <string.h>

#include "db.h"

/* In a file: a counter, its pages, and for which counter that number holds. */
#define HEAD_AT		24
#define HEAD_LEN	72
#define HEAD_VALID	68

/*
 * The bytes that the file says it has; those beyond are of a growth that was
 * interrupted.  Where it does not say, as many as there are.
 */
static int
file_length(sqlite3_file *f, sqlite3_int64 size, sqlite3_int64 *len)
{
	uint8_t		 h[HEAD_LEN];
	uint32_t	 pages;
	int		 rc;

	*len = size;
	if (size < HEAD_AT + HEAD_LEN)
		return (SQLITE_OK);
	if ((rc = f->pMethods->xRead(f, h, sizeof(h), HEAD_AT)) != SQLITE_OK)
		return (rc);
	pages = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 |
	    (uint32_t)h[6] << 8 | h[7];
	if (memcmp(h, h + HEAD_VALID, 4) == 0 && pages != 0)
		*len = (sqlite3_int64)pages * DB_PAGE;
	return (SQLITE_OK);
}

static int
file_extend(sqlite3_file *f, sqlite3_int64 len, sqlite3_int64 want)
{
	static const uint8_t	 zeros[DB_PAGE];
	sqlite3_int64		 at;
	int			 rc = SQLITE_OK;

	for (at = len; at < want && rc == SQLITE_OK; at += DB_PAGE)
		rc = f->pMethods->xWrite(f, zeros, sizeof(zeros), at);
	if (rc == SQLITE_OK)
		rc = f->pMethods->xSync(f, SQLITE_SYNC_NORMAL);
	if (rc != SQLITE_OK)
		(void)f->pMethods->xTruncate(f, len);
	return (rc);
}

/* The file is as large as it will be with all of its log.  0, or -1. */
static int
file_grow(struct db *db)
{
	sqlite3_file	*f;
	sqlite3_int64	 size, len, want;
	uint64_t	 pages;
	int		 rc;

	if (db_number(db, S_PAGES, NOARGS, &pages) == -1)
		return (-1);
	want = (sqlite3_int64)pages * DB_PAGE;
	rc = sqlite3_file_control(db->db_conn, "main",
	    SQLITE_FCNTL_FILE_POINTER, &f);
	if (rc == SQLITE_OK)
		rc = f->pMethods->xFileSize(f, &size);
	if (rc == SQLITE_OK)
		rc = file_length(f, size, &len);
	if (rc == SQLITE_OK && want > len && size > len)
		rc = f->pMethods->xTruncate(f, len);
	if (rc == SQLITE_OK && want > len)
		rc = file_extend(f, len, want);
	if (rc == SQLITE_OK)
		return (0);
	db_error(db, rc, "growing it");
	return (-1);
}

static int
wal_grown(void *arg, sqlite3 *conn, const char *name, int pages)
{
	struct db	*db = arg;

	(void)conn;
	(void)name;
	db->db_wal = pages;
	return (SQLITE_OK);
}

void
wal_init(struct db *db)
{
	(void)sqlite3_wal_hook(db->db_conn, wal_grown, db);
}

int
wal_write(struct db *db, int how)
{
	int	 all = 0, done = 0, rc;

	if (file_grow(db) == -1)
		return (-1);
	rc = sqlite3_wal_checkpoint_v2(db->db_conn, NULL, how, &all, &done);
	if (rc == SQLITE_OK)
		return (all == done ? 0 : -1);
	if ((rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_LOCKED)
		db_error(db, rc, "writing its log to it");
	return (-1);
}
