/*
 * HTTP that adds and changes people from a file: the one route whose body may
 * be large, and only for an administrator of whom we know that before the body
 * comes.  The lines are read here, storage decides what they do.
 */
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "log.h"
#include "session.h"
#include "util.h"

#define ADMIN		"/api/v1/admin"
#define LARGE_MAX	8		/* bodies at the same time */
#define LARGE_TENANT	2		/* of one tenant */
#define LARGE_MS	60000		/* until it is all here */
#define RETRY		5		/* s, when there are too many */

/* Whose large bodies are on their way. */
static struct large {
	struct conn	*la_conn;
	uint32_t	 la_tenant;
} large[LARGE_MAX];

/*
 * The large body.
 */

void
api_large_end(struct conn *cn)
{
	size_t	 i;

	if (cn->cn_large == LARGE_NO)
		return;
	cn->cn_large = LARGE_NO;
	cn->cn_maxin = CONN_MAXIN;
	for (i = 0; i < LARGE_MAX; i++)
		if (large[i].la_conn == cn)
			large[i].la_conn = NULL;
}

static struct large *
large_slot(uint32_t tenant)
{
	struct large	*found = NULL;
	size_t		 i, n = 0;

	for (i = 0; i < LARGE_MAX; i++) {
		if (large[i].la_conn == NULL)
			found = &large[i];
		else if (large[i].la_tenant == tenant)
			n++;
	}
	return (n < LARGE_TENANT ? found : NULL);
}

/* It is not read: with the answer the connection ends. */
static void
large_refuse(struct conn *cn, int status, const char *word, unsigned int retry)
{
	session_stats.ss_requests++;
	cn->cn_req->hr_keepalive = 0;
	api_problem(cn, status, word, NULL, retry);
}

static void
large_known(struct conn *cn, struct login *lg)
{
	struct large	*la;

	login_use(cn, lg);
	if (lg->lg_role != ROLE_ADMIN) {
		large_refuse(cn, 403, "forbidden", 0);
		return;
	}
	if (lg->lg_must != 0) {
		large_refuse(cn, 403, "must", 0);
		return;
	}
	if ((la = large_slot(lg->lg_tenant)) == NULL) {
		large_refuse(cn, 503, "busy", RETRY);
		return;
	}
	la->la_conn = cn;
	la->la_tenant = lg->lg_tenant;
	cn->cn_large = LARGE_YES;
	cn->cn_maxin = HTTP_MAXHEAD + BODY_LARGE;
	conn_timer(cn, LARGE_MS);
	conn_again(cn);
}

static int
large_granted(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct login	*lg;

	(void)arg;
	/* It may have been too slow for us meanwhile. */
	if (cn->cn_state != CONN_HTTP || cn->cn_large != LARGE_ASKED) {
		if (type == IMSG_GRANT)
			login_give_back(((const struct m_grant *)m)->grant);
		return (1);
	}
	if (type != IMSG_GRANT) {
		session_stats.ss_requests++;
		cn->cn_req->hr_keepalive = 0;
		api_result(cn, m);
		return (1);
	}
	if ((lg = api_login(cn, m)) == NULL)
		large_refuse(cn, 503, "busy", 1);
	else
		large_known(cn, lg);
	return (1);
}

static void
large_ask(struct conn *cn, uint32_t tenant)
{
	struct m_token	 m = { .tenant = tenant, .addr = cn->cn_addr };
	struct login	*lg;

	if (api_cookie(cn, m.token) == -1) {
		large_refuse(cn, 401, "session", 0);
		return;
	}
	lg = login_find(tenant, m.token, cn->cn_addr);
	if (lg != NULL && lg->lg_grant != 0)
		large_known(cn, lg);
	else if (ask_send(cn, PROC_AUTH, IMSG_TOKEN, &m, large_granted,
	    NULL) == -1)
		large_refuse(cn, 503, "busy", 1);
	else
		cn->cn_large = LARGE_ASKED;
	explicit_bzero(&m, sizeof(m));
}

int
api_large(struct conn *cn)
{
	const struct http_request	*hr = cn->cn_req;
	struct tenant			*tn = session_tenant(cn);

	if (cn->cn_large != LARGE_NO)
		return (cn->cn_large == LARGE_YES);
	if (cn->cn_redirect || cn->cn_late || tn == NULL ||
	    hr->hr_method != HTTP_POST ||
	    strcmp(hr->hr_path, ADMIN "/import") != 0 ||
	    http_same_origin(hr) != 1 || !http_is_json(hr))
		large_refuse(cn, 413, "too-large", 0);
	else
		large_ask(cn, tn->tn_id);
	return (cn->cn_large == LARGE_YES);
}

