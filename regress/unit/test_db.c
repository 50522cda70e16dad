/* Files of tenants: made, shared, damaged, exchanged, and without room. */
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "db.h"
#include "keyfile.h"
#include "reseal.h"
#include "unit.h"

#define MAIN1	"tenants/1/main.db"
#define MAIN2	"tenants/2/main.db"

static const struct seal_at	 at1 = { "meta", "value", 1, 0, NULL, 0 };
static uint8_t			 master[SEAL_KEY] = { 1 };
static int			 commits, losses, forgets;

static void
committed(struct db *db, int ok)
{
	(void)db;
	if (ok)
		commits++;
	else
		losses++;
}

static void
forget(struct db *db)
{
	db->db_rights = NULL;
	forgets++;
}

static enum db_why
look(uint32_t tenant)
{
	enum db_why	 why;
	struct db	*db;

	if ((db = db_enter(tenant, &why)) != NULL)
		db_leave(db);
	return (why);
}

static struct db *
enter(uint32_t tenant)
{
	enum db_why	 why;
	struct db	*db;

	if ((db = db_enter(tenant, &why)) == NULL) {
		fprintf(stderr, "tenant %u: %s\n", tenant, db_why_text(why));
		abort();
	}
	return (db);
}

/* Write a sealed word; 0, or -1. */
static int
store(struct db *db, const char *name, const char *word, int keep)
{
	void	*rec;
	size_t	 len;
	int	 n;

	if (db_begin(db) == -1)
		return (-1);
	if ((rec = db_seal(db, &at1, word, strlen(word), &len)) == NULL)
		abort();
	n = db_exec(db, S_META_SET, ARGS(TXT(name), BIN(rec, len)));
	free(rec);
	return (db_end(db, n == 1 && keep));
}

/* The word, or "-" when there is none, or "!" when it does not open. */
static const char *
fetch(struct db *db, const char *name)
{
	static char	 word[64];
	sqlite3_stmt	*st;
	char		*text;
	size_t		 len;
	int		 n;

	(void)strlcpy(word, "-", sizeof(word));
	st = db_query(db, S_META_GET, ARGS(TXT(name)));
	if ((n = db_step(db, st)) == 1) {
		if ((text = db_open(db, &at1, st, 0, &len)) == NULL)
			(void)strlcpy(word, "!", sizeof(word));
		else
			(void)strlcpy(word, text, sizeof(word));
		free(text);
	} else if (n == -1)
		(void)strlcpy(word, "!", sizeof(word));
	db_done(st);
	return (word);
}

static void
test_start(void)
{
	uint8_t		 other[SEAL_KEY] = { 2 };
	struct stat	 sb;

	CHECK_INT(db_start(master, NULL), DB_OK);
	CHECK_INT(db_start(other, NULL), DB_KEY);
	CHECK_INT(db_is_master(other), 0);
	CHECK(stat("system.db", &sb) == 0 && (sb.st_mode & 077) == 0);
	db_stop();
	CHECK_INT(db_start(other, NULL), DB_KEY);
	CHECK(db_system() == NULL);
	CHECK_INT(db_start(master, NULL), DB_OK);
	CHECK_INT(db_create(1), DB_OK);
	CHECK_INT(db_create(2), DB_OK);
	CHECK(stat("keys/1.key", &sb) == 0 && (sb.st_mode & 077) == 0);
	CHECK_INT(sb.st_size, SEAL_WRAPPED);
	CHECK(stat(MAIN1, &sb) == 0 && (sb.st_mode & 077) == 0);
	CHECK_INT(look(1), DB_OK);
	CHECK_INT(look(3), DB_MISSING);
	/* Without system.db, but with keys: not a new installation. */
	db_stop();
	CHECK_INT(rename("system.db", "away"), 0);
	CHECK_INT(db_start(master, NULL), DB_MISSING);
	CHECK_INT(rename("away", "system.db"), 0);
	CHECK_INT(db_start(master, NULL), DB_OK);
}

