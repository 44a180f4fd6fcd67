/* Functions on strings and arrays that not every C library has, by the names and with the meaning
 * that they have in the GNU library. */
#ifndef REPRISE_HOST_STRING_H
#define REPRISE_HOST_STRING_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* qsort() with something that is handed to 'compare'. */
void host_string_sort(void *array, size_t count, size_t size,
                      int (*compare)(const void *one, const void *other, void *opaque),
                      void *opaque);

/* How many seconds this local time is ahead of UTC. */
long host_string_ahead_of_utc(const struct tm *local);

#if defined(_WIN32)
void *memmem(const void *in, size_t in_size, const void *what, size_t size);
char *strndup(const char *text, size_t size);
char *strsep(char **rest, const char *separators);
char *strptime(const char *text, const char *format, struct tm *date);
time_t timegm(struct tm *date);
#endif
#if defined(_WIN32) || defined(__APPLE__)
void *memrchr(const void *in, int byte, size_t size);
char *strchrnul(const char *text, int character);
#endif

#endif
