/*
 * What an operator should look at: attacks and faults, each under a name of
 * its own, once for each tenant, with how often and since when (F11).  It is
 * raised wherever it is met, also in the middle of a transaction or on a full
 * disk: system.db has it a moment later, or when it can be written again.
 */
#include <endian.h>
#include <sys/statvfs.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "msg.h"
#include "storage.h"
#include "utf8.h"
#include "util.h"

#define TEXT		400
#define NOTICES_MAX	512
#define SAY_EACH	(60 * SECOND)	/* in the log, of one alert */
#define WRITE_AFTER	500		/* ms, then what is new */
#define WRITE_MAX	8		/* in one turn */
#define LOOK_EACH	(10 * SECOND)	/* at the disk */
#define WINDOW		(600 * SECOND)	/* that failures count in */
#define MANY		50		/* failures in it */
#define DISK_PERCENT	5		/* free at least, and bytes */
#define DISK_BYTES	(64ULL << 20)
#define CERT_LEFT	(14 * DAY)
#define SETTLE		(10 * SECOND)	/* sessions forget old grants */
#define SEEN		4096		/* cookies whose tenant is known */

static const struct {
	const char	*name;
	int		 critical;
} kinds[ALERT_MAX] = {
	[ALERT_ATTACK] = { "account-list", 0 },
	[ALERT_AUDIT] = { "audit-broken", 1 },
	[ALERT_BACKUP] = { "backup-failed", 1 },
	[ALERT_CERT] = { "certificate-ends", 0 },
	[ALERT_CHECKPOINT] = { "checkpoint-missing", 0 },
	[ALERT_DATA] = { "data-damaged", 1 },
	[ALERT_DISK] = { "disk-low", 1 },
	[ALERT_FAILURES] = { "sign-ins-fail", 0 },
	[ALERT_FOREIGN] = { "cookie-foreign", 1 },
	[ALERT_FORGED] = { "cookie-forged", 1 },
	[ALERT_GRANT] = { "grant-unknown", 1 },
	[ALERT_BROKEN] = { "process-broken", 1 },
	[ALERT_DIED] = { "process-died", 0 },
	[ALERT_UNKNOWN] = { "cookies-unknown", 0 },
	[ALERT_WRITE] = { "write-failed", 1 },
};

struct notice {
	TAILQ_ENTRY(notice) no_entry;	/* the last one at the end */
	enum alert_kind	 no_kind;
	uint32_t	 no_tenant;
	uint64_t	 no_row;	/* where it is kept; 0: nowhere yet */
	uint64_t	 no_first, no_last, no_count;	/* ms */
	uint64_t	 no_said;		/* mono ms; 0: never */
	uint64_t	 no_unsaid;
	int		 no_dirty;
	char		 no_text[TEXT];
};

static TAILQ_HEAD(, notice) notices = TAILQ_HEAD_INITIALIZER(notices);
static unsigned int	 nnotices;
static uint64_t		 born, cert_until;
static struct event	 write_ev;
static int		 writable, armed;

/* Of cookies that were good: enough of the hash to know one again. */
static struct {
	uint64_t	 part;
	uint32_t	 tenant;
} seen[SEEN];

static struct notice *
notice_find(enum alert_kind kind, uint32_t tenant)
{
	struct notice	*no;

	TAILQ_FOREACH(no, &notices, no_entry)
		if (no->no_kind == kind && no->no_tenant == tenant)
			return (no);
	return (NULL);
}

static void
notice_free(struct notice *no)
{
	TAILQ_REMOVE(&notices, no, no_entry);
	nnotices--;
	free(no);
}

/* The one that has been quiet for longest makes room. */
static struct notice *
notice_get(enum alert_kind kind, uint32_t tenant)
{
	struct notice	*no = notice_find(kind, tenant);

	if (no != NULL) {
		TAILQ_REMOVE(&notices, no, no_entry);
		TAILQ_INSERT_TAIL(&notices, no, no_entry);
		return (no);
	}
	if ((no = calloc(1, sizeof(*no))) == NULL)
		return (NULL);
	if (nnotices >= NOTICES_MAX)
		notice_free(TAILQ_FIRST(&notices));
	no->no_kind = kind;
	no->no_tenant = tenant;
	TAILQ_INSERT_TAIL(&notices, no, no_entry);
	nnotices++;
	return (no);
}

