; Hardware task switches by JMP, CALL, IRET, interrupts and exceptions, between 386 and 286 TSSs:
; registers, links, busy bits, NT, TS, and what goes wrong. SDM vol. 3A chapter 7. And the I/O
; permission map, which lies in the TSS: SDM vol. 1 19.5.

%include "harness.inc"

TSS_AVAILABLE   equ     89h
TSS_BUSY        equ     8Bh
TSS16_AVAILABLE equ     81h
TASK_GATE       equ     8500h
CR0_TS          equ     8

S_TASK          equ     SELECTOR_FREE
S_TASK_16       equ     SELECTOR_FREE + 8h
S_TASK_GATE     equ     SELECTOR_FREE + 10h
S_SHORT         equ     SELECTOR_FREE + 18h
S_CODE_16       equ     SELECTOR_FREE + 20h
TASK_VECTOR     equ     61h
TASK_STACK      equ     88000h

; Fields of a 386 TSS.
TSS_LINK        equ     0
TSS_CR3         equ     1Ch
TSS_EIP         equ     20h
TSS_EFLAGS      equ     24h
TSS_EAX         equ     28h
TSS_ESP         equ     38h
TSS_EDI         equ     44h
TSS_ES          equ     48h
TSS_CS          equ     4Ch
TSS_SS          equ     50h
TSS_DS          equ     54h

%macro CHECK_TYPE 2
        movzx   eax, byte [test_gdt + (%1) + 5]
        CHECK   eax, %2
%endmacro

test:
        call    test_jump
        call    test_call
        call    test_gates
        call    test_interrupt
        call    test_exception_with_error_code
        call    test_286_task
        call    test_v8086_task
        call    test_refused
        call    test_faults_in_new_task
        call    test_permission_map
        ret

; The task's TSS as new, with EIP = EAX.
make_task:
        push    edi
        push    ecx
        push    eax
        mov     edi, task_tss
        mov     ecx, 26
        xor     eax, eax
        rep     stosd
        pop     eax
        mov     [task_tss + TSS_EIP], eax
        mov     dword [task_tss + TSS_EFLAGS], 2
        mov     dword [task_tss + TSS_ESP], TASK_STACK
        mov     dword [task_tss + TSS_CS], SELECTOR_CODE32
        mov     dword [task_tss + TSS_SS], SELECTOR_DATA32
        mov     dword [task_tss + TSS_DS], SELECTOR_DATA32
        mov     dword [task_tss + TSS_ES], SELECTOR_DATA32
        mov     dword [task_tss + TSS_EAX], 0AAAA5555h
        mov     dword [task_tss + TSS_EDI], 12345678h
        mov     word [task_tss + 66h], 68h
        SET_DESCRIPTOR S_TASK, task_tss, 67h, TSS_AVAILABLE
        pop     ecx
        pop     edi
        ret

%macro MAKE_TASK 1
        mov     eax, %1
        call    make_task
%endmacro

; TR back to the main TSS by force, whatever happened.
restore_task:
        pushfd
        and     dword [esp], ~EFLAGS_NT
        popfd
        clts
        SET_DESCRIPTOR SELECTOR_TSS, main_tss, 67h, TSS_AVAILABLE
        mov     ax, SELECTOR_TSS
        ltr     ax
        xor     eax, eax
        lldt    ax
        mov     ax, SELECTOR_DATA32
        mov     es, ax
        ret

test_jump:
        TEST    "JMP to a TSS"
        MAKE_TASK .task
        clts
        mov     ebx, 0B0B0B0B0h
        mov     ebp, esp
        jmp     S_TASK:0DEADBEEFh               ; the offset does not count
.back:  CHECK   ebx, 0B0B0B0B0h
        mov     eax, esp
        CHECK   eax, ebp
        CHECK_TYPE S_TASK, TSS_AVAILABLE
        CHECK_TYPE SELECTOR_TSS, TSS_BUSY
        CHECK   [main_tss + TSS_EIP], .back
        CHECK   [main_tss + TSS_CS], SELECTOR_CODE32
        CHECK   [task_tss + TSS_EDI], 87654321h
        movzx   eax, word [task_tss + TSS_LINK]
        CHECK   eax, 0
        mov     eax, cr0
        and     eax, CR0_TS
        CHECK   eax, CR0_TS
        clts
        ret
