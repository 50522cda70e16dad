/*
 * HTTP about passkeys: what a browser needs to make or use one, and what its
 * owner sees and changes.  Bytes travel in base64url; what they mean, this
 * process does not ask.
 */

#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "util.h"

#define TIMEOUT		120000		/* ms, as auth has it */
#define ID_TEXT		(MAX_CRED_ID * 4 / 3 + 2)

/*
 * Bytes from the page.
 */

/* At most max bytes from a text; their number, or -1. */
static ssize_t
bytes_get(const char *text, void *dst, size_t max)
{
	size_t	 len = strlen(text) * 3 / 4;

	if (len == 0 || len > max || b64url_decode(dst, len, text) == -1)
		return (-1);
	return ((ssize_t)len);
}

/* The same into a blob; what is not there is empty.  0, or -1. */
static int
blob_get(const char *text, struct m_blob *mb, void *dst, size_t max)
{
	ssize_t	 n;

	mb->mb_data = dst;
	mb->mb_len = 0;
	if (text == NULL)
		return (0);
	if ((n = bytes_get(text, dst, max)) == -1)
		return (-1);
	mb->mb_len = (size_t)n;
	return (0);
}

int
api_passkey_login(json_t *o, struct passkey_bytes *pb,
    struct m_passkey_login *m)
{
	const char	*challenge, *id, *client, *data, *sig, *handle = NULL;
	const struct json_field	 jf[] = {
		{ "challenge", JK_STRING, 1, &challenge, NULL },
		{ "id", JK_STRING, 1, &id, NULL },
		{ "clientDataJSON", JK_STRING, 1, &client, NULL },
		{ "authenticatorData", JK_STRING, 1, &data, NULL },
		{ "signature", JK_STRING, 1, &sig, NULL },
		{ "userHandle", JK_STRING, 0, &handle, NULL },
	};

	if (!json_is_object(o) || json_fields(o, jf, 6) != NULL ||
	    b64url_decode(m->challenge, TOKEN_LEN, challenge) == -1 ||
	    blob_get(id, &m->id, pb->pb_id, sizeof(pb->pb_id)) == -1 ||
	    blob_get(client, &m->client, pb->pb_client,
	    sizeof(pb->pb_client)) == -1 ||
	    blob_get(data, &m->data, pb->pb_data, sizeof(pb->pb_data)) == -1 ||
	    blob_get(sig, &m->sig, pb->pb_sig, sizeof(pb->pb_sig)) == -1 ||
	    blob_get(handle, &m->handle, pb->pb_handle,
	    sizeof(pb->pb_handle)) == -1)
		return (-1);
	return (0);
}

static int
register_get(json_t *o, struct passkey_bytes *pb, struct m_passkey_add *m)
{
	const char	*challenge, *client, *object;
	const struct json_field	 jf[] = {
		{ "challenge", JK_STRING, 1, &challenge, NULL },
		{ "clientDataJSON", JK_STRING, 1, &client, NULL },
		{ "attestationObject", JK_STRING, 1, &object, NULL },
	};

	if (!json_is_object(o) || json_fields(o, jf, 3) != NULL ||
	    b64url_decode(m->challenge, TOKEN_LEN, challenge) == -1 ||
	    blob_get(client, &m->client, pb->pb_client,
	    sizeof(pb->pb_client)) == -1 ||
	    blob_get(object, &m->object, pb->pb_object,
	    sizeof(pb->pb_object)) == -1)
		return (-1);
	return (0);
}

/*
 * Options for the browser, in the form of WebAuthn's own JSON.
 */

/* What the credentials are not to be made again for. */
static json_t *
excluded(const struct m_blob *ids)
{
	const uint8_t	*p = ids->mb_data, *end = p + ids->mb_len;
	char		 text[ID_TEXT];
	json_t		*list = json_array();
	size_t		 len;

	while (end - p > 2) {
		len = (size_t)p[0] << 8 | p[1];
		p += 2;
		if (len > MAX_CRED_ID || len > (size_t)(end - p))
			break;
		b64url_encode(text, sizeof(text), p, len);
		(void)json_array_append_new(list, json_pack("{ss ss}", "type",
		    "public-key", "id", text));
		p += len;
	}
	return (list);
}

