/*
 * The pipe between two processes: short writes and reads, calls that take
 * nothing, a peer that stalls, queues at their high mark, two pipes that are
 * full at once.  What is accepted arrives, once and in order; what waits is
 * bounded.  proc.c is included for its statics.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <malloc.h>

#include "../../risad/proc.c"
#include "unit.h"

#define MANY		1000000		/* that are to come through, */
#define FEWER		100000		/* and where sanitizers watch */
#define TURNS		(1U << 24)	/* after which nothing will come */

static size_t		 lim_read, lim_write;	/* bytes a call at most; 0 */
static unsigned int	 again;		/* one call in so many takes nothing */
static size_t		 got_bytes;	/* by recvmsg */

/* The same numbers in each run. */
static uint32_t
draw(uint32_t below)
{
	static uint64_t	 x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return ((uint32_t)(x >> 32) % below);
}

/* These stand before those in libc. */
ssize_t
recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t	 n;

	if (again != 0 && draw(again) == 0) {
		errno = EAGAIN;
		return (-1);
	}
	if (lim_read != 0 && msg->msg_iov[0].iov_len > lim_read)
		msg->msg_iov[0].iov_len = 1 + draw((uint32_t)lim_read);
	if ((n = syscall(SYS_recvmsg, fd, msg, flags)) > 0)
		got_bytes += (size_t)n;
	return (n);
}

ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct iovec	 iov;
	struct msghdr	 m = *msg;

	if (again != 0 && draw(again) == 0) {
		errno = EAGAIN;
		return (-1);
	}
	if (lim_write != 0) {
		iov = m.msg_iov[0];
		if (iov.iov_len > lim_write)
			iov.iov_len = 1 + draw((uint32_t)lim_write);
		m.msg_iov = &iov;
		m.msg_iovlen = 1;
	}
	return (syscall(SYS_sendmsg, fd, &m, flags));
}

/* One end, and what has come out there. */
struct side {
	struct peer	 sd_peer;		/* first */
	uint32_t	 sd_next;		/* id that must come */
	uint32_t	 sd_sent;		/* and that is sent */
	uint64_t	 sd_bytes;
	unsigned int	 sd_wrong;
	int		 sd_answer;		/* each of them */
};

static struct side	 a, b;
static char		 words[MAX_SIGNAL + 1];

static int
take(struct peer *pe, uint32_t type, uint32_t id, const void *m,
    struct imsg *imsg)
{
	const struct m_bus_signal	*ms = m;
	struct side			*sd = (struct side *)pe;
	size_t				 len;

	(void)imsg;
	len = strlen(ms->data);
	if (type != IMSG_BUS_SIGNAL || id != sd->sd_next ||
	    len != ms->tenant || strspn(ms->data, "w") != len)
		sd->sd_wrong++;
	sd->sd_next++;
	sd->sd_bytes += len;
	return (0);
}

static int
say(struct side *sd, size_t len)
{
	struct m_bus_signal	 m = { .tenant = (uint32_t)len,
				    .data = words + MAX_SIGNAL - len };

	if (proc_send(&sd->sd_peer, IMSG_BUS_SIGNAL, sd->sd_sent, -1, &m) == -1)
		return (-1);
	sd->sd_sent++;
	return (0);
}

static void
on_event(int fd, short what, void *arg)
{
	struct peer	*pe = arg;
	int		 bad;

	(void)fd;
	if (peer_events(pe, what, take, &bad) == -1) {
		((struct side *)pe)->sd_wrong++;
		peer_close(pe);
		return;
	}
	peer_arm(pe);
}

static void
begin(int size)
{
	int	 sv[2];

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	lim_read = lim_write = 0;
	again = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) == -1)
		abort();
	if (size != 0 && (setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &size,
	    sizeof(size)) == -1 || setsockopt(sv[1], SOL_SOCKET, SO_SNDBUF,
	    &size, sizeof(size)) == -1))
		abort();
	if (peer_open(&a.sd_peer, PROC_SESSION, 0, sv[0], on_event) == -1 ||
	    peer_open(&b.sd_peer, PROC_SESSION, 1, sv[1], on_event) == -1)
		abort();
}

static void
end(void)
{
	peer_close(&a.sd_peer);
	peer_close(&b.sd_peer);
}

