/*
 * What a backup is for: one tenant, or each that is there, goes back to what it
 * was, while the others go on; and the rehearsal of that.
 *
 * A tenant's files are verified, its main file is copied beside the one in use
 * as main.new and made ready there; then one rename puts it in place of
 * main.db, which stays as main.old until the new one has been opened.  A kill
 * leaves the one or the other.  What must not go back with it: the audit trail,
 * which goes on, and the access logs.  Sign-ins and links that had ended must
 * not come back: there are none then.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup.h"
#include "keyfile.h"
#include "log.h"
#include "util.h"

#define NUMBERS		(1 << 20)	/* skipped where none is known */

enum restore_at { RESTORE_NEXT, RESTORE_CHECK, RESTORE_COPY, RESTORE_OPEN,
    RESTORE_CARRY, RESTORE_TIDY, RESTORE_LOGS };

struct restore {
	enum restore_at	 re_at;
	char		 re_only[MAX_LABEL + 1];	/* "": all */
	size_t		 re_main;	/* of tk_mn, the tenant's main file */
	uint32_t	 re_tenant;
	struct check	*re_check;
	struct copy	*re_copy;
	struct db	*re_db;		/* main.new */
	struct tally	*re_tally;	/* of a rehearsal */
	struct manifest_file re_got;
	int		 re_lost;	/* lines of the trail */
	uint64_t	 re_names;	/* beside them: carried up to here */
	uint64_t	 re_begun;	/* mono ms */
};

/*
 * Copying a file that nobody writes to.
 */

struct copy {
	int	 cp_from, cp_to;
};

static void
copy_free(struct copy *cp)
{
	if (cp == NULL)
		return;
	if (cp->cp_from != -1)
		(void)close(cp->cp_from);
	if (cp->cp_to != -1)
		(void)close(cp->cp_to);
	free(cp);
}

static struct copy *
copy_new(const char *from, const char *to)
{
	struct copy	*cp;

	if ((cp = calloc(1, sizeof(*cp))) == NULL)
		return (NULL);
	cp->cp_to = -1;
	(void)unlink(to);
	if ((cp->cp_from = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) ==
	    -1 || (cp->cp_to = open(to, O_WRONLY | O_CREAT | O_EXCL |
	    O_CLOEXEC | O_NOFOLLOW, 0600)) == -1) {
		log_warn("%s", cp->cp_from == -1 ? from : to);
		copy_free(cp);
		return (NULL);
	}
	return (cp);
}

/* 1 there is more, 0 it is on the disk, -1. */
static int
copy_step(struct copy *cp)
{
	static uint8_t	 buf[BACKUP_CHUNK];
	ssize_t		 n;

	if ((n = read(cp->cp_from, buf, sizeof(buf))) == -1)
		return (-1);
	if (n == 0)
		return (fsync(cp->cp_to) == -1 ? -1 : 0);
	return (write(cp->cp_to, buf, (size_t)n) != n ||
	    fdatasync(cp->cp_to) == -1 ? -1 : 1);
}

/*
 * The tenant's directory.
 */

static void
place(char dst[MANIFEST_PATH], uint32_t tenant, const char *name)
{
	(void)snprintf(dst, MANIFEST_PATH, "tenants/%u/%s", tenant, name);
}

static void
forget(uint32_t tenant, const char *name)
{
	char	 path[MANIFEST_PATH];

	place(path, tenant, name);
	if (unlink(path) == -1 && errno != ENOENT)
		log_warn("%s", path);
}

static int
there(uint32_t tenant, const char *name)
{
	char	 path[MANIFEST_PATH];

	place(path, tenant, name);
	return (access(path, F_OK) == 0);
}

static int
move(uint32_t tenant, const char *from, const char *to)
{
	char	 a[MANIFEST_PATH], b[MANIFEST_PATH];

	place(a, tenant, from);
	place(b, tenant, to);
	return (rename(a, b));
}

