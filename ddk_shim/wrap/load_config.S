/* SPDX-License-Identifier: MIT
 * IMAGE_LOAD_CONFIG_DIRECTORY64 of a driver of the MSVC flavour
 * and the guard pointers. They point to routines that let every call through, the state in which a kernel without CFG leaves them. */
    .text
    .def    _guard_check_icall_nop; .scl 3; .type 32; .endef
_guard_check_icall_nop:
    retq
    .def    _guard_dispatch_icall_nop; .scl 3; .type 32; .endef
_guard_dispatch_icall_nop:
    jmpq    *%rax                       /* the target of a guarded call travels in RAX */

    .section .00cfg,"dr"
    .globl  __guard_check_icall_fptr
    .globl  __guard_dispatch_icall_fptr
    .p2align 3
__guard_check_icall_fptr:
    .quad   _guard_check_icall_nop
__guard_dispatch_icall_fptr:
    .quad   _guard_dispatch_icall_nop

    .section .rdata,"dr"
    .globl  _load_config_used
    .p2align 3
_load_config_used:
    .long   0x118                       /* 0x00 Size: up to GuardEHContinuationCount */
    .long   0                           /* 0x04 TimeDateStamp */
    .long   0                           /* 0x08 versions */
    .long   0, 0                        /* 0x0C global flags clear, set */
    .long   0                           /* 0x14 CriticalSectionDefaultTimeout */
    .quad   0, 0, 0, 0, 0, 0            /* 0x18 heap, lock prefix, memory, affinity */
    .long   0                           /* 0x48 ProcessHeapFlags */
    .short  0, 0                        /* 0x4C CSDVersion, DependentLoadFlags */
    .quad   0                           /* 0x50 EditList */
    .quad   __security_cookie           /* 0x58 SecurityCookie */
    .quad   0, 0                        /* 0x60 SEHandlerTable, count (x86 only) */
    .quad   __guard_check_icall_fptr    /* 0x70 GuardCFCheckFunctionPointer */
    .quad   __guard_dispatch_icall_fptr /* 0x78 GuardCFDispatchFunctionPointer */
    .quad   __guard_fids_table          /* 0x80 GuardCFFunctionTable */
    .quad   __guard_fids_count          /* 0x88 GuardCFFunctionCount */
    .long   __guard_flags               /* 0x90 GuardFlags */
    .long   0, 0, 0                     /* 0x94 CodeIntegrity */
    .quad   __guard_iat_table           /* 0xA0 GuardAddressTakenIatEntryTable */
    .quad   __guard_iat_count           /* 0xA8 and count */
    .quad   __guard_longjmp_table       /* 0xB0 GuardLongJumpTargetTable */
    .quad   __guard_longjmp_count       /* 0xB8 and count */
    .quad   0, 0, 0, 0                  /* 0xC0 dynamic relocations, CHPE, return flow guard */
    .long   0, 0                        /* 0xE0 DynamicValueRelocTableOffset, section */
    .quad   0                           /* 0xE8 GuardRFVerifyStackPointerFunctionPointer */
    .long   0, 0                        /* 0xF0 HotPatchTableOffset */
    .quad   0, 0                        /* 0xF8 enclave, volatile metadata */
    .quad   __guard_eh_cont_table       /* 0x108 GuardEHContinuationTable */
    .quad   __guard_eh_cont_count       /* 0x110 and count */
