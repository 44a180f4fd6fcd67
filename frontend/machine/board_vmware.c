/* VMware's port: its calls take and give the registers of the processor that reads it. */
#include "board_parts.h"
#include "cpu_model.h"
#include "local_apic.h"
#include "machine_clipboard.h"
#include "machine_parts.h"
#include "vmware_port.h"

enum { PORTS = 4 };

static uint32_t port_read(void *opaque, uint32_t offset, unsigned size) {
    Board *board = opaque;
    uint64_t *gpr = board->machine->cpu->state.gpr;
    if (offset != 0 || size != 4 || (uint32_t)gpr[REG_EAX] != VMWARE_MAGIC)
        return UINT32_MAX >> (32 - 8 * size);
    VmwareRegisters registers = {(uint32_t)gpr[REG_EAX], (uint32_t)gpr[REG_EBX],
                                 (uint32_t)gpr[REG_ECX], (uint32_t)gpr[REG_EDX],
                                 (uint32_t)gpr[REG_ESI], (uint32_t)gpr[REG_EDI]};
    vmware_port_call(board->vmware_port, &registers);
    gpr[REG_EBX] = registers.ebx;
    gpr[REG_ECX] = registers.ecx;
    gpr[REG_EDX] = registers.edx;
    gpr[REG_ESI] = registers.esi;
    gpr[REG_EDI] = registers.edi;
    return registers.eax; /* IN puts it into EAX */
}

static void copied(void *opaque, const uint8_t *text, size_t size) {
    machine_clipboard_put(opaque, text, size);
}

bool board_create_vmware(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    DeviceContext context = board_context(board);
    if (config->no_vmware_port)
        return true;
    board->vmware_port = vmware_port_create(
        &context, &(VmwarePortOptions){.mouse = board->mouse,
                                       .ram_bytes = config->ram_bytes,
                                       .tsc_hz = board->machine->cpu->model->tsc_hz,
                                       .apic_hz = LOCAL_APIC_HZ,
                                       .no_clipboard = config->no_clipboard,
                                       .copied = copied,
                                       .opaque = board->machine});
    return port_map_add(context.ports,
                        &(PortRange){.name = "vmport",
                                     .first = VMWARE_PORT,
                                     .count = PORTS,
                                     .widths = PORT_8 | PORT_16 | PORT_32,
                                     .read = port_read,
                                     .opaque = board},
                        error);
}

void board_destroy_vmware(Board *board) {
    if (board->vmware_port != NULL)
        port_map_remove(board->machine->ports, VMWARE_PORT, board);
    vmware_port_destroy(board->vmware_port);
}
