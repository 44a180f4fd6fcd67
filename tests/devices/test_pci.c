#include "chip_fixture.h"
#include "pci.h"
#include <string.h>

enum { ADDRESS = 0xCF8, DATA = 0xCFC };

/* A card with an I/O BAR, a memory BAR, a ROM and an interrupt pin. */
typedef struct Card {
    PciDevice *device;
    PortMap *ports;
    PhysicalMap *memory;
    int maps, unmaps, writes;
} Card;

static ChipFixture *fixture;
static PciBus *bus;
static Card card, other;
static Probe pirqs[PCI_PIRQS];
static uint8_t rom[6000];

static uint32_t card_read(void *opaque, uint32_t offset, unsigned size) {
    (void)opaque, (void)size;
    return 0xC0 + offset;
}

static void card_map(void *opaque, unsigned bar, uint32_t base) {
    Card *self = opaque;
    self->maps++;
    if (bar == 0) {
        PortRange range = {"card", (uint16_t)base, 16, PORT_8, card_read, NULL, self};
        port_map_add(self->ports, &range, NULL);
    } else {
        MmioRange range = {"card", base, 0x10000, card_read, NULL, self, false};
        physical_map_add_mmio(self->memory, &range, NULL);
    }
}

static void card_unmap(void *opaque, unsigned bar, uint32_t base) {
    Card *self = opaque;
    self->unmaps++;
    if (bar == 0)
        port_map_remove(self->ports, (uint16_t)base, self);
    else
        physical_map_remove_mmio(self->memory, base, self);
}

static uint8_t card_config_read(void *opaque, unsigned offset, uint8_t stored) {
    (void)opaque;
    return offset == 0x50 ? 0x99 : stored;
}

static void card_config_written(void *opaque, unsigned offset, unsigned size) {
    Card *self = opaque;
    (void)offset, (void)size;
    self->writes++;
}

static const PciRegister card_registers[] = {
    {0x40, 4, 0x11223344, 0x0000FFFF, 0},
    {0x44, 1, 0xFF, 0x00, 0x0F},
    {0},
};

static PciDeviceInfo card_info(Card *self, uint8_t pin) {
    self->ports = fixture->context.ports;
    self->memory = fixture->context.memory;
    return (PciDeviceInfo){
        .name = "card",
        .vendor_id = 0x1234,
        .device_id = 0x5678,
        .class_code = 0x020300,
        .revision = 7,
        .interrupt_pin = pin,
        .bars = {{.type = PCI_BAR_IO, 16}, {.type = PCI_BAR_MEMORY_PREFETCHABLE, 0x10000}},
        .rom = rom,
        .rom_size = sizeof rom,
        .registers = card_registers,
        .opaque = self,
        .map = card_map,
        .unmap = card_unmap,
        .config_read = card_config_read,
        .config_written = card_config_written,
    };
}

static void setup(void) {
    fixture = chip_fixture_create();
    bus = pci_bus_create(&fixture->context, NULL);
    memset(&card, 0, sizeof card);
    memset(&other, 0, sizeof other);
    memset(pirqs, 0, sizeof pirqs);
    memset(rom, 0x5A, sizeof rom);
    Wire wires[PCI_PIRQS];
    for (int i = 0; i < PCI_PIRQS; i++)
        wires[i] = probe_wire(&pirqs[i]);
    pci_bus_set_pirq_wires(bus, wires);
    PciDeviceInfo info = card_info(&card, 1);
    card.device = pci_device_add(bus, 3, 0, &info, NULL);
    ck_assert_ptr_nonnull(card.device);
}

static void teardown(void) {
    pci_bus_destroy(bus);
    chip_fixture_destroy(fixture);
}

static void select_register(unsigned slot, unsigned function, unsigned offset) {
    port_map_write(fixture->context.ports, ADDRESS, 4,
                   0x80000000u | slot << 11 | function << 8 | (offset & 0xFC));
}

