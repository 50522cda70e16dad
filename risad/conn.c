#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat/tls_ssl.h"
#include "conn.h"
#include "log.h"
#include "util.h"

#define WRITE_MAX	16384	/* a TLS record; what one write takes along */
#define DRAIN_MS	5000
#define LINGER_MS	2000	/* for the other side to close, too */
#define IN_ONCE		16384	/* a TLS record */
#define IN_FIRST	2048
#define TIMER_MS	1000	/* what timers are rounded up to */
#define SPARE_MAX	4096
#define READS		4	/* of one connection in one turn */

uint64_t	 conn_bytes_in, conn_bytes_out, conn_buffers, conn_shed;

static TAILQ_HEAD(, conn) dirty = TAILQ_HEAD_INITIALIZER(dirty);
static TAILQ_HEAD(, conn) holders = TAILQ_HEAD_INITIALIZER(holders);
static uint64_t	 buffers_max = UINT64_MAX;

/* What comes in goes through here; only a rest is kept by the connection. */
static uint8_t		 input[IN_ONCE];

/* Places in queues that nothing stands on: a tick needs one for each page. */
static STAILQ_HEAD(, out) spare = STAILQ_HEAD_INITIALIZER(spare);
static unsigned int	 nspare;

static void	 conn_event(int, short, void *);

struct chunk *
chunk_new(size_t len)
{
	struct chunk	*ck;

	if ((ck = malloc(sizeof(*ck) + len)) == NULL)
		return (NULL);
	ck->ck_len = len;
	ck->ck_refs = 1;
	ck->ck_queued = 0;
	return (ck);
}

struct chunk *
chunk_from(const void *data, size_t len)
{
	struct chunk	*ck;

	if ((ck = chunk_new(len)) != NULL && len > 0)
		memcpy(ck->ck_data, data, len);
	return (ck);
}

void
chunk_free(struct chunk *ck)
{
	if (ck != NULL && --ck->ck_refs == 0)
		free(ck);
}

struct server *
server_new(struct tls_config *conf, const char **why)
{
	struct server	*sv = calloc(1, sizeof(*sv));

	*why = "out of memory";
	if (sv == NULL) {
		tls_config_free(conf);
		return (NULL);
	}
	sv->sv_conf = conf;
	sv->sv_refs = 1;
	if ((sv->sv_tls = tls_server()) == NULL ||
	    tls_configure(sv->sv_tls, conf) == -1) {
		if (sv->sv_tls != NULL) {
			log_warnx("certificate: %s", tls_error(sv->sv_tls));
			*why = "libtls does not take the certificate";
		}
		server_free(sv);
		return (NULL);
	}
	return (sv);
}

void
server_free(struct server *sv)
{
	if (sv == NULL || --sv->sv_refs > 0)
		return;
	tls_free(sv->sv_tls);
	tls_config_free(sv->sv_conf);
	free(sv);
}

static struct out *
out_get(void)
{
	struct out	*ou = STAILQ_FIRST(&spare);

	if (ou == NULL)
		return (malloc(sizeof(*ou)));
	STAILQ_REMOVE_HEAD(&spare, ou_entry);
	nspare--;
	return (ou);
}

/* The first of the connection's queue has left. */
static void
out_drop(struct conn *cn)
{
	struct out	*ou = STAILQ_FIRST(&cn->cn_out);

	STAILQ_REMOVE_HEAD(&cn->cn_out, ou_entry);
	if (--ou->ou_chunk->ck_queued == 0)
		conn_buffers -= ou->ou_chunk->ck_len;
	chunk_free(ou->ou_chunk);
	if (nspare == SPARE_MAX) {
		free(ou);
		return;
	}
	STAILQ_INSERT_HEAD(&spare, ou, ou_entry);
	nspare++;
}

/* While somebody is asked about a request, its bytes stay where they are. */
static int
conn_reads(const struct conn *cn)
{
	return (cn->cn_state != CONN_WAIT && cn->cn_large != LARGE_ASKED);
}

static void
conn_arm(struct conn *cn)
{
	short	 what = 0;

	if (cn->cn_dead)
		return;
	if (cn->cn_state == CONN_DRAIN || (conn_reads(cn) &&
	    cn->cn_inlen < cn->cn_maxin))
		what |= EV_READ;
	if (cn->cn_blocked || cn->cn_readwants)
		what |= EV_WRITE;
	if (what != cn->cn_what) {
		event_del(&cn->cn_ev);
		event_set(&cn->cn_ev, cn->cn_fd, what | EV_PERSIST, conn_event,
		    cn);
		if (what != 0)
			event_add(&cn->cn_ev, NULL);
		cn->cn_what = what;
	}
	/* event_del() has forgotten that it was to be called at once. */
	if (cn->cn_again)
		event_active(&cn->cn_ev, EV_TIMEOUT, 1);
}

