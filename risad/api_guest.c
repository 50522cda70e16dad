/*
 * HTTP about guests: they come in by a URL; and the URLs, for those who may
 * invite guests.
 */
#include <stdlib.h>
#include <string.h>

#include "floor.h"
#include "session.h"
#include "util.h"

static int
guest_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	const struct m_guest	*mg = m;
	struct tenant		*tn;

	(void)arg;
	if (type != IMSG_GUEST) {
		api_result(cn, m);
		return (1);
	}
	if ((tn = api_tenant(cn)) == NULL)
		return (1);
	api_reply(cn, 200, json_pack("{s{ss ss} sb sb}", "tenant", "name",
	    tn->tn_name, "title", tn->tn_title, "password", mg->password,
	    "approval", mg->approval));
	return (1);
}

static const char *
get_guest(struct conn *cn, json_t *body)
{
	struct m_token	 m = { .tenant = session_tenant(cn)->tn_id,
			    .addr = cn->cn_addr };

	(void)body;
	if (api_token(cn, m.token) == -1) {
		api_problem(cn, 404, "link", NULL, 0);
		return ("");
	}
	api_ask(cn, PROC_AUTH, IMSG_GUEST_GET, &m, guest_answer, NULL);
	return (NULL);
}

/* The name is known: the guest is in, or waits at the door. */
static int
guest_named(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct signin		*si = arg;
	const struct m_result	*mr = m;

	if (type != IMSG_RESULT)
		return (0);
	if (mr->code != R_OK) {
		api_result(cn, m);
		return (1);
	}
	(void)text_set(&cn->cn_login->lg_name, si->si_name);
	cn->cn_login->lg_door = mr->arg != 0;
	signin_reply(cn);
	return (1);
}

static void
guest_name(struct conn *cn, struct signin *si)
{
	struct m_guest_name	 m = { api_grant(cn), si->si_name };

	api_ask(cn, PROC_STORAGE, IMSG_GUEST_NAME, &m, guest_named, si);
}

static const char *
post_guest(struct conn *cn, json_t *body)
{
	const char		*name, *password = "", *bad;
	char			 agent[MAX_AGENT + 1];
	struct signin		*si;
	struct m_link_use	 m = { 0 };
	const struct json_field	 jf[] = {
		{ "name", JK_STRING, 1, &name, NULL },
		{ "password", JK_STRING, 0, &password, NULL },
	};

	if ((bad = json_fields(body, jf, 2)) != NULL)
		return (bad);
	if (!name_valid(name, MAX_NAME_CHARS))
		return ("name");
	if (strlen(password) > MAX_PASSWORD)
		return ("password");
	if (api_token(cn, m.token) == -1) {
		api_problem(cn, 404, "link", NULL, 0);
		return ("");
	}
	if ((si = signin_start(cn)) == NULL)
		return ("");
	(void)strlcpy(si->si_name, name, sizeof(si->si_name));
	si->si_go = guest_name;
	user_agent(cn, agent, sizeof(agent));
	m.tenant = session_tenant(cn)->tn_id;
	m.addr = cn->cn_addr;
	m.agent = agent;
	m.password = password;
	api_ask(cn, PROC_AUTH, IMSG_GUEST_USE, &m, signin_answer, si);
	return (NULL);
}

/*
 * The URLs.
 */

static json_t *
json_guest(const struct m_guest_row *m)
{
	return (json_pack("{sI so sI sI sI sI sb sb ss s{sI ss}}", "id",
	    (json_int_t)m->guest, "floors", api_ids(&m->floors), "created",
	    (json_int_t)m->created, "expires", (json_int_t)m->expires, "uses",
	    (json_int_t)m->uses, "used", (json_int_t)m->used, "password",
	    m->password, "approval", m->approval, "note", m->note, "by",
	    "user", (json_int_t)m->by, "name", m->name));
}

/* The floor that somebody is on now, 0 for none. */
static json_t *
json_visit(const struct conn *cn, const struct m_visit_row *m)
{
	return (json_pack("{sI sI sI ss sI ss ss sI}", "id",
	    (json_int_t)m->visit, "user", (json_int_t)m->user, "guest",
	    (json_int_t)m->guest, "state", m->state == VISIT_IN ? "in" :
	    "door", "began", (json_int_t)m->began, "name", m->name, "address",
	    m->addr, "floor", (json_int_t)floor_shared(
	    cn->cn_login->lg_tenant, m->user, m->user)));
}

static int
guests_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	const struct m_result	*mr = m;

	if (type == IMSG_GUEST_ROW)
		(void)json_array_append_new(json_object_get(arg, "guests"),
		    json_guest(m));
	else if (type == IMSG_VISIT_ROW)
		(void)json_array_append_new(json_object_get(arg, "visits"),
		    json_visit(cn, m));
	else if (mr->code == R_OK)
		api_reply(cn, 200, json_incref(arg));
	else
		api_result(cn, m);
	return (type == IMSG_RESULT);
}

static void
job_decref(void *arg)
{
	json_decref(arg);
}

static const char *
get_guests(struct conn *cn, json_t *body)
{
	struct m_grant_only	 m = { api_grant(cn) };

	(void)body;
	cn->cn_job = json_pack("{s[] s[]}", "guests", "visits");
	cn->cn_job_free = job_decref;
	api_ask(cn, PROC_STORAGE, IMSG_GUESTS, &m, guests_answer, cn->cn_job);
	return (NULL);
}

