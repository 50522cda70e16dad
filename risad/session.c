#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "compat/memory.h"
#include "compat/tls_ssl.h"
#include "keys_engine.h"
#include "limit.h"
#include "log.h"
#include "office.h"
#include "session.h"
#include "tick.h"
#include "util.h"

#define HEAD_MS		10000
#define BODY_MS		20000
#define IDLE_MS		60000		/* between requests */
#define PING_MS		55000		/* below the minute that proxies bear */
#define PONG_MS		25000		/* silent after it: dead */
#define WS_MAXMSG	(64 * 1024)
#define FRAMES		64		/* of one connection in one turn */
#define CERT_MAX	(64 * 1024)
#define CROWD		1000		/* connections, or more */
#define BYE_MS		1500
#define BUSY_MS		100		/* who brings so many frames in this */
#define BUSY_FRAMES	20		/* time keeps the loop busy: then it */
#define REST_MS		4		/* begins a turn so often at most */

struct session_conf	 session_conf;
struct session_stats	 session_stats;

/* A configuration on its way in. */
static struct {
	struct session_conf	 conf;
	char			 why[128];
} offer;

static int			 stopping;
static int			 told;	/* of all tenants */

TAILQ_HEAD(conn_list, conn);
static struct conn_list		 conns = TAILQ_HEAD_INITIALIZER(conns);

RB_HEAD(tenant_tree, tenant);
static struct tenant_tree	 tenants = RB_INITIALIZER(&tenants);

static int
tenant_cmp(struct tenant *a, struct tenant *b)
{
	return (a->tn_id < b->tn_id ? -1 : a->tn_id > b->tn_id);
}

RB_GENERATE_STATIC(tenant_tree, tenant, tn_entry, tenant_cmp)

struct tenant *
site_tenant(uint32_t id)
{
	struct tenant	 key = { .tn_id = id };

	return (RB_FIND(tenant_tree, &tenants, &key));
}

int
site_told(void)
{
	return (told);
}

struct tenant *
site_tenant_named(const char *name)
{
	struct tenant	*tn;

	RB_FOREACH(tn, tenant_tree, &tenants)
		if (strcmp(tn->tn_name, name) == 0)
			return (tn->tn_state == TENANT_ACTIVE ? tn : NULL);
	return (NULL);
}

static int
tenant_told(const struct m_tenant *m)
{
	struct tenant	*tn = site_tenant(m->id);
	struct policy	 was;

	if (m->gone) {
		if (tn != NULL) {
			RB_REMOVE(tenant_tree, &tenants, tn);
			free(tn);
		}
		return (0);
	}
	if (tn == NULL) {
		if ((tn = calloc(1, sizeof(*tn))) == NULL)
			return (0);
		tn->tn_id = m->id;
		RB_INSERT(tenant_tree, &tenants, tn);
	}
	tn->tn_state = m->state;
	(void)strlcpy(tn->tn_name, m->name, sizeof(tn->tn_name));
	if (strcmp(tn->tn_title, m->title) != 0) {
		(void)strlcpy(tn->tn_title, m->title, sizeof(tn->tn_title));
		office_title(tn);
	}
	was = tn->tn_policy;
	(void)policy_read(&tn->tn_policy, m->policy.mb_data,
	    m->policy.mb_len);
	office_policy(tn, &was);
	/* Storage says so after each of its starts: it has no grants then. */
	access_storage(1);
	login_up(tn->tn_id);
	return (0);
}

/* Is the Host a label below our domain? */
static int
session_host(const struct http_request *hr)
{
	size_t	 len = strlen(hr->hr_label);

	return (hr->hr_host[len] == '.' &&
	    strcmp(hr->hr_host + len + 1, session_conf.sc_domain) == 0);
}

