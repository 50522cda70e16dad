#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "log.h"
#include "policy.h"
#include "proof.h"
#include "storage.h"
#include "utf8.h"
#include "util.h"

#define POINT_EACH	(60 * SECOND)	/* between checkpoints of a trail */
#define POINT_TENANTS	8		/* looked at in one tick */
#define PAGE_ROWS	100		/* shown to an administrator at once */
#define PAGE_POINTS	1000
#define WALK_ROWS	256		/* verified in one turn */
#define POINT_LATE	DAY	/* so long after its line one may be signed */
#define WATCH_EACH	DAY			/* all trails */

/* What is sealed of a trail; see storage.h. */
struct chain {
	uint8_t		 ch_key[TOKEN_LEN];
	uint64_t	 ch_seq, ch_before;
	uint8_t		 ch_head[TOKEN_LEN], ch_base[TOKEN_LEN];
};
#define CHAIN_LEN	(3 * TOKEN_LEN + 2 * 8)

static const struct seal_at	 chain_at = { "meta", "chain", 0, 0, NULL, 0 };
static int			 system_trail = 1;	/* as tn_trail */
static uint64_t			 system_point;		/* as tn_point */
static unsigned int		 waits;

static uint8_t *
put(uint8_t *p, const void *data, size_t len)
{
	memcpy(p, data, len);
	return (p + len);
}

static const uint8_t *
get(const uint8_t *p, void *data, size_t len)
{
	memcpy(data, p, len);
	return (p + len);
}

/* 0, or -1: there is none, or it does not open. */
static int
chain_get(struct db *db, struct chain *ch)
{
	sqlite3_stmt	*st;
	const uint8_t	*p;
	uint8_t		*text = NULL;
	size_t		 len;

	st = db_query(db, S_META_GET, ARGS(TXT("chain")));
	if (db_step(db, st) == 1)
		text = db_open(db, &chain_at, st, 0, &len);
	db_done(st);
	if (text == NULL || len != CHAIN_LEN) {
		free(text);
		return (-1);
	}
	p = get(text, ch->ch_key, sizeof(ch->ch_key));
	p = get(p, &ch->ch_seq, sizeof(ch->ch_seq));
	p = get(p, ch->ch_head, sizeof(ch->ch_head));
	p = get(p, &ch->ch_before, sizeof(ch->ch_before));
	(void)get(p, ch->ch_base, sizeof(ch->ch_base));
	ch->ch_seq = be64toh(ch->ch_seq);
	ch->ch_before = be64toh(ch->ch_before);
	freezero(text, len);
	return (0);
}

static int
chain_put(struct db *db, const struct chain *ch)
{
	uint8_t		 text[CHAIN_LEN], *p;
	uint64_t	 seq = htobe64(ch->ch_seq);
	uint64_t	 before = htobe64(ch->ch_before);
	void		*rec;
	size_t		 len;
	int		 n;

	p = put(text, ch->ch_key, sizeof(ch->ch_key));
	p = put(p, &seq, sizeof(seq));
	p = put(p, ch->ch_head, sizeof(ch->ch_head));
	p = put(p, &before, sizeof(before));
	(void)put(p, ch->ch_base, sizeof(ch->ch_base));
	rec = db_seal(db, &chain_at, text, sizeof(text), &len);
	explicit_bzero(text, sizeof(text));
	if (rec == NULL)
		return (-1);
	n = db_exec(db, S_META_SET, ARGS(TXT("chain"), BIN(rec, len)));
	free(rec);
	return (n == 1 ? 0 : -1);
}

/* The MAC of the line that follows head.  0, or -1. */
static int
chain_mac(const struct chain *ch, const uint8_t head[TOKEN_LEN], uint64_t id,
    uint64_t at, const char *text, uint8_t mac[TOKEN_LEN])
{
	uint8_t		 data[TOKEN_LEN + 8 + 8 + AUDIT_LINE], *p;
	unsigned int	 n = 0;

	id = htobe64(id);
	at = htobe64(at);
	p = put(data, head, TOKEN_LEN);
	p = put(p, &id, sizeof(id));
	p = put(p, &at, sizeof(at));
	p = put(p, text, strnlen(text, AUDIT_LINE));
	return (HMAC(EVP_sha256(), ch->ch_key, sizeof(ch->ch_key), data,
	    (size_t)(p - data), mac, &n) != NULL && n == TOKEN_LEN ? 0 : -1);
}

static int
line_add(struct db *db, const char *line)
{
	struct seal_at	 at = { "audit", "entry", 0, 0, NULL, 0 };
	struct chain	 ch;
	uint8_t		 mac[TOKEN_LEN];
	void		*rec = NULL;
	uint64_t	 now = now_ms();
	size_t		 len;
	int		 n = -1;

	if (chain_get(db, &ch) == -1)
		return (-1);
	at.sa_row = ++ch.ch_seq;
	if (chain_mac(&ch, ch.ch_head, at.sa_row, now, line, mac) == 0 &&
	    (rec = db_seal(db, &at, line, strlen(line), &len)) != NULL) {
		n = db_exec(db, S_AUDIT_ADD, ARGS(NUM(at.sa_row), NUM(now),
		    BIN(rec, len), BIN(mac, sizeof(mac))));
		memcpy(ch.ch_head, mac, sizeof(mac));
		if (n == 1 && chain_put(db, &ch) == -1)
			n = -1;
	}
	free(rec);
	explicit_bzero(&ch, sizeof(ch));
	return (n == 1 ? 0 : -1);
}

/* Something has been written that no checkpoint knows. */
static void
grown(uint32_t tenant)
{
	struct tenant	*tn;

	if (tenant == DB_SYSTEM)
		system_trail = 1;
	else if ((tn = tenant_by_id(tenant)) != NULL)
		tn->tn_trail = 1;
}

