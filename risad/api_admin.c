#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "role.h"
#include "session.h"
#include "util.h"
#include "way.h"

/*
 * The console of a tenant's administrators.  The role is looked at here for a
 * quick answer; what counts is that storage looks at the grant.
 */

/* Rows gathered until RESULT, and the name that the list gets. */
struct gather {
	const char	*ga_name;	/* of the list, or of the one object */
	int		 ga_one;	/* an object, not a list */
	int		 ga_status;
	json_t		*ga_rows;
	json_t		*ga_link;	/* of a new invitation */
};

static void
gather_free(void *arg)
{
	struct gather	*ga = arg;

	json_decref(ga->ga_rows);
	json_decref(ga->ga_link);
	free(ga);
}

json_t *
api_ids(const struct m_blob *mb)
{
	const uint8_t	*p = mb->mb_data;
	json_t		*list = json_array();
	size_t		 i;

	for (i = 0; i + 4 <= mb->mb_len; i += 4)
		(void)json_array_append_new(list, json_integer(
		    (json_int_t)((uint32_t)p[i] << 24 |
		    (uint32_t)p[i + 1] << 16 | (uint32_t)p[i + 2] << 8 |
		    p[i + 3])));
	return (list);
}

static json_t *
json_a_user(const struct m_a_user *m)
{
	static const char	*const states[USER_STATE_MAX] = {
		"invited", "active", "locked"
	};

	return (json_pack("{sI ss ss so ss sI sI sI sI so so}", "id",
	    (json_int_t)m->user, "name", m->name, "email", m->email, "role",
	    json_role(m->role), "state", states[m->state], "last",
	    (json_int_t)m->last, "created", (json_int_t)m->created, "invite",
	    (json_int_t)m->invite, "locked", (json_int_t)m->locked, "groups",
	    api_ids(&m->groups), "factors", json_factors(m->factors)));
}

static json_t *
json_words(const char *text)
{
	json_t	*list = json_array();
	char	 word[POLICY_WORD + 1];

	while ((text = policy_next(text, word)) != NULL)
		(void)json_array_append_new(list, json_string(word));
	return (list);
}

static json_t *
json_a_floor(const struct m_a_floor *m)
{
	return (json_pack("{sI sI ss sb so so so s{sb sb sb ss}}", "id",
	    (json_int_t)m->floor, "version", (json_int_t)m->version,
	    "name", m->name, "open", m->open, "users", api_ids(&m->users),
	    "groups", api_ids(&m->groups), "networks",
	    json_words(m->networks), "talk",
	    "voice", (m->can & RIGHT_VOICE) != 0,
	    "video", (m->can & RIGHT_VIDEO) != 0,
	    "screen", (m->can & RIGHT_SCREEN) != 0,
	    "way", way_word(m->way)));
}

static json_t *
json_a_role(const struct m_a_role *m)
{
	return (json_pack("{so ss so so si sI}", "id", json_role(m->role),
	    "name", m->name, "can", json_can(m->can), "settable",
	    json_can(role_settable(m->role)), "users", (int)m->users,
	    "version", (json_int_t)m->version));
}

static json_t *
json_a_link(struct conn *cn, const struct m_a_link *m)
{
	char	 url[HTTP_MAXHOST + 80];

	api_link_url(cn, "invite", m->token, url, sizeof(url));
	return (json_pack("{ss sI}", "url", url, "expires",
	    (json_int_t)m->expires));
}

static json_t *
json_a_alert(const struct m_a_alert *m)
{
	json_t		*list = json_array();
	const char	*p = m->addrs;
	size_t		 n;

	for (; (n = strcspn(p, " ")) > 0; p += n + strspn(p + n, " "))
		(void)json_array_append_new(list, json_stringn(p, n));
	return (json_pack("{sI sI sb sI sI so}", "begun",
	    (json_int_t)m->begun, "last", (json_int_t)m->last, "over",
	    m->over, "tries", (json_int_t)m->tries, "accounts",
	    (json_int_t)m->accounts, "addresses", list));
}

