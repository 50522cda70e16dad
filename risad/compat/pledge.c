/*
 * pledge(2) of OpenBSD by seccomp.
 *
 * Without "exec" the filter is a list of what is allowed.  Calls that
 * libraries try and can live without (open, stat, socket, shmget: syslog(3)
 * alone makes half of them) are refused with an errno, because the next
 * update of some library must not be a death by log line.  Everything else
 * kills the process.
 *
 * What seccomp cannot see, and this therefore does not promise:
 * - recvmsg and sendmsg with and without descriptors look alike, so "stdio"
 *   includes what "recvfd" and "sendfd" ask for;
 * - fstat(3) is newfstatat with AT_EMPTY_PATH, whose path is behind a pointer,
 *   so size and times of a file can be asked wherever the chroot lets it;
 * - paths: those are Landlock's, see unveil.c.
 *
 * Root that promises "exec" stays root, and so would have all that root may in
 * calls which the filter cannot take from its children.  It keeps only the
 * capabilities that its promises name, and they get no others by execve.
 *
 * To find the call behind "killed by signal 31": the kernel writes a record
 * of type=1326 with syscall=NUMBER to auditd or, where that is not running, to
 * what dmesg(1) shows (at a limited rate; ausyscall(8) has the names).
 * "strace -f -p PID" shows it as the last call, the one that never returns.
 */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "sandbox.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define FILTER_MAX	2048

/*
 * The last call that this file has an opinion on.  Newer ones do not exist
 * for us: libc then falls back to what it did before.
 */
#define LAST_CALL	450u
#define X32_BIT		0x40000000u

#define ALLOW		SECCOMP_RET_ALLOW
#define KILL		SECCOMP_RET_KILL_PROCESS
#define SOFT(e)		(SECCOMP_RET_ERRNO | (e))

#define TMPFILE_BIT	(O_TMPFILE & ~O_DIRECTORY)
#define OPEN_WRITES	(O_ACCMODE | O_CREAT | O_TRUNC | TMPFILE_BIT)
#define OPEN_CREATES	(O_CREAT | TMPFILE_BIT)
#define CLONE_NEWNS_ANY	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |	\
    CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

#define P_STDIO		PLEDGE_STDIO
#define P_SOCK		(PLEDGE_INET | PLEDGE_UNIX)
#define P_PATH		(PLEDGE_RPATH | PLEDGE_WPATH | PLEDGE_CPATH)
#define P_EVERY		PLEDGE_ALWAYS
#define P_WCPATH	0x10000u	/* wpath and cpath, both */

/* A test of one argument; the action is taken when both tests hold. */
enum op { OP_NONE, OP_EQ, OP_NE, OP_SELF };

struct test {
	enum op		 t_op;
	uint32_t	 t_arg;
	uint32_t	 t_mask;
	uint32_t	 t_val;
};

struct rule {
	uint32_t	 r_nr;
	uint32_t	 r_promises;		/* any of these */
	uint32_t	 r_action;
	struct test	 r_test[2];
};

/* Calls that need no look at their arguments. */
struct group {
	uint32_t	 g_promises;		/* any of these */
	uint32_t	 g_action;
	const uint32_t	*g_calls;
	size_t		 g_ncalls;
};

struct filter {
	struct sock_filter	*f_code;
	size_t			 f_size;
	size_t			 f_len;		/* above f_size: overflow */
};

#define EQ(a, v)	{ OP_EQ, (a), 0xffffffffu, (uint32_t)(v) }
#define CLEAR(a, m)	{ OP_EQ, (a), (uint32_t)(m), 0 }
#define ANYOF(a, m)	{ OP_NE, (a), (uint32_t)(m), 0 }
#define SELF(a)		{ OP_SELF, (a), 0xffffffffu, 0 }
#define ALWAYS		{ OP_NONE, 0, 0, 0 }
#define IF(nr, p, act, t)	{ (nr), (p), (act), { t, ALWAYS } }
#define IF2(nr, p, act, t, u)	{ (nr), (p), (act), { t, u } }

