/*
 * Load for risad: people who sign in, enter floors, walk and talk as pages
 * do, and how long it takes until the others see it.  One thread, one epoll;
 * loopback only; whatever it does is bounded in time and count.
 *
 * Orders come line by line on the standard input, answers leave on the
 * standard output, so that whoever measures the server knows when to look:
 *
 *	join N			the next N of the file connect and enter
 *	walk N MS WARM SECS	N people begin a leg every MS milliseconds
 *	say N MS LEN WARM SECS TO	N people write to TO, a JSON value
 *	rest SECS		nothing but what the server asks for
 *	shake N SECS		full handshakes, N at a time
 *	signin N SECS		sign-ins with password, N at a time
 *
 * "begin" and "end {figures}" frame what is measured.
 */
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_PEOPLE	20000
#define MAX_SECS	600		/* of a whole run */
#define MAX_FRAME	(8 * 1024 * 1024)
#define WINDOW		48		/* who connects at the same time */
#define JOIN_SECS	20		/* for one of them */
#define REST_US		300000		/* for what is on its way */
#define SOURCES		100		/* loopback addresses used for it */
#define RING		32		/* legs whose sending is remembered */
#define STRIDE		300		/* cm between the ends of a walk */
#define SLOT_US		20		/* of the table of latencies */
#define SLOTS		500000
#define MEDIA		"{\"t\":\"media\",\"hear\":true,\"mic\":false," \
			"\"cam\":false,\"screen\":false,\"listen\":false}"
#define MARK		"\"text\":\"bench "

enum state { OFF, CONNECT, TLS, LOGIN, UPGRADE, HELLO, ENTER, READY, ONCE };

/* A tenant's host, and the TLS session it gave last. */
struct host {
	SLIST_ENTRY(host)	 ho_entry;
	char			 ho_name[128];
	SSL_SESSION		*ho_session;
};

struct floor {
	SLIST_ENTRY(floor)	 fl_entry;
	struct host		*fl_host;
	unsigned int		 fl_id;
	unsigned int		 fl_people;
	struct client		*fl_avatar[65536];
};

struct client {
	TAILQ_ENTRY(client)	 cl_entry;	/* while it joins */
	enum state		 cl_state;
	int			 cl_fd;
	SSL			*cl_ssl;
	struct host		*cl_host;
	struct floor		*cl_floor;
	const char		*cl_cookie, *cl_mail, *cl_password;
	uint8_t			*cl_in, *cl_out;
	size_t			 cl_inlen, cl_outlen;
	uint64_t		 cl_since;	/* of joining */
	uint16_t		 cl_id, cl_x, cl_y;
	uint16_t		 cl_seq;	/* of the last leg */
	uint64_t		 cl_sent[RING];
};

SLIST_HEAD(, host)	 hosts = SLIST_HEAD_INITIALIZER(hosts);
SLIST_HEAD(, floor)	 floors = SLIST_HEAD_INITIALIZER(floors);
TAILQ_HEAD(client_list, client);
static struct client_list	 joining = TAILQ_HEAD_INITIALIZER(joining);

static struct client	*people;
static unsigned int	 npeople, njoined, nready, ndied, nresumed;
static struct client	*order[MAX_PEOPLE];	/* in which they act */
static int		 ep, port, measuring, entering = 1, offered = 1;
static int		 hearing;	/* all take part in talk */
static unsigned int	 source;
static SSL_CTX		*ctx;
static uint64_t		 deadline;
static uint8_t		 rbuf[1 << 20];

/* What is counted while measuring. */
static struct {
	uint64_t	 sent, updates, frames, bytes, msgs, acks, errors;
	uint64_t	 placed, other, done;
	uint64_t	 slots[SLOTS], nslots, max;
} got;

