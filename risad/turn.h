/*
 * Passwords for the relay (coturn's use-auth-secret, "a REST API for access to
 * TURN services"): whoever shares the secret can make one, and the relay knows
 * it without being asked or told.
 */
#ifndef TURN_H
#define TURN_H

#include <stddef.h>
#include <stdint.h>

#define TURN_SECONDS	3600		/* that one is good for */
#define TURN_RANDOM	12		/* bytes that make each another one */
/* With their NULs: 20 digits, a colon, base64url; base64 of a SHA-1. */
#define TURN_USER	(20 + 1 + TURN_RANDOM / 3 * 4 + 1)
#define TURN_CRED	29

/* 16 to MAX_TURN_SECRET printable characters of ASCII without a blank? */
int	 turn_secret_valid(const char *, size_t len);

/*
 * The user's name, which says until when in seconds since 1970 and nothing of
 * whose it is, and the password.  0, or -1 when libcrypto fails.
 */
int	 turn_make(const char *secret, uint64_t until,
	    const uint8_t random[TURN_RANDOM], char user[TURN_USER],
	    char cred[TURN_CRED]);

#endif
