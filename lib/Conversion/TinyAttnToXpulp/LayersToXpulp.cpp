// Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops on single elements, rows and columns: lookup, add, copies, layernorm,
// requantize, broadcast, pool.

#include "../Cores.h"
#include "ElementwiseKernel.h"
#include "LayernormKernel.h"
#include "PoolKernel.h"
#include "SumsKernel.h"
#include "XpulpLowering.h"

#include "TinyFormer/Dialect/TinyAttn/TinyAttn.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tinyattn;
using namespace mlir::tinyattn::pulp;

namespace {

ArrayRef<int64_t> getShape(Value memRef) {
  return cast<MemRefType>(memRef.getType()).getShape();
}

int64_t getElementBytes(Value memRef) {
  return cast<MemRefType>(memRef.getType()).getElementTypeBitWidth() / 8;
}

/// Of a memref of rows, in bytes, if their elements lie side by side.
std::optional<int64_t> getRowBytes(Value memRef) {
  auto strides = getStaticStrides(memRef);
  if (!strides || strides->size() != 2 || strides->back() != 1)
    return std::nullopt;
  return strides->front() * getElementBytes(memRef);
}

/// Elements that kernels of single elements take at a time.
constexpr int64_t kPiece = 8;

class Lowering {
public:
  Lowering(Operation *op, XpulpKernels &kernels)
      : b(op->getLoc(), op), kernels(kernels), cores(getCores(op)) {}

  LogicalResult lower(LookupOp op) {
    if (!isContiguousFrom(op.getTable(), 0))
      return failure();
    Value table = b.advance(b.getAddress(op.getTable()), 128);
    return forEachLine({op.getInput(), op.getInits().front()},
                       [&](ArrayRef<Value> at, Value count) {
                         call(LookupKernel(), {at[0], table, at[1], count});
                       });
  }

  LogicalResult lower(AddOp op) {
    RequantAttr requant = *op.getRequant();
    ArrayRef<int32_t> m = *op.getMultipliers();
    int64_t shift = requant.getShift();
    int64_t offset = static_cast<int32_t>(*op.getOffset()) +
                     requant.getZeroPoint() * (int64_t(1) << shift);
    int64_t largest = 128 * (std::abs(int64_t(m[0])) + std::abs(int64_t(m[1])));
    if (requant.getWide() ||
        !llvm::isInt<32>(std::abs(offset) + largest + (int64_t(1) << shift)))
      return failure();
    bool inHalves = llvm::isInt<16>(m[0]) && llvm::isInt<16>(m[1]);
    SmallVector<Value> factors;
    if (inHalves)
      factors = {b.word(int32_t(uint32_t(m[1]) << 16 | (m[0] & 0xffff)))};
    else
      factors = {b.word(m[0]), b.word(m[1])};
    factors.push_back(b.word(int32_t(offset)));
    return forEachLine({op.getLhs(), op.getRhs(), op.getInits().front()},
                       [&](ArrayRef<Value> at, Value count) {
                         SmallVector<Value> arguments(at);
                         arguments.push_back(count);
                         llvm::append_range(arguments, factors);
                         call(AddKernel{int32_t(shift), inHalves}, arguments);
                       });
  }

  LogicalResult lower(memref::CopyOp op) {
    int64_t bytes = getElementBytes(op.getSource());
    return forEachLine(
        {op.getSource(), op.getTarget()}, [&](ArrayRef<Value> at, Value count) {
          count = arith::MulIOp::create(b, count, b.index(bytes));
          call(CopyKernel(), {at[0], at[1], count});
        });
  }

  LogicalResult lower(LayernormOp op) {
    Value x = op.getInput(), y = op.getInits().front();
    RequantAttr requant = *op.getRequant();
    auto inputStride = getRowBytes(x), resultStride = getRowBytes(y);
    if (!inputStride || !resultStride || requant.getWide() ||
        !isContiguousFrom(op.getWeight(), 0) ||
        !isContiguousFrom(op.getBias(), 0))
      return failure();
    LayernormKernel kernel{getShape(x)[1],
                           *inputStride,
                           *resultStride,
                           int64_t(*op.getVarianceEpsilon()),
                           int32_t(requant.getShift()),
                           requant.getZeroPoint()};
    Value input = b.getAddress(x), weight = b.getAddress(op.getWeight()),
          bias = b.getAddress(op.getBias()), result = b.getAddress(y);
    share(y, *resultStride, [&](Value first, Value count) {
      call(kernel, {b.advance(input, first, *inputStride), weight, bias,
                    b.advance(result, first, *resultStride), count});
    });
    return success();
  }

  LogicalResult lower(RequantizeOp op) {
    Value x = op.getInput(), y = op.getInits().front();
    RequantAttr requant = op.getRequant();
    auto inputStride = getRowBytes(x), resultStride = getRowBytes(y);
    if (!inputStride || !resultStride || requant.getWide() ||
        !isContiguousFrom(op.getMultipliers(), 0))
      return failure();
    int32_t shift = requant.getShift();
    RequantizeKernel kernel{getShape(x)[1], *inputStride, *resultStride, shift};
    int32_t addend = int32_t(uint32_t(requant.getZeroPoint()) << shift);
    Value input = b.getAddress(x), result = b.getAddress(y),
          multipliers = b.getAddress(op.getMultipliers());
    share(y, *resultStride, [&](Value first, Value count) {
      call(kernel,
           {b.advance(input, first, *inputStride), multipliers,
            b.advance(result, first, *resultStride), count, b.word(addend)});
    });
    return success();
  }

