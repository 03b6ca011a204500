/* SPDX-License-Identifier: MIT
 * Resources of an image in memory [PE Format, The .rsrc Section]: LdrFindResource_U, LdrAccessResource. A tree of type, name and
 * language; each level is a directory of entries, those with names first. Nothing outside the resource directory is followed. */
#include "image_view.h"

#define SUBDIRECTORY 0x80000000u
#define NAMED 0x80000000u
#define DIRECTORY_HEADER 16u

typedef struct _RTLP_RESOURCES {
    RTLP_IMAGE Image;
    RTLP_DIRECTORY_ENTRY Tree;
} RTLP_RESOURCES;

static BOOLEAN RtlpReadTree(const RTLP_RESOURCES *Resources, ULONG64 Offset, PVOID To, ULONG Length)
{
    if (Offset > Resources->Tree.Size || Length > Resources->Tree.Size - Offset)
        return FALSE;
    return RtlpReadImage(&Resources->Image, Resources->Tree.Rva + Offset, To, Length);
}

/* Names are compared without case; the tree has them in upper case. */
static BOOLEAN RtlpIsNamed(const RTLP_RESOURCES *Resources, ULONG Offset, PCWSTR Name)
{
    USHORT Length;

    if (!RtlpReadTree(Resources, Offset, &Length, sizeof(Length)))
        return FALSE;
    for (ULONG i = 0; i < Length; i++) {
        WCHAR c;
        if (!RtlpReadTree(Resources, Offset + 2ull + 2ull * i, &c, sizeof(c)) || Name[i] == 0 ||
            RtlpUpcase(c) != RtlpUpcase(Name[i]))
            return FALSE;
    }
    return Name[Length] == 0;
}

/* Key: a number up to 65535, or the address of a name. */
static BOOLEAN RtlpIsKey(const RTLP_RESOURCES *Resources, ULONG Id, ULONG_PTR Key)
{
    if (Key <= MAXUSHORT)
        return Id == Key;
    return (Id & NAMED) != 0 && RtlpIsNamed(Resources, Id & ~NAMED, (PCWSTR)Key);
}

/* The entry of the directory at *Offset with that key, or its first one: *Offset becomes its offset field. */
static BOOLEAN RtlpEnterDirectory(const RTLP_RESOURCES *Resources, ULONG_PTR Key, BOOLEAN AnyKey,
                                  ULONG *Offset)
{
    USHORT Counts[2]; /* with names, with numbers */
    ULONG At = *Offset & ~SUBDIRECTORY, Entry[2];

    if ((*Offset & SUBDIRECTORY) == 0 || !RtlpReadTree(Resources, At + 12ull, Counts, sizeof(Counts)))
        return FALSE;
    for (ULONG i = 0; i < (ULONG)Counts[0] + Counts[1]; i++) {
        if (!RtlpReadTree(Resources, At + DIRECTORY_HEADER + 8ull * i, Entry, sizeof(Entry)))
            return FALSE;
        if (AnyKey || RtlpIsKey(Resources, Entry[0], Key)) {
            *Offset = Entry[1];
            return TRUE;
        }
    }
    return FALSE;
}

static NTSTATUS RtlpOpenResources(PVOID Base, RTLP_RESOURCES *Resources)
{
    ULONG Headers;
    NTSTATUS Status = RtlpOpenImage(Base, &Resources->Image, &Headers);

    if (Status != STATUS_SUCCESS)
        return Status;
    return RtlpFindDirectory(&Resources->Image, Headers, 2, &Resources->Tree)
               ? STATUS_SUCCESS
               : STATUS_RESOURCE_DATA_NOT_FOUND;
}

/* ntimage.h, [MSDN FindResourceEx]: Level keys of type, name and language. Language 0, neutral, takes the first that is there. */
NTSTATUS NTAPI LdrFindResource_U(PVOID BaseAddress, PLDR_RESOURCE_INFO ResourceInfo, ULONG Level,
                                 struct _IMAGE_RESOURCE_DATA_ENTRY **ResourceDataEntry)
{
    RTLP_RESOURCES Resources;
    UCHAR Probe[16];
    ULONG Offset = SUBDIRECTORY;

    if (ResourceInfo == NULL || ResourceDataEntry == NULL || Level != 3)
        return STATUS_INVALID_PARAMETER;
    NTSTATUS Status = RtlpOpenResources(BaseAddress, &Resources);
    if (Status != STATUS_SUCCESS)
        return Status;
    if (!RtlpEnterDirectory(&Resources, ResourceInfo->Type, FALSE, &Offset))
        return STATUS_RESOURCE_TYPE_NOT_FOUND;
    if (!RtlpEnterDirectory(&Resources, ResourceInfo->Name, FALSE, &Offset))
        return STATUS_RESOURCE_NAME_NOT_FOUND;
    if (!RtlpEnterDirectory(&Resources, ResourceInfo->Language, ResourceInfo->Language == 0, &Offset))
        return STATUS_RESOURCE_LANG_NOT_FOUND;
    if ((Offset & SUBDIRECTORY) != 0 || !RtlpReadTree(&Resources, Offset, Probe, sizeof(Probe)))
        return STATUS_RESOURCE_DATA_NOT_FOUND;
    *ResourceDataEntry =
        (struct _IMAGE_RESOURCE_DATA_ENTRY *)(Resources.Image.Base + Resources.Tree.Rva + Offset);
    return STATUS_SUCCESS;
}

/* *Resource and *Size may be NULL. The data lies inside the image. */
NTSTATUS NTAPI LdrAccessResource(PVOID BaseAddress, struct _IMAGE_RESOURCE_DATA_ENTRY *ResourceDataEntry,
                                 PVOID *Resource, PULONG Size)
{
    RTLP_RESOURCES Resources;
    RTLP_DIRECTORY_ENTRY Data;
    NTSTATUS Status = RtlpOpenResources(BaseAddress, &Resources);

    if (Status != STATUS_SUCCESS)
        return Status;
    ULONG64 At = (ULONG64)((PUCHAR)ResourceDataEntry - Resources.Image.Base);
    if (!RtlpReadImage(&Resources.Image, At, &Data, sizeof(Data)) || Data.Rva > Resources.Image.Size ||
        Data.Size > Resources.Image.Size - Data.Rva)
        return STATUS_RESOURCE_DATA_NOT_FOUND;
    if (Resource != NULL)
        *Resource = Resources.Image.Base + Data.Rva;
    if (Size != NULL)
        *Size = Data.Size;
    return STATUS_SUCCESS;
}
