; Real mode: drawing in the four planes of mode 12h, 640 by 480 in 16 colours: horizontal lines by bit
; mask and set/reset, points in write modes 0 and 2, text by write mode 3, copies through the latches by
; write mode 1, XOR by the logic unit, and reads in both modes.

%define BENCHMARK_NAME "real_planar"
%include "bench16.inc"

SCREEN_SEGMENT          equ     0A000h
LINE_BYTES              equ     80
SEQUENCER               equ     3C4h
GRAPHICS                equ     3CEh
SET_RESET               equ     0
ENABLE_SET_RESET        equ     1
COLOUR_COMPARE          equ     2
ROTATE                  equ     3
READ_PLANE              equ     4
MODE                    equ     5
BIT_MASK                equ     8
MAP_MASK                equ     2
ROUNDS                  equ     REPETITIONS(250)

%macro SET_GRAPHICS 2
        mov     ax, (%2) << 8 | %1
        out     dx, ax                          ; DX = GRAPHICS
%endmacro

        bits    16
benchmark:
        mov     ax, 12h
        int     10h
        push    es
        mov     ax, SCREEN_SEGMENT
        mov     es, ax
        cld
        mov     word [rounds_left], ROUNDS
        xor     ebp, ebp                        ; checksum
.round:
        mov     dx, GRAPHICS
        call    draw_lines
        call    draw_points
        call    draw_text
        call    draw_crosses
        call    copy_block
        call    fill_planes
        call    compare_colours
        dec     word [rounds_left]
        jnz     .round
        call    add_planes
        pop     es
        mov     ax, 3
        int     10h
        mov     eax, ebp
        ret

; Lines of a colour between two pixels that are no multiples of eight, by set/reset.
draw_lines:
        SET_GRAPHICS MODE, 0
        SET_GRAPHICS ENABLE_SET_RESET, 0Fh
        mov     bx, 64
        mov     di, LINE_BYTES * 20 + 3
.line:  mov     ah, bl
        and     ah, 0Fh
        mov     al, SET_RESET
        out     dx, ax
        SET_GRAPHICS BIT_MASK, 1Fh
        mov     al, [es:di]                     ; loads the latches
        stosb
        SET_GRAPHICS BIT_MASK, 0FFh
        mov     cx, 40
        rep stosb
        SET_GRAPHICS BIT_MASK, 0F8h
        mov     al, [es:di]
        mov     [es:di], al
        add     di, LINE_BYTES - 41
        dec     bx
        jnz     .line
        SET_GRAPHICS ENABLE_SET_RESET, 0
        SET_GRAPHICS BIT_MASK, 0FFh
        ret

; Single points in write mode 2: the byte written is the colour.
draw_points:
        SET_GRAPHICS MODE, 2
        mov     cx, 2000
        mov     bx, [rounds_left]
.point: imul    bx, bx, 20077
        add     bx, 12345
        push    cx
        mov     cl, bl
        and     cl, 7
        mov     ah, 80h
        shr     ah, cl
        mov     al, BIT_MASK
        out     dx, ax
        mov     di, bx
        shr     di, 1
        mov     al, [es:di]
        mov     [es:di], bh
        pop     cx
        loop    .point
        SET_GRAPHICS BIT_MASK, 0FFh
        ret

; Characters of eight lines in write mode 3: the byte written masks the pixels of the set/reset colour.
draw_text:
        SET_GRAPHICS MODE, 3
        SET_GRAPHICS SET_RESET, 0Eh
        mov     di, LINE_BYTES * 200
        mov     cx, 10 * LINE_BYTES
.character:
        mov     bx, cx
        and     bx, 1Fh
        lea     si, [bx + benchmark]            ; any bytes will do for a font
        push    di
%rep 8
        lodsb
        xchg    al, [es:di]                     ; the read loads the latches
        add     di, LINE_BYTES
%endrep
        pop     di
        inc     di
        loop    .character
        SET_GRAPHICS MODE, 0
        ret

; Vertical lines by XOR, drawn twice on every second.
draw_crosses:
        SET_GRAPHICS ROTATE, 18h
        SET_GRAPHICS BIT_MASK, 24h
        mov     bx, 40
.column:
        mov     di, bx
        mov     cx, 300
.pixel: mov     al, [es:di]
        mov     byte [es:di], 0FFh
        add     di, LINE_BYTES
        loop    .pixel
        dec     bx
        jnz     .column
        SET_GRAPHICS ROTATE, 0
        SET_GRAPHICS BIT_MASK, 0FFh
        ret

; 64 lines copied by the latches: four planes with each byte.
copy_block:
        SET_GRAPHICS MODE, 1
        push    ds
        push    es
        pop     ds
        mov     si, LINE_BYTES * 20
        mov     di, LINE_BYTES * 320
        mov     cx, LINE_BYTES * 64
        rep movsb
        pop     ds
        SET_GRAPHICS MODE, 0
        ret

; The planes one after the other, by bytes, words and from memory, as pictures are loaded.
fill_planes:
        mov     dx, SEQUENCER
        mov     bl, 1
.plane: mov     ah, bl
        mov     al, MAP_MASK
        out     dx, ax
        mov     di, LINE_BYTES * 400
        mov     si, benchmark
        mov     cx, LINE_BYTES
        rep movsb
        mov     al, bl
        mov     ah, 5Ah
        mov     cx, LINE_BYTES * 20
        rep stosw
        shl     bl, 1
        cmp     bl, 10h
        jb      .plane
        mov     ax, 0F00h | MAP_MASK
        out     dx, ax
        mov     dx, GRAPHICS
        ret

; Read mode 1: which pixels have a colour.
compare_colours:
        SET_GRAPHICS MODE, 8
        SET_GRAPHICS COLOUR_COMPARE, 0Eh
        mov     si, LINE_BYTES * 200
        mov     cx, LINE_BYTES * 16
.byte:  movzx   eax, byte [es:si]
        inc     si
        add     ebp, eax
        rol     ebp, 1
        loop    .byte
        SET_GRAPHICS MODE, 0
        ret

add_planes:
        mov     bl, 3
.plane: mov     ah, bl
        mov     al, READ_PLANE
        out     dx, ax
        xor     si, si
        mov     cx, LINE_BYTES * 480 / 4
.word:  add     ebp, [es:si]
        rol     ebp, 3
        add     si, 4
        loop    .word
        dec     bl
        jns     .plane
        ret

        align   2
rounds_left             dw      0
        times   STACK_LIMIT - BOOT_SECTOR_ADDRESS - ($ - $$) db 0

%include "image_end.inc"
