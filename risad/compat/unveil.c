/*
 * unveil(2) of OpenBSD by Landlock, and the Landlock half of pledge(2).
 *
 * Every right that the running kernel knows is handled, so what no rule gives
 * is refused; version 2 is enough, and what later ones added is used when it
 * is there.  Domains stack and only ever narrow.
 *
 * What Landlock cannot do, and this therefore does not promise: chdir, stat,
 * chmod, and connect to a socket in the file system are not its business
 * (those are for chroot, permissions, and seccomp in pledge.c), and version 2
 * does not know truncate(2).
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "sandbox.h"

#define NITEMS(a)	(sizeof(a) / sizeof((a)[0]))

#define UNVEIL_MAX	128
#define ABI_MIN		2	/* before it, no rename between directories */

/* Rights by name and number: the header may be older than the kernel. */
#define FS_EXECUTE	(1ULL << 0)
#define FS_WRITE_FILE	(1ULL << 1)
#define FS_READ_FILE	(1ULL << 2)
#define FS_READ_DIR	(1ULL << 3)
#define FS_REMOVE_DIR	(1ULL << 4)
#define FS_REMOVE_FILE	(1ULL << 5)
#define FS_MAKE_CHAR	(1ULL << 6)
#define FS_MAKE_DIR	(1ULL << 7)
#define FS_MAKE_REG	(1ULL << 8)
#define FS_MAKE_SOCK	(1ULL << 9)
#define FS_MAKE_FIFO	(1ULL << 10)
#define FS_MAKE_BLOCK	(1ULL << 11)
#define FS_MAKE_SYM	(1ULL << 12)
#define FS_REFER	(1ULL << 13)
#define FS_TRUNCATE	(1ULL << 14)	/* from version 3 */
#define FS_IOCTL_DEV	(1ULL << 15)	/* from version 5 */

#define FS_ABI2		((1ULL << 14) - 1)
#define FS_ON_FILE	(FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE |	\
    FS_TRUNCATE | FS_IOCTL_DEV)

#define NET_BIND_TCP	(1ULL << 0)	/* from version 4 */
#define NET_CONNECT_TCP	(1ULL << 1)
#define SCOPE_ABSTRACT	(1ULL << 0)	/* from version 6 */
#define SCOPE_SIGNAL	(1ULL << 1)

#define PERM_R		(FS_READ_FILE | FS_READ_DIR)
#define PERM_W		(FS_WRITE_FILE | FS_TRUNCATE)
#define PERM_X		(FS_EXECUTE | FS_READ_FILE)
#define PERM_C		(FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |	\
    FS_MAKE_REG | FS_MAKE_SOCK | FS_MAKE_SYM | FS_REFER)

/* As the kernel has it since version 6; older ones want the rest zero. */
struct domain {
	uint64_t	 d_fs;
	uint64_t	 d_net;
	uint64_t	 d_scope;
};

struct veil {
	uint64_t	 v_rights;
	dev_t		 v_dev;
	ino_t		 v_ino;
	int		 v_fd;
};

/*
 * OpenBSD's execve forgets unveil, Landlock does not: the program started
 * still needs its loader and libraries, and what it reads of the system
 * before it takes its own rights away.
 */
static const struct {
	const char	*path;
	uint64_t	 rights;
} loader[] = {
	{ "/lib64/ld-linux-x86-64.so.2",	PERM_X },
	{ "/lib/ld-linux-aarch64.so.1",		PERM_X },
	{ "/lib",				PERM_R },
	{ "/lib64",				PERM_R },
	{ "/usr/lib",				PERM_R },
	{ "/etc/ld.so.cache",			PERM_R },
	{ "/etc/passwd",			PERM_R },
	{ "/etc/group",				PERM_R },
	{ "/etc/nsswitch.conf",			PERM_R },
	{ "/etc/localtime",			PERM_R },
	{ "/usr/share/zoneinfo",		PERM_R },
	{ "/etc/ssl/openssl.cnf",		PERM_R },
	{ "/dev/null",				PERM_R | PERM_W },
	{ "/dev/urandom",			PERM_R },
};

