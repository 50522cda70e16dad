/*
 * Generations of backups: made once a day or when an operator says so, each
 * verified before an older one goes, listed, verified again, and rehearsed
 * once a week (J1).  What takes long is done by one job at a time, some
 * milliseconds of each turn.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backup.h"
#include "keyfile.h"
#include "log.h"
#include "util.h"

#define TURN		3		/* ms of work in a turn */
#define PAUSE		5		/* ms between two turns */
#define TELL_EACH	(5 * SECOND)	/* who waits hears that it goes on */
#define LATE		(10 * 60 * SECOND)	/* after the start, at least */
#define RETRY		(60 * 60 * SECOND)	/* after a failure */
#define DAY_SECONDS	86400
#define WEEK		(7ULL * DAY_SECONDS * SECOND)
#define ROOM		(32ULL * 1024 * 1024)	/* bytes left for the others */
#define CUT		(32L * 1024 * 1024)	/* bytes of a file at once */
#define MAC_LINE	(4 + 2 * SEAL_INDEX + 1)

static struct job	*job;		/* the one that there may be */
static struct event	 turn_ev;
static uint64_t		 newest;	/* ms, the newest stamp */
static uint64_t		 made;		/* ms, when that was made */
static uint64_t		 outdated;	/* ms, a key went that those need */
static uint64_t		 started, start_mono, retry_mono;

/* What is known of a generation besides what it says itself. */
struct state {
	uint64_t	 sa_verified, sa_rehearsed;	/* ms, or 0 */
	char		 sa_fault[MAX_LINE + 1];
};

/*
 * Outcomes.
 */

static void
outcome_drop(void *arg)
{
	struct outcome	*ou = arg;

	if (ou == NULL || --ou->ou_refs > 0)
		return;
	free(ou->ou_parts);
	free(ou);
}

int
job_fail(struct job *jb, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(jb->jb_out->ou_why, sizeof(jb->jb_out->ou_why), fmt,
	    ap);
	va_end(ap);
	return (-1);
}

int
job_part(struct job *jb, const char *tenant, int done, const char *fmt, ...)
{
	struct outcome	*ou = jb->jb_out;
	struct part	*pa;
	va_list		 ap;

	if ((pa = reallocarray(ou->ou_parts, ou->ou_n + 1, sizeof(*pa))) ==
	    NULL)
		return (job_fail(jb, "no memory"));
	ou->ou_parts = pa;
	pa += ou->ou_n++;
	memset(pa, 0, sizeof(*pa));
	(void)strlcpy(pa->pa_tenant, strcmp(tenant, "-") == 0 ? "" : tenant,
	    sizeof(pa->pa_tenant));
	pa->pa_done = done == 1;
	va_start(ap, fmt);
	(void)vsnprintf(pa->pa_note, sizeof(pa->pa_note), fmt, ap);
	va_end(ap);
	if (done == 0 && ou->ou_why[0] == '\0')
		(void)snprintf(ou->ou_why, sizeof(ou->ou_why), "%s: %.900s",
		    pa->pa_tenant[0] == '\0' ? "installation" : pa->pa_tenant,
		    pa->pa_note);
	return (0);
}

void
job_path(const struct job *jb, const char *suffix,
    const struct manifest_file *mf, char path[MANIFEST_PATH])
{
	char	 dir[MANIFEST_PATH];

	(void)snprintf(dir, sizeof(dir), BACKUP_DIR "/%s%s",
	    jb->jb_mn.mn_stamp, suffix);
	if (manifest_path(path, dir, mf) == -1)
		path[0] = '\0';		/* no file has this name */
}

/*
 * The directory.
 */

int
remove_file(const char *path)
{
	struct stat	 st;
	int		 fd, ret = 1;

	if (lstat(path, &st) == -1)
		return (errno == ENOENT ? 0 : -1);
	if (!S_ISREG(st.st_mode) || st.st_nlink > 1 || st.st_size <= CUT)
		return (unlink(path) == -1 ? -1 : 0);
	if ((fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW)) == -1)
		return (-1);
	if (ftruncate(fd, st.st_size - CUT) == -1)
		ret = -1;
	(void)close(fd);
	return (ret);
}

