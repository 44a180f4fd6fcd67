; Segments, gates and privilege: what may be loaded and reached, with which exception and error code,
; and what stands on which stack. SDM vol. 3A 3.4, 5.5 to 5.11, 6.11 to 6.15.

%include "harness.inc"

PRESENT         equ     80h
CODE            equ     1Ah                     ; readable code
CODE_HIDDEN     equ     18h                     ; not readable
CODE_CONFORMING equ     1Eh
DATA            equ     12h
DATA_READ_ONLY  equ     10h
LDT_TYPE        equ     2
FLAT            equ     0C000h                  ; G and D/B, as the access bits' upper part
CALL_GATE32     equ     8C00h
CALL_GATE16     equ     8400h

S_DATA          equ     SELECTOR_FREE           ; limits, types
S_CODE          equ     SELECTOR_FREE + 8h
S_ABSENT        equ     SELECTOR_FREE + 10h
S_LDT           equ     SELECTOR_FREE + 18h
S_GATE          equ     SELECTOR_FREE + 20h
S_LEVEL_1       equ     SELECTOR_FREE + 28h
S_LEVEL_1_STACK equ     SELECTOR_FREE + 30h
S_CONFORMING    equ     SELECTOR_FREE + 38h
S_DATA_16       equ     SELECTOR_FREE + 40h
S_GATE_2        equ     SELECTOR_FREE + 48h
S_BEYOND        equ     TEST_GDT_ENTRIES * 8    ; after the table's end
FREE_VECTOR     equ     60h
FREE_GATE       equ     IDT_ADDRESS + 8 * FREE_VECTOR
SCRATCH         equ     200000h

%macro LOAD 2
        mov     ax, %2
        mov     %1, ax
%endmacro
; Loading %1 with selector %2 faults.
%macro LOAD_FAULTS 4
        mov     ax, %2
        EXPECT  %3, %4, mov %1, ax
%endmacro

test:
        call    test_loads
        call    test_accessed_bit
        call    test_local_table
        call    test_table_registers
        call    test_looking_at_descriptors
        call    test_far_transfers
        call    test_call_gates
        call    test_call_gate_to_inner_level
        call    test_16bit_call_gate
        call    test_returns
        call    test_interrupt_gates
        call    test_double_fault
        call    test_user_instructions
        call    test_alignment
        call    test_sysenter
        ret

test_loads:
        TEST    "loading segment registers"
        LOAD_FAULTS ss, 0, GP, 0
        LOAD_FAULTS ss, SELECTOR_DATA32 | 1, GP, SELECTOR_DATA32
        LOAD_FAULTS ss, SELECTOR_CODE32, GP, SELECTOR_CODE32
        LOAD_FAULTS ss, SELECTOR_USER_DATA, GP, SELECTOR_USER_DATA & ~3
        LOAD_FAULTS es, S_BEYOND, GP, S_BEYOND
        LOAD_FAULTS es, S_BEYOND | 3, GP, S_BEYOND
        LOAD_FAULTS fs, SELECTOR_TSS, GP, SELECTOR_TSS
        mov     dword [8], 0FFFFh               ; after reset the LDT is the first 64K
        mov     dword [0Ch], 0CF9300h
        LOAD    gs, 0Ch
        xor     eax, eax
        lldt    ax
        LOAD_FAULTS gs, 0Ch, GP, 0Ch            ; now there is none
        SET_DESCRIPTOR S_ABSENT, 0, 0FFFFFh, FLAT | DATA
        LOAD_FAULTS ds, S_ABSENT, NP, S_ABSENT
        LOAD_FAULTS ss, S_ABSENT, SS_, S_ABSENT
        SET_DESCRIPTOR S_CODE, 0, 0FFFFFh, FLAT | PRESENT | CODE_HIDDEN
        LOAD_FAULTS es, S_CODE, GP, S_CODE
        SET_DESCRIPTOR S_DATA, 0, 0FFFFFh, FLAT | PRESENT | DATA_READ_ONLY
        LOAD_FAULTS ss, S_DATA, GP, S_DATA
        LOAD    es, 3                           ; null, with any RPL
        mov     ax, es
        movzx   eax, ax
        CHECK   eax, 3
        EXPECT  GP, 0, mov eax, [es:0]
        EXPECT  UD, 0, {db 8Eh, 0C8h}           ; MOV CS, AX
        EXPECT  UD, 0, {db 8Eh, 0F0h}           ; segment register 6
        LOAD    es, SELECTOR_DATA32
        ret

