// RUN: tinyformer-opt %s -tinyattn-verify-phase=phase=llvm -verify-diagnostics

// This one is OK.
llvm.func @converted()

// expected-error @below {{'func.func' is illegal after phase 'llvm'}}
func.func private @left_over()
