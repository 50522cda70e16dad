/*
 * Key backups: keys under a passphrase, in one file.  All numbers are big
 * endian.
 *
 * File:	8 bytes "RISADKEY", u8 format (1), u32 KiB and u32 passes of
 *		Argon2id (RFC 9106, version 1.3, one lane), 16 bytes salt, 12
 *		bytes nonce, u32 length of the text; all this is the bound
 *		data of what follows: the text as ciphertext, 16 bytes tag;
 *		AES-256-GCM under the 32 bytes that Argon2id makes of the
 *		passphrase (UTF-8, without a NUL) and the salt.
 * Text:	u64 when it was made (ms since 1970), u32 number of the
 *		backup, u32 how many entries; then each entry: u8 kind (enum
 *		keypack_kind), u32 tenant, u8 length and bytes of its name,
 *		u16 length and bytes of the key.  A tenant's key is as its key
 *		file (seal.h), wrapped by the master key that stands first.
 *
 * regress/unit/keypack_reader.py is a second reader of this.
 */
#ifndef KEYPACK_H
#define KEYPACK_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "imsg.h"
#include "risad.h"

#define KEYPACK_KIB	(256 * 1024)	/* of one that is made now */
#define KEYPACK_PASSES	3
#define KEYPACK_KIB_MAX	(1024 * 1024)	/* of one that is opened */
#define KEYPACK_PASSES_MAX 16
#define KEYPACK_MAX	(64 * 1024 * 1024)	/* bytes of a file */
#define KEYPACK_HEAD	(8 + 1 + 4 + 4 + 16 + 12 + 4)
#define KEYPACK_TAG	16

enum keypack_kind { KEYPACK_MASTER = 1, KEYPACK_PEPPER, KEYPACK_SIGN,
		  KEYPACK_TENANT };

struct keypack_head {
	uint64_t	 kh_at;
	uint32_t	 kh_backup, kh_count;
};

struct keypack_entry {
	uint8_t		 ke_kind;
	uint32_t	 ke_tenant;	/* 0: the installation's, or none */
	char		 ke_name[MAX_LABEL + 1];
	uint8_t		 ke_key[MAX_KEYFILE];
	size_t		 ke_len;
};

/* Write the begin of a text, or an entry, behind what is there.  0, or -1. */
int		 keypack_begin(struct ibuf *, const struct keypack_head *);
int		 keypack_put(struct ibuf *, const struct keypack_entry *);
/* Read them.  0, or -1: it is not what was written. */
int		 keypack_head(struct ibuf *, struct keypack_head *);
int		 keypack_get(struct ibuf *, struct keypack_entry *);

/* The file of a text; malloc'ed, NULL: no memory or no random numbers. */
uint8_t		*keypack_seal(const char *pass, uint32_t kib, uint32_t passes,
		    const void *text, size_t len, size_t *filelen);
/*
 * The text of a file; malloc'ed, wipe it after use.  NULL, and why in a
 * sentence.
 */
uint8_t		*keypack_open(const char *pass, const void *file, size_t len,
		    size_t *textlen, const char **why);

#endif
