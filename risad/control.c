/* Clients of the control socket.  Their bytes can close them, nothing else. */

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth.h"
#include "control.h"
#include "log.h"
#include "util.h"

#define CONTROL_MAX	32		/* clients */
#define CONTROL_MAX_UID	8		/* of one user */
#define CONTROL_QUEUE	32768		/* imsgs that one may leave unread */
#define CONTROL_HELLO	10		/* seconds until it says hello */
#define CONTROL_IDLE	60		/* seconds without any progress */
#define CONTROL_MANY	5		/* seconds for all to have answered */
#define CONTROL_PAUSE	1		/* second without accept */

/* The processes that a client waits for, one bit each. */
#define BIT_PARENT	0x00000001U
#define BIT_STORAGE	0x00000002U
#define BIT_SESSION(i)	(0x00010000U << (i))

struct client {
	TAILQ_ENTRY(client)	 cl_entry;
	uid_t			 cl_uid;
	int			 cl_known;	/* has said hello */
	int			 cl_closing;	/* once all is written */
	uint32_t		 cl_id;		/* of its command */
	uint32_t		 cl_key;	/* of what we ask, or 0 */
	uint32_t		 cl_wait;	/* who has not answered yet */
	int			 cl_many;	/* more than one was asked */
	struct imsgbuf		 cl_ibuf;
	struct event		 cl_ev;
	struct event		 cl_timer;
};

static TAILQ_HEAD(, client)	 clients = TAILQ_HEAD_INITIALIZER(clients);
static unsigned int		 nclients;
static int			 control_fd = -1;
static struct event		 control_ev, control_pause;
static uint32_t			 control_key;
static char			 control_domain[MAX_HOST + 1];
static uint16_t			 control_port;

static void	 control_accept(int, short, void *);
static void	 control_resume(int, short, void *);
static int	 control_full(uid_t);
static void	 client_open(int);
static void	 client_close(struct client *);
static void	 client_timer(struct client *, time_t);
static void	 client_slow(int, short, void *);
static void	 client_arm(struct client *);
static void	 client_event(int, short, void *);
static int	 client_read(struct client *);
static int	 client_send(struct client *, enum imsg_type, const void *);
static void	 client_done(struct client *, enum result, uint64_t,
		    const char *);
static int	 client_imsg(struct client *, struct imsg *);
static int	 client_hello(struct client *, const struct m_c_hello *);
static void	 client_command(struct client *, uint32_t, union msg_any *);
static void	 client_ask(struct client *, enum proc_type, unsigned int,
		    uint32_t, const union msg_any *);
static void	 client_answered(struct client *, uint32_t);
static void	 client_stat(const char *, uint64_t, void *);
static int	 client_link(struct client *, const struct m_c_link_token *);
static struct client *client_find(uint32_t);
static uint32_t	 peer_bit(enum proc_type, unsigned int);

void
control_site(const char *domain, uint16_t port)
{
	(void)strlcpy(control_domain, domain, sizeof(control_domain));
	control_port = port;
}

void
control_listen(int fd)
{
	if (control_fd != -1) {
		event_del(&control_ev);
		evtimer_del(&control_pause);
		close(control_fd);
	}
	control_fd = fd;
	evtimer_set(&control_pause, control_resume, NULL);
	event_set(&control_ev, fd, EV_READ | EV_PERSIST, control_accept, NULL);
	event_add(&control_ev, NULL);
}

static void
control_accept(int fd, short what, void *arg)
{
	struct timeval	 tv = { CONTROL_PAUSE, 0 };
	int		 s;

	(void)what;
	(void)arg;
	s = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (s != -1) {
		client_open(s);
		return;
	}
	if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		/* Else the loop would spin until a descriptor is free. */
		event_del(&control_ev);
		evtimer_add(&control_pause, &tv);
	}
}

static void
control_resume(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_add(&control_ev, NULL);
}

static int
control_full(uid_t uid)
{
	struct client	*cl;
	unsigned int	 n = 0;

	TAILQ_FOREACH(cl, &clients, cl_entry)
		n += cl->cl_uid == uid;
	return (nclients >= CONTROL_MAX || n >= CONTROL_MAX_UID);
}

static void
client_open(int fd)
{
	struct client	*cl = NULL;
	uid_t		 uid;
	gid_t		 gid;

	if (getpeereid(fd, &uid, &gid) == -1 || control_full(uid) ||
	    (cl = calloc(1, sizeof(*cl))) == NULL)
		goto fail;
	if (imsgbuf_init(&cl->cl_ibuf, fd) == -1)
		goto fail;
	if (imsgbuf_set_maxsize(&cl->cl_ibuf, MAX_PAYLOAD) == -1) {
		imsgbuf_clear(&cl->cl_ibuf);
		goto fail;
	}
	cl->cl_uid = uid;
	TAILQ_INSERT_TAIL(&clients, cl, cl_entry);
	nclients++;
	event_set(&cl->cl_ev, fd, EV_READ, client_event, cl);
	event_add(&cl->cl_ev, NULL);
	evtimer_set(&cl->cl_timer, client_slow, cl);
	client_timer(cl, CONTROL_HELLO);
	return;
 fail:
	log_debug("control: client turned away");
	free(cl);
	close(fd);
}

