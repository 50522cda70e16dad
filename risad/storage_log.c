/*
 * Reading access logs: rows for operators, or the text of a file with a
 * detached signature (F8, F10, F12).
 */
#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "network.h"
#include "storage.h"
#include "util.h"

#define CHUNK		(48 * 1024)	/* of an export, in one imsg */
#define PAGE_ROWS	1000		/* that an administrator gets at once */
#define MAILS		64		/* remembered of those met last */

/* What is wanted, how far it has come, and what is told of it. */
struct walk {
	TAILQ_ENTRY(walk) wk_entry;
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
	EVP_MD_CTX	*wk_sum;
	uint32_t	 wk_proof;		/* asked for; 0: not yet */
	int		 wk_proven;
	char		 wk_line[MAX_LINE + 1];
	struct {
		uint32_t	 user;
		char		 mail[MAX_MAIL + 1];
	}		 wk_mails[MAILS];
};

static TAILQ_HEAD(, walk) proving = TAILQ_HEAD_INITIALIZER(proving);

static void
walk_free(void *arg)
{
	struct walk	*wk = arg;

	if (wk->wk_proof != 0)
		TAILQ_REMOVE(&proving, wk, wk_entry);
	EVP_MD_CTX_free(wk->wk_sum);
	freezero(wk, sizeof(*wk));
}

static const char *
mail_of(struct walk *wk, uint32_t user)
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
wanted(const struct walk *wk, const struct access *ac)
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
		"request", "sign-in", "sign-out", "failed", "enter", "leave"
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

/* RFC 8259, section 7. */
static void
json_text(FILE *f, const char *s)
{
	putc('"', f);
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			fprintf(f, "\\u%04x", (unsigned int)*s);
		else {
			if (*s == '"' || *s == '\\')
				putc('\\', f);
			putc(*s, f);
		}
	}
	putc('"', f);
}

