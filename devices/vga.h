/* VGA with Bochs VBE extensions: the "standard VGA" PCI adapter (1234h:1111h) that SeaBIOS's
 * vgabios-stdvga knows. Registers and memory are those of IBM's VGA; the extensions add linear
 * modes up to 32 bits a pixel. */
#ifndef REPRISE_VGA_H
#define REPRISE_VGA_H

#include "byte_buffer.h"
#include "device_context.h"
#include "display_surface.h"
#include "pci.h"

typedef struct Vga Vga;

typedef struct VgaConfig {
    unsigned slot;      /* on PCI bus 0 */
    const uint8_t *rom; /* the VGA BIOS, copied; NULL: none */
    uint32_t rom_size;
} VgaConfig;

/* Plugs the adapter in: legacy ports and memory, and the PCI device with its frame buffer (BAR 0)
 * and registers (BAR 2). NULL and 'error' if a place is taken. */
Vga *vga_create(const DeviceContext *context, PciBus *bus, const VgaConfig *config, Error *error);
/* Frees it; ports, memory map and PCI bus must not be used for guest accesses afterwards. */
void vga_destroy(Vga *vga);

/* Draws the present picture into 'surface', which is resized to the mode's natural size, as much of
 * it as changed since it was last drawn there. False: nothing changed. To be called on the thread
 * that runs the machine. Any number of surfaces may be used, each for one adapter only. */
bool vga_render(Vga *vga, DisplaySurface *surface);

/* Appends the text screen as UTF-8, one line a row, each without its trailing spaces and ended by a
 * line feed. False, and nothing appended, in graphics modes. */
bool vga_get_text(const Vga *vga, ByteBuffer *text);

/* How large a character of the text screen is, in pixels of the picture. */
void vga_get_text_cell(const Vga *vga, uint32_t *width, uint32_t *height);

/* How long the adapter takes for a frame at present. */
int64_t vga_frame_ns(const Vga *vga);

#endif
