; String instructions: REP MOVS, STOS, SCAS and CMPS of many lengths, and LODS/STOS loops.

%define BENCHMARK_NAME "strings"
%include "bench32.inc"

BUFFER_SIZE             equ     16384
SOURCE                  equ     ARENA
TARGET                  equ     ARENA + 20000h
TABLE                   equ     ARENA + 40000h
ROUNDS                  equ     REPETITIONS(5000)

benchmark:
        call    fill
        mov     dword [rounds_left], ROUNDS
        xor     ebx, ebx                        ; checksum
.round:
        call    copy_pieces
        call    translate
        call    clear_and_compare
        call    measure_words
        dec     dword [rounds_left]
        jnz     .round
        mov     eax, ebx
        ret

fill:
        mov     eax, 99
        xor     ecx, ecx
.next:  RANDOM_NEXT eax
        mov     edx, eax
        shr     edx, 26
        add     dl, 32                          ; 32 is the word separator below
        mov     [SOURCE + ecx], dl
        inc     ecx
        cmp     ecx, BUFFER_SIZE
        jb      .next
        xor     ecx, ecx
.table: mov     al, cl
        ror     al, 3
        mov     [TABLE + ecx], al
        inc     cl
        jnz     .table
        ret

; Copies the source in pieces of 1, 2, 3 ... 127 bytes, then whole by double words.
copy_pieces:
        mov     esi, SOURCE
        mov     edi, TARGET + 3
        mov     edx, 1
.piece: mov     ecx, edx
        rep movsb
        inc     edx
        cmp     edx, 128
        jb      .piece
        mov     esi, SOURCE
        mov     edi, TARGET + 4000h
        mov     ecx, BUFFER_SIZE / 4
        rep movsd
        add     ebx, [TARGET + 100]
        ret

; Translates every byte by a table, with LODSB, XLATB and STOSB, and sums them.
translate:
        mov     esi, SOURCE
        mov     edi, TARGET
        mov     ecx, BUFFER_SIZE
        push    ebx
        mov     ebx, TABLE
        xor     edx, edx
.next:  lodsb
        xlatb
        stosb
        add     dl, al
        rol     edx, 1
        dec     ecx
        jnz     .next
        pop     ebx
        xor     ebx, edx
        mov     esi, SOURCE
        mov     ecx, BUFFER_SIZE / 4
.sum:   lodsd
        add     ebx, eax
        dec     ecx
        jnz     .sum
        ret

clear_and_compare:
        mov     edi, TARGET + 8000h
        mov     eax, ebx
        mov     ecx, BUFFER_SIZE
        rep stosb
        mov     edi, TARGET + 8000h
        mov     ecx, BUFFER_SIZE / 2
        rep stosw
        mov     esi, TARGET + 4000h             ; equal to the source
        mov     edi, SOURCE
        mov     ecx, BUFFER_SIZE
        repe cmpsb
        adc     ebx, ecx
        ret

; Finds each separator with SCASB and sums the squares of the lengths between them.
measure_words:
        mov     edi, SOURCE
        mov     ecx, BUFFER_SIZE
        mov     al, 32
.word:  mov     edx, ecx
        repne scasb
        jne     .done
        sub     edx, ecx
        imul    edx, edx
        add     ebx, edx
        test    ecx, ecx
        jnz     .word
.done:  rol     ebx, 1
        ret

        NEW_PAGE
rounds_left             dd      0

%include "image_end.inc"
