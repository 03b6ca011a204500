/* SPDX-License-Identifier: MIT
 * SEC_IMAGE in two processes at different bases, with the kernel's own file, which has relocations in many pages: those pages are each
 * view's own, all others are one page of memory, and every relocated address is the right one. And what becomes of a file's pages when
 * nobody shows them. */
#include "kt.h"
#include "mm_section.h"
#include "ob.h"
#include "ps.h"
#include <ntimage.h>

#define IMAGE_PAGES 1024u
#define IMAGE_TAG 'tImV'
#define IMAGE_DIR64 10 /* [PE Format, base relocation types] the 64 bits at the offset are an address */

/* An image as one process sees it. */
typedef struct _IMAGE_VIEW {
    PEPROCESS Process; /* referenced */
    PUCHAR Base;
    SIZE_T Size;
    ULONG64 Frame[IMAGE_PAGES]; /* physical addresses */
    PUCHAR Bytes;               /* a copy of it all */
} IMAGE_VIEW;

/* SEC_IMAGE, or SEC_COMMIT: the bytes of the file. */
static NTSTATUS ImageOpen(PHANDLE Section, ULONG Kind)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"\\SystemRoot\\System32\\ntoskrnl.exe");
    OBJECT_ATTRIBUTES Attributes;
    IO_STATUS_BLOCK Iosb;
    HANDLE File;

    InitializeObjectAttributes(&Attributes, &Name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, NULL, NULL);
    NTSTATUS Status =
        ZwCreateFile(&File, FILE_READ_DATA | FILE_EXECUTE | SYNCHRONIZE, &Attributes, &Iosb, NULL, 0,
                     FILE_SHARE_READ, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    if (!NT_SUCCESS(Status))
        return Status;
    InitializeObjectAttributes(&Attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    Status = ZwCreateSection(Section, SECTION_ALL_ACCESS, &Attributes, NULL,
                             Kind == SEC_IMAGE ? PAGE_EXECUTE : PAGE_READONLY, Kind, File);
    ZwClose(File);
    return Status;
}

/* Attached to the view's process. */
static NTSTATUS ImageLook(IMAGE_VIEW *View)
{
    __try {
        RtlCopyMemory(View->Bytes, View->Base, View->Size);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    for (SIZE_T I = 0; I < View->Size / PAGE_SIZE; I++)
        View->Frame[I] = (ULONG64)MmGetPhysicalAddress(View->Base + I * PAGE_SIZE).QuadPart;
    return STATUS_SUCCESS;
}

static NTSTATUS ImageMap(IMAGE_VIEW *View, HANDLE Section, ULONG_PTR Base)
{
    KAPC_STATE State;

    View->Base = (PUCHAR)Base;
    KeStackAttachProcess(&View->Process->Pcb, &State);
    NTSTATUS Status = ZwMapViewOfSection(Section, ZwCurrentProcess(), (PVOID *)&View->Base, 0, 0, NULL,
                                         &View->Size, ViewUnmap, 0, PAGE_READONLY);
    if (NT_SUCCESS(Status) && View->Size <= IMAGE_PAGES * PAGE_SIZE && View->Bytes == NULL)
        View->Bytes = ExAllocatePool2(POOL_FLAG_PAGED, View->Size, IMAGE_TAG);
    if (View->Bytes != NULL)
        Status = ImageLook(View);
    KeUnstackDetachProcess(&State);
    return View->Bytes != NULL ? Status : STATUS_NO_MEMORY;
}

/* The oracle: which pages relocations change, by the image's own table. The headers change too: they name the base. FALSE: an address
 * is not what it is in the other view, moved. */
static BOOLEAN ImageRelocations(const IMAGE_VIEW *A, const IMAGE_VIEW *B, BOOLEAN *Changed, ULONG *Count)
{
    const IMAGE_NT_HEADERS64 *Headers = (PVOID)(A->Bytes + ((const IMAGE_DOS_HEADER *)A->Bytes)->e_lfanew);
    const IMAGE_DATA_DIRECTORY *Table =
        &Headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_BASERELOC];
    BOOLEAN Right = TRUE;

    Changed[0] = TRUE;
    for (ULONG At = 0; At < Table->Size;) {
        const IMAGE_BASE_RELOCATION *Block = (PVOID)(A->Bytes + Table->VirtualAddress + At);
        const USHORT *Entry = (PVOID)(Block + 1);
        for (; (PUCHAR)Entry < (PUCHAR)Block + Block->SizeOfBlock; Entry++) {
            ULONG Rva = Block->VirtualAddress + (*Entry & 0xfff);
            if (*Entry >> 12 != IMAGE_DIR64)
                continue;
            Right &= *(UNALIGNED ULONG64 *)(A->Bytes + Rva) - (ULONG_PTR)A->Base ==
                     *(UNALIGNED ULONG64 *)(B->Bytes + Rva) - (ULONG_PTR)B->Base;
            Changed[Rva / PAGE_SIZE] = TRUE;
            ++*Count;
        }
        At += Block->SizeOfBlock;
    }
    return Right;
}

static BOOLEAN ImageCompare(const IMAGE_VIEW *A, const IMAGE_VIEW *B, ULONG *Relocations, ULONG *Own,
                            ULONG *Shared)
{
    static BOOLEAN Changed[IMAGE_PAGES];
    BOOLEAN Right = TRUE;

    RtlZeroMemory(Changed, sizeof(Changed));
    Right &= ImageRelocations(A, B, Changed, Relocations);
    for (SIZE_T I = 0; I < A->Size / PAGE_SIZE; I++) {
        Right &= (A->Frame[I] == B->Frame[I]) == !Changed[I] && A->Frame[I] != 0;
        Right &= Changed[I] ||
                 RtlCompareMemory(A->Bytes + I * PAGE_SIZE, B->Bytes + I * PAGE_SIZE, PAGE_SIZE) == PAGE_SIZE;
        *(Changed[I] ? Own : Shared) += 1;
    }
    return Right;
}

static VOID ImageClose(IMAGE_VIEW *View)
{
    if (View->Bytes != NULL)
        ExFreePoolWithTag(View->Bytes, IMAGE_TAG);
    if (View->Process != NULL)
        ObDereferenceObject(View->Process);
    *View = (IMAGE_VIEW){0};
}

static IMAGE_VIEW ImageViews[2];

KT_TEST(vm_image_is_relocated_for_each_view)
{
    IMAGE_VIEW *A = &ImageViews[0], *B = &ImageViews[1];
    ULONG Relocations = 0, Own = 0, Shared = 0;
    HANDLE Section;
    BOOLEAN Right = FALSE;

    KT_EXPECT(ImageOpen(&Section, SEC_IMAGE) == 0);
    if (PsCreateEmptyProcess(&A->Process) == 0 && PsCreateEmptyProcess(&B->Process) == 0 &&
        ImageMap(A, Section, 0x40000000) == STATUS_SUCCESS &&
        ImageMap(B, Section, 0x7ff512340000) == STATUS_SUCCESS && A->Size == B->Size)
        Right = ImageCompare(A, B, &Relocations, &Own, &Shared);
    ImageClose(A);
    ImageClose(B);
    ZwClose(Section);
    KT_EXPECT(Right);
    KT_EXPECT(Relocations > 500 && Own > 5 && Shared > Own);
}

/* --- pages that nobody shows: they wait on the standby list, and are read again when they were taken from there --- */

static PFN_NUMBER ImageStandby(VOID)
{
    MM_COUNTERS Counters;
    MmQueryCounters(&Counters);
    return Counters.StandbyPages;
}

static NTSTATUS ImageUnmap(IMAGE_VIEW *View)
{
    NTSTATUS Status = MmUnmapView(View->Process->Pcb.AddressSpace, (ULONG_PTR)View->Base);
    View->Size = 0;
    return Status;
}

static BOOLEAN ImageTakeStandby(VOID)
{
    KtTakeStandby();
    return ImageStandby() == 0;
}

/* What was free has other contents now. */
static VOID ImageSpoil(VOID)
{
    static PFN_NUMBER Frames[2 * IMAGE_PAGES];
    ULONG Count = 0;

    while (Count < RTL_NUMBER_OF(Frames) && (Frames[Count] = MmAllocatePhysicalPage(FALSE)) != MM_NO_PAGE)
        RtlFillMemory(MmDirectMap(Frames[Count++] << PAGE_SHIFT), PAGE_SIZE, 0xcc);
    while (Count-- > 0)
        MmFreePhysicalPages(Frames[Count], 1);
}

/* First knows what the view showed. *Back: pages that are where they were. */
static BOOLEAN ImageMapAgain(const IMAGE_VIEW *First, IMAGE_VIEW *Second, HANDLE Section, ULONG *Back)
{
    if (ImageMap(Second, Section, (ULONG_PTR)First->Base) != STATUS_SUCCESS)
        return FALSE;
    *Back = 0;
    for (SIZE_T I = 0; I < Second->Size / PAGE_SIZE; I++)
        *Back += Second->Frame[I] == First->Frame[I];
    return RtlCompareMemory(First->Bytes, Second->Bytes, Second->Size) == Second->Size;
}

static BOOLEAN ImageRest(HANDLE Section, IMAGE_VIEW *First, IMAGE_VIEW *Second)
{
    ULONG Pages, Back;

    if (PsCreateEmptyProcess(&First->Process) != 0 || PsCreateEmptyProcess(&Second->Process) != 0 ||
        ImageMap(First, Section, 0x140000000) != STATUS_SUCCESS)
        return FALSE;
    Pages = (ULONG)(First->Size / PAGE_SIZE);
    BOOLEAN Right = Pages > 50 && ImageStandby() == 0 && ImageUnmap(First) == 0;
    Right &= ImageStandby() == Pages;
    Right &= ImageMapAgain(First, Second, Section, &Back) && Back == Pages && ImageStandby() == 0;
    Right &= ImageTakeStandby(); /* nothing is taken that somebody shows */
    Right &= ImageUnmap(Second) == 0 && ImageStandby() == Pages && ImageTakeStandby();
    ImageSpoil();
    return Right && ImageMapAgain(First, Second, Section, &Back);
}

static BOOLEAN ImageRests(ULONG Kind)
{
    HANDLE Section;

    if (!ImageTakeStandby() || ImageOpen(&Section, Kind) != 0)
        return FALSE;
    BOOLEAN Right = (Kind == SEC_IMAGE || ImageStandby() == 0) && ImageTakeStandby() &&
                    ImageRest(Section, &ImageViews[0], &ImageViews[1]);
    ImageClose(&ImageViews[0]);
    ImageClose(&ImageViews[1]);
    ZwClose(Section);
    return Right && ImageStandby() == 0; /* the segment is gone, and with it its pages */
}

KT_TEST(vm_image_pages_rest_on_the_standby_list)
{
    KT_EXPECT(ImageRests(SEC_IMAGE));
}

KT_TEST(vm_file_pages_rest_on_the_standby_list)
{
    KT_EXPECT(ImageRests(SEC_COMMIT));
}

/* --- views come and go in three processes while memory is taken away --- */

#define IMAGE_WORKERS 3
#define IMAGE_ROUNDS 6

typedef struct _IMAGE_CREW {
    HANDLE Section;
    const IMAGE_VIEW *First; /* what every view must show */
    SIZE_T Size;
    volatile LONG Wrong;
} IMAGE_CREW;

static BOOLEAN ImageSameHere(const IMAGE_CREW *Crew)
{
    PVOID Base = NULL;
    SIZE_T Size = 0;
    BOOLEAN Right = FALSE;

    if (ZwMapViewOfSection(Crew->Section, ZwCurrentProcess(), &Base, 0, 0, NULL, &Size, ViewUnmap, 0,
                           PAGE_READONLY) != STATUS_SUCCESS)
        return FALSE;
    __try {
        Right = RtlCompareMemory(Base, Crew->First->Bytes, Crew->Size) == Crew->Size;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Right = FALSE;
    }
    return ZwUnmapViewOfSection(ZwCurrentProcess(), Base) == STATUS_SUCCESS && Right;
}

static VOID NTAPI ImageWorker(PVOID Context)
{
    IMAGE_CREW *Crew = Context;
    PEPROCESS Process;
    KAPC_STATE State;

    if (PsCreateEmptyProcess(&Process) != STATUS_SUCCESS) {
        InterlockedIncrement(&Crew->Wrong);
        return;
    }
    KeStackAttachProcess(&Process->Pcb, &State);
    for (ULONG I = 0; I < IMAGE_ROUNDS; I++)
        if (!ImageSameHere(Crew))
            InterlockedIncrement(&Crew->Wrong);
    KeUnstackDetachProcess(&State);
    ObDereferenceObject(Process);
}

static BOOLEAN ImageRunCrew(IMAGE_CREW *Crew)
{
    PVOID Threads[IMAGE_WORKERS] = {NULL};
    BOOLEAN Right = TRUE;

    for (ULONG I = 0; I < IMAGE_WORKERS; I++)
        Right &= (Threads[I] = KtStartThread(ImageWorker, Crew)) != NULL;
    for (ULONG I = 0; I < IMAGE_ROUNDS; I++) {
        KtTakeStandby();
        ImageSpoil();
    }
    for (ULONG I = 0; I < IMAGE_WORKERS; I++)
        KtJoinThread(Threads[I]);
    return Right && Crew->Wrong == 0;
}

KT_TEST(vm_file_pages_are_right_while_memory_is_taken)
{
    IMAGE_VIEW *First = &ImageViews[0];
    IMAGE_CREW Crew = {.First = First};
    BOOLEAN Right = FALSE;

    KT_EXPECT(ImageOpen(&Crew.Section, SEC_COMMIT) == 0);
    if (PsCreateEmptyProcess(&First->Process) == 0 &&
        ImageMap(First, Crew.Section, 0x140000000) == STATUS_SUCCESS) {
        Crew.Size = First->Size;
        Right = ImageUnmap(First) == 0 && ImageRunCrew(&Crew);
    }
    ImageClose(First);
    ZwClose(Crew.Section);
    KT_EXPECT(Right);
}