test_accessed_bit:
        TEST    "the accessed bit"
        SET_DESCRIPTOR S_DATA, 0, 0FFFFFh, FLAT | PRESENT | DATA
        movzx   eax, byte [test_gdt + S_DATA + 5]
        CHECK   eax, PRESENT | DATA
        LOAD    es, S_DATA
        movzx   eax, byte [test_gdt + S_DATA + 5]
        CHECK   eax, PRESENT | DATA | 1
        LOAD    es, SELECTOR_DATA32
        SET_DESCRIPTOR S_ABSENT, 0, 0FFFFFh, FLAT | DATA
        LOAD_FAULTS es, S_ABSENT, NP, S_ABSENT
        movzx   eax, byte [test_gdt + S_ABSENT + 5]
        CHECK   eax, DATA
        ret

        align   8
local_table:
        dq      00CF92000000FFFFh, 00409200000000FFh
test_local_table:
        TEST    "the local table"
        SET_DESCRIPTOR S_LDT, local_table, 15, PRESENT | LDT_TYPE
        mov     ax, SELECTOR_DATA32
        EXPECT  GP, SELECTOR_DATA32, lldt ax
        mov     ax, S_LDT | 4
        EXPECT  GP, S_LDT | 4, lldt ax
        SET_DESCRIPTOR S_ABSENT, local_table, 15, LDT_TYPE
        mov     ax, S_ABSENT
        EXPECT  NP, S_ABSENT, lldt ax
        mov     ax, S_LDT
        lldt    ax
        LOAD    es, 4                           ; its first entry is no null
        mov     eax, [es:SCRATCH]
        LOAD    es, 0Ch
        EXPECT  GP, 0, mov eax, [es:100h]
        LOAD_FAULTS es, 14h, GP, 14h
        sldt    eax
        and     eax, 0FFFFh
        CHECK   eax, S_LDT
        xor     eax, eax
        lldt    ax
        LOAD_FAULTS es, 4, GP, 4
        LOAD    es, SELECTOR_DATA32
        ret

test_table_registers:
        TEST    "GDTR and IDTR"
        sgdt    [SCRATCH]
        CHECK   [SCRATCH + 2], test_gdt
        movzx   eax, word [SCRATCH]
        CHECK   eax, TEST_GDT_ENTRIES * 8 - 1
        ; LGDT with a 16-bit operand takes 24 bits of the base; SGDT stores all it has.
        mov     dword [SCRATCH + 8], 567807FFh
        mov     word [SCRATCH + 12], 0A034h
        o16 lidt [SCRATCH + 8]
        mov     dword [SCRATCH + 16], 0
        sidt    [SCRATCH + 14]
        lidt    [test_idt_register]
        CHECK   [SCRATCH + 16], 345678h
        EXPECT  UD, 0, {db 0Fh, 01h, 0D8h}      ; LIDT of a register (VMRUN, where there is SVM)
        ; A vector beyond the limit.
        mov     word [SCRATCH], 8 * 60h - 1
        mov     dword [SCRATCH + 2], IDT_ADDRESS
        lidt    [SCRATCH]
        EXPECT  GP, 8 * 60h + 2, int 60h
        lidt    [test_idt_register]
        ret

