/*
 * Buffers, queues of them, and streams over sockets; see imsg.h.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"

#define IBUF_VIEW	(-2)	/* in ibuf.fd: memory of others */
#define FD_LOST		(-2)	/* among received fds: the kernel dropped it */

struct ibufqueue {
	STAILQ_HEAD(, ibuf)	 q_bufs;
	uint32_t		 q_len;
};

struct msgbuf {
	struct ibufqueue	 mb_out;
	struct ibufqueue	 mb_in;
	struct ibuf		*mb_part;	/* its end is still to come */
	struct ibuf		*(*mb_readhdr)(struct ibuf *, void *, int *);
	void			*mb_arg;
	unsigned char		*mb_rbuf;
	size_t			 mb_roff;	/* bytes of a half header */
	size_t			 mb_hdrsz;
	int			 mb_fd[2];	/* came, no owner yet */
	int			 mb_nfd;
	int			 mb_errno;	/* of the broken stream */
};

static void	 ibuf_owned(const struct ibuf *);
static int	 ibuf_grow(struct ibuf *, size_t);
static int	 ibuf_fits(uint64_t, uint64_t);
static void	 ibufq_init(struct ibufqueue *);
static int	 msgbuf_iov(struct msgbuf *, struct iovec *);
static int	 msgbuf_sent(struct msgbuf *, ssize_t);
static void	 msgbuf_take_fds(struct msgbuf *, struct msghdr *);
static void	 msgbuf_drop_fds(struct msgbuf *);
static int	 msgbuf_came(struct msgbuf *, ssize_t);
static int	 msgbuf_split(struct msgbuf *);
static int	 msgbuf_header(struct msgbuf *, struct ibuf *);

struct ibuf *
ibuf_open(size_t len)
{
	struct ibuf	*buf;

	if ((buf = calloc(1, sizeof(*buf))) == NULL)
		return (NULL);
	/* Never no memory at all, so that a pointer is never NULL. */
	if ((buf->buf = calloc(1, len == 0 ? 1 : len)) == NULL) {
		free(buf);
		return (NULL);
	}
	buf->size = buf->max = len;
	buf->fd = -1;
	return (buf);
}

struct ibuf *
ibuf_dynamic(size_t len, size_t max)
{
	struct ibuf	*buf;

	if (max == 0 || max < len) {
		errno = EINVAL;
		return (NULL);
	}
	if ((buf = ibuf_open(len)) == NULL)
		return (NULL);
	buf->max = max;
	return (buf);
}

void
ibuf_free(struct ibuf *buf)
{
	int	 saved = errno;

	if (buf == NULL)
		return;
	ibuf_owned(buf);
	if (buf->fd >= 0)
		(void)close(buf->fd);
	freezero(buf->buf, buf->size);
	freezero(buf, sizeof(*buf));
	errno = saved;
}

/* To free or queue a view would free memory of others: stop at the bug. */
static void
ibuf_owned(const struct ibuf *buf)
{
	if (buf->fd == IBUF_VIEW)
		abort();
}

/* Doubles, so that many small additions cost no more than one large. */
static int
ibuf_grow(struct ibuf *buf, size_t need)
{
	unsigned char	*p;
	size_t		 want;

	if (need <= buf->size)
		return (0);
	want = buf->size < buf->max / 2 ? buf->size * 2 : buf->max;
	if (want < need)
		want = need;
	if ((p = recallocarray(buf->buf, buf->size, want, 1)) == NULL)
		return (-1);
	buf->buf = p;
	buf->size = want;
	return (0);
}

void *
ibuf_reserve(struct ibuf *buf, size_t len)
{
	unsigned char	*p;

	if (buf->fd == IBUF_VIEW) {
		errno = EINVAL;
		return (NULL);
	}
	if (len > buf->max - buf->wpos) {
		errno = ERANGE;
		return (NULL);
	}
	if (ibuf_grow(buf, buf->wpos + len) == -1)
		return (NULL);
	p = buf->buf + buf->wpos;
	buf->wpos += len;
	return (p);
}

int
ibuf_add(struct ibuf *buf, const void *data, size_t len)
{
	void	*p;

	if ((p = ibuf_reserve(buf, len)) == NULL)
		return (-1);
	if (len > 0)		/* data may be NULL then */
		memcpy(p, data, len);
	return (0);
}