.task:  CHECK   eax, 0AAAA5555h
        CHECK   edi, 12345678h
        mov     eax, esp
        CHECK   eax, TASK_STACK
        CHECK_TYPE S_TASK, TSS_BUSY
        CHECK_TYPE SELECTOR_TSS, TSS_AVAILABLE
        pushfd
        pop     eax
        and     eax, EFLAGS_NT
        CHECK   eax, 0
        str     ax
        movzx   eax, ax
        CHECK   eax, S_TASK
        mov     edi, 87654321h
        jmp     SELECTOR_TSS:0

; CALL nests: link, NT, both busy; IRET undoes it, and the next CALL goes on behind the IRET.
test_call:
        TEST    "CALL of a TSS and IRET"
        MAKE_TASK .task
        mov     dword [passes], 0
        call    S_TASK:0
        CHECK_TYPE S_TASK, TSS_AVAILABLE
        CHECK_TYPE SELECTOR_TSS, TSS_BUSY
        mov     eax, [task_tss + TSS_EFLAGS]
        and     eax, EFLAGS_NT
        CHECK   eax, 0
        call    S_TASK:0
        CHECK   [passes], 2
        clts
        ret
.task:  movzx   eax, word [task_tss + TSS_LINK]
        CHECK   eax, SELECTOR_TSS
        CHECK_TYPE S_TASK, TSS_BUSY
        CHECK_TYPE SELECTOR_TSS, TSS_BUSY
        pushfd
        pop     eax
        and     eax, EFLAGS_NT
        CHECK   eax, EFLAGS_NT
        inc     dword [passes]
        iretd
        jmp     .task

test_gates:
        TEST    "task gates"
        MAKE_TASK .task
        SET_GATE test_gdt + S_TASK_GATE, S_TASK, 0, TASK_GATE
        mov     dword [passes], 0
        call    S_TASK_GATE:0
        CHECK   [passes], 1
        clts
        mov     word [test_gdt + S_TASK_GATE + 4], TASK_GATE & ~8000h
        EXPECT  NP, S_TASK_GATE, jmp S_TASK_GATE:0
        mov     word [test_gdt + S_TASK_GATE + 4], TASK_GATE
        mov     word [test_gdt + S_TASK_GATE + 2], SELECTOR_CODE32
        EXPECT  GP, SELECTOR_CODE32, jmp S_TASK_GATE:0
        mov     word [test_gdt + S_TASK_GATE + 2], S_TASK | 4
        EXPECT  GP, S_TASK | 4, jmp S_TASK_GATE:0
        mov     word [test_gdt + S_TASK_GATE + 2], SELECTOR_TSS
        EXPECT  GP, SELECTOR_TSS, jmp S_TASK_GATE:0   ; busy
        ret
.task:  inc     dword [passes]
        iretd

test_interrupt:
        TEST    "INT through a task gate"
        MAKE_TASK .task
        SET_GATE IDT_ADDRESS + 8 * TASK_VECTOR, S_TASK, 0, TASK_GATE
        mov     dword [passes], 0
        sti
        int     TASK_VECTOR
        cli
        CHECK   [passes], 1
        mov     eax, [main_tss + TSS_EFLAGS]
        and     eax, EFLAGS_IF
        CHECK   eax, EFLAGS_IF
        clts
        ret
.task:  pushfd
        pop     eax
        and     eax, EFLAGS_IF | EFLAGS_NT
        CHECK   eax, EFLAGS_NT                  ; IF as the TSS has it
        mov     eax, esp
        CHECK   eax, TASK_STACK                 ; no error code
        inc     dword [passes]
        iretd

; The error code is pushed on the new task's stack; the old task's EIP is that of the faulting
; instruction.
test_exception_with_error_code:
        TEST    "an exception through a task gate"
        MAKE_TASK .task
        SET_GATE IDT_ADDRESS + 8 * GP, S_TASK, 0, TASK_GATE
        xor     ebx, ebx
        mov     ax, 200h                        ; beyond the table
.fault: mov     es, ax
.after: CHECK   ebx, 77h
        SET_GATE IDT_ADDRESS + 8 * GP, SELECTOR_CODE32, harness_stubs + HARNESS_STUB_SIZE * GP, GATE_INTERRUPT32
        clts
        ret
.task:  mov     ecx, [esp]
        CHECK   ecx, 200h
        mov     eax, esp
        CHECK   eax, TASK_STACK - 4
        CHECK   [main_tss + TSS_EIP], .fault
        mov     eax, [main_tss + TSS_EFLAGS]
        and     eax, EFLAGS_RF
        CHECK   eax, EFLAGS_RF
        mov     dword [main_tss + TSS_EIP], .after
        mov     dword [main_tss + 34h], 77h     ; EBX
        add     esp, 4
        iretd

