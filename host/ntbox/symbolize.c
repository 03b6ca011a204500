/* SPDX-License-Identifier: MIT
 * Runs llvm-symbolizer once for each module that has addresses to name. */
#include "symbolize.h"

#include <inttypes.h>
#include <json-glib/json-glib.h>

#include "call_chain.h"
#include "companion.h"

/* One address of one module, and where its text goes. */
typedef struct Query {
    uint64_t Offset;
    bool IsReturn;     /* a return address: the call lies just before it */
    const void *Event; /* key in report->Symbols, or NULL */
    char **Place;      /* of a processor or in a call chain, or NULL */
    const char *Module;
} Query;

static void free_queries(gpointer queries)
{
    g_array_unref(queries);
}

static void add_query(GHashTable *modules, const Query *query)
{
    char *key = g_ascii_strdown(query->Module, -1);
    GArray *queries = g_hash_table_lookup(modules, key);
    if (!queries) {
        queries = g_array_new(FALSE, FALSE, sizeof(Query));
        g_hash_table_insert(modules, g_strdup(key), queries);
    }
    g_array_append_vals(queries, query, 1);
    g_free(key);
}

/* Of a stack all but the place where its processor stood; what a thread that does not run called it has not come back from. */
static bool is_return_address(const RunEvent *event)
{
    bool frame = event->Type == ReportFrame || event->Type == ReportProcessorFrame;
    return event->Type == ReportLeak || event->Type == ReportPassEnd || event->Type == ReportDenied ||
           event->Type == ReportThreadFrame || (frame && run_event_value(event, ReportKeyDepth) > 0);
}

static void collect_events(GHashTable *modules, const RunReport *report)
{
    for (guint i = 0; i < report->Events->len; i++) {
        const RunEvent *event = report->Events->pdata[i];
        const char *module = run_event_text(event, ReportKeyModule);
        uint64_t offset;
        if (run_report_is_own_module(module) || !run_event_number(event, ReportKeyOffset, &offset))
            continue;
        Query query = {offset, is_return_address(event), event, NULL, module};
        add_query(modules, &query);
    }
}

static void collect_processors(GHashTable *modules, RunReport *report)
{
    for (guint i = 0; i < report->Processors->len; i++) {
        ProcessorState *state = report->Processors->pdata[i];
        const RunEvent *image = run_report_image_at(report, state->Rip);
        if (!image)
            continue;
        uint64_t offset = state->Rip - run_event_value(image, ReportKeyBase);
        state->Module = g_strdup(run_event_text_or(image, ReportKeyDriver, "?"));
        state->Place = g_strdup_printf("%s+0x%" PRIx64, state->Module, offset);
        Query query = {offset, false, NULL, &state->Place, state->Module};
        add_query(modules, &query);
    }
}

/* The callers of an allocation: return addresses. */
static void collect_chains(GHashTable *modules, const GPtrArray *chains)
{
    for (guint i = 0; i < chains->len; i++) {
        const GArray *places = ((const CallChain *)chains->pdata[i])->Places;
        for (guint j = 0; j < places->len; j++) {
            const ChainPlace *place = &g_array_index(places, ChainPlace, j);
            Query query = {place->Offset, true, NULL, place->Text, place->Module};
            if (!run_report_is_own_module(place->Module))
                add_query(modules, &query);
        }
    }
}

static const char *path_of(const RunOptions *options, const char *kernel, const char *module)
{
    if (g_ascii_strcasecmp(module, "ntoskrnl.exe") == 0)
        return kernel;
    for (guint i = 0; i < options->Drivers->len; i++) {
        g_autofree char *name = g_strconcat(options->Services[i], ".sys", NULL);
        if (g_ascii_strcasecmp(name, module) == 0)
            return options->Drivers->pdata[i];
    }
    for (guint i = 0; i < options->Companions->len; i++) {
        const Companion *companion = options->Companions->pdata[i];
        if (g_ascii_strcasecmp(companion->Name, module) == 0)
            return companion->Path;
    }
    return NULL;
}

/* The symbolizer's answer as text, NULL if there is none. */
static char *run_symbolizer(const char *path, const GArray *queries)
{
    g_autofree char *program = g_find_program_in_path("llvm-symbolizer-19");
    if (!program)
        program = g_find_program_in_path("llvm-symbolizer");
    if (!program)
        return NULL;
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(words, g_strdup(program));
    g_ptr_array_add(words, g_strdup_printf("--obj=%s", path));
    g_ptr_array_add(words, g_strdup("--relative-address"));
    g_ptr_array_add(words, g_strdup("--functions=short"));
    g_ptr_array_add(words, g_strdup("--inlines"));
    g_ptr_array_add(words, g_strdup("--output-style=JSON"));
    for (guint i = 0; i < queries->len; i++) {
        const Query *query = &g_array_index(queries, Query, i);
        uint64_t offset = query->IsReturn && query->Offset ? query->Offset - 1 : query->Offset;
        g_ptr_array_add(words, g_strdup_printf("0x%" PRIx64, offset));
    }
    g_ptr_array_add(words, NULL);
    char *output = NULL;
    g_spawn_sync(NULL, (char **)words->pdata, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output, NULL,
                 NULL, NULL);
    return output;
}

/* "file.c:12" */
static char *line_of(JsonObject *symbol)
{
    const char *file = json_object_get_string_member_with_default(symbol, "FileName", "");
    g_autofree char *base = g_path_get_basename(file);
    return g_strdup_printf("%s:%" G_GINT64_FORMAT, base,
                           json_object_get_int_member_with_default(symbol, "Line", 0));
}

static const char *function_of(JsonObject *symbol)
{
    return json_object_get_string_member_with_default(symbol, "FunctionName", "");
}

/* "Function (file.c:12)" of one element of the answer, or "Function (file.c:12 in Inner, inlined at file.c:30)": the routine is the one that
 * there is, the line that of the innermost function, as addr2line -i has it first. NULL without a source line, as the nearest symbol of a
 * stripped image would be a guess. */
static char *describe(JsonNode *element)
{
    JsonObject *object = JSON_NODE_HOLDS_OBJECT(element) ? json_node_get_object(element) : NULL;
    JsonArray *symbols = object && json_object_has_member(object, "Symbol")
                             ? json_object_get_array_member(object, "Symbol")
                             : NULL;
    if (!symbols || json_array_get_length(symbols) == 0)
        return NULL;
    JsonObject *inner = json_array_get_object_element(symbols, 0);
    if (!*function_of(inner) || !*json_object_get_string_member_with_default(inner, "FileName", ""))
        return NULL;
    guint last = json_array_get_length(symbols) - 1;
    GString *text = g_string_new(function_of(json_array_get_object_element(symbols, last)));
    g_string_append(text, " (");
    for (guint i = 0; i <= last; i++) {
        JsonObject *symbol = json_array_get_object_element(symbols, i);
        g_autofree char *line = line_of(symbol);
        g_string_append_printf(text, "%s%s%s", line, i < last ? " in " : "",
                               i < last ? function_of(symbol) : "");
        if (i < last)
            g_string_append(text, ", inlined at ");
    }
    g_string_append_c(text, ')');
    return g_string_free(text, FALSE);
}

static void store(RunReport *report, const Query *query, char *text)
{
    if (query->Event) {
        g_hash_table_insert(report->Symbols, (gpointer)query->Event, text);
        return;
    }
    char *place = g_strdup_printf("%s!%s", query->Module, text);
    g_free(*query->Place);
    *query->Place = place;
    g_free(text);
}

static void symbolize_module(RunReport *report, const char *path, const GArray *queries)
{
    g_autofree char *output = run_symbolizer(path, queries);
    g_autoptr(JsonNode) root = output ? json_from_string(output, NULL) : NULL;
    if (!root || !JSON_NODE_HOLDS_ARRAY(root))
        return;
    JsonArray *answers = json_node_get_array(root);
    for (guint i = 0; i < queries->len && i < json_array_get_length(answers); i++) {
        char *text = describe(json_array_get_element(answers, i));
        if (text)
            store(report, &g_array_index(queries, Query, i), text);
    }
}

void symbolize_report(RunReport *report, const RunOptions *options, const char *kernel)
{
    g_autoptr(GHashTable) modules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_queries);
    g_autoptr(GPtrArray) chains = call_chains_collect(report);
    GHashTableIter iterator;
    gpointer module, queries;
    collect_chains(modules, chains);
    collect_events(modules, report);
    collect_processors(modules, report);
    g_hash_table_iter_init(&iterator, modules);
    while (g_hash_table_iter_next(&iterator, &module, &queries)) {
        const char *path = path_of(options, kernel, module);
        if (path)
            symbolize_module(report, path, queries);
    }
    call_chains_store(chains);
}