test_looking_at_descriptors:
        TEST    "LAR, LSL, VERR, VERW, ARPL"
        mov     ebx, SELECTOR_DATA32
        lar     eax, ebx
        setz    cl
        and     eax, 0FFF0FFFFh                 ; the limit's bits are undefined
        CHECK   eax, 00C09300h
        movzx   eax, cl
        CHECK   eax, 1
        lsl     eax, ebx
        CHECK   eax, 0FFFFFFFFh
        mov     ebx, SELECTOR_TSS
        lsl     eax, ebx
        CHECK   eax, 67h
        mov     eax, 55h
        mov     ebx, S_BEYOND
        lar     eax, ebx
        setz    cl
        CHECK   eax, 55h
        movzx   eax, cl
        CHECK   eax, 0
        mov     word [test_gdt + S_GATE + 4], CALL_GATE32
        mov     ebx, S_GATE                     ; LAR sees a gate, LSL does not
        lar     eax, ebx
        setz    cl
        movzx   ecx, cl
        CHECK   ecx, 1
        lsl     eax, ebx
        setz    cl
        movzx   ecx, cl
        CHECK   ecx, 0
        mov     ebx, SELECTOR_CODE32
        verr    bx
        setz    cl
        verw    bx
        setz    ch
        movzx   ecx, cx
        CHECK   ecx, 1
        mov     ebx, SELECTOR_DATA32 | 3
        verw    bx
        setz    cl
        movzx   ecx, cl
        CHECK   ecx, 0                          ; by its RPL
        xor     ebx, ebx
        verr    bx
        setz    cl
        movzx   ecx, cl
        CHECK   ecx, 0
        mov     eax, 20h
        mov     ebx, 3
        arpl    ax, bx
        setz    cl
        movzx   ecx, cl
        CHECK   eax, 23h
        CHECK   ecx, 1
        mov     word [SCRATCH], 20h             ; in memory
        arpl    [SCRATCH], bx
        setz    cl
        movzx   ecx, cl
        movzx   eax, word [SCRATCH]
        CHECK   eax, 23h
        CHECK   ecx, 1
        mov     eax, cs                         ; read-only, but nothing changes
        mov     es, eax
        arpl    [es:SCRATCH], bx
        setz    cl
        mov     eax, ds
        mov     es, eax
        movzx   ecx, cl
        CHECK   ecx, 0
        ret

test_far_transfers:
        TEST    "far jumps and calls"
        EXPECT  GP, 0, jmp 0:0
        EXPECT  GP, S_BEYOND, jmp S_BEYOND:0
        EXPECT  GP, SELECTOR_DATA32, jmp SELECTOR_DATA32:0
        EXPECT  GP, SELECTOR_USER_CODE & ~3, jmp SELECTOR_USER_CODE:0
        EXPECT  GP, SELECTOR_USER_CODE & ~3, call (SELECTOR_USER_CODE & ~3):0
        EXPECT  GP, SELECTOR_CODE32, jmp SELECTOR_CODE32 | 1:0
        SET_DESCRIPTOR S_ABSENT, 0, 0FFFFFh, FLAT | CODE
        EXPECT  NP, S_ABSENT, jmp S_ABSENT:0
        SET_DESCRIPTOR S_CODE, 0, 0FFFh, FLAT & 4000h | PRESENT | CODE
        EXPECT  GP, 0, call S_CODE:1000h
        mov     ebx, esp
        call    SELECTOR_CODE32:.called
.back:
        mov     eax, esp
        CHECK   eax, ebx
        ret
.called:
        mov     eax, [esp]
        CHECK   eax, .back
        mov     eax, [esp + 4]
        CHECK   eax, SELECTOR_CODE32
        retf

; Gates at the same level: their selector's RPL, presence, type.
test_call_gates:
        TEST    "call gates"
        SET_GATE test_gdt + S_GATE, SELECTOR_CODE32, .called, CALL_GATE32
        mov     ebx, esp
        call    S_GATE:12345678h
