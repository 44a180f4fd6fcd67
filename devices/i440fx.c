#include "i440fx.h"
#include "allocate.h"
#include <stdlib.h>

enum {
    REGISTER_PAM = 0x59, /* seven of them */
    REGISTER_SMRAM = 0x72,
    PAM_READ = 1,  /* loads read RAM */
    PAM_WRITE = 2, /* stores reach RAM */
    SMRAM_OPEN = 0x40,
    SMRAM_LOCKED = 0x10,
    SMRAM_ENABLED = 0x08,
    SMRAM_RESET = 0x02,
    SMRAM_WRITABLE = 0x78,
};

#define SMRAM_BASE 0xA0000u
#define SMRAM_SIZE 0x20000u

#define SHADOW_END 0x100000u
/* Only this much of the firmware image is seen below 1 MB. */
#define BIOS_ALIAS_MAXIMUM 0x20000u

/* The bridge's State is its configuration space, which belongs to the bus; SMIACT# is the
 * processor's, which drives it again after a restore. */
struct I440fx {
    PciDevice *device;
    PhysicalMap *memory;
    uint8_t *bios;
    uint32_t bios_base; /* where its alias begins */
    bool smiact;        /* as the processor drives it */
    bool smram_shown;
};

/* One area whose accesses half a PAM register routes (data sheet table 7). */
typedef struct PamArea {
    uint32_t base, size;
    uint8_t offset, shift;
} PamArea;

static const PamArea areas[] = {
    {0xF0000, 0x10000, 0x59, 4}, {0xC0000, 0x4000, 0x5A, 0}, {0xC4000, 0x4000, 0x5A, 4},
    {0xC8000, 0x4000, 0x5B, 0},  {0xCC000, 0x4000, 0x5B, 4}, {0xD0000, 0x4000, 0x5C, 0},
    {0xD4000, 0x4000, 0x5C, 4},  {0xD8000, 0x4000, 0x5D, 0}, {0xDC000, 0x4000, 0x5D, 4},
    {0xE0000, 0x4000, 0x5E, 0},  {0xE4000, 0x4000, 0x5E, 4}, {0xE8000, 0x4000, 0x5F, 0},
    {0xEC000, 0x4000, 0x5F, 4},
};

static void bridge_route_run(I440fx *bridge, unsigned route, uint32_t base, uint32_t end) {
    if (base >= end)
        return;
    uint8_t *ram = physical_map_ram(bridge->memory) + base;
    uint8_t *flags = physical_map_ram_flags(bridge->memory) + base / PAGE_SIZE;
    uint8_t *rom = base >= bridge->bios_base ? bridge->bios + (base - bridge->bios_base) : NULL;
    physical_map_set_shadow(bridge->memory, base, end - base, route & PAM_READ ? ram : rom,
                            route & PAM_WRITE ? ram : NULL,
                            route & (PAM_READ | PAM_WRITE) ? flags : NULL);
}

/* The firmware's alias may begin within an area. */
static void bridge_route_area(I440fx *bridge, const PamArea *area) {
    unsigned route = pci_device_config(bridge->device)[area->offset] >> area->shift;
    uint32_t end = area->base + area->size, split = bridge->bios_base;
    split = split < area->base ? area->base : split > end ? end : split;
    bridge_route_run(bridge, route, area->base, split);
    bridge_route_run(bridge, route, split, end);
}

/* While SMRAM is open, or the processor is in system management mode, A0000h to BFFFFh is RAM; else
 * the display adapter answers there. D_CLS, which would keep data accesses out, only keeps its bit.
 */
static void bridge_route_smram(I440fx *bridge) {
    uint8_t smram = pci_device_config(bridge->device)[REGISTER_SMRAM];
    bool show = (smram & SMRAM_ENABLED) && ((smram & SMRAM_OPEN) || bridge->smiact);
    if (show && !bridge->smram_shown)
        physical_map_cover(bridge->memory, SMRAM_BASE, SMRAM_SIZE);
    else if (!show && bridge->smram_shown)
        physical_map_uncover(bridge->memory);
    bridge->smram_shown = show;
}

