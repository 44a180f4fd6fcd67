; Code that changes while it runs, where self_modifying.asm ends: the same block just ahead, across a
; page, through another address, by what an interrupt handler does, in 16-bit code, by pushes,
; REP STOS and far calls, and pages that are mapped elsewhere under running code. SDM vol. 3A 8.1.3,
; 11.6: a processor of this family sees its own stores when it next fetches the instruction, after a
; jump at the latest; tests that go through another linear address jump.

%include "harness.inc"

P_W_U           equ     7
DIRECTORY       equ     100000h
TABLE           equ     101000h
CODE_AT         equ     200000h                 ; four pages of code
ALIAS           equ     300000h                 ; linear: the same pages
OTHER           equ     208000h                 ; four other pages
S_CODE16        equ     SELECTOR_FREE
S_DATA16        equ     SELECTOR_FREE + 8
ROUNDS          equ     60
VECTOR          equ     50h

%macro COPY 3                                   ; label, its end, address
        mov     esi, %1
        mov     edi, %3
        mov     ecx, %2 - %1
        rep     movsb
%endmacro

test:
        call    make_tables
        call    test_just_ahead
        call    test_every_distance
        call    test_backwards
        call    test_across_pages
        call    test_alias_jumps
        call    test_stack_stores
        call    test_string_over_itself
        call    test_interrupt_handler
        call    test_fault_handler
        call    test_sixteen_bit
        call    test_far_call_pushes
        call    test_fpu_stores
        call    test_remapped
        call    test_remapped_by_code_itself
        call    test_page_becomes_table
        call    test_read_only_code
        call    test_user_code
        ret

make_tables:
        mov     edi, DIRECTORY
        mov     ecx, 400h
        xor     eax, eax
        rep     stosd
        mov     edi, TABLE
        mov     eax, P_W_U
        mov     ecx, 400h
.page:  stosd
        add     eax, 1000h
        loop    .page
        mov     eax, CODE_AT | P_W_U
        mov     edi, TABLE + 4 * (ALIAS >> 12)
        mov     ecx, 4
.alias: stosd
        add     eax, 1000h
        loop    .alias
        mov     dword [DIRECTORY], TABLE | P_W_U
        mov     eax, DIRECTORY
        mov     cr3, eax
        mov     eax, cr0
        or      eax, CR0_PG
        mov     cr0, eax
        SET_DESCRIPTOR S_CODE16, CODE_AT, 0FFFFh, 9Ah
        SET_DESCRIPTOR S_DATA16, CODE_AT, 0FFFFh, 92h
        ret

; Byte, word and dword stores into the instruction that follows at once.
test_just_ahead:
        TEST    "just ahead"
        mov     ecx, ROUNDS
        xor     ebx, ebx
.again: mov     [.a + 1], cl
.a:     mov     al, 0
        cmp     al, cl
        setne   dl
        movzx   edx, dl
        add     ebx, edx
        mov     [.b + 2], cx
.b:     mov     ax, 0
        cmp     ax, cx
        setne   dl
        add     ebx, edx
        inc     dword [.c + 1]
        mov     esi, [.c + 1]
.c:     mov     eax, 0
        cmp     eax, esi
        setne   dl
        movzx   edx, dl
        add     ebx, edx
        xor     dword [.d], 48h ^ 40h           ; DEC EAX, INC EAX
        mov     eax, 10h
.d:     inc     eax
        test    cl, 1
        jz      .even
        cmp     eax, 11h
        je      .next
        jmp     .flip
.even:  cmp     eax, 0Fh
        je      .next
.flip:  inc     dword [flips]
.next:  dec     ecx
        jnz     .again
        CHECK   ebx, 0
        mov     eax, [flips]
        cmp     eax, ROUNDS                     ; all or none, by how it began
        je      .same
        CHECK   eax, 0
.same:  ret

; A row of one-byte instructions; the n-th is changed by an instruction at the row's head.
test_every_distance:
        TEST    "at every distance"
        mov     edi, CODE_AT
        mov     ax, 03C6h                       ; MOV BYTE [EBX], 40h (INC EAX)
        stosw
        mov     al, 40h
        stosb
        mov     al, 90h
        mov     ecx, 60
        rep     stosb
        mov     al, 0C3h
        stosb
        mov     ebx, CODE_AT + 3
        mov     esi, 60
        mov     edi, 0
.next:  mov     edx, CODE_AT
        xor     eax, eax
        call    edx                             ; as many as are changed by now
        inc     edi
        cmp     eax, edi
        je      .good
        inc     dword [wrong]
.good:  inc     ebx
        dec     esi
        jnz     .next
        CHECK   [wrong], 0
        ret

