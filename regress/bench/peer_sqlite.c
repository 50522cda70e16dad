/*
 * What risad's durable messages are measured against: what a direct message
 * writes, as many rows of the same shape into as many databases, in
 * transactions as large as risad's were, each on the disk before the next
 * begins; nothing is sealed, asked or answered.
 *
 * Prints {"rows","commits","secs","cpu"}.
 */
#include <sys/resource.h>
#include <sys/types.h>

#include <err.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_DBS		64
#define MAX_SECS	60
#define TEXT_LEN	228		/* 200 bytes as they are when sealed */
#define REF_LEN		16
#define PAIRS		100		/* of people, a database */

struct base {
	sqlite3		*ba_conn;
	sqlite3_stmt	*ba_begin, *ba_insert, *ba_pair, *ba_commit;
};

static struct base	 bases[MAX_DBS];
static uint64_t		 rows;

static double
clock_secs(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		err(1, "clock_gettime");
	return ((double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
}

static double
cpu_secs(void)
{
	struct rusage	 ru;

	if (getrusage(RUSAGE_SELF, &ru) == -1)
		err(1, "getrusage");
	return ((double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	    (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6);
}

static void
must(struct base *ba, int ok)
{
	if (!ok)
		errx(1, "%s", sqlite3_errmsg(ba->ba_conn));
}

static sqlite3_stmt *
prepare(struct base *ba, const char *sql)
{
	sqlite3_stmt	*stmt;

	must(ba, sqlite3_prepare_v2(ba->ba_conn, sql, -1, &stmt, NULL) ==
	    SQLITE_OK);
	return (stmt);
}

static void
base_open(struct base *ba, const char *dir, unsigned int n)
{
	char	 path[1024];

	if ((size_t)snprintf(path, sizeof(path), "%s/%u.db", dir, n) >=
	    sizeof(path))
		errx(1, "%s: too long", dir);
	if (sqlite3_open(path, &ba->ba_conn) != SQLITE_OK)
		errx(1, "%s", path);
	must(ba, sqlite3_exec(ba->ba_conn,
	    "PRAGMA journal_mode = WAL;"
	    "PRAGMA synchronous = FULL;"
	    "CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "at INTEGER NOT NULL, kind INTEGER NOT NULL, a INTEGER NOT NULL, "
	    "b INTEGER NOT NULL, sender INTEGER NOT NULL, ref BLOB NOT NULL, "
	    "text BLOB NOT NULL);"
	    "CREATE INDEX of_channel ON messages (kind, a, b, id);"
	    "CREATE UNIQUE INDEX of_sender ON messages (sender, ref);"
	    "CREATE TABLE dms (a INTEGER NOT NULL, b INTEGER NOT NULL, "
	    "last INTEGER NOT NULL, PRIMARY KEY (a, b)) WITHOUT ROWID;"
	    "CREATE INDEX of_second ON dms (b);",
	    NULL, NULL, NULL) == SQLITE_OK);
	ba->ba_begin = prepare(ba, "BEGIN IMMEDIATE");
	ba->ba_insert = prepare(ba, "INSERT INTO messages (at, kind, a, b, "
	    "sender, ref, text) VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6)");
	ba->ba_pair = prepare(ba, "INSERT INTO dms (a, b, last) "
	    "VALUES (1, ?1, ?2) ON CONFLICT (a, b) "
	    "DO UPDATE SET last = excluded.last");
	ba->ba_commit = prepare(ba, "COMMIT");
}

static void
step(struct base *ba, sqlite3_stmt *stmt)
{
	must(ba, sqlite3_step(stmt) == SQLITE_DONE);
	must(ba, sqlite3_reset(stmt) == SQLITE_OK);
}

static void
bind(struct base *ba, sqlite3_stmt *stmt, int i, uint64_t n)
{
	must(ba, sqlite3_bind_int64(stmt, i, (sqlite3_int64)n) == SQLITE_OK);
}

static void
row(struct base *ba)
{
	static uint8_t	 text[TEXT_LEN], ref[REF_LEN];
	uint64_t	 key, who = rows % PAIRS + 2;

	rows++;
	/* As a digest is spread: all over its index. */
	key = rows * UINT64_C(0x9e3779b97f4a7c15);
	memcpy(ref, &key, sizeof(key));
	memcpy(text, &rows, sizeof(rows));
	bind(ba, ba->ba_insert, 1, (uint64_t)time(NULL));
	bind(ba, ba->ba_insert, 2, 1);
	bind(ba, ba->ba_insert, 3, who);
	bind(ba, ba->ba_insert, 4, who);
	must(ba, sqlite3_bind_blob(ba->ba_insert, 5, ref, REF_LEN,
	    SQLITE_STATIC) == SQLITE_OK &&
	    sqlite3_bind_blob(ba->ba_insert, 6, text, TEXT_LEN,
	    SQLITE_STATIC) == SQLITE_OK);
	step(ba, ba->ba_insert);
	bind(ba, ba->ba_pair, 1, who);
	bind(ba, ba->ba_pair, 2, rows);
	step(ba, ba->ba_pair);
}

/* The commit of this number has the rows up to its share of all. */
static void
commit(struct base *ba, uint64_t number, uint64_t share, uint64_t of)
{
	step(ba, ba->ba_begin);
	while (rows * of < (number + 1) * share)
		row(ba);
	step(ba, ba->ba_commit);
}

static uint64_t
number(const char *s, uint64_t max)
{
	char		*end;
	uint64_t	 n;

	errno = 0;
	n = strtoull(s, &end, 10);
	if (errno != 0 || *s == '\0' || *end != '\0' || n == 0 || n > max)
		errx(1, "not a number up to %llu: %s",
		    (unsigned long long)max, s);
	return (n);
}

int
main(int argc, char *argv[])
{
	uint64_t	 commits = 0, share, of;
	unsigned int	 i, ndbs, secs;
	double		 begin, cpu, now;

	if (argc != 6) {
		fprintf(stderr, "usage: peer_sqlite directory databases rows "
		    "commits seconds\n");
		return (2);
	}
	ndbs = (unsigned int)number(argv[2], MAX_DBS);
	share = number(argv[3], 1000000000);
	of = number(argv[4], 1000000000);
	secs = (unsigned int)number(argv[5], MAX_SECS);
	alarm(2 * MAX_SECS);
	for (i = 0; i < ndbs; i++)
		base_open(&bases[i], argv[1], i);
	begin = clock_secs();
	cpu = cpu_secs();
	do {
		commit(&bases[commits % ndbs], commits, share, of);
		commits++;
	} while ((now = clock_secs()) < begin + secs);
	cpu = cpu_secs() - cpu;
	printf("{\"rows\":%llu,\"commits\":%llu,\"secs\":%.3f,\"cpu\":%.3f}\n",
	    (unsigned long long)rows, (unsigned long long)commits,
	    now - begin, cpu);
	return (0);
}
