; A Multiboot program that runs code in v8086 mode: at 2000:0000, with data at 3000:0010. Its INT 40h is not allowed
; there: the monitor gets a general protection fault, steps over it and goes back.
bits 32
section .multiboot
    dd 0x1BADB002, 0, -0x1BADB002

section .text
global _start, monitor_entry
_start:
    cli
    mov esp, stack_top
    mov eax, tss
    mov [gdt.tss + 2], ax
    shr eax, 16
    mov [gdt.tss + 4], al
    mov [gdt.tss + 7], ah
    lgdt [gdt_pointer]
    jmp 8:.flat
.flat:
    mov ax, 16
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov eax, monitor_entry
    mov [idt + 13 * 8], ax
    shr eax, 16
    mov [idt + 13 * 8 + 6], ax
    mov dword [idt + 13 * 8 + 2], 0x8E000008
    lidt [idt_pointer]
    mov ax, 24
    ltr ax
    mov dword [tss + 4], stack_top
    mov dword [tss + 8], 16
    mov esi, code
    mov edi, 0x20000
    mov ecx, code_end - code
    cld
    rep movsb
    mov word [0x30010], 0
    push 0x3000                 ; GS, FS, DS, ES
    push 0x3000
    push 0x3000
    push 0x3000
    push 0x4000                 ; SS:ESP
    push 0xFFF0
    push 0x20002                ; VM
    push 0x2000                 ; CS:EIP
    push 0
    iretd

monitor_entry:
    add dword [esp + 4], 2      ; over the INT
    add esp, 4
    iretd

bits 16
code:
    mov ax, 0x1234              ; 20000
    push ax                     ; 20003
.again:
    inc word [0x10]             ; 20004
    int 0x40                    ; 20008
    jmp .again                  ; 2000A
code_end:

bits 32
section .data
gdt:
    dq 0, 0x00CF9A000000FFFF, 0x00CF92000000FFFF
.tss:
    dq 0x0000890000000067
gdt_pointer:
    dw 31
    dd gdt
idt_pointer:
    dw 14 * 8 - 1
    dd idt

section .bss
idt: resb 14 * 8
tss: resb 104
    resb 4096
stack_top:
