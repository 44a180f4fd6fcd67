/* Hostile drivers of what stands on every board: IDE disks and CD drives with their bus masters,
 * floppy drives, DMA controllers, power management and SMBus, timers, clock chip, keyboard
 * controller, interrupt controllers, serial, parallel and game ports, the firmware's port.
 *
 * The machine is whole but for its processor, which runs nothing: the fuzzer's bytes are what
 * programs would do, some of it as drivers do it, so that commands run. Whatever comes, each must
 * end, and go on from a saved state as it would have. */
#include "fuzz_devices.h"
#include "little_endian.h"
#include "machine_parts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ACTIONS_MAX = 60, EVENTS_MAX = 60, LONGEST_READ = 600 };
enum { RAM_BYTES = 2 << 20, TABLE = 0x10000, DATA = 0x20000, USED_RAM = 0x40000 };
enum { PM_PORTS = 0xB000, SMBUS_PORTS = 0xB100, BUS_MASTER_PORTS = 0xC000, CONFIG_PORT = 0xCF8 };
enum { IDE_FUNCTION = 1 << 11 | 1 << 8, PM_FUNCTION = 1 << 11 | 3 << 8 };
enum { FLOPPY_BYTES = 1474560, DISK_BYTES = 1 << 20, CD_BYTES = 64 * 2048 };

static struct {
    Machine *machine;
    ByteBuffer fresh;
    char floppy[64], disk[64], cd[64];
    bool damaged; /* its state is none that a driver could bring about */
} fixture;

static void die(const char *what, const Error *error) {
    fprintf(stderr, "fuzz_board: %s: %s\n", what, error != NULL ? error->message : "");
    abort();
}

static uint32_t in(uint16_t port, unsigned size) {
    return port_map_read(fixture.machine->ports, port, size);
}

static void out(uint16_t port, unsigned size, uint32_t value) {
    port_map_write(fixture.machine->ports, port, size, value);
}

static void set_config(uint32_t place, unsigned size, uint32_t value) {
    out(CONFIG_PORT, 4, 0x80000000u | (place & ~3u));
    out((uint16_t)(CONFIG_PORT + 4 + place % 4), size, value);
}

static uint8_t *ram(uint32_t address) {
    return physical_map_ram(fixture.machine->memory) + address;
}

/* ---- The board ---- */

static void make_image(char *path, size_t size, const char *bytes, size_t at) {
    snprintf(path, sizeof(fixture.disk), "/tmp/fuzz-board-XXXXXX");
    int file = mkstemp(path);
    if (file < 0 || ftruncate(file, (off_t)size) != 0 ||
        pwrite(file, bytes, strlen(bytes), (off_t)at) < 0)
        die(path, NULL);
    close(file);
}

static void add_drive(DriveConfig *drive, const char *path, bool is_cd) {
    *drive = (DriveConfig){.present = true,
                           .is_cd = is_cd,
                           .file = path,
                           .format = "raw",
                           .read_only = is_cd,
                           .snapshot = !is_cd,
                           .boot_index = -1};
}

/* As firmware leaves it: ports have their places. */
static void enable_ports(void) {
    set_config(PM_FUNCTION | 0x40, 4, PM_PORTS | 1);
    set_config(PM_FUNCTION | 0x80, 1, 1);
    set_config(PM_FUNCTION | 0x90, 4, SMBUS_PORTS | 1);
    set_config(PM_FUNCTION | 0xD2, 1, 9);
    set_config(PM_FUNCTION | 0x04, 2, 5);
    set_config(IDE_FUNCTION | 0x20, 4, BUS_MASTER_PORTS | 1);
    set_config(IDE_FUNCTION | 0x04, 2, 5);
}