/* Those that hold memory, first the one that has stood still for longest. */
static void
conn_note(struct conn *cn)
{
	int	 holds = cn->cn_outlen > 0 || cn->cn_insize > 0;

	if (cn->cn_holds && (!holds || cn->cn_moved)) {
		TAILQ_REMOVE(&holders, cn, cn_holds_entry);
		cn->cn_holds = 0;
	}
	if (holds && !cn->cn_holds) {
		TAILQ_INSERT_TAIL(&holders, cn, cn_holds_entry);
		cn->cn_holds = 1;
	}
	cn->cn_moved = 0;
}

/* Have the connection looked at when this turn of the loop is over. */
static void
conn_mark(struct conn *cn)
{
	if (cn->cn_dirty)
		return;
	cn->cn_dirty = 1;
	TAILQ_INSERT_TAIL(&dirty, cn, cn_dirty_entry);
}

/* The bytes may have been a password. */
static void
input_free(struct conn *cn)
{
	if (cn->cn_in == input)
		explicit_bzero(cn->cn_in, cn->cn_insize);
	else {
		freezero(cn->cn_in, cn->cn_insize);
		conn_buffers -= cn->cn_insize;
	}
	cn->cn_in = NULL;
	cn->cn_inlen = cn->cn_insize = 0;
}

static void
conn_free(struct conn *cn)
{
	session_closed(cn);
	event_del(&cn->cn_ev);
	evtimer_del(&cn->cn_timer);
	if (cn->cn_dirty)
		TAILQ_REMOVE(&dirty, cn, cn_dirty_entry);
	if (cn->cn_holds)
		TAILQ_REMOVE(&holders, cn, cn_holds_entry);
	while (!STAILQ_EMPTY(&cn->cn_out))
		out_drop(cn);
	ws_clear(&cn->cn_ws);
	free(cn->cn_req);
	free(cn->cn_proxy);
	input_free(cn);
	tls_free(cn->cn_tls);
	server_free(cn->cn_server);
	close(cn->cn_fd);
	free(cn);
}

static void
conn_timeout(int fd, short what, void *arg)
{
	struct conn	*cn = arg;

	(void)fd;
	(void)what;
	if (cn->cn_state == CONN_DRAIN || cn->cn_state == CONN_PROXY ||
	    cn->cn_state == CONN_HANDSHAKE)
		conn_close(cn);
	else
		session_timeout(cn);
}

struct conn *
conn_new(int fd, struct server *sv, const char *addr, int proxy)
{
	struct conn	*cn;

	if ((cn = calloc(1, sizeof(*cn))) == NULL || (proxy &&
	    (cn->cn_proxy = calloc(1, sizeof(*cn->cn_proxy))) == NULL)) {
		free(cn);
		close(fd);
		return (NULL);
	}
	cn->cn_fd = fd;
	cn->cn_redirect = sv == NULL;
	cn->cn_state = proxy ? CONN_PROXY : sv == NULL ? CONN_HTTP :
	    CONN_HANDSHAKE;
	cn->cn_maxin = CONN_MAXIN;
	STAILQ_INIT(&cn->cn_out);
	TAILQ_INIT(&cn->cn_asks);
	(void)strlcpy(cn->cn_addr, addr, sizeof(cn->cn_addr));
	cn->cn_heard = mono_ms();
	if (sv != NULL) {
		if (tls_accept_socket(sv->sv_tls, &cn->cn_tls, fd) == -1) {
			log_debug("accept: %s", tls_error(sv->sv_tls));
			close(fd);
			free(cn->cn_proxy);
			free(cn);
			return (NULL);
		}
		cn->cn_ssl = tls_ssl_last();
		cn->cn_server = sv;
		sv->sv_refs++;
	}
	event_set(&cn->cn_ev, fd, EV_READ | EV_PERSIST, conn_event, cn);
	evtimer_set(&cn->cn_timer, conn_timeout, cn);
	conn_arm(cn);
	return (cn);
}

