/* Each statement is written down, prepares on its schema, and only there. */
#include <sqlite3.h>

#include "stmt.h"
#include "unit.h"

static sqlite3 *
schema(int kind)
{
	sqlite3	*db;
	int	 n;

	if (sqlite3_open(":memory:", &db) != SQLITE_OK)
		abort();
	CHECK_INT(sqlite3_exec(db, stmt_setup(kind), NULL, NULL, NULL),
	    SQLITE_OK);
	for (n = 0; n < stmt_newest(kind); n++)
		CHECK_INT(sqlite3_exec(db, stmt_schema(kind, n), NULL, NULL,
		    NULL), SQLITE_OK);
	CHECK(stmt_schema(kind, n) == NULL);
	CHECK(stmt_schema(kind, -1) == NULL);
	return (db);
}

static uint64_t
version(sqlite3 *db)
{
	sqlite3_stmt	*st;
	uint64_t	 n;

	if (sqlite3_prepare_v2(db, stmt_sql(S_VERSION), -1, &st, NULL) !=
	    SQLITE_OK || sqlite3_step(st) != SQLITE_ROW)
		abort();
	n = (uint64_t)sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	return (n);
}

static int
prepares(sqlite3 *db, enum stmt s)
{
	sqlite3_stmt	*st = NULL;
	const char	*tail = "";
	int		 ret;

	ret = sqlite3_prepare_v2(db, stmt_sql(s), -1, &st, &tail) ==
	    SQLITE_OK && *tail == '\0';
	(void)sqlite3_finalize(st);
	return (ret);
}

/* What is stored as bytes and is no record of seal.c. */
static const char *const clear[] = {
	"meta.value",		/* reseal.c knows the names of those */
	"audit.mac", "points.head", "users.mail_key", "tokens.sha",
	"links.sha", "groups.name_key", "floors.name_key", "messages.ref",
	"roles.name_key", "locks.lock_key", "locks.mail_key",
	"passkeys.cred_key", "guests.sha", "erasures.mark"
};

static int
known(int kind, const char *table, const char *column)
{
	const struct sealed	*sl;
	char			 name[64];
	size_t			 i;

	for (i = 0; (sl = stmt_sealed(i)) != NULL; i++)
		if ((sl->sl_kinds & kind) != 0 &&
		    strcmp(sl->sl_table, table) == 0 &&
		    strcmp(sl->sl_column, column) == 0)
			return (1);
	(void)snprintf(name, sizeof(name), "%s.%s", table, column);
	for (i = 0; i < sizeof(clear) / sizeof(clear[0]); i++)
		if (strcmp(name, clear[i]) == 0)
			return (1);
	fprintf(stderr, "%s: sealed or clear?\n", name);
	return (0);
}

/* A column that a rotation forgot would be lost with the old key. */
static void
test_sealed(sqlite3 *db, int kind)
{
	static const char	 sql[] = "SELECT m.name, c.name FROM "
	    "sqlite_master m, pragma_table_info(m.name) c "
	    "WHERE m.type = 'table' AND upper(c.type) = 'BLOB'";
	sqlite3_stmt		*st;
	int			 n = 0;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		abort();
	for (; sqlite3_step(st) == SQLITE_ROW; n++)
		CHECK(known(kind, (const char *)sqlite3_column_text(st, 0),
		    (const char *)sqlite3_column_text(st, 1)));
	CHECK(n > 0);
	(void)sqlite3_finalize(st);
}

int
main(void)
{
	sqlite3	*sys = schema(STMT_SYSTEM), *ten = schema(STMT_TENANT);
	sqlite3	*log = schema(STMT_LOG);
	int	 s;

	CHECK_INT(version(sys), stmt_newest(STMT_SYSTEM));
	CHECK_INT(version(ten), stmt_newest(STMT_TENANT));
	CHECK_INT(version(log), stmt_newest(STMT_LOG));
	for (s = 0; s < S_MAX; s++) {
		CHECK(stmt_sql(s) != NULL && stmt_kinds(s) != 0);
		if (stmt_sql(s) == NULL)
			continue;
		CHECK_INT(prepares(sys, s), (stmt_kinds(s) & STMT_SYSTEM) !=
		    0);
		CHECK_INT(prepares(ten, s), (stmt_kinds(s) & STMT_TENANT) !=
		    0);
		CHECK_INT(prepares(log, s), (stmt_kinds(s) & STMT_LOG) != 0);
		/* Values are bound: no text of a value stands in the SQL. */
		CHECK(strpbrk(stmt_sql(s), "'\"%;") == NULL);
	}
	test_sealed(sys, STMT_SYSTEM);
	test_sealed(ten, STMT_TENANT);
	test_sealed(log, STMT_LOG);
	CHECK(stmt_sql(S_MAX) == NULL);
	CHECK_STR(stmt_name(S_SAY), "SAY");
	(void)sqlite3_close(sys);
	(void)sqlite3_close(ten);
	(void)sqlite3_close(log);
	return (unit_end());
}
