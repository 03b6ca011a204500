/* SPDX-License-Identifier: MIT
 * Which devices a package is for. [WDK "INF Manufacturer Section", "INF Models Section"] */
#include <string.h>

#include "inf_error.h"
#include "inf_read.h"
#include "inf_target.h"
#include "inf_text.h"

#define MAX_ID 199u /* [WDK "Device Identification Strings"] MAX_DEVICE_ID_LEN with the NUL */

/* ---- IDs ---- */

/* [WDK "Device Identification Strings"] no blanks, no control characters, no commas, ASCII. */
static bool is_id(const char *id)
{
    for (const char *at = id; *at; at++) {
        if (*at <= ' ' || *at >= 0x7f || *at == ',')
            return false;
    }
    return strlen(id) <= MAX_ID && inf_read_is_path(id);
}

static void store_id(InfReader *reader, const InfModel *model, guint place)
{
    const char *id = model->Ids->pdata[place], *package = reader->Package->Name;
    g_autofree char *ids = g_strconcat("DriverDatabase\\DeviceIds\\", id, NULL);
    g_autofree char *descriptor =
        g_strconcat("DriverDatabase\\DriverPackages\\", package, "\\Descriptors\\", id, NULL);
    guint32 old;
    if (inf_registry_number(reader->Registry, ids, package, &old) && old <= place)
        return; /* a line before this one has it, in no later place */
    inf_registry_set_number(reader->Registry, ids, package, place);
    inf_registry_set_text(reader->Registry, descriptor, "Configuration", InfRegSz,
                          model->Configuration->Name);
    inf_registry_set_text(reader->Registry, descriptor, "Description", InfRegSz, model->Description);
    inf_registry_set_text(reader->Registry, descriptor, "Manufacturer", InfRegSz, model->Manufacturer);
}

static bool read_ids(InfReader *reader, const InfLine *line, InfModel *model, GError **error)
{
    for (guint i = 2; i <= inf_line_count(line); i++) {
        char *id = inf_line_field(line, i);
        g_ptr_array_add(model->Ids, id);
        if (*id && !is_id(id))
            return inf_line_error(
                line, error, "'%s' is no device ID: at most %u characters of ASCII without blanks, in parts",
                id, MAX_ID);
        if (*id)
            store_id(reader, model, i - 2);
    }
    if (model->Ids->len == 0)
        inf_read_note(reader, line, "no ID stands here: no device can get this driver");
    return true;
}

/* ---- lines ---- */

static bool read_model(InfReader *reader, const InfLine *line, const char *manufacturer, GError **error)
{
    if (!inf_read_step(reader, line, error))
        return false;
    if (!line->HasKey)
        return inf_line_error(line, error, "a model is written: description = install section, IDs");
    g_autofree char *install = inf_line_field(line, 1);
    InfModel *model = g_new0(InfModel, 1);
    model->Description = inf_line_field(line, 0);
    model->Manufacturer = g_strdup(manufacturer);
    model->Ids = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(reader->Package->Models, model);
    return inf_read_install(reader, line, install, &model->Configuration, error) &&
           read_ids(reader, line, model, error);
}

/* The models-section of a [Manufacturer] line for this system; NULL: none is. */
static char *choose_section(const InfLine *line, const char *stem)
{
    char *best = NULL;
    InfRank best_rank;
    for (guint i = 2; i <= inf_line_count(line); i++) {
        g_autofree char *decoration = inf_line_field(line, i);
        InfRank rank;
        if (!*decoration || !inf_target_rank(decoration, &rank) ||
            (best && !inf_target_is_closer(&rank, &best_rank)))
            continue;
        g_free(best);
        best = g_strconcat(stem, ".", decoration, NULL);
        best_rank = rank;
    }
    return best;
}

static bool read_manufacturer(InfReader *reader, const InfLine *line, bool *any, GError **error)
{
    g_autofree char *name = inf_line_field(line, line->HasKey ? 0 : 1), *stem = inf_line_field(line, 1);
    g_autofree char *chosen = choose_section(line, stem);
    if (!inf_read_step(reader, line, error))
        return false;
    if (!chosen) {
        inf_read_note(reader, line, "none of its models is for " INF_TARGET_NAME);
        return true;
    }
    const InfSection *section = inf_read_require(reader, line, chosen, error);
    *any = true;
    for (guint i = 0; section && i < section->Lines->len; i++) {
        if (!read_model(reader, inf_section_line(section, i), name, error))
            return false;
    }
    return section != NULL;
}

bool inf_read_models(InfReader *reader, GError **error)
{
    const InfFile *file = reader->Files->pdata[0];
    const InfSection *section = inf_file_section(file, "Manufacturer");
    bool any = false;
    if (!section)
        return inf_error_at(error, file->Name, 1,
                            "there is no section [Manufacturer]: it installs no device");
    for (guint i = 0; i < section->Lines->len; i++) {
        if (!read_manufacturer(reader, inf_section_line(section, i), &any, error))
            return false;
    }
    return any || inf_error_at(error, file->Name, section->Number,
                               "[Manufacturer] names no models for " INF_TARGET_NAME ": NTamd64 is wanted");
}
