#include <sys/mman.h>

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "seal.h"

#define FORMAT		1
#define NAMELEN		32
#define CACHE		16		/* derived keys of one tenant */
#define INFO		64

/*
 * All indexes that there are.  Nobody can compute some of their values again,
 * as the text is not kept or, of a handle, because authenticators have it: so
 * their keys stay when the key that they were derived from goes.
 */
static const char *const index_names[] = {
	"mail", "lock", "passkey", "handle", "ref", "floors", "groups", "roles",
	"backup"
};
#define INDEXES		(sizeof(index_names) / sizeof(index_names[0]))

struct derived {
	char		 de_name[NAMELEN];	/* empty: none */
	uint32_t	 de_month;		/* 0: of an index */
	uint32_t	 de_generation;
	uint8_t		 de_key[SEAL_KEY];
};

struct seal {
	int		 se_used;
	uint32_t	 se_generation;
	uint32_t	 se_oldgen;	/* 0: there is no older key */
	unsigned int	 se_next;	/* slot of the cache to overwrite */
	uint8_t		 se_key[SEAL_KEY];
	uint8_t		 se_old[SEAL_KEY];
	struct derived	 se_cache[CACHE];
	int		 se_kept[INDEXES];
	uint8_t		 se_index[INDEXES][SEAL_KEY];
};

static struct seal	*vault;
/*
 * Each knows its cipher from the start: to look it up in libcrypto for each
 * record costs as much as to seal it.
 */
static EVP_CIPHER_CTX	*sealer, *opener;

/*
 * Nonces not used yet.  They are no secret, and to draw one costs as much as
 * to draw a hundred.
 */
#define NONCES		128
static uint8_t		 nonces[NONCES][SEAL_NONCE];
static size_t		 nonces_left;
static pid_t		 nonces_of;	/* a fork has the same in its memory */

static size_t
put32(uint8_t *p, uint32_t n)
{
	n = htobe32(n);
	memcpy(p, &n, sizeof(n));
	return (sizeof(n));
}

static size_t
put64(uint8_t *p, uint64_t n)
{
	n = htobe64(n);
	memcpy(p, &n, sizeof(n));
	return (sizeof(n));
}

static uint32_t
get32(const uint8_t *p)
{
	uint32_t	 n;

	memcpy(&n, p, sizeof(n));
	return (be32toh(n));
}

/* A length and the bytes of a name; 0 if it is none that we use. */
static size_t
put_name(uint8_t *p, const char *name)
{
	size_t	 len = strlen(name);

	if (len == 0 || len >= NAMELEN)
		return (0);
	p[0] = (uint8_t)len;
	memcpy(p + 1, name, len);
	return (len + 1);
}

/* HKDF of one block: our keys are as long as SHA-256. */
static int
hkdf(const uint8_t key[SEAL_KEY], const uint8_t *info, size_t len,
    uint8_t out[SEAL_KEY])
{
	static const uint8_t	 salt[SEAL_KEY];
	uint8_t			 prk[SEAL_KEY], block[INFO + 1];
	unsigned int		 n = SEAL_KEY;
	int			 ret = -1;

	if (len > INFO)
		return (-1);
	memcpy(block, info, len);
	block[len] = 1;			/* number of the block */
	if (HMAC(EVP_sha256(), salt, sizeof(salt), key, SEAL_KEY, prk,
	    &n) != NULL && n == sizeof(prk) &&
	    HMAC(EVP_sha256(), prk, sizeof(prk), block, len + 1, out,
	    &n) != NULL && n == SEAL_KEY)
		ret = 0;
	explicit_bzero(prk, sizeof(prk));
	return (ret);
}

static int
draw_nonce(uint8_t nonce[SEAL_NONCE])
{
	pid_t	 self = getpid();

	if (nonces_left == 0 || nonces_of != self) {
		if (RAND_bytes(nonces[0], sizeof(nonces)) != 1)
			return (-1);
		nonces_left = NONCES;
		nonces_of = self;
	}
	memcpy(nonce, nonces[--nonces_left], SEAL_NONCE);
	return (0);
}

