/* A board with a PCI bus and one image, for tests of disks on that bus. */
#ifndef REPRISE_PCI_DISK_FIXTURE_H
#define REPRISE_PCI_DISK_FIXTURE_H

#include "block.h"
#include "pci_fixture.h"

enum { PCI_DISK_IMAGE_BYTES = 1 << 20 };

typedef struct PciDiskFixture {
    PciFixture pci;
    BlockNode *medium;
    char path[64];
} PciDiskFixture;

/* The image's bytes are those of pci_disk_byte(). */
PciDiskFixture *pci_disk_fixture_create(bool read_only);
void pci_disk_fixture_destroy(PciDiskFixture *fixture);
uint8_t pci_disk_byte(uint64_t offset);

/* Bytes of the image are what the guest's memory has. */
void pci_disk_expect_disk(PciDiskFixture *fixture, uint64_t offset, uint32_t address, size_t size);
/* The guest's memory has what the image had at first. */
void pci_disk_expect_ram(PciDiskFixture *fixture, uint32_t address, uint64_t offset, size_t size);

#endif
