#include "pci_fixture.h"

void pci_fixture_init(PciFixture *fixture) {
    Error error = {.set = false};
    Wire wires[PCI_PIRQS] = {{NULL, NULL, 0}};
    fixture->board = chip_fixture_create();
    fixture->bus = pci_bus_create(&fixture->board->context, &error);
    ck_assert_msg(fixture->bus != NULL, "%s", error.message);
    wires[(PCI_FIXTURE_SLOT - 1) % PCI_PIRQS] = probe_wire(&fixture->irq);
    pci_bus_set_pirq_wires(fixture->bus, wires);
}

void pci_fixture_end(PciFixture *fixture) {
    pci_bus_destroy(fixture->bus);
    chip_fixture_destroy(fixture->board);
}

void pci_fixture_enable(PciFixture *fixture) {
    PciDevice *device = pci_bus_device(fixture->bus, PCI_FIXTURE_SLOT, 0);
    ck_assert_ptr_nonnull(device);
    for (unsigned bar = 0; bar < PCI_BARS; bar++) {
        PciBarType type = pci_device_info(device)->bars[bar].type;
        uint32_t base = type == PCI_BAR_IO ? PCI_FIXTURE_PORTS + bar * 0x100
                                           : PCI_FIXTURE_MEMORY + bar * PCI_FIXTURE_MEMORY_STEP;
        if (type != PCI_BAR_NONE)
            pci_device_config_write(device, PCI_BASE_ADDRESS + 4 * bar, 4, base);
    }
    pci_device_config_write(device, PCI_COMMAND, 2,
                            PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

uint8_t *pci_fixture_ram(const PciFixture *fixture, uint32_t address) {
    return physical_map_ram(fixture->board->context.memory) + address;
}

static uint32_t register_address(unsigned bar, uint32_t offset) {
    return PCI_FIXTURE_MEMORY + bar * PCI_FIXTURE_MEMORY_STEP + offset;
}

uint32_t pci_fixture_read(PciFixture *fixture, unsigned bar, uint32_t offset, unsigned size) {
    return (uint32_t)physical_read(fixture->board->context.memory, register_address(bar, offset),
                                   size);
}

void pci_fixture_write(PciFixture *fixture, unsigned bar, uint32_t offset, unsigned size,
                       uint64_t value) {
    physical_write(fixture->board->context.memory, register_address(bar, offset), size, value);
}

bool pci_fixture_next_event(PciFixture *fixture) {
    int64_t due = clock_next_due_ns(&fixture->board->clock);
    if (due == TIMER_NEVER)
        return false;
    chip_fixture_run_to(fixture->board, due);
    return true;
}

void pci_fixture_run(PciFixture *fixture, int64_t ns) {
    chip_fixture_run(fixture->board, ns);
}

void pci_fixture_wait_irq(PciFixture *fixture) {
    while (!fixture->irq.level)
        ck_assert_msg(pci_fixture_next_event(fixture), "no interrupt");
}
