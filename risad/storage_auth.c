/*
 * Requests of auth: credentials, sign-ins, grants and links of a tenant.
 */
#include <openssl/crypto.h>

#include <string.h>

#include "log.h"
#include "storage.h"
#include "util.h"

#define AHEAD		60000		/* ms that clocks may differ by */

static enum result
send_cred(struct request *rq, const struct person *p)
{
	uint8_t		 old[MAX_OLD];
	struct m_cred	 m = { .user = p->p_id, .state = p->p_state,
			    .role = p->p_role,
			    .sealed = { p->p_secret, p->p_secretlen } };
	struct factors	 fa;
	int		 methods;

	/* Rather nobody gets in than without the second factor. */
	if ((methods = factor_methods(rq->rq_db, p)) == -1 ||
	    factors_get(rq->rq_db, p->p_id, &fa) == -1)
		return (R_UNAVAILABLE);
	m.methods = (uint8_t)methods;
	m.totp = (struct m_blob){ fa.fa_totp, fa.fa_totplen };
	m.pending = (struct m_blob){ fa.fa_pending, fa.fa_pendinglen };
	m.old.mb_data = old;
	if (rq->rq_type != IMSG_CRED_FIND)
		m.old.mb_len = password_old(rq, p, old);
	rq_answer(rq, IMSG_CRED, &m);
	explicit_bzero(&fa, sizeof(fa));
	explicit_bzero(old, m.old.mb_len);
	return (R_OK);
}

enum result
data_cred_find(struct request *rq, const void *arg)
{
	const struct m_cred_find	*m = arg;
	struct person			 p;
	char				 mail[MAX_MAIL + 1];
	enum result			 r = R_NOTFOUND;
	int				 n;

	if (mail_normal(mail, sizeof(mail), m->email) == -1)
		return (R_NOTFOUND);
	if ((n = person_find(rq->rq_db, mail, &p)) == -1)
		return (R_UNAVAILABLE);
	if (n == 1)
		r = send_cred(rq, &p);
	explicit_bzero(&p, sizeof(p));
	return (r);
}

enum result
token_user(struct request *rq, const uint8_t sha[TOKEN_LEN],
    struct token *tk, struct person *p)
{
	int	 n;

	if ((n = token_row_find(rq->rq_db, sha, tk)) == 1)
		n = person_get(rq->rq_db, tk->tk_user, p);
	if (n == -1)
		return (R_UNAVAILABLE);
	return (n == 1 ? R_OK : R_SESSION);
}

enum result
data_cred_token(struct request *rq, const void *arg)
{
	const struct m_sha	*m = arg;
	struct token		 tk;
	struct person		 p;
	enum result		 r;

	if ((r = token_user(rq, m->sha, &tk, &p)) == R_OK)
		r = send_cred(rq, &p);
	explicit_bzero(&p, sizeof(p));
	return (r);
}

/* Whose password a link sets; its owner may have none, and be invited. */
enum result
data_cred_link(struct request *rq, const void *arg)
{
	const struct m_sha	*m = arg;
	struct person		 p;
	enum link_kind		 kind;
	enum result		 r = R_LINK;
	int			 n;

	if ((n = link_row_find(rq->rq_db, m->sha, &p, &kind)) == -1)
		return (R_UNAVAILABLE);
	if (n == 1)
		r = send_cred(rq, &p);
	explicit_bzero(&p, sizeof(p));
	return (r);
}

/* Another one may have been set while hash was at work. */
static int
password_is(const struct person *p, const struct m_blob *checked)
{
	return (checked->mb_len == p->p_secretlen &&
	    CRYPTO_memcmp(checked->mb_data, p->p_secret, p->p_secretlen) == 0);
}

