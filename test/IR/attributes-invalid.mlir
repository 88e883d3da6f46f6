// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

// This one is OK.
func.func private @range(tensor<4xf32> {tinyattn.range = array<f64: -1.0, 1.0>})

// expected-error @below {{'func.func' op tinyattn.range must be array<f64: low, high>}}
func.func private @range_of_one(tensor<4xf32> {tinyattn.range = array<f64: 1.0>})

// -----

// expected-error @below {{tinyattn.range must be array<f64: low, high>}}
func.func private @range_of_integers(tensor<4xf32> {tinyattn.range = array<i64: 0, 1>})

// -----

// expected-error @below {{tinyattn.range has low 2.000000e+00 above high 1.000000e+00}}
func.func private @range_upside_down(tensor<4xf32> {tinyattn.range = array<f64: 2.0, 1.0>})

// -----

// expected-error @below {{'func.func' op tinyattn.scores_range must be array<f64: low, high>}}
func.func private @scores_range() attributes {tinyattn.scores_range = 1.0 : f64}

// -----

// This one is OK.
func.func private @absmax() attributes {tinyattn.query_absmax = array<f64: 1.0, 0.0>}

// expected-error @below {{'func.func' op tinyattn.key_absmax must be array<f64: ...>, one value a head}}
func.func private @absmax_of_floats() attributes {tinyattn.key_absmax = array<f32: 1.0>}

// -----

// expected-error @below {{tinyattn.value_absmax holds -1.000000e+00, expected no negative value}}
func.func private @negative_absmax() attributes {tinyattn.value_absmax = array<f64: 1.0, -1.0>}

// -----

// This one is OK.
func.func private @quantized(
  tensor<4xi8> {tinyattn.scale = 0.5 : f64, tinyattn.zero_point = -128 : i32})

// expected-error @below {{'func.func' op tinyattn.scale must be a positive f64}}
func.func private @scale_zero(tensor<4xi8> {tinyattn.scale = 0.0 : f64})

// -----

// expected-error @below {{tinyattn.scale must be a positive f64}}
func.func private @scale_of_f32(tensor<4xi8> {tinyattn.scale = 0.5 : f32})

// -----

// expected-error @below {{tinyattn.zero_point must be an i32 within [-128, 127]}}
func.func private @zero_point_too_large(tensor<4xi8> {tinyattn.zero_point = 128 : i32})

// -----

// expected-error @below {{tinyattn.zero_point must be an i32 within [-128, 127]}}
func.func private @zero_point_of_i64() -> (tensor<4xi8> {tinyattn.zero_point = 0 : i64})

// -----

// This one is OK.
func.func private @arena(
  memref<64xi8> {tinyattn.arena = "sram1", tinyattn.arena_lower_bound = 0 : i64})

// expected-error @below {{'func.func' op tinyattn.arena must be a string, the memory's name}}
func.func private @arena_of_integer(memref<64xi8> {tinyattn.arena = 1 : i32})

// -----

// expected-error @below {{tinyattn.arena_lower_bound must be an i64 that is not negative}}
func.func private @negative_bound(memref<64xi8> {tinyattn.arena_lower_bound = -1 : i64})

// -----

// expected-error @below {{tinyattn.arena_lower_bound must be an i64 that is not negative}}
func.func private @bound_of_i32(memref<64xi8> {tinyattn.arena_lower_bound = 1 : i32})

// -----

// expected-error @below {{unknown attribute tinyattn.colour on a function argument or result}}
func.func private @unknown_on_argument(tensor<4xi8> {tinyattn.colour = "red"})

// -----

// expected-error @below {{'func.func' op has unknown attribute tinyattn.colour}}
func.func private @unknown_on_op() attributes {tinyattn.colour = "red"}

// -----

// This one is OK.
module attributes {tinyattn.target = #tinyattn.target<name = "t", core = "c", isa = "i",
    cores = 1, memories = [<name = "ram", kind = ram, size = 64, reserved = 64>]>} {}

// expected-error @below {{'func.func' op tinyattn.target must be a #tinyattn.target on a module}}
func.func private @target_on_function() attributes {tinyattn.target = #tinyattn.target<
  name = "t", core = "c", isa = "i", cores = 1,
  memories = [<name = "ram", kind = ram, size = 64>]>}

