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
#include "risad.h"
#include "websocket.h"

#define CONN_MAXIN	(80 * 1024)	/* a head and body, or a frame */
#define CONN_HIGH	(64 * 1024)	/* above: no ticks, a snapshot later */
#define CONN_LIMIT	(1024 * 1024)	/* above: the reader is too slow */

/* Bytes that leave on one or many connections; counted references. */
struct chunk {
	size_t		 ck_len;
	unsigned int	 ck_refs;
	uint8_t		 ck_data[];
};

struct out {
	STAILQ_ENTRY(out)	 ou_entry;
	struct chunk		*ou_chunk;
	size_t			 ou_off;
};

enum conn_state {
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
	int			 cn_fd;
	uint8_t			 cn_redirect;	/* plain HTTP, port 80 */
	uint8_t			 cn_dirty;	/* on the list of conn_flush */
	uint8_t			 cn_dead;	/* is being closed */
	uint8_t			 cn_again;	/* come back, nothing new */
	uint8_t			 cn_shut;	/* we have said our last */
	uint8_t			 cn_late;	/* full: told so, and out */
	uint8_t			 cn_head;	/* the request is HEAD */
	uint8_t			 cn_blocked;	/* the socket takes no more */
	uint8_t			 cn_readwants;	/* TLS: write, to read */
	enum conn_state		 cn_state;
	struct tls		*cn_tls;
	void			*cn_ssl;	/* see compat/tls_ssl.h */
	short			 cn_what;	/* that cn_ev waits for */
	struct event		 cn_ev;
	struct event		 cn_timer;
	char			 cn_addr[MAX_ADDR + 1];
	uint64_t		 cn_heard;	/* monotonic ms */
	uint64_t		 cn_pinged;	/* the same, or 0 */

	uint8_t			*cn_in;
	size_t			 cn_inlen, cn_insize;
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
 * Take over an accepted, non-blocking descriptor; tls is its server context
 * or NULL for plain HTTP.  NULL on failure, the descriptor is closed then.
 */
struct conn	*conn_new(int fd, struct tls *server, const char *addr);

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
 * Fire session_timeout() after so many milliseconds, once; up to a quarter of
 * a second later, together with others.
 */
void		 conn_timer(struct conn *, unsigned int ms);
/* Write what has been queued on all connections: at the end of each turn. */
void		 conn_flush_all(void);
/* Bytes that all connections have taken in and sent, for statistics. */
extern uint64_t	 conn_bytes_in, conn_bytes_out;

/* session.c provides: */
void		 session_input(struct conn *);	/* cn_in has grown */
void		 session_timeout(struct conn *);
void		 session_drained(struct conn *);/* below the high mark again */
void		 session_closed(struct conn *);	/* about to be freed */

#endif