; A loop that changes what it has just run, for the next round.
test_backwards:
        TEST    "behind"
        xor     eax, eax
        mov     ecx, ROUNDS
.loop:
.add:   add     eax, 1
        inc     byte [.add + 2]
        dec     ecx
        jnz     .loop
        CHECK   eax, ROUNDS * (ROUNDS + 1) / 2
        ret

; The store and what it changes on both sides of a page boundary, and one that reaches over it.
test_across_pages:
        TEST    "across a page"
        COPY    .code, .code_end, CODE_AT + 1000h - (.boundary - .code)
        mov     ecx, ROUNDS
        xor     ebx, ebx
.again: mov     edx, CODE_AT + 1000h - (.boundary - .code)
        mov     esi, CODE_AT + 1000h - 4        ; the immediate over the boundary
        call    edx
        sub     eax, ecx
        jz      .good
        inc     ebx
.good:  dec     ecx
        jnz     .again
        CHECK   ebx, 0
        mov     ecx, ROUNDS
.again_2:
        mov     dword [CODE_AT + 1000h - 2], 0C3400000h ; from the other side, by an unaligned store
        mov     byte [CODE_AT + 1000h - 5], 0B8h
        mov     [CODE_AT + 1000h - 4], ecx
        mov     byte [CODE_AT + 1000h], 40h     ; INC EAX
        mov     byte [CODE_AT + 1001h], 0C3h
        mov     edx, CODE_AT + 1000h - 5
        call    edx
        dec     eax
        sub     eax, ecx
        jz      .good_2
        inc     ebx
.good_2:
        dec     ecx
        jnz     .again_2
        CHECK   ebx, 0
        ret
.code:  mov     [esi], ecx
        nop
        db      0B8h                            ; MOV EAX, imm32
        dd      0
.boundary:
        ret
.code_end:

; Stored through the alias, then jumped to.
test_alias_jumps:
        TEST    "through another address"
        COPY    .code, .code_end, CODE_AT
        mov     ecx, ROUNDS
        xor     ebx, ebx
.again: mov     edx, CODE_AT
        lea     esi, [ALIAS + .patched - .code + 1]
        test    cl, 1
        jz      .even
        mov     edx, ALIAS
        lea     esi, [CODE_AT + .patched - .code + 1]
.even:  call    edx
        cmp     eax, ecx
        je      .good
        inc     ebx
.good:  dec     ecx
        jnz     .again
        CHECK   ebx, 0
        ret
.code:  mov     [esi], ecx
        jmp     short .patched
.patched:
        mov     eax, 0
        ret
.code_end:

; PUSH, CALL and PUSHA into code; the stack lies in it.
test_stack_stores:
        TEST    "pushes into code"
        mov     ebp, esp
        mov     ecx, ROUNDS
        xor     ebx, ebx
.again: mov     esp, .patched + 5
        push    ecx                             ; the immediate
.patched:
        mov     eax, 0
        cmp     eax, ecx
        je      .good
        inc     ebx
.good:  mov     esp, ebp
        mov     dword [.patched_2 + 1], 0
        mov     esp, .patched_2 + 5
        call    .patched_2
.back:
.patched_2:
        mov     eax, 0                          ; becomes the return address
        cmp     eax, .back
        je      .good_2
        inc     ebx
.good_2:
        mov     esp, ebp
        dec     ecx
        jnz     .again
        CHECK   ebx, 0
        ret

; REP STOS and REP MOVS over the instructions that follow, and over themselves: iterations that are
; already under way may go on, but the code after it is the new one.
test_string_over_itself:
        TEST    "strings over running code"
        mov     ebx, 20
.again: COPY    .code, .code_end, CODE_AT
        mov     edi, CODE_AT + .target - .code
        mov     ecx, 4
        mov     al, 42h                         ; INC EDX
        xor     edx, edx
        mov     esi, CODE_AT
        call    esi
        CHECK   edx, 4
        dec     ebx
        jnz     .again
        ; the middle of a block, by dwords
        COPY    .code_2, .code_2_end, CODE_AT
        mov     esi, .source
        mov     edi, CODE_AT + .target_2 - .code_2
        mov     ecx, 2
        xor     eax, eax
        mov     edx, CODE_AT
        call    edx
        CHECK   eax, 8
        ret
.code:  rep     stosb
.target:
        nop
        nop
        nop
        nop
        ret
.code_end:
.code_2:
        nop
        rep     movsd
.target_2:
        times   8 nop
        ret
.code_2_end:
.source:
        times   8 inc eax

