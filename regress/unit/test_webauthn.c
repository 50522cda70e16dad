/*
 * hash_webauthn.c: every numbered step of W3C WebAuthn Level 2, 7.1 and 7.2,
 * that is looked at there, broken one at a time.  The vectors are made here,
 * with keys of the moment, and pass when nothing is broken.
 */

#include <sys/types.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <jansson.h>

#include "hash_webauthn.h"
#include "unit.h"
#include "util.h"

#define HOST	"acme.office.example"
#define PORT	8443
#define ORIGIN	"https://" HOST ":8443"
#define ROOM	16384

struct buf {
	uint8_t	 b_data[ROOM];
	size_t	 b_len;
};

/* Everything that goes into a request; what a test does not break is right. */
struct made {
	enum webauthn_alg m_alg;
	int		 m_get;			/* an assertion, else new */
	int		 m_uv;			/* demanded */
	uint8_t		 m_challenge[TOKEN_LEN];	/* ours */
	/* client data */
	const char	*m_type, *m_origin, *m_more;
	const char	*m_said;		/* the challenge as text */
	const char	*m_raw;			/* in place of all of it */
	size_t		 m_rawlen;
	int		 m_late;		/* changed once signed */
	/* authenticator data */
	const char	*m_rp;
	uint8_t		 m_flags;
	uint32_t	 m_count;
	size_t		 m_idlen;		/* as written */
	size_t		 m_idreal;
	struct buf	 m_key;			/* COSE */
	const char	*m_ext;			/* behind it, in hex */
	/* attestation */
	const char	*m_fmt;
	const char	*m_stmt;		/* in hex; NULL: as m_fmt */
	const char	*m_names[3];
	const char	*m_stmtname, *m_stmtalg;
	int		 m_x5c;
	const char	*m_tail;		/* behind the object, in hex */
	size_t		 m_cut;			/* bytes off its end */
	/* signature */
	int		 m_stranger;		/* by another key */
	int		 m_flip;		/* a bit of it */
	size_t		 m_sigcut;
	int		 m_nokey;
	int		 m_one;			/* signed by the key 1 */
};

struct step {
	const char	*s_name;	/* number of the step, and what */
	void		(*s_break)(struct made *);
};

static EVP_PKEY		*keys[WEBAUTHN_ALG_MAX], *strangers[WEBAUTHN_ALG_MAX];
static EVP_PKEY		*key_one;
static const char	*all_algs[] = { "ES256", "EdDSA", "RS256" };

/*
 * Making.
 */

static void
put(struct buf *b, const void *p, size_t len)
{
	if (len > ROOM - b->b_len)
		abort();
	memcpy(b->b_data + b->b_len, p, len);
	b->b_len += len;
}

static void
put_hex(struct buf *b, const char *hex)
{
	uint8_t	 bytes[512];
	size_t	 len = hex == NULL ? 0 : strlen(hex) / 2;

	if (len > sizeof(bytes) || (len > 0 && hex_decode(bytes, len, hex) ==
	    -1))
		abort();
	put(b, bytes, len);
}

/* The head of a CBOR item. */
static void
put_head(struct buf *b, unsigned int major, size_t n)
{
	uint8_t	 h[3] = { (uint8_t)(major << 5) };

	if (n < 24) {
		h[0] |= (uint8_t)n;
		put(b, h, 1);
	} else if (n < 256) {
		h[0] |= 24;
		h[1] = (uint8_t)n;
		put(b, h, 2);
	} else {
		h[0] |= 25;
		h[1] = (uint8_t)(n >> 8);
		h[2] = (uint8_t)n;
		put(b, h, 3);
	}
}

static void
put_text(struct buf *b, const char *s)
{
	put_head(b, 3, strlen(s));
	put(b, s, strlen(s));
}

static void
put_bytes(struct buf *b, const void *p, size_t len)
{
	put_head(b, 2, len);
	put(b, p, len);
}

static void
put_param(struct buf *b, EVP_PKEY *key, const char *name, size_t len)
{
	BIGNUM	*bn = NULL;
	uint8_t	 bytes[256];

	if (EVP_PKEY_get_bn_param(key, name, &bn) != 1 ||
	    BN_bn2binpad(bn, bytes, (int)len) != (int)len)
		abort();
	BN_free(bn);
	put_bytes(b, bytes, len);
}

