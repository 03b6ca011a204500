/* SPDX-License-Identifier: MIT */
/* See pe_fixture.h. */
#include "pe_fixture.h"

#include <stdlib.h>
#include <string.h>

static void Release(PE_TEST *Test)
{
    free(Test->File);
    free(Test->Room);
    Test->File = NULL;
    Test->Room = NULL;
}

int PeSetUp(void **State)
{
    PE_TEST *Test = calloc(1, sizeof *Test);
    if (Test == NULL)
        return -1;
    BuildImage(&Test->Build);
    *State = Test;
    return 0;
}

int PeTearDown(void **State)
{
    Release(*State);
    free(*State);
    return 0;
}

PE_STATUS Parse(PE_TEST *Test, uint32_t Flags)
{
    Release(Test);
    Test->File = malloc(Test->Build.Length);
    assert_true(Test->File != NULL || Test->Build.Length == 0);
    if (Test->Build.Length != 0)
        memcpy(Test->File, Test->Build.Bytes, Test->Build.Length);
    return PeParseFile(Test->File, Test->Build.Length, Flags, &Test->Image, &Test->Error);
}

void Map(PE_TEST *Test)
{
    PE_STATUS Status = Parse(Test, 0);
    if (Status != PE_OK)
        fail_msg("parse: %s", Test->Error.Text);
    Test->Room = malloc(Test->Image.SizeOfImage);
    assert_non_null(Test->Room);
    memset(Test->Room, 0xA5, Test->Image.SizeOfImage);
    Status = PeMapImage(&Test->Image, Test->Room, Test->Image.SizeOfImage, &Test->Mapped, &Test->Error);
    assert_int_equal(Status, PE_OK);
}

void ExpectError(const PE_TEST *Test, PE_STATUS Status, PE_STATUS Wanted, const char *Words)
{
    if (Status != Wanted)
        fail_msg("%s instead of %s: %s", PeStatusName(Status), PeStatusName(Wanted), Test->Error.Text);
    if (Words == NULL)
        return;
    assert_int_equal(Test->Error.Status, Wanted);
    if (strstr(Test->Error.Text, Words) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", Words, Test->Error.Text);
}

static void Spoil(PE_TEST *Test, const DEFECT *Defect)
{
    BuildImage(&Test->Build);
    memcpy(Test->Build.Bytes + Defect->Offset, &Defect->Value, Defect->Size);
    memset(&Test->Error, 0, sizeof Test->Error);
}

void RunDefects(const DEFECT *Defects, size_t Count, DEFECT_ACTION *Action)
{
    void *State = NULL;
    assert_int_equal(PeSetUp(&State), 0);
    PE_TEST *Test = State;
    for (size_t Index = 0; Index < Count; Index++) {
        Spoil(Test, &Defects[Index]);
        PE_STATUS Status = Action(Test);
        if (Status != Defects[Index].Status)
            print_error("defect %zu (offset 0x%x):\n", Index, Defects[Index].Offset);
        ExpectError(Test, Status, Defects[Index].Status, Defects[Index].Words);
    }
    PeTearDown(&State);
}
