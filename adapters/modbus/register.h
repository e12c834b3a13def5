/* Register: what a person calls a register, as function and address. Pure; any thread. */
#pragma once

#include "gateway/base/error.h"

#include <stdint.h>

/* "holding 100", "input 0", "coil 3", "discrete 7", "holding 100.3", "40101", "400101.3". */
struct mb_register {
    uint8_t function; /* enum mb_function */
    uint16_t address;
    int8_t bit; /* -1: none */
};
/* 0, or -EINVAL / -ERANGE with words for the person who wrote it. */
int mb_register_parse(const char *text, struct mb_register *ret, struct error *reterr);
