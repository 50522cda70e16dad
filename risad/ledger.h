/*
 * The ledger of operators as auth knows it: what storage has told.  No I/O.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include "risad.h"

/* Forget everything: storage is down, or a new one will tell it all. */
void		 ledger_clear(void);

/* Take an entry, or its end.  0, or -1: there is no room. */
int		 ledger_set(const struct m_operator *);

/* All entries have been told; 1 if so: who is not in it is a stranger. */
void		 ledger_told(void);
int		 ledger_whole(void);

/*
 * What a user may do at the time now, in ms since 1970.  Root may everything,
 * always; an entry that has expired is none.
 */
enum op_role	 ledger_role(uid_t, uint64_t now);

/*
 * May the misuse of this user be written down at the time now, in monotonic
 * ms?  1, with the number of those since the last one that were not, or 0:
 * there has been much of it lately.
 */
int		 ledger_notable(uid_t, uint64_t now, uint32_t *more);

#endif