/* main.new is there until the rename: then main.db is still the old one. */
void
restore_clean(uint32_t tenant)
{
	static const char *const	 names[] = { "main.new-wal",
					    "main.new-shm", "main.new",
					    "main.old-wal", "main.old" };
	size_t				 i;

	if (there(tenant, "main.new") && there(tenant, "main.old-wal") &&
	    move(tenant, "main.old-wal", "main.db-wal") == -1)
		log_warn("tenant %u: main.db-wal", tenant);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		forget(tenant, names[i]);
}

/*
 * Putting it in place.
 */

/* What is gone since then must not come back to life. */
static int
ready(struct db *db)
{
	if (db_begin(db) == -1)
		return (-1);
	return (db_end(db, db_exec(db, S_FORGET_TOKENS, NOARGS) != -1 &&
	    db_exec(db, S_FORGET_LINKS, NOARGS) != -1) == -1 ||
	    db_commit(db) == -1 ? -1 : 0);
}

/* Each number that the live one has given out, the new one has too. */
static int
numbers_carry(struct db *live, struct db *db)
{
	sqlite3_stmt	*st;
	const char	*name;
	int		 n;

	st = db_query(live, S_SEQUENCES, NOARGS);
	while ((n = db_step(live, st)) == 1 &&
	    (name = (const char *)sqlite3_column_text(st, 0)) != NULL &&
	    db_exec(db, S_SEQUENCE_RAISE, ARGS(TXT(name), NUM(db_col_num(st,
	    1)))) != -1)
		;
	db_done(st);
	return (n == 0 ? 0 : -1);
}

/*
 * Trail, logs and holds call people and floors by their numbers: who comes
 * from now on may have none that somebody had since the backup.
 */
static int
numbers(struct tenant *tn, struct db *db)
{
	struct db	*live;
	int		 n = -1;

	if (db_begin(db) == -1)
		return (-1);
	if (db_exec(db, S_SEQUENCES_ALL, ARGS(TXT("%AUTOINCREMENT%"))) !=
	    -1) {
		if ((live = tenant_enter(tn)) != NULL) {
			n = numbers_carry(live, db);
			tenant_leave(tn, live);
		}
		if (n == -1 && db_exec(db, S_SEQUENCES_SKIP,
		    ARGS(NUM(NUMBERS))) != -1)
			n = 0;
	}
	return (db_end(db, n == 0) == -1 || db_commit(db) == -1 ? -1 : 0);
}

/* The last lines, and the one that says what was done; then it is closed. */
static int
close_new(struct task *tk, struct tenant *tn)
{
	struct restore	*re = tk->tk_data;
	struct db	*live;
	int		 n = 0;

	if (!re->re_lost && (live = tenant_enter(tn)) != NULL) {
		(void)db_commit(live);
		while ((n = audit_carry(live, re->re_db)) == 1 || (n == 0 &&
		    (n = audit_carry_names(live, re->re_db,
		    &re->re_names)) == 1))
			;
		tenant_leave(tn, live);
		/* Holds that it has were cleared since then. */
		if (n == 0)
			n = db_exec(re->re_db, S_HOLDS_NONE, NOARGS) == -1 ?
			    -1 : 0;
	}
	if (n == -1)
		re->re_lost = 1;
	if ((n = numbers(tn, re->re_db)) == 0)
		n = audit_add(re->re_db, "uid %u: restored from the backup "
		    "%s%s", tk->tk_op, tk->tk_mn.mn_stamp, re->re_lost ?
		    "; the lines of this trail since then are lost" : "");
	if (n == 0 && db_shrink(re->re_db) == -1)
		n = -1;
	db_close_copy(re->re_db);
	re->re_db = NULL;
	return (n == -1 || there(tn->tn_id, "main.new-wal") ? -1 : 0);
}