/* All went well: the answer that the gathered rows make. */
static void
gather_reply(struct conn *cn, struct gather *ga)
{
	json_t	*o = json_object();

	if (!ga->ga_one)
		(void)json_object_set(o, ga->ga_name, ga->ga_rows);
	else if (ga->ga_name != NULL && json_array_size(ga->ga_rows) > 0)
		(void)json_object_set(o, ga->ga_name,
		    json_array_get(ga->ga_rows, 0));
	if (ga->ga_link != NULL)
		(void)json_object_set(o, "invite", ga->ga_link);
	if (json_object_size(o) == 0) {
		json_decref(o);
		api_reply(cn, 204, NULL);
		return;
	}
	api_reply(cn, ga->ga_status, o);
}

static int
gather_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct gather			*ga = arg;
	const struct m_a_group		*mg = m;
	const struct m_a_template	*mt = m;
	json_t				*row = NULL;

	switch (type) {
	case IMSG_A_USER:
		row = json_a_user(m);
		break;
	case IMSG_A_GROUP:
		row = json_pack("{sI sI ss so}", "id",
		    (json_int_t)mg->group, "version",
		    (json_int_t)mg->version, "name", mg->name, "members",
		    api_ids(&mg->members));
		break;
	case IMSG_A_ALERT:
		row = json_a_alert(m);
		break;
	case IMSG_A_FLOOR:
		row = json_a_floor(m);
		break;
	case IMSG_A_ROLE:
		row = json_a_role(m);
		break;
	case IMSG_A_TEMPLATE:
		row = json_string(mt->name);
		break;
	case IMSG_A_LINK:
		json_decref(ga->ga_link);
		ga->ga_link = json_a_link(cn, m);
		return (0);
	default:
		if (((const struct m_result *)m)->code == R_OK)
			gather_reply(cn, ga);
		else
			api_result(cn, m);
		return (1);
	}
	(void)json_array_append_new(ga->ga_rows, row);
	return (0);
}

/* Ask storage and answer with what comes. */
static void
gather(struct conn *cn, enum imsg_type type, const void *m, const char *name,
    int one, int status)
{
	struct gather	*ga;

	if ((ga = calloc(1, sizeof(*ga))) == NULL) {
		api_problem(cn, 503, "busy", NULL, 1);
		return;
	}
	ga->ga_name = name;
	ga->ga_one = one;
	ga->ga_status = status;
	ga->ga_rows = json_array();
	cn->cn_job = ga;
	cn->cn_job_free = gather_free;
	if (ask_send(cn, PROC_STORAGE, type, m, gather_answer, ga) == -1)
		api_problem(cn, 503, "busy", NULL, 1);
}

static const char *
list(struct conn *cn, enum imsg_type type, const char *name)
{
	struct m_grant_only	 m = { api_grant(cn) };

	gather(cn, type, &m, name, 0, 200);
	return (NULL);
}

/* On one object, with nothing to say but its number. */
static const char *
act(struct conn *cn, enum imsg_type type, int status)
{
	struct m_grant_id	 m = { api_grant(cn), api_number(cn) };

	gather(cn, type, &m, NULL, 1, status);
	return (NULL);
}

static const char *
get_users(struct conn *cn, json_t *body)
{
	(void)body;
	return (list(cn, IMSG_A_USERS, "users"));
}

static const char *
get_alerts(struct conn *cn, json_t *body)
{
	(void)body;
	return (list(cn, IMSG_A_ALERTS, "alerts"));
}

static const char *
post_users(struct conn *cn, json_t *body)
{
	const char		*email, *name = "", *bad;
	json_t			*role;
	char			 mail[MAX_MAIL + 1];
	int			 n;
	struct m_a_user_add	 m = { .grant = api_grant(cn) };
	const struct json_field	 jf[] = {
		{ "email", JK_STRING, 1, &email, NULL },
		{ "role", JK_ANY, 1, &role, NULL },
		{ "name", JK_STRING, 0, &name, NULL },
	};

	if ((bad = json_fields(body, jf, 3)) != NULL)
		return (bad);
	if (mail_normal(mail, sizeof(mail), email) == -1)
		return ("email");
	if ((n = json_role_get(role)) == -1)
		return ("role");
	if (*name != '\0' && !name_valid(name, MAX_NAME_CHARS))
		return ("name");
	m.email = mail;
	m.role = (uint8_t)n;
	m.name = name;
	gather(cn, IMSG_A_USER_ADD, &m, "user", 1, 201);
	return (NULL);
}

