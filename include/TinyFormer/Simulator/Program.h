// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An ELF executable: what to load, and which function is where.

#ifndef TINYFORMER_SIMULATOR_PROGRAM_H
#define TINYFORMER_SIMULATOR_PROGRAM_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyformer::pulp {

struct Segment {
  uint32_t address;
  /// Shorter than `memoryBytes` where the rest is zero.
  std::string data;
  uint32_t memoryBytes;
  bool isWritable;
  bool isExecutable;
};

struct Function {
  std::string name;
  uint32_t address;
  /// 0 if it reaches to the next one.
  uint32_t size;
};

class Program {
public:
  /// Reads a 32-bit little-endian RISC-V executable; throws SimulationFault.
  explicit Program(std::string_view elf);

  uint32_t entry() const { return entryPoint; }
  const std::vector<Segment> &segments() const { return loadable; }
  /// By address.
  const std::vector<Function> &functions() const { return sortedFunctions; }

  std::optional<uint32_t> symbol(const std::string &name) const;
  /// Whether code was loaded there.
  bool isCode(uint32_t address) const;
  /// The number of the function around `address`; functions().size() if none.
  uint32_t functionAt(uint32_t address) const;
  /// "function+0x4 (0x1c010004)"
  std::string describe(uint32_t address) const;

private:
  void readSegments(std::string_view elf);
  void readSymbols(std::string_view elf);

  uint32_t entryPoint = 0;
  std::vector<Segment> loadable;
  std::vector<Function> sortedFunctions;
  std::map<std::string, uint32_t> symbols;
};

} // namespace tinyformer::pulp

#endif // TINYFORMER_SIMULATOR_PROGRAM_H
