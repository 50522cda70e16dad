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

/* What a task has to say, and to whom: it lives as long as one of them. */
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
 * Something that takes long, one at a time.  tk_step does a little of it: 1
 * there is more, 0 done, -1 failed, with ou_why.
 */
struct task {
	int		(*tk_step)(struct task *);
	void		(*tk_end)(struct task *, int ok);	/* or NULL */
	void		*tk_data;		/* the step's */
	uint32_t	 tk_op;			/* 0 also: by itself */
	int		 tk_asked;		/* by an operator */
	uint64_t	 tk_began;		/* ms since 1970 */
	struct manifest	 tk_mn;
	size_t		 tk_file;		/* of it, the one at work */
	struct outcome	*tk_out;
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
/*
 * A key is rotated, and opens no generation from before: another one is due,
 * unless none are made by themselves.  Once before it is destroyed, for after a
 * kill, and once when it is gone.
 */
void	 backup_outdated(int gone);
/* For a certificate: name the generations that hold a tenant. */
void	 backup_holds(FILE *, uint32_t tenant);

/* Has the disk room for so many bytes, and for those who write meanwhile? */
int	 task_room(uint64_t);
/* It is over: in the trail, and in what is known of the generation. */
void	 restore_noted(struct task *);
void	 rehearsal_noted(struct task *);

/* storage_task.c */

/* Before the first one. */
void	 task_init(void);
/* A new one, that begins now; NULL without memory.  Owned by the caller until
 * task_start() or task_answer(). */
struct task *task_new(void);
void	 task_free(struct task *);
/* Is there one at work?  Then no other may be started. */
int	 task_busy(void);
/* It is worked at from now on, and freed when it is over. */
void	 task_start(struct task *);
/*
 * The same for an operator, who hears how it goes on and ends: by parts, or
 * (row) by the generation that was made.  NULL, or why not: then it is freed.
 */
const char *task_answer(struct request *, struct task *, int row);
/* How it ended, in the installation's trail and in the log; what failed
 * although nobody has asked for it is an alert. */
void	 task_note(const struct task *, const char *what);
/* A sentence about what failed; -1. */
int	 task_fail(struct task *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
/* What became of a part: done 1, failed 0, or 2 it stays as it is, which is no
 * failure; 0, or -1 without memory. */
int	 task_part(struct task *, const char *tenant, int done,
	    const char *, ...)
	    __attribute__((format(printf, 4, 5)));

/* storage_generation.c: what is in the directory of backups */

/* What is known of a generation besides what it says itself. */
struct state {
	uint64_t	 sa_verified, sa_rehearsed;	/* ms, or 0 */
	char		 sa_fault[MAX_LINE + 1];
};
/* All zero when there is nothing. */
void	 generation_state(const char *stamp, struct state *);
void	 generation_state_put(const char *stamp, const struct state *);
/* What is known of those before a stamp goes. */
void	 generation_forget(const char *stamp);
/* How many are newer than a stamp ("": all); the first and the last, or "". */
unsigned int generation_count(const char *than, char first[STAMP_TEXT],
	    char last[STAMP_TEXT]);
/* The one after this one, in its place; 0: there is none. */
int	 generation_next(char stamp[STAMP_TEXT]);
/* What was begun and not ended, and counts for nothing; 1, 0: there is none. */
int	 generation_leftover(char path[MANIFEST_PATH]);
/* Its manifest, to be cleared in any case.  NULL, or what is wrong with it. */
const char *generation_load(struct manifest *, const char *stamp);
/* Write the task's into a directory, on the disk.  0, or -1. */
int	 generation_store(struct task *, const char *dir);
/* Answer with its row; why: what is wrong with the manifest, or NULL. */
void	 generation_row(struct peer *, uint32_t id, const char *stamp,
	    const struct manifest *, const char *why);
/* The path of a file of the generation at work. */
void	 task_path(const struct task *, const char *suffix,
	    const struct manifest_file *, char path[MANIFEST_PATH]);
/* Remove a file, a large one by and by: 1 there is more, 0 it is gone, -1. */
int	 remove_file(const char *path);
/* Remove one thing below a directory, the directory last: 1 there may be more,
 * 0 it is gone, -1.  Or all of it now, and say so when that fails. */
int	 remove_some(const char *dir);
void	 remove_all(const char *dir);

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

/* Of the manifest that the task has, tenant "" for all that are there. */
int	 restore_begin(struct task *, const char *tenant);
int	 rehearse_begin(struct task *);
/* What a kill has left in a tenant's directory. */
void	 restore_clean(uint32_t tenant);

#endif
