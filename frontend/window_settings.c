#include "window_settings.h"
#include "user_file.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 200, SIZE_MOST = 32767 };

static const char *const scalings[] = {
    [DISPLAY_SMOOTH] = "smooth", [DISPLAY_SHARP] = "sharp", [DISPLAY_CRT] = "crt"};

typedef struct SettingRow {
    const char *name;
    enum { SETTING_SCALING, SETTING_SWITCH, SETTING_VOLUME, SETTING_SIZE } type;
    size_t offset;
} SettingRow;

#define ROW(name, type, field)                                                                     \
    { name, type, offsetof(WindowSettings, field) }
static const SettingRow rows[] = {
    ROW("scaling", SETTING_SCALING, scaling),
    ROW("full-screen", SETTING_SWITCH, full_screen),
    ROW("status-line", SETTING_SWITCH, status_line),
    ROW("volume", SETTING_VOLUME, volume),
    ROW("muted", SETTING_SWITCH, muted),
    ROW("width", SETTING_SIZE, width),
    ROW("height", SETTING_SIZE, height),
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

void window_settings_init(WindowSettings *settings) {
    *settings = (WindowSettings){.status_line = true, .volume = WINDOW_VOLUME_MOST};
}

bool window_settings_find_scaling(const char *name, DisplayScaling *scaling) {
    for (size_t i = 0; i < sizeof(scalings) / sizeof(scalings[0]); i++) {
        if (strcmp(scalings[i], name) == 0) {
            *scaling = (DisplayScaling)i;
            return true;
        }
    }
    return false;
}

static bool read_number(const char *text, long most, long *value) {
    char *end;
    *value = strtol(text, &end, 10);
    return end != text && *end == '\0' && *value >= 0 && *value <= most;
}

static void read_value(WindowSettings *settings, const SettingRow *row, const char *text) {
    char *field = (char *)settings + row->offset;
    DisplayScaling scaling;
    long number;
    switch (row->type) {
    case SETTING_SCALING:
        if (window_settings_find_scaling(text, &scaling))
            memcpy(field, &scaling, sizeof(scaling));
        break;
    case SETTING_SWITCH:
        if (strcmp(text, "on") == 0 || strcmp(text, "off") == 0)
            *(bool *)field = text[1] == 'n';
        break;
    case SETTING_VOLUME:
        if (read_number(text, WINDOW_VOLUME_MOST, &number))
            memcpy(field, &(unsigned){(unsigned)number}, sizeof(unsigned));
        break;
    case SETTING_SIZE:
        if (read_number(text, SIZE_MOST, &number))
            memcpy(field, &(int){(int)number}, sizeof(int));
        break;
    }
}

static void print_value(FILE *file, const WindowSettings *settings, const SettingRow *row) {
    const char *field = (const char *)settings + row->offset;
    unsigned number;
    DisplayScaling scaling;
    switch (row->type) {
    case SETTING_SCALING:
        memcpy(&scaling, field, sizeof(scaling));
        fprintf(file, "%s = %s\n", row->name, scalings[scaling]);
        break;
    case SETTING_SWITCH:
        fprintf(file, "%s = %s\n", row->name, *(const bool *)field ? "on" : "off");
        break;
    case SETTING_VOLUME:
    case SETTING_SIZE:
        memcpy(&number, field, sizeof(number));
        fprintf(file, "%s = %u\n", row->name, number);
        break;
    }
}

static bool find_file(char *path, bool make) {
    return user_file_find("XDG_CONFIG_HOME", ".config", "window", make, path);
}

void window_settings_read(WindowSettings *settings) {
    char path[USER_FILE_PATH_BYTES], line[LINE_BYTES], name[LINE_BYTES], value[LINE_BYTES];
    FILE *file = find_file(path, false) ? fopen(path, "r") : NULL;
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, " %[a-z-] = %s", name, value) != 2)
            continue;
        for (size_t i = 0; i < ROWS; i++)
            if (strcmp(rows[i].name, name) == 0)
                read_value(settings, &rows[i], value);
    }
    if (file != NULL)
        fclose(file);
}

void window_settings_write(const WindowSettings *settings) {
    char path[USER_FILE_PATH_BYTES];
    UserFile new;
    if (!find_file(path, true) || !user_file_begin(&new, path))
        return;
    for (size_t i = 0; i < ROWS; i++)
        print_value(new.file, settings, &rows[i]);
    user_file_end(&new);
}

bool window_settings_take_choices(WindowSettings *kept, const WindowSettings *before,
                                  const WindowSettings *now) {
    bool any = false;
#define TAKE(field)                                                                                \
    if (before->field != now->field) {                                                             \
        kept->field = now->field;                                                                  \
        any = true;                                                                                \
    }
    TAKE(scaling)
    TAKE(full_screen)
    TAKE(status_line)
    TAKE(volume)
    TAKE(muted)
    TAKE(width)
    TAKE(height)
#undef TAKE
    return any;
}
