/* The GD5446 as a device: its State, its PCI device with linear memory in BAR 0 and registers in
 * BAR 1.
 *
 * Linear memory is plain memory to the processor but while the blitter waits for data there, or a
 * register gives its addresses another meaning. Since a change of the map costs the translator
 * dearly, it comes back only when that did not happen for a while. */
#include "cirrus.h"
#include "allocate.h"
#include <stdlib.h>
#include <string.h>

enum {
    VENDOR_ID = 0x1013,
    DEVICE_ID = 0x00B8,
    CLASS_VGA = 0x030000,
    BAR_LINEAR = 0,
    BAR_REGISTERS = 1,
};

/* Until linear memory that may be plain becomes it. */
#define LINEAR_SETTLE_NS 20000000

static const Field blit_fields[] = {
    FIELD(CirrusBlit, U32, destination),
    FIELD(CirrusBlit, U32, source),
    FIELD(CirrusBlit, U32, destination_pitch),
    FIELD(CirrusBlit, U32, source_pitch),
    FIELD(CirrusBlit, U32, width),
    FIELD(CirrusBlit, U32, lines),
    FIELD(CirrusBlit, U32, line_bytes),
    FIELD(CirrusBlit, U32, line_done),
    FIELD(CirrusBlit, U32, foreground),
    FIELD(CirrusBlit, U32, background),
    FIELD(CirrusBlit, U16, transparent),
    FIELD(CirrusBlit, U16, transparent_mask),
    FIELD(CirrusBlit, U8, mode),
    FIELD(CirrusBlit, U8, extensions),
    FIELD(CirrusBlit, U8, rop),
    FIELD(CirrusBlit, U8, left_clip),
    FIELD(CirrusBlit, U8, phase),
    FIELD(CirrusBlit, U8, pattern_row),
    FIELD_PADDING(CirrusBlit, padding),
    FIELD_END,
};
static const FieldTable blit_table = {"BitBLT", 1, sizeof(CirrusBlit), blit_fields};

static const Field cirrus_state_fields[] = {
    FIELD(CirrusState, U64, linear_due_ns),   FIELD_ONE_STRUCT(CirrusState, blit, &blit_table),
    FIELD(CirrusState, U16, cursor_x),        FIELD(CirrusState, U16, cursor_y),
    FIELD(CirrusState, U8, linear_direct),    FIELD(CirrusState, U8, hidden_dac),
    FIELD(CirrusState, U8, hidden_dac_reads), FIELD(CirrusState, U8, pixel_mask),
    FIELD_ARRAY(CirrusState, U8, sequencer),  FIELD_ARRAY(CirrusState, U8, graphics),
    FIELD_ARRAY(CirrusState, U8, crtc),       FIELD_BYTES_OF(CirrusState, cursor_colours),
    FIELD_BYTES_OF(CirrusState, line),        FIELD_END,
};
static const FieldTable cirrus_fields = {"cirrus-vga", 1, sizeof(CirrusState), cirrus_state_fields};

/* Reset and restored with the VGA that it belongs to. */
static const DeviceClass cirrus_class = {"cirrus-vga", &cirrus_fields, NULL, NULL};

/* ---- Linear memory ---- */

static void show_linear(Vga *vga, bool direct) {
    const Cirrus *cirrus = vga->cirrus;
    if (!cirrus->linear_here || direct == vga->frame_buffer_mapped)
        return;
    PhysicalMap *memory = vga->context.memory;
    if (direct)
        physical_map_add_memory(memory, cirrus->linear_base, vga->vram_bytes, vga->vram, vga->flags,
                                true);
    else
        physical_map_remove(memory, cirrus->linear_base, vga->vram_bytes);
    vga->frame_buffer_mapped = direct;
    vga->frame_buffer_base = cirrus->linear_base;
}

void cirrus_update_linear(Vga *vga) {
    Cirrus *cirrus = vga->cirrus;
    if (!cirrus_linear_is_plain(vga)) {
        cirrus->state.linear_direct = 0;
        show_linear(vga, false);
    }
    /* A further blit puts it off. */
    if (cirrus->state.linear_direct == 0)
        timer_arm(&cirrus->linear_timer, clock_now_ns(vga->context.clock) + LINEAR_SETTLE_NS);
}

