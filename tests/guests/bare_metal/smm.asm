; System management mode, with a handler of our own in SMRAM in place of the BIOS's: from each mode
; of the processor in and out again, what the handler sees, and what it changes. SDM vol. 3C 31.

%include "harness.inc"
%include "paging.inc"

SMRAM_HANDLER           equ     0A8000h         ; SMBASE, as the BIOS leaves it, and 8000h
SMBASE                  equ     0A0000h
SMRAM_CLOSED            equ     0Ah             ; register 72h of the host bridge: enabled
SMRAM_OPEN              equ     4Ah
APM_CONTROL             equ     0B2h
COMMAND                 equ     5Ah
NEW_EAX                 equ     12345678h
HIGH_WORD               equ     110000h         ; above 1 MB: the handler reaches it without a segment
ALIAS                   equ     2000000h        ; a linear address without RAM of its own
ALIASED                 equ     300000h
V8086_CODE              equ     7F000h

; In the save area, from CS:0 of the handler.
SAVED_EFLAGS            equ     0FFF4h
SAVED_EIP               equ     0FFF0h
SAVED_EAX               equ     0FFD0h
SAVED_CS                equ     0FFACh
SAVED_REVISION          equ     0FEFCh
SAVED_SMBASE            equ     0FEF8h

; What the handler notes.
NOTES                   equ     6000h
noted_count             equ     NOTES
noted_cr0               equ     NOTES + 4
noted_eip               equ     NOTES + 8
noted_cs                equ     NOTES + 12
noted_eflags            equ     NOTES + 16
noted_smbase            equ     NOTES + 20
noted_high              equ     NOTES + 24
noted_revision          equ     NOTES + 28
noted_after             equ     NOTES + 32
raise_again             equ     NOTES + 36
NOTES_SIZE              equ     40

; An SMI: NEW_EAX must be in EAX after it.
%macro SMI 0
        mov     al, COMMAND
        out     APM_CONTROL, al
%%after:
        CHECK   eax, NEW_EAX
        CHECK   [noted_eip], %%after
%endmacro

test:
        mov     edi, NOTES
        mov     ecx, NOTES_SIZE / 4
        xor     eax, eax
        rep     stosd
        mov     dword [HIGH_WORD], 0CAFEF00Dh
        mov     dword [ALIASED], 0A11A5EDh
        call    install_handler
        call    test_protected_mode
        call    test_user_mode
        call    test_v8086_mode
        call    test_second_smi
        call    test_paging
        call    remove_handler
        TEST    "RSM outside"
        EXPECT  UD, 0, rsm
        ret

test_protected_mode:
        TEST    "SMRAM is hidden"
        CHECK   [SMRAM_HANDLER], 0FFFFFFFFh
        TEST    "from protected mode"
        mov     ebx, 11112222h
        mov     ebp, 33334444h
        mov     esi, 55556666h
        stc
        SMI
        pushfd
        pop     edx
        CHECK   ebx, 11112222h
        CHECK   ebp, 33334444h
        CHECK   esi, 55556666h
        and     edx, EFLAGS_CF
        CHECK   edx, EFLAGS_CF
        mov     eax, [noted_cr0]
        and     eax, CR0_PE | CR0_PG
        CHECK   eax, 0
        CHECK   [noted_count], 1
        CHECK   [noted_cs], SELECTOR_CODE32
        CHECK   [noted_smbase], SMBASE
        CHECK   [noted_revision], 20000h
        CHECK   [noted_high], 0CAFEF00Dh
        CHECK   [SMRAM_HANDLER], 0FFFFFFFFh
        ret

test_user_mode:
        TEST    "from level 3"
        mov     dword [user_eflags], 2 | EFLAGS_IOPL
        RUN_USER .user
        CHECK   [seen_vector], RETURN_VECTOR
        CHECK   [seen_eax], NEW_EAX
        CHECK   [seen_ebx], 0ABCDEF01h
        CHECK   [seen_cs], SELECTOR_USER_CODE
        CHECK   [seen_esp], USER_STACK_TOP
        CHECK   [noted_cs], SELECTOR_USER_CODE
        CHECK   [noted_eip], .after
        CHECK   [noted_count], 2
        ret
.user:  mov     ebx, 0ABCDEF01h
        mov     al, COMMAND
        out     APM_CONTROL, al
.after: int     RETURN_VECTOR

