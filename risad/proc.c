#include <sys/resource.h>
#include <sys/socket.h>

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "proc.h"

#define PARENT_FD	3
#define BOOT_TIMEOUT	10000		/* ms */
#define PEER_ROUNDS	256		/* imsgs handled in one turn */
#define PEER_HIGH	65536		/* imsgs that may wait for a peer */
#define PEER_BYTES	(64UL * 1024 * 1024)	/* that they may be */
#define FULL_HIGH	16384		/* above, who answers reads no more */
#define FULL_BYTES	(4UL * 1024 * 1024)	/* questions until it is less */

enum proc_type			 proc_self;
unsigned int			 proc_inst;
unsigned int			 proc_nsession, proc_nhash;

static const struct proc_ops	*proc_ops;
static struct peer		 proc_parent;
static struct peer		 proc_peers[PROC_CONTROL][MAX_SESSIONS];
static int			 proc_code, proc_done;

static TAILQ_HEAD(, peer)	 dirty = TAILQ_HEAD_INITIALIZER(dirty);

static void	 proc_event(int, short, void *);
static int	 peer_full(struct peer *);

int
peer_open(struct peer *pe, enum proc_type proc, unsigned int inst, int fd,
    void (*cb)(int, short, void *))
{
	if (imsgbuf_init(&pe->pe_ibuf, fd) == -1)
		return (-1);
	if (imsgbuf_set_maxsize(&pe->pe_ibuf, MAX_PAYLOAD) == -1) {
		imsgbuf_clear(&pe->pe_ibuf);
		return (-1);
	}
	imsgbuf_allow_fdpass(&pe->pe_ibuf);
	pe->pe_proc = proc;
	pe->pe_inst = inst;
	pe->pe_more = pe->pe_blocked = pe->pe_dirty = 0;
	pe->pe_newer = 0;
	pe->pe_oldbytes = pe->pe_newbytes = 0;
	pe->pe_up = 1;
	pe->pe_what = EV_READ | EV_PERSIST;
	event_set(&pe->pe_ev, fd, pe->pe_what, cb, pe);
	event_add(&pe->pe_ev, NULL);
	return (0);
}

void
peer_close(struct peer *pe)
{
	if (!pe->pe_up)
		return;
	pe->pe_up = 0;
	if (pe->pe_dirty)
		TAILQ_REMOVE(&dirty, pe, pe_entry);
	pe->pe_dirty = 0;
	event_del(&pe->pe_ev);
	imsgbuf_clear(&pe->pe_ibuf);
	close(pe->pe_ibuf.fd);
	pe->pe_ibuf.fd = -1;
}

void
peer_arm(struct peer *pe)
{
	void	(*cb)(int, short, void *) = event_get_callback(&pe->pe_ev);
	short	 what = EV_PERSIST;
	int	 full = peer_full(pe);

	if (!pe->pe_up)
		return;
	/* What waits is written, now or later, and that comes back here. */
	if (!full)
		what |= EV_READ;
	if (pe->pe_blocked)
		what |= EV_WRITE;
	if (what != pe->pe_what) {
		event_del(&pe->pe_ev);
		event_set(&pe->pe_ev, pe->pe_ibuf.fd, what, cb, pe);
		event_add(&pe->pe_ev, NULL);
		pe->pe_what = what;
	}
	if (pe->pe_more && !full)
		event_active(&pe->pe_ev, EV_TIMEOUT, 1);
}

/* Something is queued: it leaves at the end of the turn. */
static void
peer_mark(struct peer *pe)
{
	if (pe->pe_dirty)
		return;
	pe->pe_dirty = 1;
	TAILQ_INSERT_TAIL(&dirty, pe, pe_entry);
}

/* What did not go stays until the pipe takes more. */
static void
peers_flush(void)
{
	struct peer	*pe;

	while ((pe = TAILQ_FIRST(&dirty)) != NULL) {
		TAILQ_REMOVE(&dirty, pe, pe_entry);
		pe->pe_dirty = 0;
		if (pe->pe_blocked)
			continue;
		/* A pipe that is gone is found by reading from it. */
		(void)imsgbuf_write(&pe->pe_ibuf);
		pe->pe_blocked = imsgbuf_queuelen(&pe->pe_ibuf) > 0;
		peer_arm(pe);
	}
}

