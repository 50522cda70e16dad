/*
 * All SQL.  Values are bound, never pasted: a statement is a constant.
 */
#ifndef STMT_H
#define STMT_H

#include <stddef.h>

/* Which kinds of file a statement is for. */
#define STMT_SYSTEM	0x01
#define STMT_TENANT	0x02
#define STMT_LOG	0x04	/* an access log of a month */
/* For stmt_setup() alone: a copy that is read, and one that is made. */
#define STMT_READ	0x08
#define STMT_COPY	0x10

/* How rows of a table are walked: by what, those after one, this one. */
#define ROWS_BY(key)	key, key " > ?1 ORDER BY " key, key " = ?1"
#define ROWS_PLACES	"user << 32 | floor", "(user, floor) > "	\
	"(?1 >> 32, ?1 & 4294967295) ORDER BY user, floor",		\
	"(user, floor) = (?1 >> 32, ?1 & 4294967295)"

/*
 * Every column that is sealed, meta's values apart (reseal.c), with what is
 * bound to it: the version, and clear columns as seal_at has them.  There each
 * is n a number of 8 bytes, b bytes, t a tenant's name, h a number of 4 bytes
 * in the order of this machine.  What is not here does not survive a rotation
 * of the key: test_stmt holds it against the schema.
 */
