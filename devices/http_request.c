#include "http_request.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { NUMBER_DIGITS = 18 }; /* that surely fit */

static int hex_digit(char digit) {
    const char *digits = "0123456789abcdef";
    const char *found = digit != '\0' ? strchr(digits, tolower((unsigned char)digit)) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

/* RFC 3986, 2.1. The query is left out. */
static bool decode_path(const char *text, size_t size, char *path) {
    size_t length = 0;
    if (size == 0 || text[0] != '/')
        return false;
    for (size_t i = 0; i < size && text[i] != '?' && text[i] != '#'; i++) {
        char character = text[i];
        if (character == '%') {
            int high = i + 2 < size ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < size ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            character = (char)(high << 4 | low);
            i += 2;
        }
        if (character == '\0' || length + 1 == HTTP_PATH_BYTES)
            return false;
        path[length++] = character;
    }
    path[length] = '\0';
    return true;
}

static bool climbs(const char *path) {
    for (const char *part = path; part != NULL; part = strchr(part + 1, '/'))
        if (strncmp(part, "/..", 3) == 0 && (part[3] == '/' || part[3] == '\0'))
            return true;
    return false;
}

/* "GET /path HTTP/1.1"; proxies' "GET http://host/path" too. */
static HttpStatus parse_first_line(const char *line, size_t size, HttpRequest *request) {
    const char *space = memchr(line, ' ', size);
    if (space == NULL)
        return HTTP_BAD_REQUEST;
    size_t method = (size_t)(space - line), rest = size - method - 1;
    const char *target = space + 1, *end = memchr(target, ' ', rest);
    size_t length = end != NULL ? (size_t)(end - target) : 0;
    if (end == NULL || rest - length < 9 || memcmp(end, " HTTP/1.", 8) != 0)
        return HTTP_BAD_REQUEST;
    if (length > 7 && strncasecmp(target, "http://", 7) == 0) {
        const char *slash = memchr(target + 7, '/', length - 7);
        length = slash != NULL ? length - (size_t)(slash - target) : 0;
        target = slash;
    }
    if (!decode_path(target, length, request->path) || climbs(request->path))
        return HTTP_BAD_REQUEST;
    request->is_head = method == 4 && memcmp(line, "HEAD", 4) == 0;
    bool is_get = method == 3 && memcmp(line, "GET", 3) == 0;
    return request->is_head || is_get ? HTTP_OK : HTTP_METHOD_NOT_ALLOWED;
}

/* -1: there is none; false: it is too long. */
static bool parse_number(const char **text, const char *end, int64_t *number) {
    int digits = 0;
    *number = -1;
    for (; *text < end && isdigit((unsigned char)**text); ++*text, digits++) {
        if (digits == NUMBER_DIGITS)
            return false;
        *number = (digits != 0 ? *number * 10 : 0) + (**text - '0');
    }
    return true;
}

/* "bytes=0-499", "bytes=500-", "bytes=-500". One that makes no sense, or several, are as none (RFC
 * 9110, 14.2). */
static void parse_range(const char *value, const char *end, HttpRequest *request) {
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    if (end - value < 6 || strncasecmp(value, "bytes=", 6) != 0)
        return;
    value += 6;
    if (!parse_number(&value, end, &request->first) || value == end || *value++ != '-' ||
        !parse_number(&value, end, &request->last))
        return;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    bool is_backward = request->first >= 0 && request->last >= 0 && request->last < request->first;
    request->has_range =
        value == end && !is_backward && (request->first >= 0 || request->last >= 0);
}

HttpStatus http_request_parse(const char *text, size_t size, HttpRequest *request) {
    static const char range[] = "Range:";
    HttpStatus status = HTTP_INCOMPLETE;
    *request = (HttpRequest){.first = -1, .last = -1};
    for (size_t at = 0; at < size;) {
        const char *line = text + at, *end = memchr(line, '\n', size - at);
        if (end == NULL)
            break;
        at += (size_t)(end - line) + 1;
        if (end > line && end[-1] == '\r')
            end--;
        if (status == HTTP_INCOMPLETE && end == line)
            continue; /* before a request (RFC 9112, 2.2) */
        if (end == line)
            return status;
        if (status == HTTP_INCOMPLETE)
            status = parse_first_line(line, (size_t)(end - line), request);
        else if ((size_t)(end - line) >= sizeof(range) - 1 &&
                 strncasecmp(line, range, sizeof(range) - 1) == 0)
            parse_range(line + sizeof(range) - 1, end, request);
    }
    return size >= HTTP_REQUEST_BYTES ? HTTP_HEADER_TOO_LARGE : HTTP_INCOMPLETE;
}

HttpStatus http_request_find_range(const HttpRequest *request, uint64_t size, uint64_t *first,
                                   uint64_t *count) {
    *first = 0;
    *count = size;
    if (!request->has_range)
        return HTTP_OK;
    if (request->first < 0) { /* the last so many */
        uint64_t wanted = (uint64_t)request->last < size ? (uint64_t)request->last : size;
        *first = size - wanted;
        *count = wanted;
        return wanted != 0 ? HTTP_PARTIAL : HTTP_RANGE_NOT_SATISFIABLE;
    }
    if ((uint64_t)request->first >= size)
        return HTTP_RANGE_NOT_SATISFIABLE;
    *first = (uint64_t)request->first;
    *count = size - *first;
    if (request->last >= 0 && (uint64_t)request->last - *first < *count - 1)
        *count = (uint64_t)request->last - *first + 1;
    return HTTP_PARTIAL;
}