/* One rename, and back again if what is there then does not open. */
static int
exchange(struct tenant *tn)
{
	char		 from[MANIFEST_PATH], to[MANIFEST_PATH];
	struct db	*db;

	(void)db_drop(tn->tn_id);
	place(from, tn->tn_id, "main.db");
	place(to, tn->tn_id, "main.old");
	(void)unlink(to);
	if ((link(from, to) == -1 && errno != ENOENT) ||
	    (there(tn->tn_id, "main.db-wal") &&
	    move(tn->tn_id, "main.db-wal", "main.old-wal") == -1))
		return (-1);
	forget(tn->tn_id, "main.db-shm");
	place(to, tn->tn_id, "");
	if (move(tn->tn_id, "main.new", "main.db") == -1 ||
	    dir_sync(to) == -1)
		return (-1);
	tn->tn_why = DB_OK;
	if ((db = tenant_enter(tn)) != NULL) {
		tenant_leave(tn, db);
		return (0);
	}
	if (there(tn->tn_id, "main.old") &&
	    move(tn->tn_id, "main.old", "main.db") == 0 &&
	    there(tn->tn_id, "main.old-wal"))
		(void)move(tn->tn_id, "main.old-wal", "main.db-wal");
	return (-1);
}

/* Its people are out, then it is another one. */
static int
swap(struct task *tk, struct tenant *tn)
{
	struct restore	*re = tk->tk_data;
	struct request	 rq = { .rq_tn = tn };
	struct db	*sys = db_system();
	int		 n;

	grants_end(tn->tn_id, 0, 0, 0, END_ENDED);
	places_write();
	if ((n = close_new(tk, tn)) == 0 && (n = exchange(tn)) == 0) {
		tn->tn_trail = 1;
		hold_over(tn);
		tn->tn_erase = 0;
		tn->tn_purge = mono_ms();
		rotate_again(tn->tn_id);
		tell_rights(&rq);
	}
	if (sys == NULL || audit_add(sys, "uid %u: tenant %s: restored from "
	    "the backup %s: %s", tk->tk_op, tn->tn_name, tk->tk_mn.mn_stamp,
	    n == -1 ? "failed" : re->re_lost ? "done, its trail since then is "
	    "lost" : "done") == -1)
		log_warnx("tenant %s: restored, but not in the audit trail",
		    tn->tn_name);
	return (n);
}

/*
 * The task, tenant by tenant.
 */

static void
release(struct restore *re)
{
	check_free(re->re_check);
	copy_free(re->re_copy);
	tally_free(re->re_tally);
	db_close_copy(re->re_db);
	re->re_check = NULL;
	re->re_copy = NULL;
	re->re_tally = NULL;
	re->re_db = NULL;
}

/* The tenant at work stays as it is. */
static int
give_up(struct task *tk, const char *why)
{
	struct restore	*re = tk->tk_data;
	char		 name[MAX_LABEL + 1];

	(void)strlcpy(name, tk->tk_mn.mn_files[re->re_main].mf_name,
	    sizeof(name));
	release(re);
	restore_clean(re->re_tenant);
	re->re_at = RESTORE_NEXT;
	return (task_part(tk, name, 0, "nothing was changed: %.900s", why) ==
	    -1 ? -1 : 1);
}

/* Tenants made since then: not in it, and they stay. */
static int
say_others(struct task *tk)
{
	struct restore	*re = tk->tk_data;
	struct tenant	*tn;

	if (re->re_only[0] != '\0')
		return (0);
	RB_FOREACH(tn, tenant_tree, &tenant_all)
		if (manifest_find(&tk->tk_mn, NULL, tn->tn_id) == NULL &&
		    task_part(tk, tn->tn_name, 2, "is not in it, and stays as "
		    "it is") == -1)
			return (-1);
	return (task_part(tk, "", 2, "system.db stays as it is: list of "
	    "tenants, rules, ledger of operators, trail"));
}

