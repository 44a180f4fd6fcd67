/* The VGA adapter as a device: its State by field table, its place on the buses. */
#include "vga.h"
#include "allocate.h"
#include "edid.h"
#include "vga_internal.h"
#include <stdlib.h>
#include <string.h>

enum {
    VENDOR_ID = 0x1234,
    DEVICE_ID = 0x1111,
    REVISION = 2, /* tells drivers that the registers at 600h of BAR 2 are there */
    CLASS_VGA = 0x030000,
    SUBSYSTEM_VENDOR_ID = 0x1AF4,
    SUBSYSTEM_ID = 0x1100,
    BAR_FRAME_BUFFER = 0,
    BAR_REGISTERS = 2,
    REGISTERS_SIZE = 0x1000,
    REGISTERS_PORTS = 0x400, /* ports 3C0h to 3DFh */
    REGISTERS_PORTS_COUNT = 0x20,
    REGISTERS_VBE = 0x500,
    REGISTERS_EXTENSION = 0x600, /* size of this block, then the frame buffer's byte order */
    EXTENSION_SIZE = 8,
    VBE_PORT = 0x1CE,
};
#define BYTE_ORDER_LITTLE 0x1E1E1E1Eu

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
    /* Words only; the last port is the upper half of the third. */
    PortRange vbe = {"vbe", VBE_PORT, 4, PORT_16, vbe_port_read, vbe_port_write, vga};
    return port_map_add(vga->context.ports, &vbe, error);
}

/* ---- BAR 2: the registers in memory ---- */

static uint32_t register_read_byte(Vga *vga, uint32_t offset) {
    if (offset < EDID_SIZE)
        return edid_block[offset];
    if (offset - REGISTERS_PORTS < REGISTERS_PORTS_COUNT)
        return vga_port_read(vga, (uint16_t)(0x3C0 + offset - REGISTERS_PORTS));
    if (offset - REGISTERS_VBE < 2 * VBE_REGISTERS)
        return vbe_read(vga, (offset - REGISTERS_VBE) / 2) >> (offset & 1) * 8 & 0xFF;
    if (offset - REGISTERS_EXTENSION < 4)
        return EXTENSION_SIZE >> (offset & 3) * 8 & 0xFF;
    if (offset - REGISTERS_EXTENSION < EXTENSION_SIZE)
        return BYTE_ORDER_LITTLE & 0xFF;
    return 0;
}

static uint32_t registers_read(void *opaque, uint32_t offset, unsigned size) {
    uint32_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= register_read_byte(opaque, offset + i) << 8 * i;
    return value;
}

/* VBE registers take words only, as their ports do. */
static void registers_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Vga *vga = opaque;
    if (offset - REGISTERS_PORTS < REGISTERS_PORTS_COUNT)
        for (unsigned i = 0; i < size; i++)
            vga_port_write(vga, (uint16_t)(0x3C0 + offset - REGISTERS_PORTS + i),
                           (uint8_t)(value >> 8 * i));
    else if (offset - REGISTERS_VBE < 2 * VBE_REGISTERS)
        for (unsigned i = 0; i + 1 < size; i += 2)
            vbe_write(vga, (offset - REGISTERS_VBE + i) / 2, (uint16_t)(value >> 8 * i));
}

/* ---- PCI ---- */

static bool place_is_free(const PhysicalMap *memory, uint32_t base, uint32_t size) {
    for (uint32_t number = base >> PAGE_BITS; number < (base + size) >> PAGE_BITS; number++) {
        const PhysicalPage page = physical_map_page(memory, number);
        if (page.read != NULL || page.write != NULL ||
            physical_map_find_mmio(memory, number << PAGE_BITS) != NULL)
            return false;
    }
    return true;
}

static void map_bar(void *opaque, unsigned bar, uint32_t base) {
    Vga *vga = opaque;
    PhysicalMap *memory = vga->context.memory;
    if (bar == BAR_FRAME_BUFFER && place_is_free(memory, base, VGA_VRAM_BYTES)) {
        physical_map_add_memory(memory, base, VGA_VRAM_BYTES, vga->vram, vga->flags, true);
        vga->frame_buffer_mapped = true;
        vga->frame_buffer_base = base;
    } else if (bar == BAR_REGISTERS && place_is_free(memory, base, REGISTERS_SIZE)) {
        MmioRange range = {"vga registers", base, REGISTERS_SIZE, registers_read,
                           registers_write, vga,  false};
        vga->registers_mapped = physical_map_add_mmio(memory, &range, NULL);
    }
}

static void unmap_bar(void *opaque, unsigned bar, uint32_t base) {
    Vga *vga = opaque;
    if (bar == BAR_FRAME_BUFFER && vga->frame_buffer_mapped) {
        physical_map_remove(vga->context.memory, base, VGA_VRAM_BYTES);
        vga->frame_buffer_mapped = false;
    } else if (bar == BAR_REGISTERS && vga->registers_mapped) {
        physical_map_remove_mmio(vga->context.memory, base, vga);
        vga->registers_mapped = false;
    }
}

static bool add_pci_device(Vga *vga, PciBus *bus, const VgaConfig *config, Error *error) {
    PciDeviceInfo info = {
        .name = "VGA",
        .vendor_id = VENDOR_ID,
        .device_id = DEVICE_ID,
        .class_code = CLASS_VGA,
        .revision = REVISION,
        .subsystem_vendor_id = SUBSYSTEM_VENDOR_ID,
        .subsystem_id = SUBSYSTEM_ID,
        .bars = {[BAR_FRAME_BUFFER] = {PCI_BAR_MEMORY_PREFETCHABLE, VGA_VRAM_BYTES},
                 [BAR_REGISTERS] = {PCI_BAR_MEMORY, REGISTERS_SIZE}},
        .rom = config->rom,
        .rom_size = config->rom_size,
        .opaque = vga,
        .map = map_bar,
        .unmap = unmap_bar,
    };
    vga->pci = pci_device_add(bus, config->slot, 0, &info, error);
    return vga->pci != NULL;
}

/* ---- The device ---- */

static void vga_reset(void *device) {
    Vga *vga = device;
    timer_cancel(&vga->window_timer);
    vga_registers_reset(vga);
    vbe_reset(vga);
    vga_memory_decode(vga);
}

static void vga_restored(void *device) {
    Vga *vga = device;
    vga_registers_restored(vga);
    vbe_restored(vga);
    vga_memory_restored(vga);
    memset(vga->touched, 1, sizeof vga->touched);
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

Vga *vga_create(const DeviceContext *context, PciBus *bus, const VgaConfig *config, Error *error) {
    const GuestRegion *region =
        physical_map_add_region(context->memory, "display memory", VGA_VRAM_BYTES, error);
    if (region == NULL)
        return NULL;
    Vga *vga = allocate_zeroed(sizeof *vga);
    vga->context = *context;
    vga->vram = region->host;
    vga->flags = region->flags;
    fill_spread(vga);
    timer_init(&vga->window_timer, context->clock, "vga window", &vga->state.window_due_ns,
               map_window, vga);
    if (!add_ports(vga, error) || !add_window(vga, error) ||
        !add_pci_device(vga, bus, config, error)) {
        vga_destroy(vga);
        return NULL;
    }
    device_list_add(context->devices, &vga_class, "vga", vga, &vga->state);
    vga_reset(vga);
    return vga;
}

void vga_destroy(Vga *vga) {
    free(vga);
}
