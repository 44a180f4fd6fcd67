/* A port of the AHCI controller: it takes commands from the list in memory, gives them to the
 * drive one at a time, and moves their data (AHCI specification, chapters 4 and 5). */
#include "ahci_internal.h"
#include "little_endian.h"
#include <string.h>

/* A row of the command list, and what it points to. */
enum { HEADER_BYTES = 32, HEADER_BYTE_COUNT = 4 };
enum { TABLE_PACKET = 0x40, TABLE_REGIONS = 0x80, REGION_BYTES = 16 };
#define REGION_SIZE_MASK 0x3FFFFFu
#define PACKET_ROOM 16

/* Where frames are received. */
enum { AT_PIO_SETUP = 0x20, AT_REGISTERS = 0x40 };
#define TYPE_HOST_TO_DEVICE 0x27
#define TYPE_PIO_SETUP 0x5F
enum { FRAME_COMMAND = 2, PIO_END_STATUS = 15, PIO_BYTES = 16, FLAG_IS_COMMAND = 0x80 };
enum { FLAG_TO_HOST = 0x20, FLAG_INTERRUPT = 0x40 };

#define PIO_BYTES_MAX 8192 /* of one data request */
#define RESET_LOOK_NS 200000

#define WRITABLE_COMMAND_BITS (PORT_START | PORT_SPIN_UP | PORT_POWER_ON | PORT_RECEIVE)

static PhysicalMap *memory_of(const AhciPort *port) {
    return port->ahci->context.memory;
}

static bool is_running(const AhciPort *port) {
    return (port->state->command & PORT_START) && port->channel != NULL &&
           pci_device_is_master(port->ahci->pci);
}

void ahci_port_wake(AhciPort *port, int64_t ns) {
    const AhciPortState *state = port->state;
    bool has_work = state->issued != 0 || state->slot != AHCI_NO_SLOT || state->reset_pending;
    if (port->channel != NULL && has_work && !timer_is_armed(&port->timer))
        timer_arm(&port->timer, clock_now_ns(port->ahci->context.clock) + ns);
}

uint32_t ahci_port_task_file(const AhciPort *port) {
    if (port->channel == NULL)
        return 0x7F;
    if (port->state->queue_failed)
        return (uint32_t)port->state->error << 8 | port->state->status;
    return (uint32_t)ide_channel_error(port->channel) << 8 | ide_channel_status(port->channel);
}

uint32_t ahci_port_signature(const AhciPort *port) {
    if (port->channel == NULL)
        return UINT32_MAX;
    return ide_channel_drive_kind(port->channel, 0) == IDE_DRIVE_CDROM ? 0xEB140101 : 0x00000101;
}

void ahci_port_receive(AhciPort *port, uint32_t place, const uint8_t *frame, uint32_t size) {
    if (port->state->command & PORT_RECEIVE)
        physical_write_bytes(memory_of(port), port->state->received + place, frame, size);
}

static void receive_registers(AhciPort *port) {
    uint8_t frame[IDE_FRAME_BYTES];
    ide_channel_fill_frame(port->channel, frame);
    ahci_port_receive(port, AT_REGISTERS, frame, sizeof(frame));
}

static void forget_commands(AhciPort *port) {
    port->state->issued = port->state->active = 0;
    port->state->slot = AHCI_NO_SLOT;
    port->state->queue_failed = 0;
    port->state->stopped = 0;
    port->has_regions = false;
}

static void reset_drive(AhciPort *port) {
    port->state->queue_failed = 0;
    if (port->channel == NULL)
        return;
    ide_channel_reset_link(port->channel);
    port->state->slot = AHCI_NO_SLOT;
    port->state->reset_pending = 1;
    ahci_port_wake(port, DMA_ACCESS_NS);
}

void ahci_port_reset(AhciPort *port) {
    timer_cancel(&port->timer);
    *port->state = (AhciPortState){.due_ns = TIMER_NEVER, .slot = AHCI_NO_SLOT};
    port->state->command = PORT_SPIN_UP | PORT_POWER_ON;
    if (port->channel != NULL && ide_channel_drive_kind(port->channel, 0) == IDE_DRIVE_CDROM)
        port->state->command |= PORT_PACKET_DEVICE;
    port->has_regions = false;
    reset_drive(port);
}

