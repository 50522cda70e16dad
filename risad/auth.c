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
static int	 words_keep(struct request *, const char *);
static void	 tenant_set(const struct m_tenant *);
static void	 tenants_clear(void);

static int	 session_imsg(struct peer *, uint32_t, uint32_t, const void *);
static int	 ask_login(struct peer *, uint32_t, const struct m_login *);
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
static void	 talk_make(const struct m_talk_make *);

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

uint32_t
auth_idle(const struct request *rq)
{
	return (tenant_seconds(rq, POLICY_IDLE, auth_now.ac_idle));
}

const struct policy *
auth_policy(uint32_t id)
{
	const struct tenant	*tn = tenant_find(id);

	return (tn == NULL ? NULL : &tn->tn_policy);
}

/* What the session says of the person: hash guesses from it, auth does not. */
static int
words_keep(struct request *rq, const char *words)
{
	return ((rq->rq_words = strdup(words)) == NULL ? -1 : 0);
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

int
auth_device_new(struct request *rq, char *dst)
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

void
locks_told(struct request *rq)
{
	struct tenant	*tn = tenant_find(rq->rq_tenant);
	struct m_sha	 find = { .tenant = rq->rq_tenant };

	if (tn != NULL)
		tn->tn_locks = 1;
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
 * What storage says unasked, and its answers.
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
	return (auth_answer(rq, type, m));
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
