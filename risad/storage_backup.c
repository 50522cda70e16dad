/*
 * Backups: made once a day or when an operator says so, each verified before
 * an older one goes, listed, verified again, and rehearsed once a week (J1).
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backup.h"
#include "keyfile.h"
#include "log.h"
#include "util.h"

#define LATE		(10 * 60 * SECOND)	/* after the start, at least */
#define RETRY		(60 * 60 * SECOND)	/* after a failure */
#define DAY_SECONDS	86400
#define WEEK		(7ULL * DAY_SECONDS * SECOND)
#define ROOM		(32ULL * 1024 * 1024)	/* bytes left for the others */

static uint64_t		 newest;	/* ms, the newest stamp */
static uint64_t		 made;		/* ms, when that was made */
static int		 outdated;	/* a key went that those need; kept */
static uint64_t		 started, start_mono, retry_mono;

/*
 * What there is.
 */

/* One in a turn: a manifest may be long. */
static int
stream_list(struct stream *sm, struct peer *pe)
{
	char		*stamp = sm->st_data;
	struct manifest	 mn;
	const char	*why;

	if (!generation_next(stamp)) {
		(void)proc_result(pe, sm->st_id, R_OK, 0, "");
		return (0);
	}
	why = generation_load(&mn, stamp);
	generation_row(pe, sm->st_id, stamp, &mn, why);
	manifest_clear(&mn);
	return (1);
}

const char *
backup_list(struct request *rq)
{
	char	*stamp = calloc(1, STAMP_TEXT);

	return (stamp == NULL || rq_stream(rq, stream_list, stamp, free) ==
	    -1 ? "no memory" : NULL);
}

/*
 * Commands: an operator, and the generation that he means.
 */

/* For an operator; the generation that he means is loaded unless he wants a
 * new one. */
static const char *
task_asked(struct task **tk, const char *stamp)
{
	static char	 text[MAX_LINE + 1];
	char		 first[STAMP_TEXT], last[STAMP_TEXT];
	struct stat	 st;
	char		 path[MANIFEST_PATH];
	const char	*why;

	if (task_busy())
		return ("a backup, a check or a restore is going on");
	if (stamp != NULL && stamp[0] == '\0' &&
	    generation_count("", first, last) > 0)
		stamp = last;
	if (stamp != NULL && stamp_read(stamp, NULL) == -1)
		return (stamp[0] == '\0' ? "there is no backup" :
		    "that is not the stamp of a backup");
	if ((*tk = task_new()) == NULL)
		return ("no memory");
	if (stamp == NULL)
		return (NULL);
	(void)strlcpy((*tk)->tk_out->ou_stamp, stamp, STAMP_TEXT);
	(void)snprintf(path, sizeof(path), BACKUP_DIR "/%s", stamp);
	if (stat(path, &st) == -1)
		why = "there is no such backup";
	else
		why = generation_load(&(*tk)->tk_mn, stamp);
	if (why == NULL)
		return (NULL);
	(void)snprintf(text, sizeof(text), "%s: %s", stamp, why);
	task_free(*tk);
	return (text);
}

/*
 * A new generation.
 */

enum make_at { MAKE_CLEAN, MAKE_PLAN, MAKE_NEXT, MAKE_COPY, MAKE_TALLY,
    MAKE_CHECK, MAKE_WRITE, MAKE_TRIM };

struct make {
	enum make_at	 ma_at;
	char		 ma_dir[MANIFEST_PATH];	/* STAMP.part */
	char		 ma_gone[MANIFEST_PATH];
	struct db	*ma_from;
	struct db_copy	*ma_copy;
	struct tally	*ma_tally;
	struct check	*ma_check;
	uint64_t	 ma_done;	/* bytes of the files before */
	int		 ma_daily;
	int		 ma_outdated;	/* it is due for that, and not made */
};

static void
make_release(struct make *ma)
{
	db_copy_end(ma->ma_copy);
	tally_free(ma->ma_tally);
	db_close_copy(ma->ma_from);
	check_free(ma->ma_check);
	ma->ma_copy = NULL;
	ma->ma_tally = NULL;
	ma->ma_from = NULL;
	ma->ma_check = NULL;
}

/* One that cannot be in it as it should; the others go on. */
static int
make_fault(struct task *tk, const char *name, const char *why)
{
	return (task_part(tk, name, 0, "%s", why) == -1 ? -1 : 1);
}

