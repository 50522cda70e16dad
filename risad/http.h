/*
 * Copyright (c) 2026 The risad authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

#ifndef HTTP_H
#define HTTP_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * HTTP/1.1 for a server that is an origin and nothing else (RFC 9110, 9112).
 * What two readers could take for two things is refused.  No I/O, no memory
 * of its own: the caller owns every buffer.
 */

#define HTTP_MAXLINE	8192		/* request line, without CRLF: 414 */
#define HTTP_MAXHEAD	16384		/* with the empty line: 431 */
#define HTTP_MAXFIELDS	64		/* header fields: 431 */
#define HTTP_MAXPATH	1024		/* decoded: 414 */
#define HTTP_MAXHOST	253		/* without the port */
#define HTTP_MAXLABEL	63
#define HTTP_WSKEYLEN	25		/* base64 of 16 bytes, and a NUL */
#define HTTP_MAXREPLY	4096		/* ample for any reply head */
#define HTTP_WSPROTO	"risa.v1"	/* the only subprotocol */

/* What http_parse returns besides a status of 400 and above. */
#define HTTP_MORE	0
#define HTTP_OK		1

enum http_method {
	HTTP_NONE,
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE
};

/* Offsets, not pointers: the caller's buffer may move while it grows. */
struct http_field {
	uint16_t	 hf_name;
	uint16_t	 hf_namelen;
	uint16_t	 hf_value;	/* white space around it cut off */
	uint16_t	 hf_valuelen;
};

/*
 * One request.  After HTTP_OK the members of the first half are what the
 * client asked; path and host are copies, everything else is read from the
 * caller's buffer through the functions below.
 */
struct http_request {
	enum http_method	 hr_method;
	int			 hr_keepalive;	/* 0: close after the reply */
	uint64_t		 hr_length;	/* of the body, bytes */
	size_t			 hr_headlen;	/* the body starts here */
	char			 hr_path[HTTP_MAXPATH + 1];	/* decoded */
	char			 hr_host[HTTP_MAXHOST + 1];	/* lower case */
	char			 hr_label[HTTP_MAXLABEL + 1];	/* its first */
	uint16_t		 hr_port;	/* of Host, 0 if not given */

	const char		*hr_buf;	/* as of the last call */
	int			 hr_status;	/* of the last call */
	int			 hr_cr;		/* the last byte was one */
	size_t			 hr_pos;	/* bytes seen */
	size_t			 hr_line;	/* where this line began */
	uint16_t		 hr_query;	/* offset, without the '?' */
	uint16_t		 hr_querylen;
	unsigned int		 hr_nfields;
	struct http_field	 hr_fields[HTTP_MAXFIELDS];
};

/* Make ready for the first byte of a request. */
void	 http_init(struct http_request *);

/*
 * Look at what has come since the last call.  The buffer starts with the
 * first byte of the request each time and has all bytes of it so far; it may
 * lie elsewhere than before.  Every byte is looked at once as it arrives and
 * once when its line is complete.  maxbody is in bytes.
 *
 * Returns HTTP_MORE, HTTP_OK when the head is complete and good (the body
 * follows at hr_headlen and may not be here yet), or the status to answer
 * with before closing: 400, 413, 414, 417, 431, 501, 505.  The same bytes
 * give the same answer however they are cut.  Once it has answered it stays
 * with its answer: after the buffer has moved, call again with it, then the
 * functions below read from the new place.
 */
int	 http_parse(struct http_request *, const char *, size_t, uint64_t);

/*
 * The value of the first field of that name, any case, not terminated, or
 * NULL.  Fields that may come only once were checked to do so.
 */
const char	*http_header(const struct http_request *, const char *,
		    size_t *);

/*
 * Decode the value of a query parameter ('+' is a space) into the buffer,
 * terminated.  Returns its length, -1 if it is not there, -2 if it is there
 * twice, does not fit, or holds control bytes or invalid UTF-8.
 */
ssize_t	 http_query(const struct http_request *, const char *, char *,
	    size_t);

/*
 * Copy the value of a cookie, terminated; the name is taken exactly.  Returns
 * its length, -1 if it is not there, -2 if it does not fit, has bytes that no
 * cookie has, or comes twice: a sibling host can set a cookie of that name
 * for the whole domain, and we cannot tell which one is ours.
 */
ssize_t	 http_cookie(const struct http_request *, const char *, char *,
	    size_t);

/* Does the client take this content coding ("br", "gzip")?  1 or 0. */
int	 http_accepts(const struct http_request *, const char *);

/* Has the client this entity tag (without quotes) already?  1 or 0. */
int	 http_etag_match(const struct http_request *, const char *);

/* Is the body application/json, in UTF-8 and without a coding?  1 or 0. */
int	 http_is_json(const struct http_request *);

/*
 * Does Origin name https and exactly this Host and port?  1 yes, 0 no, -1 if
 * there is no Origin.
 */
int	 http_same_origin(const struct http_request *);

/*
 * Is this the opening of a WebSocket with our subprotocol (RFC 6455, section
 * 4.2.1)?  Returns 0 if it asks for no WebSocket; 101 if all is well, and the
 * key terminated in the buffer of HTTP_WSKEYLEN bytes; else 400 or 426.  The
 * Origin is the caller's to check.
 */
int	 http_websocket(const struct http_request *, char *, size_t);

/* "GET" and so on, "-" for HTTP_NONE; for the log. */
const char	*http_method_name(enum http_method);

enum http_cache {
	HTTP_NO_STORE,			/* everything unless told otherwise */
	HTTP_REVALIDATE,		/* keep it, and ask each time */
	HTTP_IMMUTABLE			/* its name is its hash */
};

/* A reply to be written; zeroes and NULLs mean that there is no such field. */
struct http_reply {
	int			 hp_status;
	time_t			 hp_now;	/* for Date */
	const char		*hp_type;	/* media type */
	uint64_t		 hp_length;	/* of the body, bytes */
	enum http_cache		 hp_cache;
	const char		*hp_etag;	/* without quotes */
	const char		*hp_encoding;	/* content coding */
	const char		*hp_vary;
	const char		*hp_cookie;	/* whole Set-Cookie value */
	const char		*hp_device;	/* likewise, of another one */
	unsigned int		 hp_retry;	/* Retry-After, seconds */
	const char		*hp_location;
	const char		*hp_allow;	/* with 405 */
	const char		*hp_accept;	/* with 101: ws_accept_key */
	int			 hp_clear;	/* forget what the site kept */
	int			 hp_crumbs;	/* and all its cookies */
	int			 hp_plain;	/* not over TLS: no HSTS */
	int			 hp_close;
};

/*
 * Write the head of a reply with all security headers.  Returns its length,
 * or -1 if it does not fit or a string holds a byte that could end a field.
 * For HEAD and 304 the caller sends the head alone.
 */
int	 http_reply_head(char *, size_t, const struct http_reply *);

/*
 * Write the body of an error as application/problem+json (RFC 9457) with the
 * type "/problems/WORD".  The word is a-z, 0-9 and '-'; detail and field (the
 * input at fault) may be NULL.  Strings are UTF-8.  Returns the length, or -1
 * if it does not fit or a string is not what it should be.
 */
int	 http_problem(char *, size_t, int, const char *, const char *,
	    const char *, const char *);

/* The reason phrase of a status, "Unknown" for those we never send. */
const char	*http_reason(int);

#endif
