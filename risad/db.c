#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "db.h"
#include "keyfile.h"
#include "log.h"

#define BUSY		500		/* ms that a lock is waited for */
#define GENERATION	1		/* of a new tenant's key */

struct db_stats		 db_stats;

static TAILQ_HEAD(dblist, db) dbs = TAILQ_HEAD_INITIALIZER(dbs);
static struct db	*sysdb;
static struct db	*looked_at;	/* of DB_NOW: its log cannot shrink */
static int		 looked_old;	/* and the disk may lack some of it */
static int		 (*on_migrate)(struct db *, int);
static void		 (*on_commit)(struct db *, int);
static void		 (*on_forget)(struct db *);

static void		 db_lose(struct db *);

static const char	 check_text[] = "risad";
static const struct seal_at check_at = { "meta", "check", 0, 0, NULL, 0 };
static const struct seal_at index_at = { "meta", "index", 0, 0, NULL, 0 };

const char *
db_why_text(enum db_why why)
{
	static const char *const texts[] = {
		"is well", "is missing", "is damaged",
		"was written by a newer risad", "has another key",
		"cannot be opened now"
	};

	return (texts[why]);
}

int
db_init(void)
{
	uint8_t	 seed[16];

	/* One thread; no failure is ever without a code. */
	if (sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) != SQLITE_OK ||
	    sqlite3_initialize() != SQLITE_OK)
		return (-1);
	sqlite3_randomness(sizeof(seed), seed);
	explicit_bzero(seed, sizeof(seed));
	return (seal_init());
}

void
db_hooks(int (*migrated)(struct db *, int),
    void (*committed)(struct db *, int), void (*forget)(struct db *))
{
	on_migrate = migrated;
	on_commit = committed;
	on_forget = forget;
}

const char *
db_title(const struct db *db, char *buf, size_t len)
{
	if (db->db_path != NULL)
		return (db->db_path);
	if (db->db_month != 0)
		db_log_path(buf, len, db->db_id, db->db_month);
	else if (db->db_id == DB_SYSTEM)
		return ("system.db");
	else
		(void)snprintf(buf, len, "tenants/%u/main.db", db->db_id);
	return (buf);
}

/* Where files are, and among them the one that is being made. */
void
db_dir(char *buf, size_t len, uint32_t tenant)
{
	if (tenant == DB_SYSTEM)
		(void)strlcpy(buf, ".", len);
	else
		(void)snprintf(buf, len, "tenants/%u", tenant);
}

static void
new_path(char *buf, size_t len, uint32_t tenant)
{
	db_dir(buf, len, tenant);
	(void)strlcat(buf, "/new.db", len);
}

/* Another error is no leave to make it anew. */
static int
absent(const char *path)
{
	return (access(path, F_OK) == -1 && errno == ENOENT);
}

int
db_remove(const char *path)
{
	static const char *const	 ends[] = { "-wal", "-shm", "-journal",
					    "" };
	char				 name[DB_PATH];
	size_t				 i;
	int				 ret = 0;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		if (unlink(name) == -1 && errno != ENOENT) {
			log_warn("%s", name);
			ret = -1;
		}
	}
	return (ret);
}

/* Nothing is being made when a directory is opened: a kill has left it. */
static void
new_sweep(uint32_t tenant)
{
	char	 path[DB_PATH];

	new_path(path, sizeof(path), tenant);
	(void)db_remove(path);
}

static enum db_why
why_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
		return (DB_OK);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	case SQLITE_ERROR:		/* a table is not what it should be */
		return (DB_DAMAGED);
	default:
		return (DB_TROUBLE);
	}
}

/* Is it the file that is looked at, and no copy of it? */
static int
db_looked_at(const struct db *db)
{
	return (db == looked_at || (looked_at != NULL && db->db_path == NULL &&
	    looked_at->db_id == db->db_id &&
	    looked_at->db_month == db->db_month));
}

void
db_error(struct db *db, int rc, const char *what)
{
	char	 path[DB_PATH];

	log_warnx("%s: %s: %s", db_title(db, path, sizeof(path)), what,
	    sqlite3_errstr(rc));
	switch (rc & 0xff) {
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG:
	case SQLITE_RANGE:
	case SQLITE_MISMATCH:
		break;
	case SQLITE_FULL:
		db->db_full = 1;
		db->db_why = DB_TROUBLE;
		break;
	default:
		db->db_broken = 1;
		db->db_why = why_of(rc);
		if (db_looked_at(db))
			looked_old = 1;
		break;
	}
}

