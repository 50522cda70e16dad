/*
 * Between pledge.c and unveil.c, and for the tests of both; nobody else.
 */
#ifndef COMPAT_SANDBOX_H
#define COMPAT_SANDBOX_H

#include <sys/syscall.h>

#include <linux/audit.h>
#include <stddef.h>
#include <stdint.h>

/* A call that this architecture does not have. */
#define NO_CALL		0xffffffffu

#if defined(__x86_64__)
#define THIS_ARCH	AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH	AUDIT_ARCH_AARCH64
/* Names that only the older architecture has. */
#define SYS_access	NO_CALL
#define SYS_alarm	NO_CALL
#define SYS_arch_prctl	NO_CALL
#define SYS_chmod	NO_CALL
#define SYS_chown	NO_CALL
#define SYS_creat	NO_CALL
#define SYS_dup2	NO_CALL
#define SYS_epoll_create NO_CALL
#define SYS_epoll_wait	NO_CALL
#define SYS_eventfd	NO_CALL
#define SYS_fork	NO_CALL
#define SYS_futimesat	NO_CALL
#define SYS_getdents	NO_CALL
#define SYS_getpgrp	NO_CALL
#define SYS_ioperm	NO_CALL
#define SYS_iopl	NO_CALL
#define SYS_lchown	NO_CALL
#define SYS_link	NO_CALL
#define SYS_lstat	NO_CALL
#define SYS_mkdir	NO_CALL
#define SYS_mknod	NO_CALL
#define SYS_modify_ldt	NO_CALL
#define SYS_open	NO_CALL
#define SYS_pause	NO_CALL
#define SYS_pipe	NO_CALL
#define SYS_poll	NO_CALL
#define SYS_readlink	NO_CALL
#define SYS_rename	NO_CALL
#define SYS_rmdir	NO_CALL
#define SYS_select	NO_CALL
#define SYS_signalfd	NO_CALL
#define SYS_stat	NO_CALL
#define SYS_symlink	NO_CALL
#define SYS_time	NO_CALL
#define SYS_unlink	NO_CALL
#define SYS_uselib	NO_CALL
#define SYS_utime	NO_CALL
#define SYS_utimes	NO_CALL
#define SYS_vfork	NO_CALL
#else
#error "no list of system calls for this architecture"
#endif

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
