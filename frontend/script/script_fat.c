/* open_fat() and create_fat(): files in and out of image files, such as a script hands to a guest.
 */
#include "script_fat.h"
#include "fat_file.h"
#include "fat_format.h"
#include "fat_table.h"

#include <stdlib.h>
#include <string.h>

#define FAT_TYPE "reprise.fat"

/* --- on any medium --- */

unsigned script_fat_partition(lua_State *L, int options) {
    double partition = script_option_number(L, options, "partition", 0);
    if (!(partition >= 0 && partition <= 68))
        script_fail(L, KIND_USAGE, "partitions are counted from 1");
    return (unsigned)partition;
}

/* Raises the message of a failure after what it was about. */
static int fail(lua_State *L, const ScriptFat *fat, const Error *error) {
    return script_fail(L, KIND_FAIL, "%s: %s", block_path(fat->node), error->message);
}

int script_fat_read(lua_State *L, const ScriptFat *fat, const char *path) {
    FatVolume volume;
    ByteBuffer contents = {.data = NULL};
    Error error = {.set = false};
    bool good = fat_volume_open(&volume, fat->node, fat->partition, &error) &&
                fat_file_read(&volume, path, &contents, &error);
    if (good)
        lua_pushlstring(L, contents.size > 0 ? (const char *)contents.data : "", contents.size);
    byte_buffer_free(&contents);
    return good ? 1 : fail(L, fat, &error);
}

int script_fat_write(lua_State *L, const ScriptFat *fat, const char *path, int contents) {
    FatVolume volume;
    Error error = {.set = false};
    size_t size;
    const char *data = luaL_checklstring(L, contents, &size);
    bool good = fat_volume_open(&volume, fat->node, fat->partition, &error) &&
                fat_file_write(&volume, path, data, size, &error);
    return good ? 0 : fail(L, fat, &error);
}

