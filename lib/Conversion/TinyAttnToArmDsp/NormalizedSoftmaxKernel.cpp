// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Three passes over a row: its maximum; the exponentials, into the place of the
// result, and their sum; the products with the reciprocal of the sum.
//
// The last one is y = (e·R + 2^21) >> 22 = (((e·R) >> 16) + 2^5) >> 6: SMLAWB
// gives the number before the last shift. y would be 256, which has to be 255,
// only where e is the whole sum, so that all others are 0 with any R: there R
// is ⌊(2^30 - 2^22) / Σe⌋, and nothing has to be saturated (docs/numerics.md).

#include "NormalizedSoftmaxKernel.h"

#include "RowMaximum.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

/// Elements of a group of the second and of the third pass.
constexpr int64_t kLookups = 8;
constexpr int64_t kProducts = 16;
/// Elements of a turn of the loops, where there are any.
constexpr int64_t kLooped = 32;

class NormalizedSoftmaxEmitter {
public:
  NormalizedSoftmaxEmitter(KernelBuilder &b, int64_t columns)
      : b(b), columns(columns) {}

  void emit(Value row, Value table, Value result, Value end) {
    SmallVector<Value> inits{b.park(row), b.park(result)};
    Value parkedEnd = b.park(end);
    // T'[255 - (max - x)] lies at table + 255 - max + x, T[0] at its end.
    Value parkedTable = b.park(b.addImm(table, 255));
    b.loop(inits, [&](ValueRange parked) -> KernelBuilder::Next {
      Value row = b.unpark(parked[0]), base = b.unpark(parkedTable);
      Value result = b.unpark(parked[1]);
      base = b.sub(base, findMaximum(b, row, columns));
      Value sum = exponentials(row, base, result);
      Value reciprocal = invert(sum, b.unpark(parkedTable));
      Value thisRow = b.unpark(parked[0]), thisResult = b.unpark(parked[1]);
      Value nextRow = b.park(b.addImm(thisRow, columns));
      scale(reciprocal, thisResult);
      Value next = b.addImm(b.unpark(parked[1]), columns);
      return {{nextRow, b.park(next)}, next, b.unpark(parkedEnd)};
    });
  }

private:
  /// Elements that the loops go through.
  int64_t getLooped() const {
    return columns > kStraightElements ? columns / kLooped * kLooped : 0;
  }

  //===--------------------------------------------------------------------===//
  // The exponentials
  //===--------------------------------------------------------------------===//

  /// Their sum.
  Value exponentials(Value row, Value base, Value result) {
    Value zero = b.constant(0), sum = b.constant(0);
    int64_t looped = getLooped();
    if (looped != 0) {
      Value distance = b.constant(looped);
      Value end = b.park(b.add(distance, row));
      auto results =
          b.loop({row, result, sum}, [&](ValueRange v) -> KernelBuilder::Next {
            Value sum = lookUp(v[0], base, v[1], zero, v[2], kLooped);
            Value row = b.addImm(v[0], kLooped);
            Value result = b.addImm(v[1], kLooped);
            return {{row, result, sum}, row, b.unpark(end)};
          });
      row = results[0];
      result = results[1];
      sum = results[2];
    }
    return lookUp(row, base, result, zero, sum, columns - looped);
  }

  Value lookUp(Value row, Value base, Value result, Value zero, Value sum,
               int64_t size) {
    for (int64_t first = 0; first < size; first += kLookups) {
      int64_t count = std::min(kLookups, size - first);
      SmallVector<Value> values;
      for (int64_t i = 0; i < count; ++i)
        values.push_back(b.load<armdsp::LdrsbOp>(row, first + i));
      for (Value &value : values)
        value = armdsp::LdrbIndexedOp::create(b, b.getI32Type(), base, value);
      int64_t i = 0;
      for (Value word : joinBytes(values)) {
        sum = armdsp::Usada8Op::create(b, b.getI32Type(), word, zero, sum);
        b.store(word, result, first + i);
        i += 4;
      }
      for (; i < count; ++i) {
        sum = b.add(sum, values[i]);
        b.store<armdsp::StrbOp>(values[i], result, first + i);
      }
    }
    return sum;
  }

  /// Words of four bytes each, stage by stage: nothing waits for what is just
  /// before.
  SmallVector<Value> joinBytes(ArrayRef<Value> bytes) {
    SmallVector<Value> halves, words;
    for (size_t i = 0; i + 4 <= bytes.size(); i += 4)
      for (size_t pair : {i, i + 2})
        halves.push_back(b.orr(bytes[pair], bytes[pair + 1], 8));
    for (size_t i = 0; i < halves.size(); i += 2)
      words.push_back(b.orr(halves[i], halves[i + 1], 16));
    return words;
  }

