/*
 * What risad's handshakes are measured against: a libtls server that has its
 * key in the same process, does the handshake, waits for the other side to
 * close, and nothing else.  Ends with its standard input.
 */
#include <sys/epoll.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <arpa/inet.h>

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <tls.h>
#include <unistd.h>

#define MAX_SECS	600

struct peer {
	struct tls	*pe_tls;
	int		 pe_fd;
	int		 pe_shaken;
};

static int		 ep;
static struct tls	*server;

static void
peer_close(struct peer *pe)
{
	tls_free(pe->pe_tls);
	close(pe->pe_fd);
	free(pe);
}

static void
peer_accept(int fd)
{
	struct epoll_event	 ev = { .events = EPOLLIN };
	struct peer		*pe;
	int			 s;

	while ((s = accept4(fd, NULL, NULL, SOCK_NONBLOCK)) != -1) {
		if ((pe = calloc(1, sizeof(*pe))) == NULL)
			err(1, NULL);
		pe->pe_fd = s;
		if (tls_accept_socket(server, &pe->pe_tls, s) == -1)
			errx(1, "%s", tls_error(server));
		ev.data.ptr = pe;
		if (epoll_ctl(ep, EPOLL_CTL_ADD, s, &ev) == -1)
			err(1, "epoll_ctl");
	}
}

static void
peer_event(struct peer *pe)
{
	char	 buf[1024];
	ssize_t	 n;

	if (!pe->pe_shaken) {
		n = tls_handshake(pe->pe_tls);
		if (n == -1)
			peer_close(pe);
		else if (n == 0)
			pe->pe_shaken = 1;
		return;
	}
	n = tls_read(pe->pe_tls, buf, sizeof(buf));
	if (n == 0 || n == -1)
		peer_close(pe);
}

static int
listen_on(uint16_t port)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	int			 fd, on = 1;

	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) == -1)
		err(1, "socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons(port);
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, 1024) == -1)
		err(1, "listen");
	return (fd);
}

static void
configure(const char *cert, const char *key)
{
	struct tls_config	*config;

	if ((config = tls_config_new()) == NULL ||
	    (server = tls_server()) == NULL)
		errx(1, "libtls");
	if (tls_config_set_keypair_file(config, cert, key) == -1)
		errx(1, "%s", tls_config_error(config));
	if (tls_configure(server, config) == -1)
		errx(1, "%s", tls_error(server));
}

int
main(int argc, char *argv[])
{
	struct epoll_event	 evs[256], ev = { .events = EPOLLIN };
	int			 fd, i, n;

	if (argc != 4) {
		fprintf(stderr, "usage: peer_tls port certificate key\n");
		return (2);
	}
	signal(SIGPIPE, SIG_IGN);
	alarm(MAX_SECS);
	configure(argv[2], argv[3]);
	fd = listen_on((uint16_t)strtol(argv[1], NULL, 10));
	if ((ep = epoll_create1(EPOLL_CLOEXEC)) == -1 ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == -1)
		err(1, "epoll");
	ev.data.ptr = &ep;
	if (epoll_ctl(ep, EPOLL_CTL_ADD, STDIN_FILENO, &ev) == -1)
		err(1, "standard input");
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		if ((n = epoll_wait(ep, evs, 256, -1)) == -1 && errno != EINTR)
			err(1, "epoll_wait");
		for (i = 0; i < n; i++)
			if (evs[i].data.ptr == NULL)
				peer_accept(fd);
			else if (evs[i].data.ptr == &ep)
				return (0);
			else
				peer_event(evs[i].data.ptr);
	}
}
