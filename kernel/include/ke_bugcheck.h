/* SPDX-License-Identifier: MIT
 * Tier 2, ke: bug checks that say in words what rule was broken and who broke it. */
#pragma once
#include "ke.h"

/* Not in the headers. */
#define DRIVER_POWER_STATE_FAILURE 0x9Fu
#define DRIVER_VERIFIER_IOMANAGER_VIOLATION 0xC9u
#define PAGE_FAULT_IN_FREED_SPECIAL_POOL 0xCCu
#define PAGE_FAULT_BEYOND_END_OF_ALLOCATION 0xCDu
#define DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL 0xD5u
#define DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION 0xD6u
#define DRIVER_VERIFIER_DMA_VIOLATION 0xE6u
#define KERNEL_AUTO_BOOST_INVALID_LOCK_RELEASE 0x162u
#define KERNEL_AUTO_BOOST_LOCK_ACQUISITION_WITH_RAISED_IRQL 0x192u

/* KeBugCheckEx with a sentence for the log and the report (NULL: none). Culprit is a code address in the driver to blame when the stack
 * cannot tell; NULL: the innermost driver on the stack. Any IRQL. */
DECLSPEC_NORETURN VOID KeBugCheckBlaming(const void *Culprit, ULONG Code, ULONG_PTR P1, ULONG_PTR P2,
                                         ULONG_PTR P3, ULONG_PTR P4, PCSTR Text);

/* First parameters of DRIVER_VERIFIER_DETECTED_VIOLATION for rules that Windows does not watch over (D-008). */
#define KE_RULE_OUTPUT_TOO_LONG 0x4E540001u /* p2 IRP, p3 Information, p4 length of the caller's buffer */
#define KE_RULE_PARTIAL_MDL 0x4E540002u     /* p2 target MDL, p3 address, p4 length: not inside the source */
#define KE_RULE_EX_TIMER 0x4E540003u        /* p2 timer: what ExXxxTimer pages say is a bug check */
#define KE_RULE_REMOVE_LOCK 0x4E540004u     /* p2 lock, p3 tag, p4 its count: the sentence says what */
#define KE_RULE_FILE_SYSTEM 0x4E540006u     /* p2 device: registered as a file system again */
#define KE_RULE_OBJECT 0x4E540010u /* p2 object, p3 its first 8 bytes: it is not of the kind that is needed */
#define KE_RULE_ARGUMENT 0x4E540011u   /* p2 a value that the documentation does not have for an argument */
#define KE_RULE_THREAD_END 0x4E540012u /* p2 routine: ended a thread that is not its own */
#define KE_RULE_AFFINITY                                                                                     \
    0x4E540013u                    /* p2 routine, p3 mask: returned with a system affinity that it had set */
#define KE_RULE_NOTIFY 0x4E540015u /* p2 notify routine: removes itself */
#define KE_RULE_RESOURCE 0x4E540014u /* p2 resource: not initialized, or deleted while it is owned */
#define KE_RULE_IMAGE_SECTION                                                                                \
    0x4E540060u /* p2 what was given as an address or a handle of a section of an image */
#define KE_RULE_LOCKED_MDL 0x4E540070u /* p2 MDL, p3 its flags: freed with its pages locked */
#define KE_RULE_LOOKASIDE                                                                                    \
    0x4E540016u                    /* p2 lookaside list, p3 block, p4 its size: freed with the list in it */
#define KE_RULE_XSTATE 0x4E540020u /* p2 XSTATE_SAVE, p3 thread that saved, p4 its IRQL then */
#define KE_RULE_PUSH_LOCK 0x4E540005u /* p2 lock: acquired with normal kernel APCs enabled */
#define KE_RULE_NO_TIMER 0x4E540030u  /* p2 what was given as a timer, p3 its type byte */
#define KE_RULE_NO_DPC 0x4E540031u    /* p2 what was given as a DPC, p3 its type byte, p4 its routine */
#define KE_RULE_ECP 0x4E540007u       /* p2 what was given as an extra create parameter or a list of them */
#define KE_RULE_CALL_DPC                                                                                     \
    0x4E540032u /* p2 what was given as a system argument, p3 how many were done too often */
#define KE_RULE_PURE_CALL 0x4E540090u /* p2 return address: called a pure virtual function */
