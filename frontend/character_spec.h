/* What a serial port, the monitor and their like are connected to, as the command line says it. */
#ifndef REPRISE_CHARACTER_SPEC_H
#define REPRISE_CHARACTER_SPEC_H

#include "error.h"
#include "key_values.h"
#include <stdbool.h>
#include <stdint.h>

typedef enum CharacterKind {
    CHARACTER_NONE, /* nothing there: the port is not even plugged in */
    CHARACTER_NULL, /* swallows everything */
    CHARACTER_STDIO,
    CHARACTER_FILE,   /* output only */
    CHARACTER_SOCKET, /* a unix or TCP socket, or one that the process inherited */
    CHARACTER_PTY,
    CHARACTER_TTY,   /* a device file of the host: a terminal, a serial line, /dev/null */
    CHARACTER_PIPE,  /* PATH.in and PATH.out, or one named pipe for both */
    CHARACTER_NAMED, /* chardev:ID */
} CharacterKind;

typedef struct CharacterSpec {
    CharacterKind kind;
    const char *id; /* of -chardev; NULL: none. Belongs to the settings */
    char path[256]; /* of the file or socket; the id of a named one */
    bool is_tcp, is_telnet;
    char host[128], port[16]; /* of a TCP socket; an empty host is this machine alone */
    bool has_fd;
    int fd; /* a socket of the parent process */
    bool server,
        wait;    /* sockets: listen, and wait for the first client before the machine starts */
    bool append; /* files */
    char log_path[256]; /* a file for all that goes out, whoever listens; "": none */
    bool log_append;
    bool no_signals; /* the terminal: Ctrl-C goes to the guest instead of ending the program */
    bool mux;        /* shared with the monitor, Ctrl-A switches */
} CharacterSpec;

/* As -serial and -monitor take it: "stdio", "file:PATH", "unix:PATH,server,nowait",
 * "tcp:HOST:PORT,server,nowait", "telnet:" likewise, "/dev/FILE", "pipe:PATH", "null", "none",
 * "pty", "mon:stdio", "chardev:ID". */
bool character_spec_parse(CharacterSpec *spec, const char *text, Error *error);

/* As -chardev takes it: "socket,id=x,path=PATH,server=on,wait=off". 'id' is left in 'values' for
 * the caller. */
bool character_spec_from_values(CharacterSpec *spec, KeyValues *values, Error *error);

#endif
