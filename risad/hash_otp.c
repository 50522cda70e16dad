/* Codes of a second factor: of the moment (RFC 6238), and to be used once. */

#include <sys/types.h>

#include <liboath/oath.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "log.h"

#define STEP		30		/* seconds */
#define WINDOW		1		/* steps before and after */
#define DIGITS		6
#define CODE_LEN	(OTP_CODE - 1)
#define CODE_BYTES	10		/* CODE_LEN characters of base32 */
#define OWNER_LEN	8
#define RECOVERY_INFO	"risad recovery code 1"

/* Whose it is, as it is bound: in network order. */
static void
owner(uint32_t tenant, uint32_t user, uint8_t bind[OWNER_LEN])
{
	int	 i;

	for (i = 0; i < 4; i++) {
		bind[i] = (uint8_t)(tenant >> (24 - 8 * i));
		bind[4 + i] = (uint8_t)(user >> (24 - 8 * i));
	}
}

int
otp_make(const uint8_t key[HASH_KEY], uint32_t tenant, uint32_t user,
    uint8_t seed[TOTP_SEED], uint8_t sealed[OTP_SEALED])
{
	uint8_t	 bind[OWNER_LEN];

	owner(tenant, user, bind);
	if (RAND_bytes(seed, TOTP_SEED) != 1)
		return (-1);
	return (hash_seal(key, bind, sizeof(bind), seed, TOTP_SEED, sealed));
}

/* For liboath, which would compare with strcmp(3): 0 if they are equal. */
static int
otp_differ(void *arg, const char *code)
{
	const char	*typed = arg;

	if (strlen(typed) != DIGITS || strlen(code) != DIGITS)
		return (1);
	return (CRYPTO_memcmp(typed, code, DIGITS) != 0);
}

enum hash_answer
otp_check(const uint8_t key[HASH_KEY], uint32_t tenant, uint32_t user,
    const void *sealed, size_t len, const char *code, uint64_t now,
    uint64_t *step)
{
	uint8_t	 bind[OWNER_LEN], seed[TOTP_SEED];
	char	 typed[DIGITS + 1];
	int	 pos, ret;

	if (len != OTP_SEALED ||
	    strlcpy(typed, code, sizeof(typed)) >= sizeof(typed))
		return (HASH_WRONG);
	owner(tenant, user, bind);
	if (hash_open(key, bind, sizeof(bind), sealed, len,
	    seed) == -1) {
		log_warnx("a record of TOTP does not open");
		return (HASH_WRONG);
	}
	ret = oath_totp_validate3_callback((const char *)seed, sizeof(seed),
	    (time_t)now, STEP, OATH_TOTP_DEFAULT_START_TIME, DIGITS, WINDOW,
	    &pos, step, otp_differ, typed);
	explicit_bzero(seed, sizeof(seed));
	explicit_bzero(typed, sizeof(typed));
	if (ret >= 0)
		return (HASH_RIGHT);
	return (ret == OATH_INVALID_OTP ? HASH_WRONG : HASH_FAILED);
}

/* Of base32 (RFC 4648), in upper case; 0 if it is none. */
static char
base32_char(char c)
{
	if (c >= 'a' && c <= 'z')
		return ((char)(c - 'a' + 'A'));
	if ((c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7'))
		return (c);
	return ('\0');
}

uint8_t
otp_kind(const char *typed, char code[OTP_CODE])
{
	size_t	 n = 0, digits = 0, letters = 0;

	for (; *typed != '\0'; typed++) {
		if (*typed == ' ' || *typed == '-')
			continue;
		if (n == CODE_LEN)
			return (0);
		digits += *typed >= '0' && *typed <= '9';
		letters += base32_char(*typed) != '\0';
		code[n] = base32_char(*typed);
		if (code[n] == '\0')
			code[n] = *typed;
		n++;
	}
	code[n] = '\0';
	if (n == DIGITS && digits == n)
		return (FACTOR_TOTP);
	return (n == CODE_LEN && letters == n ? FACTOR_RECOVERY : 0);
}

int
recovery_hash(uint32_t tenant, uint32_t user, const char code[OTP_CODE],
    uint8_t sha[TOKEN_LEN])
{
	EVP_MD_CTX	*ctx;
	uint8_t		 bind[OWNER_LEN];
	int		 ret = -1;

	owner(tenant, user, bind);
	if ((ctx = EVP_MD_CTX_new()) == NULL)
		return (-1);
	if (EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
	    EVP_DigestUpdate(ctx, RECOVERY_INFO, sizeof(RECOVERY_INFO)) ==
	    1 &&
	    EVP_DigestUpdate(ctx, bind, sizeof(bind)) == 1 &&
	    EVP_DigestUpdate(ctx, code, CODE_LEN) == 1 &&
	    EVP_DigestFinal_ex(ctx, sha, NULL) == 1)
		ret = 0;
	EVP_MD_CTX_free(ctx);
	return (ret);
}

/* One code, in groups of four with a hyphen between, and its end of line. */
static int
recovery_one(uint32_t tenant, uint32_t user, char *line,
    uint8_t sha[TOKEN_LEN])
{
	uint8_t	 raw[CODE_BYTES];
	char	*code = NULL;
	size_t	 len, i;
	int	 ret = -1;

	if (RAND_bytes(raw, sizeof(raw)) != 1 ||
	    oath_base32_encode((const char *)raw, sizeof(raw), &code, &len) !=
	    OATH_OK)
		return (-1);
	if (len == CODE_LEN && recovery_hash(tenant, user, code, sha) == 0)
		ret = 0;
	for (i = 0; ret == 0 && i < CODE_LEN; i += 4) {
		memcpy(line, code + i, 4);
		line[4] = i + 4 < CODE_LEN ? '-' : '\n';
		line += 5;
	}
	explicit_bzero(raw, sizeof(raw));
	freezero(code, len);
	return (ret);
}

int
recovery_make(uint32_t tenant, uint32_t user, char text[RECOVERY_LINES],
    uint8_t shas[RECOVERY_CODES][TOKEN_LEN])
{
	size_t	 i;

	for (i = 0; i < RECOVERY_CODES; i++)
		if (recovery_one(tenant, user, text + i * RECOVERY_TEXT,
		    shas[i]) == -1)
			return (-1);
	text[RECOVERY_LINES - 1] = '\0';
	return (0);
}
