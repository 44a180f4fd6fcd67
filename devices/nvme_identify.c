/* What the controller says of itself and its namespace (NVM Express 1.4, 5.15), and its log pages
 * (5.14). */
#include "little_endian.h"
#include "nvme_internal.h"
#include <stdio.h>
#include <string.h>

enum { VENDOR_ID = 0x1B36, SUBSYSTEM_VENDOR_ID = 0x1AF4 };
#define VERSION 0x00010400u
#define EVERY_NAMESPACE 0xFFFFFFFFu
#define IDENTIFIER 0x0100000000005452u /* EUI-64 of the namespace, first byte first */

enum { IDENTIFY_NAMESPACE = 0, IDENTIFY_CONTROLLER = 1, LIST_NAMESPACES = 2, LIST_IDENTIFIERS = 3 };

/* Padded with blanks. */
static void store_text(uint8_t *to, size_t size, const char *text) {
    size_t length = strlen(text);
    memset(to, ' ', size);
    memcpy(to, text, length < size ? length : size);
}

static void fill_controller(const Nvme *nvme, uint8_t *data) {
    store_le16(data + 0, VENDOR_ID);
    store_le16(data + 2, SUBSYSTEM_VENDOR_ID);
    store_text(data + 4, 20, nvme->serial);
    store_text(data + 24, 40, "QEMU NVMe Ctrl");
    store_text(data + 64, 8, "7.2.0");
    data[72] = 6; /* arbitration burst */
    data[73] = 0x00;
    data[74] = 0x54;
    data[75] = 0x52;
    data[77] = NVME_TRANSFER_SHIFT;
    store_le32(data + 80, VERSION);
    data[111] = 1; /* an I/O controller */
    data[258] = 3; /* aborts and event requests at a time, less one */
    data[259] = NVME_EVENT_REQUESTS - 1;
    data[260] = 0x03;              /* one firmware slot, to read only */
    store_le16(data + 266, 0x157); /* warning and critical temperature */
    store_le16(data + 268, 0x175);
    data[512] = 0x66; /* sizes of queue entries, as powers of two */
    data[513] = 0x44;
    store_le32(data + 516, 1);      /* namespaces */
    store_le16(data + 520, 0x000C); /* data set management, write zeroes */
    data[525] = 0x07;               /* a write cache, and what flushes may name */
    snprintf((char *)data + 768, 256, "nqn.2019-08.org.qemu:%s", nvme->serial);
    store_le16(data + 2048, 2500); /* power, in hundredths of a watt; latencies in us */
    store_le32(data + 2052, 0x10);
    store_le32(data + 2056, 0x04);
}

static void fill_namespace(const Nvme *nvme, uint8_t *data) {
    for (unsigned i = 0; i < 3; i++) /* size, capacity, use */
        store_le64(data + 8 * i, nvme->sectors);
    data[99] = block_is_read_only(nvme->medium); /* write protected */
    store_le64(data + 120, IDENTIFIER);
    data[130] = 9; /* sectors of 1 << 9 bytes */
}

uint16_t nvme_identify(const Nvme *nvme, const NvmeCommand *command, uint8_t *data) {
    uint32_t name_space = command->name_space;
    switch (command->words[0] & 0xFF) {
    case IDENTIFY_NAMESPACE:
        if (name_space == EVERY_NAMESPACE || name_space > 1 || name_space == 0)
            return NVME_INVALID_NAMESPACE;
        fill_namespace(nvme, data);
        return NVME_SUCCESS;
    case IDENTIFY_CONTROLLER:
        fill_controller(nvme, data);
        return NVME_SUCCESS;
    case LIST_NAMESPACES: /* those above the one that is named */
        if (name_space >= EVERY_NAMESPACE - 1)
            return NVME_INVALID_NAMESPACE;
        store_le32(data, name_space < 1 ? 1 : 0);
        return NVME_SUCCESS;
    case LIST_IDENTIFIERS:
        if (name_space != 1)
            return NVME_INVALID_NAMESPACE;
        data[0] = 1; /* an EUI-64 of 8 bytes */
        data[1] = 8;
        store_le64(data + 4, IDENTIFIER);
        return NVME_SUCCESS;
    }
    return NVME_INVALID_FIELD;
}

/* Units of 1000 sectors, rounded up. */
static uint64_t in_thousands(uint64_t sectors) {
    return (sectors + 999) / 1000;
}

static uint32_t fill_health(const Nvme *nvme, uint8_t *data) {
    store_le16(data + 1, 273 + 30);
    data[3] = 100; /* spare, and when to warn */
    data[4] = 10;
    store_le64(data + 32, in_thousands(nvme->state.sectors_read));
    store_le64(data + 48, in_thousands(nvme->state.sectors_written));
    store_le64(data + 64, nvme->state.reads);
    store_le64(data + 80, nvme->state.writes);
    return 512;
}

uint32_t nvme_log_page(const Nvme *nvme, uint8_t page, uint8_t *data) {
    switch (page) {
    case 1: /* errors: none */
        return 64;
    case 2:
        return fill_health(nvme, data);
    case 3: /* firmware slots */
        data[0] = 1;
        store_text(data + 8, 8, "7.2.0");
        return 512;
    }
    return 0;
}