static void
test_group(void)
{
	struct db	*db = enter(1);
	int		 i;

	commits = losses = 0;
	CHECK_INT(store(db, "a", "one", 1), 0);
	CHECK_INT(store(db, "b", "two", 0), -1);	/* undone alone */
	CHECK_INT(store(db, "c", "three", 1), 0);
	CHECK_INT(commits, 0);
	CHECK_INT(db_commit_all(), 1);
	CHECK_INT(commits, 1);
	CHECK_STR(fetch(db, "a"), "one");
	CHECK_STR(fetch(db, "b"), "-");
	CHECK_STR(fetch(db, "c"), "three");
	for (i = 0; i < DB_BATCH + 1; i++)
		CHECK_INT(store(db, "n", "x", 1), 0);
	CHECK_INT(commits, 2);			/* full: a new one began */
	CHECK_INT(db_commit(db), 0);
	CHECK_INT(commits, 3);
	CHECK_INT(db_commit(db), 0);
	CHECK_INT(commits, 3);
	db_leave(db);
	CHECK_INT(losses, 0);
}

static void
test_full(void)
{
	struct rlimit	 old, rl;
	struct db	*db = enter(1);

	commits = losses = 0;
	(void)signal(SIGXFSZ, SIG_IGN);
	if (getrlimit(RLIMIT_FSIZE, &old) == -1)
		abort();
	CHECK_INT(store(db, "f", "before", 1), 0);
	CHECK_INT(db_commit(db), 0);
	rl = old;
	rl.rlim_cur = 1024;
	(void)setrlimit(RLIMIT_FSIZE, &rl);
	CHECK_INT(store(db, "f", "lost", 1), 0);
	CHECK_INT(db_commit(db), -1);
	(void)setrlimit(RLIMIT_FSIZE, &old);
	CHECK_INT(losses, 1);
	db_leave(db);				/* closed, not believed */
	db = enter(1);
	CHECK_STR(fetch(db, "f"), "before");
	CHECK_INT(store(db, "f", "after", 1), 0);
	CHECK_INT(db_commit(db), 0);
	CHECK_STR(fetch(db, "f"), "after");
	db_leave(db);
}

/* More tenants than open files; each still has its own word. */
static void
test_cache(void)
{
	struct db	*db;
	char		 word[16];
	uint32_t	 i;

	for (i = 3; i < 3 + DB_CACHE + 6; i++) {
		CHECK_INT(db_create(i), DB_OK);
		db = enter(i);
		(void)snprintf(word, sizeof(word), "w%u", i);
		CHECK_INT(store(db, "w", word, 1), 0);
		db_leave(db);			/* not committed yet */
	}
	CHECK(db_stats.ds_open <= DB_CACHE);
	for (i = 3; i < 3 + DB_CACHE + 6; i++) {
		db = enter(i);
		(void)snprintf(word, sizeof(word), "w%u", i);
		CHECK_STR(fetch(db, "w"), word);
		db_leave(db);
	}
	CHECK(db_stats.ds_open <= DB_CACHE);
}

static void
copy(const char *from, const char *to)
{
	char	 buf[4096];
	ssize_t	 n;
	int	 in, out;

	if ((in = open(from, O_RDONLY)) == -1 ||
	    (out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600)) == -1)
		abort();
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			abort();
	(void)close(in);
	(void)close(out);
}

/* Each version comes once, in order, while it can still be undone. */
static int	 versions, refuse_version;

/* One that is refused leaves a file of the version before, as an old one. */
static int
migrated(struct db *db, int version)
{
	CHECK(!sqlite3_get_autocommit(db->db_conn));
	versions++;
	if (version != refuse_version)
		return (0);
	if (db->db_path != NULL) {
		copy("tenants/90/new.db", "tenants/90/main.db");
		copy("tenants/90/new.db-wal", "tenants/90/main.db-wal");
	}
	return (-1);
}

static void
restart(void)
{
	db_stop();
	(void)unlink(MAIN1 "-wal");
	(void)unlink(MAIN1 "-shm");
	if (db_start(master, NULL) != DB_OK)
		abort();
}

static void
test_exchange(void)
{
	sqlite3		*raw;

	restart();
	copy(MAIN1, "good.db");
	copy("keys/1.key", "good.key");
	copy(MAIN2, MAIN1);			/* another tenant's data */
	CHECK_INT(look(1), DB_KEY);
	copy("good.db", MAIN1);
	copy("keys/2.key", "keys/1.key");	/* another tenant's key */
	CHECK_INT(look(1), DB_KEY);
	CHECK_INT(truncate("keys/1.key", 20), 0);
	CHECK_INT(look(1), DB_KEY);
	CHECK_INT(unlink("keys/1.key"), 0);
	CHECK_INT(look(1), DB_MISSING);
	copy("good.key", "keys/1.key");
	CHECK_INT(look(1), DB_OK);
	restart();
	CHECK_INT(truncate(MAIN1, 0), 0);	/* not taken for a new one */
	CHECK_INT(look(1), DB_DAMAGED);
	CHECK_INT(unlink(MAIN1), 0);
	CHECK_INT(look(1), DB_MISSING);
	CHECK(access(MAIN1, F_OK) == -1);
	copy("good.db", MAIN1);
	if (sqlite3_open(MAIN1, &raw) != SQLITE_OK ||
	    sqlite3_exec(raw, "PRAGMA user_version = 99", NULL, NULL,
	    NULL) != SQLITE_OK)
		abort();
	(void)sqlite3_close(raw);
	CHECK_INT(look(1), DB_NEWER);
	copy("good.db", MAIN1);
	CHECK_INT(look(1), DB_OK);
	CHECK_INT(look(2), DB_OK);
}

/* Bytes changed anywhere: an error or the truth, never another word. */
static void
test_flips(void)
{
	struct stat	 sb;
	struct db	*db;
	enum db_why	 why;
	const char	*word;
	unsigned int	 seed = 1, i, wrong = 0, refused = 0;
	uint8_t		 byte;
	int		 fd;

	for (i = 0; i < 300; i++) {
		restart();
		copy("good.db", MAIN1);
		if ((fd = open(MAIN1, O_RDWR)) == -1 ||
		    fstat(fd, &sb) == -1)
			abort();
		seed = seed * 1103515245 + 12345;
		byte = (uint8_t)(seed >> 8);
		(void)pwrite(fd, &byte, 1, (off_t)(seed >> 4) % sb.st_size);
		(void)close(fd);
		if ((db = db_enter(1, &why)) == NULL) {
			refused++;
			continue;
		}
		word = fetch(db, "a");
		if (strcmp(word, "one") != 0 && strcmp(word, "!") != 0 &&
		    strcmp(word, "-") != 0)
			wrong++;
		db_leave(db);
	}
	CHECK_INT(wrong, 0);
	CHECK(refused > 0);
	restart();
	copy("good.db", MAIN1);
	CHECK_INT(look(1), DB_OK);
}

/*
 * A new key: both are in the file, and what either has sealed opens, until
 * the old one goes.  The indexes stay as they were.
 */
static void
test_turn(void)
{
	struct db	*db = enter(2);
	struct stat	 sb;
	uint8_t		 before[SEAL_INDEX], after[SEAL_INDEX];

	CHECK_INT(seal_index(db->db_seal, "mail", "x", 1, before), 0);
	CHECK_INT(store(db, "old", "by the old key", 1), 0);
	CHECK_INT(db_turn(db), 0);
	CHECK_INT(db_turn(db), -1);		/* one at a time */
	CHECK(stat("keys/2.key", &sb) == 0);
	CHECK_INT(sb.st_size, 2 * SEAL_WRAPPED);
	CHECK(access("keys/2.new", F_OK) == -1 &&
	    access("keys/2.old", F_OK) == -1);
	CHECK_INT(store(db, "new", "by the new key", 1), 0);
	CHECK_STR(fetch(db, "old"), "by the old key");
	CHECK_STR(fetch(db, "new"), "by the new key");
	db_leave(db);
	restart();
	db = enter(2);
	CHECK_INT(seal_generation(db->db_seal), 2);
	CHECK_INT(seal_oldgen(db->db_seal), 1);
	CHECK_STR(fetch(db, "old"), "by the old key");
	CHECK_INT(seal_index(db->db_seal, "mail", "x", 1, after), 0);
	CHECK(memcmp(before, after, sizeof(after)) == 0);
	CHECK_INT(db_settle(2), 0);		/* too early, to see it gone */
	CHECK_STR(fetch(db, "old"), "!");
	CHECK_STR(fetch(db, "new"), "by the new key");
	CHECK(stat("keys/2.key", &sb) == 0);
	CHECK_INT(sb.st_size, SEAL_WRAPPED);
	db_leave(db);
}

