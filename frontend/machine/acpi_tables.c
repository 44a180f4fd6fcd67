#include "acpi_tables.h"
#include "little_endian.h"

#include <assert.h>
#include <string.h>

#define FILE_RSDP "etc/acpi/rsdp"
#define FILE_TABLES "etc/acpi/tables"

/* Offsets in the header that all tables have (5.2.6). */
enum { HEADER_LENGTH = 4, HEADER_CHECKSUM = 9, HEADER_SIZE = 36 };

/* Commands of the loader's script, 128 bytes each. */
enum { LOADER_ALLOCATE = 1, LOADER_ADD_POINTER = 2, LOADER_ADD_CHECKSUM = 3 };
enum { LOADER_HIGH_MEMORY = 1, LOADER_SEGMENT_F = 2 };
enum { LOADER_FILE_NAME = 56, LOADER_COMMAND = 128 };

void acpi_files_free(AcpiFiles *files) {
    byte_buffer_free(&files->rsdp);
    byte_buffer_free(&files->tables);
    byte_buffer_free(&files->loader);
}

/* --- the loader's script -----------------------------------------------------------------------
 */

typedef struct LoaderCommand {
    uint8_t bytes[LOADER_COMMAND];
    size_t size;
} LoaderCommand;

static void put_number(LoaderCommand *command, uint32_t value, unsigned bytes) {
    store_le(command->bytes + command->size, bytes, value);
    command->size += bytes;
}

static void put_file(LoaderCommand *command, const char *name) {
    memcpy(command->bytes + command->size, name, strlen(name));
    command->size += LOADER_FILE_NAME;
}

static LoaderCommand begin_command(uint32_t kind) {
    LoaderCommand command = {.size = 0};
    put_number(&command, kind, 4);
    return command;
}

static void end_command(AcpiFiles *files, const LoaderCommand *command) {
    byte_buffer_append(&files->loader, command->bytes, LOADER_COMMAND);
}

static void load_allocate(AcpiFiles *files, const char *name, uint32_t alignment, unsigned zone) {
    LoaderCommand command = begin_command(LOADER_ALLOCATE);
    put_file(&command, name);
    put_number(&command, alignment, 4);
    put_number(&command, zone, 1);
    end_command(files, &command);
}

/* The four bytes at 'offset' of 'name', an offset within the tables, become an address. */
static void load_add_pointer(AcpiFiles *files, const char *name, size_t offset) {
    LoaderCommand command = begin_command(LOADER_ADD_POINTER);
    put_file(&command, name);
    put_file(&command, FILE_TABLES);
    put_number(&command, (uint32_t)offset, 4);
    put_number(&command, 4, 1);
    end_command(files, &command);
}

static void load_add_checksum(AcpiFiles *files, const char *name, size_t checksum, size_t start,
                              size_t length) {
    LoaderCommand command = begin_command(LOADER_ADD_CHECKSUM);
    put_file(&command, name);
    put_number(&command, (uint32_t)checksum, 4);
    put_number(&command, (uint32_t)start, 4);
    put_number(&command, (uint32_t)length, 4);
    end_command(files, &command);
}

/* --- tables ------------------------------------------------------------------------------------
 */

static void put(AcpiFiles *files, uint64_t value, unsigned bytes) {
    byte_buffer_append_le(&files->tables, value, bytes);
}

static void put_zeros(AcpiFiles *files, unsigned count) {
    while (count-- > 0)
        put(files, 0, 1);
}

static size_t begin_table(AcpiFiles *files, const char *signature, uint8_t revision) {
    size_t start = files->tables.size;
    byte_buffer_append(&files->tables, signature, 4);
    put(files, 0, 4); /* length: at the end */
    put(files, revision, 1);
    put(files, 0, 1); /* checksum: the loader's */
    byte_buffer_append(&files->tables, "REPRIS", 6);
    byte_buffer_append(&files->tables, "REPRISPC", 8);
    put(files, 1, 4);
    byte_buffer_append(&files->tables, "RPRS", 4);
    put(files, 1, 4);
    assert(files->tables.size - start == HEADER_SIZE);
    return start;
}

