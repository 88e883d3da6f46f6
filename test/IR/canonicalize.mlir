// RUN: tinyformer-opt %s -canonicalize | FileCheck %s

// A table for each function would be 256 numbers: a resource spells the
// identity, a splat the constant function.

// CHECK-LABEL: @identity_table
// CHECK-SAME: (%[[X:[^:]*]]: tensor<4xi8>
func.func @identity_table(%x: tensor<4xi8>, %i: tensor<4xi8>) -> tensor<4xi8> {
  // CHECK: return %[[X]]
  %t = arith.constant dense_resource<identity> : tensor<256xi8>
  %y = tinyattn.lookup ins(%x, %t : tensor<4xi8>, tensor<256xi8>)
    outs(%i : tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// CHECK-LABEL: @identity_function
// CHECK-SAME: (%[[X:[^:]*]]: tensor<4xf32>
func.func @identity_function(%x: tensor<4xf32>, %i: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: return %[[X]]
  %y = tinyattn.lookup ins(%x : tensor<4xf32>) outs(%i : tensor<4xf32>)
    {function = #tinyattn.function<identity>} -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// CHECK-LABEL: @factor_stays
func.func @factor_stays(%x: tensor<4xf32>, %i: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: tinyattn.lookup
  %y = tinyattn.lookup ins(%x : tensor<4xf32>) outs(%i : tensor<4xf32>)
    {factor = 2.0 : f32, function = #tinyattn.function<identity>} -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// T1 is 3 everywhere and T2 negates, so T2∘T1 is -3 everywhere.
// CHECK-LABEL: @compose_tables
// CHECK-SAME: (%[[X:[^:]*]]: tensor<4xi8>
func.func @compose_tables(%x: tensor<4xi8>, %i: tensor<4xi8>) -> tensor<4xi8> {
  // CHECK: %[[T:.*]] = arith.constant dense_resource<table> : tensor<256xi8>
  // CHECK: %[[Y:.*]] = tinyattn.lookup ins(%[[X]], %[[T]]
  // CHECK: return %[[Y]]
  %three = arith.constant dense<3> : tensor<256xi8>
  %negated = arith.constant dense_resource<negated> : tensor<256xi8>
  %z = tinyattn.lookup ins(%x, %three : tensor<4xi8>, tensor<256xi8>)
    outs(%i : tensor<4xi8>) -> tensor<4xi8>
  %y = tinyattn.lookup ins(%z, %negated : tensor<4xi8>, tensor<256xi8>)
    outs(%i : tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// CHECK-LABEL: @repeated_relu
func.func @repeated_relu(%x: tensor<4xf32>, %i: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: %[[Y:.*]] = tinyattn.lookup
  // CHECK-NEXT: return %[[Y]]
  %y = tinyattn.lookup ins(%x : tensor<4xf32>) outs(%i : tensor<4xf32>)
    {function = #tinyattn.function<relu>} -> tensor<4xf32>
  %z = tinyattn.lookup ins(%y : tensor<4xf32>) outs(%i : tensor<4xf32>)
    {function = #tinyattn.function<relu>} -> tensor<4xf32>
  return %z : tensor<4xf32>
}

// The resources are printed after the ops: every byte of the composition is
// -3.
// CHECK: table: "0x{{[0-9A-F]*}}FDFDFDFD

{-#
  dialect_resources: {
    builtin: {
      identity: "0x01000000808182838485868788898A8B8C8D8E8F909192939495969798999A9B9C9D9E9FA0A1A2A3A4A5A6A7A8A9AAABACADAEAFB0B1B2B3B4B5B6B7B8B9BABBBCBDBEBFC0C1C2C3C4C5C6C7C8C9CACBCCCDCECFD0D1D2D3D4D5D6D7D8D9DADBDCDDDEDFE0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F606162636465666768696A6B6C6D6E6F707172737475767778797A7B7C7D7E7F",
      negated: "0x01000000807F7E7D7C7B7A797877767574737271706F6E6D6C6B6A696867666564636261605F5E5D5C5B5A595857565554535251504F4E4D4C4B4A494847464544434241403F3E3D3C3B3A393837363534333231302F2E2D2C2B2A292827262524232221201F1E1D1C1B1A191817161514131211100F0E0D0C0B0A09080706050403020100FFFEFDFCFBFAF9F8F7F6F5F4F3F2F1F0EFEEEDECEBEAE9E8E7E6E5E4E3E2E1E0DFDEDDDCDBDAD9D8D7D6D5D4D3D2D1D0CFCECDCCCBCAC9C8C7C6C5C4C3C2C1C0BFBEBDBCBBBAB9B8B7B6B5B4B3B2B1B0AFAEADACABAAA9A8A7A6A5A4A3A2A1A09F9E9D9C9B9A999897969594939291908F8E8D8C8B8A898887868584838281"
    }
  }
#-}
