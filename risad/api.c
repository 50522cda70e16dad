#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "floor.h"
#include "limit.h"
#include "log.h"
#include "session.h"
#include "utf8.h"
#include "util.h"

#define COOKIE		"__Host-risa"
#define DEVICE		"__Host-risa-device"
#define COOKIE_FLAGS	"; Path=/; Secure; HttpOnly; SameSite=Lax"
#define DEVICE_AGE	"34560000"	/* s: as long as browsers allow */
#define HISTORY_MAX	100
#define FULL_RETRY	30		/* s, until one may come again */

static const struct route	*route_now;	/* of the request handled now */

void
api_ask(struct conn *cn, enum proc_type to, enum imsg_type type, const void *m,
    int (*fn)(struct conn *, uint32_t, const void *, void *), void *arg)
{
	if (ask_send(cn, to, type, m, fn, arg) == -1)
		api_problem(cn, 503, "busy", NULL, 1);
}

uint64_t
api_grant(const struct conn *cn)
{
	return (cn->cn_login->lg_grant);
}

struct tenant *
api_tenant(struct conn *cn)
{
	struct tenant	*tn = session_tenant(cn);

	if (tn == NULL)
		api_problem(cn, 421, "host", NULL, 0);
	return (tn);
}

/*
 * Paths.
 */

/* Does the path fit the pattern?  '#' is a number, '*' a token. */
static int
path_fits(const char *path, const char *pattern)
{
	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '#') {
			if (*path < '1' || *path > '9')
				return (0);
			while (*path >= '0' && *path <= '9')
				path++;
		} else if (*pattern == '*') {
			if (*path == '/' || *path == '\0')
				return (0);
			while (*path != '/' && *path != '\0')
				path++;
		} else if (*path++ != *pattern)
			return (0);
	}
	return (*path == '\0');
}

uint32_t
api_number(const struct conn *cn)
{
	const char	*p = cn->cn_req->hr_path + strcspn(route_now->ro_path,
			    "#");
	uint64_t	 n = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		if ((n = n * 10 + (uint64_t)(*p - '0')) > UINT32_MAX)
			return (0);		/* nobody has this number */
	return ((uint32_t)n);
}

int
api_token(const struct conn *cn, uint8_t token[TOKEN_LEN])
{
	const char	*p = cn->cn_req->hr_path + strcspn(route_now->ro_path,
			    "*");
	char		 text[TOKEN_TEXT];
	size_t		 len = strcspn(p, "/");
	int		 ret;

	if (len >= sizeof(text))
		return (-1);
	memcpy(text, p, len);
	text[len] = '\0';
	ret = b64url_decode(token, TOKEN_LEN, text);
	explicit_bzero(text, sizeof(text));
	return (ret);
}

void
api_link_url(struct conn *cn, const char *page, const uint8_t *token,
    char *dst, size_t len)
{
	char	 text[TOKEN_TEXT], port[8] = "";

	b64url_encode(text, sizeof(text), token, TOKEN_LEN);
	if (cn->cn_req->hr_port != 0 && cn->cn_req->hr_port != 443)
		(void)snprintf(port, sizeof(port), ":%u", cn->cn_req->hr_port);
	(void)snprintf(dst, len, "https://%s%s/%s/%s", cn->cn_req->hr_host,
	    port, page, text);
}

/*
 * Signing in and out.
 */

/* Has he the console of an administrator, from where he is? */
static int
api_console(const struct conn *cn)
{
	const struct tenant	*tn = site_tenant(cn->cn_login->lg_tenant);

	return (cn->cn_login->lg_role == ROLE_ADMIN && tn != NULL &&
	    policy_welcomes(&tn->tn_policy, POLICY_ADMIN_NETWORKS,
	    cn->cn_addr));
}

