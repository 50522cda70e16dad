/*
 * Every attempt is a child that closes a list of paths and then tries to get
 * around it, as the user who runs the test: root is refused here too, so it
 * was Landlock that refused.  Each version that the kernel knows is tried.
 */
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compat/sandbox.h"
#include "unit.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define NOT_SET_UP	200

static char	 root[] = "/tmp/test_unveil.XXXXXXXX";

/* The exit code of a child: 0, or an errno, or NOT_SET_UP. */
static int
in_child(int (*fn)(const void *), const void *arg)
{
	pid_t	 pid;
	int	 status;

	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0)
		_exit(fn(arg));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return (NOT_SET_UP);
	return (WEXITSTATUS(status));
}

static int
result(int rv)
{
	return (rv == -1 ? errno : 0);
}

static int
make_file(const char *path, mode_t mode)
{
	int	 fd;

	if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode)) == -1)
		return (-1);
	if (write(fd, "text\n", 5) != 5) {
		close(fd);
		return (-1);
	}
	return (close(fd));
}

/* a/file, a/sub/, b/file, b/prog: a shell script that does nothing. */
static void
make_tree(void)
{
	if (mkdtemp(root) == NULL || chdir(root) == -1 ||
	    mkdir("a", 0700) == -1 || mkdir("a/sub", 0700) == -1 ||
	    mkdir("b", 0700) == -1 || make_file("a/file", 0600) == -1 ||
	    make_file("b/file", 0600) == -1 ||
	    make_file("b/prog", 0700) == -1)
		err(1, "%s", root);
}

static void
drop_tree(void)
{
	static const char *const files[] = { "a/file", "b/file", "b/prog",
	    "a/new", "a/sock", "b/moved" };
	static const char *const dirs[] = { "a/sub", "a/made", "a", "b" };
	size_t	 i;

	for (i = 0; i < NITEMS(files); i++)
		(void)unlink(files[i]);
	for (i = 0; i < NITEMS(dirs); i++)
		(void)rmdir(dirs[i]);
	CHECK(chdir("/") == 0 && rmdir(root) == 0);
}

/*
 * One attempt at a path.
 */

static int
try_read(const char *path)
{
	return (result(open(path, O_RDONLY | O_CLOEXEC)));
}

static int
try_list(const char *path)
{
	return (result(open(path, O_RDONLY | O_DIRECTORY)));
}

static int
try_write(const char *path)
{
	return (result(open(path, O_WRONLY | O_APPEND)));
}

static int
try_create(const char *path)
{
	return (result(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600)));
}

static int
try_trunc(const char *path)
{
	return (result(truncate(path, 5)));
}

static int
try_mkdir(const char *path)
{
	return (result(mkdir(path, 0700)));
}

static int
try_rmdir(const char *path)
{
	return (result(rmdir(path)));
}

static int
try_unlink(const char *path)
{
	return (result(unlink(path)));
}

static int
try_symlink(const char *path)
{
	return (result(symlink("target", path)));
}

static int
try_fifo(const char *path)
{
	return (result(mkfifo(path, 0600)));
}

static int
try_device(const char *path)
{
	return (result(mknod(path, S_IFCHR | 0600, 0x103)));
}

static int
try_sock(const char *path)
{
	struct sockaddr_un	 sun;
	int			 fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1)
		return (NOT_SET_UP);
	return (result(bind(fd, (struct sockaddr *)&sun, sizeof(sun))));
}

/* From a to b, which Landlock calls "refer". */
static int
try_move(const char *path)
{
	return (result(rename(path, "b/moved")));
}

static int
try_exec(const char *path)
{
	char	 arg[64], *argv[2] = { arg, NULL };

	strlcpy(arg, path, sizeof(arg));
	(void)execv(arg, argv);
	return (errno);
}

struct veil {
	const char	*path, *perms;
};

struct attempt {
	struct veil	 veil[3];
	int		 (*fn)(const char *);
	const char	*path;
	int		 want;
};

static int
run_attempt(const void *arg)
{
	const struct attempt	*a = arg;
	size_t			 i;

	for (i = 0; i < NITEMS(a->veil) && a->veil[i].path != NULL; i++)
		if (unveil(a->veil[i].path, a->veil[i].perms) == -1 &&
		    errno != ENOENT)
			return (NOT_SET_UP);
	if (unveil(NULL, NULL) == -1)
		return (NOT_SET_UP);
	return (a->fn(a->path));
}

static void
attempts(const struct attempt *a, size_t n)
{
	int	 got;

	for (; n > 0; n--, a++) {
		got = in_child(run_attempt, a);
		CHECK_INT(got, a->want);
		if (got != a->want)
			fprintf(stderr, "%s with %s=%s, %zu from the end\n",
			    a->path, a->veil[0].path, a->veil[0].perms, n);
	}
}

#define ONE(p, m)	{ { (p), (m) }, { NULL, NULL }, { NULL, NULL } }
#define TWO(p, m, q, n)	{ { (p), (m) }, { (q), (n) }, { NULL, NULL } }

/* What each letter gives, and that it gives no other. */
static void
test_letters(void)
{
	const struct attempt	 a[] = {
		{ ONE("a", "r"), try_read, "a/file", 0 },
		{ ONE("a", "r"), try_list, "a/sub", 0 },
		{ ONE("a", "r"), try_read, "b/file", EACCES },
		{ ONE("a", "r"), try_read, "/etc/passwd", EACCES },
		{ ONE("a", "r"), try_read, "a/../b/file", EACCES },
		{ ONE("a", "r"), try_list, "/", EACCES },
		{ ONE("a", "r"), try_write, "a/file", EACCES },
		{ ONE("a", "r"), try_create, "a/new", EACCES },
		{ ONE("a", "r"), try_unlink, "a/file", EACCES },
		{ ONE("b", "r"), try_exec, "b/prog", EACCES },
		{ ONE("a", "w"), try_write, "a/file", 0 },
		{ ONE("a", "w"), try_trunc, "a/file", 0 },
		{ ONE("a", "w"), try_read, "a/file", EACCES },
		{ ONE("a", "w"), try_list, "a", EACCES },
		{ ONE("a", "w"), try_create, "a/new", EACCES },
		{ ONE("a", "w"), try_unlink, "a/file", EACCES },
		{ ONE("a", "c"), try_create, "a/new", EACCES },
		{ ONE("a", "c"), try_unlink, "a/new", 0 },	/* empty */
		{ ONE("a", "wc"), try_create, "b/new", EACCES },
		{ ONE("a", "wc"), try_create, "a/new", 0 },
		{ ONE("a", "c"), try_unlink, "a/new", 0 },
		{ ONE("a", "c"), try_symlink, "a/new", 0 },
		{ ONE("a", "c"), try_unlink, "a/new", 0 },
		{ ONE("a", "c"), try_mkdir, "a/made", 0 },
		{ ONE("a", "c"), try_rmdir, "a/made", 0 },
		{ ONE("a", "c"), try_sock, "a/sock", 0 },
		{ ONE("a", "rwxc"), try_fifo, "a/fifo", EACCES },
		{ ONE("a", "rwxc"), try_device, "a/null", EACCES },
		{ ONE("a", "c"), try_read, "a/file", EACCES },
		{ ONE("a", "c"), try_write, "a/file", EACCES },
		{ ONE("a", "c"), try_move, "a/file", EACCES },
		{ TWO("a", "rwc", "b", "rw"), try_move, "a/file", EACCES },
		{ ONE("a", ""), try_read, "a/file", EACCES },
		{ ONE("a/file", "rwc"), try_read, "a/file", 0 },
		{ ONE("a/file", "rwc"), try_unlink, "a/file", EACCES },
		{ TWO("a", "r", "a/file", "rw"), try_write, "a/file", 0 },
		{ TWO("a", "rw", "a", "r"), try_write, "a/file", EACCES },
		{ TWO("a", "", "a", "w"), try_write, "a/file", 0 },
		{ TWO("none", "r", "a", "r"), try_read, "a/file", 0 },
		{ TWO("none", "r", "a", "r"), try_read, "b/file", EACCES },
		{ ONE("none", "r"), try_read, "a/file", EACCES },
		{ ONE(NULL, NULL), try_read, "a/file", 0 },
		{ ONE("/bin/true", "x"), try_exec, "/bin/true", 0 },
		{ ONE("/bin/true", "x"), try_exec, "/bin/false", EACCES },
		{ ONE("/bin/true", "r"), try_exec, "/bin/true", EACCES },
		{ ONE("/bin", "r"), try_exec, "/bin/true", EACCES },
		{ ONE("/bin/true", "x"), try_read, "/etc/hostname", EACCES },
		{ ONE("/bin/true", "x"), try_write, "/bin/true", EACCES },
		{ TWO("a", "c", "b", "c"), try_move, "a/file", 0 },
	};

	attempts(a, NITEMS(a));
	CHECK(rename("b/moved", "a/file") == 0);
}

