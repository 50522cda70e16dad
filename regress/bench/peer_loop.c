/*
 * How little an office can cost with libtls: one thread, epoll, and a tick of
 * 50 ms for each floor, in which what happened there leaves in one write to
 * each.  No processes, no checks, nothing stored, and only as much WebSocket
 * as the load speaks.  What risad uses more than this is risad's.
 *
 * Ends with its standard input, or after ten minutes.
 */
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tls.h>
#include <unistd.h>

#define MAX_SECS	600
#define TICK_MS		50
#define SPREAD_MS	19		/* between the ticks of two floors */
#define REST_MS		4
#define EVENTS		4096		/* of a turn: all that have gathered */
#define RECORD		16384		/* of TLS, at most */
#define WS_HEAD		4
#define WS_MAX		65535		/* what a head of 4 bytes can say */
#define WS_TEXT		1
#define WS_BINARY	2
#define LEG_LEN		7
#define HEAD		7
#define ENTRY		12
/* The load always sends the key of RFC 6455, 1.3: this is its answer. */
#define UPGRADED	"HTTP/1.1 101 Switching Protocols\r\n" \
			"Upgrade: websocket\r\nConnection: Upgrade\r\n" \
			"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" \
			"\r\n\r\n"

struct person {
	TAILQ_ENTRY(person)	 pe_entry;	/* of the floor */
	struct floor		*pe_floor;
	struct tls		*pe_tls;
	int			 pe_fd;
	int			 pe_shaken, pe_upgraded, pe_moved;
	uint16_t		 pe_id;
	uint8_t			 pe_place[ENTRY];	/* as frames have it */
	char			 pe_host[64];
};

struct floor {
	SLIST_ENTRY(floor)	 fl_entry;
	TAILQ_HEAD(, person)	 fl_people;
	char			 fl_host[64];
	long			 fl_id;
	uint16_t		 fl_ids;
	uint64_t		 fl_due;
	int			 fl_moved;
	size_t			 fl_saidlen;
	char			 fl_said[WS_MAX + 1];
};

static SLIST_HEAD(, floor)	 floors = SLIST_HEAD_INITIALIZER(floors);
static unsigned int		 nfloors;
static int			 ep, listener;
static struct tls		*server;

