; Which of several page faults comes, with which address and error code: instructions with more than
; one access, and accesses to two pages. Measured on silicon (an AMD EPYC, at level 3), where Bochs 2.7
; agrees but for POPA, which it does not begin.

%include "harness.inc"

P               equ     1
W               equ     2
U               equ     4
F_W             equ     2                       ; error code
F_U             equ     4

DIRECTORY       equ     100000h
TABLE_LOW       equ     101000h                 ; the first 4 MB, one to one
TABLE           equ     102000h                 ; of linear 400000h
TABLE_TOP       equ     103000h                 ; of the last 4 MB
FRAME           equ     200000h                 ; physical
FRAME_TOP       equ     202000h
ABSENT          equ     400000h
THERE           equ     401000h
ABSENT_2        equ     402000h                 ; directly after it
THERE_2         equ     403000h
SOMEWHERE       equ     300000h

; The instruction at level 3 must raise #PF: bits of the error code, address, name, instruction.
%macro FAULTS 4+
        TEST    %3
        jmp     %%go
%%user: %4
        int     RETURN_VECTOR
%%go:   RUN_USER %%user
        CHECK   [seen_vector], PF
        CHECK   [seen_error], F_U | (%1)
        CHECK   [seen_cr2], %2
        CHECK   [seen_eip], %%user
%endmacro
; The same with a stack of its own, which stays where it was.
%macro FAULTS_ON_STACK 5+
        TEST    %4
        jmp     %%go
%%user: mov     esp, %1
%%insn: %5
        int     RETURN_VECTOR
%%go:   RUN_USER %%user
        CHECK   [seen_vector], PF
        CHECK   [seen_error], F_U | (%2)
        CHECK   [seen_cr2], %3
        CHECK   [seen_eip], %%insn
        CHECK   [seen_esp], %1
%endmacro

test:
        call    make_tables
        call    test_stack
        call    test_two_operands
        call    test_two_pages
        call    test_read_modify_write
        call    test_end_of_memory
        ret

make_tables:
        MAP_FIRST_4MB DIRECTORY, TABLE_LOW, 4
        mov     dword [DIRECTORY + 4], TABLE | P | W | U
        mov     dword [DIRECTORY + 0FFCh], TABLE_TOP | P | W | U
        mov     dword [TABLE + 4], FRAME | P | W | U
        mov     dword [TABLE + 0Ch], (FRAME + 1000h) | P | W | U
        mov     eax, DIRECTORY
        mov     cr3, eax
        mov     eax, cr0
        or      eax, CR0_PG
        mov     cr0, eax
        jmp     .on
.on:    ret

test_stack:
        FAULTS_ON_STACK THERE + 2, F_W, ABSENT + 0FFEh, "a push over two pages, of which the lower one is absent", push eax
        FAULTS_ON_STACK THERE + 8, F_W, ABSENT + 0FFCh, "PUSHA meets the highest absent slot", pushad
        mov     eax, [FRAME + 4]
        CHECK   eax, [seen_eax]                 ; and has stored those above
        FAULTS_ON_STACK ABSENT_2 - 10h, 0, ABSENT_2, "POPA meets the lowest absent slot", popad
        FAULTS_ON_STACK THERE + 4, F_W, ABSENT + 0FFCh, "a far call pushes CS, then EIP", call SELECTOR_USER_CODE:0
        FAULTS_ON_STACK ABSENT_2 - 4, 0, ABSENT_2, "a far return reads CS", retf
        FAULTS_ON_STACK ABSENT, 0, ABSENT + 4, "before it reads EIP", retf
        FAULTS_ON_STACK ABSENT_2 - 4, 0, ABSENT_2 + 4, "IRET reads EFLAGS first", iretd
        mov     ebp, SOMEWHERE
        FAULTS_ON_STACK THERE + 8, F_W, ABSENT + 0FFCh, "ENTER pushes its display", enter 100h, 3
        FAULTS_ON_STACK THERE + 8, F_W, ABSENT + 0F04h, "ENTER looks whether the frame's end can be written", enter 100h, 0
        FAULTS_ON_STACK ABSENT, 0, ABSENT, "RET", ret
        FAULTS_ON_STACK THERE, F_W, ABSENT + 0FFCh, "CALL", call SOMEWHERE
        FAULTS_ON_STACK ABSENT_2, 0, ABSENT_2, "POPF", popfd
        FAULTS_ON_STACK THERE, F_W, ABSENT + 0FFCh, "PUSHF", pushfd
        FAULTS_ON_STACK ABSENT_2, 0, ABSENT_2, "POP to a segment register", pop es
        ret

