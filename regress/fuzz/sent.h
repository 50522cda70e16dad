/*
 * A message between the session process and another one, for the targets that
 * have real files of the one and play the other.
 */
#ifndef SENT_H
#define SENT_H

#include <sys/types.h>
#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>

#include "msg.h"

#define TRUE_OR_DIE(c)	do {						\
	if (!(c)) {							\
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c);	\
		abort();						\
	}								\
} while (0)

/*
 * Over a real pipe, as its reader gets it: the table lets it pass from the one
 * to the other, and nothing of it is lost or too much.  It points into the
 * imsg, which the caller frees.
 */
static inline void
sent(enum proc_type from, enum proc_type to, uint32_t type, const void *m,
    struct imsg *imsg, union msg_any *any)
{
	static struct imsgbuf	 out, in;
	int			 sv[2];

	if (out.w == NULL) {
		TRUE_OR_DIE(socketpair(AF_UNIX,
		    SOCK_STREAM | SOCK_NONBLOCK, 0, sv) == 0);
		TRUE_OR_DIE(imsgbuf_init(&out, sv[0]) == 0);
		TRUE_OR_DIE(imsgbuf_init(&in, sv[1]) == 0);
		TRUE_OR_DIE(imsgbuf_set_maxsize(&out, MAX_PAYLOAD) == 0);
		TRUE_OR_DIE(imsgbuf_set_maxsize(&in, MAX_PAYLOAD) == 0);
	}
	TRUE_OR_DIE(msg_allowed(type, from, to));
	TRUE_OR_DIE(msg_compose(&out, type, 1, -1, m) == 0);
	while (imsgbuf_get(&in, imsg) == 0) {
		TRUE_OR_DIE(imsgbuf_write(&out) == 0);
		TRUE_OR_DIE(imsgbuf_read(&in) == 1);
	}
	TRUE_OR_DIE(msg_decode(imsg, any) == 0);
}

#endif
