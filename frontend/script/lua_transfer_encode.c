/* From a Lua state to bytes: see lua_transfer.h. */
#include "lua_transfer.h"
#include "lua_transfer_internal.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How an object was reached, for messages. */
typedef struct Origin {
    uint32_t parent; /* object number; 0: one of the values, or a changed field */
    char step[60];
} Origin;

typedef struct Encoder {
    lua_State *L;
    const LuaTransferHooks *hooks;
    int names;   /* stack: object of the baseline to its name */
    int numbers; /* stack: object to number; light userdata of an upvalue to its cell's number */
    int objects; /* stack: number to object */
    ByteBuffer shells, bodies, metatables, changes, values;
    uint32_t object_count, body_count, metatable_count, change_count, cell_count;
    Origin *origins; /* by object number */
    uint32_t origins_capacity;
    Origin here; /* of the value being written */
    Error *error;
    bool good;
} Encoder;

enum { DEEPEST_MESSAGE = 8 };

static void put_u32(ByteBuffer *buffer, uint32_t value) {
    byte_buffer_append_le(buffer, value, 4);
}

static void put_tag(ByteBuffer *buffer, unsigned tag) {
    byte_buffer_append_le(buffer, tag, 1);
}

static void put_bytes(ByteBuffer *buffer, const void *data, size_t size) {
    byte_buffer_append_le(buffer, size, 8);
    byte_buffer_append(buffer, data, size);
}

/* "the function, upvalue 'log', field 'file'" */
static void describe_place(const Encoder *encoder, char *text, size_t size) {
    const Origin *chain[DEEPEST_MESSAGE];
    int depth = 0;
    const Origin *at = &encoder->here;
    for (; depth < DEEPEST_MESSAGE; at = &encoder->origins[at->parent]) {
        chain[depth++] = at;
        if (at->parent == 0)
            break;
    }
    size_t used = 0;
    text[0] = '\0';
    while (depth-- > 0 && used < size)
        used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "",
                                 chain[depth]->step);
}

static void refuse(Encoder *encoder, const char *what) {
    char place[400];
    if (!encoder->good)
        return;
    describe_place(encoder, place, sizeof(place));
    encoder->good =
        error_set(encoder->error, "%s cannot be carried to another thread: %s", what, place);
}

static void remember_origin(Encoder *encoder) {
    if (encoder->object_count >= encoder->origins_capacity) {
        encoder->origins_capacity = encoder->origins_capacity * 2 + 64;
        encoder->origins =
            realloc(encoder->origins, encoder->origins_capacity * sizeof(*encoder->origins));
        if (encoder->origins == NULL)
            abort();
    }
    encoder->origins[encoder->object_count] = encoder->here;
}

static int append_code(lua_State *L, const void *data, size_t size, void *opaque) {
    (void)L;
    byte_buffer_append(opaque, data, size);
    return 0;
}

static void put_function_shell(Encoder *encoder, int index) {
    ByteBuffer code = {.data = NULL};
    lua_pushvalue(encoder->L, index);
    lua_dump(encoder->L, append_code, &code, false);
    lua_pop(encoder->L, 1);
    put_tag(&encoder->shells, SHELL_FUNCTION);
    put_bytes(&encoder->shells, code.data, code.size);
    byte_buffer_free(&code);
}

static const char *name_type(lua_State *L, int index) {
    switch (lua_type(L, index)) {
    case LUA_TTHREAD:
        return "a coroutine";
    case LUA_TFUNCTION:
        return "a function made by a library";
    default:
        return luaL_testudata(L, index, LUA_FILEHANDLE) != NULL ? "an open file" : "userdata";
    }
}

static void put_hook_shell(Encoder *encoder, int index) {
    ByteBuffer content = {.data = NULL};
    const LuaTransferHooks *hooks = encoder->hooks;
    if (lua_type(encoder->L, index) == LUA_TUSERDATA && hooks != NULL &&
        hooks->put(hooks->opaque, encoder->L, index, &content)) {
        put_tag(&encoder->shells, SHELL_HOOK);
        put_bytes(&encoder->shells, content.data, content.size);
    } else {
        refuse(encoder, name_type(encoder->L, index));
    }
    byte_buffer_free(&content);
}

static void put_shell(Encoder *encoder, int index) {
    lua_State *L = encoder->L;
    lua_pushvalue(L, index);
    if (lua_rawget(L, encoder->names) == LUA_TSTRING) {
        size_t size;
        const char *name = lua_tolstring(L, -1, &size);
        put_tag(&encoder->shells, SHELL_NAMED);
        put_bytes(&encoder->shells, name, size);
    } else if (lua_istable(L, index)) {
        put_tag(&encoder->shells, SHELL_TABLE);
    } else if (lua_isfunction(L, index) && !lua_iscfunction(L, index)) {
        put_function_shell(encoder, index);
    } else {
        put_hook_shell(encoder, index);
    }
    lua_pop(L, 1);
}