test_two_operands:
        FAULTS_ON_STACK ABSENT_2, 0, ABSENT + 8, "PUSH of memory reads first", push dword [ABSENT + 8]
        FAULTS_ON_STACK ABSENT_2 + 8, F_W, ABSENT_2 + 4, "and then pushes", push dword [THERE]
        FAULTS_ON_STACK ABSENT_2, 0, ABSENT_2, "POP to memory pops first", pop dword [ABSENT]
        FAULTS_ON_STACK THERE, F_W, ABSENT, "and then writes", pop dword [ABSENT]
        FAULTS_ON_STACK ABSENT_2, 0, ABSENT + 4, "CALL through memory reads first", call [ABSENT + 4]
        mov     esi, ABSENT + 10h
        mov     edi, ABSENT_2 + 10h
        FAULTS  0, ABSENT + 10h, "MOVS reads first", movsd
        FAULTS  0, ABSENT + 10h, "CMPS reads [ESI] first", cmpsd
        mov     esi, THERE
        FAULTS  F_W, ABSENT_2 + 10h, "MOVS writes second", movsd
        FAULTS  0, ABSENT_2 + 10h, "CMPS reads [EDI] second", cmpsd
        FAULTS  0, ABSENT, "BOUND reads the lower bound first", bound eax, [ABSENT]
        FAULTS  0, ABSENT_2, "a far pointer's selector", les eax, [ABSENT_2 - 4]
        FAULTS  0, ABSENT_2, "a far jump's selector", jmp far [ABSENT_2 - 4]
        ret

test_two_pages:
        FAULTS  0, ABSENT_2, "a load whose second page is absent", mov eax, [ABSENT_2 - 1]
        FAULTS  0, ABSENT + 0FFDh, "a load whose first page is absent", mov eax, [THERE - 3]
        FAULTS  F_W, ABSENT_2, "a store whose second page is absent", mov [ABSENT_2 - 2], eax
        mov     dword [FRAME + 0FFCh], 11223344h
        FAULTS  F_W, ABSENT_2, "which stores nothing", mov dword [ABSENT_2 - 3], -1
        CHECK   [FRAME + 0FFCh], 11223344h
        FAULTS  F_W, ABSENT_2, "SGDT, whose base is on the second page", sgdt [ABSENT_2 - 2]
        CHECK   [FRAME + 0FFCh], 11223344h
        FAULTS  0, ABSENT_2, "eight bytes", db 0Fh, 6Fh, 05h, 0FCh, 1Fh, 40h, 0         ; movq mm0, [ABSENT_2 - 4]
        FAULTS  0, ABSENT_2, "ten bytes", fld tword [ABSENT_2 - 9]
        FAULTS  F_W, ABSENT_2, "an FPU environment", fnstenv [ABSENT_2 - 4]
        ret

; A page fault of what will be written says so, though it is read first.
test_read_modify_write:
        FAULTS  F_W, ABSENT, "ADD to memory", add [ABSENT], eax
        FAULTS  F_W, ABSENT_2, "over two pages", add [ABSENT_2 - 2], eax
        FAULTS  F_W, ABSENT, "XADD", xadd [ABSENT], eax
        FAULTS  F_W, ABSENT, "XCHG", xchg [ABSENT], eax
        FAULTS  F_W, ABSENT, "CMPXCHG", cmpxchg [ABSENT], eax
        FAULTS  F_W, ABSENT_2, "CMPXCHG8B over two pages", cmpxchg8b [ABSENT_2 - 4]
        FAULTS  F_W, ABSENT, "BTS", bts dword [ABSENT], 3
        FAULTS  F_W, ABSENT, "NOT", not byte [ABSENT]
        FAULTS  F_W, ABSENT, "a shift by zero", shl dword [ABSENT], 0
        FAULTS  F_W, ABSENT, "a shift by CL", shr dword [ABSENT], cl
        FAULTS  F_W, ABSENT, "SHLD", shld [ABSENT], eax, 3
        FAULTS  F_W, ABSENT, "SETcc", setz [ABSENT]
        FAULTS  F_W, ABSENT, "a segment register's store", mov [ABSENT], ds
        FAULTS  0, ABSENT, "CMP", cmp [ABSENT], eax
        FAULTS  0, ABSENT, "TEST", test [ABSENT], eax
        FAULTS  0, ABSENT, "BT", bt dword [ABSENT], 3
        FAULTS  0, ABSENT, "ARPL reads, and writes only what changes", arpl [ABSENT], ax
        FAULTS  0, ABSENT, "MUL", mul dword [ABSENT]
        FAULTS  0, ABSENT, "CMOVcc whose condition is false", cmovne eax, [ABSENT]
        ret

; Addresses wrap from FFFFFFFFh to 0.
test_end_of_memory:
        FAULTS  0, 0FFFFFFFEh, "the last page is absent", mov eax, [0FFFFFFFEh]
        mov     dword [TABLE_TOP + 0FFCh], FRAME_TOP | P | W | U
        invlpg  [0FFFFF000h]
        mov     dword [FRAME_TOP + 0FFCh], 44332211h
        mov     dword [0], 88776655h
        TEST    "an access that wraps from the last page to the first"
        mov     eax, [0FFFFFFFEh]
        CHECK   eax, 66554433h
        mov     dword [0FFFFFFFFh], 0DDCCBBAAh
        CHECK   [0], 88DDCCBBh
        and     dword [TABLE_LOW], ~P
        invlpg  [0]
        FAULTS  0, 0, "and the first page is absent", mov eax, [0FFFFFFFEh]
        FAULTS  F_W, 0, "for a store", mov [0FFFFFFFDh], eax
        or      dword [TABLE_LOW], P
        invlpg  [0]
        CHECK   [FRAME_TOP + 0FFCh], 0AA332211h
        ret

%include "image_end.inc"
