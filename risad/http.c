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

#include <stdio.h>
#include <string.h>

#include "http.h"
#include "utf8.h"

#define HTTP_LINE	2		/* of the scanner: one is complete */
#define HTTP_VERSIONLEN	8		/* HTTP/1.1 */
#define HTTP_MAXDIGITS	18		/* of a length; more is too large */

/* A comma separated list that is walked, perhaps over several fields. */
struct http_list {
	const char	*hl_name;
	unsigned int	 hl_next;	/* field to look at next */
	const char	*hl_rest;	/* of the value at hand */
	size_t		 hl_restlen;
};

static const char methods[][8] = {
	"-", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"
};

/* Fields that decide something: a second one could mean something else. */
static const char *const singletons[] = {
	"Host", "Content-Length", "Transfer-Encoding", "Content-Type",
	"Content-Encoding", "Cookie", "Origin", "Authorization", "Upgrade",
	"Expect", "If-None-Match", "Sec-Fetch-Site", NULL
};

static int	 is_alnum(int);
static int	 is_tchar(int);
static int	 is_uri(int);
static int	 hex_digit(int);
static int	 percent(const char *, size_t);
static int	 same_word(const char *, size_t, const char *);
static int	 lower(int);
static int	 is_singleton(const char *, size_t);
static const struct http_field *field_find(const struct http_request *,
		    const char *, size_t);
static int	 scan_byte(struct http_request *, int);
static int	 parse_line(struct http_request *, uint64_t);
static int	 parse_request_line(struct http_request *, const char *,
		    size_t);
static int	 parse_method(struct http_request *, const char *, size_t);
static int	 parse_version(const char *, size_t);
static int	 parse_target(struct http_request *, const char *, size_t);
static int	 parse_path(struct http_request *, const char *, size_t);
static int	 parse_query(const char *, size_t);
static int	 segment_bad(const char *, size_t);
static int	 parse_field(struct http_request *, const char *, size_t);
static int	 parse_end(struct http_request *, uint64_t);
static int	 parse_host(struct http_request *);
static int	 parse_labels(struct http_request *, const char *, size_t);
static int	 parse_port(struct http_request *, const char *, size_t);
static int	 parse_length(struct http_request *, int, const char *,
		    size_t, uint64_t);
static int	 list_next(const struct http_request *, struct http_list *,
		    const char **, size_t *);
static int	 list_has(const struct http_request *, const char *,
		    const char *);
static ssize_t	 query_decode(const char *, size_t, char *, size_t);
static int	 cookie_octets(const char *, size_t);
static size_t	 trim(const char **, size_t);
static int	 quality_zero(const char *, size_t);
static int	 websocket_key(const char *, size_t);

/* ctype.h asks the locale; these do not. */
/*@ assigns \nothing;
    ensures \result == 1 <==> ('0' <= c <= '9' || 'a' <= c <= 'z' ||
	'A' <= c <= 'Z');
    ensures \result == 0 || \result == 1; */
static int
is_alnum(int c)
{
	return ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z'));
}

/* RFC 9110, section 5.6.2 */
/*@ assigns \nothing;
    ensures c == '\0' ==> \result == 0; */
static int
is_tchar(int c)
{
	return (is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c)));
}

/* RFC 3986: pchar without '%'; '/' and '?' are the caller's. */
/*@ assigns \nothing;
    ensures c == '\0' ==> \result == 0; */
static int
is_uri(int c)
{
	return (is_alnum(c) || (c != '\0' && strchr("-._~!$&'()*+,;=:@", c)));
}

/*@ assigns \nothing;
    ensures \result == ('A' <= c <= 'Z' ? c + 32 : c); */