void
conn_timer(struct conn *cn, unsigned int ms)
{
	unsigned int	 past = (unsigned int)(mono_ms() + ms) % TIMER_MS;
	struct timeval	 tv;

	/* A turn of the loop for a crowd of quiet ones, not for each. */
	if (past > 0)
		ms += TIMER_MS - past;
	tv.tv_sec = ms / 1000;
	tv.tv_usec = (ms % 1000) * 1000;
	if (!cn->cn_dead)
		evtimer_add(&cn->cn_timer, &tv);
}

void
conn_close(struct conn *cn)
{
	if (cn->cn_dead)
		return;
	cn->cn_dead = 1;
	event_del(&cn->cn_ev);
	conn_mark(cn);
}

void
conn_drain(struct conn *cn)
{
	if (cn->cn_dead || cn->cn_state == CONN_DRAIN)
		return;
	cn->cn_state = CONN_DRAIN;
	conn_timer(cn, DRAIN_MS);
	conn_mark(cn);
	conn_arm(cn);
}

int
conn_slow(const struct conn *cn)
{
	return (cn->cn_outlen > CONN_HIGH);
}

void
conn_queue(struct conn *cn, struct chunk *ck)
{
	struct out	*ou;

	if (cn->cn_dead || cn->cn_state == CONN_DRAIN || ck == NULL ||
	    ck->ck_len == 0)
		return;
	/* What waits already counts: one long answer may be longer. */
	if (cn->cn_outlen > CONN_LIMIT ||
	    (ou = out_get()) == NULL) {
		log_debug("%s: reads too slowly", cn->cn_addr);
		conn_close(cn);
		return;
	}
	ou->ou_chunk = ck;
	ou->ou_off = 0;
	ck->ck_refs++;
	if (ck->ck_queued++ == 0)
		conn_buffers += ck->ck_len;
	STAILQ_INSERT_TAIL(&cn->cn_out, ou, ou_entry);
	cn->cn_outlen += ck->ck_len;
	conn_mark(cn);
}

void
conn_consume(struct conn *cn, size_t len)
{
	size_t	 left = cn->cn_inlen - len;

	if (left == 0) {
		input_free(cn);
		return;
	}
	memmove(cn->cn_in, cn->cn_in + len, left);
	explicit_bzero(cn->cn_in + left, len);
	cn->cn_inlen = left;
}

/* What the connection has not used leaves the common buffer. */
static void
input_keep(struct conn *cn)
{
	uint8_t	*in;
	size_t	 size = cn->cn_inlen < IN_FIRST ? IN_FIRST : cn->cn_inlen;

	if (cn->cn_in != input)
		return;
	if (cn->cn_dead || cn->cn_state == CONN_DRAIN) {
		input_free(cn);		/* nobody will read it */
		return;
	}
	if ((in = malloc(size)) == NULL) {
		input_free(cn);
		conn_close(cn);
		return;
	}
	memcpy(in, input, cn->cn_inlen);
	explicit_bzero(input, cn->cn_inlen);
	cn->cn_in = in;
	cn->cn_insize = size;
	conn_buffers += size;
	/* The request that is being answered, or asked about, points there. */
	if (cn->cn_state == CONN_WAIT || cn->cn_large == LARGE_ASKED)
		(void)http_parse(cn->cn_req, (const char *)in, cn->cn_inlen,
		    0);
}

void
conn_again(struct conn *cn)
{
	cn->cn_again = 1;
	conn_arm(cn);
}

/* The front of the queue in one piece; its length. */
static size_t
out_gather(struct conn *cn, uint8_t *buf, size_t size)
{
	struct out	*ou;
	size_t		 have = 0, n;

	STAILQ_FOREACH(ou, &cn->cn_out, ou_entry) {
		n = ou->ou_chunk->ck_len - ou->ou_off;
		if (n > size - have)
			n = size - have;
		memcpy(buf + have, ou->ou_chunk->ck_data + ou->ou_off, n);
		if ((have += n) == size)
			break;
	}
	return (have);
}

static void
out_consume(struct conn *cn, size_t len)
{
	struct out	*ou;
	size_t		 n;

	cn->cn_outlen -= len;
	cn->cn_moved = 1;
	conn_bytes_out += len;
	while (len > 0) {
		ou = STAILQ_FIRST(&cn->cn_out);
		n = ou->ou_chunk->ck_len - ou->ou_off;
		if (n > len) {
			ou->ou_off += len;
			return;
		}
		len -= n;
		out_drop(cn);
	}
}

