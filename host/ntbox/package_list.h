/* SPDX-License-Identifier: MIT
 * The driver packages of a run: ntbox run --inf. */
#pragma once
#include <glib.h>
#include <stdbool.h>

#include "options.h"

/* Fills in options->Packages and Registry from the paths (NULL-terminated, or NULL). False with a sentence: see driver_package_open. */
bool package_list_open(RunOptions *options, char **infs, GError **error);

/* When the drivers of the command line are known: their files and those of the packages get along, each place in the guest has one file;
 * the packages' drivers become companions. A driver of the command line that a package installs starts as its INF says. */
bool package_list_place(RunOptions *options, GError **error);

/* Is it the file of a service that a package installs? "foo.sys", whatever its case. */
bool package_list_has_driver(const RunOptions *options, const char *file);

/* Does a package install a service of that name, whatever its case? */
bool package_list_has_service(const RunOptions *options, const char *name);
