; Single steps over what changes the mode, and interrupt shadows: after which instruction a trap
; comes, and in which mode. SDM vol. 3B 17.3.1.4, vol. 3A 6.8.3, vol. 2B MOV, POP, STI.

%include "harness.inc"

S_TASK          equ     SELECTOR_FREE
S_CODE16        equ     SELECTOR_FREE + 8
CODE16_BASE     equ     S_CODE16 * 16           ; as in real mode
VECTOR          equ     50h
VECTOR_TRAP     equ     51h                     ; by a trap gate
DIRECTORY       equ     100000h
TABLE_LOW       equ     101000h
V8086_CODE      equ     7F00h
STEPS_MAX       equ     40
DR6_BS          equ     4000h
DR6_BT          equ     8000h
MSR_SYSENTER_CS equ     174h

; Steps from here on until STEP_END; each trap notes EIP and CS. EAX and flags are lost.
%macro STEP_BEGIN 0
        mov     dword [step_count], 0
        HANDLER DB_, note_step
        pushfd
        or      dword [esp], EFLAGS_TF
        popfd
%endmacro
%macro STEP_END 0
        pushfd
        and     dword [esp], ~EFLAGS_TF
        popfd
        HANDLER DB_, 0
%endmacro
; The traps came at these places, then perhaps others.
%macro STEPPED 1-*
%assign step_offset 0
%rep %0
        CHECK   [step_log + step_offset], %1
%assign step_offset step_offset + 4
%rotate 1
%endrep
%endmacro

test:
        call    make_segments
        call    test_plain
        call    test_flag_loads
        call    test_shadows
        call    test_software_interrupts
        call    test_far_transfers
        call    test_iret_sets_tf
        call    test_protection_off
        call    test_paging_on
        call    test_task_switch
        call    test_t_bit
        call    test_v8086
        call    test_user
        call    test_sysenter
        call    test_faults
        call    test_sti_shadow
        call    test_mov_ss_shadow
        ret

make_segments:
        SET_DESCRIPTOR S_CODE16, CODE16_BASE, 0FFFFh, 9Ah
        SET_GATE IDT_ADDRESS + 8 * VECTOR_TRAP, SELECTOR_CODE32, harness_stubs + HARNESS_STUB_SIZE * VECTOR_TRAP, GATE_TRAP32 | DPL_3
        SET_GATE IDT_ADDRESS + 8 * VECTOR, SELECTOR_CODE32, harness_stubs + HARNESS_STUB_SIZE * VECTOR, GATE_INTERRUPT32 | DPL_3
        ret

note_step:
        push    eax
        push    ebx
        push    ds
        mov     eax, SELECTOR_DATA32
        mov     ds, ax
        mov     ebx, [step_count]
        cmp     ebx, STEPS_MAX
        jae     .full
        mov     eax, [ss:esp + 20]              ; EIP
        mov     [step_log + 4 * ebx], eax
        mov     eax, [ss:esp + 24]
        mov     [step_cs + 4 * ebx], eax
        mov     eax, [ss:esp + 28]
        mov     [step_eflags + 4 * ebx], eax
        inc     dword [step_count]
        mov     eax, dr6
        mov     [step_dr6], eax
        and     eax, ~(DR6_BS | DR6_BT)
        mov     dr6, eax
.full:  pop     ds
        pop     ebx
        pop     eax
        add     esp, 8
        iretd

test_plain:
        TEST    "each instruction"
        STEP_BEGIN
.a:     nop
.b:     inc     ecx
.c:     jmp     .e
        nop
.e:     call    .g
.f:     jmp     .h
.g:     ret
.h:     nop
        STEP_END
        STEPPED .b, .c, .e, .g, .f, .h
        mov     eax, [step_eflags]
        and     eax, EFLAGS_TF
        CHECK   eax, EFLAGS_TF
        mov     eax, [step_dr6]
        and     eax, DR6_BS
        CHECK   eax, DR6_BS
        ret

; POPF that clears TF is followed by one more trap; one that sets it, by none.
test_flag_loads:
        TEST    "loads of TF"
        mov     dword [step_count], 0
        HANDLER DB_, note_step
        pushfd
        or      dword [esp], EFLAGS_TF
.set:   popfd
.a:     nop
.b:     pushfd
.c:     and     dword [esp], ~EFLAGS_TF
.d:     popfd
.e:     nop
        nop
        HANDLER DB_, 0
        CHECK   [step_count], 4
        STEPPED .b, .c, .d, .e
        mov     eax, [step_eflags + 12]
        and     eax, EFLAGS_TF
        CHECK   eax, 0
        ret

; After MOV SS and POP SS the trap waits for one more instruction; after STI and MOV DS it does not.
; LSS has no shadow.
test_shadows:
        TEST    "MOV SS and its like"
        mov     ecx, ss
        mov     [.pointer], esp
        STEP_BEGIN