static int
encrypt(const uint8_t key[SEAL_KEY], const uint8_t *nonce, const uint8_t *aad,
    size_t aadlen, const uint8_t *text, size_t len, uint8_t *out)
{
	int	 n;

	if (EVP_EncryptInit_ex(sealer, NULL, NULL, key, nonce) != 1 ||
	    EVP_EncryptUpdate(sealer, NULL, &n, aad, (int)aadlen) != 1)
		return (-1);
	if (len > 0 &&
	    EVP_EncryptUpdate(sealer, out, &n, text, (int)len) != 1)
		return (-1);
	if (EVP_EncryptFinal_ex(sealer, out + len, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(sealer, EVP_CTRL_GCM_GET_TAG, SEAL_TAG,
	    out + len) != 1)
		return (-1);
	return (0);
}

static int
decrypt(const uint8_t key[SEAL_KEY], const uint8_t *nonce, const uint8_t *aad,
    size_t aadlen, const uint8_t *text, size_t len, uint8_t *out)
{
	uint8_t	 tag[SEAL_TAG];
	int	 n;

	memcpy(tag, text + len, sizeof(tag));
	if (EVP_DecryptInit_ex(opener, NULL, NULL, key, nonce) != 1 ||
	    EVP_DecryptUpdate(opener, NULL, &n, aad, (int)aadlen) != 1)
		return (-1);
	if (len > 0 &&
	    EVP_DecryptUpdate(opener, out, &n, text, (int)len) != 1)
		goto fail;
	if (EVP_CIPHER_CTX_ctrl(opener, EVP_CTRL_GCM_SET_TAG, SEAL_TAG,
	    tag) != 1 || EVP_DecryptFinal_ex(opener, out + len, &n) != 1)
		goto fail;
	return (0);
 fail:
	explicit_bzero(out, len);	/* never text that is not proven */
	return (-1);
}

/* Ready for a key, and without the one before. */
static int
contexts(void)
{
	if ((sealer == NULL && (sealer = EVP_CIPHER_CTX_new()) == NULL) ||
	    (opener == NULL && (opener = EVP_CIPHER_CTX_new()) == NULL))
		return (-1);
	if (EVP_CIPHER_CTX_reset(sealer) != 1 ||
	    EVP_CIPHER_CTX_reset(opener) != 1 ||
	    EVP_EncryptInit_ex(sealer, EVP_aes_256_gcm(), NULL, NULL,
	    NULL) != 1 || EVP_DecryptInit_ex(opener, EVP_aes_256_gcm(), NULL,
	    NULL, NULL) != 1)
		return (-1);
	return (0);
}

int
seal_init(void)
{
	const size_t	 len = SEAL_SLOTS * sizeof(*vault);
	uint8_t		 key[SEAL_KEY] = { 0 }, out[SEAL_TAG];
	void		*p;

	if (vault != NULL)
		return (0);
	if (contexts() == -1)
		return (-1);
	/* Loads what libcrypto loads late: digest, cipher, random numbers. */
	if (hkdf(key, key, sizeof(key), key) == -1 ||
	    encrypt(key, key, key, 1, NULL, 0, out) == -1 ||
	    RAND_bytes(out, sizeof(out)) != 1)
		return (-1);
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON,
	    -1, 0);
	if (p == MAP_FAILED)
		return (-1);
	/* As good as the system grants: neither is a condition. */
	(void)mlock(p, len);
	(void)madvise(p, len, MADV_DONTDUMP);
	vault = p;
	return (0);
}

struct seal *
seal_new(const uint8_t key[SEAL_KEY], uint32_t generation)
{
	struct seal	*se;
	size_t		 i;

	for (i = 0; vault != NULL && i < SEAL_SLOTS; i++) {
		se = &vault[i];
		if (se->se_used)
			continue;
		memset(se, 0, sizeof(*se));
		se->se_used = 1;
		se->se_generation = generation;
		memcpy(se->se_key, key, SEAL_KEY);
		return (se);
	}
	return (NULL);
}

void
seal_free(struct seal *se)
{
	if (se == NULL)
		return;
	explicit_bzero(se, sizeof(*se));
	(void)contexts();	/* they may hold a key still */
}

uint32_t
seal_generation(const struct seal *se)
{
	return (se->se_generation);
}

const uint8_t *
seal_key(const struct seal *se)
{
	return (se->se_key);
}

struct seal *
seal_system(const uint8_t master[SEAL_KEY])
{
	static const uint8_t	 info[] = "risad system";
	struct seal		*se = NULL;
	uint8_t			 key[SEAL_KEY];

	if (hkdf(master, info, sizeof(info) - 1, key) == 0)
		se = seal_new(key, 1);
	explicit_bzero(key, sizeof(key));
	return (se);
}

void
seal_turn(struct seal *se, const uint8_t key[SEAL_KEY], uint32_t generation)
{
	memcpy(se->se_old, se->se_key, SEAL_KEY);
	se->se_oldgen = se->se_generation;
	memcpy(se->se_key, key, SEAL_KEY);
	se->se_generation = generation;
}