/*
 * In order; the first that holds decides, and none means the groups below.
 * MSG_FASTOPEN is connect(2) in disguise, on any socket that was shut down;
 * and shutdown for reading ends a listening socket for all who share it, so
 * only the half for writing is left: close(2) does the rest.
 */
static const struct rule rules[] = {
	IF(SYS_mmap, P_STDIO, ALLOW, CLEAR(2, 4)),
	IF(SYS_mprotect, P_STDIO, ALLOW, CLEAR(2, 4)),
	IF(SYS_kill, P_STDIO, ALLOW, SELF(0)),
	IF(SYS_tgkill, P_STDIO, ALLOW, SELF(0)),

	IF(SYS_sendto, P_STDIO, KILL, ANYOF(3, MSG_FASTOPEN)),
	IF(SYS_sendto, P_STDIO, ALLOW, EQ(4, 0)),
	IF(SYS_sendmsg, P_STDIO, ALLOW, CLEAR(2, MSG_FASTOPEN)),
	IF(SYS_shutdown, P_STDIO, ALLOW, EQ(1, SHUT_WR)),
	IF(SYS_getsockopt, P_STDIO, ALLOW, EQ(1, SOL_SOCKET)),
	IF(SYS_getsockopt, PLEDGE_INET, ALLOW, EQ(1, IPPROTO_TCP)),
	IF2(SYS_setsockopt, P_SOCK, ALLOW, EQ(1, SOL_SOCKET),
	    EQ(2, SO_KEEPALIVE)),
	IF2(SYS_setsockopt, P_SOCK, ALLOW, EQ(1, SOL_SOCKET),
	    EQ(2, SO_LINGER)),
	IF2(SYS_setsockopt, P_SOCK, ALLOW, EQ(1, SOL_SOCKET),
	    EQ(2, SO_RCVBUF)),
	IF2(SYS_setsockopt, P_SOCK, ALLOW, EQ(1, SOL_SOCKET),
	    EQ(2, SO_SNDBUF)),
	IF2(SYS_setsockopt, P_SOCK, ALLOW, EQ(1, SOL_SOCKET),
	    EQ(2, SO_RCVTIMEO)),
	IF2(SYS_setsockopt, P_SOCK, ALLOW, EQ(1, SOL_SOCKET),
	    EQ(2, SO_SNDTIMEO)),
	IF2(SYS_setsockopt, PLEDGE_INET, ALLOW, EQ(1, IPPROTO_TCP),
	    EQ(2, TCP_NODELAY)),
	IF2(SYS_setsockopt, PLEDGE_INET, ALLOW, EQ(1, IPPROTO_TCP),
	    EQ(2, TCP_CORK)),
	IF2(SYS_setsockopt, PLEDGE_INET, ALLOW, EQ(1, IPPROTO_TCP),
	    EQ(2, TCP_KEEPIDLE)),
	IF2(SYS_setsockopt, PLEDGE_INET, ALLOW, EQ(1, IPPROTO_TCP),
	    EQ(2, TCP_KEEPINTVL)),
	IF2(SYS_setsockopt, PLEDGE_INET, ALLOW, EQ(1, IPPROTO_TCP),
	    EQ(2, TCP_KEEPCNT)),
	IF2(SYS_setsockopt, PLEDGE_INET, ALLOW, EQ(1, IPPROTO_TCP),
	    EQ(2, TCP_QUICKACK)),
	IF2(SYS_setsockopt, PLEDGE_INET, ALLOW, EQ(1, IPPROTO_TCP),
	    EQ(2, TCP_USER_TIMEOUT)),
	IF2(SYS_setsockopt, PLEDGE_INET, ALLOW, EQ(1, IPPROTO_TCP),
	    EQ(2, TCP_NOTSENT_LOWAT)),

	IF(SYS_ioctl, P_STDIO, ALLOW, EQ(1, FIONREAD)),
	IF(SYS_ioctl, P_STDIO, ALLOW, EQ(1, FIONBIO)),
	IF(SYS_fcntl, P_STDIO, ALLOW, EQ(1, F_DUPFD)),
	IF(SYS_fcntl, P_STDIO, ALLOW, EQ(1, F_DUPFD_CLOEXEC)),
	IF(SYS_fcntl, P_STDIO, ALLOW, EQ(1, F_GETFD)),
	IF(SYS_fcntl, P_STDIO, ALLOW, EQ(1, F_SETFD)),
	IF(SYS_fcntl, P_STDIO, ALLOW, EQ(1, F_GETFL)),
	IF2(SYS_fcntl, P_STDIO, ALLOW, EQ(1, F_SETFL), CLEAR(2, O_ASYNC)),
	IF(SYS_fcntl, PLEDGE_FLOCK, ALLOW, EQ(1, F_GETLK)),
	IF(SYS_fcntl, PLEDGE_FLOCK, ALLOW, EQ(1, F_SETLK)),
	IF(SYS_fcntl, PLEDGE_FLOCK, ALLOW, EQ(1, F_SETLKW)),
	IF(SYS_fcntl, PLEDGE_FLOCK, ALLOW, EQ(1, F_OFD_GETLK)),
	IF(SYS_fcntl, PLEDGE_FLOCK, ALLOW, EQ(1, F_OFD_SETLK)),
	IF(SYS_fcntl, PLEDGE_FLOCK, ALLOW, EQ(1, F_OFD_SETLKW)),

	/* Another pledge may follow, and can only take away. */
	IF(SYS_prctl, P_STDIO, ALLOW, EQ(0, PR_SET_NO_NEW_PRIVS)),
	IF(SYS_prctl, P_STDIO, ALLOW, EQ(0, PR_GET_NO_NEW_PRIVS)),
	IF2(SYS_prctl, P_STDIO, ALLOW, EQ(0, PR_SET_DUMPABLE), EQ(1, 0)),
	IF(SYS_prctl, P_STDIO, ALLOW, EQ(0, PR_GET_DUMPABLE)),
	IF(SYS_prctl, P_STDIO, ALLOW, EQ(0, PR_SET_NAME)),
	IF(SYS_prctl, P_STDIO, ALLOW, EQ(0, PR_GET_NAME)),
	IF(SYS_prctl, P_STDIO, ALLOW, EQ(0, PR_GET_SECCOMP)),
	IF2(SYS_seccomp, P_STDIO, ALLOW, EQ(0, SECCOMP_SET_MODE_FILTER),
	    EQ(1, 0)),
	IF2(SYS_prlimit64, P_STDIO, ALLOW, EQ(0, 0), EQ(2, 0)),
	IF(SYS_prlimit64, PLEDGE_ID, ALLOW, EQ(0, 0)),

	/* Landlock cannot stop O_TRUNC before its version 3. */
	IF(SYS_open, PLEDGE_WPATH, ALLOW, CLEAR(1, OPEN_CREATES)),
	IF(SYS_open, PLEDGE_RPATH, ALLOW, CLEAR(1, OPEN_WRITES)),
	IF(SYS_open, PLEDGE_CPATH, ALLOW, CLEAR(1, O_TRUNC)),
	IF(SYS_open, PLEDGE_UNVEIL, ALLOW, EQ(1, O_PATH | O_CLOEXEC)),
	IF(SYS_openat, PLEDGE_WPATH, ALLOW, CLEAR(2, OPEN_CREATES)),
	IF(SYS_openat, PLEDGE_RPATH, ALLOW, CLEAR(2, OPEN_WRITES)),
	IF(SYS_openat, PLEDGE_CPATH, ALLOW, CLEAR(2, O_TRUNC)),
	IF(SYS_openat, PLEDGE_UNVEIL, ALLOW, EQ(2, O_PATH | O_CLOEXEC)),
	IF(SYS_newfstatat, P_STDIO, ALLOW, EQ(3, AT_EMPTY_PATH)),
	IF(SYS_clone, PLEDGE_PROC, ALLOW, CLEAR(0, CLONE_NEWNS_ANY |
	    CLONE_THREAD | CLONE_PTRACE | CLONE_UNTRACED)),
};