/* The tenant that a request is for, by its Host; NULL: misdirected. */
struct tenant *
session_tenant(const struct conn *cn)
{
	const struct http_request	*hr = cn->cn_req;
	const char			*sni;

	if (!session_host(hr))
		return (NULL);
	/* A connection made for one name may not speak to another. */
	sni = cn->cn_tls == NULL ? NULL : tls_conn_servername(cn->cn_tls);
	if (sni != NULL && strcasecmp(sni, hr->hr_host) != 0)
		return (NULL);
	return (site_tenant_named(hr->hr_label));
}

/* What a crowd took is the system's again when most of it has gone. */
static void
crowd_note(void)
{
	static uint64_t	 crowd;

	if (session_stats.ss_conns > crowd)
		crowd = session_stats.ss_conns;
	if (crowd < CROWD || session_stats.ss_conns > crowd / 4)
		return;
	memory_give_back();
	crowd = session_stats.ss_conns;
}

void
session_opened(struct conn *cn)
{
	session_stats.ss_conns++;
	session_stats.ss_accepted++;
	crowd_note();
	session_stats.ss_late += cn->cn_late != 0;
	TAILQ_INSERT_TAIL(&conns, cn, cn_entry);
}

void
session_closed(struct conn *cn)
{
	ask_cancel(cn);
	api_large_end(cn);
	office_closed(cn);
	if (cn->cn_job_free != NULL)
		cn->cn_job_free(cn->cn_job);
	cn->cn_job_free = NULL;
	login_use(cn, NULL);
	door_left(cn);
	TAILQ_REMOVE(&conns, cn, cn_entry);
	session_stats.ss_conns--;
	crowd_note();
	if (stopping && TAILQ_EMPTY(&conns))
		proc_exit(0);
}

/*
 * HTTP.
 */

static void
session_redirect(struct conn *cn)
{
	struct http_reply	 hp = { .hp_status = 308, .hp_plain = 1,
				    .hp_close = 1 };
	char			 url[HTTP_MAXHOST + HTTP_MAXPATH + 32];

	if (!session_host(cn->cn_req)) {
		cn->cn_req->hr_keepalive = 0;
		api_problem(cn, 421, "host", NULL, 0);
		return;
	}
	if (session_conf.sc_port == 443)
		(void)snprintf(url, sizeof(url), "https://%s/",
		    cn->cn_req->hr_host);
	else
		(void)snprintf(url, sizeof(url), "https://%s:%u/",
		    cn->cn_req->hr_host, session_conf.sc_port);
	hp.hp_location = url;
	api_reply_bytes(cn, &hp, NULL);
}

static void
http_input(struct conn *cn)
{
	uint32_t	 ms;
	int		 n;

	if (cn->cn_req == NULL) {
		if ((cn->cn_req = malloc(sizeof(*cn->cn_req))) == NULL) {
			conn_close(cn);
			return;
		}
		http_init(cn->cn_req);
		cn->cn_body = 0;
		conn_timer(cn, cn->cn_inlen == 0 && !cn->cn_late ? IDLE_MS :
		    HEAD_MS);
	}
	if (cn->cn_inlen == 0)
		return;
	if (cn->cn_req->hr_pos == 0)
		conn_timer(cn, HEAD_MS);
	n = http_parse(cn->cn_req, (const char *)cn->cn_in, cn->cn_inlen,
	    BODY_LARGE);
	if (n == HTTP_MORE)
		return;
	if (n != HTTP_OK) {
		session_stats.ss_requests++;
		cn->cn_req->hr_keepalive = 0;
		api_problem(cn, n, n == 413 ? "too-large" : "request", NULL, 0);
		return;
	}
	if (cn->cn_req->hr_length > BODY_MAX && !api_large(cn))
		return;
	if (cn->cn_inlen - cn->cn_req->hr_headlen < cn->cn_req->hr_length) {
		/* Once for all of it, or a byte now and then would do. */
		if (cn->cn_large == LARGE_NO && !cn->cn_body) {
			cn->cn_body = 1;
			conn_timer(cn, BODY_MS);
		}
		return;
	}
	session_stats.ss_requests++;
	cn->cn_state = CONN_WAIT;
	if ((ms = quota_request(cn->cn_addr)) != 0) {
		session_stats.ss_limited++;
		cn->cn_req->hr_keepalive = 0;
		api_problem(cn, 429, "too-many", NULL, limit_seconds(ms));
	} else if (cn->cn_redirect)
		session_redirect(cn);
	else if (cn->cn_late)
		api_full(cn);
	else
		api_request(cn);
}

