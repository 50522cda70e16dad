/* A change of data is killed at each of its writes, and each of them fails. */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "db.h"
#include "keyfile.h"
#include "reseal.h"
#include "unit.h"

#define MAIN	"tenants/1/main.db"
#define KEY	"keys/1.key"
#define NEW	"tenants/1/new.db"
#define MONTH	202611
#define LOG	"tenants/1/log-202611.db"
#define LINES	60
#define KILLED	77
#define STEPS	2000		/* more than any change has */
#define BLOCKS	256		/* of MAIN, at most */
#define LETTER	100000		/* bytes */

static uint8_t	 master[SEAL_KEY] = { 1 };
static unsigned int stride = 1;		/* between the writes that kill it */

/*
 * What a change does to files: SQLite and risad find these before libc's.
 */

enum how { RUN, KILL, FAIL, WATCH };
static enum how	 how;
static unsigned int steps, last_step;

/* 1: this one fails. */
static int
step(void)
{
	if (how == RUN || how == WATCH || ++steps != last_step)
		return (0);
	if (how == KILL)
		_exit(KILLED);
	errno = EIO;
	return (1);
}

/*
 * The blocks of MAIN as ext4 has them.  One that the file has grown by and that
 * could not be written is LOST: it is zeros after the next boot even if it is
 * written again, until it is cut off.
 */
static enum { NONE, NEWER, THERE, LOST } blocks[BLOCKS];

static int
is_main(int fd)
{
	struct stat	 st, own;

	return (how >= FAIL && fstat(fd, &st) == 0 && stat(MAIN, &own) == 0 &&
	    st.st_ino == own.st_ino);
}

static void
blocks_written(int fd, off_t at, size_t len)
{
	off_t	 i;

	if (!is_main(fd))
		return;
	for (i = at / DB_PAGE; i * DB_PAGE < at + (off_t)len; i++)
		if (blocks[i] == NONE)
			blocks[i] = NEWER;
}

static int
blocks_synced(int fd, int ret)
{
	size_t	 i;

	for (i = 0; i < BLOCKS && is_main(fd); i++)
		if (blocks[i] == NEWER)
			blocks[i] = ret == 0 ? THERE : LOST;
	return (ret);
}

static void
blocks_cut(int fd, off_t len)
{
	size_t	 i = (size_t)(len + DB_PAGE - 1) / DB_PAGE;

	for (; i < BLOCKS && is_main(fd); i++)
		blocks[i] = NONE;
}

static int
blocks_lost(void)
{
	size_t	 i;
	int	 n = 0;

	for (i = 0; i < BLOCKS; i++)
		n += blocks[i] == LOST;
	return (n);
}

ssize_t
pwrite64(int fd, const void *buf, size_t len, off64_t at)
{
	if (step())
		return (-1);
	blocks_written(fd, at, len);
	return (syscall(SYS_pwrite64, fd, buf, len, at));
}

ssize_t
pwrite(int fd, const void *buf, size_t len, off_t at)
{
	return (pwrite64(fd, buf, len, at));
}

ssize_t
write(int fd, const void *buf, size_t len)
{
	if (fd > 2 && step())
		return (-1);
	return (syscall(SYS_write, fd, buf, len));
}

int
fsync(int fd)
{
	return (blocks_synced(fd, step() ? -1 : (int)syscall(SYS_fsync, fd)));
}

int
fdatasync(int fd)
{
	return (blocks_synced(fd, step() ? -1 :
	    (int)syscall(SYS_fdatasync, fd)));
}

int
ftruncate64(int fd, off64_t len)
{
	if (step())
		return (-1);
	blocks_cut(fd, len);
	return ((int)syscall(SYS_ftruncate, fd, len));
}

int
rename(const char *from, const char *to)
{
	return (step() ? -1 : (int)syscall(SYS_rename, from, to));
}

int
unlink(const char *path)
{
	return (step() ? -1 : (int)syscall(SYS_unlink, path));
}

/*
 * A tenant, as often as it is wanted.
 */

static void
committed(struct db *db, int ok)
{
	(void)db;
	(void)ok;
}