int
ibuf_add_ibuf(struct ibuf *buf, const struct ibuf *from)
{
	return (ibuf_add(buf, ibuf_data(from), ibuf_size(from)));
}

int
ibuf_add_zero(struct ibuf *buf, size_t len)
{
	/* What lies behind wpos is zero: new, or wiped by ibuf_truncate. */
	return (ibuf_reserve(buf, len) == NULL ? -1 : 0);
}

/* Is v a number of that width?  -1 with EINVAL if not. */
static int
ibuf_fits(uint64_t v, uint64_t max)
{
	if (v <= max)
		return (0);
	errno = EINVAL;
	return (-1);
}

int
ibuf_add_n8(struct ibuf *buf, uint64_t v)
{
	uint8_t	 n = (uint8_t)v;

	if (ibuf_fits(v, UINT8_MAX) == -1)
		return (-1);
	return (ibuf_add(buf, &n, sizeof(n)));
}

int
ibuf_add_n16(struct ibuf *buf, uint64_t v)
{
	uint16_t	 n = htobe16((uint16_t)v);

	if (ibuf_fits(v, UINT16_MAX) == -1)
		return (-1);
	return (ibuf_add(buf, &n, sizeof(n)));
}

int
ibuf_add_n32(struct ibuf *buf, uint64_t v)
{
	uint32_t	 n = htobe32((uint32_t)v);

	if (ibuf_fits(v, UINT32_MAX) == -1)
		return (-1);
	return (ibuf_add(buf, &n, sizeof(n)));
}

int
ibuf_add_n64(struct ibuf *buf, uint64_t v)
{
	uint64_t	 n = htobe64(v);

	return (ibuf_add(buf, &n, sizeof(n)));
}

int
ibuf_add_h16(struct ibuf *buf, uint64_t v)
{
	uint16_t	 n = (uint16_t)v;

	if (ibuf_fits(v, UINT16_MAX) == -1)
		return (-1);
	return (ibuf_add(buf, &n, sizeof(n)));
}

int
ibuf_add_h32(struct ibuf *buf, uint64_t v)
{
	uint32_t	 n = (uint32_t)v;

	if (ibuf_fits(v, UINT32_MAX) == -1)
		return (-1);
	return (ibuf_add(buf, &n, sizeof(n)));
}

int
ibuf_add_h64(struct ibuf *buf, uint64_t v)
{
	return (ibuf_add(buf, &v, sizeof(v)));
}

int
ibuf_add_strbuf(struct ibuf *buf, const char *str, size_t len)
{
	size_t	 n;
	char	*p;

	if ((n = strlen(str)) >= len) {
		errno = EOVERFLOW;
		return (-1);
	}
	if ((p = ibuf_reserve(buf, len)) == NULL)
		return (-1);
	memcpy(p, str, n);	/* the rest is zero already */
	return (0);
}

/*
 * What holds of every buffer between two calls, for the prover.  The errors
 * below are told in errno, which is the C library's.
 */
/*@ predicate ibuf_sound(struct ibuf *b) = \valid(b) &&
	b->rpos <= b->wpos <= b->max && b->wpos <= b->size &&
	\valid(b->buf + (0 .. b->size - 1)) &&
	\separated(b, b->buf + (0 .. b->size - 1)) &&
	\separated(b, &errno) &&
	\separated(&errno, b->buf + (0 .. b->size - 1)); */

/*@ requires ibuf_sound(buf);
    assigns errno;
    ensures \result != \null ==> pos <= buf->wpos - buf->rpos &&
	len <= buf->wpos - buf->rpos - pos &&
	\result == buf->buf + buf->rpos + pos;
    ensures ibuf_sound(buf); */
void *
ibuf_seek(struct ibuf *buf, size_t pos, size_t len)
{
	size_t	 size = ibuf_size(buf);

	if (pos > size || len > size - pos) {
		errno = ERANGE;
		return (NULL);
	}
	return (buf->buf + buf->rpos + pos);
}

int
ibuf_set(struct ibuf *buf, size_t pos, const void *data, size_t len)
{
	void	*p;

	if ((p = ibuf_seek(buf, pos, len)) == NULL)
		return (-1);
	if (len > 0)
		memcpy(p, data, len);
	return (0);
}

