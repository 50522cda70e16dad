#include <stddef.h>

#include "stmt.h"

#define SYS	STMT_SYSTEM
#define TEN	STMT_TENANT
#define LOGS	STMT_LOG
#define BOTH	(STMT_SYSTEM | STMT_TENANT)
#define EACH	(STMT_SYSTEM | STMT_TENANT | STMT_LOG)

/* A user's row, in the order that storage reads it. */
#define USER_COLUMNS							\
	"SELECT id, role, state, created, last, version, secver, "	\
	"mail, profile, rights, secret, floor FROM users "

/* An operator's row, likewise. */
#define OPERATOR_COLUMNS						\
	"SELECT uid, version, role, granter, granted, until, entry "	\
	"FROM operators "

#define PASSKEY_COLUMNS							\
	"SELECT id, user, created, last, version, cred_key, cred, "	\
	"count, name FROM passkeys "

#define EXPORT_COLUMNS							\
	"SELECT id, version, at, tenant, entry FROM exports "

/* Of ?2 rows after ?1 that rows selects as id, at and size. */
#define STORE(rows)							\
	"SELECT count(*), max(id), min(at), max(at), sum(size) FROM ("	\
	rows " ORDER BY id LIMIT ?2)"

#define VISIT_COLUMNS							\
	"SELECT id, user, guest, state, began, ended, version, detail "	\
	"FROM visits "

/*
 * A row of messages, against one of erasures: is it meant (the numbers are
 * those of enum erase_what), or already gone for everybody who reads?
 */
#define MEANT								\
	"CASE e.what WHEN 1 THEN messages.sender = e.a "		\
	"WHEN 2 THEN messages.kind < 2 AND messages.a = e.a "		\
	"WHEN 3 THEN messages.kind = 2 AND messages.a = e.a "		\
	"AND messages.b = e.b "						\
	"WHEN 4 THEN messages.kind < 2 WHEN 5 THEN 1 ELSE 0 END "
#define GOING								\
	"EXISTS (SELECT 1 FROM erasures e WHERE messages.id > e.after "	\
	"AND messages.id <= e.last AND "				\
	"messages.at BETWEEN e.since AND e.until AND " MEANT ") "

/* Is the row of messages of nobody, and to nobody, who is held? */
#define FREE								\
	"NOT EXISTS (SELECT 1 FROM holds h WHERE "			\
	"h.user = messages.sender OR (messages.kind = 2 AND "		\
	"(h.user = messages.a OR h.user = messages.b))) "

