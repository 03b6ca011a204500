/* SPDX-License-Identifier: MIT
 * Tier 3, se: the words of SDDL, both ways. [Win32 SID Strings, ACE Strings] */
#pragma once
#include "se_core.h"

typedef struct _SEP_WORD {
    CHAR Text[3];
    ULONG Value;
} SEP_WORD;

/* Each ends with an empty word. */
extern const SEP_WORD SepAceTypes[], SepAceFlags[], SepRights[], SepLabelRights[];
/* Whole masks with a word of their own, for output; SepRights has them too. */
extern const SEP_WORD SepWholeRights[];

/* A SID of a word: "BA"; FALSE: none. Sid has RTL_MAX_SID_LENGTH bytes. */
BOOLEAN SepSidOfWord(WCHAR First, WCHAR Second, PSID Sid);
/* The word of a SID, or NULL. */
const CHAR *SepWordOfSid(PSID Sid);
