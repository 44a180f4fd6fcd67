/* What is plugged where: an i440FX board with a PIIX3, slots as in QEMU's 'pc'; or, without the
 * chips in slots, an ISA board as QEMU's 'isapc'.
 *
 *   slot 0    i440FX host bridge          IRQ 0  timer          IRQ 8  clock
 *   slot 1.0  PIIX3 ISA bridge            IRQ 1  keyboard       IRQ 9  ACPI
 *   slot 1.1  PIIX3 IDE                   IRQ 3  COM2, COM4     IRQ 12 mouse
 *   slot 1.2  PIIX3 USB (if asked for)
 *   slot 1.3  PIIX4 power management      IRQ 4  COM1, COM3     IRQ 13 FPU
 *   slot 2    VGA                         IRQ 6  floppy         IRQ 14 IDE 0
 *                                         IRQ 7  LPT1           IRQ 15 IDE 1 */
#include "board.h"
#include "a20_gate.h"
#include "board_parts.h"
#include "fw_cfg.h"
#include "host_string.h"
#include "hpet.h"
#include "i440fx.h"
#include "i8042.h"
#include "i8237.h"
#include "i8254.h"
#include "io_apic.h"
#include "isa_board.h"
#include "machine_parts.h"
#include "mc146818.h"
#include "pc_speaker.h"
#include "pci.h"
#include "piix3.h"
#include "piix4_pm.h"
#include "port92.h"
#include "ps2_keyboard.h"
#include "ps2_mouse.h"
#include "vga.h"

#include <time.h>

enum {
    IRQ_TIMER = 0,
    IRQ_KEYBOARD = 1,
    IRQ_CLOCK = 8,
    IRQ_ACPI = 9,
    IRQ_MOUSE = 12,
};

#define SLOT_VGA 2
/* The pin of the I/O APIC that the HPET's timers may use. */
#define HPET_ROUTE 2

DeviceContext board_context(const Board *board) {
    Machine *machine = board->machine;
    return (DeviceContext){&machine->clock, machine->ports, machine->memory, &machine->devices,
                           &machine->trace};
}

Wire board_isa_irq(Board *board, unsigned irq) {
    return irq_lines_input(board->irq_lines, IRQ_SOURCE_ISA, irq);
}

static Wire reset_wire(Board *board) {
    return (Wire){machine_reset_pin, board->machine, 0};
}

static bool create_pci_bridges(Board *board, Error *error) {
    DeviceContext context = board_context(board);
    Wire reset = reset_wire(board);
    board->pci = pci_bus_create(&context, error);
    if (board->pci == NULL)
        return false;
    board->a20_gate = a20_gate_create(&context);
    board->host_bridge = i440fx_create(&context, board->pci, (uint8_t *)board->bios->data,
                                       (uint32_t)board->bios->size, error);
    if (board->host_bridge == NULL || !board_create_interrupts(board, error))
        return false;
    for (unsigned i = 0; i < board->machine->processor_count; i++)
        board->machine->processor[i].cpu->smiact = (Wire){i440fx_set_smiact, board->host_bridge, 0};
    Wire pci_irqs[IRQ_LINES];
    for (unsigned irq = 0; irq < IRQ_LINES; irq++)
        pci_irqs[irq] = irq_lines_input(board->irq_lines, IRQ_SOURCE_PCI, irq);
    board->isa_bridge = piix3_create(&context, board->pci, pci_irqs, &reset, error);
    if (board->isa_bridge == NULL)
        return false;
    if (!board->machine->config.has_acpi)
        return true;
    Piix4PmOptions power = {.smi = {cpu_set_smi, board->machine->cpu, 0},
                            .sci = irq_lines_input(board->irq_lines, IRQ_SOURCE_POWER, IRQ_ACPI),
                            .power_off = machine_power_off,
                            .power_off_opaque = board->machine,
                            .suspend = machine_suspend,
                            .wake = machine_wake_pin,
                            .suspend_opaque = board->machine};
    board->power_management = piix4_pm_create(&context, board->pci, &power, error);
    return board->power_management != NULL;
}

static bool create_bridges(Board *board, Error *error) {
    DeviceContext context = board_context(board);
    if (board->machine->config.has_pci)
        return create_pci_bridges(board, error);
    board->a20_gate = a20_gate_create(&context);
    return isa_board_check_firmware(board, error) && board_create_interrupts(board, error);
}

