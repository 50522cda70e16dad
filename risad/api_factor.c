/* HTTP about second factors: one's own, and those that somebody has lost. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "util.h"

#define SEED_TEXT	(TOTP_SEED * 8 / 5 + 1)	/* base32 */
#define URI_LEN		(3 * (2 * MAX_TITLE + MAX_MAIL) + 128)

void
api_factor_problem(struct conn *cn, const struct m_result *m)
{
	struct http_reply	 hp = { .hp_status = 401,
				    .hp_type = "application/problem+json" };
	json_t			*o;
	char			*text;

	o = json_pack("{ss si ss ss so}", "type", "/problems/second-factor",
	    "status", hp.hp_status, "title", http_reason(hp.hp_status),
	    "detail", m->arg & FACTOR_WRONG ? "This is not good here." :
	    "A second factor is needed.", "methods",
	    json_factors(m->arg & FACTOR_ALL));
	if (m->arg & FACTOR_WRONG)
		(void)json_object_set_new(o, "field", json_string(m->field));
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (text == NULL) {
		conn_close(cn);
		return;
	}
	hp.hp_length = strlen(text);
	api_reply_bytes(cn, &hp, text);
	free(text);
}

/* Percent-encode all that RFC 3986 does not call unreserved. */
static void
uri_add(char *dst, size_t size, const char *s)
{
	static const char	 plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789-._~";
	size_t			 n = strlen(dst);

	for (; *s != '\0' && n + 4 <= size; s++)
		if (strchr(plain, *s) != NULL)
			dst[n++] = *s;
		else
			n += (size_t)snprintf(dst + n, size - n, "%%%02X",
			    (unsigned char)*s);
	dst[n] = '\0';
}

/* What a phone reads: whose it is, where, and the seed. */
static void
otp_uri(const struct conn *cn, const char *secret, char *uri, size_t size)
{
	struct tenant	*tn = site_tenant(cn->cn_login->lg_tenant);
	const char	*issuer = tn == NULL ? "risad" : tn->tn_title;

	(void)strlcpy(uri, "otpauth://totp/", size);
	uri_add(uri, size, issuer);
	(void)strlcat(uri, ":", size);
	uri_add(uri, size, cn->cn_login->lg_email);
	(void)strlcat(uri, "?secret=", size);
	(void)strlcat(uri, secret, size);
	(void)strlcat(uri, "&issuer=", size);
	uri_add(uri, size, issuer);
	(void)strlcat(uri, "&algorithm=SHA1&digits=6&period=30", size);
}

static void
seed_reply(struct conn *cn, const struct m_factor_seed *m)
{
	char	 secret[SEED_TEXT], uri[URI_LEN];

	if (m->seed.mb_len != TOTP_SEED) {
		api_problem(cn, 503, "busy", NULL, 1);
		return;
	}
	b32_encode(secret, sizeof(secret), m->seed.mb_data, m->seed.mb_len);
	otp_uri(cn, secret, uri, sizeof(uri));
	api_reply(cn, 201, json_pack("{ss ss}", "uri", uri, "secret",
	    secret));
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(uri, sizeof(uri));
}

/* A line each. */
static void
codes_reply(struct conn *cn, const char *text)
{
	json_t	*list = json_array();
	size_t	 len;

	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		(void)json_array_append_new(list, json_stringn(text, len));
	}
	api_reply(cn, 200, json_pack("{so}", "recovery", list));
}

static int
factor_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	(void)arg;
	if (type == IMSG_FACTOR_SEED)
		seed_reply(cn, m);
	else if (type == IMSG_FACTOR_SHOW)
		codes_reply(cn, ((const struct m_factor_show *)m)->text);
	else
		api_result(cn, m);
	return (1);
}

/* A body of one secret, the password or a code, that auth has to judge. */
static const char *
factor_ask(struct conn *cn, json_t *body, enum factor_act act)
{
	const char		*name, *secret, *bad;
	struct m_factor		 m = { .tenant = cn->cn_login->lg_tenant,
				    .addr = cn->cn_addr };
	struct json_field	 jf = { NULL, JK_STRING, 1, &secret, NULL };

	name = act == FACTOR_CONFIRM ? "code" : "password";
	jf.jf_name = name;
	if ((bad = json_fields(body, &jf, 1)) != NULL)
		return (bad);
	if (*secret == '\0' || strlen(secret) > (act == FACTOR_CONFIRM ?
	    MAX_OTP : MAX_PASSWORD))
		return (name);
	memcpy(m.token, cn->cn_login->lg_token, TOKEN_LEN);
	m.act = (uint8_t)act;
	m.secret = secret;
	if (ask_send(cn, PROC_AUTH, IMSG_FACTOR, &m, factor_answer,
	    NULL) == -1)
		api_problem(cn, 503, "busy", NULL, 1);
	explicit_bzero(&m, sizeof(m));
	return (NULL);
}

static const char *
post_totp(struct conn *cn, json_t *body)
{
	return (factor_ask(cn, body, FACTOR_BEGIN));
}

static const char *
post_confirm(struct conn *cn, json_t *body)
{
	return (factor_ask(cn, body, FACTOR_CONFIRM));
}

static const char *
post_recovery(struct conn *cn, json_t *body)
{
	return (factor_ask(cn, body, FACTOR_CODES));
}

static const char *
delete_totp(struct conn *cn, json_t *body)
{
	return (factor_ask(cn, body, FACTOR_DROP));
}

static int
factor_row(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	const struct m_factor_row	*mf = m;

	(void)arg;
	if (type == IMSG_FACTOR_ROW)
		api_reply(cn, 200, json_pack("{so sb si sI sI}", "methods",
		    json_factors(mf->methods), "required", mf->required,
		    "recovery", (int)mf->left, "since", (json_int_t)mf->since,
		    "used", (json_int_t)mf->used));
	else
		api_result(cn, m);
	return (1);
}

static const char *
get_factor(struct conn *cn, json_t *body)
{
	struct m_grant_only	 m = { api_grant(cn) };

	(void)body;
	if (ask_send(cn, PROC_STORAGE, IMSG_FACTOR_GET, &m, factor_row,
	    NULL) == -1)
		api_problem(cn, 503, "busy", NULL, 1);
	return (NULL);
}

static const char *
delete_user_factor(struct conn *cn, json_t *body)
{
	struct m_grant_id	 m = { api_grant(cn), api_number(cn) };

	(void)body;
	if (ask_send(cn, PROC_STORAGE, IMSG_A_FACTOR_DEL, &m, api_plain,
	    NULL) == -1)
		api_problem(cn, 503, "busy", NULL, 1);
	return (NULL);
}

#define ADMIN	"/api/v1/admin"

const struct route	 api_factor_routes[] = {
	{ HTTP_GET, "/api/v1/factor", NEED_FIRST, get_factor },
	{ HTTP_POST, "/api/v1/factor/totp", NEED_FIRST, post_totp },
	{ HTTP_POST, "/api/v1/factor/totp/confirm", NEED_FIRST,
	    post_confirm },
	{ HTTP_DELETE, "/api/v1/factor/totp", NEED_LOGIN, delete_totp },
	{ HTTP_POST, "/api/v1/factor/recovery", NEED_LOGIN, post_recovery },
	{ HTTP_DELETE, ADMIN "/users/#/factor", NEED_ADMIN,
	    delete_user_factor },
};
const size_t		 api_factor_nroutes = sizeof(api_factor_routes) /
			    sizeof(api_factor_routes[0]);
