/* For the prover: a size that is a constant, which Frama-C's own is not. */
#include_next <sys/socket.h>

#ifndef PROOF_SOCKET_H
#define PROOF_SOCKET_H

#undef CMSG_SPACE
#define CMSG_SPACE(n)	(sizeof(struct cmsghdr) + ((n) + 7) / 8 * 8)

#endif
