; Real mode: a small sieve beside its code, and a large one in a far segment.

%define BENCHMARK_NAME "real_sieve"
%include "bench16.inc"

NEAR_SIZE               equ     2048
FAR_SIZE                equ     60000
ROUNDS                  equ     REPETITIONS(450)

        bits    16
benchmark:
        mov     word [rounds_left], ROUNDS
        xor     ebp, ebp
.round:
        mov     di, near_flags
        mov     cx, NEAR_SIZE
        push    ds
        pop     es
        call    sieve
        mov     ax, FAR_SEGMENT
        mov     es, ax
        xor     di, di
        mov     cx, FAR_SIZE
        call    sieve
        dec     word [rounds_left]
        jnz     .round
        mov     eax, ebp
        ret

; Sieves the CX flags at ES:DI and adds the primes to the rotating sum EBP.
sieve:
        mov     [size], cx
        mov     [start], di
        mov     al, 1
        rep stosb
        mov     si, 2
.candidate:
        mov     bx, [start]
        cmp     byte [es:bx + si], 0
        je      .next
        rol     ebp, 1
        movzx   eax, si
        add     ebp, eax
        mov     di, si
        mov     cx, [size]
.strike:
        add     di, si
        jc      .next
        cmp     di, cx
        jae     .next
        mov     byte [es:bx + di], 0
        jmp     .strike
.next:  inc     si
        cmp     si, [size]
        jb      .candidate
        ret

        align   2
rounds_left             dw      0
size                    dw      0
start                   dw      0
near_flags              times   NEAR_SIZE db 0
        times   STACK_LIMIT - BOOT_SECTOR_ADDRESS - ($ - $$) db 0

%include "image_end.inc"
