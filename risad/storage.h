/*
 * The process that holds the data: what its files share.
 */
#ifndef STORAGE_H
#define STORAGE_H

#include <sys/tree.h>

#include <stdio.h>

#include "db.h"
#include "grant.h"
#include "policy.h"
#include "proc.h"
#include "risad.h"

#define SECOND		1000		/* ms */
#define DAY		(24ULL * 3600 * SECOND)
#define STREAM_ROWS	64		/* of a long answer in one turn */
#define STREAM_HIGH	4096		/* messages that may wait for a peer */
#define STREAM_UNREAD	8	/* large parts that a client has not read */
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
	uint16_t	 sc_backup_at, sc_backup_keep;	/* as in m_site */
	uint32_t	 sc_confirm;		/* CONFIRM_* */
	char		 sc_country[MAX_COUNTRY + 1];
	int		 sc_has_master;
	uint8_t		 sc_master[SEAL_KEY];
	int		 sc_has_previous;	/* -1: it is no key */
	int		 sc_lost;		/* a descriptor is missing */
	uint8_t		 sc_previous[SEAL_KEY];
	struct templates sc_templates;
};
extern struct storage_conf *storage_conf;
extern uint64_t	 storage_messages;	/* written since the start */
/* The public key of the installation; zero bytes: not known yet. */
extern uint8_t	 storage_key[TOKEN_LEN];

struct tenant {
	RB_ENTRY(tenant) tn_entry;
	uint32_t	 tn_id;
	uint8_t		 tn_state;
	uint64_t	 tn_created, tn_version;
	enum db_why	 tn_why;	/* as it was found last */
	uint64_t	 tn_retry;	/* mono ms: not asked before */
	uint64_t	 tn_sweep;	/* ms: then guests are looked at */
	int		 tn_free;	/* no hold keeps words with guests */
	int		 tn_trail;	/* may have grown since a checkpoint */
	uint64_t	 tn_point;	/* mono ms: no other before */
	uint64_t	 tn_purge;	/* mono ms: then what is old goes */
	int		 tn_purging;	/* now, an operator waits for it */
	struct {
		uint64_t	 begun;	/* mono ms; 0: never */
		unsigned int	 n;
	}		 tn_failed, tn_unknown;	/* of late */
	uint64_t	 tn_erase;	/* mono ms: look for erasures then */
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
	uint32_t	 rq_op;		/* who, unless a session asks */
	int		 rq_writes;
	struct tenant	*rq_tn;
	struct db	*rq_db;
	const struct grant *rq_gr;	/* the copy: it may end meanwhile */
	int		 rq_confirmed;	/* by a second operator */
	uint32_t	 rq_second;
	uint64_t	 rq_arg;	/* of a RESULT that is not R_OK */
	const char	*rq_field;	/* likewise; a constant */
};

/* A user's row, opened. */
struct person {
	uint32_t	 p_id, p_floor, p_look;
	uint8_t		 p_role, p_state, p_lang, p_status;
	uint64_t	 p_created, p_last, p_version, p_secver;
	uint8_t		 p_factors;	/* FACTOR_TOTP, FACTOR_PASSKEY */
	size_t		 p_secretlen;	/* 0: no password yet */
	char		 p_mail[MAX_MAIL + 1];
	char		 p_name[MAX_NAME + 1];
	char		 p_note[MAX_NOTE + 1];
	uint8_t		 p_secret[MAX_SEALED];
};

/*
 * What belongs to a person's second factors besides passkeys, which have rows
 * of their own: the seed of TOTP as hash has sealed it, one that waits to be
 * confirmed, and the hashes of recovery codes.
 */
