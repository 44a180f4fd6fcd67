/* A board with a PCI bus and one slot that a test plugs its card into. */
#ifndef REPRISE_PCI_FIXTURE_H
#define REPRISE_PCI_FIXTURE_H

#include "chip_fixture.h"
#include "pci.h"

enum {
    PCI_FIXTURE_SLOT = 4,
    PCI_FIXTURE_PORTS = 0xC000,      /* BAR n that is I/O is at this + n * 0x100 */
    PCI_FIXTURE_MEMORY = 0x40000000, /* others at this + n * PCI_FIXTURE_MEMORY_STEP */
    PCI_FIXTURE_MEMORY_STEP = 0x100000,
};

typedef struct PciFixture {
    ChipFixture *board;
    PciBus *bus;
    Probe irq; /* of the slot's pin INTA# */
} PciFixture;

void pci_fixture_init(PciFixture *fixture);
void pci_fixture_end(PciFixture *fixture);

/* Gives all BARs of the device in the slot their places and turns decoding and bus mastering on. */
void pci_fixture_enable(PciFixture *fixture);

uint8_t *pci_fixture_ram(const PciFixture *fixture, uint32_t address);

/* Registers behind memory BAR 'bar'. */
uint32_t pci_fixture_read(PciFixture *fixture, unsigned bar, uint32_t offset, unsigned size);
void pci_fixture_write(PciFixture *fixture, unsigned bar, uint32_t offset, unsigned size,
                       uint64_t value);

/* Lets time pass to the next event; false: there is none. */
bool pci_fixture_next_event(PciFixture *fixture);
void pci_fixture_run(PciFixture *fixture, int64_t ns);
/* To the slot's interrupt, which must come. */
void pci_fixture_wait_irq(PciFixture *fixture);

#endif
