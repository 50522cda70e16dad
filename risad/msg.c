#include <errno.h>
#include <string.h>

#include "csv.h"
#include "earshot.h"
#include "msg.h"
#include "network.h"
#include "strength.h"
#include "utf8.h"
#include "util.h"

/* How a member travels: numbers in network order, strings as length, bytes,
 * NUL; blobs as a longer length and bytes; tokens and hashes as they are. */
enum kind { M_END, M_N8, M_N16, M_N32, M_N64, M_STR, M_BLOB, M_FIX };

struct field {
	enum kind	 f_kind;
	size_t		 f_off;
	size_t		 f_max;		/* bytes, or the largest number */
};

#define N8(t, m, max)	{ M_N8, offsetof(struct t, m), max }
#define N16(t, m)	{ M_N16, offsetof(struct t, m), UINT16_MAX }
#define N32(t, m)	{ M_N32, offsetof(struct t, m), UINT32_MAX }
#define N64(t, m)	{ M_N64, offsetof(struct t, m), SIZE_MAX }
#define STR(t, m, max)	{ M_STR, offsetof(struct t, m), max }
#define BLOB(t, m, max)	{ M_BLOB, offsetof(struct t, m), max }
#define FIX(t, m)	{ M_FIX, offsetof(struct t, m), TOKEN_LEN }
#define END		{ M_END, 0, 0 }

#define IDS(n)		((n) * sizeof(uint32_t))

