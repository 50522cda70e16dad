/*
 * What requests are answered.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "session.h"

/* The answer is queued: go on with the next request, or end. */
static void
api_done(struct conn *cn, int close)
{
	if (cn->cn_job_free != NULL)
		cn->cn_job_free(cn->cn_job);
	cn->cn_job = NULL;
	cn->cn_job_free = NULL;
	api_large_end(cn);
	if (cn->cn_req != NULL) {
		if (cn->cn_state == CONN_WAIT)
			conn_consume(cn, cn->cn_req->hr_headlen +
			    (size_t)cn->cn_req->hr_length);
		free(cn->cn_req);
		cn->cn_req = NULL;
	}
	login_use(cn, NULL);
	if (close) {
		conn_drain(cn);
		return;
	}
	cn->cn_state = CONN_HTTP;
	conn_again(cn);
}

/* The head, and so many bytes of a body, or what many have in common. */
static void
reply(struct conn *cn, struct http_reply *hp, const void *body, size_t len,
    struct chunk *common)
{
	char		 head[HTTP_MAXREPLY];
	struct chunk	*ck;
	int		 n;

	hp->hp_now = time(NULL);
	if (!cn->cn_req->hr_keepalive || cn->cn_state != CONN_WAIT)
		hp->hp_close = 1;
	n = http_reply_head(head, sizeof(head), hp);
	if (n == -1 || (ck = chunk_new((size_t)n + len)) == NULL) {
		log_warnx("reply %d can not be written", hp->hp_status);
		conn_close(cn);
		return;
	}
	memcpy(ck->ck_data, head, (size_t)n);
	if (len > 0)
		memcpy(ck->ck_data + n, body, len);
	conn_queue(cn, ck);
	chunk_free(ck);
	if (common != NULL) {
		conn_queue(cn, common);
		len = common->ck_len;
	}
	access_request(cn, hp->hp_status, (size_t)n + len);
	api_done(cn, hp->hp_close);
}

void
api_reply_bytes(struct conn *cn, struct http_reply *hp, const void *body)
{
	if (body == NULL || cn->cn_req->hr_method == HTTP_HEAD)
		reply(cn, hp, NULL, 0, NULL);
	else
		reply(cn, hp, body, (size_t)hp->hp_length, NULL);
}

void
api_reply_chunk(struct conn *cn, struct http_reply *hp, struct chunk *body)
{
	hp->hp_length = body->ck_len;
	reply(cn, hp, NULL, 0, cn->cn_req->hr_method == HTTP_HEAD ? NULL :
	    body);
}

void
api_reply_json(struct conn *cn, struct http_reply *hp, json_t *o)
{
	char	*text;

	text = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (text == NULL) {
		conn_close(cn);
		return;
	}
	if (hp->hp_type == NULL)
		hp->hp_type = "application/json";
	hp->hp_length = strlen(text);
	api_reply_bytes(cn, hp, text);
	free(text);
}

void
api_reply(struct conn *cn, int status, json_t *o)
{
	struct http_reply	 hp = { .hp_status = status };

	if (status == 204)
		api_reply_bytes(cn, &hp, NULL);
	else
		api_reply_json(cn, &hp, o);
}

static const char *
problem_detail(const char *word)
{
	static const struct { const char *word, *text; } details[] = {
	    { "sign-in", "Mail address or password are not right." },
	    { "second-factor", "A second factor is needed." },
	    { "session", "Sign in first." },
	    { "must", "Something has to be done first; see the session." },
	    { "forbidden", "Your role does not allow this." },
	    { "address", "It is not allowed from your address." },
	    { "excludes", "Your own address is not in this list." },
	    { "not-found", "There is nothing here." },
	    { "origin", "The request comes from another site." },
	    { "media-type", "Send application/json." },
	    { "json", "The body is no JSON object that we accept." },
	    { "field", "A value is missing or wrong." },
	    { "weak", "This password is guessed too easily." },
	    { "used", "This password was used before." },
	    { "domain", "The rules invite nobody with a mail address of this "
		"domain." },
	    { "held", "A legal hold forbids it; the operators know whose." },
	    { "conflict", "It exists already, or something depends on it." },
	    { "too-many", "Too many tries. Wait a moment." },
	    { "locked", "Too many tries have failed. Wait, or have an "
		"administrator unlock the account." },
	    { "busy", "The server is busy. Try again in a moment." },
	    { "full", "There are too many connections. Try again later." },
	    { "too-large", "The request is too large." },
	    { "method", "Not this method here." },
	    { "host", "This host name is not served here." },
	    { "link", "The link is unknown, used or expired." },
	    { "timeout", "The request did not arrive in time." },
	};
	size_t	 i;

	for (i = 0; i < sizeof(details) / sizeof(details[0]); i++)
		if (strcmp(details[i].word, word) == 0)
			return (details[i].text);
	return (NULL);
}

