/* SPDX-License-Identifier: MIT
 * Object types. The type of types is made by hand, every other by ObCreateObjectType; each type is itself an object in
 * \ObjectTypes and lives for ever. */
#include "obp.h"
#include "ke.h"

POBJECT_TYPE ObpTypeObjectType;
static LIST_ENTRY ObpTypeList; /* start-up only, one thread */
static ULONG ObpTypeCount;     /* start-up only */

static const OB_TYPE_INFO ObpTypeTypeInfo = {
    .Name = L"Type",
    .PoolTag = 'pTbO',
    .Mapping = {STANDARD_RIGHTS_READ, STANDARD_RIGHTS_WRITE, STANDARD_RIGHTS_EXECUTE,
                STANDARD_RIGHTS_REQUIRED | 1},
    .ValidAccess = STANDARD_RIGHTS_REQUIRED | 1,
    .WaitOffset = OB_NOT_WAITABLE,
};

static VOID ObpFillType(POBJECT_TYPE Type, const OB_TYPE_INFO *Info)
{
    Type->Info = *Info;
    RtlInitUnicodeString(&Type->Name, Info->Name);
    Type->Index = ++ObpTypeCount + 1;
    InsertTailList(&ObpTypeList, &Type->TypeList);
}

/* The one object that ObCreateObject cannot make, because it is its own type. */
VOID ObpInitTypeType(VOID)
{
    InitializeListHead(&ObpTypeList);
    OBP_HEADER *Header = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(OBP_HEADER) + sizeof(OBJECT_TYPE),
                                         ObpTypeTypeInfo.PoolTag);
    if (Header == NULL)
        KeBugCheckEx(OBJECT_INITIALIZATION_FAILED, (ULONG_PTR)STATUS_INSUFFICIENT_RESOURCES, 1, 0, 0);
    POBJECT_TYPE Type = ObpBody(Header);
    Header->PointerCount = 1;
    Header->Type = Type;
    Header->Flags = OBP_FLAG_PERMANENT;
    Header->Check = OBP_HEADER_CHECK;
    Type->ObjectCount = 1;
    ObpFillType(Type, &ObpTypeTypeInfo);
    ObpTypeObjectType = Type;
}

static NTSTATUS ObpMakeTypeName(POBJECT_TYPE Type, OBP_DIRECTORY *Directory)
{
    OBP_NAME *Name;
    NTSTATUS Status = ObpMakeName(ObpHeader(Type), Directory, &Type->Name, &Name);
    if (!NT_SUCCESS(Status))
        return Status;
    PVOID Found = ObpFindOrInsert(Directory, &Type->Name, Name->Hash, FALSE, Name);
    if (Found == NULL)
        return STATUS_SUCCESS;
    ObfDereferenceObject(Found);
    ObpFreeNameNode(Name);
    return STATUS_OBJECT_NAME_COLLISION;
}

NTSTATUS ObpInsertTypeName(POBJECT_TYPE Type)
{
    UNICODE_STRING Path = RTL_CONSTANT_STRING(L"\\ObjectTypes");
    PVOID Directory;
    NTSTATUS Status =
        ObReferenceObjectByName(&Path, 0, NULL, 0, ObDirectoryObjectType, KernelMode, NULL, &Directory);
    if (!NT_SUCCESS(Status))
        return Status;
    Status = ObpMakeTypeName(Type, Directory);
    ObfDereferenceObject(Directory);
    return Status;
}

/* The types Type and Directory are made before the root directory exists: ObInitSystem names them later. */
NTSTATUS ObCreateObjectType(const OB_TYPE_INFO *Info, POBJECT_TYPE *NewType)
{
    KI_REQUIRE_IRQL(PASSIVE_LEVEL);
    OBJECT_ATTRIBUTES Permanent;
    InitializeObjectAttributes(&Permanent, NULL, OBJ_PERMANENT, NULL, NULL);
    POBJECT_TYPE Type;
    NTSTATUS Status = ObCreateObject(KernelMode, ObpTypeObjectType, &Permanent, KernelMode, NULL,
                                     sizeof(*Type), 0, 0, (PVOID *)&Type);
    if (!NT_SUCCESS(Status))
        return Status;
    ObpFreeCreateInfo(ObpHeader(Type));
    ObpFillType(Type, Info);
    *NewType = Type;
    return ObpRootDirectory != NULL ? ObpInsertTypeName(Type) : STATUS_SUCCESS;
}

PCUNICODE_STRING ObTypeName(POBJECT_TYPE Type)
{
    return &Type->Name;
}

LONG64 ObCountObjects(POBJECT_TYPE Type)
{
    return Type->ObjectCount;
}

ULONG ObTypeIndex(const void *Object)
{
    return ObTypeOf(Object)->Index;
}

/* [published by Windows' exports] any IRQL. */
POBJECT_TYPE NTAPI ObGetObjectType(PVOID Object)
{
    return ObTypeOf(Object);
}