/* Committed alone if no transaction is open. */
static int
line_put(struct db *db, const char *line)
{
	int	 n, alone = !db->db_intx;

	if (alone && db_begin(db) == -1)
		return (-1);
	n = line_add(db, line);
	if (alone && (db_end(db, n == 0) == -1 || db_commit(db) == -1))
		n = -1;
	if (n == 0)
		grown(db->db_id);
	return (n);
}

int
audit_add(struct db *db, const char *fmt, ...)
{
	char	 line[AUDIT_LINE];
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0)
		return (-1);
	text_mend(line);
	return (line_put(db, line));
}

/*
 * Names beside a line.  What stands in the line is "\tnames " and the sum, at
 * its end: a tab is in no name.
 */
#define NAMES_SALT	16
#define NAMES_SUM	16		/* bytes of the hash */
#define NAMES_MARK	"\tnames "
#define NAMES_MAX	(AUDIT_LINE / 2)

static int
names_sum(const uint8_t *salted, size_t len, char hex[2 * NAMES_SUM + 1])
{
	uint8_t	 sum[TOKEN_LEN];

	if (sha256(sum, salted, len) == -1)
		return (-1);
	hex_encode(hex, sum, NAMES_SUM);
	return (0);
}

static int
names_put(struct db *db, uint32_t user, const uint8_t *salted, size_t len)
{
	struct seal_at	 at = { "audit_names", "names", 0, user, NULL, 0 };
	struct chain	 ch;
	void		*rec;
	size_t		 n;
	int		 ret;

	if (chain_get(db, &ch) == -1)
		return (-1);
	at.sa_row = ch.ch_seq;
	explicit_bzero(&ch, sizeof(ch));
	if ((rec = db_seal(db, &at, salted, len, &n)) == NULL)
		return (-1);
	ret = db_exec(db, S_AUDIT_NAMES_PUT, ARGS(NUM(at.sa_row), NUM(user),
	    BIN(rec, n)));
	free(rec);
	return (ret == 1 ? 0 : -1);
}

int
audit_add_names(struct db *db, uint32_t user, const char *names,
    const char *fmt, ...)
{
	uint8_t	 salted[NAMES_SALT + NAMES_MAX];
	char	 what[NAMES_MAX], whole[NAMES_MAX + 1];
	char	 hex[2 * NAMES_SUM + 1];
	size_t	 len;
	va_list	 ap;
	int	 n;

	(void)strlcpy(whole, names, sizeof(whole));
	text_mend(whole);
	len = strlen(whole);
	arc4random_buf(salted, NAMES_SALT);
	memcpy(salted + NAMES_SALT, whole, len);
	va_start(ap, fmt);
	n = vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (n < 0 || names_sum(salted, NAMES_SALT + len, hex) == -1)
		return (-1);
	if (audit_add(db, "%s" NAMES_MARK "%s", what, hex) == -1)
		return (-1);
	return (names_put(db, user, salted, NAMES_SALT + len));
}

/* The names of the line; malloc'ed, NULL: they have been erased. */
static char *
names_get(struct db *db, uint64_t line, const char *sum)
{
	struct seal_at	 at = { "audit_names", "names", line, 0, NULL, 0 };
	char		*salted = NULL, hex[2 * NAMES_SUM + 1];
	sqlite3_stmt	*st;
	size_t		 len = 0;

	st = db_query(db, S_AUDIT_NAMES_GET, ARGS(NUM(line)));
	if (db_step(db, st) == 1) {
		at.sa_version = db_col_num(st, 1);
		salted = db_open(db, &at, st, 0, &len);
		if (salted == NULL || len < NAMES_SALT ||
		    names_sum((uint8_t *)salted, len, hex) == -1 ||
		    strcmp(hex, sum) != 0) {
			free(salted);
			salted = strdup("(names that are not those of then)");
			len = 0;
		}
	}
	db_done(st);
	if (salted != NULL && len > 0)
		memmove(salted, salted + NAMES_SALT, len - NAMES_SALT + 1);
	return (salted);
}

/* A line as it is shown: takes the text, returns it with the names. */
static char *
names_show(struct db *db, uint64_t line, char *text)
{
	char	*mark, *names, *both;

	if (text == NULL || db->db_id == DB_SYSTEM ||
	    (mark = strstr(text, NAMES_MARK)) == NULL ||
	    strlen(mark) != sizeof(NAMES_MARK) - 1 + 2 * NAMES_SUM)
		return (text);
	names = names_get(db, line, mark + sizeof(NAMES_MARK) - 1);
	*mark = '\0';
	if (asprintf(&both, "%s %s", text, names == NULL ?
	    "(names erased)" : names) == -1)
		both = NULL;
	free(names);
	free(text);
	return (both);
}

/*
 * A line that does not open is linked as an empty one: whoever verifies the
 * trail is told, and the tenant has his data.
 */
int
audit_migrated(struct db *db, int version)
{
	struct seal_at	 at = { "audit", "entry", 0, 0, NULL, 0 };
	struct chain	 ch = { .ch_seq = 0 };
	sqlite3_stmt	*st;
	char		*text;
	uint64_t	 when;
	size_t		 len;
	int		 n;

	if (db->db_month != 0 ||
	    version != (db->db_id == DB_SYSTEM ? 3 : 8))
		return (0);
	arc4random_buf(ch.ch_key, sizeof(ch.ch_key));
	for (;;) {
		st = db_query(db, S_AUDIT_WALK, ARGS(NUM(at.sa_row), NUM(1)));
		if ((n = db_step(db, st)) != 1)
			break;
		at.sa_row = db_col_num(st, 0);
		when = db_col_num(st, 1);
		text = db_open(db, &at, st, 2, &len);
		db_done(st);
		if (ch.ch_seq == 0)
			ch.ch_before = at.sa_row - 1;
		n = chain_mac(&ch, ch.ch_head, at.sa_row, when,
		    text == NULL ? "" : text, ch.ch_head);
		free(text);
		if (n == -1 || db_exec(db, S_AUDIT_MAC, ARGS(NUM(at.sa_row),
		    BIN(ch.ch_head, sizeof(ch.ch_head)))) != 1)
			return (-1);
		ch.ch_seq = at.sa_row;
	}
	db_done(st);
	return (n == 0 ? chain_put(db, &ch) : -1);
}

