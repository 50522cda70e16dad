/* The auth process: who signs in, and with what. */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <openssl/rand.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth.h"
#include "auth_policy.h"
#include "auth_request.h"
#include "control.h"
#include "log.h"
#include "policy.h"
#include "util.h"

#define MAX_TENANTS	65536

/* An address that nobody has, asked for in place of one that is none. */
#define NO_MAIL		"nobody@mail.invalid"

struct tenant {
	RB_ENTRY(tenant)	 tn_node;
	uint32_t		 tn_id;
	uint8_t			 tn_state;
	uint64_t		 tn_turn;	/* of its last hash job */
	struct policy		 tn_policy;
};

RB_HEAD(tenant_tree, tenant);

struct auth_conf {
	uint64_t		 ac_generation;	/* 0: none */
	char			 ac_domain[MAX_HOST + 1];
	uint16_t		 ac_port;
	uint32_t		 ac_idle, ac_absolute;	/* seconds */
	int			 ac_control;	/* listening socket, or -1 */
};

static struct auth_conf		 auth_now, auth_next = { .ac_control = -1 };
static struct tenant_tree	 tenants = RB_INITIALIZER(&tenants);
static unsigned int		 ntenants;

static int	 tenant_cmp(struct tenant *, struct tenant *);
static struct tenant *tenant_find(uint32_t);
static int	 tenant_active(uint32_t);
static void	 tenant_refuse(struct request *);
static int	 password_allowed(const struct request *, const char *);
static void	 tenant_set(const struct m_tenant *);
static void	 tenants_clear(void);

static int	 session_imsg(struct peer *, uint32_t, uint32_t, const void *);
static int	 ask_login(struct peer *, uint32_t, const struct m_login *);
static int	 ask_token(struct peer *, uint32_t, const struct m_token *);
static int	 ask_link_get(struct peer *, uint32_t, const struct m_token *);
static int	 ask_link_use(struct peer *, uint32_t,
		    const struct m_link_use *);
static int	 ask_password(struct peer *, uint32_t,
		    const struct m_password *);

static int	 storage_imsg(uint32_t, uint32_t, const void *);
static int	 storage_result(struct request *, const struct m_result *);
static void	 got_cred(struct request *, const struct m_cred *);
static int	 got_owner(struct request *, const struct m_cred *);
static void	 got_token_row(struct request *, const struct m_token_row *);
static void	 signed_in(struct request *);
static void	 token_new(struct request *);

static void	 auth_init(void);
static void	 auth_start(void);
static int	 auth_imsg(struct peer *, uint32_t, uint32_t, const void *,
		    struct imsg *);
static int	 auth_parent(struct peer *, uint32_t, const void *,
		    struct imsg *);
static void	 auth_site(const struct m_site *);
static void	 auth_end(struct peer *, const struct m_conf_end *);
static void	 auth_commit(const struct m_conf_end *);
static void	 auth_up(struct peer *);
static void	 auth_down(struct peer *);

RB_GENERATE_STATIC(tenant_tree, tenant, tn_node, tenant_cmp)

const struct proc_ops auth_ops = {
	.po_proc = PROC_AUTH,
	.po_promises = "stdio unix recvfd",
	.po_init = auth_init,
	.po_start = auth_start,
	.po_imsg = auth_imsg,
	.po_up = auth_up,
	.po_down = auth_down,
};

/*
 * Tenants, as storage tells them.
 */

static int
tenant_cmp(struct tenant *a, struct tenant *b)
{
	return (a->tn_id < b->tn_id ? -1 : a->tn_id > b->tn_id);
}

static struct tenant *
tenant_find(uint32_t id)
{
	struct tenant	 find;

	find.tn_id = id;
	return (RB_FIND(tenant_tree, &tenants, &find));
}

uint64_t *
auth_turn(uint32_t id)
{
	struct tenant	*tn = tenant_find(id);

	return (tn == NULL ? NULL : &tn->tn_turn);
}

static int
tenant_active(uint32_t id)
{
	struct tenant	*tn = tenant_find(id);

	return (tn != NULL && tn->tn_state == TENANT_ACTIVE);
}

/*
 * Storage is new and has not told of the tenant yet, but the session knows it:
 * to refuse would sign out everybody who is here.
 */
static void
tenant_refuse(struct request *rq)
{
	if (tenant_find(rq->rq_tenant) == NULL)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else
		request_refuse(rq);
}

