// RUN: tinyformer-opt %s -tinyattn-plan-memory=alignment=3 -verify-diagnostics

// expected-error @below {{expects an alignment that is a power of two, got 3}}
module {
  func.func @main() {
    return
  }
}
