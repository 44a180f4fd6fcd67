/* Errors are values: a message that travels up to the one place that prints it. */
#ifndef REPRISE_ERROR_H
#define REPRISE_ERROR_H

#include <stdbool.h>

typedef struct Error {
    bool set;
    char message[512];
} Error;

/* Formats the message of 'error' (which may be NULL: then nobody wants to know). The first message
 * wins, since it is nearest to the cause. Returns false, so that a failing function can end with
 * 'return error_set(...)'. */
bool error_set(Error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts formatted text before the message that is already there: the caller's context ("disk.img:
 * "). Returns false. */
bool error_prefix(Error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