static json_t *
json_me(const struct conn *cn)
{
	const struct login	*lg = cn->cn_login;
	struct tenant		*tn = site_tenant(lg->lg_tenant);
	json_t			*o;

	o = json_pack("{so so s{ss ss} s{si sI} so sI ss sb so*}", "user",
	    json_user(lg), "can", json_can(lg->lg_can), "tenant", "name",
	    tn == NULL ? "" : tn->tn_name, "title",
	    tn == NULL ? "" : tn->tn_title, "limits", "idle",
	    (int)lg->lg_idle, "absolute", (json_int_t)lg->lg_expires, "must",
	    json_must(lg->lg_must), "password", (json_int_t)lg->lg_changed,
	    "address", cn->cn_addr, "console", api_console(cn), "policy",
	    tn == NULL ? NULL : password_rules(tn, lg->lg_role));
	if (lg->lg_door)
		(void)json_object_set_new(o, "door", json_true());
	return (o);
}

static void
signin_free(void *arg)
{
	freezero(arg, sizeof(struct signin));
}

void
signin_reply(struct conn *cn)
{
	struct signin		*si = cn->cn_job;
	struct http_reply	 hp = { .hp_status = 201 };
	char			 text[TOKEN_TEXT], cookie[128], device[192];
	json_t			*o = json_me(cn);

	b64url_encode(text, sizeof(text), si->si_token, TOKEN_LEN);
	(void)snprintf(cookie, sizeof(cookie),
	    COOKIE "=%s" COOKIE_FLAGS, text);
	hp.hp_cookie = cookie;
	(void)snprintf(device, sizeof(device), DEVICE "=%s" COOKIE_FLAGS
	    "; Max-Age=" DEVICE_AGE, si->si_device);
	if (si->si_device[0] != '\0')
		hp.hp_device = device;
	(void)json_object_set_new(o, "failures",
	    json_integer((json_int_t)si->si_failures));
	(void)json_object_del(o, "limits");
	if (si->si_left != -1)
		(void)json_object_set_new(o, "recovery",
		    json_integer(si->si_left));
	api_reply_json(cn, &hp, o);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(cookie, sizeof(cookie));
	explicit_bzero(device, sizeof(device));
}

static int
signin_granted(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct signin	*si = arg;
	struct login	*lg;

	if (type != IMSG_GRANT) {
		api_result(cn, m);
		return (1);
	}
	if ((lg = login_new(m, si->si_token, cn->cn_addr)) == NULL) {
		api_problem(cn, 503, "busy", NULL, 1);
		return (1);
	}
	login_use(cn, lg);
	if (si->si_go != NULL)
		si->si_go(cn, si);
	else
		signin_reply(cn);
	return (1);
}

/*
 * Not right, in distinction to not now, to a second step that is due, and to
 * a new password that will not do.
 */
static int
is_failure(const struct m_result *m)
{
	switch (m->code) {
	case R_SIGNIN:
	case R_LINK:
	case R_LOCKED:
	case R_TOOMANY:
	case R_ADDRESS:
		return (1);
	case R_FACTOR:
		return ((m->arg & FACTOR_WRONG) != 0);
	default:
		return (0);
	}
}

int
signin_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct signin		*si = arg;
	const struct m_login_ok	*ok = m;
	struct tenant		*tn;
	struct m_token		 mt = { 0 };

	if (type != IMSG_LOGIN_OK) {
		if (is_failure(m))
			access_failed(cn, si->si_mail);
		api_result(cn, m);
		return (1);
	}
	if ((tn = session_tenant(cn)) == NULL) {
		api_problem(cn, 401, "sign-in", NULL, 0);
		return (1);
	}
	memcpy(si->si_token, ok->token, TOKEN_LEN);
	if (ok->method == FACTOR_RECOVERY)
		si->si_left = ok->left;
	(void)strlcpy(si->si_device, ok->device, sizeof(si->si_device));
	si->si_failures = ok->failures;
	mt.tenant = tn->tn_id;
	mt.addr = cn->cn_addr;
	memcpy(mt.token, si->si_token, TOKEN_LEN);
	api_ask(cn, PROC_AUTH, IMSG_TOKEN, &mt, signin_granted, si);
	explicit_bzero(&mt, sizeof(mt));
	return (1);
}

