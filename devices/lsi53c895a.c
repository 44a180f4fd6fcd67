#include "lsi53c895a.h"
#include "allocate.h"
#include "dma_list.h"
#include "little_endian.h"
#include "lsi53c895a_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VENDOR_ID = 0x1000, DEVICE_ID = 0x0012, CLASS_SCSI = 0x010000 };
enum { MAPPED_BYTES = 4096 }; /* the registers again and again */

#define START_NS 1000 /* from the processor's signal to the first instruction */

/* The general purpose timer counts so many of the SCSI clock's divided by SCNTL3's lower bits, at
 * its shortest (STIME1); as drivers measure the clock by it. */
#define CLOCK_HZ 40000000
#define GENERAL_CLOCKS 1447

static const Field field_rows[] = {
    FIELD(LsiState, U64, due_ns),
    FIELD(LsiState, U64, general_due_ns),
    FIELD(LsiState, U64, select_due_ns),
    FIELD(LsiState, U32, instruction),
    FIELD(LsiState, U32, instruction_address),
    FIELD_BYTES_OF(LsiState, registers),
    FIELD_BYTES_OF(LsiState, ram),
    FIELD_BYTES_OF(LsiState, command),
    FIELD_BYTES_OF(LsiState, message_in),
    FIELD_BYTES_OF(LsiState, message_out),
    FIELD(LsiState, U8, command_size),
    FIELD(LsiState, U8, message_in_size),
    FIELD(LsiState, U8, message_in_position),
    FIELD(LsiState, U8, message_out_size),
    FIELD(LsiState, U8, target),
    FIELD(LsiState, U8, lun),
    FIELD(LsiState, U8, connected),
    FIELD(LsiState, U8, phase),
    FIELD(LsiState, U8, begun),
    FIELD(LsiState, U8, frees),
    FIELD(LsiState, U8, acknowledges),
    FIELD(LsiState, U8, attention),
    FIELD(LsiState, U8, running),
    FIELD(LsiState, U8, waits),
    FIELD(LsiState, U8, carry),
    FIELD_PADDING(LsiState, padding),
    FIELD_END,
};
static const FieldTable fields = {"lsi53c895a", 1, sizeof(LsiState), field_rows};

uint32_t lsi_get(const Lsi *lsi, unsigned offset) {
    return load_le32(lsi->state.registers + offset);
}

void lsi_put(Lsi *lsi, unsigned offset, uint32_t value) {
    store_le32(lsi->state.registers + offset, value);
}

void lsi_update_pin(Lsi *lsi) {
    const uint8_t *registers = lsi->state.registers;
    bool any = (registers[LSI_DSTAT] & registers[LSI_DIEN] & ~DSTAT_FIFO_EMPTY) != 0 ||
               (registers[LSI_SIST0] & registers[LSI_SIEN0]) != 0 ||
               (registers[LSI_SIST1] & registers[LSI_SIEN1]) != 0 ||
               (registers[LSI_ISTAT0] & ISTAT0_ON_THE_FLY) != 0;
    pci_device_set_pin(lsi->pci, 0, any && !(registers[LSI_DCNTL] & DCNTL_NO_IRQ));
}

void lsi_stop(Lsi *lsi) {
    lsi->state.running = 0;
    lsi->state.waits = LSI_WAITS_NOT;
    timer_cancel(&lsi->timer);
}

void lsi_dma_interrupt(Lsi *lsi, uint8_t status) {
    lsi->state.registers[LSI_DSTAT] |= status;
    lsi_stop(lsi);
    lsi_update_pin(lsi);
}

void lsi_scsi_interrupt(Lsi *lsi, uint8_t status0, uint8_t status1) {
    uint8_t *registers = lsi->state.registers;
    registers[LSI_SIST0] |= status0;
    registers[LSI_SIST1] |= status1;
    if (((SIST0_FATAL | registers[LSI_SIEN0]) & status0) ||
        ((SIST1_FATAL | registers[LSI_SIEN1]) & status1))
        lsi_stop(lsi);
    lsi_update_pin(lsi);
}

void lsi_wake(Lsi *lsi, int64_t ns) {
    int64_t due = clock_now_ns(lsi->context.clock) + ns;
    if (lsi->state.running && lsi->state.due_ns > due)
        timer_arm(&lsi->timer, due);
}