static uint64_t
clock_ms(clockid_t clock)
{
	struct timespec	 ts;

	if (clock_gettime(clock, &ts) == -1)
		err(1, "clock_gettime");
	return ((uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000);
}

static void
put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void
person_leave(struct person *pe)
{
	if (pe->pe_floor != NULL)
		TAILQ_REMOVE(&pe->pe_floor->fl_people, pe, pe_entry);
	pe->pe_floor = NULL;
}

static void
person_close(struct person *pe)
{
	person_leave(pe);
	tls_free(pe->pe_tls);
	close(pe->pe_fd);
	free(pe);
}

/* Nothing is kept for who does not read: his connection ends. */
static void
person_write(struct person *pe, const void *data, size_t len)
{
	const uint8_t	*p = data;
	ssize_t		 n;

	for (; len > 0; p += n, len -= (size_t)n)
		if ((n = tls_write(pe->pe_tls, p, len)) < 0) {
			(void)shutdown(pe->pe_fd, SHUT_RDWR);
			return;
		}
}

/* The head of a frame; its bytes. */
static size_t
ws_head(uint8_t *p, int op, size_t len)
{
	if (len > WS_MAX)
		errx(1, "frame of %zu bytes", len);
	p[0] = (uint8_t)(0x80 | op);
	p[1] = (uint8_t)(len < 126 ? len : 126);
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
	return (len < 126 ? 2 : WS_HEAD);
}

static void
person_tell(struct person *pe, const char *json)
{
	uint8_t	 buf[WS_HEAD + 256];
	size_t	 n, len = strlen(json);

	n = ws_head(buf, WS_TEXT, len);
	memcpy(buf + n, json, len);
	person_write(pe, buf, n + len);
}

/*
 * What the load sends: each record has whole requests, or whole frames.
 */

static struct floor *
floor_get(const char *host, long id)
{
	struct floor	*fl;

	SLIST_FOREACH(fl, &floors, fl_entry)
		if (fl->fl_id == id && strcmp(fl->fl_host, host) == 0)
			return (fl);
	if ((fl = calloc(1, sizeof(*fl))) == NULL)
		err(1, NULL);
	(void)snprintf(fl->fl_host, sizeof(fl->fl_host), "%s", host);
	fl->fl_id = id;
	TAILQ_INIT(&fl->fl_people);
	fl->fl_due = nfloors++ * SPREAD_MS % TICK_MS;
	SLIST_INSERT_HEAD(&floors, fl, fl_entry);
	return (fl);
}

static void
enter(struct person *pe, long id)
{
	struct floor	*fl = floor_get(pe->pe_host, id);
	unsigned int	 n, x, y;
	char		 buf[256];

	person_leave(pe);
	TAILQ_INSERT_TAIL(&fl->fl_people, pe, pe_entry);
	pe->pe_floor = fl;
	n = pe->pe_id = fl->fl_ids++;
	x = 700 + 300 * (n % 8);
	y = 800 + 190 * (n / 8 % 8);
	put16(pe->pe_place, n);
	put16(pe->pe_place + 6, x);
	put16(pe->pe_place + 8, y);
	(void)snprintf(buf, sizeof(buf), "{\"t\":\"floor\",\"id\":%ld,"
	    "\"you\":%u,\"people\":[{\"id\":%u,\"user\":%u,\"x\":%u,"
	    "\"y\":%u}]}", id, n, n, n + 1, x, y);
	person_tell(pe, buf);
}

/* He stands where he was going to, and goes where the leg says. */
static void
leg(struct person *pe, const uint8_t *p)
{
	memcpy(pe->pe_place + 2, pe->pe_place + 6, 4);
	memcpy(pe->pe_place + 6, p + 1, 5);
	pe->pe_moved = pe->pe_floor->fl_moved = 1;
}

static void
say(struct person *pe, const char *text, int tlen, const char *ref, int rlen)
{
	struct floor	*fl = pe->pe_floor;
	char		 buf[256];
	size_t		 room = sizeof(fl->fl_said) - fl->fl_saidlen;
	int		 n;

	n = snprintf(fl->fl_said + fl->fl_saidlen, room, "%c{\"t\":\"msg\","
	    "\"from\":%u,\"text\":\"%.*s\",\"at\":%llu}",
	    fl->fl_saidlen == 0 ? '[' : ',', pe->pe_id, tlen, text,
	    (unsigned long long)clock_ms(CLOCK_REALTIME));
	if ((size_t)n >= room)
		errx(1, "too much is said on one floor");
	fl->fl_saidlen += (size_t)n;
	(void)snprintf(buf, sizeof(buf), "{\"t\":\"ack\",\"ref\":\"%.*s\"}",
	    rlen, ref);
	person_tell(pe, buf);
}

/* What stands after the words, up to one of the characters that end it. */
static const char *
after(const char *s, size_t len, const char *words, const char *ends, int *n)
{
	const char	*p = memmem(s, len, words, strlen(words));

	if (p == NULL)
		return (NULL);
	p += strlen(words);
	for (*n = 0; p + *n < s + len && strchr(ends, p[*n]) == NULL; ++*n)
		;
	return (p);
}

static void
text(struct person *pe, const char *s, size_t len)
{
	const char	*p, *ref;
	int		 n, m;

	if ((p = after(s, len, "\"floor\":", "}", &n)) != NULL)
		enter(pe, strtol(p, NULL, 10));
	else if (pe->pe_floor != NULL &&
	    (p = after(s, len, "\"text\":\"", "\"", &n)) != NULL &&
	    (ref = after(s, len, "\"ref\":\"", "\"", &m)) != NULL)
		say(pe, p, n, ref, m);
}

/* Each of these returns the bytes that it has used, 0 if it cannot. */
static size_t
frame(struct person *pe, uint8_t *p, size_t len)
{
	size_t	 i, n, head = 6;

	if (len < head)
		return (0);
	if ((n = p[1] & 0x7f) == 126) {
		n = (size_t)p[2] << 8 | p[3];
		head = 8;
	}
	if (len < head + n)
		return (0);
	for (i = 0; i < n; i++)
		p[head + i] ^= p[head - 4 + (i & 3)];
	if ((p[0] & 15) == WS_TEXT)
		text(pe, (char *)p + head, n);
	else if (n == LEG_LEN && pe->pe_floor != NULL)
		leg(pe, p + head);
	return (head + n);
}

static size_t
upgrade(struct person *pe, const char *s, size_t len)
{
	const char	*host;
	int		 n;

	if ((host = after(s, len, "Host: ", "\r", &n)) == NULL)
		return (0);
	(void)snprintf(pe->pe_host, sizeof(pe->pe_host), "%.*s", n, host);
	person_write(pe, UPGRADED, strlen(UPGRADED));
	person_tell(pe, "{\"t\":\"hello\"}");
	pe->pe_upgraded = 1;
	return (len);
}

static void
person_event(struct person *pe)
{
	static uint8_t	 buf[RECORD];
	size_t		 used, n = 1;
	ssize_t		 got;

	if (!pe->pe_shaken) {
		got = tls_handshake(pe->pe_tls);
		pe->pe_shaken = got == 0;
		if (got == -1)
			person_close(pe);
		return;
	}
	got = tls_read(pe->pe_tls, buf, sizeof(buf));
	if (got == TLS_WANT_POLLIN || got == TLS_WANT_POLLOUT)
		return;
	for (used = 0; n > 0 && (ssize_t)used < got; used += n)
		if (pe->pe_upgraded)
			n = frame(pe, buf + used, (size_t)got - used);
		else
			n = upgrade(pe, (char *)buf, (size_t)got);
	if (got <= 0 || n == 0)
		person_close(pe);
}

/*
 * The tick.
 */

static size_t
put_moves(struct floor *fl, uint8_t *frame, uint64_t now)
{
	static uint8_t	 buf[WS_MAX];
	struct person	*pe;
	size_t		 head, len = HEAD;

	TAILQ_FOREACH(pe, &fl->fl_people, pe_entry) {
		if (!pe->pe_moved || len + ENTRY > WS_MAX)
			continue;
		memcpy(buf + len, pe->pe_place, ENTRY);
		len += ENTRY;
		pe->pe_moved = 0;
	}
	fl->fl_moved = 0;
	buf[0] = 2;
	put16(buf + 1, (unsigned int)now & 0xffff);
	put16(buf + 3, (unsigned int)now >> 16);
	put16(buf + 5, (unsigned int)((len - HEAD) / ENTRY));
	head = ws_head(frame, WS_BINARY, len);
	memcpy(frame + head, buf, len);
	return (head + len);
}

static size_t
put_said(struct floor *fl, uint8_t *frame)
{
	size_t	 head, len = fl->fl_saidlen;

	fl->fl_said[len++] = ']';
	head = ws_head(frame, WS_TEXT, len);
	memcpy(frame + head, fl->fl_said, len);
	fl->fl_saidlen = 0;
	return (head + len);
}

static void
tick(struct floor *fl, uint64_t now)
{
	static uint8_t	 buf[2 * (WS_HEAD + WS_MAX)];
	struct person	*pe;
	size_t		 len = 0;

	if (fl->fl_moved)
		len += put_moves(fl, buf, now);
	if (fl->fl_saidlen > 0)
		len += put_said(fl, buf + len);
	TAILQ_FOREACH(pe, &fl->fl_people, pe_entry)
		person_write(pe, buf, len);
}

/* Those that are due; milliseconds to the next, or -1 if all is quiet. */
static int
ticks(void)
{
	struct floor	*fl;
	uint64_t	 now = clock_ms(CLOCK_MONOTONIC);
	int		 ms = -1;

	SLIST_FOREACH(fl, &floors, fl_entry) {
		if (!fl->fl_moved && fl->fl_saidlen == 0)
			continue;
		if (fl->fl_due <= now) {
			/* Whatever is late, each keeps to its own times. */
			fl->fl_due += ((now - fl->fl_due) / TICK_MS + 1) *
			    TICK_MS;
			tick(fl, now);
		} else if (ms == -1 || fl->fl_due - now < (uint64_t)ms)
			ms = (int)(fl->fl_due - now);
	}
	return (ms);
}

/*
 * The loop.
 */

static void
watch(int fd, void *ptr)
{
	struct epoll_event	 ev = { .events = EPOLLIN };

	ev.data.ptr = ptr;
	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == -1)
		err(1, "epoll_ctl");
}

static void
people_accept(void)
{
	struct person	*pe;
	int		 on = 1, s;

	while ((s = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) != -1) {
		if ((pe = calloc(1, sizeof(*pe))) == NULL)
			err(1, NULL);
		pe->pe_fd = s;
		(void)setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (tls_accept_socket(server, &pe->pe_tls, s) == -1)
			errx(1, "%s", tls_error(server));
		watch(s, pe);
	}
}

static void
init(const char *port, const char *cert, const char *key)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	struct rlimit		 rl;
	struct tls_config	*config;

	if ((config = tls_config_new()) == NULL ||
	    (server = tls_server()) == NULL)
		errx(1, "libtls");
	if (tls_config_set_keypair_file(config, cert, key) == -1)
		errx(1, "%s", tls_config_error(config));
	if (tls_configure(server, config) == -1)
		errx(1, "%s", tls_error(server));
	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		err(1, "getrlimit");
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		err(1, "setrlimit");
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((uint16_t)strtol(port, NULL, 10));
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (listener == -1 || bind(listener, (struct sockaddr *)&sin,
	    sizeof(sin)) == -1 || listen(listener, 1024) == -1)
		err(1, "port %s", port);
	if ((ep = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(1, "epoll_create1");
	watch(listener, &listener);
	watch(STDIN_FILENO, NULL);
}

/* A turn costs the same for one frame as for ten: the rest gathers them. */
int
main(int argc, char *argv[])
{
	static struct epoll_event	 evs[EVENTS];
	int				 i, ms, n;

	if (argc != 4) {
		fprintf(stderr, "usage: peer_loop port certificate key\n");
		return (2);
	}
	signal(SIGPIPE, SIG_IGN);
	alarm(MAX_SECS);
	init(argv[1], argv[2], argv[3]);
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		if ((ms = ticks()) != -1) {
			(void)poll(NULL, 0, REST_MS);
			ms = ms > REST_MS ? ms - REST_MS : 0;
		}
		n = epoll_wait(ep, evs, EVENTS, ms);
		if (n == -1 && errno != EINTR)
			err(1, "epoll_wait");
		for (i = 0; i < n; i++)
			if (evs[i].data.ptr == NULL)
				return (0);
			else if (evs[i].data.ptr == &listener)
				people_accept();
			else
				person_event(evs[i].data.ptr);
	}
}
