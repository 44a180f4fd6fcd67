; Big numbers: chains of ADC and SBB through loops that keep CF, and schoolbook multiplication by
; MUL with carries.

%define BENCHMARK_NAME "bignum"
%include "bench32.inc"

LIMBS                   equ     64
NUMBER_A                equ     ARENA
NUMBER_B                equ     ARENA + 1000h
PRODUCT                 equ     ARENA + 2000h
ROUNDS                  equ     REPETITIONS(45000)
ADDITIONS               equ     64

benchmark:
        mov     eax, 7
        mov     edi, NUMBER_A
        call    fill
        mov     edi, NUMBER_B
        call    fill
        mov     dword [rounds_left], ROUNDS
        mov     dword [checksum], 0
.round:
        mov     ebp, ADDITIONS / 2
.add:   call    add_b_to_a
        call    subtract_a_from_b
        dec     ebp
        jnz     .add
        call    multiply
        call    add_checksum
        dec     dword [rounds_left]
        jnz     .round
        mov     eax, [checksum]
        ret

fill:
        mov     ecx, LIMBS
.next:  RANDOM_NEXT eax
        stosd
        loop    .next
        ret

; A += B. LEA and DEC leave CF alone, so that the chain needs no saving of it.
add_b_to_a:
        mov     esi, NUMBER_B
        mov     edi, NUMBER_A
        mov     ecx, LIMBS
        clc
.limb:  mov     eax, [esi]
        adc     [edi], eax
        lea     esi, [esi + 4]
        lea     edi, [edi + 4]
        dec     ecx
        jnz     .limb
        ret

; B -= A, four limbs at a time.
subtract_a_from_b:
        mov     esi, NUMBER_A
        mov     edi, NUMBER_B
        mov     ecx, LIMBS / 4
        clc
.limbs:
%assign offset 0
%rep 4
        mov     eax, [edi + offset]
        sbb     eax, [esi + offset]
        mov     [edi + offset], eax
%assign offset offset + 4
%endrep
        lea     esi, [esi + 16]
        lea     edi, [edi + 16]
        dec     ecx
        jnz     .limbs
        ret

; PRODUCT = the low half of A times the low half of B.
multiply:
        mov     edi, PRODUCT
        mov     ecx, LIMBS
        xor     eax, eax
        rep stosd
        xor     ecx, ecx                        ; limb of A
.row:   mov     ebp, [NUMBER_A + ecx * 4]
        lea     edi, [PRODUCT + ecx * 4]
        xor     ebx, ebx                        ; carry
        xor     esi, esi                        ; limb of B
.limb:  mov     eax, [NUMBER_B + esi * 4]
        mul     ebp
        add     eax, ebx
        adc     edx, 0
        add     [edi + esi * 4], eax
        adc     edx, 0
        mov     ebx, edx
        inc     esi
        cmp     esi, LIMBS / 2
        jb      .limb
        mov     [edi + esi * 4], ebx
        inc     ecx
        cmp     ecx, LIMBS / 2
        jb      .row
        ret

add_checksum:
        mov     eax, [checksum]
        mov     ecx, LIMBS
.next:  rol     eax, 1
        xor     eax, [PRODUCT + ecx * 4 - 4]
        add     eax, [NUMBER_A + ecx * 4 - 4]
        loop    .next
        mov     [checksum], eax
        ret

        NEW_PAGE
checksum                dd      0
rounds_left             dd      0

%include "image_end.inc"
