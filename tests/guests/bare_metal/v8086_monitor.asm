; A small v8086 monitor and its guest: CLI, STI, PUSHF, POPF, INT, IRET, IN, OUT and HLT by #GP, then
; the same guest with VME, where the processor does most of it; interrupts that wait for the guest's
; virtual flag; single steps, page faults and x87 exceptions of the guest, both ways of reporting
; them; a double fault by a task gate. SDM vol. 3A chapters 20 and 8.7, 6.15.

%include "harness.inc"

DIRECTORY       equ     100000h
TABLE_LOW       equ     101000h
GUEST_PAGE_0    equ     200000h                 ; what the guest sees at 0
GUEST           equ     7F00h
GUEST_AT        equ     GUEST * 16
S_TASK          equ     SELECTOR_FREE
CR0_MP          equ     2
CR0_NE          equ     20h
CR4_VME         equ     1
FEATURE_VME     equ     2
GUEST_TICK      equ     8                       ; interrupts of the guest
GUEST_STEP      equ     1
GUEST_CALL      equ     60h
MONITOR_IRQ_BASE        equ     20h
PORT_VALUE      equ     61h                     ; ports that the monitor emulates
PORT_TICK       equ     62h                     ; a write makes a tick pending
ROUNDS          equ     20

; From a handler of ours: registers saved, EBP at the frame EIP, CS, EFLAGS, ESP, SS.
FRAME_EIP       equ     0
FRAME_CS        equ     4
FRAME_EFLAGS    equ     8
FRAME_ESP       equ     12
FRAME_SS        equ     16
SAVED_EAX       equ     -12                     ; PUSHAD's EAX, below vector and error code
%macro MONITOR_ENTER 0
        pushad
        lea     ebp, [esp + 40]
        mov     eax, SELECTOR_DATA32
        mov     ds, ax
        mov     es, ax
        inc     dword [monitor_traps]
%endmacro

test:
        call    make_tables
        call    make_task_state
        HANDLER GP, monitor_gp
        HANDLER PF, monitor_pf
        HANDLER DB_, monitor_db
        TEST    "a monitor without VME"
        mov     dword [with_vme], 0
        call    run_guest
        call    check_guest
        CHECK   [vme_traps], 0
        mov     eax, [monitor_traps]
        mov     [traps_without], eax
        mov     eax, 1
        cpuid
        test    edx, FEATURE_VME
        jz      .no_vme
        TEST    "a monitor with VME"
        mov     eax, cr4
        or      al, CR4_VME
        mov     cr4, eax
        mov     dword [with_vme], 1
        call    run_guest
        call    check_guest
        mov     eax, cr4
        and     al, ~CR4_VME
        mov     cr4, eax
        mov     eax, [monitor_traps]            ; there is much less for the monitor to do
        add     eax, eax
        cmp     eax, [traps_without]
        setb    al
        movzx   eax, al
        CHECK   eax, 1
.no_vme:
        call    test_fpu_exception
        call    test_fpu_interrupt
        HANDLER GP, 0
        HANDLER PF, 0
        HANDLER DB_, 0
        call    test_double_fault
        call    test_double_fault_v8086
        call    test_nested_tasks
        ret

make_tables:
        MAP_FIRST_4MB DIRECTORY, TABLE_LOW, 1
        mov     dword [TABLE_LOW], GUEST_PAGE_0 | 7
        mov     eax, DIRECTORY
        mov     cr3, eax
        mov     [main_tss + 1Ch], eax
        mov     eax, cr0
        or      eax, CR0_PG
        mov     cr0, eax
        ret