static void push_entry(void *opaque, const FatEntry *entry) {
    lua_State *L = opaque;
    bool folder = (entry->attributes & FAT_FOLDER) != 0;
    lua_createtable(L, 0, 4);
    lua_pushstring(L, entry->name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, entry->short_name);
    lua_setfield(L, -2, "short_name");
    lua_pushboolean(L, folder);
    lua_setfield(L, -2, "folder");
    if (!folder) {
        lua_pushinteger(L, entry->size);
        lua_setfield(L, -2, "size");
    }
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

int script_fat_list(lua_State *L, const ScriptFat *fat, const char *path) {
    FatVolume volume;
    Error error = {.set = false};
    lua_newtable(L);
    bool good = fat_volume_open(&volume, fat->node, fat->partition, &error) &&
                fat_file_list(&volume, path, push_entry, L, &error);
    return good ? 1 : fail(L, fat, &error);
}

int script_fat_delete(lua_State *L, const ScriptFat *fat, const char *path) {
    FatVolume volume;
    Error error = {.set = false};
    bool good = fat_volume_open(&volume, fat->node, fat->partition, &error) &&
                fat_file_delete(&volume, path, &error);
    return good ? 0 : fail(L, fat, &error);
}

int script_fat_make_folder(lua_State *L, const ScriptFat *fat, const char *path) {
    FatVolume volume;
    Error error = {.set = false};
    bool good = fat_volume_open(&volume, fat->node, fat->partition, &error) &&
                fat_file_make_folder(&volume, path, &error);
    return good ? 0 : fail(L, fat, &error);
}

/* --- an image file as a Lua value --- */

static ScriptFat *check_fat(lua_State *L) {
    ScriptFat *fat = luaL_checkudata(L, 1, FAT_TYPE);
    if (fat->node == NULL)
        script_fail(L, KIND_USAGE, "this image was closed");
    return fat;
}

static int open_image(lua_State *L, const char *path, bool write, unsigned partition) {
    FatVolume volume;
    Error error = {.set = false};
    BlockOptions options = {.path = path, .read_only = !write};
    ScriptFat *fat = lua_newuserdatauv(L, sizeof(*fat), 0);
    *fat = (ScriptFat){NULL, partition};
    luaL_setmetatable(L, FAT_TYPE);
    fat->node = block_open(&options, &error);
    if (fat->node == NULL)
        return script_fail(L, KIND_FAIL, "%s", error.message);
    if (!fat_volume_open(&volume, fat->node, partition, &error))
        return fail(L, fat, &error);
    return 1;
}

/* The path of a file that a script names, kept by Lua. */
static const char *check_path(lua_State *L, int index) {
    char *path = script_find_file(script_get(L), luaL_checkstring(L, index));
    lua_pushstring(L, path);
    free(path);
    return lua_tostring(L, -1);
}

/* open_fat(file [, {write=, partition=}]) */
static int open_fat(lua_State *L) {
    return open_image(L, check_path(L, 1), script_option_flag(L, 2, "write", false),
                      script_fat_partition(L, 2));
}

/* "1440K", "32M", "1G"; and floppies as people call them. */
static uint64_t read_size(lua_State *L, const char *text) {
    static const struct {
        const char *name;
        uint32_t kilobytes;
    } floppies[] = {{"1.2M", 1200}, {"1.44M", 1440}, {"2.88M", 2880}};
    char *end;
    for (size_t i = 0; i < sizeof(floppies) / sizeof(floppies[0]); i++)
        if (strcmp(text, floppies[i].name) == 0)
            return floppies[i].kilobytes * 1024ull;
    unsigned long long number = strtoull(text, &end, 10);
    unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
    if (end == text || (*end != '\0' && (shift == 0 || end[1] != '\0')) ||
        number > (1ull << 42) >> shift)
        script_fail(L, KIND_USAGE, "'%s' is no size: say bytes, or 1440K, 32M, 2G", text);
    return number << shift;
}

/* create_fat(file, {size=, bits=, label=, whole=}): makes the image; it is open for writing. */
static int create_fat(lua_State *L) {
    Error error = {.set = false};
    double bits = script_option_number(L, 2, "bits", 0);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_getfield(L, 2, "size");
    FatFormat format = {.bytes = read_size(L, luaL_optstring(L, -1, "1440K")),
                        .bits = (unsigned)bits,
                        .whole = script_option_flag(L, 2, "whole", false),
                        .label = script_option_string(L, 2, "label", NULL)};
    if (bits != 0 && bits != 12 && bits != 16 && bits != 32)
        return script_fail(L, KIND_USAGE, "FAT has 12, 16 or 32 bits");
    const char *path = check_path(L, 1);
    if (!fat_format_create(path, &format, &error))
        return script_fail(L, KIND_FAIL, "%s", error.message);
    return open_image(L, path, true, 0);
}

/* fat:read(path) -> contents */
static int read_file(lua_State *L) {
    return script_fat_read(L, check_fat(L), luaL_checkstring(L, 2));
}

/* fat:write(path, contents) */
static int write_file(lua_State *L) {
    return script_fat_write(L, check_fat(L), luaL_checkstring(L, 2), 3);
}

/* fat:list([path]) */
static int list_folder(lua_State *L) {
    return script_fat_list(L, check_fat(L), luaL_optstring(L, 2, ""));
}

/* fat:delete(path) */
static int delete_file(lua_State *L) {
    return script_fat_delete(L, check_fat(L), luaL_checkstring(L, 2));
}

/* fat:make_folder(path) */
static int make_folder(lua_State *L) {
    return script_fat_make_folder(L, check_fat(L), luaL_checkstring(L, 2));
}

/* fat:free() -> bytes */
static int count_free(lua_State *L) {
    ScriptFat *fat = check_fat(L);
    FatVolume volume;
    Error error = {.set = false};
    uint32_t clusters;
    if (!fat_volume_open(&volume, fat->node, fat->partition, &error) ||
        !fat_table_count_free(&volume, &clusters, &error))
        return fail(L, fat, &error);
    lua_pushinteger(L, (lua_Integer)clusters * volume.cluster_bytes);
    return 1;
}

/* fat:close(): lets others use the image. Collecting the value does, too. */
static int close_image(lua_State *L) {
    ScriptFat *fat = luaL_checkudata(L, 1, FAT_TYPE);
    block_close(fat->node);
    fat->node = NULL;
    return 0;
}

static const luaL_Reg fat_methods[] = {
    {"close", close_image},       {"delete", delete_file},
    {"free", count_free},         {"list", list_folder},
    {"make_folder", make_folder}, {"read", read_file},
    {"write", write_file},        {NULL, NULL},
};

static void open_types(lua_State *L) {
    luaL_newmetatable(L, FAT_TYPE);
    lua_pushcfunction(L, close_image);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, close_image);
    lua_setfield(L, -2, "__close");
    luaL_newlib(L, fat_methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

static const luaL_Reg fat_globals[] = {
    {"create_fat", create_fat},
    {"open_fat", open_fat},
    {NULL, NULL},
};
const ScriptPart script_fat_part = {.globals = fat_globals, .open = open_types};