void ahci_port_restored(AhciPort *port) {
    port->has_regions = false;
    if (port->state->slot >= AHCI_SLOTS)
        port->state->slot = AHCI_NO_SLOT;
    port->state->next_slot %= AHCI_SLOTS;
}

void ahci_port_write_command(AhciPort *port, uint32_t value) {
    AhciPortState *state = port->state;
    uint32_t kept = state->command & PORT_PACKET_DEVICE;
    bool stops = (state->command & PORT_START) && !(value & PORT_START);
    state->command = kept | (value & WRITABLE_COMMAND_BITS);
    if (value & PORT_START)
        state->command |= PORT_RUNNING;
    if (value & PORT_RECEIVE)
        state->command |= PORT_RECEIVING;
    if (stops)
        forget_commands(port);
    if ((value & PORT_CLEAR_BUSY) && !(value & PORT_START) && port->channel != NULL)
        ide_channel_reset_link(port->channel);
    ahci_port_wake(port, DMA_ACCESS_NS);
}

void ahci_port_write_link_control(AhciPort *port, uint32_t value) {
    bool was_reset = (port->state->link_control & 0xF) == 1;
    port->state->link_control = value & 0xFFF;
    if (was_reset && (value & 0xF) == 0)
        reset_drive(port);
}

void ahci_port_read_command(AhciPort *port, unsigned slot, AhciCommand *command) {
    uint8_t header[HEADER_BYTES];
    physical_read_bytes(memory_of(port), port->state->command_list + slot * HEADER_BYTES, header,
                        sizeof(header));
    uint32_t flags = load_le32(header);
    command->regions = flags >> 16;
    command->table = load_le32(header + 8) & ~0x7Fu;
    physical_read_bytes(memory_of(port), command->table, command->frame, sizeof(command->frame));
}

bool ahci_port_list_regions(AhciPort *port, const AhciCommand *command, DmaList *list) {
    dma_list_clear(list);
    for (uint32_t i = 0; i < command->regions; i++) {
        uint8_t region[REGION_BYTES];
        physical_read_bytes(memory_of(port), command->table + TABLE_REGIONS + i * REGION_BYTES,
                            region, sizeof(region));
        uint32_t size = (load_le32(region + 12) & REGION_SIZE_MASK) + 1;
        if (!dma_list_add(list, load_le32(region) & ~1u, size))
            return false;
    }
    return true;
}

void ahci_port_put_byte_count(AhciPort *port, unsigned slot, uint32_t bytes) {
    uint32_t header = port->state->command_list + slot * HEADER_BYTES;
    physical_write(memory_of(port), header + HEADER_BYTE_COUNT, 4, bytes);
}

/* The regions of the running command, and where it is in them. */
static DmaList *running_regions(AhciPort *port) {
    AhciCommand command;
    if (!port->has_regions && port->state->slot != AHCI_NO_SLOT) {
        ahci_port_read_command(port, port->state->slot, &command);
        if (!ahci_port_list_regions(port, &command, &port->regions)) {
            dma_list_clear(&port->regions);
            ahci_raise(port, INTERRUPT_BUS_DATA);
        }
        dma_list_skip(&port->regions, port->state->transferred);
        port->has_regions = true;
    }
    return &port->regions;
}

/* Data for which the regions have no place is lost; for data that they lack the drive waits until
 * it is reset. */
static size_t transfer(void *opaque, uint8_t *data, size_t size, bool to_memory) {
    AhciPort *port = opaque;
    AhciPortState *state = port->state;
    if (state->slot == AHCI_NO_SLOT || !pci_device_is_master(port->ahci->pci))
        return 0;
    bool was_working = port->ahci->working;
    port->ahci->working = true;
    DmaList *regions = running_regions(port);
    size_t fits = regions->left < size ? (size_t)regions->left : size;
    if (to_memory) {
        dma_list_write(regions, memory_of(port), data, size);
    } else {
        dma_list_read(regions, memory_of(port), data, fits);
    }
    state->transferred += (uint32_t)fits;
    port->ahci->working = was_working;
    if (fits < size)
        ahci_raise(port, INTERRUPT_OVERFLOW);
    return to_memory ? size : fits;
}