static int64_t first_time(const MachineConfig *config) {
    time_t now = time(NULL);
    struct tm local;
    switch (config->rtc_base) {
    case RTC_BASE_SECONDS:
        return config->rtc_seconds;
    case RTC_BASE_LOCALTIME:
        localtime_r(&now, &local);
        return (int64_t)now + host_string_ahead_of_utc(&local);
    case RTC_BASE_UTC:
        return now;
    default:
        return config->icount ? RTC_FIXED_SECONDS : (int64_t)now;
    }
}

/* Without it the 8254 and the clock chip drive their requests themselves. */
static bool create_hpet(Board *board, Wire *timer_irq, Wire *clock_irq, Error *error) {
    DeviceContext context = board_context(board);
    HpetOptions options = {.irq0 = *timer_irq, .irq8 = *clock_irq};
    if (!board->machine->config.has_hpet)
        return true;
    if (board->io_apic != NULL) {
        options.route_mask = 1u << HPET_ROUTE;
        options.routes[HPET_ROUTE] = (Wire){io_apic_set_pin, board->io_apic, HPET_ROUTE};
    }
    board->hpet = hpet_create(&context, &options, error);
    if (board->hpet == NULL)
        return false;
    *timer_irq = hpet_irq0_input(board->hpet);
    *clock_irq = hpet_irq8_input(board->hpet);
    return true;
}

/* The clock's alarm may wake the machine. */
static void set_clock_irq(void *opaque, int line, int level) {
    Board *board = opaque;
    (void)line;
    if (level && board->power_management != NULL)
        piix4_pm_clock_alarm(board->power_management);
    wire_set(&board->clock_irq, level);
}

static bool create_timers(Board *board, Error *error) {
    DeviceContext context = board_context(board);
    Wire timer_irq = board_isa_irq(board, IRQ_TIMER);
    Wire clock_irq = board_isa_irq(board, IRQ_CLOCK);
    if (!create_hpet(board, &timer_irq, &clock_irq, error))
        return false;
    board->pit = i8254_create(&context, &timer_irq, error);
    if (board->pit == NULL)
        return false;
    board->speaker =
        pc_speaker_create(&context, board->pit, board_mixer(board, SOUND_SPEAKER), error);
    board->clock_irq = clock_irq;
    clock_irq = (Wire){set_clock_irq, board, 0};
    board->rtc = mc146818_create(&context, &clock_irq, error);
    board->dma = i8237_create(&context, error);
    if (board->rtc == NULL || board->speaker == NULL || board->dma == NULL)
        return false;
    mc146818_set_time(board->rtc, first_time(&board->machine->config));
    return true;
}

static bool create_keyboard(Board *board, Error *error) {
    DeviceContext context = board_context(board);
    Wire reset = reset_wire(board);
    Wire a20 = {a20_gate_set_pin, board->a20_gate, 0};
    I8042Wires wires = {.irq1 = board_isa_irq(board, IRQ_KEYBOARD),
                        .irq12 = board_isa_irq(board, IRQ_MOUSE),
                        .a20 = a20,
                        .reset = reset};
    board->keyboard = ps2_keyboard_create(&context, error);
    board->mouse = ps2_mouse_create(&context, error);
    if (board->keyboard == NULL || board->mouse == NULL)
        return false;
    board->keyboard_controller =
        i8042_create(&context, &wires, board->keyboard, board->mouse, error);
    Wire port92_a20 = {a20_gate_set_pin, board->a20_gate, 1};
    board->port92 = port92_create(&context, &port92_a20, &reset, error);
    return board->keyboard_controller != NULL && board->port92 != NULL &&
           board_create_vmware(board, error);
}

static bool create_display(Board *board, Error *error) {
    DeviceContext context = board_context(board);
    if (!board->machine->config.has_vga)
        return true;
    VgaConfig config = board->machine->config.vga;
    if (config.slot == 0)
        config.slot = SLOT_VGA;
    config.rom = board->vga_bios->size > 0 ? board->vga_bios->data : NULL;
    config.rom_size = (uint32_t)board->vga_bios->size;
    board->vga = vga_create(&context, board->pci, &config, error);
    return board->vga != NULL;
}