/*
 * WebSocket.
 */

void
session_upgrade(struct conn *cn)
{
	ws_init(&cn->cn_ws, WS_MAXMSG);
	conn_consume(cn, cn->cn_req->hr_headlen);
	free(cn->cn_req);
	cn->cn_req = NULL;
	cn->cn_state = CONN_WS;
	conn_timer(cn, PING_MS);
	office_open(cn);
	conn_again(cn);
}

static void
ws_pong(struct conn *cn, const struct ws_event *we)
{
	uint8_t		 head[WS_SENDHEAD];
	struct chunk	*ck;
	size_t		 n;

	/* Pongs to somebody who does not read would pile up. */
	if (conn_slow(cn))
		return;
	n = ws_frame_head(head, WS_OP_PONG, we->we_len);
	if ((ck = chunk_new(n + we->we_len)) == NULL)
		return;
	memcpy(ck->ck_data, head, n);
	memcpy(ck->ck_data + n, we->we_data, we->we_len);
	conn_queue(cn, ck);
	chunk_free(ck);
}

static void
ws_act(struct conn *cn, const struct ws_event *we)
{
	switch (we->we_type) {
	case WS_TEXT:
		session_stats.ss_frames_in++;
		office_text(cn, we->we_data, we->we_len);
		break;
	case WS_BINARY:
		session_stats.ss_frames_in++;
		office_binary(cn, we->we_data, we->we_len);
		break;
	case WS_PING:
		ws_pong(cn, we);
		break;
	case WS_CLOSE:
		office_close(cn, we->we_code == WS_CODE_NONE ?
		    WS_CODE_NORMAL : we->we_code);
		break;
	case WS_PONG:
	case WS_NONE:
		break;
	}
}

static void
ws_input(struct conn *cn)
{
	struct ws_event	 we;
	size_t		 used = 0;
	ssize_t		 n;
	int		 i;

	for (i = 0; i < FRAMES && cn->cn_state == CONN_WS; i++) {
		if (used == cn->cn_inlen)
			break;
		n = ws_parse(&cn->cn_ws, cn->cn_in + used, cn->cn_inlen - used,
		    &we);
		if (n == 0)
			break;
		if (n == -1) {
			office_close(cn, we.we_code);
			return;
		}
		ws_act(cn, &we);
		if (cn->cn_dead)
			return;
		used += (size_t)n;
	}
	if (used > 0)
		conn_consume(cn, used);
	if (i == FRAMES)
		conn_again(cn);
}

void
session_input(struct conn *cn)
{
	switch (cn->cn_state) {
	case CONN_HTTP:
		http_input(cn);
		break;
	case CONN_WS:
		ws_input(cn);
		break;
	default:
		break;
	}
}

/* A ping, and after a while the question whether anything came. */
static void
ws_timeout(struct conn *cn)
{
	uint8_t		 ping[WS_SENDHEAD];
	struct chunk	*ck;

	if (cn->cn_pinged != 0 && cn->cn_heard < cn->cn_pinged) {
		log_debug("%s: silent, closed", cn->cn_addr);
		conn_close(cn);
		return;
	}
	cn->cn_pinged = cn->cn_pinged == 0 ? mono_ms() : 0;
	conn_timer(cn, cn->cn_pinged != 0 ? PONG_MS : PING_MS - PONG_MS);
	if (cn->cn_pinged != 0 && (ck = chunk_from(ping, ws_frame_head(ping,
	    WS_OP_PING, 0))) != NULL) {
		conn_queue(cn, ck);
		chunk_free(ck);
	}
}

