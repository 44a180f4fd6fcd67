; Non-maskable interrupts, which the local APIC sends to its own processor: taken with IF clear,
; before a repeated string; blocked from their delivery to the next IRET, whatever it returns
; to; beside single steps, MOV SS, faults, v8086 mode and tasks. SDM vol. 3A 6.7, 6.8.3, 10.6. (The
; APIC of Bochs 2.7 does not send NMIs to itself.)

%include "harness.inc"

ICR             equ     0FEE00300h
NMI_TO_SELF     equ     44400h                  ; delivery mode 4, assert, shorthand "self"
NMI             equ     2
FEATURE_APIC    equ     200h
SVR             equ     0FEE000F0h
S_TASK          equ     SELECTOR_FREE
BUFFER          equ     200000h
GUEST           equ     7F00h
LOG_MAX         equ     16

%macro NMI_BEGIN 0
        mov     dword [log_count], 0
        mov     dword [again], 0
        HANDLER NMI, note_nmi
%endmacro
%macro NMI_END 1-*                              ; they were taken before these instructions
        HANDLER NMI, 0
        CHECK   [log_count], %0
%assign log_offset 0
%rep %0
        CHECK   [log + log_offset], %1
%assign log_offset log_offset + 4
%rotate 1
%endrep
%endmacro
%macro SEND 0
        mov     dword [ICR], NMI_TO_SELF
%endmacro

test:
        mov     eax, 1
        cpuid
        test    edx, FEATURE_APIC
        jz      .done
        mov     dword [SVR], 1FFh
        call    test_masked
        call    test_blocked
        call    test_unblocked_by_any_iret
        call    test_mov_ss
        call    test_single_step
        call    test_fault_in_handler
        call    test_string
        call    test_user
        call    test_v8086
        call    test_task
.done:  ret

; Notes where it came; sends [again] more from within, which wait for IRET.
note_nmi:
        push    eax
        push    ebx
        mov     eax, [log_count]
        mov     ebx, [esp + 16]                 ; EIP
        cmp     eax, LOG_MAX
        jae     .full
        mov     [log + 4 * eax], ebx
        inc     dword [log_count]
.full:  cmp     dword [again], 0
        je      .leave
        dec     dword [again]
        mov     eax, [log_count]
        SEND
        nop
        nop
        sub     eax, [log_count]                ; not yet
        add     [early], eax
.leave: pop     ebx
        pop     eax
        add     esp, 8
        iretd

test_masked:
        TEST    "with IF clear"
        NMI_BEGIN
        cli
        SEND
.a:     nop
        SEND
.b:     nop
        NMI_END .a, .b
        ret

; One more is kept while one is served; it comes right after IRET.
test_blocked:
        TEST    "blocked until IRET"
        mov     dword [early], 0
        NMI_BEGIN
        mov     dword [again], 1
        SEND
.a:     nop
.b:     nop
        NMI_END .a, .a
        CHECK   [early], 0
        NMI_BEGIN
        mov     dword [again], 3
        SEND
.c:     nop
        NMI_END .c, .c, .c, .c
        CHECK   [early], 0
        ret

; An IRET within the handler, to anywhere, ends it: the next one is taken there.
test_unblocked_by_any_iret:
        TEST    "any IRET"
        mov     dword [log_count], 0
        HANDLER NMI, .handler
        SEND
.a:     nop
        HANDLER NMI, 0
        CHECK   [log_count], 2
        CHECK   [log], .a
        CHECK   [log + 4], .inside
        ret
.handler:
        push    eax
        mov     eax, [log_count]
        push    dword [esp + 12]
        pop     dword [log + 4 * eax]
        inc     dword [log_count]
        test    eax, eax
        jnz     .leave
        SEND                                    ; blocked
        nop
        pushfd
        push    cs
        push    dword .inside
        iretd
.inside:
        nop
.leave: pop     eax
        add     esp, 8
        iretd

; Sent in the shadow of MOV SS, it is taken after the instruction that sent it.
test_mov_ss:
        TEST    "MOV SS"
        mov     ecx, ss
        NMI_BEGIN
        mov     ss, cx
        SEND                                    ; runs in the shadow; taken after it
.a:     nop
        NMI_END .a
        ret

; Both a single step's trap and an NMI are due: the trap is delivered first, and the NMI before the
; first instruction of its handler (SDM vol. 3A table 6-2).
test_single_step:
        TEST    "single steps"
        NMI_BEGIN
        HANDLER DB_, .step
        mov     dword [steps], 0
        pushfd
        or      dword [esp], EFLAGS_TF
        popfd
        SEND
.a:     pushfd
        and     dword [esp], ~EFLAGS_TF
        popfd
        HANDLER DB_, 0
        HANDLER NMI, 0
        CHECK   [log_count], 1
        mov     eax, [log]
        cmp     eax, .a                         ; by the order of a processor
        je      .known
        CHECK   eax, harness_stubs + HARNESS_STUB_SIZE * DB_
.known: mov     eax, [steps]
        CHECK   eax, 4
        ret
.step:  inc     dword [steps]
        add     esp, 8
        iretd

; A fault within the handler does not unblock, its IRET does.
test_fault_in_handler:
        TEST    "faults in the handler"
        mov     dword [log_count], 0
        HANDLER UD, .invalid
        HANDLER NMI, .handler
        SEND