static uint32_t config_read(unsigned slot, unsigned offset, unsigned size) {
    select_register(slot, 0, offset);
    return port_map_read(fixture->context.ports, (uint16_t)(DATA + (offset & 3)), size);
}

static void config_write(unsigned slot, unsigned offset, unsigned size, uint32_t value) {
    select_register(slot, 0, offset);
    port_map_write(fixture->context.ports, (uint16_t)(DATA + (offset & 3)), size, value);
}

START_TEST(header_is_found) {
    ck_assert_uint_eq(config_read(3, 0, 4), 0x56781234);
    ck_assert_uint_eq(config_read(3, 2, 2), 0x5678);
    ck_assert_uint_eq(config_read(3, 8, 4), 0x02030007);
    ck_assert_uint_eq(config_read(3, 0x3D, 1), 1);
    ck_assert_uint_eq(config_read(4, 0, 4), 0xFFFFFFFF);
    ck_assert_uint_eq(config_read(3, 0x50, 1), 0x99);
    port_map_write(fixture->context.ports, ADDRESS, 4, 0x80010000 | 3 << 11); /* bus 1 */
    ck_assert_uint_eq(port_map_read(fixture->context.ports, DATA, 4), 0xFFFFFFFF);
    port_map_write(fixture->context.ports, ADDRESS, 4, 3 << 11); /* not enabled */
    ck_assert_uint_eq(port_map_read(fixture->context.ports, DATA, 4), 0xFFFFFFFF);
}
END_TEST

START_TEST(only_doublewords_set_the_address) {
    select_register(3, 0, 0);
    port_out(fixture, ADDRESS, 0x04);
    port_map_write(fixture->context.ports, ADDRESS + 2, 2, 0);
    ck_assert_uint_eq(port_map_read(fixture->context.ports, DATA, 4), 0x56781234);
    ck_assert_uint_eq(port_map_read(fixture->context.ports, ADDRESS, 4), 0x80001800);
}
END_TEST

START_TEST(masks_hold) {
    config_write(3, 0, 4, 0);
    ck_assert_uint_eq(config_read(3, 0, 4), 0x56781234);
    config_write(3, 0x40, 4, 0xAABBCCDD);
    ck_assert_uint_eq(config_read(3, 0x40, 4), 0x1122CCDD);
    config_write(3, 0x44, 1, 0x3A);
    ck_assert_uint_eq(config_read(3, 0x44, 1), 0xF5);
    config_write(3, 0x3C, 1, 11);
    ck_assert_uint_eq(config_read(3, 0x3C, 1), 11);
    ck_assert_int_eq(card.writes, 4);
}
END_TEST

