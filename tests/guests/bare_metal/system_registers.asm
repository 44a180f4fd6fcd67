; CR0, CR4, EFLAGS and model-specific registers: which bits there are and what setting the others
; does; TSC, RDPMC, machine check, CMPXCHG8B, CMOV, FXSAVE, x87 errors both ways.

%include "harness.inc"

CR0_MP          equ     2
CR0_EM          equ     4
CR0_TS          equ     8
CR0_ET          equ     10h
CR0_NE          equ     20h
CR0_NW          equ     20000000h
CR0_CD          equ     40000000h
CR4_TSD         equ     4
CR4_MCE         equ     40h
CR4_PCE         equ     100h
CR4_OSFXSR      equ     200h
CR4_OSXMMEXCPT  equ     400h
SCRATCH         equ     200000h

FEATURE_TSC     equ     10h
FEATURE_MSR     equ     20h
FEATURE_MCE     equ     80h
FEATURE_CX8     equ     100h
FEATURE_CMOV    equ     8000h
FEATURE_MCA     equ     4000h
FEATURE_FXSR    equ     1000000h
FEATURE_SSE     equ     2000000h

; Goes on only if CPUID has this feature (EDX of leaf 1).
%macro NEED 1
        mov     eax, 1
        cpuid
        test    edx, %1
        jnz     %%here
        ret
%%here:
%endmacro
%macro SET_CR0 1
        mov     eax, cr0
        mov     [saved_cr0], eax
        or      eax, %1
        mov     cr0, eax
%endmacro
%macro RESTORE_CR0 0
        mov     eax, [saved_cr0]
        mov     cr0, eax
%endmacro

test:
        call    test_cr0
        call    test_cr4
        call    test_eflags
        call    test_missing_registers
        call    test_tsc
        call    test_rdpmc
        call    test_msrs
        call    test_machine_check
        call    test_cmpxchg8b
        call    test_cmov
        call    test_invalid
        call    test_lengths
        call    test_fpu_availability
        call    test_x87_errors
        call    test_x87_errors_by_interrupt
        call    test_fxsave
        call    test_sse_errors
        ret

test_cr0:
        TEST    "CR0"
        mov     eax, cr0
        and     eax, ~CR0_PE
        or      eax, 80000000h                  ; PG without PE
        EXPECT  GP, 0, mov cr0, eax
        mov     eax, cr0
        or      eax, CR0_NW
        and     eax, ~CR0_CD
        EXPECT  GP, 0, mov cr0, eax
        mov     eax, cr0
        mov     [saved_cr0], eax
        or      eax, 1FF8FFC0h                  ; bits that do not exist stay 0
        and     eax, ~CR0_ET                    ; and ET stays 1
        mov     cr0, eax
        mov     eax, cr0
        and     eax, 1FF8FFD0h
        CHECK   eax, CR0_ET
        RESTORE_CR0
        ; LMSW sets PE, MP, EM and TS, and cannot clear PE.
        mov     eax, 0FFF0h | CR0_TS
        lmsw    ax
        smsw    eax
        and     eax, 0Fh
        CHECK   eax, CR0_PE | (0FFF8h & 0Eh)
        clts
        smsw    eax
        and     eax, CR0_TS
        CHECK   eax, 0
        RESTORE_CR0
        EXPECT  UD, 0, {db 0Fh, 20h, 0C8h}      ; CR1
        EXPECT  UD, 0, {db 0Fh, 22h, 0E8h}      ; CR5
        ret

test_cr4:
        TEST    "CR4"
        mov     ecx, 31
.bit:   mov     eax, cr4
        mov     ebx, eax
        bts     eax, ecx
        cmp     ecx, 12                         ; what every system knows lies below
        jb      .next
        cmp     ecx, 23
        ja      .reserved
        jmp     .next
.reserved:
        EXPECT  GP, 0, mov cr4, eax
        mov     eax, cr4
        CHECK   eax, ebx
.next:  dec     ecx
        jns     .bit
        ret

test_eflags:
        TEST    "EFLAGS"
        push    dword ~(EFLAGS_TF | EFLAGS_IF | EFLAGS_VM | EFLAGS_NT)
        popfd
        pushfd
        pop     eax
        and     eax, ~(EFLAGS_VIF | EFLAGS_VIP)
        push    dword 2
        popfd
        CHECK   eax, 0FD7h & ~(EFLAGS_TF | EFLAGS_IF) | EFLAGS_IOPL | EFLAGS_AC | EFLAGS_ID
        pushfd
        pop     eax
        CHECK   eax, 2
        push    dword 0
        popfd
        pushfd
        pop     eax
        CHECK   eax, 2
        ret