.a:     nop
.b:     mov     ss, cx
.c:     nop
.d:     push    ecx
.e:     pop     ss
.f:     nop
.g:     mov     ds, cx
.h:     cli
.i:     mov     ss, cx
.j:     mov     ss, cx
.k:     nop
.l:     lss     esp, [.pointer]
.m:     nop
        STEP_END
        CHECK   [step_log], .b
        CHECK   [step_log + 4], .d
        CHECK   [step_log + 8], .e
        CHECK   [step_log + 12], .g
        CHECK   [step_log + 16], .h
        CHECK   [step_log + 20], .i
        mov     eax, [step_log + 24]            ; the second of two may have a shadow or not
        cmp     eax, .k
        je      .second_is_shadowed_not
        CHECK   eax, .l
        CHECK   [step_log + 28], .m             ; LSS has none
        ret
.second_is_shadowed_not:
        CHECK   [step_log + 28], .l
        CHECK   [step_log + 32], .m
        ret
        align   4
.pointer:
        dd      0
        dw      SELECTOR_DATA32

; INT n clears TF: no trap within the handler, none after INT itself, the next after the instruction
; to which IRET returns. INT3 and INTO likewise.
test_software_interrupts:
        TEST    "software interrupts"
        HANDLER VECTOR, .handler
        HANDLER BP_, .handler
        HANDLER OF_, .handler
        STEP_BEGIN
.a:     int     VECTOR
.b:     nop
.c:     int3
.d:     nop
.e:     mov     al, 7Fh
.f:     add     al, 1
.g:     into
.h:     nop
.i:     nop
        STEP_END
        HANDLER VECTOR, 0
        HANDLER BP_, 0
        HANDLER OF_, 0
        STEPPED .c, .e, .f, .g, .i
        ret
.handler:
        nop
        add     esp, 8
        iretd

test_far_transfers:
        TEST    "far transfers"
        STEP_BEGIN
.a:     jmp     SELECTOR_CODE32:.b
.b:     call    SELECTOR_CODE32:.far
.c:     jmp     S_CODE16:.code16 - CODE16_BASE
.far:   nop
.g:     retf
        bits    16
.code16:
        nop
.h:     jmp     dword SELECTOR_CODE32:.d
        bits    32
.d:     nop
        STEP_END
        STEPPED .b, .far, .g, .c, .code16 - CODE16_BASE, .h - CODE16_BASE, .d
        CHECK   [step_cs + 16], S_CODE16
        CHECK   [step_cs + 24], SELECTOR_CODE32
        ret

; IRET that sets TF: the trap comes after the instruction that it returns to.
test_iret_sets_tf:
        TEST    "IRET with TF"
        mov     dword [step_count], 0
        HANDLER DB_, note_step
        pushfd
        or      dword [esp], EFLAGS_TF
        push    dword SELECTOR_CODE32
        push    dword .a
        iretd
.a:     nop
.b:     nop
        STEP_END
        STEPPED .b
        ret

; Out of protected mode and back. CS is such that its selector means the same in both modes, and the IDT's first gate holds the real-mode vector while it lasts.
test_protection_off:
        TEST    "CR0.PE"
        mov     ebx, [IDT_ADDRESS + 4 * DB_]
        mov     dword [IDT_ADDRESS + 4 * DB_], .real_handler    ; segment 0
        mov     ecx, cr0
        mov     eax, ecx
        and     al, 0FEh
        STEP_BEGIN
.a:     jmp     S_CODE16:.b - CODE16_BASE
        bits    16
.b:     nop
.f:     mov     cr0, eax
.g:     nop
.h:     mov     cr0, ecx
.i:     jmp     dword SELECTOR_CODE32:.protected
.real_handler:                                  ; DS and SS are still as large as they were
        push    ax
        push    bx
        mov     bx, [step_count]
        shl     bx, 2
        mov     ax, [esp + 4]
        mov     [bx + step_log], ax
        mov     word [bx + step_log + 2], 8000h ; tells it from the other handler
        inc     word [step_count]
        pop     bx
        pop     ax
        iret
        bits    32
.protected:
        nop
        STEP_END
        mov     [IDT_ADDRESS + 4 * DB_], ebx
        STEPPED .b - CODE16_BASE, .f - CODE16_BASE, .g - CODE16_BASE + 80000000h, .h - CODE16_BASE + 80000000h, .i - CODE16_BASE, .protected
        ret

test_paging_on:
        TEST    "CR0.PG"
        MAP_FIRST_4MB DIRECTORY, TABLE_LOW, 1
        mov     eax, DIRECTORY
        mov     cr3, eax
        mov     ecx, cr0
        mov     edx, ecx
        or      edx, CR0_PG
        STEP_BEGIN
