#include <sys/stat.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"

#define MAX_HTDOCS	256	/* files */
#define HTDOC_DEPTH	3

#define INHERITED	3	/* the first of the sockets given to us */
#define MAX_INHERITED	64

static int	 ninherited;

struct conf *
conf_new(void)
{
	struct conf	*co;

	if ((co = calloc(1, sizeof(*co))) == NULL)
		return (NULL);
	TAILQ_INIT(&co->co_listens);
	TAILQ_INIT(&co->co_files);
	co->co_nhash = 1;
	co->co_argon_kib = 19 * 1024;
	co->co_argon_passes = 2;
	co->co_max_conns = 10000;
	/*
	 * An office of a thousand behind one address: each browser has up to
	 * seven connections, and all may come in the same minute.
	 */
	co->co_max_addr_conns = 8000;
	co->co_tenant_pages = 5000;
	co->co_account_pages = 50;
	co->co_addr_arrivals = 10000;
	co->co_addr_requests = 60000;
	co->co_tenant_requests = 60000;
	co->co_account_requests = 6000;
	co->co_buffers = 256;
	co->co_idle = 30 * 60;
	co->co_absolute = 12 * 3600;
	co->co_invite = 7 * 86400;
	co->co_backup_at = 3 * 60;
	co->co_backup_keep = 7;
	if ((co->co_country = strdup("")) == NULL ||
	    (co->co_data = strdup("/var/lib/risad")) == NULL ||
	    (co->co_master = strdup("/etc/risad/master.key")) == NULL ||
	    (co->co_pepper = strdup("/etc/risad/pepper.key")) == NULL ||
	    (co->co_htdocs = strdup("/usr/local/share/risad/htdocs")) == NULL ||
	    (co->co_control = strdup(RISAD_SOCKET)) == NULL ||
	    (co->co_chroot = strdup(RISAD_EMPTY)) == NULL ||
	    (co->co_turn = strdup("")) == NULL) {
		conf_free(co);
		return (NULL);
	}
	return (co);
}

void
conf_free(struct conf *co)
{
	struct conf_file_fd	*cf;
	struct conf_listen	*cl;

	if (co == NULL)
		return;
	while ((cf = TAILQ_FIRST(&co->co_files)) != NULL) {
		TAILQ_REMOVE(&co->co_files, cf, cf_entry);
		close(cf->cf_fd);
		free(cf->cf_name);
		free(cf);
	}
	while ((cl = TAILQ_FIRST(&co->co_listens)) != NULL) {
		TAILQ_REMOVE(&co->co_listens, cl, cl_entry);
		free(cl->cl_from);
		free(cl);
	}
	free(co->co_domain);
	free(co->co_country);
	free(co->co_cert);
	free(co->co_key);
	free(co->co_data);
	free(co->co_master);
	free(co->co_previous);
	free(co->co_pepper);
	free(co->co_sign);
	free(co->co_htdocs);
	free(co->co_control);
	free(co->co_chroot);
	free(co->co_turn);
	free(co->co_turn_secret);
	free(co);
}

/* The descriptor becomes the configuration's; closed on -1. */
static int
file_add(struct conf *co, enum conf_file kind, const char *name, int fd)
{
	struct conf_file_fd	*cf;

	if ((cf = calloc(1, sizeof(*cf))) == NULL ||
	    (cf->cf_name = strdup(name)) == NULL) {
		free(cf);
		close(fd);
		return (-1);
	}
	cf->cf_kind = kind;
	cf->cf_fd = fd;
	TAILQ_INSERT_TAIL(&co->co_files, cf, cf_entry);
	return (0);
}

/*
 * A secret is root's alone: checked on the descriptor, so that nobody can
 * change the file between the look and the use.
 */
