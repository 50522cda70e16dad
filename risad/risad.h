/*
 * What every process of risad shares: limits, the types of the imsgs between
 * them, and the structs in which a decoded imsg is handed to its reader.
 */
#ifndef RISAD_H
#define RISAD_H

#include <sys/types.h>

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#undef R_OK			/* of access(2), which we never ask */

#define RISAD_VERSION		"0.1"
#define RISAD_CONF		"/etc/risad/risad.conf"
#define RISAD_SOCKET		"/run/risad.sock"
#define RISAD_EMPTY		"/var/empty"

#define MAX_SESSIONS		16	/* workers; avatar ids leave 4 bits */
#define MAX_HASHES		16
#define MAX_PAYLOAD		(128 * 1024)	/* of one imsg */

#define MAX_LABEL		32	/* a tenant's name, a label of DNS */
#define MAX_HOST		253
#define MAX_MAIL		254	/* RFC 5321, path less the brackets */
#define MAX_NAME_CHARS		64
#define MAX_NAME		(MAX_NAME_CHARS * 4)
#define MAX_TITLE_CHARS		100
#define MAX_TITLE		(MAX_TITLE_CHARS * 4)
#define MAX_NOTE_CHARS		80
#define MAX_NOTE		(MAX_NOTE_CHARS * 4)
#define MAX_TEXT_CHARS		4000
#define MAX_TEXT		(MAX_TEXT_CHARS * 4)
#define MAX_REF			64
#define MAX_PASSWORD_CHARS	128
#define MAX_PASSWORD		(MAX_PASSWORD_CHARS * 4)
#define MAX_ADDR		45	/* an IPv6 address as text */
#define MAX_AGENT		200
#define MAX_POLICY		256	/* bytes of a tenant's rules */
#define MAX_MAP			(96 * 1024)
#define MAX_PATH		1023
#define MAX_LINE		1000	/* a sentence for the operator */
#define MAX_FLOORS		256	/* of a tenant */
#define MAX_GROUPS		256
#define MAX_USERS		20000
#define MAX_MEMBERS		4096	/* listed in one request */
#define MAX_SEALED		1024	/* a sealed password hash */
#define MAX_SIGN		1024	/* to be signed, or signed */
#define MAX_TICKET		80	/* a key that seals TLS tickets */
#define TOKEN_LEN		32	/* bytes of a token, a link, a hash */

/* PROC_CONTROL is no process: it stands for risactl on the control socket. */
enum proc_type {
	PROC_PARENT,
	PROC_STORAGE,
	PROC_KEYS,
	PROC_HASH,
	PROC_AUTH,
	PROC_SESSION,
	PROC_CONTROL,
	PROC_MAX
};

/* How a request ended; travels in m_result. */
enum result {
	R_OK,
	R_UNAVAILABLE,		/* a peer is down or a disk full: try again */
	R_BUSY,			/* queue is full: try again after arg seconds */
	R_TOOMANY,		/* throttled: try again after arg seconds */
	R_SIGNIN,		/* mail, password or account do not fit */
	R_SESSION,		/* the token or grant is not valid */
	R_FORBIDDEN,
	R_NOTFOUND,
	R_CONFLICT,		/* field says what exists or prevents it */
	R_INVALID,		/* field says what is wrong */
	R_LINK,			/* invitation unknown, used or expired */
	R_REFUSED,		/* for the operator; field is a sentence */
	R_MAX
};

enum role	{ ROLE_MEMBER, ROLE_ADMIN, ROLE_MAX };
enum user_state	{ USER_INVITED, USER_ACTIVE, USER_LOCKED, USER_STATE_MAX };
enum tenant_state { TENANT_ACTIVE, TENANT_SUSPENDED, TENANT_STATE_MAX };
enum status	{ STATUS_AVAILABLE, STATUS_BUSY, STATUS_AWAY, STATUS_DND,
		  STATUS_MAX };
