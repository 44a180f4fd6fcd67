/* Machine-check registers, SDM vol. 3B 15.3. No error is ever found here, so that a bank holds what
 * software leaves in it. */
#include "cpu_feature.h"
#include "cpu_model.h"
#include "msr_row.h"

enum { BANK_CONTROL, BANK_STATUS, BANK_ADDRESS, BANK_MISC, BANK_REGISTERS };
enum { CAPABILITY_CONTROL = 1 << 8 }; /* MCG_CTL is there */

/* Four on a Pentium 4, five on the P6 family (SDM vol. 4 2.20 and 2.23). */
static unsigned bank_count(const Cpu *cpu) {
    enum { PENTIUM_4_BANKS = 4, P6_BANKS = MACHINE_CHECK_BANKS };
    bool is_pentium_4 = cpu_model_family(cpu->model) == CPU_FAMILY_PENTIUM_4;
    return is_pentium_4 ? PENTIUM_4_BANKS : P6_BANKS;
}

bool machine_check_read_capability(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t *value) {
    (void)row;
    (void)index;
    *value = CAPABILITY_CONTROL | bank_count(cpu);
    return true;
}

/* All or nothing is enabled: SDM vol. 3B 15.3.2.1 of the P6 family, and 15.3.1.3. */
static bool is_all_or_nothing(uint64_t value) {
    return value == 0 || value == UINT64_MAX;
}

bool machine_check_write_control(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    (void)row;
    (void)index;
    if (!is_all_or_nothing(value))
        return false;
    cpu->state.machine_check_control = value;
    return true;
}

bool machine_check_read_bank(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t *value) {
    (void)row;
    if (index / BANK_REGISTERS >= bank_count(cpu))
        return false;
    *value = cpu->state.machine_check_banks[index];
    return true;
}

/* A status is only ever cleared: SDM vol. 3B 15.3.2.2. */
bool machine_check_write_bank(Cpu *cpu, const MsrRow *row, uint32_t index, uint64_t value) {
    (void)row;
    if (index / BANK_REGISTERS >= bank_count(cpu))
        return false;
    unsigned which = index % BANK_REGISTERS;
    if ((which == BANK_CONTROL && !is_all_or_nothing(value)) ||
        (which == BANK_STATUS && value != 0))
        return false;
    cpu->state.machine_check_banks[index] = value;
    return true;
}
