#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "spawn.h"
#include "util.h"

#define START_TIMEOUT	10		/* seconds to accept a configuration */
#define STOP_TIMEOUT	3		/* seconds for each stage of the end */
#define STOP_STORAGE	60		/* with all its files, on any disk */
#define DEATH_WINDOW	60000		/* ms: five deaths within it end us */
#define RETRY		1		/* second until there may be some */
#define ROOM		8		/* of them that a start needs */
#define COMPLAINT_WINDOW 60000		/* ms: of a sibling, once within it */

/* Which pairs of processes have a pipe of their own. */
static const struct pair {
	enum proc_type	 pa_a, pa_b;
} pairs[] = {
	{ PROC_AUTH,	PROC_STORAGE },
	{ PROC_AUTH,	PROC_HASH },
	{ PROC_STORAGE,	PROC_KEYS },
	{ PROC_SESSION,	PROC_STORAGE },
	{ PROC_SESSION,	PROC_AUTH },
	{ PROC_SESSION,	PROC_KEYS },
	{ PROC_SESSION,	PROC_SESSION },
};

static const char *const users[PROC_CONTROL] = {
	[PROC_STORAGE] = "_risastor",
	[PROC_KEYS] = "_risakeys",
	[PROC_HASH] = "_risahash",
	[PROC_AUTH] = "_risaauth",
	[PROC_SESSION] = "_risasess",
};

static const struct spawn_ops	*ops;
static struct child		 children[PROC_CONTROL][MAX_SESSIONS];
static unsigned int		 count[PROC_CONTROL];
static const char		*program;
static char			*data_dir, *empty_dir;
static int			 debugging;
static int			 stopping;	/* stage of the end, 0: none */
static int			 stop_failed;	/* one had to be killed */
static struct event		 stop_timer;
static struct event		 chld_event;

static void	 child_start(struct child *, enum proc_type, unsigned int);
static void	 child_kill(struct child *, const char *);
static void	 child_event(int, short, void *);
static void	 stop_stage(void);

int
spawn_each(int (*fn)(struct child *, void *), void *arg)
{
	unsigned int	 p, i;
	int		 ret;

	for (p = PROC_STORAGE; p < PROC_CONTROL; p++)
		for (i = 0; i < count[p]; i++)
			if (children[p][i].ch_pid != 0 &&
			    (ret = fn(&children[p][i], arg)) != 0)
				return (ret);
	return (0);
}

struct child *
spawn_child(enum proc_type proc, unsigned int inst)
{
	if (proc == PROC_PARENT || proc >= PROC_CONTROL || inst >= count[proc])
		return (NULL);
	return (&children[proc][inst]);
}

int
spawn_send(struct child *ch, enum imsg_type type, uint32_t id, int fd,
    const void *m)
{
	return (proc_send(&ch->ch_peer, type, id, fd, m));
}

static void
child_kill(struct child *ch, const char *why)
{
	if (ch->ch_pid == 0)
		return;
	log_warnx("%s %u: %s, killed", proc_title(ch->ch_peer.pe_proc),
	    ch->ch_peer.pe_inst, why);
	ch->ch_broken = 1;
	kill(ch->ch_pid, SIGKILL);	/* waitpid tells the rest */
}

/* Bring fd to number 3 with nothing else open above stderr, then exec. */
static void
child_exec(int fd, enum proc_type proc, unsigned int inst)
{
	char		 name[] = "risad", p[] = "-P", title[16], i[] = "-I";
	char		 num[16];
	char		*argv[] = { name, p, title, i, num, NULL };
	char		*envp[] = { NULL };
	sigset_t	 empty;

	(void)snprintf(num, sizeof(num), "%u", inst);
	(void)strlcpy(title, proc_title(proc), sizeof(title));
	sigemptyset(&empty);
	sigprocmask(SIG_SETMASK, &empty, NULL);
	if (fd == 3) {
		if (fcntl(fd, F_SETFD, 0) == -1)
			_exit(1);
	} else if (dup2(fd, 3) == -1)
		_exit(1);
	closefrom(4);
	execve(program, argv, envp);
	_exit(127);
}

static void
child_slow(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	child_kill(arg, "does not start");
}

void
spawn_settled(struct child *ch)
{
	evtimer_del(&ch->ch_timer);
}

