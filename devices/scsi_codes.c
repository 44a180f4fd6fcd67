/* Answers of any SCSI target: sense data, INQUIRY with its pages, REPORT LUNS (SPC-3, chapters 4, 6
 * and 7). */
#include "scsi_codes.h"
#include "big_endian.h"
#include <stdio.h>
#include <string.h>

#define VENDOR "QEMU    "
#define REVISION "2.5+"

enum { ANSWER_BYTES = 36, VERSION_SPC3 = 5, ABSENT = 0x7F };
/* Of byte 7: synchronous transfers, 16 bits wide, command queues. */
#define BUS_FEATURES 0x32

/* Pages of vital product data. */
enum {
    PAGE_LIST = 0x00,
    PAGE_SERIAL = 0x80,
    PAGE_NAMES = 0x83,
    PAGE_LIMITS = 0xB0,
    PAGE_CHARACTERISTICS = 0xB1,
    PAGE_PROVISIONING = 0xB2,
};
#define PAGE_HEADER 4

void scsi_store_sense(uint8_t *data, ScsiSense sense) {
    memset(data, 0, SCSI_SENSE_BYTES);
    data[0] = 0x70; /* a current error, fixed format */
    data[2] = (uint8_t)(sense >> 16);
    data[7] = SCSI_SENSE_BYTES - 8;
    data[12] = (uint8_t)(sense >> 8);
    data[13] = (uint8_t)sense;
}

unsigned scsi_command_bytes(uint8_t code) {
    static const uint8_t by_group[8] = {6, 10, 10, 10, 16, 12, 10, 10};
    return by_group[code >> 5];
}

ScsiRange scsi_range(const uint8_t *command) {
    switch (scsi_command_bytes(command[0])) {
    case 6:
        return (ScsiRange){load_be32(command) & 0x1FFFFF, command[4] != 0 ? command[4] : 256u};
    case 12:
        return (ScsiRange){load_be32(command + 2), load_be32(command + 6)};
    case 16:
        return (ScsiRange){load_be64(command + 2), load_be32(command + 10)};
    }
    return (ScsiRange){load_be32(command + 2), load_be16(command + 7)};
}

static void store_text(uint8_t *data, const char *text, size_t room) {
    size_t length = strlen(text);
    memset(data, ' ', room);
    memcpy(data, text, length < room ? length : room);
}

static size_t standard_answer(const ScsiIdentity *identity, uint8_t *data) {
    data[0] = identity->kind;
    data[1] = identity->removable ? 0x80 : 0;
    data[2] = VERSION_SPC3;
    data[3] = 0x02; /* the format of these bytes */
    data[4] = ANSWER_BYTES - 5;
    data[7] = BUS_FEATURES;
    memcpy(data + 8, VENDOR, 8);
    store_text(data + 16, identity->product, 16);
    memcpy(data + 32, REVISION, 4);
    return ANSWER_BYTES;
}

static size_t serial_page(const ScsiIdentity *identity, uint8_t *page) {
    size_t length = strlen(identity->serial);
    if (length > 36)
        length = 36;
    memcpy(page, identity->serial, length);
    return length;
}

/* One name, of the kind that the vendor gives, in ASCII (7.6.3). */
static size_t names_page(const ScsiIdentity *identity, uint8_t *page) {
    size_t length = strlen(identity->device_id);
    if (length > 255 - 8 - 4 - PAGE_HEADER)
        length = 255 - 8 - 4 - PAGE_HEADER;
    page[0] = 0x02;
    page[3] = (uint8_t)length;
    memcpy(page + 4, identity->device_id, length);
    return 4 + length;
}

/* Block limits (SBC-3, 6.5.3). */
static size_t limits_page(const ScsiIdentity *identity, uint8_t *page) {
    (void)identity;
    page[0] = 1;                 /* WSNZ: WRITE SAME has a length */
    store_be32(page + 4, 32768); /* a transfer of 16 MB */
    store_be32(page + 16, UINT32_MAX);
    store_be32(page + 20, SCSI_UNMAP_RANGES);
    store_be32(page + 24, 8); /* blocks that are best forgotten together */
    store_be64(page + 32, SCSI_SAME_BLOCKS);
    return 60;
}

