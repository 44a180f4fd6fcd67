/* Hostile drivers of network cards, and hostile frames: registers, rings in memory, and DMA.
 *
 * The fuzzer's bytes choose a card and a list of actions. Some are what a driver does, so that
 * frames move, with numbers of the fuzzer's in them; others are any. Whatever comes, each must end,
 * send no frame that is longer than frames are, and go on from a saved state as it would have. */
#include "e1000.h"
#include "fuzz_devices.h"
#include "little_endian.h"
#include "ne2000.h"
#include "network_card.h"
#include "pci.h"
#include "pcnet.h"
#include "rtl8139.h"
#include "virtio_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { E1000, VIRTIO, RTL8139, PCNET, NE2000, CARDS };
enum { SLOT = 4, PORTS = 0xC000, REGISTERS = 0x40000000 };
/* Where drivers keep what cards read. */
enum { RINGS = 0x10000, RINGS_BYTES = 0x8000, DATA = 0x40000, DATA_BYTES = 0x20000 };
enum { ACTIONS_MAX = 60, EVENTS_MAX = 40, FRAMES_MAX = 200000 };

typedef struct Board {
    FuzzBoard base;
    PciDevice *function;
    NetworkLink *link;
    void *card;
    unsigned kind;
    uint32_t frames;   /* that were sent */
    uint16_t given[3]; /* descriptors or chains so far */
} Board;

static const NetworkCardModel *const models[CARDS] = {[E1000] = &e1000_model,
                                                      [VIRTIO] = &virtio_net_model,
                                                      [RTL8139] = &rtl8139_model,
                                                      [PCNET] = &pcnet_model,
                                                      [NE2000] = &ne2000_pci_model};
static PhysicalMap *memory; /* made once: it is large */

void fuzz_clean_up(void) {
    physical_map_destroy(memory);
}

/* Every byte is looked at, so that a sanitizer sees where they are. */
static void take_frame(void *opaque, const uint8_t *frame, size_t size) {
    Board *board = opaque;
    volatile uint8_t sum = 0;
    if (size > NETWORK_FRAME_MAX || ++board->frames > FRAMES_MAX)
        fuzz_die("too long a frame, or frames without end");
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + frame[i]);
}