static int
restore_next(struct task *tk)
{
	struct restore			*re = tk->tk_data;
	const struct manifest_file	*mf = NULL;

	for (; tk->tk_file < tk->tk_mn.mn_n; tk->tk_file++) {
		mf = &tk->tk_mn.mn_files[tk->tk_file];
		if (mf->mf_tenant != DB_SYSTEM && mf->mf_month == 0 &&
		    (re->re_only[0] == '\0' ||
		    strcmp(mf->mf_name, re->re_only) == 0))
			break;
	}
	if (tk->tk_file == tk->tk_mn.mn_n)
		return (say_others(tk));
	re->re_main = tk->tk_file;
	re->re_tenant = mf->mf_tenant;
	re->re_lost = 0;
	re->re_names = 0;
	re->re_begun = mono_ms();
	if (tenant_by_id(mf->mf_tenant) == NULL) {
		tk->tk_file++;
		return (task_part(tk, mf->mf_name, 2, "was erased since then: "
		    "its key is destroyed, and nobody can read it") == -1 ?
		    -1 : 1);
	}
	re->re_at = RESTORE_CHECK;
	return (1);
}

/* All its files, before anything is touched. */
static int
restore_check(struct task *tk)
{
	struct restore			*re = tk->tk_data;
	const struct manifest_file	*mf;
	char				 path[MANIFEST_PATH];
	char				 why[MAX_LINE + 1];
	int				 n;

	mf = &tk->tk_mn.mn_files[tk->tk_file];
	if (tk->tk_file == tk->tk_mn.mn_n || mf->mf_tenant != re->re_tenant) {
		re->re_at = RESTORE_COPY;
		return (1);
	}
	task_path(tk, "", mf, path);
	if (re->re_check == NULL &&
	    (re->re_check = check_new(path, mf)) == NULL)
		return (task_fail(tk, "no memory"));
	if ((n = check_step(re->re_check, &tk->tk_out->ou_done, why)) == 1)
		return (1);
	check_free(re->re_check);
	re->re_check = NULL;
	tk->tk_file++;
	return (n == -1 ? give_up(tk, why) : 1);
}

static int
restore_copy(struct task *tk)
{
	struct restore			*re = tk->tk_data;
	const struct manifest_file	*mf;
	char				 from[MANIFEST_PATH];
	char				 to[MANIFEST_PATH];
	int				 n;

	mf = &tk->tk_mn.mn_files[re->re_main];
	if (tenant_by_id(re->re_tenant) == NULL)
		return (give_up(tk, "it was erased"));
	if (re->re_copy == NULL) {
		if (!task_room(mf->mf_bytes))
			return (give_up(tk, "the disk has no room for it"));
		task_path(tk, "", mf, from);
		place(to, re->re_tenant, "");
		restore_clean(re->re_tenant);
		if (db_make_dir(to) == -1)
			return (give_up(tk, "its directory is missing"));
		place(to, re->re_tenant, "main.new");
		if ((re->re_copy = copy_new(from, to)) == NULL)
			return (give_up(tk, "it cannot be copied"));
	}
	if ((n = copy_step(re->re_copy)) == 1)
		return (1);
	copy_free(re->re_copy);
	re->re_copy = NULL;
	re->re_at = RESTORE_OPEN;
	return (n == -1 ? give_up(tk, "it cannot be copied: is the disk "
	    "full?") : 1);
}

/* Why nothing may be replaced.  What is lost for good has no hold any more. */
static const char *
held(struct tenant *tn)
{
	int	 n = hold_tenant(tn);

	if (n == 1)
		return ("there is a hold on what it would replace");
	return (n == 0 || tn->tn_why == DB_DAMAGED ||
	    tn->tn_why == DB_MISSING || tn->tn_why == DB_KEY ? NULL :
	    "whether there is a hold on what it would replace cannot be read "
	    "now");
}

