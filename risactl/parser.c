#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"
#include "parser.h"
#include "policy.h"
#include "utf8.h"
#include "util.h"
#include "way.h"
#include "zone.h"

#define MAX_WORDS	24

enum token_type {
	END,			/* the command may end here */
	KEYWORD,
	TENANT,
	AGAIN,			/* the same, so that it is meant */
	MAIL,
	OTHER,			/* a second mail address */
	REASON,
	TITLE,
	NAME,
	FLOOR,
	GROUP,
	ROLE,
	TEMPLATE,
	FILENAME,
	DIRECTORY,
	PUBKEY,
	SIGNATURE,
	STAMP,
	WHO,			/* a mail address, or a user's number */
	NETWORK,
	FROM,			/* times that have been */
	TO,
	KIND,
	WAY,			/* direct, relay or 443 */
	FLOORWAY,		/* or tenant */
	VOICE,			/* yes or no */
	VIDEO,
	SCREEN,
	NUMBER,
	LIST,			/* words of a rule in one argument */
	ACCOUNT,
	DATE,
	TIME,
	ALERT			/* its name, or all */
};

/*
 * What may stand in a place of the command line, and the table of the next
 * place, NULL where the command ends.  A word with a type of imsg decides what
 * is sent, and with which argument.
 */
struct token {
	enum token_type		 t_type;
	const char		*t_word;	/* or the argument's name */
	uint32_t		 t_imsg;
	uint8_t			 t_arg;
	const struct token	*t_next;
};

#define WORD(w, next)		{ KEYWORD, w, IMSG_NONE, 0, next }
#define DOES(w, imsg, arg, next) { KEYWORD, w, IMSG_##imsg, arg, next }
#define FLAG(w, flag, next)	{ KEYWORD, w, IMSG_NONE, flag, next }
#define TAKES(type, next)	{ type, #type, IMSG_NONE, 0, next }
#define MAYEND			{ END, "(nothing more)", IMSG_NONE, 0, NULL }
#define LAST			{ END, NULL, IMSG_NONE, 0, NULL }

static const struct token	 tenant_add_opts[4], user_add_opts[4];
static const struct token	 guest_add_opts[6], floor_talk_opts[6];
static const struct token	 log_opts[10], export_opts[10];
static const struct token	 verify_opts[4], chat_opts[4];
static const struct token	 audit_show_opts[4], audit_verify_opts[5];

/* tenant ... */
static const struct token tenant_title[] = {
	TAKES(TITLE, tenant_add_opts), LAST
};
static const struct token tenant_contact[] = {
	TAKES(MAIL, tenant_add_opts), LAST
};
static const struct token tenant_add_opts[4] = {
	MAYEND,
	WORD("contact", tenant_contact),
	WORD("title", tenant_title),
	LAST
};
static const struct token tenant_add[] = {
	TAKES(TENANT, tenant_add_opts), LAST
};
static const struct token tenant_one[] = {
	TAKES(TENANT, NULL), LAST
};
static const struct token tenant_on[] = {
	TAKES(DATE, NULL), LAST
};
static const struct token tenant_end_when[] = {
	WORD("never", NULL),
	WORD("on", tenant_on),
	LAST
};
static const struct token tenant_end[] = {
	TAKES(TENANT, tenant_end_when), LAST
};
static const struct token tenant_file[] = {
	TAKES(FILENAME, NULL), LAST
};
static const struct token tenant_again[] = {
	TAKES(AGAIN, tenant_file), LAST
};
static const struct token tenant_confirm[] = {
	WORD("confirm", tenant_again),
	LAST
};
static const struct token tenant_erase[] = {
	TAKES(TENANT, tenant_confirm), LAST
};
static const struct token tenant_certificate[] = {
	TAKES(NUMBER, tenant_file), LAST
};
static const struct token export_why[] = {
	TAKES(REASON, NULL), LAST
};
static const struct token export_reason[] = {
	WORD("reason", export_why),
	LAST
};
static const struct token tenant_export_file[] = {
	TAKES(FILENAME, export_reason), LAST
};
static const struct token tenant_export[] = {
	TAKES(TENANT, tenant_export_file), LAST
};
static const struct token tenant_words[] = {
	DOES("add", C_TENANT_ADD, 0, tenant_add),
	DOES("certificate", C_TENANT_CERT, 0, tenant_certificate),
	DOES("end", C_TENANT_END, 0, tenant_end),
	DOES("erase", C_TENANT_ERASE, 0, tenant_erase),
	DOES("erased", C_TENANT_ERASED, 0, NULL),
	DOES("export", C_TENANT_EXPORT, 0, tenant_export),
	DOES("list", C_TENANT_LIST, 0, NULL),
	DOES("resume", C_TENANT_STATE, TENANT_ACTIVE, tenant_one),
	DOES("show", C_TENANT_SHOW, 0, tenant_one),
	DOES("suspend", C_TENANT_STATE, TENANT_SUSPENDED, tenant_one),
	LAST
};

