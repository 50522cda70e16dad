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
#define MAX_COUNTRY		64
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
#define MAX_POLICY		8192	/* bytes of a tenant's rules */
#define MAX_DEVICE		71	/* a known device's token as text */
#define MAX_AUDIT		3400	/* a line: two lists, and words */
#define MAX_KEPT		2048	/* checkpoints compared at one time */
#define KEPT_LEN		(4 + 8 + 8 + TOKEN_LEN)
#define MAX_URI			512	/* of a request, in the access log */
#define MAX_MAP			(96 * 1024)
#define MAX_PATH		1023
#define MAX_TURN_URLS		8	/* of servers for talk */
#define MAX_TURN_URL		255
#define MAX_TURN		(MAX_TURN_URLS * (MAX_TURN_URL + 1))
#define MIN_TURN_SECRET		16	/* characters, shared with the relay */
#define MAX_TURN_SECRET		255
#define MAX_TURN_USER		63	/* and a password made from it */
#define MAX_KEYFILE		256
#define MAX_LINE		1000	/* a sentence for the operator */
#define BACKUP_NONE		1440	/* the minute that no day has */
#define MAX_BACKUPS		100	/* generations */
#define MAX_FLOORS		256	/* of a tenant */
#define MAX_SIGNAL		(48 * 1024)	/* of one, as JSON */
#define MAX_ASKED		64	/* people asked for by number */
#define MAX_GROUPS		256
#define MAX_ROLES		32	/* of a tenant's own */
#define MAX_USERS		20000
#define MAX_OPERATORS		256	/* of an installation */
#define MAX_REASON_CHARS	120	/* of a hold, or an export */
#define MAX_REASON		(MAX_REASON_CHARS * 4)
#define MAX_GUESTS		256	/* URLs for guests of a tenant */
#define MAX_VISITS		1000	/* guests of a tenant at one time */
#define MAX_USES		1000	/* of one URL */
#define MAX_MEMBERS		4096	/* listed in one request */
#define MAX_SEALED		1024	/* a sealed password hash */
#define MAX_GUESS		2048	/* that a password is guessed from */
#define MAX_HISTORY		24	/* passwords that may not come again */
#define MAX_OLD			(MAX_HISTORY * (2 + MAX_SEALED))
#define MAX_SIGN		1024	/* to be signed, or signed */
#define MAX_TICKET		80	/* a key that seals TLS tickets */
#define MAX_OTP			64	/* a code as somebody has typed it */
#define TOTP_SEED		20	/* bytes, as long as a SHA-1 */
#define RECOVERY_CODES		10	/* of somebody, at most */
#define RECOVERY_TEXT		20	/* XXXX-XXXX-XXXX-XXXX and its end */
#define TOKEN_LEN		32	/* bytes of a token, a link, a hash */
/* When a lock ends that ends by hand only: the end of 9999, in ms. */
#define LOCK_NEVER		253402300799000ULL
#define MAX_PASSKEYS		10	/* of a user */
#define MAX_CRED_ID		1023	/* WebAuthn's own limit */
#define MAX_CRED_KEY		320	/* a passkey's public key */
#define MAX_CRED_HANDLE		64	/* the user, to an authenticator */
#define MAX_CRED_DATA		1024	/* authenticator data at a sign-in */
#define MAX_CRED_SIG		512
#define MAX_CLIENT		2048	/* what the browser says it was for */
#define MAX_ATTEST		8192	/* a registration */
#define MAX_CRED_IDS		(MAX_PASSKEYS * (2 + MAX_CRED_ID))

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
	R_WEAK,			/* the password is guessed too easily */
	R_USED,			/* the password was used before */
	R_DOMAIN,		/* the rules invite nobody of this domain */
	R_LINK,			/* invitation unknown, used or expired */
	R_REFUSED,		/* for the operator; field is a sentence */
	R_FACTOR,		/* a second factor is missing: arg has FACTOR_
				 * bits, FACTOR_WRONG if one was shown */
	R_MUST,			/* something has to be done first (MUST_) */
	R_ADDRESS,		/* not from the address of the asker */
	R_EXCLUDES,		/* the list of the field is without it */
	R_LOCKED,		/* failed too often: again after arg seconds */
	R_HELD,			/* a legal hold forbids it */
	R_MAX
};

enum role	{ ROLE_MEMBER, ROLE_ADMIN, ROLE_GUEST, ROLE_MAX };
#define ROLE_CUSTOM	16		/* from here on the tenant's own */
/* What a role lets one do: bits, in the order of right_names of role.c. */
#define RIGHT_CHAT	0x01		/* write on floors and in rooms */
#define RIGHT_DM	0x02		/* have direct messages */
#define RIGHT_VOICE	0x04
#define RIGHT_VIDEO	0x08
#define RIGHT_SCREEN	0x10		/* show one's own */
#define RIGHT_GUEST	0x20		/* let guests in */
#define RIGHT_ALL	0x3f
/* Of which a floor can take something from everybody on it. */
#define RIGHT_TALK	(RIGHT_VOICE | RIGHT_VIDEO | RIGHT_SCREEN)
#define RIGHTS		6
/*
 * How sound and pictures travel: as the tenant's rule says (of a floor only),
 * from browser to browser, through the relay, or through it by TLS on port 443.
 */
enum talk_way	{ WAY_TENANT, WAY_DIRECT, WAY_RELAY, WAY_443, WAY_MAX };
/* What an operator may; each also what those before it may. */
enum op_role	{ OP_NONE, OP_AUDITOR, OP_OPERATOR, OP_OWNER, OP_MAX };
/*
 * What auth has to write in the audit trail: a command that it passes to
 * another process than storage begins, is done, has failed, or its client has
 * gone before that; a command is not for the role, a stranger was turned away.
 */
enum note	{ NOTE_BEGIN, NOTE_DONE, NOTE_FAILED, NOTE_LEFT, NOTE_ROLE,
		  NOTE_STRANGER, NOTE_MAX };
enum user_state	{ USER_INVITED, USER_ACTIVE, USER_LOCKED, USER_STATE_MAX };
enum tenant_state { TENANT_ACTIVE, TENANT_SUSPENDED, TENANT_STATE_MAX };
enum status	{ STATUS_AVAILABLE, STATUS_BUSY, STATUS_AWAY, STATUS_DND,
		  STATUS_MAX };
/*
 * Of a room: closed lets in who has knocked and was let in, locked nobody.
 */
enum door_state	{ DOOR_OPEN, DOOR_CLOSED, DOOR_LOCKED, DOOR_MAX };
/* What one may want of another, or of those in a room. */
enum call_kind	{ CALL_WAVE, CALL_COME, CALL_KNOCK, CALL_BUBBLE, CALL_JOIN,
		  CALL_MAX };
enum lang	{ LANG_AUTO, LANG_JA, LANG_EN, LANG_MAX };
/*
 * floor: a = floor; room: a = floor, b = room; user: a = the other person, and
 * in what a page asks b = the floor that both are on now, or 0.
 */
enum channel	{ CHANNEL_FLOOR, CHANNEL_ROOM, CHANNEL_USER, CHANNEL_MAX };
enum link_kind	{ LINK_INVITE, LINK_RESET, LINK_MAX };
/* Does the password fit?  Failed: it could not be found out. */
enum hash_answer { HASH_WRONG, HASH_RIGHT, HASH_FAILED, HASH_ANSWER_MAX };
/* A new password: made, or why not. */
enum make_answer { MAKE_FAILED, MAKE_OK, MAKE_WEAK, MAKE_USED,
		  MAKE_ANSWER_MAX };