static int
register_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	const struct m_challenge	*mc = m;
	const struct login		*lg = cn->cn_login;
	const struct tenant		*tn;
	char				 challenge[TOKEN_TEXT];
	char				 handle[TOKEN_TEXT];

	(void)arg;
	if (type != IMSG_CHALLENGE) {
		api_result(cn, m);
		return (1);
	}
	if ((tn = api_tenant(cn)) == NULL)
		return (1);
	b64url_encode(challenge, sizeof(challenge), mc->challenge, TOKEN_LEN);
	b64url_encode(handle, sizeof(handle), mc->handle, TOKEN_LEN);
	/* ES256, EdDSA, RS256. */
	api_reply(cn, 200, json_pack("{s{ss s{ss ss} s{ss ss ss} "
	    "s[{ss si} {ss si} {ss si}] so s{ss sb ss} si ss}}", "publicKey",
	    "challenge", challenge,
	    "rp", "id", cn->cn_req->hr_host, "name", tn->tn_title,
	    "user", "id", handle, "name", lg->lg_email, "displayName",
	    lg->lg_name, "pubKeyCredParams", "type", "public-key", "alg", -7,
	    "type", "public-key", "alg", -8, "type", "public-key", "alg",
	    -257, "excludeCredentials", excluded(&mc->ids),
	    "authenticatorSelection", "residentKey", "required",
	    "requireResidentKey", 1, "userVerification", "preferred",
	    "timeout", TIMEOUT, "attestation", "none"));
	return (1);
}

/* No credential is named: that would tell who has one. */
static int
signin_options(struct conn *cn, uint32_t type, const void *m,
    const char *verification)
{
	const struct m_challenge	*mc = m;
	char				 challenge[TOKEN_TEXT];

	if (type != IMSG_CHALLENGE) {
		api_result(cn, m);
		return (1);
	}
	b64url_encode(challenge, sizeof(challenge), mc->challenge, TOKEN_LEN);
	api_reply(cn, 200, json_pack("{s{ss ss s[] ss si}}", "publicKey",
	    "challenge", challenge, "rpId", cn->cn_req->hr_host,
	    "allowCredentials", "userVerification", verification,
	    "timeout", TIMEOUT));
	return (1);
}

static int
alone_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	(void)arg;
	return (signin_options(cn, type, m, "required"));
}

/* After the password, the device itself is enough: a touch will do. */
static int
second_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	(void)arg;
	return (signin_options(cn, type, m, "discouraged"));
}

static void
challenge_ask(struct conn *cn, struct m_passkey_ask *m,
    int (*fn)(struct conn *, uint32_t, const void *, void *))
{
	m->tenant = session_tenant(cn)->tn_id;
	m->addr = cn->cn_addr;
	api_ask(cn, PROC_AUTH, IMSG_PASSKEY_ASK, m, fn, NULL);
}

static const char *
post_challenge(struct conn *cn, json_t *body)
{
	struct m_passkey_ask	 m = { .use = PASSKEY_SIGNIN };
	const char		*purpose, *bad;
	const struct json_field	 jf[] = {
		{ "purpose", JK_STRING, 1, &purpose, NULL },
	};

	if ((bad = json_fields(body, jf, 1)) != NULL)
		return (bad);
	if (strcmp(purpose, "sign-in") == 0)
		challenge_ask(cn, &m, alone_answer);
	else if (strcmp(purpose, "second-factor") == 0)
		challenge_ask(cn, &m, second_answer);
	else
		return ("purpose");
	return (NULL);
}

static const char *
post_register(struct conn *cn, json_t *body)
{
	struct m_passkey_ask	 m = { .use = PASSKEY_REGISTER };
	const char		*bad;

	if ((bad = json_fields(body, NULL, 0)) != NULL)
		return (bad);
	memcpy(m.token, cn->cn_login->lg_token, TOKEN_LEN);
	challenge_ask(cn, &m, register_answer);
	return (NULL);
}

/*
 * One's own.
 */

