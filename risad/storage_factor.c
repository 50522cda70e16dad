/*
 * Second factors: what somebody has, what a sign-in uses up of it, and who has
 * to set one up before anything else.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "imsg.h"
#include "storage.h"
#include "util.h"

#define BEGUN_MS	(15 * 60 * SECOND)	/* for reading the QR code */

/*
 * Rows.
 */

static int
get_record(struct ibuf *buf, uint8_t rec[MAX_SEALED], size_t *reclen)
{
	uint16_t	 len;

	if (ibuf_get_n16(buf, &len) == -1 || len > MAX_SEALED)
		return (-1);
	*reclen = len;
	return (len == 0 ? 0 : ibuf_get(buf, rec, len));
}

static int
put_record(struct ibuf *buf, const uint8_t *rec, size_t len)
{
	if (ibuf_add_n16(buf, len) == -1)
		return (-1);
	return (len == 0 ? 0 : ibuf_add(buf, rec, len));
}

static int
factors_read(struct ibuf *buf, struct factors *fa)
{
	uint8_t	 n;

	if (ibuf_get_n64(buf, &fa->fa_since) == -1 ||
	    ibuf_get_n64(buf, &fa->fa_used) == -1 ||
	    ibuf_get_n64(buf, &fa->fa_begun) == -1 ||
	    ibuf_get_n64(buf, &fa->fa_step) == -1 ||
	    get_record(buf, fa->fa_totp, &fa->fa_totplen) == -1 ||
	    get_record(buf, fa->fa_pending, &fa->fa_pendinglen) == -1 ||
	    ibuf_get_n8(buf, &n) == -1 || n > RECOVERY_CODES)
		return (-1);
	fa->fa_ncodes = n;
	if (n != 0 && ibuf_get(buf, fa->fa_codes, n * TOKEN_LEN) == -1)
		return (-1);
	return (ibuf_size(buf) == 0 ? 0 : -1);
}

static int
factors_write(struct ibuf *buf, const struct factors *fa)
{
	if (ibuf_add_n64(buf, fa->fa_since) == -1 ||
	    ibuf_add_n64(buf, fa->fa_used) == -1 ||
	    ibuf_add_n64(buf, fa->fa_begun) == -1 ||
	    ibuf_add_n64(buf, fa->fa_step) == -1 ||
	    put_record(buf, fa->fa_totp, fa->fa_totplen) == -1 ||
	    put_record(buf, fa->fa_pending, fa->fa_pendinglen) == -1 ||
	    ibuf_add_n8(buf, fa->fa_ncodes) == -1)
		return (-1);
	return (ibuf_add(buf, fa->fa_codes, fa->fa_ncodes * TOKEN_LEN));
}

int
factors_get(struct db *db, uint32_t user, struct factors *fa)
{
	struct seal_at	 at = { "factors", "data", user, 0, NULL, 0 };
	struct ibuf	 buf;
	sqlite3_stmt	*st;
	void		*text = NULL;
	size_t		 len;
	int		 n;

	memset(fa, 0, sizeof(*fa));
	fa->fa_user = user;
	st = db_query(db, S_FACTOR_GET, ARGS(NUM(user)));
	if ((n = db_step(db, st)) == 1) {
		fa->fa_version = at.sa_version = db_col_num(st, 0);
		text = db_open(db, &at, st, 1, &len);
	}
	db_done(st);
	if (n != 1)
		return (n);
	if (text == NULL)
		return (-1);
	ibuf_from_buffer(&buf, text, len);
	n = factors_read(&buf, fa) == 0 ? 1 : -1;
	freezero(text, len + 1);
	return (n);
}

static int
factors_put(struct db *db, struct factors *fa)
{
	struct seal_at	 at = { "factors", "data", fa->fa_user,
			    ++fa->fa_version, NULL, 0 };
	struct ibuf	*buf;
	void		*rec = NULL;
	size_t		 len;
	int		 n = -1;

	if ((buf = ibuf_dynamic(256, SEAL_MAX)) == NULL)
		return (-1);
	if (factors_write(buf, fa) == 0 && (rec = db_seal(db, &at,
	    ibuf_data(buf), ibuf_size(buf), &len)) != NULL)
		n = db_exec(db, S_FACTOR_PUT, ARGS(NUM(fa->fa_user),
		    NUM(fa->fa_version), BIN(rec, len)));
	ibuf_free(buf);
	free(rec);
	return (n == 1 ? 0 : -1);
}

