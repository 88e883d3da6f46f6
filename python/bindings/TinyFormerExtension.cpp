// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the Python package needs beyond MLIR's own bindings.

#include "TinyFormer-c/TinyFormer.h"

#include "mlir/Bindings/Python/Nanobind.h"
#include "mlir/Bindings/Python/NanobindAdaptors.h"

namespace nb = nanobind;

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
