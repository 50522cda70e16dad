/*
 * The codec: one table says for each imsg type who may send it to whom, its
 * fields and their limits, and whether a descriptor comes along.
 */
#ifndef MSG_H
#define MSG_H

#include "imsg.h"
#include "risad.h"

/* Room for any decoded struct. */
union msg_any {
	max_align_t	 align;
	uint8_t		 bytes[256];
};

/* The type's name for logs, "?" for a number that is none. */
const char	*msg_name(uint32_t type);

/* What a process is called, in logs, risactl and the process list. */
const char	*proc_title(enum proc_type);

/* 1 if the type may go from one process to the other, else 0. */
int		 msg_allowed(uint32_t type, enum proc_type from,
		    enum proc_type to);

/* What a role of operators is called. */
const char	*op_role_word(enum op_role);

/* The least role that may give the command; OP_NONE for what is none. */
enum op_role	 msg_role(uint32_t type);

/* 1 if a descriptor must come with the type, else 0. */
int		 msg_has_fd(uint32_t type);

/*
 * Encode m, a struct m_* of the type (NULL for none), and queue it.  A member
 * over its limit is an error: nothing is cut.  The descriptor, or -1, is the
 * queue's on success.  0, or -1 with errno and the descriptor still ours.
 */
int		 msg_compose(struct imsgbuf *, enum imsg_type, uint32_t id,
		    int fd, const void *m);

/*
 * Decode the imsg into its struct.  Every length, limit, text encoding and the
 * very last byte are checked; strings are valid UTF-8 without NUL.  They point
 * into the imsg.  0, or -1 when anything is off.
 */
int		 msg_decode(struct imsg *, union msg_any *m);

/* Bytes of m's payload, or some more: numbers count as long ones. */
size_t		 msg_size(enum imsg_type, const void *m);

/* Largest payload that the table allows for the type. */
size_t		 msg_max(uint32_t type);

/* The payload alone, or NULL: a member over its limit, no memory.  Free it. */
struct ibuf	*msg_encode(enum imsg_type, const void *m);

/* The uid of a control command's operator, its first member. */
void		 msg_set_operator(union msg_any *m, uint32_t uid);

#endif
