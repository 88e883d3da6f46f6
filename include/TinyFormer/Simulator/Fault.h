// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What ends a simulation before the program does.

#ifndef TINYFORMER_SIMULATOR_FAULT_H
#define TINYFORMER_SIMULATOR_FAULT_H

#include <stdexcept>
#include <string>

namespace tinyformer::pulp {

/// The program did what the chip forbids or does not have.
class SimulationFault : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// printf into a string, for messages.
std::string message(const char *pattern, ...)
    __attribute__((format(printf, 1, 2)));

} // namespace tinyformer::pulp

#endif // TINYFORMER_SIMULATOR_FAULT_H