static int
file_open(struct conf *co, enum conf_file kind, const char *path, int secret,
    char *err, size_t errlen)
{
	struct stat	 st;
	int		 fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) == -1 ||
	    fstat(fd, &st) == -1) {
		(void)snprintf(err, errlen, "%s: %s", path, strerror(errno));
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		(void)snprintf(err, errlen, "%s: not a regular file", path);
		goto fail;
	}
	if (secret && (st.st_uid != 0 || (st.st_mode & 077) != 0)) {
		(void)snprintf(err, errlen, "%s: a secret must belong to root "
		    "and be readable by nobody else (mode 0400)", path);
		goto fail;
	}
	if (file_add(co, kind, "", fd) == -1) {
		(void)snprintf(err, errlen, "%s: %s", path, strerror(errno));
		return (-1);
	}
	return (0);
 fail:
	if (fd != -1)
		close(fd);
	return (-1);
}

/* "maps/office.json" is a floor's template by the name "office". */
static int
htdoc_add(struct conf *co, const char *url, int fd)
{
	char	 name[MAX_NAME + 1];
	size_t	 len;
	int	 copy;

	if (strncmp(url, "/maps/", 6) == 0 && strchr(url + 6, '/') == NULL &&
	    (len = strlen(url + 6)) > 5 && len < sizeof(name) &&
	    strcmp(url + 6 + len - 5, ".json") == 0) {
		(void)strlcpy(name, url + 6, len - 4);
		if ((copy = fcntl(fd, F_DUPFD_CLOEXEC, 3)) == -1)
			return (-1);
		if (file_add(co, FILE_TEMPLATE, name, copy) == -1)
			return (-1);
	}
	return (file_add(co, FILE_HTDOC, url, fd));
}

static int
htdocs_open(struct conf *co, int dirfd, const char *url, int depth, int *left,
    char *err, size_t errlen)
{
	char		 path[MAX_PATH + 1];
	struct dirent	*de;
	struct stat	 st;
	DIR		*dir;
	int		 fd, ret = -1;

	if ((dir = fdopendir(dirfd)) == NULL) {
		close(dirfd);
		(void)snprintf(err, errlen, "htdocs: %s", strerror(errno));
		return (-1);
	}
	while ((de = readdir(dir)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", url, de->d_name) >=
		    (int)sizeof(path) || (*left)-- <= 0) {
			(void)snprintf(err, errlen,
			    "htdocs: too many or too long: %s", de->d_name);
			goto done;
		}
		fd = openat(dirfd, de->d_name,
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (fd == -1 || fstat(fd, &st) == -1) {
			(void)snprintf(err, errlen, "htdocs%s: %s", path,
			    strerror(errno));
			if (fd != -1)
				close(fd);
			goto done;
		}
		if (S_ISDIR(st.st_mode) && depth > 0) {
			if (htdocs_open(co, fd, path, depth - 1, left, err,
			    errlen) == -1)
				goto done;
		} else if (!S_ISREG(st.st_mode))
			close(fd);
		else if (htdoc_add(co, path, fd) == -1) {
			(void)snprintf(err, errlen, "htdocs%s: %s", path,
			    strerror(errno));
			goto done;
		}
	}
	ret = 0;
 done:
	closedir(dir);
	return (ret);
}

static int
page_open(struct conf *co, char *err, size_t errlen)
{
	struct conf_file_fd	*cf;
	int			 fd, left = MAX_HTDOCS;

	fd = open(co->co_htdocs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1) {
		(void)snprintf(err, errlen, "%s: %s", co->co_htdocs,
		    strerror(errno));
		return (-1);
	}
	if (htdocs_open(co, fd, "", HTDOC_DEPTH, &left, err, errlen) == -1)
		return (-1);
	TAILQ_FOREACH(cf, &co->co_files, cf_entry)
		if (cf->cf_kind == FILE_HTDOC &&
		    strcmp(cf->cf_name, "/index.html") == 0)
			return (0);
	(void)snprintf(err, errlen, "%s: no index.html", co->co_htdocs);
	return (-1);
}

/* The old configuration's socket for the same address, or -1. */
static int
listen_reuse(const struct conf *old, const struct conf_listen *want)
{
	struct conf_file_fd	*cf;
	struct sockaddr_storage	 ss;
	socklen_t		 len;

	if (old == NULL)
		return (-1);
	TAILQ_FOREACH(cf, &old->co_files, cf_entry) {
		/* What is served there may change: it is the same socket. */
		if (cf->cf_kind != FILE_LISTEN_TLS &&
		    cf->cf_kind != FILE_LISTEN_REDIRECT &&
		    cf->cf_kind != FILE_LISTEN_PROXY)
			continue;
		len = sizeof(ss);
		if (getsockname(cf->cf_fd, (struct sockaddr *)&ss, &len) == 0 &&
		    len == want->cl_len &&
		    memcmp(&ss, &want->cl_addr, len) == 0)
			return (fcntl(cf->cf_fd, F_DUPFD_CLOEXEC, 3));
	}
	return (-1);
}

int
conf_inherit(void)
{
	const char	*pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	const char	*errstr;
	int		 i, flags;

	if (pid == NULL || n == NULL ||
	    strtonum(pid, 1, INT_MAX, &errstr) != getpid())
		return (0);
	ninherited = (int)strtonum(n, 0, MAX_INHERITED, &errstr);
	if (errstr != NULL) {
		errno = EINVAL;
		return (-1);
	}
	for (i = INHERITED; i < INHERITED + ninherited; i++)
		if ((flags = fcntl(i, F_GETFL)) == -1 ||
		    fcntl(i, F_SETFL, flags | O_NONBLOCK) == -1 ||
		    fcntl(i, F_SETFD, FD_CLOEXEC) == -1)
			return (-1);
	return (0);
}

/* The one that we were given for this address, or -1. */
static int
listen_inherited(const struct conf_listen *want)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len, onlen;
	int			 i, on;

	for (i = INHERITED; i < INHERITED + ninherited; i++) {
		len = sizeof(ss);
		onlen = sizeof(on);
		if (getsockname(i, (struct sockaddr *)&ss, &len) == 0 &&
		    len == want->cl_len &&
		    memcmp(&ss, &want->cl_addr, len) == 0 &&
		    getsockopt(i, SOL_SOCKET, SO_ACCEPTCONN, &on,
		    &onlen) == 0 && on)
			return (fcntl(i, F_DUPFD_CLOEXEC, INHERITED));
	}
	errno = EADDRNOTAVAIL;
	return (-1);
}

