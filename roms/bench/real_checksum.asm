; Real mode: CRC-16 by bits and an Internet checksum over far data, with locals on the stack, the
; loop counters in memory beside the code, and an instruction whose operand the program changes.

%define BENCHMARK_NAME "real_checksum"
%include "bench16.inc"

BLOCK_SIZE              equ     512
BLOCKS                  equ     64
ROUNDS                  equ     REPETITIONS(90)
CRC16_POLYNOMIAL        equ     0A001h

        bits    16
benchmark:
        call    fill
        mov     word [rounds_left], ROUNDS
        xor     ebp, ebp
.round:
        mov     word [block], 0
.next_block:
        mov     ax, [block]
        shl     ax, 5                           ; paragraphs of a block
        add     ax, FAR_SEGMENT
        mov     es, ax
        mov     ax, [rounds_left]               ; a different seed every round
        mov     [crc16.seed + 1], ax
        push    bp
        call    crc16
        pop     bp
        rol     ebp, 3
        xor     bp, ax
        call    internet_checksum
        movzx   eax, ax
        add     ebp, eax
        inc     word [block]
        cmp     word [block], BLOCKS
        jb      .next_block
        dec     word [rounds_left]
        jnz     .round
        mov     eax, ebp
        ret

fill:
        mov     ax, FAR_SEGMENT
        mov     es, ax
        xor     di, di
        mov     eax, 271828
.next:  RANDOM_NEXT eax
        mov     edx, eax
        shr     edx, 24
        mov     [es:di], dl
        inc     di
        cmp     di, BLOCK_SIZE * BLOCKS
        jb      .next
        ret

; AX = CRC-16 of the block at ES:0. The count of bytes is a local on the stack.
crc16:
        enter   2, 0
        mov     word [bp - 2], BLOCK_SIZE
        xor     si, si
.seed:  mov     ax, 0                           ; the operand is written by the caller
.byte:  xor     al, [es:si]
        inc     si
        mov     cx, 8
.bit:   shr     ax, 1
        jnc     .no_carry
        xor     ax, CRC16_POLYNOMIAL
.no_carry:
        loop    .bit
        dec     word [bp - 2]
        jnz     .byte
        leave
        ret

; AX = ones' complement sum of the words of the block at ES:0.
internet_checksum:
        xor     si, si
        xor     ax, ax
        mov     cx, BLOCK_SIZE / 2
        clc
.next:  adc     ax, [es:si]
        inc     si
        inc     si
        loop    .next
        adc     ax, 0
        not     ax
        ret

        align   2
rounds_left             dw      0
block                   dw      0
        times   STACK_LIMIT - BOOT_SECTOR_ADDRESS - ($ - $$) db 0

%include "image_end.inc"
