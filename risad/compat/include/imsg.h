/*
 * Messages between processes: the API of OpenBSD's libutil, in our own words
 * and our own code, for systems that lack it.
 *
 * A message is a header of 16 bytes in host order and a payload; both ends are
 * on one machine.  A message may carry one descriptor: then the top bit of the
 * length is set on the wire.
 *
 * Unless said otherwise a function returns 0, or -1 with errno set, and an
 * argument of -1 for a descriptor means that there is none.
 */
#ifndef COMPAT_IMSG_H
#define COMPAT_IMSG_H

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/uio.h>

#include <stddef.h>
#include <stdint.h>

#define IBUF_READ_SIZE		65535	/* bytes that one read takes at most */
#define IMSG_HEADER_SIZE	sizeof(struct imsg_hdr)
#define MAX_IMSGSIZE		16384	/* default limit, header included */

/*
 * A buffer: bytes rpos to wpos wait to be read, max bounds wpos.  Use the
 * functions: the fields are shown for struct copies on the stack only.
 */
struct ibuf {
	STAILQ_ENTRY(ibuf)	 entry;
	unsigned char		*buf;
	size_t			 size;	/* allocated */
	size_t			 max;
	size_t			 wpos;
	size_t			 rpos;
	int			 fd;	/* owned; -1 none, -2 marks a view */
};

struct ibufqueue;
struct msgbuf;

/*
 * One end of a channel.  Never copy or move it while it is in use: the reader
 * inside points back at it.
 */
struct imsgbuf {
	struct msgbuf		*w;
	pid_t			 pid;
	uint32_t		 maxsize;	/* header included */
	int			 fd;
	int			 flags;
};

struct imsg_hdr {
	uint32_t		 type;
	uint32_t		 len;		/* header included */
	uint32_t		 peerid;
	uint32_t		 pid;
};

struct imsg {
	struct imsg_hdr		 hdr;
	void			*data;		/* payload, NULL if empty */
	struct ibuf		*buf;
};

/*
 * Buffers.
 */

/*
 * A zeroed buffer of exactly len bytes; 0 is allowed.  NULL if there is no
 * memory.  The caller owns it until ibuf_free, ibuf_close or a queue takes it.
 */
struct ibuf	*ibuf_open(size_t len);

/*
 * A buffer of len bytes that grows up to max.  NULL with EINVAL if max is 0
 * or below len.
 */
struct ibuf	*ibuf_dynamic(size_t len, size_t max);

/*
 * Wipes the bytes, closes the descriptor, frees.  NULL is allowed, errno is
 * kept.  Aborts on a view: its bytes belong to another buffer.
 */
void		 ibuf_free(struct ibuf *);

/*
 * Appends len bytes.  ERANGE if they go beyond the maximum, EINVAL on a view,
 * ENOMEM.  The buffer is unchanged after an error and still the caller's; that
 * holds for each of the ibuf_add functions.
 */
int		 ibuf_add(struct ibuf *, const void *, size_t len);

/* Appends the unread bytes of from, whose read position stays. */
int		 ibuf_add_ibuf(struct ibuf *, const struct ibuf *from);

/* Appends len bytes of zero. */
int		 ibuf_add_zero(struct ibuf *, size_t len);

/*
 * Append a number of 8, 16, 32 or 64 bits, n in network order, h in host
 * order.  EINVAL if the value does not fit in the width.
 */
int		 ibuf_add_n8(struct ibuf *, uint64_t);
int		 ibuf_add_n16(struct ibuf *, uint64_t);
int		 ibuf_add_n32(struct ibuf *, uint64_t);
int		 ibuf_add_n64(struct ibuf *, uint64_t);
int		 ibuf_add_h16(struct ibuf *, uint64_t);
int		 ibuf_add_h32(struct ibuf *, uint64_t);
int		 ibuf_add_h64(struct ibuf *, uint64_t);

/*
 * Appends a field of len bytes: str, its NUL, and zeroes.  EOVERFLOW if str
 * and its NUL do not fit.
 */
int		 ibuf_add_strbuf(struct ibuf *, const char *str, size_t len);