.a:     nop
        HANDLER NMI, 0
        HANDLER UD, 0
        CHECK   [log_count], 2
        CHECK   [log], .a
        CHECK   [log + 4], .behind
        CHECK   [in_invalid], 1
        ret
.handler:
        push    eax
        mov     eax, [log_count]
        push    dword [esp + 12]
        pop     dword [log + 4 * eax]
        inc     dword [log_count]
        test    eax, eax
        jnz     .leave
        SEND
        ud2
.behind:
        nop
.leave: pop     eax
        add     esp, 8
        iretd
.invalid:
        nop
        push    eax
        mov     eax, [log_count]                ; still one
        mov     [in_invalid], eax
        pop     eax
        add     esp, 8
        add     dword [esp], 2
        iretd

; An NMI that is pending when a REP begins is taken before it, with nothing done.
test_string:
        TEST    "before a repeated string"
        mov     edi, BUFFER
        mov     ecx, 100h
        mov     eax, 1
        NMI_BEGIN
        mov     dword [again], 1
        SEND
.a:     rep     stosd
.b:     NMI_END .a, .a
        CHECK   ecx, 0
        CHECK   edi, BUFFER + 400h
        ret

test_user:
        TEST    "at level 3"
        mov     dword [log_count], 0
        mov     dword [again], 1
        HANDLER NMI, note_nmi_of_user
        RUN_USER .user
        HANDLER NMI, 0
        CHECK   [seen_vector], RETURN_VECTOR
        CHECK   [log_count], 2
        CHECK   [log], .a
        CHECK   [log + 4], .a
        CHECK   [log_cs], SELECTOR_USER_CODE
        ret
.user:  mov     dword [ICR], NMI_TO_SELF
.a:     nop
        int     RETURN_VECTOR

note_nmi_of_user:
        push    eax
        mov     eax, SELECTOR_DATA32
        mov     ds, ax
        mov     eax, [esp + 16]
        mov     [log_cs], eax
        pop     eax
        call    .note
        push    dword SELECTOR_USER_DATA
        pop     ds
        add     esp, 8
        iretd
.note:  push    eax
        push    ebx
        mov     eax, [log_count]
        mov     ebx, [esp + 20]
        mov     [log + 4 * eax], ebx
        inc     dword [log_count]
        cmp     dword [again], 0
        je      .leave
        dec     dword [again]
        SEND
.leave: pop     ebx
        pop     eax
        ret

; Out of v8086 mode, sent by the handler of its own INT.
test_v8086:
        TEST    "in v8086 mode"
        mov     dword [GUEST * 16], 50CDh | RETURN_VECTOR << 24 | 0CD0000h      ; INT 50h; INT 40h
        mov     word [IDT_ADDRESS + 8 * 50h + 4], GATE_INTERRUPT32 | DPL_3
        mov     dword [log_count], 0
        mov     dword [again], 0
        HANDLER 50h, .send
        HANDLER NMI, .handler
        mov     dword [user_eflags], 2 | EFLAGS_IOPL
        RUN_V8086 GUEST, 0
        mov     dword [user_eflags], 2
        HANDLER NMI, 0
        HANDLER 50h, 0
        CHECK   [seen_vector], RETURN_VECTOR
        CHECK   [log_count], 1
        ret
.send:  push    eax
        mov     eax, SELECTOR_DATA32
        mov     ds, ax
        pop     eax
        SEND
        nop
        add     esp, 8
        iretd
.handler:
        inc     dword [ss:log_count]
        add     esp, 8
        iretd

; By a task gate: blocked until the task returns by IRET.
test_task:
        TEST    "by a task gate"
        mov     edi, task_tss
        mov     ecx, 26
        xor     eax, eax
        rep     stosd
        mov     dword [task_tss + 20h], .task
        mov     dword [task_tss + 24h], 2
        mov     dword [task_tss + 38h], STACK_TOP - 2000h
        mov     dword [task_tss + 48h], SELECTOR_DATA32
        mov     dword [task_tss + 4Ch], SELECTOR_CODE32
        mov     dword [task_tss + 50h], SELECTOR_DATA32
        mov     dword [task_tss + 54h], SELECTOR_DATA32
        mov     dword [task_tss + 64h], 680000h
        SET_DESCRIPTOR S_TASK, task_tss, 67h, 89h
        SET_GATE IDT_ADDRESS + 8 * NMI, S_TASK, 0, 8500h
        mov     dword [log_count], 0
        SEND
.a:     nop
.b:     clts
        CHECK   [log_count], 2
        CHECK   [log], .a
        CHECK   [log + 4], .a
        CHECK   [early], 0
        SET_GATE IDT_ADDRESS + 8 * NMI, SELECTOR_CODE32, harness_stubs + HARNESS_STUB_SIZE * NMI, GATE_INTERRUPT32
        ret
.task:  mov     eax, [log_count]
        mov     ebx, [main_tss + 20h]
        mov     [log + 4 * eax], ebx
        inc     dword [log_count]
        test    eax, eax
        jnz     .leave
        SEND
        nop
        mov     eax, [log_count]
        dec     eax
        add     [early], eax
.leave: iretd
        jmp     .task

log:
        times   LOG_MAX dd 0
log_count               dd      0
log_cs                  dd      0
again                   dd      0
early                   dd      0
steps                   dd      0
in_invalid              dd      0
        align   16
task_tss:
        times   26 dd 0

%include "image_end.inc"
