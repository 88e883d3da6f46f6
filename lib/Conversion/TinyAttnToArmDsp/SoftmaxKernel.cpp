// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two passes: the maximum, four bytes at a time, and the table, eight elements
// at a time: their 16 loads stand together, and the index of the table is the
// score itself, because the maximum goes into the table's address.

#include "SoftmaxKernel.h"

#include "RowMaximum.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

/// Elements of a group.
constexpr int64_t kGroup = 8;
/// Elements of a turn of the loop, where there is one.
constexpr int64_t kLooped = 2 * kGroup;

class SoftmaxEmitter {
public:
  SoftmaxEmitter(KernelBuilder &b, int64_t columns) : b(b), columns(columns) {}

  /// Two rows, one after the other: only a pointer into them is not parked.
  void emit(Value row, Value table, Value panel, Value sums, Value distance) {
    SmallVector<Value> inits{b.park(row), b.park(panel), b.park(sums)};
    Value end = b.park(b.addImm(sums, 8));
    // T'[255 - (max - x)] lies at table + 255 - max + x.
    Value parkedTable = b.park(b.addImm(table, 255));
    Value parkedDistance = b.park(distance);
    b.loop(inits, [&](ValueRange parked) -> KernelBuilder::Next {
      // On the M7 what is unparked arrives late: everything before it is used.
      Value row = b.unpark(parked[0]), base = b.unpark(parkedTable);
      Value panel = b.unpark(parked[1]);
      base = b.sub(base, findMaximum(b, row, columns));
      Value sumPointer = b.unpark(parked[2]);
      Value sum = exponentials(row, base, panel);
      Value nextRow = b.unpark(parkedDistance), thisRow = b.unpark(parked[0]);
      Value nextPanel = b.unpark(parked[1]), last = b.unpark(end);
      Value next = b.storeAndStep(sum, sumPointer, 4);
      nextRow = b.add(nextRow, thisRow);
      nextPanel = b.addImm(nextPanel, 4);
      return {{b.park(nextRow), b.park(nextPanel), b.park(next)}, next, last};
    });
  }

private:
  bool isLooped() const { return columns > kStraightElements; }

  //===--------------------------------------------------------------------===//
  // The exponentials
  //===--------------------------------------------------------------------===//

  /// Their sum.
  Value exponentials(Value row, Value base, Value panel) {
    Value ones = b.constant(0x00010001);
    Value sum = b.constant(0);
    int64_t looped = isLooped() ? columns / kLooped * kLooped : 0;
    if (looped != 0) {
      Value distance = b.constant(looped);
      Value end = b.park(b.add(distance, row));
      auto results =
          b.loop({row, panel, sum}, [&](ValueRange v) -> KernelBuilder::Next {
            Value sum = group(v[0], base, v[1], ones, v[2], 0, kGroup);
            sum = group(v[0], base, v[1], ones, sum, kGroup, kGroup);
            Value row = b.addImm(v[0], kLooped);
            Value panel = b.addImm(v[1], 4 * kLooped);
            return {{row, panel, sum}, row, b.unpark(end)};
          });
      row = results[0];
      panel = results[1];
      sum = results[2];
    }
    for (int64_t i = 0; i < columns - looped; i += kGroup)
      sum = group(row, base, panel, ones, sum, i,
                  std::min(kGroup, columns - looped - i));
    return sum;
  }

  /// Words of two exponentials each; a row has every other word of a panel.
  Value group(Value row, Value base, Value panel, Value ones, Value sum,
              int64_t first, int64_t count) {
    SmallVector<Value> elements;
    for (int64_t i = 0; i < count; ++i)
      elements.push_back(b.load<armdsp::LdrsbOp>(row, first + i));
    for (Value &element : elements)
      element = armdsp::LdrbIndexedOp::create(b, b.getI32Type(), base, element);
    for (int64_t i = 0; i < count; i += 2) {
      // Behind the last one of an odd number is a 0 already.
      Value word = i + 1 < count ? b.lowHalves(elements[i], elements[i + 1])
                                 : elements[i];
      sum = b.multiplyPairs(word, ones, sum);
      b.store(word, panel, 4 * (first + i));
    }
    return sum;
  }

  KernelBuilder &b;
  int64_t columns;
};

} // namespace

std::string SoftmaxKernel::getName() const {
  return "tf_softmax_n" + std::to_string(columns);
}

SmallVector<Value> SoftmaxKernel::build(KernelBuilder &b,
                                        ValueRange arguments) const {
  SoftmaxEmitter(b, columns)
      .emit(arguments[0], arguments[1], arguments[2], arguments[3],
            arguments[4]);
  return {};
}