/* What does not open may tell of somebody who is held. */
static int
line_held(struct db *db, sqlite3_stmt *st)
{
	struct seal_at	 at = { "audit", "entry", db_col_num(st, 0), 0, NULL,
			    0 };
	char		*text;
	size_t		 len;
	int		 held;

	text = db_open(db, &at, st, 2, &len);
	held = text == NULL || hold_line(db, text) != 0;
	free(text);
	return (held);
}

/*
 * What was written while the clock was ahead, or not set yet, is as old as what
 * follows.
 */
static int
line_old(struct db *db, sqlite3_stmt *st, uint64_t before, struct dated *next)
{
	uint64_t	 id = db_col_num(st, 0), at = db_col_num(st, 1);

	if (at >= RETAIN_SINCE && at <= now_ms())
		return (at < before);
	if (id >= next->dt_id &&
	    retain_next(db, S_AUDIT_NEXT, id, next) == -1)
		return (0);
	return (next->dt_at < before);
}

/* The chain begins behind what has gone. */
int
audit_purge(struct db *db, uint64_t before, unsigned int max)
{
	struct chain	 ch;
	struct dated	 next = { 0, 0 };
	sqlite3_stmt	*st;
	const void	*mac;
	size_t		 len;
	uint64_t	 from;
	int		 n, held = 0;

	if ((db->db_id != DB_SYSTEM && (held = hold_any(db)) == -1) ||
	    chain_get(db, &ch) == -1)
		return (-1);
	from = ch.ch_before;
	st = db_query(db, S_AUDIT_WALK, ARGS(NUM(from), NUM(max)));
	while ((n = db_step(db, st)) == 1) {
		mac = db_col_bin(st, 3, &len);
		if (!line_old(db, st, before, &next) || len != TOKEN_LEN ||
		    db_col_num(st, 0) >= ch.ch_seq ||
		    (held && line_held(db, st)))
			break;
		ch.ch_before = db_col_num(st, 0);
		memcpy(ch.ch_base, mac, TOKEN_LEN);
	}
	db_done(st);
	if (n == -1 || (ch.ch_before != from && (db_exec(db, S_PURGE_AUDIT,
	    ARGS(NUM(ch.ch_before))) == -1 || db_exec(db, S_PURGE_POINTS,
	    ARGS(NUM(ch.ch_before))) == -1 || (db->db_id != DB_SYSTEM &&
	    db_exec(db, S_PURGE_NAMES, ARGS(NUM(ch.ch_before))) == -1) ||
	    chain_put(db, &ch) == -1)))
		n = -1;
	else
		n = (int)(ch.ch_before - from);
	explicit_bzero(&ch, sizeof(ch));
	return (n);
}

/*
 * Checkpoints.
 */

/* What fails now is tried again. */
static void
point_ask(struct db *db, uint32_t tenant, const char *name)
{
	struct m_prove	 m = { tenant, name, PROOF_CHECKPOINT, 0, now_ms(),
			    { 0 } };
	struct chain	 ch;
	uint64_t	 last = 0;

	/* What is not on the disk is not vouched for. */
	if (db_commit(db) == -1 || chain_get(db, &ch) == -1) {
		grown(tenant);
		return;
	}
	m.seq = ch.ch_seq;
	memcpy(m.sum, ch.ch_head, sizeof(m.sum));
	explicit_bzero(&ch, sizeof(ch));
	if (db_number(db, S_POINT_LAST, NOARGS, &last) == 0 && m.seq <= last)
		return;
	if (proc_send(keys_peer(), IMSG_PROVE, 0, -1, &m) == 0)
		waits++;
	else
		grown(tenant);
}

static void
point_tenant(struct tenant *tn, uint64_t now)
{
	struct db	*db;

	tn->tn_point = now + POINT_EACH;
	if ((db = tenant_enter(tn)) == NULL)
		return;
	tn->tn_trail = 0;
	point_ask(db, tn->tn_id, tn->tn_name);
	tenant_leave(tn, db);
}

void
audit_checkpoints(int all)
{
	struct tenant	*tn;
	struct db	*db;
	uint64_t	 now = mono_ms();
	int		 n = 0;

	if (system_trail && (all || now >= system_point) &&
	    (db = db_system()) != NULL) {
		system_trail = 0;
		system_point = now + POINT_EACH;
		point_ask(db, DB_SYSTEM, "-");
	}
	RB_FOREACH(tn, tenant_tree, &tenant_all)
		if (tn->tn_trail && (all || (now >= tn->tn_point &&
		    n++ < POINT_TENANTS)))
			point_tenant(tn, now);
}

unsigned int
audit_waits(void)
{
	return (waits);
}

void
audit_forget(void)
{
	struct tenant	*tn;

	/* Which were asked for is not kept; those that have one cost a look. */
	if (waits > 0) {
		system_trail = 1;
		RB_FOREACH(tn, tenant_tree, &tenant_all)
			tn->tn_trail = 1;
	}
	waits = 0;
}

static int
point_add(struct db *db, const struct proof *pf, const char *line)
{
	int	 n;

	if (db_begin(db) == -1)
		return (-1);
	n = db_exec(db, S_POINT_ADD, ARGS(NUM(pf->pf_seq),
	    BIN(pf->pf_sum, sizeof(pf->pf_sum)), TXT(line)));
	return (db_end(db, n != -1));
}