/* Turns of a loop that is both processes', until all has come. */
static int
settle(unsigned int turns)
{
	unsigned int	 i;

	for (i = 0; i < turns; i++) {
		peers_flush();
		if (b.sd_next == a.sd_sent && a.sd_next == b.sd_sent)
			return (0);
		if (event_loop(EVLOOP_ONCE | EVLOOP_NONBLOCK) == -1)
			abort();
	}
	return (-1);
}

/* So many imsgs both ways, cut and refused at random. */
static void
many(uint32_t total, size_t cut, unsigned int no, int size)
{
	uint32_t	 i, n, most = 0;

	begin(size);
	lim_read = lim_write = cut;
	again = no;
	for (i = 0; i < total; i++) {
		if (say(&a, draw(40)) == -1 ||
		    (draw(2) == 0 && say(&b, draw(40)) == -1))
			break;
		if (proc_queued(&a.sd_peer) > most)
			most = proc_queued(&a.sd_peer);
		if (draw(64) != 0)
			continue;
		peers_flush();
		/* Now and then one of them stalls. */
		for (n = 0; n < TURNS && (draw(8) != 0 ||
		    proc_queued(&a.sd_peer) > 1000 ||
		    proc_queued(&b.sd_peer) > 1000); n++)
			if (event_loop(EVLOOP_ONCE | EVLOOP_NONBLOCK) == -1)
				abort();
	}
	CHECK_INT(i, total);
	CHECK_INT(settle(TURNS), 0);
	CHECK_INT(a.sd_wrong, 0);
	CHECK_INT(b.sd_wrong, 0);
	CHECK_INT(b.sd_next, total);
	CHECK(most < 2000);
	end();
}

static void
test_order(int san)
{
	unsigned int	 n = san ? FEWER : MANY;
	int	 is_long = getenv("LONG") != NULL && *getenv("LONG") == '1';

	many(is_long ? MANY : 5000, 1, 3, 0);
	many(is_long ? MANY : n, 16384, 50, 16384);
	many(n / 10, 0, 0, 0);
}

/* Nobody reads: refused at the mark, and what was taken comes in order. */
static void
test_stall(void)
{
	size_t		 before, most;
	uint32_t	 n;

	begin(0);
	while (say(&a, 0) == 0)
		if (a.sd_sent % 1000 == 0)
			peers_flush();
	CHECK_INT(errno, ENOBUFS);
	CHECK_INT(proc_queued(&a.sd_peer), PEER_HIGH);
	CHECK_INT(settle(TURNS), 0);
	CHECK_INT(b.sd_wrong, 0);
	CHECK_INT(say(&a, 10), 0);
	CHECK_INT(settle(1000), 0);
	end();

	/* Large ones are few, and no more memory than they may take. */
	begin(0);
	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	while (say(&a, MAX_SIGNAL) == 0 && a.sd_sent < 2 * PEER_HIGH)
		peers_flush();
	most = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	CHECK_INT(errno, ENOBUFS);
	CHECK(a.sd_sent > PEER_BYTES / MAX_SIGNAL - 16);
	CHECK(a.sd_sent <= PEER_BYTES / MAX_SIGNAL + 16);
	CHECK(most < PEER_BYTES + PEER_BYTES / 4);
	n = a.sd_sent;
	CHECK_INT(settle(TURNS), 0);
	CHECK_INT(b.sd_next, n);
	CHECK_INT(b.sd_bytes, (uint64_t)n * MAX_SIGNAL);
	CHECK_INT(b.sd_wrong, 0);
	CHECK_INT(say(&a, MAX_SIGNAL), 0);
	CHECK_INT(settle(1000), 0);
	end();
}

/* Both are full, and both go on. */
static void
test_full(void)
{
	int	 i;

	for (i = 0; i < 3; i++) {
		begin(4096);
		while (say(&a, i == 0 ? 0 : 100 * draw(i == 1 ? 10 : 400)) == 0)
			;
		while (say(&b, i == 0 ? 0 : 100 * draw(i == 1 ? 10 : 400)) == 0)
			;
		peers_flush();
		CHECK_INT(a.sd_peer.pe_blocked, 1);
		CHECK_INT(b.sd_peer.pe_blocked, 1);
		CHECK_INT(settle(TURNS), 0);
		CHECK_INT(a.sd_wrong + b.sd_wrong, 0);
		CHECK_INT(proc_queued(&a.sd_peer) + proc_queued(&b.sd_peer),
		    0);
		end();
	}
}