static int
lower(int c)
{
	return (c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/*@ assigns \nothing;
    ensures -1 <= \result <= 15;
    ensures '0' <= c <= '9' ==> \result == c - '0'; */
static int
hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	c = lower(c);
	return (c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1);
}

/* The byte that "%XX" stands for, or -1. */
/*@ requires \valid_read(p + (0 .. len - 1));
    assigns \nothing;
    ensures -1 <= \result <= 255;
    ensures \result >= 0 ==> len >= 3; */
static int
percent(const char *p, size_t len)
{
	int		 hi, lo;

	if (len < 3 || (hi = hex_digit(p[1])) == -1 ||
	    (lo = hex_digit(p[2])) == -1)
		return (-1);
	return (hi * 16 + lo);
}

static int
same_word(const char *p, size_t len, const char *word)
{
	return (strlen(word) == len && strncasecmp(p, word, len) == 0);
}

/* Cut white space off both ends; returns the length that is left. */
/*@ requires \valid(p) && \valid_read(*p + (0 .. len - 1));
    requires \separated(p, *p + (0 .. len - 1));
    assigns *p;
    ensures \result <= len;
    ensures \exists integer k; 0 <= k <= len - \result &&
	*p == \old(*p) + k;
    ensures \result > 0 ==> (*p)[0] != ' ' && (*p)[\result - 1] != ' '; */
static size_t
trim(const char **p, size_t len)
{
	/*@ loop invariant 0 <= len <= \at(len, Pre);
	    loop invariant *p == \at(*p, Pre) + (\at(len, Pre) - len);
	    loop assigns *p, len;
	    loop variant len; */
	while (len > 0 && (**p == ' ' || **p == '\t')) {
		(*p)++;
		len--;
	}
	/*@ loop invariant 0 <= len <= \at(len, LoopEntry);
	    loop invariant len > 0 ==> (*p)[0] != ' ';
	    loop assigns len;
	    loop variant len; */
	while (len > 0 && ((*p)[len - 1] == ' ' || (*p)[len - 1] == '\t'))
		len--;
	return (len);
}

void
http_init(struct http_request *hr)
{
	memset(hr, 0, sizeof(*hr));
}

int
http_parse(struct http_request *hr, const char *buf, size_t len,
    uint64_t maxbody)
{
	hr->hr_buf = buf;
	while (hr->hr_status == HTTP_MORE && hr->hr_pos < len) {
		hr->hr_status = scan_byte(hr, (unsigned char)buf[hr->hr_pos]);
		if (hr->hr_status == HTTP_LINE)
			hr->hr_status = parse_line(hr, maxbody);
	}
	return (hr->hr_status);
}

/*
 * Lines end with CR LF and with nothing else, and only a field's value may
 * hold a tab or bytes that are not ASCII.  Limits are checked here, before
 * the line is complete.
 */
/*@ requires \valid(hr) && 0 <= c <= 255;
    requires hr->hr_line <= hr->hr_pos <= HTTP_MAXHEAD;
    requires hr->hr_cr == 0 || (hr->hr_cr == 1 && hr->hr_pos > hr->hr_line);
    assigns hr->hr_cr, hr->hr_pos;
    ensures \result == HTTP_MORE || \result == HTTP_LINE || \result >= 400;
    ensures \result < 400 ==> hr->hr_pos == \old(hr->hr_pos) + 1;
    ensures hr->hr_pos <= HTTP_MAXHEAD;
    ensures \result == HTTP_LINE <==> c == '\n' && \result < 400;
    ensures \result == HTTP_LINE ==> hr->hr_pos >= hr->hr_line + 2;
    ensures \result == HTTP_MORE ==> hr->hr_cr == 0 ||
	(hr->hr_cr == 1 && hr->hr_pos > hr->hr_line);
    ensures c == '\0' || c == 0x7f ==> \result == 400;
    ensures (c == '\n') != \old(hr->hr_cr) ==> \result == 400; */
static int
scan_byte(struct http_request *hr, int c)
{
	size_t		 len = hr->hr_pos - hr->hr_line;

	if (hr->hr_cr != (c == '\n'))
		return (400);
	if (c == 0x7f || (c < ' ' && c != '\t' && c != '\r' && c != '\n'))
		return (400);
	if (hr->hr_line == 0 && len >= HTTP_MAXLINE && c != '\r' && c != '\n')
		return (414);
	if (hr->hr_pos >= HTTP_MAXHEAD)
		return (431);

	hr->hr_cr = c == '\r';
	hr->hr_pos++;
	return (c == '\n' ? HTTP_LINE : HTTP_MORE);
}

static int
parse_line(struct http_request *hr, uint64_t maxbody)
{
	const char	*line = hr->hr_buf + hr->hr_line;
	size_t		 len = hr->hr_pos - hr->hr_line - 2;
	int		 first = hr->hr_line == 0;

	hr->hr_line = hr->hr_pos;
	if (first)
		return (parse_request_line(hr, line, len));
	if (len > 0)
		return (parse_field(hr, line, len));
	return (parse_end(hr, maxbody));
}

/*
 * Three words and two spaces.  The form of all three is checked before what
 * they say, so that garbage is 400 and not an unknown method.
 */
/*@ requires \valid(hr) && \valid_read(p + (0 .. len - 1));
    requires \separated(hr, p + (0 .. len - 1));
    assigns hr->hr_method, hr->hr_query, hr->hr_querylen,
	hr->hr_path[0 .. HTTP_MAXPATH];
    ensures \result == HTTP_MORE || \result >= 400; */
static int
parse_request_line(struct http_request *hr, const char *p, size_t len)
{
	const char	*target, *version;
	size_t		 mlen, tlen;
	int		 status;

	/*@ loop invariant 0 <= mlen <= len;
	    loop assigns mlen;
	    loop variant len - mlen; */
	for (mlen = 0; mlen < len && is_tchar(p[mlen]); mlen++)
		;
	if (mlen == 0 || mlen == len || p[mlen] != ' ')
		return (400);
	target = p + mlen + 1;
	tlen = len - mlen - 1;
	if ((version = memchr(target, ' ', tlen)) == NULL)
		return (400);
	tlen = version - target;
	version++;
	if ((status = parse_version(version, p + len - version)) != HTTP_MORE)
		return (status);
	if ((status = parse_method(hr, p, mlen)) != HTTP_MORE)
		return (status);
	return (parse_target(hr, target, tlen));
}

/*@ requires \valid_read(p + (0 .. len - 1));
    assigns \nothing;
    ensures \result == HTTP_MORE || \result == 400 || \result == 505;
    ensures \result == HTTP_MORE ==> len == 8 && p[5] == '1' && p[7] == '1'; */
static int
parse_version(const char *p, size_t len)
{
	if (len != HTTP_VERSIONLEN || memcmp(p, "HTTP/", 5) != 0 ||
	    p[5] < '0' || p[5] > '9' || p[6] != '.' ||
	    p[7] < '0' || p[7] > '9')
		return (400);
	return (p[5] == '1' && p[7] == '1' ? HTTP_MORE : 505);
}

/* Methods have case.  What a route does not allow is 405, and its business. */
/*@ requires \valid(hr) && \valid_read(p + (0 .. len - 1));
    requires \separated(hr, p + (0 .. len - 1));
    assigns hr->hr_method;
    ensures \result == HTTP_MORE || \result == 501; */
static int
parse_method(struct http_request *hr, const char *p, size_t len)
{
	int		 m;

	/*@ loop invariant HTTP_GET <= m <= HTTP_DELETE + 1;
	    loop assigns m;
	    loop variant HTTP_DELETE - m; */
	for (m = HTTP_GET; m <= HTTP_DELETE; m++) {
		/* a token holds no NUL, so the name ends where it does */
		if (len < sizeof(methods[m]) && methods[m][len] == '\0' &&
		    memcmp(methods[m], p, len) == 0) {
			hr->hr_method = m;
			return (HTTP_MORE);
		}
	}
	return (501);
}

/* Origin form only: neither a proxy nor OPTIONS is served here. */
/*@ requires \valid(hr) && \valid_read(p + (0 .. len - 1));
    requires \separated(hr, p + (0 .. len - 1));
    assigns hr->hr_query, hr->hr_querylen, hr->hr_path[0 .. HTTP_MAXPATH];
    ensures \result == HTTP_MORE || \result == 400 || \result == 414; */
static int
parse_target(struct http_request *hr, const char *p, size_t len)
{
	const char	*query;
	size_t		 pathlen = len;

	if (len == 0 || p[0] != '/')
		return (400);
	if ((query = memchr(p, '?', len)) != NULL) {
		pathlen = query - p;
		query++;
		hr->hr_query = (uint16_t)(query - hr->hr_buf);
		hr->hr_querylen = (uint16_t)(p + len - query);
		if (!parse_query(query, hr->hr_querylen))
			return (400);
	}
	return (parse_path(hr, p, pathlen));
}

/* An inner segment that is empty, "." or ".." means different things to us. */
/*@ requires \valid_read(p + (0 .. len - 1));
    assigns \nothing;
    ensures \result == 0 ==> len > 0;
    ensures len == 2 && p[0] == '.' && p[1] == '.' ==> \result == 1; */
static int
segment_bad(const char *p, size_t len)
{
	return (len == 0 || (len == 1 && p[0] == '.') ||
	    (len == 2 && p[0] == '.' && p[1] == '.'));
}

/*
 * Decoded once.  An encoded slash, backslash or control byte has no use here
 * but to be read in two ways.  The last segment may be empty.
 */
/*@ requires \valid(hr) && \valid_read(p + (0 .. len - 1));
    requires \separated(hr, p + (0 .. len - 1));
    requires len > 0;
    assigns hr->hr_path[0 .. HTTP_MAXPATH];
    ensures \result == HTTP_MORE || \result == 400 || \result == 414;
    ensures hr->hr_path[0] == '/'; */
static int
parse_path(struct http_request *hr, const char *p, size_t len)
{
	size_t		 i, n = 1, seg = 1;
	int		 c;

	hr->hr_path[0] = '/';
	/*@ loop invariant 1 <= i <= len;
	    loop invariant 1 <= seg <= n <= HTTP_MAXPATH;
	    loop invariant hr->hr_path[0] == '/';
	    loop assigns i, n, seg, c, hr->hr_path[0 .. HTTP_MAXPATH];
	    loop variant len - i; */
	for (i = 1; i < len; i++) {
		c = (unsigned char)p[i];
		if (c == '%') {
			if ((c = percent(p + i, len - i)) < ' ' || c == 0x7f ||
			    c == '/' || c == '\\')
				return (400);
			i += 2;
		} else if (c == '/') {
			if (segment_bad(hr->hr_path + seg, n - seg))
				return (400);
			seg = n + 1;
		} else if (!is_uri(c))
			return (400);
		if (n == HTTP_MAXPATH)
			return (414);
		hr->hr_path[n++] = (char)c;
	}
	hr->hr_path[n] = '\0';
	if (n > seg && segment_bad(hr->hr_path + seg, n - seg))
		return (400);
	return (utf8_valid(hr->hr_path, n) ? HTTP_MORE : 400);
}

/* Form only; what it says is decoded when somebody asks. */
/*@ requires \valid_read(p + (0 .. len - 1));
    assigns \nothing;
    ensures \result == 0 || \result == 1; */
static int
parse_query(const char *p, size_t len)
{
	size_t		 i;

	/*@ loop invariant 0 <= i <= len;
	    loop assigns i;
	    loop variant len - i; */
	for (i = 0; i < len; i++) {
		if (p[i] == '%') {
			if (percent(p + i, len - i) == -1)
				return (0);
			i += 2;
		} else if (p[i] != '/' && p[i] != '?' && !is_uri(p[i]))
			return (0);
	}
	return (1);
}

static int
is_singleton(const char *p, size_t len)
{
	const char *const	*s;

	/* all fields of the opening handshake, known and unknown */
	if (len > 14 && strncasecmp(p, "Sec-WebSocket-", 14) == 0)
		return (1);
	for (s = singletons; *s != NULL; s++) {
		if (same_word(p, len, *s))
			return (1);
	}
	return (0);
}

static const struct http_field *
field_find(const struct http_request *hr, const char *name, size_t len)
{
	const struct http_field	*hf;
	unsigned int		 i;

	for (i = 0; i < hr->hr_nfields; i++) {
		hf = &hr->hr_fields[i];
		if (hf->hf_namelen == len &&
		    strncasecmp(hr->hr_buf + hf->hf_name, name, len) == 0)
			return (hf);
	}
	return (NULL);
}

/* A line that begins with white space has no name either: no folding. */
static int
parse_field(struct http_request *hr, const char *p, size_t len)
{
	struct http_field	*hf;
	const char		*value;
	size_t			 n;

	for (n = 0; n < len && is_tchar((unsigned char)p[n]); n++)
		;
	if (n == 0 || n == len || p[n] != ':')
		return (400);
	if (is_singleton(p, n) && field_find(hr, p, n) != NULL)
		return (400);
	if (hr->hr_nfields == HTTP_MAXFIELDS)
		return (431);
	hf = &hr->hr_fields[hr->hr_nfields++];
	value = p + n + 1;
	hf->hf_valuelen = (uint16_t)trim(&value, len - n - 1);
	hf->hf_value = (uint16_t)(value - hr->hr_buf);
	hf->hf_name = (uint16_t)(p - hr->hr_buf);
	hf->hf_namelen = (uint16_t)n;
	return (HTTP_MORE);
}

/* The head is complete. */
static int
parse_end(struct http_request *hr, uint64_t maxbody)
{
	const char	*p;
	size_t		 len = 0;
	int		 chunks, status;

	if (!parse_host(hr))
		return (400);
	chunks = http_header(hr, "Transfer-Encoding", &len) != NULL;
	p = http_header(hr, "Content-Length", &len);
	if ((status = parse_length(hr, chunks, p, len, maxbody)) != HTTP_OK)
		return (status);
	if (http_header(hr, "Expect", &len) != NULL)
		return (417);
	hr->hr_keepalive = !list_has(hr, "Connection", "close");
	hr->hr_headlen = hr->hr_pos;
	return (HTTP_OK);
}

/* A name or dotted numbers, and maybe a port (RFC 9110, section 7.2). */
static int
parse_host(struct http_request *hr)
{
	const char	*colon, *p;
	size_t		 hostlen, len;

	if ((p = http_header(hr, "Host", &len)) == NULL)
		return (0);
	hostlen = len;
	if ((colon = memchr(p, ':', len)) != NULL) {
		hostlen = colon - p;
		if (!parse_port(hr, colon + 1, len - hostlen - 1))
			return (0);
	}
	return (parse_labels(hr, p, hostlen));
}

/* Labels of letters, digits and inner hyphens; so no dot at the end. */
/*@ requires \valid(hr) && \valid_read(p + (0 .. len - 1));
    requires \separated(hr, p + (0 .. len - 1));
    assigns hr->hr_host[0 .. HTTP_MAXHOST], hr->hr_label[0 .. HTTP_MAXLABEL];
    ensures \result == 0 || \result == 1;
    ensures \result == 1 ==> 0 < len <= HTTP_MAXHOST &&
	hr->hr_host[len] == '\0'; */
static int
parse_labels(struct http_request *hr, const char *p, size_t len)
{
	size_t		 i, start = 0;

	if (len > HTTP_MAXHOST)
		return (0);
	/*@ loop invariant 0 <= start <= i <= len + 1;
	    loop invariant i == len + 1 ==> len > 0 && hr->hr_host[len] == '\0';
	    loop assigns i, start, hr->hr_host[0 .. HTTP_MAXHOST],
		hr->hr_label[0 .. HTTP_MAXLABEL];
	    loop variant len - i; */
	for (i = 0; i <= len; i++) {
		if (i < len && (is_alnum(p[i]) || p[i] == '-')) {
			hr->hr_host[i] = (char)lower(p[i]);
			continue;
		}
		if (i < len && p[i] != '.')
			return (0);
		if (i == start || i - start > HTTP_MAXLABEL ||
		    p[start] == '-' || p[i - 1] == '-')
			return (0);
		if (start == 0)
			memcpy(hr->hr_label, hr->hr_host, i);
		start = i + 1;
		hr->hr_host[i] = i < len ? '.' : '\0';
	}
	return (1);
}

/*@ requires \valid(hr) && \valid_read(p + (0 .. len - 1));
    requires \separated(hr, p + (0 .. len - 1));
    assigns hr->hr_port;
    ensures \result == 0 || \result == 1;
    ensures \result == 1 ==> 0 < len <= 5; */
static int
parse_port(struct http_request *hr, const char *p, size_t len)
{
	unsigned int	 n = 0;
	size_t		 i;

	if (len == 0 || len > 5 || p[0] == '0')
		return (0);
	/*@ loop invariant 0 <= i <= len;
	    loop assigns i, n;
	    loop variant len - i; */
	for (i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return (0);
		n = n * 10 + (unsigned int)(p[i] - '0');
	}
	if (n > UINT16_MAX)
		return (0);
	hr->hr_port = (uint16_t)n;
	return (1);
}

/*
 * Digits, and no zero in front that somebody could read as octal.  A body
 * with GET or HEAD means nothing, so it can only be somebody's next request.
 * Chunks are not understood on purpose: a browser sends none to us, and two
 * ways to say a length are one too many.
 */
/*@ requires \valid(hr) && \valid_read(p + (0 .. len - 1));
    requires \separated(hr, p + (0 .. len - 1));
    assigns hr->hr_length;
    ensures chunks ==> \result == (p != \null ? 400 : 501);
    ensures !chunks && p == \null ==> \result == HTTP_OK;
    ensures \result == HTTP_OK && p != \null ==> 0 < len <= HTTP_MAXDIGITS &&
	hr->hr_length <= maxbody;
    ensures \result == HTTP_OK && p != \null ==> \forall integer k;
	0 <= k < len ==> '0' <= p[k] <= '9';
    ensures \result == HTTP_OK && p != \null && len > 1 ==> p[0] != '0'; */
static int
parse_length(struct http_request *hr, int chunks, const char *p, size_t len,
    uint64_t maxbody)
{
	uint64_t	 n = 0;
	size_t		 i;

	if (chunks)
		return (p != NULL ? 400 : 501);
	if (p == NULL)
		return (HTTP_OK);
	if (len == 0 || (len > 1 && p[0] == '0'))
		return (400);
	/*@ loop invariant 0 <= i <= len;
	    loop invariant \forall integer k; 0 <= k < i ==>
		'0' <= p[k] <= '9';
	    loop assigns i, n;
	    loop variant len - i; */
	for (i = 0; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return (400);
		if (i < HTTP_MAXDIGITS)
			n = n * 10 + (uint64_t)(p[i] - '0');
	}
	if (n > 0 && (hr->hr_method == HTTP_GET || hr->hr_method == HTTP_HEAD))
		return (400);
	if (len > HTTP_MAXDIGITS || n > maxbody)
		return (413);
	hr->hr_length = n;
	return (HTTP_OK);
}

const char *
http_header(const struct http_request *hr, const char *name, size_t *len)
{
	const struct http_field	*hf;

	if ((hf = field_find(hr, name, strlen(name))) == NULL)
		return (NULL);
	*len = hf->hf_valuelen;
	return (hr->hr_buf + hf->hf_value);
}

/* The next member of a list, over all fields of the name; 0 at its end. */
static int
list_next(const struct http_request *hr, struct http_list *hl,
    const char **item, size_t *len)
{
	const struct http_field	*hf;
	const char		*comma;

	while (hl->hl_rest == NULL) {
		if (hl->hl_next == hr->hr_nfields)
			return (0);
		hf = &hr->hr_fields[hl->hl_next++];
		if (same_word(hr->hr_buf + hf->hf_name, hf->hf_namelen,
		    hl->hl_name)) {
			hl->hl_rest = hr->hr_buf + hf->hf_value;
			hl->hl_restlen = hf->hf_valuelen;
		}
	}
	*item = hl->hl_rest;
	*len = hl->hl_restlen;
	if ((comma = memchr(*item, ',', *len)) != NULL) {
		*len = comma - *item;
		hl->hl_rest = comma + 1;
		hl->hl_restlen -= *len + 1;
	} else
		hl->hl_rest = NULL;
	*len = trim(item, *len);
	return (1);
}

static int
list_has(const struct http_request *hr, const char *name, const char *word)
{
	struct http_list	 hl = { name, 0, NULL, 0 };
	const char		*item;
	size_t			 len;

	while (list_next(hr, &hl, &item, &len)) {
		if (same_word(item, len, word))
			return (1);
	}
	return (0);
}

/* Decode a piece of the query; -2 if it does not fit or is no text. */
/*@ requires \valid_read(p + (0 .. len - 1));
    requires dstlen <= SSIZE_MAX && \valid(dst + (0 .. dstlen - 1));
    requires \separated(p + (0 .. len - 1), dst + (0 .. dstlen - 1));
    assigns dst[0 .. dstlen - 1];
    ensures \result == -2 || 0 <= \result < dstlen;
    ensures \result >= 0 ==> dst[\result] == '\0'; */
static ssize_t
query_decode(const char *p, size_t len, char *dst, size_t dstlen)
{
	size_t		 i, n = 0;
	int		 c;

	/*@ loop invariant 0 <= i <= len;
	    loop invariant n == 0 || n < dstlen;
	    loop assigns i, n, c, dst[0 .. dstlen - 1];
	    loop variant len - i; */
	for (i = 0; i < len; i++) {
		c = (unsigned char)p[i];
		if (c == '+')
			c = ' ';
		else if (c == '%') {
			c = percent(p + i, len - i);
			i += 2;
		}
		if (c < ' ' || c == 0x7f || n + 1 >= dstlen)
			return (-2);
		dst[n++] = (char)c;
	}
	if (n >= dstlen || !utf8_valid(dst, n))
		return (-2);
	dst[n] = '\0';
	return ((ssize_t)n);
}

ssize_t
http_query(const struct http_request *hr, const char *name, char *dst,
    size_t dstlen)
{
	const char	*amp, *eq, *p = hr->hr_buf + hr->hr_query;
	const char	*end = p + hr->hr_querylen;
	char		 key[64];
	size_t		 len;
	ssize_t		 n = -1;

	if (dstlen == 0)
		return (-2);
	dst[0] = '\0';
	for (; p < end; p += len + 1) {
		len = end - p;
		if ((amp = memchr(p, '&', len)) != NULL)
			len = amp - p;
		if ((eq = memchr(p, '=', len)) == NULL)
			eq = p + len;
		/* an encoded name is the same name */
		if (query_decode(p, eq - p, key, sizeof(key)) < 0 ||
		    strcmp(key, name) != 0)
			continue;
		if (n == -1)
			n = eq == p + len ? 0 :
			    query_decode(eq + 1, p + len - eq - 1, dst,
			    dstlen);
		else
			n = -2;
		if (n == -2)
			break;
	}
	if (n < 0)
		dst[0] = '\0';
	return (n);
}

/* RFC 6265, section 4.1.1 */
/*@ requires \valid_read(p + (0 .. len - 1));
    assigns \nothing;
    ensures \result == 1 ==> \forall integer k; 0 <= k < len ==>
	' ' < p[k] <= '~'; */
static int
cookie_octets(const char *p, size_t len)
{
	size_t		 i;

	/*@ loop invariant 0 <= i <= len;
	    loop invariant \forall integer k; 0 <= k < i ==> ' ' < p[k] <= '~';
	    loop assigns i;
	    loop variant len - i; */
	for (i = 0; i < len; i++) {
		if (p[i] <= ' ' || p[i] > '~' || strchr("\",;\\", p[i]))
			return (0);
	}
	return (1);
}

ssize_t
http_cookie(const struct http_request *hr, const char *name, char *dst,
    size_t dstlen)
{
	const char	*eq, *p, *pair, *semi;
	size_t		 len, namelen, pairlen, vlen;
	ssize_t		 n = -1;

	if (dstlen == 0)
		return (-2);
	dst[0] = '\0';
	if ((p = http_header(hr, "Cookie", &len)) == NULL)
		return (-1);
	for (; p != NULL; p = semi) {
		pair = p;
		pairlen = len;
		if ((semi = memchr(p, ';', len)) != NULL) {
			pairlen = semi - p;
			semi++;
			len -= pairlen + 1;
		}
		if ((eq = memchr(pair, '=', pairlen)) == NULL)
			continue;
		vlen = pairlen - (eq - pair) - 1;
		namelen = trim(&pair, eq - pair);
		if (strlen(name) != namelen || memcmp(pair, name, namelen) != 0)
			continue;
		eq++;
		vlen = trim(&eq, vlen);
		if (n != -1 || vlen >= dstlen || !cookie_octets(eq, vlen)) {
			dst[0] = '\0';
			return (-2);
		}
		memcpy(dst, eq, vlen);
		dst[vlen] = '\0';
		n = (ssize_t)vlen;
	}
	return (n);
}

/* Is there a parameter q with no digit but zeroes?  (";q=0.000") */
/*@ requires \valid_read(p + (0 .. len - 1));
    assigns \nothing;
    ensures \result == 0 || \result == 1; */
static int
quality_zero(const char *p, size_t len)
{
	size_t		 i;

	len = trim(&p, len);
	if (len < 3 || lower(p[0]) != 'q' || p[1] != '=')
		return (0);
	/*@ loop invariant 2 <= i <= len;
	    loop assigns i;
	    loop variant len - i; */
	for (i = 2; i < len; i++) {
		if (p[i] != '0' && p[i] != '.')
			return (0);
	}
	return (1);
}

int
http_accepts(const struct http_request *hr, const char *coding)
{
	struct http_list	 hl = { "Accept-Encoding", 0, NULL, 0 };
	const char		*item, *semi;
	size_t			 len, namelen;
	int			 found = 0;

	while (list_next(hr, &hl, &item, &len)) {
		namelen = len;
		if ((semi = memchr(item, ';', len)) != NULL)
			namelen = semi - item;
		namelen = trim(&item, namelen);
		if (!same_word(item, namelen, coding))
			continue;
		if (semi != NULL && quality_zero(semi + 1,
		    item + len - semi - 1))
			return (0);
		found = 1;
	}
	return (found);
}

/* Weak comparison (RFC 9110, section 13.1.2): "W/" makes no difference. */
int
http_etag_match(const struct http_request *hr, const char *etag)
{
	struct http_list	 hl = { "If-None-Match", 0, NULL, 0 };
	const char		*item;
	size_t			 len;

	while (list_next(hr, &hl, &item, &len)) {
		if (len == 1 && item[0] == '*')
			return (1);
		if (len > 2 && item[0] == 'W' && item[1] == '/') {
			item += 2;
			len -= 2;
		}
		if (len == strlen(etag) + 2 && item[0] == '"' &&
		    item[len - 1] == '"' &&
		    memcmp(item + 1, etag, len - 2) == 0)
			return (1);
	}
	return (0);
}

int
http_is_json(const struct http_request *hr)
{
	const char	*p, *semi;
	size_t		 len, typelen;

	if (http_header(hr, "Content-Encoding", &len) != NULL)
		return (0);
	if ((p = http_header(hr, "Content-Type", &len)) == NULL)
		return (0);
	typelen = len;
	if ((semi = memchr(p, ';', len)) != NULL) {
		typelen = semi - p;
		semi++;
		len = trim(&semi, len - typelen - 1);
		if (!same_word(semi, len, "charset=utf-8") &&
		    !same_word(semi, len, "charset=\"utf-8\""))
			return (0);
	}
	typelen = trim(&p, typelen);
	return (same_word(p, typelen, "application/json"));
}

/* As a browser writes it: no port when it is the usual one. */
int
http_same_origin(const struct http_request *hr)
{
	char		 want[sizeof("https://:65535") + HTTP_MAXHOST];
	const char	*p;
	size_t		 len;
	int		 n;

	if ((p = http_header(hr, "Origin", &len)) == NULL)
		return (-1);
	if (hr->hr_port == 0 || hr->hr_port == 443)
		n = snprintf(want, sizeof(want), "https://%s", hr->hr_host);
	else
		n = snprintf(want, sizeof(want), "https://%s:%u", hr->hr_host,
		    hr->hr_port);
	if (n < 0 || (size_t)n >= sizeof(want))
		return (0);
	return ((size_t)n == len && memcmp(p, want, len) == 0);
}

/* 22 characters for 16 bytes, so the last one has four bits to spare. */
/*@ requires \valid_read(p + (0 .. len - 1));
    assigns \nothing;
    ensures \result != 0 ==> len == HTTP_WSKEYLEN - 1 && p[22] == '='; */
static int
websocket_key(const char *p, size_t len)
{
	size_t		 i;

	if (len != HTTP_WSKEYLEN - 1 || p[22] != '=' || p[23] != '=')
		return (0);
	/*@ loop invariant 0 <= i <= 22;
	    loop assigns i;
	    loop variant 22 - i; */
	for (i = 0; i < 22; i++) {
		if (!is_alnum(p[i]) && p[i] != '+' && p[i] != '/')
			return (0);
	}
	return (strchr("AQgw", p[21]) != NULL);
}

int
http_websocket(const struct http_request *hr, char *key, size_t keylen)
{
	const char	*p;
	size_t		 len;

	if (!list_has(hr, "Upgrade", "websocket"))
		return (0);
	if (hr->hr_method != HTTP_GET || hr->hr_length != 0 ||
	    !list_has(hr, "Connection", "upgrade"))
		return (400);
	if ((p = http_header(hr, "Sec-WebSocket-Version", &len)) == NULL)
		return (400);
	if (!same_word(p, len, "13"))
		return (426);
	if ((p = http_header(hr, "Sec-WebSocket-Key", &len)) == NULL ||
	    !websocket_key(p, len) || keylen < len + 1)
		return (400);
	if (!list_has(hr, "Sec-WebSocket-Protocol", HTTP_WSPROTO))
		return (400);
	memcpy(key, p, len);
	key[len] = '\0';
	return (101);
}

const char *
http_method_name(enum http_method method)
{
	if (method > HTTP_DELETE)
		method = HTTP_NONE;
	return (methods[method]);
}