static const struct field none[] = { END };
static const struct field boot[] = {
	STR(m_boot, user, 32), STR(m_boot, dir, MAX_PATH),
	N32(m_boot, nsession), N32(m_boot, nhash), N32(m_boot, verbose),
	N32(m_boot, debug), END
};
static const struct field procfd[] = {
	N8(m_procfd, proc, PROC_MAX - 1), N16(m_procfd, inst), END
};
static const struct field verbose[] = { N32(m_verbose, verbose), END };
static const struct field site[] = {
	N64(m_site, generation), STR(m_site, domain, MAX_HOST),
	STR(m_site, country, MAX_COUNTRY), N16(m_site, port),
	N32(m_site, argon_kib), N32(m_site, argon_passes),
	N32(m_site, max_conns), N32(m_site, max_addr_conns),
	N32(m_site, tenant_pages), N32(m_site, account_pages),
	N32(m_site, addr_arrivals), N32(m_site, addr_requests),
	N32(m_site, tenant_requests), N32(m_site, account_requests),
	N32(m_site, buffers),
	N32(m_site, idle), N32(m_site, absolute), N32(m_site, invite),
	N16(m_site, backup_at), N16(m_site, backup_keep),
	N32(m_site, confirm), STR(m_site, turn, MAX_TURN), END
};
static const struct field conf_file[] = {
	N8(m_conf_file, kind, FILE_MAX - 1),
	STR(m_conf_file, name, MAX_PATH), END
};
static const struct field conf_end[] = { N64(m_conf_end, generation), END };
static const struct field conf_ack[] = {
	N64(m_conf_ack, generation), N8(m_conf_ack, ok, 1),
	STR(m_conf_ack, why, MAX_LINE), END
};
static const struct field result[] = {
	N32(m_result, code), N64(m_result, arg),
	STR(m_result, field, MAX_LINE), END
};
static const struct field sign[] = {
	FIX(m_sign, key), N8(m_sign, ec, 1), N32(m_sign, padding),
	BLOB(m_sign, data, MAX_SIGN), END
};
static const struct field signed_[] = {
	N8(m_signed, ok, 1), BLOB(m_signed, sig, MAX_SIGN), END
};
static const struct field ticket_key[] = {
	BLOB(m_ticket_key, key, MAX_TICKET), END
};
static const struct field prove[] = {
	N32(m_prove, tenant), STR(m_prove, name, MAX_LABEL),
	N8(m_prove, kind, PROOF_MAX - 1), N64(m_prove, seq), N64(m_prove, at),
	FIX(m_prove, sum), END
};
static const struct field proven[] = {
	N32(m_proven, tenant), N64(m_proven, seq),
	STR(m_proven, line, MAX_LINE), END
};
static const struct field proof_key[] = { FIX(m_proof_key, key), END };
static const struct field cert[] = { N64(m_cert, until), END };
static const struct field died[] = {
	N8(m_died, proc, PROC_MAX - 1), N16(m_died, inst),
	N8(m_died, sig, UINT8_MAX), N8(m_died, code, UINT8_MAX), END
};
static const struct field fence[] = { N32(m_fence, number), END };
static const struct field read_on[] = { N8(m_read_on, gone, 1), END };
static const struct field hash_make[] = {
	STR(m_hash_make, password, MAX_PASSWORD),
	STR(m_hash_make, words, MAX_GUESS),
	N8(m_hash_make, strength, STRENGTH_MAX),
	BLOB(m_hash_make, old, MAX_OLD), END
};
static const struct field hash_made[] = {
	N8(m_hash_made, answer, MAKE_ANSWER_MAX - 1),
	BLOB(m_hash_made, sealed, MAX_SEALED), END
};
static const struct field hash_score[] = {
	STR(m_hash_score, password, MAX_PASSWORD),
	STR(m_hash_score, words, MAX_GUESS), END
};
static const struct field hash_scored[] = {
	N8(m_hash_scored, score, STRENGTH_MAX), END
};
static const struct field hash_check[] = {
	BLOB(m_hash_check, sealed, MAX_SEALED),
	STR(m_hash_check, password, MAX_PASSWORD),
	N8(m_hash_check, anew, 1), END
};
static const struct field hash_checked[] = {
	N8(m_hash_checked, answer, HASH_ANSWER_MAX - 1),
	BLOB(m_hash_checked, sealed, MAX_SEALED), END
};
static const struct field hash_user[] = {
	N32(m_hash_user, tenant), N32(m_hash_user, user), END
};
static const struct field hash_totp_made[] = {
	N8(m_hash_totp_made, ok, 1),
	BLOB(m_hash_totp_made, sealed, MAX_SEALED),
	BLOB(m_hash_totp_made, seed, TOTP_SEED), END
};
static const struct field hash_otp[] = {
	N32(m_hash_otp, tenant), N32(m_hash_otp, user),
	BLOB(m_hash_otp, sealed, MAX_SEALED), STR(m_hash_otp, otp, MAX_OTP),
	END
};
static const struct field hash_otp_checked[] = {
	N8(m_hash_otp_checked, answer, HASH_ANSWER_MAX - 1),
	N8(m_hash_otp_checked, method, FACTOR_ALL),
	N64(m_hash_otp_checked, step), FIX(m_hash_otp_checked, sha), END
};
static const struct field hash_codes_made[] = {
	N8(m_hash_codes_made, ok, 1),
	STR(m_hash_codes_made, text, RECOVERY_CODES * RECOVERY_TEXT),
	BLOB(m_hash_codes_made, shas, RECOVERY_CODES * TOKEN_LEN), END
};
static const struct field device_key[] = { FIX(m_device_key, key), END };
static const struct field hash_register[] = {
	FIX(m_hash_register, challenge), STR(m_hash_register, host, MAX_HOST),
	N16(m_hash_register, port), BLOB(m_hash_register, client, MAX_CLIENT),
	BLOB(m_hash_register, object, MAX_ATTEST), END
};
static const struct field hash_registered[] = {
	N8(m_hash_registered, answer, HASH_ANSWER_MAX - 1),
	N8(m_hash_registered, alg, UINT8_MAX), N32(m_hash_registered, count),
	BLOB(m_hash_registered, id, MAX_CRED_ID),
	BLOB(m_hash_registered, key, MAX_CRED_KEY), END
};
static const struct field hash_assert[] = {
	FIX(m_hash_assert, challenge), STR(m_hash_assert, host, MAX_HOST),
	N16(m_hash_assert, port), N8(m_hash_assert, uv, 1),
	N8(m_hash_assert, alg, UINT8_MAX),
	BLOB(m_hash_assert, key, MAX_CRED_KEY),
	BLOB(m_hash_assert, client, MAX_CLIENT),
	BLOB(m_hash_assert, data, MAX_CRED_DATA),
	BLOB(m_hash_assert, sig, MAX_CRED_SIG), END
};
static const struct field hash_asserted[] = {
	N8(m_hash_asserted, answer, HASH_ANSWER_MAX - 1),
	N32(m_hash_asserted, count), END
};
static const struct field login[] = {
	N32(m_login, tenant), STR(m_login, addr, MAX_ADDR),
	STR(m_login, agent, MAX_AGENT), STR(m_login, email, MAX_MAIL),
	STR(m_login, password, MAX_PASSWORD), STR(m_login, otp, MAX_OTP),
	STR(m_login, device, MAX_DEVICE), END
};
static const struct field login_ok[] = {
	FIX(m_login_ok, token), N8(m_login_ok, method, FACTOR_ALL),
	N8(m_login_ok, left, RECOVERY_CODES), N32(m_login_ok, failures),
	STR(m_login_ok, device, MAX_DEVICE), END
};
static const struct field token[] = {
	N32(m_token, tenant), STR(m_token, addr, MAX_ADDR),
	FIX(m_token, token), END
};
static const struct field link_use[] = {
	N32(m_link_use, tenant), STR(m_link_use, addr, MAX_ADDR),
	STR(m_link_use, agent, MAX_AGENT), FIX(m_link_use, token),
	STR(m_link_use, password, MAX_PASSWORD),
	STR(m_link_use, words, MAX_GUESS), STR(m_link_use, name, MAX_NAME), END
};
static const struct field password[] = {
	N32(m_password, tenant), STR(m_password, addr, MAX_ADDR),
	FIX(m_password, token), STR(m_password, current, MAX_PASSWORD),
	STR(m_password, new, MAX_PASSWORD),
	STR(m_password, words, MAX_GUESS), END
};
static const struct field password_check[] = {
	N32(m_password_check, tenant), N8(m_password_check, role, UINT8_MAX),
	STR(m_password_check, addr, MAX_ADDR),
	STR(m_password_check, password, MAX_PASSWORD),
	STR(m_password_check, words, MAX_GUESS), END
};
static const struct field password_checked[] = {
	N8(m_password_checked, faults, FAULT_ALL),
	N8(m_password_checked, score, STRENGTH_MAX), END
};
static const struct field factor[] = {
	N32(m_factor, tenant), STR(m_factor, addr, MAX_ADDR),
	FIX(m_factor, token), N8(m_factor, act, FACTOR_ACT_MAX - 1),
	STR(m_factor, secret, MAX_PASSWORD), END
};
static const struct field factor_seed[] = {
	BLOB(m_factor_seed, seed, TOTP_SEED), END
};
static const struct field factor_show[] = {
	STR(m_factor_show, text, RECOVERY_CODES * RECOVERY_TEXT), END
};
static const struct field passkey_ask[] = {
	N32(m_passkey_ask, tenant), STR(m_passkey_ask, addr, MAX_ADDR),
	N8(m_passkey_ask, use, PASSKEY_USE_MAX - 1),
	FIX(m_passkey_ask, token), END
};
static const struct field challenge[] = {
	FIX(m_challenge, challenge), FIX(m_challenge, handle),
	BLOB(m_challenge, ids, MAX_CRED_IDS), END
};
static const struct field passkey_add[] = {
	N32(m_passkey_add, tenant), STR(m_passkey_add, addr, MAX_ADDR),
	FIX(m_passkey_add, token),
	STR(m_passkey_add, password, MAX_PASSWORD),
	FIX(m_passkey_add, challenge), STR(m_passkey_add, name, MAX_NAME),
	BLOB(m_passkey_add, client, MAX_CLIENT),
	BLOB(m_passkey_add, object, MAX_ATTEST), END
};
static const struct field passkey_del[] = {
	N32(m_passkey_del, tenant), STR(m_passkey_del, addr, MAX_ADDR),
	FIX(m_passkey_del, token),
	STR(m_passkey_del, password, MAX_PASSWORD), N32(m_passkey_del, id),
	END
};
static const struct field passkey_login[] = {
	N32(m_passkey_login, tenant), STR(m_passkey_login, addr, MAX_ADDR),
	STR(m_passkey_login, agent, MAX_AGENT),
	STR(m_passkey_login, email, MAX_MAIL),
	STR(m_passkey_login, password, MAX_PASSWORD),
	STR(m_passkey_login, device, MAX_DEVICE),
	FIX(m_passkey_login, challenge),
	BLOB(m_passkey_login, id, MAX_CRED_ID),
	BLOB(m_passkey_login, handle, MAX_CRED_HANDLE),
	BLOB(m_passkey_login, client, MAX_CLIENT),
	BLOB(m_passkey_login, data, MAX_CRED_DATA),
	BLOB(m_passkey_login, sig, MAX_CRED_SIG), END
};
static const struct field cred_find[] = {
	N32(m_cred_find, tenant), STR(m_cred_find, email, MAX_MAIL), END
};
static const struct field sha[] = { N32(m_sha, tenant), FIX(m_sha, sha), END };
static const struct field cred[] = {
	N32(m_cred, user), N8(m_cred, state, USER_STATE_MAX - 1),
	N8(m_cred, role, UINT8_MAX),
	BLOB(m_cred, sealed, MAX_SEALED), N8(m_cred, methods, FACTOR_ALL),
	BLOB(m_cred, totp, MAX_SEALED), BLOB(m_cred, pending, MAX_SEALED),
	BLOB(m_cred, old, MAX_OLD), END
};
static const struct field cred_set[] = {
	N32(m_cred_set, tenant), FIX(m_cred_set, sha),
	BLOB(m_cred_set, password, MAX_SEALED),
	BLOB(m_cred_set, sealed, MAX_SEALED), END
};
static const struct field token_new[] = {
	N32(m_token_new, tenant), N32(m_token_new, user),
	FIX(m_token_new, sha), N64(m_token_new, expires),
	N8(m_token_new, fresh, 1),
	STR(m_token_new, addr, MAX_ADDR),
	STR(m_token_new, agent, MAX_AGENT),
	BLOB(m_token_new, password, MAX_SEALED),
	BLOB(m_token_new, anew, MAX_SEALED),
	N8(m_token_new, method, FACTOR_ALL),
	BLOB(m_token_new, totp, MAX_SEALED), N64(m_token_new, step),
	FIX(m_token_new, code), N32(m_token_new, passkey),
	N32(m_token_new, count), END
};
static const struct field factor_put[] = {
	N32(m_factor_put, tenant), FIX(m_factor_put, sha),
	N8(m_factor_put, act, FACTOR_ACT_MAX - 1),
	BLOB(m_factor_put, sealed, MAX_SEALED), N64(m_factor_put, step),
	BLOB(m_factor_put, codes, RECOVERY_CODES * TOKEN_LEN), END
};
static const struct field token_row[] = {
	N32(m_token_row, user), N8(m_token_row, role, UINT8_MAX),
	N8(m_token_row, state, USER_STATE_MAX - 1), N64(m_token_row, created),
	N64(m_token_row, seen), N64(m_token_row, expires),
	N32(m_token_row, live), END
};
static const struct field grant_new[] = {
	N32(m_grant_new, tenant), FIX(m_grant_new, sha),
	N16(m_grant_new, inst), N32(m_grant_new, req),
	STR(m_grant_new, addr, MAX_ADDR), END
};
static const struct field link_find[] = {
	N32(m_link_find, tenant), FIX(m_link_find, sha),
	N16(m_link_find, inst), N32(m_link_find, req), END
};
static const struct field link_set[] = {
	N32(m_link_set, tenant), FIX(m_link_set, sha),
	BLOB(m_link_set, sealed, MAX_SEALED),
	STR(m_link_set, name, MAX_NAME), END
};
static const struct field note[] = {
	N32(m_note, op), N32(m_note, type), N32(m_note, arg),
	N32(m_note, more), N8(m_note, note, NOTE_MAX - 1), END
};
static const struct field operator[] = {
	N32(m_operator, uid), N8(m_operator, role, OP_MAX - 1),
	N64(m_operator, until), END
};
static const struct field link_done[] = {
	N32(m_link_done, user), N8(m_link_done, methods, FACTOR_ALL), END
};
static const struct field lock[] = {
	N32(m_lock, tenant), N32(m_lock, user), STR(m_lock, email, MAX_MAIL),
	N8(m_lock, known, 1), FIX(m_lock, key), N64(m_lock, until), END
};
static const struct field locks[] = { N32(m_locks, tenant), END };
static const struct field lock_row[] = {
	N32(m_lock_row, tenant), N8(m_lock_row, known, 1),
	FIX(m_lock_row, key),
	N64(m_lock_row, until), END
};
static const struct field unlock[] = {
	N32(m_unlock, tenant), N32(m_unlock, user),
	STR(m_unlock, email, MAX_MAIL), N8(m_unlock, known, 1),
	FIX(m_unlock, key), END
};
static const struct field alert[] = {
	N32(m_alert, tenant), N64(m_alert, begun), N64(m_alert, last),
	N8(m_alert, over, 1), N64(m_alert, tries), N32(m_alert, accounts),
	STR(m_alert, addrs, MAX_LINE), END
};
static const struct field passkey_owner[] = {
	N32(m_passkey_owner, user), FIX(m_passkey_owner, handle),
	BLOB(m_passkey_owner, ids, MAX_CRED_IDS), END
};
static const struct field passkey_find[] = {
	N32(m_passkey_find, tenant), BLOB(m_passkey_find, id, MAX_CRED_ID),
	BLOB(m_passkey_find, handle, MAX_CRED_HANDLE), END
};
static const struct field passkey_row[] = {
	N32(m_passkey_row, id), N32(m_passkey_row, user),
	N8(m_passkey_row, state, USER_STATE_MAX - 1),
	N8(m_passkey_row, alg, UINT8_MAX),
	STR(m_passkey_row, email, MAX_MAIL),
	BLOB(m_passkey_row, key, MAX_CRED_KEY), END
};
static const struct field passkey_put[] = {
	N32(m_passkey_put, tenant), FIX(m_passkey_put, sha),
	N8(m_passkey_put, alg, UINT8_MAX), N32(m_passkey_put, count),
	STR(m_passkey_put, name, MAX_NAME),
	BLOB(m_passkey_put, id, MAX_CRED_ID),
	BLOB(m_passkey_put, key, MAX_CRED_KEY), END
};
static const struct field passkey_drop[] = {
	N32(m_passkey_drop, tenant), FIX(m_passkey_drop, sha),
	N32(m_passkey_drop, id), END
};
static const struct field passkey[] = {
	N32(m_passkey, id), N64(m_passkey, created), N64(m_passkey, last),
	STR(m_passkey, name, MAX_NAME), END
};
static const struct field passkey_name[] = {
	N64(m_passkey_name, grant), N32(m_passkey_name, id),
	STR(m_passkey_name, name, MAX_NAME), END
};
static const struct field guest_secret[] = {
	N32(m_guest_secret, tenant), STR(m_guest_secret, addr, MAX_ADDR),
	N64(m_guest_secret, grant),
	STR(m_guest_secret, password, MAX_PASSWORD), END
};
static const struct field guest_need[] = {
	BLOB(m_guest_need, sealed, MAX_SEALED), END
};
static const struct field guest_new[] = {
	N32(m_guest_new, tenant), FIX(m_guest_new, url),
	FIX(m_guest_new, sha), N64(m_guest_new, expires),
	STR(m_guest_new, addr, MAX_ADDR),
	STR(m_guest_new, agent, MAX_AGENT), END
};
static const struct field guest_seal[] = {
	N32(m_guest_seal, tenant), N16(m_guest_seal, inst),
	N64(m_guest_seal, grant), BLOB(m_guest_seal, sealed, MAX_SEALED), END
};
static const struct field tenant[] = {
	N32(m_tenant, id), N8(m_tenant, state, TENANT_STATE_MAX - 1),
	N8(m_tenant, gone, 1), STR(m_tenant, name, MAX_LABEL),
	STR(m_tenant, title, MAX_TITLE),
	BLOB(m_tenant, policy, MAX_POLICY), END
};
static const struct field user[] = {
	N32(m_user, tenant), N32(m_user, user),
	N8(m_user, role, UINT8_MAX), N8(m_user, lang, LANG_MAX - 1),
	N8(m_user, status, STATUS_MAX - 1), N32(m_user, look),
	STR(m_user, name, MAX_NAME), STR(m_user, note, MAX_NOTE),
	STR(m_user, email, MAX_MAIL), END
};
static const struct field grant[] = {
	N64(m_grant, grant), N64(m_grant, expires), N64(m_grant, changed),
	N32(m_grant, idle),
	N32(m_grant, last_floor), N32(m_grant, tenant), N32(m_grant, user),
	N8(m_grant, role, UINT8_MAX), N8(m_grant, can, RIGHT_ALL),
	N8(m_grant, lang, LANG_MAX - 1), N8(m_grant, status, STATUS_MAX - 1),
	N8(m_grant, door, 1),
	N32(m_grant, look),
	STR(m_grant, name, MAX_NAME), STR(m_grant, note, MAX_NOTE),
	STR(m_grant, email, MAX_MAIL), N8(m_grant, must, MUST_ALL), END
};
static const struct field grant_must[] = {
	N64(m_grant_must, grant), N8(m_grant_must, must, MUST_ALL), END
};
static const struct field factor_row[] = {
	N8(m_factor_row, methods, FACTOR_ALL), N8(m_factor_row, required, 1),
	N8(m_factor_row, left, RECOVERY_CODES), N64(m_factor_row, since),
	N64(m_factor_row, used), END
};
static const struct field grant_end[] = {
	N64(m_grant_end, grant), N8(m_grant_end, why, END_MAX - 1), END
};
static const struct field link_[] = {
	N8(m_link, kind, LINK_MAX - 1), N8(m_link, role, UINT8_MAX),
	STR(m_link, email, MAX_MAIL),
	STR(m_link, name, MAX_NAME), END
};
static const struct field guest[] = {
	N8(m_guest, password, 1), N8(m_guest, approval, 1), END
};
static const struct field knock[] = {
	N32(m_knock, tenant), N32(m_knock, user), N64(m_knock, until),
	STR(m_knock, name, MAX_NAME),
	BLOB(m_knock, floors, IDS(MAX_FLOORS)), END
};
static const struct field knock_end[] = {
	N32(m_knock_end, tenant), N32(m_knock_end, user),
	N8(m_knock_end, why, KNOCK_END_MAX - 1),
	STR(m_knock_end, by, MAX_NAME), END
};
static const struct field rights[] = { N32(m_rights, tenant), END };
static const struct field role[] = {
	N32(m_role, tenant), N8(m_role, role, UINT8_MAX),
	N8(m_role, can, RIGHT_ALL), END
};
static const struct field access_[] = {
	N64(m_access, grant), N32(m_access, tenant), N64(m_access, at),
	N8(m_access, kind, ACCESS_MAX - 1), N16(m_access, status),
	N64(m_access, bytes), N32(m_access, floor),
	STR(m_access, addr, MAX_ADDR), STR(m_access, text, MAX_URI), END
};
static const struct field grant_only[] = { N64(m_grant_only, grant), END };
static const struct field people[] = {
	N64(m_people, grant), BLOB(m_people, users, IDS(MAX_ASKED)), END
};
static const struct field me_set[] = {
	N64(m_me_set, grant), N32(m_me_set, mask),
	STR(m_me_set, name, MAX_NAME), STR(m_me_set, note, MAX_NOTE),
	N32(m_me_set, look), N8(m_me_set, lang, LANG_MAX - 1),
	N8(m_me_set, status, STATUS_MAX - 1), END
};
static const struct field signin[] = {
	N32(m_signin, id), N8(m_signin, own, 1), N64(m_signin, created),
	N64(m_signin, seen), N32(m_signin, live),
	STR(m_signin, addr, MAX_ADDR), STR(m_signin, agent, MAX_AGENT), END
};
static const struct field signin_end[] = {
	N64(m_signin_end, grant), N32(m_signin_end, id),
	N8(m_signin_end, others, 1), END
};
static const struct field floor_row[] = {
	N32(m_floor_row, floor), N32(m_floor_row, version),
	N8(m_floor_row, can, RIGHT_TALK), N8(m_floor_row, way, WAY_MAX - 1),
	STR(m_floor_row, name, MAX_NAME), END
};
static const struct field grant_id[] = {
	N64(m_grant_id, grant), N32(m_grant_id, id), END
};
static const struct field floor_doc[] = {
	N32(m_floor_doc, floor), N32(m_floor_doc, version),
	N8(m_floor_doc, placed, 1), N8(m_floor_doc, can, RIGHT_TALK),
	N8(m_floor_doc, way, WAY_MAX - 1), N16(m_floor_doc, x),
	N16(m_floor_doc, y),
	STR(m_floor_doc, name, MAX_NAME), BLOB(m_floor_doc, map, MAX_MAP), END
};
static const struct field talk_make[] = {
	N16(m_talk_make, inst), N32(m_talk_make, req), N32(m_talk_make, floor),
	N8(m_talk_make, can, RIGHT_TALK), N8(m_talk_make, way, WAY_MAX - 1),
	END
};
static const struct field talk[] = {
	N32(m_talk, floor), N8(m_talk, can, RIGHT_TALK),
	N8(m_talk, way, WAY_MAX - 1), N64(m_talk, until),
	STR(m_talk, user, MAX_TURN_USER), STR(m_talk, cred, MAX_TURN_USER), END
};
static const struct field place_set[] = {
	N64(m_place_set, grant), N32(m_place_set, floor),
	N16(m_place_set, x), N16(m_place_set, y), END
};
static const struct field say[] = {
	N64(m_say, grant), N8(m_say, kind, CHANNEL_MAX - 1), N32(m_say, a),
	N32(m_say, b), STR(m_say, ref, MAX_REF),
	STR(m_say, text, MAX_TEXT), END
};
static const struct field said[] = {
	N64(m_said, id), N64(m_said, at), N8(m_said, again, 1), END
};
static const struct field history[] = {
	N64(m_history, grant), N8(m_history, kind, CHANNEL_MAX - 1),
	N32(m_history, a), N32(m_history, b), N64(m_history, before),
	N32(m_history, limit), END
};
static const struct field message[] = {
	N64(m_message, id), N64(m_message, at), N32(m_message, from),
	N8(m_message, guest, 1),
	STR(m_message, name, MAX_NAME), STR(m_message, text, MAX_TEXT), END
};
static const struct field read_[] = {
	N64(m_read, grant), N8(m_read, kind, CHANNEL_MAX - 1),
	N32(m_read, a), N32(m_read, b), N64(m_read, id), END
};
static const struct field unread_row[] = {
	N8(m_unread_row, kind, CHANNEL_MAX - 1), N32(m_unread_row, a),
	N32(m_unread_row, b), N32(m_unread_row, count),
	N64(m_unread_row, last), END
};
static const struct field person[] = {
	N32(m_person, user), N32(m_person, look),
	STR(m_person, name, MAX_NAME), END
};
static const struct field guest_name[] = {
	N64(m_guest_name, grant), STR(m_guest_name, name, MAX_NAME), END
};
static const struct field door_key[] = {
	N64(m_door_key, grant), N32(m_door_key, floor),
	N8(m_door_key, room, UINT8_MAX), N8(m_door_key, state, DOOR_MAX - 1),
	END
};
static const struct field guest_admit[] = {
	N64(m_guest_admit, grant), N32(m_guest_admit, user),
	N8(m_guest_admit, in, 1), END
};
static const struct field guest_add[] = {
	N64(m_guest_add, grant), N64(m_guest_add, expires),
	N32(m_guest_add, uses), N8(m_guest_add, approval, 1),
	N64(m_guest_add, secret), STR(m_guest_add, note, MAX_NOTE),
	BLOB(m_guest_add, floors, IDS(MAX_FLOORS)), END
};
static const struct field guest_row[] = {
	N32(m_guest_row, guest), N32(m_guest_row, by),
	N64(m_guest_row, created), N64(m_guest_row, expires),
	N32(m_guest_row, uses), N32(m_guest_row, used),
	N8(m_guest_row, password, 1), N8(m_guest_row, approval, 1),
	STR(m_guest_row, note, MAX_NOTE), STR(m_guest_row, name, MAX_NAME),
	BLOB(m_guest_row, floors, IDS(MAX_FLOORS)), END
};
static const struct field visit_row[] = {
	N32(m_visit_row, visit), N32(m_visit_row, user),
	N32(m_visit_row, guest), N8(m_visit_row, state, VISIT_STATE_MAX - 1),
	N64(m_visit_row, began), STR(m_visit_row, name, MAX_NAME),
	STR(m_visit_row, addr, MAX_ADDR), END
};
static const struct field a_user[] = {
	N32(m_a_user, user), N8(m_a_user, role, UINT8_MAX),
	N8(m_a_user, state, USER_STATE_MAX - 1), N64(m_a_user, last),
	N64(m_a_user, created), N64(m_a_user, invite), N64(m_a_user, locked),
	N8(m_a_user, factors, FACTOR_ALL),
	STR(m_a_user, email, MAX_MAIL), STR(m_a_user, name, MAX_NAME),
	BLOB(m_a_user, groups, IDS(MAX_GROUPS)), END
};
static const struct field a_user_add[] = {
	N64(m_a_user_add, grant), N8(m_a_user_add, role, UINT8_MAX),
	STR(m_a_user_add, email, MAX_MAIL),
	STR(m_a_user_add, name, MAX_NAME), END
};
static const struct field a_user_set[] = {
	N64(m_a_user_set, grant), N32(m_a_user_set, user),
	N32(m_a_user_set, mask), N8(m_a_user_set, role, UINT8_MAX),
	N8(m_a_user_set, was, UINT8_MAX),
	N8(m_a_user_set, state, USER_STATE_MAX - 1),
	STR(m_a_user_set, name, MAX_NAME), END
};
static const struct field a_link[] = {
	FIX(m_a_link, token), N64(m_a_link, expires), END
};
static const struct field a_group[] = {
	N64(m_a_group, grant), N32(m_a_group, group), N32(m_a_group, mask),
	N64(m_a_group, version), STR(m_a_group, name, MAX_NAME),
	BLOB(m_a_group, members, IDS(MAX_MEMBERS)), END
};
static const struct field a_role[] = {
	N64(m_a_role, grant), N8(m_a_role, role, UINT8_MAX),
	N8(m_a_role, can, RIGHT_ALL), N32(m_a_role, mask),
	N32(m_a_role, users), N64(m_a_role, version),
	STR(m_a_role, name, MAX_NAME), END
};
static const struct field a_template[] = {
	STR(m_a_template, name, MAX_NAME), END
};
static const struct field a_floor[] = {
	N64(m_a_floor, grant), N32(m_a_floor, floor), N32(m_a_floor, mask),
	N64(m_a_floor, version), N8(m_a_floor, open, 1),
	N8(m_a_floor, can, RIGHT_TALK), N8(m_a_floor, way, WAY_MAX - 1),
	STR(m_a_floor, name, MAX_NAME),
	STR(m_a_floor, template, MAX_NAME),
	STR(m_a_floor, networks, NETWORKS_TEXT),
	BLOB(m_a_floor, users, IDS(MAX_MEMBERS)),
	BLOB(m_a_floor, groups, IDS(MAX_GROUPS)), END
};
static const struct field a_tenant[] = {
	N64(m_a_tenant, grant), STR(m_a_tenant, title, MAX_TITLE), END
};
static const struct field a_import[] = {
	N64(m_a_import, grant), N32(m_a_import, nr), END
};
static const struct field a_import_line[] = {
	N64(m_a_import_line, grant), N32(m_a_import_line, nr),
	N32(m_a_import_line, line), N32(m_a_import_line, mask),
	N8(m_a_import_line, why, CSV_WHY_MAX - 1),
	N8(m_a_import_line, place, CSV_PLACE_MAX - 1),
	STR(m_a_import_line, email, MAX_MAIL),
	STR(m_a_import_line, name, MAX_NAME),
	STR(m_a_import_line, role, MAX_NAME),
	STR(m_a_import_line, groups, CSV_LISTED),
	STR(m_a_import_line, state, MAX_NAME), END
};
static const struct field a_import_end[] = {
	N64(m_a_import_end, grant), N32(m_a_import_end, nr),
	N32(m_a_import_end, count), N8(m_a_import_end, dry, 1),
	FIX(m_a_import_end, was), END
};
static const struct field import_row[] = {
	N32(m_import_row, line), N32(m_import_row, user),
	N8(m_import_row, what, IMPORT_WHAT_MAX - 1),
	N8(m_import_row, why, CSV_WHY_MAX - 1),
	N8(m_import_row, place, CSV_PLACE_MAX - 1), N32(m_import_row, mask),
	N8(m_import_row, old_state, USER_STATE_MAX - 1),
	N8(m_import_row, state, USER_STATE_MAX - 1),
	STR(m_import_row, email, MAX_MAIL),
	STR(m_import_row, old_name, MAX_NAME),
	STR(m_import_row, name, MAX_NAME),
	STR(m_import_row, old_role, MAX_NAME),
	STR(m_import_row, role, MAX_NAME),
	STR(m_import_row, old_groups, CSV_LISTED),
	STR(m_import_row, groups, CSV_LISTED), N64(m_import_row, expires),
	FIX(m_import_row, token), END
};
static const struct field import_done[] = {
	FIX(m_import_done, digest), N8(m_import_done, good, 1), END
};
static const struct field a_policy[] = {
	N64(m_a_policy, grant), BLOB(m_a_policy, was, MAX_POLICY),
	BLOB(m_a_policy, policy, MAX_POLICY), END
};
static const struct field a_alert[] = {
	N64(m_a_alert, begun), N64(m_a_alert, last), N64(m_a_alert, tries),
	N8(m_a_alert, over, 1), N32(m_a_alert, accounts),
	STR(m_a_alert, addrs, MAX_LINE), END
};
static const struct field c_none[] = { N32(m_c_none, op), END };
static const struct field c_hello[] = { N32(m_c_hello, version), END };
static const struct field c_verbose[] = {
	N32(m_c_verbose, op), N32(m_c_verbose, verbose), END
};
static const struct field c_name[] = {
	N32(m_c_name, op), STR(m_c_name, name, MAX_LABEL), END
};
static const struct field c_backup[] = {
	N32(m_c_backup, op), STR(m_c_backup, stamp, STAMP_TEXT - 1),
	STR(m_c_backup, tenant, MAX_LABEL), END
};
static const struct field c_backup_row[] = {
	STR(m_c_backup_row, stamp, STAMP_TEXT - 1), N64(m_c_backup_row, at),
	N64(m_c_backup_row, took), N64(m_c_backup_row, bytes),
	N32(m_c_backup_row, tenants), N32(m_c_backup_row, files),
	N64(m_c_backup_row, verified), N64(m_c_backup_row, rehearsed),
	STR(m_c_backup_row, fault, MAX_LINE), END
};
static const struct field c_backup_part[] = {
	STR(m_c_backup_part, stamp, STAMP_TEXT - 1),
	STR(m_c_backup_part, tenant, MAX_LABEL),
	N8(m_c_backup_part, done, 1), STR(m_c_backup_part, note, MAX_LINE),
	END
};
static const struct field c_backup_step[] = {
	N64(m_c_backup_step, done), N64(m_c_backup_step, total), END
};
static const struct field c_tenant_end[] = {
	N32(m_c_tenant_end, op), STR(m_c_tenant_end, name, MAX_LABEL),
	N64(m_c_tenant_end, at), END
};
static const struct field c_key[] = {
	STR(m_c_key, tenant, MAX_LABEL),
	N8(m_c_key, state, KEY_STATE_MAX - 1), N8(m_c_key, previous, 1),
	N8(m_c_key, waits, 1), N8(m_c_key, percent, 100),
	N32(m_c_key, generation), N64(m_c_key, since), N64(m_c_key, done),
	N64(m_c_key, bad), END
};
static const struct field c_key_backup[] = {
	N32(m_c_key_backup, op), STR(m_c_key_backup, name, MAX_NAME), END
};
static const struct field c_key_copy[] = {
	N32(m_c_key_copy, backup), N64(m_c_key_copy, at),
	N32(m_c_key_copy, tenant), STR(m_c_key_copy, name, MAX_LABEL),
	BLOB(m_c_key_copy, key, MAX_KEYFILE), END
};
static const struct field c_cert[] = {
	N32(m_c_cert, op), N32(m_c_cert, tenant), END
};
static const struct field c_erased[] = {
	N32(m_c_erased, tenant), STR(m_c_erased, name, MAX_LABEL),
	N64(m_c_erased, at), N8(m_c_erased, is_signed, 1), END
};
static const struct field c_tenant_add[] = {
	N32(m_c_tenant_add, op), STR(m_c_tenant_add, name, MAX_LABEL),
	STR(m_c_tenant_add, title, MAX_TITLE),
	STR(m_c_tenant_add, contact, MAX_MAIL), END
};
static const struct field c_tenant_state[] = {
	N32(m_c_tenant_state, op), STR(m_c_tenant_state, name, MAX_LABEL),
	N8(m_c_tenant_state, state, TENANT_STATE_MAX - 1), END
};
static const struct field c_tenant_row[] = {
	N32(m_c_tenant_row, id),
	N8(m_c_tenant_row, state, TENANT_STATE_MAX - 1),
	N32(m_c_tenant_row, users), N32(m_c_tenant_row, floors),
	N32(m_c_tenant_row, sessions), N64(m_c_tenant_row, created),
	N64(m_c_tenant_row, bytes), N64(m_c_tenant_row, ends),
	STR(m_c_tenant_row, name, MAX_LABEL),
	STR(m_c_tenant_row, title, MAX_TITLE),
	STR(m_c_tenant_row, contact, MAX_MAIL), END
};
static const struct field c_user[] = {
	N32(m_c_user, op), STR(m_c_user, tenant, MAX_LABEL),
	STR(m_c_user, email, MAX_MAIL), N8(m_c_user, arg, UINT8_MAX),
	STR(m_c_user, name, MAX_NAME), STR(m_c_user, role, MAX_NAME), END
};
static const struct field c_import[] = {
	N32(m_c_import, op), STR(m_c_import, tenant, MAX_LABEL),
	N32(m_c_import, nr), END
};
static const struct field c_import_line[] = {
	N32(m_c_import_line, op), STR(m_c_import_line, tenant, MAX_LABEL),
	N32(m_c_import_line, nr), N32(m_c_import_line, line),
	N32(m_c_import_line, mask),
	N8(m_c_import_line, why, CSV_WHY_MAX - 1),
	N8(m_c_import_line, place, CSV_PLACE_MAX - 1),
	STR(m_c_import_line, email, MAX_MAIL),
	STR(m_c_import_line, name, MAX_NAME),
	STR(m_c_import_line, role, MAX_NAME),
	STR(m_c_import_line, groups, CSV_LISTED),
	STR(m_c_import_line, state, MAX_NAME), END
};
static const struct field c_import_end[] = {
	N32(m_c_import_end, op), STR(m_c_import_end, tenant, MAX_LABEL),
	N32(m_c_import_end, nr), N32(m_c_import_end, count),
	N8(m_c_import_end, dry, 1), END
};
static const struct field c_user_row[] = {
	N32(m_c_user_row, user),
	N8(m_c_user_row, state, USER_STATE_MAX - 1), N64(m_c_user_row, last),
	N64(m_c_user_row, created), N64(m_c_user_row, invite),
	N8(m_c_user_row, factors, FACTOR_ALL),
	N64(m_c_user_row, locked), STR(m_c_user_row, email, MAX_MAIL),
	STR(m_c_user_row, role, MAX_NAME), END
};
static const struct field c_link_token[] = {
	STR(m_c_link_token, tenant, MAX_LABEL),
	N8(m_c_link_token, guest, 1), FIX(m_c_link_token, token),
	N64(m_c_link_token, expires), END
};
static const struct field c_link[] = {
	STR(m_c_link, url, MAX_PATH), N64(m_c_link, expires), END
};
static const struct field c_floor_add[] = {
	N32(m_c_floor_add, op), STR(m_c_floor_add, tenant, MAX_LABEL),
	STR(m_c_floor_add, name, MAX_NAME),
	STR(m_c_floor_add, template, MAX_NAME),
	BLOB(m_c_floor_add, map, MAX_MAP), END
};
static const struct field c_floor[] = {
	N32(m_c_floor, op), STR(m_c_floor, tenant, MAX_LABEL),
	STR(m_c_floor, floor, MAX_NAME), STR(m_c_floor, user, MAX_MAIL),
	STR(m_c_floor, group, MAX_NAME), N8(m_c_floor, allow, 1), END
};
static const struct field c_floor_networks[] = {
	N32(m_c_floor_networks, op), STR(m_c_floor_networks, tenant, MAX_LABEL),
	STR(m_c_floor_networks, floor, MAX_NAME),
	STR(m_c_floor_networks, networks, NETWORKS_TEXT), END
};
static const struct field c_floor_talk[] = {
	N32(m_c_floor_talk, op), STR(m_c_floor_talk, tenant, MAX_LABEL),
	STR(m_c_floor_talk, floor, MAX_NAME),
	N8(m_c_floor_talk, mask, RIGHT_TALK),
	N8(m_c_floor_talk, can, RIGHT_TALK), N8(m_c_floor_talk, way, WAY_MAX),
	END
};
static const struct field c_floor_row[] = {
	N32(m_c_floor_row, floor), N8(m_c_floor_row, open, 1),
	N8(m_c_floor_row, can, RIGHT_TALK),
	N8(m_c_floor_row, way, WAY_MAX - 1),
	N32(m_c_floor_row, users), N32(m_c_floor_row, groups),
	N32(m_c_floor_row, bytes), STR(m_c_floor_row, name, MAX_NAME),
	STR(m_c_floor_row, who, UINT16_MAX),
	STR(m_c_floor_row, networks, NETWORKS_TEXT), END
};
static const struct field c_policy[] = {
	N32(m_c_policy, op), STR(m_c_policy, tenant, MAX_LABEL),
	N8(m_c_policy, key, UINT8_MAX), N32(m_c_policy, value),
	STR(m_c_policy, text, MAX_POLICY), END
};
static const struct field c_policy_row[] = {
	STR(m_c_policy_row, name, MAX_HOST), N8(m_c_policy_row, list, 1),
	N32(m_c_policy_row, value), N32(m_c_policy_row, min),
	N32(m_c_policy_row, max), STR(m_c_policy_row, text, MAX_POLICY), END
};
static const struct field c_role[] = {
	N32(m_c_role, op), STR(m_c_role, tenant, MAX_LABEL),
	STR(m_c_role, role, MAX_NAME), N8(m_c_role, right, RIGHT_ALL),
	STR(m_c_role, name, MAX_NAME), END
};
static const struct field c_role_row[] = {
	N32(m_c_role_row, role), N32(m_c_role_row, users),
	N8(m_c_role_row, can, RIGHT_ALL),
	STR(m_c_role_row, name, MAX_NAME), END
};
static const struct field c_guest_add[] = {
	N32(m_c_guest_add, op), STR(m_c_guest_add, tenant, MAX_LABEL),
	STR(m_c_guest_add, floor, MAX_NAME), N32(m_c_guest_add, uses),
	N32(m_c_guest_add, seconds), N8(m_c_guest_add, approval, 1),
	STR(m_c_guest_add, password, MAX_PASSWORD),
	BLOB(m_c_guest_add, sealed, MAX_SEALED), END
};
static const struct field c_guest_del[] = {
	N32(m_c_guest_del, op), STR(m_c_guest_del, tenant, MAX_LABEL),
	N32(m_c_guest_del, guest), END
};
static const struct field c_guest_row[] = {
	N32(m_c_guest_row, guest), N64(m_c_guest_row, created),
	N64(m_c_guest_row, expires), N32(m_c_guest_row, uses),
	N32(m_c_guest_row, used), N32(m_c_guest_row, inside),
	N32(m_c_guest_row, waiting), N8(m_c_guest_row, password, 1),
	N8(m_c_guest_row, approval, 1),
	STR(m_c_guest_row, floors, UINT16_MAX), END
};
static const struct field c_session_row[] = {
	N32(m_c_session_row, user), N64(m_c_session_row, created),
	N64(m_c_session_row, seen), N64(m_c_session_row, expires),
	N32(m_c_session_row, live), STR(m_c_session_row, email, MAX_MAIL),
	STR(m_c_session_row, addr, MAX_ADDR),
	STR(m_c_session_row, agent, MAX_AGENT), END
};
static const struct field c_operator[] = {
	N32(m_c_operator, op), N32(m_c_operator, uid),
	N8(m_c_operator, role, OP_MAX - 1), N64(m_c_operator, until),
	STR(m_c_operator, name, MAX_NAME), END
};
static const struct field c_operator_row[] = {
	N32(m_c_operator_row, uid), N32(m_c_operator_row, by),
	N8(m_c_operator_row, role, OP_MAX - 1),
	N8(m_c_operator_row, expired, 1), N64(m_c_operator_row, granted),
	N64(m_c_operator_row, until), STR(m_c_operator_row, name, MAX_NAME),
	STR(m_c_operator_row, byname, MAX_NAME), END
};
static const struct field c_proc_row[] = {
	N8(m_c_proc_row, proc, PROC_MAX - 1), N16(m_c_proc_row, inst),
	N32(m_c_proc_row, pid), N32(m_c_proc_row, restarts),
	N64(m_c_proc_row, started), N8(m_c_proc_row, up, 1), END
};
static const struct field c_attack_row[] = {
	STR(m_c_attack_row, tenant, MAX_LABEL), N64(m_c_attack_row, begun),
	N64(m_c_attack_row, last), N64(m_c_attack_row, tries),
	N8(m_c_attack_row, over, 1), N32(m_c_attack_row, accounts),
	STR(m_c_attack_row, addrs, MAX_LINE), END
};
static const struct field c_alert_clear[] = {
	N32(m_c_alert_clear, op), STR(m_c_alert_clear, name, MAX_LABEL), END
};
static const struct field c_alert_row[] = {
	STR(m_c_alert_row, name, MAX_LABEL),
	STR(m_c_alert_row, tenant, MAX_LABEL), N8(m_c_alert_row, critical, 1),
	N64(m_c_alert_row, first), N64(m_c_alert_row, last),
	N64(m_c_alert_row, count), STR(m_c_alert_row, text, MAX_LINE), END
};
static const struct field c_audit[] = {
	N32(m_c_audit, op), STR(m_c_audit, tenant, MAX_LABEL),
	N8(m_c_audit, all, 1), N32(m_c_audit, count),
	BLOB(m_c_audit, kept, MAX_KEPT * KEPT_LEN), END
};
static const struct field c_audit_row[] = {
	N64(m_c_audit_row, seq), N64(m_c_audit_row, at),
	N8(m_c_audit_row, open, 1), STR(m_c_audit_row, text, MAX_AUDIT), END
};
static const struct field c_audit_state[] = {
	STR(m_c_audit_state, tenant, MAX_LABEL),
	N64(m_c_audit_state, lines), N64(m_c_audit_state, bad),
	N8(m_c_audit_state, fault, AUDIT_FAULT_MAX - 1),
	N32(m_c_audit_state, compared), END
};
static const struct field c_point[] = { STR(m_c_point, line, MAX_LINE), END };
static const struct field c_log[] = {
	N32(m_c_log, op), STR(m_c_log, tenant, MAX_LABEL), N64(m_c_log, from),
	N64(m_c_log, to), N8(m_c_log, kind, ACCESS_MAX),
	STR(m_c_log, user, MAX_MAIL), STR(m_c_log, floor, MAX_NAME),
	STR(m_c_log, network, 64), N8(m_c_log, format, LOG_FORMAT_MAX - 1),
	STR(m_c_log, reason, MAX_REASON), END
};
static const struct field c_log_row[] = {
	N64(m_c_log_row, at), N64(m_c_log_row, bytes),
	N8(m_c_log_row, kind, ACCESS_MAX - 1), N8(m_c_log_row, guest, 1),
	N16(m_c_log_row, status), N32(m_c_log_row, user),
	N32(m_c_log_row, floor), STR(m_c_log_row, email, MAX_MAIL),
	STR(m_c_log_row, addr, MAX_ADDR), STR(m_c_log_row, text, MAX_URI), END
};
static const struct field c_log_text[] = {
	BLOB(m_c_log_text, text, MAX_MAP), END
};
static const struct field a_erase[] = {
	N64(m_a_erase, grant), N8(m_a_erase, what, ERASE_MAX - 1),
	N32(m_a_erase, id), N64(m_a_erase, from), N64(m_a_erase, to), END
};
static const struct field c_keep[] = {
	N32(m_c_keep, op), N8(m_c_keep, kind, KEEP_MAX - 1),
	N32(m_c_keep, days), END
};
static const struct field c_erase[] = {
	N32(m_c_erase, op), STR(m_c_erase, tenant, MAX_LABEL),
	N8(m_c_erase, what, ERASE_MAX - 1), STR(m_c_erase, email, MAX_MAIL),
	STR(m_c_erase, other, MAX_MAIL), STR(m_c_erase, floor, MAX_NAME),
	N64(m_c_erase, from), N64(m_c_erase, to), END
};
static const struct field c_hold[] = {
	N32(m_c_hold, op), STR(m_c_hold, tenant, MAX_LABEL),
	STR(m_c_hold, email, MAX_MAIL), STR(m_c_hold, reason, MAX_REASON), END
};
static const struct field c_hold_row[] = {
	STR(m_c_hold_row, tenant, MAX_LABEL),
	STR(m_c_hold_row, email, MAX_MAIL),
	STR(m_c_hold_row, reason, MAX_REASON), N32(m_c_hold_row, user),
	N32(m_c_hold_row, by), N64(m_c_hold_row, at), END
};
static const struct field c_kept[] = {
	STR(m_c_kept, tenant, MAX_LABEL), N8(m_c_kept, kind, KEEP_MAX - 1),
	N8(m_c_kept, hold, 1), N32(m_c_kept, days), N64(m_c_kept, count),
	N64(m_c_kept, due), N64(m_c_kept, oldest), N64(m_c_kept, newest), END
};
static const struct field c_export[] = {
	N32(m_c_export, op), STR(m_c_export, tenant, MAX_LABEL),
	STR(m_c_export, reason, MAX_REASON), END
};
static const struct field c_export_row[] = {
	N32(m_c_export_row, id), N64(m_c_export_row, at),
	N64(m_c_export_row, ended), N64(m_c_export_row, rows),
	N8(m_c_export_row, kind, EXPORT_KIND_MAX - 1),
	N8(m_c_export_row, state, EXPORT_STATE_MAX - 1),
	N32(m_c_export_row, by), N32(m_c_export_row, second),
	N8(m_c_export_row, confirmed, 1),
	STR(m_c_export_row, tenant, MAX_LABEL),
	STR(m_c_export_row, reason, MAX_REASON), END
};
static const struct field c_confirm[] = {
	N32(m_c_confirm, op), N32(m_c_confirm, number),
	N8(m_c_confirm, refuse, 1), END
};
static const struct field c_confirm_row[] = {
	N32(m_c_confirm_row, number), N32(m_c_confirm_row, by),
	N32(m_c_confirm_row, second), N8(m_c_confirm_row, confirmed, 1),
	N64(m_c_confirm_row, at), N64(m_c_confirm_row, until),
	STR(m_c_confirm_row, what, MAX_LINE), END
};
static const struct field c_storage_row[] = {
	STR(m_c_storage_row, tenant, MAX_LABEL),
	N8(m_c_storage_row, kind, STORE_MAX - 1), N32(m_c_storage_row, days),
	N64(m_c_storage_row, count), N64(m_c_storage_row, bytes),
	N64(m_c_storage_row, oldest), N64(m_c_storage_row, newest),
	N64(m_c_storage_row, purge),
	STR(m_c_storage_row, country, MAX_COUNTRY), END
};
static const struct field a_records[] = {
	N64(m_a_records, grant), N64(m_a_records, at), END
};
static const struct field a_log[] = {
	N64(m_a_log, grant), N64(m_a_log, from), N64(m_a_log, to),
	N8(m_a_log, kind, ACCESS_MAX), N32(m_a_log, user),
	N32(m_a_log, floor), STR(m_a_log, network, 64), END
};
static const struct field c_stat_row[] = {
	STR(m_c_stat_row, name, MAX_HOST), N64(m_c_stat_row, value), END
};
static const struct field bus_join[] = {
	N32(m_bus_join, tenant), N32(m_bus_join, floor), N32(m_bus_join, user),
	N16(m_bus_join, id), N16(m_bus_join, over),
	N8(m_bus_join, room, UINT8_MAX),
	N8(m_bus_join, status, STATUS_MAX - 1),
	N8(m_bus_join, heading, UINT8_MAX), N32(m_bus_join, look),
	N16(m_bus_join, x), N16(m_bus_join, y), N16(m_bus_join, tx),
	N16(m_bus_join, ty), N32(m_bus_join, time),
	N8(m_bus_join, door, DOOR_MAX - 1), N32(m_bus_join, by),
	N32(m_bus_join, seq), N8(m_bus_join, media, UINT8_MAX),
	N16(m_bus_join, bubble), N32(m_bus_join, since),
	STR(m_bus_join, name, MAX_NAME), STR(m_bus_join, note, MAX_NOTE), END
};
static const struct field bus_again[] = {
	N32(m_bus_again, tenant), N32(m_bus_again, user), END
};
static const struct field bus_all[] = {
	N8(m_bus_all, begins, 1), END
};
static const struct field bus_left[] = {
	N32(m_bus_left, tenant), N32(m_bus_left, floor), N32(m_bus_left, user),
	N16(m_bus_left, id), N32(m_bus_left, to), END
};
static const struct field bus_legs[] = {
	N32(m_bus_legs, tenant), N32(m_bus_legs, floor),
	BLOB(m_bus_legs, frame, UINT16_MAX), END
};
static const struct field bus_door[] = {
	N32(m_bus_door, tenant), N32(m_bus_door, floor), N32(m_bus_door, by),
	N32(m_bus_door, seq), N8(m_bus_door, room, UINT8_MAX),
	N8(m_bus_door, state, DOOR_MAX - 1), END
};
static const struct field bus_call[] = {
	N32(m_bus_call, tenant), N32(m_bus_call, from), N32(m_bus_call, to),
	N32(m_bus_call, n), N8(m_bus_call, kind, CALL_MAX - 1),
	N8(m_bus_call, room, UINT8_MAX), END
};
static const struct field bus_call_over[] = {
	N32(m_bus_call_over, n), END
};
static const struct field bus_answer[] = {
	N32(m_bus_answer, tenant), N32(m_bus_answer, n),
	N32(m_bus_answer, by), N8(m_bus_answer, yes, 1), END
};
static const struct field bus_pair[] = {
	N32(m_bus_pair, tenant), N32(m_bus_pair, floor), N16(m_bus_pair, a),
	N16(m_bus_pair, b), N8(m_bus_pair, state, PAIR_FULL), END
};
static const struct field bus_signal[] = {
	N32(m_bus_signal, tenant), N32(m_bus_signal, floor),
	N16(m_bus_signal, from), N16(m_bus_signal, to),
	STR(m_bus_signal, data, MAX_SIGNAL), END
};
static const struct field bus_word[] = {
	N32(m_bus_word, tenant), N32(m_bus_word, floor),
	N16(m_bus_word, from), N16(m_bus_word, to),
	N8(m_bus_word, on, 1), END
};
static const struct field bus_msg[] = {
	N32(m_bus_msg, tenant), N8(m_bus_msg, kind, CHANNEL_MAX - 1),
	N32(m_bus_msg, a), N32(m_bus_msg, b), N32(m_bus_msg, from),
	N64(m_bus_msg, id), N64(m_bus_msg, at), N8(m_bus_msg, guest, 1),
	STR(m_bus_msg, name, MAX_NAME), STR(m_bus_msg, text, MAX_TEXT), END
};
static const struct field bus_erased[] = {
	N32(m_bus_erased, tenant),
	N8(m_bus_erased, kind, CHANNEL_MAX - 1), N32(m_bus_erased, a),
	N32(m_bus_erased, b), N32(m_bus_erased, from),
	N64(m_bus_erased, id), END
};
static const struct field bus_cleared[] = {
	N32(m_bus_cleared, tenant), N8(m_bus_cleared, what, ERASE_MAX - 1),
	N32(m_bus_cleared, a), N32(m_bus_cleared, b),
	N64(m_bus_cleared, from), N64(m_bus_cleared, to),
	N64(m_bus_cleared, last), END
};
static const struct field bus_grant[] = {
	N16(m_bus_grant, inst), N32(m_bus_grant, tenant),
	N32(m_bus_grant, user), N8(m_bus_grant, on, 1),
	N8(m_bus_grant, role, UINT8_MAX), END
};

