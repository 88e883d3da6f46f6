// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ELF, as far as a linked program needs it.

#include "TinyFormer/Simulator/Program.h"

#include "TinyFormer/Simulator/Fault.h"

#include <algorithm>
#include <cstring>

using namespace tinyformer::pulp;

namespace {

// From the ELF specification, for 32 bits.
struct FileHeader {
  uint8_t identification[16];
  uint16_t type, machine;
  uint32_t version, entry, programOffset, sectionOffset, flags;
  uint16_t headerBytes, programBytes, programCount, sectionBytes, sectionCount,
      nameSection;
};
struct ProgramHeader {
  uint32_t type, offset, virtualAddress, physicalAddress, fileBytes,
      memoryBytes, flags, alignment;
};
struct SectionHeader {
  uint32_t name, type, flags, address, offset, bytes, link, info, alignment,
      entryBytes;
};
struct SymbolEntry {
  uint32_t name, value, bytes;
  uint8_t info, other;
  uint16_t section;
};

constexpr uint16_t machineRiscv = 243;
constexpr uint16_t typeExecutable = 2;
constexpr uint32_t loadSegment = 1;
constexpr uint32_t executableFlag = 1, writableFlag = 2;
constexpr uint32_t symbolTable = 2;
constexpr uint8_t functionSymbol = 2;

template <class T> T readAt(std::string_view elf, uint64_t offset) {
  T value;
  if (offset + sizeof(T) > elf.size())
    throw SimulationFault(message("the ELF file is cut off: it has %zu bytes "
                                  "but refers to byte %llu",
                                  elf.size(),
                                  static_cast<unsigned long long>(offset)));
  std::memcpy(&value, elf.data() + offset, sizeof(T));
  return value;
}

std::string nameAt(std::string_view elf, uint64_t offset) {
  if (offset >= elf.size())
    return "";
  const std::string_view rest = elf.substr(offset);
  return std::string(rest.substr(0, rest.find('\0')));
}

} // namespace

Program::Program(std::string_view elf) {
  if (elf.size() < sizeof(FileHeader) || elf.substr(0, 4) != "\177ELF")
    throw SimulationFault("this is not an ELF file");
  const auto header = readAt<FileHeader>(elf, 0);
  const bool is32Bit = header.identification[4] == 1;
  if (!is32Bit || header.machine != machineRiscv ||
      header.type != typeExecutable)
    throw SimulationFault(
        message("this is not a 32-bit RISC-V executable (class %u, machine "
                "%u, type %u; wanted 1, %u, %u)",
                header.identification[4], header.machine, header.type,
                machineRiscv, typeExecutable));
  entryPoint = header.entry;
  readSegments(elf);
  readSymbols(elf);
}

void Program::readSegments(std::string_view elf) {
  const auto header = readAt<FileHeader>(elf, 0);
  for (unsigned i = 0; i < header.programCount; ++i) {
    const auto entry = readAt<ProgramHeader>(
        elf, header.programOffset + uint64_t(i) * header.programBytes);
    if (entry.type != loadSegment || entry.memoryBytes == 0)
      continue;
    if (uint64_t(entry.offset) + entry.fileBytes > elf.size())
      throw SimulationFault("the ELF file is cut off in a segment");
    // Memory that nothing is loaded into keeps what it had.
    const uint32_t memory = entry.fileBytes == 0 ? 0 : entry.memoryBytes;
    loadable.push_back({entry.physicalAddress,
                        std::string(elf.substr(entry.offset, entry.fileBytes)),
                        memory, (entry.flags & writableFlag) != 0,
                        (entry.flags & executableFlag) != 0});
  }
}

void Program::readSymbols(std::string_view elf) {
  const auto header = readAt<FileHeader>(elf, 0);
  const auto section = [&](uint32_t number) {
    return readAt<SectionHeader>(
        elf, header.sectionOffset + uint64_t(number) * header.sectionBytes);
  };
  for (unsigned i = 0; i < header.sectionCount; ++i) {
    const SectionHeader table = section(i);
    if (table.type != symbolTable)
      continue;
    const uint32_t names = section(table.link).offset;
    for (uint32_t at = 0; at < table.bytes; at += sizeof(SymbolEntry)) {
      const auto entry = readAt<SymbolEntry>(elf, table.offset + at);
      const std::string name = nameAt(elf, uint64_t(names) + entry.name);
      if (entry.section == 0 || name.empty() || name[0] == '$')
        continue;
      symbols[name] = entry.value;
      if ((entry.info & 15) == functionSymbol)
        sortedFunctions.push_back({name, entry.value, entry.bytes});
    }
  }
  std::sort(sortedFunctions.begin(), sortedFunctions.end(),
            [](const Function &a, const Function &b) {
              return a.address < b.address;
            });
}

std::optional<uint32_t> Program::symbol(const std::string &name) const {
  const auto found = symbols.find(name);
  if (found == symbols.end())
    return std::nullopt;
  return found->second;
}

bool Program::isCode(uint32_t address) const {
  for (const Segment &segment : loadable)
    if (segment.isExecutable && address - segment.address < segment.memoryBytes)
      return true;
  return false;
}

uint32_t Program::functionAt(uint32_t address) const {
  const auto behind = std::upper_bound(
      sortedFunctions.begin(), sortedFunctions.end(), address,
      [](uint32_t wanted, const Function &f) { return wanted < f.address; });
  if (behind == sortedFunctions.begin())
    return uint32_t(sortedFunctions.size());
  const Function &found = *std::prev(behind);
  if (found.size != 0 && address - found.address >= found.size)
    return uint32_t(sortedFunctions.size());
  return uint32_t(std::prev(behind) - sortedFunctions.begin());
}

std::string Program::describe(uint32_t address) const {
  const uint32_t number = functionAt(address);
  if (number == sortedFunctions.size())
    return message("0x%08x (in no function)", address);
  const Function &function = sortedFunctions[number];
  return message("%s+0x%x (0x%08x)", function.name.c_str(),
                 address - function.address, address);
}