static void
forget(struct db *db)
{
	db->db_rights = NULL;
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

static int	 refuse_version;

/* One that is refused leaves a file of the version before, as an old one. */
static int
migrated(struct db *db, int version)
{
	if (version != refuse_version)
		return (0);
	if (db->db_path != NULL) {
		copy(NEW, MAIN);
		copy(NEW "-wal", MAIN "-wal");
	}
	return (-1);
}

/* Everything is closed, and the tenant is as it was kept. */
static void
again(void)
{
	static const char *const	 extra[] = { MAIN "-wal", MAIN "-shm",
					    LOG, LOG "-wal", LOG "-shm",
					    "keys/1.new", "keys/1.old" };
	struct stat			 st;
	size_t				 i;

	db_stop();
	for (i = 0; i < sizeof(extra) / sizeof(extra[0]); i++)
		(void)unlink(extra[i]);
	copy("kept.db", MAIN);
	copy("kept.key", KEY);
	if (stat(MAIN, &st) == -1)
		abort();
	for (i = 0; i < BLOCKS; i++)
		blocks[i] = (off_t)i * DB_PAGE < st.st_size ? THERE : NONE;
}

static void
keep(void)
{
	db_stop();
	copy(MAIN, "kept.db");
	copy(KEY, "kept.key");
}

static struct db *
enter(void)
{
	enum db_why	 why;
	struct db	*db;

	if ((db = db_enter(1, &why)) == NULL)
		fprintf(stderr, "step %u: %s\n", last_step, db_why_text(why));
	return (db);
}

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
}

/* How many lines open, whichever key has made them. */
static int
lines(struct db *db)
{
	struct seal_at	 at = { "audit", "entry", 0, 0, NULL, 0 };
	sqlite3_stmt	*st;
	void		*text;
	size_t		 len;
	int		 n = 0;

	st = db_query(db, S_AUDIT_WALK, ARGS(NUM(0), NUM(2 * LINES)));
	while (db_step(db, st) == 1) {
		at.sa_row = db_col_num(st, 0);
		text = db_open(db, &at, st, 2, &len);
		n += text != NULL && strcmp(text, "a line") == 0;
		free(text);
	}
	db_done(st);
	return (n);
}

/*
 * The changes: 0 done, -1 not, and it may be asked for again.
 */

/* To a new key, as storage does it: also from where another one has ended. */
static int
rotate(void)
{
	struct reseal	 rs = { .rs_done = 0 };
	enum db_why	 why;
	struct db	*db;
	int		 n = 1;

	if (db_start(master, NULL) != DB_OK ||
	    (db = db_enter(1, &why)) == NULL)
		return (-1);
	if (seal_generation(db->db_seal) == 1 && db_turn(db) == -1)
		n = -1;
	if (n == 1 && seal_oldgen(db->db_seal) != 0) {
		reseal_begin(&rs);
		while (n == 1)
			if ((n = reseal_step(&rs, db)) == 1 &&
			    db_commit(db) == -1)
				n = -1;
		if (n == 0 && (db_commit(db) == -1 || rs.rs_bad != 0 ||
		    db_shrink(db) == -1 || db_settle(1) == -1))
			n = -1;
	}
	if (n != -1 && keyfile_tidy(1) == -1)
		n = -1;
	db_leave(db);
	return (n == -1 ? -1 : 0);
}

static int
upgrade(void)
{
	enum db_why	 why;
	struct db	*db;

	if (db_start(master, NULL) != DB_OK ||
	    (db = db_enter(1, &why)) == NULL)
		return (-1);
	db_leave(db);
	return (0);
}

static int
write_word(struct db *db)
{
	int	 ret;

	ret = db_begin(db) == -1 || db_end(db, db_exec(db, S_META_SET,
	    ARGS(TXT("said"), NUM(1))) == 1) == -1 || db_commit(db) == -1;
	db_leave(db);
	return (ret ? -1 : 0);
}

static int
say(void)
{
	struct db	*db;
	enum db_why	 why;

	if (db_start(master, NULL) != DB_OK ||
	    (db = db_enter(1, &why)) == NULL)
		return (-1);
	return (write_word(db));
}

