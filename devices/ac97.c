#include "ac97.h"
#include "allocate.h"
#include "audio_clock.h"
#include "little_endian.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    VENDOR_INTEL = 0x8086,
    DEVICE_82801AA = 0x2415,
    CLASS_AUDIO = 0x040100,
    CODEC_PORTS = 256,
    MASTER_PORTS = 64,
};

/* The codec's registers (specification 5.7). */
enum {
    CODEC_RESET = 0x00,
    CODEC_MASTER = 0x02,
    CODEC_PCM = 0x18,
    CODEC_POWER = 0x26,
    CODEC_EXTENDED_ID = 0x28,
    CODEC_EXTENDED = 0x2A,
    CODEC_FRONT_RATE = 0x2C,
    CODEC_RECORD_RATE = 0x32,
    CODEC_MIC_RATE = 0x34,
    CODEC_VENDOR_1 = 0x7C,
    CODEC_VENDOR_2 = 0x7E,
    VARIABLE_RATE = 0x0001,
    MIC_VARIABLE_RATE = 0x0008,
    MUTE = 0x8000,
};

/* The three bus masters: their registers repeat every 16 ports (data sheet 13.2). */
enum { CHANNEL_IN, CHANNEL_OUT, CHANNEL_MIC, CHANNELS };
enum {
    CHANNEL_LIST = 0x0,
    CHANNEL_CURRENT = 0x4,
    CHANNEL_LAST = 0x5,
    CHANNEL_STATUS = 0x6,
    CHANNEL_LEFT = 0x8,
    CHANNEL_PREFETCHED = 0xA,
    CHANNEL_CONTROL = 0xB,
    GLOBAL_CONTROL = 0x2C,
    GLOBAL_STATUS = 0x30,
    CODEC_SEMAPHORE = 0x34,
};
enum {
    STATUS_HALTED = 0x01,
    STATUS_AT_LAST = 0x02,
    STATUS_LAST_DONE = 0x04,
    STATUS_DONE = 0x08,
    STATUS_FIFO = 0x10,
    STATUS_CLEARED = STATUS_LAST_DONE | STATUS_DONE | STATUS_FIFO,
    CONTROL_RUN = 0x01,
    CONTROL_RESET = 0x02,
    CONTROL_LAST_IRQ = 0x04,
    CONTROL_DONE_IRQ = 0x10,
    CONTROL_KEPT = 0x1D,
    BUFFER_IRQ = 0x80, /* in the last byte of a descriptor */
    BUFFERS = 32,
    GLOBAL_READY = 0x100,
};

/* So much is moved at once. */
#define PIECE_NS 1000000LL
enum { PIECE_FRAMES = 256 };

typedef struct Ac97Channel {
    AudioClock clock;
    uint32_t list;    /* of descriptors, in memory */
    uint32_t address; /* of the next sample */
    uint16_t left;    /* samples, of every side, of this buffer */
    uint8_t flags;    /* of its descriptor */
    uint8_t current, last, prefetched;
    uint8_t status, control;
} Ac97Channel;

static const Field channel_rows[] = {
    FIELD_ONE_STRUCT(Ac97Channel, clock, &audio_clock_fields),
    FIELD(Ac97Channel, U32, list),
    FIELD(Ac97Channel, U32, address),
    FIELD(Ac97Channel, U16, left),
    FIELD(Ac97Channel, U8, flags),
    FIELD(Ac97Channel, U8, current),
    FIELD(Ac97Channel, U8, last),
    FIELD(Ac97Channel, U8, prefetched),
    FIELD(Ac97Channel, U8, status),
    FIELD(Ac97Channel, U8, control),
    FIELD_END,
};

static const FieldTable channel_fields = {"ac97-channel", 1, sizeof(Ac97Channel), channel_rows};

typedef struct Ac97State {
    Ac97Channel channels[CHANNELS];
    int64_t due_ns;
    uint32_t global_control;
    uint16_t codec[CODEC_PORTS / 4]; /* 64 registers of 16 bits */
    uint8_t semaphore;
    uint8_t padding[3];
} Ac97State;