  //===--------------------------------------------------------------------===//
  // The products
  //===--------------------------------------------------------------------===//

  /// ⌊(2^30 - (sum = T[0] ? 2^22 : 0)) / sum⌋; the sum is not less than T[0].
  Value invert(Value sum, Value table) {
    Value most = b.load<armdsp::LdrbOp>(table, 0);
    Value one = b.constant(1 << 30);
    // -1 where both are equal, else 0.
    Value equal = b.asr(b.addImm(b.sub(sum, most), -1), 31);
    Value numerator = b.add(one, equal, 22);
    return armdsp::UdivOp::create(b, b.getI32Type(), numerator, sum);
  }

  void scale(Value reciprocal, Value result) {
    Value ones = b.constant(0x00010001), zero = b.constant(0);
    // SEL takes bytes 1 and 3 of its first operand from now on.
    armdsp::Ssub8Op::create(b, b.getI32Type(), zero, ones);
    Value rounding = b.constant(1 << 5);
    int64_t looped = getLooped();
    if (looped != 0) {
      Value distance = b.constant(looped);
      Value end = b.park(b.add(distance, result));
      result = b.loop(result, [&](ValueRange v) -> KernelBuilder::Next {
                  multiply(reciprocal, rounding, v[0], kLooped);
                  Value next = b.addImm(v[0], kLooped);
                  return {{next}, next, b.unpark(end)};
                }).front();
    }
    multiply(reciprocal, rounding, result, columns - looped);
  }

  void multiply(Value reciprocal, Value rounding, Value result, int64_t size) {
    int64_t i = 0;
    while (i + 4 <= size) {
      SmallVector<Value> words;
      int64_t first = i;
      for (; i + 4 <= size && i < first + kProducts; i += 4)
        words.push_back(b.load(result, i));
      for (size_t w = 0; w < words.size(); w += 2)
        multiplyWords(
            reciprocal, rounding, result, first + 4 * w,
            ArrayRef(words).slice(w, std::min<size_t>(2, words.size() - w)));
    }
    for (; i < size; ++i) {
      Value e = b.load<armdsp::LdrbOp>(result, i);
      Value product =
          armdsp::SmlawbOp::create(b, b.getI32Type(), reciprocal, e, rounding);
      Value y = b.addImm(b.asr(product, 6), -128);
      b.store<armdsp::StrbOp>(y, result, i);
    }
  }

  /// Stage by stage as well.
  void multiplyWords(Value reciprocal, Value rounding, Value result,
                     int64_t offset, ArrayRef<Value> words) {
    SmallVector<Value> halves; // bytes 0 and 2, then 1 and 3, of each word
    for (Value word : words) {
      halves.push_back(b.unsignedBytes(word));
      halves.push_back(b.unsignedBytes(word, 8));
    }
    Type type = b.getI32Type();
    SmallVector<std::pair<Value, Value>> products;
    for (Value half : halves) {
      Value low = armdsp::SmlawbOp::create(b, type, reciprocal, half, rounding);
      Value high =
          armdsp::SmlawtOp::create(b, type, reciprocal, half, rounding);
      products.push_back({low, high});
    }
    for (auto [half, product] : llvm::zip_equal(halves, products))
      half = b.lowHalves(product.first, product.second);
    // The byte of each half begins at its sixth bit.
    for (size_t i = 0; i < halves.size(); i += 2) {
      halves[i] = b.lsr(halves[i], 6);
      halves[i + 1] = b.lsl(halves[i + 1], 2);
    }
    SmallVector<Value> results;
    for (size_t i = 0; i < halves.size(); i += 2)
      results.push_back(
          armdsp::SelOp::create(b, type, halves[i + 1], halves[i]));
    for (Value &word : results)
      word = b.eorImm(word, 0x80808080);
    for (auto [i, word] : llvm::enumerate(results))
      b.store(word, result, offset + 4 * i);
  }

  KernelBuilder &b;
  int64_t columns;
};

} // namespace

std::string NormalizedSoftmaxKernel::getName() const {
  return "tf_normalized_softmax_n" + std::to_string(columns);
}

SmallVector<Value> NormalizedSoftmaxKernel::build(KernelBuilder &b,
                                                  ValueRange arguments) const {
  NormalizedSoftmaxEmitter(b, columns)
      .emit(arguments[0], arguments[1], arguments[2], arguments[3]);
  return {};
}