START_TEST(bars_are_sized_and_moved) {
    config_write(3, 0x10, 4, 0xFFFFFFFF);
    ck_assert_uint_eq(config_read(3, 0x10, 4), 0xFFFFFFF1);
    config_write(3, 0x14, 4, 0xFFFFFFFF);
    ck_assert_uint_eq(config_read(3, 0x14, 4), 0xFFFF0008);
    config_write(3, 0x18, 4, 0xFFFFFFFF);
    ck_assert_uint_eq(config_read(3, 0x18, 4), 0);
    ck_assert_int_eq(card.maps, 0);
    config_write(3, 0x10, 4, 0xC000);
    config_write(3, 0x14, 4, 0xE0000000);
    config_write(3, 0x04, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    ck_assert_int_eq(card.maps, 2);
    ck_assert_uint_eq(port_in(fixture, 0xC005), 0xC5);
    ck_assert_uint_eq(physical_read(fixture->context.memory, 0xE0000003, 1), 0xC3);
    config_write(3, 0x10, 4, 0xD000);
    ck_assert_uint_eq(port_in(fixture, 0xC005), 0xFF);
    ck_assert_uint_eq(port_in(fixture, 0xD005), 0xC5);
    config_write(3, 0x04, 2, 0);
    ck_assert_uint_eq(port_in(fixture, 0xD005), 0xFF);
    ck_assert_uint_eq(physical_read(fixture->context.memory, 0xE0000003, 1), 0xFF);
    ck_assert_int_eq(card.maps, card.unmaps);
}
END_TEST

static uint32_t read_offset(void *opaque, uint32_t offset, unsigned size) {
    (void)opaque;
    return (0xC0 + offset) | size << 8;
}

static void keep_written(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    *(uint32_t *)opaque = offset << 24 | size << 16 | value;
}

/* The bus maps what the description says; where somebody else has the ports, nothing, and nothing
 * of that one is taken away. */
START_TEST(registers_are_mapped_by_the_bus) {
    uint32_t written = 0;
    PortMap *ports = fixture->context.ports;
    const PciDeviceInfo info = {
        .name = "chip",
        .bars = {{.type = PCI_BAR_IO, 16, read_offset, keep_written, PORT_8},
                 {.type = PCI_BAR_MEMORY, 0x1000, read_offset, keep_written, 0},
                 {.type = PCI_BAR_IO, 16, read_offset, keep_written, 0}},
        .opaque = &written,
    };
    ck_assert_ptr_nonnull(pci_device_add(bus, 9, 0, &info, NULL));
    config_write(9, 0x10, 4, 0xC000);
    config_write(9, 0x14, 4, 0xE0000000);
    config_write(9, 0x18, 4, 0xD000);
    config_write(9, 0x04, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    ck_assert_uint_eq(port_map_read(ports, 0xC004, 2), 0xC5C4); /* byte by byte */
    ck_assert_uint_eq(port_map_read(ports, 0xD004, 2), 0x02C4);
    ck_assert_uint_eq(physical_read(fixture->context.memory, 0xE0000008, 4), 0x04C8);
    physical_write(fixture->context.memory, 0xE0000008, 2, 0x77);
    ck_assert_uint_eq(written, 0x08020077);

    const PortRange taken = {"taken", 0xE000, 16, PORT_8, read_offset, NULL, fixture};
    ck_assert(port_map_add(ports, &taken, NULL));
    config_write(9, 0x10, 4, 0xE000);
    ck_assert_uint_eq(port_map_read(ports, 0xC004, 1), 0xFF);
    port_map_write(ports, 0xE001, 1, 5);
    ck_assert_uint_eq(written, 0x08020077);
    config_write(9, 0x04, 2, 0);
    ck_assert_uint_eq(port_map_read(ports, 0xE001, 1), 0xC1);
    ck_assert_uint_eq(port_map_read(ports, 0xD004, 1), 0xFF);
    ck_assert_uint_eq(physical_read(fixture->context.memory, 0xE0000008, 1), 0xFF);
}
END_TEST

START_TEST(bars_never_cover_ram_or_firmware) {
    static const uint32_t bad[] = {0,          0xA0000,    0xF0000,   0x100000,
                                   0xFEC00000, 0xFEE00000, 0xFFFF0000};
    config_write(3, 0x04, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        config_write(3, 0x14, 4, bad[i]);
    config_write(3, 0x10, 4, 0xFFFFFFFF);
    config_write(3, 0x10, 4, 0x10000);
    ck_assert_int_eq(card.maps, 0);
    config_write(3, 0x14, 4, 0x200000); /* just above memory */
    ck_assert_int_eq(card.maps, 1);
}
END_TEST

START_TEST(rom_shows_when_enabled) {
    config_write(3, 0x30, 4, 0xFFFFFFFE);
    ck_assert_uint_eq(config_read(3, 0x30, 4), 0xFFFFE000); /* 8 KB */
    config_write(3, 0x30, 4, 0xE0100001);
    ck_assert_uint_eq(physical_read(fixture->context.memory, 0xE0100000, 1), 0xFF);
    config_write(3, 0x04, 2, PCI_COMMAND_MEMORY);
    ck_assert_uint_eq(physical_read(fixture->context.memory, 0xE0100000, 4), 0x5A5A5A5A);
    ck_assert_uint_eq(physical_read(fixture->context.memory, 0xE0100000 + sizeof rom, 1), 0xFF);
    physical_write(fixture->context.memory, 0xE0100000, 1, 0);
    ck_assert_uint_eq(physical_read(fixture->context.memory, 0xE0100000, 1), 0x5A);
    config_write(3, 0x30, 4, 0xE0100000);
    ck_assert_uint_eq(physical_read(fixture->context.memory, 0xE0100000, 1), 0xFF);
}
END_TEST

static uint8_t rom_sum(uint32_t base) {
    uint8_t sum = 0;
    for (uint32_t i = 0; i < sizeof rom; i++)
        sum = (uint8_t)(sum + physical_read(fixture->context.memory, base + i, 1));
    return sum;
}

/* A ROM of a family of devices gets the numbers of this one, and keeps the sum of its bytes. */
START_TEST(rom_is_adopted) {
    PciDeviceInfo info = card_info(&other, 1);
    memcpy(rom, "\x55\xAA", 2);
    memcpy(rom + 0x18, "\x40\x00", 2);
    memcpy(rom + 0x40, "PCIR\x11\x22\x33\x44", 8);
    other.device = pci_device_add(bus, 6, 0, &info, NULL);
    config_write(6, 0x30, 4, 0xE0200001);
    config_write(6, 0x04, 2, PCI_COMMAND_MEMORY);
    uint8_t before = rom_sum(0xE0200000);
    pci_device_adopt_rom(other.device);
    ck_assert_uint_eq(physical_read(fixture->context.memory, 0xE0200044, 4), 0x56781234);
    ck_assert_uint_eq(rom_sum(0xE0200000), before);
    pci_device_adopt_rom(card.device); /* which has no header */
}
END_TEST

/* What it points to lies outside. */
START_TEST(rom_with_a_wild_pointer_stays) {
    PciDeviceInfo info = card_info(&other, 1);
    memcpy(rom, "\x55\xAA", 2);
    memcpy(rom + 0x18, "\xFF\xFF", 2);
    other.device = pci_device_add(bus, 6, 0, &info, NULL);
    pci_device_adopt_rom(other.device);
    memcpy(rom + 0x18, "\xEC\x1F", 2); /* 20 bytes before its end */
    info.device_id = 1;
    pci_device_adopt_rom(pci_device_add(bus, 7, 0, &info, NULL));
}
END_TEST

START_TEST(interrupt_pins_are_swizzled_and_shared) {
    PciDeviceInfo info = card_info(&other, 2);
    other.device = pci_device_add(bus, 6, 0, &info, NULL); /* (6 - 1 + 1) mod 4 == (3 - 1) mod 4 */
    pci_device_set_pin(card.device, 0, 1);
    ck_assert_int_eq(pirqs[2].level, 1);
    pci_device_set_pin(other.device, 0, 1);
    pci_device_set_pin(card.device, 0, 0);
    ck_assert_int_eq(pirqs[2].level, 1);
    pci_device_set_pin(other.device, 0, 0);
    ck_assert_int_eq(pirqs[2].level, 0);
    ck_assert_int_eq(pirqs[0].rises + pirqs[1].rises + pirqs[3].rises, 0);
}
END_TEST

START_TEST(functions_announce_themselves) {
    ck_assert_uint_eq(config_read(3, 0x0E, 1), 0x00);
    PciDeviceInfo info = card_info(&other, 0);
    ck_assert_ptr_nonnull(pci_device_add(bus, 3, 2, &info, NULL));
    ck_assert_uint_eq(config_read(3, 0x0E, 1), 0x80);
    Error error = {0};
    ck_assert_ptr_null(pci_device_add(bus, 3, 2, &info, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "3.2"));
    error.set = false;
    ck_assert_ptr_null(pci_device_add(bus, 32, 0, &info, &error));
    ck_assert_ptr_null(pci_device_add(bus, 0, 8, &info, NULL));
}
END_TEST

START_TEST(reset_takes_bars_away) {
    config_write(3, 0x10, 4, 0xC000);
    config_write(3, 0x04, 2, PCI_COMMAND_IO);
    pci_device_set_pin(card.device, 0, 1);
    device_list_reset(&fixture->devices);
    ck_assert_uint_eq(port_in(fixture, 0xC005), 0xFF);
    ck_assert_uint_eq(config_read(3, 0x10, 4), 1);
    ck_assert_int_eq(pirqs[2].level, 0);
}
END_TEST

static void change(ChipFixture *board) {
    (void)board;
    config_write(3, 0x10, 4, 0xD000);
    config_write(3, 0x14, 4, 0xE1000000);
    pci_device_set_pin(card.device, 0, 1);
}

START_TEST(saves_and_restores) {
    config_write(3, 0x10, 4, 0xC000);
    config_write(3, 0x14, 4, 0xE0000000);
    config_write(3, 0x04, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    check_devices_save_and_restore(fixture, change);
    Snapshot snapshot;
    snapshot_take(fixture, &snapshot);
    device_list_reset(&fixture->devices);
    snapshot_restore(fixture, &snapshot);
    ck_assert_uint_eq(port_in(fixture, 0xD005), 0xC5);
    ck_assert_uint_eq(physical_read(fixture->context.memory, 0xE1000003, 1), 0xC3);
    snapshot_free(&snapshot);
}
END_TEST

/* Two cards whose places were exchanged since the snapshot. */
START_TEST(restore_exchanges_places) {
    Snapshot snapshot;
    PciDeviceInfo info = card_info(&other, 1);
    other.device = pci_device_add(bus, 4, 0, &info, NULL);
    config_write(3, 0x10, 4, 0xC000);
    config_write(4, 0x10, 4, 0xD000);
    config_write(3, 0x04, 2, PCI_COMMAND_IO);
    config_write(4, 0x04, 2, PCI_COMMAND_IO);
    snapshot_take(fixture, &snapshot);
    config_write(3, 0x10, 4, 0xB000);
    config_write(4, 0x10, 4, 0xC000);
    config_write(3, 0x10, 4, 0xD000);
    snapshot_restore(fixture, &snapshot);
    ck_assert_uint_eq(port_in(fixture, 0xC001), 0xC1);
    ck_assert_uint_eq(port_in(fixture, 0xD001), 0xC1);
    uint32_t base;
    ck_assert(pci_device_bar_base(card.device, 0, &base));
    ck_assert_uint_eq(base, 0xC000);
    snapshot_free(&snapshot);
}
END_TEST

START_TEST(survives_random_accesses) {
    for (int round = 0; round < 500; round++) {
        select_register(3, 0, (unsigned)round * 4);
        check_survives_random_accesses(fixture, DATA, 4, 40);
    }
    check_survives_random_accesses(fixture, ADDRESS, 8, 20000);
}
END_TEST

static void add(TCase *tests) {
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, header_is_found);
    tcase_add_test(tests, only_doublewords_set_the_address);
    tcase_add_test(tests, masks_hold);
    tcase_add_test(tests, bars_are_sized_and_moved);
    tcase_add_test(tests, registers_are_mapped_by_the_bus);
    tcase_add_test(tests, bars_never_cover_ram_or_firmware);
    tcase_add_test(tests, rom_shows_when_enabled);
    tcase_add_test(tests, rom_is_adopted);
    tcase_add_test(tests, rom_with_a_wild_pointer_stays);
    tcase_add_test(tests, interrupt_pins_are_swizzled_and_shared);
    tcase_add_test(tests, functions_announce_themselves);
    tcase_add_test(tests, reset_takes_bars_away);
    tcase_add_test(tests, saves_and_restores);
    tcase_add_test(tests, restore_exchanges_places);
    tcase_add_test(tests, survives_random_accesses);
}

int main(void) {
    return run_suite("pci", add);
}
