/* The guest's picture for VNC clients: what differs from what they know is marked, and nothing else
 * is sent. */
#include "machine_parts.h"
#include "vnc_internal.h"

#include <stdlib.h>
#include <string.h>

enum { START_WIDTH = 640, START_HEIGHT = 480, SAMPLE_BITS = 8, SAMPLES = 3, PIXEL_BYTES = 4 };

static void allocate(VncServer *server, uint32_t width, uint32_t height) {
    server->width = width;
    server->height = height;
    server->pixels = calloc((size_t)width * height, sizeof(uint32_t));
    server->line = realloc(server->line, (size_t)width * sizeof(uint32_t));
}

bool vnc_screen_init(VncServer *server) {
    allocate(server, START_WIDTH, START_HEIGHT);
    server->screen = server->vnc.rfbGetScreen(NULL, NULL, START_WIDTH, START_HEIGHT, SAMPLE_BITS,
                                              SAMPLES, PIXEL_BYTES);
    if (server->screen == NULL)
        return false;
    server->screen->frameBuffer = (char *)server->pixels;
    return true;
}

void vnc_screen_free(VncServer *server) {
    if (server->screen != NULL)
        server->vnc.rfbScreenCleanup(server->screen);
    free(server->pixels);
    free(server->line);
}

static void resize(VncServer *server, uint32_t width, uint32_t height) {
    uint32_t *old = server->pixels;
    allocate(server, width, height);
    server->vnc.rfbNewFramebuffer(server->screen, (char *)server->pixels, (int)width, (int)height,
                                  SAMPLE_BITS, SAMPLES, PIXEL_BYTES);
    free(old);
}

/* The library's own order of colours has red in the lowest byte; the surface has blue there. */
static void convert_line(uint32_t *line, const uint32_t *pixels, uint32_t width) {
    for (uint32_t x = 0; x < width; x++)
        line[x] = (pixels[x] & 0x00FF00) | (pixels[x] >> 16 & 0xFF) | (pixels[x] & 0xFF) << 16;
}

static void update_line(VncServer *server, const DisplaySurface *frame, uint32_t y) {
    uint32_t *known = server->pixels + (size_t)y * server->width;
    uint32_t first = 0, end = server->width;
    convert_line(server->line, display_surface_line(frame, y), server->width);
    while (first < end && server->line[first] == known[first])
        first++;
    while (end > first && server->line[end - 1] == known[end - 1])
        end--;
    if (first == end)
        return;
    memcpy(known + first, server->line + first, (end - first) * sizeof(uint32_t));
    server->vnc.rfbMarkRectAsModified(server->screen, (int)first, (int)y, (int)end, (int)y + 1);
}

/* A client that has just come is told the size before it says whether it can be told of another:
 * that waits, but not for ever.
 */
static bool can_resize(VncServer *server) {
    enum { UPDATES_WAITED = 60 };
    for (rfbClientPtr client = server->screen->clientHead; client != NULL; client = client->next)
        if (client->preferredEncoding == -1 && server->updates_held < UPDATES_WAITED) {
            server->updates_held++;
            return false;
        }
    server->updates_held = 0;
    return true;
}

static void serve_frame(void *opaque) {
    machine_serve_frame(opaque);
}

void vnc_screen_refresh(VncServer *server) {
    if (server->machine == NULL || server->clients != 0)
        return;
    machine_request_frame(server->machine);
    machine_call(server->machine, serve_frame, server->machine);
    vnc_screen_update(server);
}

void vnc_screen_update(VncServer *server) {
    uint64_t number;
    if (server->machine == NULL)
        return;
    machine_request_frame(server->machine);
    const DisplaySurface *frame = machine_lock_frame(server->machine, &number);
    bool resized = frame->width != server->width || frame->height != server->height;
    if (number != server->frame_number && frame->pixels != NULL &&
        (!resized || can_resize(server))) {
        if (resized)
            resize(server, frame->width, frame->height);
        for (uint32_t y = 0; y < server->height; y++)
            update_line(server, frame, y);
        server->frame_number = number;
    }
    machine_unlock_frame(server->machine);
}
