; Code that changes while it is in use: by its own stores, through another mapping, across pages, by
; string instructions, by port input and by bus-master DMA. SDM vol. 3A 11.6: a processor of this
; family sees its own stores at the next instruction, whatever address they went through after a
; jump.

%include "harness.inc"
%include "ide.inc"

P_W             equ     3                       ; present, writable
DIRECTORY       equ     100000h
TABLE           equ     101000h                 ; the first 4 MB, one to one but for the areas
CODE_AT         equ     200000h                 ; physical and linear
ALIAS           equ     300000h                 ; linear: the same page
ALIAS_2         equ     301000h                 ; linear: the same page again
ROUNDS          equ     300

PRD             equ     210000h

test:
        call    make_tables
        call    test_next_instruction
        call    test_alias
        call    test_page_end
        call    test_strings
        call    test_calls
        call    test_loop_changes_itself
        call    test_port_input
        call    test_dma
        ret

make_tables:
        mov     edi, TABLE
        mov     eax, P_W
        mov     ecx, 400h
.page:  stosd
        add     eax, 1000h
        loop    .page
        mov     dword [TABLE + 4 * (ALIAS >> 12)], CODE_AT | P_W
        mov     dword [TABLE + 4 * (ALIAS_2 >> 12)], CODE_AT | P_W
        mov     dword [DIRECTORY], TABLE | P_W
        mov     eax, DIRECTORY
        mov     cr3, eax
        mov     eax, cr0
        or      eax, 80000000h
        mov     cr0, eax
        ret

; MOV EAX, imm32; RET at EDI with the value ESI.
put_function:
        mov     byte [edi], 0B8h
        mov     [edi + 1], esi
        mov     byte [edi + 5], 0C3h
        ret

test_next_instruction:
        TEST    "the next instruction"
        mov     ecx, ROUNDS
        xor     ebx, ebx
.again: mov     [.patched + 1], ecx
.patched:
        mov     eax, 0
        cmp     eax, ecx
        je      .good
        inc     ebx
.good:  loop    .again
        CHECK   ebx, 0
        ; An opcode that becomes another one, with another length.
        mov     ecx, ROUNDS
        xor     edx, edx
.flip:  xor     byte [.opcode], 40h ^ 42h       ; INC EAX, INC EDX
        xor     eax, eax
.opcode:
        inc     eax
        loop    .flip
        CHECK   edx, ROUNDS / 2
        ret

test_alias:
        TEST    "stores through another mapping"
        mov     ebp, ROUNDS
        xor     ebx, ebx
.again: mov     esi, ebp
        mov     edi, ALIAS
        call    put_function
        mov     eax, CODE_AT
        call    eax
        cmp     eax, ebp
        je      .one
        inc     ebx
.one:   mov     edi, CODE_AT
        lea     esi, [ebp + 1000h]
        call    put_function
        mov     eax, ALIAS_2
        call    eax
        sub     eax, 1000h
        cmp     eax, ebp
        je      .two
        inc     ebx
.two:   dec     ebp
        jnz     .again
        CHECK   ebx, 0
        ret

; An instruction whose second half, on the next page, changes; and one that a store across the
; boundary changes on both.
test_page_end:
        TEST    "across pages"
        mov     edi, CODE_AT + 0FFEh
        xor     esi, esi
        call    put_function
        mov     ebp, ROUNDS
        xor     ebx, ebx
.again: mov     [CODE_AT + 1001h], bp           ; the upper half of the immediate
        mov     eax, CODE_AT + 0FFEh
        call    eax
        shr     eax, 16
        cmp     eax, ebp
        je      .good
        inc     ebx
.good:  mov     [CODE_AT + 0FFFh], ebp          ; all of it
        mov     eax, CODE_AT + 0FFEh
        call    eax
        cmp     eax, ebp
        je      .good_2
        inc     ebx
.good_2:
        dec     ebp
        jnz     .again
        CHECK   ebx, 0
        ret

test_strings:
        TEST    "string instructions"
        mov     ebp, ROUNDS
        xor     ebx, ebx
.again: mov     edi, ALIAS + 800h               ; another function is made there
        mov     esi, ebp
        call    put_function
        mov     esi, ALIAS + 800h
        mov     edi, CODE_AT
        mov     ecx, 6
        rep     movsb
        mov     eax, CODE_AT
        call    eax
        cmp     eax, ebp
        je      .good
        inc     ebx
.good:  dec     ebp
        jnz     .again
        CHECK   ebx, 0
        ; REP STOS over what follows it.
        mov     edi, .after
        mov     ecx, 4
        mov     al, 40h                         ; INC EAX
        rep     stosb
        mov     eax, 0
.after: nop
        nop
        nop
        nop
        CHECK   eax, 4
        ; The whole page is filled while a function on it was run.
        mov     edi, ALIAS
        mov     ecx, 400h
        mov     eax, 0C3C3C3C3h
        rep     stosd
        mov     eax, 5
        mov     edx, CODE_AT
        call    edx
        CHECK   eax, 5
        ret

; A return to code that has changed meanwhile: what was called changes its caller.
test_calls:
        TEST    "returns"
        mov     ecx, ROUNDS
        xor     ebx, ebx
.again: call    .change
.back:  mov     eax, 0
        cmp     eax, ecx
        je      .good
        inc     ebx
.good:  loop    .again
        CHECK   ebx, 0
        ret
.change:
        mov     [.back + 1], ecx
        ret

; A loop that is hot before it changes its own branch, and so ends.
test_loop_changes_itself:
        TEST    "a loop that ends itself"
        xor     eax, eax
        mov     byte [.branch], 0EBh            ; JMP
.loop:  inc     eax
        cmp     eax, 100000
        jne     .branch
        mov     byte [.branch], 70h             ; JO
.branch:
        jmp     short .loop
        CHECK   eax, 100000
        ret

FUNCTION_SECTOR equ     (disk_function - boot_sector) / SECTOR_SIZE
DISK_VALUE      equ     0D15CF00Dh

%macro OLD_FUNCTION 0                           ; run often, so that it is translated
        mov     edi, CODE_AT
        mov     esi, 1111h
        call    put_function
        mov     ecx, 100
%%run:  mov     eax, CODE_AT
        call    eax
        loop    %%run
        CHECK   eax, 1111h
%endmacro

test_port_input:
        TEST    "port input"
        OLD_FUNCTION
        mov     eax, FUNCTION_SECTOR
        mov     dl, IDE_READ
        call    ide_start
        call    ide_wait
        mov     ecx, 10000000
.ready: in      al, dx
        test    al, 8
        loopz   .ready
        mov     edi, ALIAS
        mov     dx, IDE_DATA
        mov     ecx, SECTOR_SIZE / 2
        rep     insw
        mov     eax, CODE_AT
        call    eax
        CHECK   eax, DISK_VALUE
        ret

test_dma:
        TEST    "bus-master DMA"
        OLD_FUNCTION
        call    ide_find_bus_master
        mov     dword [PRD], CODE_AT
        mov     dword [PRD + 4], 80000000h | SECTOR_SIZE
        lea     edx, [ebp + 4]
        mov     eax, PRD
        out     dx, eax
        lea     edx, [ebp + 2]
        mov     al, 6                           ; error and interrupt are cleared
        out     dx, al
        mov     edx, ebp
        mov     al, 8                           ; towards memory
        out     dx, al
        mov     eax, FUNCTION_SECTOR
        mov     dl, IDE_READ_DMA
        call    ide_start
        mov     edx, ebp
        mov     al, 9
        out     dx, al
        mov     ecx, 10000000
        lea     edx, [ebp + 2]
.wait:  in      al, dx
        test    al, 4                           ; the interrupt
        loopz   .wait
        mov     edx, ebp
        mov     al, 0
        out     dx, al
        call    ide_wait
        mov     eax, CODE_AT
        call    eax
        CHECK   eax, DISK_VALUE
        ret

        align   SECTOR_SIZE
disk_function:
        mov     eax, DISK_VALUE
        ret
        align   SECTOR_SIZE

%include "image_end.inc"