static int
child_fork(struct child *ch, enum proc_type proc, unsigned int inst)
{
	struct timeval	 tv = { START_TIMEOUT, 0 };
	int		 sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    sv) == -1) {
		log_warn("socketpair");
		return (-1);
	}
	switch (ch->ch_pid = fork()) {
	case -1:
		log_warn("fork");
		ch->ch_pid = 0;
		goto fail;
	case 0:
		child_exec(sv[1], proc, inst);
	}
	if (peer_open(&ch->ch_peer, proc, inst, sv[0], child_event) == -1) {
		log_warn("imsg");
		kill(ch->ch_pid, SIGKILL);
		goto fail;
	}
	close(sv[1]);
	ch->ch_ready = ch->ch_broken = 0;
	memset(ch->ch_complained, 0, sizeof(ch->ch_complained));
	ch->ch_acked = ch->ch_live = 0;
	ch->ch_started = now_ms();
	evtimer_set(&ch->ch_timer, child_slow, ch);
	evtimer_add(&ch->ch_timer, &tv);
	return (0);
 fail:
	close(sv[0]);
	close(sv[1]);
	return (-1);
}

/* Give one end to a child; both sides of a pair are told. */
static void
pipe_end(struct child *to, const struct child *of, int fd)
{
	struct m_procfd	 m = { .proc = (uint8_t)of->ch_peer.pe_proc,
			    .inst = (uint16_t)of->ch_peer.pe_inst };

	if (spawn_send(to, IMSG_PROCFD, 0, fd, &m) == -1) {
		close(fd);
		return;			/* it is dying, its channel is gone */
	}
	/* At once, or descriptors pile up here; the loop sends the rest. */
	(void)imsgbuf_write(&to->ch_peer.pe_ibuf);
}

static void
pipe_pair(struct child *a, struct child *b)
{
	int	 sv[2];

	if (a == b || a->ch_pid == 0 || b->ch_pid == 0)
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    sv) == -1) {
		log_warn("socketpair");
		/* Without it it would look alive and be of no use. */
		kill(a->ch_pid, SIGKILL);
		return;
	}
	pipe_end(a, b, sv[0]);
	pipe_end(b, a, sv[1]);
}

/* All pipes of one child; started: only to those that were before it. */
static void
pipe_all(struct child *ch)
{
	enum proc_type	 self = ch->ch_peer.pe_proc, other;
	unsigned int	 i, n;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (pairs[i].pa_a == self)
			other = pairs[i].pa_b;
		else if (pairs[i].pa_b == self)
			other = pairs[i].pa_a;
		else
			continue;
		for (n = 0; n < count[other]; n++)
			pipe_pair(ch, &children[other][n]);
	}
}

/* Are there the descriptors for a child and its pipes?  Half of one is none. */
static int
child_room(void)
{
	int	 fds[ROOM], n, ret;

	for (n = 0; n < ROOM; n++)
		if ((fds[n] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) == -1)
			break;
	ret = n == ROOM;
	while (n > 0)
		close(fds[--n]);
	return (ret);
}

static void
child_again(int fd, short what, void *arg)
{
	struct child	*ch = arg;

	(void)fd;
	(void)what;
	if (!stopping)
		child_start(ch, ch->ch_peer.pe_proc, ch->ch_peer.pe_inst);
}

/* It can not be started now: that is no death, and the others work. */
static void
child_later(struct child *ch)
{
	struct timeval	 tv = { RETRY, 0 };

	log_warnx("%s %u: no descriptors to start it, will try again",
	    proc_title(ch->ch_peer.pe_proc), ch->ch_peer.pe_inst);
	evtimer_set(&ch->ch_timer, child_again, ch);
	evtimer_add(&ch->ch_timer, &tv);
}

static void
child_start(struct child *ch, enum proc_type proc, unsigned int inst)
{
	struct m_boot	 m = { 0 };

	if (ch->ch_started != 0 && !child_room()) {
		child_later(ch);
		return;
	}
	if (child_fork(ch, proc, inst) == -1) {
		ops->so_hopeless(ch);
		return;
	}
	m.user = users[proc];
	m.dir = proc == PROC_STORAGE ? data_dir : empty_dir;
	m.nsession = count[PROC_SESSION];
	m.nhash = count[PROC_HASH];
	m.verbose = (uint32_t)log_getverbose();
	m.debug = (uint32_t)debugging;
	(void)spawn_send(ch, IMSG_BOOT, 0, -1, &m);
	pipe_all(ch);
	ops->so_started(ch);
}