/*
 * Room for len more bytes, counted as written at once, zeroed.  NULL as in
 * ibuf_add.  Any later addition may move it.
 */
void		*ibuf_reserve(struct ibuf *, size_t len);

/*
 * The len bytes at pos, counted from the read position.  NULL with ERANGE if
 * they were not all written before.  Any later addition may move them.
 */
void		*ibuf_seek(struct ibuf *, size_t pos, size_t len);

/* Overwrites len bytes at pos; ERANGE as in ibuf_seek. */
int		 ibuf_set(struct ibuf *, size_t pos, const void *, size_t len);

/* Overwrite a number at pos; EINVAL if it does not fit in the width. */
int		 ibuf_set_n8(struct ibuf *, size_t pos, uint64_t);
int		 ibuf_set_n16(struct ibuf *, size_t pos, uint64_t);
int		 ibuf_set_n32(struct ibuf *, size_t pos, uint64_t);
int		 ibuf_set_n64(struct ibuf *, size_t pos, uint64_t);
int		 ibuf_set_h16(struct ibuf *, size_t pos, uint64_t);
int		 ibuf_set_h32(struct ibuf *, size_t pos, uint64_t);
int		 ibuf_set_h64(struct ibuf *, size_t pos, uint64_t);

/* The unread bytes, and how many there are; room is left for so many. */
void		*ibuf_data(const struct ibuf *);
size_t		 ibuf_size(const struct ibuf *);
size_t		 ibuf_left(const struct ibuf *);

/*
 * Makes the unread part len bytes long: cuts (and wipes) or adds zeroes.  A
 * view can only be cut, else EINVAL.
 */
int		 ibuf_truncate(struct ibuf *, size_t len);

/* Reads from the first byte again. */
void		 ibuf_rewind(struct ibuf *);

/* Passes over len bytes; EBADMSG if fewer are left. */
int		 ibuf_skip(struct ibuf *, size_t len);

/*
 * Lowers the maximum.  ERANGE if it would rise or fall below what is written,
 * EINVAL on a view.
 */
int		 ibuf_set_maxsize(struct ibuf *, size_t max);

/*
 * Take from the front.  EBADMSG if too few bytes are left; nothing is read
 * then.
 */
int		 ibuf_get(struct ibuf *, void *, size_t len);
int		 ibuf_get_n8(struct ibuf *, uint8_t *);
int		 ibuf_get_n16(struct ibuf *, uint16_t *);
int		 ibuf_get_n32(struct ibuf *, uint32_t *);
int		 ibuf_get_n64(struct ibuf *, uint64_t *);
int		 ibuf_get_h16(struct ibuf *, uint16_t *);
int		 ibuf_get_h32(struct ibuf *, uint32_t *);
int		 ibuf_get_h64(struct ibuf *, uint64_t *);

/* Takes len bytes as a view into this buffer. */
int		 ibuf_get_ibuf(struct ibuf *, size_t len, struct ibuf *view);

/*
 * Takes len bytes as a string of its own, NUL added; the caller frees it.
 * NULL with EBADMSG or ENOMEM.
 */
char		*ibuf_get_string(struct ibuf *, size_t len);

/*
 * Takes a field of len bytes into str, which always holds a NUL afterwards.
 * EOVERFLOW if the field had no NUL at its end and was cut, EINVAL if len
 * is 0, EBADMSG if it is short (str is untouched then).
 */
int		 ibuf_get_strbuf(struct ibuf *, char *str, size_t len);

/*
 * Views: a struct on the caller's stack over memory of others, or over the
 * unread part of a buffer.  They read and overwrite, and can not grow.  Never
 * free or queue one, that aborts.  Valid as long as what they look at.
 */
void		 ibuf_from_buffer(struct ibuf *view, void *, size_t len);
void		 ibuf_from_ibuf(struct ibuf *view, const struct ibuf *);

/* Is there a descriptor?  1 or 0. */
int		 ibuf_fd_avail(struct ibuf *);

/* Takes the descriptor, which is the caller's from now on; -1 if none. */
int		 ibuf_fd_get(struct ibuf *);