test_missing_registers:
        TEST    "model-specific registers that are missing"
        NEED    FEATURE_MSR
        mov     ecx, 0DEAD0000h
        EXPECT  GP, 0, rdmsr
        EXPECT  GP, 0, wrmsr
        mov     ecx, 40h * 1000h
        EXPECT  GP, 0, rdmsr
        ret

test_tsc:
        TEST    "the time-stamp counter"
        NEED    FEATURE_TSC
        rdtsc
        mov     esi, eax
        mov     edi, edx
        mov     ecx, 1000
.wait:  loop    .wait
        rdtsc
        sub     eax, esi
        sbb     edx, edi
        CHECK   edx, 0                          ; it goes up, and not by years
        cmp     eax, 0
        setne   cl
        movzx   ecx, cl
        CHECK   ecx, 1
        mov     ecx, 10h
        xor     eax, eax
        xor     edx, edx
        wrmsr
        rdtsc
        CHECK   edx, 0
        RUN_USER .user
        CHECK   [seen_vector], RETURN_VECTOR
        mov     eax, cr4
        or      eax, CR4_TSD
        mov     cr4, eax
        rdtsc                                   ; not kept from level 0
        RUN_USER .user
        CHECK   [seen_vector], GP
        CHECK   [seen_error], 0
        mov     eax, cr4
        and     eax, ~CR4_TSD
        mov     cr4, eax
        ret
.user:  rdtsc
        int     RETURN_VECTOR

test_rdpmc:
        TEST    "RDPMC"
        NEED    FEATURE_MCA                     ; the P6 has both
        mov     ecx, 0FFFFh
        EXPECT  GP, 0, rdpmc
        RUN_USER .user
        CHECK   [seen_vector], GP
        ret
.user:  xor     ecx, ecx
        rdpmc
        int     RETURN_VECTOR

%macro MSR_FAULTS 3                             ; number, EDX, EAX
        mov     ecx, %1
        mov     edx, %2
        mov     eax, %3
        EXPECT  GP, 0, wrmsr
%endmacro
test_msrs:
        TEST    "reserved bits of model-specific registers"
        NEED    FEATURE_MCA
        MSR_FAULTS 0FEh, 0, 0                   ; MTRRCAP is read-only
        MSR_FAULTS 277h, 0, 2                   ; memory type 2 in the PAT
        MSR_FAULTS 277h, 08000000h, 0
        MSR_FAULTS 2FFh, 0, 1000h
        MSR_FAULTS 200h, 0, 2                   ; memory type 2 in an MTRR
        MSR_FAULTS 201h, 0, 1
        MSR_FAULTS 250h, 0, 7
        MSR_FAULTS 1Bh, 0, 1                    ; APIC_BASE
        MSR_FAULTS 1Bh, 80000000h, 0
        mov     ecx, 277h
        mov     eax, 07040600h
        mov     edx, 07040600h
        wrmsr
        rdmsr
        CHECK   eax, 07040600h
        CHECK   edx, 07040600h
        mov     eax, 00070406h
        mov     edx, 00070406h
        wrmsr
        ret

test_machine_check:
        TEST    "machine check registers"
        NEED    FEATURE_MCE
        mov     eax, cr4
        or      eax, CR4_MCE
        mov     cr4, eax
        mov     eax, cr4
        and     eax, CR4_MCE
        CHECK   eax, CR4_MCE
        mov     eax, cr4
        and     eax, ~CR4_MCE
        mov     cr4, eax
        NEED    FEATURE_MCA
        mov     ecx, 179h
        rdmsr
        and     eax, 0FFh                       ; the banks
        mov     ebx, eax
        mov     ecx, 17Ah
        rdmsr
        CHECK   eax, 0
        test    ebx, ebx
        jz      .done
        mov     ecx, 401h
        rdmsr
        CHECK   eax, 0
.done:  ret

test_cmpxchg8b:
        TEST    "CMPXCHG8B"
        NEED    FEATURE_CX8
        mov     dword [SCRATCH], 11111111h
        mov     dword [SCRATCH + 4], 22222222h
        mov     eax, 1
        mov     edx, 2
        mov     ebx, 33333333h
        mov     ecx, 44444444h
        cmpxchg8b [SCRATCH]
        CHECK   eax, 11111111h
        CHECK   edx, 22222222h
        CHECK   [SCRATCH], 11111111h
        lock cmpxchg8b [SCRATCH]
        setz    al
        movzx   eax, al
        CHECK   eax, 1
        CHECK   [SCRATCH], 33333333h
        CHECK   [SCRATCH + 4], 44444444h
        EXPECT  UD, 0, {db 0Fh, 0C7h, 0C8h}     ; of a register
        EXPECT  UD, 0, {db 0F0h, 0Fh, 0C7h, 0C8h}
        ret