/* The object's number; new ones get a shell. */
static uint32_t number_object(Encoder *encoder, int index) {
    lua_State *L = encoder->L;
    lua_pushvalue(L, index);
    if (lua_rawget(L, encoder->numbers) == LUA_TNIL) {
        encoder->object_count++;
        remember_origin(encoder);
        lua_pushvalue(L, index);
        lua_pushinteger(L, encoder->object_count);
        lua_rawset(L, encoder->numbers);
        lua_pushvalue(L, index);
        lua_rawseti(L, encoder->objects, encoder->object_count);
        put_shell(encoder, index);
        lua_pop(L, 1);
        return encoder->object_count;
    }
    uint32_t number = (uint32_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return number;
}

static void put_number(lua_State *L, int index, ByteBuffer *out) {
    if (lua_isinteger(L, index)) {
        put_tag(out, VALUE_INTEGER);
        byte_buffer_append_le(out, (uint64_t)lua_tointeger(L, index), 8);
    } else {
        lua_Number number = lua_tonumber(L, index);
        put_tag(out, VALUE_FLOAT);
        byte_buffer_append(out, &number, sizeof(number));
    }
}

static void put_value(Encoder *encoder, int index, ByteBuffer *out) {
    lua_State *L = encoder->L;
    size_t size;
    const char *string;
    index = lua_absindex(L, index);
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        put_tag(out, VALUE_NIL);
        break;
    case LUA_TBOOLEAN:
        put_tag(out, lua_toboolean(L, index) ? VALUE_TRUE : VALUE_FALSE);
        break;
    case LUA_TNUMBER:
        put_number(L, index, out);
        break;
    case LUA_TSTRING:
        string = lua_tolstring(L, index, &size);
        put_tag(out, VALUE_STRING);
        put_bytes(out, string, size);
        break;
    case LUA_TLIGHTUSERDATA:
        refuse(encoder, "a pointer");
        break;
    default:
        put_tag(out, VALUE_OBJECT);
        put_u32(out, number_object(encoder, index));
        break;
    }
}

/* Says where the value comes from that is written next: its key is at 'key'. */
static void step_to_key(Encoder *encoder, uint32_t parent, int key) {
    lua_State *L = encoder->L;
    encoder->here.parent = parent;
    char *step = encoder->here.step;
    size_t size = sizeof(encoder->here.step);
    if (lua_type(L, key) == LUA_TSTRING)
        snprintf(step, size, "%s '%.40s'", parent == 0 ? "global" : "field", lua_tostring(L, key));
    else if (lua_isinteger(L, key))
        snprintf(step, size, "field [%lld]", (long long)lua_tointeger(L, key));
    else
        snprintf(step, size, "a key of type %s", luaL_typename(L, key));
}

static void put_table_body(Encoder *encoder, uint32_t number, int index) {
    lua_State *L = encoder->L;
    ByteBuffer pairs = {.data = NULL};
    uint32_t count = 0;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        step_to_key(encoder, number, lua_absindex(L, -2));
        put_value(encoder, -2, &pairs);
        put_value(encoder, -1, &pairs);
        count++;
        lua_pop(L, 1);
    }
    put_u32(&encoder->bodies, count);
    byte_buffer_append(&encoder->bodies, pairs.data, pairs.size);
    byte_buffer_free(&pairs);
    if (lua_getmetatable(L, index)) {
        encoder->here = (Origin){number, "its metatable"};
        encoder->metatable_count++;
        put_u32(&encoder->metatables, number);
        put_value(encoder, -1, &encoder->metatables);
        lua_pop(L, 1);
    }
}

/* Two functions that share a variable name the same cell; its content follows the first time. */
static void put_cell(Encoder *encoder, uint32_t number, int function, int upvalue) {
    lua_State *L = encoder->L;
    const char *name = lua_getupvalue(L, function, upvalue);
    encoder->here.parent = number;
    snprintf(encoder->here.step, sizeof(encoder->here.step), "upvalue '%.40s'", name);
    void *cell = lua_upvalueid(L, function, upvalue);
    if (lua_rawgetp(L, encoder->numbers, cell) == LUA_TNIL) {
        lua_pushinteger(L, ++encoder->cell_count);
        lua_rawsetp(L, encoder->numbers, cell);
        put_u32(&encoder->bodies, encoder->cell_count);
        put_value(encoder, -2, &encoder->bodies);
    } else {
        put_u32(&encoder->bodies, (uint32_t)lua_tointeger(L, -1));
    }
    lua_pop(L, 2);
}

static void put_function_body(Encoder *encoder, uint32_t number, int index) {
    lua_Debug info;
    lua_pushvalue(encoder->L, index);
    lua_getinfo(encoder->L, ">u", &info);
    put_u32(&encoder->bodies, info.nups);
    for (int i = 1; i <= info.nups && encoder->good; i++)
        put_cell(encoder, number, index, i);
}

