/* Host bridge, ISA bridge and power management, together on their bus. */
#include "a20_gate.h"
#include "chip_fixture.h"
#include "debug_console.h"
#include "i440fx.h"
#include "irq_lines.h"
#include "isa_debug_exit.h"
#include "piix3.h"
#include "piix4_pm.h"
#include "port92.h"
#include <string.h>

enum { BIOS_SIZE = 0x40000, PM_BASE = 0xB000 };

static ChipFixture *fixture;
static PciBus *bus;
static I440fx *host_bridge;
static Piix3 *isa_bridge;
static Piix4Pm *pm;
static IrqLines *lines;
static Probe irqs[16], reset, sci, smi;
static int power_offs, suspensions, wakes;
static _Alignas(4096) uint8_t bios[BIOS_SIZE];

static void power_off(void *opaque) {
    (*(int *)opaque)++;
}

static void suspend(void *opaque) {
    (void)opaque;
    suspensions++;
}

static void wake(void *opaque) {
    (void)opaque;
    wakes++;
}

static void setup(void) {
    Wire outputs[16], inputs[16];
    fixture = chip_fixture_create();
    memset(irqs, 0, sizeof irqs);
    reset = sci = smi = (Probe){0};
    power_offs = suspensions = wakes = 0;
    memset(bios, 0x11, BIOS_SIZE - 0x20000);
    memset(bios + BIOS_SIZE - 0x20000, 0xEE, 0x10000);
    memset(bios + BIOS_SIZE - 0x10000, 0xF5, 0x10000);
    for (int i = 0; i < 16; i++)
        outputs[i] = probe_wire(&irqs[i]);
    lines = irq_lines_create(&fixture->context, outputs);
    for (unsigned i = 0; i < 16; i++)
        inputs[i] = irq_lines_input(lines, 1, i);
    Wire reset_wire = probe_wire(&reset);
    bus = pci_bus_create(&fixture->context, NULL);
    host_bridge = i440fx_create(&fixture->context, bus, bios, sizeof bios, NULL);
    isa_bridge = piix3_create(&fixture->context, bus, inputs, &reset_wire, NULL);
    Piix4PmOptions options = {.sci = probe_wire(&sci),
                              .smi = probe_wire(&smi),
                              .power_off = power_off,
                              .power_off_opaque = &power_offs,
                              .suspend = suspend,
                              .wake = wake};
    pm = piix4_pm_create(&fixture->context, bus, &options, NULL);
    ck_assert(bus != NULL && host_bridge != NULL && isa_bridge != NULL && pm != NULL);
}

static void teardown(void) {
    piix4_pm_destroy(pm);
    piix3_destroy(isa_bridge);
    i440fx_destroy(host_bridge);
    pci_bus_destroy(bus);
    irq_lines_destroy(lines);
    chip_fixture_destroy(fixture);
}

static void config_write(unsigned slot, unsigned function, unsigned offset, unsigned size,
                         uint32_t value) {
    pci_device_config_write(pci_bus_device(bus, slot, function), offset, size, value);
}

static uint32_t config_read(unsigned slot, unsigned function, unsigned offset, unsigned size) {
    return pci_device_config_read(pci_bus_device(bus, slot, function), offset, size);
}

static uint8_t peek(uint32_t address) {
    return (uint8_t)physical_read(fixture->context.memory, address, 1);
}

static void poke(uint32_t address, uint8_t value) {
    physical_write(fixture->context.memory, address, 1, value);
}

/* --- host bridge --- */

START_TEST(identities) {
    ck_assert_uint_eq(config_read(0, 0, 0, 4), 0x12378086);
    ck_assert_uint_eq(config_read(1, 0, 0, 4), 0x70008086);
    ck_assert_uint_eq(config_read(1, 3, 0, 4), 0x71138086);
    ck_assert_uint_eq(config_read(1, 0, 0x0E, 1), 0x80);
    ck_assert_uint_eq(config_read(1, 3, 0x5B, 1), 0x00); /* APMC_EN: firmware has to set up SMM */
}
END_TEST

START_TEST(firmware_shows_below_1_mb) {
    ck_assert_uint_eq(peek(0xF0000), 0xF5);
    ck_assert_uint_eq(peek(0xE0000), 0xEE);
    ck_assert_uint_eq(peek(0xDFFFF), 0xFF);
    ck_assert_uint_eq(peek(0xC0000), 0xFF);
    poke(0xF0000, 0x00);
    ck_assert_uint_eq(peek(0xF0000), 0xF5);
    ck_assert_uint_eq(peek(0xA0000), 0xFF); /* the display's */
}
END_TEST