/* The walk finds what the old key has sealed, also in meta, and only that. */
static void
test_reseal(void)
{
	struct reseal	 rs = { .rs_done = 0 };
	struct db	*db;
	int		 n;

	CHECK_INT(db_destroy(2), 0);
	CHECK_INT(db_create(2), DB_OK);
	db = enter(2);
	CHECK_INT(db_turn(db), 0);
	reseal_begin(&rs);
	while ((n = reseal_step(&rs, db)) == 1)
		;
	CHECK_INT(n, 0);
	CHECK_INT(rs.rs_done, 2);		/* check and index */
	CHECK_INT(rs.rs_bad, 0);
	reseal_begin(&rs);
	while ((n = reseal_step(&rs, db)) == 1)
		;
	CHECK_INT(rs.rs_done, 2);
	CHECK_INT(db_shrink(db), 0);
	CHECK_INT(db_settle(2), 0);
	db_leave(db);
	restart();
	CHECK_INT(look(2), DB_OK);
}

#define LINES	1000

static void
lines_add(struct db *db)
{
	struct seal_at	 at = { "audit", "entry", 0, 0, NULL, 0 };
	uint8_t		 mac[32] = { 0 };
	void		*rec;
	size_t		 len;

	CHECK_INT(db_begin(db), 0);
	for (at.sa_row = 1; at.sa_row <= LINES; at.sa_row++) {
		if ((rec = db_seal(db, &at, "a line", 6, &len)) == NULL ||
		    db_exec(db, S_AUDIT_ADD, ARGS(NUM(at.sa_row), NUM(1),
		    BIN(rec, len), BIN(mac, sizeof(mac)))) != 1)
			abort();
		free(rec);
	}
	CHECK_INT(db_end(db, 1), 0);
	CHECK_INT(db_commit(db), 0);
	CHECK_INT(db_shrink(db), 0);
}

/* How many lines open, and were made by the key in force. */
static int
lines_new(struct db *db)
{
	struct seal_at	 at = { "audit", "entry", 0, 0, NULL, 0 };
	sqlite3_stmt	*st;
	const void	*rec;
	void		*text;
	size_t		 len;
	int		 n = 0;

	st = db_query(db, S_AUDIT_WALK, ARGS(NUM(0), NUM(2 * LINES)));
	while (db_step(db, st) == 1) {
		at.sa_row = db_col_num(st, 0);
		rec = db_col_bin(st, 2, &len);
		if (seal_of(rec, len) != seal_generation(db->db_seal))
			continue;
		text = db_open(db, &at, st, 2, &len);
		n += text != NULL && strcmp(text, "a line") == 0;
		free(text);
	}
	db_done(st);
	return (n);
}

/* Without room nothing is half done, and it goes on when there is some. */
static void
test_no_room(void)
{
	struct reseal	 rs = { .rs_done = 0 };
	struct rlimit	 old, rl;
	struct stat	 sb;
	struct db	*db = enter(2);
	uint32_t	 before = seal_generation(db->db_seal);
	int		 n, steps;

	lines_add(db);
	/* No key file can be written: the key in force stays. */
	CHECK_INT(mkdir("keys/2.new", 0700), 0);
	CHECK_INT(db_turn(db), -1);
	CHECK_INT(seal_generation(db->db_seal), before);
	CHECK_INT(rmdir("keys/2.new"), 0);
	CHECK(stat("keys/2.key", &sb) == 0 && sb.st_size == SEAL_WRAPPED);
	CHECK_INT(db_turn(db), 0);
	CHECK_INT(lines_new(db), 0);
	if (getrlimit(RLIMIT_FSIZE, &old) == -1)
		abort();
	rl = old;
	rl.rlim_cur = 100 * 1024;
	reseal_begin(&rs);
	(void)setrlimit(RLIMIT_FSIZE, &rl);
	for (n = 1, steps = 0; n == 1; steps++)
		if ((n = reseal_step(&rs, db)) == 1 && db_commit(db) == -1)
			n = -1;
	(void)setrlimit(RLIMIT_FSIZE, &old);
	CHECK_INT(n, -1);
	CHECK(steps > 1);
	db_leave(db);
	db = enter(2);
	CHECK((n = lines_new(db)) > 0 && n < LINES);
	reseal_begin(&rs);
	while ((n = reseal_step(&rs, db)) == 1)
		CHECK_INT(db_commit(db), 0);
	CHECK_INT(n, 0);
	CHECK_INT(db_shrink(db), 0);
	CHECK_INT(db_settle(2), 0);
	CHECK_INT(lines_new(db), LINES);
	db_leave(db);
	restart();
}

