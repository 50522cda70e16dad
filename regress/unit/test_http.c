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

#include <stdint.h>

#include "http.h"
#include "unit.h"

#define MAXBODY		1000
#define BYTES(s)	(s), sizeof(s) - 1
#define HOST		"Host: acme.example\r\n"
#define LINE(l)		BYTES(l "\r\n" HOST "\r\n")
#define TARGET(t)	LINE("GET " t " HTTP/1.1")
#define GET(f)		BYTES("GET / HTTP/1.1\r\n" HOST f "\r\n\r\n")
#define POST(f)		BYTES("POST / HTTP/1.1\r\n" HOST f "\r\n\r\n")
#define HOSTIS(h)	BYTES("GET / HTTP/1.1\r\nHost:" h "\r\n\r\n")

/* Heads, whole, and what must come of them. */
static const struct head {
	const char	*h_bytes;
	size_t		 h_len;
	int		 h_status;
} heads[] = {
	/* what must work */
	{ LINE("GET / HTTP/1.1"), HTTP_OK },
	{ LINE("HEAD / HTTP/1.1"), HTTP_OK },
	{ LINE("POST / HTTP/1.1"), HTTP_OK },
	{ LINE("PUT / HTTP/1.1"), HTTP_OK },
	{ LINE("PATCH / HTTP/1.1"), HTTP_OK },
	{ LINE("DELETE / HTTP/1.1"), HTTP_OK },
	{ GET("X: y"), HTTP_OK },
	{ GET("X:"), HTTP_OK },
	{ GET("X: "), HTTP_OK },
	{ GET("X:y"), HTTP_OK },
	{ GET("X: \t y \t "), HTTP_OK },
	{ GET("X: a\tb"), HTTP_OK },
	{ GET("X: \xc3\xa4\xff"), HTTP_OK },
	{ GET("!#$%&'*+-.^_`|~09azAZ: y"), HTTP_OK },
	{ GET("X: y\r\nX: z"), HTTP_OK },
	{ GET("X: a:b: c"), HTTP_OK },
	{ POST("Content-Length: 0"), HTTP_OK },
	{ POST("Content-Length: 1000"), HTTP_OK },
	{ POST("content-length:\t7\t"), HTTP_OK },
	{ POST("X: y"), HTTP_OK },
	{ GET("Content-Length: 0"), HTTP_OK },
	{ LINE("DELETE / HTTP/1.1\r\nContent-Length: 3"), HTTP_OK },

	/* two ways to say where the body ends */
	{ POST("Content-Length: 5\r\nTransfer-Encoding: chunked"), 400 },
	{ POST("Transfer-Encoding: chunked\r\nContent-Length: 5"), 400 },
	{ POST("Content-Length: 0\r\nTransfer-Encoding: chunked"), 400 },
	{ POST("Content-Length: 5\r\nTransfer-Encoding: identity"), 400 },
	{ POST("Content-Length: 5\r\nTransfer-Encoding:"), 400 },
	{ POST("Content-Length: 5\r\ntransfer-encoding: x"), 400 },
	{ POST("Content-Length: x\r\nTransfer-Encoding: chunked"), 400 },
	{ POST("Content-Length: 5\r\nX: y\r\nTransfer-Encoding:\tchunked"),
	    400 },
	{ POST("Transfer-Encoding: chunked"), 501 },
	{ POST("Transfer-Encoding: Chunked"), 501 },
	{ POST("Transfer-Encoding: xchunked"), 501 },
	{ POST("Transfer-Encoding:chunked"), 501 },
	{ POST("Transfer-Encoding: \tchunked\t"), 501 },
	{ POST("Transfer-Encoding: \"chunked\""), 501 },
	{ POST("Transfer-Encoding: 'chunked'"), 501 },
	{ POST("Transfer-Encoding: chunked, identity"), 501 },
	{ POST("Transfer-Encoding: identity, chunked"), 501 },
	{ POST("Transfer-Encoding: gzip, chunked"), 501 },
	{ POST("Transfer-Encoding: chunked;q=0"), 501 },
	{ POST("Transfer-Encoding: ,chunked"), 501 },
	{ POST("Transfer-Encoding: chunk"), 501 },
	{ POST("Transfer-Encoding: identity"), 501 },
	{ POST("Transfer-Encoding: \xff" "chunked"), 501 },
	{ POST("Transfer-Encoding:"), 501 },
	{ GET("Transfer-Encoding: chunked"), 501 },
	{ POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
	    400 },
	{ POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: x"), 400 },
	{ POST("Transfer-Encoding : chunked"), 400 },
	{ POST("Transfer-Encoding\t: chunked"), 400 },
	{ POST(" Transfer-Encoding: chunked"), 400 },
	{ POST("\tTransfer-Encoding: chunked"), 400 },
	{ POST("X: y\r\n Transfer-Encoding: chunked"), 400 },
	{ POST("X: y\rTransfer-Encoding: chunked"), 400 },
	{ POST("X: y\nTransfer-Encoding: chunked"), 400 },
	{ POST("X: y\r\rTransfer-Encoding: chunked"), 400 },
	{ POST("Transfer-Encoding: chun\0ked"), 400 },
	{ POST("Transfer-Encoding: \x0b" "chunked"), 400 },
	{ POST("Transfer-Encoding: chunked\x0c"), 400 },
	{ POST("Transfer\0-Encoding: chunked"), 400 },
	{ POST("Transfer-Encoding\0: chunked"), 400 },
	{ POST("Transfer-Encoding:\r\n chunked"), 400 },
	{ POST("Transfer-Encoding:\n chunked"), 400 },
	{ POST("Transfer-Encoding"), 400 },
	{ POST("Transfer-Encoding chunked"), 400 },
	{ POST("Transfer-Encoding\xa0: chunked"), 400 },
	{ POST("Transfer\xc2\xad-Encoding: chunked"), 400 },
	{ POST("\"Transfer-Encoding\": chunked"), 400 },
	{ POST("(Transfer-Encoding): chunked"), 400 },

	/* lengths */
	{ POST("Content-Length: 5\r\nContent-Length: 5"), 400 },
	{ POST("Content-Length: 5\r\nContent-Length: 6"), 400 },
	{ POST("Content-Length: 5\r\nX: y\r\ncONTENT-lENGTH: 5"), 400 },
	{ POST("Content-Length: 0\r\nContent-Length: 0"), 400 },
	{ POST("Content-Length: 5\r\nContent-Length:"), 400 },
	{ POST("Content-Length: 5, 5"), 400 },
	{ POST("Content-Length: 5,"), 400 },
	{ POST("Content-Length: ,5"), 400 },
	{ POST("Content-Length: 5;"), 400 },
	{ POST("Content-Length:"), 400 },
	{ POST("Content-Length: "), 400 },
	{ POST("Content-Length: +5"), 400 },
	{ POST("Content-Length: -5"), 400 },
	{ POST("Content-Length: -0"), 400 },
	{ POST("Content-Length: - 5"), 400 },
	{ POST("Content-Length: 0x5"), 400 },
	{ POST("Content-Length: 5.0"), 400 },
	{ POST("Content-Length: 5e0"), 400 },
	{ POST("Content-Length: 5 5"), 400 },
	{ POST("Content-Length: 5\t5"), 400 },
	{ POST("Content-Length: 1_000"), 400 },
	{ POST("Content-Length: 1,000"), 400 },
	{ POST("Content-Length: \"5\""), 400 },
	{ POST("Content-Length: five"), 400 },
	{ POST("Content-Length: 5b"), 400 },
	{ POST("Content-Length: 05"), 400 },
	{ POST("Content-Length: 00"), 400 },
	{ POST("Content-Length: \xd9\xa5"), 400 },
	{ POST("Content-Length: 5\xff"), 400 },
	{ POST("Content-Length: 5\0"), 400 },
	{ POST("Content-Length: 5\x0b"), 400 },
	{ POST("Content-Length : 5"), 400 },
	{ POST("Content-Length\t: 5"), 400 },
	{ POST(" Content-Length: 5"), 400 },
	{ POST("Content-Length:\r\n 5"), 400 },
	{ POST("Content-Length: 5\r\n 5"), 400 },
	{ POST("X: y\nContent-Length: 5"), 400 },
	{ POST("X: y\rContent-Length: 5"), 400 },
	{ POST("Content-Length: 1001"), 413 },
	{ POST("Content-Length: 4294967296"), 413 },
	{ POST("Content-Length: 9223372036854775808"), 413 },
	{ POST("Content-Length: 18446744073709551615"), 413 },
	{ POST("Content-Length: 18446744073709551616"), 413 },
	{ POST("Content-Length: 18446744073709551621"), 413 },
	{ POST("Content-Length: 99999999999999999999999999999999"), 413 },
	{ POST("Content-Length: 9999999999999999999999999999999x"), 400 },
	{ GET("Content-Length: 5"), 400 },
	{ GET("Content-Length: 99999999999999999999"), 400 },
	{ LINE("HEAD / HTTP/1.1\r\nContent-Length: 5"), 400 },

	/* ends of lines */
	{ BYTES("GET / HTTP/1.1\nHost: acme.example\n\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: acme.example\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: acme.example\r\n\n"), 400 },
	{ BYTES("GET / HTTP/1.1\rHost: acme.example\r\r"), 400 },
	{ BYTES("GET / HTTP/1.1\r\r\nHost: acme.example\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\n\r\nHost: acme.example\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: acme.example\r\n\rX"), 400 },
	{ BYTES("\r\nGET / HTTP/1.1\r\nHost: acme.example\r\n\r\n"), 400 },
	{ BYTES("\nGET / HTTP/1.1\r\nHost: acme.example\r\n\r\n"), 400 },
	{ BYTES("\0GET / HTTP/1.1\r\nHost: acme.example\r\n\r\n"), 400 },
	{ BYTES(" GET / HTTP/1.1\r\nHost: acme.example\r\n\r\n"), 400 },
	{ BYTES("\xef\xbb\xbfGET / HTTP/1.1\r\n" HOST "\r\n"), 400 },
	{ BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n\r\n" HOST "\r\n"), 400 },

	/* fields */
	{ GET("X : y"), 400 },
	{ GET("X\t: y"), 400 },
	{ GET(" X: y"), 400 },
	{ GET("\tX: y"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n " HOST "\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n X: y\r\n" HOST "\r\n"), 400 },
	{ GET("X: y\r\n z"), 400 },
	{ GET("X: y\r\n\tz"), 400 },
	{ GET("X: y\r\n "), 400 },
	{ GET("X: y\r\n \r\n"), 400 },
	{ GET(": y"), 400 },
	{ GET(":"), 400 },
	{ GET("X"), 400 },
	{ GET("X y: z"), 400 },
	{ GET("X\0Y: z"), 400 },
	{ GET("X: \0"), 400 },
	{ GET("X: a\x01" "b"), 400 },
	{ GET("X: a\x08" "b"), 400 },
	{ GET("X: a\x0b" "b"), 400 },
	{ GET("X: a\x0c" "b"), 400 },
	{ GET("X: a\x1b" "b"), 400 },
	{ GET("X: a\x1f" "b"), 400 },
	{ GET("X: a\x7f" "b"), 400 },
	{ GET("X: a\rb"), 400 },
	{ GET("X: a\nb"), 400 },
	{ GET("X\xc3\xa4: y"), 400 },
	{ GET("X@: y"), 400 },
	{ GET("X[]: y"), 400 },
	{ GET("X/Y: y"), 400 },
	{ GET("{X}: y"), 400 },
	{ GET("X;: y"), 400 },
	{ GET("X=: y"), 400 },
	{ GET("Cookie: a=b\r\nCookie: c=d"), 400 },
	{ GET("Cookie: a=b\r\ncookie: a=b"), 400 },
	{ GET("Origin: https://a\r\nOrigin: https://b"), 400 },
	{ GET("Authorization: a\r\nAuthorization: b"), 400 },
	{ GET("Content-Type: a/b\r\nContent-Type: a/b"), 400 },
	{ GET("Upgrade: websocket\r\nUpgrade: h2c"), 400 },
	{ GET("Sec-WebSocket-Key: a\r\nSec-WebSocket-Key: b"), 400 },
	{ GET("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8"), 400 },
	{ GET("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b"), 400 },
	{ GET("Sec-WebSocket-New: a\r\nsec-websocket-new: b"), 400 },
	{ GET("Accept: a\r\nAccept: b"), HTTP_OK },

	/* the first line */
	{ LINE("GET / HTTP/1.0"), 505 },
	{ LINE("GET / HTTP/1.2"), 505 },
	{ LINE("GET / HTTP/2.0"), 505 },
	{ LINE("GET / HTTP/0.9"), 505 },
	{ LINE("GET / HTTP/9.9"), 505 },
	{ BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505 },
	{ LINE("GET / HTTP/2"), 400 },
	{ LINE("GET / HTTP/1.10"), 400 },
	{ LINE("GET / HTTP/11.1"), 400 },
	{ LINE("GET / HTTP/1,1"), 400 },
	{ LINE("GET / HTTP/1.x"), 400 },
	{ LINE("GET / HTTP/-.1"), 400 },
	{ LINE("GET / http/1.1"), 400 },
	{ LINE("GET / HTTPS/1.1"), 400 },
	{ LINE("GET / ICAP/1.1"), 400 },
	{ LINE("GET / HTTP/1.1 "), 400 },
	{ LINE("GET / HTTP/1.1 x"), 400 },
	{ LINE("GET / HTTP /1.1"), 400 },
	{ LINE("GET /"), 400 },
	{ LINE("GET / "), 400 },
	{ LINE("GET"), 400 },
	{ LINE("GET "), 400 },
	{ LINE("GET HTTP/1.1"), 400 },
	{ LINE("GET  HTTP/1.1"), 400 },
	{ LINE("GET  / HTTP/1.1"), 400 },
	{ LINE("GET /  HTTP/1.1"), 400 },
	{ LINE("GET\t/ HTTP/1.1"), 400 },
	{ LINE("GET /\tHTTP/1.1"), 400 },
	{ LINE("GET / a HTTP/1.1"), 400 },
	{ LINE(" / HTTP/1.1"), 400 },
	{ LINE("G\xc3\x89T / HTTP/1.1"), 400 },
	{ LINE("GET\0 / HTTP/1.1"), 400 },
	{ LINE("G(T / HTTP/1.1"), 400 },
	{ LINE("get / HTTP/1.1"), 501 },
	{ LINE("Get / HTTP/1.1"), 501 },
	{ LINE("GETS / HTTP/1.1"), 501 },
	{ LINE("GE / HTTP/1.1"), 501 },
	{ LINE("- / HTTP/1.1"), 501 },
	{ LINE("OPTIONS * HTTP/1.1"), 501 },
	{ LINE("TRACE / HTTP/1.1"), 501 },
	{ LINE("CONNECT acme.example:443 HTTP/1.1"), 501 },
	{ LINE("PROPFIND / HTTP/1.1"), 501 },

	/* targets */
	{ TARGET("/a/b/c"), HTTP_OK },
	{ TARGET("/a/"), HTTP_OK },
	{ TARGET("/..."), HTTP_OK },
	{ TARGET("/.a/..b/c.."), HTTP_OK },
	{ TARGET("/.well-known/acme-challenge/x_Y-9"), HTTP_OK },
	{ TARGET("/%41%7e"), HTTP_OK },
	{ TARGET("/%E4%BC%9a"), HTTP_OK },
	{ TARGET("/%2541"), HTTP_OK },
	{ TARGET("/a?b=c/d?e:@!$&'()*+,;="), HTTP_OK },
	{ TARGET("/?"), HTTP_OK },
	{ TARGET("/??"), HTTP_OK },
	{ TARGET("/?../x"), HTTP_OK },
	{ TARGET("*"), 400 },
	{ TARGET("a"), 400 },
	{ TARGET("?a"), 400 },
	{ TARGET("acme.example:443"), 400 },
	{ TARGET("http://acme.example/"), 400 },
	{ TARGET("https://acme.example/"), 400 },
	{ TARGET("//acme.example/"), 400 },
	{ TARGET("//"), 400 },
	{ TARGET("/a//b"), 400 },
	{ TARGET("/a//"), 400 },
	{ TARGET("/."), 400 },
	{ TARGET("/.."), 400 },
	{ TARGET("/./a"), 400 },
	{ TARGET("/../a"), 400 },
	{ TARGET("/a/./b"), 400 },
	{ TARGET("/a/../b"), 400 },
	{ TARGET("/a/.."), 400 },
	{ TARGET("/a/."), 400 },
	{ TARGET("/a/../"), 400 },
	{ TARGET("/..?a"), 400 },
	{ TARGET("/%2e"), 400 },
	{ TARGET("/%2e%2e/a"), 400 },
	{ TARGET("/.%2E/a"), 400 },
	{ TARGET("/%2e./a"), 400 },
	{ TARGET("/a/%2e%2e"), 400 },
	{ TARGET("/%2f"), 400 },
	{ TARGET("/a%2Fb"), 400 },
	{ TARGET("/..%2fa"), 400 },
	{ TARGET("/a%5cb"), 400 },
	{ TARGET("/a%5Cb"), 400 },
	{ TARGET("/a\\b"), 400 },
	{ TARGET("/%00"), 400 },
	{ TARGET("/a%00.html"), 400 },
	{ TARGET("/%0a"), 400 },
	{ TARGET("/%0d%0aX:%20y"), 400 },
	{ TARGET("/%1f"), 400 },
	{ TARGET("/%7f"), 400 },
	{ TARGET("/%"), 400 },
	{ TARGET("/%4"), 400 },
	{ TARGET("/%4g"), 400 },
	{ TARGET("/%g4"), 400 },
	{ TARGET("/%%41"), 400 },
	{ TARGET("/%u0041"), 400 },
	{ TARGET("/%-1"), 400 },
	{ TARGET("/%+1"), 400 },
	{ TARGET("/%0x"), 400 },
	{ TARGET("/%ff"), 400 },
	{ TARGET("/%c0%af"), 400 },
	{ TARGET("/%c0%ae%c0%ae/a"), 400 },
	{ TARGET("/%e0%80%af"), 400 },
	{ TARGET("/%ed%a0%80"), 400 },
	{ TARGET("/%e4%bc"), 400 },
	{ TARGET("/%e4/%bc"), 400 },
	{ TARGET("/#a"), 400 },
	{ TARGET("/a#"), 400 },
	{ TARGET("/?a#b"), 400 },
	{ TARGET("/\xe4\xbc\x9a"), 400 },
	{ TARGET("/?\xe4\xbc\x9a"), 400 },
	{ TARGET("/\xff"), 400 },
	{ TARGET("/a\"b"), 400 },
	{ TARGET("/<a>"), 400 },
	{ TARGET("/{a}"), 400 },
	{ TARGET("/a|b"), 400 },
	{ TARGET("/a^b"), 400 },
	{ TARGET("/a`b"), 400 },
	{ TARGET("/[a]"), 400 },
	{ TARGET("/?%"), 400 },
	{ TARGET("/?a=%4"), 400 },
	{ TARGET("/?a=%zz"), 400 },
	{ TARGET("/?a=<b>"), 400 },
	{ TARGET("/\x7f"), 400 },
	{ TARGET("/\x01"), 400 },
	{ TARGET("/\0"), 400 },

	/* Host */
	{ HOSTIS("a"), HTTP_OK },
	{ HOSTIS(" a.b.c:1"), HTTP_OK },
	{ HOSTIS(" a-b.c0:65535"), HTTP_OK },
	{ HOSTIS(" 127.0.0.1:8443"), HTTP_OK },
	{ HOSTIS(" a:9090"), HTTP_OK },
	{ HOSTIS(""), 400 },
	{ HOSTIS(" "), 400 },
	{ HOSTIS(" :443"), 400 },
	{ HOSTIS(" a:"), 400 },
	{ HOSTIS(" a:0"), 400 },
	{ HOSTIS(" a:0443"), 400 },
	{ HOSTIS(" a:65536"), 400 },
	{ HOSTIS(" a:99999"), 400 },
	{ HOSTIS(" a:100000"), 400 },
	{ HOSTIS(" a:4294967739"), 400 },
	{ HOSTIS(" a:+443"), 400 },
	{ HOSTIS(" a:443:443"), 400 },
	{ HOSTIS(" a:443@b"), 400 },
	{ HOSTIS(" a: 443"), 400 },
	{ HOSTIS(" a.:443"), 400 },
	{ HOSTIS(" a."), 400 },
	{ HOSTIS(" ."), 400 },
	{ HOSTIS(" .a"), 400 },
	{ HOSTIS(" a..b"), 400 },
	{ HOSTIS(" -a.b"), 400 },
	{ HOSTIS(" a-.b"), 400 },
	{ HOSTIS(" a.-b"), 400 },
	{ HOSTIS(" a.b-"), 400 },
	{ HOSTIS(" -"), 400 },
	{ HOSTIS(" a_b.c"), 400 },
	{ HOSTIS(" a b"), 400 },
	{ HOSTIS(" a,b"), 400 },
	{ HOSTIS(" a/b"), 400 },
	{ HOSTIS(" a@b"), 400 },
	{ HOSTIS(" u:p@b"), 400 },
	{ HOSTIS(" a?b"), 400 },
	{ HOSTIS(" a#b"), 400 },
	{ HOSTIS(" a%2eb"), 400 },
	{ HOSTIS(" a\\b"), 400 },
	{ HOSTIS(" *.b"), 400 },
	{ HOSTIS(" [::1]"), 400 },
	{ HOSTIS(" [::1]:443"), 400 },
	{ HOSTIS(" ::1"), 400 },
	{ HOSTIS(" \xe4\xbc\x9a.example"), 400 },
	{ HOSTIS(" https://a"), 400 },
	{ HOSTIS(" a\0.b"), 400 },
	{ HOSTIS(" a\r\nHost: a"), 400 },
	{ HOSTIS(" a\r\nhost: b"), 400 },
	{ HOSTIS(" a\r\n b"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nX: y\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHosts: a\r\n\r\n"), 400 },

	/* expectations are not met, and errors that outrank them */
	{ POST("Expect: 100-continue\r\nContent-Length: 5"), 417 },
	{ POST("Expect: 100-Continue"), 417 },
	{ GET("Expect: x"), 417 },
	{ GET("Expect:"), 417 },
	{ POST("Expect: 100-continue\r\nExpect: 100-continue"), 400 },
	{ POST("Expect: 100-continue\r\nContent-Length: 5000"), 413 },
	{ POST("Expect: 100-continue\r\nTransfer-Encoding: chunked"), 501 }
};

static void	 parse(struct http_request *, const char *);
static int	 feed(struct http_request *, const char *, size_t, size_t);
static void	 test_heads(void);
static void	 test_cuts(void);
static void	 test_needs_more(void);
static void	 test_limits(void);
static void	 test_labels(void);
static void	 test_result(void);
static void	 test_moved(void);
static void	 test_pipeline(void);
static void	 test_connection(void);
static void	 test_headers(void);
static void	 test_query(void);
static void	 test_cookie(void);
static void	 test_accepts(void);
static void	 test_etag(void);
static void	 test_json(void);
static void	 test_origin(void);
static void	 test_websocket(void);
static void	 test_reply(void);
static void	 test_reply_refused(void);
static void	 test_problem(void);

static char	 text[2 * HTTP_MAXHEAD];	/* what parse() reads */

/* Parse a whole, good head, kept where the getters find it. */
static void
parse(struct http_request *hr, const char *s)
{
	size_t		 len = strlen(s);

	memcpy(text, s, len + 1);
	http_init(hr);
	CHECK_INT(http_parse(hr, text, len, MAXBODY), HTTP_OK);
}

/* In pieces of so many bytes; the buffer is exact and new each time. */
static int
feed(struct http_request *hr, const char *p, size_t len, size_t step)
{
	char		*copy;
	size_t		 n = 0;
	int		 status = HTTP_MORE;

	http_init(hr);
	while (n < len && status == HTTP_MORE) {
		n = len - n < step ? len : n + step;
		if ((copy = malloc(n)) == NULL)
			abort();
		memcpy(copy, p, n);
		status = http_parse(hr, copy, n, MAXBODY);
		free(copy);
	}
	return (status);
}

static void
test_heads(void)
{
	struct http_request	 hr;
	const struct head	*h;
	size_t			 i, step;
	int			 status;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		h = &heads[i];
		status = feed(&hr, h->h_bytes, h->h_len, h->h_len);
		if (status != h->h_status)
			fprintf(stderr, "head %zu: %s\n", i, h->h_bytes);
		CHECK_INT(status, h->h_status);
		for (step = 1; step < 4; step++)
			CHECK_INT(feed(&hr, h->h_bytes, h->h_len, step),
			    h->h_status);
	}
}

/* Cut anywhere, a good head gives the same request. */
static void
test_cuts(void)
{
	static const char	 head[] =
	    "PUT /a%20b/c?d=%e4%bc%9a HTTP/1.1\r\n"
	    "Host: ACME.example:8443\r\nContent-Length: 12\r\n"
	    "Cookie: __Host-risa=abc\r\nConnection: close\r\n\r\n";
	struct http_request	 one, two;
	size_t			 cut, len = sizeof(head) - 1;

	http_init(&one);
	CHECK_INT(http_parse(&one, head, len, MAXBODY), HTTP_OK);
	for (cut = 0; cut < len; cut++) {
		http_init(&two);
		CHECK_INT(http_parse(&two, head, cut, MAXBODY), HTTP_MORE);
		CHECK_INT(http_parse(&two, head, cut, MAXBODY), HTTP_MORE);
		CHECK_INT(http_parse(&two, head, len, MAXBODY), HTTP_OK);
		CHECK(memcmp(&one, &two, sizeof(one)) == 0);
	}
}

/* Nothing of a request that is not whole is good. */
static void
test_needs_more(void)
{
	struct http_request	 hr;

	http_init(&hr);
	CHECK_INT(http_parse(&hr, "", 0, MAXBODY), HTTP_MORE);
	CHECK_INT(feed(&hr, BYTES("G"), 1), HTTP_MORE);
	CHECK_INT(feed(&hr, BYTES("GET / HTTP/1.1\r\n"), 1), HTTP_MORE);
	CHECK_INT(feed(&hr, BYTES("GET / HTTP/1.1\r\n" HOST), 1), HTTP_MORE);
	CHECK_INT(feed(&hr, BYTES("GET / HTTP/1.1\r\n" HOST "\r"), 1),
	    HTTP_MORE);
}

/* One below each limit, at it, and one above. */
static void
test_limits(void)
{
	static char		 buf[4 * HTTP_MAXHEAD];
	struct http_request	 hr;
	const char		*end = " HTTP/1.1\r\n" HOST "\r\n";
	size_t			 i, n;

	/* the request line, in its query */
	for (i = HTTP_MAXLINE - 1; i <= HTTP_MAXLINE + 1; i++) {
		n = i - strlen("GET /? HTTP/1.1");
		memcpy(buf, "GET /?", 6);
		memset(buf + 6, 'q', n);
		memcpy(buf + 6 + n, end, strlen(end));
		CHECK_INT(feed(&hr, buf, 6 + n + strlen(end), 997),
		    i > HTTP_MAXLINE ? 414 : HTTP_OK);
	}
	/* without an end in sight it is refused as well */
	memset(buf, 'A', sizeof(buf));
	CHECK_INT(feed(&hr, buf, HTTP_MAXLINE, 1000), HTTP_MORE);
	CHECK_INT(feed(&hr, buf, HTTP_MAXLINE + 1, 1000), 414);

	/* the path: plain, then encoded */
	for (i = HTTP_MAXPATH - 1; i <= HTTP_MAXPATH + 1; i++) {
		memcpy(buf, "GET /", 5);
		memset(buf + 5, 'p', i - 1);
		memcpy(buf + 4 + i, end, strlen(end));
		CHECK_INT(feed(&hr, buf, 4 + i + strlen(end), 997),
		    i > HTTP_MAXPATH ? 414 : HTTP_OK);
		for (n = 0; n < i - 1; n++)
			memcpy(buf + 5 + 3 * n, "%41", 3);
		memcpy(buf + 5 + 3 * n, end, strlen(end));
		CHECK_INT(feed(&hr, buf, 5 + 3 * n + strlen(end), 997),
		    i > HTTP_MAXPATH ? 414 : HTTP_OK);
	}
	/* the head, in one field */
	for (i = HTTP_MAXHEAD - 1; i <= HTTP_MAXHEAD + 1; i++) {
		n = strlcpy(buf, "GET / HTTP/1.1\r\n" HOST "X: ", sizeof(buf));
		memset(buf + n, 'x', i - n - 4);
		memcpy(buf + i - 4, "\r\n\r\n", 4);
		CHECK_INT(feed(&hr, buf, i, 997),
		    i > HTTP_MAXHEAD ? 431 : HTTP_OK);
	}
	memset(buf + n, 'x', HTTP_MAXHEAD);
	CHECK_INT(feed(&hr, buf, HTTP_MAXHEAD, 1000), HTTP_MORE);
	CHECK_INT(feed(&hr, buf, HTTP_MAXHEAD + 1, 1000), 431);

	/* the number of fields, Host being one */
	for (i = HTTP_MAXFIELDS - 1; i <= HTTP_MAXFIELDS + 1; i++) {
		strlcpy(buf, "GET / HTTP/1.1\r\n" HOST, sizeof(buf));
		for (n = 1; n < i; n++)
			strlcat(buf, "X: y\r\n", sizeof(buf));
		strlcat(buf, "\r\n", sizeof(buf));
		CHECK_INT(feed(&hr, buf, strlen(buf), 997),
		    i > HTTP_MAXFIELDS ? 431 : HTTP_OK);
	}
}

/* Lengths of labels and of names (RFC 1035, section 2.3.4). */
static void
test_labels(void)
{
	struct http_request	 hr;
	char			 buf[512], label[65], name[300];
	size_t			 i;

	memset(label, 'l', sizeof(label) - 1);
	label[64] = '\0';
	for (i = 62; i <= 64; i++) {
		snprintf(buf, sizeof(buf), "GET / HTTP/1.1\r\nHost: %.*s.b\r\n"
		    "\r\n", (int)i, label);
		CHECK_INT(feed(&hr, buf, strlen(buf), 64),
		    i > HTTP_MAXLABEL ? 400 : HTTP_OK);
	}
	for (i = 0; i < sizeof(name) - 1; i++)
		name[i] = i % 2 == 0 ? 'n' : '.';
	for (i = 251; i <= 255; i += 2) {
		snprintf(buf, sizeof(buf), "GET / HTTP/1.1\r\nHost: %.*s:1\r\n"
		    "\r\n", (int)i, name);
		CHECK_INT(feed(&hr, buf, strlen(buf), 64),
		    i > HTTP_MAXHOST ? 400 : HTTP_OK);
		if (i <= HTTP_MAXHOST)
			CHECK_INT(strlen(hr.hr_host), i);
	}
}

static void
test_result(void)
{
	static const char	*names[] = { "GET", "HEAD", "POST", "PUT",
	    "PATCH", "DELETE" };
	struct http_request	 hr;
	char			 buf[128];
	unsigned int		 i;

	for (i = 0; i < 6; i++) {
		snprintf(buf, sizeof(buf), "%s / HTTP/1.1\r\n" HOST "\r\n",
		    names[i]);
		parse(&hr, buf);
		CHECK_INT(hr.hr_method, HTTP_GET + i);
		CHECK_STR(http_method_name(hr.hr_method), names[i]);
	}
	CHECK_STR(http_method_name(HTTP_NONE), "-");

	parse(&hr, "POST /API/%e4%BC%9a/x%20y%2541 HTTP/1.1\r\n"
	    "Host: AZmZ.Office.Example:8443\r\nContent-Length: 42\r\n\r\n");
	CHECK_STR(hr.hr_path, "/API/\xe4\xbc\x9a/x y%41");
	CHECK_STR(hr.hr_host, "azmz.office.example");
	CHECK_STR(hr.hr_label, "azmz");
	CHECK_INT(hr.hr_port, 8443);
	CHECK_INT(hr.hr_length, 42);
	CHECK_INT(hr.hr_headlen, strlen(text));
	CHECK_INT(hr.hr_keepalive, 1);

	parse(&hr, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
	CHECK_STR(hr.hr_path, "/");
	CHECK_STR(hr.hr_host, "localhost");
	CHECK_STR(hr.hr_label, "localhost");
	CHECK_INT(hr.hr_port, 0);
	CHECK_INT(hr.hr_length, 0);
}

/* The buffer may move after the head is complete. */
static void
test_moved(void)
{
	struct http_request	 hr;
	const char		*p;
	char			*copy;
	size_t			 len, n;

	parse(&hr, "GET /?a=b HTTP/1.1\r\n" HOST "X: y\r\n\r\n");
	len = strlen(text);
	if ((copy = malloc(len)) == NULL)
		abort();
	memcpy(copy, text, len);
	memset(text, '#', len);
	CHECK_INT(http_parse(&hr, copy, len, MAXBODY), HTTP_OK);
	CHECK((p = http_header(&hr, "x", &n)) != NULL && n == 1 && *p == 'y');
	free(copy);

	/* the largest length, where the caller sets no limit */
	http_init(&hr);
	CHECK_INT(http_parse(&hr, POST("Content-Length: 999999999999999999"),
	    UINT64_MAX), HTTP_OK);
	CHECK_INT(hr.hr_length, 999999999999999999LL);
	http_init(&hr);
	CHECK_INT(http_parse(&hr, POST("Content-Length: 1000000000000000000"),
	    UINT64_MAX), 413);

	/* an error stays too, whatever comes */
	CHECK_INT(feed(&hr, BYTES("GET / HTTP/1.0\r\n"), 1), 505);
	CHECK_INT(http_parse(&hr, BYTES("GET / HTTP/1.1\r\n" HOST "\r\n"),
	    MAXBODY), 505);
}

/* Only the first request is read; what follows is the next one's. */
static void
test_pipeline(void)
{
	static const char	 two[] = "POST /1 HTTP/1.1\r\n" HOST
	    "Content-Length: 4\r\n\r\nbodyGET /2 HTTP/1.1\r\n" HOST "\r\n";
	struct http_request	 hr;
	size_t			 used;

	http_init(&hr);
	CHECK_INT(http_parse(&hr, BYTES(two), MAXBODY), HTTP_OK);
	CHECK_STR(hr.hr_path, "/1");
	used = hr.hr_headlen + hr.hr_length;
	CHECK(memcmp(two + hr.hr_headlen, "bodyGET", 7) == 0);
	http_init(&hr);
	CHECK_INT(http_parse(&hr, two + used, sizeof(two) - 1 - used,
	    MAXBODY), HTTP_OK);
	CHECK_STR(hr.hr_path, "/2");
	CHECK_INT(hr.hr_headlen, sizeof(two) - 1 - used);
}

static void
test_connection(void)
{
	static const struct {
		const char	*c_fields;
		int		 c_keep;
	} cases[] = {
		{ "", 1 },
		{ "Connection: keep-alive\r\n", 1 },
		{ "Connection: close\r\n", 0 },
		{ "connection:Close\r\n", 0 },
		{ "Connection: keep-alive, close\r\n", 0 },
		{ "Connection: close ,keep-alive\r\n", 0 },
		{ "Connection: ,,close,,\r\n", 0 },
		{ "Connection: x\r\nConnection: CLOSE\r\n", 0 },
		{ "Connection: closed\r\n", 1 },
		{ "Connection: close x\r\n", 1 },
		{ "Connection: \r\n", 1 },
		{ "X-Connection: close\r\n", 1 }
	};
	struct http_request	 hr;
	char			 buf[256];
	size_t			 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(buf, sizeof(buf), "GET / HTTP/1.1\r\n" HOST "%s\r\n",
		    cases[i].c_fields);
		parse(&hr, buf);
		CHECK_INT(hr.hr_keepalive, cases[i].c_keep);
	}
}

static void
test_headers(void)
{
	struct http_request	 hr;
	const char		*p;
	size_t			 len;

	parse(&hr, "GET / HTTP/1.1\r\n" HOST "X-One: \t 1 2\t \r\nx-one: 3\r\n"
	    "Empty:\r\n\r\n");
	CHECK((p = http_header(&hr, "x-ONE", &len)) != NULL);
	CHECK(len == 3 && memcmp(p, "1 2", 3) == 0);
	CHECK(http_header(&hr, "Empty", &len) != NULL && len == 0);
	CHECK(http_header(&hr, "X-On", &len) == NULL);
	CHECK(http_header(&hr, "X-One:", &len) == NULL);
	CHECK(http_header(&hr, "", &len) == NULL);
}

static void
test_query(void)
{
	static const struct {
		const char	*q_query;
		const char	*q_name;
		ssize_t		 q_len;
		const char	*q_value;
	} cases[] = {
		{ "", "a", -1, "" },
		{ "?", "a", -1, "" },
		{ "?a", "a", 0, "" },
		{ "?a=", "a", 0, "" },
		{ "?a=1", "a", 1, "1" },
		{ "?a=1", "b", -1, "" },
		{ "?a=1", "A", -1, "" },
		{ "?ab=1", "a", -1, "" },
		{ "?b=1&a=2", "a", 1, "2" },
		{ "?b=1&a=2&c=3", "a", 1, "2" },
		{ "?&&a=2&&", "a", 1, "2" },
		{ "?b=a=1", "a", -1, "" },
		{ "?b=a=1", "b", 3, "a=1" },
		{ "?a=x+y%20z%2B", "a", 6, "x y z+" },
		{ "?a=%26b%3D1", "a", 4, "&b=1" },
		{ "?a=%e4%bc%9a", "a", 3, "\xe4\xbc\x9a" },
		{ "?%61=1", "a", 1, "1" },
		{ "?a%3D1", "a", -1, "" },
		{ "?a=1;b=2", "b", -1, "" },
		{ "?a=1/2?3", "a", 5, "1/2?3" },
		{ "?a=1&a=1", "a", -2, "" },
		{ "?a=1&a=2", "a", -2, "" },
		{ "?a&a", "a", -2, "" },
		{ "?a=1&%61=2", "a", -2, "" },
		{ "?a=1&b=1&a", "a", -2, "" },
		{ "?a=%00", "a", -2, "" },
		{ "?a=x%0ay", "a", -2, "" },
		{ "?a=%7f", "a", -2, "" },
		{ "?a=%ff", "a", -2, "" },
		{ "?a=%e4%bc", "a", -2, "" },
		{ "?a=%00&a=1", "a", -2, "" },
		{ "?a%00=1", "a", -1, "" },
		{ "?a=123456789", "a", 9, "123456789" },
		{ "?a=1234567890", "a", -2, "" },
		{ "?a=%31%32%33%34%35%36%37%38%39%30", "a", -2, "" }
	};
	struct http_request	 hr;
	char			 buf[256], value[10];
	size_t			 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(buf, sizeof(buf), "GET /%s HTTP/1.1\r\n" HOST "\r\n",
		    cases[i].q_query);
		parse(&hr, buf);
		CHECK_INT(http_query(&hr, cases[i].q_name, value,
		    sizeof(value)), cases[i].q_len);
		CHECK_STR(value, cases[i].q_value);
	}
	CHECK_INT(http_query(&hr, "a", value, 0), -2);
	CHECK_INT(http_query(&hr, "a", value, 1), -2);
}

static void
test_cookie(void)
{
	static const struct {
		const char	*c_cookie;
		ssize_t		 c_len;
		const char	*c_value;
	} cases[] = {
		{ "", -1, "" },
		{ "risa", -1, "" },
		{ "risa=", 0, "" },
		{ "risa=abc", 3, "abc" },
		{ "a=1; risa=abc", 3, "abc" },
		{ "a=1; risa=abc; b=2", 3, "abc" },
		{ "a=1;risa=abc;b=2", 3, "abc" },
		{ " ; ;risa=abc;;", 3, "abc" },
		{ "risa = abc ;", 3, "abc" },
		{ "risa=a=b", 3, "a=b" },
		{ "risa=!~", 2, "!~" },
		{ "Risa=abc", -1, "" },
		{ "xrisa=abc", -1, "" },
		{ "risax=abc", -1, "" },
		{ "x=risa=abc", -1, "" },
		{ "=risa=abc", -1, "" },
		{ "x=\"; risa=abc", 3, "abc" },
		{ "risa=1; risa=2", -2, "" },
		{ "risa=1; risa=1", -2, "" },
		{ "risa=1; a=2; risa=", -2, "" },
		{ "risa=1; risa =2", -2, "" },
		{ "risa=1;\trisa=2", -2, "" },
		{ "risa=\"abc\"", -2, "" },
		{ "risa=a b", -2, "" },
		{ "risa=a,b", -2, "" },
		{ "risa=a\\b", -2, "" },
		{ "risa=\xe4\xbc\x9a", -2, "" },
		{ "x=\xff; risa=abc", 3, "abc" },
		{ "risa=123456789", 9, "123456789" },
		{ "risa=1234567890", -2, "" }
	};
	struct http_request	 hr;
	char			 buf[256], value[10];
	size_t			 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(buf, sizeof(buf), "GET / HTTP/1.1\r\n" HOST
		    "Cookie: %s\r\n\r\n", cases[i].c_cookie);
		parse(&hr, buf);
		CHECK_INT(http_cookie(&hr, "risa", value, sizeof(value)),
		    cases[i].c_len);
		CHECK_STR(value, cases[i].c_value);
	}
	parse(&hr, "GET / HTTP/1.1\r\n" HOST "\r\n");
	CHECK_INT(http_cookie(&hr, "risa", value, sizeof(value)), -1);
	CHECK_INT(http_cookie(&hr, "risa", value, 0), -2);
}

static void
test_accepts(void)
{
	static const struct {
		const char	*a_fields;
		int		 a_br;
	} cases[] = {
		{ "", 0 },
		{ "Accept-Encoding:\r\n", 0 },
		{ "Accept-Encoding: gzip, deflate, br, zstd\r\n", 1 },
		{ "Accept-Encoding: gzip\r\nAccept-Encoding: br\r\n", 1 },
		{ "Accept-Encoding: BR\r\n", 1 },
		{ "Accept-Encoding: br;q=1.0\r\n", 1 },
		{ "Accept-Encoding: br ; q=0.001\r\n", 1 },
		{ "Accept-Encoding: br;q=0\r\n", 0 },
		{ "Accept-Encoding: br; Q=0.000\r\n", 0 },
		{ "Accept-Encoding: br, br;q=0\r\n", 0 },
		{ "Accept-Encoding: br;x=0\r\n", 1 },
		{ "Accept-Encoding: br;q:0\r\n", 1 },
		{ "Accept-Encoding: br;q\r\n", 1 },
		{ "Accept-Encoding: brx, xbr\r\n", 0 },
		{ "Accept-Encoding: identity\r\n", 0 }
	};
	struct http_request	 hr;
	char			 buf[256];
	size_t			 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(buf, sizeof(buf), "GET / HTTP/1.1\r\n" HOST "%s\r\n",
		    cases[i].a_fields);
		parse(&hr, buf);
		CHECK_INT(http_accepts(&hr, "br"), cases[i].a_br);
	}
}

static void
test_etag(void)
{
	static const struct {
		const char	*e_value;
		int		 e_match;
	} cases[] = {
		{ "\"abc\"", 1 },
		{ "W/\"abc\"", 1 },
		{ "\"x\", \"abc\"", 1 },
		{ "\"x\",W/\"abc\" ,\"y\"", 1 },
		{ "*", 1 },
		{ "", 0 },
		{ "abc", 0 },
		{ "x", 0 },
		{ "*x", 0 },
		{ "\"ab\"", 0 },
		{ "\"abcd\"", 0 },
		{ "\"ABC\"", 0 },
		{ "\"abc", 0 },
		{ "w/\"abc\"", 0 },
		{ "W/", 0 }
	};
	struct http_request	 hr;
	char			 buf[256];
	size_t			 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(buf, sizeof(buf), "GET / HTTP/1.1\r\n" HOST
		    "If-None-Match: %s\r\n\r\n", cases[i].e_value);
		parse(&hr, buf);
		CHECK_INT(http_etag_match(&hr, "abc"), cases[i].e_match);
	}
}

static void
test_json(void)
{
	static const struct {
		const char	*j_fields;
		int		 j_json;
	} cases[] = {
		{ "", 0 },
		{ "Content-Type: application/json\r\n", 1 },
		{ "Content-Type: Application/JSON\r\n", 1 },
		{ "Content-Type: application/json; charset=utf-8\r\n", 1 },
		{ "Content-Type: application/json;charset=UTF-8\r\n", 1 },
		{ "Content-Type: application/json ; charset=\"utf-8\"\r\n", 1 },
		{ "Content-Type: application/json;\r\n", 0 },
		{ "Content-Type: application/json; charset=utf-16\r\n", 0 },
		{ "Content-Type: application/jsonp\r\n", 0 },
		{ "Content-Type: application/json, text/plain\r\n", 0 },
		{ "Content-Type: text/plain; a=application/json\r\n", 0 },
		{ "Content-Type: text/plain\r\n", 0 },
		{ "Content-Type:\r\n", 0 },
		{ "Content-Type: application/json\r\n"
		    "Content-Encoding: gzip\r\n", 0 }
	};
	struct http_request	 hr;
	char			 buf[256];
	size_t			 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(buf, sizeof(buf), "POST / HTTP/1.1\r\n" HOST "%s\r\n",
		    cases[i].j_fields);
		parse(&hr, buf);
		CHECK_INT(http_is_json(&hr), cases[i].j_json);
	}
}