int
ibuf_set_n8(struct ibuf *buf, size_t pos, uint64_t v)
{
	uint8_t	 n = (uint8_t)v;

	if (ibuf_fits(v, UINT8_MAX) == -1)
		return (-1);
	return (ibuf_set(buf, pos, &n, sizeof(n)));
}

int
ibuf_set_n16(struct ibuf *buf, size_t pos, uint64_t v)
{
	uint16_t	 n = htobe16((uint16_t)v);

	if (ibuf_fits(v, UINT16_MAX) == -1)
		return (-1);
	return (ibuf_set(buf, pos, &n, sizeof(n)));
}

int
ibuf_set_n32(struct ibuf *buf, size_t pos, uint64_t v)
{
	uint32_t	 n = htobe32((uint32_t)v);

	if (ibuf_fits(v, UINT32_MAX) == -1)
		return (-1);
	return (ibuf_set(buf, pos, &n, sizeof(n)));
}

int
ibuf_set_n64(struct ibuf *buf, size_t pos, uint64_t v)
{
	uint64_t	 n = htobe64(v);

	return (ibuf_set(buf, pos, &n, sizeof(n)));
}

int
ibuf_set_h16(struct ibuf *buf, size_t pos, uint64_t v)
{
	uint16_t	 n = (uint16_t)v;

	if (ibuf_fits(v, UINT16_MAX) == -1)
		return (-1);
	return (ibuf_set(buf, pos, &n, sizeof(n)));
}

int
ibuf_set_h32(struct ibuf *buf, size_t pos, uint64_t v)
{
	uint32_t	 n = (uint32_t)v;

	if (ibuf_fits(v, UINT32_MAX) == -1)
		return (-1);
	return (ibuf_set(buf, pos, &n, sizeof(n)));
}

int
ibuf_set_h64(struct ibuf *buf, size_t pos, uint64_t v)
{
	return (ibuf_set(buf, pos, &v, sizeof(v)));
}

/*@ requires ibuf_sound(buf);
    assigns \nothing;
    ensures buf->buf == \null ==> \result == \null;
    ensures buf->buf != \null ==> \result == buf->buf + buf->rpos; */
void *
ibuf_data(const struct ibuf *buf)
{
	if (buf->buf == NULL)		/* a view of nothing */
		return (NULL);
	return (buf->buf + buf->rpos);
}

/*@ requires ibuf_sound(buf);
    assigns \nothing;
    ensures \result == buf->wpos - buf->rpos; */
size_t
ibuf_size(const struct ibuf *buf)
{
	return (buf->wpos - buf->rpos);
}

/*@ requires ibuf_sound(buf);
    assigns \nothing;
    ensures \result == buf->max - buf->wpos; */
size_t
ibuf_left(const struct ibuf *buf)
{
	return (buf->max - buf->wpos);	/* a view's max follows its wpos */
}

int
ibuf_truncate(struct ibuf *buf, size_t len)
{
	size_t	 size = ibuf_size(buf);

	if (len > size)
		return (ibuf_add_zero(buf, len - size));
	if (buf->fd == IBUF_VIEW) {
		buf->wpos = buf->size = buf->max = buf->rpos + len;
		return (0);
	}
	if (len < size)
		explicit_bzero(buf->buf + buf->rpos + len, size - len);
	buf->wpos = buf->rpos + len;
	return (0);
}

/*@ requires ibuf_sound(buf);
    assigns buf->rpos;
    ensures ibuf_sound(buf) && buf->rpos == 0; */
void
ibuf_rewind(struct ibuf *buf)
{
	buf->rpos = 0;
}

/*@ requires ibuf_sound(buf);
    assigns buf->rpos, errno;
    ensures ibuf_sound(buf);
    ensures \result == (len <= buf->wpos - \old(buf->rpos) ? 0 : -1);
    ensures buf->rpos == \old(buf->rpos) + (\result == 0 ? len : 0); */
int
ibuf_skip(struct ibuf *buf, size_t len)
{
	if (len > ibuf_size(buf)) {
		errno = EBADMSG;
		return (-1);
	}
	buf->rpos += len;
	return (0);
}

