/* Sim: devices that exist only here, for the demo, for tests and for trying rules. */
#pragma once

#include "adapters/adapter.h"

extern const struct adapter sim_adapter;
