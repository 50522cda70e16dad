/*
 * Password hashes: Argon2id (RFC 9106), then sealed under the pepper, which no
 * other process has.  One credential at a time.
 */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>

#include "proc.h"

#define HASH_KEY	32	/* bytes of the pepper, and of the key */
#define HASH_SEALED	86	/* bytes of a sealed record */

/* What a hash may cost, in the configuration and in a record. */
#define HASH_MIN_KIB	8
#define HASH_MAX_KIB	(1024 * 1024)
#define HASH_MAX_PASSES	64

struct hash_cost {
	uint32_t	 hc_kib;	/* memory, in KiB */
	uint32_t	 hc_passes;
};

extern const struct proc_ops	 hash_ops;

/* The sealing key that belongs to the pepper (HKDF, RFC 5869); 0 or -1. */
int	 hash_key(uint8_t key[HASH_KEY], const uint8_t pepper[HASH_KEY]);

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

#endif
