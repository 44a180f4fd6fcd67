#define _GNU_SOURCE
#include "http_server.h"
#include "allocate.h"
#include "byte_buffer.h"
#include "host_clock.h"
#include "host_file.h"
#include "host_poll.h"
#include "host_socket.h"
#include "http_folder.h"
#include "http_request.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PIECE = 65536, POLL_MS = 1000, LINGER_BYTES = 1 << 20, PATH_BYTES = 100 };

typedef struct Connection {
    int socket; /* -1: none */
    char text[HTTP_REQUEST_BYTES];
    size_t size;
    bool answers;
    bool is_deaf; /* the client says nothing more, but listens */
    bool lingers; /* everything was sent: what the client still says is thrown away */
    size_t thrown;
    ByteBuffer out; /* header, page, or a piece of the file */
    size_t sent;
    int file; /* -1: nothing more */
    uint64_t left;
    time_t active;
} Connection;

struct HttpServer {
    int root, listener;
    HostEvent wake;
    char folder[PATH_BYTES - 16]; /* that the socket is in */
    char path[PATH_BYTES];
    pthread_t thread;
    Connection connections[HTTP_SERVER_CONNECTIONS];
};

static time_t now_seconds(void) {
    return (time_t)(host_clock_ns() / 1000000000);
}

/* ---- Answers ---- */

static const char *reason(HttpStatus status) {
    switch (status) {
    case HTTP_OK:
        return "OK";
    case HTTP_PARTIAL:
        return "Partial Content";
    case HTTP_MOVED:
        return "Moved Permanently";
    case HTTP_NOT_FOUND:
        return "Not Found";
    case HTTP_METHOD_NOT_ALLOWED:
        return "Method Not Allowed";
    case HTTP_RANGE_NOT_SATISFIABLE:
        return "Range Not Satisfiable";
    case HTTP_HEADER_TOO_LARGE:
        return "Request Header Fields Too Large";
    case HTTP_UNAVAILABLE:
        return "Service Unavailable";
    default:
        return "Bad Request";
    }
}

static void begin_header(ByteBuffer *out, HttpStatus status, const char *type, uint64_t size) {
    byte_buffer_print(out,
                      "HTTP/1.1 %d %s\r\nServer: Reprise\r\nConnection: close\r\n"
                      "Content-Type: %s\r\nContent-Length: %llu\r\n",
                      status, reason(status), type, (unsigned long long)size);
}

static void answer_error(Connection *connection, HttpStatus status, bool is_head) {
    char text[64];
    snprintf(text, sizeof(text), "%d %s\n", status, reason(status));
    begin_header(&connection->out, status, "text/plain", strlen(text));
    if (status == HTTP_METHOD_NOT_ALLOWED)
        byte_buffer_print(&connection->out, "Allow: GET, HEAD\r\n");
    byte_buffer_print(&connection->out, "\r\n%s", is_head ? "" : text);
}

static void answer_folder(Connection *connection, int folder, const HttpRequest *request) {
    ByteBuffer page = {.data = NULL};
    if (request->path[strlen(request->path) - 1] != '/') {
        begin_header(&connection->out, HTTP_MOVED, "text/plain", 0);
        byte_buffer_print(&connection->out, "Location: ");
        http_folder_append_url(&connection->out, request->path);
        byte_buffer_print(&connection->out, "/\r\n\r\n");
        return;
    }
    http_folder_list(folder, request->path, &page);
    begin_header(&connection->out, HTTP_OK, "text/html; charset=utf-8", page.size);
    byte_buffer_print(&connection->out, "\r\n");
    if (!request->is_head)
        byte_buffer_append(&connection->out, page.data, page.size);
    byte_buffer_free(&page);
}

/* The file is the connection's from here on. */
static void answer_file(Connection *connection, int file, uint64_t size,
                        const HttpRequest *request) {
    uint64_t first, count;
    HttpStatus status = http_request_find_range(request, size, &first, &count);
    bool good = status != HTTP_RANGE_NOT_SATISFIABLE && lseek(file, (off_t)first, SEEK_SET) >= 0;
    begin_header(&connection->out, good ? status : HTTP_RANGE_NOT_SATISFIABLE,
                 http_folder_type(request->path), good ? count : 0);
    byte_buffer_print(&connection->out, "Accept-Ranges: bytes\r\n");
    if (!good)
        byte_buffer_print(&connection->out, "Content-Range: bytes */%llu\r\n",
                          (unsigned long long)size);
    else if (status == HTTP_PARTIAL)
        byte_buffer_print(&connection->out, "Content-Range: bytes %llu-%llu/%llu\r\n",
                          (unsigned long long)first, (unsigned long long)(first + count - 1),
                          (unsigned long long)size);
    byte_buffer_print(&connection->out, "\r\n");
    if (!good || request->is_head) {
        close(file);
        return;
    }
    connection->file = file;
    connection->left = count;
}