static const uint32_t always_calls[] = {
	SYS_exit, SYS_exit_group, SYS_rt_sigreturn
};

static const uint32_t stdio_calls[] = {
	/* descriptors */
	SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64,
	SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_close, SYS_close_range,
	SYS_dup, SYS_dup2, SYS_dup3, SYS_pipe, SYS_pipe2, SYS_fstat,
	SYS_lseek, SYS_fsync, SYS_fdatasync, SYS_ftruncate, SYS_fadvise64,
	SYS_recvfrom, SYS_recvmsg,
	/* the event loop */
	SYS_poll, SYS_ppoll, SYS_select, SYS_pselect6, SYS_epoll_create,
	SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_wait, SYS_epoll_pwait,
	SYS_epoll_pwait2, SYS_eventfd, SYS_eventfd2, SYS_timerfd_create,
	SYS_timerfd_settime, SYS_timerfd_gettime, SYS_signalfd,
	SYS_signalfd4,
	/* memory */
	SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_msync, SYS_mlock,
	SYS_mlock2, SYS_munlock, SYS_futex,
	/* signals, to oneself */
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigsuspend,
	SYS_rt_sigpending, SYS_rt_sigtimedwait, SYS_sigaltstack,
	SYS_restart_syscall, SYS_pause,
	/* time and chance */
	SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep,
	SYS_nanosleep, SYS_gettimeofday, SYS_time, SYS_times, SYS_getitimer,
	SYS_setitimer, SYS_alarm, SYS_getrandom,
	/* who am I */
	SYS_getpid, SYS_getppid, SYS_gettid, SYS_getuid, SYS_geteuid,
	SYS_getgid, SYS_getegid, SYS_getresuid, SYS_getresgid,
	SYS_getgroups, SYS_getpgrp, SYS_getpgid, SYS_getsid, SYS_getrlimit,
	SYS_getrusage, SYS_sysinfo, SYS_uname, SYS_getcpu, SYS_sched_yield,
	SYS_umask,
	/* a later pledge */
	SYS_landlock_create_ruleset, SYS_landlock_add_rule,
	SYS_landlock_restrict_self
};

