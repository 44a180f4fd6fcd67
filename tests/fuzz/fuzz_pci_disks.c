/* Hostile drivers of the disks on the PCI bus: registers, command structures in memory, and DMA.
 *
 * The fuzzer's bytes choose one of the controllers and a list of actions. Some are what a driver
 * does, so that queues run, with numbers of the fuzzer's in them; others are any. Whatever comes,
 * each must end, leave the image's size, and go on from a saved state as it would have. */
#include "ahci.h"
#include "fuzz_devices.h"
#include "little_endian.h"
#include "lsi53c895a.h"
#include "nvme.h"
#include "pci.h"
#include "scsi_cd.h"
#include "scsi_disk.h"
#include "virtio_blk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VIRTIO, AHCI, NVME, SCSI, CONTROLLERS };
enum { SLOT = 4, PORTS = 0xC000, REGISTERS = 0x40000000 };
enum { SCRIPTS_RAM = 0x40010000 }; /* of the SCSI adapter */
/* Where drivers keep what controllers read. */
enum { RINGS = 0x10000, RINGS_BYTES = 0x8000, TABLES = 0x20000, DATA = 0x40000 };
enum { ACTIONS_MAX = 60, EVENTS_MAX = 40 };

typedef struct Board {
    FuzzBoard base;
    PciDevice *function;
    BlockNode *medium;
    VirtioBlk *virtio;
    Ahci *ahci;
    Nvme *nvme;
    ScsiDisk *scsi_disk;
    ScsiCd *scsi_cd;
    Lsi *lsi;
    unsigned kind;
    uint32_t registers; /* of the memory BAR that counts */
    uint16_t given;     /* chains or commands so far */
} Board;

static PhysicalMap *memory; /* made once: it is large */
static char image[FUZZ_IMAGE_PATH];

static void set_up(void) {
    memory = fuzz_memory_create();
    fuzz_image_create(image);
}

void fuzz_clean_up(void) {
    unlink(image);
    physical_map_destroy(memory);
}

static bool plug_in_scsi(Board *board) {
    LsiOptions options = {.id = "lsi", .slot = SLOT};
    board->scsi_disk = scsi_disk_create(&board->base.context,
                                        &(ScsiDiskOptions){.id = "disk", .medium = board->medium});
    board->scsi_cd = scsi_cd_create(
        &board->base.context,
        &(ScsiCdOptions){.id = "cd", .channel_id = "cd-drive", .medium = board->medium}, NULL);
    if (board->scsi_cd == NULL)
        return false;
    options.targets[0] = scsi_disk_target(board->scsi_disk);
    options.targets[1] = scsi_cd_target(board->scsi_cd);
    board->lsi = lsi_create(&board->base.context, board->base.bus, &options, NULL);
    return board->lsi != NULL;
}

static bool plug_in(Board *board) {
    switch (board->kind) {
    case VIRTIO:
        board->virtio = virtio_blk_create(
            &board->base.context, board->base.bus,
            &(VirtioBlkOptions){.id = "disk", .slot = SLOT, .medium = board->medium}, NULL);
        return board->virtio != NULL;
    case AHCI:
        board->ahci = ahci_create(
            &board->base.context, board->base.bus,
            &(AhciOptions){.slot = SLOT,
                           .drives = {{.kind = IDE_DRIVE_DISK, .medium = board->medium},
                                      {.kind = IDE_DRIVE_CDROM, .medium = board->medium}}},
            NULL);
        return board->ahci != NULL;
    case SCSI:
        return plug_in_scsi(board);
    default:
        board->nvme =
            nvme_create(&board->base.context, board->base.bus,
                        &(NvmeOptions){.id = "disk", .slot = SLOT, .medium = board->medium}, NULL);
        return board->nvme != NULL;
    }
}

