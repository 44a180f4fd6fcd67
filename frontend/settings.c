#include "settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void settings_init(Settings *settings) {
    *settings = (Settings){.display = DISPLAY_DEFAULT};
    machine_config_init(&settings->machine);
}

void settings_free(Settings *settings) {
    for (int i = 0; i < settings->string_count; i++)
        free(settings->strings[i]);
    for (int i = 0; i < settings->plugged_count; i++)
        key_values_free(&settings->plugged[i].values);
    settings->plugged_count = 0;
    free(settings->strings);
    settings->strings = NULL;
    settings->string_count = 0;
}

const char *settings_keep_string(Settings *settings, const char *string) {
    if (string == NULL)
        return NULL;
    size_t bytes = (size_t)(settings->string_count + 1) * sizeof(char *);
    settings->strings = realloc(settings->strings, bytes);
    return settings->strings[settings->string_count++] = strdup(string);
}

void settings_warn(Settings *settings, const char *format, ...) {
    char text[256];
    va_list arguments;
    int length =
        settings->option == NULL ? 0 : snprintf(text, sizeof(text), "-%s: ", settings->option);
    va_start(arguments, format);
    vsnprintf(text + length, sizeof(text) - (size_t)length, format, arguments);
    va_end(arguments);
    for (unsigned i = 0; i < settings->warning_count; i++)
        if (strcmp(settings->warning[i], text) == 0)
            return;
    if (settings->warning_count < SETTINGS_WARNINGS)
        settings->warning[settings->warning_count++] = settings_keep_string(settings, text);
}