.back:
        mov     eax, esp
        CHECK   eax, ebx
        mov     word [test_gdt + S_GATE + 4], CALL_GATE32 & ~8000h
        EXPECT  NP, S_GATE, call S_GATE:0
        SET_GATE test_gdt + S_GATE, 0, .called, CALL_GATE32
        EXPECT  GP, 0, call S_GATE:0
        SET_GATE test_gdt + S_GATE, SELECTOR_DATA32, .called, CALL_GATE32
        EXPECT  GP, SELECTOR_DATA32, call S_GATE:0
        SET_GATE test_gdt + S_GATE, SELECTOR_USER_CODE, .called, CALL_GATE32
        EXPECT  GP, SELECTOR_USER_CODE & ~3, call S_GATE:0
        SET_GATE test_gdt + S_GATE, SELECTOR_CODE32, .called, CALL_GATE32
        EXPECT  GP, S_GATE, call S_GATE | 3:0
        ret
.called:
        mov     eax, [esp]
        CHECK   eax, .back
        retf

; From level 3 to level 0 with parameters, and back.
test_call_gate_to_inner_level:
        TEST    "call gates to an inner level"
        SET_GATE test_gdt + S_GATE, SELECTOR_CODE32, .inner, CALL_GATE32 | DPL_3 | 2
        RUN_USER .user
        CHECK   [seen_vector], RETURN_VECTOR
        CHECK   [seen_ebx], USER_STACK_TOP
        CHECK   [seen_cs], SELECTOR_USER_CODE
        CHECK   [seen_ss], SELECTOR_USER_DATA
        ; A gate that level 3 may not use; a stack that does not fit.
        mov     word [test_gdt + S_GATE + 4], CALL_GATE32 | 2
        RUN_USER .user_2
        CHECK   [seen_vector], GP
        CHECK   [seen_error], S_GATE
        mov     word [test_gdt + S_GATE + 4], CALL_GATE32 | DPL_3 | 2
        mov     dword [main_tss + 8], SELECTOR_USER_DATA
        HANDLER TS, .stack_fault                ; the handler's stack would be the bad one, too
        SET_DESCRIPTOR S_LEVEL_1, 0, 0FFFFFh, FLAT | PRESENT | CODE
        RUN_USER .user_3
        HANDLER TS, 0
        mov     dword [main_tss + 8], SELECTOR_DATA32
        CHECK   [seen_vector], GP
        ret
.inner:
        mov     eax, esp
        CHECK   eax, LEVEL_0_STACK_TOP - 24
        mov     eax, [esp]
        CHECK   eax, .user_back
        mov     eax, [esp + 4]
        CHECK   eax, SELECTOR_USER_CODE
        mov     eax, [esp + 8]
        CHECK   eax, 1111h
        mov     eax, [esp + 12]
        CHECK   eax, 2222h
        mov     eax, [esp + 16]
        CHECK   eax, USER_STACK_TOP - 8
        mov     eax, [esp + 20]
        CHECK   eax, SELECTOR_USER_DATA
        retf    8
.user:  push    dword 2222h
        push    dword 1111h
        call    S_GATE:0
.user_back:
        mov     ebx, esp
        int     RETURN_VECTOR
.user_2:
        call    S_GATE:0
; Without a level 0 stack nothing can be delivered from here but to level 3: GP by a conforming
; handler is not worth a test; the access that must fault does so at level 3 by itself.
.user_3:
        mov     dword [main_tss + 8], SELECTOR_DATA32
        hlt
.stack_fault:
        jmp     harness_trap

test_16bit_call_gate:
        TEST    "16-bit call gates"
        SET_DESCRIPTOR S_CODE, 0, 0FFFFh, PRESENT | CODE
        SET_GATE test_gdt + S_GATE, S_CODE, code_16 - 0, CALL_GATE16 | DPL_3 | 1
        RUN_USER .user
        CHECK   [seen_vector], RETURN_VECTOR
        CHECK   [seen_ebx], 0
        CHECK   [seen_edx], LEVEL_0_STACK_TOP - 10
        ret
