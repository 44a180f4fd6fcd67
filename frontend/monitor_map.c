/* 'info mtree' and 'info roms': what answers at which address and port. */
#include "board_parts.h"
#include "firmware.h"
#include "machine_parts.h"
#include "monitor_pci.h"

#include <string.h>

/* What one page or port is: runs of the same are one line. */
typedef struct MapPlace {
    const char *kind; /* NULL: nobody answers */
    const char *name;
    uint64_t offset; /* within the device or memory, from where the run began */
} MapPlace;

static bool is_in(const uint8_t *pointer, const uint8_t *start, uint64_t size) {
    return (uintptr_t)pointer >= (uintptr_t)start && (uintptr_t)pointer - (uintptr_t)start < size;
}

/* A device's BAR that covers the address, by the device's name. */
static const char *find_bar_owner(const Board *board, uint64_t address) {
    for (unsigned place = 0; place < 32 * 8; place++) {
        const PciDevice *device = pci_bus_device(board->pci, place / 8, place % 8);
        for (unsigned bar = 0; device != NULL && bar <= PCI_BARS; bar++) {
            MonitorPciBar range;
            if (monitor_pci_bar(device, bar, &range) && !range.is_io && address >= range.first &&
                address <= range.last)
                return pci_device_info(device)->name;
        }
    }
    return "memory";
}

static MapPlace page_place(const Machine *machine, uint32_t index) {
    const PhysicalPage page = physical_map_page(machine->memory, index);
    const uint8_t *ram = physical_map_ram(machine->memory);
    uint64_t ram_bytes = physical_map_ram_bytes(machine->memory);
    uint64_t address = (uint64_t)index << PAGE_BITS;
    const uint8_t *host = page.read != NULL ? page.read : page.write;
    if (host == NULL) {
        const MmioRange *range = physical_map_find_mmio(machine->memory, (uint32_t)address);
        return range == NULL ? (MapPlace){.kind = NULL} : (MapPlace){"i/o", range->name, 0};
    }
    MapPlace place = {.kind = page.write == NULL ? "rom" : page.read == NULL ? "wo" : "ram"};
    if (page.read != NULL && page.write != NULL && page.read != page.write)
        place.kind = "romd"; /* loads from one, stores to another: shadowing half done */
    if (is_in(host, ram, ram_bytes)) {
        place.name = "pc.ram";
        place.offset = (uint64_t)(host - ram);
    } else if (is_in(host, machine->board.bios->data, machine->board.bios->size)) {
        place.name = "pc.bios";
        place.offset = (uint64_t)(host - machine->board.bios->data);
    } else {
        place.name = find_bar_owner(&machine->board, address);
    }
    return place;
}

static MapPlace port_place(const Machine *machine, uint32_t port) {
    const PortRange *range = port_map_find(machine->ports, (uint16_t)port);
    return range == NULL ? (MapPlace){.kind = NULL} : (MapPlace){"i/o", range->name, 0};
}

static void print_run(Monitor *monitor, const MapPlace *place, uint64_t first, uint64_t last) {
    if (place->kind == NULL)
        return;
    monitor_print(monitor, "  %016llx-%016llx (prio 0, %s): %s", (unsigned long long)first,
                  (unsigned long long)last, place->kind, place->name);
    if (place->offset != 0)
        monitor_print(monitor, " @%016llx", (unsigned long long)place->offset);
    monitor_print(monitor, "\n");
}

static bool continues(const MapPlace *run, const MapPlace *place, uint64_t bytes) {
    if (run->kind == NULL || place->kind == NULL)
        return run->kind == place->kind;
    return strcmp(run->kind, place->kind) == 0 && strcmp(run->name, place->name) == 0 &&
           (strcmp(place->name, "pc.ram") != 0 || run->offset + bytes == place->offset);
}

/* One line for each run of places that go on. */
static void print_space(Monitor *monitor, const char *name, uint32_t count, unsigned unit,
                        MapPlace (*find)(const Machine *machine, uint32_t index)) {
    MapPlace run = {.kind = NULL};
    uint32_t start = 0;
    monitor_print(monitor, "address-space: %s\n", name);
    for (uint32_t i = 0; i <= count; i++) {
        MapPlace place = i < count ? find(monitor->machine, i) : (MapPlace){.kind = NULL};
        if (i < count && continues(&run, &place, (uint64_t)(i - start) * unit))
            continue;
        print_run(monitor, &run, (uint64_t)start * unit, (uint64_t)i * unit - 1);
        run = place;
        start = i;
    }
}

bool monitor_info_mtree(Monitor *monitor, char *arguments, Error *error) {
    (void)arguments;
    (void)error;
    print_space(monitor, "memory", PHYSICAL_PAGES, PAGE_SIZE, page_place);
    monitor_print(monitor, "\n");
    print_space(monitor, "I/O", 0x10000, 1, port_place);
    return true;
}

bool monitor_info_roms(Monitor *monitor, char *arguments, Error *error) {
    const Machine *machine = monitor->machine;
    const Board *board = &machine->board;
    const char *bios = board_bios_name(board);
    (void)arguments;
    (void)error;
    if (machine->config.kernel != NULL)
        monitor_print(monitor, "fw=%s size=0x%06zx name=\"%s\"\n", BOARD_KERNEL_ROM,
                      kernel_boot_rom_size, strchr(BOARD_KERNEL_ROM, '/') + 1);
    for (unsigned i = 0; i < MACHINE_NETWORK_CARDS; i++)
        if (board->network_card[i].rom != NULL)
            monitor_print(monitor, "pci=%02x.0 size=0x%06zx name=\"%s\"\n",
                          board->network_card[i].slot, board->network_card[i].rom->size,
                          board->network_card[i].id);
    const VgaConfig *vga = &machine->config.vga;
    if (board->vga != NULL && board->vga_bios->size > 0 && vga->model == VGA_ISA)
        monitor_print(monitor, "fw=vgaroms/%s size=0x%06zx\n", board_vga_bios_name(board),
                      board->vga_bios->size);
    else if (board->vga != NULL && board->vga_bios->size > 0)
        monitor_print(monitor, "pci=%02x.0 size=0x%06zx name=\"%s\"\n",
                      vga->slot != 0 ? vga->slot : 2, board->vga_bios->size,
                      board_vga_bios_name(board));
    monitor_print(monitor, "addr=%016llx size=0x%06x mem=rom name=\"%s\"\n",
                  (unsigned long long)(0u - (uint32_t)board->bios->size),
                  (unsigned)board->bios->size, bios);
    return true;
}