/*
 * Opening and closing.
 */

static void
db_forget(struct db *db)
{
	db->db_message = 0;
	if (db->db_rights != NULL && on_forget != NULL)
		on_forget(db);
	db->db_rights = NULL;
}

/* What SQLite would write when it closes the file it would not report. */
static void
db_disconnect(struct db *db)
{
	unsigned int	 i;

	if (db->db_conn == NULL)
		return;
	if (db->db_broken || db_looked_at(db) ||
	    wal_write(db, SQLITE_CHECKPOINT_PASSIVE) == -1)
		(void)sqlite3_db_config(db->db_conn,
		    SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	for (i = 0; i < S_MAX; i++) {
		(void)sqlite3_finalize(db->db_stmts[i]);
		db->db_stmts[i] = NULL;
	}
	(void)sqlite3_close(db->db_conn);
	db->db_conn = NULL;
}

void
db_close(struct db *db)
{
	db_forget(db);
	db_disconnect(db);
	seal_free(db->db_seal);
	free(db->db_path);
	if (db == looked_at)
		looked_at = NULL;
	if (db == sysdb)
		sysdb = NULL;
	else if (db->db_entry.tqe_prev != NULL) {
		TAILQ_REMOVE(&dbs, db, db_entry);
		db_stats.ds_open--;
	}
	free(db);
}

/* A sealed word tells whether the key and the file belong together. */
static enum db_why
db_check(struct db *db, int create)
{
	sqlite3_stmt	*st;
	void		*rec;
	size_t		 len;
	int		 n;

	st = db_query(db, S_META_GET, ARGS(TXT("check")));
	n = db_step(db, st);
	if (n == 1) {
		rec = db_open(db, &check_at, st, 0, &len);
		db_done(st);
		n = rec != NULL && strcmp(rec, check_text) == 0;
		free(rec);
		return (n ? DB_OK : DB_KEY);
	}
	db_done(st);
	if (n == -1 || !create)
		return (DB_DAMAGED);
	rec = db_seal(db, &check_at, check_text, strlen(check_text), &len);
	if (rec == NULL)
		return (DB_TROUBLE);
	n = db_exec(db, S_META_SET, ARGS(TXT("check"), BIN(rec, len)));
	free(rec);
	return (n == 1 ? DB_OK : DB_TROUBLE);
}

/* Bring the schema to the newest version, each step in a transaction. */
static enum db_why
db_migrate(struct db *db, int kind, int create)
{
	enum db_why	 why;
	uint64_t	 version;
	int		 n, rc = SQLITE_OK;

	if (db_number(db, S_VERSION, NOARGS, &version) == -1)
		return (why_of(sqlite3_errcode(db->db_conn)));
	if (version > (uint64_t)stmt_newest(kind))
		return (DB_NEWER);
	if (version == 0 && !create)
		return (DB_DAMAGED);	/* emptied */
	/* With another key nothing is written. */
	if (version != 0 && (why = db_check(db, 0)) != DB_OK)
		return (why);
	for (n = (int)version; n < stmt_newest(kind); n++) {
		if (db_exec(db, S_BEGIN, NOARGS) == -1)
			return (DB_TROUBLE);
		rc = sqlite3_exec(db->db_conn, stmt_schema(kind, n), NULL,
		    NULL, NULL);
		/* A new file has its word as soon as it has a version. */
		if (rc != SQLITE_OK ||
		    (n == 0 && db_check(db, 1) != DB_OK) ||
		    (on_migrate != NULL && on_migrate(db, n + 1) == -1) ||
		    db_exec(db, S_COMMIT, NOARGS) == -1) {
			(void)db_exec(db, S_ROLLBACK, NOARGS);
			return (rc == SQLITE_OK ? DB_TROUBLE : why_of(rc));
		}
	}
	return (DB_OK);
}

int
db_kind(const struct db *db)
{
	return (db->db_month != 0 ? STMT_LOG : db->db_id == DB_SYSTEM ?
	    STMT_SYSTEM : STMT_TENANT);
}

static int
db_connect(struct db *db, const char *path, int create)
{
	int	 flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, rc;

	if (create)
		flags |= SQLITE_OPEN_CREATE;
	rc = sqlite3_open_v2(path, &db->db_conn, flags, NULL);
	if (rc != SQLITE_OK)
		return (rc);
	(void)sqlite3_extended_result_codes(db->db_conn, 1);
	(void)sqlite3_busy_timeout(db->db_conn, BUSY);
	(void)sqlite3_db_config(db->db_conn, SQLITE_DBCONFIG_DEFENSIVE, 1,
	    NULL);
	(void)sqlite3_limit(db->db_conn, SQLITE_LIMIT_ATTACHED, 0);
	wal_init(db);
	return (sqlite3_exec(db->db_conn, stmt_setup(db_kind(db)), NULL, NULL,
	    NULL));
}

/*
 * After a kill or a failed fsync the log may hold what the system shows, and
 * the disk will never have: the pages count as written.  Nothing is built on
 * that before all of it was written to the file, and the log begins anew.
 */
static int
db_ensure(struct db *db)
{
	if (!db->db_sure)
		db->db_sure = db_looked_at(db) ? !looked_old :
		    wal_write(db, SQLITE_CHECKPOINT_TRUNCATE) == 0;
	return (db->db_sure ? 0 : -1);
}

/* Of SQLite, before each commit: not 0 makes it an error. */
static int
db_unsure(void *arg)
{
	const struct db	*db = arg;

	return (!db->db_sure);
}

static enum db_why index_load(struct db *);

/*
 * A file is made under another name, and gets its own when all of it is on the
 * disk: a kill, or a disk that is full, leaves none that lacks something.
 * Whatever has that name is replaced.  0, or -1.
 */
static int
db_make(struct db *db, const char *path)
{
	char		 new[DB_PATH], dir[DB_PATH];
	int		 ret = -1;

	db_dir(dir, sizeof(dir), db->db_id);
	new_path(new, sizeof(new), db->db_id);
	/* A -wal that has lost its file would be played into the new one. */
	if (db_remove(new) == 0 && db_remove(path) == 0 &&
	    (db->db_path = strdup(new)) != NULL &&
	    db_connect(db, new, 1) == SQLITE_OK &&
	    db_migrate(db, db_kind(db), 1) == DB_OK &&
	    wal_write(db, SQLITE_CHECKPOINT_TRUNCATE) == 0)
		ret = 0;
	db_disconnect(db);
	free(db->db_path);
	db->db_path = NULL;
	if (ret == 0 && rename(new, path) == -1) {
		log_warn("%s", path);
		ret = -1;
	}
	(void)db_remove(new);
	return (ret == 0 ? dir_sync(dir) : -1);
}

static enum db_why
db_find(struct db *db, const char *path)
{
	enum db_why	 why;
	int		 rc;

	if ((rc = db_connect(db, path, 0)) != SQLITE_OK)
		return (absent(path) ? DB_MISSING : why_of(rc));
	if ((why = db_migrate(db, db_kind(db), 0)) != DB_OK)
		return (why);
	return (index_load(db));
}

/* Takes the seal.  The handle, or NULL and why. */
static struct db *
db_handle(uint32_t id, uint32_t month, struct seal *seal, int create,
    enum db_why *why)
{
	struct db	*db;
	char		 buf[DB_PATH];
	const char	*path;

	if ((db = calloc(1, sizeof(*db))) == NULL) {
		seal_free(seal);
		*why = DB_TROUBLE;
		return (NULL);
	}
	db->db_id = id;
	db->db_month = month;
	db->db_seal = seal;
	TAILQ_INIT(&db->db_held);
	path = db_title(db, buf, sizeof(buf));
	if (create && db_make(db, path) == -1)
		*why = DB_TROUBLE;
	else
		*why = db_find(db, path);
	if (*why != DB_OK) {
		log_warnx("%s %s", path, db_why_text(*why));
		db_close(db);
		return (NULL);
	}
	(void)db_ensure(db);		/* else it can be read, no more */
	(void)sqlite3_commit_hook(db->db_conn, db_unsure, db);
	db->db_broken = 0;
	db_stats.ds_opened++;
	return (db);
}

/*
 * Keys.
 */

static enum db_why
key_load(uint32_t tenant, struct seal **seal)
{
	struct keyfile	 kf;
	enum db_why	 why;

	if ((why = keyfile_read(tenant, &kf)) != DB_OK)
		return (why);
	if (kf.kf_oldgen == 0)
		*seal = seal_new(kf.kf_key, kf.kf_generation);
	else if ((*seal = seal_new(kf.kf_old, kf.kf_oldgen)) != NULL)
		seal_turn(*seal, kf.kf_key, kf.kf_generation);
	explicit_bzero(&kf, sizeof(kf));
	return (*seal == NULL ? DB_TROUBLE : DB_OK);
}

static struct seal *
key_make(uint32_t tenant)
{
	struct seal	*seal = NULL;
	struct keyfile	 kf = { .kf_generation = GENERATION };

	arc4random_buf(kf.kf_key, sizeof(kf.kf_key));
	if (keyfile_write(tenant, &kf) == 0)
		seal = seal_new(kf.kf_key, GENERATION);
	explicit_bzero(&kf, sizeof(kf));
	return (seal);
}

/*
 * The installation's key has a file from its first rotation on.  Until then it
 * comes from the master key or, if that was exchanged, the one before.
 */
static enum db_why
key_system(struct seal **seal, int before)
{
	const uint8_t	*key = before ? keyfile_previous() : keyfile_master();

	if (keyfile_there(DB_SYSTEM))
		return (key_load(DB_SYSTEM, seal));
	if (key == NULL || (*seal = seal_system(key)) == NULL)
		return (DB_TROUBLE);
	return (DB_OK);
}

/* system.db or a log of the installation, by whichever key is its. */
static struct db *
system_handle(uint32_t month, int create, enum db_why *why)
{
	struct seal	*seal;
	struct db	*db = NULL;
	int		 before = keyfile_previous() != NULL &&
			    !keyfile_there(DB_SYSTEM) && !create;

	for (; db == NULL && before >= 0; before--) {
		if ((*why = key_system(&seal, before)) != DB_OK)
			return (NULL);
		db = db_handle(DB_SYSTEM, month, seal, create, why);
		if (*why != DB_KEY)
			break;
	}
	return (db);
}

/*
 * Rotation.
 */

static int	 index_keep(struct db *);

/*
 * The keys of indexes that a rotation has kept.  A file without them that is
 * of before the rotation under way was restored since that began: they come
 * from the old key, as long as there is one.  DB_OK, or why not.
 */
static enum db_why
index_load(struct db *db)
{
	sqlite3_stmt	*st;
	void		*text;
	size_t		 len;
	int		 n;

	if (db_kind(db) == STMT_LOG)
		return (DB_OK);
	st = db_query(db, S_META_GET, ARGS(TXT("index")));
	if ((n = db_step(db, st)) != 1) {
		db_done(st);
		if (n == 0 && seal_oldgen(db->db_seal) != 0 &&
		    db->db_path == NULL)
			n = index_keep(db);
		return (n == 0 ? DB_OK : DB_TROUBLE);
	}
	text = db_open(db, &index_at, st, 0, &len);
	db_done(st);
	n = text == NULL ? -1 : seal_kept(db->db_seal, text, len);
	if (text != NULL)
		freezero(text, len);
	return (n == 0 ? DB_OK : DB_DAMAGED);
}

/* Before a key is replaced or wiped: what stays of it is in the file. */
static int
index_keep(struct db *db)
{
	uint8_t	 text[SEAL_KEPT];
	void	*rec = NULL;
	size_t	 len;
	int	 n, ret = -1;

	if ((n = seal_keep(db->db_seal, text)) != -1 && (rec = db_seal(db,
	    &index_at, text, (size_t)n, &len)) != NULL && db_begin(db) == 0 &&
	    db_end(db, db_exec(db, S_META_SET, ARGS(TXT("index"),
	    BIN(rec, len))) == 1) == 0 && db_commit(db) == 0)
		ret = seal_kept(db->db_seal, text, (size_t)n);
	free(rec);
	explicit_bzero(text, sizeof(text));
	return (ret);
}

/* Each file of a tenant that is open goes over to the new key. */
static void
seals_turn(uint32_t tenant, const struct keyfile *kf)
{
	struct db	*db;

	TAILQ_FOREACH(db, &dbs, db_entry)
		if (db->db_id == tenant)
			seal_turn(db->db_seal, kf->kf_key, kf->kf_generation);
	if (tenant == DB_SYSTEM && sysdb != NULL)
		seal_turn(sysdb->db_seal, kf->kf_key, kf->kf_generation);
}

/* Does each of them write by this one? */
static int
seals_have(uint32_t tenant, uint32_t generation)
{
	struct db	*db;

	TAILQ_FOREACH(db, &dbs, db_entry)
		if (db->db_id == tenant &&
		    seal_generation(db->db_seal) != generation)
			return (0);
	return (tenant != DB_SYSTEM || sysdb == NULL ||
	    seal_generation(sysdb->db_seal) == generation);
}

/* The key in force becomes the old one.  0, or -1. */
static int
key_next(struct db *db, struct keyfile *kf)
{
	if (keyfile_there(db->db_id) && keyfile_read(db->db_id, kf) != DB_OK)
		return (-1);
	/* The file has turned, and was not sure to last: again, the same. */
	if (kf->kf_oldgen != 0)
		return (kf->kf_oldgen == seal_generation(db->db_seal) ? 0 :
		    -1);
	memcpy(kf->kf_old, seal_key(db->db_seal), SEAL_KEY);
	kf->kf_oldgen = seal_generation(db->db_seal);
	kf->kf_generation = kf->kf_oldgen + 1;
	arc4random_buf(kf->kf_key, sizeof(kf->kf_key));
	return (kf->kf_generation == 0 ? -1 : 0);
}

int
db_turn(struct db *db)
{
	struct keyfile	 kf = { .kf_generation = 0 };
	uint32_t	 tenant = db->db_id;
	int		 ret = -1;

	if (db_commit(db) == 0 && key_next(db, &kf) == 0 &&
	    index_keep(db) == 0 &&
	    keyfile_write(tenant, &kf) == 0) {
		seals_turn(tenant, &kf);
		ret = 0;
	}
	explicit_bzero(&kf, sizeof(kf));
	return (ret);
}

int
db_settle(uint32_t tenant)
{
	struct keyfile	 kf;
	struct db	*db;
	int		 ret = -1;

	if (keyfile_read(tenant, &kf) != DB_OK)
		return (-1);
	/* What a handle writes by the old one, nobody could read. */
	if (!seals_have(tenant, kf.kf_generation)) {
		explicit_bzero(&kf, sizeof(kf));
		return (-1);
	}
	kf.kf_oldgen = 0;
	explicit_bzero(kf.kf_old, sizeof(kf.kf_old));
	if (keyfile_write(tenant, &kf) == 0) {
		TAILQ_FOREACH(db, &dbs, db_entry)
			if (db->db_id == tenant)
				seal_settle(db->db_seal);
		if (tenant == DB_SYSTEM && sysdb != NULL)
			seal_settle(sysdb->db_seal);
		ret = 0;
	}
	explicit_bzero(&kf, sizeof(kf));
	return (ret);
}

/*
 * The life of the files.
 */

int
db_make_dir(const char *path)
{
	if (mkdir(path, 0700) == -1 && errno != EEXIST) {
		log_warn("%s", path);
		return (-1);
	}
	return (0);
}

static int
same(const uint8_t *a, const uint8_t *b)
{
	return (a != NULL && b != NULL && CRYPTO_memcmp(a, b, SEAL_KEY) == 0);
}

enum db_why
db_start(const uint8_t key[SEAL_KEY], const uint8_t *previous)
{
	enum db_why	 why;

	if (sysdb != NULL)
		return (db_is_master(key) ? DB_OK : DB_KEY);
	if (db_make_dir("tenants") == -1 || db_make_dir("keys") == -1)
		return (DB_TROUBLE);
	if (keyfile_master() == NULL) {
		if (keyfile_masters(key, previous) == -1)
			return (DB_TROUBLE);
	} else if (!db_is_master(key))
		return (DB_KEY);
	new_sweep(DB_SYSTEM);
	/* Keys without system.db: it was lost, do not begin a new one. */
	sysdb = system_handle(0, absent("system.db") &&
	    absent("keys/1.key") && !keyfile_there(DB_SYSTEM), &why);
	if (sysdb == NULL)
		keyfile_forget();
	return (why);
}

/* After an error the file is opened anew: the old handle knows too much. */
struct db *
db_system(void)
{
	enum db_why	 why;

	if (sysdb != NULL && sysdb->db_broken)
		db_close(sysdb);
	if (sysdb == NULL && keyfile_master() != NULL)
		sysdb = system_handle(0, 0, &why);
	if (sysdb != NULL)
		(void)db_ensure(sysdb);
	return (sysdb);
}

int
db_is_master(const uint8_t key[SEAL_KEY])
{
	return (same(keyfile_master(), key));
}

const char *
db_masters_fault(const uint8_t key[SEAL_KEY], const uint8_t *previous,
    int used)
{
	if (same(key, previous))
		return ("the master key and the previous one are the same");
	if (!db_is_master(key) && !same(keyfile_master(), previous))
		return ("the master key in use is named neither as master nor "
		    "as previous");
	if (used && !same(keyfile_previous(), previous))
		return ("the previous master key is still in use, see key "
		    "show");
	return (NULL);
}

int
db_masters(const uint8_t key[SEAL_KEY], const uint8_t *previous)
{
	return (keyfile_masters(key, previous));
}

void
db_stop(void)
{
	struct db	*db;

	db_commit_all();
	while ((db = TAILQ_FIRST(&dbs)) != NULL)
		db_close(db);
	if (sysdb != NULL)
		db_close(sysdb);
	keyfile_forget();
}

enum db_why
db_create(uint32_t tenant)
{
	struct seal	*seal;
	struct db	*db;
	enum db_why	 why;
	char		 path[DB_PATH];

	db_dir(path, sizeof(path), tenant);
	if (db_make_dir(path) == -1)
		return (DB_TROUBLE);
	if ((seal = key_make(tenant)) == NULL) {
		log_warnx("keys/%u.key cannot be made", tenant);
		return (DB_TROUBLE);
	}
	if ((db = db_handle(tenant, 0, seal, 1, &why)) == NULL)
		return (why);
	db_close(db);
	return (dir_sync("tenants") == -1 ? DB_TROUBLE : DB_OK);
}

/* Close what nobody has used for longest; transactions stay. */
static void
db_evict(void)
{
	struct db	*db;

	TAILQ_FOREACH_REVERSE(db, &dbs, dblist, db_entry) {
		if (!db->db_intx) {
			db_close(db);
			return;
		}
	}
}

/* Room for one file more among those that are open, if there can be. */
static void
db_room(void)
{
	if (db_stats.ds_open >= DB_CACHE)
		db_evict();
	if (db_stats.ds_open >= DB_CACHE) {
		/* All are in a transaction: end those, then there is room. */
		(void)db_commit_all();
		if (db_stats.ds_open >= DB_CACHE)
			db_evict();
	}
}

struct db *
db_cached(uint32_t tenant, uint32_t month)
{
	struct db	*db;

	TAILQ_FOREACH(db, &dbs, db_entry) {
		if (db->db_id == tenant && db->db_month == month) {
			TAILQ_REMOVE(&dbs, db, db_entry);
			TAILQ_INSERT_HEAD(&dbs, db, db_entry);
			return (db);
		}
	}
	return (NULL);
}

static struct db *
db_opened(struct db *db)
{
	if (db != NULL) {
		TAILQ_INSERT_HEAD(&dbs, db, db_entry);
		db_stats.ds_open++;
	}
	return (db);
}

struct db *
db_enter(uint32_t tenant, enum db_why *why)
{
	struct seal	*seal = NULL;
	struct db	*db;

	*why = DB_OK;
	if ((db = db_cached(tenant, 0)) != NULL)
		return (db);
	db_room();
	if ((*why = key_load(tenant, &seal)) != DB_OK)
		return (NULL);
	new_sweep(tenant);
	return (db_opened(db_handle(tenant, 0, seal, 0, why)));
}

struct db *
db_enter_log(uint32_t tenant, uint32_t month, int create, enum db_why *why)
{
	struct seal	*seal = NULL;
	struct db	*db;
	char		 path[DB_PATH];

	*why = DB_OK;
	if ((db = db_cached(tenant, month)) != NULL)
		return (db);
	db_log_path(path, sizeof(path), tenant, month);
	if (!absent(path))
		create = 0;
	else if (!create) {
		*why = DB_MISSING;
		return (NULL);
	}
	db_room();
	if (tenant == DB_SYSTEM)
		return (db_opened(system_handle(month, create, why)));
	if ((*why = key_load(tenant, &seal)) != DB_OK)
		return (NULL);
	return (db_opened(db_handle(tenant, month, seal, create, why)));
}

int
db_shrink(struct db *db)
{
	if (db_commit(db) == -1)
		return (-1);
	if (db_looked_at(db)) {
		db->db_erased = 1;	/* later: rather than wait for it */
		return (-1);
	}
	return (wal_write(db, SQLITE_CHECKPOINT_TRUNCATE));
}

void
db_shrink_all(void)
{
	struct db	*db, *next;

	TAILQ_FOREACH_SAFE(db, &dbs, db_entry, next) {
		if (!db->db_erased)
			continue;
		if (db_shrink(db) == 0)
			db->db_erased = 0;
		db_leave(db);
	}
}

int
db_gone(uint32_t tenant)
{
	char	 main[DB_PATH], key[DB_PATH];

	(void)snprintf(main, sizeof(main), "tenants/%u/main.db", tenant);
	(void)snprintf(key, sizeof(key), "keys/%u.key", tenant);
	return (absent(main) && absent(key));
}

int
db_destroy(uint32_t tenant)
{
	struct db	*db, *next;
	struct dirent	*de;
	char		 dir[DB_PATH], path[DB_PATH + NAME_MAX + 2];
	DIR		*d;
	int		 left = 0;

	TAILQ_FOREACH_SAFE(db, &dbs, db_entry, next) {
		if (db->db_id != tenant)
			continue;
		if (db->db_intx)
			(void)db_commit(db);
		db_close(db);
	}
	if (keyfile_destroy(tenant) == -1)
		return (-1);
	(void)snprintf(dir, sizeof(dir), "tenants/%u", tenant);
	if ((d = opendir(dir)) == NULL)
		return (errno == ENOENT ? 0 : -1);
	while ((de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
		if (unlink(path) == -1)
			left = 1;
	}
	(void)closedir(d);
	if (left || rmdir(dir) == -1)
		return (-1);
	return (dir_sync("tenants"));
}

/*
 * Copies.
 */

static int
copy_connect(struct db *db, enum db_way way, const char *path)
{
	char	 uri[2 * DB_PATH];
	int	 flags = SQLITE_OPEN_NOFOLLOW, rc;

	if (way == DB_WRITE)
		return (db_connect(db, path, 0));
	/* Immutable: without a log, and without a file of locks beside it. */
	(void)snprintf(uri, sizeof(uri), "file:%s%s", path,
	    way == DB_READ ? "?immutable=1" : "");
	flags |= SQLITE_OPEN_URI | (way == DB_READ ? SQLITE_OPEN_READONLY :
	    SQLITE_OPEN_READWRITE);
	if ((rc = sqlite3_open_v2(uri, &db->db_conn, flags, NULL)) !=
	    SQLITE_OK)
		return (rc);
	(void)sqlite3_extended_result_codes(db->db_conn, 1);
	(void)sqlite3_limit(db->db_conn, SQLITE_LIMIT_ATTACHED, 0);
	return (sqlite3_exec(db->db_conn, stmt_setup(STMT_READ), NULL, NULL,
	    NULL));
}

/* While it is looked at nothing can be done any more for what is unsure. */
static int
copy_ensure(struct db *db)
{
	const struct db	*usual;

	usual = db->db_id == DB_SYSTEM && db->db_month == 0 ? sysdb :
	    db_cached(db->db_id, db->db_month);
	return (usual != NULL ? (usual->db_sure ? 0 : -1) : db_ensure(db));
}

/* Is it readable, of a version that we know, and of this key? */
static enum db_why
copy_check(struct db *db, enum db_way way)
{
	uint64_t	 version;

	if (way == DB_WRITE)
		return (db_migrate(db, db_kind(db), 0));
	if (way == DB_NOW && copy_ensure(db) == -1)
		return (DB_TROUBLE);
	/* The first look is what the moment of DB_NOW is. */
	if ((way == DB_NOW && db_exec(db, S_LOOK, NOARGS) == -1) ||
	    db_number(db, S_VERSION, NOARGS, &version) == -1)
		return (why_of(sqlite3_errcode(db->db_conn)));
	if (version > (uint64_t)stmt_newest(db_kind(db)))
		return (DB_NEWER);
	return (version == 0 ? DB_DAMAGED : db_check(db, 0));
}

struct db *
db_open_copy(enum db_way way, const char *path, uint32_t tenant,
    uint32_t month, enum db_why *why)
{
	char		 usual[DB_PATH];
	struct db	*db;
	int		 rc;

	*why = DB_TROUBLE;
	if ((db = calloc(1, sizeof(*db))) == NULL)
		return (NULL);
	TAILQ_INIT(&db->db_held);
	db->db_id = tenant;
	db->db_month = month;
	if (way == DB_NOW)
		path = db_title(db, usual, sizeof(usual));
	if ((db->db_path = strdup(path)) == NULL)
		goto fail;
	if (tenant != DB_SYSTEM)
		*why = key_load(tenant, &db->db_seal);
	else
		*why = key_system(&db->db_seal, 0);
	if (*why != DB_OK)
		goto fail;
	if ((rc = copy_connect(db, way, path)) != SQLITE_OK)
		*why = absent(path) ? DB_MISSING : why_of(rc);
	else if ((*why = copy_check(db, way)) == DB_OK)
		*why = index_load(db);
	if (*why != DB_OK)
		goto fail;
	if (way == DB_NOW) {
		looked_at = db;
		looked_old = 0;
	}
	return (db);
 fail:
	db_close(db);
	return (NULL);
}

void
db_close_copy(struct db *db)
{
	if (db == NULL)
		return;
	if (db->db_intx)
		(void)db_commit(db);
	db_close(db);
}

int
db_current(struct db *db)
{
	uint64_t	 version;

	return (db_number(db, S_VERSION, NOARGS, &version) == 0 &&
	    version == (uint64_t)stmt_newest(db_kind(db)));
}

int
db_drop(uint32_t tenant)
{
	struct db	*db;
	int		 ret;

	if ((db = db_cached(tenant, 0)) == NULL)
		return (0);
	ret = db_shrink(db);
	if (db->db_intx)
		db_lose(db);
	db_close(db);
	return (ret);
}

/*
 * Transactions.
 */

/*
 * The transaction is gone; its requests hear it.  The handle goes too, but
 * where there was no room: after a failed fsync nobody knows what the system
 * still keeps of it, and to open the file again needs room.
 */
static void
db_lose(struct db *db)
{
	db_stats.ds_failed++;
	db->db_intx = db->db_insave = 0;
	db->db_requests = 0;
	if (!db->db_full)
		db->db_broken = 1;
	db->db_full = 0;
	if (!sqlite3_get_autocommit(db->db_conn))
		(void)db_exec(db, S_ROLLBACK, NOARGS);
	db_forget(db);
	if (on_commit != NULL)
		on_commit(db, 0);
}

void
db_leave(struct db *db)
{
	if ((db->db_broken || db->db_full) && db->db_intx)
		db_lose(db);
	if (db->db_broken && db != sysdb)
		db_close(db);		/* db_system() sees to the other */
}

int
db_begin(struct db *db)
{
	if (db->db_intx && db->db_requests >= DB_BATCH &&
	    db_commit(db) == -1)
		return (-1);
	if (!db->db_intx) {
		if (db_ensure(db) == -1 || db_exec(db, S_BEGIN, NOARGS) == -1)
			return (-1);
		db->db_full = 0;
		db->db_intx = 1;
		db->db_requests = 0;
	}
	db->db_requests++;
	if (db_exec(db, S_SAVE, NOARGS) == -1)
		return (-1);
	db->db_insave = 1;
	return (0);
}

int
db_end(struct db *db, int keep)
{
	if (!db->db_insave)
		return (-1);
	db->db_insave = 0;
	if (sqlite3_get_autocommit(db->db_conn)) {
		/* A full disk has rolled back everything by itself. */
		db->db_full = 1;
		return (-1);
	}
	if (!keep) {
		db_forget(db);
		(void)db_exec(db, S_UNDO, NOARGS);
	}
	if (db_exec(db, S_RELEASE, NOARGS) == -1)
		return (-1);
	return (keep ? 0 : -1);
}

int
db_commit(struct db *db)
{
	if (!db->db_intx)
		return (0);
	if (db->db_broken || db->db_full ||
	    db_exec(db, S_COMMIT, NOARGS) == -1) {
		db_lose(db);
		return (-1);
	}
	db->db_intx = 0;
	db->db_requests = 0;
	db_stats.ds_commits++;
	if (on_commit != NULL)
		on_commit(db, 1);
	/* Kept it is, whatever comes of this. */
	if (db->db_wal >= WAL_PAGES && !db_looked_at(db))
		(void)wal_write(db, SQLITE_CHECKPOINT_PASSIVE);
	return (0);
}

/* As text each time: SQLite does it when it reads the statement. */
void
db_lazy(struct db *db, int on)
{
	if (sqlite3_exec(db->db_conn, stmt_sql(on ? S_LAZY : S_STRICT), NULL,
	    NULL, NULL) == SQLITE_OK)
		db->db_lazy = on;
	else if (!on)
		db->db_broken = 1;	/* opened anew it is strict again */
}

unsigned int
db_commit_all(void)
{
	struct db	*db, *next;
	unsigned int	 n = 0;

	TAILQ_FOREACH_SAFE(db, &dbs, db_entry, next) {
		if (!db->db_intx)
			continue;
		n++;
		(void)db_commit(db);
		db_leave(db);
	}
	return (n);
}
