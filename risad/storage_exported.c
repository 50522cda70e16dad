/*
 * The list of what was handed out as a file: by whom, of which tenant, why,
 * and how much (F13).  Entries stay for three years, also when the tenant is
 * gone; of one that was under way when the daemon ended there is no end.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "storage.h"
#include "utf8.h"
#include "util.h"

#define KEPT		(1096 * 24ULL * 3600 * SECOND)
#define LOOK_EACH	(3600 * SECOND)
#define PAGE_ROWS	100		/* that an administrator sees */

/* An entry, opened. */
struct exported {
	uint64_t	 xp_id, xp_version, xp_at;
	uint32_t	 xp_tenant;
	uint64_t	 xp_ended, xp_rows;
	uint32_t	 xp_by, xp_second;
	uint8_t		 xp_kind, xp_state, xp_confirmed;
	char		 xp_name[MAX_LABEL + 1];	/* the tenant's, then */
	char		 xp_reason[MAX_REASON + 1];
};

static void
entry_bind(uint64_t bind[2], const struct exported *xp)
{
	bind[0] = htobe64(xp->xp_at);
	bind[1] = htobe64(xp->xp_tenant);
}

static void *
entry_seal(struct db *sys, const struct exported *xp, size_t *len)
{
	uint64_t		 bind[2];
	const struct seal_at	 at = { "exports", "entry", xp->xp_id,
				    xp->xp_version, bind, sizeof(bind) };
	struct ibuf		*buf;

	entry_bind(bind, xp);
	if ((buf = ibuf_dynamic(64, SEAL_MAX)) == NULL)
		return (NULL);
	if (ibuf_add_n64(buf, xp->xp_ended) == -1 ||
	    ibuf_add_n64(buf, xp->xp_rows) == -1 ||
	    ibuf_add_n32(buf, xp->xp_by) == -1 ||
	    ibuf_add_n32(buf, xp->xp_second) == -1 ||
	    ibuf_add_n8(buf, xp->xp_kind) == -1 ||
	    ibuf_add_n8(buf, xp->xp_state) == -1 ||
	    ibuf_add_n8(buf, xp->xp_confirmed) == -1 ||
	    ibuf_add(buf, xp->xp_name, strlen(xp->xp_name) + 1) == -1 ||
	    ibuf_add(buf, xp->xp_reason, strlen(xp->xp_reason) + 1) == -1) {
		ibuf_free(buf);
		return (NULL);
	}
	return (seal_buf(sys, &at, buf, len));
}

static int
entry_put(struct db *sys, const struct exported *xp)
{
	void	*rec;
	size_t	 len;
	int	 n;

	if ((rec = entry_seal(sys, xp, &len)) == NULL)
		return (-1);
	n = db_exec(sys, S_EXPORT_PUT, ARGS(NUM(xp->xp_id),
	    NUM(xp->xp_version), NUM(xp->xp_at), NUM(xp->xp_tenant),
	    BIN(rec, len)));
	free(rec);
	return (n == 1 ? 0 : -1);
}

static int
entry_read(struct db *sys, sqlite3_stmt *st, struct exported *xp)
{
	uint64_t	 bind[2];
	struct seal_at	 at = { "exports", "entry", 0, 0, bind,
			    sizeof(bind) };
	struct ibuf	 buf;
	void		*text;
	size_t		 len;
	int		 ret = -1;

	memset(xp, 0, sizeof(*xp));
	at.sa_row = xp->xp_id = db_col_num(st, 0);
	at.sa_version = xp->xp_version = db_col_num(st, 1);
	xp->xp_at = db_col_num(st, 2);
	xp->xp_tenant = (uint32_t)db_col_num(st, 3);
	entry_bind(bind, xp);
	if ((text = db_open(sys, &at, st, 4, &len)) == NULL)
		return (-1);
	ibuf_from_buffer(&buf, text, len);
	if (ibuf_get_n64(&buf, &xp->xp_ended) == 0 &&
	    ibuf_get_n64(&buf, &xp->xp_rows) == 0 &&
	    ibuf_get_n32(&buf, &xp->xp_by) == 0 &&
	    ibuf_get_n32(&buf, &xp->xp_second) == 0 &&
	    ibuf_get_n8(&buf, &xp->xp_kind) == 0 &&
	    ibuf_get_n8(&buf, &xp->xp_state) == 0 &&
	    ibuf_get_n8(&buf, &xp->xp_confirmed) == 0 &&
	    get_cstr(&buf, xp->xp_name, sizeof(xp->xp_name)) == 0 &&
	    get_cstr(&buf, xp->xp_reason, sizeof(xp->xp_reason)) == 0)
		ret = 0;
	free(text);
	return (ret);
}

/* In the trail of the tenant, or in that of the installation. */
static int
entry_trail(struct request *rq, struct db *db, const struct exported *xp)
{
	static const char *const words[EXPORT_KIND_MAX] = {
		"export tenant", "export access log", "export access log"
	};
	char	 second[40] = "", reason[MAX_REASON + 16] = "";

	if (xp->xp_confirmed)
		(void)snprintf(second, sizeof(second),
		    ", confirmed by operator %u", xp->xp_second);
	if (xp->xp_reason[0] != '\0')
		(void)snprintf(reason, sizeof(reason), ", reason [%s]",
		    xp->xp_reason);
	if (db_commit(db) == -1)
		return (-1);
	return (audit_add(db, "by operator %u: %s%s%s", rq->rq_op,
	    words[xp->xp_kind], reason, second));
}

