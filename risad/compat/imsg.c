/*
 * Messages with a header over a stream of buffers; see imsg.h.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"

#define IMSG_FD_MARK		0x80000000U	/* in len, on the wire only */
#define IMSGBUF_FDPASS		0x01

static uint32_t		 imsg_length(uint32_t, uint32_t);
static struct ibuf	*imsg_readhdr(struct ibuf *, void *, int *);
static void		 imsg_queue(struct imsgbuf *, struct ibuf *,
			    struct ibuf *);
static int		 imsg_parse(struct ibuf *, struct imsg *);

int
imsgbuf_init(struct imsgbuf *imsgbuf, int fd)
{
	memset(imsgbuf, 0, sizeof(*imsgbuf));
	imsgbuf->w = msgbuf_new_reader(IMSG_HEADER_SIZE, imsg_readhdr, imsgbuf);
	if (imsgbuf->w == NULL)
		return (-1);
	imsgbuf->pid = getpid();
	imsgbuf->maxsize = MAX_IMSGSIZE;
	imsgbuf->fd = fd;
	return (0);
}

void
imsgbuf_allow_fdpass(struct imsgbuf *imsgbuf)
{
	imsgbuf->flags |= IMSGBUF_FDPASS;
}

int
imsgbuf_set_maxsize(struct imsgbuf *imsgbuf, uint32_t payload)
{
	if (payload > UINT32_MAX - IMSG_HEADER_SIZE) {
		errno = ERANGE;
		return (-1);
	}
	payload += IMSG_HEADER_SIZE;
	if (payload & IMSG_FD_MARK) {
		errno = EINVAL;
		return (-1);
	}
	imsgbuf->maxsize = payload;
	return (0);
}

int
imsgbuf_read(struct imsgbuf *imsgbuf)
{
	if (imsgbuf->flags & IMSGBUF_FDPASS)
		return (msgbuf_read(imsgbuf->fd, imsgbuf->w));
	return (ibuf_read(imsgbuf->fd, imsgbuf->w));
}

int
imsgbuf_write(struct imsgbuf *imsgbuf)
{
	if (imsgbuf->flags & IMSGBUF_FDPASS)
		return (msgbuf_write(imsgbuf->fd, imsgbuf->w));
	return (ibuf_write(imsgbuf->fd, imsgbuf->w));
}

int
imsgbuf_flush(struct imsgbuf *imsgbuf)
{
	struct pollfd	 pfd;

	memset(&pfd, 0, sizeof(pfd));
	pfd.fd = imsgbuf->fd;
	pfd.events = POLLOUT;
	while (imsgbuf_queuelen(imsgbuf) > 0) {
		errno = 0;
		if (imsgbuf_write(imsgbuf) == -1)
			return (-1);
		if (errno != EAGAIN && errno != ENOBUFS)
			continue;
		/*
		 * Full: sleep, not try on.  Only then, because Linux says
		 * writable late, when three quarters have been read.
		 */
		if (poll(&pfd, 1, -1) == -1 && errno != EINTR)
			return (-1);
	}
	return (0);
}

void
imsgbuf_clear(struct imsgbuf *imsgbuf)
{
	msgbuf_free(imsgbuf->w);
	imsgbuf->w = NULL;
}

uint32_t
imsgbuf_queuelen(struct imsgbuf *imsgbuf)
{
	return (msgbuf_queuelen(imsgbuf->w));
}

int
imsgbuf_get(struct imsgbuf *imsgbuf, struct imsg *imsg)
{
	struct ibuf	*buf;

	if ((buf = msgbuf_get(imsgbuf->w)) == NULL)
		return (0);
	return (imsg_parse(buf, imsg));
}

ssize_t
imsg_get(struct imsgbuf *imsgbuf, struct imsg *imsg)
{
	int	 n;

	if ((n = imsgbuf_get(imsgbuf, imsg)) != 1)
		return (n);
	return ((ssize_t)imsg->hdr.len);
}

/* How long a header says its message is; 0 if no message may be so long. */
/*@ assigns \nothing;
    ensures \result == 0 || IMSG_HEADER_SIZE <= \result <= maxsize;
    ensures \result < IMSG_FD_MARK;
    ensures len < IMSG_FD_MARK && IMSG_HEADER_SIZE <= len <= maxsize ==>
	\result == len; */
static uint32_t
imsg_length(uint32_t len, uint32_t maxsize)
{
	if (len >= IMSG_FD_MARK)
		len -= IMSG_FD_MARK;
	if (len < IMSG_HEADER_SIZE || len > maxsize)
		return (0);
	return (len);
}