void
audit_proven(const struct m_proven *m)
{
	struct tenant	*tn = NULL;
	struct proof	 pf;
	struct db	*db;

	if (waits > 0)
		waits--;
	if (m->tenant != DB_SYSTEM && (tn = tenant_by_id(m->tenant)) == NULL)
		return;
	if (proof_read(&pf, m->line, NULL) == -1 || pf.pf_seq != m->seq ||
	    pf.pf_tenant != m->tenant) {
		log_warnx("audit trail of %s: no checkpoint of line %llu",
		    tn == NULL ? "-" : tn->tn_name,
		    (unsigned long long)m->seq);
		alert_raise(ALERT_CHECKPOINT, m->tenant, "no checkpoint of "
		    "line %llu of the audit trail",
		    (unsigned long long)m->seq);
		return;
	}
	log_info("%s", m->line);
	db = tn == NULL ? db_system() : tenant_enter(tn);
	if (db == NULL) {
		grown(m->tenant);
		return;
	}
	if (point_add(db, &pf, m->line) == -1)
		grown(m->tenant);	/* the log has it already */
	if (tn == NULL)
		(void)db_commit(db);
	else
		tenant_leave(tn, db);
}

/*
 * Commands: about the trail of one tenant, or of the installation (""); to
 * verify, also about all of them.
 */

/* A checkpoint that somebody has kept. */
struct kept {
	uint32_t	 ke_tenant;
	uint64_t	 ke_seq, ke_at;
	uint8_t		 ke_head[TOKEN_LEN];
};

struct walk {
	uint32_t	 wa_tenant;
	int		 wa_all, wa_inside, wa_bad;
	uint64_t	 wa_from, wa_seq;	/* verified: from .. seq */
	uint8_t		 wa_head[TOKEN_LEN];
	uint32_t	 wa_count, wa_compared;
	size_t		 wa_nkept;
	struct kept	 wa_kept[];
};

static const char *
trail_name(uint32_t tenant)
{
	struct tenant	*tn = tenant_by_id(tenant);

	return (tenant == DB_SYSTEM ? "" : tn == NULL ? "?" : tn->tn_name);
}

/* Its file for one turn; NULL: it is not to be had. */
static struct db *
trail_enter(uint32_t tenant, struct tenant **tn)
{
	*tn = NULL;
	if (tenant == DB_SYSTEM)
		return (db_system());
	if ((*tn = tenant_by_id(tenant)) == NULL)
		return (NULL);
	return (tenant_enter(*tn));
}

static void
trail_leave(struct tenant *tn, struct db *db)
{
	if (tn != NULL && db != NULL)
		tenant_leave(tn, db);
}

static int
walk_begin(struct request *rq, const struct m_c_audit *m,
    int (*step)(struct stream *, struct peer *), char why[MAX_LINE + 1])
{
	struct tenant	*tn = NULL;
	struct walk	*wa;
	struct kept	*ke;
	const uint8_t	*p = m->kept.mb_data;
	size_t		 i, n = m->kept.mb_len / KEPT_LEN;

	if (m->tenant[0] != '\0' && (tn = tenant_by_name(m->tenant)) == NULL)
		return (refuse(why, "no such tenant: %s", m->tenant));
	if (m->kept.mb_len % KEPT_LEN != 0)
		return (refuse(why, "checkpoints that are cut"));
	if ((wa = calloc(1, sizeof(*wa) + n * sizeof(*ke))) == NULL)
		return (refuse(why, "no memory"));
	wa->wa_tenant = tn == NULL ? DB_SYSTEM : tn->tn_id;
	wa->wa_all = m->all;
	wa->wa_count = m->count;
	wa->wa_nkept = n;
	for (i = 0; i < n; i++) {
		ke = &wa->wa_kept[i];
		p = get(p, &ke->ke_tenant, sizeof(ke->ke_tenant));
		p = get(p, &ke->ke_seq, sizeof(ke->ke_seq));
		p = get(p, &ke->ke_at, sizeof(ke->ke_at));
		p = get(p, ke->ke_head, sizeof(ke->ke_head));
		ke->ke_tenant = be32toh(ke->ke_tenant);
		ke->ke_seq = be64toh(ke->ke_seq);
		ke->ke_at = be64toh(ke->ke_at);
	}
	if (rq_stream(rq, step, wa, free) == -1)
		return (refuse(why, "no memory"));
	return (1);
}

/* Does what was kept of this line, if anything was, agree? */
static int
kept_agrees(struct walk *wa, uint64_t seq, const uint8_t *mac)
{
	const struct kept	*ke;
	size_t			 i;

	for (i = 0; i < wa->wa_nkept; i++) {
		ke = &wa->wa_kept[i];
		if (ke->ke_tenant != wa->wa_tenant || ke->ke_seq != seq)
			continue;
		wa->wa_compared++;
		if (CRYPTO_memcmp(ke->ke_head, mac, TOKEN_LEN) != 0)
			return (0);
	}
	return (1);
}

/* The lowest line after seq that a kept checkpoint knows; 0 for none. */
static uint64_t
kept_after(const struct walk *wa, uint64_t seq)
{
	const struct kept	*ke;
	uint64_t		 lowest = 0;
	size_t			 i;

	for (i = 0; i < wa->wa_nkept; i++) {
		ke = &wa->wa_kept[i];
		if (ke->ke_tenant == wa->wa_tenant && ke->ke_seq > seq &&
		    (lowest == 0 || ke->ke_seq < lowest))
			lowest = ke->ke_seq;
	}
	return (lowest);
}

/* What was signed since then, no policy lets go by its age. */
static uint64_t
kept_young(void)
{
	uint64_t	 now = now_ms(), age;

	age = policy_rules[POLICY_AUDIT_DAYS].pr_min * DAY - POINT_LATE;
	return (now > age ? now - age : 0);
}

