; Keyboard and PS/2 mouse at the 8042. Where a mouse is absent the keyboard alone moves.

KBC_DATA                equ     60h
KBC_STATUS              equ     64h
KBC_COMMAND             equ     64h
KBC_OUTPUT_FULL         equ     01h
KBC_INPUT_FULL          equ     02h
KBC_FROM_MOUSE          equ     20h
KBC_READ_CONFIG         equ     20h
KBC_WRITE_CONFIG        equ     60h
KBC_ENABLE_MOUSE        equ     0A8h
KBC_TO_MOUSE            equ     0D4h
KBC_CONFIG_INTERRUPTS   equ     03h             ; IRQ 1 and 12
KBC_CONFIG_MOUSE_OFF    equ     20h
MOUSE_ENABLE            equ     0F4h
MOUSE_ACKNOWLEDGE       equ     0FAh
KBC_POLLS               equ     100000

SCAN_T                  equ     14h
SCAN_P                  equ     19h
SCAN_S                  equ     1Fh
SCAN_G                  equ     22h
SCAN_UP                 equ     48h
SCAN_LEFT               equ     4Bh
SCAN_RIGHT              equ     4Dh
SCAN_DOWN               equ     50h
SCAN_RELEASED           equ     80h

KEY_RING_SIZE           equ     32
KEY_STEP                equ     8               ; what an arrow key moves, in mouse counts

        bits    32

input_setup:
        mov     dword [irq_handlers + 1 * 4], input_irq
        mov     dword [irq_handlers + 12 * 4], input_irq
        call    .drain
        mov     al, KBC_ENABLE_MOUSE
        call    kbc_command
        mov     al, KBC_READ_CONFIG
        call    kbc_command
        call    kbc_read
        or      al, KBC_CONFIG_INTERRUPTS
        and     al, ~KBC_CONFIG_MOUSE_OFF
        mov     bl, al
        mov     al, KBC_WRITE_CONFIG
        call    kbc_command
        mov     al, bl
        call    kbc_write
        mov     al, KBC_TO_MOUSE
        call    kbc_command
        mov     al, MOUSE_ENABLE
        call    kbc_write
        call    kbc_read
        cmp     al, MOUSE_ACKNOWLEDGE
        sete    [mouse_present]
.drain: mov     ecx, 16
.next:  in      al, KBC_STATUS
        test    al, KBC_OUTPUT_FULL
        jz      .done
        in      al, KBC_DATA
        loop    .next
.done:  ret

kbc_command:
        call    kbc_wait
        out     KBC_COMMAND, al
        ret

kbc_write:
        call    kbc_wait
        out     KBC_DATA, al
        ret

; Waits until the controller can be written. AL is kept.
kbc_wait:
        mov     ah, al
        mov     ecx, KBC_POLLS
.next:  in      al, KBC_STATUS
        test    al, KBC_INPUT_FULL
        loopnz  .next
        mov     al, ah
        ret

; AL = the next byte, 0 when none comes.
kbc_read:
        mov     ecx, KBC_POLLS
.next:  in      al, KBC_STATUS
        test    al, KBC_OUTPUT_FULL
        loopz   .next
        jz      .none
        in      al, KBC_DATA
        ret
.none:  xor     eax, eax
        ret

; One handler for both lines: the status tells whose byte it is.
input_irq:
        in      al, KBC_STATUS
        test    al, KBC_OUTPUT_FULL
        jz      .done
        mov     ah, al
        in      al, KBC_DATA
        test    ah, KBC_FROM_MOUSE
        jnz     mouse_byte
        mov     edx, [key_ring_in]
        mov     [key_ring + edx], al
        inc     edx
        and     edx, KEY_RING_SIZE - 1
        cmp     edx, [key_ring_out]
        je      .done                           ; full: the key is lost
        mov     [key_ring_in], edx
.done:  ret

; Takes what interrupts did not tell of: setting up the interrupt controllers makes them forget
; requests.
input_poll:
        in      al, KBC_STATUS
        test    al, KBC_OUTPUT_FULL
        jz      .done
        call    input_irq
        jmp     input_poll
.done:  ret

; Gathers packets of three bytes: buttons and signs, X, Y.
mouse_byte:
        mov     edx, [mouse_count]
        test    edx, edx
        jnz     .keep
        test    al, 08h                         ; always set in the first byte
        jz      .done
.keep:  mov     [mouse_packet + edx], al
        inc     edx
        cmp     edx, 3
        jb      .more
        movzx   eax, byte [mouse_packet + 1]
        test    byte [mouse_packet], 10h
        jz      .right
        sub     eax, 256
.right: add     [motion_x], eax
        movzx   eax, byte [mouse_packet + 2]
        test    byte [mouse_packet], 20h
        jz      .up
        sub     eax, 256
.up:    sub     [motion_y], eax                 ; the mouse counts upwards
        xor     edx, edx
.more:  mov     [mouse_count], edx
.done:  ret

; AL = scan code of the next key pressed, 0 when there is none. Arrow keys become motion here.
input_next_key:
        mov     edx, [key_ring_out]
        cmp     edx, [key_ring_in]
        je      .none
        mov     al, [key_ring + edx]
        inc     edx
        and     edx, KEY_RING_SIZE - 1
        mov     [key_ring_out], edx
        test    al, SCAN_RELEASED
        jnz     input_next_key                  ; also the prefix E0h
        cmp     al, SCAN_UP
        je      .up
        cmp     al, SCAN_DOWN
        je      .down
        cmp     al, SCAN_LEFT
        je      .left
        cmp     al, SCAN_RIGHT
        jne     .done
        add     dword [motion_x], KEY_STEP
        jmp     input_next_key
.left:  sub     dword [motion_x], KEY_STEP
        jmp     input_next_key
.up:    sub     dword [motion_y], KEY_STEP
        jmp     input_next_key
.down:  add     dword [motion_y], KEY_STEP
        jmp     input_next_key
.none:  xor     eax, eax
.done:  ret

; Adds what keys and mouse moved to the pointer, which stays within 640 by 480.
input_take_motion:
        xor     eax, eax
        xchg    eax, [motion_x]
        add     eax, [pointer_x]
        mov     ecx, 639
        call    .clamp
        mov     [pointer_x], eax
        xor     eax, eax
        xchg    eax, [motion_y]
        add     eax, [pointer_y]
        mov     ecx, 479
        call    .clamp
        mov     [pointer_y], eax
        ret
.clamp: test    eax, eax
        jns     .not_below
        xor     eax, eax
.not_below:
        cmp     eax, ecx
        jbe     .inside
        mov     eax, ecx
.inside:
        ret

        align   4
key_ring_in             dd      0
key_ring_out            dd      0
mouse_count             dd      0
motion_x                dd      0
motion_y                dd      0
pointer_x               dd      320
pointer_y               dd      240
mouse_packet            db      0, 0, 0
mouse_present           db      0
key_ring                times   KEY_RING_SIZE db 0
