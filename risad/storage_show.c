/*
 * What there is of every kind: how much, how old, how long it is kept (J8).
 * Some rows are counted in a turn, one tenant after the other.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "storage.h"
#include "util.h"

#define COUNT_ROWS	2000		/* looked at in one turn */

struct store {
	uint32_t	 so_tenant;	/* DB_SYSTEM: the installation */
	int		 so_all;
	enum store_kind	 so_kind;
	uint64_t	 so_after;
	char		 so_stamp[STAMP_TEXT];	/* the same, of backups */
	struct m_c_storage_row so_row;
};

/* How to count a kind, and by which rule it goes (POLICY_KEYS: by none). */
static const struct kind {
	enum stmt	 ki_stmt;	/* S_MAX: files */
	enum policy_key	 ki_days;
} kinds[STORE_MAX] = {
	[STORE_PEOPLE] = { S_STORE_PEOPLE, POLICY_KEYS },
	[STORE_PASSWORD] = { S_STORE_PASSWORD, POLICY_KEYS },
	[STORE_SIGNIN] = { S_STORE_SIGNIN, POLICY_KEYS },
	[STORE_FLOOR] = { S_STORE_FLOOR, POLICY_KEYS },
	[STORE_CHAT] = { S_STORE_CHAT, POLICY_CHAT_DAYS },
	[STORE_AUDIT] = { S_STORE_AUDIT, POLICY_AUDIT_DAYS },
	[STORE_LOG] = { S_MAX, POLICY_LOG_DAYS },
	[STORE_EXPORT] = { S_STORE_EXPORT, POLICY_KEYS },
	[STORE_FILE] = { S_MAX, POLICY_KEYS },
	[STORE_BACKUP] = { S_MAX, POLICY_KEYS },
	[STORE_REHEARSAL] = { S_MAX, POLICY_KEYS },
};

/* What the installation keeps itself: of that a tenant has but some. */
static int
kind_there(uint32_t tenant, enum store_kind kind)
{
	if (tenant == DB_SYSTEM)
		return (kind == STORE_AUDIT || kind == STORE_LOG ||
		    kind >= STORE_EXPORT);
	return (kind < STORE_EXPORT || kind == STORE_FILE);
}

static uint64_t
file_size(const char *path)
{
	struct stat	 sb;

	return (stat(path, &sb) == -1 ? 0 : (uint64_t)sb.st_size);
}

/* Of a database and of its log. */
static uint64_t
db_size(uint32_t tenant, uint32_t month)
{
	char	 path[64], wal[72];

	if (month == 0 && tenant == DB_SYSTEM)
		(void)strlcpy(path, "system.db", sizeof(path));
	else if (month == 0)
		(void)snprintf(path, sizeof(path), "tenants/%u/main.db",
		    tenant);
	else if (tenant == DB_SYSTEM)
		(void)snprintf(path, sizeof(path), "log-%u.db", month);
	else
		(void)snprintf(path, sizeof(path), "tenants/%u/log-%u.db",
		    tenant, month);
	(void)snprintf(wal, sizeof(wal), "%s-wal", path);
	return (file_size(path) + file_size(wal));
}

/* One more of them, as count_rows(). */
static int
count_backups(struct store *so)
{
	struct m_c_storage_row	*row = &so->so_row;
	uint64_t		 at, bytes, rehearsed;

	if (!backup_next(so->so_stamp, &at, &bytes, &rehearsed))
		return (0);
	if (so->so_kind == STORE_REHEARSAL) {
		if (rehearsed == 0)
			return (1);
		at = rehearsed;
		bytes = 0;
	}
	row->count++;
	row->bytes += bytes;
	if (row->oldest == 0 || at < row->oldest)
		row->oldest = at;
	if (at > row->newest)
		row->newest = at;
	return (1);
}

static int
count_files(struct store *so)
{
	struct m_c_storage_row	*row = &so->so_row;
	uint32_t		 n, due, month, newest;

	if (so->so_kind == STORE_FILE) {
		row->count = 1;
		row->bytes = db_size(so->so_tenant, 0);
		return (0);
	}
	if (db_log_months(so->so_tenant, 0, &n, &due, &month, &newest) == -1)
		return (-1);
	row->count = n;
	row->oldest = db_month_start(month);
	row->newest = db_month_start(newest);
	for (; n > 0 && month <= newest; month = db_month_next(month))
		row->bytes += db_size(so->so_tenant, month);
	return (0);
}

