/* The auth process: who signs in, and with what. */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include <openssl/rand.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth.h"
#include "auth_device.h"
#include "auth_policy.h"
#include "auth_request.h"
#include "control.h"
#include "ledger.h"
#include "log.h"
#include "policy.h"
#include "turn.h"
#include "util.h"

#define MAX_TENANTS	65536

/* An address that nobody has, asked for in place of one that is none. */
#define NO_MAIL		"nobody@mail.invalid"

struct tenant {
	RB_ENTRY(tenant)	 tn_node;
	uint32_t		 tn_id;
	uint8_t			 tn_state;
	uint64_t		 tn_turn;	/* of its last hash job */
	char			 tn_name[MAX_LABEL + 1];
	struct policy		 tn_policy;
	int			 tn_locks;	/* storage has told them */
};

RB_HEAD(tenant_tree, tenant);

struct auth_conf {
	uint64_t		 ac_generation;	/* 0: none */
	char			 ac_domain[MAX_HOST + 1];
	uint16_t		 ac_port;
	uint32_t		 ac_idle, ac_absolute;	/* seconds */
	int			 ac_control;	/* listening socket, or -1 */
	char			 ac_turn[MAX_TURN_SECRET + 1];	/* or empty */
	const char		*ac_why;	/* refused for it, or NULL */
};

static struct auth_conf		 auth_now, auth_next = { .ac_control = -1 };
static struct tenant_tree	 tenants = RB_INITIALIZER(&tenants);
static unsigned int		 ntenants;
static uint8_t			 device_key[DEVICE_KEY];
static int			 device_ready;

static int	 tenant_cmp(struct tenant *, struct tenant *);
static struct tenant *tenant_find(uint32_t);
static int	 tenant_active(uint32_t);
static void	 tenant_refuse(struct request *);
static uint32_t	 tenant_seconds(const struct request *, enum policy_key,
		    uint32_t);
static void	 password_make(struct request *, const char *, const char *);
static void	 password_new(struct request *);
static int	 words_keep(struct request *, const char *);
static int	 old_keep(struct request *, const struct m_blob *);
static void	 tenant_set(const struct m_tenant *);
static void	 tenants_clear(void);

static int	 session_imsg(struct peer *, uint32_t, uint32_t, const void *);
static int	 ask_login(struct peer *, uint32_t, const struct m_login *);
static void	 locks_told(struct request *);
static void	 login_go(struct request *);
static void	 link_go(struct request *);
static int	 ask_token(struct peer *, uint32_t, const struct m_token *);
static int	 ask_link_get(struct peer *, uint32_t, const struct m_token *);
static int	 ask_link_use(struct peer *, uint32_t,
		    const struct m_link_use *);
static int	 ask_password(struct peer *, uint32_t,
		    const struct m_password *);
static int	 ask_factor(struct peer *, uint32_t, const struct m_factor *);
static int	 ask_score(struct peer *, uint32_t,
		    const struct m_password_check *);

static int	 storage_imsg(uint32_t, uint32_t, const void *);
static int	 storage_result(struct request *, const struct m_result *);
static void	 got_cred(struct request *, const struct m_cred *);
static void	 cred_again(struct request *);
static int	 got_login(struct request *, const struct m_cred *);
static int	 got_owner(struct request *, const struct m_cred *);
static void	 got_token_row(struct request *, const struct m_token_row *);
static void	 signed_in(struct request *, uint64_t);
static void	 talk_make(const struct m_talk_make *);
static int	 device_new(struct request *, char *);

static void	 auth_init(void);
static void	 auth_start(void);
static int	 auth_imsg(struct peer *, uint32_t, uint32_t, const void *,
		    struct imsg *);
static int	 auth_parent(struct peer *, uint32_t, const void *,
		    struct imsg *);
static void	 auth_file(const struct m_conf_file *, struct imsg *);
static void	 auth_turn_secret(int);
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

