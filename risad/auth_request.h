/*
 * Requests in the auth process: what a session process has asked, and how far
 * we are with it.  For auth.c and the files auth_*.c only.
 */
#ifndef AUTH_REQUEST_H
#define AUTH_REQUEST_H

#include <sys/types.h>
#include <sys/queue.h>

#include "auth_device.h"
#include "auth_failure.h"
#include "limit.h"
#include "proc.h"

#define REQUEST_MAX	4096		/* at a time; a power of two */
#define REQUEST_MS	10000		/* until one is given up */
#define RETRY_MAX	3600000		/* ms, the longest that we tell */

/* What a request waits for. */
enum wait {
	W_NOTHING,
	W_LOCKS,		/* storage: the locks of the tenant */
	W_LOCK,			/* storage: a new one is kept */
	W_CRED,			/* storage: the account */
	W_CHECK,		/* hash: does the password fit */
	W_MAKE,			/* hash: a new record */
	W_SCORE,		/* hash: how easily it is guessed */
	W_TOKEN_NEW,		/* storage: the sign-in is recorded */
	W_TOKEN_ROW,		/* storage: the sign-in of a token */
	W_GRANT,		/* storage: tells the session itself */
	W_LINK,			/* storage: tells the session itself */
	W_LINK_SET,		/* storage: the link is used up */
	W_CRED_SET,		/* storage: the new record is kept */
	W_OTP,			/* hash: does the code fit */
	W_TOTP,			/* hash: a new seed */
	W_CODES,		/* hash: new recovery codes */
	W_FACTOR_PUT,		/* storage: the second factor is changed */
	W_OWNER,		/* storage: who wants a passkey */
	W_REGISTER,		/* hash: is the new passkey sound */
	W_PASSKEY,		/* storage: whose passkey it is */
	W_ASSERT,		/* hash: is it the passkey that signs */
	W_PASSKEY_SET,		/* storage: it is kept, or gone */
	W_GUEST,		/* storage: does the URL need a password */
	W_GUEST_SEAL		/* storage: keeps one for a new URL */
};

/* What a request about a passkey carries; the blobs are its own. */
struct passkey {
	uint8_t		 pk_challenge[TOKEN_LEN];
	int		 pk_alone;	/* without a password */
	int		 pk_deny;	/* whatever hash will say */
	uint32_t	 pk_id, pk_user, pk_count;
	uint8_t		 pk_alg;
	char		 pk_name[MAX_NAME + 1];
	struct m_blob	 pk_cred, pk_handle, pk_client, pk_sig, pk_key;
	struct m_blob	 pk_data;	/* attestation, or of a sign-in */
};

/* Of a session process, or our own (IMSG_NONE). */
struct request {
	TAILQ_ENTRY(request)	 rq_entry;	/* all, oldest first */
	TAILQ_ENTRY(request)	 rq_job;	/* waiting for a hash process */
	uint32_t		 rq_id;		/* ours, never 0 */
	enum imsg_type		 rq_type;
	enum wait		 rq_wait;
	int			 rq_queued;	/* is in the list of jobs */
	unsigned int		 rq_inst;	/* the asker, and his id */
	uint32_t		 rq_req;
	int			 rq_gone;	/* nobody waits for an answer */
	uint64_t		 rq_until;
	uint64_t		 rq_grant;	/* of who makes a guest URL */
	uint32_t		 rq_tenant, rq_user;
	int			 rq_deny;	/* whatever hash will say */
	int			 rq_tried;	/* counts as a try under way */
	int			 rq_hashed;	/* hash has the password */
	int			 rq_known;	/* not as a stranger */
	int			 rq_has_device;	/* of some user */
	struct device		 rq_device;
	uint32_t		 rq_failures;	/* before this success */
	enum result		 rq_end;	/* once its lock is kept */
	uint64_t		 rq_endarg;
	const char		*rq_endfield;	/* a constant */
	uint8_t			 rq_addr_key[LIMIT_KEY];
	uint8_t			 rq_name_key[FAILURE_KEY];
	uint8_t			 rq_key[FAILURE_KEY];	/* that counts */
	uint8_t			 rq_token[TOKEN_LEN], rq_sha[TOKEN_LEN];
	uint32_t		 rq_client;	/* of control.c, or 0 */
	char			 rq_addr[MAX_ADDR + 1];
	char			 rq_agent[MAX_AGENT + 1];
	char			 rq_mail[MAX_MAIL + 1];
	char			 rq_name[MAX_NAME + 1];	/* with a link */
	char			 rq_password[MAX_PASSWORD + 1];
	char			 rq_new[MAX_PASSWORD + 1];
	uint8_t			 rq_sealed[MAX_SEALED];
	size_t			 rq_sealedlen;
	int			 rq_proved;	/* the password is of that */
	uint8_t			 rq_anew[MAX_SEALED];	/* in place of it */
	size_t			 rq_anewlen;
	/* Second factors; see auth_factor.c. */
	uint8_t			 rq_role;	/* of the account */
	uint8_t			 rq_methods;	/* FACTOR_: the account has */
	uint8_t			 rq_method;	/* the one shown, checked */
	enum factor_act		 rq_act;	/* of IMSG_FACTOR */
	char			 rq_otp[MAX_OTP + 1];
	uint64_t		 rq_step;
	uint8_t			 rq_code[TOKEN_LEN];
	uint8_t			 rq_totp[MAX_SEALED];
	size_t			 rq_totplen;
	uint8_t			 rq_seed[TOTP_SEED];
	uint8_t			 rq_shas[RECOVERY_CODES * TOKEN_LEN];
	char			 rq_show[RECOVERY_CODES * RECOVERY_TEXT + 1];
	char			*rq_words;	/* to guess from, or NULL */
	uint8_t			*rq_old;	/* as in m_cred, or NULL */
	size_t			 rq_oldlen;
	uint8_t			 rq_strength;	/* that is demanded */
	uint8_t			 rq_faults;
	struct passkey		*rq_passkey;	/* or NULL */
};

