/*
 * Messages over real socket pairs: sizes at the edges, descriptors that must
 * neither get lost nor leak nor change owner, short reads and writes.  Links
 * risad/compat/imsg.c and risad/compat/imsg-buffer.c.
 */
#include <sys/types.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "imsg.h"
#include "unit.h"

#define NFILES	16	/* descriptors that can be told apart */
#define FD_MARK	0x80000000U

static int		 files[NFILES];
static size_t		 lim_read, lim_write;	/* bytes a call; 0: any */
static unsigned int	 nrecv, nsend;		/* calls */
static size_t		 send_iov[8];		/* pieces of a call */
static int		 send_fd[8];		/* had it a descriptor? */

/* Stand before those in libc: cut what a call moves, and count calls. */
ssize_t
recvmsg(int fd, struct msghdr *msg, int flags)
{
	nrecv++;
	if (lim_read != 0 && msg->msg_iov[0].iov_len > lim_read)
		msg->msg_iov[0].iov_len = lim_read;
	return (syscall(SYS_recvmsg, fd, msg, flags));
}

ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct iovec	 iov;
	struct msghdr	 m = *msg;

	if (nsend < 8) {
		send_iov[nsend] = m.msg_iovlen;
		send_fd[nsend] = m.msg_controllen != 0;
	}
	nsend++;
	if (lim_write != 0) {
		iov = m.msg_iov[0];
		if (iov.iov_len > lim_write)
			iov.iov_len = lim_write;
		m.msg_iov = &iov;
		m.msg_iovlen = 1;
	}
	return (syscall(SYS_sendmsg, fd, &m, flags));
}

static int
count_fds(void)
{
	struct dirent	*de;
	DIR		*dir;
	int		 n = 0;

	if ((dir = opendir("/proc/self/fd")) == NULL)
		return (-1);
	while ((de = readdir(dir)) != NULL)
		n++;
	closedir(dir);
	return (n);
}

/* The same numbers in each run. */
static uint32_t
draw(uint32_t below)
{
	static uint64_t	 x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return ((uint32_t)(x >> 16) % below);
}

/* Is fd a copy of that file?  Closes it. */
static int
is_file(int fd, int file)
{
	struct stat	 a, b;
	int		 same;

	if (fd == -1)
		return (0);
	same = fstat(fd, &a) == 0 && fstat(files[file], &b) == 0 &&
	    a.st_ino == b.st_ino && a.st_dev == b.st_dev;
	(void)close(fd);
	return (same);
}

static int
file_dup(int file)
{
	return (fcntl(files[file], F_DUPFD_CLOEXEC, 0));
}

static void
pair_open(int sv[2], struct imsgbuf *a, struct imsgbuf *b, int pass)
{
	lim_read = lim_write = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    sv) == -1 || imsgbuf_init(a, sv[0]) == -1 ||
	    imsgbuf_init(b, sv[1]) == -1) {
		perror("pair");
		exit(1);
	}
	if (pass) {
		imsgbuf_allow_fdpass(a);
		imsgbuf_allow_fdpass(b);
	}
}

static void
pair_close(int sv[2], struct imsgbuf *a, struct imsgbuf *b)
{
	imsgbuf_clear(a);
	imsgbuf_clear(b);
	(void)close(sv[0]);
	(void)close(sv[1]);
	lim_read = lim_write = 0;
}

