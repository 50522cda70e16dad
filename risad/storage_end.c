/*
 * The end of a contract: from the day on that was set people are out, and some
 * days later the tenant is erased, also when the daemon was off on that day; or
 * it is erased at once (J9, J11, I4).
 *
 * First the certificate says what there is, and is kept: from then on the
 * erasure goes on after any kill.  Then the key is destroyed, and with it all
 * that was ever sealed by it, copies included; then the files go, and at last
 * the tenant's row.  Keys signs the certificate, which stays.
 */
#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "keyfile.h"
#include "log.h"
#include "storage.h"
#include "util.h"

#define GRACE		(7ULL * 24 * 3600 * SECOND)	/* after the end */
#define LOOK_EACH	(60 * SECOND)

/* An erasure whose certificate keys is signing. */
struct erasure {
	TAILQ_ENTRY(erasure)	 er_entry;
	uint32_t		 er_tenant;
	struct peer		*er_peer;	/* who waits for it, or NULL */
	uint32_t		 er_id;
};
static TAILQ_HEAD(, erasure) erasures = TAILQ_HEAD_INITIALIZER(erasures);

/* One figure of the certificate. */
static void
count_line(FILE *f, struct db *db, const char *what, enum stmt s)
{
	uint64_t	 n;

	if (db_number(db, s, NOARGS, &n) == 0)
		fprintf(f, "%s: %llu\n", what, (unsigned long long)n);
	else
		fprintf(f, "%s: could not be counted\n", what);
}

/* What there is of the tenant, and that it is to go; malloc'ed, or NULL. */
static char *
certificate(struct request *rq, struct tenant *tn, uint32_t by)
{
	char		*text = NULL, at[TIME_TEXT], made[TIME_TEXT];
	uint32_t	 n = 0, due, oldest, newest;
	struct db	*db;
	size_t		 len;
	FILE		*f;

	if ((f = open_memstream(&text, &len)) == NULL)
		return (NULL);
	access_flush_of(tn->tn_id);
	(void)time_text(at, now_ms());
	if (time_text(made, tn->tn_created) == -1)
		(void)strlcpy(made, "-", sizeof(made));
	fprintf(f, "risad certificate of erasure\n\ntenant: %s\nnumber: %u\n"
	    "made: %s\nerased: %s\nby: operator %u\n", tn->tn_name, tn->tn_id,
	    made, at, by);
	if (rq != NULL && rq->rq_confirmed)
		fprintf(f, "confirmed by: operator %u\n", rq->rq_second);
	if ((db = tenant_enter(tn)) != NULL) {
		(void)db_commit(db);
		count_line(f, db, "users", S_USER_COUNT);
		count_line(f, db, "floors", S_FLOOR_COUNT);
		count_line(f, db, "messages", S_TALK_COUNT);
		count_line(f, db, "audit lines", S_AUDIT_COUNT);
		tenant_leave(tn, db);
	} else
		fprintf(f, "data: could not be read any more\n");
	if (db_log_months(tn->tn_id, 0, &n, &due, &oldest, &newest) == 0)
		fprintf(f, "months of access log: %u\n", n);
	key_backup_lines(f, tn->tn_id);
	backup_holds(f, tn->tn_id);
	fprintf(f, "\nThe key of this tenant was overwritten and removed, then "
	    "its files.\nWithout the key nothing that was sealed by it can be "
	    "read, in no copy of the\ndata either; a key backup that is listed "
	    "here, or a copy of the key that was\nmade otherwise, has to be "
	    "destroyed where it is.\nA medium that keeps old blocks may keep "
	    "the old key until they are overwritten.\n");
	if (fclose(f) == EOF) {
		free(text);
		return (NULL);
	}
	return (text);
}

static int
erased_put(struct db *sys, const struct tenant *tn, const char *text)
{
	const struct seal_at	 at = { "erased", "text", tn->tn_id, 0, NULL,
				    0 };
	void			*rec;
	size_t			 len;
	int			 n;

	if ((rec = db_seal(sys, &at, text, strlen(text), &len)) == NULL)
		return (-1);
	n = db_exec(sys, S_ERASED_ADD, ARGS(NUM(tn->tn_id), TXT(tn->tn_name),
	    NUM(now_ms()), BIN(rec, len)));
	free(rec);
	return (n == 1 ? 0 : -1);
}

