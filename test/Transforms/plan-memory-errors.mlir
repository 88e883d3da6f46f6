// RUN: tinyformer-opt %s -split-input-file -tinyattn-plan-memory -verify-diagnostics

#target = #tinyattn.target<name = "t", core = "c", isa = "i", cores = 1, memories = [
  <name = "sram1", kind = ram, size = 128, reserved = 64>,
  <name = "sram2", kind = ram, size = 32>]>

module attributes {tinyattn.target = #target} {
  // expected-error @below {{arena needs 184 bytes but 'sram1' holds 64 and 'sram2' holds 32, and it cannot be spread over them; the largest buffers are 'layer/scores' with 100 bytes, 'layer/query' with 40 bytes, an unnamed one with 30 bytes}}
  func.func @too_large(%x: memref<100xi8>, %t: memref<256xi8>) {
    %a = memref.alloc() : memref<10xi32> loc("layer/query")
    %b = memref.alloc() : memref<100xi8> loc("layer/query")
    %c = memref.alloc() : memref<30xi8>
    %d = memref.alloc() : memref<8xi8>
    tinyattn.lookup ins(%x, %t : memref<100xi8>, memref<256xi8>)
      outs(%b : memref<100xi8>) loc("layer/scores")
    func.call @use(%a, %b, %c, %d)
      : (memref<10xi32>, memref<100xi8>, memref<30xi8>, memref<8xi8>) -> ()
    return
  }
  func.func private @use(memref<10xi32>, memref<100xi8>, memref<30xi8>, memref<8xi8>)
}

// -----

// Together the memories are large enough, but no buffer can be cut.
module attributes {tinyattn.target = #tinyattn.target<name = "t", core = "c", isa = "i",
    cores = 1, memories = [<name = "a", kind = ram, size = 64>, <name = "b", kind = ram, size = 64>]>} {
  // expected-error @below {{arena needs 120 bytes but 'a' holds 64 and 'b' holds 64, and it cannot be spread over them; the largest buffers are an unnamed one with 40 bytes, an unnamed one with 40 bytes, an unnamed one with 40 bytes}}
  func.func @three_of_two(%x: memref<40xi8>) {
    %a = memref.alloc() : memref<40xi8>
    %b = memref.alloc() : memref<40xi8>
    %c = memref.alloc() : memref<40xi8>
    memref.copy %x, %a : memref<40xi8> to memref<40xi8>
    memref.copy %a, %b : memref<40xi8> to memref<40xi8>
    memref.copy %b, %c : memref<40xi8> to memref<40xi8>
    memref.copy %a, %x : memref<40xi8> to memref<40xi8>
    memref.copy %c, %x : memref<40xi8> to memref<40xi8>
    return
  }
}

// -----

module attributes {tinyattn.target = #tinyattn.target<name = "one", core = "c", isa = "i",
    cores = 1, memories = [<name = "a", kind = ram, size = 32>]>} {
  // expected-error @below {{arena needs 40 bytes but 'a' holds 32; the largest buffers are an unnamed one with 40 bytes}}
  func.func @one_memory(%x: memref<40xi8>) {
    %a = memref.alloc() : memref<40xi8>
    memref.copy %x, %a : memref<40xi8> to memref<40xi8>
    return
  }
}

// -----

module attributes {tinyattn.target = #tinyattn.target<name = "rom", core = "c", isa = "i",
    cores = 1, memories = [<name = "flash", kind = flash, size = 128>]>} {
  // expected-error @below {{arena needs 8 bytes but target 'rom' has no RAM}}
  func.func @no_ram() {
    return
  }
}

// -----

func.func @dynamic(%n: index) {
  // expected-error @below {{cannot place 'memref<?xi8>': its size is dynamic}}
  %a = memref.alloc(%n) : memref<?xi8>
  return
}

// -----

func.func @layout() {
  // expected-error @below {{cannot place 'memref<4xi8, strided<[2]>>': expects the identity layout and no memory space}}
  %a = memref.alloc() : memref<4xi8, strided<[2]>>
  return
}

// -----

func.func @memory_space() {
  // expected-error @below {{cannot place 'memref<4xi8, 1>': expects the identity layout and no memory space}}
  %a = memref.alloc() : memref<4xi8, 1>
  return
}

// -----

func.func @indices() {
  // expected-error @below {{cannot place 'memref<4xindex>': expects integers or floats}}
  %a = memref.alloc() : memref<4xindex>
  return
}

// -----

func.func @returned() -> memref<4xi8> {
  // expected-error @below {{outlives the region that allocates it}}
  %a = memref.alloc() : memref<4xi8>
  return %a : memref<4xi8>
}

// -----

func.func @yielded(%x: memref<4xi8>, %c: i1) {
  %r = scf.if %c -> memref<4xi8> {
    // expected-error @below {{outlives the region that allocates it}}
    %a = memref.alloc() : memref<4xi8>
    scf.yield %a : memref<4xi8>
  } else {
    scf.yield %x : memref<4xi8>
  }
  return
}

// -----

func.func @parallel(%x: memref<4xi8>) {
  scf.forall (%i) in (4) {
    // expected-error @below {{allocates in a parallel loop, whose iterations cannot share a buffer}}
    %a = memref.alloc() : memref<4xi8>
    memref.copy %x, %a : memref<4xi8> to memref<4xi8>
  }
  return
}

// -----

func.func @blocks_of_a_region(%x: memref<4xi8>) {
  scf.execute_region {
    // expected-error @below {{is used outside of the block that allocates it}}
    %a = memref.alloc() : memref<4xi8>
    cf.br ^next
  ^next:
    memref.copy %x, %a : memref<4xi8> to memref<4xi8>
    scf.yield
  }
  return
}

// -----

func.func @main() {
  return
}
func.func private @helper() {
  // expected-error @below {{allocates outside of the public function}}
  %a = memref.alloc() : memref<4xi8>
  return
}

// -----

// expected-error @below {{expects one public function to plan, got 2}}
module {
  func.func @first() {
    return
  }
  func.func @second() {
    return
  }
}

// -----

// expected-error @below {{expects one block, got 2}}
func.func @two_blocks() {
  cf.br ^next
^next:
  return
}