static struct veil	 veils[UNVEIL_MAX];
static size_t		 nveils;
static int		 called;	/* once asked, nothing else is seen */
static int		 closed;
static struct domain	 last;		/* what the last pledge left */
static int		 entered;

static int	 perms(const char *, uint64_t *);
static int	 veil_put(int, uint64_t);
static int	 veil_open(const char *, uint64_t);
static void	 veil_clear(void);
static uint64_t	 known(int);
static uint64_t	 promised(uint32_t);
static int	 rule_add(int, int, uint64_t);
static int	 rules_add(int, uint64_t);
static int	 loader_add(int, uint64_t);
static int	 enter(const struct domain *, uint64_t);

int
unveil(const char *path, const char *permissions)
{
	struct domain	 d = { 0, 0, 0 };
	uint64_t	 rights;
	int		 abi;

	if (closed || (path == NULL) != (permissions == NULL)) {
		errno = closed ? EPERM : EINVAL;
		return (-1);
	}
	if ((abi = landlock_abi()) == -1)
		return (-1);
	if (path != NULL) {
		if (perms(permissions, &rights) == -1)
			return (-1);
		called = 1;
		return (veil_open(path, rights));
	}
	closed = 1;
	if (!called)
		return (0);
	d.d_fs = known(abi);
	return (enter(&d, known(abi)));
}

int
landlock_abi(void)
{
	long	 abi;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (abi == -1)
		return (-1);
	if (abi < ABI_MIN) {
		errno = EOPNOTSUPP;
		return (-1);
	}
	return ((int)abi);
}

/*
 * The parent of a daemon must be able to signal children that it started
 * before, hence "proc" leaves signals alone.  Without a path named, the
 * promises hold for the whole tree.
 */
int
unveil_pledge(uint32_t p, int abi)
{
	struct domain	 d = { 0, 0, 0 }, left;
	uint64_t	 rights;

	if (abi < ABI_MIN) {
		errno = EOPNOTSUPP;
		return (-1);
	}
	if (p & PLEDGE_UNVEIL)
		return (0);
	rights = promised(p) & known(abi);
	if ((p & PLEDGE_EXEC) == 0 || (called && !closed))
		d.d_fs = known(abi);
	/* "inet" is new sockets for a parent alone, see pledge.c. */
	if (abi >= 4 && ((p & PLEDGE_EXEC) == 0 || (p & PLEDGE_INET) == 0))
		d.d_net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (abi >= 6 && (p & PLEDGE_PROC) == 0)
		d.d_scope |= SCOPE_SIGNAL;
	if (abi >= 6 && (p & PLEDGE_UNIX) == 0)
		d.d_scope |= SCOPE_ABSTRACT;
	left = d;
	left.d_fs &= ~rights;
	if (entered && closed && memcmp(&left, &last, sizeof(left)) == 0)
		return (0);	/* the kernel counts layers, to 16 */
	if (enter(&d, rights) == -1)
		return (-1);
	last = left;
	entered = closed = 1;
	return (0);
}

/* All rights that a kernel of this version can be asked to guard. */
static uint64_t
known(int abi)
{
	uint64_t	 fs = FS_ABI2;

	if (abi >= 3)
		fs |= FS_TRUNCATE;
	if (abi >= 5)
		fs |= FS_IOCTL_DEV;
	return (fs);
}

static uint64_t
promised(uint32_t p)
{
	uint64_t	 rights = 0;

	if (p & PLEDGE_RPATH)
		rights |= PERM_R;
	if (p & PLEDGE_WPATH)
		rights |= PERM_W;
	if (p & PLEDGE_CPATH)
		rights |= PERM_C;
	if (p & PLEDGE_EXEC)
		rights |= PERM_R | PERM_X;
	return (rights);
}

static int
perms(const char *s, uint64_t *rights)
{
	for (*rights = 0; *s != '\0'; s++) {
		switch (*s) {
		case 'r':
			*rights |= PERM_R;
			break;
		case 'w':
			*rights |= PERM_W;
			break;
		case 'x':
			*rights |= PERM_X;
			break;
		case 'c':
			*rights |= PERM_C;
			break;
		default:
			errno = EINVAL;
			return (-1);
		}
	}
	return (0);
}

