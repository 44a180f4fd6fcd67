/* Requests to the HTTP server of a private network (RFC 9110 and 9112): GET and HEAD of files, with
 * one range of bytes. Guests write them; everything is bounded. */
#ifndef REPRISE_HTTP_REQUEST_H
#define REPRISE_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_REQUEST_BYTES = 8192, HTTP_PATH_BYTES = 1024 };

typedef enum HttpStatus {
    HTTP_INCOMPLETE = 0, /* more of the request has to come */
    HTTP_OK = 200,
    HTTP_PARTIAL = 206,
    HTTP_MOVED = 301,
    HTTP_BAD_REQUEST = 400,
    HTTP_NOT_FOUND = 404,
    HTTP_METHOD_NOT_ALLOWED = 405,
    HTTP_RANGE_NOT_SATISFIABLE = 416,
    HTTP_HEADER_TOO_LARGE = 431,
    HTTP_UNAVAILABLE = 503,
} HttpStatus;

typedef struct HttpRequest {
    bool is_head;
    char path[HTTP_PATH_BYTES]; /* decoded, "/" at least; no NUL, no ".." within */
    bool has_range;
    int64_t first, last; /* of the range; -1: not said */
} HttpRequest;

/* HTTP_INCOMPLETE, HTTP_OK, or what is wrong with it. */
HttpStatus http_request_parse(const char *text, size_t size, HttpRequest *request);

/* What of so many bytes is asked for: HTTP_OK (all), HTTP_PARTIAL or HTTP_RANGE_NOT_SATISFIABLE. */
HttpStatus http_request_find_range(const HttpRequest *request, uint64_t size, uint64_t *first,
                                   uint64_t *count);

#endif