/*
 * Gives a descriptor to the buffer, which closes the one it had.  A negative
 * one only closes.  Aborts on a view.
 */
void		 ibuf_fd_set(struct ibuf *, int fd);

/* Queues the buffer for writing; the queue owns it.  Aborts on a view. */
void		 ibuf_close(struct msgbuf *, struct ibuf *);

/*
 * Queues of buffers: all O(1) but free and flush.
 */
struct ibufqueue *ibufq_new(void);
void		 ibufq_free(struct ibufqueue *);	/* NULL is allowed */
struct ibuf	*ibufq_pop(struct ibufqueue *);		/* NULL if empty */
void		 ibufq_push(struct ibufqueue *, struct ibuf *);
uint32_t	 ibufq_queuelen(struct ibufqueue *);
void		 ibufq_flush(struct ibufqueue *);	/* frees the buffers */

/* Moves all of from behind to. */
void		 ibufq_concat(struct ibufqueue *to, struct ibufqueue *from);

/*
 * Streams of messages.
 */

/* For writing only.  NULL with ENOMEM. */
struct msgbuf	*msgbuf_new(void);

/*
 * For both directions.  Once hdrsz bytes (1 to half of IBUF_READ_SIZE, else
 * EINVAL) of a message are there, readhdr gets a view of them and returns a
 * buffer of the whole message's size, header included, still empty; or NULL
 * with errno set, which ends the stream.  *fd is a descriptor that came along;
 * if the message is marked as its owner, readhdr keeps it (if it is not
 * negative) and sets *fd to -1.
 */
struct msgbuf	*msgbuf_new_reader(size_t hdrsz,
		    struct ibuf *(*readhdr)(struct ibuf *, void *, int *fd),
		    void *arg);

/* Drops all that is queued or half read; free does so as well, NULL is fine. */
void		 msgbuf_clear(struct msgbuf *);
void		 msgbuf_free(struct msgbuf *);

/* How many buffers wait to be written. */
uint32_t	 msgbuf_queuelen(struct msgbuf *);

/* Moves all of the queue to the end of those that wait to be written. */
void		 msgbuf_concat(struct msgbuf *, struct ibufqueue *);

/* The next message that was read whole, the caller's to free; NULL if none. */
struct ibuf	*msgbuf_get(struct msgbuf *);

/*
 * One write of as much as the descriptor takes: 0 also if it takes nothing
 * now, -1 if the stream is broken.  ibuf_write sends bytes alone and closes
 * descriptors that were queued; msgbuf_write sends them, so it needs a socket.
 */
int		 ibuf_write(int fd, struct msgbuf *);
int		 msgbuf_write(int fd, struct msgbuf *);

/*
 * One read: 1 also if nothing is there now, 0 at end of file, -1 if the
 * stream is broken, for good.  msgbuf_read takes descriptors (close on exec),
 * ibuf_read has the kernel drop them.  A descriptor that no message claims,
 * or a second one before the first was claimed, is EBADMSG.
 */
int		 ibuf_read(int fd, struct msgbuf *);
int		 msgbuf_read(int fd, struct msgbuf *);

/*
 * Channel.
 */

/*
 * Prepares a channel over fd, which stays the caller's to close.  Remembers
 * getpid(): do it again after fork.  ENOMEM.
 */
int		 imsgbuf_init(struct imsgbuf *, int fd);

/* Lets descriptors pass.  Call on both ends, never for an untrusted peer. */
void		 imsgbuf_allow_fdpass(struct imsgbuf *);

/*
 * The largest payload in bytes, both ways.  ERANGE if it overflows with the
 * header, EINVAL if it needs the bit that marks descriptors.
 */
int		 imsgbuf_set_maxsize(struct imsgbuf *, uint32_t payload);

/*
 * Reads once: 1 (look with imsgbuf_get until it says 0), also if nothing was
 * there, 0 at end of file, -1 if the peer must be dropped; ERANGE is a length
 * that no message may have.
 */
int		 imsgbuf_read(struct imsgbuf *);

/* Writes once: 0 or -1.  Poll again while imsgbuf_queuelen is not 0. */
int		 imsgbuf_write(struct imsgbuf *);