struct signin *
signin_start(struct conn *cn)
{
	struct signin	*si;

	if ((si = calloc(1, sizeof(*si))) == NULL) {
		api_problem(cn, 503, "busy", NULL, 1);
		return (NULL);
	}
	si->si_left = -1;
	cn->cn_job = si;
	cn->cn_job_free = signin_free;
	return (si);
}

void
user_agent(const struct conn *cn, char *dst, size_t size)
{
	const char	*v;
	size_t		 len;

	dst[0] = '\0';
	if ((v = http_header(cn->cn_req, "User-Agent", &len)) == NULL)
		return;
	if (len >= size)
		len = size - 1;
	memcpy(dst, v, len);
	dst[len] = '\0';
	if (!utf8_valid(dst, len))
		dst[0] = '\0';
}

/* The token of a known device; two of them, or what does not fit, is none. */
static const char *
known_device(struct conn *cn, char device[MAX_DEVICE + 1])
{
	if (http_cookie(cn->cn_req, DEVICE, device, MAX_DEVICE + 1) >= 0)
		return (device);
	return ("");
}

/* A passkey is all that is needed, or the second step after a password. */
static const char *
session_passkey(struct conn *cn, json_t *passkey, const char *mail,
    const char *password)
{
	struct m_passkey_login	 m = { .tenant = session_tenant(cn)->tn_id,
				    .addr = cn->cn_addr, .email = mail,
				    .password = password };
	struct passkey_bytes	 bytes;
	struct signin		*si;
	char			 agent[MAX_AGENT + 1];
	char			 device[MAX_DEVICE + 1];

	if (api_passkey_login(passkey, &bytes, &m) == -1)
		return ("passkey");
	if ((si = signin_start(cn)) == NULL)
		return ("");
	(void)strlcpy(si->si_mail, mail, sizeof(si->si_mail));
	user_agent(cn, agent, sizeof(agent));
	m.agent = agent;
	m.device = known_device(cn, device);
	api_ask(cn, PROC_AUTH, IMSG_PASSKEY_LOGIN, &m, signin_answer, si);
	return (NULL);
}

static const char *
post_session(struct conn *cn, json_t *body)
{
	const char	*email, *password, *otp = "";
	char		 mail[MAX_MAIL + 1], agent[MAX_AGENT + 1];
	char		 device[MAX_DEVICE + 1];
	struct signin	*si;
	struct m_login	 m = { 0 };
	json_t		*passkey = json_object_get(body, "passkey");
	const struct json_field	 jf[] = {
		{ "email", JK_STRING, 1, &email, NULL },
		{ "password", JK_STRING, 1, &password, NULL },
		{ "otp", JK_STRING, 0, &otp, NULL },
		{ "passkey", JK_ANY, 0, &passkey, NULL },
	};
	const char	*bad;

	if (passkey != NULL && json_object_size(body) == 1)
		return (session_passkey(cn, passkey, "", ""));
	if ((bad = json_fields(body, jf, 4)) != NULL)
		return (bad);
	if (mail_normal(mail, sizeof(mail), email) == -1)
		return ("email");
	if (strlen(password) > MAX_PASSWORD || *password == '\0')
		return ("password");
	if (strlen(otp) > MAX_OTP)
		return ("otp");
	if (passkey != NULL)
		return (session_passkey(cn, passkey, mail, password));
	if ((si = signin_start(cn)) == NULL)
		return ("");
	(void)strlcpy(si->si_mail, mail, sizeof(si->si_mail));
	user_agent(cn, agent, sizeof(agent));
	m.tenant = session_tenant(cn)->tn_id;
	m.addr = cn->cn_addr;
	m.agent = agent;
	m.email = mail;
	m.password = password;
	m.otp = otp;
	m.device = known_device(cn, device);
	api_ask(cn, PROC_AUTH, IMSG_LOGIN, &m, signin_answer, si);
	return (NULL);
}

static const char *
get_session(struct conn *cn, json_t *body)
{
	(void)body;
	api_reply(cn, 200, json_me(cn));
	return ("");
}