static const uint32_t path_calls[] = {
	SYS_stat, SYS_lstat, SYS_newfstatat, SYS_statx, SYS_access,
	SYS_faccessat, SYS_faccessat2, SYS_readlink, SYS_readlinkat,
	SYS_getcwd, SYS_chdir, SYS_fchdir, SYS_statfs, SYS_fstatfs
};

static const uint32_t rpath_calls[] = { SYS_getdents, SYS_getdents64 };

static const uint32_t wpath_calls[] = { SYS_truncate, SYS_fallocate };

static const uint32_t cpath_calls[] = {
	SYS_mkdir, SYS_mkdirat, SYS_rmdir, SYS_unlink, SYS_unlinkat,
	SYS_rename, SYS_renameat, SYS_renameat2, SYS_link, SYS_linkat,
	SYS_symlink, SYS_symlinkat
};

static const uint32_t wcpath_calls[] = { SYS_open, SYS_openat, SYS_creat };

static const uint32_t fattr_calls[] = {
	SYS_chmod, SYS_fchmod, SYS_fchmodat, SYS_utime, SYS_utimes,
	SYS_utimensat, SYS_futimesat
};

static const uint32_t flock_calls[] = { SYS_flock };

static const uint32_t sock_calls[] = {
	SYS_accept, SYS_accept4, SYS_getpeername, SYS_getsockname
};

static const uint32_t proc_calls[] = {
	SYS_fork, SYS_vfork, SYS_wait4, SYS_waitid, SYS_kill, SYS_tgkill,
	SYS_setpgid, SYS_setsid, SYS_getpriority, SYS_setpriority,
	SYS_set_tid_address, SYS_set_robust_list, SYS_rseq
};

static const uint32_t id_calls[] = {
	SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid,
	SYS_setresgid, SYS_setfsuid, SYS_setfsgid, SYS_setgroups,
	SYS_setrlimit, SYS_getpriority, SYS_setpriority
};

static const uint32_t protexec_calls[] = { SYS_mmap, SYS_mprotect };

