#include "es1370.h"
#include "allocate.h"
#include "audio_clock.h"
#include "little_endian.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    VENDOR_ENSONIQ = 0x1274,
    DEVICE_ES1370 = 0x5000,
    CLASS_AUDIO = 0x040100,
    PORTS = 64,
};

enum {
    REGISTER_CONTROL = 0x00,
    REGISTER_STATUS = 0x04,
    REGISTER_UART_STATUS = 0x09,
    REGISTER_PAGE = 0x0C,
    REGISTER_CODEC = 0x10,
    REGISTER_SERIAL = 0x20,
    REGISTER_COUNTS = 0x24, /* of samples, a long word for each channel */
    REGISTER_WINDOW = 0x30, /* into the page */
    PAGE_PLAYING = 0xC,
    PAGE_RECORDING = 0xD,
    STATUS_INTERRUPT = 0x80000000,
    CONTROL_RECORD_STOP = 0x80000000,
};

/* Channels and their bits. */
enum { CHANNEL_DAC1, CHANNEL_DAC2, CHANNEL_ADC, CHANNELS };
static const struct {
    uint32_t enable;    /* in the control register */
    uint32_t interrupt; /* in the serial register: enables, and cleared clears the status */
    uint32_t status;
    uint32_t pause; /* in the serial register; 0: cannot */
    uint32_t once;  /* likewise: stop at the end of the count, rather than go on */
    uint8_t format; /* shift: bit 0 stereo, bit 1 16 bits */
} channel_bits[CHANNELS] = {
    {0x40, 0x100, 0x4, 0x0800, 0x2000, 0},
    {0x20, 0x200, 0x2, 0x1000, 0x4000, 2},
    {0x10, 0x400, 0x1, 0, 0x8000, 4},
};

#define PIECE_NS 1000000LL
enum { PIECE_FRAMES = 256, CODEC_REGISTERS = 32 };

typedef struct Es1370Channel {
    AudioClock clock;
    uint32_t address;      /* of the buffer */
    uint32_t size;         /* of it in long words, less one; above: the one it is in */
    uint16_t count, at;    /* samples between interrupts, and those to come, less one each */
    uint8_t bytes_into;    /* that long word */
    uint8_t runs, stopped; /* at the end of its count */
    uint8_t padding;
} Es1370Channel;

static const Field channel_rows[] = {
    FIELD_ONE_STRUCT(Es1370Channel, clock, &audio_clock_fields),
    FIELD(Es1370Channel, U32, address),
    FIELD(Es1370Channel, U32, size),
    FIELD(Es1370Channel, U16, count),
    FIELD(Es1370Channel, U16, at),
    FIELD(Es1370Channel, U8, bytes_into),
    FIELD(Es1370Channel, U8, runs),
    FIELD(Es1370Channel, U8, stopped),
    FIELD_PADDING(Es1370Channel, padding),
    FIELD_END,
};

static const FieldTable channel_fields = {"es1370-channel", 1, sizeof(Es1370Channel), channel_rows};

typedef struct Es1370State {
    Es1370Channel channels[CHANNELS];
    int64_t due_ns;
    uint32_t control, status, serial, page;
    uint8_t codec[CODEC_REGISTERS]; /* an AK4531's */
} Es1370State;

static const Field es1370_rows[] = {
    FIELD_STRUCTS(Es1370State, channels, &channel_fields),
    FIELD(Es1370State, U64, due_ns),
    FIELD(Es1370State, U32, control),
    FIELD(Es1370State, U32, status),
    FIELD(Es1370State, U32, serial),
    FIELD(Es1370State, U32, page),
    FIELD_BYTES_OF(Es1370State, codec),
    FIELD_END,
};

static const FieldTable es1370_fields = {"es1370", 1, sizeof(Es1370State), es1370_rows};

struct Es1370 {
    Es1370State state;
    DeviceContext context;
    PciDevice *function;
    Timer timer;
    AudioVoice *voices[CHANNEL_ADC];
};

/* --- the codec: an AK4531 ----------------------------------------------------------------------
 */

/* Steps of 2 dB down, bit 7 mutes. */
static float codec_volume(const Es1370 *device, unsigned reg, int loudest) {
    uint8_t value = device->state.codec[reg];
    return value & 0x80 ? 0 : (float)pow(10, (loudest - (value & 0x1F)) * 2 / 20.0);
}

/* Registers 0 and 1 master, 2 and 3 "voice" (DAC2), 4 and 5 "FM" (DAC1): 6 is 0 dB for these. */
static void apply_volume(Es1370 *device) {
    static const uint8_t volumes[CHANNEL_ADC] = {4, 2};
    for (unsigned i = 0; i < CHANNEL_ADC; i++)
        audio_voice_set_gain(device->voices[i],
                             codec_volume(device, 0, 0) * codec_volume(device, volumes[i], 6),
                             codec_volume(device, 1, 0) * codec_volume(device, volumes[i] + 1u, 6));
}

