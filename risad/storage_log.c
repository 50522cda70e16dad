/*
 * Reading access logs: rows for operators, or the text of a file with a
 * detached signature (F8, F10, F12).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "network.h"
#include "storage.h"
#include "util.h"

#define PAGE_ROWS	1000		/* that an administrator gets at once */
#define MAILS		64		/* remembered of those met last */

/* What is wanted, how far it has come, and what is told of it. */
struct log_walk {
	struct stream	*wk_stream;
	struct peer	*wk_peer;		/* in this turn */
	struct db	*wk_db;			/* likewise; NULL: no people */
	uint32_t	 wk_tenant, wk_month, wk_end;	/* the last month */
	uint64_t	 wk_after, wk_from, wk_to;
	uint8_t		 wk_kind, wk_format;
	uint32_t	 wk_user, wk_floor;	/* 0: any */
	int		 wk_has_network, wk_begun;
	int		 wk_page;		/* an administrator asks */
	unsigned int	 wk_rows;		/* sent to him */
	struct network	 wk_network;
	FILE		*wk_out;		/* in this turn */
	struct signing	*wk_signing;		/* of an export */
	uint32_t	 wk_export;		/* its number; 0: it is over */
	uint64_t	 wk_lines;		/* written */
	int		 wk_whole;		/* part of a tenant's export */
	struct {
		uint32_t	 user;
		char		 mail[MAX_MAIL + 1];
	}		 wk_mails[MAILS];
};

static void
walk_free(void *arg)
{
	struct log_walk	*wk = arg;

	if (wk->wk_export != 0)
		exported_end(wk->wk_export, wk->wk_lines, EXPORT_FAILED);
	signing_free(wk->wk_signing);
	freezero(wk, sizeof(*wk));
}

static const char *
mail_of(struct log_walk *wk, uint32_t user)
{
	struct person	 p;
	unsigned int	 i = user % MAILS;

	if (user == 0 || wk->wk_db == NULL)
		return ("");
	if (wk->wk_mails[i].user != user) {
		wk->wk_mails[i].user = user;
		wk->wk_mails[i].mail[0] = '\0';
		if (person_get(wk->wk_db, user, &p) == 1)
			(void)strlcpy(wk->wk_mails[i].mail, p.p_mail,
			    sizeof(wk->wk_mails[i].mail));
		explicit_bzero(&p, sizeof(p));
	}
	return (wk->wk_mails[i].mail);
}

static int
wanted(const struct log_walk *wk, const struct access *ac)
{
	uint8_t	 addr[NETWORK_ADDR];

	if (ac->ac_at < wk->wk_from || ac->ac_at > wk->wk_to ||
	    (wk->wk_kind != ACCESS_MAX && ac->ac_kind != wk->wk_kind) ||
	    (wk->wk_user != 0 && ac->ac_user != wk->wk_user) ||
	    (wk->wk_floor != 0 && ac->ac_floor != wk->wk_floor))
		return (0);
	return (!wk->wk_has_network ||
	    (network_addr(addr, ac->ac_addr) == 0 &&
	    network_has(&wk->wk_network, addr)));
}

const char *
access_word(uint8_t kind)
{
	static const char	*const words[ACCESS_MAX] = {
		"request", "sign-in", "sign-out", "failed", "enter", "leave",
		"talk", "talk-end"
	};

	return (kind < ACCESS_MAX ? words[kind] : "?");
}

/*
 * RFC 4180.  What a spreadsheet would take for a formula has an apostrophe in
 * front.
 */
static void
csv_cell(FILE *f, const char *s)
{
	fputs(*s != '\0' && strchr("=+-@\t\r", *s) != NULL ? "\"'" : "\"", f);
	for (; *s != '\0'; s++) {
		if (*s == '"')
			putc('"', f);
		putc(*s, f);
	}
	putc('"', f);
}

