// RUN: tinyformer-opt %s -split-input-file -tinyformer-llvm | FileCheck %s

// Memrefs are bare pointers, `index` is as wide as the data layout says.
module attributes {dlti.dl_spec = #dlti.dl_spec<index = 32 : i64>} {
  // CHECK-LABEL: llvm.func @sum(
  // CHECK-SAME: %[[X:[^:]*]]: !llvm.ptr, %[[Y:[^:]*]]: !llvm.ptr)
  func.func @sum(%x: memref<8xi32>, %y: memref<1xi32>) {
    // CHECK: llvm.icmp "slt" %{{.*}}, %{{.*}} : i32
    // CHECK: %[[P:.*]] = llvm.getelementptr inbounds|nuw %[[X]][%{{.*}}] : (!llvm.ptr, i32) -> !llvm.ptr, i32
    // CHECK: llvm.load %[[P]] : !llvm.ptr -> i32
    // CHECK-NOT: i64
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %zero = arith.constant 0 : i32
    %sum = scf.for %i = %c0 to %c8 step %c1 iter_args(%acc = %zero) -> (i32) {
      %v = memref.load %x[%i] : memref<8xi32>
      %next = arith.addi %acc, %v : i32
      scf.yield %next : i32
    }
    memref.store %sum, %y[%c0] : memref<1xi32>
    return
  }
}

// -----

// CHECK-LABEL: llvm.func @sixty_four(
func.func @sixty_four(%x: memref<8xi8>, %i: index) -> i8 {
  // CHECK: llvm.getelementptr {{.*}} : (!llvm.ptr, i64) -> !llvm.ptr, i8
  %v = memref.load %x[%i] : memref<8xi8>
  return %v : i8
}

// -----

// The pointer is the buffer's begin on both sides of a call; the offset is in
// the type, and the callee adds it.
// CHECK-LABEL: llvm.func @caller(
// CHECK-SAME: %[[X:[^:]*]]: !llvm.ptr
// CHECK: llvm.call @callee(%[[X]])
// CHECK-LABEL: llvm.func @callee(
// CHECK-SAME: %[[X:[^:]*]]: !llvm.ptr
// CHECK-SAME: passthrough = ["noinline"]
// CHECK: %[[P:.*]] = llvm.getelementptr %[[X]][5]
// CHECK: llvm.load %[[P]]
func.func @caller(%x: memref<8xi8>) -> i8 {
  %a = memref.subview %x[5] [2] [1] : memref<8xi8> to memref<2xi8, strided<[1], offset: 5>>
  %v = func.call @callee(%a) : (memref<2xi8, strided<[1], offset: 5>>) -> i8
  return %v : i8
}
func.func private @callee(%x: memref<2xi8, strided<[1], offset: 5>>) -> i8
    attributes {passthrough = ["noinline"]} {
  %c0 = arith.constant 0 : index
  %v = memref.load %x[%c0] : memref<2xi8, strided<[1], offset: 5>>
  return %v : i8
}

// -----

// On XpulpV2, private functions share the registers of their callers: LLVM
// knows all calls, of which none is a jump. Others do not.

#gap9 = #tinyattn.target<name = "gap9", core = "ri5cy", isa = "xpulpv2",
  cores = 8, memories = [<name = "l1", kind = ram, size = 131072>]>

module attributes {tinyattn.target = #gap9} {
  // CHECK-LABEL: llvm.func @net(
  // CHECK-NOT: passthrough
  // CHECK: llvm.call @tf_barrier() : () -> ()
  // CHECK: llvm.call notail @net_layer(
  func.func @net(%x: memref<8xi8>) {
    call @tf_barrier() : () -> ()
    call @net_layer(%x) : (memref<8xi8>) -> ()
    return
  }
  // CHECK-LABEL: llvm.func internal @net_layer(
  // CHECK-SAME: passthrough = ["noinline", "norecurse"]
  func.func private @net_layer(%x: memref<8xi8>)
      attributes {passthrough = ["noinline"]} {
    return
  }
  // CHECK: llvm.func @tf_barrier()
  func.func private @tf_barrier()
}

// -----

#stm32l4 = #tinyattn.target<name = "stm32l4", core = "cortex-m4", isa = "armv7e-m",
  cores = 1, memories = [<name = "ram", kind = ram, size = 131072>]>

module attributes {tinyattn.target = #stm32l4} {
  // CHECK-LABEL: llvm.func @net(
  // CHECK: llvm.call @net_layer(
  func.func @net(%x: memref<8xi8>) {
    call @net_layer(%x) : (memref<8xi8>) -> ()
    return
  }
  // CHECK: llvm.func @net_layer(
  // CHECK-SAME: passthrough = ["noinline"], sym_visibility
  func.func private @net_layer(%x: memref<8xi8>)
      attributes {passthrough = ["noinline"]} {
    return
  }
}

// -----

// Loops that shall stay loops say so to LLVM.
// CHECK: #[[ROLLED:.*]] = #llvm.loop_annotation<unroll = {{.*}}>
// CHECK-LABEL: llvm.func @rolled
// CHECK: llvm.br ^{{.*}} {loop_annotation = #[[ROLLED]]}
func.func @rolled(%stop: i1) {
  cf.br ^bb1
^bb1:
  cf.cond_br %stop, ^bb2, ^bb3
^bb2:
  cf.br ^bb1 {llvm.loop_annotation = #llvm.loop_annotation<unroll = <disable = true>>}
^bb3:
  return
}