/* The drive's interrupt or a data request: what follows is done by the port's own event. */
static void drive_spoke(void *opaque) {
    AhciPort *port = opaque;
    if (port->state->slot == AHCI_NO_SLOT)
        return;
    timer_arm(&port->timer, clock_now_ns(port->ahci->context.clock));
}

static void drive_interrupt(void *opaque, int line, int level) {
    (void)line;
    if (level)
        drive_spoke(opaque);
}

static void read_packet(AhciPort *port, uint8_t *data, uint32_t size) {
    AhciCommand command;
    uint8_t packet[PACKET_ROOM];
    ahci_port_read_command(port, port->state->slot, &command);
    physical_read_bytes(memory_of(port), command.table + TABLE_PACKET, packet, sizeof(packet));
    memset(data, 0, size);
    memcpy(data, packet, size < sizeof(packet) ? size : sizeof(packet));
}

/* Tells of the data of PIO, as a device does before it (Serial ATA specification 10.3.10). */
static void receive_pio_setup(AhciPort *port, IdeDataRequest request, uint8_t status) {
    uint8_t frame[IDE_FRAME_BYTES];
    ide_channel_fill_frame(port->channel, frame);
    frame[0] = TYPE_PIO_SETUP;
    frame[1] = FLAG_INTERRUPT | (request.to_host ? FLAG_TO_HOST : 0);
    frame[FRAME_COMMAND] = status;
    frame[PIO_END_STATUS] = ide_channel_status(port->channel);
    store_le16(frame + PIO_BYTES, (uint16_t)request.bytes);
    ahci_port_receive(port, AT_PIO_SETUP, frame, sizeof(frame));
}

static void move_pio(AhciPort *port, IdeDataRequest request) {
    uint8_t data[PIO_BYTES_MAX] = {0};
    uint8_t status = ide_channel_status(port->channel);
    if (request.is_packet)
        read_packet(port, data, request.bytes);
    else if (!request.to_host)
        transfer(port, data, request.bytes, false);
    ide_channel_move_data(port->channel, data);
    if (request.to_host)
        transfer(port, data, request.bytes, true);
    receive_pio_setup(port, request, status);
    if (!request.is_packet)
        ahci_raise(port, INTERRUPT_PIO_SETUP);
}

static void finish_command(AhciPort *port) {
    AhciPortState *state = port->state;
    unsigned slot = state->slot;
    bool failed = (ide_channel_status(port->channel) & ATA_ERROR) != 0;
    receive_registers(port);
    ahci_port_put_byte_count(port, slot, state->transferred);
    state->slot = AHCI_NO_SLOT;
    port->has_regions = false;
    if (!failed)
        state->issued &= ~(1u << slot);
    state->stopped = failed;
    ahci_raise(port, INTERRUPT_REGISTERS | (failed ? INTERRUPT_TASK_FILE : 0));
}

/* Goes on with the command that the drive runs. */
static void follow_command(AhciPort *port) {
    for (;;) {
        if (ide_channel_status(port->channel) & ATA_BUSY)
            return;
        IdeDataRequest request = ide_channel_data_request(port->channel);
        if (request.bytes == 0)
            break;
        move_pio(port, request);
    }
    finish_command(port);
}

/* A frame that carries no command but the device control register. */
static void give_control(AhciPort *port, unsigned slot, const uint8_t *frame) {
    bool resets = (ahci_port_task_file(port) & ATA_BUSY) != 0;
    ide_channel_take_frame(port->channel, frame);
    port->state->issued &= ~(1u << slot);
    port->state->queue_failed = 0;
    if (resets)
        port->state->reset_pending = 1;
}

/* Gives the command of a slot to the drive; true if there may be more to do at once. */
static bool give_command(AhciPort *port, unsigned slot, const AhciCommand *command) {
    AhciPortState *state = port->state;
    if (!(command->frame[1] & FLAG_IS_COMMAND)) {
        give_control(port, slot, command->frame);
        return true;
    }
    state->slot = (uint8_t)slot;
    state->transferred = 0;
    state->command = (state->command & ~PORT_SLOT_MASK) | slot << PORT_SLOT_SHIFT;
    port->has_regions = false;
    ide_channel_take_frame(port->channel, command->frame);
    return false;
}