#define STMT_SEALED(X)							\
	X(TENANT_TITLE, STMT_SYSTEM, "tenants", "title",		\
	    ROWS_BY("id"), "0", "", "")					\
	X(TENANT_CONTACT, STMT_SYSTEM, "tenants", "contact",		\
	    ROWS_BY("id"), "0", "", "")					\
	X(TENANT_PROOF, STMT_SYSTEM, "tenants", "proof",		\
	    ROWS_BY("id"), "version", ", state, name", "nt")		\
	X(OPERATOR, STMT_SYSTEM, "operators", "entry",			\
	    ROWS_BY("uid"), "version",					\
	    ", role, granter, granted, until", "nnnn")			\
	X(ENDING, STMT_SYSTEM, "endings", "proof",			\
	    ROWS_BY("tenant"), "at", "", "")				\
	X(ERASED, STMT_SYSTEM, "erased", "text",			\
	    ROWS_BY("id"), "0", "", "")					\
	X(BACKUP, STMT_SYSTEM, "backups", "state",			\
	    ROWS_BY("id"), "0", "", "")					\
	X(KEY_BACKUP, STMT_SYSTEM, "key_backups", "name",		\
	    ROWS_BY("id"), "0", ", at, uid", "nn")			\
	X(EXPORT, STMT_SYSTEM, "exports", "entry",			\
	    ROWS_BY("id"), "version", ", at, tenant", "nn")		\
	X(NOTICE, STMT_SYSTEM, "notices", "entry",			\
	    ROWS_BY("id"), "0", ", tenant, name", "nt")			\
	X(AUDIT, STMT_SYSTEM | STMT_TENANT, "audit", "entry",		\
	    ROWS_BY("id"), "0", "", "")					\
	X(ACCESS, STMT_LOG, "access", "block",				\
	    ROWS_BY("id"), "0", "", "")					\
	X(USER_MAIL, STMT_TENANT, "users", "mail",			\
	    ROWS_BY("id"), "0", "", "")					\
	X(USER_PROFILE, STMT_TENANT, "users", "profile",		\
	    ROWS_BY("id"), "0", "", "")					\
	X(USER_RIGHTS, STMT_TENANT, "users", "rights",			\
	    ROWS_BY("id"), "version", "", "")				\
	X(USER_SECRET, STMT_TENANT, "users", "secret",			\
	    ROWS_BY("id"), "secver", "", "")				\
	X(TOKEN, STMT_TENANT, "tokens", "client",			\
	    ROWS_BY("id"), "0", ", user, created, expires, sha",	\
	    "nnnb")							\
	X(LINK, STMT_TENANT, "links", "proof",				\
	    ROWS_BY("user"), "0", ", kind, expires, sha", "nnb")	\
	X(GROUP_NAME, STMT_TENANT, "groups", "name",			\
	    ROWS_BY("id"), "0", "", "")					\
	X(GROUP_MEMBERS, STMT_TENANT, "groups", "members",		\
	    ROWS_BY("id"), "version", "", "")				\
	X(FLOOR_NAME, STMT_TENANT, "floors", "name",			\
	    ROWS_BY("id"), "0", "", "")					\
	X(FLOOR_RIGHTS, STMT_TENANT, "floors", "rights",		\
	    ROWS_BY("id"), "version", "", "")				\
	X(FLOOR_MAP, STMT_TENANT, "floors", "map",			\
	    ROWS_BY("id"), "edition", "", "")				\
	X(PLACE, STMT_TENANT, "places", "spot",				\
	    ROWS_PLACES, "0", "", "")					\
	X(MESSAGE, STMT_TENANT, "messages", "text",			\
	    ROWS_BY("id"), "0", ", kind, a, b, at, sender", "nnnnn")	\
	X(FACTOR, STMT_TENANT, "factors", "data",			\
	    ROWS_BY("user"), "version", "", "")				\
	X(OLD_PASSWORD, STMT_TENANT, "old_passwords", "secret",		\
	    ROWS_BY("id"), "0", ", user", "h")				\
	X(ROLE_NAME, STMT_TENANT, "roles", "name",			\
	    ROWS_BY("id"), "0", "", "")					\
	X(ROLE_RIGHTS, STMT_TENANT, "roles", "rights",			\
	    ROWS_BY("id"), "version", "", "")				\
	X(LOCK, STMT_TENANT, "locks", "proof",				\
	    ROWS_BY("id"), "0", ", until, mail_key, lock_key", "nbb")	\
	X(ALERT, STMT_TENANT, "alerts", "body",				\
	    ROWS_BY("id"), "0", ", begun, last", "nn")			\
	X(PASSKEY, STMT_TENANT, "passkeys", "cred",			\
	    ROWS_BY("id"), "0", ", user, created, cred_key", "nnb")	\
	X(PASSKEY_COUNT, STMT_TENANT, "passkeys", "count",		\
	    ROWS_BY("id"), "version", "", "")				\
	X(PASSKEY_NAME, STMT_TENANT, "passkeys", "name",		\
	    ROWS_BY("id"), "0", "", "")					\
	X(GUEST_TERMS, STMT_TENANT, "guests", "terms",			\
	    ROWS_BY("id"), "version", ", sha", "b")			\
	X(GUEST_SECRET, STMT_TENANT, "guests", "secret",		\
	    ROWS_BY("id"), "0", ", sha", "b")				\
	X(AUDIT_NAMES, STMT_TENANT, "audit_names", "names",		\
	    ROWS_BY("id"), "user", "", "")				\
	X(HOLD, STMT_TENANT, "holds", "reason",				\
	    ROWS_BY("user"), "at", "", "")				\
	X(VISIT, STMT_TENANT, "visits", "detail",			\
	    ROWS_BY("id"), "version",					\
	    ", user, guest, state, began, ended", "nnnnn")

enum stmt {
	/* both kinds of file */
	S_BEGIN,
	S_COMMIT,
	S_ROLLBACK,
	S_SAVE,
	S_LAZY,
	S_STRICT,
	S_RELEASE,
	S_UNDO,
	S_META_GET,
	S_META_SET,
	S_SEQUENCE,
	S_SEQUENCES,
	S_SEQUENCES_ALL,
	S_SEQUENCE_RAISE,
	S_SEQUENCES_SKIP,
	S_AUDIT_ADD,
	S_AUDIT_MAC,
	S_AUDIT_WALK,
	S_AUDIT_FROM,
	S_AUDIT_NEXT,
	S_AUDIT_BACK,
	S_AUDIT_BEFORE,
	S_COUNT_AUDIT,
	S_AUDIT_COUNT,
	S_PURGE_AUDIT,
	S_PURGE_POINTS,
	S_PAGES,
	S_POINT_ADD,
	S_POINT_LAST,
	S_POINTS,
	S_VERSION,
	S_LOOK,
	S_INTEGRITY,