static const Field ac97_rows[] = {
    FIELD_STRUCTS(Ac97State, channels, &channel_fields),
    FIELD(Ac97State, U64, due_ns),
    FIELD(Ac97State, U32, global_control),
    FIELD_ARRAY(Ac97State, U16, codec),
    FIELD(Ac97State, U8, semaphore),
    FIELD_PADDING(Ac97State, padding),
    FIELD_END,
};

static const FieldTable ac97_fields = {"ac97", 1, sizeof(Ac97State), ac97_rows};

struct Ac97 {
    Ac97State state;
    DeviceContext context;
    PciDevice *function;
    Timer timer;
    AudioVoice *voice;
};

/* --- the codec ---------------------------------------------------------------------------------
 */

static uint16_t *codec_register(Ac97 *device, unsigned reg) {
    return &device->state.codec[reg / 2 % (CODEC_PORTS / 4)];
}

/* Steps of 1.5 dB down; the loudness 0 is at 'loudest' of them. */
static float codec_volume(uint16_t value, bool right, unsigned mask, int loudest) {
    int steps = (int)(right ? value & mask : value >> 8 & mask);
    return value & MUTE ? 0 : (float)pow(10, (loudest - steps) * 1.5 / 20);
}

static void apply_volume(Ac97 *device) {
    float gain[AUDIO_CHANNELS];
    for (int right = 0; right < AUDIO_CHANNELS; right++)
        gain[right] = codec_volume(*codec_register(device, CODEC_MASTER), right, 0x3F, 0) *
                      codec_volume(*codec_register(device, CODEC_PCM), right, 0x1F, 8);
    audio_voice_set_gain(device->voice, gain[0], gain[1]);
}

static void codec_reset(Ac97 *device) {
    static const struct {
        uint8_t reg;
        uint16_t value;
    } resets[] = {{0x02, 0x8000}, {0x04, 0x8000}, {0x06, 0x8000}, {0x0C, 0x8008}, {0x0E, 0x8008},
                  {0x10, 0x8808}, {0x12, 0x8808}, {0x14, 0x8808}, {0x16, 0x8808}, {0x18, 0x8808},
                  {0x1C, 0x8000}, {0x26, 0x000F}, {0x28, 0x0009}, {0x2A, 0x0000}, {0x2C, 48000},
                  {0x32, 48000},  {0x34, 48000},  {0x7C, 0x8384}, {0x7E, 0x7600}};
    memset(device->state.codec, 0, sizeof device->state.codec);
    for (unsigned i = 0; i < sizeof resets / sizeof resets[0]; i++)
        *codec_register(device, resets[i].reg) = resets[i].value;
    apply_volume(device);
}

static uint32_t channel_rate(Ac97 *device, unsigned index) {
    static const uint8_t rates[CHANNELS] = {CODEC_RECORD_RATE, CODEC_FRONT_RATE, CODEC_MIC_RATE};
    uint16_t variable = index == CHANNEL_MIC ? MIC_VARIABLE_RATE : VARIABLE_RATE;
    bool is_variable = (*codec_register(device, CODEC_EXTENDED) & variable) != 0;
    uint16_t rate = is_variable ? *codec_register(device, rates[index]) : 48000;
    return rate < 4000 ? 4000 : rate;
}

static void set_rates(Ac97 *device) {
    int64_t now_ns = clock_now_ns(device->context.clock);
    for (unsigned i = 0; i < CHANNELS; i++)
        if (channel_rate(device, i) != device->state.channels[i].clock.per_second)
            audio_clock_start(&device->state.channels[i].clock, now_ns, channel_rate(device, i), 1);
}

/* --- the bus masters ---------------------------------------------------------------------------
 */

static void update_irq(Ac97 *device) {
    bool asserted = false;
    for (unsigned i = 0; i < CHANNELS; i++) {
        const Ac97Channel *channel = &device->state.channels[i];
        asserted |= (channel->status & STATUS_LAST_DONE) && (channel->control & CONTROL_LAST_IRQ);
        asserted |= (channel->status & STATUS_DONE) && (channel->control & CONTROL_DONE_IRQ);
    }
    pci_device_set_pin(device->function, 0, asserted);
}

static bool channel_runs(const Ac97Channel *channel) {
    return (channel->control & CONTROL_RUN) && !(channel->status & STATUS_HALTED);
}