/* Bytes as they are, with up to two descriptors. */
static void
raw_send(int s, const void *data, size_t len, int fd, int fd2)
{
	struct iovec	 iov;
	struct msghdr	 msg;
	struct cmsghdr	*cmsg;
	size_t		 nfd;
	union {
		struct cmsghdr	 hdr;
		unsigned char	 buf[CMSG_SPACE(2 * sizeof(int))];
	} ctl;

	memset(&msg, 0, sizeof(msg));
	memset(&ctl, 0, sizeof(ctl));
	iov.iov_base = (void *)(uintptr_t)data;
	iov.iov_len = len;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	nfd = (fd != -1 ? 1 : 0) + (fd2 != -1 ? 1 : 0);
	if (nfd > 0) {
		msg.msg_control = ctl.buf;
		msg.msg_controllen = CMSG_SPACE(nfd * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_len = CMSG_LEN(nfd * sizeof(int));
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
		if (nfd == 2)
			memcpy(CMSG_DATA(cmsg) + sizeof(int), &fd2,
			    sizeof(int));
	}
	CHECK_INT(sendmsg(s, &msg, MSG_NOSIGNAL), (ssize_t)len);
}

/* Reads until nothing is there; what the last imsgbuf_read said. */
static int
read_all(struct imsgbuf *b)
{
	int	 avail = 1, r = 1;
	char	 c;

	while (r == 1 && avail) {
		r = imsgbuf_read(b);
		avail = recv(b->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
	}
	return (r);
}

/* Exactly this message comes next; file -1: without a descriptor. */
static int
expect(struct imsgbuf *b, uint32_t type, size_t len, int file)
{
	struct imsg	 m;
	int		 fd, ok;

	if (imsgbuf_get(b, &m) != 1)
		return (0);
	ok = imsg_get_type(&m) == type && imsg_get_len(&m) == len;
	fd = imsg_get_fd(&m);
	if (file == -1) {
		ok = ok && fd == -1;
		if (fd != -1)
			(void)close(fd);
	} else
		ok = is_file(fd, file) && ok;
	ok = ok && imsg_get_fd(&m) == -1;
	imsg_free(&m);
	imsg_free(&m);
	return (ok);
}

static void
test_fields(void)
{
	struct imsgbuf	 a, b;
	struct imsg	 m;
	struct imsg_hdr	 hdr;
	int		 sv[2];

	CHECK_INT(sizeof(struct imsg_hdr), 16);
	CHECK_INT(IMSG_HEADER_SIZE, 16);
	CHECK_INT(MAX_IMSGSIZE, 16384);
	CHECK_INT(IBUF_READ_SIZE, 65535);
	pair_open(sv, &a, &b, 0);
	CHECK_INT(imsgbuf_get(&b, &m), 0);
	CHECK_INT(imsg_compose(&a, 7, 8, 9, -1, "abc", 3), 1);
	CHECK_INT(imsg_compose(&a, UINT32_MAX, UINT32_MAX, 0, -1, NULL, 0), 1);
	CHECK_INT(imsgbuf_queuelen(&a), 2);
	CHECK_INT(imsgbuf_write(&a), 0);
	CHECK_INT(imsgbuf_queuelen(&a), 0);
	CHECK_INT(imsgbuf_read(&b), 1);
	CHECK_INT(imsgbuf_get(&b, &m), 1);
	CHECK_INT(imsg_get_type(&m), 7);
	CHECK_INT(imsg_get_id(&m), 8);
	CHECK_INT(imsg_get_pid(&m), 9);
	CHECK_INT(imsg_get_len(&m), 3);
	CHECK_INT(m.hdr.len, 19);
	CHECK(memcmp(m.data, "abc", 3) == 0);
	imsg_free(&m);
	CHECK_INT(imsg_get(&b, &m), 16);
	CHECK_INT(imsg_get_type(&m), UINT32_MAX);
	CHECK_INT(imsg_get_id(&m), UINT32_MAX);
	CHECK_INT(imsg_get_pid(&m), getpid());
	CHECK_INT(imsg_get_len(&m), 0);
	CHECK(m.data == NULL);
	imsg_free(&m);
	CHECK_INT(imsg_get(&b, &m), 0);

	/* The wire: type, length, id, pid in host order. */
	CHECK_INT(imsg_compose(&a, 1, 2, 3, -1, "z", 1), 1);
	CHECK_INT(imsgbuf_write(&a), 0);
	CHECK_INT(read(sv[1], &hdr, sizeof(hdr)), 16);
	CHECK(hdr.type == 1 && hdr.len == 17 && hdr.peerid == 2 &&
	    hdr.pid == 3);
	pair_close(sv, &a, &b);
}

/* One message of payload len arrives as it was sent. */
static void
send_len(struct imsgbuf *a, struct imsgbuf *b, char *data, size_t len)
{
	static char	 back[40000];
	struct imsg	 m;
	size_t		 i;
	int		 r;

	for (i = 0; i < len; i++)
		data[i] = (char)draw(256);
	CHECK_INT(imsg_compose(a, 1, 0, 0, -1, data, len), 1);
	CHECK_INT(imsgbuf_write(a), 0);
	CHECK_INT(read_all(b), 1);
	r = imsgbuf_get(b, &m);
	CHECK_INT(r, 1);
	if (r != 1)
		return;
	CHECK_INT(imsg_get_len(&m), len);
	errno = 0;
	CHECK_INT(imsg_get_data(&m, back, len + 1), -1);
	CHECK_INT(errno, EBADMSG);
	errno = 0;
	CHECK_INT(imsg_get_data(&m, back, 0), -1);
	CHECK_INT(errno, EINVAL);
	if (len > 1) {
		errno = 0;
		CHECK_INT(imsg_get_data(&m, back, len - 1), -1);
		CHECK_INT(errno, EBADMSG);
	}
	if (len > 0)
		CHECK_INT(imsg_get_data(&m, back, len), 0);
	CHECK(memcmp(back, data, len) == 0);
	CHECK_INT(imsg_get_len(&m), 0);
	imsg_free(&m);
}

/* Each way to make a message that is too long. */
static void
send_too_long(struct imsgbuf *a, char *data, size_t max)
{
	struct iovec	 iov[2] = { { data, max }, { data, 1 } };
	struct ibuf	*buf;

	errno = 0;
	CHECK_INT(imsg_compose(a, 1, 0, 0, -1, data, max + 1), -1);
	CHECK_INT(errno, ERANGE);
	CHECK_INT(imsg_compose(a, 1, 0, 0, -1, data, SIZE_MAX), -1);
	CHECK_INT(imsg_composev(a, 1, 0, 0, -1, iov, 2), -1);
	iov[1].iov_len = SIZE_MAX;
	errno = 0;
	CHECK_INT(imsg_composev(a, 1, 0, 0, -1, iov, 2), -1);
	CHECK_INT(errno, ERANGE);
	errno = 0;
	CHECK(imsg_create(a, 1, 0, 0, max + 1) == NULL);
	CHECK_INT(errno, ERANGE);
	buf = imsg_create(a, 1, 0, 0, 0);
	CHECK_INT(imsg_add(buf, data, max), (int)max);
	CHECK_INT(imsg_add(buf, data, 1), -1);	/* and has freed it */
	buf = ibuf_open(max + 1);
	CHECK_INT(ibuf_add_zero(buf, max + 1), 0);
	errno = 0;
	CHECK_INT(imsg_compose_ibuf(a, 1, 0, 0, buf), -1);	/* likewise */
	CHECK_INT(errno, ERANGE);
	CHECK_INT(imsgbuf_queuelen(a), 0);
}

static void
test_sizes(void)
{
	static char	 data[40001];
	static const uint32_t	 maxes[] = { 16368, 1, 100, 39000 };
	struct imsgbuf	 a, b;
	size_t		 i;
	int		 sv[2];

	pair_open(sv, &a, &b, 0);
	for (i = 0; i < 4; i++) {
		if (i > 0) {	/* the first is the default */
			CHECK_INT(imsgbuf_set_maxsize(&a, maxes[i]), 0);
			CHECK_INT(imsgbuf_set_maxsize(&b, maxes[i]), 0);
		}
		send_len(&a, &b, data, 0);
		send_len(&a, &b, data, 1);
		send_len(&a, &b, data, maxes[i] - 1);
		send_len(&a, &b, data, maxes[i]);
		send_too_long(&a, data, maxes[i]);
	}
	CHECK_INT(imsgbuf_set_maxsize(&a, 0), 0);
	CHECK_INT(imsg_compose(&a, 1, 0, 0, -1, "", 1), -1);
	CHECK_INT(imsg_compose(&a, 1, 0, 0, -1, "", 0), 1);
	errno = 0;
	CHECK_INT(imsgbuf_set_maxsize(&a, UINT32_MAX), -1);
	CHECK_INT(errno, ERANGE);
	CHECK_INT(imsgbuf_set_maxsize(&a, UINT32_MAX - 15), -1);
	CHECK_INT(errno, ERANGE);
	CHECK_INT(imsgbuf_set_maxsize(&a, UINT32_MAX - 16), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(imsgbuf_set_maxsize(&a, 0x7ffffff0), -1);
	CHECK_INT(imsgbuf_set_maxsize(&a, 0x7fffffef), 0);
	pair_close(sv, &a, &b);
}

/* Lengths in the header that no message may have. */
static void
test_bad_length(void)
{
	static const uint32_t	 lens[] = { 0, 1, 15, 16385, 65535,
	    0x7fffffff, FD_MARK, FD_MARK | 15, FD_MARK | 16385, UINT32_MAX };
	struct imsgbuf	 a, b;
	struct imsg_hdr	 hdr;
	size_t		 i;
	int		 sv[2];

	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		pair_open(sv, &a, &b, 1);
		memset(&hdr, 0, sizeof(hdr));
		hdr.len = 16;
		raw_send(sv[0], &hdr, sizeof(hdr), -1, -1);
		hdr.len = lens[i];
		raw_send(sv[0], &hdr, sizeof(hdr), files[0], -1);
		errno = 0;
		CHECK_INT(imsgbuf_read(&b), -1);
		CHECK_INT(errno, ERANGE);
		hdr.len = 16;
		raw_send(sv[0], &hdr, sizeof(hdr), files[1], -1);
		CHECK_INT(imsgbuf_read(&b), -1);	/* stays broken */
		CHECK_INT(errno, ERANGE);
		CHECK(expect(&b, 0, 0, -1));	/* what came before is whole */
		CHECK(!expect(&b, 0, 0, -1));
		pair_close(sv, &a, &b);
	}
}

static void
test_getters(void)
{
	struct imsgbuf	 a, b;
	struct imsg	 m;
	struct ibuf	*buf, view;
	char		 str[8];
	uint32_t	 v;
	int		 sv[2];

	pair_open(sv, &a, &b, 0);
	buf = imsg_create(&a, 5, 6, 7, 0);
	CHECK_INT(ibuf_add_n32(buf, 99), 0);
	CHECK_INT(ibuf_add_strbuf(buf, "room", 8), 0);
	CHECK_INT(ibuf_add(buf, "12345678", 8), 0);
	CHECK_INT(imsg_add(buf, "tail", 4), 4);
	CHECK_INT(imsg_add(buf, NULL, 0), 0);
	imsg_close(&a, buf);
	CHECK_INT(imsg_compose(&a, 6, 0, 0, -1, NULL, 0), 1);
	CHECK_INT(imsgbuf_write(&a), 0);
	CHECK_INT(imsgbuf_read(&b), 1);
	CHECK_INT(imsgbuf_get(&b, &m), 1);
	CHECK_INT(imsg_get_buf(&m, &v, 25), -1);
	CHECK_INT(errno, EBADMSG);
	CHECK_INT(imsg_get_buf(&m, &v, 0), 0);
	CHECK_INT(imsg_get_buf(&m, &v, 4), 0);
	CHECK_INT(imsg_get_len(&m), 20);
	CHECK_INT(imsg_get_strbuf(&m, str, 0), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(imsg_get_strbuf(&m, str, 8), 0);
	CHECK_STR(str, "room");
	CHECK_INT(imsg_get_strbuf(&m, str, 8), -1);
	CHECK_INT(errno, EOVERFLOW);
	CHECK_STR(str, "1234567");
	CHECK_INT(imsg_get_ibuf(&m, &view), 0);
	CHECK_INT(ibuf_size(&view), 4);
	CHECK_INT(ibuf_get(&view, str, 4), 0);
	CHECK(memcmp(str, "tail", 4) == 0);
	CHECK_INT(imsg_get_len(&m), 0);
	errno = 0;
	CHECK_INT(imsg_get_ibuf(&m, &view), -1);
	CHECK_INT(errno, EBADMSG);
	CHECK_INT(imsg_get_buf(&m, str, 1), -1);
	CHECK_INT(imsg_get_strbuf(&m, str, 1), -1);

	/* Forwarded whole, twice, although it was read to its end. */
	CHECK_INT(imsg_forward(&b, &m), 1);
	CHECK_INT(imsg_forward(&b, &m), 1);
	CHECK_INT(imsg_get_len(&m), 24);
	CHECK_INT(imsg_get_buf(&m, &v, 4), 0);
	CHECK_INT(be32toh(v), 99);
	imsg_free(&m);
	CHECK_INT(imsgbuf_get(&b, &m), 1);
	CHECK_INT(imsg_get_ibuf(&m, &view), -1);
	CHECK_INT(imsg_forward(&b, &m), 1);
	CHECK_INT(imsgbuf_set_maxsize(&b, 3), 0);
	imsg_free(&m);
	CHECK_INT(imsgbuf_write(&b), 0);
	CHECK_INT(imsgbuf_read(&a), 1);
	CHECK_INT(imsgbuf_get(&a, &m), 1);
	CHECK(imsg_get_type(&m) == 5 && imsg_get_id(&m) == 6 &&
	    imsg_get_pid(&m) == 7 && imsg_get_len(&m) == 24);
	CHECK_INT(imsg_forward(&b, &m), -1);	/* beyond its limit */
	CHECK_INT(errno, ERANGE);
	imsg_free(&m);
	CHECK(expect(&a, 5, 24, -1));
	CHECK(expect(&a, 6, 0, -1));
	pair_close(sv, &a, &b);
}

static void
test_compose_ibuf(void)
{
	struct imsgbuf	 a, b;
	struct ibuf	*buf;
	struct imsg	 m;
	uint16_t	 v;
	int		 sv[2];

	pair_open(sv, &a, &b, 1);
	buf = ibuf_dynamic(0, 100);
	CHECK_INT(ibuf_add_n32(buf, 0x01020304), 0);
	CHECK_INT(ibuf_skip(buf, 2), 0);	/* only what is unread goes */
	CHECK_INT(imsg_compose_ibuf(&a, 3, 4, 5, buf), 1);
	CHECK_INT(imsg_compose_ibuf(&a, 4, 4, 5, ibuf_open(9)), 1);
	buf = ibuf_open(16368);
	CHECK_INT(ibuf_add_zero(buf, 16368), 0);
	CHECK_INT(imsg_compose_ibuf(&a, 5, 0, 0, buf), 1);
	buf = ibuf_open(1);
	ibuf_fd_set(buf, file_dup(0));
	errno = 0;
	CHECK_INT(imsg_compose_ibuf(&a, 6, 0, 0, buf), -1);
	CHECK_INT(errno, EINVAL);
	CHECK_INT(imsgbuf_flush(&a), 0);
	CHECK_INT(read_all(&b), 1);
	CHECK_INT(imsgbuf_get(&b, &m), 1);
	CHECK(imsg_get_type(&m) == 3 && imsg_get_id(&m) == 4 &&
	    imsg_get_pid(&m) == 5);
	CHECK_INT(ibuf_get_n16(m.buf, &v), 0);
	CHECK_INT(v, 0x0304);
	CHECK_INT(imsg_get_len(&m), 0);
	imsg_free(&m);
	CHECK(expect(&b, 4, 0, -1));
	CHECK(expect(&b, 5, 16368, -1));
	CHECK(!expect(&b, 0, 0, -1));

	buf = imsg_create(&a, 1, 0, 0, 10);
	CHECK_INT(imsg_set_maxsize(buf, 16369), -1);
	CHECK_INT(errno, ERANGE);
	CHECK_INT(imsg_set_maxsize(buf, SIZE_MAX), -1);
	CHECK_INT(imsg_set_maxsize(buf, 12), 0);
	CHECK_INT(ibuf_left(buf), 12);
	CHECK_INT(ibuf_add_zero(buf, 13), -1);
	CHECK_INT(ibuf_add_zero(buf, 12), 0);
	imsg_close(&a, buf);
	CHECK_INT(imsgbuf_flush(&a), 0);
	CHECK_INT(imsgbuf_read(&b), 1);
	CHECK(expect(&b, 1, 12, -1));
	pair_close(sv, &a, &b);
}

static void
test_park(void)
{
	struct imsgbuf		 a, b;
	struct imsg		 m;
	struct ibufqueue	*q;
	char			 c;
	int			 sv[2];

	pair_open(sv, &a, &b, 1);
	q = ibufq_new();
	CHECK_INT(imsg_ibufq_pop(q, &m), 0);
	CHECK_INT(imsg_compose(&a, 1, 0, 0, file_dup(3), "xy", 2), 1);
	CHECK_INT(imsg_compose(&a, 2, 0, 0, file_dup(4), NULL, 0), 1);
	CHECK_INT(imsgbuf_write(&a), 0);
	CHECK_INT(imsgbuf_write(&a), 0);
	CHECK_INT(read_all(&b), 1);
	CHECK_INT(imsgbuf_get(&b, &m), 1);
	CHECK_INT(imsg_get_buf(&m, &c, 1), 0);
	imsg_ibufq_push(q, &m);
	CHECK(m.buf == NULL && m.data == NULL);
	CHECK_INT(imsgbuf_get(&b, &m), 1);
	imsg_ibufq_push(q, &m);
	CHECK_INT(ibufq_queuelen(q), 2);
	CHECK_INT(imsg_ibufq_pop(q, &m), 1);
	CHECK_INT(imsg_get_len(&m), 2);		/* from its start again */
	CHECK_INT(imsg_get_type(&m), 1);
	CHECK(is_file(imsg_get_fd(&m), 3));
	imsg_free(&m);
	ibufq_free(q);				/* closes the other */
	pair_close(sv, &a, &b);
}

/* Descriptors and their messages, in order, close on exec, owned once. */
static void
test_fd(void)
{
	struct imsgbuf	 a, b;
	struct imsg	 m;
	int		 fd, i, sv[2];

	pair_open(sv, &a, &b, 1);
	CHECK_INT(imsg_compose(&a, 0, 0, 0, -1, "a", 1), 1);
	CHECK_INT(imsg_compose(&a, 1, 0, 0, file_dup(1), "b", 1), 1);
	CHECK_INT(imsg_compose(&a, 2, 0, 0, -1, "c", 1), 1);
	CHECK_INT(imsg_compose(&a, 3, 0, 0, file_dup(3), "", 0), 1);
	CHECK_INT(imsg_compose(&a, 4, 0, 0, file_dup(4), "e", 1), 1);
	CHECK_INT(imsg_compose(&a, 5, 0, 0, -1, "f", 1), 1);
	nsend = 0;
	CHECK_INT(imsgbuf_flush(&a), 0);
	CHECK_INT(nsend, 4);			/* A, B C, D, E F */
	CHECK(send_iov[0] == 1 && send_iov[1] == 2 && send_iov[2] == 1 &&
	    send_iov[3] == 2);
	CHECK(!send_fd[0] && send_fd[1] && send_fd[2] && send_fd[3]);
	CHECK_INT(read_all(&b), 1);
	for (i = 0; i < 6; i++)
		CHECK(expect(&b, (uint32_t)i, i != 3,
		    i == 1 || i == 3 || i == 4 ? i : -1));

	/* Received ones are close on exec; forwarding never passes them. */
	CHECK_INT(imsg_compose(&a, 9, 0, 0, file_dup(2), "x", 1), 1);
	CHECK_INT(imsgbuf_write(&a), 0);
	CHECK_INT(imsgbuf_read(&b), 1);
	CHECK_INT(imsgbuf_get(&b, &m), 1);
	CHECK_INT(m.hdr.len, 17);		/* without the mark */
	CHECK_INT(imsg_forward(&b, &m), 1);
	fd = imsg_get_fd(&m);
	CHECK_INT(fcntl(fd, F_GETFD), FD_CLOEXEC);
	imsg_free(&m);
	CHECK(is_file(fd, 2));			/* survives the message */
	CHECK_INT(imsgbuf_write(&b), 0);
	CHECK_INT(imsgbuf_read(&a), 1);
	CHECK(expect(&a, 9, 1, -1));

	/* Untaken, unread, unsent: main counts what is left open. */
	for (i = 0; i < 6; i++) {
		CHECK_INT(imsg_compose(&a, 9, 0, 0, file_dup(2), "x", 1), 1);
		if (i < 4)
			CHECK_INT(imsgbuf_write(&a), 0);
	}
	CHECK_INT(imsgbuf_queuelen(&a), 2);
	CHECK_INT(imsgbuf_read(&b), 1);
	CHECK_INT(imsgbuf_read(&b), 1);
	CHECK_INT(imsgbuf_get(&b, &m), 1);
	imsg_free(&m);
	pair_close(sv, &a, &b);
}

/* After an error the descriptor is the caller's; without leave none passes. */
static void
test_fd_refused(void)
{
	struct imsgbuf	 a, b;
	struct imsg_hdr	 hdr;
	struct ibuf	*buf;
	int		 fd, sv[2];

	pair_open(sv, &a, &b, 1);
	fd = file_dup(0);
	CHECK_INT(imsg_compose(&a, 1, 0, 0, fd, NULL, 16369), -1);
	CHECK(fcntl(fd, F_GETFD) != -1);
	pair_close(sv, &a, &b);

	pair_open(sv, &a, &b, 0);
	errno = 0;
	CHECK_INT(imsg_compose(&a, 1, 0, 0, fd, NULL, 0), -1);
	CHECK_INT(errno, EINVAL);
	CHECK(fcntl(fd, F_GETFD) != -1);
	buf = imsg_create(&a, 2, 0, 0, 0);
	ibuf_fd_set(buf, fd);
	imsg_close(&a, buf);
	CHECK_INT(imsgbuf_write(&a), 0);
	CHECK_INT(fcntl(fd, F_GETFD), -1);
	memset(&hdr, 0, sizeof(hdr));
	hdr.type = 3;
	hdr.len = FD_MARK | 16;
	raw_send(sv[0], &hdr, sizeof(hdr), files[1], -1);
	CHECK_INT(read_all(&b), 1);
	CHECK(expect(&b, 2, 0, -1));
	CHECK(expect(&b, 3, 0, -1));
	pair_close(sv, &a, &b);
}

/* So many unread bytes, as messages of type 100; how many messages. */
static int
pad(struct imsgbuf *a, size_t bytes)
{
	static const char	 data[MAX_IMSGSIZE];
	size_t			 n;
	int			 count = 0;

	for (; bytes > 0; bytes -= n) {
		n = bytes;
		if (n > MAX_IMSGSIZE)	/* never leave less than a header */
			n = MAX_IMSGSIZE - IMSG_HEADER_SIZE;
		CHECK_INT(imsg_compose(a, 100, 0, 0, -1, data,
		    n - IMSG_HEADER_SIZE), 1);
		count++;
	}
	CHECK_INT(imsgbuf_flush(a), 0);
	return (count);
}

/* The next n messages are padding. */
static int
unpad(struct imsgbuf *b, int n)
{
	struct imsg	 m;
	int		 ok = 1;

	while (n-- > 0 && ok) {
		if (imsgbuf_get(b, &m) != 1)
			return (0);
		ok = imsg_get_type(&m) == 100 && imsg_get_fd(&m) == -1;
		imsg_free(&m);
	}
	return (ok);
}

/*
 * A read of 65535 bytes ends inside the header of the message that owns the
 * descriptor, which comes with the first part.  The next read brings the rest
 * and the descriptor of a later message.
 */
static void
test_pads(void)
{
	struct imsgbuf	 a, b;
	size_t		 p;
	int		 n, sv[2];

	for (p = 65518; p <= 65535; p++) {
		pair_open(sv, &a, &b, 1);
		n = pad(&a, p);
		CHECK_INT(imsg_compose(&a, 1, 0, 0, file_dup(1), "b", 1), 1);
		CHECK_INT(imsg_compose(&a, 2, 0, 0, -1, "c", 1), 1);
		CHECK_INT(imsg_compose(&a, 3, 0, 0, file_dup(2), "d", 1), 1);
		CHECK_INT(imsg_compose(&a, 4, 0, 0, file_dup(3), "e", 1), 1);
		CHECK_INT(imsgbuf_flush(&a), 0);
		nrecv = 0;
		CHECK_INT(imsgbuf_read(&b), 1);
		CHECK_INT(nrecv, 1);
		CHECK(unpad(&b, n));
		CHECK(p <= 65519 || !expect(&b, 0, 0, -1));
		CHECK_INT(read_all(&b), 1);
		CHECK(expect(&b, 1, 1, 1));
		CHECK(expect(&b, 2, 1, -1));
		CHECK(expect(&b, 3, 1, 2));
		CHECK(expect(&b, 4, 1, 3));
		pair_close(sv, &a, &b);
	}
}

/* No number is free below the limit; the old limit, to be given back. */
static rlim_t
fds_forbid(void)
{
	struct rlimit	 rl;
	rlim_t		 old;
	int		 fd;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1 || (fd = file_dup(0)) == -1) {
		perror("limit");
		exit(1);
	}
	(void)close(fd);
	old = rl.rlim_cur;
	rl.rlim_cur = (rlim_t)fd;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &rl), 0);
	return (old);
}

