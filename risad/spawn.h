/* The parent's children: started, joined by pipes, started again. */
#ifndef SPAWN_H
#define SPAWN_H

#include "conf.h"
#include "proc.h"

struct child {
	struct peer	 ch_peer;	/* first: the peer is the child */
	pid_t		 ch_pid;	/* 0: none */
	int		 ch_ready;	/* jailed */
	uint64_t	 ch_acked;	/* newest generation it has accepted */
	uint64_t	 ch_live;	/* the one in force there */
	uint64_t	 ch_started;	/* ms since 1970 */
	uint64_t	 ch_deaths[4];	/* the latest, monotonic ms */
	uint32_t	 ch_restarts;
	int		 ch_broken;	/* we killed it for what it did */
	/* When it complained of whom, in this life; monotonic ms. */
	uint64_t	 ch_complained[PROC_CONTROL][MAX_SESSIONS];
	struct event	 ch_timer;	/* gives up on a slow start */
};

struct spawn_ops {
	/* An imsg of a child that is not about processes; -1 kills it. */
	int	(*so_imsg)(struct child *, uint32_t type, uint32_t id,
		    const void *m);
	/* It died and another one runs: tell it the configuration. */
	void	(*so_started)(struct child *);
	/* The daemon can not go on: five deaths of one slot in a minute. */
	void	(*so_hopeless)(struct child *);
	/* All children are gone after spawn_stop(); some had to be killed. */
	void	(*so_stopped)(int killed);
};

/* The first user of the processes' that there is not, or NULL. */
const char	*spawn_nobody(void);
/* path: the program, absolute, for exec.  Starts all children of conf. */
void	 spawn_init(const struct spawn_ops *, const char *path, int debug,
	    const struct conf *);
/* Call for each child that has a process; stop early on nonzero. */
int	 spawn_each(int (*)(struct child *, void *), void *);
struct child *spawn_child(enum proc_type, unsigned int inst);
/* Good-bye to the children in order, SIGKILL after a few seconds. */
void	 spawn_stop(void);
/* Queue to a child; as proc_send(). */
int	 spawn_send(struct child *, enum imsg_type, uint32_t id, int fd,
	    const void *m);
/* A child has accepted its configuration: the start is over. */
void	 spawn_settled(struct child *);

#endif
