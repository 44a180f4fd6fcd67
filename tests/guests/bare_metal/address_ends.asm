; Accesses at the ends of things: segments and their limits by each size, the end of the address
; space with and without paging, unreal mode, stacks of both sizes with code of the other, expand-down
; stacks of both sizes. SDM vol. 3A 5.3, 3.4.5.1; vol. 1 6.2.3.

%include "harness.inc"

DIRECTORY       equ     100000h
TABLE_LOW       equ     101000h
TABLE_HIGH      equ     102000h                 ; of the last 4 MB
S_SMALL         equ     SELECTOR_FREE           ; byte granular
S_PAGES         equ     SELECTOR_FREE + 8       ; page granular
S_DOWN32        equ     SELECTOR_FREE + 10h
S_DOWN16        equ     SELECTOR_FREE + 18h
S_STACK16       equ     SELECTOR_FREE + 20h
S_CODE16        equ     SELECTOR_FREE + 28h
S_HIGH          equ     SELECTOR_FREE + 30h
S_CODE_END      equ     SELECTOR_FREE + 38h
S_DATA16        equ     SELECTOR_FREE + 40h
S_STACK32       equ     SELECTOR_FREE + 48h
AREA            equ     200000h
STACK16_AT      equ     210000h
BIG             equ     300000h                 ; beyond what real mode reaches

; Offsets of FS within and beyond: each size's last that fits, the next that does not.
%macro LIMIT_OF 2                               ; last byte's offset, size of the operand
        mov     ebx, (%1) - ((%2) - 1)
%if %2 == 1
        mov     al, [fs:ebx]
        mov     [fs:ebx], al
        inc     ebx
        EXPECT  GP, 0, mov al, [fs:ebx]
        EXPECT  GP, 0, mov [fs:ebx], al
        EXPECT  GP, 0, inc byte [fs:ebx]
%elif %2 == 2
        mov     ax, [fs:ebx]
        mov     [fs:ebx], ax
        inc     ebx
        EXPECT  GP, 0, mov ax, [fs:ebx]
        EXPECT  GP, 0, mov [fs:ebx], ax
        EXPECT  GP, 0, xchg [fs:ebx], ax
%elif %2 == 4
        mov     eax, [fs:ebx]
        mov     [fs:ebx], eax
        inc     ebx
        EXPECT  GP, 0, mov eax, [fs:ebx]
        EXPECT  GP, 0, mov [fs:ebx], eax
        EXPECT  GP, 0, add [fs:ebx], eax
%elif %2 == 8
        fld     qword [fs:ebx]
        fstp    qword [fs:ebx]
        inc     ebx
        EXPECT  GP, 0, fld qword [fs:ebx]
        fld1
        EXPECT  GP, 0, fst qword [fs:ebx]
        fninit
%elif %2 == 10
        fld     tword [fs:ebx]
        fstp    tword [fs:ebx]
        inc     ebx
        EXPECT  GP, 0, fld tword [fs:ebx]
        fninit
%endif
%endmacro

test:
        fninit
        SET_DESCRIPTOR S_CODE16, 0, 0FFFFh, 9Ah
        SET_DESCRIPTOR S_DATA16, 0, 0FFFFh, 92h
        call    test_byte_granular
        call    test_page_granular
        call    test_operand_forms
        call    test_expand_down_data
        call    test_wrap_of_offsets
        call    test_wrap_of_bases
        call    test_unreal
        call    test_stack16
        call    test_stack16_frames
        call    test_stack32_of_code16
        call    test_expand_down_stacks
        call    test_code_end
        call    test_paging_end
        ret