/* The half of "*" that a kernel without IPv6 can do without. */
static int
listen_any6(const struct conf_listen *cl)
{
	const struct sockaddr_in6	*sin6 =
	    (const struct sockaddr_in6 *)&cl->cl_addr;

	return (cl->cl_addr.ss_family == AF_INET6 &&
	    IN6_IS_ADDR_UNSPECIFIED(&sin6->sin6_addr));
}

static int
listen_open(struct conf *co, const struct conf *old, struct conf_listen *cl,
    char *err, size_t errlen)
{
	const struct sockaddr	*sa = (const struct sockaddr *)&cl->cl_addr;
	char			 host[64] = "", port[8] = "";
	const char		*why;
	int			 fd, on = 1;

	fd = listen_reuse(old, cl);
	/* Whoever opens them for us may have left us without a network. */
	if (fd == -1 && ninherited > 0 && (fd = listen_inherited(cl)) == -1)
		goto fail;
	if (fd == -1) {
		fd = socket(sa->sa_family,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd == -1 && errno == EAFNOSUPPORT && listen_any6(cl))
			return (0);
		if (fd == -1 ||
		    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
		    sizeof(on)) == -1 ||
		    (sa->sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6,
		    IPV6_V6ONLY, &on, sizeof(on)) == -1) ||
		    bind(fd, sa, cl->cl_len) == -1 || listen(fd, 1024) == -1)
			goto fail;
	}
	if (file_add(co, cl->cl_kind, cl->cl_from == NULL ? "" : cl->cl_from,
	    fd) == 0)
		return (0);
	fd = -1;
 fail:
	why = ninherited > 0 && errno == EADDRNOTAVAIL ?
	    "no such socket was handed over" : strerror(errno);
	(void)getnameinfo(sa, cl->cl_len, host, sizeof(host), port,
	    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	(void)snprintf(err, errlen, "listen on %s port %s: %s", host, port,
	    why);
	if (fd != -1)
		close(fd);
	return (-1);
}

