/* What the daemon answers, as text for people or as JSON for programs. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdint.h>
#include <time.h>
#include <wchar.h>

#include "parser.h"
#include "proof.h"

/* A key of a key backup, as far as the master key in it opens it. */
struct packed {
	const char	*pk_kind;	/* NULL: of a tenant */
	uint32_t	 pk_tenant;	/* 0: of the installation */
	const char	*pk_name;
	const uint32_t	*pk_generations;
	unsigned int	 pk_n;
	unsigned int	 pk_closed;	/* so many are not opened */
};

/*
 * Rows are kept until out_end, which prints all: a command that fails in its
 * middle leaves half an answer nowhere.
 */
struct output {
	void	(*out_begin)(const struct command *);
	void	(*out_tenant)(const struct m_c_tenant_row *);
	void	(*out_user)(const struct m_c_user_row *);
	/* The link belongs to the row before it, if there is one. */
	void	(*out_import)(const struct m_import_row *);
	void	(*out_link)(const struct m_c_link *);
	void	(*out_floor)(const struct m_c_floor_row *);
	void	(*out_guest)(const struct m_c_guest_row *);
	void	(*out_session)(const struct m_c_session_row *);
	void	(*out_process)(const struct m_c_proc_row *);
	void	(*out_role)(const struct m_c_role_row *);
	void	(*out_policy)(const struct m_c_policy_row *);
	void	(*out_operator)(const struct m_c_operator_row *);
	void	(*out_attack)(const struct m_c_attack_row *);
	void	(*out_audit)(const struct m_c_audit_row *);
	void	(*out_trail)(const struct m_c_audit_state *);
	void	(*out_point)(const struct m_c_point *);
	void	(*out_key)(const struct m_proof_key *);
	void	(*out_hold)(const struct m_c_hold_row *);
	void	(*out_erased)(const struct m_c_erased *);
	void	(*out_kept)(const struct m_c_kept *);
	void	(*out_key_row)(const struct m_c_key *);
	void	(*out_backup)(const struct m_c_backup_row *);
	void	(*out_part)(const struct m_c_backup_part *);
	void	(*out_alert)(const struct m_c_alert_row *);
	void	(*out_export)(const struct m_c_export_row *);
	void	(*out_confirm)(const struct m_c_confirm_row *);
	void	(*out_storage)(const struct m_c_storage_row *);
	void	(*out_log)(const struct m_c_log_row *);
	void	(*out_stat)(const struct m_c_stat_row *);
	/* Made, or shown without the daemon: the keys follow it then. */
	void	(*out_keypack)(uint32_t backup, uint64_t at, uint32_t count);
	void	(*out_packed)(const struct packed *);
	void	(*out_unpacked)(const char *directory);
	/* What is signed: a file, or with NULL a checkpoint. */
	void	(*out_signed)(const char *file, const struct proof *);
	void	(*out_end)(void);
};

extern const struct output	 output_text, output_json;

/* Whatever jansson must do before the sandbox. */
void		 output_json_init(void);

/* What a line of an import does, in both outputs. */
const char	*import_text(uint8_t);

/* What is wrong with a trail: a word for programs, a sentence for people. */
const char	*audit_fault_word(uint8_t);
const char	*audit_fault_text(uint8_t);
/* Is it about a line? */
int		 audit_fault_line(uint8_t);

/* What is kept. */
const char	*keep_word(uint8_t);
/* How a key is: a word for its state, or that its rotation waits. */
const char	*key_state_word(const struct m_c_key *);

/* What there is, by a word; how it is protected, and where it lies. */
const char	*store_word(uint8_t);
const char	*store_how(uint8_t);
const char	*store_where(uint8_t, const char *tenant);

/* What was exported, and how that went. */
const char	*export_word(uint8_t);
const char	*export_state_word(uint8_t);

/* What the access log tells of, by a word. */
const char	*access_word(uint8_t);
/* How many of its rows are shown, the newest; 0: all. */
size_t		 log_rows(const struct command *);

/* How states are called, in both outputs. */
const char	*user_state_text(uint8_t);
const char	*tenant_state_text(uint8_t);
const char	*operator_state_text(const struct m_c_operator_row *);

/*
 * Text as it may reach a terminal: what could act on it, in octal, and a
 * backslash doubled.  malloc'ed; without memory the program ends.
 */
char		*visible(const char *);

/* May the character reach a terminal as it is?  Bidi controls may not. */
int		 wc_harmless(wchar_t);

#endif