/* A URL on its way: what was asked for, then what came of it. */
struct making {
	struct m_guest_add	 mk_add;
	char			 mk_note[MAX_NOTE + 1];
	uint8_t			 mk_floors[4 * MAX_FLOORS];
	json_t			*mk_guest;
	char			 mk_url[HTTP_MAXHOST + 80];
};

static void
making_free(void *arg)
{
	struct making	*mk = arg;

	json_decref(mk->mk_guest);
	freezero(mk, sizeof(*mk));
}

static int
make_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct making	*mk = arg;

	if (type == IMSG_GUEST_ROW) {
		json_decref(mk->mk_guest);
		mk->mk_guest = json_guest(m);
	} else if (type == IMSG_A_LINK)
		api_link_url(cn, "guest", ((const struct m_a_link *)m)->token,
		    mk->mk_url, sizeof(mk->mk_url));
	else if (((const struct m_result *)m)->code != R_OK)
		api_result(cn, m);
	else if (mk->mk_guest == NULL)
		api_problem(cn, 503, "busy", NULL, 1);
	else
		api_reply(cn, 201, json_pack("{sO ss}", "guest", mk->mk_guest,
		    "url", mk->mk_url));
	return (type == IMSG_RESULT);
}

static void
make(struct conn *cn, struct making *mk)
{
	mk->mk_add.grant = api_grant(cn);
	mk->mk_add.note = mk->mk_note;
	mk->mk_add.floors.mb_data = mk->mk_floors;
	api_ask(cn, PROC_STORAGE, IMSG_GUEST_ADD, &mk->mk_add, make_answer,
	    mk);
}

/* Auth has had the password sealed, and storage keeps it under a number. */
static int
make_secret(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct making		*mk = arg;
	const struct m_result	*mr = m;

	if (type != IMSG_RESULT)
		return (0);
	if (mr->code != R_OK) {
		api_result(cn, m);
		return (1);
	}
	mk->mk_add.secret = mr->arg;
	make(cn, mk);
	return (1);
}

static const char *
terms_from(json_t *body, struct making *mk, const char **password)
{
	const char	*note = "", *bad;
	uint64_t	 uses = 1;
	json_t		*floors;
	ssize_t		 n;
	int		 approval = 0, has;
	const struct json_field	 jf[] = {
		{ "floors", JK_ANY, 1, &floors, NULL },
		{ "expires", JK_UINT, 1, &mk->mk_add.expires, NULL },
		{ "uses", JK_UINT, 0, &uses, NULL },
		{ "password", JK_STRING, 0, password, &has },
		{ "approval", JK_BOOL, 0, &approval, NULL },
		{ "note", JK_STRING, 0, &note, NULL },
	};

	*password = NULL;
	if ((bad = json_fields(body, jf, 6)) != NULL)
		return (bad);
	if ((n = json_ids(floors, mk->mk_floors, MAX_FLOORS)) < 1)
		return ("floors");
	if (uses < 1 || uses > MAX_USES)
		return ("uses");
	if (!note_valid(note, MAX_NOTE_CHARS))
		return ("note");
	n *= 4;
	mk->mk_add.floors.mb_len = (size_t)n;
	mk->mk_add.uses = (uint32_t)uses;
	mk->mk_add.approval = approval != 0;
	(void)strlcpy(mk->mk_note, note, sizeof(mk->mk_note));
	if (has && (**password == '\0' || strlen(*password) > MAX_PASSWORD))
		return ("password");
	return (NULL);
}

static const char *
post_guests(struct conn *cn, json_t *body)
{
	const char		*password, *bad;
	struct making		*mk;
	struct m_guest_secret	 m = { 0 };

	if ((mk = calloc(1, sizeof(*mk))) == NULL) {
		api_problem(cn, 503, "busy", NULL, 1);
		return ("");
	}
	cn->cn_job = mk;
	cn->cn_job_free = making_free;
	if ((bad = terms_from(body, mk, &password)) != NULL)
		return (bad);
	if (password == NULL) {
		make(cn, mk);
		return (NULL);
	}
	m.tenant = cn->cn_login->lg_tenant;
	m.addr = cn->cn_addr;
	m.grant = api_grant(cn);
	m.password = password;
	api_ask(cn, PROC_AUTH, IMSG_GUEST_SECRET, &m, make_secret, mk);
	return (NULL);
}

static const char *
drop(struct conn *cn, enum imsg_type type)
{
	struct m_grant_id	 m = { api_grant(cn), api_number(cn) };

	api_ask(cn, PROC_STORAGE, type, &m, api_plain, NULL);
	return (NULL);
}

static const char *
delete_guest(struct conn *cn, json_t *body)
{
	(void)body;
	return (drop(cn, IMSG_GUEST_DEL));
}

static const char *
delete_visit(struct conn *cn, json_t *body)
{
	(void)body;
	return (drop(cn, IMSG_VISIT_DEL));
}

const struct route	 api_guest_routes[] = {
	{ HTTP_GET, "/api/v1/guest/*", NEED_NONE, get_guest },
	{ HTTP_POST, "/api/v1/guest/*", NEED_NONE, post_guest },
	{ HTTP_GET, "/api/v1/guests", NEED_HOST, get_guests },
	{ HTTP_POST, "/api/v1/guests", NEED_HOST, post_guests },
	{ HTTP_DELETE, "/api/v1/guests/#", NEED_HOST, delete_guest },
	{ HTTP_DELETE, "/api/v1/visits/#", NEED_HOST, delete_visit },
};
const size_t		 api_guest_nroutes = sizeof(api_guest_routes) /
			    sizeof(api_guest_routes[0]);