int
ibuf_set_maxsize(struct ibuf *buf, size_t max)
{
	if (buf->fd == IBUF_VIEW) {
		errno = EINVAL;
		return (-1);
	}
	if (max > buf->max || max < buf->wpos) {
		errno = ERANGE;
		return (-1);
	}
	buf->max = max;
	return (0);
}

/*@ requires ibuf_sound(buf);
    requires \valid((uint8_t *)data + (0 .. len - 1));
    requires \separated((uint8_t *)data + (0 .. len - 1), buf, &errno,
	buf->buf + (0 .. buf->size - 1));
    assigns buf->rpos, errno, ((uint8_t *)data)[0 .. len - 1];
    ensures ibuf_sound(buf);
    ensures \result == (len <= buf->wpos - \old(buf->rpos) ? 0 : -1);
    ensures buf->rpos == \old(buf->rpos) + (\result == 0 ? len : 0);
    ensures \result == 0 ==> \forall integer k; 0 <= k < len ==>
	((uint8_t *)data)[k] == buf->buf[\old(buf->rpos) + k]; */
int
ibuf_get(struct ibuf *buf, void *data, size_t len)
{
	if (len > ibuf_size(buf)) {
		errno = EBADMSG;
		return (-1);
	}
	if (len > 0)
		memcpy(data, ibuf_data(buf), len);
	buf->rpos += len;
	return (0);
}

/*@ requires ibuf_sound(buf) && \valid(v);
    requires \separated(v, buf, &errno, buf->buf + (0 .. buf->size - 1));
    assigns buf->rpos, errno, *v;
    ensures ibuf_sound(buf);
    ensures \result == (1 <= buf->wpos - \old(buf->rpos) ? 0 : -1);
    ensures buf->rpos == \old(buf->rpos) + (\result == 0 ? 1 : 0);
    ensures \result == 0 ==> *v == buf->buf[\old(buf->rpos)]; */
int
ibuf_get_n8(struct ibuf *buf, uint8_t *v)
{
	return (ibuf_get(buf, v, sizeof(*v)));
}

/*@ requires ibuf_sound(buf) && \valid(v);
    requires \separated(v, buf, &errno, buf->buf + (0 .. buf->size - 1));
    assigns buf->rpos, errno, *v;
    ensures ibuf_sound(buf);
    ensures \result == (2 <= buf->wpos - \old(buf->rpos) ? 0 : -1);
    ensures buf->rpos == \old(buf->rpos) + (\result == 0 ? 2 : 0);
    ensures \result == 0 ==> *v == buf->buf[\old(buf->rpos)] * 256 +
	buf->buf[\old(buf->rpos) + 1]; */
int
ibuf_get_n16(struct ibuf *buf, uint16_t *v)
{
	uint8_t	 b[2];

	if (ibuf_get(buf, b, sizeof(b)) == -1)
		return (-1);
	*v = (uint16_t)(b[0] * 256 + b[1]);
	return (0);
}

/*@ requires ibuf_sound(buf) && \valid(v);
    requires \separated(v, buf, &errno, buf->buf + (0 .. buf->size - 1));
    assigns buf->rpos, errno, *v;
    ensures ibuf_sound(buf);
    ensures \result == (4 <= buf->wpos - \old(buf->rpos) ? 0 : -1);
    ensures buf->rpos == \old(buf->rpos) + (\result == 0 ? 4 : 0); */
int
ibuf_get_n32(struct ibuf *buf, uint32_t *v)
{
	uint8_t	 b[4];

	if (ibuf_get(buf, b, sizeof(b)) == -1)
		return (-1);
	*v = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	    (uint32_t)b[2] << 8 | b[3];
	return (0);
}

/*@ requires ibuf_sound(buf) && \valid(v);
    requires \separated(v, buf, &errno, buf->buf + (0 .. buf->size - 1));
    assigns buf->rpos, errno, *v;
    ensures ibuf_sound(buf);
    ensures \result == (8 <= buf->wpos - \old(buf->rpos) ? 0 : -1);
    ensures buf->rpos == \old(buf->rpos) + (\result == 0 ? 8 : 0); */