START_TEST(pam_routes_loads_and_stores_apart) {
    config_write(0, 0, 0x59, 1, 0x20); /* stores to RAM, loads from ROM */
    poke(0xF0123, 0x77);
    ck_assert_uint_eq(peek(0xF0123), 0xF5);
    config_write(0, 0, 0x59, 1, 0x10); /* loads from RAM, stores go nowhere */
    ck_assert_uint_eq(peek(0xF0123), 0x77);
    poke(0xF0123, 0x88);
    ck_assert_uint_eq(peek(0xF0123), 0x77);
    config_write(0, 0, 0x59, 1, 0x30);
    poke(0xF0123, 0x88);
    ck_assert_uint_eq(peek(0xF0123), 0x88);
    ck_assert_uint_eq(bios[BIOS_SIZE - 0x10000 + 0x123], 0xF5);
    ck_assert_uint_eq(peek(0xEFFFF), 0xEE);
}
END_TEST

START_TEST(each_pam_nibble_has_its_area) {
    static const struct {
        uint32_t base;
        uint8_t offset, value;
    } areas[] = {
        {0xC0000, 0x5A, 0x03}, {0xC4000, 0x5A, 0x30}, {0xC8000, 0x5B, 0x03}, {0xCC000, 0x5B, 0x30},
        {0xD0000, 0x5C, 0x03}, {0xD4000, 0x5C, 0x30}, {0xD8000, 0x5D, 0x03}, {0xDC000, 0x5D, 0x30},
        {0xE0000, 0x5E, 0x03}, {0xE4000, 0x5E, 0x30}, {0xE8000, 0x5F, 0x03}, {0xEC000, 0x5F, 0x30},
    };
    for (unsigned i = 0; i < sizeof areas / sizeof areas[0]; i++) {
        config_write(0, 0, areas[i].offset, 1, areas[i].value);
        for (uint32_t address = 0xC0000; address < 0x100000; address += 0x2000) {
            uint8_t before = peek(address);
            poke(address, 0x42);
            bool inside = address >= areas[i].base && address < areas[i].base + 0x4000;
            ck_assert_uint_eq(peek(address), inside ? 0x42 : before);
            poke(address, before);
        }
        config_write(0, 0, areas[i].offset, 1, 0);
    }
}
END_TEST

START_TEST(smram_opens_and_locks) {
    config_write(0, 0, 0x72, 1, 0x4A);
    poke(0xA0000, 0x33);
    ck_assert_uint_eq(peek(0xA0000), 0x33);
    config_write(0, 0, 0x72, 1, 0x0A);
    ck_assert_uint_eq(peek(0xA0000), 0xFF);
    config_write(0, 0, 0x72, 1, 0x5A); /* the lock closes it for good */
    ck_assert_uint_eq(peek(0xA0000), 0xFF);
    config_write(0, 0, 0x72, 1, 0x4A);
    ck_assert_uint_eq(peek(0xA0000), 0xFF);
    device_list_reset(&fixture->devices);
    config_write(0, 0, 0x72, 1, 0x4A);
    ck_assert_uint_eq(peek(0xA0000), 0x33);
}
END_TEST

/* What lies over the display's memory goes and comes as it was. */
START_TEST(smram_is_seen_in_system_management_mode) {
    uint8_t *ram = physical_map_ram(fixture->context.memory);
    ram[0xA0000] = 0x33;
    i440fx_set_smiact(host_bridge, 0, 1);
    ck_assert_uint_eq(peek(0xA0000), 0xFF); /* not enabled */
    config_write(0, 0, 0x72, 1, 0x0A);
    ck_assert_uint_eq(peek(0xA0000), 0x33);
    poke(0xBFFFF, 0x44);
    i440fx_set_smiact(host_bridge, 0, 0);
    ck_assert_uint_eq(peek(0xA0000), 0xFF);
    ck_assert_uint_eq(peek(0xBFFFF), 0xFF);
    ck_assert_uint_eq(ram[0xBFFFF], 0x44);
    config_write(0, 0, 0x72, 1, 0x1A); /* locked: as before within, closed without */
    i440fx_set_smiact(host_bridge, 0, 1);
    ck_assert_uint_eq(peek(0xA0000), 0x33);
    i440fx_set_smiact(host_bridge, 0, 0);
    ck_assert_uint_eq(peek(0xA0000), 0xFF);
}
END_TEST

