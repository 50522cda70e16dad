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
#include "auth_request.h"
#include "control.h"
#include "ledger.h"
#include "log.h"
#include "util.h"

#define CONTROL_MAX	32		/* clients, besides root's */
#define CONTROL_MAX_UID	8		/* of one user */
#define CONTROL_QUEUE	32768		/* imsgs that one may leave unread */
#define CONTROL_HELLO	10		/* seconds until it says hello */
#define CONTROL_IDLE	60		/* seconds without any progress */
#define CONTROL_MANY	5		/* seconds for all to have answered */
#define CONTROL_LONG	7200		/* seconds for rows to go in steps */
#define CONTROL_PAUSE	1		/* second without accept */

/* The processes that a client waits for, one bit each. */
#define BIT_PARENT	0x00000001U
#define BIT_STORAGE	0x00000002U
#define BIT_SESSION(i)	(0x00010000U << (i))

/* The parent keeps no audit trail: storage writes for it what it is asked. */
enum trail {
	TRAIL_NONE,			/* not a command for that */
	TRAIL_ASKED,			/* nothing is done before it is there */
	TRAIL_BEGUN			/* the outcome is to follow */
};

struct client {
	TAILQ_ENTRY(client)	 cl_entry;
	uid_t			 cl_uid;
	int			 cl_known;	/* has said hello */
	int			 cl_closing;	/* once all is written */
	uint32_t		 cl_id;		/* of its command */
	uint32_t		 cl_key;	/* of what we ask, or 0 */
	uint32_t		 cl_wait;	/* who has not answered yet */
	struct guest_add	*cl_guest;	/* its password is sealed */
	int			 cl_many;	/* more than one was asked */
	uint32_t		 cl_type, cl_arg;	/* its command */
	int			 cl_parts;	/* it gets large parts */
	int			 cl_unread;	/* some of them are queued */
	enum trail		 cl_trail;
	union msg_any		 cl_m;		/* what waits for the trail */
	struct imsgbuf		 cl_ibuf;
	struct event		 cl_ev;
	struct event		 cl_timer;
};

/* A guest URL that waits for its password to be sealed. */
struct guest_add {
	struct m_c_guest_add	 ga_add;
	char			 ga_tenant[MAX_LABEL + 1];
	char			 ga_floor[MAX_NAME + 1];
};

static TAILQ_HEAD(, client)	 clients = TAILQ_HEAD_INITIALIZER(clients);
static unsigned int		 nclients;
static unsigned int		 nroot;		/* of them */
static int			 control_fd = -1;
static struct event		 control_ev, control_pause;
static uint32_t			 control_key;
static char			 control_domain[MAX_HOST + 1];
static uint16_t			 control_port;

static void	 control_accept(int, short, void *);
static void	 control_resume(int, short, void *);
static int	 control_full(uid_t);
static void	 note(uid_t, uint32_t, enum note, uint32_t, uint32_t);
static const char *more_text(uint32_t);
static void	 turn_away(int, uid_t);
static void	 client_open(int);
static void	 client_close(struct client *);
static void	 client_timer(struct client *, time_t);
static void	 client_slow(int, short, void *);
static void	 client_arm(struct client *);
static void	 client_event(int, short, void *);
static void	 read_on(uint32_t, int);
static int	 client_read(struct client *);
static int	 client_send(struct client *, enum imsg_type, const void *);
static void	 client_done(struct client *, enum result, uint64_t,
		    const char *);
static int	 client_imsg(struct client *, struct imsg *);
static int	 client_hello(struct client *, const struct m_c_hello *);
static int	 client_may(struct client *, uint32_t);
static void	 client_command(struct client *, uint32_t, union msg_any *);
static int	 client_trail(struct client *, const union msg_any *);
static void	 client_trailed(struct client *, enum result);
static void	 client_outcome(struct client *, enum note);
static void	 client_pass(struct client *, const union msg_any *);
static void	 client_guest(struct client *, const struct m_c_guest_add *);
static void	 client_ask(struct client *, enum proc_type, unsigned int,
		    uint32_t, const union msg_any *);
static void	 client_sealed(struct client *, const struct m_blob *);
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