/* What waits is never thought to be less, and soon not to be much more. */
static void
test_waits(void)
{
	struct m_bus_signal	 m = { .data = "" };
	size_t			 each, real, far = 0;
	uint32_t		 i;

	each = IMSG_HEADER_SIZE + msg_size(IMSG_BUS_SIGNAL, &m);
	begin(4096);
	for (i = 0; i < 200000; i++) {
		if (proc_queued(&a.sd_peer) < 3000 && say(&a, 0) == -1)
			b.sd_wrong++;
		real = proc_queued(&a.sd_peer) * each;
		if (peer_waits(&a.sd_peer) < real)
			b.sd_wrong++;
		if (peer_waits(&a.sd_peer) > far)
			far = peer_waits(&a.sd_peer);
		if (proc_queued(&a.sd_peer) < 2000)
			continue;
		peers_flush();
		if (event_loop(EVLOOP_ONCE | EVLOOP_NONBLOCK) == -1)
			abort();
	}
	CHECK_INT(b.sd_wrong, 0);
	CHECK(far <= 3 * 3000 * each);
	CHECK_INT(settle(TURNS), 0);
	CHECK_INT(peer_waits(&a.sd_peer), 0);
	end();
}

static unsigned int	 handled;

static int
count(struct peer *pe, uint32_t type, uint32_t id, const void *m,
    struct imsg *imsg)
{
	(void)pe;
	(void)type;
	(void)id;
	(void)m;
	(void)imsg;
	handled++;
	return (0);
}

/* Of a flood no more is read than is handled. */
static void
test_flood(void)
{
	static uint32_t	 flood[4096][5];	/* header and a number */
	unsigned int	 i, waits, most = 0;
	size_t		 at = 0;
	ssize_t		 n;
	int		 bad;

	for (i = 0; i < 4096; i++) {
		flood[i][0] = IMSG_BUS_CALL_OVER;
		flood[i][1] = sizeof(flood[i]);
	}
	begin(0);
	got_bytes = 0;
	handled = 0;
	for (i = 0; i < 4000; i++) {
		while ((n = send(a.sd_peer.pe_ibuf.fd, (char *)flood + at,
		    sizeof(flood) - at, MSG_DONTWAIT)) > 0)
			at = (at + (size_t)n) % sizeof(flood);
		if (peer_events(&b.sd_peer, EV_READ, count, &bad) == -1)
			break;
		waits = (unsigned int)(got_bytes / sizeof(flood[0])) - handled;
		if (waits > most)
			most = waits;
	}
	CHECK_INT(i, 4000);
	CHECK(handled >= 4000 * PEER_ROUNDS / 2);
	CHECK(most > PEER_ROUNDS);
	CHECK(most <= IBUF_READ_SIZE / sizeof(flood[0]) + 1);
	end();
}

/*
 * Two processes that ask and answer each other, over pipes that hold little,
 * in every order there is.  Both keep what the pipe does not take, up to the
 * mark, and read whatever they have to write: from each state all of it can
 * come to rest.  Were one to read only while it has nothing to write, or write
 * until it is rid of it, there are states that have no way out; the search has
 * to find those.
 */
#define ROOM	2		/* of a pipe */
#define MARK	2		/* of a queue */
#define ASKS	4		/* that each begins */
#define WIDE	3		/* values of a half: 0 to 2 */

enum flow { FLOW_OURS, FLOW_POLITE, FLOW_STUBBORN };

struct half {			/* of one process, and the pipe from it */
	uint8_t	 asks;		/* not yet begun */
	uint8_t	 queue[2];	/* questions, answers */
	uint8_t	 pipe[2];
};

struct state { struct half h[2]; };

#define STATES	(5 * 5 * 81 * 81)

static uint8_t		 seen[STATES], ends[STATES];
static struct state	 all[STATES];
static unsigned int	 nall;