/* By the rules of the tenant, which has gone if it is not known. */
static int
password_allowed(const struct request *rq, const char *password)
{
	const struct tenant	*tn = tenant_find(rq->rq_tenant);

	return (tn != NULL && auth_policy_check(&tn->tn_policy, password) ==
	    FAULT_NONE);
}

static void
tenant_set(const struct m_tenant *m)
{
	struct tenant	*tn = tenant_find(m->id);

	if (m->gone) {
		if (tn == NULL)
			return;
		RB_REMOVE(tenant_tree, &tenants, tn);
		free(tn);
		ntenants--;
		return;
	}
	if (tn == NULL) {
		if (ntenants >= MAX_TENANTS ||
		    (tn = calloc(1, sizeof(*tn))) == NULL) {
			log_warnx("no room for tenant %s", log_safe(m->name));
			return;
		}
		tn->tn_id = m->id;
		RB_INSERT(tenant_tree, &tenants, tn);
		ntenants++;
	}
	tn->tn_state = m->state;
	/* Never out of their bounds, whatever storage says. */
	(void)policy_read(&tn->tn_policy, m->policy.mb_data,
	    m->policy.mb_len);
}

static void
tenants_clear(void)
{
	struct tenant	*tn;

	while ((tn = RB_ROOT(&tenants)) != NULL) {
		RB_REMOVE(tenant_tree, &tenants, tn);
		free(tn);
	}
	ntenants = 0;
}

/*
 * What session processes ask.
 */

static int
session_imsg(struct peer *pe, uint32_t type, uint32_t id, const void *m)
{
	if (auth_now.ac_generation == 0) {
		(void)proc_result(pe, id, R_UNAVAILABLE, 0, NULL);
		return (0);
	}
	switch (type) {
	case IMSG_LOGIN:
		return (ask_login(pe, id, m));
	case IMSG_TOKEN:
		return (ask_token(pe, id, m));
	case IMSG_LINK_GET:
		return (ask_link_get(pe, id, m));
	case IMSG_LINK_USE:
		return (ask_link_use(pe, id, m));
	case IMSG_PASSWORD:
		return (ask_password(pe, id, m));
	default:
		return (-1);
	}
}

static int
ask_login(struct peer *pe, uint32_t id, const struct m_login *m)
{
	struct m_cred_find	 find = { .tenant = m->tenant };
	struct request		*rq;
	char			 mail[MAX_MAIL + 1];

	rq = request_open(pe, id, IMSG_LOGIN, m->tenant, m->addr);
	if (rq == NULL)
		return (0);
	(void)strlcpy(rq->rq_agent, m->agent, sizeof(rq->rq_agent));
	(void)strlcpy(rq->rq_password, m->password, sizeof(rq->rq_password));
	if (!tenant_active(m->tenant)) {
		tenant_refuse(rq);
		return (0);
	}
	if (mail_normal(mail, sizeof(mail), m->email) == -1) {
		(void)strlcpy(mail, NO_MAIL, sizeof(mail));
		rq->rq_deny = 1;
	}
	/* Without the dummy, unknown accounts would answer sooner. */
	if (throttle_name(rq, "mail", mail, strlen(mail)) == -1 ||
	    dummy_copy(rq) == -1) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return (0);
	}
	if (throttle(rq) == -1)
		return (0);
	find.email = mail;
	request_ask(rq, W_CRED, IMSG_CRED_FIND, &find);
	return (0);
}