/* The next buffer of the list becomes the current one. One without samples lasts as long as one
 * frame, so that a list of such takes time. */
static void fetch_buffer(Ac97 *device, Ac97Channel *channel) {
    uint8_t descriptor[8] = {0};
    channel->current = channel->prefetched % BUFFERS;
    channel->prefetched = (channel->current + 1) % BUFFERS;
    if (pci_device_is_master(device->function))
        physical_read_bytes(device->context.memory, channel->list + channel->current * 8u,
                            descriptor, sizeof descriptor);
    channel->address = load_le32(descriptor) & ~1u;
    channel->left = load_le16(descriptor + 4);
    channel->flags = descriptor[7];
    if (channel->left == 0)
        channel->left = AUDIO_CHANNELS;
}

static void end_buffer(Ac97 *device, Ac97Channel *channel) {
    if (channel->flags & BUFFER_IRQ)
        channel->status |= STATUS_DONE;
    if (channel->current == channel->last)
        channel->status |= STATUS_LAST_DONE | STATUS_AT_LAST | STATUS_HALTED;
    else
        fetch_buffer(device, channel);
}

/* Moves frames of this buffer; the microphone's have one side. */
static void move_frames(Ac97 *device, unsigned index, unsigned frames, unsigned sides) {
    Ac97Channel *channel = &device->state.channels[index];
    uint8_t bytes[PIECE_FRAMES * 4] = {0};
    int16_t samples[PIECE_FRAMES * AUDIO_CHANNELS];
    size_t size = frames * sides * 2;
    bool master = pci_device_is_master(device->function);
    if (index != CHANNEL_OUT) {
        if (master)
            physical_write_bytes(device->context.memory, channel->address, bytes, size);
    } else {
        if (master)
            physical_read_bytes(device->context.memory, channel->address, bytes, size);
        for (unsigned i = 0; i < frames * AUDIO_CHANNELS; i++)
            samples[i] = (int16_t)load_le16(bytes + 2 * i);
        audio_voice_play(device->voice, audio_clock_next_ns(&channel->clock),
                         audio_clock_step_ns(&channel->clock), samples, frames);
    }
    channel->address += (uint32_t)size;
    channel->clock.done += frames;
    uint32_t moved = frames * sides;
    channel->left = (uint16_t)(channel->left > moved ? channel->left - moved : 0);
}

static void run_channel(Ac97 *device, unsigned index, int64_t now_ns) {
    Ac97Channel *channel = &device->state.channels[index];
    unsigned sides = index == CHANNEL_MIC ? 1 : 2;
    while (channel_runs(channel)) {
        uint32_t due = audio_clock_due(&channel->clock, now_ns);
        uint32_t whole = (channel->left + sides - 1) / sides;
        uint32_t frames = due < whole ? due : whole;
        if (frames == 0 && whole != 0)
            return;
        move_frames(device, index, frames < PIECE_FRAMES ? frames : PIECE_FRAMES, sides);
        if (channel->left == 0)
            end_buffer(device, channel);
    }
}

static void run_all(Ac97 *device) {
    int64_t now_ns = clock_now_ns(device->context.clock), next = TIMER_NEVER;
    for (unsigned i = 0; i < CHANNELS; i++) {
        Ac97Channel *channel = &device->state.channels[i];
        run_channel(device, i, now_ns);
        if (!channel_runs(channel))
            continue;
        uint32_t frames = channel->clock.per_second / (uint32_t)(NS_PER_SECOND / PIECE_NS) + 1;
        uint32_t whole = channel->left / (i == CHANNEL_MIC ? 1u : 2u);
        int64_t due =
            audio_clock_when(&channel->clock, whole != 0 && whole < frames ? whole : frames);
        next = due < next ? due : next;
    }
    timer_arm(&device->timer, next);
    update_irq(device);
}

static void timer_due(void *opaque) {
    run_all(opaque);
}

static void channel_reset(Ac97Channel *channel) {
    *channel = (Ac97Channel){.status = STATUS_HALTED, .clock = {0, 0, 48000, 1}};
}

static void begin(Ac97 *device, unsigned index) {
    Ac97Channel *channel = &device->state.channels[index];
    channel->status &= (uint8_t) ~(STATUS_HALTED | STATUS_AT_LAST);
    fetch_buffer(device, channel);
    audio_clock_start(&channel->clock, clock_now_ns(device->context.clock),
                      channel_rate(device, index), 1);
}

