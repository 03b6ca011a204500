/* SPDX-License-Identifier: MIT
 * Looking up a name: from the root or a root handle through directories; what lies behind another object is its parse
 * procedure's business. STATUS_REPARSE (symbolic links) starts again with a new absolute name, at most 32 times. */
#include "obp.h"
#include "ke.h"

#define OBP_MAX_REPARSES 32

static BOOLEAN ObpStartsWithSeparator(PCUNICODE_STRING Name)
{
    return Name->Length != 0 && Name->Buffer[0] == OBJ_NAME_PATH_SEPARATOR;
}

/* The name ends at Object. Takes over the reference on it. */
static NTSTATUS ObpFound(OBP_LOOKUP *Lookup, PVOID Object)
{
    POBJECT_TYPE Wanted = Lookup->Parse.ObjectType;
    if (Lookup->Insert == NULL && Wanted != NULL && ObTypeOf(Object) != Wanted) {
        ObfDereferenceObject(Object);
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    Lookup->Found = Object;
    return STATUS_SUCCESS;
}

/* The object itself is meant, not what its parse procedure leads to: the name ends here, and the caller wants this type,
 * or (any type, or a new name) anything but a way through a symbolic link. */
static BOOLEAN ObpMeansObject(const OBP_LOOKUP *Lookup, POBJECT_TYPE Type, PCUNICODE_STRING Rest)
{
    if (Rest->Length != 0 || Type->Info.AlwaysParse)
        return FALSE;
    if (Type->Info.Methods.Parse == NULL || Lookup->Parse.ObjectType == Type)
        return TRUE;
    return Type != ObSymbolicLinkObjectType && (Lookup->Insert != NULL || Lookup->Parse.ObjectType == NULL);
}

/* Object is no directory. Takes over the reference on it. */
static NTSTATUS ObpParseObject(OBP_LOOKUP *Lookup, PVOID Object, PCUNICODE_STRING Rest)
{
    POBJECT_TYPE Type = ObTypeOf(Object);
    if (ObpMeansObject(Lookup, Type, Rest))
        return ObpFound(Lookup, Object);
    NTSTATUS Status = STATUS_OBJECT_TYPE_MISMATCH;
    BOOLEAN CannotHold = Lookup->Insert != NULL && Type != ObSymbolicLinkObjectType;
    if (Type->Info.Methods.Parse != NULL && !CannotHold) {
        Lookup->Parse.RemainingName = *Rest;
        Status = Type->Info.Methods.Parse(Object, &Lookup->Parse, &Lookup->Found);
    }
    ObfDereferenceObject(Object);
    return Status;
}

/* [Windows security policy "System objects: Require case insensitivity for non-Windows subsystems"] on by default: directories,
 * links, devices and files are found whatever the case. */
static BOOLEAN ObpIgnoresCase(const OB_PARSE *Parse)
{
    return (Parse->Attributes & OBJ_CASE_INSENSITIVE) || Parse->ObjectType == NULL ||
           Parse->ObjectType->Info.IgnoreCase;
}

/* A new object gets the name of the place. *Next: an entry that has come there meanwhile, or NULL. */
static NTSTATUS ObpInsertAt(OBP_LOOKUP *Lookup, const OBP_PLACE *Place, PVOID *Next)
{
    OBP_NAME *NewName;
    NTSTATUS Status = ObpMakeName(Lookup->Insert, Place->Directory, &Place->Component, &NewName);
    if (!NT_SUCCESS(Status))
        return Status;
    *Next = ObpFindOrInsert(Place->Directory, &Place->Component, Place->Hash, Place->IgnoreCase, NewName);
    Lookup->Inserted = *Next == NULL;
    if (!Lookup->Inserted)
        ObpFreeNameNode(NewName);
    return STATUS_SUCCESS;
}

/* The directory of the place has no such entry. Takes over the reference on it. */
static NTSTATUS ObpMissing(OBP_LOOKUP *Lookup, const OBP_PLACE *Place, PVOID *Next)
{
    BOOLEAN Last = Place->Rest.Length == 0;
    NTSTATUS Status = Last ? STATUS_OBJECT_NAME_NOT_FOUND : STATUS_OBJECT_PATH_NOT_FOUND;
    if (Place->Component.Length == 0)
        Status = STATUS_OBJECT_NAME_INVALID;
    else if (Last && Lookup->Insert != NULL)
        Status = ObpInsertAt(Lookup, Place, Next);
    ObfDereferenceObject(Place->Directory);
    return Status;
}

/* Walks Rest from Object; takes over the reference on it. At a directory Rest has no separator in front. */
static NTSTATUS ObpWalk(OBP_LOOKUP *Lookup, PVOID Object, UNICODE_STRING Rest)
{
    BOOLEAN IgnoreCase = ObpIgnoresCase(&Lookup->Parse);
    while (ObpHeader(Object)->Type == ObDirectoryObjectType && Rest.Length != 0) {
        OBP_PLACE Place = {.Directory = Object, .Rest = Rest, .IgnoreCase = IgnoreCase};
        NTSTATUS Status = STATUS_SUCCESS;
        PVOID Next = ObpDescend(&Place);
        if (Next == NULL)
            Status = ObpMissing(Lookup, &Place, &Next);
        if (Next == NULL)
            return Status;
        Object = Next;
        Rest = Place.Rest;
        if (Rest.Length != 0 && ObpHeader(Object)->Type == ObDirectoryObjectType) { /* "\" and no more */
            ObfDereferenceObject(Object);
            return STATUS_OBJECT_NAME_INVALID;
        }
    }
    if (ObpHeader(Object)->Type == ObDirectoryObjectType)
        return ObpFound(Lookup, Object);
    return ObpParseObject(Lookup, Object, &Rest);
}

static NTSTATUS ObpWalkFromRoot(OBP_LOOKUP *Lookup, UNICODE_STRING Name)
{
    if (!ObpStartsWithSeparator(&Name))
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    ObpSkip(&Name, sizeof(WCHAR));
    ObfReferenceObject(ObpRootDirectory);
    return ObpWalk(Lookup, ObpRootDirectory, Name);
}

static NTSTATUS ObpWalkFromHandle(OBP_LOOKUP *Lookup)
{
    PVOID Root;
    NTSTATUS Status =
        ObReferenceObjectByHandle(Lookup->RootDirectory, 0, NULL, Lookup->Parse.AccessMode, &Root, NULL);
    if (!NT_SUCCESS(Status))
        return Status;
    if (ObpStartsWithSeparator(&Lookup->Name)) {
        ObfDereferenceObject(Root);
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    }
    return ObpWalk(Lookup, Root, Lookup->Name);
}

NTSTATUS ObpLookup(OBP_LOOKUP *Lookup)
{
    Lookup->Inserted = FALSE;
    Lookup->Found = NULL;
    NTSTATUS Status =
        Lookup->RootDirectory != NULL ? ObpWalkFromHandle(Lookup) : ObpWalkFromRoot(Lookup, Lookup->Name);
    for (ULONG Count = 0; Status == STATUS_REPARSE; Count++) {
        UNICODE_STRING Name = Lookup->Parse.NewName;
        RtlZeroMemory(&Lookup->Parse.NewName, sizeof(UNICODE_STRING));
        /* [WDK Object Names] links that lead in a circle end somewhere: NT gives up after 32. */
        Status = Count < OBP_MAX_REPARSES ? ObpWalkFromRoot(Lookup, Name) : STATUS_OBJECT_NAME_NOT_FOUND;
        ObFreeName(&Name);
    }
    return Status;
}

static NTSTATUS ObpLookupByAttributes(OBP_LOOKUP *Lookup, HANDLE Root, PCUNICODE_STRING Name)
{
    static const UNICODE_STRING Empty = {0, 0, NULL};
    NTSTATUS Status = Name != NULL ? ObpCaptureName(&Lookup->Name, Name, Lookup->Parse.AccessMode)
                                   : ObpCaptureName(&Lookup->Name, &Empty, KernelMode);
    if (!NT_SUCCESS(Status))
        return Status;
    Lookup->RootDirectory = Root;
    Status = ObpLookup(Lookup);
    ObFreeName(&Lookup->Name);
    return Status;
}

NTSTATUS ObOpenObjectByName(POBJECT_ATTRIBUTES ObjectAttributes, POBJECT_TYPE ObjectType,
                            KPROCESSOR_MODE AccessMode, ACCESS_MASK DesiredAccess, PVOID ParseContext,
                            PHANDLE Handle)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    OBJECT_ATTRIBUTES Captured;
    SECURITY_QUALITY_OF_SERVICE Quality;
    PSECURITY_QUALITY_OF_SERVICE Given = NULL;
    NTSTATUS Status = ObCaptureAttributes(&Captured, ObjectAttributes, AccessMode);
    if (NT_SUCCESS(Status))
        Status = ObpCaptureQuality(&Quality, &Captured, AccessMode, &Given);
    if (!NT_SUCCESS(Status))
        return Status;
    OBP_LOOKUP Lookup = {.Parse = {.ObjectType = ObjectType,
                                   .AccessMode = AccessMode,
                                   .Attributes = Captured.Attributes,
                                   .DesiredAccess = DesiredAccess,
                                   .Context = ParseContext,
                                   .SecurityQos = Given}};
    Status = ObpLookupByAttributes(&Lookup, Captured.RootDirectory, Captured.ObjectName);
    if (!NT_SUCCESS(Status))
        return Status;
    /* a parse procedure may have found out what MAXIMUM_ALLOWED is */
    Status = ObpOpenHandle(Lookup.Found, AccessMode, Lookup.Parse.DesiredAccess, Captured.Attributes, Handle);
    ObfDereferenceObject(Lookup.Found);
    return Status;
}

NTSTATUS NTAPI ObReferenceObjectByName(PUNICODE_STRING ObjectName, ULONG Attributes,
                                       PACCESS_STATE AccessState, ACCESS_MASK DesiredAccess,
                                       POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                                       PVOID ParseContext, PVOID *Object)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    OBP_LOOKUP Lookup = {.Parse = {.ObjectType = ObjectType,
                                   .AccessMode = AccessMode,
                                   .Attributes = Attributes,
                                   .DesiredAccess = DesiredAccess,
                                   .Context = ParseContext}};
    ACCESS_MASK Granted;
    NTSTATUS Status = ObpLookupByAttributes(&Lookup, NULL, ObjectName);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObpCheckAccess(ObpHeader(Lookup.Found), ObCheckMode(Attributes, AccessMode),
                            Lookup.Parse.DesiredAccess, &Granted);
    if (NT_SUCCESS(Status))
        *Object = Lookup.Found;
    else
        ObfDereferenceObject(Lookup.Found);
    return Status;
}
