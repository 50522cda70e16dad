/* How easily a password is guessed.  Pure. */
#ifndef STRENGTH_H
#define STRENGTH_H

#include <stdint.h>

#define STRENGTH_MAX	4

/*
 * A score from 0 (guessed within a thousand tries) to 4 (not within 10^10), as
 * zxcvbn defines it.  words: what a guesser tries first for this person, one
 * thing a line, of which also each part counts: "ann.aoki@acme.example".
 *
 * D. L. Wheeler, "zxcvbn: Low-Budget Password Strength Estimation", USENIX
 * Security 2016.
 */
uint8_t	 strength_score(const char *password, const char *words);

#endif