static void answer(const HttpServer *server, Connection *connection, HttpStatus status,
                   const HttpRequest *request) {
    struct stat info;
    connection->answers = true;
    int found = status == HTTP_OK ? http_folder_open(server->root, request->path, &info) : -1;
    if (found < 0) {
        answer_error(connection, status == HTTP_OK ? HTTP_NOT_FOUND : status, request->is_head);
    } else if (S_ISDIR(info.st_mode)) {
        answer_folder(connection, found, request);
        close(found);
    } else {
        answer_file(connection, found, (uint64_t)info.st_size, request);
    }
}

/* ---- Connections ---- */

static void end_connection(Connection *connection) {
    if (connection->file >= 0)
        close(connection->file);
    if (connection->socket >= 0)
        close(connection->socket);
    byte_buffer_free(&connection->out);
    *connection = (Connection){.socket = -1, .file = -1};
}

static void receive(const HttpServer *server, Connection *connection) {
    char thrown[4096];
    bool throws = connection->answers;
    char *to = throws ? thrown : connection->text + connection->size;
    size_t room = throws ? sizeof(thrown) : sizeof(connection->text) - connection->size;
    ssize_t got = host_socket_receive(connection->socket, to, room);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got == 0 && throws && !connection->lingers) {
        connection->is_deaf = true;
        return;
    }
    if (got <= 0 || (throws && (connection->thrown += (size_t)got) > LINGER_BYTES)) {
        end_connection(connection);
        return;
    }
    connection->active = now_seconds();
    if (throws)
        return;
    HttpRequest request;
    connection->size += (size_t)got;
    HttpStatus status = http_request_parse(connection->text, connection->size, &request);
    if (status != HTTP_INCOMPLETE)
        answer(server, connection, status, &request);
}

/* The next piece of the file; one that became shorter ends the connection before its time, which
 * tells the client. */
static void refill(Connection *connection) {
    char piece[PIECE];
    size_t wanted = connection->left < PIECE ? (size_t)connection->left : PIECE;
    connection->out.size = connection->sent = 0;
    ssize_t got = wanted != 0 ? read(connection->file, piece, wanted) : 0;
    if (got > 0) {
        byte_buffer_append(&connection->out, piece, (size_t)got);
        connection->left -= (uint64_t)got;
        return;
    }
    if (connection->file >= 0)
        close(connection->file);
    connection->file = -1;
}

static void transmit(Connection *connection) {
    if (connection->sent == connection->out.size && connection->file >= 0)
        refill(connection);
    if (connection->sent == connection->out.size && connection->is_deaf) {
        end_connection(connection);
        return;
    }
    if (connection->sent == connection->out.size) {
        host_socket_end_output(connection->socket);
        connection->lingers = true;
        return;
    }
    ssize_t sent = host_socket_send(connection->socket, connection->out.data + connection->sent,
                                    connection->out.size - connection->sent);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (sent <= 0) {
        end_connection(connection);
        return;
    }
    connection->sent += (size_t)sent;
    connection->active = now_seconds();
}

/* Where all places are taken, the one that was silent for longest makes room. */
static Connection *find_place(HttpServer *server) {
    Connection *oldest = &server->connections[0];
    for (unsigned i = 0; i < HTTP_SERVER_CONNECTIONS; i++) {
        Connection *connection = &server->connections[i];
        if (connection->socket < 0)
            return connection;
        if (connection->active < oldest->active)
            oldest = connection;
    }
    end_connection(oldest);
    return oldest;
}

static void accept_connection(HttpServer *server) {
    int socket = host_socket_accept(server->listener);
    if (socket < 0)
        return;
    Connection *connection = find_place(server);
    connection->socket = socket;
    connection->active = now_seconds();
}

