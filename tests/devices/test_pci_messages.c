/* Interrupts of PCI devices that are messages: MSI and MSI-X. */
#include "little_endian.h"
#include "pci_fixture.h"
#include <string.h>

enum { MSI = 0x80, MSIX = 0x40, VECTORS = 3, TABLE = 0x800, PENDING = 0xC00, BAR = 1 };
enum { ENABLE = 0x8000, MASK_ALL = 0x4000 };

static PciFixture fixture;
static PciDevice *device;
static ApicMessage sent[8];
static unsigned sent_count;

static bool take_message(void *opaque, const ApicMessage *message) {
    (void)opaque;
    ck_assert_uint_lt(sent_count, 8);
    sent[sent_count++] = *message;
    return true;
}

static uint32_t bar_read(void *opaque, uint32_t offset, unsigned size) {
    uint32_t value;
    (void)opaque;
    return pci_device_message_read(device, BAR, offset, size, &value) ? value : 0xAAAAAAAA;
}

static void bar_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    (void)opaque;
    ck_assert(pci_device_message_write(device, BAR, offset, size, value) ==
              (offset - TABLE < VECTORS * 16 || offset - PENDING < 8));
}

static void plug(const PciMessagesInfo *messages) {
    static const PciRegister other_capability[] = {
        {PCI_STATUS, 2, 0x0010, 0, 0xF900}, {0x34, 1, 0x60, 0, 0}, {0x60, 2, 0x0009, 0, 0}, {0}};
    const PciDeviceInfo info = {
        .name = "card",
        .vendor_id = 0x1234,
        .device_id = 0x5678,
        .interrupt_pin = 1,
        .bars = {[BAR] = {.type = PCI_BAR_MEMORY, 0x1000, bar_read, bar_write}},
        .registers = other_capability,
        .messages = *messages};
    const ApicBus bus = {take_message, NULL};
    pci_fixture_init(&fixture);
    memset(&fixture.irq, 0, sizeof fixture.irq);
    sent_count = 0;
    device = pci_device_add(fixture.bus, PCI_FIXTURE_SLOT, 0, &info, NULL);
    ck_assert_ptr_nonnull(device);
    pci_bus_set_message_bus(fixture.bus, &bus);
    pci_fixture_enable(&fixture);
}

static void plug_msi(void) {
    const PciMessagesInfo info = {.msi_at = MSI};
    plug(&info);
}

static void plug_msix(void) {
    const PciMessagesInfo info = {
        .msix_at = MSIX, .vectors = VECTORS, .bar = BAR, .table = TABLE, .pending = PENDING};
    plug(&info);
}

static void unplug(void) {
    pci_fixture_end(&fixture);
}

static uint32_t config(unsigned offset, unsigned size) {
    return pci_device_config_read(device, offset, size);
}

static void set_config(unsigned offset, unsigned size, uint32_t value) {
    pci_device_config_write(device, offset, size, value);
}

static void set_entry(unsigned vector, uint32_t address, uint32_t data, uint32_t control) {
    const uint32_t words[] = {address, 0, data, control};
    for (unsigned i = 0; i < 4; i++)
        pci_fixture_write(&fixture, BAR, TABLE + vector * 16 + 4 * i, 4, words[i]);
}

START_TEST(capability_of_one_message) {
    ck_assert_uint_eq(config(PCI_STATUS, 2) & 0x10, 0x10);
    ck_assert_uint_eq(config(0x34, 1), MSI);
    ck_assert_uint_eq(config(MSI, 4), 0x00806005); /* 64-bit addresses, off, 60h is next */
    set_config(MSI + 2, 2, 0xFFFF);
    ck_assert_uint_eq(config(MSI + 2, 2), 0x0081); /* one message, whatever software asks for */
    set_config(MSI + 4, 4, 0xFFFFFFFF);
    ck_assert_uint_eq(config(MSI + 4, 4), 0xFFFFFFFC);
    ck_assert_uint_eq(pci_device_message_vectors(device), 1);
}
END_TEST

