/*
 * Requests in the auth process: what a session process has asked, and how far
 * we are with it.  For auth.c, auth_request.c and auth_hash.c only.
 */
#ifndef AUTH_REQUEST_H
#define AUTH_REQUEST_H

#include <sys/types.h>
#include <sys/queue.h>

#include "limit.h"
#include "proc.h"

#define REQUEST_MAX	4096		/* at a time; a power of two */
#define REQUEST_MS	10000		/* until one is given up */

/* What a request waits for. */
enum wait {
	W_NOTHING,
	W_CRED,			/* storage: the account */
	W_CHECK,		/* hash: does the password fit */
	W_MAKE,			/* hash: a new record */
	W_TOKEN_NEW,		/* storage: the sign-in is recorded */
	W_TOKEN_ROW,		/* storage: the sign-in of a token */
	W_GRANT,		/* storage: tells the session itself */
	W_LINK,			/* storage: tells the session itself */
	W_LINK_SET,		/* storage: the link is used up */
	W_CRED_SET		/* storage: the new record is kept */
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
	uint64_t		 rq_until;
	uint32_t		 rq_tenant, rq_user;
	int			 rq_deny;	/* whatever hash will say */
	int			 rq_tried;	/* took from both buckets */
	uint8_t			 rq_addr_key[LIMIT_KEY];
	uint8_t			 rq_account_key[LIMIT_KEY];
	uint8_t			 rq_token[TOKEN_LEN], rq_sha[TOKEN_LEN];
	char			 rq_addr[MAX_ADDR + 1];
	char			 rq_agent[MAX_AGENT + 1];
	char			 rq_password[MAX_PASSWORD + 1];
	char			 rq_new[MAX_PASSWORD + 1];
	uint8_t			 rq_sealed[MAX_SEALED];
	size_t			 rq_sealedlen;
};

/* Figures for the operator. */
struct auth_counts {
	uint64_t	 ac_requests, ac_signins, ac_grants, ac_links;
	uint64_t	 ac_passwords, ac_refused, ac_throttled, ac_busy;
	uint64_t	 ac_unavailable, ac_pending;
};

extern struct auth_counts	 auth_counts;

/* auth_request.c */

/* Once, before the sandbox; and once in it. */
void	 request_init(void);
void	 request_start(void);

/* A request without an asker, or NULL when the table is full. */
struct request	*request_new(enum imsg_type, uint32_t tenant);
/* The session's request; on NULL it has its answer already. */
struct request	*request_open(struct peer *, uint32_t id, enum imsg_type,
		    uint32_t tenant, const char *addr);
/* By our id; NULL when it has ended. */
struct request	*request_find(uint32_t id);
/* Forget it without an answer; its passwords are zeroed. */
void		 request_free(struct request *);
/* Answer with RESULT, and forget. */
void		 request_end(struct request *, enum result, uint64_t arg,
		    const char *field);
/* No, in the one way that this kind of request knows; and forget. */
void		 request_refuse(struct request *);
/* Ask storage under our id and wait, or end the request. */
void		 request_ask(struct request *, enum wait, enum imsg_type,
		    const void *);
/* The process has gone: what waits for it, or was asked by it, ends. */
void		 request_down(struct peer *);

/*
 * Name the account by the request's tenant and something that the asker knows
 * (a mail address, a link), so that unknown accounts have a bucket like known
 * ones.  0 or -1.
 */
int		 throttle_name(struct request *, const char *kind,
		    const void *name, size_t len);
/* Take from the address and the account.  -1: answered and forgotten. */
int		 throttle(struct request *);
/* The password was right: an office that signs in is no attack. */
void		 throttle_back(struct request *);
/* Number of buckets of addresses and of accounts. */
void		 throttle_counts(size_t *, size_t *);

/* auth.c */

/* When hash last worked for the tenant: 0 if never; NULL if unknown. */
uint64_t	*auth_turn(uint32_t tenant);
void		 auth_checked(struct request *, enum hash_answer);
/* sealed is empty when it could not be made. */
void		 auth_made(struct request *, const struct m_blob *sealed);

/* auth_hash.c */

void	 job_start(void);
/*
 * Queue for a hash process: W_CHECK compares rq_password with rq_sealed,
 * W_MAKE hashes rq_new, or rq_password if that is empty.  The answer comes
 * through auth_checked() or auth_made(); or the request ends here.
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

#endif