/*
 * What unveil itself answers.
 */

static int
bad_words(const void *arg)
{
	(void)arg;
	if (unveil("a", "rq") != -1 || errno != EINVAL)
		return (1);
	if (unveil("a", NULL) != -1 || errno != EINVAL)
		return (2);
	if (unveil(NULL, "r") != -1 || errno != EINVAL)
		return (3);
	if (unveil("none", "r") != -1 || errno != ENOENT)
		return (4);
	if (unveil("a", "r") == -1 || unveil(NULL, NULL) == -1)
		return (5);
	if (unveil("b", "r") != -1 || errno != EPERM)
		return (6);
	if (unveil(NULL, NULL) != -1 || errno != EPERM)
		return (7);
	return (0);
}

/* A descriptor for each path, none left behind. */
static int
no_leak(const void *arg)
{
	int	 after, before;

	(void)arg;
	before = dup(0);
	close(before);
	if (unveil("a", "r") == -1 || unveil("b", "rw") == -1 ||
	    unveil("a", "rw") == -1 || unveil("none", "r") != -1 ||
	    unveil("/bin/true", "x") == -1 || unveil(NULL, NULL) == -1)
		return (1);
	after = dup(0);
	return (after == before ? 0 : 2);
}

static int
too_many(const void *arg)
{
	char	 path[32];
	int	 i;

	(void)arg;
	if (chdir("a/sub") == -1)
		return (1);
	for (i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "%d", i);
		if (mkdir(path, 0700) == -1)
			return (2);
	}
	for (i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "%d", i);
		if (unveil(path, "r") == -1)
			break;
	}
	if (i != 128 || errno != E2BIG)
		return (3);
	for (i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "%d", i);
		if (rmdir(path) == -1)
			return (4);
	}
	/* Those that fitted hold. */
	return (unveil(NULL, NULL) == -1 ? 5 : 0);
}

static void
test_answers(void)
{
	CHECK_INT(in_child(bad_words, NULL), 0);
	CHECK_INT(in_child(no_leak, NULL), 0);
	CHECK_INT(in_child(too_many, NULL), 0);
}

/*
 * Together with pledge, seccomp included.
 */

static int
pledge_closes(const void *arg)
{
	(void)arg;
	if (unveil("a", "rwc") == -1 || pledge("stdio rpath", NULL) == -1)
		return (1);
	if (try_read("a/file") != 0 || try_read("b/file") != EACCES)
		return (2);
	if (try_write("a/file") != EACCES)
		return (3);
	if (unveil("b", "r") != -1 || errno != EPERM)
		return (4);
	return (0);
}

/* With "unveil" promised the list stays open. */
static int
pledge_leaves_open(const void *arg)
{
	(void)arg;
	if (pledge("stdio rpath unveil", NULL) == -1)
		return (1);
	if (unveil("a", "r") == -1 || try_read("b/file") != 0)
		return (2);
	if (unveil(NULL, NULL) == -1)
		return (3);
	if (try_read("a/file") != 0 || try_read("b/file") != EACCES)
		return (4);
	if (pledge("stdio rpath", NULL) == -1)
		return (5);
	if (try_read("a/file") != 0 || try_read("b/file") != EACCES)
		return (6);
	return (0);
}

