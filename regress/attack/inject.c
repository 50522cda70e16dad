/*
 * inject PID NR [ARG]...: have a living process make one system call, as code
 * execution in it would, and print what came of it: "ret N", "died SIGNAL" or
 * "exit N".  An ARG is a number, or text behind "s:", or "b:" and a number of
 * zero bytes, or "x:" and bytes in hex; these are put below its stack, and
 * their address is the argument.  For x86-64.
 *
 * inject -c PID: the same for each line "NR [ARG]..." of standard input, in a
 * copy of the process that is forked for the line alone: it has the memory,
 * descriptors, users, root, filters and Landlock of the process, which goes on
 * meanwhile.  The fork itself, which no filter would let pass, is made with
 * the filters off; they are on again when the call is made, unless with -s:
 * then what refuses is not seccomp.  A line that begins with "i " is for the
 * entry of 32 bits, int 0x80.  Further outcomes are "forks", "execs", and
 * "waits", for a call that has not come back.
 */
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NARGS	6
#define LINE	1024
#define BOUND	20		/* seconds that a call may be busy */
#define SLEEPS	20		/* looks in a row, a millisecond each, asleep */
#define INT80	0x80cd		/* the instruction, in a word */

#define FILTERS_OFF	(1 << 21)	/* PTRACE_O_SUSPEND_SECCOMP */
#define FOLLOW	(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |		\
    PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)
#define ROOM	8192		/* below the stack, for texts */
#define REDZONE	256

static uint64_t	 insn;		/* where the program says "syscall" */

/* A place in the program's own code that says "syscall". */
static uint64_t
find_syscall(pid_t pid, int mem)
{
	char		 path[64], line[512], perms[8];
	unsigned long	 from, to;
	uint8_t		 buf[4096];
	FILE		*f;
	ssize_t		 n, i;

	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	if ((f = fopen(path, "r")) == NULL)
		err(2, "%s", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, perms) != 3 ||
		    perms[0] != 'r' || perms[2] != 'x')
			continue;
		for (; from < to; from += sizeof(buf)) {
			n = pread(mem, buf, sizeof(buf), (off_t)from);
			for (i = 0; i + 1 < n; i++) {
				if (buf[i] != 0x0f || buf[i + 1] != 0x05)
					continue;
				fclose(f);
				return (from + (uint64_t)i);
			}
		}
	}
	errx(2, "no system call in the code");
}

static int
open_mem(pid_t pid)
{
	char	 path[64];
	int	 mem;

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	if ((mem = open(path, O_RDWR | O_CLOEXEC)) == -1)
		err(2, "%s", path);
	return (mem);
}

static void
put(int mem, uint64_t at, const void *data, size_t len)
{
	if (pwrite(mem, data, len, (off_t)at) != (ssize_t)len)
		err(2, "write to the process");
}

/* The argument's value; what it points at goes below *top. */
static uint64_t
argument(int mem, const char *s, uint64_t *top)
{
	uint8_t		 buf[ROOM / 2] = { 0 };
	size_t		 len;
	unsigned int	 byte;

	if (strncmp(s, "s:", 2) == 0) {
		len = strlen(s + 2) + 1;
		if (len > sizeof(buf))
			errx(2, "too long");
		memcpy(buf, s + 2, len);
	} else if (strncmp(s, "b:", 2) == 0) {
		len = strtoul(s + 2, NULL, 0);
		if (len > sizeof(buf))
			errx(2, "too long");
	} else if (strncmp(s, "x:", 2) == 0) {
		for (len = 0; len < sizeof(buf) &&
		    sscanf(s + 2 + 2 * len, "%2x", &byte) == 1; len++)
			buf[len] = (uint8_t)byte;
	} else
		return (strtoull(s, NULL, 0));
	*top = (*top - len) & ~(uint64_t)15;
	put(mem, *top, buf, len);
	return (*top);
}

/* The outcome of a call that the process has not come back from, or 0. */
static int
ended(int status)
{
	if (WIFSIGNALED(status))
		printf("died %d\n", WTERMSIG(status));
	else if (WIFEXITED(status))
		printf("exit %d\n", WEXITSTATUS(status));
	else
		return (0);
	return (1);
}

static int
wait_stop(pid_t pid)
{
	int	 status;

	if (waitpid(pid, &status, __WALL) == -1)
		err(2, "waitpid");
	return (status);
}

