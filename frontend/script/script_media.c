/* Media in drives, and files on them. */
#include "block.h"
#include "machine_action.h"
#include "machine_parts.h"
#include "script.h"
#include "script_fat.h"

#include <stdlib.h>

static BoardDrive *check_drive(lua_State *L, ScriptMachine *machine, int index) {
    const char *name = luaL_checkstring(L, index);
    BoardDrive *drive = board_find_drive(&machine->machine->board, name);
    if (drive == NULL)
        script_fail(L, KIND_USAGE, "this machine has no drive '%s': see m:drives()", name);
    return drive;
}

static BoardDrive *check_removable(lua_State *L, ScriptMachine *machine, int index) {
    BoardDrive *drive = check_drive(L, machine, index);
    if (!drive->is_floppy && !drive->is_cd)
        script_fail(L, KIND_USAGE, "the medium of '%s' cannot be changed", drive->id);
    return drive;
}

/* m:change(drive, file [, {snapshot=, read_only=, format=, force=}]): what the guest writes to the
 * new medium is forgotten unless snapshot=false. */
static int change_medium(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    BoardDrive *drive = check_removable(L, machine, 2);
    Error error = {.set = false};
    char *path = script_find_file(machine->script, luaL_checkstring(L, 3));
    BlockOptions options = {.path = path,
                            .format = script_option_string(L, 4, "format", NULL),
                            .node_name = drive->id,
                            .read_only = script_option_flag(L, 4, "read_only", false),
                            .snapshot = script_option_flag(L, 4, "snapshot", true),
                            .auto_read_only = true};
    script_log(machine->script, machine, "change %s to %s", drive->id, path);
    bool good = machine_change_medium(machine->machine, drive, &options,
                                      script_option_flag(L, 4, "force", false), &error);
    free(path);
    return good ? 0 : script_fail(L, KIND_FAIL, "change: %s", error.message);
}

/* m:eject(drive [, {force=}]) */
static int eject_medium(lua_State *L) {
    ScriptMachine *machine = script_machine_check(L, 1);
    BoardDrive *drive = check_removable(L, machine, 2);
    Error error = {.set = false};
    script_log(machine->script, machine, "eject %s", drive->id);
    if (!machine_eject(machine->machine, drive, script_option_flag(L, 3, "force", false), &error))
        return script_fail(L, KIND_FAIL, "eject: %s", error.message);
    return 0;
}

static void push_drive(lua_State *L, const BoardDrive *drive) {
    lua_newtable(L);
    lua_pushstring(L, drive->id);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, drive->is_floppy ? "floppy" : drive->is_cd ? "cd" : "disk");
    lua_setfield(L, -2, "kind");
    if (drive->medium == NULL)
        return;
    lua_pushstring(L, block_path(drive->medium));
    lua_setfield(L, -2, "file");
    lua_pushinteger(L, (lua_Integer)block_length(drive->medium));
    lua_setfield(L, -2, "size");
    lua_pushboolean(L, block_is_read_only(drive->medium));
    lua_setfield(L, -2, "read_only");
}

/* m:drives() -> {{name=, kind=, file=, size=, read_only=}, ...} */
static int list_drives(lua_State *L) {
    const Board *board = &script_machine_check(L, 1)->machine->board;
    lua_newtable(L);
    for (int i = 0; i < BOARD_DRIVES; i++) {
        if (!board->drive[i].present)
            continue;
        push_drive(L, &board->drive[i]);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    return 1;
}

/* --- files --- */

/* The medium that the arguments of a file function name: m, drive, path. */
static ScriptFat check_medium(lua_State *L, int options) {
    ScriptMachine *machine = script_machine_check(L, 1);
    BoardDrive *drive = check_drive(L, machine, 2);
    if (drive->medium == NULL)
        script_fail(L, KIND_FAIL, "there is no medium in '%s'", drive->id);
    return (ScriptFat){drive->medium, script_fat_partition(L, options)};
}

static ScriptFat check_changed_medium(lua_State *L, int options, const char *what) {
    ScriptFat fat = check_medium(L, options);
    machine_changed_otherwise(script_machine_check(L, 1)->machine, what);
    return fat;
}

/* m:get_file(drive, path [, {partition=}]) -> its contents */
static int get_file(lua_State *L) {
    ScriptFat fat = check_medium(L, 4);
    return script_fat_read(L, &fat, luaL_checkstring(L, 3));
}

/* m:put_file(drive, path, contents [, {partition=}]) */
static int put_file(lua_State *L) {
    ScriptFat fat = check_changed_medium(L, 5, "m:put_file()");
    script_log(script_get(L), script_machine_check(L, 1), "put file %s on %s",
               luaL_checkstring(L, 3), lua_tostring(L, 2));
    return script_fat_write(L, &fat, luaL_checkstring(L, 3), 4);
}

/* m:list_files(drive [, path [, {partition=}]]) -> {{name=, short_name=, size=, folder=}, ...} */
static int list_files(lua_State *L) {
    ScriptFat fat = check_medium(L, 4);
    return script_fat_list(L, &fat, luaL_optstring(L, 3, ""));
}

/* m:delete_file(drive, path [, {partition=}]) */
static int delete_file(lua_State *L) {
    ScriptFat fat = check_changed_medium(L, 4, "m:delete_file()");
    return script_fat_delete(L, &fat, luaL_checkstring(L, 3));
}

/* m:make_folder(drive, path [, {partition=}]) */
static int make_folder(lua_State *L) {
    ScriptFat fat = check_changed_medium(L, 4, "m:make_folder()");
    return script_fat_make_folder(L, &fat, luaL_checkstring(L, 3));
}

static const luaL_Reg media_methods[] = {
    {"change", change_medium},    {"delete_file", delete_file}, {"drives", list_drives},
    {"eject", eject_medium},      {"get_file", get_file},       {"list_files", list_files},
    {"make_folder", make_folder}, {"put_file", put_file},       {NULL, NULL},
};
const ScriptPart script_media_part = {.methods = media_methods};
