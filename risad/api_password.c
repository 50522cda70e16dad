/* Invitations, new passwords, and what the rules say of them. */

#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "utf8.h"
#include "util.h"

json_t *
password_rules(const struct tenant *tn, uint8_t role)
{
	const uint32_t	*value = tn->tn_policy.po_value;

	return (json_pack("{sI sI sI}", "min",
	    (json_int_t)policy_length(&tn->tn_policy, role), "kinds",
	    (json_int_t)value[POLICY_KINDS], "strength",
	    (json_int_t)value[POLICY_STRENGTH]));
}

/* What somebody would try first who knows whose password it is. */
static void
guess_words(char words[MAX_GUESS + 1], const struct tenant *tn,
    const char *mail, const char *name, const char *other)
{
	(void)snprintf(words, MAX_GUESS + 1, "%s\n%s\n%s\n%s\n%s", mail, name,
	    other, tn->tn_name, tn->tn_title);
}

static int
link_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	const struct m_link	*ml = m;
	struct tenant		*tn;

	(void)arg;
	if (type != IMSG_LINK) {
		api_result(cn, m);
		return (1);
	}
	if ((tn = api_tenant(cn)) == NULL)
		return (1);
	api_reply(cn, 200, json_pack("{ss s{ss ss} ss ss so}", "kind",
	    ml->kind == LINK_INVITE ? "invite" : "reset", "tenant", "name",
	    tn->tn_name, "title", tn->tn_title, "email", ml->email, "name",
	    ml->name, "policy", password_rules(tn, ml->role)));
	return (1);
}

/* Whose link it is; the function gets IMSG_LINK or a RESULT. */
static const char *
link_ask(struct conn *cn, int (*fn)(struct conn *, uint32_t, const void *,
    void *), void *arg)
{
	struct m_token	 m = { .tenant = session_tenant(cn)->tn_id,
			    .addr = cn->cn_addr };

	if (api_token(cn, m.token) == -1) {
		api_problem(cn, 404, "link", NULL, 0);
		return ("");
	}
	api_ask(cn, PROC_AUTH, IMSG_LINK_GET, &m, fn, arg);
	explicit_bzero(&m, sizeof(m));
	return (NULL);
}

static const char *
get_invite(struct conn *cn, json_t *body)
{
	(void)body;
	return (link_ask(cn, link_answer, NULL));
}

/* Now that it is known whose link it is, the password can be judged. */
static int
invite_known(struct conn *cn, uint32_t type, const void *msg, void *arg)
{
	const struct m_link	*ml = msg;
	struct signin		*si = arg;
	struct tenant		*tn;
	struct m_link_use	 m = { 0 };
	char			 agent[MAX_AGENT + 1], words[MAX_GUESS + 1];

	/* No such link: that is how coming in by one ends, too. */
	if (type != IMSG_LINK)
		return (signin_answer(cn, type, msg, si));
	if ((tn = api_tenant(cn)) == NULL)
		return (1);
	user_agent(cn, agent, sizeof(agent));
	guess_words(words, tn, ml->email, ml->name, si->si_name);
	m.tenant = tn->tn_id;
	m.addr = cn->cn_addr;
	m.agent = agent;
	memcpy(m.token, si->si_token, TOKEN_LEN);
	m.password = si->si_password;
	m.words = words;
	m.name = si->si_name;
	api_ask(cn, PROC_AUTH, IMSG_LINK_USE, &m, signin_answer, si);
	explicit_bzero(&m, sizeof(m));
	return (1);
}

static const char *
post_invite(struct conn *cn, json_t *body)
{
	const char		*password, *name = "", *bad;
	struct signin		*si;
	const struct json_field	 jf[] = {
		{ "password", JK_STRING, 1, &password, NULL },
		{ "name", JK_STRING, 0, &name, NULL },
	};

	if ((bad = json_fields(body, jf, 2)) != NULL)
		return (bad);
	if (*name != '\0' && !name_valid(name, MAX_NAME_CHARS))
		return ("name");
	if (strlen(password) > MAX_PASSWORD)
		return ("password");
	if ((si = signin_start(cn)) == NULL)
		return ("");
	(void)api_token(cn, si->si_token);	/* link_ask() tells */
	(void)strlcpy(si->si_name, name, sizeof(si->si_name));
	(void)strlcpy(si->si_password, password, sizeof(si->si_password));
	return (link_ask(cn, invite_known, si));
}

