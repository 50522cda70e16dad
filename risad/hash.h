/*
 * Password hashes: Argon2id (RFC 9106), then sealed under the pepper, which no
 * other process has; and codes of a second factor.  One credential at a time.
 */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>

#include "proc.h"

#define HASH_KEY	32	/* bytes of the pepper, and of the key */
#define HASH_OVER	(1 + 12 + 16)	/* version, nonce, tag */
#define HASH_SEALED	(HASH_OVER + 57)	/* a password's record */
#define OTP_SEALED	(HASH_OVER + TOTP_SEED)

/* What a hash may cost, in the configuration and in a record. */
#define HASH_MIN_KIB	8
#define HASH_MAX_KIB	(1024 * 1024)
#define HASH_MAX_PASSES	64

struct hash_cost {
	uint32_t	 hc_kib;	/* memory, in KiB */
	uint32_t	 hc_passes;
};

/* The present cost, and those that records before it are known to have. */
#define HASH_COSTS	8
struct hash_costs {
	struct hash_cost	 hs_cost[HASH_COSTS];
	unsigned int		 hs_n;
};

extern const struct proc_ops	 hash_ops;

/*
 * The sealing key that belongs to the pepper, for passwords or for what comes
 * second (HKDF, RFC 5869); 0 or -1.
 */
#define HASH_PASSWORDS	"risad password record 1"
#define HASH_FACTORS	"risad second factor 1"
#define HASH_DEVICES	"risad known device 1"
int	 hash_key(uint8_t key[HASH_KEY], const uint8_t pepper[HASH_KEY],
	    const char *what);

/*
 * Seal len bytes and what they are bound to: version, nonce, ciphertext, tag,
 * in all len + HASH_OVER bytes.  AES-256-GCM; a nonce is random, and 2^32
 * records under one pepper are far away.  Opening writes sealedlen - HASH_OVER
 * bytes, room for which is the caller's.  0 or -1.
 */
int	 hash_seal(const uint8_t key[HASH_KEY], const void *bind,
	    size_t bindlen, const void *plain, size_t len, uint8_t *sealed);
int	 hash_open(const uint8_t key[HASH_KEY], const void *bind,
	    size_t bindlen, const void *sealed, size_t sealedlen,
	    uint8_t *plain);

/* Hash the password under a new salt and seal the result; 0 or -1. */
int	 hash_make(const uint8_t key[HASH_KEY], const struct hash_cost *,
	    const char *password, uint8_t sealed[HASH_SEALED]);

/*
 * Does the password belong to the record?  A record that does not open costs
 * as much as one that does: the cost given is for that.
 */
enum hash_answer hash_check(const uint8_t key[HASH_KEY],
	    const struct hash_cost *, const void *sealed, size_t len,
	    const char *password);

/*
 * The same, and whatever the record and the password are, Argon2 runs once at
 * each of the costs, so that the time tells nothing: neither whether there is
 * an account nor how old its record is.  A cost that is new here is kept.
 */
enum hash_answer hash_even(const uint8_t key[HASH_KEY], struct hash_costs *,
	    const void *sealed, size_t len, const char *password);
/* This one is the present cost from now on. */
void	 hash_costs_set(struct hash_costs *, const struct hash_cost *);
/* Does the record open, and is it of another cost than the present one? */
int	 hash_stale(const uint8_t key[HASH_KEY], const struct hash_costs *,
	    const void *sealed, size_t len);

/*
 * hash_otp.c: time-based codes (RFC 6238: SHA-1, 6 digits, 30 s) and recovery
 * codes.  A record belongs to one user of one tenant and opens for no other.
 */

/* A new seed, for its owner and sealed; 0 or -1. */
int	 otp_make(const uint8_t key[HASH_KEY], uint32_t tenant, uint32_t user,
	    uint8_t seed[TOTP_SEED], uint8_t sealed[OTP_SEALED]);

/*
 * Does the code fit the seed at a time (seconds since 1970), or one step
 * before or after it?  *step is the one that it belongs to.  Whether it was
 * used already is storage's to know.
 */
enum hash_answer otp_check(const uint8_t key[HASH_KEY], uint32_t tenant,
	    uint32_t user, const void *sealed, size_t len, const char *code,
	    uint64_t now, uint64_t *step);

/*
 * What somebody has typed: FACTOR_TOTP for six digits, FACTOR_RECOVERY for
 * sixteen characters of base32, 0 for neither.  Blanks and hyphens between
 * them do not count; code gets the rest, in upper case.
 */
#define OTP_CODE	17
uint8_t	 otp_kind(const char *typed, char code[OTP_CODE]);

/* The SHA-256 of a recovery code, bound to its owner; 0 or -1. */
int	 recovery_hash(uint32_t tenant, uint32_t user,
	    const char code[OTP_CODE], uint8_t sha[TOKEN_LEN]);

/* New ones of 80 random bits, a line each, and their hashes; 0 or -1. */
#define RECOVERY_LINES	(RECOVERY_CODES * RECOVERY_TEXT + 1)
int	 recovery_make(uint32_t tenant, uint32_t user,
	    char text[RECOVERY_LINES], uint8_t shas[RECOVERY_CODES][TOKEN_LEN]);

#endif
