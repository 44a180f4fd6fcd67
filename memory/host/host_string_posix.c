#define _GNU_SOURCE
#include "host_string.h"

long host_string_ahead_of_utc(const struct tm *local) {
    return local->tm_gmtoff;
}

#ifdef __APPLE__

void *memrchr(const void *in, int byte, size_t size) {
    const unsigned char *bytes = in;
    while (size-- > 0)
        if (bytes[size] == (unsigned char)byte)
            return (void *)(bytes + size);
    return NULL;
}

char *strchrnul(const char *text, int character) {
    const char *found = strchr(text, character);
    return (char *)(found != NULL ? found : text + strlen(text));
}

#endif