  LogicalResult lower(BroadcastOp op) {
    Value y = op.getInits().front();
    auto resultStride = getRowBytes(y);
    if (!resultStride || !isContiguousFrom(op.getBias(), 0))
      return failure();
    BroadcastKernel kernel{getShape(y)[1], *resultStride};
    Value bias = b.getAddress(op.getBias()), result = b.getAddress(y);
    share(y, *resultStride, [&](Value first, Value count) {
      call(kernel, {bias, b.advance(result, first, *resultStride), count});
    });
    return success();
  }

  LogicalResult lower(PoolOp op) {
    Value x = op.getInput(), y = op.getInits().front();
    auto stride = getRowBytes(x);
    if (!stride || !isContiguousFrom(y, 0))
      return failure();
    PoolKernel kernel{op.getKind() == PoolKind::Mean, getShape(x)[0], *stride,
                      /*shift=*/0};
    SmallVector<Value> ofMeans;
    if (kernel.isMean) {
      RequantAttr requant = *op.getRequant();
      if (requant.getWide())
        return failure();
      kernel.shift = requant.getShift();
      int64_t zeroPoint = static_cast<int32_t>(*op.getInputZeroPoint());
      uint32_t addend = uint32_t(requant.getZeroPoint()) << kernel.shift;
      for (int64_t value : {-kernel.rows * zeroPoint,
                            int64_t(requant.getMultiplier()), int64_t(addend)})
        ofMeans.push_back(b.word(int32_t(value)));
    }
    Value input = b.getAddress(x), result = b.getAddress(y);
    auto pool = [&](Value first, Value count) {
      SmallVector<Value> arguments{b.advance(input, first, 1),
                                   b.advance(result, first, 1), count};
      llvm::append_range(arguments, ofMeans);
      call(kernel, arguments);
    };
    shareRows(b, cores, getShape(x)[1], getRowsOfWords(y, 1), pool);
    return success();
  }

private:
  /// Cores share the rows of `result`, so many bytes each.
  void share(Value result, int64_t bytes,
             llvm::function_ref<void(Value first, Value count)> body) {
    shareRows(b, cores, getShape(result)[0], getRowsOfWords(result, bytes),
              body);
  }

  /// Runs `body` for all elements of `memRefs`, which have one shape, in lines
  /// that lie side by side in each of them: with addresses, and how many they
  /// are. Cores share the outermost lines or, where there is one line, its
  /// elements. The last memref is the result.
  LogicalResult
  forEachLine(ArrayRef<Value> memRefs,
              llvm::function_ref<void(ArrayRef<Value>, Value)> body) {
    ArrayRef<int64_t> shape = getShape(memRefs.front());
    SmallVector<SmallVector<int64_t>> strides;
    unsigned outer = 0;
    for (Value memRef : memRefs) {
      auto found = getStaticStrides(memRef);
      if (!found)
        return failure();
      strides.push_back(*found);
      while (outer < shape.size() && !isContiguousFrom(memRef, outer))
        ++outer;
    }
    // Single elements are no lines.
    if (outer == shape.size() && outer != 0)
      return failure();
    SmallVector<Value> addresses;
    for (Value memRef : memRefs)
      addresses.push_back(b.getAddress(memRef));
    auto getBytes = [&](unsigned i, unsigned dimension) {
      return getElementBytes(memRefs[i]) *
             (dimension < outer ? strides[i][dimension] : 1);
    };
    auto advance = [&](ArrayRef<Value> addresses, Value index,
                       unsigned dimension) {
      SmallVector<Value> moved;
      for (auto [i, address] : llvm::enumerate(addresses))
        moved.push_back(b.advance(address, index, getBytes(i, dimension)));
      return moved;
    };
    int64_t line = ShapedType::getNumElements(shape.drop_front(outer));
    std::function<void(unsigned, ArrayRef<Value>)> enter =
        [&](unsigned dimension, ArrayRef<Value> addresses) {
          if (dimension == outer)
            return body(addresses, b.index(line));
          b.forEach(shape[dimension], [&](Value index) {
            enter(dimension + 1, advance(addresses, index, dimension));
          });
        };
    unsigned shared = 0;
    while (shared < outer && shape[shared] == 1)
      ++shared;
    bool isLine = shared == outer;
    int64_t together =
        getRowsOfWords(memRefs.back(), getBytes(memRefs.size() - 1, shared));
    // Lines of two cores must not be interleaved.
    if (!llvm::is_sorted(ArrayRef(strides.back()).drop_front(shared),
                         std::greater<>()))
      together = 0;
    auto run = [&](Value first, Value count) {
      SmallVector<Value> begin = advance(addresses, first, shared);
      if (isLine)
        return body(begin, count);
      forShare(b, b.index(0), count, [&](Value index) {
        enter(shared + 1, advance(begin, index, shared));
      });
    };
    shareRows(b, cores, isLine ? line : shape[shared],
              isLine ? std::min(kPiece, kPiece * together) : together, run);
    return success();
  }

  template <typename Kernel>
  void call(const Kernel &kernel, ArrayRef<Value> arguments) {
    b.call(kernels.get(b.getLoc(), kernel), arguments);
  }

  LayerBuilder b;
  XpulpKernels &kernels;
  int64_t cores;
};

} // namespace

LogicalResult pulp::lowerLayer(Operation *op, XpulpKernels &kernels) {
  Lowering lowering(op, kernels);
  LogicalResult lowered =
      llvm::TypeSwitch<Operation *, LogicalResult>(op)
          .Case<LookupOp, AddOp, memref::CopyOp, LayernormOp, RequantizeOp,
                BroadcastOp, PoolOp>(
              [&](auto op) { return lowering.lower(op); })
          .Default(failure());
  if (succeeded(lowered))
    op->erase();
  return lowered;
}