/* The file grows by it. */
static int
write_letter(void)
{
	static const char	 text[LETTER];
	struct db		*db;
	enum db_why		 why;
	int			 ret;

	if (db_start(master, NULL) != DB_OK ||
	    (db = db_enter(1, &why)) == NULL)
		return (-1);
	ret = db_begin(db) == -1 || db_end(db, db_exec(db, S_META_SET,
	    ARGS(TXT("letter"), BIN(text, sizeof(text)))) == 1) == -1 ||
	    db_shrink(db) == -1;
	db_leave(db);
	return (ret ? -1 : 0);
}

/* A log of which there is nothing yet. */
static int
log_begin(void)
{
	struct db	*db;
	enum db_why	 why;

	if (db_start(master, NULL) != DB_OK ||
	    (db = db_enter_log(1, MONTH, 1, &why)) == NULL)
		return (-1);
	return (write_word(db));
}

static int
tenant_begin(void)
{
	if (db_start(master, NULL) != DB_OK || db_create(2) != DB_OK)
		return (-1);
	return (0);
}

/* What holds whenever it has ended, wherever. */
static int
readable(int want)
{
	struct db	*db;
	int		 ok;

	if (db_start(master, NULL) != DB_OK || (db = enter()) == NULL)
		return (0);
	ok = lines(db) == want;
	db_leave(db);
	return (ok);
}

static uint64_t
number(enum stmt s, const struct arg *args)
{
	struct db	*db = enter();
	uint64_t	 n = 0;

	if (db == NULL || db_number(db, s, args, &n) == -1)
		n = UINT64_MAX;
	if (db != NULL)
		db_leave(db);
	return (n);
}

/*
 * Kill it at its first, second, third write, until it is through; each time
 * all is readable, and done again it comes to its end.
 */
static void
killed(const char *name, int (*change)(void), int want, int (*done)(void))
{
	unsigned int	 n = 0;
	int		 status;
	pid_t		 pid;

	for (last_step = 1; last_step < STEPS; last_step += stride) {
		again();
		n++;
		steps = 0;
		if ((pid = fork()) == 0) {
			how = KILL;
			_exit(change() == 0 ? 0 : 1);
		}
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
			abort();
		CHECK(readable(want));
		db_stop();
		CHECK_INT(change(), 0);
		CHECK(readable(want));
		CHECK(done());
		if (WEXITSTATUS(status) != KILLED)
			break;
	}
	CHECK_INT(WEXITSTATUS(status), 0);
	CHECK(last_step > 3 && last_step < STEPS);
	fprintf(stderr, "%s: killed at %u of its %u writes\n", name, n - 1,
	    last_step - 1);
}

/*
 * The first, second, third one fails: it says so or does without, and the same
 * process can do it again.
 */
static void
failed(const char *name, int (*change)(void), int want, int (*done)(void))
{
	unsigned int	 refused = 0, seen;
	int		 ret;

	for (last_step = 1; last_step < STEPS; last_step++) {
		again();
		steps = 0;
		how = FAIL;
		ret = change();
		how = WATCH;
		seen = steps;
		refused += ret == -1;
		/* What was said to be done is done. */
		CHECK(ret == -1 || done());
		CHECK(readable(want));
		CHECK_INT(change(), 0);
		CHECK(readable(want));
		CHECK(done());
		CHECK_INT(blocks_lost(), 0);
		how = RUN;
		if (seen < last_step) {
			CHECK_INT(ret, 0);
			break;
		}
	}
	CHECK(refused > 0 && last_step < STEPS);
	fprintf(stderr, "%s: %u writes failed, %u times it was refused\n",
	    name, last_step - 1, refused);
}

static int
rotated(void)
{
	struct db	*db = enter();
	int		 ok;

	if (db == NULL)
		return (0);
	ok = seal_generation(db->db_seal) == 2 && seal_oldgen(db->db_seal) ==
	    0 && access("keys/1.new", F_OK) == -1 &&
	    access("keys/1.old", F_OK) == -1;
	db_leave(db);
	return (ok);
}

static int
upgraded(void)
{
	return (number(S_VERSION, NOARGS) ==
	    (uint64_t)stmt_newest(STMT_TENANT));
}

