/* Small pure helpers. */
#ifndef UTIL_H
#define UTIL_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Milliseconds since 1970, UTC: for people and records. */
uint64_t	 now_ms(void);
/* Milliseconds that only grow, the same in all processes: for durations. */
uint64_t	 mono_ms(void);

/*
 * RFC 3339 in UTC, to the second: from milliseconds since 1970, and back, where
 * no other spelling will do.  0, or -1: not a time.
 */
#define TIME_TEXT	24	/* with its NUL */
int		 time_text(char dst[TIME_TEXT], uint64_t ms);
int		 time_read(const char *, uint64_t *ms);

/*
 * The same without the signs between, 20261129T033000Z: a backup is named so.
 * stamp_read() takes NULL for who wants no time.
 */
#define STAMP_TEXT	17	/* with its NUL */
int		 stamp_text(char dst[STAMP_TEXT], uint64_t ms);
int		 stamp_read(const char *, uint64_t *ms);

/* Lower-case hex of len bytes and NUL: dst holds 2 * len + 1. */
void		 hex_encode(char *dst, const void *src, size_t len);
/* Exactly len bytes from 2 * len digits; 0, or -1. */
int		 hex_decode(void *dst, size_t len, const char *src);

/* RFC 4648 section 6, len a multiple of 5: dst holds 8 * len / 5 + 1. */
void		 b32_encode(char *dst, size_t dstlen, const void *src,
		    size_t len);

/* RFC 4648 section 5 without padding.  dst holds at least 4*len/3 + 2. */
void		 b64url_encode(char *dst, size_t dstlen, const void *src,
		    size_t len);
/* Exactly len bytes from the whole string, canonical only; 0, or -1. */
int		 b64url_decode(void *dst, size_t len, const char *src);
#define TOKEN_TEXT	44	/* a token in base64url, with its NUL */

/* SHA-256 by libcrypto; 0, or -1. */
int		 sha256(uint8_t dst[32], const void *src, size_t len);

/* Put a copy in place of *dst, which is freed; 0, or -1 and *dst stays. */
int		 text_set(char **dst, const char *);

/* Of what was cut within a character there is a question mark left. */
void		 text_mend(char *);

/* A tenant's name: a label of DNS in lower case, 1 to 32 characters. */
int		 label_valid(const char *);
/* A domain of two labels or more, in lower case. */
int		 mail_domain_valid(const char *);
/*
 * A mail address as we store it: one @, a plausible local part and domain, no
 * spaces or control characters; written to dst in lower case.  0, or -1.
 */
int		 mail_normal(char *dst, size_t dstlen, const char *);
/* 1 to max characters of UTF-8, no control characters, not only spaces. */
int		 name_valid(const char *, size_t max);
/* The same, and empty is allowed too. */
int		 note_valid(const char *, size_t max);

/*
 * Read a file from its start, at most max bytes, into malloc'ed *data (NUL
 * added); the length, or -1 with errno (EFBIG).  Does not close, and does not
 * move the offset, which the descriptor shares with other processes.
 */
ssize_t		 read_all(int fd, size_t max, void **data);

#endif