int
remove_some(const char *dir)
{
	char		 path[PATH_MAX];
	struct dirent	*de;
	struct stat	 st;
	DIR		*d;
	int		 ret = 0;

	if ((d = opendir(dir)) == NULL)
		return (errno == ENOENT ? 0 : -1);
	while ((de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			break;
	if (de == NULL)
		ret = rmdir(dir) == -1 ? -1 : 0;
	else if (snprintf(path, sizeof(path), "%s/%s", dir, de->d_name) >=
	    (int)sizeof(path) || lstat(path, &st) == -1)
		ret = -1;
	else if (!S_ISDIR(st.st_mode))
		ret = remove_file(path) == -1 ? -1 : 1;
	else
		ret = remove_some(path) == -1 ? -1 : 1;
	(void)closedir(d);
	return (ret);
}

static void
remove_all(const char *dir)
{
	int	 n;

	while ((n = remove_some(dir)) == 1)
		;
	if (n == -1)
		log_warn("%s: cannot be removed", dir);
}

/* How many generations are newer than one ("": all); the first, the last. */
static unsigned int
generations(const char *than, char first[STAMP_TEXT], char last[STAMP_TEXT])
{
	struct dirent	*de;
	unsigned int	 n = 0;
	DIR		*d;

	first[0] = last[0] = '\0';
	if ((d = opendir(BACKUP_DIR)) == NULL)
		return (0);
	while ((de = readdir(d)) != NULL) {
		if (stamp_read(de->d_name, NULL) == -1 ||
		    strcmp(de->d_name, than) <= 0)
			continue;
		n++;
		if (first[0] == '\0' || strcmp(de->d_name, first) < 0)
			(void)strlcpy(first, de->d_name, STAMP_TEXT);
		if (strcmp(de->d_name, last) > 0)
			(void)strlcpy(last, de->d_name, STAMP_TEXT);
	}
	(void)closedir(d);
	return (n);
}

/* The one after this one, in its place; 0: there is none. */
static int
next(char stamp[STAMP_TEXT])
{
	char	 first[STAMP_TEXT], last[STAMP_TEXT];

	if (generations(stamp, first, last) == 0)
		return (0);
	(void)strlcpy(stamp, first, STAMP_TEXT);
	return (1);
}

/* What counts for nothing: begun and not ended.  1: some of it is left. */
static int
leftover(char path[MANIFEST_PATH])
{
	struct dirent	*de;
	const char	*dot;
	DIR		*d;

	path[0] = '\0';
	if ((d = opendir(BACKUP_DIR)) == NULL)
		return (0);
	while ((de = readdir(d)) != NULL) {
		dot = strrchr(de->d_name, '.');
		if (dot != NULL && (strcmp(dot, ".part") == 0 ||
		    strcmp(dot, ".gone") == 0) && strlen(de->d_name) < 32)
			(void)snprintf(path, MANIFEST_PATH, BACKUP_DIR "/%s",
			    de->d_name);
	}
	(void)closedir(d);
	return (path[0] != '\0');
}

void
backup_holds(FILE *f, uint32_t tenant)
{
	char		 stamp[STAMP_TEXT] = "";
	char		 path[MANIFEST_PATH];
	struct stat	 st;
	unsigned int	 n = 0;

	fprintf(f, "backups that hold it, and cannot be read any more:");
	while (next(stamp)) {
		(void)snprintf(path, sizeof(path), BACKUP_DIR
		    "/%s/tenants/%u/main.db", stamp, tenant);
		if (stat(path, &st) == 0 && ++n)
			fprintf(f, " %s", stamp);
	}
	fprintf(f, "%s\n", n == 0 ? " none" : "");
}

/*
 * Manifests, and what is known besides.
 */

static int
manifest_mac(const char *text, size_t len, uint8_t mac[SEAL_INDEX])
{
	struct db	*sys = db_system();

	return (sys == NULL ? -1 : seal_index(sys->db_seal, "backup", text,
	    len, mac));
}

/* NULL, or what is wrong with it. */
static const char *
manifest_load(struct manifest *mn, const char *stamp)
{
	char		 path[MANIFEST_PATH], *text = NULL;
	uint8_t		 mac[SEAL_INDEX], is[SEAL_INDEX];
	const char	*why = NULL;
	void		*data;
	ssize_t		 n;
	int		 fd;

	memset(mn, 0, sizeof(*mn));
	(void)snprintf(path, sizeof(path), BACKUP_DIR "/%s/manifest", stamp);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK)) == -1)
		return ("its manifest is missing");
	n = read_all(fd, MANIFEST_MAX, &data);
	(void)close(fd);
	if (n == -1)
		return ("its manifest cannot be read");
	text = data;
	if (n < MAC_LINE + 1 || memcmp(text + n - MAC_LINE, "mac ", 4) != 0 ||
	    text[n - 1] != '\n') {
		free(data);
		return ("its manifest is not whole");
	}
	text[n - 1] = '\0';
	if (hex_decode(is, sizeof(is), text + n - MAC_LINE + 4) == -1 ||
	    manifest_mac(text, (size_t)(n - MAC_LINE), mac) == -1 ||
	    memcmp(is, mac, sizeof(mac)) != 0)
		why = "its manifest was changed";
	text[n - MAC_LINE] = '\0';
	if (why == NULL && (manifest_read(mn, text,
	    (size_t)(n - MAC_LINE)) == -1 || strcmp(mn->mn_stamp, stamp) != 0))
		why = "its manifest is not of this backup";
	free(data);
	return (why);
}

static int
write_all(int fd, const char *text, size_t len)
{
	ssize_t	 n;

	for (; len > 0; text += n, len -= (size_t)n)
		if ((n = write(fd, text, len)) == -1)
			return (-1);
	return (0);
}

