/*
 * Sealing anew what the old key of a file has sealed, row by row.  A walk goes
 * through all columns of one file; what is written meanwhile is sealed by the
 * new key anyway.
 */
#ifndef RESEAL_H
#define RESEAL_H

#include "db.h"

struct reseal {
	size_t		 rs_part;	/* the column that is walked */
	uint64_t	 rs_after;	/* the row that was looked at last */
	uint64_t	 rs_done;	/* records sealed anew */
	uint64_t	 rs_bad;	/* that open by neither key */
};

/* From the first row of a file; the counters stay. */
void		 reseal_begin(struct reseal *);
/*
 * Some rows further, with the writes in the file's transaction.  1 there is
 * more, 0 the file is through, -1 it fails: begin again later.
 */
int		 reseal_step(struct reseal *, struct db *);
/* How many columns a walk of such a file has. */
size_t		 reseal_parts(const struct db *);

#endif