; A 286 TSS: lower halves only, four segments.
test_286_task:
        TEST    "286 tasks"
        SET_DESCRIPTOR S_TASK_16, task_tss_16, 2Bh, TSS16_AVAILABLE
        SET_DESCRIPTOR S_CODE_16, 0, 0FFFFh, 9Ah
        mov     word [task_tss_16 + 0Eh], task_16
        mov     word [task_tss_16 + 10h], 2
        mov     word [task_tss_16 + 1Ah], 7000h ; SP
        mov     word [task_tss_16 + 12h], 1234h ; AX
        mov     word [task_tss_16 + 22h], SELECTOR_DATA16
        mov     word [task_tss_16 + 24h], S_CODE_16
        mov     word [task_tss_16 + 26h], SELECTOR_DATA16
        mov     word [task_tss_16 + 28h], SELECTOR_DATA16
        mov     ax, SELECTOR_DATA32
        mov     fs, ax
        mov     gs, ax
        mov     ebx, 5555h
        call    S_TASK_16:0
        CHECK   ebx, 5555h
        CHECK   [seen_in_task_16], 0FFFF1234h
        CHECK   [seen_in_task_16 + 4], 0        ; FS
        CHECK_TYPE S_TASK_16, TSS16_AVAILABLE
        movzx   eax, word [task_tss_16 + TSS_LINK]
        CHECK   eax, SELECTOR_TSS
        movzx   eax, word [task_tss_16 + 12h]
        CHECK   eax, 4321h
        clts
        ret

        bits    16
task_16:
        mov     [seen_in_task_16], eax
        mov     cx, fs
        mov     [seen_in_task_16 + 4], cx
        mov     ax, 4321h
        iret
        bits    32

; A TSS may start v8086 mode.
test_v8086_task:
        TEST    "a task in v8086 mode"
        MAKE_TASK 0
        mov     dword [7F000h], 40CDh           ; INT 40h
        mov     dword [task_tss + TSS_EFLAGS], 2 | EFLAGS_VM | EFLAGS_IOPL
        mov     dword [task_tss + TSS_CS], 7F00h
        mov     dword [task_tss + TSS_SS], 7000h
        mov     dword [task_tss + TSS_ESP], 0FFF0h
        mov     dword [task_tss + TSS_DS], 1111h
        mov     dword [task_tss + 4], LEVEL_0_STACK_TOP
        mov     dword [task_tss + 8], SELECTOR_DATA32
        ATTEMPT
        jmp     S_TASK:0
        ATTEMPT_END
        CHECK   [seen_vector], RETURN_VECTOR
        CHECK   [seen_cs], 7F00h
        CHECK   [seen_eip], 2
        CHECK   [seen_ss], 7000h
        mov     eax, [seen_eflags]
        and     eax, EFLAGS_VM
        CHECK   eax, EFLAGS_VM
        jmp     restore_task

; Found before the switch: the old task gets the fault, with everything as it was.
test_refused:
        TEST    "task switches that are refused"
        MAKE_TASK 0
        EXPECT  GP, SELECTOR_TSS, jmp SELECTOR_TSS:0  ; itself: busy
        SET_DESCRIPTOR S_SHORT, task_tss, 66h, TSS_AVAILABLE
        EXPECT  TS, S_SHORT, jmp S_SHORT:0
        SET_DESCRIPTOR S_SHORT, task_tss, 67h, TSS_AVAILABLE & ~80h
        EXPECT  NP, S_SHORT, call S_SHORT:0
        SET_DESCRIPTOR S_SHORT, task_tss_16, 2Ah, TSS16_AVAILABLE
        EXPECT  TS, S_SHORT, call S_SHORT:0
        EXPECT  GP, S_TASK, jmp S_TASK | 3:0    ; its DPL is 0
        CHECK_TYPE S_TASK, TSS_AVAILABLE
        CHECK_TYPE SELECTOR_TSS, TSS_BUSY
        ; IRET with NT to what is no busy TSS.
        mov     word [main_tss + TSS_LINK], S_TASK
        ATTEMPT
        pushfd
        or      dword [esp], EFLAGS_NT
        popfd
.iret:  iretd
        ATTEMPT_END
        CHECK   [seen_vector], TS
        CHECK   [seen_error], S_TASK
        CHECK   [seen_eip], .iret
        mov     word [main_tss + TSS_LINK], 0
        ret

