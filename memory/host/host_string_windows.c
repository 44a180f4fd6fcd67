#include "host_string.h"

void *memmem(const void *in, size_t in_size, const void *what, size_t size) {
    const char *at = in;
    for (; in_size >= size; at++, in_size--)
        if (memcmp(at, what, size) == 0)
            return (void *)(uintptr_t)at;
    return NULL;
}

void *memrchr(const void *in, int byte, size_t size) {
    const unsigned char *bytes = in;
    while (size-- > 0)
        if (bytes[size] == (unsigned char)byte)
            return (void *)(uintptr_t)(bytes + size);
    return NULL;
}

char *strchrnul(const char *text, int character) {
    const char *found = strchr(text, character);
    return (char *)(uintptr_t)(found != NULL ? found : text + strlen(text));
}

char *strndup(const char *text, size_t size) {
    size_t length = strnlen(text, size);
    char *copy = malloc(length + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *strsep(char **rest, const char *separators) {
    char *part = *rest;
    if (part == NULL)
        return NULL;
    char *end = part + strcspn(part, separators);
    *rest = *end != '\0' ? end + 1 : NULL;
    *end = '\0';
    return part;
}

/* Up to 'most' digits; NULL: none. */
static const char *read_number(const char *text, unsigned most, int *number) {
    const char *end = text;
    for (*number = 0; (unsigned)(end - text) < most && *end >= '0' && *end <= '9'; end++)
        *number = *number * 10 + *end - '0';
    return end > text ? end : NULL;
}

/* %Y %m %d %H %M %S, which is all that anybody asks for. */
char *strptime(const char *text, const char *format, struct tm *date) {
    for (; *format != '\0' && text != NULL; format++) {
        if (*format != '%') {
            text = *text == *format ? text + 1 : NULL;
            continue;
        }
        format++;
        int number;
        text = read_number(text, *format == 'Y' ? 4 : 2, &number);
        switch (*format) {
        case 'Y':
            date->tm_year = number - 1900;
            break;
        case 'm':
            date->tm_mon = number - 1;
            break;
        case 'd':
            date->tm_mday = number;
            break;
        case 'H':
            date->tm_hour = number;
            break;
        case 'M':
            date->tm_min = number;
            break;
        default:
            date->tm_sec = number;
            break;
        }
    }
    return (char *)(uintptr_t)text;
}

long host_string_ahead_of_utc(const struct tm *local) {
    struct tm as_utc = *local, as_local = *local;
    return (long)(_mkgmtime(&as_utc) - mktime(&as_local));
}

time_t timegm(struct tm *date) {
    return _mkgmtime(date);
}
