/* SPDX-License-Identifier: MIT
 * AddInterface: {class}, reference string, section, flags. [WDK "INF AddInterface Directive"] */
#include "inf_class.h"
#include "inf_read.h"

static const InfDirective directives[] = {
    {"AddReg", inf_read_add_registry, NULL, InfOrderLate},
    {"DelReg", inf_read_del_registry, NULL, InfOrderEarly},
    {"CopyFiles", inf_read_copy_files, NULL, InfOrderLate},
    {"AddProperty", NULL, "interfaces have no properties here", InfOrderLate},
    {NULL, NULL, NULL, InfOrderLate},
};

bool inf_read_add_interface(InfReader *reader, const InfLine *line, const InfScope *scope, GError **error)
{
    g_autofree char *guid = inf_line_field(line, 1), *reference = inf_line_field(line, 2);
    g_autofree char *name = inf_line_field(line, 3),
                    *root = g_strconcat(scope->Root, "\\", guid, "\\#", reference, NULL);
    InfScope below = {scope->Configuration, root};
    if (!inf_class_is_guid(guid))
        return inf_line_error(line, error, "'%s' is no GUID in braces", guid);
    if (strpbrk(reference, "/\\"))
        return inf_line_error(line, error, "the reference string '%s' has a path separator", reference);
    inf_registry_key(reader->Registry, root);
    const InfSection *section = *name ? inf_read_require(reader, line, name, error) : NULL;
    return *name == '\0' || (section && inf_read_section(reader, section, directives, &below, error));
}