/* Some rows more: 1 there are more, 0, -1. */
static int
count_rows(struct store *so, struct db *db)
{
	struct m_c_storage_row	*row = &so->so_row;
	sqlite3_stmt		*st;
	uint64_t		 n = 0, first, last;
	int			 ret;

	st = db_query(db, kinds[so->so_kind].ki_stmt,
	    ARGS(NUM(so->so_after), NUM(COUNT_ROWS)));
	if ((ret = db_step(db, st)) == 1 && (n = db_col_num(st, 0)) > 0) {
		so->so_after = db_col_num(st, 1);
		first = db_col_num(st, 2);
		last = db_col_num(st, 3);
		row->count += n;
		row->bytes += db_col_num(st, 4);
		if (row->oldest == 0 || (first != 0 && first < row->oldest))
			row->oldest = first;
		if (last > row->newest)
			row->newest = last;
	}
	db_done(st);
	return (ret == -1 ? -1 : n == COUNT_ROWS);
}

static int
count_some(struct store *so, struct tenant *tn)
{
	struct db	*db;
	int		 n;

	if (so->so_kind == STORE_BACKUP || so->so_kind == STORE_REHEARSAL)
		return (count_backups(so));
	if (kinds[so->so_kind].ki_stmt == S_MAX)
		return (count_files(so));
	if (tn == NULL)
		return ((db = db_system()) == NULL ? -1 : count_rows(so, db));
	if ((db = tenant_enter(tn)) == NULL)
		return (-1);
	(void)db_commit(db);
	n = count_rows(so, db);
	tenant_leave(tn, db);
	return (n);
}

/* The kind is counted: how long it is kept, and when it is looked at next. */
static void
row_send(struct store *so, struct tenant *tn, struct stream *sm,
    struct peer *pe)
{
	struct m_c_storage_row	*row = &so->so_row;
	enum policy_key		 days = kinds[so->so_kind].ki_days;
	uint64_t		 now = mono_ms(), next;

	row->tenant = tn == NULL ? "" : tn->tn_name;
	row->kind = (uint8_t)so->so_kind;
	row->country = storage_conf->sc_country;
	if (days != POLICY_KEYS) {
		row->days = retain_days(tn, days, &next);
		if (row->days != 0 && next > now)
			row->purge = now_ms() + (next - now);
	}
	(void)proc_send(pe, IMSG_C_STORAGE_ROW, sm->st_id, -1, row);
}

/* The kind or the tenant after this one; 0: that was the last. */
static int
store_next(struct store *so)
{
	struct tenant	 key = { .tn_id = so->so_tenant + 1 };
	struct tenant	*tn;

	memset(&so->so_row, 0, sizeof(so->so_row));
	so->so_after = 0;
	so->so_stamp[0] = '\0';
	while (++so->so_kind < STORE_MAX)
		if (kind_there(so->so_tenant, so->so_kind))
			return (1);
	if (!so->so_all ||
	    (tn = RB_NFIND(tenant_tree, &tenant_all, &key)) == NULL)
		return (0);
	so->so_tenant = tn->tn_id;
	so->so_kind = STORE_PEOPLE;
	return (1);
}

static int
stream_store(struct stream *sm, struct peer *pe)
{
	struct store	*so = sm->st_data;
	struct tenant	*tn = tenant_by_id(so->so_tenant);
	int		 n = -1;

	if (tn != NULL || so->so_tenant == DB_SYSTEM)
		n = count_some(so, tn);
	if (n == 1)
		return (1);
	/* What cannot be read is left out, as in the other lists. */
	if (n == 0)
		row_send(so, tn, sm, pe);
	if (store_next(so))
		return (1);
	(void)proc_result(pe, sm->st_id, R_OK, 0, "");
	return (0);
}

const char *
store_begin(struct request *rq)
{
	struct store	*so;

	if ((so = calloc(1, sizeof(*so))) == NULL)
		return ("no memory");
	access_flush();
	so->so_all = rq->rq_tn == NULL;
	so->so_tenant = so->so_all ? DB_SYSTEM : rq->rq_tn->tn_id;
	so->so_kind = so->so_all ? STORE_AUDIT : STORE_PEOPLE;
	return (rq_stream(rq, stream_store, so, free) == -1 ? "no memory" :
	    NULL);
}
