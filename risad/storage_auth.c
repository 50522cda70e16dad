/*
 * Requests of auth: credentials, sign-ins, grants and links of a tenant.
 */
#include <string.h>

#include "log.h"
#include "storage.h"
#include "util.h"

static enum result
send_cred(struct request *rq, const struct person *p)
{
	struct m_cred	 m = { p->p_id, p->p_state,
			    { p->p_secret, p->p_secretlen } };

	rq_answer(rq, IMSG_CRED, &m);
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

/* The sign-in and its user: R_OK, or R_SESSION when either is no more. */
static enum result
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

enum result
data_cred_set(struct request *rq, const void *arg)
{
	const struct m_cred_set	*m = arg;
	struct db		*db = rq->rq_db;
	struct token		 tk;
	struct person		 p;
	int			 n;

	if (m->sealed.mb_len == 0)
		return (R_INVALID);
	if ((n = person_get(db, m->user, &p)) == -1)
		return (R_UNAVAILABLE);
	if (n == 0 || p.p_state != USER_ACTIVE)
		return (R_NOTFOUND);
	if ((n = token_row_find(db, m->keep, &tk)) == -1)
		return (R_UNAVAILABLE);
	if (n == 0 || tk.tk_user != p.p_id)
		tk.tk_id = 0;
	/* A link that waits would set the password once more. */
	if (person_set_secret(db, &p, m->sealed.mb_data,
	    m->sealed.mb_len) == -1 ||
	    db_exec(db, S_LINK_DEL, ARGS(NUM(p.p_id))) == -1 ||
	    db_exec(db, S_TOKENS_KEEP, ARGS(NUM(p.p_id),
	    NUM(tk.tk_id))) == -1 ||
	    audit_add(db, "user %u: password set", p.p_id) == -1)
		return (R_UNAVAILABLE);
	grants_end(rq->rq_tn->tn_id, p.p_id, 0, tk.tk_id, END_ENDED);
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
	int				 n;

	if ((n = person_get(db, m->user, &p)) == -1)
		return (R_UNAVAILABLE);
	if (n == 0 || p.p_state != USER_ACTIVE)
		return (R_SIGNIN);
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
	    tokens_trim(rq, p.p_id) == -1 ||
	    db_exec(db, S_USER_LAST, ARGS(NUM(p.p_id),
	    NUM(tk.tk_created))) != 1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
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
	row.user = p.p_id;
	row.role = p.p_role;
	row.state = p.p_state;
	row.created = tk.tk_created;
	row.seen = tk.tk_seen;
	row.expires = tk.tk_expires;
	row.live = grant_live(rq->rq_tn->tn_id, p.p_id, tk.tk_id);
	explicit_bzero(&p, sizeof(p));
	rq_answer(rq, IMSG_TOKEN_ROW, &row);
	return (R_OK);
}

static void
send_grant(struct request *rq, const struct grant *gr, const struct person *p,
    uint32_t req)
{
	struct m_grant	 m;

	m.grant = gr->gr_id;
	m.expires = gr->gr_expires;
	m.idle = storage_conf->sc_idle;
	m.last_floor = p->p_floor;
	m.tenant = gr->gr_tenant;
	m.user = gr->gr_user;
	m.role = gr->gr_role;
	m.lang = p->p_lang;
	m.status = p->p_status;
	m.look = p->p_look;
	m.name = p->p_name;
	m.note = p->p_note;
	m.email = p->p_mail;
	rq_tell(rq, PROC_SESSION, gr->gr_inst, req, IMSG_GRANT, &m);
}

enum result
data_grant_new(struct request *rq, const void *arg)
{
	const struct m_grant_new	*m = arg;
	struct grant			*gr;
	struct token			 tk;
	struct person			 p;
	enum result			 r;

	if (m->inst >= proc_nsession || m->inst >= MAX_SESSIONS ||
	    proc_peer(PROC_SESSION, m->inst) == NULL)
		return (R_UNAVAILABLE);
	/* Auth has looked already; what changed since then counts. */
	if ((r = token_user(rq, m->sha, &tk, &p)) != R_OK)
		return (r);
	if (p.p_state != USER_ACTIVE)
		return (R_SESSION);
	gr = grant_new(m->inst, rq->rq_tn->tn_id, p.p_id, p.p_role, tk.tk_id,
	    tk.tk_expires);
	if (gr == NULL) {
		rq->rq_arg = 1;
		return (R_BUSY);
	}
	gr->gr_seen = tk.tk_seen;
	send_grant(rq, gr, &p, m->req);
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
	int			 n;

	if ((n = link_row_find(db, m->sha, &p, &kind)) == -1)
		return (R_UNAVAILABLE);
	if (n == 0)
		return (R_LINK);
	if (m->sealed.mb_len == 0)
		return (R_INVALID);
	p.p_state = USER_ACTIVE;
	if (db_exec(db, S_LINK_DEL, ARGS(NUM(p.p_id))) != 1 ||
	    person_set_secret(db, &p, m->sealed.mb_data,
	    m->sealed.mb_len) == -1 ||
	    db_exec(db, S_TOKENS_DEL, ARGS(NUM(p.p_id))) == -1 ||
	    audit_add(db, "user %u: %s link used", p.p_id,
	    kind == LINK_INVITE ? "invitation" : "reset") == -1)
		return (R_UNAVAILABLE);
	grants_end(rq->rq_tn->tn_id, p.p_id, 0, 0, END_ENDED);
	done.user = p.p_id;
	rq_answer(rq, IMSG_LINK_DONE, &done);
	return (R_OK);
}