static const char *
patch_user(struct conn *cn, json_t *body)
{
	const char		*state, *name, *bad;
	json_t			*role, *was;
	int			 has[4], n;
	struct m_a_user_set	 m = { .grant = api_grant(cn),
				    .user = api_number(cn) };
	const struct json_field	 jf[] = {
		{ "role", JK_ANY, 0, &role, &has[0] },
		{ "state", JK_STRING, 0, &state, &has[1] },
		{ "name", JK_STRING, 0, &name, &has[2] },
		{ "was", JK_ANY, 0, &was, &has[3] },
	};

	if ((bad = json_fields(body, jf, 4)) != NULL)
		return (bad);
	if (has[3]) {
		if ((n = json_role_get(was)) == -1)
			return ("was");
		m.was = (uint8_t)n;
		m.mask |= SET_WAS;
	}
	if (has[0]) {
		if ((n = json_role_get(role)) == -1)
			return ("role");
		m.role = (uint8_t)n;
		m.mask |= SET_ROLE;
	}
	if (has[1]) {
		if (strcmp(state, "active") == 0)
			m.state = USER_ACTIVE;
		else if (strcmp(state, "locked") == 0)
			m.state = USER_LOCKED;
		else
			return ("state");
		m.mask |= SET_STATE;
	}
	if (has[2]) {
		if (!name_valid(name, MAX_NAME_CHARS))
			return ("name");
		m.name = name;
		m.mask |= SET_NAME;
	}
	gather(cn, IMSG_A_USER_SET, &m, "user", 1, 200);
	return (NULL);
}

static const char *
delete_user(struct conn *cn, json_t *body)
{
	(void)body;
	return (act(cn, IMSG_A_USER_DEL, 204));
}

/* Of a person: what becomes of what he wrote is to be said. */
static const char *
post_user_erase(struct conn *cn, json_t *body)
{
	const char		*messages, *bad;
	struct m_a_erase	 m = { .grant = api_grant(cn),
				    .id = api_number(cn) };
	const struct json_field	 jf[] = {
		{ "messages", JK_STRING, 1, &messages, NULL },
	};

	if ((bad = json_fields(body, jf, 1)) != NULL)
		return (bad);
	if (strcmp(messages, "keep") == 0)
		m.what = ERASE_NAMES;
	else if (strcmp(messages, "erase") == 0)
		m.what = ERASE_PERSON;
	else
		return ("messages");
	gather(cn, IMSG_A_ERASE, &m, NULL, 1, 204);
	return (NULL);
}

/* Of messages, on one floor or on all of them. */
static const char *
messages_erase(struct conn *cn, json_t *body, uint8_t what, uint32_t floor)
{
	struct m_a_erase	 m = { .grant = api_grant(cn), .what = what,
				    .id = floor };
	const char		*bad;
	const struct json_field	 jf[] = {
		{ "from", JK_UINT, what == ERASE_FLOORS, &m.from, NULL },
		{ "to", JK_UINT, 0, &m.to, NULL },
	};

	if ((bad = json_fields(body, jf, 2)) != NULL)
		return (bad);
	gather(cn, IMSG_A_ERASE, &m, NULL, 1, 204);
	return (NULL);
}

static const char *
post_floor_erase(struct conn *cn, json_t *body)
{
	return (messages_erase(cn, body, ERASE_FLOOR, api_number(cn)));
}

static const char *
post_floors_erase(struct conn *cn, json_t *body)
{
	return (messages_erase(cn, body, ERASE_FLOORS, 0));
}

static const char *
post_user_invite(struct conn *cn, json_t *body)
{
	(void)body;
	return (act(cn, IMSG_A_USER_LINK, 201));
}

static const char *
get_groups(struct conn *cn, json_t *body)
{
	(void)body;
	return (list(cn, IMSG_A_GROUPS, "groups"));
}

