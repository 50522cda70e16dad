/*
 * The access log: who asked for what, from where, and when (F2, F4).
 *
 * What comes in within a second becomes one sealed block of its tenant and
 * month: table "access", column "block", row the block's id.  Its text is
 * entries, numbers big endian: u64 time in ms, u8 kind, u8 1 for a guest,
 * u32 user or 0, u16 status, u64 bytes, u32 floor or 0, u8 length and
 * address, u16 length and text.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "storage.h"
#include "util.h"

#define BLOCK_MAX	(96 * 1024)	/* below SEAL_MAX */
#define ENTRY_MAX	(31 + MAX_ADDR + MAX_URI)
#define BUFFER_MAX	(64 * 1024 * 1024)	/* that can wait */
#define WARN_EACH	(60 * SECOND)
#define FLUSH_BLOCKS	8		/* written in one turn */
#define LATE		(3600ULL * SECOND)	/* told, at most */

struct block {
	TAILQ_ENTRY(block)	 bl_entry;
	uint32_t		 bl_tenant, bl_month;
	uint64_t		 bl_first, bl_last;	/* ms */
	struct ibuf		*bl_buf;
};

static TAILQ_HEAD(blocklist, block) blocks = TAILQ_HEAD_INITIALIZER(blocks);
static size_t		 buffered;		/* bytes of all */
static unsigned int	 nblocks;
static struct event	 flush_ev;
static int		 armed;

static void
block_free(struct block *bl)
{
	TAILQ_REMOVE(&blocks, bl, bl_entry);
	nblocks--;
	buffered -= ibuf_size(bl->bl_buf);
	ibuf_free(bl->bl_buf);
	free(bl);
}

/* The newest one of the tenant and month that has room. */
static struct block *
block_for(uint32_t tenant, uint32_t month)
{
	struct block	*bl;

	TAILQ_FOREACH_REVERSE(bl, &blocks, blocklist, bl_entry)
		if (bl->bl_tenant == tenant && bl->bl_month == month)
			break;
	if (bl != NULL && ibuf_size(bl->bl_buf) + ENTRY_MAX <= BLOCK_MAX)
		return (bl);
	if (buffered + BLOCK_MAX > BUFFER_MAX ||
	    (bl = calloc(1, sizeof(*bl))) == NULL)
		return (NULL);
	if ((bl->bl_buf = ibuf_dynamic(1024, BLOCK_MAX)) == NULL) {
		free(bl);
		return (NULL);
	}
	bl->bl_tenant = tenant;
	bl->bl_month = month;
	bl->bl_first = UINT64_MAX;
	TAILQ_INSERT_TAIL(&blocks, bl, bl_entry);
	nblocks++;
	return (bl);
}

static int
entry_put(struct ibuf *buf, const struct access *ac)
{
	size_t	 alen = strlen(ac->ac_addr), tlen = strlen(ac->ac_text);

	return (ibuf_add_n64(buf, ac->ac_at) == -1 ||
	    ibuf_add_n8(buf, ac->ac_kind) == -1 ||
	    ibuf_add_n8(buf, ac->ac_guest) == -1 ||
	    ibuf_add_n32(buf, ac->ac_user) == -1 ||
	    ibuf_add_n16(buf, ac->ac_status) == -1 ||
	    ibuf_add_n64(buf, ac->ac_bytes) == -1 ||
	    ibuf_add_n32(buf, ac->ac_floor) == -1 ||
	    ibuf_add_n8(buf, alen) == -1 ||
	    ibuf_add(buf, ac->ac_addr, alen) == -1 ||
	    ibuf_add_n16(buf, tlen) == -1 ||
	    ibuf_add(buf, ac->ac_text, tlen) == -1 ? -1 : 0);
}

