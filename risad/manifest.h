/*
 * What a backup says of itself: a text of lines, written when all else is on
 * the disk.  Pure, no I/O.
 *
 *	risad backup v1
 *	stamp STAMP
 *	made TIME
 *	ms N
 *	file tenant N name NAME month YYYYMM bytes N sha256 HEX tenants N
 *	    users N floors N messages N lines N blocks N last N head HEX
 *	mac HEX
 *
 * A file is one line.  Its path follows from its numbers, so that nothing in
 * the text becomes one: tenant 0 is the installation, with the name "-"; month
 * 0 is system.db or main.db, any other one an access log.  last and head are
 * the number and the MAC of the last line of the audit trail.  mac is not of
 * this file's making: HMAC of all lines before it, see storage_backup.c.
 */
#ifndef MANIFEST_H
#define MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "risad.h"
#include "util.h"

#define MANIFEST_FILES	100000		/* of a generation */
#define MANIFEST_MAX	(64 * 1024 * 1024)	/* bytes of text */
#define MANIFEST_PATH	64

/* What is counted in a file; which of it there is, its kind says. */
enum manifest_count { COUNT_TENANTS, COUNT_USERS, COUNT_FLOORS,
    COUNT_MESSAGES, COUNT_LINES, COUNT_BLOCKS, COUNT_MAX };

struct manifest_file {
	uint32_t	 mf_tenant, mf_month;
	char		 mf_name[MAX_LABEL + 1];	/* of the tenant */
	uint64_t	 mf_bytes;
	uint8_t		 mf_sha[TOKEN_LEN];
	uint64_t	 mf_count[COUNT_MAX];
	uint64_t	 mf_last;
	uint8_t		 mf_head[TOKEN_LEN];
};

struct manifest {
	char			 mn_stamp[STAMP_TEXT];
	uint64_t		 mn_at, mn_took;	/* ms */
	size_t			 mn_n;
	struct manifest_file	*mn_files;
};

/* The word of a count. */
const char	*manifest_word(enum manifest_count);
/* One more, of which nothing is known yet; NULL without memory.  Those of
 * before may have moved. */
struct manifest_file *manifest_add(struct manifest *, uint32_t tenant,
		    uint32_t month, const char *name);
/* Take all that belongs to a tenant out. */
void		 manifest_drop(struct manifest *, uint32_t tenant);
/* The main file of a tenant by its name or, without one, its number; NULL. */
const struct manifest_file *manifest_find(const struct manifest *,
		    const char *name, uint32_t tenant);
/* Bytes of all files; how many tenants have one. */
uint64_t	 manifest_bytes(const struct manifest *);
uint32_t	 manifest_tenants(const struct manifest *);
/* Where a file is, below dir; 0, or -1: that is too long. */
int		 manifest_path(char dst[MANIFEST_PATH], const char *dir,
		    const struct manifest_file *);

/* The text, without its MAC; malloc'ed, or NULL. */
char		*manifest_write(const struct manifest *, size_t *len);
/*
 * Read it, in its only spelling.  0, or -1: it is none, and the manifest is
 * empty.
 */
int		 manifest_read(struct manifest *, const char *text, size_t len);
/* Free what it has, not itself. */
void		 manifest_clear(struct manifest *);

#endif