test_byte_granular:
        TEST    "limits in bytes"
        SET_DESCRIPTOR S_SMALL, AREA, 123h, 4092h
        mov     ax, S_SMALL
        mov     fs, ax
        LIMIT_OF 123h, 1
        LIMIT_OF 123h, 2
        LIMIT_OF 123h, 4
        LIMIT_OF 123h, 8
        LIMIT_OF 123h, 10
        ; one less than the operand: nothing of it fits
        SET_DESCRIPTOR S_SMALL, AREA, 2, 4092h
        mov     ax, S_SMALL
        mov     fs, ax
        EXPECT  GP, 0, mov eax, [fs:0]
        mov     ax, [fs:1]
        EXPECT  GP, 0, mov ax, [fs:2]
        mov     al, [fs:2]
        EXPECT  GP, 0, mov eax, [fs:0FFFFFFFFh]
        EXPECT  GP, 0, mov ax, [fs:0FFFFFFFFh]
        ; a limit of zero is one byte
        SET_DESCRIPTOR S_SMALL, AREA, 0, 4092h
        mov     ax, S_SMALL
        mov     fs, ax
        mov     al, [fs:0]
        EXPECT  GP, 0, mov al, [fs:1]
        ret

test_page_granular:
        TEST    "limits in pages"
        SET_DESCRIPTOR S_PAGES, AREA, 1, 0C092h ; two pages
        mov     ax, S_PAGES
        mov     fs, ax
        LIMIT_OF 1FFFh, 1
        LIMIT_OF 1FFFh, 2
        LIMIT_OF 1FFFh, 4
        LIMIT_OF 1FFFh, 8
        ret

; Other instructions that have a memory operand, at the last place and one further.
%macro AT_END 2+                                ; size, instruction with [fs:ebx]
        mov     ebx, 1000h - (%1)
        %2
        inc     ebx
        EXPECT  GP, 0, %2
%endmacro
test_operand_forms:
        TEST    "operands of each kind"
        SET_DESCRIPTOR S_SMALL, AREA, 0FFFh, 4092h
        mov     ax, S_SMALL
        mov     fs, ax
        mov     edi, AREA + 0FC0h
        mov     ecx, 10h
        xor     eax, eax
        rep     stosd
        mov     dword [AREA + 0FFCh], 0
        AT_END  1, setz [fs:ebx]
        AT_END  2, movzx eax, word [fs:ebx]
        AT_END  1, movsx eax, byte [fs:ebx]
        AT_END  4, imul eax, [fs:ebx]
        AT_END  4, bts dword [fs:ebx], 3
        AT_END  4, shl dword [fs:ebx], 1
        AT_END  4, push dword [fs:ebx]
        pop     eax
        AT_END  6, sidt [fs:ebx]
        AT_END  2, smsw [fs:ebx]
        AT_END  2, fldcw [fs:ebx]
        fninit
        AT_END  2, fnstcw [fs:ebx]
        AT_END  10h, fnstenv [fs:ebx - 0Ch]     ; 28 bytes
        AT_END  8, cmpxchg8b [fs:ebx]
        mov     ebx, 0FF8h
        mov     dword [AREA + 0FF8h], 0
        mov     dword [AREA + 0FFCh], 10h
        xor     eax, eax
        AT_END  8, bound eax, [fs:ebx]
        mov     word [AREA + 0FFEh], SELECTOR_DATA32
        AT_END  2, mov gs, [fs:ebx]
        mov     dword [AREA + 0FFAh], 1234h
        AT_END  6, lgs ecx, [fs:ebx]
        ; XLAT, and by the address size
        mov     ebx, 0FFFh
        xor     eax, eax
        fs xlatb
        mov     al, 1
        EXPECT  GP, 0, fs xlatb
        ret

; Expand down: above the limit, up to 64 KB or 4 GB by the B bit.
test_expand_down_data:
        TEST    "expand-down data"
        SET_DESCRIPTOR S_DOWN16, AREA, 0FFFh, 96h
        mov     ax, S_DOWN16
        mov     fs, ax
        mov     eax, [fs:1000h]
        mov     eax, [fs:0FFFCh]
        mov     al, [fs:0FFFFh]
        EXPECT  GP, 0, mov al, [fs:0FFFh]
        EXPECT  GP, 0, mov eax, [fs:0FFEh]
        EXPECT  GP, 0, mov eax, [fs:0FFFDh]
        EXPECT  GP, 0, mov al, [fs:10000h]
        EXPECT  GP, 0, mov ax, [fs:0FFFFh]
        SET_DESCRIPTOR S_DOWN32, AREA, 0FFFh, 4096h
        mov     ax, S_DOWN32
        mov     fs, ax
        mov     eax, [fs:1000h]
        mov     eax, [fs:10000h]
        EXPECT  GP, 0, mov al, [fs:0FFFh]
        EXPECT  GP, 0, mov eax, [fs:0FFDh]
        mov     ebx, 0FFFFFFFCh                 ; wraps to AREA - 4
        mov     dword [AREA - 4], 0BEEFh
        CHECK   [fs:ebx], 0BEEFh
        inc     ebx
        EXPECT  GP, 0, mov eax, [fs:ebx]
        SET_DESCRIPTOR S_DOWN32, AREA, 1, 0C096h        ; pages: from 2000h on
        mov     ax, S_DOWN32
        mov     fs, ax
        mov     eax, [fs:2000h]
        EXPECT  GP, 0, mov al, [fs:1FFFh]
        ; the largest limit leaves nothing
        SET_DESCRIPTOR S_DOWN32, AREA, 0FFFFFh, 0C096h
        mov     ax, S_DOWN32
        mov     fs, ax
        EXPECT  GP, 0, mov al, [fs:0]
        EXPECT  GP, 0, mov al, [fs:0FFFFFFFFh]
        ret

; An operand of a flat segment that begins at its end; addresses of 16 bits wrap within them.
test_wrap_of_offsets:
        TEST    "offsets that wrap"
        ; EBX + disp32 wraps without a fault
        mov     dword [AREA], 01020304h
        mov     ebx, 80000000h
        CHECK   [ebx + 80000000h + AREA], 01020304h
        mov     ebx, AREA + 8
        CHECK   [ebx - 8], 01020304h
        mov     ecx, 40000000h
        mov     ebx, AREA
        CHECK   [ebx + 4 * ecx], 01020304h
        ; BX + SI wraps at 64 KB in a 16-bit address
        SET_DESCRIPTOR S_SMALL, AREA, 0FFFFFh, 92h
        mov     ax, S_SMALL
        mov     fs, ax
        mov     ebx, 12348000h
        mov     esi, 43218000h
        mov     eax, [fs:bx + si]
        CHECK   eax, 01020304h
        mov     eax, [fs:bx + si + 0FFFEh + 2]
        CHECK   eax, 01020304h
        mov     dword [AREA + 0FFFEh], 0A0B0C0Dh
        mov     bx, 0FFFEh                      ; the operand itself goes on beyond 64 KB
        mov     eax, [fs:bx]
        CHECK   eax, 0A0B0C0Dh
        ret

; base + offset wraps at 4 GB.
test_wrap_of_bases:
        TEST    "bases that wrap"
        SET_DESCRIPTOR S_HIGH, 0FFFF0000h, 0FFFFFh, 0C092h
        mov     ax, S_HIGH
        mov     fs, ax
        mov     dword [AREA], 0CAFEBABEh
        CHECK   [fs:AREA + 10000h], 0CAFEBABEh
        mov     dword [fs:AREA + 10004h], 77h
        CHECK   [AREA + 4], 77h
        mov     ebx, [0]
        mov     eax, [fs:10000h]
        CHECK   eax, ebx
        ; the reset vector's bytes, and the wrap in the middle of an operand
        mov     al, [fs:0FFF0h]
        movzx   eax, al
        CHECK   eax, 0EAh                       ; a far jump, in every BIOS
        mov     eax, [fs:0FFFEh]
        shr     eax, 16
        movzx   ebx, word [0]
        CHECK   eax, ebx
        ret

; Real mode with limits of 4 GB, set before and kept; a load of a segment register keeps the limit.
test_unreal:
        TEST    "unreal mode"
        mov     dword [BIG], 600DCAFEh
        mov     dword [BIG + 4], 0
        mov     [saved_esp], esp
        sidt    [saved_idt]
        mov     ax, SELECTOR_DATA32
        mov     fs, ax
        mov     gs, ax
        mov     ax, S_DATA16
        mov     es, ax                          ; 64 KB
        jmp     S_CODE16:.to_real
        bits    16