/* What a password lacks. */
#define FAULT_TEXT		0x01	/* no UTF-8, or control characters */
#define FAULT_SHORT		0x02
#define FAULT_LONG		0x04	/* over MAX_PASSWORD_CHARS */
#define FAULT_KINDS		0x08
#define FAULT_WEAK		0x10	/* is guessed too easily */
#define FAULT_ALL		0x1f
/* What a line of an import does to somebody. */
enum import_what { IMPORT_SAME, IMPORT_ADD, IMPORT_CHANGE, IMPORT_FAULT,
		  IMPORT_WHAT_MAX };
/* What a challenge for a passkey is for. */
enum passkey_use { PASSKEY_SIGNIN, PASSKEY_REGISTER, PASSKEY_USE_MAX };
/* What the installation's own key signs; see proof.h. */
enum proof_kind	{ PROOF_CHECKPOINT, PROOF_LOG, PROOF_ERASURE, PROOF_EXPORT,
		  PROOF_MAX };
/* What the access log is about. */
enum access_kind { ACCESS_REQUEST, ACCESS_SIGNIN, ACCESS_SIGNOUT,
		  ACCESS_FAILED, ACCESS_ENTER, ACCESS_LEAVE, ACCESS_TALK,
		  ACCESS_TALKED, ACCESS_MAX };
/* How its lines are wanted: as rows, or as the text of a file. */
enum log_format	{ LOG_ROWS, LOG_CSV, LOG_JSONL, LOG_FORMAT_MAX };
/* What an erasure is of, while the tenant is in use. */
enum erase_what {
	ERASE_NAMES,		/* a person: what he wrote has no name then */
	ERASE_PERSON,		/* a person with all that he wrote */
	ERASE_FLOOR,		/* messages of a floor and its rooms */
	ERASE_PAIR,		/* what two people have written each other */
	ERASE_FLOORS,		/* messages of all floors */
	ERASE_ALL,		/* those, and all direct messages */
	ERASE_DIRECT,		/* direct messages of somebody deleted */
	ERASE_MAX
};
/* What is kept for a time, and goes then. */
enum keep_kind	{ KEEP_CHAT, KEEP_AUDIT, KEEP_LOG, KEEP_MAX };
/* What there is of a tenant, and of the installation. */
enum store_kind	{ STORE_PEOPLE, STORE_PASSWORD, STORE_SIGNIN, STORE_FLOOR,
		  STORE_CHAT, STORE_AUDIT, STORE_LOG, STORE_EXPORT, STORE_FILE,
		  STORE_BACKUP, STORE_REHEARSAL, STORE_MAX };
/* What was handed out as a file, and how that went. */
enum export_kind { EXPORT_TENANT, EXPORT_CSV, EXPORT_JSONL, EXPORT_KIND_MAX };
enum export_state { EXPORT_BEGUN, EXPORT_DONE, EXPORT_FAILED,
		  EXPORT_STATE_MAX };
/* What takes a second operator, if risad.conf says so, as bits. */
#define CONFIRM_DELETE		0x01	/* people, floors, a hold */
#define CONFIRM_ERASE		0x02	/* a tenant, people, chat */
#define CONFIRM_EXPORT		0x04	/* data, keys */
#define CONFIRM_OPERATOR	0x08	/* changes of the ledger */
#define CONFIRM_PURGE		0x10	/* now, or by other rules */
#define CONFIRM_ALL		0x1f
/* A tenant's key: all is sealed by it, or not yet, or it does not open. */
enum key_state	{ KEY_WHOLE, KEY_ROTATING, KEY_CLOSED, KEY_STATE_MAX };
/* What is wrong with a trail: a line, or that it cannot be looked at. */
enum audit_fault { AUDIT_WHOLE, AUDIT_CHANGED, AUDIT_MISSING, AUDIT_EXTRA,
		  AUDIT_POINT, AUDIT_KEPT, AUDIT_LOST, AUDIT_CLOSED,
		  AUDIT_GONE, AUDIT_ERASED, AUDIT_FAULT_MAX };
/* Why a grant ended; RENEW: what it allows has changed, ask for a new one. */
enum grant_end	{ END_SIGNOUT, END_ENDED, END_SUSPENDED, END_EXPIRED,
		  END_MUST, END_ADDRESS, END_REFUSED, END_LATE, END_REVOKED,
		  END_RENEW, END_MAX };
/* Where a guest is: has no name yet, waits at the door, is in, was here. */
enum visit_state { VISIT_NEW, VISIT_DOOR, VISIT_IN, VISIT_OVER,
		  VISIT_STATE_MAX };
/* Why nobody waits at the door any more. */
enum knock_end	{ KNOCK_IN, KNOCK_REFUSED, KNOCK_LATE, KNOCK_GONE,
		  KNOCK_END_MAX };

/* Second factors that somebody has, as bits. */
#define FACTOR_TOTP		0x01
#define FACTOR_RECOVERY		0x02	/* codes that are left */
#define FACTOR_PASSKEY		0x04
#define FACTOR_ALL		0x07
#define FACTOR_WRONG		0x08	/* in an answer: what was shown */

/* What the owner of a grant has to do before anything else, as bits. */
#define MUST_FACTOR		0x01	/* set up a second factor */
#define MUST_PASSWORD		0x02	/* choose a new password */
#define MUST_ALL		0x03