static int
entry_get(struct ibuf *buf, struct access *ac)
{
	uint16_t	 tlen;
	uint8_t		 alen;

	if (ibuf_get_n64(buf, &ac->ac_at) == -1 ||
	    ibuf_get_n8(buf, &ac->ac_kind) == -1 ||
	    ibuf_get_n8(buf, &ac->ac_guest) == -1 ||
	    ibuf_get_n32(buf, &ac->ac_user) == -1 ||
	    ibuf_get_n16(buf, &ac->ac_status) == -1 ||
	    ibuf_get_n64(buf, &ac->ac_bytes) == -1 ||
	    ibuf_get_n32(buf, &ac->ac_floor) == -1 ||
	    ibuf_get_n8(buf, &alen) == -1 || alen > MAX_ADDR ||
	    (alen > 0 && ibuf_get(buf, ac->ac_addr, alen) == -1) ||
	    ibuf_get_n16(buf, &tlen) == -1 || tlen > MAX_URI ||
	    (tlen > 0 && ibuf_get(buf, ac->ac_text, tlen) == -1) ||
	    ac->ac_kind >= ACCESS_MAX)
		return (-1);
	ac->ac_addr[alen] = ac->ac_text[tlen] = '\0';
	return (0);
}

static void
flush_later(void)
{
	struct timeval	 tv = { 1, 0 };

	if (!armed && evtimer_add(&flush_ev, &tv) == 0)
		armed = 1;
}

void
access_add(uint32_t tenant, const struct access *ac)
{
	struct block	*bl;
	size_t		 before;

	if (ac->ac_kind == ACCESS_FAILED)
		alert_failed(tenant);
	if ((bl = block_for(tenant, db_month_of(ac->ac_at))) == NULL) {
		db_stats.ds_unlogged++;
		return;
	}
	before = ibuf_size(bl->bl_buf);
	if (entry_put(bl->bl_buf, ac) == -1) {
		(void)ibuf_truncate(bl->bl_buf, before);
		db_stats.ds_unlogged++;
		return;
	}
	buffered += ibuf_size(bl->bl_buf) - before;
	if (ac->ac_at < bl->bl_first)
		bl->bl_first = ac->ac_at;
	if (ac->ac_at > bl->bl_last)
		bl->bl_last = ac->ac_at;
	flush_later();
}

static int
block_write(struct db *db, const struct block *bl)
{
	struct seal_at	 at = { "access", "block", 0, 0, NULL, 0 };
	void		*rec;
	size_t		 len;
	int		 n;

	if (db_begin(db) == -1)
		return (-1);
	if (db_next_id(db, "access", &at.sa_row) == -1 ||
	    (rec = db_seal(db, &at, ibuf_data(bl->bl_buf),
	    ibuf_size(bl->bl_buf), &len)) == NULL) {
		(void)db_end(db, 0);
		return (-1);
	}
	n = db_exec(db, S_LOG_ADD, ARGS(NUM(at.sa_row), NUM(bl->bl_first),
	    NUM(bl->bl_last), BIN(rec, len)));
	free(rec);
	if (db_end(db, n == 1) == -1)
		return (-1);
	return (db_commit(db));
}

/* A log that cannot be read is put aside: what happens now is worth more. */
static void
block_aside(const struct block *bl)
{
	if (db_log_aside(bl->bl_tenant, bl->bl_month) == 0)
		log_warnx("access log %u of tenant %u is damaged and was put "
		    "aside", bl->bl_month, bl->bl_tenant);
}

static int
block_flush(const struct block *bl)
{
	struct db	*db;
	enum db_why	 why;
	int		 n;

	/* Gone with its tenant. */
	if (bl->bl_tenant != DB_SYSTEM && tenant_by_id(bl->bl_tenant) == NULL)
		return (0);
	db = db_enter_log(bl->bl_tenant, bl->bl_month, 1, &why);
	if (db == NULL) {
		if (why == DB_DAMAGED)
			block_aside(bl);
		return (-1);
	}
	n = block_write(db, bl);
	why = db->db_broken ? db->db_why : DB_OK;
	db_leave(db);
	if (n == -1 && why == DB_DAMAGED)
		block_aside(bl);
	return (n);
}

/* So many from the front; those that fail wait behind the others. */
static unsigned int
flush_some(unsigned int n)
{
	struct block	*bl;
	unsigned int	 failed = 0;

	while (n-- > 0 && (bl = TAILQ_FIRST(&blocks)) != NULL) {
		if (block_flush(bl) == 0) {
			block_free(bl);
			continue;
		}
		TAILQ_REMOVE(&blocks, bl, bl_entry);
		TAILQ_INSERT_TAIL(&blocks, bl, bl_entry);
		failed++;
	}
	return (failed);
}

