/* Playing by DMA: what was due until now is fetched and told to the mixer. */
#include "sb16_internal.h"
#include <string.h>

/* So much is fetched at once: the card has a FIFO, too. */
#define PIECE_NS 1000000LL
enum { PIECE_BYTES = 512, GROUPS_LATE_MAX = 1 << 16 };

static const Field transfer_fields[] = {
    FIELD(Sb16Transfer, U64, start_ns),   FIELD(Sb16Transfer, U64, done),
    FIELD(Sb16Transfer, U32, per_second), FIELD(Sb16Transfer, U32, divisor),
    FIELD(Sb16Transfer, U32, block),      FIELD(Sb16Transfer, U32, left),
    FIELD(Sb16Transfer, U8, running),     FIELD(Sb16Transfer, U8, paused),
    FIELD(Sb16Transfer, U8, format),      FIELD(Sb16Transfer, U8, adpcm),
    FIELD(Sb16Transfer, U8, level),       FIELD(Sb16Transfer, U8, scale),
    FIELD(Sb16Transfer, U8, part_count),  FIELD_BYTES_OF(Sb16Transfer, part),
    FIELD_PADDING(Sb16Transfer, padding), FIELD_END,
};

const FieldTable sb16_transfer_fields = {
    "sb16-transfer",
    1,
    sizeof(Sb16Transfer),
    transfer_fields,
};

static unsigned group_bytes(const Sb16Transfer *transfer) {
    return transfer->adpcm != 0 ? 1
                                : 1u << ((transfer->format & SB16_STEREO) != 0)
                                     << ((transfer->format & SB16_WIDE) != 0);
}

static unsigned group_frames(const Sb16Transfer *transfer) {
    static const uint8_t frames[5] = {[0] = 1, [2] = 4, [3] = 3, [4] = 2};
    return frames[transfer->adpcm];
}

/* The end of so many groups since the start. A state from outside may hold any numbers. */
static int64_t group_end_ns(const Sb16Transfer *transfer, uint64_t groups) {
    __int128 ns = (__int128)groups * group_frames(transfer) * transfer->divisor * NS_PER_SECOND /
                  transfer->per_second;
    int64_t most = INT64_MAX / 2 - (transfer->start_ns > 0 ? transfer->start_ns / 2 : 0);
    return transfer->start_ns + (ns > most ? most : (int64_t)ns);
}

/* How many groups are over by now. */
static uint64_t groups_due(const Sb16Transfer *transfer, int64_t now_ns) {
    if (now_ns <= transfer->start_ns)
        return 0;
    return (uint64_t)((__int128)(now_ns - transfer->start_ns) * transfer->per_second /
                      ((__int128)NS_PER_SECOND * transfer->divisor * group_frames(transfer)));
}

static int16_t read_sample(const Sb16Transfer *transfer, const uint8_t *bytes) {
    int value = transfer->format & SB16_WIDE ? bytes[0] | bytes[1] << 8 : bytes[0] << 8;
    return (int16_t)(uint16_t)(transfer->format & SB16_SIGNED ? value : value ^ 0x8000);
}

/* Decodes whole groups and tells the mixer; the first ends group 'done' + 1. */
static void play_groups(Sb16 *card, const uint8_t *bytes, unsigned groups) {
    Sb16Transfer *transfer = &card->state.transfer;
    int16_t frames[PIECE_BYTES * 4 * AUDIO_CHANNELS];
    size_t count = 0;
    unsigned size = group_bytes(transfer);
    for (unsigned i = 0; i < groups; i++) {
        uint8_t samples[4];
        unsigned decoded =
            transfer->adpcm != 0 ? sb16_adpcm_decode(transfer, bytes[i], samples) : 0;
        for (unsigned j = 0; j < decoded; j++, count++)
            frames[2 * count] = frames[2 * count + 1] = (int16_t)((samples[j] - 128) * 256);
        if (transfer->adpcm != 0)
            continue;
        frames[2 * count] = read_sample(transfer, bytes + i * size);
        frames[2 * count + 1] = read_sample(
            transfer, bytes + i * size + (transfer->format & SB16_STEREO ? size / 2 : 0));
        count++;
    }
    bool is_heard = card->state.speaker_on || card->version >= 0x400;
    double step_ns = 1e9 * transfer->divisor / transfer->per_second;
    if (is_heard)
        audio_voice_play(card->voice,
                         (double)transfer->start_ns +
                             (double)transfer->done * group_frames(transfer) * step_ns,
                         step_ns, frames, count);
}

/* Moves up to 'size' bytes between the card and memory; 0 while the channel is masked. */
static size_t move_bytes(Sb16 *card, uint8_t *bytes, size_t size) {
    const Sb16Transfer *transfer = &card->state.transfer;
    bool wide = (transfer->format & SB16_WIDE) != 0;
    int channel = sb16_dma_channel(card, wide);
    DmaDirection direction = transfer->format & SB16_INPUT ? DMA_TO_MEMORY : DMA_FROM_MEMORY;
    size_t done = 0;
    memset(bytes, transfer->format & (SB16_SIGNED | SB16_WIDE) ? 0 : 0x80, size);
    if (transfer->format & SB16_SILENCE)
        return size;
    while (channel >= 0 && done < size) {
        size_t moved = i8237_transfer(card->dma, (unsigned)channel, bytes + done, size - done,
                                      direction, NULL);
        if (moved == 0)
            break;
        done += moved;
    }
    return done;
}