static bool create_chips(Board *board, const KernelImage *kernel, Error *error) {
    return create_bridges(board, error) && create_timers(board, error) &&
           create_keyboard(board, error) && board_create_fw_cfg(board, error) &&
           board_offer_kernel(board, kernel, error) && create_display(board, error) &&
           board_create_storage(board, error) && board_create_network(board, error) &&
           board_create_ports(board, error) && board_create_sound(board, error) &&
           board_create_usb(board, error) && board_create_test_devices(board, error);
}

static void reset_chips(Board *board) {
    Machine *machine = board->machine;
    device_list_reset(&machine->devices);
    if (!machine->config.has_pci)
        isa_board_load_bios(board);
    machine_reset_processors(machine);
}

bool board_create(Machine *machine, Error *error) {
    Board *board = &machine->board;
    KernelImage kernel = {.entry = 0};
    board->machine = machine;
    /* Everything that may not be there comes first, so that a wrong name costs nothing. */
    board_create_mixers(board);
    bool good = isa_board_check_config(&machine->config, error) && board_open_media(board, error) &&
                board_load_kernel(board, &kernel, error) && board_load_firmware(board, error) &&
                create_chips(board, &kernel, error);
    kernel_image_free(&kernel);
    if (!good)
        return false;
    board_fill_cmos(board);
    reset_chips(board);
    return true;
}

void board_destroy(Board *board) {
    board_flush_mixers(board);
    board_destroy_test_devices(board);
    board_destroy_usb(board);
    board_destroy_vmware(board);
    board_destroy_sound(board);
    board_destroy_ports(board);
    board_destroy_network(board);
    board_destroy_storage(board);
    vga_destroy(board->vga);
    fw_cfg_destroy(board->fw_cfg);
    port92_destroy(board->port92);
    i8042_destroy(board->keyboard_controller);
    ps2_mouse_destroy(board->mouse);
    ps2_keyboard_destroy(board->keyboard);
    i8237_destroy(board->dma);
    mc146818_destroy(board->rtc);
    pc_speaker_destroy(board->speaker);
    i8254_destroy(board->pit);
    hpet_destroy(board->hpet);
    piix4_pm_destroy(board->power_management);
    piix3_destroy(board->isa_bridge);
    board_destroy_interrupts(board);
    i440fx_destroy(board->host_bridge);
    a20_gate_destroy(board->a20_gate);
    if (board->pci != NULL)
        pci_bus_destroy(board->pci);
    board_free_firmware(board);
    board_destroy_mixers(board);
}

void board_reset(Board *board) {
    board_end_boot_once(board);
    reset_chips(board);
}

bool board_is_asleep(const Board *board) {
    return board->power_management != NULL && piix4_pm_is_asleep(board->power_management);
}

/* The host bridge keeps the shadow of the BIOS in RAM: only there does SeaBIOS know that it ran
 * already, and reads in CMOS that it is to resume. */
void board_wake(Board *board) {
    enum { PAM = 0x59, PAMS = 7, CMOS_SHUTDOWN = 0x0F, RESUME = 0xFE };
    PciDevice *bridge = pci_bus_device(board->pci, 0, 0);
    uint16_t cause = piix4_pm_wake_cause(board->power_management);
    uint8_t pam[PAMS];
    for (unsigned i = 0; i < PAMS; i++)
        pam[i] = (uint8_t)pci_device_config_read(bridge, PAM + i, 1);
    board_reset(board);
    for (unsigned i = 0; i < PAMS; i++)
        pci_device_config_write(bridge, PAM + i, 1, pam[i]);
    mc146818_set_cmos(board->rtc, CMOS_SHUTDOWN, RESUME);
    piix4_pm_woken(board->power_management, cause);
}

bool board_render(Board *board, DisplaySurface *surface) {
    return board->vga != NULL && vga_render(board->vga, surface);
}

bool board_get_text(Board *board, ByteBuffer *text) {
    return board->vga != NULL && vga_get_text(board->vga, text);
}

void board_get_text_cell(Board *board, uint32_t *width, uint32_t *height) {
    vga_get_text_cell(board->vga, width, height);
}

void board_power_button(Board *board) {
    if (board->power_management != NULL)
        piix4_pm_press_power_button(board->power_management);
}

void board_sleep_button(Board *board) {
    if (board->power_management != NULL)
        piix4_pm_press_sleep_button(board->power_management);
}