; In v8086 mode the TSS's map decides on ports.
test_v8086_mode:
        TEST    "from v8086 mode"
        mov     dword [smm_tss + 4], LEVEL_0_STACK_TOP
        mov     dword [smm_tss + 8], SELECTOR_DATA32
        SET_DESCRIPTOR SELECTOR_FREE, smm_tss, SMM_TSS_SIZE - 1, 89h
        mov     ax, SELECTOR_FREE
        ltr     ax
        mov     dword [V8086_CODE], 0B0h | COMMAND << 8 | 0E6h << 16 | APM_CONTROL << 24
        mov     word [V8086_CODE + 4], 0CDh | RETURN_VECTOR << 8
        RUN_V8086 V8086_CODE >> 4, 0
        CHECK   [seen_vector], RETURN_VECTOR
        CHECK   [seen_eip], 6
        CHECK   [seen_cs], V8086_CODE >> 4
        CHECK   [seen_eax], NEW_EAX
        mov     eax, [seen_eflags]
        and     eax, [noted_eflags]
        and     eax, EFLAGS_VM
        CHECK   eax, EFLAGS_VM
        CHECK   [noted_eip], 4
        CHECK   [noted_count], 3
        SET_DESCRIPTOR SELECTOR_TSS, main_tss, 67h, 89h
        mov     ax, SELECTOR_TSS
        ltr     ax
        ret

; One that comes within the handler waits for RSM; then it is taken at once, before the next
; instruction.
test_second_smi:
        TEST    "an SMI within the handler"
        mov     dword [raise_again], 1
        SMI
        CHECK   [noted_count], 5
        CHECK   [noted_after], 1
        CHECK   [raise_again], 0
        ret

; Paging is off within, and on again after it with all that the TLB knew.
test_paging:
        TEST    "from paging"
        call    paging_enable
        mov     eax, ALIAS
        mov     edx, ALIASED
        mov     ecx, 1
        call    paging_map
        CHECK   [ALIAS], 0A11A5EDh
        SMI
        CHECK   [ALIAS], 0A11A5EDh
        mov     eax, cr0
        and     eax, CR0_PG
        CHECK   eax, CR0_PG
        mov     eax, [noted_cr0]
        and     eax, CR0_PE | CR0_PG
        CHECK   eax, 0
        CHECK   [noted_count], 6
        mov     eax, cr0
        and     eax, ~CR0_PG
        mov     cr0, eax
        ret

; --- SMRAM ---

; AL to the host bridge's SMRAM register.
set_smram:
        push    eax
        mov     edx, 0CF8h
        mov     eax, 80000070h
        out     dx, eax
        pop     eax
        mov     edx, 0CFCh + 2
        out     dx, al
        ret

install_handler:
        mov     al, SMRAM_OPEN
        call    set_smram
        mov     esi, SMRAM_HANDLER
        mov     edi, saved_handler
        mov     ecx, HANDLER_SIZE
        rep     movsb
        mov     esi, handler
        jmp     copy_handler
remove_handler:
        mov     al, SMRAM_OPEN
        call    set_smram
        mov     esi, saved_handler
copy_handler:
        mov     edi, SMRAM_HANDLER
        mov     ecx, HANDLER_SIZE
        rep     movsb
        mov     al, SMRAM_CLOSED
        jmp     set_smram

        bits    16
; Runs at SMBASE + 8000h with segments of 4 GB that begin at 0, CS at SMBASE. No stack is used.
handler:
        inc     dword [noted_count]
        mov     eax, cr0
        mov     [noted_cr0], eax
        mov     eax, [cs:SAVED_EIP]
        mov     [noted_eip], eax
        mov     eax, [cs:SAVED_CS]
        mov     [noted_cs], eax
        mov     eax, [cs:SAVED_EFLAGS]
        mov     [noted_eflags], eax
        mov     eax, [cs:SAVED_SMBASE]
        mov     [noted_smbase], eax
        mov     eax, [cs:SAVED_REVISION]
        mov     [noted_revision], eax
        mov     eax, [dword HIGH_WORD]
        mov     [noted_high], eax
        mov     dword [cs:SAVED_EAX], NEW_EAX
        cmp     dword [raise_again], 0
        je      .done
        mov     dword [raise_again], 0
        mov     al, COMMAND
        out     APM_CONTROL, al
        inc     dword [noted_after]
.done:  rsm
HANDLER_SIZE            equ     $ - handler
        bits    32

saved_handler           times HANDLER_SIZE db 0
        align   16
smm_tss:
        times   25 dd 0
        dw      0, 68h
        times   32 db 0                         ; ports below 100h are free
        db      0FFh
SMM_TSS_SIZE            equ     $ - smm_tss

%include "image_end.inc"