static void set_up(void) {
    Error error = {.set = false};
    MachineConfig config;
    make_image(fixture.floppy, FLOPPY_BYTES, "floppy", 512);
    make_image(fixture.disk, DISK_BYTES, "disk", 512);
    make_image(fixture.cd, CD_BYTES, "\1CD001\1", 16 * 2048);
    machine_config_init(&config);
    config.ram_bytes = RAM_BYTES;
    config.icount = true;
    config.translator = (TranslatorOptions){.backend = BACKEND_PORTABLE, .buffer_bytes = 1 << 20};
    for (unsigned i = 0; i < 2; i++) {
        config.has_serial[i] = true;
        add_drive(&config.floppy[i], fixture.floppy, false);
        add_drive(&config.ide[2 * i], fixture.disk, false);
        add_drive(&config.ide[2 * i + 1], fixture.cd, true);
    }
    config.has_parallel[0] = config.has_gameport = config.has_hpet = config.has_debug_exit = true;
    config.debug_exit_port = 0xF4;
    config.debug_exit_size = 4;
    config.has_pvpanic = true;
    config.pvpanic_port = 0x505;
    config.pvpanic_events = 3;
    config.joysticks = 2;
    config.processors = 2;
    fixture.machine = machine_create(&config, &error);
    if (fixture.machine == NULL)
        die("machine", &error);
    fixture.machine->clock.source = NULL;
    enable_ports();
    device_list_save(&fixture.machine->devices, &fixture.fresh);
}

void fuzz_clean_up(void) {
    machine_destroy(fixture.machine);
    byte_buffer_free(&fixture.fresh);
    unlink(fixture.floppy);
    unlink(fixture.disk);
    unlink(fixture.cd);
}

/* Every input begins with the same machine. */
static void begin(void) {
    Error error = {.set = false};
    ByteReader reader = {.data = fixture.fresh.data, .size = fixture.fresh.size};
    fixture.machine->clock.stopped_ns = 0;
    if (!device_list_load(&fixture.machine->devices, &reader, &error))
        die("load", &error);
    clock_rebuild(&fixture.machine->clock);
    memset(ram(0), 0, USED_RAM);
    fixture.damaged = false;
}

/* ---- IDE ---- */

/* Where most bytes are one of a few. */
static uint8_t choose(FuzzInput *input, const uint8_t *usual, size_t count) {
    uint8_t kind = (uint8_t)fuzz_number(input, 1);
    return kind < 240 ? usual[kind % count] : (uint8_t)fuzz_number(input, 1);
}

/* A table of regions for the bus master, the last of which may not say so. */
static void start_bus_master(FuzzInput *input, unsigned channel, bool to_memory) {
    uint16_t ports = (uint16_t)(BUS_MASTER_PORTS + 8 * channel);
    unsigned regions = 1 + fuzz_number(input, 1) % 4;
    for (unsigned i = 0; i < regions; i++) {
        uint8_t *region = ram(TABLE + channel * 0x1000 + i * 8);
        store_le32(region, DATA + (uint32_t)fuzz_number(input, 2));
        store_le16(region + 4, (uint16_t)(fuzz_number(input, 1) % 17 * 256));
        store_le16(region + 6, i + 1 == regions && fuzz_number(input, 1) % 16 != 0 ? 0x8000 : 0);
    }
    uint32_t place = fuzz_number(input, 1) % 32 == 0 ? (uint32_t)fuzz_number(input, 4)
                                                     : TABLE + channel * 0x1000;
    out(ports + 4, 4, place);
    out(ports + 2, 1, 6);
    out(ports, 1, to_memory ? 9 : 1);
}

/* A packet for the CD drive, in one of the ways that there are to give it. */
static void send_packet(FuzzInput *input, uint16_t base) {
    static const uint8_t commands[] = {0x00, 0x03, 0x12, 0x1B, 0x1E, 0x23, 0x25, 0x28, 0x2B,
                                       0x35, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x4A,
                                       0x4B, 0x4E, 0x51, 0x52, 0x55, 0x5A, 0xA5, 0xA8, 0xAD,
                                       0xB9, 0xBB, 0xBD, 0xBE, 0x46, 0x46, 0x5A};
    uint8_t packet[12];
    packet[0] = choose(input, commands, sizeof(commands));
    for (unsigned i = 1; i < sizeof(packet); i++)
        packet[i] = (uint8_t)(fuzz_number(input, 1) & (i % 3 == 1 ? 0xFF : 0x13));
    fuzz_clock_run(&fixture.machine->clock, 4, FUZZ_DEVICES_NO_END);
    for (unsigned i = 0; i < sizeof(packet); i += 2)
        out(base, 2, load_le16(packet + i));
}

static void give_ide(FuzzInput *input) {
    static const uint8_t commands[] = {0x00, 0x08, 0x10, 0x20, 0x24, 0x25, 0x27, 0x29, 0x2F, 0x30,
                                       0x34, 0x35, 0x37, 0x39, 0x3F, 0x40, 0x42, 0x70, 0x90, 0x91,
                                       0xA0, 0xA0, 0xA0, 0xA1, 0xB0, 0xB0, 0xB1, 0xC4, 0xC5, 0xC6,
                                       0xC8, 0xC8, 0xCA, 0xCA, 0xE0, 0xE1, 0xE2, 0xE3, 0xE5, 0xE6,
                                       0xE7, 0xEA, 0xEC, 0xEF, 0xF1, 0xF5, 0xF8, 0xF9};
    static const uint8_t features[] = {0x00, 0x01, 0x02, 0x03, 0x05, 0x42, 0x55, 0x66, 0x82,
                                       0xAA, 0xC0, 0xC1, 0xC2, 0xC3, 0xD0, 0xD1, 0xD2, 0xD4,
                                       0xD5, 0xD6, 0xD8, 0xD9, 0xDA, 0x85, 0xCC};
    unsigned channel = (unsigned)fuzz_number(input, 1), flags = (unsigned)fuzz_number(input, 1);
    uint16_t base = channel & 1 ? 0x170 : 0x1F0;
    uint8_t command = choose(input, commands, sizeof(commands));
    out(base + 6, 1, 0xA0 | (channel & 0x4F) | (channel & 2 ? 0x10 : 0));
    for (unsigned twice = flags & 1; twice < 2; twice++) {
        out(base + 1, 1, choose(input, features, sizeof(features)));
        out(base + 2, 1, (uint32_t)fuzz_number(input, 1) & (flags & 2 ? 0xFF : 7));
        out(base + 3, 1, (uint32_t)fuzz_number(input, 1));
        out(base + 4, 1, command == 0xB0 ? 0x4F : (uint32_t)fuzz_number(input, 1) & 7);
        out(base + 5, 1, command == 0xB0 ? 0xC2 : (uint32_t)fuzz_number(input, 1) & (flags >> 2));
    }
    if (flags & 0x40)
        start_bus_master(input, channel & 1, (flags & 0x80) != 0);
    out(base + 7, 1, command);
    if (command == 0xA0)
        send_packet(input, base);
}

/* Data of a command, and what ends an interrupt. */
static void move_ide_data(FuzzInput *input) {
    unsigned which = (unsigned)fuzz_number(input, 1);
    uint16_t base = which & 1 ? 0x170 : 0x1F0;
    unsigned count = (unsigned)fuzz_number(input, 2) % LONGEST_READ, size = which & 8 ? 4 : 2;
    fuzz_clock_run(&fixture.machine->clock, 4, FUZZ_DEVICES_NO_END);
    for (; count > 0; count--) {
        if (which & 2)
            in(base, size);
        else
            out(base, size, 0x5A5A0101 * count);
    }
    in(which & 4 ? base + 7 : base + 0x206, 1);
}

/* ---- Floppy ---- */

