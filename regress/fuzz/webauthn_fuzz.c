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

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hash_webauthn.h"

#define TRUE_OR_DIE(c)	do { if (!(c)) abort(); } while (0)

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);
static struct m_blob	 take(const uint8_t **, size_t *, size_t);

/* Two bytes of length and so many bytes, in memory of exactly their size. */
static struct m_blob
take(const uint8_t **p, size_t *len, size_t max)
{
	struct m_blob	 mb = { NULL, 0 };
	uint8_t		*copy;
	size_t		 n;

	if (*len < 2)
		return (mb);
	n = (size_t)(*p)[0] << 8 | (*p)[1];
	*p += 2;
	*len -= 2;
	if (n > *len)
		n = *len;
	if (n > max)
		n = max;
	TRUE_OR_DIE((copy = malloc(n == 0 ? 1 : n)) != NULL);
	memcpy(copy, *p, n);
	*p += n;
	*len -= n;
	mb.mb_data = copy;
	mb.mb_len = n;
	return (mb);
}

/*
 * A byte says what is asked, then come client data, attestation or
 * authenticator data, signature and key, as auth would hand them to hash.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t		 challenge[TOKEN_LEN];
	static int			 ready;
	const struct webauthn_want	 ww = { challenge,
					    "acme.office.example", 443, 0 };
	struct webauthn_cred		 wc;
	struct m_blob			 client, object, sig, key;
	uint32_t			 count;
	uint8_t				 what;

	if (!ready) {
		json_object_seed(1);
		TRUE_OR_DIE(webauthn_init() == 0);
		ready = 1;
	}
	if (len == 0)
		return (0);
	what = *data++;
	len--;
	client = take(&data, &len, MAX_CLIENT);
	object = take(&data, &len, what == 0 ? MAX_ATTEST : MAX_CRED_DATA);
	sig = take(&data, &len, MAX_CRED_SIG);
	key = take(&data, &len, MAX_CRED_KEY);
	if (what == 0) {
		if (webauthn_register(&ww, &client, &object, &wc) == 0) {
			TRUE_OR_DIE(wc.wc_alg < WEBAUTHN_ALG_MAX);
			TRUE_OR_DIE(wc.wc_idlen >= 1 &&
			    wc.wc_idlen <= MAX_CRED_ID);
			TRUE_OR_DIE(wc.wc_keylen >= 32 &&
			    wc.wc_keylen <= MAX_CRED_KEY);
		}
	} else
		(void)webauthn_assert(&ww, what % WEBAUTHN_ALG_MAX, &key,
		    &client, &object, &sig, &count);
	free((void *)(uintptr_t)client.mb_data);
	free((void *)(uintptr_t)object.mb_data);
	free((void *)(uintptr_t)sig.mb_data);
	free((void *)(uintptr_t)key.mb_data);
	return (0);
}