// -----

// expected-error @below {{'builtin.module' op tinyattn.target must be a #tinyattn.target on a module}}
module attributes {tinyattn.target = "stm32l4"} {}

// -----

// This one is OK.
func.func private @requant() attributes {a = #tinyattn.requant<shift = 30, zero_point = 127>,
  b = #tinyattn.requant<shift = 54, wide = true>}

// expected-error @below {{shift must lie in [1, 30], got 31}}
func.func private @shift() attributes {a = #tinyattn.requant<shift = 31>}

// -----

// expected-error @below {{shift must lie in [1, 30], got 0}}
func.func private @no_shift() attributes {a = #tinyattn.requant<shift = 0>}

// -----

// expected-error @below {{shift must lie in [1, 54], got 55}}
func.func private @wide_shift() attributes {a = #tinyattn.requant<shift = 55, wide = true>}

// -----

// expected-error @below {{zero point must lie in [-128, 127], got -129}}
func.func private @zero_point() attributes {a = #tinyattn.requant<shift = 3, zero_point = -129>}

// -----

// expected-error @below {{multiplier must not be negative, got -1}}
func.func private @multiplier() attributes {a = #tinyattn.requant<multiplier = -1, shift = 3>}

// -----

// expected-error @below {{a memory needs a name}}
func.func private @unnamed() attributes {a = #tinyattn.memory<name = "", kind = ram, size = 64>}

// -----

// expected-error @+2 {{memory 'ram' reserves 65 bytes but holds 64}}
func.func private @reserved() attributes {
  a = #tinyattn.memory<name = "ram", kind = ram, size = 64, reserved = 65>}

// -----

// expected-error @+2 {{a target needs at least 1 core, got 0}}
func.func private @no_core() attributes {
  a = #tinyattn.target<name = "t", core = "c", isa = "i", cores = 0,
    memories = [<name = "ram", kind = ram, size = 64>]>}

// -----

// expected-error @+2 {{two memories are called 'ram'}}
func.func private @same_name() attributes {
  a = #tinyattn.target<name = "t", core = "c", isa = "i", cores = 1, memories = [
    <name = "ram", kind = ram, size = 64>, <name = "ram", kind = flash, size = 64>]>}

// -----

// This one is OK.
func.func @schedules() attributes {tinyattn.schedules = [{rows = 2 : i64}]} {
  return
}

// expected-error @below {{tinyattn.schedules must be an array on a function}}
func.func @schedules_type() attributes {tinyattn.schedules = 2 : i64} {
  return
}

// -----

// This one is OK.
func.func @plan() attributes {tinyattn.plan = {steps = [], buffers = []}} {
  return
}

// expected-error @below {{tinyattn.plan must be a dictionary on a function}}
func.func @plan_type() attributes {tinyattn.plan = []} {
  return
}

// -----

// expected-error @+2 {{the DMA needs a second memory, but 'l2' is none of the target's}}
func.func private @dma_memory() attributes {
  a = #tinyattn.target<name = "t", core = "c", isa = "i", cores = 1, memories = [
    <name = "l1", kind = ram, size = 64>],
    dma = <far = "l2", setup_cycles = 15, bytes_per_cycle = 8>>}

// -----

// expected-error @+2 {{a DMA moves at least 1 byte a cycle}}
func.func private @dma_stands() attributes {
  a = #tinyattn.dma<far = "l2", setup_cycles = 15, bytes_per_cycle = 0>}

// -----

// This one is OK.
func.func private @weight_scales() attributes {tinyattn.weight_scales = array<f64: 1.0, 0.5>}

// expected-error @below {{'func.func' op tinyattn.weight_scales must be array<f64: ...>, one value a row}}
func.func private @weight_scales_of_floats() attributes {tinyattn.weight_scales = array<f32: 1.0>}

// -----

// expected-error @below {{tinyattn.weight_scales holds 0.000000e+00, expected positive values}}
func.func private @weight_scale_zero() attributes {tinyattn.weight_scales = array<f64: 1.0, 0.0>}
