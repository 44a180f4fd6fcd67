; PCI configuration space by mechanism 1.

PCI_ADDRESS             equ     0CF8h
PCI_DATA                equ     0CFCh
PCI_ENABLE              equ     80000000h
PCI_FUNCTIONS           equ     256             ; of bus 0
PCI_CLASS               equ     08h

        bits    32

; EAX = register AL of function EBX (device * 8 + function) of bus 0. EBX and ECX are kept.
pci_read:
        movzx   eax, al
        mov     edx, ebx
        shl     edx, 8
        lea     eax, [eax + edx + PCI_ENABLE]
        mov     edx, PCI_ADDRESS
        out     dx, eax
        mov     edx, PCI_DATA
        in      eax, dx
        ret

; EBX = the function with the identification ECX (device << 16 | vendor); CF set when absent.
pci_find:
        xor     ebx, ebx
.next:  xor     eax, eax
        call    pci_read
        cmp     eax, ecx
        je      .done                           ; CF is clear
        inc     ebx
        cmp     ebx, PCI_FUNCTIONS
        jb      .next
        stc
.done:  ret