static const struct row {
	const char	*r_name;
	int		 r_kinds;
	const char	*r_sql;
} rows[S_MAX] = {
#define ROW(s, kinds, sql)	[S_##s] = { #s, kinds, sql }
	ROW(BEGIN, EACH, "BEGIN IMMEDIATE"),
	ROW(COMMIT, EACH, "COMMIT"),
	ROW(ROLLBACK, EACH, "ROLLBACK"),
	ROW(SAVE, EACH, "SAVEPOINT request"),
	ROW(LAZY, EACH, "PRAGMA synchronous = NORMAL"),
	ROW(STRICT, EACH, "PRAGMA synchronous = FULL"),
	ROW(RELEASE, EACH, "RELEASE request"),
	ROW(UNDO, EACH, "ROLLBACK TO request"),
	ROW(META_GET, EACH, "SELECT value FROM meta WHERE name = ?1"),
	ROW(META_SET, EACH,
	    "INSERT INTO meta (name, value) VALUES (?1, ?2) "
	    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"),
	/* The highest id that a table has ever given out. */
	ROW(SEQUENCE, EACH,
	    "SELECT seq FROM sqlite_sequence WHERE name = ?1"),
	ROW(SEQUENCES, EACH, "SELECT name, seq FROM sqlite_sequence"),
	/* Also of tables that had no row yet; ?1 tells which count. */
	ROW(SEQUENCES_ALL, EACH,
	    "INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM "
	    "sqlite_schema WHERE sql LIKE ?1 AND name NOT IN "
	    "(SELECT name FROM sqlite_sequence)"),
	ROW(SEQUENCE_RAISE, EACH,
	    "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1"),
	ROW(SEQUENCES_SKIP, EACH,
	    "UPDATE sqlite_sequence SET seq = seq + ?1"),
	ROW(AUDIT_ADD, BOTH,
	    "INSERT INTO audit (id, at, entry, mac) "
	    "VALUES (?1, ?2, ?3, ?4)"),
	ROW(AUDIT_MAC, BOTH, "UPDATE audit SET mac = ?2 WHERE id = ?1"),
	/* With what was signed of it, if anything was. */
	ROW(AUDIT_WALK, BOTH,
	    "SELECT a.id, a.at, a.entry, a.mac, p.head FROM audit a "
	    "LEFT JOIN points p ON p.seq = a.id WHERE a.id > ?1 "
	    "ORDER BY a.id LIMIT ?2"),
	/* Where the newest ?1 begin. */
	ROW(AUDIT_FROM, BOTH,
	    "SELECT id FROM audit ORDER BY id DESC LIMIT 1 OFFSET ?1"),
	ROW(AUDIT_NEXT, BOTH,
	    "SELECT id, at FROM audit WHERE id > ?1 AND at BETWEEN ?3 AND ?2 "
	    "ORDER BY id LIMIT 1"),
	ROW(AUDIT_BACK, BOTH,
	    "SELECT id, at, entry FROM audit WHERE id < ?1 "
	    "ORDER BY id DESC LIMIT ?2"),
	ROW(AUDIT_BEFORE, BOTH,
	    "SELECT count(*) FROM audit WHERE id <= ?1"),
	/* Of ?2 rows after ?1: how many, the last one's id, the oldest and the
	 * newest, and how many are older than ?3, but not than ?4. */
	ROW(COUNT_AUDIT, BOTH,
	    "SELECT count(*), max(id), min(at), max(at), "
	    "count(*) FILTER (WHERE at < ?3 AND at >= ?4) FROM "
	    "(SELECT id, at FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2)"),
	ROW(AUDIT_COUNT, BOTH, "SELECT count(*) FROM audit"),
	ROW(PURGE_AUDIT, BOTH, "DELETE FROM audit WHERE id <= ?1"),
	ROW(PURGE_POINTS, BOTH, "DELETE FROM points WHERE seq <= ?1"),
	ROW(PAGES, EACH, "PRAGMA page_count"),
	ROW(POINT_ADD, BOTH,
	    "INSERT OR IGNORE INTO points (seq, head, line) "
	    "VALUES (?1, ?2, ?3)"),
	ROW(POINT_LAST, BOTH, "SELECT max(seq) FROM points"),
	ROW(POINTS, BOTH,
	    "SELECT seq, line FROM points WHERE seq > ?1 ORDER BY seq "
	    "LIMIT ?2"),
	ROW(VERSION, EACH, "PRAGMA user_version"),
	ROW(LOOK, EACH, "BEGIN DEFERRED"),
	ROW(INTEGRITY, EACH, "PRAGMA integrity_check(1)"),

	/* A block holds what came in a second or so. */
	ROW(LOG_ADD, LOGS,
	    "INSERT INTO access (id, first, last, block) "
	    "VALUES (?1, ?2, ?3, ?4)"),
	ROW(LOG_WALK, LOGS,
	    "SELECT id, block FROM access WHERE id > ?1 AND last >= ?2 "
	    "AND first <= ?3 ORDER BY id LIMIT 1"),

	/* Of ?2 rows after ?1, each one. */
	ROW(LOG_PIECE, LOGS,
	    "SELECT id, block FROM access WHERE id > ?1 ORDER BY id "
	    "LIMIT ?2"),

	ROW(TENANTS, SYS,
	    "SELECT id, name, state, created, version, title, contact, proof, "
	    "id IN (SELECT id FROM erased) FROM tenants ORDER BY id"),
	ROW(TENANT_ADD, SYS,
	    "INSERT INTO tenants (id, name, state, created, version, title, "
	    "contact, proof) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
	ROW(TENANT_SET, SYS,
	    "UPDATE tenants SET state = ?2, version = ?3, title = ?4, "
	    "proof = ?5 WHERE id = ?1"),
	ROW(TENANT_DEL, SYS, "DELETE FROM tenants WHERE id = ?1"),
	ROW(TENANT_THERE, SYS,
	    "SELECT count(*) FROM tenants WHERE id = ?1"),
	ROW(ENDING_PUT, SYS,
	    "INSERT INTO endings (tenant, at, proof) VALUES (?1, ?2, ?3) "
	    "ON CONFLICT (tenant) DO UPDATE SET at = excluded.at, "
	    "proof = excluded.proof"),
	ROW(ENDING_GET, SYS,
	    "SELECT at, proof FROM endings WHERE tenant = ?1"),
	ROW(ENDING_DEL, SYS, "DELETE FROM endings WHERE tenant = ?1"),
	ROW(ERASED_ADD, SYS,
	    "INSERT INTO erased (id, name, at, text) "
	    "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE SET "
	    "name = excluded.name, at = excluded.at, text = excluded.text, "
	    "sig = NULL"),
	ROW(ERASED_SIG, SYS, "UPDATE erased SET sig = ?2 WHERE id = ?1"),
	ROW(ERASED_GET, SYS,
	    "SELECT name, text, sig FROM erased WHERE id = ?1"),
	ROW(ERASED_LIST, SYS,
	    "SELECT id, name, at, sig IS NOT NULL FROM erased ORDER BY id"),
	/* Their rows are the last that goes. */
	ROW(ERASED_OPEN, SYS,
	    "SELECT id, name FROM erased WHERE id > ?1 AND id IN "
	    "(SELECT id FROM tenants) ORDER BY id LIMIT 1"),
	ROW(BACKUP_PUT, SYS,
	    "INSERT INTO backups (id, state) VALUES (?1, ?2) "
	    "ON CONFLICT (id) DO UPDATE SET state = excluded.state"),
	ROW(BACKUP_GET, SYS, "SELECT state FROM backups WHERE id = ?1"),
	ROW(BACKUP_DEL, SYS, "DELETE FROM backups WHERE id < ?1"),
	ROW(TENANT_COUNT, SYS, "SELECT count(*) FROM tenants"),
	ROW(OPERATORS, SYS, OPERATOR_COLUMNS "ORDER BY uid"),
	ROW(OPERATOR_GET, SYS, OPERATOR_COLUMNS "WHERE uid = ?1"),
	ROW(OPERATOR_PUT, SYS,
	    "INSERT INTO operators (uid, version, role, granter, granted, "
	    "until, entry) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
	    "ON CONFLICT (uid) DO UPDATE SET version = excluded.version, "
	    "role = excluded.role, granter = excluded.granter, "
	    "granted = excluded.granted, until = excluded.until, "
	    "entry = excluded.entry"),
	ROW(OPERATOR_DEL, SYS, "DELETE FROM operators WHERE uid = ?1"),
	ROW(OPERATOR_COUNT, SYS, "SELECT count(*) FROM operators"),
	ROW(EXPORT_PUT, SYS,
	    "INSERT INTO exports (id, version, at, tenant, entry) "
	    "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET "
	    "version = excluded.version, entry = excluded.entry"),
	ROW(EXPORT_GET, SYS, EXPORT_COLUMNS "WHERE id = ?1"),
	ROW(EXPORTS, SYS,
	    EXPORT_COLUMNS "WHERE id > ?1 ORDER BY id LIMIT ?2"),
	ROW(EXPORTS_OF, SYS,
	    EXPORT_COLUMNS "WHERE id < ?1 AND tenant = ?2 ORDER BY id DESC "
	    "LIMIT ?3"),
	ROW(EXPORTS_OLD, SYS, "DELETE FROM exports WHERE at < ?1"),
	ROW(NOTICE_PUT, SYS,
	    "INSERT OR REPLACE INTO notices (id, name, tenant, entry) "
	    "VALUES (?1, ?2, ?3, ?4)"),
	ROW(NOTICE_DEL, SYS,
	    "DELETE FROM notices WHERE name = ?1 AND tenant = ?2"),
	ROW(NOTICES, SYS, "SELECT id, name, tenant, entry FROM notices"),
	ROW(STORE_EXPORT, SYS,
	    STORE("SELECT id, at, length(entry) AS size FROM exports "
	    "WHERE id > ?1")),

	ROW(USER_ADD, TEN,
	    "INSERT INTO users (id, role, state, created, version, secver, "
	    "mail_key, mail, profile, rights) "
	    "VALUES (?1, ?2, ?3, ?4, 1, 0, ?5, ?6, ?7, ?8)"),
	ROW(USER_GET, TEN, USER_COLUMNS "WHERE id = ?1"),
	ROW(USER_FIND, TEN, USER_COLUMNS "WHERE mail_key = ?1"),
	/* Guests (role 2) have rows of users while they are here: no member. */
	ROW(USERS, TEN,
	    USER_COLUMNS "WHERE id > ?1 AND role <> 2 ORDER BY id LIMIT ?2"),
	ROW(USER_THERE, TEN,
	    "SELECT 1 FROM users WHERE id = ?1 AND role <> 2"),
	ROW(USER_COUNT, TEN, "SELECT count(*) FROM users WHERE role <> 2"),
	/* Role admin, state active, other than this one. */
	ROW(USER_ADMINS, TEN,
	    "SELECT id FROM users WHERE role = 1 AND state = 1 AND id <> ?1 "
	    "LIMIT 1"),
	ROW(USER_ADMIN_COUNT, TEN,
	    "SELECT count(*) FROM users WHERE role = 1 AND state = 1"),
	ROW(USER_PROFILE, TEN, "UPDATE users SET profile = ?2 WHERE id = ?1"),
	ROW(USER_RIGHTS, TEN,
	    "UPDATE users SET role = ?2, state = ?3, version = ?4, "
	    "rights = ?5 WHERE id = ?1"),
	ROW(USER_SECRET, TEN,
	    "UPDATE users SET role = ?2, state = ?3, version = ?4, "
	    "rights = ?5, secver = ?6, secret = ?7 WHERE id = ?1"),
	ROW(USER_LAST, TEN, "UPDATE users SET last = ?2 WHERE id = ?1"),
	ROW(USER_FLOOR, TEN, "UPDATE users SET floor = ?2 WHERE id = ?1"),
	ROW(USER_DEL, TEN, "DELETE FROM users WHERE id = ?1"),
	ROW(USER_DEL_TALK, TEN,
	    "DELETE FROM messages WHERE kind = 2 AND (a, b) IN "
	    "(SELECT a, b FROM dms WHERE a = ?1 "
	    "UNION SELECT a, b FROM dms WHERE b = ?1) AND " FREE),
	ROW(USER_DEL_DMS, TEN,
	    "DELETE FROM dms WHERE (a = ?1 OR b = ?1) AND NOT EXISTS "
	    "(SELECT 1 FROM messages WHERE kind = 2 AND messages.a = dms.a "
	    "AND messages.b = dms.b)"),
	ROW(USER_DEL_READS, TEN,
	    "DELETE FROM reads WHERE kind = 2 AND (a = ?1 OR b = ?1)"),

	ROW(USER_ROLE_COUNT, TEN,
	    "SELECT count(*) FROM users WHERE role = ?1"),

	ROW(TOKEN_ADD, TEN,
	    "INSERT INTO tokens (id, sha, user, created, seen, expires, "
	    "client) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)"),
	ROW(TOKEN_FIND, TEN,
	    "SELECT id, user, created, seen, expires, client FROM tokens "
	    "WHERE sha = ?1"),
	ROW(TOKEN_SEEN, TEN, "UPDATE tokens SET seen = ?2 WHERE id = ?1"),
	ROW(TOKEN_ANEW, TEN,
	    "UPDATE tokens SET created = ?2, seen = ?2, expires = ?3, "
	    "client = ?4 WHERE id = ?1"),
	ROW(TOKEN_DEL, TEN, "DELETE FROM tokens WHERE id = ?1"),
	/* Those beyond the newest ?2 of a user. */
	ROW(TOKEN_OLD, TEN,
	    "SELECT id FROM tokens WHERE user = ?1 ORDER BY id DESC "
	    "LIMIT 64 OFFSET ?2"),
	ROW(TOKENS_DEL, TEN, "DELETE FROM tokens WHERE user = ?1"),
	ROW(TOKENS_KEEP, TEN,
	    "DELETE FROM tokens WHERE user = ?1 AND id <> ?2"),
	ROW(TOKENS_EXPIRED, TEN, "DELETE FROM tokens WHERE expires <= ?1"),
	ROW(TOKENS, TEN,
	    "SELECT id, user, created, seen, expires, sha, client FROM tokens "
	    "WHERE id > ?1 ORDER BY id LIMIT ?2"),
	ROW(TOKENS_OF, TEN,
	    "SELECT id, user, created, seen, expires, sha, client FROM tokens "
	    "WHERE user = ?1 ORDER BY id DESC"),
	ROW(TOKEN_DEL_OF, TEN,
	    "DELETE FROM tokens WHERE user = ?1 AND id = ?2"),
	/* Nobody has told of it yet; 0 is no sign-in. */
	ROW(PASSWORD_PUT, TEN,
	    "INSERT INTO passwords (user, changed, told) VALUES (?1, ?2, 0) "
	    "ON CONFLICT (user) DO UPDATE SET changed = excluded.changed, "
	    "told = 0"),
	/* By the newest sign-in. */
	ROW(PASSWORD_TELL, TEN,
	    "UPDATE passwords SET told = (SELECT max(id) FROM tokens "
	    "WHERE user = ?1) WHERE user = ?1 AND told = 0"),
	ROW(PASSWORD_KNOWN, TEN,
	    "UPDATE passwords SET told = -1 WHERE user = ?1"),
	ROW(PASSWORD_TOLD, TEN,
	    "SELECT changed FROM passwords WHERE user = ?1 AND told = ?2"),
	ROW(PASSWORD_CHANGED, TEN,
	    "SELECT changed FROM passwords WHERE user = ?1"),
	ROW(OLD_ADD, TEN,
	    "INSERT INTO old_passwords (id, user, secret) "
	    "VALUES (?1, ?2, ?3)"),
	ROW(OLD_LIST, TEN,
	    "SELECT id, secret FROM old_passwords WHERE user = ?1 "
	    "ORDER BY id DESC LIMIT ?2"),
	ROW(OLD_TRIM, TEN,
	    "DELETE FROM old_passwords WHERE user = ?1 AND id NOT IN "
	    "(SELECT id FROM old_passwords WHERE user = ?1 ORDER BY id DESC "
	    "LIMIT ?2)"),
	ROW(LINK_PUT, TEN,
	    "INSERT INTO links (user, sha, kind, expires, proof) "
	    "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (user) DO UPDATE SET "
	    "sha = excluded.sha, kind = excluded.kind, "
	    "expires = excluded.expires, proof = excluded.proof"),
	ROW(LINK_FIND, TEN,
	    "SELECT user, kind, expires, proof FROM links WHERE sha = ?1"),
	ROW(LINK_OF, TEN, "SELECT expires FROM links WHERE user = ?1"),
	ROW(LINK_DEL, TEN, "DELETE FROM links WHERE user = ?1"),
	ROW(FACTOR_GET, TEN,
	    "SELECT version, data FROM factors WHERE user = ?1"),
	ROW(FACTOR_PUT, TEN,
	    "INSERT INTO factors (user, version, data) VALUES (?1, ?2, ?3) "
	    "ON CONFLICT (user) DO UPDATE SET version = excluded.version, "
	    "data = excluded.data"),
	ROW(FACTOR_DEL, TEN, "DELETE FROM factors WHERE user = ?1"),
	ROW(PASSKEY_ADD, TEN,
	    "INSERT INTO passkeys (id, user, created, version, cred_key, "
	    "cred, count, name) VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7)"),
	ROW(PASSKEY_GET, TEN, PASSKEY_COLUMNS "WHERE id = ?1"),
	ROW(PASSKEY_FIND, TEN, PASSKEY_COLUMNS "WHERE cred_key = ?1"),
	ROW(PASSKEYS_OF, TEN, PASSKEY_COLUMNS "WHERE user = ?1 ORDER BY id"),
	ROW(PASSKEY_COUNT, TEN,
	    "SELECT count(*) FROM passkeys WHERE user = ?1"),
	ROW(PASSKEY_USED, TEN,
	    "UPDATE passkeys SET last = ?2, version = ?3, count = ?4 "
	    "WHERE id = ?1"),
	ROW(PASSKEY_NAME, TEN,
	    "UPDATE passkeys SET name = ?3 WHERE user = ?1 AND id = ?2"),
	ROW(PASSKEY_DEL, TEN,
	    "DELETE FROM passkeys WHERE user = ?1 AND id = ?2"),
	ROW(PASSKEYS_DEL, TEN, "DELETE FROM passkeys WHERE user = ?1"),

	ROW(LOCK_ADD, TEN,
	    "INSERT INTO locks (id, lock_key, mail_key, until, proof) "
	    "VALUES (?1, ?2, ?3, ?4, ?5)"),
	ROW(LOCK_DEL, TEN, "DELETE FROM locks WHERE lock_key = ?1"),
	ROW(LOCK_UNTIL, TEN,
	    "SELECT max(until) FROM locks WHERE mail_key = ?1 AND until > ?2"),
	ROW(LOCK_COUNT, TEN, "SELECT count(*) FROM locks"),
	ROW(LOCKS, TEN,
	    "SELECT id, lock_key, mail_key, until, proof FROM locks "
	    "WHERE until > ?1"),
	ROW(LOCKS_OF, TEN,
	    "SELECT id, lock_key, mail_key, until, proof FROM locks "
	    "WHERE mail_key = ?1"),
	ROW(LOCKS_DEL, TEN, "DELETE FROM locks WHERE mail_key = ?1"),
	ROW(LOCKS_OVER, TEN, "DELETE FROM locks WHERE until <= ?1"),
	ROW(ALERT_FIND, TEN, "SELECT id FROM alerts WHERE begun = ?1"),
	ROW(ALERT_PUT, TEN,
	    "INSERT INTO alerts (id, begun, last, body) "
	    "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE SET "
	    "last = excluded.last, body = excluded.body"),
	ROW(ALERTS, TEN,
	    "SELECT id, begun, last, body FROM alerts ORDER BY id DESC"),
	ROW(ALERTS_OLD, TEN, "DELETE FROM alerts WHERE id <= ?1 - ?2"),

	ROW(ROLES, TEN,
	    "SELECT id, version, name, rights FROM roles ORDER BY id"),
	ROW(ROLE_PUT, TEN,
	    "INSERT INTO roles (id, version, name_key, name, rights) "
	    "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET "
	    "version = excluded.version, name_key = excluded.name_key, "
	    "name = excluded.name, rights = excluded.rights"),
	ROW(ROLE_DEL, TEN, "DELETE FROM roles WHERE id = ?1"),

	ROW(GUESTS, TEN,
	    "SELECT id, version, sha, terms FROM guests ORDER BY id"),
	ROW(GUEST_ADD, TEN,
	    "INSERT INTO guests (id, version, sha, terms, secret) "
	    "VALUES (?1, 1, ?2, ?3, ?4)"),
	ROW(GUEST_FIND, TEN, "SELECT id FROM guests WHERE sha = ?1"),
	ROW(GUEST_SECRET, TEN, "SELECT secret FROM guests WHERE id = ?1"),
	ROW(GUEST_USED, TEN,
	    "UPDATE guests SET version = ?2, terms = ?3 WHERE id = ?1"),
	ROW(GUEST_DEL, TEN, "DELETE FROM guests WHERE id = ?1"),
	/* Those that are not over (state 3). */
	ROW(VISITS, TEN,
	    VISIT_COLUMNS "WHERE state < 3 AND id > ?1 ORDER BY id LIMIT ?2"),
	ROW(VISITS_OF, TEN,
	    "SELECT user FROM visits WHERE state < 3 AND guest = ?1 "
	    "ORDER BY id"),
	ROW(VISIT_COUNT, TEN, "SELECT count(*) FROM visits WHERE state < 3"),
	ROW(VISIT_OF, TEN, VISIT_COLUMNS "WHERE user = ?1 AND state < 3"),
	ROW(VISIT_THERE, TEN, "SELECT 1 FROM visits WHERE user = ?1"),
	ROW(VISIT_ADD, TEN,
	    "INSERT INTO visits (id, user, guest, state, began, ended, "
	    "version, detail) VALUES (?1, ?2, ?3, ?4, ?5, 0, 1, ?6)"),
	ROW(VISIT_SET, TEN,
	    "UPDATE visits SET state = ?2, ended = ?3, version = ?4, "
	    "detail = ?5 WHERE id = ?1"),

	ROW(GROUPS, TEN,
	    "SELECT id, version, name, members FROM groups ORDER BY id"),
	ROW(GROUP_ADD, TEN,
	    "INSERT INTO groups (id, version, name_key, name, members) "
	    "VALUES (?1, 1, ?2, ?3, ?4)"),
	ROW(GROUP_NAME, TEN,
	    "UPDATE groups SET name_key = ?2, name = ?3 WHERE id = ?1"),
	ROW(GROUP_MEMBERS, TEN,
	    "UPDATE groups SET version = ?2, members = ?3 WHERE id = ?1"),
	ROW(GROUP_DEL, TEN, "DELETE FROM groups WHERE id = ?1"),
	ROW(FLOORS, TEN,
	    "SELECT id, version, edition, name, rights, length(map) "
	    "FROM floors ORDER BY id"),
	ROW(FLOOR_ADD, TEN,
	    "INSERT INTO floors (id, version, edition, created, name_key, "
	    "name, rights, map) VALUES (?1, 1, 1, ?2, ?3, ?4, ?5, ?6)"),
	ROW(FLOOR_MAP, TEN, "SELECT edition, map FROM floors WHERE id = ?1"),
	ROW(FLOOR_NAME, TEN,
	    "UPDATE floors SET name_key = ?2, name = ?3 WHERE id = ?1"),
	ROW(FLOOR_RIGHTS, TEN,
	    "UPDATE floors SET version = ?2, rights = ?3 WHERE id = ?1"),
	ROW(FLOOR_DEL, TEN, "DELETE FROM floors WHERE id = ?1"),
	ROW(FLOOR_DEL_READS, TEN,
	    "DELETE FROM reads WHERE kind IN (0, 1) AND a = ?1"),
	ROW(FLOOR_COUNT, TEN, "SELECT count(*) FROM floors"),
	ROW(PLACE_GET, TEN,
	    "SELECT spot FROM places WHERE user = ?1 AND floor = ?2"),
	ROW(PLACE_PUT, TEN,
	    "INSERT INTO places (user, floor, spot) VALUES (?1, ?2, ?3) "
	    "ON CONFLICT (user, floor) DO UPDATE SET spot = excluded.spot"),

	ROW(SAY, TEN,
	    "INSERT INTO messages (id, at, kind, a, b, sender, ref, text) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) "
	    "ON CONFLICT (sender, ref) DO NOTHING"),
	ROW(SAID, TEN,
	    "SELECT id, at FROM messages WHERE sender = ?1 AND ref = ?2"),
	ROW(HISTORY, TEN,
	    "SELECT id, at, sender, text FROM messages "
	    "WHERE kind = ?1 AND a = ?2 AND b = ?3 AND id < ?4 AND id > ?6 "
	    "AND NOT " GOING "ORDER BY id DESC LIMIT ?5"),
	ROW(LAST, TEN,
	    "SELECT max(id) FROM messages "
	    "WHERE kind = ?1 AND a = ?2 AND b = ?3"),
	ROW(DM_PUT, TEN,
	    "INSERT INTO dms (a, b, last) VALUES (?1, ?2, ?3) "
	    "ON CONFLICT (a, b) DO UPDATE SET last = excluded.last"),
	ROW(DMS, TEN,
	    "SELECT a, b, last FROM (SELECT a, b, last FROM dms WHERE a = ?1 "
	    "UNION SELECT a, b, last FROM dms WHERE b = ?1) d "
	    "WHERE NOT EXISTS (SELECT 1 FROM erasures e WHERE "
	    "e.what IN (0, 1, 6) AND (e.a = d.a OR e.a = d.b)) "
	    "AND EXISTS (SELECT 1 FROM users WHERE id = d.a) "
	    "AND EXISTS (SELECT 1 FROM users WHERE id = d.b) "
	    "ORDER BY last DESC LIMIT ?2"),
	ROW(DM_ANY, TEN,
	    "SELECT EXISTS (SELECT 1 FROM dms WHERE a = ?1 UNION ALL "
	    "SELECT 1 FROM dms WHERE b = ?1)"),
	ROW(DM_THERE, TEN, "SELECT 1 FROM dms WHERE a = ?1 AND b = ?2"),
	ROW(READ_GET, TEN,
	    "SELECT last FROM reads "
	    "WHERE user = ?1 AND kind = ?2 AND a = ?3 AND b = ?4"),
	ROW(READ_PUT, TEN,
	    "INSERT INTO reads (user, kind, a, b, last) "
	    "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (user, kind, a, b) "
	    "DO UPDATE SET last = max(last, excluded.last)"),
	/* Counting ends at ?6: nobody reads a larger number. */
	ROW(UNREAD, TEN,
	    "SELECT count(*) FROM (SELECT 1 FROM messages WHERE kind = ?1 "
	    "AND a = ?2 AND b = ?3 AND id > ?4 AND sender <> ?5 "
	    "AND NOT " GOING "ORDER BY id DESC LIMIT ?6)"),
	ROW(TALK_OF, TEN,
	    "SELECT sender FROM messages "
	    "WHERE id = ?1 AND kind = ?2 AND a = ?3 AND b = ?4"),
	ROW(TALK_DEL, TEN, "DELETE FROM messages WHERE id = ?1"),
	ROW(COUNT_TALK, TEN,
	    "SELECT count(*), max(id), min(at), max(at), "
	    "count(*) FILTER (WHERE at < ?3 AND at >= ?4 AND free) FROM "
	    "(SELECT id, at, " FREE "AS free FROM messages WHERE id > ?1 "
	    "ORDER BY id LIMIT ?2)"),
	ROW(TALK_COUNT, TEN, "SELECT count(*) FROM messages"),
	/* With how many of the two indices lead to it. */
	ROW(TALK_PIECE, TEN,
	    "SELECT id, at, sender, text, kind, a, b, "
	    "EXISTS (SELECT 1 FROM messages x INDEXED BY messages_channel "
	    "WHERE x.kind = m.kind AND x.a = m.a AND x.b = m.b "
	    "AND x.id = m.id) + "
	    "EXISTS (SELECT 1 FROM messages x INDEXED BY messages_ref "
	    "WHERE x.sender = m.sender AND x.ref = m.ref AND x.id = m.id) "
	    "FROM messages m WHERE id > ?1 ORDER BY id LIMIT ?2"),
	ROW(FORGET_TOKENS, TEN, "DELETE FROM tokens"),
	ROW(FORGET_LINKS, TEN, "DELETE FROM links"),
	ROW(PURGE_TALK, TEN,
	    "DELETE FROM messages WHERE id > ?1 AND id <= ?2 AND " FREE),
	ROW(PURGE_DMS, TEN,
	    "DELETE FROM dms WHERE NOT EXISTS (SELECT 1 FROM messages "
	    "WHERE kind = 2 AND messages.a = dms.a AND messages.b = dms.b)"),
	ROW(TALK_WALK, TEN,
	    "SELECT id, at, kind, a, b, sender, text FROM messages "
	    "WHERE id > ?1 AND id <= ?3 ORDER BY id LIMIT ?2"),
	ROW(VISIT_WALK, TEN,
	    VISIT_COLUMNS "WHERE id > ?1 ORDER BY id LIMIT ?2"),
	ROW(STORE_PEOPLE, TEN,
	    STORE("SELECT id, created AS at, length(mail) + length(profile) "
	    "+ length(rights) AS size FROM users WHERE id > ?1 "
	    "AND role <> 2")),
	ROW(STORE_PASSWORD, TEN,
	    STORE("SELECT users.id AS id, passwords.changed AS at, "
	    "length(secret) AS size FROM users LEFT JOIN passwords "
	    "ON passwords.user = users.id WHERE users.id > ?1 "
	    "AND secret IS NOT NULL")),
	ROW(STORE_SIGNIN, TEN,
	    STORE("SELECT id, created AS at, length(client) AS size "
	    "FROM tokens WHERE id > ?1")),
	ROW(STORE_FLOOR, TEN,
	    STORE("SELECT id, created AS at, length(name) + length(rights) "
	    "+ length(map) AS size FROM floors WHERE id > ?1")),
	ROW(STORE_CHAT, TEN,
	    STORE("SELECT id, at, length(text) AS size FROM messages "
	    "WHERE id > ?1")),
	ROW(STORE_AUDIT, BOTH,
	    STORE("SELECT id, at, length(entry) AS size FROM audit "
	    "WHERE id > ?1")),
#undef STORE

	/* The last of the ?3 that follow ?1, none of them after ?2. */
	ROW(TALK_UPTO, TEN,
	    "SELECT max(id) FROM (SELECT id FROM messages "
	    "WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT ?3)"),
	/* The first after ?1 that was written from ?3 to ?2. */
	ROW(TALK_NEXT, TEN,
	    "SELECT id, at FROM messages WHERE id > ?1 "
	    "AND at BETWEEN ?3 AND ?2 ORDER BY id LIMIT 1"),
	/* After ?1 to ?2, the first that was not, ?4 itself left out. */
	ROW(TALK_OTHER, TEN,
	    "SELECT min(id) FROM messages WHERE id > ?1 AND id <= ?2 "
	    "AND (at < ?3 OR at >= ?4)"),
	ROW(TALK_NEWEST, TEN, "SELECT max(id) FROM messages"),
	ROW(TALK_WRITTEN, TEN,
	    "SELECT kind, a, b, sender FROM messages WHERE id = ?1"),
	ROW(TALK_NAMED, TEN,
	    "SELECT id, at, kind, a, b, text, ref FROM messages "
	    "WHERE sender = ?1 AND ref > ?2 ORDER BY ref LIMIT 1"),
	ROW(TALK_UNNAME, TEN, "UPDATE messages SET text = ?2 WHERE id = ?1"),
	ROW(ERASURE_ADD, TEN,
	    "INSERT INTO erasures (id, what, a, b, since, until, last) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
	ROW(ERASURE_NEXT, TEN,
	    "SELECT id, what, a, b, since, until, last, after, mark, gone, "
	    "named FROM erasures ORDER BY id LIMIT 1"),
	ROW(ERASURE_SET, TEN,
	    "UPDATE erasures SET after = ?2, mark = ?3, gone = ?4, "
	    "named = ?5 WHERE id = ?1"),
	ROW(ERASURE_DEL, TEN, "DELETE FROM erasures WHERE id = ?1"),
	ROW(ERASURE_COUNT, TEN, "SELECT count(*) FROM erasures"),
	ROW(ERASURE_UNTIL, TEN,
	    "SELECT count(*) FROM erasures WHERE id <= ?1"),
	/* Does the name of a user who is gone go? */
	ROW(ERASURE_NAMES, TEN,
	    "SELECT count(*) FROM erasures WHERE what = 0 AND a = ?1"),
	ROW(ERASE_RANGE, TEN,
	    "DELETE FROM messages WHERE id > ?1 AND id <= ?2 AND EXISTS "
	    "(SELECT 1 FROM erasures e WHERE e.id = ?3 AND "
	    "messages.at BETWEEN e.since AND e.until AND " MEANT ") "
	    "AND " FREE),
	/* Some of a user's direct messages, and of what else he wrote. */
	ROW(ERASE_DIRECT, TEN,
	    "DELETE FROM messages WHERE id IN (SELECT id FROM messages "
	    "WHERE kind = 2 AND (a, b) IN "
	    "(SELECT a, b FROM dms WHERE a = ?1 "
	    "UNION SELECT a, b FROM dms WHERE b = ?1) "
	    "AND " FREE "LIMIT ?2)"),
	/* With those who are gone: a hold has kept it, and does no more. */
	ROW(ERASE_GONE, TEN,
	    "DELETE FROM messages WHERE id IN (SELECT id FROM messages "
	    "WHERE kind = 2 AND (a, b) IN (SELECT a, b FROM dms d WHERE "
	    "(a NOT IN (SELECT id FROM users) "
	    "OR b NOT IN (SELECT id FROM users)) AND NOT EXISTS "
	    "(SELECT 1 FROM erasures e WHERE e.what IN (0, 1, 6) "
	    "AND (e.a = d.a OR e.a = d.b))) AND " FREE "LIMIT ?1)"),
	ROW(ERASE_SENDER, TEN,
	    "DELETE FROM messages WHERE id IN (SELECT id FROM messages "
	    "WHERE sender = ?1 AND kind < 2 LIMIT ?2)"),
	/* Of a line, what names somebody. */
	ROW(AUDIT_NAMES_PUT, TEN,
	    "INSERT INTO audit_names (id, user, names) VALUES (?1, ?2, ?3)"),
	ROW(AUDIT_NAMES_GET, TEN,
	    "SELECT names, user FROM audit_names WHERE id = ?1"),
	ROW(AUDIT_NAMES_WALK, TEN,
	    "SELECT id, user, names FROM audit_names WHERE id > ?1 "
	    "ORDER BY id LIMIT ?2"),
	ROW(AUDIT_NAMES_NONE, TEN, "DELETE FROM audit_names"),
	ROW(AUDIT_NAMES_DEL, TEN, "DELETE FROM audit_names WHERE user = ?1"),
	ROW(PURGE_NAMES, TEN, "DELETE FROM audit_names WHERE id <= ?1"),
	ROW(HOLDS, TEN,
	    "SELECT user, at, operator, reason FROM holds ORDER BY user"),
	ROW(HOLD_PUT, TEN,
	    "INSERT INTO holds (user, at, operator, reason) "
	    "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (user) DO UPDATE SET "
	    "at = excluded.at, operator = excluded.operator, "
	    "reason = excluded.reason"),
	ROW(HOLDS_NONE, TEN, "DELETE FROM holds"),
	ROW(HOLD_DEL, TEN, "DELETE FROM holds WHERE user = ?1"),
	ROW(HOLD_OF, TEN, "SELECT count(*) FROM holds WHERE user = ?1"),
	ROW(HOLD_ANY, TEN, "SELECT count(*) FROM holds WHERE user > 0"),
	/* Has he direct messages with somebody who is held? */
	ROW(HOLD_DIRECT, TEN,
	    "SELECT EXISTS (SELECT 1 FROM holds h WHERE EXISTS "
	    "(SELECT 1 FROM dms WHERE (a = ?1 AND b = h.user) OR "
	    "(a = h.user AND b = ?1)))"),
	/* Of what is meant by kind ?1, is anything by somebody held, ... */
	ROW(HOLD_SENT, TEN,
	    "SELECT EXISTS (SELECT 1 FROM holds h CROSS JOIN messages "
	    "WHERE messages.sender = h.user "
	    "AND messages.at BETWEEN ?4 AND ?5 AND CASE ?1 "
	    "WHEN 2 THEN messages.kind < 2 AND messages.a = ?2 "
	    "WHEN 4 THEN messages.kind < 2 WHEN 5 THEN 1 "
	    "ELSE messages.kind = 2 AND messages.a = ?2 "
	    "AND messages.b = ?3 END)"),
	/* ... or to him? */
	ROW(HOLD_GOT, TEN,
	    "SELECT EXISTS (SELECT 1 FROM holds h CROSS JOIN dms d "
	    "CROSS JOIN messages m WHERE (d.a = h.user OR d.b = h.user) "
	    "AND (?1 = 5 OR (?1 = 3 AND d.a = ?2 AND d.b = ?3)) "
	    "AND m.kind = 2 AND m.a = d.a AND m.b = d.b "
	    "AND m.at BETWEEN ?4 AND ?5)"),
	/* Of the rest of them the tenant tells. */
	ROW(KEY_PUT, SYS,
	    "INSERT INTO keys (tenant, generation, since) "
	    "VALUES (?1, ?2, ?3) ON CONFLICT (tenant) DO UPDATE SET "
	    "generation = excluded.generation, since = excluded.since"),
	ROW(KEY_GET, SYS,
	    "SELECT generation, since FROM keys WHERE tenant = ?1"),
	ROW(KEY_BACKUP, SYS,
	    "INSERT INTO key_backups (id, at, uid, name) "
	    "VALUES (?1, ?2, ?3, ?4)"),
	ROW(KEY_COPY, SYS,
	    "INSERT INTO key_copies (tenant, backup, generation) "
	    "VALUES (?1, ?2, ?3)"),
	ROW(KEY_COPIES, SYS,
	    "SELECT b.id, b.at, b.uid, b.name, c.generation "
	    "FROM key_copies c JOIN key_backups b ON b.id = c.backup "
	    "WHERE c.tenant = ?1 ORDER BY b.id, c.generation"),
#define SEALED(...)	SEALED_(__VA_ARGS__)
#define SEALED_(n, kinds, table, column, key, after, is, version, bound, how) \
	ROW(WALK_##n, kinds, "SELECT " key ", " version ", " column	\
	    bound " FROM " table " WHERE " after " LIMIT 1"),		\
	ROW(RESEAL_##n, kinds,						\
	    "UPDATE " table " SET " column " = ?2 WHERE " is),
	STMT_SEALED(SEALED)
#undef SEALED_
#undef ROW
};

static const struct sealed sealed[] = {
#define SEALED_(n, kinds, table, column, key, after, is, version, bound, how) \
	{ table, column, how, kinds, S_WALK_##n, S_RESEAL_##n },
	STMT_SEALED(SEALED)
#undef SEALED_
#undef SEALED
};

/* From here on a trail is a chain; audit.c links what there was. */
#define CHAIN								\
	"ALTER TABLE audit ADD COLUMN mac BLOB;"			\
	"CREATE TABLE points (seq INTEGER PRIMARY KEY, "		\
	    "head BLOB NOT NULL, line TEXT NOT NULL);"

static const char *const system_schema[] = {
	"CREATE TABLE meta (name TEXT PRIMARY KEY NOT NULL, "
	    "value BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE tenants (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "name TEXT NOT NULL UNIQUE, state INTEGER NOT NULL, "
	    "created INTEGER NOT NULL, version INTEGER NOT NULL, "
	    "title BLOB NOT NULL, contact BLOB NOT NULL, "
	    "proof BLOB NOT NULL);"
	"CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "at INTEGER NOT NULL, entry BLOB NOT NULL);"
	"PRAGMA user_version = 1;",
	"CREATE TABLE operators (uid INTEGER PRIMARY KEY, "
	    "version INTEGER NOT NULL, role INTEGER NOT NULL, "
	    "granter INTEGER NOT NULL, granted INTEGER NOT NULL, "
	    "until INTEGER NOT NULL, entry BLOB NOT NULL);"
	"PRAGMA user_version = 2;",
	CHAIN "PRAGMA user_version = 3;",
	"CREATE TABLE endings (tenant INTEGER PRIMARY KEY, "
	    "at INTEGER NOT NULL, proof BLOB NOT NULL);"
	"CREATE TABLE erased (id INTEGER PRIMARY KEY, name TEXT NOT NULL, "
	    "at INTEGER NOT NULL, text BLOB NOT NULL, sig TEXT);"
	"PRAGMA user_version = 4;",
	"CREATE TABLE backups (id INTEGER PRIMARY KEY, "
	    "state BLOB NOT NULL);"
	"PRAGMA user_version = 5;",
	/* Since when a key is in force; and who has taken copies of which. */
	"CREATE TABLE keys (tenant INTEGER PRIMARY KEY, "
	    "generation INTEGER NOT NULL, since INTEGER NOT NULL);"
	"CREATE TABLE key_backups (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "at INTEGER NOT NULL, uid INTEGER NOT NULL, "
	    "name BLOB NOT NULL);"
	"CREATE TABLE key_copies (tenant INTEGER NOT NULL, "
	    "backup INTEGER NOT NULL, generation INTEGER NOT NULL, "
	    "PRIMARY KEY (tenant, backup, generation)) WITHOUT ROWID;"
	"PRAGMA user_version = 6;",
	"CREATE TABLE exports (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "version INTEGER NOT NULL, at INTEGER NOT NULL, "
	    "tenant INTEGER NOT NULL, entry BLOB NOT NULL);"
	"CREATE INDEX exports_tenant ON exports (tenant, id);"
	"CREATE TABLE notices (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "name TEXT NOT NULL, tenant INTEGER NOT NULL, "
	    "entry BLOB NOT NULL, UNIQUE (name, tenant));"
	"PRAGMA user_version = 7;",
	NULL
};

static const char *const tenant_schema[] = {
	"CREATE TABLE meta (name TEXT PRIMARY KEY NOT NULL, "
	    "value BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "role INTEGER NOT NULL, state INTEGER NOT NULL, "
	    "created INTEGER NOT NULL, last INTEGER NOT NULL DEFAULT 0, "
	    "version INTEGER NOT NULL, secver INTEGER NOT NULL, "
	    "floor INTEGER NOT NULL DEFAULT 0, "
	    "mail_key BLOB NOT NULL UNIQUE, mail BLOB NOT NULL, "
	    "profile BLOB NOT NULL, rights BLOB NOT NULL, secret BLOB);"
	"CREATE INDEX users_admins ON users (role, state);"
	"CREATE TABLE tokens (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "sha BLOB NOT NULL UNIQUE, "
	    "user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, "
	    "created INTEGER NOT NULL, seen INTEGER NOT NULL, "
	    "expires INTEGER NOT NULL, client BLOB NOT NULL);"
	"CREATE INDEX tokens_user ON tokens (user, id);"
	"CREATE INDEX tokens_expires ON tokens (expires);"
	"CREATE TABLE links (user INTEGER PRIMARY KEY "
	    "REFERENCES users (id) ON DELETE CASCADE, "
	    "sha BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL, "
	    "expires INTEGER NOT NULL, proof BLOB NOT NULL);"
	"CREATE TABLE groups (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "version INTEGER NOT NULL, name_key BLOB NOT NULL UNIQUE, "
	    "name BLOB NOT NULL, members BLOB NOT NULL);"
	"CREATE TABLE floors (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "version INTEGER NOT NULL, edition INTEGER NOT NULL, "
	    "created INTEGER NOT NULL, name_key BLOB NOT NULL UNIQUE, "
	    "name BLOB NOT NULL, rights BLOB NOT NULL, map BLOB NOT NULL);"
	"CREATE TABLE places ("
	    "user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, "
	    "floor INTEGER NOT NULL REFERENCES floors (id) "
	    "ON DELETE CASCADE, spot BLOB NOT NULL, "
	    "PRIMARY KEY (user, floor)) WITHOUT ROWID;"
	"CREATE INDEX places_floor ON places (floor);"
	"CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "at INTEGER NOT NULL, kind INTEGER NOT NULL, "
	    "a INTEGER NOT NULL, b INTEGER NOT NULL, "
	    "sender INTEGER NOT NULL, ref BLOB NOT NULL, "
	    "text BLOB NOT NULL);"
	"CREATE INDEX messages_channel ON messages (kind, a, b, id);"
	"CREATE UNIQUE INDEX messages_ref ON messages (sender, ref);"
	"CREATE TABLE dms (a INTEGER NOT NULL, b INTEGER NOT NULL, "
	    "last INTEGER NOT NULL, PRIMARY KEY (a, b)) WITHOUT ROWID;"
	"CREATE INDEX dms_b ON dms (b);"
	"CREATE TABLE reads ("
	    "user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, "
	    "kind INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL, "
	    "last INTEGER NOT NULL, "
	    "PRIMARY KEY (user, kind, a, b)) WITHOUT ROWID;"
	"CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "at INTEGER NOT NULL, entry BLOB NOT NULL);"
	"PRAGMA user_version = 1;",
	"CREATE TABLE factors (user INTEGER PRIMARY KEY "
	    "REFERENCES users (id) ON DELETE CASCADE, "
	    "version INTEGER NOT NULL, data BLOB NOT NULL);"
	"PRAGMA user_version = 2;",
	/* Of passwords from before nobody is told, and their age begins now. */
	"CREATE TABLE passwords (user INTEGER PRIMARY KEY "
	    "REFERENCES users (id) ON DELETE CASCADE, "
	    "changed INTEGER NOT NULL, told INTEGER NOT NULL);"
	"INSERT INTO passwords (user, changed, told) SELECT id, "
	    "1000 * CAST(strftime('%s', 'now') AS INTEGER), -1 FROM users "
	    "WHERE secret IS NOT NULL;"
	"CREATE TABLE old_passwords (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, "
	    "secret BLOB NOT NULL);"
	"CREATE INDEX old_passwords_user ON old_passwords (user, id);"
	"PRAGMA user_version = 3;",
	/* Those of the roles that all tenants have come when they are set. */
	"CREATE TABLE roles (id INTEGER PRIMARY KEY, "
	    "version INTEGER NOT NULL, name_key BLOB NOT NULL UNIQUE, "
	    "name BLOB NOT NULL, rights BLOB NOT NULL);"
	"PRAGMA user_version = 4;",
	"CREATE TABLE locks (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "lock_key BLOB NOT NULL UNIQUE, mail_key BLOB NOT NULL, "
	    "until INTEGER NOT NULL, proof BLOB NOT NULL);"
	"CREATE INDEX locks_mail ON locks (mail_key);"
	"CREATE INDEX locks_until ON locks (until);"
	"CREATE TABLE alerts (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "begun INTEGER NOT NULL UNIQUE, last INTEGER NOT NULL, "
	    "body BLOB NOT NULL);"
	"PRAGMA user_version = 5;",
	"CREATE TABLE passkeys (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, "
	    "created INTEGER NOT NULL, last INTEGER NOT NULL DEFAULT 0, "
	    "version INTEGER NOT NULL, cred_key BLOB NOT NULL UNIQUE, "
	    "cred BLOB NOT NULL, count BLOB NOT NULL, name BLOB NOT NULL);"
	"CREATE INDEX passkeys_user ON passkeys (user, id);"
	"PRAGMA user_version = 6;",
	"CREATE TABLE guests (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "version INTEGER NOT NULL, sha BLOB NOT NULL UNIQUE, "
	    "terms BLOB NOT NULL, secret BLOB);"
	"CREATE TABLE visits (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "user INTEGER NOT NULL UNIQUE, guest INTEGER NOT NULL, "
	    "state INTEGER NOT NULL, began INTEGER NOT NULL, "
	    "ended INTEGER NOT NULL, version INTEGER NOT NULL, "
	    "detail BLOB NOT NULL);"
	"CREATE INDEX visits_here ON visits (id) WHERE state < 3;"
	"PRAGMA user_version = 7;",
	CHAIN "PRAGMA user_version = 8;",
	/* What is being erased, what may not be, and names beside the trail. */
	"CREATE TABLE erasures (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "what INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL, "
	    "since INTEGER NOT NULL, until INTEGER NOT NULL, "
	    "last INTEGER NOT NULL, after INTEGER NOT NULL DEFAULT 0, "
	    "mark BLOB NOT NULL DEFAULT x'', "
	    "gone INTEGER NOT NULL DEFAULT 0, "
	    "named INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE holds (user INTEGER PRIMARY KEY, at INTEGER NOT NULL, "
	    "operator INTEGER NOT NULL, reason BLOB NOT NULL);"
	"CREATE TABLE audit_names (id INTEGER PRIMARY KEY, "
	    "user INTEGER NOT NULL, names BLOB NOT NULL);"
	"CREATE INDEX audit_names_user ON audit_names (user);"
	"PRAGMA user_version = 9;",
	NULL
};

static const char *const log_schema[] = {
	"CREATE TABLE meta (name TEXT PRIMARY KEY NOT NULL, "
	    "value BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE access (id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "first INTEGER NOT NULL, last INTEGER NOT NULL, "
	    "block BLOB NOT NULL);"
	"PRAGMA user_version = 1;",
	NULL
};

static const char *const *
schema_of(int kind)
{
	return (kind == STMT_SYSTEM ? system_schema : kind == STMT_LOG ?
	    log_schema : tenant_schema);
}

const char *
stmt_sql(enum stmt s)
{
	return ((unsigned int)s < S_MAX ? rows[s].r_sql : NULL);
}

const char *
stmt_name(enum stmt s)
{
	return ((unsigned int)s < S_MAX ? rows[s].r_name : "?");
}

int
stmt_kinds(enum stmt s)
{
	return ((unsigned int)s < S_MAX ? rows[s].r_kinds : 0);
}

const struct sealed *
stmt_sealed(size_t i)
{
	return (i < sizeof(sealed) / sizeof(sealed[0]) ? &sealed[i] : NULL);
}

int
stmt_newest(int kind)
{
	const char *const	*s = schema_of(kind);
	int			 n;

	for (n = 0; s[n] != NULL; n++)
		;
	return (n);
}

const char *
stmt_schema(int kind, int n)
{
	if (n < 0 || n >= stmt_newest(kind))
		return (NULL);
	return (schema_of(kind)[n]);
}

/*
 * FULL: a commit is on the disk when it returns; of an access log a power cut
 * may take the last second.  Nothing is written elsewhere than in the file and
 * its log, and what is deleted is overwritten.  The schema in the file is not
 * trusted.
 */
#define SETUP(synchronous)						\
	"PRAGMA trusted_schema = OFF;"					\
	"PRAGMA cell_size_check = ON;"					\
	"PRAGMA temp_store = MEMORY;"					\
	"PRAGMA mmap_size = 0;"						\
	"PRAGMA cache_size = -1024;"					\
	"PRAGMA journal_mode = WAL;"					\
	"PRAGMA synchronous = " synchronous ";"				\
	"PRAGMA journal_size_limit = 4194304;"				\
	"PRAGMA secure_delete = ON;"					\
	"PRAGMA foreign_keys = ON;"

/* Whoever makes a copy has it written to the disk himself. */
#define GUARD								\
	"PRAGMA trusted_schema = OFF;"					\
	"PRAGMA cell_size_check = ON;"					\
	"PRAGMA temp_store = MEMORY;"					\
	"PRAGMA mmap_size = 0;"						\
	"PRAGMA cache_size = -1024;"

const char *
stmt_setup(int kind)
{
	if (kind == STMT_READ)
		return (GUARD);
	if (kind == STMT_COPY)
		return (GUARD "PRAGMA journal_mode = OFF;"
		    "PRAGMA synchronous = OFF;");
	return (kind == STMT_LOG ? SETUP("NORMAL") : SETUP("FULL"));
}
