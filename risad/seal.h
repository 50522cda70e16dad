/*
 * Sealing: what is personal or secret leaves storage's memory only in this
 * form.  All numbers are big endian.
 *
 * Record:	u8 format (1), u32 generation of the tenant's key, u32 month as
 *		YYYYMM (UTC), 12 bytes nonce, ciphertext, 16 bytes tag.
 * Cipher:	AES-256-GCM (NIST SP 800-38D), nonce drawn at random.
 * Key:		HKDF-SHA256 (RFC 5869) of the tenant's key, salt empty, info
 *		"risad seal" u8 length TABLE u32 month.
 * Bound data:	u32 generation, u32 month, u8 length TABLE, u8 length COLUMN,
 *		u64 row, u64 version, and the bytes of sa_bind to the end.
 * Index:	HMAC-SHA256 under HKDF with info "risad index" u8 length WHAT.
 * Kept:	index keys outlive the key that they were derived from: before
 *		the first rotation they are written to row "index" of meta,
 *		for each u8 length WHAT, 32 bytes; a record of table "meta",
 *		column "index".
 * Key file:	u8 format (1), u32 generation, 12 bytes nonce, 32 bytes of the
 *		tenant's key as ciphertext, 16 bytes tag; AES-256-GCM under
 *		HKDF of the master key with info "risad wrap"; bound data
 *		u32 tenant, u32 generation.  While a key is rotated a second
 *		such record follows, of the old one.
 * System key:	that of tenant 0, in its key file; where there is none, HKDF
 *		of the master key, info "risad system", generation 1.
 *
 * regress/unit/seal_reader.py is a second reader of this.
 */
#ifndef SEAL_H
#define SEAL_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#define SEAL_KEY	32
#define SEAL_NONCE	12
#define SEAL_TAG	16
#define SEAL_HEAD	(1 + 4 + 4 + SEAL_NONCE)
#define SEAL_OVER	(SEAL_HEAD + SEAL_TAG)	/* record less the text */
#define SEAL_INDEX	32
#define SEAL_WRAPPED	(1 + 4 + SEAL_NONCE + SEAL_KEY + SEAL_TAG)
#define SEAL_MAX	(128 * 1024)		/* bytes of text */
#define SEAL_BIND	96
#define SEAL_SLOTS	80			/* keys held at one time */
#define SEAL_KEPT	768			/* the keys of all indexes */

/* A key and those derived from it, in memory that is not swapped or dumped. */
struct seal;

/* Where a value stands: it opens nowhere else. */
struct seal_at {
	const char	*sa_table, *sa_column;	/* at most 31 characters */
	uint64_t	 sa_row;
	uint64_t	 sa_version;		/* of the row, or 0 */
	const void	*sa_bind;		/* clear fields to hold */
	size_t		 sa_bindlen;		/* at most SEAL_BIND */
};

/*
 * First use of libcrypto, and memory for all keys.  Before the jail.  0, or
 * -1: then no key can be made.
 */
int		 seal_init(void);

/* A copy of the key; NULL without a free slot.  seal_free() wipes it. */
struct seal	*seal_new(const uint8_t key[SEAL_KEY], uint32_t generation);
void		 seal_free(struct seal *);
uint32_t	 seal_generation(const struct seal *);
/* The key itself, where it is kept. */
const uint8_t	*seal_key(const struct seal *);

/*
 * From now on seal by this key; what the one before has sealed still opens,
 * until seal_settle() wipes that one.  seal_oldgen(): its generation, or 0.
 */
void		 seal_turn(struct seal *, const uint8_t key[SEAL_KEY],
		    uint32_t generation);
void		 seal_settle(struct seal *);
uint32_t	 seal_oldgen(const struct seal *);
/*
 * The keys of all indexes, which are those of the first key, as text to be
 * sealed; its length, or -1.  And back: from then on those are used, whatever
 * the key.  0, or -1.
 */
int		 seal_keep(struct seal *, uint8_t out[SEAL_KEPT]);
int		 seal_kept(struct seal *, const uint8_t *, size_t);

/* Of the master key, the one that seals what belongs to no tenant. */
struct seal	*seal_system(const uint8_t master[SEAL_KEY]);

/* Write len + SEAL_OVER bytes to out.  0, or -1. */
int		 seal_make(struct seal *, const struct seal_at *,
		    const void *, size_t len, uint8_t *out);

/*
 * Write at most len - SEAL_OVER bytes to out, which has room for them; the
 * length, or -1 when the record is not whole, not of this place or not of this
 * key.  Then out holds nothing of it.
 */
ssize_t		 seal_open(struct seal *, const struct seal_at *,
		    const void *rec, size_t len, void *out);

/* The generation of the key that made a record; 0: it is none. */
uint32_t	 seal_of(const void *rec, size_t len);

/* To find a value without opening rows; what keeps kinds apart.  0, or -1. */
int		 seal_index(struct seal *, const char *what, const void *,
		    size_t, uint8_t out[SEAL_INDEX]);

/* A tenant's key for its file, and back.  0, or -1. */
int		 seal_wrap(const uint8_t master[SEAL_KEY], uint32_t tenant,
		    uint32_t generation, const uint8_t key[SEAL_KEY],
		    uint8_t out[SEAL_WRAPPED]);
int		 seal_unwrap(const uint8_t master[SEAL_KEY], uint32_t tenant,
		    const uint8_t *wrapped, size_t len, uint32_t *generation,
		    uint8_t key[SEAL_KEY]);

#endif
