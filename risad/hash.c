/*
 * The hash process: passwords and codes in, sealed records out, and back; and
 * passkeys, whose bytes come as a browser has sent them.
 */

#include <sys/types.h>

#include <argon2.h>
#include <jansson.h>
#include <liboath/oath.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hash.h"
#include "hash_webauthn.h"
#include "log.h"
#include "proc.h"
#include "strength.h"
#include "util.h"

#define RECORD_VERSION	1
#define SALT_LEN	16
#define RESULT_LEN	32
#define NONCE_LEN	12
#define TAG_LEN		16
#define RECORD_LEN	(1 + 4 + 4 + SALT_LEN + RESULT_LEN)

/* As it is sealed: version, KiB and passes in network order, salt, result. */
struct record {
	struct hash_cost	 rc_cost;
	uint8_t			 rc_salt[SALT_LEN];
	uint8_t			 rc_result[RESULT_LEN];
};

/* A configuration: the one in use, and the one that may follow it. */
struct hash_conf {
	uint64_t		 hf_generation;
	int			 hf_pepper;	/* has come */
	struct hash_cost	 hf_cost;
	uint8_t			 hf_key[HASH_KEY];	/* of passwords */
	uint8_t			 hf_factors[HASH_KEY];
	uint8_t			 hf_device[HASH_KEY];	/* for auth */
};

static struct hash_conf	 hash_now, hash_next;
static struct hash_costs hash_costs;
static int		 hash_ready;

static int	 cost_valid(const struct hash_cost *);
static void	 put32(uint8_t *, uint32_t);
static uint32_t	 get32(const uint8_t *);
static int	 record_seal(const uint8_t *, const struct record *, uint8_t *);
static int	 record_open(const uint8_t *, const uint8_t *, size_t,
		    struct record *);
static int	 record_compute(struct record *, const char *);
static int	 cost_same(const struct hash_cost *, const struct hash_cost *);
static unsigned int costs_keep(struct hash_costs *, const struct hash_cost *);
static void	 record_cost(const uint8_t *, const void *, size_t,
		    struct hash_cost *);
static void	 hash_init(void);
static int	 hash_imsg(struct peer *, uint32_t, uint32_t, const void *,
		    struct imsg *);
static void	 hash_file(const struct m_conf_file *, struct imsg *);
static void	 hash_end(struct peer *, const struct m_conf_end *);
static void	 hash_commit(const struct m_conf_end *);
static int	 hash_used(const struct m_blob *, const char *);
static void	 hash_do_score(struct peer *, uint32_t,
		    const struct m_hash_score *);
static void	 hash_tell_device(void);
static void	 hash_up(struct peer *);
static void	 hash_do_make(struct peer *, uint32_t,
		    const struct m_hash_make *);
static void	 hash_do_check(struct peer *, uint32_t,
		    const struct m_hash_check *);
static void	 hash_do_totp(struct peer *, uint32_t,
		    const struct m_hash_user *);
static void	 hash_do_otp(struct peer *, uint32_t,
		    const struct m_hash_otp *);
static void	 hash_do_codes(struct peer *, uint32_t,
		    const struct m_hash_user *);
static void	 hash_do_register(struct peer *, uint32_t,
		    const struct m_hash_register *);
static void	 hash_do_assert(struct peer *, uint32_t,
		    const struct m_hash_assert *);

/* "recvfd" stays: a sibling that starts again sends us a new pipe. */
const struct proc_ops hash_ops = {
	.po_proc = PROC_HASH,
	.po_promises = "stdio recvfd",
	.po_init = hash_init,
	.po_imsg = hash_imsg,
	.po_up = hash_up,
};

static int
cost_valid(const struct hash_cost *hc)
{
	return (hc->hc_kib >= HASH_MIN_KIB && hc->hc_kib <= HASH_MAX_KIB &&
	    hc->hc_passes >= 1 && hc->hc_passes <= HASH_MAX_PASSES);
}

static void
put32(uint8_t *p, uint32_t n)
{
	p[0] = (uint8_t)(n >> 24);
	p[1] = (uint8_t)(n >> 16);
	p[2] = (uint8_t)(n >> 8);
	p[3] = (uint8_t)n;
}

static uint32_t
get32(const uint8_t *p)
{
	return ((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3]);
}