/* Text and signature of a certificate; malloc'ed, NULL: there is none. */
static char *
erased_get(struct db *sys, uint32_t id, char name[MAX_LABEL + 1], char **sig)
{
	const struct seal_at	 at = { "erased", "text", id, 0, NULL, 0 };
	sqlite3_stmt		*st;
	const char		*s;
	char			*text = NULL;
	size_t			 len;

	*sig = NULL;
	st = db_query(sys, S_ERASED_GET, ARGS(NUM(id)));
	if (db_step(sys, st) == 1) {
		text = db_open(sys, &at, st, 1, &len);
		s = (const char *)sqlite3_column_text(st, 0);
		(void)strlcpy(name, s == NULL ? "?" : s, MAX_LABEL + 1);
		s = (const char *)sqlite3_column_text(st, 2);
		if (text != NULL && s != NULL && s[0] != '\0')
			*sig = strdup(s);
	}
	db_done(st);
	return (text);
}

static int
kept_in(struct db *sys, uint32_t id)
{
	char	 name[MAX_LABEL + 1], *text, *sig;
	int	 kept;

	kept = (text = erased_get(sys, id, name, &sig)) != NULL;
	free(sig);
	free(text);
	return (kept);
}

int
erasure_kept(uint32_t id)
{
	struct db	*sys = db_system();

	return (sys != NULL && kept_in(sys, id));
}

/*
 * That there is a row, anybody may have written; what nobody can read any more
 * is erased already.
 */
int
erasure_begun(struct db *sys, uint32_t id)
{
	return (kept_in(sys, id) || !keyfile_there(id));
}

/* Ask keys to sign it; the answer is for somebody, or for the file alone. */
static int
certificate_prove(uint32_t id, const char *name, const char *text,
    struct peer *pe, uint32_t req)
{
	struct m_prove	 m = { id, name, PROOF_ERASURE, 0, now_ms(), { 0 } };
	struct erasure	*er;

	if (keys_peer() == NULL || sha256(m.sum, text, strlen(text)) == -1 ||
	    (er = calloc(1, sizeof(*er))) == NULL)
		return (-1);
	if (proc_send(keys_peer(), IMSG_PROVE, PROVE_ERASURE, -1, &m) == -1) {
		free(er);
		return (-1);
	}
	er->er_tenant = id;
	er->er_peer = pe;
	er->er_id = req;
	TAILQ_INSERT_TAIL(&erasures, er, er_entry);
	return (0);
}

static void
certificate_send(struct peer *pe, uint32_t req, const char *text,
    const char *line)
{
	struct m_c_log_text	 m = { { text, strlen(text) } };
	struct m_c_point	 sig = { line };

	(void)proc_send(pe, IMSG_C_LOG_TEXT, req, -1, &m);
	(void)proc_send(pe, IMSG_C_POINT, req, -1, &sig);
	(void)proc_result(pe, req, R_OK, 0, "");
}

/*
 * The tenant whose certificate is kept goes, as far as it is still there.  May
 * be called again after a kill at any point.
 */
static int
erase_rest(uint32_t id, const char *name)
{
	struct tenant	*tn = tenant_by_id(id);
	struct m_tenant	 gone = { id, TENANT_SUSPENDED, 1, name, "",
			    { NULL, 0 } };
	struct request	 rq = { .rq_type = 0 };
	struct db	*sys = db_system();

	grants_end(id, 0, 0, 0, END_SUSPENDED);
	rq_tell_sessions(&rq, IMSG_TENANT, &gone);
	rq_tell(&rq, PROC_AUTH, 0, 0, IMSG_TENANT, &gone);
	if (tn != NULL) {
		RB_REMOVE(tenant_tree, &tenant_all, tn);
		free(tn);
	}
	if (db_destroy(id) == -1 || sys == NULL || db_exec(sys, S_TENANT_DEL,
	    ARGS(NUM(id))) == -1 || db_exec(sys, S_ENDING_DEL,
	    ARGS(NUM(id))) == -1) {
		log_warnx("tenant %s: not everything could be removed; it is "
		    "tried again", name);
		return (-1);
	}
	alert_forget(id);
	log_info("tenant %s, number %u, is erased", name, id);
	return (0);
}

const char *
tenant_erase(struct request *rq, struct tenant *tn, uint32_t by,
    const char **how)
{
	struct db	*sys = db_system();
	char		 name[MAX_LABEL + 1], *text;
	uint32_t	 id = tn->tn_id;
	int		 n;

	if ((text = certificate(rq, tn, by)) == NULL)
		return ("no memory");
	if (sys == NULL || erased_put(sys, tn, text) == -1) {
		free(text);
		return ("the certificate cannot be kept, nothing is erased");
	}
	(void)strlcpy(name, tn->tn_name, sizeof(name));
	if (erase_rest(id, name) == -1) {
		*how = "begun";
		free(text);
		return ("not everything could be removed, see the log; it is "
		    "tried again");
	}
	n = certificate_prove(id, name, text, rq == NULL ? NULL : rq->rq_peer,
	    rq == NULL ? 0 : rq->rq_id);
	free(text);
	*how = n == 0 ? "done" : "done, the certificate is not signed yet";
	return (n == 0 ? NULL : "erased; the certificate is not signed yet, "
	    "ask for it again");
}

