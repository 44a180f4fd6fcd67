/* Values and functions carried from one Lua state to another. */
#include "lua_transfer.h"
#include "suite_run.h"

#include <check.h>
#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

static lua_State *new_state(void) {
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    lua_transfer_note_baseline(L);
    return L;
}

static void run(lua_State *L, const char *code, int results) {
    if (luaL_loadstring(L, code) != LUA_OK || lua_pcall(L, 0, results, 0) != LUA_OK)
        ck_abort_msg("%s", lua_tostring(L, -1));
}

/* Carries what 'sender' returns to another state as its global 'it', and runs 'receiver' there. */
static void carry(const char *sender, const char *receiver, const LuaTransferHooks *hooks) {
    lua_State *from = new_state(), *to = new_state();
    const char *const names[] = {"the value"};
    ByteBuffer bytes = {.data = NULL};
    Error error = {.set = false};
    run(from, sender, 1);
    LuaTransferValues values = {.first = 1, .count = 1, .names = names, .globals = true};
    ck_assert_msg(lua_transfer_encode(from, &values, hooks, &bytes, &error), "%s", error.message);
    ck_assert_int_eq(lua_gettop(from), 1);
    lua_close(from);
    ByteReader reader = {.data = bytes.data, .size = bytes.size};
    ck_assert_msg(lua_transfer_decode(to, &reader, hooks, &error), "%s", error.message);
    ck_assert_uint_eq(reader.position, bytes.size);
    ck_assert(!reader.failed);
    ck_assert_int_eq(lua_gettop(to), 1);
    lua_setglobal(to, "it");
    run(to, receiver, 0);
    lua_close(to);
    byte_buffer_free(&bytes);
}

START_TEST(plain_values_keep_their_types) {
    carry("return {1, 1.0, -0.5, math.mininteger, 1/0, 'a\\0b', true, false, ['']=2, [2.5]=3}",
          "assert(math.type(it[1]) == 'integer' and math.type(it[2]) == 'float')\n"
          "assert(it[3] == -0.5 and it[4] == math.mininteger and it[5] == 1/0)\n"
          "assert(it[6] == 'a\\0b' and it[7] == true and it[8] == false)\n"
          "assert(it[''] == 2 and it[2.5] == 3)",
          NULL);
    carry("return nil", "assert(it == nil)", NULL);
    carry("return ('x'):rep(1000000)", "assert(#it == 1000000)", NULL);
}
END_TEST

START_TEST(tables_keep_cycles_sharing_and_metatables) {
    carry("local shared = {7}\n"
          "local t = {a = shared, b = shared}\n"
          "t.self = t\n"
          "t[t] = 'key'\n"
          "return setmetatable(t, {__index = function(_, k) return k .. '!' end})",
          "assert(it.a == it.b and it.a[1] == 7 and it.self == it and it[it] == 'key')\n"
          "assert(it.missing == 'missing!')",
          NULL);
}
END_TEST

START_TEST(a_long_chain_needs_no_stack) {
    carry("local list; for i = 1, 100000 do list = {next = list, n = i} end; return list",
          "local n = 0; while it do n = n + 1; it = it.next end; assert(n == 100000)", NULL);
}
END_TEST

START_TEST(functions_keep_their_upvalues_shared) {
    carry("local n = 5\n"
          "local function more() n = n + 1; return n end\n"
          "local function get() return n end\n"
          "local function fact(i) return i < 2 and 1 or i * fact(i - 1) end\n"
          "return {more = more, get = get, fact = fact}",
          "assert(it.get() == 5 and it.more() == 6 and it.get() == 6)\n"
          "it.more(); assert(it.get() == 7)\n",
          NULL);
    carry("local function fact(i) return i < 2 and 1 or i * fact(i - 1) end return fact",
          "assert(it(6) == 720)", NULL);
    carry("local a, b = 1, nil; return function() return a, b end",
          "local a, b = it(); assert(a == 1 and b == nil)", NULL);
}
END_TEST

START_TEST(an_upvalue_cell_that_is_first_seen_empty_stays_shared) {
    carry("local v\n"
          "return {set = function(x) v = x end, get = function() return v end}",
          "it.set(9); assert(it.get() == 9)", NULL);
}
END_TEST

START_TEST(globals_become_those_of_the_other_state) {
    carry("counter = 3\n"
          "function helper() counter = counter + 1; return counter end\n"
          "function string.shout(s) return s:upper() .. '!' end\n"
          "local print, format = print, string.format\n"
          "return function() return helper(), print, format, ('a'):shout() end",
          "local n, p, f, s = it()\n"
          "assert(n == 4 and counter == 4 and p == print and f == string.format and s == 'A!')\n"
          "assert(helper() == 5 and counter == 5)",
          NULL);
}
END_TEST