int
hash_key(uint8_t key[HASH_KEY], const uint8_t pepper[HASH_KEY],
    const char *what)
{
	EVP_PKEY_CTX	*ctx;
	size_t		 len = HASH_KEY;
	int		 ret = -1;

	if ((ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL)) == NULL)
		return (-1);
	if (EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_hkdf_md(ctx, EVP_sha256()) == 1 &&
	    EVP_PKEY_CTX_set1_hkdf_key(ctx, pepper, HASH_KEY) == 1 &&
	    EVP_PKEY_CTX_add1_hkdf_info(ctx, (const uint8_t *)what,
	    (int)strlen(what)) == 1 &&
	    EVP_PKEY_derive(ctx, key, &len) == 1 && len == HASH_KEY)
		ret = 0;
	EVP_PKEY_CTX_free(ctx);
	return (ret);
}

/* The version is bound as well. */
int
hash_seal(const uint8_t key[HASH_KEY], const void *bind, size_t bindlen,
    const void *plain, size_t len, uint8_t *sealed)
{
	EVP_CIPHER_CTX	*ctx;
	uint8_t		*nonce = sealed + 1, *body = nonce + NONCE_LEN;
	int		 n, ret = -1;

	sealed[0] = RECORD_VERSION;
	if ((ctx = EVP_CIPHER_CTX_new()) != NULL &&
	    RAND_bytes(nonce, NONCE_LEN) == 1 &&
	    EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) ==
	    1 &&
	    EVP_EncryptUpdate(ctx, NULL, &n, sealed, 1) == 1 &&
	    (bindlen == 0 ||
	    EVP_EncryptUpdate(ctx, NULL, &n, bind, (int)bindlen) == 1) &&
	    EVP_EncryptUpdate(ctx, body, &n, plain, (int)len) == 1 &&
	    (size_t)n == len &&
	    EVP_EncryptFinal_ex(ctx, body + n, &n) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN,
	    body + len) == 1)
		ret = 0;
	EVP_CIPHER_CTX_free(ctx);
	return (ret);
}

int
hash_open(const uint8_t key[HASH_KEY], const void *bind, size_t bindlen,
    const void *sealed, size_t sealedlen, uint8_t *plain)
{
	EVP_CIPHER_CTX	*ctx;
	uint8_t		 tag[TAG_LEN];
	const uint8_t	*in = sealed, *nonce = in + 1;
	const uint8_t	*body = nonce + NONCE_LEN;
	size_t		 len = sealedlen - HASH_OVER;
	int		 n, ret = -1;

	if (sealedlen <= HASH_OVER || in[0] != RECORD_VERSION)
		return (-1);
	memcpy(tag, body + len, sizeof(tag));
	if ((ctx = EVP_CIPHER_CTX_new()) != NULL &&
	    EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) ==
	    1 &&
	    EVP_DecryptUpdate(ctx, NULL, &n, in, 1) == 1 &&
	    (bindlen == 0 ||
	    EVP_DecryptUpdate(ctx, NULL, &n, bind, (int)bindlen) == 1) &&
	    EVP_DecryptUpdate(ctx, plain, &n, body, (int)len) == 1 &&
	    (size_t)n == len &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) ==
	    1 &&
	    EVP_DecryptFinal_ex(ctx, plain + n, &n) == 1)
		ret = 0;
	EVP_CIPHER_CTX_free(ctx);
	if (ret == -1)
		explicit_bzero(plain, len);
	return (ret);
}

static int
record_seal(const uint8_t *key, const struct record *rc, uint8_t *out)
{
	uint8_t	 plain[RECORD_LEN];
	int	 ret;

	plain[0] = RECORD_VERSION;
	put32(plain + 1, rc->rc_cost.hc_kib);
	put32(plain + 5, rc->rc_cost.hc_passes);
	memcpy(plain + 9, rc->rc_salt, SALT_LEN);
	memcpy(plain + 9 + SALT_LEN, rc->rc_result, RESULT_LEN);
	ret = hash_seal(key, NULL, 0, plain, sizeof(plain), out);
	explicit_bzero(plain, sizeof(plain));
	return (ret);
}

static int
record_open(const uint8_t *key, const uint8_t *in, size_t len,
    struct record *rc)
{
	uint8_t	 plain[RECORD_LEN];
	int	 ret = -1;

