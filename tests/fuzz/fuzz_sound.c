/* Hostile drivers of the sound devices: registers, lists in memory, DMA, and states that somebody
 * changed.
 *
 * Whatever comes, time must go on, what is heard must stay within bounds, and a device goes on from
 * a saved state as it would have. */
#include "ac97.h"
#include "audio_mixer.h"
#include "es1370.h"
#include "fuzz_devices.h"
#include "gameport.h"
#include "i8237.h"
#include "i8254.h"
#include "little_endian.h"
#include "mpu401.h"
#include "opl3.h"
#include "pc_speaker.h"
#include "pci.h"
#include "sb16.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SB16 = 0x220, MIDI = 0x330, AC97_CODEC = 0xC000, AC97_MASTER = 0xC100, ES1370 = 0xC200 };
enum { AC97_SLOT = 4, ES1370_SLOT = 5, LIST = 0x8000, BUFFER = 0x10000 };
enum { ACTIONS_MAX = 200, EVENTS_MAX = 200 };

typedef struct Board {
    FuzzBoard base;
    I8237 *dma;
    I8254 *pit;
    PcSpeaker *speaker;
    Opl3 *opl;
    Sb16 *sb16;
    Mpu401 *midi;
    Ac97 *ac97;
    Es1370 *es1370;
    Gameport *gameport;
    AudioRenderer *renderer;
    AudioMixer *mixer;
    int64_t heard; /* frames */
} Board;

static PhysicalMap *memory; /* made once: it is large */

void fuzz_clean_up(void) {
    if (memory != NULL)
        physical_map_destroy(memory);
}

static void hear(void *opaque, int64_t first, const int16_t *frames, size_t count) {
    Board *board = opaque;
    (void)frames;
    if (first < board->heard)
        fuzz_die("time goes back at the sink");
    board->heard = first + (int64_t)count;
}

static void render(void *opaque, ByteBuffer *events) {
    Board *board = opaque;
    audio_renderer_process(board->renderer, events->data, events->size);
    events->size = 0;
}

static void midi_out(void *opaque, int64_t time_ns, uint8_t byte) {
    (void)opaque, (void)time_ns, (void)byte;
}

static void create_isa(Board *board) {
    const Wire nowhere = {NULL, NULL, 0};
    const MidiSink midi = {midi_out, NULL};
    const Opl3Options fm = {.id = "opl",
                            .places = {{0x388, false}, {SB16, false}, {SB16 + 8, true}},
                            .place_count = 3,
                            .mixer = board->mixer};
    board->dma = i8237_create(&board->base.context, NULL);
    board->pit = i8254_create(&board->base.context, &nowhere, NULL);
    board->speaker = pc_speaker_create(&board->base.context, board->pit, board->mixer, NULL);
    board->opl = opl3_create(&board->base.context, &fm, NULL);
    const Sb16Options card = {.port = SB16,
                              .version = 0x405,
                              .irq = 5,
                              .dma = 1,
                              .dma16 = 5,
                              .dma_controller = board->dma,
                              .mixer = board->mixer,
                              .fm = opl3_voice(board->opl)};
    board->sb16 = sb16_create(&board->base.context, &card, NULL);
    board->midi = mpu401_create(&board->base.context, MIDI, &nowhere, &midi, NULL);
    board->gameport = gameport_create(&board->base.context, NULL);
}