/* What somebody wants with his own second factor. */
enum factor_act	{ FACTOR_BEGIN, FACTOR_CONFIRM, FACTOR_CODES, FACTOR_DROP,
		  FACTOR_ACT_MAX };

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
#define SET_CAN			0x0800
#define SET_WAS			0x1000
#define SET_NETWORKS		0x2000
#define SET_TALK		0x4000

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
	IMSG_DIED,		/* parent -> storage: a process has ended */
	IMSG_VERBOSE,
	IMSG_SHUTDOWN,

	/* configuration, parent -> child */
	IMSG_CONF_SITE,		/* begins a generation */
	IMSG_CONF_FILE,		/* a descriptor and what it is */
	IMSG_CONF_END,
	IMSG_CONF_ACK,		/* child -> parent */
	IMSG_CONF_COMMIT,
	IMSG_CONF_LIVE,		/* child -> parent: it is in force there */

	IMSG_RESULT,

	/* session -> keys */
	IMSG_SIGN,
	IMSG_SIGNED,
	IMSG_TICKET,
	IMSG_TICKET_KEY,

	/* storage -> keys */
	IMSG_PROVE,
	IMSG_PROVEN,
	IMSG_PROOF_KEY,		/* keys -> storage: unasked */
	IMSG_CERT,		/* keys -> storage: unasked */

	/* auth -> hash */
	IMSG_HASH_MAKE,
	IMSG_HASH_MADE,
	IMSG_HASH_CHECK,
	IMSG_HASH_CHECKED,
	IMSG_HASH_TOTP,
	IMSG_HASH_TOTP_MADE,
	IMSG_HASH_OTP,
	IMSG_HASH_OTP_CHECKED,
	IMSG_HASH_CODES,
	IMSG_HASH_CODES_MADE,
	IMSG_HASH_SCORE,
	IMSG_HASH_SCORED,
	IMSG_DEVICE_KEY,	/* hash -> auth: unasked */
	IMSG_HASH_REGISTER,	/* a new passkey */
	IMSG_HASH_REGISTERED,
	IMSG_HASH_ASSERT,	/* a sign-in with one */
	IMSG_HASH_ASSERTED,

	/* session -> auth */
	IMSG_LOGIN,
	IMSG_LOGIN_OK,
	IMSG_TOKEN,
	IMSG_LINK_GET,
	IMSG_LINK_USE,
	IMSG_PASSWORD,
	IMSG_FACTOR,
	IMSG_FACTOR_SEED,
	IMSG_FACTOR_SHOW,
	IMSG_PASSWORD_CHECK,
	IMSG_PASSWORD_CHECKED,
	IMSG_PASSKEY_ASK,	/* a challenge */
	IMSG_CHALLENGE,
	IMSG_PASSKEY_ADD,
	IMSG_PASSKEY_DEL,
	IMSG_PASSKEY_LOGIN,	/* answered like LOGIN */
	IMSG_GUEST_GET,
	IMSG_GUEST_USE,
	IMSG_GUEST_SECRET,

	/* auth -> storage */
	IMSG_CRED_FIND,
	IMSG_CRED_TOKEN,
	IMSG_CRED_LINK,
	IMSG_CRED,
	IMSG_CRED_SET,
	IMSG_FACTOR_PUT,
	IMSG_TOKEN_NEW,
	IMSG_TOKEN_FIND,
	IMSG_TOKEN_ROW,
	IMSG_GRANT_NEW,
	IMSG_LINK_FIND,
	IMSG_LINK_SET,
	IMSG_LINK_DONE,
	IMSG_NOTE,
	IMSG_READ_ON,		/* a client has read, or is gone */

	/* storage -> auth: the ledger */
	IMSG_OPERATOR,		/* an entry, or that it is no more */
	IMSG_OPERATORS,		/* all entries have been told */
	IMSG_LOCK,
	IMSG_LOCKS,
	IMSG_LOCK_ROW,
	IMSG_UNLOCK,		/* storage -> auth: unasked */
	IMSG_ALERT,
	IMSG_PASSKEY_START,
	IMSG_PASSKEY_OWNER,
	IMSG_PASSKEY_FIND,
	IMSG_PASSKEY_ROW,
	IMSG_PASSKEY_PUT,
	IMSG_PASSKEY_DROP,
	IMSG_GUEST_FIND,
	IMSG_GUEST_CRED,
	IMSG_GUEST_NEED,
	IMSG_GUEST_NEW,
	IMSG_GUEST_SEAL,
	IMSG_TALK_MAKE,		/* storage -> auth: answer TALK_GET */

	/* storage -> session, auth: unasked */
	IMSG_TENANT,
	IMSG_TENANT_END,	/* to a new session: it knows them all */
	IMSG_GRANT,
	IMSG_GRANT_END,
	IMSG_GRANT_MUST,	/* what its owner must do has changed */
	IMSG_LINK,
	IMSG_RIGHTS,		/* floors or rights of a tenant changed */
	IMSG_ROLE,		/* what a role may has changed */
	IMSG_FENCE,		/* has all that was told been acted upon? */
	IMSG_PROFILE,		/* somebody's name, look, status changed */
	IMSG_GUEST,
	IMSG_KNOCK,		/* a guest waits at the door */
	IMSG_KNOCK_END,

	/* session -> storage */
	IMSG_FENCED,		/* answers FENCE, unasked it is an error */

	/* session -> storage, under a grant */
	IMSG_GRANT_DROP,
	IMSG_ACCESS,		/* unanswered */
	IMSG_SIGNOUT,
	IMSG_SIGNINS,
	IMSG_SIGNIN,
	IMSG_SIGNIN_END,
	IMSG_FACTOR_GET,
	IMSG_FACTOR_ROW,
	IMSG_ME_SET,
	IMSG_USER,
	IMSG_FLOORS,
	IMSG_FLOOR_ROW,
	IMSG_FLOOR_GET,
	IMSG_FLOOR_DOC,
	IMSG_TALK_GET,
	IMSG_TALK,		/* auth -> session */
	IMSG_PLACE_SET,
	IMSG_SAY,
	IMSG_SAID,
	IMSG_HISTORY,
	IMSG_MESSAGE,
	IMSG_READ,
	IMSG_ERASE,
	IMSG_UNREAD,
	IMSG_UNREAD_ROW,
	IMSG_PEOPLE,
	IMSG_PERSON,
	IMSG_PASSKEYS,
	IMSG_PASSKEY,
	IMSG_PASSKEY_NAME,
	IMSG_GUEST_NAME,
	IMSG_GUEST_ADMIT,
	IMSG_DOOR_KEY,		/* an administrator's, from outside */

	/* session -> storage, for who may invite guests */
	IMSG_GUESTS,
	IMSG_GUEST_ROW,
	IMSG_VISIT_ROW,
	IMSG_GUEST_ADD,
	IMSG_GUEST_DEL,
	IMSG_VISIT_DEL,

	/* session -> storage, role admin */
	IMSG_A_USERS,
	IMSG_A_USER,
	IMSG_A_USER_ADD,
	IMSG_A_USER_SET,
	IMSG_A_USER_DEL,
	IMSG_A_ERASE,
	IMSG_A_USER_LINK,
	IMSG_A_LINK,
	IMSG_A_SIGNINS,
	IMSG_A_SIGNINS_END,
	IMSG_A_FACTOR_DEL,
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
	IMSG_A_ROLES,
	IMSG_A_ROLE,
	IMSG_A_ROLE_ADD,
	IMSG_A_ROLE_SET,
	IMSG_A_ROLE_DEL,
	IMSG_A_TENANT_SET,
	IMSG_A_POLICY_SET,
	IMSG_A_IMPORT_BEGIN,	/* unanswered, as the lines are */
	IMSG_A_IMPORT_LINE,
	IMSG_A_IMPORT_END,
	IMSG_A_IMPORT_ROW,
	IMSG_A_IMPORT_DONE,
	IMSG_A_ALERTS,
	IMSG_A_ALERT,
	IMSG_A_AUDIT,
	IMSG_A_AUDIT_ROW,
	IMSG_A_POINTS,
	IMSG_A_POINT,
	IMSG_A_LOG,
	IMSG_A_LOG_ROW,
	IMSG_A_EXPORTS,
	IMSG_A_EXPORT,

	/* risactl -> auth, and auth -> storage or parent */
	IMSG_C_HELLO,
	IMSG_C_TENANT_ADD,
	IMSG_C_TENANT_LIST,
	IMSG_C_TENANT_SHOW,
	IMSG_C_TENANT_STATE,
	IMSG_C_TENANT_ROW,
	IMSG_C_TENANT_END,
	IMSG_C_TENANT_ERASE,
	IMSG_C_TENANT_ERASED,
	IMSG_C_ERASED_ROW,
	IMSG_C_TENANT_CERT,
	IMSG_C_USER_ADD,
	IMSG_C_USER_LIST,
	IMSG_C_USER_SHOW,
	IMSG_C_USER_STATE,
	IMSG_C_USER_LINK,
	IMSG_C_USER_FACTOR,
	IMSG_C_USER_DEL,
	IMSG_C_USER_ROLE,
	IMSG_C_USER_ROW,
	IMSG_C_IMPORT_BEGIN,
	IMSG_C_IMPORT_LINE,
	IMSG_C_IMPORT_END,
	IMSG_C_IMPORT_ROW,
	IMSG_C_IMPORT_DONE,
	IMSG_C_LINK_TOKEN,	/* storage -> auth */
	IMSG_C_LINK,		/* auth -> risactl: the URL */
	IMSG_C_FLOOR_ADD,
	IMSG_C_FLOOR_LIST,
	IMSG_C_FLOOR_SHOW,
	IMSG_C_FLOOR_ALLOW,
	IMSG_C_FLOOR_NETWORKS,
	IMSG_C_FLOOR_TALK,
	IMSG_C_FLOOR_DEL,
	IMSG_C_FLOOR_ROW,
	IMSG_C_GUEST_ADD,
	IMSG_C_GUEST_LIST,
	IMSG_C_GUEST_DEL,
	IMSG_C_GUEST_ROW,
	IMSG_C_POLICY_SHOW,
	IMSG_C_POLICY_SET,
	IMSG_C_POLICY_ROW,
	IMSG_C_ROLE_LIST,
	IMSG_C_ROLE_ADD,
	IMSG_C_ROLE_ALLOW,
	IMSG_C_ROLE_DENY,
	IMSG_C_ROLE_NAME,
	IMSG_C_ROLE_DEL,
	IMSG_C_ROLE_ROW,
	IMSG_C_SESSION_LIST,
	IMSG_C_SESSION_END,
	IMSG_C_SESSION_ROW,
	IMSG_C_OPERATOR_ADD,
	IMSG_C_OPERATOR_LIST,
	IMSG_C_OPERATOR_DEL,
	IMSG_C_OPERATOR_ROW,
	IMSG_C_ATTACKS,
	IMSG_C_ATTACK_ROW,
	IMSG_C_ALERTS,
	IMSG_C_ALERT_ROW,
	IMSG_C_ALERT_CLEAR,
	IMSG_C_AUDIT_SHOW,
	IMSG_C_AUDIT_ROW,
	IMSG_C_AUDIT_VERIFY,
	IMSG_C_AUDIT_STATE,
	IMSG_C_AUDIT_POINTS,
	IMSG_C_POINT,
	IMSG_C_LOG_SHOW,
	IMSG_C_LOG_ROW,
	IMSG_C_LOG_TEXT,
	IMSG_C_PURGE_SHOW,
	IMSG_C_PURGE_RUN,
	IMSG_C_KEPT,
	IMSG_C_KEY_ROTATE,
	IMSG_C_KEY_SHOW,
	IMSG_C_KEY_ROW,
	IMSG_C_KEY_BACKUP,
	IMSG_C_KEY_COPY,
	IMSG_C_BACKUP_NOW,
	IMSG_C_BACKUP_LIST,
	IMSG_C_BACKUP_VERIFY,
	IMSG_C_BACKUP_RESTORE,
	IMSG_C_BACKUP_REHEARSE,
	IMSG_C_BACKUP_ROW,
	IMSG_C_BACKUP_PART,
	IMSG_C_BACKUP_STEP,
	IMSG_C_TENANT_EXPORT,
	IMSG_C_EXPORTS,
	IMSG_C_EXPORT_ROW,
	IMSG_C_CONFIRM,
	IMSG_C_CONFIRMS,
	IMSG_C_CONFIRM_ROW,
	IMSG_C_STORAGE,
	IMSG_C_STORAGE_ROW,
	IMSG_C_KEEP,
	IMSG_C_ERASE,
	IMSG_C_HOLD_SET,
	IMSG_C_HOLD_CLEAR,
	IMSG_C_HOLD_SHOW,
	IMSG_C_HOLD_ROW,
	IMSG_C_PROOF_KEY,
	IMSG_C_PROOF_ROW,
	IMSG_C_STATUS,
	IMSG_C_PROCESSES,
	IMSG_C_PROC_ROW,
	IMSG_C_STATS,
	IMSG_C_STAT_ROW,
	IMSG_C_RELOAD,
	IMSG_C_VERBOSE,

	/* session <-> session: the bus */
	IMSG_BUS_JOIN,
	IMSG_BUS_AGAIN,
	IMSG_BUS_ALL,
	IMSG_BUS_LEFT,
	IMSG_BUS_LEGS,
	IMSG_BUS_DOOR,
	IMSG_BUS_CALL,
	IMSG_BUS_CALL_OVER,
	IMSG_BUS_ANSWER,
	IMSG_BUS_PAIR,
	IMSG_BUS_SIGNAL,
	IMSG_BUS_WORD,

	/* storage -> session: what a worker need not believe another */
	IMSG_BUS_MSG,
	IMSG_BUS_ERASED,
	IMSG_BUS_CLEARED,
	IMSG_BUS_GRANT,

	IMSG_MAX
};