/*
 * The answer.
 */

/* What storage says of the lines, until it is through. */
struct answer {
	int		 an_dry;
	json_t		*an_lines;
	json_t		*an_digest;	/* NULL: there are faults */
};

static void
answer_free(void *arg)
{
	struct answer	*an = arg;

	json_decref(an->an_lines);
	json_decref(an->an_digest);
	free(an);
}

static const char *
state_name(uint8_t state)
{
	static const char	*const names[USER_STATE_MAX] = {
		"invited", "active", "locked"
	};

	return (names[state]);
}

static void
set(json_t *o, const char *key, const char *value)
{
	(void)json_object_set_new(o, key, json_string(value));
}

/* What changes of somebody: as it was, or as it becomes. */
static json_t *
json_side(const struct m_import_row *m, int after)
{
	json_t	*o = json_object();
	int	 all = m->what == IMPORT_ADD;

	if (m->mask & SET_NAME || all)
		set(o, "name", after ? m->name : m->old_name);
	if (m->mask & SET_ROLE || all)
		set(o, "role", after ? m->role : m->old_role);
	if (m->mask & SET_STATE || all)
		set(o, "state", state_name(after ? m->state : m->old_state));
	if (m->mask & SET_GROUPS || all)
		set(o, "groups", after ? m->groups : m->old_groups);
	return (o);
}

static json_t *
json_row(struct conn *cn, const struct m_import_row *m)
{
	static const char	*const whats[IMPORT_WHAT_MAX] = {
		"same", "add", "change", "fault"
	};
	char	 url[HTTP_MAXHOST + 80];
	json_t	*o;

	o = json_pack("{sI ss ss}", "line", (json_int_t)m->line, "what",
	    whats[m->what], "email", m->email);
	if (m->what == IMPORT_FAULT) {
		set(o, "field", csv_place_name(m->place));
		set(o, "reason", csv_why_name(m->why));
		return (o);
	}
	if (m->user != 0)
		(void)json_object_set_new(o, "user", json_integer(
		    (json_int_t)m->user));
	if (m->what == IMPORT_CHANGE)
		(void)json_object_set_new(o, "from", json_side(m, 0));
	if (m->what != IMPORT_SAME)
		(void)json_object_set_new(o, "to", json_side(m, 1));
	if (m->expires != 0) {
		api_link_url(cn, "invite", m->token, url, sizeof(url));
		(void)json_object_set_new(o, "invite", json_pack("{ss sI}",
		    "url", url, "expires", (json_int_t)m->expires));
		explicit_bzero(url, sizeof(url));
	}
	return (o);
}

static void
answer_reply(struct conn *cn, struct answer *an)
{
	api_reply(cn, 200, json_pack("{sb sO sO?}", "done", !an->an_dry,
	    "lines", an->an_lines, "digest", an->an_digest));
}

static int
import_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct answer			*an = arg;
	const struct m_import_done	*md = m;
	const struct m_result		*mr = m;
	char				 text[TOKEN_TEXT];

	switch (type) {
	case IMSG_A_IMPORT_ROW:
		(void)json_array_append_new(an->an_lines, json_row(cn, m));
		return (0);
	case IMSG_A_IMPORT_DONE:
		if (!md->good)
			return (0);
		b64url_encode(text, sizeof(text), md->digest,
		    sizeof(md->digest));
		json_decref(an->an_digest);
		an->an_digest = json_string(text);
		return (0);
	default:
		if (mr->code == R_OK)
			answer_reply(cn, an);
		else
			api_result(cn, m);
		return (1);
	}
}

/*
 * The request.
 */

