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

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "http.h"
#include "utf8.h"

/* A growing text in a fixed buffer; once it fails it stays failed. */
struct http_out {
	char		*ho_buf;
	size_t		 ho_size;
	size_t		 ho_len;
	int		 ho_bad;
};

struct http_reason {
	int		 rn_status;
	const char	*rn_text;
};

static const struct http_reason reasons[] = {
	{ 101,	"Switching Protocols" },
	{ 200,	"OK" },
	{ 201,	"Created" },
	{ 202,	"Accepted" },
	{ 204,	"No Content" },
	{ 301,	"Moved Permanently" },
	{ 302,	"Found" },
	{ 303,	"See Other" },
	{ 304,	"Not Modified" },
	{ 307,	"Temporary Redirect" },
	{ 308,	"Permanent Redirect" },
	{ 400,	"Bad Request" },
	{ 401,	"Unauthorized" },
	{ 403,	"Forbidden" },
	{ 404,	"Not Found" },
	{ 405,	"Method Not Allowed" },
	{ 406,	"Not Acceptable" },
	{ 408,	"Request Timeout" },
	{ 409,	"Conflict" },
	{ 410,	"Gone" },
	{ 411,	"Length Required" },
	{ 412,	"Precondition Failed" },
	{ 413,	"Content Too Large" },
	{ 414,	"URI Too Long" },
	{ 415,	"Unsupported Media Type" },
	{ 417,	"Expectation Failed" },
	{ 421,	"Misdirected Request" },
	{ 422,	"Unprocessable Content" },
	{ 426,	"Upgrade Required" },
	{ 428,	"Precondition Required" },
	{ 429,	"Too Many Requests" },
	{ 431,	"Request Header Fields Too Large" },
	{ 500,	"Internal Server Error" },
	{ 501,	"Not Implemented" },
	{ 503,	"Service Unavailable" },
	{ 505,	"HTTP Version Not Supported" },
	{ 507,	"Insufficient Storage" },
	{ 0,	NULL }
};

/*
 * The camera, the microphone, the screen and what a call and a passkey need
 * are for our own page; every other power of the browser is off.  'self' in
 * connect-src covers wss to the same host.
 */