enum lang	{ LANG_AUTO, LANG_JA, LANG_EN, LANG_MAX };
/* floor: a = floor; room: a = floor, b = room; user: a = the other person. */
enum channel	{ CHANNEL_FLOOR, CHANNEL_ROOM, CHANNEL_USER, CHANNEL_MAX };
enum link_kind	{ LINK_INVITE, LINK_RESET, LINK_MAX };
/* Does the password fit?  Failed: it could not be found out. */
enum hash_answer { HASH_WRONG, HASH_RIGHT, HASH_FAILED, HASH_ANSWER_MAX };
/* Why a grant ended. */
enum grant_end	{ END_SIGNOUT, END_ENDED, END_SUSPENDED, END_EXPIRED,
		  END_MAX };

/* Bits of m_fields-like masks: which members of a change are meant. */
#define SET_NAME		0x0001
#define SET_LOOK		0x0002
#define SET_LANG		0x0004
#define SET_STATUS		0x0008
#define SET_NOTE		0x0010
#define SET_ROLE		0x0020
#define SET_STATE		0x0040
#define SET_OPEN		0x0080
#define SET_USERS		0x0100
#define SET_GROUPS		0x0200
#define SET_MEMBERS		0x0400

/*
 * Types.  Senders, receivers, fields and limits stand in the table of msg.c.
 * A request carries an id of the asker's choice; every imsg of the answer
 * repeats it.  Long answers are rows and then RESULT.
 */
enum imsg_type {
	IMSG_NONE,

	/* processes */
	IMSG_BOOT,		/* parent -> child: who to become */
	IMSG_PROCFD,		/* parent -> child: pipe to a sibling */
	IMSG_READY,		/* child -> parent: jailed and listening */
	IMSG_BADPEER,		/* child -> parent: it sent bad bytes */
	IMSG_BROKEN,		/* parent -> storage: end what it has seen */
	IMSG_VERBOSE,
	IMSG_SHUTDOWN,

	/* configuration, parent -> child */
	IMSG_CONF_SITE,		/* begins a generation */
	IMSG_CONF_FILE,		/* a descriptor and what it is */
	IMSG_CONF_END,
	IMSG_CONF_ACK,		/* child -> parent */
	IMSG_CONF_COMMIT,

	IMSG_RESULT,

	/* session -> keys */
	IMSG_SIGN,
	IMSG_SIGNED,
	IMSG_TICKET,
	IMSG_TICKET_KEY,

	/* auth -> hash */
	IMSG_HASH_MAKE,
	IMSG_HASH_MADE,
	IMSG_HASH_CHECK,
	IMSG_HASH_CHECKED,

	/* session -> auth */
	IMSG_LOGIN,
	IMSG_LOGIN_OK,
	IMSG_TOKEN,
	IMSG_LINK_GET,
	IMSG_LINK_USE,
	IMSG_PASSWORD,

	/* auth -> storage */
	IMSG_CRED_FIND,
	IMSG_CRED_TOKEN,
	IMSG_CRED,
	IMSG_CRED_SET,
	IMSG_TOKEN_NEW,
	IMSG_TOKEN_FIND,
	IMSG_TOKEN_ROW,
	IMSG_GRANT_NEW,
	IMSG_LINK_FIND,
	IMSG_LINK_SET,
	IMSG_LINK_DONE,

	/* storage -> session, auth: unasked */
	IMSG_TENANT,
	IMSG_GRANT,
	IMSG_GRANT_END,
	IMSG_LINK,
	IMSG_RIGHTS,		/* floors or rights of a tenant changed */
	IMSG_PROFILE,		/* somebody's name, look, status changed */

