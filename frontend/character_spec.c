#include "character_spec.h"
#include "nearest_name.h"

#include <stdio.h>
#include <string.h>

typedef struct CharacterKindName {
    const char *name; /* as -serial spells it */
    CharacterKind kind;
    bool takes_path;
} CharacterKindName;

static const CharacterKindName kind_names[] = {
    {"none", CHARACTER_NONE, false},     {"null", CHARACTER_NULL, false},
    {"vc", CHARACTER_NULL, false},       {"stdio", CHARACTER_STDIO, false},
    {"pty", CHARACTER_PTY, false},       {"file:", CHARACTER_FILE, true},
    {"unix:", CHARACTER_SOCKET, true},   {"tcp:", CHARACTER_SOCKET, true},
    {"telnet:", CHARACTER_SOCKET, true}, {"pipe:", CHARACTER_PIPE, true},
    {"chardev:", CHARACTER_NAMED, true},
};
#define KIND_NAMES (sizeof(kind_names) / sizeof(kind_names[0]))

static bool set_path(CharacterSpec *spec, const char *path, Error *error) {
    if (path == NULL || *path == '\0')
        return error_set(error, "a path is missing");
    if (snprintf(spec->path, sizeof(spec->path), "%s", path) >= (int)sizeof(spec->path))
        return error_set(error, "the path '%.40s...' is too long", path);
    return true;
}

static bool set_tcp_address(CharacterSpec *spec, const char *host, const char *port, Error *error) {
    spec->is_tcp = true;
    if (port == NULL || *port == '\0')
        return error_set(error, "a port is missing");
    if (snprintf(spec->host, sizeof(spec->host), "%s", host) >= (int)sizeof(spec->host) ||
        snprintf(spec->port, sizeof(spec->port), "%s", port) >= (int)sizeof(spec->port))
        return error_set(error, "the address '%.40s:%.20s' is too long", host, port);
    return true;
}

/* "HOST:PORT", ":PORT" or "[::1]:PORT" */
static bool parse_tcp_address(CharacterSpec *spec, const char *text, Error *error) {
    char host[sizeof(spec->host)];
    const char *colon = text != NULL ? strrchr(text, ':') : NULL;
    if (colon == NULL || colon - text >= (ptrdiff_t)sizeof(host))
        return error_set(error, "a TCP socket is HOST:PORT");
    bool bracketed = *text == '[' && colon > text + 1 && colon[-1] == ']';
    snprintf(host, sizeof(host), "%.*s", (int)(colon - text) - (bracketed ? 2 : 0),
             text + (bracketed ? 1 : 0));
    return set_tcp_address(spec, host, colon + 1, error);
}

static bool read_socket_settings(CharacterSpec *spec, KeyValues *values, Error *error) {
    bool wait_given = key_values_get(values, "wait") != NULL;
    if (!key_values_get_bool(values, "server", false, &spec->server, error) ||
        !key_values_get_bool(values, "wait", spec->server, &spec->wait, error))
        return false;
    if (wait_given && !spec->server)
        return error_set(error, "'wait' is for sockets with 'server=on'");
    return true;
}

/* "PATH,server,nowait" */
static bool parse_socket(CharacterSpec *spec, const char *text, bool is_tcp, Error *error) {
    bool ignored;
    KeyValues values = {.items = NULL};
    bool good = key_values_parse(&values, text, "path", error);
    const char *address = key_values_get(&values, "path");
    good = good &&
           (is_tcp ? parse_tcp_address(spec, address, error) : set_path(spec, address, error)) &&
           read_socket_settings(spec, &values, error) &&
           key_values_get_bool(&values, "nodelay", true, &ignored, error) &&
           key_values_get_bool(&values, "delay", false, &ignored, error) &&
           key_values_get_bool(&values, "telnet", spec->is_telnet, &spec->is_telnet, error) &&
           key_values_check_used(&values, "server wait nodelay telnet", error);
    key_values_free(&values);
    return good;
}

static bool parse_kind(CharacterSpec *spec, const CharacterKindName *row, const char *path,
                       Error *error) {
    spec->kind = row->kind;
    spec->is_telnet = strcmp(row->name, "telnet:") == 0;
    if (row->kind == CHARACTER_SOCKET)
        return parse_socket(spec, path, strcmp(row->name, "unix:") != 0, error);
    return !row->takes_path || set_path(spec, path, error);
}

