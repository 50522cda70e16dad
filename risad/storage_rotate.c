/*
 * Keys that take the place of others while people work (J5, J6): a tenant's,
 * with all that it has sealed, and the master key, with all files of keys that
 * it wraps.
 *
 * The key file says how far it is: as long as it holds an old key, the files
 * of the tenant are walked until nothing in them is of that key, then it is
 * overwritten.  Nothing else is remembered, so a kill costs a walk that finds
 * most rows done.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyfile.h"
#include "backup.h"
#include "log.h"
#include "reseal.h"
#include "storage.h"
#include "util.h"

#define STEP_PAUSE	20		/* ms between two steps */
#define FAIL_PAUSE	15000		/* ms after a failure, then anew */
#define LOOK_KEYS	16		/* key files looked at in one step */
#define COPY_KEYS	64		/* copied in one turn */

/* The tenant whose files are walked, DB_SYSTEM for the installation. */
static struct rotation {
	int		 ro_active;
	uint32_t	 ro_tenant;
	uint32_t	 ro_month;	/* of the file; 0: the main one */
	uint32_t	 ro_file, ro_files;	/* which of how many */
	size_t		 ro_parts;	/* of this one */
	uint64_t	 ro_done;	/* when this pass began */
	struct reseal	 ro_rs;
} walk;

/* Whose key file is looked at next: all tenants, then the installation. */
static int		 look_on, look_failed;
static uint32_t		 look_next;
static int		 unwrapped;	/* the previous master is of no use */
static struct event	 step_ev;
static int		 armed;

static void
arm(unsigned int ms)
{
	struct timeval	 tv = { ms / 1000, (ms % 1000) * 1000 };

	if (!armed && evtimer_add(&step_ev, &tv) == 0)
		armed = 1;
}

static const char *
who(uint32_t id)
{
	const struct tenant	*tn = tenant_by_id(id);

	return (id == DB_SYSTEM ? "the installation" :
	    tn == NULL ? "?" : tn->tn_name);
}

/*
 * The walk.
 */

/* The file whose turn it is, or NULL and why. */
static struct db *
file_enter(enum db_why *why)
{
	struct tenant	*tn = tenant_by_id(walk.ro_tenant);
	struct db	*db;

	*why = DB_OK;
	if (walk.ro_month != 0)
		return (db_enter_log(walk.ro_tenant, walk.ro_month, 0, why));
	db = walk.ro_tenant == DB_SYSTEM ? db_system() :
	    tn == NULL ? NULL : tenant_enter(tn);
	if (db == NULL)
		*why = DB_TROUBLE;
	return (db);
}

static void
file_leave(struct db *db)
{
	struct tenant	*tn = tenant_by_id(walk.ro_tenant);

	if (walk.ro_month == 0 && tn != NULL)
		tenant_leave(tn, db);
	else
		db_leave(db);
}

/* Once more through all files, from the main one on. */
static void
pass_begin(void)
{
	uint32_t	 month = 0;

	walk.ro_file = 0;
	walk.ro_files = 1;
	while ((month = db_log_next(walk.ro_tenant, month)) != 0)
		walk.ro_files++;
	walk.ro_month = 0;
	walk.ro_done = walk.ro_rs.rs_done;
	walk.ro_rs.rs_bad = 0;
	reseal_begin(&walk.ro_rs);
}

/* Since when: of a rotation that a kill came too early for, from now on. */
static void
since_put(uint32_t id, uint32_t generation)
{
	struct db	*sys = db_system();
	uint64_t	 known;

	if (sys != NULL && db_number(sys, S_KEY_GET, ARGS(NUM(id)), &known) ==
	    0 && known != generation)
		(void)db_exec(sys, S_KEY_PUT, ARGS(NUM(id), NUM(generation),
		    NUM(now_ms())));
}

static void
walk_begin(uint32_t id, uint32_t generation)
{
	memset(&walk, 0, sizeof(walk));
	walk.ro_active = 1;
	walk.ro_tenant = id;
	pass_begin();
	since_put(id, generation);
}