static int
veil_open(const char *path, uint64_t rights)
{
	int	 fd, save;

	if ((fd = open(path, O_PATH | O_CLOEXEC)) == -1)
		return (-1);
	if (veil_put(fd, rights) == -1) {
		save = errno;
		close(fd);
		errno = save;
		return (-1);
	}
	return (0);
}

/* Landlock would add up two rules for one file; here the later one counts. */
static int
veil_put(int fd, uint64_t rights)
{
	struct stat	 st;
	size_t		 i;

	if (fstat(fd, &st) == -1)
		return (-1);
	if (!S_ISDIR(st.st_mode))
		rights &= FS_ON_FILE;
	for (i = 0; i < nveils; i++) {
		if (veils[i].v_dev != st.st_dev || veils[i].v_ino != st.st_ino)
			continue;
		veils[i].v_rights = rights;
		close(fd);
		return (0);
	}
	if (nveils == NITEMS(veils)) {
		errno = E2BIG;
		return (-1);
	}
	veils[nveils].v_rights = rights;
	veils[nveils].v_dev = st.st_dev;
	veils[nveils].v_ino = st.st_ino;
	veils[nveils++].v_fd = fd;
	return (0);
}

static void
veil_clear(void)
{
	while (nveils > 0)
		close(veils[--nveils].v_fd);
	called = 0;
}

static int
rule_add(int ruleset, int fd, uint64_t rights)
{
	struct landlock_path_beneath_attr	 rule;

	if (rights == 0)
		return (0);		/* no rule is the rule for nothing */
	memset(&rule, 0, sizeof(rule));
	rule.allowed_access = rights;
	rule.parent_fd = fd;
	return ((int)syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
}

/* Rights are set where the tree begins; nothing named means all of it. */
static int
rules_add(int ruleset, uint64_t allowed)
{
	uint64_t	 any = 0;
	size_t		 i;
	int		 fd, rv;

	if (!called) {
		if (allowed == 0)
			return (0);
		if ((fd = open("/", O_PATH | O_CLOEXEC)) == -1)
			return (-1);
		rv = rule_add(ruleset, fd, allowed);
		close(fd);
		return (rv);
	}
	for (i = 0; i < nveils; i++) {
		any |= veils[i].v_rights & allowed;
		if (rule_add(ruleset, veils[i].v_fd,
		    veils[i].v_rights & allowed) == -1)
			return (-1);
	}
	if (any & FS_EXECUTE)
		return (loader_add(ruleset, allowed));
	return (0);
}

/* What this system does not have is not needed either. */
static int
loader_add(int ruleset, uint64_t allowed)
{
	struct stat	 st;
	uint64_t	 rights;
	size_t		 i;
	int		 fd, rv;

	for (i = 0; i < NITEMS(loader); i++) {
		fd = open(loader[i].path, O_PATH | O_CLOEXEC);
		if (fd == -1)
			continue;
		rights = loader[i].rights & allowed;
		if ((rv = fstat(fd, &st)) == 0 && !S_ISDIR(st.st_mode))
			rights &= FS_ON_FILE;
		if (rv == 0)
			rv = rule_add(ruleset, fd, rights);
		close(fd);
		if (rv == -1)
			return (-1);
	}
	return (0);
}

/* Build the rules and step inside; there is no way back. */
static int
enter(const struct domain *d, uint64_t allowed)
{
	int	 ruleset, rv, save;

	if ((d->d_fs | d->d_net | d->d_scope) == 0)
		return (0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return (-1);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, d, sizeof(*d), 0);
	if (ruleset == -1)
		return (-1);
	rv = d->d_fs == 0 ? 0 : rules_add(ruleset, allowed);
	if (rv == 0)
		rv = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
	save = errno;
	close(ruleset);
	if (rv == 0)
		veil_clear();
	errno = save;
	return (rv);
}
