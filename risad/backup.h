/*
 * Backups, as the files of storage that make, check and restore them share it.
 *
 * data/backup/STAMP/ is a generation: system.db, log-YYYYMM.db, and tenants/ID/
 * with main.db and log-YYYYMM.db, each as it was at one moment, and "manifest",
 * see manifest.h.  Its mac is the HMAC of seal.h (what "backup") under the
 * system key.  Keys are no part of it.  STAMP.part is one that is being made,
 * STAMP.gone one that goes, rehearsal.part what a rehearsal restores.
 */
#ifndef BACKUP_H
#define BACKUP_H

#include "manifest.h"
#include "storage.h"

#define BACKUP_DIR	"backup"
#define BACKUP_CHUNK	(256 * 1024)	/* bytes of a file in one step */
#define REHEARSAL	BACKUP_DIR "/rehearsal.part"

/* What a job has to say, and to whom: it lives as long as one of them. */
struct part {
	char		 pa_tenant[MAX_LABEL + 1];
	int		 pa_done;
	char		 pa_note[MAX_LINE + 1];
};
struct outcome {
	unsigned int	 ou_refs;
	int		 ou_over, ou_ok;
	uint64_t	 ou_done, ou_total;	/* bytes, for who waits */
	char		 ou_stamp[STAMP_TEXT];
	char		 ou_why[MAX_LINE + 1];
	size_t		 ou_n;
	struct part	*ou_parts;
};

/*
 * Something that takes long, one at a time.  jb_step does a little of it: 1
 * there is more, 0 done, -1 failed, with ou_why.
 */
struct job {
	int		(*jb_step)(struct job *);
	void		(*jb_end)(struct job *, int ok);	/* or NULL */
	void		*jb_data;		/* the step's */
	uint32_t	 jb_op;			/* 0 also: by itself */
	int		 jb_asked;		/* by an operator */
	uint64_t	 jb_began;		/* ms since 1970 */
	struct manifest	 jb_mn;
	size_t		 jb_file;		/* of it, the one at work */
	struct outcome	*jb_out;
};

/* storage_backup.c */

/* Before any tenant is opened: what a kill has left half done goes. */
void	 backup_start(void);
/* From time to time: is it time? */
void	 backup_tick(void);
/*
 * The commands; stamp "" is the newest one, tenant "" all.  NULL: it answers by
 * itself, or why not.
 */
const char *backup_now(struct request *);
const char *backup_verify(struct request *, const struct m_c_backup *);
const char *backup_restore(struct request *, const struct m_c_backup *);
const char *backup_rehearse(struct request *);
const char *backup_list(struct request *);
/*
 * The generation after this stamp, in its place ("": the first): when it was
 * made, its bytes (0: no manifest), when it was rehearsed, 0 never.  1, or 0:
 * there is none.
 */
int	 backup_next(char stamp[STAMP_TEXT], uint64_t *at, uint64_t *bytes,
	    uint64_t *rehearsed);
/* A key is rotated, and opens no generation from before: another one is due,
 * unless none are made by themselves. */
void	 backup_outdated(void);
/* For a certificate: name the generations that hold a tenant. */
void	 backup_holds(FILE *, uint32_t tenant);

/* A sentence about what failed; -1. */
int	 job_fail(struct job *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
/* What became of a part: done 1, failed 0, or 2 it stays as it is, which is no
 * failure; 0, or -1 without memory. */
int	 job_part(struct job *, const char *tenant, int done, const char *, ...)
	    __attribute__((format(printf, 4, 5)));
/* The path of a file of the generation at work. */
void	 job_path(const struct job *, const char *suffix,
	    const struct manifest_file *, char path[MANIFEST_PATH]);
/* Has the disk room for so many bytes, and for those who write meanwhile? */
int	 job_room(uint64_t);
/* It is over: in the trail, and in what is known of the generation. */
void	 restore_noted(struct job *);
void	 rehearsal_noted(struct job *);
/* Remove a file, a large one by and by: 1 there is more, 0 it is gone, -1. */
int	 remove_file(const char *path);
/* Remove one thing below a directory, the directory last: 1 there may be more,
 * 0 it is gone, -1. */
int	 remove_some(const char *dir);

/* storage_check.c: is a copy what the manifest says of it? */

/* Counts what there is in a file, some rows in a turn. */
struct tally;
/* whole: each record is opened, the trail verified. */
struct tally *tally_new(struct db *, struct manifest_file *, int whole);
/* 1 there is more, 0, -1 with a sentence. */
int	 tally_step(struct tally *, char why[MAX_LINE + 1]);
void	 tally_free(struct tally *);
/* Are the counts, and the trail's end, the same?  0, or -1 with a sentence. */
int	 tally_same(const struct manifest_file *want,
	    const struct manifest_file *got, char why[MAX_LINE + 1]);

struct check;
/* Compare a copy with what is known of it; the file is kept. */
struct check *check_new(const char *path, const struct manifest_file *);
/* The same, for the first time: bytes and hash become known. */
struct check *check_first(const char *path, struct manifest_file *);
/* As tally_step(); *done grows by the bytes that were read. */
int	 check_step(struct check *, uint64_t *done, char why[MAX_LINE + 1]);
void	 check_free(struct check *);

/* storage_restore.c */

/* Of the manifest that the job has, tenant "" for all that are there. */
int	 restore_begin(struct job *, const char *tenant);
int	 rehearse_begin(struct job *);
/* What a kill has left in a tenant's directory. */
void	 restore_clean(uint32_t tenant);

#endif
