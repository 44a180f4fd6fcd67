/* The message "QEMU extended key event" (the RFB protocol's community specification): a client that
 * is told of it sends the place of a key beside its symbol, so that layouts of other countries
 * reach the guest unchanged. */
#include "vnc_internal.h"

#include <string.h>

enum {
    MESSAGE_QEMU = 255,
    SUBMESSAGE_KEY = 0,
    KEY_MESSAGE_REST = 11, /* submessage, down (2 bytes), symbol and code (4 each) */
    UPDATE_BYTES = 4 + 12, /* a FramebufferUpdate with one rectangle */
};

/* A client that can: a rectangle with that encoding and nothing in it tells that we can, too. */
static rfbBool enable(rfbClientPtr client, void **data, int encoding) {
    VncServer *server = client->screen->screenData;
    uint8_t update[UPDATE_BYTES] = {0, 0, 0, 1, [12] = 0xFF, 0xFF, 0xFE, 0xFE};
    (void)data;
    if (encoding != (int)rfbEncodingQemuExtendedKeyEvent)
        return FALSE;
    return server->vnc.rfbWriteExact(client, (char *)update, sizeof(update)) > 0;
}

/* Codes are those of set 1, with bit 7 for E0h before them. */
static int find_code(uint32_t code) {
    uint16_t set1 = (uint16_t)((code & 0x7F) | (code & 0x80 ? 0xE000 : 0));
    for (int key = 0; code != 0 && code <= 0xFF && key < KEYBOARD_KEY_COUNT; key++)
        if (keyboard_key_info(key)->code[0] == set1)
            return key;
    return -1;
}

static uint32_t read_be32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static rfbBool handle(rfbClientPtr client, void *data, const rfbClientToServerMsg *message) {
    VncServer *server = client->screen->screenData;
    uint8_t rest[KEY_MESSAGE_REST];
    (void)data;
    if (message->type != MESSAGE_QEMU)
        return FALSE;
    if (server->vnc.rfbReadExact(client, (char *)rest, sizeof(rest)) <= 0 ||
        rest[0] != SUBMESSAGE_KEY) {
        server->vnc.rfbCloseClient(client);
        return TRUE;
    }
    uint32_t code = read_be32(rest + 7);
    int key = find_code(code);
    bool down = rest[1] != 0 || rest[2] != 0;
    if (key >= 0)
        vnc_input_key(server, key, down);
    else
        vnc_input_symbol(server, read_be32(rest + 3), down);
    return TRUE;
}

static rfbBool start(rfbClientPtr client, void **data) {
    (void)client;
    *data = NULL;
    return TRUE;
}

/* The library keeps one list of them for the process. */
static int encodings[] = {(int)rfbEncodingQemuExtendedKeyEvent, 0};
static rfbProtocolExtension extension = {.newClient = start,
                                         .pseudoEncodings = encodings,
                                         .enablePseudoEncoding = enable,
                                         .handleMessage = handle};

void vnc_extended_key_register(VncServer *server) {
    server->vnc.rfbRegisterProtocolExtension(&extension);
}

void vnc_extended_key_unregister(VncServer *server) {
    server->vnc.rfbUnregisterProtocolExtension(&extension);
}