static void map(PciBus *bus, unsigned slot, uint32_t first, uint32_t second) {
    PciDevice *device = pci_bus_device(bus, slot, 0);
    pci_device_config_write(device, PCI_BASE_ADDRESS, 4, first);
    pci_device_config_write(device, PCI_BASE_ADDRESS + 4, 4, second);
    pci_device_config_write(device, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
}

static void create(Board *board) {
    memset(board, 0, sizeof(*board));
    const AudioSink sink = {.rate = 8000, .write = hear, .opaque = board};
    fuzz_board_create(&board->base, memory, BUFFER + 0x20000);
    board->renderer = audio_renderer_create(&sink);
    board->mixer = audio_mixer_create(&board->base.clock, render, board);
    create_isa(board);
    board->ac97 = ac97_create(&board->base.context, board->base.bus, AC97_SLOT, board->mixer, NULL);
    board->es1370 =
        es1370_create(&board->base.context, board->base.bus, ES1370_SLOT, board->mixer, NULL);
    if (board->ac97 == NULL || board->es1370 == NULL || board->sb16 == NULL ||
        board->gameport == NULL)
        fuzz_die("board");
    map(board->base.bus, AC97_SLOT, AC97_CODEC, AC97_MASTER);
    map(board->base.bus, ES1370_SLOT, ES1370, 0);
}

static void destroy(Board *board) {
    audio_mixer_flush(board->mixer);
    gameport_destroy(board->gameport);
    es1370_destroy(board->es1370);
    ac97_destroy(board->ac97);
    mpu401_destroy(board->midi);
    sb16_destroy(board->sb16);
    opl3_destroy(board->opl);
    pc_speaker_destroy(board->speaker);
    i8254_destroy(board->pit);
    i8237_destroy(board->dma);
    audio_mixer_destroy(board->mixer);
    audio_renderer_destroy(board->renderer);
    fuzz_board_destroy(&board->base);
}

/* Places of what there is, limits, and any number. */
static uint32_t choose_value(FuzzInput *input) {
    static const uint32_t edges[] = {
        0,      1,          LIST,       BUFFER,     BUFFER + 0xFFFF, FUZZ_RAM_BYTES - 2,
        0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFEE00000,      0xA0000};
    unsigned kind = (unsigned)fuzz_number(input, 1);
    return kind < 64 ? edges[kind % (sizeof(edges) / sizeof(edges[0]))]
                     : (uint32_t)fuzz_number(input, kind < 200 ? 1 : 4);
}

static void access_port(Board *board, FuzzInput *input) {
    static const struct {
        uint16_t first, count;
    } places[] = {{SB16, 16},
                  {SB16 + 0xC, 1},
                  {SB16 + 4, 2},
                  {0x388, 4},
                  {MIDI, 2},
                  {0x40, 4},
                  {0x61, 1},
                  {0x00, 16},
                  {AC97_MASTER, 64},
                  {ES1370, 64},
                  {AC97_CODEC, 64},
                  {0xC0, 32},
                  {AC97_MASTER + 16, 12},
                  {0x80, 16},
                  {0x201, 1}};
    unsigned place = (unsigned)fuzz_number(input, 1) % (sizeof(places) / sizeof(places[0]));
    uint16_t port = (uint16_t)(places[place].first + fuzz_number(input, 1) % places[place].count);
    unsigned size = 1u << fuzz_number(input, 1) % 3;
    if (fuzz_number(input, 1) % 4 == 0)
        port_map_read(board->base.context.ports, port, size);
    else
        port_map_write(board->base.context.ports, port, size, choose_value(input));
}

static void out(Board *board, unsigned port, unsigned size, uint32_t value) {
    port_map_write(board->base.context.ports, (uint16_t)port, size, value);
}

/* What drivers do to play, with numbers of the fuzzer's in it. */
static void play_sb16(Board *board, FuzzInput *input) {
    static const uint8_t commands[] = {0x14, 0x1C, 0x24, 0x2C, 0x16, 0x17, 0x1F, 0x74, 0x75,
                                       0x76, 0x77, 0x7D, 0x7F, 0x80, 0x90, 0x91, 0x98, 0xB0,
                                       0xB6, 0xBE, 0xC0, 0xC6, 0xCE, 0xD0, 0xD4, 0xD5, 0xD6,
                                       0xDA, 0xD9, 0x45, 0x47, 0x48, 0x40, 0x41, 0x10, 0xE2};
    unsigned wide = (unsigned)fuzz_number(input, 1) & 1;
    out(board, wide ? 0xD6 : 0x0B, 1, (uint32_t)(fuzz_number(input, 1) | 1));
    for (unsigned i = 0; i < 2; i++) {
        out(board, wide ? 0xC4 : 2, 1, (uint32_t)fuzz_number(input, 1));
        out(board, wide ? 0xC6 : 3, 1, (uint32_t)fuzz_number(input, 1));
    }
    out(board, wide ? 0x8B : 0x83, 1, (uint32_t)fuzz_number(input, 1) & 0x1F);
    out(board, 0xD4, 1, wide ? 1 : 0);
    out(board, 0x0A, 1, 1);
    out(board, SB16 + 0xC, 1, commands[fuzz_number(input, 1) % sizeof(commands)]);
    for (unsigned i = 0; i < 3; i++)
        out(board, SB16 + 0xC, 1, (uint32_t)fuzz_number(input, 1));
}

static void play_ac97(Board *board, FuzzInput *input) {
    unsigned box = AC97_MASTER + 16 * (unsigned)(fuzz_number(input, 1) % 3);
    uint8_t *list = physical_map_ram(memory) + LIST;
    for (unsigned i = 0; i < 32; i++) {
        store_le32(list + 8 * i, i % 4 == 0 ? choose_value(input) : BUFFER);
        store_le32(list + 8 * i + 4, i % 4 == 0 ? choose_value(input) : 0xC0000100);
    }
    out(board, AC97_CODEC + 0x2A, 2, (uint32_t)fuzz_number(input, 1));
    out(board, AC97_CODEC + 0x2C, 2, (uint32_t)fuzz_number(input, 2));
    out(board, box, 4, fuzz_number(input, 1) % 4 != 0 ? LIST : choose_value(input));
    out(board, box + 5, 1, (uint32_t)fuzz_number(input, 1));
    out(board, box + 0xB, 1, 0x1D);
}

static void play_es1370(Board *board, FuzzInput *input) {
    out(board, ES1370 + 0xC, 4, 0xC + (uint32_t)(fuzz_number(input, 1) & 1));
    for (unsigned i = 0; i < 4; i++)
        out(board, ES1370 + 0x30 + 4 * i, 4,
            fuzz_number(input, 1) % 4 != 0 ? BUFFER : choose_value(input));
    for (unsigned i = 0; i < 3; i++)
        out(board, ES1370 + 0x24 + 4 * i, 4, (uint32_t)fuzz_number(input, 2));
    out(board, ES1370 + 0x20, 4, 0x700 | (uint32_t)fuzz_number(input, 2));
    out(board, ES1370, 4, (uint32_t)fuzz_number(input, 4) | 0x70);
}

static void act(Board *board, FuzzInput *input) {
    switch (fuzz_number(input, 1) % 16) {
    case 0:
        fuzz_devices_run(&board->base, (unsigned)fuzz_number(input, 1) % EVENTS_MAX,
                         board->base.clock.stopped_ns + NS_PER_SECOND / 10);
        break;
    case 1:
        board->base.clock.stopped_ns += (int64_t)fuzz_number(input, 2) * 100;
        clock_run_due(&board->base.clock);
        break;
    case 2:
        fuzz_devices_check_state(&board->base);
        break;
    case 3:
        if (fuzz_number(input, 1) % 8 == 0)
            fuzz_devices_damage_state(&board->base, input);
        break;
    case 4:
    case 5:
        play_sb16(board, input);
        break;
    case 6:
        play_ac97(board, input);
        break;
    case 7:
        play_es1370(board, input);
        break;
    default:
        access_port(board, input);
        break;
    }
}

int fuzz_one(const uint8_t *data, size_t size) {
    FuzzInput input = {data, size, 0};
    Board board;
    if (memory == NULL)
        memory = fuzz_memory_create();
    create(&board);
    for (unsigned i = 0; i < ACTIONS_MAX && input.position < input.size; i++)
        act(&board, &input);
    fuzz_devices_run(&board.base, EVENTS_MAX, board.base.clock.stopped_ns + NS_PER_SECOND / 10);
    destroy(&board);
    return 0;
}
