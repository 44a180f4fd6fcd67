/* Hostile drivers of USB and of VMware's port: registers, schedules in memory, devices that come
 * and go, and states that somebody changed.
 *
 * Some actions are what a driver does, so that devices get addresses, requests and commands, with
 * numbers of the fuzzer's in them; others are any. Whatever comes, time must go on, and everything
 * goes on from a saved state as it would have. */
#include "fuzz_devices.h"
#include "little_endian.h"
#include "pci.h"
#include "scsi_disk.h"
#include "uhci.h"
#include "usb_hub.h"
#include "usb_keyboard.h"
#include "usb_mouse.h"
#include "usb_storage.h"
#include "usb_tablet.h"
#include "vmware_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLOT = 1, FUNCTION = 2, BASE = 0xC000, PORTS_BYTES = 32 };
enum { FRAME_LIST = 0x10000, QUEUE = 0x20000, DESCRIPTORS = 0x21000, DATA = 0x30000 };
enum { END = 1, QUEUE_LINK = 2, DEPTH = 4, DESCRIPTOR_BYTES = 16 };
enum { SETUP = 0x2D, IN = 0x69, OUT = 0xE1, ADDRESSES = 4, DEVICES = 5 };
enum { SOCKETS = UHCI_PORTS + USB_HUB_PORTS };
enum { ACTIONS_MAX = 100, EVENTS_MAX = 40 };
#define ACTIVE 0x18800000u /* three errors allowed */
#define COMPLETE 0x01000000u
#define SHORT_PACKET 0x20000000u

typedef struct Board {
    FuzzBoard base;
    PciDevice *function;
    UsbBus *usb;
    Uhci *uhci;
    UsbHub *hub;
    UsbTablet *tablet;
    UsbKeyboard *keyboard;
    UsbMouse *mouse;
    BlockNode *medium;
    ScsiDisk *disk;
    UsbStorage *storage;
    Ps2Mouse *ps2_mouse;
    VmwarePort *vmware;
} Board;

static PhysicalMap *memory; /* made once: it is large */
static char image[FUZZ_IMAGE_PATH];

static void set_up(void) {
    memory = fuzz_memory_create();
    fuzz_image_create(image);
}

void fuzz_clean_up(void) {
    if (memory == NULL)
        return;
    unlink(image);
    physical_map_destroy(memory);
}

static void take_copy(void *opaque, const uint8_t *text, size_t size) {
    (void)opaque;
    (void)text;
    if (size == 0 || size > VMWARE_SELECTION_BYTES)
        fuzz_die("a text of the guest's has a bad size");
}