static int
control_open(struct conf *co, const struct conf *old, char *err, size_t errlen)
{
	struct sockaddr_un	 sun;
	struct conf_file_fd	*cf;
	struct stat		 st;
	mode_t			 mask;
	int			 fd = -1, probe;

	if (old != NULL) {
		TAILQ_FOREACH(cf, &old->co_files, cf_entry)
			if (cf->cf_kind == FILE_CONTROL &&
			    (fd = fcntl(cf->cf_fd, F_DUPFD_CLOEXEC, 3)) != -1)
				return (file_add(co, FILE_CONTROL, "", fd));
		goto fail;
	}
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	errno = ENAMETOOLONG;
	if (strlcpy(sun.sun_path, co->co_control, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path))
		goto fail;
	if ((probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		goto fail;
	if (connect(probe, (struct sockaddr *)&sun, sizeof(sun)) == 0) {
		close(probe);
		(void)snprintf(err, errlen, "%s: another risad serves it",
		    co->co_control);
		return (-1);
	}
	close(probe);
	errno = ENOTSOCK;
	if (lstat(co->co_control, &st) == 0 && !S_ISSOCK(st.st_mode))
		goto fail;
	if (unlink(co->co_control) == -1 && errno != ENOENT)
		goto fail;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		goto fail;
	mask = umask(0111);	/* anybody: auth sees who it is */
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		(void)umask(mask);
		goto fail;
	}
	(void)umask(mask);
	if (listen(fd, 128) == -1)
		goto fail;
	if (file_add(co, FILE_CONTROL, "", fd) == 0)
		return (0);
	fd = -1;
 fail:
	(void)snprintf(err, errlen, "%s: %s", co->co_control, strerror(errno));
	if (fd != -1)
		close(fd);
	return (-1);
}

int
conf_open(struct conf *co, const struct conf *old, char *err, size_t errlen)
{
	struct conf_listen	*cl;

	if (file_open(co, FILE_CERT, co->co_cert, 0, err, errlen) == -1 ||
	    file_open(co, FILE_KEY, co->co_key, 1, err, errlen) == -1 ||
	    file_open(co, FILE_MASTER, co->co_master, 1, err, errlen) == -1 ||
	    (co->co_previous != NULL && file_open(co, FILE_PREVIOUS,
	    co->co_previous, 1, err, errlen) == -1) ||
	    file_open(co, FILE_PEPPER, co->co_pepper, 1, err, errlen) == -1 ||
	    file_open(co, FILE_SIGN, co->co_sign, 1, err, errlen) == -1 ||
	    (co->co_turn_secret != NULL && file_open(co, FILE_TURN,
	    co->co_turn_secret, 1, err, errlen) == -1) ||
	    page_open(co, err, errlen) == -1)
		return (-1);
	TAILQ_FOREACH(cl, &co->co_listens, cl_entry)
		if (listen_open(co, old, cl, err, errlen) == -1)
			return (-1);
	return (control_open(co, old, err, errlen));
}

int
conf_reloadable(const struct conf *old, const struct conf *new, char *err,
    size_t errlen)
{
	const char	*what = NULL;

	if (strcmp(old->co_data, new->co_data) != 0)
		what = "data";
	else if (strcmp(old->co_pepper, new->co_pepper) != 0 ||
	    strcmp(old->co_sign, new->co_sign) != 0)
		what = "keys";
	else if (strcmp(old->co_control, new->co_control) != 0)
		what = "control socket";
	else if (strcmp(old->co_chroot, new->co_chroot) != 0)
		what = "chroot";
	else if (old->co_nsession != new->co_nsession ||
	    old->co_nhash != new->co_nhash)
		what = "workers";
	if (what == NULL)
		return (0);
	(void)snprintf(err, errlen, "%s: only a restart can change it", what);
	return (-1);
}