; The operand is read even if it is not moved.
test_cmov:
        TEST    "CMOV"
        NEED    FEATURE_CMOV
        mov     ebx, 7
        mov     eax, 5
        cmp     eax, eax
        cmovne  eax, ebx
        CHECK   eax, 5
        cmove   eax, ebx
        CHECK   eax, 7
        push    ds
        xor     ecx, ecx
        mov     es, cx
        cmp     eax, eax
        EXPECT  GP, 0, cmovne eax, [es:SCRATCH]
        pop     es
        ret

test_invalid:
        TEST    "invalid instructions"
        EXPECT  UD, 0, ud2
        EXPECT  UD, 0, {db 0Fh, 0FFh, 0C0h}     ; UD0
        EXPECT  UD, 0, {db 0F0h, 89h, 0C0h}     ; LOCK with a register
        EXPECT  UD, 0, {db 0F0h, 90h}           ; LOCK NOP
        EXPECT  UD, 0, {db 0F0h, 3Bh, 00h}      ; LOCK CMP
        EXPECT  UD, 0, {db 0FFh, 0F8h}          ; FF /7
        EXPECT  UD, 0, {db 0FEh, 0D0h}
        EXPECT  UD, 0, {db 8Fh, 0C8h}           ; POP's group
        EXPECT  UD, 0, {db 0C7h, 0C8h, 0, 0, 0, 0}
        EXPECT  UD, 0, {db 8Dh, 0C0h}           ; LEA of a register
        EXPECT  UD, 0, {db 0C5h, 0C0h}          ; LDS of a register (or VEX, which is not there)
        EXPECT  UD, 0, {db 62h, 0C0h}           ; BOUND of a register
        EXPECT  UD, 0, {db 0Fh, 0Ah}
        ret

; 15 bytes are an instruction, 16 are #GP.
test_lengths:
        TEST    "lengths"
        ATTEMPT
        times 14 db 2Eh
        nop
        ATTEMPT_END
        CHECK   [seen_vector], NOTHING
        EXPECT  GP, 0, {times 15 db 2Eh}
        ret

test_fpu_availability:
        TEST    "CR0.TS, EM and MP"
        SET_CR0 CR0_TS
        EXPECT  NM, 0, fninit
        EXPECT  NM, 0, fnstsw ax
        mov     eax, cr0
        and     eax, ~CR0_MP
        mov     cr0, eax
        ATTEMPT
        fwait                                   ; only with MP
        ATTEMPT_END
        CHECK   [seen_vector], NOTHING
        mov     eax, cr0
        or      eax, CR0_MP
        mov     cr0, eax
        EXPECT  NM, 0, fwait
        clts
        mov     eax, cr0
        or      eax, CR0_EM
        mov     cr0, eax
        EXPECT  NM, 0, fld1
        RESTORE_CR0
        clts
        ret

%macro RAISE_X87_ERROR 0                        ; division by zero, unmasked, is left pending
        fninit
        mov     word [SCRATCH], 037Bh
        fldcw   [SCRATCH]
        fld1
        fldz
        fdivp   st1, st0
%endmacro

; With CR0.NE the next x87 instruction that waits gets #MF.
test_x87_errors:
        TEST    "x87 errors by exception 16"
        SET_CR0 CR0_NE
        ATTEMPT
        RAISE_X87_ERROR
        fnstsw  ax                              ; does not wait
        mov     ebx, eax
.fault: fld1
        ATTEMPT_END
        CHECK   [seen_vector], MF
        CHECK   [seen_error], 0
        CHECK   [seen_eip], .fault
        mov     eax, [seen_ebx]
        and     eax, 8084h
        CHECK   eax, 8084h                      ; B, ES, ZE
        ATTEMPT
.wait:  fwait
        ATTEMPT_END
        CHECK   [seen_vector], MF
        CHECK   [seen_eip], .wait
        fnclex
        ATTEMPT
        fwait
        ATTEMPT_END
        CHECK   [seen_vector], NOTHING
        fninit
        RESTORE_CR0
        ret