/* user ... */
static const struct token user_name[] = {
	TAKES(NAME, user_add_opts), LAST
};
static const struct token user_role[] = {
	TAKES(ROLE, user_add_opts), LAST
};
static const struct token user_add_opts[4] = {
	MAYEND,
	WORD("name", user_name),
	WORD("role", user_role),
	LAST
};
static const struct token user_add_mail[] = {
	TAKES(MAIL, user_add_opts), LAST
};
static const struct token user_add[] = {
	TAKES(TENANT, user_add_mail), LAST
};
static const struct token user_mail[] = {
	TAKES(MAIL, NULL), LAST
};
static const struct token user_one[] = {
	TAKES(TENANT, user_mail), LAST
};
static const struct token user_factor[] = {
	DOES("remove", C_USER_FACTOR, 0, user_one),
	LAST
};
static const struct token role_last[] = {
	TAKES(ROLE, NULL), LAST
};
static const struct token user_role_mail[] = {
	TAKES(MAIL, role_last), LAST
};
static const struct token user_role_tenant[] = {
	TAKES(TENANT, user_role_mail), LAST
};
static const struct token user_import_opts[] = {
	MAYEND,
	DOES("dry", C_IMPORT_END, 1, NULL),
	LAST
};
static const struct token user_import_file[] = {
	TAKES(FILENAME, user_import_opts), LAST
};
static const struct token user_import[] = {
	TAKES(TENANT, user_import_file), LAST
};
static const struct token user_erase_how[] = {
	DOES("erase", C_ERASE, ERASE_PERSON, NULL),
	DOES("keep", C_ERASE, ERASE_NAMES, NULL),
	LAST
};
static const struct token user_erase_opts[] = {
	WORD("messages", user_erase_how),
	LAST
};
static const struct token user_erase_mail[] = {
	TAKES(MAIL, user_erase_opts), LAST
};
static const struct token user_erase[] = {
	TAKES(TENANT, user_erase_mail), LAST
};
static const struct token user_words[] = {
	DOES("add", C_USER_ADD, 0, user_add),
	DOES("delete", C_USER_DEL, 0, user_one),
	WORD("erase", user_erase),
	WORD("factor", user_factor),
	DOES("import", C_IMPORT_END, 0, user_import),
	DOES("invite", C_USER_LINK, LINK_INVITE, user_one),
	DOES("list", C_USER_LIST, 0, tenant_one),
	DOES("lock", C_USER_STATE, USER_LOCKED, user_one),
	DOES("reset", C_USER_LINK, LINK_RESET, user_one),
	DOES("role", C_USER_ROLE, 0, user_role_tenant),
	DOES("show", C_USER_SHOW, 0, user_one),
	DOES("unlock", C_USER_STATE, USER_ACTIVE, user_one),
	LAST
};

/* floor ... */
static const struct token floor_template[] = {
	TAKES(TEMPLATE, NULL), LAST
};
static const struct token floor_map[] = {
	TAKES(FILENAME, NULL), LAST
};
static const struct token floor_add_opts[] = {
	MAYEND,
	WORD("map", floor_map),
	WORD("template", floor_template),
	LAST
};
static const struct token floor_add_name[] = {
	TAKES(FLOOR, floor_add_opts), LAST
};
static const struct token floor_add[] = {
	TAKES(TENANT, floor_add_name), LAST
};
static const struct token floor_group[] = {
	TAKES(GROUP, NULL), LAST
};
static const struct token floor_who[] = {
	WORD("all", NULL),
	WORD("group", floor_group),
	WORD("user", user_mail),
	LAST
};
static const struct token floor_access_floor[] = {
	TAKES(FLOOR, floor_who), LAST
};
static const struct token floor_access[] = {
	TAKES(TENANT, floor_access_floor), LAST
};
static const struct token floor_one_floor[] = {
	TAKES(FLOOR, NULL), LAST
};
static const struct token floor_one[] = {
	TAKES(TENANT, floor_one_floor), LAST
};
static const struct token rule_text[] = {
	TAKES(LIST, NULL), LAST
};
static const struct token floor_networks_floor[] = {
	TAKES(FLOOR, rule_text), LAST
};
static const struct token floor_networks[] = {
	TAKES(TENANT, floor_networks_floor), LAST
};
/* In any order; one of them at least. */
static const struct token floor_talk_screen[] = {
	TAKES(SCREEN, floor_talk_opts), LAST
};
static const struct token floor_talk_video[] = {
	TAKES(VIDEO, floor_talk_opts), LAST
};
static const struct token floor_talk_voice[] = {
	TAKES(VOICE, floor_talk_opts), LAST
};
static const struct token floor_talk_way[] = {
	TAKES(FLOORWAY, floor_talk_opts), LAST
};
static const struct token floor_talk_opts[6] = {
	MAYEND,
	WORD("screen", floor_talk_screen),
	WORD("video", floor_talk_video),
	WORD("voice", floor_talk_voice),
	WORD("way", floor_talk_way),
	LAST
};
static const struct token floor_talk_floor[] = {
	TAKES(FLOOR, floor_talk_opts + 1), LAST
};
static const struct token floor_talk[] = {
	TAKES(TENANT, floor_talk_floor), LAST
};
static const struct token floor_words[] = {
	DOES("add", C_FLOOR_ADD, 0, floor_add),
	DOES("allow", C_FLOOR_ALLOW, 1, floor_access),
	DOES("delete", C_FLOOR_DEL, 0, floor_one),
	DOES("deny", C_FLOOR_ALLOW, 0, floor_access),
	DOES("list", C_FLOOR_LIST, 0, tenant_one),
	DOES("networks", C_FLOOR_NETWORKS, 0, floor_networks),
	DOES("show", C_FLOOR_SHOW, 0, floor_one),
	DOES("talk", C_FLOOR_TALK, 0, floor_talk),
	LAST
};