static const char *
group_change(struct conn *cn, json_t *body, enum imsg_type type,
    uint32_t group, int status)
{
	static uint8_t		 ids[4 * MAX_MEMBERS];
	const char		*name, *bad;
	json_t			*members;
	ssize_t			 n;
	int			 has[3];
	struct m_a_group	 m = { .grant = api_grant(cn), .group = group };
	const struct json_field	 jf[] = {
		{ "name", JK_STRING, type == IMSG_A_GROUP_ADD, &name, &has[0] },
		{ "members", JK_ANY, 0, &members, &has[1] },
		{ "version", JK_UINT, 0, &m.version, &has[2] },
	};

	if ((bad = json_fields(body, jf, 3)) != NULL)
		return (bad);
	if (has[2])
		m.mask |= SET_WAS;
	if (has[0]) {
		if (!name_valid(name, MAX_NAME_CHARS))
			return ("name");
		m.name = name;
		m.mask |= SET_NAME;
	}
	if (has[1]) {
		if ((n = json_ids(members, ids, MAX_MEMBERS)) == -1)
			return ("members");
		m.members.mb_data = ids;
		m.members.mb_len = 4 * (size_t)n;
		m.mask |= SET_MEMBERS;
	}
	gather(cn, type, &m, "group", 1, status);
	return (NULL);
}

static const char *
post_groups(struct conn *cn, json_t *body)
{
	return (group_change(cn, body, IMSG_A_GROUP_ADD, 0, 201));
}

static const char *
patch_group(struct conn *cn, json_t *body)
{
	return (group_change(cn, body, IMSG_A_GROUP_SET, api_number(cn), 200));
}

static const char *
delete_group(struct conn *cn, json_t *body)
{
	(void)body;
	return (act(cn, IMSG_A_GROUP_DEL, 204));
}

static const char *
get_templates(struct conn *cn, json_t *body)
{
	(void)body;
	return (list(cn, IMSG_A_TEMPLATES, "templates"));
}

static const char *
get_floors(struct conn *cn, json_t *body)
{
	(void)body;
	return (list(cn, IMSG_A_FLOORS, "floors"));
}

static const char *
post_floors(struct conn *cn, json_t *body)
{
	const char		*name, *template, *bad;
	struct m_a_floor	 m = { .grant = api_grant(cn), .open = 1,
				    .mask = SET_NAME | SET_OPEN };
	const struct json_field	 jf[] = {
		{ "name", JK_STRING, 1, &name, NULL },
		{ "template", JK_STRING, 1, &template, NULL },
	};

	if ((bad = json_fields(body, jf, 2)) != NULL)
		return (bad);
	if (!name_valid(name, MAX_NAME_CHARS))
		return ("name");
	if (!name_valid(template, MAX_NAME_CHARS))
		return ("template");
	m.name = name;
	m.template = template;
	gather(cn, IMSG_A_FLOOR_ADD, &m, "floor", 1, 201);
	return (NULL);
}

/* An array of strings, each one word, as a text: 0, or -1 and which not. */
static int
words_from(json_t *array, char *text, size_t size,
    char wrong[POLICY_WORD + 1])
{
	const char	*word;
	json_t		*v;
	size_t		 i;

	text[0] = wrong[0] = '\0';
	if (!json_is_array(array))
		return (-1);
	json_array_foreach(array, i, v) {
		word = json_string_value(v);
		if (word == NULL || policy_next(word, wrong) == NULL ||
		    strpbrk(word, " ,\t\r\n") != NULL)
			return (-1);
		wrong[0] = '\0';
		if (strlcat(text, word, size) >= size ||
		    strlcat(text, " ", size) >= size)
			return (-1);
	}
	return (0);
}

/* A list with a word in it that may not stand there: 422, and which. */
static const char *
wrong_word(struct conn *cn, const char *field, const char *wrong)
{
	if (wrong[0] == '\0')
		return (field);
	api_problem_value(cn, 422, "field", field, wrong);
	return ("");
}