static void
fds_allow(rlim_t old)
{
	struct rlimit	 rl;

	CHECK_INT(getrlimit(RLIMIT_NOFILE, &rl), 0);
	rl.rlim_cur = old;
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &rl), 0);
}

/*
 * The kernel finds no free slot: the message arrives without its descriptor,
 * and the descriptors of others stay with their owners, also if the lost one
 * came with half a header.
 */
static void
test_lost(void)
{
	static const size_t	 pads[] = { 0, 65519, 65520, 65534, 65535 };
	struct imsgbuf		 a, b;
	rlim_t			 old;
	size_t			 i;
	int			 fit, n, sv[2];

	for (i = 0; i < 5; i++) {
		pair_open(sv, &a, &b, 1);
		n = pad(&a, pads[i]);
		CHECK_INT(imsg_compose(&a, 1, 0, 0, file_dup(1), "b", 1), 1);
		CHECK_INT(imsg_compose(&a, 2, 0, 0, -1, "c", 1), 1);
		CHECK_INT(imsg_compose(&a, 3, 0, 0, file_dup(2), "d", 1), 1);
		CHECK_INT(imsgbuf_flush(&a), 0);
		old = fds_forbid();
		CHECK_INT(imsgbuf_read(&b), 1);
		fds_allow(old);
		CHECK_INT(read_all(&b), 1);
		CHECK(unpad(&b, n));
		fit = pads[i] < 65535;		/* else it was not lost */
		CHECK(expect(&b, 1, 1, fit ? -1 : 1));
		CHECK(expect(&b, 2, 1, -1));
		CHECK(expect(&b, 3, 1, 2));
		pair_close(sv, &a, &b);
	}
}