/* A session that did what its code never does has been broken into. */
static void
child_was_broken(struct child *ch)
{
	struct m_procfd	 m = { .proc = (uint8_t)ch->ch_peer.pe_proc,
			    .inst = (uint16_t)ch->ch_peer.pe_inst };

	if (ch->ch_peer.pe_proc != PROC_SESSION)
		return;
	log_warnx("session %u: taken as broken into, its sign-ins end",
	    ch->ch_peer.pe_inst);
	(void)spawn_send(&children[PROC_STORAGE][0], IMSG_BROKEN, 0, -1, &m);
}

/* Storage keeps count; of its own end it hears in its next life. */
static void
child_tell(const struct child *ch, int status)
{
	struct m_died	 m = { .proc = (uint8_t)ch->ch_peer.pe_proc,
			    .inst = (uint16_t)ch->ch_peer.pe_inst };

	if (WIFSIGNALED(status))
		m.sig = (uint8_t)WTERMSIG(status);
	else
		m.code = (uint8_t)WEXITSTATUS(status);
	(void)spawn_send(&children[PROC_STORAGE][0], IMSG_DIED, 0, -1, &m);
}

/* Five deaths within a minute: this one and the four before it. */
static int
child_hopeless(struct child *ch)
{
	uint64_t	 now = mono_ms();
	int		 hopeless;

	hopeless = ch->ch_deaths[0] != 0 &&
	    now - ch->ch_deaths[0] < DEATH_WINDOW;
	memmove(ch->ch_deaths, ch->ch_deaths + 1,
	    sizeof(ch->ch_deaths) - sizeof(ch->ch_deaths[0]));
	ch->ch_deaths[3] = now;
	return (hopeless);
}

static void
child_died(struct child *ch, int status)
{
	enum proc_type	 proc = ch->ch_peer.pe_proc;
	unsigned int	 inst = ch->ch_peer.pe_inst;

	if (WIFSIGNALED(status))
		log_warnx("%s %u: ended by signal %d%s", proc_title(proc), inst,
		    WTERMSIG(status),
		    WTERMSIG(status) == SIGSYS ? " (sandbox)" : "");
	else if (!stopping || WEXITSTATUS(status) != 0)
		log_warnx("%s %u: exit %d", proc_title(proc), inst,
		    WEXITSTATUS(status));
	ch->ch_pid = 0;
	peer_close(&ch->ch_peer);
	evtimer_del(&ch->ch_timer);
	if (stopping) {
		stop_stage();
		return;
	}
	if (ch->ch_broken ||
	    (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS))
		child_was_broken(ch);
	if (child_hopeless(ch)) {
		ops->so_hopeless(ch);
		return;
	}
	ch->ch_restarts++;
	child_start(ch, proc, inst);
	child_tell(ch, status);
}

static struct child *
child_of(pid_t pid)
{
	unsigned int	 p, i;

	for (p = PROC_STORAGE; p < PROC_CONTROL; p++)
		for (i = 0; i < count[p]; i++)
			if (children[p][i].ch_pid == pid)
				return (&children[p][i]);
	return (NULL);
}

static void
spawn_chld(int sig, short what, void *arg)
{
	struct child	*ch;
	int		 status;
	pid_t		 pid;

	(void)sig;
	(void)what;
	(void)arg;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if ((ch = child_of(pid)) != NULL)
			child_died(ch, status);
}

/* Has it said the same within the minute?  Then one of the two lies. */
static int
child_repeats(struct child *by, const struct m_procfd *m)
{
	uint64_t	*last = &by->ch_complained[m->proc][m->inst];
	uint64_t	 now = mono_ms();
	int		 again;

	again = *last != 0 && now - *last < COMPLAINT_WINDOW;
	*last = now;
	return (again);
}

/*
 * A child accuses a sibling; -1 when it costs the accuser his own life.  A
 * session, the one that speaks with strangers, is believed of other sessions
 * only: it could lie to have storage killed.  And once a minute of the same
 * one: else it could have a sibling killed until the slot is given up.
 */
static int
child_accused(struct child *by, const struct m_procfd *m)
{
	struct child	*ch = spawn_child(m->proc, m->inst);

	if (ch == NULL)
		return (-1);
	if (by->ch_peer.pe_proc == PROC_SESSION) {
		log_warnx("session %u complains of %s %u", by->ch_peer.pe_inst,
		    proc_title(m->proc), m->inst);
		if (child_repeats(by, m))
			return (-1);
		if (m->proc != PROC_SESSION) {
			pipe_pair(by, ch);
			return (0);
		}
	}
	child_kill(ch, "sent bad bytes to a sibling");
	return (0);
}