/* One line with a fixed beginning, for whoever watches the log. */
static void
notice_say(struct notice *no)
{
	struct tenant	*tn = tenant_by_id(no->no_tenant);
	uint64_t	 now = mono_ms();
	char		 more[64] = "";

	if (no->no_said != 0 && now - no->no_said < SAY_EACH) {
		no->no_unsaid++;
		return;
	}
	if (no->no_unsaid != 0)
		(void)snprintf(more, sizeof(more),
		    "; %llu more since the last such line",
		    (unsigned long long)no->no_unsaid);
	log_warnx("alert %s: %s%s%s%s", kinds[no->no_kind].name,
	    tn == NULL ? "" : tn->tn_name, tn == NULL ? "" : ": ",
	    no->no_text, more);
	no->no_said = now;
	no->no_unsaid = 0;
}

/* Not at once: who raises it may be in the middle of something. */
static void
write_later(void)
{
	struct timeval	 tv = { 0, WRITE_AFTER * 1000 };

	if (writable && !armed && evtimer_add(&write_ev, &tv) == 0)
		armed = 1;
}

void
alert_raise(enum alert_kind kind, uint32_t tenant, const char *fmt, ...)
{
	struct notice	*no;
	va_list		 ap;

	if ((no = notice_get(kind, tenant)) == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(no->no_text, sizeof(no->no_text), fmt, ap);
	va_end(ap);
	no->no_last = now_ms();
	if (no->no_count++ == 0)
		no->no_first = no->no_last;
	no->no_dirty = 1;
	notice_say(no);
	write_later();
}

/*
 * Kept in system.db, sealed: what is cleared there comes back from nowhere.
 */

#define BIND	(sizeof(uint64_t) + MAX_LABEL)

static void
notice_bind(uint8_t bind[BIND], uint32_t tenant, const char *name)
{
	uint64_t	 id = htobe64(tenant);

	memset(bind, 0, BIND);
	memcpy(bind, &id, sizeof(id));
	memcpy(bind + sizeof(id), name, strnlen(name, MAX_LABEL));
}

static int
notice_write(struct db *sys, struct notice *no)
{
	const char	*name = kinds[no->no_kind].name;
	uint8_t		 bind[BIND];
	struct seal_at	 at = { "notices", "entry", 0, 0, bind, BIND };
	struct ibuf	*buf;
	void		*rec;
	size_t		 len;
	int		 n;

	if ((no->no_row == 0 && db_next_id(sys, "notices", &no->no_row) ==
	    -1) || (buf = ibuf_dynamic(64, SEAL_MAX)) == NULL)
		return (-1);
	at.sa_row = no->no_row;
	notice_bind(bind, no->no_tenant, name);
	if (ibuf_add_n64(buf, no->no_first) == -1 ||
	    ibuf_add_n64(buf, no->no_last) == -1 ||
	    ibuf_add_n64(buf, no->no_count) == -1 ||
	    ibuf_add(buf, no->no_text, strlen(no->no_text) + 1) == -1) {
		ibuf_free(buf);
		return (-1);
	}
	if ((rec = seal_buf(sys, &at, buf, &len)) == NULL)
		return (-1);
	n = db_exec(sys, S_NOTICE_PUT, ARGS(NUM(no->no_row), TXT(name),
	    NUM(no->no_tenant), BIN(rec, len)));
	free(rec);
	return (n == -1 ? -1 : 0);
}

static enum alert_kind
kind_named(const char *name)
{
	enum alert_kind	 kind;

	for (kind = 0; kind < ALERT_MAX; kind++)
		if (strcmp(kinds[kind].name, name) == 0)
			break;
	return (kind);
}

/* What has been raised since the start is added to what is kept. */
static void
notice_load(struct db *sys, sqlite3_stmt *st)
{
	const char	*name = (const char *)sqlite3_column_text(st, 1);
	uint32_t	 tenant = (uint32_t)db_col_num(st, 2);
	uint8_t		 bind[BIND];
	struct seal_at	 at = { "notices", "entry", db_col_num(st, 0), 0,
			    bind, BIND };
	struct notice	*no, old = { .no_count = 0 };
	struct ibuf	 buf;
	enum alert_kind	 kind;
	void		*text;
	size_t		 len;

	if (name == NULL || (kind = kind_named(name)) == ALERT_MAX)
		return;
	notice_bind(bind, tenant, name);
	if ((text = db_open(sys, &at, st, 3, &len)) == NULL)
		return;
	ibuf_from_buffer(&buf, text, len);
	if (ibuf_get_n64(&buf, &old.no_first) == 0 &&
	    ibuf_get_n64(&buf, &old.no_last) == 0 &&
	    ibuf_get_n64(&buf, &old.no_count) == 0 &&
	    get_cstr(&buf, old.no_text, sizeof(old.no_text)) == 0 &&
	    (no = notice_get(kind, tenant)) != NULL) {
		no->no_row = at.sa_row;
		no->no_first = old.no_first;
		no->no_count += old.no_count;
		if (no->no_last == 0) {
			no->no_last = old.no_last;
			(void)strlcpy(no->no_text, old.no_text,
			    sizeof(no->no_text));
		}
	}
	free(text);
}

static void
notices_write(unsigned int max)
{
	struct notice	*no;
	struct db	*sys = NULL;

	TAILQ_FOREACH(no, &notices, no_entry) {
		if (!no->no_dirty)
			continue;
		if (max-- == 0) {
			write_later();
			return;
		}
		if ((sys == NULL && (sys = db_system()) == NULL) ||
		    notice_write(sys, no) == -1)
			return;		/* the next tick tries again */
		no->no_dirty = 0;
	}
}

static void
write_turn(int fd, short ev, void *arg)
{
	(void)fd;
	(void)ev;
	(void)arg;
	armed = 0;
	notices_write(WRITE_MAX);
}

void
alert_start(void)
{
	struct db	*sys = db_system();
	sqlite3_stmt	*st;

	born = mono_ms();
	evtimer_set(&write_ev, write_turn, NULL);
	writable = 1;
	if (sys == NULL)
		return;
	st = db_query(sys, S_NOTICES, NOARGS);
	while (db_step(sys, st) == 1)
		notice_load(sys, st);
	db_done(st);
	write_later();
}

void
alert_flush(void)
{
	if (writable)
		notices_write(NOTICES_MAX);
}

/*
 * What is met elsewhere.
 */

/* One more of late: 1 when there have been many, and they count anew. */
static int
many(uint64_t *begun, unsigned int *n)
{
	uint64_t	 now = mono_ms();

	if (*begun == 0 || now - *begun >= WINDOW) {
		*begun = now;
		*n = 0;
	}
	if (++*n < MANY)
		return (0);
	*begun = 0;
	return (1);
}

void
alert_failed(uint32_t tenant)
{
	struct tenant	*tn = tenant_by_id(tenant);

	if (tn != NULL && many(&tn->tn_failed.begun, &tn->tn_failed.n))
		alert_raise(ALERT_FAILURES, tenant, "%d sign-ins have failed "
		    "within ten minutes", MANY);
}

void
alert_token(uint32_t tenant, const uint8_t sha[TOKEN_LEN], int found)
{
	struct tenant	*tn = tenant_by_id(tenant), *other;
	uint64_t	 part;
	size_t		 i;

	memcpy(&part, sha, sizeof(part));
	i = part % SEEN;
	if (found == 1) {
		seen[i].part = part;
		seen[i].tenant = tenant;
	} else if (found == -1)
		alert_raise(ALERT_FORGED, tenant, "a sign-in in the data was "
		    "not written by risad");
	else if (seen[i].part == part && seen[i].tenant != tenant &&
	    (other = tenant_by_id(seen[i].tenant)) != NULL)
		alert_raise(ALERT_FOREIGN, tenant, "a cookie of tenant %s was "
		    "shown here", other->tn_name);
	else if (tn != NULL && many(&tn->tn_unknown.begun, &tn->tn_unknown.n))
		alert_raise(ALERT_UNKNOWN, tenant, "%d unknown cookies were "
		    "shown within ten minutes", MANY);
}

/* Right after our start sessions may still have grants of our last life. */
void
alert_grant(const struct peer *pe)
{
	if (mono_ms() - born >= SETTLE)
		alert_raise(ALERT_GRANT, DB_SYSTEM, "session %u: a grant that "
		    "it was never given", pe->pe_inst);
}

void
alert_died(const struct m_died *m)
{
	if (m->sig != 0)
		alert_raise(ALERT_DIED, DB_SYSTEM, "%s %u was ended by signal "
		    "%u", proc_title(m->proc), m->inst, m->sig);
	else
		alert_raise(ALERT_DIED, DB_SYSTEM, "%s %u ended with code %u",
		    proc_title(m->proc), m->inst, m->code);
}

/*
 * What is looked for.
 */

void
alert_cert(uint64_t until)
{
	cert_until = until;
}

static void
look_cert(void)
{
	static uint64_t	 next, of;
	char		 at[TIME_TEXT];

	/* Another certificate is looked at without delay. */
	if (cert_until == 0 || (cert_until == of && mono_ms() < next))
		return;
	of = cert_until;
	next = mono_ms() + DAY;
	if (cert_until < now_ms() + CERT_LEFT)
		alert_raise(ALERT_CERT, DB_SYSTEM, "the certificate of the "
		    "site ends %s", time_text(at, cert_until) == -1 ? "?" :
		    at);
}

static void
look_disk(void)
{
	struct statvfs	 sv;
	uint64_t	 left;

	if (statvfs(".", &sv) == -1 || sv.f_blocks == 0)
		return;
	left = (uint64_t)sv.f_bavail * sv.f_frsize;
	if (left < DISK_BYTES || sv.f_bavail < sv.f_blocks / 100 *
	    DISK_PERCENT)
		alert_raise(ALERT_DISK, DB_SYSTEM, "%llu MB are left where "
		    "the data is", (unsigned long long)(left >> 20));
}

static void
look_writes(void)
{
	static uint64_t	 failed;

	if (db_stats.ds_failed != failed)
		alert_raise(ALERT_WRITE, DB_SYSTEM, "%llu transactions could "
		    "not be written", (unsigned long long)(db_stats.ds_failed -
		    failed));
	failed = db_stats.ds_failed;
}

void
alert_tick(void)
{
	static uint64_t	 next;
	uint64_t	 now = mono_ms();

	look_cert();
	look_writes();
	if (now >= next) {
		look_disk();
		next = now + LOOK_EACH;
	}
	notices_write(WRITE_MAX);
}

/*
 * Commands.
 */

void
alert_list(struct request *rq, uint32_t tenant)
{
	struct m_c_alert_row	 m;
	struct notice		*no;
	struct tenant		*tn;

	TAILQ_FOREACH(no, &notices, no_entry) {
		tn = tenant_by_id(no->no_tenant);
		if ((tenant != DB_SYSTEM && no->no_tenant != tenant) ||
		    (no->no_tenant != DB_SYSTEM && tn == NULL))
			continue;
		m.name = kinds[no->no_kind].name;
		m.tenant = tn == NULL ? "" : tn->tn_name;
		m.critical = kinds[no->no_kind].critical != 0;
		m.first = no->no_first;
		m.last = no->no_last;
		m.count = no->no_count;
		m.text = utf8_valid(no->no_text, strlen(no->no_text)) ?
		    no->no_text : "";
		rq_answer(rq, IMSG_C_ALERT_ROW, &m);
	}
}

void
alert_forget(uint32_t tenant)
{
	struct notice	*no, *next;
	struct db	*sys = db_system();
	enum alert_kind	 kind;

	TAILQ_FOREACH_SAFE(no, &notices, no_entry, next)
		if (no->no_tenant == tenant)
			notice_free(no);
	/* Also those that have made room for others. */
	for (kind = 0; sys != NULL && kind < ALERT_MAX; kind++)
		(void)db_exec(sys, S_NOTICE_DEL, ARGS(TXT(kinds[kind].name),
		    NUM(tenant)));
}

int
alert_clear(const char *name)
{
	struct notice	*no, *next;
	struct db	*sys = db_system();
	enum alert_kind	 kind = kind_named(name);
	int		 n = 0;

	if (sys == NULL || (kind == ALERT_MAX && strcmp(name, "all") != 0))
		return (-1);
	TAILQ_FOREACH_SAFE(no, &notices, no_entry, next) {
		if (kind != ALERT_MAX && no->no_kind != kind)
			continue;
		if (db_exec(sys, S_NOTICE_DEL, ARGS(TXT(
		    kinds[no->no_kind].name), NUM(no->no_tenant))) == -1)
			return (-1);
		notice_free(no);
		n++;
	}
	return (n);
}