.to_real:
        mov     ax, S_DATA16
        mov     ss, ax
        mov     ds, ax
        mov     sp, 7B00h
        lidt    [real_idt]
        mov     eax, cr0
        and     al, 0FEh
        mov     cr0, eax
        jmp     0:.real
.real:  xor     ax, ax
        mov     ss, ax
        mov     ds, ax
        mov     ax, 1000h
        mov     fs, ax                          ; base 10000h, the limit stays
        xor     ax, ax
        mov     gs, ax
        mov     ebx, BIG
        mov     eax, [gs:ebx]
        mov     [unreal_1], eax
        mov     eax, [fs:ebx - 10000h]
        mov     [unreal_2], eax
        mov     dword [gs:ebx + 4], 12345678h
        ; ES has 64 KB: #GP, vector 13 of the table
        mov     bx, [4 * 13]
        mov     cx, [4 * 13 + 2]
        mov     word [4 * 13], .fault
        mov     word [4 * 13 + 2], 0
        mov     si, sp
        mov     edi, 10000h
.beyond:
        mov     al, [es:edi]
        mov     word [unreal_ip], 0FFFFh
        jmp     .back
.fault: pop     ax                              ; no error code in real mode
        mov     [unreal_ip], ax
        mov     sp, si
.back:  mov     [4 * 13], bx
        mov     [4 * 13 + 2], cx
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        jmp     dword SELECTOR_CODE32:.protected
        bits    32
.protected:
        mov     ax, SELECTOR_DATA32
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     fs, ax
        mov     gs, ax
        mov     esp, [saved_esp]
        lidt    [saved_idt]
        CHECK   [unreal_1], 600DCAFEh
        CHECK   [unreal_2], 600DCAFEh
        CHECK   [BIG + 4], 12345678h
        movzx   eax, word [unreal_ip]
        CHECK   eax, .beyond
        ret

; A 16-bit stack under 32-bit code: SP wraps, and the upper half of ESP stays.
%macro STACK16_BEGIN 1                          ; ESP
        mov     [saved_esp], esp
        mov     ax, S_STACK16
        mov     ss, ax
        mov     esp, %1
%endmacro
%macro STACK16_END 0
        mov     [left_esp], esp
        mov     dx, SELECTOR_DATA32
        mov     ss, dx
        mov     esp, [saved_esp]
%endmacro
test_stack16:
        TEST    "16-bit stacks"
        SET_DESCRIPTOR S_STACK16, STACK16_AT, 0FFFFh, 92h
        STACK16_BEGIN 0ABCD0002h
        push    word 1111h                      ; at 0
        push    dword 22223333h                 ; at FFFC
        STACK16_END
        CHECK   [left_esp], 0ABCDFFFCh
        movzx   eax, word [STACK16_AT]
        CHECK   eax, 1111h
        CHECK   [STACK16_AT + 0FFFCh], 22223333h
        STACK16_BEGIN 0ABCD0000h
        call    .target
.target:
        STACK16_END
        CHECK   [left_esp], 0ABCDFFFCh
        CHECK   [STACK16_AT + 0FFFCh], .target
        STACK16_BEGIN 1234FFFCh
        pop     ecx
        STACK16_END
        CHECK   ecx, .target
        CHECK   [left_esp], 12340000h
        ; LEAVE takes BP into SP; PUSHA wraps
        STACK16_BEGIN 55550010h
        mov     ebp, 99990020h
        mov     dword [STACK16_AT + 20h], 77665544h
        leave
        STACK16_END
        CHECK   ebp, 77665544h
        CHECK   [left_esp], 55550024h
        STACK16_BEGIN 55550010h
        mov     eax, 0A0A0A0A0h
        pushad
        STACK16_END
        CHECK   [left_esp], 5555FFF0h
        CHECK   [STACK16_AT + 0Ch], 0A0A0A0A0h
        CHECK   [STACK16_AT + 0FFFCh], 55550010h        ; ESP: the fifth
        ret

