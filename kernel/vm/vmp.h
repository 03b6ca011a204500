/* SPDX-License-Identifier: MIT
 * Tier 3, vm only. */
#pragma once
#include "mm_caller.h"
#include "mm_section.h"
#include "ob.h"
#include "ps.h"
#include "vm.h"

#ifndef PROCESS_VM_OPERATION /* [WDK Process Security and Access Rights] */
#define PROCESS_VM_OPERATION 0x0008
#define PROCESS_QUERY_INFORMATION 0x0400
#endif

/* The object; constant. */
typedef struct _VM_SECTION {
    PMM_SEGMENT Segment; /* referenced */
    ULONG Protect;       /* PAGE_xxx */
    ULONG Attributes;    /* SEC_xxx */
    ULONG64 Size;        /* bytes; not of an image */
} VM_SECTION;

/* process.c: the process of a handle, referenced, and its address space. Access: PROCESS_VM_xxx, checked for user mode. */
NTSTATUS VmpReferenceProcess(HANDLE Handle, ACCESS_MASK Access, KPROCESSOR_MODE Mode, PEPROCESS *Process);

static inline PMM_ADDRESS_SPACE VmpSpaceOf(PEPROCESS Process)
{
    return Process->Pcb.AddressSpace;
}

/* section.c */
NTSTATUS VmpReferenceSection(HANDLE Handle, ACCESS_MASK Access, KPROCESSOR_MODE Mode, VM_SECTION **Section);
/* Mode: whose memory the attributes are. */
NTSTATUS VmpMakeSection(POBJECT_ATTRIBUTES Attributes, KPROCESSOR_MODE Mode, const VM_SECTION *Template,
                        VM_SECTION **Section);

/* image_section.c: the segment of an image file, referenced. */
NTSTATUS VmpReferenceImage(PFILE_OBJECT File, PMM_SEGMENT *Segment);
/* The view does not lie where the image wants to: relocated for itself. STATUS_IMAGE_NOT_AT_BASE: it is left to who mapped it. */
NTSTATUS VmpRelocateView(PMM_ADDRESS_SPACE Space, PMM_SEGMENT Segment, const MM_VIEW *View);