int
ibuf_get_n64(struct ibuf *buf, uint64_t *v)
{
	uint8_t	 b[8];

	if (ibuf_get(buf, b, sizeof(b)) == -1)
		return (-1);
	*v = (uint64_t)b[0] << 56 | (uint64_t)b[1] << 48 |
	    (uint64_t)b[2] << 40 | (uint64_t)b[3] << 32 |
	    (uint64_t)b[4] << 24 | (uint64_t)b[5] << 16 |
	    (uint64_t)b[6] << 8 | b[7];
	return (0);
}

int
ibuf_get_h16(struct ibuf *buf, uint16_t *v)
{
	return (ibuf_get(buf, v, sizeof(*v)));
}

int
ibuf_get_h32(struct ibuf *buf, uint32_t *v)
{
	return (ibuf_get(buf, v, sizeof(*v)));
}

int
ibuf_get_h64(struct ibuf *buf, uint64_t *v)
{
	return (ibuf_get(buf, v, sizeof(*v)));
}

/*@ requires ibuf_sound(buf) && \valid(view);
    requires \separated(view, buf, &errno, buf->buf + (0 .. buf->size - 1));
    assigns buf->rpos, errno, *view;
    ensures ibuf_sound(buf);
    ensures \result == (len <= buf->wpos - \old(buf->rpos) ? 0 : -1);
    ensures \result == 0 ==> ibuf_sound(view) && view->wpos == len; */
int
ibuf_get_ibuf(struct ibuf *buf, size_t len, struct ibuf *view)
{
	if (len > ibuf_size(buf)) {
		errno = EBADMSG;
		return (-1);
	}
	ibuf_from_buffer(view, ibuf_data(buf), len);
	buf->rpos += len;
	return (0);
}

char *
ibuf_get_string(struct ibuf *buf, size_t len)
{
	char	*str;

	if (len > ibuf_size(buf)) {
		errno = EBADMSG;
		return (NULL);
	}
	if ((str = calloc(1, len + 1)) == NULL)
		return (NULL);
	(void)ibuf_get(buf, str, len);	/* the length was checked above */
	return (str);
}

/*@ requires ibuf_sound(buf) && \valid(str + (0 .. len - 1));
    requires \separated(str + (0 .. len - 1), buf, &errno,
	buf->buf + (0 .. buf->size - 1));
    assigns buf->rpos, errno, str[0 .. len - 1],
	((uint8_t *)str)[0 .. len - 1];
    ensures ibuf_sound(buf);
    ensures \result == 0 ==> len > 0 && str[len - 1] == '\0'; */
int
ibuf_get_strbuf(struct ibuf *buf, char *str, size_t len)
{
	if (len == 0) {
		errno = EINVAL;
		return (-1);
	}
	if (ibuf_get(buf, str, len) == -1)
		return (-1);
	if (str[len - 1] != '\0') {
		str[len - 1] = '\0';
		errno = EOVERFLOW;
		return (-1);
	}
	return (0);
}

/*@ requires \valid(view);
    assigns *view;
    ensures view->buf == (uint8_t *)data && view->fd == IBUF_VIEW;
    ensures view->rpos == 0 && view->wpos == len;
    ensures view->size == len && view->max == len; */
void
ibuf_from_buffer(struct ibuf *view, void *data, size_t len)
{
	*view = (struct ibuf){ .buf = data, .size = len, .max = len,
	    .wpos = len, .fd = IBUF_VIEW };
}

void
ibuf_from_ibuf(struct ibuf *view, const struct ibuf *from)
{
	ibuf_from_buffer(view, ibuf_data(from), ibuf_size(from));
}

int
ibuf_fd_avail(struct ibuf *buf)
{
	return (buf->fd >= 0);
}

int
ibuf_fd_get(struct ibuf *buf)
{
	int	 fd = buf->fd;

	if (fd < 0)
		return (-1);
	buf->fd = -1;
	return (fd);
}

void
ibuf_fd_set(struct ibuf *buf, int fd)
{
	ibuf_owned(buf);
	if (buf->fd >= 0)
		(void)close(buf->fd);
	buf->fd = fd < 0 ? -1 : fd;
}

void
ibuf_close(struct msgbuf *mb, struct ibuf *buf)
{
	ibufq_push(&mb->mb_out, buf);
}

/*
 * Queues.
 */

static void
ibufq_init(struct ibufqueue *q)
{
	STAILQ_INIT(&q->q_bufs);
	q->q_len = 0;
}

