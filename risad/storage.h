/*
 * The process that holds the data: what its files share.
 */
#ifndef STORAGE_H
#define STORAGE_H

#include <sys/tree.h>

#include "db.h"
#include "grant.h"
#include "policy.h"
#include "proc.h"
#include "risad.h"

#define STREAM_ROWS	64		/* of a long answer in one turn */
#define STREAM_HIGH	4096		/* messages that may wait for a peer */
#define TOKENS_KEPT	50		/* sign-ins of one user */
#define UNREAD_MAX	99
#define HISTORY_MAX	100
#define DMS_MAX		500		/* conversations told at sign-in */

/* What storage keeps of risad.conf. */
struct template {
	TAILQ_ENTRY(template) tp_entry;
	char		*tp_name;
	void		*tp_map;
	size_t		 tp_len;
};
TAILQ_HEAD(templates, template);

struct storage_conf {
	uint64_t	 sc_generation;
	uint32_t	 sc_idle, sc_invite;	/* seconds */
	int		 sc_has_master;
	uint8_t		 sc_master[SEAL_KEY];
	struct templates sc_templates;
};
extern struct storage_conf *storage_conf;
extern uint64_t	 storage_messages;	/* written since the start */

struct tenant {
	RB_ENTRY(tenant) tn_entry;
	uint32_t	 tn_id;
	uint8_t		 tn_state;
	uint64_t	 tn_created, tn_version;
	enum db_why	 tn_why;	/* as it was found last */
	uint64_t	 tn_retry;	/* mono ms: not asked before */
	char		 tn_name[MAX_LABEL + 1];
	char		 tn_title[MAX_TITLE + 1];
	char		 tn_contact[MAX_MAIL + 1];
	struct policy	 tn_policy;
};
RB_HEAD(tenant_tree, tenant);
int	 tenant_cmp(const struct tenant *, const struct tenant *);
RB_PROTOTYPE(tenant_tree, tenant, tn_entry, tenant_cmp);
extern struct tenant_tree tenant_all;

/* What is being answered.  rq_gr is NULL unless a session asks. */
struct request {
	struct grant	 rq_copy;
	struct peer	*rq_peer;
	uint32_t	 rq_type, rq_id;
	struct tenant	*rq_tn;
	struct db	*rq_db;
	const struct grant *rq_gr;	/* the copy: it may end meanwhile */
	uint64_t	 rq_arg;	/* of a RESULT that is not R_OK */
	const char	*rq_field;	/* likewise; a constant */
};

/* A user's row, opened. */
struct person {
	uint32_t	 p_id, p_floor, p_look;
	uint8_t		 p_role, p_state, p_lang, p_status;
	uint64_t	 p_created, p_last, p_version, p_secver;
	size_t		 p_secretlen;	/* 0: no password yet */
	char		 p_mail[MAX_MAIL + 1];
	char		 p_name[MAX_NAME + 1];
	char		 p_note[MAX_NOTE + 1];
	uint8_t		 p_secret[MAX_SEALED];
};

/* Floors and groups of a tenant as they decide who may enter. */
struct idlist {
	uint32_t	*il_ids;	/* ascending, each once */
	size_t		 il_n;
};
struct floor {
	uint32_t	 fl_id, fl_bytes;
	uint64_t	 fl_version, fl_edition;
	uint8_t		 fl_open;
	char		*fl_name;
	struct idlist	 fl_users, fl_groups;
};
struct group {
	uint32_t	 gp_id;
	uint64_t	 gp_version;
	char		*gp_name;
	struct idlist	 gp_members;
};
/* Of a user, what each of his messages needs. */
struct brief {
	uint32_t	 br_id;			/* 0: nobody */
	uint8_t		 br_state;
	char		 br_name[MAX_NAME + 1];
};
#define BRIEFS		64			/* kept of a tenant */
struct rights {
	struct floor	*rt_floors;
	struct group	*rt_groups;
	size_t		 rt_nfloors, rt_ngroups;
	struct brief	 rt_briefs[BRIEFS];	/* by the id's remainder */
};

struct token {
	uint64_t	 tk_id, tk_created, tk_seen, tk_expires;
	uint32_t	 tk_user;
	char		 tk_addr[MAX_ADDR + 1];
	char		 tk_agent[MAX_AGENT + 1];
};

/*
 * A long answer: step sends some rows, beginning after st_after, and returns
 * 1 to be called again or 0 when the answer is complete.
 */
