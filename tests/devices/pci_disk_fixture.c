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
    pci_fixture_init(&fixture->pci);
    snprintf(fixture->path, sizeof(fixture->path), "/tmp/reprise-pci-disk-%d", (int)getpid());
    make_image(fixture->path);
    BlockOptions options = {.path = fixture->path, .format = "raw", .read_only = read_only};
    fixture->medium = block_open(&options, &error);
    ck_assert_msg(fixture->medium != NULL, "%s", error.message);
    return fixture;
}

void pci_disk_fixture_destroy(PciDiskFixture *fixture) {
    block_close(fixture->medium);
    unlink(fixture->path);
    pci_fixture_end(&fixture->pci);
    free(fixture);
}

void pci_disk_expect_disk(PciDiskFixture *fixture, uint64_t offset, uint32_t address, size_t size) {
    uint8_t *data = allocate_zeroed(size);
    ck_assert(block_read(fixture->medium, offset, data, size, NULL));
    ck_assert_mem_eq(data, pci_fixture_ram(&fixture->pci, address), size);
    free(data);
}

void pci_disk_expect_ram(PciDiskFixture *fixture, uint32_t address, uint64_t offset, size_t size) {
    for (size_t i = 0; i < size; i++)
        ck_assert_uint_eq(*pci_fixture_ram(&fixture->pci, address + (uint32_t)i),
                          pci_disk_byte(offset + i));
}