/* One imsg: who sent it, may he, every byte used; then act. */
static int
peer_imsg(struct peer *pe, struct imsg *imsg, int (*cb)(struct peer *,
    uint32_t, uint32_t, const void *, struct imsg *))
{
	/* The function may close the peer; its words live on the stack. */
	union msg_any	 m;
	uint32_t	 type = imsg_get_type(imsg);

	if (!msg_allowed(type, pe->pe_proc, proc_self)) {
		log_warnx("%s %u: imsg %u (%s) is not his to send",
		    proc_title(pe->pe_proc), pe->pe_inst, type,
		    msg_name(type));
		return (-1);
	}
	if (msg_decode(imsg, &m) == -1) {
		log_warnx("%s %u: malformed %s", proc_title(pe->pe_proc),
		    pe->pe_inst, msg_name(type));
		return (-1);
	}
	return (cb(pe, type, imsg_get_id(imsg), m.bytes, imsg));
}

int
peer_events(struct peer *pe, short what, int (*cb)(struct peer *, uint32_t,
    uint32_t, const void *, struct imsg *), int *bad)
{
	struct imsg	 imsg;
	unsigned int	 i;
	int		 n;

	*bad = 0;
	if (what & EV_WRITE) {
		if (imsgbuf_write(&pe->pe_ibuf) == -1)
			return (-1);
		pe->pe_blocked = imsgbuf_queuelen(&pe->pe_ibuf) > 0;
	}
	if (peer_full(pe))
		return (0);
	/* A read holds more imsgs than a turn: who floods us waits for them. */
	if ((what & EV_READ) && !pe->pe_more) {
		if ((n = imsgbuf_read(&pe->pe_ibuf)) == -1) {
			*bad = errno == ERANGE || errno == EBADMSG;
			return (-1);
		}
		if (n == 0)
			return (-1);
	}
	pe->pe_more = 0;
	for (i = 0; i < PEER_ROUNDS && !peer_full(pe); i++) {
		if ((n = imsgbuf_get(&pe->pe_ibuf, &imsg)) == 0)
			return (0);
		if (n == -1) {
			*bad = 1;
			return (-1);
		}
		n = peer_imsg(pe, &imsg, cb);
		imsg_free(&imsg);
		if (n == -1) {
			*bad = 1;
			return (-1);
		}
		if (!pe->pe_up)
			return (0);	/* closed by what it said */
	}
	pe->pe_more = 1;
	return (0);
}

struct peer *
proc_peer(enum proc_type proc, unsigned int inst)
{
	struct peer	*pe;

	if (proc == PROC_PARENT)
		return (proc_parent.pe_up ? &proc_parent : NULL);
	if (proc >= PROC_CONTROL || inst >= MAX_SESSIONS)
		return (NULL);
	pe = &proc_peers[proc][inst];
	return (pe->pe_up ? pe : NULL);
}

/*
 * Bytes that wait, at most.  The queue says only how many imsgs it has, so they
 * are counted in an older and a newer part, and the older one is forgotten when
 * the last of its imsgs has left.
 */
static size_t
peer_waits(struct peer *pe)
{
	uint32_t	 left = imsgbuf_queuelen(&pe->pe_ibuf);

	if (left <= pe->pe_newer) {
		pe->pe_oldbytes = left == 0 ? 0 : pe->pe_newbytes;
		pe->pe_newbytes = 0;
		pe->pe_newer = 0;
	}
	return (pe->pe_oldbytes + pe->pe_newbytes);
}

/*
 * Each question may be a hundred times as large when it is answered.  Whoever
 * asks faster than he reads waits, rather than lose answers, his own and those
 * of all others on the same pipe.  Only one side of a pipe may do this.
 */
static int
peer_full(struct peer *pe)
{
	return (pe->pe_up && proc_ops != NULL && proc_ops->po_answers &&
	    pe->pe_proc == PROC_SESSION &&
	    (imsgbuf_queuelen(&pe->pe_ibuf) > FULL_HIGH ||
	    peer_waits(pe) > FULL_BYTES));
}