	/* access logs */
	S_LOG_ADD,
	S_LOG_WALK,
	S_LOG_PIECE,

	/* system.db */
	S_TENANTS,
	S_TENANT_ADD,
	S_TENANT_SET,
	S_TENANT_DEL,
	S_TENANT_THERE,
	S_ENDING_PUT,
	S_ENDING_GET,
	S_ENDING_DEL,
	S_ERASED_ADD,
	S_ERASED_SIG,
	S_ERASED_GET,
	S_ERASED_LIST,
	S_ERASED_OPEN,
	S_BACKUP_PUT,
	S_BACKUP_GET,
	S_BACKUP_DEL,
	S_TENANT_COUNT,
	S_OPERATORS,
	S_OPERATOR_GET,
	S_OPERATOR_PUT,
	S_OPERATOR_DEL,
	S_OPERATOR_COUNT,
	S_EXPORT_PUT,
	S_EXPORT_GET,
	S_EXPORTS,
	S_EXPORTS_OF,
	S_EXPORTS_OLD,
	S_NOTICE_PUT,
	S_NOTICE_DEL,
	S_NOTICES,
	S_STORE_EXPORT,

	/* a tenant: people */
	S_USER_ADD,
	S_USER_GET,
	S_USER_FIND,
	S_USERS,
	S_USER_THERE,
	S_USER_COUNT,
	S_USER_ADMINS,
	S_USER_ADMIN_COUNT,
	S_USER_PROFILE,
	S_USER_RIGHTS,
	S_USER_SECRET,
	S_USER_LAST,
	S_USER_FLOOR,
	S_USER_DEL,
	S_USER_DEL_DMS,
	S_USER_DEL_TALK,
	S_USER_DEL_READS,
	S_USER_ROLE_COUNT,

	/* sign-ins and links */
	S_TOKEN_ADD,
	S_TOKEN_FIND,
	S_TOKEN_SEEN,
	S_TOKEN_ANEW,
	S_TOKEN_DEL,
	S_TOKEN_OLD,
	S_TOKENS_DEL,
	S_TOKENS_KEEP,
	S_TOKENS_EXPIRED,
	S_TOKENS,
	S_TOKENS_OF,
	S_TOKEN_DEL_OF,
	S_PASSWORD_PUT,
	S_PASSWORD_TELL,
	S_PASSWORD_KNOWN,
	S_PASSWORD_TOLD,
	S_PASSWORD_CHANGED,
	S_OLD_ADD,
	S_OLD_LIST,
	S_OLD_TRIM,
	S_LINK_PUT,
	S_LINK_FIND,
	S_LINK_OF,
	S_LINK_DEL,
	S_FACTOR_GET,
	S_FACTOR_PUT,
	S_FACTOR_DEL,
	S_PASSKEY_ADD,
	S_PASSKEY_GET,
	S_PASSKEY_FIND,
	S_PASSKEYS_OF,
	S_PASSKEY_COUNT,
	S_PASSKEY_USED,
	S_PASSKEY_NAME,
	S_PASSKEY_DEL,
	S_PASSKEYS_DEL,

	/* what guessing has led to */
	S_LOCK_ADD,
	S_LOCK_DEL,
	S_LOCK_UNTIL,
	S_LOCK_COUNT,
	S_LOCKS,
	S_LOCKS_OF,
	S_LOCKS_DEL,
	S_LOCKS_OVER,
	S_ALERT_FIND,
	S_ALERT_PUT,
	S_ALERTS,
	S_ALERTS_OLD,

	/* guests: URLs and visits */
	S_GUESTS,
	S_GUEST_ADD,
	S_GUEST_FIND,
	S_GUEST_SECRET,
	S_GUEST_USED,
	S_GUEST_DEL,
	S_VISITS,
	S_VISITS_OF,
	S_VISIT_COUNT,
	S_VISIT_OF,
	S_VISIT_THERE,
	S_VISIT_ADD,
	S_VISIT_SET,

