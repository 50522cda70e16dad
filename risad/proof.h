/*
 * What the installation vouches for, as lines of text that anybody can check
 * who has its public key, with any program that knows Ed25519 (RFC 8032).
 *
 * Checkpoint of an audit trail:
 *	risad checkpoint v1 key=ID tenant=N name=NAME seq=N at=TIME head=HEX
 *	    sig=BASE64URL
 * Signature of a file:
 *	risad signature v1 key=ID tenant=N name=NAME kind=WORD at=TIME
 *	    sha256=HEX sig=BASE64URL
 *
 * One line each.  Signed is everything before " sig=".  ID: the first 16 hex
 * digits of the SHA-256 of the public key's 32 bytes; tenant 0 and the name
 * "-" stand for the installation; TIME is RFC 3339 in UTC.
 */
#ifndef PROOF_H
#define PROOF_H

#include <stddef.h>
#include <stdint.h>

#include "risad.h"

#define PROOF_KEY	32	/* bytes of a private or public key */
#define PROOF_SIG	64
#define PROOF_LINE	480	/* the longest line, with its NUL */
#define PROOF_ID	17	/* a key's id, with its NUL */

struct proof {
	uint8_t		 pf_kind;		/* enum proof_kind */
	uint32_t	 pf_tenant;		/* 0: the installation */
	uint64_t	 pf_seq;	/* checkpoints: lines until it */
	uint64_t	 pf_at;		/* ms since 1970, whole seconds */
	uint8_t		 pf_sum[TOKEN_LEN];	/* head of a chain; SHA-256 */
	char		 pf_name[MAX_LABEL + 1];
	char		 pf_key[PROOF_ID];	/* of who signed */
};

/* The word of a kind, and its number or -1. */
const char	*proof_word(uint8_t kind);
int		 proof_kind(const char *);

/* Of a private key, the public one; of that, the id.  0, or -1. */
int		 proof_public(const uint8_t seed[PROOF_KEY],
		    uint8_t pub[PROOF_KEY]);
int		 proof_id(const uint8_t pub[PROOF_KEY], char id[PROOF_ID]);

/* The whole line, pf_key set to the key that signs.  0, or -1. */
int		 proof_sign(struct proof *, const uint8_t seed[PROOF_KEY],
		    char line[PROOF_LINE]);

/*
 * Read a line, without its newline: 1 signed by this key, 0 by another one or
 * by nobody (the fields are filled, and nothing to rely on), -1 not a line of
 * ours in its only spelling.  pub may be NULL, then it is never 1.
 */
int		 proof_read(struct proof *, const char *line,
		    const uint8_t pub[PROOF_KEY]);

/* A public key in PEM (RFC 8410), as "openssl pkey" writes it.  0, or -1. */
#define PROOF_PEM	128
int		 proof_pem(const uint8_t pub[PROOF_KEY], char dst[PROOF_PEM]);
int		 proof_unpem(uint8_t pub[PROOF_KEY], const char *text,
		    size_t len);

#endif
