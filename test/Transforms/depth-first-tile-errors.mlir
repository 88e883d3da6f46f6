// RUN: tinyformer-opt %s -verify-diagnostics="only-expected" -split-input-file -tinyattn-depth-first-tile="tile=6"
// RUN: not tinyformer-opt %s -tinyattn-depth-first-tile="tile=0" 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not tinyformer-opt %s -tinyattn-depth-first-tile="tile=some" 2>&1 | FileCheck %s --check-prefix=WORD
// RUN: not tinyformer-opt %s -tinyattn-depth-first-tile="optimize=speed" 2>&1 | FileCheck %s --check-prefix=GOAL
// RUN: not tinyformer-opt %s -tinyattn-depth-first-tile="schedule=columns" 2>&1 | FileCheck %s --check-prefix=KIND
// RUN: not tinyformer-opt %s -tinyattn-depth-first-tile="tile=none schedule=rows-all" 2>&1 | FileCheck %s --check-prefix=BOTH

// ZERO: tile takes auto, none, min or a positive number of rows, got '0'
// WORD: tile takes auto, none, min or a positive number of rows, got 'some'
// GOAL: optimize takes cycles or size, got 'speed'
// KIND: unknown schedule 'columns'
// BOTH: schedule 'rows-all' contradicts tile 'none'

#r = #tinyattn.requant<shift = 11>

func.func @larger_than_the_input(%x: tensor<5x8xi8>, %w: tensor<8x8xi8>, %b: tensor<8xi32>,
    %m: tensor<8xi32>, %h: tensor<2xi32>, %t: tensor<256xi8>) -> tensor<5x8xi8> {
  // expected-error @below {{'tinyattn.mhsa' op has 5 rows, but tiles of 6 rows are asked for}}
  %y = tinyattn.mhsa %x
    query(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    key(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    value(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    output(%w, %b, %m : tensor<8x8xi8>, tensor<8xi32>, tensor<8xi32>)
    scores(%h : tensor<2xi32>) exp(%t : tensor<256xi8>) context(%h : tensor<2xi32>)
    {heads = 2 : i64, query_requant = #r, key_requant = #r, value_requant = #r,
     scores_requant = #r, context_requant = #r, output_requant = #r}
    : tensor<5x8xi8> -> tensor<5x8xi8>
  return %y : tensor<5x8xi8>
}
