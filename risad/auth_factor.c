/*
 * Second factors: a code at the end of a sign-in, and what somebody does with
 * his own.  The contract with the sign-in stands in auth_request.h.
 */

#include <sys/types.h>

#include <string.h>

#include "auth_request.h"
#include "util.h"

static void	 factor_put(struct request *);

void
factor_cred(struct request *rq, const struct m_cred *m)
{
	const struct m_blob	*mb = &m->totp;

	if (rq->rq_type == IMSG_FACTOR && rq->rq_act == FACTOR_CONFIRM)
		mb = &m->pending;
	rq->rq_role = m->role;
	rq->rq_methods = m->methods;
	if (mb->mb_len != 0)
		memcpy(rq->rq_totp, mb->mb_data, mb->mb_len);
	rq->rq_totplen = mb->mb_len;
}

void
factor_refuse(struct request *rq, int wrong)
{
	const char	*field = rq->rq_passkey == NULL ? "otp" : "passkey";
	uint64_t	 arg = rq->rq_methods;

	if (wrong)
		auth_wrong(rq, R_FACTOR, arg | FACTOR_WRONG, field);
	else {
		throttle_open(rq);
		request_end(rq, R_FACTOR, arg, field);
	}
}

void
factor_login(struct request *rq)
{
	if (rq->rq_methods == 0) {
		throttle_back(rq);
		token_new(rq);
	} else if (rq->rq_passkey != NULL)
		passkey_proved(rq);
	else if (rq->rq_otp[0] == '\0')
		factor_refuse(rq, 0);
	else
		job_put(rq, W_OTP);
}

void
factor_code(struct request *rq)
{
	if (rq->rq_totplen == 0)
		request_end(rq, R_CONFLICT, 0, "totp");
	else
		job_put(rq, W_OTP);
}

void
factor_checked(struct request *rq, const struct m_hash_otp_checked *m)
{
	if (m->answer == HASH_FAILED) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return;
	}
	rq->rq_method = m->method;
	rq->rq_step = m->step;
	memcpy(rq->rq_code, m->sha, sizeof(rq->rq_code));
	if (rq->rq_type == IMSG_LOGIN) {
		if (m->answer == HASH_RIGHT)
			token_new(rq);
		else
			factor_refuse(rq, 1);
	} else if (m->answer == HASH_RIGHT && m->method == FACTOR_TOTP) {
		throttle_back(rq);
		job_put(rq, W_CODES);
	} else
		auth_wrong(rq, R_INVALID, 0, "code");
}

void
factor_owner(struct request *rq)
{
	if (rq->rq_act == FACTOR_BEGIN)
		job_put(rq, W_TOTP);
	else if (rq->rq_act == FACTOR_CODES)
		job_put(rq, W_CODES);
	else
		factor_put(rq);
}

void
factor_made(struct request *rq, const struct m_hash_totp_made *m)
{
	if (!m->ok || m->seed.mb_len != sizeof(rq->rq_seed)) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return;
	}
	memcpy(rq->rq_seed, m->seed.mb_data, sizeof(rq->rq_seed));
	memcpy(rq->rq_totp, m->sealed.mb_data, m->sealed.mb_len);
	rq->rq_totplen = m->sealed.mb_len;
	factor_put(rq);
}

void
factor_codes(struct request *rq, const struct m_hash_codes_made *m)
{
	if (!m->ok || m->shas.mb_len != sizeof(rq->rq_shas)) {
		request_end(rq, R_UNAVAILABLE, 0, NULL);
		return;
	}
	memcpy(rq->rq_shas, m->shas.mb_data, sizeof(rq->rq_shas));
	(void)strlcpy(rq->rq_show, m->text, sizeof(rq->rq_show));
	factor_put(rq);
}

static void
factor_put(struct request *rq)
{
	struct m_factor_put	 m = { .tenant = rq->rq_tenant };

	memcpy(m.sha, rq->rq_sha, sizeof(m.sha));
	m.act = (uint8_t)rq->rq_act;
	m.sealed = (struct m_blob){ rq->rq_totp, rq->rq_totplen };
	m.step = rq->rq_step;
	if (rq->rq_show[0] != '\0')
		m.codes = (struct m_blob){ rq->rq_shas, sizeof(rq->rq_shas) };
	request_ask(rq, W_FACTOR_PUT, IMSG_FACTOR_PUT, &m);
}

/* It holds: now its owner may see it, once. */
void
factor_kept(struct request *rq)
{
	struct m_factor_seed	 seed = { { rq->rq_seed, TOTP_SEED } };
	struct m_factor_show	 show = { rq->rq_show };
	struct peer		*pe = proc_peer(PROC_SESSION, rq->rq_inst);

	if (rq->rq_act == FACTOR_DROP) {
		request_end(rq, R_OK, 0, NULL);
		return;
	}
	if (rq->rq_act == FACTOR_BEGIN)
		(void)proc_send(pe, IMSG_FACTOR_SEED, rq->rq_req, -1, &seed);
	else
		(void)proc_send(pe, IMSG_FACTOR_SHOW, rq->rq_req, -1, &show);
	request_free(rq);
}
