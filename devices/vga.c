/* The VGA adapter as a device: its State by field table, its place on the buses. */
#include "vga.h"
#include "allocate.h"
#include "cirrus.h"
#include "edid.h"
#include <stdlib.h>
#include <string.h>

enum { VBE_PORT = 0x1CE };

static const Field vga_state_fields[] = {
    FIELD(VgaState, U64, window_due_ns),
    FIELD_ARRAY(VgaState, U16, vbe),
    FIELD(VgaState, U16, vbe_index),
    FIELD(VgaState, U8, window_direct),
    FIELD(VgaState, U8, miscellaneous_output),
    FIELD(VgaState, U8, feature_control),
    FIELD(VgaState, U8, video_enable),
    FIELD(VgaState, U8, sequencer_index),
    FIELD(VgaState, U8, graphics_index),
    FIELD(VgaState, U8, crtc_index),
    FIELD(VgaState, U8, attribute_index),
    FIELD(VgaState, U8, attribute_flip_flop),
    FIELD(VgaState, U8, dac_mask),
    FIELD(VgaState, U8, dac_reading),
    FIELD(VgaState, U8, dac_read_index),
    FIELD(VgaState, U8, dac_write_index),
    FIELD(VgaState, U8, dac_component),
    FIELD_ARRAY(VgaState, U8, sequencer),
    FIELD_ARRAY(VgaState, U8, graphics),
    FIELD_ARRAY(VgaState, U8, crtc),
    FIELD_ARRAY(VgaState, U8, attribute),
    FIELD_ARRAY(VgaState, U8, latch),
    FIELD_ARRAY(VgaState, U8, dac_latch),
    FIELD_BYTES_OF(VgaState, dac),
    FIELD_PADDING(VgaState, padding),
    FIELD_END,
};

static const FieldTable vga_fields = {"VGA", 2, sizeof(VgaState), vga_state_fields};

/* ---- Ports ---- */

static uint32_t legacy_read(void *opaque, uint32_t offset, unsigned size) {
    (void)size;
    VgaPortWindow *window = opaque;
    return vga_port_read(window->vga, (uint16_t)(window->first + offset));
}

static void legacy_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    (void)size;
    VgaPortWindow *window = opaque;
    vga_port_write(window->vga, (uint16_t)(window->first + offset), (uint8_t)value);
}

/* The index register, then the data register, which answers at two ports. */
static uint32_t vbe_port_read(void *opaque, uint32_t offset, unsigned size) {
    (void)size;
    Vga *vga = opaque;
    return offset == 0 ? vga->state.vbe_index : vbe_read(vga, vga->state.vbe_index);
}

static void vbe_port_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    (void)size;
    Vga *vga = opaque;
    if (offset == 0)
        vga->state.vbe_index = (uint16_t)value;
    else
        vbe_write(vga, vga->state.vbe_index, (uint16_t)value);
}

static bool add_ports(Vga *vga, Error *error) {
    static const struct {
        const char *name;
        uint16_t first, count;
    } windows[VGA_PORT_WINDOWS] = {{"vga crtc (monochrome)", 0x3B4, 2},
                                   {"vga status (monochrome)", 0x3BA, 1},
                                   {"vga", 0x3C0, 16},
                                   {"vga crtc", 0x3D4, 2},
                                   {"vga status", 0x3DA, 1}};
    for (unsigned i = 0; i < VGA_PORT_WINDOWS; i++) {
        vga->windows[i] = (VgaPortWindow){vga, windows[i].first};
        PortRange range = {windows[i].name, windows[i].first, windows[i].count, PORT_8,
                           legacy_read,     legacy_write,     &vga->windows[i]};
        if (!port_map_add(vga->context.ports, &range, error))
            return false;
    }
    if (vga->cirrus != NULL)
        return true;
    /* Words only; the last port is the upper half of the third. */
    PortRange vbe = {"vbe", VBE_PORT, 4, PORT_16, vbe_port_read, vbe_port_write, vga};
    return port_map_add(vga->context.ports, &vbe, error);
}

/* ---- The device ---- */