static int
signed_out(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct http_reply	 hp = { .hp_status = 204, .hp_clear = 1 };
	const struct m_result	*mr = m;

	(void)arg;
	if (type != IMSG_RESULT)
		return (0);
	if (mr->code != R_OK && mr->code != R_SESSION) {
		api_result(cn, m);
		return (1);
	}
	hp.hp_cookie = COOKIE "=" COOKIE_FLAGS "; Max-Age=0";
	login_drop(cn->cn_login, END_SIGNOUT);
	api_reply_bytes(cn, &hp, NULL);
	return (1);
}

static const char *
delete_session(struct conn *cn, json_t *body)
{
	struct m_grant_only	 m = { api_grant(cn) };

	(void)body;
	api_ask(cn, PROC_STORAGE, IMSG_SIGNOUT, &m, signed_out, NULL);
	return (NULL);
}

int
api_plain(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	(void)arg;
	if (type != IMSG_RESULT)
		return (0);
	api_result(cn, m);
	return (1);
}

/*
 * What everybody who is signed in may ask.
 */

static const char *
get_tenant(struct conn *cn, json_t *body)
{
	struct tenant	*tn = session_tenant(cn);

	(void)body;
	api_reply(cn, 200, json_pack("{s{ss ss} s[ss] s[ss] so s[]}",
	    "tenant", "name", tn->tn_name, "title", tn->tn_title, "methods",
	    "password", "passkey", "languages", "ja", "en", "policy",
	    password_rules(tn, ROLE_MEMBER), "notices"));
	return ("");
}

static int
me_set(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	(void)arg;
	if (type != IMSG_USER) {
		api_result(cn, m);
		return (1);
	}
	login_profile(m);
	api_reply(cn, 200, json_pack("{so}", "user",
	    json_user(cn->cn_login)));
	return (1);
}

static const char *
patch_me(struct conn *cn, json_t *body)
{
	const char	*name, *lang, *status, *note, *bad;
	json_t		*look;
	int		 has[5], n;
	struct m_me_set	 m = { .grant = api_grant(cn) };
	const struct json_field	 jf[] = {
		{ "name", JK_STRING, 0, &name, &has[0] },
		{ "look", JK_ANY, 0, &look, &has[1] },
		{ "lang", JK_STRING, 0, &lang, &has[2] },
		{ "status", JK_STRING, 0, &status, &has[3] },
		{ "note", JK_STRING, 0, &note, &has[4] },
	};

	if ((bad = json_fields(body, jf, 5)) != NULL)
		return (bad);
	if (has[0]) {
		if (!name_valid(name, MAX_NAME_CHARS))
			return ("name");
		m.name = name;
	}
	if (has[1] && json_look_get(look, &m.look) == -1)
		return ("look");
	if (has[2]) {
		if ((n = lang_number(lang)) == -1)
			return ("lang");
		m.lang = (uint8_t)n;
	}
	if (has[3]) {
		if ((n = status_number(status)) == -1)
			return ("status");
		m.status = (uint8_t)n;
	}
	if (has[4]) {
		if (!note_valid(note, MAX_NOTE_CHARS))
			return ("note");
		m.note = note;
	}
	m.mask = (has[0] ? SET_NAME : 0) | (has[1] ? SET_LOOK : 0) |
	    (has[2] ? SET_LANG : 0) | (has[3] ? SET_STATUS : 0) |
	    (has[4] ? SET_NOTE : 0);
	api_ask(cn, PROC_STORAGE, IMSG_ME_SET, &m, me_set, NULL);
	return (NULL);
}

static void
job_decref(void *arg)
{
	json_decref(arg);
}

json_t *
api_list(struct conn *cn)
{
	json_t	*list = json_array();

	cn->cn_job = list;
	cn->cn_job_free = job_decref;
	return (list);
}

static int
people_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	const struct m_person	*mp = m;
	const struct m_result	*mr = m;

	if (type == IMSG_PERSON) {
		(void)json_array_append_new(arg, json_pack("{sI ss so}",
		    "user", (json_int_t)mp->user, "name", mp->name, "look",
		    json_look(mp->look)));
		return (0);
	}
	if (mr->code == R_OK)
		api_reply(cn, 200, json_pack("{sO}", "people", arg));
	else
		api_result(cn, m);
	return (1);
}

