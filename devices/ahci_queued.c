/* Commands of the native queue: READ and WRITE FPDMA QUEUED (Serial ATA specification 13.6), which
 * a disk may have many of at a time. */
#include "ahci_internal.h"
#include "little_endian.h"

enum { COMMAND_READ = 0x60, COMMAND_WRITE = 0x61 };
enum { FRAME_COMMAND = 2, FRAME_COUNT = 12, FRAME_COUNT_HIGH_ORDER = 13 };
enum { ERROR_ABORTED = 0x04, ERROR_ID_NOT_FOUND = 0x10, ERROR_UNCORRECTABLE = 0x40 };

#define SECTOR_BYTES 512
#define AT_DONE 0x58 /* where a frame that sets device bits is received */
#define TYPE_SET_BITS 0xA1
#define FLAG_INTERRUPT 0x40

bool ahci_is_queued(const AhciCommand *command) {
    return command->frame[FRAME_COMMAND] == COMMAND_READ ||
           command->frame[FRAME_COMMAND] == COMMAND_WRITE;
}

static void receive_done(AhciPort *port, uint8_t status, uint8_t error, uint32_t tags) {
    uint8_t frame[8] = {TYPE_SET_BITS, FLAG_INTERRUPT, status, error};
    store_le32(frame + 4, tags);
    ahci_port_receive(port, AT_DONE, frame, sizeof(frame));
}

/* An error stops the whole queue. */
static bool fail(AhciPort *port, uint8_t error) {
    port->state->queue_failed = port->state->stopped = 1;
    port->state->status = ATA_READY | ATA_ERROR;
    port->state->error = error;
    receive_done(port, port->state->status, error, 0);
    ahci_raise(port, INTERRUPT_TASK_FILE | INTERRUPT_QUEUED);
    return false;
}

static bool move(AhciPort *port, BlockNode *disk, bool writes, uint64_t offset, uint64_t bytes) {
    Error error = {.set = false};
    PhysicalMap *memory = port->ahci->context.memory;
    bool good = writes ? dma_list_write_disk(&port->regions, memory, disk, offset, bytes, &error)
                       : dma_list_read_disk(&port->regions, memory, disk, offset, bytes, &error);
    if (!good)
        TRACE(port->ahci->context.trace, TRACE_GUEST_ERRORS, "ahci: %s\n", error.message);
    return good;
}

bool ahci_run_queued(AhciPort *port, unsigned slot, const AhciCommand *command, uint64_t *bytes) {
    const uint8_t *frame = command->frame;
    BlockNode *disk = ide_channel_media(port->channel, 0);
    bool writes = frame[FRAME_COMMAND] == COMMAND_WRITE;
    uint64_t lba = (uint64_t)frame[4] | (uint64_t)frame[5] << 8 | (uint64_t)frame[6] << 16 |
                   (uint64_t)frame[8] << 24 | (uint64_t)frame[9] << 32 | (uint64_t)frame[10] << 40;
    uint64_t count = (uint64_t)frame[11] << 8 | frame[3]; /* in the place of features */
    uint64_t size = (count == 0 ? 65536 : count) * SECTOR_BYTES;
    if (ide_channel_drive_kind(port->channel, 0) != IDE_DRIVE_DISK ||
        (writes && block_is_read_only(disk)))
        return fail(port, ERROR_ABORTED);
    uint64_t sectors = ide_channel_sectors(port->channel, 0);
    if (lba > sectors || size / SECTOR_BYTES > sectors - lba)
        return fail(port, ERROR_ID_NOT_FOUND);
    ide_channel_note_access(port->channel, 0);
    port->has_regions = false;
    if (!ahci_port_list_regions(port, command, &port->regions) || port->regions.left < size) {
        ahci_raise(port, INTERRUPT_BUS_DATA);
        return fail(port, ERROR_ABORTED);
    }
    if (!move(port, disk, writes, lba * SECTOR_BYTES, size))
        return fail(port, ERROR_UNCORRECTABLE);
    ahci_port_put_byte_count(port, slot, (uint32_t)size);
    port->state->issued &= ~(1u << slot);
    *bytes += size;
    return true;
}

void ahci_finish_queued(AhciPort *port, uint32_t tags) {
    port->state->active &= ~tags;
    receive_done(port, ATA_READY & 0x77, 0, tags);
    ahci_raise(port, INTERRUPT_QUEUED);
}