static void
put_cose(struct buf *b, enum webauthn_alg alg, EVP_PKEY *key)
{
	uint8_t	 raw[32];
	size_t	 len = sizeof(raw);

	if (alg == WEBAUTHN_ES256) {
		put_hex(b, "a501020326200121");
		put_param(b, key, OSSL_PKEY_PARAM_EC_PUB_X, 32);
		put_hex(b, "22");
		put_param(b, key, OSSL_PKEY_PARAM_EC_PUB_Y, 32);
	} else if (alg == WEBAUTHN_EDDSA) {
		put_hex(b, "a401010327200621");
		if (EVP_PKEY_get_raw_public_key(key, raw, &len) != 1)
			abort();
		put_bytes(b, raw, len);
	} else {
		put_hex(b, "a401030339010020");
		put_param(b, key, OSSL_PKEY_PARAM_RSA_N, 256);
		put_hex(b, "2143010001");
	}
}

static void
sign(enum webauthn_alg alg, EVP_PKEY *key, const struct buf *authdata,
    const struct buf *client, struct buf *sig)
{
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	struct buf	 text = *authdata;
	uint8_t		 sha[32];
	size_t		 len = ROOM;

	if (sha256(sha, client->b_data, client->b_len) == -1)
		abort();
	put(&text, sha, sizeof(sha));
	if (ctx == NULL || EVP_DigestSignInit(ctx, NULL, alg ==
	    WEBAUTHN_EDDSA ? NULL : EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestSign(ctx, sig->b_data, &len, text.b_data,
	    text.b_len) != 1)
		abort();
	sig->b_len = len;
	EVP_MD_CTX_free(ctx);
}

static void
make_client(const struct made *m, struct buf *b)
{
	char	 text[4096], said[TOKEN_TEXT];

	b->b_len = 0;
	if (m->m_raw != NULL) {
		put(b, m->m_raw, m->m_rawlen);
		return;
	}
	b64url_encode(said, sizeof(said), m->m_challenge, TOKEN_LEN);
	snprintf(text, sizeof(text), "{\"type\":\"%s\",\"challenge\":\"%s\","
	    "\"origin\":\"%s\"%s}", m->m_type, m->m_said != NULL ?
	    m->m_said : said, m->m_origin, m->m_more);
	put(b, text, strlen(text));
}

static void
make_authdata(const struct made *m, struct buf *b)
{
	uint8_t	 head[37], at[18] = { 0 }, id[2048];

	b->b_len = 0;
	if (sha256(head, m->m_rp, strlen(m->m_rp)) == -1)
		abort();
	head[32] = m->m_flags;
	head[33] = (uint8_t)(m->m_count >> 24);
	head[34] = (uint8_t)(m->m_count >> 16);
	head[35] = (uint8_t)(m->m_count >> 8);
	head[36] = (uint8_t)m->m_count;
	put(b, head, sizeof(head));
	if (!m->m_get && (m->m_flags & WEBAUTHN_AT) != 0) {
		at[16] = (uint8_t)(m->m_idlen >> 8);
		at[17] = (uint8_t)m->m_idlen;
		put(b, at, sizeof(at));
		memset(id, 0xc1, sizeof(id));
		put(b, id, m->m_idreal);
		put(b, m->m_key.b_data, m->m_key.b_len);
	}
	put_hex(b, m->m_ext);
}

/* A certificate of a maker, for the key. */
static void
put_cert(struct buf *b, EVP_PKEY *key)
{
	X509		*x = X509_new();
	uint8_t		*der = NULL;
	int		 len;

	if (x == NULL || X509_set_version(x, 2) != 1 ||
	    ASN1_INTEGER_set(X509_get_serialNumber(x), 1) != 1 ||
	    X509_gmtime_adj(X509_getm_notBefore(x), 0) == NULL ||
	    X509_gmtime_adj(X509_getm_notAfter(x), 3600) == NULL ||
	    X509_set_pubkey(x, key) != 1 ||
	    X509_sign(x, key, EVP_PKEY_is_a(key, "ED25519") ? NULL :
	    EVP_sha256()) == 0 ||
	    (len = i2d_X509(x, &der)) <= 0)
		abort();
	put_bytes(b, der, (size_t)len);
	OPENSSL_free(der);
	X509_free(x);
}

static void
put_stmt(const struct made *m, struct buf *b, const struct buf *sig)
{
	if (m->m_stmt != NULL)
		put_hex(b, m->m_stmt);
	else if (strcmp(m->m_fmt, "packed") != 0)
		put_hex(b, "a0");
	else {
		put_head(b, 5, m->m_x5c ? 3 : 2);
		put_text(b, m->m_stmtname);
		put_hex(b, m->m_stmtalg != NULL ? m->m_stmtalg :
		    m->m_alg == WEBAUTHN_RS256 ? "390100" :
		    m->m_alg == WEBAUTHN_EDDSA ? "27" : "26");
		put_text(b, "sig");
		put_bytes(b, sig->b_data, sig->b_len);
		if (m->m_x5c) {
			put_text(b, "x5c");
			put_hex(b, "81");
			put_cert(b, strangers[m->m_alg]);
		}
	}
}

static void
make_object(const struct made *m, struct buf *b, const struct buf *authdata,
    const struct buf *sig)
{
	b->b_len = 0;
	put_hex(b, "a3");
	put_text(b, m->m_names[0]);
	put_text(b, m->m_fmt);
	put_text(b, m->m_names[1]);
	put_stmt(m, b, sig);
	put_text(b, m->m_names[2]);
	put_bytes(b, authdata->b_data, authdata->b_len);
	put_hex(b, m->m_tail);
	b->b_len -= m->m_cut;
}

static void
start(struct made *m, enum webauthn_alg alg, int get)
{
	memset(m, 0, sizeof(*m));
	m->m_alg = alg;
	m->m_get = get;
	if (RAND_bytes(m->m_challenge, TOKEN_LEN) != 1)
		abort();
	m->m_type = get ? "webauthn.get" : "webauthn.create";
	m->m_origin = ORIGIN;
	m->m_more = "";
	m->m_rp = HOST;
	m->m_flags = WEBAUTHN_UP | (get ? 0 : WEBAUTHN_AT);
	m->m_count = 7;
	m->m_idlen = m->m_idreal = 32;
	m->m_fmt = "none";
	m->m_stmtname = "alg";
	m->m_names[0] = "fmt";
	m->m_names[1] = "attStmt";
	m->m_names[2] = "authData";
	put_cose(&m->m_key, alg, keys[alg]);
}

static struct webauthn_cred	 got;		/* of the last registration */
static uint32_t			 got_count;

static int
ask_register(const struct made *m)
{
	static struct buf		 client, authdata, sig, object;
	const struct webauthn_want	 ww = { m->m_challenge, HOST, PORT,
					    m->m_uv };
	struct m_blob			 c, o;

	make_client(m, &client);
	make_authdata(m, &authdata);
	sign(m->m_alg, (m->m_stranger || m->m_x5c) && m->m_stranger !=
	    m->m_x5c ? strangers[m->m_alg] : keys[m->m_alg], &authdata,
	    &client, &sig);
	if (m->m_flip)
		sig.b_data[sig.b_len - 1] ^= 1;
	if (m->m_late)
		client.b_data[client.b_len - 1] = ' ';
	if (m->m_late)
		put(&client, "}", 1);
	make_object(m, &object, &authdata, &sig);
	c = (struct m_blob){ client.b_data, client.b_len };
	o = (struct m_blob){ object.b_data, object.b_len };
	return (webauthn_register(&ww, &c, &o, &got));
}

/* The key as a registration has handed it out. */
static void
key_of(enum webauthn_alg alg, struct buf *key)
{
	static struct made	 m;

	start(&m, alg, 0);
	CHECK_INT(ask_register(&m), 0);
	key->b_len = 0;
	put(key, got.wc_key, got.wc_keylen);
}

static int
ask_assert(const struct made *m)
{
	static struct buf		 client, authdata, sig;
	static struct buf		 known[WEBAUTHN_ALG_MAX];
	const struct webauthn_want	 ww = { m->m_challenge, HOST, PORT,
					    m->m_uv };
	struct m_blob			 c, a, s, k;

	if (known[m->m_alg].b_len == 0)
		key_of(m->m_alg, &known[m->m_alg]);
	make_client(m, &client);
	make_authdata(m, &authdata);
	sign(m->m_one ? WEBAUTHN_ES256 : m->m_alg, m->m_one ? key_one :
	    m->m_stranger ? strangers[m->m_alg] : keys[m->m_alg], &authdata,
	    &client, &sig);
	if (m->m_flip)
		sig.b_data[sig.b_len - 1] ^= 1;
	if (m->m_late == 1) {
		client.b_data[client.b_len - 1] = ' ';
		put(&client, "}", 1);
	} else if (m->m_late == 2)
		authdata.b_data[36]++;
	c = (struct m_blob){ client.b_data, client.b_len };
	a = (struct m_blob){ authdata.b_data, authdata.b_len };
	s = (struct m_blob){ sig.b_data, m->m_sigcut > sig.b_len ? 0 :
	    sig.b_len - m->m_sigcut };
	k = (struct m_blob){ known[m->m_alg].b_data, m->m_nokey ? 0 :
	    known[m->m_alg].b_len };
	return (webauthn_assert(&ww, m->m_alg, &k, &c, &a, &s, &got_count));
}

/*
 * Breaking.
 */

#define BREAK(name, code)						\
	static void name(struct made *m) { code }
#define RAW(name, text)							\
	BREAK(name, m->m_raw = text; m->m_rawlen = sizeof(text) - 1;)
#define MORE(name, text)	BREAK(name, m->m_more = text;)

RAW(empty, "")
RAW(no_utf8, "{\"type\":\"webauthn.create\",\"challenge\":\"\xff\xfe\"}")
RAW(no_json, "webauthn.create")
RAW(array, "[]")
RAW(two_values, "{}{}")
RAW(deep, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[")
RAW(only_braces, "{}")
MORE(bad_text, ",\"x\":\"\xc3\"")
MORE(nul, ",\"x\":\"\\u0000\"")
MORE(twice_type, ",\"type\":\"webauthn.create\"")
MORE(twice_challenge, ",\"challenge\":\"\"")
MORE(twice_origin, ",\"origin\":\"" ORIGIN "\"")
MORE(cut, ",\"x\":")
BREAK(type_other, m->m_type = m->m_get ? "webauthn.create" : "webauthn.get";)
BREAK(type_longer, m->m_type = m->m_get ? "webauthn.get " :
    "webauthn.create ";)
BREAK(type_payment, m->m_type = "payment.get";)
BREAK(challenge_other,
    m->m_said = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";)
BREAK(challenge_none, m->m_said = "";)
BREAK(challenge_padded,
    static char said[TOKEN_TEXT + 1];
    b64url_encode(said, sizeof(said), m->m_challenge, TOKEN_LEN);
    said[43] = '='; said[44] = '\0';
    m->m_said = said;)
BREAK(origin_sibling, m->m_origin = "https://globex.office.example:8443";)
BREAK(origin_parent, m->m_origin = "https://office.example:8443";)
BREAK(origin_below, m->m_origin = "https://x." HOST ":8443";)
BREAK(origin_behind, m->m_origin = ORIGIN ".evil.example";)
BREAK(origin_http, m->m_origin = "http://" HOST ":8443";)
BREAK(origin_port, m->m_origin = "https://" HOST;)
BREAK(origin_port2, m->m_origin = "https://" HOST ":844";)
BREAK(origin_slash, m->m_origin = ORIGIN "/";)
BREAK(origin_case, m->m_origin = "https://ACME.office.example:8443";)
BREAK(origin_null, m->m_origin = "null";)
MORE(cross, ",\"crossOrigin\":true")
MORE(cross_text, ",\"crossOrigin\":\"false\"")
MORE(binding, ",\"tokenBinding\":{\"status\":\"present\",\"id\":\"AA\"}")
MORE(binding_odd, ",\"tokenBinding\":{\"status\":\"not-supported\"}")
MORE(binding_empty, ",\"tokenBinding\":{}")
MORE(binding_text, ",\"tokenBinding\":\"supported\"")
BREAK(late, m->m_fmt = "packed"; m->m_late = 1;)
BREAK(late_authdata, m->m_late = 2;)
BREAK(rp_sibling, m->m_rp = "globex.office.example";)
BREAK(rp_parent, m->m_rp = "office.example";)
BREAK(rp_origin, m->m_rp = ORIGIN;)
BREAK(no_up, m->m_flags &= (uint8_t)~WEBAUTHN_UP;)
BREAK(no_uv, m->m_uv = 1;)
BREAK(bs_alone, m->m_flags |= WEBAUTHN_BS;)
BREAK(ext_missing, m->m_flags |= WEBAUTHN_ED;)
BREAK(ext_unsaid, m->m_ext = "a0";)
BREAK(ext_array, m->m_flags |= WEBAUTHN_ED; m->m_ext = "80";)
BREAK(ext_tail, m->m_flags |= WEBAUTHN_ED; m->m_ext = "a000";)
BREAK(ext_bomb, m->m_flags |= WEBAUTHN_ED; m->m_ext = "bb00000000ffffffff";)
BREAK(ext_open, m->m_flags |= WEBAUTHN_ED; m->m_ext = "bfff";)
BREAK(ext_deep, m->m_flags |= WEBAUTHN_ED;
    m->m_ext = "a10081818181818181818100";)

/* One member in a hundred of them: 5 to 10 and 9 to 14. */
static const struct step	 client_steps[] = {
	{ "5/9 empty", empty }, { "5/9 no UTF-8", no_utf8 },
	{ "5/9 a member that is no UTF-8", bad_text },
	{ "5/9 a NUL", nul }, { "6/10 no JSON", no_json },
	{ "6/10 an array", array }, { "6/10 two values", two_values },
	{ "6/10 deep", deep }, { "6/10 nothing in it", only_braces },
	{ "6/10 cut", cut }, { "6/10 type twice", twice_type },
	{ "6/10 challenge twice", twice_challenge },
	{ "6/10 origin twice", twice_origin },
	{ "7/11 type of the other", type_other },
	{ "7/11 type is longer", type_longer },
	{ "7/11 another type", type_payment },
	{ "8/12 another challenge", challenge_other },
	{ "8/12 no challenge", challenge_none },
	{ "8/12 challenge with padding", challenge_padded },
	{ "9/13 origin of a sibling", origin_sibling },
	{ "9/13 origin above", origin_parent },
	{ "9/13 origin below", origin_below },
	{ "9/13 origin begins like ours", origin_behind },
	{ "9/13 origin without TLS", origin_http },
	{ "9/13 origin without port", origin_port },
	{ "9/13 another port", origin_port2 },
	{ "9/13 origin with a slash", origin_slash },
	{ "9/13 origin in capitals", origin_case },
	{ "9/13 no origin", origin_null },
	{ "9/13 in a frame of others", cross },
	{ "9/13 crossOrigin is text", cross_text },
	{ "10/14 token binding", binding },
	{ "10/14 odd token binding", binding_odd },
	{ "10/14 empty token binding", binding_empty },
	{ "10/14 token binding is text", binding_text },
	{ "11/19 changed after signing", late },
	{ "13/15 RP ID of a sibling", rp_sibling },
	{ "13/15 RP ID above", rp_parent },
	{ "13/15 RP ID is the origin", rp_origin },
	{ "14/16 nobody there", no_up },
	{ "15/17 nobody verified", no_uv },
	{ "backed up, and can not be", bs_alone },
	{ "17/18 no extensions where said", ext_missing },
	{ "17/18 extensions where not said", ext_unsaid },
	{ "17/18 extensions are no map", ext_array },
	{ "17/18 bytes behind the extensions", ext_tail },
	{ "17/18 billions of extensions", ext_bomb },
	{ "17/18 extensions without end", ext_open },
	{ "17/18 extensions too deep", ext_deep },
};

BREAK(no_at, m->m_flags &= (uint8_t)~WEBAUTHN_AT;)
BREAK(id_none, m->m_idlen = m->m_idreal = 0;)
BREAK(id_long, m->m_idlen = m->m_idreal = MAX_CRED_ID + 1;)
BREAK(id_beyond, m->m_idlen = 1000;)
BREAK(obj_tail, m->m_tail = "00";)
BREAK(obj_cut, m->m_cut = 1;)
BREAK(obj_twice, m->m_names[1] = "fmt";)
BREAK(obj_other, m->m_names[2] = "authdata";)
BREAK(obj_stmt_array, m->m_stmt = "80";)
BREAK(alg_es384, m->m_key.b_data[4] = 0x38; put(&m->m_key, "", 1);
    memmove(m->m_key.b_data + 6, m->m_key.b_data + 5, m->m_key.b_len - 6);
    m->m_key.b_data[5] = 0x22;)
BREAK(alg_eddsa, m->m_key.b_data[4] = 0x27;)
BREAK(alg_none, m->m_key.b_data[0]--;
    memmove(m->m_key.b_data + 3, m->m_key.b_data + 5, m->m_key.b_len - 5);
    m->m_key.b_len -= 2;)
BREAK(kty_rsa, m->m_key.b_data[2] = 3;)
BREAK(curve_384, m->m_key.b_data[6] = 2;)
BREAK(off_curve, m->m_key.b_data[m->m_key.b_len - 1] ^= 1;)
BREAK(key_cut, m->m_key.b_len--;)
BREAK(key_tail, put(&m->m_key, "", 1);)
BREAK(fmt_tpm, m->m_fmt = "tpm";)
BREAK(fmt_u2f, m->m_fmt = "fido-u2f";)
BREAK(fmt_android, m->m_fmt = "android-key";)
BREAK(fmt_safetynet, m->m_fmt = "android-safetynet";)
BREAK(fmt_apple, m->m_fmt = "apple";)
BREAK(fmt_case, m->m_fmt = "NONE";)
BREAK(fmt_empty, m->m_fmt = "";)
BREAK(none_stmt, m->m_stmt = "a163616c6726";)
BREAK(packed_none, m->m_fmt = "packed"; m->m_stmt = "a0";)
BREAK(packed_nosig, m->m_fmt = "packed"; m->m_stmt = "a163616c6726";)
BREAK(packed_alg, m->m_fmt = "packed"; m->m_stmtalg = "27";)
BREAK(packed_noalg, m->m_fmt = "packed"; m->m_stmtname = "al";)
BREAK(x5c_noalg, m->m_fmt = "packed"; m->m_x5c = 1; m->m_stmtname = "al";)
BREAK(packed_flip, m->m_fmt = "packed"; m->m_flip = 1;)
BREAK(packed_stranger, m->m_fmt = "packed"; m->m_stranger = 1;)
BREAK(x5c_flip, m->m_fmt = "packed"; m->m_x5c = 1; m->m_flip = 1;)
BREAK(x5c_own, m->m_fmt = "packed"; m->m_x5c = m->m_stranger = 1;)
BREAK(x5c_late, m->m_fmt = "packed"; m->m_x5c = m->m_late = 1;)

static const struct step	 register_steps[] = {
	{ "12 bytes behind it", obj_tail }, { "12 cut", obj_cut },
	{ "12 a member twice", obj_twice },
	{ "12 another member", obj_other },
	{ "12 the statement is no map", obj_stmt_array },
	{ "12 no credential in it", no_at },
	{ "12 an empty id", id_none }, { "12 a long id", id_long },
	{ "12 an id beyond the end", id_beyond },
	{ "12 the key is cut", key_cut },
	{ "12 a byte behind the key", key_tail },
	{ "16 an algorithm that we have not offered", alg_es384 },
	{ "16 the algorithm of another kind of key", alg_eddsa },
	{ "16 no algorithm", alg_none },
	{ "16 another kind of key", kty_rsa },
	{ "16 another curve", curve_384 },
	{ "16 not on the curve", off_curve },
	{ "18 tpm", fmt_tpm }, { "18 fido-u2f", fmt_u2f },
	{ "18 android-key", fmt_android },
	{ "18 android-safetynet", fmt_safetynet },
	{ "18 apple", fmt_apple }, { "18 capitals", fmt_case },
	{ "18 no format", fmt_empty },
	{ "19 none with a statement", none_stmt },
	{ "19 packed with none", packed_none },
	{ "19 packed without signature", packed_nosig },
	{ "19 packed of another algorithm", packed_alg },
	{ "19 packed without algorithm", packed_noalg },
	{ "19 a maker's without algorithm", x5c_noalg },
	{ "19 packed, signature broken", packed_flip },
	{ "19 packed, signed by another key", packed_stranger },
	{ "19 a maker's signature broken", x5c_flip },
	{ "19 a maker's, signed by the key itself", x5c_own },
	{ "19 a maker's, client data changed", x5c_late },
};

BREAK(nobody, m->m_nokey = 1;)
BREAK(nobody_signs, m->m_nokey = m->m_one = 1;)
BREAK(sig_flip, m->m_flip = 1;)
BREAK(sig_cut, m->m_sigcut = 1;)
BREAK(sig_none, m->m_sigcut = ROOM;)
BREAK(sig_stranger, m->m_stranger = 1;)

static const struct step	 assert_steps[] = {
	{ "7 nobody's key", nobody },
	{ "7 nobody's key, which anybody can have", nobody_signs },
	{ "20 another authenticator data", late_authdata },
	{ "20 a broken signature", sig_flip },
	{ "20 a short signature", sig_cut },
	{ "20 no signature", sig_none },
	{ "20 signed by another key", sig_stranger },
};

/*
 * What must pass.
 */

BREAK(pass, (void)m;)
BREAK(pass_uv, m->m_uv = 1; m->m_flags |= WEBAUTHN_UV;)
BREAK(pass_synced, m->m_flags |= WEBAUTHN_BE | WEBAUTHN_BS;)
BREAK(pass_local, m->m_flags |= WEBAUTHN_BE;)
MORE(pass_more, ",\"crossOrigin\":false,\"other_keys_can_be_added_here\":"
    "\"do not compare clientDataJSON against a template\"")
MORE(pass_binding, ",\"tokenBinding\":{\"status\":\"supported\"}")
BREAK(pass_ext, m->m_flags |= WEBAUTHN_ED; m->m_ext = "a16175f5";)
BREAK(pass_packed, m->m_fmt = "packed";)
BREAK(pass_x5c, m->m_fmt = "packed"; m->m_x5c = 1;)
BREAK(pass_id, m->m_idlen = m->m_idreal = MAX_CRED_ID;)

static const struct step	 good_steps[] = {
	{ "as it is", pass }, { "verified", pass_uv },
	{ "backed up", pass_synced }, { "could be backed up", pass_local },
	{ "with members that nobody knows", pass_more },
	{ "token binding that is not used", pass_binding },
	{ "with an extension that nobody knows", pass_ext },
};

static const struct step	 good_register[] = {
	{ "attested by itself", pass_packed }, { "by a maker", pass_x5c },
	{ "a long id", pass_id },
};

static void
run(const struct step *s, size_t n, enum webauthn_alg alg, int get, int want)
{
	static struct made	 m;
	int			 ret;

	for (; n > 0; n--, s++) {
		start(&m, alg, get);
		s->s_break(&m);
		ret = get ? ask_assert(&m) : ask_register(&m);
		if (ret != want)
			fprintf(stderr, "%s, %s: %s: %d, not %d\n", get ?
			    "7.2" : "7.1", all_algs[alg], s->s_name, ret,
			    want);
		CHECK(ret == want);
	}
}

#define RUN(steps, alg, get, want)					\
	run(steps, sizeof(steps) / sizeof(steps[0]), alg, get, want)

static void
test_register(void)
{
	unsigned int	 alg;

	for (alg = 0; alg < WEBAUTHN_ALG_MAX; alg++) {
		RUN(good_steps, alg, 0, 0);
		RUN(good_register, alg, 0, 0);
		CHECK_INT(got.wc_alg, alg);
		CHECK_INT(got.wc_idlen, MAX_CRED_ID);
		CHECK_INT(got.wc_id[MAX_CRED_ID - 1], 0xc1);
		CHECK_INT(got.wc_count, 7);
		RUN(client_steps, alg, 0, -1);
	}
	RUN(register_steps, WEBAUTHN_ES256, 0, -1);
}

static void
test_assert(void)
{
	unsigned int	 alg;

	for (alg = 0; alg < WEBAUTHN_ALG_MAX; alg++) {
		RUN(good_steps, alg, 1, 0);
		CHECK_INT(got_count, 7);
		RUN(client_steps, alg, 1, -1);
		RUN(assert_steps, alg, 1, -1);
	}
}

/* Cut anywhere, and with each byte changed: never more than a refusal. */
static void
test_bytes(void)
{
	static struct made	 m;
	static struct buf	 client, authdata, sig, object;
	struct webauthn_want	 ww = { m.m_challenge, HOST, PORT, 0 };
	struct m_blob		 c, o;
	size_t			 i;
	int			 n = 0;

	start(&m, WEBAUTHN_ES256, 0);
	m.m_fmt = "packed";
	make_client(&m, &client);
	make_authdata(&m, &authdata);
	sign(m.m_alg, keys[m.m_alg], &authdata, &client, &sig);
	make_object(&m, &object, &authdata, &sig);
	c = (struct m_blob){ client.b_data, client.b_len };
	for (i = 0; i < object.b_len; i++) {
		o = (struct m_blob){ object.b_data, i };
		n += webauthn_register(&ww, &c, &o, &got) == 0;
		object.b_data[i] ^= 0x41;
		o.mb_len = object.b_len;
		n += webauthn_register(&ww, &c, &o, &got) == 0;
		object.b_data[i] ^= 0x41;
	}
	CHECK_INT(n, 0);
	o.mb_len = object.b_len;
	CHECK_INT(webauthn_register(&ww, &c, &o, &got), 0);
	/* The default port is not written. */
	ww.ww_port = 443;
	CHECK_INT(webauthn_register(&ww, &c, &o, &got), -1);
}

/* A key of the wrong kind or length is refused, not believed. */
static void
test_key(void)
{
	const uint8_t		 bytes[400] = { 0 };
	const struct webauthn_want ww = { bytes, HOST, PORT, 0 };
	static struct made	 m;
	static struct buf	 client, authdata;
	struct m_blob		 c, a, k;
	unsigned int		 alg;
	size_t			 len;

	start(&m, WEBAUTHN_ES256, 1);
	memset(m.m_challenge, 0, TOKEN_LEN);
	make_client(&m, &client);
	make_authdata(&m, &authdata);
	c = (struct m_blob){ client.b_data, client.b_len };
	a = (struct m_blob){ authdata.b_data, authdata.b_len };
	for (alg = 0; alg < WEBAUTHN_ALG_MAX; alg++)
		for (len = 0; len <= sizeof(bytes); len++) {
			k = (struct m_blob){ bytes, len };
			if (webauthn_assert(&ww, alg, &k, &c, &a, &a,
			    &got_count) != -1)
				break;
		}
	CHECK_INT(alg, WEBAUTHN_ALG_MAX);
	CHECK_INT(len, sizeof(bytes) + 1);
}

/* The key of P-256 whose public half is the base point. */
static EVP_PKEY *
make_one(void)
{
	static const uint8_t	 point[] = { 4,
		0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47,
		0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
		0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0,
		0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
		0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b,
		0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
		0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce,
		0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5 };
	uint8_t			 one[1] = { 1 };
	OSSL_PARAM		 params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
		    (char *)"P-256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
		    (void *)(uintptr_t)point, sizeof(point)),
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, one,
		    sizeof(one)),
		OSSL_PARAM_construct_end() };
	EVP_PKEY_CTX		*ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC",
				    NULL);
	EVP_PKEY		*key = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		abort();
	EVP_PKEY_CTX_free(ctx);
	return (key);
}

int
main(void)
{
	unsigned int	 i;

	json_object_seed(1);
	CHECK_INT(webauthn_init(), 0);
	for (i = 0; i < 2; i++) {
		EVP_PKEY	**k = i == 0 ? keys : strangers;

		k[WEBAUTHN_ES256] = EVP_PKEY_Q_keygen(NULL, NULL, "EC",
		    "P-256");
		k[WEBAUTHN_EDDSA] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		k[WEBAUTHN_RS256] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA",
		    (size_t)2048);
		if (k[0] == NULL || k[1] == NULL || k[2] == NULL)
			abort();
	}
	key_one = make_one();
	test_register();
	test_assert();
	test_bytes();
	test_key();
	EVP_PKEY_free(key_one);
	for (i = 0; i < WEBAUTHN_ALG_MAX; i++) {
		EVP_PKEY_free(keys[i]);
		EVP_PKEY_free(strangers[i]);
	}
	return (unit_end());
}