; Without it FERR# goes to IRQ 13, until port F0h is written and FNCLEX done.
IRQ_13_VECTOR   equ     7Dh
test_x87_errors_by_interrupt:
        TEST    "x87 errors by IRQ 13"
        mov     eax, cr0
        mov     [saved_cr0], eax
        and     eax, ~CR0_NE
        mov     cr0, eax
        START_8259 MASTER_8259, 70h, SLAVE_ON_IRQ_2, ~4 & 0FFh
        START_8259 SLAVE_8259, 78h, SLAVE_IS_2, ~20h & 0FFh    ; IRQ 13 alone
        HANDLER IRQ_13_VECTOR, .handler
        mov     dword [interrupts], 0
        sti
        RAISE_X87_ERROR
        fwait                                   ; waits for the interrupt
        cli
        CHECK   [interrupts], 1
        fninit
        HANDLER IRQ_13_VECTOR, 0
        mov     al, 0FFh
        out     21h, al
        out     0A1h, al
        RESTORE_CR0
        ret
.handler:
        push    eax
        inc     dword [interrupts]
        xor     al, al
        out     0F0h, al
        fnclex
        mov     al, 20h
        out     0A0h, al
        out     20h, al
        pop     eax
        add     esp, 8
        iretd

test_fxsave:
        TEST    "FXSAVE and FXRSTOR"
        NEED    FEATURE_FXSR
        mov     eax, cr4
        or      eax, CR4_OSFXSR
        mov     cr4, eax
        EXPECT  GP, 0, fxsave [SCRATCH + 8]
        EXPECT  GP, 0, fxrstor [SCRATCH + 1]
        fninit
        fldpi
        fxsave  [SCRATCH]
        movzx   eax, word [SCRATCH]
        CHECK   eax, 37Fh
        movzx   eax, word [SCRATCH + 2]
        CHECK   eax, 3800h                      ; TOP 7
        movzx   eax, byte [SCRATCH + 4]
        CHECK   eax, 80h                        ; abridged tags
        CHECK   [SCRATCH + 32], 2168C235h
        CHECK   [SCRATCH + 36], 0C90FDAA2h
        fninit
        fxrstor [SCRATCH]
        fstp    tword [SCRATCH + 200h]
        CHECK   [SCRATCH + 200h], 2168C235h
        SET_CR0 CR0_TS
        EXPECT  NM, 0, fxsave [SCRATCH]
        RESTORE_CR0
        SET_CR0 CR0_EM
        EXPECT  NM, 0, fxrstor [SCRATCH]
        RESTORE_CR0
        NEED    FEATURE_SSE
        fxsave  [SCRATCH]
        mov     dword [SCRATCH + 24], 0FFFF0000h        ; reserved bits of MXCSR
        EXPECT  GP, 0, fxrstor [SCRATCH]
        ret

test_sse_errors:
        TEST    "SSE: availability and errors"
        NEED    FEATURE_SSE
        mov     eax, cr4
        and     eax, ~(CR4_OSFXSR | CR4_OSXMMEXCPT)
        mov     cr4, eax
        EXPECT  UD, 0, xorps xmm0, xmm0
        mov     eax, cr4
        or      eax, CR4_OSFXSR
        mov     cr4, eax
        xorps   xmm0, xmm0
        SET_CR0 CR0_TS
        EXPECT  NM, 0, xorps xmm0, xmm0
        RESTORE_CR0
        SET_CR0 CR0_EM
        EXPECT  UD, 0, xorps xmm0, xmm0
        RESTORE_CR0
        EXPECT  GP, 0, movaps xmm0, [SCRATCH + 8]
        mov     dword [SCRATCH], 10000h
        EXPECT  GP, 0, ldmxcsr [SCRATCH]
        mov     dword [SCRATCH], 1D80h          ; ZM is clear
        ldmxcsr [SCRATCH]
        mov     dword [SCRATCH], 3F800000h
        movss   xmm1, [SCRATCH]
        EXPECT  UD, 0, divss xmm1, xmm0         ; without OSXMMEXCPT
        mov     eax, cr4
        or      eax, CR4_OSXMMEXCPT
        mov     cr4, eax
        EXPECT  19, 0, divss xmm1, xmm0
        movss   [SCRATCH + 4], xmm1
        CHECK   [SCRATCH + 4], 3F800000h        ; nothing was written
        stmxcsr [SCRATCH]
        mov     eax, [SCRATCH]
        and     eax, 3Fh
        CHECK   eax, 4
        mov     dword [SCRATCH], 1F80h
        ldmxcsr [SCRATCH]
        ret

        align   4
saved_cr0               dd      0
interrupts              dd      0

%include "image_end.inc"
