/*
 * Who comes in: the sockets that are listened on, from which address somebody
 * is, and how many may be from there.
 */
#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys_engine.h"
#include "limit.h"
#include "log.h"
#include "network.h"
#include "session.h"
#include "util.h"

#define MAX_LISTENS	32
#define SEND_MAX	(128 * 1024)	/* bytes that the kernel keeps of one */
#define ACCEPTS		16		/* in one turn */
#define FD_RESERVE	64		/* for pipes, files, the log */
#define DOOR		64		/* beyond the limit: are told so */
#define FIRST_MS	10000		/* for the handshake, or a head */
#define TICKET_MS	60000		/* between questions for their key */

struct listener {
	int			 ls_fd;
	enum conf_file		 ls_kind;
	struct networks		 ls_from;	/* FILE_LISTEN_PROXY */
	struct event		 ls_ev;
};

/* What is listened on, and what will be by the next configuration. */
static struct listener		 listeners[MAX_LISTENS], offered[MAX_LISTENS];
static int			 nlisteners, noffered;
static struct event		 pause_timer;
static int			 closed;
static uint64_t			 ticket_asked;	/* when, mono ms */
static uint64_t			 max_fds;

/* How many connections an address has, or a network of IPv6. */
struct addr {
	RB_ENTRY(addr)	 ad_entry;
	uint8_t		 ad_key[LIMIT_KEY];
	uint32_t	 ad_conns;
};
RB_HEAD(addr_tree, addr);
static struct addr_tree		 addrs = RB_INITIALIZER(&addrs);

static int
addr_cmp(struct addr *a, struct addr *b)
{
	return (memcmp(a->ad_key, b->ad_key, sizeof(a->ad_key)));
}

RB_GENERATE_STATIC(addr_tree, addr, ad_entry, addr_cmp)

static void
addr_drop(struct addr *ad)
{
	RB_REMOVE(addr_tree, &addrs, ad);
	free(ad);
}

static int
addr_enter(const char *text)
{
	struct addr	 key, *ad;

	limit_addr(key.ad_key, text);
	if ((ad = RB_FIND(addr_tree, &addrs, &key)) == NULL) {
		if ((ad = calloc(1, sizeof(*ad))) == NULL)
			return (-1);
		memcpy(ad->ad_key, key.ad_key, sizeof(ad->ad_key));
		RB_INSERT(addr_tree, &addrs, ad);
	}
	if (ad->ad_conns >= session_conf.sc_max_addr ||
	    quota_arrival(text) != 0)
		goto fail;
	ad->ad_conns++;
	return (0);
 fail:
	session_stats.ss_crowded++;
	if (ad->ad_conns == 0)
		addr_drop(ad);
	return (-1);
}

static void
addr_leave(const char *text)
{
	struct addr	 key, *ad;

	limit_addr(key.ad_key, text);
	ad = RB_FIND(addr_tree, &addrs, &key);
	if (ad != NULL && --ad->ad_conns == 0)
		addr_drop(ad);
}

static void
listen_set(int on)
{
	int	 i;

	for (i = 0; i < nlisteners; i++) {
		if (on)
			event_add(&listeners[i].ls_ev, NULL);
		else
			event_del(&listeners[i].ls_ev);
	}
}

static void
listen_resume(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (!closed)
		listen_set(1);
}

/* Not even room to say so: those who come wait in the kernel's queue. */
static void
listen_pause(void)
{
	struct timeval	 tv = { 1, 0 };

	listen_set(0);
	evtimer_add(&pause_timer, &tv);
}

/*
 * No descriptor is left.  Nobody reads from the standard input: in its place
 * whoever waits is taken in and sent away, rather than left to think that
 * somebody listens.
 */
static void
door_refuse(int fd)
{
	int	 i, s = 0;

	for (i = 0; i < ACCEPTS && s != -1; i++) {
		close(STDIN_FILENO);
		s = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (s != -1)
			session_stats.ss_crowded++;
		if (s != -1 && s != STDIN_FILENO)
			close(s);
		(void)dup2(STDERR_FILENO, STDIN_FILENO);
	}
	listen_pause();
}

/* How many connections are served. */
static uint64_t
door_room(void)
{
	uint64_t	 fds = 0;

	if (max_fds > FD_RESERVE + DOOR)
		fds = max_fds - FD_RESERVE - DOOR;
	return (session_conf.sc_max_conns < fds ? session_conf.sc_max_conns :
	    fds);
}

