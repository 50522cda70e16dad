/*
 * Commands of operators: what the files of them share.
 */
#ifndef STORAGE_CMD_H
#define STORAGE_CMD_H

#include "storage.h"

/* A command under way. */
struct command {
	struct request	*co_rq;
	const void	*co_m;
	char		 co_why[MAX_LINE + 1];	/* of a refusal */
	const char	*co_how;	/* for the trail, if it is not that */
};

/*
 * ve_fn returns 0 done, 1 the answer goes on by itself, 2 also what is done, -1
 * refused.  A table ends with a verb without function.
 */
struct verb {
	uint32_t	 ve_type;
	const char	*ve_words;	/* NULL: changes nothing, no trail */
	int		(*ve_fn)(struct command *);
};
extern const struct verb	 tenant_verbs[], user_verbs[], floor_verbs[],
				 record_verbs[];

/* Why it is refused, for whoever gave it; -1. */
int		 co_refuse(struct command *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
/*
 * The tenant of a command, and its file for as long as the command runs; then
 * somebody, a role (by word or by name; "" is member), a floor (by number or by
 * name) of it.  0 (the role; the floor), or -1 (NULL) and the refusal.
 */
int		 co_tenant(struct command *, const char *name);
int		 co_person(struct command *, const char *email,
		    struct person *);
int		 co_role(struct command *, const char *name);
struct floor	*co_floor(struct command *, const char *name);
/* Begin to write; end it with what a request of administrators said: it is on
 * the disk, or what was stopped is refused.  0, or -1. */
int		 co_begin(struct command *);
int		 co_commit(struct command *, enum result, const char *what);
/* The same without a transaction. */
int		 co_result(struct command *, enum result, const char *what);
/* Answer by and by.  1, or -1. */
int		 co_stream(struct command *, int (*step)(struct stream *,
		    struct peer *));
/* The word of a state, for the trail; a constant. */
const char	*tenant_word(uint8_t state);
/* Answer with a link of the tenant, to be handed over. */
void		 co_link(struct command *, const struct m_a_link *,
		    uint8_t guest);

#endif