static bool is_named(Encoder *encoder, int index) {
    lua_pushvalue(encoder->L, index);
    bool named = lua_rawget(encoder->L, encoder->names) == LUA_TSTRING;
    lua_pop(encoder->L, 1);
    return named;
}

/* Bodies may bring further objects: they are appended, and their turn comes. */
static void put_bodies(Encoder *encoder) {
    lua_State *L = encoder->L;
    for (uint32_t number = 1; number <= encoder->object_count && encoder->good; number++) {
        lua_rawgeti(L, encoder->objects, number);
        int index = lua_absindex(L, -1);
        if (!is_named(encoder, index) && !lua_isuserdata(L, index)) {
            encoder->body_count++;
            put_u32(&encoder->bodies, number);
            if (lua_istable(L, index))
                put_table_body(encoder, number, index);
            else
                put_function_body(encoder, number, index);
        }
        lua_pop(L, 1);
    }
}

static void put_change(Encoder *encoder, int table, int key, int value) {
    encoder->change_count++;
    put_value(encoder, table, &encoder->changes);
    put_value(encoder, key, &encoder->changes);
    put_value(encoder, value, &encoder->changes);
}

/* Fields of 'table' that are not as in 'first', its fields at the beginning; or, with 'gone', that
 * were in 'first' and are no more. */
static void put_changed_fields(Encoder *encoder, int table, int first, bool gone) {
    lua_State *L = encoder->L;
    int walked = gone ? first : table, other = gone ? table : first;
    lua_pushnil(L);
    while (encoder->good && lua_next(L, walked) != 0) {
        int key = lua_absindex(L, -2), value = lua_absindex(L, -1);
        lua_pushvalue(L, key);
        lua_rawget(L, other);
        if (gone ? lua_isnil(L, -1) : !lua_rawequal(L, -1, value)) {
            step_to_key(encoder, 0, key);
            put_change(encoder, table, key, gone ? -1 : value);
        }
        lua_pop(L, 2);
    }
}

/* The registry's tables are the program's own: what it keeps there belongs to one state. */
static bool is_of_registry(Encoder *encoder, int table) {
    lua_pushvalue(encoder->L, table);
    lua_rawget(encoder->L, encoder->names);
    const char *name = lua_tostring(encoder->L, -1);
    bool of_registry = strncmp(name, "registry.", 9) == 0;
    lua_pop(encoder->L, 1);
    return of_registry;
}

static void put_changes(Encoder *encoder) {
    lua_State *L = encoder->L;
    lua_getfield(L, LUA_REGISTRYINDEX, BASELINE_FIELDS);
    int fields = lua_absindex(L, -1);
    lua_pushnil(L);
    while (encoder->good && lua_next(L, fields) != 0) {
        int table = lua_absindex(L, -2), first = lua_absindex(L, -1);
        if (!is_of_registry(encoder, table)) {
            put_changed_fields(encoder, table, first, false);
            put_changed_fields(encoder, table, first, true);
        }
        lua_settop(L, table);
    }
    lua_settop(L, fields - 1);
}

static void put_section(ByteBuffer *out, uint32_t count, const ByteBuffer *section) {
    put_u32(out, count);
    byte_buffer_append(out, section->data, section->size);
}

static void put_all(Encoder *encoder, const LuaTransferValues *values, ByteBuffer *buffer) {
    for (int i = 0; i < values->count; i++) {
        encoder->here.parent = 0;
        snprintf(encoder->here.step, sizeof(encoder->here.step), "%s", values->names[i]);
        put_value(encoder, values->first + i, &encoder->values);
    }
    if (values->globals)
        put_changes(encoder);
    put_bodies(encoder);
    put_section(buffer, encoder->object_count, &encoder->shells);
    put_section(buffer, encoder->body_count, &encoder->bodies);
    put_section(buffer, encoder->metatable_count, &encoder->metatables);
    put_section(buffer, encoder->change_count, &encoder->changes);
    put_section(buffer, (uint32_t)values->count, &encoder->values);
}

bool lua_transfer_encode(lua_State *L, const LuaTransferValues *values,
                         const LuaTransferHooks *hooks, ByteBuffer *buffer, Error *error) {
    int top = lua_gettop(L);
    luaL_checkstack(L, 20, "to carry values to another thread");
    lua_getfield(L, LUA_REGISTRYINDEX, BASELINE_NAMES);
    lua_newtable(L);
    lua_newtable(L);
    Encoder encoder = {.L = L,
                       .hooks = hooks,
                       .names = top + 1,
                       .numbers = top + 2,
                       .objects = top + 3,
                       .error = error,
                       .good = true};
    put_all(&encoder, values, buffer);
    byte_buffer_free(&encoder.shells);
    byte_buffer_free(&encoder.bodies);
    byte_buffer_free(&encoder.metatables);
    byte_buffer_free(&encoder.changes);
    byte_buffer_free(&encoder.values);
    free(encoder.origins);
    lua_settop(L, top);
    return encoder.good;
}
