/* Files on FAT volumes for Lua functions: those of drives (script_media.c) and of image files
 * (script_fat.c). The volume is looked at anew in every call, since a guest may have changed it. */
#ifndef REPRISE_SCRIPT_FAT_H
#define REPRISE_SCRIPT_FAT_H

#include "block.h"
#include "script.h"

typedef struct ScriptFat {
    BlockNode *node;
    unsigned partition; /* as fat_volume_open() has it */
} ScriptFat;

/* The field 'partition' of the table of options at this index. */
unsigned script_fat_partition(lua_State *L, int options);

/* Each does what the Lua function of that name does and returns its number of results, or raises
 * why it cannot. The contents to be written are the string at 'contents'. */
int script_fat_read(lua_State *L, const ScriptFat *fat, const char *path);
int script_fat_write(lua_State *L, const ScriptFat *fat, const char *path, int contents);
int script_fat_list(lua_State *L, const ScriptFat *fat, const char *path);
int script_fat_delete(lua_State *L, const ScriptFat *fat, const char *path);
int script_fat_make_folder(lua_State *L, const ScriptFat *fat, const char *path);

#endif