void
erasure_proven(const struct m_proven *m)
{
	struct db	*sys = db_system();
	struct erasure	*er;
	char		 name[MAX_LABEL + 1], *text, *sig;

	TAILQ_FOREACH(er, &erasures, er_entry)
		if (er->er_tenant == m->tenant)
			break;
	if (er == NULL)
		return;
	TAILQ_REMOVE(&erasures, er, er_entry);
	if (m->line[0] != '\0' && sys != NULL)
		(void)db_exec(sys, S_ERASED_SIG, ARGS(NUM(m->tenant),
		    TXT(m->line)));
	if (er->er_peer != NULL &&
	    er->er_peer == proc_peer(PROC_AUTH, 0)) {
		text = sys == NULL ? NULL : erased_get(sys, m->tenant, name,
		    &sig);
		if (text != NULL && m->line[0] != '\0')
			certificate_send(er->er_peer, er->er_id, text,
			    m->line);
		else
			(void)proc_result(er->er_peer, er->er_id, R_REFUSED,
			    0, "erased; the certificate is not signed yet");
		if (text != NULL)
			free(sig);
		free(text);
	}
	free(er);
}

void
erasures_unproven(void)
{
	struct m_proven	 none = { 0, 0, "" };
	struct erasure	*er;

	while ((er = TAILQ_FIRST(&erasures)) != NULL) {
		none.tenant = er->er_tenant;
		erasure_proven(&none);
	}
}

int
erasure_list(struct request *rq)
{
	struct db		*sys = db_system();
	struct m_c_erased	 m;
	sqlite3_stmt		*st;
	const char		*name;
	int			 n;

	if (sys == NULL)
		return (-1);
	st = db_query(sys, S_ERASED_LIST, NOARGS);
	while ((n = db_step(sys, st)) == 1) {
		name = (const char *)sqlite3_column_text(st, 1);
		m.tenant = (uint32_t)db_col_num(st, 0);
		m.name = name == NULL ? "?" : name;
		m.at = db_col_num(st, 2);
		m.is_signed = db_col_num(st, 3) != 0;
		(void)proc_send(rq->rq_peer, IMSG_C_ERASED_ROW, rq->rq_id, -1,
		    &m);
	}
	db_done(st);
	return (n);
}

const char *
erasure_show(struct request *rq, uint32_t id)
{
	struct db	*sys = db_system();
	char		 name[MAX_LABEL + 1], *text, *sig;
	uint64_t	 there;
	int		 n = 0;

	if (sys == NULL || db_number(sys, S_TENANT_THERE, ARGS(NUM(id)),
	    &there) == -1)
		return ("system.db cannot be read");
	if (there != 0)
		return ("it is not erased yet");
	if ((text = erased_get(sys, id, name, &sig)) == NULL)
		return ("no such certificate");
	if (sig != NULL)
		certificate_send(rq->rq_peer, rq->rq_id, text, sig);
	else
		n = certificate_prove(id, name, text, rq->rq_peer, rq->rq_id);
	free(sig);
	free(text);
	return (n == 0 ? NULL : "keys does not sign it now");
}

/*
 * Ends that were set.
 */

int
ending_set(struct tenant *tn, uint64_t at)
{
	const struct seal_at	 sa = { "endings", "proof", tn->tn_id, at,
				    NULL, 0 };
	struct db		*sys = db_system();
	void			*rec;
	size_t			 len;
	int			 n;

	if (sys == NULL)
		return (-1);
	if (at == 0)
		return (db_exec(sys, S_ENDING_DEL, ARGS(NUM(tn->tn_id))) ==
		    -1 ? -1 : 0);
	if ((rec = db_seal(sys, &sa, "", 0, &len)) == NULL)
		return (-1);
	n = db_exec(sys, S_ENDING_PUT, ARGS(NUM(tn->tn_id), NUM(at),
	    BIN(rec, len)));
	free(rec);
	return (n == 1 ? 0 : -1);
}