	/* session -> storage, under a grant */
	IMSG_GRANT_DROP,
	IMSG_SIGNOUT,
	IMSG_ME_SET,
	IMSG_USER,
	IMSG_FLOORS,
	IMSG_FLOOR_ROW,
	IMSG_FLOOR_GET,
	IMSG_FLOOR_DOC,
	IMSG_PLACE_SET,
	IMSG_SAY,
	IMSG_SAID,
	IMSG_HISTORY,
	IMSG_MESSAGE,
	IMSG_READ,
	IMSG_UNREAD,
	IMSG_UNREAD_ROW,
	IMSG_PEOPLE,
	IMSG_PERSON,

	/* session -> storage, role admin */
	IMSG_A_USERS,
	IMSG_A_USER,
	IMSG_A_USER_ADD,
	IMSG_A_USER_SET,
	IMSG_A_USER_DEL,
	IMSG_A_USER_LINK,
	IMSG_A_LINK,
	IMSG_A_GROUPS,
	IMSG_A_GROUP,
	IMSG_A_GROUP_ADD,
	IMSG_A_GROUP_SET,
	IMSG_A_GROUP_DEL,
	IMSG_A_TEMPLATES,
	IMSG_A_TEMPLATE,
	IMSG_A_FLOORS,
	IMSG_A_FLOOR,
	IMSG_A_FLOOR_ADD,
	IMSG_A_FLOOR_SET,
	IMSG_A_FLOOR_DEL,
	IMSG_A_TENANT_SET,
	IMSG_A_POLICY_SET,

	/* risactl -> auth, and auth -> storage or parent */
	IMSG_C_HELLO,
	IMSG_C_TENANT_ADD,
	IMSG_C_TENANT_LIST,
	IMSG_C_TENANT_SHOW,
	IMSG_C_TENANT_STATE,
	IMSG_C_TENANT_ROW,
	IMSG_C_USER_ADD,
	IMSG_C_USER_LIST,
	IMSG_C_USER_SHOW,
	IMSG_C_USER_STATE,
	IMSG_C_USER_LINK,
	IMSG_C_USER_DEL,
	IMSG_C_USER_ROW,
	IMSG_C_LINK_TOKEN,	/* storage -> auth */
	IMSG_C_LINK,		/* auth -> risactl: the URL */
	IMSG_C_FLOOR_ADD,
	IMSG_C_FLOOR_LIST,
	IMSG_C_FLOOR_SHOW,
	IMSG_C_FLOOR_ALLOW,
	IMSG_C_FLOOR_DEL,
	IMSG_C_FLOOR_ROW,
	IMSG_C_POLICY_SHOW,
	IMSG_C_POLICY_SET,
	IMSG_C_POLICY_ROW,
	IMSG_C_SESSION_LIST,
	IMSG_C_SESSION_END,
	IMSG_C_SESSION_ROW,
	IMSG_C_STATUS,
	IMSG_C_PROCESSES,
	IMSG_C_PROC_ROW,
	IMSG_C_STATS,
	IMSG_C_STAT_ROW,
	IMSG_C_RELOAD,
	IMSG_C_VERBOSE,

	/* session <-> session: the bus */
	IMSG_BUS_JOIN,
	IMSG_BUS_LEFT,
	IMSG_BUS_LEGS,
	IMSG_BUS_DOOR,

	/* storage -> session: what a worker need not believe another */
	IMSG_BUS_MSG,
	IMSG_BUS_GRANT,

	IMSG_MAX
};

/* What the descriptor of IMSG_CONF_FILE is. */
enum conf_file {
	FILE_LISTEN_TLS,	/* session: listening socket */
	FILE_LISTEN_REDIRECT,	/* session: plain HTTP, redirects */
	FILE_CERT,		/* session, keys: PEM chain */
	FILE_KEY,		/* keys: PEM private key */
	FILE_MASTER,		/* storage: 32 bytes */
	FILE_PEPPER,		/* hash: 32 bytes */
	FILE_CONTROL,		/* auth: listening unix socket */
	FILE_HTDOC,		/* session: name is the path in the URL */
	FILE_TEMPLATE,		/* storage: a floor's map, name without .json */
	FILE_MAX
};

