; A boot sector that does what drivers of VMware's pointer for DOS and Windows do: it finds the port,
; turns on the mouse behind the 8042 for its interrupt, asks for places, and tells each event on the
; serial port: flags, x, y and wheel in hexadecimal.

        org     7C00h
        bits    16

%include "vmware_port.inc"

GET_VERSION     equ     10
POINTER_DATA    equ     39
POINTER_STATUS  equ     40
POINTER         equ     41
READ_ID         equ     45414552h
PLACES          equ     53424152h
VERSION         equ     3442554Ah
SERIAL          equ     3F8h
IRQ12           equ     74h

start:  cli
        xor     ax, ax
        mov     ds, ax
        mov     ss, ax
        mov     sp, 7C00h
        mov     si, absent
        CALL_PORT GET_VERSION, 0
        cmp     ebx, MAGIC
        jne     fail
        CALL_PORT POINTER, READ_ID
        CALL_PORT POINTER_DATA, 1
        cmp     eax, VERSION
        jne     fail
        CALL_PORT POINTER, PLACES
        mov     word [IRQ12 * 4], interrupt
        mov     word [IRQ12 * 4 + 2], 0
        mov     al, 60h                         ; both interrupts on
        out     64h, al
        call    wait_input
        mov     al, 47h
        out     60h, al
        call    wait_input
        mov     al, 0D4h                        ; to the mouse:
        out     64h, al
        call    wait_input
        mov     al, 0F4h                        ; tell what happens
        out     60h, al
        in      al, 21h
        and     al, 0F8h                        ; clock, keyboard, the second controller
        or      al, 1                           ; but not the clock
        out     21h, al
        in      al, 0A1h
        and     al, 0EFh                        ; 12
        out     0A1h, al
        mov     si, ready
        call    print
        sti
.rest:  hlt
        jmp     .rest

fail:   call    print
        cli
        hlt

wait_input:
        in      al, 64h
        test    al, 2
        jnz     wait_input
        ret

; All events that there are, however many bytes the mouse has sent for them.
interrupt:
        pushad
        in      al, 60h
.next:  CALL_PORT POINTER_STATUS, 0
        cmp     ax, 4
        jb      .done
        CALL_PORT POINTER_DATA, 4
        push    edx
        push    ecx
        push    ebx
        push    eax
        mov     cx, 4
.word:  pop     ebx
        call    print_hexadecimal
        loop    .word
        mov     al, 10
        call    send
        jmp     .next
.done:  mov     al, 20h
        out     0A0h, al
        out     20h, al
        popad
        iret

print_hexadecimal:                              ; EBX, and a blank
        push    cx
        mov     cx, 8
.digit: rol     ebx, 4
        mov     al, bl
        and     al, 15
        add     al, '0'
        cmp     al, '9'
        jbe     .send
        add     al, 7
.send:  call    send
        loop    .digit
        mov     al, ' '
        call    send
        pop     cx
        ret

print:  lodsb
        test    al, al
        jz      send.end
        call    send
        jmp     print

send:   mov     ah, al
        mov     dx, SERIAL + 5
.wait:  in      al, dx
        test    al, 20h                         ; it takes another byte
        jz      .wait
        mov     al, ah
        mov     dx, SERIAL
        out     dx, al
.end:   ret

ready:  db      "pointer is ready", 10, 0
absent: db      "no pointer", 10, 0

        times   510 - ($ - $$) db 0
        dw      0AA55h
