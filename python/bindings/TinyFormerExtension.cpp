// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the Python package needs beyond MLIR's own bindings.

#include "TinyFormer-c/TinyFormer.h"

#include "mlir/Bindings/Python/Nanobind.h"
#include "mlir/Bindings/Python/NanobindAdaptors.h"

#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;

/// Size, first and last moment of its life, alignment.
using Buffer = std::tuple<uint64_t, uint32_t, uint32_t, uint64_t>;

/// Buffers in the C interface's form.
struct Buffers {
  explicit Buffers(const std::vector<Buffer> &buffers) {
    for (auto [size, start, end, alignment] : buffers) {
      if (start > end || alignment == 0 || (alignment & (alignment - 1)))
        throw nb::value_error("a buffer needs start <= end and an alignment "
                              "that is a power of two");
      sizes.push_back(size);
      starts.push_back(start);
      ends.push_back(end);
      alignments.push_back(alignment);
    }
  }

  std::vector<uint64_t> sizes, alignments;
  std::vector<uint32_t> starts, ends;
};

static void append(MlirStringRef text, void *userData) {
  static_cast<std::string *>(userData)->append(text.data, text.length);
}

NB_MODULE(_tinyformer, m) {
  m.doc() = "TinyFormer's dialects, passes and translation";

  m.def("register_dialects", &tinyformerRegisterDialects, nb::arg("registry"),
        "Register TinyFormer's dialects and those that its pipelines use.");

  m.def("register_passes", &tinyformerRegisterPasses,
        "Register TinyFormer's passes and phases; once is enough.");

  m.def(
      "element_bytes",
      [](MlirAttribute attribute) {
        std::string bytes;
        if (mlirLogicalResultIsFailure(
                tinyformerGetElementBytes(attribute, append, &bytes)))
          throw nb::value_error(
              "expected a dense or dense_resource attribute with its data");
        return nb::bytes(bytes.data(), bytes.size());
      },
      nb::arg("attribute"),
      "Bytes of a dense or dense_resource attribute, little-endian.");

  m.def(
      "requant_fields",
      [](MlirAttribute attribute) {
        int32_t multiplier, shift, zeroPoint;
        bool wide;
        if (mlirLogicalResultIsFailure(tinyformerGetRequantFields(
                attribute, &multiplier, &shift, &zeroPoint, &wide)))
          throw nb::value_error("expected a #tinyattn.requant");
        return nb::make_tuple(multiplier, shift, zeroPoint, wide);
      },
      nb::arg("attribute"),
      "(multiplier, shift, zero_point, wide) of a #tinyattn.requant; the "
      "multiplier is 0 where the op has an operand for it.");

  m.def(
      "plan_memory",
      [](const std::vector<Buffer> &buffers) {
        Buffers b(buffers);
        std::vector<uint64_t> offsets(buffers.size());
        uint64_t arenaSize, lowerBound;
        tinyformerPlanMemory(buffers.size(), b.sizes.data(), b.starts.data(),
                             b.ends.data(), b.alignments.data(), offsets.data(),
                             &arenaSize, &lowerBound);
        return nb::make_tuple(offsets, arenaSize, lowerBound);
      },
      nb::arg("buffers"),
      "(offsets, arena size, lower bound) in bytes for buffers given as "
      "(size, start, end, alignment), lifetimes inclusive.");

  m.def(
      "spread_memory",
      [](const std::vector<Buffer> &buffers,
         const std::vector<uint64_t> &capacities) -> nb::object {
        Buffers b(buffers);
        std::vector<uint32_t> memories(buffers.size());
        std::vector<uint64_t> offsets(buffers.size()),
            arenaSizes(capacities.size()), lowerBounds(capacities.size());
        MlirLogicalResult result = tinyformerSpreadMemory(
            buffers.size(), b.sizes.data(), b.starts.data(), b.ends.data(),
            b.alignments.data(), capacities.size(), capacities.data(),
            memories.data(), offsets.data(), arenaSizes.data(),
            lowerBounds.data());
        if (mlirLogicalResultIsFailure(result))
          return nb::none();
        return nb::make_tuple(memories, offsets, arenaSizes, lowerBounds);
      },
      nb::arg("buffers"), nb::arg("capacities"),
      "(memories, offsets, arena sizes, lower bounds) for buffers as in "
      "plan_memory and memories of these capacities; None if no way was "
      "found.");

  m.def(
      "translate_to_llvmir",
      [](MlirOperation module) {
        std::string text;
        if (mlirLogicalResultIsFailure(
                tinyformerTranslateToLLVMIR(module, append, &text)))
          throw nb::value_error("the module is not in the llvm dialect");
        return text;
      },
      nb::arg("module"), "Textual LLVM IR of a module in the llvm dialect.");
}
