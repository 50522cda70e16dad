/* HTTP about sign-ins: where somebody is signed in, and the end of that. */

#include "session.h"

static int
signins_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	const struct m_signin	*ms = m;
	const struct m_result	*mr = m;

	if (type == IMSG_SIGNIN) {
		(void)json_array_append_new(arg, json_pack(
		    "{sI sb sI sI sb ss ss}", "id", (json_int_t)ms->id, "own",
		    ms->own, "created", (json_int_t)ms->created, "seen",
		    (json_int_t)ms->seen, "live", ms->live != 0, "address",
		    ms->addr, "agent", ms->agent));
		return (0);
	}
	if (mr->code == R_OK)
		api_reply(cn, 200, json_pack("{sO}", "signins", arg));
	else
		api_result(cn, m);
	return (1);
}

static const char *
list(struct conn *cn, enum imsg_type type, const void *m)
{
	if (ask_send(cn, PROC_STORAGE, type, m, signins_answer,
	    api_list(cn)) == -1)
		api_problem(cn, 503, "busy", NULL, 1);
	return (NULL);
}

static const char *
end(struct conn *cn, enum imsg_type type, const void *m)
{
	if (ask_send(cn, PROC_STORAGE, type, m, api_plain, NULL) == -1)
		api_problem(cn, 503, "busy", NULL, 1);
	return (NULL);
}

static const char *
get_signins(struct conn *cn, json_t *body)
{
	struct m_grant_only	 m = { api_grant(cn) };

	(void)body;
	return (list(cn, IMSG_SIGNINS, &m));
}

static const char *
delete_signins(struct conn *cn, json_t *body)
{
	struct m_signin_end	 m = { api_grant(cn), 0, 1 };

	(void)body;
	return (end(cn, IMSG_SIGNIN_END, &m));
}

static const char *
delete_signin(struct conn *cn, json_t *body)
{
	struct m_signin_end	 m = { api_grant(cn), api_number(cn), 0 };

	(void)body;
	return (end(cn, IMSG_SIGNIN_END, &m));
}

static const char *
get_user_signins(struct conn *cn, json_t *body)
{
	struct m_grant_id	 m = { api_grant(cn), api_number(cn) };

	(void)body;
	return (list(cn, IMSG_A_SIGNINS, &m));
}

static const char *
delete_user_signins(struct conn *cn, json_t *body)
{
	struct m_grant_id	 m = { api_grant(cn), api_number(cn) };

	(void)body;
	return (end(cn, IMSG_A_SIGNINS_END, &m));
}

#define ADMIN	"/api/v1/admin"

const struct route	 api_signin_routes[] = {
	{ HTTP_GET, "/api/v1/signins", NEED_LOGIN, get_signins },
	{ HTTP_DELETE, "/api/v1/signins", NEED_LOGIN, delete_signins },
	{ HTTP_DELETE, "/api/v1/signins/#", NEED_LOGIN, delete_signin },
	{ HTTP_GET, ADMIN "/users/#/signins", NEED_ADMIN, get_user_signins },
	{ HTTP_DELETE, ADMIN "/users/#/signins", NEED_ADMIN,
	    delete_user_signins },
};
const size_t		 api_signin_nroutes = sizeof(api_signin_routes) /
			    sizeof(api_signin_routes[0]);
