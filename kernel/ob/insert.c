/* SPDX-License-Identifier: MIT
 * ObInsertObject: an object gets its name and its first handle. The contract stands in ob.h. */
#include "obp.h"
#include "ke.h"

static VOID ObpPrepareInsertLookup(OBP_HEADER *Header, OBP_LOOKUP *Lookup)
{
    RtlZeroMemory(Lookup, sizeof(*Lookup));
    Lookup->RootDirectory = Header->Create->RootDirectory;
    Lookup->Name = Header->Create->Name;
    Lookup->Parse.ObjectType = Header->Type;
    Lookup->Parse.AccessMode = Header->Create->Mode;
    Lookup->Parse.Attributes = Header->Create->Attributes;
    Lookup->Insert = Header;
}

/* Names the object, or finds the one that has the name already (then *Object is that one, referenced). */
static NTSTATUS ObpInsertName(PVOID *Object)
{
    OBP_HEADER *Header = ObpHeader(*Object);
    if (Header->Create == NULL || Header->Create->Name.Length == 0)
        return STATUS_SUCCESS;
    OBP_LOOKUP Lookup;
    ObpPrepareInsertLookup(Header, &Lookup);
    NTSTATUS Status = ObpLookup(&Lookup);
    if (!NT_SUCCESS(Status) || Lookup.Inserted)
        return Status;
    BOOLEAN OpenIf = (Header->Create->Attributes & OBJ_OPENIF) != 0;
    if (OpenIf && ObTypeOf(Lookup.Found) == Header->Type) {
        *Object = Lookup.Found;
        return STATUS_OBJECT_NAME_EXISTS;
    }
    ObfDereferenceObject(Lookup.Found);
    return OpenIf ? STATUS_OBJECT_TYPE_MISMATCH : STATUS_OBJECT_NAME_COLLISION;
}

/* Create: of the new object, NULL when it was made without attributes. */
static NTSTATUS ObpInsertHandle(PVOID Target, ACCESS_MASK DesiredAccess, const OBP_CREATE_INFO *Create,
                                ULONG PointerBias, PHANDLE Handle)
{
    KPROCESSOR_MODE Mode = Create != NULL ? Create->Mode : KernelMode;
    ULONG Attributes = Create != NULL ? Create->Attributes : 0;
    BOOLEAN IsNew =
        Create == NULL || ObpHeader(Target)->Create == Create; /* its creator gets what he asks for */
    NTSTATUS Status = IsNew ? ObpCreateHandle(Target, Mode, DesiredAccess, Attributes, Handle)
                            : ObpOpenHandle(Target, Mode, DesiredAccess, Attributes, Handle);
    for (ULONG I = 0; NT_SUCCESS(Status) && I < PointerBias; I++)
        ObfReferenceObject(Target);
    return Status;
}

NTSTATUS NTAPI ObInsertObject(PVOID Object, PACCESS_STATE AccessState, ACCESS_MASK DesiredAccess,
                              ULONG PointerBias, PVOID *NewObject, PHANDLE Handle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    OBP_HEADER *Header = ObpCheckedHeader(Object);
    PVOID Target = Object;
    /* Counts as a handle until there is one: a close by somebody who found the name must not take the name away. */
    InterlockedIncrement64(&Header->HandleCount);
    NTSTATUS Status = ObpAssignSecurity(Header);
    if (NT_SUCCESS(Status))
        Status = ObpInsertName(&Target);
    NT_CHECK(Handle != NULL || Header->Name == NULL || (Header->Flags & OBP_FLAG_PERMANENT));
    if (NT_SUCCESS(Status) && Handle != NULL) {
        NTSTATUS HandleStatus = ObpInsertHandle(Target, DesiredAccess, Header->Create, PointerBias, Handle);
        if (!NT_SUCCESS(HandleStatus)) {
            ObpRemoveName(Header); /* has one only if it is ours */
            Status = HandleStatus;
        }
    }
    ObpDropHandleCount(Header);
    if (NT_SUCCESS(Status) && NewObject != NULL)
        *NewObject = Target;
    ObpFreeCreateInfo(Header);
    if (Target != Object)
        ObfDereferenceObject(Object); /* lost against the one that OBJ_OPENIF found */
    if (Handle != NULL || !NT_SUCCESS(Status))
        ObfDereferenceObject(Target);
    return Status;
}
