/*
 * The session process: connections, who is signed in on them, the floors they
 * are on.  This header is for its own files only.
 */
#ifndef SESSION_H
#define SESSION_H

#include <jansson.h>

#include "conn.h"
#include "policy.h"
#include "proc.h"

/* What holds now, from risad.conf. */
struct session_conf {
	uint64_t	 sc_generation;
	char		*sc_domain;
	uint16_t	 sc_port;
	uint32_t	 sc_max_conns, sc_max_addr;
	struct tls	*sc_tls;
	struct tls_config *sc_tlsconf;	/* of sc_tls: takes new ticket keys */
};
extern struct session_conf	 session_conf;

/* Tenants, as storage tells them. */
struct tenant {
	RB_ENTRY(tenant) tn_entry;
	uint32_t	 tn_id;
	uint8_t		 tn_state;
	char		 tn_name[MAX_LABEL + 1];
	char		 tn_title[MAX_TITLE + 1];
	struct policy	 tn_policy;
};
/* By the name, and active; or NULL. */
struct tenant	*site_tenant_named(const char *);
struct tenant	*site_tenant(uint32_t);
/* Has storage told of any?  Before, no host can be called a wrong one. */
int		 site_told(void);

/* Counted since the start, for risactl show stats. */
struct session_stats {
	uint64_t	 ss_conns, ss_accepted, ss_requests, ss_frames_in;
	uint64_t	 ss_frames_out, ss_ticks, ss_legs, ss_refused_legs;
	uint64_t	 ss_persons, ss_says, ss_late;
};
extern struct session_stats	 session_stats;

/*
 * ask.c: questions to auth and storage that wait for their answers.
 */

/*
 * One imsg of the answer: m is a struct m_* of the type.  cn is NULL where the
 * question had none.  Returns 1 when the answer is complete; RESULT always
 * completes it.  A peer that dies, or 10 seconds, answer R_UNAVAILABLE.  Not
 * called any more once the connection has closed; arg is then left alone.
 */
int		 ask_send(struct conn *, enum proc_type, enum imsg_type,
		    const void *m, int (*)(struct conn *, uint32_t type,
		    const void *m, void *arg), void *arg);
/* An answer has come; 0, or -1 when it is none. */
int		 ask_answer(struct peer *, uint32_t type, uint32_t id,
		    const void *m);
void		 ask_cancel(struct conn *);
void		 ask_down(enum proc_type);
void		 ask_init(void);

/*
 * login.c: a token that a browser has shown, and the grant that storage gave
 * for it.  Requests and the WebSocket of one browser share it.
 */
struct login {
	RB_ENTRY(login)	 lg_entry;
	RB_ENTRY(login)	 lg_grant_entry;
	uint32_t	 lg_tenant;
	uint8_t		 lg_token[TOKEN_LEN];
	uint64_t	 lg_grant;	/* 0: storage is away, or it ended */
	uint64_t	 lg_expires;	/* ms */
	uint64_t	 lg_used;	/* monotonic ms */
	unsigned int	 lg_refs;	/* connections */
	int		 lg_gone;	/* freed with the last reference */
	int		 lg_asking;	/* a new grant is being asked for */
	uint32_t	 lg_idle;	/* seconds */
	uint32_t	 lg_last_floor;
	uint32_t	 lg_user, lg_look;
	uint8_t		 lg_role, lg_lang, lg_status;
	char		 lg_addr[MAX_ADDR + 1];
	char		*lg_name, *lg_note, *lg_email;
};

void		 login_init(void);
struct login	*login_find(uint32_t tenant, const uint8_t token[TOKEN_LEN]);
/* From the answer of storage; an older one of the same token is replaced. */
struct login	*login_new(const struct m_grant *, const uint8_t *token,
		    const char *addr);
/* The connection uses it from now on, instead of the one before; NULL: none. */
void		 login_use(struct conn *, struct login *);
/* Storage has ended the grant. */
void		 login_ended(const struct m_grant_end *);
/* The token is void: nothing may use the login any more; pages hear why. */
void		 login_drop(struct login *, enum grant_end why);
/* A grant that nobody here has a use for. */
void		 login_give_back(uint64_t grant);
/* Storage has gone, all grants with it; and is back for this tenant. */
void		 login_down(void);
void		 login_up(uint32_t tenant);
/* Somebody's profile has changed. */
void		 login_profile(const struct m_user *);
/* Somebody has entered a floor, here or at another worker. */
void		 login_floor(uint32_t tenant, uint32_t user, uint32_t floor);

