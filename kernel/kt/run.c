/* SPDX-License-Identifier: MIT
 * The runner of in-kernel tests. */
#include "kt.h"
#include "crt.h"
#include "kd.h"

#pragma section(".kt$a", read)
#pragma section(".kt$z", read)
__declspec(allocate(".kt$a")) static const KT_ENTRY KtpFirst = {NULL, NULL};
__declspec(allocate(".kt$z")) static const KT_ENTRY KtpLast = {NULL, NULL};

static BOOLEAN KtpRunOne(const KT_ENTRY *Test)
{
    KT_CONTEXT Context = {NULL, NULL, 0};
    CHAR Case[96], Text[256] = "";
    KIRQL Irql = KeGetCurrentIrql();

    _snprintf(Case, sizeof(Case), "kt.%s", Test->Name);
    KdReport(ReportCaseBegin, KD_TEXT(ReportKeyCase, Case));
    Test->Routine(&Context);
    if (Context.Expression == NULL && KeGetCurrentIrql() != Irql)
        Context = (KT_CONTEXT){"the IRQL is that before the test", __FILE_NAME__, __LINE__};
    if (Context.Expression != NULL) {
        _snprintf(Text, sizeof(Text), "%s:%u: %s", Context.File, (unsigned)Context.Line, Context.Expression);
        KdLogError("%s: FAILED: %s", Case, Text);
    }
    KdReport(ReportCaseEnd, KD_TEXT(ReportKeyCase, Case),
             KD_NUMBER(ReportKeyStatus, Context.Expression != NULL), KD_TEXT(ReportKeyText, Text));
    return Context.Expression == NULL;
}

/* The linker sorts the groups a, b, z and may leave zeroed room between them. */
BOOLEAN KtRunTests(VOID)
{
    ULONG Count = 0, Failed = 0;

    for (const KT_ENTRY *Test = &KtpFirst; Test < &KtpLast; Test++) {
        if (Test->Routine == NULL)
            continue;
        Count++;
        Failed += !KtpRunOne(Test);
    }
    KdLog("in-kernel tests: %u run, %u failed", (unsigned)Count, (unsigned)Failed);
    return Failed == 0;
}
