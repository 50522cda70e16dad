#ifndef COMPAT_MEMORY_H
#define COMPAT_MEMORY_H

/*
 * What free(3) was given goes back to the system, also from between what is in
 * use.  OpenBSD's does that by itself.
 */
void	 memory_give_back(void);

#endif