/* Numbers with commas between, big endian into the buffer; count or -1. */
static ssize_t
query_ids(const struct conn *cn, const char *name, uint8_t *dst, size_t max)
{
	char		 text[MAX_ASKED * 11], *rest = text, *word;
	const char	*errstr;
	uint32_t	 id;
	ssize_t		 len;
	size_t		 n = 0;

	if ((len = http_query(cn->cn_req, name, text, sizeof(text))) == -1)
		return (0);
	if (len < 0)
		return (-1);
	while ((word = strsep(&rest, ",")) != NULL) {
		id = htobe32((uint32_t)strtonum(word, 1, UINT32_MAX, &errstr));
		if (errstr != NULL || n == max)
			return (-1);
		memcpy(dst + n++ * sizeof(id), &id, sizeof(id));
	}
	return ((ssize_t)n);
}

static const char *
get_people(struct conn *cn, json_t *body)
{
	uint8_t		 ids[MAX_ASKED * sizeof(uint32_t)];
	struct m_people	 m = { api_grant(cn), { ids, 0 } };
	ssize_t		 n;

	(void)body;
	if ((n = query_ids(cn, "users", ids, MAX_ASKED)) == -1)
		return ("users");
	m.users.mb_len = (size_t)n * sizeof(uint32_t);
	api_ask(cn, PROC_STORAGE, IMSG_PEOPLE, &m, people_answer, api_list(cn));
	return (NULL);
}

static int
floors_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	const struct m_floor_row	*mf = m;
	const struct m_result		*mr = m;

	if (type == IMSG_FLOOR_ROW) {
		(void)json_array_append_new(arg, json_pack("{sI ss si}", "id",
		    (json_int_t)mf->floor, "name", mf->name, "people",
		    (int)floor_people(cn->cn_login->lg_tenant, mf->floor)));
		return (0);
	}
	if (mr->code == R_OK)
		api_reply(cn, 200, json_pack("{sO}", "floors", arg));
	else
		api_result(cn, m);
	return (1);
}

static const char *
get_floors(struct conn *cn, json_t *body)
{
	struct m_grant_only	 m = { api_grant(cn) };

	(void)body;
	api_ask(cn, PROC_STORAGE, IMSG_FLOORS, &m, floors_answer, api_list(cn));
	return (NULL);
}

static int
floor_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	const struct m_floor_doc	*mf = m;
	json_t				*map;

	(void)arg;
	if (type != IMSG_FLOOR_DOC) {
		api_result(cn, m);
		return (1);
	}
	map = json_loadb(mf->map.mb_data, mf->map.mb_len, 0, NULL);
	api_reply(cn, 200, json_pack("{sI ss so*}", "id",
	    (json_int_t)mf->floor, "name", mf->name, "map", map));
	return (1);
}

static const char *
get_floor(struct conn *cn, json_t *body)
{
	struct m_grant_id	 m = { api_grant(cn), api_number(cn) };

	(void)body;
	api_ask(cn, PROC_STORAGE, IMSG_FLOOR_GET, &m, floor_answer, NULL);
	return (NULL);
}

/* Messages under way to a page: the channel they are of, the list so far. */
struct history {
	char	 hi_channel[40];
	json_t	*hi_list;
};

static void
history_free(void *arg)
{
	struct history	*hi = arg;

	json_decref(hi->hi_list);
	free(hi);
}

static int
history_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	struct history		*hi = arg;
	const struct m_result	*mr = m;

	if (type == IMSG_MESSAGE) {
		(void)json_array_append_new(hi->hi_list,
		    json_message(hi->hi_channel, m));
		return (0);
	}
	if (mr->code == R_OK)
		api_reply(cn, 200, json_pack("{sO sb}", "messages",
		    hi->hi_list, "more", mr->arg != 0));
	else
		api_result(cn, m);
	return (1);
}

int
api_query(const struct conn *cn, const char *name, uint64_t *n)
{
	char		 text[24];
	const char	*errstr;
	ssize_t		 len;

	*n = 0;
	if ((len = http_query(cn->cn_req, name, text, sizeof(text))) == -1)
		return (0);
	if (len < 0)
		return (-1);
	*n = (uint64_t)strtonum(text, 1, INT64_MAX, &errstr);
	return (errstr == NULL ? 0 : -1);
}

