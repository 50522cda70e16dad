#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "risad.h"
#include "utf8.h"
#include "util.h"

static const char	 b64url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz0123456789-_";

static uint64_t
clock_ms(clockid_t id)
{
	struct timespec	 ts;

	if (clock_gettime(id, &ts) == -1)
		return (0);
	return ((uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000);
}

uint64_t
now_ms(void)
{
	return (clock_ms(CLOCK_REALTIME));
}

uint64_t
mono_ms(void)
{
	return (clock_ms(CLOCK_MONOTONIC));
}

int
time_text(char dst[TIME_TEXT], uint64_t ms)
{
	struct tm	 tm;
	time_t		 t = (time_t)(ms / 1000);

	dst[0] = '\0';
	if (ms == 0 || gmtime_r(&t, &tm) == NULL || tm.tm_year > 9999 - 1900)
		return (-1);
	return (strftime(dst, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0 ?
	    -1 : 0);
}

int
time_read(const char *s, uint64_t *ms)
{
	struct tm	 tm;
	char		 again[TIME_TEXT];
	const char	*end;
	time_t		 t;

	memset(&tm, 0, sizeof(tm));
	end = strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm);
	/* What is no day, timegm makes another one of. */
	if (end == NULL || *end != '\0' || (t = timegm(&tm)) <= 0)
		return (-1);
	*ms = (uint64_t)t * 1000;
	return (time_text(again, *ms) == 0 && strcmp(again, s) == 0 ? 0 : -1);
}

int
stamp_text(char dst[STAMP_TEXT], uint64_t ms)
{
	struct tm	 tm;
	time_t		 t = (time_t)(ms / 1000);

	dst[0] = '\0';
	if (ms == 0 || gmtime_r(&t, &tm) == NULL || tm.tm_year > 9999 - 1900)
		return (-1);
	return (strftime(dst, STAMP_TEXT, "%Y%m%dT%H%M%SZ", &tm) == 0 ?
	    -1 : 0);
}

int
stamp_read(const char *s, uint64_t *ms)
{
	struct tm	 tm;
	char		 again[STAMP_TEXT];
	const char	*end;
	time_t		 t;

	memset(&tm, 0, sizeof(tm));
	end = strptime(s, "%Y%m%dT%H%M%SZ", &tm);
	if (end == NULL || *end != '\0' || (t = timegm(&tm)) <= 0)
		return (-1);
	if (ms != NULL)
		*ms = (uint64_t)t * 1000;
	return (stamp_text(again, (uint64_t)t * 1000) == 0 &&
	    strcmp(again, s) == 0 ? 0 : -1);
}

/*@ requires len <= SIZE_MAX / 2 - 1 && \valid(dst + (0 .. 2 * len));
    requires \valid_read((uint8_t *)src + (0 .. len - 1));
    requires \separated(dst + (0 .. 2 * len), (uint8_t *)src + (0 .. len - 1));
    assigns dst[0 .. 2 * len];
    ensures dst[2 * len] == '\0'; */
void
hex_encode(char *dst, const void *src, size_t len)
{
	static const char	 digits[] = "0123456789abcdef";
	const uint8_t		*p = src;
	size_t			 i;

	/*@ loop invariant 0 <= i <= len;
	    loop assigns i, dst[0 .. 2 * len - 1];
	    loop variant len - i; */
	for (i = 0; i < len; i++) {
		dst[2 * i] = digits[p[i] / 16];
		dst[2 * i + 1] = digits[p[i] % 16];
	}
	dst[2 * len] = '\0';
}

/*@ assigns \nothing;
    ensures -1 <= \result <= 15;
    ensures '0' <= c <= '9' ==> \result == c - '0';
    ensures 'a' <= c <= 'f' ==> \result == c - 'a' + 10;
    ensures \result == -1 <==>
	!('0' <= c <= '9') && !('a' <= c <= 'f'); */
static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	return (-1);
}

/*@ requires len <= SIZE_MAX / 2 && valid_read_string(src);
    requires \valid((uint8_t *)dst + (0 .. len - 1));
    requires \separated((uint8_t *)dst + (0 .. len - 1), src + (0 ..));
    assigns ((uint8_t *)dst)[0 .. len - 1];
    ensures \result == 0 || \result == -1;
    ensures \result == 0 ==> strlen(src) == 2 * len; */
