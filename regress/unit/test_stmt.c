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
	CHECK(stmt_sql(S_MAX) == NULL);
	CHECK_STR(stmt_name(S_SAY), "SAY");
	(void)sqlite3_close(sys);
	(void)sqlite3_close(ten);
	(void)sqlite3_close(log);
	return (unit_end());
}