static void
line_csv(struct walk *wk, const struct access *ac)
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
line_json(struct walk *wk, const struct access *ac)
{
	FILE	*f = wk->wk_out;
	char	 at[TIME_TEXT];

	(void)time_text(at, ac->ac_at);
	fprintf(f, "{\"at\":\"%s\",\"kind\":\"%s\",\"user\":%u,\"email\":", at,
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
line_row(struct walk *wk, const struct access *ac)
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
	struct walk	*wk = arg;

	if (!wanted(wk, ac))
		return;
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

/* What was written in this turn leaves, and is part of the sum.  0, or -1. */
static int
text_send(struct walk *wk, char *text, size_t len)
{
	struct m_c_log_text	 m;
	size_t			 n, done;

	if (EVP_DigestUpdate(wk->wk_sum, text, len) != 1)
		return (-1);
	for (done = 0; done < len; done += n) {
		n = len - done > CHUNK ? CHUNK : len - done;
		m.text.mb_data = text + done;
		m.text.mb_len = n;
		if (proc_send(wk->wk_peer, IMSG_C_LOG_TEXT,
		    wk->wk_stream->st_id, -1, &m) == -1)
			return (-1);
	}
	return (0);
}

/* The next block of the month; 1 there was one, 0 none, -1. */
static int
walk_block(struct walk *wk)
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
walk_head(struct walk *wk)
{
	if (wk->wk_format == LOG_CSV && !wk->wk_begun)
		fputs("time,kind,user,email,guest,address,text,status,bytes,"
		    "floor\r\n", wk->wk_out);
	wk->wk_begun = 1;
}

/* A block or a month further: 1, at the end 0, -1. */
static int
walk_on(struct walk *wk)
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
walk_turn(struct walk *wk)
{
	char	*text = NULL;
	size_t	 len = 0;
	int	 n;

	if (wk->wk_format == LOG_ROWS)
		return (walk_on(wk));
	if ((wk->wk_out = open_memstream(&text, &len)) == NULL)
		return (-1);
	walk_head(wk);
	n = walk_on(wk);
	if (ferror(wk->wk_out))
		n = -1;
	if (fclose(wk->wk_out) == EOF || (n != -1 &&
	    text_send(wk, text, len) == -1))
		n = -1;
	wk->wk_out = NULL;
	free(text);
	return (n);
}

/* All of it has left: have the sum signed. */
static int
walk_prove(struct walk *wk)
{
	static uint32_t	 last;
	struct tenant	*tn = tenant_by_id(wk->wk_tenant);
	struct m_prove	 m = { wk->wk_tenant, tn == NULL ? "-" : tn->tn_name,
			    PROOF_LOG, 0, now_ms(), { 0 } };
	unsigned int	 n;

	if (EVP_DigestFinal_ex(wk->wk_sum, m.sum, &n) != 1)
		return (-1);
	do
		wk->wk_proof = ++last;
	while (wk->wk_proof == 0 || wk->wk_proof == PROVE_ERASURE);
	TAILQ_INSERT_TAIL(&proving, wk, wk_entry);
	return (proc_peer(PROC_KEYS, 0) == NULL ? -1 : proc_send(proc_peer(
	    PROC_KEYS, 0), IMSG_PROVE, wk->wk_proof, -1, &m));
}

void
log_proven(uint32_t id, const struct m_proven *m)
{
	struct walk	*wk;

	TAILQ_FOREACH(wk, &proving, wk_entry) {
		if (wk->wk_proof != id)
			continue;
		wk->wk_proven = 1;
		(void)strlcpy(wk->wk_line, m->line, sizeof(wk->wk_line));
	}
}

void
log_unproven(void)
{
	struct m_proven	 none = { 0, 0, "" };
	struct walk	*wk;

	TAILQ_FOREACH(wk, &proving, wk_entry)
		if (!wk->wk_proven)
			log_proven(wk->wk_proof, &none);
}

static int
walk_end(struct walk *wk, const char *why)
{
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

static int
stream_log(struct stream *sm, struct peer *pe)
{
	struct walk		*wk = sm->st_data;
	struct m_c_point	 m = { wk->wk_line };
	struct tenant		*tn = tenant_by_id(wk->wk_tenant);
	int			 n;

	wk->wk_stream = sm;
	wk->wk_peer = pe;
	if (wk->wk_proof != 0 && !wk->wk_proven) {
		sm->st_idle = 1;
		return (1);
	}
	if (wk->wk_proof != 0) {
		if (wk->wk_line[0] == '\0')
			return (walk_end(wk, "keys has not signed it"));
		(void)proc_send(pe, IMSG_C_POINT, sm->st_id, -1, &m);
		return (walk_end(wk, NULL));
	}
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
		n = walk_prove(wk) == 0 ? 1 : -1;
	if (n == 1)
		return (1);
	return (walk_end(wk, n == 0 ? NULL :
	    "the log cannot be read to its end, see the log of risad"));
}

/* Whom and where it is to be about, by the tenant's words for them. */
static const char *
walk_about(struct walk *wk, const struct m_c_log *m, struct db *db)
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

/* The walk is to be: of the request's tenant, or of the installation. */
static struct walk *
walk_new(const struct request *rq, uint64_t from, uint64_t to, uint8_t kind)
{
	struct walk	*wk;
	uint64_t	 now = now_ms();

	if ((wk = calloc(1, sizeof(*wk))) == NULL)
		return (NULL);
	wk->wk_tenant = rq->rq_tn == NULL ? DB_SYSTEM : rq->rq_tn->tn_id;
	wk->wk_from = from;
	wk->wk_to = to < now ? to : now;
	wk->wk_month = db_month_of(wk->wk_from);
	wk->wk_end = db_month_of(wk->wk_to);
	wk->wk_kind = kind;
	access_flush();		/* what was done before is in it */
	return (wk);
}

const char *
log_begin(struct request *rq, const struct m_c_log *m)
{
	struct walk	*wk;
	const char	*why;

	if ((wk = walk_new(rq, m->from, m->to, m->kind)) == NULL)
		return ("no memory");
	wk->wk_format = m->format;
	if ((why = walk_about(wk, m, rq->rq_db)) == NULL &&
	    m->format != LOG_ROWS && ((wk->wk_sum = EVP_MD_CTX_new()) ==
	    NULL || EVP_DigestInit_ex(wk->wk_sum, EVP_sha256(), NULL) != 1))
		why = "no memory";
	if (why != NULL) {
		walk_free(wk);
		return (why);
	}
	if (rq_stream(rq, stream_log, wk, walk_free) == -1)
		return ("no memory");
	return (NULL);
}

/* The rules decide whether it is shown at all (F9). */
enum result
adm_log(struct request *rq, const void *arg)
{
	const struct m_a_log	*m = arg;
	struct walk		*wk;

	if (rq->rq_tn->tn_policy.po_value[POLICY_LOG_CONSOLE] == 0)
		return (R_FORBIDDEN);
	if (audit_add(rq->rq_db, "by user %u: show access log",
	    rq->rq_gr->gr_user) == -1 ||
	    (wk = walk_new(rq, m->from, m->to, m->kind)) == NULL)
		return (R_UNAVAILABLE);
	wk->wk_page = 1;
	wk->wk_user = m->user;
	wk->wk_floor = m->floor;
	wk->wk_has_network = m->network[0] != '\0' &&
	    network_parse(&wk->wk_network, m->network) == NETWORK_OK;
	return (rq_stream(rq, stream_log, wk, walk_free) == -1 ?
	    R_UNAVAILABLE : R_OK);
}