static void
line_csv(struct log_walk *wk, const struct access *ac)
{
	FILE	*f = wk->wk_out;
	char	 at[TIME_TEXT];

	(void)time_text(at, ac->ac_at);
	fprintf(f, "%s,%s,%u,", at, access_word(ac->ac_kind), ac->ac_user);
	csv_cell(f, mail_of(wk, ac->ac_user));
	fprintf(f, ",%s,", ac->ac_guest ? "yes" : "no");
	csv_cell(f, ac->ac_addr);
	putc(',', f);
	csv_cell(f, ac->ac_text);
	fprintf(f, ",%u,%llu,%u\r\n", ac->ac_status,
	    (unsigned long long)ac->ac_bytes, ac->ac_floor);
}

static void
line_json(struct log_walk *wk, const struct access *ac)
{
	FILE	*f = wk->wk_out;
	char	 at[TIME_TEXT];

	(void)time_text(at, ac->ac_at);
	fprintf(f, "{%s\"at\":\"%s\",\"kind\":\"%s\",\"user\":%u,\"email\":",
	    wk->wk_whole ? "\"record\":\"access\"," : "", at,
	    access_word(ac->ac_kind), ac->ac_user);
	json_text(f, mail_of(wk, ac->ac_user));
	fprintf(f, ",\"guest\":%s,\"address\":",
	    ac->ac_guest ? "true" : "false");
	json_text(f, ac->ac_addr);
	fputs(",\"text\":", f);
	json_text(f, ac->ac_text);
	fprintf(f, ",\"status\":%u,\"bytes\":%llu,\"floor\":%u}\n",
	    ac->ac_status, (unsigned long long)ac->ac_bytes, ac->ac_floor);
}

static void
line_row(struct log_walk *wk, const struct access *ac)
{
	struct m_c_log_row	 m = { .at = ac->ac_at,
				    .bytes = ac->ac_bytes,
				    .kind = ac->ac_kind,
				    .guest = ac->ac_guest,
				    .status = ac->ac_status,
				    .user = ac->ac_user,
				    .floor = ac->ac_floor,
				    .addr = ac->ac_addr,
				    .text = ac->ac_text };

	m.email = mail_of(wk, ac->ac_user);
	if (wk->wk_page && wk->wk_rows++ >= PAGE_ROWS)
		return;
	(void)proc_send(wk->wk_peer, wk->wk_page ? IMSG_A_LOG_ROW :
	    IMSG_C_LOG_ROW, wk->wk_stream->st_id, -1, &m);
}

static void
line_one(const struct access *ac, void *arg)
{
	struct log_walk	*wk = arg;

	if (!wanted(wk, ac))
		return;
	wk->wk_lines++;
	switch (wk->wk_format) {
	case LOG_CSV:
		line_csv(wk, ac);
		break;
	case LOG_JSONL:
		line_json(wk, ac);
		break;
	default:
		line_row(wk, ac);
		break;
	}
}

/* The next block of the month; 1 there was one, 0 none, -1. */
static int
walk_block(struct log_walk *wk)
{
	sqlite3_stmt	*st;
	struct db	*db;
	enum db_why	 why;
	int		 n;

	db = db_enter_log(wk->wk_tenant, wk->wk_month, 0, &why);
	if (db == NULL)
		return (why == DB_MISSING ? 0 : -1);
	st = db_query(db, S_LOG_WALK, ARGS(NUM(wk->wk_after),
	    NUM(wk->wk_from), NUM(wk->wk_to)));
	if ((n = db_step(db, st)) == 1) {
		wk->wk_after = db_col_num(st, 0);
		/* What does not open is logged, and counted; the rest goes. */
		(void)access_block(db, st, line_one, wk);
	}
	db_done(st);
	db_leave(db);
	return (n);
}

static void
walk_head(struct log_walk *wk)
{
	if (wk->wk_format == LOG_CSV && !wk->wk_begun)
		fputs("time,kind,user,email,guest,address,text,status,bytes,"
		    "floor\r\n", wk->wk_out);
	wk->wk_begun = 1;
}

/* A block or a month further: 1, at the end 0, -1. */
static int
walk_on(struct log_walk *wk)
{
	int	 n;

	if ((n = walk_block(wk)) != 0)
		return (n);
	wk->wk_after = 0;
	if (wk->wk_month >= wk->wk_end)
		return (0);
	wk->wk_month = db_month_next(wk->wk_month);
	return (1);
}