/*
 * The trail says that its lines up to seq have gone by their age.  The lowest
 * of them that a kept checkpoint knows as another one, or that was signed too
 * short a while ago; 0 for none.
 */
static uint64_t
kept_before(struct walk *wa, uint64_t seq, const uint8_t *base)
{
	const struct kept	*ke;
	uint64_t		 lowest = 0, young = kept_young();
	size_t			 i;

	if (!kept_agrees(wa, seq, base))
		lowest = seq;
	for (i = 0; i < wa->wa_nkept; i++) {
		ke = &wa->wa_kept[i];
		if (ke->ke_tenant == wa->wa_tenant && ke->ke_seq < seq &&
		    ke->ke_at > young && (lowest == 0 || ke->ke_seq < lowest))
			lowest = ke->ke_seq;
	}
	return (lowest);
}

/* One line against the one before it. */
static enum audit_fault
walk_line(struct walk *wa, struct db *db, const struct chain *ch,
    sqlite3_stmt *st)
{
	struct seal_at	 at = { "audit", "entry", 0, 0, NULL, 0 };
	uint8_t		 want[TOKEN_LEN];
	const void	*mac, *point;
	uint64_t	 when = db_col_num(st, 1);
	size_t		 len, n;
	char		*text;
	int		 ok;

	at.sa_row = db_col_num(st, 0);
	if (at.sa_row != wa->wa_seq + 1)
		return (AUDIT_MISSING);
	if (at.sa_row > ch->ch_seq)
		return (AUDIT_EXTRA);
	mac = db_col_bin(st, 3, &n);
	if (n != TOKEN_LEN || (text = db_open(db, &at, st, 2, &len)) == NULL)
		return (AUDIT_CHANGED);
	ok = strlen(text) == len && chain_mac(ch, wa->wa_head, at.sa_row, when,
	    text, want) == 0 && CRYPTO_memcmp(want, mac, TOKEN_LEN) == 0;
	free(text);
	if (!ok)
		return (AUDIT_CHANGED);
	point = db_col_bin(st, 4, &n);
	if (point != NULL && (n != TOKEN_LEN ||
	    CRYPTO_memcmp(point, want, TOKEN_LEN) != 0))
		return (AUDIT_POINT);
	if (!kept_agrees(wa, at.sa_row, want))
		return (AUDIT_KEPT);
	wa->wa_seq++;
	memcpy(wa->wa_head, want, TOKEN_LEN);
	return (AUDIT_WHOLE);
}

/* Behind the last line there may be more that was, or that was signed. */
static enum audit_fault
walk_end(struct walk *wa, struct db *db, const struct chain *ch, uint64_t *bad)
{
	uint64_t	 last;

	*bad = wa->wa_seq + 1;
	if (wa->wa_seq != ch->ch_seq)
		return (AUDIT_MISSING);
	if (CRYPTO_memcmp(wa->wa_head, ch->ch_head, TOKEN_LEN) != 0) {
		*bad = wa->wa_seq;
		return (AUDIT_CHANGED);
	}
	if (db_number(db, S_POINT_LAST, NOARGS, &last) == -1)
		return (AUDIT_CLOSED);
	if (last > wa->wa_seq)
		return (AUDIT_MISSING);
	if ((last = kept_after(wa, wa->wa_seq)) != 0) {
		*bad = last;
		return (AUDIT_KEPT);
	}
	return (AUDIT_WHOLE);
}

/* Where the trail begins. */
static enum audit_fault
walk_front(struct walk *wa, struct db *db, const struct chain *ch,
    uint64_t *bad)
{
	uint64_t	 before;

	wa->wa_inside = 1;
	wa->wa_from = wa->wa_seq = ch->ch_before;
	memcpy(wa->wa_head, ch->ch_base, TOKEN_LEN);
	wa->wa_compared = 0;
	if (db_number(db, S_AUDIT_BEFORE, ARGS(NUM(ch->ch_before)),
	    &before) == 0 && before != 0) {
		*bad = ch->ch_before;
		return (AUDIT_EXTRA);
	}
	*bad = kept_before(wa, ch->ch_before, ch->ch_base);
	return (*bad == 0 ? AUDIT_WHOLE : AUDIT_KEPT);
}

/* Some lines; 1: there are more.  *fault and *bad as they are found. */
static int
walk_some(struct walk *wa, struct db *db, enum audit_fault *fault,
    uint64_t *bad)
{
	struct chain	 ch;
	sqlite3_stmt	*st;
	int		 n, rows = 0;

	*bad = 0;
	if (chain_get(db, &ch) == -1) {
		*fault = AUDIT_LOST;
		return (0);
	}
	if (!wa->wa_inside) {
		*fault = walk_front(wa, db, &ch, bad);
		if (*fault != AUDIT_WHOLE)
			goto done;
	}
	st = db_query(db, S_AUDIT_WALK, ARGS(NUM(wa->wa_seq),
	    NUM(WALK_ROWS)));
	while ((n = db_step(db, st)) == 1) {
		rows++;
		if ((*fault = walk_line(wa, db, &ch, st)) != AUDIT_WHOLE) {
			*bad = *fault == AUDIT_EXTRA ? db_col_num(st, 0) :
			    wa->wa_seq + 1;
			break;
		}
	}
	db_done(st);
	if (n == -1)
		*fault = AUDIT_CLOSED;
	else if (n == 0 && rows < WALK_ROWS)
		*fault = walk_end(wa, db, &ch, bad);
	else if (n == 0) {
		explicit_bzero(&ch, sizeof(ch));
		return (1);
	}
 done:
	explicit_bzero(&ch, sizeof(ch));
	return (0);
}

