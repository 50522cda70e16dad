/*
 * A sealed record from a disk that others had in their hands.  Bytes of any
 * kind, and a good record that was changed in one place: neither opens, and
 * the good one does.
 *
 * Input: the first byte says where a good record is hurt, the second how, the
 * rest is its text, and is opened as a record itself.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "seal.h"

#define TEXT_MAX	4096
#define TRUE_OR_DIE(c)	do { if (!(c)) abort(); } while (0)

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const uint8_t	 key[SEAL_KEY] = "0123456789abcdef0123456789abcde";

static struct seal *
seal(void)
{
	static struct seal	*se;

	if (se == NULL) {
		TRUE_OR_DIE(seal_init() == 0);
		TRUE_OR_DIE((se = seal_new(key, 1)) != NULL);
	}
	return (se);
}

/* Just as long as it is: a read or a write beyond it shows. */
static uint8_t *
exactly(const void *data, size_t len)
{
	uint8_t	*p;

	TRUE_OR_DIE((p = malloc(len == 0 ? 1 : len)) != NULL);
	if (len > 0 && data != NULL)
		memcpy(p, data, len);
	return (p);
}

/* Nobody without the key makes a record, so what we did not make is none. */
static void
foreign(const struct seal_at *at, const uint8_t *data, size_t len)
{
	uint8_t		*rec = exactly(data, len), *out = exactly(NULL, len);
	uint32_t	 generation;
	uint8_t		 tenant_key[SEAL_KEY];

	TRUE_OR_DIE(seal_open(seal(), at, rec, len, out) == -1);
	(void)seal_of(rec, len);
	TRUE_OR_DIE(seal_unwrap(key, 1, rec, len, &generation,
	    tenant_key) == -1);
	free(rec);
	free(out);
}

static void
hurt(const struct seal_at *at, const uint8_t *text, size_t len, uint8_t where,
    uint8_t how)
{
	struct seal_at	 other = *at;
	uint8_t		*rec = exactly(NULL, len + SEAL_OVER);
	uint8_t		*out = exactly(NULL, len);

	TRUE_OR_DIE(seal_make(seal(), at, text, len, rec) == 0);
	TRUE_OR_DIE(seal_of(rec, len + SEAL_OVER) == 1);
	TRUE_OR_DIE(seal_open(seal(), at, rec, len + SEAL_OVER, out) ==
	    (ssize_t)len);
	TRUE_OR_DIE(len == 0 || memcmp(out, text, len) == 0);
	other.sa_row += 1 + how;
	TRUE_OR_DIE(seal_open(seal(), &other, rec, len + SEAL_OVER, out) ==
	    -1);
	TRUE_OR_DIE(seal_open(seal(), at, rec, len + SEAL_OVER - 1, out) ==
	    -1);
	rec[where % (len + SEAL_OVER)] ^= how == 0 ? 0x80 : how;
	TRUE_OR_DIE(seal_open(seal(), at, rec, len + SEAL_OVER, out) == -1);
	free(rec);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seal_at	 at = { "users", "mail", 7, 3, "bound", 5 };

	if (size < 2 || size > TEXT_MAX)
		return (0);
	foreign(&at, data + 2, size - 2);
	hurt(&at, data + 2, size - 2, data[0], data[1]);
	return (0);
}
