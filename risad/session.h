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
	uint32_t	 sc_tenant_pages, sc_account_pages;
	uint32_t	 sc_addr_arrivals, sc_addr_requests;	/* a minute */
	uint32_t	 sc_tenant_requests, sc_account_requests;
	uint32_t	 sc_buffers;	/* MiB */
	char		*sc_turn;	/* URLs with a blank between */
	struct server	*sc_server;
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
/* Has storage told of all?  Before, no host can be called a wrong one. */
int		 site_told(void);

/* Counted since the start, for risactl show stats. */
struct session_stats {
	uint64_t	 ss_conns, ss_accepted, ss_requests, ss_frames_in;
	uint64_t	 ss_frames_out, ss_ticks, ss_legs, ss_refused_legs;
	uint64_t	 ss_persons, ss_says, ss_late, ss_unlogged;
	uint64_t	 ss_crowded, ss_limited;
};
extern struct session_stats	 session_stats;

/*
 * ask.c: questions to auth and storage that wait for their answers.
 */

/*
 * One imsg of the answer: m is a struct m_* of the type.  cn is NULL where the
 * question had none.  Returns 1 when the answer is complete; RESULT always
 * completes it.  A peer that dies, or 10 seconds (of an import, 60), answer
 * R_UNAVAILABLE; the connection lasts longer.  Not called any more once it has
 * closed; arg is then left alone.
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
 * for it and the address it was shown from.  Requests and the WebSocket of one
 * browser share it; from another address it is another one.
 */
struct login {
	RB_ENTRY(login)	 lg_entry;
	RB_ENTRY(login)	 lg_grant_entry;
	uint32_t	 lg_tenant;
	uint8_t		 lg_token[TOKEN_LEN];
	uint64_t	 lg_grant;	/* 0: storage is away, or it ended */
	uint64_t	 lg_last;	/* the newest one, for the access log */
	uint64_t	 lg_expires;	/* ms */
	uint64_t	 lg_changed;	/* the password, to be told; ms, or 0 */
	uint64_t	 lg_used;	/* monotonic ms */
	unsigned int	 lg_refs;	/* connections */
	int		 lg_gone;	/* freed with the last reference */
	int		 lg_asking;	/* a new grant is being asked for */
	uint8_t		 lg_must;	/* MUST_ bits: before all else */
	uint32_t	 lg_idle;	/* seconds */
	uint32_t	 lg_last_floor;
	uint32_t	 lg_user, lg_look;
	uint8_t		 lg_role, lg_can, lg_lang, lg_status;
	uint8_t		 lg_door;	/* a guest who may only wait */
	char		 lg_addr[MAX_ADDR + 1];
	char		*lg_name, *lg_note, *lg_email;
};

void		 login_init(void);
struct login	*login_find(uint32_t tenant, const uint8_t token[TOKEN_LEN],
		    const char *addr);
/* From the answer of storage; an older one of the same token is replaced. */
struct login	*login_new(const struct m_grant *, const uint8_t *token,
		    const char *addr);
/* The connection uses it from now on, instead of the one before; NULL: none. */
void		 login_use(struct conn *, struct login *);
/* What its owner must do first has changed, to less. */
void		 login_must(const struct m_grant_must *);
/* Storage has ended the grant. */
void		 login_ended(const struct m_grant_end *);
/* The token is void: nothing may use the login any more; pages hear why. */
void		 login_drop(struct login *, enum grant_end why);
/* 1 if a login has this grant: no other may. */
int		 login_has(uint64_t grant);
/* A grant that nobody here has a use for. */
void		 login_give_back(uint64_t grant);
/* Storage has gone, all grants with it; and is back for this tenant. */
void		 login_down(void);
void		 login_up(uint32_t tenant);
/* What a role of a tenant may has changed. */
void		 login_role(const struct m_role *);
/* May its owner do what needs the right?  Storage asks itself again. */
int		 login_may(const struct login *, uint8_t right);
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
/* A role: the word of one that all tenants have, or its number. */
json_t		*json_role(uint8_t);
int		 json_role_get(json_t *);		/* -1: none */
/* Rights as the list of their names, and back; 0, or -1. */
json_t		*json_can(uint8_t);
int		 json_can_get(json_t *, uint8_t *);
const char	*lang_name(uint8_t);
int		 lang_number(const char *);
/* "floor:3" and so on; 0, or -1. */
int		 channel_parse(const char *, uint8_t *kind, uint32_t *a,
		    uint32_t *b);
void		 channel_name(char *dst, size_t, uint8_t kind, uint32_t a,
		    uint32_t b);
