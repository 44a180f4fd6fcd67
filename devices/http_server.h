/* A small HTTP server for guests: shows a folder, read-only, on a socket of the file system that
 * nobody but this user's processes can reach. It has a thread of its own; what it sends enters the
 * machine by the private network, as all else from outside does. */
#ifndef REPRISE_HTTP_SERVER_H
#define REPRISE_HTTP_SERVER_H

#include "error.h"

enum { HTTP_SERVER_CONNECTIONS = 32, HTTP_SERVER_SECONDS = 30 /* that one may be silent */ };

typedef struct HttpServer HttpServer;

HttpServer *http_server_create(const char *folder, Error *error);
/* NULL is allowed. */
void http_server_destroy(HttpServer *server);

/* Where it listens; as long as the server is. */
const char *http_server_socket(const HttpServer *server);

#endif