START_TEST(firmware_size_is_checked) {
    Error error = {0};
    ck_assert_ptr_null(i440fx_create(&fixture->context, bus, bios, 1000, &error));
    ck_assert(error.set);
    ck_assert_ptr_null(i440fx_create(&fixture->context, bus, bios, 0, NULL));
}
END_TEST

/* --- ISA bridge --- */

static PciDevice *add_card(unsigned slot) {
    PciDeviceInfo info = {.name = "card", .vendor_id = 1, .device_id = 1, .interrupt_pin = 1};
    return pci_device_add(bus, slot, 0, &info, NULL);
}

START_TEST(pirqs_are_routed) {
    PciDevice *card = add_card(3); /* PIRQC */
    pci_device_set_pin(card, 0, 1);
    for (int i = 0; i < 16; i++)
        ck_assert_int_eq(irqs[i].rises, 0);
    config_write(1, 0, 0x62, 1, 0x0B);
    ck_assert_int_eq(irqs[11].level, 1);
    config_write(1, 0, 0x62, 1, 0x0A);
    ck_assert_int_eq(irqs[11].level, 0);
    ck_assert_int_eq(irqs[10].level, 1);
    PciDevice *sharing = add_card(4); /* PIRQD, to the same line */
    config_write(1, 0, 0x63, 1, 0x0A);
    pci_device_set_pin(sharing, 0, 1);
    pci_device_set_pin(card, 0, 0);
    ck_assert_int_eq(irqs[10].level, 1);
    ck_assert_int_eq(irqs[10].rises, 1);
    config_write(1, 0, 0x63, 1, 0x02); /* lines 0, 1, 2, 8 and 13 cannot be routed to */
    ck_assert_int_eq(irqs[10].level, 0);
    ck_assert_int_eq(irqs[2].level, 0);
}
END_TEST

START_TEST(irq_lines_are_shared) {
    Wire isa = irq_lines_input(lines, 0, 9), pci = irq_lines_input(lines, 1, 9);
    wire_set(&isa, 1);
    wire_set(&pci, 1);
    wire_set(&isa, 0);
    ck_assert_int_eq(irqs[9].level, 1);
    wire_set(&pci, 0);
    ck_assert_int_eq(irqs[9].level, 0);
}
END_TEST

START_TEST(reset_control) {
    port_out(fixture, 0xCF9, 0x02);
    ck_assert_int_eq(reset.rises, 0);
    ck_assert_uint_eq(port_in(fixture, 0xCF9), 0x02);
    port_out(fixture, 0xCF9, 0x06);
    ck_assert_int_eq(reset.rises, 1);
    port_out(fixture, 0xCF9, 0x06);
    ck_assert_int_eq(reset.rises, 1);
    port_map_write(fixture->context.ports, 0xCF8, 4, 0x80000000);
    port_map_write(fixture->context.ports, 0xCF8, 4,
                   0x80000400); /* the address register, not the reset */
    ck_assert_int_eq(reset.rises, 1);
}
END_TEST

/* --- power management --- */

static uint32_t pm_in(unsigned offset, unsigned size) {
    return port_map_read(fixture->context.ports, (uint16_t)(PM_BASE + offset), size);
}

static void pm_out(unsigned offset, unsigned size, uint32_t value) {
    port_map_write(fixture->context.ports, (uint16_t)(PM_BASE + offset), size, value);
}

static void enable_pm(void) {
    config_write(1, 3, 0x40, 4, PM_BASE | 1);
    config_write(1, 3, 0x80, 1, 1);
}

START_TEST(pm_ports_move) {
    ck_assert_uint_eq(pm_in(0, 4), 0xFFFFFFFF);
    enable_pm();
    ck_assert_uint_eq(pm_in(0, 4), 0);
    config_write(1, 3, 0x40, 4, 0xC001);
    ck_assert_uint_eq(pm_in(0, 4), 0xFFFFFFFF);
    ck_assert_uint_eq(port_map_read(fixture->context.ports, 0xC000, 4), 0);
    config_write(1, 3, 0x40, 4, 0x0CC1); /* over the PCI ports: stays away */
    ck_assert_uint_eq(port_map_read(fixture->context.ports, 0xC000, 4), 0xFFFFFFFF);
    config_write(1, 3, 0x80, 1, 0);
}
END_TEST