static void serve_connection(const HttpServer *server, Connection *connection, short events) {
    if ((events & HOST_POLL_INPUT) ||
        ((events & (HOST_POLL_CLOSED | HOST_POLL_ERROR)) && !connection->is_deaf))
        receive(server, connection);
    if (connection->socket >= 0 && connection->answers && !connection->lingers &&
        (events & HOST_POLL_OUTPUT))
        transmit(connection);
    if (connection->socket >= 0 && now_seconds() - connection->active > HTTP_SERVER_SECONDS)
        end_connection(connection);
}

static void *run(void *opaque) {
    HttpServer *server = opaque;
    HostPoll files[HTTP_SERVER_CONNECTIONS + 2];
    for (;;) {
        files[0] = (HostPoll){.fd = server->wake.fd, .events = HOST_POLL_INPUT};
        files[1] = (HostPoll){.fd = server->listener, .events = HOST_POLL_INPUT};
        for (unsigned i = 0; i < HTTP_SERVER_CONNECTIONS; i++) {
            const Connection *connection = &server->connections[i];
            bool sends = connection->answers && !connection->lingers;
            files[i + 2] =
                (HostPoll){.fd = connection->socket,
                           .events = (short)((connection->is_deaf ? 0 : HOST_POLL_INPUT) |
                                             (sends ? HOST_POLL_OUTPUT : 0))};
        }
        if (host_poll(files, HTTP_SERVER_CONNECTIONS + 2, POLL_MS) < 0 && errno != EINTR)
            break;
        if (files[0].revents != 0)
            break;
        for (unsigned i = 0; i < HTTP_SERVER_CONNECTIONS; i++)
            if (server->connections[i].socket >= 0)
                serve_connection(server, &server->connections[i], files[i + 2].revents);
        if (files[1].revents != 0)
            accept_connection(server);
    }
    return NULL;
}

/* ---- Making and ending one ---- */

static bool listen_there(HttpServer *server, Error *error) {
    const char *base = getenv("XDG_RUNTIME_DIR");
    if (base == NULL || base[0] != '/' || access(base, W_OK) != 0 || strlen(base) > 40)
        base = "/tmp";
    snprintf(server->folder, sizeof(server->folder), "%s/reprise-http-XXXXXX", base);
    if (mkdtemp(server->folder) == NULL) {
        server->folder[0] = '\0';
        return error_set(error, "no folder for the HTTP server's socket: %s", strerror(errno));
    }
    snprintf(server->path, sizeof(server->path), "%s/socket", server->folder);
    server->listener = host_socket_listen_unix(server->path, error);
    return server->listener >= 0 && host_file_set_nonblocking(server->listener);
}

static bool open_root(HttpServer *server, const char *folder, Error *error) {
    server->root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return server->root >= 0 ||
           error_set(error, "http=%s: the folder cannot be read: %s", folder, strerror(errno));
}

static void close_all(HttpServer *server) {
    const int files[] = {server->root, server->listener};
    for (unsigned i = 0; i < HTTP_SERVER_CONNECTIONS; i++)
        end_connection(&server->connections[i]);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (files[i] >= 0)
            close(files[i]);
    host_event_destroy(&server->wake);
    if (server->path[0] != '\0')
        unlink(server->path);
    if (server->folder[0] != '\0')
        rmdir(server->folder);
    free(server);
}

HttpServer *http_server_create(const char *folder, Error *error) {
    HttpServer *server = allocate_zeroed(sizeof(*server));
    server->root = server->listener = -1;
    server->wake = (HostEvent){-1, -1};
    for (unsigned i = 0; i < HTTP_SERVER_CONNECTIONS; i++)
        server->connections[i] = (Connection){.socket = -1, .file = -1};
    bool good = open_root(server, folder, error) && listen_there(server, error);
    if (good && (!host_event_create(&server->wake, error) ||
                 pthread_create(&server->thread, NULL, run, server) != 0))
        good = error_set(error, "the HTTP server cannot be started");
    if (good)
        return server;
    close_all(server);
    return NULL;
}

void http_server_destroy(HttpServer *server) {
    if (server == NULL)
        return;
    host_event_set(&server->wake);
    pthread_join(server->thread, NULL);
    close_all(server);
}

const char *http_server_socket(const HttpServer *server) {
    return server->path;
}
