#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "hash_webauthn.h"
#include "util.h"

#define HEAD		37	/* rpIdHash, flags, counter */
#define AT_HEAD		18	/* aaguid, length of the id */
#define CBOR_DEPTH	6
#define ORIGIN		(8 + MAX_HOST + 7)

/* Major types of CBOR, RFC 8949 section 3.1. */
enum { CBOR_UINT, CBOR_NINT, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP,
    CBOR_TAG, CBOR_SIMPLE };

/* Bytes not read yet. */
struct span {
	const uint8_t	*sp_at;
	size_t		 sp_len;
};

/* Authenticator data, taken apart. */
struct authdata {
	uint8_t		 ad_flags;
	uint32_t	 ad_count;
	const uint8_t	*ad_id;
	size_t		 ad_idlen;
};

static const int	 cose[WEBAUTHN_ALG_MAX] = { COSE_ES256, COSE_EDDSA,
			    COSE_RS256 };

/* The base point of P-256: a key whose owner nobody is. */
static const uint8_t	 nobody[64] = {
	0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47,
	0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
	0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0,
	0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
	0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b,
	0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
	0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce,
	0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5
};

/*
 * CBOR, as far as it must be known where a value ends.  Stricter than the
 * libraries: authenticators write the canonical form of CTAP2, which has no
 * open ends, and no count may promise more than there are bytes.
 */

/* The head of an item: its type and number.  0, or -1. */
static int
cbor_head(struct span *sp, unsigned int *major, uint64_t *n)
{
	unsigned int	 small, len, i;

	if (sp->sp_len == 0)
		return (-1);
	*major = *sp->sp_at >> 5;
	small = *sp->sp_at & 31;
	sp->sp_at++;
	sp->sp_len--;
	if (small < 24) {
		*n = small;
		return (0);
	}
	if (small > 27 || (len = 1U << (small - 24)) > sp->sp_len)
		return (-1);
	for (*n = 0, i = 0; i < len; i++)
		*n = *n << 8 | sp->sp_at[i];
	sp->sp_at += len;
	sp->sp_len -= len;
	return (0);
}

static int
cbor_skip(struct span *sp, unsigned int depth)
{
	unsigned int	 major;
	uint64_t	 n;

	if (depth == 0 || cbor_head(sp, &major, &n) == -1)
		return (-1);
	switch (major) {
	case CBOR_BYTES:
	case CBOR_TEXT:
		if (n > sp->sp_len)
			return (-1);
		sp->sp_at += n;
		sp->sp_len -= n;
		return (0);
	case CBOR_MAP:
		if (n > sp->sp_len / 2)
			return (-1);
		n *= 2;
		/* FALLTHROUGH */
	case CBOR_ARRAY:
		if (n > sp->sp_len)
			return (-1);
		for (; n > 0; n--)
			if (cbor_skip(sp, depth - 1) == -1)
				return (-1);
		return (0);
	case CBOR_TAG:
		return (-1);		/* CTAP2 has none */
	default:
		return (0);
	}
}

/* A string of the type, all of it there.  0, or -1. */
static int
cbor_string(struct span *sp, unsigned int want, struct span *text)
{
	unsigned int	 major;
	uint64_t	 n;

	if (cbor_head(sp, &major, &n) == -1 || major != want ||
	    n > sp->sp_len)
		return (-1);
	text->sp_at = sp->sp_at;
	text->sp_len = n;
	sp->sp_at += n;
	sp->sp_len -= n;
	return (0);
}

static int
span_is(const struct span *sp, const char *text)
{
	return (sp->sp_len == strlen(text) &&
	    memcmp(sp->sp_at, text, sp->sp_len) == 0);
}

/* One of the three members of an attestation object.  0, or -1. */
static int
object_member(struct span *sp, struct span *fmt, struct span *stmt,
    struct span *authdata)
{
	struct span	 name;

