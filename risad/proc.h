/*
 * Processes: the parent starts them, hands each pair of peers a pipe, starts
 * the dead again; each child runs proc_main() with its own struct proc_ops.
 */
#ifndef PROC_H
#define PROC_H

#include <sys/queue.h>

#include <event.h>

#include "msg.h"

/* One end of a pipe to another process. */
struct peer {
	enum proc_type	 pe_proc;
	unsigned int	 pe_inst;
	int		 pe_up;
	int		 pe_more;	/* messages are left in the buffer */
	int		 pe_blocked;	/* the pipe took less than was queued */
	int		 pe_dirty;	/* waits for the end of the turn */
	uint32_t	 pe_newer;	/* imsgs queued, see peer_waits() */
	size_t		 pe_oldbytes, pe_newbytes;
	short		 pe_what;	/* that pe_ev waits for */
	TAILQ_ENTRY(peer) pe_entry;	/* of those */
	struct imsgbuf	 pe_ibuf;
	struct event	 pe_ev;
};

/* What makes a child the process that it is. */
struct proc_ops {
	enum proc_type	 po_proc;
	const char	*po_promises;	/* after the jail */
	int		 po_answers;	/* reads on when answers are read */
	/* As root, before the jail: what reads files on first use. */
	void		(*po_init)(void);
	/* In the jail, before any imsg but BOOT. */
	void		(*po_start)(void);
	/*
	 * An imsg that the table allows, decoded.  m points into the imsg.
	 * po_imsg may take the descriptor by imsg_get_fd().  -1: the peer has
	 * broken the protocol and is dropped (parent: we stop).
	 */
	int		(*po_imsg)(struct peer *, uint32_t type, uint32_t id,
			    const void *m, struct imsg *);
	void		(*po_up)(struct peer *);	/* pipe is new */
	void		(*po_down)(struct peer *);	/* pipe is gone */
	/* Takes a sibling's pipe out of the loop: 1, it is his; may be NULL. */
	int		(*po_takefd)(enum proc_type, unsigned int inst, int fd);
	/* The daemon stops: say good-bye, then proc_exit(0). */
	void		(*po_shutdown)(void);
	/* All events of a turn of the loop have been handled; may be NULL. */
	void		(*po_turn)(void);
	unsigned int	(*po_rest)(void);
};

/* The kinds of children. */
extern const struct proc_ops	 storage_ops, keys_ops, hash_ops, auth_ops,
				 session_ops;

/* Of this process. */
extern enum proc_type	 proc_self;
extern unsigned int	 proc_inst;
extern unsigned int	 proc_nsession, proc_nhash;

/* Child: become what -P and -I say; returns the exit code. */
int	 proc_main(const struct proc_ops *, unsigned int inst);

/* The peer, or NULL while its pipe is down. */
struct peer *proc_peer(enum proc_type, unsigned int inst);

/*
 * Queue an imsg to a peer and arm its event.  0, or -1: not encodable, or the
 * peer is down or NULL, or its queue is over the high mark, in imsgs or in
 * bytes (errno ENOBUFS); logged here.  A descriptor is taken on 0 and stays the
 * caller's on -1.
 */
int	 proc_send(struct peer *, enum imsg_type, uint32_t id, int fd,
	    const void *m);

/* Shorthands for the end of a request: RESULT with code, arg and field. */
int	 proc_result(struct peer *, uint32_t id, enum result, uint64_t arg,
	    const char *field);

/* Messages waiting for the peer, to slow down before proc_send() refuses. */
uint32_t proc_queued(struct peer *);

/*
 * The imsg pipe of any process: a channel that passes descriptors and carries
 * MAX_PAYLOAD.  0, or -1 with errno; the descriptor stays the caller's.
 */
int	 peer_open(struct peer *, enum proc_type, unsigned int inst, int fd,
	    void (*)(int, short, void *));
/* Close and forget; harmless when down. */
void	 peer_close(struct peer *);
/* Arm for reading, for writing if something waits, at once if pe_more. */
void	 peer_arm(struct peer *);
/*
 * Write what waits, read once unless imsgs are left from before, hand at most
 * PEER_ROUNDS of them to the function: each allowed by the table and decoded.
 * 0, or -1: the pipe is gone (*bad 0), or its bytes, or the function's -1, have
 * ended it (*bad 1).
 */
int	 peer_events(struct peer *, short, int (*)(struct peer *, uint32_t,
	    uint32_t, const void *, struct imsg *), int *bad);

/*
 * The loop of any process: what is queued to peers leaves at the end of each
 * turn, in one write for each of them.  Then it rests for as many milliseconds
 * as the other function says, so that more comes together.  Either may be
 * NULL.  Returns the code of proc_exit().
 */
int	 proc_loop(void (*turn)(void), unsigned int (*rest)(void));
/* Done: leave the loop after this turn, with the code. */
void	 proc_exit(int code);

#endif