static void end_table(AcpiFiles *files, size_t start) {
    size_t length = files->tables.size - start;
    store_le32(files->tables.data + start + HEADER_LENGTH, (uint32_t)length);
    load_add_checksum(files, FILE_TABLES, start + HEADER_CHECKSUM, start, length);
}

/* Appends a pointer to what begins at 'target' of the tables. */
static void put_pointer(AcpiFiles *files, size_t target) {
    load_add_pointer(files, FILE_TABLES, files->tables.size);
    put(files, target, 4);
}

/* Wants an address that is a multiple of 64, so it comes first (5.2.10). */
static size_t add_facs(AcpiFiles *files) {
    enum { FACS_SIZE = 64 };
    size_t start = files->tables.size;
    byte_buffer_append(&files->tables, "FACS", 4);
    put(files, FACS_SIZE, 4);
    put_zeros(files, FACS_SIZE - 8);
    return start;
}

static size_t add_dsdt(AcpiFiles *files, const MachineConfig *config) {
    ByteBuffer code = {.data = NULL};
    acpi_dsdt_build(config, &code);
    size_t start = begin_table(files, "DSDT", 1);
    byte_buffer_append(&files->tables, code.data, code.size);
    end_table(files, start);
    byte_buffer_free(&code);
    return start;
}

/* Revision 1, 116 bytes: Windows 2000 does not start with a later one on such a board. */
static size_t add_fadt(AcpiFiles *files, size_t facs, size_t dsdt) {
    enum { WBINVD = 1 << 0, PROC_C1 = 1 << 2, RTC_S4 = 1 << 7 };
    enum { C2_NOT_THERE = 0xFFF, C3_NOT_THERE = 0xFFF, PM1_EVENT = 0, PM1_CONTROL = 4, TIMER = 8 };
    size_t start = begin_table(files, "FACP", 1);
    put_pointer(files, facs);
    put_pointer(files, dsdt);
    put(files, 1, 1); /* interrupt model: PIC too */
    put(files, 0, 1);
    put(files, ACPI_SCI, 2);
    put(files, ACPI_SMI_PORT, 4);
    put(files, ACPI_SMI_ENABLE, 1);
    put(files, ACPI_SMI_DISABLE, 1);
    put(files, 0, 2); /* S4BIOS_REQ, reserved */
    put(files, ACPI_PM_PORT + PM1_EVENT, 4);
    put(files, 0, 4);
    put(files, ACPI_PM_PORT + PM1_CONTROL, 4);
    put(files, 0, 4);
    put(files, 0, 4); /* no PM2 */
    put(files, ACPI_PM_PORT + TIMER, 4);
    put(files, ACPI_EVENT_PORT, 4);
    put(files, 0, 4);
    put(files, 4, 1); /* lengths: PM1 events, control, PM2, timer, GPE0, GPE1 */
    put(files, 2, 1);
    put(files, 0, 1);
    put(files, 4, 1);
    put(files, 4, 1);
    put(files, 0, 1);
    put(files, 0, 2); /* GPE1_BASE, reserved */
    put(files, C2_NOT_THERE, 2);
    put(files, C3_NOT_THERE, 2);
    put(files, 0, 4); /* FLUSH_SIZE, FLUSH_STRIDE */
    put(files, 0, 4); /* DUTY_OFFSET, DUTY_WIDTH, DAY_ALRM, MON_ALRM */
    put(files, ACPI_CMOS_CENTURY, 1);
    put(files, 0, 3);
    put(files, WBINVD | PROC_C1 | RTC_S4, 4);
    assert(files->tables.size - start == 116);
    end_table(files, start);
    return start;
}

static void put_override(AcpiFiles *files, uint8_t source, uint32_t pin, uint16_t flags) {
    put(files, 2, 1);
    put(files, 10, 1);
    put(files, 0, 1); /* ISA */
    put(files, source, 1);
    put(files, pin, 4);
    put(files, flags, 2);
}