/* Libraries try these and go on without; listed after all that allows. */
static const uint32_t soft_eacces[] = {
	SYS_open, SYS_openat, SYS_creat, SYS_stat, SYS_lstat,
	SYS_newfstatat, SYS_statx, SYS_access, SYS_faccessat,
	SYS_faccessat2, SYS_readlink, SYS_readlinkat, SYS_getcwd,
	SYS_getdents, SYS_getdents64, SYS_statfs, SYS_fstatfs, SYS_socket,
	SYS_socketpair, SYS_connect, SYS_getpeername, SYS_getsockname,
	SYS_getsockopt, SYS_setsockopt, SYS_shmget, SYS_shmat, SYS_shmctl,
	SYS_shmdt
};

static const uint32_t soft_eperm[] = {
	SYS_fcntl, SYS_prctl, SYS_prlimit64, SYS_setrlimit, SYS_mlockall,
	SYS_chown, SYS_lchown, SYS_fchown, SYS_fchownat, SYS_fchmod,
	SYS_sched_getaffinity, SYS_sched_setaffinity, SYS_sched_getparam,
	SYS_sched_setparam, SYS_sched_getscheduler, SYS_sched_setscheduler,
	SYS_sched_getattr, SYS_sched_setattr, SYS_sched_get_priority_max,
	SYS_sched_get_priority_min, SYS_sched_rr_get_interval,
	SYS_getpriority, SYS_setpriority, SYS_shutdown
};

static const uint32_t soft_enosys[] = {
	SYS_openat2, SYS_clone3, SYS_membarrier, SYS_arch_prctl, SYS_rseq
};

static const uint32_t soft_enotty[] = { SYS_ioctl };

#define GROUP(p, act, list)	{ (p), (act), (list), NITEMS(list) }

static const struct group groups[] = {
	GROUP(P_EVERY, ALLOW, always_calls),
	GROUP(P_STDIO, ALLOW, stdio_calls),
	GROUP(P_PATH, ALLOW, path_calls),
	GROUP(PLEDGE_RPATH, ALLOW, rpath_calls),
	GROUP(PLEDGE_WPATH, ALLOW, wpath_calls),
	GROUP(PLEDGE_CPATH, ALLOW, cpath_calls),
	GROUP(P_WCPATH, ALLOW, wcpath_calls),
	GROUP(PLEDGE_FATTR, ALLOW, fattr_calls),
	GROUP(PLEDGE_FLOCK, ALLOW, flock_calls),
	GROUP(P_SOCK, ALLOW, sock_calls),
	GROUP(PLEDGE_PROC, ALLOW, proc_calls),
	GROUP(PLEDGE_ID, ALLOW, id_calls),
	GROUP(PLEDGE_PROT_EXEC, ALLOW, protexec_calls),
	GROUP(P_STDIO, SOFT(EACCES), soft_eacces),
	GROUP(P_STDIO, SOFT(EPERM), soft_eperm),
	GROUP(P_STDIO, SOFT(ENOSYS), soft_enosys),
	GROUP(P_STDIO, SOFT(ENOTTY), soft_enotty),
};

/*
 * With "exec" the other way round: refused is what changes the machine, looks
 * into other processes, or opens a wide way into the kernel.  The socket
 * families are those of the daemon and of getaddrinfo(3).
 */
static const struct rule exec_rules[] = {
	IF(SYS_clone, P_EVERY, SOFT(EPERM), ANYOF(0, CLONE_NEWNS_ANY)),
	IF(SYS_ioctl, P_EVERY, SOFT(EPERM), EQ(1, TIOCSTI)),
	IF(SYS_ioctl, P_EVERY, SOFT(EPERM), EQ(1, TIOCLINUX)),
	IF(SYS_socket, P_EVERY, ALLOW, EQ(0, AF_UNIX)),
	IF(SYS_socket, P_EVERY, ALLOW, EQ(0, AF_INET)),
	IF(SYS_socket, P_EVERY, ALLOW, EQ(0, AF_INET6)),
	IF2(SYS_socket, P_EVERY, ALLOW, EQ(0, AF_NETLINK), EQ(2, 0)),
	IF(SYS_socket, P_EVERY, SOFT(EAFNOSUPPORT), ALWAYS),
	IF(SYS_socketpair, P_EVERY, ALLOW, EQ(0, AF_UNIX)),
	IF(SYS_socketpair, P_EVERY, SOFT(EAFNOSUPPORT), ALWAYS),
};