static void
problem(struct conn *cn, int status, const char *word, const char *detail,
    const char *field, unsigned int retry)
{
	struct http_reply	 hp = { .hp_status = status };
	/* A field of any length that a RESULT may have, each byte escaped. */
	char			 body[512 + 6 * MAX_LINE];
	int			 n;

	n = http_problem(body, sizeof(body), status, word,
	    http_reason(status), detail, field);
	if (n == -1) {
		conn_close(cn);
		return;
	}
	hp.hp_type = "application/problem+json";
	hp.hp_length = (uint64_t)n;
	hp.hp_retry = retry;
	hp.hp_plain = cn->cn_redirect;
	/*
	 * A host beside ours can set cookies for the whole domain, too large
	 * for any request: whose browser has them would be shut out.
	 */
	hp.hp_crumbs = status == 431;
	/* What is wrong with the message itself leaves its end unknown. */
	hp.hp_close = cn->cn_state != CONN_WAIT;
	api_reply_bytes(cn, &hp, body);
}

void
api_problem(struct conn *cn, int status, const char *word, const char *field,
    unsigned int retry)
{
	problem(cn, status, word, problem_detail(word), field, retry);
}

/* It exists already, or so many people depend on it. */
static void
api_conflict(struct conn *cn, const struct m_result *m)
{
	char	 detail[64];

	(void)snprintf(detail, sizeof(detail), "%llu people have it.",
	    (unsigned long long)m->arg);
	problem(cn, 409, "conflict", m->arg > 0 ? detail :
	    problem_detail("conflict"), m->field, 0);
}

void
api_problem_value(struct conn *cn, int status, const char *word,
    const char *field, const char *value)
{
	struct http_reply	 hp = { .hp_status = status };
	char			 type[64];

	(void)snprintf(type, sizeof(type), "/problems/%s", word);
	hp.hp_type = "application/problem+json";
	api_reply_json(cn, &hp, json_pack("{ss si ss ss ss* ss}", "type",
	    type, "status", status, "title", http_reason(status), "detail",
	    problem_detail(word), "field", field, "value", value));
}

void
api_result(struct conn *cn, const struct m_result *m)
{
	unsigned int	 retry = m->arg > 0 && m->arg <= 3600 ?
			    (unsigned int)m->arg : 1;

	switch (m->code) {
	case R_OK:
		api_reply(cn, 204, NULL);
		break;
	case R_TOOMANY:
		api_problem(cn, 429, "too-many", NULL, retry);
		break;
	case R_LOCKED:
		api_problem(cn, 429, "locked", NULL, retry);
		break;
	case R_SIGNIN:
		api_problem(cn, 401, "sign-in", NULL, 0);
		break;
	case R_SESSION:
		if (cn->cn_login != NULL)
			login_drop(cn->cn_login, END_ENDED);
		api_problem(cn, 401, "session", NULL, 0);
		break;
	case R_FORBIDDEN:
		api_problem(cn, 403, "forbidden", NULL, 0);
		break;
	case R_NOTFOUND:
		api_problem(cn, 404, "not-found", NULL, 0);
		break;
	case R_CONFLICT:
		api_conflict(cn, m);
		break;
	case R_INVALID:
		api_problem(cn, 422, "field", m->field, 0);
		break;
	case R_WEAK:
		api_problem(cn, 422, "weak", m->field, 0);
		break;
	case R_USED:
		api_problem(cn, 422, "used", m->field, 0);
		break;
	case R_DOMAIN:
		api_problem(cn, 422, "domain", m->field, 0);
		break;
	case R_FACTOR:
		api_factor_problem(cn, m);
		break;
	case R_MUST:
		api_problem(cn, 403, "must", NULL, 0);
		break;
	case R_ADDRESS:
		api_problem_value(cn, 403, "address", NULL, cn->cn_addr);
		break;
	case R_EXCLUDES:
		api_problem_value(cn, 422, "excludes", m->field,
		    cn->cn_addr);
		break;
	case R_HELD:
		api_problem(cn, 409, "held", NULL, 0);
		break;
	case R_LINK:
		api_problem(cn, 404, "link", NULL, 0);
		break;
	default:
		api_problem(cn, 503, "busy", NULL, retry);
		break;
	}
}

void
api_nowhere(struct conn *cn, const char *allow)
{
	struct http_reply	 hp = { .hp_status = 405 };
	char			 body[512];
	int			 n;

	if (*allow == '\0') {
		api_problem(cn, 404, "not-found", NULL, 0);
		return;
	}
	n = http_problem(body, sizeof(body), 405, "method", http_reason(405),
	    problem_detail("method"), NULL);
	hp.hp_type = "application/problem+json";
	hp.hp_length = n == -1 ? 0 : (uint64_t)n;
	hp.hp_allow = allow;
	api_reply_bytes(cn, &hp, body);
}