/* Take the tenant of the file at work out again, or only a log. */
static int
make_leave_out(struct task *tk, int log)
{
	struct make		*ma = tk->tk_data;
	struct manifest		*mn = &tk->tk_mn;
	struct manifest_file	*mf = &mn->mn_files[tk->tk_file];
	char			 dir[MANIFEST_PATH + 24];
	uint32_t		 tenant = mf->mf_tenant;
	size_t			 i = tk->tk_file;

	make_release(ma);
	ma->ma_at = MAKE_NEXT;
	if (log || tenant == DB_SYSTEM) {
		memmove(mf, mf + 1, (--mn->mn_n - i) * sizeof(*mf));
		return (1);
	}
	while (i > 0 && mn->mn_files[i - 1].mf_tenant == tenant)
		i--;
	tk->tk_file = i;
	manifest_drop(mn, tenant);
	(void)snprintf(dir, sizeof(dir), "%s/tenants/%u", ma->ma_dir, tenant);
	remove_all(dir);
	return (1);
}

struct planned {
	struct task	*pl_job;
	const char	*pl_name;
	int		 pl_failed;
};

static void
plan_log(uint32_t tenant, uint32_t month, void *arg)
{
	struct planned	*pl = arg;

	if (manifest_add(&pl->pl_job->tk_mn, tenant, month, pl->pl_name) ==
	    NULL)
		pl->pl_failed = 1;
}

static int
plan_one(struct task *tk, uint32_t tenant, const char *name)
{
	struct planned	 pl = { tk, name, 0 };

	if (manifest_add(&tk->tk_mn, tenant, 0, name) == NULL)
		return (-1);
	(void)db_log_each(tenant, plan_log, &pl);
	return (pl.pl_failed ? -1 : 0);
}

int
task_room(uint64_t bytes)
{
	struct statvfs	 vfs;

	return (statvfs(".", &vfs) == 0 && (uint64_t)vfs.f_bavail *
	    vfs.f_frsize >= bytes + ROOM);
}

/* What there is to copy, as far as that can be seen, and room for it? */
static int
make_room(struct task *tk)
{
	char			 path[MANIFEST_PATH];
	struct stat		 st;
	uint64_t		 need = 0;
	size_t			 i;

	for (i = 0; i < tk->tk_mn.mn_n; i++)
		if (manifest_path(path, ".", &tk->tk_mn.mn_files[i]) == 0 &&
		    stat(path, &st) == 0)
			need += (uint64_t)st.st_size;
	tk->tk_out->ou_total = need;
	return (task_room(need) ? 1 : task_fail(tk, "the disk has no room for "
	    "its %llu MB", (unsigned long long)((need >> 20) + 1)));
}

static int
make_plan(struct task *tk)
{
	struct make	*ma = tk->tk_data;
	struct tenant	*tn;
	struct manifest	*mn = &tk->tk_mn;
	char		 path[MANIFEST_PATH];
	uint64_t	 at;

	/* A newer one has a larger stamp, whatever the clock says. */
	mn->mn_at = at = tk->tk_began = now_ms();
	if (at < newest + SECOND)
		at = newest + SECOND;
	if (mn->mn_at == 0 || stamp_text(mn->mn_stamp, at) == -1)
		return (task_fail(tk, "the clock is not right"));
	(void)snprintf(path, sizeof(path), BACKUP_DIR "/%s", mn->mn_stamp);
	(void)strlcpy(tk->tk_out->ou_stamp, mn->mn_stamp, STAMP_TEXT);
	(void)snprintf(ma->ma_dir, sizeof(ma->ma_dir), "%.40s.part", path);
	/* A key that goes from here on makes another one due. */
	ma->ma_outdated = outdated;
	outdated = 0;
	access_flush();
	places_write();
	(void)db_commit_all();
	if (plan_one(tk, DB_SYSTEM, "-") == -1)
		return (task_fail(tk, "no memory"));
	RB_FOREACH(tn, tenant_tree, &tenant_all)
		if (plan_one(tk, tn->tn_id, tn->tn_name) == -1)
			return (task_fail(tk, "no memory"));
	(void)snprintf(path, sizeof(path), "%.40s/tenants", ma->ma_dir);
	if (make_room(tk) == -1)
		return (-1);
	if (db_make_dir(BACKUP_DIR) == -1 || db_make_dir(ma->ma_dir) == -1 ||
	    db_make_dir(path) == -1)
		return (task_fail(tk, "its directory cannot be made"));
	ma->ma_at = MAKE_NEXT;
	return (1);
}