void
seal_settle(struct seal *se)
{
	explicit_bzero(se->se_old, sizeof(se->se_old));
	explicit_bzero(se->se_cache, sizeof(se->se_cache));
	se->se_oldgen = 0;
	(void)contexts();	/* they may hold a key still */
}

uint32_t
seal_oldgen(const struct seal *se)
{
	return (se->se_oldgen);
}

static int
index_number(const char *name)
{
	size_t	 i;

	for (i = 0; i < INDEXES; i++)
		if (strcmp(index_names[i], name) == 0)
			return ((int)i);
	return (-1);
}

/* The key of a table and month or, with month 0, of an index. */
static int
derive_new(const struct seal *se, const char *name, uint32_t month,
    uint32_t generation, uint8_t out[SEAL_KEY])
{
	const char	*label = month == 0 ? "risad index" : "risad seal";
	uint8_t		 info[INFO];
	size_t		 i, n = strlen(label);

	memcpy(info, label, n);
	if ((i = put_name(info + n, name)) == 0)
		return (-1);
	n += i;
	if (month != 0)
		n += put32(info + n, month);
	return (hkdf(generation == se->se_generation ? se->se_key :
	    se->se_old, info, n, out));
}

/* The same, made when it is first asked for. */
static const uint8_t *
derive(struct seal *se, const char *name, uint32_t month, uint32_t generation)
{
	struct derived	*de;
	size_t		 i;
	int		 kept = month == 0 ? index_number(name) : -1;

	if (kept != -1 && se->se_kept[kept])
		return (se->se_index[kept]);
	for (i = 0; i < CACHE; i++) {
		de = &se->se_cache[i];
		if (de->de_month == month && de->de_generation == generation &&
		    strcmp(de->de_name, name) == 0)
			return (de->de_key);
	}
	de = &se->se_cache[se->se_next++ % CACHE];
	de->de_name[0] = '\0';
	if (derive_new(se, name, month, generation, de->de_key) == -1)
		return (NULL);
	(void)strlcpy(de->de_name, name, sizeof(de->de_name));
	de->de_month = month;
	de->de_generation = generation;
	return (de->de_key);
}

int
seal_keep(struct seal *se, uint8_t out[SEAL_KEPT])
{
	const uint8_t	*key;
	uint8_t		*p = out;
	uint32_t	 first = se->se_oldgen != 0 ? se->se_oldgen :
			    se->se_generation;
	size_t		 i;

	memset(out, 0, SEAL_KEPT);
	for (i = 0; i < INDEXES; i++) {
		key = derive(se, index_names[i], 0, first);
		if (key == NULL || p + 1 + NAMELEN + SEAL_KEY >
		    out + SEAL_KEPT)
			return (-1);
		p += put_name(p, index_names[i]);
		memcpy(p, key, SEAL_KEY);
		p += SEAL_KEY;
	}
	return ((int)(p - out));
}

int
seal_kept(struct seal *se, const uint8_t *text, size_t len)
{
	char	 name[NAMELEN];
	size_t	 n;
	int	 i;

	while (len > 0) {
		n = text[0];
		if (n == 0 || n >= NAMELEN || len < 1 + n + SEAL_KEY)
			return (-1);
		memcpy(name, text + 1, n);
		name[n] = '\0';
		if ((i = index_number(name)) != -1) {
			memcpy(se->se_index[i], text + 1 + n, SEAL_KEY);
			se->se_kept[i] = 1;
		}
		text += 1 + n + SEAL_KEY;
		len -= 1 + n + SEAL_KEY;
	}
	return (0);
}

static uint32_t
month_now(void)
{
	struct tm	 tm;
	time_t		 now = time(NULL);

	if (gmtime_r(&now, &tm) == NULL)
		return (197001);
	return ((uint32_t)(tm.tm_year + 1900) * 100 + (uint32_t)tm.tm_mon + 1);
}

#define AAD_MAX	(4 + 4 + NAMELEN + NAMELEN + 8 + 8 + SEAL_BIND)

static size_t
bound_data(uint8_t aad[AAD_MAX], const struct seal_at *at, uint32_t generation,
    uint32_t month)
{
	size_t	 i, n;

	n = put32(aad, generation);
	n += put32(aad + n, month);
	if ((i = put_name(aad + n, at->sa_table)) == 0)
		return (0);
	n += i;
	if ((i = put_name(aad + n, at->sa_column)) == 0)
		return (0);
	n += i;
	n += put64(aad + n, at->sa_row);
	n += put64(aad + n, at->sa_version);
	if (at->sa_bindlen > SEAL_BIND)
		return (0);
	if (at->sa_bindlen > 0)
		memcpy(aad + n, at->sa_bind, at->sa_bindlen);
	return (n + at->sa_bindlen);
}

