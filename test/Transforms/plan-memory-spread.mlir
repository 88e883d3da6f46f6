// RUN: tinyformer-opt %s -split-input-file -tinyattn-plan-memory=explain | FileCheck %s

#target = #tinyattn.target<name = "t", core = "c", isa = "i", cores = 1, memories = [
  <name = "flash", kind = flash, size = 4096>,
  <name = "near", kind = ram, size = 64>,
  <name = "far", kind = ram, size = 128, reserved = 64>]>

// Neither memory holds both buffers: each has an arena. The third buffer lies
// where the first was.
// CHECK-LABEL: @two_arenas
// CHECK-SAME: %[[NEAR:[^:]*]]: memref<64xi8> {tinyattn.arena = "near", tinyattn.arena_lower_bound = 64 : i64}
// CHECK-SAME: %[[FAR:[^:]*]]: memref<48xi8> {tinyattn.arena = "far", tinyattn.arena_lower_bound = 48 : i64}
// CHECK-SAME: memory = "far"
module attributes {tinyattn.target = #target} {
  func.func @two_arenas(%x: memref<64xi8>, %y: memref<48xi8>) {
    // CHECK: memref.view %[[NEAR]]{{.*}} to memref<64xi8>
    // CHECK: memref.view %[[FAR]]{{.*}} to memref<48xi8>
    // CHECK: memref.view %[[NEAR]]{{.*}} to memref<64xi8>
    %a = memref.alloc() : memref<64xi8>
    %b = memref.alloc() : memref<48xi8>
    %c = memref.alloc() : memref<64xi8>
    memref.copy %x, %a : memref<64xi8> to memref<64xi8>
    memref.copy %y, %b : memref<48xi8> to memref<48xi8>
    memref.copy %a, %x : memref<64xi8> to memref<64xi8>
    memref.copy %x, %c : memref<64xi8> to memref<64xi8>
    memref.copy %c, %x : memref<64xi8> to memref<64xi8>
    memref.copy %b, %y : memref<48xi8> to memref<48xi8>
    return
  }
}

// -----

#target = #tinyattn.target<name = "t", core = "c", isa = "i", cores = 1, memories = [
  <name = "small", kind = ram, size = 64>,
  <name = "large", kind = ram, size = 128>]>

// What one memory holds stays together, also if it is not the first.
// CHECK-LABEL: @together
// CHECK-SAME: memref<112xi8> {tinyattn.arena = "large", tinyattn.arena_lower_bound = 112 : i64})
module attributes {tinyattn.target = #target} {
  func.func @together(%x: memref<64xi8>, %y: memref<48xi8>) {
    %a = memref.alloc() : memref<64xi8>
    %b = memref.alloc() : memref<48xi8>
    memref.copy %x, %a : memref<64xi8> to memref<64xi8>
    memref.copy %y, %b : memref<48xi8> to memref<48xi8>
    memref.copy %a, %x : memref<64xi8> to memref<64xi8>
    return
  }
}

// -----

#target = #tinyattn.target<name = "t", core = "c", isa = "i", cores = 1, memories = [
  <name = "full", kind = ram, size = 64, reserved = 60>,
  <name = "free", kind = ram, size = 64>]>

// There is an arena even if nothing lies in it, where there is room for it.
// CHECK-LABEL: @nothing
// CHECK-SAME: memref<8xi8> {tinyattn.arena = "free", tinyattn.arena_lower_bound = 0 : i64}
module attributes {tinyattn.target = #target} {
  func.func @nothing() {
    return
  }
}
