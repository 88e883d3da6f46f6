// RUN: tinyformer-opt %s -split-input-file -verify-diagnostics

func.func @embedding_valid(%ids: tensor<5xi32>, %t: tensor<30x8xi8>, %y: tensor<5x8xi8>) {
  // This one is OK.
  %results = tinyattn.embedding ins(%ids, %t : tensor<5xi32>, tensor<30x8xi8>)
    outs(%y : tensor<5x8xi8>) -> tensor<5x8xi8>
  return
}

func.func @embedding_valid_f32(%ids: tensor<5xi32>, %t: tensor<30x8xf32>, %y: tensor<5x8xf32>) {
  // This one is OK.
  %results = tinyattn.embedding ins(%ids, %t : tensor<5xi32>, tensor<30x8xf32>)
    outs(%y : tensor<5x8xf32>) -> tensor<5x8xf32>
  return
}

func.func @embedding_two_destinations(%ids: tensor<5xi32>, %t: tensor<30x8xi8>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.embedding' op expects 1 destination, got 2}}
  %results:2 = tinyattn.embedding ins(%ids, %t : tensor<5xi32>, tensor<30x8xi8>)
    outs(%y, %y : tensor<5x8xi8>, tensor<5x8xi8>) -> tensor<5x8xi8>, tensor<5x8xi8>
  return
}

// -----

func.func @embedding_ids_rank(%ids: tensor<1x5xi32>, %t: tensor<30x8xi8>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.embedding' op expects ids of rank 1, got shape [1, 5]}}
  %results = tinyattn.embedding ins(%ids, %t : tensor<1x5xi32>, tensor<30x8xi8>)
    outs(%y : tensor<5x8xi8>) -> tensor<5x8xi8>
  return
}

// -----

func.func @embedding_table_rank(%ids: tensor<5xi32>, %t: tensor<30xi8>, %y: tensor<5x8xi8>) {
  // expected-error @below {{'tinyattn.embedding' op expects table of rank 2, got shape [30]}}
  %results = tinyattn.embedding ins(%ids, %t : tensor<5xi32>, tensor<30xi8>)
    outs(%y : tensor<5x8xi8>) -> tensor<5x8xi8>
  return
}

// -----

func.func @embedding_types(%ids: tensor<5xi32>, %t: tensor<30x8xf32>, %y: tensor<5x8xi8>) {
  // expected-error @below {{every activation}}
  %results = tinyattn.embedding ins(%ids, %t : tensor<5xi32>, tensor<30x8xf32>)
    outs(%y : tensor<5x8xi8>) -> tensor<5x8xi8>
  return
}

// -----

func.func @embedding_shape(%ids: tensor<5xi32>, %t: tensor<30x8xi8>, %y: tensor<5x9xi8>) {
  // expected-error @below {{'tinyattn.embedding' op expects destination of shape [5, 8], got [5, 9]}}
  %results = tinyattn.embedding ins(%ids, %t : tensor<5xi32>, tensor<30x8xi8>)
    outs(%y : tensor<5x9xi8>) -> tensor<5x9xi8>
  return
}