struct ibufqueue *
ibufq_new(void)
{
	struct ibufqueue	*q;

	if ((q = calloc(1, sizeof(*q))) == NULL)
		return (NULL);
	ibufq_init(q);
	return (q);
}

void
ibufq_free(struct ibufqueue *q)
{
	if (q == NULL)
		return;
	ibufq_flush(q);
	free(q);
}

struct ibuf *
ibufq_pop(struct ibufqueue *q)
{
	struct ibuf	*buf;

	if ((buf = STAILQ_FIRST(&q->q_bufs)) == NULL)
		return (NULL);
	STAILQ_REMOVE_HEAD(&q->q_bufs, entry);
	q->q_len--;
	return (buf);
}

void
ibufq_push(struct ibufqueue *q, struct ibuf *buf)
{
	ibuf_owned(buf);
	STAILQ_INSERT_TAIL(&q->q_bufs, buf, entry);
	q->q_len++;
}

uint32_t
ibufq_queuelen(struct ibufqueue *q)
{
	return (q->q_len);
}

void
ibufq_concat(struct ibufqueue *to, struct ibufqueue *from)
{
	STAILQ_CONCAT(&to->q_bufs, &from->q_bufs);
	to->q_len += from->q_len;
	from->q_len = 0;
}

void
ibufq_flush(struct ibufqueue *q)
{
	struct ibuf	*buf;

	while ((buf = ibufq_pop(q)) != NULL)
		ibuf_free(buf);
}

/*
 * Streams.
 */

struct msgbuf *
msgbuf_new(void)
{
	struct msgbuf	*mb;

	if ((mb = calloc(1, sizeof(*mb))) == NULL)
		return (NULL);
	ibufq_init(&mb->mb_out);
	ibufq_init(&mb->mb_in);
	return (mb);
}

struct msgbuf *
msgbuf_new_reader(size_t hdrsz, struct ibuf *(*readhdr)(struct ibuf *, void *,
    int *), void *arg)
{
	struct msgbuf	*mb;

	if (hdrsz == 0 || hdrsz > IBUF_READ_SIZE / 2) {
		errno = EINVAL;
		return (NULL);
	}
	if ((mb = msgbuf_new()) == NULL)
		return (NULL);
	if ((mb->mb_rbuf = calloc(1, IBUF_READ_SIZE)) == NULL) {
		free(mb);
		return (NULL);
	}
	mb->mb_hdrsz = hdrsz;
	mb->mb_readhdr = readhdr;
	mb->mb_arg = arg;
	return (mb);
}

void
msgbuf_clear(struct msgbuf *mb)
{
	ibufq_flush(&mb->mb_out);
	ibufq_flush(&mb->mb_in);
	ibuf_free(mb->mb_part);
	mb->mb_part = NULL;
	msgbuf_drop_fds(mb);
	if (mb->mb_roff > 0)
		explicit_bzero(mb->mb_rbuf, mb->mb_roff);
	mb->mb_roff = 0;
	mb->mb_errno = 0;
}

void
msgbuf_free(struct msgbuf *mb)
{
	if (mb == NULL)
		return;
	msgbuf_clear(mb);
	free(mb->mb_rbuf);	/* wiped after each read */
	free(mb);
}

uint32_t
msgbuf_queuelen(struct msgbuf *mb)
{
	return (mb->mb_out.q_len);
}

void
msgbuf_concat(struct msgbuf *mb, struct ibufqueue *from)
{
	ibufq_concat(&mb->mb_out, from);
}

struct ibuf *
msgbuf_get(struct msgbuf *mb)
{
	return (ibufq_pop(&mb->mb_in));
}

/*
 * The front of the queue as one write; the value is how many pieces.  It ends
 * before the second descriptor: one travels with a write, and its message is
 * the first of it, so that no other byte can arrive between.
 */
static int
msgbuf_iov(struct msgbuf *mb, struct iovec *iov)
{
	struct ibuf	*buf;
	int		 n = 0;

	while ((buf = STAILQ_FIRST(&mb->mb_out.q_bufs)) != NULL &&
	    ibuf_size(buf) == 0)
		ibuf_free(ibufq_pop(&mb->mb_out));
	STAILQ_FOREACH(buf, &mb->mb_out.q_bufs, entry) {
		if (n == IOV_MAX || (n > 0 && buf->fd != -1))
			break;
		iov[n].iov_base = ibuf_data(buf);
		iov[n].iov_len = ibuf_size(buf);
		n++;
	}
	return (n);
}