	if (cbor_string(sp, CBOR_TEXT, &name) == -1)
		return (-1);
	if (span_is(&name, "fmt") && fmt->sp_at == NULL)
		return (cbor_string(sp, CBOR_TEXT, fmt));
	if (span_is(&name, "authData") && authdata->sp_at == NULL)
		return (cbor_string(sp, CBOR_BYTES, authdata));
	if (!span_is(&name, "attStmt") || stmt->sp_at != NULL)
		return (-1);
	stmt->sp_at = sp->sp_at;
	if (sp->sp_len == 0 || *sp->sp_at >> 5 != CBOR_MAP ||
	    cbor_skip(sp, CBOR_DEPTH) == -1)
		return (-1);
	stmt->sp_len = (size_t)(sp->sp_at - stmt->sp_at);
	return (0);
}

/* 7.1 step 12. */
static int
object_read(const struct m_blob *object, struct span *fmt, struct span *stmt,
    struct span *authdata)
{
	struct span	 sp = { object->mb_data, object->mb_len };
	unsigned int	 major;
	uint64_t	 n;
	int		 i;

	memset(fmt, 0, sizeof(*fmt));
	memset(stmt, 0, sizeof(*stmt));
	memset(authdata, 0, sizeof(*authdata));
	if (cbor_head(&sp, &major, &n) == -1 || major != CBOR_MAP || n != 3)
		return (-1);
	for (i = 0; i < 3; i++)
		if (object_member(&sp, fmt, stmt, authdata) == -1)
			return (-1);
	return (sp.sp_len == 0 ? 0 : -1);
}

/* Does the statement name an algorithm, and is it this one, or any (0)? */
static int
stmt_alg(struct span sp, int want)
{
	struct span	 name;
	unsigned int	 major;
	uint64_t	 n, alg;

	if (cbor_head(&sp, &major, &n) == -1)
		return (0);
	for (; n > 0; n--) {
		if (cbor_string(&sp, CBOR_TEXT, &name) == -1)
			return (0);
		if (!span_is(&name, "alg")) {
			if (cbor_skip(&sp, CBOR_DEPTH) == -1)
				return (0);
			continue;
		}
		return (cbor_head(&sp, &major, &alg) == 0 &&
		    major == CBOR_NINT &&
		    (want == 0 || alg == (uint64_t)(-1 - want)));
	}
	return (0);
}

/*
 * Client data: 7.1 steps 5 to 10, 7.2 steps 9 to 14.
 */

static int
client_string(json_t *o, const char *name, const char *want)
{
	json_t	*v = json_object_get(o, name);

	return (json_is_string(v) && json_string_length(v) == strlen(want) &&
	    CRYPTO_memcmp(json_string_value(v), want, strlen(want)) == 0);
}

/* Our TLS has no token binding: a browser that says it has speaks of
 * another connection. */
static int
client_binding(json_t *v)
{
	if (v == NULL || json_is_null(v))
		return (1);
	return (json_is_object(v) && client_string(v, "status", "supported"));
}

static int
client_fits(json_t *o, const char *type, const struct webauthn_want *ww)
{
	char	 origin[ORIGIN], port[8] = "", challenge[TOKEN_TEXT];
	json_t	*cross = json_object_get(o, "crossOrigin");

	if (ww->ww_port != 443)
		(void)snprintf(port, sizeof(port), ":%u", ww->ww_port);
	(void)snprintf(origin, sizeof(origin), "https://%s%s", ww->ww_host,
	    port);
	b64url_encode(challenge, sizeof(challenge), ww->ww_challenge,
	    TOKEN_LEN);
	return (client_string(o, "type", type) &&
	    client_string(o, "challenge", challenge) &&
	    client_string(o, "origin", origin) &&
	    (cross == NULL || json_is_false(cross)) &&
	    client_binding(json_object_get(o, "tokenBinding")));
}

