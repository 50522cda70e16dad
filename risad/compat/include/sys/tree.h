/*
 * libbsd's RB_GENERATE_STATIC says __unused, which libbsd does not define
 * where Linux headers have members of that name.
 */
#ifndef COMPAT_SYS_TREE_H
#define COMPAT_SYS_TREE_H

#include_next <sys/tree.h>

#undef RB_GENERATE_STATIC
#define RB_GENERATE_STATIC(name, type, field, cmp)			\
	RB_GENERATE_INTERNAL(name, type, field, cmp,			\
	    __attribute__((__unused__)) static)

#endif