int
auth_welcomes(uint32_t id, const char *addr)
{
	const struct tenant	*tn = tenant_find(id);

	return (tn == NULL || policy_welcomes(&tn->tn_policy, POLICY_NETWORKS,
	    addr));
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

int
auth_tenant(struct request *rq)
{
	if (tenant_active(rq->rq_tenant))
		return (0);
	tenant_refuse(rq);
	return (-1);
}

int
auth_host(uint32_t id, char *dst, size_t len, uint16_t *port)
{
	const struct tenant	*tn = tenant_find(id);
	int			 n;

	if (tn == NULL)
		return (-1);
	*port = auth_now.ac_port;
	n = snprintf(dst, len, "%s.%s", tn->tn_name, auth_now.ac_domain);
	return (n < 0 || (size_t)n >= len ? -1 : 0);
}

static uint32_t
tenant_seconds(const struct request *rq, enum policy_key key, uint32_t site)
{
	const struct tenant	*tn = tenant_find(rq->rq_tenant);

	return (tn == NULL ? site : policy_seconds(&tn->tn_policy, key, site));
}

struct failure_rule
auth_rule(uint32_t id)
{
	const struct tenant	*tn = tenant_find(id);
	struct failure_rule	 fr;
	struct policy		 po;

	if (tn == NULL)
		policy_default(&po);
	else
		po = tn->tn_policy;
	fr.fr_tries = po.po_value[POLICY_LOCK_TRIES];
	fr.fr_lock = po.po_value[POLICY_LOCK_MINUTES] == 0 ? FAILURE_NEVER :
	    po.po_value[POLICY_LOCK_MINUTES] * 60000ULL;
	return (fr);
}

uint32_t
auth_absolute(const struct request *rq)
{
	return (tenant_seconds(rq, POLICY_ABSOLUTE, auth_now.ac_absolute));
}

/* Have it hashed if the rules of the tenant, who may have gone, allow it. */
static void
password_make(struct request *rq, const char *password, const char *field)
{
	const struct tenant	*tn = tenant_find(rq->rq_tenant);

	if (tn == NULL || auth_policy_check(&tn->tn_policy,
	    rq->rq_role, password) != 0) {
		request_end(rq, R_INVALID, 0, field);
		return;
	}
	rq->rq_strength = (uint8_t)tn->tn_policy.po_value[POLICY_STRENGTH];
	job_put(rq, W_MAKE);
}

/*
 * By a new one those before it could be guessed, which has its own count: the
 * present one, which is known, would end that of wrong ones.
 */
static void
password_new(struct request *rq)
{
	if (throttle_known(rq, "used", &rq->rq_user,
	    sizeof(rq->rq_user)) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else if (throttle(rq) == 0)
		password_make(rq, rq->rq_new, "new");
}

/* What the session says of the person: hash guesses from it, auth does not. */
static int
words_keep(struct request *rq, const char *words)
{
	return ((rq->rq_words = strdup(words)) == NULL ? -1 : 0);
}

static int
old_keep(struct request *rq, const struct m_blob *old)
{
	if (old->mb_len == 0)
		return (0);
	if ((rq->rq_old = malloc(old->mb_len)) == NULL)
		return (-1);
	memcpy(rq->rq_old, old->mb_data, old->mb_len);
	rq->rq_oldlen = old->mb_len;
	return (0);
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
	(void)strlcpy(tn->tn_name, m->name, sizeof(tn->tn_name));
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
	case IMSG_FACTOR:
		return (ask_factor(pe, id, m));
	case IMSG_PASSWORD_CHECK:
		return (ask_score(pe, id, m));
	case IMSG_PASSKEY_ASK:
		return (passkey_ask(pe, id, m));
	case IMSG_PASSKEY_ADD:
		return (passkey_ask_add(pe, id, m));
	case IMSG_PASSKEY_DEL:
		return (passkey_ask_del(pe, id, m));
	case IMSG_PASSKEY_LOGIN:
		return (passkey_ask_login(pe, id, m));
	default:
		return (guest_asked(pe, type, id, m));
	}
}

int
is_login(const struct request *rq)
{
	return (rq->rq_type == IMSG_LOGIN ||
	    rq->rq_type == IMSG_PASSKEY_LOGIN);
}

static int
ask_login(struct peer *pe, uint32_t id, const struct m_login *m)
{
	struct request	*rq;

	rq = request_open(pe, id, IMSG_LOGIN, m->tenant, m->addr);
	if (rq == NULL || auth_tenant(rq) == -1)
		return (0);
	(void)strlcpy(rq->rq_agent, m->agent, sizeof(rq->rq_agent));
	(void)strlcpy(rq->rq_password, m->password, sizeof(rq->rq_password));
	(void)strlcpy(rq->rq_otp, m->otp, sizeof(rq->rq_otp));
	auth_device(rq, m->device);
	auth_login(rq, m->email);
	return (0);
}

void
auth_login(struct request *rq, const char *email)
{
	if (mail_normal(rq->rq_mail, sizeof(rq->rq_mail), email) == -1) {
		(void)strlcpy(rq->rq_mail, NO_MAIL, sizeof(rq->rq_mail));
		rq->rq_deny = 1;
	}
	/* Without the dummy, unknown accounts would answer sooner. */
	if (throttle_name(rq, "mail", rq->rq_mail,
	    strlen(rq->rq_mail)) == -1 || dummy_copy(rq) == -1) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return;
	}
	locks_first(rq);
}

