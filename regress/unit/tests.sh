# Which files each test links.  Sourced by run.sh.
unit both test_util -- risad/util.c risad/utf8.c
unit both test_utf8 -- risad/utf8.c
unit both test_msg -- risad/msg.c risad/utf8.c $imsg
unit both test_imsg -- $imsg
unit both test_ibuf -- $imsg
unit both test_http -- risad/http.c risad/http_reply.c risad/utf8.c
unit both test_websocket -- risad/websocket.c risad/utf8.c
unit both test_map $maps -- risad/map.c
unit both test_walk $maps -- risad/map.c risad/walk.c
unit plain test_pledge -- risad/compat/pledge.c risad/compat/unveil.c
unit both test_unveil -- risad/compat/pledge.c risad/compat/unveil.c
unit both test_json -- risad/json.c risad/utf8.c
unit both test_policy -- risad/policy.c
unit both test_parser -- risactl/parser.c risad/policy.c risad/util.c \
    risad/utf8.c

proc="$imsg risad/proc.c risad/msg.c risad/log.c risad/util.c risad/utf8.c
    risad/limit.c risad/compat/pledge.c risad/compat/unveil.c"
auth="$imsg risad/auth.c risad/auth_request.c risad/auth_hash.c
    risad/auth_policy.c risad/policy.c risad/control.c risad/limit.c
    risad/msg.c risad/log.c
    risad/util.c risad/utf8.c"
unit both test_limit -- risad/limit.c
unit both test_auth_policy -- risad/auth_policy.c risad/policy.c \
    risad/utf8.c
unit both test_hash -- risad/hash.c $proc
unit both test_keys -- risad/keys.c risad/keys_engine.c \
    risad/compat/tls_ssl.c $proc
unit both test_auth -- $auth
unit both test_control -- $auth

store="risad/seal.c risad/log.c risad/util.c risad/utf8.c"
unit both test_seal -- risad/seal.c risad/util.c risad/utf8.c
unit both test_grant -- risad/grant.c
unit both test_hold -- risad/hold.c
unit both test_stmt -- risad/stmt.c
unit both test_db -- risad/db.c risad/stmt.c $store
unit both test_storage -- risad/storage.c risad/storage_admin.c \
    risad/storage_auth.c risad/storage_control.c risad/storage_data.c \
    risad/storage_talk.c risad/policy.c risad/db.c risad/stmt.c \
    risad/hold.c risad/grant.c \
    risad/msg.c $imsg $store
unit both test_output -- risactl/output.c risactl/output_json.c risad/msg.c \
    risad/utf8.c $imsg
