/* Values of one Lua state as bytes, and bytes as values of another: how a script's functions and
 * data get to the threads that run its cases.
 *
 * Carried are nil, booleans, numbers, strings, tables (shared and cyclic ones, with metatables) and
 * Lua functions with their upvalues (those that two functions share stay shared); a function's
 * globals become those of the state that it comes to. What every state of ours has from its
 * beginning - the libraries, our own functions, standard files - is found there by its name.
 * Anything else is refused, and the message says where it was found. */
#ifndef REPRISE_LUA_TRANSFER_H
#define REPRISE_LUA_TRANSFER_H

#include "byte_buffer.h"
#include "error.h"
#include <lua.h>
#include <stdbool.h>

/* Userdata that belong to one state and stand for something in the other. Neither may raise. */
typedef struct LuaTransferHooks {
    /* Writes what 'get' needs for the userdata at 'index'; false: it cannot be carried. */
    bool (*put)(void *opaque, lua_State *L, int index, ByteBuffer *buffer);
    /* Pushes one value. */
    void (*get)(void *opaque, lua_State *L, ByteReader *reader);
    void *opaque;
} LuaTransferHooks;

/* Takes down what the state has from its beginning, by name. To be called once, when its libraries
 * are there and before a script runs, in the sending and in the receiving state. */
void lua_transfer_note_baseline(lua_State *L);

typedef struct LuaTransferValues {
    int first, count;         /* values on the stack */
    const char *const *names; /* of those values, for messages */
    bool globals;             /* also what scripts added to or changed in the libraries' tables */
} LuaTransferValues;

/* Appends the values to 'buffer'. 'hooks' may be NULL. */
bool lua_transfer_encode(lua_State *L, const LuaTransferValues *values,
                         const LuaTransferHooks *hooks, ByteBuffer *buffer, Error *error);

/* Pushes the values, after it set the globals that came with them. On failure the stack is as it
 * was. */
bool lua_transfer_decode(lua_State *L, ByteReader *reader, const LuaTransferHooks *hooks,
                         Error *error);

#endif