static void
test_origin(void)
{
	static const struct {
		const char	*o_host;
		const char	*o_origin;
		int		 o_same;
	} cases[] = {
		{ "acme.example", "https://acme.example", 1 },
		{ "ACME.example", "https://acme.example", 1 },
		{ "acme.example:443", "https://acme.example", 1 },
		{ "acme.example:8443", "https://acme.example:8443", 1 },
		{ "acme.example:8443", "https://acme.example", 0 },
		{ "acme.example", "https://acme.example:8443", 0 },
		{ "acme.example", "https://acme.example:443", 0 },
		{ "acme.example", "https://acme.example/", 0 },
		{ "acme.example", "https://acme.example.evil", 0 },
		{ "acme.example", "https://evil.acme.example", 0 },
		{ "acme.example", "https://globex.example", 0 },
		{ "acme.example", "https://ACME.example", 0 },
		{ "acme.example", "http://acme.example", 0 },
		{ "acme.example", "wss://acme.example", 0 },
		{ "acme.example", "https://acme.exampl", 0 },
		{ "acme.example", "https://acme.example https://b", 0 },
		{ "acme.example", "acme.example", 0 },
		{ "acme.example", "null", 0 },
		{ "acme.example", "", 0 }
	};
	struct http_request	 hr;
	char			 buf[256];
	size_t			 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(buf, sizeof(buf), "GET / HTTP/1.1\r\nHost: %s\r\n"
		    "Origin: %s\r\n\r\n", cases[i].o_host, cases[i].o_origin);
		parse(&hr, buf);
		CHECK_INT(http_same_origin(&hr), cases[i].o_same);
	}
	parse(&hr, "GET / HTTP/1.1\r\n" HOST "\r\n");
	CHECK_INT(http_same_origin(&hr), -1);
}