/* role ... */
static const struct token role_allow_right[] = {
	DOES("chat", C_ROLE_ALLOW, RIGHT_CHAT, NULL),
	DOES("dm", C_ROLE_ALLOW, RIGHT_DM, NULL),
	DOES("guest", C_ROLE_ALLOW, RIGHT_GUEST, NULL),
	DOES("screen", C_ROLE_ALLOW, RIGHT_SCREEN, NULL),
	DOES("video", C_ROLE_ALLOW, RIGHT_VIDEO, NULL),
	DOES("voice", C_ROLE_ALLOW, RIGHT_VOICE, NULL),
	LAST
};
static const struct token role_allow_role[] = {
	TAKES(ROLE, role_allow_right), LAST
};
static const struct token role_allow[] = {
	TAKES(TENANT, role_allow_role), LAST
};
static const struct token role_deny_right[] = {
	DOES("chat", C_ROLE_DENY, RIGHT_CHAT, NULL),
	DOES("dm", C_ROLE_DENY, RIGHT_DM, NULL),
	DOES("guest", C_ROLE_DENY, RIGHT_GUEST, NULL),
	DOES("screen", C_ROLE_DENY, RIGHT_SCREEN, NULL),
	DOES("video", C_ROLE_DENY, RIGHT_VIDEO, NULL),
	DOES("voice", C_ROLE_DENY, RIGHT_VOICE, NULL),
	LAST
};
static const struct token role_deny_role[] = {
	TAKES(ROLE, role_deny_right), LAST
};
static const struct token role_deny[] = {
	TAKES(TENANT, role_deny_role), LAST
};
static const struct token role_new_name[] = {
	TAKES(NAME, NULL), LAST
};
static const struct token role_rename_role[] = {
	TAKES(ROLE, role_new_name), LAST
};
static const struct token role_rename[] = {
	TAKES(TENANT, role_rename_role), LAST
};
static const struct token role_one[] = {
	TAKES(TENANT, role_last), LAST
};
static const struct token role_words[] = {
	DOES("add", C_ROLE_ADD, 0, role_one),
	DOES("allow", C_ROLE_ALLOW, 0, role_allow),
	DOES("delete", C_ROLE_DEL, 0, role_one),
	DOES("deny", C_ROLE_DENY, 0, role_deny),
	DOES("list", C_ROLE_LIST, 0, tenant_one),
	DOES("rename", C_ROLE_NAME, 0, role_rename),
	LAST
};

/* guest ... */
static const struct token guest_uses[] = {
	TAKES(NUMBER, guest_add_opts), LAST
};
static const struct token guest_expires[] = {
	TAKES(TIME, guest_add_opts), LAST
};
static const struct token guest_add_opts[6] = {
	MAYEND,
	FLAG("approval", CM_APPROVAL, guest_add_opts),
	WORD("expires", guest_expires),
	FLAG("password", CM_PASSWORD, guest_add_opts),
	WORD("uses", guest_uses),
	LAST
};
static const struct token guest_add_name[] = {
	TAKES(FLOOR, guest_add_opts), LAST
};
static const struct token guest_add_floor[] = {
	WORD("floor", guest_add_name), LAST
};
static const struct token guest_add[] = {
	TAKES(TENANT, guest_add_floor), LAST
};
static const struct token guest_one_number[] = {
	TAKES(NUMBER, NULL), LAST
};
static const struct token guest_one[] = {
	TAKES(TENANT, guest_one_number), LAST
};
static const struct token guest_words[] = {
	DOES("add", C_GUEST_ADD, 0, guest_add),
	DOES("list", C_GUEST_LIST, 0, tenant_one),
	DOES("revoke", C_GUEST_DEL, 0, guest_one),
	LAST
};

/* policy ... */
static const struct token policy_value[] = {
	TAKES(NUMBER, NULL), LAST
};
static const struct token policy_way[] = {
	TAKES(WAY, NULL), LAST
};
/* In the words of policy.c, which storage checks the value by. */
static const struct token policy_keys[] = {
	DOES("admin-networks", C_POLICY_SET,
	    POLICY_KEYS + POLICY_ADMIN_NETWORKS, rule_text),
	DOES("audit-days", C_POLICY_SET, POLICY_AUDIT_DAYS, policy_value),
	DOES("chat-days", C_POLICY_SET, POLICY_CHAT_DAYS, policy_value),
	DOES("legal-hold", C_POLICY_SET, POLICY_HOLD, policy_value),
	DOES("lock-minutes", C_POLICY_SET, POLICY_LOCK_MINUTES,
	    policy_value),
	DOES("lock-tries", C_POLICY_SET, POLICY_LOCK_TRIES, policy_value),
	DOES("log-console", C_POLICY_SET, POLICY_LOG_CONSOLE, policy_value),
	DOES("log-days", C_POLICY_SET, POLICY_LOG_DAYS, policy_value),
	DOES("mail-domains", C_POLICY_SET, POLICY_KEYS + POLICY_DOMAINS,
	    rule_text),
	DOES("networks", C_POLICY_SET, POLICY_KEYS + POLICY_NETWORKS,
	    rule_text),
	DOES("password-days", C_POLICY_SET, POLICY_DAYS, policy_value),
	DOES("password-history", C_POLICY_SET, POLICY_HISTORY, policy_value),
	DOES("password-kinds", C_POLICY_SET, POLICY_KINDS, policy_value),
	DOES("password-length", C_POLICY_SET, POLICY_LENGTH, policy_value),
	DOES("password-length-factor", C_POLICY_SET, POLICY_LENGTH_FACTOR,
	    policy_value),
	DOES("password-strength", C_POLICY_SET, POLICY_STRENGTH, policy_value),
	DOES("second-factor", C_POLICY_SET, POLICY_FACTOR, policy_value),
	DOES("second-factor-roles", C_POLICY_SET,
	    POLICY_KEYS + POLICY_FACTOR_ROLES, rule_text),
	DOES("session-absolute", C_POLICY_SET, POLICY_ABSOLUTE,
	    policy_value),
	DOES("session-idle", C_POLICY_SET, POLICY_IDLE, policy_value),
	DOES("talk-hidden-mute", C_POLICY_SET, POLICY_TALK_HIDDEN,
	    policy_value),
	DOES("talk-listen", C_POLICY_SET, POLICY_TALK_LISTEN, policy_value),
	DOES("talk-way", C_POLICY_SET, POLICY_TALK_WAY, policy_way),
	LAST
};
static const struct token policy_set[] = {
	TAKES(TENANT, policy_keys), LAST
};
/* Numbers from here on are presets, as storage counts them. */
static const struct token policy_presets_words[] = {
	DOES("nist", C_POLICY_SET, POLICY_KEYS + POLICY_LISTS, NULL),
	LAST
};
static const struct token policy_preset_tenant[] = {
	TAKES(TENANT, policy_presets_words), LAST
};
static const struct token policy_words[] = {
	WORD("preset", policy_preset_tenant),
	WORD("set", policy_set),
	DOES("show", C_POLICY_SHOW, 0, tenant_one),
	LAST
};

