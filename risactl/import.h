/* People from a file. */
#ifndef IMPORT_H
#define IMPORT_H

#include "imsg.h"
#include "parser.h"

/*
 * Read the file, "-" being the standard input, and its header; text that is no
 * UTF-8 is taken for Shift_JIS as spreadsheets write it (CP932).  Ends the
 * program when it is of no use.
 */
void	 import_read(const char *path);

/*
 * Send its lines, one after the other, and what is to become of them.  0: the
 * answer to that is on its way; or the answer to what was refused before.
 */
int	 import_send(struct imsgbuf *, const struct command *,
	    int (*answer)(struct imsgbuf *));

#endif