/* What a broken peer may try with descriptors; main counts leaks. */
static void
test_fd_protocol(void)
{
	struct imsgbuf	 a, b;
	struct imsg_hdr	 hdr;
	unsigned char	*p = (unsigned char *)&hdr;
	int		 sv[2];

	memset(&hdr, 0, sizeof(hdr));
	hdr.type = 1;

	/* A second one while the first has no owner. */
	pair_open(sv, &a, &b, 1);
	hdr.len = FD_MARK | 16;
	raw_send(sv[0], p, 4, files[0], -1);
	CHECK_INT(imsgbuf_read(&b), 1);
	raw_send(sv[0], p + 4, 4, -1, -1);
	CHECK_INT(imsgbuf_read(&b), 1);
	raw_send(sv[0], p + 8, 4, files[1], -1);
	errno = 0;
	CHECK_INT(imsgbuf_read(&b), -1);
	CHECK_INT(errno, EBADMSG);
	pair_close(sv, &a, &b);

	/* The first is claimed by the same read that brings the second. */
	pair_open(sv, &a, &b, 1);
	raw_send(sv[0], p, 4, files[0], -1);
	CHECK_INT(imsgbuf_read(&b), 1);
	raw_send(sv[0], p + 4, 12, -1, -1);
	raw_send(sv[0], p, 15, files[1], -1);
	CHECK_INT(imsgbuf_read(&b), 1);
	CHECK(expect(&b, 1, 0, 0));
	raw_send(sv[0], p + 15, 1, -1, -1);
	CHECK_INT(imsgbuf_read(&b), 1);
	CHECK(expect(&b, 1, 0, 1));
	pair_close(sv, &a, &b);

	/* One that no message claims: unmarked, or inside a payload. */
	pair_open(sv, &a, &b, 1);
	hdr.len = 16;
	raw_send(sv[0], p, 16, files[0], -1);
	errno = 0;
	CHECK_INT(imsgbuf_read(&b), -1);
	CHECK_INT(errno, EBADMSG);
	pair_close(sv, &a, &b);
	pair_open(sv, &a, &b, 1);
	hdr.len = 20;
	raw_send(sv[0], p, 16, -1, -1);
	CHECK_INT(imsgbuf_read(&b), 1);
	raw_send(sv[0], "ab", 2, files[0], -1);
	CHECK_INT(imsgbuf_read(&b), -1);
	pair_close(sv, &a, &b);

	/* Two with one message: the first is used, the second is closed. */
	pair_open(sv, &a, &b, 1);
	hdr.len = FD_MARK | 16;
	raw_send(sv[0], p, 16, files[4], files[5]);
	CHECK_INT(imsgbuf_read(&b), 1);
	CHECK(expect(&b, 1, 0, 4));
	pair_close(sv, &a, &b);

	/* A mark without one, and end of file while one waits. */
	pair_open(sv, &a, &b, 1);
	raw_send(sv[0], p, 16, -1, -1);
	CHECK_INT(imsgbuf_read(&b), 1);
	CHECK(expect(&b, 1, 0, -1));
	raw_send(sv[0], p, 1, files[6], -1);
	CHECK_INT(imsgbuf_read(&b), 1);
	CHECK_INT(shutdown(sv[0], SHUT_WR), 0);
	CHECK_INT(imsgbuf_read(&b), 0);
	CHECK_INT(imsgbuf_read(&b), 0);
	pair_close(sv, &a, &b);

	/* Cleared while one waits. */
	pair_open(sv, &a, &b, 1);
	raw_send(sv[0], p, 1, files[6], -1);
	CHECK_INT(imsgbuf_read(&b), 1);
	pair_close(sv, &a, &b);
}