; The handler of an interrupt changes the instruction to which it returns.
test_interrupt_handler:
        TEST    "an interrupt handler"
        HANDLER VECTOR, .handler
        mov     ecx, ROUNDS
        xor     ebx, ebx
.again: int     VECTOR
.patched:
        mov     eax, 0
        cmp     eax, ecx
        je      .good
        inc     ebx
.good:  dec     ecx
        jnz     .again
        HANDLER VECTOR, 0
        CHECK   ebx, 0
        ret
.handler:
        mov     [.patched + 1], ecx
        add     esp, 8
        iretd

; The handler of a fault replaces the instruction that faulted.
test_fault_handler:
        TEST    "a fault handler"
        HANDLER UD, .handler
        mov     ecx, ROUNDS
        xor     eax, eax
.again: mov     word [.bad], 0B0Fh
.bad:   ud2
        dec     ecx
        jnz     .again
        HANDLER UD, 0
        CHECK   eax, ROUNDS
        ret
.handler:
        mov     word [.bad], 9040h              ; INC EAX; NOP
        add     esp, 8
        iretd

; 16-bit code in a segment with a base that changes itself.
test_sixteen_bit:
        TEST    "16-bit code"
        COPY    .code, .code_end, CODE_AT + 0FF8h       ; over a page boundary
        mov     ax, S_DATA16
        mov     fs, ax
        mov     ecx, ROUNDS
        xor     ebx, ebx
        call    S_CODE16:0FF8h
        CHECK   ebx, 0
        CHECK   ecx, 0
        mov     ax, SELECTOR_DATA32
        mov     fs, ax
        ret
        bits    16
.code:  mov     [fs:0FF8h + .patched - .code + 1], cx
.patched:
        mov     ax, 0
        cmp     ax, cx
        je      .good
        inc     bx
.good:  xor     byte [fs:0FF8h + .opcode - .code], 40h ^ 48h
        mov     ax, 7
.opcode:
        inc     ax
        loop    .code
        o32 retf
.code_end:
        bits    32

; The two pushes of a far call are stores like others: CS and IP are an operand.
test_far_call_pushes:
        TEST    "far calls into their own stack"
        mov     ebp, esp
        mov     ecx, ROUNDS
        xor     ebx, ebx
.again: mov     dword [.patched + 1], 0
        mov     esp, .patched + 5
        db      66h, 9Ah                        ; CALL SELECTOR_CODE32:.patched with 16-bit operands
        dw      .patched, SELECTOR_CODE32
.patched:
        mov     eax, 0
        mov     esp, ebp
        cmp     eax, (SELECTOR_CODE32 << 16) + .patched
        je      .good
        inc     ebx
.good:  dec     ecx
        jnz     .again
        CHECK   ebx, 0
        ret

; FISTP into code.
test_fpu_stores:
        TEST    "x87 stores"
        fninit
        mov     ecx, ROUNDS
        xor     ebx, ebx
.again: mov     [number], ecx
        fild    dword [number]
        fistp   dword [.patched + 1]
.patched:
        mov     eax, 0
        cmp     eax, ecx
        je      .good
        inc     ebx
.good:  dec     ecx
        jnz     .again
        CHECK   ebx, 0
        ret

%macro MAP 2                                    ; linear, physical
        mov     dword [TABLE + 4 * ((%1) >> 12)], (%2) | P_W_U
        invlpg  [%1]
%endmacro

; Pages with different code take turns at one address, with INVLPG and with CR3; a call crosses from
; one page to the next.
test_remapped:
        TEST    "pages that are mapped elsewhere"
        mov     dword [CODE_AT], 0C301B0h       ; MOV AL, 1; RET
        mov     dword [OTHER], 0C302B0h
        mov     byte [CODE_AT + 0FFEh], 0B4h    ; MOV AH, imm8 with the immediate on this page
        mov     byte [CODE_AT + 0FFFh], 5
        mov     byte [OTHER + 0FFEh], 0B4h
        mov     byte [OTHER + 0FFFh], 6
        mov     byte [CODE_AT + 1000h], 0C3h
        mov     ecx, ROUNDS
        xor     ebx, ebx
        mov     esi, ALIAS
        lea     edi, [ALIAS + 0FFEh]
.again: MAP     ALIAS, CODE_AT
        xor     eax, eax
        call    esi
        call    edi
        cmp     eax, 501h
        setne   dl
        movzx   edx, dl
        add     ebx, edx
        MAP     ALIAS, OTHER
        xor     eax, eax
        call    esi
        call    edi
        cmp     eax, 602h
        setne   dl
        movzx   edx, dl
        add     ebx, edx
        mov     dword [TABLE + 4 * (ALIAS >> 12)], CODE_AT | P_W_U
        mov     eax, cr3
        mov     cr3, eax
        xor     eax, eax
        call    esi
        cmp     eax, 1
        setne   dl
        movzx   edx, dl
        add     ebx, edx
        loop    .again_near
        jmp     .end
