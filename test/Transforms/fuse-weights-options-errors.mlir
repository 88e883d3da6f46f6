// RUN: tinyformer-opt %s -tinyattn-fuse-weights=mode=perhaps -verify-diagnostics

// expected-error @+1 {{expected mode=auto, always or never and optimize=cycles or size, got mode=perhaps and optimize=cycles}}
func.func @nothing() {
  return
}