/* Two master keys: what either wraps is read, and written by the new one. */
static void
test_masters(void)
{
	uint8_t		 next[SEAL_KEY] = { 3 }, alien[SEAL_KEY] = { 4 };
	struct keyfile	 kf;

	CHECK(db_masters_fault(next, NULL, 0) != NULL);
	CHECK(db_masters_fault(next, alien, 0) != NULL);
	CHECK(db_masters_fault(master, master, 0) != NULL);
	CHECK(db_masters_fault(master, NULL, 0) == NULL);
	CHECK(db_masters_fault(next, master, 0) == NULL);
	CHECK_INT(db_masters(next, master), 0);
	CHECK(db_masters_fault(next, NULL, 1) != NULL);
	CHECK(db_masters_fault(alien, next, 1) != NULL);
	CHECK(db_masters_fault(next, NULL, 0) == NULL);
	CHECK_INT(keyfile_read(2, &kf), DB_OK);
	CHECK_INT(kf.kf_previous, 1);
	CHECK_INT(keyfile_write(2, &kf), 0);
	CHECK_INT(keyfile_read(2, &kf), DB_OK);
	CHECK_INT(kf.kf_previous, 0);
	/* Both are there: system.db opens by the one that it has. */
	db_stop();
	CHECK_INT(db_start(next, NULL), DB_KEY);
	CHECK_INT(db_start(next, master), DB_OK);
	CHECK_INT(look(1), DB_OK);
	CHECK_INT(look(2), DB_OK);
	db_stop();
	CHECK_INT(db_start(master, next), DB_OK);
	CHECK_INT(look(1), DB_OK);
	CHECK_INT(look(2), DB_OK);
	CHECK_INT(keyfile_read(2, &kf), DB_OK);
	CHECK_INT(keyfile_write(2, &kf), 0);
	restart();
	CHECK_INT(look(2), DB_OK);
}

/* A value put in another's row opens for nobody. */
static void
test_moved(void)
{
	const struct seal_at	 at2 = { "meta", "value", 2, 0, NULL, 0 };
	struct db		*db = enter(1);
	void			*rec;
	size_t			 len;
	uint64_t		 before = db_stats.ds_unreadable;

	if ((rec = db_seal(db, &at2, "two", 3, &len)) == NULL)
		abort();
	CHECK_INT(db_begin(db), 0);
	CHECK_INT(db_exec(db, S_META_SET, ARGS(TXT("m"), BIN(rec, len))), 1);
	CHECK_INT(db_end(db, 1), 0);
	free(rec);
	CHECK_INT(db_commit(db), 0);
	CHECK_STR(fetch(db, "m"), "!");
	CHECK_INT(db_stats.ds_unreadable, before + 1);
	CHECK_INT(db->db_broken, 0);	/* a record, not the file */
	db_leave(db);
}

/* Months of access logs, in UTC. */
static void
test_months(void)
{
	enum db_why	 why;
	struct db	*db;

	CHECK_INT(db_month_of(0), 197001);
	CHECK_INT(db_month_of(1764547199999ULL), 202511);
	CHECK_INT(db_month_of(1764547200000ULL), 202512);
	CHECK_INT(db_month_next(202511), 202512);
	CHECK_INT(db_month_next(202512), 202601);
	CHECK(db_enter_log(1, 202511, 0, &why) == NULL);
	CHECK_INT(why, DB_MISSING);
	db = db_enter_log(1, 202511, 1, &why);
	CHECK(db != NULL && db->db_month == 202511);
	db_leave(db);
	CHECK(db_enter_log(1, 202511, 0, &why) == db);
	db_leave(db);
	CHECK(db_enter_log(1, 202512, 0, &why) == NULL);
	CHECK_INT(db_log_aside(1, 202512), -1);
}

