/* SPDX-License-Identifier: MIT
 * kernel/io/bootfs/index.c under ASan and UBSan: the tree that is made from boot.cpio, look-ups in it, and
 * archives that it refuses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/bootfs/index.h"

typedef struct ARCHIVE {
    uint8_t Bytes[8192];
    uint64_t Length;
} ARCHIVE;

static void Put(ARCHIVE *Archive, const void *Bytes, size_t Length)
{
    memcpy(Archive->Bytes + Archive->Length, Bytes, Length);
    Archive->Length = (Archive->Length + Length + 3) & ~3ull;
}

static void Add(ARCHIVE *Archive, const char *Name, uint32_t Mode, const char *Data)
{
    char Header[512];
    int Length = snprintf(
        Header, sizeof(Header), "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s", 1u, Mode, 0u,
        0u, 1u, 77u, (unsigned)strlen(Data), 0u, 0u, 0u, 0u, (unsigned)strlen(Name) + 1, 0u, Name);
    Put(Archive, Header, (size_t)Length + 1);
    Put(Archive, Data, strlen(Data));
}

typedef struct TREE {
    BOOTFS_INDEX Index;
    void *Memory;
    CPIO_ERROR Error;
} TREE;

static bool Mount(TREE *Tree, const ARCHIVE *Archive)
{
    memset(Tree, 0, sizeof(*Tree));
    uint64_t Size = BootfsMeasure(Archive->Bytes, Archive->Length, &Tree->Index, &Tree->Error);
    if (Size == 0)
        return false;
    Tree->Memory = calloc(1, Size); /* exactly: ASan sees one byte more */
    assert_non_null(Tree->Memory);
    return BootfsBuild(&Tree->Index, Tree->Memory, Archive->Bytes, Archive->Length, &Tree->Error);
}

static BOOTFS_FOUND Find(const TREE *Tree, uint32_t Start, const char *Path, uint32_t *Node)
{
    uint16_t Text[256];
    uint32_t Length = 0;
    while (Path[Length]) {
        Text[Length] = (uint8_t)Path[Length];
        Length++;
    }
    uint32_t Used;
    return BootfsFind(&Tree->Index, Start, Text, Length, BOOTFS_NONE, Node, &Used);
}

#define FOLDER (CPIO_MODE_DIRECTORY | 0755u)
#define PLAIN (CPIO_MODE_FILE | 0644u)
#define SYMLINK 0120777u

static void Sample(ARCHIVE *Archive)
{
    memset(Archive, 0, sizeof(*Archive));
    Add(Archive, ".", FOLDER, "");
    Add(Archive, "Windows", FOLDER, "");
    Add(Archive, "Windows/System32/drivers/ioctl.sys", PLAIN, "MZ driver"); /* folders without entries */
    Add(Archive, "Windows/System32", FOLDER, "");
    Add(Archive, "Windows/empty", PLAIN, "");
    Add(Archive, "Windows/link", SYMLINK, "target");
    Add(Archive, "Windows/\xc3\x84pfel.txt", PLAIN, "fruit");
}

static void End(ARCHIVE *Archive)
{
    Add(Archive, "TRAILER!!!", 0, "");
}

static void FindsFilesAndFolders(void **State)
{
    (void)State;
    ARCHIVE Archive;
    TREE Tree;
    uint32_t Node, Folder;
    Sample(&Archive);
    End(&Archive);
    assert_true(Mount(&Tree, &Archive));
    assert_int_equal(Find(&Tree, 0, "\\windows\\SYSTEM32\\Drivers\\IOCTL.SYS", &Node), BootfsFound);
    assert_int_equal(Tree.Index.Nodes[Node].Size, 9);
    assert_int_equal(Tree.Index.Nodes[Node].Time, 77);
    assert_memory_equal(Tree.Index.Nodes[Node].Data, "MZ driver", 9);
    assert_false(Tree.Index.Nodes[Node].Folder);

    assert_int_equal(Find(&Tree, 0, "Windows\\System32\\", &Folder), BootfsFound);
    assert_true(Tree.Index.Nodes[Folder].Folder);
    assert_int_equal(Tree.Index.Nodes[Folder].Time, 77);
    assert_int_equal(Find(&Tree, Folder, "drivers\\ioctl.sys", &Node), BootfsFound);
    assert_int_equal(Find(&Tree, Folder, "", &Node), BootfsFound);
    assert_int_equal(Node, Folder);
    assert_int_equal(Find(&Tree, 0, "", &Node), BootfsFound);
    assert_int_equal(Node, 0);
    assert_int_equal(Find(&Tree, 0, "\\", &Node), BootfsFound);
    assert_int_equal(Find(&Tree, 0, "\\Windows\\empty", &Node), BootfsFound);
    assert_int_equal(Tree.Index.Nodes[Node].Size, 0);
    assert_int_equal(Find(&Tree, 0, "\\Windows\\\xe4PFEL.TXT", &Node), BootfsFound);
    free(Tree.Memory);
}