static void
flush_end(unsigned int failed)
{
	static uint64_t	 warned;

	if (!TAILQ_EMPTY(&blocks))
		flush_later();
	if (failed != 0 && (warned == 0 || mono_ms() - warned >= WARN_EACH)) {
		log_warnx("access log: %u blocks cannot be written, and wait",
		    failed);
		warned = mono_ms();
	}
}

void
access_flush(void)
{
	flush_end(flush_some(nblocks));
}

/* What cannot be written waits for the next turn. */
void
access_flush_of(uint32_t tenant)
{
	struct block	*bl, *next;

	TAILQ_FOREACH_SAFE(bl, &blocks, bl_entry, next)
		if (bl->bl_tenant == tenant && block_flush(bl) == 0)
			block_free(bl);
}

/*
 * All that were there when it began, a few in a turn: others have to be
 * answered.
 */
static void
flush_turn(int fd, short ev, void *arg)
{
	static unsigned int	 left, failed;
	const struct timeval	 now = { 0, 0 };
	unsigned int		 n;

	(void)fd;
	(void)ev;
	(void)arg;
	armed = 0;
	if (left == 0) {
		left = nblocks;
		failed = 0;
	}
	n = left < FLUSH_BLOCKS ? left : FLUSH_BLOCKS;
	failed += flush_some(n);
	if ((left -= n) == 0)
		flush_end(failed);
	else if (evtimer_add(&flush_ev, &now) == 0)
		armed = 1;
}

void
access_start(void)
{
	evtimer_set(&flush_ev, flush_turn, NULL);
}

/* Whose it is, the grant says, which may have ended a moment ago. */
void
access_told(struct peer *pe, const struct m_access *m)
{
	struct access		 ac = { .ac_at = m->at };
	const struct grant	*gr = NULL;
	struct grant		 past;
	uint64_t		 now = now_ms();
	uint32_t		 tenant = m->tenant;

	if (m->grant != 0 &&
	    (gr = grant_find(m->grant, pe->pe_inst, 0)) == NULL &&
	    grant_past(m->grant, pe->pe_inst, &past))
		gr = &past;
	if (gr != NULL) {
		tenant = gr->gr_tenant;
		ac.ac_user = gr->gr_user;
		ac.ac_guest = gr->gr_role == ROLE_GUEST;
	}
	if (tenant != DB_SYSTEM && tenant_by_id(tenant) == NULL)
		tenant = DB_SYSTEM;
	/* It may have waited for us; nobody else writes into the past. */
	if (ac.ac_at > now)
		ac.ac_at = now;
	if (now > LATE && ac.ac_at < now - LATE)
		ac.ac_at = now - LATE;
	ac.ac_kind = m->kind;
	ac.ac_status = m->status;
	ac.ac_bytes = m->bytes;
	ac.ac_floor = m->floor;
	(void)strlcpy(ac.ac_addr, m->addr, sizeof(ac.ac_addr));
	(void)strlcpy(ac.ac_text, m->text, sizeof(ac.ac_text));
	access_add(tenant, &ac);
}

void
access_signin(uint32_t tenant, enum access_kind kind, uint32_t user,
    int guest, const char *addr)
{
	struct access	 ac = { .ac_at = now_ms(), .ac_kind = (uint8_t)kind,
			    .ac_user = user, .ac_guest = guest != 0 };

	(void)strlcpy(ac.ac_addr, addr, sizeof(ac.ac_addr));
	access_add(tenant, &ac);
}

int
access_block(struct db *db, sqlite3_stmt *st,
    void (*fn)(const struct access *, void *), void *arg)
{
	struct seal_at	 at = { "access", "block", 0, 0, NULL, 0 };
	struct access	 ac;
	struct ibuf	 buf;
	void		*text;
	size_t		 len;
	int		 ret = 0;

	at.sa_row = db_col_num(st, 0);
	if ((text = db_open(db, &at, st, 1, &len)) == NULL)
		return (-1);
	ibuf_from_buffer(&buf, text, len);
	while (ibuf_size(&buf) > 0 && (ret = entry_get(&buf, &ac)) == 0)
		fn(&ac, arg);
	free(text);
	return (ret);
}