START_TEST(message_says_what_address_and_data_say) {
    set_config(MSI + 4, 4, 0xFEE12004); /* to the set 12h */
    set_config(MSI + 12, 2, 0x4155);    /* lowest priority, edge */
    pci_device_send_message(device, 0);
    ck_assert_uint_eq(sent_count, 0);
    set_config(MSI + 2, 2, 1);
    pci_device_send_message(device, 0);
    ck_assert_uint_eq(sent_count, 1);
    ck_assert_uint_eq(sent[0].destination, 0x12);
    ck_assert(sent[0].logical && !sent[0].level && !sent[0].wide);
    ck_assert_uint_eq(sent[0].delivery_mode, APIC_DELIVERY_LOWEST_PRIORITY);
    ck_assert_uint_eq(sent[0].vector, 0x55);
}
END_TEST

/* A message is a write of a bus master. */
START_TEST(message_needs_a_bus_master) {
    set_config(MSI + 4, 4, 0xFEE00000);
    set_config(MSI + 2, 2, 1);
    set_config(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    pci_device_send_message(device, 0);
    ck_assert_uint_eq(sent_count, 0);
}
END_TEST

START_TEST(other_addresses_are_memory) {
    set_config(MSI + 12, 2, 0xBEEF);
    set_config(MSI + 2, 2, 1);
    set_config(MSI + 4, 4, 0x1000);
    pci_device_send_message(device, 0);
    ck_assert_uint_eq(load_le32(pci_fixture_ram(&fixture, 0x1000)), 0xBEEF);
    static const uint32_t nowhere[] = {0x001FFFFC + 4, 0xFFFFFFFC,
                                       PCI_FIXTURE_MEMORY + BAR * PCI_FIXTURE_MEMORY_STEP + TABLE};
    for (unsigned i = 0; i < 3; i++) {
        set_config(MSI + 4, 4, nowhere[i]);
        pci_device_send_message(device, 0);
    }
    set_config(MSI + 4, 4, 0xFEE00000);
    set_config(MSI + 8, 4, 1);
    pci_device_send_message(device, 0);
    ck_assert_uint_eq(sent_count, 0);
}
END_TEST

/* The pin is silent where messages are on, or where software says so; the status register is not.
 */
START_TEST(pin_is_silent) {
    enum { INTERRUPT = 8 };
    pci_device_set_pin(device, 0, 1);
    ck_assert_int_eq(fixture.irq.level, 1);
    ck_assert_uint_eq(config(PCI_STATUS, 2) & INTERRUPT, INTERRUPT);
    set_config(MSI + 2, 2, 1);
    ck_assert_int_eq(fixture.irq.level, 0);
    set_config(MSI + 2, 2, 0);
    ck_assert_int_eq(fixture.irq.level, 1);
    uint32_t command = config(PCI_COMMAND, 2);
    set_config(PCI_COMMAND, 2, command | PCI_COMMAND_PIN_OFF);
    ck_assert_int_eq(fixture.irq.level, 0);
    ck_assert_uint_eq(config(PCI_STATUS, 2) & INTERRUPT, INTERRUPT);
    set_config(PCI_COMMAND, 2, command);
    ck_assert_int_eq(fixture.irq.level, 1);
    pci_device_set_pin(device, 0, 0);
    ck_assert_int_eq(fixture.irq.level, 0);
    ck_assert_uint_eq(config(PCI_STATUS, 2) & INTERRUPT, 0);
}
END_TEST

START_TEST(capability_of_a_table) {
    ck_assert_uint_eq(config(0x34, 1), MSIX);
    ck_assert_uint_eq(config(MSIX, 4), (VECTORS - 1) << 16 | 0x6011);
    ck_assert_uint_eq(config(MSIX + 4, 4), TABLE | BAR);
    ck_assert_uint_eq(config(MSIX + 8, 4), PENDING | BAR);
    set_config(MSIX + 2, 2, 0xFFFF);
    ck_assert_uint_eq(config(MSIX + 2, 2), 0xC000 | (VECTORS - 1));
    for (unsigned i = 0; i < VECTORS; i++)
        ck_assert_uint_eq(pci_fixture_read(&fixture, BAR, TABLE + i * 16 + 12, 4), 1);
    set_entry(2, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF);
    ck_assert_uint_eq(pci_fixture_read(&fixture, BAR, TABLE + 32, 4), 0xFFFFFFFC);
    ck_assert_uint_eq(pci_fixture_read(&fixture, BAR, TABLE + 44, 4), 1);
    ck_assert_uint_eq(pci_fixture_read(&fixture, BAR, TABLE + 41, 1), 0xFF);
    ck_assert_uint_eq(pci_fixture_read(&fixture, BAR, 0, 4), 0xAAAAAAAA);
    ck_assert_uint_eq(pci_fixture_read(&fixture, BAR, TABLE + VECTORS * 16, 4), 0xAAAAAAAA);
    pci_fixture_write(&fixture, BAR, TABLE + 44, 1, 0); /* narrower writes change nothing */
    ck_assert_uint_eq(pci_fixture_read(&fixture, BAR, TABLE + 44, 4), 1);
}
END_TEST

START_TEST(masked_messages_wait) {
    set_config(MSIX + 2, 2, ENABLE);
    set_entry(0, 0xFEE01000, 0x31, 0);
    set_entry(1, 0xFEE02000, 0x32, 1);
    pci_device_send_message(device, 0);
    pci_device_send_message(device, 1);
    pci_device_send_message(device, 1);
    ck_assert_uint_eq(sent_count, 1);
    ck_assert_uint_eq(sent[0].destination, 1);
    ck_assert_uint_eq(pci_fixture_read(&fixture, BAR, PENDING, 4), 1 << 1);
    pci_fixture_write(&fixture, BAR, TABLE + 16 + 12, 4, 0);
    ck_assert_uint_eq(sent_count, 2);
    ck_assert_uint_eq(sent[1].vector, 0x32);
    ck_assert_uint_eq(pci_fixture_read(&fixture, BAR, PENDING, 4), 0);
    pci_fixture_write(&fixture, BAR, PENDING, 4, 0xFF); /* read-only */
    ck_assert_uint_eq(pci_fixture_read(&fixture, BAR, PENDING, 4), 0);

    set_config(MSIX + 2, 2, ENABLE | MASK_ALL);
    pci_device_send_message(device, 0);
    pci_device_send_message(device, 1);
    ck_assert_uint_eq(sent_count, 2);
    ck_assert_uint_eq(pci_fixture_read(&fixture, BAR, PENDING, 1), 3);
    set_config(MSIX + 2, 2, ENABLE);
    ck_assert_uint_eq(sent_count, 4);
    ck_assert_uint_eq(pci_fixture_read(&fixture, BAR, PENDING, 1), 0);
    pci_device_send_message(device, VECTORS); /* there is none */
    ck_assert_uint_eq(sent_count, 4);
}
END_TEST

static void leave_one_pending(ChipFixture *board) {
    (void)board;
    set_entry(2, 0xFEE03000, 0x33, 1);
    set_config(MSIX + 2, 2, ENABLE);
    pci_device_send_message(device, 2);
}

START_TEST(saved_and_restored) {
    Snapshot snapshot;
    check_devices_save_and_restore(fixture.board, leave_one_pending);
    leave_one_pending(fixture.board);
    snapshot_take(fixture.board, &snapshot);
    device_list_reset(&fixture.board->devices);
    ck_assert_uint_eq(config(MSIX + 2, 2) & ENABLE, 0);
    snapshot_restore(fixture.board, &snapshot);
    ck_assert_uint_eq(sent_count, 0);
    pci_fixture_write(&fixture, BAR, TABLE + 32 + 12, 4, 0);
    ck_assert_uint_eq(sent_count, 1);
    ck_assert_uint_eq(sent[0].vector, 0x33);
    snapshot_free(&snapshot);
}
END_TEST

static Suite *make_suite(void) {
    Suite *suite = suite_create("pci_messages");
    TCase *msi = tcase_create("MSI"), *msix = tcase_create("MSI-X");
    tcase_add_checked_fixture(msi, plug_msi, unplug);
    tcase_add_checked_fixture(msix, plug_msix, unplug);
    tcase_add_test(msi, capability_of_one_message);
    tcase_add_test(msi, message_says_what_address_and_data_say);
    tcase_add_test(msi, message_needs_a_bus_master);
    tcase_add_test(msi, other_addresses_are_memory);
    tcase_add_test(msi, pin_is_silent);
    tcase_add_test(msix, capability_of_a_table);
    tcase_add_test(msix, masked_messages_wait);
    tcase_add_test(msix, saved_and_restored);
    suite_add_tcase(suite, msi);
    suite_add_tcase(suite, msix);
    return suite;
}

int main(void) {
    SRunner *runner = srunner_create(make_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
