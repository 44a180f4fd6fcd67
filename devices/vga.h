/* VGA adapters. Registers and memory of IBM's VGA, with one of two extensions:
 *
 * - Bochs VBE: linear modes up to 32 bits a pixel by a handful of registers. As PCI adapter it is
 *   the "standard VGA" (1234h:1111h) that SeaBIOS's vgabios-stdvga knows; it exists for the ISA bus
 *   too.
 * - Cirrus Logic's GD5446 (1013h:00B8h), for which old systems have drivers (cirrus.h). */
#ifndef REPRISE_VGA_H
#define REPRISE_VGA_H

#include "byte_buffer.h"
#include "device_context.h"
#include "display_surface.h"
#include "pci.h"

typedef struct Vga Vga;

typedef enum VgaModel { VGA_STANDARD, VGA_ISA, VGA_CIRRUS } VgaModel;

/* Video memory is a power of two between these. */
#define VGA_MEMORY_LEAST (1u << 20)
#define VGA_MEMORY_MOST (256u << 20)
#define CIRRUS_MEMORY_MOST (4u << 20)

typedef struct VgaConfig {
    VgaModel model;
    unsigned slot;         /* on PCI bus 0 */
    uint32_t memory_bytes; /* 0: as usual for the model */
    const uint8_t *rom;    /* the VGA BIOS, copied; NULL: none. Not of the ISA model */
    uint32_t rom_size;
    bool no_edid;                     /* the display does not identify itself */
    uint16_t edid_width, edid_height; /* the mode that it prefers; 0: edid.h's */
} VgaConfig;

/* Plugs the adapter in: legacy ports and memory, and where it is one the PCI device with its frame
 * buffer and registers. 'bus' may be NULL for the ISA model. NULL and 'error' if a place is taken.
 */
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