static int
passkeys_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	const struct m_passkey	*mp = m;
	const struct m_result	*mr = m;

	if (type == IMSG_PASSKEY) {
		(void)json_array_append_new(arg, json_pack("{sI sI sI ss}",
		    "id", (json_int_t)mp->id, "created",
		    (json_int_t)mp->created, "last", (json_int_t)mp->last,
		    "name", mp->name));
		return (0);
	}
	if (mr->code == R_OK)
		api_reply(cn, 200, json_pack("{sO si}", "passkeys", arg,
		    "max", MAX_PASSKEYS));
	else
		api_result(cn, m);
	return (1);
}

static const char *
get_passkeys(struct conn *cn, json_t *body)
{
	struct m_grant_only	 m = { api_grant(cn) };

	(void)body;
	api_ask(cn, PROC_STORAGE, IMSG_PASSKEYS, &m, passkeys_answer,
	    api_list(cn));
	return (NULL);
}

static const char *
post_passkey(struct conn *cn, json_t *body)
{
	struct passkey_bytes	 bytes;
	struct m_passkey_add	 m = { .tenant = cn->cn_login->lg_tenant,
				    .addr = cn->cn_addr };
	json_t			*passkey;
	const char		*bad;
	const struct json_field	 jf[] = {
		{ "password", JK_STRING, 1, &m.password, NULL },
		{ "name", JK_STRING, 1, &m.name, NULL },
		{ "passkey", JK_ANY, 1, &passkey, NULL },
	};

	if ((bad = json_fields(body, jf, 3)) != NULL)
		return (bad);
	if (strlen(m.password) > MAX_PASSWORD)
		return ("password");
	if (!name_valid(m.name, MAX_NAME_CHARS))
		return ("name");
	if (register_get(passkey, &bytes, &m) == -1)
		return ("passkey");
	memcpy(m.token, cn->cn_login->lg_token, TOKEN_LEN);
	api_ask(cn, PROC_AUTH, IMSG_PASSKEY_ADD, &m, api_plain, NULL);
	return (NULL);
}

static const char *
patch_passkey(struct conn *cn, json_t *body)
{
	struct m_passkey_name	 m = { api_grant(cn), api_number(cn), NULL };
	const char		*bad;
	const struct json_field	 jf[] = {
		{ "name", JK_STRING, 1, &m.name, NULL },
	};

	if ((bad = json_fields(body, jf, 1)) != NULL)
		return (bad);
	if (!name_valid(m.name, MAX_NAME_CHARS))
		return ("name");
	api_ask(cn, PROC_STORAGE, IMSG_PASSKEY_NAME, &m, api_plain, NULL);
	return (NULL);
}

static const char *
delete_passkey(struct conn *cn, json_t *body)
{
	struct m_passkey_del	 m = { .tenant = cn->cn_login->lg_tenant,
				    .addr = cn->cn_addr,
				    .id = api_number(cn) };
	const char		*bad;
	const struct json_field	 jf[] = {
		{ "password", JK_STRING, 1, &m.password, NULL },
	};

	if ((bad = json_fields(body, jf, 1)) != NULL)
		return (bad);
	if (strlen(m.password) > MAX_PASSWORD)
		return ("password");
	memcpy(m.token, cn->cn_login->lg_token, TOKEN_LEN);
	api_ask(cn, PROC_AUTH, IMSG_PASSKEY_DEL, &m, api_plain, NULL);
	return (NULL);
}

const struct route	 api_passkey_routes[] = {
	{ HTTP_POST, "/api/v1/passkey/challenge", NEED_NONE, post_challenge },
	{ HTTP_POST, "/api/v1/passkeys/challenge", NEED_FIRST, post_register },
	{ HTTP_GET, "/api/v1/passkeys", NEED_FIRST, get_passkeys },
	{ HTTP_POST, "/api/v1/passkeys", NEED_FIRST, post_passkey },
	{ HTTP_PATCH, "/api/v1/passkeys/#", NEED_LOGIN, patch_passkey },
	{ HTTP_DELETE, "/api/v1/passkeys/#", NEED_LOGIN, delete_passkey },
};
const size_t		 api_passkey_nroutes = sizeof(api_passkey_routes) /
			    sizeof(api_passkey_routes[0]);