static void map_registers(Board *board) {
    static const unsigned bars[CONTROLLERS] = {[VIRTIO] = 4, [AHCI] = 5, [NVME] = 0, [SCSI] = 1};
    pci_device_config_write(board->function, PCI_BASE_ADDRESS + 4 * bars[board->kind], 4,
                            REGISTERS);
    if (board->kind == VIRTIO || board->kind == SCSI)
        pci_device_config_write(board->function, PCI_BASE_ADDRESS, 4, PORTS);
    if (board->kind == SCSI)
        pci_device_config_write(board->function, PCI_BASE_ADDRESS + 8, 4, SCRIPTS_RAM);
    pci_device_config_write(board->function, PCI_COMMAND, 2,
                            PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void create(Board *board, unsigned kind) {
    memset(board, 0, sizeof(*board));
    board->kind = kind;
    fuzz_board_create(&board->base, memory, DATA + 0x10000);
    board->medium = fuzz_image_open(image);
    if (!plug_in(board))
        fuzz_die("board");
    board->function = pci_bus_device(board->base.bus, SLOT, 0);
    map_registers(board);
}

static void destroy(Board *board) {
    virtio_blk_destroy(board->virtio);
    ahci_destroy(board->ahci);
    nvme_destroy(board->nvme);
    lsi_destroy(board->lsi);
    scsi_disk_destroy(board->scsi_disk);
    scsi_cd_destroy(board->scsi_cd);
    block_close(board->medium);
    fuzz_board_destroy(&board->base);
}

/* Addresses of what there is, limits, small numbers, and any. */
static uint64_t choose_value(FuzzInput *input) {
    static const uint64_t edges[] = {0,
                                     1,
                                     RINGS,
                                     RINGS + 0x1000,
                                     TABLES,
                                     DATA,
                                     DATA + 0xFFF,
                                     REGISTERS,
                                     REGISTERS + 0x3000,
                                     FUZZ_RAM_BYTES - 16,
                                     UINT32_MAX,
                                     UINT32_MAX - 15,
                                     0xFEE00000,
                                     0x80000000,
                                     UINT64_C(0x100000000),
                                     UINT64_MAX,
                                     UINT64_MAX - 4095,
                                     0xFFFF,
                                     FUZZ_IMAGE_SECTORS,
                                     FUZZ_IMAGE_SECTORS - 1};
    unsigned kind = (unsigned)fuzz_number(input, 1);
    if (kind < 128)
        return edges[kind % (sizeof(edges) / sizeof(edges[0]))];
    return fuzz_number(input, kind < 224 ? 1 : 4);
}

static uint8_t *ram(uint32_t address) {
    return physical_map_ram(memory) + address;
}

static void put(uint32_t offset, unsigned size, uint64_t value) {
    physical_write(memory, REGISTERS + offset, size, value);
}

/* What a driver does before it gives the first command. */
static void start_virtio(FuzzInput *input) {
    const uint64_t features = choose_value(input) | UINT64_C(0x30000000);
    put(20, 1, 0);
    put(20, 1, 3);
    put(8, 4, 0);
    put(12, 4, features & 0x30006E74);
    put(8, 4, 1);
    put(12, 4, 1);
    put(20, 1, 11);
    put(22, 2, 0);
    put(24, 2, 8);
    put(32, 4, RINGS);
    put(40, 4, RINGS + 0x1000);
    put(48, 4, RINGS + 0x2000);
    put(28, 2, 1);
    put(20, 1, 15);
}

static void start_ahci(FuzzInput *input) {
    uint32_t port = 0x100 + (fuzz_number(input, 1) % 2) * 0x80;
    put(4, 4, 2);
    put(port + 0x18, 4, 0);
    put(port, 4, RINGS);
    put(port + 8, 4, RINGS + 0x1000);
    put(port + 0x18, 4, 0x10);
    put(port + 0x18, 4, 0x11);
    put(port + 0x14, 4, UINT32_MAX);
}

static void start_nvme(FuzzInput *input) {
    put(0x14, 4, 0);
    put(0x24, 4, 7 << 16 | 7);
    put(0x28, 4, RINGS);
    put(0x30, 4, RINGS + 0x1000);
    put(0x14, 4, 0x00460001 | (fuzz_number(input, 1) % 6) << 7);
}

static void put_number(uint8_t *to, unsigned size, FuzzInput *input) {
    store_le(to, size, choose_value(input));
}

/* A chain of three buffers as a request has them. */
static void give_virtio(Board *board, FuzzInput *input) {
    uint8_t *header = ram(DATA + 0x8000);
    store_le32(header, (uint32_t)fuzz_number(input, 1) % 16);
    put_number(header + 8, 8, input);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *entry = ram(RINGS + i * 16);
        store_le64(entry, i == 0 ? DATA + 0x8000 : DATA);
        store_le32(entry + 8, i == 0 ? 16 : 512);
        store_le16(entry + 12,
                   (uint16_t)((i < 2 ? 1 : 0) | (i > 0 ? fuzz_number(input, 1) & 6 : 0)));
        store_le16(entry + 14, (uint16_t)(i + 1));
    }
    if (fuzz_number(input, 1) & 1)
        put_number(ram(RINGS + (uint32_t)(fuzz_number(input, 1) % 3) * 16 +
                       (uint32_t)(fuzz_number(input, 1) % 2) * 8),
                   8, input);
    store_le16(ram(RINGS + 0x1000 + 4 + board->given % 8 * 2),
               (uint16_t)(fuzz_number(input, 1) % 9));
    store_le16(ram(RINGS + 0x1000 + 2), ++board->given);
    put(0x3000, 2, 0);
}

static void give_ahci(Board *board, FuzzInput *input) {
    static const uint8_t commands[] = {0xEC, 0xA0, 0xA1, 0x25, 0x35, 0x60, 0x61, 0x20, 0x30,
                                       0xC4, 0xC5, 0xC6, 0xE7, 0xEF, 0x40, 0xB0, 0x08, 0x06};
    uint32_t slot = (uint32_t)fuzz_number(input, 1) % 4, port = 0x100 + board->given++ % 2 * 0x80;
    uint32_t table = TABLES + slot * 0x800;
    uint8_t *header = ram(RINGS + slot * 32), *frame = ram(table);
    store_le32(header, 5 | (uint32_t)fuzz_number(input, 1) % 8 << 16);
    store_le32(header + 8, table);
    frame[0] = 0x27;
    frame[1] = fuzz_number(input, 1) % 8 == 0 ? 0 : 0x80;
    frame[2] = commands[fuzz_number(input, 1) % sizeof(commands)];
    for (unsigned i = 3; i < 16; i++)
        frame[i] = i == 7 ? 0x40 : (uint8_t)(fuzz_number(input, 1) & (i % 4 == 0 ? 0xFF : 3));
    for (unsigned i = 0; i < 12; i++)
        frame[0x40 + i] = (uint8_t)fuzz_number(input, 1);
    for (unsigned i = 0; i < 3; i++) {
        store_le32(frame + 0x80 + i * 16, DATA + i * 0x1000);
        store_le32(frame + 0x8C + i * 16, 2047);
    }
    if (fuzz_number(input, 1) & 1)
        put_number(frame + 0x80 + (fuzz_number(input, 1) % 4) * 12, 4, input);
    put(port + 0x34, 4, 1u << slot);
    put(port + 0x38, 4, 1u << slot);
}

static void give_nvme(Board *board, FuzzInput *input) {
    unsigned queue = (unsigned)fuzz_number(input, 1) % 3, at = board->given % 8;
    uint8_t *entry = ram(RINGS + at * 64);
    memset(entry, 0, 64);
    entry[0] = (uint8_t)(fuzz_number(input, 1) % 16);
    store_le32(entry + 4, (uint32_t)fuzz_number(input, 1) % 3);
    put_number(entry + 24, 8, input);
    put_number(entry + 32, 8, input);
    for (unsigned i = 40; i < 52; i += 4)
        put_number(entry + i, 4, input);
    if (entry[0] == 1 || entry[0] == 5) { /* often queues that can be */
        store_le64(entry + 24, RINGS + (entry[0] == 5 ? 0x1000 : 0));
        store_le32(entry + 40, 7 << 16 | (uint32_t)(fuzz_number(input, 1) % 3));
        store_le32(entry + 44,
                   (uint32_t)(fuzz_number(input, 1) % 3) << (entry[0] == 1 ? 16 : 0) | 3);
    }
    board->given++;
    put(0x1000 + queue * 8, 4, board->given % 8);
    if (fuzz_number(input, 1) & 1)
        put(0x1004 + queue * 8, 4, fuzz_number(input, 1) % 9);
}

static void start_scsi(FuzzInput *input) {
    put(0x14, 1, 0x40);
    put(0x14, 1, 0);
    put(0x04, 1, 7);
    put(0x39, 1, 0x7D);
    put(0x40, 2, 0xFFFF);
    put(0x56, 1, fuzz_number(input, 1));
    put(0xC0, 4, RINGS);
    put(0xC4, 4, RINGS + 8);
    put(0x10, 4, TABLES);
}

/* A script that gives a command to a target, with one instruction of any kind in it. */
static void give_scsi(Board *board, FuzzInput *input) {
    static const uint8_t commands[] = {0x00, 0x03, 0x08, 0x0A, 0x12, 0x15, 0x1A, 0x1B, 0x25, 0x28,
                                       0x2A, 0x2E, 0x2F, 0x35, 0x41, 0x42, 0x43, 0x46, 0x4A, 0x55,
                                       0x5A, 0x88, 0x8A, 0x93, 0x9E, 0xA0, 0xA8, 0xBE, 0x42, 0x51};
    uint8_t *script = ram(RINGS), *command = ram(DATA + 0x8000), *message = ram(DATA + 0x8020);
    unsigned size = (unsigned)fuzz_number(input, 1) % 17, at = 0;
    command[0] = commands[fuzz_number(input, 1) % sizeof(commands)];
    for (unsigned i = 1; i < 16; i++)
        command[i] = (uint8_t)(fuzz_number(input, 1) & (i % 3 == 1 ? 0xFF : 3));
    message[0] = 0x80 | (fuzz_number(input, 1) % 16 == 0 ? 1 : 0);
    put_number(message + 1, 4, input);
    const uint32_t words[][2] = {
        {0x41000000 | (uint32_t)(fuzz_number(input, 1) % 3) << 16, RINGS},
        {0x0E000001 + (fuzz_number(input, 1) % 8 == 0 ? 4u : 0u), DATA + 0x8020},
        {0x0A000000 | (size == 0 ? 16 : size), DATA + 0x8000},
        {(fuzz_number(input, 1) & 1 ? 0x09000000u : 0x08000000u) |
             (uint32_t)(fuzz_number(input, 2) + 1),
         DATA},
        {0x0B000001, DATA + 0x8040},
        {0x0F000001, DATA + 0x8041},
        {0x60000040, 0},
        {0x48000000, 0},
        {0x98080000, 5},
    };
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++, at += 8) {
        store_le32(script + at, words[i][0]);
        store_le32(script + at + 4, words[i][1]);
    }
    if (fuzz_number(input, 1) & 1)
        put_number(script + fuzz_number(input, 1) % 9 * 8, 8, input);
    board->given++;
    put(0x2C, 4, RINGS);
}

