// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers of a 2x4 tile: 8 sums, 4 operands, 2 pointers; that is all
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

    loopOverTiles(kernel.channels / 4, left, right, destinations);
    if (int64_t rest = kernel.channels % 4)
      tile(left, right, destinations, rest);
  }

private:
  /// The destinations, parked.
  SmallVector<Value> parkArguments(ValueRange arguments) {
    int64_t count = kernel.getDestinations();
    SmallVector<Value> destinations;
    for (Value destination : arguments.slice(2, count))
      destinations.push_back(b.park(destination));
    SmallVector<Value> others;
    for (Value value : arguments.drop_front(2 + count))
      others.push_back(b.park(value));
    ArrayRef<Value> rest(others);
    int64_t multipliers = kernel.getMultipliers();
    output.setMultipliers(rest.take_front(multipliers));
    if (kernel.addend == Addend::OfRows && !kernel.sumsRows())
      inner.setRowAddends(rest.drop_front(multipliers));
    return destinations;
  }

  /// All tiles of four channels. Pointers go on to what is left over.
  void loopOverTiles(int64_t tiles, Value &left, Value &right,
                     SmallVector<Value> &destinations) {
    int64_t stride = 2 * kernel.pairStride;
    auto one = [&](Value &left, Value &right,
                   SmallVector<Value> &destinations) {
      tile(left, right, destinations, 4);
      right = b.addImm(right, stride);
    };
    if (tiles == 1)
      one(left, right, destinations);
    if (tiles > 1) {
      Value distance = b.constant(tiles * stride);
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
  }

  /// One tile; `destinations` go on to the next.
  void tile(Value &left, Value &right, SmallVector<Value> &destinations,
            int64_t channels) {
    Sums sums = inner.run(left, right, channels);
    output.write(sums, right, destinations);
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
  os << (rows == 1 ? "tf_row_product_k" : "tf_product_k") << 2 * steps << "_n"
     << channels << '_' << getLetter(form) << (biased ? "b" : "") << pairStride
     << "_a" << int(addend) << "_m" << int(multiplier);
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
  bool hasAddends = addend == Addend::OfRows && !sumsRows();
  return 2 + getDestinations() + getMultipliers() + (hasAddends ? rows : 0);
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