static void
client_close(struct client *cl)
{
	TAILQ_REMOVE(&clients, cl, cl_entry);
	nclients--;
	event_del(&cl->cl_ev);
	evtimer_del(&cl->cl_timer);
	imsgbuf_clear(&cl->cl_ibuf);
	close(cl->cl_ibuf.fd);
	free(cl);
}

static void
client_timer(struct client *cl, time_t seconds)
{
	struct timeval	 tv = { seconds, 0 };

	evtimer_del(&cl->cl_timer);
	evtimer_add(&cl->cl_timer, &tv);
}

static void
client_slow(int fd, short what, void *arg)
{
	struct client	*cl = arg;

	(void)fd;
	(void)what;
	if (cl->cl_key == 0 || cl->cl_closing)
		client_close(cl);
	else if (cl->cl_many)
		client_done(cl, R_OK, 0, "not all processes have answered");
	else
		client_done(cl, R_UNAVAILABLE, 0, NULL);
}

static void
client_arm(struct client *cl)
{
	short	 what = 0;

	/* One command at a time.  The next may be in the buffer already: it
	 * is found when the answer to this one has been written. */
	if (cl->cl_key == 0 && !cl->cl_closing)
		what |= EV_READ;
	if (imsgbuf_queuelen(&cl->cl_ibuf) > 0)
		what |= EV_WRITE;
	event_del(&cl->cl_ev);
	if (what == 0)
		return;
	event_set(&cl->cl_ev, cl->cl_ibuf.fd, what, client_event, cl);
	event_add(&cl->cl_ev, NULL);
}

static void
client_event(int fd, short what, void *arg)
{
	struct client	*cl = arg;

	(void)fd;
	if (what & EV_WRITE) {
		if (imsgbuf_write(&cl->cl_ibuf) == -1) {
			client_close(cl);
			return;
		}
		if (!cl->cl_many || cl->cl_key == 0)
			client_timer(cl, CONTROL_IDLE);
	}
	if ((what & EV_READ) && imsgbuf_read(&cl->cl_ibuf) != 1) {
		client_close(cl);
		return;
	}
	if (client_read(cl) == -1) {
		log_debug("control: bad imsg of uid %u", cl->cl_uid);
		client_close(cl);
		return;
	}
	if (cl->cl_closing && imsgbuf_queuelen(&cl->cl_ibuf) == 0) {
		client_close(cl);
		return;
	}
	client_arm(cl);
}

/* At most one command, then the others' turn. */
static int
client_read(struct client *cl)
{
	struct imsg	 imsg;
	int		 n;

	while (cl->cl_key == 0 && !cl->cl_closing) {
		if ((n = imsgbuf_get(&cl->cl_ibuf, &imsg)) != 1)
			return (n);
		n = client_imsg(cl, &imsg);
		imsg_free(&imsg);
		if (n == -1)
			return (-1);
	}
	return (0);
}

static int
client_imsg(struct client *cl, struct imsg *imsg)
{
	union msg_any	 m;
	uint32_t	 type = imsg_get_type(imsg);

	if (!msg_allowed(type, PROC_CONTROL, PROC_AUTH) ||
	    msg_decode(imsg, &m) == -1)
		return (-1);
	cl->cl_id = imsg_get_id(imsg);
	if (type == IMSG_C_HELLO)
		return (client_hello(cl, (const void *)m.bytes));
	if (!cl->cl_known)
		return (-1);
	client_command(cl, type, &m);
	return (0);
}

/* Nothing is said to a welcome client: its command gets the answer. */
static int
client_hello(struct client *cl, const struct m_c_hello *m)
{
	if (cl->cl_known)
		return (-1);
	if (cl->cl_uid != 0) {
		client_done(cl, R_FORBIDDEN, 0, NULL);
		cl->cl_closing = 1;
	} else if (m->version != CONTROL_VERSION) {
		client_done(cl, R_REFUSED, 0,
		    "risactl and risad are of different versions");
		cl->cl_closing = 1;
	} else
		client_timer(cl, CONTROL_IDLE);
	cl->cl_known = 1;
	return (0);
}

static uint32_t
peer_bit(enum proc_type proc, unsigned int inst)
{
	switch (proc) {
	case PROC_PARENT:
		return (BIT_PARENT);
	case PROC_STORAGE:
		return (BIT_STORAGE);
	case PROC_SESSION:
		return (inst < MAX_SESSIONS ? BIT_SESSION(inst) : 0);
	default:
		return (0);
	}
}

/* The table of messages says who is asked. */
static void
client_ask(struct client *cl, enum proc_type proc, unsigned int inst,
    uint32_t type, const union msg_any *m)
{
	if (msg_allowed(type, PROC_AUTH, proc) &&
	    proc_send(proc_peer(proc, inst), type, cl->cl_key, -1,
	    m->bytes) == 0)
		cl->cl_wait |= peer_bit(proc, inst);
}

