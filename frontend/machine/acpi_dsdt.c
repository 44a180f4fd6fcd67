/* The DSDT: what is on the board and how it is wired, in AML. Namespace as on other boards with an
 * i440FX, since systems know some names. */
#include "acpi_aml.h"
#include "acpi_tables.h"

enum { PCI_SLOTS = 32, PCI_PINS = 4, LINKS = 4 };
enum { SLOT_ISA = 1 };
/* _STA: present, enabled, shown, working. */
enum { STATUS_PRESENT = 0x0F, STATUS_DISABLED = 0x09, STATUS_HIDDEN = 0x0B };
#define ROUTE_DISABLED 0x80 /* bit of a PIRQ route control register */

/* Begins a device with an identifier; the caller ends it. */
static void begin_device(Aml *aml, const char *name, const char *id) {
    aml_begin_device(aml, name);
    aml_name_eisa_id(aml, "_HID", id);
}

static void add_address(Aml *aml, unsigned slot, unsigned function) {
    aml_name_integer(aml, "_ADR", slot << 16 | function);
}

static void begin_settings(Aml *aml) {
    aml_name_integer(aml, "_STA", STATUS_PRESENT);
    aml_name(aml, "_CRS");
    aml_begin_resources(aml);
}

static void end_settings_and_device(Aml *aml) {
    aml_end_resources(aml);
    aml_end(aml);
}

/* --- devices on the ISA bus --------------------------------------------------------------------
 */

static void add_keyboard_and_mouse(Aml *aml) {
    begin_device(aml, "KBD", "PNP0303");
    begin_settings(aml);
    aml_resource_ports(aml, 0x60, 1);
    aml_resource_ports(aml, 0x64, 1);
    aml_resource_irq(aml, 1);
    end_settings_and_device(aml);
    begin_device(aml, "MOU", "PNP0F13");
    begin_settings(aml);
    aml_resource_irq(aml, 12);
    end_settings_and_device(aml);
}

static void add_floppy_controller(Aml *aml) {
    begin_device(aml, "FDC0", "PNP0700");
    begin_settings(aml);
    aml_resource_ports(aml, 0x3F2, 4);
    aml_resource_ports(aml, 0x3F7, 1);
    aml_resource_irq(aml, 6);
    aml_resource_dma(aml, 2);
    end_settings_and_device(aml);
}

static void add_clock(Aml *aml) {
    begin_device(aml, "RTC", "PNP0B00");
    begin_settings(aml);
    aml_resource_ports(aml, 0x70, 8);
    aml_resource_irq(aml, 8);
    end_settings_and_device(aml);
}

/* A serial or parallel port: a name and number, eight ports, an interrupt. */
typedef struct PortPlace {
    const char *name;
    uint16_t port;
    uint8_t irq;
} PortPlace;

static void add_port(Aml *aml, const PortPlace *place, const char *id, unsigned number) {
    begin_device(aml, place->name, id);
    aml_name_integer(aml, "_UID", number);
    begin_settings(aml);
    aml_resource_ports(aml, place->port, place->port == 0x3BC ? 4 : 8);
    aml_resource_irq(aml, place->irq);
    end_settings_and_device(aml);
}

static void add_ports(Aml *aml, const MachineConfig *config) {
    static const PortPlace serial[MACHINE_SERIAL_PORTS] = {
        {"COM1", 0x3F8, 4}, {"COM2", 0x2F8, 3}, {"COM3", 0x3E8, 4}, {"COM4", 0x2E8, 3}};
    static const PortPlace parallel[MACHINE_PARALLEL_PORTS] = {
        {"LPT1", 0x378, 7}, {"LPT2", 0x278, 5}, {"LPT3", 0x3BC, 7}};
    for (unsigned i = 0; i < MACHINE_SERIAL_PORTS; i++)
        if (config->has_serial[i])
            add_port(aml, &serial[i], "PNP0501", i + 1);
    for (unsigned i = 0; i < MACHINE_PARALLEL_PORTS; i++)
        if (config->has_parallel[i])
            add_port(aml, &parallel[i], "PNP0400", i + 1);
}

/* Ports of the power management, which no PCI register shows as taken. */
static void add_motherboard(Aml *aml) {
    begin_device(aml, "MBRD", "PNP0C02");
    aml_name_integer(aml, "_UID", 1);
    begin_settings(aml);
    aml_resource_ports(aml, ACPI_SMI_PORT, 2);
    aml_resource_ports(aml, ACPI_PM_PORT, 0x40);
    aml_resource_ports(aml, ACPI_SMBUS_PORT, 0x10);
    aml_resource_ports(aml, ACPI_EVENT_PORT, 4);
    end_settings_and_device(aml);
}