START_TEST(pm_timer_counts) {
    enable_pm();
    chip_fixture_run_to(fixture, NS_PER_SECOND);
    ck_assert_uint_eq(pm_in(8, 4), PIIX4_PM_TIMER_HZ);
    chip_fixture_run_to(fixture, 10 * NS_PER_SECOND);
    ck_assert_uint_eq(pm_in(8, 4), (10ULL * PIIX4_PM_TIMER_HZ) & 0xFFFFFF);
}
END_TEST

/* A host's clock goes on while a register is put together. */
static int64_t restless_clock(void *opaque) {
    return *(int64_t *)opaque += 1700;
}

START_TEST(pm_timer_is_read_in_one_piece) {
    int64_t now = 0;
    uint32_t last = 0;
    enable_pm();
    fixture->clock.source = restless_clock;
    fixture->clock.source_opaque = &now;
    for (int i = 0; i < 20000; i++) {
        uint32_t value = pm_in(8, 4);
        ck_assert_uint_ge(value, last);
        last = value;
    }
}
END_TEST

START_TEST(pm_timer_interrupts) {
    enable_pm();
    port_out(fixture, 0xB2, 0xF1); /* ACPI on */
    ck_assert_uint_eq(pm_in(4, 2) & 1, 1);
    pm_out(2, 2, 0x0001);
    chip_fixture_run_to(fixture, 2300000000LL);
    ck_assert_int_eq(sci.level, 0);
    chip_fixture_run_to(fixture, 2350000000LL); /* 2^23 ticks: 2.343 s */
    ck_assert_int_eq(sci.level, 1);
    ck_assert_uint_eq(pm_in(0, 2), 0x0001);
    pm_out(0, 2, 0x0001);
    ck_assert_int_eq(sci.level, 0);
    chip_fixture_run_to(fixture, 4700000000LL);
    ck_assert_int_eq(sci.rises, 2);
    port_out(fixture, 0xB2, 0xF0);
    ck_assert_int_eq(sci.level, 0);
}
END_TEST

START_TEST(apm_writes_are_smis) {
    enable_pm();
    port_out(fixture, 0xB2, 0x55);
    ck_assert_int_eq(smi.rises, 0);
    config_write(1, 3, 0x58, 4, 1u << 25);
    port_out(fixture, 0xB3, 0x66);
    ck_assert_int_eq(smi.rises, 0);
    port_out(fixture, 0xB2, 0x55);
    ck_assert_int_eq(smi.rises, 1);
    ck_assert_uint_eq(port_in(fixture, 0xB3), 0x66);
    ck_assert_uint_eq(pm_in(0x18, 2), 0x20);
    pm_out(0x18, 2, 0x20);
    ck_assert_uint_eq(pm_in(0x18, 2), 0);
    port_out(fixture, 0xB2, 0x56);
    ck_assert_int_eq(smi.rises, 2);
}
END_TEST

START_TEST(suspend_to_ram_and_what_wakes) {
    enable_pm();
    piix4_pm_wake(pm);
    ck_assert_int_eq(wakes, 0);
    pm_out(4, 2, 0x2400); /* SLP_EN, S3 */
    ck_assert(piix4_pm_is_asleep(pm));
    ck_assert_int_eq(suspensions, 1);
    ck_assert_int_eq(power_offs, 0);
    piix4_pm_clock_alarm(pm);
    ck_assert_int_eq(wakes, 0); /* not enabled */
    pm_out(0, 2, 0x0400);
    pm_out(2, 2, 0x0400);
    piix4_pm_clock_alarm(pm);
    ck_assert_int_eq(wakes, 1);
    uint16_t cause = piix4_pm_wake_cause(pm);
    device_list_reset(&fixture->devices);
    ck_assert(!piix4_pm_is_asleep(pm));
    piix4_pm_woken(pm, cause);
    enable_pm();
    ck_assert_uint_eq(pm_in(0, 2), 0x8400); /* woken, by the clock */
    pm_out(0, 2, 0x8400);
    pm_out(4, 2, 0x2400);
    piix4_pm_press_power_button(pm);
    ck_assert_int_eq(wakes, 2);
    ck_assert_uint_eq(piix4_pm_wake_cause(pm), 0x0100);
}
END_TEST

