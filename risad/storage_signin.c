/*
 * Requests about sign-ins: one's own, and those of others for administrators.
 */
#include "storage.h"
#include "util.h"

enum result
me_signout(struct request *rq, const void *arg)
{
	const struct grant	*gr = rq->rq_gr;
	struct grant		*mine;
	char			 addr[NETWORK_TEXT];

	(void)arg;
	network_addr_text(addr, sizeof(addr), gr->gr_addr);
	access_signin(gr->gr_tenant, ACCESS_SIGNOUT, gr->gr_user,
	    gr->gr_role == ROLE_GUEST, addr);
	if (gr->gr_role == ROLE_GUEST)
		return (guest_signout(rq));
	if (db_exec(rq->rq_db, S_TOKEN_DEL, ARGS(NUM(gr->gr_token))) == -1)
		return (R_UNAVAILABLE);
	/* The one that asks knows, the others of this sign-in are told. */
	if ((mine = grant_find(gr->gr_id, gr->gr_inst, 0)) != NULL)
		grant_free(mine);
	grants_end(gr->gr_tenant, gr->gr_user, gr->gr_token, 0, END_SIGNOUT);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

/* The tenant may have become stricter since it was made. */
uint64_t
token_end(const struct tenant *tn, uint64_t created, uint64_t expires)
{
	uint64_t	 end;

	end = created + SECOND * (uint64_t)policy_seconds(&tn->tn_policy,
	    POLICY_ABSOLUTE, UINT32_MAX);
	return (end < expires ? end : expires);
}

int
token_alive(const struct tenant *tn, const struct token *tk, uint64_t now)
{
	uint64_t	 idle;

	idle = SECOND * (uint64_t)policy_seconds(&tn->tn_policy, POLICY_IDLE,
	    storage_conf->sc_idle);
	if (now >= token_end(tn, tk->tk_created, tk->tk_expires))
		return (0);
	return (now <= tk->tk_seen || now - tk->tk_seen <= idle ||
	    grant_live(tn->tn_id, tk->tk_user, tk->tk_id) > 0);
}

static void
send_signin(struct request *rq, const struct token *tk)
{
	struct m_signin	 m;

	m.id = (uint32_t)tk->tk_id;
	m.own = tk->tk_id == rq->rq_gr->gr_token;
	m.created = tk->tk_created;
	m.seen = tk->tk_seen;
	m.live = grant_live(rq->rq_tn->tn_id, tk->tk_user, tk->tk_id);
	m.addr = tk->tk_addr;
	m.agent = tk->tk_agent;
	rq_answer(rq, IMSG_SIGNIN, &m);
}

/* They are TOKENS_KEPT at most.  What has idled out is none any more. */
static enum result
signins(struct request *rq, uint32_t user)
{
	struct token	 tk;
	sqlite3_stmt	*st;
	uint64_t	 now = now_ms();
	int		 n;

	st = db_query(rq->rq_db, S_TOKENS_OF, ARGS(NUM(user)));
	while ((n = db_step(rq->rq_db, st)) == 1)
		if (token_row_read(rq->rq_db, st, &tk) == 0 &&
		    tk.tk_id <= UINT32_MAX &&
		    token_alive(rq->rq_tn, &tk, now))
			send_signin(rq, &tk);
	db_done(st);
	if (n == -1)
		return (R_UNAVAILABLE);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

enum result
me_signins(struct request *rq, const void *arg)
{
	(void)arg;
	return (signins(rq, rq->rq_gr->gr_user));
}

/* One of one's own, or all but the one that asks. */
enum result
me_signin_end(struct request *rq, const void *arg)
{
	const struct m_signin_end	*m = arg;
	const struct grant		*gr = rq->rq_gr;
	int				 n;

	if (m->others)
		n = db_exec(rq->rq_db, S_TOKENS_KEEP, ARGS(NUM(gr->gr_user),
		    NUM(gr->gr_token)));
	else
		n = db_exec(rq->rq_db, S_TOKEN_DEL_OF, ARGS(NUM(gr->gr_user),
		    NUM(m->id)));
	if (n == -1)
		return (R_UNAVAILABLE);
	if (n == 0 && !m->others)
		return (R_NOTFOUND);
	grants_end(gr->gr_tenant, gr->gr_user, m->others ? 0 : m->id,
	    m->others ? gr->gr_token : 0, END_ENDED);
	rq_result(rq, R_OK, 0, NULL);
	return (R_OK);
}

static enum result
user_there(struct request *rq, uint32_t user)
{
	uint64_t	 there;

	if (db_number(rq->rq_db, S_USER_THERE, ARGS(NUM(user)), &there) == -1)
		return (R_UNAVAILABLE);
	return (there ? R_OK : R_NOTFOUND);
}

enum result
adm_signins(struct request *rq, const void *arg)
{
	const struct m_grant_id	*m = arg;
	enum result		 r;

	if ((r = user_there(rq, m->id)) != R_OK)
		return (r);
	return (signins(rq, m->id));
}

enum result
signins_end(struct request *rq, uint32_t user)
{
	if (db_exec(rq->rq_db, S_TOKENS_DEL, ARGS(NUM(user))) == -1 ||
	    audit_act(rq, "end sessions of user", user) == -1)
		return (R_UNAVAILABLE);
	grants_end(rq->rq_tn->tn_id, user, 0, 0, END_ENDED);
	return (R_OK);
}

enum result
adm_signins_end(struct request *rq, const void *arg)
{
	const struct m_grant_id	*m = arg;
	enum result		 r;

	if ((r = user_there(rq, m->id)) == R_OK &&
	    (r = signins_end(rq, m->id)) == R_OK)
		rq_result(rq, R_OK, 0, NULL);
	return (r);
}
