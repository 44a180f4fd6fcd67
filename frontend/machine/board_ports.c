/* Serial and parallel ports, the debug console, the debug exit and the POST card. */
#include "board_parts.h"
#include "debug_console.h"
#include "i8237.h"
#include "isa_debug_exit.h"
#include "machine_parts.h"
#include "parallel.h"
#include "post_log.h"
#include "pvpanic.h"
#include "uart16550.h"

#define PORT_DEBUG_CONSOLE 0xE9
#define PORT_FIRMWARE_LOG 0x402

static void write_byte(void *opaque, uint8_t byte) {
    const ByteSink *sink = opaque;
    if (sink->write != NULL)
        sink->write(sink->opaque, &byte, 1);
}

/* COM3 and COM4 share the requests of COM1 and COM2, each over a source of its own. */
static bool create_serial_port(Board *board, unsigned i, Error *error) {
    static const struct {
        const char *id;
        uint16_t port;
        uint8_t irq, source;
    } places[MACHINE_SERIAL_PORTS] = {{"serial0", 0x3F8, 4, IRQ_SOURCE_ISA},
                                      {"serial1", 0x2F8, 3, IRQ_SOURCE_ISA},
                                      {"serial2", 0x3E8, 4, IRQ_SOURCE_ISA_SHARED},
                                      {"serial3", 0x2E8, 3, IRQ_SOURCE_ISA_SHARED}};
    DeviceContext context = board_context(board);
    Uart16550Options options = {
        .id = places[i].id,
        .port = places[i].port,
        .irq = irq_lines_input(board->irq_lines, places[i].source, places[i].irq),
        .write = write_byte,
        .opaque = &board->machine->config.serial[i]};
    board->serial[i] = uart16550_create(&context, &options, error);
    board->machine->serial_feed[i].uart = board->serial[i];
    return board->serial[i] != NULL;
}

static bool create_parallel_port(Board *board, unsigned i, Error *error) {
    static const struct {
        const char *id;
        uint16_t port;
        uint8_t irq;
    } places[MACHINE_PARALLEL_PORTS] = {
        {"parallel0", 0x378, 7}, {"parallel1", 0x278, 5}, {"parallel2", 0x3BC, 7}};
    DeviceContext context = board_context(board);
    unsigned source = i == 2 ? IRQ_SOURCE_ISA_SHARED : IRQ_SOURCE_ISA;
    ParallelOptions options = {.id = places[i].id,
                               .port = places[i].port,
                               .irq = irq_lines_input(board->irq_lines, source, places[i].irq),
                               .write = write_byte,
                               .opaque = &board->machine->config.parallel[i]};
    board->parallel[i] = parallel_create(&context, &options, error);
    return board->parallel[i] != NULL;
}

static bool create_debug_ports(Board *board, Error *error) {
    MachineConfig *config = &board->machine->config;
    DeviceContext context = board_context(board);
    if (config->debug_console.write != NULL) {
        board->debug_console = debug_console_create(&context, PORT_DEBUG_CONSOLE, write_byte,
                                                    &config->debug_console, error);
        if (board->debug_console == NULL)
            return false;
    }
    if (config->firmware_log.write != NULL) {
        board->firmware_log = debug_console_create(&context, PORT_FIRMWARE_LOG, write_byte,
                                                   &config->firmware_log, error);
        if (board->firmware_log == NULL)
            return false;
    }
    if (config->has_pvpanic) {
        board->pvpanic =
            pvpanic_create(&context, config->pvpanic_port, (uint8_t)config->pvpanic_events,
                           machine_panic, board->machine, error);
        if (board->pvpanic == NULL)
            return false;
    }
    if (!config->has_debug_exit)
        return true;
    board->debug_exit =
        isa_debug_exit_create(&context, config->debug_exit_port, config->debug_exit_size,
                              machine_debug_exit, board->machine, error);
    return board->debug_exit != NULL;
}

static bool create_post_log(Board *board, Error *error) {
    DeviceContext context = board_context(board);
    board->post_log = post_log_create(&context, &board->machine->config.post, error);
    if (board->post_log == NULL)
        return false;
    i8237_watch_port_80(board->dma, post_log_write_at, board->post_log);
    return true;
}

bool board_create_ports(Board *board, Error *error) {
    const MachineConfig *config = &board->machine->config;
    for (unsigned i = 0; i < MACHINE_SERIAL_PORTS; i++) {
        if (config->has_serial[i] && !create_serial_port(board, i, error))
            return false;
    }
    for (unsigned i = 0; i < MACHINE_PARALLEL_PORTS; i++) {
        if (config->has_parallel[i] && !create_parallel_port(board, i, error))
            return false;
    }
    return create_debug_ports(board, error) && create_post_log(board, error);
}

void board_destroy_ports(Board *board) {
    for (unsigned i = 0; i < MACHINE_SERIAL_PORTS; i++)
        uart16550_destroy(board->serial[i]);
    for (unsigned i = 0; i < MACHINE_PARALLEL_PORTS; i++)
        parallel_destroy(board->parallel[i]);
    debug_console_destroy(board->debug_console);
    debug_console_destroy(board->firmware_log);
    isa_debug_exit_destroy(board->debug_exit);
    pvpanic_destroy(board->pvpanic);
    post_log_destroy(board->post_log);
}
