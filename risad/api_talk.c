/*
 * How a page talks on a floor: what it may send, and by which servers it comes
 * to the pages of others.
 */
#include <string.h>

#include "floor.h"
#include "session.h"
#include "talk.h"
#include "way.h"

/*
 * Those of the URLs that the way allows, with relay or without; NULL for none.
 */
static json_t *
json_urls(enum talk_way way, int relay)
{
	const char	*p = session_conf.sc_turn;
	char		 url[MAX_TURN_URL + 1];
	struct way_url	 wu;
	json_t		*list = json_array();
	size_t		 n;

	for (; (n = strcspn(p, " ")) > 0; p += n + strspn(p + n, " ")) {
		if (n >= sizeof(url))
			continue;
		memcpy(url, p, n);
		url[n] = '\0';
		if (way_fits(url, way) && way_url(&wu, url) == 0 &&
		    wu.wu_relay == relay)
			(void)json_array_append_new(list, json_string(url));
	}
	if (json_array_size(list) > 0)
		return (list);
	json_decref(list);
	return (NULL);
}

/* As RTCPeerConnection wants to have them. */
static json_t *
json_servers(const struct m_talk *m)
{
	json_t	*list = json_array(), *urls;

	if ((urls = json_urls(m->way, 0)) != NULL)
		(void)json_array_append_new(list, json_pack("{so}", "urls",
		    urls));
	if (m->until != 0 && (urls = json_urls(m->way, 1)) != NULL)
		(void)json_array_append_new(list, json_pack("{so ss ss}",
		    "urls", urls, "username", m->user, "credential",
		    m->cred));
	return (list);
}

static int
ways_answer(struct conn *cn, uint32_t type, const void *m, void *arg)
{
	const struct m_talk	*mt = m;
	const struct tenant	*tn = site_tenant(cn->cn_login->lg_tenant);

	(void)arg;
	if (type != IMSG_TALK) {
		api_result(cn, m);
		return (1);
	}
	if (tn == NULL || mt->way == WAY_TENANT) {
		api_problem(cn, 503, "busy", NULL, 1);
		return (1);
	}
	api_reply(cn, 200, json_pack("{ss so sI so sb sb s{si si}}", "way",
	    way_word(mt->way), "servers", json_servers(mt), "until",
	    (json_int_t)mt->until, "can", json_can(mt->can), "listen",
	    tn->tn_policy.po_value[POLICY_TALK_LISTEN] != 0, "hidden_mute",
	    tn->tn_policy.po_value[POLICY_TALK_HIDDEN] != 0, "limits",
	    "voice", EARSHOT_VOICES, "video", TALK_CAMERAS));
	return (1);
}

static const char *
get_talk(struct conn *cn, json_t *body)
{
	struct m_grant_id	 m = { .grant = api_grant(cn) };
	uint64_t		 floor;

	(void)body;
	if (api_query(cn, "floor", &floor) == -1 || floor == 0 ||
	    floor > UINT32_MAX)
		return ("floor");
	m.id = (uint32_t)floor;
	api_ask(cn, PROC_STORAGE, IMSG_TALK_GET, &m, ways_answer, NULL);
	return (NULL);
}

const struct route	 api_talk_routes[] = {
	{ HTTP_GET, "/api/v1/talk", NEED_GUEST, get_talk },
};
const size_t	 api_talk_nroutes = sizeof(api_talk_routes) /
		    sizeof(api_talk_routes[0]);
