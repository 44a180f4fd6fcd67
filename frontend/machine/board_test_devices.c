/* The devices that suites of test kernels ask for on their command lines. */
#include "board_parts.h"
#include "io_apic.h"
#include "machine_parts.h"
#include "pc_testdev.h"
#include "pci_testdev.h"

enum { FIRST_SLOT = 2, SLOTS = 32 };

/* Request lines as ISA devices drive them; the I/O APIC's further pins where there is one. */
static bool create_pc_testdev(Board *board, Error *error) {
    DeviceContext context = board_context(board);
    Wire lines[PC_TESTDEV_LINES] = {{NULL, NULL, 0}};
    for (unsigned i = 0; i < PC_TESTDEV_LINES; i++) {
        if (i < IRQ_LINES)
            lines[i] = irq_lines_input(board->irq_lines, IRQ_SOURCE_TEST, i);
        else if (board->io_apic != NULL)
            lines[i] = (Wire){io_apic_set_pin, board->io_apic, (int)i};
    }
    board->pc_testdev = pc_testdev_create(&context, lines, error);
    return board->pc_testdev != NULL;
}

static bool create_pci_testdev(Board *board, Error *error) {
    DeviceContext context = board_context(board);
    unsigned slot = FIRST_SLOT;
    while (slot < SLOTS - 1 && pci_bus_device(board->pci, slot, 0) != NULL)
        slot++;
    board->pci_testdev = pci_testdev_create(&context, board->pci, slot, error);
    return board->pci_testdev != NULL;
}

bool board_create_test_devices(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    return (!config->has_pc_testdev || create_pc_testdev(board, error)) &&
           (!config->has_pci_testdev || create_pci_testdev(board, error));
}

void board_destroy_test_devices(Board *board) {
    pci_testdev_destroy(board->pci_testdev);
    pc_testdev_destroy(board->pc_testdev);
}