/* Oneself, and a message, as the page gets them. */
json_t		*json_user(const struct login *);
json_t		*json_message(const char *channel, const struct m_message *);
/* MUST_ and FACTOR_ bits as lists of words. */
json_t		*json_must(uint8_t);
json_t		*json_factors(uint8_t);

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
 * api.c, api_admin.c, api_factor.c, api_guest.c, api_import.c, api_passkey.c,
 * api_signin.c, api_talk.c, api_reply.c:
 * HTTP.
 */
#define BODY_MAX	(64 * 1024)	/* of everybody's requests */
#define BODY_LARGE	(1536 * 1024)	/* of an administrator's import */
void		 api_request(struct conn *);		/* all of it is in */
/* The same when there are too many connections: 503, and the end. */
void		 api_full(struct conn *);
/*
 * The head of a request is here and announces a body above BODY_MAX: 1 when it
 * may come.  Else it has been answered, or auth is asked who it is, and the
 * next input asks again.  The other ends what was allowed.
 */
int		 api_large(struct conn *);
void		 api_large_end(struct conn *);
/* Answers; the request is done then. */
void		 api_reply(struct conn *, int status, json_t *);  /* takes it */
void		 api_reply_bytes(struct conn *, struct http_reply *,
		    const void *body);
/* The body is not copied: it is common to all who ask for it. */
void		 api_reply_chunk(struct conn *, struct http_reply *,
		    struct chunk *body);
void		 api_reply_json(struct conn *, struct http_reply *,
		    json_t *);				/* takes it */
void		 api_problem(struct conn *, int status, const char *word,
		    const char *field, unsigned int retry);
/* The same with a member that says which value it is about. */
void		 api_problem_value(struct conn *, int status,
		    const char *word, const char *field, const char *value);
void		 api_result(struct conn *, const struct m_result *);
/* Neither a route nor a file: 404, or 405 with the methods it has. */
void		 api_nowhere(struct conn *, const char *allow);
/* The token that the browser shows; 0, or -1. */
int		 api_cookie(const struct conn *, uint8_t token[TOKEN_LEN]);
/* Its login, with the grant that came for it; NULL: that has gone back. */
struct login	*api_login(struct conn *, const struct m_grant *);
/* The grant of the connection's login. */
uint64_t	 api_grant(const struct conn *);
struct route {
	enum http_method	 ro_method;
	const char		*ro_path;	/* '#' a number, '*' a token */
	/*
	 * Whom it is for.  ANY: all who are signed in; FIRST: members, also
	 * who must do something first; DOOR: members, and guests even at the
	 * door; GUEST: members, and guests who are in; HOST: who may let
	 * guests in.
	 */
	enum need { NEED_NONE, NEED_ANY, NEED_FIRST, NEED_DOOR, NEED_GUEST,
		    NEED_LOGIN, NEED_HOST, NEED_ADMIN }	 ro_need;
	/* A name at fault, "" for an answered request, NULL: all well. */
	const char	*(*ro_fn)(struct conn *, json_t *body);
};
/* All there are. */
struct route_table {
	const struct route	*rt_routes;
	const size_t		*rt_n;
};
extern const struct route_table	 api_tables[];
extern const size_t		 api_ntables;
extern const struct route	 api_admin_routes[];
extern const size_t		 api_admin_nroutes;
extern const struct route	 api_password_routes[];
extern const size_t		 api_password_nroutes;
extern const struct route	 api_import_routes[];
extern const size_t		 api_import_nroutes;
extern const struct route	 api_signin_routes[];
extern const size_t		 api_signin_nroutes;
extern const struct route	 api_factor_routes[];
extern const size_t		 api_factor_nroutes;
/* 401: the second factor is missing or wrong; arg as R_FACTOR has it. */
void		 api_factor_problem(struct conn *, const struct m_result *);
extern const struct route	 api_passkey_routes[];
extern const size_t		 api_passkey_nroutes;
/* Bytes that the page has sent in base64url; the blobs of an imsg lead here. */
struct passkey_bytes {
	uint8_t	 pb_id[MAX_CRED_ID], pb_handle[MAX_CRED_HANDLE];
	uint8_t	 pb_client[MAX_CLIENT], pb_object[MAX_ATTEST];
	uint8_t	 pb_data[MAX_CRED_DATA], pb_sig[MAX_CRED_SIG];
};
/* Its challenge and bytes into m, from the member "passkey"; 0, or -1. */
int		 api_passkey_login(json_t *, struct passkey_bytes *,
		    struct m_passkey_login *);
