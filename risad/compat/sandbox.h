/*
 * Between pledge.c and unveil.c, and for the tests of both; nobody else.
 */
#ifndef COMPAT_SANDBOX_H
#define COMPAT_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

struct sock_filter;

#define PLEDGE_ALWAYS		0x00001u	/* what exit needs */
#define PLEDGE_STDIO		0x00002u
#define PLEDGE_RPATH		0x00004u
#define PLEDGE_WPATH		0x00008u
#define PLEDGE_CPATH		0x00010u
#define PLEDGE_FLOCK		0x00020u
#define PLEDGE_FATTR		0x00040u
#define PLEDGE_INET		0x00080u
#define PLEDGE_UNIX		0x00100u
#define PLEDGE_RECVFD		0x00200u
#define PLEDGE_SENDFD		0x00400u
#define PLEDGE_PROC		0x00800u
#define PLEDGE_EXEC		0x01000u
#define PLEDGE_ID		0x02000u
#define PLEDGE_PROT_EXEC	0x04000u
#define PLEDGE_UNVEIL		0x08000u

/*
 * Write the seccomp program for these promises into the buffer of n
 * instructions, for the process that calls.  The count, or -1 with E2BIG.
 */
int	 pledge_filter(uint32_t, struct sock_filter *, size_t);

/* The version of Landlock, or -1 with ENOSYS or EOPNOTSUPP. */
int	 landlock_abi(void);

/*
 * Close the list of unveil and enter a Landlock domain that leaves what the
 * promises allow, using what version abi knows; below 2 is EOPNOTSUPP.
 * With PLEDGE_UNVEIL nothing is closed yet.  0, or -1 with errno.
 */
int	 unveil_pledge(uint32_t, int);

#endif
