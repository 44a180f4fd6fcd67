; Copying on a hard disk by the bus master of the PIIX: READ and WRITE DMA, with an interrupt at the
; end of each transfer, for which the processor halts.

%define BENCHMARK_NAME "ide_dma"
%include "bench32.inc"
%include "ide.inc"

ROUNDS                  equ     REPETITIONS(1000)
READ_DMA                equ     0C8h
WRITE_DMA               equ     0CAh
PCI_ADDRESS             equ     0CF8h
PCI_DATA                equ     0CFCh
PCI_IDE                 equ     80000900h       ; bus 0, device 1, function 1
PCI_COMMAND             equ     4
PCI_BUS_MASTER_PORTS    equ     20h
PCI_CAN_MASTER          equ     5               ; and ports enabled
; Offsets of the bus master's ports (82371SB data sheet 2.7).
MASTER_COMMAND          equ     0
MASTER_STATUS           equ     2
MASTER_TABLE            equ     4
MASTER_START            equ     1
MASTER_TO_MEMORY        equ     8
MASTER_INTERRUPT        equ     4
MASTER_CLEAR            equ     6
TRANSFER_LAST           equ     80000000h
IDE_IRQ                 equ     14

benchmark:
        call    find_bus_master
        mov     dword [irq_handlers + IDE_IRQ * 4], disk_interrupt
        in      al, PIC1_DATA
        and     al, ~4                          ; the second controller
        out     PIC1_DATA, al
        mov     al, ~(1 << (IDE_IRQ - 8)) & 0FFh
        out     PIC2_DATA, al
        mov     edx, IDE_CONTROL
        xor     eax, eax
        out     dx, al
        call    ide_fill_disk
        xor     esi, esi                        ; checksum
        mov     dword [rounds_left], ROUNDS
        xor     ebp, ebp
.round: call    ide_copy
        xor     ebp, IDE_TARGET
        dec     dword [rounds_left]
        jnz     .round
        mov     eax, esi
        ret

find_bus_master:
        mov     edx, PCI_ADDRESS
        mov     eax, PCI_IDE + PCI_BUS_MASTER_PORTS
        out     dx, eax
        mov     edx, PCI_DATA
        in      eax, dx
        and     eax, 0FFF0h
        mov     [bus_master], eax
        mov     edx, PCI_ADDRESS
        mov     eax, PCI_IDE + PCI_COMMAND
        out     dx, eax
        mov     edx, PCI_DATA
        mov     ax, PCI_CAN_MASTER
        out     dx, ax
        mov     dword [transfer_table], IDE_BUFFER
        mov     dword [transfer_table + 4], (IDE_AT_ONCE * SECTOR_SIZE) & 0FFFFh | TRANSFER_LAST
        ret

ide_read_buffer:
        mov     bx, IDE_AT_ONCE << 8 | READ_DMA
        mov     ah, MASTER_TO_MEMORY
        jmp     transfer

ide_write_buffer:
        mov     bx, IDE_AT_ONCE << 8 | WRITE_DMA
        xor     ah, ah

; Transfers the buffer by command BL from or to sector ECX on. In: AH = the direction.
transfer:
        push    ecx
        push    eax
        mov     edx, [bus_master]
        add     edx, MASTER_TABLE
        mov     eax, transfer_table
        out     dx, eax
        sub     edx, MASTER_TABLE - MASTER_STATUS
        mov     al, MASTER_CLEAR
        out     dx, al
        mov     dword [transfer_done], 0
        call    ide_command
        pop     eax
        mov     edx, [bus_master]
        mov     al, ah
        or      al, MASTER_START
        out     dx, al
.wait:  cli
        cmp     dword [transfer_done], 0
        jne     .done
        sti
        hlt
        jmp     .wait
.done:  sti
        mov     edx, [bus_master]
        xor     eax, eax
        out     dx, al
        pop     ecx
        ret

; EBX must be kept.
disk_interrupt:
        mov     edx, [bus_master]
        add     edx, MASTER_STATUS
        in      al, dx
        test    al, MASTER_INTERRUPT
        jz      .done
        mov     al, MASTER_CLEAR
        out     dx, al
        mov     edx, IDE_COMMAND
        in      al, dx
        mov     dword [transfer_done], 1
.done:  ret

        NEW_PAGE
transfer_table          dd      0, 0
bus_master              dd      0
transfer_done           dd      0
rounds_left             dd      0

%include "image_end.inc"
