/* SPDX-License-Identifier: MIT
 * Call chains in words: see call_chain.h. */
#include "call_chain.h"

#include <string.h>

static void clear_place(gpointer place)
{
    g_free(((ChainPlace *)place)->Module);
}

static void free_chain(gpointer data)
{
    CallChain *chain = data;
    g_strfreev(chain->Pieces);
    g_array_unref(chain->Places);
    g_free(chain);
}

/* "a.sys+0x12" */
static void add_place(GArray *places, char **text)
{
    const char *plus = strrchr(*text, '+');
    ChainPlace place = {g_strndup(*text, (gsize)(plus - *text)), g_ascii_strtoull(plus + 1, NULL, 16), text};
    g_array_append_val(places, place);
}

/* A piece in brackets of the pattern comes at each odd index of the split. */
static CallChain *split(RunEvent *event)
{
    CallChain *chain = g_new(CallChain, 1);
    chain->Event = event;
    chain->Pieces =
        g_regex_split_simple("([^\\s!+]+\\+0x[0-9a-f]+)", run_event_text(event, ReportKeyText), 0, 0);
    chain->Places = g_array_new(FALSE, FALSE, sizeof(ChainPlace));
    g_array_set_clear_func(chain->Places, clear_place);
    for (guint i = 0; chain->Pieces[i]; i++) {
        if (i % 2)
            add_place(chain->Places, &chain->Pieces[i]);
    }
    return chain;
}

GPtrArray *call_chains_collect(const RunReport *report)
{
    GPtrArray *chains = g_ptr_array_new_with_free_func(free_chain);
    for (guint i = 0; i < report->Events->len; i++) {
        RunEvent *event = report->Events->pdata[i];
        bool told = event->Type == ReportPoolBlock || event->Type == ReportLeak;
        if (told && run_event_text(event, ReportKeyText))
            g_ptr_array_add(chains, split(event));
    }
    return chains;
}

void call_chains_store(const GPtrArray *chains)
{
    for (guint i = 0; i < chains->len; i++) {
        const CallChain *chain = chains->pdata[i];
        g_free(chain->Event->Texts[ReportKeyText]);
        chain->Event->Texts[ReportKeyText] = g_strjoinv(NULL, chain->Pieces);
    }
}
