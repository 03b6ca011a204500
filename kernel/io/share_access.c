/* SPDX-License-Identifier: MIT
 * Share access: who has a file open for what, and lets others do what. [WDK IoCheckShareAccess, IoSetShareAccess] The caller serialises
 * all calls for one SHARE_ACCESS. */
#include "iop.h"

/* What an open wants, as the file object's fields say it. */
static VOID IopSetFileAccess(PFILE_OBJECT File, ACCESS_MASK Desired, ULONG Share)
{
    File->ReadAccess = (Desired & (FILE_EXECUTE | FILE_READ_DATA)) != 0;
    File->WriteAccess = (Desired & (FILE_WRITE_DATA | FILE_APPEND_DATA)) != 0;
    File->DeleteAccess = (Desired & DELETE) != 0;
    BOOLEAN Counts = File->ReadAccess || File->WriteAccess || File->DeleteAccess;
    File->SharedRead = Counts && (Share & FILE_SHARE_READ);
    File->SharedWrite = Counts && (Share & FILE_SHARE_WRITE);
    File->SharedDelete = Counts && (Share & FILE_SHARE_DELETE);
}

/* An open for attributes only is not counted. */
static BOOLEAN IopFileCounts(PFILE_OBJECT File)
{
    return File->ReadAccess || File->WriteAccess || File->DeleteAccess;
}

static VOID IopCountFile(PFILE_OBJECT File, PSHARE_ACCESS ShareAccess, LONG By)
{
    if (!IopFileCounts(File))
        return;
    ShareAccess->OpenCount += By;
    ShareAccess->Readers += File->ReadAccess ? By : 0;
    ShareAccess->Writers += File->WriteAccess ? By : 0;
    ShareAccess->Deleters += File->DeleteAccess ? By : 0;
    ShareAccess->SharedRead += File->SharedRead ? By : 0;
    ShareAccess->SharedWrite += File->SharedWrite ? By : 0;
    ShareAccess->SharedDelete += File->SharedDelete ? By : 0;
}

/* All who have it open share what this one wants, and it shares what they do. */
static BOOLEAN IopCanShare(PFILE_OBJECT File, const SHARE_ACCESS *Access)
{
    ULONG Open = Access->OpenCount;
    if (!IopFileCounts(File))
        return TRUE;
    return !(File->ReadAccess && Access->SharedRead < Open) &&
           !(File->WriteAccess && Access->SharedWrite < Open) &&
           !(File->DeleteAccess && Access->SharedDelete < Open) &&
           !(Access->Readers != 0 && !File->SharedRead) && !(Access->Writers != 0 && !File->SharedWrite) &&
           !(Access->Deleters != 0 && !File->SharedDelete);
}

/* [WDK IoCheckShareAccess] STATUS_SHARING_VIOLATION. Update: counted when it is allowed. */
NTSTATUS NTAPI IoCheckShareAccess(ACCESS_MASK DesiredAccess, ULONG DesiredShareAccess,
                                  PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess, BOOLEAN Update)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IopSetFileAccess(FileObject, DesiredAccess, DesiredShareAccess);
    if (!IopCanShare(FileObject, ShareAccess))
        return STATUS_SHARING_VIOLATION;
    if (Update)
        IopCountFile(FileObject, ShareAccess, 1);
    return STATUS_SUCCESS;
}

/* [WDK IoSetShareAccess] the first open. */
VOID NTAPI IoSetShareAccess(ACCESS_MASK DesiredAccess, ULONG DesiredShareAccess, PFILE_OBJECT FileObject,
                            PSHARE_ACCESS ShareAccess)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    RtlZeroMemory(ShareAccess, sizeof(*ShareAccess));
    IopSetFileAccess(FileObject, DesiredAccess, DesiredShareAccess);
    IopCountFile(FileObject, ShareAccess, 1);
}

/* [WDK IoUpdateShareAccess] after IoCheckShareAccess without Update. */
VOID NTAPI IoUpdateShareAccess(PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IopCountFile(FileObject, ShareAccess, 1);
}

/* [WDK IoRemoveShareAccess] the file's last handle is gone. */
VOID NTAPI IoRemoveShareAccess(PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    IopCountFile(FileObject, ShareAccess, -1);
}

/* [WDK IoGetFileObjectGenericMapping] */
PGENERIC_MAPPING NTAPI IoGetFileObjectGenericMapping(VOID)
{
    static GENERIC_MAPPING Mapping = {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE,
                                      FILE_ALL_ACCESS};
    return &Mapping;
}