/* If it is not plain yet, the register write or the end of the blit that makes it so comes here
 * again. */
static void settle_linear(void *opaque) {
    Vga *vga = opaque;
    if (!cirrus_linear_is_plain(vga))
        return;
    vga->cirrus->state.linear_direct = 1;
    show_linear(vga, true);
}

/* ---- PCI ---- */

static void map_bar(void *opaque, unsigned bar, uint32_t base) {
    Vga *vga = opaque;
    Cirrus *cirrus = vga->cirrus;
    PhysicalMap *memory = vga->context.memory;
    uint32_t size = bar == BAR_LINEAR ? CIRRUS_LINEAR_SIZE : cirrus_mmio_range.size;
    if (!vga_place_is_free(memory, base, size))
        return;
    if (bar == BAR_REGISTERS) {
        MmioRange range = cirrus_mmio_range;
        range.base = base;
        range.opaque = vga;
        cirrus->mmio_mapped = physical_map_add_mmio(memory, &range, NULL);
        return;
    }
    MmioRange ranges[CIRRUS_LINEAR_RANGES];
    cirrus_linear_ranges(vga, base, ranges);
    for (unsigned i = 0; i < CIRRUS_LINEAR_RANGES; i++)
        physical_map_add_mmio(memory, &ranges[i], NULL);
    cirrus->linear_here = true;
    cirrus->linear_base = base;
    show_linear(vga, cirrus->state.linear_direct != 0 && cirrus_linear_is_plain(vga));
}

static void unmap_bar(void *opaque, unsigned bar, uint32_t base) {
    Vga *vga = opaque;
    Cirrus *cirrus = vga->cirrus;
    PhysicalMap *memory = vga->context.memory;
    if (bar == BAR_LINEAR && cirrus->linear_here) {
        MmioRange ranges[CIRRUS_LINEAR_RANGES];
        show_linear(vga, false);
        cirrus_linear_ranges(vga, base, ranges);
        for (unsigned i = 0; i < CIRRUS_LINEAR_RANGES; i++)
            physical_map_remove_mmio(memory, ranges[i].base, vga);
        cirrus->linear_here = false;
    } else if (bar == BAR_REGISTERS && cirrus->mmio_mapped) {
        physical_map_remove_mmio(memory, base, vga);
        cirrus->mmio_mapped = false;
    }
}

bool cirrus_add(Vga *vga, PciBus *bus, const VgaConfig *config, Error *error) {
    PciDeviceInfo info = {
        .name = "cirrus-vga",
        .vendor_id = VENDOR_ID,
        .device_id = DEVICE_ID,
        .class_code = CLASS_VGA,
        .subsystem_vendor_id = VGA_SUBSYSTEM_VENDOR_ID,
        .subsystem_id = VGA_SUBSYSTEM_ID,
        .bars = {[BAR_LINEAR] = {.type = PCI_BAR_MEMORY_PREFETCHABLE, CIRRUS_LINEAR_SIZE},
                 [BAR_REGISTERS] = {.type = PCI_BAR_MEMORY, cirrus_mmio_range.size}},
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

Cirrus *cirrus_create(Vga *vga) {
    Cirrus *cirrus = allocate_zeroed(sizeof *cirrus);
    timer_init(&cirrus->linear_timer, vga->context.clock, "cirrus linear",
               &cirrus->state.linear_due_ns, settle_linear, vga);
    return cirrus;
}

void cirrus_plug_in(Vga *vga) {
    device_list_add(vga->context.devices, &cirrus_class, "cirrus", vga->cirrus,
                    &vga->cirrus->state);
}

void cirrus_destroy(Cirrus *cirrus) {
    free(cirrus);
}

void cirrus_reset(Vga *vga) {
    cirrus_registers_reset(vga);
    cirrus_split_window(vga, false);
    cirrus_update_linear(vga);
}

void cirrus_restored(Vga *vga) {
    CirrusState *state = &vga->cirrus->state;
    state->hidden_dac_reads %= 5;
    cirrus_blit_restored(vga);
    cirrus_split_window(vga, cirrus_mmio_bits(vga) == SR17_MMIO);
    state->linear_direct = state->linear_direct != 0 && cirrus_linear_is_plain(vga);
    show_linear(vga, state->linear_direct != 0);
}