static void give_floppy(FuzzInput *input) {
    static const uint8_t commands[] = {0x03, 0x04, 0x07, 0x08, 0x0A, 0x0D, 0x0E, 0x0F, 0x10,
                                       0x12, 0x13, 0x14, 0x18, 0x45, 0x46, 0x4C, 0x4D, 0x66,
                                       0xE6, 0xC5, 0x42, 0x56, 0x59, 0x5D, 0x8F, 0xCF, 0x94};
    uint8_t command = choose(input, commands, sizeof(commands));
    unsigned flags = (unsigned)fuzz_number(input, 1), drive = flags & 1;
    uint32_t mode = (flags & 2 ? 0x44 : 0x48) | 2; /* channel 2, single, to or from memory */
    out(0x3F2, 1, 0x0C | (0x10u << drive) | drive);
    out(0x0A, 1, 6);
    out(0x0B, 1, mode);
    out(0x0C, 1, 0);
    out(0x04, 1, 0);
    out(0x04, 1, 0);
    out(0x81, 1, DATA >> 16);
    out(0x05, 1, 0xFF);
    out(0x05, 1, (uint32_t)fuzz_number(input, 1) % 16);
    out(0x0A, 1, 2);
    const uint8_t words[] = {command,
                             (uint8_t)(drive | (flags & 4)),
                             (uint8_t)(fuzz_number(input, 1) % 90),
                             (uint8_t)(flags >> 2 & 1),
                             (uint8_t)(fuzz_number(input, 1) % 22),
                             (uint8_t)(flags & 0x80 ? fuzz_number(input, 1) : 2),
                             (uint8_t)(flags & 0x40 ? fuzz_number(input, 1) : 18),
                             0x1B,
                             0xFF};
    unsigned count = 1 + fuzz_number(input, 1) % sizeof(words);
    for (unsigned i = 0; i < count; i++)
        out(0x3F5, 1, words[i]);
    fuzz_clock_run(&fixture.machine->clock, (unsigned)fuzz_number(input, 1) % EVENTS_MAX,
                   FUZZ_DEVICES_NO_END);
    for (unsigned results = (unsigned)fuzz_number(input, 1) % 12; results > 0; results--)
        in(0x3F5, 1);
}

/* ---- Whatever ---- */

typedef struct PortGroup {
    uint16_t first, count;
} PortGroup;

static const PortGroup groups[] = {
    {0x00, 16},   {0x20, 2},    {0x40, 4},      {0x60, 5},
    {0x70, 4},    {0x80, 16},   {0x92, 1},      {0xA0, 2},
    {0xB2, 2},    {0xC0, 32},   {0xE9, 1},      {0xF0, 2},
    {0x170, 8},   {0x1F0, 8},   {0x200, 8},     {0x2F8, 8},
    {0x376, 2},   {0x378, 8},   {0x3F0, 8},     {0x3F8, 8},
    {0x402, 1},   {0x4D0, 2},   {0x505, 1},     {0x510, 12},
    {0x3B0, 48},  {0x5658, 4},  {PM_PORTS, 64}, {SMBUS_PORTS, 16},
    {0xAFE0, 16}, {0xAE00, 20}, {0xCF8, 8},     {BUS_MASTER_PORTS, 16},
};
enum { GROUPS = sizeof(groups) / sizeof(groups[0]) };

static void access_port(FuzzInput *input, bool writes) {
    const PortGroup *group = &groups[fuzz_number(input, 1) % GROUPS];
    uint16_t port = (uint16_t)(group->first + fuzz_number(input, 1) % group->count);
    unsigned kind = (unsigned)fuzz_number(input, 1), size = kind < 200 ? 1 : 1u << kind % 3;
    if (!writes)
        in(port, size);
    else
        out(port, size, (uint32_t)fuzz_number(input, size));
}

/* Registers in memory: HPET, I/O APIC and local APIC, with an index where one is needed. */
static void access_memory(FuzzInput *input) {
    static const uint32_t bases[] = {0xFED00000, 0xFEC00000, 0xFEE00000, 0xA0000};
    unsigned kind = (unsigned)fuzz_number(input, 1), size = kind & 0x80 ? 1u << kind % 3 : 4;
    uint32_t place = bases[kind >> 2 & 3] + ((uint32_t)fuzz_number(input, 2) & 0xFFC);
    if (kind & 0x40)
        physical_write(fixture.machine->memory, place, size, fuzz_number(input, 4));
    else
        physical_read(fixture.machine->memory, place, size);
    if ((kind >> 2 & 3) == 1) {
        physical_write(fixture.machine->memory, 0xFEC00000, 4, fuzz_number(input, 1) % 64);
        physical_write(fixture.machine->memory, 0xFEC00010, 4, fuzz_number(input, 4));
    }
}