static const char *
get_messages(struct conn *cn, json_t *body)
{
	struct m_history	 m = { .grant = api_grant(cn) };
	struct history		*hi;
	uint64_t		 limit;
	char			 channel[40];

	(void)body;
	if (http_query(cn->cn_req, "channel", channel, sizeof(channel)) < 0 ||
	    channel_parse(channel, &m.kind, &m.a, &m.b) == -1)
		return ("channel");
	if (api_query(cn, "before", &m.before) == -1)
		return ("before");
	if (api_query(cn, "limit", &limit) == -1 || limit > HISTORY_MAX)
		return ("limit");
	m.limit = limit == 0 ? 50 : (uint32_t)limit;
	if (m.kind == CHANNEL_USER)
		m.b = floor_shared(cn->cn_login->lg_tenant,
		    cn->cn_login->lg_user, m.a);
	/* Words said in a room are for those who are in it. */
	if (m.kind == CHANNEL_ROOM && !floor_user_in_room(
	    cn->cn_login->lg_tenant, cn->cn_login->lg_user, m.a, m.b)) {
		api_problem(cn, 404, "not-found", NULL, 0);
		return ("");
	}
	if ((hi = calloc(1, sizeof(*hi))) == NULL) {
		api_problem(cn, 503, "busy", NULL, 1);
		return ("");
	}
	hi->hi_list = json_array();
	(void)strlcpy(hi->hi_channel, channel, sizeof(hi->hi_channel));
	cn->cn_job = hi;
	cn->cn_job_free = history_free;
	api_ask(cn, PROC_STORAGE, IMSG_HISTORY, &m, history_answer, hi);
	return (NULL);
}

static const char *
get_ws(struct conn *cn, json_t *body)
{
	struct http_reply	 hp = { .hp_status = 101 };
	char			 head[HTTP_MAXREPLY], key[HTTP_WSKEYLEN];
	char			 accept[WS_ACCEPTLEN];
	struct chunk		*ck;
	int			 n;

	(void)body;
	n = http_websocket(cn->cn_req, key, sizeof(key));
	if (n != 101) {
		api_problem(cn, n == 0 ? 426 : n, "websocket", NULL, 0);
		return ("");
	}
	if (http_same_origin(cn->cn_req) != 1) {
		api_problem(cn, 403, "origin", NULL, 0);
		return ("");
	}
	if (!quota_page(cn->cn_login)) {
		session_stats.ss_limited++;
		api_problem(cn, 429, "too-many", NULL, FULL_RETRY);
		return ("");
	}
	if (ws_accept_key(key, accept, sizeof(accept)) == -1) {
		conn_close(cn);
		return ("");
	}
	hp.hp_accept = accept;
	hp.hp_now = time(NULL);
	n = http_reply_head(head, sizeof(head), &hp);
	if (n == -1 || (ck = chunk_from(head, (size_t)n)) == NULL) {
		conn_close(cn);
		return ("");
	}
	conn_queue(cn, ck);
	chunk_free(ck);
	access_request(cn, 101, (size_t)n);
	session_upgrade(cn);
	return ("");
}

static const struct route	 routes[] = {
	{ HTTP_GET, "/api/v1/tenant", NEED_NONE, get_tenant },
	{ HTTP_POST, "/api/v1/session", NEED_NONE, post_session },
	{ HTTP_GET, "/api/v1/session", NEED_ANY, get_session },
	{ HTTP_DELETE, "/api/v1/session", NEED_ANY, delete_session },
	{ HTTP_PATCH, "/api/v1/me", NEED_GUEST, patch_me },
	{ HTTP_GET, "/api/v1/people", NEED_LOGIN, get_people },
	{ HTTP_GET, "/api/v1/floors", NEED_GUEST, get_floors },
	{ HTTP_GET, "/api/v1/floors/#", NEED_GUEST, get_floor },
	{ HTTP_GET, "/api/v1/messages", NEED_GUEST, get_messages },
	{ HTTP_GET, "/ws", NEED_DOOR, get_ws },
};
static const size_t		 nroutes = sizeof(routes) / sizeof(routes[0]);