bool character_spec_parse(CharacterSpec *spec, const char *text, Error *error) {
    *spec = (CharacterSpec){.kind = CHARACTER_NONE};
    if (strncmp(text, "mon:", 4) == 0) {
        spec->mux = spec->no_signals = true;
        text += 4;
    }
    if (strncmp(text, "/dev/", 5) == 0) {
        spec->kind = CHARACTER_TTY;
        return set_path(spec, text, error);
    }
    if (strncmp(text, "vc:", 3) == 0) /* a size, of a console that nobody looks at */
        text = "vc";
    char kind[32]; /* "file:" of "file:PATH": what is compared for 'did you mean' */
    size_t colon = strcspn(text, ":");
    snprintf(kind, sizeof(kind), "%.*s", (int)(colon + (text[colon] == ':')), text);
    NearestName nearest = {.wanted = kind};
    for (size_t i = 0; i < KIND_NAMES; i++) {
        const CharacterKindName *row = &kind_names[i];
        size_t length = strlen(row->name);
        if (row->takes_path ? strncmp(text, row->name, length) == 0 : strcmp(text, row->name) == 0)
            return parse_kind(spec, row, text + length, error) ||
                   error_prefix(error, "'%s': ", text);
        nearest_name_consider(&nearest, row->name);
    }
    const char *best = nearest_name_get(&nearest);
    if (best != NULL)
        return error_set(error, "unknown character device '%s'; did you mean '%s'?", text, best);
    return error_set(error,
                     "unknown character device '%s'; known are stdio, file:PATH, "
                     "unix:PATH[,server,nowait], tcp:HOST:PORT[,server,nowait], "
                     "telnet:HOST:PORT[,server,nowait], "
                     "/dev/FILE, pipe:PATH, pty, null, none, chardev:ID",
                     text);
}

/* fd=, host= and port=, or path= */
static bool read_socket(CharacterSpec *spec, KeyValues *values, Error *error) {
    const char *host = key_values_get(values, "host");
    const char *port = key_values_get(values, "port");
    uint64_t fd;
    bool ignored;
    spec->has_fd = key_values_get(values, "fd") != NULL;
    if (!key_values_get_number(values, "fd", 0, &fd, error) ||
        !key_values_get_bool(values, "nodelay", true, &ignored, error) ||
        !key_values_get_bool(values, "ipv4", true, &ignored, error) ||
        !key_values_get_bool(values, "ipv6", true, &ignored, error) ||
        !key_values_get_bool(values, "telnet", false, &spec->is_telnet, error) ||
        !read_socket_settings(spec, values, error))
        return false;
    key_values_get(values, "to");
    spec->fd = fd > INT32_MAX ? -1 : (int)fd;
    if (spec->has_fd)
        return true;
    if (host != NULL || port != NULL)
        return set_tcp_address(spec, host != NULL ? host : "", port, error);
    return set_path(spec, key_values_get(values, "path"), error);
}

static bool read_log(CharacterSpec *spec, KeyValues *values, Error *error) {
    const char *path = key_values_get(values, "logfile");
    if (path != NULL && snprintf(spec->log_path, sizeof(spec->log_path), "%s", path) >= 256)
        return error_set(error, "the path '%.40s...' is too long", path);
    return key_values_get_bool(values, "logappend", false, &spec->log_append, error);
}

static bool read_kind(CharacterSpec *spec, KeyValues *values, Error *error) {
    const char *backend = key_values_get(values, "backend");
    if (backend == NULL)
        return error_set(error, "the kind of character device is missing");
    if (strcmp(backend, "socket") == 0) {
        spec->kind = CHARACTER_SOCKET;
        return read_socket(spec, values, error);
    }
    if (strcmp(backend, "ringbuf") == 0) /* nobody can ask for what it kept: only its log is read */
        return true;
    if (strcmp(backend, "file") == 0) {
        spec->kind = CHARACTER_FILE;
        return set_path(spec, key_values_get(values, "path"), error) &&
               key_values_get_bool(values, "append", false, &spec->append, error);
    }
    static const struct {
        const char *name;
        CharacterKind kind;
    } paths[] = {{"pipe", CHARACTER_PIPE},
                 {"tty", CHARACTER_TTY},
                 {"serial", CHARACTER_TTY},
                 {"parport", CHARACTER_TTY},
                 {"parallel", CHARACTER_TTY}};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (strcmp(backend, paths[i].name) == 0) {
            spec->kind = paths[i].kind;
            return set_path(spec, key_values_get(values, "path"), error);
        }
    }
    for (size_t i = 0; i < KIND_NAMES; i++) {
        if (!kind_names[i].takes_path && strcmp(backend, kind_names[i].name) == 0) {
            spec->kind = kind_names[i].kind;
            return true;
        }
    }
    return error_set(error,
                     "unknown character device '%s'; known are socket, file, pipe, tty, stdio, "
                     "pty, ringbuf, null",
                     backend);
}

bool character_spec_from_values(CharacterSpec *spec, KeyValues *values, Error *error) {
    *spec = (CharacterSpec){.kind = CHARACTER_NULL};
    bool signals;
    static const char *const ignored[] = {"size", "width", "height", "cols", "rows"};
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        key_values_get(values, ignored[i]);
    if (!read_kind(spec, values, error) || !read_log(spec, values, error) ||
        !key_values_get_bool(values, "mux", false, &spec->mux, error) ||
        !key_values_get_bool(values, "signal", true, &signals, error))
        return false;
    spec->no_signals = !signals;
    return key_values_check_used(
        values,
        "id path host port fd nodelay server wait append mux signal logfile "
        "logappend size",
        error);
}
