#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <argon2.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "keypack.h"
#include "seal.h"

#define FORMAT		1
#define SALT		16
#define NONCE		12
#define AT_KIB		9
#define AT_PASSES	13
#define AT_SALT		17
#define AT_NONCE	(AT_SALT + SALT)
#define AT_LENGTH	(AT_NONCE + NONCE)

static const char	 magic[8] = { 'R', 'I', 'S', 'A', 'D', 'K', 'E', 'Y' };

int
keypack_begin(struct ibuf *buf, const struct keypack_head *kh)
{
	return (ibuf_add_n64(buf, kh->kh_at) == -1 ||
	    ibuf_add_n32(buf, kh->kh_backup) == -1 ||
	    ibuf_add_n32(buf, kh->kh_count) == -1 ? -1 : 0);
}

int
keypack_put(struct ibuf *buf, const struct keypack_entry *ke)
{
	size_t	 n = strlen(ke->ke_name);

	return (ibuf_add_n8(buf, ke->ke_kind) == -1 ||
	    ibuf_add_n32(buf, ke->ke_tenant) == -1 ||
	    ibuf_add_n8(buf, n) == -1 || ibuf_add(buf, ke->ke_name, n) == -1 ||
	    ibuf_add_n16(buf, ke->ke_len) == -1 ||
	    ibuf_add(buf, ke->ke_key, ke->ke_len) == -1 ? -1 : 0);
}

int
keypack_head(struct ibuf *buf, struct keypack_head *kh)
{
	return (ibuf_get_n64(buf, &kh->kh_at) == -1 ||
	    ibuf_get_n32(buf, &kh->kh_backup) == -1 ||
	    ibuf_get_n32(buf, &kh->kh_count) == -1 ? -1 : 0);
}

/* A key is as long as its kind says. */
static int
fits(const struct keypack_entry *ke)
{
	switch (ke->ke_kind) {
	case KEYPACK_MASTER:
	case KEYPACK_PEPPER:
	case KEYPACK_SIGN:
		return (ke->ke_len == SEAL_KEY && ke->ke_tenant == 0);
	case KEYPACK_TENANT:
		return (ke->ke_len == SEAL_WRAPPED ||
		    ke->ke_len == 2 * SEAL_WRAPPED);
	default:
		return (0);
	}
}

int
keypack_get(struct ibuf *buf, struct keypack_entry *ke)
{
	uint16_t	 len;
	uint8_t		 n;

	memset(ke, 0, sizeof(*ke));
	if (ibuf_get_n8(buf, &ke->ke_kind) == -1 ||
	    ibuf_get_n32(buf, &ke->ke_tenant) == -1 ||
	    ibuf_get_n8(buf, &n) == -1 || n > MAX_LABEL ||
	    ibuf_get(buf, ke->ke_name, n) == -1 ||
	    ibuf_get_n16(buf, &len) == -1 || len > sizeof(ke->ke_key) ||
	    ibuf_get(buf, ke->ke_key, len) == -1)
		return (-1);
	ke->ke_len = len;
	return (fits(ke) ? 0 : -1);
}

static void
put32(uint8_t *p, uint32_t n)
{
	n = htobe32(n);
	memcpy(p, &n, sizeof(n));
}

static uint32_t
get32(const uint8_t *p)
{
	uint32_t	 n;

	memcpy(&n, p, sizeof(n));
	return (be32toh(n));
}

/* The key of a file's begin and the passphrase; 0, or -1. */
static int
stretch(const char *pass, const uint8_t *file, uint8_t key[SEAL_KEY])
{
	return (argon2id_hash_raw(get32(file + AT_PASSES),
	    get32(file + AT_KIB), 1, pass, strlen(pass), file + AT_SALT, SALT,
	    key, SEAL_KEY) == ARGON2_OK ? 0 : -1);
}

static int
encrypt(EVP_CIPHER_CTX *ctx, const uint8_t key[SEAL_KEY], uint8_t *file,
    const void *text, int len)
{
	uint8_t	*out = file + KEYPACK_HEAD;
	int	 n;

	return (EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key,
	    file + AT_NONCE) != 1 ||
	    EVP_EncryptUpdate(ctx, NULL, &n, file, KEYPACK_HEAD) != 1 ||
	    EVP_EncryptUpdate(ctx, out, &n, text, len) != 1 ||
	    EVP_EncryptFinal_ex(ctx, out + len, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, KEYPACK_TAG,
	    out + len) != 1 ? -1 : 0);
}