static void map_registers(Board *board) {
    pci_device_config_write(board->function, PCI_BASE_ADDRESS + 16, 4, BASE);
    pci_device_config_write(board->function, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
}

static void create(Board *board) {
    memset(board, 0, sizeof(*board));
    fuzz_board_create(&board->base, memory, DATA + 0x10000);
    board->usb = usb_bus_create();
    board->uhci =
        uhci_create(&board->base.context, board->base.bus, board->usb, SLOT, FUNCTION, NULL);
    board->medium = fuzz_image_open(image);
    if (board->uhci == NULL)
        fuzz_die("board");
    board->hub = usb_hub_create(&board->base.context, board->usb, "hub");
    board->tablet = usb_tablet_create(&board->base.context, board->usb);
    board->keyboard = usb_keyboard_create(&board->base.context, board->usb);
    board->mouse = usb_mouse_create(&board->base.context, board->usb);
    board->disk = scsi_disk_create(&board->base.context,
                                   &(ScsiDiskOptions){.id = "disk", .medium = board->medium});
    board->storage = usb_storage_create(&board->base.context, board->usb, "storage",
                                        scsi_disk_target(board->disk));
    board->ps2_mouse = ps2_mouse_create(&board->base.context, NULL);
    board->vmware = vmware_port_create(&board->base.context, &(VmwarePortOptions){
                                                                 .mouse = board->ps2_mouse,
                                                                 .ram_bytes = FUZZ_RAM_BYTES,
                                                                 .copied = take_copy,
                                                             });
    board->function = pci_bus_device(board->base.bus, SLOT, FUNCTION);
    map_registers(board);
}

static void destroy(Board *board) {
    vmware_port_destroy(board->vmware);
    ps2_mouse_destroy(board->ps2_mouse);
    uhci_destroy(board->uhci);
    usb_storage_destroy(board->storage);
    scsi_disk_destroy(board->disk);
    usb_mouse_destroy(board->mouse);
    usb_keyboard_destroy(board->keyboard);
    usb_tablet_destroy(board->tablet);
    usb_hub_destroy(board->hub);
    usb_bus_destroy(board->usb);
    block_close(board->medium);
    fuzz_board_destroy(&board->base);
}

static uint8_t *ram(uint32_t address) {
    return physical_map_ram(memory) + address;
}

/* Links and addresses of what there is, limits, small numbers, and any. */
static uint32_t choose_value(FuzzInput *input) {
    static const uint32_t edges[] = {0,
                                     END,
                                     FRAME_LIST,
                                     QUEUE | QUEUE_LINK,
                                     (QUEUE + 16) | QUEUE_LINK,
                                     DESCRIPTORS,
                                     DESCRIPTORS | DEPTH,
                                     DESCRIPTORS + 32,
                                     DATA,
                                     FUZZ_RAM_BYTES - 8,
                                     FUZZ_RAM_BYTES,
                                     0xA0000,
                                     0x80000000,
                                     0xFEE00000,
                                     UINT32_MAX,
                                     UINT32_MAX & ~UINT32_C(15),
                                     ACTIVE | COMPLETE};
    unsigned kind = (unsigned)fuzz_number(input, 1);
    return kind < 128 ? edges[kind % (sizeof(edges) / sizeof(edges[0]))]
                      : (uint32_t)fuzz_number(input, kind < 200 ? 1 : 4);
}

static void put(Board *board, unsigned at, unsigned size, uint32_t value) {
    port_map_write(board->base.context.ports, (uint16_t)(BASE + at), size, value);
}

/* What drivers do before the first transfer: the list is there, it runs, ports are enabled. */
static void start(Board *board) {
    put(board, 8, 4, FRAME_LIST);
    put(board, 4, 2, 0xF);
    for (unsigned port = 0; port < UHCI_PORTS; port++) {
        put(board, 0x10 + 2 * port, 2, 0x200);
        put(board, 0x10 + 2 * port, 2, 0);
        put(board, 0x10 + 2 * port, 2, 6);
    }
    put(board, 2, 2, 0x1F);
    put(board, 0, 2, 1);
}

static void describe(unsigned index, uint32_t link, uint32_t control, uint32_t token,
                     uint32_t buffer) {
    uint8_t *descriptor = ram(DESCRIPTORS + DESCRIPTOR_BYTES * index);
    store_le32(descriptor, link);
    store_le32(descriptor + 4, control);
    store_le32(descriptor + 8, token);
    store_le32(descriptor + 12, buffer);
}

static uint32_t make_token(unsigned token, unsigned address, unsigned endpoint, unsigned size) {
    return token | address << 8 | endpoint << 15 | ((size - 1) & 0x7FFu) << 21;
}

/* All frames begin with the queue, and so many milliseconds pass. */
static void run_queue(Board *board, FuzzInput *input, unsigned frames) {
    if (fuzz_number(input, 1) % 4 == 0) /* somewhat other than drivers write it */
        store_le32(ram(DESCRIPTORS + 4 * ((uint32_t)fuzz_number(input, 1) % 20)),
                   choose_value(input));
    store_le32(ram(QUEUE), END);
    store_le32(ram(QUEUE + 4), DESCRIPTORS);
    for (unsigned i = 0; i < 1024; i++)
        store_le32(ram(FRAME_LIST + 4 * i), QUEUE | QUEUE_LINK);
    fuzz_devices_run(&board->base, EVENTS_MAX, board->base.clock.stopped_ns + frames * 1000000LL);
}

static void control_transfer(Board *board, FuzzInput *input, unsigned address) {
    static const uint8_t types[] = {0x80, 0x00, 0x81, 0x01, 0x21, 0xA1,
                                    0x02, 0x82, 0x23, 0xA3, 0x20, 0xA0};
    static const uint8_t codes[] = {6, 5, 9, 0, 1, 3, 8, 10, 11, 2, 0xFE, 0xFF};
    uint8_t *setup = ram(DATA);
    unsigned length = (unsigned)fuzz_number(input, 1) % 64;
    setup[0] = types[fuzz_number(input, 1) % sizeof(types)];
    setup[1] = codes[fuzz_number(input, 1) % sizeof(codes)];
    store_le16(setup + 2, (uint16_t)(fuzz_number(input, 1) % 4 | fuzz_number(input, 1) % 36 << 8));
    store_le16(setup + 4, (uint16_t)(fuzz_number(input, 1) % 3));
    store_le16(setup + 6, (uint16_t)(fuzz_number(input, 1) % 16 == 0 ? 0xFFFF : length));
    bool in = (setup[0] & 0x80) != 0;
    unsigned count = 1;
    describe(0, (DESCRIPTORS + 16) | DEPTH, ACTIVE, make_token(SETUP, address, 0, 8), DATA);
    for (unsigned done = 0; done < length; done += 8, count++)
        describe(count, (DESCRIPTORS + 16 * (count + 1)) | DEPTH, ACTIVE | SHORT_PACKET,
                 make_token(in ? IN : OUT, address, 0, length - done < 8 ? length - done : 8),
                 DATA + 0x100 + done);
    describe(count, END, ACTIVE | COMPLETE, make_token(in ? OUT : IN, address, 0, 0), 0);
    run_queue(board, input, 12);
}

/* Every device that listens at 0 gets an address and its configuration. */
static void configure(Board *board, FuzzInput *input) {
    uint8_t *setup = ram(DATA);
    unsigned address = 1 + (unsigned)fuzz_number(input, 1) % (ADDRESSES - 1);
    memset(setup, 0, 16);
    setup[1] = 5;
    setup[2] = (uint8_t)address;
    setup[8 + 1] = 9;
    setup[8 + 2] = 1;
    describe(0, (DESCRIPTORS + 16) | DEPTH, ACTIVE, make_token(SETUP, 0, 0, 8), DATA);
    describe(1, (DESCRIPTORS + 32) | DEPTH, ACTIVE, make_token(IN, 0, 0, 0), 0);
    describe(2, (DESCRIPTORS + 48) | DEPTH, ACTIVE, make_token(SETUP, address, 0, 8), DATA + 8);
    describe(3, END, ACTIVE | COMPLETE, make_token(IN, address, 0, 0), 0);
    run_queue(board, input, 4);
}

/* Power and a reset for a port, if a hub has this address: then what is in it listens at 0. */
static void enable_hub_port(Board *board, FuzzInput *input, unsigned address) {
    static const uint8_t features[] = {8, 4};
    uint8_t port = (uint8_t)(fuzz_number(input, 1) % (USB_HUB_PORTS + 2));
    for (unsigned i = 0; i < sizeof(features); i++) {
        uint8_t *setup = ram(DATA + 8 * i);
        memset(setup, 0, 8);
        setup[0] = 0x23;
        setup[1] = 3;
        setup[2] = features[i];
        setup[4] = port;
        describe(2 * i, (DESCRIPTORS + 32 * i + 16) | DEPTH, ACTIVE,
                 make_token(SETUP, address, 0, 8), DATA + 8 * i);
        describe(2 * i + 1, i == 0 ? (DESCRIPTORS + 32) | DEPTH : END, ACTIVE | COMPLETE,
                 make_token(IN, address, 0, 0), 0);
    }
    run_queue(board, input, 4);
}

static void poll_report(Board *board, FuzzInput *input, unsigned address) {
    describe(0, END, ACTIVE | COMPLETE,
             make_token(IN, address, 1, (unsigned)fuzz_number(input, 1) % 12), DATA);
    run_queue(board, input, 2);
}

/* A command block, data, and the status (Bulk-Only Transport 1.0, chapter 5). */
static void give_command(Board *board, FuzzInput *input, unsigned address) {
    static const uint8_t commands[] = {0x00, 0x03, 0x12, 0x1A, 0x1B, 0x1E, 0x23, 0x25, 0x28, 0x2A,
                                       0x2F, 0x35, 0x55, 0x5A, 0x88, 0x8A, 0x9E, 0xA0, 0xA8, 0xBE};
    uint8_t *wrapper = ram(DATA);
    unsigned blocks = (unsigned)fuzz_number(input, 1) % 4;
    bool in = fuzz_number(input, 1) & 1;
    memset(wrapper, 0, 31);
    memcpy(wrapper, "USBC", 4);
    store_le32(wrapper + 8,
               fuzz_number(input, 1) % 4 == 0 ? choose_value(input) : (uint32_t)blocks * 512);
    wrapper[12] = in ? 0x80 : 0;
    wrapper[14] = (uint8_t)(fuzz_number(input, 1) % 8 == 0 ? fuzz_number(input, 1) : 10);
    wrapper[15] = commands[fuzz_number(input, 1) % sizeof(commands)];
    for (unsigned i = 1; i < 16; i++)
        wrapper[15 + i] =
            i == 8 ? (uint8_t)blocks : (uint8_t)(fuzz_number(input, 1) & (i % 5 == 0 ? 0xFF : 0));
    unsigned count = 1, packets = blocks * 8;
    describe(0, (DESCRIPTORS + 16) | DEPTH, ACTIVE, make_token(OUT, address, 2, 31), DATA);
    for (; count <= packets; count++)
        describe(count, (DESCRIPTORS + 16 * (count + 1)) | DEPTH, ACTIVE,
                 make_token(in ? IN : OUT, address, in ? 1 : 2, 64), DATA + 64 * count);
    describe(count, END, ACTIVE | COMPLETE, make_token(IN, address, 1, 13), DATA + 0x8000);
    run_queue(board, input, 8);
}

static void plug(Board *board, FuzzInput *input) {
    UsbDevice *devices[DEVICES] = {usb_tablet_device(board->tablet),
                                   usb_keyboard_device(board->keyboard),
                                   usb_mouse_device(board->mouse),
                                   usb_storage_device(board->storage), usb_hub_device(board->hub)};
    UsbDevice *device = devices[fuzz_number(input, 1) % DEVICES];
    unsigned socket = (unsigned)fuzz_number(input, 1) % (SOCKETS + 1);
    if (socket == SOCKETS)
        usb_bus_unplug(board->usb, device);
    else
        usb_bus_plug_in(board->usb, socket, device, NULL);
}

/* Somebody uses the devices. */
static void use(Board *board, FuzzInput *input) {
    uint32_t x = choose_value(input), y = choose_value(input);
    switch (fuzz_number(input, 1) % 8) {
    case 0:
        usb_tablet_move(board->tablet, x, y);
        usb_tablet_turn(board->tablet, (int32_t)y);
        break;
    case 1:
        usb_tablet_set_buttons(board->tablet, x);
        usb_mouse_set_buttons(board->mouse, x);
        break;
    case 2:
        usb_mouse_move(board->mouse, (int32_t)x, (int32_t)y, (int32_t)(x ^ y));
        break;
    case 3:
        vmware_port_place(board->vmware, x, y);
        vmware_port_move(board->vmware, (int32_t)x, (int32_t)y, (int32_t)(x ^ y));
        vmware_port_set_buttons(board->vmware, y);
        break;
    case 4:
        vmware_port_offer(board->vmware, ram(DATA), x % (2 * VMWARE_SELECTION_BYTES));
        break;
    default:
        usb_keyboard_set_key(board->keyboard, (int)(x % KEYBOARD_KEY_COUNT), y & 1);
        break;
    }
}

static void call_vmware(Board *board, FuzzInput *input) {
    static const uint32_t commands[] = {4, 6, 7, 8, 9, 10, 20, 39, 40, 41, 86};
    static const uint32_t parameters[] = {0x45414552, 0xF5, 0x4C455252, 0x53424152, 1, 4, 6};
    unsigned kind = (unsigned)fuzz_number(input, 1);
    VmwareRegisters registers = {.eax = VMWARE_MAGIC,
                                 .ebx = kind & 1 ? choose_value(input)
                                                 : parameters[fuzz_number(input, 1) % 7],
                                 .ecx = commands[kind / 2 % 11]};
    vmware_port_call(board->vmware, &registers);
}

static void access_registers(Board *board, FuzzInput *input) {
    unsigned size = 1u << fuzz_number(input, 1) % 3;
    unsigned at = (unsigned)fuzz_number(input, 1) % PORTS_BYTES;
    if (fuzz_number(input, 1) % 4 == 0)
        port_map_read(board->base.context.ports, (uint16_t)(BASE + at), size);
    else
        put(board, at, size, choose_value(input));
}

static void change_state(Board *board, FuzzInput *input) {
    if (fuzz_number(input, 1) % 8 == 0)
        fuzz_devices_damage_state(&board->base, input);
    else
        fuzz_devices_check_state(&board->base);
}

/* Queues and descriptors of any kind, and time for them. */
static void write_schedule(Board *board, FuzzInput *input) {
    static const uint32_t places[] = {FRAME_LIST, QUEUE, DESCRIPTORS, DATA};
    for (unsigned i = 0; i < 8; i++)
        store_le32(
            ram(places[fuzz_number(input, 1) % 4] + 4 * ((uint32_t)fuzz_number(input, 1) % 32)),
            choose_value(input));
    fuzz_devices_run(&board->base, (unsigned)fuzz_number(input, 1) % EVENTS_MAX,
                     board->base.clock.stopped_ns + 20 * 1000000LL);
}

static void act(Board *board, FuzzInput *input) {
    unsigned kind = (unsigned)fuzz_number(input, 1) % 17;
    unsigned address = (unsigned)fuzz_number(input, 1) % ADDRESSES;
    switch (kind) {
    case 0:
    case 1:
        plug(board, input);
        break;
    case 2:
        start(board);
        break;
    case 3:
        configure(board, input);
        break;
    case 4:
        control_transfer(board, input, address);
        break;
    case 5:
        poll_report(board, input, address);
        break;
    case 6:
    case 7:
        give_command(board, input, address);
        break;
    case 8:
        use(board, input);
        break;
    case 9:
    case 10:
        call_vmware(board, input);
        break;
    case 11:
        change_state(board, input);
        break;
    case 12:
    case 13:
        write_schedule(board, input);
        break;
    case 14:
        enable_hub_port(board, input, address);
        break;
    case 15:
        pci_device_config_write(board->function, (unsigned)fuzz_number(input, 1) & 0xFC, 4,
                                choose_value(input));
        map_registers(board);
        break;
    default:
        access_registers(board, input);
        break;
    }
}

int fuzz_one(const uint8_t *data, size_t size) {
    FuzzInput input = {data, size, 0};
    Board board;
    if (memory == NULL)
        set_up();
    create(&board);
    /* One that a driver would find, so that short inputs come far. */
    plug(&board, &input);
    start(&board);
    configure(&board, &input);
    for (unsigned i = 0; i < ACTIONS_MAX && input.position < input.size; i++)
        act(&board, &input);
    fuzz_devices_run(&board.base, EVENTS_MAX, board.base.clock.stopped_ns + NS_PER_SECOND / 10);
    destroy(&board);
    return 0;
}
