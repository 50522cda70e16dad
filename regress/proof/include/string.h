/*
 * For the prover: Frama-C's own, but for what copies and compares.  The
 * contracts there speak of char whatever the arguments are, and the prover's
 * memory has cells of one type and no casts between them.  Here they have the
 * types of the file that is proved, from its command line; a call with others
 * can not be proved.
 */
#include_next <string.h>

#ifndef PROOF_STRING_H
#define PROOF_STRING_H

#include <stdint.h>

#ifndef PROOF_TO
#define PROOF_TO	uint8_t
#define PROOF_FROM	uint8_t
#define PROOF_SAME	1
#endif
#ifndef PROOF_SAME
#define PROOF_SAME	0
#endif

/*@ requires \valid(dst + (0 .. n / sizeof(PROOF_TO) - 1));
    requires n % sizeof(PROOF_TO) == 0 && n % sizeof(PROOF_FROM) == 0;
    requires \valid_read(src + (0 .. n / sizeof(PROOF_FROM) - 1));
    requires \separated(dst + (0 .. n / sizeof(PROOF_TO) - 1),
	src + (0 .. n / sizeof(PROOF_FROM) - 1));
    assigns dst[0 .. n / sizeof(PROOF_TO) - 1] \from
	src[0 .. n / sizeof(PROOF_FROM) - 1];
    ensures PROOF_SAME ==>
	\forall integer k; 0 <= k < n ==> dst[k] == \old(src[k]); */
void	 proof_copy(PROOF_TO *dst, const PROOF_FROM *src, size_t n);

/*@ requires \valid_read(a + (0 .. n - 1)) && \valid_read(b + (0 .. n - 1));
    assigns \nothing; */
int	 proof_compare(const char *a, const char *b, size_t n);

/*@ requires \valid_read(s + (0 .. n - 1));
    assigns \nothing;
    ensures \result == \null || \exists integer k; 0 <= k < n &&
	\result == s + k && s[k] == (char)c; */
char	*proof_find(const char *s, int c, size_t n);

/*@ assigns \nothing; */
char	*proof_among(const char *literal, int c);

#define memcpy	proof_copy
#define memcmp	proof_compare
#define memchr	proof_find
/* A literal is a string that can be read, and nothing else stands after "". */
#ifdef PROOF_LITERALS
#define strchr(s, c)	proof_among("" s, c)
#endif

void	*recallocarray(void *, size_t, size_t, size_t);
void	 explicit_bzero(void *, size_t);
void	 freezero(void *, size_t);

#endif