/* Every change of bit 23 is an interrupt, however time passes meanwhile. */
START_TEST(pm_timer_loses_no_change) {
    int64_t now = 0;
    enable_pm();
    port_out(fixture, 0xB2, 0xF1);
    pm_out(2, 2, 0x0001);
    fixture->clock.source = restless_clock;
    fixture->clock.source_opaque = &now;
    for (int64_t change = 1; change < 300; change++) {
        now = clock_scale(change << 23, NS_PER_SECOND, PIIX4_PM_TIMER_HZ) - change * 70;
        pm_out(2, 2, 0x0001); /* at the very time of the change, or just before */
        for (int i = 0; i < 40; i++)
            clock_run_due(&fixture->clock);
        ck_assert_msg(sci.level == 1, "change %d was lost", (int)change);
        pm_out(0, 2, 0x0001);
        ck_assert_int_eq(sci.level, 0);
    }
}
END_TEST

START_TEST(power_button_asks) {
    enable_pm();
    piix4_pm_press_power_button(pm);
    ck_assert_int_eq(sci.level, 0);
    ck_assert_uint_eq(pm_in(0, 2), 0x0100);
    port_out(fixture, 0xB2, 0xF1);
    pm_out(2, 2, 0x0100);
    ck_assert_int_eq(sci.level, 1);
    pm_out(0, 2, 0x0100);
    ck_assert_int_eq(sci.level, 0);
    pm_out(2, 2, 0x0200);
    piix4_pm_press_sleep_button(pm);
    ck_assert_uint_eq(pm_in(0, 2), 0x0200);
    ck_assert_int_eq(sci.level, 1);
    pm_out(0, 2, 0x0200);
    ck_assert_int_eq(sci.level, 0);
}
END_TEST

START_TEST(general_purpose_events) {
    port_out(fixture, 0xB2, 0xF1);
    port_out(fixture, 0xAFE2, 0x02);
    piix4_pm_raise_event(pm, 0x0002);
    ck_assert_int_eq(sci.level, 1);
    ck_assert_uint_eq(port_in(fixture, 0xAFE0), 0x02);
    port_out(fixture, 0xAFE0, 0x02);
    ck_assert_int_eq(sci.level, 0);
}
END_TEST

START_TEST(soft_off) {
    enable_pm();
    pm_out(4, 2, 0x2000 | 3 << 10); /* a lighter sleep ends at once */
    ck_assert_int_eq(power_offs, 0);
    ck_assert_uint_eq(pm_in(0, 2), 0x8000);
    pm_out(4, 2, 0x2000);
    ck_assert_int_eq(power_offs, 1);
    pm_out(5, 1, 0x20); /* by its high byte alone */
    ck_assert_int_eq(power_offs, 2);
    ck_assert_uint_eq(pm_in(4, 2) & 0x2000, 0);
}
END_TEST

START_TEST(smbus_is_empty) {
    config_write(1, 3, 0x90, 4, 0xB101);
    config_write(1, 3, 0xD2, 1, 0x09);
    ck_assert_uint_eq(port_in(fixture, 0xB100), 0);
    port_out(fixture, 0xB104, 0xA1);
    port_out(fixture, 0xB102, 0x48);
    ck_assert_uint_eq(port_in(fixture, 0xB100), 0x04);
    port_out(fixture, 0xB100, 0x04);
    ck_assert_uint_eq(port_in(fixture, 0xB100), 0);
    ck_assert_uint_eq(port_in(fixture, 0xB104), 0xA1);
}
END_TEST

/* --- small ports --- */

START_TEST(port_92) {
    A20Gate *gate = a20_gate_create(&fixture->context);
    Wire a20 = {a20_gate_set_pin, gate, 0}, reset_wire = probe_wire(&reset);
    Port92 *port = port92_create(&fixture->context, &a20, &reset_wire, NULL);
    ck_assert_uint_eq(port_in(fixture, 0x92), 0x02);
    port_out(fixture, 0x92, 0x00);
    ck_assert(!physical_map_a20(fixture->context.memory));
    ck_assert_uint_eq(port_in(fixture, 0x92), 0x00);
    a20_gate_set_pin(gate, 0, 1); /* the keyboard controller opens it: both agree */
    ck_assert_uint_eq(port_in(fixture, 0x92), 0x02);
    port_out(fixture, 0x92, 0x03);
    port_out(fixture, 0x92, 0x03);
    ck_assert_int_eq(reset.rises, 1);
    port_out(fixture, 0x92, 0x00);
    Snapshot snapshot;
    snapshot_take(fixture, &snapshot);
    device_list_reset(&fixture->devices);
    ck_assert(physical_map_a20(fixture->context.memory));
    snapshot_restore(fixture, &snapshot);
    ck_assert(!physical_map_a20(fixture->context.memory));
    snapshot_free(&snapshot);
    port92_destroy(port);
    a20_gate_destroy(gate);
}
END_TEST