/* The panic port, under QEMU's identifier (its docs/specs/pvpanic), by which drivers know it. */
static void add_panic_port(Aml *aml, const MachineConfig *config) {
    aml_begin_device(aml, "PEVT");
    aml_name(aml, "_HID");
    aml_string(aml, "QEMU0001");
    begin_settings(aml);
    aml_resource_ports(aml, config->pvpanic_port, 1);
    end_settings_and_device(aml);
}

static void add_isa_bridge(Aml *aml, const MachineConfig *config) {
    aml_begin_device(aml, "ISA");
    add_address(aml, SLOT_ISA, 0);
    aml_operation_region(aml, "P40C", AML_REGION_PCI_CONFIG, 0x60, LINKS);
    add_keyboard_and_mouse(aml);
    add_floppy_controller(aml);
    add_clock(aml);
    add_ports(aml, config);
    add_motherboard(aml);
    if (config->has_pvpanic)
        add_panic_port(aml, config);
    aml_end(aml);
}

/* --- PCI ---------------------------------------------------------------------------------------
 */

/* Where SeaBIOS begins to place BARs, by the memory below 4 GB. */
static uint32_t pci_window(uint64_t ram_bytes) {
    if (ram_bytes <= 0x80000000u)
        return 0x80000000u;
    return ram_bytes <= 0xC0000000u ? 0xC0000000u : 0xE0000000u;
}

static void add_windows(Aml *aml, const MachineConfig *config) {
    aml_name(aml, "_CRS");
    aml_begin_resources(aml);
    aml_window_buses(aml, 0, 0xFF);
    aml_resource_ports(aml, 0xCF8, 8);
    aml_window_ports(aml, 0, 0xCF7);
    aml_window_ports(aml, 0xD00, 0xFFFF);
    aml_window_memory(aml, 0xA0000, 0xBFFFF, true);
    aml_window_memory(aml, pci_window(config->ram_bytes), ACPI_IO_APIC_ADDRESS - 1, false);
    aml_end_resources(aml);
}

/* Pin p of slot s drives link (s - 1 + p) mod 4; the power management's own interrupt is the
 * SCI's. */
static void add_routing(Aml *aml) {
    static const char *const links[LINKS] = {"LNKA", "LNKB", "LNKC", "LNKD"};
    aml_name(aml, "_PRT");
    aml_begin_package(aml, PCI_SLOTS * PCI_PINS);
    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        for (unsigned pin = 0; pin < PCI_PINS; pin++) {
            bool is_power = slot == SLOT_ISA && pin == 0;
            aml_begin_package(aml, 4);
            aml_integer(aml, slot << 16 | 0xFFFF);
            aml_integer(aml, pin);
            aml_path(aml, is_power ? "LNKS" : links[(slot + LINKS - 1 + pin) % LINKS]);
            aml_integer(aml, 0);
            aml_end(aml);
        }
    }
    aml_end(aml);
}

static void add_pci_root(Aml *aml, const MachineConfig *config) {
    begin_device(aml, "PCI0", "PNP0A03");
    aml_name_integer(aml, "_UID", 0);
    add_windows(aml, config);
    add_routing(aml);
    add_isa_bridge(aml, config);
    aml_begin_device(aml, "PX13");
    add_address(aml, SLOT_ISA, 3);
    aml_end(aml);
    aml_end(aml);
}

/* --- interrupt links ---------------------------------------------------------------------------
 */

static void add_interrupt_choice(Aml *aml, const char *name, const uint32_t *lines, uint8_t count) {
    aml_name(aml, name);
    aml_begin_resources(aml);
    aml_resource_interrupts(aml, lines, count);
    aml_end_resources(aml);
}

/* 'LNKx' drives the interrupt that its route register, 'PRQn', names. */
static void add_link(Aml *aml, unsigned number) {
    static const uint32_t choices[] = {5, 10, 11};
    char name[] = "LNKA", reg[] = "PRQ0";
    name[3] = (char)('A' + number);
    reg[3] = (char)('0' + number);
    begin_device(aml, name, "PNP0C0F");
    aml_name_integer(aml, "_UID", number);
    add_interrupt_choice(aml, "_PRS", choices, sizeof(choices) / sizeof(choices[0]));
    aml_begin_method(aml, "_STA", 0, false);
    aml_byte(aml, AML_RETURN);
    aml_path(aml, "IQST");
    aml_path(aml, reg);
    aml_end(aml);
    aml_begin_method(aml, "_DIS", 0, false);
    aml_byte(aml, AML_OR);
    aml_path(aml, reg);
    aml_integer(aml, ROUTE_DISABLED);
    aml_path(aml, reg);
    aml_end(aml);
    aml_begin_method(aml, "_CRS", 0, false);
    aml_byte(aml, AML_RETURN);
    aml_path(aml, "IQCR");
    aml_path(aml, reg);
    aml_end(aml);
    aml_begin_method(aml, "_SRS", 1, true);
    aml_byte(aml, AML_CREATE_DWORD_FIELD);
    aml_byte(aml, AML_ARGUMENT0);
    aml_integer(aml, 5); /* where a descriptor has its first interrupt */
    aml_path(aml, "PRRI");
    aml_byte(aml, AML_STORE);
    aml_path(aml, "PRRI");
    aml_path(aml, reg);
    aml_end(aml);
    aml_end(aml);
}

