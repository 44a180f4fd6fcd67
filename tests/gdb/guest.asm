; A Multiboot program for debuggers: counts, calls, and lets a routine overwrite a variable that is
; none of its own. Then it loads an empty IDT and divides by zero: a triple fault.
bits 32
section .multiboot
    dd 0x1BADB002, 0, -0x1BADB002

section .text
global _start, count_up, corrupt, crash, done
_start:
    cli
    mov esp, stack_top
    lgdt [gdt_pointer]
    jmp 8:.flat
.flat:
    mov ax, 16
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov ecx, 100000
.loop:
    call count_up
    loop .loop
    mov edi, array
    call corrupt
done:
    mov eax, [victim]
    cmp eax, 1234
    je done
    lidt [no_idt]
    xor ebx, ebx
crash:
    div ebx                     ; #DE, #GP in its delivery, a double fault: no way out
    jmp $

count_up:
    inc dword [counter]
    ret

; Fills four words of an array that has three.
corrupt:
    mov ecx, 4
    mov eax, 0xBAD
    cld
.next:
    stosd
    loop .next
    ret

section .data
global counter, array, victim
gdt:
    dq 0, 0x00CF9A000000FFFF, 0x00CF92000000FFFF
gdt_pointer:
    dw 23
    dd gdt
no_idt:
    dw 0
    dd 0
counter: dd 0
array:   dd 0, 0, 0
victim:  dd 1234

section .bss
    resb 4096
stack_top:
