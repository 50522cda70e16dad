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

#include "websocket.h"

#define MAXMSG		4096
#define TRUE_OR_DIE(c)	do { if (!(c)) abort(); } while (0)
#define HASH_START	14695981039346656037ULL	/* FNV-1a, 64 bits */
#define HASH_PRIME	1099511628211ULL

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);
static uint64_t	 hash(uint64_t, const void *, size_t);
static void	 check(const struct ws_event *);
static uint64_t	 converse(const uint8_t *, size_t, size_t);

static uint64_t
hash(uint64_t h, const void *buf, size_t len)
{
	const uint8_t	*p = buf;

	while (len-- > 0)
		h = (h ^ *p++) * HASH_PRIME;
	return (h);
}

static void
check(const struct ws_event *we)
{
	TRUE_OR_DIE(we->we_len <= MAXMSG);
	switch (we->we_type) {
	case WS_TEXT:
		TRUE_OR_DIE(utf8_valid(we->we_data, we->we_len));
		break;
	case WS_PING:
	case WS_PONG:
		TRUE_OR_DIE(we->we_len <= WS_MAXCONTROL);
		break;
	case WS_CLOSE:
		TRUE_OR_DIE(utf8_valid(we->we_data, we->we_len));
		TRUE_OR_DIE(we->we_code >= 1000 && we->we_code < 5000);
		break;
	default:
		break;
	}
}

/* Feed it in pieces and return a digest of all that came of it. */
static uint64_t
converse(const uint8_t *data, size_t size, size_t step)
{
	struct ws_parser	 wp;
	struct ws_event		 we;
	uint64_t		 h = HASH_START;
	uint8_t			*buf = NULL, *copy;
	size_t			 n, have = 0;
	ssize_t			 used = 0;

	ws_init(&wp, MAXMSG);
	for (; size > 0 && used != -1; data += n, size -= n) {
		n = step < size ? step : size;
		if ((copy = malloc(have + n)) == NULL)
			abort();
		if (have > 0)
			memcpy(copy, buf, have);
		memcpy(copy + have, data, n);
		free(buf);
		buf = copy;
		have += n;
		while (have > 0 &&
		    (used = ws_parse(&wp, buf, have, &we)) > 0) {
			TRUE_OR_DIE((size_t)used <= have);
			check(&we);
			if (we.we_type != WS_NONE) {
				h = hash(h, &we.we_type, sizeof(we.we_type));
				h = hash(h, &we.we_code, sizeof(we.we_code));
				if (we.we_len > 0)
					h = hash(h, we.we_data, we.we_len);
			}
			have -= used;
			memmove(buf, buf + used, have);
		}
	}
	if (used == -1)
		h = hash(h, &we.we_code, sizeof(we.we_code));
	ws_clear(&wp);
	free(buf);
	return (h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t	 whole;

	if (size > 4 * MAXMSG)
		return (0);
	whole = converse(data, size, size);
	TRUE_OR_DIE(converse(data, size, 13) == whole);
	if (size < 512)
		TRUE_OR_DIE(converse(data, size, 1) == whole);
	return (0);
}
