/*
 * What the installation has signed, checked without it: files, and checkpoints
 * of audit trails that somebody has kept.
 */
#ifndef POINTS_H
#define POINTS_H

#include "output.h"

#define SIGN_PUB	"/etc/risad/sign.pub"

/*
 * Read the lines of a file that hold a checkpoint, with whatever a log has put
 * in front of them, and check each with the public key (NULL: SIGN_PUB) of its
 * installation.  Ends the program when the file cannot be read, when there is
 * no checkpoint in it, or when one was not signed by the key.
 */
void	 points_read(const char *path, const char *key);

/* The newest MAX_KEPT of them, as storage compares them. */
void	 points_kept(struct m_blob *);

/*
 * Check the signature (NULL: the file's name and .sig) of a file that risad has
 * exported, and print what it is.  The exit code; -1: there is no such
 * signature, and none was given.
 */
int	 signature_check(const char *path, const char *sig, const char *key,
	    const struct output *);

/*
 * Print what the file shows by itself, each trail with its newest checkpoint.
 * The exit code: 1 when two of them contradict each other.
 */
int	 points_print(const struct output *);

#endif