static void access_registers(Board *board, FuzzInput *input, bool writes) {
    static const uint32_t sizes[CONTROLLERS] = {
        [VIRTIO] = 0x4000, [AHCI] = 0x400, [NVME] = 0x4000, [SCSI] = 0x100};
    unsigned size = 1u << fuzz_number(input, 1) % 3;
    uint32_t offset = (uint32_t)fuzz_number(input, 2) % sizes[board->kind];
    if (fuzz_number(input, 1) & 1)
        offset %= 64; /* where most registers are */
    if ((board->kind == VIRTIO || board->kind == SCSI) && (fuzz_number(input, 1) & 1)) {
        uint16_t port = (uint16_t)(PORTS + offset % 128);
        if (writes)
            port_map_write(board->base.context.ports, port, size, (uint32_t)choose_value(input));
        else
            port_map_read(board->base.context.ports, port, size);
    } else if (writes) {
        put(offset, size, choose_value(input));
    } else {
        physical_read(memory, REGISTERS + offset, size);
    }
}

static void act(Board *board, FuzzInput *input) {
    static void (*const starts[CONTROLLERS])(FuzzInput * input) = {start_virtio, start_ahci,
                                                                   start_nvme, start_scsi};
    static void (*const gives[CONTROLLERS])(Board * board, FuzzInput * input) = {
        give_virtio, give_ahci, give_nvme, give_scsi};
    switch (fuzz_number(input, 1) % 16) {
    case 0:
    case 1:
        access_registers(board, input, true);
        break;
    case 2:
        access_registers(board, input, false);
        break;
    case 3:
        store_le64(ram((fuzz_number(input, 1) & 1 ? RINGS : TABLES) +
                       (uint32_t)fuzz_number(input, 2) % RINGS_BYTES),
                   choose_value(input));
        break;
    case 4:
        pci_device_config_write(board->function, (unsigned)fuzz_number(input, 1) & 0xFC, 4,
                                (uint32_t)choose_value(input));
        if (fuzz_number(input, 1) & 1)
            map_registers(board);
        break;
    case 5:
        fuzz_devices_check_state(&board->base);
        break;
    case 6:
        fuzz_devices_damage_state(&board->base, input);
        break;
    case 7:
    case 8:
        starts[board->kind](input);
        break;
    case 9:
    case 10:
        fuzz_devices_run(&board->base, (unsigned)fuzz_number(input, 1) % EVENTS_MAX,
                         FUZZ_DEVICES_NO_END);
        break;
    default:
        gives[board->kind](board, input);
        break;
    }
}

int fuzz_one(const uint8_t *data, size_t size) {
    FuzzInput input = {data, size, 0};
    Board board;
    if (memory == NULL)
        set_up();
    create(&board, (unsigned)fuzz_number(&input, 1) % CONTROLLERS);
    uint64_t length = block_length(board.medium);
    for (unsigned i = 0; i < ACTIONS_MAX && input.position < input.size; i++)
        act(&board, &input);
    fuzz_devices_run(&board.base, EVENTS_MAX, FUZZ_DEVICES_NO_END);
    if (block_length(board.medium) != length)
        fuzz_die("the image has another size");
    destroy(&board);
    return 0;
}