static unsigned int
state_no(const struct state *s)
{
	unsigned int	 n = 0, i;

	for (i = 0; i < 2; i++) {
		n = n * (ASKS + 1) + s->h[i].asks;
		n = n * WIDE + s->h[i].queue[0];
		n = n * WIDE + s->h[i].queue[1];
		n = n * WIDE + s->h[i].pipe[0];
		n = n * WIDE + s->h[i].pipe[1];
	}
	return (n);
}

static unsigned int
both(const uint8_t v[2])
{
	return (v[0] + v[1]);
}

/* What process i may do: 0 ask, 1 and 2 write, 3 and 4 read.  1: done. */
static int
step(struct state *s, int i, int what, enum flow flow)
{
	struct half	*me = &s->h[i], *other = &s->h[!i];
	int		 kind = (what - 1) % 2;

	switch (what) {
	case 0:
		if (me->asks == 0 || (flow == FLOW_STUBBORN &&
		    both(me->queue) > 0))
			return (0);
		me->asks--;
		if (both(me->queue) < MARK)
			me->queue[0]++;		/* else it is told no */
		return (1);
	case 1:
	case 2:
		if (me->queue[kind] == 0 || both(me->pipe) == ROOM)
			return (0);
		me->queue[kind]--;
		me->pipe[kind]++;
		return (1);
	default:
		if (other->pipe[kind] == 0 || (flow != FLOW_OURS &&
		    both(me->queue) >= (flow == FLOW_POLITE ? MARK : 1)))
			return (0);
		other->pipe[kind]--;
		if (kind == 0 && both(me->queue) < MARK)
			me->queue[1]++;
		return (1);
	}
}

static int
at_rest(const struct state *s)
{
	return (both(s->h[0].queue) + both(s->h[0].pipe) +
	    both(s->h[1].queue) + both(s->h[1].pipe) == 0 &&
	    s->h[0].asks + s->h[1].asks == 0);
}

/* How many of the states that can be have no way to rest. */
static unsigned int
search(enum flow flow, unsigned int *over)
{
	struct state	 s = { { { .asks = ASKS }, { .asks = ASKS } } };
	unsigned int	 i, n, stuck = 0;
	int		 who, what, more = 1;

	memset(seen, 0, sizeof(seen));
	memset(ends, 0, sizeof(ends));
	*over = 0;
	seen[state_no(&s)] = 1;
	all[0] = s;
	for (i = 0, nall = 1; i < nall; i++)
		for (who = 0; who < 2; who++)
			for (what = 0; what < 5; what++) {
				s = all[i];
				if (!step(&s, who, what, flow))
					continue;
				if (both(s.h[who].queue) > MARK ||
				    both(s.h[who].pipe) > ROOM)
					++*over;
				if (!seen[n = state_no(&s)]) {
					seen[n] = 1;
					all[nall++] = s;
				}
			}
	for (i = 0; i < nall; i++)
		ends[state_no(&all[i])] = (uint8_t)at_rest(&all[i]);
	/* Backwards, as often as it finds anything. */
	while (more)
		for (more = 0, i = nall; i-- > 0;) {
			if (ends[state_no(&all[i])])
				continue;
			for (n = 0; n < 10; n++) {
				s = all[i];
				if (step(&s, (int)n / 5, (int)n % 5, flow) &&
				    ends[state_no(&s)]) {
					ends[state_no(&all[i])] = 1;
					more = 1;
					break;
				}
			}
		}
	for (i = 0; i < nall; i++)
		stuck += !ends[state_no(&all[i])];
	return (stuck);
}

static void
test_states(void)
{
	unsigned int	 over;

	CHECK_INT(search(FLOW_OURS, &over), 0);
	CHECK_INT(over, 0);
	printf("%u states of two pipes, each comes to rest\n", nall);
	CHECK(nall > 1000);
	CHECK(search(FLOW_POLITE, &over) > 0);
	CHECK(search(FLOW_STUBBORN, &over) > 0);
}

int
main(int argc, char *argv[])
{
	memset(words, 'w', MAX_SIGNAL);
	signal(SIGPIPE, SIG_IGN);
	proc_self = PROC_SESSION;
	event_init();
	test_order(argc > 1 && strcmp(argv[1], "san") == 0);
	test_stall();
	test_full();
	test_waits();
	test_flood();
	test_states();
	return (unit_end());
}