	if (len != HASH_SEALED)
		return (-1);
	if (hash_open(key, NULL, 0, in, len, plain) == 0 &&
	    plain[0] == RECORD_VERSION) {
		rc->rc_cost.hc_kib = get32(plain + 1);
		rc->rc_cost.hc_passes = get32(plain + 5);
		memcpy(rc->rc_salt, plain + 9, SALT_LEN);
		memcpy(rc->rc_result, plain + 9 + SALT_LEN, RESULT_LEN);
		ret = cost_valid(&rc->rc_cost) ? 0 : -1;
	}
	explicit_bzero(plain, sizeof(plain));
	return (ret);
}

/* The result for the cost and salt in the record.  One lane: no thread. */
static int
record_compute(struct record *rc, const char *password)
{
	int	 ret;

	ret = argon2id_hash_raw(rc->rc_cost.hc_passes, rc->rc_cost.hc_kib, 1,
	    password, strlen(password), rc->rc_salt, SALT_LEN, rc->rc_result,
	    RESULT_LEN);
	if (ret != ARGON2_OK) {
		log_warnx("argon2: %s", argon2_error_message(ret));
		return (-1);
	}
	return (0);
}

int
hash_make(const uint8_t key[HASH_KEY], const struct hash_cost *hc,
    const char *password, uint8_t sealed[HASH_SEALED])
{
	struct record	 rc;
	int		 ret = -1;

	memset(&rc, 0, sizeof(rc));
	rc.rc_cost = *hc;
	if (cost_valid(hc) && RAND_bytes(rc.rc_salt, SALT_LEN) == 1 &&
	    record_compute(&rc, password) == 0 &&
	    record_seal(key, &rc, sealed) == 0)
		ret = 0;
	explicit_bzero(&rc, sizeof(rc));
	return (ret);
}

enum hash_answer
hash_check(const uint8_t key[HASH_KEY], const struct hash_cost *hc,
    const void *sealed, size_t len, const char *password)
{
	struct record	 rc;
	uint8_t		 want[RESULT_LEN];
	enum hash_answer answer = HASH_WRONG;
	int		 opened;

	memset(&rc, 0, sizeof(rc));
	opened = record_open(key, sealed, len, &rc) == 0;
	if (!opened) {
		log_warnx("a password record does not open");
		rc.rc_cost = *hc;
	}
	memcpy(want, rc.rc_result, sizeof(want));
	if (!cost_valid(&rc.rc_cost) || record_compute(&rc, password) == -1)
		answer = HASH_FAILED;
	else if (CRYPTO_memcmp(want, rc.rc_result, sizeof(want)) == 0 &&
	    opened)
		answer = HASH_RIGHT;
	explicit_bzero(&rc, sizeof(rc));
	explicit_bzero(want, sizeof(want));
	return (answer);
}

static int
cost_same(const struct hash_cost *a, const struct hash_cost *b)
{
	return (a->hc_kib == b->hc_kib && a->hc_passes == b->hc_passes);
}

/* Where it is among them; when they are too many, the last one yields. */
static unsigned int
costs_keep(struct hash_costs *hs, const struct hash_cost *hc)
{
	unsigned int	 i;

	for (i = 0; i < hs->hs_n; i++)
		if (cost_same(&hs->hs_cost[i], hc))
			return (i);
	if (i == HASH_COSTS)
		i--;
	hs->hs_cost[i] = *hc;
	hs->hs_n = i + 1;
	return (i);
}

void
hash_costs_set(struct hash_costs *hs, const struct hash_cost *hc)
{
	unsigned int	 i = costs_keep(hs, hc);

	hs->hs_cost[i] = hs->hs_cost[0];
	hs->hs_cost[0] = *hc;
}

/* Left as it is where the record does not open. */
static void
record_cost(const uint8_t *key, const void *sealed, size_t len,
    struct hash_cost *hc)
{
	struct record	 rc;

	if (record_open(key, sealed, len, &rc) == 0)
		*hc = rc.rc_cost;
	explicit_bzero(&rc, sizeof(rc));
}