static const uint32_t exec_denied[] = {
	/* other processes */
	SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev,
	SYS_process_madvise, SYS_kcmp, SYS_pidfd_getfd, SYS_migrate_pages,
	SYS_move_pages,
	/* mounts and name spaces */
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_open_tree,
	SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick,
	SYS_mount_setattr, SYS_unshare, SYS_setns, SYS_mknod, SYS_mknodat,
	SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_fanotify_init,
	SYS_quotactl, SYS_quotactl_fd,
	/* the machine */
	SYS_kexec_load, SYS_kexec_file_load, SYS_init_module,
	SYS_finit_module, SYS_delete_module, SYS_reboot, SYS_swapon,
	SYS_swapoff, SYS_acct, SYS_syslog, SYS_vhangup, SYS_sethostname,
	SYS_setdomainname, SYS_settimeofday, SYS_clock_settime,
	SYS_adjtimex, SYS_clock_adjtime, SYS_ioperm, SYS_iopl,
	SYS_modify_ldt, SYS_uselib,
	/* the kernel's soft parts */
	SYS_bpf, SYS_perf_event_open, SYS_keyctl, SYS_add_key,
	SYS_request_key, SYS_io_uring_setup, SYS_io_uring_enter,
	SYS_io_uring_register, SYS_userfaultfd, SYS_personality,
	SYS_lookup_dcookie, SYS_memfd_secret
};

/* Its flags are behind a pointer; libc falls back to clone. */
static const uint32_t exec_enosys[] = { SYS_clone3 };

static const struct group exec_groups[] = {
	GROUP(P_EVERY, SOFT(EPERM), exec_denied),
	GROUP(P_EVERY, SOFT(ENOSYS), exec_enosys),
};

static const struct {
	const char	*name;
	uint32_t	 bit;
} words[] = {
	{ "stdio",	PLEDGE_STDIO },
	{ "rpath",	PLEDGE_RPATH },
	{ "wpath",	PLEDGE_WPATH },
	{ "cpath",	PLEDGE_CPATH },
	{ "flock",	PLEDGE_FLOCK },
	{ "fattr",	PLEDGE_FATTR },
	{ "inet",	PLEDGE_INET },
	{ "unix",	PLEDGE_UNIX },
	{ "recvfd",	PLEDGE_RECVFD },
	{ "sendfd",	PLEDGE_SENDFD },
	{ "proc",	PLEDGE_PROC },
	{ "exec",	PLEDGE_EXEC },
	{ "id",		PLEDGE_ID },
	{ "prot_exec",	PLEDGE_PROT_EXEC },
	{ "unveil",	PLEDGE_UNVEIL },
};

/* What of root is left; chroot goes with the users that it is made for. */
static const struct {
	uint32_t	 promise;
	int		 cap;
} powers[] = {
	{ PLEDGE_RPATH,	CAP_DAC_READ_SEARCH },
	{ PLEDGE_INET,	CAP_NET_BIND_SERVICE },
	{ PLEDGE_PROC,	CAP_KILL },
	{ PLEDGE_ID,	CAP_SETUID },
	{ PLEDGE_ID,	CAP_SETGID },
	{ PLEDGE_ID,	CAP_SYS_CHROOT },
};

static uint32_t	 kept = 0xffffffffu;	/* promises not yet given up */

static int	 parse(const char *, uint32_t *);
static uint32_t	 word(const char *, size_t);
static void	 emit(struct filter *, unsigned int, uint32_t, uint8_t,
		    uint8_t);
static void	 emit_head(struct filter *);
static void	 emit_test(struct filter *, const struct test *, int);
static void	 emit_rule(struct filter *, const struct rule *);
static void	 emit_rules(struct filter *, uint32_t, const struct rule *,
		    size_t);
