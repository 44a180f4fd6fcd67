; Drawing in linear memory of a VBE mode, 640 by 480 in 65536 colours: gradients, blending with what is
; there, windows moved, a picture copied from a buffer.

%define BENCHMARK_NAME "vbe_linear"
%define VIDEO_MODE 4111h
%include "bench32.inc"

LINEAR                  equ     40000000h       ; where the memory is mapped
LINE_BYTES              equ     640 * 2
HEIGHT                  equ     480
SCREEN_BYTES            equ     LINE_BYTES * HEIGHT
ROUNDS                  equ     REPETITIONS(5000)

benchmark:
        mov     edx, [vbe_information + VBE_LINEAR_ADDRESS]
        test    edx, edx
        jz      exception_end
        mov     eax, LINEAR
        mov     ecx, SCREEN_BYTES / PAGE_SIZE + 1
        call    paging_map
        mov     dword [rounds_left], ROUNDS
        xor     ebx, ebx
.round:
        call    draw_gradient
        call    blend
        call    move_window
        call    show_buffer
        rol     ebx, 1
        add     ebx, [LINEAR + LINE_BYTES * 100 + 64]
        dec     dword [rounds_left]
        jnz     .round
        mov     esi, LINEAR
        mov     ecx, SCREEN_BYTES / 4
.sum:   lodsd
        rol     ebx, 5
        add     ebx, eax
        dec     ecx
        jnz     .sum
        mov     eax, ebx
        ret

; 256 by 128 pixels, each written by itself.
draw_gradient:
        mov     edi, LINEAR + LINE_BYTES * 32 + 64
        mov     edx, 128
.line:  mov     ecx, 256
        mov     eax, edx
        shl     eax, 5
        add     eax, [rounds_left]
.pixel: mov     [edi], ax
        add     edi, 2
        add     eax, 41h
        dec     ecx
        jnz     .pixel
        add     edi, LINE_BYTES - 512
        dec     edx
        jnz     .line
        ret

; Half of each pixel's components, two pixels at once, plus a constant: read, change, write.
blend:
        mov     edi, LINEAR + LINE_BYTES * 100
        mov     edx, 64
.line:  mov     ecx, 160
.pixel: mov     eax, [edi]
        shr     eax, 1
        and     eax, 7BEF7BEFh
        add     eax, 10080841h
        mov     [edi], eax
        add     edi, 4
        dec     ecx
        jnz     .pixel
        add     edi, LINE_BYTES - 640
        dec     edx
        jnz     .line
        ret

; Moves 300 by 200 pixels down and to the right, from the last line on.
move_window:
        mov     edx, 200
        mov     esi, LINEAR + LINE_BYTES * 250 + 40
        mov     edi, LINEAR + LINE_BYTES * 260 + 72
.line:  mov     ecx, 150
        rep movsd
        sub     esi, LINE_BYTES + 600
        sub     edi, LINE_BYTES + 600
        dec     edx
        jnz     .line
        ret

show_buffer:
        mov     edi, ARENA
        mov     ecx, 320 * 100
        mov     eax, [rounds_left]
.pixel: lea     eax, [eax + eax * 4 + 1]
        mov     [edi], ax
        add     edi, 2
        dec     ecx
        jnz     .pixel
        mov     esi, ARENA
        mov     edi, LINEAR + LINE_BYTES * 300
        mov     edx, 100
.line:  mov     ecx, 160
        rep movsd
        add     edi, LINE_BYTES - 640
        dec     edx
        jnz     .line
        ret

        NEW_PAGE
rounds_left             dd      0

%include "image_end.inc"