/* 1: go on, 0: the socket is full, -1: gone. */
static int
conn_write(struct conn *cn)
{
	static uint8_t	 buf[WRITE_MAX];
	ssize_t		 n;
	size_t		 len;

	/*
	 * A write that was refused must be repeated with the same bytes; they
	 * are the front of the queue, and the queue only grows at its end.
	 */
	len = out_gather(cn, buf, sizeof(buf));
	if (cn->cn_tls != NULL) {
		n = tls_write(cn->cn_tls, buf, len);
		if (n == TLS_WANT_POLLOUT || n == TLS_WANT_POLLIN)
			return (0);
	} else {
		n = send(cn->cn_fd, buf, len, MSG_NOSIGNAL);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return (0);
	}
	if (n <= 0)
		return (-1);
	out_consume(cn, (size_t)n);
	return (1);
}

/*
 * All is written.  To close now, with bytes of his unread, would be a reset,
 * which can overtake what we wrote: first he closes.
 */
static void
conn_shut(struct conn *cn)
{
	if (cn->cn_shut)
		return;
	cn->cn_shut = 1;
	if (cn->cn_tls != NULL)
		(void)tls_close(cn->cn_tls);
	(void)shutdown(cn->cn_fd, SHUT_WR);
	conn_timer(cn, LINGER_MS);
}

static void
conn_flush(struct conn *cn)
{
	int	 was_slow = conn_slow(cn), more = 1;

	if (cn->cn_state == CONN_PROXY || cn->cn_state == CONN_HANDSHAKE)
		return;
	while (cn->cn_outlen > 0 && (more = conn_write(cn)) == 1)
		;
	if (more == -1) {
		conn_close(cn);
		return;
	}
	cn->cn_blocked = more == 0;
	if (cn->cn_outlen == 0 && cn->cn_state == CONN_DRAIN)
		conn_shut(cn);
	if (was_slow && !conn_slow(cn))
		session_drained(cn);
	conn_arm(cn);
}

void
conn_buffers_limit(size_t max)
{
	buffers_max = max;
}

static void
dirty_flush(void)
{
	struct conn	*cn;

	while ((cn = TAILQ_FIRST(&dirty)) != NULL) {
		TAILQ_REMOVE(&dirty, cn, cn_dirty_entry);
		cn->cn_dirty = 0;
		if (!cn->cn_dead && !cn->cn_blocked)
			conn_flush(cn);
		if (cn->cn_dead)
			conn_free(cn);
		else
			conn_note(cn);
	}
}

void
conn_flush_all(void)
{
	struct conn	*cn;

	dirty_flush();
	while (conn_buffers > buffers_max &&
	    (cn = TAILQ_FIRST(&holders)) != NULL) {
		log_debug("%s: holds memory and stands still", cn->cn_addr);
		conn_shed++;
		conn_close(cn);
		dirty_flush();
	}
}

/* Twice the room, and nothing of the old place left behind. */
static int
input_grow(struct conn *cn)
{
	size_t	 size = cn->cn_insize * 2;
	uint8_t	*in;

	if (size > cn->cn_maxin)
		size = cn->cn_maxin;
	if (cn->cn_insize >= size ||
	    (in = recallocarray(cn->cn_in, cn->cn_insize, size, 1)) == NULL)
		return (-1);
	conn_buffers += size - cn->cn_insize;
	cn->cn_in = in;
	cn->cn_insize = size;
	return (0);
}

/* 1: some bytes, 0: none for now, -1: gone. */
static int
conn_read(struct conn *cn)
{
	ssize_t	 n;
	uint8_t	*in;
	size_t	 size;

	if (cn->cn_in == NULL) {
		in = input;
		size = IN_ONCE;
	} else {
		if (cn->cn_inlen == cn->cn_insize && input_grow(cn) == -1)
			return (cn->cn_insize >= cn->cn_maxin ? 0 : -1);
		in = cn->cn_in + cn->cn_inlen;
		size = cn->cn_insize - cn->cn_inlen;
	}
	cn->cn_readwants = 0;
	if (cn->cn_tls != NULL) {
		n = tls_read(cn->cn_tls, in, size);
		if (n == TLS_WANT_POLLOUT)
			cn->cn_readwants = 1;
		if (n == TLS_WANT_POLLIN || n == TLS_WANT_POLLOUT)
			return (0);
	} else {
		n = recv(cn->cn_fd, in, size, 0);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return (0);
	}
	if (n <= 0)
		return (-1);
	if (cn->cn_in == NULL) {
		cn->cn_in = input;
		cn->cn_insize = IN_ONCE;
	}
	cn->cn_inlen += (size_t)n;
	cn->cn_heard = mono_ms();
	cn->cn_moved = 1;
	conn_bytes_in += (uint64_t)n;
	return (1);
}