/* Figures for the operator. */
struct auth_counts {
	uint64_t	 ac_requests, ac_signins, ac_grants, ac_links;
	uint64_t	 ac_passwords, ac_refused, ac_throttled, ac_busy;
	uint64_t	 ac_turns;	/* passwords for the relay */
	uint64_t	 ac_unavailable, ac_pending;
	uint64_t	 ac_failures, ac_locks, ac_attacks, ac_checks;
};

extern struct auth_counts	 auth_counts;

/* auth_request.c */

/* Once, in the sandbox. */
void	 request_start(void);

/* A request without an asker, or NULL when the table is full. */
struct request	*request_new(enum imsg_type, uint32_t tenant);
/* The session's request; on NULL it has its answer already. */
struct request	*request_open(struct peer *, uint32_t id, enum imsg_type,
		    uint32_t tenant, const char *addr);
/* By our id; NULL when it has ended. */
struct request	*request_find(uint32_t id);
/*
 * Forget it without an answer; its passwords are zeroed.  Not before storage
 * has answered when it has locked something, see throttle_keep().
 */
void		 request_free(struct request *);
/* Answer with RESULT, and forget. */
void		 request_end(struct request *, enum result, uint64_t arg,
		    const char *field);
/* No, in the one way that this kind of request knows; and forget. */
void		 request_refuse(struct request *);
/* Ask storage under our id and wait, or end the request. */
void		 request_ask(struct request *, enum wait, enum imsg_type,
		    const void *);
/* Does it wait for hash, and not for storage? */
int		 request_at_hash(const struct request *);
/* The process has gone: what waits for it, or was asked by it, ends. */
void		 request_down(struct peer *);

/* auth_throttle.c */

/* Once, before the sandbox; and once in it. */
void		 throttle_init(void);
void		 throttle_start(void);
/*
 * Name what is tried, by the request's tenant and something that the asker
 * knows (a mail address, a link), so that unknown accounts are counted like
 * known ones.  0 or -1.
 */
int		 throttle_name(struct request *, const char *kind,
		    const void *name, size_t len);
/*
 * It is no stranger: count by this name instead, in a table that strangers
 * do not reach, and not by address.  Before throttle().  0 or -1.
 */
int		 throttle_known(struct request *, const char *kind,
		    const void *name, size_t len);
/* May it be tried?  -1: answered and forgotten. */
int		 throttle(struct request *);
/*
 * The same, by the address alone, of what can't be guessed: a crowd that asks
 * at once is none of tries.
 */
int		 throttle_address(struct request *);
/* Take from the address for an estimate alone: the same. */
int		 throttle_score(struct request *);
/*
 * The end of the try: right, which forgets the failures before it, wrong (1:
 * that has locked it), or neither.  Neither is also a right password that
 * lacks a second factor: wrong codes stay counted between right passwords.
 * Each only the first time; without any, the end of the request is the end.
 */
