/* See script_value.h. */
#include "script_value.h"

#include <ctype.h>
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STRING_SHOWN = 200, TABLE_SHOWN = 12, DEPTH_SHOWN = 3, DEPTH_COMPARED = 100 };

static void print_bytes(const char *string, size_t size, ByteBuffer *text) {
    byte_buffer_print(text, "\"");
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)string[i];
        if (byte == '"' || byte == '\\')
            byte_buffer_print(text, "\\%c", byte);
        else if (byte == '\n')
            byte_buffer_print(text, "\\n");
        else if (byte < ' ' || byte == 0x7F)
            byte_buffer_print(text, "\\x%02x", byte);
        else
            byte_buffer_append(text, &byte, 1);
    }
    byte_buffer_print(text, "\"");
}

static void print_string(lua_State *L, int index, ByteBuffer *text) {
    size_t size;
    const char *string = lua_tolstring(L, index, &size);
    print_bytes(string, size < STRING_SHOWN ? size : STRING_SHOWN, text);
    if (size > STRING_SHOWN)
        byte_buffer_print(text, "... (%zu bytes)", size);
}

static void print_value(lua_State *L, int index, ByteBuffer *text, int depth);

static void print_key(lua_State *L, int index, ByteBuffer *text) {
    if (lua_type(L, index) == LUA_TSTRING) {
        byte_buffer_print(text, "%s", lua_tostring(L, index));
        return;
    }
    byte_buffer_print(text, "[");
    print_value(L, index, text, DEPTH_SHOWN);
    byte_buffer_print(text, "]");
}

static void print_table(lua_State *L, int index, ByteBuffer *text, int depth) {
    unsigned count = 0;
    lua_Integer array = (lua_Integer)lua_rawlen(L, index);
    if (depth >= DEPTH_SHOWN || !lua_checkstack(L, 10)) {
        byte_buffer_print(text, "{...}");
        return;
    }
    byte_buffer_print(text, "{");
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        byte_buffer_print(text, "%s", count > 0 ? ", " : "");
        if (count++ == TABLE_SHOWN) {
            byte_buffer_print(text, "...");
            lua_pop(L, 2);
            break;
        }
        bool in_array =
            lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 && lua_tointeger(L, -2) <= array;
        if (!in_array) {
            print_key(L, lua_absindex(L, -2), text);
            byte_buffer_print(text, " = ");
        }
        print_value(L, lua_absindex(L, -1), text, depth + 1);
        lua_pop(L, 1);
    }
    byte_buffer_print(text, "}");
}

static void print_value(lua_State *L, int index, ByteBuffer *text, int depth) {
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        print_string(L, index, text);
        break;
    case LUA_TTABLE:
        if (luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
            lua_pop(L, 1);
            byte_buffer_print(text, "%s", luaL_tolstring(L, index, NULL));
            lua_pop(L, 1);
        } else {
            print_table(L, index, text, depth);
        }
        break;
    default:
        byte_buffer_print(text, "%s", luaL_tolstring(L, index, NULL));
        lua_pop(L, 1);
        break;
    }
}

void script_value_print(lua_State *L, int index, ByteBuffer *text) {
    print_value(L, lua_absindex(L, index), text, 0);
}

static bool tell_difference(lua_State *L, int value, int expected, const char *where,
                            ByteBuffer *difference) {
    if (where[0] != '\0')
        byte_buffer_print(difference, "at %s: ", where);
    byte_buffer_print(difference, "got ");
    script_value_print(L, value, difference);
    byte_buffer_print(difference, ", expected ");
    script_value_print(L, expected, difference);
    return false;
}

/* Of long strings only the surroundings of the first difference are worth reading. */
static bool tell_string_difference(lua_State *L, int value, int expected, const char *where,
                                   ByteBuffer *difference) {
    enum { BEFORE = 30, AROUND = 80 };
    size_t sizes[2], at = 0;
    const char *strings[2] = {lua_tolstring(L, value, &sizes[0]),
                              lua_tolstring(L, expected, &sizes[1])};
    if (sizes[0] <= STRING_SHOWN && sizes[1] <= STRING_SHOWN)
        return tell_difference(L, value, expected, where, difference);
    while (at < sizes[0] && at < sizes[1] && strings[0][at] == strings[1][at])
        at++;
    size_t first = at > BEFORE ? at - BEFORE : 0;
    if (where[0] != '\0')
        byte_buffer_print(difference, "at %s: ", where);
    for (int i = 0; i < 2; i++) {
        size_t size = sizes[i] - first < AROUND ? sizes[i] - first : AROUND;
        byte_buffer_print(difference, "%s%s", i == 0 ? "got " : ", expected ",
                          first > 0 ? "..." : "");
        print_bytes(strings[i] + first, size, difference);
        byte_buffer_print(difference, "%s", first + size < sizes[i] ? "..." : "");
    }
    byte_buffer_print(difference, " (%zu and %zu bytes, the same up to byte %zu)", sizes[0],
                      sizes[1], at + 1);
    return false;
}

static bool compare(lua_State *L, int value, int expected, char *where, int depth,
                    ByteBuffer *difference);

/* Fields of 'walked' in both tables; 'swapped': it is the expected one. */
static bool compare_fields(lua_State *L, int walked, int other, bool swapped, char *where,
                           int depth, ByteBuffer *difference) {
    size_t length = strlen(where);
    lua_pushnil(L);
    while (lua_next(L, walked) != 0) {
        int key = lua_absindex(L, -2), field = lua_absindex(L, -1);
        lua_pushvalue(L, key);
        lua_rawget(L, other);
        int counterpart = lua_absindex(L, -1);
        if (lua_type(L, key) == LUA_TSTRING)
            snprintf(where + length, 200 - length, "%s%.40s", length > 0 ? "." : "",
                     lua_tostring(L, key));
        else if (lua_isinteger(L, key))
            snprintf(where + length, 200 - length, "[%lld]", (long long)lua_tointeger(L, key));
        else
            snprintf(where + length, 200 - length, "[a %s]", luaL_typename(L, key));
        /* Backwards only to find what is missing: the rest was compared. */
        bool same = swapped ? !lua_isnil(L, counterpart) ||
                                  tell_difference(L, counterpart, field, where, difference)
                            : compare(L, field, counterpart, where, depth + 1, difference);
        where[length] = '\0';
        if (!same) {
            lua_pop(L, 3);
            return false;
        }
        lua_pop(L, 2);
    }
    return true;
}

static bool compare(lua_State *L, int value, int expected, char *where, int depth,
                    ByteBuffer *difference) {
    if (lua_compare(L, value, expected, LUA_OPEQ))
        return true;
    if (lua_type(L, value) == LUA_TSTRING && lua_type(L, expected) == LUA_TSTRING)
        return tell_string_difference(L, value, expected, where, difference);
    if (!lua_istable(L, value) || !lua_istable(L, expected) || depth >= DEPTH_COMPARED ||
        strlen(where) > 150 || !lua_checkstack(L, 10))
        return tell_difference(L, value, expected, where, difference);
    return compare_fields(L, value, expected, false, where, depth, difference) &&
           compare_fields(L, expected, value, true, where, depth, difference);
}

bool script_value_equals(lua_State *L, int value, int expected, ByteBuffer *difference) {
    char where[200] = "";
    return compare(L, lua_absindex(L, value), lua_absindex(L, expected), where, 0, difference);
}