static void codec_reset(Es1370 *device) {
    memset(device->state.codec, 0, sizeof device->state.codec);
    for (unsigned i = 0; i < 2; i++)
        device->state.codec[i] = 0x80;
    for (unsigned i = 2; i < 15; i++)
        device->state.codec[i] = 0x86;
    apply_volume(device);
}

/* --- the channels ------------------------------------------------------------------------------
 */

static void update_irq(Es1370 *device) {
    Es1370State *state = &device->state;
    bool asserted = false;
    for (unsigned i = 0; i < CHANNELS; i++)
        asserted |= (state->status & channel_bits[i].status) != 0;
    state->status = (state->status & ~STATUS_INTERRUPT) | (asserted ? STATUS_INTERRUPT : 0);
    pci_device_set_pin(device->function, 0, asserted);
}

static bool wants_run(const Es1370 *device, unsigned index) {
    const Es1370State *state = &device->state;
    bool stopped = index == CHANNEL_ADC && (state->control & CONTROL_RECORD_STOP);
    return (state->control & channel_bits[index].enable) && !stopped &&
           !(state->serial & channel_bits[index].pause) && !state->channels[index].stopped;
}

/* DAC1 has four rates, the others a divider of 1.4112 MHz. */
static void get_rate(const Es1370 *device, unsigned index, uint32_t *per_second,
                     uint32_t *divisor) {
    uint32_t control = device->state.control;
    if (index == CHANNEL_DAC1) {
        *per_second = 44100;
        *divisor = 8u >> (control >> 12 & 3);
    } else {
        *per_second = 1411200;
        *divisor = (control >> 16 & 0x1FFF) + 2;
    }
    if (*per_second / *divisor > 48000)
        *divisor = *per_second / 48000; /* faster the converter is not */
}

static unsigned frame_bytes(const Es1370 *device, unsigned index) {
    unsigned format = device->state.serial >> channel_bits[index].format & 3;
    return 1u << (format & 1) << (format >> 1);
}

/* The sides of one frame, 8 bits unsigned or 16 signed. */
static void decode(const uint8_t *bytes, unsigned format, int16_t *pair) {
    for (unsigned side = 0; side < 2; side++) {
        unsigned at = format & 1 ? side : 0;
        pair[side] =
            format & 2 ? (int16_t)load_le16(bytes + 2 * at) : (int16_t)((bytes[at] - 128) * 256);
    }
}

/* The byte that comes next, and how many until the buffer begins again. */
static uint32_t position(const Es1370Channel *channel, uint32_t *to_wrap) {
    uint32_t words = (channel->size & 0xFFFF) + 1, word = channel->size >> 16;
    uint32_t at = word < words ? word * 4 + channel->bytes_into % 4 : 0;
    *to_wrap = words * 4 - at;
    return at;
}

static void move_bytes(Es1370 *device, unsigned index, uint8_t *bytes, uint32_t size) {
    Es1370Channel *channel = &device->state.channels[index];
    bool master = pci_device_is_master(device->function);
    while (size > 0) {
        uint32_t to_wrap, at = position(channel, &to_wrap);
        uint32_t part = size < to_wrap ? size : to_wrap;
        if (master && index == CHANNEL_ADC)
            physical_write_bytes(device->context.memory, channel->address + at, bytes, part);
        else if (master)
            physical_read_bytes(device->context.memory, channel->address + at, bytes, part);
        at = part == to_wrap ? 0 : at + part;
        channel->size = (channel->size & 0xFFFF) | (at / 4) << 16;
        channel->bytes_into = at % 4;
        bytes += part;
        size -= part;
    }
}

static void move_frames(Es1370 *device, unsigned index, uint32_t frames) {
    Es1370Channel *channel = &device->state.channels[index];
    unsigned unit = frame_bytes(device, index);
    unsigned format = device->state.serial >> channel_bits[index].format & 3;
    uint8_t bytes[PIECE_FRAMES * 4];
    int16_t samples[PIECE_FRAMES][AUDIO_CHANNELS];
    memset(bytes, format & 2 ? 0 : 0x80, sizeof bytes);
    move_bytes(device, index, bytes, frames * unit);
    for (uint32_t i = 0; i < frames; i++)
        decode(bytes + i * unit, format, samples[i]);
    if (index != CHANNEL_ADC)
        audio_voice_play(device->voices[index], audio_clock_next_ns(&channel->clock),
                         audio_clock_step_ns(&channel->clock), samples[0], frames);
    channel->clock.done += frames;
}

