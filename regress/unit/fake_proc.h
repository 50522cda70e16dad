/*
 * In place of proc.c: peers without pipes.  What is sent to them is encoded,
 * decoded again, and kept in order, so that a test can play their part.
 */
#ifndef FAKE_PROC_H
#define FAKE_PROC_H

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>

#include "proc.h"
#include "unit.h"

#define FAKE_MAX	8192

struct fake_sent {
	enum proc_type	 fs_proc;
	unsigned int	 fs_inst;
	uint32_t	 fs_type, fs_id;
	struct imsg	 fs_imsg;
	union msg_any	 fs_m;
};

enum proc_type			 proc_self = PROC_AUTH;
unsigned int			 proc_inst;
unsigned int			 proc_nsession = 2, proc_nhash = 1;

static struct peer		 fake_peers[PROC_CONTROL][MAX_SESSIONS];
static struct fake_sent		 fake_sent[FAKE_MAX];
static unsigned int		 fake_in, fake_out;
static struct imsgbuf		 fake_a, fake_b;

static inline struct peer *
fake_peer(enum proc_type proc, unsigned int inst)
{
	struct peer	*pe = &fake_peers[proc][inst];

	pe->pe_proc = proc;
	pe->pe_inst = inst;
	return (pe);
}

static inline void
fake_init(void)
{
	int	 fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1 ||
	    imsgbuf_init(&fake_a, fd[0]) == -1 ||
	    imsgbuf_init(&fake_b, fd[1]) == -1 ||
	    imsgbuf_set_maxsize(&fake_a, MAX_PAYLOAD) == -1 ||
	    imsgbuf_set_maxsize(&fake_b, MAX_PAYLOAD) == -1)
		abort();
}

struct peer *
proc_peer(enum proc_type proc, unsigned int inst)
{
	struct peer	*pe = fake_peer(proc, inst);

	return (pe->pe_up ? pe : NULL);
}

int
proc_send(struct peer *pe, enum imsg_type type, uint32_t id, int fd,
    const void *m)
{
	struct fake_sent	*fs = &fake_sent[fake_in % FAKE_MAX];

	if (pe == NULL || !pe->pe_up)
		return (-1);
	if (fd != -1 || !msg_allowed(type, PROC_AUTH, pe->pe_proc))
		abort();
	if (fs->fs_imsg.buf != NULL)
		imsg_free(&fs->fs_imsg);
	memset(fs, 0, sizeof(*fs));
	if (msg_compose(&fake_a, type, id, -1, m) == -1)
		return (-1);
	while (imsgbuf_queuelen(&fake_a) > 0)
		if (imsgbuf_write(&fake_a) == -1)
			abort();
	while (imsgbuf_get(&fake_b, &fs->fs_imsg) == 0)
		if (imsgbuf_read(&fake_b) != 1)
			abort();
	if (msg_decode(&fs->fs_imsg, &fs->fs_m) == -1)
		abort();
	fs->fs_proc = pe->pe_proc;
	fs->fs_inst = pe->pe_inst;
	fs->fs_type = type;
	fs->fs_id = id;
	fake_in++;
	return (0);
}

int
proc_result(struct peer *pe, uint32_t id, enum result code, uint64_t arg,
    const char *field)
{
	struct m_result	 r = { .code = code, .arg = arg, .field = field };

	return (proc_send(pe, IMSG_RESULT, id, -1, &r));
}

/* The next imsg that was sent, which must be this; its id goes to *id. */
static inline const void *
fake_take(enum proc_type proc, unsigned int inst, enum imsg_type type,
    uint32_t *id)
{
	struct fake_sent	*fs = &fake_sent[fake_out % FAKE_MAX];

	if (fake_out == fake_in) {
		fprintf(stderr, "nothing sent, want %s\n", msg_name(type));
		abort();
	}
	if (fs->fs_proc != proc || fs->fs_inst != inst ||
	    fs->fs_type != type) {
		fprintf(stderr, "%s to %s %u, want %s to %s %u\n",
		    msg_name(fs->fs_type), proc_title(fs->fs_proc),
		    fs->fs_inst, msg_name(type), proc_title(proc), inst);
		abort();
	}
	fake_out++;
	*id = fs->fs_id;
	return (fs->fs_m.bytes);
}

/* The type of the next imsg that was sent, IMSG_NONE if there is none. */
static inline uint32_t
fake_next(void)
{
	return (fake_in == fake_out ? IMSG_NONE :
	    fake_sent[fake_out % FAKE_MAX].fs_type);
}

/* 1 if nothing more was sent. */
static inline int
fake_quiet(void)
{
	return (fake_in == fake_out);
}

#endif
