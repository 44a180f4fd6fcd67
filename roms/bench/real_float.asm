; Real mode: x87, as programs with a coprocessor used it: points turned and projected, with
; integers loaded and stored, and status words tested by SAHF.

%define BENCHMARK_NAME "real_float"
%include "bench16.inc"

POINTS                  equ     64
ROUNDS                  equ     REPETITIONS(9000)

        bits    16
benchmark:
        fninit
        mov     word [rounds_left], ROUNDS
        xor     ebp, ebp                        ; checksum
        xor     di, di
.fill:  mov     ax, di
        imul    ax, ax, 37
        and     ax, 0FFh
        sub     ax, 128
        mov     [points + di], ax
        add     di, 2
        cmp     di, POINTS * 6
        jb      .fill
        fldz
        fstp    qword [angle]
.round:
        fld     qword [angle]
        fadd    qword [step]
        fst     qword [angle]
        fsincos
        fstp    qword [cosine]
        fstp    qword [sine]
        mov     cx, POINTS
        mov     si, points
.point: call    turn
        add     si, 6
        loop    .point
        dec     word [rounds_left]
        jnz     .round
        mov     eax, ebp
        ret

; One point of three words: x' = x cos - y sin, y' = x sin + y cos, both over z + 300. The results are
; rounded to a quarter, so that the last bits do not count.
turn:
        fild    word [si]
        fild    word [si + 2]
        fld     st1
        fmul    qword [cosine]
        fld     st1
        fmul    qword [sine]
        fsubp   st1
        fild    word [si + 4]
        fadd    dword [distance]
        fdivp   st1
        fmul    dword [scale]
        fistp   word [result]
        fmul    qword [cosine]
        fxch
        fmul    qword [sine]
        faddp   st1
        fcom    dword [zero]
        fnstsw  ax
        sahf
        jae     .positive
        fchs
        inc     ebp
.positive:
        fstp    dword [real_result]
        fld     dword [real_result]
        fsqrt
        fmul    dword [distance]
        fistp   dword [result + 2]
        movzx   eax, word [result]
        add     ebp, eax
        rol     ebp, 1
        add     ebp, [result + 2]
        ret

        align   8
angle                   dq      0
step                    dq      0.001
sine                    dq      0
cosine                  dq      0
distance                dd      300.0
scale                   dd      256.0
zero                    dd      0.0
real_result             dd      0
result                  dw      0, 0, 0
rounds_left             dw      0
points                  times   POINTS * 3 dw 0
        times   STACK_LIMIT - BOOT_SECTOR_ADDRESS - ($ - $$) db 0

%include "image_end.inc"
