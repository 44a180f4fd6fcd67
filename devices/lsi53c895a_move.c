/* Block moves: bytes pass between memory and the bus in the phase that the instruction names, and
 * where the target is in another one, or leaves it too early, that is a phase mismatch (technical
 * manual, 5.3 and the registers from C0h on). */
#include "dma_list.h"
#include "little_endian.h"
#include "lsi53c895a_internal.h"

#define BOUNCE_BYTES (64u << 10)
#define COUNT_MASK 0xFFFFFFu
enum { INDIRECT = 1 << 29, TABLE_INDIRECT = 1 << 28 };

static unsigned wanted_phase(const Lsi *lsi) {
    return lsi->state.instruction >> 24 & 7;
}

static bool is_inbound(unsigned phase) {
    return phase & 1; /* I/O */
}

static uint32_t count_of(const Lsi *lsi) {
    return lsi_get(lsi, LSI_DBC) & COUNT_MASK;
}

/* Two words: the count, and the address. */
static void read_table(Lsi *lsi, uint32_t offset, uint32_t *count, uint32_t *address) {
    uint8_t entry[8];
    uint32_t place = lsi_dsa_relative(lsi, offset);
    lsi_dma_read(lsi, place, entry, sizeof(entry));
    *count = load_le32(entry);
    *address = load_le32(entry + 4);
    lsi_put(lsi, LSI_ESA, place);
}

void lsi_begin_move(Lsi *lsi, uint32_t instruction, uint32_t address) {
    uint32_t count = instruction;
    lsi_put(lsi, LSI_ESA, lsi->state.instruction_address);
    if (instruction & TABLE_INDIRECT) {
        read_table(lsi, address, &count, &address);
    } else if (instruction & INDIRECT) {
        uint8_t pointer[4];
        lsi_dma_read(lsi, address, pointer, sizeof(pointer));
        address = load_le32(pointer);
    }
    lsi_put(lsi, LSI_DBC, (count & COUNT_MASK) | (instruction & ~COUNT_MASK));
    lsi_put(lsi, LSI_DNAD, address);
    lsi_put(lsi, LSI_RBC, count);
    lsi_put(lsi, LSI_UA, address);
    lsi_put(lsi, LSI_IA, lsi->state.instruction_address);
    lsi_put(lsi, LSI_SBC, 0);
    if (lsi->state.acknowledges)
        lsi_bus_release_acknowledge(lsi);
    /* Selected without ATN a target would want the command; SeaBIOS selects so and sends IDENTIFY.
     */
    if (wanted_phase(lsi) == PHASE_MESSAGE_OUT && lsi->state.connected && !lsi->state.begun &&
        lsi->state.command_size == 0)
        lsi->state.attention = 1;
    if (lsi->state.running)
        lsi->state.waits = LSI_WAITS_FOR_MOVE;
}

static void note_moved(Lsi *lsi, uint32_t bytes) {
    uint32_t left = count_of(lsi) - bytes;
    lsi_put(lsi, LSI_DBC, left | (lsi_get(lsi, LSI_DBC) & ~COUNT_MASK));
    lsi_put(lsi, LSI_DNAD, lsi_get(lsi, LSI_DNAD) + bytes);
    lsi_put(lsi, LSI_UA, lsi_get(lsi, LSI_UA) + bytes);
    lsi_put(lsi, LSI_RBC, left | (lsi_get(lsi, LSI_RBC) & ~COUNT_MASK));
    lsi_put(lsi, LSI_SBC, (lsi_get(lsi, LSI_SBC) + bytes) & COUNT_MASK);
    if (wanted_phase(lsi) <= PHASE_DATA_IN)
        lsi_put(lsi, LSI_CSBC, lsi_get(lsi, LSI_CSBC) + bytes);
    lsi->burst_bytes += bytes;
}

/* Moves what the target takes or gives at one go. */
static uint32_t move_part(Lsi *lsi, uint32_t size) {
    uint8_t bounce[BOUNCE_BYTES];
    uint32_t address = lsi_get(lsi, LSI_DNAD), moved;
    if (size > sizeof(bounce))
        size = sizeof(bounce);
    if (is_inbound(wanted_phase(lsi))) {
        moved = lsi_bus_move(lsi, bounce, size);
        if (moved > 0) {
            lsi->state.registers[LSI_SFBR] = bounce[0];
            lsi_dma_write(lsi, address, bounce, moved);
        }
    } else {
        lsi_dma_read(lsi, address, bounce, size);
        moved = lsi_bus_move(lsi, bounce, size);
    }
    note_moved(lsi, moved);
    return moved;
}

static void mismatch(Lsi *lsi) {
    uint8_t control = lsi->state.registers[LSI_CCNTL0];
    bool has_residue = lsi->state.registers[LSI_SCNTL2] & 1;
    bool second = control & CCNTL0_JUMPS_BY_DIRECTION ? is_inbound(wanted_phase(lsi)) : has_residue;
    if (!(control & CCNTL0_JUMPS) || wanted_phase(lsi) > PHASE_DATA_IN)
        lsi_scsi_interrupt(lsi, SIST0_MISMATCH, 0);
    else
        lsi_put(lsi, LSI_DSP, lsi_get(lsi, second ? LSI_PMJAD2 : LSI_PMJAD1));
}

bool lsi_continue_move(Lsi *lsi) {
    LsiState *state = &lsi->state;
    uint32_t left;
    while ((left = count_of(lsi)) > 0) {
        if (timer_is_armed(&lsi->select_timer))
            return false;
        if (!state->connected) {
            lsi_scsi_interrupt(lsi, SIST0_UNEXPECTED, 0);
            return true;
        }
        if (lsi->burst_bytes >= DMA_BURST_BYTES || !lsi_bus_has_request(lsi))
            return false;
        if (state->phase != wanted_phase(lsi)) {
            state->waits = LSI_WAITS_NOT;
            mismatch(lsi);
            return true;
        }
        if (move_part(lsi, left) == 0 && lsi_bus_has_request(lsi) &&
            state->phase == wanted_phase(lsi)) {
            state->waits = LSI_WAITS_FOR_EVER; /* as a damaged save may have it */
            return false;
        }
        if (!state->running) /* what the target was told has ended the connection */
            return true;
    }
    if (wanted_phase(lsi) == PHASE_MESSAGE_OUT)
        lsi_bus_end_message_out(lsi);
    state->waits = LSI_WAITS_NOT;
    return true;
}
