/*
 * Known devices: a token in a cookie that says that somebody has signed in
 * with this browser before.  It gives no right; failures there are counted
 * apart from those of strangers.  Pure: key and time are given in.
 */
#ifndef AUTH_DEVICE_H
#define AUTH_DEVICE_H

#include <stdint.h>

#include "risad.h"

#define DEVICE_KEY	32		/* bytes */
#define DEVICE_ID	8		/* bytes */
#define DEVICE_DAYS	400		/* what browsers keep at most */

struct device {
	uint32_t	 de_user;
	uint64_t	 de_issued;	/* s since 1970 */
	uint8_t		 de_id[DEVICE_ID];
};

/* The token for a tenant, in base64url with its NUL; 0, or -1. */
int	 device_write(char dst[MAX_DEVICE + 1], const uint8_t key[DEVICE_KEY],
	    uint32_t tenant, const struct device *);
/* 0, or -1: no token of ours for this tenant, or too old at now, in s. */
int	 device_read(struct device *, const uint8_t key[DEVICE_KEY],
	    uint32_t tenant, const char *, uint64_t now);

#endif