static bool find_slot(AhciPortState *state, unsigned *slot) {
    for (unsigned i = 0; i < AHCI_SLOTS; i++) {
        *slot = (state->next_slot + i) % AHCI_SLOTS;
        if (state->issued >> *slot & 1)
            return true;
    }
    return false;
}

/* Starts what is issued: queued commands are done at once, of others the first is given to the
 * drive. Returns how long that keeps the port busy. */
static int64_t issue_commands(AhciPort *port) {
    AhciPortState *state = port->state;
    uint64_t bytes = 0;
    uint32_t done = 0;
    unsigned slot;
    for (unsigned i = 0; i < DMA_BURST_REQUESTS && bytes < DMA_BURST_BYTES; i++) {
        AhciCommand command;
        bool busy = (ide_channel_status(port->channel) & (ATA_BUSY | ATA_DATA_REQUEST)) != 0;
        if (!find_slot(state, &slot))
            break;
        ahci_port_read_command(port, slot, &command);
        bool is_control = !(command.frame[1] & FLAG_IS_COMMAND);
        if ((busy || state->stopped) && !is_control)
            break;
        state->next_slot = (uint8_t)((slot + 1) % AHCI_SLOTS);
        if (command.frame[0] != TYPE_HOST_TO_DEVICE) {
            state->issued &= ~(1u << slot);
        } else if (ahci_is_queued(&command) && !is_control) {
            uint32_t tag = 1u << (command.frame[12] >> 3);
            if (!ahci_run_queued(port, slot, &command, &bytes))
                break;
            done |= tag;
        } else if (!give_command(port, slot, &command)) {
            break;
        }
    }
    if (done != 0)
        ahci_finish_queued(port, done);
    return DMA_ACCESS_NS + dma_transfer_ns(bytes);
}

/* The drive has reset and says what it is. */
static void look_for_reset(AhciPort *port) {
    if ((ide_channel_status(port->channel) & ATA_BUSY) || !(port->state->command & PORT_RECEIVE))
        return;
    port->state->reset_pending = 0;
    receive_registers(port);
}

static void timer_fired(void *opaque) {
    AhciPort *port = opaque;
    int64_t ns = DMA_ACCESS_NS;
    if (port->state->reset_pending && pci_device_is_master(port->ahci->pci)) {
        port->ahci->working = true;
        look_for_reset(port);
        port->ahci->working = false;
        if (port->state->reset_pending)
            ns = RESET_LOOK_NS;
    }
    if (!is_running(port))
        return;
    port->ahci->working = true;
    if (port->state->slot != AHCI_NO_SLOT)
        follow_command(port);
    if (port->state->slot == AHCI_NO_SLOT && port->state->issued != 0)
        ns = issue_commands(port);
    port->ahci->working = false;
    if (port->state->slot == AHCI_NO_SLOT && !port->state->stopped)
        ahci_port_wake(port, ns);
}

bool ahci_port_init(Ahci *ahci, unsigned number, const DeviceContext *context,
                    const IdeDriveOptions *drive, Error *error) {
    static const char *const ids[AHCI_PORTS] = {"ahci-drive0", "ahci-drive1", "ahci-drive2",
                                                "ahci-drive3", "ahci-drive4", "ahci-drive5"};
    AhciPort *port = &ahci->ports[number];
    port->ahci = ahci;
    port->number = number;
    port->state = &ahci->state.ports[number];
    timer_init(&port->timer, context->clock, "ahci", &port->state->due_ns, timer_fired, port);
    if (drive->kind == IDE_DRIVE_NONE)
        return true;
    const IdeChannelOptions options = {
        .id = ids[number],
        .number = number,
        .serial = true,
        .drives = {*drive},
        .irq = {drive_interrupt, port, 0},
        .bus_master = {.transfer = transfer, .data_requested = drive_spoke, .opaque = port},
    };
    port->channel = ide_channel_create(context, &options, error);
    return port->channel != NULL;
}