/* Whatever the others do, there is room for root. */
static int
control_full(uid_t uid)
{
	struct client	*cl;
	unsigned int	 n = 0;

	TAILQ_FOREACH(cl, &clients, cl_entry)
		n += cl->cl_uid == uid;
	return (n >= CONTROL_MAX_UID ||
	    (uid != 0 && nclients - nroot >= CONTROL_MAX));
}

/* In the audit trail, if storage can be asked. */
static void
note(uid_t uid, uint32_t type, enum note what, uint32_t arg, uint32_t more)
{
	struct m_note	 m = { uid, type, arg, more, (uint8_t)what };

	(void)proc_send(proc_peer(PROC_STORAGE, 0), IMSG_NOTE, 0, -1, &m);
}

static const char *
more_text(uint32_t more)
{
	static char	 buf[64];

	if (more == 0)
		return ("");
	(void)snprintf(buf, sizeof(buf), "; %u more since the last such line",
	    more);
	return (buf);
}

/* The last word to somebody of whom not a byte is read. */
static void
say_why(int fd, const struct m_result *m)
{
	struct imsgbuf	 ib;

	if (imsgbuf_init(&ib, fd) == -1)
		return;
	if (msg_compose(&ib, IMSG_RESULT, 0, -1, m) == 0)
		(void)imsgbuf_write(&ib);
	imsgbuf_clear(&ib);
}

/* Anybody may connect. */
static void
turn_away(int fd, uid_t uid)
{
	struct m_result	 m = { .code = R_UNAVAILABLE };
	uint32_t	 more;

	if (ledger_whole()) {
		m.code = R_FORBIDDEN;
		m.field = "you are not in the ledger of operators";
		if (ledger_notable(uid, mono_ms(), &more)) {
			log_warnx("control: uid %u turned away, not in the "
			    "ledger of operators%s", uid, more_text(more));
			note(uid, IMSG_NONE, NOTE_STRANGER, 0, more);
		}
	}
	say_why(fd, &m);
}

