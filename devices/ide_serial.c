/* A channel as a Serial ATA controller sees it: registers travel in frames (Serial ATA
 * specification, chapter 10), and the controller moves the data of PIO itself. */
#include "ide_internal.h"
#include "little_endian.h"
#include <string.h>

/* Bytes of a frame from host to device, and of most in the other direction. */
enum {
    FRAME_TYPE = 0,
    FRAME_FLAGS = 1,
    FRAME_COMMAND = 2,  /* or status */
    FRAME_FEATURES = 3, /* or error */
    FRAME_LBA = 4,
    FRAME_DEVICE = 7,
    FRAME_LBA_HIGH_ORDER = 8,
    FRAME_FEATURES_HIGH_ORDER = 11,
    FRAME_COUNT = 12,
    FRAME_COUNT_HIGH_ORDER = 13,
    FRAME_CONTROL = 15,
};
enum { TYPE_DEVICE_TO_HOST = 0x34 };
enum { FLAG_IS_COMMAND = 0x80, FLAG_INTERRUPT = 0x40 };

void ide_channel_take_frame(IdeChannel *channel, const uint8_t *frame) {
    static const struct {
        uint8_t offset, high_order, low_order;
    } rows[] = {
        {REGISTER_ERROR, FRAME_FEATURES_HIGH_ORDER, FRAME_FEATURES},
        {REGISTER_COUNT, FRAME_COUNT_HIGH_ORDER, FRAME_COUNT},
        {REGISTER_LBA_LOW, FRAME_LBA_HIGH_ORDER, FRAME_LBA},
        {REGISTER_LBA_MID, FRAME_LBA_HIGH_ORDER + 1, FRAME_LBA + 1},
        {REGISTER_LBA_HIGH, FRAME_LBA_HIGH_ORDER + 2, FRAME_LBA + 2},
    };
    if (!(frame[FRAME_FLAGS] & FLAG_IS_COMMAND)) {
        ide_write_device_control(channel, frame[FRAME_CONTROL] & CONTROL_RESET);
        return;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ide_write_register(channel, rows[i].offset, frame[rows[i].high_order]);
        ide_write_register(channel, rows[i].offset, frame[rows[i].low_order]);
    }
    ide_write_register(channel, REGISTER_DEVICE, frame[FRAME_DEVICE] & (uint8_t)~DEVICE_DRIVE_1);
    ide_write_register(channel, REGISTER_STATUS, frame[FRAME_COMMAND]);
}

void ide_channel_fill_frame(IdeChannel *channel, uint8_t *frame) {
    IdeDriveState *state = channel->drives[0].state;
    memset(frame, 0, IDE_FRAME_BYTES);
    frame[FRAME_TYPE] = TYPE_DEVICE_TO_HOST;
    frame[FRAME_FLAGS] = FLAG_INTERRUPT;
    frame[FRAME_COMMAND] = state->status;
    frame[FRAME_FEATURES] = state->error;
    frame[FRAME_DEVICE] = state->device;
    for (unsigned i = 0; i < 2; i++) {
        unsigned lba = i == 0 ? FRAME_LBA : FRAME_LBA_HIGH_ORDER;
        frame[lba] = state->lba_low[i];
        frame[lba + 1] = state->lba_mid[i];
        frame[lba + 2] = state->lba_high[i];
        frame[FRAME_COUNT + i] = state->count[i];
    }
    state->interrupt_pending = 0;
    ide_update_irq(channel);
}

uint8_t ide_channel_status(const IdeChannel *channel) {
    return channel->drives[0].state->status;
}

uint8_t ide_channel_error(const IdeChannel *channel) {
    return channel->drives[0].state->error;
}

void ide_channel_reset_link(IdeChannel *channel) {
    channel->state.device_control = 0;
    ide_reset_drive(&channel->drives[0]);
    channel->drives[0].state->status = STATUS_IDLE;
    ide_update_irq(channel);
}

IdeDataRequest ide_channel_data_request(const IdeChannel *channel) {
    const IdeDriveState *state = channel->drives[0].state;
    if (state->phase != DRIVE_DATA_IN && state->phase != DRIVE_DATA_OUT)
        return (IdeDataRequest){.bytes = 0};
    return (IdeDataRequest){.bytes = state->drq_end - state->buffer_position,
                            .to_host = state->phase == DRIVE_DATA_IN,
                            .is_packet = state->transfer == TRANSFER_PACKET};
}

void ide_channel_move_data(IdeChannel *channel, uint8_t *data) {
    IdeDrive *drive = &channel->drives[0];
    IdeDataRequest request = ide_channel_data_request(channel);
    for (uint32_t at = 0; at < request.bytes; at += 4) {
        uint8_t word[4] = {0};
        uint32_t part = request.bytes - at < 4 ? request.bytes - at : 4;
        if (request.to_host) {
            store_le32(word, ide_read_data(drive, 4));
            memcpy(data + at, word, part);
        } else {
            memcpy(word, data + at, part);
            ide_write_data(drive, 4, load_le32(word));
        }
    }
}