/* Erased since the plan was made? */
static int
tenant_gone(const struct manifest_file *mf)
{
	return (mf->mf_tenant != DB_SYSTEM &&
	    tenant_by_id(mf->mf_tenant) == NULL);
}

/* Begin with the next file. */
static int
make_next(struct task *tk)
{
	struct make		*ma = tk->tk_data;
	struct manifest_file	*mf;
	char			 path[MANIFEST_PATH];
	enum db_why		 why;

	if (tk->tk_file == tk->tk_mn.mn_n) {
		ma->ma_at = MAKE_WRITE;
		return (1);
	}
	mf = &tk->tk_mn.mn_files[tk->tk_file];
	if (tenant_gone(mf))
		return (make_leave_out(tk, 0));
	ma->ma_from = db_open_copy(DB_NOW, "", mf->mf_tenant, mf->mf_month,
	    &why);
	if (ma->ma_from == NULL) {
		if ((mf->mf_month == 0 || why != DB_MISSING) && make_fault(tk,
		    mf->mf_name, mf->mf_month == 0 ? db_why_text(why) :
		    "an access log of it is damaged") == -1)
			return (-1);
		return (make_leave_out(tk, mf->mf_month != 0));
	}
	(void)snprintf(path, sizeof(path), "%.40s/tenants/%u", ma->ma_dir,
	    mf->mf_tenant);
	if (mf->mf_tenant != DB_SYSTEM && db_make_dir(path) == -1)
		return (task_fail(tk, "its directory cannot be made"));
	task_path(tk, ".part", mf, path);
	if ((ma->ma_copy = db_copy_begin(ma->ma_from, path)) == NULL)
		return (task_fail(tk, "%s cannot be made", path));
	ma->ma_at = MAKE_COPY;
	return (1);
}

static int
make_copy(struct task *tk)
{
	struct make	*ma = tk->tk_data;
	uint64_t	 bytes = 0;
	int		 n;

	n = db_copy_step(ma->ma_copy, &bytes);
	tk->tk_out->ou_done = ma->ma_done + bytes;
	if (n == 1)
		return (1);
	ma->ma_done += bytes;
	db_copy_end(ma->ma_copy);
	ma->ma_copy = NULL;
	if (n == -1)
		return (task_fail(tk, "it cannot be written: is the disk "
		    "full?"));
	ma->ma_tally = tally_new(ma->ma_from,
	    &tk->tk_mn.mn_files[tk->tk_file], 0);
	if (ma->ma_tally == NULL)
		return (task_fail(tk, "no memory"));
	ma->ma_at = MAKE_TALLY;
	return (1);
}

/* What is counted in the file itself, the copy has to have as well. */
static int
make_tally(struct task *tk)
{
	struct make		*ma = tk->tk_data;
	struct manifest_file	*mf = &tk->tk_mn.mn_files[tk->tk_file];
	char			 path[MANIFEST_PATH], why[MAX_LINE + 1];
	int			 n;

	if ((n = tally_step(ma->ma_tally, why)) == 1)
		return (1);
	make_release(ma);
	task_path(tk, ".part", mf, path);
	if ((ma->ma_check = check_first(path, mf)) == NULL)
		return (task_fail(tk, "no memory"));
	ma->ma_at = MAKE_CHECK;
	return (n == -1 ? make_fault(tk, mf->mf_name, why) : 1);
}

/* A copy that is like a damaged file is still better than none. */
static int
make_check(struct task *tk)
{
	struct make	*ma = tk->tk_data;
	char		 why[MAX_LINE + 1];
	const char	*name = tk->tk_mn.mn_files[tk->tk_file].mf_name;
	uint64_t	 bytes = 0;
	int		 n;

	if ((n = check_step(ma->ma_check, &bytes, why)) == 1)
		return (1);
	if (n == -1 && tenant_gone(&tk->tk_mn.mn_files[tk->tk_file]))
		return (make_leave_out(tk, 0));
	make_release(ma);
	ma->ma_at = MAKE_NEXT;
	tk->tk_file++;
	return (n == -1 ? make_fault(tk, name, why) : 1);
}