static int
restore_open(struct task *tk)
{
	struct restore	*re = tk->tk_data;
	struct tenant	*tn = tenant_by_id(re->re_tenant);
	struct db	*live;
	const char	*hold;
	char		 path[MANIFEST_PATH];
	enum db_why	 why;

	if (tn == NULL)
		return (give_up(tk, "it was erased"));
	place(path, re->re_tenant, "main.new");
	re->re_db = db_open_copy(DB_WRITE, path, re->re_tenant, 0, &why);
	if (re->re_db == NULL || ready(re->re_db) == -1)
		return (give_up(tk, "the copy of it does not open"));
	re->re_lost = 1;
	if ((live = tenant_enter(tn)) != NULL) {
		re->re_lost = audit_meets(live, re->re_db) != 1;
		tenant_leave(tn, live);
	}
	if ((hold = held(tn)) != NULL)
		return (give_up(tk, hold));
	re->re_at = RESTORE_CARRY;
	return (1);
}

/* Most of the trail, as long as people go on; the rest when they are out. */
static int
restore_carry(struct task *tk)
{
	struct restore	*re = tk->tk_data;
	struct tenant	*tn = tenant_by_id(re->re_tenant);
	struct db	*live = NULL;
	const char	*hold;
	int		 n = -1;

	if (tn == NULL)
		return (give_up(tk, "it was erased"));
	if (!re->re_lost && (live = tenant_enter(tn)) != NULL) {
		if ((n = audit_carry(live, re->re_db)) == 0)
			n = audit_carry_names(live, re->re_db, &re->re_names);
		tenant_leave(tn, live);
	}
	if (n == 1)
		return (1);
	/* A hold that was set since the first look. */
	if ((hold = held(tn)) != NULL)
		return (give_up(tk, hold));
	re->re_lost |= n == -1;
	if (swap(tk, tn) == -1)
		return (give_up(tk, "it cannot be put in place, see the log"));
	re->re_at = RESTORE_TIDY;
	tk->tk_file = re->re_main + 1;
	return (1);
}

/* The one that was replaced is needed no more. */
static int
restore_tidy(struct task *tk)
{
	struct restore	*re = tk->tk_data;
	char		 path[MANIFEST_PATH];

	place(path, re->re_tenant, "main.old");
	if (remove_file(path) == 1)
		return (1);
	restore_clean(re->re_tenant);
	re->re_at = RESTORE_LOGS;
	return (1);
}

/* One that a rotation has outrun would be of no use to anybody. */
static int
log_opens(const char *path, const struct manifest_file *mf)
{
	struct db	*db;
	enum db_why	 why;

	db = db_open_copy(DB_READ, path, mf->mf_tenant, mf->mf_month, &why);
	db_close_copy(db);
	return (db != NULL);
}

/* Months of the access log that are there stay, and those missing come. */
static int
restore_logs(struct task *tk)
{
	struct restore			*re = tk->tk_data;
	const struct manifest_file	*mf;
	char				 from[MANIFEST_PATH];
	char				 to[MANIFEST_PATH];
	char				 temp[MANIFEST_PATH];
	int				 n;

	mf = &tk->tk_mn.mn_files[tk->tk_file];
	if (tk->tk_file == tk->tk_mn.mn_n || mf->mf_tenant != re->re_tenant) {
		re->re_at = RESTORE_NEXT;
		return (task_part(tk, tk->tk_mn.mn_files[re->re_main].mf_name,
		    1, "restored in %llu ms%s", (unsigned long long)(
		    mono_ms() - re->re_begun), re->re_lost ? "; its trail "
		    "since then is lost" : "") == -1 ? -1 : 1);
	}
	(void)manifest_path(to, ".", mf);
	place(temp, re->re_tenant, "main.new");
	if (re->re_copy == NULL) {
		if (access(to, F_OK) == 0 || tenant_by_id(re->re_tenant) ==
		    NULL) {
			tk->tk_file++;
			return (1);
		}
		task_path(tk, "", mf, from);
		if ((re->re_copy = copy_new(from, temp)) == NULL)
			return (task_fail(tk, "%s cannot be copied", to));
	}
	if ((n = copy_step(re->re_copy)) == 1)
		return (1);
	copy_free(re->re_copy);
	re->re_copy = NULL;
	tk->tk_file++;
	if (n == 0 && !log_opens(temp, mf)) {
		forget(re->re_tenant, "main.new");
		return (task_part(tk, mf->mf_name, 0, "%s: its key has gone "
		    "meanwhile", to + 2) == -1 ? -1 : 1);
	}
	if (n == -1 || rename(temp, to) == -1)
		return (task_fail(tk, "%s cannot be copied", to));
	rotate_again(re->re_tenant);
	return (1);
}

