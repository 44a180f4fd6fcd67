#include "machine_file.h"
#include "command_line.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES 4096
#define VALUE_BYTES (2 * LINE_BYTES)

/* Options whose whole value names a file or a folder, and the keys whose value does in others. */
static const char *const file_options[] = {"fda", "fdb",       "hda",    "hdb",    "hdc",
                                           "hdd", "cdrom",     "kernel", "initrd", "bios",
                                           "L",   "snapshots", "D"};
static const char *const file_keys[] = {"file=", "filename=", "path=", "romfile=", "dir="};

bool machine_file_is_named(const char *path) {
    size_t length = strlen(path), suffix = strlen(MACHINE_FILE_SUFFIX);
    return length > suffix && strcmp(path + length - suffix, MACHINE_FILE_SUFFIX) == 0;
}

/* Of names, those that are meant to be looked for in a folder: neither absolute nor "fat:...",
 * "nbd://...". */
static bool is_relative(const char *name) {
    size_t word = strspn(name, "abcdefghijklmnopqrstuvwxyz+");
    return name[0] != '/' && name[0] != '\0' && !(word > 1 && name[word] == ':');
}

static bool is_file_option(const char *name) {
    for (size_t i = 0; i < sizeof(file_options) / sizeof(file_options[0]); i++)
        if (strcmp(name, file_options[i]) == 0)
            return true;
    return false;
}

/* The length of a key of a file's name, with its '='; 0 if the part begins with none. */
static size_t find_file_key(const char *part) {
    for (size_t i = 0; i < sizeof(file_keys) / sizeof(file_keys[0]); i++) {
        size_t length = strlen(file_keys[i]);
        if (strncmp(part, file_keys[i], length) == 0)
            return length;
    }
    return 0;
}

/* Writes 'value' with its relative names made relative to 'folder' ("" or ending with '/'). */
static bool resolve_names(const char *option, const char *value, const char *folder,
                          char *resolved) {
    size_t used = 0;
    if (is_file_option(option))
        return snprintf(resolved, VALUE_BYTES, "%s%s", is_relative(value) ? folder : "", value) <
               VALUE_BYTES;
    while (*value != '\0') { /* key by key; ",," is a comma within a value */
        size_t key = find_file_key(value), length = key;
        while (value[length] != '\0' && (value[length] != ',' || value[length + 1] == ','))
            length += value[length] == ',' ? 2 : 1;
        length += value[length] == ',';
        int added = snprintf(resolved + used, VALUE_BYTES - used, "%.*s%s%.*s", (int)key, value,
                             key != 0 && is_relative(value + key) ? folder : "",
                             (int)(length - key), value + key);
        used += (size_t)added;
        if (used >= VALUE_BYTES)
            return false;
        value += length;
    }
    return true;
}

/* Cuts blanks off at both ends. */
static char *trim(char *text) {
    while (isspace((unsigned char)*text))
        text++;
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        *--end = '\0';
    return text;
}

static bool apply_line(Settings *settings, char *line, const char *folder, Error *error) {
    char resolved[VALUE_BYTES] = "";
    line = trim(line);
    if (*line == '\0' || *line == '#' || *line == ';')
        return true;
    char *value = strchr(line, '=');
    if (value == NULL)
        return command_line_apply(settings, line, NULL, error);
    *value = '\0';
    const char *name = trim(line);
    if (!resolve_names(name, trim(value + 1), folder, resolved))
        return error_set(error, "%s: its value is too long", name);
    return command_line_apply(settings, name, settings_keep_string(settings, resolved), error);
}

static bool apply_file(Settings *settings, FILE *file, const char *path, Error *error) {
    char line[LINE_BYTES], folder[LINE_BYTES] = "";
    const char *slash = strrchr(path, '/');
    if (slash != NULL)
        snprintf(folder, sizeof(folder), "%.*s", (int)(slash + 1 - path), path);
    for (int number = 1; fgets(line, sizeof(line), file) != NULL; number++) {
        if (strlen(line) == sizeof(line) - 1)
            error_set(error, "the line is too long");
        if (error->set || !apply_line(settings, line, folder, error))
            return error_prefix(error, "%s:%d: ", path, number);
    }
    return true;
}

bool machine_file_read(Settings *settings, const char *path, Error *error) {
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return error_set(error, "cannot read '%s': %s", path, strerror(errno));
    bool good = apply_file(settings, file, path, error);
    fclose(file);
    return good;
}