static int
manifest_store(struct job *jb, const char *dir)
{
	char	 path[MANIFEST_PATH], line[MAC_LINE + 1] = "mac ", *text;
	uint8_t	 mac[SEAL_INDEX];
	size_t	 len;
	int	 fd = -1, ret = -1;

	(void)snprintf(path, sizeof(path), "%.40s/manifest", dir);
	if ((text = manifest_write(&jb->jb_mn, &len)) != NULL &&
	    manifest_mac(text, len, mac) == 0 && (fd = open(path, O_WRONLY |
	    O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)) != -1) {
		hex_encode(line + 4, mac, sizeof(mac));
		line[MAC_LINE - 1] = '\n';
		if (write_all(fd, text, len) == 0 &&
		    write_all(fd, line, MAC_LINE) == 0)
			ret = fsync(fd);
	}
	if (fd != -1)
		(void)close(fd);
	free(text);
	return (ret);
}

/* A stamp as the number of its row. */
static uint64_t
stamp_row(const char *stamp)
{
	uint64_t	 n = 0;

	for (; *stamp != '\0'; stamp++)
		if (*stamp >= '0' && *stamp <= '9')
			n = n * 10 + (uint64_t)(*stamp - '0');
	return (n);
}

static void
state_get(const char *stamp, struct state *sa)
{
	struct seal_at		 at = { "backups", "state", 0, 0, NULL, 0 };
	struct db		*sys = db_system();
	unsigned long long	 verified, rehearsed;
	sqlite3_stmt		*st;
	char			*text = NULL;
	size_t			 len;
	int			 n = 0;

	memset(sa, 0, sizeof(*sa));
	if (sys == NULL)
		return;
	at.sa_row = stamp_row(stamp);
	st = db_query(sys, S_BACKUP_GET, ARGS(NUM(at.sa_row)));
	if (db_step(sys, st) == 1)
		text = db_open(sys, &at, st, 0, &len);
	db_done(st);
	if (text != NULL && sscanf(text, "%llu %llu %n", &verified, &rehearsed,
	    &n) == 2 && n > 0) {
		sa->sa_verified = verified;
		sa->sa_rehearsed = rehearsed;
		(void)strlcpy(sa->sa_fault, text + n, sizeof(sa->sa_fault));
	}
	free(text);
}

static void
state_put(const char *stamp, const struct state *sa)
{
	struct seal_at	 at = { "backups", "state", 0, 0, NULL, 0 };
	struct db	*sys = db_system();
	char		 text[MAX_LINE + 64];
	void		*rec;
	size_t		 len;

	at.sa_row = stamp_row(stamp);
	(void)snprintf(text, sizeof(text), "%llu %llu %s",
	    (unsigned long long)sa->sa_verified,
	    (unsigned long long)sa->sa_rehearsed, sa->sa_fault);
	if (sys == NULL || (rec = db_seal(sys, &at, text, strlen(text),
	    &len)) == NULL)
		return;
	if (db_exec(sys, S_BACKUP_PUT, ARGS(NUM(at.sa_row),
	    BIN(rec, len))) != 1)
		log_warnx("backup %s: its state cannot be written", stamp);
	free(rec);
}

static void
row_send(struct peer *pe, uint32_t id, const char *stamp,
    const struct manifest *mn, const char *why)
{
	struct m_c_backup_row	 m = { 0 };
	struct state		 sa;

	state_get(stamp, &sa);
	m.stamp = stamp;
	m.at = mn->mn_at;
	m.took = mn->mn_took;
	m.bytes = manifest_bytes(mn);
	m.tenants = manifest_tenants(mn);
	m.files = (uint32_t)mn->mn_n;
	m.verified = sa.sa_verified;
	m.rehearsed = sa.sa_rehearsed;
	m.fault = why != NULL ? why : sa.sa_fault;
	(void)proc_send(pe, IMSG_C_BACKUP_ROW, id, -1, &m);
}

/* One in a turn: a manifest may be long. */
static int
stream_list(struct stream *sm, struct peer *pe)
{
	char		*stamp = sm->st_data;
	struct manifest	 mn;
	const char	*why;

	if (!next(stamp)) {
		(void)proc_result(pe, sm->st_id, R_OK, 0, "");
		return (0);
	}
	why = manifest_load(&mn, stamp);
	row_send(pe, sm->st_id, stamp, &mn, why);
	manifest_clear(&mn);
	return (1);
}