static void	 emit_groups(struct filter *, uint32_t, const struct group *,
		    size_t);
static int	 install(uint32_t);
static int	 give_up(uint32_t);

int
pledge(const char *promises, const char *execpromises)
{
	uint32_t	 p;
	int		 abi;

	if (execpromises != NULL) {
		errno = EINVAL;
		return (-1);
	}
	if (promises == NULL)
		return (0);
	if (parse(promises, &p) == -1)
		return (-1);
	if (p & ~kept) {
		errno = EPERM;
		return (-1);
	}
	if (p == kept)
		return (0);		/* the kernel counts filters */
	if ((abi = landlock_abi()) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return (-1);
	/* No core file with secrets, no reader of the same user. */
	if ((p & PLEDGE_EXEC) == 0 &&
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return (-1);
	if ((p & PLEDGE_EXEC) && give_up(p) == -1)
		return (-1);
	if (unveil_pledge(p, abi) == -1 || install(p) == -1)
		return (-1);
	kept = p;
	return (0);
}

static int
parse(const char *s, uint32_t *p)
{
	uint32_t	 bit;
	size_t		 len;

	*p = PLEDGE_ALWAYS;
	for (s += strspn(s, " "); *s != '\0'; s += strspn(s, " ")) {
		len = strcspn(s, " ");
		if ((bit = word(s, len)) == 0) {
			errno = EINVAL;
			return (-1);
		}
		*p |= bit;
		s += len;
	}
	return (0);
}

static uint32_t
word(const char *s, size_t len)
{
	size_t	 i;

	for (i = 0; i < NITEMS(words); i++)
		if (strlen(words[i].name) == len &&
		    memcmp(words[i].name, s, len) == 0)
			return (words[i].bit);
	return (0);
}

static int
install(uint32_t p)
{
	struct sock_filter	 code[FILTER_MAX];
	struct sock_fprog	 prog;
	int			 n;

	if ((n = pledge_filter(p, code, NITEMS(code))) == -1)
		return (-1);
	prog.len = (unsigned short)n;
	prog.filter = code;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) != 0)
		return (-1);
	return (0);
}

/*
 * The capabilities that no promise names.  Who may not shorten the bounding
 * set need not: no_new_privs is set, and by that execve adds nothing.
 */
static int
give_up(uint32_t p)
{
	struct __user_cap_header_struct	 head = { _LINUX_CAPABILITY_VERSION_3,
					    0 };
	struct __user_cap_data_struct	 data[_LINUX_CAPABILITY_U32S_3];
	uint64_t			 keep = 0;
	size_t				 i;
	int				 cap;

	for (i = 0; i < NITEMS(powers); i++)
		if (powers[i].promise & p)
			keep |= 1ULL << powers[i].cap;
	for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != -1; cap++)
		if ((keep >> cap & 1) == 0 &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1 &&
		    errno != EPERM)
			return (-1);
	if (syscall(SYS_capget, &head, data) == -1)
		return (-1);
	for (i = 0; i < NITEMS(data); i++) {
		data[i].permitted &= (uint32_t)(keep >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return ((int)syscall(SYS_capset, &head, data));
}

int
pledge_filter(uint32_t p, struct sock_filter *code, size_t size)
{
	struct filter	 f = { code, size, 0 };

	p |= PLEDGE_ALWAYS;
	if ((p & PLEDGE_WPATH) && (p & PLEDGE_CPATH))
		p |= P_WCPATH;
	emit_head(&f);
	if (p & PLEDGE_EXEC) {
		emit_rules(&f, p, exec_rules, NITEMS(exec_rules));
		emit_groups(&f, p, exec_groups, NITEMS(exec_groups));
		emit(&f, BPF_RET | BPF_K, ALLOW, 0, 0);
	} else {
		emit_rules(&f, p, rules, NITEMS(rules));
		emit_groups(&f, p, groups, NITEMS(groups));
		emit(&f, BPF_RET | BPF_K, KILL, 0, 0);
	}
	if (f.f_len > f.f_size) {
		errno = E2BIG;
		return (-1);
	}
	return ((int)f.f_len);
}

static void
emit(struct filter *f, unsigned int code, uint32_t k, uint8_t jt, uint8_t jf)
{
	struct sock_filter	*i;

	if (f->f_len < f->f_size) {
		i = &f->f_code[f->f_len];
		i->code = (uint16_t)code;
		i->k = k;
		i->jt = jt;
		i->jf = jf;
	}
	f->f_len++;
}

#define LOAD_NR(f)	emit((f), BPF_LD | BPF_W | BPF_ABS,		\
    offsetof(struct seccomp_data, nr), 0, 0)

