#include "machine_config.h"

void machine_config_init(MachineConfig *config) {
    *config = (MachineConfig){
        .ram_bytes = MACHINE_RAM_DEFAULT,
        .cpu_model = "pentium4",
        .processors = 1,
        .translator = {.backend = translator_default_backend()},
        .boot_fail_wait_ms = UINT32_MAX,
        .has_vga = true,
        .has_pci = true,
        .has_acpi = true,
        .has_hpet = true,
        .debug_exit_port = 0x501,
        .debug_exit_size = 2,
        .trace_output = stderr,
    };
    for (int i = 0; i < MACHINE_FLOPPIES; i++)
        config->floppy[i].boot_index = -1;
    for (int i = 0; i < MACHINE_IDE_DRIVES; i++)
        config->ide[i].boot_index = -1;
    for (int i = 0; i < MACHINE_PCI_DISKS; i++)
        config->pci_disk[i].drive.boot_index = -1;
    for (int i = 0; i < MACHINE_NETWORK_CARDS; i++)
        config->network_card[i].boot_index = -1;
    config->floppy[0].present = true;
}