#define KEY	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION	"Sec-WebSocket-Version: 13\r\n"
#define PROTO	"Sec-WebSocket-Protocol: risa.v1\r\n"
#define UP	"Upgrade: websocket\r\n"
#define CONN	"Connection: Upgrade\r\n"
#define WSKEY(k) "Sec-WebSocket-Key: " k "\r\n"

static void
test_websocket(void)
{
	static const struct {
		const char	*w_fields;
		int		 w_status;
	} cases[] = {
		{ UP CONN KEY VERSION PROTO, 101 },
		{ "Upgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n"
		    KEY VERSION PROTO, 101 },
		{ "Upgrade: h2c, websocket\r\n" CONN KEY VERSION PROTO, 101 },
		{ UP CONN KEY VERSION
		    "Sec-WebSocket-Protocol: x, risa.v1\r\n", 101 },
		{ UP CONN KEY VERSION PROTO
		    "Sec-WebSocket-Extensions: permessage-deflate\r\n", 101 },
		{ UP "Connection: x\r\n" CONN KEY VERSION PROTO, 101 },
		{ "", 0 },
		{ CONN KEY VERSION PROTO, 0 },
		{ "Upgrade: h2c\r\n" CONN KEY VERSION PROTO, 0 },
		{ "Upgrade: websockets\r\n" CONN KEY VERSION PROTO, 0 },
		{ UP KEY VERSION PROTO, 400 },
		{ UP "Connection: keep-alive\r\n" KEY VERSION PROTO, 400 },
		{ UP CONN KEY PROTO, 400 },
		{ UP CONN KEY "Sec-WebSocket-Version: 8\r\n" PROTO, 426 },
		{ UP CONN KEY "Sec-WebSocket-Version: 13, 8\r\n" PROTO, 426 },
		{ UP CONN KEY "Sec-WebSocket-Version: 013\r\n" PROTO, 426 },
		{ UP CONN KEY "Sec-WebSocket-Version:\r\n" PROTO, 426 },
		{ UP CONN VERSION PROTO, 400 },
		{ UP CONN KEY VERSION, 400 },
		{ UP CONN KEY VERSION "Sec-WebSocket-Protocol: risa.v2\r\n",
		    400 },
		{ UP CONN KEY VERSION "Sec-WebSocket-Protocol: risa.v11\r\n",
		    400 },
		{ UP CONN WSKEY("") VERSION PROTO, 400 },
		{ UP CONN WSKEY("dGhlIHNhbXBsZSBub25jZQ=") VERSION PROTO, 400 },
		{ UP CONN WSKEY("dGhlIHNhbXBsZSBub25jZQ") VERSION PROTO, 400 },
		{ UP CONN WSKEY("dGhlIHNhbXBsZSBub25jZSE=") VERSION PROTO,
		    400 },
		{ UP CONN WSKEY("dGhlIHNhbXBsZSBub25jZ===") VERSION PROTO,
		    400 },
		{ UP CONN WSKEY("dGhlIHNhbXBsZSBub25jZQ=A") VERSION PROTO,
		    400 },
		{ UP CONN WSKEY("dGhlIHNhbXBsZSBub25jZQA=") VERSION PROTO,
		    400 },
		{ UP CONN WSKEY("dGhlIHNhbXBsZSBub25jZR==") VERSION PROTO,
		    400 },
		{ UP CONN WSKEY("dGhlIHNhbXBs-SBub25jZQ==") VERSION PROTO,
		    400 },
		{ UP CONN WSKEY("dGhlIHNhbXBs ZSBub25jZQ==") VERSION PROTO,
		    400 },
		{ UP CONN WSKEY("dGhlIHNhbXBs=SBub25jZQ==") VERSION PROTO,
		    400 },
		{ UP CONN WSKEY("AAAAAAAAAAAAAAAAAAAAAA==") VERSION PROTO,
		    101 },
		{ UP CONN WSKEY("+/+/+/+/+/+/+/+/+/+/+w==") VERSION PROTO,
		    101 }
	};
	struct http_request	 hr;
	char			 buf[512], key[HTTP_WSKEYLEN];
	size_t			 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(buf, sizeof(buf), "GET /ws HTTP/1.1\r\n" HOST
		    "%s\r\n", cases[i].w_fields);
		parse(&hr, buf);
		CHECK_INT(http_websocket(&hr, key, sizeof(key)),
		    cases[i].w_status);
	}
	parse(&hr, "GET /ws HTTP/1.1\r\n" HOST UP CONN KEY VERSION PROTO
	    "\r\n");
	CHECK_INT(http_websocket(&hr, key, sizeof(key)), 101);
	CHECK_STR(key, "dGhlIHNhbXBsZSBub25jZQ==");
	CHECK_INT(http_websocket(&hr, key, sizeof(key) - 1), 400);
	parse(&hr, "POST /ws HTTP/1.1\r\n" HOST UP CONN KEY VERSION PROTO
	    "\r\n");
	CHECK_INT(http_websocket(&hr, key, sizeof(key)), 400);
}