void
auth_device(struct request *rq, const char *token)
{
	rq->rq_has_device = device_ready && *token != '\0' &&
	    device_read(&rq->rq_device, device_key, rq->rq_tenant, token,
	    now_ms() / 1000) == 0;
}

void
locks_first(struct request *rq)
{
	const struct tenant	*tn = tenant_find(rq->rq_tenant);
	struct m_locks		 m = { rq->rq_tenant };

	if (tn != NULL && tn->tn_locks)
		locks_told(rq);
	else
		request_ask(rq, W_LOCKS, IMSG_LOCKS, &m);
}

static void
locks_told(struct request *rq)
{
	struct m_sha	 find = { .tenant = rq->rq_tenant };

	if (is_login(rq)) {
		login_go(rq);
		return;
	}
	if (rq->rq_type == IMSG_GUEST_USE) {
		guest_go(rq);
		return;
	}
	if (rq->rq_type == IMSG_LINK_USE) {
		link_go(rq);
		return;
	}
	memcpy(find.sha, rq->rq_sha, sizeof(find.sha));
	request_ask(rq, W_CRED, IMSG_CRED_TOKEN, &find);
}

/* Whose the device is, is seen when storage has told whose the mail is. */
static void
login_go(struct request *rq)
{
	struct m_cred_find	 find = { rq->rq_tenant, rq->rq_mail };

	if (rq->rq_has_device || throttle(rq) == 0)
		request_ask(rq, W_CRED, IMSG_CRED_FIND, &find);
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
	else if (throttle_address(rq) == 0)
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
	(void)strlcpy(rq->rq_name, m->name, sizeof(rq->rq_name));
	if (!tenant_active(m->tenant))
		tenant_refuse(rq);
	else if (sha256(rq->rq_sha, m->token, TOKEN_LEN) == -1 ||
	    words_keep(rq, m->words) == -1 ||
	    throttle_name(rq, "link", rq->rq_sha, TOKEN_LEN) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else
		locks_first(rq);
	return (0);
}

static void
link_go(struct request *rq)
{
	struct m_sha	 find = { .tenant = rq->rq_tenant };

	memcpy(find.sha, rq->rq_sha, sizeof(find.sha));
	if (throttle(rq) == 0)
		request_ask(rq, W_CRED, IMSG_CRED_LINK, &find);
}

static int
ask_password(struct peer *pe, uint32_t id, const struct m_password *m)
{
	struct request	*rq;

	rq = request_open(pe, id, IMSG_PASSWORD, m->tenant, m->addr);
	if (rq == NULL)
		return (0);
	(void)strlcpy(rq->rq_password, m->current, sizeof(rq->rq_password));
	(void)strlcpy(rq->rq_new, m->new, sizeof(rq->rq_new));
	if (!tenant_active(m->tenant))
		tenant_refuse(rq);
	else if (sha256(rq->rq_sha, m->token, TOKEN_LEN) == -1 ||
	    words_keep(rq, m->words) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else
		locks_first(rq);
	return (0);
}

static int
ask_factor(struct peer *pe, uint32_t id, const struct m_factor *m)
{
	struct request	*rq;

	rq = request_open(pe, id, IMSG_FACTOR, m->tenant, m->addr);
	if (rq == NULL)
		return (0);
	rq->rq_act = (enum factor_act)m->act;
	if (rq->rq_act != FACTOR_CONFIRM)
		(void)strlcpy(rq->rq_password, m->secret,
		    sizeof(rq->rq_password));
	else if (strlcpy(rq->rq_otp, m->secret, sizeof(rq->rq_otp)) >=
	    sizeof(rq->rq_otp)) {
		request_end(rq, R_INVALID, 0, "code");
		return (0);
	}
	if (!tenant_active(m->tenant))
		tenant_refuse(rq);
	else if (sha256(rq->rq_sha, m->token, TOKEN_LEN) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else
		locks_first(rq);
	return (0);
}

/* Nobody's password yet: what the rules say of it. */
static int
ask_score(struct peer *pe, uint32_t id, const struct m_password_check *m)
{
	const struct tenant	*tn = tenant_find(m->tenant);
	struct request		*rq;

	rq = request_open(pe, id, IMSG_PASSWORD_CHECK, m->tenant, m->addr);
	if (rq == NULL)
		return (0);
	(void)strlcpy(rq->rq_password, m->password, sizeof(rq->rq_password));
	if (!tenant_active(m->tenant))
		tenant_refuse(rq);
	else if (words_keep(rq, m->words) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else if (throttle_score(rq) == 0) {
		rq->rq_faults = auth_policy_check(&tn->tn_policy,
		    m->role, m->password);
		rq->rq_strength =
		    (uint8_t)tn->tn_policy.po_value[POLICY_STRENGTH];
		job_put(rq, W_SCORE);
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

	switch (type) {
	case IMSG_TENANT:
		tenant_set(m);
		return (0);
	case IMSG_OPERATOR:
		if (ledger_set(m) == -1)
			log_warnx("no room in the ledger of operators");
		return (0);
	case IMSG_OPERATORS:
		ledger_told();
		return (0);
	case IMSG_TALK_MAKE:
		talk_make(m);
		return (0);
	}
	if (type == IMSG_LOCK_ROW) {
		throttle_lock(m);
		return (0);
	}
	if (type == IMSG_UNLOCK) {
		throttle_unlock(m);
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
	else if (type == IMSG_GUEST_NEED && rq->rq_wait == W_GUEST)
		guest_need(rq, m);
	else if (type == IMSG_LINK_DONE && rq->rq_wait == W_LINK_SET) {
		auth_counts.ac_links++;
		rq->rq_user = ((const struct m_link_done *)m)->user;
		throttle_back(rq);
		rq->rq_methods = ((const struct m_link_done *)m)->methods;
		/* A link is in place of the password, and of nothing else. */
		if (rq->rq_methods != 0)
			factor_refuse(rq, 0);
		else
			token_new(rq);
	} else
		return (passkey_storage(rq, type, m));
	return (0);
}

/* Storage's yes where a yes is the answer, or its no to whatever it was. */
static int
storage_result(struct request *rq, const struct m_result *m)
{
	struct tenant	*tn;

	if (request_at_hash(rq))
		return (-1);		/* nobody has asked storage */
	if (rq->rq_wait == W_LOCK) {
		if (m->code == R_OK)
			rq->rq_wait = W_NOTHING;
		request_end(rq, rq->rq_end, rq->rq_endarg, rq->rq_endfield);
		return (0);
	}
	if (passkey_result(rq, m))
		return (0);
	if (m->code != R_OK) {
		if (m->code == R_UNAVAILABLE || m->code == R_BUSY ||
		    m->code == R_ADDRESS)
			request_end(rq, m->code, m->arg, NULL);
		else if (m->code == R_FACTOR && rq->rq_wait == W_TOKEN_NEW) {
			rq->rq_methods = m->arg & FACTOR_ALL;
			factor_refuse(rq, rq->rq_method != 0);
		} else if (m->code == R_CONFLICT &&
		    rq->rq_wait == W_FACTOR_PUT)
			request_end(rq, R_CONFLICT, 0, m->field);
		else if (is_login(rq) && rq->rq_wait == W_CRED)
			got_cred(rq, NULL);
		else if (m->code == R_SIGNIN && rq->rq_wait == W_TOKEN_NEW &&
		    rq->rq_methods == 0 && rq->rq_anewlen != 0)
			cred_again(rq);
		else if (rq->rq_type == IMSG_GUEST_SECRET)
			request_end(rq, m->code, 0, m->field);
		else if (m->code == R_SIGNIN && rq->rq_wait == W_CRED_SET)
			request_end(rq, R_SIGNIN, 0, NULL);
		else {
			if (rq->rq_type == IMSG_LINK_GET ||
			    rq->rq_type == IMSG_LINK_USE)
				throttle_none(rq);
			request_refuse(rq);
		}
		return (0);
	}
	switch (rq->rq_wait) {
	case W_LOCKS:
		if ((tn = tenant_find(rq->rq_tenant)) != NULL)
			tn->tn_locks = 1;
		locks_told(rq);
		return (0);
	case W_TOKEN_NEW:
		signed_in(rq, m->arg);
		return (0);
	case W_CRED_SET:
		auth_counts.ac_passwords++;
		throttle_back(rq);
		request_end(rq, R_OK, 0, NULL);
		return (0);
	case W_FACTOR_PUT:
		factor_kept(rq);
		return (0);
	case W_GUEST_SEAL:
		request_end(rq, R_OK, m->arg, NULL);
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
	if (m != NULL)
		factor_cred(rq, m);
	if (m != NULL && old_keep(rq, &m->old) == -1) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return;
	}
	if (rq->rq_type == IMSG_LINK_USE) {
		rq->rq_user = m->user;
		password_make(rq, rq->rq_password, "password");
		return;
	}
	if (!is_login(rq) && got_owner(rq, m) == -1)
		return;
	if (is_login(rq) && got_login(rq, m) == -1)
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
	if (rq->rq_type == IMSG_FACTOR && rq->rq_act == FACTOR_CONFIRM)
		factor_code(rq);
	else
		job_put(rq, W_CHECK);
}

/*
 * Its record had to be made anew, and isn't the account's any more: a sign-in
 * beside it may have been first with that.
 */
static void
cred_again(struct request *rq)
{
	struct m_cred_find	 find = { rq->rq_tenant, rq->rq_mail };

	rq->rq_anewlen = 0;
	rq->rq_proved = 0;
	request_ask(rq, W_CRED, IMSG_CRED_FIND, &find);
}

/* With a device of the account's own it is no stranger who tries. */
static int
got_login(struct request *rq, const struct m_cred *m)
{
	const struct device	*de = &rq->rq_device;

	if (!rq->rq_has_device)
		return (0);		/* was asked before */
	if (m != NULL && m->user != 0 && m->user == de->de_user &&
	    throttle_known(rq, "device", de->de_id, DEVICE_ID) == -1) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return (-1);
	}
	return (throttle(rq));
}

/* Somebody who is signed in: he may try the old password ten times, too. */
static int
got_owner(struct request *rq, const struct m_cred *m)
{
	if (m->state != USER_ACTIVE || m->sealed.mb_len == 0) {
		request_refuse(rq);
		return (-1);
	}
	if (throttle_known(rq, "user", &m->user, sizeof(m->user)) == -1) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return (-1);
	}
	return (throttle(rq));
}

void
auth_checked(struct request *rq, const struct m_hash_checked *m)
{
	rq->rq_hashed = 0;
	if (m->answer == HASH_FAILED) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return;
	}
	if (m->answer != HASH_RIGHT || rq->rq_deny) {
		auth_wrong(rq, R_SIGNIN, 0, NULL);
		return;
	}
	if (is_login(rq)) {
		rq->rq_proved = 1;
		if (m->sealed.mb_len != 0)
			memcpy(rq->rq_anew, m->sealed.mb_data,
			    m->sealed.mb_len);
		rq->rq_anewlen = m->sealed.mb_len;
		factor_login(rq);
		return;
	}
	throttle_back(rq);
	if (rq->rq_type == IMSG_FACTOR)
		factor_owner(rq);
	else if (rq->rq_passkey != NULL)
		passkey_proved(rq);
	else if (rq->rq_type == IMSG_GUEST_USE)
		guest_new(rq);
	else
		password_new(rq);
}

/* A lock is on the disk before it is felt: no restart frees the account. */
void
auth_wrong(struct request *rq, enum result code, uint64_t arg,
    const char *field)
{
	if (is_login(rq))
		log_debug("sign-in refused: tenant %u from %s", rq->rq_tenant,
		    log_safe(rq->rq_addr));
	if (!throttle_wrong(rq) || throttle_keep(rq) == -1) {
		request_end(rq, code, arg, field);
		return;
	}
	rq->rq_end = code;
	rq->rq_endarg = arg;
	rq->rq_endfield = field;
	rq->rq_wait = W_LOCK;
}

void
auth_scored(struct request *rq, uint8_t score)
{
	struct m_password_checked	 m = { rq->rq_faults, score };

	if (score < rq->rq_strength)
		m.faults |= FAULT_WEAK;
	(void)proc_send(proc_peer(PROC_SESSION, rq->rq_inst),
	    IMSG_PASSWORD_CHECKED, rq->rq_req, -1, &m);
	request_free(rq);
}

void
auth_made(struct request *rq, enum make_answer answer,
    const struct m_blob *sealed)
{
	const char		*field = rq->rq_type == IMSG_LINK_USE ?
				    "password" : "new";
	struct m_link_set	 link = { .tenant = rq->rq_tenant };
	struct m_cred_set	 cred = { .tenant = rq->rq_tenant };

	/* That it was in use before is something to guess, too. */
	if (answer == MAKE_USED)
		auth_wrong(rq, R_USED, 0, field);
	else if (answer == MAKE_WEAK)
		request_end(rq, R_WEAK, 0, field);
	else if (answer != MAKE_OK || sealed->mb_len == 0)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else if (rq->rq_type == IMSG_GUEST_SECRET)
		guest_made(rq, sealed);
	else if (rq->rq_type == IMSG_LINK_USE) {
		memcpy(link.sha, rq->rq_sha, sizeof(link.sha));
		link.sealed = *sealed;
		link.name = rq->rq_name;
		request_ask(rq, W_LINK_SET, IMSG_LINK_SET, &link);
	} else {
		memcpy(cred.sha, rq->rq_sha, sizeof(cred.sha));
		cred.password = (struct m_blob){ rq->rq_sealed,
		    rq->rq_sealedlen };
		cred.sealed = *sealed;
		request_ask(rq, W_CRED_SET, IMSG_CRED_SET, &cred);
	}
}

/* The browser gets the token only when storage has its hash, and a record. */
void
token_new(struct request *rq)
{
	struct m_token_new	 m = { .tenant = rq->rq_tenant };

	if (RAND_bytes(rq->rq_token, TOKEN_LEN) != 1 ||
	    sha256(m.sha, rq->rq_token, TOKEN_LEN) == -1) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return;
	}
	m.user = rq->rq_user;
	m.expires = now_ms() + 1000 * (uint64_t)auth_absolute(rq);
	m.fresh = rq->rq_type == IMSG_LINK_USE;
	m.addr = rq->rq_addr;
	m.agent = rq->rq_agent;
	if (rq->rq_proved) {
		m.password = (struct m_blob){ rq->rq_sealed,
		    rq->rq_sealedlen };
		m.anew = (struct m_blob){ rq->rq_anew, rq->rq_anewlen };
	}
	m.method = rq->rq_method;
	m.totp = (struct m_blob){ rq->rq_totp, rq->rq_totplen };
	m.step = rq->rq_step;
	memcpy(m.code, rq->rq_code, sizeof(m.code));
	if (rq->rq_passkey != NULL) {
		m.passkey = rq->rq_passkey->pk_id;
		m.count = rq->rq_passkey->pk_count;
	}
	request_ask(rq, W_TOKEN_NEW, IMSG_TOKEN_NEW, &m);
}

/* left: recovery codes, if the sign-in took one. */
static void
signed_in(struct request *rq, uint64_t left)
{
	struct m_login_ok	 ok = { .method = rq->rq_method };
	char			 device[MAX_DEVICE + 1];

	if (rq->rq_passkey != NULL && rq->rq_passkey->pk_alone)
		throttle_came(rq);
	else
		throttle_back(rq);
	memcpy(ok.token, rq->rq_token, sizeof(ok.token));
	ok.left = left < RECOVERY_CODES ? (uint8_t)left : RECOVERY_CODES;
	/* A guest is nobody whose failures or devices could be known. */
	if (rq->rq_type != IMSG_GUEST_USE) {
		ok.failures = rq->rq_failures;
		if (device_new(rq, device) == 0)
			ok.device = device;
	}
	auth_counts.ac_signins++;
	(void)proc_send(proc_peer(PROC_SESSION, rq->rq_inst), IMSG_LOGIN_OK,
	    rq->rq_req, -1, &ok);
	explicit_bzero(&ok, sizeof(ok));
	request_free(rq);
}

/* The next time this browser is known; it stays the same device. */
static int
device_new(struct request *rq, char *dst)
{
	struct device	*de = &rq->rq_device;

	if (!device_ready)
		return (-1);
	if (!rq->rq_has_device || de->de_user != rq->rq_user) {
		if (RAND_bytes(de->de_id, sizeof(de->de_id)) != 1)
			return (-1);
		de->de_user = rq->rq_user;
	}
	de->de_issued = now_ms() / 1000;
	return (device_write(dst, device_key, rq->rq_tenant, de));
}

static void
got_token_row(struct request *rq, const struct m_token_row *m)
{
	struct m_grant_new	 grant = { .tenant = rq->rq_tenant };
	uint64_t		 now = now_ms(), idle;

	idle = 1000 * (uint64_t)tenant_seconds(rq, POLICY_IDLE,
	    auth_now.ac_idle);
	/* A clock that was set back makes nobody idle. */
	if (m->state != USER_ACTIVE || now >= m->expires || (m->live == 0 &&
	    now > m->seen && now - m->seen > idle)) {
		request_refuse(rq);
		return;
	}
	memcpy(grant.sha, rq->rq_sha, sizeof(grant.sha));
	grant.inst = (uint16_t)rq->rq_inst;
	grant.req = rq->rq_req;
	grant.addr = rq->rq_addr;
	auth_counts.ac_grants++;
	request_ask(rq, W_GRANT, IMSG_GRANT_NEW, &grant);
}

/*
 * Storage has looked who asks and where he may be; the session gets from us
 * what the relay lets him in by.  It is nobody's name, and good for an hour.
 */
static void
talk_make(const struct m_talk_make *m)
{
	struct m_talk	 talk = { .floor = m->floor, .can = m->can,
			    .way = m->way };
	struct peer	*pe = proc_peer(PROC_SESSION, m->inst);
	char		 user[TURN_USER], cred[TURN_CRED];
	uint8_t		 salt[TURN_RANDOM];
	uint64_t	 until = now_ms() / 1000 + TURN_SECONDS;

	if (pe == NULL)
		return;
	/* Started again, we do not know yet whether there is a relay. */
	if (auth_now.ac_generation == 0 ||
	    RAND_bytes(salt, sizeof(salt)) != 1 ||
	    turn_make(auth_now.ac_turn, until, salt, user, cred) == -1) {
		(void)proc_result(pe, m->req, R_UNAVAILABLE, 0, NULL);
		return;
	}
	if (auth_now.ac_turn[0] != '\0') {
		auth_counts.ac_turns++;
		talk.until = until * 1000;
		talk.user = user;
		talk.cred = cred;
	}
	(void)proc_send(pe, IMSG_TALK, m->req, -1, &talk);
	explicit_bzero(cred, sizeof(cred));
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
	throttle_init();
	passkey_init();
}

static void
auth_start(void)
{
	request_start();
	throttle_start();
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
		if (type == IMSG_DEVICE_KEY) {
			memcpy(device_key, ((const struct m_device_key *)
			    m)->key, sizeof(device_key));
			device_ready = 1;
			job_up();	/* now it has its pepper */
			return (0);
		}
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
		auth_file(m, imsg);
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

/* One line of text: an editor's newline is no part of the secret. */
static void
auth_turn_secret(int fd)
{
	char	*text = NULL;
	ssize_t	 len;

	len = read_all(fd, MAX_TURN_SECRET + 1, (void **)&text);
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len > 0 && turn_secret_valid(text, (size_t)len))
		memcpy(auth_next.ac_turn, text, (size_t)len);
	else
		auth_next.ac_why = "turn secret: a line of 16 to 255 letters, "
		    "digits and signs is needed";
	if (text != NULL)
		freezero(text, len > 0 ? (size_t)len : 0);
}

static void
auth_file(const struct m_conf_file *m, struct imsg *imsg)
{
	int	 fd;

	if (m->kind == FILE_CONTROL && auth_next.ac_control == -1)
		auth_next.ac_control = imsg_get_fd(imsg);
	else if (m->kind == FILE_TURN) {
		if ((fd = imsg_get_fd(imsg)) == -1) {
			auth_next.ac_why = "a descriptor was lost";
			return;
		}
		auth_turn_secret(fd);
		close(fd);
	}
}

static void
auth_site(const struct m_site *m)
{
	if (auth_next.ac_control != -1)
		close(auth_next.ac_control);
	explicit_bzero(&auth_next, sizeof(auth_next));
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
	else if (auth_next.ac_why != NULL)
		ack.why = auth_next.ac_why;
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
	explicit_bzero(&auth_next, sizeof(auth_next));
	auth_next.ac_control = -1;
	control_site(auth_now.ac_domain, auth_now.ac_port);
	control_listen(auth_now.ac_control);
	/* Its cost may be another one now. */
	dummy_start();
}

static void
auth_up(struct peer *pe)
{
	if (pe->pe_proc == PROC_STORAGE) {
		tenants_clear();	/* it will tell them all */
		ledger_clear();
	} else if (pe->pe_proc == PROC_HASH)
		job_up();
}

static void
auth_down(struct peer *pe)
{
	if (pe->pe_proc == PROC_STORAGE)
		ledger_clear();
	control_down(pe);
	if (pe->pe_proc == PROC_HASH)
		job_down(pe);
	request_down(pe);
}

void
auth_stats(void (*fn)(const char *, uint64_t, void *), void *arg)
{
	uint64_t	 waiting, ms;

	job_counts(&waiting, &ms);
	fn("auth.requests", auth_counts.ac_requests, arg);
	fn("auth.signins", auth_counts.ac_signins, arg);
	fn("auth.grants", auth_counts.ac_grants, arg);
	fn("auth.links", auth_counts.ac_links, arg);
	fn("auth.passwords", auth_counts.ac_passwords, arg);
	fn("auth.turns", auth_counts.ac_turns, arg);
	fn("auth.refused", auth_counts.ac_refused, arg);
	fn("auth.throttled", auth_counts.ac_throttled, arg);
	fn("auth.busy", auth_counts.ac_busy, arg);
	fn("auth.unavailable", auth_counts.ac_unavailable, arg);
	fn("auth.pending", auth_counts.ac_pending, arg);
	fn("auth.tenants", ntenants, arg);
	throttle_stats(fn, arg);
	fn("auth.challenges", passkey_challenges(), arg);
	fn("auth.hash.checks", auth_counts.ac_checks, arg);
	fn("auth.hash.waiting", waiting, arg);
	fn("auth.hash.ms", ms, arg);
}