static void note_status(void *opaque, int status) {
    *(int *)opaque = status;
}

START_TEST(debug_ports) {
    Sink sink = {0};
    int status = -1;
    DebugConsole *console = debug_console_create(&fixture->context, 0x402, sink_write, &sink, NULL);
    IsaDebugExit *leave =
        isa_debug_exit_create(&fixture->context, 0x501, 2, note_status, &status, NULL);
    Error error = {0};
    ck_assert_uint_eq(port_in(fixture, 0x402), 0xE9);
    port_out(fixture, 0x402, 'x');
    ck_assert_uint_eq(sink.count, 1);
    ck_assert_uint_eq(sink.bytes[0], 'x');
    port_out(fixture, 0x501, 3);
    ck_assert_int_eq(status, 7);
    ck_assert_ptr_null(debug_console_create(&fixture->context, 0x402, NULL, NULL, &error));
    ck_assert(error.set);
    ck_assert_ptr_null(
        isa_debug_exit_create(&fixture->context, 0x502, 1, note_status, &status, NULL));
    debug_console_destroy(console);
    isa_debug_exit_destroy(leave);
}
END_TEST

/* --- all --- */

static void change(ChipFixture *board) {
    config_write(0, 0, 0x59, 1, 0x10);
    config_write(1, 0, 0x60, 1, 0x0B);
    port_out(board, 0xCF9, 0x02);
    port_out(board, 0xB2, 0xF1);
    chip_fixture_run(board, 123456789);
    pm_out(0, 2, 0xFFFF);
    piix4_pm_press_power_button(pm);
}

START_TEST(saves_and_restores) {
    enable_pm();
    config_write(0, 0, 0x59, 1, 0x30);
    poke(0xF0000, 0x99);
    check_devices_save_and_restore(fixture, change);
    Snapshot snapshot;
    snapshot_take(fixture, &snapshot);
    device_list_reset(&fixture->devices);
    ck_assert_uint_eq(peek(0xF0000), 0xF5);
    ck_assert_uint_eq(pm_in(8, 4), 0xFFFFFFFF);
    snapshot_restore(fixture, &snapshot);
    ck_assert_uint_eq(peek(0xF0000), 0x99);
    ck_assert_uint_ne(pm_in(8, 4), 0xFFFFFFFF);
    snapshot_free(&snapshot);
}
END_TEST

START_TEST(survives_random_accesses) {
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        unsigned random = (unsigned)(seed >> 32);
        static const unsigned places[][2] = {{0, 0}, {1, 0}, {1, 3}};
        config_write(places[random % 3][0], places[random % 3][1], random >> 4 & 0xFC, 4,
                     (uint32_t)(seed >> 20));
    }
    enable_pm();
    check_survives_random_accesses(fixture, PM_BASE, 64, 5000);
    check_survives_random_accesses(fixture, 0xB2, 2, 1000);
    check_survives_random_accesses(fixture, 0xAFE0, 4, 1000);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, identities);
    tcase_add_test(tests, firmware_shows_below_1_mb);
    tcase_add_test(tests, pam_routes_loads_and_stores_apart);
    tcase_add_test(tests, each_pam_nibble_has_its_area);
    tcase_add_test(tests, smram_opens_and_locks);
    tcase_add_test(tests, smram_is_seen_in_system_management_mode);
    tcase_add_test(tests, apm_writes_are_smis);
    tcase_add_test(tests, suspend_to_ram_and_what_wakes);
    tcase_add_test(tests, firmware_size_is_checked);
    tcase_add_test(tests, pirqs_are_routed);
    tcase_add_test(tests, irq_lines_are_shared);
    tcase_add_test(tests, reset_control);
    tcase_add_test(tests, pm_ports_move);
    tcase_add_test(tests, pm_timer_counts);
    tcase_add_test(tests, pm_timer_is_read_in_one_piece);
    tcase_add_test(tests, pm_timer_interrupts);
    tcase_add_test(tests, pm_timer_loses_no_change);
    tcase_add_test(tests, power_button_asks);
    tcase_add_test(tests, general_purpose_events);
    tcase_add_test(tests, soft_off);
    tcase_add_test(tests, smbus_is_empty);
    tcase_add_test(tests, port_92);
    tcase_add_test(tests, debug_ports);
    tcase_add_test(tests, saves_and_restores);
    tcase_add_test(tests, survives_random_accesses);
}

int main(void) {
    return run_suite("chipset", add);
}