static int
client_check(const struct m_blob *client, const char *type,
    const struct webauthn_want *ww)
{
	json_t	*o;
	int	 ok;

	if (client->mb_len == 0)
		return (-1);
	/* What is no UTF-8, has a name twice or does not end is refused. */
	o = json_loadb(client->mb_data, client->mb_len,
	    JSON_REJECT_DUPLICATES, NULL);
	ok = json_is_object(o) && client_fits(o, type, ww);
	json_decref(o);
	return (ok ? 0 : -1);
}

/*
 * Authenticator data: 7.1 steps 13 to 15 and 17, 7.2 steps 15 to 18.
 */

/* The credential, of which libfido2 reads the key. */
static int
authdata_cred(struct span *sp, struct authdata *ad)
{
	size_t	 len;

	if (sp->sp_len < AT_HEAD)
		return (-1);
	len = (size_t)sp->sp_at[AT_HEAD - 2] << 8 | sp->sp_at[AT_HEAD - 1];
	if (len == 0 || len > MAX_CRED_ID || len > sp->sp_len - AT_HEAD)
		return (-1);
	ad->ad_id = sp->sp_at + AT_HEAD;
	ad->ad_idlen = len;
	sp->sp_at += AT_HEAD + len;
	sp->sp_len -= AT_HEAD + len;
	return (cbor_skip(sp, CBOR_DEPTH));
}

static int
authdata_read(const struct span *bytes, const struct webauthn_want *ww,
    struct authdata *ad)
{
	struct span	 sp = *bytes;
	uint8_t		 rp[32];

	memset(ad, 0, sizeof(*ad));
	if (sp.sp_len < HEAD ||
	    sha256(rp, ww->ww_host, strlen(ww->ww_host)) == -1 ||
	    CRYPTO_memcmp(rp, sp.sp_at, sizeof(rp)) != 0)
		return (-1);
	sp.sp_at += HEAD;
	sp.sp_len -= HEAD;
	ad->ad_flags = bytes->sp_at[32];
	ad->ad_count = (uint32_t)bytes->sp_at[33] << 24 |
	    (uint32_t)bytes->sp_at[34] << 16 |
	    (uint32_t)bytes->sp_at[35] << 8 | bytes->sp_at[36];
	if ((ad->ad_flags & WEBAUTHN_UP) == 0 ||
	    (ww->ww_uv && (ad->ad_flags & WEBAUTHN_UV) == 0))
		return (-1);
	/* Backed up is only what can be. */
	if ((ad->ad_flags & (WEBAUTHN_BE | WEBAUTHN_BS)) == WEBAUTHN_BS)
		return (-1);
	if ((ad->ad_flags & WEBAUTHN_AT) != 0 &&
	    authdata_cred(&sp, ad) == -1)
		return (-1);
	/* We have asked for no extension: whatever it says is passed over. */
	if ((ad->ad_flags & WEBAUTHN_ED) != 0 && (sp.sp_len == 0 ||
	    *sp.sp_at >> 5 != CBOR_MAP || cbor_skip(&sp, CBOR_DEPTH) == -1))
		return (-1);
	return (sp.sp_len == 0 ? 0 : -1);
}

/*
 * Keys.
 */

/* The key in the form that fido_assert_verify() takes, or NULL. */
static void *
key_load(enum webauthn_alg alg, const void *data, size_t len)
{
	es256_pk_t	*ec;
	eddsa_pk_t	*ed;
	rs256_pk_t	*rsa;

	switch (alg) {
	case WEBAUTHN_ES256:
		if ((ec = es256_pk_new()) != NULL &&
		    es256_pk_from_ptr(ec, data, len) != FIDO_OK)
			es256_pk_free(&ec);
		return (ec);
	case WEBAUTHN_EDDSA:
		if ((ed = eddsa_pk_new()) != NULL &&
		    eddsa_pk_from_ptr(ed, data, len) != FIDO_OK)
			eddsa_pk_free(&ed);
		return (ed);
	case WEBAUTHN_RS256:
		if ((rsa = rs256_pk_new()) != NULL &&
		    rs256_pk_from_ptr(rsa, data, len) != FIDO_OK)
			rs256_pk_free(&rsa);
		return (rsa);
	default:
		return (NULL);
	}
}

