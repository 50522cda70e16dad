/*
 * inject PID NR [ARG]...: have a living process make one system call, as code
 * execution in it would, and print what came of it: "ret N", "died SIGNAL" or
 * "exit N".  An ARG is a number, or text behind "s:", or "b:" and a number of
 * zero bytes, or "x:" and bytes in hex; these are put below its stack, and
 * their address is the argument.  For x86-64.
 */
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NARGS	6
#define ROOM	8192		/* below the stack, for texts */
#define REDZONE	256

static pid_t	 pid;
static int	 mem;

/* A place in the program's own code that says "syscall". */
static uint64_t
find_syscall(void)
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

static void
put(uint64_t at, const void *data, size_t len)
{
	if (pwrite(mem, data, len, (off_t)at) != (ssize_t)len)
		err(2, "write to the process");
}

/* The argument's value; what it points at goes below *top. */
static uint64_t
argument(const char *s, uint64_t *top)
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
	put(*top, buf, len);
	return (*top);
}

static void
report(int status)
{
	if (WIFSIGNALED(status)) {
		printf("died %d\n", WTERMSIG(status));
		exit(0);
	}
	if (WIFEXITED(status)) {
		printf("exit %d\n", WEXITSTATUS(status));
		exit(0);
	}
}

static void
wait_stop(void)
{
	int	 status;

	if (waitpid(pid, &status, __WALL) == -1)
		err(2, "waitpid");
	report(status);
}

int
main(int argc, char *argv[])
{
	struct user_regs_struct	 regs, old;
	uint64_t		 a[NARGS] = { 0 }, top;
	char			 path[64];
	int			 i;

	if (argc < 3 || argc > 3 + NARGS)
		errx(2, "usage: inject pid number [argument ...]");
	pid = (pid_t)strtol(argv[1], NULL, 10);
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	if ((mem = open(path, O_RDWR | O_CLOEXEC)) == -1)
		err(2, "%s", path);
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) == -1)
		err(2, "attach");
	wait_stop();
	if (ptrace(PTRACE_GETREGS, pid, NULL, &old) == -1)
		err(2, "registers");
	regs = old;
	top = (old.rsp - REDZONE) & ~(uint64_t)15;
	for (i = 3; i < argc; i++)
		a[i - 3] = argument(argv[i], &top);
	regs.rsp = top - REDZONE;
	regs.rax = strtoull(argv[2], NULL, 0);
	regs.orig_rax = (unsigned long long)-1;	/* no restart of the old one */
	regs.rip = find_syscall();
	regs.rdi = a[0];
	regs.rsi = a[1];
	regs.rdx = a[2];
	regs.r10 = a[3];
	regs.r8 = a[4];
	regs.r9 = a[5];
	if (ptrace(PTRACE_SETREGS, pid, NULL, &regs) == -1 ||
	    ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == -1)
		err(2, "step");
	wait_stop();
	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) == -1)
		err(2, "registers");
	printf("ret %lld\n", (long long)regs.rax);
	(void)ptrace(PTRACE_SETREGS, pid, NULL, &old);
	(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return (0);
}
