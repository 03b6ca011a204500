/* SPDX-License-Identifier: MIT
 * Sections and views in conformance cases. */
#pragma once
#include "ct_touch.h"

static inline NTSTATUS CtCreateSection(PHANDLE Section, ULONG64 Bytes, ULONG Protect, ULONG Attributes,
                                       HANDLE File)
{
    OBJECT_ATTRIBUTES Object;
    LARGE_INTEGER Size = {.QuadPart = (LONGLONG)Bytes};
    InitializeObjectAttributes(&Object, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    return ZwCreateSection(Section, SECTION_ALL_ACCESS, &Object, Bytes != 0 ? &Size : NULL, Protect,
                           Attributes, File);
}

/* Wherever there is room, to the end of the section. */
static inline NTSTATUS CtMap(HANDLE Section, PUCHAR *Base, SIZE_T *Size, ULONG64 Offset, ULONG Protect)
{
    LARGE_INTEGER At = {.QuadPart = (LONGLONG)Offset};
    *Base = NULL;
    *Size = 0;
    return ZwMapViewOfSection(Section, ZwCurrentProcess(), (PVOID *)Base, 0, 0, &At, Size, ViewUnmap, 0,
                              Protect);
}

static inline NTSTATUS CtUnmap(PVOID Base)
{
    return ZwUnmapViewOfSection(ZwCurrentProcess(), Base);
}
