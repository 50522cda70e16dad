/*
 * All SQL.  Values are bound, never pasted: a statement is a constant.
 */
#ifndef STMT_H
#define STMT_H

enum stmt {
	/* both kinds of file */
	S_BEGIN,
	S_COMMIT,
	S_ROLLBACK,
	S_SAVE,
	S_RELEASE,
	S_UNDO,
	S_META_GET,
	S_META_SET,
	S_SEQUENCE,
	S_AUDIT_ADD,
	S_VERSION,

	/* system.db */
	S_TENANTS,
	S_TENANT_ADD,
	S_TENANT_SET,

	/* a tenant: people */
	S_USER_ADD,
	S_USER_GET,
	S_USER_FIND,
	S_USERS,
	S_USER_THERE,
	S_USER_COUNT,
	S_USER_ADMINS,
	S_USER_PROFILE,
	S_USER_RIGHTS,
	S_USER_SECRET,
	S_USER_LAST,
	S_USER_FLOOR,
	S_USER_DEL,
	S_USER_DEL_DMS,
	S_USER_DEL_TALK,
	S_USER_DEL_READS,

	/* sign-ins and links */
	S_TOKEN_ADD,
	S_TOKEN_FIND,
	S_TOKEN_SEEN,
	S_TOKEN_DEL,
	S_TOKEN_OLD,
	S_TOKENS_DEL,
	S_TOKENS_KEEP,
	S_TOKENS_EXPIRED,
	S_TOKENS,
	S_LINK_PUT,
	S_LINK_FIND,
	S_LINK_OF,
	S_LINK_DEL,

	/* groups and floors */
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
	S_FLOOR_DEL_TALK,
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
	S_READ_GET,
	S_READ_PUT,
	S_UNREAD,
	S_MAX
};

/* The text of a statement, and its name for logs. */
const char	*stmt_sql(enum stmt);
const char	*stmt_name(enum stmt);

/* Which kinds of file a statement is for. */
#define STMT_SYSTEM	0x01
#define STMT_TENANT	0x02
int		 stmt_kinds(enum stmt);

/*
 * Forward steps of the schema: the script that leads from version n to n + 1,
 * or NULL when n is the newest that this program knows.
 */
const char	*stmt_schema(int kind, int n);
int		 stmt_newest(int kind);

/* What each connection is told first. */
const char	*stmt_setup(void);

#endif
