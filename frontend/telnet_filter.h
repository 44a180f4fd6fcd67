/* The commands of a telnet client (RFC 854) between the bytes that somebody types: they are taken
 * out, and answered by nothing, as all that is offered is said first. */
#ifndef REPRISE_TELNET_FILTER_H
#define REPRISE_TELNET_FILTER_H

#include <stddef.h>
#include <stdint.h>

typedef enum TelnetState {
    TELNET_DATA,
    TELNET_COMMAND,   /* after IAC */
    TELNET_OPTION,    /* after WILL, WONT, DO or DONT */
    TELNET_NEGOTIATE, /* within a subnegotiation */
    TELNET_NEGOTIATE_COMMAND,
} TelnetState;

/* What the server says first: it echoes, suppresses go-ahead, and both sides send all bytes. */
#define TELNET_GREETING "\377\373\001\377\373\003\377\373\000\377\375\000"
#define TELNET_GREETING_BYTES 12

/* Leaves what was typed in 'bytes'; returns how much that is. */
size_t telnet_filter(TelnetState *state, uint8_t *bytes, size_t size);

#endif