void
session_timeout(struct conn *cn)
{
	if (cn->cn_state == CONN_WS) {
		ws_timeout(cn);
		return;
	}
	/* A request begun and not finished is told so, idleness is not. */
	if (cn->cn_state == CONN_HTTP && cn->cn_req != NULL &&
	    cn->cn_inlen > 0) {
		cn->cn_req->hr_keepalive = 0;
		api_problem(cn, 408, "timeout", NULL, 0);
		return;
	}
	conn_close(cn);
}

void
session_drained(struct conn *cn)
{
	office_drained(cn);
}

/*
 * Configuration.
 */

static void
offer_clear(void)
{
	door_abort();
	free(offer.conf.sc_domain);
	free(offer.conf.sc_turn);
	server_free(offer.conf.sc_server);
	memset(&offer, 0, sizeof(offer));
	htdocs_abort();
}

static void
offer_begin(const struct m_site *m)
{
	offer_clear();
	offer.conf.sc_generation = m->generation;
	offer.conf.sc_port = m->port;
	offer.conf.sc_max_conns = m->max_conns;
	offer.conf.sc_max_addr = m->max_addr_conns;
	offer.conf.sc_tenant_pages = m->tenant_pages;
	offer.conf.sc_account_pages = m->account_pages;
	offer.conf.sc_addr_arrivals = m->addr_arrivals;
	offer.conf.sc_addr_requests = m->addr_requests;
	offer.conf.sc_tenant_requests = m->tenant_requests;
	offer.conf.sc_account_requests = m->account_requests;
	offer.conf.sc_buffers = m->buffers;
	if ((offer.conf.sc_domain = strdup(m->domain)) == NULL ||
	    (offer.conf.sc_turn = strdup(m->turn)) == NULL)
		(void)strlcpy(offer.why, "out of memory", sizeof(offer.why));
}

static void
offer_cert(int fd)
{
	struct tls_config	*config;
	const char		*why;
	void			*pem;
	ssize_t			 len;

	if ((len = read_all(fd, CERT_MAX, &pem)) == -1) {
		(void)strlcpy(offer.why, "certificate can not be read",
		    sizeof(offer.why));
		return;
	}
	config = keys_engine_config(pem, (size_t)len, &why);
	free(pem);
	server_free(offer.conf.sc_server);
	offer.conf.sc_server = config == NULL ? NULL :
	    server_new(config, &why);
	if (offer.conf.sc_server == NULL)
		(void)strlcpy(offer.why, why, sizeof(offer.why));
}

/* The descriptor is ours. */
static void
offer_file(const struct m_conf_file *m, int fd)
{
	const char	*why;

	switch (m->kind) {
	case FILE_LISTEN_TLS:
	case FILE_LISTEN_REDIRECT:
	case FILE_LISTEN_PROXY:
		if ((why = door_add(m, fd)) == NULL)
			return;
		(void)strlcpy(offer.why, why, sizeof(offer.why));
		break;
	case FILE_CERT:
		offer_cert(fd);
		break;
	case FILE_HTDOC:
		if (htdocs_add(m->name, fd) == -1)
			(void)snprintf(offer.why, sizeof(offer.why),
			    "htdocs%.100s: can not be used", m->name);
		break;
	}
	close(fd);
}

static void
offer_ack(uint64_t generation)
{
	struct m_conf_ack	 m = { .generation = generation, .ok = 1 };

	if (offer.why[0] == '\0' && offer.conf.sc_server == NULL)
		(void)strlcpy(offer.why, "no certificate", sizeof(offer.why));
	if (offer.why[0] != '\0') {
		m.ok = 0;
		m.why = offer.why;
	}
	(void)proc_send(proc_peer(PROC_PARENT, 0), IMSG_CONF_ACK, 0, -1, &m);
}