/* All directories, then the manifest, then the name that counts. */
static int
make_write(struct task *tk)
{
	struct make	*ma = tk->tk_data;
	char		 path[MANIFEST_PATH];
	struct state	 sa = { 0 };
	size_t		 i;

	for (i = 0; i < tk->tk_mn.mn_n; i++) {
		(void)snprintf(path, sizeof(path), "%.40s/tenants/%u",
		    ma->ma_dir, tk->tk_mn.mn_files[i].mf_tenant);
		if (tk->tk_mn.mn_files[i].mf_month == 0 &&
		    tk->tk_mn.mn_files[i].mf_tenant != DB_SYSTEM &&
		    dir_sync(path) == -1)
			return (task_fail(tk, "it cannot be written"));
	}
	tk->tk_mn.mn_took = now_ms() - tk->tk_began;
	(void)snprintf(path, sizeof(path), "%.40s/tenants", ma->ma_dir);
	if (dir_sync(path) == -1 || generation_store(tk, ma->ma_dir) == -1 ||
	    dir_sync(ma->ma_dir) == -1)
		return (task_fail(tk, "its manifest cannot be written"));
	(void)snprintf(path, sizeof(path), BACKUP_DIR "/%s",
	    tk->tk_mn.mn_stamp);
	if (rename(ma->ma_dir, path) == -1 || dir_sync(BACKUP_DIR) == -1)
		return (task_fail(tk, "its name cannot be written"));
	(void)stamp_read(tk->tk_mn.mn_stamp, &newest);
	made = tk->tk_mn.mn_at;
	ma->ma_outdated = 0;
	sa.sa_verified = tk->tk_out->ou_n == 0 ? now_ms() : 0;
	(void)strlcpy(sa.sa_fault, tk->tk_out->ou_why, sizeof(sa.sa_fault));
	generation_state_put(tk->tk_mn.mn_stamp, &sa);
	/* Of what is missing in this one the old ones may have the last. */
	if (tk->tk_out->ou_n > 0)
		return (0);
	ma->ma_at = MAKE_TRIM;
	return (1);
}

/* Those that are more than should be kept, the oldest first. */
static int
make_trim(struct task *tk)
{
	struct make	*ma = tk->tk_data;
	char		 path[MANIFEST_PATH], first[STAMP_TEXT];
	char		 last[STAMP_TEXT];

	(void)tk;
	if (ma->ma_gone[0] != '\0') {
		if (remove_some(ma->ma_gone) == 1)
			return (1);
		ma->ma_gone[0] = '\0';
	}
	if (generation_count("", first, last) <= storage_conf->sc_backup_keep ||
	    strcmp(first, tk->tk_mn.mn_stamp) >= 0) {
		generation_forget(first);
		return (0);
	}
	(void)snprintf(path, sizeof(path), BACKUP_DIR "/%s", first);
	(void)snprintf(ma->ma_gone, sizeof(ma->ma_gone), "%.40s.gone", path);
	if (rename(path, ma->ma_gone) == -1) {
		log_warn("%s", path);
		return (0);
	}
	log_info("backup %s is one more than is kept, and goes", first);
	return (1);
}

static int
make_clean(struct task *tk)
{
	struct make	*ma = tk->tk_data;
	char		 path[MANIFEST_PATH];

	if (generation_leftover(path)) {
		if (remove_some(path) == -1)
			return (task_fail(tk, "%s cannot be removed", path));
		return (1);
	}
	ma->ma_at = MAKE_PLAN;
	return (1);
}

static int
make_step(struct task *tk)
{
	static int	(*const steps[])(struct task *) = {
		make_clean, make_plan, make_next, make_copy, make_tally,
		make_check, make_write, make_trim
	};

	return (steps[((struct make *)tk->tk_data)->ma_at](tk));
}

/*
 * Is another one due since a key went?  That outlives us: the row "outdated" of
 * the meta of system.db, one byte, sealed.
 */
static const struct seal_at	 outdated_at = { "meta", "outdated", 0, 0,
				    NULL, 0 };

static void
outdated_put(uint8_t flag)
{
	struct db	*sys = db_system();
	void		*rec = NULL;
	size_t		 len;

	if (sys == NULL ||
	    (rec = db_seal(sys, &outdated_at, &flag, 1, &len)) == NULL ||
	    db_exec(sys, S_META_SET, ARGS(TXT("outdated"), BIN(rec, len))) !=
	    1)
		log_warnx("that a backup is due is not kept over a restart");
	free(rec);
}

