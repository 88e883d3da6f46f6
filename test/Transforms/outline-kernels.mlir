// RUN: tinyformer-opt %s -split-input-file -tinyattn-outline-kernels | FileCheck %s

memref.global "private" constant @table : memref<256xi8> = dense<1>
memref.global "private" constant @other : memref<256xi8> = dense<2>

// The table moves into the function; the function's name is the layer's.
// CHECK-LABEL: func.func @digits(
// CHECK-SAME: %[[X:[^:]*]]: memref<8xi8>, %[[Y:[^:]*]]: memref<8xi8>)
// CHECK-NOT: get_global
// CHECK: call @digits_blocks_0_attn_query_lookup(%[[X]], %[[Y]]) : (memref<8xi8>, memref<8xi8>) -> ()
// CHECK: call @digits_copy(%[[Y]], %[[X]])
// CHECK: return
// CHECK: func.func private @digits_blocks_0_attn_query_lookup(
// CHECK-SAME: %[[A:[^:]*]]: memref<8xi8>, %[[B:[^:]*]]: memref<8xi8>)
// CHECK-SAME: attributes {passthrough = ["noinline"]}
// CHECK-NEXT: %[[T:.*]] = memref.get_global @table
// CHECK-NEXT: tinyattn.lookup ins(%[[A]], %[[T]] : {{.*}}) outs(%[[B]] : memref<8xi8>)
// CHECK-NEXT: return
// CHECK: func.func private @digits_copy(
// CHECK: memref.copy
func.func @digits(%x: memref<8xi8>, %y: memref<8xi8>) {
  %t = memref.get_global @table : memref<256xi8>
  tinyattn.lookup ins(%x, %t : memref<8xi8>, memref<256xi8>)
    outs(%y : memref<8xi8>) loc("/blocks.0/attn/query")
  memref.copy %y, %x : memref<8xi8> to memref<8xi8>
  return
}

// -----

// A buffer that is read and written is one argument.
// CHECK-LABEL: @in_place(
// CHECK: call @in_place_lookup(%{{[^,]*}}, %{{[^,]*}}) : (memref<8xi8>, memref<256xi8>) -> ()
// CHECK: func.func private @in_place_lookup(%[[X:[^:]*]]: memref<8xi8>, %[[T:[^:]*]]: memref<256xi8>)
// CHECK: tinyattn.lookup ins(%[[X]], %[[T]] : {{.*}}) outs(%[[X]] :
func.func @in_place(%x: memref<8xi8>, %t: memref<256xi8>) {
  tinyattn.lookup ins(%x, %t : memref<8xi8>, memref<256xi8>) outs(%x : memref<8xi8>)
  return
}

// -----

// Names that are taken get a number; a layout stays in the argument's type.
// CHECK-LABEL: @layouts(
// CHECK: call @layouts_copy_{{[0-9]+}}(%{{.*}}, %{{.*}}) : (memref<2xi8, strided<[1]>>, memref<2xi8, strided<[1], offset: 6>>)
// CHECK: call @layouts_copy_{{[0-9]+}}(
func.func @layouts(%x: memref<8xi8>) {
  %a = memref.subview %x[0] [2] [1] : memref<8xi8> to memref<2xi8, strided<[1]>>
  %b = memref.subview %x[6] [2] [1] : memref<8xi8> to memref<2xi8, strided<[1], offset: 6>>
  memref.copy %a, %b : memref<2xi8, strided<[1]>> to memref<2xi8, strided<[1], offset: 6>>
  memref.copy %a, %b : memref<2xi8, strided<[1]>> to memref<2xi8, strided<[1], offset: 6>>
  return
}
func.func private @layouts_copy(memref<8xi8>)

// -----

// What is in a loop is outlined where it is.
// CHECK-LABEL: @loop(
// CHECK: scf.for
// CHECK-NEXT: call @loop_copy
func.func @loop(%x: memref<8xi8>, %y: memref<8xi8>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %c0 to %c4 step %c1 {
    memref.copy %x, %y : memref<8xi8> to memref<8xi8>
  }
  return
}

// -----

// What is sliced at an offset that is known at run time only goes as a whole,
// with the offset: a bare pointer cannot carry it. Slices of slices and of
// constants too.
memref.global "private" constant @w : memref<8xi8> = dense<1>

// CHECK-LABEL: func.func @dynamic_offsets
// CHECK-SAME: (%[[X:.*]]: memref<8x4xi8>, %[[N:.*]]: index, %[[Y:.*]]: memref<4xi8>)
// CHECK-NOT: subview
// CHECK: call @[[ADD:.*]](%[[X]], %[[N]], %[[Y]]) : (memref<8x4xi8>, index, memref<4xi8>)
// CHECK: func.func private @[[ADD]](%[[KX:.*]]: memref<8x4xi8>, %[[KN:.*]]: index, %[[KY:.*]]: memref<4xi8>)
// CHECK: %[[ROW:.*]] = memref.subview %[[KX]][%[[KN]], 0]
// CHECK: %[[A:.*]] = memref.subview %[[ROW]][0, 0]
// CHECK: %[[W:.*]] = memref.get_global @w
// CHECK: %[[B:.*]] = memref.subview %[[W]][%[[KN]]]
// CHECK: tinyattn.add ins(%[[A]], %[[B]] :
func.func @dynamic_offsets(%x: memref<8x4xi8>, %n: index, %y: memref<4xi8>) {
  %r = memref.subview %x[%n, 0] [1, 4] [1, 1]
    : memref<8x4xi8> to memref<1x4xi8, strided<[4, 1], offset: ?>>
  %a = memref.subview %r[0, 0] [1, 4] [1, 1]
    : memref<1x4xi8, strided<[4, 1], offset: ?>> to memref<4xi8, strided<[1], offset: ?>>
  %w = memref.get_global @w : memref<8xi8>
  %b = memref.subview %w[%n] [4] [1] : memref<8xi8> to memref<4xi8, strided<[1], offset: ?>>
  tinyattn.add ins(%a, %b : memref<4xi8, strided<[1], offset: ?>>, memref<4xi8, strided<[1], offset: ?>>)
    outs(%y : memref<4xi8>)
    {multipliers = array<i32: 1, 1>, offset = 0 : i32, requant = #tinyattn.requant<shift = 1>}
  return
}