static int
entries(uint32_t month, enum db_why *why)
{
	struct db	*db;
	uint64_t	 n;

	if ((db = db_enter_log(1, month, 1, why)) == NULL)
		return (-1);
	CHECK_INT(db_number(db, S_SEQUENCE, ARGS(TXT("access")), &n), 0);
	db_leave(db);
	return ((int)n);
}

/* What is made appears whole; what was left of another, and of making it, not.
 */
static void
test_made(void)
{
	struct rlimit	 old, rl;
	struct db	*db;
	enum db_why	 why;

	/* A log of SQLite's of a file that is gone. */
	db = db_enter_log(1, 202501, 1, &why);
	CHECK_INT(db_begin(db), 0);
	CHECK_INT(db_exec(db, S_LOG_ADD, ARGS(NUM(7), NUM(1), NUM(1),
	    BIN("x", 1))), 1);
	CHECK_INT(db_end(db, 1), 0);
	CHECK_INT(db_commit(db), 0);
	copy("tenants/1/log-202501.db-wal", "tenants/1/log-202502.db-wal");
	db_leave(db);
	CHECK_INT(entries(202501, &why), 7);
	CHECK_INT(entries(202502, &why), 0);
	/* A disk without room. */
	if (getrlimit(RLIMIT_FSIZE, &old) == -1)
		abort();
	rl = old;
	rl.rlim_cur = 1024;
	(void)setrlimit(RLIMIT_FSIZE, &rl);
	CHECK_INT(entries(202503, &why), -1);
	(void)setrlimit(RLIMIT_FSIZE, &old);
	CHECK_INT(why, DB_TROUBLE);
	CHECK(db_enter_log(1, 202503, 0, &why) == NULL);
	CHECK_INT(why, DB_MISSING);
	CHECK(access("tenants/1/new.db", F_OK) == -1);
	CHECK_INT(entries(202503, &why), 0);
	/* What a kill has left goes when its directory is opened. */
	copy(MAIN1, "tenants/1/new.db");
	copy(MAIN1, "tenants/1/new.db-wal");
	copy(MAIN1, "new.db");
	restart();
	CHECK(access("new.db", F_OK) == -1);
	CHECK_INT(look(1), DB_OK);
	CHECK(access("tenants/1/new.db", F_OK) == -1);
	CHECK(access("tenants/1/new.db-wal", F_OK) == -1);
}

/* A new version that its hook refuses is not written, and comes again. */
static void
test_migrate(void)
{
	enum db_why	 why;

	versions = 0;
	refuse_version = stmt_newest(STMT_TENANT);
	CHECK_INT(db_create(90), DB_TROUBLE);
	CHECK_INT(versions, stmt_newest(STMT_TENANT));
	CHECK(db_enter(90, &why) == NULL);
	CHECK_INT(versions, stmt_newest(STMT_TENANT) + 1);
	refuse_version = 0;
	CHECK_INT(look(90), DB_OK);
	CHECK_INT(versions, stmt_newest(STMT_TENANT) + 2);
}

int
main(void)
{
	char	 dir[] = "/tmp/db.XXXXXX", cmd[64];

	(void)umask(077);
	if (mkdtemp(dir) == NULL || chdir(dir) == -1 || db_init() == -1)
		abort();
	db_hooks(migrated, committed, forget);
	test_start();
	test_group();
	test_full();
	test_cache();
	test_exchange();
	test_flips();
	test_moved();
	test_turn();
	test_reseal();
	test_no_room();
	test_masters();
	test_months();
	test_made();
	test_migrate();
	db_stop();
	(void)chdir("/");
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	if (getenv("KEEP") == NULL && system(cmd) != 0)
		abort();
	return (unit_end());
}
