/*
 * Database files: system.db, and one file and one key for each tenant.  Paths
 * are relative to the working directory, which is the data directory.
 *
 * Group commit: the first write of a turn opens a transaction that the writes
 * of others join; db_commit() ends it, and db_init()'s callback hears how.
 */
#ifndef DB_H
#define DB_H

#include <sys/types.h>
#include <sys/queue.h>

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "hold.h"
#include "risad.h"
#include "seal.h"
#include "stmt.h"

#define DB_CACHE	64	/* tenants whose files are open */
#define DB_BATCH	256	/* requests of one transaction */
#define DB_PAGE		4096	/* bytes, as SQLite makes them */
#define WAL_PAGES	1000	/* of a log: it is written to its file */
#define DB_SYSTEM	0	/* the id that no tenant has */

struct rights;

/* Why a file is not to be had. */
enum db_why { DB_OK, DB_MISSING, DB_DAMAGED, DB_NEWER, DB_KEY, DB_TROUBLE };
const char	*db_why_text(enum db_why);

struct db {
	TAILQ_ENTRY(db)	 db_entry;
	uint32_t	 db_id;
	uint32_t	 db_month;	/* of an access log, YYYYMM; else 0 */
	char		*db_path;	/* of a copy; NULL: its usual place */
	int		 db_intx;	/* a transaction is open */
	int		 db_insave;	/* and a request in it */
	int		 db_broken;	/* close as soon as nobody uses it */
	int		 db_full;	/* no room: the transaction is lost */
	int		 db_erased;	/* its log holds what has gone */
	int		 db_sure;	/* the disk has all that it shows */
	int		 db_lazy;	/* commits do not wait for the disk */
	int		 db_wal;	/* pages of its log */
	enum db_why	 db_why;	/* what broke it */
	struct heldlist	 db_held;	/* storage's, for the commit */
	unsigned int	 db_requests;	/* in the transaction */
	sqlite3		*db_conn;
	struct seal	*db_seal;
	struct rights	*db_rights;	/* of storage, see db_forget */
	uint64_t	 db_message;	/* last id given out; 0: ask */
	sqlite3_stmt	*db_stmts[S_MAX];
};

/* Counted since the start. */
struct db_stats {
	uint64_t	 ds_commits, ds_failed, ds_opened, ds_unreadable;
	uint64_t	 ds_unlogged;		/* entries of access logs */
	uint32_t	 ds_open;
};
extern struct db_stats db_stats;

/* A value to bind. */
enum arg_kind { A_END, A_NUM, A_BIN, A_TEXT, A_NULL };
struct arg {
	enum arg_kind	 a_kind;
	uint64_t	 a_num;
	const void	*a_data;	/* kept until the statement is done */
	size_t		 a_len;
};
#define ARGS(...)	\
	((const struct arg[]){ __VA_ARGS__, { .a_kind = A_END } })
#define NUM(n)		{ .a_kind = A_NUM, .a_num = (n) }
#define BIN(p, n)	{ .a_kind = A_BIN, .a_data = (p), .a_len = (n) }
#define TXT(s)		{ .a_kind = A_TEXT, .a_data = (s) }
#define NOARGS		ARGS({ .a_kind = A_END })

/*
 * Before the jail: what SQLite does on first use.  0, or -1.
 */
int		 db_init(void);

/*
 * Whom to tell.  migrated: the schema has become this version, in the
 * transaction that makes it so; -1: undo that.  committed: the transaction is
 * on the disk (1) or lost as a whole (0); forget: db_rights is stale, free it.
 */
void		 db_hooks(int (*migrated)(struct db *, int version),
		    void (*committed)(struct db *, int),
		    void (*forget)(struct db *));

/*
 * Take the master key, with the one before it or NULL, and open system.db,
 * making it if it is not there.  DB_OK, or why not: DB_KEY says that the data
 * belongs to another master key.
 */
enum db_why	 db_start(const uint8_t master[SEAL_KEY],
		    const uint8_t *previous);