static int
restore_step(struct task *tk)
{
	static int	(*const steps[])(struct task *) = {
		restore_next, restore_check, restore_copy, restore_open,
		restore_carry, restore_tidy, restore_logs
	};

	return (steps[((struct restore *)tk->tk_data)->re_at](tk));
}

static void
restore_end(struct task *tk, int ok)
{
	struct restore	*re = tk->tk_data;

	(void)ok;
	release(re);
	if (re->re_tenant != DB_SYSTEM)
		restore_clean(re->re_tenant);
	restore_noted(tk);
	free(re);
}

/* Is the tenant that is meant in it, and still the same one? */
static int
restore_may(struct task *tk, const char *tenant)
{
	const struct manifest_file	*mf;
	struct tenant			*tn = tenant_by_name(tenant);

	if ((mf = manifest_find(&tk->tk_mn, tenant, 0)) == NULL)
		return (task_fail(tk, "%s: that backup has no such tenant",
		    tenant));
	if (tenant_by_id(mf->mf_tenant) == NULL)
		return (task_fail(tk, "%s: tenant %u of that backup was erased "
		    "since then: its key is destroyed, and nobody can read "
		    "it%s", tenant, mf->mf_tenant, tn == NULL ? "" :
		    "; the tenant of this name is another one"));
	return (0);
}

int
restore_begin(struct task *tk, const char *tenant)
{
	struct restore	*re;

	if (tenant[0] != '\0' && restore_may(tk, tenant) == -1)
		return (-1);
	if ((re = calloc(1, sizeof(*re))) == NULL)
		return (task_fail(tk, "no memory"));
	(void)strlcpy(re->re_only, tenant, sizeof(re->re_only));
	tk->tk_data = re;
	tk->tk_step = restore_step;
	tk->tk_end = restore_end;
	return (0);
}

/*
 * Rehearsal: each file is copied to where it is in nobody's way, becomes one of
 * today's version, and is read as a whole.
 */

static void
rehearse_name(char dst[MANIFEST_PATH])
{
	(void)strlcpy(dst, REHEARSAL "/file.db", MANIFEST_PATH);
}

static int
rehearsed(struct task *tk, const char *why)
{
	struct restore			*re = tk->tk_data;
	const struct manifest_file	*mf;
	char				 path[MANIFEST_PATH];

	mf = &tk->tk_mn.mn_files[tk->tk_file++];
	release(re);
	while (remove_some(REHEARSAL) == 1)
		;
	re->re_at = RESTORE_NEXT;
	(void)manifest_path(path, ".", mf);
	if (why != NULL)
		return (task_part(tk, mf->mf_name, 0, "%s: %.900s", path + 2,
		    why) == -1 ? -1 : 1);
	return (task_part(tk, mf->mf_name, 1, "%s: restored and read in %llu "
	    "ms", path + 2, (unsigned long long)(mono_ms() - re->re_begun)) ==
	    -1 ? -1 : 1);
}

