/* Modbus: the door of this folder.
 *
 *   modbus/tcp     connect = "tcp://192.168.1.50:502"   many devices may share one connection
 *   modbus/rtu+tcp connect = "rtu+tcp://192.168.1.51:8899"  RTU frames through a transparent
 * converter modbus/serial  connect = "serial:/dev/ttyUSB0"      a worker for each line */
#pragma once

#include "adapters/adapter.h"

extern const struct adapter modbus_tcp_adapter;
extern const struct adapter modbus_rtu_tcp_adapter;
extern const struct adapter modbus_serial_adapter;