static void
conn_handshake(struct conn *cn)
{
	int	 n = tls_handshake(cn->cn_tls);

	cn->cn_readwants = n == TLS_WANT_POLLOUT;
	if (n == TLS_WANT_POLLIN || n == TLS_WANT_POLLOUT) {
		conn_arm(cn);
		return;
	}
	if (n == -1) {
		log_debug("%s: handshake: %s", cn->cn_addr,
		    log_safe(tls_error(cn->cn_tls)));
		conn_close(cn);
		return;
	}
	cn->cn_state = CONN_HTTP;
	session_input(cn);		/* sets the timer of a request */
	/* The request may have come with the last of the handshake. */
	if (tls_ssl_pending(cn->cn_ssl))
		conn_again(cn);
	else
		conn_arm(cn);
}

/*
 * The bytes of the header and not one more: the next is TLS, which reads from
 * the socket itself.
 */
static enum proxy_result
conn_header(struct conn *cn, uint8_t addr[NETWORK_ADDR])
{
	struct proxy_input	*px = cn->cn_proxy;
	enum proxy_result	 res;
	size_t			 want;
	ssize_t			 n;

	while ((res = proxy_parse(px->px_data, px->px_len, addr)) ==
	    PROXY_MORE) {
		want = proxy_length(px->px_data, px->px_len);
		n = recv(cn->cn_fd, px->px_data + px->px_len,
		    want - px->px_len, 0);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return (PROXY_MORE);
		if (n <= 0)
			return (PROXY_BAD);
		px->px_len += (size_t)n;
		conn_bytes_in += (uint64_t)n;
	}
	return (res);
}

static void
conn_proxied(struct conn *cn)
{
	uint8_t			 addr[NETWORK_ADDR];
	enum proxy_result	 res;

	if ((res = conn_header(cn, addr)) == PROXY_MORE)
		return;
	if (res == PROXY_BAD) {
		log_debug("%s: no header of PROXY protocol v2", cn->cn_addr);
		conn_close(cn);
		return;
	}
	if (door_proxied(cn, res == PROXY_ADDR ? addr : NULL) == -1)
		return;
	free(cn->cn_proxy);
	cn->cn_proxy = NULL;
	cn->cn_state = CONN_HANDSHAKE;
	conn_handshake(cn);		/* its first bytes may be here */
}

/* Read and forget. */
static void
conn_forget(struct conn *cn)
{
	uint8_t	 rest[16384];
	ssize_t	 n;

	if (cn->cn_tls != NULL && !cn->cn_shut) {
		n = tls_read(cn->cn_tls, rest, sizeof(rest));
		if (n == TLS_WANT_POLLIN || n == TLS_WANT_POLLOUT)
			n = 1;
	} else {
		n = recv(cn->cn_fd, rest, sizeof(rest), 0);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			n = 1;
	}
	explicit_bzero(rest, sizeof(rest));
	if (n <= 0)
		conn_close(cn);
	else
		conn_arm(cn);
}

static void
conn_serve(struct conn *cn, short what)
{
	int	 i, n = 1;

	if (what & EV_WRITE) {
		cn->cn_blocked = 0;
		conn_mark(cn);
	}
	if (cn->cn_state == CONN_DRAIN) {
		conn_forget(cn);
		return;
	}
	/* Bounded work a turn; what TLS still holds brings us back at once. */
	for (i = 0; i < READS && conn_reads(cn); i++) {
		if ((n = conn_read(cn)) != 1)
			break;
		session_input(cn);
		input_keep(cn);
		if (cn->cn_dead || cn->cn_state == CONN_DRAIN)
			return;
		/* What is still in the socket brings us back. */
		if (cn->cn_ssl == NULL || !tls_ssl_pending(cn->cn_ssl))
			break;
	}
	if (n == -1) {
		conn_close(cn);
		return;
	}
	if (i == 0 && (what & EV_TIMEOUT))
		session_input(cn);
	if (i == READS && conn_reads(cn))
		conn_again(cn);
	else
		conn_arm(cn);
}

static void
conn_event(int fd, short what, void *arg)
{
	struct conn	*cn = arg;

	(void)fd;
	cn->cn_again = 0;
	if (cn->cn_state == CONN_PROXY)
		conn_proxied(cn);
	else if (cn->cn_state == CONN_HANDSHAKE)
		conn_handshake(cn);
	else {
		conn_serve(cn, what);
		if (!cn->cn_dead)
			conn_note(cn);
	}
}