static void
key_free(enum webauthn_alg alg, void *key)
{
	es256_pk_t	*ec = key;
	eddsa_pk_t	*ed = key;
	rs256_pk_t	*rsa = key;

	if (alg == WEBAUTHN_ES256)
		es256_pk_free(&ec);
	else if (alg == WEBAUTHN_EDDSA)
		eddsa_pk_free(&ed);
	else
		rs256_pk_free(&rsa);
}

/* Can it be used at all?  A point beside the curve can not. */
static int
key_valid(enum webauthn_alg alg, const void *data, size_t len)
{
	EVP_PKEY	*pkey = NULL;
	void		*key;

	if (data == NULL || (key = key_load(alg, data, len)) == NULL)
		return (0);
	if (alg == WEBAUTHN_ES256)
		pkey = es256_pk_to_EVP_PKEY(key);
	else if (alg == WEBAUTHN_EDDSA)
		pkey = eddsa_pk_to_EVP_PKEY(key);
	else
		pkey = rs256_pk_to_EVP_PKEY(key);
	key_free(alg, key);
	EVP_PKEY_free(pkey);
	return (pkey != NULL);
}

/*
 * Registration.
 */

/* libfido2's view of it, if its key is of this algorithm; else NULL. */
static fido_cred_t *
cred_read(const struct webauthn_want *ww, enum webauthn_alg alg,
    const struct m_blob *client, const struct span *authdata)
{
	fido_cred_t	*cred;

	if ((cred = fido_cred_new()) == NULL)
		return (NULL);
	if (fido_cred_set_type(cred, cose[alg]) != FIDO_OK ||
	    fido_cred_set_rp(cred, ww->ww_host, NULL) != FIDO_OK ||
	    fido_cred_set_clientdata(cred, client->mb_data, client->mb_len) !=
	    FIDO_OK || (ww->ww_uv && fido_cred_set_uv(cred, FIDO_OPT_TRUE) !=
	    FIDO_OK) || fido_cred_set_authdata_raw(cred, authdata->sp_at,
	    authdata->sp_len) != FIDO_OK)
		fido_cred_free(&cred);
	return (cred);
}

/*
 * 7.1 steps 18 to 21.  We want no attestation, and know no makers: whether it
 * is signed by the key itself or by a maker's makes no difference, but what
 * is signed wrongly is refused.
 */
static int
cred_attested(fido_cred_t *cred, enum webauthn_alg alg,
    const struct span *fmt, const struct span *stmt)
{
	if (span_is(fmt, "none"))
		return (stmt->sp_len == 1);	/* an empty map */
	if (!span_is(fmt, "packed") ||
	    fido_cred_set_fmt(cred, "packed") != FIDO_OK ||
	    fido_cred_set_attstmt(cred, stmt->sp_at, stmt->sp_len) != FIDO_OK)
		return (0);
	if (fido_cred_x5c_len(cred) == 0)
		return (stmt_alg(*stmt, cose[alg]) &&
		    fido_cred_verify_self(cred) == FIDO_OK);
	return (stmt_alg(*stmt, 0) && fido_cred_verify(cred) == FIDO_OK);
}

static int
cred_take(const fido_cred_t *cred, const struct authdata *ad,
    struct webauthn_cred *wc)
{
	const void	*key = fido_cred_pubkey_ptr(cred);
	size_t		 len = fido_cred_pubkey_len(cred);

	if (len > sizeof(wc->wc_key) || !key_valid(wc->wc_alg, key, len))
		return (-1);
	memcpy(wc->wc_key, key, len);
	wc->wc_keylen = len;
	memcpy(wc->wc_id, ad->ad_id, ad->ad_idlen);
	wc->wc_idlen = ad->ad_idlen;
	wc->wc_count = ad->ad_count;
	return (0);
}