; Found after the switch: the new task's fault, at its first instruction, with its TR.
%macro CHECK_NEW_TASK_FAULT 2
        CHECK   [seen_vector], %1
        CHECK   [seen_error], %2
        CHECK   [seen_eip], new_task
        str     ax
        movzx   eax, ax
        CHECK   eax, S_TASK
        call    restore_task
%endmacro
test_faults_in_new_task:
        TEST    "faults in the new task's context"
        MAKE_TASK new_task
        mov     dword [task_tss + TSS_DS], 1F8h + 200h
        ATTEMPT
        jmp     S_TASK:0
        ATTEMPT_END
        CHECK_NEW_TASK_FAULT TS, 1F8h + 200h
        MAKE_TASK new_task
        SET_DESCRIPTOR S_SHORT, 0, 0FFFFFh, 0C012h  ; not present
        mov     dword [task_tss + TSS_ES], S_SHORT
        ATTEMPT
        jmp     S_TASK:0
        ATTEMPT_END
        CHECK_NEW_TASK_FAULT NP, S_SHORT
        ret
new_task:
        int     RETURN_VECTOR

; Bits of the map by port; a map that ends early; sizes that cross.
PERMISSIONS     equ     permission_tss + 68h
%macro PORT_CASE 2+
        jmp     %%go
%%user: %2
        int     RETURN_VECTOR
%%go:   RUN_USER %%user
        CHECK   [seen_vector], %1
%endmacro
test_permission_map:
        TEST    "the I/O permission map"
        SET_DESCRIPTOR S_TASK, permission_tss, 68h + 20h, TSS_AVAILABLE
        mov     dword [permission_tss + 4], LEVEL_0_STACK_TOP
        mov     dword [permission_tss + 8], SELECTOR_DATA32
        mov     word [permission_tss + 66h], 68h
        mov     edi, PERMISSIONS
        mov     ecx, 20h
        mov     al, 0FFh
        rep     stosb
        mov     byte [PERMISSIONS + 20h], 0FFh
        mov     byte [PERMISSIONS + 80h / 8], 11111110b         ; 80h alone
        mov     byte [PERMISSIONS + 84h / 8], 00001110b         ; 80h, 84h to 87h
        mov     byte [PERMISSIONS + 88h / 8], 11111110b         ; 88h
        mov     ax, S_TASK
        ltr     ax
        PORT_CASE RETURN_VECTOR, in al, 80h
        PORT_CASE RETURN_VECTOR, out 80h, al
        PORT_CASE GP, in ax, 80h
        PORT_CASE GP, in al, 81h
        PORT_CASE RETURN_VECTOR, in eax, 84h
        PORT_CASE RETURN_VECTOR, in ax, 87h     ; two bytes of the map
        PORT_CASE GP, in eax, 86h
        mov     edx, 80h
        mov     edi, 200000h
        PORT_CASE RETURN_VECTOR, insb
        mov     edx, 81h
        PORT_CASE GP, outsb
        CHECK   [seen_error], 0
        mov     edx, 0FFh                       ; its second byte is the last within the limit
        mov     byte [PERMISSIONS + 1Fh], 7Fh
        PORT_CASE RETURN_VECTOR, in al, dx
        mov     edx, 100h                       ; its second byte is beyond
        mov     byte [PERMISSIONS + 20h], 0
        PORT_CASE GP, in al, dx
        mov     word [permission_tss + 66h], 0FFFFh
        PORT_CASE GP, in al, 80h
        mov     word [permission_tss + 66h], 68h
        ; In v8086 mode the map decides whatever IOPL is.
        mov     dword [7F000h], 0CD80E4h | RETURN_VECTOR << 24   ; IN AL, 80h; INT 40h
        mov     dword [user_eflags], 2 | EFLAGS_IOPL
        RUN_V8086 7F00h, 0
        CHECK   [seen_vector], RETURN_VECTOR
        mov     byte [7F001h], 81h
        RUN_V8086 7F00h, 0
        CHECK   [seen_vector], GP
        mov     dword [user_eflags], 2
        jmp     restore_task

        align   16
task_tss:
        times   26 dd 0
task_tss_16:
        times   22 dw 0
        align   16
permission_tss:
        times   26 dd 0
        times   21h db 0
        align   4
passes                  dd      0
seen_in_task_16         dd      0, 0

%include "image_end.inc"
