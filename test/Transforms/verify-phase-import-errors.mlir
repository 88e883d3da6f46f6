// RUN: tinyformer-opt %s -split-input-file -tinyattn-verify-phase=phase=import -verify-diagnostics
// RUN: tinyformer-opt %s -split-input-file -tinyattn-verify-phase=phase=fuse -verify-diagnostics

// This one is OK.
func.func @network(%x: tensor<4xf32>) -> tensor<1x4xf32> {
  %y = tensor.expand_shape %x [[0, 1]] output_shape [1, 4] : tensor<4xf32> into tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}

func.func @arithmetic(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{'arith.addf' is illegal after phase}}
  %y = arith.addf %x, %x : tensor<4xf32>
  return %y : tensor<4xf32>
}
