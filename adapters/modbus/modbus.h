/* Modbus: the door of this folder.
 *
 *   modbus/tcp     connect = "tcp://192.168.1.50:502"   many devices may share one connection
 *   modbus/serial  connect = "serial:/dev/ttyUSB0"      a worker for each line */
#pragma once

#include "adapters/adapter.h"

extern const struct adapter modbus_tcp_adapter;
extern const struct adapter modbus_serial_adapter;