/*
 * Decoded imsgs.  Strings and blobs point into the imsg: they are valid until
 * the handler returns; copy what is kept.  When sending, NULL is "".
 */
struct m_blob {
	const void	*mb_data;
	size_t		 mb_len;
};

struct m_none		{ uint8_t unused; };
struct m_boot {
	const char	*user, *dir;
	uint32_t	 nsession, nhash, verbose, debug;
};
struct m_procfd		{ uint8_t proc; uint16_t inst; };
struct m_verbose	{ uint32_t verbose; };

/* Every value of risad.conf that a child may know. */
struct m_site {
	uint64_t	 generation;
	const char	*domain;	/* tenants are labels below it */
	const char	*country;
	uint16_t	 port;		/* of URLs that we make */
	uint32_t	 argon_kib, argon_passes;
	uint32_t	 max_conns;	/* of one session process */
	uint32_t	 max_addr_conns;/* of one address there */
	uint32_t	 idle, absolute;	/* seconds, of a sign-in */
	uint32_t	 invite;	/* seconds an invitation lives */
};
struct m_conf_file	{ uint8_t kind; const char *name; };
struct m_conf_end	{ uint64_t generation; };
struct m_conf_ack	{ uint64_t generation; uint8_t ok; const char *why; };

struct m_result		{ uint32_t code; uint64_t arg; const char *field; };

struct m_sign {
	uint8_t		 key[TOKEN_LEN];	/* SHA-256 of the SPKI */
	uint8_t		 ec;			/* ECDSA, else RSA */
	uint32_t	 padding;		/* RSA_*_PADDING */
	struct m_blob	 data;
};
struct m_signed		{ uint8_t ok; struct m_blob sig; };
struct m_ticket_key	{ struct m_blob key; };

struct m_hash_make	{ const char *password; };
struct m_hash_made	{ uint8_t ok; struct m_blob sealed; };
struct m_hash_check	{ struct m_blob sealed; const char *password; };
struct m_hash_checked	{ uint8_t answer; };

struct m_login {
	uint32_t	 tenant;
	const char	*addr, *agent, *email, *password;
};
struct m_login_ok	{ uint8_t token[TOKEN_LEN]; };
struct m_token {
	uint32_t	 tenant;
	const char	*addr;
	uint8_t		 token[TOKEN_LEN];	/* of the cookie or the link */
};
struct m_link_use {
	uint32_t	 tenant;
	const char	*addr, *agent;
	uint8_t		 token[TOKEN_LEN];
	const char	*password;
};
struct m_password {
	uint32_t	 tenant;
	const char	*addr;
	uint8_t		 token[TOKEN_LEN];
	const char	*current, *new;
};

struct m_cred_find	{ uint32_t tenant; const char *email; };
struct m_sha		{ uint32_t tenant; uint8_t sha[TOKEN_LEN]; };
struct m_cred {
	uint32_t	 user;
	uint8_t		 state;
	struct m_blob	 sealed;		/* empty: no password yet */
};
struct m_cred_set {
	uint32_t	 tenant, user;
	uint8_t		 keep[TOKEN_LEN];	/* the sign-in that stays */
	struct m_blob	 sealed;
};
struct m_token_new {
	uint32_t	 tenant, user;
	uint8_t		 sha[TOKEN_LEN];
	uint64_t	 expires;		/* ms, the absolute limit */
	const char	*addr, *agent;
};
struct m_token_row {
	uint32_t	 user;
	uint8_t		 role, state;
	uint64_t	 created, seen, expires;	/* ms */
	uint32_t	 live;			/* grants in use now */
};
struct m_grant_new {
	uint32_t	 tenant;
	uint8_t		 sha[TOKEN_LEN];
	uint16_t	 inst;			/* the session process */
	uint32_t	 req;			/* and its request */
};
struct m_link_find {
	uint32_t	 tenant;
	uint8_t		 sha[TOKEN_LEN];
	uint16_t	 inst;
	uint32_t	 req;
};
struct m_link_set {
	uint32_t	 tenant;
	uint8_t		 sha[TOKEN_LEN];
	struct m_blob	 sealed;
};
struct m_link_done	{ uint32_t user; };

