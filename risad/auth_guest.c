/* Guests: who comes by a URL, and the passwords that URLs have. */

#include <sys/types.h>

#include <openssl/rand.h>

#include <string.h>

#include "auth_request.h"
#include "control.h"
#include "utf8.h"
#include "util.h"

#define SECRET_MIN	8		/* characters of a URL's password */

static int	 ask_get(struct peer *, uint32_t, const struct m_token *);
static int	 ask_use(struct peer *, uint32_t, const struct m_link_use *);
static int	 ask_secret(struct peer *, uint32_t,
		    const struct m_guest_secret *);

int
guest_asked(struct peer *pe, uint32_t type, uint32_t id, const void *m)
{
	switch (type) {
	case IMSG_GUEST_GET:
		return (ask_get(pe, id, m));
	case IMSG_GUEST_USE:
		return (ask_use(pe, id, m));
	case IMSG_GUEST_SECRET:
		return (ask_secret(pe, id, m));
	default:
		return (-1);
	}
}

static int
ask_get(struct peer *pe, uint32_t id, const struct m_token *m)
{
	struct m_link_find	 find = { .tenant = m->tenant };
	struct request		*rq;

	rq = request_open(pe, id, IMSG_GUEST_GET, m->tenant, m->addr);
	if (rq == NULL || auth_tenant(rq) == -1)
		return (0);
	find.inst = (uint16_t)pe->pe_inst;
	find.req = id;
	if (sha256(find.sha, m->token, TOKEN_LEN) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else
		request_ask(rq, W_LINK, IMSG_GUEST_FIND, &find);
	return (0);
}

static int
ask_use(struct peer *pe, uint32_t id, const struct m_link_use *m)
{
	struct request	*rq;

	rq = request_open(pe, id, IMSG_GUEST_USE, m->tenant, m->addr);
	if (rq == NULL || auth_tenant(rq) == -1)
		return (0);
	(void)strlcpy(rq->rq_agent, m->agent, sizeof(rq->rq_agent));
	(void)strlcpy(rq->rq_password, m->password, sizeof(rq->rq_password));
	if (sha256(rq->rq_sha, m->token, TOKEN_LEN) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else
		locks_first(rq);
	return (0);
}

void
guest_go(struct request *rq)
{
	struct m_sha	 find = { .tenant = rq->rq_tenant };

	memcpy(find.sha, rq->rq_sha, sizeof(find.sha));
	request_ask(rq, W_GUEST, IMSG_GUEST_CRED, &find);
}

/* A URL without a password can't be guessed, there is nothing to slow down. */
void
guest_need(struct request *rq, const struct m_guest_need *m)
{
	if (m->sealed.mb_len == 0) {
		guest_new(rq);
		return;
	}
	memcpy(rq->rq_sealed, m->sealed.mb_data, m->sealed.mb_len);
	rq->rq_sealedlen = m->sealed.mb_len;
	if (throttle_name(rq, "guest", rq->rq_sha, TOKEN_LEN) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else if (throttle(rq) == 0)
		job_put(rq, W_CHECK);
}

void
guest_new(struct request *rq)
{
	struct m_guest_new	 m = { .tenant = rq->rq_tenant };

	if (RAND_bytes(rq->rq_token, TOKEN_LEN) != 1 ||
	    sha256(m.sha, rq->rq_token, TOKEN_LEN) == -1) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return;
	}
	memcpy(m.url, rq->rq_sha, sizeof(m.url));
	m.expires = now_ms() + 1000 * (uint64_t)auth_absolute(rq);
	m.addr = rq->rq_addr;
	m.agent = rq->rq_agent;
	request_ask(rq, W_TOKEN_NEW, IMSG_GUEST_NEW, &m);
}

int
guest_password(const char *password)
{
	ssize_t	 n = utf8_length(password, strlen(password));

	return (n >= SECRET_MIN && n <= MAX_PASSWORD_CHARS);
}

/* Storage will ask whose the grant is, we only spend time on it. */
static int
ask_secret(struct peer *pe, uint32_t id, const struct m_guest_secret *m)
{
	struct request	*rq;

	rq = request_open(pe, id, IMSG_GUEST_SECRET, m->tenant, m->addr);
	if (rq == NULL || auth_tenant(rq) == -1)
		return (0);
	(void)strlcpy(rq->rq_password, m->password, sizeof(rq->rq_password));
	rq->rq_grant = m->grant;
	if (!guest_password(m->password))
		request_end(rq, R_INVALID, 0, "password");
	else if (throttle_name(rq, "secret", &m->grant,
	    sizeof(m->grant)) == -1)
		request_end(rq, R_UNAVAILABLE, 0, NULL);
	else if (throttle(rq) == 0)
		job_put(rq, W_MAKE);
	return (0);
}

void
guest_made(struct request *rq, const struct m_blob *sealed)
{
	struct m_guest_seal	 m = { .tenant = rq->rq_tenant };

	if (rq->rq_client != 0) {
		control_sealed(rq->rq_client, sealed);
		request_free(rq);
		return;
	}
	throttle_back(rq);
	m.inst = (uint16_t)rq->rq_inst;
	m.grant = rq->rq_grant;
	m.sealed = *sealed;
	request_ask(rq, W_GUEST_SEAL, IMSG_GUEST_SEAL, &m);
}

int
guest_control(uint32_t client, const char *password)
{
	struct request	*rq;

	if ((rq = request_new(IMSG_GUEST_SECRET, 0)) == NULL)
		return (-1);
	rq->rq_client = client;
	(void)strlcpy(rq->rq_password, password, sizeof(rq->rq_password));
	job_put(rq, W_MAKE);
	return (0);
}
