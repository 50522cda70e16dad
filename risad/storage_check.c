/*
 * Is a copy of a file what was copied?  Its bytes are hashed; it is opened with
 * the key that is here; all its rows are walked, each sealed record that
 * people would miss is opened, the audit trail is verified, and what was
 * counted is compared.  All in pieces, for chat does not wait.
 */
#include <sys/stat.h>

#include <openssl/evp.h>

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup.h"
#include "log.h"

static int	 bad(char [MAX_LINE + 1], const char *, ...)
		    __attribute__((format(printf, 2, 3)));

#define TALLY_ROWS	100		/* looked at in one step */
#define TALLY_BLOCK	8		/* blocks, which are larger */
/* SQLite's own check cannot be done in pieces: only where it is short. */
#define CHECK_WHOLE	(1024 * 1024)

enum tally_at { TALLY_FIRST, TALLY_USERS, TALLY_TALK, TALLY_TRAIL,
    TALLY_BLOCKS, TALLY_END };

struct tally {
	struct db		*ta_db;
	struct manifest_file	*ta_to;
	int			 ta_whole;
	enum tally_at		 ta_at;
	uint64_t		 ta_after;
	struct walk		*ta_walk;
};

struct tally *
tally_new(struct db *db, struct manifest_file *to, int whole)
{
	struct tally	*ta;

	if ((ta = calloc(1, sizeof(*ta))) == NULL ||
	    (ta->ta_walk = audit_walk_new()) == NULL) {
		free(ta);
		return (NULL);
	}
	ta->ta_db = db;
	ta->ta_to = to;
	ta->ta_whole = whole;
	memset(to->mf_count, 0, sizeof(to->mf_count));
	return (ta);
}

void
tally_free(struct tally *ta)
{
	if (ta == NULL)
		return;
	free(ta->ta_walk);
	free(ta);
}

static int
bad(char why[MAX_LINE + 1], const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, MAX_LINE + 1, fmt, ap);
	va_end(ap);
	return (-1);
}

/* What is small is counted at once, and opened. */
static int
tally_first(struct tally *ta, char why[MAX_LINE + 1])
{
	struct manifest_file	*mf = ta->ta_to;
	struct db		*db = ta->ta_db;

	if (mf->mf_month != 0) {
		ta->ta_at = TALLY_BLOCKS;
		return (1);
	}
	if (mf->mf_tenant == DB_SYSTEM) {
		ta->ta_at = TALLY_TRAIL;
		return (db_number(db, S_TENANT_COUNT, NOARGS,
		    &mf->mf_count[COUNT_TENANTS]) == -1 ?
		    bad(why, "its tenants cannot be counted") : 1);
	}
	ta->ta_at = TALLY_USERS;
	if (db_number(db, S_FLOOR_COUNT, NOARGS,
	    &mf->mf_count[COUNT_FLOORS]) == -1 ||
	    (ta->ta_whole && rights_get(db) == NULL))
		return (bad(why, "its floors and groups do not open"));
	return (1);
}

static int
tally_users(struct tally *ta, char why[MAX_LINE + 1])
{
	struct person	 p;
	sqlite3_stmt	*st;
	int		 n, rows = 0, ok = 1;

	st = db_query(ta->ta_db, S_USERS, ARGS(NUM(ta->ta_after),
	    NUM(TALLY_ROWS)));
	while (ok && (n = db_step(ta->ta_db, st)) == 1) {
		rows++;
		ta->ta_after = db_col_num(st, 0);
		if (ta->ta_whole)
			ok = person_read(ta->ta_db, st, &p) == 0;
	}
	db_done(st);
	explicit_bzero(&p, sizeof(p));
	if (!ok || n == -1)
		return (bad(why, "the record of user %llu does not open",
		    (unsigned long long)ta->ta_after));
	ta->ta_to->mf_count[COUNT_USERS] += (uint64_t)rows;
	if (rows < TALLY_ROWS) {
		ta->ta_at = TALLY_TALK;
		ta->ta_after = 0;
	}
	return (1);
}

static int
tally_talk(struct tally *ta, char why[MAX_LINE + 1])
{
	sqlite3_stmt	*st;
	int		 n, rows = 0, ok = 1;

	st = db_query(ta->ta_db, S_TALK_PIECE, ARGS(NUM(ta->ta_after),
	    NUM(TALLY_ROWS)));
	while (ok && (n = db_step(ta->ta_db, st)) == 1) {
		rows++;
		ta->ta_after = db_col_num(st, 0);
		if (ta->ta_whole)
			ok = message_whole(ta->ta_db, st);
	}
	db_done(st);
	if (!ok || n == -1)
		return (bad(why, "message %llu does not open",
		    (unsigned long long)ta->ta_after));
	ta->ta_to->mf_count[COUNT_MESSAGES] += (uint64_t)rows;
	if (rows < TALLY_ROWS) {
		ta->ta_at = TALLY_TRAIL;
		ta->ta_after = 0;
	}
	return (1);
}