const struct route_table	 api_tables[] = {
	{ routes, &nroutes },
	{ api_password_routes, &api_password_nroutes },
	{ api_signin_routes, &api_signin_nroutes },
	{ api_factor_routes, &api_factor_nroutes },
	{ api_guest_routes, &api_guest_nroutes },
	{ api_import_routes, &api_import_nroutes },
	{ api_passkey_routes, &api_passkey_nroutes },
	{ api_record_routes, &api_record_nroutes },
	{ api_talk_routes, &api_talk_nroutes },
	{ api_admin_routes, &api_admin_nroutes },
};
const size_t			 api_ntables = sizeof(api_tables) /
				    sizeof(api_tables[0]);

/*
 * The way of a request: host, route, origin, body, token, role, function.
 */

static void
api_act(struct conn *cn, const struct route *ro)
{
	const struct http_request	*hr = cn->cn_req;
	json_t				*body = NULL;
	const char			*bad;

	if (hr->hr_length > 0 && (body = json_parse(cn->cn_in + hr->hr_headlen,
	    (size_t)hr->hr_length)) == NULL) {
		api_problem(cn, 400, "json", NULL, 0);
		return;
	}
	if (body == NULL)
		body = json_object();
	route_now = ro;
	bad = ro->ro_fn(cn, body);
	json_decref(body);
	if (bad != NULL && *bad != '\0')
		api_problem(cn, 422, "field", bad, 0);
}

/* Is the route for him?  Storage looks at the grant once more. */
static int
may_ask(const struct login *lg, enum need need)
{
	if (lg->lg_role == ROLE_GUEST)
		return (need == NEED_ANY || need == NEED_DOOR ||
		    (need == NEED_GUEST && !lg->lg_door));
	if (need == NEED_HOST)
		return (login_may(lg, RIGHT_GUEST));
	return (need != NEED_ADMIN || lg->lg_role == ROLE_ADMIN);
}

/* Signed in: is that enough for the route? */
static void
api_allowed(struct conn *cn, const struct route *ro)
{
	uint32_t	 ms;

	if (ro->ro_need > NEED_FIRST && cn->cn_login->lg_must != 0)
		api_problem(cn, 403, "must", NULL, 0);
	else if (!may_ask(cn->cn_login, ro->ro_need))
		api_problem(cn, 403, "forbidden", NULL, 0);
	else if (ro->ro_need == NEED_ADMIN && !api_console(cn))
		api_problem_value(cn, 403, "address", NULL, cn->cn_addr);
	else if (cn->cn_login->lg_grant == 0)
		api_problem(cn, 503, "busy", NULL, 1);
	else if ((ms = quota_asked(cn->cn_login)) != 0)
		api_problem(cn, 429, "too-many", NULL, limit_seconds(ms));
	else
		api_act(cn, ro);
}

int
api_cookie(const struct conn *cn, uint8_t token[TOKEN_LEN])
{
	char	 text[TOKEN_TEXT];
	int	 n = -1;

	if (http_cookie(cn->cn_req, COOKIE, text, sizeof(text)) >= 0)
		n = b64url_decode(token, TOKEN_LEN, text);
	explicit_bzero(text, sizeof(text));
	return (n);
}

struct login *
api_login(struct conn *cn, const struct m_grant *m)
{
	struct login	*lg = NULL;
	uint8_t		 token[TOKEN_LEN];

	if (api_cookie(cn, token) == -1)
		login_give_back(m->grant);
	else
		lg = login_new(m, token, cn->cn_addr);
	explicit_bzero(token, sizeof(token));
	return (lg);
}

static int
api_granted(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	const struct route	*ro = arg;
	struct login		*lg;

	if (type != IMSG_GRANT) {
		api_result(cn, m);
		return (1);
	}
	if ((lg = api_login(cn, m)) == NULL) {
		api_problem(cn, 503, "busy", NULL, 1);
		return (1);
	}
	login_use(cn, lg);
	if (api_tenant(cn) != NULL)
		api_allowed(cn, ro);
	return (1);
}