/* operator ... */
static const struct token operator_date[] = {
	TAKES(DATE, NULL), LAST
};
static const struct token operator_opts[] = {
	MAYEND,
	WORD("until", operator_date),
	LAST
};
static const struct token operator_roles[] = {
	DOES("auditor", C_OPERATOR_ADD, OP_AUDITOR, operator_opts),
	DOES("operator", C_OPERATOR_ADD, OP_OPERATOR, operator_opts),
	DOES("owner", C_OPERATOR_ADD, OP_OWNER, operator_opts),
	LAST
};
static const struct token operator_role[] = {
	WORD("role", operator_roles),
	LAST
};
static const struct token operator_add[] = {
	TAKES(ACCOUNT, operator_role), LAST
};
static const struct token operator_one[] = {
	TAKES(ACCOUNT, NULL), LAST
};
static const struct token operator_words[] = {
	WORD("add", operator_add),
	DOES("list", C_OPERATOR_LIST, 0, NULL),
	DOES("remove", C_OPERATOR_DEL, 0, operator_one),
	LAST
};

/* audit ... */
static const struct token audit_show_tenant[] = {
	TAKES(TENANT, audit_show_opts), LAST
};
static const struct token audit_show_last[] = {
	TAKES(NUMBER, audit_show_opts), LAST
};
static const struct token audit_show_opts[4] = {
	MAYEND,
	FLAG("last", CM_COUNT, audit_show_last),
	WORD("tenant", audit_show_tenant),
	LAST
};
static const struct token audit_verify_tenant[] = {
	TAKES(TENANT, audit_verify_opts), LAST
};
static const struct token audit_verify_file[] = {
	TAKES(FILENAME, audit_verify_opts), LAST
};
static const struct token audit_verify_key[] = {
	TAKES(PUBKEY, audit_verify_opts), LAST
};
static const struct token audit_verify_opts[5] = {
	MAYEND,
	WORD("against", audit_verify_file),
	WORD("key", audit_verify_key),
	WORD("tenant", audit_verify_tenant),
	LAST
};
static const struct token audit_points_opts[] = {
	MAYEND,
	WORD("tenant", tenant_one),
	LAST
};
static const struct token audit_words[] = {
	DOES("checkpoints", C_AUDIT_POINTS, 0, audit_points_opts),
	DOES("show", C_AUDIT_SHOW, 0, audit_show_opts),
	DOES("verify", C_AUDIT_VERIFY, 0, audit_verify_opts),
	LAST
};
static const struct token verify_key[] = {
	TAKES(PUBKEY, verify_opts), LAST
};
static const struct token verify_signature[] = {
	TAKES(SIGNATURE, verify_opts), LAST
};
static const struct token verify_opts[4] = {
	MAYEND,
	WORD("key", verify_key),
	WORD("signature", verify_signature),
	LAST
};
static const struct token verify_file[] = {
	TAKES(FILENAME, verify_opts), LAST
};

/* purge and retention ... */
static const struct token purge_show_opts[] = {
	MAYEND,
	WORD("tenant", tenant_one),
	LAST
};
static const struct token purge_run_opts[] = {
	MAYEND,
	DOES("dry", C_PURGE_SHOW, 0, purge_show_opts),
	WORD("tenant", tenant_one),
	LAST
};
static const struct token purge_words[] = {
	DOES("run", C_PURGE_RUN, 0, purge_run_opts),
	DOES("show", C_PURGE_SHOW, 0, purge_show_opts),
	LAST
};
/* The installation's own, which no tenant's rules are about. */
static const struct token retention_own[] = {
	DOES("audit", C_KEEP, KEEP_AUDIT, policy_value),
	DOES("log", C_KEEP, KEEP_LOG, policy_value),
	LAST
};
/* The same rules as those of policy, by what is kept. */
static const struct token retention_kinds[] = {
	DOES("audit", C_POLICY_SET, POLICY_AUDIT_DAYS, policy_value),
	DOES("chat", C_POLICY_SET, POLICY_CHAT_DAYS, policy_value),
	DOES("hold", C_POLICY_SET, POLICY_HOLD, policy_value),
	DOES("log", C_POLICY_SET, POLICY_LOG_DAYS, policy_value),
	LAST
};
static const struct token retention_set[] = {
	TAKES(TENANT, retention_kinds), LAST
};
static const struct token retention_words[] = {
	WORD("installation", retention_own),
	WORD("set", retention_set),
	DOES("show", C_PURGE_SHOW, 0, purge_show_opts),
	LAST
};

