// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers of a 2x4 tile: 8 accumulators, 4 operands, 2 pointers; that is all
// 14. Destinations, ends and multipliers are parked in the floating-point unit.

#include "ProductKernel.h"

#include "InnerProduct.h"
#include "Requantise.h"
#include "ShortProduct.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

constexpr int64_t kMaxOffset = 4095;

/// Bytes of the first words of a pair of columns.
int64_t getHeadBytes(const ProductKernel &kernel) {
  return kernel.addend == Addend::OfColumns ? 16 : 0;
}

class ProductEmitter {
public:
  ProductEmitter(KernelBuilder &b, const ProductKernel &kernel)
      : b(b), kernel(kernel), inner(b, kernel, getHeadBytes(kernel)),
        output(b, kernel) {}

  void emit(ValueRange arguments) {
    Value left = arguments[0], right = arguments[1];
    SmallVector<Value> destinations = parkArguments(arguments);
    if (kernel.sumsRows())
      inner.sumRows(left);
    inner.parkEnd(left);

    int64_t tiles = (kernel.channels + 1) / 4;
    loopOverTiles(tiles, left, right, destinations);
    if (int64_t rest = kernel.channels - 4 * tiles; rest > 0)
      tile(left, right, destinations, /*pairs=*/1, rest);
  }

private:
  /// The destinations, parked.
  SmallVector<Value> parkArguments(ValueRange arguments) {
    unsigned count = kernel.hasTwoDestinations() ? 2 : 1;
    SmallVector<Value> destinations;
    for (Value destination : arguments.slice(2, count))
      destinations.push_back(b.park(destination));
    SmallVector<Value> others;
    for (Value value : arguments.drop_front(2 + count))
      others.push_back(b.park(value));
    ArrayRef<Value> rest(others);
    unsigned multipliers = kernel.multiplier == Multiplier::Uniform  ? 1
                           : kernel.multiplier == Multiplier::OfRows ? 2
                                                                     : 0;
    output.setMultipliers(rest.take_front(multipliers));
    if (kernel.addend == Addend::OfRows && !kernel.sumsRows())
      inner.setRowAddends(rest.drop_front(multipliers));
    return destinations;
  }

  /// All tiles of four channels; the last one of them may have three. Pointers
  /// go on to what is left over.
  void loopOverTiles(int64_t tiles, Value &left, Value &right,
                     SmallVector<Value> &destinations) {
    bool isLastPartial = kernel.channels % 4 == 3;
    int64_t whole = tiles - isLastPartial;
    int64_t stride = 2 * kernel.pairStride;
    auto one = [&](Value &left, Value &right,
                   SmallVector<Value> &destinations) {
      tile(left, right, destinations, 2, 4);
      right = b.addImm(right, stride);
    };
    if (whole == 1)
      one(left, right, destinations);
    if (whole > 1) {
      Value distance = b.constant(whole * stride);
      Value end = b.park(b.add(distance, right));
      SmallVector<Value> inits{left, right};
      inits.append(destinations);
      SmallVector<Value> results =
          b.loop(inits, [&](ValueRange iterated) -> KernelBuilder::Next {
            Value left = iterated[0], right = iterated[1];
            SmallVector<Value> destinations(iterated.drop_front(2));
            one(left, right, destinations);
            SmallVector<Value> next{left, right};
            next.append(destinations);
            return {next, right, b.unpark(end)};
          });
      left = results[0];
      right = results[1];
      destinations.assign(results.begin() + 2, results.end());
    }
    if (isLastPartial)
      tile(left, right, destinations, 2, 3);
  }

  /// One tile; `destinations` go on to the next.
  void tile(Value &left, Value &right, SmallVector<Value> &destinations,
            int64_t pairs, int64_t channels) {
    Sums sums = inner.run(left, right, pairs);
    output.write(sums, right, destinations, channels);
  }

  KernelBuilder &b;
  const ProductKernel &kernel;
  InnerProduct inner;
  Requantise output;
};

char getLetter(PanelForm form) { return form == PanelForm::Joint ? 'j' : 's'; }

} // namespace

std::string ProductKernel::getName() const {
  std::string name;
  llvm::raw_string_ostream os(name);
  os << "tf_product_k" << 2 * steps << "_n" << channels << '_'
     << getLetter(form) << (biased ? "b" : "") << pairStride << "_a"
     << int(addend) << "_m" << int(multiplier);
  if (zeroPoint != 0)
    os << "_z" << (zeroPoint < 0 ? "m" : "") << std::abs(zeroPoint);
  os << '_' << stringifyPanelLayout(layout);
  if (layout == PanelLayout::Keys || layout == PanelLayout::Values)
    os << '_' << getLetter(resultForm);
  if (layout == PanelLayout::Values)
    os << resultStride;
  if (steps > unroll)
    os << "_u" << unroll;
  return name;
}

unsigned ProductKernel::getNumArguments() const {
  unsigned count = hasTwoDestinations() ? 4 : 3;
  if (multiplier == Multiplier::Uniform)
    count += 1;
  if (multiplier == Multiplier::OfRows)
    count += 2;
  if (addend == Addend::OfRows && !sumsRows())
    count += 2;
  return count;
}

bool ProductKernel::isPossible() const {
  int64_t words = form == PanelForm::Joint ? 1 : 2;
  int64_t straight = std::min(steps, 2 * unroll);
  int64_t last = pairStride + getHeadBytes(*this) + 4 * words * straight;
  int64_t valueOffset =
      layout == PanelLayout::Values ? 2 * resultStride + 4 : 0;
  return last <= kMaxOffset && 8 * straight <= kMaxOffset &&
         valueOffset <= kMaxOffset;
}

SmallVector<Value> ProductKernel::build(KernelBuilder &b,
                                        ValueRange arguments) const {
  if (isShortProduct(*this))
    buildShortProduct(b, *this, arguments);
  else
    ProductEmitter(b, *this).emit(arguments);
  return {};
}
