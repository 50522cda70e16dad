/*
 * Answers that wait for a commit, or for a fence.
 */
#ifndef HOLD_H
#define HOLD_H

#include <sys/queue.h>

#include "risad.h"

struct held {
	TAILQ_ENTRY(held) he_entry;
	enum proc_type	 he_proc;	/* to whom */
	unsigned int	 he_inst;
	unsigned int	 he_life;	/* which life of that process */
	uint32_t	 he_id;		/* of the request */
	int		 he_push;	/* no answer: may be dropped */
	int		 he_did;	/* answers what changed something */
	uint32_t	 he_fence;	/* that must be passed before, since */
	uint64_t	 he_since;	/* mono ms */
	enum imsg_type	 he_type;
	void		*he_msg;	/* the struct, its strings behind it */
	size_t		 he_len;
};
TAILQ_HEAD(heldlist, held);

/*
 * A copy of a struct that storage sends, with all that it points at; NULL
 * without memory or for a type that storage does not send.
 */
struct held	*hold_new(enum imsg_type, const void *m);
void		 hold_free(struct held *);

#endif