/* system.db for one request, or NULL.  Its writes are committed one by one. */
struct db	*db_system(void);
/* 1 if it is the key that db_start() took. */
int		 db_is_master(const uint8_t master[SEAL_KEY]);
/*
 * Other master keys, while files are open: why they cannot be taken, or NULL;
 * used: files may still be wrapped by the previous one.  Then take them: 0,
 * or -1.
 */
const char	*db_masters_fault(const uint8_t master[SEAL_KEY],
		    const uint8_t *previous, int used);
int		 db_masters(const uint8_t master[SEAL_KEY],
		    const uint8_t *previous);
/* Commit and close everything, wipe the keys. */
void		 db_stop(void);

/* Make key and file of a new tenant; whatever lies there is replaced. */
enum db_why	 db_create(uint32_t tenant);

/*
 * The tenant's file, opened if it is not; NULL and the reason.  Good until
 * db_leave(), which every db_enter() needs.
 */
struct db	*db_enter(uint32_t tenant, enum db_why *);
void		 db_leave(struct db *);
/*
 * The access log of a month, of a tenant or of the installation (DB_SYSTEM),
 * made if it is not there and create is set.  As db_enter().
 */
struct db	*db_enter_log(uint32_t tenant, uint32_t month, int create,
		    enum db_why *);
/*
 * Another handle of a file, or of a copy of one at a path, that is in no cache;
 * end it with db_close_copy().  DB_NOW: the usual file as it is at this moment,
 * however long that is looked at, and nobody waits meanwhile.  DB_READ: a copy
 * that nobody writes to.  DB_WRITE: one that becomes a file of today's version.
 */
enum db_way { DB_NOW, DB_READ, DB_WRITE };
struct db	*db_open_copy(enum db_way, const char *path, uint32_t tenant,
		    uint32_t month, enum db_why *);
void		 db_close_copy(struct db *);
/* Is it of the version that this program writes? */
int		 db_current(struct db *);
/* Close a tenant's main file, all of it written to it.  0, or -1: its log holds
 * something that could not be. */
int		 db_drop(uint32_t tenant);
/* Make a directory if it is not there.  0, or -1, logged. */
int		 db_make_dir(const char *path);

/* 1 if neither its main file nor its key is there. */
int		 db_gone(uint32_t tenant);
/*
 * Destroy a tenant: its key first, which is overwritten, then all its files.
 * 0 also when they were gone already; -1: something is left, call again.
 */
int		 db_destroy(uint32_t tenant);
/*
 * A new key for a tenant, of its main file's handle, or for the installation:
 * what is written from now on is sealed by it, the old one stays in the key
 * file until db_settle().  0, or -1: the old one is still the only one.
 */
int		 db_turn(struct db *);
/* Destroy the old key of a tenant.  0, or -1: it is there still. */
int		 db_settle(uint32_t tenant);
/* Commit, and take the file's log away with what is in it; 0, or -1. */
int		 db_shrink(struct db *);
/* The same of all in which something was erased (db_erased). */
void		 db_shrink_all(void);
/*
 * A request that writes, within the shared transaction.  0, or -1: also where
 * the disk does not take what was written before the file was opened.
 */
int		 db_begin(struct db *);
/* Keep what it wrote, or undo it alone.  0, or -1: it is not kept. */
int		 db_end(struct db *, int keep);
/* Commit now.  0, or -1: everything since the first db_begin() is lost. */
int		 db_commit(struct db *);
/*
 * Commits that do not wait for the disk, from here on or no longer; not within
 * a transaction.  A kill takes nothing of them, a power cut what no commit that
 * waits has followed.
 */
void		 db_lazy(struct db *, int on);
/* All files; returns how many transactions there were. */
unsigned int	 db_commit_all(void);

/*
 * Access logs, a file for each month (db_log.c).
 */

/* Put a damaged log out of the way, as .bad in place of .db; 0, or -1. */
int		 db_log_aside(uint32_t tenant, uint32_t month);
/*
 * The months of which there is an access log: how many, how many of them are
 * before a month, the oldest and the newest (0: none).  0, or -1.
 */
int		 db_log_months(uint32_t tenant, uint32_t before, uint32_t *n,
		    uint32_t *due, uint32_t *oldest, uint32_t *newest);