int
hash_stale(const uint8_t key[HASH_KEY], const struct hash_costs *hs,
    const void *sealed, size_t len)
{
	struct hash_cost	 hc = hs->hs_cost[0];

	record_cost(key, sealed, len, &hc);
	return (!cost_same(&hc, &hs->hs_cost[0]));
}

enum hash_answer
hash_even(const uint8_t key[HASH_KEY], struct hash_costs *hs,
    const void *sealed, size_t len, const char *password)
{
	struct record		 fill;
	struct hash_cost	 hc = hs->hs_cost[0];
	enum hash_answer	 answer = HASH_FAILED;
	unsigned int		 i, own;
	int			 failed = 0;

	record_cost(key, sealed, len, &hc);
	own = costs_keep(hs, &hc);
	memset(&fill, 0, sizeof(fill));
	for (i = 0; i < hs->hs_n; i++)
		if (i == own)
			answer = hash_check(key, &hc, sealed, len, password);
		else {
			fill.rc_cost = hs->hs_cost[i];
			failed |= record_compute(&fill, password) == -1;
		}
	explicit_bzero(&fill, sizeof(fill));
	return (failed ? HASH_FAILED : answer);
}

/* Let the libraries read their configuration and find all they need now. */
static void
hash_init(void)
{
	struct hash_cost	 hc = { HASH_MIN_KIB, 1 };
	uint8_t			 key[HASH_KEY] = { 0 }, sealed[HASH_SEALED];
	uint8_t			 seed[TOTP_SEED];
	uint64_t		 step;
	uint32_t		 random;

	arc4random_buf(&random, sizeof(random));
	json_object_seed(random == 0 ? 1 : random);
	if (webauthn_init() == -1)
		fatalx("hash: libfido2 does not work");
	if (hash_key(key, key, HASH_PASSWORDS) == -1 ||
	    hash_make(key, &hc, "", sealed) == -1 ||
	    hash_check(key, &hc, sealed, sizeof(sealed), "") != HASH_RIGHT)
		fatalx("hash: libcrypto or libargon2 does not work");
	if (oath_init() != OATH_OK ||
	    otp_make(key, 1, 1, seed, sealed) == -1 ||
	    otp_check(key, 1, 1, sealed, OTP_SEALED, "", 0, &step) ==
	    HASH_FAILED)
		fatalx("hash: liboath does not work");
	explicit_bzero(seed, sizeof(seed));
}

static int
hash_imsg(struct peer *pe, uint32_t type, uint32_t id, const void *m,
    struct imsg *imsg)
{
	const struct m_site	*site = m;

	switch (type) {
	case IMSG_CONF_SITE:
		explicit_bzero(&hash_next, sizeof(hash_next));
		hash_next.hf_generation = site->generation;
		hash_next.hf_cost.hc_kib = site->argon_kib;
		hash_next.hf_cost.hc_passes = site->argon_passes;
		return (0);
	case IMSG_CONF_FILE:
		hash_file(m, imsg);
		return (0);
	case IMSG_CONF_END:
		hash_end(pe, m);
		return (0);
	case IMSG_CONF_COMMIT:
		hash_commit(m);
		return (0);
	case IMSG_HASH_MAKE:
		hash_do_make(pe, id, m);
		return (0);
	case IMSG_HASH_CHECK:
		hash_do_check(pe, id, m);
		return (0);
	case IMSG_HASH_SCORE:
		hash_do_score(pe, id, m);
		return (0);
	case IMSG_HASH_TOTP:
		hash_do_totp(pe, id, m);
		return (0);
	case IMSG_HASH_OTP:
		hash_do_otp(pe, id, m);
		return (0);
	case IMSG_HASH_CODES:
		hash_do_codes(pe, id, m);
		return (0);
	case IMSG_HASH_REGISTER:
		hash_do_register(pe, id, m);
		return (0);
	case IMSG_HASH_ASSERT:
		hash_do_assert(pe, id, m);
		return (0);
	default:
		return (-1);
	}
}