static void write_control(Ac97 *device, unsigned index, uint8_t value) {
    Ac97Channel *channel = &device->state.channels[index];
    if (value & CONTROL_RESET) {
        channel_reset(channel);
        return;
    }
    bool starts = (value & CONTROL_RUN) && !(channel->control & CONTROL_RUN);
    channel->control = value & CONTROL_KEPT;
    if (starts)
        begin(device, index);
    else if (!(value & CONTROL_RUN))
        channel->status |= STATUS_HALTED;
}

/* A new end where the channel stands at the old one: it goes on. */
static void write_last(Ac97 *device, unsigned index, uint8_t value) {
    Ac97Channel *channel = &device->state.channels[index];
    bool waits = (channel->control & CONTROL_RUN) && (channel->status & STATUS_HALTED);
    channel->last = value % BUFFERS;
    if (waits && channel->last != channel->current)
        begin(device, index);
}

static void channel_write(Ac97 *device, unsigned index, unsigned reg, uint8_t value) {
    Ac97Channel *channel = &device->state.channels[index];
    if (reg < CHANNEL_CURRENT)
        channel->list = (channel->list & ~(0xFFu << 8 * reg)) |
                        (uint32_t)(reg == 0 ? value & 0xF8 : value) << 8 * reg;
    else if (reg == CHANNEL_LAST)
        write_last(device, index, value);
    else if (reg == CHANNEL_STATUS)
        channel->status &= (uint8_t) ~(value & STATUS_CLEARED);
    else if (reg == CHANNEL_CONTROL)
        write_control(device, index, value);
}

static uint8_t channel_read(const Ac97Channel *channel, unsigned reg) {
    if (reg < CHANNEL_CURRENT)
        return (uint8_t)(channel->list >> 8 * reg);
    switch (reg) {
    case CHANNEL_CURRENT:
        return channel->current;
    case CHANNEL_LAST:
        return channel->last;
    case CHANNEL_STATUS:
        return channel->status;
    case CHANNEL_LEFT:
        return (uint8_t)channel->left;
    case CHANNEL_LEFT + 1:
        return (uint8_t)(channel->left >> 8);
    case CHANNEL_PREFETCHED:
        return channel->prefetched;
    case CHANNEL_CONTROL:
        return channel->control;
    default:
        return 0;
    }
}

static uint32_t global_status(const Ac97 *device) {
    static const uint8_t bits[CHANNELS] = {5, 6, 7};
    uint32_t status = GLOBAL_READY;
    for (unsigned i = 0; i < CHANNELS; i++)
        if (device->state.channels[i].status & (STATUS_LAST_DONE | STATUS_DONE))
            status |= 1u << bits[i];
    return status;
}

/* --- ports -------------------------------------------------------------------------------------
 */

static uint32_t codec_port_read(void *opaque, uint32_t offset, unsigned size) {
    Ac97 *device = opaque;
    uint16_t value = *codec_register(device, offset & ~1u);
    device->state.semaphore = 0;
    if (offset >= CODEC_PORTS / 2)
        return size == 1 ? 0xFF : 0xFFFF; /* no second codec */
    return size == 1 ? value >> 8 * (offset & 1) & 0xFF : value;
}

static void codec_port_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Ac97 *device = opaque;
    unsigned reg = offset & ~1u;
    device->state.semaphore = 0;
    if (size != 2 || offset >= CODEC_PORTS / 2)
        return;
    run_all(device);
    switch (reg) {
    case CODEC_RESET:
        codec_reset(device);
        break;
    case CODEC_EXTENDED_ID:
    case CODEC_VENDOR_1:
    case CODEC_VENDOR_2:
        return;
    case CODEC_POWER:
        *codec_register(device, reg) = (uint16_t)((value & 0xFF00) | 0x000F);
        return;
    case CODEC_EXTENDED:
        value &= VARIABLE_RATE | MIC_VARIABLE_RATE;
        break;
    case CODEC_FRONT_RATE:
    case CODEC_RECORD_RATE:
    case CODEC_MIC_RATE:
        if (value < 4000 || value > 48000)
            value = value < 4000 ? 4000 : 48000;
        break;
    }
    if (reg != CODEC_RESET)
        *codec_register(device, reg) = (uint16_t)value;
    apply_volume(device);
    set_rates(device);
    run_all(device);
}