.again_near:
        jmp     .again
.end:   CHECK   ebx, 0
        MAP     ALIAS, CODE_AT
        ret

; Code maps its own page elsewhere and goes on with what stands there.
test_remapped_by_code_itself:
        TEST    "code that maps itself elsewhere"
        COPY    .code, .code_end, CODE_AT
        COPY    .code, .code_end, OTHER
        mov     byte [CODE_AT + .value - .code + 1], 11h
        mov     byte [OTHER + .value - .code + 1], 22h
        mov     ecx, ROUNDS
        xor     ebx, ebx
        mov     esi, ALIAS
.again: mov     edx, OTHER | P_W_U
        mov     eax, 0
        call    esi                             ; begins on CODE_AT, ends on OTHER
        cmp     al, 22h
        je      .good
        inc     ebx
.good:  mov     edx, CODE_AT | P_W_U
        call    esi
        cmp     al, 11h
        je      .good_2
        inc     ebx
.good_2:
        dec     ecx
        jnz     .again
        CHECK   ebx, 0
        ret
.code:  mov     [TABLE + 4 * (ALIAS >> 12)], edx
        invlpg  [ALIAS]
        jmp     short .value
.value: mov     al, 0
        ret
.code_end:

; A page of code is used as a page table, changed by the processor itself (A and D bits), and run
; again: the bits are part of the instructions then.
test_page_becomes_table:
        TEST    "code that becomes a table"
        mov     dword [OTHER], 0C340h           ; INC EAX; RET
        mov     edx, OTHER
        mov     ecx, ROUNDS
        xor     eax, eax
.run:   call    edx
        loop    .run
        CHECK   eax, ROUNDS
        ; As an entry: C340h is not present. With P, W and U: C347h is INC EDI; RET, at C000h.
        mov     byte [OTHER], 47h
        mov     dword [DIRECTORY + 4], OTHER | P_W_U
        mov     eax, cr3
        mov     cr3, eax
        xor     edi, edi
        call    edx
        CHECK   edi, 1
        mov     eax, [400000h]                  ; A: 67h is a prefix, A16
        movzx   eax, byte [OTHER]
        CHECK   eax, 67h
        mov     byte [OTHER + 2], 0C3h
        ; 67 C3: RET with an address size. EDI does not change any more.
        call    edx
        CHECK   edi, 1
        mov     eax, [400000h]
        mov     [400000h], eax                  ; D: 67h already has that bit
        mov     dword [DIRECTORY + 4], 0
        mov     eax, cr3
        mov     cr3, eax
        ret

; Code on a page that is read only for level 3 is changed by level 0.
test_read_only_code:
        TEST    "read-only code"
        mov     dword [TABLE + 4 * (ALIAS >> 12)], CODE_AT | 5
        invlpg  [ALIAS]
        mov     byte [CODE_AT], 0B8h
        mov     byte [CODE_AT + 5], 0C3h
        mov     ecx, ROUNDS
        xor     ebx, ebx
        mov     edx, ALIAS
.again: mov     [ALIAS + 1], ecx                ; CR0.WP is clear
        call    edx
        cmp     eax, ecx
        je      .good
        inc     ebx
.good:  dec     ecx
        jnz     .again
        CHECK   ebx, 0
        MAP     ALIAS, CODE_AT
        ret

; Level 3 changes its code; so does level 0 in between.
test_user_code:
        TEST    "code of level 3"
        COPY    .code, .code_end, CODE_AT
        mov     ecx, 20
.again: mov     [rounds_left], ecx
        mov     [CODE_AT + .second - .code + 1], ecx
        RUN_USER CODE_AT
        CHECK   [seen_vector], RETURN_VECTOR
        mov     ecx, [rounds_left]
        CHECK   [seen_eax], [rounds_left]
        CHECK   [seen_ebx], 5A5Ah
        mov     ecx, [rounds_left]
        dec     ecx
        jnz     .again
        ret
.code:  mov     dword [CODE_AT + .first - .code + 1], 5A5Ah
.first: mov     ebx, 0
.second:
        mov     eax, 0
        mov     dword [CODE_AT + .first - .code + 1], 0
        int     RETURN_VECTOR
.code_end:

flips                   dd      0
wrong                   dd      0
number                  dd      0
rounds_left             dd      0

%include "image_end.inc"