/* The list as a text that is good until the next one, or NULL. */
static const char *
floor_networks(json_t *array, char wrong[POLICY_WORD + 1])
{
	static char	 text[NETWORKS_TEXT];
	struct networks	 ns;

	if (words_from(array, text, sizeof(text), wrong) == -1 ||
	    networks_parse(&ns, text, wrong, POLICY_WORD + 1) != NETWORK_OK)
		return (NULL);
	return (text);
}

/* All of it, or the name of what is wrong. */
static const char *
floor_talk_from(json_t *o, struct m_a_floor *m)
{
	const char	*way, *bad;
	int		 voice, video, screen, n;
	const struct json_field	 jf[] = {
		{ "voice", JK_BOOL, 1, &voice, NULL },
		{ "video", JK_BOOL, 1, &video, NULL },
		{ "screen", JK_BOOL, 1, &screen, NULL },
		{ "way", JK_STRING, 1, &way, NULL },
	};

	if ((bad = json_fields(o, jf, 4)) != NULL)
		return (bad);
	if ((n = way_number(way)) == -1)
		return ("way");
	m->way = (uint8_t)n;
	m->can = (uint8_t)((voice ? RIGHT_VOICE : 0) |
	    (video ? RIGHT_VIDEO : 0) | (screen ? RIGHT_SCREEN : 0));
	m->mask |= SET_TALK;
	return (NULL);
}

static const char *
patch_floor(struct conn *cn, json_t *body)
{
	static uint8_t		 uids[4 * MAX_MEMBERS], gids[4 * MAX_GROUPS];
	const char		*name, *bad;
	char			 wrong[POLICY_WORD + 1];
	json_t			*users, *groups, *networks, *talk;
	ssize_t			 n;
	int			 has[7], open;
	struct m_a_floor	 m = { .grant = api_grant(cn),
				    .floor = api_number(cn) };
	const struct json_field	 jf[] = {
		{ "name", JK_STRING, 0, &name, &has[0] },
		{ "open", JK_BOOL, 0, &open, &has[1] },
		{ "users", JK_ANY, 0, &users, &has[2] },
		{ "groups", JK_ANY, 0, &groups, &has[3] },
		{ "networks", JK_ANY, 0, &networks, &has[4] },
		{ "version", JK_UINT, 0, &m.version, &has[5] },
		{ "talk", JK_ANY, 0, &talk, &has[6] },
	};

	if ((bad = json_fields(body, jf, 7)) != NULL)
		return (bad);
	if (has[5])
		m.mask |= SET_WAS;
	if (has[0]) {
		if (!name_valid(name, MAX_NAME_CHARS))
			return ("name");
		m.name = name;
		m.mask |= SET_NAME;
	}
	if (has[1]) {
		m.open = (uint8_t)open;
		m.mask |= SET_OPEN;
	}
	if (has[2]) {
		if ((n = json_ids(users, uids, MAX_MEMBERS)) == -1)
			return ("users");
		m.users.mb_data = uids;
		m.users.mb_len = 4 * (size_t)n;
		m.mask |= SET_USERS;
	}
	if (has[3]) {
		if ((n = json_ids(groups, gids, MAX_GROUPS)) == -1)
			return ("groups");
		m.groups.mb_data = gids;
		m.groups.mb_len = 4 * (size_t)n;
		m.mask |= SET_GROUPS;
	}
	if (has[4]) {
		if ((m.networks = floor_networks(networks, wrong)) == NULL)
			return (wrong_word(cn, "networks", wrong));
		m.mask |= SET_NETWORKS;
	}
	if (has[6] && (bad = floor_talk_from(talk, &m)) != NULL)
		return (bad);
	gather(cn, IMSG_A_FLOOR_SET, &m, "floor", 1, 200);
	return (NULL);
}

static const char *
delete_floor(struct conn *cn, json_t *body)
{
	(void)body;
	return (act(cn, IMSG_A_FLOOR_DEL, 204));
}

/*
 * Roles.
 */

static const char *
get_roles(struct conn *cn, json_t *body)
{
	(void)body;
	return (list(cn, IMSG_A_ROLES, "roles"));
}