static void vga_reset(void *device) {
    Vga *vga = device;
    timer_cancel(&vga->window_timer);
    vga_registers_reset(vga);
    vbe_reset(vga);
    if (vga->cirrus != NULL)
        cirrus_reset(vga);
    vga_timing_update(vga);
    vga_frame_log_clear(vga);
    vga_memory_decode(vga);
}

static void vga_restored(void *device) {
    Vga *vga = device;
    vga_registers_restored(vga);
    vbe_restored(vga);
    if (vga->cirrus != NULL)
        cirrus_restored(vga);
    vga_memory_restored(vga);
    vga_timing_update(vga);
    vga_frame_log_clear(vga);
    memset(vga->touched, 1, vga_pages(vga));
    vga->picture_changed = true;
}

static const DeviceClass vga_class = {"VGA", &vga_fields, vga_reset, vga_restored};

static void map_window(void *opaque) {
    vga_memory_map_window(opaque);
}

static void fill_spread(Vga *vga) {
    for (unsigned byte = 0; byte < 256; byte++)
        for (unsigned bit = 0; bit < 8; bit++)
            vga->spread[byte][bit] = byte >> (7 - bit) & 1;
}

static bool add_window(Vga *vga, Error *error) {
    MmioRange range = vga_window_range;
    range.opaque = vga;
    physical_map_remove(vga->context.memory, VGA_WINDOW_BASE, VGA_WINDOW_SIZE);
    return physical_map_add_mmio(vga->context.memory, &range, error);
}

static bool add_to_bus(Vga *vga, PciBus *bus, const VgaConfig *config, Error *error) {
    switch (config->model) {
    case VGA_ISA:
        return vga_add_isa(vga);
    case VGA_CIRRUS:
        return cirrus_add(vga, bus, config, error);
    default:
        return vga_add_standard(vga, bus, config, error);
    }
}

static bool check_memory_size(VgaModel model, uint32_t bytes, Error *error) {
    uint32_t most = model == VGA_CIRRUS ? CIRRUS_MEMORY_MOST : VGA_MEMORY_MOST;
    if (bytes >= VGA_MEMORY_LEAST && bytes <= most && (bytes & (bytes - 1)) == 0)
        return true;
    return error_set(error, "the display adapter's memory is a power of two, %u to %u MB",
                     VGA_MEMORY_LEAST >> 20, most >> 20);
}

Vga *vga_create(const DeviceContext *context, PciBus *bus, const VgaConfig *config, Error *error) {
    uint32_t usual = config->model == VGA_CIRRUS ? CIRRUS_MEMORY_MOST : VGA_VRAM_BYTES;
    uint32_t bytes = config->memory_bytes != 0 ? config->memory_bytes : usual;
    if (!check_memory_size(config->model, bytes, error))
        return NULL;
    const GuestRegion *region =
        physical_map_add_region(context->memory, "display memory", bytes, error);
    if (region == NULL)
        return NULL;
    Vga *vga = allocate_zeroed(sizeof *vga);
    vga->context = *context;
    vga->vram = region->host;
    vga->vram_bytes = bytes;
    vga->flags = region->flags;
    vga->touched = allocate_zeroed(vga_pages(vga));
    vga->log.changes = allocate_zeroed(VGA_LOG_CHANGES * sizeof vga->log.changes[0]);
    if (config->model == VGA_CIRRUS)
        vga->cirrus = cirrus_create(vga);
    if (!config->no_edid)
        edid_build(vga->edid, config->edid_width, config->edid_height);
    fill_spread(vga);
    timer_init(&vga->window_timer, context->clock, "vga window", &vga->state.window_due_ns,
               map_window, vga);
    if (!add_ports(vga, error) || !add_window(vga, error) || !add_to_bus(vga, bus, config, error)) {
        vga_destroy(vga);
        return NULL;
    }
    if (vga->cirrus != NULL) /* restored before the registers that its memory accesses go by */
        cirrus_plug_in(vga);
    device_list_add(context->devices, &vga_class, "vga", vga, &vga->state);
    vga_reset(vga);
    return vga;
}

void vga_destroy(Vga *vga) {
    if (vga == NULL)
        return;
    cirrus_destroy(vga->cirrus);
    free(vga->log.changes);
    free(vga->touched);
    free(vga);
}