/* Sets of processes. */
#define P	(1U << PROC_PARENT)
#define D	(1U << PROC_STORAGE)
#define K	(1U << PROC_KEYS)
#define H	(1U << PROC_HASH)
#define A	(1U << PROC_AUTH)
#define S	(1U << PROC_SESSION)
#define C	(1U << PROC_CONTROL)
#define CHILDREN (D | K | H | A | S)

static const struct row {
	const char		*r_name;
	const struct field	*r_fields;
	int			 r_fd;
	enum op_role		 r_role;	/* that a command takes */
	struct {
		unsigned int	 from, to;
	}			 r_ways[4];
} rows[IMSG_MAX] = {
#define ROW(t, from, to, f)						\
	[IMSG_##t] = { #t, f, 0, OP_NONE, { { from, to } } }
#define ROWFD(t, from, to, f)						\
	[IMSG_##t] = { #t, f, 1, OP_NONE, { { from, to } } }
/* A command of risactl, passed on by auth to whom it concerns: for all
 * operators, for those who may change something, for owners alone. */
#define TAKES(role, t, to, f)						\
	[IMSG_##t] = { #t, f, 0, role, { { C, A }, { A, to } } }
#define LOOK(t, to, f)		TAKES(OP_AUDITOR, t, to, f)
#define COMMAND(t, to, f)	TAKES(OP_OPERATOR, t, to, f)
#define OWNER(t, to, f)		TAKES(OP_OWNER, t, to, f)
/* A row of the answer on its way back. */
#define ANSWER(t, from, f)						\
	[IMSG_##t] = { #t, f, 0, OP_NONE, { { from, A }, { A, C } } }
	ROW(BOOT, P, CHILDREN, boot),
	ROWFD(PROCFD, P, CHILDREN, procfd),
	ROW(READY, CHILDREN, P, none),
	ROW(BADPEER, CHILDREN, P, procfd),
	ROW(BROKEN, P, D, procfd),
	ROW(DIED, P, D, died),
	ROW(VERBOSE, P, CHILDREN, verbose),
	ROW(SHUTDOWN, P, CHILDREN, none),
	ROW(CONF_SITE, P, CHILDREN, site),
	ROWFD(CONF_FILE, P, CHILDREN, conf_file),
	ROW(CONF_END, P, CHILDREN, conf_end),
	ROW(CONF_ACK, CHILDREN, P, conf_ack),
	ROW(CONF_COMMIT, P, CHILDREN, conf_end),
	ROW(CONF_LIVE, CHILDREN, P, conf_end),

	[IMSG_RESULT] = { "RESULT", result, 0, OP_NONE, { { P, A },
	    { D, A | S }, { A, S | C }, { S, A } } },

	ROW(SIGN, S, K, sign),
	ROW(SIGNED, K, S, signed_),
	ROW(TICKET, S, K, none),
	ROW(TICKET_KEY, K, S, ticket_key),
	ROW(PROVE, D, K, prove),
	ROW(PROVEN, K, D, proven),
	ROW(PROOF_KEY, K, D, proof_key),
	ROW(CERT, K, D, cert),
	ROW(HASH_MAKE, A, H, hash_make),
	ROW(HASH_MADE, H, A, hash_made),
	ROW(HASH_CHECK, A, H, hash_check),
	ROW(HASH_CHECKED, H, A, hash_checked),
	ROW(HASH_TOTP, A, H, hash_user),
	ROW(HASH_TOTP_MADE, H, A, hash_totp_made),
	ROW(HASH_OTP, A, H, hash_otp),
	ROW(HASH_OTP_CHECKED, H, A, hash_otp_checked),
	ROW(HASH_CODES, A, H, hash_user),
	ROW(HASH_CODES_MADE, H, A, hash_codes_made),
	ROW(HASH_SCORE, A, H, hash_score),
	ROW(HASH_SCORED, H, A, hash_scored),
	ROW(DEVICE_KEY, H, A, device_key),
	ROW(HASH_REGISTER, A, H, hash_register),
	ROW(HASH_REGISTERED, H, A, hash_registered),
	ROW(HASH_ASSERT, A, H, hash_assert),
	ROW(HASH_ASSERTED, H, A, hash_asserted),

	ROW(LOGIN, S, A, login),
	ROW(LOGIN_OK, A, S, login_ok),
	ROW(TOKEN, S, A, token),
	ROW(LINK_GET, S, A, token),
	ROW(LINK_USE, S, A, link_use),
	ROW(PASSWORD, S, A, password),
	ROW(FACTOR, S, A, factor),
	ROW(FACTOR_SEED, A, S, factor_seed),
	ROW(FACTOR_SHOW, A, S, factor_show),
	ROW(PASSWORD_CHECK, S, A, password_check),
	ROW(PASSWORD_CHECKED, A, S, password_checked),
	ROW(PASSKEY_ASK, S, A, passkey_ask),
	ROW(CHALLENGE, A, S, challenge),
	ROW(PASSKEY_ADD, S, A, passkey_add),
	ROW(PASSKEY_DEL, S, A, passkey_del),
	ROW(PASSKEY_LOGIN, S, A, passkey_login),
	ROW(GUEST_GET, S, A, token),
	ROW(GUEST_USE, S, A, link_use),
	ROW(GUEST_SECRET, S, A, guest_secret),

	ROW(CRED_FIND, A, D, cred_find),
	ROW(CRED_TOKEN, A, D, sha),
	ROW(CRED_LINK, A, D, sha),
	ROW(CRED, D, A, cred),
	ROW(CRED_SET, A, D, cred_set),
	ROW(FACTOR_PUT, A, D, factor_put),
	ROW(TOKEN_NEW, A, D, token_new),
	ROW(TOKEN_FIND, A, D, sha),
	ROW(TOKEN_ROW, D, A, token_row),
	ROW(GRANT_NEW, A, D, grant_new),
	ROW(LINK_FIND, A, D, link_find),
	ROW(LINK_SET, A, D, link_set),
	ROW(LINK_DONE, D, A, link_done),
	ROW(NOTE, A, D, note),
	ROW(READ_ON, A, D, read_on),

	ROW(OPERATOR, D, A, operator),
	ROW(OPERATORS, D, A, none),
	ROW(LOCK, A, D, lock),
	ROW(LOCKS, A, D, locks),
	ROW(LOCK_ROW, D, A, lock_row),
	ROW(UNLOCK, D, A, unlock),
	ROW(ALERT, A, D, alert),
	ROW(PASSKEY_START, A, D, sha),
	ROW(PASSKEY_OWNER, D, A, passkey_owner),
	ROW(PASSKEY_FIND, A, D, passkey_find),
	ROW(PASSKEY_ROW, D, A, passkey_row),
	ROW(PASSKEY_PUT, A, D, passkey_put),
	ROW(PASSKEY_DROP, A, D, passkey_drop),
	ROW(GUEST_FIND, A, D, link_find),
	ROW(GUEST_CRED, A, D, sha),
	ROW(GUEST_NEED, D, A, guest_need),
	ROW(GUEST_NEW, A, D, guest_new),
	ROW(GUEST_SEAL, A, D, guest_seal),

	ROW(TENANT, D, A | S, tenant),
	ROW(TENANT_END, D, S, none),
	ROW(GRANT, D, S, grant),
	ROW(GRANT_END, D, S, grant_end),
	ROW(GRANT_MUST, D, S, grant_must),
	ROW(LINK, D, S, link_),
	ROW(RIGHTS, D, S, rights),
	ROW(ROLE, D, S, role),
	ROW(FENCE, D, S, fence),
	ROW(PROFILE, D, S, user),
	ROW(GUEST, D, S, guest),
	ROW(KNOCK, D, S, knock),
	ROW(KNOCK_END, D, S, knock_end),

	ROW(FENCED, S, D, fence),
	ROW(GRANT_DROP, S, D, grant_only),
	ROW(ACCESS, S, D, access_),
	ROW(SIGNOUT, S, D, grant_only),
	ROW(SIGNINS, S, D, grant_only),
	ROW(SIGNIN, D, S, signin),
	ROW(SIGNIN_END, S, D, signin_end),
	ROW(FACTOR_GET, S, D, grant_only),
	ROW(FACTOR_ROW, D, S, factor_row),
	ROW(ME_SET, S, D, me_set),
	ROW(USER, D, S, user),
	ROW(FLOORS, S, D, grant_only),
	ROW(FLOOR_ROW, D, S, floor_row),
	ROW(FLOOR_GET, S, D, grant_id),
	ROW(FLOOR_DOC, D, S, floor_doc),
	ROW(TALK_GET, S, D, grant_id),
	ROW(TALK_MAKE, D, A, talk_make),
	ROW(TALK, A, S, talk),
	ROW(PLACE_SET, S, D, place_set),
	ROW(SAY, S, D, say),
	ROW(SAID, D, S, said),
	ROW(HISTORY, S, D, history),
	ROW(MESSAGE, D, S, message),
	ROW(READ, S, D, read_),
	ROW(ERASE, S, D, read_),
	ROW(UNREAD, S, D, grant_only),
	ROW(UNREAD_ROW, D, S, unread_row),
	ROW(PEOPLE, S, D, people),
	ROW(PERSON, D, S, person),
	ROW(PASSKEYS, S, D, grant_only),
	ROW(PASSKEY, D, S, passkey),
	ROW(PASSKEY_NAME, S, D, passkey_name),
	ROW(GUEST_NAME, S, D, guest_name),
	ROW(GUEST_ADMIT, S, D, guest_admit),
	ROW(DOOR_KEY, S, D, door_key),

	ROW(GUESTS, S, D, grant_only),
	ROW(GUEST_ROW, D, S, guest_row),
	ROW(VISIT_ROW, D, S, visit_row),
	ROW(GUEST_ADD, S, D, guest_add),
	ROW(GUEST_DEL, S, D, grant_id),
	ROW(VISIT_DEL, S, D, grant_id),

	ROW(A_USERS, S, D, grant_only),
	ROW(A_USER, D, S, a_user),
	ROW(A_USER_ADD, S, D, a_user_add),
	ROW(A_USER_SET, S, D, a_user_set),
	ROW(A_USER_DEL, S, D, grant_id),
	ROW(A_ERASE, S, D, a_erase),
	ROW(A_USER_LINK, S, D, grant_id),
	ROW(A_LINK, D, S, a_link),
	ROW(A_SIGNINS, S, D, grant_id),
	ROW(A_SIGNINS_END, S, D, grant_id),
	ROW(A_FACTOR_DEL, S, D, grant_id),
	ROW(A_GROUPS, S, D, grant_only),
	ROW(A_GROUP, D, S, a_group),
	ROW(A_GROUP_ADD, S, D, a_group),
	ROW(A_GROUP_SET, S, D, a_group),
	ROW(A_GROUP_DEL, S, D, grant_id),
	ROW(A_TEMPLATES, S, D, grant_only),
	ROW(A_TEMPLATE, D, S, a_template),
	ROW(A_FLOORS, S, D, grant_only),
	ROW(A_FLOOR, D, S, a_floor),
	ROW(A_FLOOR_ADD, S, D, a_floor),
	ROW(A_FLOOR_SET, S, D, a_floor),
	ROW(A_FLOOR_DEL, S, D, grant_id),
	ROW(A_ROLES, S, D, grant_only),
	ROW(A_ROLE, D, S, a_role),
	ROW(A_ROLE_ADD, S, D, a_role),
	ROW(A_ROLE_SET, S, D, a_role),
	ROW(A_ROLE_DEL, S, D, a_role),
	ROW(A_TENANT_SET, S, D, a_tenant),
	ROW(A_POLICY_SET, S, D, a_policy),
	ROW(A_IMPORT_BEGIN, S, D, a_import),
	ROW(A_IMPORT_LINE, S, D, a_import_line),
	ROW(A_IMPORT_END, S, D, a_import_end),
	ROW(A_IMPORT_ROW, D, S, import_row),
	ROW(A_IMPORT_DONE, D, S, import_done),
	ROW(A_ALERTS, S, D, grant_only),
	ROW(A_ALERT, D, S, a_alert),
	ROW(A_AUDIT, S, D, a_records),
	ROW(A_AUDIT_ROW, D, S, c_audit_row),
	ROW(A_POINTS, S, D, a_records),
	ROW(A_POINT, D, S, c_point),
	ROW(A_LOG, S, D, a_log),
	ROW(A_LOG_ROW, D, S, c_log_row),
	ROW(A_EXPORTS, S, D, grant_only),
	ROW(A_EXPORT, D, S, c_export_row),

	ROW(C_HELLO, C, A, c_hello),
	COMMAND(C_TENANT_ADD, D, c_tenant_add),
	LOOK(C_TENANT_LIST, D, c_none),
	LOOK(C_TENANT_SHOW, D, c_name),
	COMMAND(C_TENANT_STATE, D, c_tenant_state),
	ANSWER(C_TENANT_ROW, D, c_tenant_row),
	OWNER(C_TENANT_END, D, c_tenant_end),
	OWNER(C_TENANT_ERASE, D, c_name),
	LOOK(C_TENANT_ERASED, D, c_none),
	ANSWER(C_ERASED_ROW, D, c_erased),
	LOOK(C_TENANT_CERT, D, c_cert),
	COMMAND(C_USER_ADD, D, c_user),
	LOOK(C_USER_LIST, D, c_name),
	LOOK(C_USER_SHOW, D, c_user),
	COMMAND(C_USER_STATE, D, c_user),
	COMMAND(C_USER_LINK, D, c_user),
	COMMAND(C_USER_FACTOR, D, c_user),
	COMMAND(C_USER_DEL, D, c_user),
	COMMAND(C_USER_ROLE, D, c_user),
	ANSWER(C_USER_ROW, D, c_user_row),
	COMMAND(C_IMPORT_BEGIN, D, c_import),
	COMMAND(C_IMPORT_LINE, D, c_import_line),
	COMMAND(C_IMPORT_END, D, c_import_end),
	ANSWER(C_IMPORT_ROW, D, import_row),
	ANSWER(C_IMPORT_DONE, D, import_done),
	ROW(C_LINK_TOKEN, D, A, c_link_token),
	ROW(C_LINK, A, C, c_link),
	COMMAND(C_FLOOR_ADD, D, c_floor_add),
	LOOK(C_FLOOR_LIST, D, c_name),
	LOOK(C_FLOOR_SHOW, D, c_floor),
	COMMAND(C_FLOOR_ALLOW, D, c_floor),
	COMMAND(C_FLOOR_NETWORKS, D, c_floor_networks),
	COMMAND(C_FLOOR_TALK, D, c_floor_talk),
	COMMAND(C_FLOOR_DEL, D, c_floor),
	ANSWER(C_FLOOR_ROW, D, c_floor_row),
	COMMAND(C_GUEST_ADD, D, c_guest_add),
	LOOK(C_GUEST_LIST, D, c_name),
	COMMAND(C_GUEST_DEL, D, c_guest_del),
	ANSWER(C_GUEST_ROW, D, c_guest_row),
	LOOK(C_POLICY_SHOW, D, c_name),
	COMMAND(C_POLICY_SET, D, c_policy),
	ANSWER(C_POLICY_ROW, D, c_policy_row),
	LOOK(C_ROLE_LIST, D, c_name),
	COMMAND(C_ROLE_ADD, D, c_role),
	COMMAND(C_ROLE_ALLOW, D, c_role),
	COMMAND(C_ROLE_DENY, D, c_role),
	COMMAND(C_ROLE_NAME, D, c_role),
	COMMAND(C_ROLE_DEL, D, c_role),
	ANSWER(C_ROLE_ROW, D, c_role_row),
	LOOK(C_SESSION_LIST, D, c_name),
	COMMAND(C_SESSION_END, D, c_user),
	ANSWER(C_SESSION_ROW, D, c_session_row),
	OWNER(C_OPERATOR_ADD, D, c_operator),
	LOOK(C_OPERATOR_LIST, D, c_none),
	OWNER(C_OPERATOR_DEL, D, c_operator),
	ANSWER(C_OPERATOR_ROW, D, c_operator_row),
	LOOK(C_ATTACKS, D, c_none),
	ANSWER(C_ATTACK_ROW, D, c_attack_row),
	LOOK(C_ALERTS, D, c_name),
	ANSWER(C_ALERT_ROW, D, c_alert_row),
	COMMAND(C_ALERT_CLEAR, D, c_alert_clear),
	LOOK(C_AUDIT_SHOW, D, c_audit),
	ANSWER(C_AUDIT_ROW, D, c_audit_row),
	LOOK(C_AUDIT_VERIFY, D, c_audit),
	ANSWER(C_AUDIT_STATE, D, c_audit_state),
	LOOK(C_AUDIT_POINTS, D, c_audit),
	ANSWER(C_POINT, D, c_point),
	LOOK(C_LOG_SHOW, D, c_log),
	ANSWER(C_LOG_ROW, D, c_log_row),
	ANSWER(C_LOG_TEXT, D, c_log_text),
	LOOK(C_PURGE_SHOW, D, c_name),
	COMMAND(C_PURGE_RUN, D, c_name),
	ANSWER(C_KEPT, D, c_kept),
	OWNER(C_KEY_ROTATE, D, c_name),
	LOOK(C_KEY_SHOW, D, c_none),
	ANSWER(C_KEY_ROW, D, c_key),
	OWNER(C_KEY_BACKUP, D, c_key_backup),
	ANSWER(C_KEY_COPY, D, c_key_copy),
	COMMAND(C_BACKUP_NOW, D, c_none),
	LOOK(C_BACKUP_LIST, D, c_none),
	LOOK(C_BACKUP_VERIFY, D, c_backup),
	OWNER(C_BACKUP_RESTORE, D, c_backup),
	COMMAND(C_BACKUP_REHEARSE, D, c_none),
	ANSWER(C_BACKUP_ROW, D, c_backup_row),
	ANSWER(C_BACKUP_PART, D, c_backup_part),
	ANSWER(C_BACKUP_STEP, D, c_backup_step),
	OWNER(C_TENANT_EXPORT, D, c_export),
	LOOK(C_EXPORTS, D, c_name),
	ANSWER(C_EXPORT_ROW, D, c_export_row),
	COMMAND(C_CONFIRM, D, c_confirm),
	LOOK(C_CONFIRMS, D, c_none),
	ANSWER(C_CONFIRM_ROW, D, c_confirm_row),
	LOOK(C_STORAGE, D, c_name),
	ANSWER(C_STORAGE_ROW, D, c_storage_row),
	OWNER(C_KEEP, D, c_keep),
	COMMAND(C_ERASE, D, c_erase),
	COMMAND(C_HOLD_SET, D, c_hold),
	COMMAND(C_HOLD_CLEAR, D, c_hold),
	LOOK(C_HOLD_SHOW, D, c_name),
	ANSWER(C_HOLD_ROW, D, c_hold_row),
	LOOK(C_PROOF_KEY, D, c_none),
	ANSWER(C_PROOF_ROW, D, proof_key),
	LOOK(C_STATUS, P | D | S, c_none),
	LOOK(C_PROCESSES, P, c_none),
	ANSWER(C_PROC_ROW, P, c_proc_row),
	LOOK(C_STATS, P | D | S, c_none),
	ANSWER(C_STAT_ROW, P | D | S, c_stat_row),
	OWNER(C_RELOAD, P, c_none),
	OWNER(C_VERBOSE, P, c_verbose),

	ROW(BUS_JOIN, S, S, bus_join),
	ROW(BUS_AGAIN, S, S, bus_again),
	ROW(BUS_ALL, S, S, bus_all),
	ROW(BUS_LEFT, S, S, bus_left),
	ROW(BUS_LEGS, S, S, bus_legs),
	ROW(BUS_DOOR, S, S, bus_door),
	ROW(BUS_CALL, S, S, bus_call),
	ROW(BUS_CALL_OVER, S, S, bus_call_over),
	ROW(BUS_ANSWER, S, S, bus_answer),
	ROW(BUS_PAIR, S, S, bus_pair),
	ROW(BUS_SIGNAL, S, S, bus_signal),
	ROW(BUS_WORD, S, S, bus_word),
	ROW(BUS_MSG, D, S, bus_msg),
	ROW(BUS_ERASED, D, S, bus_erased),
	ROW(BUS_CLEARED, D, S, bus_cleared),
	ROW(BUS_GRANT, D, S, bus_grant),
};

static const struct row *
row_of(uint32_t type)
{
	if (type >= IMSG_MAX || rows[type].r_name == NULL)
		return (NULL);
	return (&rows[type]);
}

const char *
msg_name(uint32_t type)
{
	const struct row	*r = row_of(type);

	return (r == NULL ? "?" : r->r_name);
}

const char *
proc_title(enum proc_type proc)
{
	static const char	*titles[PROC_MAX] = {
		"parent", "storage", "keys", "hash", "auth", "session",
		"risactl"
	};

	return (proc < PROC_MAX ? titles[proc] : "?");
}

int
msg_allowed(uint32_t type, enum proc_type from, enum proc_type to)
{
	const struct row	*r = row_of(type);
	size_t			 i;

	if (r == NULL || from >= PROC_MAX || to >= PROC_MAX)
		return (0);
	for (i = 0; i < sizeof(r->r_ways) / sizeof(r->r_ways[0]); i++)
		if ((r->r_ways[i].from & 1U << from) != 0 &&
		    (r->r_ways[i].to & 1U << to) != 0)
			return (1);
	return (0);
}

int
msg_has_fd(uint32_t type)
{
	const struct row	*r = row_of(type);

	return (r != NULL && r->r_fd);
}

const char *
op_role_word(enum op_role who)
{
	static const char *const	 words[OP_MAX] = {
		"none", "auditor", "operator", "owner"
	};

	return ((unsigned int)who < OP_MAX ? words[who] : "?");
}

enum op_role
msg_role(uint32_t type)
{
	const struct row	*r = row_of(type);

	return (r == NULL ? OP_NONE : r->r_role);
}

size_t
msg_max(uint32_t type)
{
	const struct row	*r = row_of(type);
	const struct field	*f;
	size_t			 len = 0;

	if (r == NULL)
		return (0);
	for (f = r->r_fields; f->f_kind != M_END; f++) {
		switch (f->f_kind) {
		case M_N8:	len += 1; break;
		case M_N16:	len += 2; break;
		case M_N32:	len += 4; break;
		case M_N64:	len += 8; break;
		case M_STR:	len += 2 + f->f_max + 1; break;
		case M_BLOB:	len += 4 + f->f_max; break;
		case M_FIX:	len += f->f_max; break;
		case M_END:	break;
		}
	}
	return (len);
}

static int
put_str(struct ibuf *buf, const char *s, size_t max)
{
	size_t	 len;

	if (s == NULL)
		s = "";
	if ((len = strlen(s)) > max || !utf8_valid(s, len))
		return (-1);
	if (ibuf_add_n16(buf, len) == -1)
		return (-1);
	return (ibuf_add(buf, s, len + 1));
}

static int
put_blob(struct ibuf *buf, const struct m_blob *mb, size_t max)
{
	if (mb->mb_len > max)
		return (-1);
	if (ibuf_add_n32(buf, mb->mb_len) == -1)
		return (-1);
	if (mb->mb_len == 0)
		return (0);
	return (ibuf_add(buf, mb->mb_data, mb->mb_len));
}

static int
put_field(struct ibuf *buf, const struct field *f, const char *m)
{
	const void	*p = m + f->f_off;

	switch (f->f_kind) {
	case M_N8:
		if (*(const uint8_t *)p > f->f_max)
			return (-1);
		return (ibuf_add_n8(buf, *(const uint8_t *)p));
	case M_N16:
		return (ibuf_add_n16(buf, *(const uint16_t *)p));
	case M_N32:
		return (ibuf_add_n32(buf, *(const uint32_t *)p));
	case M_N64:
		return (ibuf_add_n64(buf, *(const uint64_t *)p));
	case M_STR:
		return (put_str(buf, *(const char *const *)p, f->f_max));
	case M_BLOB:
		return (put_blob(buf, p, f->f_max));
	case M_FIX:
		return (ibuf_add(buf, p, f->f_max));
	case M_END:
		break;
	}
	return (-1);
}

/* Bytes of one member as it will travel, so that one allocation suffices. */
static size_t
field_size(const struct field *f, const char *m)
{
	const char	*s;

	switch (f->f_kind) {
	case M_STR:
		s = *(const char *const *)(const void *)(m + f->f_off);
		return (3 + (s == NULL ? 0 : strlen(s)));
	case M_BLOB:
		return (4 + ((const struct m_blob *)
		    (const void *)(m + f->f_off))->mb_len);
	case M_FIX:
		return (f->f_max);
	default:
		return (8);
	}
}

size_t
msg_size(enum imsg_type type, const void *m)
{
	const struct row	*r = row_of(type);
	const struct field	*f;
	size_t			 len = 0;

	for (f = r == NULL ? none : r->r_fields; f->f_kind != M_END; f++)
		len += field_size(f, m);
	return (len);
}

int
msg_compose(struct imsgbuf *ib, enum imsg_type type, uint32_t id, int fd,
    const void *m)
{
	const struct row	*r = row_of(type);
	const struct field	*f;
	struct ibuf		*buf;

	if (r == NULL || (fd != -1) != r->r_fd) {
		errno = EINVAL;
		return (-1);
	}
	if ((buf = imsg_create(ib, type, id, 0, msg_size(type, m))) == NULL)
		return (-1);
	for (f = r->r_fields; f->f_kind != M_END; f++) {
		if (put_field(buf, f, m) == -1) {
			ibuf_free(buf);
			errno = EINVAL;
			return (-1);
		}
	}
	if (fd != -1)
		ibuf_fd_set(buf, fd);
	imsg_close(ib, buf);
	return (0);
}

static int
get_str(struct ibuf *buf, const char **s, size_t max)
{
	const char	*p;
	uint16_t	 len;

	if (ibuf_get_n16(buf, &len) == -1 || len > max ||
	    ibuf_size(buf) < (size_t)len + 1)
		return (-1);
	p = ibuf_data(buf);
	if (p[len] != '\0' || memchr(p, '\0', len) != NULL ||
	    !utf8_valid(p, len))
		return (-1);
	*s = p;
	return (ibuf_skip(buf, (size_t)len + 1));
}

static int
get_blob(struct ibuf *buf, struct m_blob *mb, size_t max)
{
	uint32_t	 len;

	if (ibuf_get_n32(buf, &len) == -1 || len > max ||
	    ibuf_size(buf) < len)
		return (-1);
	mb->mb_data = ibuf_data(buf);
	mb->mb_len = len;
	return (ibuf_skip(buf, len));
}

static int
get_field(struct ibuf *buf, const struct field *f, char *m)
{
	void	*p = m + f->f_off;

	switch (f->f_kind) {
	case M_N8:
		if (ibuf_get_n8(buf, p) == -1)
			return (-1);
		return (*(uint8_t *)p <= f->f_max ? 0 : -1);
	case M_N16:
		return (ibuf_get_n16(buf, p));
	case M_N32:
		return (ibuf_get_n32(buf, p));
	case M_N64:
		return (ibuf_get_n64(buf, p));
	case M_STR:
		return (get_str(buf, p, f->f_max));
	case M_BLOB:
		return (get_blob(buf, p, f->f_max));
	case M_FIX:
		return (ibuf_get(buf, p, f->f_max));
	case M_END:
		break;
	}
	return (-1);
}

int
msg_decode(struct imsg *imsg, union msg_any *m)
{
	const struct row	*r = row_of(imsg_get_type(imsg));
	const struct field	*f;
	struct ibuf		 buf;

	memset(m, 0, sizeof(*m));
	if (r == NULL)
		return (-1);
	if (r->r_fields->f_kind == M_END)
		return (imsg_get_len(imsg) == 0 ? 0 : -1);
	if (imsg_get_ibuf(imsg, &buf) == -1)
		return (-1);
	for (f = r->r_fields; f->f_kind != M_END; f++)
		if (get_field(&buf, f, (char *)m->bytes) == -1)
			return (-1);
	return (ibuf_size(&buf) == 0 ? 0 : -1);
}

struct ibuf *
msg_encode(enum imsg_type type, const void *m)
{
	const struct row	*r = row_of(type);
	const struct field	*f;
	struct ibuf		*buf;

	if (r == NULL || (buf = ibuf_dynamic(64, MAX_PAYLOAD)) == NULL)
		return (NULL);
	for (f = r->r_fields; f->f_kind != M_END; f++) {
		if (put_field(buf, f, m) == -1) {
			ibuf_free(buf);
			return (NULL);
		}
	}
	return (buf);
}

void
msg_set_operator(union msg_any *m, uint32_t uid)
{
	memcpy(m->bytes, &uid, sizeof(uid));
}