/* Connections keep the TLS and the sockets that they have. */
static void
offer_commit(uint64_t generation)
{
	if (offer.conf.sc_generation != generation)
		return;
	free(session_conf.sc_domain);
	free(session_conf.sc_turn);
	server_free(session_conf.sc_server);
	session_conf = offer.conf;
	quota_commit();
	conn_buffers_limit((size_t)session_conf.sc_buffers << 20);
	htdocs_commit();
	door_commit();
	memset(&offer, 0, sizeof(offer));
	log_debug("generation %llu", (unsigned long long)generation);
}

/*
 * Other processes.
 */

static void
stat_row(struct peer *pe, uint32_t id, const char *what, uint64_t value)
{
	char			 name[64];
	struct m_c_stat_row	 m = { name, value };

	(void)snprintf(name, sizeof(name), "session.%u.%s", proc_inst, what);
	(void)proc_send(pe, IMSG_C_STAT_ROW, id, -1, &m);
}

/* Status is how things stand, statistics are all that is counted. */
static void
session_show(struct peer *pe, uint32_t id, int all)
{
	stat_row(pe, id, "connections", session_stats.ss_conns);
	stat_row(pe, id, "people", session_stats.ss_persons);
	if (!all) {
		(void)proc_result(pe, id, R_OK, 0, NULL);
		return;
	}
	stat_row(pe, id, "accepted", session_stats.ss_accepted);
	stat_row(pe, id, "refused", session_stats.ss_late);
	stat_row(pe, id, "crowded", session_stats.ss_crowded);
	stat_row(pe, id, "limited", session_stats.ss_limited);
	stat_row(pe, id, "requests", session_stats.ss_requests);
	stat_row(pe, id, "frames.in", session_stats.ss_frames_in);
	stat_row(pe, id, "frames.out", session_stats.ss_frames_out);
	stat_row(pe, id, "legs", session_stats.ss_legs);
	stat_row(pe, id, "legs.refused", session_stats.ss_refused_legs);
	stat_row(pe, id, "ticks", session_stats.ss_ticks);
	stat_row(pe, id, "messages", session_stats.ss_says);
	stat_row(pe, id, "unlogged", session_stats.ss_unlogged);
	stat_row(pe, id, "buffers", conn_buffers);
	stat_row(pe, id, "shed", conn_shed);
	stat_row(pe, id, "bytes.in", conn_bytes_in);
	stat_row(pe, id, "bytes.out", conn_bytes_out);
	(void)proc_result(pe, id, R_OK, 0, NULL);
}

static int
session_parent(uint32_t type, const void *m, struct imsg *imsg)
{
	const struct m_conf_end	*end = m;
	int			 fd;

	switch (type) {
	case IMSG_CONF_SITE:
		offer_begin(m);
		return (0);
	case IMSG_CONF_FILE:
		if ((fd = imsg_get_fd(imsg)) == -1)
			(void)strlcpy(offer.why, "a descriptor was lost",
			    sizeof(offer.why));
		else
			offer_file(m, fd);
		return (0);
	case IMSG_CONF_END:
		offer_ack(end->generation);
		return (0);
	case IMSG_CONF_COMMIT:
		offer_commit(end->generation);
		return (0);
	default:
		return (-1);
	}
}