/* The count of samples ran out. */
static void end_count(Es1370 *device, unsigned index) {
    Es1370Channel *channel = &device->state.channels[index];
    channel->at = channel->count;
    if (device->state.serial & channel_bits[index].interrupt)
        device->state.status |= channel_bits[index].status;
    if (device->state.serial & channel_bits[index].once)
        channel->stopped = 1;
}

static void run_channel(Es1370 *device, unsigned index, int64_t now_ns) {
    Es1370Channel *channel = &device->state.channels[index];
    while (wants_run(device, index)) {
        uint32_t due = audio_clock_due(&channel->clock, now_ns);
        uint32_t frames = due < channel->at + 1u ? due : channel->at + 1u;
        if (frames == 0)
            return;
        frames = frames < PIECE_FRAMES ? frames : PIECE_FRAMES;
        move_frames(device, index, frames);
        if (frames > channel->at)
            end_count(device, index);
        else
            channel->at = (uint16_t)(channel->at - frames);
    }
}

static void run_all(Es1370 *device) {
    int64_t now_ns = clock_now_ns(device->context.clock), next = TIMER_NEVER;
    for (unsigned i = 0; i < CHANNELS; i++) {
        Es1370Channel *channel = &device->state.channels[i];
        if (channel->runs)
            run_channel(device, i, now_ns);
        channel->runs = wants_run(device, i);
        if (!channel->runs)
            continue;
        uint32_t frames = channel->clock.per_second / channel->clock.divisor /
                              (uint32_t)(NS_PER_SECOND / PIECE_NS) +
                          1;
        int64_t due =
            audio_clock_when(&channel->clock, channel->at < frames ? channel->at + 1u : frames);
        next = due < next ? due : next;
    }
    timer_arm(&device->timer, next);
    update_irq(device);
}

/* After something was written that may start, stop or change a channel. */
static void settle(Es1370 *device) {
    for (unsigned i = 0; i < CHANNELS; i++) {
        Es1370Channel *channel = &device->state.channels[i];
        uint32_t per_second, divisor;
        get_rate(device, i, &per_second, &divisor);
        bool starts = wants_run(device, i) && !channel->runs;
        if (starts || per_second != channel->clock.per_second || divisor != channel->clock.divisor)
            audio_clock_start(&channel->clock, clock_now_ns(device->context.clock), per_second,
                              divisor);
        channel->runs = wants_run(device, i);
    }
    run_all(device);
}

static void timer_due(void *opaque) {
    run_all(opaque);
}

/* --- registers ---------------------------------------------------------------------------------
 */

static void write_control(Es1370 *device, uint32_t value) {
    Es1370State *state = &device->state;
    for (unsigned i = 0; i < CHANNELS; i++)
        if ((value & ~state->control) & channel_bits[i].enable) {
            state->channels[i].at = state->channels[i].count;
            state->channels[i].stopped = 0;
        }
    state->control = value;
}

static void write_serial(Es1370 *device, uint32_t value) {
    Es1370State *state = &device->state;
    state->serial = value;
    for (unsigned i = 0; i < CHANNELS; i++) {
        if (!(value & channel_bits[i].interrupt))
            state->status &= ~channel_bits[i].status;
        if (!(value & channel_bits[i].once))
            state->channels[i].stopped = 0;
    }
}

/* A frame's address and size behind the window; NULL: nothing that counts is there. */
static uint32_t *window(Es1370State *state, uint32_t offset) {
    unsigned place = (offset - REGISTER_WINDOW) / 4;
    unsigned page = state->page & 0xF;
    Es1370Channel *channel = page == PAGE_PLAYING ? &state->channels[place / 2]
                             : page == PAGE_RECORDING && place / 2 == 0
                                 ? &state->channels[CHANNEL_ADC]
                                 : NULL;
    if (channel == NULL)
        return NULL;
    return place & 1 ? &channel->size : &channel->address;
}

static uint32_t read_long(Es1370 *device, uint32_t offset) {
    Es1370State *state = &device->state;
    const uint32_t *behind;
    switch (offset) {
    case REGISTER_CONTROL:
        return state->control;
    case REGISTER_STATUS:
        return state->status;
    case REGISTER_UART_STATUS & ~3u:
        return 0x0600; /* ready to send, nothing came */
    case REGISTER_PAGE:
        return state->page;
    case REGISTER_SERIAL:
        return state->serial;
    case REGISTER_COUNTS:
    case REGISTER_COUNTS + 4:
    case REGISTER_COUNTS + 8: {
        const Es1370Channel *channel = &state->channels[(offset - REGISTER_COUNTS) / 4];
        return channel->count | (uint32_t)channel->at << 16;
    }
    default:
        behind = offset >= REGISTER_WINDOW ? window(state, offset) : NULL;
        return behind != NULL ? *behind : 0;
    }
}

