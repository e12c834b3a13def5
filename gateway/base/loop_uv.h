/* The libuv loop behind struct loop, for the files of this room only (stream.c). */
#pragma once

#include <stdint.h>
#include <uv.h>

struct loop;

uv_loop_t *loop_uv(struct loop *loop);

/* Room for what is read and handed on within one turn: a thousand streams need no buffer each. */
#define LOOP_SCRATCH_SIZE 1024
uint8_t *loop_scratch(uv_loop_t *uv);
