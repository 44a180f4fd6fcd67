/* POST codes: m:post(), m:post_codes(), m:wait_post(). */
#include "script_wait.h"

enum { ANY_PORT = 0 };

static uint16_t check_post_port(lua_State *L, double port) {
    if (port != POST_PORT_AT && port != POST_PORT_PS2)
        script_fail(L, KIND_USAGE, "POST codes come at ports 0x%X and 0x%X", POST_PORT_AT,
                    POST_PORT_PS2);
    return (uint16_t)port;
}

/* The port of m:post(port) and m:post_codes(port). */
static uint16_t argument_port(lua_State *L) {
    return lua_isnoneornil(L, 2) ? ANY_PORT : check_post_port(L, luaL_checknumber(L, 2));
}

static bool is_of_port(PostCode code, uint16_t port) {
    return port == ANY_PORT || code.port == port;
}

/* m:post([port]) -> the last code, of that port or of all, and the port; nil if none came */
static int get_post(lua_State *L) {
    const ScriptOutput *output = &script_machine_check(L, 1)->output;
    uint16_t port = argument_port(L);
    for (size_t end = output->post.size; end > 0; end -= SCRIPT_POST_BYTES) {
        PostCode code = script_output_post(output, end - SCRIPT_POST_BYTES);
        if (!is_of_port(code, port))
            continue;
        lua_pushinteger(L, code.code);
        lua_pushinteger(L, code.port);
        return 2;
    }
    lua_pushnil(L);
    return 1;
}

/* Leaves a table with the codes from one offset to another on the stack. */
static void push_codes(lua_State *L, const ScriptOutput *output, size_t start, size_t end,
                       uint16_t port) {
    lua_newtable(L);
    lua_Integer count = 0;
    for (; start < end; start += SCRIPT_POST_BYTES) {
        PostCode code = script_output_post(output, start);
        if (!is_of_port(code, port))
            continue;
        lua_pushinteger(L, code.code);
        lua_rawseti(L, -2, ++count);
    }
}

/* m:post_codes([port]) -> a list of the codes */
static int get_post_codes(lua_State *L) {
    const ScriptOutput *output = &script_machine_check(L, 1)->output;
    push_codes(L, output, 0, output->post.size, argument_port(L));
    return 1;
}

typedef struct PostSearch {
    const ScriptOutput *output;
    uint8_t code;
    uint16_t port;
    size_t end; /* of the code that was found */
} PostSearch;

static bool find_post(void *opaque) {
    PostSearch *search = opaque;
    const ScriptOutput *output = search->output;
    for (size_t at = output->post_waited; at < output->post.size; at += SCRIPT_POST_BYTES) {
        PostCode code = script_output_post(output, at);
        if (code.code == search->code && is_of_port(code, search->port)) {
            search->end = at + SCRIPT_POST_BYTES;
            return true;
        }
    }
    return false;
}

/* m:wait_post(code [, {timeout=, port=}]) -> a list of the codes that came up to this one, since
 * the last such wait */
static int wait_post(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    lua_Integer code = luaL_checkinteger(L, 2);
    double port = script_option_number(L, 3, "port", ANY_PORT);
    if (code < 0 || code > UINT8_MAX)
        script_fail(L, KIND_USAGE, "a POST code is 0 to 0xFF");
    PostSearch search = {.output = &machine->output,
                         .code = (uint8_t)code,
                         .port = port == ANY_PORT ? ANY_PORT : check_post_port(L, port)};
    char what[64];
    if (search.port == ANY_PORT)
        snprintf(what, sizeof what, "POST code %02X", search.code);
    else
        snprintf(what, sizeof what, "POST code %02X at port %X", search.code, search.port);
    ScriptWait wait = {what, find_post, &search, 0, script_timeout_ns(L, 3)};
    script_wait_for(L, machine, &wait);
    push_codes(L, &machine->output, machine->output.post_waited, search.end, search.port);
    machine->output.post_waited = search.end;
    return 1;
}

static const luaL_Reg post_methods[] = {
    {"post", get_post},
    {"post_codes", get_post_codes},
    {"wait_post", wait_post},
    {NULL, NULL},
};
const ScriptPart script_post_part = {.methods = post_methods};
