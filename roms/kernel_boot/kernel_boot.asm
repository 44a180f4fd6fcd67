; The option ROM behind -kernel. The BIOS finds it among the ROMs that fw_cfg offers and boots from
; its bootstrap entry vector: the ROM fetches the pieces that the machine has prepared to their
; places by fw_cfg's DMA, and starts the kernel, by the Linux boot protocol in real mode or by
; Multiboot in protected mode. The pieces' places are decided by the machine (kernel_linux.c and
; kernel_multiboot.c).
;
; (Plug and Play BIOS Specification 1.0A, 3: option ROM headers; Documentation/arch/x86/boot.rst of
; Linux; Multiboot Specification 0.6.96; QEMU's fw_cfg specification.)

        bits    16
        org     0

PORT_SELECT             equ     510h
PORT_DATA               equ     511h
PORT_DMA_LOW            equ     518h            ; writing it starts
PORT_SYSTEM_CONTROL     equ     92h

KEY_KERNEL_ADDRESS      equ     07h
KEY_KERNEL_SIZE         equ     08h
KEY_INITRD_ADDRESS      equ     0Ah
KEY_INITRD_SIZE         equ     0Bh
KEY_KERNEL_ENTRY        equ     10h             ; 0: the kernel starts in its real-mode part
KEY_KERNEL_DATA         equ     11h
KEY_INITRD_DATA         equ     12h
KEY_COMMAND_ADDRESS     equ     13h
KEY_COMMAND_SIZE        equ     14h
KEY_COMMAND_DATA        equ     15h
KEY_SETUP_ADDRESS       equ     16h
KEY_SETUP_SIZE          equ     17h
KEY_SETUP_DATA          equ     18h

DMA_ERROR               equ     1
DMA_READ_SELECTED       equ     0Ah             ; select the item in the upper half, and read

STACK_TOP               equ     7C00h           ; nothing is loaded below
; Below the stack's end, in segment 0: the ROM itself cannot be written to.
dma_request             equ     7000h           ; control, length, address; all big-endian
entry                   equ     7010h           ; where the kernel starts: offset, segment

MULTIBOOT_MAGIC         equ     2BADB002h
; Offsets in the Multiboot information.
INFO_MEMORY_LOWER       equ     4
INFO_MEMORY_UPPER       equ     8
INFO_MAP_LENGTH         equ     44              ; comes as the room that there is
INFO_MAP_ADDRESS        equ     48
MAP_ENTRY_BYTES         equ     24              ; with the size field in front
E820_SIGNATURE          equ     534D4150h       ; "SMAP"

CR0_PE                  equ     1

rom_start:
        db      55h, 0AAh
        db      (rom_end - rom_start) / 512
        jmp     short initialise
        db      0                               ; checksum, filled in by the machine (firmware.h)
        times   1Ah - ($ - rom_start) db 0
        dw      expansion_header

expansion_header:
        db      "$PnP"
        db      1                               ; revision
        db      2                               ; length in 16 bytes
        dw      0                               ; no further header
        db      0
        db      0                               ; checksum, unused
        dd      0                               ; no device
        dw      0                               ; manufacturer: none
        dw      product_name
        db      2, 0, 0                         ; type: a mass storage device
        db      14h                             ; not shareable, initial program load device
        dw      0, 0                            ; no boot connection, no disconnection
        dw      boot
        dw      0, 0

product_name:
        db      "Kernel of the command line", 0

; Called once by the BIOS. The answer: there is something to boot from.
initialise:
        mov     ax, 20h
        retf

boot:
        cli
        cld
        ; After RESET all exceptions of the FPU are unmasked. A PC's BIOS leaves it initialised, and
        ; kernels rely upon that; SeaBIOS leaves it alone.
        fninit
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, STACK_TOP
        sti
        in      al, PORT_SYSTEM_CONTROL         ; addresses above 1 MB are wanted
        or      al, 2
        and     al, 0FEh                        ; bit 0 resets the processor
        out     PORT_SYSTEM_CONTROL, al
        mov     si, pieces
.next_piece:
        call    fetch_piece
        add     si, 3
        cmp     si, pieces_end
        jb      .next_piece
        mov     bl, KEY_KERNEL_ENTRY
        call    read_number
        test    eax, eax
        jnz     start_multiboot

; The kernel's real-mode part begins with a boot sector, which is passed over. Its segment is in all
; segment registers, its stack ends below the command line.
start_linux:
        mov     bl, KEY_SETUP_ADDRESS
        call    read_number
        mov     edi, eax
        mov     bl, KEY_COMMAND_ADDRESS
        call    read_number
        sub     eax, edi
        sub     eax, 10h
        and     al, 0FCh
        mov     ecx, eax
        shr     edi, 4
        lea     ax, [di + 20h]
        cli
        mov     word [entry], 0
        mov     [entry + 2], ax
        mov     ss, di
        mov     esp, ecx
        mov     es, di
        mov     fs, di
        mov     gs, di
        ; The jump's operand lies in segment 0, which DS must leave: so by way of the new stack.
        push    word [entry + 2]
        push    word [entry]
        mov     ds, di
        xor     eax, eax
        xor     ebx, ebx
        xor     ecx, ecx
        xor     edx, edx
        xor     esi, esi
        xor     edi, edi
        xor     ebp, ebp
        retf

; EAX: the entry. The information lies anywhere below 640 KB, at a multiple of 16.
start_multiboot:
        push    eax
        mov     bl, KEY_SETUP_ADDRESS
        call    read_number
        push    eax
        shr     eax, 4
        mov     ds, ax
        mov     es, ax
        call    fill_memory_map
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        pop     ebx
        pop     ecx
        cli
        ; The descriptors are found by their linear address.
        xor     eax, eax
        mov     ax, cs
        shl     eax, 4
        add     eax, descriptors
        mov     [entry + 2], eax
        mov     word [entry], descriptors_end - descriptors - 1
        lgdt    [entry]
        sub     eax, descriptors                ; linear address of this ROM
        add     eax, protected
        mov     [entry + 8], eax
        mov     word [entry + 12], 08h
        mov     eax, cr0
        or      al, CR0_PE
        mov     cr0, eax
        jmp     dword far [entry + 8]

        bits    32
protected:
        mov     eax, 10h
        mov     ds, eax
        mov     es, eax
        mov     fs, eax
        mov     gs, eax
        mov     ss, eax
        mov     esp, STACK_TOP
        mov     eax, MULTIBOOT_MAGIC
        jmp     ecx

        bits    16
; Asks the BIOS for its memory map and enters it in the Multiboot information at DS:0 (ES = DS). The
; entries' room ends where its length says.
fill_memory_map:
        int     12h                             ; KB below 640K
        movzx   eax, ax
        mov     [INFO_MEMORY_LOWER], eax
        mov     dword [INFO_MEMORY_UPPER], 0
        mov     ax, ds
        shl     ax, 4
        mov     di, [INFO_MAP_ADDRESS]
        sub     di, ax                          ; as an offset
        push    di
        mov     bp, di
        add     bp, [INFO_MAP_LENGTH]
        xor     ebx, ebx
.next:  lea     ax, [di + MAP_ENTRY_BYTES]
        cmp     ax, bp
        ja      .done
        mov     dword [di], MAP_ENTRY_BYTES - 4
        add     di, 4
        mov     eax, 0E820h
        mov     ecx, MAP_ENTRY_BYTES - 4
        mov     edx, E820_SIGNATURE
        push    bp
        int     15h
        pop     bp
        lea     di, [di - 4]                    ; the flags stay
        jc      .done
        cmp     eax, E820_SIGNATURE
        jne     .done
        cmp     dword [di + 4], 100000h         ; memory from 1 MB to the first hole
        jne     .taken
        cmp     dword [di + 20], 1
        jne     .taken
        mov     eax, [di + 12]
        shr     eax, 10
        mov     [INFO_MEMORY_UPPER], eax
.taken: add     di, MAP_ENTRY_BYTES
        test    ebx, ebx
        jnz     .next
.done:  pop     ax
        sub     di, ax
        movzx   edi, di
        mov     [INFO_MAP_LENGTH], edi
        ret

; Fetches the piece whose keys (address, size, data) CS:SI points to. One of size 0 is none.
fetch_piece:
        mov     bl, [cs:si + 1]
        call    read_number
        test    eax, eax
        jz      .done
        call    swap_bytes
        mov     [dma_request + 4], eax
        mov     bl, [cs:si]
        call    read_number
        call    swap_bytes
        mov     [dma_request + 12], eax
        mov     dword [dma_request + 8], 0
        movzx   eax, byte [cs:si + 2]
        shl     eax, 16
        mov     al, DMA_READ_SELECTED
        call    swap_bytes
        mov     [dma_request], eax
        mov     eax, dma_request
        call    swap_bytes
        mov     dx, PORT_DMA_LOW
        out     dx, eax
.wait:  mov     eax, [dma_request]
        call    swap_bytes
        test    eax, eax
        jz      .done
        test    al, DMA_ERROR
        jz      .wait
        jmp     fail
.done:  ret

; EAX = the number of item BL.
read_number:
        mov     dx, PORT_SELECT
        movzx   ax, bl
        out     dx, ax
        mov     dx, PORT_DATA
        mov     cx, 4
.next:  in      al, dx
        ror     eax, 8
        loop    .next
        ret

; EAX with its bytes turned round (BSWAP is not on a 386).
swap_bytes:
        xchg    al, ah
        rol     eax, 16
        xchg    al, ah
        ret

fail:
        mov     si, fail_text
.next:  mov     al, [cs:si]
        inc     si
        test    al, al
        jz      .stop
        mov     ah, 0Eh
        mov     bx, 7
        push    si
        int     10h
        pop     si
        jmp     .next
.stop:  hlt
        jmp     .stop

fail_text:
        db      "The kernel could not be fetched from fw_cfg.", 13, 10, 0

; Address, size, data.
pieces:
        db      KEY_KERNEL_ADDRESS, KEY_KERNEL_SIZE, KEY_KERNEL_DATA
        db      KEY_INITRD_ADDRESS, KEY_INITRD_SIZE, KEY_INITRD_DATA
        db      KEY_COMMAND_ADDRESS, KEY_COMMAND_SIZE, KEY_COMMAND_DATA
        db      KEY_SETUP_ADDRESS, KEY_SETUP_SIZE, KEY_SETUP_DATA
pieces_end:

        align   8, db 0
descriptors:
        dq      0
        dq      00CF9B000000FFFFh               ; code, 4 GB, 32-bit, accessed
        dq      00CF93000000FFFFh               ; data, 4 GB
descriptors_end:

        align   512, db 0
rom_end:
