/* Where debuggers connect. */
#include "options.h"

#include <string.h>

bool option_gdb(Settings *settings, const char *argument, Error *error) {
    settings->gdb_address =
        strcmp(argument, "none") == 0 ? NULL : settings_keep_string(settings, argument);
    return *argument != '\0' || error_set(error, "takes tcp::PORT, unix:PATH or stdio");
}

bool option_gdb_default(Settings *settings, const char *argument, Error *error) {
    (void)argument;
    (void)error;
    settings->gdb_address = "tcp::1234";
    return true;
}