static int
session_imsg(struct peer *pe, uint32_t type, uint32_t id, const void *m,
    struct imsg *imsg)
{
	if (pe->pe_proc == PROC_PARENT)
		return (session_parent(type, m, imsg));
	if (pe->pe_proc == PROC_SESSION)
		return (bus_imsg(pe, type, m));
	switch (type) {
	case IMSG_TENANT:
		return (tenant_told(m));
	case IMSG_TENANT_END:
		told = 1;
		return (0);
	case IMSG_GRANT_MUST:
		login_must(m);
		return (0);
	case IMSG_GRANT_END:
		login_ended(m);
		return (0);
	case IMSG_RIGHTS:
		office_rights(((const struct m_rights *)m)->tenant);
		return (0);
	case IMSG_ROLE:
		login_role(m);
		office_role(m);
		return (0);
	case IMSG_FENCE:
		office_fence(((const struct m_fence *)m)->number);
		return (0);
	case IMSG_PROFILE:
		login_profile(m);
		office_profile(m);
		return (0);
	case IMSG_KNOCK:
		knock_began(m);
		return (0);
	case IMSG_KNOCK_END:
		knock_ended(m);
		return (0);
	case IMSG_BUS_MSG:
	case IMSG_BUS_ERASED:
	case IMSG_BUS_CLEARED:
	case IMSG_BUS_GRANT:
		return (bus_storage(type, m));
	case IMSG_C_STATUS:
	case IMSG_C_STATS:
		session_show(pe, id, type == IMSG_C_STATS);
		return (0);
	default:
		return (ask_answer(pe, type, id, m));
	}
}

static void
session_up(struct peer *pe)
{
	if (pe->pe_proc == PROC_SESSION)
		bus_up(pe);
}

static void
session_down(struct peer *pe)
{
	if (pe->pe_proc == PROC_SESSION) {
		bus_down(pe);
		return;
	}
	if (pe->pe_proc == PROC_STORAGE) {
		office_fence(0);
		login_down();
		bus_storage_down();
		access_storage(0);
	}
	ask_down(pe->pe_proc);
}

static int
session_takefd(enum proc_type proc, unsigned int inst, int fd)
{
	(void)inst;
	if (proc != PROC_KEYS)
		return (0);
	keys_engine_attach(fd);
	return (1);
}

int
session_draining(void)
{
	return (stopping);
}

static void
session_quit(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	proc_exit(0);
}

static void
session_shutdown(void)
{
	static struct event	 quit;
	struct timeval		 tv = { BYE_MS / 1000,
				    (BYE_MS % 1000) * 1000 };
	struct conn		*cn;

	if (stopping)
		return;
	stopping = 1;
	door_close();
	office_shutdown();
	TAILQ_FOREACH(cn, &conns, cn_entry)
		if (cn->cn_state != CONN_WAIT)
			conn_drain(cn);
	evtimer_set(&quit, session_quit, NULL);
	evtimer_add(&quit, &tv);
	if (TAILQ_EMPTY(&conns))
		proc_exit(0);
}

/*
 * A turn of the loop costs the same for one frame as for ten: while many come
 * in, let some gather.  A turn that was long has let them gather already.
 */
static unsigned int
session_rest(void)
{
	static uint64_t	 looked, frames, rested;
	static int	 busy;
	uint64_t	 now = mono_ms(), took = now - rested;

	if (now - looked >= BUSY_MS) {
		busy = session_stats.ss_frames_in - frames >= BUSY_FRAMES;
		frames = session_stats.ss_frames_in;
		looked = now;
	}
	if (!busy || took >= REST_MS) {
		rested = now;
		return (0);
	}
	rested = now + REST_MS - took;
	return ((unsigned int)(REST_MS - took));
}

/* As root: what reads files, the hash seed of JSON, the descriptors. */
static void
session_init(void)
{
	uint32_t	 seed;

	if (tls_init() == -1)
		fatalx("tls_init");
	if (tls_ssl_init() == -1)
		fatalx("TLS buffers and tickets");
	keys_engine_init();
	arc4random_buf(&seed, sizeof(seed));
	json_object_seed(seed == 0 ? 1 : seed);
	door_init();
}

static void
session_start(void)
{
	door_start();
	ask_init();
	login_init();
	office_start();
}

const struct proc_ops	 session_ops = {
	.po_proc = PROC_SESSION,
	.po_promises = "stdio inet recvfd",
	.po_init = session_init,
	.po_start = session_start,
	.po_imsg = session_imsg,
	.po_up = session_up,
	.po_down = session_down,
	.po_takefd = session_takefd,
	.po_shutdown = session_shutdown,
	.po_turn = conn_flush_all,
	.po_rest = session_rest,
};