int
backup_next(char stamp[STAMP_TEXT], uint64_t *at, uint64_t *bytes,
    uint64_t *rehearsed)
{
	struct manifest	 mn;
	struct state	 sa;

	if (!next(stamp))
		return (0);
	state_get(stamp, &sa);
	(void)manifest_load(&mn, stamp);
	(void)stamp_read(stamp, at);
	*bytes = manifest_bytes(&mn);
	*rehearsed = sa.sa_rehearsed;
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
 * Jobs.
 */

static void
job_free(struct job *jb)
{
	manifest_clear(&jb->jb_mn);
	outcome_drop(jb->jb_out);
	free(jb);
}

static struct job *
job_new(void)
{
	struct job	*jb;

	if ((jb = calloc(1, sizeof(*jb))) == NULL ||
	    (jb->jb_out = calloc(1, sizeof(*jb->jb_out))) == NULL) {
		free(jb);
		return (NULL);
	}
	jb->jb_out->ou_refs = 1;
	jb->jb_began = now_ms();
	return (jb);
}

static void
turn_arm(void)
{
	struct timeval	 tv = { 0, PAUSE * 1000 };

	(void)evtimer_add(&turn_ev, &tv);
}

static void
job_start(struct job *jb)
{
	job = jb;
	turn_arm();
}

static void
turn(int fd, short ev, void *arg)
{
	struct job	*jb = job;
	uint64_t	 begun = mono_ms();
	int		 n;

	(void)fd;
	(void)ev;
	(void)arg;
	do
		n = jb->jb_step(jb);
	while (n == 1 && mono_ms() - begun < TURN);
	if (n == 1) {
		turn_arm();
		return;
	}
	job = NULL;
	jb->jb_out->ou_ok = n == 0 && jb->jb_out->ou_why[0] == '\0';
	jb->jb_out->ou_over = 1;
	if (jb->jb_end != NULL)
		jb->jb_end(jb, jb->jb_out->ou_ok);
	job_free(jb);
}

/* In the installation's trail, and in the log. */
static void
job_note(const struct job *jb, const char *what)
{
	struct db	*sys = db_system();
	const char	*why = jb->jb_out->ou_ok ? "done" : jb->jb_out->ou_why;
	char		 who[32] = "";

	if (jb->jb_asked)
		(void)snprintf(who, sizeof(who), "uid %u: ", jb->jb_op);
	if (jb->jb_out->ou_ok)
		log_info("backup %s: %s", jb->jb_out->ou_stamp, what);
	else if (jb->jb_asked)
		log_warnx("backup %s: %s: %s", jb->jb_out->ou_stamp, what,
		    why);
	else
		alert_raise(ALERT_BACKUP, DB_SYSTEM, "backup %s: %s: %s",
		    jb->jb_out->ou_stamp, what, why);
	if (sys == NULL || audit_add(sys, "%sbackup %s: %s: %.600s", who,
	    jb->jb_out->ou_stamp, what, why) == -1)
		log_warnx("backup %s: %s, but not in the audit trail",
		    jb->jb_out->ou_stamp, what);
}

/*
 * Who waits for a job.
 */

struct waiter {
	struct outcome	*wt_ou;
	size_t		 wt_sent;
	uint64_t	 wt_told;
	int		 wt_row;	/* the generation is the answer */
};

static void
waiter_free(void *arg)
{
	struct waiter	*wt = arg;

	outcome_drop(wt->wt_ou);
	free(wt);
}

static void
wait_parts(struct waiter *wt, struct stream *sm, struct peer *pe)
{
	struct outcome		*ou = wt->wt_ou;
	struct m_c_backup_part	 m;
	const struct part	*pa;

	for (; !wt->wt_row && wt->wt_sent < ou->ou_n; wt->wt_sent++) {
		pa = &ou->ou_parts[wt->wt_sent];
		m.stamp = ou->ou_stamp;
		m.tenant = pa->pa_tenant;
		m.done = pa->pa_done != 0;
		m.note = pa->pa_note;
		(void)proc_send(pe, IMSG_C_BACKUP_PART, sm->st_id, -1, &m);
	}
}

static int
stream_wait(struct stream *sm, struct peer *pe)
{
	struct waiter		*wt = sm->st_data;
	struct outcome		*ou = wt->wt_ou;
	struct m_c_backup_step	 m = { ou->ou_done, ou->ou_total };
	struct manifest		 mn;
	const char		*why;

	wait_parts(wt, sm, pe);
	if (!ou->ou_over) {
		if (mono_ms() - wt->wt_told >= TELL_EACH) {
			wt->wt_told = mono_ms();
			(void)proc_send(pe, IMSG_C_BACKUP_STEP, sm->st_id, -1,
			    &m);
		}
		sm->st_idle = 1;
		return (1);
	}
	if (wt->wt_row && ou->ou_stamp[0] != '\0') {
		if ((why = manifest_load(&mn, ou->ou_stamp)) == NULL)
			row_send(pe, sm->st_id, ou->ou_stamp, &mn, NULL);
		manifest_clear(&mn);
	}
	(void)proc_result(pe, sm->st_id, ou->ou_ok ? R_OK : R_REFUSED, 0,
	    ou->ou_ok ? "" : ou->ou_why);
	return (0);
}

static const char *
job_answer(struct request *rq, struct job *jb, int row)
{
	struct waiter	*wt;

	if ((wt = calloc(1, sizeof(*wt))) == NULL) {
		free(jb->jb_data);
		job_free(jb);
		return ("no memory");
	}
	wt->wt_ou = jb->jb_out;
	wt->wt_told = mono_ms();
	wt->wt_row = row;
	jb->jb_out->ou_refs++;
	jb->jb_op = rq->rq_op;
	jb->jb_asked = 1;
	if (rq_stream(rq, stream_wait, wt, waiter_free) == -1) {
		free(jb->jb_data);
		job_free(jb);
		return ("no memory");
	}
	job_start(jb);
	return (NULL);
}

/* For an operator; the generation that he means is loaded unless he wants a
 * new one. */
static const char *
job_asked(struct job **jb, const char *stamp)
{
	static char	 text[MAX_LINE + 1];
	char		 first[STAMP_TEXT], last[STAMP_TEXT];
	struct stat	 st;
	char		 path[MANIFEST_PATH];
	const char	*why;

	if (job != NULL)
		return ("a backup, a check or a restore is going on");
	if (stamp != NULL && stamp[0] == '\0' &&
	    generations("", first, last) > 0)
		stamp = last;
	if (stamp != NULL && stamp_read(stamp, NULL) == -1)
		return (stamp[0] == '\0' ? "there is no backup" :
		    "that is not the stamp of a backup");
	if ((*jb = job_new()) == NULL)
		return ("no memory");
	if (stamp == NULL)
		return (NULL);
	(void)strlcpy((*jb)->jb_out->ou_stamp, stamp, STAMP_TEXT);
	(void)snprintf(path, sizeof(path), BACKUP_DIR "/%s", stamp);
	if (stat(path, &st) == -1)
		why = "there is no such backup";
	else
		why = manifest_load(&(*jb)->jb_mn, stamp);
	if (why == NULL)
		return (NULL);
	(void)snprintf(text, sizeof(text), "%s: %s", stamp, why);
	job_free(*jb);
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
make_fault(struct job *jb, const char *name, const char *why)
{
	return (job_part(jb, name, 0, "%s", why) == -1 ? -1 : 1);
}

/* Take the tenant of the file at work out again, or only a log. */
static int
make_leave_out(struct job *jb, int log)
{
	struct make		*ma = jb->jb_data;
	struct manifest		*mn = &jb->jb_mn;
	struct manifest_file	*mf = &mn->mn_files[jb->jb_file];
	char			 dir[MANIFEST_PATH + 24];
	uint32_t		 tenant = mf->mf_tenant;
	size_t			 i = jb->jb_file;

	make_release(ma);
	ma->ma_at = MAKE_NEXT;
	if (log || tenant == DB_SYSTEM) {
		memmove(mf, mf + 1, (--mn->mn_n - i) * sizeof(*mf));
		return (1);
	}
	while (i > 0 && mn->mn_files[i - 1].mf_tenant == tenant)
		i--;
	jb->jb_file = i;
	manifest_drop(mn, tenant);
	(void)snprintf(dir, sizeof(dir), "%s/tenants/%u", ma->ma_dir, tenant);
	remove_all(dir);
	return (1);
}

struct planned {
	struct job	*pl_job;
	const char	*pl_name;
	int		 pl_failed;
};

static void
plan_log(uint32_t tenant, uint32_t month, void *arg)
{
	struct planned	*pl = arg;

	if (manifest_add(&pl->pl_job->jb_mn, tenant, month, pl->pl_name) ==
	    NULL)
		pl->pl_failed = 1;
}

static int
plan_one(struct job *jb, uint32_t tenant, const char *name)
{
	struct planned	 pl = { jb, name, 0 };

	if (manifest_add(&jb->jb_mn, tenant, 0, name) == NULL)
		return (-1);
	(void)db_log_each(tenant, plan_log, &pl);
	return (pl.pl_failed ? -1 : 0);
}

int
job_room(uint64_t bytes)
{
	struct statvfs	 vfs;

	return (statvfs(".", &vfs) == 0 && (uint64_t)vfs.f_bavail *
	    vfs.f_frsize >= bytes + ROOM);
}

/* What there is to copy, as far as that can be seen, and room for it? */
static int
make_room(struct job *jb)
{
	char			 path[MANIFEST_PATH];
	struct stat		 st;
	uint64_t		 need = 0;
	size_t			 i;

	for (i = 0; i < jb->jb_mn.mn_n; i++)
		if (manifest_path(path, ".", &jb->jb_mn.mn_files[i]) == 0 &&
		    stat(path, &st) == 0)
			need += (uint64_t)st.st_size;
	jb->jb_out->ou_total = need;
	return (job_room(need) ? 1 : job_fail(jb, "the disk has no room for "
	    "its %llu MB", (unsigned long long)((need >> 20) + 1)));
}

static int
make_plan(struct job *jb)
{
	struct make	*ma = jb->jb_data;
	struct tenant	*tn;
	struct manifest	*mn = &jb->jb_mn;
	char		 path[MANIFEST_PATH];
	uint64_t	 at;

	/* A newer one has a larger stamp, whatever the clock says. */
	mn->mn_at = at = jb->jb_began = now_ms();
	if (at < newest + SECOND)
		at = newest + SECOND;
	if (mn->mn_at == 0 || stamp_text(mn->mn_stamp, at) == -1)
		return (job_fail(jb, "the clock is not right"));
	(void)snprintf(path, sizeof(path), BACKUP_DIR "/%s", mn->mn_stamp);
	(void)strlcpy(jb->jb_out->ou_stamp, mn->mn_stamp, STAMP_TEXT);
	(void)snprintf(ma->ma_dir, sizeof(ma->ma_dir), "%.40s.part", path);
	access_flush();
	places_write();
	(void)db_commit_all();
	if (plan_one(jb, DB_SYSTEM, "-") == -1)
		return (job_fail(jb, "no memory"));
	RB_FOREACH(tn, tenant_tree, &tenant_all)
		if (plan_one(jb, tn->tn_id, tn->tn_name) == -1)
			return (job_fail(jb, "no memory"));
	(void)snprintf(path, sizeof(path), "%.40s/tenants", ma->ma_dir);
	if (make_room(jb) == -1)
		return (-1);
	if (db_make_dir(BACKUP_DIR) == -1 || db_make_dir(ma->ma_dir) == -1 ||
	    db_make_dir(path) == -1)
		return (job_fail(jb, "its directory cannot be made"));
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
make_next(struct job *jb)
{
	struct make		*ma = jb->jb_data;
	struct manifest_file	*mf;
	char			 path[MANIFEST_PATH];
	enum db_why		 why;

	if (jb->jb_file == jb->jb_mn.mn_n) {
		ma->ma_at = MAKE_WRITE;
		return (1);
	}
	mf = &jb->jb_mn.mn_files[jb->jb_file];
	if (tenant_gone(mf))
		return (make_leave_out(jb, 0));
	ma->ma_from = db_open_copy(DB_NOW, "", mf->mf_tenant, mf->mf_month,
	    &why);
	if (ma->ma_from == NULL) {
		if ((mf->mf_month == 0 || why != DB_MISSING) && make_fault(jb,
		    mf->mf_name, mf->mf_month == 0 ? db_why_text(why) :
		    "an access log of it is damaged") == -1)
			return (-1);
		return (make_leave_out(jb, mf->mf_month != 0));
	}
	(void)snprintf(path, sizeof(path), "%.40s/tenants/%u", ma->ma_dir,
	    mf->mf_tenant);
	if (mf->mf_tenant != DB_SYSTEM && db_make_dir(path) == -1)
		return (job_fail(jb, "its directory cannot be made"));
	job_path(jb, ".part", mf, path);
	if ((ma->ma_copy = db_copy_begin(ma->ma_from, path)) == NULL)
		return (job_fail(jb, "%s cannot be made", path));
	ma->ma_at = MAKE_COPY;
	return (1);
}

static int
make_copy(struct job *jb)
{
	struct make	*ma = jb->jb_data;
	uint64_t	 bytes = 0;
	int		 n;

	n = db_copy_step(ma->ma_copy, &bytes);
	jb->jb_out->ou_done = ma->ma_done + bytes;
	if (n == 1)
		return (1);
	ma->ma_done += bytes;
	db_copy_end(ma->ma_copy);
	ma->ma_copy = NULL;
	if (n == -1)
		return (job_fail(jb, "it cannot be written: is the disk "
		    "full?"));
	ma->ma_tally = tally_new(ma->ma_from,
	    &jb->jb_mn.mn_files[jb->jb_file], 0);
	if (ma->ma_tally == NULL)
		return (job_fail(jb, "no memory"));
	ma->ma_at = MAKE_TALLY;
	return (1);
}

/* What is counted in the file itself, the copy has to have as well. */
static int
make_tally(struct job *jb)
{
	struct make		*ma = jb->jb_data;
	struct manifest_file	*mf = &jb->jb_mn.mn_files[jb->jb_file];
	char			 path[MANIFEST_PATH], why[MAX_LINE + 1];
	int			 n;

	if ((n = tally_step(ma->ma_tally, why)) == 1)
		return (1);
	make_release(ma);
	job_path(jb, ".part", mf, path);
	if ((ma->ma_check = check_first(path, mf)) == NULL)
		return (job_fail(jb, "no memory"));
	ma->ma_at = MAKE_CHECK;
	return (n == -1 ? make_fault(jb, mf->mf_name, why) : 1);
}

/* A copy that is like a damaged file is still better than none. */
static int
make_check(struct job *jb)
{
	struct make	*ma = jb->jb_data;
	char		 why[MAX_LINE + 1];
	const char	*name = jb->jb_mn.mn_files[jb->jb_file].mf_name;
	uint64_t	 bytes = 0;
	int		 n;

	if ((n = check_step(ma->ma_check, &bytes, why)) == 1)
		return (1);
	if (n == -1 && tenant_gone(&jb->jb_mn.mn_files[jb->jb_file]))
		return (make_leave_out(jb, 0));
	make_release(ma);
	ma->ma_at = MAKE_NEXT;
	jb->jb_file++;
	return (n == -1 ? make_fault(jb, name, why) : 1);
}

/* All directories, then the manifest, then the name that counts. */
static int
make_write(struct job *jb)
{
	struct make	*ma = jb->jb_data;
	char		 path[MANIFEST_PATH];
	struct state	 sa = { 0 };
	size_t		 i;

	for (i = 0; i < jb->jb_mn.mn_n; i++) {
		(void)snprintf(path, sizeof(path), "%.40s/tenants/%u",
		    ma->ma_dir, jb->jb_mn.mn_files[i].mf_tenant);
		if (jb->jb_mn.mn_files[i].mf_month == 0 &&
		    jb->jb_mn.mn_files[i].mf_tenant != DB_SYSTEM &&
		    dir_sync(path) == -1)
			return (job_fail(jb, "it cannot be written"));
	}
	jb->jb_mn.mn_took = now_ms() - jb->jb_began;
	(void)snprintf(path, sizeof(path), "%.40s/tenants", ma->ma_dir);
	if (dir_sync(path) == -1 || manifest_store(jb, ma->ma_dir) == -1 ||
	    dir_sync(ma->ma_dir) == -1)
		return (job_fail(jb, "its manifest cannot be written"));
	(void)snprintf(path, sizeof(path), BACKUP_DIR "/%s",
	    jb->jb_mn.mn_stamp);
	if (rename(ma->ma_dir, path) == -1 || dir_sync(BACKUP_DIR) == -1)
		return (job_fail(jb, "its name cannot be written"));
	(void)stamp_read(jb->jb_mn.mn_stamp, &newest);
	made = jb->jb_mn.mn_at;
	sa.sa_verified = jb->jb_out->ou_n == 0 ? now_ms() : 0;
	(void)strlcpy(sa.sa_fault, jb->jb_out->ou_why, sizeof(sa.sa_fault));
	state_put(jb->jb_mn.mn_stamp, &sa);
	/* Of what is missing in this one the old ones may have the last. */
	if (jb->jb_out->ou_n > 0)
		return (0);
	ma->ma_at = MAKE_TRIM;
	return (1);
}

/* Those that are more than should be kept, the oldest first. */
static int
make_trim(struct job *jb)
{
	struct make	*ma = jb->jb_data;
	struct db	*sys = db_system();
	char		 path[MANIFEST_PATH], first[STAMP_TEXT];
	char		 last[STAMP_TEXT];

	(void)jb;
	if (ma->ma_gone[0] != '\0') {
		if (remove_some(ma->ma_gone) == 1)
			return (1);
		ma->ma_gone[0] = '\0';
	}
	if (generations("", first, last) <= storage_conf->sc_backup_keep ||
	    strcmp(first, jb->jb_mn.mn_stamp) >= 0) {
		if (sys != NULL && first[0] != '\0')
			(void)db_exec(sys, S_BACKUP_DEL,
			    ARGS(NUM(stamp_row(first))));
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
make_clean(struct job *jb)
{
	struct make	*ma = jb->jb_data;
	char		 path[MANIFEST_PATH];

	if (leftover(path)) {
		if (remove_some(path) == -1)
			return (job_fail(jb, "%s cannot be removed", path));
		return (1);
	}
	ma->ma_at = MAKE_PLAN;
	return (1);
}

static int
make_step(struct job *jb)
{
	static int	(*const steps[])(struct job *) = {
		make_clean, make_plan, make_next, make_copy, make_tally,
		make_check, make_write, make_trim
	};

	return (steps[((struct make *)jb->jb_data)->ma_at](jb));
}

static void	 rehearse_due(void);

static void
make_end(struct job *jb, int ok)
{
	struct make	*ma = jb->jb_data;

	make_release(ma);
	if (!ok && ma->ma_dir[0] != '\0')
		remove_all(ma->ma_dir);		/* what is not the name yet */
	if (ma->ma_daily && !ok)
		retry_mono = mono_ms() + RETRY;
	job_note(jb, "made");
	if (ok && ma->ma_daily)
		rehearse_due();
	free(ma);
}

static int
make_begin(struct job *jb, int daily)
{
	struct make	*ma;

	if ((ma = calloc(1, sizeof(*ma))) == NULL)
		return (-1);
	ma->ma_daily = daily;
	jb->jb_data = ma;
	jb->jb_step = make_step;
	jb->jb_end = make_end;
	return (0);
}

const char *
backup_now(struct request *rq)
{
	struct job	*jb;
	const char	*why;

	if ((why = job_asked(&jb, NULL)) != NULL)
		return (why);
	if (make_begin(jb, 0) == -1) {
		job_free(jb);
		return ("no memory");
	}
	return (job_answer(rq, jb, 1));
}

/*
 * Verify one.
 */

static int
verify_step(struct job *jb)
{
	struct check			*ck = jb->jb_data;
	const struct manifest_file	*mf;
	char				 path[MANIFEST_PATH];
	char				 why[MAX_LINE + 1];
	int				 n;

	if (jb->jb_file == jb->jb_mn.mn_n)
		return (0);
	mf = &jb->jb_mn.mn_files[jb->jb_file];
	job_path(jb, "", mf, path);
	if (ck == NULL) {
		jb->jb_data = ck = check_new(path, mf);
		return (ck == NULL ? job_fail(jb, "no memory") : 1);
	}
	if ((n = check_step(ck, &jb->jb_out->ou_done, why)) == 1)
		return (1);
	check_free(ck);
	jb->jb_data = NULL;
	jb->jb_file++;
	if (n == -1)
		n = job_part(jb, mf->mf_name, 0, "%s: %.900s", path +
		    sizeof(BACKUP_DIR) + STAMP_TEXT, why);
	else
		n = job_part(jb, mf->mf_name, 1, "%s: whole", path +
		    sizeof(BACKUP_DIR) + STAMP_TEXT);
	return (n == -1 ? -1 : 1);
}

static void
verify_end(struct job *jb, int ok)
{
	struct state	 sa;

	check_free(jb->jb_data);
	state_get(jb->jb_mn.mn_stamp, &sa);
	sa.sa_verified = ok ? now_ms() : 0;
	(void)strlcpy(sa.sa_fault, ok ? "" : jb->jb_out->ou_why,
	    sizeof(sa.sa_fault));
	state_put(jb->jb_mn.mn_stamp, &sa);
	job_note(jb, "verified");
}

const char *
backup_verify(struct request *rq, const struct m_c_backup *m)
{
	struct job	*jb;
	const char	*why;

	if ((why = job_asked(&jb, m->stamp)) != NULL)
		return (why);
	jb->jb_out->ou_total = manifest_bytes(&jb->jb_mn);
	jb->jb_step = verify_step;
	jb->jb_end = verify_end;
	return (job_answer(rq, jb, 0));
}

/*
 * Restore one, and rehearse that.
 */

const char *
backup_restore(struct request *rq, const struct m_c_backup *m)
{
	static char	 text[MAX_LINE + 1];
	struct job	*jb;
	const char	*why;

	if ((why = job_asked(&jb, m->stamp)) != NULL)
		return (why);
	jb->jb_op = rq->rq_op;
	if (restore_begin(jb, m->tenant) == -1) {
		(void)strlcpy(text, jb->jb_out->ou_why, sizeof(text));
		job_free(jb);
		return (text);
	}
	return (job_answer(rq, jb, 0));
}

void
restore_noted(struct job *jb)
{
	job_note(jb, "restored");
}

void
rehearsal_noted(struct job *jb)
{
	struct state	 sa;

	state_get(jb->jb_mn.mn_stamp, &sa);
	if (jb->jb_out->ou_ok)
		sa.sa_rehearsed = now_ms();
	(void)strlcpy(sa.sa_fault, jb->jb_out->ou_why, sizeof(sa.sa_fault));
	state_put(jb->jb_mn.mn_stamp, &sa);
	job_note(jb, "rehearsed");
}

const char *
backup_rehearse(struct request *rq)
{
	struct job	*jb;
	const char	*why;

	if ((why = job_asked(&jb, "")) != NULL)
		return (why);
	if (rehearse_begin(jb) == -1) {
		job_free(jb);
		return ("no memory");
	}
	return (job_answer(rq, jb, 0));
}

/* When any of those that are there was rehearsed last. */
static uint64_t
rehearsed_last(void)
{
	char		 stamp[STAMP_TEXT] = "";
	struct state	 sa;
	uint64_t	 at = 0;

	while (next(stamp)) {
		state_get(stamp, &sa);
		if (sa.sa_rehearsed > at)
			at = sa.sa_rehearsed;
	}
	return (at);
}

/* With the daily one, a week after the last rehearsal or an hour less. */
static void
rehearse_due(void)
{
	struct job	*jb;
	uint64_t	 last = rehearsed_last(), now = now_ms();

	if (now > last && now - last < WEEK - RETRY)
		return;
	if (job_asked(&jb, "") != NULL)
		return;
	if (rehearse_begin(jb) == -1)
		job_free(jb);
	else
		job_start(jb);
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
	struct job	*jb;

	if (job != NULL || due == 0 || mono < retry_mono)
		return;
	if ((outdated == 0 || made > outdated) &&
	    ((made >= due && made < now + DAY_SECONDS * SECOND) ||
	    (due < started && mono - start_mono < LATE)))
		return;
	if ((jb = job_new()) == NULL)
		return;
	if (make_begin(jb, 1) == -1)
		job_free(jb);
	else
		job_start(jb);
}

void
backup_outdated(void)
{
	outdated = now_ms();
}

static int
sweep_step(struct job *jb)
{
	char	 path[MANIFEST_PATH];

	(void)jb;
	return (leftover(path) ? remove_some(path) == -1 ? -1 : 1 : 0);
}

void
backup_start(void)
{
	char		 first[STAMP_TEXT], last[STAMP_TEXT];
	char		 path[MANIFEST_PATH];
	struct tenant	*tn;
	struct job	*jb;

	evtimer_set(&turn_ev, turn, NULL);
	started = now_ms();
	start_mono = mono_ms();
	if (generations("", first, last) > 0)
		(void)stamp_read(last, &newest);
	made = newest;
	RB_FOREACH(tn, tenant_tree, &tenant_all)
		restore_clean(tn->tn_id);
	if (!leftover(path) || (jb = job_new()) == NULL)
		return;
	jb->jb_step = sweep_step;
	job_start(jb);
}