.user:  push    word 3333h
        call    S_GATE:0
        sub     esp, USER_STACK_TOP & 0FFFFh    ; only its lower half came back
        movzx   ebx, sp
        mov     esp, USER_STACK_TOP
        int     RETURN_VECTOR

        bits    16
code_16:
        mov     edx, esp
        retf    2
        bits    32

test_returns:
        TEST    "far returns"
        ATTEMPT
        push    dword 0
        push    dword .back
.null:  retf
        ATTEMPT_END
        CHECK   [seen_vector], GP
        CHECK   [seen_error], 0
        CHECK   [seen_eip], .null
        ATTEMPT
        push    dword SELECTOR_DATA32
        push    dword .back
        retf
        ATTEMPT_END
        CHECK   [seen_vector], GP
        CHECK   [seen_error], SELECTOR_DATA32
        ATTEMPT                                 ; outwards, to a stack of the wrong level
        push    dword SELECTOR_DATA32
        push    dword USER_STACK_TOP
        push    dword SELECTOR_USER_CODE
        push    dword .back
        retf
        ATTEMPT_END
        CHECK   [seen_vector], GP
        CHECK   [seen_error], SELECTOR_DATA32
        ; Segment registers that are too privileged for level 3 become null.
        LOAD    fs, SELECTOR_DATA32
        LOAD    gs, SELECTOR_USER_DATA
        ATTEMPT
        push    dword SELECTOR_USER_DATA
        push    dword USER_STACK_TOP
        push    dword SELECTOR_USER_CODE
        push    dword .user
        retf
        ATTEMPT_END
        CHECK   [seen_vector], RETURN_VECTOR
        CHECK   [seen_eax], 0
        CHECK   [seen_edx], SELECTOR_USER_DATA
        RUN_USER .inwards
        CHECK   [seen_vector], GP
        CHECK   [seen_error], SELECTOR_CODE32
        ; NT with no task to go back to.
        ATTEMPT
        pushfd
        or      dword [esp], EFLAGS_NT
        popfd
.nested:
        iretd
        ATTEMPT_END
        CHECK   [seen_vector], TS
        CHECK   [seen_error], 0
        CHECK   [seen_eip], .nested
.back:  ret
.user:  mov     ax, fs
        movzx   eax, ax
        mov     dx, gs
        movzx   edx, dx
        int     RETURN_VECTOR
.inwards:
        push    dword SELECTOR_CODE32
        push    dword .back
        retf

test_interrupt_gates:
        TEST    "interrupt gates"
        SET_GATE FREE_GATE, SELECTOR_CODE32, harness_stubs + HARNESS_STUB_SIZE * FREE_VECTOR, GATE_INTERRUPT32
        RUN_USER .user
        CHECK   [seen_vector], GP
        CHECK   [seen_error], FREE_VECTOR * 8 + 2
        CHECK   [seen_eip], .user
        mov     word [FREE_GATE + 4], GATE_INTERRUPT32 & ~8000h
        EXPECT  NP, FREE_VECTOR * 8 + 2, int FREE_VECTOR
        mov     word [FREE_GATE + 4], 8000h     ; no gate's type
        EXPECT  GP, FREE_VECTOR * 8 + 2, int FREE_VECTOR
        SET_GATE FREE_GATE, SELECTOR_DATA32, 0, GATE_INTERRUPT32
        EXPECT  GP, SELECTOR_DATA32, int FREE_VECTOR
        SET_GATE FREE_GATE, 0, 0, GATE_INTERRUPT32
        EXPECT  GP, 0, int FREE_VECTOR
        SET_GATE FREE_GATE, SELECTOR_USER_CODE, 0, GATE_INTERRUPT32
        EXPECT  GP, SELECTOR_USER_CODE & ~3, int FREE_VECTOR
        ; The DPL counts for INT n alone, not for exceptions.
        RUN_USER .undefined
        CHECK   [seen_vector], UD
        CHECK   [seen_error], 0
        ; Interrupt gates clear IF, trap gates do not.
        SET_GATE FREE_GATE, SELECTOR_CODE32, .handler, GATE_TRAP32
        sti
        int     FREE_VECTOR
        cli
        and     eax, EFLAGS_IF
        CHECK   eax, EFLAGS_IF
        mov     word [FREE_GATE + 4], GATE_INTERRUPT32
        sti
        int     FREE_VECTOR
        cli
        and     eax, EFLAGS_IF
        CHECK   eax, 0
        ; INT3 and INTO go through the same checks.
        and     word [IDT_ADDRESS + 8 * BP_ + 4], ~DPL_3
        RUN_USER .breakpoint
        CHECK   [seen_vector], GP
        CHECK   [seen_error], BP_ * 8 + 2
        or      word [IDT_ADDRESS + 8 * BP_ + 4], DPL_3
        RUN_USER .breakpoint
        CHECK   [seen_vector], BP_
        CHECK   [seen_eip], .breakpoint + 1
        ret
