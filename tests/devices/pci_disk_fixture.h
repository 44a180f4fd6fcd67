/* A board with a PCI bus and one image, for tests of disks on that bus. */
#ifndef REPRISE_PCI_DISK_FIXTURE_H
#define REPRISE_PCI_DISK_FIXTURE_H

#include "block.h"
#include "chip_fixture.h"
#include "pci.h"

enum {
    PCI_DISK_SLOT = 4,
    PCI_DISK_PORTS = 0xC000,      /* BAR n that is I/O is at PCI_DISK_PORTS + n * 0x100 */
    PCI_DISK_MEMORY = 0x40000000, /* others at PCI_DISK_MEMORY + n * 0x10000 */
    PCI_DISK_IMAGE_BYTES = 1 << 20,
};

typedef struct PciDiskFixture {
    ChipFixture *board;
    PciBus *bus;
    Probe irq; /* of the slot's pin INTA# */
    BlockNode *medium;
    char path[64];
} PciDiskFixture;

/* The image's bytes are those of pci_disk_byte(). */
PciDiskFixture *pci_disk_fixture_create(bool read_only);
void pci_disk_fixture_destroy(PciDiskFixture *fixture);
uint8_t pci_disk_byte(uint64_t offset);

/* Gives all BARs of the device in the slot their places and turns decoding and bus mastering on. */
void pci_disk_fixture_enable(PciDiskFixture *fixture);

uint8_t *pci_disk_ram(PciDiskFixture *fixture, uint32_t address);

/* Registers behind memory BAR 'bar'. */
uint32_t pci_disk_read(PciDiskFixture *fixture, unsigned bar, uint32_t offset, unsigned size);
void pci_disk_write(PciDiskFixture *fixture, unsigned bar, uint32_t offset, unsigned size,
                    uint64_t value);

/* Lets time pass to the next event; false: there is none. */
bool pci_disk_next_event(PciDiskFixture *fixture);
void pci_disk_wait_irq(PciDiskFixture *fixture);

/* Bytes of the image are what the guest's memory has. */
void pci_disk_expect_disk(PciDiskFixture *fixture, uint64_t offset, uint32_t address, size_t size);
/* The guest's memory has what the image had at first. */
void pci_disk_expect_ram(PciDiskFixture *fixture, uint32_t address, uint64_t offset, size_t size);

#endif