static const char *
post_roles(struct conn *cn, json_t *body)
{
	const char		*name, *bad;
	json_t			*can;
	struct m_a_role		 m = { .grant = api_grant(cn) };
	const struct json_field	 jf[] = {
		{ "name", JK_STRING, 1, &name, NULL },
		{ "can", JK_ANY, 1, &can, NULL },
	};

	if ((bad = json_fields(body, jf, 2)) != NULL)
		return (bad);
	if (!name_valid(name, MAX_NAME_CHARS))
		return ("name");
	if (json_can_get(can, &m.can) == -1)
		return ("can");
	m.name = name;
	gather(cn, IMSG_A_ROLE_ADD, &m, "role", 1, 201);
	return (NULL);
}

/* In the path: one of the tenant's own, else a number that no role has. */
static uint8_t
role_of_path(const struct conn *cn)
{
	uint32_t	 n = api_number(cn);

	return (n >= ROLE_CUSTOM && n <= UINT8_MAX ? (uint8_t)n :
	    ROLE_CUSTOM - 1);
}

static const char *
role_change(struct conn *cn, json_t *body, uint8_t role)
{
	const char		*name, *bad;
	json_t			*can;
	int			 has[2];
	struct m_a_role		 m = { .grant = api_grant(cn), .role = role };
	const struct json_field	 jf[] = {
		{ "version", JK_UINT, 1, &m.version, NULL },
		{ "name", JK_STRING, 0, &name, &has[0] },
		{ "can", JK_ANY, 0, &can, &has[1] },
	};

	if ((bad = json_fields(body, jf, 3)) != NULL)
		return (bad);
	if (has[0]) {
		if (role < ROLE_MAX || !name_valid(name, MAX_NAME_CHARS))
			return ("name");
		m.name = name;
		m.mask |= SET_NAME;
	}
	if (has[1]) {
		if (json_can_get(can, &m.can) == -1)
			return ("can");
		m.mask |= SET_CAN;
	}
	gather(cn, IMSG_A_ROLE_SET, &m, "role", 1, 200);
	return (NULL);
}

static const char *
patch_role(struct conn *cn, json_t *body)
{
	return (role_change(cn, body, role_of_path(cn)));
}

static const char *
patch_role_member(struct conn *cn, json_t *body)
{
	return (role_change(cn, body, ROLE_MEMBER));
}

static const char *
patch_role_guest(struct conn *cn, json_t *body)
{
	return (role_change(cn, body, ROLE_GUEST));
}

static const char *
delete_role(struct conn *cn, json_t *body)
{
	struct m_a_role		 m = { .grant = api_grant(cn),
				    .role = role_of_path(cn) };
	const struct json_field	 jf[] = {
		{ "version", JK_UINT, 1, &m.version, NULL },
	};
	const char		*bad;

	if ((bad = json_fields(body, jf, 1)) != NULL)
		return (bad);
	gather(cn, IMSG_A_ROLE_DEL, &m, NULL, 1, 204);
	return (NULL);
}

/* The title as the job of the connection, until storage has it. */
static int
tenant_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct tenant	*tn = site_tenant(cn->cn_login->lg_tenant);

	if (type != IMSG_RESULT)
		return (0);
	if (((const struct m_result *)m)->code == R_OK && tn != NULL)
		api_reply(cn, 200, json_pack("{s{ss ss}}", "tenant", "name",
		    tn->tn_name, "title", (const char *)arg));
	else
		api_result(cn, m);
	return (1);
}

static const char *
patch_tenant(struct conn *cn, json_t *body)
{
	const char		*title, *bad;
	struct m_a_tenant	 m = { .grant = api_grant(cn) };
	const struct json_field	 jf[] = {
		{ "title", JK_STRING, 1, &title, NULL },
	};

	if ((bad = json_fields(body, jf, 1)) != NULL)
		return (bad);
	if (!name_valid(title, MAX_TITLE_CHARS))
		return ("title");
	m.title = title;
	if ((cn->cn_job = strdup(title)) == NULL) {
		api_problem(cn, 503, "busy", NULL, 1);
		return ("");
	}
	cn->cn_job_free = free;
	if (ask_send(cn, PROC_STORAGE, IMSG_A_TENANT_SET, &m,
	    tenant_answer, cn->cn_job) == -1)
		api_problem(cn, 503, "busy", NULL, 1);
	return (NULL);
}

