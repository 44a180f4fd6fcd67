/* Every function that lifts an instruction, for the table in lift_table.c. */
#ifndef REPRISE_LIFT_TABLE_H
#define REPRISE_LIFT_TABLE_H

#include "lift_internal.h"

LiftFunction lift_add, lift_adc, lift_sub, lift_sbb, lift_cmp, lift_and, lift_or, lift_xor,
    lift_test, lift_not, lift_neg, lift_inc, lift_dec, lift_mul, lift_imul, lift_div, lift_idiv,
    lift_cbw, lift_cwd, lift_daa, lift_das, lift_aaa, lift_aas, lift_aam, lift_aad, lift_shl,
    lift_shr, lift_sar, lift_rol, lift_ror, lift_rcl, lift_rcr, lift_shld, lift_shrd, lift_bt,
    lift_bts, lift_btr, lift_btc, lift_bsf, lift_bsr, lift_bswap, lift_cmpxchg, lift_cmpxchg8b,
    lift_xadd, lift_popcnt, lift_mov, lift_movzx, lift_movsx, lift_movbe, lift_xchg, lift_lea,
    lift_xlat, lift_push, lift_pop, lift_pusha, lift_popa, lift_pushf, lift_popf, lift_lahf,
    lift_sahf, lift_salc, lift_cmovcc, lift_setcc, lift_in, lift_out, lift_enter, lift_leave,
    lift_clc, lift_stc, lift_cmc, lift_cli, lift_sti, lift_cld, lift_std, lift_nop, lift_movs,
    lift_cmps, lift_stos, lift_lods, lift_scas, lift_ins, lift_outs, lift_jmp, lift_jmp_far,
    lift_call, lift_call_far, lift_ret, lift_ret_far, lift_jcc, lift_jcxz, lift_loop, lift_loope,
    lift_loopne, lift_int, lift_int3, lift_into, lift_int1, lift_iret, lift_bound, lift_hlt,
    lift_rsm, lift_wait, lift_ud, lift_sysenter, lift_sysexit, lift_syscall, lift_sysret,
    lift_mov_sreg, lift_push_sreg, lift_pop_sreg, lift_lds, lift_les, lift_lfs, lift_lgs, lift_lss,
    lift_mov_cr, lift_mov_dr, lift_mov_tr, lift_clac, lift_stac, lift_invpcid, lift_rdrand,
    lift_lzcnt, lift_arpl, lift_lar, lift_lsl, lift_verr, lift_verw, lift_sldt, lift_str, lift_lldt,
    lift_ltr, lift_sgdt, lift_sidt, lift_lgdt, lift_lidt, lift_smsw, lift_lmsw, lift_clts,
    lift_invlpg, lift_invd, lift_wbinvd, lift_pause, lift_rdtsc, lift_rdtscp, lift_rdpmc,
    lift_rdmsr, lift_wrmsr, lift_cpuid, lift_monitor, lift_mwait, lift_x87, lift_vector, lift_crc32,
    lift_adcx, lift_adox, lift_touch;

#endif
