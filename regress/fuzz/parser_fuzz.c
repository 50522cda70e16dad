/*
 * A hostile command line for risactl: a line is a word.  What is accepted has
 * all that its imsg needs, and arguments that the daemon would accept too.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../risactl/parser.h"
#include "util.h"

#define TRUE_OR_DIE(c)	do { if (!(c)) abort(); } while (0)
#define MAX_ARGS	32

int		 LLVMFuzzerTestOneInput(const uint8_t *, size_t);
static void	 accepted(const struct command *);

static void
accepted(const struct command *cm)
{
	if (cm->cm_flags & (CM_VERIFY | CM_KEYS | CM_RESTORE)) {
		TRUE_OR_DIE(cm->cm_type == IMSG_NONE && cm->cm_file != NULL);
		return;
	}
	TRUE_OR_DIE(cm->cm_type >= IMSG_C_TENANT_ADD &&
	    cm->cm_type <= IMSG_C_VERBOSE);
	TRUE_OR_DIE(cm->cm_tenant == NULL || label_valid(cm->cm_tenant));
	TRUE_OR_DIE(cm->cm_title == NULL ||
	    name_valid(cm->cm_title, MAX_TITLE_CHARS));
	TRUE_OR_DIE(cm->cm_name == NULL ||
	    name_valid(cm->cm_name, MAX_NAME_CHARS));
	TRUE_OR_DIE(cm->cm_floor == NULL ||
	    name_valid(cm->cm_floor, MAX_NAME_CHARS));
	TRUE_OR_DIE(cm->cm_group == NULL || cm->cm_mail[0] == '\0');
	TRUE_OR_DIE(cm->cm_file == NULL || cm->cm_template == NULL);
	switch (cm->cm_type) {
	case IMSG_C_USER_ADD:
	case IMSG_C_USER_SHOW:
	case IMSG_C_USER_STATE:
	case IMSG_C_USER_LINK:
	case IMSG_C_USER_DEL:
	case IMSG_C_SESSION_END:
		TRUE_OR_DIE(cm->cm_tenant != NULL && cm->cm_mail[0] != '\0');
		break;
	case IMSG_C_TENANT_EXPORT:
		TRUE_OR_DIE(cm->cm_file != NULL && cm->cm_reason != NULL);
		break;
	case IMSG_C_IMPORT_END:
		TRUE_OR_DIE(cm->cm_tenant != NULL && cm->cm_file != NULL);
		break;
	case IMSG_C_FLOOR_ADD:
	case IMSG_C_FLOOR_SHOW:
	case IMSG_C_FLOOR_ALLOW:
	case IMSG_C_FLOOR_NETWORKS:
	case IMSG_C_FLOOR_TALK:
	case IMSG_C_FLOOR_DEL:
		TRUE_OR_DIE(cm->cm_tenant != NULL && cm->cm_floor != NULL);
		break;
	case IMSG_C_USER_ROLE:
	case IMSG_C_ROLE_ADD:
	case IMSG_C_ROLE_ALLOW:
	case IMSG_C_ROLE_DENY:
	case IMSG_C_ROLE_NAME:
	case IMSG_C_ROLE_DEL:
		TRUE_OR_DIE(cm->cm_tenant != NULL && cm->cm_role != NULL);
		break;
	case IMSG_C_GUEST_ADD:
		TRUE_OR_DIE(cm->cm_tenant != NULL && cm->cm_floor != NULL);
		break;
	case IMSG_C_OPERATOR_ADD:
	case IMSG_C_OPERATOR_DEL:
		TRUE_OR_DIE(cm->cm_tenant == NULL && cm->cm_account != NULL);
		break;
	case IMSG_C_KEY_BACKUP:
		TRUE_OR_DIE(cm->cm_file != NULL);
		break;
	case IMSG_C_AUDIT_SHOW:
	case IMSG_C_AUDIT_VERIFY:
	case IMSG_C_AUDIT_POINTS:
	case IMSG_C_LOG_SHOW:
	case IMSG_C_PURGE_SHOW:
	case IMSG_C_ALERTS:
	case IMSG_C_EXPORTS:
	case IMSG_C_PURGE_RUN:
	case IMSG_C_STORAGE:
	case IMSG_C_KEY_ROTATE:
	case IMSG_C_KEY_SHOW:
	case IMSG_C_BACKUP_RESTORE:
		break;			/* of a tenant or of the installation */
	case IMSG_C_ERASE:
		TRUE_OR_DIE(cm->cm_tenant != NULL && cm->cm_arg < ERASE_MAX);
		break;
	case IMSG_C_HOLD_SET:
		TRUE_OR_DIE(cm->cm_tenant != NULL && cm->cm_reason != NULL);
		break;
	case IMSG_C_HOLD_CLEAR:
	case IMSG_C_HOLD_SHOW:
		TRUE_OR_DIE(cm->cm_tenant != NULL);
		break;
	case IMSG_C_KEEP:
	case IMSG_C_ALERT_CLEAR:
	case IMSG_C_ATTACKS:
	case IMSG_C_BACKUP_LIST:
	case IMSG_C_BACKUP_NOW:
	case IMSG_C_BACKUP_REHEARSE:
	case IMSG_C_BACKUP_VERIFY:
	case IMSG_C_CONFIRM:
	case IMSG_C_CONFIRMS:
	case IMSG_C_TENANT_CERT:
	case IMSG_C_TENANT_ERASED:
	case IMSG_C_OPERATOR_LIST:
	case IMSG_C_PROCESSES:
	case IMSG_C_PROOF_KEY:
	case IMSG_C_RELOAD:
	case IMSG_C_STATS:
	case IMSG_C_STATUS:
	case IMSG_C_TENANT_LIST:
	case IMSG_C_VERBOSE:
		TRUE_OR_DIE(cm->cm_tenant == NULL);
		break;
	default:
		TRUE_OR_DIE(cm->cm_tenant != NULL);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct command	 cm;
	FILE		*err;
	char		*line, *p, *argv[MAX_ARGS], *said = NULL;
	size_t		 len = 0;
	int		 argc = 0, ret;

	if ((line = malloc(size + 1)) == NULL ||
	    (err = open_memstream(&said, &len)) == NULL)
		abort();
	memcpy(line, data, size);
	line[size] = '\0';
	for (p = line; p != NULL && size > 0 && argc < MAX_ARGS;)
		argv[argc++] = strsep(&p, "\n");
	ret = command_parse(&cm, argc, argv, err);
	if (fclose(err) == EOF)
		abort();
	/* Either a command, or the reason why not. */
	TRUE_OR_DIE((ret == 0) == (len == 0));
	if (ret == 0)
		accepted(&cm);
	free(said);
	free(line);
	return (0);
}