static void write_long(Es1370 *device, uint32_t offset, uint32_t value) {
    Es1370State *state = &device->state;
    uint32_t *behind;
    switch (offset) {
    case REGISTER_CONTROL:
        write_control(device, value);
        break;
    case REGISTER_PAGE:
        state->page = value & 0xF;
        break;
    case REGISTER_CODEC:
        if ((value >> 8 & 0xFF) == 0x16) /* its own reset and power */
            codec_reset(device);
        else
            state->codec[value >> 8 & (CODEC_REGISTERS - 1)] = (uint8_t)value;
        apply_volume(device);
        break;
    case REGISTER_SERIAL:
        write_serial(device, value);
        break;
    case REGISTER_COUNTS:
    case REGISTER_COUNTS + 4:
    case REGISTER_COUNTS + 8:
        state->channels[(offset - REGISTER_COUNTS) / 4].count = (uint16_t)value;
        state->channels[(offset - REGISTER_COUNTS) / 4].at = (uint16_t)value;
        break;
    default:
        behind = offset >= REGISTER_WINDOW ? window(state, offset) : NULL;
        if (behind != NULL)
            *behind = value;
        break;
    }
}

static uint32_t es1370_read(void *opaque, uint32_t offset, unsigned size) {
    Es1370 *device = opaque;
    run_all(device);
    uint32_t value = read_long(device, offset & ~3u) >> 8 * (offset & 3);
    return size == 4 ? value : value & ((1u << 8 * size) - 1);
}

/* Parts of a register are written into what it holds; the codec's takes what comes. */
static void es1370_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Es1370 *device = opaque;
    unsigned shift = 8 * (offset & 3);
    uint32_t mask = size == 4 ? UINT32_MAX : ((1u << 8 * size) - 1) << shift;
    run_all(device);
    uint32_t kept = read_long(device, offset & ~3u) & ~mask;
    write_long(device, offset & ~3u, kept | (value << shift & mask));
    settle(device);
}

/* --- the device --------------------------------------------------------------------------------
 */

static void es1370_reset(void *opaque) {
    Es1370 *device = opaque;
    Es1370State *state = &device->state;
    memset(state->channels, 0, sizeof state->channels);
    for (unsigned i = 0; i < CHANNELS; i++)
        state->channels[i].clock = (AudioClock){0, 0, 44100, 1};
    state->control = 1;
    state->status = 0x60;
    state->serial = state->page = 0;
    timer_cancel(&device->timer);
    codec_reset(device);
    update_irq(device);
}

static void es1370_restored(void *opaque) {
    Es1370 *device = opaque;
    for (unsigned i = 0; i < CHANNELS; i++) {
        AudioClock *clock = &device->state.channels[i].clock;
        if (clock->per_second == 0 || clock->divisor == 0 ||
            clock->per_second / clock->divisor > UINT16_MAX)
            *clock = (AudioClock){0, 0, 44100, 1};
    }
    audio_voice_restored(device->voices[0]);
    apply_volume(device);
}

static const DeviceClass es1370_class = {"ES1370", &es1370_fields, es1370_reset, es1370_restored};

Es1370 *es1370_create(const DeviceContext *context, PciBus *bus, unsigned slot, AudioMixer *mixer,
                      Error *error) {
    Es1370 *device = allocate_zeroed(sizeof *device);
    const PciDeviceInfo info = {
        .name = "ES1370",
        .vendor_id = VENDOR_ENSONIQ,
        .device_id = DEVICE_ES1370,
        .class_code = CLASS_AUDIO,
        .subsystem_vendor_id = 0x4942,
        .subsystem_id = 0x4C4C,
        .interrupt_pin = 1,
        .bars = {{.type = PCI_BAR_IO, PORTS, es1370_read, es1370_write}},
        .opaque = device,
    };
    device->context = *context;
    device->function = pci_device_add(bus, slot, 0, &info, error);
    if (device->function == NULL) {
        free(device);
        return NULL;
    }
    for (unsigned i = 0; i < CHANNEL_ADC; i++)
        device->voices[i] = audio_voice_open(mixer, NULL, NULL);
    timer_init(&device->timer, context->clock, "es1370", &device->state.due_ns, timer_due, device);
    device_list_add(context->devices, &es1370_class, "es1370", device, &device->state);
    es1370_reset(device);
    return device;
}

void es1370_destroy(Es1370 *device) {
    free(device);
}