/*
 * The rules of the tenant.
 */

static json_t *
json_presets(void)
{
	const struct policy_preset	*pp;
	json_t				*all = json_object(), *one;
	size_t				 i, j;

	for (i = 0; i < POLICY_PRESETS; i++) {
		pp = &policy_presets[i];
		one = json_object();
		for (j = 0; j < pp->pp_n; j++)
			(void)json_object_set_new(one,
			    policy_rules[pp->pp_set[j].key].pr_name,
			    json_integer((json_int_t)pp->pp_set[j].value));
		(void)json_object_set_new(all, pp->pp_name, one);
	}
	return (all);
}

static json_t *
json_policy(const struct policy *po)
{
	json_t	*values = json_object(), *bounds = json_object();
	size_t	 i;

	for (i = 0; i < POLICY_KEYS; i++) {
		(void)json_object_set_new(values, policy_rules[i].pr_name,
		    json_integer((json_int_t)po->po_value[i]));
		(void)json_object_set_new(bounds, policy_rules[i].pr_name,
		    json_pack("[II]", (json_int_t)policy_rules[i].pr_min,
		    (json_int_t)policy_rules[i].pr_max));
	}
	for (i = 0; i < POLICY_LISTS; i++)
		(void)json_object_set_new(values, policy_lists[i].pw_name,
		    json_words(po->po_list[i]));
	return (json_pack("{so so so}", "policy", values, "bounds", bounds,
	    "presets", json_presets()));
}

static int
list_from(json_t *array, struct policy *po, enum policy_list list,
    char wrong[POLICY_WORD + 1])
{
	char	 text[2 * POLICY_TEXT];

	return (words_from(array, text, sizeof(text), wrong) == -1 ? -1 :
	    policy_list(po, list, text, wrong));
}

/* All rules from an object: NULL, or the name of the first at fault. */
static const char *
policy_from(json_t *o, struct policy *po, char wrong[POLICY_WORD + 1])
{
	struct json_field	 jf[POLICY_KEYS + POLICY_LISTS];
	uint64_t		 value[POLICY_KEYS];
	json_t			*list[POLICY_LISTS];
	const char		*bad;
	size_t			 i;

	for (i = 0; i < POLICY_KEYS; i++)
		jf[i] = (struct json_field){ policy_rules[i].pr_name, JK_UINT,
		    1, &value[i], NULL };
	for (i = 0; i < POLICY_LISTS; i++)
		jf[POLICY_KEYS + i] = (struct json_field){
		    policy_lists[i].pw_name, JK_ANY, 1, &list[i], NULL };
	if ((bad = json_fields(o, jf, POLICY_KEYS + POLICY_LISTS)) != NULL)
		return (bad);
	policy_default(po);
	for (i = 0; i < POLICY_KEYS; i++) {
		if (value[i] > UINT32_MAX)
			return (policy_rules[i].pr_name);
		po->po_value[i] = (uint32_t)value[i];
	}
	for (i = 0; i < POLICY_LISTS; i++)
		if (list_from(list[i], po, (enum policy_list)i, wrong) == -1)
			return (policy_lists[i].pw_name);
	return (policy_check(po));
}

static const char *
get_policy(struct conn *cn, json_t *body)
{
	(void)body;
	api_reply(cn, 200, json_policy(&session_tenant(cn)->tn_policy));
	return ("");
}

static int
policy_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	(void)type;
	if (((const struct m_result *)m)->code == R_OK)
		api_reply(cn, 200, json_policy(arg));
	else
		api_result(cn, m);
	return (1);
}

