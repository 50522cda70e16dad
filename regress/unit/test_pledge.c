/*
 * Each attempt is a child of its own: it pledges, tries, and what became of
 * it is compared with what was promised.  Then every call number, against a
 * list that shares nothing with the filter.  Then what the daemon's libraries
 * must still be able to do in there.
 */
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

#include <argon2.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <event.h>
#include <fcntl.h>
#include <grp.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <tls.h>
#include <unistd.h>

#include "compat/sandbox.h"
#include "unit.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define PLAIN		"stdio"
#define SESSION		"stdio recvfd inet"
#define AUTH		"stdio recvfd unix"
#define KEYS		"stdio recvfd"
#define STORAGE		"stdio rpath wpath cpath flock fattr recvfd"
#define PARENT		"stdio rpath wpath cpath inet unix sendfd recvfd " \
    "proc exec id"

#define NOBODY		65534
#define SETUP_FAILED	99

static const char *const sets[] = { PLAIN, KEYS, SESSION, AUTH, STORAGE };

/* What the child saw; shared with it. */
struct seen {
	long	 ret;
	int	 err;
	int	 done;
};

/* What the parent saw: a signal, or the errno of the call, 0 for success. */
struct end {
	int	 sig;
	int	 err;
	int	 done;
};

static struct seen	*seen;

static void
become_nobody(void)
{
	if (geteuid() != 0)
		return;
	if (setgroups(0, NULL) == -1 ||
	    setresgid(NOBODY, NOBODY, NOBODY) == -1 ||
	    setresuid(NOBODY, NOBODY, NOBODY) == -1)
		_exit(SETUP_FAILED);
}

/* No file as standard input, that a call with zeros could change. */
static void
hide_stdin(void)
{
	int	 p[2];

	if (pipe(p) == -1 || dup2(p[0], 0) == -1)
		_exit(SETUP_FAILED);
}

static struct end
reap(pid_t pid)
{
	struct end	 e = { 0, 0, 0 };
	int		 status;

	if (waitpid(pid, &status, 0) != pid) {
		CHECK(0);
		return (e);
	}
	CHECK(!WIFEXITED(status) || WEXITSTATUS(status) != SETUP_FAILED);
	if (WIFSIGNALED(status))
		e.sig = WTERMSIG(status);
	e.done = seen->done;
	e.err = seen->ret == -1 ? seen->err : 0;
	return (e);
}

static struct end
attempt(const char *promises, long (*fn)(void *), void *arg)
{
	pid_t	 pid;

	memset(seen, 0, sizeof(*seen));
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		hide_stdin();
		become_nobody();
		if (pledge(promises, NULL) == -1)
			_exit(SETUP_FAILED);
		errno = 0;
		seen->ret = fn(arg);
		seen->err = errno;
		seen->done = 1;
		_exit(0);
	}
	return (reap(pid));
}

/*
 * Words.
 */

static long
call_pledge(void *arg)
{
	return (pledge(arg, NULL));
}

static long
call_execpromises(void *arg)
{
	return (pledge("stdio", arg));
}

static long
call_getpid(void *arg)
{
	(void)arg;
	return (syscall(SYS_getpid));
}

static void
test_words(void)
{
	static char	 bad[] = "stdio bogus", prefix[] = "std";
	static char	 narrow[] = " stdio  ", wide[] = "stdio rpath";
	static char	 none[] = "";
	struct end	 e;

	CHECK_INT(attempt(KEYS, call_pledge, bad).err, EINVAL);
	CHECK_INT(attempt(KEYS, call_pledge, prefix).err, EINVAL);
	CHECK_INT(attempt(KEYS, call_execpromises, narrow).err, EINVAL);
	CHECK_INT(attempt(KEYS, call_pledge, wide).err, EPERM);
	e = attempt(SESSION, call_pledge, narrow);
	CHECK(e.done && e.err == 0 && e.sig == 0);
	e = attempt(SESSION, call_pledge, NULL);
	CHECK(e.done && e.err == 0 && e.sig == 0);
	/* Nothing promised leaves the exit. */
	e = attempt(SESSION, call_pledge, none);
	CHECK(e.done && e.err == 0 && e.sig == 0);
	CHECK_INT(attempt(none, call_getpid, NULL).sig, SIGSYS);
}

/*
 * Attempts.  Each returns what the call returned.
 */

static long
try_open(void *arg)
{
	return (open(arg, O_RDONLY | O_CLOEXEC));
}

static long
try_open_trunc(void *arg)
{
	return (open(arg, O_RDONLY | O_TRUNC));
}

static long
try_create(void *arg)
{
	return (open(arg, O_WRONLY | O_CREAT | O_EXCL, 0600));
}

static long
try_stat(void *arg)
{
	struct stat	 st;

	return (stat(arg, &st));
}

static long
try_fstat(void *arg)
{
	struct stat	 st;

	(void)arg;
	return (fstat(0, &st));
}

static long
try_socket(void *arg)
{
	return (socket(*(int *)arg, SOCK_STREAM, 0));
}

static long
try_socketpair(void *arg)
{
	int	 p[2];

	(void)arg;
	return (socketpair(AF_UNIX, SOCK_STREAM, 0, p));
}

static long
try_connect(void *arg)
{
	struct sockaddr_in	 sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return (connect(*(int *)arg, (struct sockaddr *)&sin, sizeof(sin)));
}

static long
try_bind(void *arg)
{
	struct sockaddr_in	 sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return (bind(*(int *)arg, (struct sockaddr *)&sin, sizeof(sin)));
}

static long
try_listen(void *arg)
{
	return (listen(*(int *)arg, 1));
}

/* A listening socket that was shut down connects by sendto. */
static long
try_fastopen(void *arg)
{
	struct sockaddr_in	 sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)shutdown(*(int *)arg, SHUT_RDWR);
	return (sendto(*(int *)arg, "x", 1, MSG_FASTOPEN,
	    (struct sockaddr *)&sin, sizeof(sin)));
}

static long
try_fastopen_msg(void *arg)
{
	struct sockaddr_in	 sin;
	struct msghdr		 msg;

	memset(&sin, 0, sizeof(sin));
	memset(&msg, 0, sizeof(msg));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	msg.msg_name = &sin;
	msg.msg_namelen = sizeof(sin);
	return (sendmsg(*(int *)arg, &msg, MSG_FASTOPEN));
}

/* One child must not end a listening socket that it shares with others. */
static long
try_shutdown(void *arg)
{
	return (shutdown(*(int *)arg, SHUT_RD) == -1 && errno == EPERM ?
	    shutdown(*(int *)arg, SHUT_RDWR) : 0);
}

static long
try_half_close(void *arg)
{
	return (shutdown(*(int *)arg, SHUT_WR));
}

static long
try_sendto(void *arg)
{
	struct sockaddr_un	 sun;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	return (sendto(*(int *)arg, "x", 1, 0, (struct sockaddr *)&sun,
	    sizeof(sun)));
}

static long
try_bpf_on_socket(void *arg)
{
	struct sock_filter	 code = { BPF_RET | BPF_K, 0, 0, 0 };
	struct sock_fprog	 prog = { 1, &code };

	return (setsockopt(*(int *)arg, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
	    sizeof(prog)));
}

static long
try_nodelay(void *arg)
{
	int	 one = 1;

	return (setsockopt(*(int *)arg, IPPROTO_TCP, TCP_NODELAY, &one,
	    sizeof(one)));
}

