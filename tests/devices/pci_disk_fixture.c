#include "pci_disk_fixture.h"
#include "allocate.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint8_t pci_disk_byte(uint64_t offset) {
    return (uint8_t)(offset * 7 + offset / 512 * 31 + 3);
}

static void make_image(const char *path) {
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    for (unsigned i = 0; i < PCI_DISK_IMAGE_BYTES; i++)
        fputc(pci_disk_byte(i), file);
    fclose(file);
}

PciDiskFixture *pci_disk_fixture_create(bool read_only) {
    PciDiskFixture *fixture = allocate_zeroed(sizeof(*fixture));
    Error error = {.set = false};
    fixture->board = chip_fixture_create();
    fixture->bus = pci_bus_create(&fixture->board->context, &error);
    ck_assert_msg(fixture->bus != NULL, "%s", error.message);
    Wire wires[PCI_PIRQS] = {{NULL, NULL, 0}};
    wires[(PCI_DISK_SLOT - 1) % PCI_PIRQS] = probe_wire(&fixture->irq);
    pci_bus_set_pirq_wires(fixture->bus, wires);
    snprintf(fixture->path, sizeof(fixture->path), "/tmp/reprise-pci-disk-%d", (int)getpid());
    make_image(fixture->path);
    BlockOptions options = {.path = fixture->path, .format = "raw", .read_only = read_only};
    fixture->medium = block_open(&options, &error);
    ck_assert_msg(fixture->medium != NULL, "%s", error.message);
    return fixture;
}

void pci_disk_fixture_destroy(PciDiskFixture *fixture) {
    pci_bus_destroy(fixture->bus);
    block_close(fixture->medium);
    unlink(fixture->path);
    chip_fixture_destroy(fixture->board);
    free(fixture);
}

void pci_disk_fixture_enable(PciDiskFixture *fixture) {
    PciDevice *device = pci_bus_device(fixture->bus, PCI_DISK_SLOT, 0);
    ck_assert_ptr_nonnull(device);
    for (unsigned bar = 0; bar < PCI_BARS; bar++) {
        PciBarType type = pci_device_info(device)->bars[bar].type;
        if (type == PCI_BAR_NONE)
            continue;
        uint32_t base =
            type == PCI_BAR_IO ? PCI_DISK_PORTS + bar * 0x100 : PCI_DISK_MEMORY + bar * 0x10000;
        pci_device_config_write(device, PCI_BASE_ADDRESS + 4 * bar, 4, base);
    }
    pci_device_config_write(device, PCI_COMMAND, 2,
                            PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

uint8_t *pci_disk_ram(PciDiskFixture *fixture, uint32_t address) {
    return physical_map_ram(fixture->board->context.memory) + address;
}

uint32_t pci_disk_read(PciDiskFixture *fixture, unsigned bar, uint32_t offset, unsigned size) {
    return (uint32_t)physical_read(fixture->board->context.memory,
                                   PCI_DISK_MEMORY + bar * 0x10000 + offset, size);
}

void pci_disk_write(PciDiskFixture *fixture, unsigned bar, uint32_t offset, unsigned size,
                    uint64_t value) {
    physical_write(fixture->board->context.memory, PCI_DISK_MEMORY + bar * 0x10000 + offset, size,
                   value);
}

bool pci_disk_next_event(PciDiskFixture *fixture) {
    int64_t due = clock_next_due_ns(&fixture->board->clock);
    if (due == TIMER_NEVER)
        return false;
    chip_fixture_run_to(fixture->board, due);
    return true;
}

void pci_disk_wait_irq(PciDiskFixture *fixture) {
    while (!fixture->irq.level)
        ck_assert_msg(pci_disk_next_event(fixture), "no interrupt");
}

void pci_disk_expect_disk(PciDiskFixture *fixture, uint64_t offset, uint32_t address, size_t size) {
    uint8_t *data = allocate_zeroed(size);
    ck_assert(block_read(fixture->medium, offset, data, size, NULL));
    ck_assert_mem_eq(data, pci_disk_ram(fixture, address), size);
    free(data);
}

void pci_disk_expect_ram(PciDiskFixture *fixture, uint32_t address, uint64_t offset, size_t size) {
    for (size_t i = 0; i < size; i++)
        ck_assert_uint_eq(*pci_disk_ram(fixture, address + (uint32_t)i), pci_disk_byte(offset + i));
}
