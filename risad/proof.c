#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proof.h"
#include "util.h"

static const char *const words[PROOF_MAX] = {
	[PROOF_CHECKPOINT] = "checkpoint",
	[PROOF_LOG] = "log",
	[PROOF_ERASURE] = "erasure",
	[PROOF_EXPORT] = "export",
};

const char *
proof_word(uint8_t kind)
{
	return (kind < PROOF_MAX ? words[kind] : "?");
}

int
proof_kind(const char *word)
{
	int	 i;

	for (i = 0; i < PROOF_MAX; i++)
		if (strcmp(words[i], word) == 0)
			return (i);
	return (-1);
}

int
proof_public(const uint8_t seed[PROOF_KEY], uint8_t pub[PROOF_KEY])
{
	EVP_PKEY	*pkey;
	size_t		 len = PROOF_KEY;
	int		 ok;

	pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
	    PROOF_KEY);
	ok = pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, pub,
	    &len) == 1 && len == PROOF_KEY;
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return (ok ? 0 : -1);
}

int
proof_id(const uint8_t pub[PROOF_KEY], char id[PROOF_ID])
{
	uint8_t	 sha[TOKEN_LEN];

	if (sha256(sha, pub, PROOF_KEY) == -1)
		return (-1);
	hex_encode(id, sha, (PROOF_ID - 1) / 2);
	return (0);
}

/* What is signed: the line without its signature.  The length, or -1. */
static int
compose(const struct proof *pf, char line[PROOF_LINE])
{
	char	 at[TIME_TEXT], sum[2 * TOKEN_LEN + 1];
	int	 n;

	if (pf->pf_kind >= PROOF_MAX || time_text(at, pf->pf_at) == -1)
		return (-1);
	hex_encode(sum, pf->pf_sum, TOKEN_LEN);
	if (pf->pf_kind == PROOF_CHECKPOINT)
		n = snprintf(line, PROOF_LINE, "risad checkpoint v1 key=%s "
		    "tenant=%u name=%s seq=%llu at=%s head=%s", pf->pf_key,
		    pf->pf_tenant, pf->pf_name,
		    (unsigned long long)pf->pf_seq, at, sum);
	else
		n = snprintf(line, PROOF_LINE, "risad signature v1 key=%s "
		    "tenant=%u name=%s kind=%s at=%s sha256=%s", pf->pf_key,
		    pf->pf_tenant, pf->pf_name, proof_word(pf->pf_kind), at,
		    sum);
	return (n > 0 && n < PROOF_LINE ? n : -1);
}

/* One-shot, as Ed25519 is: 1, or 0. */
static int
sign(const uint8_t seed[PROOF_KEY], const char *text, size_t len,
    uint8_t sig[PROOF_SIG])
{
	EVP_PKEY	*pkey;
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	size_t		 siglen = PROOF_SIG;
	int		 ok;

	pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
	    PROOF_KEY);
	ok = pkey != NULL && ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	    EVP_DigestSign(ctx, sig, &siglen, (const uint8_t *)text,
	    len) == 1 && siglen == PROOF_SIG;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return (ok);
}

static int
verifies(const uint8_t pub[PROOF_KEY], const char *text, size_t len,
    const uint8_t sig[PROOF_SIG])
{
	EVP_PKEY	*pkey;
	EVP_MD_CTX	*ctx = EVP_MD_CTX_new();
	int		 ok;

	pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub,
	    PROOF_KEY);
	ok = pkey != NULL && ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	    EVP_DigestVerify(ctx, sig, PROOF_SIG, (const uint8_t *)text,
	    len) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return (ok);
}

int
proof_sign(struct proof *pf, const uint8_t seed[PROOF_KEY],
    char line[PROOF_LINE])
{
	uint8_t	 pub[PROOF_KEY], sig[PROOF_SIG];
	char	 text[PROOF_SIG * 4 / 3 + 2];
	int	 n;

	if (proof_public(seed, pub) == -1 ||
	    proof_id(pub, pf->pf_key) == -1 || (n = compose(pf, line)) == -1 ||
	    !sign(seed, line, (size_t)n, sig))
		return (-1);
	b64url_encode(text, sizeof(text), sig, sizeof(sig));
	if (strlcat(line, " sig=", PROOF_LINE) >= PROOF_LINE ||
	    strlcat(line, text, PROOF_LINE) >= PROOF_LINE)
		return (-1);
	return (0);
}

/* The value of "word=value " at *s, which moves behind it; 0, or -1. */
static int
take(const char **s, const char *word, char *dst, size_t size)
{
	size_t	 n = strlen(word), len;

	if (strncmp(*s, word, n) != 0 || (*s)[n] != '=')
		return (-1);
	*s += n + 1;
	len = strcspn(*s, " ");
	if (len == 0 || len >= size)
		return (-1);
	memcpy(dst, *s, len);
	dst[len] = '\0';
	*s += len;
	if (**s == ' ')
		(*s)++;
	return (0);
}