/* One transaction on the SMBus. */
static void give_smbus(FuzzInput *input) {
    for (unsigned i = 3; i < 8; i++)
        out((uint16_t)(SMBUS_PORTS + i), 1, (uint32_t)fuzz_number(input, 1));
    out(SMBUS_PORTS + 4, 1, 0xA0 | ((uint32_t)fuzz_number(input, 1) & 0x0F));
    out(SMBUS_PORTS + 2, 1, 0x40 | ((uint32_t)fuzz_number(input, 1) & 0x1D));
    fuzz_clock_run(&fixture.machine->clock, 3, FUZZ_DEVICES_NO_END);
    in(SMBUS_PORTS, 1);
    in(SMBUS_PORTS + 5, 1);
    in(SMBUS_PORTS + 7, 1);
}

/* The firmware's port by DMA: a descriptor anywhere, with any length. */
static void give_firmware_port(FuzzInput *input) {
    uint8_t *words = ram(TABLE + 0x4000);
    static const uint8_t kinds[] = {2, 4, 8, 10, 16, 24, 26, 1};
    words[0] = words[2] = 0;
    words[1] = (uint8_t)fuzz_number(input, 1) % 48;
    words[3] = kinds[fuzz_number(input, 1) % sizeof(kinds)];
    words[0] = fuzz_number(input, 1) & 1 ? 0x80 : 0;
    for (unsigned i = 4; i < 16; i++)
        words[i] = (uint8_t)(fuzz_number(input, 1) & (i == 6 || i == 7 || i > 12 ? 0xFF : 0));
    out(0x514, 4, 0);
    out(0x518, 4, __builtin_bswap32(TABLE + 0x4000));
}

static void set_any_config(FuzzInput *input) {
    uint32_t place = (uint32_t)(fuzz_number(input, 1) % 4) << 11 |
                     (uint32_t)(fuzz_number(input, 1) % 4) << 8 | (uint32_t)fuzz_number(input, 1);
    set_config(place, 1u << (place % 4 == 0 ? fuzz_number(input, 1) % 3 : 0),
               (uint32_t)fuzz_number(input, 4));
    if (fuzz_number(input, 1) & 1)
        enable_ports();
}

static void act(FuzzInput *input) {
    Machine *machine = fixture.machine;
    static void (*const gives[])(FuzzInput * input) = {
        give_ide,    give_ide,      give_ide,   move_ide_data,      move_ide_data, give_floppy,
        give_floppy, access_memory, give_smbus, give_firmware_port, set_any_config};
    unsigned kind = (unsigned)fuzz_number(input, 1);
    switch (kind % 8) {
    case 0:
        fuzz_clock_run(&machine->clock, kind >> 3, FUZZ_DEVICES_NO_END);
        break;
    case 1:
        if (kind >> 3 < 30)
            access_port(input, true);
        else if (kind >> 3 == 30)
            fuzz_list_check_state(&machine->devices, &machine->clock, fixture.damaged);
        break;
    case 2:
        access_port(input, kind & 8);
        break;
    case 3:
        if (kind >> 3 != 0)
            break;
        fixture.damaged = true;
        fuzz_list_damage_state(&machine->devices, &machine->clock, input);
        break;
    default:
        gives[(kind >> 2) % (sizeof(gives) / sizeof(gives[0]))](input);
    }
}

int fuzz_one(const uint8_t *data, size_t size) {
    FuzzInput input = {data, size, 0};
    if (fixture.machine == NULL)
        set_up();
    begin();
    for (unsigned i = 0; i < ACTIONS_MAX && input.position < input.size; i++)
        act(&input);
    fuzz_clock_run(&fixture.machine->clock, EVENTS_MAX, FUZZ_DEVICES_NO_END);
    return 0;
}
