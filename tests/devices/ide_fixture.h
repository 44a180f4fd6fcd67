/* What the tests of IDE drives share: a machine with nothing but the channels, and a driver's ways
 * of using their ports. Each test program includes this once. */
#ifndef REPRISE_IDE_FIXTURE_H
#define REPRISE_IDE_FIXTURE_H

#include "ide.h"
#include "little_endian.h"
#include "pci.h"
#include "piix3_ide.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PORT_DATA = 0x1F0, PORT_FEATURES, PORT_COUNT, PORT_LOW, PORT_MID, PORT_HIGH, PORT_DEVICE };
enum { PORT_STATUS = 0x1F7, PORT_CONTROL = 0x3F6, PORT_MASTER = 0xC000 };

typedef struct Machine {
    VirtualClock clock;
    PortMap *ports;
    PhysicalMap *memory;
    DeviceList devices;
    Trace trace;
    PciBus *bus;
    PciDevice *function;
    Piix3Ide *ide;
    BlockNode *media[4];
    int irq, irq_count;
} Machine;

static Machine machine;
static char folder[] = "/tmp/reprise-ide-XXXXXX";

static inline const char *path_of(const char *name) {
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

/* What byte 'at' of the image with this seed is. */
static inline uint8_t image_byte(unsigned seed, uint64_t at) {
    uint64_t lba = at / 512;
    switch (at % 512) {
    case 0:
        return (uint8_t)lba;
    case 1:
        return (uint8_t)(lba >> 8);
    default:
        return (uint8_t)(seed + lba * 5 + at);
    }
}

static inline BlockNode *make_image(const char *name, size_t size, unsigned seed, bool read_only) {
    FILE *file = fopen(path_of(name), "wb");
    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < size; i++)
        fputc(image_byte(seed, i), file);
    fclose(file);
    BlockOptions options = {.path = path_of(name), .read_only = read_only};
    Error error = {0};
    BlockNode *node = block_open(&options, &error);
    ck_assert_msg(node != NULL, "%s", error.message);
    return node;
}

static inline void set_irq(void *listener, int line, int level) {
    (void)listener;
    (void)line;
    if (level && !machine.irq)
        machine.irq_count++;
    machine.irq = level;
}

static inline void out(uint16_t port, uint8_t value) {
    port_map_write(machine.ports, port, 1, value);
}

static inline uint8_t in(uint16_t port) {
    return (uint8_t)port_map_read(machine.ports, port, 1);
}

/* The kinds of the primary channel's drives; media of absent drives are NULL. The bus master's
 * registers are mapped and enabled. */
static inline void plug(IdeDriveKind kind_0, BlockNode *medium_0, IdeDriveKind kind_1,
                        BlockNode *medium_1) {
    memset(&machine, 0, sizeof(machine));
    clock_init(&machine.clock);
    machine.ports = port_map_create();
    Error error = {0};
    machine.memory = physical_map_create(2u << 20, &error);
    ck_assert_msg(machine.memory != NULL, "%s", error.message);
    DeviceContext context = {.clock = &machine.clock,
                             .ports = machine.ports,
                             .memory = machine.memory,
                             .devices = &machine.devices,
                             .trace = &machine.trace};
    machine.bus = pci_bus_create(&context, &error);
    ck_assert_msg(machine.bus != NULL, "%s", error.message);
    machine.media[0] = medium_0;
    machine.media[1] = medium_1;
    Piix3IdeOptions options = {
        .slot = 1,
        .function = 1,
        .drives = {{.kind = kind_0, .medium = medium_0}, {.kind = kind_1, .medium = medium_1}},
        .irqs = {{set_irq, NULL, 14}},
    };
    machine.ide = piix3_ide_create(&context, machine.bus, &options, &error);
    ck_assert_msg(machine.ide != NULL, "%s", error.message);
    machine.function = pci_bus_device(machine.bus, 1, 1);
    pci_device_config_write(machine.function, PCI_BASE_ADDRESS + 16, 4, PORT_MASTER);
    pci_device_config_write(machine.function, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
    in(PORT_STATUS);
}

static inline void unplug(void) {
    piix3_ide_destroy(machine.ide);
    pci_bus_destroy(machine.bus);
    for (unsigned i = 0; i < 4; i++)
        block_close(machine.media[i]);
    physical_map_destroy(machine.memory);
    port_map_destroy(machine.ports);
    clock_destroy(&machine.clock);
}

/* Lets time pass to the next event. */
static inline bool next_event(void) {
    int64_t due = clock_next_due_ns(&machine.clock);
    if (due == TIMER_NEVER)
        return false;
    machine.clock.stopped_ns = due;
    clock_run_due(&machine.clock);
    return true;
}

static inline uint8_t wait_not_busy(void) {
    while (in(PORT_CONTROL)&0x80)
        ck_assert_msg(next_event(), "busy for ever");
    return in(PORT_CONTROL);
}

/* One disk of so many sectors, alone on its channel. */
static inline void plug_one_disk(size_t sectors) {
    plug(IDE_DRIVE_DISK, make_image("a.img", sectors * 512, 1, false), IDE_DRIVE_NONE, NULL);
}

/* The command ends with its interrupt and these registers. */
static inline void expect_end(uint8_t status, uint8_t error) {
    wait_not_busy();
    ck_assert_int_eq(machine.irq, 1);
    ck_assert_uint_eq(in(PORT_STATUS), status);
    ck_assert_uint_eq(in(PORT_FEATURES), error);
    ck_assert_int_eq(machine.irq, 0);
}

/* Gives a command with 28-bit registers; 'device' chooses the drive, LBA or CHS and the top bits.
 */
static inline void command(uint8_t code, uint8_t device, uint32_t lba, uint8_t count) {
    out(PORT_DEVICE, device);
    out(PORT_COUNT, count);
    out(PORT_LOW, (uint8_t)lba);
    out(PORT_MID, (uint8_t)(lba >> 8));
    out(PORT_HIGH, (uint8_t)(lba >> 16));
    out(PORT_STATUS, code);
}

static inline void command_48(uint8_t code, uint8_t device, uint64_t lba, uint16_t count) {
    out(PORT_COUNT, (uint8_t)(count >> 8));
    out(PORT_LOW, (uint8_t)(lba >> 24));
    out(PORT_MID, (uint8_t)(lba >> 32));
    out(PORT_HIGH, (uint8_t)(lba >> 40));
    command(code, device, (uint32_t)lba & 0xFFFFFF, (uint8_t)count);
}

static inline void read_words(uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; i += 2) {
        uint32_t word = port_map_read(machine.ports, PORT_DATA, 2);
        data[i] = (uint8_t)word;
        data[i + 1] = (uint8_t)(word >> 8);
    }
}

static inline void write_words(const uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; i += 2)
        port_map_write(machine.ports, PORT_DATA, 2, data[i] | (uint32_t)data[i + 1] << 8);
}

/* Saves the machine, spoils it, and restores it: nothing that follows may notice. */
static inline void save_and_restore(void) {
    ByteBuffer saved = {0};
    device_list_save(&machine.devices, &saved);
    uint64_t hash = device_list_hash(&machine.devices);
    int64_t now = machine.clock.stopped_ns;
    int irq = machine.irq, irq_count = machine.irq_count;
    device_list_reset(&machine.devices);
    while (next_event())
        ;
    ck_assert_uint_ne(device_list_hash(&machine.devices), hash);
    ByteReader reader = {.data = saved.data, .size = saved.size};
    Error error = {0};
    ck_assert_msg(device_list_load(&machine.devices, &reader, &error), "%s", error.message);
    ck_assert_uint_eq(device_list_hash(&machine.devices), hash);
    machine.clock.stopped_ns = now;
    machine.irq = irq;
    machine.irq_count = irq_count;
    clock_rebuild(&machine.clock);
    byte_buffer_free(&saved);
}

static inline int run_suite(const char *name, void (*const add)(TCase *tests)) {
    if (mkdtemp(folder) == NULL)
        return 1;
    Suite *suite = suite_create(name);
    TCase *tests = tcase_create(name);
    tcase_set_timeout(tests, 60);
    add(tests);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    unlink(path_of("a.img"));
    unlink(path_of("b.img"));
    rmdir(folder);
    return failed == 0 ? 0 : 1;
}

#endif