.a:     mov     cr0, edx
.b:     mov     cr3, eax
.c:     mov     cr0, ecx
.d:     nop
        STEP_END
        ; EAX is DIRECTORY no more, but any value would do for CR3 that maps this
        STEPPED .b, .c, .d
        ret

; A task with TF in its image: trapped after its first instruction. The switch itself is not
; followed by a trap of the old task's TF.
test_task_switch:
        TEST    "task switches"
        mov     edi, task_tss
        mov     ecx, 68h / 4
        xor     eax, eax
        rep     stosd
        mov     dword [task_tss + 20h], .task
        mov     dword [task_tss + 24h], 2 | EFLAGS_TF
        mov     dword [task_tss + 38h], STACK_TOP - 4000h
        mov     dword [task_tss + 48h], SELECTOR_DATA32
        mov     dword [task_tss + 4Ch], SELECTOR_CODE32
        mov     dword [task_tss + 50h], SELECTOR_DATA32
        mov     dword [task_tss + 54h], SELECTOR_DATA32
        mov     dword [task_tss + 64h], 680000h
        mov     eax, cr3
        mov     [task_tss + 1Ch], eax
        mov     [main_tss + 1Ch], eax
        SET_DESCRIPTOR S_TASK, task_tss, 67h, 89h
        STEP_BEGIN
.a:     nop
.b:     call    S_TASK:0
.c:     nop
.d:     nop
        STEP_END
        clts
        STEPPED .b, .t1, .t2, .d
        ret
.task:  nop
.t1:    nop
.t2:    iretd

; The T bit of a TSS: a trap at the task's first instruction, before it is run, with DR6.BT.
test_t_bit:
        TEST    "the T bit"
        mov     dword [step_count], 0
        mov     dword [step_dr6], 0
        HANDLER DB_, note_step
        mov     dword [task_tss + 20h], .task
        mov     dword [task_tss + 24h], 2
        mov     byte [task_tss + 64h], 1
        SET_DESCRIPTOR S_TASK, task_tss, 67h, 89h
        call    S_TASK:0
.back:  HANDLER DB_, 0
        clts
        CHECK   [step_count], 1
        STEPPED .task
        mov     eax, [step_dr6]
        and     eax, DR6_BS | DR6_BT
        CHECK   eax, DR6_BT
        mov     byte [task_tss + 64h], 0
        ret
.task:  nop
        iretd

; Into v8086 mode with TF: the trap comes to level 0 after the first instruction there; INT n that
; the monitor gets takes TF with it.
test_v8086:
        TEST    "v8086 mode"
        mov     edi, V8086_CODE * 16
        mov     esi, .code
        mov     ecx, .code_end - .code
        rep     movsb
        mov     dword [step_count], 0
        HANDLER DB_, note_step
        mov     dword [user_eflags], 2 | EFLAGS_TF | EFLAGS_IOPL
        RUN_V8086 V8086_CODE, 0
        HANDLER DB_, 0
        CHECK   [seen_vector], RETURN_VECTOR
        CHECK   [step_count], 4
        STEPPED 1, 2, 5, 6
        CHECK   [step_cs], V8086_CODE
        mov     eax, [step_eflags]
        and     eax, EFLAGS_VM | EFLAGS_TF
        CHECK   eax, EFLAGS_VM | EFLAGS_TF
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_TF
        CHECK   eax, EFLAGS_TF
        mov     dword [user_eflags], 2
        ret
        bits    16
.code:  nop
        inc     ax
        jmp     .next
        nop
.next:  nop
        int     RETURN_VECTOR
.code_end:
        bits    32

; Level 3 and back: the gate clears TF.
test_user:
        TEST    "level 3"
        mov     dword [step_count], 0
        HANDLER DB_, note_step
        mov     dword [user_eflags], 2 | EFLAGS_TF
        RUN_USER .user
        HANDLER DB_, 0
        mov     dword [user_eflags], 2
        CHECK   [seen_vector], VECTOR_TRAP
        CHECK   [step_count], 2
        STEPPED .u1, .u2
        CHECK   [step_cs], SELECTOR_USER_CODE
        ret
.user:  nop
.u1:    nop
.u2:    int     VECTOR_TRAP

