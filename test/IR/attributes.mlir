// RUN: tinyformer-opt %s -split-input-file -verify-roundtrip | FileCheck %s

// CHECK: #tinyattn.target<name = "stm32l4", core = "cortex-m4", isa = "armv7e-m", cores = 1,
// CHECK-SAME: <name = "sram1", kind = ram, size = 98304, reserved = 4096>
module attributes {tinyattn.target = #tinyattn.target<name = "stm32l4",
    core = "cortex-m4", isa = "armv7e-m", cores = 1, memories = [
      <name = "sram1", kind = ram, size = 98304, reserved = 4096>,
      <name = "flash", kind = flash, size = 1048576>]>} {
  // CHECK: tinyattn.range = array<f64: -1.000000e+00, 1.000000e+00>
  // CHECK: tinyattn.scale = 7.812500e-03 : f64, tinyattn.zero_point = -3 : i32
  // CHECK: tinyattn.arena = "sram1", tinyattn.arena_lower_bound = 64 : i64
  func.func @network(
      %x: tensor<4xf32> {tinyattn.range = array<f64: -1.0, 1.0>},
      %y: tensor<4xi8> {tinyattn.scale = 0.0078125 : f64, tinyattn.zero_point = -3 : i32},
      %z: memref<64xi8> {tinyattn.arena = "sram1", tinyattn.arena_lower_bound = 64 : i64}) {
    return
  }
}

// -----

// CHECK: dma = <far = "l2", setup_cycles = 15, bytes_per_cycle = 8>
module attributes {tinyattn.target = #tinyattn.target<name = "gap9",
    core = "ri5cy", isa = "xpulpv2", cores = 8, memories = [
      <name = "l1", kind = ram, size = 131072>,
      <name = "l2", kind = ram, size = 1572864>],
    dma = <far = "l2", setup_cycles = 15, bytes_per_cycle = 8>>} {
}