static void timer_fired(void *opaque) {
    Lsi *lsi = opaque;
    if (!lsi->state.running || !pci_device_is_master(lsi->pci))
        return;
    lsi->working = true;
    lsi_run_scripts(lsi);
    lsi->working = false;
}

static void target_ready(void *opaque) {
    lsi_wake(opaque, 0);
}

static void general_timer_fired(void *opaque) {
    lsi_scsi_interrupt(opaque, 0, SIST1_GENERAL);
}

static void select_timer_fired(void *opaque) {
    lsi_scsi_interrupt(opaque, 0, SIST1_TIMEOUT);
}

/* By the clock, which can be multiplied, and the divider of SCNTL3. */
static void start_general_timer(Lsi *lsi, unsigned length) {
    static const uint8_t halves[8] = {6, 2, 3, 4, 6, 8, 12, 16}; /* by CCF, in halves */
    const uint8_t *registers = lsi->state.registers;
    if (length == 0) {
        timer_cancel(&lsi->general_timer);
        return;
    }
    unsigned multiplier = (registers[LSI_STEST1] & STEST1_MULTIPLIES) == STEST1_MULTIPLIES ? 4 : 1;
    int64_t clocks = (int64_t)GENERAL_CLOCKS << length;
    int64_t ns = clock_scale(clocks * halves[registers[LSI_SCNTL3] & 7], NS_PER_SECOND,
                             2LL * CLOCK_HZ * multiplier);
    timer_arm(&lsi->general_timer, clock_now_ns(lsi->context.clock) + ns);
}

static void reset_bus(Lsi *lsi) {
    lsi_bus_reset(lsi);
    lsi->state.registers[LSI_SSTAT0] |= SSTAT0_RESET;
    lsi_scsi_interrupt(lsi, SIST0_RESET, 0);
}

/* By a bit of ISTAT0, or with the board: the RAM stays. */
static void reset_chip(Lsi *lsi) {
    LsiState *state = &lsi->state;
    lsi_bus_disconnect(lsi);
    lsi_stop(lsi);
    timer_cancel(&lsi->general_timer);
    memset(state->registers, 0, sizeof(state->registers));
    state->registers[LSI_SCNTL0] = 0xC0;
    state->registers[LSI_DSTAT] = DSTAT_FIFO_EMPTY;
    state->registers[LSI_CTEST0] = 0xFF;
    state->registers[LSI_CTEST1] = 0xF0;
    state->registers[LSI_MACNTL] = 0xD0;
    state->registers[LSI_GPCNTL] = 0x0F;
    state->registers[LSI_STEST0] = 0x07;
    state->phase = state->carry = 0;
    state->command_size = state->message_out_size = 0;
    state->target = state->lun = 0;
    state->instruction = state->instruction_address = 0;
    lsi_update_pin(lsi);
}

static void start(Lsi *lsi) {
    lsi->state.running = 1;
    lsi->state.waits = LSI_WAITS_NOT;
    timer_cancel(&lsi->timer);
    lsi_wake(lsi, START_NS);
}

/* Registers of which the chip has bits of its own, by their numbers. */
static uint8_t read_istat0(const Lsi *lsi) {
    const uint8_t *registers = lsi->state.registers;
    uint8_t value = registers[LSI_ISTAT0] & (ISTAT0_ABORT | ISTAT0_RESET | ISTAT0_SIGNAL |
                                             ISTAT0_SEMAPHORE | ISTAT0_ON_THE_FLY);
    if (lsi->state.connected)
        value |= ISTAT0_CONNECTED;
    if (registers[LSI_SIST0] != 0 || registers[LSI_SIST1] != 0)
        value |= ISTAT0_SCSI;
    if (registers[LSI_DSTAT] & ~DSTAT_FIFO_EMPTY)
        value |= ISTAT0_DMA;
    return value;
}

static uint8_t read_and_clear(Lsi *lsi, unsigned offset, uint8_t kept) {
    uint8_t value = lsi->state.registers[offset];
    lsi->state.registers[offset] &= kept;
    lsi_update_pin(lsi);
    return value;
}

