# Which files each test links.  Sourced by run.sh.
policy="risad/policy.c risad/network.c risad/way.c"
unit both test_turn -- risad/turn.c risad/util.c risad/utf8.c
unit both test_way -- risad/way.c
unit both test_util -- risad/util.c risad/utf8.c
unit both test_manifest -- risad/manifest.c risad/util.c risad/utf8.c
unit both test_csv -- risad/csv.c risad/utf8.c
unit both test_utf8 -- risad/utf8.c
unit both test_msg -- risad/msg.c risad/utf8.c $imsg
unit both test_imsg -- $imsg
unit both test_ibuf -- $imsg
unit both test_http -- risad/http.c risad/http_reply.c risad/utf8.c
unit both test_websocket -- risad/websocket.c risad/utf8.c
unit both test_map $maps -- risad/map.c
unit both test_earshot -- risad/earshot.c risad/map.c risad/walk.c
unit both test_walk $maps -- risad/map.c risad/walk.c
unit both test_room -- risad/room.c risad/map.c risad/walk.c risad/util.c \
    risad/utf8.c
unit both test_office -- risad/bus.c risad/office.c risad/person.c \
    risad/floor.c risad/room.c risad/knock.c risad/tick.c risad/call.c \
    risad/talk.c risad/talk_lead.c risad/talk_bubble.c risad/earshot.c \
    risad/map.c risad/walk.c risad/json.c risad/role.c $policy \
    risad/websocket.c risad/util.c risad/utf8.c risad/log.c \
    risad/compat/imsg-buffer.c
unit plain test_pledge -- risad/compat/pledge.c risad/compat/unveil.c
unit both test_unveil -- risad/compat/pledge.c risad/compat/unveil.c
unit both test_json -- risad/json.c risad/role.c risad/utf8.c
unit both test_policy -- $policy risad/util.c risad/utf8.c
unit both test_network -- risad/network.c
unit both test_proof -- risad/proof.c risad/util.c risad/utf8.c
unit both test_proxy -- risad/proxy.c risad/network.c
unit both test_parser -- risactl/parser.c risactl/zone.c $policy \
    risad/util.c \
    risad/utf8.c

proc="$imsg risad/proc.c risad/msg.c risad/log.c risad/util.c risad/utf8.c
    risad/limit.c risad/compat/pledge.c risad/compat/unveil.c"
pipe="$imsg risad/msg.c risad/log.c risad/util.c risad/utf8.c
    risad/compat/pledge.c risad/compat/unveil.c"
auth="$imsg risad/auth.c risad/auth_answer.c risad/auth_factor.c
    risad/auth_guest.c
    risad/auth_request.c risad/auth_hash.c risad/auth_passkey.c
    risad/auth_policy.c risad/auth_throttle.c risad/auth_failure.c
    risad/auth_address.c risad/auth_attack.c risad/auth_device.c $policy
    risad/turn.c
    risad/control.c risad/ledger.c risad/limit.c risad/msg.c risad/log.c
    risad/util.c risad/utf8.c"
unit both test_pipe HOW -- $pipe
unit both test_ledger -- risad/ledger.c risad/limit.c
unit both test_limit -- risad/limit.c
unit both test_failure -- risad/auth_failure.c risad/auth_address.c \
    risad/auth_attack.c risad/auth_device.c risad/limit.c risad/util.c \
    risad/utf8.c
unit both test_auth_policy -- risad/auth_policy.c $policy \
    risad/util.c risad/utf8.c
unit both test_strength -- risad/strength.c
link=-Wl,--wrap=argon2id_hash_raw
unit both test_hash -- risad/hash.c risad/strength.c risad/hash_otp.c \
    risad/hash_webauthn.c $proc
link=
unit both test_webauthn -- risad/hash_webauthn.c risad/util.c risad/utf8.c
unit both test_keys -- risad/keys.c risad/keys_engine.c risad/proof.c \
    risad/compat/tls_ssl.c $proc
unit both test_challenge -- risad/limit.c risad/util.c risad/utf8.c
unit both test_auth -- $auth
unit both test_control -- $auth

store="risad/db.c risad/db_copy.c risad/db_log.c risad/db_stmt.c
    risad/db_wal.c risad/stmt.c risad/keyfile.c risad/reseal.c risad/seal.c
    risad/log.c risad/util.c risad/utf8.c"
unit both test_seal -- risad/seal.c risad/util.c risad/utf8.c
reader test_seal seal_reader.py
unit both test_nonce HOW -- risad/seal.c risad/util.c risad/utf8.c
unit both test_keypack -- risad/keypack.c risad/util.c risad/utf8.c \
    risad/compat/imsg-buffer.c
reader test_keypack keypack_reader.py
unit both test_grant -- risad/grant.c
unit both test_hold -- risad/hold.c
unit both test_stmt -- risad/stmt.c
unit both test_db -- $store
unit both test_step HOW -- $store
for fn in malloc calloc realloc reallocarray recallocarray strdup sendmsg \
    writev exit; do
	link="$link -Wl,--wrap=$fn"
done
unit both test_nomem regress/fuzz/seeds/map/least -- risad/json.c risad/role.c \
    risad/map.c risad/msg.c $imsg risad/websocket.c $store
link=
unit both test_storage -- risad/storage.c risad/audit.c risad/proof.c \
    risad/storage_access.c risad/storage_log.c risad/storage_retain.c \
    risad/storage_admin.c risad/storage_alert.c risad/storage_confirm.c \
    risad/storage_export.c risad/storage_exported.c risad/storage_show.c \
    risad/storage_sign.c \
    risad/storage_erase.c risad/storage_hold.c risad/storage_note.c \
    risad/storage_rotate.c \
    risad/storage_auth.c risad/storage_backup.c risad/storage_check.c \
    risad/storage_clock.c \
    risad/storage_restore.c risad/manifest.c \
    risad/storage_cmd_floor.c risad/storage_cmd_record.c \
    risad/storage_cmd_tenant.c risad/storage_cmd_user.c \
    risad/storage_control.c risad/storage_data.c \
    risad/storage_end.c risad/storage_factor.c risad/storage_fence.c \
    risad/storage_guest.c \
    risad/storage_generation.c risad/storage_import.c \
    risad/storage_task.c risad/storage_lock.c \
    risad/storage_network.c risad/storage_operator.c \
    risad/storage_passkey.c risad/storage_password.c \
    risad/storage_place.c risad/storage_role.c \
    risad/storage_signin.c risad/storage_talk.c risad/storage_way.c \
    risad/role.c risad/csv.c \
    $policy risad/hold.c risad/grant.c risad/msg.c $imsg $store
unit both test_zone -- risactl/zone.c risad/util.c risad/utf8.c
unit both test_output -- risactl/output.c risactl/output_json.c \
    risactl/zone.c risad/msg.c risad/way.c \
    risad/proof.c risad/util.c risad/role.c risad/csv.c risad/utf8.c $imsg
