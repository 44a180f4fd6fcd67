; CRC-32 by table and FNV-1a over a buffer: byte loads, table look-ups, one multiplication a byte.

%define BENCHMARK_NAME "hash"
%include "bench32.inc"

BUFFER_SIZE             equ     65536
BUFFER                  equ     ARENA
TABLE                   equ     ARENA + 100000h
ROUNDS                  equ     REPETITIONS(2000)
CRC32_POLYNOMIAL        equ     0EDB88320h
FNV_PRIME               equ     16777619
FNV_OFFSET              equ     2166136261

benchmark:
        call    make_table
        call    fill
        mov     ebp, ROUNDS
        xor     ebx, ebx                        ; checksum
.round:
        call    crc32
        rol     ebx, 5
        xor     ebx, eax
        call    fnv
        add     ebx, eax
        mov     [BUFFER], ebx                   ; so that no two rounds are alike
        dec     ebp
        jnz     .round
        mov     eax, ebx
        ret

make_table:
        xor     ecx, ecx
.entry: mov     eax, ecx
        mov     edx, 8
.bit:   shr     eax, 1
        jnc     .no_carry
        xor     eax, CRC32_POLYNOMIAL
.no_carry:
        dec     edx
        jnz     .bit
        mov     [TABLE + ecx * 4], eax
        inc     cl
        jnz     .entry
        ret

fill:
        mov     eax, 1
        xor     ecx, ecx
.next:  RANDOM_NEXT eax
        mov     edx, eax
        shr     edx, 24
        mov     [BUFFER + ecx], dl
        inc     ecx
        cmp     ecx, BUFFER_SIZE
        jb      .next
        ret

crc32:
        or      eax, -1
        mov     esi, BUFFER
        mov     ecx, BUFFER_SIZE
.next:  movzx   edx, byte [esi]
        inc     esi
        xor     dl, al
        shr     eax, 8
        xor     eax, [TABLE + edx * 4]
        dec     ecx
        jnz     .next
        not     eax
        ret

fnv:
        mov     eax, FNV_OFFSET
        mov     esi, BUFFER
.next:  movzx   edx, byte [esi]
        xor     eax, edx
        imul    eax, eax, FNV_PRIME
        inc     esi
        cmp     esi, BUFFER + BUFFER_SIZE
        jb      .next
        ret

%include "image_end.inc"