static const char security[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; media-src 'self' blob: mediastream:; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Frame-Options: DENY\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Permissions-Policy: camera=(self), microphone=(self), "
    "display-capture=(self), autoplay=(self), fullscreen=(self), "
    "picture-in-picture=(self), clipboard-write=(self), "
    "publickey-credentials-get=(self), publickey-credentials-create=(self), "
    "accelerometer=(), browsing-topics=(), clipboard-read=(), "
    "encrypted-media=(), gamepad=(), geolocation=(), gyroscope=(), hid=(), "
    "identity-credentials-get=(), idle-detection=(), keyboard-map=(), "
    "local-fonts=(), magnetometer=(), midi=(), otp-credentials=(), "
    "payment=(), screen-wake-lock=(), serial=(), storage-access=(), "
    "sync-xhr=(), usb=(), window-management=(), xr-spatial-tracking=()\r\n";

static void	 put(struct http_out *, const char *, ...)
		    __attribute__((__format__ (printf, 2, 3)));
static int	 is_clean(const char *);
static void	 put_field(struct http_out *, const char *, const char *);
static void	 put_date(struct http_out *, time_t);
static void	 put_body(struct http_out *, const struct http_reply *);
static void	 put_connection(struct http_out *, const struct http_reply *);
static void	 put_json(struct http_out *, const char *, const char *);

const char *
http_reason(int status)
{
	const struct http_reason	*r;

	for (r = reasons; r->rn_text != NULL; r++) {
		if (r->rn_status == status)
			return (r->rn_text);
	}
	return ("Unknown");
}

static void
put(struct http_out *ho, const char *fmt, ...)
{
	va_list		 ap;
	size_t		 left = ho->ho_size - ho->ho_len;
	int		 n;

	if (ho->ho_bad)
		return;
	va_start(ap, fmt);
	n = vsnprintf(ho->ho_buf + ho->ho_len, left, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= left)
		ho->ho_bad = 1;
	else
		ho->ho_len += (size_t)n;
}

/* Printable ASCII alone: nothing in it can end a field. */
static int
is_clean(const char *p)
{
	for (; *p != '\0'; p++) {
		if (*p < ' ' || *p > '~')
			return (0);
	}
	return (1);
}

/* One string that is not clean makes the whole reply bad. */
static void
put_field(struct http_out *ho, const char *name, const char *value)
{
	if (value == NULL)
		return;
	if (!is_clean(value))
		ho->ho_bad = 1;
	put(ho, "%s: %s\r\n", name, value);
}

/* RFC 9110, section 5.6.7; not strftime, which asks the locale. */
static void
put_date(struct http_out *ho, time_t now)
{
	static const char	 day[] = "SunMonTueWedThuFriSat";
	static const char	 mon[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm		 tm;

	if (gmtime_r(&now, &tm) == NULL)
		return;
	put(ho, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n",
	    day + 3 * tm.tm_wday, tm.tm_mday, mon + 3 * tm.tm_mon,
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* What is said about the body; 101, 204 and 304 have none. */
static void
put_body(struct http_out *ho, const struct http_reply *hp)
{
	static const char *const cache[] = {
		"no-store", "no-cache", "public, max-age=31536000, immutable"
	};

	if (hp->hp_status != 101 && hp->hp_status != 204 &&
	    hp->hp_status != 304) {
		put_field(ho, "Content-Type", hp->hp_type);
		put_field(ho, "Content-Encoding", hp->hp_encoding);
		put(ho, "Content-Length: %llu\r\n",
		    (unsigned long long)hp->hp_length);
	}
	put_field(ho, "Cache-Control", cache[hp->hp_cache]);
	put_field(ho, "Vary", hp->hp_vary);
	if (hp->hp_etag != NULL) {
		put(ho, "ETag: \"%s\"\r\n", hp->hp_etag);
		if (strchr(hp->hp_etag, '"') != NULL ||
		    !is_clean(hp->hp_etag))
			ho->ho_bad = 1;
	}
}

static void
put_connection(struct http_out *ho, const struct http_reply *hp)
{
	if (hp->hp_status == 101) {
		put(ho, "Upgrade: websocket\r\nConnection: Upgrade\r\n");
		put_field(ho, "Sec-WebSocket-Accept", hp->hp_accept);
		put_field(ho, "Sec-WebSocket-Protocol", HTTP_WSPROTO);
		return;
	}
	if (hp->hp_status == 426) {
		put(ho, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
		put(ho, "Connection: Upgrade\r\n");
	}
	if (hp->hp_close)
		put(ho, "Connection: close\r\n");
}

int
http_reply_head(char *dst, size_t dstlen, const struct http_reply *hp)
{
	struct http_out	 ho = { dst, dstlen, 0, 0 };

	put(&ho, "HTTP/1.1 %d %s\r\n", hp->hp_status,
	    http_reason(hp->hp_status));
	put_date(&ho, hp->hp_now);
	put_body(&ho, hp);
	put_connection(&ho, hp);
	put_field(&ho, "Set-Cookie", hp->hp_cookie);
	put_field(&ho, "Set-Cookie", hp->hp_device);
	put_field(&ho, "Location", hp->hp_location);
	put_field(&ho, "Allow", hp->hp_allow);
	if (hp->hp_retry != 0)
		put(&ho, "Retry-After: %u\r\n", hp->hp_retry);
	if (hp->hp_status == 401)	/* demanded by RFC 9110, 15.5.2 */
		put_field(&ho, "WWW-Authenticate", "Session realm=\"risad\"");
	/* not "cookies": that would sign out of the sibling hosts as well */
	if (hp->hp_clear)
		put_field(&ho, "Clear-Site-Data", "\"cache\", \"storage\"");
	if (hp->hp_crumbs)
		put_field(&ho, "Clear-Site-Data", "\"cookies\"");
	if (!hp->hp_plain)		/* RFC 6797, section 7.2 */
		put_field(&ho, "Strict-Transport-Security",
		    "max-age=63072000; includeSubDomains");
	put(&ho, "%s\r\n", security);
	return (ho.ho_bad ? -1 : (int)ho.ho_len);
}

/* A JSON string with its name, escaped (RFC 8259, section 7). */
static void
put_json(struct http_out *ho, const char *name, const char *value)
{
	const char	*p;

	if (value == NULL)
		return;
	if (!utf8_valid(value, strlen(value)))
		ho->ho_bad = 1;
	put(ho, ",\"%s\":\"", name);
	for (p = value; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			put(ho, "\\%c", *p);
		else if ((unsigned char)*p < ' ')
			put(ho, "\\u%04x", (unsigned int)*p);
		else
			put(ho, "%c", *p);
	}
	put(ho, "\"");
}

int
http_problem(char *dst, size_t dstlen, int status, const char *type,
    const char *title, const char *detail, const char *field)
{
	struct http_out	 ho = { dst, dstlen, 0, 0 };

	if (*type == '\0' || type[strspn(type,
	    "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
		return (-1);
	put(&ho, "{\"type\":\"/problems/%s\",\"status\":%d", type, status);
	put_json(&ho, "title", title);
	put_json(&ho, "detail", detail);
	put_json(&ho, "field", field);
	put(&ho, "}");
	return (ho.ho_bad ? -1 : (int)ho.ho_len);
}