/* The trail after this one; 0: it was the last. */
static int
walk_next(struct walk *wa)
{
	struct tenant	 key = { .tn_id = wa->wa_tenant + 1 };
	struct tenant	*tn;

	wa->wa_inside = 0;
	if (!wa->wa_all ||
	    (tn = RB_NFIND(tenant_tree, &tenant_all, &key)) == NULL)
		return (0);
	wa->wa_tenant = tn->tn_id;
	return (1);
}

/*
 * Is it the first of a trail that is not there any more?  That the tenant was
 * erased is told, too: he knows best whether it is true.
 */
static enum audit_fault
kept_gone(const struct walk *wa, size_t n)
{
	uint32_t	 tenant = wa->wa_kept[n].ke_tenant;
	size_t		 i;

	for (i = 0; i < n; i++)
		if (wa->wa_kept[i].ke_tenant == tenant)
			return (AUDIT_WHOLE);
	if (tenant == DB_SYSTEM || tenant_by_id(tenant) != NULL)
		return (AUDIT_WHOLE);
	return (erasure_kept(tenant) ? AUDIT_ERASED : AUDIT_GONE);
}

/* Trails of which there is nothing left but what was kept. */
static void
walk_gone(struct walk *wa, struct peer *pe, uint32_t req)
{
	struct m_c_audit_state	 m = { 0 };
	enum audit_fault	 fault;
	char			 number[16];
	size_t			 i;

	for (i = 0; i < wa->wa_nkept; i++) {
		if ((fault = kept_gone(wa, i)) == AUDIT_WHOLE)
			continue;
		m.fault = (uint8_t)fault;
		(void)snprintf(number, sizeof(number), "%u",
		    wa->wa_kept[i].ke_tenant);
		m.tenant = number;
		(void)proc_send(pe, IMSG_C_AUDIT_STATE, req, -1, &m);
		if (fault == AUDIT_ERASED)
			continue;
		alert_raise(ALERT_AUDIT, DB_SYSTEM, "the audit trail of tenant "
		    "number %s is gone", number);
		wa->wa_bad = 1;
	}
}

static int
stream_verify(struct stream *sm, struct peer *pe)
{
	struct walk		*wa = sm->st_data;
	struct m_c_audit_state	 m = { 0 };
	enum audit_fault	 fault = AUDIT_CLOSED;
	struct tenant		*tn;
	struct db		*db;
	uint64_t		 bad = 0;
	int			 more = 0;

	if ((db = trail_enter(wa->wa_tenant, &tn)) != NULL)
		more = walk_some(wa, db, &fault, &bad);
	trail_leave(tn, db);
	if (more)
		return (1);
	m.tenant = trail_name(wa->wa_tenant);
	m.lines = wa->wa_inside ? wa->wa_seq - wa->wa_from : 0;
	m.fault = (uint8_t)fault;
	m.bad = fault == AUDIT_WHOLE ? 0 : bad;
	m.compared = wa->wa_inside ? wa->wa_compared : 0;
	(void)proc_send(pe, IMSG_C_AUDIT_STATE, sm->st_id, -1, &m);
	if (fault != AUDIT_WHOLE)
		wa->wa_bad = 1;
	if (fault != AUDIT_WHOLE && fault != AUDIT_CLOSED)
		alert_raise(ALERT_AUDIT, wa->wa_tenant, "the audit trail is "
		    "not whole at line %llu", (unsigned long long)bad);
	if (walk_next(wa))
		return (1);
	if (wa->wa_all)
		walk_gone(wa, pe, sm->st_id);
	(void)proc_result(pe, sm->st_id, wa->wa_bad ? R_REFUSED : R_OK, 0,
	    wa->wa_bad ? "not every audit trail is whole" : "");
	return (0);
}

int
audit_verify(struct request *rq, const struct m_c_audit *m,
    char why[MAX_LINE + 1])
{
	return (walk_begin(rq, m, stream_verify, why));
}

/*
 * Without being asked: all trails, one after the other, some lines in a tick,
 * and again a day after the begin.
 */

static struct walk	 watch = { .wa_all = 1 };
static int		 watching, watch_again;

/* The trail is at its end; what looks broken is looked at twice, for old
 * lines may have gone from under the walk. */
static void
watch_end(enum audit_fault fault, uint64_t bad)
{
	if (fault != AUDIT_WHOLE && fault != AUDIT_CLOSED && !watch_again) {
		watch.wa_inside = 0;
		watch_again = 1;
		return;
	}
	if (fault != AUDIT_WHOLE && fault != AUDIT_CLOSED)
		alert_raise(ALERT_AUDIT, watch.wa_tenant, "the audit trail is "
		    "not whole at line %llu", (unsigned long long)bad);
	watch_again = 0;
	if (!walk_next(&watch)) {
		watch.wa_tenant = DB_SYSTEM;
		watching = 0;
	}
}

void
audit_watch(void)
{
	static uint64_t		 next;
	enum audit_fault	 fault = AUDIT_CLOSED;
	struct tenant		*tn;
	struct db		*db;
	uint64_t		 bad = 0;
	int			 more = 0;

	if (!watching && mono_ms() < next)
		return;
	if (!watching)
		next = mono_ms() + WATCH_EACH;
	watching = 1;
	if ((db = trail_enter(watch.wa_tenant, &tn)) != NULL)
		more = walk_some(&watch, db, &fault, &bad);
	trail_leave(tn, db);
	if (!more)
		watch_end(fault, bad);
}