static uint8_t master_read_byte(Ac97 *device, uint32_t offset) {
    if (offset < CHANNELS * 16)
        if (offset < GLOBAL_CONTROL || offset >= GLOBAL_CONTROL + 4)
            return channel_read(&device->state.channels[offset / 16], offset % 16);
    if (offset < GLOBAL_STATUS)
        return (uint8_t)(device->state.global_control >> 8 * (offset & 3));
    if (offset < CODEC_SEMAPHORE)
        return (uint8_t)(global_status(device) >> 8 * (offset & 3));
    if (offset == CODEC_SEMAPHORE) {
        uint8_t taken = device->state.semaphore;
        device->state.semaphore = 1;
        return taken;
    }
    return 0;
}

static uint32_t master_port_read(void *opaque, uint32_t offset, unsigned size) {
    Ac97 *device = opaque;
    uint32_t value = 0;
    run_all(device);
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)master_read_byte(device, offset + i) << 8 * i;
    return value;
}

static void master_port_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Ac97 *device = opaque;
    run_all(device);
    for (unsigned i = 0; i < size; i++) {
        uint32_t at = offset + i;
        uint8_t byte = (uint8_t)(value >> 8 * i);
        if (at >= GLOBAL_CONTROL && at < GLOBAL_CONTROL + 4)
            device->state.global_control =
                (device->state.global_control & ~(0xFFu << 8 * (at & 3))) | (uint32_t)byte
                                                                                << 8 * (at & 3);
        else if (at < CHANNELS * 16)
            channel_write(device, at / 16, at % 16, byte);
    }
    device->state.global_control &= ~4u; /* a warm reset is over at once */
    run_all(device);
}

/* --- the device --------------------------------------------------------------------------------
 */

static void ac97_reset(void *opaque) {
    Ac97 *device = opaque;
    for (unsigned i = 0; i < CHANNELS; i++)
        channel_reset(&device->state.channels[i]);
    device->state.global_control = 0;
    device->state.semaphore = 0;
    timer_cancel(&device->timer);
    codec_reset(device);
    update_irq(device);
}

static void ac97_restored(void *opaque) {
    Ac97 *device = opaque;
    for (unsigned i = 0; i < CHANNELS; i++) {
        AudioClock *clock = &device->state.channels[i].clock;
        if (clock->per_second == 0 || clock->divisor == 0 || clock->per_second > UINT16_MAX)
            *clock = (AudioClock){0, 0, 48000, 1};
    }
    audio_voice_restored(device->voice);
    apply_volume(device);
}

static const DeviceClass ac97_class = {"AC97", &ac97_fields, ac97_reset, ac97_restored};

Ac97 *ac97_create(const DeviceContext *context, PciBus *bus, unsigned slot, AudioMixer *mixer,
                  Error *error) {
    Ac97 *device = allocate_zeroed(sizeof *device);
    const PciDeviceInfo info = {
        .name = "AC97",
        .vendor_id = VENDOR_INTEL,
        .device_id = DEVICE_82801AA,
        .class_code = CLASS_AUDIO,
        .revision = 1,
        .subsystem_vendor_id = VENDOR_INTEL,
        .interrupt_pin = 1,
        .bars =
            {{.type = PCI_BAR_IO, CODEC_PORTS, codec_port_read, codec_port_write, PORT_8 | PORT_16},
             {.type = PCI_BAR_IO, MASTER_PORTS, master_port_read, master_port_write}},
        .opaque = device,
    };
    device->context = *context;
    device->function = pci_device_add(bus, slot, 0, &info, error);
    if (device->function == NULL) {
        free(device);
        return NULL;
    }
    device->voice = audio_voice_open(mixer, NULL, NULL);
    timer_init(&device->timer, context->clock, "ac97", &device->state.due_ns, timer_due, device);
    device_list_add(context->devices, &ac97_class, "ac97", device, &device->state);
    ac97_reset(device);
    return device;
}

void ac97_destroy(Ac97 *device) {
    free(device);
}
