; SPDX-License-Identifier: MIT
; The floor of every boot measurement: a PVH image that does nothing but leave QEMU through isa-debug-exit (status 0x21).
; What this takes is QEMU's own start; `qemu-system-x86_64 -kernel floor -device isa-debug-exit,iobase=0xf4,iosize=4`.

section .note.pvh note alloc noexec nowrite align=4
    dd 4, 4, 18                 ; name size, contents size, XEN_ELFNOTE_PHYS32_ENTRY
    db "Xen", 0
    dd start

section .text
bits 32
global start
start:
    mov al, 0x10
    out 0xf4, al
.halt:
    cli
    hlt
    jmp .halt
