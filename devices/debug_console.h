/* A port to which firmware and test programs print: E9h (Bochs) or 402h (SeaBIOS). Reading it gives
 * E9h: it is there. */
#ifndef REPRISE_DEBUG_CONSOLE_H
#define REPRISE_DEBUG_CONSOLE_H

#include "device_context.h"

typedef struct DebugConsole DebugConsole;

/* 'write' takes each byte written to 'port'. The console has no state. */
DebugConsole *debug_console_create(const DeviceContext *context, uint16_t port,
                                   void (*write)(void *opaque, uint8_t byte), void *opaque,
                                   Error *error);
void debug_console_destroy(DebugConsole *console);

#endif