static void
hash_file(const struct m_conf_file *m, struct imsg *imsg)
{
	void	*pepper = NULL;
	ssize_t	 n = -1;
	int	 fd = imsg_get_fd(imsg);

	if (fd == -1)
		return;
	if (m->kind == FILE_PEPPER)
		n = read_all(fd, HASH_KEY, &pepper);
	if (n == HASH_KEY && hash_key(hash_next.hf_key, pepper,
	    HASH_PASSWORDS) == 0 && hash_key(hash_next.hf_factors, pepper,
	    HASH_FACTORS) == 0 && hash_key(hash_next.hf_device, pepper,
	    HASH_DEVICES) == 0)
		hash_next.hf_pepper = 1;
	if (n != -1)
		freezero(pepper, (size_t)n);
	close(fd);
}

static void
hash_end(struct peer *pe, const struct m_conf_end *m)
{
	struct m_conf_ack	 ack = { .generation = m->generation };

	if (m->generation != hash_next.hf_generation)
		ack.why = "the generations are mixed up";
	else if (!hash_next.hf_pepper)
		ack.why = "the pepper file is not 32 readable bytes";
	else if (!cost_valid(&hash_next.hf_cost))
		ack.why = "the cost of password hashes is out of range";
	else
		ack.ok = 1;
	(void)proc_send(pe, IMSG_CONF_ACK, 0, -1, &ack);
}

static void
hash_commit(const struct m_conf_end *m)
{
	if (!hash_next.hf_pepper || m->generation != hash_next.hf_generation)
		return;
	hash_now = hash_next;
	explicit_bzero(&hash_next, sizeof(hash_next));
	hash_costs_set(&hash_costs, &hash_now.hf_cost);
	hash_ready = 1;
	hash_tell_device();
}

/* Auth has no file of its own, and what it signs must outlive it. */
static void
hash_tell_device(void)
{
	struct m_device_key	 m;

	memcpy(m.key, hash_now.hf_device, sizeof(m.key));
	(void)proc_send(proc_peer(PROC_AUTH, 0), IMSG_DEVICE_KEY, 0, -1, &m);
	explicit_bzero(&m, sizeof(m));
}

static void
hash_up(struct peer *pe)
{
	if (pe->pe_proc == PROC_AUTH && hash_ready)
		hash_tell_device();
}

/* Is it one of those that may not come again? */
static int
hash_used(const struct m_blob *old, const char *password)
{
	const uint8_t	*p = old->mb_data, *end = p + old->mb_len;
	size_t		 len;
	int		 i;

	/* Each costs as much as a sign-in: of empty ones there were many. */
	for (i = 0; i < MAX_HISTORY && end - p >= 2; i++, p += 2 + len) {
		len = (size_t)p[0] << 8 | p[1];
		if ((size_t)(end - p) < 2 + len)
			break;
		if (hash_check(hash_now.hf_key, &hash_now.hf_cost, p + 2, len,
		    password) == HASH_RIGHT)
			return (1);
	}
	return (0);
}

static void
hash_do_score(struct peer *pe, uint32_t id, const struct m_hash_score *m)
{
	struct m_hash_scored	 scored;

	scored.score = strength_score(m->password, m->words);
	(void)proc_send(pe, IMSG_HASH_SCORED, id, -1, &scored);
}

static void
hash_do_make(struct peer *pe, uint32_t id, const struct m_hash_make *m)
{
	struct m_hash_made	 made = { .answer = MAKE_FAILED };
	uint8_t			 sealed[HASH_SEALED];

	if (!hash_ready)
		;
	else if (strength_score(m->password, m->words) < m->strength)
		made.answer = MAKE_WEAK;
	else if (hash_used(&m->old, m->password))
		made.answer = MAKE_USED;
	else if (hash_make(hash_now.hf_key, &hash_now.hf_cost, m->password,
	    sealed) == 0) {
		made.answer = MAKE_OK;
		made.sealed.mb_data = sealed;
		made.sealed.mb_len = sizeof(sealed);
	}
	(void)proc_send(pe, IMSG_HASH_MADE, id, -1, &made);
}

static void
hash_do_check(struct peer *pe, uint32_t id, const struct m_hash_check *m)
{
	struct m_hash_checked	 checked = { .answer = HASH_FAILED };
	uint8_t			 sealed[HASH_SEALED];

	if (hash_ready)
		checked.answer = (uint8_t)hash_even(hash_now.hf_key,
		    &hash_costs, m->sealed.mb_data, m->sealed.mb_len,
		    m->password);
	/* Who knows it may see from the time that it is right. */
	if (checked.answer == HASH_RIGHT && m->anew &&
	    hash_stale(hash_now.hf_key, &hash_costs, m->sealed.mb_data,
	    m->sealed.mb_len) && hash_make(hash_now.hf_key,
	    &hash_now.hf_cost, m->password, sealed) == 0)
		checked.sealed = (struct m_blob){ sealed, sizeof(sealed) };
	(void)proc_send(pe, IMSG_HASH_CHECKED, id, -1, &checked);
}

