/* The way of an interrupt over the board: from request lines to the 8259 pair and the I/O APIC,
 * from those to the local APICs, and to the processors.
 *
 *   request line n --+-- 8259 pair, pin n ------ LINT0 --+
 *                    |                                   local APIC -- INTR -- processor
 *                    +-- I/O APIC, pin n - messages -----+
 *            messages of PCI devices --------------------+
 *
 * The timer's line 0 is at pin 2 of the I/O APIC and INTR of the 8259 pair at pin 0, as firmware's
 * tables say. A processor without a local APIC has the 8259 pair at its INTR, and no I/O APIC; nor
 * has an ISA board one. */
#include "board_parts.h"
#include "cpu_feature.h"
#include "cpu_model.h"
#include "fpu_error_port.h"
#include "i8259.h"
#include "io_apic.h"
#include "local_apic.h"
#include "machine_parts.h"
#include "x87.h"

enum {
    IRQ_TIMER = 0,
    IRQ_CASCADE = 2,
    IRQ_FPU = 13,
    IO_APIC_PIN_8259 = 0,
    IO_APIC_PIN_TIMER = 2,
};

static int acknowledge_8259(void *opaque) {
    const Board *board = opaque;
    return i8259_acknowledge(board->pic);
}

/* All processors' pins LINT0, or LINT1, are one wire. */
static void set_lint(Board *board, int line, int level) {
    for (unsigned i = 0; i < board->machine->processor_count; i++)
        local_apic_set_lint(board->local_apic[i], line, level);
}

static void set_8259_output(void *opaque, int line, int level) {
    Board *board = opaque;
    (void)line;
    if (board->local_apics == NULL) {
        cpu_set_intr(board->machine->cpu, 0, level);
        return;
    }
    set_lint(board, 0, level);
    if (board->io_apic != NULL)
        io_apic_set_pin(board->io_apic, IO_APIC_PIN_8259, level);
}

static void set_request_line(void *opaque, int line, int level) {
    Board *board = opaque;
    i8259_set_irq(board->pic, line, level);
    if (board->io_apic != NULL && line != IRQ_CASCADE)
        io_apic_set_pin(board->io_apic, line == IRQ_TIMER ? IO_APIC_PIN_TIMER : line, level);
}

void board_set_nmi(Board *board, int level) {
    if (board->local_apics != NULL)
        set_lint(board, 1, level);
    else
        cpu_set_nmi(board->machine->cpu, 0, level);
}

static void end_of_interrupt(void *opaque, uint8_t vector) {
    const Board *board = opaque;
    if (board->io_apic != NULL)
        io_apic_end_of_interrupt(board->io_apic, vector);
}

static uint64_t read_tsc(void *opaque) {
    return cpu_read_tsc(opaque);
}

static bool create_local_apic(Board *board, Cpu *cpu, Error *error) {
    DeviceContext context = board_context(board);
    LocalApicPins pins = {
        .intr = {cpu_set_intr, cpu, 0},
        .nmi = {cpu_set_nmi, cpu, 0},
        .smi = {cpu_set_smi, cpu, 0},
        .init = {cpu_set_init, cpu, 0},
        .startup = cpu_start_up,
        .acknowledge_external = i8259_acknowledge,
        .external = board->pic,
        .end_of_interrupt = end_of_interrupt,
        .io_apic = board,
        .has_x2apic = cpu_has(cpu, FEATURE_X2APIC),
        .has_tsc_deadline = cpu_has(cpu, FEATURE_TSC_DEADLINE),
        .read_tsc = read_tsc,
        .processor = cpu,
        .tsc_hz = cpu->model->tsc_hz,
    };
    LocalApic *apic =
        local_apic_create(&context, board->local_apics, &cpu->msrs, cpu->number, &pins, error);
    if (apic == NULL)
        return false;
    board->local_apic[cpu->number] = apic;
    cpu->performance_interrupt = (Wire){local_apic_performance_interrupt, apic, 0};
    cpu->tsc_changed = (Wire){local_apic_tsc_changed, apic, 0};
    cpu->acknowledge_interrupt = local_apic_acknowledge;
    cpu->acknowledge_opaque = apic;
    return true;
}

static bool create_apics(Board *board, Error *error) {
    DeviceContext context = board_context(board);
    Machine *machine = board->machine;
    Wire notice = {machine_end_turn, machine, 0};
    board->local_apics = local_apic_group_create(context.memory);
    local_apic_group_set_notice(board->local_apics, &notice);
    for (unsigned i = 0; i < machine->processor_count; i++)
        if (!create_local_apic(board, machine->processor[i].cpu, error))
            return false;
    if (!machine->config.has_pci)
        return true;
    ApicBus bus = {local_apic_group_send, board->local_apics};
    pci_bus_set_message_bus(board->pci, &bus);
    board->io_apic = io_apic_create(&context, &bus, error);
    return board->io_apic != NULL;
}

bool board_create_interrupts(Board *board, Error *error) {
    DeviceContext context = board_context(board);
    Cpu *cpu = board->machine->cpu;
    Wire output = {set_8259_output, board, 0};
    cpu->acknowledge_interrupt = acknowledge_8259;
    cpu->acknowledge_opaque = board;
    board->pic = i8259_create(&context, &output, error);
    if (board->pic == NULL || (cpu_has(cpu, FEATURE_APIC) && !create_apics(board, error)))
        return false;
    Wire outputs[IRQ_LINES];
    for (int irq = 0; irq < IRQ_LINES; irq++)
        outputs[irq] = (Wire){set_request_line, board, irq};
    board->irq_lines = irq_lines_create(&context, outputs);
    cpu->ferr = board_isa_irq(board, IRQ_FPU);
    Wire ignne = {x87_set_ignne, cpu, 0};
    board->fpu_error_port = fpu_error_port_create(&context, &ignne, error);
    return board->fpu_error_port != NULL;
}

void board_destroy_interrupts(Board *board) {
    irq_lines_destroy(board->irq_lines);
    io_apic_destroy(board->io_apic);
    for (unsigned i = 0; i < MACHINE_PROCESSORS; i++)
        local_apic_destroy(board->local_apic[i]);
    local_apic_group_destroy(board->local_apics);
    i8259_destroy(board->pic);
    fpu_error_port_destroy(board->fpu_error_port);
}
