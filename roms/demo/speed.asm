; How fast the machine is, by its own timer: rounds of a loop of four instructions, and megabytes
; copied, within a quarter of a second.

SPEED_TICKS             equ     25
SPEED_PER_SECOND        equ     100 / SPEED_TICKS
SPEED_LOOP              equ     10000
SPEED_COPY              equ     65536
SPEED_SOURCE            equ     BACKGROUND      ; free while the text page stands
SPEED_TARGET            equ     FRAME

        bits    32
speed_measure:
        mov     eax, speed_run_loop
        call    speed_count
        imul    eax, eax, SPEED_PER_SECOND      ; times 10000, by 1000000
        xor     edx, edx
        mov     ecx, 1000000 / SPEED_LOOP
        div     ecx
        mov     [speed_loops], eax
        mov     eax, speed_run_copy
        call    speed_count
        imul    eax, eax, SPEED_PER_SECOND
        shr     eax, 4                          ; 16 copies are a megabyte
        mov     [speed_megabytes], eax
        ret

; EAX = how often the procedure EAX runs within SPEED_TICKS.
speed_count:
        mov     ebp, eax
        xor     ebx, ebx
        mov     edx, [timer_ticks]
.edge:  cmp     edx, [timer_ticks]              ; begin at a tick
        je      .edge
        mov     edx, [timer_ticks]
        add     edx, SPEED_TICKS
.next:  call    ebp
        inc     ebx
        cmp     [timer_ticks], edx
        js      .next
        mov     eax, ebx
        ret

speed_run_loop:
        mov     ecx, SPEED_LOOP
.next:  add     eax, ecx
        xor     esi, eax
        dec     ecx
        jnz     .next
        ret

speed_run_copy:
        mov     esi, SPEED_SOURCE
        mov     edi, SPEED_TARGET
        mov     ecx, SPEED_COPY / 4
        rep movsd
        ret

        align   4
speed_loops             dd      0
speed_megabytes         dd      0