const char *
exported_begin(struct request *rq, enum export_kind kind, const char *reason,
    uint32_t *id)
{
	struct exported	 xp = { .xp_version = 1, .xp_at = now_ms() };
	struct db	*sys = db_system();

	if (reason[0] != '\0' && !name_valid(reason, MAX_REASON_CHARS))
		return ("the reason is not valid");
	xp.xp_kind = (uint8_t)kind;
	xp.xp_state = EXPORT_BEGUN;
	xp.xp_by = rq->rq_op;
	xp.xp_second = rq->rq_second;
	xp.xp_confirmed = rq->rq_confirmed != 0;
	(void)strlcpy(xp.xp_reason, reason, sizeof(xp.xp_reason));
	if (rq->rq_tn != NULL) {
		xp.xp_tenant = rq->rq_tn->tn_id;
		(void)strlcpy(xp.xp_name, rq->rq_tn->tn_name,
		    sizeof(xp.xp_name));
	}
	/* Nothing leaves before both say that it does. */
	if (sys == NULL || db_next_id(sys, "exports", &xp.xp_id) == -1 ||
	    xp.xp_id > UINT32_MAX || entry_put(sys, &xp) == -1)
		return ("the list of exports cannot be written");
	if (entry_trail(rq, rq->rq_tn == NULL ? sys : rq->rq_db, &xp) == -1)
		return ("the audit trail cannot be written");
	*id = (uint32_t)xp.xp_id;
	return (NULL);
}

void
exported_end(uint32_t id, uint64_t rows, enum export_state state)
{
	struct db	*sys = db_system();
	struct exported	 xp;
	sqlite3_stmt	*st;
	int		 n = -1;

	if (sys != NULL) {
		st = db_query(sys, S_EXPORT_GET, ARGS(NUM(id)));
		if ((n = db_step(sys, st)) == 1)
			n = entry_read(sys, st, &xp);
		db_done(st);
	}
	if (n == 0) {
		xp.xp_version++;
		xp.xp_ended = now_ms();
		xp.xp_rows = rows;
		xp.xp_state = (uint8_t)state;
		n = entry_put(sys, &xp);
	}
	if (n != 0)
		log_warnx("export %u: its end could not be written", id);
}

static struct m_c_export_row
entry_row(const struct exported *xp)
{
	struct m_c_export_row	 m = { (uint32_t)xp->xp_id, xp->xp_at,
				    xp->xp_ended, xp->xp_rows, xp->xp_kind,
				    xp->xp_state, xp->xp_by, xp->xp_second,
				    xp->xp_confirmed, xp->xp_name,
				    xp->xp_reason };

	return (m);
}

static int
stream_exported(struct stream *sm, struct peer *pe)
{
	struct db		*sys = db_system();
	struct m_c_export_row	 m;
	struct exported		 xp;
	sqlite3_stmt		*st;
	int			 n = -1, rows = 0;

	if (sys != NULL) {
		st = db_query(sys, S_EXPORTS, ARGS(NUM(sm->st_after),
		    NUM(STREAM_ROWS)));
		while ((n = db_step(sys, st)) == 1) {
			rows++;
			sm->st_after = db_col_num(st, 0);
			if (entry_read(sys, st, &xp) == -1 ||
			    (sm->st_tenant != DB_SYSTEM &&
			    xp.xp_tenant != sm->st_tenant))
				continue;
			m = entry_row(&xp);
			(void)proc_send(pe, IMSG_C_EXPORT_ROW, sm->st_id, -1,
			    &m);
		}
		db_done(st);
	}
	if (n == 0 && rows == STREAM_ROWS)
		return (1);
	(void)proc_result(pe, sm->st_id, n == 0 ? R_OK : R_REFUSED, 0,
	    n == 0 ? "" : "system.db cannot be read");
	return (0);
}

const char *
exported_list(struct request *rq)
{
	return (rq_stream(rq, stream_exported, NULL, NULL) == -1 ?
	    "no memory" : NULL);
}

/* What was handed out of the asker's tenant, the newest first (B28). */
enum result
adm_exports(struct request *rq, const void *arg)
{
	struct db		*sys = db_system();
	struct m_c_export_row	 m;
	struct exported		 xp;
	sqlite3_stmt		*st;
	int			 n;

	(void)arg;
	if (sys == NULL)
		return (R_UNAVAILABLE);
	st = db_query(sys, S_EXPORTS_OF, ARGS(NUM(INT64_MAX),
	    NUM(rq->rq_tn->tn_id), NUM(PAGE_ROWS)));
	while ((n = db_step(sys, st)) == 1) {
		if (entry_read(sys, st, &xp) == -1)
			continue;
		m = entry_row(&xp);
		rq_answer(rq, IMSG_A_EXPORT, &m);
	}
	db_done(st);
	if (n == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

void
exported_tick(void)
{
	static uint64_t	 next;
	struct db	*sys;
	uint64_t	 now = now_ms();

	if (mono_ms() < next || now < KEPT || !clock_sure() ||
	    (sys = db_system()) == NULL)
		return;
	next = mono_ms() + LOOK_EACH;
	(void)db_exec(sys, S_EXPORTS_OLD, ARGS(NUM(now - KEPT)));
}
