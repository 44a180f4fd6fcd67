#include "debug_console.h"
#include "allocate.h"
#include <stdlib.h>

struct DebugConsole {
    void (*write)(void *opaque, uint8_t byte);
    void *opaque;
};

static uint32_t console_read(void *opaque, uint32_t offset, unsigned size) {
    (void)opaque, (void)offset, (void)size;
    return 0xE9;
}

static void console_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    DebugConsole *console = opaque;
    (void)offset, (void)size;
    if (console->write != NULL)
        console->write(console->opaque, (uint8_t)value);
}

DebugConsole *debug_console_create(const DeviceContext *context, uint16_t port,
                                   void (*write)(void *opaque, uint8_t byte), void *opaque,
                                   Error *error) {
    DebugConsole *console = allocate_zeroed(sizeof *console);
    const PortRange range = {"debug-console", port,          1,      PORT_8,
                             console_read,    console_write, console};
    if (!port_map_add(context->ports, &range, error)) {
        free(console);
        return NULL;
    }
    console->write = write;
    console->opaque = opaque;
    return console;
}

void debug_console_destroy(DebugConsole *console) {
    free(console);
}