/* key ... */
static const struct token key_directory[] = {
	TAKES(DIRECTORY, NULL), LAST
};
static const struct token key_backup_opts[] = {
	MAYEND,
	WORD("from", key_directory),
	LAST
};
static const struct token key_backup[] = {
	TAKES(FILENAME, key_backup_opts), LAST
};
static const struct token key_restore[] = {
	TAKES(FILENAME, key_directory), LAST
};
static const struct token key_rotate[] = {
	WORD("system", NULL),
	WORD("tenant", tenant_one),
	LAST
};
static const struct token key_words[] = {
	DOES("backup", C_KEY_BACKUP, 0, key_backup),
	FLAG("restore", CM_RESTORE, key_restore),
	DOES("rotate", C_KEY_ROTATE, 0, key_rotate),
	DOES("show", C_KEY_SHOW, 0, NULL),
	FLAG("verify", CM_KEYS, tenant_file),
	LAST
};

/* backup ... */
static const struct token backup_verify[] = {
	MAYEND,
	TAKES(STAMP, NULL), LAST
};
static const struct token backup_one[] = {
	MAYEND,
	WORD("tenant", tenant_one),
	LAST
};
static const struct token backup_restore[] = {
	TAKES(STAMP, backup_one), LAST
};
static const struct token backup_words[] = {
	DOES("list", C_BACKUP_LIST, 0, NULL),
	DOES("now", C_BACKUP_NOW, 0, NULL),
	DOES("rehearse", C_BACKUP_REHEARSE, 0, NULL),
	DOES("restore", C_BACKUP_RESTORE, 0, backup_restore),
	DOES("verify", C_BACKUP_VERIFY, 0, backup_verify),
	LAST
};

/* chat ... */
static const struct token chat_from[] = { TAKES(FROM, chat_opts), LAST };
static const struct token chat_to[] = { TAKES(TO, chat_opts), LAST };
static const struct token chat_opts[4] = {
	MAYEND,
	WORD("from", chat_from),
	WORD("to", chat_to),
	LAST
};
static const struct token chat_until[] = { TAKES(TO, NULL), LAST };
static const struct token chat_since_opts[] = {
	MAYEND,
	WORD("to", chat_until),
	LAST
};
static const struct token chat_since[] = {
	TAKES(FROM, chat_since_opts), LAST
};
/* Nobody erases everything by two words. */
static const struct token chat_range[] = {
	WORD("from", chat_since),
	LAST
};
static const struct token chat_floor[] = { TAKES(FLOOR, chat_opts), LAST };
static const struct token chat_other[] = { TAKES(OTHER, chat_opts), LAST };
static const struct token chat_and[] = {
	WORD("and", chat_other),
	LAST
};
static const struct token chat_between[] = { TAKES(MAIL, chat_and), LAST };
static const struct token chat_what[] = {
	DOES("all", C_ERASE, ERASE_ALL, chat_range),
	DOES("between", C_ERASE, ERASE_PAIR, chat_between),
	DOES("floor", C_ERASE, ERASE_FLOOR, chat_floor),
	DOES("floors", C_ERASE, ERASE_FLOORS, chat_range),
	LAST
};
static const struct token chat_erase[] = { TAKES(TENANT, chat_what), LAST };
static const struct token chat_words[] = {
	WORD("erase", chat_erase),
	LAST
};

/* hold ... */
static const struct token hold_text[] = { TAKES(REASON, NULL), LAST };
static const struct token hold_reason[] = {
	WORD("reason", hold_text),
	LAST
};
static const struct token hold_mail[] = { TAKES(MAIL, hold_reason), LAST };
static const struct token hold_set_opts[] = {
	WORD("reason", hold_text),
	WORD("user", hold_mail),
	LAST
};
static const struct token hold_set[] = { TAKES(TENANT, hold_set_opts), LAST };
static const struct token hold_clear_opts[] = {
	MAYEND,
	WORD("user", user_mail),
	LAST
};
static const struct token hold_clear[] = {
	TAKES(TENANT, hold_clear_opts), LAST
};
static const struct token hold_words[] = {
	DOES("clear", C_HOLD_CLEAR, 0, hold_clear),
	DOES("set", C_HOLD_SET, 0, hold_set),
	DOES("show", C_HOLD_SHOW, 0, tenant_one),
	LAST
};