int
proc_send(struct peer *pe, enum imsg_type type, uint32_t id, int fd,
    const void *m)
{
	size_t	 size = IMSG_HEADER_SIZE + msg_size(type, m);

	if (pe == NULL || !pe->pe_up) {
		errno = ENOTCONN;
		return (-1);
	}
	if (imsgbuf_queuelen(&pe->pe_ibuf) >= PEER_HIGH ||
	    peer_waits(pe) + size > PEER_BYTES) {
		log_debug("%s %u: queue is full, %s dropped",
		    proc_title(pe->pe_proc), pe->pe_inst, msg_name(type));
		errno = ENOBUFS;
		return (-1);
	}
	if (msg_compose(&pe->pe_ibuf, type, id, fd, m) == -1) {
		log_warn("%s %u: compose %s", proc_title(pe->pe_proc),
		    pe->pe_inst, msg_name(type));
		return (-1);
	}
	pe->pe_newer++;
	pe->pe_newbytes += size;
	peer_mark(pe);
	return (0);
}

int
proc_result(struct peer *pe, uint32_t id, enum result code, uint64_t arg,
    const char *field)
{
	struct m_result	 r = { .code = code, .arg = arg, .field = field };

	return (proc_send(pe, IMSG_RESULT, id, -1, &r));
}

uint32_t
proc_queued(struct peer *pe)
{
	return (pe->pe_up ? imsgbuf_queuelen(&pe->pe_ibuf) : 0);
}

void
proc_exit(int code)
{
	proc_code = code;
	proc_done = 1;
}

int
proc_loop(void (*turn)(void), unsigned int (*rest)(void))
{
	unsigned int	 ms;

	while (!proc_done) {
		if (event_loop(EVLOOP_ONCE) != 0)
			fatalx("the loop has nothing to wait for");
		if (turn != NULL)
			turn();
		peers_flush();
		if (rest != NULL && (ms = rest()) > 0)
			(void)poll(NULL, 0, (int)ms);
	}
	return (proc_code);
}

static void
proc_down(struct peer *pe)
{
	int	 was = pe->pe_up;

	peer_close(pe);
	if (was && proc_ops->po_down != NULL)
		proc_ops->po_down(pe);
}

/* A pipe to a sibling, in place of the one we may have had. */
static int
proc_procfd(const struct m_procfd *m, struct imsg *imsg)
{
	struct peer	*pe;
	int		 fd = imsg_get_fd(imsg);

	if (fd == -1 || m->proc == PROC_PARENT || m->proc >= PROC_CONTROL ||
	    m->inst >= MAX_SESSIONS) {
		if (fd != -1)
			close(fd);
		log_warnx("pipe to a sibling did not arrive");
		return (0);		/* the parent renews it with the peer */
	}
	if (proc_ops->po_takefd != NULL &&
	    proc_ops->po_takefd(m->proc, m->inst, fd))
		return (0);
	pe = &proc_peers[m->proc][m->inst];
	proc_down(pe);
	if (peer_open(pe, m->proc, m->inst, fd, proc_event) == -1) {
		log_warn("pipe to %s %u", proc_title(m->proc), m->inst);
		close(fd);
		return (0);
	}
	if (proc_ops->po_up != NULL)
		proc_ops->po_up(pe);
	return (0);
}

static int
proc_imsg(struct peer *pe, uint32_t type, uint32_t id, const void *m,
    struct imsg *imsg)
{
	switch (type) {
	case IMSG_PROCFD:
		return (proc_procfd(m, imsg));
	case IMSG_CONF_COMMIT:
		if (proc_ops->po_imsg(pe, type, id, m, imsg) == -1)
			return (-1);
		return (proc_send(pe, IMSG_CONF_LIVE, 0, -1, m));
	case IMSG_VERBOSE:
		log_setverbose(((const struct m_verbose *)m)->verbose != 0);
		return (0);
	case IMSG_SHUTDOWN:
		if (proc_ops->po_shutdown != NULL)
			proc_ops->po_shutdown();
		else
			proc_exit(0);
		return (0);
	case IMSG_BOOT:
		return (-1);		/* once, and read before the loop */
	default:
		return (proc_ops->po_imsg(pe, type, id, m, imsg));
	}
}

