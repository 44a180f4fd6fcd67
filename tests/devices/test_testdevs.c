/* The devices for suites of test kernels: pc-testdev's register, lines and memory, pci-testdev's
 * headers and counts. */
#include "chip_fixture.h"
#include "pc_testdev.h"
#include "pci.h"
#include "pci_testdev.h"

static ChipFixture *fixture;
static Probe probes[PC_TESTDEV_LINES];
static PcTestdev *device;

static void set_up(void) {
    Wire lines[PC_TESTDEV_LINES];
    Error error = {0};
    fixture = chip_fixture_create();
    for (unsigned i = 0; i < PC_TESTDEV_LINES; i++) {
        probes[i] = (Probe){0};
        lines[i] = probe_wire(&probes[i]);
    }
    device = pc_testdev_create(&fixture->context, lines, &error);
    ck_assert_ptr_nonnull(device);
}

static void tear_down(void) {
    pc_testdev_destroy(device);
    chip_fixture_destroy(fixture);
}

START_TEST(register_keeps_any_width_at_both_places) {
    PortMap *ports = fixture->context.ports;
    port_map_write(ports, 0xE0, 4, 0x12345678);
    ck_assert_uint_eq(port_map_read(ports, 0xE0, 4), 0x12345678);
    ck_assert_uint_eq(port_map_read(ports, 0xE0, 2), 0x5678);
    ck_assert_uint_eq(port_in(fixture, 0xE3), 0x12);
    ck_assert_uint_eq(port_map_read(ports, 0xE8, 4), 0x12345678);
    port_out(fixture, 0xE9, 0xAB);
    ck_assert_uint_eq(port_map_read(ports, 0xE0, 4), 0x1234AB78);
    port_map_write(ports, 0xE4, 4, 0x1000);
    ck_assert_uint_eq(port_map_read(ports, 0xE4, 4), 0);
}
END_TEST

START_TEST(lines_follow_their_ports) {
    port_out(fixture, 0x200B, 1);
    ck_assert_int_eq(probes[11].level, 1);
    port_map_write(fixture->context.ports, 0x2017, 1, 0xFF);
    ck_assert_int_eq(probes[23].level, 1);
    port_out(fixture, 0x200B, 0);
    ck_assert_int_eq(probes[11].level, 0);
    ck_assert_int_eq(probes[10].rises, 0);
}
END_TEST

START_TEST(memory_keeps_what_is_written) {
    PhysicalMap *memory = fixture->context.memory;
    physical_write(memory, 0xFF00FFFC, 4, 0x89ABCDEF);
    ck_assert_uint_eq(physical_read(memory, 0xFF00FFFC, 4), 0x89ABCDEF);
    ck_assert_uint_eq(physical_read(memory, 0xFF00FFFD, 2), 0xABCD);
    ck_assert_uint_eq(physical_read(memory, 0xFF000000, 4), 0);
}
END_TEST

static void change(ChipFixture *changed) {
    port_map_write(changed->context.ports, 0xE0, 4, 0xFFFFFFFF);
    physical_write(changed->context.memory, 0xFF000010, 4, 7);
}

START_TEST(state_is_saved_and_restored) {
    check_devices_save_and_restore(fixture, change);
}
END_TEST

static uint32_t header_word(uint16_t base, unsigned offset) {
    return port_map_read(fixture->context.ports, (uint16_t)(base + offset), 4);
}

START_TEST(pci_device_counts_the_writes_that_a_test_wants) {
    enum { PORTS = 0xC000, MEMORY = 0x40000000, COUNT = 12 };
    Error error = {0};
    PhysicalMap *memory = fixture->context.memory;
    PciBus *bus = pci_bus_create(&fixture->context, &error);
    PciTestdev *pci = pci_testdev_create(&fixture->context, bus, 3, &error);
    PciDevice *config = pci_bus_device(bus, 3, 0);
    ck_assert_uint_eq(pci_device_config_read(config, PCI_VENDOR_ID, 4), 0x00051B36);
    pci_device_config_write(config, PCI_BASE_ADDRESS, 4, MEMORY);
    pci_device_config_write(config, PCI_BASE_ADDRESS + 4, 4, PORTS);
    pci_device_config_write(config, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    ck_assert_uint_eq(header_word(PORTS, 0), 0);
    port_out(fixture, PORTS, 2); /* ports: one value */
    ck_assert_uint_eq(header_word(PORTS, 0), 0x0105);
    ck_assert_uint_eq(header_word(PORTS, 4), 128 + 5);
    ck_assert_uint_eq(header_word(PORTS, 8), 0xFA);
    port_out(fixture, PORTS + 128 + 5, 0xFB);
    ck_assert_uint_eq(header_word(PORTS, COUNT), 0);
    port_out(fixture, PORTS + 128 + 5, 0xFA);
    ck_assert_uint_eq(header_word(PORTS, COUNT), 1);
    physical_write(memory, MEMORY, 1, 1); /* memory: any value */
    physical_write(memory, MEMORY + 2048 + 1, 1, 0x55);
    physical_write(memory, MEMORY + 2048 + 1, 1, 0x66);
    ck_assert_uint_eq(physical_read(memory, MEMORY + COUNT, 4), 2);
    ck_assert_uint_eq(physical_read(memory, MEMORY + 16, 4), 0x6F696D6D); /* "mmio" */
    physical_write(memory, MEMORY, 1, 200);                               /* none has this number */
    ck_assert_uint_eq(physical_read(memory, MEMORY + COUNT, 4), 0);
    check_devices_save_and_restore(fixture, change);
    pci_testdev_destroy(pci);
    pci_bus_destroy(bus);
}
END_TEST

static void add_tests(TCase *tests) {
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, register_keeps_any_width_at_both_places);
    tcase_add_test(tests, lines_follow_their_ports);
    tcase_add_test(tests, memory_keeps_what_is_written);
    tcase_add_test(tests, state_is_saved_and_restored);
    tcase_add_test(tests, pci_device_counts_the_writes_that_a_test_wants);
}

int main(void) {
    return run_suite("testdevs", add_tests);
}