/* The rest. */
static const struct token session_words[] = {
	DOES("end", C_SESSION_END, 0, user_one),
	DOES("list", C_SESSION_LIST, 0, tenant_one),
	LAST
};
static const struct token show_one[] = {
	MAYEND,
	WORD("tenant", tenant_one),
	LAST
};
static const struct token show_words[] = {
	DOES("alerts", C_ALERTS, 0, show_one),
	DOES("attacks", C_ATTACKS, 0, NULL),
	DOES("key", C_PROOF_KEY, 0, NULL),
	DOES("processes", C_PROCESSES, 0, NULL),
	DOES("stats", C_STATS, 0, NULL),
	DOES("status", C_STATUS, 0, NULL),
	DOES("storage", C_STORAGE, 0, show_one),
	LAST
};
static const struct token alert_name[] = {
	TAKES(ALERT, NULL), LAST
};
static const struct token alert_words[] = {
	DOES("clear", C_ALERT_CLEAR, 0, alert_name),
	LAST
};
static const struct token confirm_refuse[] = {
	TAKES(NUMBER, NULL), LAST
};
/* A number is taken as one before it is looked for among the words. */
static const struct token confirm_words[] = {
	DOES("list", C_CONFIRMS, 0, NULL),
	DOES("refuse", C_CONFIRM, 1, confirm_refuse),
	{ NUMBER, "NUMBER", IMSG_C_CONFIRM, 0, NULL },
	LAST
};
static const struct token export_words[] = {
	DOES("list", C_EXPORTS, 0, show_one),
	LAST
};
static const struct token log_from[] = { TAKES(FROM, log_opts), LAST };
static const struct token log_to[] = { TAKES(TO, log_opts), LAST };
static const struct token log_user[] = { TAKES(WHO, log_opts), LAST };
static const struct token log_floor[] = { TAKES(FLOOR, log_opts), LAST };
static const struct token log_kind[] = { TAKES(KIND, log_opts), LAST };
static const struct token log_last[] = { TAKES(NUMBER, log_opts), LAST };
static const struct token log_tenant[] = { TAKES(TENANT, log_opts), LAST };
static const struct token log_network[] = {
	TAKES(NETWORK, log_opts), LAST
};
static const struct token log_opts[10] = {
	MAYEND,
	WORD("address", log_network),
	WORD("floor", log_floor),
	WORD("from", log_from),
	WORD("kind", log_kind),
	FLAG("last", CM_COUNT, log_last),
	WORD("tenant", log_tenant),
	WORD("to", log_to),
	WORD("user", log_user),
	LAST
};
static const struct token exp_from[] = { TAKES(FROM, export_opts), LAST };
static const struct token exp_to[] = { TAKES(TO, export_opts), LAST };
static const struct token exp_user[] = { TAKES(WHO, export_opts), LAST };
static const struct token exp_floor[] = { TAKES(FLOOR, export_opts), LAST };
static const struct token exp_kind[] = { TAKES(KIND, export_opts), LAST };
static const struct token exp_tenant[] = {
	TAKES(TENANT, export_opts), LAST
};
static const struct token exp_network[] = {
	TAKES(NETWORK, export_opts), LAST
};
static const struct token exp_reason[] = {
	TAKES(REASON, export_opts), LAST
};
static const struct token export_opts[10] = {
	MAYEND,
	WORD("address", exp_network),
	WORD("floor", exp_floor),
	WORD("from", exp_from),
	WORD("kind", exp_kind),
	WORD("reason", exp_reason),
	WORD("tenant", exp_tenant),
	WORD("to", exp_to),
	WORD("user", exp_user),
	LAST
};
static const struct token log_export_file[] = {
	TAKES(FILENAME, export_opts), LAST
};
static const struct token log_export[] = {
	DOES("csv", C_LOG_SHOW, LOG_CSV, log_export_file),
	DOES("jsonl", C_LOG_SHOW, LOG_JSONL, log_export_file),
	LAST
};
static const struct token log_words[] = {
	DOES("brief", C_VERBOSE, 0, NULL),
	WORD("export", log_export),
	DOES("show", C_LOG_SHOW, LOG_ROWS, log_opts),
	DOES("verbose", C_VERBOSE, 1, NULL),
	LAST
};
static const struct token main_words[] = {
	WORD("alert", alert_words),
	WORD("audit", audit_words),
	WORD("backup", backup_words),
	WORD("chat", chat_words),
	DOES("checksheet", C_STORAGE, 1, show_one),
	WORD("confirm", confirm_words),
	WORD("export", export_words),
	WORD("floor", floor_words),
	WORD("guest", guest_words),
	WORD("hold", hold_words),
	WORD("key", key_words),
	WORD("log", log_words),
	WORD("operator", operator_words),
	WORD("policy", policy_words),
	WORD("purge", purge_words),
	DOES("reload", C_RELOAD, 0, NULL),
	WORD("retention", retention_words),
	WORD("role", role_words),
	WORD("session", session_words),
	WORD("show", show_words),
	WORD("tenant", tenant_words),
	WORD("user", user_words),
	FLAG("verify", CM_VERIFY, verify_file),
	LAST
};

static void	 complain(FILE *, const struct token *, const char *, ...)
		    __attribute__((format(printf, 3, 4)));

static void
words(FILE *err, const struct token *table)
{
	const struct token	*t;

	fprintf(err, "valid here:");
	for (t = table; t->t_word != NULL; t++)
		fprintf(err, " %s", t->t_word);
	fprintf(err, "\n");
}

void
command_help(FILE *err)
{
	words(err, main_words);
}

static void
complain(FILE *err, const struct token *table, const char *fmt, ...)
{
	va_list	 ap;

	fprintf(err, "risactl: ");
	va_start(ap, fmt);
	vfprintf(err, fmt, ap);
	va_end(ap);
	fprintf(err, "\n");
	if (table != NULL)
		words(err, table);
}