/* What the descriptor of IMSG_CONF_FILE is. */
enum conf_file {
	FILE_LISTEN_TLS,	/* session: listening socket */
	FILE_LISTEN_REDIRECT,	/* session: plain HTTP, redirects */
	FILE_LISTEN_PROXY,	/* session: name is the proxies' networks */
	FILE_CERT,		/* session, keys: PEM chain */
	FILE_KEY,		/* keys: PEM private key */
	FILE_MASTER,		/* storage: 32 bytes */
	FILE_PREVIOUS,		/* storage: the master key before it */
	FILE_PEPPER,		/* hash: 32 bytes */
	FILE_SIGN,		/* keys: 32 bytes, of Ed25519 */
	FILE_CONTROL,		/* auth: listening unix socket */
	FILE_TURN,		/* auth: the secret shared with the relay */
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
	uint32_t	 tenant_pages, account_pages;	/* open there */
	uint32_t	 addr_arrivals;	/* connections a minute there, */
	uint32_t	 addr_requests;	/* and requests */
	uint32_t	 tenant_requests, account_requests;
	uint32_t	 buffers;	/* MiB of what waits there */
	uint32_t	 idle, absolute;	/* seconds, of a sign-in */
	uint32_t	 invite;	/* seconds an invitation lives */
	uint16_t	 backup_at;	/* minute of the day, local time */
	uint16_t	 backup_keep;	/* generations */
	uint32_t	 confirm;	/* CONFIRM_* bits */
	const char	*turn;		/* URLs with a blank between */
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

struct m_prove {
	uint32_t	 tenant;		/* 0: the installation */
	const char	*name;
	uint8_t		 kind;			/* enum proof_kind */
	uint64_t	 seq;			/* checkpoints */
	uint64_t	 at;			/* ms */
	uint8_t		 sum[TOKEN_LEN];
};
/* The line as proof.h has it; empty: refused. */
struct m_proven		{ uint32_t tenant; uint64_t seq; const char *line; };
struct m_proof_key	{ uint8_t key[TOKEN_LEN]; };	/* the public one */
struct m_cert		{ uint64_t until; };		/* ms */
/* A process has ended, by a signal (0: none) or with a code. */
struct m_died		{ uint8_t proc; uint16_t inst; uint8_t sig, code; };
/* Of a long answer in large parts, the client has read all so far. */
struct m_read_on	{ uint8_t gone; };
struct m_fence		{ uint32_t number; };

struct m_hash_make {
	const char	*password, *words;
	uint8_t		 strength;		/* at least */
	struct m_blob	 old;			/* as in m_cred */
};
struct m_hash_made	{ uint8_t answer; struct m_blob sealed; };
struct m_hash_score	{ const char *password, *words; };
struct m_hash_scored	{ uint8_t score; };
struct m_hash_check {
	struct m_blob	 sealed;
	const char	*password;
	uint8_t		 anew;			/* if it is right and of old */
};
struct m_hash_checked {
	uint8_t		 answer;
	struct m_blob	 sealed;		/* of today's cost, or no */
};
struct m_hash_user	{ uint32_t tenant, user; };
struct m_hash_totp_made	{ uint8_t ok; struct m_blob sealed, seed; };
struct m_hash_otp {
	uint32_t	 tenant, user;
	struct m_blob	 sealed;		/* the seed; may be empty */
	const char	*otp;
};
struct m_hash_otp_checked {
	uint8_t		 answer, method;	/* FACTOR_TOTP or _RECOVERY */
	uint64_t	 step;			/* of TOTP, the one it is for */
	uint8_t		 sha[TOKEN_LEN];	/* of a recovery code */
};
/* Codes as their owner sees them, a line each, and their hashes. */
struct m_hash_codes_made { uint8_t ok; const char *text; struct m_blob shas; };
struct m_device_key	{ uint8_t key[TOKEN_LEN]; };
struct m_hash_register {
	uint8_t		 challenge[TOKEN_LEN];
	const char	*host;			/* the tenant's */
	uint16_t	 port;
	struct m_blob	 client, object;
};
struct m_hash_registered {
	uint8_t		 answer, alg;		/* enum webauthn_alg */
	uint32_t	 count;
	struct m_blob	 id, key;
};
struct m_hash_assert {
	uint8_t		 challenge[TOKEN_LEN];
	const char	*host;
	uint16_t	 port;
	uint8_t		 uv, alg;		/* uv: it is demanded */
	struct m_blob	 key;			/* empty: nobody's */
	struct m_blob	 client, data, sig;
};
struct m_hash_asserted	{ uint8_t answer; uint32_t count; };

struct m_login {
	uint32_t	 tenant;
	const char	*addr, *agent, *email, *password;
	const char	*otp;			/* or "" */
	const char	*device;		/* of a known one, or empty */
};
struct m_login_ok {
	uint8_t		 token[TOKEN_LEN];
	uint8_t		 method;		/* the second factor used */
	uint8_t		 left;			/* recovery codes, of one */
	uint32_t	 failures;		/* since the last sign-in */
	const char	*device;		/* for the next one, or empty */
};
struct m_token {
	uint32_t	 tenant;
	const char	*addr;
	uint8_t		 token[TOKEN_LEN];	/* of the cookie or the link */
};
struct m_link_use {
	uint32_t	 tenant;
	const char	*addr, *agent;
	uint8_t		 token[TOKEN_LEN];
	const char	*password, *words;
	const char	*name;			/* to go by, or empty */
};
struct m_password {
	uint32_t	 tenant;
	const char	*addr;
	uint8_t		 token[TOKEN_LEN];
	const char	*current, *new, *words;
};
struct m_factor {
	uint32_t	 tenant;
	const char	*addr;
	uint8_t		 token[TOKEN_LEN];
	uint8_t		 act;			/* enum factor_act */
	const char	*secret;		/* the password, or a code */
};
struct m_factor_seed	{ struct m_blob seed; };
struct m_factor_show	{ const char *text; };
struct m_password_check {
	uint32_t	 tenant;
	uint8_t		 role;
	const char	*addr, *password, *words;
};
struct m_password_checked { uint8_t faults, score; };

struct m_passkey_ask {
	uint32_t	 tenant;
	const char	*addr;
	uint8_t		 use;			/* enum passkey_use */
	uint8_t		 token[TOKEN_LEN];	/* to register one */
};
struct m_challenge {
	uint8_t		 challenge[TOKEN_LEN];
	uint8_t		 handle[TOKEN_LEN];	/* of the user, or zeroes */
	struct m_blob	 ids;			/* u16 length, credential id */
};
struct m_passkey_add {
	uint32_t	 tenant;
	const char	*addr;
	uint8_t		 token[TOKEN_LEN];
	const char	*password;
	uint8_t		 challenge[TOKEN_LEN];
	const char	*name;
	struct m_blob	 client, object;
};
struct m_passkey_del {
	uint32_t	 tenant;
	const char	*addr;
	uint8_t		 token[TOKEN_LEN];
	const char	*password;
	uint32_t	 id;
};
struct m_passkey_login {
	uint32_t	 tenant;
	const char	*addr, *agent;
	const char	*email, *password;	/* both empty: without */
	const char	*device;		/* of a known one, or empty */
	uint8_t		 challenge[TOKEN_LEN];
	struct m_blob	 id, handle, client, data, sig;
};

struct m_cred_find	{ uint32_t tenant; const char *email; };
struct m_sha		{ uint32_t tenant; uint8_t sha[TOKEN_LEN]; };
struct m_cred {
	uint32_t	 user;
	uint8_t		 state, role;
	struct m_blob	 sealed;		/* empty: no password yet */
	uint8_t		 methods;		/* FACTOR_ bits */
	struct m_blob	 totp;			/* sealed seed, or empty */
	struct m_blob	 pending;		/* one not yet confirmed */
	/* That may not come again, each with its length in 16 bits before. */
	struct m_blob	 old;
};
struct m_cred_set {
	uint32_t	 tenant;
	uint8_t		 sha[TOKEN_LEN];	/* the asker's sign-in, stays */
	struct m_blob	 password, sealed;	/* checked with, and new */
};
struct m_token_new {
	uint32_t	 tenant, user;
	uint8_t		 sha[TOKEN_LEN];
	uint64_t	 expires;		/* ms, the absolute limit */
	uint8_t		 fresh;			/* has just set the password */
	const char	*addr, *agent;
	struct m_blob	 password;		/* checked with this, or no */
	struct m_blob	 anew;			/* in place of it, or no */
	uint8_t		 method;		/* the factor shown, or 0 */
	struct m_blob	 totp;			/* TOTP: checked with this */
	uint64_t	 step;
	uint8_t		 code[TOKEN_LEN];	/* recovery: its hash */
	uint32_t	 passkey, count;	/* passkey: its number, uses */
};
struct m_factor_put {
	uint32_t	 tenant;
	uint8_t		 sha[TOKEN_LEN];	/* the asker's sign-in */
	uint8_t		 act;			/* enum factor_act */
	struct m_blob	 sealed;		/* the seed */
	uint64_t	 step;
	struct m_blob	 codes;			/* hashes */
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
	const char	*addr;
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
	const char	*name;			/* to go by, or empty */
};
struct m_link_done	{ uint32_t user; uint8_t methods; };
struct m_note {
	uint32_t	 op;			/* the uid it is about */
	uint32_t	 type;			/* imsg of its command, or 0 */
	uint32_t	 arg;			/* of that command */
	uint32_t	 more;			/* since then, without a note */
	uint8_t		 note;
};
struct m_operator {
	uint32_t	 uid;
	uint8_t		 role;			/* OP_NONE: no more */
	uint64_t	 until;			/* ms; 0: for ever */
};

/* What has failed too often; the key is auth's name for it. */
struct m_lock {
	uint32_t	 tenant, user;		/* 0: told by the mail */
	const char	*email;
	uint8_t		 known;			/* not to strangers */
	uint8_t		 key[TOKEN_LEN];
	uint64_t	 until;			/* ms, LOCK_NEVER; 0: over */
};
struct m_locks		{ uint32_t tenant; };
struct m_lock_row {
	uint32_t	 tenant;
	uint8_t		 known;
	uint8_t		 key[TOKEN_LEN];
	uint64_t	 until;
};
/* That of the key; or with a mail, all that auth can name by the person. */
struct m_unlock {
	uint32_t	 tenant, user;
	const char	*email;			/* or empty */
	uint8_t		 known;
	uint8_t		 key[TOKEN_LEN];
};
/* An attack on many accounts: as it is by now. */
struct m_alert {
	uint32_t	 tenant;
	uint64_t	 begun, last;		/* ms; begun names it */
	uint8_t		 over;
	uint64_t	 tries;
	uint32_t	 accounts;
	const char	*addrs;			/* apart by spaces */
};
struct m_passkey_owner {
	uint32_t	 user;
	uint8_t		 handle[TOKEN_LEN];
	struct m_blob	 ids;
};
struct m_passkey_find	{ uint32_t tenant; struct m_blob id, handle; };
struct m_passkey_row {
	uint32_t	 id, user;
	uint8_t		 state, alg;
	const char	*email;
	struct m_blob	 key;
};
struct m_passkey_put {
	uint32_t	 tenant;
	uint8_t		 sha[TOKEN_LEN];	/* the asker's sign-in */
	uint8_t		 alg;
	uint32_t	 count;
	const char	*name;
	struct m_blob	 id, key;
};
struct m_passkey_drop {
	uint32_t	 tenant;
	uint8_t		 sha[TOKEN_LEN];	/* the asker's sign-in */
	uint32_t	 id;
};
struct m_guest_secret {
	uint32_t	 tenant;
	const char	*addr;
	uint64_t	 grant;
	const char	*password;
};
struct m_guest_need	{ struct m_blob sealed; };	/* empty: none */
struct m_guest_new {
	uint32_t	 tenant;
	uint8_t		 url[TOKEN_LEN], sha[TOKEN_LEN];
	uint64_t	 expires;		/* ms, at the latest */
	const char	*addr, *agent;
};
/* A password for a URL that the grant is about to make. */
struct m_guest_seal {
	uint32_t	 tenant;
	uint16_t	 inst;
	uint64_t	 grant;
	struct m_blob	 sealed;
};

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
	uint64_t	 changed;		/* ms: password, untold; 0 */
	uint32_t	 idle;			/* seconds */
	uint32_t	 last_floor;
	uint32_t	 tenant, user;
	uint8_t		 role, can, lang, status;
	uint8_t		 door;			/* may only wait */
	uint32_t	 look;
	const char	*name, *note, *email;
	uint8_t		 must;			/* MUST_ bits */
};
struct m_grant_end	{ uint64_t grant; uint8_t why; };
struct m_grant_must	{ uint64_t grant; uint8_t must; };
struct m_link {
	uint8_t		 kind, role;
	const char	*email, *name;
};
struct m_rights		{ uint32_t tenant; };
struct m_role		{ uint32_t tenant; uint8_t role, can; };
struct m_guest		{ uint8_t password, approval; };
struct m_knock {
	uint32_t	 tenant, user;
	uint64_t	 until;			/* ms */
	const char	*name;
	struct m_blob	 floors;		/* ids, 32 bit, big endian */
};
struct m_knock_end {
	uint32_t	 tenant, user;
	uint8_t		 why;			/* enum knock_end */
	const char	*by;			/* who has answered, or "" */
};

