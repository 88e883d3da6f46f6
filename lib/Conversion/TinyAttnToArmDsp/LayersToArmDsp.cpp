// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops on plain bytes that have kernels.

#include "LayersToArmDsp.h"

#include "../TinyAttnToLoops/LayernormToLoops.h"
#include "ElementwiseKernel.h"
#include "LayernormKernel.h"
#include "NormalizedSoftmaxKernel.h"
#include "PackKernel.h"
#include "PatchKernel.h"
#include "PoolKernel.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tinyattn;

namespace {

ShapedType getType(Value value) { return cast<ShapedType>(value.getType()); }

/// Both constants that are added before a shift: half of what is shifted out,
/// and the zero point.
int64_t getRounding(RequantAttr requant) {
  return (int64_t(1) << (requant.getShift() - 1)) +
         requant.getZeroPoint() * (int64_t(1) << requant.getShift());
}

class Lowering {
public:
  Lowering(Operation *op, ArmDspLowering &shared)
      : b(op->getLoc(), op), shared(shared) {}

  LogicalResult lower(LookupOp op) {
    Value x = op.getInput(), table = op.getTable(), y = op.getInits().front();
    if (!areContiguous({x, table, y}))
      return failure();
    LookupKernel kernel{getType(x).getNumElements()};
    b.call(shared.get(b.getLoc(), kernel, 3),
           {b.getAddress(x), b.advance(b.getAddress(table), 128),
            b.getAddress(y)});
    return success();
  }

  LogicalResult lower(AddOp op) {
    Value lhs = op.getLhs(), rhs = op.getRhs(), y = op.getInits().front();
    ArrayRef<int32_t> multipliers = *op.getMultipliers();
    RequantAttr requant = *op.getRequant();
    int64_t offset =
        static_cast<int32_t>(*op.getOffset()) + getRounding(requant);
    int64_t largest = 128 * (std::abs(int64_t(multipliers[0])) +
                             std::abs(int64_t(multipliers[1])));
    if (!areContiguous({lhs, rhs, y}) || requant.getWide() ||
        !llvm::all_of(multipliers,
                      [](int32_t m) { return llvm::isInt<16>(m); }) ||
        !llvm::isInt<32>(std::abs(offset) + largest))
      return failure();
    AddKernel kernel{getType(lhs).getNumElements(), requant.getShift()};
    int32_t halves = (multipliers[1] << 16) | (multipliers[0] & 0xffff);
    b.call(shared.get(b.getLoc(), kernel, 5),
           {b.getAddress(lhs), b.getAddress(rhs), b.getAddress(y),
            b.word(halves), b.word(offset)});
    return success();
  }

  LogicalResult lower(LayernormOp op) {
    Value x = op.getInput(), y = op.getInits().front();
    RequantAttr requant = *op.getRequant();
    if (!areContiguous({x, op.getWeight(), op.getBias(), y}) ||
        requant.getWide() || !llvm::isInt<32>(getRounding(requant)))
      return failure();
    int64_t rows = getType(x).getDimSize(0), width = getType(x).getDimSize(1);
    func::FuncOp sumsKernel = shared.get(b.getLoc(), RowSumsKernel{width}, 1);
    ScaleRowKernel scale{width, requant.getShift()};
    func::FuncOp scaleKernel = shared.get(b.getLoc(), scale, 7);
    Value source = b.getAddress(x), target = b.getAddress(y);
    Value weight = b.getAddress(op.getWeight());
    Value bias = b.getAddress(op.getBias());
    b.forEach(rows, [&](Value row) {
      Value from = b.advance(source, row, width);
      SmallVector<Value> sums = b.call(sumsKernel, from);
      LoopBuilder scalars(b.getLoc(), b);
      Value inverse = buildInverseDeviation(scalars, op, sums[0], sums[1]);
      // (K·x - S)·I + 2^15 = x·(K·I) + (2^15 - S·I).
      Value slope = scalars.mul(inverse, scalars.i32(width));
      Value shift =
          scalars.sub(scalars.i32(1 << 15), scalars.mul(sums[0], inverse));
      b.call(scaleKernel, {from, weight, bias, b.advance(target, row, width),
                           slope, shift, b.word(getRounding(requant))});
    });
    return success();
  }

  LogicalResult lower(NormalizedSoftmaxOp op) {
    Value x = op.getInput(), table = op.getTable(), y = op.getInits().front();
    if (!areContiguous({x, table, y}))
      return failure();
    ShapedType type = getType(x);
    NormalizedSoftmaxKernel kernel{type.getShape().back()};
    Value result = b.getAddress(y);
    b.call(shared.get(b.getLoc(), kernel, 4),
           {b.getAddress(x), b.getAddress(table), result,
            b.advance(result, type.getNumElements())});
    return success();
  }