#define HAS(s)		CHECK(strstr(buf, "\r\n" s "\r\n") != NULL)
#define HASNOT(s)	CHECK(strstr(buf, "\r\n" s) == NULL)

static void
test_reply(void)
{
	struct http_reply	 hp;
	char			 buf[HTTP_MAXREPLY];
	int			 n;

	memset(&hp, 0, sizeof(hp));
	hp.hp_status = 200;
	hp.hp_now = 784111777;		/* the example of RFC 9110, 5.6.7 */
	hp.hp_type = "application/json";
	hp.hp_length = 12345678901ULL;
	CHECK((n = http_reply_head(buf, sizeof(buf), &hp)) > 0);
	CHECK_INT(n, strlen(buf));
	CHECK(strncmp(buf, "HTTP/1.1 200 OK\r\n", 17) == 0);
	CHECK(strcmp(buf + n - 4, "\r\n\r\n") == 0);
	CHECK(strstr(buf, "\r\n\r\n") == buf + n - 4);
	HAS("Date: Sun, 06 Nov 1994 08:49:37 GMT");
	HAS("Content-Type: application/json");
	HAS("Content-Length: 12345678901");
	HAS("Cache-Control: no-store");
	HAS("Strict-Transport-Security: max-age=63072000; includeSubDomains");
	HAS("X-Content-Type-Options: nosniff");
	HAS("Referrer-Policy: no-referrer");
	HAS("X-Frame-Options: DENY");
	HAS("Cross-Origin-Opener-Policy: same-origin");
	HAS("Cross-Origin-Resource-Policy: same-origin");
	CHECK(strstr(buf, "\r\nContent-Security-Policy: default-src 'none'; "
	    "script-src 'self'; ") != NULL);
	CHECK(strstr(buf, "; frame-ancestors 'none'; ") != NULL);
	CHECK(strstr(buf, "; media-src 'self' blob: mediastream:; ") != NULL);
	CHECK(strstr(buf, "\r\nPermissions-Policy: camera=(self), "
	    "microphone=(self), display-capture=(self), autoplay=(self), "
	    "fullscreen=(self), ") != NULL);
	HASNOT("Server");
	HASNOT("ETag");
	HASNOT("Vary");
	HASNOT("Set-Cookie");
	HASNOT("Retry-After");
	HASNOT("Location");
	HASNOT("Allow");
	HASNOT("Clear-Site-Data");
	HASNOT("Content-Encoding");
	HASNOT("Connection");
	HASNOT("WWW-Authenticate");

	hp.hp_cache = HTTP_IMMUTABLE;
	hp.hp_etag = "abc-1";
	hp.hp_encoding = "br";
	hp.hp_vary = "Accept-Encoding";
	hp.hp_close = 1;
	CHECK(http_reply_head(buf, sizeof(buf), &hp) > 0);
	HAS("Cache-Control: public, max-age=31536000, immutable");
	HAS("ETag: \"abc-1\"");
	HAS("Content-Encoding: br");
	HAS("Vary: Accept-Encoding");
	HAS("Connection: close");

	hp.hp_status = 304;
	hp.hp_cache = HTTP_REVALIDATE;
	CHECK(http_reply_head(buf, sizeof(buf), &hp) > 0);
	CHECK(strncmp(buf, "HTTP/1.1 304 Not Modified\r\n", 27) == 0);
	HAS("Cache-Control: no-cache");
	HAS("ETag: \"abc-1\"");
	HASNOT("Content-Length");
	HASNOT("Content-Type");
	HASNOT("Content-Encoding");

	memset(&hp, 0, sizeof(hp));
	hp.hp_status = 401;
	hp.hp_cookie = "__Host-risa=; Max-Age=0; Path=/; Secure; HttpOnly";
	hp.hp_retry = 30;
	hp.hp_clear = 1;
	hp.hp_plain = 1;
	CHECK(http_reply_head(buf, sizeof(buf), &hp) > 0);
	HAS("Content-Length: 0");
	HAS("Set-Cookie: __Host-risa=; Max-Age=0; Path=/; Secure; HttpOnly");
	HAS("Retry-After: 30");
	HAS("Clear-Site-Data: \"cache\", \"storage\"");
	HASNOT("\"cookies\"");
	HAS("WWW-Authenticate: Session realm=\"risad\"");
	HASNOT("Strict-Transport-Security");

	memset(&hp, 0, sizeof(hp));
	hp.hp_status = 431;
	hp.hp_crumbs = 1;
	CHECK(http_reply_head(buf, sizeof(buf), &hp) > 0);
	HAS("Clear-Site-Data: \"cookies\"");
	HASNOT("\"storage\"");

	memset(&hp, 0, sizeof(hp));
	hp.hp_status = 405;
	hp.hp_allow = "GET, HEAD";
	hp.hp_location = "https://acme.example/";
	CHECK(http_reply_head(buf, sizeof(buf), &hp) > 0);
	HAS("Allow: GET, HEAD");
	HAS("Location: https://acme.example/");

	memset(&hp, 0, sizeof(hp));
	hp.hp_status = 101;
	hp.hp_accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
	CHECK(http_reply_head(buf, sizeof(buf), &hp) > 0);
	HAS("Upgrade: websocket");
	HAS("Connection: Upgrade");
	HAS("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	HAS("Sec-WebSocket-Protocol: risa.v1");
	HASNOT("Content-Length");

	hp.hp_status = 426;
	hp.hp_accept = NULL;
	CHECK(http_reply_head(buf, sizeof(buf), &hp) > 0);
	HAS("Sec-WebSocket-Version: 13");
	HAS("Upgrade: websocket");
	HAS("Connection: Upgrade");
	HAS("Content-Length: 0");
}

/* What may not be written, and room that is too small. */
static void
test_reply_refused(void)
{
	static const char	*bad[] = { "a\r\nX: y", "a\rb", "a\nb",
	    "a\001b", "a\tb", "a\177b", "a\xc3\xa4" };
	struct http_reply	 hp, ok;
	char			 buf[HTTP_MAXREPLY];
	size_t			 i;
	int			 n;

	memset(&ok, 0, sizeof(ok));
	ok.hp_status = 200;
	CHECK((n = http_reply_head(buf, sizeof(buf), &ok)) > 0);
	CHECK_INT(http_reply_head(buf, n + 1, &ok), n);
	for (i = 0; i <= (size_t)n; i++) {
		if (http_reply_head(buf, i, &ok) != -1)
			break;
	}
	CHECK_INT(i, n + 1);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		hp = ok;
		hp.hp_cookie = bad[i];
		CHECK_INT(http_reply_head(buf, sizeof(buf), &hp), -1);
		hp = ok;
		hp.hp_location = bad[i];
		CHECK_INT(http_reply_head(buf, sizeof(buf), &hp), -1);
		hp = ok;
		hp.hp_type = bad[i];
		CHECK_INT(http_reply_head(buf, sizeof(buf), &hp), -1);
		hp = ok;
		hp.hp_etag = bad[i];
		CHECK_INT(http_reply_head(buf, sizeof(buf), &hp), -1);
	}
	hp = ok;
	hp.hp_etag = "a\"b";
	CHECK_INT(http_reply_head(buf, sizeof(buf), &hp), -1);
	CHECK_STR(http_reason(431), "Request Header Fields Too Large");
	CHECK_STR(http_reason(299), "Unknown");
}

