// RUN: tinyformer-opt %s -split-input-file -tinyattn-dispatch-cores | FileCheck %s

// Every core runs the network. It asks for its number where cores share a
// layer, and waits for the others behind it.

#gap9 = #tinyattn.target<name = "gap9", core = "ri5cy", isa = "xpulpv2",
  cores = 8, memories = [<name = "l1", kind = ram, size = 131072>]>

module attributes {tinyattn.target = #gap9} {
  // CHECK-LABEL: func.func @net(
  // CHECK-NEXT: call @net_fill(
  // CHECK-NEXT: call @net_first(
  // CHECK-NEXT: return
  func.func @net(%y: memref<8xi32>) {
    call @net_fill(%y) : (memref<8xi32>) -> ()
    call @net_first(%y) : (memref<8xi32>) -> ()
    return
  }

  // CHECK-LABEL: func.func private @net_fill(
  // CHECK-SAME: %[[Y:.*]]: memref<8xi32>)
  // CHECK-DAG: %[[C1:.*]] = arith.constant 1 : i32
  // CHECK-DAG: %[[NUMBER:.*]] = call @tf_core_id() : () -> i32
  // CHECK: %[[CORE:.*]] = arith.index_castui %[[NUMBER]] : i32 to index
  // CHECK-NOT: scf.forall
  // CHECK: memref.store %[[C1]], %[[Y]][%[[CORE]]]
  // CHECK-NEXT: call @tf_barrier() : () -> ()
  // CHECK-NEXT: return
  func.func private @net_fill(%y: memref<8xi32>) {
    %c1 = arith.constant 1 : i32
    scf.forall (%core) in (8) {
      memref.store %c1, %y[%core] : memref<8xi32>
    }
    return
  }

  // What is not parallel, core 0 does alone.
  // CHECK-LABEL: func.func private @net_first(
  // CHECK: %[[C0:.*]] = arith.constant 0 : index
  // CHECK: call @tf_core_id
  // CHECK: %[[IS_FIRST:.*]] = arith.cmpi eq, %{{.*}}, %[[C0]] : index
  // CHECK: scf.if %[[IS_FIRST]] {
  // CHECK: memref.store
  // CHECK: }
  // CHECK-NEXT: call @tf_barrier
  // CHECK-NEXT: return
  func.func private @net_first(%y: memref<8xi32>) {
    %c2 = arith.constant 2 : i32
    %c0 = arith.constant 0 : index
    memref.store %c2, %y[%c0] : memref<8xi32>
    return
  }
  // CHECK-DAG: func.func private @tf_core_id() -> i32
  // CHECK-DAG: func.func private @tf_barrier()
}

// -----

// One core has nobody to wait for.

#gap9 = #tinyattn.target<name = "gap9", core = "ri5cy", isa = "xpulpv2",
  cores = 1, memories = [<name = "l1", kind = ram, size = 131072>]>

module attributes {tinyattn.target = #gap9} {
  func.func @net(%y: memref<8xi32>) {
    call @net_first(%y) : (memref<8xi32>) -> ()
    return
  }

  // CHECK-LABEL: func.func private @net_first(
  // CHECK-NOT: tf_
  func.func private @net_first(%y: memref<8xi32>) {
    %c2 = arith.constant 2 : i32
    %c0 = arith.constant 0 : index
    memref.store %c2, %y[%c0] : memref<8xi32>
    return
  }
}