/* Takes len written bytes off the queue.  len -1 is errno of the write. */
static int
msgbuf_sent(struct msgbuf *mb, ssize_t len)
{
	struct ibuf	*buf;
	size_t		 n = (size_t)len;

	if (len == -1)
		return (errno == EAGAIN || errno == EWOULDBLOCK ||
		    errno == ENOBUFS ? 0 : -1);
	while ((buf = STAILQ_FIRST(&mb->mb_out.q_bufs)) != NULL) {
		if (n < ibuf_size(buf)) {
			if (n == 0)
				break;
			buf->rpos += n;
			ibuf_fd_set(buf, -1);	/* left with the first byte */
			break;
		}
		n -= ibuf_size(buf);
		ibuf_free(ibufq_pop(&mb->mb_out));
	}
	return (0);
}

int
ibuf_write(int fd, struct msgbuf *mb)
{
	struct iovec	 iov[IOV_MAX];
	struct msghdr	 msg;
	ssize_t		 n;

	memset(&msg, 0, sizeof(msg));
	msg.msg_iov = iov;
	if ((msg.msg_iovlen = (size_t)msgbuf_iov(mb, iov)) == 0)
		return (0);
	do {
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
		if (n == -1 && errno == ENOTSOCK)
			n = writev(fd, iov, (int)msg.msg_iovlen);
	} while (n == -1 && errno == EINTR);
	return (msgbuf_sent(mb, n));
}

int
msgbuf_write(int fd, struct msgbuf *mb)
{
	struct iovec	 iov[IOV_MAX];
	struct msghdr	 msg;
	struct ibuf	*buf;
	struct cmsghdr	*cmsg;
	union {
		struct cmsghdr	 hdr;
		unsigned char	 buf[CMSG_SPACE(sizeof(int))];
	} ctl;
	ssize_t		 n;

	memset(&msg, 0, sizeof(msg));
	memset(&ctl, 0, sizeof(ctl));
	msg.msg_iov = iov;
	if ((msg.msg_iovlen = (size_t)msgbuf_iov(mb, iov)) == 0)
		return (0);
	buf = STAILQ_FIRST(&mb->mb_out.q_bufs);
	if (buf->fd != -1) {
		msg.msg_control = ctl.buf;
		msg.msg_controllen = sizeof(ctl.buf);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(cmsg), &buf->fd, sizeof(int));
	}
	do {
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	} while (n == -1 && errno == EINTR);
	return (msgbuf_sent(mb, n));
}

int
ibuf_read(int fd, struct msgbuf *mb)
{
	ssize_t	 n;

	if (mb->mb_rbuf == NULL) {
		errno = EINVAL;
		return (-1);
	}
	do {
		n = read(fd, mb->mb_rbuf + mb->mb_roff,
		    IBUF_READ_SIZE - mb->mb_roff);
	} while (n == -1 && errno == EINTR);
	return (msgbuf_came(mb, n));
}

int
msgbuf_read(int fd, struct msgbuf *mb)
{
	struct msghdr	 msg;
	struct iovec	 iov;
	union {
		struct cmsghdr	 hdr;
		unsigned char	 buf[CMSG_SPACE(sizeof(int))];
	} ctl;
	ssize_t		 n;

	if (mb->mb_rbuf == NULL) {
		errno = EINVAL;
		return (-1);
	}
	iov.iov_base = mb->mb_rbuf + mb->mb_roff;
	iov.iov_len = IBUF_READ_SIZE - mb->mb_roff;
	do {
		memset(&msg, 0, sizeof(msg));
		memset(&ctl, 0, sizeof(ctl));
		msg.msg_iov = &iov;
		msg.msg_iovlen = 1;
		msg.msg_control = ctl.buf;
		msg.msg_controllen = sizeof(ctl.buf);
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	} while (n == -1 && errno == EINTR);
	if (n >= 0)
		msgbuf_take_fds(mb, &msg);
	return (msgbuf_came(mb, n));
}

/*
 * Keeps the first descriptor of a read and closes others: padding in the
 * control buffer has room for them.  One that the kernel had to drop keeps its
 * turn, else its message would be given the descriptor of the next.
 */