/* The oldest month after this one of which there is a log, or 0. */
uint32_t	 db_log_next(uint32_t tenant, uint32_t after);
/* Each of a tenant's logs; the function may remove it.  0, or -1. */
int		 db_log_each(uint32_t tenant, void (*)(uint32_t tenant,
		    uint32_t month, void *), void *);
/* Remove those before a month; how many, or -1. */
int		 db_log_purge(uint32_t tenant, uint32_t before);
/* ms; before 2020 there was none of us: a clock that says so is not set yet. */
#define RETAIN_SINCE	1577836800000ULL
/* When a month begins, in ms; 0 of month 0. */
uint64_t	 db_month_start(uint32_t month);
/* The month of a time in ms, YYYYMM in UTC, and the one after a month. */
uint32_t	 db_month_of(uint64_t ms);
uint32_t	 db_month_next(uint32_t month);

/*
 * Copies of files (db_copy.c).
 */

/*
 * Copy a file of DB_NOW to a path where nothing is, some pages in a turn:
 * db_copy_step() returns 1, 0 when all is on the disk, or -1; *done are bytes.
 */
struct db_copy;
struct db_copy	*db_copy_begin(struct db *from, const char *path);
int		 db_copy_step(struct db_copy *, uint64_t *done);
void		 db_copy_end(struct db_copy *);

/*
 * Statements, and what is sealed in columns (db_stmt.c).
 */

/*
 * The statement with its values bound, or NULL.  Step it with db_step(): 1 a
 * row, 0 no more, -1 an error that is logged; then db_done().
 */
sqlite3_stmt	*db_query(struct db *, enum stmt, const struct arg *);
int		 db_step(struct db *, sqlite3_stmt *);
void		 db_done(sqlite3_stmt *);
/* Run a statement without rows; the number of rows changed, or -1. */
int		 db_exec(struct db *, enum stmt, const struct arg *);
/* The first column of the first row; 0, or -1 (none is 0 in *value). */
int		 db_number(struct db *, enum stmt, const struct arg *,
		    uint64_t *value);

/* Columns. */
uint64_t	 db_col_num(sqlite3_stmt *, int);
const void	*db_col_bin(sqlite3_stmt *, int, size_t *len);

/* The next id of a table, for the data bound to a row before it exists. */
int		 db_next_id(struct db *, const char *table, uint64_t *id);

/*
 * Seal for, and open from, a column.  db_seal() returns malloc'ed bytes or
 * NULL.  db_open() returns malloc'ed text with a NUL behind it and the length,
 * or NULL: logged and counted, the row is to be left out.
 */
void		*db_seal(struct db *, const struct seal_at *, const void *,
		    size_t len, size_t *outlen);
void		*db_open(struct db *, const struct seal_at *, sqlite3_stmt *,
		    int column, size_t *len);

/*
 * For db*.c alone; db_kind() for reseal.c too.
 */

#define DB_PATH		64	/* bytes of a path below the data directory */

/* STMT_SYSTEM, STMT_TENANT or STMT_LOG. */
int		 db_kind(const struct db *);
/* Its path, which may be made in the buffer; of a tenant's directory. */
const char	*db_title(const struct db *, char *, size_t);
void		 db_dir(char *, size_t, uint32_t tenant);
void		 db_log_path(char *, size_t, uint32_t tenant, uint32_t month);
/* A file that is open (month 0: the main one), or NULL. */
struct db	*db_cached(uint32_t tenant, uint32_t month);
void		 db_close(struct db *);
/* What SQLite keeps beside a file goes first, then the file.  0, or -1. */
int		 db_remove(const char *path);

/*
 * What an error of SQLite means for the handle, logged with what was done: a
 * file that lies is not asked again.
 */
void		 db_error(struct db *, int rc, const char *what);
/* Its log is ours to write; once it is connected. */
void		 wal_init(struct db *);
/*
 * Write the log to the file, as SQLITE_CHECKPOINT_PASSIVE or _TRUNCATE; not
 * while it is looked at.  0: all of it, and on the disk; -1: some is left, of
 * errors db_error() has heard.
 */
int		 wal_write(struct db *, int how);

#endif
