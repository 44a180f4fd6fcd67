/* From bytes to a Lua state: see lua_transfer.h. The bytes are ours, of this process: they are
 * trusted. */
#include "lua_transfer.h"
#include "lua_transfer_internal.h"

#include <lauxlib.h>
#include <string.h>

typedef struct Decoder {
    lua_State *L;
    ByteReader *reader;
    const LuaTransferHooks *hooks;
    int objects; /* stack: number to object */
    int cells;   /* stack: number to {function, upvalue} */
    int names;   /* stack: name to object of the baseline */
    Error *error;
} Decoder;

static uint32_t get_u32(Decoder *decoder) {
    return (uint32_t)byte_reader_read_le(decoder->reader, 4);
}

static const char *get_bytes(Decoder *decoder, size_t *size) {
    *size = (size_t)byte_reader_read_le(decoder->reader, 8);
    const char *data = (const char *)decoder->reader->data + decoder->reader->position;
    decoder->reader->position += *size;
    return data;
}

static void get_value(Decoder *decoder) {
    lua_State *L = decoder->L;
    lua_Number number;
    size_t size;
    const char *data;
    switch ((ValueTag)byte_reader_read_le(decoder->reader, 1)) {
    case VALUE_NIL:
        lua_pushnil(L);
        break;
    case VALUE_FALSE:
        lua_pushboolean(L, 0);
        break;
    case VALUE_TRUE:
        lua_pushboolean(L, 1);
        break;
    case VALUE_INTEGER:
        lua_pushinteger(L, (lua_Integer)byte_reader_read_le(decoder->reader, 8));
        break;
    case VALUE_FLOAT:
        byte_reader_read(decoder->reader, &number, sizeof(number));
        lua_pushnumber(L, number);
        break;
    case VALUE_STRING:
        data = get_bytes(decoder, &size);
        lua_pushlstring(L, data, size);
        break;
    case VALUE_OBJECT:
        lua_rawgeti(L, decoder->objects, get_u32(decoder));
        break;
    }
}

static void get_hook(Decoder *decoder) {
    size_t size;
    const char *data = get_bytes(decoder, &size);
    ByteReader content = {.data = (const uint8_t *)data, .size = size};
    decoder->hooks->get(decoder->hooks->opaque, decoder->L, &content);
}

static bool get_shell(Decoder *decoder) {
    lua_State *L = decoder->L;
    size_t size;
    const char *data;
    switch ((ShellTag)byte_reader_read_le(decoder->reader, 1)) {
    case SHELL_TABLE:
        lua_newtable(L);
        return true;
    case SHELL_FUNCTION:
        data = get_bytes(decoder, &size);
        if (luaL_loadbufferx(L, data, size, "case", "b") == LUA_OK)
            return true;
        error_set(decoder->error, "%s", lua_tostring(L, -1));
        return false;
    case SHELL_NAMED:
        data = get_bytes(decoder, &size);
        lua_pushlstring(L, data, size);
        if (lua_rawget(L, decoder->names) != LUA_TNIL)
            return true;
        return error_set(decoder->error, "another state has no '%.*s'", (int)size, data);
    case SHELL_HOOK:
        get_hook(decoder);
        return true;
    }
    return error_set(decoder->error, "a transfer between Lua states is damaged");
}

static bool get_shells(Decoder *decoder) {
    uint32_t count = get_u32(decoder);
    for (uint32_t number = 1; number <= count; number++) {
        if (!get_shell(decoder))
            return false;
        lua_rawseti(decoder->L, decoder->objects, number);
    }
    return true;
}

static void get_table_body(Decoder *decoder, int table) {
    for (uint32_t count = get_u32(decoder); count > 0; count--) {
        get_value(decoder);
        get_value(decoder);
        lua_rawset(decoder->L, table);
    }
}

/* A cell's first function keeps the variable that loading made for it; later ones join it. */
static void get_cell(Decoder *decoder, int function, int upvalue) {
    lua_State *L = decoder->L;
    uint32_t cell = get_u32(decoder);
    if (lua_rawgeti(L, decoder->cells, cell) == LUA_TNIL) {
        get_value(decoder);
        lua_setupvalue(L, function, upvalue);
        lua_createtable(L, 2, 0);
        lua_pushvalue(L, function);
        lua_rawseti(L, -2, 1);
        lua_pushinteger(L, upvalue);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, decoder->cells, cell);
    } else {
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        lua_upvaluejoin(L, function, upvalue, -2, (int)lua_tointeger(L, -1));
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

static void get_bodies(Decoder *decoder) {
    lua_State *L = decoder->L;
    for (uint32_t count = get_u32(decoder); count > 0; count--) {
        lua_rawgeti(L, decoder->objects, get_u32(decoder));
        int object = lua_absindex(L, -1);
        if (lua_istable(L, object)) {
            get_table_body(decoder, object);
        } else {
            int upvalues = (int)get_u32(decoder);
            for (int i = 1; i <= upvalues; i++)
                get_cell(decoder, object, i);
        }
        lua_pop(L, 1);
    }
}

/* After the bodies: a metatable with __gc must be complete when it is set. */
static void get_metatables(Decoder *decoder) {
    for (uint32_t count = get_u32(decoder); count > 0; count--) {
        lua_rawgeti(decoder->L, decoder->objects, get_u32(decoder));
        get_value(decoder);
        lua_setmetatable(decoder->L, -2);
        lua_pop(decoder->L, 1);
    }
}

static void get_changes(Decoder *decoder) {
    for (uint32_t count = get_u32(decoder); count > 0; count--) {
        get_value(decoder);
        get_value(decoder);
        get_value(decoder);
        lua_rawset(decoder->L, -3);
        lua_pop(decoder->L, 1);
    }
}

bool lua_transfer_decode(lua_State *L, ByteReader *reader, const LuaTransferHooks *hooks,
                         Error *error) {
    int top = lua_gettop(L);
    luaL_checkstack(L, 20, "to take values from another thread");
    lua_newtable(L);
    lua_newtable(L);
    lua_getfield(L, LUA_REGISTRYINDEX, BASELINE_OBJECTS);
    Decoder decoder = {.L = L,
                       .reader = reader,
                       .hooks = hooks,
                       .objects = top + 1,
                       .cells = top + 2,
                       .names = top + 3,
                       .error = error};
    if (!get_shells(&decoder)) {
        lua_settop(L, top);
        return false;
    }
    get_bodies(&decoder);
    get_metatables(&decoder);
    get_changes(&decoder);
    uint32_t count = get_u32(&decoder);
    luaL_checkstack(L, (int)count + 5, "to take values from another thread");
    for (uint32_t i = 0; i < count; i++)
        get_value(&decoder);
    for (int i = 0; i < 3; i++)
        lua_remove(L, top + 1);
    return true;
}
