; The built-in demo disk: shows the machine that it found, in text and in graphics, moves with
; keyboard and mouse, measures its speed and powers off.

%include "boot_sector.inc"
        jmp     demo_start
%include "protected_mode.inc"
%include "bios_call.asm"
%include "interrupts.inc"
%include "paging.inc"
%include "serial.inc"
%include "console.asm"
%include "input.asm"
%include "pci.asm"
%include "machine_page.asm"
%include "speed.asm"
%include "graphics_page.asm"
%include "power.asm"

TIMER_HZ                equ     100
STACK_TOP               equ     90000h

        bits    16
demo_start:
        call    a20_enable
        call    protected_mode_enter
        bits    32
        mov     esp, STACK_TOP
        cld
        call    serial_setup
        call    interrupts_setup
        call    paging_enable
        call    input_setup
        mov     eax, PIT_HZ / TIMER_HZ
        call    pit_setup
        call    pic_protected
        sti
        call    speed_measure
        call    machine_page_show
        mov     esi, ready_text
        call    serial_print
main_loop:
        hlt                                     ; the timer wakes us at least
        call    input_next_key
        call    key_act
        call    input_take_motion
        cmp     byte [graphics_shown], 0
        jne     .graphics
        call    machine_page_move
        jmp     main_loop
.graphics:
        call    graphics_page_frame
        jmp     main_loop

; Does what the key with scan code AL asks for.
key_act:
        mov     esi, key_actions
.next:  cmp     byte [esi], 0
        je      .done
        cmp     al, [esi]
        je      .found
        add     esi, 5
        jmp     .next
.found: jmp     [esi + 1]
.done:  ret

show_text:
        call    machine_page_show
        mov     esi, text_text
        jmp     serial_print

measure_again:
        cmp     byte [graphics_shown], 0
        jne     .done
        call    speed_measure
        call    machine_page_show
.done:  ret

exception_end:
        cli
.halt:  hlt
        jmp     .halt

%macro KEY_ACTION 2
        db      %1
        dd      %2
%endmacro
key_actions:
        KEY_ACTION SCAN_G, graphics_page_show
        KEY_ACTION SCAN_T, show_text
        KEY_ACTION SCAN_S, measure_again
        KEY_ACTION SCAN_P, power_off
        db      0
ready_text              db      "REPRISE DEMO READY", 13, 10, 0
text_text               db      "REPRISE DEMO TEXT", 13, 10, 0

%include "image_end.inc"
