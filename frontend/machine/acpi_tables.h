/* The ACPI tables that describe the board to an operating system, and the script by which the
 * firmware puts them into memory. (ACPI specification 5.2; QEMU documentation,
 * docs/specs/acpi and the firmware's linker/loader interface.) */
#ifndef REPRISE_ACPI_TABLES_H
#define REPRISE_ACPI_TABLES_H

#include "byte_buffer.h"
#include "machine_config.h"

/* Where the firmware puts the PIIX4's windows, and what the board wires. */
enum {
    ACPI_PM_PORT = 0x600,
    ACPI_SMBUS_PORT = 0x700,
    ACPI_EVENT_PORT = 0xAFE0,
    ACPI_SMI_PORT = 0xB2,
    ACPI_SMI_ENABLE = 0xF1,
    ACPI_SMI_DISABLE = 0xF0,
    ACPI_SCI = 9,
    ACPI_CMOS_CENTURY = 0x32,
};
#define ACPI_HPET_ADDRESS 0xFED00000u
#define ACPI_IO_APIC_ADDRESS 0xFEC00000u
#define ACPI_LOCAL_APIC_ADDRESS 0xFEE00000u

/* Files for fw_cfg by which the firmware builds the tables: etc/acpi/rsdp, etc/acpi/tables and
 * etc/table-loader. */
typedef struct AcpiFiles {
    ByteBuffer rsdp, tables, loader;
} AcpiFiles;

/* 'has_apic': the processor has a local APIC, so interrupts may go through the I/O APIC. */
void acpi_tables_build(const MachineConfig *config, bool has_apic, AcpiFiles *files);
void acpi_files_free(AcpiFiles *files);

/* acpi_dsdt.c: the AML of the DSDT. */
void acpi_dsdt_build(const MachineConfig *config, ByteBuffer *code);

#endif