/* When its contract ends; 0: never, or the entry is not ours. */
uint64_t
ending_of(const struct tenant *tn)
{
	struct seal_at	 sa = { "endings", "proof", tn->tn_id, 0, NULL, 0 };
	struct db	*sys = db_system();
	sqlite3_stmt	*st;
	void		*proof = NULL;
	uint64_t	 at = 0;
	size_t		 len;

	if (sys == NULL)
		return (0);
	st = db_query(sys, S_ENDING_GET, ARGS(NUM(tn->tn_id)));
	if (db_step(sys, st) == 1) {
		at = sa.sa_version = db_col_num(st, 0);
		proof = db_open(sys, &sa, st, 1, &len);
	}
	db_done(st);
	if (proof == NULL)
		at = 0;
	free(proof);
	return (at);
}

static void
ending_erase(struct tenant *tn)
{
	struct db	*sys = db_system();
	char		 name[MAX_LABEL + 1];
	const char	*how = "nothing is erased";

	(void)strlcpy(name, tn->tn_name, sizeof(name));
	if (sys == NULL || audit_add(sys, "tenant %s: its contract has ended: "
	    "erase", name) == -1)
		return;
	(void)tenant_erase(NULL, tn, 0, &how);
	if ((sys = db_system()) == NULL || audit_add(sys, "tenant %s: its "
	    "contract has ended: erase: %s", name, how) == -1)
		log_warnx("tenant %s: erase: %s, but not in the audit trail",
		    name, how);
}

/* People out on the day, everything gone a week later, or after a hold. */
static void
ending_look(struct tenant *tn, uint64_t now)
{
	struct request	 rq = { .rq_type = 0 };
	struct db	*sys = db_system();
	uint64_t	 at = ending_of(tn);
	int		 held;

	if (at == 0 || now < at || sys == NULL)
		return;
	held = now < at + GRACE ? 1 : hold_tenant(tn);
	if (held == -1)
		alert_raise(ALERT_DATA, tn->tn_id, "its contract has ended, "
		    "but its data cannot be read, so nobody knows whether a "
		    "legal hold forbids to erase it");
	if (held == 0) {
		ending_erase(tn);
		return;
	}
	if (tn->tn_state != TENANT_ACTIVE)
		return;
	tn->tn_state = TENANT_SUSPENDED;
	if (tenant_update(sys, tn) == -1) {
		tn->tn_state = TENANT_ACTIVE;
		return;
	}
	(void)audit_add(sys, "tenant %s: its contract has ended: suspended",
	    tn->tn_name);
	grants_end(tn->tn_id, 0, 0, 0, END_SUSPENDED);
	rq_tell_tenant(&rq, tn);
}

/* The next one that is there and has a certificate; 0: there is none. */
static uint32_t
erasure_open(struct db *sys, uint32_t after, char name[MAX_LABEL + 1])
{
	sqlite3_stmt	*st;
	const char	*s;
	uint32_t	 id = 0;

	st = db_query(sys, S_ERASED_OPEN, ARGS(NUM(after)));
	if (db_step(sys, st) == 1) {
		id = (uint32_t)db_col_num(st, 0);
		s = (const char *)sqlite3_column_text(st, 1);
		(void)strlcpy(name, s == NULL ? "?" : s, MAX_LABEL + 1);
	}
	db_done(st);
	return (id);
}

/* What a kill has left half done is done. */
static void
erasures_resume(void)
{
	struct db	*sys;
	char		 name[MAX_LABEL + 1];
	uint32_t	 id = 0;

	while ((sys = db_system()) != NULL &&
	    (id = erasure_open(sys, id, name)) != 0) {
		if (!erasure_begun(sys, id)) {
			alert_raise(ALERT_DATA, id, "system.db has a "
			    "certificate of its erasure that we have not "
			    "made: it is not erased");
			continue;
		}
		if (erase_rest(id, name) == 0 && ((sys = db_system()) ==
		    NULL || audit_add(sys, "tenant %s, number %u: erased, as "
		    "was begun", name, id) == -1))
			log_warnx("tenant %s: erased, but not in the audit "
			    "trail", name);
	}
}

void
ending_tick(void)
{
	static uint64_t	 last;
	struct tenant	*tn, *next;
	uint64_t	 now = now_ms();

	if (last != 0 && mono_ms() - last < LOOK_EACH)
		return;
	last = mono_ms();
	erasures_resume();
	/* What a clock gone wrong erases, no right one brings back. */
	if (!clock_sure())
		return;
	RB_FOREACH_SAFE(tn, tenant_tree, &tenant_all, next)
		ending_look(tn, now);
}