struct stream {
	TAILQ_ENTRY(stream) st_entry;
	enum proc_type	 st_proc;
	unsigned int	 st_inst;
	uint32_t	 st_id, st_tenant;
	uint64_t	 st_grant;	/* 0: not a session's */
	uint64_t	 st_after;
	int		(*st_step)(struct stream *, struct peer *);
};

/* storage.c */

/*
 * Send a row or an answer; both wait for the commit if the request's file has
 * an open transaction.
 */
void	 rq_answer(struct request *, enum imsg_type, const void *);
void	 rq_result(struct request *, enum result, uint64_t arg,
	    const char *field);
/* Tell a process, or all sessions, unasked, once the request is committed. */
void	 rq_tell(struct request *, enum proc_type, unsigned int inst,
	    uint32_t id, enum imsg_type, const void *);
void	 rq_tell_sessions(struct request *, enum imsg_type, const void *);
void	 rq_tell_tenant(struct request *, const struct tenant *);
/* Take back what waits behind the mark: the request is undone. */
void	 rq_unanswer(struct request *, const struct held *mark);

/* The tenant, or NULL. */
struct tenant *tenant_by_id(uint32_t id);
struct tenant *tenant_by_name(const char *);
/* Its file, or NULL: then it is marked, and not asked again for a while. */
struct db *tenant_enter(struct tenant *);
/* The end of each use of it: sees to the commit, and to damage. */
void	 tenant_leave(struct tenant *, struct db *);
/* Put a tenant in the table; NULL without memory. */
struct tenant *tenant_new(uint32_t id, const char *name);

/* Begin a long answer.  0, or -1 without memory. */
int	 rq_stream(struct request *, int (*)(struct stream *, struct peer *));

/* End the grants of a user, or of a token if not 0, except one token's; tells
 * their sessions at once.  tenant and user as for grant_each(). */
void	 grants_end(uint32_t tenant, uint32_t user, uint64_t token,
	    uint64_t except, enum grant_end);

/* storage_data.c: rows, opened and sealed */

/* 1 found, 0 not there, -1 does not open or the file fails. */
int	 person_get(struct db *, uint32_t id, struct person *);
int	 person_find(struct db *, const char *mail, struct person *);
/*
 * State and name of a user, from memory where he was asked for before.  1, 0
 * when there is none, or -1.  Good until the next one is asked for.
 */
int	 person_brief(struct db *, uint32_t id, const struct brief **);
/* From a statement with a user's columns; 0, or -1. */
int	 person_read(struct db *, sqlite3_stmt *, struct person *);
/* Add one with p_mail, p_name, p_role, p_state; sets p_id.  0, or -1. */
int	 person_add(struct db *, struct person *);
/* Write what changed: the profile, or role and state, or those and the
 * password (NULL: none).  They count the versions up.  0, or -1. */
int	 person_set_profile(struct db *, struct person *);
int	 person_set_rights(struct db *, struct person *);
int	 person_set_secret(struct db *, struct person *, const void *,
	    size_t len);
/* A profile as sessions get it; with_mail only for the person himself. */
void	 person_user(const struct tenant *, const struct person *,
	    int with_mail, struct m_user *);
/* Delete the user with all that leads to him.  0, or -1. */
int	 person_delete(struct db *, uint32_t id);

/* Floors and groups, loaded when first asked for; NULL on failure. */
struct rights *rights_get(struct db *);
void	 rights_free(struct db *);
struct floor *rights_floor(struct rights *, uint32_t id);
struct group *rights_group(struct rights *, uint32_t id);
int	 rights_may_enter(struct rights *, const struct floor *,
	    uint32_t user);
/* From 32-bit big endian numbers, sorted; 0, or -1.  Free il_ids. */
int	 idlist_read(struct idlist *, const struct m_blob *);
/* The other way; NULL without memory.  Free it. */
void	*idlist_wire(const struct idlist *);
int	 idlist_has(const struct idlist *, uint32_t);
/* A copy with the id, or without it.  0, or -1.  Free il_ids. */
int	 idlist_change(struct idlist *to, const struct idlist *, uint32_t id,
	    int with);

/* 0, or -1.  The add functions set *id. */
int	 floor_row_add(struct db *, const char *name, const void *map,
	    size_t len, uint32_t *id);
int	 floor_row_name(struct db *, uint32_t id, const char *);
int	 floor_row_rights(struct db *, const struct floor *, uint8_t open,
	    const struct idlist *users, const struct idlist *groups);