  LogicalResult lower(PackPatchesOp op) {
    Value x = op.getInput(), panel = op.getInits().front();
    if (!areContiguous({x, panel}))
      return failure();
    Patches patches = describe(op);
    func::FuncOp whole, run;
    if (patches.kernel.isPossible())
      whole = shared.get(b.getLoc(), patches.kernel, 3);
    else
      run = shared.get(
          b.getLoc(), PackKernel{PackKernel::Signed, patches.kernel.length}, 3);
    int64_t runBytes = 8 * llvm::divideCeil(op.getRunLength(), 2);
    Value source = b.getAddress(x), target = b.getAddress(panel);
    auto pack = [&](Value pair, int64_t second) {
      Value patch = b.advance(op.getFirst(), pair, 2);
      Value left = patches.getAddress(b, source, patch);
      Value right = patches.getAddress(b, source, b.advance(patch, second));
      Value words = b.advance(target, pair, op.getRuns() * runBytes);
      if (whole) {
        b.call(whole, {left, right, words});
        return;
      }
      const PatchKernel &k = patches.kernel;
      b.forEach(k.groups, [&](Value group) {
        b.forEach(k.runs, [&](Value row) {
          auto begin = [&](Value patch) {
            return b.advance(b.advance(patch, group, k.groupStride), row,
                             k.runStride);
          };
          Value position = b.advance(b.advance(words, group, k.runs * runBytes),
                                     row, runBytes);
          b.call(run, {begin(left), begin(right), position});
        });
      });
    };
    b.forEach(op.getCount() / 2, [&](Value pair) { pack(pair, 1); });
    if (op.getCount() % 2 != 0)
      pack(b.index(op.getCount() / 2), 0);
    return success();
  }

  LogicalResult lower(PoolOp op) {
    Value x = op.getInput(), y = op.getInits().front();
    int64_t rows = getType(x).getDimSize(0), columns = getType(x).getDimSize(1);
    if (!areContiguous({x, y}))
      return failure();
    if (op.getKind() == PoolKind::Max) {
      MaximumPoolKernel kernel{rows, columns};
      if (!kernel.isPossible())
        return failure();
      b.call(shared.get(b.getLoc(), kernel, 2),
             {b.getAddress(x), b.getAddress(y)});
      return success();
    }
    RequantAttr requant = *op.getRequant();
    int64_t multiplier = requant.getMultiplier();
    int64_t offset = getRounding(requant) -
                     multiplier * rows * int32_t(*op.getInputZeroPoint());
    MeanPoolKernel kernel{rows, columns, requant.getShift()};
    if (requant.getWide() || !kernel.isPossible() ||
        !llvm::isInt<32>(std::abs(offset) + multiplier * rows * 128))
      return failure();
    b.call(
        shared.get(b.getLoc(), kernel, 4),
        {b.getAddress(x), b.getAddress(y), b.word(multiplier), b.word(offset)});
    return success();
  }

private:
  /// Where the patches of an image are.
  struct Patches {
    PatchKernel kernel;
    int64_t across;                // patches side by side
    int64_t downBytes, rightBytes; // from one patch to the next

    Value getAddress(LayerBuilder &b, Value image, Value patch) const {
      Value down = arith::DivUIOp::create(b, patch, b.index(across));
      Value right = arith::RemUIOp::create(b, patch, b.index(across));
      return b.advance(b.advance(image, down, downBytes), right, rightBytes);
    }
  };

  static Patches describe(PackPatchesOp op) {
    ArrayRef<int64_t> shape = getType(op.getInput()).getShape();
    ArrayRef<int64_t> kernel = op.getKernel(), strides = op.getStrides();
    bool first = op.getChannelsFirst();
    int64_t height = shape[first ? 1 : 0], width = shape[first ? 2 : 1];
    int64_t elementBytes = first ? 1 : shape[2];
    int64_t rowBytes = width * elementBytes;
    return {{first ? shape[0] : 1, kernel[0], op.getRunLength(),
             height * rowBytes, rowBytes},
            (width - kernel[1]) / strides[1] + 1,
            strides[0] * rowBytes,
            strides[1] * elementBytes};
  }

  static bool areContiguous(ValueRange memRefs) {
    return llvm::all_of(
        memRefs, [](Value memRef) { return isContiguousFrom(memRef, 0); });
  }

  LayerBuilder b;
  ArmDspLowering &shared;
};

} // namespace

LogicalResult tinyattn::lowerLayer(Operation *op, ArmDspLowering &shared) {
  Lowering lowering(op, shared);
  LogicalResult lowered = llvm::TypeSwitch<Operation *, LogicalResult>(op)
                              .Case<LookupOp, AddOp, LayernormOp,
                                    NormalizedSoftmaxOp, PackPatchesOp, PoolOp>(
                                  [&](auto op) { return lowering.lower(op); })
                              .Default(failure());
  if (succeeded(lowered))
    op->erase();
  return lowered;
}