/* Of the file itself only how far its trail goes: that is for the copy. */
static int
tally_trail(struct tally *ta, char why[MAX_LINE + 1])
{
	struct manifest_file	*mf = ta->ta_to;
	enum audit_fault	 fault;
	uint64_t		 line;

	if (ta->ta_whole) {
		if (audit_walk(ta->ta_walk, ta->ta_db, &fault, &line) == 1)
			return (1);
		if (fault != AUDIT_WHOLE)
			return (bad(why, "its audit trail is not whole at "
			    "line %llu", (unsigned long long)line));
	}
	ta->ta_at = TALLY_END;
	if (audit_last(ta->ta_db, &mf->mf_count[COUNT_LINES], &mf->mf_last,
	    mf->mf_head) == -1)
		return (bad(why, "its audit trail does not open"));
	return (1);
}

static void
skip_entry(const struct access *ac, void *arg)
{
	(void)ac;
	(void)arg;
}

static int
tally_blocks(struct tally *ta, char why[MAX_LINE + 1])
{
	sqlite3_stmt	*st;
	int		 n, rows = 0, ok = 1;

	st = db_query(ta->ta_db, S_LOG_PIECE, ARGS(NUM(ta->ta_after),
	    NUM(TALLY_BLOCK)));
	while (ok && (n = db_step(ta->ta_db, st)) == 1) {
		rows++;
		ta->ta_after = db_col_num(st, 0);
		if (ta->ta_whole)
			ok = access_block(ta->ta_db, st, skip_entry, NULL) ==
			    0;
	}
	db_done(st);
	if (!ok || n == -1)
		return (bad(why, "block %llu of it does not open",
		    (unsigned long long)ta->ta_after));
	ta->ta_to->mf_count[COUNT_BLOCKS] += (uint64_t)rows;
	if (rows < TALLY_BLOCK)
		ta->ta_at = TALLY_END;
	return (1);
}

int
tally_step(struct tally *ta, char why[MAX_LINE + 1])
{
	static int	(*const steps[TALLY_END])(struct tally *, char *) = {
		tally_first, tally_users, tally_talk, tally_trail, tally_blocks
	};

	if (ta->ta_at == TALLY_END)
		return (0);
	return (steps[ta->ta_at](ta, why));
}

int
tally_same(const struct manifest_file *want, const struct manifest_file *got,
    char why[MAX_LINE + 1])
{
	int	 i;

	for (i = 0; i < COUNT_MAX; i++) {
		if (want->mf_count[i] == got->mf_count[i])
			continue;
		(void)snprintf(why, MAX_LINE + 1, "it has %llu %s, and should "
		    "have %llu", (unsigned long long)got->mf_count[i],
		    manifest_word((enum manifest_count)i),
		    (unsigned long long)want->mf_count[i]);
		return (-1);
	}
	if (want->mf_last != got->mf_last ||
	    memcmp(want->mf_head, got->mf_head, TOKEN_LEN) != 0)
		return (bad(why, "its audit trail ends with another line"));
	return (0);
}

/*
 * A copy.
 */

enum check_at { CHECK_HASH, CHECK_OPEN, CHECK_ROWS, CHECK_END };

struct check {
	char			 ck_path[MANIFEST_PATH];
	struct manifest_file	 ck_want, ck_got;
	struct manifest_file	*ck_learns;	/* or NULL */
	enum check_at		 ck_at;
	int			 ck_fd;
	uint64_t		 ck_offset;
	EVP_MD_CTX		*ck_md;
	struct db		*ck_db;
	struct tally		*ck_tally;
};