static long
try_peercred(void *arg)
{
	struct ucred	 cred;
	socklen_t	 len = sizeof(cred);

	return (getsockopt(*(int *)arg, SOL_SOCKET, SO_PEERCRED, &cred,
	    &len));
}

static long
try_getsockname(void *arg)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof(ss);

	return (getsockname(*(int *)arg, (struct sockaddr *)&ss, &len));
}

static long
try_accept(void *arg)
{
	return (accept4(*(int *)arg, NULL, NULL, SOCK_CLOEXEC));
}

static long
try_exec(void *arg)
{
	static char	 path[] = "/bin/true";
	char		*argv[2];

	(void)arg;
	argv[0] = path;
	argv[1] = NULL;
	return (execv(path, argv));
}

static long
try_fork(void *arg)
{
	pid_t	 pid;

	(void)arg;
	if ((pid = fork()) == 0)
		_exit(0);
	return (pid);
}

static void *
thread(void *arg)
{
	return (arg);
}

static long
try_thread(void *arg)
{
	pthread_t	 t;

	return (pthread_create(&t, NULL, thread, arg) == 0 ? 0 : -1);
}

static long
try_clone3(void *arg)
{
	struct clone_args	 ca;

	(void)arg;
	memset(&ca, 0, sizeof(ca));
	return (syscall(SYS_clone3, &ca, sizeof(ca)));
}

static long
try_ptrace(void *arg)
{
	return (ptrace(PTRACE_ATTACH, *(pid_t *)arg, NULL, NULL));
}

static long
try_vm_read(void *arg)
{
	struct iovec	 iov;
	char		 c;

	iov.iov_base = &c;
	iov.iov_len = 1;
	return (process_vm_readv(*(pid_t *)arg, &iov, 1, &iov, 1, 0));
}

static long
try_kill(void *arg)
{
	return (kill(*(pid_t *)arg, 0));
}

static long
try_tgkill(void *arg)
{
	return (syscall(SYS_tgkill, *(pid_t *)arg, *(pid_t *)arg, 0));
}

static long
try_pidfd(void *arg)
{
	return (syscall(SYS_pidfd_open, *(pid_t *)arg, 0));
}

static long
try_raise(void *arg)
{
	if (signal(SIGUSR1, SIG_IGN) == SIG_ERR)
		return (-1);
	(void)arg;
	return (raise(SIGUSR1) == 0 && kill(getpid(), 0) == 0 ? 0 : -1);
}

static long
try_abort(void *arg)
{
	(void)arg;
	abort();
}