static int
stream_show(struct stream *sm, struct peer *pe)
{
	struct walk		*wa = sm->st_data;
	struct seal_at		 at = { "audit", "entry", 0, 0, NULL, 0 };
	struct m_c_audit_row	 m = { 0 };
	struct tenant		*tn;
	struct db		*db;
	sqlite3_stmt		*st;
	uint64_t		 first;
	size_t			 len;
	char			*text;
	int			 n = -1, rows = 0;

	if ((db = trail_enter(wa->wa_tenant, &tn)) != NULL) {
		if (sm->st_after == 0 && db_number(db, S_AUDIT_FROM,
		    ARGS(NUM(wa->wa_count)), &first) == 0)
			sm->st_after = first;
		st = db_query(db, S_AUDIT_WALK, ARGS(NUM(sm->st_after),
		    NUM(STREAM_ROWS)));
		while ((n = db_step(db, st)) == 1) {
			rows++;
			m.seq = sm->st_after = at.sa_row = db_col_num(st, 0);
			m.at = db_col_num(st, 1);
			text = db_open(db, &at, st, 2, &len);
			text = names_show(db, m.seq, text);
			m.open = text != NULL && utf8_valid(text,
			    strlen(text));
			m.text = m.open ? text : "";
			(void)proc_send(pe, IMSG_C_AUDIT_ROW, sm->st_id, -1,
			    &m);
			free(text);
		}
		db_done(st);
	}
	trail_leave(tn, db);
	if (n == 0 && rows == STREAM_ROWS)
		return (1);
	(void)proc_result(pe, sm->st_id, n == 0 ? R_OK : R_UNAVAILABLE, 0,
	    "");
	return (0);
}

int
audit_show(struct request *rq, const struct m_c_audit *m,
    char why[MAX_LINE + 1])
{
	return (walk_begin(rq, m, stream_show, why));
}

static int
stream_points(struct stream *sm, struct peer *pe)
{
	struct walk		*wa = sm->st_data;
	struct m_c_point	 m = { 0 };
	struct tenant		*tn;
	struct db		*db;
	sqlite3_stmt		*st;
	int			 n = -1, rows = 0;

	if ((db = trail_enter(wa->wa_tenant, &tn)) != NULL) {
		st = db_query(db, S_POINTS, ARGS(NUM(sm->st_after),
		    NUM(STREAM_ROWS)));
		while ((n = db_step(db, st)) == 1) {
			rows++;
			sm->st_after = db_col_num(st, 0);
			m.line = (const char *)sqlite3_column_text(st, 1);
			if (m.line != NULL)
				(void)proc_send(pe, IMSG_C_POINT, sm->st_id,
				    -1, &m);
		}
		db_done(st);
	}
	trail_leave(tn, db);
	if (n == 0 && rows == STREAM_ROWS)
		return (1);
	if (n == 0 && walk_next(wa)) {
		sm->st_after = 0;
		return (1);
	}
	(void)proc_result(pe, sm->st_id, n == 0 ? R_OK : R_UNAVAILABLE, 0,
	    "");
	return (0);
}

int
audit_points(struct request *rq, const struct m_c_audit *m,
    char why[MAX_LINE + 1])
{
	return (walk_begin(rq, m, stream_points, why));
}

/*
 * Trails of copies.
 */

int
audit_last(struct db *db, uint64_t *lines, uint64_t *seq,
    uint8_t head[TOKEN_LEN])
{
	struct chain	 ch;

	if (chain_get(db, &ch) == -1)
		return (-1);
	*lines = ch.ch_seq - ch.ch_before;
	*seq = ch.ch_seq;
	memcpy(head, ch.ch_head, TOKEN_LEN);
	explicit_bzero(&ch, sizeof(ch));
	return (0);
}

struct walk *
audit_walk_new(void)
{
	return (calloc(1, sizeof(struct walk)));
}

int
audit_walk(struct walk *wa, struct db *db, enum audit_fault *fault,
    uint64_t *bad)
{
	*fault = AUDIT_WHOLE;
	return (walk_some(wa, db, fault, bad));
}

/* Is the line where the one trail ends also in the other one? */
static int
chain_meets(struct db *db, const struct chain *ch, const struct chain *end)
{
	sqlite3_stmt	*st;
	const void	*mac;
	size_t		 len;
	int		 meets = 0;

	if (CRYPTO_memcmp(ch->ch_key, end->ch_key, TOKEN_LEN) != 0 ||
	    end->ch_seq > ch->ch_seq)
		return (0);
	if (end->ch_seq < ch->ch_before)
		return (1);
	if (end->ch_seq == ch->ch_before)
		return (memcmp(end->ch_head, ch->ch_base, TOKEN_LEN) == 0);
	st = db_query(db, S_AUDIT_WALK, ARGS(NUM(end->ch_seq - 1), NUM(1)));
	if (db_step(db, st) == 1 && db_col_num(st, 0) == end->ch_seq) {
		mac = db_col_bin(st, 3, &len);
		meets = len == TOKEN_LEN &&
		    memcmp(mac, end->ch_head, TOKEN_LEN) == 0;
	}
	db_done(st);
	return (meets);
}

/* What has gone by its age over there goes here too. */
static int
carry_front(struct db *to, const struct chain *ch, struct chain *end)
{
	if (end->ch_before >= ch->ch_before)
		return (0);
	end->ch_before = ch->ch_before;
	memcpy(end->ch_base, ch->ch_base, TOKEN_LEN);
	if (end->ch_seq < ch->ch_before) {
		end->ch_seq = ch->ch_before;
		memcpy(end->ch_head, ch->ch_base, TOKEN_LEN);
	}
	return (db_exec(to, S_PURGE_AUDIT, ARGS(NUM(ch->ch_before))) == -1 ||
	    db_exec(to, S_PURGE_POINTS, ARGS(NUM(ch->ch_before))) == -1 ? -1 :
	    0);
}