static void
test_problem(void)
{
	char		 buf[256];
	int		 n;

	n = http_problem(buf, sizeof(buf), 400, "too-long", "Too long",
	    "At most 4,000 characters.", "text");
	CHECK_STR(buf, "{\"type\":\"/problems/too-long\",\"status\":400,"
	    "\"title\":\"Too long\","
	    "\"detail\":\"At most 4,000 characters.\",\"field\":\"text\"}");
	CHECK_INT(n, strlen(buf));
	CHECK_INT(http_problem(buf, n, 400, "too-long", "Too long",
	    "At most 4,000 characters.", "text"), -1);
	CHECK(http_problem(buf, sizeof(buf), 404, "x", "T", NULL, NULL) > 0);
	CHECK_STR(buf, "{\"type\":\"/problems/x\",\"status\":404,"
	    "\"title\":\"T\"}");
	CHECK(http_problem(buf, sizeof(buf), 404, "x",
	    "a\"b\\c\nd\001e\xe4\xbc\x9a/<", NULL, NULL) > 0);
	CHECK_STR(buf, "{\"type\":\"/problems/x\",\"status\":404,"
	    "\"title\":\"a\\\"b\\\\c\\u000ad\\u0001e\xe4\xbc\x9a/<\"}");
	CHECK_INT(http_problem(buf, sizeof(buf), 404, "x", "\xff", NULL,
	    NULL), -1);
	CHECK_INT(http_problem(buf, sizeof(buf), 404, "a b", "T", NULL,
	    NULL), -1);
	CHECK_INT(http_problem(buf, sizeof(buf), 404, "../x", "T", NULL,
	    NULL), -1);
	CHECK_INT(http_problem(buf, sizeof(buf), 404, "", "T", NULL, NULL),
	    -1);
	CHECK_INT(http_problem(buf, 0, 404, "x", "T", NULL, NULL), -1);
}

int
main(void)
{
	test_heads();
	test_cuts();
	test_needs_more();
	test_limits();
	test_labels();
	test_result();
	test_moved();
	test_pipeline();
	test_connection();
	test_headers();
	test_query();
	test_cookie();
	test_accepts();
	test_etag();
	test_json();
	test_origin();
	test_websocket();
	test_reply();
	test_reply_refused();
	test_problem();
	return (unit_end());
}