static int
same_record(const struct m_blob *mb, const uint8_t *rec, size_t len)
{
	return (len != 0 && mb->mb_len == len &&
	    CRYPTO_memcmp(mb->mb_data, rec, len) == 0);
}

/*
 * Who has to have one.
 */

uint8_t
must_of(struct request *rq, const struct person *p)
{
	uint8_t	 must = 0;

	/* Guests have no account, nor anything to guard it with. */
	if (p->p_role == ROLE_GUEST)
		return (0);
	if (p->p_factors == 0 && policy_factor(&rq->rq_tn->tn_policy,
	    p->p_role))
		must |= MUST_FACTOR;
	if (password_due(rq, p->p_id))
		must |= MUST_PASSWORD;
	return (must);
}

static void
must_one(struct grant *gr, void *arg)
{
	struct request		*rq = arg;
	struct m_grant_must	 m = { gr->gr_id, 0 };
	struct person		 p;

	/* Who can not be looked up keeps what he had. */
	if (person_get(rq->rq_db, gr->gr_user, &p) != 1)
		return;
	m.must = must_of(rq, &p);
	explicit_bzero(&p, sizeof(p));
	if (m.must == gr->gr_must)
		return;
	if (gr->gr_must != 0) {
		rq_tell(rq, PROC_SESSION, gr->gr_inst, 0, IMSG_GRANT_MUST,
		    &m);
		return;
	}
	grant_end(gr, END_MUST);
}

void
must_again(struct request *rq, uint32_t user)
{
	grant_each(rq->rq_tn->tn_id, user, 0, must_one, rq);
}

/*
 * What somebody has.
 */

int
factor_methods(struct db *db, const struct person *p)
{
	struct factors	 fa;
	uint64_t	 passkeys;
	int		 methods = p->p_factors;

	if (methods == 0)
		return (0);
	if (factors_get(db, p->p_id, &fa) == -1 ||
	    passkeys_count(db, p->p_id, &passkeys) == -1)
		return (-1);
	if (((p->p_factors & FACTOR_TOTP) != 0 && fa.fa_totplen == 0) ||
	    ((p->p_factors & FACTOR_PASSKEY) != 0 && passkeys == 0))
		methods = -1;		/* the row was taken from outside */
	else if (fa.fa_ncodes > 0)
		methods |= FACTOR_RECOVERY;
	explicit_bzero(&fa, sizeof(fa));
	return (methods);
}

enum result
factor_set(struct request *rq, struct person *p, uint8_t factors)
{
	if (factors == 0 && policy_factor(&rq->rq_tn->tn_policy,
	    p->p_role)) {
		rq->rq_field = "second-factor";
		return (R_CONFLICT);
	}
	p->p_factors = factors;
	if (person_set_rights(rq->rq_db, p) == -1 || (factors == 0 &&
	    db_exec(rq->rq_db, S_FACTOR_DEL, ARGS(NUM(p->p_id))) == -1))
		return (R_UNAVAILABLE);
	must_again(rq, p->p_id);
	return (R_OK);
}

enum result
factor_clear(struct request *rq, struct person *p)
{
	if (p->p_factors == 0) {
		rq->rq_field = "factor";
		return (R_CONFLICT);
	}
	p->p_factors = 0;
	if (person_set_rights(rq->rq_db, p) == -1 ||
	    db_exec(rq->rq_db, S_FACTOR_DEL, ARGS(NUM(p->p_id))) == -1 ||
	    db_exec(rq->rq_db, S_PASSKEYS_DEL, ARGS(NUM(p->p_id))) == -1 ||
	    audit_act(rq, "take second factor of user", p->p_id) == -1)
		return (R_UNAVAILABLE);
	return (signins_end(rq, p->p_id));
}

/*
 * What a sign-in uses up.
 */