static int
take_number(const char **s, const char *word, uint64_t max, uint64_t *n)
{
	char		 text[24];
	const char	*why;

	if (take(s, word, text, sizeof(text)) == -1)
		return (-1);
	*n = (uint64_t)strtonum(text, 0, (long long)max, &why);
	return (why == NULL ? 0 : -1);
}

/* Fields as they stand; whether that is our spelling, compose() tells. */
static int
fields(struct proof *pf, const char *s, char *sig, size_t siglen)
{
	static const char	 point[] = "risad checkpoint v1 ";
	static const char	 other[] = "risad signature v1 ";
	char			 text[2 * TOKEN_LEN + 1], at[TIME_TEXT];
	uint64_t		 n;
	int			 kind = PROOF_CHECKPOINT, is_point;

	is_point = strncmp(s, point, strlen(point)) == 0;
	if (!is_point && strncmp(s, other, strlen(other)) != 0)
		return (-1);
	s += is_point ? strlen(point) : strlen(other);
	if (take(&s, "key", pf->pf_key, sizeof(pf->pf_key)) == -1 ||
	    take_number(&s, "tenant", UINT32_MAX, &n) == -1 ||
	    take(&s, "name", pf->pf_name, sizeof(pf->pf_name)) == -1)
		return (-1);
	pf->pf_tenant = (uint32_t)n;
	if (is_point && take_number(&s, "seq", INT64_MAX, &pf->pf_seq) == -1)
		return (-1);
	if (!is_point && (take(&s, "kind", text, sizeof(text)) == -1 ||
	    (kind = proof_kind(text)) <= PROOF_CHECKPOINT))
		return (-1);
	pf->pf_kind = (uint8_t)kind;
	if (take(&s, "at", at, sizeof(at)) == -1 ||
	    time_read(at, &pf->pf_at) == -1 ||
	    take(&s, is_point ? "head" : "sha256", text, sizeof(text)) == -1 ||
	    hex_decode(pf->pf_sum, TOKEN_LEN, text) == -1 ||
	    take(&s, "sig", sig, siglen) == -1)
		return (-1);
	return (*s == '\0' ? 0 : -1);
}

int
proof_read(struct proof *pf, const char *line, const uint8_t pub[PROOF_KEY])
{
	uint8_t	 sig[PROOF_SIG];
	char	 again[PROOF_LINE], text[PROOF_SIG * 4 / 3 + 2], id[PROOF_ID];
	int	 n;

	memset(pf, 0, sizeof(*pf));
	if (fields(pf, line, text, sizeof(text)) == -1 ||
	    b64url_decode(sig, sizeof(sig), text) == -1 ||
	    (n = compose(pf, again)) == -1 ||
	    strncmp(again, line, (size_t)n) != 0 ||
	    strncmp(line + n, " sig=", 5) != 0 ||
	    strcmp(line + n + 5, text) != 0)
		return (-1);
	return (pub != NULL && proof_id(pub, id) == 0 &&
	    strcmp(id, pf->pf_key) == 0 &&
	    verifies(pub, again, (size_t)n, sig));
}

int
proof_pem(const uint8_t pub[PROOF_KEY], char dst[PROOF_PEM])
{
	EVP_PKEY	*pkey;
	BIO		*bio = BIO_new(BIO_s_mem());
	char		*data;
	long		 len = 0;

	pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub,
	    PROOF_KEY);
	if (bio != NULL && pkey != NULL && PEM_write_bio_PUBKEY(bio,
	    pkey) == 1 && (len = BIO_get_mem_data(bio, &data)) < PROOF_PEM &&
	    len > 0) {
		memcpy(dst, data, (size_t)len);
		dst[len] = '\0';
	} else
		len = 0;
	EVP_PKEY_free(pkey);
	BIO_free(bio);
	ERR_clear_error();
	return (len > 0 ? 0 : -1);
}

int
proof_unpem(uint8_t pub[PROOF_KEY], const char *text, size_t len)
{
	EVP_PKEY	*pkey = NULL;
	BIO		*bio;
	size_t		 n = PROOF_KEY;
	int		 ok;

	if (len > INT32_MAX || (bio = BIO_new_mem_buf(text,
	    (int)len)) == NULL)
		return (-1);
	pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	ok = pkey != NULL && EVP_PKEY_base_id(pkey) == EVP_PKEY_ED25519 &&
	    EVP_PKEY_get_raw_public_key(pkey, pub, &n) == 1 && n == PROOF_KEY;
	EVP_PKEY_free(pkey);
	BIO_free(bio);
	ERR_clear_error();
	return (ok ? 0 : -1);
}