.handler:
        pushfd
        pop     eax
        iretd
.user:  int     FREE_VECTOR
.undefined:
        ud2
.breakpoint:
        int3

; A contributory exception met on the way to another: #DF with error code 0.
test_double_fault:
        TEST    "double faults"
        mov     word [IDT_ADDRESS + 8 * GP + 4], GATE_INTERRUPT32 & ~8000h
        EXPECT  DF, 0, mov [cs:0], eax
        mov     word [IDT_ADDRESS + 8 * GP + 4], GATE_INTERRUPT32
        ; #UD is benign: what is met on the way to it comes alone, with EXT set.
        mov     word [IDT_ADDRESS + 8 * UD + 4], GATE_INTERRUPT32 & ~8000h
        EXPECT  NP, UD * 8 + 3, ud2
        mov     word [IDT_ADDRESS + 8 * UD + 4], GATE_INTERRUPT32
        ret

%macro USER_FAULTS 3+
        jmp     %%go
%%user: %3
        int     RETURN_VECTOR
%%go:
        RUN_USER %%user
        CHECK   [seen_vector], %1
        CHECK   [seen_error], %2
%endmacro

test_user_instructions:
        TEST    "what level 3 may not do"
        USER_FAULTS GP, 0, hlt
        USER_FAULTS GP, 0, cli
        USER_FAULTS GP, 0, sti
        USER_FAULTS GP, 0, in al, 80h
        USER_FAULTS GP, 0, out dx, eax
        USER_FAULTS GP, 0, mov eax, cr0
        USER_FAULTS GP, 0, mov cr3, eax
        USER_FAULTS GP, 0, mov dr7, eax
        USER_FAULTS GP, 0, lgdt [SCRATCH]
        USER_FAULTS GP, 0, lidt [SCRATCH]
        USER_FAULTS GP, 0, lldt ax
        USER_FAULTS GP, 0, ltr ax
        USER_FAULTS GP, 0, lmsw ax
        USER_FAULTS GP, 0, clts
        USER_FAULTS GP, 0, invd
        USER_FAULTS GP, 0, wbinvd
        USER_FAULTS GP, 0, invlpg [SCRATCH]
        USER_FAULTS GP, 0, rdmsr
        USER_FAULTS GP, 0, wrmsr
        USER_FAULTS GP, 0, sysexit
        USER_FAULTS RETURN_VECTOR, 0, sgdt [SCRATCH]
        USER_FAULTS RETURN_VECTOR, 0, smsw eax
        USER_FAULTS RETURN_VECTOR, 0, str ax
        ; With IOPL 3 the I/O ones are allowed.
        mov     dword [user_eflags], 2 | EFLAGS_IOPL
        USER_FAULTS RETURN_VECTOR, 0, cli
        USER_FAULTS RETURN_VECTOR, 0, in al, 80h
        ; POPF leaves what level 3 may not change.
        mov     dword [user_eflags], 2
        RUN_USER .popf
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_IOPL | EFLAGS_IF | EFLAGS_VM | EFLAGS_VIF | EFLAGS_VIP
        CHECK   eax, 0
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_NT | EFLAGS_AC | EFLAGS_ID
        CHECK   eax, EFLAGS_AC | EFLAGS_ID
        ret
