/*
 * Key files, data/keys/ID.key, and the master keys that wrap them; see seal.h
 * for the format.  0 is the key of the installation.  Whatever is replaced or
 * removed is overwritten where it stands, after what replaces it is durable.
 */
#ifndef KEYFILE_H
#define KEYFILE_H

#include "db.h"
#include "seal.h"

#define KEYFILE_MAX	(2 * SEAL_WRAPPED)

/* Generation 0: there is no such key.  Wipe it after use. */
struct keyfile {
	uint32_t	 kf_generation, kf_oldgen;
	int		 kf_previous;	/* wrapped by the previous master */
	uint8_t		 kf_key[SEAL_KEY], kf_old[SEAL_KEY];
};

/*
 * The master key, and the one before it or NULL: files that this one wraps are
 * read too, and written by the new one.  0, or -1 and nothing has changed.
 */
int		 keyfile_masters(const uint8_t now[SEAL_KEY],
		    const uint8_t *previous);
/* The one or the other as it is kept, or NULL. */
const uint8_t	*keyfile_master(void);
const uint8_t	*keyfile_previous(void);
/* Wipe both. */
void		 keyfile_forget(void);

/* 1 if there is such a file. */
int		 keyfile_there(uint32_t tenant);
/* DB_OK, or why not, which the log says. */
enum db_why	 keyfile_read(uint32_t tenant, struct keyfile *);
/* What is in such a file, wrapped by the master key; its length, or 0. */
size_t		 keyfile_wrap(uint32_t tenant, const struct keyfile *,
		    uint8_t file[KEYFILE_MAX]);
/* Either the new one is there after this, or the old one.  0, or -1. */
int		 keyfile_write(uint32_t tenant, const struct keyfile *);
/* Overwrite and remove what a kill has left beside it; 0, or -1. */
int		 keyfile_tidy(uint32_t tenant);
/* Overwrite and remove it too; 0 also when there was none, or -1. */
int		 keyfile_destroy(uint32_t tenant);

/* What the directory says is on the disk after this; 0, or -1. */
int		 dir_sync(const char *path);

#endif