static uint64_t
now_us(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		err(1, "clock_gettime");
	return ((uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000);
}

static uint64_t
own_cpu_us(void)
{
	struct rusage	 ru;

	if (getrusage(RUSAGE_SELF, &ru) == -1)
		err(1, "getrusage");
	return ((uint64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000 +
	    (uint64_t)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec));
}

static void
latency(uint64_t us)
{
	size_t	 slot = us / SLOT_US;

	got.slots[slot < SLOTS ? slot : SLOTS - 1]++;
	got.nslots++;
	if (us > got.max)
		got.max = us;
}

/* Milliseconds that so many of a thousand stay below. */
static double
latency_at(unsigned int permille)
{
	uint64_t	 sum = 0, want = got.nslots * permille / 1000;
	size_t		 i;

	for (i = 0; i < SLOTS; i++)
		if ((sum += got.slots[i]) > want)
			break;
	return (got.nslots == 0 ? 0 : (double)i * SLOT_US / 1000);
}

/*
 * Connections.
 */

static void
client_poll(struct client *cl, int op)
{
	struct epoll_event	 ev = { .data.ptr = cl };

	ev.events = EPOLLIN;
	if (cl->cl_state == CONNECT || cl->cl_outlen > 0)
		ev.events |= EPOLLOUT;
	if (epoll_ctl(ep, op, cl->cl_fd, &ev) == -1)
		err(1, "epoll_ctl");
}

static void
client_close(struct client *cl)
{
	if (cl->cl_state == OFF)
		return;
	if (cl->cl_state != READY)
		TAILQ_REMOVE(&joining, cl, cl_entry);
	else
		nready--;
	if (cl->cl_floor != NULL && cl->cl_floor->fl_avatar[cl->cl_id] == cl)
		cl->cl_floor->fl_avatar[cl->cl_id] = NULL;
	SSL_free(cl->cl_ssl);
	close(cl->cl_fd);
	free(cl->cl_in);
	free(cl->cl_out);
	cl->cl_ssl = NULL;
	cl->cl_in = cl->cl_out = NULL;
	cl->cl_inlen = cl->cl_outlen = 0;
	cl->cl_state = OFF;
}

static void
client_fail(struct client *cl, const char *why)
{
	if (ndied++ < 10)
		warnx("%s: state %d: %s: %.200s", cl->cl_host->ho_name,
		    cl->cl_state, why, cl->cl_in == NULL ? "" :
		    (char *)cl->cl_in);
	client_close(cl);
}

static void
client_flush(struct client *cl)
{
	int	 n;

	while (cl->cl_outlen > 0) {
		n = SSL_write(cl->cl_ssl, cl->cl_out, (int)cl->cl_outlen);
		if (n <= 0) {
			if (SSL_get_error(cl->cl_ssl, n) !=
			    SSL_ERROR_WANT_WRITE)
				client_fail(cl, "write");
			return;
		}
		cl->cl_outlen -= (size_t)n;
		memmove(cl->cl_out, cl->cl_out + n, cl->cl_outlen);
	}
	free(cl->cl_out);
	cl->cl_out = NULL;
	client_poll(cl, EPOLL_CTL_MOD);
}

static void
client_write(struct client *cl, const void *data, size_t len)
{
	int	 n = 0;

	if (cl->cl_outlen == 0) {
		if ((n = SSL_write(cl->cl_ssl, data, (int)len)) == (int)len)
			return;
		if (n <= 0 && SSL_get_error(cl->cl_ssl, n) !=
		    SSL_ERROR_WANT_WRITE) {
			client_fail(cl, "write");
			return;
		}
		if (n < 0)
			n = 0;
	}
	len -= (size_t)n;
	if ((cl->cl_out = realloc(cl->cl_out, cl->cl_outlen + len)) == NULL)
		err(1, NULL);
	memcpy(cl->cl_out + cl->cl_outlen, (const uint8_t *)data + n, len);
	cl->cl_outlen += len;
	client_poll(cl, EPOLL_CTL_MOD);
}

/* A frame as browsers send it: masked. */
static void
client_frame(struct client *cl, int op, const void *data, size_t len)
{
	static uint32_t	 seed = 0x9e3779b9;
	uint8_t		 buf[16 + 4096], mask[4], *p = buf;
	size_t		 i;

	if (len > 4096)
		errx(1, "frame of %zu bytes", len);
	seed = seed * 1664525 + 1013904223;
	memcpy(mask, &seed, sizeof(mask));
	*p++ = (uint8_t)(0x80 | op);
	if (len < 126)
		*p++ = (uint8_t)(0x80 | len);
	else {
		*p++ = 0x80 | 126;
		*p++ = (uint8_t)(len >> 8);
		*p++ = (uint8_t)len;
	}
	memcpy(p, mask, sizeof(mask));
	p += sizeof(mask);
	for (i = 0; i < len; i++)
		*p++ = ((const uint8_t *)data)[i] ^ mask[i & 3];
	client_write(cl, buf, (size_t)(p - buf));
}

static int
session_cb(SSL *ssl, SSL_SESSION *session)
{
	struct client	*cl = SSL_get_app_data(ssl);

	SSL_SESSION_free(cl->cl_host->ho_session);
	cl->cl_host->ho_session = session;
	return (1);
}

/* Come from another loopback address each time, as people do. */
static void
client_connect(struct client *cl, enum state last)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	struct linger		 now = { 1, 0 };
	char			 sni[128];
	int			 on = 1;

	cl->cl_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (cl->cl_fd == -1)
		err(1, "socket");
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 0x100 +
	    (last == ONCE ? source++ % 60000 : source++ % SOURCES));
	(void)setsockopt(cl->cl_fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
	    sizeof(on));
	(void)setsockopt(cl->cl_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* No time-wait: it would eat the ports. */
	(void)setsockopt(cl->cl_fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	if (bind(cl->cl_fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		err(1, "bind");
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((uint16_t)port);
	if (connect(cl->cl_fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 &&
	    errno != EINPROGRESS)
		err(1, "connect");
	if ((cl->cl_ssl = SSL_new(ctx)) == NULL)
		errx(1, "SSL_new");
	SSL_set_fd(cl->cl_ssl, cl->cl_fd);
	SSL_set_app_data(cl->cl_ssl, cl);
	(void)snprintf(sni, sizeof(sni), "%.*s",
	    (int)strcspn(cl->cl_host->ho_name, ":"), cl->cl_host->ho_name);
	SSL_set_tlsext_host_name(cl->cl_ssl, sni);
	if (last == READY && cl->cl_host->ho_session != NULL)
		SSL_set_session(cl->cl_ssl, cl->cl_host->ho_session);
	SSL_set_connect_state(cl->cl_ssl);
	cl->cl_state = CONNECT;
	cl->cl_since = now_us();
	TAILQ_INSERT_TAIL(&joining, cl, cl_entry);
	client_poll(cl, EPOLL_CTL_ADD);
}

/*
 * Signing in and opening the page's connection.
 */

static void
client_login(struct client *cl)
{
	char	 body[512], buf[1024];
	int	 n;

	n = snprintf(body, sizeof(body), "{\"email\":\"%s\",\"password\":"
	    "\"%s\"}", cl->cl_mail, cl->cl_password);
	n = snprintf(buf, sizeof(buf), "POST /api/v1/session HTTP/1.1\r\n"
	    "Host: %s\r\nOrigin: https://%s\r\nContent-Type: application/json"
	    "\r\nContent-Length: %d\r\n\r\n%s", cl->cl_host->ho_name,
	    cl->cl_host->ho_name, n, body);
	client_write(cl, buf, (size_t)n);
}

static void
client_upgrade(struct client *cl)
{
	char	 buf[1024];
	int	 n;

	n = snprintf(buf, sizeof(buf), "GET /ws HTTP/1.1\r\nHost: %s\r\n"
	    "Origin: https://%s\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	    "Sec-WebSocket-Protocol: risa.v1\r\nCookie: __Host-risa=%s\r\n"
	    "\r\n", cl->cl_host->ho_name, cl->cl_host->ho_name,
	    cl->cl_cookie);
	cl->cl_state = UPGRADE;
	client_write(cl, buf, (size_t)n);
}

static void
client_ready(struct client *cl)
{
	TAILQ_REMOVE(&joining, cl, cl_entry);
	cl->cl_state = READY;
	nready++;
}

static void
client_shaken(struct client *cl, enum state goal)
{
	if (SSL_session_reused(cl->cl_ssl))
		nresumed++;
	if (goal == ONCE) {
		got.done++;
		client_close(cl);
	} else if (strcmp(cl->cl_cookie, "-") == 0) {
		cl->cl_state = LOGIN;
		client_login(cl);
	} else
		client_upgrade(cl);
}

static enum state	 goal = READY;		/* of those who connect now */

static void
client_handshake(struct client *cl)
{
	int	 n;

	if (cl->cl_state == CONNECT) {
		cl->cl_state = TLS;
		client_poll(cl, EPOLL_CTL_MOD);
	}
	if ((n = SSL_do_handshake(cl->cl_ssl)) == 1) {
		client_shaken(cl, goal);
		return;
	}
	switch (SSL_get_error(cl->cl_ssl, n)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		break;
	default:
		client_fail(cl, "handshake");
	}
}

/* The answer to the sign-in; bytes of it, or 0 while it is not whole. */
static size_t
client_cookie(struct client *cl, const char *s, size_t len)
{
	const char	*end, *p;
	size_t		 body = 0;

	if ((end = memmem(s, len, "\r\n\r\n", 4)) == NULL)
		return (0);
	if ((p = memmem(s, len, "Content-Length: ", 16)) != NULL && p < end)
		body = strtoul(p + 16, NULL, 10);
	if (len < (size_t)(end - s) + 4 + body)
		return (0);
	if (goal == LOGIN) {
		if (strncmp(s + 9, "201", 3) == 0)
			got.done++;
		else if (got.errors++ < 3)
			warnx("sign-in: %.*s", (int)strcspn(s, "\r"), s);
		client_close(cl);
		return (len);
	}
	p = memmem(s, len, "__Host-risa=", 12);
	if (strncmp(s + 9, "201", 3) != 0 || p == NULL) {
		client_fail(cl, "sign-in refused");
		return (len);
	}
	if ((cl->cl_cookie = strndup(p + 12, strcspn(p + 12, ";\r"))) == NULL)
		err(1, NULL);
	client_upgrade(cl);
	return ((size_t)(end - s) + 4 + body);
}

static size_t
client_http(struct client *cl, const char *s, size_t len)
{
	const char	*end;

	if (cl->cl_state == LOGIN)
		return (client_cookie(cl, s, len));
	if ((end = memmem(s, len, "\r\n\r\n", 4)) == NULL)
		return (0);
	if (len < 12 || strncmp(s + 9, "101", 3) != 0) {
		client_fail(cl, "no upgrade");
		return (len);
	}
	cl->cl_state = HELLO;
	return ((size_t)(end - s) + 4);
}

/*
 * Frames from the server.
 */

static long
number_after(const char *s, size_t len, const char *what)
{
	const char	*p = memmem(s, len, what, strlen(what));

	return (p == NULL ? -1 : strtol(p + strlen(what), NULL, 10));
}

/* One's own number, and where one stands. */
static void
client_entered(struct client *cl, const char *s, size_t len)
{
	char		 key[64];
	const char	*p;
	long		 id, x, y;

	id = number_after(s, len, "\"you\":");
	(void)snprintf(key, sizeof(key), "\"id\":%ld,\"user\":", id);
	p = memmem(s, len, key, strlen(key));
	if (id < 0 || id > 65535 || p == NULL) {
		client_fail(cl, "no place on the floor");
		return;
	}
	x = number_after(p, len - (size_t)(p - s), "\"x\":");
	y = number_after(p, len - (size_t)(p - s), "\"y\":");
	cl->cl_id = (uint16_t)id;
	cl->cl_x = (uint16_t)x;
	cl->cl_y = (uint16_t)y;
	cl->cl_floor->fl_avatar[id] = cl;
	if (hearing)
		client_frame(cl, 1, MEDIA, strlen(MEDIA));
	client_ready(cl);
}

static void
client_hello(struct client *cl)
{
	char	 buf[64];
	int	 n;

	if (!entering) {
		client_ready(cl);
		return;
	}
	n = snprintf(buf, sizeof(buf), "{\"t\":\"enter\",\"floor\":%u}",
	    cl->cl_floor->fl_id);
	cl->cl_state = ENTER;
	client_frame(cl, 1, buf, (size_t)n);
}

/* What was said: a frame of the others may carry more than one. */
static unsigned int
client_heard(const char *s, size_t len)
{
	const char	*p = s, *end = s + len;
	unsigned int	 n = 0;

	while ((p = memmem(p, (size_t)(end - p), MARK, strlen(MARK))) !=
	    NULL) {
		p += strlen(MARK);
		latency(now_us() - strtoull(p, NULL, 16));
		n++;
	}
	got.msgs += n;
	return (n);
}

static void
client_text(struct client *cl, const char *s, size_t len)
{
	if (cl->cl_state == HELLO) {
		if (memmem(s, len, "\"t\":\"hello\"", 11) != NULL)
			client_hello(cl);
		return;
	}
	if (cl->cl_state == ENTER) {
		if (memmem(s, len, "\"t\":\"floor\"", 11) != NULL &&
		    memmem(s, len, "\"you\":", 6) != NULL)
			client_entered(cl, s, len);
		else if (memmem(s, len, "\"t\":\"error\"", 11) != NULL)
			client_fail(cl, "refused");
		return;
	}
	if (!measuring)
		return;
	if (client_heard(s, len) > 0)
		return;
	if (memmem(s, len, "\"t\":\"ack\"", 9) != NULL)
		got.acks++;
	else if (memmem(s, len, "\"t\":\"error\"", 11) != NULL) {
		if (got.errors++ < 3)
			warnx("%.*s", (int)(len < 200 ? len : 200), s);
	} else if (memmem(s, len, "\"t\":\"place\"", 11) != NULL)
		got.placed++;
	else
		got.other++;
}

static unsigned int
get16(const uint8_t *p)
{
	return ((unsigned int)p[0] | (unsigned int)p[1] << 8);
}

/* The target says which leg of its walker it is. */
static void
update(struct client *cl, const uint8_t *p, uint64_t now)
{
	struct client	*from = cl->cl_floor->fl_avatar[get16(p)];
	unsigned int	 dx, dy, seq;

	if (from == NULL || from == cl)
		return;
	got.updates++;
	dx = get16(p + 6) - from->cl_x;
	dy = get16(p + 8) - from->cl_y;
	if (dx >= STRIDE)
		dx -= STRIDE;
	seq = dx / 2 + dy / 2 * 64;
	if (dx >= 128 || dy >= 128 ||
	    ((from->cl_seq - seq) & 4095) >= RING)
		return;
	latency(now - from->cl_sent[seq % RING]);
}

static void
client_binary(struct client *cl, const uint8_t *p, size_t len)
{
	unsigned int	 n;
	uint64_t	 now;

	if (!measuring || cl->cl_state != READY)
		return;
	if (len < 7 || p[0] != 2 || len != 7 + 12 * (size_t)(n =
	    get16(p + 5))) {
		got.errors++;
		return;
	}
	now = now_us();
	for (p += 7; n > 0; n--, p += 12)
		update(cl, p, now);
}

/* Take in one frame; its bytes, or 0 while it is not whole. */
static size_t
client_ws(struct client *cl, const uint8_t *p, size_t len)
{
	size_t	 n, head = 2;

	if (len < 2)
		return (0);
	n = p[1] & 0x7f;
	if (n == 126) {
		if (len < 4)
			return (0);
		n = (size_t)p[2] << 8 | p[3];
		head = 4;
	} else if (n == 127) {
		if (len < 10)
			return (0);
		n = (size_t)p[6] << 24 | (size_t)p[7] << 16 |
		    (size_t)p[8] << 8 | p[9];
		head = 10;
	}
	if (n > MAX_FRAME)
		errx(1, "frame of %zu bytes", n);
	if (len < head + n)
		return (0);
	if (measuring)
		got.frames++;
	switch (p[0] & 15) {
	case 1:
		client_text(cl, (const char *)p + head, n);
		break;
	case 2:
		client_binary(cl, p + head, n);
		break;
	case 8:
		client_fail(cl, "closed by the server");
		break;
	case 9:
		client_frame(cl, 10, p + head, n);
		break;
	}
	return (head + n);
}

static size_t
client_take(struct client *cl, const uint8_t *p, size_t len)
{
	size_t	 used = 0, n;

	while (used < len && cl->cl_state != OFF) {
		if (cl->cl_state == LOGIN || cl->cl_state == UPGRADE)
			n = client_http(cl, (const char *)p + used,
			    len - used);
		else
			n = client_ws(cl, p + used, len - used);
		if (n == 0)
			break;
		used += n;
	}
	return (used);
}

/* What is not a whole frame yet is kept; nothing is kept while idle. */
static void
client_keep(struct client *cl, const uint8_t *p, size_t len)
{
	if (len == 0) {
		free(cl->cl_in);
		cl->cl_in = NULL;
		cl->cl_inlen = 0;
		return;
	}
	if (len > cl->cl_inlen &&
	    (cl->cl_in = realloc(cl->cl_in, len)) == NULL)
		err(1, NULL);
	memcpy(cl->cl_in, p, len);
	cl->cl_inlen = len;
}

/* More than the shared buffer holds, one frame of it: by way of the heap. */
static void
client_grow(struct client *cl, size_t n)
{
	size_t	 used, len = cl->cl_inlen + n;

	if (len > MAX_FRAME + 16)
		errx(1, "frame does not end");
	if ((cl->cl_in = realloc(cl->cl_in, len)) == NULL)
		err(1, NULL);
	memcpy(cl->cl_in + cl->cl_inlen, rbuf, n);
	cl->cl_inlen = len;
	used = client_take(cl, cl->cl_in, len);
	if (cl->cl_state == OFF || used == 0)
		return;
	memmove(cl->cl_in, cl->cl_in + used, len - used);
	cl->cl_inlen = len - used;
	if (cl->cl_inlen == 0)
		client_keep(cl, NULL, 0);
}

static void
client_read(struct client *cl)
{
	size_t	 used;
	int	 n;

	while (cl->cl_state != OFF) {
		n = SSL_read(cl->cl_ssl, rbuf, sizeof(rbuf));
		if (n <= 0) {
			if (SSL_get_error(cl->cl_ssl, n) != SSL_ERROR_WANT_READ)
				client_fail(cl, "closed");
			return;
		}
		if (measuring)
			got.bytes += (uint64_t)n;
		if (cl->cl_inlen > 0) {
			client_grow(cl, (size_t)n);
			continue;
		}
		used = client_take(cl, rbuf, (size_t)n);
		if (cl->cl_state != OFF)
			client_keep(cl, rbuf + used, (size_t)n - used);
	}
}

static void
client_event(struct client *cl, uint32_t what)
{
	ERR_clear_error();
	if (cl->cl_state == CONNECT || cl->cl_state == TLS) {
		client_handshake(cl);
		return;
	}
	if (what & EPOLLOUT && cl->cl_state != OFF)
		client_flush(cl);
	if (what & (EPOLLIN | EPOLLHUP | EPOLLERR) && cl->cl_state != OFF)
		client_read(cl);
}

/*
 * The loop, and what is done in it.
 */

static void
turn(int ms)
{
	struct epoll_event	 evs[256];
	struct client		*cl;
	int			 i, n;

	if (now_us() > deadline)
		errx(1, "longer than %d seconds", MAX_SECS);
	if ((n = epoll_wait(ep, evs, 256, ms)) == -1) {
		if (errno == EINTR)
			return;
		err(1, "epoll_wait");
	}
	for (i = 0; i < n; i++)
		if (evs[i].data.ptr != NULL)
			client_event(evs[i].data.ptr, evs[i].events);
	while ((cl = TAILQ_FIRST(&joining)) != NULL &&
	    now_us() - cl->cl_since > JOIN_SECS * 1000000ULL)
		client_fail(cl, "takes too long");
}

static void
turn_until(uint64_t when)
{
	uint64_t	 now;

	while ((now = now_us()) < when)
		turn((int)((when - now + 999) / 1000));
}

/* Not floor by floor: people act whenever they like. */
static void
shuffle(void)
{
	struct client	*cl;
	uint32_t	 seed = 4711;
	unsigned int	 i, j;

	for (i = 0; i < njoined; i++)
		order[i] = &people[i];
	for (i = njoined; i > 1; i--) {
		seed = seed * 1664525 + 1013904223;
		j = (seed >> 8) % i;
		cl = order[i - 1];
		order[i - 1] = order[j];
		order[j] = cl;
	}
}

static void
order_join(unsigned int n)
{
	struct client	*cl;
	uint64_t	 begin = now_us();
	unsigned int	 window = 0;

	ndied = nresumed = 0;
	goal = READY;
	for (;;) {
		window = 0;
		TAILQ_FOREACH(cl, &joining, cl_entry)
			window++;
		for (; n > 0 && njoined < npeople && window < WINDOW;
		    n--, window++)
			client_connect(&people[njoined++], READY);
		if (window == 0)
			break;
		turn(1000);
	}
	shuffle();
	printf("joined {\"ready\":%u,\"failed\":%u,\"resumed\":%u,"
	    "\"secs\":%.2f}\n", nready, ndied, nresumed,
	    (double)(now_us() - begin) / 1e6);
}

static void
figures(uint64_t us, uint64_t cpu)
{
	printf("end {\"secs\":%.3f,\"sent\":%llu,\"updates\":%llu,"
	    "\"frames\":%llu,\"bytes\":%llu,\"msgs\":%llu,\"acks\":%llu,"
	    "\"errors\":%llu,\"placed\":%llu,\"other\":%llu,\"done\":%llu,"
	    "\"p50\":%.2f,\"p99\":%.2f,\"max\":%.2f,\"died\":%u,\"ready\":%u,"
	    "\"cpu\":%.3f,\"resumed\":%u}\n", (double)us / 1e6,
	    (unsigned long long)got.sent, (unsigned long long)got.updates,
	    (unsigned long long)got.frames, (unsigned long long)got.bytes,
	    (unsigned long long)got.msgs, (unsigned long long)got.acks,
	    (unsigned long long)got.errors, (unsigned long long)got.placed,
	    (unsigned long long)got.other, (unsigned long long)got.done,
	    latency_at(500), latency_at(990), (double)got.max / 1000, ndied,
	    nready, (double)cpu / (double)us, nresumed);
}

static void
leg(struct client *cl)
{
	unsigned int	 seq = ++cl->cl_seq & 4095;
	unsigned int	 x, y;
	uint8_t		 buf[7];

	x = cl->cl_x + (seq & 63) * 2 + (seq & 1 ? STRIDE : 0);
	y = cl->cl_y + (seq >> 6) * 2;
	buf[0] = 1;
	buf[1] = (uint8_t)x;
	buf[2] = (uint8_t)(x >> 8);
	buf[3] = (uint8_t)y;
	buf[4] = (uint8_t)(y >> 8);
	buf[5] = seq & 1 ? 0 : 128;
	buf[6] = 0;
	cl->cl_sent[seq % RING] = now_us();
	client_frame(cl, 2, buf, sizeof(buf));
}

static void
say(struct client *cl, unsigned int n, size_t len, const char *to)
{
	char	 text[2048], buf[4000];
	int	 used;

	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	memset(text, 'x', len);
	text[len] = '\0';
	used = snprintf(text, sizeof(text), "bench %016llx ",
	    (unsigned long long)now_us());
	if ((size_t)used < len)
		text[used] = 'x';
	used = snprintf(buf, sizeof(buf), "{\"t\":\"say\",\"to\":%s,"
	    "\"text\":\"%s\",\"ref\":\"b%lx-%x\"}", to, text, (long)getpid(),
	    n);
	client_frame(cl, 1, buf, (size_t)used);
}

/*
 * N people act, each once in so many milliseconds, evenly spread.  After the
 * warming up counting begins; then what is on its way gets a moment.
 */
static void
order_act(unsigned int n, unsigned int ms, size_t len, unsigned int warm,
    unsigned int secs, const char *to)
{
	static unsigned int	 refs;
	uint64_t		 begin = now_us(), now, begun = 0, cpu = 0;
	uint64_t		 done = 0, due, start, us;

	start = begin + warm * 1000000ULL;
	if (n > njoined)
		n = njoined;
	memset(&got, 0, sizeof(got));
	ndied = 0;
	while ((now = now_us()) < start + secs * 1000000ULL) {
		if (!measuring && now >= start) {
			measuring = 1;
			begun = now;
			cpu = own_cpu_us();
			printf("begin\n");
		}
		due = n == 0 ? 0 : (now - begin) * n / (ms * 1000ULL);
		for (; done < due; done++) {
			if (order[done % n]->cl_state != READY)
				continue;
			if (to == NULL)
				leg(order[done % n]);
			else
				say(order[done % n], refs++, len, to);
			got.sent += measuring;
		}
		turn(n == 0 ? 100 : 1);
	}
	us = now_us() - begun;
	cpu = own_cpu_us() - cpu;
	turn_until(now_us() + REST_US);
	measuring = 0;
	figures(us, cpu);
}

/* Connections that are made, used once, and closed: n at a time. */
static void
order_once(enum state what, unsigned int n, unsigned int secs)
{
	uint64_t	 begin = now_us(), cpu = own_cpu_us(), us;
	unsigned int	 i, next = 0;

	memset(&got, 0, sizeof(got));
	ndied = nresumed = 0;
	goal = what;
	printf("begin\n");
	while ((us = now_us() - begin) < secs * 1000000ULL) {
		for (i = 0; i < n; i++) {
			struct client	*cl = &people[i];

			if (cl->cl_state != OFF)
				continue;
			if (what == LOGIN) {
				/* Each time another account: throttles. */
				cl->cl_mail = people[next % npeople].cl_mail;
				cl->cl_host = people[next % npeople].cl_host;
				cl->cl_cookie = "-";
				next++;
			}
			client_connect(cl, ONCE);
		}
		turn(10);
	}
	cpu = own_cpu_us() - cpu;
	figures(us, cpu);
	while (!TAILQ_EMPTY(&joining))
		client_close(TAILQ_FIRST(&joining));
}

static void
obey(char *line)
{
	char		 to[64] = "";
	unsigned int	 a = 0, b = 0, c = 0, d = 0, e = 0;

	if (sscanf(line, "join %u", &a) == 1)
		order_join(a);
	else if (sscanf(line, "walk %u %u %u %u", &a, &b, &c, &d) == 4)
		order_act(a, b, 0, c, d, NULL);
	else if (sscanf(line, "say %u %u %u %u %u %63s", &a, &b, &c, &d, &e,
	    to) == 6)
		order_act(a, b, c, d, e, to);
	else if (sscanf(line, "rest %u", &a) == 1)
		order_act(0, 1, 0, 0, a, NULL);
	else if (sscanf(line, "shake %u %u", &a, &b) == 2)
		order_once(ONCE, a, b);
	else if (sscanf(line, "signin %u %u", &a, &b) == 2)
		order_once(LOGIN, a, b);
	else
		errx(1, "what is: %s", line);
}

/*
 * People: "host:port floor cookie mail password", one a line; "-" for a
 * cookie: sign in.
 */

static struct host *
host_get(const char *name)
{
	struct host	*ho;

	SLIST_FOREACH(ho, &hosts, ho_entry)
		if (strcmp(ho->ho_name, name) == 0)
			return (ho);
	if ((ho = calloc(1, sizeof(*ho))) == NULL)
		err(1, NULL);
	(void)snprintf(ho->ho_name, sizeof(ho->ho_name), "%s", name);
	SLIST_INSERT_HEAD(&hosts, ho, ho_entry);
	return (ho);
}

static struct floor *
floor_get(struct host *ho, unsigned int id)
{
	struct floor	*fl;

	SLIST_FOREACH(fl, &floors, fl_entry)
		if (fl->fl_host == ho && fl->fl_id == id)
			return (fl);
	if ((fl = calloc(1, sizeof(*fl))) == NULL)
		err(1, NULL);
	fl->fl_host = ho;
	fl->fl_id = id;
	SLIST_INSERT_HEAD(&floors, fl, fl_entry);
	return (fl);
}

static void
people_read(const char *path)
{
	char		 host[128], cookie[128], mail[128], password[128];
	struct client	*cl;
	FILE		*fp;
	unsigned int	 floor;

	if ((people = calloc(MAX_PEOPLE, sizeof(*people))) == NULL)
		err(1, NULL);
	if ((fp = fopen(path, "r")) == NULL)
		err(1, "%s", path);
	while (npeople < MAX_PEOPLE && fscanf(fp, "%127s %u %127s %127s %127s",
	    host, &floor, cookie, mail, password) == 5) {
		cl = &people[npeople++];
		cl->cl_host = host_get(host);
		cl->cl_floor = floor_get(cl->cl_host, floor);
		cl->cl_floor->fl_people++;
		cl->cl_cookie = strdup(cookie);
		cl->cl_mail = strdup(mail);
		cl->cl_password = strdup(password);
		if (cl->cl_cookie == NULL || cl->cl_mail == NULL ||
		    cl->cl_password == NULL)
			err(1, NULL);
	}
	fclose(fp);
}

static void
init(void)
{
	struct rlimit	 rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		err(1, "getrlimit");
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		err(1, "setrlimit");
	if ((ep = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(1, "epoll_create1");
	if ((ctx = SSL_CTX_new(TLS_client_method())) == NULL)
		errx(1, "SSL_CTX_new");
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT |
	    SSL_SESS_CACHE_NO_INTERNAL);
	if (offered)
		SSL_CTX_sess_set_new_cb(ctx, session_cb);
	deadline = now_us() + MAX_SECS * 1000000ULL;
	alarm(MAX_SECS + 5);
}

/* While no order is there the connections go on being served. */
static void
orders(void)
{
	struct epoll_event	 ev = { .events = EPOLLIN };
	char			 buf[1024];
	size_t			 have = 0;
	ssize_t			 n;
	char			*end;

	if (fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK) == -1 ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, STDIN_FILENO, &ev) == -1)
		err(1, "standard input");
	for (;;) {
		n = read(STDIN_FILENO, buf + have, sizeof(buf) - 1 - have);
		if (n == 0)
			return;
		if (n == -1 && errno != EAGAIN)
			err(1, "read");
		if (n > 0)
			have += (size_t)n;
		buf[have] = '\0';
		while ((end = strchr(buf, '\n')) != NULL) {
			*end++ = '\0';
			obey(buf);
			have -= (size_t)(end - buf);
			memmove(buf, end, have + 1);
		}
		turn(1000);
	}
}

int
main(int argc, char *argv[])
{
	int	 ch;

	while ((ch = getopt(argc, argv, "np:rt")) != -1)
		switch (ch) {
		case 'n':
			entering = 0;		/* only open, enter nothing */
			break;
		case 'p':
			port = (int)strtol(optarg, NULL, 10);
			break;
		case 'r':
			offered = 0;		/* no resumption */
			break;
		case 't':
			hearing = 1;
			break;
		default:
			return (2);
		}
	if (port <= 0 || optind != argc - 1) {
		fprintf(stderr, "usage: load [-nrt] -p port people\n");
		return (2);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	people_read(argv[optind]);
	init();
	orders();
	return (0);
}