/* The keyword that s is or begins; NULL after complaining. */
static const struct token *
keyword(const struct token *table, const char *s, FILE *err)
{
	const struct token	*t, *found = NULL;
	size_t			 len = strlen(s);
	int			 n = 0;

	for (t = table; t->t_word != NULL; t++) {
		if (t->t_type != KEYWORD || len == 0 ||
		    strncmp(t->t_word, s, len) != 0)
			continue;
		if (t->t_word[len] == '\0')
			return (t);
		found = t;
		n++;
	}
	if (n == 1)
		return (found);
	if (n == 0) {
		complain(err, table, "unknown word: %s", s);
		return (NULL);
	}
	complain(err, NULL, "ambiguous word: %s", s);
	fprintf(err, "could be:");
	for (t = table; t->t_word != NULL; t++)
		if (t->t_type == KEYWORD && strncmp(t->t_word, s, len) == 0)
			fprintf(err, " %s", t->t_word);
	fprintf(err, "\n");
	return (NULL);
}

/*
 * A table has keywords or one argument, which may be missing, or beside
 * keywords a number.
 */
static const struct token *
match(const struct token *table, const char *s, FILE *err)
{
	const struct token	*t;

	for (t = table; s[0] >= '0' && s[0] <= '9' && t->t_word != NULL; t++)
		if (t->t_type == NUMBER)
			return (t);
	if (table->t_type == END && table[1].t_word != NULL &&
	    table[1].t_type != KEYWORD)
		table++;
	if (table->t_type != KEYWORD && table->t_type != END)
		return (table);
	return (keyword(table, s, err));
}

/* A number of minutes, hours, days or weeks; 0, or -1. */
static int
seconds(const char *s, uint32_t *n)
{
	static const struct { char unit; uint32_t seconds; } units[] = {
		{ 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 }
	};
	const char	*why;
	char		 digits[8];
	size_t		 i, len = strspn(s, "0123456789");

	if (len == 0 || len >= sizeof(digits) || s[len] == '\0' ||
	    s[len + 1] != '\0')
		return (-1);
	(void)strlcpy(digits, s, len + 1);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].unit != s[len])
			continue;
		*n = units[i].seconds * (uint32_t)strtonum(digits, 1,
		    UINT32_MAX / units[i].seconds, &why);
		return (why == NULL ? 0 : -1);
	}
	return (-1);
}

/* A time to come; of a day its last second. */
static enum zone_why
ahead_parse(const char *s, uint64_t *ms)
{
	uint64_t	 now = now_ms();
	uint32_t	 wait;

	if (strcmp(s, "tomorrow") == 0)
		*ms = zone_day_end(now, 1);
	else if (s[0] == '+' && seconds(s + 1, &wait) == 0)
		*ms = now + (uint64_t)wait * 1000;
	else
		return (zone_read(s, 1, ms));
	return (ZONE_OK);
}

/* A time that has been; of a day its first second, or its last. */
static enum zone_why
past_parse(const char *s, int last, uint64_t *ms)
{
	uint32_t	 ago;

	if (seconds(s, &ago) != 0)
		return (zone_read(s, last, ms));
	*ms = now_ms() - (uint64_t)ago * 1000;
	return (ZONE_OK);
}

/* NULL, or what is wrong with a time. */
static const char *
time_why(enum zone_why why, const char *expected)
{
	switch (why) {
	case ZONE_OK:
		return (NULL);
	case ZONE_NEVER:
		return ("in this zone the clock was put forward over it: "
		    "another time expected");
	case ZONE_TWICE:
		return ("in this zone the clock was put back, and it was "
		    "twice: a time with its offset, as in "
		    "2026-11-01T01:30:00-05:00, expected");
	default:
		return (expected);
	}
}

/* What a floor lets all on it do: 0, or -1 for neither yes nor no. */
static int
talk_right(struct command *cm, uint8_t right, const char *s)
{
	int	 yes = strcmp(s, "yes") == 0;

	cm->cm_mask |= right;
	cm->cm_can |= yes ? right : 0;
	return (yes || strcmp(s, "no") == 0 ? 0 : -1);
}

/* A way of which a rule, or a floor, may be: 0, or -1. */
static int
talk_way(struct command *cm, enum talk_way first, const char *s)
{
	int	 n = way_number(s);

	if (n < (int)first)
		return (-1);
	cm->cm_way = (uint8_t)n;
	cm->cm_number = (uint32_t)n;	/* the value of the rule */
	return (0);
}