START_TEST(a_library_function_taken_away_is_gone) {
    carry("os.execute = nil; return 1", "assert(os.execute == nil and os.exit ~= nil)", NULL);
}
END_TEST

START_TEST(what_libraries_have_is_found_by_name) {
    carry("return {string, io.stdout, getmetatable(''), package.loaded, require}",
          "assert(it[1] == string and it[2] == io.stdout and it[3] == getmetatable(''))\n"
          "assert(it[4] == package.loaded and it[5] == require)",
          NULL);
}
END_TEST

START_TEST(modules_of_a_script_come_too) {
    carry("package.loaded.mine = {twice = function(x) return 2 * x end}; return 1",
          "assert(require('mine').twice(4) == 8)", NULL);
}
END_TEST

START_TEST(lines_of_errors_survive) {
    carry("return function() error('here') end",
          "local _, message = pcall(it)\n"
          "assert(message:match(':1: here$'), message)",
          NULL);
}
END_TEST

static void refuse(const char *sender, bool globals, const char *message) {
    lua_State *from = new_state();
    const char *const names[] = {"the function"};
    ByteBuffer bytes = {.data = NULL};
    Error error = {.set = false};
    run(from, sender, 1);
    LuaTransferValues values = {.first = 1, .count = 1, .names = names, .globals = globals};
    ck_assert(!lua_transfer_encode(from, &values, NULL, &bytes, &error));
    ck_assert_str_eq(error.message, message);
    ck_assert_int_eq(lua_gettop(from), 1);
    lua_close(from);
    byte_buffer_free(&bytes);
}

START_TEST(what_cannot_be_carried_is_named_with_its_place) {
    refuse("local config = {log = {[3] = coroutine.create(print)}}\n"
           "return function() return config end",
           false,
           "a coroutine cannot be carried to another thread: the function, upvalue 'config', "
           "field 'log', field [3]");
    refuse("out = io.tmpfile(); return 1", true,
           "an open file cannot be carried to another thread: global 'out'");
    refuse("return string.gmatch('a', 'a')", false,
           "a function made by a library cannot be carried to another thread: the function");
    refuse("return setmetatable({}, {__index = {coroutine.create(print)}})", false,
           "a coroutine cannot be carried to another thread: the function, its metatable, field "
           "'__index', field [1]");
}
END_TEST

static bool put_number(void *opaque, lua_State *L, int index, ByteBuffer *buffer) {
    (void)opaque;
    byte_buffer_append_le(buffer, *(const uint8_t *)lua_touserdata(L, index), 1);
    return true;
}

static void get_number(void *opaque, lua_State *L, ByteReader *reader) {
    (void)opaque;
    lua_pushinteger(L, (lua_Integer)byte_reader_read_le(reader, 1));
}

START_TEST(userdata_go_through_the_hooks) {
    static const LuaTransferHooks hooks = {put_number, get_number, NULL};
    lua_State *from = new_state(), *to = new_state();
    const char *const names[] = {"the value", "it again"};
    ByteBuffer bytes = {.data = NULL};
    Error error = {.set = false};
    *(uint8_t *)lua_newuserdatauv(from, 1, 0) = 42;
    lua_pushvalue(from, 1);
    LuaTransferValues values = {.first = 1, .count = 2, .names = names};
    ck_assert(lua_transfer_encode(from, &values, &hooks, &bytes, &error));
    ByteReader reader = {.data = bytes.data, .size = bytes.size};
    ck_assert(lua_transfer_decode(to, &reader, &hooks, &error));
    ck_assert_int_eq(lua_gettop(to), 2);
    ck_assert_int_eq(lua_tointeger(to, 1), 42);
    ck_assert_int_eq(lua_tointeger(to, 2), 42);
    lua_close(from);
    lua_close(to);
    byte_buffer_free(&bytes);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("lua_transfer");
    TCase *tests = tcase_create("lua_transfer");
    tcase_add_test(tests, plain_values_keep_their_types);
    tcase_add_test(tests, tables_keep_cycles_sharing_and_metatables);
    tcase_add_test(tests, a_long_chain_needs_no_stack);
    tcase_add_test(tests, functions_keep_their_upvalues_shared);
    tcase_add_test(tests, an_upvalue_cell_that_is_first_seen_empty_stays_shared);
    tcase_add_test(tests, globals_become_those_of_the_other_state);
    tcase_add_test(tests, a_library_function_taken_away_is_gone);
    tcase_add_test(tests, what_libraries_have_is_found_by_name);
    tcase_add_test(tests, modules_of_a_script_come_too);
    tcase_add_test(tests, lines_of_errors_survive);
    tcase_add_test(tests, what_cannot_be_carried_is_named_with_its_place);
    tcase_add_test(tests, userdata_go_through_the_hooks);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