/* 5.2.12. Requests for PCI interrupts come through the same lines as ISA's, active high. */
static size_t add_madt(AcpiFiles *files, const MachineConfig *config) {
    enum { DUAL_8259 = 1, ENABLED = 1, ACTIVE_HIGH_LEVEL = 0xD, AS_THE_BUS = 0 };
    static const uint8_t level_lines[] = {5, ACPI_SCI, 10, 11};
    size_t start = begin_table(files, "APIC", 1);
    put(files, ACPI_LOCAL_APIC_ADDRESS, 4);
    put(files, DUAL_8259, 4);
    for (unsigned i = 0; i < config->processors; i++) {
        put(files, 0, 1); /* local APIC of that processor: the same number */
        put(files, 8, 1);
        put(files, i, 1);
        put(files, i, 1);
        put(files, ENABLED, 4);
    }
    put(files, 1, 1); /* I/O APIC: number 0, its pins are interrupts from 0 on */
    put(files, 12, 1);
    put(files, 0, 2);
    put(files, ACPI_IO_APIC_ADDRESS, 4);
    put(files, 0, 4);
    put_override(files, 0, 2, AS_THE_BUS);
    for (size_t i = 0; i < sizeof(level_lines); i++)
        put_override(files, level_lines[i], level_lines[i], ACTIVE_HIGH_LEVEL);
    put(files, 4, 1); /* NMI: all processors, LINT1 */
    put(files, 6, 1);
    put(files, 0xFF, 1);
    put(files, AS_THE_BUS, 2);
    put(files, 1, 1);
    end_table(files, start);
    return start;
}

/* IA-PC HPET specification 3.2.4. */
static size_t add_hpet(AcpiFiles *files) {
    enum { BLOCK_ID = 0x8086A201, REGISTER_BITS = 64 };
    size_t start = begin_table(files, "HPET", 1);
    put(files, BLOCK_ID, 4);
    put(files, 0, 1); /* memory */
    put(files, REGISTER_BITS, 1);
    put(files, 0, 2);
    put(files, ACPI_HPET_ADDRESS, 8);
    put(files, 0, 4); /* sequence number, minimum tick, protection */
    end_table(files, start);
    return start;
}

/* Windows ACPI Emulated Devices Table: one read of the timer is enough. */
static size_t add_waet(AcpiFiles *files) {
    enum { PM_TIMER_GOOD = 1 << 1 };
    size_t start = begin_table(files, "WAET", 1);
    put(files, PM_TIMER_GOOD, 4);
    end_table(files, start);
    return start;
}

static void add_rsdp(AcpiFiles *files, size_t rsdt) {
    enum { RSDP_CHECKSUM = 8, RSDP_POINTER = 16, RSDP_SIZE = 20 };
    byte_buffer_append(&files->rsdp, "RSD PTR ", 8);
    byte_buffer_append_le(&files->rsdp, 0, 1);
    byte_buffer_append(&files->rsdp, "REPRIS", 6);
    byte_buffer_append_le(&files->rsdp, 0, 1); /* revision: ACPI 1.0 */
    byte_buffer_append_le(&files->rsdp, rsdt, 4);
    load_add_pointer(files, FILE_RSDP, RSDP_POINTER);
    load_add_checksum(files, FILE_RSDP, RSDP_CHECKSUM, 0, RSDP_SIZE);
}

void acpi_tables_build(const MachineConfig *config, bool has_apic, AcpiFiles *files) {
    size_t listed[8], count = 0;
    *files = (AcpiFiles){.rsdp = {.data = NULL}};
    load_allocate(files, FILE_RSDP, 16, LOADER_SEGMENT_F);
    load_allocate(files, FILE_TABLES, 64, LOADER_HIGH_MEMORY);
    size_t facs = add_facs(files);
    size_t dsdt = add_dsdt(files, config);
    listed[count++] = add_fadt(files, facs, dsdt);
    if (has_apic)
        listed[count++] = add_madt(files, config);
    if (config->has_hpet)
        listed[count++] = add_hpet(files);
    listed[count++] = add_waet(files);
    size_t rsdt = begin_table(files, "RSDT", 1);
    for (size_t i = 0; i < count; i++)
        put_pointer(files, listed[i]);
    end_table(files, rsdt);
    add_rsdp(files, rsdt);
}
