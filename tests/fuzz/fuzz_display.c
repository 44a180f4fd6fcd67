/* Hostile drivers of display adapters: ports, registers in memory, video memory by window and frame
 * buffer, blits, configuration space, pictures at any time.
 *
 * The fuzzer's bytes choose an adapter and a list of actions. Whatever comes, pictures stay of a
 * size that can be, and a saved state goes on as the adapter would have. */
#include "cirrus.h"
#include "fuzz_input.h"
#include "pci.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOT = 2,
    FRAME_BUFFER = 0x10000000,
    REGISTERS = 0x20000000,
    RAM_BYTES = 2 << 20,
    ACTIONS_MAX = 300,
    BLIT_BYTES_MOST = 1 << 18, /* of one blit: the chip's largest take their time */
};

typedef struct Board {
    VirtualClock clock;
    PortMap *ports;
    PhysicalMap *memory;
    DeviceList devices;
    Trace trace;
    PciBus *bus;
    Vga *vga;
    VgaModel model;
    DisplaySurface surface;
} Board;

static void die(const char *what) {
    fprintf(stderr, "fuzz_display: %s\n", what);
    abort();
}

void fuzz_clean_up(void) {}

static void create(Board *board, VgaModel model) {
    memset(board, 0, sizeof(*board));
    board->model = model;
    clock_init(&board->clock);
    board->ports = port_map_create();
    board->memory = physical_map_create(RAM_BYTES, NULL);
    DeviceContext context = {&board->clock, board->ports, board->memory, &board->devices,
                             &board->trace};
    board->bus = pci_bus_create(&context, NULL);
    VgaConfig config = {.model = model, .slot = SLOT, .memory_bytes = 1 << 20};
    board->vga = vga_create(&context, board->bus, &config, NULL);
    if (board->vga == NULL)
        die("board");
    PciDevice *pci = pci_bus_device(board->bus, SLOT, 0);
    if (pci == NULL)
        return;
    pci_device_config_write(pci, PCI_BASE_ADDRESS, 4, FRAME_BUFFER);
    pci_device_config_write(pci, PCI_BASE_ADDRESS + (model == VGA_CIRRUS ? 4 : 8), 4, REGISTERS);
    pci_device_config_write(pci, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
}

static void destroy(Board *board) {
    display_surface_free(&board->surface);
    vga_destroy(board->vga);
    pci_bus_destroy(board->bus);
    physical_map_destroy(board->memory);
    port_map_destroy(board->ports);
    clock_destroy(&board->clock);
}

static void out16(Board *board, uint16_t port, uint32_t value) {
    port_map_write(board->ports, port, 2, value);
}

/* Colour ports, a mode's registers as they may be, the Cirrus' key: so that what follows matters.
 */
static void unlock(Board *board, FuzzInput *input) {
    port_map_write(board->ports, 0x3C2, 1, 0x63 | (uint32_t)fuzz_number(input, 1) % 4 << 2);
    out16(board, 0x3C4, 0x1206);
    out16(board, 0x3C4, 0x0E04);
    out16(board, 0x3C4, 0x0100 * (uint32_t)(fuzz_number(input, 1) % 10) + 7);
    out16(board, 0x3D4, 0x0011);
    out16(board, 0x3D4, 0x5F00);
    out16(board, 0x3D4, 0x4F01);
    port_map_read(board->ports, 0x3DA, 1);
    port_map_write(board->ports, 0x3C0, 1, 0x20);
}

static void write_port(Board *board, FuzzInput *input) {
    uint16_t port = (uint16_t)(0x3B0 + fuzz_number(input, 1) % 0x30);
    unsigned size = fuzz_number(input, 1) % 3 == 0 ? 1 : 2;
    port_map_write(board->ports, port, size, (uint32_t)fuzz_number(input, 2));
}

static void write_indexed(Board *board, FuzzInput *input) {
    static const uint16_t ports[] = {0x3C4, 0x3CE, 0x3D4};
    out16(board, ports[fuzz_number(input, 1) % 3], (uint32_t)fuzz_number(input, 2));
}

static void write_vbe(Board *board, FuzzInput *input) {
    uint32_t index = (uint32_t)fuzz_number(input, 1) % 12;
    out16(board, 0x1CE, index);
    /* Pictures of 100 million pixels would take all the time. */
    uint32_t most = index == VBE_X_RESOLUTION || index == VBE_Y_RESOLUTION ? 1024 : 0x10000;
    out16(board, 0x1CF, (uint32_t)fuzz_number(input, 2) % most);
}

static uint32_t any_address(FuzzInput *input) {
    uint32_t offset = (uint32_t)fuzz_number(input, 4);
    switch (fuzz_number(input, 1) % 4) {
    case 0:
        return 0xA0000 + offset % 0x20000;
    case 1:
        return FRAME_BUFFER + offset % (32 << 20);
    case 2:
        return FRAME_BUFFER + (1 << 20) - 0x100 + offset % 0x100;
    default:
        return REGISTERS + offset % 0x1000;
    }
}

static void write_memory(Board *board, FuzzInput *input) {
    uint32_t address = any_address(input);
    unsigned size = 1u << fuzz_number(input, 1) % 3;
    unsigned times = fuzz_number(input, 1) % 8 == 0 ? 200 : 1;
    for (uint64_t value = fuzz_number(input, 4); times != 0; times--)
        physical_write(board->memory, address, size, value);
}

static void read_memory(Board *board, FuzzInput *input) {
    physical_read(board->memory, any_address(input), 1u << fuzz_number(input, 1) % 3);
}

/* A blit with any registers, but not of all memory. */
static void start_blit(Board *board, FuzzInput *input) {
    for (unsigned i = 0x20; i < 0x3A; i++)
        if (i != 0x31)
            out16(board, 0x3CE, i | (uint32_t)fuzz_number(input, 1) << 8);
    if (board->model != VGA_CIRRUS)
        return;
    const uint8_t *graphics = board->vga->cirrus->state.graphics;
    uint32_t width = (graphics[0x20] | graphics[0x21] << 8) + 1u;
    uint32_t height = (graphics[0x22] | graphics[0x23] << 8) + 1u;
    if (width * height > BLIT_BYTES_MOST)
        out16(board, 0x3CE, 0x23);
    out16(board, 0x3CE, 0x0231);
}

static void pass_time(Board *board, FuzzInput *input) {
    board->clock.stopped_ns += (int64_t)fuzz_number(input, 4) % 40000000;
    clock_run_due(&board->clock);
}

static void draw(Board *board, FuzzInput *input) {
    (void)input;
    ByteBuffer text = {.data = NULL};
    vga_render(board->vga, &board->surface);
    vga_get_text(board->vga, &text);
    byte_buffer_free(&text);
    const DisplaySurface *surface = &board->surface;
    if (surface->width > 16000 || surface->height > 12000 ||
        surface->first_changed_line + surface->changed_lines > surface->height)
        die("the picture's size is impossible");
}

static void configure(Board *board, FuzzInput *input) {
    PciDevice *pci = pci_bus_device(board->bus, SLOT, 0);
    unsigned offset = (unsigned)fuzz_number(input, 1) & 0xFC;
    if (pci != NULL)
        pci_device_config_write(pci, offset, 4, (uint32_t)fuzz_number(input, 4));
}

/* The same device must come out of a saved state. */
static void save_and_restore(Board *board, FuzzInput *input) {
    (void)input;
    Board other;
    ByteBuffer saved = {.data = NULL};
    Error error = {.message = ""};
    create(&other, board->model);
    device_list_save(&board->devices, &saved);
    memcpy(other.vga->vram, board->vga->vram, board->vga->vram_bytes);
    ByteReader reader = {.data = saved.data, .size = saved.size};
    if (!device_list_load(&other.devices, &reader, &error))
        die(error.message);
    if (device_list_hash(&other.devices) != device_list_hash(&board->devices))
        die("the restored state differs");
    byte_buffer_free(&saved);
    draw(&other, input);
    destroy(&other);
}

int fuzz_one(const uint8_t *data, size_t size) {
    typedef void Action(Board * board, FuzzInput * input);
    static Action *const actions[] = {write_port, write_indexed, write_indexed, write_indexed,
                                      write_vbe,  write_memory,  read_memory,   write_memory,
                                      start_blit, pass_time,     draw,          unlock,
                                      configure,  write_memory,  write_indexed, NULL};
    FuzzInput input = {data, size, 0};
    Board board;
    create(&board,
           (VgaModel[]){VGA_STANDARD, VGA_CIRRUS, VGA_CIRRUS, VGA_ISA}[fuzz_number(&input, 1) % 4]);
    unlock(&board, &input);
    for (int i = 0; i < ACTIONS_MAX && input.position < size; i++) {
        Action *action = actions[fuzz_number(&input, 1) % (sizeof actions / sizeof actions[0])];
        if (action != NULL)
            action(&board, &input);
    }
    if (size % 4 == 0) /* it takes another board */
        save_and_restore(&board, &input);
    draw(&board, &input);
    destroy(&board);
    return 0;
}