static void SaysWhatIsMissing(void **State)
{
    (void)State;
    ARCHIVE Archive;
    TREE Tree;
    uint32_t Node;
    Sample(&Archive);
    End(&Archive);
    assert_true(Mount(&Tree, &Archive));
    assert_int_equal(Find(&Tree, 0, "\\Windows\\none", &Node), BootfsNoName);
    assert_int_equal(Find(&Tree, 0, "\\Windows\\none\\", &Node), BootfsNoName);
    assert_int_equal(Find(&Tree, 0, "\\none\\empty", &Node), BootfsNoPath);
    assert_int_equal(Find(&Tree, 0, "\\Windows\\empty\\a", &Node), BootfsNoPath);
    assert_int_equal(Find(&Tree, 0, "\\Windows\\empty\\", &Node), BootfsBadName);
    assert_int_equal(Find(&Tree, 0, "\\Windows\\\\empty", &Node), BootfsBadName);
    assert_int_equal(Find(&Tree, 0, "\\\\Windows", &Node), BootfsBadName);
    assert_int_equal(Find(&Tree, 0, "\\Windows\\link", &Node), BootfsNoName); /* not a file of this system */
    assert_int_equal(Find(&Tree, 0, "\\Windows\\..", &Node), BootfsNoName);
    free(Tree.Memory);
}

static void RefuseWith(const char *Name, uint32_t Mode, const char *Rule)
{
    ARCHIVE Archive;
    TREE Tree;
    Sample(&Archive);
    uint64_t Offset = Archive.Length;
    Add(&Archive, Name, Mode, "x");
    End(&Archive);
    assert_false(Mount(&Tree, &Archive));
    assert_string_equal(Tree.Error.Rule, Rule);
    assert_int_equal(Tree.Error.Offset, Offset);
    free(Tree.Memory);
}

static void RefusesBadArchives(void **State)
{
    (void)State;
    static const char BadName[] =
        "an entry's name has a component that is empty, '.', '..', too long or no UTF-8";
    char Long[300];
    RefuseWith("Windows/../x", PLAIN, BadName);
    RefuseWith("Windows//x", PLAIN, BadName);
    RefuseWith("Windows/\xff", PLAIN, BadName);
    memset(Long, 'l', 256);
    Long[256] = 0;
    RefuseWith(Long, PLAIN, BadName);
    RefuseWith("Windows/empty/x", PLAIN, "an entry lies below a name that is a file");
    RefuseWith("WINDOWS/EMPTY", PLAIN, "a name occurs twice in the archive");
    RefuseWith("Windows", PLAIN, "a name occurs twice in the archive");
    RefuseWith("Windows/empty", FOLDER, "a name occurs twice in the archive");

    ARCHIVE Archive;
    TREE Tree;
    Sample(&Archive);
    assert_false(Mount(&Tree, &Archive));
    assert_string_equal(Tree.Error.Rule, "the archive ends without its TRAILER!!! entry");
}

int main(void)
{
    const struct CMUnitTest Tests[] = {
        cmocka_unit_test(FindsFilesAndFolders),
        cmocka_unit_test(SaysWhatIsMissing),
        cmocka_unit_test(RefusesBadArchives),
    };
    return cmocka_run_group_tests_name("bootfs", Tests, NULL, NULL);
}