static void
proc_event(int fd, short what, void *arg)
{
	struct peer	*pe = arg;
	struct m_procfd	 m;
	int		 bad, ret;

	(void)fd;
	ret = peer_events(pe, what, proc_imsg, &bad);
	if (ret == 0) {
		peer_arm(pe);
		return;
	}
	if (pe == &proc_parent) {
		/* Without its parent a child is nothing. */
		if (bad)
			log_warnx("bad imsg from the parent");
		proc_exit(bad);
		peer_close(pe);
		return;
	}
	if (bad) {
		log_warnx("%s %u has broken the protocol",
		    proc_title(pe->pe_proc), pe->pe_inst);
		m.proc = (uint8_t)pe->pe_proc;
		m.inst = (uint16_t)pe->pe_inst;
		(void)proc_send(&proc_parent, IMSG_BADPEER, 0, -1, &m);
	}
	proc_down(pe);
}

/* The first imsg comes before the jail, so it is waited for. */
static void
proc_boot(char *user, size_t userlen, char *dir, size_t dirlen)
{
	struct pollfd		 pfd = { .fd = PARENT_FD, .events = POLLIN };
	struct imsg		 imsg;
	const struct m_boot	*m;
	union msg_any		 any;
	int			 n;

	for (;;) {
		if ((n = imsgbuf_get(&proc_parent.pe_ibuf, &imsg)) == -1)
			fatal("boot");
		if (n == 1)
			break;
		if (poll(&pfd, 1, BOOT_TIMEOUT) != 1)
			fatalx("no word from the parent");
		if (imsgbuf_read(&proc_parent.pe_ibuf) != 1)
			fatalx("the parent has gone");
	}
	if (imsg_get_type(&imsg) != IMSG_BOOT || msg_decode(&imsg, &any) == -1)
		fatalx("the parent's first word is not ours");
	m = (const void *)any.bytes;
	proc_nsession = m->nsession;
	proc_nhash = m->nhash;
	log_init((int)m->debug);
	log_setverbose(m->verbose != 0);
	if (strlcpy(user, m->user, userlen) >= userlen ||
	    strlcpy(dir, m->dir, dirlen) >= dirlen)
		fatalx("boot: too long");
	imsg_free(&imsg);
}

/* For good: root, groups and the way back to them. */
static void
proc_drop(const char *user, const char *dir)
{
	struct passwd	*pw;
	struct rlimit	 none = { 0, 0 };

	if ((pw = getpwnam(user)) == NULL)
		fatalx("no such user: %s", user);
	if (pw->pw_uid == 0)
		fatalx("%s may not be root", user);
	if (chroot(dir) == -1)
		fatal("chroot %s", dir);
	if (chdir("/") == -1)
		fatal("chdir");
	if (setgroups(1, &pw->pw_gid) == -1 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == -1 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == -1)
		fatal("drop to %s", user);
	if (setuid(0) != -1 || seteuid(0) != -1 || setgid(0) != -1)
		fatalx("%s can become root again", user);
	if (setrlimit(RLIMIT_CORE, &none) == -1)
		fatal("setrlimit");
}

int
proc_main(const struct proc_ops *ops, unsigned int inst)
{
	char	 user[33], dir[MAX_PATH + 1];
	int	 type;
	socklen_t len = sizeof(type);

	proc_ops = ops;
	proc_self = ops->po_proc;
	proc_inst = inst;
	log_title(proc_title(proc_self));
	if (getsockopt(PARENT_FD, SOL_SOCKET, SO_TYPE, &type, &len) == -1)
		fatalx("started by the parent only");

	/* These reach the whole group; the parent tells us to stop. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);

	event_init();
	if (peer_open(&proc_parent, PROC_PARENT, 0, PARENT_FD,
	    proc_event) == -1)
		fatal("imsg");
	proc_boot(user, sizeof(user), dir, sizeof(dir));
	tzset();
	if (ops->po_init != NULL)
		ops->po_init();
	proc_drop(user, dir);
	if (pledge(ops->po_promises, NULL) == -1)
		fatal("sandbox");
	if (ops->po_start != NULL)
		ops->po_start();
	(void)proc_send(&proc_parent, IMSG_READY, 0, -1, NULL);
	/* What the parent sent behind the first word is in the buffer. */
	proc_parent.pe_more = 1;
	peer_arm(&proc_parent);
	peers_flush();
	return (proc_loop(ops->po_turn, ops->po_rest));
}