/* Without, and with no path named, the whole tree or none of it. */
static int
pledge_alone(const void *arg)
{
	(void)arg;
	if (prctl(PR_SET_DUMPABLE, 1) == -1 ||
	    pledge("stdio rpath", NULL) == -1)
		return (1);
	if (prctl(PR_GET_DUMPABLE) != 0)
		return (6);
	if (unveil("a", "r") != -1 || errno != EPERM)
		return (2);
	if (try_read("b/file") != 0)
		return (3);
	if (pledge("stdio", NULL) == -1)
		return (4);
	return (try_read("b/file") == EACCES ? 0 : 5);
}

/* The kernel allows 16 domains; the same promises need no more of them. */
static int
pledge_often(const void *arg)
{
	int	 i;

	(void)arg;
	for (i = 0; i < 200; i++)
		if (pledge(i < 100 ? "stdio rpath" : "stdio", NULL) == -1)
			return (1);
	return (0);
}

/* Nor do other promises that come to the same files. */
static int
domain_often(const void *arg)
{
	uint32_t	 p = PLEDGE_STDIO | PLEDGE_RPATH;
	int		 abi, i;

	(void)arg;
	if ((abi = landlock_abi()) == -1)
		return (1);
	for (i = 0; i < 200; i++)
		if (unveil_pledge(i & 1 ? p : p | PLEDGE_FLOCK, abi) == -1)
			return (2);
	return (try_read("a/file"));
}

/* A parent: the program that it starts lives in the union of the paths. */
static int
parent(const void *arg)
{
	char	 cat[] = "/bin/cat", *argv[3];
	pid_t	 pid;
	int	 status, devnull;

	if ((devnull = open("/dev/null", O_WRONLY)) == -1)
		return (1);
	if (unveil(cat, "x") == -1 || unveil("a", "rwc") == -1 ||
	    pledge("stdio rpath wpath cpath proc exec id", NULL) == -1)
		return (2);
	argv[0] = cat;
	memcpy(&argv[1], arg, sizeof(argv[1]));
	argv[2] = NULL;
	if ((pid = fork()) == 0) {
		(void)dup2(devnull, 1);
		(void)dup2(devnull, 2);
		(void)execv(cat, argv);
		_exit(3);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return (4);
	return (WEXITSTATUS(status) == 0 ? 0 : 100 + WEXITSTATUS(status));
}

static void
test_pledge(void)
{
	char	 seen[] = "a/file", hidden[] = "b/file", *p;

	CHECK_INT(in_child(pledge_closes, NULL), 0);
	CHECK_INT(in_child(pledge_leaves_open, NULL), 0);
	CHECK_INT(in_child(pledge_alone, NULL), 0);
	CHECK_INT(in_child(pledge_often, NULL), 0);
	CHECK_INT(in_child(domain_often, NULL), 0);
	p = seen;
	CHECK_INT(in_child(parent, &p), 0);
	p = hidden;
	CHECK_INT(in_child(parent, &p), 101);
}

/*
 * The Landlock half alone, at each version, without seccomp in front.
 */

static struct sockaddr_in	 tcp;
static struct sockaddr_un	 abstract;
static socklen_t		 abstract_len;

static int
try_connect(void)
{
	int	 fd;

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		return (NOT_SET_UP);
	return (result(connect(fd, (struct sockaddr *)&tcp, sizeof(tcp))));
}

static int
try_bind(void)
{
	struct sockaddr_in	 sin = tcp;
	int			 fd;

	sin.sin_port = 0;
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		return (NOT_SET_UP);
	return (result(bind(fd, (struct sockaddr *)&sin, sizeof(sin))));
}

static int
try_abstract(void)
{
	int	 fd;

	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1)
		return (NOT_SET_UP);
	return (result(connect(fd, (struct sockaddr *)&abstract,
	    abstract_len)));
}

struct half {
	uint32_t	 promises;
	int		 abi;
};

