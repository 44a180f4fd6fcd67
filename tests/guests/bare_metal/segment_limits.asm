; Limits and types of segments, which QEMU does not look at. SDM vol. 3A 3.4.5, 5.3.

%include "harness.inc"

PRESENT         equ     80h
CODE            equ     1Ah                     ; readable code
CODE_HIDDEN     equ     18h                     ; not readable
DATA            equ     12h
DATA_READ_ONLY  equ     10h
DATA_DOWN       equ     16h
FLAT            equ     0C000h                  ; G and D/B, as the access bits' upper part
S_DATA          equ     SELECTOR_FREE
S_CODE          equ     SELECTOR_FREE + 8h
SCRATCH         equ     200000h

%macro LOAD 2
        mov     ax, %2
        mov     %1, ax
%endmacro

test:
        call    test_limits
        call    test_expand_down
        call    test_types
        call    test_task_register
        ret

test_limits:
        TEST    "limits"
        SET_DESCRIPTOR S_DATA, SCRATCH, 0FFFh, 4000h | PRESENT | DATA
        LOAD    es, S_DATA
        mov     eax, [es:0FFCh]
        EXPECT  GP, 0, mov eax, [es:0FFDh]
        EXPECT  GP, 0, mov al, [es:1000h]
        EXPECT  GP, 0, mov [es:0FFFFFFFFh], al
        EXPECT  GP, 0, add word [es:0FFFh], 1
        mov     al, [es:0FFFh]
        SET_DESCRIPTOR S_DATA, SCRATCH, 1, FLAT | PRESENT | DATA
        LOAD    es, S_DATA
        mov     eax, [es:1FFCh]
        EXPECT  GP, 0, mov eax, [es:1FFEh]
        ; String instructions stop at the element that is beyond.
        mov     edi, 1FF0h
        mov     ecx, 8
        EXPECT  GP, 0, rep stosd
        CHECK   [seen_ecx], 4
        CHECK   [seen_edi], 2000h
        ; The stack segment raises #SS.
        SET_DESCRIPTOR S_DATA, 0, 8Fh, FLAT | PRESENT | DATA
        LOAD    ss, S_DATA
        EXPECT  SS_, 0, mov eax, [ss:90000h]
        LOAD    ss, SELECTOR_DATA32
        ; CS too: the instruction after the last byte.
        SET_DESCRIPTOR S_CODE, .tiny, 1, 4000h | PRESENT | CODE
        EXPECT  GP, 0, jmp S_CODE:2
        ATTEMPT
        jmp     S_CODE:0
.tiny:  nop
        nop
        nop
        ATTEMPT_END
        CHECK   [seen_vector], GP
        CHECK   [seen_eip], 2
        CHECK   [seen_cs], S_CODE
        ret

test_expand_down:
        TEST    "expand-down segments"
        SET_DESCRIPTOR S_DATA, 0, 0FFFh, 4000h | PRESENT | DATA_DOWN
        LOAD    es, S_DATA
        mov     eax, [es:SCRATCH]
        mov     eax, [es:1000h]
        mov     eax, [es:0FFFFFFFCh]
        EXPECT  GP, 0, mov al, [es:0FFFh]
        EXPECT  GP, 0, mov al, [es:0]
        SET_DESCRIPTOR S_DATA, SCRATCH, 0FFFh, PRESENT | DATA_DOWN
        LOAD    es, S_DATA
        mov     eax, [es:0FFFCh]
        EXPECT  GP, 0, mov eax, [es:0FFFDh]
        EXPECT  GP, 0, mov al, [es:10000h]
        LOAD    es, SELECTOR_DATA32
        ret

test_types:
        TEST    "types"
        SET_DESCRIPTOR S_DATA, 0, 0FFFFFh, FLAT | PRESENT | DATA_READ_ONLY
        LOAD    es, S_DATA
        mov     eax, [es:SCRATCH]
        EXPECT  GP, 0, mov [es:SCRATCH], eax
        EXPECT  GP, 0, inc dword [es:SCRATCH]
        EXPECT  GP, 0, mov [cs:SCRATCH], eax
        LOAD    es, SELECTOR_CODE32
        mov     eax, [es:SCRATCH]
        EXPECT  GP, 0, mov [es:SCRATCH], eax
        SET_DESCRIPTOR S_CODE, 0, 0FFFFFh, FLAT | PRESENT | CODE_HIDDEN
        ATTEMPT
        jmp     S_CODE:.hidden
.hidden:
        mov     eax, [cs:SCRATCH]
        ATTEMPT_END
        CHECK   [seen_vector], GP
        CHECK   [seen_eip], .hidden
        LOAD    es, SELECTOR_DATA32
        ret

test_task_register:
        TEST    "LTR"
        mov     ax, SELECTOR_TSS                ; busy
        EXPECT  GP, SELECTOR_TSS, ltr ax
        xor     eax, eax
        EXPECT  GP, 0, ltr ax
        mov     ax, SELECTOR_DATA32
        EXPECT  GP, SELECTOR_DATA32, ltr ax
        ret

%include "image_end.inc"
