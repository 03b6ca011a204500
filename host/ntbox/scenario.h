/* SPDX-License-Identifier: MIT
 * Compiles what the guest's agent shall do into the file "Windows/ntbox/scenario"
 * (drivers/agent/scenario_format.h): load the services in order, send the requests, unload in reverse order.
 */
#pragma once
#include <glib.h>
#include <stdbool.h>

#include "request.h"

/* Services: NULL-terminated names in load order. Requests: of Request. With unload false the drivers stay
 * loaded. With echo the agent also prints requests and answers in words to the log. */
GBytes *scenario_compile(char *const *services, const GPtrArray *requests, bool unload, bool echo);

/* "load", "ioctl" ...; "step" for a number that is none. */
const char *scenario_operation_name(uint32_t operation);