extern const struct route	 api_talk_routes[];
extern const size_t		 api_talk_nroutes;
extern const struct route	 api_record_routes[];
extern const size_t		 api_record_nroutes;
extern const struct route	 api_guest_routes[];
extern const size_t		 api_guest_nroutes;
/* For ask_send(): the answer is the RESULT and nothing else. */
int		 api_plain(struct conn *, uint32_t type, const void *, void *);
/*
 * A list that grows row by row, which the rows' function and RESULT share;
 * the connection's, and freed with the request.
 */
json_t		*api_list(struct conn *);
/* A number in its query, 0 when absent; -1 when it is none. */
int		 api_query(const struct conn *, const char *name, uint64_t *);
/*
 * The tenant of a request that has waited for an answer.  NULL: it has ended
 * or is suspended since, and the request is answered.
 */
struct tenant	*api_tenant(struct conn *);
/* The number or the token in the path of the request. */
uint32_t	 api_number(const struct conn *);
int		 api_token(const struct conn *, uint8_t token[TOKEN_LEN]);
/* The page ("invite", "guest") that the token opens. */
void		 api_link_url(struct conn *, const char *page,
		    const uint8_t *token, char *, size_t);
/* Ask, or answer that it can not be asked now. */
void		 api_ask(struct conn *, enum proc_type, enum imsg_type,
		    const void *m, int (*)(struct conn *, uint32_t,
		    const void *, void *), void *);
/* A list of ids as they travel between processes. */
json_t		*api_ids(const struct m_blob *);
/*
 * Somebody who comes in, step by step; the request's, zeroed and freed with
 * it.  signin_answer() goes on with the answer of auth, and si_go when the
 * grant is there (NULL: that is all).
 */
struct signin {
	uint8_t	 si_token[TOKEN_LEN];		/* of the link, then ours */
	int	 si_left;			/* recovery codes, or -1 */
	char	 si_mail[MAX_MAIL + 1];		/* as was typed, or empty */
	char	 si_name[MAX_NAME + 1];		/* to go by, or empty */
	char	 si_device[MAX_DEVICE + 1];	/* to be kept, or empty */
	uint32_t si_failures;			/* since the last time */
	char	 si_password[MAX_PASSWORD + 1];	/* to set, or empty */
	void	(*si_go)(struct conn *, struct signin *);
};
struct signin	*signin_start(struct conn *);
int		 signin_answer(struct conn *, uint32_t type, const void *,
		    void *signin);
/* 201 with the cookie and who one is. */
void		 signin_reply(struct conn *);
/* What the browser says it is, for the list of one's sign-ins. */
void		 user_agent(const struct conn *, char *, size_t);
/* What a new password of the tenant has to be, for the page. */
json_t		*password_rules(const struct tenant *, uint8_t role);

/*
 * access.c: what storage writes into the access log.
 */

/* A request is answered: status, and bytes on the wire before TLS. */
void		 access_request(const struct conn *, int status, size_t bytes);
/* A sign-in has failed, for this mail address or ("") a passkey alone. */
void		 access_failed(const struct conn *, const char *mail);
/* Somebody comes onto a floor, or leaves it. */
void		 access_floor(const struct login *, enum access_kind,
		    uint32_t floor);
/* A talk with the other user has begun, or is over. */
void		 access_talk(const struct login *, enum access_kind,
		    uint32_t floor, uint32_t user);
/* Storage serves, or is away: until then what has happened waits. */
void		 access_storage(int up);

/*
 * door.c: who comes in, from which address, and how many of them.
 */

/*
 * A socket to listen on by the next configuration, and what it is.  NULL, or
 * why not; the descriptor is still the caller's then.
 */
const char	*door_add(const struct m_conf_file *, int fd);
/* Forget what was added, or listen on it from now on and on nothing else. */
void		 door_abort(void);
void		 door_commit(void);
void		 door_close(void);		/* nobody else comes in */
void		 door_left(struct conn *);	/* about to be freed */
void		 door_init(void);		/* as root */
void		 door_start(void);

/*
 * quota.c: how much may come from one address, for one tenant, of one account.
 * What strangers ask for counts for their address alone, so that nobody can
 * use up what a tenant has.
 */
/* What the configuration in force says. */
void		 quota_commit(void);
/* Somebody connects, and sends a request, from there: 0, or ms to wait. */
uint32_t	 quota_arrival(const char *addr);
uint32_t	 quota_request(const char *addr);
/* Somebody signed in asks for something: 0, or ms to wait. */
uint32_t	 quota_asked(const struct login *);
/* May its owner open one more page? */
int		 quota_page(const struct login *);

/*
 * session.c
 */
void		 session_opened(struct conn *);		/* has come in */
void		 session_upgrade(struct conn *);	/* to WebSocket */
int		 session_draining(void);		/* on the way out */
struct tenant	*session_tenant(const struct conn *);	/* of the Host */

#endif