; A TSS with a redirection map of zeroes (all interrupts are the guest's own) and no port allowed.
make_task_state:
        mov     edi, v8086_tss
        mov     ecx, 26
        xor     eax, eax
        rep     stosd
        mov     ecx, 8                          ; the redirection map
        rep     stosd
        or      eax, -1
        mov     ecx, 41h
        rep     stosd
        mov     dword [v8086_tss + 4], LEVEL_0_STACK_TOP
        mov     dword [v8086_tss + 8], SELECTOR_DATA32
        mov     dword [v8086_tss + 1Ch], DIRECTORY
        mov     word [v8086_tss + 66h], 68h + 32
        SET_DESCRIPTOR SELECTOR_TSS, v8086_tss, 68h + 32 + 104h - 1, 89h
        mov     ax, SELECTOR_TSS
        ltr     ax
        ret

; Starts the guest; it comes back by HLT.
run_guest:
        mov     edi, GUEST_PAGE_0
        mov     ecx, 400h
        xor     eax, eax
        rep     stosd
        mov     esi, guest
        mov     edi, GUEST_AT
        mov     ecx, guest_end - guest
        rep     movsb
        mov     dword [monitor_traps], 0
        mov     dword [vme_traps], 0
        mov     dword [page_faults], 0
        mov     dword [virtual_if], 0
        mov     dword [tick_pending], 0
        mov     byte [port_value], 0
        mov     word [60FFEh], 55AAh
        mov     byte [TABLE_LOW + 4 * 60h], 6   ; pages that the guest will find missing
        mov     byte [TABLE_LOW + 4 * 62h], 6
        mov     eax, cr3
        mov     cr3, eax
        mov     [monitor_esp], esp
        push    dword GUEST
        push    dword GUEST
        push    dword GUEST
        push    dword GUEST
        push    dword V8086_STACK_SEGMENT
        push    dword 0FFF0h
        push    dword [guest_eflags]
        push    dword GUEST
        push    dword [guest_entry]
        iretd

check_guest:
        movzx   eax, word [GUEST_AT + guest_bad - guest]
        CHECK   eax, 0
        movzx   eax, word [GUEST_AT + guest_calls - guest]
        CHECK   eax, ROUNDS
        movzx   eax, word [GUEST_AT + guest_ticks - guest]
        CHECK   eax, 4
        movzx   eax, word [GUEST_AT + guest_steps - guest]
        mov     ebx, [with_vme]                 ; there POPF that clears TF is the guest's own
        add     ebx, 4
        CHECK   eax, ebx
        CHECK   [page_faults], 2
        CHECK   [GUEST_PAGE_0 + 4 * GUEST_CALL], (GUEST << 16) + guest_call - guest
        ret

; #GP: what the guest may not do itself.
monitor_gp:
        MONITOR_ENTER
        test    dword [ebp + FRAME_EFLAGS], EFLAGS_VM
        jz      .ours
        movzx   esi, word [ebp + FRAME_CS]
        shl     esi, 4
        add     esi, [ebp + FRAME_EIP]
        movzx   eax, byte [esi]
        mov     edi, .table
.find:  cmp     byte [edi], 0
        je      .ours
        cmp     [edi], al
        je      .found
        add     edi, 5
        jmp     .find
.found: call    [edi + 1]
monitor_leave:
        popad
        add     esp, 8
        iretd
monitor_gp.ours:
        popad
        mov     dword [ss:handlers + 4 * GP], 0
        jmp     harness_trap
monitor_gp.table:
        db      0FAh
        dd      emulate_cli
        db      0FBh
        dd      emulate_sti
        db      9Ch
        dd      emulate_pushf
        db      9Dh
        dd      emulate_popf
        db      0CDh
        dd      emulate_int
        db      0CFh
        dd      emulate_iret
        db      0E4h
        dd      emulate_in
        db      0E6h
        dd      emulate_out
        db      0F4h
        dd      emulate_hlt
        db      0

%macro NOT_WITH_VME 0
        mov     eax, [with_vme]
        add     [vme_traps], eax
%endmacro
emulate_cli:
        NOT_WITH_VME
        inc     dword [ebp + FRAME_EIP]
        xor     eax, eax
        jmp     set_virtual_if
emulate_sti:                                    ; with VME: an interrupt is pending
        inc     dword [ebp + FRAME_EIP]
        mov     eax, 1
        call    set_virtual_if
        jmp     deliver_pending
emulate_pushf:
        NOT_WITH_VME
        inc     dword [ebp + FRAME_EIP]
        call    virtual_flags
        jmp     push_word
emulate_popf:                                   ; with VME: it would set IF with one pending, or TF
        inc     dword [ebp + FRAME_EIP]
        call    pop_word
        call    set_virtual_flags
        jmp     deliver_pending
emulate_int:
        NOT_WITH_VME
        movzx   ebx, byte [esi + 1]
        add     dword [ebp + FRAME_EIP], 2
        jmp     guest_interrupt
emulate_iret:
        inc     dword [ebp + FRAME_EIP]
        call    pop_word
        mov     [ebp + FRAME_EIP], eax
        call    pop_word
        mov     [ebp + FRAME_CS], eax
        call    pop_word
        call    set_virtual_flags
        jmp     deliver_pending
emulate_in:
        add     dword [ebp + FRAME_EIP], 2
        mov     al, [port_value]
        mov     [ebp + SAVED_EAX], al
        ret
emulate_out:
        add     dword [ebp + FRAME_EIP], 2
        cmp     byte [esi + 1], PORT_TICK
        je      .tick
        mov     al, [ebp + SAVED_EAX]
        mov     [port_value], al
        ret
.tick:  mov     dword [tick_pending], 1
        jmp     deliver_pending
emulate_hlt:
        mov     esp, [monitor_esp]
        mov     ax, SELECTOR_DATA32
        mov     fs, ax
        mov     gs, ax
        ret

; The guest's IF: our variable, or VIF. EAX: 0 or 1.
set_virtual_if:
        mov     [virtual_if], eax
        cmp     dword [with_vme], 0
        je      .done
        and     dword [ebp + FRAME_EFLAGS], ~(EFLAGS_VIF | EFLAGS_VIP)
        test    eax, eax
        jz      .done
        or      dword [ebp + FRAME_EFLAGS], EFLAGS_VIF
.done:  ret
get_virtual_if:
        mov     eax, [virtual_if]
        cmp     dword [with_vme], 0
        je      .done
        xor     eax, eax
        test    dword [ebp + FRAME_EFLAGS], EFLAGS_VIF
        setnz   al
.done:  ret
virtual_flags:                                  ; -> AX, as the guest sees them
        call    get_virtual_if
        shl     eax, 9
        mov     ecx, [ebp + FRAME_EFLAGS]
        and     ecx, 0FFFFh & ~EFLAGS_IF
        or      eax, ecx
        or      eax, EFLAGS_IOPL
        ret
set_virtual_flags:                              ; from AX
        and     eax, 0FFFFh
        mov     ecx, eax
        and     ecx, 0FFFFh & ~(EFLAGS_IF | EFLAGS_IOPL)
        and     dword [ebp + FRAME_EFLAGS], 0FFFF0000h | EFLAGS_IF | EFLAGS_IOPL
        or      [ebp + FRAME_EFLAGS], ecx
        shr     eax, 9
        and     eax, 1
        jmp     set_virtual_if
push_word:
        sub     word [ebp + FRAME_ESP], 2
        call    stack_address
        mov     [edi], ax
        ret
pop_word:
        call    stack_address
        movzx   eax, word [edi]
        add     word [ebp + FRAME_ESP], 2
        ret
stack_address:
        movzx   edi, word [ebp + FRAME_SS]
        shl     edi, 4
        movzx   ecx, word [ebp + FRAME_ESP]
        add     edi, ecx
        ret

; Interrupt EBX of the guest, by its table.
guest_interrupt:
        call    virtual_flags
        call    push_word
        mov     eax, [ebp + FRAME_CS]
        call    push_word
        mov     eax, [ebp + FRAME_EIP]
        call    push_word
        and     dword [ebp + FRAME_EFLAGS], ~EFLAGS_TF
        xor     eax, eax
        call    set_virtual_if
        movzx   eax, word [4 * ebx]
        mov     [ebp + FRAME_EIP], eax
        movzx   eax, word [4 * ebx + 2]
        mov     [ebp + FRAME_CS], eax
        ret
deliver_pending:
        cmp     dword [tick_pending], 0
        je      .none
        call    get_virtual_if
        test    eax, eax
        jz      .later
        mov     dword [tick_pending], 0
        and     dword [ebp + FRAME_EFLAGS], ~EFLAGS_VIP
        mov     ebx, GUEST_TICK
        jmp     guest_interrupt
.later: cmp     dword [with_vme], 0
        je      .none
        or      dword [ebp + FRAME_EFLAGS], EFLAGS_VIP
.none:  ret

; A page of the guest that is not there yet.
monitor_pf:
        MONITOR_ENTER
        inc     dword [page_faults]
        mov     eax, cr2
        shr     eax, 12
        or      dword [TABLE_LOW + 4 * eax], 1
        jmp     monitor_leave

; A single step of the guest is its own interrupt 1.
monitor_db:
        MONITOR_ENTER
        mov     eax, dr6
        and     eax, ~4000h
        mov     dr6, eax
        mov     ebx, GUEST_STEP
        call    guest_interrupt
        jmp     monitor_leave

        bits    16
guest:
        xor     ax, ax
        mov     es, ax
        mov     word [es:4 * GUEST_CALL], guest_call - guest
        mov     [es:4 * GUEST_CALL + 2], cs
        mov     word [es:4 * GUEST_TICK], guest_tick - guest
        mov     [es:4 * GUEST_TICK + 2], cs
        mov     word [es:4 * GUEST_STEP], guest_step - guest
        mov     [es:4 * GUEST_STEP + 2], cs
        mov     cx, ROUNDS
.round: cli
        pushf
        pop     ax
        test    ah, EFLAGS_IF >> 8
        jz      .clear
        call    guest_count_bad
.clear: sti
        pushf
        pop     ax
        test    ah, EFLAGS_IF >> 8
        jnz     .set
        call    guest_count_bad
.set:   mov     bx, cx
        stc
        int     GUEST_CALL
        jnc     .carry                          ; it returns with CF clear, IF as before
        call    guest_count_bad
.carry: cmp     bx, 1234h
        je      .answered
        call    guest_count_bad
.answered:
        pushf
        pop     ax
        test    ah, EFLAGS_IF >> 8
        jnz     .restored
        call    guest_count_bad
.restored:
        mov     al, cl
        out     PORT_VALUE, al
        mov     al, 0
        in      al, PORT_VALUE
        cmp     al, cl
        je      .port
        call    guest_count_bad
.port:  loop    .round
        ; POPF: arithmetic flags change, IF by the virtual flag, IOPL and VM never
        push    word 08D7h
        popf
        pushf
        pop     ax
        and     ax, 0FFFh
        cmp     ax, 08D7h
        je      .popf
        call    guest_count_bad
.popf:  ; a tick waits for STI
        out     PORT_TICK, al
        nop
        cmp     word [guest_ticks - guest], 0
        je      .waits
        call    guest_count_bad
.waits: sti
        nop
        nop
        cmp     word [guest_ticks - guest], 1
        je      .sti
        call    guest_count_bad
.sti:   ; for POPF
        cli
        out     PORT_TICK, al
        push    word 0202h
        popf
        nop
        cmp     word [guest_ticks - guest], 2
        je      .popf_2
        call    guest_count_bad
.popf_2:; for IRET
        cli
        out     PORT_TICK, al
        push    word 0202h
        push    cs
        push    word .after_iret - guest
        iret
.after_iret:
        nop
        cmp     word [guest_ticks - guest], 3
        je      .iret
        call    guest_count_bad
.iret:  ; and comes at once where IF is set
        out     PORT_TICK, al
        nop
        cmp     word [guest_ticks - guest], 4
        je      .at_once
        call    guest_count_bad
.at_once:
        ; TF: the first trap is after the instruction that follows POPF
        push    word 0302h
        popf
        nop
        nop
        nop
        push    word 0202h
        popf                                    ; (the trap after it finds TF clear)
        ; pages that the monitor has taken away: one that is read, one that is pushed to
        mov     ax, 6000h
        mov     fs, ax
        cmp     word [fs:0FFEh], 55AAh
        je      .read
        call    guest_count_bad
.read:  mov     bx, ss
        mov     ax, 6100h
        mov     ss, ax
        mov     bp, sp
        mov     sp, 1002h
        push    word 0A5A5h
        pop     ax
        mov     sp, bp
        mov     ss, bx
        cmp     ax, 0A5A5h
        je      .pushed
        call    guest_count_bad
.pushed:
        hlt
guest_call:
        push    bp
        mov     bp, sp
        pushf
        pop     ax
        test    ah, EFLAGS_IF >> 8              ; an interrupt clears it
        jz      .good
        inc     word [cs:guest_bad - guest]
.good:  and     byte [bp + 6], ~1               ; CF of the caller
        mov     bx, 1234h
        inc     word [cs:guest_calls - guest]
        pop     bp
        iret
guest_tick:
        inc     word [cs:guest_ticks - guest]
        iret
guest_step:
        inc     word [cs:guest_steps - guest]
        iret
guest_count_bad:
        inc     word [cs:guest_bad - guest]
        ret
guest_bad       dw      0
guest_calls     dw      0
guest_ticks     dw      0
guest_steps     dw      0
; x87: an unmasked division by zero; FWAIT reports it, after what is not waiting.
guest_fpu:
        fninit
        fldcw   [guest_control - guest]
        fld1
        fldz
        fdivp                                   ; pending from here on
        mov     ax, 1
        fnstsw  ax
        mov     [guest_status - guest], ax
guest_wait:
        fwait
        inc     word [guest_waited - guest]
        hlt
guest_control   dw      037Bh
guest_status    dw      0
guest_waited    dw      0
guest_end:
        bits    32

prepare_fpu_guest:
        mov     dword [with_vme], 0
        mov     dword [guest_entry], guest_fpu - guest
        mov     dword [fpu_traps], 0
        mov     dword [fpu_eip], 0
        ret

; CR0.NE: #MF at the instruction that waits, restarted by the monitor.
test_fpu_exception:
        TEST    "x87 exceptions in v8086 mode, CR0.NE set"
        call    prepare_fpu_guest
        HANDLER MF, .handler
        mov     eax, cr0
        or      eax, CR0_NE | CR0_MP
        mov     cr0, eax
        call    run_guest
        HANDLER MF, 0
        CHECK   [fpu_traps], 1
        CHECK   [fpu_eip], guest_wait - guest
        movzx   eax, word [GUEST_AT + guest_waited - guest]
        CHECK   eax, 1
        movzx   eax, word [GUEST_AT + guest_status - guest]
        and     eax, 84h                        ; ES, ZE
        CHECK   eax, 84h
        ret
.handler:
        MONITOR_ENTER
        inc     dword [fpu_traps]
        mov     eax, [ebp + FRAME_EIP]
        mov     [fpu_eip], eax
        fnclex
        jmp     monitor_leave

; Without it FERR# is interrupt 13 of the board: the waiting instruction waits for it.
test_fpu_interrupt:
        TEST    "x87 exceptions in v8086 mode, IRQ 13"
        call    prepare_fpu_guest
        START_8259 MASTER_8259, MONITOR_IRQ_BASE, SLAVE_ON_IRQ_2, ~4 & 0FFh
        START_8259 SLAVE_8259, MONITOR_IRQ_BASE + 8, SLAVE_IS_2, ~20h & 0FFh    ; IRQ 13 alone
        HANDLER MONITOR_IRQ_BASE + 13, .handler
        mov     eax, cr0
        and     eax, ~CR0_NE
        mov     cr0, eax
        mov     dword [guest_eflags], 2 | EFLAGS_VM | EFLAGS_IF
        call    run_guest
        mov     dword [guest_eflags], 2 | EFLAGS_VM
        HANDLER MONITOR_IRQ_BASE + 13, 0
        mov     al, 0FFh
        out     21h, al
        out     0A1h, al
        CHECK   [fpu_traps], 1
        movzx   eax, word [GUEST_AT + guest_waited - guest]
        CHECK   eax, 1
        fninit
        ret
.handler:
        MONITOR_ENTER
        inc     dword [fpu_traps]
        xor     al, al
        out     0F0h, al
        mov     al, 20h
        out     0A0h, al
        out     20h, al
        fnclex
        jmp     monitor_leave

; A double fault by a task gate: a stack that is not there. The state is in the old TSS; the task
; mends it and returns.
make_double_fault_task:
        mov     edi, fault_tss
        mov     ecx, 26
        xor     eax, eax
        rep     stosd
        mov     dword [fault_tss + 1Ch], DIRECTORY
        mov     dword [fault_tss + 20h], .task
        mov     dword [fault_tss + 24h], 2
        mov     dword [fault_tss + 38h], STACK_TOP - 4000h
        mov     dword [fault_tss + 48h], SELECTOR_DATA32
        mov     dword [fault_tss + 4Ch], SELECTOR_CODE32
        mov     dword [fault_tss + 50h], SELECTOR_DATA32
        mov     dword [fault_tss + 54h], SELECTOR_DATA32
        mov     dword [fault_tss + 64h], 680000h
        SET_DESCRIPTOR S_TASK, fault_tss, 67h, 89h
        SET_GATE IDT_ADDRESS + 8 * DF, S_TASK, 0, 8500h
        ret
.task:  pop     dword [double_fault_error]
        clts
        inc     dword [double_faults]
        mov     eax, [v8086_tss + 20h]
        mov     [double_fault_eip], eax
        mov     eax, [v8086_tss + 38h]
        mov     [double_fault_esp], eax
        mov     eax, [v8086_tss + 24h]
        mov     [double_fault_eflags], eax
        mov     eax, cr2
        mov     [double_fault_cr2], eax
        mov     eax, [mend]
        call    eax
        iretd
        jmp     .task

test_double_fault:
        TEST    "a double fault by a task gate"
        call    make_double_fault_task
        mov     dword [mend], .mend
        mov     [monitor_esp], esp
        mov     esp, 40000010h                  ; no page there
        mov     ebx, 0BEEFh
.push:  push    ebx
.after: CHECK   [double_faults], 1
        CHECK   [double_fault_error], 0
        CHECK   [double_fault_eip], .push
        CHECK   [double_fault_esp], 40000010h
        ; CR2 is of the first fault or of its delivery: either is on that page.
        mov     eax, [double_fault_cr2]
        and     eax, ~0FFFh
        CHECK   eax, 40000000h
        CHECK   ebx, 0BEEFh
        movzx   eax, word [test_gdt + S_TASK + 5]
        and     eax, 0Fh
        CHECK   eax, 9                          ; not busy any more
        ret
.mend:  mov     eax, [monitor_esp]
        mov     [v8086_tss + 38h], eax
        mov     dword [v8086_tss + 20h], .after
        ret

; The same out of v8086 mode: the monitor's stack is missing.
test_double_fault_v8086:
        TEST    "a double fault out of v8086 mode"
        mov     dword [double_faults], 0
        mov     dword [mend], .mend
        mov     dword [v8086_tss + 4], 40000100h
        mov     dword [GUEST_AT], 0F4F490FAh    ; CLI: #GP
        mov     dword [guest_entry], 0
        mov     [monitor_esp], esp
        push    dword 4444h
        push    dword 3333h
        push    dword 2222h
        push    dword 1111h
        push    dword V8086_STACK_SEGMENT
        push    dword 0FFF0h
        push    dword 2 | EFLAGS_VM
        push    dword GUEST
        push    dword 0
        iretd
.after: CHECK   [double_faults], 1
        CHECK   [double_fault_eip], 0
        CHECK   [double_fault_esp], 0FFF0h
        mov     eax, [double_fault_eflags]
        and     eax, EFLAGS_VM
        CHECK   eax, EFLAGS_VM
        ret
.mend:  mov     eax, [monitor_esp]
        mov     [v8086_tss + 38h], eax
        mov     dword [v8086_tss + 20h], .after
        mov     dword [v8086_tss + 24h], 2
        mov     dword [v8086_tss + 4], LEVEL_0_STACK_TOP
        mov     eax, SELECTOR_DATA32
        mov     [v8086_tss + 48h], eax          ; what it had in these were the guest's
        mov     dword [v8086_tss + 4Ch], SELECTOR_CODE32
        mov     [v8086_tss + 50h], eax
        mov     [v8086_tss + 54h], eax
        mov     [v8086_tss + 58h], eax
        mov     [v8086_tss + 5Ch], eax
        ret

; Tasks that call one another, five deep, and return; NT, links and busy bits on the way.
DEPTH           equ     5
S_NESTED        equ     SELECTOR_FREE + 40h
test_nested_tasks:
        TEST    "nested tasks"
%assign task 0
%rep DEPTH
        mov     edi, nested_tss + 68h * task
        mov     ecx, 26
        xor     eax, eax
        rep     stosd
        mov     edi, nested_tss + 68h * task
        mov     dword [edi + 1Ch], DIRECTORY
        mov     dword [edi + 20h], .task_ %+ task
        mov     dword [edi + 24h], 2
        mov     dword [edi + 38h], STACK_TOP - 4000h - 100h * (task + 1)
        mov     dword [edi + 48h], SELECTOR_DATA32
        mov     dword [edi + 4Ch], SELECTOR_CODE32
        mov     dword [edi + 50h], SELECTOR_DATA32
        mov     dword [edi + 54h], SELECTOR_DATA32
        mov     dword [edi + 64h], 680000h
        SET_DESCRIPTOR S_NESTED + 8 * task, edi, 67h, 89h
%assign task task + 1
%endrep
        mov     dword [order], 0
        call    S_NESTED:0
        clts
        CHECK   [order], 11111h
        movzx   eax, word [nested_tss + 68h * 4]
        CHECK   eax, S_NESTED + 8 * 3
        movzx   eax, word [nested_tss]
        CHECK   eax, SELECTOR_TSS
        movzx   eax, byte [test_gdt + S_NESTED + 8 * 2 + 5]
        CHECK   eax, 89h
        pushfd
        pop     eax
        and     eax, EFLAGS_NT
        CHECK   eax, 0
        ret
%assign task 0
%rep DEPTH
.task_ %+ task:
%if task != 0
        mov     eax, [order]
        shl     eax, 4
        or      eax, task
        mov     [order], eax
%endif
%if task + 1 < DEPTH
        call    S_NESTED + 8 * (task + 1):0
%else
        pushfd
        pop     ebx
        and     ebx, EFLAGS_NT
        CHECK   ebx, EFLAGS_NT
        ; at the deepest: every task on the way is busy, and calling one of them is #GP
        EXPECT  GP, S_NESTED + 8, call S_NESTED + 8:0
        push    dword 2 | EFLAGS_NT             ; the harness's handler lost it
        popfd
        cmp     dword [order], 01234h           ; down in this order
        jne     .wrong_order
        mov     dword [order], 0
.wrong_order:
%endif
        add     dword [order], 1 << 4 * task    ; and each goes on behind its call
        iretd
%assign task task + 1
%endrep

        align   16
v8086_tss:
        times   26 + 8 + 41h dd 0
fault_tss:
        times   26 dd 0
nested_tss:
        times   26 * DEPTH dd 0
guest_entry             dd      0
guest_eflags            dd      2 | EFLAGS_VM
with_vme                dd      0
vme_traps               dd      0
monitor_traps           dd      0
traps_without           dd      0
page_faults             dd      0
virtual_if              dd      0
tick_pending            dd      0
monitor_esp             dd      0
fpu_traps               dd      0
fpu_eip                 dd      0
double_faults           dd      0
double_fault_error      dd      0
double_fault_eip        dd      0
double_fault_esp        dd      0
double_fault_eflags     dd      0
double_fault_cr2        dd      0
mend                    dd      0
order                   dd      0
port_value              db      0

%include "image_end.inc"