static int
ask_token(struct peer *pe, uint32_t id, const struct m_token *m)
{
	struct m_sha	 find = { .tenant = m->tenant };
	struct request	*rq;

	rq = request_open(pe, id, IMSG_TOKEN, m->tenant, m->addr);
	if (rq == NULL)
		return (0);
	if (!tenant_active(m->tenant))
		tenant_refuse(rq);
	else if (sha256(rq->rq_sha, m->token, TOKEN_LEN) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else {
		memcpy(find.sha, rq->rq_sha, sizeof(find.sha));
		request_ask(rq, W_TOKEN_ROW, IMSG_TOKEN_FIND, &find);
	}
	return (0);
}

static int
ask_link_get(struct peer *pe, uint32_t id, const struct m_token *m)
{
	struct m_link_find	 find = { .tenant = m->tenant };
	struct request		*rq;

	rq = request_open(pe, id, IMSG_LINK_GET, m->tenant, m->addr);
	if (rq == NULL)
		return (0);
	find.inst = (uint16_t)pe->pe_inst;
	find.req = id;
	if (!tenant_active(m->tenant))
		tenant_refuse(rq);
	else if (sha256(find.sha, m->token, TOKEN_LEN) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else
		request_ask(rq, W_LINK, IMSG_LINK_FIND, &find);
	return (0);
}

static int
ask_link_use(struct peer *pe, uint32_t id, const struct m_link_use *m)
{
	struct request	*rq;

	rq = request_open(pe, id, IMSG_LINK_USE, m->tenant, m->addr);
	if (rq == NULL)
		return (0);
	(void)strlcpy(rq->rq_agent, m->agent, sizeof(rq->rq_agent));
	(void)strlcpy(rq->rq_password, m->password, sizeof(rq->rq_password));
	if (!tenant_active(m->tenant))
		tenant_refuse(rq);
	else if (sha256(rq->rq_sha, m->token, TOKEN_LEN) == -1 ||
	    throttle_name(rq, "link", rq->rq_sha, TOKEN_LEN) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else if (!password_allowed(rq, m->password))
		request_end(rq, R_INVALID, 0, "password");
	else if (throttle(rq) == 0)
		job_put(rq, W_MAKE);
	return (0);
}

static int
ask_password(struct peer *pe, uint32_t id, const struct m_password *m)
{
	struct m_sha	 find = { .tenant = m->tenant };
	struct request	*rq;

	rq = request_open(pe, id, IMSG_PASSWORD, m->tenant, m->addr);
	if (rq == NULL)
		return (0);
	(void)strlcpy(rq->rq_password, m->current, sizeof(rq->rq_password));
	(void)strlcpy(rq->rq_new, m->new, sizeof(rq->rq_new));
	if (!tenant_active(m->tenant))
		tenant_refuse(rq);
	else if (sha256(rq->rq_sha, m->token, TOKEN_LEN) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else {
		memcpy(find.sha, rq->rq_sha, sizeof(find.sha));
		request_ask(rq, W_CRED, IMSG_CRED_TOKEN, &find);
	}
	return (0);
}

/*
 * What storage and hash answer.  The request goes on, or ends.
 */

static int
storage_imsg(uint32_t type, uint32_t id, const void *m)
{
	const struct m_result	*r = m;
	struct request		*rq;

	if (type == IMSG_TENANT) {
		tenant_set(m);
		return (0);
	}
	if (type == IMSG_RESULT && r->code >= R_MAX)
		return (-1);
	if ((rq = request_find(id)) == NULL)
		return (0);		/* ended meanwhile */
	if (type == IMSG_RESULT)
		return (storage_result(rq, m));
	if (type == IMSG_CRED && rq->rq_wait == W_CRED)
		got_cred(rq, m);
	else if (type == IMSG_TOKEN_ROW && rq->rq_wait == W_TOKEN_ROW)
		got_token_row(rq, m);
	else if (type == IMSG_LINK_DONE && rq->rq_wait == W_LINK_SET) {
		throttle_back(rq);
		auth_counts.ac_links++;
		rq->rq_user = ((const struct m_link_done *)m)->user;
		token_new(rq);
	} else
		return (-1);
	return (0);
}

/* Storage's yes where a yes is the answer, or its no to whatever it was. */
static int
storage_result(struct request *rq, const struct m_result *m)
{
	if (rq->rq_wait == W_CHECK || rq->rq_wait == W_MAKE)
		return (-1);		/* nobody has asked storage */
	if (m->code != R_OK) {
		if (m->code == R_UNAVAILABLE || m->code == R_BUSY)
			request_end(rq, m->code, m->arg, NULL);
		else if (rq->rq_type == IMSG_LOGIN && rq->rq_wait == W_CRED)
			got_cred(rq, NULL);
		else
			request_refuse(rq);
		return (0);
	}
	switch (rq->rq_wait) {
	case W_TOKEN_NEW:
		signed_in(rq);
		return (0);
	case W_CRED_SET:
		auth_counts.ac_passwords++;
		request_end(rq, R_OK, 0, NULL);
		return (0);
	case W_GRANT:
	case W_LINK:
		request_free(rq);	/* the session knows */
		return (0);
	default:
		return (-1);
	}
}

/*
 * The account of a sign-in; m is NULL where there is none.  Whatever it is,
 * hash has a record to check: there already is the dummy.
 */
static void
got_cred(struct request *rq, const struct m_cred *m)
{
	if (rq->rq_type == IMSG_PASSWORD && got_owner(rq, m) == -1)
		return;
	if (m == NULL || m->user == 0 || m->state != USER_ACTIVE ||
	    m->sealed.mb_len == 0)
		rq->rq_deny = 1;
	if (m != NULL && m->sealed.mb_len != 0) {
		memcpy(rq->rq_sealed, m->sealed.mb_data, m->sealed.mb_len);
		rq->rq_sealedlen = m->sealed.mb_len;
	}
	if (m != NULL)
		rq->rq_user = m->user;
	job_put(rq, W_CHECK);
}

/* Somebody who is signed in: he may try the old password ten times, too. */
static int
got_owner(struct request *rq, const struct m_cred *m)
{
	if (m->state != USER_ACTIVE || m->sealed.mb_len == 0) {
		request_refuse(rq);
		return (-1);
	}
	if (throttle_name(rq, "user", &m->user, sizeof(m->user)) == -1) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return (-1);
	}
	return (throttle(rq));
}

void
auth_checked(struct request *rq, enum hash_answer answer)
{
	if (answer == HASH_FAILED) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return;
	}
	if (answer != HASH_RIGHT || rq->rq_deny) {
		if (rq->rq_type == IMSG_PASSWORD)
			request_end(rq, R_SIGNIN, 0, NULL);
		else
			request_refuse(rq);
		return;
	}
	throttle_back(rq);
	if (rq->rq_type == IMSG_LOGIN)
		token_new(rq);
	else if (!password_allowed(rq, rq->rq_new))
		request_end(rq, R_INVALID, 0, "new");
	else
		job_put(rq, W_MAKE);
}

void
auth_made(struct request *rq, const struct m_blob *sealed)
{
	struct m_link_set	 link = { .tenant = rq->rq_tenant };
	struct m_cred_set	 cred = { .tenant = rq->rq_tenant };

	if (sealed->mb_len == 0)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else if (rq->rq_type == IMSG_LINK_USE) {
		memcpy(link.sha, rq->rq_sha, sizeof(link.sha));
		link.sealed = *sealed;
		request_ask(rq, W_LINK_SET, IMSG_LINK_SET, &link);
	} else {
		cred.user = rq->rq_user;
		memcpy(cred.keep, rq->rq_sha, sizeof(cred.keep));
		cred.sealed = *sealed;
		request_ask(rq, W_CRED_SET, IMSG_CRED_SET, &cred);
	}
}

/* The browser gets the token only when storage has its hash, and a record. */
static void
token_new(struct request *rq)
{
	struct m_token_new	 m = { .tenant = rq->rq_tenant };

	if (RAND_bytes(rq->rq_token, TOKEN_LEN) != 1 ||
	    sha256(m.sha, rq->rq_token, TOKEN_LEN) == -1) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return;
	}
	m.user = rq->rq_user;
	m.expires = now_ms() + (uint64_t)auth_now.ac_absolute * 1000;
	m.addr = rq->rq_addr;
	m.agent = rq->rq_agent;
	request_ask(rq, W_TOKEN_NEW, IMSG_TOKEN_NEW, &m);
}

static void
signed_in(struct request *rq)
{
	struct m_login_ok	 ok;

	memcpy(ok.token, rq->rq_token, sizeof(ok.token));
	auth_counts.ac_signins++;
	(void)proc_send(proc_peer(PROC_SESSION, rq->rq_inst), IMSG_LOGIN_OK,
	    rq->rq_req, -1, &ok);
	explicit_bzero(&ok, sizeof(ok));
	request_free(rq);
}

static void
got_token_row(struct request *rq, const struct m_token_row *m)
{
	struct m_grant_new	 grant = { .tenant = rq->rq_tenant };
	uint64_t		 now = now_ms();

	/* A clock that was set back makes nobody idle. */
	if (m->state != USER_ACTIVE || now >= m->expires || (m->live == 0 &&
	    now > m->seen &&
	    now - m->seen > (uint64_t)auth_now.ac_idle * 1000)) {
		request_refuse(rq);
		return;
	}
	memcpy(grant.sha, rq->rq_sha, sizeof(grant.sha));
	grant.inst = (uint16_t)rq->rq_inst;
	grant.req = rq->rq_req;
	auth_counts.ac_grants++;
	request_ask(rq, W_GRANT, IMSG_GRANT_NEW, &grant);
}

/*
 * The process.
 */

/* What libcrypto reads from files, it reads now. */
static void
auth_init(void)
{
	uint8_t	 sha[TOKEN_LEN];

	if (RAND_bytes(sha, sizeof(sha)) != 1 ||
	    sha256(sha, sha, sizeof(sha)) == -1)
		fatalx("auth: libcrypto does not work");
	request_init();
}

static void
auth_start(void)
{
	request_start();
	job_start();
}

static int
auth_imsg(struct peer *pe, uint32_t type, uint32_t id, const void *m,
    struct imsg *imsg)
{
	if (type != IMSG_TENANT && pe->pe_proc != PROC_HASH &&
	    (id & CONTROL_ID) != 0 && (type == IMSG_RESULT ||
	    type == IMSG_C_LINK_TOKEN ||
	    msg_allowed(type, PROC_AUTH, PROC_CONTROL)))
		return (control_imsg(pe, type, id, m));
	switch (pe->pe_proc) {
	case PROC_PARENT:
		return (auth_parent(pe, type, m, imsg));
	case PROC_HASH:
		return (job_answer(pe, type, id, m));
	case PROC_STORAGE:
		return (storage_imsg(type, id, m));
	case PROC_SESSION:
		return (session_imsg(pe, type, id, m));
	default:
		return (-1);
	}
}

static int
auth_parent(struct peer *pe, uint32_t type, const void *m, struct imsg *imsg)
{
	switch (type) {
	case IMSG_CONF_SITE:
		auth_site(m);
		return (0);
	case IMSG_CONF_FILE:
		if (((const struct m_conf_file *)m)->kind == FILE_CONTROL &&
		    auth_next.ac_control == -1)
			auth_next.ac_control = imsg_get_fd(imsg);
		return (0);
	case IMSG_CONF_END:
		auth_end(pe, m);
		return (0);
	case IMSG_CONF_COMMIT:
		auth_commit(m);
		return (0);
	default:
		return (-1);
	}
}

static void
auth_site(const struct m_site *m)
{
	if (auth_next.ac_control != -1)
		close(auth_next.ac_control);
	memset(&auth_next, 0, sizeof(auth_next));
	auth_next.ac_control = -1;
	auth_next.ac_generation = m->generation;
	(void)strlcpy(auth_next.ac_domain, m->domain,
	    sizeof(auth_next.ac_domain));
	auth_next.ac_port = m->port;
	auth_next.ac_idle = m->idle;
	auth_next.ac_absolute = m->absolute;
}

static void
auth_end(struct peer *pe, const struct m_conf_end *m)
{
	struct m_conf_ack	 ack = { .generation = m->generation };

	if (m->generation != auth_next.ac_generation)
		ack.why = "the generations are mixed up";
	else if (auth_next.ac_control == -1)
		ack.why = "the control socket has not arrived";
	else
		ack.ok = 1;
	(void)proc_send(pe, IMSG_CONF_ACK, 0, -1, &ack);
}

static void
auth_commit(const struct m_conf_end *m)
{
	if (m->generation != auth_next.ac_generation ||
	    auth_next.ac_control == -1)
		return;
	auth_now = auth_next;
	auth_next.ac_control = -1;
	auth_next.ac_generation = 0;
	control_site(auth_now.ac_domain, auth_now.ac_port);
	control_listen(auth_now.ac_control);
	/* Its cost may be another one now. */
	dummy_start();
}

static void
auth_up(struct peer *pe)
{
	if (pe->pe_proc == PROC_STORAGE)
		tenants_clear();	/* it will tell them all */
	else if (pe->pe_proc == PROC_HASH)
		job_up();
}

static void
auth_down(struct peer *pe)
{
	control_down(pe);
	if (pe->pe_proc == PROC_HASH)
		job_down(pe);
	request_down(pe);
}

void
auth_stats(void (*fn)(const char *, uint64_t, void *), void *arg)
{
	uint64_t	 waiting, ms;
	size_t		 addrs, accounts;

	job_counts(&waiting, &ms);
	throttle_counts(&addrs, &accounts);
	fn("auth.requests", auth_counts.ac_requests, arg);
	fn("auth.signins", auth_counts.ac_signins, arg);
	fn("auth.grants", auth_counts.ac_grants, arg);
	fn("auth.links", auth_counts.ac_links, arg);
	fn("auth.passwords", auth_counts.ac_passwords, arg);
	fn("auth.refused", auth_counts.ac_refused, arg);
	fn("auth.throttled", auth_counts.ac_throttled, arg);
	fn("auth.busy", auth_counts.ac_busy, arg);
	fn("auth.unavailable", auth_counts.ac_unavailable, arg);
	fn("auth.pending", auth_counts.ac_pending, arg);
	fn("auth.tenants", ntenants, arg);
	fn("auth.addresses", addrs, arg);
	fn("auth.accounts", accounts, arg);
	fn("auth.hash.waiting", waiting, arg);
	fn("auth.hash.ms", ms, arg);
}