static const char *
post_password(struct conn *cn, json_t *body)
{
	const struct login	*lg = cn->cn_login;
	const char		*current, *new, *bad;
	char			 words[MAX_GUESS + 1];
	struct m_password	 m = { 0 };
	const struct json_field	 jf[] = {
		{ "current", JK_STRING, 1, &current, NULL },
		{ "new", JK_STRING, 1, &new, NULL },
	};

	if ((bad = json_fields(body, jf, 2)) != NULL)
		return (bad);
	if (strlen(current) > MAX_PASSWORD)
		return ("current");
	if (strlen(new) > MAX_PASSWORD)
		return ("new");
	guess_words(words, session_tenant(cn), lg->lg_email, lg->lg_name, "");
	m.tenant = lg->lg_tenant;
	m.addr = cn->cn_addr;
	memcpy(m.token, lg->lg_token, TOKEN_LEN);
	m.current = current;
	m.new = new;
	m.words = words;
	api_ask(cn, PROC_AUTH, IMSG_PASSWORD, &m, api_plain, NULL);
	explicit_bzero(&m, sizeof(m));
	return (NULL);
}

/*
 * What a password would lack, while it is being typed.
 */

static int
checked(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	static const struct { uint8_t bit; const char *word; } faults[] = {
		{ FAULT_TEXT, "text" }, { FAULT_SHORT, "short" },
		{ FAULT_LONG, "long" }, { FAULT_KINDS, "kinds" },
		{ FAULT_WEAK, "weak" },
	};
	const struct m_password_checked	*pc = m;
	json_t				*lacks;
	size_t				 i;

	(void)arg;
	if (type != IMSG_PASSWORD_CHECKED) {
		api_result(cn, m);
		return (1);
	}
	lacks = json_array();
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (pc->faults & faults[i].bit)
			(void)json_array_append_new(lacks,
			    json_string(faults[i].word));
	api_reply(cn, 200, json_pack("{so si}", "lacks", lacks, "score",
	    (int)pc->score));
	return (1);
}

static void
check(struct conn *cn, uint8_t role, const char *password, const char *words)
{
	struct m_password_check	 m = { session_tenant(cn)->tn_id, role,
				    cn->cn_addr, password, words };

	api_ask(cn, PROC_AUTH, IMSG_PASSWORD_CHECK, &m, checked, NULL);
}

static const char *
post_check(struct conn *cn, json_t *body)
{
	const struct login	*lg = cn->cn_login;
	const char		*password, *bad;
	char			 words[MAX_GUESS + 1];
	const struct json_field	 jf[] = {
		{ "password", JK_STRING, 1, &password, NULL },
	};

	if ((bad = json_fields(body, jf, 1)) != NULL)
		return (bad);
	if (strlen(password) > MAX_PASSWORD)
		return ("password");
	guess_words(words, session_tenant(cn), lg->lg_email, lg->lg_name, "");
	check(cn, lg->lg_role, password, words);
	return (NULL);
}

static int
check_known(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	const struct m_link	*ml = m;
	struct signin		*si = arg;
	struct tenant		*tn;
	char			 words[MAX_GUESS + 1];

	if (type != IMSG_LINK) {
		api_result(cn, m);
		return (1);
	}
	if ((tn = api_tenant(cn)) == NULL)
		return (1);
	guess_words(words, tn, ml->email, ml->name, si->si_name);
	check(cn, ml->role, si->si_password, words);
	return (1);
}

static const char *
post_invite_check(struct conn *cn, json_t *body)
{
	const char		*password, *name = "", *bad;
	struct signin		*si;
	const struct json_field	 jf[] = {
		{ "password", JK_STRING, 1, &password, NULL },
		{ "name", JK_STRING, 0, &name, NULL },
	};

	if ((bad = json_fields(body, jf, 2)) != NULL)
		return (bad);
	if (strlen(password) > MAX_PASSWORD)
		return ("password");
	if (strlen(name) > MAX_NAME)
		return ("name");
	if ((si = signin_start(cn)) == NULL)
		return ("");
	(void)strlcpy(si->si_name, name, sizeof(si->si_name));
	(void)strlcpy(si->si_password, password, sizeof(si->si_password));
	return (link_ask(cn, check_known, si));
}

const struct route	 api_password_routes[] = {
	{ HTTP_GET, "/api/v1/invite/*", NEED_NONE, get_invite },
	{ HTTP_POST, "/api/v1/invite/*", NEED_NONE, post_invite },
	{ HTTP_POST, "/api/v1/invite/*/check", NEED_NONE, post_invite_check },
	{ HTTP_POST, "/api/v1/password", NEED_FIRST, post_password },
	{ HTTP_POST, "/api/v1/password/check", NEED_FIRST, post_check },
};
const size_t		 api_password_nroutes = sizeof(api_password_routes) /
			    sizeof(api_password_routes[0]);