/* The sign-in that asks may have ended since auth looked. */
enum result
data_cred_set(struct request *rq, const void *arg)
{
	const struct m_cred_set	*m = arg;
	struct db		*db = rq->rq_db;
	struct token		 tk;
	struct person		 p;
	enum result		 r;

	if (m->sealed.mb_len == 0)
		return (R_INVALID);
	if ((r = token_user(rq, m->sha, &tk, &p)) != R_OK)
		return (r);
	if (p.p_state != USER_ACTIVE)
		return (R_SESSION);
	if (!password_is(&p, &m->password))
		return (R_SIGNIN);
	/* A link that waits would set the password once more. */
	if (password_set(rq, &p, m->sealed.mb_data, m->sealed.mb_len) == -1 ||
	    db_exec(db, S_LINK_DEL, ARGS(NUM(p.p_id))) == -1 ||
	    db_exec(db, S_TOKENS_KEEP, ARGS(NUM(p.p_id),
	    NUM(tk.tk_id))) == -1 ||
	    audit_add(db, "user %u: password set", p.p_id) == -1)
		return (R_UNAVAILABLE);
	grants_end(rq->rq_tn->tn_id, p.p_id, 0, tk.tk_id, END_ENDED);
	must_again(rq, p.p_id);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

/* Nobody needs more sign-ins than this: the oldest make room. */
static int
tokens_trim(struct request *rq, uint32_t user)
{
	uint64_t	 id;

	for (;;) {
		if (db_number(rq->rq_db, S_TOKEN_OLD, ARGS(NUM(user),
		    NUM(TOKENS_KEPT)), &id) == -1)
			return (-1);
		if (id == 0)
			return (0);
		if (db_exec(rq->rq_db, S_TOKEN_DEL, ARGS(NUM(id))) != 1)
			return (-1);
		grants_end(rq->rq_tn->tn_id, user, id, 0, END_ENDED);
	}
}

enum result
data_token_new(struct request *rq, const void *arg)
{
	const struct m_token_new	*m = arg;
	struct db			*db = rq->rq_db;
	struct person			 p;
	struct token			 tk = { 0 };
	enum result			 r;
	uint8_t				 left = 0;
	int				 n;

	/* Auth has looked already; the list may have changed since. */
	if (!policy_welcomes(&rq->rq_tn->tn_policy, POLICY_NETWORKS, m->addr))
		return (R_ADDRESS);
	if ((n = person_get(db, m->user, &p)) == -1)
		return (R_UNAVAILABLE);
	if (n == 0 || p.p_state != USER_ACTIVE)
		return (R_SIGNIN);
	if (m->password.mb_len != 0 && !password_is(&p, &m->password))
		return (R_SIGNIN);
	r = factor_spend(rq, &p, m, &left);
	if (r == R_SIGNIN) {
		/* A passkey that was copied: what was written of it stays. */
		rq_result(rq, R_SIGNIN, 0, NULL);
		return (R_OK);
	}
	if (r != R_OK)
		return (r);
	/* The same password: neither its age nor those before it change. */
	if (m->anew.mb_len != 0 && (m->password.mb_len == 0 ||
	    person_set_secret(db, &p, m->anew.mb_data, m->anew.mb_len) == -1 ||
	    audit_add(db, "user %u: password hashed at another cost",
	    p.p_id) == -1))
		return (R_UNAVAILABLE);
	tk.tk_user = p.p_id;
	tk.tk_created = now_ms();
	tk.tk_expires = m->expires;
	if (tk.tk_expires <= tk.tk_created ||
	    strlcpy(tk.tk_addr, m->addr, sizeof(tk.tk_addr)) >=
	    sizeof(tk.tk_addr) || strlcpy(tk.tk_agent, m->agent,
	    sizeof(tk.tk_agent)) >= sizeof(tk.tk_agent))
		return (R_INVALID);
	if (db_exec(db, S_TOKENS_EXPIRED,
	    ARGS(NUM(tk.tk_created))) == -1 ||
	    token_row_add(db, &tk, m->sha) == -1 ||
	    password_tell(rq, p.p_id, m->fresh) == -1 ||
	    tokens_trim(rq, p.p_id) == -1 ||
	    db_exec(db, S_USER_LAST, ARGS(NUM(p.p_id),
	    NUM(tk.tk_created))) != 1)
		return (R_UNAVAILABLE);
	access_signin(rq->rq_tn->tn_id, ACCESS_SIGNIN, p.p_id, 0, m->addr);
	rq_result(rq, R_OK, left, NULL);
	return (R_OK);
}

enum result
data_token_find(struct request *rq, const void *arg)
{
	const struct m_sha	*m = arg;
	struct token		 tk;
	struct person		 p;
	struct m_token_row	 row;
	enum result		 r;

	if ((r = token_user(rq, m->sha, &tk, &p)) != R_OK)
		return (r);
	/*
	 * Made in the future: the clock was put back since, and when it will
	 * be over nobody can tell.  Its owner stays in, and it begins now.
	 */
	if (tk.tk_created > now_ms() + AHEAD && token_row_anew(rq->rq_db, &tk,
	    m->sha, now_ms()) == -1) {
		explicit_bzero(&p, sizeof(p));
		return (R_UNAVAILABLE);
	}
	row.user = p.p_id;
	row.role = p.p_role;
	row.state = p.p_state;
	row.created = tk.tk_created;
	row.seen = tk.tk_seen;
	row.expires = token_end(rq->rq_tn, tk.tk_created, tk.tk_expires);
	row.live = grant_live(rq->rq_tn->tn_id, p.p_id, tk.tk_id);
	explicit_bzero(&p, sizeof(p));
	rq_answer(rq, IMSG_TOKEN_ROW, &row);
	return (R_OK);
}

static void
send_grant(struct request *rq, const struct grant *gr, const struct person *p,
    const struct token *tk, uint8_t can, uint32_t req)
{
	struct m_grant	 m;

	m.grant = gr->gr_id;
	m.expires = gr->gr_expires;
	m.changed = password_told(rq, tk);
	m.idle = policy_seconds(&rq->rq_tn->tn_policy, POLICY_IDLE,
	    storage_conf->sc_idle);
	m.last_floor = place_last(rq->rq_tn->tn_id, p->p_id, p->p_floor);
	m.tenant = gr->gr_tenant;
	m.user = gr->gr_user;
	m.role = gr->gr_role;
	m.can = can;
	m.lang = p->p_lang;
	m.status = p->p_status;
	m.door = gr->gr_door;
	m.look = p->p_look;
	m.name = p->p_name;
	m.note = p->p_note;
	m.email = gr->gr_role == ROLE_GUEST ? "" : p->p_mail;
	m.must = gr->gr_must;
	rq_tell(rq, PROC_SESSION, gr->gr_inst, req, IMSG_GRANT, &m);
}

enum result
data_grant_new(struct request *rq, const void *arg)
{
	const struct m_grant_new	*m = arg;
	struct grant			*gr;
	struct rights			*rt;
	struct token			 tk;
	struct person			 p;
	struct visit			 vi = { .vi_state = VISIT_OVER };
	enum result			 r;

	if (m->inst >= proc_nsession || m->inst >= MAX_SESSIONS ||
	    proc_peer(PROC_SESSION, m->inst) == NULL)
		return (R_UNAVAILABLE);
	/* Auth has looked already; what changed since then counts. */
	if ((r = token_user(rq, m->sha, &tk, &p)) != R_OK)
		return (r);
	if (p.p_state != USER_ACTIVE || (p.p_role == ROLE_GUEST &&
	    visit_of(rq->rq_db, p.p_id, &vi) != 1))
		return (R_SESSION);
	if (!policy_welcomes(&rq->rq_tn->tn_policy, POLICY_NETWORKS, m->addr))
		return (R_ADDRESS);
	if ((rt = rights_get(rq->rq_db)) == NULL)
		return (R_UNAVAILABLE);
	gr = grant_new(m->inst, rq->rq_tn->tn_id, p.p_id, p.p_role, tk.tk_id,
	    token_end(rq->rq_tn, tk.tk_created, tk.tk_expires));
	if (gr == NULL) {
		rq->rq_arg = 1;
		return (R_BUSY);
	}
	/* What is no address stays ::, which no list of sense has. */
	if (network_addr(gr->gr_addr, m->addr) == -1)
		memset(gr->gr_addr, 0, sizeof(gr->gr_addr));
	gr->gr_created = tk.tk_created;
	gr->gr_seen = tk.tk_seen;
	gr->gr_must = must_of(rq, &p);
	if (p.p_role == ROLE_GUEST) {
		gr->gr_door = vi.vi_state != VISIT_IN;
		gr->gr_guest = vi.vi_guest;
		gr->gr_since = vi.vi_since;
		if (vi.vi_state == VISIT_DOOR)
			guest_knocks(rq, &vi);
	}
	send_grant(rq, gr, &p, &tk, rights_can(rt, gr->gr_role), m->req);
	explicit_bzero(&p, sizeof(p));
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

enum result
data_link_find(struct request *rq, const void *arg)
{
	const struct m_link_find	*m = arg;
	struct person			 p;
	struct m_link			 row;
	enum link_kind			 kind;
	int				 n;

	if (m->inst >= proc_nsession || m->inst >= MAX_SESSIONS)
		return (R_UNAVAILABLE);
	if ((n = link_row_find(rq->rq_db, m->sha, &p, &kind)) == -1)
		return (R_UNAVAILABLE);
	if (n == 0)
		return (R_LINK);
	row.kind = (uint8_t)kind;
	row.role = p.p_role;
	row.email = p.p_mail;
	row.name = p.p_name;
	rq_tell(rq, PROC_SESSION, m->inst, m->req, IMSG_LINK, &row);
	explicit_bzero(&p, sizeof(p));
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

/* Looking and using is one transaction: of two that race, one finds it. */
enum result
data_link_set(struct request *rq, const void *arg)
{
	const struct m_link_set	*m = arg;
	struct db		*db = rq->rq_db;
	struct person		 p;
	struct m_link_done	 done;
	enum link_kind		 kind;
	int			 n, methods;

	if ((n = link_row_find(db, m->sha, &p, &kind)) == -1)
		return (R_UNAVAILABLE);
	if (n == 0)
		return (R_LINK);
	if (m->sealed.mb_len == 0 || (m->name[0] != '\0' &&
	    !name_valid(m->name, MAX_NAME_CHARS)))
		return (R_INVALID);
	p.p_state = USER_ACTIVE;
	if (m->name[0] != '\0')
		(void)strlcpy(p.p_name, m->name, sizeof(p.p_name));
	if ((methods = factor_methods(db, &p)) == -1)
		return (R_UNAVAILABLE);
	if (db_exec(db, S_LINK_DEL, ARGS(NUM(p.p_id))) != 1 ||
	    password_set(rq, &p, m->sealed.mb_data, m->sealed.mb_len) == -1 ||
	    person_set_profile(db, &p) == -1 ||
	    db_exec(db, S_TOKENS_DEL, ARGS(NUM(p.p_id))) == -1 ||
	    lock_clear(rq, &p) == -1 ||
	    audit_add(db, "user %u: %s link used", p.p_id,
	    kind == LINK_INVITE ? "invitation" : "reset") == -1)
		return (R_UNAVAILABLE);
	grants_end(rq->rq_tn->tn_id, p.p_id, 0, 0, END_ENDED);
	done.user = p.p_id;
	done.methods = (uint8_t)methods;
	rq_answer(rq, IMSG_LINK_DONE, &done);
	return (R_OK);
}