struct m_tenant {
	uint32_t	 id;
	uint8_t		 state, gone;
	const char	*name, *title;
	struct m_blob	 policy;		/* policy.h */
};
struct m_user {
	uint32_t	 tenant, user;
	uint8_t		 role, lang, status;
	uint32_t	 look;
	const char	*name, *note, *email;	/* email: only to oneself */
};
struct m_grant {
	uint64_t	 grant;
	uint64_t	 expires;		/* ms */
	uint32_t	 idle;			/* seconds */
	uint32_t	 last_floor;
	uint32_t	 tenant, user;
	uint8_t		 role, lang, status;
	uint32_t	 look;
	const char	*name, *note, *email;
};
struct m_grant_end	{ uint64_t grant; uint8_t why; };
struct m_link {
	uint8_t		 kind;
	const char	*email, *name;
};
struct m_rights		{ uint32_t tenant; };

struct m_grant_only	{ uint64_t grant; };
struct m_me_set {
	uint64_t	 grant;
	uint32_t	 mask;
	const char	*name, *note;
	uint32_t	 look;
	uint8_t		 lang, status;
};
struct m_floor_row	{ uint32_t floor, version; const char *name; };
struct m_grant_id	{ uint64_t grant; uint32_t id; };
struct m_floor_doc {
	uint32_t	 floor, version;
	uint8_t		 placed;		/* x, y: where one was last */
	uint16_t	 x, y;
	const char	*name;
	struct m_blob	 map;
};
struct m_place_set {
	uint64_t	 grant;
	uint32_t	 floor;
	uint16_t	 x, y;
};
struct m_say {
	uint64_t	 grant;
	uint8_t		 kind;			/* enum channel */
	uint32_t	 a, b;
	const char	*ref, *text;
};
struct m_said		{ uint64_t id, at; uint8_t again; };
struct m_history {
	uint64_t	 grant;
	uint8_t		 kind;
	uint32_t	 a, b;
	uint64_t	 before;		/* 0: the newest */
	uint32_t	 limit;
};
struct m_message {
	uint64_t	 id, at;
	uint32_t	 from;
	const char	*name, *text;
};
struct m_read {
	uint64_t	 grant;
	uint8_t		 kind;
	uint32_t	 a, b;
	uint64_t	 id;
};
struct m_unread_row {
	uint8_t		 kind;
	uint32_t	 a, b, count;
	uint64_t	 last;
};
struct m_person		{ uint32_t user, look; const char *name; };

struct m_a_user {
	uint32_t	 user;
	uint8_t		 role, state;
	uint64_t	 last, created, invite;		/* ms */
	const char	*email, *name;
	struct m_blob	 groups;		/* ids, 32 bit, big endian */
};
struct m_a_user_add {
	uint64_t	 grant;
	uint8_t		 role;
	const char	*email, *name;
};
struct m_a_user_set {
	uint64_t	 grant;
	uint32_t	 user, mask;
	uint8_t		 role, state;
	const char	*name;
};
struct m_a_link		{ uint8_t token[TOKEN_LEN]; uint64_t expires; };
struct m_a_group {
	uint64_t	 grant;			/* 0 in rows */
	uint32_t	 group, mask;
	const char	*name;
	struct m_blob	 members;		/* ids, 32 bit, big endian */
};
struct m_a_template	{ const char *name; };
struct m_a_floor {
	uint64_t	 grant;			/* 0 in rows */
	uint32_t	 floor, mask;
	uint8_t		 open;
	const char	*name, *template;
	struct m_blob	 users, groups;
};
struct m_a_tenant	{ uint64_t grant; const char *title; };
struct m_a_policy	{ uint64_t grant; struct m_blob was, policy; };