/* The numbers below mean something on one architecture only. */
static void
emit_head(struct filter *f)
{
	emit(f, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch),
	    0, 0);
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 1, 0);
	emit(f, BPF_RET | BPF_K, KILL, 0, 0);
	LOAD_NR(f);
	emit(f, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	emit(f, BPF_RET | BPF_K, KILL, 0, 0);
	emit(f, BPF_JMP | BPF_JGT | BPF_K, LAST_CALL, 0, 1);
	emit(f, BPF_RET | BPF_K, SOFT(ENOSYS), 0, 0);
}

#define MISS	0xff		/* a jump that emit_rule() still has to aim */

/* Both machines are little endian: the low half of an argument is first. */
static void
emit_test(struct filter *f, const struct test *t, int strict)
{
	uint32_t	 off, val;

	if (t->t_op == OP_NONE)
		return;
	off = (uint32_t)offsetof(struct seccomp_data, args) + t->t_arg * 8;
	val = t->t_op == OP_SELF ? (uint32_t)getpid() : t->t_val;
	emit(f, BPF_LD | BPF_W | BPF_ABS, off, 0, 0);
	if (t->t_mask != 0xffffffffu)
		emit(f, BPF_ALU | BPF_AND | BPF_K, t->t_mask, 0, 0);
	if (t->t_op == OP_NE)
		emit(f, BPF_JMP | BPF_JEQ | BPF_K, val, MISS, 0);
	else
		emit(f, BPF_JMP | BPF_JEQ | BPF_K, val, 0, MISS);
	if (!strict)
		return;
	emit(f, BPF_LD | BPF_W | BPF_ABS, off + 4, 0, 0);
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, MISS);
}

/*
 * What allows wants the upper half of the argument clear; what refuses does
 * not look at it, since the kernel may not either.
 */
static void
emit_rule(struct filter *f, const struct rule *r)
{
	struct sock_filter	*s;
	size_t			 i, start = f->f_len;

	emit(f, BPF_JMP | BPF_JEQ | BPF_K, r->r_nr, 0, MISS);
	emit_test(f, &r->r_test[0], r->r_action == ALLOW);
	emit_test(f, &r->r_test[1], r->r_action == ALLOW);
	emit(f, BPF_RET | BPF_K, r->r_action, 0, 0);
	if (f->f_len > f->f_size)
		return;
	for (i = start; i < f->f_len; i++) {
		s = &f->f_code[i];
		if (s->jt == MISS)
			s->jt = (uint8_t)(f->f_len - i - 1);
		if (s->jf == MISS)
			s->jf = (uint8_t)(f->f_len - i - 1);
	}
	LOAD_NR(f);
}

static void
emit_rules(struct filter *f, uint32_t p, const struct rule *r, size_t n)
{
	for (; n > 0; n--, r++)
		if ((r->r_promises & p) && r->r_nr != NO_CALL)
			emit_rule(f, r);
}

static void
emit_groups(struct filter *f, uint32_t p, const struct group *g, size_t n)
{
	size_t	 i;

	for (; n > 0; n--, g++) {
		if ((g->g_promises & p) == 0)
			continue;
		for (i = 0; i < g->g_ncalls; i++) {
			if (g->g_calls[i] == NO_CALL)
				continue;
			emit(f, BPF_JMP | BPF_JEQ | BPF_K, g->g_calls[i], 0,
			    1);
			emit(f, BPF_RET | BPF_K, g->g_action, 0, 0);
		}
	}
}