void i440fx_set_smiact(void *opaque, int line, int level) {
    I440fx *bridge = opaque;
    (void)line;
    bridge->smiact = level != 0;
    bridge_route_smram(bridge);
}

/* Data sheet 3.2.20: the lock closes SMRAM and keeps it closed until the next reset. */
static void bridge_lock_smram(I440fx *bridge) {
    uint8_t *smram = &pci_device_config(bridge->device)[REGISTER_SMRAM];
    bool locked = (*smram & SMRAM_LOCKED) != 0;
    if (locked)
        *smram &= (uint8_t)~SMRAM_OPEN;
    pci_device_set_writable(bridge->device, REGISTER_SMRAM, locked ? 0 : SMRAM_WRITABLE);
}

static void bridge_config_written(void *opaque, unsigned offset, unsigned size) {
    I440fx *bridge = opaque;
    if (offset <= REGISTER_SMRAM && offset + size > REGISTER_SMRAM) {
        bridge_lock_smram(bridge);
        bridge_route_smram(bridge);
    }
    for (size_t i = 0; i < sizeof areas / sizeof areas[0]; i++)
        if (areas[i].offset >= offset && areas[i].offset < offset + size)
            bridge_route_area(bridge, &areas[i]);
}

/* Of the registers for DRAM timing and the like only the bits are kept. */
static const PciRegister registers[] = {
    {PCI_COMMAND, 2, 0x0006, 0x0100, 0},  {PCI_STATUS, 2, 0x0280, 0, 0x7000},
    {0x50, 2, 0x0000, 0xFFFF, 0},         {0x53, 1, 0x80, 0xFF, 0},
    {0x55, 2, 0x0000, 0xFFFF, 0},         {0x57, 2, 0x0001, 0xFFFF, 0},
    {REGISTER_PAM, 1, 0x00, 0x33, 0},     {0x5A, 2, 0x0000, 0x3333, 0},
    {0x5C, 4, 0x00000000, 0x33333333, 0}, {0x60, 4, 0x01010101, 0xFFFFFFFF, 0},
    {0x64, 4, 0x01010101, 0xFFFFFFFF, 0}, {0x68, 1, 0x00, 0xFF, 0},
    {0x70, 2, 0x0000, 0xFFFF, 0},         {REGISTER_SMRAM, 1, SMRAM_RESET, SMRAM_WRITABLE, 0},
    {0x90, 4, 0x00000000, 0x001B0000, 0}, {0},
};

I440fx *i440fx_create(const DeviceContext *context, PciBus *bus, uint8_t *bios, uint32_t bios_size,
                      Error *error) {
    if (bios_size == 0 || bios_size % PAGE_SIZE != 0) {
        error_set(error, "the firmware's size, %u bytes, is not a multiple of %u", bios_size,
                  PAGE_SIZE);
        return NULL;
    }
    if (physical_map_ram_bytes(context->memory) < SHADOW_END) {
        error_set(error, "a PC needs at least 1 MB of memory");
        return NULL;
    }
    I440fx *bridge = allocate_zeroed(sizeof *bridge);
    uint32_t alias = bios_size < BIOS_ALIAS_MAXIMUM ? bios_size : BIOS_ALIAS_MAXIMUM;
    bridge->memory = context->memory;
    bridge->bios = bios + (bios_size - alias);
    bridge->bios_base = SHADOW_END - alias;
    const PciDeviceInfo info = {
        .name = "i440FX",
        .vendor_id = 0x8086,
        .device_id = 0x1237,
        .class_code = 0x060000,
        .revision = 2,
        .subsystem_vendor_id = 0x1AF4,
        .subsystem_id = 0x1100,
        .registers = registers,
        .opaque = bridge,
        .config_written = bridge_config_written,
    };
    bridge->device = pci_device_add(bus, 0, 0, &info, error);
    if (bridge->device == NULL) {
        free(bridge);
        return NULL;
    }
    physical_map_remove(context->memory, SMRAM_BASE, SMRAM_SIZE);
    bridge_config_written(bridge, 0, PCI_CONFIG_SIZE);
    return bridge;
}

void i440fx_destroy(I440fx *bridge) {
    free(bridge);
}