/*
 * The reader's callback: a header is complete.  The mark alone says who owns
 * a descriptor, because Linux glues the bytes in front of it to the same read.
 */
static struct ibuf *
imsg_readhdr(struct ibuf *view, void *arg, int *fd)
{
	struct imsgbuf	*imsgbuf = arg;
	struct imsg_hdr	 hdr;
	struct ibuf	*buf;
	uint32_t	 len;

	if (ibuf_get(view, &hdr, sizeof(hdr)) == -1)
		return (NULL);
	if ((len = imsg_length(hdr.len, imsgbuf->maxsize)) == 0) {
		errno = ERANGE;
		return (NULL);
	}
	if ((buf = ibuf_open(len)) == NULL)
		return (NULL);
	if (hdr.len & IMSG_FD_MARK) {
		ibuf_fd_set(buf, *fd);
		*fd = -1;
	}
	return (buf);
}

/* Turns a whole message into the struct; on -1 the buffer is freed. */
static int
imsg_parse(struct ibuf *buf, struct imsg *imsg)
{
	struct imsg	 m;

	memset(&m, 0, sizeof(m));
	if (ibuf_get(buf, &m.hdr, sizeof(m.hdr)) == -1) {
		ibuf_free(buf);
		return (-1);
	}
	m.hdr.len &= ~IMSG_FD_MARK;
	m.buf = buf;
	if (ibuf_size(buf) > 0)
		m.data = ibuf_data(buf);
	*imsg = m;
	return (1);
}

int
imsg_compose(struct imsgbuf *imsgbuf, uint32_t type, uint32_t id, pid_t pid,
    int fd, const void *data, size_t len)
{
	struct iovec	 iov;

	iov.iov_base = (void *)(uintptr_t)data;
	iov.iov_len = len;
	return (imsg_composev(imsgbuf, type, id, pid, fd, &iov, 1));
}

int
imsg_composev(struct imsgbuf *imsgbuf, uint32_t type, uint32_t id, pid_t pid,
    int fd, const struct iovec *iov, int niov)
{
	struct ibuf	*buf;
	size_t		 len = 0;
	int		 i;

	if (fd >= 0 && (imsgbuf->flags & IMSGBUF_FDPASS) == 0) {
		errno = EINVAL;		/* else it would vanish on the way */
		return (-1);
	}
	for (i = 0; i < niov; i++) {
		if (iov[i].iov_len > SIZE_MAX - len) {
			errno = ERANGE;
			return (-1);
		}
		len += iov[i].iov_len;
	}
	if ((buf = imsg_create(imsgbuf, type, id, pid, len)) == NULL)
		return (-1);
	for (i = 0; i < niov; i++)
		if (imsg_add(buf, iov[i].iov_base, iov[i].iov_len) == -1)
			return (-1);
	ibuf_fd_set(buf, fd);
	imsg_close(imsgbuf, buf);
	return (1);
}

int
imsg_compose_ibuf(struct imsgbuf *imsgbuf, uint32_t type, uint32_t id,
    pid_t pid, struct ibuf *payload)
{
	struct ibuf	*hdr;

	if (ibuf_fd_avail(payload)) {
		errno = EINVAL;
		goto fail;
	}
	if (ibuf_size(payload) > imsgbuf->maxsize - IMSG_HEADER_SIZE) {
		errno = ERANGE;
		goto fail;
	}
	if ((hdr = imsg_create(imsgbuf, type, id, pid, 0)) == NULL)
		goto fail;
	imsg_queue(imsgbuf, hdr, payload);
	return (1);
 fail:
	ibuf_free(payload);
	return (-1);
}

struct ibuf *
imsg_create(struct imsgbuf *imsgbuf, uint32_t type, uint32_t id, pid_t pid,
    size_t len)
{
	struct imsg_hdr	 hdr;
	struct ibuf	*buf;

	if (len > imsgbuf->maxsize - IMSG_HEADER_SIZE) {
		errno = ERANGE;
		return (NULL);
	}
	memset(&hdr, 0, sizeof(hdr));
	hdr.type = type;
	hdr.peerid = id;
	hdr.pid = (uint32_t)(pid == 0 ? imsgbuf->pid : pid);
	buf = ibuf_dynamic(IMSG_HEADER_SIZE + len, imsgbuf->maxsize);
	if (buf == NULL)
		return (NULL);
	if (ibuf_add(buf, &hdr, sizeof(hdr)) == -1) {
		ibuf_free(buf);
		return (NULL);
	}
	return (buf);
}