test_stack16_frames:
        TEST    "ENTER on 16-bit stacks"
        STACK16_BEGIN 33330004h
        mov     ebp, 0AAAABBBBh
        enter   10h, 0
        STACK16_END
        CHECK   [STACK16_AT], 0AAAABBBBh
        movzx   eax, bp
        CHECK   eax, 0
        CHECK   [left_esp], 3333FFF0h
        ret

; 32-bit stack, 16-bit code: pushes of words move all of ESP.
test_stack32_of_code16:
        TEST    "32-bit stacks of 16-bit code"
        mov     [saved_esp], esp
        mov     esp, STACK16_AT + 10002h
        jmp     S_CODE16:.code
        bits    16
.code:  push    word 4321h
        push    word 8765h
        push    dword 0FEDCBA98h
        call    .near
.near:  jmp     dword SELECTOR_CODE32:.back
        bits    32
.back:  mov     [left_esp], esp
        mov     esp, [saved_esp]
        CHECK   [left_esp], STACK16_AT + 10002h - 10
        CHECK   [STACK16_AT + 0FFFEh], 43218765h
        CHECK   [STACK16_AT + 0FFFAh], 0FEDCBA98h
        movzx   eax, word [STACK16_AT + 0FFF8h]
        CHECK   eax, .near
        ret

; Stacks that grow towards their limit: the push below it is #SS(0), with ESP as it was.
test_expand_down_stacks:
        TEST    "expand-down stacks"
        SET_DESCRIPTOR S_STACK32, STACK16_AT, 0FFFh, 4096h
        mov     dword [expected_esp], 1000h
        call    .check
        SET_DESCRIPTOR S_STACK32, STACK16_AT, 0FFFh, 96h        ; SP
        mov     dword [expected_esp], 1000h
        call    .check
        ret
; The handler cannot push on such a stack; it is a task.
.check: mov     edi, stack_tss
        mov     ecx, 26
        xor     eax, eax
        rep     stosd
        mov     dword [stack_tss + 20h], .task
        mov     dword [stack_tss + 24h], 2
        mov     dword [stack_tss + 38h], STACK_TOP - 2000h
        mov     dword [stack_tss + 48h], SELECTOR_DATA32
        mov     dword [stack_tss + 4Ch], SELECTOR_CODE32
        mov     dword [stack_tss + 50h], SELECTOR_DATA32
        mov     dword [stack_tss + 54h], SELECTOR_DATA32
        mov     dword [stack_tss + 64h], 680000h
        SET_DESCRIPTOR S_HIGH, stack_tss, 67h, 89h
        SET_GATE IDT_ADDRESS + 8 * SS_, S_HIGH, 0, 8500h
        mov     [saved_esp], esp
        mov     dword [seen_error], NOTHING
        mov     ax, S_STACK32
        mov     ss, ax
        mov     esp, 1008h
        push    eax
        push    eax                             ; down to 1000h
.push:  push    eax
.after: CHECK   [seen_error], 0
        CHECK   [seen_eip], .push
        CHECK   [seen_esp], [expected_esp]
        ret
.task:  pop     dword [seen_error]
        clts
        mov     eax, [main_tss + 20h]
        mov     [seen_eip], eax
        mov     eax, [main_tss + 38h]
        mov     [seen_esp], eax
        mov     dword [main_tss + 20h], .after
        mov     dword [main_tss + 50h], SELECTOR_DATA32
        mov     eax, [saved_esp]
        mov     [main_tss + 38h], eax
        iretd