static int
outdated_get(void)
{
	struct db	*sys = db_system();
	sqlite3_stmt	*st;
	uint8_t		*flag = NULL;
	size_t		 len = 0;
	int		 set;

	if (sys == NULL)
		return (0);
	st = db_query(sys, S_META_GET, ARGS(TXT("outdated")));
	if (db_step(sys, st) == 1)
		flag = db_open(sys, &outdated_at, st, 0, &len);
	db_done(st);
	set = flag != NULL && len == 1 && flag[0] != 0;
	free(flag);
	return (set);
}

static void	 rehearse_due(void);

static void
make_end(struct task *tk, int ok)
{
	struct make	*ma = tk->tk_data;

	make_release(ma);
	if (!ok && ma->ma_dir[0] != '\0')
		remove_all(ma->ma_dir);		/* what is not the name yet */
	if (ma->ma_daily && !ok)
		retry_mono = mono_ms() + RETRY;
	outdated |= ma->ma_outdated;
	if (ok && !outdated && outdated_get())
		outdated_put(0);
	task_note(tk, "made");
	if (ok && ma->ma_daily)
		rehearse_due();
	free(ma);
}

static int
make_begin(struct task *tk, int daily)
{
	struct make	*ma;

	if ((ma = calloc(1, sizeof(*ma))) == NULL)
		return (-1);
	ma->ma_daily = daily;
	tk->tk_data = ma;
	tk->tk_step = make_step;
	tk->tk_end = make_end;
	return (0);
}

const char *
backup_now(struct request *rq)
{
	struct task	*tk;
	const char	*why;

	if ((why = task_asked(&tk, NULL)) != NULL)
		return (why);
	if (make_begin(tk, 0) == -1) {
		task_free(tk);
		return ("no memory");
	}
	return (task_answer(rq, tk, 1));
}

/*
 * Verify one.
 */

static int
verify_step(struct task *tk)
{
	struct check			*ck = tk->tk_data;
	const struct manifest_file	*mf;
	char				 path[MANIFEST_PATH];
	char				 why[MAX_LINE + 1];
	int				 n;

	if (tk->tk_file == tk->tk_mn.mn_n)
		return (0);
	mf = &tk->tk_mn.mn_files[tk->tk_file];
	task_path(tk, "", mf, path);
	if (ck == NULL) {
		tk->tk_data = ck = check_new(path, mf);
		return (ck == NULL ? task_fail(tk, "no memory") : 1);
	}
	if ((n = check_step(ck, &tk->tk_out->ou_done, why)) == 1)
		return (1);
	check_free(ck);
	tk->tk_data = NULL;
	tk->tk_file++;
	if (n == -1)
		n = task_part(tk, mf->mf_name, 0, "%s: %.900s", path +
		    sizeof(BACKUP_DIR) + STAMP_TEXT, why);
	else
		n = task_part(tk, mf->mf_name, 1, "%s: whole", path +
		    sizeof(BACKUP_DIR) + STAMP_TEXT);
	return (n == -1 ? -1 : 1);
}

static void
verify_end(struct task *tk, int ok)
{
	struct state	 sa;

	check_free(tk->tk_data);
	generation_state(tk->tk_mn.mn_stamp, &sa);
	sa.sa_verified = ok ? now_ms() : 0;
	(void)strlcpy(sa.sa_fault, ok ? "" : tk->tk_out->ou_why,
	    sizeof(sa.sa_fault));
	generation_state_put(tk->tk_mn.mn_stamp, &sa);
	task_note(tk, "verified");
}

const char *
backup_verify(struct request *rq, const struct m_c_backup *m)
{
	struct task	*tk;
	const char	*why;

	if ((why = task_asked(&tk, m->stamp)) != NULL)
		return (why);
	tk->tk_out->ou_total = manifest_bytes(&tk->tk_mn);
	tk->tk_step = verify_step;
	tk->tk_end = verify_end;
	return (task_answer(rq, tk, 0));
}

/*
 * Restore one, and rehearse that.
 */