static void
client_command(struct client *cl, uint32_t type, union msg_any *m)
{
	unsigned int	 i;

	msg_set_operator(m, cl->cl_uid);
	if (type == IMSG_C_RELOAD || type == IMSG_C_VERBOSE)
		log_info("operator %u: %s", cl->cl_uid, msg_name(type));
	cl->cl_key = CONTROL_ID | (control_key++ & ~CONTROL_ID);
	cl->cl_wait = 0;
	cl->cl_many = msg_allowed(type, PROC_AUTH, PROC_SESSION);
	client_ask(cl, PROC_PARENT, 0, type, m);
	client_ask(cl, PROC_STORAGE, 0, type, m);
	for (i = 0; i < proc_nsession; i++)
		client_ask(cl, PROC_SESSION, i, type, m);
	client_timer(cl, cl->cl_many ? CONTROL_MANY : CONTROL_IDLE);
	if (type == IMSG_C_STATS)
		auth_stats(client_stat, cl);
	if (cl->cl_wait == 0)
		client_done(cl, cl->cl_many ? R_OK : R_UNAVAILABLE, 0, NULL);
}

/* Our own rows, among those of the processes that were asked. */
static void
client_stat(const char *name, uint64_t value, void *arg)
{
	struct m_c_stat_row	 m = { name, value };

	(void)client_send(arg, IMSG_C_STAT_ROW, &m);
}

/* -1: it does not read, or m can't be said; the caller closes. */
static int
client_send(struct client *cl, enum imsg_type type, const void *m)
{
	if (imsgbuf_queuelen(&cl->cl_ibuf) >= CONTROL_QUEUE ||
	    msg_compose(&cl->cl_ibuf, type, cl->cl_id, -1, m) == -1) {
		log_debug("control: %s not sent", msg_name(type));
		return (-1);
	}
	return (0);
}

/* The command is answered.  The client stays until it has read that. */
static void
client_done(struct client *cl, enum result code, uint64_t arg,
    const char *field)
{
	struct m_result	 m = { .code = code, .arg = arg, .field = field };

	cl->cl_key = 0;
	cl->cl_wait = 0;
	client_timer(cl, CONTROL_IDLE);
	if (client_send(cl, IMSG_RESULT, &m) == -1)
		cl->cl_closing = 1;
	client_arm(cl);
}

/* One of those asked is through, or gone. */
static void
client_answered(struct client *cl, uint32_t bit)
{
	cl->cl_wait &= ~bit;
	if (cl->cl_wait == 0)
		client_done(cl, R_OK, 0, NULL);
}

static int
client_link(struct client *cl, const struct m_c_link_token *m)
{
	struct m_c_link	 out = { .expires = m->expires };
	char		 url[MAX_PATH + 1], token[TOKEN_TEXT], port[8] = "";
	int		 n;

	b64url_encode(token, sizeof(token), m->token, sizeof(m->token));
	if (control_port != 443)
		(void)snprintf(port, sizeof(port), ":%u", control_port);
	n = snprintf(url, sizeof(url), "https://%s.%s%s/invite/%s", m->tenant,
	    control_domain, port, token);
	if (n < 0 || (size_t)n >= sizeof(url))
		return (-1);
	out.url = url;
	n = client_send(cl, IMSG_C_LINK, &out);
	explicit_bzero(token, sizeof(token));
	explicit_bzero(url, sizeof(url));
	return (n);
}

static struct client *
client_find(uint32_t key)
{
	struct client	*cl;

	TAILQ_FOREACH(cl, &clients, cl_entry)
		if (cl->cl_key == key)
			return (cl);
	return (NULL);
}

int
control_imsg(struct peer *pe, uint32_t type, uint32_t id, const void *m)
{
	const struct m_result	*r = m;
	struct client		*cl;
	uint32_t		 bit = peer_bit(pe->pe_proc, pe->pe_inst);
	int			 ret;

	if ((cl = client_find(id)) == NULL)
		return (0);		/* gone, or tired of waiting */
	if ((cl->cl_wait & bit) == 0)
		return (-1);
	if (type == IMSG_RESULT) {
		if (r->code >= R_MAX)
			return (-1);
		if (cl->cl_many)
			client_answered(cl, bit);
		else
			client_done(cl, r->code, r->arg, r->field);
		return (0);
	}
	if (type == IMSG_C_LINK_TOKEN)
		ret = client_link(cl, m);
	else if (msg_allowed(type, PROC_AUTH, PROC_CONTROL))
		ret = client_send(cl, type, m);
	else
		return (-1);
	if (ret == -1)
		client_close(cl);
	else
		client_arm(cl);
	return (0);
}

void
control_down(struct peer *pe)
{
	struct client	*cl;
	uint32_t	 bit = peer_bit(pe->pe_proc, pe->pe_inst);

	TAILQ_FOREACH(cl, &clients, cl_entry) {
		if ((cl->cl_wait & bit) == 0)
			continue;
		if (cl->cl_many)
			client_answered(cl, bit);
		else
			client_done(cl, R_UNAVAILABLE, 0, NULL);
	}
}