/* The SCI is wired to its interrupt. */
static void add_sci_link(Aml *aml) {
    static const uint32_t choices[] = {ACPI_SCI};
    begin_device(aml, "LNKS", "PNP0C0F");
    aml_name_integer(aml, "_UID", LINKS);
    add_interrupt_choice(aml, "_PRS", choices, 1);
    aml_name_integer(aml, "_STA", STATUS_HIDDEN);
    aml_begin_method(aml, "_DIS", 0, false);
    aml_end(aml);
    add_interrupt_choice(aml, "_CRS", choices, 1);
    aml_begin_method(aml, "_SRS", 1, false);
    aml_end(aml);
    aml_end(aml);
}

/* IQST: the status of a link by its register. IQCR: its present setting. */
static void add_link_methods(Aml *aml) {
    static const uint32_t none[] = {0};
    aml_begin_method(aml, "IQST", 1, false);
    aml_begin_if(aml);
    aml_byte(aml, AML_AND);
    aml_integer(aml, ROUTE_DISABLED);
    aml_byte(aml, AML_ARGUMENT0);
    aml_byte(aml, AML_NO_TARGET);
    aml_byte(aml, AML_RETURN);
    aml_integer(aml, STATUS_DISABLED);
    aml_end(aml);
    aml_byte(aml, AML_RETURN);
    aml_integer(aml, STATUS_HIDDEN);
    aml_end(aml);

    aml_begin_method(aml, "IQCR", 1, true);
    add_interrupt_choice(aml, "PRR0", none, 1);
    aml_byte(aml, AML_CREATE_DWORD_FIELD);
    aml_path(aml, "PRR0");
    aml_integer(aml, 5);
    aml_path(aml, "PRRI");
    aml_begin_if(aml);
    aml_byte(aml, AML_LESS);
    aml_byte(aml, AML_ARGUMENT0);
    aml_integer(aml, ROUTE_DISABLED);
    aml_byte(aml, AML_STORE);
    aml_byte(aml, AML_ARGUMENT0);
    aml_path(aml, "PRRI");
    aml_end(aml);
    aml_byte(aml, AML_RETURN);
    aml_path(aml, "PRR0");
    aml_end(aml);
}

static void add_links(Aml *aml) {
    static const char *const registers[LINKS] = {"PRQ0", "PRQ1", "PRQ2", "PRQ3"};
    aml_begin_field(aml, "PCI0.ISA.P40C", AML_FIELD_BYTE);
    for (unsigned i = 0; i < LINKS; i++)
        aml_field_unit(aml, registers[i], 8);
    aml_end(aml);
    add_link_methods(aml);
    for (unsigned i = 0; i < LINKS; i++)
        add_link(aml, i);
    add_sci_link(aml);
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static void add_hpet(Aml *aml) {
    begin_device(aml, "HPET", "PNP0103");
    aml_name_integer(aml, "_UID", 0);
    begin_settings(aml);
    aml_resource_memory(aml, ACPI_HPET_ADDRESS, 0x400);
    end_settings_and_device(aml);
}

/* What the guest writes into SLP_TYP for a state: the PIIX4's encoding. */
static void add_sleep_state(Aml *aml, const char *name, unsigned type) {
    aml_name(aml, name);
    aml_begin_package(aml, 4);
    aml_integer(aml, type);
    aml_integer(aml, type);
    aml_integer(aml, 0);
    aml_integer(aml, 0);
    aml_end(aml);
}

void acpi_dsdt_build(const MachineConfig *config, ByteBuffer *code) {
    Aml aml = {.depth = 0};
    aml_begin_scope(&aml, "\\_SB");
    add_pci_root(&aml, config);
    add_links(&aml);
    if (config->has_hpet)
        add_hpet(&aml);
    aml_end(&aml);
    aml_begin_scope(&aml, "\\_PR");
    for (unsigned i = 0; i < config->processors; i++) {
        const char name[] = {'C', 'P', 'U', (char)('0' + i), '\0'};
        aml_processor(&aml, name, (uint8_t)i);
    }
    aml_end(&aml);
    aml_begin_scope(&aml, "\\_GPE");
    aml_name(&aml, "_HID");
    aml_string(&aml, "ACPI0006");
    aml_end(&aml);
    if (!config->no_suspend_to_ram)
        add_sleep_state(&aml, "\\_S3", 1);
    if (!config->no_suspend_to_disk)
        add_sleep_state(&aml, "\\_S4", 2);
    add_sleep_state(&aml, "\\_S5", 0);
    *code = aml.code;
}
