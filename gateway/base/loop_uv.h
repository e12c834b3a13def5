/* The libuv loop behind struct loop, for the files of this room only (stream.c). */
#pragma once

#include <uv.h>

struct loop;

uv_loop_t *loop_uv(struct loop *loop);
