#include "mux.h"

#include <string.h>

#define ESCAPE 0x01 /* Ctrl-A */

static const char mux_help[] = "\r\n"
                               "C-a h    print this help\r\n"
                               "C-a x    exit\r\n"
                               "C-a c    switch between serial port and monitor\r\n"
                               "C-a C-a  send C-a\r\n";

static void pass(Mux *mux, uint8_t byte) {
    const CharacterClient *client = mux->on_monitor ? &mux->monitor : &mux->port;
    if (client->received != NULL)
        client->received(client->opaque, &byte, 1);
}

static void switch_client(Mux *mux) {
    mux->on_monitor = !mux->on_monitor;
    if (mux->on_monitor && mux->monitor.connected != NULL) {
        character_device_write(mux->device, "\r\n", 2);
        mux->monitor.connected(mux->monitor.opaque);
    }
}

static void run_escape(Mux *mux, uint8_t byte) {
    switch (byte) {
    case 'x':
        mux->quit(mux->quit_opaque);
        break;
    case 'c':
        switch_client(mux);
        break;
    case 'h':
    case '?':
        character_device_write(mux->device, mux_help, strlen(mux_help));
        break;
    case ESCAPE:
        pass(mux, ESCAPE);
        break;
    default:
        break;
    }
}

static void receive(void *opaque, const uint8_t *data, size_t size) {
    Mux *mux = opaque;
    for (size_t i = 0; i < size; i++) {
        if (mux->escaped) {
            mux->escaped = false;
            run_escape(mux, data[i]);
        } else if (data[i] == ESCAPE) {
            mux->escaped = true;
        } else {
            pass(mux, data[i]);
        }
    }
}

void mux_attach(Mux *mux) {
    CharacterClient client = {.received = receive, .opaque = mux};
    character_device_set_client(mux->device, &client);
}
