/* The words of a command line.  No I/O but the complaint. */
#ifndef PARSER_H
#define PARSER_H

#include <stdio.h>

#include "risad.h"

#define CM_PASSWORD	0x01	/* asked for, not in the command line */
#define CM_APPROVAL	0x02
#define CM_COUNT	0x04	/* cm_number was given */
#define CM_VERIFY	0x08	/* a file, without the daemon */
#define CM_KEYS		0x10	/* a key backup is shown, likewise */
#define CM_RESTORE	0x20	/* a key backup is unpacked, likewise */

/* A command, checked as far as that goes without the daemon. */
struct command {
	uint32_t	 cm_type;	/* its imsg */
	uint8_t		 cm_arg;	/* state, link, rule, right, off, dry,
					 * what to erase, what to keep */
	uint8_t		 cm_flags;	/* CM_* */
	uint32_t	 cm_number;	/* a value, uses, lines, a guest URL */
	uint32_t	 cm_seconds;	/* from now, 0: not given */
	uint64_t	 cm_until;	/* ms since 1970, or 0 */
	uint64_t	 cm_from, cm_to;	/* likewise; 0: not given */
	uint8_t		 cm_kind;	/* of the access log, plus 1 */
	uint8_t		 cm_mask, cm_can;	/* RIGHT_TALK: which, what */
	uint8_t		 cm_way;	/* WAY_MAX: not given */
	/* NULL or words of the command line; mails in lower case. */
	const char	*cm_tenant, *cm_title, *cm_name, *cm_floor;
	const char	*cm_template, *cm_file, *cm_group, *cm_text, *cm_role;
	const char	*cm_account, *cm_key, *cm_signature;
	const char	*cm_user, *cm_network, *cm_directory, *cm_stamp;
	const char	*cm_reason;
	char		 cm_mail[MAX_MAIL + 1];
	char		 cm_other[MAX_MAIL + 1];	/* of two */
};

/*
 * Read the words of a command: each may be cut as long as it stays clear what
 * is meant.  0, or -1 after writing to err what is wrong and which words are
 * valid in that place.  The strings stay argv's.
 */
int	 command_parse(struct command *, int argc, char *const argv[],
	    FILE *err);

/* Write the words that a command may begin with. */
void	 command_help(FILE *);

#endif
