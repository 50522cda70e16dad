/*
 * What an administrator may see of the records of the tenant: the audit trail
 * and its checkpoints, what operators have handed out, and the access log
 * where the rules say so (B28, F3, F9).
 */
#include <stdlib.h>
#include <string.h>

#include "session.h"

#define ADMIN	"/api/v1/admin"

static const char *const kinds[ACCESS_MAX] = {
	"request", "sign-in", "sign-out", "failed", "enter", "leave",
	"talk", "talk-end"
};

/* A number of the query; 0 where there is none, -1: it is not one. */
static int
number_of(struct conn *cn, const char *name, uint64_t *n)
{
	char		 text[24];
	const char	*bad;
	ssize_t		 len;

	*n = 0;
	if ((len = http_query(cn->cn_req, name, text, sizeof(text))) == -1)
		return (0);
	if (len < 0)
		return (-1);
	*n = (uint64_t)strtonum(text, 0, INT64_MAX, &bad);
	return (bad == NULL ? 0 : -1);
}

/* Text of the query, "" where there is none; 0, or -1. */
static int
text_of(struct conn *cn, const char *name, char *dst, size_t size)
{
	ssize_t	 n = http_query(cn->cn_req, name, dst, size);

	if (n == -1)
		dst[0] = '\0';
	return (n == -2 ? -1 : 0);
}

/* All rows have come: the answer, with whether there are more. */
static int
rows_end(struct conn *cn, const struct m_result *m, const char *name,
    json_t *rows)
{
	if (m->code != R_OK)
		api_result(cn, m);
	else
		api_reply(cn, 200, json_pack("{sO sb}", name, rows, "more",
		    m->arg != 0));
	return (1);
}

static int
audit_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	const struct m_c_audit_row	*row = m;

	if (type != IMSG_A_AUDIT_ROW)
		return (rows_end(cn, m, "lines", arg));
	(void)json_array_append_new(arg, json_pack("{sI sI ss?}", "id",
	    (json_int_t)row->seq, "at", (json_int_t)row->at, "text",
	    row->open ? row->text : NULL));
	return (0);
}

static const char *
get_audit(struct conn *cn, json_t *body)
{
	struct m_a_records	 m = { .grant = api_grant(cn) };
	json_t			*rows;

	(void)body;
	if (number_of(cn, "before", &m.at) == -1)
		return ("before");
	if ((rows = api_list(cn)) == NULL)
		return ("");
	api_ask(cn, PROC_STORAGE, IMSG_A_AUDIT, &m, audit_answer, rows);
	return (NULL);
}

static int
points_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	if (type != IMSG_A_POINT)
		return (rows_end(cn, m, "checkpoints", arg));
	(void)json_array_append_new(arg,
	    json_string(((const struct m_c_point *)m)->line));
	return (0);
}

static const char *
get_points(struct conn *cn, json_t *body)
{
	struct m_a_records	 m = { .grant = api_grant(cn) };
	json_t			*rows;

	(void)body;
	if (number_of(cn, "after", &m.at) == -1)
		return ("after");
	if ((rows = api_list(cn)) == NULL)
		return ("");
	api_ask(cn, PROC_STORAGE, IMSG_A_POINTS, &m, points_answer, rows);
	return (NULL);
}

static int
exports_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	static const char *const	 what[EXPORT_KIND_MAX] = {
		"tenant", "log-csv", "log-jsonl"
	};
	static const char *const	 states[EXPORT_STATE_MAX] = {
		"begun", "done", "failed"
	};
	const struct m_c_export_row	*row = m;
	const struct m_result		*result = m;

	if (type != IMSG_A_EXPORT) {
		if (result->code != R_OK)
			api_result(cn, result);
		else
			api_reply(cn, 200, json_pack("{sO}", "exports",
			    (json_t *)arg));
		return (1);
	}
	(void)json_array_append_new(arg, json_pack("{sI sI ss ss sI sI so ss}",
	    "id", (json_int_t)row->id, "at", (json_int_t)row->at, "what",
	    what[row->kind], "state", states[row->state], "lines",
	    (json_int_t)row->rows, "by", (json_int_t)row->by, "confirmed",
	    row->confirmed ? json_integer(row->second) : json_null(),
	    "reason", row->reason));
	return (0);
}

static const char *
get_exports(struct conn *cn, json_t *body)
{
	struct m_grant_only	 m = { api_grant(cn) };
	json_t			*rows;

	(void)body;
	if ((rows = api_list(cn)) == NULL)
		return ("");
	api_ask(cn, PROC_STORAGE, IMSG_A_EXPORTS, &m, exports_answer, rows);
	return (NULL);
}

static int
log_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	const struct m_c_log_row	*row = m;

	if (type != IMSG_A_LOG_ROW)
		return (rows_end(cn, m, "lines", arg));
	(void)json_array_append_new(arg, json_pack("{sI ss sI ss sb ss ss si "
	    "sI sI}", "at", (json_int_t)row->at, "kind", kinds[row->kind],
	    "user", (json_int_t)row->user, "email", row->email, "guest",
	    (int)row->guest, "address", row->addr, "text", row->text,
	    "status", (int)row->status, "bytes", (json_int_t)row->bytes,
	    "floor", (json_int_t)row->floor));
	return (0);
}

static const char *
get_log(struct conn *cn, json_t *body)
{
	struct m_a_log	 m = { .grant = api_grant(cn), .kind = ACCESS_MAX };
	char		 kind[16], network[NETWORK_TEXT];
	struct network	 nw;
	uint64_t	 user, floor;
	json_t		*rows;
	uint8_t		 i;

	(void)body;
	if (number_of(cn, "from", &m.from) == -1 || m.from == 0)
		return ("from");
	if (number_of(cn, "to", &m.to) == -1 || m.to < m.from)
		return ("to");
	if (number_of(cn, "user", &user) == -1 || user > UINT32_MAX)
		return ("user");
	if (number_of(cn, "floor", &floor) == -1 || floor > UINT32_MAX)
		return ("floor");
	if (text_of(cn, "kind", kind, sizeof(kind)) == -1)
		return ("kind");
	for (i = 0; i < ACCESS_MAX; i++)
		if (strcmp(kind, kinds[i]) == 0)
			m.kind = i;
	if (kind[0] != '\0' && m.kind == ACCESS_MAX)
		return ("kind");
	if (text_of(cn, "address", network, sizeof(network)) == -1 ||
	    (network[0] != '\0' && network_parse(&nw, network) != NETWORK_OK))
		return ("address");
	m.user = (uint32_t)user;
	m.floor = (uint32_t)floor;
	m.network = network;
	if ((rows = api_list(cn)) == NULL)
		return ("");
	api_ask(cn, PROC_STORAGE, IMSG_A_LOG, &m, log_answer, rows);
	return (NULL);
}

const struct route	 api_record_routes[] = {
	{ HTTP_GET, ADMIN "/audit", NEED_ADMIN, get_audit },
	{ HTTP_GET, ADMIN "/checkpoints", NEED_ADMIN, get_points },
	{ HTTP_GET, ADMIN "/exports", NEED_ADMIN, get_exports },
	{ HTTP_GET, ADMIN "/log", NEED_ADMIN, get_log },
};
const size_t	 api_record_nroutes = sizeof(api_record_routes) /
		    sizeof(api_record_routes[0]);
