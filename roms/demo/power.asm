; Switching off: by the PIIX4's ACPI registers, else by the BIOS's APM, else by the user.

PIIX4_PM_ID             equ     71138086h
PIIX4_PMBASE            equ     40h
PM1A_CONTROL            equ     4               ; offset from PMBASE
PM1_SLEEP_ENABLE        equ     2000h           ; with sleep type 0: S5 on this chip

        bits    32
power_off:
        mov     esi, power_off_text
        call    serial_print
        mov     ecx, PIIX4_PM_ID
        call    pci_find
        jc      .apm
        mov     al, PIIX4_PMBASE
        call    pci_read
        and     eax, 0FFC0h
        jz      .apm
        lea     edx, [eax + PM1A_CONTROL]
        mov     ax, PM1_SLEEP_ENABLE
        out     dx, ax
.apm:   mov     dword [bios_eax], 5301h         ; connect the real-mode interface
        mov     dword [bios_ebx], 0
        mov     al, 15h
        call    bios_call
        mov     dword [bios_eax], 5307h         ; all devices (1) off (3)
        mov     dword [bios_ebx], 1
        mov     dword [bios_ecx], 3
        mov     al, 15h
        call    bios_call
        mov     dword [bios_eax], 0003h         ; still here: text mode and a word to the user
        mov     al, 10h
        call    bios_call
        mov     ax, 0C1Eh
        mov     bl, 0Fh
        call    console_goto
        mov     esi, power_stays_text
        call    console_print
        cli
.halt:  hlt
        jmp     .halt

power_off_text          db      "REPRISE DEMO POWER OFF", 13, 10, 0
power_stays_text        db      "You can switch off now.", 0
