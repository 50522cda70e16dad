/*
 * A connection: TLS without blocking, bytes in, chunks out.  What the bytes
 * mean is the business of session.c.
 */
#ifndef CONN_H
#define CONN_H

#include <sys/queue.h>
#include <sys/tree.h>

#include <event.h>
#include <tls.h>

#include "http.h"
#include "proxy.h"
#include "risad.h"
#include "websocket.h"

#define CONN_MAXIN	(80 * 1024)	/* a head and body, or a frame */
#define CONN_HIGH	(64 * 1024)	/* above: no ticks, a snapshot later */
#define CONN_LIMIT	(1024 * 1024)	/* above: the reader is too slow */

/* Bytes that leave on one or many connections; counted references. */
struct chunk {
	size_t		 ck_len;
	unsigned int	 ck_refs;
	unsigned int	 ck_queued;	/* on so many connections */
	uint8_t		 ck_data[];
};

struct out {
	STAILQ_ENTRY(out)	 ou_entry;
	struct chunk		*ou_chunk;
	size_t			 ou_off;
};

/*
 * What TLS connections are made from.  Each keeps a reference: libtls looks
 * into the server's context when the client's first bytes come, and a reload
 * may come before them.
 */
struct server {
	struct tls		*sv_tls;
	struct tls_config	*sv_conf;	/* takes new ticket keys */
	unsigned int		 sv_refs;
};

/* The header of a proxy, as far as it has come. */
struct proxy_input {
	size_t		 px_len;
	uint8_t		 px_data[PROXY_MAX];
};

enum conn_state {
	CONN_PROXY,		/* the proxy says for whom it is */
	CONN_HANDSHAKE,
	CONN_HTTP,		/* reads requests */
	CONN_WAIT,		/* a request is being answered */
	CONN_WS,
	CONN_DRAIN		/* writes what is left, then closes */
};

struct ask;
struct login;
struct person;

struct conn {
	TAILQ_ENTRY(conn)	 cn_entry;
	TAILQ_ENTRY(conn)	 cn_dirty_entry;
	TAILQ_ENTRY(conn)	 cn_holds_entry;
	int			 cn_fd;
	uint8_t			 cn_redirect;	/* plain HTTP, port 80 */
	uint8_t			 cn_dirty;	/* on the list of conn_flush */
	uint8_t			 cn_holds;	/* memory, on that list */
	uint8_t			 cn_moved;	/* read or wrote some since */
	uint8_t			 cn_dead;	/* is being closed */
	uint8_t			 cn_again;	/* come back, nothing new */
	uint8_t			 cn_shut;	/* we have said our last */
	uint8_t			 cn_late;	/* full: told so, and out */
	uint8_t			 cn_body;	/* the time of its body runs */
	uint8_t			 cn_blocked;	/* the socket takes no more */
	uint8_t			 cn_readwants;	/* TLS: write, to read */
	uint8_t			 cn_counted;	/* among its address's */
	enum conn_state		 cn_state;
	enum {
		LARGE_NO,		/* no body above BODY_MAX may come */
		LARGE_ASKED,		/* auth is asked who sends it */
		LARGE_YES
	}			 cn_large;
	struct server		*cn_server;	/* NULL for plain HTTP */
	struct tls		*cn_tls;
	void			*cn_ssl;	/* see compat/tls_ssl.h */
	short			 cn_what;	/* that cn_ev waits for */
	struct event		 cn_ev;
	struct event		 cn_timer;
	/* Of the client; of its proxy until that has said whose it is. */
	char			 cn_addr[MAX_ADDR + 1];
	struct proxy_input	*cn_proxy;	/* while CONN_PROXY */
	uint64_t		 cn_heard;	/* monotonic ms */
	uint64_t		 cn_pinged;	/* the same, or 0 */

	uint8_t			*cn_in;
	size_t			 cn_inlen, cn_insize;
	size_t			 cn_maxin;	/* what may be waiting */
	STAILQ_HEAD(, out)	 cn_out;
	size_t			 cn_outlen;

	struct http_request	*cn_req;	/* while HTTP */
	struct ws_parser	 cn_ws;		/* while WebSocket */
	TAILQ_HEAD(, ask)	 cn_asks;	/* of ours, unanswered */
	struct login		*cn_login;
	struct person		*cn_person;
	void			*cn_job;	/* of the route, see api.h */
	void			(*cn_job_free)(void *);
};

/* A chunk with one reference and room for len bytes, or NULL. */
struct chunk	*chunk_new(size_t len);
struct chunk	*chunk_from(const void *, size_t len);
void		 chunk_free(struct chunk *);	/* drops a reference */

/*
 * A server with one reference, which owns the configuration from now on, also
 * where it fails: NULL, and why.
 */
struct server	*server_new(struct tls_config *, const char **why);
void		 server_free(struct server *);	/* drops a reference */

/*
 * Take over an accepted, non-blocking descriptor; the server gets one more
 * reference, NULL stands for plain HTTP.  With proxy, the header of a proxy
 * comes first (haproxy's proxy-protocol.txt, section 2.2).  NULL on failure,
 * the descriptor is closed then.
 */
struct conn	*conn_new(int fd, struct server *, const char *addr,
		    int proxy);

/*
 * Append to what leaves at the end of this turn of the loop; takes its own
 * reference.  A reader that lets more than CONN_LIMIT pile up is closed.
 */
void		 conn_queue(struct conn *, struct chunk *);
/* Over the high mark: what can be left out should be. */
int		 conn_slow(const struct conn *);
/* No more input; close when all is written, within a few seconds. */
void		 conn_drain(struct conn *);
/* Close at the end of this turn, without more words. */
void		 conn_close(struct conn *);
/* Forget the first len bytes of input. */
void		 conn_consume(struct conn *, size_t len);
/* Ask for session_input() again though nothing new arrives. */
void		 conn_again(struct conn *);
/*
 * Fire session_timeout() after so many milliseconds, once; up to a second
 * later, together with others.
 */
void		 conn_timer(struct conn *, unsigned int ms);
/*
 * How many bytes all connections together may hold: of answers that were not
 * read, what waits on many of them counted once, and of requests that are not
 * whole.  Beyond, they are closed, first who holds some and has neither read
 * nor sent anything for longest.
 */
void		 conn_buffers_limit(size_t);
/* Write what has been queued on all connections: at the end of each turn. */
void		 conn_flush_all(void);
/* Bytes that all connections have taken in and sent, for statistics; what
 * they hold now, and how many were closed for that. */
extern uint64_t	 conn_bytes_in, conn_bytes_out, conn_buffers, conn_shed;

/* door.c provides: whom the proxy is for, NULL: itself.  -1: closed. */
int		 door_proxied(struct conn *, const uint8_t *addr);

/* session.c provides: */
void		 session_input(struct conn *);	/* cn_in has grown */
void		 session_timeout(struct conn *);
void		 session_drained(struct conn *);/* below the high mark again */
void		 session_closed(struct conn *);	/* about to be freed */

#endif