static uint8_t read_ctest2(Lsi *lsi) {
    uint8_t *istat = &lsi->state.registers[LSI_ISTAT0];
    uint8_t value = lsi->state.registers[LSI_CTEST2] & CTEST2_SHOWS_BASES;
    if (*istat & ISTAT0_SIGNAL)
        value |= CTEST2_SIGNAL;
    *istat &= (uint8_t)~ISTAT0_SIGNAL;
    return value | 0x30; /* both kinds of BARs are set up */
}

/* SCRATCHA and SCRATCHB can show where registers and RAM are. */
static uint8_t read_scratch(const Lsi *lsi, unsigned offset) {
    bool shows = (lsi->state.registers[LSI_CTEST2] & CTEST2_SHOWS_BASES) != 0;
    unsigned bar = offset < LSI_SCRATCHB ? LSI_BAR_REGISTERS : LSI_BAR_RAM;
    uint32_t base = 0;
    if (!shows)
        return lsi->state.registers[offset];
    pci_device_bar_base(lsi->pci, bar, &base);
    return (uint8_t)(base >> 8 * (offset % 4));
}

uint8_t lsi_read_register(Lsi *lsi, unsigned offset) {
    const uint8_t *registers = lsi->state.registers;
    offset %= LSI_REGISTERS;
    switch (offset) {
    case LSI_SBCL:
        return registers[LSI_SCNTL1] & SCNTL1_RESET ? 0 : lsi_bus_lines(lsi);
    case LSI_DSTAT:
        return read_and_clear(lsi, offset, DSTAT_FIFO_EMPTY);
    case LSI_SIST0:
    case LSI_SIST1:
        return read_and_clear(lsi, offset, 0);
    case LSI_ISTAT0:
        return read_istat0(lsi);
    case LSI_ISTAT1:
        return lsi->state.running ? ISTAT1_RUNS : 0;
    case LSI_GPREG: /* pins that are inputs have nothing connected, and read as ones */
        return (registers[LSI_GPREG] | registers[LSI_GPCNTL]) & 0x1F;
    case LSI_CTEST2:
        return read_ctest2(lsi);
    case LSI_CTEST3:
        return (registers[LSI_CTEST3] & 0x03) | 0xA0; /* the revision */
    case LSI_STEST4: /* LVD, and the clock's multiplier is locked */
        return 0xE0;
    case LSI_SCRATCHA:
    case LSI_SCRATCHA + 1:
    case LSI_SCRATCHA + 2:
    case LSI_SCRATCHA + 3:
    case LSI_SCRATCHB:
    case LSI_SCRATCHB + 1:
    case LSI_SCRATCHB + 2:
    case LSI_SCRATCHB + 3:
        return read_scratch(lsi, offset);
    }
    return registers[offset];
}

static void write_scntl1(Lsi *lsi, uint8_t value) {
    uint8_t *now = &lsi->state.registers[LSI_SCNTL1];
    bool was_reset = *now & SCNTL1_RESET, resets = value & SCNTL1_RESET;
    *now = (uint8_t)((value & ~SCNTL1_CONNECTED) | (*now & SCNTL1_CONNECTED));
    if (resets && !was_reset)
        reset_bus(lsi);
    else if (!resets && was_reset)
        lsi->state.registers[LSI_SSTAT0] &= (uint8_t)~SSTAT0_RESET;
}

static void write_istat0(Lsi *lsi, uint8_t value) {
    uint8_t *now = &lsi->state.registers[LSI_ISTAT0];
    if ((value & ISTAT0_RESET) && !(*now & ISTAT0_RESET))
        reset_chip(lsi);
    uint8_t on_the_fly = *now & ISTAT0_ON_THE_FLY & ~value;
    *now = (value & (ISTAT0_ABORT | ISTAT0_RESET | ISTAT0_SIGNAL | ISTAT0_SEMAPHORE)) | on_the_fly;
    if (value & ISTAT0_ABORT)
        lsi_dma_interrupt(lsi, DSTAT_ABORTED);
    if ((value & ISTAT0_SIGNAL) && lsi->state.waits == LSI_WAITS_FOR_RESELECT)
        lsi_wake(lsi, START_NS);
    lsi_update_pin(lsi);
}

