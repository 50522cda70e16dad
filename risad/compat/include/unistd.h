/*
 * What OpenBSD's unistd.h has and Linux lacks.
 */
#ifndef COMPAT_UNISTD_H
#define COMPAT_UNISTD_H

#include_next <unistd.h>

/*
 * Keep only the promises named, separated by spaces: stdio rpath wpath cpath
 * flock fattr inet unix recvfd sendfd proc exec id prot_exec unveil.  Each
 * call narrows; NULL promises change nothing.  Call it after fork, with one
 * thread, and after unveil.  A broken promise ends the process with SIGSYS.
 *
 * Linux keeps the rules over execve, so "exec" is another thing than the
 * rest: with it, calls that a daemon never needs are refused with EPERM and
 * all others stay, since the program started must give up its own rights.
 * Paths unveiled by such a parent must be all that its children need.
 *
 * Unlike on OpenBSD, "inet" and "unix" without "exec" are for sockets that
 * came from elsewhere: no process makes or connects one, and shutdown(2) is
 * left for writing only, since the other half would end a listening socket
 * for all who share it.
 *
 * 0, or -1 with errno: EINVAL for an unknown promise or any execpromises,
 * EPERM for a promise given up before, ENOSYS or EOPNOTSUPP where the kernel
 * has no seccomp or Landlock.  After -1 the process must not go on: part of
 * the rules may hold already.
 */
int	 pledge(const char *, const char *);

/*
 * Collect a path that stays visible, with permissions of "rwxc", or close the
 * list: both NULL, or the next pledge without "unveil".  A path given twice
 * keeps the later permissions.  The path is opened here and belongs to it
 * until the list closes; a file that will be replaced by rename needs its
 * directory named.  "c" acts below a directory only, "x" on Linux means that
 * the program and what ld.so wants for it can be read as well.
 *
 * 0, or -1 with errno: ENOENT and the other errors of open(2) (the path is
 * left out, the others hold), EINVAL for permissions, E2BIG for too many
 * paths, EPERM once the list is closed, ENOSYS or EOPNOTSUPP from Landlock.
 */
int	 unveil(const char *, const char *);

#endif