/* The key that seals tickets changes; no need to know before somebody comes. */
static void
ticket_refresh(void)
{
	uint64_t	 now = mono_ms();

	if (ticket_asked != 0 && now - ticket_asked < TICKET_MS)
		return;
	ticket_asked = now;
	if (keys_engine_ticket(session_conf.sc_server->sv_conf) == -1)
		log_debug("no key for tickets");
}

/*
 * Whoever comes from a proxy is counted when it has said who that is; a proxy
 * that is not one of ours could say anything.
 */
static void
door_connected(struct listener *ls, int fd, const struct sockaddr *sa)
{
	struct conn	*cn;
	uint8_t		 bytes[NETWORK_ADDR];
	char		 addr[MAX_ADDR + 1];
	int		 on = 1, size = SEND_MAX;
	int		 proxy = ls->ls_kind == FILE_LISTEN_PROXY;

	if (network_sockaddr(bytes, sa) == -1) {
		close(fd);
		return;
	}
	network_addr_text(addr, sizeof(addr), bytes);
	if (proxy ? !networks_has(&ls->ls_from, bytes) :
	    addr_enter(addr) == -1) {
		close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* Else the kernel takes megabytes, and nobody knows who reads them. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	cn = conn_new(fd, ls->ls_kind == FILE_LISTEN_REDIRECT ? NULL :
	    session_conf.sc_server, addr, proxy);
	if (cn == NULL) {
		if (!proxy)
			addr_leave(addr);
		return;
	}
	cn->cn_counted = !proxy;
	cn->cn_late = session_stats.ss_conns >= door_room();
	session_opened(cn);
	conn_timer(cn, FIRST_MS);
}

int
door_proxied(struct conn *cn, const uint8_t *addr)
{
	if (addr != NULL)
		network_addr_text(cn->cn_addr, sizeof(cn->cn_addr), addr);
	if (addr_enter(cn->cn_addr) == -1) {
		conn_close(cn);
		return (-1);
	}
	cn->cn_counted = 1;
	return (0);
}

static void
door_accept(int fd, short what, void *arg)
{
	struct listener		*ls = arg;
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	int			 i, s;

	(void)what;
	if (ls->ls_kind != FILE_LISTEN_REDIRECT)
		ticket_refresh();
	for (i = 0; i < ACCEPTS; i++) {
		if (session_stats.ss_conns >= door_room() + DOOR) {
			listen_pause();
			return;
		}
		len = sizeof(ss);
		s = accept4(fd, (struct sockaddr *)&ss, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (s == -1) {
			if (errno == EMFILE || errno == ENFILE)
				door_refuse(fd);
			return;
		}
		door_connected(ls, s, (struct sockaddr *)&ss);
	}
}

void
door_left(struct conn *cn)
{
	if (cn->cn_counted)
		addr_leave(cn->cn_addr);
}

const char *
door_add(const struct m_conf_file *m, int fd)
{
	struct listener	*ls = &offered[noffered];

	if (noffered == MAX_LISTENS)
		return ("too many listen lines");
	if (networks_parse(&ls->ls_from, m->name, NULL, 0) != NETWORK_OK)
		return ("a proxy has no address");
	ls->ls_fd = fd;
	ls->ls_kind = m->kind;
	noffered++;
	return (NULL);
}

void
door_abort(void)
{
	while (noffered > 0)
		close(offered[--noffered].ls_fd);
}

void
door_commit(void)
{
	int	 i;

	for (i = 0; i < nlisteners; i++) {
		event_del(&listeners[i].ls_ev);
		close(listeners[i].ls_fd);
	}
	for (i = 0; i < noffered; i++) {
		listeners[i] = offered[i];
		event_set(&listeners[i].ls_ev, listeners[i].ls_fd,
		    EV_READ | EV_PERSIST, door_accept, &listeners[i]);
		event_add(&listeners[i].ls_ev, NULL);
	}
	nlisteners = noffered;
	noffered = 0;
	/* The new server has a key of its own for tickets. */
	ticket_asked = 0;
}

void
door_close(void)
{
	closed = 1;
	listen_set(0);
}

void
door_init(void)
{
	struct rlimit	 rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("getrlimit");
	if (rl.rlim_max == RLIM_INFINITY || rl.rlim_max > 65536)
		rl.rlim_max = 65536;
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("setrlimit");
	max_fds = rl.rlim_cur;
}

void
door_start(void)
{
	evtimer_set(&pause_timer, listen_resume, NULL);
}