static void write_dcntl(Lsi *lsi, uint8_t value) {
    lsi->state.registers[LSI_DCNTL] = value & (uint8_t)~DCNTL_START;
    if ((value & DCNTL_START) && !lsi->state.running)
        start(lsi);
    lsi_update_pin(lsi);
}

void lsi_write_register(Lsi *lsi, unsigned offset, uint8_t value) {
    uint8_t *registers = lsi->state.registers;
    offset %= LSI_REGISTERS;
    switch (offset) {
    case LSI_SSID: /* read-only ones */
    case LSI_SBCL:
    case LSI_DSTAT:
    case LSI_SSTAT0:
    case LSI_SSTAT1:
    case LSI_SSTAT2:
    case LSI_ISTAT1:
    case LSI_CTEST1:
    case LSI_SIST0:
    case LSI_SIST1:
    case LSI_STEST0:
    case LSI_STEST4:
    case LSI_SIDL:
    case LSI_SIDL + 1:
    case LSI_SBDL:
    case LSI_SBDL + 1:
        return;
    case LSI_SCNTL1:
        write_scntl1(lsi, value);
        return;
    case LSI_SCNTL2: /* two bits are cleared by ones */
        registers[offset] =
            (uint8_t)((value & ~SCNTL2_RESIDUE) | (registers[offset] & SCNTL2_RESIDUE & ~value));
        return;
    case LSI_ISTAT0:
        write_istat0(lsi, value);
        return;
    case LSI_DCNTL:
        write_dcntl(lsi, value);
        return;
    case LSI_MACNTL:
        registers[offset] = (registers[offset] & 0xF0) | (value & 0x0F);
        return;
    case LSI_STEST3:
        registers[offset] = value & 0xFD; /* the FIFO is clear at once */
        return;
    }
    registers[offset] = value;
    if (offset == LSI_DSP + 3 && !(registers[LSI_DMODE] & DMODE_MANUAL) &&
        !(registers[LSI_DCNTL] & DCNTL_SINGLE_STEP))
        start(lsi);
    else if (offset == LSI_STIME1)
        start_general_timer(lsi, value & 0xF);
    else if (offset == LSI_DIEN || offset == LSI_SIEN0 || offset == LSI_SIEN1)
        lsi_update_pin(lsi);
}

static uint32_t registers_read(void *opaque, uint32_t offset, unsigned size) {
    uint32_t value = 0;
    Lsi *lsi = opaque;
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)(lsi->working ? 0xFF : lsi_read_register(lsi, offset + i)) << 8 * i;
    return value;
}

static void registers_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Lsi *lsi = opaque;
    for (unsigned i = 0; i < size && !lsi->working; i++)
        lsi_write_register(lsi, offset + i, (uint8_t)(value >> 8 * i));
}

static uint32_t ram_read(void *opaque, uint32_t offset, unsigned size) {
    const Lsi *lsi = opaque;
    return (uint32_t)load_le(lsi->state.ram + offset, size);
}

static void ram_write(void *opaque, uint32_t offset, unsigned size, uint32_t value) {
    Lsi *lsi = opaque;
    store_le(lsi->state.ram + offset, size, value);
}

/* Its own registers and memory answer it by another way than the bus. */
static bool is_within(const Lsi *lsi, unsigned bar, uint32_t bytes, uint32_t address, uint32_t size,
                      uint32_t *offset) {
    uint32_t base;
    if (!pci_device_bar_base(lsi->pci, bar, &base))
        return false;
    *offset = address - base;
    return *offset < bytes && size <= bytes - *offset;
}

void lsi_dma_read(Lsi *lsi, uint32_t address, void *data, uint32_t size) {
    uint32_t offset;
    if (is_within(lsi, LSI_BAR_RAM, LSI_RAM_BYTES, address, size, &offset)) {
        memcpy(data, lsi->state.ram + offset, size);
    } else if (is_within(lsi, LSI_BAR_REGISTERS, MAPPED_BYTES, address, size, &offset)) {
        for (uint32_t i = 0; i < size; i++)
            ((uint8_t *)data)[i] = lsi_read_register(lsi, address + i);
    } else {
        physical_read_bytes(lsi->context.memory, address, data, size);
    }
}