/* What every version refuses, then what the later ones do. */
static int
half_nothing(const void *arg)
{
	const struct half	*h = arg;

	if (unveil_pledge(h->promises, h->abi) == -1)
		return (1);
	if (try_read("a/file") != EACCES || try_list("/") != EACCES ||
	    try_write("a/file") != EACCES || try_mkdir("a/made") != EACCES ||
	    try_exec("/bin/true") != EACCES || try_unlink("a/file") != EACCES)
		return (2);
	if (h->abi >= 3 && try_trunc("a/file") != EACCES)
		return (3);
	if (try_bind() != (h->abi >= 4 ? EACCES : 0) ||
	    try_connect() != (h->abi >= 4 ? EACCES : 0))
		return (4);
	if (result(kill(getppid(), 0)) != (h->abi >= 6 ? EPERM : 0) ||
	    kill(getpid(), 0) == -1)
		return (5);
	if (try_abstract() != (h->abi >= 6 ? EPERM : 0))
		return (6);
	return (0);
}

static int
half_storage(const void *arg)
{
	const struct half	*h = arg;

	if (unveil_pledge(h->promises, h->abi) == -1)
		return (1);
	if (try_read("a/file") != 0 || try_create("a/new") != 0 ||
	    try_trunc("a/new") != 0 || try_mkdir("a/made") != 0 ||
	    try_rmdir("a/made") != 0)
		return (2);
	if (rename("a/new", "b/moved") == -1 || try_unlink("b/moved") != 0)
		return (3);
	if (try_exec("/bin/true") != EACCES ||
	    try_device("a/null") != EACCES || try_fifo("a/fifo") != EACCES)
		return (4);
	/* Narrower: once more, to nothing. */
	if (unveil_pledge(PLEDGE_STDIO, h->abi) == -1)
		return (5);
	return (try_read("a/file") == EACCES ? 0 : 6);
}

/* A parent without paths: files are open, children can be signalled. */
static int
half_parent(const void *arg)
{
	const struct half	*h = arg;

	if (unveil_pledge(h->promises, h->abi) == -1)
		return (1);
	if (try_read("a/file") != 0 || try_bind() != 0 ||
	    kill(getppid(), 0) == -1 || try_abstract() != 0)
		return (2);
	return (try_exec("/bin/true"));
}

static int
half_too_old(const void *arg)
{
	const struct half	*h = arg;

	return (result(unveil_pledge(h->promises, h->abi)));
}

/* Somebody to connect to, outside. */
static void
make_listeners(int *fd)
{
	socklen_t	 len = sizeof(tcp);

	tcp.sin_family = AF_INET;
	tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(bind(fd[0], (struct sockaddr *)&tcp, sizeof(tcp)) == 0);
	CHECK(listen(fd[0], 64) == 0);
	CHECK(getsockname(fd[0], (struct sockaddr *)&tcp, &len) == 0);

	abstract.sun_family = AF_UNIX;
	fd[1] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* An empty name asks the kernel for an abstract one. */
	CHECK(bind(fd[1], (struct sockaddr *)&abstract,
	    sizeof(sa_family_t)) == 0);
	CHECK(listen(fd[1], 64) == 0);
	abstract_len = sizeof(abstract);
	CHECK(getsockname(fd[1], (struct sockaddr *)&abstract,
	    &abstract_len) == 0);
}

static void
test_versions(void)
{
	struct half	 h;
	int		 fd[2], max;

	CHECK((max = landlock_abi()) >= 2);
	make_listeners(fd);
	for (h.abi = 2; h.abi <= max; h.abi++) {
		h.promises = PLEDGE_STDIO;
		CHECK_INT(in_child(half_nothing, &h), 0);
		h.promises = PLEDGE_STDIO | PLEDGE_INET;
		CHECK_INT(in_child(half_nothing, &h), 0);
		h.promises = PLEDGE_STDIO | PLEDGE_RPATH | PLEDGE_WPATH |
		    PLEDGE_CPATH;
		CHECK_INT(in_child(half_storage, &h), 0);
		h.promises |= PLEDGE_INET | PLEDGE_UNIX | PLEDGE_PROC |
		    PLEDGE_EXEC;
		CHECK_INT(in_child(half_parent, &h), 0);
	}
	h.abi = 1;
	h.promises = PLEDGE_STDIO;
	CHECK_INT(in_child(half_too_old, &h), EOPNOTSUPP);
	close(fd[0]);
	close(fd[1]);
}

int
main(void)
{
	make_tree();
	test_letters();
	test_answers();
	test_pledge();
	test_versions();
	drop_tree();
	return (unit_end());
}