static void
hash_do_totp(struct peer *pe, uint32_t id, const struct m_hash_user *m)
{
	struct m_hash_totp_made	 made = { .ok = 0 };
	uint8_t			 seed[TOTP_SEED], sealed[OTP_SEALED];

	if (hash_ready && otp_make(hash_now.hf_factors, m->tenant, m->user,
	    seed, sealed) == 0) {
		made.ok = 1;
		made.sealed = (struct m_blob){ sealed, sizeof(sealed) };
		made.seed = (struct m_blob){ seed, sizeof(seed) };
	}
	(void)proc_send(pe, IMSG_HASH_TOTP_MADE, id, -1, &made);
	explicit_bzero(seed, sizeof(seed));
}

static void
hash_do_otp(struct peer *pe, uint32_t id, const struct m_hash_otp *m)
{
	struct m_hash_otp_checked	 checked = { .answer = HASH_FAILED };
	char				 code[OTP_CODE];

	if (hash_ready) {
		checked.answer = HASH_WRONG;
		checked.method = otp_kind(m->otp, code);
	}
	if (checked.method == FACTOR_TOTP)
		checked.answer = (uint8_t)otp_check(hash_now.hf_factors,
		    m->tenant, m->user, m->sealed.mb_data, m->sealed.mb_len,
		    code, now_ms() / 1000, &checked.step);
	/* Whether it is one of his, storage knows. */
	if (checked.method == FACTOR_RECOVERY)
		checked.answer = recovery_hash(m->tenant, m->user, code,
		    checked.sha) == 0 ? HASH_RIGHT : HASH_FAILED;
	explicit_bzero(code, sizeof(code));
	(void)proc_send(pe, IMSG_HASH_OTP_CHECKED, id, -1, &checked);
}

static void
hash_do_codes(struct peer *pe, uint32_t id, const struct m_hash_user *m)
{
	struct m_hash_codes_made	 made = { .ok = 0 };
	char				 text[RECOVERY_LINES];
	uint8_t				 shas[RECOVERY_CODES][TOKEN_LEN];

	if (recovery_make(m->tenant, m->user, text, shas) == 0) {
		made.ok = 1;
		made.text = text;
		made.shas = (struct m_blob){ shas, sizeof(shas) };
	}
	(void)proc_send(pe, IMSG_HASH_CODES_MADE, id, -1, &made);
	explicit_bzero(text, sizeof(text));
}

static void
hash_do_register(struct peer *pe, uint32_t id, const struct m_hash_register *m)
{
	const struct webauthn_want	 ww = { m->challenge, m->host, m->port,
					    0 };
	struct m_hash_registered	 done = { .answer = HASH_WRONG };
	struct webauthn_cred		 wc;

	if (webauthn_register(&ww, &m->client, &m->object, &wc) == 0) {
		done.answer = HASH_RIGHT;
		done.alg = (uint8_t)wc.wc_alg;
		done.count = wc.wc_count;
		done.id = (struct m_blob){ wc.wc_id, wc.wc_idlen };
		done.key = (struct m_blob){ wc.wc_key, wc.wc_keylen };
	}
	(void)proc_send(pe, IMSG_HASH_REGISTERED, id, -1, &done);
}

static void
hash_do_assert(struct peer *pe, uint32_t id, const struct m_hash_assert *m)
{
	const struct webauthn_want	 ww = { m->challenge, m->host, m->port,
					    m->uv };
	struct m_hash_asserted		 done = { .answer = HASH_WRONG };

	if (m->alg < WEBAUTHN_ALG_MAX && webauthn_assert(&ww, m->alg, &m->key,
	    &m->client, &m->data, &m->sig, &done.count) == 0)
		done.answer = HASH_RIGHT;
	(void)proc_send(pe, IMSG_HASH_ASSERTED, id, -1, &done);
}