/* Nothing is left of the old key: it goes.  0, or -1. */
static int
walk_end(void)
{
	struct db	*sys = db_system();

	backup_outdated(0);
	if (db_settle(walk.ro_tenant) == -1)
		return (-1);
	backup_outdated(1);
	log_info("the key of %s is rotated, the old one is destroyed",
	    who(walk.ro_tenant));
	if (sys == NULL || audit_add(sys, "the key of %s is rotated: %llu "
	    "records sealed anew, %llu open by no key; the old key is "
	    "destroyed", who(walk.ro_tenant),
	    (unsigned long long)walk.ro_rs.rs_done,
	    (unsigned long long)walk.ro_rs.rs_bad) == -1)
		log_warnx("which is not in the audit trail");
	walk.ro_active = 0;
	return (0);
}

/*
 * On to the next file.  The pass that meets nothing old any more, with all on
 * the disk, is the last.  0, or -1.
 */
static int
file_next(void)
{
	walk.ro_file++;
	walk.ro_month = db_log_next(walk.ro_tenant, walk.ro_month);
	if (walk.ro_month != 0) {
		reseal_begin(&walk.ro_rs);
		return (0);
	}
	if (walk.ro_rs.rs_done == walk.ro_done)
		return (walk_end());
	pass_begin();
	return (0);
}

/* 0, or -1: it is to be done anew later. */
static int
walk_step(void)
{
	enum db_why	 why;
	struct db	*db;
	int		 n;

	if (walk.ro_tenant != DB_SYSTEM &&
	    tenant_by_id(walk.ro_tenant) == NULL) {
		walk.ro_active = 0;	/* erased meanwhile */
		return (0);
	}
	if ((db = file_enter(&why)) == NULL) {
		/* Of a log that is by no key of ours nothing can be lost. */
		if (walk.ro_month != 0 && (why == DB_MISSING || why == DB_KEY))
			return (file_next());
		return (-1);
	}
	walk.ro_parts = reseal_parts(db);
	n = reseal_step(&walk.ro_rs, db);
	if (n == 1 && (walk.ro_tenant == DB_SYSTEM || walk.ro_month != 0) &&
	    db_commit(db) == -1)
		n = -1;
	if (n == 0 && db_shrink(db) == -1)
		n = -1;
	file_leave(db);
	return (n == 0 ? file_next() : n == -1 ? -1 : 0);
}

/*
 * The look at all key files.
 */

/*
 * As long as the installation's key has no file, it comes from a master key;
 * from the previous one it has to be replaced.  0, or -1.
 */
static int
look_system(void)
{
	struct db	*sys = db_system();
	struct seal	*se;
	int		 old;

	if (keyfile_previous() == NULL)
		return (0);
	if (sys == NULL || (se = seal_system(keyfile_previous())) == NULL)
		return (-1);
	old = memcmp(seal_key(se), seal_key(sys->db_seal), SEAL_KEY) == 0;
	seal_free(se);
	if (!old)
		return (0);
	if (db_turn(sys) == -1)
		return (-1);
	walk_begin(DB_SYSTEM, seal_generation(sys->db_seal));
	return (0);
}

/* What a key file says is to be done.  0, or -1. */
static int
look_one(uint32_t id)
{
	struct keyfile	 kf;
	enum db_why	 why;
	int		 ret = 0;

	if (id == DB_SYSTEM && !keyfile_there(id))
		return (look_system());
	if (keyfile_tidy(id) == -1)
		return (-1);
	/* One that opens by neither master key has no use for either. */
	if ((why = keyfile_read(id, &kf)) != DB_OK)
		return (why == DB_TROUBLE ? -1 : 0);
	if (kf.kf_previous)
		ret = keyfile_write(id, &kf);
	if (ret == 0 && kf.kf_oldgen != 0)
		walk_begin(id, kf.kf_generation);
	explicit_bzero(&kf, sizeof(kf));
	return (ret);
}

static void
look_end(void)
{
	look_on = 0;
	if (look_failed || keyfile_previous() == NULL || unwrapped)
		return;
	unwrapped = 1;
	log_info("no key is wrapped by the previous master key any more");
}