/* NULL, or what the argument should be. */
static const char *
argument(struct command *cm, enum token_type type, const char *s)
{
	static const char	*const kinds[ACCESS_MAX] = {
		"request", "sign-in", "sign-out", "failed", "enter", "leave",
		"talk", "talk-end"
	};
	struct network	 nw;
	const char	*why;
	size_t		 n;

	switch (type) {
	case TENANT:
		cm->cm_tenant = s;
		return (label_valid(s) ? NULL :
		    "a tenant's name of a-z, 0-9 and - expected");
	case AGAIN:
		return (strcmp(s, cm->cm_tenant) == 0 ? NULL :
		    "the tenant's name once more expected");
	case MAIL:
		return (mail_normal(cm->cm_mail, sizeof(cm->cm_mail), s) == 0 ?
		    NULL : "a mail address expected");
	case OTHER:
		return (mail_normal(cm->cm_other, sizeof(cm->cm_other), s) ==
		    0 ? NULL : "a mail address expected");
	case TITLE:
		cm->cm_title = s;
		return (name_valid(s, MAX_TITLE_CHARS) ? NULL :
		    "a title of 1 to 100 characters expected");
	case FILENAME:
		cm->cm_file = s;
		return (s[0] != '\0' ? NULL : "a file expected");
	case DIRECTORY:
		cm->cm_directory = s;
		return (s[0] != '\0' ? NULL : "a directory expected");
	case WHO:
		cm->cm_user = s;
		if (strchr(s, '@') == NULL) {
			(void)strtonum(s, 1, UINT32_MAX, &why);
			return (why == NULL ? NULL :
			    "a mail address or a user's number expected");
		}
		cm->cm_user = cm->cm_mail;
		return (mail_normal(cm->cm_mail, sizeof(cm->cm_mail), s) == 0 ?
		    NULL : "a mail address or a user's number expected");
	case NETWORK:
		cm->cm_network = s;
		return (network_parse(&nw, s) == NETWORK_OK ? NULL :
		    "an address or a network such as 192.0.2.0/24 expected");
	case FROM:
	case TO:
		return (time_why(past_parse(s, type == TO, type == TO ?
		    &cm->cm_to : &cm->cm_from), "a day as 2026-11-30, a time "
		    "as 2026-11-30T18:00:00Z, or how long ago, as 2h or 30d, "
		    "expected"));
	case KIND:
		for (n = 0; n < sizeof(kinds) / sizeof(kinds[0]); n++)
			if (strcmp(s, kinds[n]) == 0)
				cm->cm_kind = (uint8_t)(n + 1);
		return (cm->cm_kind != 0 ? NULL : "request, sign-in, "
		    "sign-out, failed, enter, leave, talk or talk-end "
		    "expected");
	case WAY:
		return (talk_way(cm, WAY_DIRECT, s) == 0 ? NULL :
		    "direct, relay or 443 expected");
	case FLOORWAY:
		return (talk_way(cm, WAY_TENANT, s) == 0 ? NULL :
		    "tenant, direct, relay or 443 expected");
	case VOICE:
	case VIDEO:
	case SCREEN:
		return (talk_right(cm, type == VOICE ? RIGHT_VOICE :
		    type == VIDEO ? RIGHT_VIDEO : RIGHT_SCREEN, s) == 0 ?
		    NULL : "yes or no expected");
	case STAMP:
		cm->cm_stamp = s;
		return (stamp_read(s, NULL) == 0 ? NULL :
		    "the stamp of a backup, as 20261129T033000Z, expected");
	case SIGNATURE:
		cm->cm_signature = s;
		return (s[0] != '\0' ? NULL : "a file expected");
	case PUBKEY:
		cm->cm_key = s;
		return (s[0] != '\0' ? NULL : "a file expected");
	case NUMBER:
		cm->cm_number = (uint32_t)strtonum(s, 0, UINT32_MAX, &why);
		return (why == NULL ? NULL : "a whole number expected");
	case LIST:
		cm->cm_text = s;
		return (strlen(s) <= MAX_POLICY && utf8_valid(s, strlen(s)) ?
		    NULL : "a shorter list expected");
	case ACCOUNT:
		cm->cm_account = s;
		return (name_valid(s, MAX_NAME_CHARS) ? NULL :
		    "an account's name or number expected");
	case DATE:
		return (time_why(ahead_parse(s, &cm->cm_until),
		    "a day as 2027-03-31 expected, or a time as "
		    "2027-03-31T18:00:00Z, tomorrow, or +30d"));
	case REASON:
		cm->cm_reason = s;
		return (name_valid(s, MAX_REASON_CHARS) ? NULL :
		    "a reason of 1 to 120 characters expected");
	case ALERT:
		cm->cm_text = s;
		return (label_valid(s) ? NULL : "the name of an alert, or all, "
		    "expected");
	case TIME:
		return (seconds(s, &cm->cm_seconds) == 0 ? NULL :
		    "a time such as 30m, 4h, 3d or 2w expected");
	case NAME:
		cm->cm_name = s;
		break;
	case FLOOR:
		cm->cm_floor = s;
		break;
	case ROLE:
		cm->cm_role = s;
		break;
	case GROUP:
		cm->cm_group = s;
		break;
	case TEMPLATE:
		cm->cm_template = s;
		break;
	case END:
	case KEYWORD:
		return (NULL);
	}
	return (name_valid(s, MAX_NAME_CHARS) ? NULL :
	    "a name of 1 to 64 characters expected");
}

/* May the command end in this place? */
static int
finish(const struct token *table, FILE *err)
{
	if (table == NULL || table->t_type == END)
		return (0);
	complain(err, table, "something is missing");
	return (-1);
}

int
command_parse(struct command *cm, int argc, char *const argv[], FILE *err)
{
	const struct token	*table = main_words, *t, *seen[MAX_WORDS];
	const char		*why;
	int			 i, j;

	memset(cm, 0, sizeof(*cm));
	cm->cm_number = 1;		/* uses, unless they are given */
	cm->cm_way = WAY_MAX;
	for (i = 0; i < argc; i++) {
		if (table == NULL || i >= MAX_WORDS) {
			complain(err, NULL, "one word too many: %s", argv[i]);
			return (-1);
		}
		if ((t = match(table, argv[i], err)) == NULL)
			return (-1);
		for (j = 0; j < i; j++) {
			if (seen[j] == t) {
				complain(err, NULL, "given twice: %s",
				    t->t_word);
				return (-1);
			}
		}
		seen[i] = t;
		if ((why = argument(cm, t->t_type, argv[i])) != NULL) {
			complain(err, NULL, "%s: %s", argv[i], why);
			return (-1);
		}
		if (t->t_imsg != IMSG_NONE) {
			cm->cm_type = t->t_imsg;
			cm->cm_arg = t->t_arg;
		} else
			cm->cm_flags |= t->t_arg;
		table = t->t_next;
	}
	return (finish(table, err));
}
