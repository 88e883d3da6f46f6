// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One table describes every instruction of RV32IMC, Zicsr and XpulpV2: its
// bits, its operands, what it computes and its name. The decoder, the
// disassembler and the tests read it.

#ifndef TINYFORMER_SIMULATOR_INSTRUCTION_H
#define TINYFORMER_SIMULATOR_INSTRUCTION_H

#include <cstdint>
#include <string>
#include <vector>

namespace tinyformer::pulp {

/// Which fields of the word are operands, and how they are written.
enum class Format : uint8_t {
  None,               // ecall
  Upper,              // rd, imm20
  UpperPc,            // rd, imm20, added to the program counter
  Jump,               // rd, label
  JumpRegister,       // rd, simm12(rs1)
  Branch,             // rs1, rs2, label
  BranchImmediate,    // rs1, simm5, label
  Registers,          // rd, rs1, rs2
  OneRegister,        // rd, rs1
  Immediate,          // rd, rs1, simm12
  Shift,              // rd, rs1, uimm5
  Clip,               // rd, rs1, uimm5: bounds of that many bits
  Normalise,          // rd, rs1, rs2, uimm5
  BitField,           // rd, rs1, width, offset
  VectorSigned,       // rd, rs1, simm6 in every lane
  VectorUnsigned,     // rd, rs1, uimm6 in every lane
  Lane,               // rd, rs1, uimm6
  Load,               // rd, simm12(rs1)
  LoadPost,           // rd, simm12(rs1!)
  LoadIndexed,        // rd, rs2(rs1)
  LoadPostIndexed,    // rd, rs2(rs1!)
  Store,              // rs2, simm12(rs1)
  StorePost,          // rs2, simm12(rs1!)
  StoreIndexed,       // rs2, rs3(rs1), rs3 in the field of rd
  StorePostIndexed,   // rs2, rs3(rs1!), rs3 in the field of rd
  LoopAddress,        // L, label
  LoopCount,          // L, rs1
  LoopCountImmediate, // L, uimm12
  LoopSetup,          // L, rs1, label
  LoopSetupImmediate, // L, uimm12, label
  Csr,                // rd, csr, rs1
  CsrImmediate,       // rd, csr, uimm5
};

/// What the core does with an instruction; timing follows from it.
enum class Kind : uint8_t {
  Undecoded,
  Illegal,
  Compute,
  MultiplyHigh,
  Divide,
  Load,
  EventLoad,
  Store,
  Branch,
  Jump,
  JumpRegister,
  LoopStart,
  LoopEnd,
  LoopCount,
  LoopSetup,
  Csr,
  Fence,
  FenceInstructions,
  Wait,
  EnvironmentCall,
  Breakpoint,
};

/// The result from both operands, the old value of rd and the normalisation
/// amount; for branches whether it is taken.
using Compute = uint32_t (*)(uint32_t a, uint32_t b, uint32_t old, uint32_t n);

/// A row of the table.
struct InstructionInfo {
  std::string mnemonic;
  uint32_t mask;
  uint32_t match;
  Format format;
  Kind kind;
  Compute compute = nullptr;
  bool readsDestination = false;
  /// Of a load or store.
  uint8_t bytes = 0;
  bool isSigned = false;
};

/// All rows. Where two match a word, the one with more bits in its mask is
/// meant.
const std::vector<InstructionInfo> &instructionTable();

/// Why an instruction must not be executed.
enum class Complaint : uint8_t {
  None,
  Unknown,
  /// A post-increment load into its own base register: the core has no defined
  /// result.
  LoadsOwnBase,
  /// Another rs2 than x0 where the core wants that.
  NeedsZero,
};

/// A decoded instruction: registers and immediates where the core wants them.
/// A line of the host's cache each.
struct alignas(64) Instruction {
  const InstructionInfo *info = nullptr;
  Compute compute = nullptr;
  /// The 32-bit form.
  uint32_t word = 0;
  /// Immediate operand, offset of an access, or the number of a CSR.
  uint32_t immediate = 0;
  /// Of a jump, branch or hardware loop.
  uint32_t target = 0;
  /// One bit for each register that is read.
  uint32_t reads = 0;
  /// For each that is written, and that is written by a load.
  uint32_t writes = 0;
  uint32_t loads = 0;
  /// The function it belongs to, as the profile numbers them.
  uint32_t function = 0;
  Kind kind = Kind::Undecoded;
  Complaint complaint = Complaint::None;
  /// In bytes, as it is in memory; 0 if nothing was decoded yet.
  uint8_t size = 0;
  uint8_t rd = 0;
  uint8_t a = 0;
  uint8_t b = 0;
  /// Normalisation amount, number of the hardware loop, CSR operation.
  uint8_t n = 0;
  uint8_t bytes = 0;
  bool isSigned = false;
  /// The second operand is `immediate`, not register b.
  bool hasImmediate = false;
  /// The access is at the old value of register a, which then moves on.
  bool postIncrement = false;
  bool writesStackPointer = false;
};

/// The instruction in `bits`, whose low half alone counts if compressed, as
/// it is at address `pc`.
Instruction decode(uint32_t bits, uint32_t pc);

inline bool isCompressed(uint32_t bits) { return (bits & 3) != 3; }

/// The 32-bit form of a compressed instruction, or 0 if there is none.
uint32_t expandCompressed(uint16_t bits);

/// An instruction as an assembler would write it.
std::string disassemble(const Instruction &instruction);

/// The ABI name of a register.
const char *registerName(unsigned number);

} // namespace tinyformer::pulp

#endif // TINYFORMER_SIMULATOR_INSTRUCTION_H