.popf:  push    dword (EFLAGS_IOPL | EFLAGS_IF | EFLAGS_VM | EFLAGS_VIF | EFLAGS_VIP | EFLAGS_AC | EFLAGS_ID | 2)
        popfd
        int     RETURN_VECTOR

CR0_AM          equ     40000h
test_alignment:
        TEST    "alignment checks"
        mov     eax, cr0
        or      eax, CR0_AM
        mov     cr0, eax
        mov     dword [user_eflags], 2 | EFLAGS_AC
        USER_FAULTS AC, 0, mov eax, [SCRATCH + 1]
        USER_FAULTS AC, 0, mov [SCRATCH + 3], ax
        USER_FAULTS AC, 0, fld qword [SCRATCH + 4]
        mov     esi, SCRATCH + 1
        mov     edi, SCRATCH
        USER_FAULTS AC, 0, movsd
        USER_FAULTS RETURN_VECTOR, 0, mov ax, [SCRATCH + 2]
        USER_FAULTS RETURN_VECTOR, 0, mov al, [SCRATCH + 1]
        mov     eax, [SCRATCH + 1]              ; not at level 0
        mov     dword [user_eflags], 2
        USER_FAULTS RETURN_VECTOR, 0, mov eax, [SCRATCH + 1]
        mov     eax, cr0
        and     eax, ~CR0_AM
        mov     cr0, eax
        mov     dword [user_eflags], 2 | EFLAGS_AC
        USER_FAULTS RETURN_VECTOR, 0, mov eax, [SCRATCH + 1]
        mov     dword [user_eflags], 2
        ret

MSR_SYSENTER_CS equ     174h
%macro SET_MSR 2
        mov     ecx, %1
        mov     eax, %2
        xor     edx, edx
        wrmsr
%endmacro

; Flat segments by selectors' numbers alone: CS, +8 SS, +16 and +24 for level 3.
test_sysenter:
        TEST    "SYSENTER and SYSEXIT"
        SET_MSR MSR_SYSENTER_CS, 0
        EXPECT  GP, 0, sysenter
        EXPECT  GP, 0, sysexit
        SET_MSR MSR_SYSENTER_CS, SELECTOR_CODE32
        SET_MSR MSR_SYSENTER_CS + 1, LEVEL_0_STACK_TOP - 100h
        SET_MSR MSR_SYSENTER_CS + 2, .entry
        RUN_USER .user
        CHECK   [seen_vector], RETURN_VECTOR
        CHECK   [seen_cs], SELECTOR_CODE32 + 16 | 3
        CHECK   [seen_ss], SELECTOR_CODE32 + 24 | 3
        CHECK   [seen_esp], USER_STACK_TOP - 4
        CHECK   [seen_esi], LEVEL_0_STACK_TOP - 100h
        CHECK   [seen_edi], SELECTOR_CODE32
        CHECK   [seen_ebp], SELECTOR_DATA32
        mov     ebx, [seen_ebx]
        and     ebx, EFLAGS_IF | EFLAGS_VM
        CHECK   ebx, 0
        ret
.user:  mov     ecx, esp
        mov     edx, .user_back
        sysenter
.user_back:
        push    eax
        int     RETURN_VECTOR
.entry: mov     esi, esp
        mov     di, cs
        movzx   edi, di
        mov     bp, ss
        movzx   ebp, bp
        pushfd
        pop     ebx
        sysexit

%include "image_end.inc"