/* Control commands begin with the operator: auth writes the peer's uid. */
struct m_c_none		{ uint32_t op; };
struct m_c_hello	{ uint32_t version; };
struct m_c_verbose	{ uint32_t op, verbose; };
struct m_c_name		{ uint32_t op; const char *name; };
struct m_c_tenant_add	{ uint32_t op; const char *name, *title, *contact; };
struct m_c_tenant_state	{ uint32_t op; const char *name; uint8_t state; };
struct m_c_tenant_row {
	uint32_t	 id;
	uint8_t		 state;
	uint32_t	 users, floors, sessions;
	uint64_t	 created, bytes;
	const char	*name, *title, *contact;
};
struct m_c_user {
	uint32_t	 op;
	const char	*tenant, *email;
	uint8_t		 arg;		/* state, role or link kind */
	const char	*name;
};
struct m_c_user_row {
	uint32_t	 user;
	uint8_t		 role, state;
	uint64_t	 last, created, invite;
	const char	*email;
};
struct m_c_link_token {
	const char	*tenant;
	uint8_t		 token[TOKEN_LEN];
	uint64_t	 expires;
};
struct m_c_link		{ const char *url; uint64_t expires; };
struct m_c_floor_add {
	uint32_t	 op;
	const char	*tenant, *name, *template;
	struct m_blob	 map;			/* or of a template */
};
struct m_c_floor {
	uint32_t	 op;
	const char	*tenant, *floor;	/* name or number */
	const char	*user, *group;		/* both empty: everybody */
	uint8_t		 allow;
};
struct m_c_floor_row {
	uint32_t	 floor;
	uint8_t		 open;
	uint32_t	 users, groups, bytes;
	const char	*name;
	const char	*who;			/* in show: mails and groups */
};
struct m_c_session_row {
	uint32_t	 user;
	uint64_t	 created, seen, expires;
	uint32_t	 live;
	const char	*email, *addr, *agent;
};
struct m_c_proc_row {
	uint8_t		 proc;
	uint16_t	 inst;
	uint32_t	 pid, restarts;
	uint64_t	 started;		/* ms */
	uint8_t		 up;
};
struct m_c_policy {
	uint32_t	 op;
	const char	*tenant;
	uint8_t		 key;		/* enum policy_key */
	uint32_t	 value;
};
struct m_c_policy_row	{ const char *name; uint32_t value, min, max; };
struct m_c_stat_row	{ const char *name; uint64_t value; };

/* The bus.  An avatar's id: worker in the upper 4 bits, slot in the lower. */
struct m_bus_join {
	uint32_t	 tenant, floor, user;
	uint16_t	 id, over;		/* over: whom it replaces, 0 */
	uint8_t		 room, status, heading;
	uint32_t	 look;
	uint16_t	 x, y, tx, ty;
	uint32_t	 time;			/* when it was at x, y */
	uint32_t	 locker;		/* of its room, or 0 */
	const char	*name, *note;
};
struct m_bus_left {
	uint32_t	 tenant, floor, user;
	uint16_t	 id;
	uint8_t		 gone;			/* else: to another floor */
};
struct m_bus_legs {
	uint32_t	 tenant, floor;
	struct m_blob	 frame;			/* as sent to pages, 0x02 */
};
struct m_bus_door {
	uint32_t	 tenant, floor, by;
	uint8_t		 room, locked;
};
struct m_bus_msg {
	uint32_t	 tenant;
	uint8_t		 kind;
	uint32_t	 a, b, from;
	uint64_t	 id, at;
	const char	*name, *text;
};
struct m_bus_grant {			/* whose page a worker may hold */
	uint16_t	 inst;
	uint32_t	 tenant, user;
	uint8_t		 on;
};

#endif