/* The number of lines, or -1 when one of them cannot be sent. */
static int
lines_send(struct peer *pe, uint64_t grant, uint32_t nr, struct csv *cs)
{
	struct csv_row		 cr;
	struct m_a_import_line	 m = { .grant = grant, .nr = nr };
	int			 n = 0;

	for (; csv_next(cs, &cr); n++) {
		m.line = cr.cr_line;
		m.why = (uint8_t)cr.cr_why;
		m.place = (uint8_t)cr.cr_place;
		m.mask = (cr.cr_cell[CSV_NAME] != NULL ? SET_NAME : 0) |
		    (cr.cr_cell[CSV_ROLE] != NULL ? SET_ROLE : 0) |
		    (cr.cr_cell[CSV_GROUPS] != NULL ? SET_GROUPS : 0) |
		    (cr.cr_cell[CSV_STATE] != NULL ? SET_STATE : 0);
		m.email = cr.cr_cell[CSV_EMAIL];
		m.name = cr.cr_cell[CSV_NAME];
		m.role = cr.cr_cell[CSV_ROLE];
		m.groups = cr.cr_cell[CSV_GROUPS];
		m.state = cr.cr_cell[CSV_STATE];
		if (proc_send(pe, IMSG_A_IMPORT_LINE, 0, -1, &m) == -1)
			return (-1);
	}
	return (n);
}

static void
import_send(struct conn *cn, struct csv *cs, struct answer *an,
    const uint8_t was[TOKEN_LEN])
{
	struct peer		*pe = proc_peer(PROC_STORAGE, 0);
	struct m_a_import	 begin = { api_grant(cn), arc4random() };
	struct m_a_import_end	 end = { .grant = begin.grant,
				    .nr = begin.nr, .dry = an->an_dry != 0 };
	int			 n = -1;

	memcpy(end.was, was, sizeof(end.was));
	if (proc_send(pe, IMSG_A_IMPORT_BEGIN, 0, -1, &begin) == 0)
		n = lines_send(pe, begin.grant, begin.nr, cs);
	end.count = (uint32_t)n;	/* -1 fits nothing: it is dropped */
	if (ask_send(cn, PROC_STORAGE, IMSG_A_IMPORT_END, &end, import_answer,
	    an) == -1)
		api_problem(cn, 503, "busy", NULL, 1);
}

/* The file as a whole is of no use: one line says why. */
static const char *
import_useless(struct conn *cn, struct answer *an, const struct csv *cs,
    enum csv_why why)
{
	if (!an->an_dry)
		return ("csv");
	(void)json_array_append_new(an->an_lines, json_pack(
	    "{sI ss ss ss ss ss}", "line", (json_int_t)1, "what", "fault",
	    "email", "", "field", csv_place_name(cs->cs_place), "reason",
	    csv_why_name(why), "text", cs->cs_name));
	answer_reply(cn, an);
	return ("");
}

static const char *
import_text(struct conn *cn, struct answer *an, const char *csv,
    const uint8_t was[TOKEN_LEN])
{
	struct csv	 cs;
	enum csv_why	 why;
	const char	*bad = NULL;
	char		*text;

	if ((text = strdup(csv)) == NULL) {
		api_problem(cn, 503, "busy", NULL, 1);
		return ("");
	}
	if ((why = csv_open(&cs, text, strlen(text))) != CSV_FINE)
		bad = import_useless(cn, an, &cs, why);
	else
		import_send(cn, &cs, an, was);
	free(text);
	return (bad);
}

static const char *
post_import(struct conn *cn, json_t *body)
{
	const char		*csv, *digest, *bad;
	struct answer		*an;
	uint8_t			 was[TOKEN_LEN] = { 0 };
	int			 dry = 0, has_digest;
	const struct json_field	 jf[] = {
		{ "csv", JK_STRING, 1, &csv, NULL },
		{ "dry", JK_BOOL, 0, &dry, NULL },
		{ "digest", JK_STRING, 0, &digest, &has_digest },
	};

	if ((bad = json_fields(body, jf, 3)) != NULL)
		return (bad);
	if (has_digest == dry || (has_digest &&
	    b64url_decode(was, sizeof(was), digest) == -1))
		return ("digest");
	if ((an = calloc(1, sizeof(*an))) == NULL) {
		api_problem(cn, 503, "busy", NULL, 1);
		return ("");
	}
	an->an_dry = dry;
	an->an_lines = json_array();
	cn->cn_job = an;
	cn->cn_job_free = answer_free;
	return (import_text(cn, an, csv, was));
}

const struct route	 api_import_routes[] = {
	{ HTTP_POST, ADMIN "/import", NEED_ADMIN, post_import },
};
const size_t		 api_import_nroutes = sizeof(api_import_routes) /
			    sizeof(api_import_routes[0]);