static void
client_open(int fd)
{
	const struct m_result	 full = { .code = R_BUSY, .field =
				    "too many commands are under way" };
	struct client	*cl = NULL;
	uid_t		 uid;
	gid_t		 gid;

	if (getpeereid(fd, &uid, &gid) == -1)
		goto fail;
	if (ledger_role(uid, now_ms()) == OP_NONE) {
		turn_away(fd, uid);
		close(fd);
		return;
	}
	if (control_full(uid)) {
		say_why(fd, &full);
		goto fail;
	}
	if ((cl = calloc(1, sizeof(*cl))) == NULL)
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
	nroot += uid == 0;
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
	client_outcome(cl, NOTE_LEFT);
	if (cl->cl_parts)
		read_on(cl->cl_key, 1);
	TAILQ_REMOVE(&clients, cl, cl_entry);
	nclients--;
	nroot -= cl->cl_uid == 0;
	event_del(&cl->cl_ev);
	evtimer_del(&cl->cl_timer);
	imsgbuf_clear(&cl->cl_ibuf);
	close(cl->cl_ibuf.fd);
	free(cl->cl_guest);
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

/* So that a long answer in large parts waits with storage, not here. */
static void
read_on(uint32_t key, int gone)
{
	struct m_read_on	 m = { gone != 0 };

	if (proc_peer(PROC_STORAGE, 0) != NULL)
		(void)proc_send(proc_peer(PROC_STORAGE, 0), IMSG_READ_ON, key,
		    -1, &m);
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
		if (cl->cl_unread &&
		    imsgbuf_queuelen(&cl->cl_ibuf) == 0) {
			cl->cl_unread = 0;
			read_on(cl->cl_key, 0);
		}
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
	if (m->version != CONTROL_VERSION) {
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

/* Asked anew for each command: entries end, and so do lives of storage. */
static int
client_may(struct client *cl, uint32_t type)
{
	enum op_role	 role = ledger_role(cl->cl_uid, now_ms());
	enum op_role	 needed = msg_role(type);
	char		 why[MAX_LINE];
	uint32_t	 more;

	if (role >= needed)
		return (1);
	if (!ledger_whole()) {
		client_done(cl, R_UNAVAILABLE, 0, NULL);
		return (0);
	}
	if (ledger_notable(cl->cl_uid, mono_ms(), &more)) {
		log_warnx("control: uid %u, role %s: %s refused%s",
		    cl->cl_uid, op_role_word(role), msg_name(type),
		    more_text(more));
		note(cl->cl_uid, type, NOTE_ROLE, 0, more);
	}
	(void)snprintf(why, sizeof(why), "this is for the role %s%s, yours is "
	    "%s", op_role_word(needed), needed == OP_OWNER ? "" : " at least",
	    op_role_word(role));
	client_done(cl, R_FORBIDDEN, 0, role == OP_NONE ?
	    "you are not in the ledger of operators" : why);
	return (0);
}

static void
client_command(struct client *cl, uint32_t type, union msg_any *m)
{
	if (!client_may(cl, type))
		return;
	msg_set_operator(m, cl->cl_uid);
	cl->cl_key = CONTROL_ID | (control_key++ & ~CONTROL_ID);
	cl->cl_wait = 0;
	cl->cl_type = type;
	cl->cl_many = 0;
	cl->cl_trail = TRAIL_NONE;
	client_timer(cl, CONTROL_IDLE);
	if (msg_role(type) > OP_AUDITOR &&
	    !msg_allowed(type, PROC_AUTH, PROC_STORAGE)) {
		log_info("operator %u: %s", cl->cl_uid, msg_name(type));
		if (client_trail(cl, m) == 0)
			return;
	}
	client_pass(cl, m);
}

/* Have it written first.  0: that is asked for; -1: there is no storage. */
static int
client_trail(struct client *cl, const union msg_any *m)
{
	const struct m_c_verbose	*v = (const void *)m->bytes;
	struct m_note			 out = { .op = cl->cl_uid,
					    .type = cl->cl_type,
					    .note = NOTE_BEGIN };

	cl->cl_arg = cl->cl_type == IMSG_C_VERBOSE ? v->verbose : 0;
	out.arg = cl->cl_arg;
	if (proc_send(proc_peer(PROC_STORAGE, 0), IMSG_NOTE, cl->cl_key, -1,
	    &out) == -1)
		return (-1);
	/* Commands to the parent have no strings, which would be gone then. */
	cl->cl_m = *m;
	cl->cl_trail = TRAIL_ASKED;
	cl->cl_wait = BIT_STORAGE;
	return (0);
}

/* It is written or not; root must be able to see to the reason for that. */
static void
client_trailed(struct client *cl, enum result code)
{
	cl->cl_wait = 0;
	cl->cl_trail = code == R_OK ? TRAIL_BEGUN : TRAIL_NONE;
	if (code != R_OK && cl->cl_uid != 0) {
		client_done(cl, R_REFUSED, 0,
		    "the audit trail cannot be written");
		return;
	}
	client_pass(cl, &cl->cl_m);
}

static void
client_outcome(struct client *cl, enum note what)
{
	if (cl->cl_trail == TRAIL_BEGUN)
		note(cl->cl_uid, cl->cl_type, what, cl->cl_arg, 0);
	else if (cl->cl_trail == TRAIL_ASKED)
		note(cl->cl_uid, cl->cl_type, NOTE_FAILED, cl->cl_arg, 0);
	cl->cl_trail = TRAIL_NONE;
}

/* What goes in steps answers once, when it is done. */
static time_t
client_patience(const struct client *cl)
{
	if (cl->cl_type == IMSG_C_ERASE || cl->cl_type == IMSG_C_PURGE_RUN)
		return (CONTROL_LONG);
	return (cl->cl_many ? CONTROL_MANY : CONTROL_IDLE);
}

static void
client_pass(struct client *cl, const union msg_any *m)
{
	uint32_t	 type = cl->cl_type;
	unsigned int	 i;

	cl->cl_many = msg_allowed(type, PROC_AUTH, PROC_SESSION);
	if (type == IMSG_C_GUEST_ADD) {
		client_guest(cl, (const void *)m->bytes);
		return;
	}
	client_ask(cl, PROC_PARENT, 0, type, m);
	client_ask(cl, PROC_STORAGE, 0, type, m);
	for (i = 0; i < proc_nsession; i++)
		client_ask(cl, PROC_SESSION, i, type, m);
	client_timer(cl, client_patience(cl));
	if (type == IMSG_C_STATS)
		auth_stats(client_stat, cl);
	if (cl->cl_wait == 0)
		client_done(cl, cl->cl_many ? R_OK : R_UNAVAILABLE, 0, NULL);
}

/* Storage gets no password: first it goes to be sealed, if there is one. */
static void
client_guest(struct client *cl, const struct m_c_guest_add *m)
{
	struct guest_add	*ga;

	client_timer(cl, CONTROL_IDLE);
	if (m->sealed.mb_len != 0 || (m->password[0] != '\0' &&
	    !guest_password(m->password))) {
		client_done(cl, R_REFUSED, 0, "the password is not 8 to 128 "
		    "characters long");
		return;
	}
	free(cl->cl_guest);
	if ((ga = cl->cl_guest = calloc(1, sizeof(*ga))) == NULL) {
		client_done(cl, R_UNAVAILABLE, 0, NULL);
		return;
	}
	(void)strlcpy(ga->ga_tenant, m->tenant, sizeof(ga->ga_tenant));
	(void)strlcpy(ga->ga_floor, m->floor, sizeof(ga->ga_floor));
	ga->ga_add = *m;
	ga->ga_add.tenant = ga->ga_tenant;
	ga->ga_add.floor = ga->ga_floor;
	ga->ga_add.password = "";
	if (m->password[0] == '\0')
		client_sealed(cl, &ga->ga_add.sealed);
	else if (guest_control(cl->cl_key, m->password) == -1)
		client_done(cl, R_UNAVAILABLE, 0, NULL);
}

static void
client_sealed(struct client *cl, const struct m_blob *sealed)
{
	struct guest_add	*ga = cl->cl_guest;

	ga->ga_add.sealed = *sealed;
	if (proc_send(proc_peer(PROC_STORAGE, 0), IMSG_C_GUEST_ADD,
	    cl->cl_key, -1, &ga->ga_add) == -1)
		client_done(cl, R_UNAVAILABLE, 0, NULL);
	else
		cl->cl_wait |= BIT_STORAGE;
	free(ga);
	cl->cl_guest = NULL;
}

void
control_sealed(uint32_t key, const struct m_blob *sealed)
{
	struct client	*cl;

	if ((cl = client_find(key)) == NULL || cl->cl_guest == NULL)
		return;			/* gone, or tired of waiting */
	if (sealed == NULL)
		client_done(cl, R_UNAVAILABLE, 0, NULL);
	else
		client_sealed(cl, sealed);
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

	client_outcome(cl, code == R_OK ? NOTE_DONE : NOTE_FAILED);
	/* Nobody waits for what storage may still have to say. */
	if (cl->cl_parts)
		read_on(cl->cl_key, 1);
	cl->cl_parts = cl->cl_unread = 0;
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
	n = snprintf(url, sizeof(url), "https://%s.%s%s/%s/%s", m->tenant,
	    control_domain, port, m->guest ? "guest" : "invite", token);
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

	if ((cl = client_find(id)) == NULL) {
		if (type == IMSG_C_LOG_TEXT)
			read_on(id, 1);
		return (0);		/* gone, or tired of waiting */
	}
	if ((cl->cl_wait & bit) == 0)
		return (-1);
	if (type == IMSG_RESULT) {
		if (r->code >= R_MAX)
			return (-1);
		if (cl->cl_trail == TRAIL_ASKED)
			client_trailed(cl, r->code);
		else if (cl->cl_many)
			client_answered(cl, bit);
		else
			client_done(cl, r->code, r->arg, r->field);
		return (0);
	}
	if (type == IMSG_C_LINK_TOKEN)
		ret = client_link(cl, m);
	else if (msg_allowed(type, PROC_AUTH, PROC_CONTROL)) {
		if (type == IMSG_C_LOG_TEXT)
			cl->cl_parts = cl->cl_unread = 1;
		ret = client_send(cl, type, m);
	}
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
		if (cl->cl_trail == TRAIL_ASKED)
			client_trailed(cl, R_UNAVAILABLE);
		else if (cl->cl_many)
			client_answered(cl, bit);
		else
			client_done(cl, R_UNAVAILABLE, 0, NULL);
	}
}