struct factors {
	uint32_t	 fa_user;
	uint64_t	 fa_version;		/* 0: no row */
	uint64_t	 fa_since, fa_used, fa_begun;	/* ms */
	uint64_t	 fa_step;		/* the last one accepted */
	size_t		 fa_totplen, fa_pendinglen;
	size_t		 fa_ncodes;
	uint8_t		 fa_totp[MAX_SEALED];
	uint8_t		 fa_pending[MAX_SEALED];
	uint8_t		 fa_codes[RECOVERY_CODES][TOKEN_LEN];
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
	uint8_t		 fl_can;		/* RIGHT_TALK, for all */
	uint8_t		 fl_way;		/* enum talk_way */
	char		*fl_name;
	struct idlist	 fl_users, fl_groups;
	struct networks	*fl_networks;		/* NULL: from anywhere */
};
struct group {
	uint32_t	 gp_id;
	uint64_t	 gp_version;
	char		*gp_name;
	struct idlist	 gp_members;
};
/* A role whose rights were set, or one of the tenant's own. */
struct roledef {
	uint8_t		 rl_id, rl_can;
	uint64_t	 rl_version;
	char		*rl_name;	/* or the word of role.h */
};
/* A URL for guests: what it lets do, to whom, how often. */
struct guest {
	uint32_t	 gu_id, gu_by;	/* made by a user; 0: an operator */
	uint64_t	 gu_version, gu_created, gu_expires;	/* ms */
	uint32_t	 gu_uses, gu_used;
	uint8_t		 gu_approval, gu_secret;	/* a password is set */
	uint8_t		 gu_sha[TOKEN_LEN];
	struct idlist	 gu_floors;
	char		 gu_note[MAX_NOTE + 1];
};
/* A guest's stay.  What is sealed of it outlives the guest's user row. */
struct visit {
	uint32_t	 vi_id, vi_user, vi_guest;
	uint8_t		 vi_state;	/* enum visit_state */
	uint64_t	 vi_began, vi_ended, vi_version;
	uint64_t	 vi_since;	/* the last message before it */
	char		 vi_name[MAX_NAME + 1];
	char		 vi_addr[MAX_ADDR + 1];
};
/* Of a user, what each of his messages needs. */
struct brief {
	uint32_t	 br_id;			/* 0: nobody */
	uint8_t		 br_state, br_role;
	char		 br_name[MAX_NAME + 1];
};
#define BRIEFS		64			/* kept of a tenant */
struct rights {
	struct floor	*rt_floors;
	struct group	*rt_groups;
	struct roledef	*rt_roles;
	struct guest	*rt_guests;
	size_t		 rt_nfloors, rt_ngroups, rt_nroles, rt_nguests;
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
	void		*st_data;	/* of the step, or NULL */
	void		(*st_free)(void *);
	int		 st_idle;	/* set by a step: nothing to do now */
	unsigned int	 st_unread;	/* large parts under way to a client */
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
/* Whom it is for, or NULL: that life of the process is over. */
struct peer *held_peer(const struct held *);
/* Keys, once it has told what it signs by: before that it signs nothing. */
struct peer *keys_peer(void);

/* The tenant, or NULL. */
struct tenant *tenant_by_id(uint32_t id);
struct tenant *tenant_by_name(const char *);
/* Its file, or NULL: then it is marked, and not asked again for a while. */
struct db *tenant_enter(struct tenant *);
/* The end of each use of it: sees to the commit, and to damage. */
void	 tenant_leave(struct tenant *, struct db *);
/* Put a tenant in the table; NULL without memory. */
struct tenant *tenant_new(uint32_t id, const char *name);

/* Begin a long answer; takes the data, which the function frees (NULL:
 * none).  0, or -1 without memory. */
int	 rq_stream(struct request *, int (*)(struct stream *, struct peer *),
	    void *data, void (*)(void *));

/* End the grants of a user, or of a token if not 0, except one token's; tells
 * their sessions at once.  tenant and user as for grant_each(). */
void	 grants_end(uint32_t tenant, uint32_t user, uint64_t token,
	    uint64_t except, enum grant_end);

/* The same for one grant, which is gone then. */
void	 grant_end(struct grant *, enum grant_end);

/*
 * storage_fence.c: answers that are kept until all session processes act by
 * what takes something away.
 */
void	 fence_start(void);
/* A process was told this: does it take something away from somebody? */
void	 fence_told(enum proc_type, unsigned int inst, enum imsg_type);
/* Ask those who were told anything; does one of them still owe an answer? */
int	 fence_up(void);
/* 1: takes the answer, and sends it when none of them does; 0: it may go. */
int	 fence_keeps(struct held *);
/* A session process acts by all up to this number.  0, or -1: a lie. */
int	 fence_passed(const struct peer *, const struct m_fence *);
/* It is gone, and is not waited for. */
void	 fence_forget(unsigned int inst);

/*
 * audit.c: the trail of a tenant, or of the installation, as a chain.
 *
 * Each line has a MAC: HMAC-SHA256 of the MAC before it (the first: 32 zero
 * bytes), u64 number, u64 time in ms, both big endian, and the text, under 32
 * random bytes that are the file's own.  Those, the last number and the last
 * MAC, and the number and MAC before the oldest line that is kept, are sealed
 * as one value: meta "chain" (32 + 8 + 32 + 8 + 32 bytes).
 */
#define AUDIT_LINE	(MAX_AUDIT + 1)

/* Write a line, committed alone if no transaction is open.  0, or -1. */
int	 audit_add(struct db *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
/*
 * A line with what names somebody kept beside it (table audit_names), so that
 * it can be erased with him: the chain has its SHA-256, salted, and verifies
 * without it.  In a transaction.  0, or -1.
 */
int	 audit_add_names(struct db *, uint32_t user, const char *names,
	    const char *, ...) __attribute__((format(printf, 4, 5)));
/* As a hook of db.c: link what was written before there were chains. */
int	 audit_migrated(struct db *, int version);
/* Have what was added signed where it is time, or (all) wherever. */
void	 audit_checkpoints(int all);
/* Keys has signed, or refused. */
void	 audit_proven(const struct m_proven *);
/* Lines from before that time go, at most so many, and never the last one; how
 * many have gone, or -1. */
int	 audit_purge(struct db *, uint64_t before, unsigned int max);
/* How many answers of keys are still to come; none, it is gone. */
unsigned int audit_waits(void);
void	 audit_forget(void);
/* Requests of administrators. */
enum result	 adm_audit(struct request *, const void *);
enum result	 adm_points(struct request *, const void *);
/* How many lines; number and MAC of the last one.  0, or -1. */
int	 audit_last(struct db *, uint64_t *lines, uint64_t *seq,
	    uint8_t head[TOKEN_LEN]);
/*
 * Verify the trail of a file, some lines in a turn: 1 there are more, 0 it is
 * through, and what is wrong with it in which line.  free() the walk.
 */
struct walk;
struct walk *audit_walk_new(void);
int	 audit_walk(struct walk *, struct db *, enum audit_fault *,
	    uint64_t *bad);
/*
 * A copy of a file learns of the lines that came since it was made: do they go
 * on from its last one (1, 0, -1)?  Then some of them, with what was signed of
 * them: 1 there are more, 0 that were all, -1.
 */
int	 audit_meets(struct db *from, struct db *to);
int	 audit_carry(struct db *from, struct db *to);
/*
 * The same of the names beside the lines, from 0 on: those of the copy make
 * room for those that are left.
 */
int	 audit_carry_names(struct db *from, struct db *to, uint64_t *after);
/* Commands about trails; 1, or -1 with a sentence. */
int	 audit_show(struct request *, const struct m_c_audit *,
	    char why[MAX_LINE + 1]);
int	 audit_verify(struct request *, const struct m_c_audit *,
	    char why[MAX_LINE + 1]);
/* Once a day all trails are looked at, some lines at a time. */
void	 audit_watch(void);
int	 audit_points(struct request *, const struct m_c_audit *,
	    char why[MAX_LINE + 1]);

/* storage_access.c: the access log, as it is written and as blocks of it */

struct access {
	uint64_t	 ac_at, ac_bytes;
	uint32_t	 ac_user, ac_floor;	/* 0: nobody, none */
	uint16_t	 ac_status;
	uint8_t		 ac_kind, ac_guest;
	char		 ac_addr[MAX_ADDR + 1];
	char		 ac_text[MAX_URI + 1];
};
void	 access_start(void);
/* What has happened, of a tenant or (DB_SYSTEM) of none; within a second it
 * is written. */
void	 access_add(uint32_t tenant, const struct access *);
/* As a session tells it. */
void	 access_told(struct peer *, const struct m_access *);
/* Somebody has signed in or out, from there. */
void	 access_signin(uint32_t tenant, enum access_kind, uint32_t user,
	    int guest, const char *addr);
/* Write everything now; or what is of that tenant. */
void	 access_flush(void);
void	 access_flush_of(uint32_t tenant);
/* The entries of a block, from a statement of S_LOG_WALK; 0, or -1. */
int	 access_block(struct db *, sqlite3_stmt *,
	    void (*)(const struct access *, void *), void *);

/* storage_retain.c: what goes by its age */
void	 retain_start(void);
/* From time to time: is it somebody's turn? */
void	 retain_tick(void);
/*
 * Answer with what is kept of the request's tenant, or of all (no tenant);
 * with run, what is due goes before that.  NULL, or why not.
 */
const char *retain_begin(struct request *, int run);
/*
 * The first row after that one which is neither of the future nor from before
 * RETAIN_SINCE, by one of the statements S_..._NEXT; when there is none, of the
 * end of time.
 */
struct dated {
	uint64_t	 dt_id, dt_at;
};
int	 retain_next(struct db *, enum stmt, uint64_t after, struct dated *);
/* Keep the installation's own that many days; R_INVALID out of bounds, and
 * R_NOTFOUND of what it has none. */
/*
 * The days that something by this rule is kept in the tenant, or (NULL) by the
 * installation; when (mono ms) is looked at it next, 0 while it is held.
 */
uint32_t retain_days(const struct tenant *, enum policy_key, uint64_t *next);
enum result retain_own(struct request *, uint8_t kind, uint32_t days);

/*
 * storage_erase.c: what is erased while the tenant is in use.  It is gone for
 * everybody who reads once the request is committed; the rows go in steps.
 */
struct erasing {
	uint64_t	 es_id;
	uint8_t		 es_what;	/* enum erase_what */
	uint32_t	 es_a, es_b;	/* a user, a floor, or two users */
	uint64_t	 es_from, es_to;	/* ms, both of them included */
	uint64_t	 es_last;	/* no message after this one */
	uint64_t	 es_after;	/* up to here it is done */
	uint8_t		 es_mark[TOKEN_LEN];	/* likewise, a ref */
	size_t		 es_marklen;
	uint64_t	 es_gone, es_named;	/* messages, so far */
};
void	 erase_start(void);
/* From time to time: is there something that a kill has left? */
void	 erase_tick(void);
/*
 * In the transaction of the request: what of it is meant is to go; sets
 * es_id.  R_HELD, R_BUSY when too many are under way, R_UNAVAILABLE.
 */
enum result erase_begin(struct request *, struct erasing *);
/* The same of messages in a time, 0 as in m_a_erase, with its trail. */
enum result erase_messages(struct request *, uint8_t what, uint32_t a,
	    uint32_t b, uint64_t from, uint64_t to, uint64_t *id);
/* Answer an operator when what he has begun is done; 0, or -1. */
int	 erase_wait(struct request *, uint64_t id);
/* An administrator's request. */
enum result adm_erase(struct request *, const void *);

/*
 * storage_hold.c: who is held for a court: what he wrote, and was written to
 * him, is not erased and does not go by its age.
 *
 * R_OK or R_HELD (R_UNAVAILABLE): may the user be erased, the message be, with
 * its sender and channel, or what the erasure means?
 */
enum result hold_user(struct request *, uint32_t user);
enum result hold_message(struct request *, uint64_t id);
enum result hold_range(struct request *, const struct erasing *);
/* Does a line of the trail tell of somebody who is held?  1, 0, -1. */
int	 hold_line(struct db *, const char *line);
/* When the first of those who are held came, in ms; 0 without any.  0, -1. */
int	 hold_since(struct db *, uint64_t *);
/* Is anybody?  1, 0, -1. */
int	 hold_any(struct db *);
/* One is cleared: the sweep takes what it kept of guests who are gone. */
void	 hold_over(struct tenant *);
/* Is the tenant, or anybody in it?  1, 0, -1: nobody can read that. */
int	 hold_tenant(struct tenant *);
/* Commands; user 0 is the whole tenant.  R_OK, R_NOTFOUND to clear none. */
enum result hold_set(struct request *, uint32_t user, const char *reason);
enum result hold_clear(struct request *, uint32_t user);
/* Answer with the holds of the request's tenant.  0, or -1. */
int	 hold_show(struct request *);

/* storage_rotate.c: keys that take the place of others; copies of keys */
void	 rotate_start(void);
/* Look at all key files: what a kill has left or another master key needs. */
void	 rotate_look(void);
/* 1 as long as a key may need the previous master key. */
int	 rotate_needs_previous(void);
/* A file came back that the walk may have passed: all of them once more. */
void	 rotate_again(uint32_t tenant);
/*
 * A new key for the request's tenant, or (no tenant) the installation; the
 * rest is done bit by bit.  NULL, or why not.
 */
const char *rotate_begin(struct request *);
/* Answer with the state of each key.  0, or -1: no memory. */
int	 rotate_show(struct request *);
/*
 * Answer with all keys, wrapped by the master key, for a backup of that name,
 * which is written down.  NULL, or why not.
 */
const char *key_backup_begin(struct request *, const char *name);
/* A line for each key backup that holds a key of the tenant. */
void	 key_backup_lines(FILE *, uint32_t tenant);

/*
 * storage_end.c: ends of contracts, and erasure.  What returns a sentence or
 * NULL answers by itself in the latter case.
 */
#define PROVE_ERASURE	UINT32_MAX	/* the id of such a PROVE */
/*
 * At once; rq is NULL when the day has come.  What the trail says of it goes to
 * how, which stays as it is where nothing was done.
 */
const char *tenant_erase(struct request *, struct tenant *, uint32_t by,
	    const char **how);
const char *erasure_show(struct request *, uint32_t tenant);
/* Is there a certificate, and does it open? */
int	 erasure_kept(uint32_t tenant);
/* Of one with a row in system.db: has it begun, so that it has to go on? */
int	 erasure_begun(struct db *sys, uint32_t tenant);
int	 erasure_list(struct request *);		/* 0, or -1 */
/* Keys has signed, or is gone. */
void	 erasure_proven(const struct m_proven *);
void	 erasures_unproven(void);
/* When the contract ends, in ms; 0: never.  0, or -1. */
int	 ending_set(struct tenant *, uint64_t at);
uint64_t ending_of(const struct tenant *);
void	 ending_tick(void);

/* storage_log.c */

/* The word of a kind. */
const char *access_word(uint8_t);
/* Answer with what is wanted of the log of the request's tenant, or (no
 * tenant) of the installation; NULL, or why not. */
const char *log_begin(struct request *, const struct m_c_log *);
enum result	 adm_log(struct request *, const void *);
/*
 * All of a tenant's log as lines of its export; NULL without memory.  A turn
 * writes some of them and counts them: 1 there are more, 0, -1.
 */
struct log_walk	*log_all(uint32_t tenant);
int	 log_all_turn(struct log_walk *, struct db *, FILE *, uint64_t *lines);
void	 log_all_free(struct log_walk *);

/*
 * storage_sign.c: a file that is handed out in parts, and signed as a whole.
 *
 * What is written to the stream of signing_open() until signing_close() goes
 * to the client.  Keys is asked at the end; then the line is NULL until it has
 * answered, and "" when it does not sign.
 */
struct signing	*signing_new(void);		/* NULL: no memory */
void	 signing_free(struct signing *);
FILE	*signing_open(struct signing *);	/* NULL: no memory */
int	 signing_close(struct signing *, struct stream *, struct peer *);
int	 signing_ask(struct signing *, uint32_t tenant, enum proof_kind);
int	 signing_asked(const struct signing *);
const char *signing_line(const struct signing *);
/* Keys has signed a sum, or is gone. */
void	 signing_proven(uint32_t id, const struct m_proven *);
void	 signing_unproven(void);
/* A string as JSON has it, and a member that is a time. */
void	 json_text(FILE *, const char *);
void	 json_at(FILE *, const char *name, uint64_t ms);

/*
 * storage_exported.c: the list of exports, who has had what handed out and
 * why (F13).  A sentence, or NULL and the number of the new entry, which waits
 * for its end.  Of the request's tenant, or of the installation.
 */
const char *exported_begin(struct request *, enum export_kind,
	    const char *reason, uint32_t *id);
void	 exported_end(uint32_t id, uint64_t rows, enum export_state);
/* Answer with those of the request's tenant, or with all; 0, or -1. */
const char *exported_list(struct request *);
/* From time to time: what is older than it must be kept goes. */
void	 exported_tick(void);
enum result	 adm_exports(struct request *, const void *);

/* storage_export.c: all there is of the request's tenant; NULL, or why not. */
const char *export_begin(struct request *, const char *reason);

/*
 * storage_confirm.c: commands that take a second operator.
 *
 * 1: it may run now, rq_confirmed and rq_second tell who has confirmed it; 0:
 * it waits, -1: it is refused, both with a sentence.  What a command says of
 * times may be replaced by what was confirmed.
 */
int	 confirm_look(struct request *, void *m, const char *what,
	    char why[MAX_LINE + 1]);
int	 confirm_give(struct request *, const struct m_c_confirm *,
	    char why[MAX_LINE + 1]);
void	 confirm_list(struct request *);
/* What number stands for, for the audit trail. */
void	 confirm_target(const struct m_c_confirm *, char *dst, size_t);

/*
 * storage_alert.c: what an operator should look at (F11).  Each kind has a
 * name and is kept once for each tenant, counted; the log has it at most once
 * a minute.
 */
enum alert_kind {
	ALERT_ATTACK, ALERT_AUDIT, ALERT_BACKUP, ALERT_CERT, ALERT_CHECKPOINT,
	ALERT_DATA, ALERT_DISK, ALERT_FAILURES, ALERT_FOREIGN, ALERT_FORGED,
	ALERT_GRANT, ALERT_BROKEN, ALERT_DIED, ALERT_UNKNOWN, ALERT_WRITE,
	ALERT_MAX
};
/* Something has happened, to a tenant or (DB_SYSTEM) the installation. */
void	 alert_raise(enum alert_kind, uint32_t tenant, const char *, ...)
	    __attribute__((format(printf, 3, 4)));
/* A sign-in has failed.  A cookie was found (1), is unknown (0), or its row
 * does not open (-1). */
void	 alert_failed(uint32_t tenant);
void	 alert_token(uint32_t tenant, const uint8_t sha[TOKEN_LEN], int found);
/* A grant that was never given is used. */
void	 alert_grant(const struct peer *);
void	 alert_died(const struct m_died *);
/* The certificate of the site ends then, in ms. */
void	 alert_cert(uint64_t until);
/* Read what is kept; then from time to time look, and write what is new. */
void	 alert_start(void);
void	 alert_tick(void);
/* Write what is new now. */
void	 alert_flush(void);
/* Of one tenant, or (DB_SYSTEM) all. */
void	 alert_list(struct request *, uint32_t tenant);
/* The tenant is erased, and so is what was met there. */
void	 alert_forget(uint32_t tenant);
/* By the name, or all of them: how many there were, or -1: no such name. */
int	 alert_clear(const char *name);

/*
 * storage_clock.c: jumps of the clock.
 */
/* From now on, to the end; and look whether it has jumped. */
void	 clock_start(void);
void	 clock_stop(void);
void	 clock_tick(void);
/*
 * 0 for a day of running after it was put far forward: nothing is destroyed
 * then.
 */
int	 clock_sure(void);

/* storage_show.c: what there is, of the request's tenant or of all; NULL, or
 * why not. */
const char *store_begin(struct request *);

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
/* Delete the user with all that leads to him; without the messages, which
 * are then for erase_begin().  0, or -1. */
int	 person_delete(struct db *, uint32_t id);
int	 person_forget(struct db *, uint32_t id);

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
/* With its length to a buffer, and from the front of one.  0, or -1. */
int	 put_list(struct ibuf *, const struct idlist *);
int	 get_list(struct ibuf *, struct idlist *);
/* Take a string with its NUL off the front of a buffer.  0, or -1. */
int	 get_cstr(struct ibuf *, char *dst, size_t);
/* Seal the bytes of a buffer, which is freed; malloc'ed, or NULL. */
void	*seal_buf(struct db *, const struct seal_at *, struct ibuf *, size_t *);
/* A name, sealed, and the key that keeps it unique; malloc'ed, or NULL. */
void	*name_seal(struct db *, const char *table, uint32_t id, const char *,
	    uint8_t key[SEAL_INDEX], size_t *len);
/* A copy with the id, or without it.  0, or -1.  Free il_ids. */
int	 idlist_change(struct idlist *to, const struct idlist *, uint32_t id,
	    int with);

/* 0, or -1.  The add functions set *id. */
int	 floor_row_add(struct db *, const char *name, const void *map,
	    size_t len, uint32_t *id);
int	 floor_row_name(struct db *, uint32_t id, const char *);
int	 floor_row_rights(struct db *, const struct floor *);
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
/* The same as if it had been made now; changes the copy as well.  0, or -1. */
int	 token_row_anew(struct db *, struct token *,
	    const uint8_t sha[TOKEN_LEN], uint64_t now);

/*
 * A new link for the user, which kills his older one.  The token is for the
 * URL; we keep its hash.  0, or -1.
 */
int	 link_row_make(struct db *, uint32_t user, enum link_kind,
	    uint64_t expires, uint8_t token[TOKEN_LEN]);
/* The user whom a link is for: 1, 0 unknown, over or locked, -1. */
int	 link_row_find(struct db *, const uint8_t sha[TOKEN_LEN],
	    struct person *, enum link_kind *);

/* Sessions look anew who may enter what. */
void	 tell_rights(struct request *);
/* That the asker, user or operator, did something with an object. */
int	 audit_act(struct request *, const char *what, uint32_t id);
/*
 * storage_note.c: lines of the trail that say from what to what, [in
 * brackets].  0, or -1.
 */
int	 note_text(struct request *, const char *what, const char *from,
	    const char *to);
/* The same of what names a user. */
int	 note_user(struct request *, uint32_t user, const char *what,
	    const char *from, const char *to);
/* Who has come to and gone from a list of the object; NULL is an empty one. */
int	 note_list(struct request *, const char *object, uint32_t id,
	    const char *kind, const struct idlist *from,
	    const struct idlist *to);
int	 note_access(struct request *, const struct floor *, uint8_t open,
	    const struct idlist *users, const struct idlist *groups);
int	 note_guest(struct request *, const char *what, const struct guest *);
const char *state_word(uint8_t);
/* The asker in words: "user" or "operator", and the number, 0 of the latter. */
const char *asker(const struct request *);
uint32_t asker_id(const struct request *);

/* system.db: a tenant's row.  0, or -1. */
int	 tenants_load(void);
int	 tenant_insert(struct db *, const struct tenant *);
int	 tenant_update(struct db *, struct tenant *);

/* storage_auth.c: requests of auth about a tenant */
enum result	 data_cred_find(struct request *, const void *);
enum result	 data_cred_token(struct request *, const void *);
enum result	 data_cred_link(struct request *, const void *);
enum result	 data_cred_set(struct request *, const void *);
enum result	 data_token_new(struct request *, const void *);
enum result	 data_token_find(struct request *, const void *);
enum result	 data_grant_new(struct request *, const void *);
enum result	 data_link_find(struct request *, const void *);
enum result	 data_link_set(struct request *, const void *);

/* Whose sign-in it is: R_OK, or R_SESSION when either is no more. */
enum result	 token_user(struct request *, const uint8_t sha[TOKEN_LEN],
		    struct token *, struct person *);

/* storage_factor.c: second factors */
enum result	 data_factor_put(struct request *, const void *);
enum result	 me_factor(struct request *, const void *);
enum result	 adm_factor_del(struct request *, const void *);
/* 1, 0 where there is no row, or -1. */
int		 factors_get(struct db *, uint32_t user, struct factors *);
/* What the person may show at a sign-in, as FACTOR_ bits; or -1. */
int		 factor_methods(struct db *, const struct person *);
/*
 * Use up what was shown at a sign-in, in the transaction of that sign-in:
 * R_OK, or R_FACTOR when it is missing or not good (any more); rq_arg has the
 * methods.  *left is the number of recovery codes that are left.
 */
enum result	 factor_spend(struct request *, const struct person *,
		    const struct m_token_new *, uint8_t *left);
/*
 * The person has these from now on (FACTOR_TOTP, FACTOR_PASSKEY): written, and
 * his grants are freed of MUST_FACTOR or end.  Without any, recovery codes go
 * as well; R_CONFLICT when the tenant demands one.
 */
enum result	 factor_set(struct request *, struct person *, uint8_t);
/* Take all away from somebody who has lost them; his sign-ins end. */
enum result	 factor_clear(struct request *, struct person *);
/* What the person has to do first, by his tenant's rules: MUST_ bits. */
uint8_t		 must_of(struct request *, const struct person *);
/*
 * Look at it anew for all grants of a user, or of the tenant (user 0): who
 * need not any more goes on, who must now is sent away from the office.
 */
void		 must_again(struct request *, uint32_t user);
/* storage_lock.c: locks by failures, and attacks */
enum result	 data_lock(struct request *, const void *);
enum result	 data_locks(struct request *, const void *);
enum result	 data_alert(struct request *, const void *);
enum result	 adm_alerts(struct request *, const void *);
/* Until when failures have locked an account, in ms; 0: they have not. */
uint64_t	 lock_until(struct db *, const char *mail);
/* End the locks of an account; how many there were, or -1. */
int		 lock_clear(struct request *, const struct person *);
/* Tell the attacks that are kept, the newest first; 0, or -1. */
int		 alerts_each(struct db *,
		    void (*)(const struct m_a_alert *, void *), void *arg);

/* storage_passkey.c: of auth, and of those whose they are */
enum result	 data_passkey_start(struct request *, const void *);
enum result	 data_passkey_find(struct request *, const void *);
enum result	 data_passkey_put(struct request *, const void *);
enum result	 data_passkey_drop(struct request *, const void *);
enum result	 me_passkeys(struct request *, const void *);
enum result	 me_passkey_name(struct request *, const void *);
/* How many the user has; 0, or -1. */
int		 passkeys_count(struct db *, uint32_t user, uint64_t *);
/*
 * The passkey of a sign-in has been used so often now.  R_OK; R_FACTOR when it
 * is not his, or no more; R_SIGNIN when its counter does not go forward: what
 * has been written of that is to be kept.
 */
enum result	 passkey_spend(struct request *, const struct person *,
		    uint32_t id, uint32_t count);

/* storage_signin.c: requests about sign-ins */
enum result	 me_signout(struct request *, const void *);
enum result	 me_signins(struct request *, const void *);
enum result	 me_signin_end(struct request *, const void *);
enum result	 adm_signins(struct request *, const void *);
enum result	 adm_signins_end(struct request *, const void *);
/* All of a user, whoever asks. */
enum result	 signins_end(struct request *, uint32_t user);
/* When a sign-in ends in any case, by its own limit and its tenant's; ms. */
uint64_t	 token_end(const struct tenant *, uint64_t created,
		    uint64_t expires);
/* Neither idle for too long nor at its end. */
int		 token_alive(const struct tenant *, const struct token *,
		    uint64_t now);

/* storage_network.c */

/* May one enter the floor, by one's rights and from where one is? */
int		 grant_may_enter(struct db *, const struct floor *,
		    const struct grant *);
/* NULL, or the name of the first list that leaves out the grant's address. */
const char	*policy_excludes(const struct policy *, const struct grant *);
/* The rules have changed: end the grants from addresses outside of them. */
void		 networks_apply(const struct tenant *);
/* Set a floor's list; on R_INVALID bad is the entry that is none. */
enum result	 floor_networks(struct request *, const struct floor *,
		    const char *text, char bad[NETWORK_TEXT]);

/*
 * storage_password.c: passwords and those before them.
 *
 * password_set() keeps the one that is replaced if the rules may ask for it,
 * and the time; without a secret the person has no password from now on.
 * password_old() writes those that may not come again, the present one first,
 * each with its length in 16 bits, and returns how many bytes.  0, or -1.
 */
int		 password_set(struct request *, struct person *,
		    const void *secret, size_t len);
size_t		 password_old(struct request *, const struct person *,
		    uint8_t dst[MAX_OLD]);
/*
 * The user signs in, or has set the password in doing so (fresh): the newest
 * sign-in is the one that tells of a change, or none is.  0, or -1.
 */
int		 password_tell(struct request *, uint32_t user, int fresh);
/* Is it older than the rules allow? */
int		 password_due(struct request *, uint32_t user);
/* When the password was changed, if this sign-in tells of it; ms, or 0. */
uint64_t	 password_told(struct request *, const struct token *);

/* storage_guest.c: URLs for guests, and guests */
int		 guests_load(struct db *, struct rights *);
void		 guests_clear(struct rights *);
/* May the guest whose grant it is enter the floor? */
int		 guest_may_enter(struct db *, const struct floor *,
		    const struct grant *);
/* The stay of a user that is not over: 1, 0 none, -1. */
int		 visit_of(struct db *, uint32_t user, struct visit *);
/* From a statement with a visit's columns; 0, or -1. */
int		 visit_read(struct db *, sqlite3_stmt *, struct visit *);
/* Was the user, who may be gone, a guest?  1, 0, -1. */
int		 visit_was(struct db *, uint32_t user);
/*
 * May the two, at least one of them a guest, write to each other (or, without
 * writes, read what they wrote) when both are on the floor?
 */
enum result	 guest_talk(struct request *, uint32_t other,
		    const struct brief *, uint32_t floor, int writes);
/* He leaves by himself. */
enum result	 guest_signout(struct request *);
/* The grant is new: it waits at the door, those inside are told. */
void		 guest_knocks(struct request *, const struct visit *);
/* To a session that is new: all who wait. */
void		 guest_introduce(struct peer *);
/*
 * End the visits of the tenant that are over, and forget the URLs.  Returns
 * when to look again, in ms.
 */
uint64_t	 guest_sweep(struct tenant *, uint64_t now);
/* Nobody has answered for too long: those who wait are sent away. */
void		 guest_late(uint64_t now);
/* The last page of one who waits has been closed for a while. */
void		 guest_gone(const struct grant *);
enum result	 data_guest_find(struct request *, const void *);
enum result	 data_guest_cred(struct request *, const void *);
enum result	 data_guest_new(struct request *, const void *);
enum result	 data_guest_seal(struct request *, const void *);
enum result	 me_guest_name(struct request *, const void *);
enum result	 me_guest_admit(struct request *, const void *);
enum result	 me_guests(struct request *, const void *);
enum result	 me_guest_add(struct request *, const void *);
enum result	 me_guest_del(struct request *, const void *);
enum result	 me_visit_del(struct request *, const void *);
/*
 * What administrators and operators do alike.  The password's sealed record is
 * empty for none; the token is of the new URL.
 */
enum result	 guest_create(struct request *, struct guest *,
		    const struct m_blob *sealed, uint8_t token[TOKEN_LEN]);
enum result	 guest_revoke(struct request *, uint32_t id);
/* How many of its guests are inside and at the door; 0, or -1. */
int		 guest_counts(struct db *, uint32_t id, uint32_t *inside,
		    uint32_t *waiting);

/* storage_role.c: roles and what they may */

/* As part of rights_get() and rights_free().  0, or -1. */
int		 roles_load(struct db *, struct rights *);
void		 roles_clear(struct rights *);
/* One of the tenant's own, or NULL; those that all have are always there. */
struct roledef	*rights_role(struct rights *, uint8_t id);
/* Does it exist? */
int		 rights_role_there(struct rights *, uint8_t);
/* What a role may: RIGHT_* bits, none for one that does not exist. */
uint8_t		 rights_can(struct rights *, uint8_t role);
/* What people call it: the word of one that all have, or its name. */
const char	*rights_role_name(struct rights *, uint8_t role);
/* The number of a word or a name, or -1. */
int		 rights_role_named(struct rights *, const char *);
/*
 * May the owner of the grant do what needs the right?  R_OK, R_FORBIDDEN, or
 * R_UNAVAILABLE when it cannot be found out.
 */
enum result	 may(struct request *, uint8_t right);
enum result	 adm_roles(struct request *, const void *);
enum result	 adm_role_add(struct request *, const void *);
enum result	 adm_role_set(struct request *, const void *);
enum result	 adm_role_del(struct request *, const void *);
/* What administrators and operators do alike; see below. */
enum result	 role_create(struct request *, const char *name, uint8_t can,
		    uint8_t *id);
enum result	 role_rename(struct request *, uint8_t id, const char *name);
enum result	 role_allow(struct request *, uint8_t id, uint8_t can);
/* R_CONFLICT with rq_arg people when somebody has it. */
enum result	 role_remove(struct request *, uint8_t id);
/* How many people have it; 0, or -1. */
int		 role_users(struct db *, uint8_t id, uint32_t *n);

/* storage_place.c: where people were last */
void		 place_start(void);
/* Write down what is not yet: of all, or of a user before it is looked at. */
void		 places_write(void);
void		 place_settle(struct tenant *, struct db *, uint32_t user);
/* The floor where he was last, that being what is written. */
uint32_t	 place_last(uint32_t tenant, uint32_t user, uint32_t written);
/* Where the asker was on the floor of the answer, if anywhere. */
void		 place_get(struct request *, struct m_floor_doc *);
enum result	 me_place(struct request *, const void *);

/* storage_way.c: how one talks there */
/* Set what all may do on a floor, RIGHT_TALK bits, and its enum talk_way. */
enum result	 floor_talk(struct request *, const struct floor *,
		    uint8_t can, uint8_t way);
enum result	 me_talk(struct request *, const void *);

/* storage_talk.c: requests of everybody */
/* A floor that one may not enter is one that does not exist. */
enum result	 my_floor(struct request *, uint32_t id,
		    const struct floor **);
enum result	 me_set(struct request *, const void *);
enum result	 me_floors(struct request *, const void *);
enum result	 me_floor(struct request *, const void *);
enum result	 adm_door_key(struct request *, const void *);
enum result	 me_say(struct request *, const void *);
enum result	 me_history(struct request *, const void *);
/*
 * Does a message of S_TALK_PIECE open, and do all indices lead to it?
 */
int		 message_whole(struct db *, sqlite3_stmt *);
/* One message goes, by its author or, on floors and in rooms, an admin. */
enum result	 me_erase(struct request *, const void *);
enum result	 me_read(struct request *, const void *);
/* The message of a row of S_TALK_NAMED, sealed anew without its sender's
 * name; malloc'ed, or NULL.  sender: whose it is. */
void		*talk_unname(struct db *, sqlite3_stmt *, uint32_t sender,
		    size_t *len);
enum result	 me_unread(struct request *, const void *);
/*
 * A message of a statement of S_TALK_WALK: the name of who has said it, and
 * behind its NUL the text.  Free it; NULL: it does not open.
 */
char		*message_open(struct db *, sqlite3_stmt *, const char **text);
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
/* What administrators and operators do alike: with what was said there. */
enum result	 floor_remove(struct request *, const struct floor *);
/* Who may enter it, with the lines for it; 0, or -1. */
int		 floor_set(struct request *, const struct floor *,
		    uint8_t open, const struct idlist *users,
		    const struct idlist *groups);
enum result	 adm_policy_set(struct request *, const void *);

/*
 * What administrators and operators do alike, in the transaction of the
 * request; each checks all limits and tells whom it concerns.
 */
enum result	 user_create(struct request *, const char *mail,
		    const char *name, uint8_t role, struct person *);
enum result	 user_set_name(struct request *, struct person *,
		    const char *);
enum result	 user_set_role(struct request *, struct person *, uint8_t);
enum result	 user_set_state(struct request *, struct person *, uint8_t);
/* All rules at once; one out of bounds is named in rq_field. */
enum result	 policy_set(struct request *, const struct policy *);
enum result	 user_remove(struct request *, const struct person *);
/* With all that names him; what he wrote stays without a name (ERASE_NAMES) or
 * goes (ERASE_PERSON).  *id is the erasure that is under way then. */
enum result	 user_erase(struct request *, const struct person *,
		    uint8_t what, uint64_t *id);
enum result	 user_link(struct request *, struct person *,
		    struct m_a_link *);
/* The map is of the template, or the one given when template is "". */
enum result	 floor_create(struct request *, const char *name,
		    const char *template, const struct m_blob *map,
		    uint32_t *id);
/* Six parts of four bits; every part has at least six shapes. */
uint32_t	 any_look(void);
/* When the link of a user runs out, in ms; 0 for none. */
uint64_t	 link_expiry(struct db *, uint32_t user);

/* storage_import.c: people from a file */
enum result	 adm_import_begin(struct request *, const void *);
enum result	 adm_import_line(struct request *, const void *);
enum result	 adm_import_end(struct request *, const void *);
/*
 * The same for operators, by their uid; an import is the tenant's only one
 * until its END.  Lines are kept until then and bounded; the real run comes
 * true as a whole, in the transaction of the request, or not at all.  Rows are
 * answered in either case; *faults: lines for which nothing was done.
 */
enum result	 import_begin(struct request *, uint32_t op, uint32_t nr);
void		 import_line(struct request *, uint32_t op,
		    const struct m_a_import_line *);
enum result	 import_end(struct request *, uint32_t op, uint32_t nr,
		    uint32_t count, int dry, const uint8_t *was,
		    size_t *faults);
/* Forget those whose END has not come, or whose asker has gone. */
void		 import_tick(void);

/* storage_control.c: an operator's command; answers by itself. */
void		 storage_control(struct request *, const void *);

/* storage_operator.c: the ledger, in system.db */

/* What a user may do now; root, everything. */
enum op_role	 operator_role(uint32_t uid);
/* A sentence about why not, for whoever asked; -1. */
int		 refuse(char why[MAX_LINE + 1], const char *, ...)
		    __attribute__((format(printf, 2, 3)));
/*
 * Commands about the ledger; 0, or -1 with a sentence.  Auth is told before
 * the one who asks.
 */
int		 operator_add(struct request *, const struct m_c_operator *,
		    char why[MAX_LINE + 1]);
int		 operator_del(struct request *, const struct m_c_operator *,
		    char why[MAX_LINE + 1]);
int		 operator_list(struct request *, char why[MAX_LINE + 1]);
/* What such a command is about, for the audit trail. */
void		 operator_target(uint32_t type, const struct m_c_operator *,
		    char *dst, size_t size);
/* Auth is new, and knows nothing yet. */
void		 operators_forget(void);
/* Tell auth the ledger, unless it knows it or is not there. */
void		 operators_tell(void);
/* Write down what auth says; answers what is about to begin. */
void		 operator_note(struct request *, const struct m_note *);

extern const struct proc_ops	 storage_ops;

#endif