; SYSENTER does not clear TF: the trap comes after it, at level 0's first instruction.
test_sysenter:
        mov     eax, 1
        cpuid
        test    edx, 800h
        jz      .done
        TEST    "SYSENTER"
        ; selectors follow one another: code 0, stack 0, code 3, stack 3
        SET_DESCRIPTOR SELECTOR_FREE + 20h, 0, 0FFFFFh, 0C09Bh
        SET_DESCRIPTOR SELECTOR_FREE + 28h, 0, 0FFFFFh, 0C093h
        SET_DESCRIPTOR SELECTOR_FREE + 30h, 0, 0FFFFFh, 0C0FBh
        SET_DESCRIPTOR SELECTOR_FREE + 38h, 0, 0FFFFFh, 0C0F3h
        mov     ecx, MSR_SYSENTER_CS
        mov     eax, SELECTOR_FREE + 20h
        xor     edx, edx
        wrmsr
        inc     ecx
        mov     eax, STACK_TOP - 3000h
        wrmsr
        inc     ecx
        mov     eax, .entry
        wrmsr
        mov     dword [step_count], 0
        HANDLER DB_, note_step
        mov     [saved_stack], esp
        push    dword SELECTOR_USER_DATA
        push    dword USER_STACK_TOP
        push    dword 2 | EFLAGS_TF
        push    dword SELECTOR_USER_CODE
        push    dword .user
        iretd
.user:  nop
.u1:    sysenter
.entry: mov     eax, SELECTOR_DATA32
.e1:    mov     ds, ax
.e2:    mov     ss, ax
        mov     esp, [saved_stack]
.e3:    STEP_END
        STEPPED .u1, .entry, .e1, .e2, .e3
        CHECK   [step_cs], SELECTOR_USER_CODE
        CHECK   [step_cs + 4], SELECTOR_FREE + 20h
        xor     eax, eax
        xor     edx, edx
        mov     ecx, MSR_SYSENTER_CS
        wrmsr
.done:  ret

; An instruction that faults is not followed by its trap, but the handler's return is.
test_faults:
        TEST    "faults"
        HANDLER UD, .handler
        STEP_BEGIN
.a:     nop
.b:     ud2
.c:     nop
.d:     nop
        STEP_END
        HANDLER UD, 0
        STEPPED .b, .d
        ret
.handler:
        add     esp, 8
        add     dword [esp], 2
        iretd

; The PIT's interrupt is pending: it comes after the instruction that follows STI, and not at all
; between STI and CLI.
test_sti_shadow:
        TEST    "STI"
        call    make_interrupt_pending
        HANDLER 20h, note_interrupt
        mov     dword [interrupt_eip], 0
        sti
.a:     cli
.b:     nop
        nop
        CHECK   [interrupt_eip], 0
        sti
.c:     nop
.d:     nop
        CHECK   [interrupt_eip], .d
        call    make_interrupt_pending
        mov     dword [interrupt_eip], 0
        sti
.e:     sti                                     ; the second has no shadow: IF was set
.f:     nop
        CHECK   [interrupt_eip], .f
        call    make_interrupt_pending
        mov     dword [interrupt_eip], 0
        pushfd
        or      dword [esp], EFLAGS_IF
        popfd                                   ; no shadow
.g:     nop
        CHECK   [interrupt_eip], .g
        call    make_interrupt_pending
        mov     dword [interrupt_eip], 0
        sti
.h:     hlt                                     ; wakes at once
.i:     nop
        CHECK   [interrupt_eip], .i
        cli
        mov     al, 0FFh
        out     21h, al
        HANDLER 20h, 0
        ret

test_mov_ss_shadow:
        TEST    "MOV SS and interrupts"
        HANDLER 20h, note_interrupt
        mov     ecx, ss
        call    make_interrupt_pending
        mov     dword [interrupt_eip], 0
        push    dword 202h
        mov     ss, cx
        popfd
.a:     nop
        CHECK   [interrupt_eip], .a
        call    make_interrupt_pending
        mov     dword [interrupt_eip], 0
        sti
.b:     mov     ss, cx                          ; STI's shadow, then its own
.c:     nop
.d:     nop
        mov     eax, [interrupt_eip]
        CHECK   eax, .d
        cli
        mov     al, 0FFh
        out     21h, al
        HANDLER 20h, 0
        ret

; IRQ 0 of the timer has come, and waits for IF.
make_interrupt_pending:
        push    eax
        START_8259 MASTER_8259, 20h, SLAVE_ON_IRQ_2, ~1 & 0FFh ; IRQ 0 alone
        mov     al, 30h                         ; channel 0, once
        out     43h, al
        mov     al, 8
        out     40h, al
        mov     al, 0
        out     40h, al
.wait:  mov     al, 0Ah                         ; IRR
        out     20h, al
        in      al, 20h
        test    al, 1
        jz      .wait
        pop     eax
        ret

note_interrupt:
        push    eax
        mov     eax, [esp + 12]
        mov     [interrupt_eip], eax
        mov     al, 20h
        out     20h, al
        pop     eax
        add     esp, 8
        and     dword [esp + 8], ~EFLAGS_IF
        iretd

        align   16
task_tss:
        times   68h db 0
step_log:
        times   STEPS_MAX dd 0
step_cs:
        times   STEPS_MAX dd 0
step_eflags:
        times   STEPS_MAX dd 0
step_count              dd      0
step_dr6                dd      0
interrupt_eip           dd      0
saved_stack             dd      0

%include "image_end.inc"
