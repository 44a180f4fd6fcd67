; Times instructions, each in a loop of its own: instruction_bench.py writes the rows (ROW_FILE) and
; reads what is printed, a line a row: its number, ticks of the time-stamp counter in the shortest
; of several runs, and rounds of its loop in such a run.
;
; A row is a procedure between ROW and ROW_END; its loop's body stands between LOOP_BEGIN and
; LOOP_END. PREPARE is run once before it.

%include "boot_sector.inc"
        cpu     default
        jmp     bench_start
%include "protected_mode.inc"
%include "interrupts.inc"
%include "paging.inc"
%include "serial.inc"

%define BENCHMARK_NAME "instructions"
%include "report.inc"

STACK_TOP               equ     7000h
RESULTS                 equ     60000h          ; 8 bytes a row
TICKS_ENOUGH            equ     2500000         ; of a run: about a millisecond
RUNS                    equ     7
; Data segments of 16-bit rows, in real mode; 32-bit rows have their data behind DATA.
DATA_SEGMENT            equ     4000h
EXTRA_SEGMENT           equ     5000h
DATA                    equ     400000h
SELECTOR_BASED          equ     28h             ; data, base 40000h, 64 KiB
SELECTOR_EXTRA          equ     30h             ; data, base 50000h, 64 KiB
SELECTOR_GATE           equ     38h             ; call gate to bench_gate_target
SELECTOR_BIG_BASED      equ     48h             ; data, base 400000h, 1 MiB

        bits    16
bench_start:
        call    a20_enable
        cli
        mov     sp, STACK_TOP
        mov     dword [60h * 4], real_interrupt
        mov     dword [result_at], RESULTS
        call    real_rows
        mov     ax, 3
        int     10h
        cli
        call    protected_mode_enter
        bits    32
        mov     esp, STACK_TOP
        call    serial_setup
        call    interrupts_setup
        call    paging_enable
        mov     eax, cr0
        and     al, ~0Ch                        ; no EM, no TS
        or      al, 22h                         ; NE, MP
        mov     cr0, eax
        mov     eax, cr4
        or      eax, 600h                       ; OSFXSR, OSXMMEXCPT
        mov     cr4, eax
        lgdt    [bench_gdt_register]
        mov     word [bench_gate + 0], bench_gate_target - $$ + BOOT_SECTOR_ADDRESS
        mov     word [IDT_ADDRESS + 2Fh * 8], bench_interrupt - $$ + BOOT_SECTOR_ADDRESS
        mov     word [IDT_ADDRESS + 2Fh * 8 + 6], 0
        jmp     SELECTOR_CODE32:.flat
.flat:  call    flat_rows
        call    print_results
        jmp     report

; Everything in memory, on a page without code, since rows use all registers.
counter                 equ     6000h
rounds                  equ     6004h
row_number              equ     6008h
runs_left               equ     600Ch
started                 equ     6010h
shortest                equ     6014h
row_stack               equ     6018h
result_at               equ     601Ch

; Times the row at AX or EAX. %1: size of the code's addresses, in bits.
%macro TIMER 1
        bits    %1
time_row_%1:
        mov     [row_number], eax
        mov     dword [rounds], 16
        mov     dword [runs_left], RUNS
        mov     dword [shortest], -1
.run:
        mov     eax, [rounds]
        mov     [counter], eax
        mov     [row_stack], esp
        rdtsc
        mov     [started], eax
        mov     eax, [row_number]
%if %1 = 16
        call    ax
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
%else
        call    eax
        mov     ax, SELECTOR_DATA32
        mov     ds, ax
        mov     es, ax
        mov     fs, ax
        mov     gs, ax
%endif
        cld
        rdtsc
        sub     eax, [started]
        cmp     dword [runs_left], RUNS
        jb      .timed
        cmp     eax, TICKS_ENOUGH
        jae     .timed
        cmp     dword [rounds], 1 << 24
        jae     .timed
        shl     dword [rounds], 1
        jmp     .run
.timed:
        cmp     eax, [shortest]
        ja      .longer
        mov     [shortest], eax
.longer:
        dec     dword [runs_left]
        jnz     .run
%if %1 = 16
        mov     bx, [result_at]
        mov     ax, RESULTS >> 4
        mov     es, ax
        mov     eax, [shortest]
        mov     [es:bx], eax
        mov     eax, [rounds]
        mov     [es:bx + 4], eax
        xor     ax, ax
        mov     es, ax
%else
        mov     ebx, [result_at]
        mov     eax, [shortest]
        mov     [ebx], eax
        mov     eax, [rounds]
        mov     [ebx + 4], eax
%endif
        add     dword [result_at], 8
        ret
%endmacro

        TIMER 16
        bits    16
real_interrupt:
        iret
real_far_procedure:
        retf
real_near_procedure:
        ret
        TIMER 32
bench_gate_target:
        retf
bench_interrupt:
        iretd
flat_far_procedure:
        retf
flat_near_procedure:
        ret

print_results:
        mov     ebx, RESULTS
.row:   mov     eax, [ebx]
        call    serial_print_hex
        mov     al, ' '
        call    serial_put
        mov     eax, [ebx + 4]
        call    serial_print_hex
        call    serial_print_line_end
        add     ebx, 8
        cmp     ebx, [result_at]
        jb      .row
        ret

        align   8
bench_gdt:
        dq      0
        dq      00CF9B000000FFFFh               ; as in protected_mode.inc
        dq      00CF93000000FFFFh
        dq      00009B000000FFFFh
        dq      000093000000FFFFh
        dq      000093040000FFFFh
        dq      000093050000FFFFh
bench_gate:
        dq      00008C0000080000h
        dq      00CF9B000000FFFFh
        dq      000F93400000FFFFh | 0040000000000000h
bench_gdt_end:
bench_gdt_register:
        dw      bench_gdt_end - bench_gdt - 1
        dd      bench_gdt

%include ROW_FILE

%include "image_end.inc"
