// RUN: tinyformer-opt %s -split-input-file -tinyattn-dispatch-cores -verify-diagnostics

#gap9 = #tinyattn.target<name = "gap9", core = "ri5cy", isa = "xpulpv2",
  cores = 8, memories = [<name = "l1", kind = ram, size = 131072>]>

module attributes {tinyattn.target = #gap9} {
  func.func @net(%y: memref<8xi32>) {
    call @layer(%y) : (memref<8xi32>) -> ()
    return
  }

  func.func private @layer(%y: memref<8xi32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : i32
    // expected-error@+1 {{writes on every core: it is neither inside of the layer's scf.forall nor without one}}
    memref.store %c1, %y[%c0] : memref<8xi32>
    // This one is OK.
    scf.forall (%core) in (8) {
      memref.store %c1, %y[%core] : memref<8xi32>
    }
    return
  }
}

// -----

#gap9 = #tinyattn.target<name = "gap9", core = "ri5cy", isa = "xpulpv2",
  cores = 8, memories = [<name = "l1", kind = ram, size = 131072>]>

module attributes {tinyattn.target = #gap9} {
  func.func @net(%y: memref<8xi32>) {
    call @layer(%y) : (memref<8xi32>) -> ()
    return
  }

  func.func private @layer(%y: memref<8xi32>) {
    %c1 = arith.constant 1 : i32
    // expected-error@+1 {{must run from 0 to 8, the target's number of cores, without results}}
    scf.forall (%core) in (7) {
      memref.store %c1, %y[%core] : memref<8xi32>
    }
    return
  }
}

// -----

#gap9 = #tinyattn.target<name = "gap9", core = "ri5cy", isa = "xpulpv2",
  cores = 8, memories = [<name = "l1", kind = ram, size = 131072>]>

module attributes {tinyattn.target = #gap9} {
  func.func @net(%y: memref<8xi32>, %n: index) {
    call @layer(%y, %n) : (memref<8xi32>, index) -> ()
    return
  }

  func.func private @layer(%y: memref<8xi32>, %n: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %one = arith.constant 1 : i32
    scf.for %i = %c0 to %n step %c1 {
      // expected-error@+1 {{is in a loop, where cores cannot meet}}
      scf.forall (%core) in (8) {
        memref.store %one, %y[%core] : memref<8xi32>
      }
    }
    return
  }
}
