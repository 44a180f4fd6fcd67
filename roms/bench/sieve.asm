; Sieve of Eratosthenes: byte loads and stores with a running index, short loops.

%ifndef BENCHMARK_NAME
%define BENCHMARK_NAME "sieve"
%endif
%include "bench32.inc"

SIEVE_SIZE              equ     262144
ROUNDS                  equ     REPETITIONS(600)

benchmark:
        mov     dword [rounds_left], ROUNDS
        xor     ebp, ebp                        ; checksum
.round:
        mov     edi, ARENA
        mov     ecx, SIEVE_SIZE / 4
        mov     eax, 01010101h
        rep stosd
        mov     esi, 2
.candidate:
        cmp     byte [ARENA + esi], 0
        je      .not_prime
        mov     edi, esi
        imul    edi, esi
.strike:
        cmp     edi, SIEVE_SIZE
        jae     .not_prime
        mov     byte [ARENA + edi], 0
        add     edi, esi
        jmp     .strike
.not_prime:
        inc     esi
        cmp     esi, 512                        ; the root of SIEVE_SIZE
        jb      .candidate
        call    sum_primes
        dec     dword [rounds_left]
        jnz     .round
        mov     eax, ebp
        ret

; Adds the primes below SIEVE_SIZE to the rotating sum EBP.
sum_primes:
        mov     esi, 2
.next:  cmp     byte [ARENA + esi], 0
        je      .skip
        rol     ebp, 1
        add     ebp, esi
.skip:  inc     esi
        cmp     esi, SIEVE_SIZE
        jb      .next
        ret

        NEW_PAGE
rounds_left             dd      0

%include "image_end.inc"