void lsi_dma_write(Lsi *lsi, uint32_t address, const void *data, uint32_t size) {
    uint32_t offset;
    if (is_within(lsi, LSI_BAR_RAM, LSI_RAM_BYTES, address, size, &offset)) {
        memcpy(lsi->state.ram + offset, data, size);
    } else if (is_within(lsi, LSI_BAR_REGISTERS, MAPPED_BYTES, address, size, &offset)) {
        for (uint32_t i = 0; i < size; i++)
            lsi_write_register(lsi, address + i, ((const uint8_t *)data)[i]);
    } else {
        physical_write_bytes(lsi->context.memory, address, data, size);
    }
}

/* It may master the bus now. */
static void config_space_written(void *opaque, unsigned offset, unsigned size) {
    if (offset != 0 || size != PCI_CONFIG_SIZE)
        lsi_wake(opaque, START_NS);
}

static void reset(void *opaque) {
    Lsi *lsi = opaque;
    reset_chip(lsi);
    memset(lsi->state.ram, 0, sizeof(lsi->state.ram));
}

/* Bounds what a damaged save may hold. */
static void restored(void *opaque) {
    Lsi *lsi = opaque;
    LsiState *state = &lsi->state;
    bool good = state->command_size <= SCSI_COMMAND_BYTES &&
                state->message_in_size <= LSI_MESSAGE_BYTES &&
                state->message_in_position <= state->message_in_size &&
                state->message_out_size < LSI_MESSAGE_BYTES && state->waits < LSI_WAITS &&
                state->target < LSI_TARGETS && state->phase <= PHASE_MESSAGE_IN &&
                (!state->connected || lsi->targets[state->target] != NULL);
    if (good)
        return;
    state->connected = 0;
    reset_chip(lsi);
}

static const DeviceClass device_class = {"lsi53c895a", &fields, reset, restored};

static void connect_targets(Lsi *lsi, const LsiOptions *options) {
    for (unsigned i = 0; i < LSI_TARGETS; i++) {
        lsi->targets[i] = options->targets[i];
        if (lsi->targets[i] == NULL)
            continue;
        lsi->targets[i]->ready = target_ready;
        lsi->targets[i]->host = lsi;
    }
}

Lsi *lsi_create(const DeviceContext *context, PciBus *bus, const LsiOptions *options,
                Error *error) {
    Lsi *lsi = allocate_zeroed(sizeof(*lsi));
    const PciDeviceInfo info = {
        .name = "lsi53c895a",
        .vendor_id = VENDOR_ID,
        .device_id = DEVICE_ID,
        .class_code = CLASS_SCSI,
        .subsystem_vendor_id = VENDOR_ID,
        .subsystem_id = 0x1000,
        .interrupt_pin = 1,
        .bars =
            {[LSI_BAR_PORTS] = {.type = PCI_BAR_IO, LSI_REGISTERS, registers_read, registers_write},
             [LSI_BAR_REGISTERS] =
                 {.type = PCI_BAR_MEMORY, MAPPED_BYTES, registers_read, registers_write},
             [LSI_BAR_RAM] = {.type = PCI_BAR_MEMORY, LSI_RAM_BYTES, ram_read, ram_write}},
        .opaque = lsi,
        .config_written = config_space_written,
    };
    lsi->context = *context;
    snprintf(lsi->id, sizeof(lsi->id), "%s", options->id);
    lsi->pci = pci_device_add(bus, options->slot, 0, &info, error);
    if (lsi->pci == NULL) {
        free(lsi);
        return NULL;
    }
    connect_targets(lsi, options);
    timer_init(&lsi->timer, context->clock, "lsi", &lsi->state.due_ns, timer_fired, lsi);
    timer_init(&lsi->general_timer, context->clock, "lsi general", &lsi->state.general_due_ns,
               general_timer_fired, lsi);
    timer_init(&lsi->select_timer, context->clock, "lsi selection", &lsi->state.select_due_ns,
               select_timer_fired, lsi);
    device_list_add(context->devices, &device_class, lsi->id, lsi, &lsi->state);
    reset(lsi);
    return lsi;
}

void lsi_destroy(Lsi *lsi) {
    free(lsi);
}
