/* The hash process: passwords in, sealed Argon2id records out, and back. */

#include <sys/types.h>

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hash.h"
#include "log.h"
#include "proc.h"
#include "util.h"

#define RECORD_VERSION	1
#define SALT_LEN	16
#define RESULT_LEN	32
#define NONCE_LEN	12
#define TAG_LEN		16
#define RECORD_LEN	(1 + 4 + 4 + SALT_LEN + RESULT_LEN)
#define KEY_INFO	"risad password record 1"

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
	uint8_t			 hf_key[HASH_KEY];
};

static struct hash_conf	 hash_now, hash_next;
static int		 hash_ready;

static int	 cost_valid(const struct hash_cost *);
static void	 put32(uint8_t *, uint32_t);
static uint32_t	 get32(const uint8_t *);
static int	 record_seal(const uint8_t *, const struct record *, uint8_t *);
static int	 record_open(const uint8_t *, const uint8_t *, size_t,
		    struct record *);
static int	 record_compute(struct record *, const char *);
static void	 hash_init(void);
static int	 hash_imsg(struct peer *, uint32_t, uint32_t, const void *,
		    struct imsg *);
static void	 hash_file(const struct m_conf_file *, struct imsg *);
static void	 hash_end(struct peer *, const struct m_conf_end *);
static void	 hash_commit(const struct m_conf_end *);
static void	 hash_do_make(struct peer *, uint32_t,
		    const struct m_hash_make *);
static void	 hash_do_check(struct peer *, uint32_t,
		    const struct m_hash_check *);

/* "recvfd" stays: a sibling that starts again sends us a new pipe. */
const struct proc_ops hash_ops = {
	.po_proc = PROC_HASH,
	.po_promises = "stdio recvfd",
	.po_init = hash_init,
	.po_imsg = hash_imsg,
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
hash_key(uint8_t key[HASH_KEY], const uint8_t pepper[HASH_KEY])
{
	EVP_PKEY_CTX	*ctx;
	size_t		 len = HASH_KEY;
	int		 ret = -1;

	if ((ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL)) == NULL)
		return (-1);
	if (EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_hkdf_md(ctx, EVP_sha256()) == 1 &&
	    EVP_PKEY_CTX_set1_hkdf_key(ctx, pepper, HASH_KEY) == 1 &&
	    EVP_PKEY_CTX_add1_hkdf_info(ctx, (const uint8_t *)KEY_INFO,
	    (int)strlen(KEY_INFO)) == 1 &&
	    EVP_PKEY_derive(ctx, key, &len) == 1 && len == HASH_KEY)
		ret = 0;
	EVP_PKEY_CTX_free(ctx);
	return (ret);
}

/*
 * AES-256-GCM: version, nonce, ciphertext, tag.  A nonce is random; 2^32
 * passwords under one pepper are far away.
 */
static int
record_seal(const uint8_t *key, const struct record *rc, uint8_t *out)
{
	EVP_CIPHER_CTX	*ctx;
	uint8_t		 plain[RECORD_LEN];
	uint8_t		*nonce = out + 1, *body = nonce + NONCE_LEN;
	int		 n, ret = -1;

	plain[0] = RECORD_VERSION;
	put32(plain + 1, rc->rc_cost.hc_kib);
	put32(plain + 5, rc->rc_cost.hc_passes);
	memcpy(plain + 9, rc->rc_salt, SALT_LEN);
	memcpy(plain + 9 + SALT_LEN, rc->rc_result, RESULT_LEN);

	out[0] = RECORD_VERSION;
	if ((ctx = EVP_CIPHER_CTX_new()) != NULL &&
	    RAND_bytes(nonce, NONCE_LEN) == 1 &&
	    EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) ==
	    1 &&
	    EVP_EncryptUpdate(ctx, NULL, &n, out, 1) == 1 &&
	    EVP_EncryptUpdate(ctx, body, &n, plain, sizeof(plain)) == 1 &&
	    n == RECORD_LEN &&
	    EVP_EncryptFinal_ex(ctx, body + n, &n) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_LEN,
	    body + RECORD_LEN) == 1)
		ret = 0;
	EVP_CIPHER_CTX_free(ctx);
	explicit_bzero(plain, sizeof(plain));
	return (ret);
}

static int
record_open(const uint8_t *key, const uint8_t *in, size_t len,
    struct record *rc)
{
	EVP_CIPHER_CTX	*ctx;
	uint8_t		 plain[RECORD_LEN], tag[TAG_LEN];
	const uint8_t	*nonce, *body;
	int		 n, ret = -1;

	if (len != HASH_SEALED || in[0] != RECORD_VERSION)
		return (-1);
	nonce = in + 1;
	body = nonce + NONCE_LEN;
	memcpy(tag, body + RECORD_LEN, sizeof(tag));
	if ((ctx = EVP_CIPHER_CTX_new()) != NULL &&
	    EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) ==
	    1 &&
	    EVP_DecryptUpdate(ctx, NULL, &n, in, 1) == 1 &&
	    EVP_DecryptUpdate(ctx, plain, &n, body, RECORD_LEN) == 1 &&
	    n == RECORD_LEN &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) ==
	    1 &&
	    EVP_DecryptFinal_ex(ctx, plain + n, &n) == 1 &&
	    plain[0] == RECORD_VERSION) {
		rc->rc_cost.hc_kib = get32(plain + 1);
		rc->rc_cost.hc_passes = get32(plain + 5);
		memcpy(rc->rc_salt, plain + 9, SALT_LEN);
		memcpy(rc->rc_result, plain + 9 + SALT_LEN, RESULT_LEN);
		ret = cost_valid(&rc->rc_cost) ? 0 : -1;
	}
	EVP_CIPHER_CTX_free(ctx);
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

/* Let libcrypto read its configuration and find its algorithms now. */
static void
hash_init(void)
{
	struct hash_cost	 hc = { HASH_MIN_KIB, 1 };
	uint8_t			 key[HASH_KEY] = { 0 }, sealed[HASH_SEALED];

	if (hash_key(key, key) == -1 ||
	    hash_make(key, &hc, "", sealed) == -1 ||
	    hash_check(key, &hc, sealed, sizeof(sealed), "") != HASH_RIGHT)
		fatalx("hash: libcrypto or libargon2 does not work");
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
	if (n == HASH_KEY && hash_key(hash_next.hf_key, pepper) == 0)
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
	hash_ready = 1;
}

static void
hash_do_make(struct peer *pe, uint32_t id, const struct m_hash_make *m)
{
	struct m_hash_made	 made = { .ok = 0 };
	uint8_t			 sealed[HASH_SEALED];

	if (hash_ready && hash_make(hash_now.hf_key, &hash_now.hf_cost,
	    m->password, sealed) == 0) {
		made.ok = 1;
		made.sealed.mb_data = sealed;
		made.sealed.mb_len = sizeof(sealed);
	}
	(void)proc_send(pe, IMSG_HASH_MADE, id, -1, &made);
}

static void
hash_do_check(struct peer *pe, uint32_t id, const struct m_hash_check *m)
{
	struct m_hash_checked	 checked = { .answer = HASH_FAILED };

	if (hash_ready)
		checked.answer = (uint8_t)hash_check(hash_now.hf_key,
		    &hash_now.hf_cost, m->sealed.mb_data, m->sealed.mb_len,
		    m->password);
	(void)proc_send(pe, IMSG_HASH_CHECKED, id, -1, &checked);
}