static void
look_step(void)
{
	struct tenant	 key, *tn;
	int		 n;

	for (n = 0; look_on && !walk.ro_active && n < LOOK_KEYS; n++) {
		key.tn_id = look_next;
		tn = RB_NFIND(tenant_tree, &tenant_all, &key);
		if (look_one(tn == NULL ? DB_SYSTEM : tn->tn_id) == -1)
			look_failed = 1;
		if (tn == NULL)
			look_end();
		else
			look_next = tn->tn_id + 1;
	}
}

static void
step(int fd, short ev, void *arg)
{
	(void)fd;
	(void)ev;
	(void)arg;
	armed = 0;
	if (!walk.ro_active)
		look_step();
	else if (walk_step() == -1) {
		/* The others need not wait for it. */
		walk.ro_active = 0;
		look_failed = 1;
	}
	if (walk.ro_active || look_on)
		arm(STEP_PAUSE);
	else if (look_failed)
		rotate_look();
}

void
rotate_look(void)
{
	unsigned int	 pause = look_failed ? FAIL_PAUSE : STEP_PAUSE;

	unwrapped = look_failed = 0;
	look_on = 1;
	look_next = 1;
	arm(pause);
}

int
rotate_needs_previous(void)
{
	return (keyfile_previous() != NULL && !unwrapped);
}

void
rotate_again(uint32_t id)
{
	if (walk.ro_active && walk.ro_tenant == id)
		walk.ro_done = UINT64_MAX;	/* this pass is not the last */
}

void
rotate_start(void)
{
	evtimer_set(&step_ev, step, NULL);
}

/*
 * Commands.
 */

const char *
rotate_begin(struct request *rq)
{
	struct tenant	*tn = rq->rq_tn;
	struct db	*db = tn == NULL ? db_system() : rq->rq_db;
	uint32_t	 id = tn == NULL ? DB_SYSTEM : tn->tn_id;

	if (db == NULL)
		return ("system.db cannot be opened");
	if (seal_oldgen(db->db_seal) != 0)
		return ("a rotation of this key is under way, see key show");
	if (db_turn(db) == -1)
		return ("the new key cannot be written, see the log");
	since_put(id, seal_generation(db->db_seal));
	if (!walk.ro_active)
		walk_begin(id, seal_generation(db->db_seal));
	else if (!look_on)
		rotate_look();	/* it finds it when the walk is over */
	else if (id != DB_SYSTEM && id < look_next)
		look_next = id;
	arm(STEP_PAUSE);
	return (NULL);
}

static uint8_t
percent(void)
{
	uint64_t	 parts = walk.ro_parts == 0 ? 1 : walk.ro_parts, n;

	n = 100 * (walk.ro_file * parts + walk.ro_rs.rs_part) /
	    (walk.ro_files * parts);
	return (n > 99 ? 99 : (uint8_t)n);
}

static void
row_file(uint32_t id, struct m_c_key *m)
{
	struct keyfile	 kf = { .kf_generation = 1 };

	m->state = KEY_WHOLE;
	if ((keyfile_there(id) || id != DB_SYSTEM) &&
	    keyfile_read(id, &kf) != DB_OK)
		m->state = KEY_CLOSED;
	else if (kf.kf_oldgen != 0)
		m->state = KEY_ROTATING;
	m->generation = kf.kf_generation;
	m->previous = keyfile_previous() != NULL && (kf.kf_previous ||
	    (id == DB_SYSTEM && !keyfile_there(id) && !unwrapped));
	explicit_bzero(&kf, sizeof(kf));
}

static void
row_send(struct stream *sm, struct peer *pe, uint32_t id, const char *name,
    uint64_t made)
{
	struct m_c_key	 m = { .tenant = name, .since = made };
	struct db	*sys = db_system();
	sqlite3_stmt	*st;

	row_file(id, &m);
	if (sys != NULL) {
		st = db_query(sys, S_KEY_GET, ARGS(NUM(id)));
		if (db_step(sys, st) == 1)
			m.since = db_col_num(st, 1);
		db_done(st);
	}
	m.waits = m.state == KEY_ROTATING;
	if (walk.ro_active && walk.ro_tenant == id) {
		m.percent = percent();
		m.done = walk.ro_rs.rs_done;
		m.bad = walk.ro_rs.rs_bad;
		m.waits = 0;
	}
	(void)proc_send(pe, IMSG_C_KEY_ROW, sm->st_id, -1, &m);
}

