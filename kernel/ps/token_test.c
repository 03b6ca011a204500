/* SPDX-License-Identifier: MIT
 * Who may open a token: its descriptor says so, as a program sees it. */
#include "ke.h"
#include "kt.h"
#include "ob.h"
#include "ob_service.h"
#include "ps.h"
#include "se.h"

typedef struct _USER_PAGE {
    HANDLE Token, Copy, Opened;
    OBJECT_ATTRIBUTES Attributes;
    SECURITY_QUALITY_OF_SERVICE Quality;
    SECURITY_DESCRIPTOR Descriptor;
    ACL Nothing; /* grants nothing to anybody */
    ULONG Length;
    UCHAR Room[512];
} USER_PAGE;

#define ME ((USER_PAGE *)KT_USER_BASE)

static VOID UserFill(VOID)
{
    ME->Quality = (SECURITY_QUALITY_OF_SERVICE){sizeof(ME->Quality), SecurityImpersonation, FALSE, FALSE};
    ME->Nothing = (ACL){ACL_REVISION, 0, sizeof(ACL), 0, 0};
    ME->Descriptor = (SECURITY_DESCRIPTOR){
        .Revision = SECURITY_DESCRIPTOR_REVISION, .Control = SE_DACL_PRESENT, .Dacl = &ME->Nothing};
}

/* A copy of the process's token for impersonation. Secured: nobody may open it. */
static NTSTATUS UserCopyToken(BOOLEAN Secured)
{
    ME->Attributes = (OBJECT_ATTRIBUTES){.Length = sizeof(ME->Attributes),
                                         .SecurityDescriptor = Secured ? &ME->Descriptor : NULL,
                                         .SecurityQualityOfService = &ME->Quality};
    return NtDuplicateToken(ME->Token, TOKEN_ALL_ACCESS, &ME->Attributes, FALSE, TokenImpersonation,
                            &ME->Copy);
}

/* Opens the thread's token while that is the copy. */
static NTSTATUS UserOpenClient(ACCESS_MASK Access, BOOLEAN AsSelf, SECURITY_IMPERSONATION_LEVEL Level)
{
    PVOID Token;
    NTSTATUS Status = ObReferenceObjectByHandle(ME->Copy, 0, SeTokenObjectType, KernelMode, &Token, NULL);

    if (Status == STATUS_SUCCESS)
        Status = PsImpersonateClient(PsGetCurrentThread(), Token, FALSE, FALSE, Level);
    if (Status != STATUS_SUCCESS)
        return Status;
    Status = NtOpenThreadToken(ZwCurrentThread(), Access, AsSelf, &ME->Opened);
    PsRevertToSelf();
    ObDereferenceObject(Token);
    if (Status == STATUS_SUCCESS)
        NtClose(ME->Opened);
    return Status;
}

static VOID UserTokens(KT_CONTEXT *Kt)
{
    SECURITY_INFORMATION All =
        OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;

    UserFill();
    KT_EXPECT(NtOpenProcessToken(ZwCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE | READ_CONTROL,
                                 &ME->Token) == 0);
    KT_EXPECT(NtQuerySecurityObject(ME->Token, All, ME->Room, sizeof(ME->Room), &ME->Length) == 0);
    KT_EXPECT(UserCopyToken(FALSE) == 0);
    KT_EXPECT(UserOpenClient(TOKEN_QUERY, TRUE, SecurityImpersonation) == 0 &&
              UserOpenClient(TOKEN_QUERY, FALSE, SecurityImpersonation) == 0);
    KT_EXPECT(UserOpenClient(TOKEN_QUERY, TRUE, SecurityIdentification) == 0);
    KT_EXPECT(UserOpenClient(TOKEN_QUERY, FALSE, SecurityIdentification) ==
              STATUS_BAD_IMPERSONATION_LEVEL); /* a client who is only known opens nothing */
    KT_EXPECT(NtSetSecurityObject(ME->Token, DACL_SECURITY_INFORMATION, &ME->Descriptor) ==
              STATUS_ACCESS_DENIED); /* it was opened without WRITE_DAC */
    KT_EXPECT(NtSetSecurityObject(ME->Copy, DACL_SECURITY_INFORMATION, &ME->Descriptor) == 0);
    KT_EXPECT(UserOpenClient(TOKEN_QUERY, TRUE, SecurityImpersonation) == STATUS_ACCESS_DENIED);
    KT_EXPECT(NtClose(ME->Copy) == 0);
    KT_EXPECT(UserCopyToken(TRUE) == 0); /* who makes it gets what he asks for */
    KT_EXPECT(UserOpenClient(TOKEN_QUERY, TRUE, SecurityImpersonation) == STATUS_ACCESS_DENIED);
    KT_EXPECT(UserOpenClient(READ_CONTROL, TRUE, SecurityImpersonation) == 0); /* the owner's */
    KT_EXPECT(NtClose(ME->Copy) == 0 && NtClose(ME->Token) == 0);
}

KT_TEST(tokens_are_opened_as_their_descriptors_say)
{
    KtAsUser(Kt, 1, UserTokens);
}