struct check *
check_new(const char *path, const struct manifest_file *mf)
{
	struct check	*ck;

	if ((ck = calloc(1, sizeof(*ck))) == NULL)
		return (NULL);
	ck->ck_fd = -1;
	ck->ck_want = ck->ck_got = *mf;
	if ((ck->ck_md = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestInit_ex(ck->ck_md, EVP_sha256(), NULL) != 1 ||
	    strlcpy(ck->ck_path, path, sizeof(ck->ck_path)) >=
	    sizeof(ck->ck_path)) {
		check_free(ck);
		return (NULL);
	}
	return (ck);
}

struct check *
check_first(const char *path, struct manifest_file *mf)
{
	struct check	*ck = check_new(path, mf);

	if (ck != NULL)
		ck->ck_learns = mf;
	return (ck);
}

void
check_free(struct check *ck)
{
	if (ck == NULL)
		return;
	tally_free(ck->ck_tally);
	db_close_copy(ck->ck_db);
	EVP_MD_CTX_free(ck->ck_md);
	if (ck->ck_fd != -1)
		(void)close(ck->ck_fd);
	free(ck);
}

/* All of it is read: its length and hash are those that it should have? */
static int
check_hashed(struct check *ck, char why[MAX_LINE + 1])
{
	unsigned int	 n = 0;

	(void)close(ck->ck_fd);
	ck->ck_fd = -1;
	ck->ck_at = CHECK_OPEN;
	ck->ck_got.mf_bytes = ck->ck_offset;
	if (EVP_DigestFinal_ex(ck->ck_md, ck->ck_got.mf_sha, &n) != 1 ||
	    n != TOKEN_LEN)
		return (bad(why, "it cannot be hashed"));
	if (ck->ck_learns != NULL) {
		ck->ck_want.mf_bytes = ck->ck_got.mf_bytes;
		memcpy(ck->ck_want.mf_sha, ck->ck_got.mf_sha, TOKEN_LEN);
		ck->ck_learns->mf_bytes = ck->ck_want.mf_bytes;
		memcpy(ck->ck_learns->mf_sha, ck->ck_want.mf_sha, TOKEN_LEN);
		return (1);
	}
	if (ck->ck_got.mf_bytes != ck->ck_want.mf_bytes)
		return (bad(why, "it has %llu bytes, which is not what the "
		    "manifest says", (unsigned long long)ck->ck_got.mf_bytes));
	if (memcmp(ck->ck_got.mf_sha, ck->ck_want.mf_sha, TOKEN_LEN) != 0)
		return (bad(why, "its SHA-256 is not what the manifest says"));
	return (1);
}

/* What is behind its length is not read: whoever lengthens it is found. */
static int
check_hash(struct check *ck, uint64_t *done, char why[MAX_LINE + 1])
{
	static uint8_t	 buf[BACKUP_CHUNK];
	ssize_t		 n;

	if (ck->ck_fd == -1 && (ck->ck_fd = open(ck->ck_path, O_RDONLY |
	    O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) == -1)
		return (bad(why, "it is missing, or cannot be read"));
	if ((n = read(ck->ck_fd, buf, sizeof(buf))) == -1)
		return (bad(why, "it cannot be read behind byte %llu",
		    (unsigned long long)ck->ck_offset));
	if (n == 0)
		return (check_hashed(ck, why));
	ck->ck_offset += (uint64_t)n;
	*done += (uint64_t)n;
	if (EVP_DigestUpdate(ck->ck_md, buf, (size_t)n) != 1)
		return (bad(why, "it cannot be hashed"));
	if (ck->ck_learns == NULL && ck->ck_offset > ck->ck_want.mf_bytes)
		return (bad(why, "it is longer than the manifest says"));
	return (1);
}

static int
check_open(struct check *ck, char why[MAX_LINE + 1])
{
	sqlite3_stmt	*st;
	enum db_why	 reason;
	const char	*s;
	int		 ok;

	ck->ck_db = db_open_copy(DB_READ, ck->ck_path, ck->ck_want.mf_tenant,
	    ck->ck_want.mf_month, &reason);
	if (ck->ck_db == NULL) {
		(void)snprintf(why, MAX_LINE + 1, "it %s", reason ==
		    DB_MISSING ? "has no key here any more, so nobody can "
		    "read it" : db_why_text(reason));
		return (-1);
	}
	ck->ck_at = CHECK_ROWS;
	if (ck->ck_want.mf_bytes <= CHECK_WHOLE) {
		st = db_query(ck->ck_db, S_INTEGRITY, NOARGS);
		ok = db_step(ck->ck_db, st) == 1 &&
		    (s = (const char *)sqlite3_column_text(st, 0)) != NULL &&
		    strcmp(s, "ok") == 0;
		db_done(st);
		if (!ok)
			return (bad(why, "its pages are not in order"));
	}
	/* An older schema is walked when it has been brought to today's. */
	if (!db_current(ck->ck_db)) {
		ck->ck_at = CHECK_END;
		return (1);
	}
	ck->ck_tally = tally_new(ck->ck_db, &ck->ck_got, 1);
	return (ck->ck_tally == NULL ? bad(why, "no memory") : 1);
}

static int
check_rows(struct check *ck, char why[MAX_LINE + 1])
{
	int	 n;

	if ((n = tally_step(ck->ck_tally, why)) != 0)
		return (n);
	ck->ck_at = CHECK_END;
	return (tally_same(&ck->ck_want, &ck->ck_got, why) == -1 ? -1 : 1);
}

int
check_step(struct check *ck, uint64_t *done, char why[MAX_LINE + 1])
{
	switch (ck->ck_at) {
	case CHECK_HASH:
		return (check_hash(ck, done, why));
	case CHECK_OPEN:
		return (check_open(ck, why));
	case CHECK_ROWS:
		return (check_rows(ck, why));
	default:
		return (0);
	}
}
