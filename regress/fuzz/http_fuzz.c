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
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "utf8.h"

#define MAXBODY		65536
#define TRUE_OR_DIE(c)	do { if (!(c)) abort(); } while (0)

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);
static int	 in_pieces(struct http_request *, const uint8_t *, size_t);
static void	 ask(const struct http_request *);
static void	 check(const struct http_request *, size_t);

/* A new buffer of just the right size for each piece: overruns show. */
static int
in_pieces(struct http_request *hr, const uint8_t *data, size_t size)
{
	char		*copy;
	size_t		 n = 0, step = 1;
	int		 status = HTTP_MORE;

	http_init(hr);
	while (n < size && status == HTTP_MORE) {
		n = size - n < step ? size : n + step;
		if ((copy = malloc(n)) == NULL)
			abort();
		memcpy(copy, data, n);
		status = http_parse(hr, copy, n, MAXBODY);
		free(copy);
		step += step / 2 + 1;
	}
	return (status);
}

/* All that a route may ask; each answer keeps to its buffer. */
static void
ask(const struct http_request *hr)
{
	static const char	*names[] = { "Host", "Cookie", "x", "" };
	char			 key[HTTP_WSKEYLEN], value[16];
	size_t			 i, len;
	ssize_t			 n;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (http_header(hr, names[i], &len) != NULL)
			TRUE_OR_DIE(len < HTTP_MAXHEAD);
		n = http_query(hr, names[i], value, sizeof(value));
		TRUE_OR_DIE(n >= -2 && n < (ssize_t)sizeof(value));
		TRUE_OR_DIE(strlen(value) == (n < 0 ? 0 : (size_t)n));
		n = http_cookie(hr, names[i], value, sizeof(value));
		TRUE_OR_DIE(n >= -2 && n < (ssize_t)sizeof(value));
		TRUE_OR_DIE(strlen(value) == (n < 0 ? 0 : (size_t)n));
	}
	if (http_websocket(hr, key, sizeof(key)) == 101)
		TRUE_OR_DIE(strlen(key) == sizeof(key) - 1);
	(void)http_accepts(hr, "br");
	(void)http_etag_match(hr, "abc");
	(void)http_is_json(hr);
	(void)http_same_origin(hr);
}

/* What a good request promises to those who act on it. */
static void
check(const struct http_request *hr, size_t size)
{
	size_t		 len = strlen(hr->hr_path);

	TRUE_OR_DIE(hr->hr_headlen <= size);
	TRUE_OR_DIE(hr->hr_headlen <= HTTP_MAXHEAD);
	TRUE_OR_DIE(hr->hr_length <= MAXBODY);
	TRUE_OR_DIE(hr->hr_path[0] == '/' && len <= HTTP_MAXPATH);
	TRUE_OR_DIE(utf8_valid(hr->hr_path, len));
	TRUE_OR_DIE(strstr(hr->hr_path, "//") == NULL);
	TRUE_OR_DIE(strstr(hr->hr_path, "/../") == NULL);
	TRUE_OR_DIE(len < 3 || strcmp(hr->hr_path + len - 3, "/..") != 0);
	TRUE_OR_DIE(strpbrk(hr->hr_path, "\\\r\n") == NULL);
	TRUE_OR_DIE(hr->hr_host[0] != '\0' && hr->hr_label[0] != '\0');
	TRUE_OR_DIE(hr->hr_host[strspn(hr->hr_host,
	    "abcdefghijklmnopqrstuvwxyz0123456789-.")] == '\0');
	TRUE_OR_DIE(strncmp(hr->hr_host, hr->hr_label,
	    strlen(hr->hr_label)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request	 one, two;
	char			*copy;
	int			 status;

	if ((copy = malloc(size + 1)) == NULL)
		return (0);
	/* without the spare byte, so that reading past the end shows */
	if (size > 0)
		memcpy(copy + 1, data, size);
	http_init(&one);
	status = http_parse(&one, copy + 1, size, MAXBODY);
	TRUE_OR_DIE(status == in_pieces(&two, data, size));
	if (status == HTTP_OK) {
		check(&one, size);
		ask(&one);
		/* the same request, however it was cut */
		two.hr_buf = one.hr_buf;
		TRUE_OR_DIE(memcmp(&one, &two, sizeof(one)) == 0);
	}
	free(copy);
	return (0);
}
