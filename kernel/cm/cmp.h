/* SPDX-License-Identifier: MIT
 * Tier 3, cm: hives, keys and key objects inside the kernel. The registry does not change after CmInitSystem, so it has no
 * locks; a key object is constant while it lives. */
#pragma once
#include "cm.h"
#include "ob.h"
#include "cm/hive.h"

#define CMP_TAG_HIVE 'vHmC'
#define CMP_TAG_QUERY 'uQmC'

/* A cell index names a key of one hive; this bit selects the storage, as in NT. */
#define CMP_VOLATILE 0x80000000u

typedef enum _CMP_STORAGE { CmpStable, CmpVolatile, CmpStorages } CMP_STORAGE;

/* A hive and where it hangs in the tree. The keys below the root of the volatile storage (which is never in a file) are
 * subkeys of the stable root too. */
typedef struct _CMP_HIVE {
    HIVE Storage[CmpStorages];
    BOOLEAN HasVolatile;
    struct _CMP_HIVE *MountHive; /* NULL: the master hive, which is \Registry */
    ULONG MountCell;             /* key in MountHive that has HIVE_KEY_EXIT */
} CMP_HIVE;

/* A key that was read. Name is what it is called in the tree: a mounted root takes the name of its mount point. */
typedef struct _CMP_NODE {
    CMP_HIVE *Hive;
    CMP_STORAGE Storage;
    HIVE_KEY Key;
    HIVE_NAME Name;
} CMP_NODE;

/* Body of a key object. */
typedef struct _CMP_KEY {
    CMP_HIVE *Hive;
    ULONG Cell;          /* with CMP_VOLATILE */
    UNICODE_STRING Name; /* absolute: \REGISTRY\MACHINE\SYSTEM\...; ObFreeName */
} CMP_KEY;

extern CMP_HIVE CmpMasterHive, CmpSystemHive;
extern POBJECT_TYPE CmpKeyObjectType;

/* status.c. HiveDamaged cannot happen in a hive that passed HiveCheck; it is STATUS_REGISTRY_CORRUPT. */
NTSTATUS CmpStatus(HIVE_STATUS Status);

/* hive.c: an empty builder that allocates from paged pool, and a hive file that stays in paged pool for good. */
HIVE_BUILDER *CmpCreateBuilder(VOID);
NTSTATUS CmpFinishBuilder(HIVE_BUILDER *Builder, HIVE *Hive); /* destroys the builder */
NTSTATUS CmpReadHiveFile(PCWSTR Path, HIVE *Hive);

/* node.c */
NTSTATUS CmpReadNode(const CMP_KEY *Key, CMP_NODE *Node);
ULONG CmpNodeCell(const CMP_NODE *Node);
HIVE *CmpNodeHive(const CMP_NODE *Node);
ULONG CmpSubKeyCount(const CMP_NODE *Node);
NTSTATUS CmpSubKey(const CMP_NODE *Node, ULONG Index, CMP_NODE *SubKey); /* STATUS_NO_MORE_ENTRIES */
NTSTATUS CmpFindSubKey(const CMP_NODE *Node, PCUNICODE_STRING Name,
                       CMP_NODE *SubKey); /* STATUS_OBJECT_NAME_NOT_FOUND */

/* key_object.c */
VOID CmpInitKeyType(VOID);
NTSTATUS CmpMakeKeyObject(const CMP_NODE *Node, PUNICODE_STRING Name, CMP_KEY **Key); /* takes over Name */

/* parse.c: the type's parse procedure. */
NTSTATUS CmpParseKey(PVOID Object, OB_PARSE *Parse, PVOID *Found);

/* output.c: a caller's buffer that may be too small. Offsets are from its start; what lies beyond its end is dropped. */
typedef struct _CMP_OUTPUT {
    PUCHAR Buffer;
    ULONG Length;
} CMP_OUTPUT;
VOID CmpPut(const CMP_OUTPUT *Output, ULONG Offset, const void *Bytes, ULONG Count);
VOID CmpPutName(const CMP_OUTPUT *Output, ULONG Offset, const HIVE_NAME *Name);
/* [WDK ZwQueryKey, ZwQueryValueKey] Fixed: bytes of the part without names and data; Whole: of all. Sets *ResultLength;
 * STATUS_BUFFER_TOO_SMALL: nothing may be written; STATUS_BUFFER_OVERFLOW: write what fits. */
NTSTATUS CmpOutputStatus(const CMP_OUTPUT *Output, ULONG Fixed, ULONG Whole, PULONG ResultLength);

/* query_key.c: Full: the path for KeyNameInformation, or NULL when that class is not allowed. */
NTSTATUS CmpQueryNode(const CMP_NODE *Node, KEY_INFORMATION_CLASS Class, PCUNICODE_STRING Full,
                      const CMP_OUTPUT *Output, PULONG ResultLength);