/* Lines as they are: sealed by the same key, in the same places. */
static int
carry_lines(struct db *from, struct db *to, struct chain *end)
{
	sqlite3_stmt	*st;
	const void	*rec, *mac;
	size_t		 len, maclen;
	int		 n, ok = 1;

	st = db_query(from, S_AUDIT_WALK, ARGS(NUM(end->ch_seq),
	    NUM(WALK_ROWS)));
	while (ok && (n = db_step(from, st)) == 1) {
		rec = db_col_bin(st, 2, &len);
		mac = db_col_bin(st, 3, &maclen);
		ok = maclen == TOKEN_LEN && db_col_num(st, 0) ==
		    end->ch_seq + 1 && db_exec(to, S_AUDIT_ADD, ARGS(
		    NUM(db_col_num(st, 0)), NUM(db_col_num(st, 1)),
		    BIN(rec, len), BIN(mac, maclen))) == 1;
		if (ok) {
			end->ch_seq++;
			memcpy(end->ch_head, mac, TOKEN_LEN);
		}
	}
	db_done(st);
	return (ok && n == 0 ? 0 : -1);
}

static int
carry_points(struct db *from, struct db *to)
{
	struct proof	 pf;
	sqlite3_stmt	*st;
	const char	*line;
	uint64_t	 last;
	int		 n;

	if (db_number(to, S_POINT_LAST, NOARGS, &last) == -1)
		return (-1);
	st = db_query(from, S_POINTS, ARGS(NUM(last), NUM(PAGE_POINTS)));
	while ((n = db_step(from, st)) == 1) {
		line = (const char *)sqlite3_column_text(st, 1);
		if (line != NULL && proof_read(&pf, line, NULL) != -1 &&
		    point_add(to, &pf, line) == -1)
			break;
	}
	db_done(st);
	return (n == 0 ? 0 : -1);
}

int
audit_meets(struct db *from, struct db *to)
{
	struct chain	 ch, end;
	int		 n = -1;

	if (chain_get(from, &ch) == 0 && chain_get(to, &end) == 0)
		n = chain_meets(from, &ch, &end);
	explicit_bzero(&ch, sizeof(ch));
	explicit_bzero(&end, sizeof(end));
	return (n);
}

/* As they are, too; with them go those that were erased meanwhile. */
int
audit_carry_names(struct db *from, struct db *to, uint64_t *after)
{
	sqlite3_stmt	*st;
	const void	*rec;
	uint64_t	 id = *after;
	size_t		 len;
	int		 n, rows = 0, ok;

	if (db_begin(to) == -1)
		return (-1);
	ok = *after != 0 || db_exec(to, S_AUDIT_NAMES_NONE, NOARGS) != -1;
	st = db_query(from, S_AUDIT_NAMES_WALK, ARGS(NUM(id),
	    NUM(WALK_ROWS)));
	while ((n = db_step(from, st)) == 1 && ok) {
		id = db_col_num(st, 0);
		rec = db_col_bin(st, 2, &len);
		ok = db_exec(to, S_AUDIT_NAMES_PUT, ARGS(NUM(id),
		    NUM(db_col_num(st, 1)), BIN(rec, len))) == 1;
		rows++;
	}
	db_done(st);
	ok = ok && n == 0;
	if (db_end(to, ok) == -1 || db_commit(to) == -1 || !ok)
		return (-1);
	*after = id;
	return (rows == WALK_ROWS);
}

int
audit_carry(struct db *from, struct db *to)
{
	struct chain	 ch, end;
	int		 n = -1;

	if (chain_get(from, &ch) == -1 || chain_get(to, &end) == -1 ||
	    db_begin(to) == -1)
		return (-1);
	if (carry_front(to, &ch, &end) == 0 &&
	    carry_lines(from, to, &end) == 0 && chain_put(to, &end) == 0)
		n = end.ch_seq < ch.ch_seq;
	if (db_end(to, n != -1) == -1 ||
	    (n == 0 && carry_points(from, to) == -1) || db_commit(to) == -1)
		n = -1;
	explicit_bzero(&ch, sizeof(ch));
	explicit_bzero(&end, sizeof(end));
	return (n);
}

/*
 * Requests of administrators, about the trail of their tenant.
 */

/* From the newest back. */
enum result
adm_audit(struct request *rq, const void *arg)
{
	const struct m_a_records *m = arg;
	struct seal_at		 at = { "audit", "entry", 0, 0, NULL, 0 };
	struct m_c_audit_row	 row = { 0 };
	sqlite3_stmt		*st;
	size_t			 len;
	char			*text;
	int			 n, rows = 0;

	st = db_query(rq->rq_db, S_AUDIT_BACK, ARGS(NUM(m->at == 0 ?
	    INT64_MAX : m->at), NUM(PAGE_ROWS + 1)));
	while ((n = db_step(rq->rq_db, st)) == 1 && rows++ < PAGE_ROWS) {
		row.seq = at.sa_row = db_col_num(st, 0);
		row.at = db_col_num(st, 1);
		text = db_open(rq->rq_db, &at, st, 2, &len);
		text = names_show(rq->rq_db, row.seq, text);
		row.open = text != NULL && utf8_valid(text, strlen(text));
		row.text = row.open ? text : "";
		rq_answer(rq, IMSG_A_AUDIT_ROW, &row);
		free(text);
	}
	db_done(st);
	if (n == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, n == 1, NULL);
	return (R_OK);
}

/* From the oldest on. */
enum result
adm_points(struct request *rq, const void *arg)
{
	const struct m_a_records *m = arg;
	struct m_c_point	 row;
	sqlite3_stmt		*st;
	uint64_t		 seq = m->at;
	int			 n, rows = 0;

	st = db_query(rq->rq_db, S_POINTS, ARGS(NUM(seq),
	    NUM(PAGE_POINTS + 1)));
	while ((n = db_step(rq->rq_db, st)) == 1 && rows++ < PAGE_POINTS) {
		row.line = (const char *)sqlite3_column_text(st, 1);
		if (row.line != NULL)
			rq_answer(rq, IMSG_A_POINT, &row);
	}
	db_done(st);
	if (n == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, n == 1, NULL);
	return (R_OK);
}