/* The installation first, then a tenant in each turn. */
static int
stream_keys(struct stream *sm, struct peer *pe)
{
	struct tenant	 key = { .tn_id = (uint32_t)sm->st_after };
	struct tenant	*tn;

	if (sm->st_after == 0) {
		row_send(sm, pe, DB_SYSTEM, "", 0);
		sm->st_after = 1;
		return (1);
	}
	if ((tn = RB_NFIND(tenant_tree, &tenant_all, &key)) == NULL) {
		(void)proc_result(pe, sm->st_id, R_OK, 0,
		    keyfile_previous() == NULL ? "" : unwrapped ?
		    "the previous master key is used by nothing any more" :
		    "the previous master key is still in use");
		return (0);
	}
	row_send(sm, pe, tn->tn_id, tn->tn_name, tn->tn_created);
	sm->st_after = tn->tn_id + 1;
	return (1);
}

int
rotate_show(struct request *rq)
{
	return (rq_stream(rq, stream_keys, NULL, NULL));
}

/*
 * Copies of keys for a backup: wrapped by the master key, as the files are,
 * for they pass through auth.  It is written who has which before they leave.
 */

struct copying {
	uint64_t	 cp_backup;
	uint64_t	 cp_at;
	uint64_t	 cp_count, cp_missed;
};

static int
backup_row(struct db *sys, struct copying *cp, uint32_t op, const char *name)
{
	uint64_t	 bind[2];
	struct seal_at	 at = { "key_backups", "name", 0, 0, bind,
			    sizeof(bind) };
	void		*rec;
	size_t		 len;
	int		 n;

	if (db_next_id(sys, "key_backups", &cp->cp_backup) == -1)
		return (-1);
	at.sa_row = cp->cp_backup;
	cp->cp_at = now_ms();
	bind[0] = htobe64(cp->cp_at);
	bind[1] = htobe64(op);
	if ((rec = db_seal(sys, &at, name, strlen(name), &len)) == NULL)
		return (-1);
	n = db_exec(sys, S_KEY_BACKUP, ARGS(NUM(cp->cp_backup),
	    NUM(cp->cp_at), NUM(op), BIN(rec, len)));
	free(rec);
	return (n == 1 ? 0 : -1);
}

/* One key: written down, then sent when that is on the disk.  0, or -1. */
static int
copy_one(struct stream *sm, struct peer *pe, struct db *sys, uint32_t id,
    const char *name)
{
	struct copying		*cp = sm->st_data;
	struct keyfile		 kf;
	uint8_t			 file[KEYFILE_MAX];
	struct m_c_key_copy	 m = { (uint32_t)cp->cp_backup, cp->cp_at, id,
				    name, { file, 0 } };
	int			 ret = 0;

	if (id == DB_SYSTEM && !keyfile_there(id))
		return (0);		/* the master key is enough */
	if (keyfile_read(id, &kf) != DB_OK) {
		cp->cp_missed++;
		return (0);
	}
	m.key.mb_len = keyfile_wrap(id, &kf, file);
	if (m.key.mb_len == 0 || db_exec(sys, S_KEY_COPY, ARGS(NUM(id),
	    NUM(cp->cp_backup), NUM(kf.kf_generation))) == -1 ||
	    (kf.kf_oldgen != 0 && db_exec(sys, S_KEY_COPY, ARGS(NUM(id),
	    NUM(cp->cp_backup), NUM(kf.kf_oldgen))) == -1))
		ret = -1;
	explicit_bzero(&kf, sizeof(kf));
	if (ret == 0) {
		cp->cp_count++;
		ret = proc_send(pe, IMSG_C_KEY_COPY, sm->st_id, -1, &m);
	}
	return (ret);
}