/* All of them, and what they were when the administrator began. */
static const char *
patch_policy(struct conn *cn, json_t *body)
{
	uint8_t			 wasbuf[POLICY_BYTES], buf[POLICY_BYTES];
	char			 wrong[POLICY_WORD + 1];
	json_t			*jwas, *jpolicy;
	struct policy		 was, *po;
	const char		*bad;
	struct m_a_policy	 m = { api_grant(cn), { wasbuf, 0 },
				    { buf, 0 } };
	const struct json_field	 jf[] = {
		{ "was", JK_ANY, 1, &jwas, NULL },
		{ "policy", JK_ANY, 1, &jpolicy, NULL },
	};

	if ((bad = json_fields(body, jf, 2)) != NULL ||
	    (bad = policy_from(jwas, &was, wrong)) != NULL)
		return (bad);
	if ((po = malloc(sizeof(*po))) == NULL) {
		api_problem(cn, 503, "busy", NULL, 1);
		return ("");
	}
	cn->cn_job = po;
	cn->cn_job_free = free;
	wrong[0] = '\0';
	if ((bad = policy_from(jpolicy, po, wrong)) != NULL)
		return (wrong_word(cn, bad, wrong));
	m.was.mb_len = policy_write(&was, wasbuf);
	m.policy.mb_len = policy_write(po, buf);
	if (ask_send(cn, PROC_STORAGE, IMSG_A_POLICY_SET, &m, policy_answer,
	    po) == -1)
		api_problem(cn, 503, "busy", NULL, 1);
	return (NULL);
}

#define ADMIN	"/api/v1/admin"

const struct route	 api_admin_routes[] = {
	{ HTTP_GET, ADMIN "/users", NEED_ADMIN, get_users },
	{ HTTP_POST, ADMIN "/users", NEED_ADMIN, post_users },
	{ HTTP_PATCH, ADMIN "/users/#", NEED_ADMIN, patch_user },
	{ HTTP_DELETE, ADMIN "/users/#", NEED_ADMIN, delete_user },
	{ HTTP_POST, ADMIN "/users/#/invite", NEED_ADMIN, post_user_invite },
	{ HTTP_POST, ADMIN "/users/#/erase", NEED_ADMIN, post_user_erase },
	{ HTTP_POST, ADMIN "/floors/#/erase", NEED_ADMIN, post_floor_erase },
	{ HTTP_POST, ADMIN "/messages/erase", NEED_ADMIN, post_floors_erase },
	{ HTTP_GET, ADMIN "/groups", NEED_ADMIN, get_groups },
	{ HTTP_POST, ADMIN "/groups", NEED_ADMIN, post_groups },
	{ HTTP_PATCH, ADMIN "/groups/#", NEED_ADMIN, patch_group },
	{ HTTP_DELETE, ADMIN "/groups/#", NEED_ADMIN, delete_group },
	{ HTTP_GET, ADMIN "/templates", NEED_ADMIN, get_templates },
	{ HTTP_GET, ADMIN "/floors", NEED_ADMIN, get_floors },
	{ HTTP_POST, ADMIN "/floors", NEED_ADMIN, post_floors },
	{ HTTP_PATCH, ADMIN "/floors/#", NEED_ADMIN, patch_floor },
	{ HTTP_DELETE, ADMIN "/floors/#", NEED_ADMIN, delete_floor },
	{ HTTP_GET, ADMIN "/roles", NEED_ADMIN, get_roles },
	{ HTTP_POST, ADMIN "/roles", NEED_ADMIN, post_roles },
	{ HTTP_PATCH, ADMIN "/roles/#", NEED_ADMIN, patch_role },
	{ HTTP_DELETE, ADMIN "/roles/#", NEED_ADMIN, delete_role },
	{ HTTP_PATCH, ADMIN "/roles/member", NEED_ADMIN, patch_role_member },
	{ HTTP_PATCH, ADMIN "/roles/guest", NEED_ADMIN, patch_role_guest },
	{ HTTP_PATCH, ADMIN "/tenant", NEED_ADMIN, patch_tenant },
	{ HTTP_GET, ADMIN "/policy", NEED_ADMIN, get_policy },
	{ HTTP_PATCH, ADMIN "/policy", NEED_ADMIN, patch_policy },
	{ HTTP_GET, ADMIN "/alerts", NEED_ADMIN, get_alerts },
};
const size_t	 api_admin_nroutes = sizeof(api_admin_routes) /
		    sizeof(api_admin_routes[0]);