int
hex_decode(void *dst, size_t len, const char *src)
{
	uint8_t	*p = dst;
	size_t	 i;
	int	 hi, lo;

	if (strlen(src) != 2 * len)
		return (-1);
	/*@ loop invariant 0 <= i <= len;
	    loop assigns i, hi, lo, p[0 .. len - 1];
	    loop variant len - i; */
	for (i = 0; i < len; i++) {
		hi = hex_digit(src[2 * i]);
		lo = hex_digit(src[2 * i + 1]);
		if (hi == -1 || lo == -1)
			return (-1);
		p[i] = (uint8_t)(hi * 16 + lo);
	}
	return (0);
}

void
b32_encode(char *dst, size_t dstlen, const void *src, size_t len)
{
	static const char	 digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	const uint8_t		*p = src;
	uint32_t		 bits = 0;
	unsigned int		 nbits = 0;
	size_t			 i, o = 0;

	for (i = 0; i < len; i++) {
		bits = bits << 8 | p[i];
		for (nbits += 8; nbits >= 5 && o + 1 < dstlen; nbits -= 5)
			dst[o++] = digits[bits >> (nbits - 5) & 31];
	}
	dst[o] = '\0';
}

/*@ requires \valid(dst + (0 .. dstlen - 1));
    requires \valid_read((uint8_t *)src + (0 .. len - 1));
    requires \separated(dst + (0 .. dstlen - 1),
	(uint8_t *)src + (0 .. len - 1));
    assigns dst[0 .. dstlen - 1]; */
void
b64url_encode(char *dst, size_t dstlen, const void *src, size_t len)
{
	const uint8_t	*p = src;
	uint32_t	 bits = 0;
	unsigned int	 nbits = 0;
	size_t		 i, o = 0;

	if (dstlen == 0)
		return;
	/*@ loop invariant 0 <= i <= len && o < dstlen;
	    loop invariant nbits < 6 || o + 1 >= dstlen;
	    loop assigns i, o, bits, nbits, dst[0 .. dstlen - 1];
	    loop variant len - i; */
	for (i = 0; i < len; i++) {
		bits = bits << 8 | p[i];
		/*@ loop invariant o < dstlen;
		    loop invariant nbits <= 13 || o + 1 >= dstlen;
		    loop assigns o, nbits, dst[0 .. dstlen - 1]; */
		for (nbits += 8; nbits >= 6 && o + 1 < dstlen; nbits -= 6)
			dst[o++] = b64url_digits[bits >> (nbits - 6) & 63];
	}
	if (nbits > 0 && o + 1 < dstlen)
		dst[o++] = b64url_digits[bits << (6 - nbits) & 63];
	dst[o] = '\0';
}

/*@ assigns \nothing;
    ensures -1 <= \result <= 63;
    ensures \result == -1 <==> !('A' <= c <= 'Z') && !('a' <= c <= 'z') &&
	!('0' <= c <= '9') && c != '-' && c != '_'; */
static int
b64url_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (c - 'A');
	if (c >= 'a' && c <= 'z')
		return (c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (c - '0' + 52);
	return (c == '-' ? 62 : c == '_' ? 63 : -1);
}

/*@ requires len <= SIZE_MAX / 8 - 1 && valid_read_string(src);
    requires \valid((uint8_t *)dst + (0 .. len - 1));
    requires \separated((uint8_t *)dst + (0 .. len - 1), src + (0 ..));
    assigns ((uint8_t *)dst)[0 .. len - 1];
    ensures \result == 0 || \result == -1;
    ensures \result == 0 ==> strlen(src) == (len * 8 + 5) / 6; */
int
b64url_decode(void *dst, size_t len, const char *src)
{
	uint8_t		*p = dst;
	uint32_t	 bits = 0;
	unsigned int	 nbits = 0;
	size_t		 i, n, o = 0;
	int		 d;

	if ((n = strlen(src)) != (len * 8 + 5) / 6)
		return (-1);
	/*@ loop invariant 0 <= i <= n && nbits <= 6 && nbits % 2 == 0;
	    loop invariant 6 * i == 8 * o + nbits;
	    loop assigns i, o, d, bits, nbits, p[0 .. len - 1];
	    loop variant n - i; */
	for (i = 0; i < n; i++) {
		if ((d = b64url_digit(src[i])) == -1)
			return (-1);
		bits = bits << 6 | (uint32_t)d;
		if ((nbits += 6) >= 8) {
			nbits -= 8;
			p[o++] = (uint8_t)(bits >> nbits);
		}
	}
	/* One text for each value: the bits left over are zero. */
	if ((bits & ((1U << nbits) - 1)) != 0)
		return (-1);
	return (0);
}

int
sha256(uint8_t dst[32], const void *src, size_t len)
{
	unsigned int	 n = 32;

	if (EVP_Digest(src, len, dst, &n, EVP_sha256(), NULL) != 1)
		return (-1);
	return (0);
}