static int
child_imsg(struct peer *pe, uint32_t type, uint32_t id, const void *m,
    struct imsg *imsg)
{
	struct child	*ch = (struct child *)pe;

	(void)imsg;
	switch (type) {
	case IMSG_READY:
		ch->ch_ready = 1;
		return (0);
	case IMSG_BADPEER:
		return (child_accused(ch, m));
	default:
		return (ops->so_imsg(ch, type, id, m));
	}
}

static void
child_event(int fd, short what, void *arg)
{
	struct child	*ch = arg;
	int		 bad;

	(void)fd;
	if (peer_events(&ch->ch_peer, what, child_imsg, &bad) == 0) {
		peer_arm(&ch->ch_peer);
		return;
	}
	peer_close(&ch->ch_peer);
	/* It is dying, or it lives and has no business without its parent. */
	if (bad)
		child_kill(ch, "sent bad bytes");
	else if (ch->ch_pid != 0)
		kill(ch->ch_pid, SIGKILL);
}

const char *
spawn_nobody(void)
{
	enum proc_type	 proc;

	for (proc = PROC_STORAGE; proc < PROC_CONTROL; proc++)
		if (getpwnam(users[proc]) == NULL)
			return (users[proc]);
	return (NULL);
}

void
spawn_init(const struct spawn_ops *so, const char *path, int debug,
    const struct conf *conf)
{
	static const enum proc_type	 order[] = {
		PROC_STORAGE, PROC_KEYS, PROC_HASH, PROC_AUTH, PROC_SESSION
	};
	unsigned int			 o, i;

	ops = so;
	program = path;
	debugging = debug;
	if ((data_dir = strdup(conf->co_data)) == NULL ||
	    (empty_dir = strdup(conf->co_chroot)) == NULL)
		fatal("strdup");
	signal_set(&chld_event, SIGCHLD, spawn_chld, NULL);
	signal_add(&chld_event, NULL);
	for (o = 0; o < sizeof(order) / sizeof(order[0]); o++)
		count[order[o]] = 1;
	count[PROC_SESSION] = conf->co_nsession;
	count[PROC_HASH] = conf->co_nhash;
	for (o = 0; o < sizeof(order) / sizeof(order[0]); o++)
		for (i = 0; i < count[order[o]]; i++)
			child_start(&children[order[o]][i], order[o], i);
}

static int
child_alive(enum proc_type proc)
{
	unsigned int	 i;

	for (i = 0; i < count[proc]; i++)
		if (children[proc][i].ch_pid != 0)
			return (1);
	return (0);
}

/*
 * Those that hold connections first.  Storage, which has more to write, has its
 * last checkpoints signed before keys goes.
 */
static const enum proc_type	 stages[] = {
	PROC_SESSION, PROC_AUTH, PROC_HASH, PROC_STORAGE, PROC_KEYS
};

/* Only those whose turn it is: the others have nothing to do with it. */
static void
stop_slow(int fd, short what, void *arg)
{
	enum proc_type	 proc = stages[stopping - 1];
	unsigned int	 i;

	(void)fd;
	(void)what;
	(void)arg;
	stop_failed = 1;
	for (i = 0; i < count[proc]; i++)
		child_kill(&children[proc][i], "does not stop");
}

static void
stop_stage(void)
{
	const int	 nstages = sizeof(stages) / sizeof(stages[0]);
	struct timeval	 tv = { 0, 0 };
	enum proc_type	 proc;
	unsigned int	 i;

	while (stopping <= nstages) {
		if (stopping > 0 && child_alive(stages[stopping - 1]))
			return;
		if (++stopping > nstages)
			break;
		proc = stages[stopping - 1];
		for (i = 0; i < count[proc]; i++)
			if (children[proc][i].ch_pid != 0)
				(void)spawn_send(&children[proc][i],
				    IMSG_SHUTDOWN, 0, -1, NULL);
		tv.tv_sec = proc == PROC_STORAGE ? STOP_STORAGE : STOP_TIMEOUT;
		evtimer_del(&stop_timer);
		evtimer_add(&stop_timer, &tv);
	}
	evtimer_del(&stop_timer);
	ops->so_stopped(stop_failed);
}

void
spawn_stop(void)
{
	if (stopping)
		return;
	evtimer_set(&stop_timer, stop_slow, NULL);
	stop_stage();
}