static long
try_mmap_exec(void *arg)
{
	(void)arg;
	return (mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
}

static long
try_mprotect_exec(void *arg)
{
	void	*p;

	(void)arg;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || mprotect(p, 4096, PROT_READ) == -1)
		return (-1);
	return (mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static long
try_mount(void *arg)
{
	return (mount("none", arg, "tmpfs", 0, NULL));
}

static long
try_setown(void *arg)
{
	return (fcntl(0, F_SETOWN, *(pid_t *)arg));
}

static long
try_lock(void *arg)
{
	struct flock	 fl;

	memset(&fl, 0, sizeof(fl));
	fl.l_type = F_WRLCK;
	return (fcntl(*(int *)arg, F_SETLK, &fl));
}

static long
try_nonblock(void *arg)
{
	return (fcntl(*(int *)arg, F_SETFL, O_NONBLOCK));
}

static long
try_async(void *arg)
{
	return (fcntl(*(int *)arg, F_SETFL, O_ASYNC));
}

static long
try_sti(void *arg)
{
	return (ioctl(0, TIOCSTI, arg));
}

static long
try_fionread(void *arg)
{
	int	 n;

	(void)arg;
	return (ioctl(0, FIONREAD, &n));
}

static long
try_dumpable(void *arg)
{
	(void)arg;
	if (prctl(PR_GET_DUMPABLE) != 0)
		return (0);
	return (prctl(PR_SET_DUMPABLE, 1));
}

static long
try_setrlimit(void *arg)
{
	struct rlimit	 rl;

	(void)arg;
	if (getrlimit(RLIMIT_CORE, &rl) == -1)
		return (0);
	return (setrlimit(RLIMIT_CORE, &rl));
}

static long
try_number(void *arg)
{
	return (syscall(*(long *)arg, 0, 0, 0, 0, 0, 0));
}

struct attempt {
	const char	*promises;
	long		 (*fn)(void *);
	void		*arg;
	int		 sig, err;
};

static void
attempts(const struct attempt *a, size_t n)
{
	struct end	 e;

	for (; n > 0; n--, a++) {
		e = attempt(a->promises, a->fn, a->arg);
		CHECK_INT(e.sig, a->sig);
		CHECK_INT(e.err, a->err);
		CHECK_INT(e.done, a->sig == 0);
		if (e.sig != a->sig || e.err != a->err)
			fprintf(stderr, "attempt %zu from the end, \"%s\"\n",
			    n, a->promises);
	}
}

/* In every set of the daemon's children the same. */
static void
test_never(void)
{
	static long	 x32 = 0x40000000L + SYS_getpid;
	static long	 direct[] = { SYS_keyctl, SYS_add_key, SYS_bpf,
			    SYS_io_uring_setup, SYS_unshare, SYS_setns,
			    SYS_perf_event_open, SYS_userfaultfd,
			    SYS_memfd_create, SYS_personality, SYS_chroot,
			    SYS_setuid, SYS_setresuid, SYS_capset,
			    SYS_inotify_init1, SYS_splice };
	static char	 passwd[] = "/etc/passwd", mnt[] = "/mnt";
	static int	 inet = AF_INET, bad = -1, out;
	static pid_t	 self, init = 1;
	struct attempt	 a[] = {
		{ NULL, try_socket, &inet, 0, EACCES },
		{ NULL, try_socketpair, NULL, 0, EACCES },
		{ NULL, try_connect, &bad, 0, EACCES },
		{ NULL, try_bind, &bad, SIGSYS, 0 },
		{ NULL, try_listen, &out, SIGSYS, 0 },
		{ NULL, try_fastopen, &out, SIGSYS, 0 },
		{ NULL, try_fastopen_msg, &out, SIGSYS, 0 },
		{ NULL, try_shutdown, &out, 0, EPERM },
		{ NULL, try_half_close, &out, 0, 0 },
		{ NULL, try_sendto, &out, SIGSYS, 0 },
		{ NULL, try_bpf_on_socket, &out, 0, EACCES },
		{ NULL, try_peercred, &out, 0, 0 },
		{ NULL, try_exec, NULL, SIGSYS, 0 },
		{ NULL, try_fork, NULL, SIGSYS, 0 },
		{ NULL, try_thread, NULL, SIGSYS, 0 },
		{ NULL, try_clone3, NULL, 0, ENOSYS },
		{ NULL, try_ptrace, &self, SIGSYS, 0 },
		{ NULL, try_vm_read, &self, SIGSYS, 0 },
		{ NULL, try_kill, &self, SIGSYS, 0 },
		{ NULL, try_kill, &init, SIGSYS, 0 },
		{ NULL, try_kill, &bad, SIGSYS, 0 },
		{ NULL, try_tgkill, &self, SIGSYS, 0 },
		{ NULL, try_pidfd, &self, SIGSYS, 0 },
		{ NULL, try_raise, NULL, 0, 0 },
		{ NULL, try_abort, NULL, SIGABRT, 0 },
		{ NULL, try_mmap_exec, NULL, SIGSYS, 0 },
		{ NULL, try_mprotect_exec, NULL, SIGSYS, 0 },
		{ NULL, try_mount, mnt, SIGSYS, 0 },
		{ NULL, try_setown, &self, 0, EPERM },
		{ NULL, try_nonblock, &out, 0, 0 },
		{ NULL, try_async, &out, 0, EPERM },
		{ NULL, try_sti, passwd, 0, ENOTTY },
		{ NULL, try_fionread, NULL, 0, 0 },
		{ NULL, try_dumpable, NULL, 0, EPERM },
		{ NULL, try_setrlimit, NULL, 0, EPERM },
		{ NULL, try_fstat, NULL, 0, 0 },
		{ NULL, try_number, &x32, SIGSYS, 0 },
	};
	struct attempt	 d = { NULL, try_number, NULL, SIGSYS, 0 };
	socklen_t	 len = sizeof(int);
	size_t		 i, j;
	int		 listening = 0;

	self = getpid();
	out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(out != -1 && listen(out, 1) == 0);
	for (i = 0; i < NITEMS(sets); i++) {
		for (j = 0; j < NITEMS(a); j++)
			a[j].promises = sets[i];
		attempts(a, NITEMS(a));
		d.promises = sets[i];
		for (j = 0; j < NITEMS(direct); j++) {
			d.arg = &direct[j];
			attempts(&d, 1);
		}
	}
	CHECK(getsockopt(out, SOL_SOCKET, SO_ACCEPTCONN, &listening,
	    &len) == 0);
	CHECK_INT(listening, 1);
	close(out);
}

/* What one set has and another has not. */
static void
test_some(void)
{
	static char	 passwd[] = "/etc/passwd", none[] = "/nonexistent";
	static int	 sock, lock;
	const struct attempt	 a[] = {
		{ PLAIN, try_open, passwd, 0, EACCES },
		{ SESSION, try_open, passwd, 0, EACCES },
		{ AUTH, try_stat, passwd, 0, EACCES },
		{ "stdio rpath", try_open, passwd, 0, 0 },
		{ "stdio rpath", try_stat, passwd, 0, 0 },
		{ "stdio rpath", try_open, none, 0, ENOENT },
		{ "stdio rpath", try_open_trunc, none, 0, EACCES },
		{ "stdio rpath", try_create, none, 0, EACCES },
		{ "stdio wpath", try_open, passwd, 0, EACCES },
		{ "stdio wpath", try_create, none, 0, EACCES },
		{ "stdio cpath", try_create, none, 0, EACCES },
		{ "stdio unveil", try_open, passwd, 0, EACCES },
		{ PLAIN, try_accept, &sock, SIGSYS, 0 },
		{ SESSION, try_accept, &sock, 0, EAGAIN },
		{ AUTH, try_accept, &sock, 0, EAGAIN },
		{ PLAIN, try_getsockname, &sock, 0, EACCES },
		{ SESSION, try_getsockname, &sock, 0, 0 },
		{ PLAIN, try_nodelay, &sock, 0, EACCES },
		{ AUTH, try_nodelay, &sock, 0, EACCES },
		{ SESSION, try_nodelay, &sock, 0, 0 },
		{ SESSION, try_lock, &lock, 0, EPERM },
		{ STORAGE, try_lock, &lock, 0, 0 },
		{ "stdio proc", try_fork, NULL, 0, 0 },
		{ "stdio proc", try_exec, NULL, SIGSYS, 0 },
		{ "stdio proc", try_thread, NULL, SIGSYS, 0 },
		{ "stdio id", try_setrlimit, NULL, 0, 0 },
		{ "stdio prot_exec", try_mmap_exec, NULL, 0, 0 },
		{ "stdio prot_exec", try_mprotect_exec, NULL, 0, 0 },
	};
	FILE		*fp;

	sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK(sock != -1 && listen(sock, 1) == 0);
	CHECK((fp = tmpfile()) != NULL);
	lock = fileno(fp);
	attempts(a, NITEMS(a));
	fclose(fp);
	close(sock);
}

/* A second call adds a filter: what the first one took never comes back. */
static long
narrow_then_accept(void *arg)
{
	if (pledge("stdio", NULL) == -1)
		return (-1);
	return (try_accept(arg));
}

static long
narrow_then_open(void *arg)
{
	if (pledge("stdio rpath", NULL) == -1 || try_open(arg) == -1 ||
	    pledge("stdio", NULL) == -1)
		return (0);
	return (try_open(arg));
}

static void
test_narrow(void)
{
	static char	 passwd[] = "/etc/passwd";
	static int	 fd = -1;

	CHECK_INT(attempt(SESSION, narrow_then_accept, &fd).sig, SIGSYS);
	CHECK_INT(attempt(STORAGE, narrow_then_open, passwd).err, EACCES);
	CHECK_INT(attempt(PARENT, narrow_then_open, passwd).err, EACCES);
	CHECK_INT(attempt(PARENT, narrow_then_accept, &fd).sig, SIGSYS);
}

/*
 * Every call number, with zeros as arguments.
 */

struct allowed {
	uint32_t	 promises;	/* any of these */
	uint32_t	 calls[100];	/* up to END */
};

#define P_PATH	(PLEDGE_RPATH | PLEDGE_WPATH | PLEDGE_CPATH)
#define P_SOCK	(PLEDGE_INET | PLEDGE_UNIX)
#define END	0xfffffffeu

static const struct allowed allowed[] = {
	{ PLEDGE_ALWAYS, { SYS_exit, SYS_exit_group, SYS_rt_sigreturn, END } },
	{ PLEDGE_STDIO, {
		SYS_alarm, SYS_brk, SYS_clock_getres, SYS_clock_gettime,
		SYS_clock_nanosleep, SYS_close, SYS_close_range, SYS_dup,
		SYS_dup2, SYS_dup3, SYS_epoll_create, SYS_epoll_create1,
		SYS_epoll_ctl, SYS_epoll_pwait, SYS_epoll_pwait2,
		SYS_epoll_wait, SYS_eventfd, SYS_eventfd2, SYS_fadvise64,
		SYS_fcntl, SYS_fdatasync, SYS_fstat, SYS_fsync,
		SYS_ftruncate, SYS_futex, SYS_getcpu, SYS_getegid,
		SYS_geteuid, SYS_getgid, SYS_getgroups, SYS_getitimer,
		SYS_getpgid, SYS_getpgrp, SYS_getpid, SYS_getppid,
		SYS_getrandom, SYS_getresgid, SYS_getresuid, SYS_getrlimit,
		SYS_getrusage, SYS_getsid, SYS_gettid, SYS_gettimeofday,
		SYS_getuid, SYS_landlock_add_rule,
		SYS_landlock_create_ruleset, SYS_landlock_restrict_self,
		SYS_lseek, SYS_madvise, SYS_mlock, SYS_mlock2, SYS_mmap,
		SYS_mprotect, SYS_mremap, SYS_msync, SYS_munlock,
		SYS_munmap, SYS_nanosleep, SYS_pause, SYS_pipe, SYS_pipe2,
		SYS_poll, SYS_ppoll, SYS_pread64, SYS_preadv,
		SYS_prlimit64, SYS_pselect6, SYS_pwrite64, SYS_pwritev,
		SYS_read, SYS_readv, SYS_recvfrom, SYS_recvmsg,
		SYS_restart_syscall, SYS_rt_sigaction, SYS_rt_sigpending,
		SYS_rt_sigprocmask, SYS_rt_sigsuspend, SYS_rt_sigtimedwait,
		SYS_sched_yield, SYS_select, SYS_sendmsg, SYS_sendto,
		SYS_setitimer, SYS_sigaltstack, SYS_signalfd, SYS_signalfd4,
		SYS_sysinfo, SYS_time, SYS_timerfd_create,
		SYS_timerfd_gettime, SYS_timerfd_settime, SYS_times,
		SYS_umask, SYS_uname, SYS_write, SYS_writev, END } },
	{ P_PATH, {
		SYS_access, SYS_chdir, SYS_faccessat, SYS_faccessat2,
		SYS_fchdir, SYS_fstatfs, SYS_getcwd, SYS_lstat,
		SYS_newfstatat, SYS_open, SYS_openat, SYS_readlink,
		SYS_readlinkat, SYS_stat, SYS_statfs, SYS_statx, END } },
	{ PLEDGE_RPATH, { SYS_getdents, SYS_getdents64, END } },
	{ PLEDGE_WPATH, { SYS_fallocate, SYS_truncate, END } },
	{ PLEDGE_CPATH, {
		SYS_creat, SYS_link, SYS_linkat, SYS_mkdir, SYS_mkdirat,
		SYS_rename, SYS_renameat, SYS_renameat2, SYS_rmdir,
		SYS_symlink, SYS_symlinkat, SYS_unlink, SYS_unlinkat, END } },
	{ PLEDGE_FATTR, {
		SYS_chmod, SYS_fchmod, SYS_fchmodat, SYS_futimesat,
		SYS_utime, SYS_utimensat, SYS_utimes, END } },
	{ PLEDGE_FLOCK, { SYS_flock, END } },
	{ P_SOCK, {
		SYS_accept, SYS_accept4, SYS_getpeername, SYS_getsockname,
		END } },
};

/* Refused with an errno wherever they are not allowed. */
static const struct {
	int		 err;
	uint32_t	 calls[40];
} soft[] = {
	{ EACCES, {
		SYS_access, SYS_connect, SYS_creat, SYS_faccessat,
		SYS_faccessat2, SYS_fstatfs, SYS_getcwd, SYS_getdents,
		SYS_getdents64, SYS_getpeername, SYS_getsockname,
		SYS_getsockopt, SYS_lstat, SYS_newfstatat, SYS_open,
		SYS_openat, SYS_readlink, SYS_readlinkat, SYS_setsockopt,
		SYS_shmat, SYS_shmctl, SYS_shmdt, SYS_shmget, SYS_socket,
		SYS_socketpair, SYS_stat, SYS_statfs, SYS_statx, END } },
	{ EPERM, {
		SYS_chown, SYS_fchmod, SYS_fchown, SYS_fchownat,
		SYS_getpriority, SYS_lchown, SYS_mlockall, SYS_prctl,
		SYS_sched_get_priority_max, SYS_sched_get_priority_min,
		SYS_sched_getaffinity, SYS_sched_getattr,
		SYS_sched_getparam, SYS_sched_getscheduler,
		SYS_sched_rr_get_interval, SYS_sched_setaffinity,
		SYS_sched_setattr, SYS_sched_setparam,
		SYS_sched_setscheduler, SYS_setpriority, SYS_setrlimit,
		SYS_shutdown, END } },
	{ ENOSYS, {
		SYS_arch_prctl, SYS_clone3, SYS_membarrier, SYS_openat2,
		SYS_rseq, END } },
	{ ENOTTY, { SYS_ioctl, END } },
};

/* These wait for a signal when all is zero. */
static const uint32_t waits[] = {
	SYS_pause, SYS_ppoll, SYS_pselect6, SYS_select
};

/*
 * Linux 6.11 and later let these, which only the kernel's own trampolines may
 * use, past every filter on x86_64; from elsewhere they fail or kill.
 */
static const uint32_t probes[] = { 335, 336 };

static int
listed(const uint32_t *calls, uint32_t nr)
{
	for (; *calls != END; calls++)
		if (*calls == nr)
			return (1);
	return (0);
}

static uint32_t
expected(uint32_t promises, uint32_t nr)
{
	size_t	 i;

	if (nr > 450)
		return (SECCOMP_RET_ERRNO | ENOSYS);
	for (i = 0; i < NITEMS(allowed); i++)
		if ((allowed[i].promises & promises) &&
		    listed(allowed[i].calls, nr))
			return (SECCOMP_RET_ALLOW);
	for (i = 0; i < NITEMS(soft); i++)
		if (listed(soft[i].calls, nr))
			return (SECCOMP_RET_ERRNO | (uint32_t)soft[i].err);
	return (SECCOMP_RET_KILL_PROCESS);
}

static uint32_t
bits(const char *promises)
{
	if (strcmp(promises, KEYS) == 0)
		return (PLEDGE_STDIO | PLEDGE_RECVFD);
	if (strcmp(promises, SESSION) == 0)
		return (PLEDGE_STDIO | PLEDGE_RECVFD | PLEDGE_INET);
	if (strcmp(promises, AUTH) == 0)
		return (PLEDGE_STDIO | PLEDGE_RECVFD | PLEDGE_UNIX);
	if (strcmp(promises, STORAGE) == 0)
		return (PLEDGE_STDIO | P_PATH | PLEDGE_FLOCK | PLEDGE_FATTR |
		    PLEDGE_RECVFD);
	return (PLEDGE_STDIO);
}

/* A call that waits is ended by the timer, which proves that it ran. */
static long
call_zero(void *arg)
{
	struct itimerval	 it;
	uint32_t		 nr = *(uint32_t *)arg;
	size_t			 i;

	memset(&it, 0, sizeof(it));
	it.it_value.tv_usec = 20000;
	for (i = 0; i < NITEMS(waits); i++)
		if (waits[i] == nr)
			(void)setitimer(ITIMER_REAL, &it, NULL);
	return (syscall((long)nr, 0, 0, 0, 0, 0, 0));
}

/* Return from no signal: it goes wherever the stack says. */
static int
harmless(uint32_t nr)
{
	return (nr != SYS_rt_sigreturn);
}

static int
zero_ok(const char *promises, uint32_t nr)
{
	struct end	 e;
	uint32_t	 want;
	size_t		 i;

	want = expected(PLEDGE_ALWAYS | bits(promises), nr);
	if (!harmless(nr))
		return (want == SECCOMP_RET_ALLOW);
	e = attempt(promises, call_zero, &nr);
	for (i = 0; i < NITEMS(probes); i++)
		if (probes[i] == nr)
			return (e.sig != 0 || e.err != 0);
	if (want == SECCOMP_RET_ALLOW)
		return (e.sig != SIGSYS);
	if (want == SECCOMP_RET_KILL_PROCESS)
		return (e.sig == SIGSYS);
	return (e.sig == 0 && e.done &&
	    e.err == (int)(want & SECCOMP_RET_DATA));
}

static void
test_numbers(void)
{
	uint32_t	 nr;
	size_t		 i;
	int		 ok;

	for (i = 0; i < NITEMS(sets); i++)
		for (nr = 0; nr <= 500; nr++) {
			ok = zero_ok(sets[i], nr);
			CHECK(ok);
			if (!ok)
				fprintf(stderr, "call %u, \"%s\"\n", nr,
				    sets[i]);
		}
}

/*
 * The program itself, for calls that no test can make: those of another
 * architecture, and those of the parent that would change this machine.
 */

static uint32_t
load(const struct seccomp_data *d, uint32_t off)
{
	uint32_t	 v;

	memcpy(&v, (const char *)d + off, sizeof(v));
	return (v);
}

static uint32_t
bpf_run(const struct sock_filter *i, const struct seccomp_data *d)
{
	uint32_t	 a = 0;

	for (;; i++) {
		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			a = load(d, i->k);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			i += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			i += a > i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			i += a >= i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return (i->k);
		default:
			CHECK(0);
			return (0);
		}
	}
}

static struct sock_filter	 prog[4096];

static uint32_t
verdict(uint32_t arch, uint32_t nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
	struct seccomp_data	 d;

	memset(&d, 0, sizeof(d));
	d.arch = arch;
	d.nr = (int)nr;
	d.args[0] = a0;
	d.args[1] = a1;
	d.args[2] = a2;
	return (bpf_run(prog, &d));
}

static void
test_program(void)
{
	const uint32_t	 archs[] = { AUDIT_ARCH_I386, AUDIT_ARCH_ARM,
			    AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64 };
	uint32_t	 nr, p;
	size_t		 i;

	for (i = 0; i < NITEMS(sets); i++) {
		p = bits(sets[i]);
		CHECK(pledge_filter(p, prog, NITEMS(prog)) > 0);
		for (nr = 0; nr <= 500; nr++)
			CHECK_INT(verdict(THIS_ARCH, nr, 0, 0, 0),
			    expected(PLEDGE_ALWAYS | p, nr));
	}
	for (nr = 0; nr <= 500; nr++)
		for (i = 0; i < NITEMS(archs); i++)
			if (archs[i] != THIS_ARCH)
				CHECK_INT(verdict(archs[i], nr, 0, 0, 0),
				    SECCOMP_RET_KILL_PROCESS);
	CHECK_INT(verdict(THIS_ARCH, 0x40000000, 0, 0, 0),
	    SECCOMP_RET_KILL_PROCESS);
	CHECK_INT(verdict(THIS_ARCH, 0xffffffff, 0, 0, 0),
	    SECCOMP_RET_KILL_PROCESS);
	CHECK_INT(pledge_filter(p, prog, 100), -1);
	CHECK_INT(errno, E2BIG);
	CHECK(pledge_filter(0xffffffff & ~PLEDGE_EXEC, prog,
	    NITEMS(prog)) <= 2048);
}

/* What open may ask for, by the old call and the one that libc uses. */
static void
test_flags(void)
{
	const struct {
		uint32_t	 promises;
		int		 flags, ok;
	} t[] = {
		{ PLEDGE_STDIO, O_RDONLY, 0 },
		{ PLEDGE_STDIO, O_PATH | O_CLOEXEC, 0 },
		{ PLEDGE_RPATH, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 1 },
		{ PLEDGE_RPATH, O_WRONLY, 0 },
		{ PLEDGE_RPATH, O_RDWR, 0 },
		{ PLEDGE_RPATH, O_TRUNC, 0 },
		{ PLEDGE_RPATH, O_CREAT, 0 },
		{ PLEDGE_RPATH, O_TMPFILE | O_RDWR, 0 },
		{ PLEDGE_WPATH, O_WRONLY | O_TRUNC, 1 },
		{ PLEDGE_WPATH, O_WRONLY | O_CREAT, 0 },
		{ PLEDGE_WPATH, O_WRONLY | O_TMPFILE, 0 },
		{ PLEDGE_CPATH, O_CREAT | O_EXCL, 1 },
		{ PLEDGE_CPATH, O_CREAT | O_TRUNC, 0 },
		{ PLEDGE_WPATH | PLEDGE_CPATH, O_RDWR | O_CREAT | O_TRUNC, 1 },
		{ PLEDGE_UNVEIL, O_PATH | O_CLOEXEC, 1 },
		{ PLEDGE_UNVEIL, O_RDONLY, 0 },
	};
	uint32_t	 want;
	uint64_t	 flags;
	size_t		 i;

	for (i = 0; i < NITEMS(t); i++) {
		CHECK(pledge_filter(PLEDGE_STDIO | t[i].promises, prog,
		    NITEMS(prog)) > 0);
		flags = (uint64_t)t[i].flags;
		want = t[i].ok ? SECCOMP_RET_ALLOW :
		    (SECCOMP_RET_ERRNO | EACCES);
		CHECK_INT(verdict(THIS_ARCH, SYS_openat, 0, 0, flags), want);
		if (SYS_open != NO_CALL)
			CHECK_INT(verdict(THIS_ARCH, SYS_open, 0, flags, 0),
			    want);
	}
}

/* The upper half of an argument neither opens nor hides anything. */
static void
test_halves(void)
{
	const uint64_t	 high = 1ULL << 32;

	CHECK(pledge_filter(bits(STORAGE), prog, NITEMS(prog)) > 0);
	CHECK_INT(verdict(THIS_ARCH, SYS_kill, (uint64_t)getpid(), 0, 0),
	    SECCOMP_RET_ALLOW);
	CHECK_INT(verdict(THIS_ARCH, SYS_kill, high | (uint64_t)getpid(), 0,
	    0), SECCOMP_RET_KILL_PROCESS);
	CHECK_INT(verdict(THIS_ARCH, SYS_mmap, 0, 0, PROT_READ),
	    SECCOMP_RET_ALLOW);
	CHECK_INT(verdict(THIS_ARCH, SYS_mmap, 0, 0, high),
	    SECCOMP_RET_KILL_PROCESS);
	CHECK_INT(verdict(THIS_ARCH, SYS_fcntl, 0, high | F_GETFL, 0),
	    SECCOMP_RET_ERRNO | EPERM);
	CHECK(pledge_filter(PLEDGE_EXEC, prog, NITEMS(prog)) > 0);
	CHECK_INT(verdict(THIS_ARCH, SYS_clone, high | CLONE_NEWUSER, 0, 0),
	    SECCOMP_RET_ERRNO | EPERM);
	CHECK_INT(verdict(THIS_ARCH, SYS_ioctl, 0, high | TIOCSTI, 0),
	    SECCOMP_RET_ERRNO | EPERM);
}

/*
 * The parent: what it must not do, and what its children need to give up
 * their rights by themselves.
 */
static void
test_parent_program(void)
{
	const uint32_t	 denied[] = { SYS_ptrace, SYS_process_vm_readv,
	    SYS_process_vm_writev, SYS_pidfd_getfd, SYS_mount, SYS_umount2,
	    SYS_pivot_root, SYS_open_tree, SYS_move_mount, SYS_fsopen,
	    SYS_fsmount, SYS_mount_setattr, SYS_unshare, SYS_setns,
	    SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_quotactl,
	    SYS_kexec_load, SYS_kexec_file_load, SYS_init_module,
	    SYS_finit_module, SYS_delete_module, SYS_reboot, SYS_swapon,
	    SYS_swapoff, SYS_acct, SYS_settimeofday, SYS_clock_settime,
	    SYS_adjtimex, SYS_clock_adjtime, SYS_ioperm, SYS_iopl, SYS_bpf,
	    SYS_perf_event_open, SYS_keyctl, SYS_add_key, SYS_request_key,
	    SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
	    SYS_userfaultfd, SYS_personality, SYS_mknodat };
	const uint32_t	 needed[] = { SYS_execve, SYS_clone, SYS_openat,
	    SYS_chroot, SYS_setgroups, SYS_setresuid, SYS_setresgid,
	    SYS_prctl, SYS_seccomp, SYS_landlock_create_ruleset,
	    SYS_landlock_add_rule, SYS_landlock_restrict_self, SYS_bind,
	    SYS_listen, SYS_kill, SYS_wait4, SYS_mmap, SYS_mprotect };
	const uint64_t	 family[] = { AF_PACKET, 38 /* AF_ALG */, AF_VSOCK,
	    AF_BLUETOOTH, AF_KEY };
	size_t		 i;

	CHECK(pledge_filter(PLEDGE_EXEC, prog, NITEMS(prog)) > 0);
	for (i = 0; i < NITEMS(denied); i++)
		if (denied[i] != NO_CALL)
			CHECK_INT(verdict(THIS_ARCH, denied[i], 0, 0, 0),
			    SECCOMP_RET_ERRNO | EPERM);
	for (i = 0; i < NITEMS(needed); i++)
		CHECK_INT(verdict(THIS_ARCH, needed[i], 0, 0, 0),
		    SECCOMP_RET_ALLOW);
	for (i = 0; i < NITEMS(family); i++)
		CHECK_INT(verdict(THIS_ARCH, SYS_socket, family[i], 0, 0),
		    SECCOMP_RET_ERRNO | EAFNOSUPPORT);
	CHECK_INT(verdict(THIS_ARCH, SYS_socket, AF_INET6, 0, 0),
	    SECCOMP_RET_ALLOW);
	CHECK_INT(verdict(THIS_ARCH, SYS_socketpair, AF_UNIX, 0, 0),
	    SECCOMP_RET_ALLOW);
	CHECK_INT(verdict(THIS_ARCH, 451, 0, 0, 0),
	    SECCOMP_RET_ERRNO | ENOSYS);
}

static long
parent_life(void *arg)
{
	char	*argv[2];
	pid_t	 pid;
	int	 status;

	argv[0] = arg;
	argv[1] = NULL;
	if ((pid = fork()) == 0) {
		execv(argv[0], argv);
		_exit(1);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return (1);
	if (kill(getppid(), 0) == -1)
		return (2);
	return (try_socketpair(NULL) == 0 ? 0 : 3);
}

static void
test_parent(void)
{
	static char	 path[] = "/bin/true";
	static long	 nr[] = { SYS_unshare, SYS_io_uring_setup, SYS_bpf,
			    SYS_setns, SYS_keyctl };
	static int	 alg = 38;
	struct attempt	 a[] = {
		{ PARENT, parent_life, path, 0, 0 },
		{ PARENT, try_socket, &alg, 0, EAFNOSUPPORT },
		{ PARENT, try_clone3, NULL, 0, ENOSYS },
		{ PARENT, try_thread, NULL, 0, 0 },
	};
	struct attempt	 d = { PARENT, try_number, NULL, 0, EPERM };
	size_t		 i;

	attempts(a, NITEMS(a));
	CHECK_INT(seen->ret, 0);
	for (i = 0; i < NITEMS(nr); i++) {
		d.arg = &nr[i];
		attempts(&d, 1);
	}
}

/*
 * What libraries do inside.
 */

struct kit {
	EVP_PKEY	*pkey;
	char		*cert, *key;
	size_t		 certlen, keylen;
	int		 listener;
	uint16_t	 port;
};

static struct kit	 kit;

static char *
bio_take(BIO *bio, size_t *len)
{
	char	*data, *copy;
	long	 n;

	if ((n = BIO_get_mem_data(bio, &data)) <= 0 ||
	    (copy = malloc((size_t)n)) == NULL)
		errx(1, "BIO");
	memcpy(copy, data, (size_t)n);
	*len = (size_t)n;
	BIO_free(bio);
	return (copy);
}

/* A key, a certificate of its own, and a socket that waits. */
static void
kit_make(void)
{
	struct sockaddr_in	 sin;
	socklen_t		 len = sizeof(sin);
	X509			*x;
	BIO			*cert, *key;

	kit.pkey = EVP_EC_gen("P-256");
	x = X509_new();
	cert = BIO_new(BIO_s_mem());
	key = BIO_new(BIO_s_mem());
	CHECK(kit.pkey != NULL && x != NULL && cert != NULL && key != NULL);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	CHECK(X509_set_pubkey(x, kit.pkey) == 1);
	CHECK(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN",
	    MBSTRING_ASC, (const unsigned char *)"x", -1, -1, 0) == 1);
	CHECK(X509_set_issuer_name(x, X509_get_subject_name(x)) == 1);
	CHECK(X509_sign(x, kit.pkey, EVP_sha256()) > 0);
	CHECK(PEM_write_bio_X509(cert, x) == 1);
	CHECK(PEM_write_bio_PrivateKey(key, kit.pkey, NULL, NULL, 0, NULL,
	    NULL) == 1);
	kit.cert = bio_take(cert, &kit.certlen);
	kit.key = bio_take(key, &kit.keylen);
	X509_free(x);

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	kit.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	CHECK(bind(kit.listener, (struct sockaddr *)&sin, sizeof(sin)) == 0);
	CHECK(listen(kit.listener, 5) == 0);
	CHECK(getsockname(kit.listener, (struct sockaddr *)&sin, &len) == 0);
	kit.port = ntohs(sin.sin_port);
}

static void
kit_free(void)
{
	EVP_PKEY_free(kit.pkey);
	free(kit.cert);
	free(kit.key);
	close(kit.listener);
}

static long
use_memory(void)
{
	char	*p[64];
	size_t	 i;

	for (i = 0; i < NITEMS(p); i++) {
		if ((p[i] = malloc(1000 + i * 8000)) == NULL)
			return (-1);
		memset(p[i], 1, 1000);
		if ((p[i] = realloc(p[i], 2000 + i * 16000)) == NULL)
			return (-1);
	}
	for (i = 0; i < NITEMS(p); i++) {
		explicit_bzero(p[i], 1000);
		free(p[i]);
	}
	return (0);
}

static long
use_chance(void)
{
	struct timespec	 ts;
	unsigned char	 buf[64];
	uint32_t	 a, b;

	a = arc4random();
	b = arc4random();
	arc4random_buf(buf, sizeof(buf));
	if (a == 0 && b == 0)
		return (-1);
	if (getentropy(buf, sizeof(buf)) == -1 ||
	    clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return (-1);
	return (time(NULL) > 0 && localtime(&ts.tv_sec) != NULL ? 0 : -1);
}

static long
use_log(void)
{
	int	 i;

	for (i = 0; i < 3; i++)
		syslog(LOG_DEBUG, "from within the sandbox, %d of 3", i + 1);
	closelog();
	syslog(LOG_DEBUG, "and after closelog");
	return (0);
}

static long
use_argon2(void)
{
	static char	 pwd[] = "secret", salt[] = "saltsaltsaltsalt";
	char		 out[128];

	if (argon2id_hash_encoded(2, 1024, 1, pwd, sizeof(pwd) - 1, salt,
	    sizeof(salt) - 1, 32, out, sizeof(out)) != ARGON2_OK)
		return (-1);
	return (argon2id_verify(out, pwd, sizeof(pwd) - 1) == ARGON2_OK ?
	    0 : -1);
}

static long
use_sign(void)
{
	EVP_MD_CTX	*ctx;
	unsigned char	 sig[256];
	size_t		 len = sizeof(sig);
	EVP_PKEY	*ed;
	int		 ok;

	if ((ctx = EVP_MD_CTX_new()) == NULL)
		return (-1);
	ok = EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, kit.pkey) == 1 &&
	    EVP_DigestSign(ctx, sig, &len, (const unsigned char *)"x", 1) == 1;
	EVP_MD_CTX_free(ctx);
	/* Nothing of it was used before: all is fetched in here. */
	if ((ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")) == NULL)
		return (-1);
	EVP_PKEY_free(ed);
	return (ok ? 0 : -1);
}

static void
loop_read(int fd, short what, void *arg)
{
	char	 c;

	(void)what;
	if (read(fd, &c, 1) == 1)
		++*(int *)arg;
}

static void
loop_signal(int sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	++*(int *)arg;
	event_loopbreak();
}

/* The base is made inside too, which a process need not do. */
static long
use_event(void)
{
	struct timeval	 soon = { 0, 1000 };
	struct event	 rd, sig, tmo;
	int		 n = 0, p[2], ticks = 0;

	if (event_init() == NULL || pipe(p) == -1)
		return (-1);
	event_set(&rd, p[0], EV_READ | EV_PERSIST, loop_read, &n);
	signal_set(&sig, SIGUSR1, loop_signal, &n);
	evtimer_set(&tmo, loop_signal, &ticks);
	event_add(&rd, NULL);
	event_add(&tmo, &soon);
	if (write(p[1], "xx", 2) != 2 || event_dispatch() == -1)
		return (-1);
	if (ticks != 1 || signal_add(&sig, NULL) == -1)
		return (-1);
	kill(getpid(), SIGUSR1);
	while (n < 3)
		event_loop(EVLOOP_ONCE);
	return (0);
}

/* Each step says its number when it fails. */
static long
use_all(void *arg)
{
	(void)arg;
	if (use_memory() == -1)
		return (1);
	if (use_chance() == -1)
		return (2);
	if (use_log() == -1)
		return (3);
	if (use_argon2() == -1)
		return (4);
	if (use_sign() == -1)
		return (5);
	if (use_event() == -1)
		return (6);
	return (0);
}

static void
test_libraries(void)
{
	struct end	 e;
	size_t		 i;

	tzset();
	openlog("test_pledge", LOG_PID, LOG_USER);
	for (i = 0; i < NITEMS(sets); i++) {
		e = attempt(sets[i], use_all, NULL);
		CHECK_INT(e.sig, 0);
		CHECK(e.done);
		CHECK_INT(seen->ret, 0);
	}
	e = attempt(PARENT, use_all, NULL);
	CHECK(e.sig == 0 && e.done && seen->ret == 0);
}

/*
 * TLS: a client outside, the server inside on a socket that it inherited.
 */

static void
client(void)
{
	struct tls_config	*cf;
	struct tls		*ctx;
	char			 buf[8], port[8];
	ssize_t			 n;

	alarm(20);
	snprintf(port, sizeof(port), "%u", kit.port);
	if ((cf = tls_config_new()) == NULL || (ctx = tls_client()) == NULL)
		_exit(1);
	tls_config_insecure_noverifycert(cf);
	tls_config_insecure_noverifyname(cf);
	if (tls_configure(ctx, cf) == -1 ||
	    tls_connect(ctx, "127.0.0.1", port) == -1 ||
	    tls_write(ctx, "ping", 4) != 4)
		_exit(1);
	/* Session tickets come first, and end a read without data. */
	do
		n = tls_read(ctx, buf, sizeof(buf));
	while (n == TLS_WANT_POLLIN);
	if (n != 4 || memcmp(buf, "pong", 4) != 0)
		_exit(1);
	tls_close(ctx);
	_exit(0);
}

static struct tls	*server, *conn;
static struct event	 conn_ev;
static int		 served;

static void
serve_conn(int fd, short what, void *arg)
{
	char	 buf[8];
	ssize_t	 n;

	(void)what;
	(void)arg;
	n = tls_read(conn, buf, sizeof(buf));
	if (n == 4 && memcmp(buf, "ping", 4) == 0)
		n = tls_write(conn, "pong", 4);
	if (n == TLS_WANT_POLLIN || n == TLS_WANT_POLLOUT) {
		event_set(&conn_ev, fd, n == TLS_WANT_POLLIN ? EV_READ :
		    EV_WRITE, serve_conn, NULL);
		event_add(&conn_ev, NULL);
		return;
	}
	served = n == 4;
	event_loopbreak();
}

static void
serve_accept(int fd, short what, void *arg)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof(ss);
	int			 s, one = 1;

	(void)what;
	(void)arg;
	s = accept4(fd, (struct sockaddr *)&ss, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (s == -1 || getpeername(s, (struct sockaddr *)&ss, &len) == -1 ||
	    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == -1 ||
	    tls_accept_socket(server, &conn, s) == -1) {
		event_loopbreak();
		return;
	}
	serve_conn(s, EV_READ, NULL);
}

static long
serve(void *arg)
{
	struct event	 ev;

	(void)arg;
	if (event_init() == NULL)
		return (1);
	event_set(&ev, kit.listener, EV_READ, serve_accept, NULL);
	event_add(&ev, NULL);
	event_dispatch();
	return (served ? 0 : 2);
}

static void
test_tls(void)
{
	struct tls_config	*cf;
	struct end		 e;
	pid_t			 pid;
	int			 status;

	CHECK((cf = tls_config_new()) != NULL);
	CHECK((server = tls_server()) != NULL);
	CHECK(tls_config_set_keypair_mem(cf, (const uint8_t *)kit.cert,
	    kit.certlen, (const uint8_t *)kit.key, kit.keylen) == 0);
	CHECK(tls_configure(server, cf) == 0);
	if ((pid = fork()) == 0)
		client();
	e = attempt(SESSION, serve, NULL);
	CHECK(e.sig == 0 && e.done);
	CHECK_INT(seen->ret, 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	tls_free(server);
	tls_config_free(cf);
}

/*
 * A descriptor through an inherited socket, and the other side's uid.
 */
static int	 pair[2];

static long
take_fd(void *arg)
{
	union {
		struct cmsghdr	 hdr;
		char		 buf[CMSG_SPACE(sizeof(int))];
	}		 u;
	struct iovec	 iov;
	struct msghdr	 msg;
	int		 fd;
	char		 c;

	(void)arg;
	memset(&msg, 0, sizeof(msg));
	iov.iov_base = &c;
	iov.iov_len = 1;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = u.buf;
	msg.msg_controllen = sizeof(u.buf);
	if (recvmsg(pair[1], &msg, MSG_CMSG_CLOEXEC) != 1 ||
	    CMSG_FIRSTHDR(&msg) == NULL)
		return (1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	if (read(fd, &c, 1) != 1 || c != 'y')
		return (2);
	if (try_peercred(&pair[1]) == -1)
		return (3);
	msg.msg_control = NULL;
	msg.msg_controllen = 0;
	return (sendmsg(pair[1], &msg, MSG_NOSIGNAL) == 1 ? 0 : 4);
}

static void
give_fd(int fd)
{
	union {
		struct cmsghdr	 hdr;
		char		 buf[CMSG_SPACE(sizeof(int))];
	}		 u;
	static char	 c = 'x';
	struct iovec	 iov = { &c, 1 };
	struct msghdr	 msg;

	memset(&msg, 0, sizeof(msg));
	memset(&u, 0, sizeof(u));
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_control = u.buf;
	msg.msg_controllen = sizeof(u.buf);
	u.hdr.cmsg_len = CMSG_LEN(sizeof(int));
	u.hdr.cmsg_level = SOL_SOCKET;
	u.hdr.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&u.hdr), &fd, sizeof(fd));
	CHECK_INT(sendmsg(pair[0], &msg, 0), 1);
}

static void
test_fd(void)
{
	struct end	 e;
	size_t		 i;
	int		 p[2];

	for (i = 0; i < NITEMS(sets); i++) {
		CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
		CHECK(pipe(p) == 0 && write(p[1], "y", 1) == 1);
		give_fd(p[0]);
		e = attempt(sets[i], take_fd, NULL);
		CHECK(e.sig == 0 && e.done);
		CHECK_INT(seen->ret, 0);
		close(p[0]);
		close(p[1]);
		close(pair[0]);
		close(pair[1]);
	}
}

/*
 * Storage: SQLite with a write-ahead log, inside a chroot as another user.
 */

static int
sql(sqlite3 *db, const char *text)
{
	char	*msg = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &msg) == SQLITE_OK)
		return (0);
	fprintf(stderr, "%s: %s\n", text, msg);
	sqlite3_free(msg);
	return (-1);
}

static int
sql_int(sqlite3 *db, const char *text)
{
	sqlite3_stmt	*st;
	int		 n = -1;

	if (sqlite3_prepare_v2(db, text, -1, &st, NULL) != SQLITE_OK)
		return (-1);
	if (sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return (n);
}

static const char *const setup[] = {
	"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
	"PRAGMA foreign_keys=ON", "PRAGMA temp_store=MEMORY",
	"CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB)",
	"BEGIN IMMEDIATE",
	"INSERT INTO t (b) VALUES (randomblob(40000))",
	"INSERT INTO t (b) SELECT randomblob(10000) FROM t",
	"COMMIT"
};

static const char *const work[] = {
	"DELETE FROM t WHERE a = 1", "PRAGMA wal_checkpoint(TRUNCATE)",
	"VACUUM", "VACUUM INTO 'tenants/copy.db'", "ANALYZE",
	"PRAGMA journal_mode=DELETE",
	"INSERT INTO t (b) VALUES (zeroblob(100))"
};

static long
use_sqlite(void)
{
	sqlite3	*a, *b;
	size_t	 i;

	if (mkdir("tenants", 0700) == -1 ||
	    sqlite3_open("tenants/main.db", &a) != SQLITE_OK)
		return (1);
	for (i = 0; i < NITEMS(setup); i++)
		if (sql(a, setup[i]) == -1)
			return (2);
	/* A second handle reads while the log exists. */
	if (sqlite3_open("tenants/main.db", &b) != SQLITE_OK ||
	    sql_int(b, "SELECT count(*) FROM t") != 2 ||
	    sqlite3_close(b) != SQLITE_OK)
		return (3);
	for (i = 0; i < NITEMS(work); i++)
		if (sql(a, work[i]) == -1)
			return (4);
	if (sql_int(a, "SELECT count(*) FROM t") != 2 ||
	    sqlite3_close(a) != SQLITE_OK)
		return (5);
	return (0);
}

/* What else storage does to files. */
static long
use_files(void)
{
	struct stat	 st;
	struct timespec	 ts[2] = { { 1, 0 }, { 1, 0 } };
	DIR		*dir;
	int		 dirfd, fd, n;

	if (mkdir("backup", 0700) == -1 ||
	    (fd = open("backup/new", O_RDWR | O_CREAT | O_EXCL, 0600)) == -1)
		return (10);
	if (pwrite(fd, "abc", 3, 10) != 3 || ftruncate(fd, 11) == -1 ||
	    fchmod(fd, 0400) == -1 || futimens(fd, ts) == -1 ||
	    flock(fd, LOCK_EX | LOCK_NB) == -1 || fsync(fd) == -1 ||
	    fstat(fd, &st) == -1 || st.st_size != 11)
		return (11);
	/* From one directory to another: Landlock calls that "refer". */
	if (rename("backup/new", "tenants/new") == -1 || close(fd) == -1)
		return (12);
	if ((dirfd = open("tenants", O_RDONLY | O_DIRECTORY)) == -1 ||
	    fsync(dirfd) == -1 || close(dirfd) == -1)
		return (13);
	if ((dir = opendir("tenants")) == NULL)
		return (14);
	for (n = 0; readdir(dir) != NULL; n++)
		continue;
	closedir(dir);
	if (n < 5 || unlink("tenants/new") == -1 || rmdir("backup") == -1 ||
	    unlink("tenants/copy.db") == -1 ||
	    unlink("tenants/main.db") == -1 || rmdir("tenants") == -1)
		return (15);
	return (0);
}

/* Once more under the rules of a parent, which exec does not take off. */
static void
storage_child(char *root, int inherited)
{
	char	 c[16];

	if (inherited && (unveil(root, "rwc") == -1 ||
	    pledge(PARENT " flock fattr", NULL) == -1))
		_exit(SETUP_FAILED);
	if (sqlite3_initialize() != SQLITE_OK)
		_exit(SETUP_FAILED);
	sqlite3_randomness(sizeof(c), c);
	if (chdir(root) == -1 || (geteuid() == 0 && chroot(".") == -1))
		_exit(SETUP_FAILED);
	become_nobody();
	if (pledge(STORAGE, NULL) == -1)
		_exit(SETUP_FAILED);
	seen->ret = use_sqlite();
	if (seen->ret == 0)
		seen->ret = use_files();
	seen->done = 1;
	_exit(0);
}

static void
test_sqlite(int inherited)
{
	char		 root[] = "/tmp/test_pledge.XXXXXXXX";
	struct end	 e;
	pid_t		 pid;

	CHECK(mkdtemp(root) != NULL);
	CHECK(geteuid() != 0 || chown(root, NOBODY, NOBODY) == 0);
	memset(seen, 0, sizeof(*seen));
	if ((pid = fork()) == 0)
		storage_child(root, inherited);
	e = reap(pid);
	CHECK_INT(e.sig, 0);
	CHECK(e.done);
	CHECK_INT(seen->ret, 0);
	CHECK(rmdir(root) == 0);
}

int
main(void)
{
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seen == MAP_FAILED)
		err(1, "mmap");
	test_words();
	test_never();
	test_some();
	test_narrow();
	test_numbers();
	test_program();
	test_flags();
	test_halves();
	test_parent_program();
	test_parent();
	tls_init();
	kit_make();
	test_libraries();
	test_tls();
	test_fd();
	test_sqlite(0);
	test_sqlite(1);
	kit_free();
	return (unit_end());
}