/* Nothing there, nobody there, no room: no call is ever repeated inside. */
static void
test_edges(void)
{
	static const char	 data[16000];
	struct imsgbuf		 a, b;
	uint32_t		 left;
	int			 i, sv[2];

	pair_open(sv, &a, &b, 1);
	nrecv = nsend = 0;
	CHECK_INT(imsgbuf_read(&b), 1);
	CHECK_INT(nrecv, 1);
	CHECK_INT(imsgbuf_write(&a), 0);
	CHECK_INT(nsend, 0);
	for (i = 0; i < 100; i++)
		CHECK_INT(imsg_compose(&a, 1, 0, 0, -1, data,
		    sizeof(data)), 1);
	CHECK_INT(imsgbuf_write(&a), 0);
	left = imsgbuf_queuelen(&a);
	CHECK(left > 0 && left < 100);
	nsend = 0;
	CHECK_INT(imsgbuf_write(&a), 0);	/* full: 0, one try */
	CHECK_INT(nsend, 1);
	CHECK_INT(imsgbuf_queuelen(&a), left);
	(void)close(sv[1]);
	errno = 0;
	CHECK_INT(imsgbuf_write(&a), -1);	/* and no SIGPIPE */
	CHECK_INT(errno, EPIPE);
	errno = 0;
	CHECK_INT(imsgbuf_flush(&a), -1);
	CHECK_INT(imsgbuf_read(&b), -1);
	CHECK_INT(errno, EBADF);
	imsgbuf_clear(&a);
	imsgbuf_clear(&a);
	sv[1] = -1;
	pair_close(sv, &a, &b);

	pair_open(sv, &a, &b, 0);		/* the same without passing */
	CHECK_INT(imsg_compose(&a, 1, 0, 0, -1, NULL, 0), 1);
	CHECK_INT(imsgbuf_flush(&a), 0);
	CHECK_INT(shutdown(sv[0], SHUT_WR), 0);
	CHECK_INT(imsgbuf_read(&b), 1);
	CHECK_INT(imsgbuf_read(&b), 0);
	CHECK(expect(&b, 1, 0, -1));
	(void)close(sv[0]);
	CHECK_INT(imsg_compose(&b, 1, 0, 0, -1, NULL, 0), 1);
	errno = 0;
	CHECK_INT(imsgbuf_write(&b), -1);
	CHECK_INT(errno, EPIPE);
	sv[0] = -1;
	pair_close(sv, &a, &b);
}