/* The process stands before the call, with what old says but for that. */
static void
prepare(pid_t pid, const struct user_regs_struct *old, uint64_t nr, int argc,
    char *argv[])
{
	struct user_regs_struct	 regs = *old;
	uint64_t		 a[NARGS] = { 0 }, top;
	int			 i, mem = open_mem(pid);

	top = (old->rsp - REDZONE) & ~(uint64_t)15;
	for (i = 0; i < argc; i++)
		a[i] = argument(mem, argv[i], &top);
	close(mem);
	regs.rsp = top - REDZONE;
	regs.rax = nr;
	regs.orig_rax = (unsigned long long)-1;	/* no restart of the old one */
	regs.rip = insn;
	regs.rdi = a[0];
	regs.rsi = a[1];
	regs.rdx = a[2];
	regs.r10 = a[3];
	regs.r8 = a[4];
	regs.r9 = a[5];
	if (ptrace(PTRACE_SETREGS, pid, NULL, &regs) == -1)
		err(2, "registers");
}

static uint64_t
result(pid_t pid)
{
	struct user_regs_struct	 regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) == -1)
		err(2, "registers");
	return (regs.rax);
}

static void
step(pid_t pid)
{
	if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == -1)
		err(2, "step");
}

static void
attach(pid_t pid, struct user_regs_struct *old)
{
	int	 mem, status;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) == -1)
		err(2, "attach");
	status = wait_stop(pid);
	if (!WIFSTOPPED(status))
		errx(2, "it has ended");
	if (ptrace(PTRACE_GETREGS, pid, NULL, old) == -1)
		err(2, "registers");
	if (insn == 0) {
		mem = open_mem(pid);
		insn = find_syscall(pid, mem);
		close(mem);
	}
}

static void
detach(pid_t pid, const struct user_regs_struct *old)
{
	if (ptrace(PTRACE_SETREGS, pid, NULL, old) == -1 ||
	    ptrace(PTRACE_DETACH, pid, NULL, NULL) == -1)
		err(2, "detach");
}

static int
one(pid_t pid, int argc, char *argv[])
{
	struct user_regs_struct	 old;

	attach(pid, &old);
	prepare(pid, &old, strtoull(argv[0], NULL, 0), argc - 1, argv + 1);
	step(pid);
	if (ended(wait_stop(pid)))
		return (0);
	printf("ret %lld\n", (long long)result(pid));
	detach(pid, &old);
	return (0);
}

/* With its filters off, fork: a child that tells nobody when it ends. */
static pid_t
fork_off(pid_t pid, const struct user_regs_struct *old, long options)
{
	unsigned long	 child;
	int		 status;

	if (ptrace(PTRACE_SETOPTIONS, pid, NULL,
	    options | PTRACE_O_TRACECLONE | FILTERS_OFF) == -1)
		err(2, "filters off");
	prepare(pid, old, SYS_clone, 0, NULL);
	step(pid);
	status = wait_stop(pid);
	if (status >> 8 != (SIGTRAP | PTRACE_EVENT_CLONE << 8))
		errx(2, "no copy: status %x, %lld", status,
		    WIFSTOPPED(status) ? (long long)result(pid) : 0);
	if (ptrace(PTRACE_GETEVENTMSG, pid, NULL, &child) == -1)
		err(2, "its number");
	(void)wait_stop((pid_t)child);
	step(pid);
	(void)wait_stop(pid);
	return ((pid_t)child);
}

/* Its parent takes note of the end of a child of fork_off(). */
static void
reap(pid_t pid, const struct user_regs_struct *old, pid_t child)
{
	char	 num[16], all[] = "0x40000000", zero[] = "0";
	char	*args[] = { num, zero, all, zero };

	(void)snprintf(num, sizeof(num), "%d", (int)child);
	prepare(pid, old, SYS_wait4, 4, args);
	step(pid);
	(void)wait_stop(pid);
}

static int
asleep(pid_t pid)
{
	char	 path[64], line[LINE], *p = NULL;
	FILE	*f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((f = fopen(path, "r")) == NULL)
		return (0);
	if (fgets(line, sizeof(line), f) != NULL)
		p = strrchr(line, ')');
	fclose(f);
	return (p != NULL && p[1] == ' ' && p[2] == 'S');
}

/* Wait until it stops or ends; 0 when it sleeps on and on. */
static int
wait_call(pid_t pid, int *status)
{
	struct timespec	 ms = { 0, 1000000 };
	int		 i, sleeps = 0;
	pid_t		 got;

	for (i = 0; i < BOUND * 1000 && sleeps < SLEEPS; i++) {
		if ((got = waitpid(pid, status, __WALL | WNOHANG)) == -1)
			err(2, "waitpid");
		if (got == pid)
			return (1);
		if (i < 100) {
			sched_yield();
			continue;
		}
		(void)nanosleep(&ms, NULL);
		sleeps = asleep(pid) ? sleeps + 1 : 0;
	}
	return (0);
}