int
imsg_add(struct ibuf *buf, const void *data, size_t len)
{
	if (ibuf_add(buf, data, len) == -1) {
		ibuf_free(buf);
		return (-1);
	}
	return ((int)len);	/* below 2^31, as every message is */
}

void
imsg_close(struct imsgbuf *imsgbuf, struct ibuf *buf)
{
	imsg_queue(imsgbuf, buf, NULL);
}

/*
 * Writes the length into the header and queues it, with what follows.  A
 * payload without bytes is not queued: it would count and never be sent.
 */
static void
imsg_queue(struct imsgbuf *imsgbuf, struct ibuf *buf, struct ibuf *payload)
{
	size_t	 len;

	len = ibuf_size(buf);
	if (payload != NULL)
		len += ibuf_size(payload);
	if (ibuf_fd_avail(buf))
		len |= IMSG_FD_MARK;
	if (ibuf_set_h32(buf, offsetof(struct imsg_hdr, len), len) == -1)
		abort();	/* not made by imsg_create: a bug of ours */
	ibuf_close(imsgbuf->w, buf);
	if (payload == NULL)
		return;
	if (ibuf_size(payload) > 0)
		ibuf_close(imsgbuf->w, payload);
	else
		ibuf_free(payload);
}

int
imsg_set_maxsize(struct ibuf *buf, size_t payload)
{
	if (payload > UINT32_MAX - IMSG_HEADER_SIZE) {
		errno = ERANGE;
		return (-1);
	}
	return (ibuf_set_maxsize(buf, payload + IMSG_HEADER_SIZE));
}

int
imsg_forward(struct imsgbuf *imsgbuf, struct imsg *imsg)
{
	struct ibuf	*buf;
	size_t		 len;

	ibuf_rewind(imsg->buf);
	if (ibuf_skip(imsg->buf, IMSG_HEADER_SIZE) == -1)
		return (-1);
	len = ibuf_size(imsg->buf);
	if ((buf = imsg_create(imsgbuf, imsg->hdr.type, imsg->hdr.peerid,
	    (pid_t)imsg->hdr.pid, len)) == NULL)
		return (-1);
	if (ibuf_add_ibuf(buf, imsg->buf) == -1) {
		ibuf_free(buf);
		return (-1);
	}
	imsg_close(imsgbuf, buf);
	return (1);
}

void
imsg_free(struct imsg *imsg)
{
	ibuf_free(imsg->buf);
	imsg->buf = NULL;
	imsg->data = NULL;
}

uint32_t
imsg_get_type(struct imsg *imsg)
{
	return (imsg->hdr.type);
}

uint32_t
imsg_get_id(struct imsg *imsg)
{
	return (imsg->hdr.peerid);
}

pid_t
imsg_get_pid(struct imsg *imsg)
{
	return ((pid_t)imsg->hdr.pid);
}

size_t
imsg_get_len(struct imsg *imsg)
{
	return (ibuf_size(imsg->buf));
}

int
imsg_get_data(struct imsg *imsg, void *data, size_t len)
{
	if (len == 0) {
		errno = EINVAL;
		return (-1);
	}
	if (ibuf_size(imsg->buf) != len) {
		errno = EBADMSG;
		return (-1);
	}
	return (ibuf_get(imsg->buf, data, len));
}

int
imsg_get_buf(struct imsg *imsg, void *data, size_t len)
{
	return (ibuf_get(imsg->buf, data, len));
}

int
imsg_get_strbuf(struct imsg *imsg, char *str, size_t len)
{
	return (ibuf_get_strbuf(imsg->buf, str, len));
}

int
imsg_get_ibuf(struct imsg *imsg, struct ibuf *view)
{
	if (ibuf_size(imsg->buf) == 0) {
		errno = EBADMSG;
		return (-1);
	}
	return (ibuf_get_ibuf(imsg->buf, ibuf_size(imsg->buf), view));
}

int
imsg_get_fd(struct imsg *imsg)
{
	return (ibuf_fd_get(imsg->buf));
}

int
imsg_ibufq_pop(struct ibufqueue *q, struct imsg *imsg)
{
	struct ibuf	*buf;

	if ((buf = ibufq_pop(q)) == NULL)
		return (0);
	return (imsg_parse(buf, imsg));
}

void
imsg_ibufq_push(struct ibufqueue *q, struct imsg *imsg)
{
	ibuf_rewind(imsg->buf);		/* pop reads the header again */
	ibufq_push(q, imsg->buf);
	memset(imsg, 0, sizeof(*imsg));
}