/* More messages than one call takes; most of them empty. */
static void
test_many(void)
{
	struct imsgbuf	 a, b;
	uint32_t	 i;
	int		 bad = 0, sv[2];

	pair_open(sv, &a, &b, 1);
	for (i = 0; i < 4000; i++)
		bad += imsg_compose(&a, i, 0, 0, -1, NULL, 0) != 1;
	CHECK_INT(imsgbuf_queuelen(&a), 4000);
	nsend = 0;
	CHECK_INT(imsgbuf_write(&a), 0);
	CHECK_INT(nsend, 1);
	CHECK_INT(imsgbuf_queuelen(&a), 4000 - 1024);
	CHECK_INT(imsgbuf_flush(&a), 0);
	CHECK_INT(nsend, 4);
	CHECK_INT(read_all(&b), 1);
	for (i = 0; i < 4000; i++)
		bad += !expect(&b, i, 0, -1);
	CHECK_INT(bad, 0);
	CHECK(!expect(&b, 0, 0, -1));
	pair_close(sv, &a, &b);
}

/* Flush sleeps while the other process has not read; it does not try on. */
static void
test_flush(void)
{
	static const char	 data[16000];
	struct imsgbuf		 a, b;
	unsigned int		 got = 0;
	struct imsg		 m;
	pid_t			 pid;
	int			 i, status, sv[2];

	pair_open(sv, &a, &b, 0);
	for (i = 0; i < 300; i++)
		CHECK_INT(imsg_compose(&a, 1, 0, 0, -1, data,
		    sizeof(data)), 1);
	fflush(NULL);
	if ((pid = fork()) == 0) {
		(void)close(sv[0]);
		(void)fcntl(sv[1], F_SETFL, 0);		/* reads block */
		(void)usleep(100000);	/* who tries on is seen */
		while (got < 300 && imsgbuf_read(&b) == 1)
			while (imsgbuf_get(&b, &m) == 1) {
				got++;
				imsg_free(&m);
			}
		_exit(got == 300 ? 0 : 1);
	}
	nsend = 0;
	CHECK_INT(imsgbuf_flush(&a), 0);
	CHECK(nsend < 3000);
	CHECK_INT(imsgbuf_queuelen(&a), 0);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	pair_close(sv, &a, &b);
}