void		 throttle_back(struct request *);
int		 throttle_wrong(struct request *);
void		 throttle_open(struct request *);
/* What was tried is none: nothing to lock, and its address has failed. */
void		 throttle_none(struct request *);
/* Somebody has come in without a try: the limits stay as they are. */
void		 throttle_came(struct request *);
/*
 * Have storage keep the lock of what was wrong, and answer the request.  0, or
 * -1.  When it is not kept, say so.
 */
int		 throttle_keep(struct request *);
void		 throttle_unkept(struct request *);
/* Storage tells of a lock that it keeps, and of the end of one. */
void		 throttle_lock(const struct m_lock_row *);
void		 throttle_unlock(const struct m_unlock *);
void		 throttle_stats(void (*)(const char *, uint64_t, void *),
		    void *arg);

/* auth.c */

/* Seconds until a sign-in of this request's tenant ends in any case. */
uint32_t auth_absolute(const struct request *);
/* And until one that is not used does. */
uint32_t auth_idle(const struct request *);
/* The rules of a tenant, or NULL: it is unknown. */
const struct policy *auth_policy(uint32_t tenant);
/* May anything be asked of the tenant from this address? */
int	 auth_welcomes(uint32_t tenant, const char *addr);
/* When hash last worked for the tenant: 0 if never; NULL if unknown. */
uint64_t	*auth_turn(uint32_t tenant);
/* What the tenant's rules say about failures. */
struct failure_rule auth_rule(uint32_t tenant);
/* Is the request's tenant in service?  0, or -1: answered and forgotten. */
int		 auth_tenant(struct request *);
/* The host name of a tenant, and the port of its URLs; 0, or -1. */
int		 auth_host(uint32_t tenant, char *dst, size_t len,
		    uint16_t *port);
/* Of somebody who is not known yet; else of one who shows his sign-in. */
int		 is_login(const struct request *);
/* Keep which device a login comes from; the token is empty for a new one. */
void		 auth_device(struct request *, const char *token);
/*
 * The token by which this browser is known the next time; it stays the same
 * device.  0, or -1.
 */
int		 auth_device_new(struct request *, char *dst);
/* Look for the account of the mail address, then check rq_password. */
void		 auth_login(struct request *, const char *email);
/*
 * Go on once storage's locks of the tenant are known: a lock that we have
 * forgotten, since we are new, is one all the same.  Whose the sign-in of
 * rq_sha is, is asked next; of a login, whose the mail is; of a link, whose
 * that is; of a guest, what the URL needs.
 */
void		 locks_first(struct request *);
/* They are: storage has told all. */
void		 locks_told(struct request *);

/* auth_answer.c: what storage and hash answer. */

/* An imsg of storage under the request's id; -1: nobody has asked for it. */
int		 auth_answer(struct request *, uint32_t type, const void *);
/*
 * The password or the code was wrong: counted, and answered with this, after
 * storage has the lock if there is one now.  The field is a constant.
 */
void		 auth_wrong(struct request *, enum result, uint64_t arg,
		    const char *field);
/* The password, or a new record, or how strong one is, comes from hash. */
void		 auth_checked(struct request *, const struct m_hash_checked *);
void		 auth_made(struct request *, enum make_answer,
		    const struct m_blob *sealed);
void		 auth_scored(struct request *, uint8_t score);
/* A sign-in has all it needs: have storage record it, which may say no. */
void		 token_new(struct request *);

/*
 * auth_factor.c: second factors.
 *
 * The sign-in of an account that has any, of whatever kind:
 *
 * 1. CRED brings rq_methods with the account, and the password is checked as
 *    if there were none: whoever does not know it learns nothing of them.
 * 2. factor_login() is called once it is right.  Nothing shown: R_FACTOR with
 *    the methods, and no state is kept; the page sends all once more, with a
 *    code or an assertion.  Shown: a job for hash, which alone parses it.
 * 3. The answer of hash sets rq_method and what belongs to it (rq_step, or
 *    rq_code), or ends in R_FACTOR with FACTOR_WRONG; the try stays counted.
 * 4. token_new() hands these to storage in TOKEN_NEW.  There factor_spend()
 *    looks, in the transaction that records the sign-in, whether it is good
 *    still, and uses it up; a sign-in without a factor of somebody who has one
 *    does not get past it either.  R_FACTOR of storage is as in 3.
 *
 * Another kind adds its bit FACTOR_, a member of LOGIN and of TOKEN_NEW, a
 * branch in factor_login() with its own wait and job, and one in
 * factor_spend().
 */