struct m_access {
	uint64_t	 grant;		/* or 0; may have ended just now */
	uint32_t	 tenant;	/* where there is no grant; 0: none */
	uint64_t	 at;		/* ms */
	uint8_t		 kind;		/* enum access_kind */
	uint16_t	 status;
	uint64_t	 bytes;
	uint32_t	 floor;
	const char	*addr, *text;
};
struct m_grant_only	{ uint64_t grant; };
struct m_people {
	uint64_t	 grant;
	struct m_blob	 users;			/* ids, 32 bit, big endian; */
};						/* none: everybody */
struct m_signin {
	uint32_t	 id;
	uint8_t		 own;			/* of the one that asks */
	uint64_t	 created, seen;		/* ms */
	uint32_t	 live;			/* grants in use now */
	const char	*addr, *agent;
};
struct m_factor_row {
	uint8_t		 methods;		/* FACTOR_ bits */
	uint8_t		 required;		/* by the tenant */
	uint8_t		 left;			/* recovery codes */
	uint64_t	 since;			/* ms, of TOTP */
	uint64_t	 used;			/* ms, the last recovery code */
};
struct m_signin_end {
	uint64_t	 grant;
	uint32_t	 id;
	uint8_t		 others;		/* all but one's own */
};
struct m_me_set {
	uint64_t	 grant;
	uint32_t	 mask;
	const char	*name, *note;
	uint32_t	 look;
	uint8_t		 lang, status;
};
struct m_floor_row {
	uint32_t	 floor, version;
	uint8_t		 can, way;		/* RIGHT_TALK, enum talk_way */
	const char	*name;
};
struct m_a_erase {
	uint64_t	 grant;
	uint8_t		 what;		/* enum erase_what, no pair or all */
	uint32_t	 id;		/* a user or a floor */
	uint64_t	 from, to;	/* ms; 0: from the first, until now */
};
struct m_grant_id	{ uint64_t grant; uint32_t id; };
struct m_floor_doc {
	uint32_t	 floor, version;
	uint8_t		 placed;		/* x, y: where one was last */
	uint8_t		 can, way;		/* as in m_floor_row */
	uint16_t	 x, y;
	const char	*name;
	struct m_blob	 map;
};
/* Who has asked storage for TALK, and what it answers him. */
struct m_talk_make {
	uint16_t	 inst;
	uint32_t	 req, floor;
	uint8_t		 can, way;		/* never WAY_TENANT */
};
struct m_talk {
	uint32_t	 floor;
	uint8_t		 can, way;
	uint64_t	 until;			/* ms; 0: there is no relay */
	const char	*user, *cred;
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
	uint8_t		 guest;			/* said by one */
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
struct m_passkey {
	uint32_t	 id;
	uint64_t	 created, last;		/* ms; 0: never used */
	const char	*name;
};
struct m_passkey_name {
	uint64_t	 grant;
	uint32_t	 id;
	const char	*name;
};

struct m_door_key {
	uint64_t	 grant;
	uint32_t	 floor;
	uint8_t		 room, state;
};

struct m_guest_name	{ uint64_t grant; const char *name; };
struct m_guest_admit {
	uint64_t	 grant;
	uint32_t	 user;
	uint8_t		 in;			/* or go away */
};
struct m_guest_add {
	uint64_t	 grant, expires;	/* ms */
	uint32_t	 uses;
	uint8_t		 approval;
	uint64_t	 secret;		/* of GUEST_SEAL, or 0 */
	const char	*note;
	struct m_blob	 floors;		/* ids, 32 bit, big endian */
};
struct m_guest_row {
	uint32_t	 guest, by;		/* by: 0 an operator */
	uint64_t	 created, expires;	/* ms */
	uint32_t	 uses, used;
	uint8_t		 password, approval;
	const char	*note, *name;		/* name: of who made it */
	struct m_blob	 floors;
};
struct m_visit_row {
	uint32_t	 visit, user, guest;
	uint8_t		 state;			/* enum visit_state */
	uint64_t	 began;			/* ms */
	const char	*name, *addr;
};

struct m_a_user {
	uint32_t	 user;
	uint8_t		 role, state;
	uint64_t	 last, created, invite;		/* ms */
	uint8_t		 factors;		/* FACTOR_ bits */
	uint64_t	 locked;	/* by failures, until then; 0: no */
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
	uint8_t		 role, was, state;	/* was: the role seen */
	const char	*name;
};
struct m_a_link		{ uint8_t token[TOKEN_LEN]; uint64_t expires; };
struct m_a_group {
	uint64_t	 grant;			/* 0 in rows */
	uint32_t	 group, mask;
	uint64_t	 version;		/* as it was seen, by SET_WAS */
	const char	*name;
	struct m_blob	 members;		/* ids, 32 bit, big endian */
};
struct m_a_role {
	uint64_t	 grant;			/* 0 in rows */
	uint8_t		 role, can;
	uint32_t	 mask, users;
	uint64_t	 version;		/* as it was seen */
	const char	*name;
};
struct m_a_template	{ const char *name; };
struct m_a_floor {
	uint64_t	 grant;			/* 0 in rows */
	uint32_t	 floor, mask;
	uint64_t	 version;		/* as it was seen, by SET_WAS */
	uint8_t		 open;
	uint8_t		 can, way;		/* as in m_floor_row */
	const char	*name, *template;
	const char	*networks;		/* network.h */
	struct m_blob	 users, groups;
};
struct m_a_tenant	{ uint64_t grant; const char *title; };

/*
 * An import: lines gathered under a number that the asker draws, then the END
 * that says what shall become of them.
 */
struct m_a_import	{ uint64_t grant; uint32_t nr; };
struct m_a_import_line {
	uint64_t	 grant;
	uint32_t	 nr, line;
	uint32_t	 mask;			/* the columns there are */
	uint8_t		 why, place;		/* csv.h */
	const char	*email, *name, *role, *groups, *state;
};
struct m_a_import_end {
	uint64_t	 grant;
	uint32_t	 nr, count;		/* of the lines sent */
	uint8_t		 dry;
	uint8_t		 was[TOKEN_LEN];	/* digest of the dry run */
};
struct m_import_row {
	uint32_t	 line, user;
	uint8_t		 what;			/* enum import_what */
	uint8_t		 why, place;		/* csv.h, of a fault */
	uint32_t	 mask;			/* what changes */
	uint8_t		 old_state, state;
	const char	*email, *old_name, *name, *old_role, *role;
	const char	*old_groups, *groups;
	uint64_t	 expires;		/* of the link, 0: none */
	uint8_t		 token[TOKEN_LEN];
};
struct m_import_done {
	uint8_t		 digest[TOKEN_LEN];	/* of what the lines do */
	uint8_t		 good;			/* no line is at fault */
};
struct m_a_policy	{ uint64_t grant; struct m_blob was, policy; };
struct m_a_alert {
	uint64_t	 begun, last, tries;
	uint8_t		 over;
	uint32_t	 accounts;
	const char	*addrs;
};

/* Control commands begin with the operator: auth writes the peer's uid. */
struct m_c_none		{ uint32_t op; };
struct m_c_hello	{ uint32_t version; };
struct m_c_verbose	{ uint32_t op, verbose; };
struct m_c_name		{ uint32_t op; const char *name; };
struct m_c_tenant_add	{ uint32_t op; const char *name, *title, *contact; };
struct m_c_tenant_end	{ uint32_t op; const char *name; uint64_t at; };
struct m_c_cert		{ uint32_t op, tenant; };
struct m_c_erased {
	uint32_t	 tenant;
	const char	*name;
	uint64_t	 at;
	uint8_t		 is_signed;
};
struct m_c_tenant_state	{ uint32_t op; const char *name; uint8_t state; };
struct m_c_tenant_row {
	uint32_t	 id;
	uint8_t		 state;
	uint32_t	 users, floors, sessions;
	uint64_t	 created, bytes;
	uint64_t	 ends;		/* its contract; 0: never */
	const char	*name, *title, *contact;
};
struct m_c_user {
	uint32_t	 op;
	const char	*tenant, *email;
	uint8_t		 arg;		/* state or link kind */
	const char	*name, *role;
};
struct m_c_import	{ uint32_t op; const char *tenant; uint32_t nr; };
struct m_c_import_line {
	uint32_t	 op;
	const char	*tenant;
	uint32_t	 nr, line, mask;
	uint8_t		 why, place;
	const char	*email, *name, *role, *groups, *state;
};
struct m_c_import_end {
	uint32_t	 op;
	const char	*tenant;
	uint32_t	 nr, count;
	uint8_t		 dry;
};
struct m_c_user_row {
	uint32_t	 user;
	uint8_t		 state;
	uint64_t	 last, created, invite;
	uint8_t		 factors;
	uint64_t	 locked;
	const char	*email, *role;
};
struct m_c_link_token {
	const char	*tenant;
	uint8_t		 guest;			/* else for one account */
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
struct m_c_floor_networks {
	uint32_t	 op;
	const char	*tenant, *floor, *networks;
};
struct m_c_floor_talk {
	uint32_t	 op;
	const char	*tenant, *floor;
	uint8_t		 mask, can;		/* RIGHT_TALK: which, what */
	uint8_t		 way;			/* WAY_MAX: as it is */
};
struct m_c_floor_row {
	uint32_t	 floor;
	uint8_t		 open;
	uint8_t		 can, way;
	uint32_t	 users, groups, bytes;
	const char	*name;
	const char	*who;			/* in show: mails and groups */
	const char	*networks;
};
/* From auth on with the sealed password in place of the password. */
struct m_c_guest_add {
	uint32_t	 op;
	const char	*tenant, *floor;	/* name or number */
	uint32_t	 uses, seconds;		/* it lives */
	uint8_t		 approval;
	const char	*password;
	struct m_blob	 sealed;
};
struct m_c_guest_del {
	uint32_t	 op;
	const char	*tenant;
	uint32_t	 guest;
};
struct m_c_guest_row {
	uint32_t	 guest;
	uint64_t	 created, expires;
	uint32_t	 uses, used, inside, waiting;
	uint8_t		 password, approval;
	const char	*floors;		/* names */
};
struct m_c_session_row {
	uint32_t	 user;
	uint64_t	 created, seen, expires;
	uint32_t	 live;
	const char	*email, *addr, *agent;
};
struct m_c_operator {
	uint32_t	 op, uid;
	uint8_t		 role;
	uint64_t	 until;			/* ms; 0: for ever */
	const char	*name;			/* of the account */
};
struct m_c_operator_row {
	uint32_t	 uid, by;
	uint8_t		 role, expired;
	uint64_t	 granted, until;	/* ms; 0: always, for ever */
	const char	*name, *byname;
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
	uint8_t		 key;		/* numbers, then lists, then presets */
	uint32_t	 value;
	const char	*text;		/* of a list */
};
struct m_c_policy_row {
	const char	*name;
	uint8_t		 list;		/* its value is the text */
	uint32_t	 value, min, max;
	const char	*text;		/* or what the number is called */
};
struct m_c_role {
	uint32_t	 op;
	const char	*tenant, *role;
	uint8_t		 right;
	const char	*name;
};
struct m_c_role_row {
	uint32_t	 role, users;
	uint8_t		 can;
	const char	*name;
};
struct m_c_attack_row {
	const char	*tenant;
	uint64_t	 begun, last, tries;
	uint8_t		 over;
	uint32_t	 accounts;
	const char	*addrs;
};
struct m_c_audit {
	uint32_t	 op;
	const char	*tenant;	/* "": the installation */
	uint8_t		 all;		/* and the tenants after it */
	uint32_t	 count;		/* the newest, to show */
	struct m_blob	 kept;		/* u32 tenant, u64 line, time, head */
};
struct m_c_audit_row {
	uint64_t	 seq, at;
	uint8_t		 open;		/* else there is no text */
	const char	*text;
};
struct m_c_audit_state {
	const char	*tenant;
	uint64_t	 lines, bad;	/* whole; the first bad one */
	uint8_t		 fault;		/* enum audit_fault */
	uint32_t	 compared;
};
struct m_c_point	{ const char *line; };
struct m_a_records	{ uint64_t grant, at; };	/* before, or after */
struct m_a_log {
	uint64_t	 grant, from, to;	/* ms */
	uint8_t		 kind;
	uint32_t	 user, floor;		/* 0: any */
	const char	*network;
};
struct m_c_log {
	uint32_t	 op;
	const char	*tenant;	/* "": what belongs to none */
	uint64_t	 from, to;	/* ms, both of them meant too */
	uint8_t		 kind;		/* ACCESS_MAX: any */
	const char	*user, *floor;	/* mail or number, name or number, "" */
	const char	*network;	/* or "" */
	uint8_t		 format;
	const char	*reason;	/* of an export, or "" */
};
struct m_c_log_row {
	uint64_t	 at, bytes;
	uint8_t		 kind, guest;
	uint16_t	 status;
	uint32_t	 user, floor;
	const char	*email, *addr, *text;
};
struct m_c_keep {			/* of the installation's own */
	uint32_t	 op;
	uint8_t		 kind;		/* enum keep_kind */
	uint32_t	 days;
};
struct m_c_erase {
	uint32_t	 op;
	const char	*tenant;
	uint8_t		 what;		/* enum erase_what */
	const char	*email, *other, *floor;	/* as far as it needs them */
	uint64_t	 from, to;	/* ms; 0: from the first, until now */
};
struct m_c_hold {
	uint32_t	 op;
	const char	*tenant;
	const char	*email;		/* empty: the whole tenant */
	const char	*reason;
};
struct m_c_hold_row {
	const char	*tenant, *email, *reason;
	uint32_t	 user, by;	/* user 0: the whole tenant */
	uint64_t	 at;
};
struct m_c_kept {
	const char	*tenant;
	uint8_t		 kind;		/* enum keep_kind */
	uint8_t		 hold;		/* nothing goes */
	uint32_t	 days;		/* 0: for ever */
	uint64_t	 count, due;	/* rows; of logs, months */
	uint64_t	 oldest, newest;	/* ms, or 0 */
};
/* The key of a tenant, or (no name) of the installation. */
struct m_c_key {
	const char	*tenant;
	uint8_t		 state;		/* enum key_state */
	uint8_t		 previous;	/* needs the previous master key */
	uint8_t		 waits;		/* its rotation does, or failed */
	uint8_t		 percent;	/* of this pass of a rotation */
	uint32_t	 generation;
	uint64_t	 since;		/* ms, 0: the first day */
	uint64_t	 done, bad;	/* records */
};
struct m_c_key_backup	{ uint32_t op; const char *name; };
struct m_c_key_copy {
	uint32_t	 backup;
	uint64_t	 at;
	uint32_t	 tenant;	/* 0: the installation's */
	const char	*name;
	struct m_blob	 key;		/* as its file, under the master key */
};
/* Verify and restore: a generation, "" for the newest; a tenant, "" for all. */
struct m_c_backup	{ uint32_t op; const char *stamp, *tenant; };
struct m_c_backup_row {
	const char	*stamp;
	uint64_t	 at;		/* ms since 1970 */
	uint64_t	 took;		/* ms */
	uint64_t	 bytes;
	uint32_t	 tenants, files;
	uint64_t	 verified, rehearsed;	/* ms; 0: not yet */
	const char	*fault;		/* "": none */
};
/* What was done with a part of a generation, or why not. */
struct m_c_backup_part {
	const char	*stamp, *tenant;	/* "": the installation */
	uint8_t		 done;
	const char	*note;
};
/* It goes on: so much of it is done. */
struct m_c_backup_step	{ uint64_t done, total; };
struct m_c_log_text	{ struct m_blob text; };
struct m_c_export	{ uint32_t op; const char *tenant, *reason; };
struct m_c_export_row {
	uint32_t	 id;
	uint64_t	 at, ended;	/* ms; ended 0: not yet */
	uint64_t	 rows;
	uint8_t		 kind, state;	/* enum export_kind, export_state */
	uint32_t	 by, second;	/* operators */
	uint8_t		 confirmed;	/* by the second */
	const char	*tenant;	/* "": the installation */
	const char	*reason;
};
struct m_c_confirm	{ uint32_t op, number; uint8_t refuse; };
struct m_c_confirm_row {
	uint32_t	 number, by, second;
	uint8_t		 confirmed;	/* by the second */
	uint64_t	 at, until;	/* ms */
	const char	*what;
};
struct m_c_storage_row {
	const char	*tenant;	/* "": the installation */
	uint8_t		 kind;		/* enum store_kind */
	uint32_t	 days;		/* kept; 0: for ever */
	uint64_t	 count, bytes;
	uint64_t	 oldest, newest, purge;	/* ms, or 0 */
	const char	*country;	/* where it lies; "": it is not said */
};
struct m_c_alert_clear	{ uint32_t op; const char *name; };
struct m_c_alert_row {
	const char	*name, *tenant;	/* tenant "": the installation */
	uint8_t		 critical;
	uint64_t	 first, last;	/* ms */
	uint64_t	 count;
	const char	*text;		/* of the last one */
};
struct m_c_stat_row	{ const char *name; uint64_t value; };

/* The bus.  An avatar's id: worker in the upper 4 bits, slot in the lower. */
struct m_bus_join {
	uint32_t	 tenant, floor, user;
	uint16_t	 id, over;		/* over: whom it replaces, 0 */
	uint8_t		 room, status, heading;
	uint32_t	 look;
	uint16_t	 x, y, tx, ty;
	uint32_t	 time;			/* when it was at x, y */
	uint8_t		 door;			/* of its room, */
	uint32_t	 by, seq;		/* as in m_bus_door */
	uint8_t		 media;			/* talk.h */
	uint16_t	 bubble;
	uint32_t	 since;			/* takes part, as time */
	const char	*name, *note;
};
struct m_bus_again { uint32_t tenant, user; };	/* say that join again */
/* All joins again, after some were lost: they begin, or (0) were all. */
struct m_bus_all { uint8_t begins; };
struct m_bus_pair {
	uint32_t	 tenant, floor;
	uint16_t	 a, b;			/* avatars; see talk.c */
	uint8_t		 state;			/* enum pair_state */
};
struct m_bus_signal {
	uint32_t	 tenant, floor;
	uint16_t	 from, to;
	const char	*data;			/* JSON */
};
struct m_bus_word {
	uint32_t	 tenant, floor;
	uint16_t	 from, to;
	uint8_t		 on;
};
struct m_bus_left {
	uint32_t	 tenant, floor, user;
	uint16_t	 id;
	uint32_t	 to;			/* that floor, or 0 */
};
struct m_bus_legs {
	uint32_t	 tenant, floor;
	struct m_blob	 frame;			/* as sent to pages, 0x02 */
};
/* Of two changes the one with the higher seq holds, then the higher by. */
struct m_bus_door {
	uint32_t	 tenant, floor, by, seq;
	uint8_t		 room, state;
};
struct m_bus_call {
	uint32_t	 tenant, from, to;	/* users; 0: a room */
	uint32_t	 n;
	uint8_t		 kind, room;
};
struct m_bus_call_over	{ uint32_t n; };
struct m_bus_answer {
	uint32_t	 tenant, n, by;
	uint8_t		 yes;
};
struct m_bus_msg {
	uint32_t	 tenant;
	uint8_t		 kind;
	uint32_t	 a, b, from;
	uint64_t	 id, at;
	uint8_t		 guest;
	const char	*name, *text;
};
/* A message is gone; a, b and from as in m_bus_msg, of who has erased it. */
struct m_bus_erased {
	uint32_t	 tenant;
	uint8_t		 kind;
	uint32_t	 a, b, from;
	uint64_t	 id;
};
/* What m_a_erase and m_c_erase have set off; of messages up to last. */
struct m_bus_cleared {
	uint32_t	 tenant;
	uint8_t		 what;		/* enum erase_what */
	uint32_t	 a, b;		/* a user, a floor, or two users */
	uint64_t	 from, to, last;
};
struct m_bus_grant {			/* whose page a worker may hold */
	uint16_t	 inst;
	uint32_t	 tenant, user;
	uint8_t		 on, role;
};

#endif