static size_t characteristics_page(const ScsiIdentity *identity, uint8_t *page) {
    (void)identity;
    (void)page;
    return 60; /* nothing is told: neither how fast it turns nor that it does not */
}

static size_t provisioning_page(const ScsiIdentity *identity, uint8_t *page) {
    (void)identity;
    page[1] = 0xE0; /* UNMAP, WRITE SAME of 16 and 10 bytes */
    page[2] = 0x02; /* thin */
    return 4;
}

typedef struct Page {
    uint8_t code;
    bool of_disks;
    size_t (*store)(const ScsiIdentity *identity, uint8_t *page);
} Page;

static const Page pages[] = {
    {PAGE_SERIAL, false, serial_page},
    {PAGE_NAMES, false, names_page},
    {PAGE_LIMITS, true, limits_page},
    {PAGE_CHARACTERISTICS, true, characteristics_page},
    {PAGE_PROVISIONING, true, provisioning_page},
};
#define PAGES (sizeof(pages) / sizeof(pages[0]))

static bool has_page(const ScsiIdentity *identity, const Page *page) {
    if (page->code == PAGE_SERIAL)
        return identity->serial[0] != '\0';
    if (page->code == PAGE_NAMES)
        return identity->device_id[0] != '\0';
    return !page->of_disks || identity->forgets_blocks;
}

static size_t finish_page(const ScsiIdentity *identity, uint8_t code, size_t size, uint8_t *data) {
    data[0] = identity->kind;
    data[1] = code;
    store_be16(data + 2, (uint16_t)size);
    return PAGE_HEADER + size;
}

static size_t page_list(const ScsiIdentity *identity, uint8_t *data) {
    size_t size = 0;
    data[PAGE_HEADER + size++] = PAGE_LIST;
    for (size_t i = 0; i < PAGES; i++)
        if (has_page(identity, &pages[i]))
            data[PAGE_HEADER + size++] = pages[i].code;
    return finish_page(identity, PAGE_LIST, size, data);
}

size_t scsi_inquire(const ScsiIdentity *identity, const uint8_t *command, uint8_t *data) {
    bool wants_page = command[1] & 1;
    if ((command[1] & 2) || (!wants_page && command[2] != 0))
        return 0;
    if (!wants_page)
        return standard_answer(identity, data);
    if (command[2] == PAGE_LIST)
        return page_list(identity, data);
    for (size_t i = 0; i < PAGES; i++)
        if (pages[i].code == command[2] && has_page(identity, &pages[i]))
            return finish_page(identity, command[2], pages[i].store(identity, data + PAGE_HEADER),
                               data);
    return 0;
}

size_t scsi_report_luns(const uint8_t *command, uint8_t *data) {
    if (command[2] > 2 || load_be32(command + 6) < 16)
        return 0;
    memset(data, 0, 16);
    if (command[2] != 1) /* else it asks for units that are for administration */
        data[3] = 8;
    return command[2] != 1 ? 16 : 8;
}

uint8_t scsi_absent_unit(const uint8_t *command, uint8_t *data, size_t *size) {
    *size = 0;
    if (command[0] == SCSI_INQUIRY) {
        const ScsiIdentity identity = {
            .kind = ABSENT, .product = "", .serial = "", .device_id = ""};
        memset(data, 0, SCSI_INQUIRY_BYTES);
        *size = scsi_inquire(&identity, command, data);
    } else if (command[0] == SCSI_REQUEST_SENSE) {
        scsi_store_sense(data, SCSI_NO_SUCH_UNIT);
        *size = SCSI_SENSE_BYTES;
    }
    return *size != 0 ? SCSI_GOOD : SCSI_CHECK_CONDITION;
}
