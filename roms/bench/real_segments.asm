; Real mode: far pointers. A list through several segments by LES, LDS and segment overrides, an array
; that is larger than a segment, and segment registers saved, loaded and exchanged at every step.

%define BENCHMARK_NAME "real_segments"
%include "bench16.inc"

NODES                   equ     1024
NODE_PARAGRAPHS         equ     3
HUGE_SEGMENT            equ     4000h
HUGE_STEPS              equ     4000
HUGE_BYTES              equ     200000
ROUNDS                  equ     REPETITIONS(1100)

; A node, in a segment of its own: far pointer to the next, value, name.
NODE_NEXT               equ     0
NODE_VALUE              equ     4
NODE_TEXT               equ     8

        bits    16
benchmark:
        call    make_list
        mov     word [rounds_left], ROUNDS
        xor     ebp, ebp                        ; checksum
.round:
        call    walk_list
        call    swap_nodes
        call    add_huge
        dec     word [rounds_left]
        jnz     .round
        mov     eax, ebp
        ret

; Node i is at FAR_SEGMENT + 3i; its next is node (i + 387) mod NODES.
make_list:
        push    es
        xor     cx, cx
.node:  mov     ax, cx
        imul    ax, ax, NODE_PARAGRAPHS
        add     ax, FAR_SEGMENT
        mov     es, ax
        mov     ax, cx
        add     ax, 387
        and     ax, NODES - 1
        imul    ax, ax, NODE_PARAGRAPHS
        add     ax, FAR_SEGMENT
        mov     word [es:NODE_NEXT], 0
        mov     [es:NODE_NEXT + 2], ax
        mov     [es:NODE_VALUE], cx
        mov     [es:NODE_TEXT], ax
        inc     cx
        cmp     cx, NODES
        jb      .node
        mov     ax, HUGE_SEGMENT
        mov     dx, HUGE_BYTES / 65536 + 1
.clear: mov     es, ax
        xor     di, di
        mov     cx, 8000h
        push    ax
        rep stosw
        pop     ax
        add     ax, 1000h
        dec     dx
        jnz     .clear
        pop     es
        ret

walk_list:
        push    ds
        push    es
        mov     cx, NODES
        mov     ax, FAR_SEGMENT
        mov     es, ax
        xor     bx, bx
.node:  mov     dx, [es:bx + NODE_VALUE]
        movzx   edx, dx
        rol     ebp, 1
        add     ebp, edx
        lds     si, [es:bx + NODE_NEXT]
        add     [si + NODE_TEXT], dx
        les     bx, [es:bx + NODE_NEXT]
        loop    .node
        pop     es
        pop     ds
        ret

; Exchanges the texts of pairs of nodes by a procedure that gets far pointers on the stack.
swap_nodes:
        mov     cx, 256
        mov     ax, FAR_SEGMENT
.pair:  push    ax
        push    word NODE_TEXT
        add     ax, NODE_PARAGRAPHS
        push    ax
        push    word NODE_TEXT
        call    swap_far_words
        add     ax, NODE_PARAGRAPHS
        loop    .pair
        ret

swap_far_words:
        push    bp
        mov     bp, sp
        push    ds
        push    es
        push    ax
        les     di, [bp + 4]
        lds     si, [bp + 8]
        mov     ax, [si]
        xchg    ax, [es:di]
        mov     [si], ax
        pop     ax
        pop     es
        pop     ds
        pop     bp
        ret     8

; Adds to bytes of an array over four segments; the pointer is normalised at every step.
add_huge:
        push    es
        mov     ebx, [huge_at]
        mov     cx, HUGE_STEPS
.step:  mov     eax, ebx
        shr     eax, 4
        add     ax, HUGE_SEGMENT
        mov     es, ax
        mov     di, bx
        and     di, 15
        add     byte [es:di], cl
        movzx   eax, byte [es:di]
        add     ebp, eax
        add     ebx, 4099
        cmp     ebx, HUGE_BYTES
        jb      .inside
        sub     ebx, HUGE_BYTES
.inside:
        loop    .step
        mov     [huge_at], ebx
        pop     es
        ret

        align   4
huge_at                 dd      0
rounds_left             dw      0
        times   STACK_LIMIT - BOOT_SECTOR_ADDRESS - ($ - $$) db 0

%include "image_end.inc"