/*
 * json.c
 */
json_t		*json_parse(const void *, size_t);	/* strict; NULL */
enum json_kind	 { JK_STRING, JK_BOOL, JK_UINT, JK_ANY };
struct json_field {
	const char	*jf_name;
	enum json_kind	 jf_kind;
	int		 jf_needed;
	/* Points to a const char *, an int, a uint64_t, a json_t *. */
	void		*jf_dst;
	int		*jf_seen;	/* may be NULL */
};
/*
 * Members of an object into variables.  Unknown members, missing ones and
 * wrong kinds: the name of the first at fault; NULL when all is well.
 */
const char	*json_fields(json_t *, const struct json_field *, size_t n);
/* An array of distinct user, group ids into big endian; count or -1. */
ssize_t		 json_ids(json_t *, uint8_t *dst, size_t max);
json_t		*json_look(uint32_t);
int		 json_look_get(json_t *, uint32_t *);
const char	*status_name(uint8_t);
int		 status_number(const char *);		/* -1: none */
const char	*role_name(uint8_t);
int		 role_number(const char *);
const char	*lang_name(uint8_t);
int		 lang_number(const char *);
/* "floor:3" and so on; 0, or -1. */
int		 channel_parse(const char *, uint8_t *kind, uint32_t *a,
		    uint32_t *b);
void		 channel_name(char *dst, size_t, uint8_t kind, uint32_t a,
		    uint32_t b);
/* Oneself, as the page gets it. */
json_t		*json_user(const struct login *);

/*
 * htdocs.c
 */
int		 htdocs_add(const char *url, int fd);	/* of the next one */
void		 htdocs_commit(void);
void		 htdocs_abort(void);
/* Answer GET or HEAD; 0 when there is no such file. */
int		 htdocs_serve(struct conn *, const char *path);
/*
 * Answer 503 to one who wants to see a page, with a page that comes back by
 * itself; 0 when it is no page, or there is none to say it with.
 */
int		 htdocs_full(struct conn *, const char *path,
		    unsigned int retry);

/*
 * api.c, api_admin.c, api_reply.c: HTTP.
 */
void		 api_request(struct conn *);		/* all of it is in */
/* The same when there are too many connections: 503, and the end. */
void		 api_full(struct conn *);
/* Answers; the request is done then. */
void		 api_reply(struct conn *, int status, json_t *);  /* takes it */
void		 api_reply_bytes(struct conn *, struct http_reply *,
		    const void *body);
void		 api_reply_json(struct conn *, struct http_reply *,
		    json_t *);				/* takes it */
void		 api_problem(struct conn *, int status, const char *word,
		    const char *field, unsigned int retry);
void		 api_result(struct conn *, const struct m_result *);
/* Neither a route nor a file: 404, or 405 with the methods it has. */
void		 api_nowhere(struct conn *, const char *allow);
/* The grant of the connection's login. */
uint64_t	 api_grant(const struct conn *);
struct route {
	enum http_method	 ro_method;
	const char		*ro_path;	/* '#' a number, '*' a token */
	enum { NEED_NONE, NEED_LOGIN, NEED_ADMIN } ro_need;
	/* A name at fault, "" for an answered request, NULL: all well. */
	const char	*(*ro_fn)(struct conn *, json_t *body);
};
extern const struct route	 api_admin_routes[];
extern const size_t		 api_admin_nroutes;
/* The number or the token in the path of the request. */
uint32_t	 api_number(const struct conn *);
int		 api_token(const struct conn *, uint8_t token[TOKEN_LEN]);
void		 api_link_url(struct conn *, const uint8_t *token, char *,
		    size_t);

/*
 * session.c
 */
void		 session_upgrade(struct conn *);	/* to WebSocket */
int		 session_draining(void);		/* on the way out */
struct tenant	*session_tenant(const struct conn *);	/* of the Host */

#endif