const char *
backup_restore(struct request *rq, const struct m_c_backup *m)
{
	static char	 text[MAX_LINE + 1];
	struct task	*tk;
	const char	*why;

	if ((why = task_asked(&tk, m->stamp)) != NULL)
		return (why);
	tk->tk_op = rq->rq_op;
	if (restore_begin(tk, m->tenant) == -1) {
		(void)strlcpy(text, tk->tk_out->ou_why, sizeof(text));
		task_free(tk);
		return (text);
	}
	return (task_answer(rq, tk, 0));
}

void
restore_noted(struct task *tk)
{
	task_note(tk, "restored");
}

void
rehearsal_noted(struct task *tk)
{
	struct state	 sa;

	generation_state(tk->tk_mn.mn_stamp, &sa);
	if (tk->tk_out->ou_ok)
		sa.sa_rehearsed = now_ms();
	(void)strlcpy(sa.sa_fault, tk->tk_out->ou_why, sizeof(sa.sa_fault));
	generation_state_put(tk->tk_mn.mn_stamp, &sa);
	task_note(tk, "rehearsed");
}

const char *
backup_rehearse(struct request *rq)
{
	struct task	*tk;
	const char	*why;

	if ((why = task_asked(&tk, "")) != NULL)
		return (why);
	if (rehearse_begin(tk) == -1) {
		task_free(tk);
		return ("no memory");
	}
	return (task_answer(rq, tk, 0));
}

/* When any of those that are there was rehearsed last. */
static uint64_t
rehearsed_last(void)
{
	char		 stamp[STAMP_TEXT] = "";
	struct state	 sa;
	uint64_t	 at = 0;

	while (generation_next(stamp)) {
		generation_state(stamp, &sa);
		if (sa.sa_rehearsed > at)
			at = sa.sa_rehearsed;
	}
	return (at);
}

/* With the daily one, a week after the last rehearsal or an hour less. */
static void
rehearse_due(void)
{
	struct task	*tk;
	uint64_t	 last = rehearsed_last(), now = now_ms();

	if (now > last && now - last < WEEK - RETRY)
		return;
	if (task_asked(&tk, "") != NULL)
		return;
	if (rehearse_begin(tk) == -1)
		task_free(tk);
	else
		task_start(tk);
}

/*
 * Time.
 */

/* The last moment at which one was to be made, in ms; 0: never is one. */
static uint64_t
moment(uint64_t now)
{
	time_t		 t = (time_t)(now / SECOND);
	struct tm	 tm;
	int		 since;

	if (storage_conf->sc_backup_at >= BACKUP_NONE ||
	    localtime_r(&t, &tm) == NULL)
		return (0);
	since = tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec -
	    storage_conf->sc_backup_at * 60;
	if (since < 0)
		since += DAY_SECONDS;
	return (((uint64_t)t - (uint64_t)since) * SECOND);
}

/*
 * One that was missed while the daemon was off waits for a quiet moment.  One
 * that was made when the clock was a day ahead says nothing.
 */
void
backup_tick(void)
{
	uint64_t	 now = now_ms(), due = moment(now);
	uint64_t	 mono = mono_ms();
	struct task	*tk;

	if (task_busy() || due == 0 || mono < retry_mono)
		return;
	if (!outdated &&
	    ((made >= due && made < now + DAY_SECONDS * SECOND) ||
	    (due < started && mono - start_mono < LATE)))
		return;
	if ((tk = task_new()) == NULL)
		return;
	if (make_begin(tk, 1) == -1)
		task_free(tk);
	else
		task_start(tk);
}

void
backup_outdated(int gone)
{
	if (gone)
		outdated = 1;
	else
		outdated_put(1);
}

static int
sweep_step(struct task *tk)
{
	char	 path[MANIFEST_PATH];

	(void)tk;
	return (!generation_leftover(path) ? 0 : remove_some(path) == -1 ? -1 :
	    1);
}

void
backup_start(void)
{
	char		 first[STAMP_TEXT], last[STAMP_TEXT];
	char		 path[MANIFEST_PATH];
	struct tenant	*tn;
	struct task	*tk;

	task_init();
	started = now_ms();
	start_mono = mono_ms();
	if (generation_count("", first, last) > 0)
		(void)stamp_read(last, &newest);
	made = newest;
	outdated = outdated_get();
	RB_FOREACH(tn, tenant_tree, &tenant_all)
		restore_clean(tn->tn_id);
	if (!generation_leftover(path) || (tk = task_new()) == NULL)
		return;
	tk->tk_step = sweep_step;
	task_start(tk);
}
