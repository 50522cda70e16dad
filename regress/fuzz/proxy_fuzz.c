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

#include "proxy.h"

#define TRUE_OR_DIE(c)	do { if (!(c)) abort(); } while (0)

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Read as the connection does: never more than the length that is known. */
static enum proxy_result
converse(const uint8_t *data, size_t size, size_t step,
    uint8_t addr[NETWORK_ADDR])
{
	enum proxy_result	 res = PROXY_MORE;
	uint8_t			*buf;
	size_t			 have = 0, want, n;

	do {
		/* Each time a buffer that ends where the bytes do. */
		if ((buf = malloc(have)) == NULL && have > 0)
			abort();
		if (have > 0)
			memcpy(buf, data, have);
		want = proxy_length(buf, have);
		res = proxy_parse(buf, have, addr);
		free(buf);
		TRUE_OR_DIE(want <= PROXY_MAX);
		TRUE_OR_DIE(want != 0 || res == PROXY_BAD);
		if (res != PROXY_MORE)
			return (res);
		TRUE_OR_DIE(want > have);
		n = want - have;
		if (n > step)
			n = step;
		if (n > size - have)
			n = size - have;
		have += n;
	} while (n > 0);
	return (res);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t			 addr[NETWORK_ADDR] = { 0 };
	uint8_t			 again[NETWORK_ADDR] = { 0 };
	char			 text[NETWORK_TEXT];
	enum proxy_result	 res;

	res = converse(data, size, size, addr);
	TRUE_OR_DIE(converse(data, size, 1, again) == res);
	TRUE_OR_DIE(memcmp(addr, again, sizeof(addr)) == 0);
	if (res == PROXY_ADDR) {
		/* What it says is an address that reads back as the same. */
		network_addr_text(text, sizeof(text), addr);
		TRUE_OR_DIE(network_addr(again, text) == 0);
		TRUE_OR_DIE(memcmp(addr, again, sizeof(addr)) == 0);
	}
	return (0);
}
