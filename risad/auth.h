/* The process that decides who is let in. */
#ifndef AUTH_H
#define AUTH_H

#include "proc.h"

extern const struct proc_ops	 auth_ops;

/* Tell each of our figures, by a name that begins with "auth.". */
void	 auth_stats(void (*)(const char *name, uint64_t value, void *arg),
	    void *arg);

#endif
