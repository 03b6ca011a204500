/* SPDX-License-Identifier: MIT
 * What must be said before the mingw-w64 driver headers are read. */
#ifndef NTBOX_BEFORE_H
#define NTBOX_BEFORE_H

/* clang 19 warns in its own <mm3dnow.h>, which intrin.h includes; no driver uses 3DNow!. */
#ifndef _MM3DNOW_H_INCLUDED
#define _MM3DNOW_H_INCLUDED
#endif

/* intrin-impl.h would emit these as strong functions into every object, and two objects would not link. */
#ifndef __INTRINSIC_DEFINED_InterlockedBitTestAndSet
#define __INTRINSIC_DEFINED_InterlockedBitTestAndSet
#endif
#ifndef __INTRINSIC_DEFINED_InterlockedBitTestAndReset
#define __INTRINSIC_DEFINED_InterlockedBitTestAndReset
#endif
#ifndef __INTRINSIC_DEFINED___cpuidex
#define __INTRINSIC_DEFINED___cpuidex
#endif

/* The headers declare these with one level of indirection too many (POBJECT_TYPE * with dllimport): the
 * exported variable is a POBJECT_TYPE, and drivers write *PsThreadType. They get other names here;
 * ntbox/after.h redeclares. */
#define CmKeyObjectType NtboxHidden_CmKeyObjectType
#define ExEventObjectType NtboxHidden_ExEventObjectType
#define ExSemaphoreObjectType NtboxHidden_ExSemaphoreObjectType
#define IoFileObjectType NtboxHidden_IoFileObjectType
#define PsThreadType NtboxHidden_PsThreadType
#define PsProcessType NtboxHidden_PsProcessType
#define SeTokenObjectType NtboxHidden_SeTokenObjectType

#include "ntbox/dma_before.h"

/* string.h: memcpy_s is the kernel's own export, here as there. */
#ifndef _SECIMP
#define _SECIMP
#endif
#endif