/* No step is accepted twice, nor one before it. */
static int
spend_totp(struct factors *fa, const struct m_token_new *m)
{
	if (!same_record(&m->totp, fa->fa_totp, fa->fa_totplen) ||
	    m->step <= fa->fa_step)
		return (-1);
	fa->fa_step = m->step;
	return (0);
}

/* All are compared, so that the time says nothing. */
static int
spend_code(struct factors *fa, const struct m_token_new *m)
{
	size_t	 i, at = fa->fa_ncodes;

	for (i = 0; i < fa->fa_ncodes; i++)
		if (CRYPTO_memcmp(fa->fa_codes[i], m->code, TOKEN_LEN) == 0)
			at = i;
	if (at == fa->fa_ncodes)
		return (-1);
	fa->fa_ncodes--;
	memmove(fa->fa_codes[at], fa->fa_codes[fa->fa_ncodes], TOKEN_LEN);
	fa->fa_used = now_ms();
	return (0);
}

enum result
factor_spend(struct request *rq, const struct person *p,
    const struct m_token_new *m, uint8_t *left)
{
	struct factors	 fa;
	enum result	 r = R_FACTOR;
	int		 methods, n = -1;

	if ((methods = factor_methods(rq->rq_db, p)) == -1 ||
	    factors_get(rq->rq_db, p->p_id, &fa) == -1)
		return (R_UNAVAILABLE);
	rq->rq_arg = (uint64_t)methods;
	if (methods == 0 && m->method == 0)
		return (R_OK);
	if ((methods & m->method) == 0)
		n = -1;
	else if (m->method == FACTOR_PASSKEY)
		return (passkey_spend(rq, p, m->passkey, m->count));
	else if (m->method == FACTOR_TOTP)
		n = spend_totp(&fa, m);
	else if (m->method == FACTOR_RECOVERY && (n = spend_code(&fa,
	    m)) == 0 && audit_add(rq->rq_db, "user %u: recovery code used, "
	    "%zu left", p->p_id, fa.fa_ncodes) == -1)
		return (R_UNAVAILABLE);
	if (n == 0) {
		*left = (uint8_t)fa.fa_ncodes;
		r = factors_put(rq->rq_db, &fa) == 0 ? R_OK : R_UNAVAILABLE;
	}
	explicit_bzero(&fa, sizeof(fa));
	return (r);
}

/*
 * What its owner does with it.
 */

static int
codes_read(struct factors *fa, const struct m_blob *mb)
{
	if (mb->mb_len != sizeof(fa->fa_codes))
		return (-1);
	memcpy(fa->fa_codes, mb->mb_data, mb->mb_len);
	fa->fa_ncodes = RECOVERY_CODES;
	return (0);
}

static enum result
totp_begin(struct request *rq, struct factors *fa,
    const struct m_factor_put *m)
{
	if (m->sealed.mb_len == 0 || m->sealed.mb_len > MAX_SEALED)
		return (R_INVALID);
	memcpy(fa->fa_pending, m->sealed.mb_data, m->sealed.mb_len);
	fa->fa_pendinglen = m->sealed.mb_len;
	fa->fa_begun = now_ms();
	return (factors_put(rq->rq_db, fa) == 0 ? R_OK : R_UNAVAILABLE);
}

/* The step of the code that proves it is used up by that. */
static enum result
totp_confirm(struct request *rq, struct person *p, struct factors *fa,
    const struct m_factor_put *m)
{
	uint64_t	 now = now_ms();

	if (!same_record(&m->sealed, fa->fa_pending, fa->fa_pendinglen) ||
	    (now > fa->fa_begun && now - fa->fa_begun > BEGUN_MS)) {
		rq->rq_field = "totp";
		return (R_CONFLICT);
	}
	if (codes_read(fa, &m->codes) == -1)
		return (R_INVALID);
	memcpy(fa->fa_totp, fa->fa_pending, fa->fa_pendinglen);
	fa->fa_totplen = fa->fa_pendinglen;
	fa->fa_pendinglen = 0;
	fa->fa_step = m->step;
	fa->fa_since = now;
	if (factors_put(rq->rq_db, fa) == -1 ||
	    audit_add(rq->rq_db, "user %u: TOTP set up", p->p_id) == -1)
		return (R_UNAVAILABLE);
	return (factor_set(rq, p, p->p_factors | FACTOR_TOTP));
}

static enum result
codes_renew(struct request *rq, const struct person *p, struct factors *fa,
    const struct m_factor_put *m)
{
	if (p->p_factors == 0) {
		rq->rq_field = "factor";
		return (R_CONFLICT);
	}
	if (codes_read(fa, &m->codes) == -1)
		return (R_INVALID);
	if (factors_put(rq->rq_db, fa) == -1 || audit_add(rq->rq_db,
	    "user %u: new recovery codes", p->p_id) == -1)
		return (R_UNAVAILABLE);
	return (R_OK);
}

static enum result
totp_drop(struct request *rq, struct person *p, struct factors *fa)
{
	if ((p->p_factors & FACTOR_TOTP) == 0) {
		rq->rq_field = "factor";
		return (R_CONFLICT);
	}
	fa->fa_totplen = 0;
	if (factors_put(rq->rq_db, fa) == -1 ||
	    audit_add(rq->rq_db, "user %u: TOTP removed", p->p_id) == -1)
		return (R_UNAVAILABLE);
	return (factor_set(rq, p, p->p_factors & ~FACTOR_TOTP));
}

enum result
data_factor_put(struct request *rq, const void *arg)
{
	const struct m_factor_put	*m = arg;
	struct token			 tk;
	struct person			 p;
	struct factors			 fa;
	enum result			 r;

	if ((r = token_user(rq, m->sha, &tk, &p)) != R_OK)
		return (r);
	if (p.p_state != USER_ACTIVE)
		return (R_SESSION);
	if (factors_get(rq->rq_db, p.p_id, &fa) == -1)
		return (R_UNAVAILABLE);
	if (m->act == FACTOR_BEGIN)
		r = totp_begin(rq, &fa, m);
	else if (m->act == FACTOR_CONFIRM)
		r = totp_confirm(rq, &p, &fa, m);
	else if (m->act == FACTOR_CODES)
		r = codes_renew(rq, &p, &fa, m);
	else
		r = totp_drop(rq, &p, &fa);
	if (r == R_OK)
		rq_result(rq, R_OK, 0, NULL);
	explicit_bzero(&p, sizeof(p));
	explicit_bzero(&fa, sizeof(fa));
	return (r);
}

enum result
me_factor(struct request *rq, const void *arg)
{
	struct person		 p;
	struct factors		 fa;
	struct m_factor_row	 m = { 0 };
	int			 n, methods;

	(void)arg;
	if ((n = person_get(rq->rq_db, rq->rq_gr->gr_user, &p)) == 0)
		return (R_SESSION);
	if (n == -1 || (methods = factor_methods(rq->rq_db, &p)) == -1 ||
	    factors_get(rq->rq_db, p.p_id, &fa) == -1)
		return (R_UNAVAILABLE);
	m.methods = (uint8_t)methods;
	m.required = policy_factor(&rq->rq_tn->tn_policy, p.p_role) != 0;
	m.left = (uint8_t)fa.fa_ncodes;
	m.since = fa.fa_since;
	m.used = fa.fa_used;
	explicit_bzero(&p, sizeof(p));
	explicit_bzero(&fa, sizeof(fa));
	rq_answer(rq, IMSG_FACTOR_ROW, &m);
	return (R_OK);
}

/* One's own is removed with the password, not by this. */
enum result
adm_factor_del(struct request *rq, const void *arg)
{
	const struct m_grant_id	*m = arg;
	struct person		 p;
	enum result		 r;
	int			 n;

	if (m->id == rq->rq_gr->gr_user)
		return (R_FORBIDDEN);
	if ((n = person_get(rq->rq_db, m->id, &p)) == -1)
		return (R_UNAVAILABLE);
	if (n == 0)
		return (R_NOTFOUND);
	if ((r = factor_clear(rq, &p)) == R_OK)
		rq_result(rq, R_OK, 0, NULL);
	explicit_bzero(&p, sizeof(p));
	return (r);
}