static void end_block(Sb16 *card) {
    Sb16Transfer *transfer = &card->state.transfer;
    transfer->left = transfer->block;
    if (!(transfer->format & SB16_AUTO))
        transfer->running = 0;
    sb16_raise(card, transfer->format & SB16_WIDE ? SB16_IRQ_16 : SB16_IRQ_8);
}

/* What came for a frame that was cut before, then what comes now. */
static void take_bytes(Sb16 *card, const uint8_t *bytes, size_t size) {
    Sb16Transfer *transfer = &card->state.transfer;
    uint8_t joined[PIECE_BYTES + 8];
    unsigned unit = group_bytes(transfer), kept = transfer->part_count % 4;
    memcpy(joined, transfer->part, kept);
    memcpy(joined + kept, bytes, size);
    size += kept;
    if ((transfer->format & SB16_REFERENCE) && size > 0) {
        transfer->level = joined[0];
        transfer->scale = 0;
        transfer->format &= (uint8_t)~SB16_REFERENCE;
        joined[0] = 0; /* it lasts as long as a byte that changes nothing */
    }
    if (!(transfer->format & (SB16_INPUT | SB16_SILENCE)))
        play_groups(card, joined, (unsigned)(size / unit));
    transfer->done += size / unit;
    transfer->part_count = (uint8_t)(size % unit);
    memcpy(transfer->part, joined + size - size % unit, size % unit);
}

/* Everything that is due. Groups that memory did not give in time are late: time moves on. */
static void run_due(Sb16 *card, int64_t now_ns) {
    Sb16Transfer *transfer = &card->state.transfer;
    uint8_t bytes[PIECE_BYTES];
    while (transfer->running && !transfer->paused) {
        uint64_t due = groups_due(transfer, now_ns);
        uint64_t groups = due > transfer->done ? due - transfer->done : 0;
        if (groups > GROUPS_LATE_MAX) { /* no run is so late: a state from outside */
            transfer->start_ns = now_ns;
            transfer->done = 0;
            return;
        }
        size_t unit = group_bytes(transfer), part = transfer->part_count % 4;
        size_t wanted = groups > PIECE_BYTES / 4 ? PIECE_BYTES / 4 * unit : (size_t)groups * unit;
        if (wanted == 0)
            return;
        wanted -= part < wanted ? part : 0;
        if (wanted > transfer->left)
            wanted = transfer->left;
        size_t moved = move_bytes(card, bytes, wanted);
        take_bytes(card, bytes, moved);
        transfer->left -= (uint32_t)moved;
        if (transfer->left == 0) {
            end_block(card);
        } else if (moved == 0) {
            transfer->start_ns = now_ns;
            transfer->done = 0;
            return;
        }
    }
}

/* The next piece, or the end of the block if that is nearer. */
static void arm(Sb16 *card, int64_t now_ns) {
    const Sb16Transfer *transfer = &card->state.transfer;
    if (!transfer->running || transfer->paused) {
        timer_cancel(&card->timer);
        return;
    }
    unsigned unit = group_bytes(transfer);
    uint64_t in_block = (transfer->left + unit - 1) / unit;
    uint64_t piece = groups_due(transfer, now_ns + PIECE_NS);
    piece = piece > transfer->done ? piece - transfer->done : 1;
    int64_t due = group_end_ns(transfer, transfer->done + (in_block < piece ? in_block : piece));
    /* Rounded up: at the end of a group it is due. */
    timer_arm(&card->timer, due + 1 > now_ns ? due + 1 : now_ns + 1);
}

void sb16_transfer_run(Sb16 *card) {
    int64_t now_ns = clock_now_ns(card->clock);
    run_due(card, now_ns);
    arm(card, now_ns);
}

void sb16_transfer_begin(Sb16 *card) {
    Sb16Transfer *transfer = &card->state.transfer;
    transfer->start_ns = clock_now_ns(card->clock);
    transfer->done = 0;
    transfer->left = transfer->block;
    transfer->running = 1;
    transfer->paused = 0;
    transfer->part_count = 0;
    arm(card, transfer->start_ns);
}

void sb16_transfer_pause(Sb16 *card, bool paused) {
    Sb16Transfer *transfer = &card->state.transfer;
    int64_t now_ns = clock_now_ns(card->clock);
    if (paused)
        run_due(card, now_ns);
    transfer->paused = paused;
    if (!paused) {
        transfer->start_ns = now_ns;
        transfer->done = 0;
    }
    arm(card, now_ns);
}

void sb16_transfer_byte(Sb16 *card, uint8_t value) {
    int channel = sb16_dma_channel(card, false);
    if (channel >= 0)
        i8237_transfer(card->dma, (unsigned)channel, &value, 1, DMA_TO_MEMORY, NULL);
}
