/* The standard VGA on its bus: PCI device 1234h:1111h with the frame buffer in BAR 0 and registers
 * in BAR 2, or the ISA adapter with its frame buffer at E0000000h. */
#include "edid.h"
#include "vga_internal.h"

enum {
    VENDOR_ID = 0x1234,
    DEVICE_ID = 0x1111,
    REVISION = 2, /* tells drivers that the registers at 600h of BAR 2 are there */
    CLASS_VGA = 0x030000,
    BAR_FRAME_BUFFER = 0,
    BAR_REGISTERS = 2,
    REGISTERS_SIZE = 0x1000,
    REGISTERS_PORTS = 0x400, /* ports 3C0h to 3DFh */
    REGISTERS_PORTS_COUNT = 0x20,
    REGISTERS_VBE = 0x500,
    REGISTERS_EXTENSION = 0x600, /* size of this block, then the frame buffer's byte order */
    EXTENSION_SIZE = 8,
};
#define BYTE_ORDER_LITTLE 0x1E1E1E1Eu
#define ISA_FRAME_BUFFER 0xE0000000u

/* BAR 2: the registers in memory. First the identification of the display, where there is one. */

static uint32_t register_read_byte(Vga *vga, uint32_t offset) {
    if (offset < EDID_SIZE)
        return vga->edid[offset];
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

bool vga_place_is_free(const PhysicalMap *memory, uint32_t base, uint32_t size) {
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
    if (bar == BAR_FRAME_BUFFER && vga_place_is_free(memory, base, vga->vram_bytes)) {
        physical_map_add_memory(memory, base, vga->vram_bytes, vga->vram, vga->flags, true);
        vga->frame_buffer_mapped = true;
        vga->frame_buffer_base = base;
    } else if (bar == BAR_REGISTERS && vga_place_is_free(memory, base, REGISTERS_SIZE)) {
        MmioRange range = {"vga registers", base, REGISTERS_SIZE, registers_read,
                           registers_write, vga,  false};
        vga->registers_mapped = physical_map_add_mmio(memory, &range, NULL);
    }
}

static void unmap_bar(void *opaque, unsigned bar, uint32_t base) {
    Vga *vga = opaque;
    if (bar == BAR_FRAME_BUFFER && vga->frame_buffer_mapped) {
        physical_map_remove(vga->context.memory, base, vga->vram_bytes);
        vga->frame_buffer_mapped = false;
    } else if (bar == BAR_REGISTERS && vga->registers_mapped) {
        physical_map_remove_mmio(vga->context.memory, base, vga);
        vga->registers_mapped = false;
    }
}

bool vga_add_standard(Vga *vga, PciBus *bus, const VgaConfig *config, Error *error) {
    PciDeviceInfo info = {
        .name = "VGA",
        .vendor_id = VENDOR_ID,
        .device_id = DEVICE_ID,
        .class_code = CLASS_VGA,
        .revision = REVISION,
        .subsystem_vendor_id = VGA_SUBSYSTEM_VENDOR_ID,
        .subsystem_id = VGA_SUBSYSTEM_ID,
        .bars = {[BAR_FRAME_BUFFER] = {.type = PCI_BAR_MEMORY_PREFETCHABLE, vga->vram_bytes},
                 [BAR_REGISTERS] = {.type = PCI_BAR_MEMORY, REGISTERS_SIZE}},
        .rom = config->rom,
        .rom_size = config->rom_size,
        .opaque = vga,
        .map = map_bar,
        .unmap = unmap_bar,
    };
    vga->pci = pci_device_add(bus, config->slot, 0, &info, error);
    return vga->pci != NULL;
}

bool vga_add_isa(Vga *vga) {
    map_bar(vga, BAR_FRAME_BUFFER, ISA_FRAME_BUFFER);
    return true;
}