	/* roles, groups and floors */
	S_ROLES,
	S_ROLE_PUT,
	S_ROLE_DEL,
	S_GROUPS,
	S_GROUP_ADD,
	S_GROUP_NAME,
	S_GROUP_MEMBERS,
	S_GROUP_DEL,
	S_FLOORS,
	S_FLOOR_ADD,
	S_FLOOR_MAP,
	S_FLOOR_NAME,
	S_FLOOR_RIGHTS,
	S_FLOOR_DEL,
	S_FLOOR_DEL_READS,
	S_FLOOR_COUNT,
	S_PLACE_GET,
	S_PLACE_PUT,

	/* messages */
	S_SAY,
	S_SAID,
	S_HISTORY,
	S_LAST,
	S_DM_PUT,
	S_DMS,
	S_DM_THERE,
	S_DM_ANY,
	S_READ_GET,
	S_READ_PUT,
	S_UNREAD,
	S_TALK_OF,
	S_TALK_DEL,
	S_COUNT_TALK,
	S_TALK_COUNT,
	S_TALK_PIECE,
	S_FORGET_TOKENS,
	S_FORGET_LINKS,
	S_PURGE_TALK,
	S_PURGE_DMS,
	S_TALK_WALK,
	S_VISIT_WALK,

	/* what there is: as S_COUNT_AUDIT, with bytes in place of the last */
	S_STORE_PEOPLE,
	S_STORE_PASSWORD,
	S_STORE_SIGNIN,
	S_STORE_FLOOR,
	S_STORE_CHAT,
	S_STORE_AUDIT,

	/* erasure and holds */
	S_TALK_UPTO,
	S_TALK_NEXT,
	S_TALK_OTHER,
	S_TALK_NEWEST,
	S_TALK_WRITTEN,
	S_TALK_NAMED,
	S_TALK_UNNAME,
	S_ERASURE_ADD,
	S_ERASURE_NEXT,
	S_ERASURE_SET,
	S_ERASURE_DEL,
	S_ERASURE_COUNT,
	S_ERASURE_UNTIL,
	S_ERASURE_NAMES,
	S_ERASE_RANGE,
	S_ERASE_DIRECT,
	S_ERASE_GONE,
	S_ERASE_SENDER,
	S_AUDIT_NAMES_PUT,
	S_AUDIT_NAMES_GET,
	S_AUDIT_NAMES_WALK,
	S_AUDIT_NAMES_NONE,
	S_AUDIT_NAMES_DEL,
	S_PURGE_NAMES,
	S_HOLDS,
	S_HOLD_PUT,
	S_HOLDS_NONE,
	S_HOLD_DEL,
	S_HOLD_OF,
	S_HOLD_ANY,
	S_HOLD_DIRECT,
	S_HOLD_SENT,
	S_HOLD_GOT,
	/* keys */
	S_KEY_PUT,
	S_KEY_GET,
	S_KEY_BACKUP,
	S_KEY_COPY,
	S_KEY_COPIES,
#define STMT_NAMES(name, ...)	S_WALK_##name, S_RESEAL_##name,
	STMT_SEALED(STMT_NAMES)
#undef STMT_NAMES
	S_MAX
};

/* A column that is sealed.  The walk gives the row after ?1: its number,
 * version, record, and what is bound; the other puts record ?2 in place. */
struct sealed {
	const char	*sl_table, *sl_column, *sl_bound;
	int		 sl_kinds;
	enum stmt	 sl_walk, sl_put;
};
/* The i-th, from 0; NULL: that was the last. */
const struct sealed *stmt_sealed(size_t i);

/* The text of a statement, and its name for logs. */
const char	*stmt_sql(enum stmt);
const char	*stmt_name(enum stmt);

/* Which kinds of file a statement is for, STMT_*. */
int		 stmt_kinds(enum stmt);

/*
 * Forward steps of the schema: the script that leads from version n to n + 1,
 * or NULL when n is the newest that this program knows.
 */
const char	*stmt_schema(int kind, int n);
int		 stmt_newest(int kind);

/* What each connection to such a file is told first. */
const char	*stmt_setup(int kind);

#endif