int
text_set(char **dst, const char *src)
{
	char	*copy;

	if ((copy = strdup(src)) == NULL)
		return (-1);
	free(*dst);
	*dst = copy;
	return (0);
}

/* Bytes of the character at s; 0: it is none. */
static size_t
char_len(const char *s)
{
	size_t	 n;

	for (n = 1; n <= 4 && s[n - 1] != '\0'; n++)
		if (utf8_valid(s, n))
			return (n);
	return (0);
}

void
text_mend(char *s)
{
	char	*dst = s;
	size_t	 n;

	while (*s != '\0') {
		if ((n = char_len(s)) != 0) {
			memmove(dst, s, n);
			dst += n;
			s += n;
			continue;
		}
		*dst++ = '?';
		do
			s++;
		while ((*s & 0xc0) == 0x80);
	}
	*dst = '\0';
}

/*@ requires valid_read_string(s);
    assigns \nothing;
    ensures \result == 0 || \result == 1;
    ensures \result == 1 ==> 1 <= strlen(s) <= MAX_LABEL; */
int
label_valid(const char *s)
{
	size_t	 i, len = strlen(s);

	if (len == 0 || len > MAX_LABEL || s[0] == '-' || s[len - 1] == '-')
		return (0);
	/*@ loop invariant 0 <= i <= len;
	    loop assigns i;
	    loop variant len - i; */
	for (i = 0; i < len; i++)
		if (!(s[i] >= 'a' && s[i] <= 'z') &&
		    !(s[i] >= '0' && s[i] <= '9') && s[i] != '-')
			return (0);
	return (1);
}

/* Dots between non-empty parts of letters, digits and inner hyphens. */
int
mail_domain_valid(const char *s)
{
	size_t	 part = 0;
	int	 dots = 0;

	for (; *s != '\0'; s++) {
		if (*s == '.') {
			if (part == 0 || s[-1] == '-')
				return (0);
			part = 0;
			dots++;
			continue;
		}
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= '0' && *s <= '9') &&
		    (*s != '-' || part == 0))
			return (0);
		if (++part > 63)
			return (0);
	}
	return (part > 0 && dots > 0 && s[-1] != '-');
}

int
mail_normal(char *dst, size_t dstlen, const char *src)
{
	char	*at;
	size_t	 i, len = strlen(src);

	if (len > MAX_MAIL || len >= dstlen)
		return (-1);
	for (i = 0; i <= len; i++) {
		if (src[i] >= 'A' && src[i] <= 'Z')
			dst[i] = (char)(src[i] - 'A' + 'a');
		else
			dst[i] = src[i];
	}
	if ((at = strchr(dst, '@')) == NULL || at == dst || at - dst > 64)
		return (-1);
	for (i = 0; dst + i < at; i++) {
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789"
		    "!#$%&'*+-/=?^_`{|}~.", dst[i]) == NULL)
			return (-1);
		if (dst[i] == '.' && (i == 0 || dst[i + 1] == '.' ||
		    dst + i + 1 == at))
			return (-1);
	}
	return (mail_domain_valid(at + 1) ? 0 : -1);
}

int
note_valid(const char *s, size_t max)
{
	ssize_t		 n;
	const char	*p;

	if ((n = utf8_length(s, strlen(s))) == -1 || (size_t)n > max)
		return (0);
	for (p = s; *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return (0);
		/* C1 controls are 0xc2 0x80 to 0x9f. */
		if ((unsigned char)*p == 0xc2 && (unsigned char)p[1] < 0xa0)
			return (0);
	}
	return (1);
}

int
name_valid(const char *s, size_t max)
{
	const char	*p = s;

	if (!note_valid(s, max))
		return (0);
	while (*p == ' ' || strncmp(p, "\xe3\x80\x80", 3) == 0)
		p += *p == ' ' ? 1 : 3;		/* U+3000, the wide space */
	return (*p != '\0');
}

ssize_t
read_all(int fd, size_t max, void **data)
{
	char	*buf;
	size_t	 have = 0;
	ssize_t	 n;

	if ((buf = malloc(max + 2)) == NULL)
		return (-1);
	while (have <= max) {
		n = pread(fd, buf + have, max + 1 - have, (off_t)have);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			goto fail;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	if (have > max) {
		errno = EFBIG;
		goto fail;
	}
	buf[have] = '\0';
	*data = buf;
	return ((ssize_t)have);
 fail:
	freezero(buf, max + 2);
	return (-1);
}