static void map_registers(Board *board) {
    static const unsigned memory_bars[CARDS] = {
        [E1000] = 0, [VIRTIO] = 4, [RTL8139] = 1, [PCNET] = 1, [NE2000] = 1};
    static const unsigned port_bars[CARDS] = {[E1000] = 1};
    pci_device_config_write(board->function, PCI_BASE_ADDRESS + 4 * memory_bars[board->kind], 4,
                            REGISTERS);
    pci_device_config_write(board->function, PCI_BASE_ADDRESS + 4 * port_bars[board->kind], 4,
                            PORTS);
    pci_device_config_write(board->function, PCI_COMMAND, 2,
                            PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void create(Board *board, unsigned kind) {
    memset(board, 0, sizeof(*board));
    board->kind = kind;
    fuzz_board_create(&board->base, memory, DATA + DATA_BYTES);
    board->link = network_link_create(&board->base.context, "link");
    const NetworkBackEndPort port = {.send = take_frame, .opaque = board};
    network_link_attach_back_end(board->link, &port);
    const NetworkCardOptions options = {
        .id = "card", .link = board->link, .slot = SLOT, .address = {0x52, 0x54, 0, 1, 2, 3}};
    board->card = models[kind]->create(&board->base.context, board->base.bus, &options, NULL);
    if (board->card == NULL)
        fuzz_die("board");
    board->function = pci_bus_device(board->base.bus, SLOT, 0);
    map_registers(board);
}

static void destroy(Board *board) {
    models[board->kind]->destroy(board->card);
    network_link_destroy(board->link);
    fuzz_board_destroy(&board->base);
}

/* Addresses of what there is, limits, small numbers, and any. */
static uint64_t choose_value(FuzzInput *input) {
    static const uint64_t edges[] = {0,
                                     1,
                                     RINGS,
                                     RINGS + 0x1000,
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
                                     0xFFFF,
                                     0x8000,
                                     1514};
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

static void start_e1000(Board *board, FuzzInput *input) {
    board->given[0] = board->given[1] = 0;
    put(0x2800, 4, RINGS);
    put(0x2808, 4, 256);
    put(0x2810, 4, 0);
    put(0x3800, 4, RINGS + 0x1000);
    put(0x3808, 4, 256);
    put(0x3810, 4, 0);
    put(0x3818, 4, 0);
    put(0x0400, 4, 0xA);
    put(0x00D0, 4, UINT32_MAX);
    for (unsigned i = 0; i < 16; i++)
        store_le64(ram(RINGS + i * 16), DATA + i * 0x1000);
    put(0x0100, 4, 0x801A | (uint32_t)fuzz_number(input, 4));
    put(0x2818, 4, 15);
}

static void start_virtio(Board *board, FuzzInput *input) {
    uint64_t features = fuzz_number(input, 4);
    memset(board->given, 0, sizeof(board->given));
    put(20, 1, 0);
    put(20, 1, 3);
    put(8, 4, 0);
    put(12, 4, features & 0x309FB823);
    put(8, 4, 1);
    put(12, 4, 1);
    put(20, 1, 11);
    for (unsigned queue = 0; queue < 3; queue++) {
        put(22, 2, queue);
        put(24, 2, 8);
        put(32, 4, RINGS + queue * 0x2000);
        put(40, 4, RINGS + queue * 0x2000 + 0x800);
        put(48, 4, RINGS + queue * 0x2000 + 0x1000);
        put(28, 2, 1);
    }
    put(20, 1, 15);
}

static void put_port(const Board *board, unsigned offset, unsigned size, uint32_t value) {
    port_map_write(board->base.context.ports, (uint16_t)(PORTS + offset), size, value);
}

/* Either way of the chip. */
static void start_rtl8139(Board *board, FuzzInput *input) {
    bool descriptors = fuzz_number(input, 1) & 1;
    board->given[0] = 0;
    put(0x37, 1, 0x10);
    put(0x37, 1, 0);
    put(0x40, 4, fuzz_number(input, 1) % 8 == 0 ? 0x60000 : 0);
    put(0x44, 4, 0x0F | (uint32_t)fuzz_number(input, 2));
    put(0x3C, 2, 0xFFFF);
    if (descriptors) {
        put(0xE0, 2, 0x03 | (uint32_t)fuzz_number(input, 1));
        put(0xE4, 4, RINGS);
        put(0xE8, 4, 0);
        put(0x20, 4, RINGS + 0x1000);
        put(0x24, 4, 0);
        for (unsigned i = 0; i < 16; i++) {
            store_le32(ram(RINGS + i * 16), 0x80000600 | (i == 15 ? 0x40000000 : 0));
            store_le64(ram(RINGS + i * 16 + 8), DATA + i * 0x1000);
        }
    } else {
        put(0x30, 4, DATA);
    }
    put(0x37, 1, 0x0C);
}

static void give_rtl8139(Board *board, FuzzInput *input) {
    unsigned number = board->given[0]++ % 16;
    uint8_t *entry = ram(RINGS + 0x1000 + number * 16);
    uint32_t status = (uint32_t)fuzz_number(input, 4);
    memcpy(ram(DATA + 12), "\x08\x00\x45", 3);
    ram(DATA + 14)[9] = fuzz_number(input, 1) & 1 ? 6 : 17;
    store_le32(entry, (status & 0x3FFFFFFF) | 0x80000000 | (number == 15 ? 0x40000000 : 0));
    store_le32(entry + 4, (uint32_t)fuzz_number(input, 4));
    store_le64(entry + 8, fuzz_number(input, 1) % 8 == 0 ? choose_value(input) : DATA);
    put(0xD9, 1, 0x40);
    put(0x20 + number % 4 * 4, 4, DATA);
    put(0x10 + number % 4 * 4, 4, status & 0x1FFF);
    put(0x38, 2, (uint32_t)fuzz_number(input, 2));
    put(0x3E, 2, 0xFFFF);
}

static void put_csr(const Board *board, unsigned number, uint16_t value) {
    put_port(board, 0x12, 2, number);
    put_port(board, 0x10, 2, value);
}

static void start_pcnet(Board *board, FuzzInput *input) {
    static const uint8_t styles[] = {0, 2, 3, 1};
    uint8_t *block = ram(RINGS + 0x2000), style = styles[fuzz_number(input, 1) % 4];
    unsigned step = style == 0 ? 8 : 16;
    board->given[0] = 0;
    port_map_read(board->base.context.ports, PORTS + 0x14, 2);
    put_port(board, 0x12, 2, 20);
    put_port(board, 0x16, 2, style);
    put_csr(board, 1, RINGS & 0xFFFF);
    put_csr(board, 1, (RINGS + 0x2000) & 0xFFFF);
    put_csr(board, 2, (RINGS + 0x2000) >> 16);
    memset(block, 0, 28);
    store_le16(block, (uint16_t)(fuzz_number(input, 1) % 8 == 0 ? fuzz_number(input, 2) : 0));
    if (style == 0) {
        store_le32(block + 16, RINGS | 4u << 29);
        store_le32(block + 20, (RINGS + 0x1000) | 4u << 29);
    } else {
        block[2] = block[3] = 4 << 4;
        store_le32(block + 20, RINGS);
        store_le32(block + 24, RINGS + 0x1000);
    }
    for (unsigned i = 0; i < 16; i++) {
        uint8_t *entry = ram(RINGS + i * step);
        store_le32(entry + (style == 3 ? 8 : 0), DATA + i * 0x1000);
        store_le16(entry + 4, (uint16_t) - (int)(fuzz_number(input, 1) * 8));
        entry[style == 0 ? 3 : 7] = 0x80;
    }
    put_csr(board, 0, 1);
    put_csr(board, 0, 0x42);
}

static void give_pcnet(Board *board, FuzzInput *input) {
    unsigned number = board->given[0]++ % 16;
    unsigned kind = (unsigned)fuzz_number(input, 1) % 3;
    uint8_t *entry = ram(RINGS + 0x1000 + number * (kind == 0 ? 8 : 16));
    store_le32(entry + (kind == 2 ? 8 : 0), DATA);
    store_le16(entry + 4, (uint16_t)fuzz_number(input, 2));
    entry[kind == 0 ? 3 : 7] = (uint8_t)(0x80 | fuzz_number(input, 1));
    put_csr(board, 0, 0x48);
    if (fuzz_number(input, 1) % 4 == 0)
        put_csr(board, 76 + (number & 2), (uint16_t)fuzz_number(input, 2));
}

static void start_ne2000(Board *board, FuzzInput *input) {
    static const uint8_t registers[][2] = {{0, 0x21},    {0x0E, 0x49}, {0x0D, 0}, {0x0C, 0x1C},
                                           {1, 0x46},    {2, 0x80},    {3, 0x46}, {7, 0xFF},
                                           {0x0F, 0x7F}, {0, 0x61},    {7, 0x47}, {0, 0x22}};
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
        put_port(board, registers[i][0], 1, registers[i][1]);
    if (fuzz_number(input, 1) % 4 == 0)
        put_port(board, 1 + (unsigned)fuzz_number(input, 1) % 3, 1,
                 (uint32_t)fuzz_number(input, 1));
}

/* Moves some bytes by remote DMA, or sends. */
static void give_ne2000(Board *board, FuzzInput *input) {
    unsigned kind = (unsigned)fuzz_number(input, 1) % 3;
    put_port(board, 0, 1, 0x22);
    for (unsigned at = kind == 2 ? 4 : 8; at < (kind == 2 ? 7u : 12u); at++)
        put_port(board, at, 1, (uint32_t)fuzz_number(input, 1));
    put_port(board, 0, 1, kind == 2 ? 0x26 : kind == 1 ? 0x12 : 0x0A);
    for (unsigned i = 0; i < 20; i++) {
        unsigned size = 1u << fuzz_number(input, 1) % 3;
        if (kind == 1)
            put_port(board, 0x10, size, (uint32_t)fuzz_number(input, 1));
        else
            port_map_read(board->base.context.ports, PORTS + 0x10, size);
    }
    put_port(board, 3, 1, (uint32_t)fuzz_number(input, 1));
    put_port(board, 7, 1, 0xFF);
}

/* Descriptors of all three kinds; often a context and the frame that it is for. */
static void give_e1000(Board *board, FuzzInput *input) {
    unsigned count = 1 + (unsigned)fuzz_number(input, 1) % 3;
    for (unsigned i = 0; i < count; i++) {
        uint8_t *entry = ram(RINGS + 0x1000 + board->given[1]++ % 16 * 16);
        unsigned kind = (unsigned)fuzz_number(input, 1) % 4;
        for (unsigned at = 0; at < 16; at++)
            entry[at] = (uint8_t)fuzz_number(input, 1);
        if (kind != 3)
            store_le64(entry, kind == 1 ? 0x0021180E : DATA + fuzz_number(input, 1));
        if (kind == 1)
            store_le32(entry + 8,
                       0x20000000 | (uint32_t)(entry[11] & 7) << 24 | load_le16(entry + 8));
        else if (kind == 2)
            store_le32(entry + 8,
                       0x20100000 | (uint32_t)(entry[11] & 0xCF) << 24 | load_le16(entry + 8));
        if (i + 1 == count)
            entry[11] |= 1;
    }
    put(0x3818, 4, board->given[1] % 16);
    put(0x2818, 4, (uint32_t)fuzz_number(input, 1) % 17);
}

static void give_virtio(Board *board, FuzzInput *input) {
    unsigned queue = (unsigned)fuzz_number(input, 1) % 3,
             links = 1 + (unsigned)fuzz_number(input, 1) % 3;
    uint32_t rings = RINGS + queue * 0x2000;
    uint8_t *header = ram(DATA);
    for (unsigned i = 0; i < 24; i++)
        header[i] = (uint8_t)(fuzz_number(input, 1) % (i < 2 ? 6 : 256));
    for (unsigned i = 0; i < links; i++) {
        uint8_t *entry = ram(rings + i * 16);
        bool answers = queue == 0 || (queue == 2 && i + 1 == links);
        store_le64(entry, answers ? DATA + 0x8000 : DATA);
        store_le32(entry + 8, answers ? 700 : (uint32_t)fuzz_number(input, 2));
        store_le16(entry + 12, (uint16_t)((i + 1 < links ? 1 : 0) | (answers ? 2 : 0)));
        store_le16(entry + 14, (uint16_t)(i + 1));
    }
    if (fuzz_number(input, 1) % 4 == 0)
        store_le(ram(rings + (uint32_t)fuzz_number(input, 1) % 3 * 16 +
                     (uint32_t)fuzz_number(input, 1) % 2 * 8),
                 8, choose_value(input));
    store_le16(ram(rings + 0x800 + 4 + board->given[queue] % 8 * 2), 0);
    store_le16(ram(rings + 0x800 + 2), ++board->given[queue]);
    put(0x3000 + queue * 4, 2, queue);
}

static void deliver(Board *board, FuzzInput *input) {
    uint8_t frame[NETWORK_FRAME_MAX];
    size_t size = fuzz_number(input, 1) % 8 == 0 ? (size_t)fuzz_number(input, 2) % sizeof(frame)
                                                 : 60 + (size_t)fuzz_number(input, 1) * 6;
    memset(frame, (int)fuzz_number(input, 1), sizeof(frame));
    for (unsigned i = 0; i < 40; i++)
        frame[i] = (uint8_t)fuzz_number(input, 1);
    if (fuzz_number(input, 1) & 1)
        memcpy(frame, "\x52\x54\x00\x01\x02\x03", 6);
    if (fuzz_number(input, 1) & 1)
        memcpy(frame + 12, "\x08\x00\x45", 3);
    network_link_deliver(board->link, frame, size);
}

/* Where most registers are, but also any. */
static uint32_t choose_register(const Board *board, FuzzInput *input) {
    static const uint16_t groups[] = {0x0000, 0x00C0, 0x0100, 0x0400, 0x2800, 0x2810,
                                      0x3800, 0x3810, 0x4000, 0x5000, 0x5200, 0x5400};
    if (board->kind == VIRTIO)
        return (uint32_t)fuzz_number(input, 2) % (fuzz_number(input, 1) & 1 ? 64 : 0x4000);
    if (board->kind != E1000)
        return (uint32_t)fuzz_number(input, 1);
    if (fuzz_number(input, 1) % 4 == 0)
        return (uint32_t)fuzz_number(input, 3) % 0x20000;
    return groups[fuzz_number(input, 1) % (sizeof(groups) / sizeof(groups[0]))] +
           (uint32_t)fuzz_number(input, 1) % 16 * 4;
}

static void access_registers(Board *board, FuzzInput *input, bool writes) {
    unsigned size = board->kind == E1000 ? 4 : 1u << fuzz_number(input, 1) % 3;
    uint32_t offset = choose_register(board, input);
    if (fuzz_number(input, 1) % 4 == 0 || board->kind == NE2000) {
        uint16_t port = (uint16_t)(PORTS + offset % 64);
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
    static void (*const starts[CARDS])(Board * board, FuzzInput * input) = {
        start_e1000, start_virtio, start_rtl8139, start_pcnet, start_ne2000};
    static void (*const gives[CARDS])(Board * board, FuzzInput * input) = {
        give_e1000, give_virtio, give_rtl8139, give_pcnet, give_ne2000};
    switch (fuzz_number(input, 1) % 20) {
    case 0:
    case 1:
    case 2:
        access_registers(board, input, true);
        break;
    case 3:
        access_registers(board, input, false);
        break;
    case 4:
        store_le64(ram(RINGS + (uint32_t)fuzz_number(input, 2) % RINGS_BYTES), choose_value(input));
        break;
    case 5:
        pci_device_config_write(board->function, (unsigned)fuzz_number(input, 1) & 0xFC, 4,
                                (uint32_t)choose_value(input));
        if (fuzz_number(input, 1) & 1)
            map_registers(board);
        break;
    case 6:
        fuzz_devices_check_state(&board->base);
        break;
    case 7:
        fuzz_devices_damage_state(&board->base, input);
        break;
    case 8:
        network_link_set_up(board->link, fuzz_number(input, 1) & 1);
        break;
    case 9:
    case 10:
        starts[board->kind](board, input);
        break;
    case 11:
    case 12:
        fuzz_devices_run(&board->base, (unsigned)fuzz_number(input, 1) % EVENTS_MAX,
                         FUZZ_DEVICES_NO_END);
        break;
    case 13:
    case 14:
    case 15:
        deliver(board, input);
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
        memory = fuzz_memory_create();
    create(&board, (unsigned)fuzz_number(&input, 1) % CARDS);
    for (unsigned i = 0; i < ACTIONS_MAX && input.position < input.size; i++)
        act(&board, &input);
    fuzz_devices_run(&board.base, EVENTS_MAX, FUZZ_DEVICES_NO_END);
    destroy(&board);
    return 0;
}
