#include "block_folder.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool take(const char **text, const char *word) {
    size_t length = strlen(word);
    if (strncmp(*text, word, length) != 0)
        return false;
    *text += length;
    return true;
}

bool folder_spec_parse(const char *text, FolderSpec *spec) {
    *spec = (FolderSpec){.path = NULL};
    if (!take(&text, "fat:"))
        return false;
    for (;;) {
        if (take(&text, "rw:"))
            spec->writable = true;
        else if (take(&text, "floppy:"))
            spec->floppy = true;
        else if (take(&text, "12:"))
            spec->fat_bits = 12;
        else if (take(&text, "16:"))
            spec->fat_bits = 16;
        else if (take(&text, "32:"))
            spec->fat_bits = 32;
        else
            break;
    }
    spec->path = text;
    return true;
}

void folder_warn(const Folder *folder, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    for (char *at = text; *at != '\0'; at++) /* names may hold what moves a terminal's cursor */
        if ((unsigned char)*at < ' ' || *at == 0x7F)
            *at = '?';
    fprintf(stderr, "reprise: warning: fat:%s: %s\n", folder->title, text);
}