/* A message of the stream: all of it follows from its number. */
struct stream {
	uint32_t	 s_seq;
	uint64_t	 s_state;
};

static uint32_t
stream_draw(struct stream *s)
{
	s->s_state = s->s_state * 6364136223846793005ULL + 1442695040888963407;
	return ((uint32_t)(s->s_state >> 33));
}

static void
stream_next(struct stream *s, size_t *len, int *file)
{
	uint32_t	 r = stream_draw(s);

	*len = r % 64;
	if (r % 32 == 5)
		*len = stream_draw(s) % 2000;
	if (r % 1024 == 7)
		*len = 16368 - stream_draw(s) % 2;
	r = stream_draw(s);
	*file = r % 8 == 0 ? (int)(r / 8 % NFILES) : -1;
	s->s_seq++;
}

static void
stream_fill(const struct stream *s, unsigned char *data, size_t len)
{
	size_t	 i;

	for (i = 0; i < len; i++)
		data[i] = (unsigned char)(s->s_seq * 7 + i);
}

static int
stream_send(struct imsgbuf *a, struct stream *s)
{
	unsigned char	 data[MAX_IMSGSIZE];
	size_t		 len;
	int		 file, fd;

	stream_next(s, &len, &file);
	stream_fill(s, data, len);
	fd = file == -1 ? -1 : file_dup(file);
	return (imsg_compose(a, s->s_seq, ~s->s_seq, 0, fd, data, len) == 1);
}