/* Writes all, sleeps while the socket is full: for the start, not the loop. */
int		 imsgbuf_flush(struct imsgbuf *);

/* Frees the queues with their descriptors; the socket stays open. */
void		 imsgbuf_clear(struct imsgbuf *);

/* How many buffers wait; a message is one or two of them. */
uint32_t	 imsgbuf_queuelen(struct imsgbuf *);

/* The next message: 1 (imsg_free it), 0 if there is none, -1. */
int		 imsgbuf_get(struct imsgbuf *, struct imsg *);

/* The same in its older form: bytes with the header, 0 if there is none. */
ssize_t		 imsg_get(struct imsgbuf *, struct imsg *);

/*
 * Message, sending.
 */

/*
 * Queues a message: 1, or -1 with ERANGE (too long) or ENOMEM.  A pid of 0
 * means one's own.  After 1 the descriptor belongs to the queue, after -1 it
 * is still the caller's.  EINVAL if there is a descriptor and the channel does
 * not pass any.
 */
int		 imsg_compose(struct imsgbuf *, uint32_t type, uint32_t id,
		    pid_t, int fd, const void *, size_t);
int		 imsg_composev(struct imsgbuf *, uint32_t type, uint32_t id,
		    pid_t, int fd, const struct iovec *, int);

/*
 * Queues the unread part of a buffer as the payload: 1 or -1.  The buffer is
 * gone either way.  One with a descriptor is EINVAL.
 */
int		 imsg_compose_ibuf(struct imsgbuf *, uint32_t type, uint32_t id,
		    pid_t, struct ibuf *);

/*
 * Starts a message with room for len bytes of payload; it grows up to the
 * channel's limit.  NULL with ERANGE or ENOMEM.  End it with imsg_close.
 */
struct ibuf	*imsg_create(struct imsgbuf *, uint32_t type, uint32_t id,
		    pid_t, size_t len);

/* Appends: the length, or -1 and the message is freed. */
int		 imsg_add(struct ibuf *, const void *, size_t);

/* Completes the header and queues the message. */
void		 imsg_close(struct imsgbuf *, struct ibuf *);

/* Lowers the largest payload of this message; ERANGE if it would rise. */
int		 imsg_set_maxsize(struct ibuf *, size_t payload);

/*
 * Queues a copy of a received message with its type, id and pid, never with
 * its descriptor: 1 or -1.  The whole payload goes, whatever was read of it,
 * and can be read from its start again.
 */
int		 imsg_forward(struct imsgbuf *, struct imsg *);

/*
 * Message, receiving.
 */

/* Frees it, closes a descriptor that nobody took.  Twice does no harm. */
void		 imsg_free(struct imsg *);

/* What the sender says: id and pid prove nothing. */
uint32_t	 imsg_get_type(struct imsg *);
uint32_t	 imsg_get_id(struct imsg *);
pid_t		 imsg_get_pid(struct imsg *);

/* Bytes of payload that were not read yet. */
size_t		 imsg_get_len(struct imsg *);

/* All that is left; EBADMSG unless it is len bytes, EINVAL if len is 0. */
int		 imsg_get_data(struct imsg *, void *, size_t len);

/* The next len bytes; EBADMSG if fewer are left. */
int		 imsg_get_buf(struct imsg *, void *, size_t len);

/* The next field of len bytes as a string, as ibuf_get_strbuf. */
int		 imsg_get_strbuf(struct imsg *, char *, size_t len);

/*
 * All that is left as a view, valid until imsg_free; never free it.  EBADMSG
 * if nothing is left.
 */
int		 imsg_get_ibuf(struct imsg *, struct ibuf *view);

/*
 * The descriptor, the caller's from now on.  -1 if there is none, if it was
 * taken, or if it was lost because the process had no slot free: check.
 */
int		 imsg_get_fd(struct imsg *);

/*
 * Park a message and fetch it later: push empties the struct, pop fills it
 * and returns 1, or 0 if the queue is empty, or -1.
 */
int		 imsg_ibufq_pop(struct ibufqueue *, struct imsg *);
void		 imsg_ibufq_push(struct ibufqueue *, struct imsg *);

#endif