int
webauthn_register(const struct webauthn_want *ww, const struct m_blob *client,
    const struct m_blob *object, struct webauthn_cred *wc)
{
	struct span	 fmt, stmt, bytes;
	struct authdata	 ad;
	fido_cred_t	*cred = NULL;
	unsigned int	 alg;
	int		 ret = -1;

	memset(wc, 0, sizeof(*wc));
	if (client_check(client, "webauthn.create", ww) == -1 ||
	    object_read(object, &fmt, &stmt, &bytes) == -1 ||
	    authdata_read(&bytes, ww, &ad) == -1 ||
	    (ad.ad_flags & WEBAUTHN_AT) == 0)
		return (-1);
	/* Step 16: the algorithms that we have offered. */
	for (alg = 0; cred == NULL && alg < WEBAUTHN_ALG_MAX; alg++) {
		wc->wc_alg = alg;
		cred = cred_read(ww, alg, client, &bytes);
	}
	if (cred != NULL && cred_attested(cred, wc->wc_alg, &fmt, &stmt) &&
	    cred_take(cred, &ad, wc) == 0)
		ret = 0;
	fido_cred_free(&cred);
	return (ret);
}

/*
 * Signing in.
 */

/* 7.2 steps 19 and 20. */
static int
assert_verify(const struct webauthn_want *ww, enum webauthn_alg alg,
    const void *key, const struct m_blob *client,
    const struct m_blob *authdata, const struct m_blob *sig)
{
	fido_assert_t	*as;
	int		 ok;

	if ((as = fido_assert_new()) == NULL)
		return (0);
	ok = fido_assert_set_count(as, 1) == FIDO_OK &&
	    fido_assert_set_rp(as, ww->ww_host) == FIDO_OK &&
	    fido_assert_set_clientdata(as, client->mb_data, client->mb_len) ==
	    FIDO_OK &&
	    fido_assert_set_up(as, FIDO_OPT_TRUE) == FIDO_OK &&
	    (!ww->ww_uv ||
	    fido_assert_set_uv(as, FIDO_OPT_TRUE) == FIDO_OK) &&
	    fido_assert_set_authdata_raw(as, 0, authdata->mb_data,
	    authdata->mb_len) == FIDO_OK &&
	    fido_assert_set_sig(as, 0, sig->mb_data, sig->mb_len) == FIDO_OK &&
	    fido_assert_verify(as, 0, cose[alg], key) == FIDO_OK;
	fido_assert_free(&as);
	return (ok);
}

int
webauthn_assert(const struct webauthn_want *ww, enum webauthn_alg alg,
    const struct m_blob *key, const struct m_blob *client,
    const struct m_blob *authdata, const struct m_blob *sig, uint32_t *count)
{
	const struct m_blob	 none = { nobody, sizeof(nobody) };
	const struct span	 bytes = { authdata->mb_data,
				    authdata->mb_len };
	struct authdata		 ad;
	void			*pk;
	int			 ok, known = key->mb_len != 0;

	if (!known) {
		key = &none;
		alg = WEBAUTHN_ES256;
	}
	if (client_check(client, "webauthn.get", ww) == -1 ||
	    authdata_read(&bytes, ww, &ad) == -1 ||
	    (pk = key_load(alg, key->mb_data, key->mb_len)) == NULL)
		return (-1);
	ok = assert_verify(ww, alg, pk, client, authdata, sig);
	key_free(alg, pk);
	*count = ad.ad_count;
	return (ok && known ? 0 : -1);
}

/*
 * libcrypto finds its algorithms, and libfido2 is told not to look for
 * devices of the older kind.
 */
int
webauthn_init(void)
{
	fido_init(FIDO_DISABLE_U2F_FALLBACK);
	return (key_valid(WEBAUTHN_ES256, nobody, sizeof(nobody)) ? 0 : -1);
}