static int
rehearse_next(struct task *tk)
{
	struct restore			*re = tk->tk_data;
	const struct manifest_file	*mf;
	char				 from[MANIFEST_PATH];

	if (tk->tk_file == tk->tk_mn.mn_n)
		return (0);
	mf = &tk->tk_mn.mn_files[tk->tk_file];
	re->re_begun = mono_ms();
	if (mf->mf_tenant != DB_SYSTEM &&
	    tenant_by_id(mf->mf_tenant) == NULL) {
		tk->tk_file++;
		return (task_part(tk, mf->mf_name, 2, "was erased since then: "
		    "nobody can read it") == -1 ? -1 : 1);
	}
	if (!task_room(mf->mf_bytes))
		return (rehearsed(tk, "the disk has no room for it"));
	task_path(tk, "", mf, from);
	if ((re->re_check = check_new(from, mf)) == NULL)
		return (rehearsed(tk, "no memory"));
	re->re_at = RESTORE_CHECK;
	return (1);
}

/* First its bytes, as before a restore. */
static int
rehearse_check(struct task *tk)
{
	struct restore			*re = tk->tk_data;
	const struct manifest_file	*mf;
	char				 from[MANIFEST_PATH];
	char				 to[MANIFEST_PATH];
	char				 why[MAX_LINE + 1];
	int				 n;

	mf = &tk->tk_mn.mn_files[tk->tk_file];
	if ((n = check_step(re->re_check, &tk->tk_out->ou_done, why)) == 1)
		return (1);
	if (n == -1)
		return (rehearsed(tk, why));
	check_free(re->re_check);
	re->re_check = NULL;
	task_path(tk, "", mf, from);
	rehearse_name(to);
	if (db_make_dir(REHEARSAL) == -1 ||
	    (re->re_copy = copy_new(from, to)) == NULL)
		return (rehearsed(tk, "it cannot be copied"));
	re->re_at = RESTORE_COPY;
	return (1);
}

static int
rehearse_copy(struct task *tk)
{
	struct restore	*re = tk->tk_data;
	char		 path[MANIFEST_PATH];
	enum db_why	 why;
	int		 n;

	if ((n = copy_step(re->re_copy)) == 1)
		return (1);
	if (n == -1)
		return (rehearsed(tk, "it cannot be copied: is the disk "
		    "full?"));
	copy_free(re->re_copy);
	re->re_copy = NULL;
	re->re_got = tk->tk_mn.mn_files[tk->tk_file];
	rehearse_name(path);
	re->re_db = db_open_copy(DB_WRITE, path, re->re_got.mf_tenant,
	    re->re_got.mf_month, &why);
	if (re->re_db == NULL || (re->re_tally = tally_new(re->re_db,
	    &re->re_got, 1)) == NULL)
		return (rehearsed(tk, db_why_text(why)));
	re->re_at = RESTORE_OPEN;
	return (1);
}

static int
rehearse_read(struct task *tk)
{
	struct restore	*re = tk->tk_data;
	char		 why[MAX_LINE + 1];
	int		 n;

	if ((n = tally_step(re->re_tally, why)) == 1)
		return (1);
	if (n == 0)
		n = tally_same(&tk->tk_mn.mn_files[tk->tk_file], &re->re_got,
		    why);
	return (rehearsed(tk, n == -1 ? why : NULL));
}

static int
rehearse_step(struct task *tk)
{
	switch (((struct restore *)tk->tk_data)->re_at) {
	case RESTORE_CHECK:
		return (rehearse_check(tk));
	case RESTORE_COPY:
		return (rehearse_copy(tk));
	case RESTORE_OPEN:
		return (rehearse_read(tk));
	default:
		return (rehearse_next(tk));
	}
}

static void
rehearse_end(struct task *tk, int ok)
{
	(void)ok;
	release(tk->tk_data);
	while (remove_some(REHEARSAL) == 1)
		;
	rehearsal_noted(tk);
	free(tk->tk_data);
}

int
rehearse_begin(struct task *tk)
{
	struct restore	*re;

	if ((re = calloc(1, sizeof(*re))) == NULL)
		return (-1);
	tk->tk_data = re;
	tk->tk_step = rehearse_step;
	tk->tk_end = rehearse_end;
	return (0);
}
