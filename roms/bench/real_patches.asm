; Real mode: code that changes itself, as games of the time did. A scaling loop whose step and
; limit are immediates that are written before each line, a jump whose target is chosen by
; writing its distance, an opcode that is replaced, and a routine unrolled on the stack.

%define BENCHMARK_NAME "real_patches"
%include "bench16.inc"

LINE_PIXELS             equ     160
UNROLLED                equ     24
ROUNDS                  equ     REPETITIONS(14000)

        bits    16
benchmark:
        xor     si, si
.fill:  mov     ax, si
        imul    ax, ax, 73
        mov     [pixels + si], al
        inc     si
        cmp     si, LINE_PIXELS
        jb      .fill
        mov     dword [rounds_left], ROUNDS
        xor     ebp, ebp                        ; checksum
.round:
        mov     eax, [rounds_left]
        and     ax, 0FFh
        add     ax, 40
        mov     [scale_line.step + 2], ax       ; of the ADD BX
        mov     [scale_line.colour + 1], al     ; of the ADD AL
        call    scale_line
        mov     al, [rounds_left]
        and     al, 3
        mov     cl, 3
        shl     al, cl
        mov     [choose.jump + 1], al           ; one of four places, eight bytes each
        call    choose
        mov     al, 29h                         ; SUB [BX], AX
        test    byte [rounds_left], 8
        jz      .replace
        mov     al, 31h                         ; XOR [BX], AX
.replace:
        mov     [combine.operation], al
        call    combine
        test    byte [rounds_left], 7
        jnz     .next
        call    unroll
.next:  dec     dword [rounds_left]
        jnz     .round
        mov     eax, ebp
        ret

; Takes 64 pixels of the line at steps in 8.8 fixed point.
scale_line:
        xor     bx, bx
        mov     cx, 64
.pixel: mov     al, bh
        xor     ah, ah
        mov     si, ax
        mov     al, [pixels + si]
.colour:
        add     al, 0
        xor     ah, ah
        movzx   eax, ax
        add     ebp, eax
.step:  add     bx, 1234h
        loop    .pixel
        ret

choose:
        mov     ax, 17
.jump:  jmp     short $ + 2
.places:
        rol     ebp, 1
        add     al, 1
        ret
        nop
        add     ebp, 1234
        times   32 - ($ - .places) nop
        ret

combine:
        mov     bx, pixels
        mov     cx, 24
.next:  mov     ax, cx
        nop
.operation:
        db      29h, 07h                        ; SUB [BX], AX
        add     bx, 2
        loop    .next
        ret

; Makes ADD AX, number UNROLLED times and RET on the stack, and calls it.
unroll:
        mov     bx, sp
        sub     sp, UNROLLED * 3 + 1 + 9
        mov     di, sp
        push    bx
        mov     bx, di
        mov     cx, UNROLLED
        mov     ax, [rounds_left]
.next:  mov     byte [di], 05h
        mov     [di + 1], ax
        imul    ax, ax, 31
        add     di, 3
        loop    .next
        mov     byte [di], 0C3h
        xor     ax, ax
        call    bx
        movzx   eax, ax
        xor     ebp, eax
        pop     bx
        mov     sp, bx
        ret

        align   4
rounds_left             dd      0
pixels                  times   LINE_PIXELS db 0
        times   STACK_LIMIT - BOOT_SECTOR_ADDRESS - ($ - $$) db 0

%include "image_end.inc"