static int
was_written(void)
{
	struct db	*db = enter();
	sqlite3_stmt	*st;
	size_t		 len = 0;

	if (db == NULL)
		return (0);
	st = db_query(db, S_META_GET, ARGS(TXT("letter")));
	if (db_step(db, st) == 1)
		(void)db_col_bin(st, 0, &len);
	db_done(st);
	db_leave(db);
	return (len == LETTER);
}

static int
was_said(void)
{
	return (number(S_META_GET, ARGS(TXT("said"))) == 1);
}

/* It was made, and nothing is there of how. */
static int
log_begun(void)
{
	struct db	*db;
	enum db_why	 why;
	uint64_t	 n = 0;

	if ((db = db_enter_log(1, MONTH, 0, &why)) == NULL)
		return (0);
	if (db_number(db, S_META_GET, ARGS(TXT("said")), &n) == -1)
		n = 0;
	db_leave(db);
	return (n == 1 && access(NEW, F_OK) == -1 &&
	    access(NEW "-wal", F_OK) == -1);
}

static int
tenant_begun(void)
{
	struct db	*db;
	enum db_why	 why;

	if ((db = db_enter(2, &why)) == NULL)
		return (0);
	db_leave(db);
	return (access("tenants/2/new.db", F_OK) == -1);
}

/* An installation is killed when it starts for the first time. */
static void
first_start(void)
{
	int	 status;
	pid_t	 pid;

	db_stop();
	if (mkdir("first", 0700) == -1 || chdir("first") == -1)
		abort();
	for (last_step = 1; last_step < STEPS; last_step++) {
		(void)unlink("system.db");
		steps = 0;
		if ((pid = fork()) == 0) {
			how = KILL;
			_exit(db_start(master, NULL) == DB_OK ? 0 : 1);
		}
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
			abort();
		CHECK_INT(db_start(master, NULL), DB_OK);
		CHECK(access("new.db", F_OK) == -1);
		db_stop();
		if (WEXITSTATUS(status) != KILLED)
			break;
	}
	CHECK_INT(WEXITSTATUS(status), 0);
	CHECK(last_step > 3 && last_step < STEPS);
	fprintf(stderr, "a first start: killed at each of %u writes\n",
	    last_step - 1);
	if (chdir("..") == -1)
		abort();
}

int
main(int argc, char *argv[])
{
	/* In memory if that can be: it waits for the disk so often. */
	char		 memory[] = "/dev/shm/step.XXXXXX";
	char		 disk[] = "/tmp/step.XXXXXX", cmd[64], *dir;
	struct db	*db;
	enum db_why	 why;

	/* The sanitizers make a fork dear. */
	if (argc > 1 && strcmp(argv[1], "san") == 0)
		stride = 7;
	(void)umask(077);
	if ((dir = mkdtemp(memory)) == NULL)
		dir = mkdtemp(disk);
	if (dir == NULL || chdir(dir) == -1 || db_init() == -1)
		abort();
	db_hooks(migrated, committed, forget);
	if (db_start(master, NULL) != DB_OK || db_create(1) != DB_OK ||
	    (db = enter()) == NULL)
		abort();
	lines_add(db);
	db_leave(db);
	keep();
	killed("a word", say, LINES, was_said);
	failed("a word", say, LINES, was_said);
	killed("a letter", write_letter, LINES, was_written);
	failed("a letter", write_letter, LINES, was_written);
	killed("a log", log_begin, LINES, log_begun);
	failed("a log", log_begin, LINES, log_begun);
	killed("a tenant", tenant_begin, LINES, tenant_begun);
	failed("a tenant", tenant_begin, LINES, tenant_begun);
	first_start();
	killed("a new key", rotate, LINES, rotated);
	failed("a new key", rotate, LINES, rotated);
	/* The first version of the schema: the second one is refused. */
	db_stop();
	if (db_start(master, NULL) != DB_OK)
		abort();
	refuse_version = 2;
	CHECK_INT(db_create(1), DB_TROUBLE);
	CHECK(db_enter(1, &why) == NULL);
	refuse_version = 0;
	keep();
	killed("an upgrade", upgrade, 0, upgraded);
	failed("an upgrade", upgrade, 0, upgraded);
	db_stop();
	(void)chdir("/");
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	if (system(cmd) != 0)
		abort();
	return (unit_end());
}