static int
walk_turn(struct log_walk *wk)
{
	int	 n;

	if (wk->wk_format == LOG_ROWS)
		return (walk_on(wk));
	if ((wk->wk_out = signing_open(wk->wk_signing)) == NULL)
		return (-1);
	walk_head(wk);
	n = walk_on(wk);
	if (signing_close(wk->wk_signing, wk->wk_stream, wk->wk_peer) == -1)
		n = -1;
	wk->wk_out = NULL;
	return (n);
}

static int
walk_end(struct log_walk *wk, const char *why)
{
	if (wk->wk_export != 0)
		exported_end(wk->wk_export, wk->wk_lines, why == NULL ?
		    EXPORT_DONE : EXPORT_FAILED);
	wk->wk_export = 0;
	if (wk->wk_page) {
		(void)proc_result(wk->wk_peer, wk->wk_stream->st_id,
		    why == NULL ? R_OK : R_UNAVAILABLE,
		    wk->wk_rows > PAGE_ROWS, "");
		return (0);
	}
	(void)proc_result(wk->wk_peer, wk->wk_stream->st_id, why == NULL ?
	    R_OK : R_REFUSED, 0, why == NULL ? "" : why);
	return (0);
}

/* All of it has left, and keys is asked for its signature. */
static int
walk_signed(struct log_walk *wk)
{
	struct m_c_point	 m = { signing_line(wk->wk_signing) };

	if (m.line == NULL) {
		wk->wk_stream->st_idle = 1;
		return (1);
	}
	if (m.line[0] == '\0')
		return (walk_end(wk, "keys has not signed it"));
	(void)proc_send(wk->wk_peer, IMSG_C_POINT, wk->wk_stream->st_id, -1,
	    &m);
	return (walk_end(wk, NULL));
}

static int
stream_log(struct stream *sm, struct peer *pe)
{
	struct log_walk	*wk = sm->st_data;
	struct tenant	*tn = tenant_by_id(wk->wk_tenant);
	int		 n;

	wk->wk_stream = sm;
	wk->wk_peer = pe;
	if (wk->wk_signing != NULL && signing_asked(wk->wk_signing))
		return (walk_signed(wk));
	wk->wk_db = tn == NULL ? NULL : tenant_enter(tn);
	n = walk_turn(wk);
	if (wk->wk_db != NULL)
		tenant_leave(tn, wk->wk_db);
	wk->wk_db = NULL;
	if (wk->wk_rows > PAGE_ROWS)
		return (walk_end(wk, NULL));
	if (n == 1)
		return (1);
	if (n == 0 && wk->wk_format != LOG_ROWS)
		n = signing_ask(wk->wk_signing, wk->wk_tenant, PROOF_LOG) ==
		    0 ? 1 : -1;
	if (n == 1)
		return (1);
	return (walk_end(wk, n == 0 ? NULL :
	    "the log cannot be read to its end, see the log of risad"));
}

/* Whom and where it is to be about, by the tenant's words for them. */
static const char *
walk_about(struct log_walk *wk, const struct m_c_log *m, struct db *db)
{
	struct rights	*rt;
	struct person	 p;
	const char	*bad;
	size_t		 i;

	if (m->user[0] != '\0') {
		wk->wk_user = (uint32_t)strtonum(m->user, 1, UINT32_MAX, &bad);
		if (bad != NULL && (db == NULL ||
		    person_find(db, m->user, &p) != 1))
			return ("no such user");
		if (bad != NULL)
			wk->wk_user = p.p_id;
	}
	if (m->floor[0] != '\0') {
		wk->wk_floor = (uint32_t)strtonum(m->floor, 1, UINT32_MAX,
		    &bad);
		rt = db == NULL ? NULL : rights_get(db);
		for (i = 0; rt != NULL && i < rt->rt_nfloors; i++)
			if (strcmp(rt->rt_floors[i].fl_name, m->floor) == 0)
				wk->wk_floor = rt->rt_floors[i].fl_id;
		if (wk->wk_floor == 0)
			return ("no such floor");
	}
	if (m->network[0] != '\0') {
		if (network_parse(&wk->wk_network, m->network) != NETWORK_OK)
			return ("not an address or network");
		wk->wk_has_network = 1;
	}
	return (NULL);
}