/* Takes all that came and compares; how many were wrong. */
static int
stream_take(struct imsgbuf *b, struct stream *s)
{
	unsigned char	 data[MAX_IMSGSIZE];
	struct imsg	 m;
	size_t		 len;
	int		 bad = 0, fd, file, r;

	while ((r = imsgbuf_get(b, &m)) == 1) {
		stream_next(s, &len, &file);
		stream_fill(s, data, len);
		bad += imsg_get_type(&m) != s->s_seq ||
		    imsg_get_id(&m) != ~s->s_seq || imsg_get_len(&m) != len ||
		    (len > 0 && memcmp(m.data, data, len) != 0);
		fd = imsg_get_fd(&m);
		bad += file == -1 ? fd != -1 : !is_file(fd, file);
		imsg_free(&m);
	}
	return (bad + (r == -1));
}

/* What one call may move: bytes one by one first, then by chance. */
static size_t
stream_limit(uint32_t seq, uint32_t bytewise)
{
	if (seq < bytewise)
		return (1);
	return (draw(4) == 0 ? 0 : 1 + draw(300));
}

/*
 * Both directions at once over sockets that take little: short writes, full
 * sockets and a slow reader change nothing in order, content or ownership,
 * and neither end waits for the other.
 */
static void
stream_run(uint32_t count, uint32_t bytewise, int sndbuf)
{
	struct stream	 s[2] = { { 0, 1 }, { 0, 2 } };
	struct stream	 r[2] = { { 0, 2 }, { 0, 1 } };
	struct imsgbuf	 b[2];
	uint32_t	 turns = 0;
	int		 bad = 0, full = 0, i, sv[2];

	pair_open(sv, &b[0], &b[1], 1);
	for (i = 0; i < 2; i++)
		(void)setsockopt(sv[i], SOL_SOCKET, SO_SNDBUF, &sndbuf,
		    sizeof(sndbuf));
	while ((r[0].s_seq < count || r[1].s_seq < count) && bad == 0 &&
	    turns++ < 5000 * count) {
		i = (int)draw(2);
		while (s[i].s_seq < count && imsgbuf_queuelen(&b[i]) < 64)
			bad += !stream_send(&b[i], &s[i]);
		lim_write = stream_limit(r[!i].s_seq, bytewise);
		bad += imsgbuf_write(&b[i]) != 0;
		full += imsgbuf_queuelen(&b[i]) == 64;
		i = (int)draw(2);
		lim_read = stream_limit(r[i].s_seq, bytewise);
		bad += imsgbuf_read(&b[i]) != 1;
		bad += stream_take(&b[i], &r[i]);
	}
	CHECK_INT(bad, 0);
	CHECK(full > 0);
	CHECK_INT(r[0].s_seq, count);
	CHECK_INT(r[1].s_seq, count);
	pair_close(sv, &b[0], &b[1]);
}

static void
test_stream(void)
{
	stream_run(5000, 5000, 1);
	stream_run(50000, 1000, 1);
	stream_run(50000, 0, 212992);
}

int
main(void)
{
	static void	(*const tests[])(void) = {
		test_fields, test_sizes, test_bad_length, test_getters,
		test_compose_ibuf, test_park, test_fd, test_fd_refused,
		test_pads, test_lost, test_fd_protocol, test_edges,
		test_many, test_flush, test_stream
	};
	size_t		 i;
	int		 before;

	for (i = 0; i < NFILES; i++)
		if ((files[i] = memfd_create("file", MFD_CLOEXEC)) == -1) {
			perror("memfd_create");
			return (1);
		}
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		before = count_fds();
		tests[i]();
		CHECK_INT(count_fds(), before);
	}
	return (unit_end());
}