uint8_t *
keypack_seal(const char *pass, uint32_t kib, uint32_t passes,
    const void *text, size_t len, size_t *filelen)
{
	EVP_CIPHER_CTX	*ctx;
	uint8_t		 key[SEAL_KEY], *file;
	int		 ok;

	*filelen = KEYPACK_HEAD + len + KEYPACK_TAG;
	if (len == 0 || *filelen > KEYPACK_MAX ||
	    (file = calloc(1, *filelen)) == NULL)
		return (NULL);
	memcpy(file, magic, sizeof(magic));
	file[sizeof(magic)] = FORMAT;
	put32(file + AT_KIB, kib);
	put32(file + AT_PASSES, passes);
	put32(file + AT_LENGTH, (uint32_t)len);
	ctx = EVP_CIPHER_CTX_new();
	ok = ctx != NULL && RAND_bytes(file + AT_SALT, SALT + NONCE) == 1 &&
	    stretch(pass, file, key) == 0 &&
	    encrypt(ctx, key, file, text, (int)len) == 0;
	EVP_CIPHER_CTX_free(ctx);
	explicit_bzero(key, sizeof(key));
	if (ok)
		return (file);
	free(file);
	return (NULL);
}

static int
decrypt(EVP_CIPHER_CTX *ctx, const uint8_t key[SEAL_KEY], const uint8_t *file,
    uint8_t *text, int len)
{
	uint8_t	 tag[KEYPACK_TAG];
	int	 n;

	memcpy(tag, file + KEYPACK_HEAD + len, sizeof(tag));
	return (EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key,
	    file + AT_NONCE) != 1 ||
	    EVP_DecryptUpdate(ctx, NULL, &n, file, KEYPACK_HEAD) != 1 ||
	    EVP_DecryptUpdate(ctx, text, &n, file + KEYPACK_HEAD, len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, KEYPACK_TAG,
	    tag) != 1 || EVP_DecryptFinal_ex(ctx, text + len, &n) != 1 ?
	    -1 : 0);
}

/* What can be said without the passphrase; NULL: nothing. */
static const char *
fault(const uint8_t *file, size_t len)
{
	uint32_t	 kib, passes;

	if (len < sizeof(magic) + 1 || memcmp(file, magic, sizeof(magic)) != 0)
		return ("it is no key backup");
	if (file[sizeof(magic)] != FORMAT)
		return ("it was made by a newer risactl");
	if (len <= KEYPACK_HEAD + KEYPACK_TAG ||
	    get32(file + AT_LENGTH) != len - KEYPACK_HEAD - KEYPACK_TAG)
		return ("it is not whole");
	kib = get32(file + AT_KIB);
	passes = get32(file + AT_PASSES);
	if (kib < 8 || kib > KEYPACK_KIB_MAX || passes < 1 ||
	    passes > KEYPACK_PASSES_MAX)
		return ("it was changed");
	return (NULL);
}

uint8_t *
keypack_open(const char *pass, const void *file, size_t len, size_t *textlen,
    const char **why)
{
	EVP_CIPHER_CTX	*ctx = NULL;
	uint8_t		 key[SEAL_KEY], *text = NULL;
	int		 ok;

	if ((*why = fault(file, len)) != NULL)
		return (NULL);
	*textlen = len - KEYPACK_HEAD - KEYPACK_TAG;
	*why = "no memory";
	if ((ctx = EVP_CIPHER_CTX_new()) == NULL ||
	    (text = malloc(*textlen)) == NULL ||
	    stretch(pass, file, key) == -1)
		ok = 0;
	else if (!(ok = decrypt(ctx, key, file, text, (int)*textlen) == 0))
		*why = "the passphrase is wrong, or it was changed";
	EVP_CIPHER_CTX_free(ctx);
	explicit_bzero(key, sizeof(key));
	if (ok)
		return (text);
	freezero(text, text == NULL ? 0 : *textlen);
	return (NULL);
}