; Code that runs into the limit of its segment: the instruction that passes it faults, with #GP(0).
test_code_end:
        TEST    "the end of a code segment"
        mov     edi, AREA
        mov     ecx, 400h
        mov     eax, 90909090h
        rep     stosd
        mov     byte [AREA + 7Fh], 0B8h         ; MOV EAX, imm32 at the last byte
        SET_DESCRIPTOR S_CODE_END, AREA, 7Fh, 409Ah
        ATTEMPT
        jmp     S_CODE_END:70h
        ATTEMPT_END
        CHECK   [seen_vector], GP
        CHECK   [seen_error], 0
        CHECK   [seen_eip], 7Fh
        CHECK   [seen_cs], S_CODE_END
        mov     byte [AREA + 7Fh], 40h          ; one that fits: the next one is beyond
        xor     eax, eax
        ATTEMPT
        jmp     S_CODE_END:70h
        ATTEMPT_END
        CHECK   [seen_vector], GP
        CHECK   [seen_eip], 80h
        CHECK   [seen_eax], 1
        ; a jump beyond faults itself, before it jumps
        mov     word [AREA + 10h], 7EEBh        ; JMP +7Eh: to 90h
        ATTEMPT
        jmp     S_CODE_END:10h
        ATTEMPT_END
        CHECK   [seen_vector], GP
        CHECK   [seen_eip], 10h
        ; page granular, over a page's end
        mov     byte [AREA + 0FFFh], 0B8h
        SET_DESCRIPTOR S_CODE_END, AREA, 0, 0C09Ah
        ATTEMPT
        jmp     S_CODE_END:0FF0h
        ATTEMPT_END
        CHECK   [seen_vector], GP
        CHECK   [seen_eip], 0FFFh
        ret

; The same with paging: the last page and page 0 are neighbours for data, each with its own rights.
test_paging_end:
        TEST    "4 GB with paging"
        MAP_FIRST_4MB DIRECTORY, TABLE_LOW, 1
        mov     edi, TABLE_HIGH
        mov     ecx, 400h
        xor     eax, eax
        rep     stosd
        mov     dword [DIRECTORY + 0FFCh], TABLE_HIGH | 7
        mov     dword [TABLE_HIGH + 0FFCh], AREA | 7
        mov     eax, DIRECTORY
        mov     cr3, eax
        mov     eax, cr0
        or      eax, CR0_PG
        mov     cr0, eax
        ; a base moves the operand over the end: flat segments would fault there
        SET_DESCRIPTOR S_HIGH, 0FFFFF000h, 0FFFFFh, 0C092h
        mov     ax, S_HIGH
        mov     fs, ax
        push    dword [0]
        mov     dword [fs:0FFEh], 44332211h
        movzx   eax, word [AREA + 0FFEh]
        CHECK   eax, 2211h
        movzx   eax, word [0]
        CHECK   eax, 4433h
        CHECK   [fs:0FFEh], 44332211h
        add     dword [fs:0FFEh], 11111111h
        CHECK   [fs:0FFEh], 55443322h
        ; with the last page missing, and with page 0 missing
        mov     dword [TABLE_HIGH + 0FFCh], 0
        invlpg  [0FFFFF000h]
        EXPECT  PF, 2, mov dword [fs:0FFEh], 1
        CHECK   [seen_cr2], 0FFFFFFFEh
        movzx   eax, word [0]
        CHECK   eax, 5544h
        mov     dword [TABLE_HIGH + 0FFCh], AREA | 7
        mov     dword [TABLE_LOW], 6
        invlpg  [0]
        invlpg  [0FFFFF000h]
        EXPECT  PF, 0, mov eax, [fs:0FFEh]
        CHECK   [seen_cr2], 0
        EXPECT  PF, 2, mov dword [fs:0FFEh], 1
        CHECK   [seen_cr2], 0
        mov     dword [TABLE_LOW], 7
        invlpg  [0]
        pop     dword [0]
        mov     eax, cr0
        and     eax, ~CR0_PG
        mov     cr0, eax
        ret

saved_esp               dd      0
left_esp                dd      0
expected_esp            dd      0
        align   16
stack_tss:
        times   26 dd 0
unreal_1                dd      0
unreal_2                dd      0
unreal_ip               dw      0
saved_idt               dw      0
                        dd      0
real_idt                dw      3FFh
                        dd      0

%include "image_end.inc"
