#include "telnet_filter.h"

#include <stdbool.h>

/* RFC 854: codes after IAC, "interpret as command". */
enum { CODE_SE = 240, CODE_SB = 250, CODE_WILL = 251, CODE_DONT = 254, CODE_IAC = 255 };

/* True if the byte is one that was typed. */
static bool take_byte(TelnetState *state, uint8_t byte) {
    switch (*state) {
    case TELNET_DATA:
        if (byte == CODE_IAC)
            *state = TELNET_COMMAND;
        return byte != CODE_IAC;
    case TELNET_COMMAND:
        *state = byte == CODE_SB                          ? TELNET_NEGOTIATE
                 : byte >= CODE_WILL && byte <= CODE_DONT ? TELNET_OPTION
                                                          : TELNET_DATA;
        return byte == CODE_IAC; /* twice: the byte itself */
    case TELNET_OPTION:
        *state = TELNET_DATA;
        return false;
    case TELNET_NEGOTIATE:
        if (byte == CODE_IAC)
            *state = TELNET_NEGOTIATE_COMMAND;
        return false;
    case TELNET_NEGOTIATE_COMMAND:
        *state = byte == CODE_SE ? TELNET_DATA : TELNET_NEGOTIATE;
        return false;
    }
    return false;
}

size_t telnet_filter(TelnetState *state, uint8_t *bytes, size_t size) {
    size_t left = 0;
    for (size_t i = 0; i < size; i++)
        if (take_byte(state, bytes[i]))
            bytes[left++] = bytes[i];
    return left;
}