/* The password of a sign-in is right. */
void		 factor_login(struct request *);
/* What storage says of an account, for later. */
void		 factor_cred(struct request *, const struct m_cred *);
/* Refuse a sign-in for want of one: wrong, or nothing shown yet. */
void		 factor_refuse(struct request *, int wrong);
/* The owner of a sign-in is who he says, by password: his IMSG_FACTOR. */
void		 factor_owner(struct request *);
/* Of IMSG_FACTOR with a code: no password is asked for. */
void		 factor_code(struct request *);
/* What hash and storage answer. */
void		 factor_checked(struct request *,
		    const struct m_hash_otp_checked *);
void		 factor_made(struct request *,
		    const struct m_hash_totp_made *);
void		 factor_codes(struct request *,
		    const struct m_hash_codes_made *);
void		 factor_kept(struct request *);

/* auth_guest.c */

/* What a session asks about guests. */
int		 guest_asked(struct peer *, uint32_t type, uint32_t id,
		    const void *);
/* Storage is asked whether there is a password to check, and says so. */
void		 guest_go(struct request *);
void		 guest_need(struct request *, const struct m_guest_need *);
/* It was right, or there is none: let him in. */
void		 guest_new(struct request *);
/* The password of a new URL is sealed. */
void		 guest_made(struct request *, const struct m_blob *sealed);
/* An operator gives a new URL a password.  0, or -1: not now. */
int		 guest_control(uint32_t client, const char *password);
/* Is it long enough, and text? */
int		 guest_password(const char *);

/* auth_hash.c */

void	 job_start(void);
/*
 * Queue for a hash process: W_CHECK compares rq_password with rq_sealed,
 * W_MAKE hashes rq_new, or rq_password if that is empty, when it is as strong
 * as rq_strength and none of rq_old; W_SCORE estimates rq_password; W_OTP
 * checks rq_otp with rq_totp, W_TOTP and W_CODES make a seed and codes;
 * W_REGISTER and W_ASSERT look at rq_passkey.  The answer comes through
 * auth_checked(), auth_made(), auth_scored(), factor_checked(), factor_made(),
 * factor_codes(), passkey_registered() or passkey_asserted(); or the request
 * ends here.
 */
void	 job_put(struct request *, enum wait);
/* The request leaves the queue, if it is there. */
void	 job_drop(struct request *);
/* An imsg of a hash process: 0, or -1 when it was not asked for this. */
int	 job_answer(struct peer *, uint32_t type, uint32_t id, const void *);
void	 job_up(void);
void	 job_down(struct peer *);
/* Jobs that wait, and the mean time of one in milliseconds. */
void	 job_counts(uint64_t *waiting, uint64_t *ms);

/* Have a new dummy made: now, or in a while when that has failed. */
void	 dummy_start(void);
void	 dummy_failed(void);
/* Put the dummy into rq_sealed; 0, or -1 while there is none. */
int	 dummy_copy(struct request *);

/* auth_passkey.c */

void	 passkey_init(void);
/* Number of challenges that may be used. */
uint64_t passkey_challenges(void);
/* Questions of a session; like session_imsg(): 0, or -1. */
int	 passkey_ask(struct peer *, uint32_t id, const struct m_passkey_ask *);
int	 passkey_ask_add(struct peer *, uint32_t id,
	    const struct m_passkey_add *);
int	 passkey_ask_del(struct peer *, uint32_t id,
	    const struct m_passkey_del *);
int	 passkey_ask_login(struct peer *, uint32_t id,
	    const struct m_passkey_login *);
/* The password was right: what was asked goes on. */
void	 passkey_proved(struct request *);
/* An imsg of storage: 0, or -1 when it was not asked for this. */
int	 passkey_storage(struct request *, uint32_t type, const void *);
/* Its RESULT: 1 when that is done with here, else 0. */
int	 passkey_result(struct request *, const struct m_result *);
/* Send W_REGISTER or W_ASSERT to hash; 0, or -1. */
int	 passkey_send(struct request *, struct peer *,
	    enum imsg_type *answer);
/* What hash says. */
void	 passkey_registered(struct request *,
	    const struct m_hash_registered *);
void	 passkey_asserted(struct request *, const struct m_hash_asserted *);
/* With all that it holds; NULL too. */
void	 passkey_free(struct passkey *);

#endif
