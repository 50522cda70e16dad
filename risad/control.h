/*
 * The operators' side of auth: risactl over a unix socket.  Who may ask is
 * decided here, by the ledger and the table of messages; what is asked is
 * answered by storage, the parent and the session processes.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include "proc.h"

/* Grows with every change of the C_ messages; risactl's must be the same. */
#define CONTROL_VERSION	8

/* Ids of what we ask have this bit; those of sign-ins have not. */
#define CONTROL_ID	0x80000000U

/*
 * Accept clients on this listening socket from now on, in place of the one
 * before, which is closed.  The descriptor is ours.
 */
void	 control_listen(int fd);

/* What the URLs of invitations are made of; the domain is copied. */
void	 control_site(const char *domain, uint16_t port);

/*
 * An answer whose id has CONTROL_ID.  0, or -1: nobody asked this peer, or
 * what it says is none.
 */
int	 control_imsg(struct peer *, uint32_t type, uint32_t id,
	    const void *m);

/* The peer's pipe is gone: who waits for it waits no more. */
void	 control_down(struct peer *);

/*
 * The password that a client gave to a new guest URL is sealed, or NULL: that
 * could not be done.
 */
void	 control_sealed(uint32_t client, const struct m_blob *);

#endif