/* The walk is to be, of a tenant or of the installation. */
static struct log_walk *
walk_new(uint32_t tenant, uint64_t from, uint64_t to, uint8_t kind)
{
	struct log_walk	*wk;
	uint64_t	 now = now_ms();

	if ((wk = calloc(1, sizeof(*wk))) == NULL)
		return (NULL);
	wk->wk_tenant = tenant;
	wk->wk_from = from;
	wk->wk_to = to < now ? to : now;
	wk->wk_month = db_month_of(wk->wk_from);
	wk->wk_end = db_month_of(wk->wk_to);
	wk->wk_kind = kind;
	access_flush_of(tenant);	/* what was done before is in it */
	return (wk);
}

/* It is an export: to be signed, and in the list of them. */
static const char *
walk_export(struct log_walk *wk, struct request *rq, const struct m_c_log *m)
{
	if ((wk->wk_signing = signing_new()) == NULL)
		return ("no memory");
	return (exported_begin(rq, m->format == LOG_CSV ? EXPORT_CSV :
	    EXPORT_JSONL, m->reason, &wk->wk_export));
}

const char *
log_begin(struct request *rq, const struct m_c_log *m)
{
	struct log_walk	*wk;
	const char	*why;

	if ((wk = walk_new(rq->rq_tn == NULL ? DB_SYSTEM : rq->rq_tn->tn_id,
	    m->from, m->to, m->kind)) == NULL)
		return ("no memory");
	wk->wk_format = m->format;
	if ((why = walk_about(wk, m, rq->rq_db)) == NULL &&
	    m->format != LOG_ROWS)
		why = walk_export(wk, rq, m);
	if (why != NULL) {
		walk_free(wk);
		return (why);
	}
	if (rq_stream(rq, stream_log, wk, walk_free) == -1)
		return ("no memory");
	return (NULL);
}

/*
 * As the last part of a tenant's export.
 */

struct log_walk *
log_all(uint32_t tenant)
{
	uint32_t	 n, due, oldest, newest;
	struct log_walk	*wk;

	if (db_log_months(tenant, 0, &n, &due, &oldest, &newest) == -1 ||
	    (wk = walk_new(tenant, db_month_start(oldest), UINT64_MAX,
	    ACCESS_MAX)) == NULL)
		return (NULL);
	/* None at all: nothing is older than now. */
	if (n == 0)
		wk->wk_month = wk->wk_end;
	wk->wk_format = LOG_JSONL;
	wk->wk_whole = 1;
	return (wk);
}

int
log_all_turn(struct log_walk *wk, struct db *db, FILE *f, uint64_t *lines)
{
	int	 n;

	wk->wk_db = db;
	wk->wk_out = f;
	n = walk_on(wk);
	wk->wk_db = NULL;
	wk->wk_out = NULL;
	*lines += wk->wk_lines;
	wk->wk_lines = 0;
	return (n);
}

void
log_all_free(struct log_walk *wk)
{
	if (wk != NULL)
		walk_free(wk);
}

/* The rules decide whether it is shown at all (F9). */
enum result
adm_log(struct request *rq, const void *arg)
{
	const struct m_a_log	*m = arg;
	struct log_walk		*wk;

	if (rq->rq_tn->tn_policy.po_value[POLICY_LOG_CONSOLE] == 0)
		return (R_FORBIDDEN);
	if (audit_add(rq->rq_db, "by user %u: show access log",
	    rq->rq_gr->gr_user) == -1 ||
	    (wk = walk_new(rq->rq_tn->tn_id, m->from, m->to, m->kind)) == NULL)
		return (R_UNAVAILABLE);
	wk->wk_page = 1;
	wk->wk_user = m->user;
	wk->wk_floor = m->floor;
	wk->wk_has_network = m->network[0] != '\0' &&
	    network_parse(&wk->wk_network, m->network) == NETWORK_OK;
	return (rq_stream(rq, stream_log, wk, walk_free) == -1 ?
	    R_UNAVAILABLE : R_OK);
}