static void
msgbuf_take_fds(struct msgbuf *mb, struct msghdr *msg)
{
	struct cmsghdr	*cmsg;
	size_t		 i, n;
	int		 fd, kept = -1;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL;
	    cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int),
			    sizeof(int));
			if (kept == -1)
				kept = fd;
			else
				(void)close(fd);
		}
	}
	if (kept == -1 && (msg->msg_flags & MSG_CTRUNC))
		kept = FD_LOST;
	if (kept != -1)
		mb->mb_fd[mb->mb_nfd++] = kept;
}

/* Closes what came and was not claimed; errno is kept. */
static void
msgbuf_drop_fds(struct msgbuf *mb)
{
	int	 saved = errno;

	while (mb->mb_nfd > 0)
		if (mb->mb_fd[--mb->mb_nfd] >= 0)
			(void)close(mb->mb_fd[mb->mb_nfd]);
	errno = saved;
}

/*
 * Deals with n new bytes, or with the errno of the read.  Bytes of messages
 * are secrets at times: what was split off is wiped.
 */
static int
msgbuf_came(struct msgbuf *mb, ssize_t n)
{
	size_t	 had, total;
	int	 ret = 1;

	if (mb->mb_errno != 0)
		goto broken;
	if (n == -1)
		return (errno == EAGAIN || errno == EWOULDBLOCK ? 1 : -1);
	had = mb->mb_roff;
	total = had + (size_t)n;
	mb->mb_roff = total;
	if (n == 0) {
		msgbuf_drop_fds(mb);
		return (0);
	}
	ret = msgbuf_split(mb);
	explicit_bzero(mb->mb_rbuf + mb->mb_roff, total - mb->mb_roff);
	if (ret == 1)
		return (1);
	mb->mb_errno = errno;
 broken:
	msgbuf_drop_fds(mb);
	errno = mb->mb_errno;
	return (-1);
}

/*
 * Cuts the bytes into messages and keeps a half header for the next read.
 * A descriptor travels with the first byte of its message, so one that is
 * not claimed can only belong to that half header; any other, and a second
 * one, breaks the rules.
 */
static int
msgbuf_split(struct msgbuf *mb)
{
	struct ibuf	 rest;
	size_t		 n;

	ibuf_from_buffer(&rest, mb->mb_rbuf, mb->mb_roff);
	while ((n = ibuf_size(&rest)) > 0) {
		if (mb->mb_part == NULL) {
			if (n < mb->mb_hdrsz)
				break;
			if (msgbuf_header(mb, &rest) == -1)
				return (-1);
		}
		if (n > ibuf_left(mb->mb_part))
			n = ibuf_left(mb->mb_part);
		if (ibuf_add(mb->mb_part, ibuf_data(&rest), n) == -1 ||
		    ibuf_skip(&rest, n) == -1)
			return (-1);
		if (ibuf_left(mb->mb_part) == 0) {
			ibufq_push(&mb->mb_in, mb->mb_part);
			mb->mb_part = NULL;
		}
	}
	memmove(mb->mb_rbuf, ibuf_data(&rest), n);
	mb->mb_roff = n;
	if (mb->mb_nfd > (n > 0 ? 1 : 0)) {
		errno = EBADMSG;
		return (-1);
	}
	return (1);
}

/* A header is complete: asks for its buffer, offers the oldest descriptor. */
static int
msgbuf_header(struct msgbuf *mb, struct ibuf *rest)
{
	struct ibuf	 hdr;
	int		 fd = -1;

	ibuf_from_buffer(&hdr, ibuf_data(rest), mb->mb_hdrsz);
	if (mb->mb_nfd > 0)
		fd = mb->mb_fd[0];
	mb->mb_part = mb->mb_readhdr(&hdr, mb->mb_arg, &fd);
	if (mb->mb_nfd > 0 && fd == -1) {
		mb->mb_nfd--;
		mb->mb_fd[0] = mb->mb_fd[1];
	}
	if (mb->mb_part == NULL)
		return (-1);
	if (ibuf_left(mb->mb_part) < mb->mb_hdrsz) {
		errno = EINVAL;		/* would never be complete */
		return (-1);
	}
	return (0);
}