int	 floor_row_del(struct db *, uint32_t id);
int	 group_row_add(struct db *, const char *name, const struct idlist *,
	    uint32_t *id);
int	 group_row_name(struct db *, uint32_t id, const char *);
int	 group_row_members(struct db *, const struct group *,
	    const struct idlist *);
int	 group_row_del(struct db *, uint32_t id);

/* The sign-in of a hashed token: 1, 0 unknown or over, -1. */
int	 token_row_find(struct db *, const uint8_t sha[TOKEN_LEN],
	    struct token *);
int	 token_row_read(struct db *, sqlite3_stmt *, struct token *);
int	 token_row_add(struct db *, const struct token *,
	    const uint8_t sha[TOKEN_LEN]);

/*
 * A new link for the user, which kills his older one.  The token is for the
 * URL; we keep its hash.  0, or -1.
 */
int	 link_row_make(struct db *, uint32_t user, enum link_kind,
	    uint64_t expires, uint8_t token[TOKEN_LEN]);
/* The user whom a link is for: 1, 0 unknown, over or locked, -1. */
int	 link_row_find(struct db *, const uint8_t sha[TOKEN_LEN],
	    struct person *, enum link_kind *);

/* Write a line of the audit trail.  0, or -1. */
int	 audit_add(struct db *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));

/* system.db: a tenant's row.  0, or -1. */
int	 tenants_load(void);
int	 tenant_insert(struct db *, const struct tenant *);
int	 tenant_update(struct db *, struct tenant *);

/* storage_auth.c: requests of auth about a tenant */
enum result	 data_cred_find(struct request *, const void *);
enum result	 data_cred_token(struct request *, const void *);
enum result	 data_cred_set(struct request *, const void *);
enum result	 data_token_new(struct request *, const void *);
enum result	 data_token_find(struct request *, const void *);
enum result	 data_grant_new(struct request *, const void *);
enum result	 data_link_find(struct request *, const void *);
enum result	 data_link_set(struct request *, const void *);

/* storage_talk.c: requests of everybody */
enum result	 me_set(struct request *, const void *);
enum result	 me_signout(struct request *, const void *);
enum result	 me_floors(struct request *, const void *);
enum result	 me_floor(struct request *, const void *);
enum result	 me_place(struct request *, const void *);
enum result	 me_say(struct request *, const void *);
enum result	 me_history(struct request *, const void *);
enum result	 me_read(struct request *, const void *);
enum result	 me_unread(struct request *, const void *);
enum result	 me_people(struct request *, const void *);

/* storage_admin.c: requests of a tenant's administrators */
enum result	 adm_users(struct request *, const void *);
enum result	 adm_user_add(struct request *, const void *);
enum result	 adm_user_set(struct request *, const void *);
enum result	 adm_user_del(struct request *, const void *);
enum result	 adm_user_link(struct request *, const void *);
enum result	 adm_groups(struct request *, const void *);
enum result	 adm_group_add(struct request *, const void *);
enum result	 adm_group_set(struct request *, const void *);
enum result	 adm_group_del(struct request *, const void *);
enum result	 adm_templates(struct request *, const void *);
enum result	 adm_floors(struct request *, const void *);
enum result	 adm_floor_add(struct request *, const void *);
enum result	 adm_floor_set(struct request *, const void *);
enum result	 adm_floor_del(struct request *, const void *);
enum result	 adm_tenant_set(struct request *, const void *);
enum result	 adm_policy_set(struct request *, const void *);

/*
 * What administrators and operators do alike, in the transaction of the
 * request; each checks all limits and tells whom it concerns.
 */
enum result	 user_create(struct request *, const char *mail,
		    const char *name, uint8_t role, struct person *);
enum result	 user_set_role(struct request *, struct person *, uint8_t);
enum result	 user_set_state(struct request *, struct person *, uint8_t);
/* All rules at once; one out of bounds is named in rq_field. */
enum result	 policy_set(struct request *, const struct policy *);
enum result	 user_remove(struct request *, const struct person *);
enum result	 user_link(struct request *, struct person *,
		    struct m_a_link *);
/* The map is of the template, or the one given when template is "". */
enum result	 floor_create(struct request *, const char *name,
		    const char *template, const struct m_blob *map,
		    uint32_t *id);
/* When the link of a user runs out, in ms; 0 for none. */
uint64_t	 link_expiry(struct db *, uint32_t user);

/* storage_control.c: an operator's command; answers by itself. */
void		 storage_control(struct request *, const void *);

extern const struct proc_ops	 storage_ops;

#endif