int
seal_make(struct seal *se, const struct seal_at *at, const void *text,
    size_t len, uint8_t *out)
{
	uint8_t		 aad[AAD_MAX];
	const uint8_t	*key;
	uint32_t	 month = month_now();
	size_t		 n;

	if (len > SEAL_MAX ||
	    (n = bound_data(aad, at, se->se_generation, month)) == 0 ||
	    (key = derive(se, at->sa_table, month, se->se_generation)) ==
	    NULL)
		return (-1);
	out[0] = FORMAT;
	put32(out + 1, se->se_generation);
	put32(out + 5, month);
	if (draw_nonce(out + 9) == -1)
		return (-1);
	return (encrypt(key, out + 9, aad, n, text, len, out + SEAL_HEAD));
}

uint32_t
seal_of(const void *rec, size_t len)
{
	const uint8_t	*p = rec;

	return (p == NULL || len < SEAL_OVER || p[0] != FORMAT ? 0 :
	    get32(p + 1));
}

ssize_t
seal_open(struct seal *se, const struct seal_at *at, const void *rec,
    size_t len, void *out)
{
	uint8_t		 aad[AAD_MAX];
	const uint8_t	*key, *p = rec;
	uint32_t	 month, generation = seal_of(rec, len);
	size_t		 n;

	if (generation == 0 || len - SEAL_OVER > SEAL_MAX ||
	    (generation != se->se_generation && generation != se->se_oldgen))
		return (-1);
	month = get32(p + 5);
	len -= SEAL_OVER;
	if ((n = bound_data(aad, at, generation, month)) == 0 || month == 0 ||
	    (key = derive(se, at->sa_table, month, generation)) == NULL)
		return (-1);
	if (decrypt(key, p + 9, aad, n, p + SEAL_HEAD, len, out) == -1)
		return (-1);
	return ((ssize_t)len);
}

int
seal_index(struct seal *se, const char *what, const void *data, size_t len,
    uint8_t out[SEAL_INDEX])
{
	const uint8_t	*key;
	unsigned int	 outlen = SEAL_INDEX;

	if (index_number(what) == -1 ||
	    (key = derive(se, what, 0, se->se_generation)) == NULL ||
	    HMAC(EVP_sha256(), key, SEAL_KEY, data, len, out, &outlen) == NULL)
		return (-1);
	return (outlen == SEAL_INDEX ? 0 : -1);
}

static int
wrap_key(const uint8_t master[SEAL_KEY], uint8_t key[SEAL_KEY])
{
	static const uint8_t	 info[] = "risad wrap";

	return (hkdf(master, info, sizeof(info) - 1, key));
}

int
seal_wrap(const uint8_t master[SEAL_KEY], uint32_t tenant, uint32_t generation,
    const uint8_t key[SEAL_KEY], uint8_t out[SEAL_WRAPPED])
{
	uint8_t	 aad[8], kek[SEAL_KEY];
	int	 ret = -1;

	put32(aad, tenant);
	put32(aad + 4, generation);
	out[0] = FORMAT;
	put32(out + 1, generation);
	if (wrap_key(master, kek) == 0 && draw_nonce(out + 5) == 0)
		ret = encrypt(kek, out + 5, aad, sizeof(aad), key, SEAL_KEY,
		    out + 5 + SEAL_NONCE);
	explicit_bzero(kek, sizeof(kek));
	return (ret);
}

int
seal_unwrap(const uint8_t master[SEAL_KEY], uint32_t tenant,
    const uint8_t *wrapped, size_t len, uint32_t *generation,
    uint8_t key[SEAL_KEY])
{
	uint8_t	 aad[8], kek[SEAL_KEY];
	int	 ret = -1;

	if (len != SEAL_WRAPPED || wrapped[0] != FORMAT)
		return (-1);
	*generation = get32(wrapped + 1);
	put32(aad, tenant);
	put32(aad + 4, *generation);
	if (wrap_key(master, kek) == 0)
		ret = decrypt(kek, wrapped + 5, aad, sizeof(aad),
		    wrapped + 5 + SEAL_NONCE, SEAL_KEY, key);
	explicit_bzero(kek, sizeof(kek));
	return (ret);
}
