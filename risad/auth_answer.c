/*
 * Requests of sessions, once storage or hash has answered: each goes on, or
 * ends.
 */

#include <sys/types.h>

#include <openssl/rand.h>

#include <stdlib.h>
#include <string.h>

#include "auth_policy.h"
#include "auth_request.h"
#include "log.h"
#include "util.h"

static void	 password_make(struct request *, const char *, const char *);
static void	 password_new(struct request *);
static int	 old_keep(struct request *, const struct m_blob *);
static int	 storage_result(struct request *, const struct m_result *);
static void	 got_cred(struct request *, const struct m_cred *);
static void	 cred_again(struct request *);
static int	 got_login(struct request *, const struct m_cred *);
static int	 got_owner(struct request *, const struct m_cred *);
static void	 got_token_row(struct request *, const struct m_token_row *);
static void	 signed_in(struct request *, uint64_t);

/* Have it hashed if the rules of the tenant, who may have gone, allow it. */
static void
password_make(struct request *rq, const char *password, const char *field)
{
	const struct policy	*po = auth_policy(rq->rq_tenant);

	if (po == NULL || auth_policy_check(po, rq->rq_role, password) != 0) {
		request_end(rq, R_INVALID, 0, field);
		return;
	}
	rq->rq_strength = (uint8_t)po->po_value[POLICY_STRENGTH];
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

int
auth_answer(struct request *rq, uint32_t type, const void *m)
{
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
		if (auth_device_new(rq, device) == 0)
			ok.device = device;
	}
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
	uint64_t		 now = now_ms(), idle;

	idle = 1000 * (uint64_t)auth_idle(rq);
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