static int
copy_end(struct stream *sm, struct peer *pe, struct db *sys)
{
	const struct copying	*cp = sm->st_data;

	if (audit_add(sys, "key backup %llu: %llu keys were handed out, %llu "
	    "could not be read", (unsigned long long)cp->cp_backup,
	    (unsigned long long)cp->cp_count,
	    (unsigned long long)cp->cp_missed) == -1)
		(void)proc_result(pe, sm->st_id, R_REFUSED, 0,
		    "the audit trail cannot be written");
	else
		(void)proc_result(pe, sm->st_id, R_OK, cp->cp_backup,
		    cp->cp_missed == 0 ? "" : "some keys cannot be read and "
		    "are not in it, see the log");
	return (0);
}

/* Some in each turn; what has left before it was on the disk is no backup:
 * the client writes its file after the RESULT. */
static int
stream_copies(struct stream *sm, struct peer *pe)
{
	struct tenant	 key, *tn = NULL;
	struct db	*sys = db_system();
	int		 i, n = 0;

	if (sys == NULL || db_begin(sys) == -1)
		goto fail;
	for (i = 0; i < COPY_KEYS && n == 0; i++) {
		key.tn_id = (uint32_t)sm->st_after;
		if (sm->st_after++ == DB_SYSTEM)
			n = copy_one(sm, pe, sys, DB_SYSTEM, "");
		else if ((tn = RB_NFIND(tenant_tree, &tenant_all, &key)) ==
		    NULL)
			break;
		else {
			n = copy_one(sm, pe, sys, tn->tn_id, tn->tn_name);
			sm->st_after = (uint64_t)tn->tn_id + 1;
		}
	}
	if (db_end(sys, n == 0) == -1 || db_commit(sys) == -1)
		goto fail;
	return (i < COPY_KEYS ? copy_end(sm, pe, sys) : 1);
 fail:
	(void)proc_result(pe, sm->st_id, R_REFUSED, 0,
	    "that a key was copied cannot be written down");
	return (0);
}

const char *
key_backup_begin(struct request *rq, const char *name)
{
	struct db	*sys = db_system();
	struct copying	*cp;

	/* It will stand in a certificate, as a word of a line. */
	if (!name_valid(name, MAX_NAME_CHARS))
		return ("the file's name is not of 1 to 64 characters");
	if ((cp = calloc(1, sizeof(*cp))) == NULL)
		return ("no memory");
	if (sys == NULL || backup_row(sys, cp, rq->rq_op, name) == -1) {
		free(cp);
		return ("system.db cannot be written");
	}
	return (rq_stream(rq, stream_copies, cp, free) == -1 ? "no memory" :
	    NULL);
}

void
key_backup_lines(FILE *f, uint32_t tenant)
{
	uint64_t	 bind[2];
	struct seal_at	 at = { "key_backups", "name", 0, 0, bind,
			    sizeof(bind) };
	struct db	*sys = db_system();
	sqlite3_stmt	*st;
	char		*name, when[TIME_TEXT];
	size_t		 len;
	int		 n = -1;

	if (sys == NULL)
		return;
	st = db_query(sys, S_KEY_COPIES, ARGS(NUM(tenant)));
	while ((n = db_step(sys, st)) == 1) {
		at.sa_row = db_col_num(st, 0);
		bind[0] = htobe64(db_col_num(st, 1));
		bind[1] = htobe64(db_col_num(st, 2));
		name = db_open(sys, &at, st, 3, &len);
		if (time_text(when, db_col_num(st, 1)) == -1)
			(void)strlcpy(when, "-", sizeof(when));
		fprintf(f, "key backup: %llu, made %s by operator %llu, "
		    "generation %llu, file %s\n",
		    (unsigned long long)at.sa_row, when,
		    (unsigned long long)db_col_num(st, 2),
		    (unsigned long long)db_col_num(st, 4),
		    name == NULL ? "?" : name);
		free(name);
	}
	db_done(st);
	if (n == -1)
		fprintf(f, "key backups: could not be read\n");
}