/* Who is it?  Known here already, or auth must be asked. */
static void
api_identify(struct conn *cn, const struct route *ro, struct tenant *tn)
{
	struct m_token	 m = { .tenant = tn->tn_id, .addr = cn->cn_addr };
	struct login	*lg;

	if (api_cookie(cn, m.token) == -1) {
		api_problem(cn, 401, "session", NULL, 0);
		return;
	}
	lg = login_find(tn->tn_id, m.token, cn->cn_addr);
	if (lg != NULL && lg->lg_grant != 0) {
		login_use(cn, lg);
		api_allowed(cn, ro);
	} else
		api_ask(cn, PROC_AUTH, IMSG_TOKEN, &m, api_granted,
		    (void *)(uintptr_t)ro);
	explicit_bzero(&m, sizeof(m));
}

static const struct route *
route_among(const struct route *ro, size_t n, const struct http_request *hr,
    char *allow, size_t allowlen)
{
	enum http_method	 method = hr->hr_method == HTTP_HEAD ?
				    HTTP_GET : hr->hr_method;
	size_t			 i;

	for (i = 0; i < n; i++) {
		if (!path_fits(hr->hr_path, ro[i].ro_path))
			continue;
		if (ro[i].ro_method == method)
			return (&ro[i]);
		if (*allow != '\0')
			(void)strlcat(allow, ", ", allowlen);
		(void)strlcat(allow, http_method_name(ro[i].ro_method),
		    allowlen);
	}
	return (NULL);
}

static void
api_healthz(struct conn *cn)
{
	struct http_reply	 hp = { .hp_status = 200, .hp_length = 3,
				    .hp_type = "text/plain; charset=utf-8" };

	if (session_draining() || !site_told())
		api_problem(cn, 503, "busy", NULL, 1);
	else
		api_reply_bytes(cn, &hp, "ok\n");
}

static int
api_safe(const struct http_request *hr)
{
	return (hr->hr_method == HTTP_GET || hr->hr_method == HTTP_HEAD);
}

static void
api_dispatch(struct conn *cn)
{
	const struct http_request	*hr = cn->cn_req;
	const struct route		*ro = NULL;
	struct tenant			*tn = session_tenant(cn);
	char				 allow[64] = "";
	size_t				 i;

	if (!site_told()) {
		api_problem(cn, 503, "busy", NULL, 1);
		return;
	}
	if (tn == NULL) {
		cn->cn_req->hr_keepalive = 0;
		api_problem(cn, 421, "host", NULL, 0);
		return;
	}
	for (i = 0; ro == NULL && i < api_ntables; i++)
		ro = route_among(api_tables[i].rt_routes, *api_tables[i].rt_n,
		    hr, allow, sizeof(allow));
	if (ro == NULL) {
		if (*allow == '\0' && api_safe(hr) &&
		    htdocs_serve(cn, hr->hr_path))
			return;
		api_nowhere(cn, allow);
		return;
	}
	if (!api_safe(hr) && http_same_origin(hr) != 1)
		api_problem(cn, 403, "origin", NULL, 0);
	else if (!api_safe(hr) && !http_is_json(hr))
		api_problem(cn, 415, "media-type", NULL, 0);
	else if (ro->ro_need == NEED_NONE)
		api_act(cn, ro);
	else
		api_identify(cn, ro, tn);
}

void
api_request(struct conn *cn)
{
	/* For whoever watches the process; no tenant is meant. */
	if (api_safe(cn->cn_req) && strcmp(cn->cn_req->hr_path,
	    "/healthz") == 0)
		api_healthz(cn);
	else
		api_dispatch(cn);
}

void
api_full(struct conn *cn)
{
	cn->cn_req->hr_keepalive = 0;
	if (!api_safe(cn->cn_req) ||
	    !htdocs_full(cn, cn->cn_req->hr_path, FULL_RETRY))
		api_problem(cn, 503, "full", NULL, FULL_RETRY);
}
