/*
 * A hostile peer on an imsg channel: bytes and descriptors as he likes, cut
 * where he likes.  What comes out must be whole messages, forwarded unchanged,
 * and no descriptor may be left.  Links risad/compat/imsg.c, imsg-buffer.c.
 *
 * Input: records of a control byte and up to 127 bytes that it counts in its
 * low bits; its top bit sends a descriptor along.  The first byte of all sets
 * the channel's options.
 */
#include <sys/types.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int cond)
{
	if (!cond)
		abort();
}

/* How many of the low numbers are in use: the same before and after. */
static int
count_fds(void)
{
	int	 fd, n = 0;

	for (fd = 0; fd < 128; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return (n);
}

static void
send_record(int s, const uint8_t *data, size_t len, int with_fd)
{
	struct iovec	 iov;
	struct msghdr	 msg;
	struct cmsghdr	*cmsg;
	int		 fd = 0;
	union {
		struct cmsghdr	 hdr;
		unsigned char	 buf[CMSG_SPACE(sizeof(int))];
	} ctl;

	memset(&msg, 0, sizeof(msg));
	memset(&ctl, 0, sizeof(ctl));
	iov.iov_base = (void *)(uintptr_t)data;
	iov.iov_len = len;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	if (with_fd) {
		msg.msg_control = ctl.buf;
		msg.msg_controllen = sizeof(ctl.buf);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	(void)sendmsg(s, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Uses each getter, in an order that the bytes choose. */
static void
read_fields(struct ibuf *b)
{
	struct ibuf	 view;
	char		 str[32], *s;
	size_t		 had;
	uint8_t		 op;
	uint16_t	 v16;
	uint32_t	 v32;
	uint64_t	 v64;

	while (ibuf_get_n8(b, &op) == 0) {
		had = ibuf_size(b);
		switch (op % 8) {
		case 0:
			must(ibuf_get_n16(b, &v16) == (had < 2 ? -1 : 0));
			break;
		case 1:
			must(ibuf_get_n32(b, &v32) == (had < 4 ? -1 : 0));
			break;
		case 2:
			must(ibuf_get_n64(b, &v64) == (had < 8 ? -1 : 0));
			break;
		case 3:
			memset(str, 'x', sizeof(str));
			if (ibuf_get_strbuf(b, str, op / 8 + 1) == 0)
				must(strlen(str) <= op / 8);
			break;
		case 4:
			if ((s = ibuf_get_string(b, op / 8)) != NULL)
				must(strlen(s) <= op / 8);
			free(s);
			break;
		case 5:
			if (ibuf_get_ibuf(b, op / 8, &view) == 0)
				must(ibuf_size(&view) == op / 8U &&
				    ibuf_add_n8(&view, 0) == -1);
			break;
		case 6:
			must(ibuf_skip(b, op) == (had < op ? -1 : 0));
			break;
		default:
			(void)ibuf_set_n32(b, op / 8, 0);
			(void)ibuf_seek(b, op, had);
			break;
		}
	}
	must(ibuf_size(b) == 0);
}

/* A message that came out goes over a good channel and is still the same. */
static void
check_forward(struct imsg *m, struct imsgbuf *out, struct imsgbuf *in)
{
	struct imsg	 copy;
	size_t		 len = imsg_get_len(m);

	must(m->hdr.len == len + IMSG_HEADER_SIZE);
	must(imsg_forward(out, m) == 1);
	while (imsgbuf_queuelen(out) > 0) {
		must(imsgbuf_write(out) == 0);
		must(imsgbuf_read(in) == 1);
	}
	must(imsgbuf_get(in, &copy) == 1);
	must(imsg_get_type(&copy) == imsg_get_type(m));
	must(imsg_get_id(&copy) == imsg_get_id(m));
	must(imsg_get_len(&copy) == len);
	must(imsg_get_fd(&copy) == -1);
	must(len == 0 || memcmp(copy.data, m->data, len) == 0);
	must(imsgbuf_get(in, m + 1) == 0);
	imsg_free(&copy);
}

static int
drain(struct imsgbuf *b, struct imsgbuf *out, struct imsgbuf *in, int take)
{
	struct imsg	 m[2];
	int		 fd, r;

	if ((r = imsgbuf_read(b)) == 0)
		must(0);
	while (imsgbuf_get(b, m) == 1) {
		check_forward(m, out, in);
		if (take && (fd = imsg_get_fd(m)) != -1)
			must(close(fd) == 0);
		read_fields(m[0].buf);
		imsg_free(m);
	}
	return (r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct imsgbuf	 b, out, in;
	size_t		 i, n;
	int		 before, s[2], t[2];

	if (len < 1)
		return (0);
	before = count_fds();
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == 0);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, t) == 0);
	must(imsgbuf_init(&b, s[1]) == 0 && imsgbuf_init(&out, t[0]) == 0 &&
	    imsgbuf_init(&in, t[1]) == 0);
	if (data[0] & 1)
		imsgbuf_allow_fdpass(&b);
	if (data[0] & 2)
		must(imsgbuf_set_maxsize(&b, data[0] >> 3) == 0);
	for (i = 1; i < len; i += n) {
		n = data[i] & 0x7f;
		if (n > len - i - 1)
			n = len - i - 1;
		if (n > 0)
			send_record(s[0], data + i + 1, n, data[i] & 0x80);
		if (drain(&b, &out, &in, data[0] & 4) == -1)
			break;
		n++;
	}
	imsgbuf_clear(&b);
	imsgbuf_clear(&out);
	imsgbuf_clear(&in);
	(void)close(s[0]);
	(void)close(s[1]);
	(void)close(t[0]);
	(void)close(t[1]);
	must(count_fds() == before);
	return (0);
}