/* A call that has forked: the child goes, too. */
static void
forked(pid_t pid)
{
	unsigned long	 child;

	if (ptrace(PTRACE_GETEVENTMSG, pid, NULL, &child) == -1)
		err(2, "its number");
	kill((pid_t)child, SIGKILL);
	(void)waitpid((pid_t)child, NULL, __WALL);
	printf("forks %lu\n", child);
}

/* What a call leaves in the kernel although its process goes. */
static void
clean(uint64_t nr, long long ret)
{
	if (ret < 0)
		return;
	if (nr == SYS_msgget)
		(void)msgctl((int)ret, IPC_RMID, NULL);
	else if (nr == SYS_semget)
		(void)semctl((int)ret, 0, IPC_RMID);
	else if (nr == SYS_shmget)
		(void)shmctl((int)ret, IPC_RMID, NULL);
}

/* One call in a copy; 1 when the copy stands behind it and may go on. */
static int
call_in(pid_t copy, const struct user_regs_struct *old, int argc,
    char *argv[], int old_entry, long long *ret)
{
	uint64_t	 nr = strtoull(argv[0], NULL, 0);
	int		 status;

	prepare(copy, old, nr, argc - 1, argv + 1);
	if (old_entry && ptrace(PTRACE_POKETEXT, copy, insn, INT80) == -1)
		err(2, "its text");
	step(copy);
	if (!wait_call(copy, &status))
		printf("waits 0\n");
	else if (ended(status))
		return (-1);
	else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
		printf("execs 0\n");
	else if (status >> 16 != 0)
		forked(copy);
	else if (WSTOPSIG(status) != SIGTRAP)
		printf("died %d\n", WSTOPSIG(status));
	else {
		*ret = (long long)result(copy);
		clean(nr, *ret);
		return (1);
	}
	return (0);
}

/*
 * One line in a copy of its own: calls with ";" between, where "$" stands for
 * what the one before has given.  What is printed is the outcome of the last.
 */
static void
in_copy(pid_t mother, const struct user_regs_struct *old, int suspended,
    char *line)
{
	char		*argv[NARGS + 1], *p, num[24] = "-1";
	long long	 ret = -1;
	int		 argc = 0, old_entry = 0, status, goes_on = 1;
	pid_t		 copy;

	copy = fork_off(mother, old, PTRACE_O_EXITKILL);
	if (ptrace(PTRACE_SETOPTIONS, copy, NULL, FOLLOW |
	    (suspended ? FILTERS_OFF : 0)) == -1)
		err(2, "filters on");
	while (goes_on == 1) {
		p = strtok_r(NULL, " \n", &line);
		if (p != NULL && strcmp(p, ";") != 0) {
			if (argc == 0 && strcmp(p, "i") == 0)
				old_entry = 1;
			else if (argc <= NARGS)
				argv[argc++] = strcmp(p, "$") == 0 ? num : p;
			continue;
		}
		if (argc == 0)
			errx(2, "a line without a call");
		goes_on = call_in(copy, old, argc, argv, old_entry, &ret);
		(void)snprintf(num, sizeof(num), "%lld", ret);
		argc = 0;
		if (p == NULL)
			break;
	}
	if (goes_on == 1)
		printf("ret %lld\n", ret);
	if (goes_on != -1) {
		kill(copy, SIGKILL);
		do {
			status = wait_stop(copy);
		} while (WIFSTOPPED(status));
	}
	reap(mother, old, copy);
}

static int
many(pid_t pid, int suspended)
{
	struct user_regs_struct	 old, now;
	char			 line[LINE];
	int			 status;
	pid_t			 mother;

	attach(pid, &old);
	mother = fork_off(pid, &old, 0);
	detach(pid, &old);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		in_copy(mother, &old, suspended, line);
		if (fflush(stdout) != 0)
			break;
	}
	kill(mother, SIGKILL);
	do {
		status = wait_stop(mother);
	} while (WIFSTOPPED(status));
	attach(pid, &now);
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL,
	    FILTERS_OFF) == -1)
		err(2, "filters off");
	reap(pid, &now, mother);
	detach(pid, &now);
	return (0);
}

int
main(int argc, char *argv[])
{
	int	 ch, copies = 0, suspended = 0;
	pid_t	 pid;

	while ((ch = getopt(argc, argv, "+cs")) != -1) {
		switch (ch) {
		case 'c':
			copies = 1;
			break;
		case 's':
			suspended = 1;
			break;
		default:
			return (2);
		}
	}
	argc -= optind;
	argv += optind;
	if (argc < (copies ? 1 : 2) || argc > (copies ? 1 : 2 + NARGS) ||
	    (pid = (pid_t)strtol(argv[0], NULL, 10)) <= 0)
		errx(2, "usage: inject pid number [argument ...]\n"
		    "       inject -c [-s] pid");
	if (copies)
		return (many(pid, suspended));
	return (one(pid, argc - 1, argv + 1));
}
