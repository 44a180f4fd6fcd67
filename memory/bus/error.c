#include "error.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Names of files and what strangers' files say go into messages: a message stays one line, and a
 * terminal that shows it does nothing else. */
static void clean(char *message) {
    for (char *at = message; *at != 0; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7F)
            *at = '?';
}

bool error_set(Error *error, const char *format, ...) {
    if (error == NULL || error->set)
        return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    clean(error->message);
    error->set = true;
    return false;
}

bool error_prefix(Error *error, const char *format, ...) {
    if (error == NULL)
        return false;
    char cause[sizeof error->message];
    memcpy(cause, error->message, sizeof cause);
    if (!error->set)
        cause[0] = 0;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    if (length >= 0 && (size_t)length < sizeof error->message) {
        size_t room = sizeof error->message - (size_t)length;
        size_t kept = strnlen(cause, room - 1);
        memcpy(error->message + length, cause, kept);
        error->message[(size_t)length + kept] = 0;
    }
    clean(error->message);
    error->set = true;
    return false;
}
